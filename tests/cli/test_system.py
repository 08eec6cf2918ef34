"""From an empty configuration to a working system, people and secrets, by the command line alone."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path

import pytest

from connector import adapter as adapters
from connector.config_toml import system_text
from connector.sandbox import SandboxOptions
from tests.cli.calling import Called, call

SYSTEM = """
# the book of the shop
[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "operator")
    monkeypatch.delenv("HOLDFAST_USER", raising=False)
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("id,name,currency\nC1,One,CNY\n", encoding="utf-8")
    (tmp_path / "book" / "documents.csv").write_text(
        "id,customer_id,kind,number,issued_on,due_on,currency,amount\nD1,C1,invoice,1,2026-01-01,2026-01-31,CNY,10.00\n",
        encoding="utf-8",
    )
    (tmp_path / "books.toml").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "config.toml").write_text('[business]\ncurrency = "CNY"\n', encoding="utf-8")
    return tmp_path / "config.toml"


def told(config: Path, *arguments: object, given: str = "", lang: str = "en") -> Called:
    return call("-c", config, "--lang", lang, *arguments, given=given, lang=lang)


def test_a_system_is_tried_connected_run_changed_and_taken_out(config: Path) -> None:
    file = config.parent / "books.toml"
    assert "No system is configured yet" in told(config, "run").err
    tried = told(config, "system", "try", file, "--format", "json").json
    assert (tried["fine"], [s["records"] for s in tried["streams"] if s["name"] in ("customers", "documents")]) == (
        True,
        [1, 1],
    )
    assert told(config, "system", "list", "--format", "json").json == {"systems": []}, "a trial keeps nothing"
    added = told(config, "system", "add", file, "--why", "first")
    assert (added.code, added.out) == (0, "In use: version 1 of books\n")
    assert told(config, "run").code == 0
    assert "One" in told(config, "report", "positions").out
    assert told(config, "system", "show", "books").out == SYSTEM
    file.write_text(SYSTEM.replace('"book"', '"nowhere"'), encoding="utf-8")
    refused = told(config, "system", "add", file)
    assert refused.code == 2
    assert "Nothing was kept" in refused.err
    assert told(config, "system", "add", file, "--draft").out == "Kept: version 2 of books\n"
    (one,) = told(config, "system", "list", "--format", "json").json["systems"]
    assert (one["state"], one["version"], one["newer"]) == ("in_use", 1, 2)
    assert told(config, "system", "activate", "books", "2").code == 0
    assert "There is no book" in told(config, "run").out
    assert told(config, "system", "activate", "books", "1").code == 0
    history = told(config, "system", "history", "books", "--format", "json").json
    assert [v["version"] for v in history["versions"]] == [2, 1]
    assert [a["version"] for a in history["activations"]] == [1, 2, 1]
    assert told(config, "system", "remove", "books", lang="zh").out == "已移除：books\n"
    assert "No system is configured yet" in told(config, "run").err
    assert "One" not in told(config, "report", "positions").out, "what is no longer read counts for nothing"
    assert told(config, "system", "activate", "books", "1").code == 0
    assert "One" in told(config, "report", "positions").out, "its facts have stayed"
    trail = told(config, "audit", "list", "--format", "json", "--action", "system").json
    acts = [line["action"] for line in trail["audit"]]
    assert acts.count("system.try") == 3, "each trial is told, also one that kept nothing"
    assert [act for act in acts if act != "system.try"] == [
        "system.activate", "system.remove", "system.activate", "system.activate", "system.save", "system.activate", "system.save"
    ]  # fmt: skip


def test_people_take_over_from_whoever_sat_there(config: Path) -> None:
    refused = told(config, "person", "add", "bob", "--role", "sales")
    assert (refused.code, "Nobody would be an administrator" in refused.err) == (2, True)
    assert told(config, "person", "add", "ada", "--name", "Ada 王", "--role", "admin").code == 0
    locked = told(config, "person", "add", "bob", "--role", "sales")
    assert locked.code == 2
    assert "none of the people" in locked.err
    who = ("--as", "ada")
    assert told(config, "person", "add", "bob", "--role", "sales", "--email", "b@example.com", *who).code == 0
    assert told(config, "system", "add", config.parent / "books.toml", *who).code == 0
    assert told(config, "person", "change", "bob", "--user", "books=7", "--email", "", *who).code == 0
    everybody = told(config, "person", "list", "--format", "json").json["people"]
    assert [(p["id"], p["kept"], p["email"], p["ids"]) for p in everybody] == [
        ("ada", "database", None, {}),
        ("bob", "database", None, {"books": "7"}),
    ]
    denied = told(config, "system", "remove", "books", "--as", "bob", lang="zh")
    assert (denied.code, "bob 的角色为销售人员" in denied.err) == (2, True)
    assert told(config, "person", "remove", "bob", *who).code == 0
    assert told(config, "person", "change", "ada", *who).code == 2
    assert [a["version"] for a in told(config, "person", "history", "--format", "json").json["activations"]] == [
        4,
        3,
        2,
        1,
    ]
    assert told(config, "person", "activate", "3", *who).code == 0
    assert "bob" in told(config, "person", "list").out


def test_a_secret_is_kept_and_never_shown(config: Path) -> None:
    refused = told(config, "secret", "set", "erp/password", given="hunter2-hunter2")
    assert (refused.code, "holdfast secret key" in refused.err) == (2, True)
    key = config.parent / "seal.key"
    assert told(config, "secret", "key", key).code == 0
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    config.write_text('[store]\nseal_key = "file:seal.key"\n', encoding="utf-8")
    said = [
        told(config, "secret", "set", "sealed:erp/password", given="hunter2-hunter2\n", lang=lang)
        for lang in ("en", "zh")
    ]
    assert [(s.code, s.out) for s in said] == [(0, "Kept: sealed:erp/password\n"), (0, "已保存：sealed:erp/password\n")]
    said.append(told(config, "secret", "list"))
    said.append(told(config, "secret", "list", "--format", "json"))
    assert [s["name"] for s in said[-1].json["secrets"]] == ["erp/password"]
    said.append(told(config, "secret", "key", key, "--add"))
    said.append(told(config, "secret", "rotate"))
    assert said[-1].out == "Sealed anew: 1\n"
    said.append(told(config, "audit", "list"))
    said.append(told(config, "-v", "-v", "secret", "remove", "erp/password"))
    assert all("hunter2" not in s.out + s.err for s in said)
    assert b"hunter2" not in b"".join(p.read_bytes() for p in config.parent.glob("holdfast.db*"))
    assert told(config, "secret", "remove", "erp/password").code == 2
    assert told(config, "secret", "set", "erp/password", given="").code == 2


def test_a_system_is_added_with_its_secrets_in_one_step(config: Path) -> None:
    assert told(config, "secret", "key", config.parent / "seal.key").code == 0
    box = adapters.sandbox("tryton", SandboxOptions(data=None, customers=5, seed=1, as_of=dt.date(2026, 11, 25)))
    file = config.parent / "erp.toml"
    with box.served() as url:
        settings = {"base_url": url, "database": "holdfast", "user": "connector"}
        secrets = {"password": "sealed:erp/password"}
        file.write_text(system_text({"name": "erp", "adapter": "tryton", "roles": ["erp"], "settings": settings, "secrets": secrets}), encoding="utf-8")  # fmt: skip
        missing = told(config, "system", "add", file)
        assert (missing.code, "holdfast secret set erp/password" in missing.err) == (2, True)
        wrong = told(config, "system", "add", file, "--ask", given="not-the-password\n")
        assert (wrong.code, "Nothing was kept" in wrong.err) == (2, True)
        assert told(config, "secret", "list", "--format", "json").json == {"secrets": []}
        right = box.credentials()["password"]
        added = told(config, "system", "add", file, "--ask", given=f"{right}\n")
        assert (added.code, added.out) == (0, "In use: version 1 of erp\n")
        assert told(config, "run").code == 0
        assert told(config, "check", "erp").code == 2, "category and rule are still to be made"
    said = wrong.out + wrong.err + added.out + added.err
    assert right not in said
    assert "not-the-password" not in said


def test_who_only_asks_makes_no_database(config: Path) -> None:
    assert told(config, "check").code == 2
    assert not (config.parent / "holdfast.db").exists()
