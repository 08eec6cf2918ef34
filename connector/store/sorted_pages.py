"""Pages of sorted lists: each begins after a place (the value it is sorted by, and the row's key), however long the list is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, and_, or_

# The value of the last line that was shown, as text, and its key.
Place = tuple[str, int]


def paged(
    asked: Select[Any], key: Any, number: Any, down: bool, after: tuple[Any, int] | None, most: int
) -> Select[Any]:
    """So many rows at most, by `key` and then `number`, those after a place; the other way round where `down`."""
    if after is not None:
        value, last = after
        beyond, further = (key < value, number < last) if down else (key > value, number > last)
        asked = asked.where(or_(beyond, and_(key == value, further)))
    order = (key.desc(), number.desc()) if down else (key, number)
    return asked.order_by(*order).limit(most)


def said(value: Any) -> str:
    """The value that a row is sorted by, as an address can carry it."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)
