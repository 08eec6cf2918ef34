"""The demo's payment and order in a book: rows behind the others, in the file's own columns and way of writing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from adapters.files import rehearsal
from connector.errors import RejectedError
from tests.unit.files.conftest import CUSTOMERS, Books

DOCUMENTS = (
    "id,customer_id,kind,number,issued_on,due_on,currency,amount,voided_on,status\n"
    "D1,C1,invoice,I-1,2026-01-01,2026-01-31,CNY,100.00,2026-01-02,posted\n"  # voided
    "D2,C1,invoice,I-2,2026-02-01,2026-02-28,CNY,200.00,,draft\n"
    "D3,C1,invoice,I-3,2026-03-01,2026-03-31,CNY,300.00,,posted\n"  # paid
    "D4,C1,invoice,I-4,2026-04-01,2026-04-30,CNY,400.50,,\n"  # the oldest that is open
    "D5,C1,invoice,I-5,2026-04-02,2026-05-01,CNY,500.00,,posted\n"
    "D6,C2,invoice,I-6,2026-01-01,2026-01-31,CNY,600.00,,posted\n"
)
APPLICATIONS = (
    "from_id,to_id,amount,applied_on,reversed_on\n"
    "P1,D3,300.00,2026-04-01,\n"
    "P2,D4,100.25,2026-05-01,\n"
    "P3,D4,50.00,2026-05-01,2026-05-02\n"  # taken back
)
PAYMENTS = "id,customer_id,received_on,currency,amount\nP1,C1,2026-04-01,CNY,300.00"  # without a line end


@pytest.fixture
def filled(books: Books) -> Books:
    books.write(customers=CUSTOMERS, documents=DOCUMENTS, applications=APPLICATIONS, payments=PAYMENTS)
    return books


def test_what_is_open_of_the_oldest_overdue_invoice_is_paid(filled: Books) -> None:
    today = filled.client().today().isoformat()
    said = rehearsal.pay(filled.client(), "C1")
    assert said.en == "Invoice I-4 was paid in full: 300.25 CNY."
    assert said.zh == "发票 I-4 已全额付清：300.25 CNY。"
    payments = (filled.folder / "payments.csv").read_text()
    assert payments == f"{PAYMENTS}\ndemo-D4,C1,{today},CNY,300.25\n"
    assert (filled.folder / "applications.csv").read_text() == f"{APPLICATIONS}demo-D4,D4,300.25,{today},\n"
    assert rehearsal.pay(filled.client(), "C1").en == "Invoice I-5 was paid in full: 500.00 CNY."
    with pytest.raises(RejectedError, match="no overdue invoice"):
        rehearsal.pay(filled.client(), "C1")
    assert not list(filled.folder.glob("*.tmp"))


def test_of_instalments_the_one_that_is_due_makes_the_invoice_overdue(books: Books) -> None:
    later = (dt.date.today() + dt.timedelta(days=30)).isoformat()  # noqa: DTZ011 - far enough in the future anywhere
    books.write(
        customers=CUSTOMERS,
        documents=f"id,customer_id,kind,issued_on,due_on,currency,amount\nD1,C1,invoice,2026-01-01,{later},CNY,90.00\n",
        instalments=f"document_id,number,due_on,amount\nD1,1,2026-02-01,30.00\nD1,2,{later},60.00\n",
    )
    assert rehearsal.pay(books.client(), "C1").en == "Invoice D1 was paid in full: 90.00 CNY."
    facts = books.read("payments").facts + books.read("applications").facts
    assert [(f.id, getattr(f, "customer_id", ""), f.amount) for f in facts[:1]] == [("demo-D1", "C1", 9000)]
    assert [(f.from_id, f.to_id, f.amount) for f in facts[1:]] == [("demo-D1", "D1", Decimal("90.00"))]


def test_an_order_is_a_row_that_is_read(filled: Books) -> None:
    said = rehearsal.order(filled.client(), "C2", Decimal("1234.567"))
    assert "1234.57 CNY" in said.en
    assert "1234.57 CNY" in said.zh
    rehearsal.order(filled.client(), "C2", Decimal(5))
    orders = filled.read("orders").facts
    assert [(o.customer_id, o.status, o.amount) for o in orders] == [("C2", "open", 123457), ("C2", "open", 500)]
    assert len({o.id for o in orders}) == 2


def test_other_character_sets_delimiters_and_line_ends_stay(books: Books) -> None:
    text = "id;name;currency\r\nC1;华东机械;CNY\r\n"
    orders = "id;customer_id;number;ordered_on;currency;amount;status\r\nO1;C1;订单;2026-01-01;CNY;1.00;open\r\n"
    books.write(customers=text.encode("gb18030"), orders=orders.encode("gb18030"))
    rehearsal.order(books.client(encoding="gb18030", delimiter=";"), "C1", Decimal(7))
    written = (books.folder / "orders.csv").read_bytes().decode("gb18030")
    assert written.startswith(orders)
    assert written.endswith(";CNY;7.00;open\r\n")
    assert written.count("\n") == 3


def test_a_column_that_lacks_is_named_and_nothing_is_written(filled: Books) -> None:
    filled.write(payments="id,received_on,currency,amount\n")
    with pytest.raises(RejectedError, match="“customer_id”"):
        rehearsal.pay(filled.client(), "C1")
    assert (filled.folder / "payments.csv").read_text() == "id,received_on,currency,amount\n"


def test_a_workbook_is_refused_with_what_is_needed(books: Books) -> None:
    (books.folder / "book.xlsx").write_bytes(b"")
    book = books.client("book.xlsx")
    with pytest.raises(RejectedError, match="CSV files only"):
        rehearsal.pay(book, "C1")
    with pytest.raises(RejectedError, match="CSV files only"):
        rehearsal.order(book, "C1", Decimal(1))
