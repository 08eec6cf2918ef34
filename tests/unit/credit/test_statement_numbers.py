"""Amounts as they are printed: what is a number, what is not known, what cannot be read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.statement_numbers import printed
from connector.credit.statement_sheet import Broken, Cell


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1,200,000.00", "1200000.00"),
        ("１，２３４．５", "1234.5"),
        ("(1,000)", "-1000"),
        ("（400，000）", "-400000"),
        ("-800,000", "-800000"),
        ("－5", "-5"),
        ("−5", "-5"),
        ("1,000-", "-1000"),
        ("¥ 12.50", "12.50"),
        ("(£460)", "-460"),
        ("1 234 567", "1234567"),
        ("0", "0"),
        ("nil", "0"),
        (7, "7"),
        (Decimal("0.10"), "0.10"),
        (".5", "0.5"),
    ],
)
def test_an_amount(cell: Cell, amount: str) -> None:
    found = printed(cell)
    assert (found.amount, found.problem, found.blank) == (Decimal(amount), None, False)


@pytest.mark.parametrize("cell", ["-", "—", "——", "–", "/", "n/a", "不适用", "--"])
def test_a_dash_is_not_known_and_not_zero(cell: str) -> None:
    found = printed(cell)
    assert (found.amount, found.problem, found.blank) == (None, None, False)


@pytest.mark.parametrize("cell", [None, "", "   ", "\u3000"])
def test_an_empty_cell_is_blank(cell: Cell) -> None:
    assert printed(cell).blank


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("12%", "has its unit inside the cell"),
        ("100万", "has its unit inside the cell"),
        ("2.5 million", "has its unit inside the cell"),
        ("1.234,56", "is not an amount"),
        ("12,34", "is not an amount"),
        ("1.2E+07", "is not an amount"),
        ("五十", "is not an amount"),
        (dt.date(2025, 1, 1), "is not an amount"),
        (Decimal("Infinity"), "is not an amount"),
        (Broken("=SUM(B2:B9)"), "formula without a result (=SUM(B2:B9))"),
        (Broken("#REF!"), "#REF!"),
    ],
)
def test_what_cannot_be_read_says_why(cell: Cell, words: str) -> None:
    found = printed(cell)
    assert found.amount is None
    assert found.problem is not None
    assert words in found.problem.en
    assert any("\u4e00" <= c <= "\u9fff" for c in found.problem.zh)


amounts = st.decimals(min_value=-(10**14), max_value=10**14, places=2)


@given(amounts, st.sampled_from(["plain", "grouped", "brackets", "trailing", "wide"]))
def test_however_it_is_printed_it_is_the_same_amount(amount: Decimal, style: str) -> None:
    body = f"{abs(amount):,.2f}" if style != "plain" else f"{abs(amount):.2f}"
    minus = amount < 0
    text = {
        "plain": ("-" if minus else "") + body,
        "grouped": ("-" if minus else "") + body,
        "brackets": f"({body})" if minus else body,
        "trailing": body + ("-" if minus else ""),
        "wide": "".join(chr(ord(c) + 0xFEE0) if c in "0123456789,.()-" else c for c in ("-" if minus else "") + body),
    }[style]
    assert printed(f"  {text} ").amount == amount


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_unknown_or_blank_or_a_problem(text: str) -> None:
    found = printed(text)
    assert [found.amount is not None, found.blank, found.problem is not None].count(True) <= 1
    assert found.amount is None or found.amount.is_finite()
    assert found.raw == text
