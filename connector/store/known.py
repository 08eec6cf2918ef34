"""Known: the facts behind a customer's open items, as they are known now, or as they were known when a decision was made.

What was known then is what is there now, less what came later (keys above `Upto`), with what was changed or removed since
as it was before (`amendments`). On PostgreSQL a page that was being saved while a decision was made may count as known
then; whoever compares says what is left unexplained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Connection, select

from connector.credit.moved_figures import Ledger
from connector.model import Application, Document, Instalment, Payment
from connector.store import amendments, bulk
from connector.store.amendments import APPLICATION, INSTALMENT, ITEM, Amended, Upto
from connector.store.items import SIGN
from connector.store.keys import system_names
from connector.store.tables import application, customer, instalment, item

_ITEM = ("id", "system", "family", "ref", *amendments.KEPT[ITEM])
_APPLICATION = ("id", "system", "ref", *amendments.KEPT[APPLICATION])
_INSTALMENT = ("id", "system", "ref", *amendments.KEPT[INSTALMENT])
Row = Mapping[str, Any]


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


def ledgers(tx: Connection, customers: Collection[int], upto: Upto | None = None) -> list[Ledger]:
    """The facts of some customers' open items by system: as known now, or as known up to somewhere."""
    then = _Then(tx, upto, {})
    if upto is not None:
        then = _Then(tx, upto, amendments.since(tx, customers, upto.amendment))
    items = then.of(ITEM, _items(tx, item.c.customer, customers)) + then.changed(ITEM)
    mine = [row for row in items if row["customer"] in customers]
    uses = then.of(APPLICATION, _uses(tx, mine)) + then.changed(APPLICATION)
    refs: dict[int, set[str]] = defaultdict(set)
    for use in uses:
        refs[use["system"]].update((use["from_ref"], use["to_ref"]))
    known = {row["id"] for row in items}
    for system, names in refs.items():
        others = [r for r in _items(tx, item.c.ref, names, system) if r["customer"] not in customers]
        items += [row for row in then.of(ITEM, others) if row["id"] not in known]
    papers = defaultdict(set)
    for row in items:
        if row["family"] == "d":
            papers[row["system"]].add(row["ref"])
    parts = [r for system, names in papers.items() for r in _parts(tx, system, names)]
    parts = then.of(INSTALMENT, parts) + then.changed(INSTALMENT)
    return _made(tx, customers, items, uses, parts)


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
    return list({row["id"]: row for row in found}.values())


def _parts(tx: Connection, system: int, papers: Collection[str]) -> list[Row]:
    i = instalment.c
    return _rows(
        tx,
        select(*(i[name] for name in _INSTALMENT)).where(i.system == system, bulk.among(tx, i.document_ref, papers)),
    )


def _rows(tx: Connection, asked: Any) -> list[Row]:
    return [cast(Row, row) for row in tx.execute(asked).mappings().all()]


# --- as facts ---------------------------------------------------------------------------------------------------------
def _made(
    tx: Connection,
    customers: Collection[int],
    items: Collection[Row],
    uses: Collection[Row],
    parts: Collection[Row],
) -> list[Ledger]:
    names = system_names(tx)
    c = customer.c
    keys = {*customers, *(row["customer"] for row in items)}
    asked = select(c.id, c.system, c.ref).where(bulk.among(tx, c.id, keys))
    refs = {key: (system, ref) for key, system, ref in tx.execute(asked)}
    mine: dict[int, list[str]] = defaultdict(list)
    for key in customers:
        mine[refs[key][0]].append(refs[key][1])
    made = []
    for system, own in sorted(mine.items()):
        here = [row for row in items if row["system"] == system]
        made.append(
            Ledger(
                names[system],
                sorted(own),
                [_document(row, refs) for row in here if row["family"] == "d"],
                [_instalment(row) for row in parts if row["system"] == system],
                [_payment(row, refs) for row in here if row["family"] == "p"],
                [_application(row) for row in uses if row["system"] == system],
            )
        )
    return made


def _document(row: Row, refs: Mapping[int, tuple[int, str]]) -> Document:
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


def _payment(row: Row, refs: Mapping[int, tuple[int, str]]) -> Payment:
    return Payment(
        id=row["ref"],
        customer_id=refs[row["customer"]][1],
        received_on=row["issued_on"],
        currency=row["currency"],
        amount=SIGN[row["kind"]] * int(row["value"]),
        kind=row["kind"],
        voided_on=row.get("voided_on"),
    )


def _application(row: Row) -> Application:
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


def _instalment(row: Row) -> Instalment:
    return Instalment(
        document_id=row["document_ref"],
        number=row["number"],
        due_on=row["due_on"],
        amount=Decimal(row["amount"]),
        disputed_amount=_decimal(row.get("disputed_amount")),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
