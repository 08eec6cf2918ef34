"""`explain` and `report customer`: every figure, with what it is made of, for a person who has to answer for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.calling import call, shop

DAY = ("--as-of", "2026-11-23")


def test_figures_and_the_documents_behind_them(book: Path) -> None:
    done = call("-c", book, "explain", "C001", *DAY)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "C001  华东机械（上海）有限公司"
    assert "as of 2026-11-23" in lines[1]
    figures = {
        line.split("CNY")[0].strip(): line.split()[-1] for line in lines if "  CNY " in line and "INV" not in line
    }
    assert figures["open receivables"] == "15,000.00"
    assert figures["unapplied cash"] == "-7,000.00"
    assert figures["unapplied credit notes"] == "-1,500.00"
    assert figures["exposure"] == "6,500.00"
    assert figures["limit"] == "20,000.00"
    assert figures["available"] == "13,500.00"
    assert figures["Total"] == "6,500.00", "the open items add up to the balance"
    for document in ("INV-1", "INV-2", "INV-3", "CN-1", "P1"):
        assert [line for line in lines if line.startswith(document)], f"{document} is behind it"
    [first] = [line.split() for line in lines if line.startswith("INV-1 ")]
    assert first[1:] == ["invoice", "2026-07-01", "2026-07-31", "115", "91+", "CNY", "6,000.00"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_amounts_stand_under_one_another(book: Path, lang: str) -> None:
    out = call("-c", book, "explain", "C001", *DAY, lang=lang).out
    head = out.split("\nOpen items\n" if lang == "en" else "\n未清项\n")[0]
    ends = {cell_len(line) for line in head.splitlines() if "  CNY " in line}
    assert len(ends) == 1


def test_chinese_throughout(book: Path) -> None:
    out = call("-c", book, "explain", "C001", *DAY, lang="zh").out
    for word in ("信用占用", "额度", "可用额度", "未清项", "发票", "贷项", "收款", "合计", "逾期"):
        assert word in out
    for word in ("exposure", "limit", "available", "invoice", "overdue", "Total"):
        assert word not in out


def test_decimals_are_those_of_the_currency(book: Path) -> None:
    out = call("-c", book, "explain", "C005", *DAY).out
    assert "123,456\n" in out
    assert "123,456.00" not in out


def test_a_name_is_enough_where_only_one_has_it(book: Path) -> None:
    assert call("-c", book, "explain", "seven", *DAY).out.startswith("C002  Seven & Sons")
    assert call("-c", book, "explain", "books/C002", *DAY).out.startswith("C002  ")
    several = call("-c", book, "explain", "s")
    assert several.code == 2
    assert "name one by its id:" in several.err
    assert "  books/C002  Seven & Sons" in several.err


def test_nobody_of_that_name(book: Path) -> None:
    done = call("-c", book, "explain", "C00I")
    assert (done.code, done.out) == (2, "")
    assert "There is no customer “C00I”. Near: C00" in done.err
    assert "没有客户“C00I”" in call("-c", book, "explain", "C00I", lang="zh").err


def test_before_anything_was_read(tmp_path: Path) -> None:
    done = call("-c", shop(tmp_path, customers="id,name\nC1,One"), "explain", "C1")
    assert (done.code, done.err) == (2, "Error: There are no customers yet: holdfast run\n")


def test_report_customer_is_the_same_and_has_every_format(book: Path, tmp_path: Path) -> None:
    assert call("-c", book, "report", "customer", "C001", *DAY).out == call("-c", book, "explain", "C001", *DAY).out
    answer = call("-c", book, "report", "customer", "C001", *DAY, "--format", "json").json
    assert sorted(item["id"] for item in answer["items"]) == ["D1", "D2", "D3", "D4", "P1"]
    assert [s["en"] for s in answer["limit_steps"]]
    rows = call("-c", book, "report", "customer", "C001", *DAY, "--format", "csv").out.splitlines()
    assert rows[0] == "number,kind,issued_on,due_on,days,bucket,currency,open"
    assert "INV-1,invoice,2026-07-01,2026-07-31,115,91+,CNY,6000.00" in rows
    assert call("-c", book, "report", "customer", "C001", "--out", tmp_path / "c.xlsx").code == 0


def test_orders_behind_the_exposure(tmp_path: Path) -> None:
    config = shop(
        tmp_path,
        customers="id,name,currency\nC1,One,CNY",
        limits="customer_id,kind,amount,currency\nC1,base,100.00,CNY",
        orders="id,customer_id,number,ordered_on,currency,amount,status\nO1,C1,SO-1,2026-11-01,CNY,1500.00,open",
    )
    call("-c", config, "run")
    out = call("-c", config, "explain", "C1", *DAY).out
    assert re.search(r"ordered not delivered  CNY +1,500\.00\n", out)
    [order] = [line for line in out.splitlines() if line.startswith("SO-1 ")]
    assert "1,500.00" in order
    assert "yes" in order
    assert "冻结" in call("-c", config, "explain", "C1", *DAY, lang="zh").out
