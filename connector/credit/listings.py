"""Listings: what registers, courts and bureaus say of a customer on a day, from the events that were told (domain 9).

Nothing listed is known only where somebody asked: an event of the kind `registry_checked` or `court_checked` says so, and
so does a listing that has ended. An entry counts from its day until the day it ended, however old it is; a lawsuit, a
rating and an answer "nothing" count for so many months.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from connector.credit.score_inputs import Known
from connector.credit.terms import months_later
from connector.model import Event
from connector.money import parse

CLEAN = "clean"
# From bad to worse, and the kinds of event that say so.
REGISTRY: tuple[tuple[str, frozenset[str]], ...] = (
    ("abnormal", frozenset({"registry_abnormal", "simple_cancellation", "strike_off_proposed"})),
    ("serious", frozenset({"registry_serious_illegal"})),
    ("revoked", frozenset({"registry_status", "liquidation"})),
)
COURT: tuple[tuple[str, frozenset[str]], ...] = (
    ("lawsuit", frozenset({"lawsuit"})),
    ("executed", frozenset({"court_executed", "consumption_restriction", "terminated_execution"})),
    ("dishonest", frozenset({"court_dishonest"})),
    ("bankruptcy", frozenset({"bankruptcy"})),
)
REGISTRY_CHECKED, COURT_CHECKED = "registry_checked", "court_checked"
RATING, RATED = "bureau_rating", "bureau_score"
# A register may also report that all is well: in so many words, or beginning so (存续（在营、开业、在册）, 在营（开业）企业).
_STATUS = "registry_status"
_IN_ORDER = frozenset({"active", "registered", "open", "good standing"})
_IN_ORDER_BEGINS = ("存续", "在业", "在营", "在册", "开业", "正常", "登记成立", "迁入")
# Proceedings that begin do not end with a listing: they are old news after a while.
_PASSING = frozenset({"lawsuit"})

KINDS = frozenset({REGISTRY_CHECKED, COURT_CHECKED, RATING, RATED}.union(*(kinds for _, kinds in (*REGISTRY, *COURT))))


NOTHING = Known(flags=("no_event",))


def registry(events: Iterable[Event], as_of: dt.date, months: int) -> Known:
    """What the register of companies says: clean, abnormal, serious or revoked; unknown where nobody asked."""
    return _worst(events, as_of, months, REGISTRY, REGISTRY_CHECKED)


def court(events: Iterable[Event], as_of: dt.date, months: int) -> Known:
    """What courts say: clean, lawsuit, executed, dishonest or bankruptcy; unknown where nobody asked."""
    return _worst(events, as_of, months, COURT, COURT_CHECKED)


def _worst(
    events: Iterable[Event],
    as_of: dt.date,
    months: int,
    ladder: Sequence[tuple[str, frozenset[str]]],
    checked: str,
) -> Known:
    fresh = months_later(as_of, -months)
    rank_of = {kind: rank for rank, (_, kinds) in enumerate(ladder) for kind in kinds}
    worst, by, clean = -1, None, None
    known = sorted((event for event in events if event.on <= as_of), key=_newest_last)
    # A status takes the place of what the same register said before; a listing stands until it ends.
    status = {event.source: event for event in known if event.kind == _STATUS}
    for event in known:
        if event.kind == _STATUS and status[event.source] is not event:
            continue
        rank = rank_of.get(event.kind)
        in_order = event.kind == _STATUS and _in_order(event.value or "")
        if rank is not None and not in_order and _stands(event, as_of, fresh):
            if rank >= worst:
                worst, by = rank, event
        elif in_order or event.kind == checked or rank is not None:
            told = max(event.on, event.ended_on) if event.ended_on and event.ended_on <= as_of else event.on
            if told >= fresh:
                clean = event
    if by is not None:
        return Known(ladder[worst][0], _source(by))
    return Known(CLEAN, _source(clean)) if clean is not None else NOTHING


def _in_order(value: str) -> bool:
    word = unicodedata.normalize("NFKC", value).strip().casefold()
    return word in _IN_ORDER or word.startswith(_IN_ORDER_BEGINS)


def _stands(event: Event, as_of: dt.date, fresh: dt.date) -> bool:
    if event.kind in _PASSING and event.on < fresh:
        return False
    return event.ended_on is None or event.ended_on > as_of


def rating(events: Iterable[Event], as_of: dt.date, months: int, listed: Collection[str] = ()) -> Known:
    """The newest rating that the scorecard lists, as it is or as `source:rating`; else the newest one there is.

    Ratings of two bureaus are never mixed: each is looked up by itself.
    """
    found = [e for e in _fresh(events, as_of, months, RATING) if e.value]
    for event in reversed(found):
        for word in (f"{event.source}:{event.value}", event.value):
            if word in listed:
                return Known(word, _source(event))
    return Known(found[-1].value, _source(found[-1])) if found else NOTHING


def rated(events: Iterable[Event], as_of: dt.date, months: int) -> Known:
    """The newest number that a bureau gave."""
    found = _fresh(events, as_of, months, RATED)
    if not found:
        return NOTHING
    try:
        return Known(Decimal(parse(found[-1].value or "")), _source(found[-1]))
    except ValueError:
        return Known(None, _source(found[-1]), ("not_a_number",))


def _fresh(events: Iterable[Event], as_of: dt.date, months: int, kind: str) -> list[Event]:
    since = months_later(as_of, -months)
    found = [
        e for e in events if e.kind == kind and since <= e.on <= as_of and (e.ended_on is None or e.ended_on > as_of)
    ]
    return sorted(found, key=_newest_last)


def _newest_last(event: Event) -> tuple[dt.date, str]:
    return event.on, event.id


def _source(event: Event) -> tuple[str, ...]:
    return "event", event.source, event.on.isoformat()
