"""Whatever a file holds: reading never falls over, and no amount comes from anywhere but its own cell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.credit.statement_annual import read_annual
from connector.credit.statement_checks import arithmetic
from connector.credit.statement_join import Given, join
from connector.credit.statement_labels import ITEMS
from connector.credit.statement_numbers import printed
from connector.credit.statement_read import read_sheet
from connector.credit.statement_sheet import Broken, Cell, Sheet, place
from connector.errors import ConfigError
from connector.statement_file import opened

WORDS = [
    "资产负债表", "利润表", "现金流量表", "合并资产负债表", "母公司利润表", "项目", "资产", "负债和所有者权益", "行次", "期末余额", "年初余额", "本期金额", "上期金额",
    "本年累计金额", "本月金额", "合并", "母公司", "单位：元", "单位：万元", "2025年12月31日", "2025年1-9月", "打印日期：2026-01-01", "Notes", "£000",
    "其中：", "补充资料", "纳税总额", "企业年报", "-", "不适用", "1,200.00", "(5)", "12%", "31 December 2025", "31 December 2024",
]  # fmt: skip
LABELS = [label for item in ITEMS.values() for label in (*item.zh, *item.en)]

cells = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.sampled_from(LABELS),
    st.integers(-(10**9), 10**9),
    st.sampled_from([2024, 2025]),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
    st.just(Broken("=A1")),
    st.text(max_size=8),
)
rows = st.lists(st.lists(cells, max_size=8), max_size=14)


@settings(max_examples=300)
@given(rows, st.sampled_from([None, True, False]))
def test_any_rows_give_only_what_stands_in_their_cells(sheet: list[list[Cell]], wanted: bool | None) -> None:
    read = read_sheet(Sheet("S", sheet), None, wanted)
    seen = {place("S", r, c): cell for r, row in enumerate(sheet) for c, cell in enumerate(row)}
    for line in read.lines:
        assert line.amount == printed(seen.get(line.cell)).amount
        assert line.opening == printed(seen.get(line.opening_cell)).amount
        assert line.item in ITEMS
    assert len({line.item for line in read.lines}) == len(read.lines)
    annual = read_annual(Sheet("S", sheet))
    for found in join([read, *([annual] if annual else [])], Given(consolidated=wanted)):
        amounts = found.closing()
        assert all(isinstance(amount, Decimal) for amount in amounts.values())
        arithmetic(amounts, Decimal(found.unit or 1))
        assert (found.period_end_on is None) == any(f.code == "period_missing" for f in found.findings)
        for finding in found.findings:
            assert finding.text.en
            assert finding.text.zh


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode),
                 st.sampled_from([b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x09\x08", b"<html><table>", b"\xff\xfe"])
                 .flatmap(lambda start: st.binary(max_size=300).map(lambda rest: start + rest))))  # fmt: skip
def test_any_bytes_are_sheets_or_a_sentence(body: bytes) -> None:
    try:
        kind, sentence = opened("x.xls", body).kind, ""
    except ConfigError as wrong:
        kind, sentence = "", wrong.user.zh
    assert sentence or kind in ("xlsx", "xls", "html", "xml", "text")
