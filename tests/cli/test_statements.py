"""`import statements` and `statements`: a credit controller brings a customer's accounts, is asked, confirms, looks back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.calling import Called, call, shop

BALANCE: list[list[object]] = [
    ["资产负债表"],
    ["编制单位：示例机电设备有限公司", None, "2025年12月31日", None, "单位：万元", "币种：人民币"],
    ["资产", "期末余额", "上年年末余额", "负债和所有者权益（或股东权益）", "期末余额", "上年年末余额"],
    ["货币资金", 120, 90, "短期借款", 50, 50],
    ["应收账款", "250.00", "230.00", "应付账款", "130", 110],
    ["存货", 430, 420, "流动负债合计", 500, 460],
    ["流动资产合计", 800, 740, "负债合计", 1200, 1160],
    ["应收货款", 5, 4, "所有者权益合计", 800, 810],
    ["资产总计", 2000, 1970, "负债和所有者权益总计", 2000, 1970],
]
PROFIT: list[list[object]] = [
    ["利润表"],
    ["编制单位：示例机电设备有限公司", "2025年度", "单位：万元"],
    ["项目", "本期金额", "上期金额"],
    ["一、营业收入", 2600, 2400],
    ["减：营业成本", 2100, 1980],
    ["四、净利润（净亏损以“-”号填列）", 105, 108],
]


@pytest.fixture
def books(tmp_path: Path) -> Path:
    config = shop(
        tmp_path,
        customers="id,name,currency\nC001,示例机电设备有限公司,CNY\nC002,Other Ltd,CNY\n",
        documents="id,customer_id,kind,issued_on,due_on,currency,amount\nD1,C001,invoice,2025-06-01,2025-07-01,CNY,30000000.00\n",
    )
    done = call("-c", config, "run")
    assert (done.code, done.err) == (0, ""), done
    return config


def workbook(folder: Path, name: str = "报表.xlsx", change: dict[str, object] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for title, rows in (("资产负债表", BALANCE), ("利润表", PROFIT)):
        page = book.create_sheet(title)
        for row in rows:
            page.append([(change or {}).get(str(c), c) if c is not None else None for c in row])
    book.save(folder / name)
    return folder / name


def bring(books: Path, file: Path, *more: object, lang: str = "en", form: str = "json") -> Called:
    return call(
        "-c",
        books,
        "import",
        "statements",
        file,
        "--customer",
        "C001",
        "--as",
        "li.wei",
        "--format",
        form,
        *more,
        lang=lang,
    )


def only(done: Called) -> dict[str, Any]:
    [one] = done.json["statements"]
    return one  # type: ignore[no-any-return]


def test_a_clean_statement_is_confirmed_at_once_with_every_cell(books: Path, tmp_path: Path) -> None:
    done = bring(books, workbook(tmp_path), "--audited")
    assert (done.code, done.err) == (0, "")
    one = only(done)
    assert {k: one[k] for k in ("number", "state", "period_end_on", "months", "currency", "unit", "basis")} == {
        "number": 1, "state": "confirmed", "period_end_on": "2025-12-31", "months": 12, "currency": "CNY",
        "unit": 10000, "basis": None,
    }  # fmt: skip
    by_item = {i["item"]: i for i in one["items"]}
    assert by_item["receivables"] == {
        "item": "receivables", "amount": "2500000.00", "opening": "2300000.00", "label": "应收账款",
        "cell": "资产负债表!B5", "raw": "250.00",
    }  # fmt: skip
    assert one["unknown"] == [{"label": "应收货款", "raw": "5", "cell": "资产负债表!A8"}]
    # We invoiced 30,000,000 to it: more than its cost of 21,000,000.
    assert [f["code"] for f in one["findings"]] == ["unit_plausible"]


def test_what_does_not_balance_is_a_draft_until_somebody_confirms_it(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path, change={"1200": 1100})
    done = bring(books, file, form="table", lang="zh")
    assert done.code == 2
    assert "已存为草稿，编号 1；说明理由确认后才用于信用判断。" in done.out
    assert (
        "✗ 资产负债表不平：资产总计 20,000,000 ≠ 负债合计 11,000,000 + 所有者权益合计 8,000,000，相差 1,000,000。"
        in done.out
    )
    assert "资产负债表!B9, 资产负债表!E7, 资产负债表!E8" in done.out
    assert "? 资产负债表!A8“应收货款”5：对应哪个项目？" in done.out
    again = bring(books, file)
    assert (again.code, only(again)["number"], only(again)["new"]) == (2, 1, False)
    without = call("-c", books, "statements", "C001", "--confirm", "1")
    assert (without.code, "Say why: --because REASON." in without.err) == (2, True)
    confirmed = call(
        "-c", books, "statements", "C001", "--confirm", "1", "--because", "liabilities checked by phone", "--as", "wang",
        "--format", "json",
    )  # fmt: skip
    assert confirmed.code == 0, confirmed
    one = only(confirmed)
    assert (one["state"], one["entered_by"], one["confirmed_by"], one["reason"]) == (
        "confirmed", "person:li.wei", "person:wang", "liabilities checked by phone",
    )  # fmt: skip
    trail = call("-c", books, "audit", "list", "--subject", "customer:books/C001", "--format", "json").out
    assert "statement.import" in trail
    assert "statement.confirm" in trail


def test_a_reason_at_the_import_confirms_the_draft(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path, change={"1200": 1100})
    assert bring(books, file).code == 2
    done = bring(books, file, "--yes-because", "typed wrong by them, told us")
    assert (done.code, only(done)["state"], only(done)["number"]) == (0, "confirmed", 1)


def test_a_sheet_of_another_company_counts_only_with_a_reason(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path, change={"编制单位：示例机电设备有限公司": "编制单位：示例机电科技有限公司"})
    done = bring(books, file, form="table", lang="zh")
    assert done.code == 2
    assert "报表编制单位为“示例机电科技有限公司”，客户名称为“示例机电设备有限公司”。" in done.out
    assert "已存为草稿" in done.out
    said = bring(books, file, "--yes-because", "renamed in March")
    assert (said.code, only(said)["state"]) == (0, "confirmed")
    assert [f["level"] for f in only(said)["findings"] if f["code"] == "other_name"] == ["refuse"]


def test_a_name_without_its_legal_form_is_the_same_company(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path, change={"编制单位：示例机电设备有限公司": "编制单位：示例机电设备"})
    done = bring(books, file)
    assert (done.code, only(done)["state"]) == (0, "confirmed")


@pytest.mark.parametrize(("answer", "state"), [("改名前的报表", "confirmed"), ("", "draft")])
def test_at_a_terminal_why_another_company_is_asked(
    books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, state: str
) -> None:
    monkeypatch.setattr("connector.cli.statements.watched", lambda: True)
    change: dict[str, object] = {"编制单位：示例机电设备有限公司": "编制单位：示例机电科技有限公司"}
    arguments = ("import", "statements", workbook(tmp_path, change=change), "--customer", "C001", "--as", "li.wei")
    done = call("-c", books, *arguments, given=f"{answer}\n", lang="zh")
    assert "仍属于该客户的理由：" in done.out
    [one] = call("-c", books, "statements", "C001", "--format", "json").json["statements"]
    assert (one["state"], one["reason"] or "") == (state, answer)


def test_a_reason_for_the_name_confirms_nothing_else(
    books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.cli.statements.watched", lambda: True)
    change: dict[str, object] = {"编制单位：示例机电设备有限公司": "编制单位：别家有限公司", "1200": 1100}
    arguments = ("import", "statements", workbook(tmp_path, change=change), "--customer", "C001", "--as", "li.wei")
    assert call("-c", books, *arguments, given="it is theirs\n").code == 2
    [one] = call("-c", books, "statements", "C001", "--format", "json").json["statements"]
    assert one["state"] == "draft"


def test_a_unit_that_nobody_said_is_asked_for(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path, change={"单位：万元": None})
    done = bring(books, file, form="table")
    assert done.code == 2
    assert "The unit is not printed on 资产负债表, 利润表. Say it: --unit" in done.out
    refused = bring(books, file, "--yes-because", "never mind")
    assert (refused.code, "--unit" in refused.err) == (2, True)
    said = bring(books, file, "--unit", "万元")
    assert (said.code, only(said)["unit"]) == (0, 10_000)
    listed = call("-c", books, "statements", "C001", "--format", "json").json["statements"]
    assert [(s["version"], s["state"], s["unit"]) for s in listed] == [(2, "confirmed", 10_000), (1, "draft", None)]


def test_an_answer_to_which_item_is_this_is_kept_for_the_system(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path, change={"应收账款": "往来款项"})
    assert [u["label"] for u in only(bring(books, file))["unknown"]] == ["往来款项", "应收货款"]
    told = bring(books, file, "--label", "往来款项=receivables")
    assert "receivables" in {i["item"] for i in only(told)["items"]}
    other = workbook(tmp_path, "next.xlsx", {"应收账款": "往来 款项", "2600": 2700})
    assert "receivables" in {i["item"] for i in only(bring(books, other))["items"]}
    wrong = bring(books, file, "--label", "往来款项=receivable")
    assert (wrong.code, "receivables" in wrong.err) == (2, True)


def test_the_same_file_twice_is_one_statement(books: Path, tmp_path: Path) -> None:
    file = workbook(tmp_path)
    bring(books, file)
    again = bring(books, file, form="table")
    assert (again.code, "on file already as no. 1" in again.out) == (0, True)
    assert len(call("-c", books, "statements", "C001", "--format", "json").json["statements"]) == 1


def test_a_restated_opening_and_a_wrong_unit_are_found_against_the_file(books: Path, tmp_path: Path) -> None:
    first = workbook(tmp_path, "2024.xlsx", {"2025年12月31日": "2024年12月31日", "2025年度": "2024年度"})
    assert bring(books, first).code == 0
    second = workbook(tmp_path, "2025.xlsx", {"单位：万元": "单位：元"})
    done = only(bring(books, second))
    assert {(f["code"], f["level"]) for f in done["findings"]} >= {
        ("opening_vs_prior", "warn"),
        ("unit_jump", "refuse"),
    }
    # Its own opening column agrees with it: only the statement on file shows that 元 should be 万元.
    assert done["state"] == "draft"


def test_shown_again_with_its_proof_and_refused(books: Path, tmp_path: Path) -> None:
    bring(books, workbook(tmp_path))
    shown = call("-c", books, "statements", "C001", "--show", "1", lang="zh")
    assert shown.code == 0
    assert "利润表!B4" in shown.out
    assert "文件 SHA-256：" in shown.out
    refused = call(
        "-c", books, "statements", "C001", "--refuse", "1", "--because", "other year", "--as", "wang", lang="zh"
    )
    assert (refused.code, "已拒绝" in refused.out) == (0, True)
    other = call("-c", books, "statements", "C002", "--show", "1")
    assert (other.code, "books/C002 has no statement no. 1." in other.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "english", "chinese"),
    [
        (["--unit", "7"], "--unit 7: 1, 1000, 10000 or 1000000.", "--unit 7：可选"),
        (["--currency", "yuan"], "--currency: three capital letters", "--currency：三个大写字母"),
        (["--opinion", "fine"], "--opinion fine: one of unqualified", "--opinion fine：可选 unqualified"),
        (["--basis", "gaap"], "--basis gaap: one of cas", "--basis gaap：可选 cas"),
    ],
)
def test_an_option_that_cannot_be_meant(
    books: Path, tmp_path: Path, options: list[str], english: str, chinese: str
) -> None:
    file = workbook(tmp_path)
    for lang, words in (("en", english), ("zh", chinese)):
        done = bring(books, file, *options, lang=lang)
        assert (done.code, words in done.err) == (2, True), done


def test_a_file_without_a_statement_names_its_sheets(books: Path, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Notes"  # type: ignore[union-attr]
    book.save(tmp_path / "x.xlsx")
    done = bring(books, tmp_path / "x.xlsx", lang="zh")
    assert (done.code, "x.xlsx 中没有找到财务报表：各工作表（Notes）" in done.err) == (2, True)
    missing = bring(books, tmp_path / "nowhere.xlsx")
    assert (missing.code, "cannot be read" in missing.err) == (2, True)


def test_a_person_at_a_terminal_is_asked(books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.cli.statements.watched", lambda: True)
    file = workbook(tmp_path, change={"单位：万元": None, "币种：人民币": None})
    done = call(
        "-c", books, "import", "statements", file, "--customer", "C001", "--as", "li.wei", given="万元\n\n", lang="zh"
    )  # fmt: skip
    assert "金额单位：元、千元、万元、百万元：" in done.out
    assert "币种 [CNY]：" in done.out
    assert (done.code, "2025-12-31，12 个月，CNY，单位 10,000" in done.out) == (0, True)


def test_the_list_says_which_one_is_used_today(books: Path, tmp_path: Path) -> None:
    bring(books, workbook(tmp_path, "2024.xlsx", {"2025年12月31日": "2024年12月31日", "2025年度": "2024年度"}))
    assert call("-c", books, "statements", "C001", "--format", "json").json["used"] == 1
    bring(books, workbook(tmp_path))
    bring(books, workbook(tmp_path, "draft.xlsx", {"1200": 1100}))
    done = call("-c", books, "statements", "C001", "--format", "json").json
    assert done["used"] == 2
    assert [(s["number"], s["state"]) for s in done["statements"]] == [(3, "draft"), (2, "confirmed"), (1, "confirmed")]
    assert call("-c", books, "statements", "C002", "--format", "json").json == {
        "customer": "books/C002", "used": None, "statements": [],
    }  # fmt: skip
