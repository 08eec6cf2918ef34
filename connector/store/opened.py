"""Opened: every piece that is open on a day, as queries that sums are taken of.

For today this reads one index: the open items, one customer after the other. For an earlier day, what has happened since
is taken back: only items with something dated later are added up anew. Documents with instalments stand in pieces.

The queries are built once for each shape of question and asked with parameters: building them costs more than answering
them for one customer.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Numeric,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    null,
    or_,
    select,
)
from sqlalchemy import table as sql_table

from connector.store import balances, bulk, quick
from connector.store.items import DRAFT, DRAFT_BILL
from connector.store.pieces import pieces
from connector.store.tables import application, item, part, system

DAY: ColumnElement[dt.date] = bindparam("day", type_=Date)


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes one question another statement; everything else is a parameter."""

    sqlite: bool
    customers: bool
    systems: bool
    company: bool
    ledger: bool

    def mine(self, chosen: Select[Any], c: Any) -> Select[Any]:
        """The same question about the customers, systems and company asked for only."""
        if self.customers:
            chosen = chosen.where(self._among(c.customer, "customers", BigInteger()))
        if self.systems:
            wanted = select(system.c.id).where(self._among(system.c.name, "systems", Text()))
            # Added to, so that no plan begins with the key of a whole system.
            chosen = chosen.where((c.system + bulk.literal(0)).in_(wanted))
        if self.company:
            chosen = chosen.where(c.company == bindparam("company", type_=Text))
        return chosen

    def _among(self, what: Any, name: str, kind: Any) -> Any:
        if self.sqlite:
            return what.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value))
        return what == any_(bindparam(name, type_=ARRAY(kind)))

    def currency(self, own: Any, base: Any) -> Any:
        """The currency a value counts in: the ledger's where it has a base value and that is asked for."""
        if not self.ledger:
            return own
        return case((base.is_not(None), bindparam("ledger_currency", type_=Text)), else_=own)

    def value(self, own: Any, base: Any) -> Any:
        """The value that counts."""
        return func.coalesce(base, own) if self.ledger else own


@dataclass(frozen=True)
class Asked:
    """A question: the day, whose items, and whether in the ledger's currency."""

    tx: Connection
    as_of: dt.date
    customers: Collection[int] | None = None
    systems: Collection[str] | None = None
    company: str | None = None
    ledger_currency: str | None = None

    @property
    def shape(self) -> Shape:
        return Shape(
            bulk.is_sqlite(self.tx),
            self.customers is not None,
            self.systems is not None,
            self.company is not None,
            self.ledger_currency is not None,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the statements that `shape` makes."""
        given: dict[str, Any] = {"day": self.as_of}
        for name, several in (("customers", self.customers), ("systems", self.systems)):
            if several is not None:
                given[name] = json.dumps(list(several)) if bulk.is_sqlite(self.tx) else list(several)
        if self.company is not None:
            given["company"] = self.company
        if self.ledger_currency is not None:
            given["ledger_currency"] = self.ledger_currency
        return given


def sources(shape: Shape, staged: bool) -> list[Select[Any]]:
    """Every piece open at the end of the day, signed, in parts that do not overlap: customer, currency, sort, issued_on,
    due_on, disputed, value, ref, and the whole of its item. `staged`: `stage_pieces` has put pieces into the temporary table."""
    i, p = item.c, part.c
    disputed = func.coalesce(i.disputed, bulk.literal(0))
    is_open, whole = i.open == bulk.literal(1), i.parts == bulk.literal(0)
    then, then_base = _then(i.value, "value"), _then(i.base_value, "base")
    made = [
        _chosen(shape, i.due_on, disputed, i.open_value, i.open_base).where(is_open, whole, i.last_on <= DAY),
        _chosen(shape, p.due_on, p.disputed, p.open_value, p.open_base)
        .join(part, p.item == i.id)
        .where(is_open, i.parts > bulk.literal(0), i.last_on <= DAY),
        # With something dated later, still open or not any more: added up anew. OFFSET 0 is a fence: without it the
        # databases would add up once for every use of the value.
        _chosen(shape, i.due_on, disputed, then, then_base).where(is_open, whole, i.last_on > DAY).offset(0),
        _chosen(shape, i.due_on, disputed, then, then_base).where(_settled_later(), whole).offset(0),
    ]
    if staged:
        s = _STAGED.c
        made.append(_chosen(shape, s.due_on, s.disputed, s.value, s.base).join(_STAGED, s.item == i.id))
    return [_in_view(shape, one.subquery("raw")) for one in made]


def open_ids(asked: Asked) -> list[int]:
    """The keys of the items that had something open, or something dated later, at the end of the day."""
    shape = asked.shape
    found: list[int] = []
    for when in (item.c.open == bulk.literal(1), _settled_later()):
        chosen = select(item.c.id).where(when, item.c.issued_on <= DAY, item.c.sort < bulk.literal(DRAFT))
        found += asked.tx.execute(shape.mine(chosen, item.c), asked.parameters).scalars()
    return found


def _settled_later() -> ColumnElement[bool]:
    return and_(item.c.open == bulk.literal(0), item.c.settled_on > DAY)


def _chosen(shape: Shape, due_on: Any, disputed: Any, value: Any, base: Any) -> Select[Any]:
    i = item.c
    chosen = select(
        i.customer,
        i.currency,
        i.sort,
        i.issued_on,
        due_on.label("due_on"),
        disputed.label("disputed"),
        value.label("value"),
        (base if shape.ledger else null()).label("base"),
        i.ref,
        i.value.label("whole"),
    ).select_from(item)
    return shape.mine(chosen, i).where(i.issued_on <= DAY, i.sort < bulk.literal(DRAFT_BILL))


def _in_view(shape: Shape, raw: Any) -> Select[Any]:
    """The same in the currency that is asked for."""
    r = raw.c
    if not shape.ledger:
        return select(*(c for c in r if c.name != "base"))
    return select(
        r.customer,
        shape.currency(r.currency, r.base).label("currency"),
        r.sort,
        r.issued_on,
        r.due_on,
        _in_proportion(shape, r.disputed, r.base, r.value).label("disputed"),
        shape.value(r.value, r.base).label("value"),
        r.ref,
        r.whole,
    )


def _in_proportion(shape: Shape, disputed: Any, base: Any, value: Any) -> Any:
    """The disputed part of a debt in the ledger's currency. A part of a part: no ledger keeps it, so it is rounded, half
    up, in whole numbers (`share_of`)."""
    if shape.sqlite:
        share: ColumnElement[Any] = func.share_of(base, disputed, value)
    else:
        exact = cast(base, Numeric)
        size = 2 * func.abs(exact) * disputed + value
        share = cast(func.sign(exact) * func.div(size, 2 * cast(value, Numeric)), BigInteger)
    return case(
        (or_(disputed == bulk.literal(0), base.is_(None), base == value), disputed),
        (or_(value == bulk.literal(0), disputed >= value), base),
        else_=share,
    )


def _then(whole: Any, name: str) -> Any:
    """What was open of an item at the end of a day: the whole, and what was applied to it and from it by then."""
    a = application.c

    def applied(end: Any, amount: Any) -> Any:
        counted = and_(a.since <= DAY, or_(a.until.is_(None), a.until > DAY))
        # SUM of whole numbers is a NUMERIC on PostgreSQL, and stays exact when it becomes whole again.
        total = cast(func.coalesce(func.sum(amount), bulk.literal(0)), BigInteger)
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


def split_later(shape: Shape) -> tuple[Select[Any], Select[Any]]:
    """Documents in pieces with something dated after the day: still open, and no longer open."""
    i = item.c
    split = shape.mine(
        select(i.id).where(i.parts > bulk.literal(0), i.issued_on <= DAY, i.sort < bulk.literal(DRAFT_BILL)), i
    )
    return split.where(i.open == bulk.literal(1), i.last_on > DAY), split.where(_settled_later())


def stage_pieces(asked: Asked, questions: tuple[Select[Any], Select[Any]]) -> bool:
    """Puts the pieces of such documents, as they stood at the end of the day, into a temporary table."""
    ids: list[int] = []
    for question in questions:
        ids += [row[0] for row in quick.rows(asked.tx, question, asked.parameters)]
    if not ids:
        return False
    rows = [
        (balance.id, piece.due_on, piece.disputed, piece.open_value, piece.open_base)
        for balance in balances.load(asked.tx, ids)
        for piece in pieces(balance, asked.as_of)
        if piece.open_value or piece.open_base
    ]
    bulk.stage(asked.tx, _STAGED.name, _STAGED_COLUMNS, rows)
    return True
