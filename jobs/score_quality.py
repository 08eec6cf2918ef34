"""How good the scorecard is on the company's own past: scored on a day, judged by what came after (domain 6).

A customer turned bad when, in the months after that day, an invoice was paid at least so many days late or stood open so
long past due. Customers of whom nothing fell due or was paid in that time are left out: nothing is known of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.quality import auc, gini, ks, psi
from connector.credit.scaling import Evidence, evidence
from connector.credit.score import Score
from connector.credit.terms import months_later
from connector.store import Connection, behaviour
from jobs.frame import Frame
from jobs.judge import judge


@dataclass(frozen=True, slots=True)
class Band:
    """One grade: the customers of which something is known afterwards, and how many of them turned bad.

    `woe` is its weight of evidence, ln(share of the good ÷ share of the bad): above 0 it speaks for a customer. None where
    nothing is known of anybody, or all or none turned bad."""

    grade: str | None
    customers: int
    bad: int
    woe: Decimal | None = None

    @property
    def share(self) -> Decimal | None:
        """Turned bad ÷ customers, a fraction of 1."""
        return Decimal(self.bad) / self.customers if self.customers else None


@dataclass(frozen=True, slots=True)
class Quality:
    """How the scores of `scored_on` did until `until`.

    AUC, Gini and KS are over the customers with a score, None where all or none of them turned bad; 0.5, 0 and 0 are
    chance. `iv` is the information value of the grades: how much they tell in all. `psi` compares the grades of the two days: how far the customers have moved. `bands` are the best grade
    first, those without one last. `unknown`: customers of whom nothing is known afterwards.
    """

    scored_on: dt.date
    until: dt.date
    bad_days: int
    bands: tuple[Band, ...]
    auc: Decimal | None
    gini: Decimal | None
    ks: Decimal | None
    psi: Decimal | None
    unknown: int
    iv: Decimal | None = None


def quality(tx: Connection, before: Frame, after: Frame, bad_days: int) -> Quality:
    """The scores of the day of one frame, by what was known on the day of a later one."""
    then, now = _scores(tx, before), _scores(tx, after)
    lateness = _worst_days(tx, before, after)
    worst = {
        debtor: max(days)
        for debtor, keys in before.members.items()
        if debtor in then and (days := [lateness[key] for key in keys if key in lateness])
    }
    names = [name for name, _ in before.policy.score.bands]
    grades: list[str | None] = [*names, *sorted({s.grade for s in then.values() if s.grade} - set(names)), None]
    found = {
        grade: [worst[d] >= bad_days for d, s in then.items() if d in worst and s.grade == grade] for grade in grades
    }
    risk = [(-s.points, worst[d] >= bad_days) for d, s in then.items() if d in worst and s.points is not None]
    points, bad = [p for p, _ in risk], [b for _, b in risk]
    counted = {grade: marks for grade, marks in found.items() if marks}
    told = _evidence(list(counted.values()))
    woe = dict(zip(counted, told.woe, strict=True)) if told is not None else {}
    return Quality(
        before.as_of,
        after.as_of,
        bad_days,
        tuple(
            Band(grade, len(marks), sum(marks), woe.get(grade))
            for grade, marks in found.items()
            if grade in names or marks
        ),
        auc(points, bad),
        gini(points, bad),
        ks(points, bad),
        psi(*([sum(s.grade == grade for s in day.values()) for grade in grades] for day in (then, now))),
        len(then) - len(worst),
        told.iv if told is not None else None,
    )


def _evidence(marks: Sequence[Sequence[bool]]) -> Evidence | None:
    """What grades say, from whether each of their customers turned bad."""
    bads = [sum(of_grade) for of_grade in marks]
    goods = [len(of_grade) - bad for of_grade, bad in zip(marks, bads, strict=True)]
    return evidence(goods, bads) if sum(goods) and sum(bads) else None


def _scores(tx: Connection, frame: Frame) -> Mapping[int, Score]:
    judged = judge(tx, frame, orders=False, scores=True)
    return {one.debtor: one.score for one in judged if one.score is not None}


def _worst_days(tx: Connection, before: Frame, after: Frame) -> dict[int, int]:
    """By ERP customer, the latest that anything was paid in the time between, or is past due at its end."""
    days: dict[int, int] = {}
    for rows in (
        behaviour.payments(tx, None, after.as_of, [before.as_of], after.systems),
        behaviour.overdue(tx, None, after.as_of, after.systems),
    ):
        for key, by_currency in rows.items():
            for shares in by_currency.values():
                days[key] = max(days.get(key, -(10**6)), *(late for _, late, _, _ in shares))
    return days


def usual_days(today: dt.date, months: int) -> tuple[dt.date, dt.date]:
    """The day to be scored on so that so many months have come after it by today, and today."""
    return months_later(today, -months), today
