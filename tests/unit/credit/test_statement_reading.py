"""Reading sheets as accountants keep them. Each sheet stands in its test: cells between bars, one row a line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from connector.credit.statement_join import Brought, Given, join
from connector.credit.statement_read import SheetRead, read_sheet
from connector.credit.statement_sheet import Cell, Sheet

Amounts = dict[str, tuple[str | None, str | None]]


def sheet(text: str, name: str = "Sheet1") -> Sheet:
    def cell(words: str) -> Cell:
        return words.strip() or None

    return Sheet(name, [[cell(c) for c in line.split("|")] for line in text.strip("\n").splitlines()])


def read(text: str, name: str = "Sheet1", wanted: bool | None = None) -> SheetRead:
    return read_sheet(sheet(text, name), None, wanted)


def one(*texts: str, given: Given | None = None) -> Brought:
    [found] = join([read(t, f"S{at}") for at, t in enumerate(texts, 1)], given or Given())
    return found


def amounts(found: Brought) -> Amounts:
    return {
        name: (None if a is None else f"{a:f}", None if b is None else f"{b:f}")
        for name, (a, b) in found.items().items()
    }


def codes(found: Brought) -> list[tuple[str, str]]:
    return [(f.code, f.level) for f in found.findings]


SMALL_BALANCE = """
资 产 负 债 表
| | | | | | | 会小企01表
编制单位：某某商贸有限公司 | | | 2025年9月30日 | | | | 单位：元 币种：人民币
资  产 | 行次 | 期末余额 | 年初余额 | 负债和所有者权益 | 行次 | 期末余额 | 年初余额
流动资产： | | | | 流动负债： | | |
  货币资金 | 1 | 100.50 | 90 | 短期借款 | 31 | 0.00 |
  短期投资 | 2 | | | 应付票据 | 32 | | -
  存货 | 9 | 200 | 210 | 应付账款 | 33 | 50 | 40
其中：原材料 | 10 | 20 | | 应付利润 | 38 | 1 | 1
流动资产合计 | 15 | 300.50 | 300 | 流动负债合计 | 41 | 51 | 41
"""
SMALL_PROFIT = """
利润表 | 会小企02表
编制单位：某某商贸有限公司 | 2025年9月 | | 单位：元
项目 | 行次 | 本年累计金额 | 本月金额
一、营业收入 | 1 | 900 | 100
减：营业成本 | 2 | 800 | 90
"""


def test_a_small_enterprise_month_is_read_cumulatively() -> None:
    """小企业会计准则: 行次 beside each block, the month's own column never taken, nine months since January."""
    found = one(SMALL_BALANCE, SMALL_PROFIT)
    assert (found.period_end_on, found.months) == (dt.date(2025, 9, 30), 9)
    assert (found.currency, found.unit, found.basis, found.company) == ("CNY", 1, "small", "某某商贸有限公司")
    got = amounts(found)
    assert got["cash"] == ("100.50", "90")
    assert got["short_term_loans"] == ("0.00", None)
    assert got["revenue"] == ("900", None)
    assert "trading_assets" not in got
    assert found.unknown == ()


def test_blank_lines_that_a_total_proves_are_only_proposed_as_zero() -> None:
    found = one(SMALL_BALANCE)
    assert ("zero_proposed", "info") in codes(found)
    assert "trading_assets" not in amounts(found)
    accepted = one(SMALL_BALANCE, given=Given(zeros=True))
    assert amounts(accepted)["trading_assets"] == ("0", "0")
    assert amounts(accepted)["notes_payable"] == ("0", "0")
    assert all(line.computed for line in accepted.lines if line.item == "trading_assets")


def test_a_blank_line_where_the_total_does_not_close_stays_unknown() -> None:
    open_total = SMALL_BALANCE.replace("流动资产合计 | 15 | 300.50 | 300", "流动资产合计 | 15 | 310.50 | 310")
    found = one(open_total, given=Given(zeros=True))
    assert "trading_assets" not in amounts(found)


def test_old_forms_have_the_year_in_the_second_column() -> None:
    found = one(
        """
        利 润 表
        编制单位： | 某厂 | 2006年12月 | 单位：元
        项    目 | 行次 | 本月数 | 本年累计数
        一、主营业务收入 | 1 | 10,000.00 | 120,000.00
        减：主营业务成本 | 4 | 8,000.00 | 90,000.00
        加：其他业务利润（亏损以“-”号填列） | 11 | 5 | 60
        营业费用 | 14 | 5 | 60
        五、净利润（净亏损以“－”号填列） | 30 | －5 | （60）
        """.replace("        ", "")
    )
    assert amounts(found) == {
        "revenue": ("120000.00", None),
        "cost": ("90000.00", None),
        "selling_expenses": ("60", None),
        "net_profit": ("-60", None),
    }
    assert found.months == 12
    assert ("revenue_main_only", "flag") in codes(found)


GROUP = """
合并资产负债表
2025年12月31日 | 单位:元  币种:人民币
项目 | 附注 | 2025年12月31日 | 2024年12月31日
货币资金 | 七、1 | 1,000.00 | 900.00
资产总计 | | 5,000 | 4,000
"""
PARENT = GROUP.replace("合并", "母公司").replace("1,000.00", "500.00").replace("5,000", "2,000")


def test_group_and_parent_sheets_are_two_statements() -> None:
    found = join([read(GROUP, "合并"), read(PARENT, "母公司")], Given())
    assert [(f.consolidated, amounts(f)["cash"][0]) for f in found] == [(False, "500.00"), (True, "1000.00")]
    [chosen] = join([read(GROUP, "合并"), read(PARENT, "母公司")], Given(consolidated=True))
    assert amounts(chosen)["total_assets"] == ("5000", "4000")


SIDE_BY_SIDE = """
资产负债表 | 2025年12月31日 | 金额单位：人民币元
项目 | 附注 | 合并 | | 母公司 |
| | 期末余额 | 年初余额 | 期末余额 | 年初余额
货币资金 | 五.1 | 10 | 9 | 5 | 4
"""
UNDER = """
资产负债表 | 2025年12月31日 | 金额单位：人民币元
项目 | 附注 | 期末余额 | | 年初余额 |
| | 合并 | 母公司 | 合并 | 母公司
货币资金 | 五.1 | 10 | 5 | 9 | 4
"""


@pytest.mark.parametrize("text", [SIDE_BY_SIDE, UNDER])
def test_group_and_parent_columns_are_asked_about(text: str) -> None:
    [unsaid] = join([read(text)], Given())
    assert ("two_scopes", "refuse") in codes(unsaid)
    for wanted, cash in ((True, ("10", "9")), (False, ("5", "4"))):
        [said] = join([read(text, wanted=wanted)], Given(consolidated=wanted))
        assert (said.consolidated, amounts(said)["cash"], codes(said)) == (wanted, cash, [])


def test_three_statements_on_one_sheet_and_a_supplement() -> None:
    found = one(
        """
资产负债表
编制单位：甲 | 2025-12-31 | 单位：人民币万元
资产 | 期末数 | 年初数
货币资金 | 1 | 2
资产总计 | 10 | 9

利润表
项目 | 本年金额 | 上年金额
营业收入 | 100 | 90
净利润 | 5 | 4
现金流量表
项目 | 本年金额 | 上年金额
经营活动产生的现金流量净额 | 5 | 6
补充资料：
净利润 | 7 | 8
存货的减少（增加以“-”号填列） | 1 | 1
"""
    )
    assert amounts(found) == {
        "cash": ("10000", "20000"),
        "total_assets": ("100000", "90000"),
        "revenue": ("1000000", "900000"),
        "net_profit": ("50000", "40000"),
        "operating_cash_flow": ("50000", "60000"),
    }
    assert found.unknown == ()


def test_the_header_of_the_next_page_is_read_again() -> None:
    found = one(
        """
资产负债表
2025年12月31日 | 单位：人民币元
项目 | 期末余额 | 年初余额
货币资金 | 1 | 2
资产负债表（续）
项目 | 行次 | 期末余额 | 年初余额
短期借款 | 41 | 3 | 4
"""
    )
    assert amounts(found) == {"cash": ("1", "2"), "short_term_loans": ("3", "4")}


IFRS_PROFIT = """
ACME Holdings plc
Consolidated statement of profit or loss
For the year ended 31 March 2025
| Notes | 2025 | 2024
| | £'000 | £'000
Revenue | 3 | 26,000 | 24,000
Cost of sales | | (21,000) | (19,800)
Gross profit | | 5,000 | 4,200
Administrative expenses | | (1,500) | (1,450)
Finance costs | 5 | (420) | (400)
Profit before tax | | 3,080 | 2,350
Income tax expense | 6 | (330) | (350)
Profit for the year | | 2,750 | 2,000
"""


def test_english_expenses_in_brackets_are_positive_here() -> None:
    found = one(IFRS_PROFIT)
    assert (found.period_end_on, found.months, found.currency, found.unit) == (dt.date(2025, 3, 31), 12, "GBP", 1000)
    assert found.consolidated is True
    got = amounts(found)
    assert got["cost"] == ("21000000", "19800000")
    assert got["interest_expense"] == ("420000", "400000")
    assert got["income_tax"] == ("330000", "350000")
    assert got["net_profit"] == ("2750000", "2000000")
    assert codes(found) == []


def test_liabilities_with_and_without_brackets_are_refused() -> None:
    text = """
Balance sheet as at 31 December 2025
| | 2025 | 2024
| | £ | £
Trade payables | | (500) | (400)
Total current liabilities | | 900 | 800
Total assets | | 2,000 | 1,900
"""
    assert codes(one(text)) == [("brackets_mixed", "refuse")]
    bracketed = text.replace("900 | 800", "(900) | (800)")
    assert amounts(one(bracketed))["current_liabilities"] == ("900", "800")


def test_a_uk_balance_sheet_with_parts_and_sums_in_two_columns() -> None:
    found = one(
        """
Smith Widgets Ltd
Balance sheet as at 31 December 2025
| Note | 2025 | 2025 | 2024 | 2024
| | £ | £ | £ | £
Total fixed assets | 4 | | 100,000 | | 90,000
Stocks | | 20,000 | | 18,000 |
Debtors | 5 | 40,000 | | 34,000 |
Current assets | | 60,000 | | 52,000 |
| | 12 | | 13 |
Creditors: amounts falling due within one year | 6 | (40,000) | | (35,000) |
Net current assets | | | 20,000 | | 17,000
Net assets | | | 120,000 | | 107,000
Capital and reserves
Shareholders’ funds | | | 120,000 | | 107,000
"""
    )
    got = amounts(found)
    assert got["inventories"] == ("20000", "18000")
    assert got["current_liabilities"] == ("40000", "35000")
    assert got["equity"] == ("120000", "107000")
    assert got["total_assets"] == ("160000", "142000"), "not printed: fixed and current"
    assert {code for code, level in codes(found)} == {"twice", "receivables_broad_label", "totals_computed"}
    assert not any(level == "refuse" for _, level in codes(found))


def test_figures_that_look_like_years_are_no_header() -> None:
    found = one(
        """
Balance sheet
31 December 2025
| | 2025 | 2024
| | £000 | £000
Inventories | | 320 | 300
| | 2010 | 1995
Cash | | 2,005 | 1,990
"""
    )
    assert amounts(found) == {"inventories": ("320000", "300000"), "cash": ("2005000", "1990000")}


def test_what_the_sheet_does_not_say_is_asked() -> None:
    found = one("资产负债表\n项目 | 期末余额 | 年初余额\n资产总计 | 10 | 9")
    assert codes(found) == [
        ("unit_missing", "refuse"),
        ("currency_missing", "refuse"),
        ("period_missing", "refuse"),
    ]
    assert (found.unit, found.currency, found.period_end_on) == (None, None, None)
    assert "--unit" in found.findings[0].text.en
    assert "未注明金额单位" in found.findings[0].text.zh
    told = one(
        "资产负债表\n项目 | 期末余额 | 年初余额\n资产总计 | 10 | 9",
        given=Given(unit=10_000, currency="CNY", period_end_on=dt.date(2025, 6, 30)),
    )
    assert (codes(told), told.months) == ([], 6)
    assert amounts(told) == {"total_assets": ("100000", "90000")}


def test_sheets_of_different_periods_are_refused() -> None:
    found = one(
        "资产负债表\n2024年12月31日 | 单位：人民币元\n项目 | 期末余额 | 年初余额\n资产总计 | 10 | 9",
        "利润表\n2025年度 | 单位：人民币元\n项目 | 本期金额 | 上期金额\n营业收入 | 10 | 9",
    )
    assert codes(found) == [("period_differs", "refuse")]
    assert "S1 2024-12-31" in found.findings[0].text.zh


def test_a_cell_that_cannot_be_read_is_named() -> None:
    found = one(
        "资产负债表\n2025年12月31日 | 单位：人民币元\n资产 | 期末余额 | 年初余额\n货币资金 | 100万 | 3\n应收货款 | 5 | 4\n累计折旧 | 12% |"
    )
    [finding] = found.findings
    assert (finding.code, finding.item, finding.cells) == ("unreadable", "cash", ("S1!B4",))
    assert [(u.label, u.raw, u.cell) for u in found.unknown] == [("应收货款", "5", "S1!A5")]


def test_the_same_item_with_two_amounts_is_asked_about() -> None:
    found = one("利润表\n2025年度 | 单位：人民币元\n项目 | 本期金额 | 上期金额\n利息费用 | 5 | 4\n利息支出 | 6 | 4")
    assert codes(found) == [("twice", "refuse")]
    assert "以哪个为准" in found.findings[0].text.zh
    same = one("利润表\n2025年度 | 单位：人民币元\n项目 | 本期金额 | 上期金额\n利息费用 | 5 | 4\n利息支出 | 5 | 4")
    assert codes(same) == [("twice", "flag")]


def test_a_merged_line_gives_way_to_its_parts() -> None:
    found = one(
        "资产负债表\n2025年12月31日 | 单位：人民币元\n项目 | 期末余额 | 年初余额\n"
        "应收票据及应收账款 | 7 | 6\n其中：应收票据 | 2 | 1\n应收账款 | 5 | 5"
    )
    assert amounts(found) == {"notes_receivable": ("2", "1"), "receivables": ("5", "5")}
    assert codes(found) == [("twice", "flag")]


def test_every_item_leads_to_its_cell() -> None:
    found = one(SMALL_BALANCE)
    loans = next(line for line in found.lines if line.item == "payables")
    assert (loans.sheet, loans.cell, loans.raw, loans.opening_cell) == ("S1", "S1!G8", "50", "S1!H8")
    assert loans.label.strip() == "应付账款"


@pytest.mark.parametrize(("unit", "words"), [(1, "元"), (1_000, "千元"), (10_000, "万元"), (1_000_000, "百万元")])
def test_the_unit_is_applied(unit: int, words: str) -> None:
    found = one(f"资产负债表\n2025年12月31日 | 单位：人民币{words}\n项目 | 期末余额 | 年初余额\n资产总计 | 1.5 | 9")
    assert found.closing() == {"total_assets": Decimal("1.5") * unit}


def test_other_sheets_of_the_workbook_are_not_read_with_notice() -> None:
    notes = "五、财务报表项目注释\n项目 | 期末余额 | 年初余额\n存货 | 1 | 2"
    changes = "所有者权益变动表\n单位：元\n项目 | 本期金额 | 上期金额\n未分配利润 | 1 | 2"
    balance = "资产负债表\n2025年12月31日 | 单位：人民币元\n项目 | 期末余额 | 年初余额\n存货 | 5 | 4"
    [found] = join([read(notes, "附注"), read(balance, "表"), read(changes, "变动")], Given())
    assert amounts(found) == {"inventories": ("5", "4")}
    assert codes(found) == [("sheet_ignored", "info")]
    assert "附注, 变动" in found.findings[0].text.zh


def test_a_title_beside_other_words_is_seen() -> None:
    found = read(
        "某公司 | 资产负债表 | 会企01表 | 2025年12月31日 | 单位：元 | 币种：人民币\n项目 | 期末余额 | 年初余额\n存货 | 5 | 4"
    )
    assert (found.kind, found.basis, found.unit, found.currency) == ("balance", "cas", 1, "CNY")
