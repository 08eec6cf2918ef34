"""Words of a vendor that may be shown: shortened, and without the secrets we have used.

Some products repeat the key they refuse in their error message. Every secret that the client sends is remembered here,
so that no adapter must think of it; `redacted` takes them out of any text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

_SECRET_NAME = re.compile(r"secret|password|passwd|token|key|code|assertion|signature", re.IGNORECASE)
_SHORTEST = 6  # shorter words would take ordinary text away
_MOST = 2000

_hidden: dict[str, None] = {}
_lock = threading.Lock()


def hide(*values: str) -> None:
    """Remembers secrets; `redacted` never lets them through, as they are or as part of a URL."""
    with _lock:
        for value in values:
            for form in {value, quote(value, safe=""), quote_plus(value)}:
                if len(form) >= _SHORTEST:
                    _hidden.pop(form, None)
                    _hidden[form] = None
        while len(_hidden) > _MOST:  # tokens of weeks ago
            del _hidden[next(iter(_hidden))]


def hide_headers(headers: Mapping[str, str]) -> None:
    """Remembers what signs a call: each header's value, with and without the scheme before it."""
    for value in headers.values():
        hide(value, value.rsplit(" ", 1)[-1])


def hide_form(form: Mapping[str, str]) -> None:
    """Remembers those members of a form that are secrets by their name."""
    hide(*(v for k, v in form.items() if isinstance(v, str) and _SECRET_NAME.search(k)))


def redacted(text: str) -> str:
    """The text with every remembered secret replaced by three dots."""
    with _lock:
        values = sorted(_hidden, key=len, reverse=True)
    for value in values:
        if value in text:
            text = text.replace(value, "•••")
    return text


def said(text: str, most: int = 300) -> str:
    """A vendor's own words for people to read: one line, redacted, without markup, at most so many characters."""
    plain = re.sub(r"<[^<>]{0,500}>", " ", redacted(text[: most * 20]))
    plain = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"
