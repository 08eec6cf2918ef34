"""What one file of the book needs of another: the currency of a limit, the document that instalments add up to.

Both are checks of the book's own columns; an export with other columns is simply not checked here. What is looked at in
another file is part of the stamp, so that a change there is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from adapters.files.client import Book
from adapters.files.rows import Part, Unreadable
from connector.adapter import Record
from connector.errors import Problem
from connector.money import parse
from connector.text import Text


class Additions:
    """Nothing to add and nothing to check: what most files need."""

    def stamps(self) -> Iterator[str]:
        """Fingerprints of the other files that are looked at."""
        return iter(())

    def fill(self, data: dict[str, Any]) -> None:
        """Adds members (`_…`) to a row before it becomes a record."""

    def note(self, record: Record, line: int, name: str) -> None:
        """Takes notice of a record, for a check at the end."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the file as a whole, once it has been read."""
        return iter(())


def additions_for(book: Book, stream: str) -> Additions:
    """What a stream needs of others."""
    if stream == "limits":
        return _CustomerCurrency(book.parts("customers"))
    if stream == "instalments":
        return _Sums(book.parts("documents"))
    return Additions()


def _columns(parts: Sequence[Part], *names: str) -> Iterator[tuple[str, ...]]:
    """Some columns of every readable row, as texts."""
    for part in parts:
        rows = part.rows()
        _, header = next(rows, (0, ()))
        if isinstance(header, Unreadable):
            continue
        found = [str(c).strip() for c in header]
        if not all(n in found for n in names):
            continue
        at = [found.index(n) for n in names]
        for _, cells in rows:
            if not isinstance(cells, Unreadable) and len(cells) == len(found):
                yield tuple(str(cells[i]).strip() for i in at)


class _CustomerCurrency(Additions):
    """A limit without a currency is in its customer's: `_customer_currency`."""

    def __init__(self, customers: Sequence[Part]) -> None:
        self.customers = customers
        self.known: dict[str, str] | None = None

    def stamps(self) -> Iterator[str]:
        return (f"{p.name}={p.stamp()}" for p in self.customers)

    def fill(self, data: dict[str, Any]) -> None:
        if data.get("currency", "") != "" or "customer_id" not in data:
            return
        if self.known is None:
            self.known = dict(_columns(self.customers, "id", "currency"))  # type: ignore[arg-type]
        if currency := self.known.get(str(data["customer_id"]).strip()):
            data["_customer_currency"] = currency


class _Sums(Additions):
    """The instalments of a document add up to it."""

    def __init__(self, documents: Sequence[Part]) -> None:
        self.documents = documents
        self.sums: dict[str, tuple[Decimal, str]] = {}
        self.unsure: set[str] = set()

    def stamps(self) -> Iterator[str]:
        return (f"{p.name}={p.stamp()}" for p in self.documents)

    def note(self, record: Record, line: int, name: str) -> None:
        if "document_id" not in record.data or "amount" not in record.data:
            return
        document = str(record.data["document_id"]).strip()
        amount = _amount(record.data["amount"])
        if amount is None:
            self.unsure.add(document)  # that row is a problem of its own
            return
        before, where = self.sums.get(document, (Decimal(0), f"{name}:{line}"))
        self.sums[document] = (before + amount, where)

    def problems(self) -> Iterator[Problem]:
        if not self.sums or not self.documents:
            return
        amounts = {}
        for document, amount in _columns(self.documents, "id", "amount"):
            if document in self.sums:
                amounts[document] = _amount(amount)
        for document, (total, where) in self.sums.items():
            if document not in amounts:
                yield Problem(
                    "no_document",
                    where,
                    Text("There is no document “{document}”.", "没有单据“{document}”。").fill(document=document[:60]),
                    Text("Correct document_id, or add the document.", "请更正 document_id，或补上该单据。"),
                    "document_id",
                )
            elif (whole := amounts[document]) is not None and whole != total and document not in self.unsure:
                yield Problem(
                    "instalments_differ",
                    where,
                    Text(
                        "The instalments of document “{document}” add up to {total}, the document is {whole}.",
                        "单据“{document}”的分期合计为 {total}，而单据金额为 {whole}。",
                    ).fill(document=document[:60], total=total, whole=whole),
                    Text("Correct the instalments or the document.", "请更正分期或单据金额。"),
                    "amount",
                )


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value)
    try:
        return parse(str(value))
    except ValueError:
        return None
