"""Applications: payments and credit notes set against documents, both ends found by name, whichever comes first.

Each keeps, in minor units, what it adds to the signed open value of either end (`from_value`, `to_value`), and the days
between which both ends count. `from` is looked for among receipts, then credit notes, then refunds; `to` among debts,
then refunds, then credit notes: documents and payments may bear the same ids.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, or_, select

from connector.model import Application
from connector.money import to_minor
from connector.store import amendments, bulk, echoes, quick
from connector.store.echoes import Said, Word
from connector.store.items import BILL, SIGN
from connector.store.page import Saving, day_of, newest
from connector.store.tables import application, item

SAID = (
    "record",
    "from_ref",
    "to_ref",
    "instalment",
    "amount",
    "from_amount",
    "base_amount",
    "applied_on",
    "reversed_on",
)
_FOUND = ("from_item", "to_item", "firm", "since", "until", "from_value", "to_value", "from_base", "to_base")
_FROM_RANK = {("p", "receipt"): 0, ("p", "write_off"): 0, ("d", "credit_note"): 1, ("p", "refund"): 2}
_TO_RANK = {("d", "invoice"): 0, ("d", "debit_note"): 0, ("d", BILL): 0, ("p", "refund"): 1, ("d", "credit_note"): 2}


_NOTHING: tuple[Any, ...] = (None, None, 0, None, None, None, None, None, None)


@dataclass(slots=True)
class _Applied:
    """One application between reading and writing: what was said of it, and what was found."""

    id: int
    ref: str
    said: tuple[Any, ...]
    found: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = field(default=None)

    @property
    def record(self) -> int | None:
        return self.said[0]  # type: ignore[no-any-return]


def save(saving: Saving, facts: Sequence[tuple[int, Application]]) -> None:
    """Applications of a page; finds their ends, and those of others that waited for what this page brought."""
    words, before = newest(facts)
    heard = Said({f.ref: _word(record, f) for record, f in words}, [(f.ref, _word(record, f)) for record, f in before])
    save_said(saving, heard)


def _word(record: int, fact: Application) -> Word:
    return (
        record,
        fact.from_id,
        fact.to_id,
        fact.instalment_number,
        fact.amount,
        fact.from_amount,
        fact.base_amount,
        fact.applied_on,
        fact.reversed_on,
    )


def save_said(saving: Saving, heard: Said) -> None:
    """Applications as the table has them; finds their ends, and those of others that waited."""
    tx, said = saving.tx, heard.words
    there = {a.ref: a for a in _load(saving, refs=said)} if said else {}
    new_refs = [ref for ref in said if ref not in there]
    new = [
        _Applied(key, ref, said[ref])
        for key, ref in zip(bulk.new_ids(tx, application, len(new_refs)), new_refs, strict=True)
    ]
    changed, replaced = {}, []
    amended: dict[int, tuple[str, str]] = {}
    for ref, one in there.items():
        before, now = one.said, said[ref]
        if now == before:
            continue
        if now[0] != before[0]:
            replaced.append((ref, before))
        if now[1:] != before[1:]:  # more than the record it comes from
            amended[one.id] = now[1:3]
        one.said = now
        changed[one.id] = one
    amendments.note(saving, amendments.APPLICATION, amended, named=amended)
    again = {a.id: a for a in _waiting(saving)}
    again.update(changed)
    _find_ends(saving, [*new, *again.values()])

    rows = [(one.id, saving.system, one.ref, *_plain(one.said), *(one.found or _NOTHING)) for one in new]
    bulk.insert(tx, application, ("id", "system", "ref", *SAID, *_FOUND), rows)
    bulk.update(
        tx,
        application,
        (*SAID, *_FOUND),
        [
            (*_plain(one.said), *(one.found or _NOTHING), one.id)
            for one in again.values()
            if one.found != one.before or one.id in changed
        ],
    )
    echoes.keep(saving, "application", SAID, heard, replaced)
    for one in (*new, *again.values()):
        if one.found != one.before or one.id in changed:
            for ends in (one.found, one.before):
                saving.unsettled.update(key for key in (ends or ())[:2] if key is not None)


def _plain(said: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(format(v, "f") if v.__class__ is Decimal else v for v in said)


def _load(
    saving: Saving,
    *,
    refs: Collection[str] | None = None,
    waiting_for: Collection[str] | None = None,
    items: Collection[int] | None = None,
) -> list[_Applied]:
    tx = saving.tx
    found: list[Any] = []
    # Two questions rather than one with OR: each has an index of its own.
    for names, values in ((("ref",), refs), (("from_ref", "to_ref"), waiting_for), (("from_item", "to_item"), items)):
        for name in names if values else ():
            given = {"of": saving.system, "ids": bulk.given(tx, values or ())}
            found += quick.rows(tx, _by(bulk.is_sqlite(tx), name), given)
    width = 2 + len(SAID)
    return [_Applied(row[0], row[1], row[2:width], None, row[width:]) for row in found]


@cache
def _by(sqlite: bool, name: str) -> Select[Any]:
    """Applications by what one of their columns says; by the names of their ends only those that may find a better one."""
    c = application.c
    asked = select(c.id, c.ref, *(c[column] for column in (*SAID, *_FOUND))).where(bulk.among_ids(sqlite, c[name]))
    if name in ("from_item", "to_item"):
        return asked
    own = asked.where(bulk.of_system(c.system))
    return own if name == "ref" else own.where(c.firm == bulk.literal(0))


def _waiting(saving: Saving) -> Iterable[_Applied]:
    """Those that may find an end, or a better one, in what this page brought, or whose ends it changed."""
    if saving.arrived or saving.upset:
        yield from _load(saving, waiting_for=saving.arrived, items=saving.upset)
    saving.arrived, saving.upset = set(), set()


# Of an item that may be an end: key, kind, days of issue and of voiding, currency, whether posted, whether in base, too.
_End = tuple[int, str, dt.date, dt.date | None, str, int, int | None]
_NO_RANK = 3
_RANKS = {
    kind: (_FROM_RANK.get(kind, _NO_RANK), _TO_RANK.get(kind, _NO_RANK)) for kind in _FROM_RANK.keys() | _TO_RANK.keys()
}


def _find_ends(saving: Saving, applied: Sequence[_Applied]) -> None:
    if not applied:
        return
    tx = saving.tx
    refs = {one.said[1] for one in applied} | {one.said[2] for one in applied}
    sources: dict[str, tuple[int, _End]] = {}
    aims: dict[str, tuple[int, _End]] = {}
    for row in quick.rows(tx, _ends(bulk.is_sqlite(tx)), {"of": saving.system, "ids": bulk.given(tx, refs)}):
        ref, family, end = row[0], row[1], row[2:]
        from_rank, to_rank = _RANKS.get((family, end[1]), (_NO_RANK, _NO_RANK))
        if ref not in sources or from_rank < sources[ref][0]:
            sources[ref] = (from_rank, end)
        if ref not in aims or to_rank < aims[ref][0]:
            aims[ref] = (to_rank, end)
    decimals = saving.ledger_exponent
    for one in applied:
        one.found = _found(one.said, sources.get(one.said[1]), aims.get(one.said[2]), decimals)


@cache
def _ends(sqlite: bool) -> Select[Any]:
    c = item.c
    asked = select(c.ref, c.family, c.id, c.kind, c.issued_on, c.voided_on, c.currency, c.posted, c.base_value)
    # All families by their names, so that the index of a system's items by family and id is used.
    either = c.family.in_((bulk.word("d"), bulk.word("p")))
    return asked.where(bulk.of_system(c.system), either, bulk.among_ids(sqlite, c.ref))


def _found(
    said: tuple[Any, ...], source_at: tuple[int, _End] | None, aim_at: tuple[int, _End] | None, decimals: int
) -> tuple[Any, ...]:
    if source_at is None or aim_at is None:
        source_id, aim_id = source_at and source_at[1][0], aim_at and aim_at[1][0]
        return (source_id, aim_id, 0, None, None, None, None, None, None)
    from_rank, (source, source_kind, source_on, source_void, source_currency, source_posted, source_base) = source_at
    to_rank, (aim, aim_kind, aim_on, aim_void, aim_currency, aim_posted, aim_base) = aim_at
    firm = 1 if from_rank == 0 and to_rank == 0 else 0
    _, _, _, _, amount, from_amount, base_amount, applied_on, reversed_on = said
    if from_amount is None and source_currency == aim_currency:
        from_amount = amount
    if from_amount is None or not (source_posted and aim_posted):
        return (source, aim, firm, None, None, None, None, None, None)
    # A credit meets a debt and both shrink, whichever of them was called the source (credit/items.py).
    swapped = SIGN[source_kind] > 0 > SIGN[aim_kind] and source_kind != BILL
    way = -1 if swapped else 1
    to_value = -way * to_minor(amount, aim_currency)
    same = from_amount is amount and source_currency == aim_currency
    from_value = -to_value if same else way * to_minor(from_amount, source_currency)
    base = None if base_amount is None else way * to_minor_of(base_amount, decimals)
    # A bill that closes an invoice is still to be cleared itself.
    gives = source_kind != BILL
    return (
        source,
        aim,
        firm,
        max(applied_on, source_on, aim_on),
        day_of((reversed_on, source_void, aim_void)),
        from_value if gives else 0,
        to_value,
        None if base is None or source_base is None else base if gives else 0,
        None if base is None or aim_base is None else -base,
    )


def to_minor_of(amount: Decimal, exponent: int) -> int:
    """Whole minor units of an amount in a currency of which only the decimals are known, rounded half up."""
    return to_minor(amount.scaleb(exponent - 2), "")


def let_go(saving: Saving, items: Collection[int]) -> None:
    """Detaches applications from items that are about to go; they are looked for again by name."""
    for one in _load(saving, items=items):
        saving.arrived.update((one.said[1], one.said[2]))
        saving.unsettled.update(key for key in (one.before or ())[:2] if key is not None and key not in items)
    saving.tx.execute(
        application.update()
        .where(
            or_(
                bulk.among(saving.tx, application.c.from_item, items),
                bulk.among(saving.tx, application.c.to_item, items),
            )
        )
        .values(
            from_item=None,
            to_item=None,
            firm=0,
            since=None,
            until=None,
            from_value=None,
            to_value=None,
            from_base=None,
            to_base=None,
        )
    )


def remove(saving: Saving, ids: Collection[int]) -> None:
    """Applications that are gone."""
    if not ids:
        return
    c = application.c
    for row in saving.tx.execute(select(c.from_item, c.to_item).where(bulk.among(saving.tx, c.id, ids))):
        saving.unsettled.update(key for key in row if key is not None)
    amendments.note(saving, amendments.APPLICATION, ids, gone=True)
    bulk.delete(saving.tx, application, ids)
