"""Forms that act once: a form carries a key of its own; the same form sent a second time with it does nothing more."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import TypeVar

from markupsafe import Markup

from connector.store import idempotent
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.text import Text
from connector.web.front import Front
from connector.web.problem import Refused
from connector.web.session import Visitor

T = TypeVar("T")
# The name of the hidden field.
FIELD = "once"
_KEY_MOST = 64
_BUSY = Text("This is being done already. Look again in a moment.", "该操作正在处理，请稍后查看。")


def once() -> str:
    """A fresh key for a form."""
    return secrets.token_urlsafe(18)


def once_field() -> Markup:
    """The same as a hidden field."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, once())


def done_once(
    front: Front, visitor: Visitor, given: Mapping[str, str], act: Callable[[Store], T], address: str = ""
) -> T | None:
    """Acts, in transactions of the store that `act` is given; None: this very form (`given`, at an address) has acted.

    Without a key it acts as often as it is sent. Whatever `act` raises before it has written anything gives the key back.
    Raises Refused (409) while it is being done.
    """
    key = given.get(FIELD, "")
    if not key or len(key) > _KEY_MOST or not key.isascii() or not key.isprintable():
        return act(front.store)
    said = hashlib.sha256(repr((address, sorted(given.items()))).encode("utf-8", "surrogatepass")).hexdigest()
    # What was corrected and sent again from the same page is another act.
    actor, name = visitor.caller.actor, f"form:{key}:{said[:20]}"
    with front.store.writing(concern=Concern()) as tx:
        known = idempotent.begin(tx, actor, name, said, front.clock.now())
    if known is not None:
        if known.state == "begun":
            raise Refused(409, _BUSY, "key_in_use", {"Retry-After": "1"})
        return None
    try:
        done = act(idempotent.Once(front.store, actor, name))
    except BaseException:
        with front.store.writing(concern=Concern()) as tx:
            idempotent.forget(tx, actor, name)
        raise
    with front.store.writing(concern=Concern()) as tx:
        idempotent.answered(tx, actor, name, 303, "")
    return done


__all__ = ["FIELD", "done_once", "once", "once_field"]
