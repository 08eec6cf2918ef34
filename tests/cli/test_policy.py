"""`holdfast policy …` as a person calls it: checked, shown, compared, tried, activated, and told in the audit trail."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connector.clock import FixedClock
from connector.config import load as load_config
from connector.policy import default_policy, load
from connector.policy_shown import as_toml, changes
from connector.store.db import Store
from jobs.policy import in_force
from tests.cli.calling import call, shop
from tests.cli.conftest import BOOK

DAY = "2026-11-23"
STRICT = """
[hold.oldest_overdue]
grace_days = 0

[segment.export.hold.oldest_overdue]
grace_days = 60
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    made = shop(tmp_path, **BOOK)
    assert call("-c", made, "run").code == 0
    return made


def test_all_problems_at_once_each_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[hold.oldest_overdu]\ngrace_days = 1\n[ageing]\nbasis = 'dew'\n", encoding="utf-8")
    done = call("-c", tmp_path / "none.toml", "policy", "check", file)
    assert done.code == 2
    assert 'Is "oldest_overdue" meant?' in done.err
    assert '"dew" is not possible here. One of: due, issue, statutory.' in done.err


def test_the_shipped_policy_is_fine_and_shown_with_its_comments(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    assert call("-c", none, "policy", "check").out == "default_policy.toml: fine.\n"
    shown = call("-c", none, "policy", "show")
    assert "账龄" in shown.out
    assert shown.err == "# the shipped policy\n"


def test_every_value_is_shown_and_loads_to_the_same_policy(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(STRICT + "\n[exposure]\norder_horizon_days = 'none'\n", encoding="utf-8")
    shown = call("-c", tmp_path / "none.toml", "policy", "show", file, "--effective")
    assert load(shown.out) == load(file)
    export = call("-c", tmp_path / "none.toml", "policy", "show", file, "--segment", "export")
    assert load(export.out).hold.oldest_overdue.grace_days == 60
    wrong = call("-c", tmp_path / "none.toml", "policy", "show", file, "--segment", "exprot")
    assert (wrong.code, "It has: export" in wrong.err) == (2, True)


def test_the_shipped_policy_written_out_is_the_shipped_policy() -> None:
    assert load(as_toml(default_policy())) == default_policy()
    assert changes(default_policy(), load(as_toml(default_policy()))) == []


def test_what_differs_is_told_setting_by_setting_segments_by_what_holds_there(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(STRICT, encoding="utf-8")
    done = call("-c", tmp_path / "none.toml", "policy", "diff", file, "--format", "json")
    assert done.json["changes"] == [
        {"setting": "hold.oldest_overdue.grace_days", "before": "30", "after": "0"},
        {"setting": "segment.export.hold.oldest_overdue.grace_days", "before": None, "after": "60"},
    ]


def test_trying_shows_who_changes_and_why_and_writes_nothing(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[hold.oldest_overdue]\ngrace_days = 120\n", encoding="utf-8")
    done = call("-c", config, "policy", "try", file, "--format", "json")
    counts = {row["what"]: (row["before"], row["after"]) for row in done.json["counts"]}
    # Of C001 the oldest invoice is 115 days late on 2026-11-23, later on any day after it.
    with Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}").reading() as tx:
        assert in_force(tx, load_config(config)) == default_policy()
    assert counts["held"][0] >= counts["held"][1]
    table = call("-c", config, "policy", "try", file, "--as-of", DAY)
    assert "no longer: the oldest undisputed item is 115 days overdue" in table.out
    chinese = call("-c", config, "--lang", "zh", "policy", "try", file, "--as-of", DAY, lang="zh")
    assert "不再适用：最早的无争议未清项已逾期 115 天" in chinese.out


def test_an_activated_policy_is_kept_in_force_and_in_the_audit_trail(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(STRICT, encoding="utf-8")
    done = call(
        "-c", config, "policy", "activate", file, "--as", "li.wei", "--note", "board of 11-20", "--format", "json"
    )
    assert (done.code, done.json["version"]) == (0, 1)
    assert call("-c", config, "policy", "show").out == STRICT
    history = call("-c", config, "policy", "history", "--format", "json").json
    assert [(v["version"], v["author"], v["note"]) for v in history["versions"]] == [(1, "li.wei", "board of 11-20")]
    told = call("-c", config, "audit", "list", "--format", "json", "--action", "policy.activate")
    entry = told.json["audit"][0]
    assert (entry["actor"], entry["subject"], entry["why"]) == ("person:li.wei", "policy:policy", "board of 11-20")
    assert entry["after"]["changes"][0] == ["hold.oldest_overdue.grace_days", "30", "0"]
    # Evaluated by it: the grace is gone.
    again = call("-c", config, "evaluate")
    assert again.code == 0
    back = call("-c", config, "policy", "activate", "--file", "--as", "li.wei")
    assert (back.code, "the shipped policy" in back.out) == (0, True)
    assert call("-c", config, "policy", "show", "1").out == STRICT


def test_a_policy_with_mistakes_is_never_put_in_force(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[hold.status]\nstop = ['gone']\n", encoding="utf-8")
    done = call("-c", config, "policy", "activate", file)
    assert (done.code, "hold.status.stop" in done.err) == (2, True)
    assert call("-c", config, "policy", "history", "--format", "json").json["versions"] == []


def test_every_run_reads_what_is_in_force_then(config: Path, tmp_path: Path) -> None:
    from jobs.night import work

    file = tmp_path / "mine.toml"
    file.write_text("[hold.oldest_overdue]\ngrace_days = 400\n", encoding="utf-8")
    store = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    clock = FixedClock(dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC))
    held = []
    for _ in range(2):
        runs = work(store, load_config(config), None, clock, full=True)
        held.append(next(r for r in runs if r.job == "evaluate").counts["held"])
        assert call("-c", config, "policy", "activate", file).code == 0
    assert held[1] < held[0]
