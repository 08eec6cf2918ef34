"""The story of the night, and of every quarter of an hour: pull → link → evaluate → push.

At night customers are also dunned, reviews planned, and what we wrote is compared with what stands there.

Each step is restartable and leaves the store in order wherever it is stopped; repeating any of them does no harm.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from connector.clock import Clock
from connector.config import Config
from connector.connect import Connected, connect
from connector.errors import TransientError
from connector.policy import Policy
from connector.store import runs
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.leases import Fenced, Term
from connector.text import Text
from jobs import channels
from jobs.dun import dun
from jobs.evaluate import evaluate
from jobs.housekeeping import housekeeping
from jobs.link import link
from jobs.mailing import notify
from jobs.policy import in_force
from jobs.progress import Progress, silent
from jobs.propose import night as propose_limits
from jobs.pull import pull
from jobs.push import push
from jobs.reconcile import reconcile
from jobs.review import review
from jobs.run import Run

log = logging.getLogger("holdfast.jobs")

LEASE_SECONDS = 30.0

# The leases that this very process holds: one of ours that is not among them was left behind by a lost connection.
_ours: dict[str, Fenced | None] = {}


def connected_systems(
    config: Config, clock: Clock, names: Sequence[str] = (), store: Store | None = None
) -> list[Connected]:
    """The configured systems, those that own facts before those that only show them; their mappings as `store` has them."""
    chosen = [s for s in config.systems if not names or s.name in names]
    return [connect(config, s.name, clock, store) for s in sorted(chosen, key=lambda s: "erp" not in s.roles)]


def work(
    store: Store,
    config: Config,
    policy: Policy | None,
    clock: Clock,
    *,
    systems: Sequence[Connected] = (),
    full: bool = False,
    nightly: bool = False,
    progress: Progress = silent,
    told: Callable[[Run], None] = lambda run: None,
    between: Callable[[], None] = lambda: None,
) -> list[Run]:
    """The whole job once. `full` pulls and evaluates everything; `nightly` also reconciles deletions, and what people
    changed in the systems of what we wrote there. `policy` None: the one in force now. `between` two steps is done what
    cannot wait until the end. Raises LeaseLost where `store` is fenced and its lease is lost, or the process is to end."""
    systems = systems or connected_systems(config, clock, store=store)
    if policy is None:
        with store.reading() as tx:
            policy = in_force(tx, config)
    done: list[Run] = []

    def tell(run: Run) -> None:
        done.append(run)
        told(run)
        if isinstance(store, Fenced):
            store.prove()
        between()

    for run in channels.end_left(store, config, clock):
        tell(run)
    for connected in systems:
        tell(pull(store, connected, full=full, nightly=nightly, progress=progress))
        if channels.is_due(store, config, connected):
            tell(channels.renew(store, config, connected))
    tell(link(store, config, clock, progress))
    if nightly:
        # Before evaluating: what an item's level brings with it is part of the decision.
        tell(dun(store, config, policy, clock, systems=systems, progress=progress))
    tell(evaluate(store, config, policy, clock, systems=systems, full=full or nightly, progress=progress))
    if nightly:
        # After evaluating: what has become worse pulls a review forward.
        tell(review(store, config, policy, clock, systems=systems, progress=progress))
        proposed = propose_limits(store, config, policy, clock, systems=systems, progress=progress)
        tell(proposed)
        if proposed.counts["approved"] or proposed.counts["in_force"]:
            # Whose limit is another is judged by it this very night.
            tell(evaluate(store, config, policy, clock, systems=systems, progress=progress))
    # Before what is owed is written: the tasks of people who are told are among it.
    for run in notify(store, config, policy, clock, systems=systems):
        tell(run)
    written_to = [c for c in systems if c.adapter.channels and config.writes_to(c.system)]
    for connected in written_to:
        tell(push(store, connected, progress=progress))
    if nightly:
        for connected in written_to:
            found = reconcile(store, connected, progress=progress)
            tell(found)
            if any(found.counts[what] for what in ("restored", "otherwise", "told")):
                tell(push(store, connected, progress=progress))
        tell(housekeeping(store, config, clock))
    return done


def holder() -> str:
    """Who holds a lease: host, process and a random part, so that a dead process of this host is recognised."""
    return f"{_host()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _host() -> str:
    """This host, and of its containers this one: each counts its processes by itself."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{space}"


def is_dead(other: str) -> bool:
    """Whether a holder was a process of this host that no longer runs, or this very one before it lost its connection:
    its lease need not be waited for."""
    host, _, rest = other.partition(":")
    pid = rest.partition(":")[0]
    if host != _host() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return other not in _ours
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextmanager
def lease(
    store: Store, clock: Clock, job: str, slot: str = "", stopping: Callable[[], bool] = lambda: False
) -> Iterator[Fenced]:
    """Holds the one right to do a job, extended while the work goes on; gives the store to work with, which writes only
    as long as the right is held. `stopping` says that this process is to end.

    TransientError where somebody else holds it. A dead process of this host is replaced at once.
    """
    own = holder()
    term = Term(own, clock, LEASE_SECONDS)
    _ours[own] = None
    try:
        with store.reading() as tx:
            busy = runs.is_held(tx, job, slot, term.moment(), is_dead)
        fence = None
        if not busy:
            with store.writing(concern=Concern()) as tx:
                fence = runs.acquire(tx, job, slot, own, term.moment(), term.seconds, is_dead=is_dead)
        if fence is None:
            raise TransientError(
                Text("“{job}” is already being done by another process.", "“{job}”正由另一进程执行。").fill(job=job)
            )
        held, over = Fenced(store, job, slot, fence, stopping, term), threading.Event()
        _ours[own] = held
        thread = threading.Thread(target=_beat, args=(held, term.beat_seconds, over), name=f"lease {job}", daemon=True)
        thread.start()
        try:
            yield held
        finally:
            over.set()
            thread.join(5)
            _give_back(held, own)
    finally:
        _ours.pop(own, None)


def abandon() -> None:
    """Gives back what this process holds, although somebody in it is still at work: he writes nothing more."""
    for own, held in list(_ours.items()):
        if held is not None:
            held.lost = True
            _give_back(held, own)


def _beat(held: Fenced, seconds: float, over: threading.Event) -> None:
    """Extends a lease every so many seconds until it is over."""
    while not over.wait(seconds):
        try:
            if not held.beat():
                if not over.is_set():  # else it was given back while this waited for its turn
                    log.error("the lease of “%s” was taken by another process; this one stops", held.job)
                    held.lost = True
                return
        except Exception:
            log.warning("the lease of “%s” could not be extended; tried again", held.job, exc_info=True)


def _give_back(held: Fenced, own: str) -> None:
    """Nothing is lost where the database cannot be reached: this process knows the lease for dead, others wait it out."""
    try:
        with held.plain.writing(concern=Concern()) as tx:
            runs.release(tx, held.job, held.slot, own)
    except Exception as wrong:
        log.warning("the lease of “%s” could not be given back (%s)", held.job, type(wrong).__name__)
