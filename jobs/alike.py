"""Alike: whether a value that a system gives back is the one that we wrote there."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connector.money import EXACT


def alike(ours: Any, there: Any) -> bool:
    """Whether a value that was read is the one we wrote: systems answer nothing as empty, false or nought, cut texts off,
    round amounts to cents and give references with their names."""
    if isinstance(there, list | tuple) and not isinstance(ours, list | tuple):
        there = there[0] if there else None
    if isinstance(ours, bool):
        return _yes(there) == ours
    if ours is None or ours == "":
        return there in (None, "", False) or there == 0
    if isinstance(ours, int | Decimal):
        return _number(ours) == _number(there)
    if isinstance(ours, dt.date):
        return str(there or "").startswith(ours.isoformat())
    if isinstance(ours, str):
        mine, its = " ".join(ours.split()), " ".join(str(there if there not in (None, False) else "").split())
        return mine == its or (len(its) >= 100 and mine.startswith(its))
    return bool(ours == there)


def _yes(value: Any) -> bool:
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP, EXACT)
    except InvalidOperation:
        return None
