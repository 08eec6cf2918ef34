"""The annual report on the enterprise register: totals with their unit in the cell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from connector.credit.statement_annual import read_annual
from connector.credit.statement_checks import arithmetic
from connector.credit.statement_join import Given, join
from connector.credit.statement_sheet import Cell, Sheet

ROWS: list[list[Cell]] = [
    ["2025年度报告"],
    ["企业资产状况信息"],
    ["资产总额", "2500万元人民币", "所有者权益合计", "995万元人民币"],
    ["营业总收入", "3,100.5万元", "利润总额", "企业选择不公示"],
    ["其中：主营业务收入", "3,000万元", "净利润", "-12万元人民币"],
    ["纳税总额", "80万元", "负债总额", "15000000元"],
]


def test_the_list_is_read_with_the_unit_of_each_cell() -> None:
    read = read_annual(Sheet("年报", ROWS))
    assert read is not None
    [found] = join([read], Given())
    assert (found.period_end_on, found.months, found.basis, found.currency) == (
        dt.date(2025, 12, 31), 12, "annual_report", "CNY",
    )  # fmt: skip
    assert found.closing() == {
        "total_assets": Decimal(25_000_000),
        "equity": Decimal(9_950_000),
        "revenue": Decimal("31005000.0"),
        "net_profit": Decimal(-120_000),
        "total_liabilities": Decimal(15_000_000),
    }
    assert "profit_before_tax" in found.items(), "hidden is not known, and was there"
    assert [(f.code, f.level) for f in found.findings] == [("twice", "flag")]
    # Declared by the company itself: 50,000 of 25,000,000 is within one percent.
    assert arithmetic(found.closing(), Decimal(1), basis=found.basis) == []


def test_a_number_without_unit_is_asked_about() -> None:
    rows: list[list[Cell]] = [
        *ROWS[:2],
        ["资产总额", "2500"],
        ["负债总额", "1500万元"],
        ["净利润", 5],
        ["纳税总额", "1"],
    ]
    read = read_annual(Sheet("年报", rows))
    assert read is not None
    [found] = join([read], Given(currency="CNY"))
    assert [(f.code, f.level) for f in found.findings] == [("unit_missing", "refuse")]
    assert found.unit is None
    [told] = join([read], Given(currency="CNY", unit=10_000))
    assert told.closing()["total_assets"] == 25_000_000
    assert told.closing()["total_liabilities"] == 15_000_000, "its own unit stays"


def test_an_ordinary_statement_is_none() -> None:
    assert (
        read_annual(Sheet("利润表", [["项目", "本期金额"], ["利润总额", 5], ["净利润", 4], ["营业总收入", 3]])) is None
    )
