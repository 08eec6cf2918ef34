"""Dunning in the store: how far each item is, the steps behind it, letters and charges. Everything but the levels is
append-only, and the levels can be read off the steps."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from connector.credit.dun import Debt, Key, Mail, Standing
from connector.money import from_minor, to_minor
from connector.store import bulk, quick
from connector.store.keys import system_id, system_names
from connector.store.outbox import packed, unpacked
from connector.store.tables import charge, dunning, dunning_step, item, letter, link, part, utc


@dataclass(frozen=True, slots=True)
class StepRow:
    """One line of an item's history. `what`: notice, step, settled, reopened, renewed; `level` is the one after it."""

    debt: Debt
    what: str
    level: int
    channel: str | None = None
    letter: int | None = None


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step as it was kept; `number` is what the document is called, where it is there and has one."""

    system: str
    document: str
    part: str
    customer: int
    as_of: dt.date
    what: str
    level: int
    channel: str | None
    currency: str
    open: Decimal
    letter: int | None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter to a customer (`key` of the customer it is addressed to). `counted`: a demand, not a mere notice."""

    id: int
    debtor: int
    customer: int
    as_of: dt.date
    level: int
    channel: str
    counted: bool
    key: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A letter to be kept; a second one with the same key is not."""

    debtor: int
    customer: int
    as_of: dt.date
    level: int
    channel: str
    counted: bool
    key: str
    policy_version: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee or late interest claimed from a customer; `document` is empty where it is of no one document. `amount` is in
    `currency`, negative where it takes back what was claimed too much; `rate` is a fraction of 1 per day. `kind`: fee,
    interest, and negative ones of fee_settled, interest_settled where they were paid or waived."""

    customer: int
    system: str
    document: str
    part: str
    kind: str
    level: int
    from_on: dt.date | None
    to_on: dt.date
    rate: Decimal | None
    currency: str
    amount: Decimal
    key: str
    letter: int | None = None


# --- levels ----------------------------------------------------------------------------------------------------------
def levels(tx: Connection, debtors: Collection[int] | None = None, *, skip_disputed: bool = True) -> dict[int, int]:
    """The highest level of each debtor's items that are open now; debtors without any are not there (None: all).

    What is disputed altogether has left dunning (domain 1) and does not count, unless `skip_disputed` is False.
    """
    given = {} if debtors is None else {"ids": bulk.given(tx, debtors)}
    question = _levels(bulk.is_sqlite(tx), debtors is not None, skip_disputed)
    return {row[0]: row[1] for row in quick.rows(tx, question, given)}


@cache
def _levels(sqlite: bool, some: bool, skip_disputed: bool) -> Select[Any]:
    d, c, p = dunning.c, item.c, part.c
    doubt, part_doubt = (func.coalesce(c.disputed, 0), p.disputed) if skip_disputed else (0, 0)
    is_open = or_(
        and_(d.part == "", c.parts == 0, c.open_value > 0, c.open_value > doubt),
        and_(p.open_value > 0, p.open_value > part_doubt),
    )
    asked = (
        select(link.c.debtor, func.max(d.level))
        .join_from(dunning, item, and_(c.system == d.system, c.family == bulk.word("d"), c.ref == d.document_ref))
        .join(link, link.c.customer == d.customer)  # it follows the document's, and is found by it
        .outerjoin(part, and_(p.item == c.id, p.number == d.part))
        .where(d.level > 0, c.open == bulk.literal(1), is_open)
        .group_by(link.c.debtor)
    )
    if not some:
        return asked
    # Of some debtors the open items are looked through, which one index tells, not all that they ever had.
    mine, own = item.alias("mine"), link.alias("own")
    customers = select(own.c.customer).where(bulk.among_ids(sqlite, own.c.debtor))
    return asked.where(
        c.id.in_(select(mine.c.id).where(mine.c.open == bulk.literal(1), mine.c.customer.in_(customers)))
    )


def levels_on(tx: Connection, debtors: Collection[int] | None, as_of: dt.date) -> dict[int, int]:
    """The same as it was known at the end of an earlier day, read off the steps that had been kept by then."""
    s = dunning_step.c
    newest = select(func.max(s.id)).where(s.as_of <= as_of).group_by(s.system, s.document_ref, s.part)
    asked = (
        select(link.c.debtor, func.max(s.level))
        .join_from(dunning_step, link, link.c.customer == s.customer)
        .where(s.id.in_(newest), s.level > 0)
        .group_by(link.c.debtor)
    )
    if debtors is not None:
        asked = asked.where(bulk.among(tx, link.c.debtor, debtors))
    return {row[0]: row[1] for row in tx.execute(asked)}


def standings(tx: Connection, customers: Collection[int], keys: Collection[Key] = ()) -> dict[Key, Standing]:
    """How far items are: those of `customers` whose dunning is not settled, and `keys`."""
    names, d = system_names(tx), dunning.c
    found: dict[Key, Standing] = {}
    mine = select(dunning, item.c.currency).outerjoin_from(
        dunning, item, and_(item.c.system == d.system, item.c.family == bulk.word("d"), item.c.ref == d.document_ref)
    )
    for asked in (
        mine.where(bulk.among(tx, d.customer, customers), d.closed_on.is_(None)) if customers else None,
        mine.where(bulk.among(tx, d.document_ref, {key[1] for key in keys})) if keys else None,
    ):
        if asked is None:
            continue
        for row in tx.execute(asked):
            whole, currency = row.closed_value, row.currency
            closed = None if whole is None or currency is None else from_minor(whole, currency)
            key = (names[row.system], row.document_ref, row.part)
            found[key] = Standing(row.level, row.since, row.noticed_on, row.closed_on, closed)
    return found


def owners(tx: Connection, customers: Collection[int]) -> dict[Key, int]:
    """The customers of items whose dunning is not settled."""
    names, d = system_names(tx), dunning.c
    asked = select(d.system, d.document_ref, d.part, d.customer).where(
        bulk.among(tx, d.customer, customers), d.closed_on.is_(None)
    )
    return {(names[row[0]], row[1], row[2]): row[3] for row in tx.execute(asked)}


def look_again(tx: Connection, system: int, items: Collection[int]) -> None:
    """Notes of settled items among some of one system that their facts have changed: their late interest may be another
    than was claimed."""
    d = dunning.c
    if not quick.rows(tx, _ANY_SETTLED):
        return
    refs = select(item.c.ref).where(bulk.among(tx, item.c.id, items), item.c.family == bulk.word("d"))
    tx.execute(
        dunning.update()
        .where(d.system == system, d.document_ref.in_(refs), d.closed_on.is_not(None), d.changed.is_(False))
        .values(changed=True)
    )


_ANY_SETTLED = select(dunning.c.system).where(dunning.c.closed_on.is_not(None)).limit(1)


def changed(tx: Connection, customers: Collection[int]) -> dict[Key, int]:
    """The settled items of some customers whose facts have changed since, each with the level that it had reached."""
    names, d = system_names(tx), dunning.c
    asked = select(d.system, d.document_ref, d.part, d.level).where(
        bulk.among(tx, d.customer, customers), d.changed.is_(True)
    )
    return {(names[row[0]], row[1], row[2]): row[3] for row in tx.execute(asked)}


def looked_at(tx: Connection, customers: Collection[int]) -> None:
    """What had changed of these customers' settled items has been seen."""
    d = dunning.c
    tx.execute(dunning.update().where(bulk.among(tx, d.customer, customers), d.changed.is_(True)).values(changed=False))


def keep_standings(tx: Connection, now: Mapping[Key, tuple[int, str, Standing]]) -> None:
    """How far items are now: by key, the customer, the item's currency and the standing."""
    if not now:
        return
    ids = {name: system_id(tx, name) for name in {key[0] for key in now}}
    rows = []
    for (system, document, number), (owner, currency, one) in sorted(now.items()):
        closed = None if one.closed_value is None else to_minor(one.closed_value, currency)
        state = (one.level, one.since, one.noticed_on, one.closed_on, closed)
        rows.append((ids[system], document, number, owner, *state))
    columns = ("customer", "level", "since", "noticed_on", "closed_on", "closed_value")
    bulk.many(
        tx,
        f"INSERT INTO dunning (system, document_ref, part, {', '.join(columns)}) "  # noqa: S608 -- our own names
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (system, document_ref, part) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in columns),
        rows,
    )


# --- steps -----------------------------------------------------------------------------------------------------------
def keep_steps(tx: Connection, steps: Sequence[StepRow], as_of: dt.date, made_at: dt.datetime) -> None:
    """Appends lines to the history of items."""
    ids = {name: system_id(tx, name) for name in {step.debt.system for step in steps}}
    numbers = bulk.new_ids(tx, dunning_step, len(steps))
    bulk.insert(
        tx,
        dunning_step,
        ("id", "system", "document_ref", "part", "customer", "as_of", "made_at", "what", "level", "channel", "currency",
         "open_value", "letter"),
        [
            (number, ids[s.debt.system], s.debt.document, s.debt.part, s.debt.customer, as_of, utc(made_at), s.what,
             s.level, s.channel, s.debt.currency, to_minor(s.debt.open, s.debt.currency), s.letter)
            for number, s in zip(numbers, steps, strict=True)
        ],
    )  # fmt: skip


def steps(tx: Connection, customers: Collection[int] | None = None) -> list[PastStep]:
    """The history of items of some customers (None: all), oldest first."""
    names = system_names(tx)
    d = dunning_step.c
    paper = and_(item.c.system == d.system, item.c.family == bulk.word("d"), item.c.ref == d.document_ref)
    asked = select(dunning_step, item.c.number).outerjoin_from(dunning_step, item, paper).order_by(d.id)
    if customers is not None:
        asked = asked.where(bulk.among(tx, dunning_step.c.customer, customers))
    return [
        PastStep(
            names[row.system],
            row.document_ref,
            row.part,
            row.customer,
            row.as_of,
            row.what,
            row.level,
            row.channel,
            row.currency,
            from_minor(row.open_value, row.currency),
            row.letter,
            row.number,
        )
        for row in tx.execute(asked)
    ]


# --- letters ---------------------------------------------------------------------------------------------------------
def keep_letters(tx: Connection, letters: Sequence[NewLetter], made_at: dt.datetime) -> dict[str, int]:
    """Keeps letters; gives the number of each by its key, also of one that was there already."""
    found = _numbers(tx, [one.key for one in letters])
    new = [one for one in letters if one.key not in found]
    rows = []
    for number, one in zip(bulk.new_ids(tx, letter, len(new)), new, strict=True):
        found[one.key] = number
        rows.append(
            (
                number,
                one.debtor,
                one.customer,
                one.as_of,
                utc(made_at),
                one.level,
                one.channel,
                int(one.counted),
                one.key,
                one.policy_version,
                packed(one.payload),
            )
        )
    columns = ("id", "debtor", "customer", "as_of", "made_at", "level", "channel", "counted", "key")
    bulk.insert(tx, letter, (*columns, "policy_version", "payload"), rows)
    return found


def _numbers(tx: Connection, keys: Collection[str]) -> dict[str, int]:
    if not keys:
        return {}
    asked = select(letter.c.key, letter.c.id).where(bulk.among(tx, letter.c.key, keys))
    return {row.key: row.id for row in tx.execute(asked)}


def letters(tx: Connection, customers: Collection[int] | None = None, limit: int | None = None) -> list[LetterRow]:
    """Letters to some customers (None: all), newest first."""
    asked = select(letter).order_by(letter.c.id.desc()).limit(limit)
    if customers is not None:
        asked = asked.where(bulk.among(tx, letter.c.customer, customers))
    return [_letter(row) for row in tx.execute(asked)]


def letter_by_number(tx: Connection, number: int) -> LetterRow | None:
    """One letter."""
    row = tx.execute(select(letter).where(letter.c.id == number)).one_or_none()
    return None if row is None else _letter(row)


def _letter(row: Any) -> LetterRow:
    return LetterRow(
        row.id,
        row.debtor,
        row.customer,
        row.as_of,
        row.level,
        row.channel,
        bool(row.counted),
        row.key,
        unpacked(row.payload),
    )


def mail(tx: Connection, customers: Collection[int]) -> dict[int, Mail]:
    """When each customer last got a demand and a notice; those that never got one are not there."""
    c = letter.c
    asked = select(c.customer, c.counted, func.max(c.as_of)).where(bulk.among(tx, c.customer, customers))
    days: dict[int, dict[int, dt.date]] = defaultdict(dict)
    for key, counted, day in tx.execute(asked.group_by(c.customer, c.counted)):
        days[key][counted] = day
    return {key: Mail(own.get(1), own.get(0)) for key, own in days.items()}


# --- charges ---------------------------------------------------------------------------------------------------------
def keep_charges(tx: Connection, charges: Sequence[Charge], made_at: dt.datetime) -> int:
    """Appends charges; one whose key is there already is not added again. Says how many are new."""
    if not charges:
        return 0
    keys = [one.key for one in charges]
    there = set(tx.execute(select(charge.c.key).where(bulk.among(tx, charge.c.key, keys))).scalars())
    new = list({one.key: one for one in charges if one.key not in there}.values())
    ids = {name: system_id(tx, name) for name in {one.system for one in new}}
    rows = [
        (number, one.customer, ids[one.system], one.document, one.part, one.kind, one.level, one.from_on, one.to_on,
         None if one.rate is None else format(one.rate, "f"), one.currency, to_minor(one.amount, one.currency),
         utc(made_at), one.letter, one.key)
        for number, one in zip(bulk.new_ids(tx, charge, len(new)), new, strict=True)
    ]  # fmt: skip
    columns = ("id", "customer", "system", "document_ref", "part", "kind", "level", "from_on", "to_on", "rate")
    bulk.insert(tx, charge, (*columns, "currency", "value", "made_at", "letter", "key"), rows)
    return len(new)


def charges(tx: Connection, customers: Collection[int] | None = None) -> list[Charge]:
    """Fees and interest claimed from customers (None: all), oldest first."""
    names = system_names(tx)
    asked = select(charge).order_by(charge.c.id)
    if customers is not None:
        asked = asked.where(bulk.among(tx, charge.c.customer, customers))
    return [
        Charge(
            row.customer,
            names[row.system],
            row.document_ref,
            row.part,
            row.kind,
            row.level,
            row.from_on,
            row.to_on,
            row.rate,
            row.currency,
            from_minor(row.value, row.currency),
            row.key,
            row.letter,
        )
        for row in tx.execute(asked)
    ]
