"""Writes that wait or are refused, as people decide on them: tried again, or given up; each decision is in the trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from connector.store import Connection, audit, outbox
from connector.store.audit import Entry


def again(tx: Connection, numbers: Iterable[int], *, by: str, now: dt.datetime, why: str = "") -> list[int]:
    """Tries parked writes again at once, and holds again what was undone; gives those of which that could be said. `by` is
    who decides, as the trail names him."""
    return _decided(
        tx, "retry", numbers, lambda n: bool(outbox.retry(tx, n) or outbox.restore(tx, n, now)), by, now, why
    )


def drop(tx: Connection, numbers: Iterable[int], *, by: str, now: dt.datetime, why: str = "") -> list[int]:
    """Gives writes up: the same values are not written again, others are. Gives those that waited."""
    return _decided(tx, "drop", numbers, lambda n: outbox.drop(tx, n, now), by, now, why)


def _decided(
    tx: Connection,
    verb: str,
    numbers: Iterable[int],
    act: Callable[[int], bool],
    by: str,
    now: dt.datetime,
    why: str,
) -> list[int]:
    done = [number for number in numbers if act(number)]
    if done:
        audit.append(tx, [Entry(f"outbox.{verb}", f"outbox:{number}", by, why) for number in done], now)
    return done


__all__ = ["again", "drop"]
