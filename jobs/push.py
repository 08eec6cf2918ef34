"""Push: what the outbox owes a system is written there, in batches, each write settled by its own outcome.

Fields and holds are desired state: writing one twice does no harm, a newer one has superseded an undelivered older one.
A task is created once: its key is kept in the remote record, and the system is asked for the keys of a batch before
anything is sent, so that neither a lost answer nor a lost store makes it twice. Once its matter is decided it is closed.

A system that cannot be reached parks nothing, however long it lasts: only what it says of a single write counts against
that write. What waits or is parked stays an open problem until it is settled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connector.adapter import ACTION_KINDS, Outcome, Write
from connector.clock import day_in
from connector.connect import Connected
from connector.errors import ConfigError, HoldfastError, Problem, RejectedError, TransientError
from connector.store import Connection, outbox
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.leases import LeaseLost, safe_place
from connector.store.outbox import OutboxRow
from connector.text import Text, same
from jobs.holding import Holding
from jobs.progress import Progress, silent
from jobs.pull import context_of
from jobs.run import Run, failure, running

# How long a claimed row belongs to the process that claimed it; after that another may take it and looks first.
_LEASE_SECONDS = 300
# A write that the system puts off this often is parked for a person.
_ATTEMPTS_MOST = 8
_SOON_SECONDS, _LATE_SECONDS = 30.0, 3600.0


def push(store: Store, connected: Connected, *, progress: Progress = silent) -> Run:
    """Delivers all that is owed to one system now. Of our own errors it raises LeaseLost only.

    The caller holds the lease of the job: what is still claimed was claimed by a process that died.
    """
    with running(store, connected.clock, "push", connected.name) as run:
        with store.writing(concern=Concern()) as tx:
            outbox.reclaim(tx, connected.name)
            undone = _undone(tx, connected.name)
        for kind in ACTION_KINDS:
            channel = connected.adapter.channel(kind)
            if channel is None:
                continue
            if kind == "close_task":
                _owe_closing(store, connected)
            holding = Holding(connected, channel, undone.get(kind, {}))
            try:
                _push_kind(store, connected, holding, run, progress)
            except LeaseLost:
                raise
            except TransientError as wrong:
                run.problem(failure("push", connected.name, wrong))
                run.failed = wrong.user
                break
            except HoldfastError as wrong:
                run.problem(failure("push", connected.name, wrong, f"{connected.name}/{kind}"))
                run.failed = run.failed or wrong.user
            for problem in holding.problems():
                run.problem(problem)
        with store.reading() as tx:
            left = outbox.listing(tx, states=("owed", "parked"), system=connected.name)
        for problem in _left(left):
            run.problem(problem)
    return run


def _undone(tx: Connection, system: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """The fields that people have undone there, by kind and target."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in outbox.undone(tx, system):
        found.setdefault(row.kind, {})[row.target] = outbox.fields_of(row)
    return found


def _push_kind(store: Store, connected: Connected, holding: Holding, run: Run, progress: Progress) -> None:
    channel = holding.channel
    while True:
        safe_place(store)
        with store.writing(concern=Concern()) as tx:
            rows = outbox.claim(
                tx, connected.name, channel.kind, channel.batch, connected.clock.now(), lease_seconds=_LEASE_SECONDS
            )
        if not rows:
            return
        try:
            _deliver(store, connected, holding, rows, run)
        except LeaseLost:
            raise  # the rows are the successor's to take back
        except HoldfastError as wrong:
            # It is unclear how far the batch got: what is not settled goes back, marked uncertain, and is looked for
            # first. The next run is the next attempt, however long the trouble lasts.
            retry = wrong.retry_after if isinstance(wrong, TransientError) else None
            with store.writing(concern=Concern()) as tx:
                outbox.lock(tx, rows)
                for row in rows:
                    outbox.again(tx, row.id, connected.clock.now(), retry or 0.0, wrong.user, uncertain=True)
            raise
        run.counts["calls"] += 1
        progress(f"{connected.name}/{channel.kind}", run.counts["done"])


def _deliver(store: Store, connected: Connected, holding: Holding, rows: Sequence[OutboxRow], run: Run) -> None:
    channel, left = holding.channel, list(rows)
    if channel.find is not None:
        # Always, not only after a crash: the store may have been restored from a backup or be new.
        found = channel.find(connected.client, [r.key for r in left])
        there = [(r, Outcome("done", found[r.key])) for r in left if r.key in found]
        _settle(store, holding, there, run)
        run.counts["found"] += len(there)
        left = [r for r in left if r.key not in found]
    if not left:
        return
    values = holding.values_of(store, left, connected.clock.now())
    if channel.kind == "close_task":
        left, values = _made(store, holding, left, values, run)
    if idle := [row for row, said in zip(left, values, strict=True) if not said]:  # nothing of ours stands there
        _settle(store, holding, [(row, Outcome("done", row.target)) for row in idle], run)
        left, values = [row for row in left if row not in idle], [said for said in values if said]
        if not left:
            return
    writes = [Write(r.key, r.target, v) for r, v in zip(left, values, strict=True)]
    try:
        outcomes = list(channel.send(connected.client, writes))
    except RejectedError as wrong:
        if len(left) == 1:
            outcomes = [Outcome("rejected", why=wrong.user, code=wrong.code)]
        else:  # one bad row spoils the call: find it by sending each alone
            for row in left:
                _deliver(store, connected, holding, [row], run)
            return
    if len(outcomes) != len(writes):
        raise ConfigError(
            Text(
                "The adapter {adapter} answered {got} outcomes for {sent} writes.",
                "适配器 {adapter} 对 {sent} 次写入返回了 {got} 个结果。",
            ).fill(adapter=connected.adapter.name, got=len(outcomes), sent=len(writes))
        )
    outcomes = _verified(holding, writes, outcomes)
    _settle(store, holding, list(zip(left, outcomes, strict=True)), run)


def _owe_closing(store: Store, connected: Connected) -> None:
    """Owes the closing of tasks whose matter is decided; said here, where it is known that this system can be told."""
    if not connected.mapping.writes_to("close_task"):
        return
    now = connected.clock.now()
    said = {
        "done": True,
        "done_on": day_in(now, connected.config.business.time_zone),
        "why": _DECIDED.say(connected.config.language_for(connected.system)),
    }
    values, digest = connected.mapping.write("close_task", said, context=context_of(connected))
    with store.writing(concern=Concern()) as tx:
        outbox.owe_closing(tx, connected.name, values, digest, now)


_DECIDED = Text("Holdfast: the matter is decided.", "Holdfast：事项已处理完毕。")


def _made(
    store: Store, holding: Holding, rows: Sequence[OutboxRow], values: Sequence[dict[str, Any]], run: Run
) -> tuple[list[OutboxRow], list[dict[str, Any]]]:
    """The closings with the ids of their tasks; those of which nobody knows whether they were made are looked for, and
    there is nothing to do where they were not."""
    connected = holding.connected
    tasks = connected.adapter.channel("task")
    unknown = [row.key for row in rows if not row.target]
    found = tasks.find(connected.client, unknown) if unknown and tasks is not None and tasks.find is not None else {}
    there = [
        (replace(row, target=row.target or found.get(row.key, "")), said)
        for row, said in zip(rows, values, strict=True)
    ]
    _settle(store, holding, [(row, Outcome("done")) for row, _ in there if not row.target], run)
    return [row for row, _ in there if row.target], [said for row, said in there if row.target]


def _verified(holding: Holding, writes: Sequence[Write], outcomes: list[Outcome]) -> list[Outcome]:
    """Holds are read back: one that is not there after it was written is tried again, never taken for done."""
    channel = holding.channel
    asked = [channel.kind == "hold" or holding.holds(write.values) for write in writes]
    if channel.current is None or not any(asked):
        return outcomes
    done = [w.target for w, o, a in zip(writes, outcomes, asked, strict=True) if a and o.state == "done"]
    now = channel.current(holding.connected.client, done) if done else {}
    checked = []
    for write, outcome, wanted in zip(writes, outcomes, asked, strict=True):
        there = now.get(write.target, {})
        stands = write.target in now and holding.shown(write.values, there)
        if wanted and outcome.state == "done" and not stands:
            why = Text(
                "The hold was written, but reading it back shows another state.", "冻结已写入，但读回的状态不一致。"
            )
            checked.append(Outcome("again", why=why, code="not_verified"))
        else:
            checked.append(outcome)
    return checked


def _settle(store: Store, holding: Holding, settled: Sequence[tuple[OutboxRow, Outcome]], run: Run) -> None:
    """What became of the writes of one call, in one transaction: a crash before it leaves them all uncertain.

    Raises TransientError where the whole call came to nothing because the system cannot be reached.
    """
    now = holding.connected.clock.now()
    with store.writing(concern=Concern()) as tx:
        outbox.lock(tx, [row for row, _ in settled])
        for row, outcome in settled:
            if outcome.state == "done":
                outbox.settle(tx, row.id, outcome.remote_id, now)
                run.counts["done"] += 1
            elif outcome.state == "again" and row.attempts + 1 < _ATTEMPTS_MOST:
                # Without a code it is the system's trouble, not this write's. Either way it may have arrived.
                wait = outcome.retry_after if outcome.retry_after is not None else _wait(row, outcome, now)
                why = outcome.why or same("")
                outbox.again(tx, row.id, now, wait, why, uncertain=True, counts=bool(outcome.code))
                run.counts["again"] += 1
            else:
                outbox.park(tx, row.id, now, outcome.why or same(""), outcome.code)
                run.counts["parked"] += 1
        run.counts["left"] += holding.settled(tx, [row for row, outcome in settled if outcome.state == "done"], now)
    silent = [o for _, o in settled if o.state == "again" and not o.code]
    # One alone may be its own trouble (a slow workflow there), and must not stop the others.
    if len(silent) > 1 and len(silent) == len(settled):
        raise TransientError(silent[0].why or _SILENT, retry_after=silent[0].retry_after)


_SILENT = Text("The system cannot be reached now.", "当前无法连接该系统。")


def _wait(row: OutboxRow, outcome: Outcome, now: dt.datetime) -> float:
    """Seconds until the next attempt: longer with each that this write has had, or with the time it has been owed."""
    if outcome.code:
        return min(_LATE_SECONDS, _SOON_SECONDS * 2.0 ** (row.attempts + 1))
    return min(_LATE_SECONDS, max(_SOON_SECONDS, (now - row.owed_at).total_seconds() / 4))


def _left(rows: Sequence[OutboxRow]) -> list[Problem]:
    """What is not written, as problems that stay open until it is: each parked write, and those that are tried again."""
    found = [
        Problem(
            "parked",
            f"{row.system}/{row.kind}/{row.target}",
            Text("The system refuses this write: {why}", "系统拒绝了该写入：{why}").fill(why=row.why or same("")),
            Text(
                "Mend it there, then `holdfast outbox retry {id}`, or `holdfast outbox drop {id}`.",
                "请在该系统中处理后执行 `holdfast outbox retry {id}`，或 `holdfast outbox drop {id}`。",
            ).fill(id=row.id),
        )
        for row in rows
        if row.state == "parked"
    ]
    waiting: dict[str, list[OutboxRow]] = {}
    for row in rows:
        if row.state == "owed" and row.why is not None:
            waiting.setdefault(row.kind, []).append(row)
    return found + [
        Problem(
            "waiting",
            f"{some[0].system}/{kind}",
            Text(
                "{count:write|writes} could not be delivered yet, the oldest is owed since {since}. Last answer: {why}",
                "有 {count} 项写入尚未送达，最早的自 {since} 起待写入。最近一次应答：{why}",
            ).fill(count=len(some), since=min(r.owed_at for r in some).isoformat(timespec="minutes"), why=some[0].why),
            Text("They are tried again by themselves.", "系统会自动重试。"),
        )
        for kind, some in waiting.items()
    ]
