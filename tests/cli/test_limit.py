"""Limits as a credit controller meets them: the reckoning, asking, approving, the list of what waits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.cli.calling import call, shop

TODAY = dt.datetime.now(ZoneInfo("Asia/Shanghai")).date()
PEOPLE = """
[limits]
master = "here"

[[people]]
id = "li.wei"
name = "李伟"
roles = ["credit_controller"]

[[people]]
id = "wang.fang"
name = "王芳"
roles = ["approver"]

[[people]]
id = "chen.jie"
roles = ["sales"]
ids = { books = "chen" }
"""


def day(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """C1 has bought for 500 days, a million a year; C2 is new."""
    invoices = "".join(
        f"D{n},C1,invoice,INV-{n},{day(-30 * n - 1)},{day(-30 * n + 29)},CNY,100000.00,\n" for n in range(1, 17)
    )
    payments = "".join(f"P{n},C1,{day(-30 * n + 29)},CNY,100000.00\n" for n in range(1, 17))
    applied = "".join(f"P{n},D{n},100000.00,{day(-30 * n + 29)}\n" for n in range(1, 17))
    made = shop(
        tmp_path,
        customers="id,name,currency,terms,owner\nC1,华东机械有限公司,CNY,net:30,chen\nC2,=New & Sons,CNY,net:30,\n",
        documents="id,customer_id,kind,number,issued_on,due_on,currency,amount,disputed_amount\n"
        + invoices
        + f"E1,C2,invoice,INV-E1,{day(-5)},{day(25)},CNY,9000.00,\n",
        payments="id,customer_id,received_on,currency,amount\n" + payments,
        applications="from_id,to_id,amount,applied_on\n" + applied,
        limits="customer_id,kind,amount,currency\nC1,base,60000.00,CNY\n",
    )
    made.write_text(PEOPLE + made.read_text("utf-8"), "utf-8")
    return made


def test_the_reckoning_is_shown_and_kept_and_approved(config: Path) -> None:
    assert call("-c", config, "run").code == 0
    dry = call("-c", config, "limit", "propose", "C1", "--dry-run", "--format", "json").json
    assert (dry["amount"], dry["current"], dry["binding"], dry["request"]) == ("90000.00", "60000.00", "max_rise", None)
    assert [s["rule"] for s in dry["steps"]] == ["need", "multiplier", "band_cap", "no_financials", "step", "throttle"]
    shown = call("-c", config, "limit", "propose", "华东", "--as", "li.wei", lang="zh")
    assert shown.code == 0, shown.err
    assert "单次最多较现额度 CNY 60,000.00 上调 50%：CNY 90,000.00" in shown.out.replace("\n", "")
    listed = call("-c", config, "limit", "list", "--format", "json").json["requests"]
    assert [(r["number"], r["customer_id"], r["state"], r["waits_for"]) for r in listed] == [
        (1, "C1", "open", ["li.wei", "wang.fang"])
    ]
    done = call("-c", config, "limit", "approve", "1", "--as", "li.wei", "--why", "fine")
    assert done.out.startswith("Request 1 is approved and in force: a limit of CNY 90,000.00."), done.err
    now = call("-c", config, "limit", "list", "C1", "--format", "json").json
    assert (now["limit"]["amount"], now["limit"]["steps"][0][:23]) == ("90000.00", "base limit CNY 90,000.0")
    assert call("-c", config, "evaluate").code == 0
    positions = call("-c", config, "report", "positions", "--format", "json").json
    (one,) = [p for p in positions["positions"] if p["customer_id"] == "C1"]
    assert one["limit"]["amount"] == "90000.00"
    trail = call("-c", config, "audit", "list", "--action", "limit", "--format", "json").out
    assert "limit.approve" in trail
    assert "person:li.wei" in trail
    assert call("-c", config, "audit", "verify").code == 0


def test_those_who_are_due_are_proposed_for_at_once(config: Path) -> None:
    call("-c", config, "run")
    done = call("-c", config, "limit", "propose", "--as", "li.wei")
    assert (done.code, "1" in done.out) == (0, True), done.out + done.err
    (one,) = call("-c", config, "limit", "list", "--format", "json").json["requests"]
    assert (one["customer_id"], one["kind"], one["amount"]) == ("C2", "stage", "50000.00")
    assert [t["amount"] for t in one["tranches"]] == ["20000.00", "15000.00", "15000.00"]
    # A name that a spreadsheet would take for a formula.
    assert "'=New" in call("-c", config, "limit", "list", "--format", "csv").out
    again = call("-c", config, "limit", "propose", "--as", "li.wei")
    assert again.code == 0
    assert len(call("-c", config, "limit", "list", "--all", "--format", "json").json["requests"]) == 1


def test_asking_waits_for_somebody_else_and_can_be_rejected(config: Path) -> None:
    call("-c", config, "run")
    asked = call(
        "-c",
        config,
        "limit",
        "set",
        "C1",
        "250000",
        "--to",
        day(90),
        "--kind",
        "override",
        "--as",
        "chen.jie",
        "--why",
        "旺季",
    )
    assert asked.out.startswith("Request 1, a temporary limit of CNY 250,000.00, waits for one approver (王芳)."), (
        asked.err
    )
    refused = call("-c", config, "limit", "approve", "1", "--as", "chen.jie", lang="zh")
    assert (refused.code, refused.out) == (2, "")
    assert "chen.jie 是该业务的负责销售，须由他人审批。" in refused.err
    rejected = call("-c", config, "limit", "reject", "1", "--as", "li.wei", "--why", "先收款")
    assert rejected.out == "Request 1 is rejected: a temporary limit of CNY 250,000.00.\n"
    assert call("-c", config, "limit", "list", "--format", "json").json["requests"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["approve", "7"], "There is no request 7: holdfast limit list."),
        (["set", "C1", "abc"], "abc is no amount."),
        (["set", "C1", "1.005"], "1.005 has parts smaller than CNY knows."),
        (["set", "C1", "100", "--kind", "overide"], "--kind is one of: override."),
        (["set", "C1", "100", "--from", day(-1)], "A limit cannot begin in the past"),
        (["set", "C1", "100", "--kind", "seasonal", "--season", "winter"], "The condition “winter” cannot be read."),
        (["propose", "--dry-run"], "--amount and --dry-run go with one customer."),
        (["set", "C9", "100"], "There is no customer “C9”."),
    ],
)
def test_mistakes_say_what_to_do(config: Path, arguments: list[str], said: str) -> None:
    call("-c", config, "run")
    done = call("-c", config, "limit", *arguments, "--as", "li.wei")
    assert done.code == 2
    assert said in done.err


def test_alone_at_the_machine_setting_is_approving(config: Path) -> None:
    text = config.read_text("utf-8")
    config.write_text('[limits]\nmaster = "here"\n' + text[text.index("[business]") :], "utf-8")
    call("-c", config, "run")
    done = call("-c", config, "limit", "set", "C2", "unlimited", "--as", "anna", "--why", "parent company")
    assert done.out == "Request 1 is approved and in force: unlimited credit.\n", done.err
    assert "Note: nobody is entered in config.toml or the database: anna acts with every role." in done.err
    assert call("-c", config, "limit", "list", "C2", "--format", "json").json["limit"]["kind"] == "unlimited"
