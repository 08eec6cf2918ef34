"""Concluding: what a judgement of some debtors leads to, worked out whole before anything of it is written.

It is worked out before the transaction that writes it, so that whoever wants to write does not wait for it, and counts there
only where nothing it rests on is another by then. Whatever changes facts, or is decided by a person, marks its customers;
what leaves no mark is compared: states of orders, reserved credit, warnings, and whether another run has concluded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connector.connect import Connected
from connector.credit.score import digest
from connector.store import (
    Connection,
    alerts,
    amendments,
    concerns,
    customers,
    decisions,
    marks,
    order_credit,
    reservations,
)
from connector.store.bulk import is_sqlite
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.decisions import Conclusion
from connector.store.limits import kept_here
from connector.store.outbox import Owed
from jobs import inputs
from jobs.conclusion import body_after, digest_of
from jobs.frame import Frame
from jobs.judge import Judged, judge
from jobs.limits import flowing
from jobs.order_flags import WaysOut
from jobs.order_outcome import Check, Outcome, outcome
from jobs.owed import owed_by
from jobs.unhurried import unhurried

# By debtor, its records in every system that can be written to.
Accounts = Mapping[int, Sequence[tuple[Connected, CustomerRow]]]


@dataclass(frozen=True, slots=True)
class Concluded:
    """What was judged of some debtors, and what follows: decisions, what is owed, what becomes of their orders."""

    judged: Sequence[Judged]
    conclusions: Sequence[Conclusion]
    score_digests: Mapping[int, str]
    accounts: Accounts
    owed: Sequence[Owed]
    out: WaysOut
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was concluded before its transaction: by which newest mark, by which newest decision, and by what leaves no
    mark. `seen` is the last transaction that was to be seen, where these have an order."""

    concluded: Concluded
    upto: int
    newest: int
    seen: int | None
    beside: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Concluder:
    """What is the same for all debtors of a run. `told` is what was ever told (`owed.told_ever`)."""

    base: Frame
    systems: Sequence[Connected]
    told: Collection[tuple[str, str, str]]
    check: Check

    def ahead(self, store: Store, debtors: Sequence[int]) -> Ahead:
        """Judges debtors with their groups and scores, and concludes, by one state of the store."""
        with unhurried(), store.reading() as tx:
            concluded = self.conclude(tx, debtors, list(judge(tx, self.base, debtors, scores=True)))
            seen = concerns.newest(tx) if is_sqlite(tx) else None
            beside = self._beside(tx, debtors, concluded)
            return Ahead(concluded, marks.upto(tx), decisions.newest(tx), seen, beside)

    def still(self, tx: Connection, debtors: Sequence[int], ahead: Ahead) -> Concluded:
        """What was concluded ahead, where it still holds; else it is concluded again. With the debtors' lock, in the
        transaction that writes it."""
        if (
            marks.upto(tx) == ahead.upto
            and decisions.newest(tx) == ahead.newest
            and (_untouched(tx, debtors, ahead.seen) or self._beside(tx, debtors, ahead.concluded) == ahead.beside)
        ):
            return ahead.concluded
        self.base.forget(debtors)
        return self.conclude(tx, debtors, list(judge(tx, self.base, debtors, scores=True)))

    def conclude(self, tx: Connection, debtors: Sequence[int], judged: Sequence[Judged]) -> Concluded:
        """What follows from a judgement; nothing is written."""
        base = self.base
        accounts = _accounts(tx, self.systems, debtors)
        digests = {one.debtor: digest_of(base, one) for one in judged}
        # Yesterday's words are read, and today's written, only where something is another or is to be told.
        standing = decisions.digests(tx, debtors)
        other = {debtor for debtor, digest in digests.items() if standing.get(debtor) != digest}
        wordy = [one for one in judged if one.debtor in other or accounts.get(one.debtor)]
        before = decisions.latest(tx, [one.debtor for one in wordy])
        bodies = {one.debtor: body_after(base, one, before.get(one.debtor)) for one in wordy}
        upto = amendments.upto(tx)
        conclusions = []
        for one in judged:
            body = kept = None
            if one.debtor in other:
                body = decisions.packed(bodies[one.debtor])
                kept = inputs.packed(base, one, before.get(one.debtor), upto)
            conclusions.append(Conclusion(one.debtor, digests[one.debtor], body, kept))
        out = WaysOut(tx, base, wordy)
        owed = [
            each
            for one in wordy
            for each in owed_by(base, one, bodies[one.debtor], accounts.get(one.debtor, ()), self.told, out)
        ]
        if base.config.limits.master == "here":
            owed += flowing(wordy, accounts, kept_here(tx), base.systems)
        scored = {one.debtor: digest(one.score) for one in judged if one.score is not None}
        return Concluded(judged, conclusions, scored, accounts, owed, out, outcome(judged, self.check))

    def _beside(self, tx: Connection, debtors: Sequence[int], concluded: Concluded) -> tuple[object, ...]:
        """What is concluded by and may change without a mark: an order check keeps states and reserves credit, another
        run warns."""
        orders = [row.key for one in concluded.judged for row, _ in one.orders]
        now = self.base.now
        return (
            order_credit.states(tx, debtors, orders),
            reservations.standing(tx, now, debtors) if now is not None else None,
            alerts.standing(tx, debtors),
        )


def _untouched(tx: Connection, debtors: Sequence[int], seen: int | None) -> bool:
    """Whether no transaction since this one concerned any of these debtors, by what all have noted."""
    if seen is None:
        return False
    _, concern = concerns.after(tx, seen)
    return concern is not None and not concern.customers and concern.debtors.isdisjoint(debtors)


def _accounts(tx: Connection, systems: Sequence[Connected], debtors: Sequence[int]) -> Accounts:
    """CRM accounts and ERP customers alike."""
    found: dict[int, list[tuple[Connected, CustomerRow]]] = defaultdict(list)
    writable = {c.name: c for c in systems}
    if writable:
        for row in customers.customers(tx, systems=sorted(writable), debtors=debtors):
            if row.debtor is not None and row.known:
                found[row.debtor].append((writable[row.system], row))
    return found
