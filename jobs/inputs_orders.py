"""Inputs of order checks: circumstances and rooms as they are kept beside a decision, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.credit.circumstances import ORDINARY, Circumstances, Missing
from connector.credit.decide import ALONE, Room
from connector.credit.exclusion import Exclusion
from connector.credit.release import Release
from connector.text import Text


def about_kept(about: Circumstances) -> dict[str, Any] | None:
    """Circumstances as values of JSON; None for ordinary ones."""
    if about == ORDINARY:
        return None
    return {
        "dunning_level": about.dunning_level,
        "review_due_on": _iso(about.review_due_on),
        "missing": [[m.name.en, m.name.zh, _iso(m.expired_on)] for m in about.missing],
        "terms": about.terms,
        "stopped": None if about.stopped is None else [about.stopped.en, about.stopped.zh],
        "exclusions": [_exclusion(one) for one in about.exclusions],
    }


def about_of(kept: Mapping[str, Any] | None) -> Circumstances:
    """The circumstances back."""
    if kept is None:
        return ORDINARY
    return Circumstances(
        kept["dunning_level"],
        _day(kept["review_due_on"]),
        tuple(Missing(Text(en, zh), _day(day)) for en, zh, day in kept["missing"]),
        kept["terms"],
        None if kept["stopped"] is None else Text(*kept["stopped"]),
        tuple(_exclusion_of(one) for one in kept["exclusions"]),
    )


def rooms_kept(rooms: Mapping[int, Room]) -> dict[str, Any]:
    """What orders were checked with, by their keys; those without anything special are left out."""
    return {
        str(key): [
            f"{room.spare:f}",
            [f"{spare:f}" for spare in room.above],
            room.manual,
            None if room.release is None else _release(room.release),
            [_exclusion(one) for one in room.exclusions],
        ]
        for key, room in rooms.items()
        if room != ALONE
    }


def rooms_of(kept: Mapping[str, Sequence[Any]]) -> dict[int, Room]:
    """The rooms back."""
    return {
        int(key): Room(
            Decimal(spare),
            tuple(Decimal(one) for one in above),
            manual,
            None if release is None else _release_of(release),
            tuple(_exclusion_of(one) for one in own),
        )
        for key, (spare, above, manual, release, own) in kept.items()
    }


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def _exclusion(one: Exclusion) -> list[Any]:
    rules = sorted(one.rules)
    return [one.id, one.scope, one.effect, rules, one.note, one.by, _iso(one.valid_from), _iso(one.valid_to)]


def _exclusion_of(kept: Sequence[Any]) -> Exclusion:
    number, scope, effect, rules, note, by, since, until = kept
    return Exclusion(number, scope, effect, frozenset(rules), note, by, _day(since), _day(until))


def _release(one: Release) -> list[Any]:
    most = f"{one.max_total:f}"
    return [one.by, one.on.isoformat(), most, one.currency, one.valid_until.isoformat(), one.terms, one.was_red]


def _release_of(kept: Sequence[Any]) -> Release:
    by, on, most, currency, until, terms, was_red = kept
    day = dt.date.fromisoformat
    return Release(by, day(on), Decimal(most), currency, day(until), terms, was_red)
