"""Forms that act once: a form carries a key of its own, and what comes a second time with the same key does nothing more."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import TypeVar

from markupsafe import Markup

from connector.store import idempotent
from connector.store.db import Store
from connector.web.front import Front
from connector.web.session import Visitor

T = TypeVar("T")
FIELD = "once"
_KEY_MOST = 64


def once_field() -> Markup:
    """A fresh key for a form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, secrets.token_urlsafe(18))


def done_once(front: Front, visitor: Visitor, given: Mapping[str, str], act: Callable[[Store], T]) -> T | None:
    """Acts, in transactions of the store that `act` is given; None: a form with this key has acted already.

    Without a key it acts as often as it is sent. Whatever `act` raises gives the key back.
    """
    key = given.get(FIELD, "")
    if not key or len(key) > _KEY_MOST or not key.isascii() or not key.isprintable():
        return act(front.store)
    actor, name = visitor.caller.actor, f"form:{key}"
    said = "\n".join(f"{field}={value}" for field, value in sorted(given.items()))
    sha = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
    with front.store.writing() as tx:
        known = idempotent.begin(tx, actor, name, sha, front.clock.now())
    if known is not None:
        return None
    try:
        return act(idempotent.Once(front.store, actor, name))
    except BaseException:
        with front.store.writing() as tx:
            idempotent.forget(tx, actor, name)
        raise
