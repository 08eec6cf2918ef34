"""A shift: what a job is given to work with, whoever started it: a schedule, a person, or another engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from connector.clock import Clock, SystemClock
from connector.config import Config
from connector.policy import Policy
from connector.store.leases import Stopped
from jobs.progress import Progress, silent
from jobs.run import Run


@dataclass(frozen=True)
class Shift:
    """`policy` None: the one that is in force when the job begins. `told` hears of each run that has ended. `stop` is set
    when the process is to end. `between` two steps of a long job is done what cannot wait until its end."""

    config: Config
    clock: Clock
    policy: Policy | None = None
    told: Callable[[Run], None] = lambda run: None
    progress: Progress = silent
    stop: threading.Event = field(default_factory=threading.Event)
    between: Callable[[], None] = lambda: None


class WakefulClock(SystemClock):
    """The machine's clock, whose sleepers wake when the process is to end: they raise Stopped."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped("run")
