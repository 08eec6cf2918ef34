"""Known: the facts behind a customer's open items, as they are known now, or as they were known when a decision was made.

What was known then is what is there now, less what came later (keys above `Upto`), with what was changed or removed since
as it was before (`amendments`). On PostgreSQL a page that was being saved while a decision was made may count as known
then; whoever compares says what is left unexplained.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from connector.credit.moved_figures import Ledger
from connector.model import Application, Document, Instalment, Payment
from connector.store import amendments, bulk
from connector.store.amendments import APPLICATION, INSTALMENT, ITEM, KEPT, Amended, Upto
from connector.store.items import SIGN
from connector.store.keys import system_names
from connector.store.tables import application, customer, instalment, item

_ITEM = ("id", "system", "family", "ref", *amendments.KEPT[ITEM])
_APPLICATION = ("id", "system", "ref", *amendments.KEPT[APPLICATION])
_INSTALMENT = ("id", "system", "ref", *amendments.KEPT[INSTALMENT])
Row = Mapping[str, Any]
# The system and the id of customers, by key.
Refs = Mapping[int, tuple[int, str]]


@dataclass
class _Then:
    """What was changed or removed since, by kind and key, as it was; and how far the keys went."""

    tx: Connection
    upto: Upto | None
    before: Mapping[tuple[str, int], Amended]

    def of(self, kind: str, rows: Iterable[Row]) -> list[Row]:
        """Rows as they were known; those that were changed or removed since come from `changed`."""
        if self.upto is None:
            return list(rows)
        highest = getattr(self.upto, kind)
        old = [row for row in rows if row["id"] <= highest]
        amended = amendments.amended(self.tx, kind, [row["id"] for row in old], self.upto.amendment)
        return [row for row in old if row["id"] not in amended]

    def changed(self, kind: str) -> list[Row]:
        """Rows that were changed or removed since, as they were then."""
        if self.upto is None:
            return []
        highest = getattr(self.upto, kind)
        return [
            {"id": key, **one.said} for (which, key), one in self.before.items() if which == kind and key <= highest
        ]


class Reading:
    """The facts of some customers' items, read once, to be seen as they are known now and as they were at some moments.

    With `since` only those items are keys of the ledgers that have anything open at the end of that day or of a later one,
    by what is known now or was at one of the `moments` of its own day or of earlier ones: what was settled before, or on
    the day it came, moves nothing. A customer of years has few others.
    """

    def __init__(
        self,
        tx: Connection,
        customers: Collection[int],
        moments: Mapping[Upto, dt.date],
        since: dt.date | None = None,
    ) -> None:
        self.customers, self._tx = customers, tx
        self._then = {one: _Then(tx, one, amendments.since(tx, customers, one.amendment)) for one in moments}
        self._now: dict[str, Ledger] | None = None
        changed = {kind: [row for then in self._then.values() for row in then.changed(kind)] for kind in KEPT}
        self._items = _items(tx, item.c.customer, customers) if since is None else self._lively(since, moments, changed)
        mine = [row for row in (*self._items, *changed[ITEM]) if row["customer"] in customers]
        # What may be compared; of other items among the facts not all is read.
        self._only = None if since is None else {(row["system"], row["family"], row["ref"]) for row in mine}
        self._uses = _uses(tx, mine)
        refs: dict[int, set[str]] = defaultdict(set)
        for use in (*self._uses, *changed[APPLICATION]):
            refs[use["system"]].update((use["from_ref"], use["to_ref"]))
        known = {row["id"] for row in self._items}
        self._others = [
            row
            for system, names in refs.items()
            for row in _items(tx, item.c.ref, names, system)
            if row["id"] not in known and (since is not None or row["customer"] not in customers)
        ]
        papers = defaultdict(set)
        for row in (*self._items, *self._others, *changed[ITEM]):
            if row["family"] == "d":
                papers[row["system"]].add(row["ref"])
        self._parts = [row for system, names in papers.items() for row in _parts(tx, system, names)]
        self._facts: dict[int, tuple[Row, Any]] = {}
        self._whose: dict[int, tuple[int, str]] = {}

    def ledgers(self, upto: Upto | None = None) -> list[Ledger]:
        """By system, as known now, or as known at one of the moments."""
        then = self._then[upto] if upto is not None else _Then(self._tx, None, {})
        items = then.of(ITEM, self._items) + then.changed(ITEM)
        known = {row["id"] for row in items}
        items += [row for row in then.of(ITEM, self._others) if row["id"] not in known]
        uses = then.of(APPLICATION, self._uses) + then.changed(APPLICATION)
        parts = then.of(INSTALMENT, self._parts) + then.changed(INSTALMENT)
        made = self._made(items, uses, parts)
        if upto is None:
            self._now = {one.system: one for one in made}
        return made

    def _lively(
        self, since: dt.date, moments: Mapping[Upto, dt.date], changed: Mapping[str, Sequence[Row]]
    ) -> list[Row]:
        """The items that have anything open at the end of a day, and those of which anything came or changed after one of
        the moments that is dated before."""
        c, a, i, tx = item.c, application.c, instalment.c, self._tx
        mine = bulk.among(tx, c.customer, self.customers)
        asked = select(*(c[name] for name in _ITEM))
        found = [_rows(tx, asked.where(mine, _open_since(since)))]
        late: set[int] = set()
        of = and_(c.system == i.system, c.ref == i.document_ref, c.family == "d")
        for upto, day in moments.items():
            for end in (a.from_item, a.to_item):
                came = select(c.id).join_from(application, item, c.id == end)
                late |= set(tx.execute(came.where(a.id > upto.application, a.applied_on <= day, mine)).scalars())
            cut = select(c.id).join_from(instalment, item, of)
            late |= set(tx.execute(cut.where(i.id > upto.instalment, c.issued_on <= day, mine)).scalars())
        found.append(_rows(tx, asked.where(bulk.among(tx, c.id, late))) if late else [])
        names: dict[int, set[str]] = defaultdict(set)
        for kind, rows in changed.items():
            for row in rows:
                names[row["system"]].update(row[end] for end in _ENDS[kind])
        found += [
            _rows(tx, asked.where(c.system == system, mine, bulk.among(tx, c.ref, refs)))
            for system, refs in names.items()
        ]
        return list({row["id"]: row for rows in found for row in rows}.values())

    # --- as facts -------------------------------------------------------------------------------------------------
    def _made(self, items: Collection[Row], uses: Collection[Row], parts: Collection[Row]) -> list[Ledger]:
        names = system_names(self._tx)
        keys = {*self.customers, *(row["customer"] for row in items)} - self._whose.keys()
        asked = select(customer.c.id, customer.c.system, customer.c.ref).where(
            bulk.among(self._tx, customer.c.id, keys)
        )
        self._whose |= {key: (system, ref) for key, system, ref in self._tx.execute(asked)} if keys else {}
        mine: dict[int, list[str]] = defaultdict(list)
        for key in self.customers:
            mine[self._whose[key][0]].append(self._whose[key][1])
        made = []
        for system, own in sorted(mine.items()):
            here = [row for row in items if row["system"] == system]
            made.append(
                Ledger(
                    names[system],
                    sorted(own),
                    [self._fact(row, _document) for row in here if row["family"] == "d"],
                    [self._fact(row, _instalment) for row in parts if row["system"] == system],
                    [self._fact(row, _payment) for row in here if row["family"] == "p"],
                    [self._fact(row, _application) for row in uses if row["system"] == system],
                    None if self._only is None else {(family, ref) for at, family, ref in self._only if at == system},
                    self._now.get(names[system]) if self._now is not None else None,
                )
            )
        return made

    def _fact(self, row: Row, make: Callable[[Row, Refs], Any]) -> Any:
        """The fact that a row says; of one row always the same one."""
        found = self._facts.get(id(row))
        if found is None:
            found = self._facts[id(row)] = (row, make(row, self._whose))
        return found[1]


# By which names a fact is of an item.
_ENDS = {ITEM: ("ref",), APPLICATION: ("from_ref", "to_ref"), INSTALMENT: ("document_ref",)}


def _open_since(day: dt.date) -> ColumnElement[bool]:
    """Items with anything open at the end of a day or of a later one."""
    c = item.c
    return or_(c.settled_on.is_(None), and_(c.settled_on > day, c.settled_on > c.issued_on))


def count(tx: Connection, customers: Collection[int], since: dt.date, most: int) -> int:
    """How many items of some customers have anything open at the end of a day or later, counted up to so many."""
    mine = bulk.among(tx, item.c.customer, customers)
    some = select(item.c.id).where(mine, _open_since(since)).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def ledgers(tx: Connection, customers: Collection[int], upto: Upto | None = None) -> list[Ledger]:
    """The facts of some customers' open items by system: as known now, or as known up to somewhere."""
    return Reading(tx, customers, {} if upto is None else {upto: dt.date.max}).ledgers(upto)


def _items(tx: Connection, column: Any, wanted: Collection[Any], system: int | None = None) -> list[Row]:
    asked = select(*(item.c[name] for name in _ITEM)).where(bulk.among(tx, column, wanted))
    if system is not None:
        asked = asked.where(item.c.system == system, item.c.family.in_(("d", "p")))
    return _rows(tx, asked)


def _uses(tx: Connection, items: Collection[Row]) -> list[Row]:
    """What is set against some items: found already, or still looking for its ends by name."""
    a = application.c
    asked = select(*(a[name] for name in _APPLICATION))
    ids = [row["id"] for row in items]
    found = [row for end in (a.from_item, a.to_item) for row in _rows(tx, asked.where(bulk.among(tx, end, ids)))]
    names: dict[int, set[str]] = defaultdict(set)
    for row in items:
        names[row["system"]].add(row["ref"])
    for system, refs in names.items():
        for end in (a.from_ref, a.to_ref):
            loose = asked.where(a.system == system, a.firm == bulk.literal(0), bulk.among(tx, end, refs))
            found += _rows(tx, loose)
    return sorted({row["id"]: row for row in found}.values(), key=lambda row: row["id"])


def _parts(tx: Connection, system: int, papers: Collection[str]) -> list[Row]:
    i = instalment.c
    return _rows(
        tx,
        select(*(i[name] for name in _INSTALMENT)).where(i.system == system, bulk.among(tx, i.document_ref, papers)),
    )


def _rows(tx: Connection, asked: Any) -> list[Row]:
    return [cast(Row, row) for row in tx.execute(asked).mappings().all()]


# --- as facts ---------------------------------------------------------------------------------------------------------
def _document(row: Row, refs: Refs) -> Document:
    return Document(
        id=row["ref"],
        customer_id=refs[row["customer"]][1],
        kind=row["kind"],
        number=row.get("number"),
        issued_on=row["issued_on"],
        due_on=row.get("due_on"),
        currency=row["currency"],
        amount=SIGN[row["kind"]] * int(row["value"]),
        disputed_amount=None if row.get("disputed") is None else int(row["disputed"]),
        voided_on=row.get("voided_on"),
        status="posted" if row["posted"] else "draft",
        acceptance=row.get("acceptance"),
    )


def _payment(row: Row, refs: Refs) -> Payment:
    return Payment(
        id=row["ref"],
        customer_id=refs[row["customer"]][1],
        received_on=row["issued_on"],
        currency=row["currency"],
        amount=SIGN[row["kind"]] * int(row["value"]),
        kind=row["kind"],
        voided_on=row.get("voided_on"),
    )


def _application(row: Row, _refs: Refs) -> Application:
    return Application(
        id=row["ref"],
        from_id=row["from_ref"],
        to_id=row["to_ref"],
        instalment_number=row.get("instalment"),
        amount=Decimal(row["amount"]),
        from_amount=_decimal(row.get("from_amount")),
        applied_on=row["applied_on"],
        reversed_on=row.get("reversed_on"),
    )


def _instalment(row: Row, _refs: Refs) -> Instalment:
    return Instalment(
        document_id=row["document_ref"],
        number=row["number"],
        due_on=row["due_on"],
        amount=Decimal(row["amount"]),
        disputed_amount=_decimal(row.get("disputed_amount")),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
