"""Mappings of one's own in the database: tried on kept records, kept as versions, put in use, given back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from connector import config as configs
from connector import mapping as mappings
from connector.clock import FixedClock
from connector.connect import connect
from connector.errors import ConfigError
from connector.store import audit, customers, documents
from connector.store.db import Store
from jobs.pull import pull
from tests.unit.mapping.test_commands import CONFIG, edited, run

NOW = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
BOOK = "id,name,owner,segment,terms\nC1,Acme,ann,retail,net:30\nC2,Blue,bob,whole,net:30\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text(BOOK, encoding="utf-8")
    return tmp_path


def store_in(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder / 'holdfast.db'}")


def pulled(folder: Path) -> dict[str, int]:
    """One pull, as another process would do it; what it counted."""
    store = store_in(folder)
    config = configs.load(folder / "config.toml")
    run_done = pull(store, connect(config, "books", FixedClock(NOW), store))
    assert run_done.failed is None
    store.close()
    return dict(run_done.counts)


def owners(folder: Path) -> list[str | None]:
    store = store_in(folder)
    with store.reading() as tx:
        found = [c.owner for c in sorted(customers.customers(tx), key=lambda c: c.name or "")]
    store.close()
    return found


def versions(folder: Path) -> list[int]:
    store = store_in(folder)
    with store.reading() as tx:
        found = [v.number for v in documents.versions(tx, "mapping", "books")]
    store.close()
    return found


def by_segment(folder: Path) -> Path:
    return edited(folder, 'owner = "owner"', 'owner = "segment"')


def test_a_file_with_problems_is_refused_whole(folder: Path) -> None:
    with pytest.raises(ConfigError, match="The mapping has problems"):
        run(folder, "import", "books", str(edited(folder, '"owner"', '""')))
    assert versions(folder) == []


def test_import_tells_what_would_change_in_the_kept_records_and_changes_nothing(folder: Path) -> None:
    pulled(folder)
    code, said = run(folder, "import", "books", str(by_segment(folder)), "--author", "wang", "--format", "json")
    answer = json.loads(said)
    assert (code, answer["version"], answer["active"]) == (0, 1, False)
    assert answer["diff"] == ['~ read.customer.fields.owner: "owner" → "segment"']
    (tried,) = [t for t in answer["trial"] if t["stream"] == "customers"]
    assert tried["records"] == 2
    assert tried["facts"] == {"customer": {"before": 2, "after": 2, "new": 0, "gone": 0, "changed": 2}}
    assert {(s["id"], s["field"], s["before"], s["after"]) for s in tried["samples"]} == {
        ("C1", "owner", "ann", "retail"),
        ("C2", "owner", "bob", "whole"),
    }
    assert pulled(folder).get("remapped", 0) == 0, "kept, but not in use"
    assert owners(folder) == ["ann", "bob"]


def test_a_version_that_makes_new_problems_says_so_before_it_is_used(folder: Path) -> None:
    pulled(folder)
    file = edited(folder, 'terms = "terms"', 'terms = "name"')
    code, said = run(folder, "import", "books", str(file), "--dry-run", "--format", "json")
    (tried,) = [t for t in json.loads(said)["trial"] if t["stream"] == "customers"]
    assert code == 1
    assert tried["problems"] == {"before": 0, "after": 2}
    assert "The payment terms “Acme” are not understood." in " ".join(tried["new_problems"])
    stay = {"before": 2, "after": 2, "new": 0, "gone": 0, "changed": 0}  # a bad record keeps its last good facts
    assert tried["facts"] == {"customer": stay}
    assert versions(folder) == [], "--dry-run keeps nothing"


def test_facts_that_would_come_and_go_are_told_as_a_whole(folder: Path) -> None:
    pulled(folder)
    file = edited(folder, 'stream = "customers"', 'stream = "customers"\nunless = { segment = ["retail"] }')
    answer = json.loads(run(folder, "import", "books", str(file), "--format", "json")[1])
    (tried,) = [t for t in answer["trial"] if t["stream"] == "customers"]
    assert tried["facts"] == {"customer": {"before": 2, "after": 1, "new": 0, "gone": 1, "changed": 0}}
    assert [(s["id"], s["field"], s["before"], s["after"]) for s in tried["samples"]] == [("C1", "", "C1", "")]


def test_an_activated_version_is_used_by_the_next_pull_of_any_node_and_applied_to_kept_records(folder: Path) -> None:
    pulled(folder)
    node = store_in(folder)  # a process that has been up all the time
    run(folder, "import", "books", str(by_segment(folder)), "--author", "wang")
    code, said = run(folder, "activate", "books", "1", "--author", "li", "--note", "seen")
    assert code == 0
    assert "In use from the next run on" in said
    config = configs.load(folder / "config.toml")
    assert pull(node, connect(config, "books", FixedClock(NOW), node)).counts["remapped"] == 2
    assert owners(folder) == ["retail", "whole"]
    run(folder, "activate", "books", "--file")
    assert pull(node, connect(config, "books", FixedClock(NOW), node)).counts["remapped"] == 2
    assert owners(folder) == ["ann", "bob"]
    node.close()


def test_a_pull_that_was_told_of_no_store_uses_the_one_it_writes_to(folder: Path) -> None:
    run(folder, "import", "books", str(by_segment(folder)), "--activate")
    store = store_in(folder)
    pull(store, connect(configs.load(folder / "config.toml"), "books", FixedClock(NOW)))
    store.close()
    assert owners(folder) == ["retail", "whole"]


def test_the_copy_replaces_the_file_and_the_file_the_shipped_one(folder: Path) -> None:
    own = edited(folder, 'owner = "owner"', 'owner = "name"')
    own.rename(folder / "own.toml")
    (folder / "config.toml").write_text(CONFIG + 'mapping = "own.toml"\n', encoding="utf-8")
    assert "# the file own.toml named in config.toml\n" in run(folder, "show", "books")[1]
    run(folder, "import", "books", str(by_segment(folder)), "--activate", "--author", "wang")
    said = run(folder, "show", "books")[1]
    assert "# version 1 in the database, of wang, " in said
    assert 'owner = "segment"' in said
    assert 'owner = "name"' not in said, "nothing is merged"


def test_versions_are_compared_and_given_back_byte_by_byte(folder: Path) -> None:
    first = folder / "windows.toml"
    text = mappings.shipped("files").replace('owner = "owner"', 'owner = "segment"  # 业务员', 1).replace("\n", "\r\n")
    first.write_bytes(text.encode())
    run(folder, "import", "books", str(first), "--activate")
    run(folder, "import", "books", str(edited(folder, 'owner = "owner"', 'owner = "name"')))
    assert run(folder, "diff", "books", "--version", "2")[1].splitlines() == [
        '~ read.customer.fields.owner: "segment" → "name"'
    ]
    assert run(folder, "diff", "books@2", "books@1")[1] == run(folder, "diff", "books@2", "books")[1]
    assert run(folder, "export", "books", str(folder / "back.toml"), "--version", "1")[0] == 0
    assert (folder / "back.toml").read_bytes() == first.read_bytes()
    with pytest.raises(ConfigError, match=r"“books” has no version 7\. Kept: 1–2\."):
        run(folder, "show", "books", "--version", "7")


def test_history_tells_who_kept_and_who_put_in_use(folder: Path) -> None:
    run(folder, "import", "books", str(by_segment(folder)), "--author", "wang", "--note", "regions")
    run(folder, "activate", "books", "1", "--author", "li")
    run(folder, "activate", "books", "--file", "--author", "zhao", "--note", "too early")
    answer = json.loads(run(folder, "history", "books", "--format", "json")[1])
    assert [(v["version"], v["author"], v["note"]) for v in answer["versions"]] == [(1, "wang", "regions")]
    assert [(a["version"], a["author"], a["note"]) for a in answer["activations"]] == [
        (None, "zhao", "too early"),
        (1, "li", ""),
    ]
    assert answer["in_use"]["version"] is None
    assert "the mapping shipped with files" in run(folder, "history", "books")[1]
    store = store_in(folder)
    with store.reading() as tx:
        told = [(one.entry.action, one.entry.actor, one.entry.why) for one in audit.everything(tx)]
    store.close()
    assert [one for one in told if one[0].startswith("mapping.")] == [
        ("mapping.save", "person:wang", "regions"),
        ("mapping.activate", "person:li", ""),
        ("mapping.activate", "person:zhao", "too early"),
    ], "as the console tells it"


def test_a_version_that_is_not_there_is_not_put_in_use(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no version 3"):
        run(folder, "activate", "books", "3")
    with pytest.raises(ConfigError, match="Give a version, or --file"):
        run(folder, "activate", "books")


def test_what_was_never_asked_for_is_told(folder: Path) -> None:
    pulled(folder)
    file = edited(folder, 'owner = "owner"', 'owner = "account_manager"')
    answer = json.loads(run(folder, "import", "books", str(file), "--format", "json")[1])
    assert answer["notes"] == [
        "customers: account_manager were never read and are not in the kept records; the next pull reads the stream anew."
    ]


def test_a_broken_file_can_be_replaced_by_a_version(folder: Path) -> None:
    (folder / "own.toml").write_text("nonsense = [", encoding="utf-8")
    (folder / "config.toml").write_text(CONFIG + 'mapping = "own.toml"\n', encoding="utf-8")
    code, said = run(folder, "import", "books", str(by_segment(folder)), "--activate")
    assert code == 0
    assert "In use from the next run on" in said
    assert pulled(folder)["new"] == 2
