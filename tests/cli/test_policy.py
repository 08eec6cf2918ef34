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


PEOPLE = """
[[people]]
id = "ann"
roles = ["admin"]

[[people]]
id = "bo"
roles = ["approver"]

[[people]]
id = "cai"
roles = ["approver"]
"""
MATRIX = """
[[approval.row]]
matter = "policy"
role = "approver"
people = {people}
"""


def _governed(config: Path, people: int) -> Path:
    """A policy in force that says who may change it, and another one that is to follow."""
    file, other = config.parent / "governed.toml", config.parent / "other.toml"
    file.write_text(MATRIX.format(people=people), encoding="utf-8")
    other.write_text(MATRIX.format(people=people) + "[hold.oldest_overdue]\ngrace_days = 5\n", encoding="utf-8")
    assert call("-c", config, "policy", "activate", file).code == 0
    config.write_text(config.read_text(encoding="utf-8") + PEOPLE, encoding="utf-8")
    return other


def test_whoever_keeps_a_policy_does_not_approve_it_alone(config: Path) -> None:
    other = _governed(config, people=1)
    kept = call("-c", config, "policy", "activate", other, "--as", "bo", "--format", "json")
    assert (kept.code, kept.json["in_force"], kept.json["version"]) == (0, False, 2)
    assert "It needs the approval of one approver: holdfast policy activate 2 --as NAME" in kept.err
    again = call("-c", config, "--lang", "zh", "policy", "activate", "2", "--as", "bo", lang="zh")
    assert "尚未生效，须由一名审批人批准" in again.err
    refused = call("-c", config, "policy", "activate", "2", "--as", "ann")
    assert (refused.code, "ann is an administrator" in refused.err) == (2, True)
    assert call("-c", config, "policy", "show").out != other.read_text(encoding="utf-8")
    done = call("-c", config, "policy", "activate", "2", "--as", "cai", "--format", "json")
    assert (done.code, done.json["in_force"]) == (0, True)
    assert call("-c", config, "policy", "show").out == other.read_text(encoding="utf-8")


def test_two_people_are_two_different_people(config: Path) -> None:
    other = _governed(config, people=2)
    first = call("-c", config, "policy", "activate", other, "--as", "bo", "--format", "json")
    assert (first.code, first.json["in_force"]) == (0, False)
    assert "two different people, each an approver" in first.err
    twice = call("-c", config, "policy", "activate", "2", "--as", "bo")
    assert (twice.code, call("-c", config, "policy", "show", "active").out) != (0, other.read_text(encoding="utf-8"))
    done = call("-c", config, "policy", "activate", "2", "--as", "cai", "--format", "json")
    assert (done.code, done.json["in_force"]) == (0, True)
    told = call("-c", config, "audit", "list", "--format", "json", "--action", "policy").json["audit"]
    assert [(one["action"], one["actor"]) for one in told[:2]] == [
        ("policy.activate", "person:cai"),
        ("policy.approve", "person:bo"),
    ]
