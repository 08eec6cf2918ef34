"""The receivable ledger: one record for each ledger move that has receivable lines, with what it means.

The receivable lines (`account.move.line` whose `account.type.receivable` is true) are the only complete source of what
customers owe: invoices, credit notes, receipts, write-offs, exchange differences and opening balances all end there. The
record holds the move and its receivable lines as Tryton said them, the invoice where the move is one, and

    _documents      the invoice or credit note; any other debit; an exchange difference with amount 0
    _instalments    the lines of an invoice that has several, each with its own due date
    _payments       any other credit: receipts and write-offs; refunds
    _applications   what was set against this move's debits, and since when

Sections 2 and 3 of trytond's own vocabulary: an invoice's `move` carries its instalments, `additional_moves` those of a
later reschedule; `invoice_payment` marks a receipt that was set against an invoice without closing it; a
`reconciliation` is a set of lines that close each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector.adapter import Page, Record

from . import changes, wishes
from .books import Books, Row
from .changes import Things, Watch
from .client import Domain, Tryton

MOVE = ("number", "date", "state", "description", "origin", "journal.code", "journal.type")


def receivable(client: Tryton) -> Domain:
    """The receivable lines of the user's company."""
    return [["account.type.receivable", "=", True], ["company", "=", client.context["company"]]]


def _domain(client: Tryton) -> Domain:
    return [["lines.account.type.receivable", "=", True], ["company", "=", client.context["company"]]]


def _moves_of_lines(client: Tryton, rows: Sequence[Row]) -> Sequence[int]:
    # A receipt set against an invoice changes what the invoice has open, and nothing of the invoice's own lines.
    invoices = [r["invoice_payment"] for r in rows if r["invoice_payment"]]
    return [r["move"] for r in rows] + list(_moves_of_invoices(client, _invoices(client, invoices)))


def _invoices(client: Tryton, ids: Sequence[int]) -> list[Row]:
    return client.rows_of("account.invoice", "id", ids, ["move", "additional_moves"])


def _moves_of_invoices(client: Tryton, rows: Sequence[Row]) -> Sequence[int]:
    return [m for r in rows for m in (r["move"], *r["additional_moves"]) if m]


def _moves_of_dunnings(client: Tryton, rows: Sequence[Row]) -> Sequence[int]:
    return [r["line"]["move"] for r in rows if r["line"]]


def _build(client: Tryton, ids: Sequence[int], wanted: Sequence[str]) -> Sequence[Record]:
    asked = wishes.sorted_out(
        client, "ledger", wanted, {"": "account.move", "lines": "account.move.line", "invoice": "account.invoice"}
    )
    moves = client.rows_of("account.move", "id", ids, [*MOVE, *asked[""]])
    books = Books(client, ids, line_fields=asked["lines"], invoice_fields=asked["invoice"])
    return [Record(str(move["id"]), {**move, **books.meaning(move["id"])}) for move in moves]


LEDGER = Things(
    "account.move",
    _domain,
    (
        Watch(
            "account.move.line", [["account.type.receivable", "=", True]], ("move", "invoice_payment"), _moves_of_lines
        ),
        Watch(
            "account.invoice",
            [["type", "=", "out"], ["move", "!=", None]],
            ("move", "additional_moves"),
            _moves_of_invoices,
        ),
        Watch(
            "account.move", [["lines.account.type.receivable", "=", True]], (), lambda _, rows: [r["id"] for r in rows]
        ),
        Watch("account.dunning", [], ("line.move",), _moves_of_dunnings, optional=True),
    ),
    _build,
)


def read(client: Tryton, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """The ledger, or what changed in it."""
    return changes.read(client, cursor, wanted, LEDGER)


def keys(client: Tryton) -> Iterator[Sequence[str]]:
    """The ids of all moves with receivable lines."""
    return changes.keys(client, LEDGER)
