"""A run: one execution of a job, with its counts, its problems and its end, kept in the store whatever happens."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from connector.clock import Clock
from connector.errors import HoldfastError, Problem
from connector.store import runs
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.leases import Fenced, LeaseLost, Stopped
from connector.text import Text, same

# What a pull counts of what was not known before.
NEWS = ("new", "changed", "gone", "remapped")


@dataclass
class Run:
    """What a job did. `failed` names what stopped it, where something did; what was done before stays done. `partial`: it
    looked at a part only, so that what it did not meet may still be wrong; where it found nothing, no row is kept. `streams`
    counts what a pull met of each that was not known before."""

    job: str
    system: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    failed: Text | None = None
    seconds: float = 0.0
    id: int = 0
    partial: bool = False
    streams: Counter[str] = field(default_factory=Counter)

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    @property
    def found(self) -> bool:
        """Whether a pull met anything that was not known before."""
        return any(self.counts[name] for name in NEWS)


@contextmanager
def running(store: Store, clock: Clock, job: str, system: str = "") -> Iterator[Run]:
    """Begins and ends a run. One of our own errors ends the run as failed and goes no further; the next job goes on.

    A lost lease ends the run and is raised: the next job must not go on. Anything else is a fault of ours: the run is
    ended as failed and the error is raised.
    """
    run = Run(job, system)
    began = clock.now()
    with store.writing(concern=Concern()) as tx:
        run.id = runs.begin(tx, job, system, began)
    try:
        with _in_the_log(run):
            yield run
    except HoldfastError as wrong:
        run.failed = wrong.user
        if not isinstance(wrong, Stopped):
            run.problem(failure(job, system, wrong))
        if isinstance(wrong, LeaseLost):
            _end(store, clock, run, began)
            raise
    except BaseException as wrong:
        run.failed = same(type(wrong).__name__)
        _end(store, clock, run, began)
        raise
    _end(store, clock, run, began)


def _in_the_log(run: Run) -> AbstractContextManager[None]:
    """Where lines are JSON, each says which run it belongs to; elsewhere what makes them is not even loaded."""
    logs = sys.modules.get("connector.logs")
    return nullcontext() if logs is None else logs.bound(run=run.id, job=run.job)


def failure(job: str, system: str, wrong: HoldfastError, where: str = "") -> Problem:
    """One of our errors as a problem of the run, with what to do by its class."""
    fixes = {
        "ConfigError": Text("Mend it, then run again.", "请处理后重新运行。"),
        "TransientError": Text("The next run goes on where this one stopped.", "下次运行会从中断处继续。"),
        "RejectedError": Text("Correct the record there, or the mapping.", "请更正对方系统中的记录或映射。"),
        "ProtocolError": Text(
            "The cursor is kept. If it stays, the product may have changed: tell us.",
            "游标已保留。若持续出现，产品可能已变更，请反馈给我们。",
        ),
    }
    kind = type(wrong).__name__
    fix = next((fixes[c.__name__] for c in type(wrong).__mro__ if c.__name__ in fixes), same(""))
    return Problem(f"{job}_{kind.removesuffix('Error').lower()}", where or system or job, wrong.user, fix)


def _end(store: Store, clock: Clock, run: Run, began: object) -> None:
    now = clock.now()
    run.seconds = (now - began).total_seconds()  # type: ignore[operator]
    # The row of the run is its own, whoever holds the lease by now.
    with (store.plain if isinstance(store, Fenced) else store).writing(concern=Concern()) as tx:
        if run.partial and not (run.failed or run.problems or run.found):
            runs.forget(tx, run.id)
            return
        runs.finish(
            tx,
            run.id,
            now,
            state="failed" if run.failed else ("problems" if run.problems else "done"),
            counts=dict(run.counts),
            problems=run.problems,
            partial=run.partial,
        )
