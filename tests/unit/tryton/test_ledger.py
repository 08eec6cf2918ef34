"""What ledger moves mean: every kind of line that a receivable account sees, entered by hand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connector.credit.items import open_items
from connector.model import Application, Document, Instalment, Payment
from tests.unit.tryton.desk import NOON, Desk, desk

A, B = "C0001", "C0002"


@pytest.fixture
def books() -> Iterator[Desk]:
    with desk() as made:
        yield made


def _of(found: list[Any], kind: type) -> list[Any]:
    return [f for f in found if isinstance(f, kind)]


def _open(found: list[Any]) -> list[tuple[str, Decimal]]:
    """What is open of each paper today, in its own currency."""
    items = open_items(
        _of(found, Document), _of(found, Instalment), _of(found, Payment), _of(found, Application), NOON.date()
    )
    return [(i.kind, i.amount) for i in items]


def test_an_invoice_in_instalments(books: Desk) -> None:
    dues = ("2026-02-10", "2026-03-10", "2026-04-10")
    lines = [books.line(A, v, maturity_date=due) for v, due in zip(("30.00", "30.00", "40.00"), dues, strict=True)]
    number, _ = books.invoice(A, "2026-01-10", *lines, total="100.00")
    found = books.facts()
    [document] = _of(found, Document)
    assert (document.id, document.kind, document.number, document.amount, document.base_amount) == (
        f"invoice:{number}",
        "invoice",
        "INV-2026-01-10",
        10000,
        10000,
    )
    assert [(i.number, i.due_on.isoformat(), i.amount) for i in _of(found, Instalment)] == [
        ("1", dues[0], Decimal("30.00")),
        ("2", dues[1], Decimal("30.00")),
        ("3", dues[2], Decimal("40.00")),
    ]


def test_in_a_foreign_currency_each_instalment_is_a_document(books: Desk) -> None:
    """Tryton rounds 33.33 USD at 7.1234 to 237.42 twice; a third of the total would be 237.4229."""
    lines = [
        books.line(A, base, (amount, "USD"), maturity_date=due)
        for base, amount, due in (("237.42", "33.33", "2026-02-10"), ("237.43", "33.33", "2026-03-10"), ("237.49", "33.34", "2026-04-10"))
    ]  # fmt: skip
    books.invoice(A, "2026-01-10", *lines, total="100.00")
    documents = _of(books.facts(), Document)
    assert [(d.number, d.currency, d.amount, d.base_amount) for d in documents] == [
        ("INV-2026-01-10", "USD", 3333, 23742),
        ("INV-2026-01-10", "USD", 3333, 23743),
        ("INV-2026-01-10", "USD", 3334, 23749),
    ]


def test_a_part_paid_by_somebody_else_is_a_document_of_his(books: Desk) -> None:
    lines = [books.line(A, "60.00", maturity_date="2026-02-10"), books.line(B, "40.00", maturity_date="2026-02-10")]
    number, _ = books.invoice(A, "2026-01-10", *lines, total="100.00")
    assert {(d.id, d.customer_id, d.amount) for d in _of(books.facts(), Document)} == {
        (f"invoice:{number}", A, 6000),
        (f"invoice:{number}:{B}", B, 4000),
    }


def test_a_partial_payment_pays_the_open_instalment(books: Desk) -> None:
    """The first instalment is closed by its own receipt; the partial one goes to the second, not to the first."""
    lines = [books.line(A, v, maturity_date=d) for v, d in (("50.00", "2026-02-10"), ("50.00", "2026-03-10"))]
    number, (first, _) = books.invoice(A, "2026-01-10", *lines, total="100.00")
    [whole] = books.move("cash", "2026-02-12", books.line(A, "-50.00"))
    books.reconcile(first, whole)
    books.move("cash", "2026-02-20", books.line(A, "-20.00", invoice_payment=number))
    found = books.facts()
    assert [(a.instalment_number, a.amount, a.applied_on.isoformat()) for a in _of(found, Application)] == [
        ("1", Decimal("50.00"), "2026-02-12"),
        ("2", Decimal("20.00"), "2026-02-20"),
    ]
    assert _open(found) == [("invoice", Decimal("30.00"))]


def test_a_receipt_keeps_its_invoice_after_both_are_reconciled_elsewhere(books: Desk) -> None:
    """Deleting and redoing a reconciliation leaves `invoice_payment` behind: what closes it counts, once."""
    number, (owed,) = books.invoice(
        A, "2026-01-10", books.line(A, "100.00", maturity_date="2026-02-10"), total="100.00"
    )
    [other] = books.move("revenue", "2026-01-15", books.line(A, "40.00"))
    [paid] = books.move("cash", "2026-02-20", books.line(A, "-40.00", invoice_payment=number))
    books.reconcile(other, paid)
    found = books.facts()
    assert [(a.to_id, a.amount) for a in _of(found, Application)] == [(f"line:{other}", Decimal("40.00"))]
    assert _open(found) == [("invoice", Decimal("100.00"))]
    assert owed


def test_a_credit_note_closes_an_invoice(books: Desk) -> None:
    _, (owed,) = books.invoice(A, "2026-01-10", books.line(A, "100.00", maturity_date="2026-02-10"), total="100.00")
    note, (given,) = books.invoice(
        A, "2026-01-20", books.line(A, "-100.00", maturity_date="2026-02-10"), total="-100.00"
    )
    books.reconcile(owed, given)
    found = books.facts()
    assert [d.kind for d in _of(found, Document)] == ["invoice", "credit_note"]
    [applied] = _of(found, Application)
    # Its maturity lies later, and plays no part.
    assert (applied.from_id, applied.applied_on.isoformat()) == (f"invoice:{note}", "2026-01-20")
    assert _open(found) == []


def test_a_write_off_is_money_given_up(books: Desk) -> None:
    _, (owed,) = books.invoice(A, "2026-01-10", books.line(A, "100.00", maturity_date="2026-02-10"), total="100.00")
    [paid] = books.move("cash", "2026-02-20", books.line(A, "-99.00"))
    [lost] = books.move("write-off", "2026-02-20", books.line(A, "-1.00"))
    books.reconcile(owed, paid, lost)
    found = books.facts()
    assert [(p.kind, p.amount) for p in _of(found, Payment)] == [("receipt", 9900), ("write_off", 100)]
    assert _open(found) == []


def test_money_back_is_a_refund_and_closes_the_credit_note(books: Desk) -> None:
    _, (given,) = books.invoice(A, "2026-01-20", books.line(A, "-80.00"), total="-80.00")
    [back] = books.move("cash", "2026-02-01", books.line(A, "80.00"))
    books.reconcile(given, back)
    found = books.facts()
    assert [(p.kind, p.amount) for p in _of(found, Payment)] == [("refund", 8000)]
    assert _open(found) == []


def test_an_exchange_difference_has_no_amount(books: Desk) -> None:
    _, (owed,) = books.invoice(
        A, "2026-01-10", books.line(A, "710.00", ("100.00", "USD"), maturity_date="2026-02-10"), total="100.00"
    )
    [paid] = books.move("cash", "2026-02-20", books.line(A, "-700.00", ("-100.00", "USD")))
    [lost] = books.move("write-off", "2026-02-20", books.line(A, "-10.00"))
    books.reconcile(owed, paid, lost)
    found = books.facts()
    assert [(d.kind, d.currency, d.amount, d.base_amount) for d in _of(found, Document)] == [
        ("invoice", "USD", 10000, 71000),
        ("credit_note", "USD", 0, 1000),
    ]
    assert [(a.amount, a.base_amount) for a in _of(found, Application)] == [
        (Decimal("100.00"), Decimal("700.00")),
        (Decimal(0), Decimal("10.00")),
    ]


def test_a_short_payment_in_dollars_with_write_off_and_difference(books: Desk) -> None:
    _, (owed,) = books.invoice(
        A, "2026-01-10", books.line(A, "710.00", ("100.00", "USD"), maturity_date="2026-02-10"), total="100.00"
    )
    [paid] = books.move("cash", "2026-02-20", books.line(A, "-665.00", ("-95.00", "USD")))
    [lost] = books.move("write-off", "2026-02-20", books.line(A, "-35.00", ("-5.00", "USD")))
    [rest] = books.move("write-off", "2026-02-20", books.line(A, "-10.00"))
    books.reconcile(owed, paid, lost, rest)
    found = books.facts()
    assert [(p.kind, p.currency, p.amount) for p in _of(found, Payment)] == [
        ("receipt", "USD", 9500),
        ("write_off", "USD", 500),
    ]
    assert sum(a.base_amount for a in _of(found, Application)) == Decimal("710.00")
    assert _open(found) == []


def test_a_rescheduled_invoice_lives_on_in_new_instalments(books: Desk) -> None:
    """The old instalment is closed by a line of the additional move, which is no money; the new ones are its heirs."""
    number, (old,) = books.invoice(A, "2026-01-10", books.line(A, "90.00", maturity_date="2026-02-10"), total="90.00")
    out, one, _ = books.move(
        "revenue",
        "2026-02-11",
        books.line(A, "-90.00"),
        books.line(A, "45.00", maturity_date="2026-12-10"),
        books.line(A, "45.00", maturity_date="2027-01-10"),
        origin=f"account.invoice,{number}",
    )
    move = books.rows.all("account.move.line")[out]["move"]
    books.change("account.invoice", number, additional_moves=[move])
    books.reconcile(old, out)
    [paid] = books.move("cash", "2026-02-20", books.line(A, "-50.00", invoice_payment=number))
    found = books.facts()
    assert _of(found, Payment)[0].id == f"line:{paid}"
    assert [(d.kind, d.number, d.amount) for d in _of(found, Document)] == [
        ("invoice", "INV-2026-01-10", 9000),
        ("credit_note", "INV-2026-01-10", 9000),
        ("invoice", "INV-2026-01-10", 4500),
        ("invoice", "INV-2026-01-10", 4500),
    ]
    # The receipt pays the new instalments, the earlier one first.
    assert {(a.to_id, a.amount) for a in _of(found, Application)} >= {(f"line:{one}", Decimal("45.00"))}
    assert _open(found) == [("invoice", Decimal("40.00"))]


def test_an_opening_balance_and_an_advance_stand_for_themselves(books: Desk) -> None:
    books.move("write-off", "2026-01-01", books.line(A, "500.00"), books.line(B, "70.00"))
    books.move("cash", "2026-02-01", books.line(A, "-30.00"))
    found = books.facts()
    assert [(d.customer_id, d.kind, d.amount) for d in _of(found, Document)] == [
        (A, "debit_note", 50000),
        (B, "debit_note", 7000),
    ]
    assert _open(found) == [
        ("debit_note", Decimal("500.00")),
        ("debit_note", Decimal("70.00")),
        ("receipt", Decimal("-30.00")),
    ]


def test_a_draft_move_is_a_draft_and_its_receipts_are_not_there_yet(books: Desk) -> None:
    books.move("revenue", "2026-01-01", books.line(A, "500.00"), state="draft")
    books.move("cash", "2026-01-02", books.line(A, "-30.00"), state="draft")
    found = books.facts()
    assert [d.status for d in _of(found, Document)] == ["draft"]
    assert _of(found, Payment) == []
    assert _open(found) == []


def test_a_blocked_dunning_is_a_dispute(books: Desk) -> None:
    _, (owed,) = books.invoice(A, "2026-01-10", books.line(A, "100.00", maturity_date="2026-02-10"), total="100.00")
    rows = books.rows
    rows.add("account.dunning", {"line": owed, "blocked": True}, rows.stamp())
    [document] = _of(books.facts(), Document)
    assert document.disputed_amount == 10000


def test_a_dispute_belongs_to_the_instalment_whose_dunning_is_blocked(books: Desk) -> None:
    first = books.line(A, "60.00", maturity_date="2026-02-10")
    second = books.line(A, "40.00", maturity_date="2026-03-10")
    _, (_, later) = books.invoice(A, "2026-01-10", first, second, total="100.00")
    books.rows.add("account.dunning", {"line": later, "blocked": True}, books.rows.stamp())
    found = books.facts()
    [document] = _of(found, Document)
    assert document.disputed_amount == 4000
    assert [(i.amount, i.base_amount, i.disputed_amount) for i in _of(found, Instalment)] == [
        (Decimal("60.00"), Decimal("60.00"), 0),
        (Decimal("40.00"), Decimal("40.00"), Decimal("40.00")),
    ]


def test_without_the_right_to_see_dunnings_the_rest_is_read(books: Desk) -> None:
    books.invoice(A, "2026-01-10", books.line(A, "100.00", maturity_date="2026-02-10"), total="100.00")
    books.client._known["account.dunning"] = False
    assert len(_of(books.facts(), Document)) == 1


def test_a_receipt_set_against_an_invoice_shows_in_the_changes(books: Desk) -> None:
    """The instalment's own row does not move: the invoice's does."""
    from adapters.tryton import ledger

    number, (owed,) = books.invoice(
        A, "2026-01-10", books.line(A, "100.00", maturity_date="2026-02-10"), total="100.00"
    )
    books.invoice(B, "2026-01-10", books.line(B, "100.00", maturity_date="2026-02-10"), total="100.00")
    books.client.settings.overlap_minutes = 0
    *_, last = ledger.read(books.client, None, ())
    before = books.rows.all("account.move.line")[owed]["last_modified_at"]
    [paid] = books.move("cash", "2026-02-20", books.line(A, "-40.00", invoice_payment=number))
    assert books.rows.all("account.move.line")[owed]["last_modified_at"] == before
    changed = {r.key for page in ledger.read(books.client, last.cursor, ()) for r in page.records}
    moves = books.rows.all("account.move.line")
    assert {str(moves[owed]["move"]), str(moves[paid]["move"])} <= changed
