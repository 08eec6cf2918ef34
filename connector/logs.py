"""Logs: lines for people on a terminal, JSON lines for a service; what is bound (run, request, caller) stands in each line.

Everything is logged through the standard library (`logging.getLogger("holdfast.…")`); this module decides how it looks.
Secrets are taken out before a line is made: `redact` is what knows them.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, merge_contextvars

Redact = Callable[[str], str]

# Their own lines say nothing that ours do not.
_QUIET = ("uvicorn.access", "apscheduler", "urllib3")


def as_json(redact: Redact, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """From now on each line is one JSON object: time, level, logger, event, what is bound, and a failure's traceback."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_secrets(redact),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("holdfast", "uvicorn"):
        logging.getLogger(name).setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def _without_secrets(redact: Redact) -> structlog.types.Processor:
    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return redact(value)
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [clean(inner) for inner in value]
        return value

    def processor(_logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: clean(value) for key, value in line.items()}

    return processor


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Each line inside says these, too: `with bound(run=17, job="pull")`."""
    with bound_contextvars(**values):
        yield


def bind(**values: Any) -> None:
    """From here on, in this thread or task, each line says these."""
    bind_contextvars(**values)


def unbind() -> None:
    """Forgets what was bound in this thread or task."""
    clear_contextvars()
