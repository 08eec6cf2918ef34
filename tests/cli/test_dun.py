"""Dunning as a collector meets it: dry run, run, letters, charges, contacts with proof, the work list."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connector.credit.terms import months_later
from tests.cli.calling import call, shop

TODAY = dt.datetime.now(ZoneInfo("Asia/Shanghai")).date()


def day(days: int) -> str:
    """So many days from today."""
    return (TODAY + dt.timedelta(days=days)).isoformat()


POLICY = """
[dunning.interest]
on = true
from_level = 1

[[dunning.step]]
level = 1
days = 3
channel = "letter"
fee = 20

[[dunning.step]]
level = 2
days = 30
channel = "final_demand"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """C1 owes 10,000 for 10 days and 4,000 in dispute, C2 5,000 promised, C3 300,000 that is due."""
    made = shop(
        tmp_path,
        customers="""
            id,name,currency,phone,owner
            C1,华东机械有限公司,CNY,021-5555,wang
            C2,Seven & Sons,CNY,,li
            C3,=Gross AG,CNY,,wang
            """,
        documents=f"""
            id,customer_id,kind,number,issued_on,due_on,currency,amount,disputed_amount
            D1,C1,invoice,INV-1,{day(-40)},{day(-10)},CNY,10000.00,
            D2,C1,invoice,INV-2,{day(-40)},{day(-10)},CNY,4000.00,4000.00
            D3,C2,invoice,INV-3,{day(-40)},{day(-20)},CNY,5000.00,
            D4,C3,invoice,INV-4,{day(-40)},{day(-2)},CNY,300000.00,
            """,
        payments="id,customer_id,received_on,currency,amount",
        applications="from_id,to_id,amount,applied_on",
        promises=f"""
            id,customer_id,document_id,made_on,due_on,amount,currency
            W1,C2,D3,{day(-3)},{day(4)},5000.00,CNY
            W2,C1,D1,{day(-9)},{day(-5)},1000.00,CNY
            """,
    )
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    text = made.read_text("utf-8")
    made.write_text('policy = "policy.toml"\n' + text, encoding="utf-8")
    assert call("-c", made, "pull").code == 0
    return made


def test_a_dry_run_says_who_and_who_not_and_why_and_does_nothing(config: Path) -> None:
    for _ in range(2):
        done = call("-c", config, "dun", "--dry-run", "--format", "json")
        assert (done.code, done.err) == (0, "")
        first, second = done.json["customers"]
        assert (first["customer_id"], first["letter"]) == ("C1", {"level": 1, "channel": "letter"})
        assert [(s["document_id"], s["level"], s["channel"]) for s in first["steps"]] == [("D1", 1, "letter")]
        assert [(s["document_id"], s["code"]) for s in first["skipped"]] == [("D2", "disputed")]
        assert second["skipped"][0]["why"] == (f"CNY 5,000.00 is promised for {day(4)}; dunning waits until {day(7)}")
    chinese = call("-c", config, "dun", "C2", "--dry-run", lang="zh").out
    assert f"{TODAY} 催收" in chinese
    assert f"客户承诺 {day(4)} 付款 CNY 5,000.00，催收暂停至 {day(7)}" in chinese
    assert "C1" not in chinese


def test_a_run_writes_letters_and_charges_once(config: Path) -> None:
    done = call("-c", config, "dun")
    assert done.code == 0
    assert "letters 1, steps 1, left alone 2, customers dunned 1, charges 2" in done.out
    again = call("-c", config, "dun")
    assert "letters" not in again.out
    (letter,) = call("-c", config, "letter", "list", "--format", "json").json["letters"]
    assert letter["title"] == {"en": "Demand for payment (level 1)", "zh": "催款函（第 1 级）"}
    # Ten days at 0.05 % of 10,000, and the fee.
    assert letter["totals"] == [
        {"currency": "CNY", "overdue": "14000.00", "disputed": "4000.00", "promised": "0.00", "demanded": "10000.00",
         "interest": "50.00", "fees": "20.00", "total": "10070.00"}
    ]  # fmt: skip
    shown = call("-c", config, "letter", "show", letter["no"], lang="zh").out
    assert "华东机械有限公司 (C1)" in shown
    assert f"经核对，截至 {TODAY}，华东机械有限公司尚有下列款项逾期未付，现请予以结清。" in shown
    assert "存在争议，本函暂不催收" in shown
    assert "10,070.00" in shown
    assert call("-c", config, "letter", "show", 99).code == 2


def test_charges_are_settled_by_a_person_with_a_reason(config: Path) -> None:
    call("-c", config, "dun")
    listed = call("-c", config, "charge", "list", "C1", "--format", "json").json["charges"]
    assert [(c["kind"], c["document_id"], c["amount"]) for c in listed] == [
        ("interest", "D1", "50.00"),
        ("fee", None, "20.00"),
    ]
    done = call("-c", config, "charge", "settle", "C1", "--kind", "fee", "--why", "goodwill", "--as", "li.wei")
    assert done.out == "Settled: dunning fee, CNY 20.00.\n"
    again = call("-c", config, "charge", "settle", "C1", "--kind", "fee", "--why", "goodwill", "--as", "li.wei")
    assert again.code == 2
    assert again.err.endswith("Error: Nothing of that kind is claimed: holdfast charge list C1\n")
    assert [c["kind"] for c in call("-c", config, "charge", "list", "--format", "json").json["charges"]] == ["interest"]
    trail = call("-c", config, "audit", "list", "--action", "charge", "--format", "json").out
    assert "person:li.wei" in trail
    assert "goodwill" in trail


def test_who_sells_settles_no_charges(config: Path) -> None:
    call("-c", config, "dun")
    text = config.read_text("utf-8")
    config.write_text(text + '\n[[people]]\nid = "wang"\nname = "王芳"\nroles = ["sales"]\n', "utf-8")
    options = ("charge", "settle", "C1", "--kind", "fee", "--why", "goodwill", "--as", "wang")
    done = call("-c", config, *options)
    assert (done.code, done.err) == (
        2, "Error: 王芳 may not settle charges: that is for approver, credit controller.\n"
    )  # fmt: skip
    assert call("-c", config, *options, lang="zh").err == "错误：王芳无权结清费用：须由审批人、信用专员办理。\n"
    assert call("-c", config, "contact", "add", "C1", "--note", "called", "--as", "wang").code == 0


def test_a_promise_by_telephone_and_proof_of_delivery(config: Path, tmp_path: Path) -> None:
    call("-c", config, "dun")
    done = call("-c", config, "contact", "add", "C3", "--promise-on", day(5), "--amount", "300000", "--as", "li.wei",
                "--note", "月底付清")  # fmt: skip
    assert (done.code, done.out) == (0, "Written down as no. 1.\n")
    proof = tmp_path / "ems.pdf"
    proof.write_bytes(b"%PDF signed")
    done = call("-c", config, "contact", "add", "C1", "--letter", 1, "--proof", proof, "--as", "li.wei", lang="zh")
    assert (done.code, done.out) == (0, "已记录，编号 2。\n")
    delivered, promised = call("-c", config, "contact", "list", "--format", "json").json["contacts"]
    assert (promised["kind"], promised["result"], promised["amount"]) == ("phone", "promised", "300000.00")
    assert (delivered["kind"], delivered["letter"]) == ("delivery", 1)
    assert delivered["sha256"] == hashlib.sha256(b"%PDF signed").hexdigest()
    table = call("-c", config, "contact", "list", "C3", lang="zh").out
    assert "承诺付款" in table
    assert "月底付清" in table
    assert "C1" not in table
    (items,) = [
        c["items"] for c in call("-c", config, "report", "overdue", "--format", "json").json["customers"]
        if c["customer_id"] == "C1"
    ]  # fmt: skip
    ends = {item["document_id"]: item["limitation_on"] for item in items}
    assert ends["D1"] == ends["D2"] == months_later(TODAY, 36).isoformat()


@pytest.mark.parametrize(
    ("options", "en", "zh"),
    [
        (["--kind", "fax"], "--kind fax: one of phone, email, visit, delivery", "--kind fax：可选 phone"),
        (["--result", "promise"], "Near: promised.", "相近：promised。"),
        (["--promise-on", day(5)], "A promise has a day and an amount", "付款承诺须有日期和金额"),
        (["--promise-on", day(-1), "--amount", "5"], "before the day of the contact", "早于联系日期"),
        (["--promise-on", day(1), "--amount", "5.001"], "--amount: a plain number above zero", "大于零的数字"),
        (["--promise-on", day(1), "--amount", "-5"], "--amount: a plain number above zero", "大于零的数字"),
        (["--on", day(1)], "that day is still to come", "该日期尚未到来"),
        (["--letter", "77"], "Letter 77 was not written to 华东机械有限公司", "第 77 号函件并非发给"),
        (["--kind", "delivery"], "Say what was delivered", "请说明送达的内容"),
        (["--document", "D4"], "has no document D4", "没有单据 D4"),
        (["--document", "D1", "--proof", "/nowhere/x.pdf"], "cannot be read: No such file", "无法读取"),
        (["--kind", "phone", "--letter", "1"], "are of kind delivery", "仅用于 delivery"),
    ],
)
def test_what_cannot_be_written_down_is_refused_with_its_remedy(
    config: Path, options: list[str], en: str, zh: str
) -> None:
    done = call("-c", config, "contact", "add", "C1", "--as", "li.wei", *options)
    assert done.code == 2
    assert en in done.err
    assert zh in call("-c", config, "contact", "add", "C1", "--as", "li.wei", *options, lang="zh").err
    assert call("-c", config, "contact", "list", "--format", "json").json == {"contacts": []}


def test_the_work_list_begins_where_it_is_worth_most(config: Path) -> None:
    rows = call("-c", config, "report", "overdue", "--format", "json").json["customers"]
    # 300,000 × (1 + 2/30); 10,000 × (1 + 10/30) × 2 for a broken promise; nothing of a promised 5,000.
    assert [(r["customer_id"], r["worth"], r["broken_promises"]) for r in rows] == [
        ("C3", "320000.00", 0),
        ("C1", "26666.67", 1),
        ("C2", "0.00", 0),
    ]
    assert rows[1]["due_now"] == "10000.00"
    assert rows[1]["disputed"] == "4000.00"
    assert (rows[0]["next_step_on"], rows[0]["next_step"]) == (day(1), "letter")
    assert rows[2]["promise_on"] == day(4)
    assert rows[0]["items"][0]["limitation_on"] == months_later(TODAY - dt.timedelta(days=2), 36).isoformat()
    mine = call("-c", config, "report", "overdue", "--owner", "li", "--format", "json").json["customers"]
    assert [r["customer_id"] for r in mine] == ["C2"]
    csv = call("-c", config, "report", "overdue", "--format", "csv").out
    assert "'=Gross AG" in csv
    chinese = call("-c", config, "report", "overdue", lang="zh").out
    assert "逾期催收清单" in chinese
    assert "320,000" not in chinese, "the worth ranks; it is no money"


def test_nothing_is_done_where_the_policy_says_so(config: Path) -> None:
    policy = config.parent / "policy.toml"
    policy.write_text(POLICY.replace("[dunning.interest]", "[dunning]\non = false\n[dunning.interest]"), "utf-8")
    assert "No step is due today." in call("-c", config, "dun", "--dry-run").out
    assert call("-c", config, "letter", "list", "--format", "json").json == {"letters": []}
