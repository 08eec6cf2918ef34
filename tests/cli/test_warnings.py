"""`warnings` and what `explain` says of them: who is warned of, why, since when, in both languages and every format."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from tests.cli.calling import call, shop


def day(days: int) -> str:
    # Well inside a day of the business's zone, whatever the hour of the test.
    now = dt.datetime.now(dt.timezone(dt.timedelta(hours=8)))
    return (now.date() + dt.timedelta(days=days)).isoformat()


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """C1 owes 10,000 for 40 days of 30,000, a court has listed it; C2 owes 1,000 for 20 days; C3 nothing."""
    config = shop(
        tmp_path,
        customers="id,name,currency\nC1,华东机械有限公司,CNY\nC2,=Seven,CNY\nC3,Calm,CNY",
        documents=(
            "id,customer_id,kind,issued_on,due_on,currency,amount\n"
            f"I1,C1,invoice,{day(-90)},{day(-40)},CNY,10000.00\n"
            f"I2,C1,invoice,{day(-10)},{day(20)},CNY,20000.00\n"
            f"I3,C2,invoice,{day(-40)},{day(-20)},CNY,150.00\n"
            f"I4,C2,invoice,{day(-40)},{day(20)},CNY,850.00"
        ),
        events=f"id,customer_id,on,kind,source\nE1,C1,{day(-3)},court_executed,zxgk_manual",
    )
    assert call("-c", config, "run").code == 0
    return config


def test_the_highest_first_with_what_follows(watched: Path) -> None:
    found = call("-c", watched, "warnings", "--format", "json").json["warnings"]
    assert [(w["customer_id"], w["level"], w["indicator"], w["customer_level"]) for w in found] == [
        ("C1", "red", "overdue_ratio", "red"),
        ("C1", "orange", "oldest_overdue", "red"),
        ("C1", "orange", "court", "red"),
        ("C2", "yellow", "overdue_ratio", "yellow"),
        ("C2", "yellow", "oldest_overdue", "yellow"),
    ]
    court = found[2]
    assert (court["since"], court["value"], court["why"]) == (day(0), "executed", None)
    assert court["text"]["en"] == f"courts: enforcement, on {day(-3)} (zxgk_manual)"
    assert court["text"]["zh"] == f"司法信息：被执行人，{day(-3)}（来源：zxgk_manual）"
    assert court["actions"] == ["task", "review", "freeze_increases"]


def test_one_customer_and_a_level(watched: Path) -> None:
    found = call("-c", watched, "warnings", "C1", "--level", "red", "--format", "json").json["warnings"]
    assert [w["indicator"] for w in found] == ["overdue_ratio"]
    assert call("-c", watched, "warnings", "C3", "--format", "json").json == {"warnings": []}
    nobody = call("-c", watched, "warnings", "C3")
    assert "Nobody is warned of." in nobody.out
    assert call("-c", watched, "warnings", "--level", "green").code == 2


def test_people_read_it_in_their_language(watched: Path) -> None:
    out = call("-c", watched, "warnings", lang="zh").out
    for word in ("预警", "● 红", "司法信息", "任务、复评、不得提额", "逾期金额占未清项的 33.33%（达到 30% 为红色）"):
        assert word in out
    assert "overdue" not in out


def test_a_spreadsheet_runs_nothing(watched: Path) -> None:
    rows = list(
        csv.DictReader(io.StringIO(call("-c", watched, "warnings", "C2", "--format", "csv").out.lstrip("\ufeff")))
    )
    assert len(rows) == 2
    assert {row["name"] for row in rows} == {"'=Seven"}


def test_explain_tells_every_indicator_and_what_is_not_known(watched: Path) -> None:
    out = call("-c", watched, "explain", "C1").out.splitlines()
    warned = [line.strip() for line in out if line.startswith("  ●")]
    assert warned == [
        "● 33.33% of all open items is overdue (red from 30%)",
        "● the oldest undisputed item is 40 days overdue (orange from 30)",
        f"● courts: enforcement, on {day(-3)} (zxgk_manual)",
    ]
    assert "  · promises not kept: 0" in out
    (unknown,) = [line for line in out if line.startswith("  not known: ")]
    assert "register of companies" in unknown
    assert "courts" not in unknown


def test_taking_note_of_one(watched: Path) -> None:
    done = call(
        "-c", watched, "warning", "acknowledge", "C1", "--indicator", "court", "--until", day(9), "--why", "settled"
    )
    assert (done.code, done.out) == (0, f"Taken note of, until {day(9)}: 华东机械有限公司: courts\n")
    found = call("-c", watched, "warnings", "C1", "--format", "json").json["warnings"]
    assert [w["indicator"] for w in found if w["rests"]] == ["court"]
    (noted,) = [w["acknowledged"] for w in found if w["acknowledged"]]
    assert (noted["why"], noted["until"]) == ("settled", day(9))
    awake = call("-c", watched, "warnings", "C1", "--awake", "--format", "json").json["warnings"]
    assert [w["indicator"] for w in awake] == [w["indicator"] for w in found if w["indicator"] != "court"]
    assert "settled" in call("-c", watched, "warnings", "C1").out
    assert "确认预警" in call("-c", watched, "file", "C1", lang="zh").out
    for words in (["--until", "soon"], ["--until", day(0)], ["--until", day(5), "--indicator", "slowdown"]):
        wrong = call("-c", watched, "warning", "acknowledge", "C1", "--why", "x", *words)
        assert wrong.code == 2
        assert "Traceback" not in wrong.err
