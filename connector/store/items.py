"""Items: documents and payments as rows of one table, signed by their kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy import text as sql

from connector.model import Document, Payment
from connector.store import amendments, bulk, echoes
from connector.store.echoes import Said, Word
from connector.store.keys import interned
from connector.store.page import Saving, newest
from connector.store.tables import customer, dunning, item, part

# Positive: the customer owes us.
SIGN = {
    "invoice": 1,
    "debit_note": 1,
    "credit_note": -1,
    "bill_of_exchange": 1,
    "receipt": -1,
    "write_off": -1,
    "refund": 1,
}
BILL = "bill_of_exchange"
# What an item counts as; drafts and bills stand beside the balance.
DOCUMENT, PAYMENT, COMMERCIAL_BILL, BANK_BILL, DRAFT, DRAFT_BILL = range(6)
# The family of each of the two kinds of fact.
FAMILY = {"document": "d", "payment": "p"}
_SOLD = {"invoice", "debit_note", "credit_note"}

# What the system said of an item, in the order of the rows below.
SAID = (
    "record",
    "customer",
    "kind",
    "number",
    "issued_on",
    "due_on",
    "stated_due_on",
    "terms",
    "currency",
    "value",
    "base_value",
    "disputed",
    "company",
    "order_ref",
    "posted",
    "acceptance",
    "voided_on",
    "sort",
)
_COLUMNS = (
    "id",
    "system",
    "family",
    "ref",
    *SAID,
    "parts",
    "open_value",
    "open_base",
    "last_on",
    "settled_on",
    "open",
)
_CUSTOMER, _KIND, _ISSUED, _CURRENCY, _VALUE, _POSTED, _VOIDED = (
    SAID.index(name) for name in ("customer", "kind", "issued_on", "currency", "value", "posted", "voided_on")
)


def due_on(fact: Document) -> dt.date | None:
    """The due date as stated, else by the terms; a credit note without either is due on its own day."""
    if fact.due_on:
        return fact.due_on
    if fact.terms:
        from connector.credit.ageing import due_date

        try:
            return due_date(fact.issued_on, fact.terms)
        except ValueError:
            return None  # reported as an item without a due date
    return fact.issued_on if fact.kind == "credit_note" else None


def sort_of(fact: Document) -> int:
    """What a document counts as. A bill of which nothing is said is taken for a commercial one: that is the riskier."""
    if fact.kind == BILL:
        if fact.status != "posted":
            return DRAFT_BILL
        return BANK_BILL if fact.acceptance == "bank" else COMMERCIAL_BILL
    return DOCUMENT if fact.status == "posted" else DRAFT


def _document(record: int, key: int, fact: Document) -> Word:
    sign = SIGN[fact.kind]
    return (
        record,
        key,
        fact.kind,
        fact.number,
        fact.issued_on,
        due_on(fact),
        fact.due_on,
        fact.terms,
        fact.currency,
        sign * fact.amount,
        None if fact.base_amount is None else sign * fact.base_amount,
        fact.disputed_amount,
        fact.company,
        fact.order_id,
        1 if fact.status == "posted" else 0,
        fact.acceptance,
        fact.voided_on,
        sort_of(fact),
    )


def _payment(record: int, key: int, fact: Payment) -> Word:
    sign = SIGN[fact.kind]
    return (
        record,
        key,
        fact.kind,
        None,
        fact.received_on,
        fact.received_on,
        None,
        None,
        fact.currency,
        sign * fact.amount,
        None if fact.base_amount is None else sign * fact.base_amount,
        None,
        fact.company,
        None,
        1,
        None,
        fact.voided_on,
        PAYMENT,
    )


def save_documents(saving: Saving, facts: Sequence[tuple[int, Document]]) -> None:
    """Documents of a page, each with its record."""
    keys = interned(saving.tx, customer, saving.system, {fact.customer_id for _, fact in facts})
    words, before = newest(facts)
    save_said(
        saving,
        Said(
            {fact.id: _document(record, keys[fact.customer_id], fact) for record, fact in words},
            [(fact.id, _document(record, keys[fact.customer_id], fact)) for record, fact in before],
        ),
        "document",
    )


def save_payments(saving: Saving, facts: Sequence[tuple[int, Payment]]) -> None:
    """Payments of a page, each with its record."""
    keys = interned(saving.tx, customer, saving.system, {fact.customer_id for _, fact in facts})
    words, before = newest(facts)
    save_said(
        saving,
        Said(
            {fact.id: _payment(record, keys[fact.customer_id], fact) for record, fact in words},
            [(fact.id, _payment(record, keys[fact.customer_id], fact)) for record, fact in before],
        ),
        "payment",
    )


def save_said(saving: Saving, heard: Said, kind: str) -> None:
    """Documents or payments as the table has them."""
    said = heard.words
    if not said:
        return
    tx, family = saving.tx, FAMILY[kind]
    there = echoes.standing(saving, item, SAID, said, family)
    new = [ref for ref in said if ref not in there]
    rows = []
    for key, ref in zip(bulk.new_ids(tx, item, len(new)), new, strict=True):
        now = said[ref]
        value, base, voided = now[_VALUE], now[_VALUE + 1], now[_VOIDED]
        # Nothing is applied to it yet; what waits for it is found when the page's applications are resolved.
        settled = voided if value or base else now[_ISSUED] if voided is None else min(voided, now[_ISSUED])
        is_open = 1 if settled is None else 0
        rows.append((key, saving.system, family, ref, *now, 0, value, base, now[_ISSUED], settled, is_open))
        saving.touched.add(now[_CUSTOMER])
        _sell(saving, now, 1)
    bulk.insert(tx, item, _COLUMNS, rows)
    saving.arrived.update(new)

    changed = []
    moved = []
    replaced = []
    amended: dict[int, int] = {}
    for ref, (key, before) in there.items():
        now = said[ref]
        if now == before:
            continue
        changed.append((*now, key))
        if now[0] != before[0]:
            replaced.append((ref, before))
        if now[1:] != before[1:]:  # more than the record it comes from
            saving.touched.update((before[_CUSTOMER], now[_CUSTOMER]))
            saving.unsettled.add(key)
            saving.upset.add(key)
            amended[key] = now[_CUSTOMER]
            if now[_CUSTOMER] != before[_CUSTOMER] and family == "d":
                moved.append((now[_CUSTOMER], saving.system, ref))
            _sell(saving, before, -1)
            _sell(saving, now, 1)
    amendments.note(saving, amendments.ITEM, amended)
    amendments.moved(saving, amended)
    bulk.update(tx, item, SAID, changed)
    echoes.keep(saving, kind, SAID, heard, replaced)
    # How far it has been dunned goes with it.
    bulk.update(tx, dunning, ("customer",), moved, by=("system", "document_ref"))


def remove(saving: Saving, ids: Collection[int]) -> None:
    """Items that are gone; what was applied to them waits again."""
    from connector.store import applications

    if not ids:
        return
    tx = saving.tx
    for row in tx.execute(select(*(item.c[name] for name in SAID)).where(bulk.among(tx, item.c.id, ids))):
        saving.touched.add(row.customer)
        _sell(saving, tuple(row), -1)
    amendments.note(saving, amendments.ITEM, ids, gone=True)
    applications.let_go(saving, ids)
    saving.unsettled.difference_update(ids)
    saving.upset.difference_update(ids)
    bulk.delete_by(tx, part.c.item, ids)
    bulk.delete(tx, item, ids)


def _sell(saving: Saving, said: Word, times: int) -> None:
    if said[_KIND] in _SOLD and said[_POSTED] and said[_VOIDED] is None:
        month = said[_ISSUED].replace(day=1)
        sums = saving.sales.setdefault((said[_CUSTOMER], said[_CURRENCY], month), [0, 0])
        sums[0] += times * said[_VALUE]
        sums[1] += times


def save_sales(saving: Saving) -> None:
    """Adds what the page changed to the summary of sales by month."""
    rows = [(*key, value, count) for key, (value, count) in sorted(saving.sales.items()) if value or count]
    saving.sales.clear()
    if not rows:
        return
    bulk.many(
        saving.tx,
        "INSERT INTO sales (customer, currency, month, value, documents) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (customer, currency, month) DO UPDATE "
        "SET value = sales.value + excluded.value, documents = sales.documents + excluded.documents",
        rows,
    )


def rebuild_sales(saving: Saving) -> None:
    """Makes the summary of sales anew from the documents: the nightly proof that upkeep lost nothing."""
    tx = saving.tx
    tx.execute(sql("DELETE FROM sales"))
    for row in tx.execute(select(*(item.c[name] for name in SAID)).where(item.c.family == "d")):
        _sell(saving, tuple(row), 1)
    save_sales(saving)
