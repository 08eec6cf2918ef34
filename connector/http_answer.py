"""What a system answered, and what that usually means."""

from __future__ import annotations

import json as stdjson
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NoReturn

from connector.errors import ConfigError, ProtocolError, RejectedError
from connector.http_words import said
from connector.text import Text

# `retry`: not done, come again. `unclear`: perhaps done; only a safe call is repeated. `renew`: sign in anew.
Verdict = Literal["ok", "retry", "unclear", "renew"]

_WAIT_AT_MOST = 7 * 86400.0  # what a Retry-After may ask for, in seconds; more is nonsense


# --- answers ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Answer:
    """What the system answered. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal. ProtocolError for anything else (a cut-off body, HTML)."""
        try:
            return stdjson.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as wrong:
            raise ProtocolError(
                Text(
                    "The system's answer is not JSON (status {status}, {size} bytes, {kind}).",
                    "系统的应答不是 JSON（状态 {status}，{size} 字节，{kind}）。",
                ).fill(status=self.status, size=len(self.body), kind=said(self.headers.get("content-type", "?"), 60)),
                log=type(wrong).__name__,
            ) from None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_page(self) -> bool:
        """Whether this is a web page, such as a proxy's or a maintenance notice, and not data."""
        return self.headers.get("content-type", "").lower().startswith(("text/html", "application/xhtml"))

    def retry_after(self, now: float | None = None) -> float | None:
        """Seconds of the Retry-After header, in either of its two forms; None where there is none that makes sense."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
            return min(float(value), _WAIT_AT_MOST)
        try:
            day = parsedate_to_datetime(value)
            instant = (day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return min(max(0.0, instant - (now if now is not None else time.time())), _WAIT_AT_MOST)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def by_status(answer: Answer) -> Verdict:
    """The usual meaning of an HTTP status. An adapter's own judge looks first and falls back on this."""
    status = answer.status
    if status < 400:
        return "ok"
    if status == 401:
        return "renew"
    if status in (408, 425, 429):
        return "retry"
    if status in (500, 502, 503, 504) or 520 <= status <= 529:
        return "unclear"
    if status in (403, 404, 405, 410):
        raise ConfigError(
            Text(
                "The system refuses the call (status {status}). Check address, rights and edition.",
                "系统拒绝了该调用（状态 {status}）。请检查地址、权限和版本。",
            ).fill(status=status)
        )
    raise RejectedError(
        Text("The system refuses the request (status {status}).", "系统拒绝了该请求（状态 {status}）。").fill(
            status=status
        ),
        code=str(status),
    )
