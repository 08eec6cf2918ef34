"""Zoho's times: seconds, with the organisation's own offset; compared as UTC text."""

from __future__ import annotations

import datetime as dt

from connector.errors import ProtocolError
from connector.text import Text

# How far back each pull of changes looks: rows become visible late, and clocks differ.
OVERLAP = dt.timedelta(minutes=5)


def parse(text: str) -> dt.datetime:
    """An instant, in UTC. ProtocolError for anything else."""
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ProtocolError(Text("“{text}” is no time.", "“{text}”不是时间。").fill(text=text)) from wrong
    return instant.astimezone(dt.UTC) if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


def utc(text: str) -> str:
    """The same instant as sortable UTC text, as COQL takes it: `2026-11-22T00:00:00+00:00`."""
    return parse(text).isoformat(timespec="seconds")


def earlier(mark: str) -> str:
    """A watermark less the overlap."""
    return (parse(mark) - OVERLAP).isoformat(timespec="seconds")
