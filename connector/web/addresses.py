"""Addresses: which page of ours a rendered page stands for, and its address with some of the query changed.

What answers a form stands for the page that the form was on: a link or a choice of language on it leads back there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request


def local(address: str) -> str:
    """An address of our own, without host; "/" for any other: nobody is sent elsewhere by a link that looks like ours."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if plain and address.isprintable() and "\\" not in address and len(address) < 2000 else "/"


def here_of(request: Request) -> str:
    """The address of the page that is looked at."""
    path, query = request.url.path, request.url.query
    if request.method not in ("GET", "HEAD"):
        try:
            said = urlsplit(request.headers.get("referer", ""))
        except ValueError:
            return "/"
        if said.netloc != request.headers.get("host") or not said.path:
            return "/"
        path, query = said.path, said.query
    return local(path + (f"?{query}" if query else ""))


def with_query(request: Request, changed: Mapping[str, Any]) -> str:
    """This page's address with some of its query changed; None takes a key out."""
    path, _, query = here_of(request).partition("?")
    kept = [(k, v) for k, v in parse_qsl(query) if k not in changed]
    kept += [(k, str(v)) for k, v in changed.items() if v is not None]
    return path + (f"?{urlencode(kept)}" if kept else "")
