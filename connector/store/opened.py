"""Opened: every piece that is open on a day, as one query that sums are taken of.

For today this reads one index: the open items, one customer after the other. For an earlier day, what has happened since
is taken back: only items with something dated later are added up anew. Documents with instalments stand in pieces.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Double,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy import table as sql_table

from connector.store import balances, bulk
from connector.store.tables import application, item, part

# Up to so many customers their keys stand in the statement itself; more are matched by a list in one parameter.
_FEW = 50


@dataclass(frozen=True)
class Asked:
    """What a sum is asked for: the day, whose items, and whether in the ledger's currency."""

    tx: Connection
    as_of: dt.date
    customers: Collection[int] | None = None
    systems: Collection[int] | None = None
    company: str | None = None
    ledger: bool = False
    ledger_currency: str | None = None

    def mine(self, chosen: Select[Any], c: Any) -> Select[Any]:
        """The same question about the customers, systems and company asked for only."""
        if self.customers is not None:
            few = len(self.customers) <= _FEW
            keys = list(self.customers)
            chosen = chosen.where(c.customer.in_(keys) if few else bulk.among(self.tx, c.customer, keys))
        if self.systems is not None:
            chosen = chosen.where(c.system.in_(list(self.systems)))
        if self.company is not None:
            chosen = chosen.where(c.company == self.company)
        return chosen

    def currency(self, own: Any, base: Any) -> Any:
        """The currency a value counts in: the ledger's where it has a base value and that is asked for."""
        if not self.ledger:
            return own
        return case((base.is_not(None), literal(self.ledger_currency or "", Text())), else_=own)

    def value(self, own: Any, base: Any) -> Any:
        """The value that counts."""
        return func.coalesce(base, own) if self.ledger else own


def opened(asked: Asked) -> Any:
    """Every piece open at the end of the day, signed: customer, currency, family, kind, acceptance, issued_on, due_on,
    disputed, value, ref."""
    i, p, day = item.c, part.c, asked.as_of
    still = and_(i.open == bulk.literal(1), i.last_on <= day)
    disputed = func.coalesce(i.disputed, 0)
    selects = [
        _chosen(asked, i.due_on, disputed, i.open_value, i.open_base).where(still, i.parts == bulk.literal(0)),
        _chosen(asked, p.due_on, p.disputed, p.open_value, p.open_base)
        .join(part, p.item == i.id)
        .where(still, i.parts > bulk.literal(0)),
    ]
    value, base = _then(day, i.value, "value"), _then(day, i.base_value, "base")
    selects += [
        _chosen(asked, i.due_on, disputed, value, base).where(when, i.parts == bulk.literal(0))
        for when in _touched_later(day)
    ]
    if _stage_pieces(asked):
        s = _STAGED.c
        selects.append(_chosen(asked, s.due_on, s.disputed, s.value, s.base).join(_STAGED, s.item == i.id))
    return union_all(*selects).subquery("opened")


def open_ids(asked: Asked) -> list[int]:
    """The keys of the items that had something open, or something dated later, at the end of the day."""
    i = item.c
    still = and_(i.open == bulk.literal(1), i.issued_on <= asked.as_of)
    found: list[int] = []
    for when in (still, _touched_later(asked.as_of)[1]):
        found += asked.tx.execute(asked.mine(select(i.id).where(when, i.posted == bulk.literal(1)), i)).scalars()
    return found


def _touched_later(day: dt.date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Still open, and no longer open, with something dated after the day. Two questions: each has its own index."""
    i = item.c
    return (
        and_(i.open == bulk.literal(1), i.last_on > day, i.issued_on <= day),
        and_(i.open == bulk.literal(0), i.settled_on > day, i.issued_on <= day),
    )


def _chosen(asked: Asked, due_on: Any, disputed: Any, value: Any, base: Any) -> Select[Any]:
    i = item.c
    if asked.ledger:
        disputed = _in_proportion(disputed, base, value)
    chosen = select(
        i.customer.label("customer"),
        asked.currency(i.currency, base).label("currency"),
        i.family.label("family"),
        i.kind.label("kind"),
        i.acceptance.label("acceptance"),
        i.issued_on.label("issued_on"),
        due_on.label("due_on"),
        disputed.label("disputed"),
        asked.value(value, base).label("value"),
        i.ref.label("ref"),
    ).select_from(item)
    return asked.mine(chosen, i).where(i.posted == bulk.literal(1))


def _in_proportion(disputed: Any, base: Any, value: Any) -> Any:
    """The disputed part of a debt in the ledger's currency. A part of a part: no ledger keeps it, so it is rounded."""
    return case(
        (or_(disputed == 0, base.is_(None), base == value), disputed),
        (or_(value == 0, disputed >= value), base),
        else_=cast(func.round(cast(base, Double) * disputed / value), BigInteger),
    )


def _then(day: dt.date, whole: Any, name: str) -> Any:
    """What was open of an item at the end of a day: the whole, and what was applied to it and from it by then."""
    a = application.c

    def applied(end: Any, amount: Any) -> Any:
        counted = and_(a.since <= day, or_(a.until.is_(None), a.until > day))
        # SUM of whole numbers is a NUMERIC on PostgreSQL, and stays exact when it becomes whole again.
        total = cast(func.coalesce(func.sum(amount), 0), BigInteger)
        return select(total).where(end == item.c.id, counted).correlate(item).scalar_subquery()

    return whole + applied(a.to_item, a[f"to_{name}"]) + applied(a.from_item, a[f"from_{name}"])


# --- documents in pieces on an earlier day ------------------------------------------------------------------------------
_STAGED = sql_table(
    "piece_then",
    column("item", BigInteger),
    column("due_on", Date),
    column("disputed", BigInteger),
    column("value", BigInteger),
    column("base", BigInteger),
)
_STAGED_COLUMNS = "item BIGINT, due_on DATE, disputed BIGINT, value BIGINT, base BIGINT"


def _stage_pieces(asked: Asked) -> bool:
    """Puts the pieces of documents with instalments, as they stood at the end of the day, into a temporary table."""
    i = item.c
    ids: list[int] = []
    for when in _touched_later(asked.as_of):
        chosen = select(i.id).where(when, i.parts > bulk.literal(0), i.posted == bulk.literal(1))
        ids += asked.tx.execute(asked.mine(chosen, i)).scalars()
    rows: Sequence[tuple[Any, ...]] = [
        (balance.id, piece.due_on, piece.disputed, piece.open_value, piece.open_base)
        for balance in balances.load(asked.tx, ids)
        for piece in balances.pieces(balance, asked.as_of)
        if piece.open_value or piece.open_base
    ]
    if rows:
        bulk.stage(asked.tx, _STAGED.name, _STAGED_COLUMNS, rows)
    return bool(rows)
