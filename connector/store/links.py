"""Links: which customers of different systems are one debtor, what is only proposed, and what a person has put apart.

A debtor is the legal person behind one or more customers. A link made by a machine may be changed by one; a link a
person confirmed, and a pair a person put apart, may not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, select

from connector.store import bulk, concerns, marks, quick
from connector.store.keys import system_names
from connector.store.tables import apart, customer, debtor, proposal
from connector.store.tables import link as link_table


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A customer and the debtor it is linked to; `how`: `own`, `external_id`, `tax_id`, `name`, `person`."""

    customer: int
    system: str
    ref: str
    name: str
    debtor: int
    how: str
    score: Decimal | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """Two customers that may be the same, with a score between 0 and 1; `state`: open, confirmed, rejected."""

    id: int
    a: int
    b: int
    a_system: str
    a_ref: str
    a_name: str
    b_system: str
    b_ref: str
    b_name: str
    score: Decimal
    why: str
    state: str


def ensure_debtors(tx: Connection, keys: Collection[int]) -> int:
    """Gives each of these customers that has none a debtor of its own; says how many were made."""
    linked = set(tx.execute(select(link_table.c.customer).where(bulk.among(tx, link_table.c.customer, keys))).scalars())
    missing = sorted(set(keys) - linked)
    ids = list(bulk.new_ids(tx, debtor, len(missing)))
    bulk.insert(tx, debtor, ("id",), [(key,) for key in ids])
    rows = [(key, own, "own", False) for key, own in zip(missing, ids, strict=True)]
    bulk.insert(tx, link_table, ("customer", "debtor", "how", "confirmed"), rows)
    if missing:
        concerns.of_this(tx).names = True
    marks.touch(tx, missing)
    return len(missing)


def debtor_of(tx: Connection, key: int) -> int | None:
    """The debtor a customer is linked to."""
    return tx.execute(select(link_table.c.debtor).where(link_table.c.customer == key)).scalar()


def confirmed(tx: Connection) -> set[int]:
    """The customers whose links a person made or confirmed."""
    return set(tx.execute(select(link_table.c.customer).where(link_table.c.confirmed.is_(True))).scalars())


def link(
    tx: Connection, key: int, to: int, how: str, *, score: Decimal | float | None = None, confirmed: bool = False
) -> bool:
    """Links a customer to a debtor. A machine's word (`confirmed` False) changes nothing where a person has linked it
    otherwise, or put it apart from one of the debtor's customers; False then."""
    before = tx.execute(
        select(link_table.c.debtor, link_table.c.confirmed).where(link_table.c.customer == key)
    ).one_or_none()
    if not confirmed:
        others = set(tx.execute(select(link_table.c.customer).where(link_table.c.debtor == to)).scalars())
        if (before and before.confirmed and before.debtor != to) or splits(tx).get(key, set()) & others:
            return False
    values = {
        "debtor": to,
        "how": how,
        "score": None if score is None else Decimal(str(score)),
        "confirmed": confirmed or bool(before and before.confirmed),
    }
    if before:
        tx.execute(link_table.update().where(link_table.c.customer == key).values(**values))
    else:
        tx.execute(link_table.insert().values(customer=key, **values))
    _touch(tx, {key}, {to} | ({before.debtor} if before else set()))
    return True


def unlink(tx: Connection, key: int) -> None:
    """Takes a machine's link away."""
    before = debtor_of(tx, key)
    tx.execute(link_table.delete().where(link_table.c.customer == key, link_table.c.confirmed.is_(False)))
    _touch(tx, {key}, {before} if before is not None else set())


def split(tx: Connection, key: int) -> int:
    """A person's word that this customer is none of the others of its debtor: it gets a debtor of its own, and what was
    put apart is never linked again by a machine. Gives the new debtor."""
    before = debtor_of(tx, key)
    others = [] if before is None else [row.customer for row in linked(tx, debtors=[before]) if row.customer != key]
    for other in others:
        put_apart(tx, key, other)
    own = int(tx.execute(debtor.insert().values().returning(debtor.c.id)).scalar_one())
    link(tx, key, own, "person", confirmed=True)
    _touch(tx, {key, *others}, set())
    return own


def put_apart(tx: Connection, a: int, b: int) -> None:
    """Remembers that two customers are not the same."""
    low, high = sorted((a, b))
    there = tx.execute(select(apart.c.a).where(apart.c.a == low, apart.c.b == high)).scalar()
    if there is None:
        tx.execute(apart.insert().values(a=low, b=high))


def splits(tx: Connection) -> dict[int, set[int]]:
    """By customer, those it was put apart from."""
    found: dict[int, set[int]] = defaultdict(set)
    for row in tx.execute(select(apart.c.a, apart.c.b)):
        found[row.a].add(row.b)
        found[row.b].add(row.a)
    return dict(found)


def linked(tx: Connection, *, debtors: Collection[int] | None = None, several_only: bool = False) -> list[LinkRow]:
    """Links by debtor; `several_only`: those of debtors with more than one customer."""
    names = system_names(tx)
    if debtors is None:
        found = quick.rows(tx, _LINKS)
    else:
        found = quick.rows(tx, _links_of(bulk.is_sqlite(tx)), {"ids": bulk.given(tx, debtors)})
    rows = [LinkRow(r[0], names[r[1]], r[2], r[3] or r[2], *r[4:]) for r in found]
    if several_only:
        count: dict[int, int] = defaultdict(int)
        for row in rows:
            count[row.debtor] += 1
        rows = [row for row in rows if count[row.debtor] > 1]
    return rows


_LINKS = (
    select(
        link_table.c.customer,
        customer.c.system,
        customer.c.ref,
        customer.c.name,
        link_table.c.debtor,
        link_table.c.how,
        link_table.c.score,
        link_table.c.confirmed,
    )
    .join_from(link_table, customer, customer.c.id == link_table.c.customer)
    .order_by(link_table.c.debtor, link_table.c.customer)
)


@cache
def _links_of(sqlite: bool) -> Select[Any]:
    return _LINKS.where(bulk.among_ids(sqlite, link_table.c.debtor))


# --- proposals --------------------------------------------------------------------------------------------------------
def propose(tx: Connection, a: int, b: int, score: Decimal | float, why: str) -> int:
    """Proposes that two customers are the same; 1 if that is new, 0 if it was proposed or decided before."""
    low, high = sorted((a, b))
    p = proposal.c
    there = tx.execute(select(p.id, p.state).where(p.a == low, p.b == high)).one_or_none()
    if there:
        if there.state == "open":
            tx.execute(proposal.update().where(p.id == there.id).values(score=Decimal(str(score)), why=why))
        return 0
    tx.execute(proposal.insert().values(a=low, b=high, score=Decimal(str(score)), why=why, state="open"))
    return 1


def withdraw(tx: Connection, keep: Iterable[tuple[int, int]]) -> int:
    """Removes open proposals that are not among these pairs: they are linked by now, or no longer alike."""
    wanted = {(min(pair), max(pair)) for pair in keep}
    rows = tx.execute(select(proposal.c.id, proposal.c.a, proposal.c.b).where(proposal.c.state == "open"))
    left = [row.id for row in rows if (row.a, row.b) not in wanted]
    bulk.delete(tx, proposal, left)
    return len(left)


def proposals(tx: Connection, state: str | None = "open") -> list[ProposalRow]:
    """Proposals, the likeliest first."""
    names = system_names(tx)
    one, other, p = customer.alias("one"), customer.alias("other"), proposal.c
    asked = (
        select(
            p.id,
            p.a,
            p.b,
            one.c.system,
            one.c.ref,
            one.c.name,
            other.c.system,
            other.c.ref,
            other.c.name,
            p.score,
            p.why,
            p.state,
        )
        .join_from(proposal, one, one.c.id == p.a)
        .join(other, other.c.id == p.b)
    )
    if state is not None:
        asked = asked.where(p.state == state)
    rows = []
    for row in tx.execute(asked):
        number, a, b, a_system, a_ref, a_name, b_system, b_ref, b_name, *rest = tuple(row)
        sides = (names[a_system], a_ref, a_name or a_ref, names[b_system], b_ref, b_name or b_ref)
        rows.append(ProposalRow(number, a, b, *sides, *rest))
    return sorted(rows, key=lambda row: (-row.score, row.id))


def confirm(tx: Connection, proposal_id: int, owner: int | None = None) -> bool:
    """A person says that both are the same: one is linked to the other's debtor (`owner` names whose; else that of the
    one that has a debtor with more customers). False where there is no such proposal."""
    p = proposal.c
    row = tx.execute(select(p.a, p.b).where(p.id == proposal_id)).one_or_none()
    if row is None:
        return False
    first, second = (row.b, row.a) if owner == row.b else (row.a, row.b)
    if owner is None and debtor_of(tx, first) is None and debtor_of(tx, second) is not None:
        first, second = second, first
    join(tx, second, first)
    tx.execute(proposal.update().where(p.id == proposal_id).values(state="confirmed"))
    return True


def join(tx: Connection, key: int, with_key: int) -> None:
    """A person says that two customers are the same: the first is linked to the second's debtor, and stays."""
    ensure_debtors(tx, [with_key])
    to = debtor_of(tx, with_key)
    assert to is not None
    low, high = sorted((key, with_key))
    tx.execute(apart.delete().where(apart.c.a == low, apart.c.b == high))
    link(tx, key, to, "person", confirmed=True)


def reject(tx: Connection, proposal_id: int) -> bool:
    """A person says that they are not the same. False where there is no such proposal."""
    p = proposal.c
    row = tx.execute(select(p.a, p.b).where(p.id == proposal_id)).one_or_none()
    if row is None:
        return False
    put_apart(tx, row.a, row.b)
    tx.execute(proposal.update().where(p.id == proposal_id).values(state="rejected"))
    return True


def _touch(tx: Connection, keys: set[int], debtors: set[int]) -> None:
    """Whatever a link changes is to be evaluated anew: the customer, and all others of the debtors concerned."""
    if debtors:
        keys = keys | set(
            tx.execute(select(link_table.c.customer).where(bulk.among(tx, link_table.c.debtor, debtors))).scalars()
        )
    concerns.of_this(tx).names = True
    marks.touch(tx, keys)
