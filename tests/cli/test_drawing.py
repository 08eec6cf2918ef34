"""Tables for people: aligned by cells, folded, never a figure cut, and nothing that a terminal would obey."""

from __future__ import annotations

from decimal import Decimal

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as some
from rich.cells import cell_len

from connector.cli.drawing import folded, lines
from connector.cli.output import Column, Table, as_csv, as_json, clean, safe_cell, shown
from connector.text import Text, same

NAMES = [
    "Short",
    "华东机械（上海）有限公司",
    "A very long name of a company that goes on and on, Ltd.",
    "中文 and English",
]
AMOUNTS = ["0.00", "-8500.00", "123456789012.34", "7"]


def table(**more: int) -> Table:
    columns = [
        Column("name", Text("name", "名称")),
        Column("amount", Text("amount", "金额"), right=True),
        Column("spare", Text("spare", "备用"), right=True, spare=more.get("spare", 0)),
        Column("level", Text("level", "预警"), coloured=True),
    ]
    rows = [
        {"name": n, "amount": Decimal(a), "spare": 1, "level": same("red")} for n, a in zip(NAMES, AMOUNTS, strict=True)
    ]
    return Table(same("Title"), columns, rows, totals=[{"name": "Total", "amount": sum(map(Decimal, AMOUNTS))}])


@pytest.mark.parametrize("window", [None, 200, 80, 60, 50])
def test_columns_line_up_by_cells(window: int | None) -> None:
    drawn = [line for line, _ in lines(table(), window)][2:]
    ends = {
        cell_len(line[: line.index(shown(Decimal(a)))] + shown(Decimal(a)))
        for a in AMOUNTS
        for line in drawn
        if f" {shown(Decimal(a))} " in line
    }
    assert len(ends) == 1, "amounts end in the same column, Chinese names before them or not"
    assert window is None or max(map(cell_len, drawn)) <= window


@pytest.mark.parametrize("window", [200, 80, 60, 40, 20, 5, 1])
def test_no_amount_is_ever_cut(window: int) -> None:
    words = " ".join(line for line, _ in lines(table(), window)).split()
    for amount in AMOUNTS:
        assert shown(Decimal(amount)) in words


def test_what_is_not_shown_is_said() -> None:
    wide, narrow = (" ".join(line for line, _ in lines(table(spare=1), window)) for window in (200, 44))
    assert "spare" in wide
    assert "Not shown" not in wide
    assert "Not shown, the window is narrow: spare (--format csv" in narrow


@given(some.text(some.characters(codec="utf-8"), max_size=60), some.integers(2, 30))
def test_folding_keeps_every_word_and_the_width(text: str, width: int) -> None:
    parts = folded(clean(text), width)
    assert all(cell_len(part) <= width for part in parts)
    assert "".join("".join(parts).split()) == "".join(clean(text).split())


def test_chinese_is_folded_without_blanks_and_not_before_a_comma() -> None:
    assert folded("订单已冻结，请联系财务。", 10) == ["订单已冻", "结，请联系", "财务。"]
    assert folded("new orders are held", 10) == ["new orders", "are held"]


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "a\rb", "\u202ecba", "\x9b31m", "tab\there"])
def test_names_cannot_command_a_terminal(hostile: str) -> None:
    drawn = "".join(line for line, _ in lines(Table(same(""), [Column("n", same("n"))], [{"n": hostile}]), 80))
    assert not set(drawn) & set("\x1b\x07\r\t\u202e\x9b")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(begin: str) -> None:
    shown = " " if begin == "\r" else begin  # a bare CR would begin a row of its own
    assert safe_cell(f"{begin}1+1") == f"'{shown}1+1"
    assert safe_cell(same(f"{begin}1+1")) == f"'{shown}1+1"


def test_a_carriage_return_inside_a_text_begins_no_row() -> None:
    assert safe_cell("Foo\r=HYPERLINK(1)") == "Foo =HYPERLINK(1)"


def test_numbers_in_csv_are_plain() -> None:
    one = Table(
        same(""),
        [Column(k, same(k)) for k in "abcd"],
        [{"a": Decimal("-1E+3"), "b": Decimal("-0.10"), "c": True, "d": None}],
    )
    assert as_csv(one) == "a,b,c,d\n-1000,-0.10,true,\n"


def test_json_is_valid_and_a_line_an_element() -> None:
    answer = {
        "as_of": "2026-11-23",
        "none": [],
        "rows": [{"a": Decimal("1.10"), "名": ["x"]}, {"a": None}],
        "n": {"k": 1},
    }
    text = "".join(as_json(answer))
    assert simplejson.loads(text, use_decimal=True) == answer
    assert "Decimal" not in text
    assert '  {"a": 1.10, "名": ["x"]},\n' in text
    assert simplejson.loads("".join(as_json([]))) == []
    assert simplejson.loads("".join(as_json([{"a": 1}, 2]))) == [{"a": 1}, 2]
    assert simplejson.loads("".join(as_json({}))) == {}
