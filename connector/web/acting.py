"""Acting by a form: done once for each page that was shown, however often its button was pressed; then the jobs are woken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from connector.store.db import Store
from connector.web.form_once import FIELD, done_once, once
from connector.web.front import Front
from connector.web.session import Visitor

T = TypeVar("T")


async def acted(
    front: Front, visitor: Visitor, address: str, given: Mapping[str, str], act: Callable[[Store], T]
) -> T | None:
    """Does what a form asks for beside the event loop (`done_once`); None: it was done before."""
    found: T | None = await front.work(lambda: done_once(front, visitor, given, act, address))
    front.wake.set()
    return found


__all__ = ["FIELD", "acted", "once"]
