"""Staged limits 分期额度: the release condition of a tranche, written in a few words (domain 2.7).

    from:2026-03-01 paid>=80% late<=15 suspend:late>30

Words are separated by blanks; all of them must hold:

- `from:DATE`     not before this day;
- `paid>=N%`      at least so much of the previous tranche's invoices is paid;
- `late<=N`       nothing is more than so many days overdue;
- `released:DATE` the release is already an event of that day, whatever was needed for it;
- `suspend:late>N`, `suspend:paid<N%`   while this holds, a released tranche does not count.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from connector.model import Limit

_WORD = re.compile(
    r"(?P<on>from|released):(?P<date>\d{4}-\d\d-\d\d)"
    r"|paid>=(?P<paid>\d+(\.\d+)?)%|late<=(?P<late>\d+)"
    r"|suspend:late>(?P<suspend_late>\d+)|suspend:paid<(?P<suspend_paid>\d+(\.\d+)?)%"
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a customer has paid, as far as staged limits ask; None is "not known" and releases nothing.

    `paid` is the paid share of the previous tranche's invoices, a fraction of 1; `late_days` the days past due of the
    oldest open item, 0 where nothing is overdue. `released` are the refs of tranches released before: a release stays.
    `paid_of` has the paid share of each tranche's own invoices, by the tranche's ref (`after`).
    """

    paid: Decimal | None = None
    late_days: int | None = None
    released: frozenset[str] = frozenset()
    paid_of: Mapping[str, Decimal] = field(default_factory=dict)

    def after(self, previous: str | None) -> Behaviour:
        """The same as the tranche asks that comes after another one."""
        share = self.paid_of.get(previous) if previous is not None else None
        return self if share is None else replace(self, paid=share)


UNKNOWN = Behaviour()


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed release condition; what is None is not asked for. Shares are fractions of 1."""

    from_on: dt.date | None = None
    paid: Decimal | None = None
    late_days: int | None = None
    released_on: dt.date | None = None
    suspend_late_days: int | None = None
    suspend_paid: Decimal | None = None

    def releases(self, on: dt.date, behaviour: Behaviour) -> bool:
        """Whether the tranche is released on a day, or has been by its recorded event."""
        if self.released_on and self.released_on <= on:
            return True
        return (
            (self.from_on is None or self.from_on <= on)
            and (self.paid is None or (behaviour.paid is not None and behaviour.paid >= self.paid))
            and (self.late_days is None or (behaviour.late_days is not None and behaviour.late_days <= self.late_days))
        )

    def suspends(self, behaviour: Behaviour) -> bool:
        """Whether a released tranche does not count now; what is not known suspends."""
        late, paid = behaviour.late_days, behaviour.paid
        return (self.suspend_late_days is not None and (late is None or late > self.suspend_late_days)) or (
            self.suspend_paid is not None and (paid is None or paid < self.suspend_paid)
        )


def parse_condition(words: str | None) -> Condition:
    """The condition of a tranche; no words release it at once. Raises ValueError naming the word that is not known."""
    found: dict[str, dt.date | Decimal | int] = {}
    for word in (words or "").split():
        match = _WORD.fullmatch(word)
        if not match:
            raise ValueError(word)
        if match["on"]:
            found["from_on" if match["on"] == "from" else "released_on"] = dt.date.fromisoformat(match["date"])
        for name, asked in (("paid", "paid"), ("suspend_paid", "suspend_paid")):
            if match[name]:
                found[asked] = Decimal(match[name]) / 100
        for name, asked in (("late", "late_days"), ("suspend_late", "suspend_late_days")):
            if match[name]:
                found[asked] = int(match[name])
    return Condition(**found)  # type: ignore[arg-type]  # each name was given its own type above


def begun_on(tranches: Sequence[Limit], released: Mapping[str, dt.date]) -> dict[str, tuple[dt.date, dt.date | None]]:
    """The days whose invoices belong to each tranche that has begun: from its release until before the next one's (ours).

    Nothing where no condition asks what share is paid. The release is the day the condition names as the event, else the
    day from which it needs nothing but the calendar, else the recorded one (`released`, by ref). Where the next tranche
    began on the same day or has not begun, the days have no end.
    """
    read: list[tuple[Limit, Condition]] = []
    for limit in sorted(tranches, key=tranche_order):
        try:
            read.append((limit, parse_condition(limit.condition)))
        except ValueError:
            continue  # told where the limit is reckoned up
    if not any(c.paid is not None or c.suspend_paid is not None for _, c in read):
        return {}
    begun = [(limit.ref, _released_on(limit, condition, released)) for limit, condition in read]
    found: dict[str, tuple[dt.date, dt.date | None]] = {}
    for (ref, since), (_, following) in zip(begun, [*begun[1:], ("", None)], strict=True):
        if since is not None:
            found[ref] = (since, following if following is not None and following > since else None)
    return found


def _released_on(limit: Limit, condition: Condition, released: Mapping[str, dt.date]) -> dt.date | None:
    if condition.released_on:
        return condition.released_on
    if condition.paid is None and condition.late_days is None:
        return max(condition.from_on or dt.date.min, limit.valid_from or dt.date.min)
    return released.get(limit.ref)


def tranche_order(limit: Limit) -> tuple[dt.date, str]:
    """Tranches come in the order in which they become valid, then by ref."""
    return limit.valid_from or dt.date.min, limit.ref


_SEASON = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")


def in_season(words: str | None, on: dt.date) -> bool:
    """Whether a day is in a month-day range `11-01..02-15`, both ends included; it may wrap the year's end.

    Raises ValueError where the words are no such range.
    """
    match = _SEASON.fullmatch((words or "").strip())
    if not match:
        raise ValueError(words or "")
    a, b, c, d = (int(n) for n in match.groups())
    for month, day in ((a, b), (c, d)):
        dt.date(2000, month, day)  # raises ValueError; 2000 knows 02-29
    here, start, end = (on.month, on.day), (a, b), (c, d)
    return start <= here <= end if start <= end else here >= start or here <= end
