"""Groups that became others while somebody was at work: who belongs to whom is looked up before the lock is taken, and a
page of facts may say something else meanwhile. What was judged by the former groups is not kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from connector.clock import Clock, day_in
from connector.config import Config
from connector.policy import Policy
from connector.store import Connection, marks, order_credit
from connector.store.bulk import is_sqlite
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge


class Moved(Exception):
    """Somebody belongs to another group than a moment ago. The transaction is given up, and with it its locks: taking
    further ones in it could lock two against each other."""


def seated(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    debtor: int,
    *,
    scores: bool = False,
    confirming: int | None = None,
    still: bool = False,
) -> tuple[Frame, list[Judged]]:
    """A debtor and its whole group, locked and judged as of now, all by one state of the facts. Raises Moved.

    `still`: for whoever judges again in this transaction, by the same groups; no page is committed before its end.
    """
    today = day_in(clock.now(), config.business.time_zone)
    family: set[int] | None = None
    if not is_sqlite(tx):  # SQLite has one writer anyway
        family = frame(tx, config, policy, clock, today, debtors=[debtor], near=True).family([debtor])
        order_credit.lock(tx, family)

    def look() -> tuple[Frame, list[Judged]]:
        base = frame(tx, config, policy, clock, today, debtors=[debtor], near=True)
        base.confirming = confirming
        return base, list(judge(tx, base, [debtor], scores=scores))

    base, found = marks.undisturbed(tx, look, still=still)
    if family is not None and base.family([debtor]) != family:
        raise Moved
    return base, found


def torn(tx: Connection, base: Frame, part: Collection[int], since: int, clock: Clock) -> set[int]:
    """Those of some debtors, locked by now, whose group is another than in a frame that was made at the mark `since`."""
    if marks.upto(tx) == since:
        return set()
    now = frame(tx, base.config, base.policy, clock, base.as_of, debtors=part, near=True)
    apart: set[int] = set()
    for debtor in {*part, *now.parents}:
        was, goes = base.parents.get(debtor), now.parents.get(debtor)
        if was != goes:
            apart |= base.family(d for d in (debtor, was, goes) if d is not None)
    return apart & set(part)


def whole(found: Sequence[Judged], apart: Collection[int]) -> list[Judged]:
    """What may be kept of what was judged."""
    return [judged for judged in found if judged.debtor not in apart] if apart else list(found)
