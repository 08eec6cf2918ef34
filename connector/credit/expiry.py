"""Expiry: the last day on which a limit, or an insurance or guarantee, is in force without a gap from a day on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from connector.model import Limit, LimitKind

_DAY = dt.timedelta(days=1)
LIMIT: frozenset[LimitKind] = frozenset({"base", "unlimited", "override"})
INSURANCE: frozenset[LimitKind] = frozenset({"guarantee"})


def last_day(limits: Sequence[Limit], kinds: Collection[LimitKind], on: dt.date) -> dt.date | None:
    """The last day of what is in force, with what follows on it without a gap; where nothing is in force any more, the
    day before `on` on which the last one ended. None: it never ends, or there never was one by that day."""
    pieces = [(x.valid_from or dt.date.min, x.valid_to or dt.date.max) for x in limits if x.kind in kinds]
    begun = sorted((since, until) for since, until in pieces if since <= until)
    last: dt.date | None = None
    for since, until in begun:
        if last is None or last < on:
            # Whatever ended before the day is made good by what is in force on it.
            if since <= on:
                last = until if last is None else max(last, until)
        elif last < dt.date.max and since <= last + _DAY:
            last = max(last, until)
    return None if last == dt.date.max else last
