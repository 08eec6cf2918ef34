"""Marks: which customers have to be evaluated, because their facts changed or because the calendar turned something."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from sqlalchemy import Connection, delete, select

from connector.store import bulk, concerns, quick
from connector.store.tables import counter, link, mark
from connector.store.turns import due_to_change as due_to_change

T = TypeVar("T")


def next_number(tx: Connection, name: str) -> int:
    """The next of a row of numbers that only goes up. Held until the transaction ends, so that they come in the order in
    which their transactions become visible."""
    # One statement: of two who are the first, none may stumble over the other's row.
    return int(
        bulk.one(
            tx,
            "INSERT INTO counter (name, value) VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value",
            (name,),
        )
    )


def touch(tx: Connection, customers: Collection[int]) -> None:
    """Marks customers as changed, in the transaction that changes them.

    Whoever touches customers holds up others who do until his transaction ends. So all take what they wait for in one
    order, and no two wait for each other: customers and debtors, this turn, rows of the outbox, the audit trail.
    """
    if not customers:
        return
    concerns.of_this(tx).customers.update(customers)
    number = next_number(tx, "mark")
    bulk.many(
        tx,
        "INSERT INTO mark (customer, seq) VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET seq = excluded.seq",
        [(key, number) for key in sorted(customers)],
    )


def take_turn(tx: Connection) -> None:
    """Waits for whoever touches customers now. For a transaction that changes the outbox or writes to the audit trail, for
    which others wait, before it may touch customers itself: see `touch`."""
    next_number(tx, "mark")


def changed(tx: Connection) -> list[int]:
    """Customers whose facts changed since they were last evaluated, and those that are one debtor with them: what a CRM
    says of an account concerns the customer it is linked to."""
    other = link.alias("other")
    linked = (
        select(other.c.customer)
        .join_from(mark, link, link.c.customer == mark.c.customer)
        .join(other, other.c.debtor == link.c.debtor)
    )
    found = set(tx.execute(select(mark.c.customer)).scalars())
    found.update(tx.execute(linked).scalars())
    return sorted(found)


def marks(tx: Connection) -> dict[int, int]:
    """The same with the number of each mark."""
    return {row.customer: row.seq for row in tx.execute(select(mark.c.customer, mark.c.seq))}


def undisturbed(tx: Connection, read: Callable[[], T], *, still: bool = False) -> T:
    """What `read` gives, all of one state of the facts, in a transaction that writes: on PostgreSQL each statement sees
    what was committed just before it. Where facts were changed meanwhile it reads again, and no page is committed until
    this transaction ends. `still`: none is in any case, so that whatever is read later on is of the same state, too."""
    if bulk.is_sqlite(tx):
        return read()
    before = upto(tx)
    found = read()
    if not still and upto(tx) == before:
        return found
    if next_number(tx, "mark") == before + 1:
        return found
    return read()


def upto(tx: Connection) -> int:
    """The number of the newest mark; 0 where there is none. Read in the transaction that reads the facts."""
    return int(quick.value(tx, _UPTO) or 0)


_UPTO = select(counter.c.value).where(counter.c.name == bulk.word("mark"))


def clear(tx: Connection, customers: Collection[int], upto: int) -> None:
    """Takes away the marks of some customers, and of those that are one debtor with them, up to a number."""
    other = link.alias("other")
    linked = select(other.c.customer).join_from(link, other, other.c.debtor == link.c.debtor)
    linked = linked.where(bulk.among(tx, link.c.customer, customers))
    everybody = set(customers) | set(tx.execute(linked).scalars())
    tx.execute(delete(mark).where(bulk.among(tx, mark.c.customer, everybody), mark.c.seq <= upto))


def clear_marks(tx: Connection, upto: int | Mapping[int, int]) -> None:
    """Takes away the marks up to a number, or exactly those read with `marks`; a customer that was touched again since
    keeps its newer mark."""
    if isinstance(upto, int):
        tx.execute(delete(mark).where(mark.c.seq <= upto))
        return
    bulk.many(tx, "DELETE FROM mark WHERE customer = ? AND seq = ?", list(upto.items()))
