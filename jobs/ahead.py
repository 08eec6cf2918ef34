"""Judging ahead: some debtors are judged before the transaction that keeps what is concluded, so that whoever wants to
write does not wait for it.

What was judged counts in that transaction only where nothing it rests on is another by then. Whatever changes facts, or is
decided by a person, marks its customers; what leaves no mark is compared: states of orders, reserved credit, warnings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.store import Connection, alerts, decisions, marks, order_credit, reservations
from connector.store.db import Store
from jobs.frame import Frame
from jobs.judge import Judged, judge


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was judged of some debtors, with their scores: by which newest mark, and by what leaves none."""

    judged: Sequence[Judged]
    upto: int
    beside: tuple[object, ...]


def judge_ahead(store: Store, base: Frame, debtors: Sequence[int]) -> Ahead:
    """Judges debtors and their groups by one state of the store."""
    with store.reading() as tx:
        judged = list(judge(tx, base, debtors, scores=True))
        return Ahead(judged, marks.upto(tx), _beside(tx, base, debtors, judged))


def still_judged(tx: Connection, base: Frame, debtors: Sequence[int], ahead: Ahead) -> Sequence[Judged]:
    """What was judged ahead, where it still holds; else they are judged again. With the debtors' lock, in the transaction
    that keeps what is concluded."""
    if marks.upto(tx) == ahead.upto and _beside(tx, base, debtors, ahead.judged) == ahead.beside:
        return ahead.judged
    base.forget(debtors)
    return list(judge(tx, base, debtors, scores=True))


def _beside(tx: Connection, base: Frame, debtors: Sequence[int], judged: Sequence[Judged]) -> tuple[object, ...]:
    """What is judged by and may change without a mark: an order check keeps states and reserves credit, another
    run concludes and warns."""
    orders = [row.key for one in judged for row, _ in one.orders]
    return (
        order_credit.states(tx, debtors, orders),
        reservations.standing(tx, base.now, debtors) if base.now is not None else None,
        alerts.standing(tx, debtors),
        decisions.newest(tx),
    )
