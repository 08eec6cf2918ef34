"""Balances: what is open of an item, kept up in the page's transaction so that a report need not add it up again.

For every item: what is open once everything dated has happened, the last day on which something happens to it, and the
day from which on nothing is open. A report for any day on or after the last takes the figure as it is; one for an
earlier day adds up what had happened by then, with the same rule (`pieces`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, and_, case, exists, func, or_, select, union_all

from connector.money import share_of, to_minor
from connector.store import bulk, dunning, quick
from connector.store.page import Saving
from connector.store.pieces import Balance, Stated, Use, pieces
from connector.store.tables import application, instalment, item, part
from connector.store.tables import system as system_table

# Whether the item is the aim, the base value of its end, the application.
Share = tuple[bool, int, int]


def settle(saving: Saving) -> None:
    """Works out anew what is open of the items that the page touched."""
    if not saving.unsettled:
        return
    tx, sqlite = saving.tx, bulk.is_sqlite(saving.tx)
    ids = {"ids": bulk.given(tx, saving.unsettled)}
    saving.touched.update(quick.column(tx, _owners(sqlite), ids))
    in_pieces = set(quick.column(tx, _in_pieces(sqlite), ids))
    if in_pieces:
        _settle_pieces(tx, in_pieces)
        ids = {"ids": bulk.given(tx, saving.unsettled - in_pieces)}
    _write_shares(tx, _shares_of(tx, ids))
    quick.write(tx, _settled(sqlite), ids)
    dunning.look_again(tx, saving.system, saving.unsettled)
    saving.unsettled = set()


@cache
def _owners(sqlite: bool) -> Select[Any]:
    return select(item.c.customer).distinct().where(bulk.among_ids(sqlite, item.c.id))


@cache
def _in_pieces(sqlite: bool) -> Select[Any]:
    """Those of some items that have instalments, or had."""
    c, i = item.c, instalment.c
    stated = exists().where(i.system == c.system, i.document_ref == c.ref)
    return select(c.id).where(bulk.among_ids(sqlite, c.id), or_(c.parts != 0, and_(c.family == "d", stated)))


@cache
def _unstated(sqlite: bool) -> Select[Any]:
    """What was set without a base value against items that have one, item by item in order of time."""
    c, a = item.c, application.c
    lines = []
    for aimed, end, value, base in ((1, a.to_item, a.to_value, a.to_base), (0, a.from_item, a.from_value, a.from_base)):
        asked = select(
            c.id, a.since, a.id.label("use"), bulk.literal(aimed).label("aimed"), a.until,
            value.label("value"), base.label("base"), c.value.label("of"), c.base_value.label("whole"),
        )  # fmt: skip
        counted = or_(a.until.is_(None), a.until > a.since)
        lines.append(
            asked.join_from(application, item, end == c.id).where(
                bulk.among_ids(sqlite, end),
                c.base_value.is_not(None),
                a.base_amount.is_(None),
                a.since.is_not(None),
                counted,
            )
        )
    each = union_all(*lines).subquery()
    return select(each).order_by(each.c.id, each.c.since, each.c.use, each.c.aimed.desc())


def _shares_of(tx: Connection, ids: Mapping[str, Any]) -> Iterator[Share]:
    """What `_shares` says, of items in one piece, straight from the rows."""
    so_far = done = 0
    before = None
    rows = quick.rows(tx, _unstated(bulk.is_sqlite(tx)), ids)
    for item_id, _, use, aimed, until, value, base, of, whole in rows:
        if item_id != before:
            before, so_far, done = item_id, 0, 0
        if until is None:
            so_far += value
            upto = share_of(whole, so_far, of)
            share, done = upto - done, upto
        else:
            share = share_of(whole, value, of)
        if share != base:
            yield bool(aimed), share, use


def _write_shares(tx: Connection, shares: Iterable[Share]) -> None:
    told = list(shares)
    bulk.update(tx, application, ("to_base",), [row[1:] for row in told if row[0]])
    bulk.update(tx, application, ("from_base",), [row[1:] for row in told if not row[0]])


@cache
def _settled(sqlite: bool) -> Update:
    """The statement that writes what is open of items in one piece: their own value, and what was set against them.

    `pieces` says the same of one piece; no value goes through Python, since most of a first load is just this.
    """
    c, a = item.c, application.c
    own = select(c.id.label("id"), c.value.label("value"), c.base_value.label("base"), c.issued_on.label("last"))
    lines = [own.where(bulk.among_ids(sqlite, c.id))]
    for end, value, base in ((a.to_item, a.to_value, a.to_base), (a.from_item, a.from_value, a.from_base)):
        stays = a.until.is_(None)
        lines.append(
            select(
                end.label("id"),
                case((stays, value), else_=0).label("value"),
                case((stays, base), else_=0).label("base"),
                func.coalesce(a.until, a.since).label("last"),
            ).where(bulk.among_ids(sqlite, end), a.since.is_not(None), or_(stays, a.until > a.since))
        )
    each = union_all(*lines).subquery()
    sums = (
        select(
            each.c.id,
            func.sum(each.c.value).label("value"),
            func.sum(each.c.base).label("base"),
            func.max(each.c.last).label("last"),
        )
        .group_by(each.c.id)
        .subquery()
    )
    in_base = case((c.base_value.is_not(None), sums.c.base))
    is_open = or_(sums.c.value != 0, func.coalesce(in_base, 0) != 0)
    settled = case(
        (is_open, c.voided_on),
        (and_(c.voided_on.is_not(None), c.voided_on < sums.c.last), c.voided_on),
        else_=sums.c.last,
    )
    now: dict[Any, ColumnElement[Any]] = {
        c.open_value: sums.c.value,
        c.open_base: in_base,
        c.last_on: sums.c.last,
        c.settled_on: settled,
        c.open: case((settled.is_(None), 1), else_=0),
    }
    # An unchanged row is not written: its six indexes need not be either.
    moved = or_(*(column.is_distinct_from(value) for column, value in now.items()))
    return item.update().where(c.id == sums.c.id, moved).values({column.name: value for column, value in now.items()})


def _settle_pieces(tx: Connection, ids: Collection[int]) -> None:
    changed: list[tuple[Any, ...]] = []
    shares: list[Share] = []
    part_rows: list[tuple[Any, ...]] = []
    for balance in load(tx, ids):
        shares += _shares(balance)
        last_on = balance.issued_on
        for use in balance.uses:
            last_on = max(last_on, use.since, use.until or use.since)
        stand = pieces(balance)
        value = sum(p.open_value for p in stand)
        base = None if balance.base is None else sum(p.open_base or 0 for p in stand)
        settled = None if any(p.open_value or p.open_base for p in stand) else last_on
        if balance.voided_on is not None:
            settled = balance.voided_on if settled is None else min(settled, balance.voided_on)
        count = len(stand) if balance.instalments else 0
        part_rows += [
            (balance.id, n, p.number, p.due_on, p.value, p.base, p.open_value, p.open_base, p.disputed)
            for n, p in enumerate(stand[:count])
        ]
        now = (count, value, base, last_on, settled, 1 if settled is None else 0)
        if now != balance.before:
            changed.append((*now, balance.id))
    _write_shares(tx, shares)
    bulk.delete_by(tx, part.c.item, ids)
    bulk.insert(tx, part, tuple(c.name for c in part.c), part_rows)
    bulk.update(tx, item, ("parts", "open_value", "open_base", "last_on", "settled_on", "open"), changed)


def _shares(balance: Balance) -> Iterator[Share]:
    """Base values of applications that come without: their part of the item's own, cut so that nothing is left over.

    Only where that differs from what is stored.
    """
    if balance.base is None:
        return
    so_far = done = 0
    every = [(True, use) for use in balance.aims if not use.base_stated]
    every += [(False, use) for use in balance.gives if not use.base_stated]
    if len(every) > 1:
        every.sort(key=lambda one: (one[1].since, one[1].id))
    for aimed, use in every:
        if use.until is None:
            so_far += use.value
            upto = share_of(balance.base, so_far, balance.value)
            base, done = upto - done, upto
        else:
            base = share_of(balance.base, use.value, balance.value)
        if base != use.base:
            use.base = base
            yield aimed, base, use.id


def load(tx: Connection, ids: Collection[int]) -> Iterator[Balance]:
    """Items with their applications and instalments."""
    c = item.c
    asked = select(
        c.id,
        c.system,
        c.family,
        c.ref,
        c.customer,
        c.kind,
        c.currency,
        c.issued_on,
        c.due_on,
        c.voided_on,
        c.value,
        c.base_value,
        func.coalesce(c.disputed, 0),
        c.parts,
        c.open_value,
        c.open_base,
        c.last_on,
        c.settled_on,
        c.open,
    ).where(bulk.among(tx, c.id, ids))
    found: dict[int, Balance] = {}
    for row in tx.execute(asked).all():
        said: tuple[Any, ...] = tuple(row)
        found[said[0]] = balance = Balance(*said[:13])
        balance.before = said[13:]
    a = application.c
    for end, value, base, name in (
        (a.to_item, a.to_value, a.to_base, "aims"),
        (a.from_item, a.from_value, a.from_base, "gives"),
    ):
        uses = select(end, a.id, a.since, a.until, value, base, a.instalment, a.base_amount.is_not(None)).where(
            bulk.among(tx, end, list(found)), a.since.is_not(None)
        )
        for row in tx.execute(uses).all():
            use: tuple[Any, ...] = tuple(row)
            if use[3] is None or use[3] > use[2]:  # else it was over before it began
                getattr(found[use[0]], name).append(Use(*use[1:]))
    papers = {(b.system, b.ref): b for b in found.values() if b.family == "d"}
    i = instalment.c
    for system in {key[0] for key in papers}:
        books = tx.execute(select(system_table.c.ledger_currency).where(system_table.c.id == system)).scalar() or ""
        parts = select(i.document_ref, i.number, i.due_on, i.amount, i.base_amount, i.disputed_amount).where(
            i.system == system, bulk.among(tx, i.document_ref, [ref for at, ref in papers if at == system])
        )
        for ref, number, due_on, amount, base, disputed in tx.execute(parts).all():
            balance = papers[system, ref]
            balance.instalments.append(
                Stated(
                    number,
                    due_on,
                    to_minor(amount, balance.currency),
                    None if base is None else to_minor(base, books),
                    None if disputed is None else to_minor(disputed, balance.currency),
                )
            )
    yield from found.values()
