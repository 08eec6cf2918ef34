"""What goes wrong in a sandbox, planned beforehand: each fault of a network and of a busy product, when and how often."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Literal

FaultName = Literal[
    "429",  # too many calls, with Retry-After
    "429-bare",  # too many calls, no hint when to come back
    "500",
    "503",
    "reset",  # the connection is cut before anything is done
    "late",  # the system acts, then the answer never comes
    "cut",  # the body ends half-way
    "html",  # an HTML page with status 200
    "expired",  # every token given out so far is dead
    "partial",  # a batch in which every second row is refused (the sandbox's handlers look at `faults.partial`)
]
FAULTS: tuple[FaultName, ...] = (
    "429", "429-bare", "500", "503", "reset", "late", "cut", "html", "expired", "partial",
)  # fmt: skip


@dataclass
class Planned:
    """A fault that will happen on the calls it matches, `times` times, after letting `skip` matching calls through."""

    name: FaultName
    times: int = 1
    skip: int = 0
    match: str = ""  # a pattern searched in "METHOD /path"
    share: float = 1.0  # of the matching calls, drawn from `dice`
    dice: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - repeatable, not secret


class Faults:
    """What is going to go wrong. `partial` is true while a handler answers a call that must refuse half its rows."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []
        self.happened: list[str] = []
        self._lock = threading.Lock()
        self._local = threading.local()

    def plan(
        self, name: FaultName, *, times: int = 1, skip: int = 0, match: str = "", share: float = 1.0, seed: int = 0
    ) -> None:
        """Let `name` happen `times` times on calls whose "METHOD /path" matches, after `skip` of them went well.

        With a `share` below 1 it happens to that part of the calls only, drawn from `seed`: bad weather.
        """
        if name not in FAULTS:
            raise ValueError(f"{name}: no such fault; there are {', '.join(FAULTS)}")
        with self._lock:
            self.planned.append(Planned(name, times, skip, match, share, Random(seed)))  # noqa: S311

    def clear(self) -> None:
        """Nothing goes wrong from now on; forgets what has happened."""
        with self._lock:
            self.planned.clear()
            self.happened.clear()

    @property
    def partial(self) -> bool:
        return bool(getattr(self._local, "partial", False))

    def take(self, method: str, path: str) -> FaultName | None:
        """The fault that happens on this call, if any."""
        with self._lock:
            for plan in self.planned:
                if plan.times and re.search(plan.match, f"{method} {path}"):
                    if plan.skip:
                        plan.skip -= 1
                        continue
                    if plan.share < 1 and plan.dice.random() >= plan.share:
                        continue
                    plan.times -= 1
                    self.happened.append(plan.name)
                    return plan.name
        return None

    @contextlib.contextmanager
    def as_partial(self, on: bool) -> Iterator[None]:
        self._local.partial = on
        try:
            yield
        finally:
            self._local.partial = False
