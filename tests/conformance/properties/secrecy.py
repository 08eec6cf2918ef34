"""Secrecy: no secret and no token in a log line, a message, an address, a record or an outcome, whatever goes wrong."""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote_plus

from connector.errors import HoldfastError
from tests.conformance.properties.trouble import FAULTS
from tests.conformance.stage import Stage

_SHORTEST = 8  # a shorter word would be found where it is no secret


class _Ears(logging.Handler):
    """Hears everything that anybody logs."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        formatted = logging.Formatter().format(record)
        self.lines.append(f"{record.name} {formatted} {record.args!r}")


def _of(error: BaseException | None) -> str:
    """An error with all that hangs on it."""
    parts: list[str] = []
    while error is not None:
        parts += [repr(error), repr(error.args)]
        if isinstance(error, HoldfastError):
            parts += [error.user.en, error.user.zh, error.log]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


def secrecy(stage: Stage, _: str = "") -> None:
    """Reads, writes and fails in every way, with everybody listening."""
    secrets = stage.secrets()
    assert secrets, "there are no secrets to keep"
    short = [n for n, v in secrets.items() if len(v) < _SHORTEST]
    assert not short, f"{short} are too short to be found where they leak"
    ears = _Ears()
    root = logging.getLogger()
    # The command line makes our own logger quieter than the root: whatever ran before, nothing is kept from these ears.
    levels = {log: log.level for log in (root, logging.getLogger("holdfast"))}
    root.addHandler(ears)
    for log in levels:
        log.setLevel(logging.DEBUG)
    heard_by_people: list[str] = []
    try:
        heard_by_people += _play(stage)
    finally:
        root.removeHandler(ears)
        for log, level in levels.items():
            log.setLevel(level)
    kept = dict(secrets) | {f"token {n}": t for n, t in enumerate(sorted(_tokens(stage)))}
    addresses = [unquote_plus(f"{h.request.path}?{h.request.query}") for h in stage.heard]
    assert ears.lines, "nobody said anything"
    assert addresses
    for name, secret in kept.items():
        for where, texts in (
            ("a log line", ears.lines),
            ("a message or record", heard_by_people),
            ("an address", addresses),
        ):
            assert not any(secret in text for text in texts), f"{name} is in {where}"


def _tokens(stage: Stage) -> set[str]:
    """What signed our calls: the last word of each authorization header, and the like."""
    found = set()
    for call in stage.heard:
        for name, value in call.request.headers.items():
            if re.search(r"authorization|token|api-?key|cookie|secret", name):
                found.add(value.rsplit(" ", 1)[-1])
    return {t for t in found if len(t) >= _SHORTEST}


def _play(stage: Stage) -> list[str]:
    said: list[str] = []
    try:
        client = stage.prepared()
        said += [repr(client), repr(vars(client)) if hasattr(client, "__dict__") else ""][:1]
        said += [str(f) for f in stage.adapter.check(client, stage.needs())]
        for stream in stage.adapter.streams:
            said += [str(r.data) for p in stage.read(stream, client=client) for r in p.records]
        for channel in stage.adapter.channels:
            writes = stage.writes(channel)
            refused = stage.world.refused.get(channel.kind)
            said += [
                repr(o) for o in stage.send(channel, client, writes + ([refused(stage.sandbox)] if refused else []))
            ]
    except HoldfastError as wrong:
        raise AssertionError(f"the quiet part failed: {wrong.user.en}") from wrong
    for fault in (*FAULTS, "expired"):
        stage.sandbox.faults.clear()
        stage.sandbox.faults.plan(fault, times=20)
        try:
            for stream in stage.adapter.streams[:1]:
                stage.read(stream, client=stage.client())
        except HoldfastError as wrong:
            said.append(_of(wrong))
    stage.sandbox.faults.clear()
    try:
        stage.adapter.check(
            stage.adapter.open(stage.connection(secrets={n: f"{v}-wrong" for n, v in stage.secrets().items()})), []
        )
    except HoldfastError as wrong:
        said.append(_of(wrong))
    return said
