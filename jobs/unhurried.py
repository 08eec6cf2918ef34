"""Unhurried: work that makes many objects which live as long as it does, without looking through them again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many more objects are there before the youngest are looked through: a portion of customers makes some 200,000.
_OBJECTS = 500_000


@contextmanager
def unhurried() -> Iterator[None]:
    """Looks for unreachable rings of objects rarely meanwhile; what is in no ring is freed at once, as always.

    The setting is the process's own: of two that overlap, the one that ends first brings the usual pace back.
    """
    usual = gc.get_threshold()
    if usual[0] == 0 or usual[0] >= _OBJECTS:
        yield
        return
    gc.set_threshold(_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
