"""The book as one workbook, and the made-up book both ways: what is written is what is read."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook

from adapters.files.sandbox import STREAMS, make, write_book, write_xlsx
from adapters.files.workbook import exact
from connector import example
from connector.sandbox import SandboxOptions


def test_typed_cells_come_through_exactly(books: Any, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Documents"
    for row in (
        ["id", "customer_id", "kind", "number", "issued_on", "due_on", "currency", "amount", "base_amount"],
        [1001, 7, "invoice", "007", dt.date(2026, 9, 1), dt.datetime(2026, 10, 1), "CNY", 0.1 + 0.2, 1234567.89],  # noqa: DTZ001
        [],
        [1002.0, "7", "invoice", None, "2026-09-01", None, "KWD", "10.005", None],
    ):
        sheet.append(row)
    book.save(tmp_path / "b.xlsx")
    found = books.read("documents", path="b.xlsx")
    assert found.problems == []
    assert [
        (d.id, d.customer_id, d.number, str(d.issued_on), str(d.due_on), d.amount, d.base_amount) for d in found.facts
    ] == [
        ("1001", "7", "007", "2026-09-01", "2026-10-01", 30, 123456789),
        ("1002", "7", None, "2026-09-01", "None", 10005, None),
    ]
    assert [r.where for p in found.pages for r in p.records] == ["b.xlsx/Documents:2", "b.xlsx/Documents:4"]


def test_a_workbook_of_another_writer_with_a_formula(books: Any, tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "b.xlsx"))
    sheet = book.add_worksheet("payments")
    sheet.write_row(0, 0, ["id", "customer_id", "received_on", "currency", "amount"])
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(1, 0, ["P1", "C1"])
    sheet.write_datetime(1, 2, dt.datetime(2026, 10, 5), day)  # noqa: DTZ001
    sheet.write(1, 3, "CNY")
    sheet.write_formula(1, 4, "=7*3.1", None, 21.7)
    book.close()
    found = books.read("payments", path="b.xlsx")
    assert [(p.received_on, p.amount) for p in found.facts] == [(dt.date(2026, 10, 5), 2170)]
    assert found.problems == []


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        (0.1 + 0.2, "0.3"),
        (1.1 * 3, "3.3"),
        (1234.5, "1234.5"),
        (12345678901234.56, "12345678901234.56"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (-0.07, "-0.07"),
        (2.0, "2"),
    ],
)
def test_the_number_that_a_person_sees(stored: float, seen: str) -> None:
    assert exact(stored) == Decimal(seen)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_made_up_book_is_read_as_it_was_made(books: Any, tmp_path: Path, form: str) -> None:
    made = example.company(60, seed=3)
    if form == "csv":
        (tmp_path / "customers.csv").unlink()
        write_book(made, tmp_path)
    else:
        write_xlsx(made, tmp_path / "book.xlsx")
    counted = 0
    for stream in STREAMS:
        found = books.read(stream, path="." if form == "csv" else "book.xlsx", base=made.currency)
        assert found.problems == []
        assert [_plain(f) for f in found.facts] == [_plain(f) for f in getattr(made, stream)], stream
        counted += len(found.facts)
    assert counted > 1000


def _plain(fact: Any) -> Any:
    """A fact without what the book has no column for, and without the currency of a limit that has no amount."""
    if hasattr(fact, "external_id"):
        return dataclasses.replace(fact, external_id=None)
    return dataclasses.replace(fact, currency=None) if getattr(fact, "kind", "") == "unlimited" else fact


def test_a_book_in_parts_is_the_same_book(tmp_path: Path) -> None:
    write_book(example.company(25, seed=2), tmp_path / "whole")
    write_book(example.parts(25, seed=2, size=10), tmp_path / "parts")
    for file in (tmp_path / "whole").iterdir():
        assert file.read_bytes() == (tmp_path / "parts" / file.name).read_bytes()


def test_the_sandbox_is_a_folder_with_the_same_book_each_time(tmp_path: Path) -> None:
    options = SandboxOptions(data=tmp_path, customers=10, as_of=dt.date(2026, 11, 23))
    first = make(options)
    written = (first.folder / "documents.csv").read_bytes()
    (first.folder / "customers.csv").write_text("id,name\nX,Mine\n", encoding="utf-8")
    assert "Mine" in (make(options).folder / "customers.csv").read_text(encoding="utf-8"), "an edited book stays"
    assert (make(SandboxOptions(customers=10, as_of=options.as_of)).folder / "documents.csv").read_bytes() == written
