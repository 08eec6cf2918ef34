"""One call to a sandbox: what was asked, what is replied, and its line in the call log."""

from __future__ import annotations

import json as stdjson
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import simplejson


@dataclass(frozen=True, slots=True)
class Request:
    """One call as the sandbox sees it. Header names are lower case; `query` keeps the last value of a name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str = ""

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal; ValueError where it is none."""
        return stdjson.loads(self.body, parse_float=Decimal)

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return {k: v[-1] for k, v in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sandbox answers. `records` is how many records it carries or wrote, for the call log.

    `write` says whether the call changed state: the tests count such calls.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    records: int = 0
    write: bool = False

    @staticmethod
    def json(value: Any, status: int = 200, records: int = 0, write: bool = False, **headers: str) -> Reply:
        """A JSON answer; Decimal becomes a number."""
        body = simplejson.dumps(value, use_decimal=True, ensure_ascii=False).encode()
        return Reply(status, body, {"content-type": "application/json", **headers}, records, write)


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the call log."""

    at: str
    method: str
    path: str
    status: int
    records: int
    write: bool = False
    fault: str = ""
