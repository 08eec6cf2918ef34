"""`holdfast order`: what a credit controller types, sees and gets back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.cli.calling import call, shop

TODAY = dt.datetime.now(dt.UTC).date()
PEOPLE = """
[[people]]
id = "wang.fang"
name = "Wang Fang"
roles = ["credit_controller"]

[[people]]
id = "li.wei"
name = "Li Wei"
roles = ["approver"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """C1 may owe 50,000 and has two orders of 30,000; one fits."""
    soon = TODAY + dt.timedelta(days=10)
    made = shop(
        tmp_path / "shop",
        PEOPLE,
        customers="id,name,currency\nC1,=Phoenix Ltd,CNY",
        limits="customer_id,kind,amount,currency\nC1,base,50000,CNY",
        orders=f"""
        id,customer_id,number,ordered_on,ship_on,currency,amount,status
        S1,C1,SO-1,{TODAY},{soon},CNY,30000,open
        S2,C1,SO-2,{TODAY},{soon},CNY,30000,open
        """,
    )
    assert call("-c", made, "run").code == 0
    return made


def test_the_list_and_why(config: Path) -> None:
    answer = call("-c", config, "order", "list", "--format", "json").json
    (held,) = answer["orders"]
    assert (held["number"], held["total"], held["state"], held["hold"]) == ("SO-2", "30000.00", "held", True)
    assert held["reasons"][0]["numbers"]["over_by"] == "10000.00"
    everything = call("-c", config, "order", "list", "--all", "--format", "json").json
    assert [(o["number"], o["state"]) for o in everything["orders"]] == [("SO-1", "passed"), ("SO-2", "held")]
    table = call("-c", config, "order", "list", "--format", "csv").out
    assert "'=Phoenix Ltd" in table, "no formula for a spreadsheet"
    chinese = call("-c", config, "order", "list", lang="zh").out
    assert "含本单信用占用 CNY 60,000.00，超过信用额度 CNY 50,000.00" in chinese


def test_explained_with_the_ways_out_and_who_may(config: Path) -> None:
    shown = call("-c", config, "order", "explain", "SO-2").out
    assert "only a part of the order is confirmed, up to CNY 20,000.00" in shown
    assert "a temporary limit or a guarantee covers CNY 10,000.00 more" in shown
    assert "A release needs one approver. Who may now: Li Wei" in shown
    answer = call("-c", config, "order", "explain", "books/S2", "--format", "json").json
    assert [way["kind"] for way in answer["remedies"]] == ["ship_part", "more_limit"]
    assert answer["who_may_release"] == ["li.wei"]


def test_a_release_by_who_may(config: Path) -> None:
    asked = ("-c", config, "order")
    refused = call(*asked, "release", "SO-2", "--as", "wang.fang", "--why", "paid on Monday")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Error: This needs one approver; Wang Fang is a credit controller.\n"
    assert call(*asked, "check", "SO-2", "--as", "wang.fang").code == 1
    requested = call(*asked, "request", "SO-2", "--as", "wang.fang", "--why", "paid on Monday")
    assert requested.out == "Requested. Who may release it now: Li Wei\n"
    given = call(*asked, "release", "SO-2", "--as", "li.wei", "--why", "paid on Monday", "--up-to", "30,500", lang="zh")
    assert given.code == 0, given
    assert given.out.startswith("已放行\nLi Wei 于 ")
    assert "上限 CNY 30,500" in given.out
    checked = call(*asked, "check", "SO-2", "--point", "delivery", "--as", "wang.fang", "--format", "json")
    assert (checked.code, checked.json["may_go_on"], checked.json["state"]) == (0, True, "released")
    assert [line["what"] for line in checked.json["history"]] == ["held", "requested", "released"]


def test_held_by_hand_and_lifted(config: Path) -> None:
    asked = ("-c", config, "order")
    assert call(*asked, "hold", "SO-1", "--as", "wang.fang", "--why", "unsigned").out == "held\n"
    assert "held by hand: unsigned" in call(*asked, "explain", "SO-1").out
    # The other one has the room now.
    states = {o["number"]: o["state"] for o in call(*asked, "list", "--all", "--format", "json").json["orders"]}
    assert states == {"SO-1": "held", "SO-2": "passed"}
    assert call(*asked, "hold", "SO-1", "--lift", "--as", "wang.fang", "--why", "signed").out == "held\n"


def test_an_exclusion_from_the_command_line(config: Path) -> None:
    asked = ("-c", config, "order")
    wrong = call(*asked, "exclude", "--customer", "C1", "--rule", "limit", "--why", "x", "--as", "li.wei")
    assert wrong.code == 2
    assert "There is no rule “limit”. One of: documents, dunning_level," in wrong.err
    done = call(*asked, "exclude", "--customer", "C1", "--rule", "limit_exceeded", "--why", "fair", "--as", "li.wei")
    assert done.out == "Exclusion 1 is in force.\n"
    assert "No order is held." in call(*asked, "list").out
    (shown,) = call(*asked, "exclusions", "--format", "json").json["exclusions"]
    assert (shown["subject"], shown["rules"], shown["by"]) == ("books/C1", "limit_exceeded", "li.wei")
    assert call(*asked, "exclusions", "--end", "1", "--why", "over", "--as", "li.wei").code == 0
    answer = call(*asked, "list", "--format", "json").json
    assert [o["number"] for o in answer["orders"]] == ["SO-2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "SO-9"], "There is no order “SO-9”."),
        (["check", "SO-1", "--point", "now", "--as", "li.wei"], "There is no check point “now”."),
        (["release", "SO-1", "--why", "x", "--as", "li.wei"], "Order books/S1 is not held."),
        (["release", "SO-2", "--why", " ", "--as", "li.wei"], "Say why: it goes into the audit trail."),
        (["release", "SO-2", "--why", "x", "--up-to", "much", "--as", "li.wei"], "--up-to: “much” is no amount."),
    ],
)
def test_what_cannot_be_done_is_told(config: Path, arguments: list[str], message: str) -> None:
    told = call("-c", config, "order", *arguments)
    assert told.code == 2
    assert message in told.err


def test_the_list_of_what_waits(config: Path) -> None:
    asked = ("-c", config, "order")
    assert call(*asked, "request", "SO-2", "--as", "wang.fang", "--why", "paid on Monday").code == 0
    answer = call(*asked, "list", "--waiting", "--as", "li.wei", "--format", "json").json
    (one,) = answer["orders"]
    assert (answer["count"], one["number"], one["state"], one["value"]) == (1, "SO-2", "requested", "30000.00")
    assert (one["may_decide"], one["who_may_release"], one["requests"][0]["by"]) == (
        True,
        ["li.wei"],
        "person:wang.fang",
    )
    mine = call(*asked, "list", "--waiting", "--as", "wang.fang", "--format", "json").json["orders"]
    assert [o["may_decide"] for o in mine] == [False]
    chinese = call(*asked, "list", "--waiting", "--format", "csv", lang="zh").out
    assert "仅确认部分订单，金额不超过 CNY 20,000.00" in chinese
    assert call(*asked, "list", "--waiting", "--all").code == 2


def test_mails_that_wait_and_what_is_done_about_them(config: Path) -> None:
    assert call("-c", config, "notice", "list", "--format", "json").json == {"mails": []}
    shown = call("-c", config, "notice", "list", lang="zh").out
    assert "未启用邮件：[mail] 中没有填写 host。" in shown
    for act in ("resend", "drop"):
        missing = call("-c", config, "notice", act, "7", "--as", "li.wei")
        assert missing.code == 2
        assert "There is no mail 7 of which that can be said: holdfast notice list." in missing.err
