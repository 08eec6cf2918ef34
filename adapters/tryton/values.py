"""Tryton's JSON values: Decimals, dates and nested records, both ways.

On the wire a Decimal is `{"__class__": "Decimal", "decimal": "12.50"}`, a date `{"__class__": "date", "year": …}`, and a
field of a related record asked for as `party.code` arrives as `"party.": {"id": …, "code": …}` (trytond
`protocols/jsonrpc.py` and `model/modelstorage.py`, 8.2; seen on a running server). Records leave here as plain JSON:
numbers as Decimal, dates as `2026-11-20`, instants as `2026-11-20T13:57:30.650000` (UTC), related records nested under
the field's own name.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A value from the wire as plain JSON."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if not isinstance(value, dict):
        return value
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return f"{value['year']:04d}-{value['month']:02d}-{value['day']:02d}"
        case "datetime":
            return dt.datetime(
                value["year"],
                value["month"],
                value["day"],
                value.get("hour", 0),
                value.get("minute", 0),
                value.get("second", 0),
                value.get("microsecond", 0),
                tzinfo=dt.UTC,
            ).strftime("%Y-%m-%dT%H:%M:%S.%f")
        case "timedelta":
            return Decimal(str(value["seconds"]))
        case "bytes":
            return value["base64"]
    # Nested records win over the bare id that comes beside them.
    return {k: plain(v) for k, v in value.items() if not k.endswith(".")} | {
        k[:-1]: plain(v) for k, v in value.items() if k.endswith(".")
    }


def wire(value: Any) -> Any:
    """A value of ours as the wire wants it. A float is a TypeError: money never was one."""
    if isinstance(value, float):
        raise TypeError("a float has no place here")
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": format(value, "f")}
    if isinstance(value, dt.datetime):
        utc = value.astimezone(dt.UTC) if value.tzinfo else value
        return {
            "__class__": "datetime",
            **{k: getattr(utc, k) for k in ("year", "month", "day", "hour", "minute", "second", "microsecond")},
        }
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, bytes):
        return {"__class__": "bytes", "base64": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {k: wire(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [wire(v) for v in value]
    return value


def instant(mark: str) -> dt.datetime:
    """A watermark (`2026-11-20T13:57:30.650000`, UTC) as a datetime."""
    return dt.datetime.fromisoformat(mark).replace(tzinfo=dt.UTC)


def mark_of(moment: dt.datetime) -> str:
    """A datetime as a watermark, microseconds always written so that marks sort as text."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def earlier(mark: str, minutes: int) -> str:
    """A watermark, so many minutes before another."""
    return mark_of(instant(mark) - dt.timedelta(minutes=minutes))
