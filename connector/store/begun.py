"""How far a database has come: what there is at all, each asked with one short look."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, exists, func, select

from connector.store.tables import customer, problem, proposal, pushed, standing


@dataclass(frozen=True, slots=True)
class Begun:
    """`customers`, `judged` and `written`: whether there is any. `unsure`: links that wait for a person's word;
    `faults`: what is wrong with records, so that it could not be read as it should."""

    customers: bool
    judged: bool
    written: bool
    unsure: int
    faults: int


def begun(tx: Connection) -> Begun:
    """What there is now."""
    unsure = select(func.count()).select_from(proposal).where(proposal.c.state == "open")
    faults = select(func.count()).select_from(problem)
    faults = faults.where(problem.c.scope == "record", problem.c.resolved_at.is_(None))
    return Begun(
        customers=_any(tx, customer),
        judged=_any(tx, standing),
        written=_any(tx, pushed),
        unsure=int(tx.execute(unsure).scalar_one()),
        faults=int(tx.execute(faults).scalar_one()),
    )


def _any(tx: Connection, table: Table) -> bool:
    return bool(tx.execute(select(exists(select(1).select_from(table)))).scalar())


__all__ = ["Begun", "begun"]
