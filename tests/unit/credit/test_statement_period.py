"""What stands above the figures: periods, units, currencies, kinds of sheet."""

from __future__ import annotations

import datetime as dt

import pytest

from connector.credit.statement_header import company_of, currency_of, kind_of, scope_of, tight, unit_of
from connector.credit.statement_period import Period, period_of, single_to_months
from connector.credit.statement_sheet import Cell, place

END = dt.date(2025, 12, 31)
SEPTEMBER = dt.date(2025, 9, 30)


@pytest.mark.parametrize(
    ("cell", "period"),
    [
        ("2025年12月31日", Period(END)),
        ("2025 年 12 月 31 日", Period(END)),
        ("2025-12-31", Period(END)),
        (END, Period(END)),
        ("2025年度", Period(END, 12)),
        ("2025年1-9月", Period(SEPTEMBER, 9)),
        ("会计期间：2025年01月—09月", Period(SEPTEMBER, 9)),
        ("2025年1月1日至2025年9月30日", Period(SEPTEMBER, 9)),
        ("2025-01-01至2025-12-31", Period(END, 12)),
        ("2024年7月1日至2025年6月30日", Period(dt.date(2025, 6, 30), 12)),
        ("2025年9月", Period(SEPTEMBER, None, single=True)),
        ("2025年第三季度", Period(SEPTEMBER, 3, single=True)),
        ("2025年半年度", Period(dt.date(2025, 6, 30), 6)),
        ("31 December 2025", Period(END)),
        ("December 31, 2025", Period(END)),
        ("For the year ended 31 March 2025", Period(dt.date(2025, 3, 31), 12)),
        ("Nine months ended 30 September 2025", Period(SEPTEMBER, 9)),
        ("打印日期：2026年1月10日", None),
        ("2025年2月30日", None),
        ("编制单位：某公司", None),
        ("1,200,000.00", None),
    ],
)
def test_a_period(cell: Cell, period: Period | None) -> None:
    assert period_of(cell) == period


def test_a_single_month_is_cumulative_only_where_its_column_says_so() -> None:
    month = Period(SEPTEMBER, None, single=True)
    assert single_to_months(month, cumulative=True).months == 9
    assert single_to_months(month, cumulative=False).months == 1


@pytest.mark.parametrize(
    ("words", "unit", "currency"),
    [
        ("单位：元", 1, None),
        ("单位: 千元", 1_000, None),
        ("（单位：万元）", 10_000, None),
        ("单位：百万元", 1_000_000, None),
        ("金额单位：人民币元", 1, "CNY"),
        ("单位：人民币万元", 10_000, "CNY"),
        ("单位：元（列至角分）", 1, None),
        ("单位：万美元", 10_000, "USD"),
        ("£'000", 1_000, "GBP"),
        ("RMB’000", 1_000, "CNY"),
        ("In millions of US dollars", 1_000_000, "USD"),
    ],
)
def test_a_unit(words: str, unit: int, currency: str | None) -> None:
    assert unit_of(tight(words)) == (unit, currency)


@pytest.mark.parametrize(
    "words", ["编制单位：元气森林有限公司", "单位：元气森林有限公司", "单位名称：某某公司", "货币资金", "Notes"]
)
def test_a_company_or_a_label_is_no_unit(words: str) -> None:
    assert unit_of(tight(words), heading=True) is None


def test_currency_company_kind_and_scope() -> None:
    assert currency_of(tight("单位：元 币种：人民币")) == "CNY"
    assert currency_of(tight("单位：元")) is None
    assert company_of("编制单位：示例机电设备有限公司") == "示例机电设备有限公司"
    assert kind_of("合并资产负债表") == "balance"
    assert kind_of("利润表") == kind_of("损益表") == "profit"
    assert kind_of("现金流量表") == "cash"
    assert kind_of("所有者权益变动表") == kind_of("利润分配表") == "other"
    assert (scope_of("合并利润表"), scope_of("母公司利润表"), scope_of("利润表")) == (True, False, None)


def test_a_cell_has_the_name_that_a_spreadsheet_gives_it() -> None:
    assert place("资产负债表", 6, 1) == "资产负债表!B7"
    assert place("S", 0, 26) == "S!AA1"
