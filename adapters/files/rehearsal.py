"""What the demo does in a book: a payment and its application, or an order, written as new rows. Never used elsewhere.

Only a folder of CSV files with the book's own column names is written; each file is replaced as a whole, so that a pull
at the same time sees the old file or the new one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from adapters.files.book import BOOK
from adapters.files.client import Book
from adapters.files.rows import CsvPart, Unreadable
from connector.errors import RejectedError
from connector.money import parse, rounded, show
from connector.text import Text

Row = Mapping[str, str]


def pay(book: Book, customer: str) -> Text:
    """Pays the customer's oldest overdue invoice in full today: a row in payments, a row in applications."""
    invoice, amount = _oldest_overdue(book, customer)
    today, currency = book.today().isoformat(), invoice["currency"]
    key = _new_id(book, "payments", f"demo-{invoice['id']}")
    whole = show(amount, currency)
    payment = {"id": key, "customer_id": customer, "received_on": today, "currency": currency, "amount": whole}
    _append(book, "payments", {**payment, "company": invoice.get("company", "")})
    _append(book, "applications", {"from_id": key, "to_id": invoice["id"], "amount": whole, "applied_on": today})
    return Text(
        "Invoice {number} was paid in full: {amount} {currency}.", "发票 {number} 已全额付清：{amount} {currency}。"
    ).fill(number=invoice.get("number") or invoice["id"], amount=whole, currency=currency)


def order(book: Book, customer: str, amount: Decimal) -> Text:
    """Places an open order of this amount in the customer's currency: a row in orders."""
    currency = next((r.get("currency", "") for r in _rows(book, "customers") if r.get("id") == customer), "")
    if not currency:
        raise RejectedError(
            Text("Customer {customer} has no currency in the book.", "账簿中客户 {customer} 没有币种。").fill(
                customer=customer
            ),
            code="no_currency",
        )
    today = book.today().isoformat()
    key = _new_id(book, "orders", f"demo-{customer}-{today}")
    price = show(rounded(amount, currency), currency)
    row = {"id": key, "number": key, "customer_id": customer, "ordered_on": today, "currency": currency}
    _append(book, "orders", {**row, "amount": price, "status": "open"})
    return Text(
        "Order {number} over {amount} {currency} was written into the book.",
        "订单 {number}（{amount} {currency}）已写入账簿。",
    ).fill(number=key, amount=price, currency=currency)


# --- what is overdue -----------------------------------------------------------------------------------------------------
def _oldest_overdue(book: Book, customer: str) -> tuple[Row, Decimal]:
    """The posted invoice that is due the longest, and what is open of it."""
    today = book.today().isoformat()
    invoices = {
        r["id"]: r
        for r in _rows(book, "documents")
        if r.get("customer_id") == customer and r.get("kind") == "invoice" and r.get("id")
        and not r.get("voided_on") and r.get("status") in (None, "", "posted")
    }  # fmt: skip
    applied = dict.fromkeys(invoices, Decimal(0))
    for row in _rows(book, "applications"):
        if row.get("to_id") in applied and not row.get("reversed_on"):
            applied[row["to_id"]] += _amount(row)
    parts: dict[str, list[tuple[str, Decimal]]] = {}
    for row in _rows(book, "instalments"):
        if row.get("document_id") in invoices:
            parts.setdefault(row["document_id"], []).append((row.get("due_on", ""), _amount(row)))
    late = []
    for key, invoice in invoices.items():
        left = applied[key]
        for due, part in sorted(parts.get(key, [(invoice.get("due_on", ""), _amount(invoice))])):
            if left < part and due and due < today:
                late.append((due, key))
                break
            left -= part
    if not late:
        raise RejectedError(
            Text("Customer {customer} has no overdue invoice.", "客户 {customer} 没有逾期发票。").fill(
                customer=customer
            ),
            code="nothing",
        )
    _, key = min(late)
    return invoices[key], _amount(invoices[key]) - applied[key]


def _amount(row: Row) -> Decimal:
    try:
        return parse(row.get("amount", ""))
    except ValueError:
        return Decimal(0)


# --- reading and writing the files -----------------------------------------------------------------------------------------
def _files(book: Book, stream: str) -> list[CsvPart]:
    """The CSV files of a stream. Raises RejectedError for a workbook."""
    if book.is_workbook:
        raise RejectedError(
            Text(
                "Rows can be added to a folder of CSV files only, not to {name}.",
                "只能向 CSV 文件夹追加行，不能写入 {name}。",
            ).fill(name=book.path.name),
            code="workbook",
        )
    return [part for part in book.parts(stream) if isinstance(part, CsvPart)]


def _rows(book: Book, stream: str) -> Iterable[Row]:
    for part in _files(book, stream):
        names: list[str] = []
        for _, cells in part.rows():
            if isinstance(cells, Unreadable):
                continue
            if not names:
                names = [str(c).strip() for c in cells]
            elif len(cells) == len(names):
                yield dict(zip(names, map(str, cells), strict=True))


def _new_id(book: Book, stream: str, wish: str) -> str:
    taken = {r.get("id") for r in _rows(book, stream)}
    return next(k for k in (wish, *(f"{wish}-{n}" for n in range(2, 10_000))) if k not in taken)


def _append(book: Book, stream: str, values: Row) -> None:
    """Adds a row behind the others, in the columns that the file has."""
    found = _files(book, stream)
    path = found[-1].path if found else _new_file(book, stream)
    encoding, delimiter = book.settings.encoding, book.settings.delimiter
    text = path.read_bytes().decode(encoding) if found else ""
    end = "\r\n" if "\r\n" in text else "\n"
    if found:
        names = [n.strip() for n in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))]
        names[0] = names[0].lstrip("\ufeff")
    else:
        names = list(BOOK[stream].names)
    if lacking := [n for n in values if values[n] and n not in names and n != "company"]:
        raise RejectedError(
            Text("{name} has no column “{column}”.", "{name} 没有“{column}”列。").fill(
                name=path.name, column="”, “".join(lacking)
            ),
            code="no_column",
        )
    added = io.StringIO()
    writer = csv.writer(added, delimiter=delimiter, lineterminator=end)
    if not found:
        writer.writerow(names)
    writer.writerow([values.get(n, "") for n in names])
    gap = "" if not text or text.endswith("\n") else end
    whole = path.with_name(f"{path.name}.tmp")
    whole.write_bytes((text + gap + added.getvalue()).encode(encoding))
    whole.replace(path)


def _new_file(book: Book, stream: str) -> Path:
    name = book.named(stream)
    if name is None or "*" in name:
        raise RejectedError(
            Text("The book has no file for {stream}.", "账簿中没有 {stream} 的文件。").fill(stream=stream),
            code="no_file",
        )
    return book.path / name
