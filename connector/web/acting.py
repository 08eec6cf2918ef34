"""Acting by a form: done once for each page that was shown, however often its button was pressed; then the jobs are woken."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import TypeVar

from connector.errors import HoldfastError
from connector.store import idempotent
from connector.store.db import Store
from connector.text import Text
from connector.web.front import Front
from connector.web.problem import Refused
from connector.web.session import Visitor

T = TypeVar("T")
# The name of the hidden field.
FIELD = "once"
_TOKEN_MOST = 64
_BUSY = Text("This is being done already. Look again in a moment.", "该操作正在处理，请稍后查看。")


def once() -> str:
    """What the forms of a page carry, so that each acts once."""
    return secrets.token_urlsafe(12)


async def acted(
    front: Front, visitor: Visitor, address: str, given: Mapping[str, str], act: Callable[[Store], T]
) -> T | None:
    """Does what a form asks for, in transactions of the store that it is given; None: it was done before.

    What was refused (any of our errors) may be sent again.
    """
    token = given.get(FIELD, "")[:_TOKEN_MOST]
    if not token.isascii() or not token:
        made = await front.work(lambda: act(front.store))
        front.wake.set()
        return made
    said = hashlib.sha256(repr((address, sorted(given.items()))).encode("utf-8", "surrogatepass")).hexdigest()
    key, caller = f"page:{token}:{said[:20]}", visitor.caller.actor

    def work() -> T | None:
        now = front.clock.now()
        with front.store.writing() as tx:
            known = idempotent.begin(tx, caller, key, said, now)
        if known is not None:
            if known.state == "begun":
                raise Refused(409, _BUSY, "key_in_use", {"Retry-After": "1"})
            return None
        try:
            done = act(idempotent.Once(front.store, caller, key))
        except (HoldfastError, Refused):
            with front.store.writing() as tx:
                idempotent.forget(tx, caller, key)
            raise
        with front.store.writing() as tx:
            idempotent.answered(tx, caller, key, 303, "")
        return done

    found: T | None = await front.work(work)
    front.wake.set()
    return found
