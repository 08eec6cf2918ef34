"""Giving back what an order check has reserved; and putting to their end reservations that count no more."""

from __future__ import annotations

from connector.clock import Clock
from connector.errors import ConfigError, Missing, NotAllowed
from connector.money import show
from connector.store import audit, marks, reservations
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.reservations import Reservation
from jobs import check_words as say


def give_back(store: Store, clock: Clock, number: int, actor: str, *, anybodys: bool = False) -> Reservation:
    """Ends a reservation of the caller's own (`anybodys`: of whoever made it); its credit is free at once, and the next run
    looks at the orders that were held for want of it. Raises ConfigError where it has ended, is somebody else's, or there
    is none of that number."""
    with store.writing(concern=Concern()) as tx:
        found = reservations.find(tx, number)
        if found is None:
            raise Missing(say.NO_RESERVATION.fill(number=number))
        if found.by != actor and not anybodys:
            raise NotAllowed(say.NOT_YOURS.fill(number=number, by=found.by))
        if not reservations.end(tx, number, "returned", actor, clock.now()):
            how = say.ENDED[found.ended or "returned"]
            raise ConfigError(say.RETURNED_ALREADY.fill(number=number, how=how))
        marks.touch(tx, [found.customer])
        told = {"reservation": number, "amount": show(found.total, found.currency), "currency": found.currency}
        audit.append(tx, [Entry("reservation.return", f"reservation:{number}", actor, after=told)], clock.now())
    return found


def lapse(store: Store, clock: Clock) -> int:
    """Ends what has expired or whose order has arrived, so that the next run looks at the customers whose credit is free
    again; says how many they are. Costs one look where there is none."""
    with store.reading() as tx:
        if not reservations.over(tx, clock.now()):
            return 0
    with store.writing(concern=Concern()) as tx:
        freed = reservations.lapse(tx, clock.now(), "job:evaluate")
        marks.touch(tx, freed)
    return len(freed)
