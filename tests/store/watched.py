"""A store that watches itself: triggers write down whose rows a transaction changes, and what it declares must name them all.

On SQLite only; the code that declares is the same on both databases.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from connector.store import bulk
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.tables import metadata

# Of each table that orders are judged by, whose a row is: a customer or a debtor.
CUSTOMERS = {
    "item": ("{row}.customer",),
    "part": ("(SELECT customer FROM item WHERE id = {row}.item)",),
    "application": (
        "(SELECT customer FROM item WHERE id = {row}.from_item)",
        "(SELECT customer FROM item WHERE id = {row}.to_item)",
    ),
    "sales_order": ("{row}.customer",),
    "order_line": ("(SELECT customer FROM sales_order WHERE id = {row}.sales_order)",),
    "credit_limit": ("{row}.customer",),
    "limit_piece": ("{row}.customer",),
    "customer": ("{row}.id",),
    "link": ("{row}.customer",),
    "dunning": ("{row}.customer",),
    "reservation": ("{row}.customer",),
}
DEBTORS = {
    "link": ("{row}.debtor",),
    "order_state": ("{row}.debtor",),
    "alert": ("{row}.debtor",),
    "standing": ("{row}.debtor",),
    "review": ("{row}.debtor",),
    "paper": ("{row}.debtor",),
    "exclusion": ("coalesce({row}.debtor, 0)",),
}
# By these it is known who is meant, by those what everybody is judged by.
NAMES = ("customer", "link")
GROUND = ("rate", "stream")


def watch(tx: Connection) -> bool:
    """Has a store write down whose rows are changed; False where it cannot."""
    if not bulk.is_sqlite(tx):
        return False
    tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS seen (place TEXT, kind TEXT, whose INTEGER)")
    everybody = dict.fromkeys(GROUND, ("0",))
    for kind, tables in (("customer", CUSTOMERS), ("debtor", DEBTORS), ("ground", everybody)):
        for table, whose in tables.items():
            columns = [column.name for column in metadata.tables[table].columns if column.name != "record"]
            other = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in columns)
            for event, rows, when in (
                ("INSERT", ("NEW",), ""),
                ("UPDATE", ("OLD", "NEW"), f"WHEN {other}"),
                ("DELETE", ("OLD",), ""),
            ):
                said = "".join(
                    f"INSERT INTO seen VALUES ('{table}', '{kind}', {one.format(row=row)});"
                    for row in rows
                    for one in whose
                )
                name = f"watch_{table}_{kind}_{event}"
                tx.exec_driver_sql(f'CREATE TRIGGER {name} AFTER {event} ON "{table}" {when} BEGIN {said} END')
    return True


def checking(note: Callable[[Connection, Concern | None], None]) -> Callable[[Connection, Concern | None], None]:
    """`concerns.note` that compares first what a transaction declares with what it did. Raises AssertionError."""

    def checked(tx: Connection, concern: Concern | None) -> None:
        if bulk.is_sqlite(tx):
            _compare(tx, concern)
        note(tx, concern)

    return checked


def _compare(tx: Connection, concern: Concern | None) -> None:
    seen = {tuple(row) for row in tx.exec_driver_sql("SELECT DISTINCT place, kind, whose FROM seen WHERE whose > -1")}
    tx.exec_driver_sql("DELETE FROM seen")
    if concern is None or concern.everybody:
        return
    debtor_of = dict(tuple(row) for row in tx.exec_driver_sql("SELECT customer, debtor FROM link"))
    meant = concern.debtors | {debtor_of[key] for key in concern.customers if key in debtor_of}
    for place, kind, whose in sorted(seen):
        if kind == "ground":
            told = concern.ground
        elif kind == "customer":
            told = whose in concern.customers or debtor_of.get(whose) in meant
        else:
            # Whom no customer belongs to is not judged.
            told = whose in meant or (whose != 0 and whose not in debtor_of.values())
        assert told, f"{place}: {kind} {whose} is changed, and {concern} does not say so"
        assert concern.names or place not in NAMES, f"{place}: {kind} {whose} may be another by name"


def watch_store(store: Store) -> bool:
    """The same for a whole store; what is declared is compared once `concerns.note` is `checking(concerns.note)`."""
    with store.writing() as tx:
        return watch(tx)


__all__ = ["checking", "watch", "watch_store"]
