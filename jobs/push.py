"""Push: what the outbox owes a system is written there, in batches, each write settled by its own outcome.

Fields and holds are desired state: writing one twice does no harm, a newer one has superseded an undelivered older one.
A task is created once: its key is kept in the remote record, and the system is asked for the keys of a batch before
anything is sent, so that neither a lost answer nor a lost store makes it twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.adapter import ACTION_KINDS, Channel, Outcome, Write
from connector.connect import Connected
from connector.errors import ConfigError, HoldfastError, Problem, RejectedError, TransientError
from connector.store import outbox
from connector.store.db import Store
from connector.store.outbox import OutboxRow
from connector.text import Text, same
from jobs.progress import Progress, silent
from jobs.run import Run, failure, running

# How long a claimed row belongs to the process that claimed it; after that another may take it and looks first.
_LEASE_SECONDS = 300
# A write that fails this often is parked for a person.
_ATTEMPTS_MOST = 8


def push(store: Store, connected: Connected, *, progress: Progress = silent) -> Run:
    """Delivers all that is owed to one system now. Never raises our own errors.

    The caller holds the lease of the job: what is still claimed was claimed by a process that died.
    """
    with running(store, connected.clock, "push", connected.name) as run:
        with store.writing() as tx:
            outbox.reclaim(tx, connected.name)
        for kind in ACTION_KINDS:
            channel = connected.adapter.channel(kind)
            if channel is None:
                continue
            try:
                _push_kind(store, connected, channel, run, progress)
            except TransientError as wrong:
                run.problem(failure("push", connected.name, wrong))
                run.failed = wrong.user
                break
            except HoldfastError as wrong:
                run.problem(failure("push", connected.name, wrong, f"{connected.name}/{kind}"))
                run.failed = run.failed or wrong.user
    return run


def _push_kind(store: Store, connected: Connected, channel: Channel[object], run: Run, progress: Progress) -> None:
    while True:
        with store.writing() as tx:
            rows = outbox.claim(
                tx, connected.name, channel.kind, channel.batch, connected.clock.now(), lease_seconds=_LEASE_SECONDS
            )
        if not rows:
            return
        try:
            _deliver(store, connected, channel, rows, run)
        except HoldfastError as wrong:
            # It is unclear how far the batch got: the rows go back, marked uncertain, and are looked for first.
            retry = wrong.retry_after if isinstance(wrong, TransientError) else None
            with store.writing() as tx:
                for row in rows:
                    outbox.again(tx, row.id, connected.clock.now(), retry or 0.0, wrong.user, uncertain=True)
            raise
        run.counts["calls"] += 1
        progress(f"{connected.name}/{channel.kind}", run.counts["done"])


def _deliver(store: Store, connected: Connected, channel: Channel[object], rows: Sequence[OutboxRow], run: Run) -> None:
    left = list(rows)
    if channel.find is not None:
        # Always, not only after a crash: the store may have been restored from a backup or be new.
        found = channel.find(connected.client, [r.key for r in left])
        there = [(r, Outcome("done", found[r.key])) for r in left if r.key in found]
        _settle(store, connected, there, run)
        run.counts["found"] += len(there)
        left = [r for r in left if r.key not in found]
    if not left:
        return
    writes = [Write(r.key, r.target, r.values) for r in left]
    try:
        outcomes = list(channel.send(connected.client, writes))
    except RejectedError as wrong:
        if len(left) == 1:
            outcomes = [Outcome("rejected", why=wrong.user, code=wrong.code)]
        else:  # one bad row spoils the call: find it by sending each alone
            for row in left:
                _deliver(store, connected, channel, [row], run)
            return
    if len(outcomes) != len(writes):
        raise ConfigError(
            Text(
                "The adapter {adapter} answered {got} outcomes for {sent} writes.",
                "适配器 {adapter} 对 {sent} 次写入返回了 {got} 个结果。",
            ).fill(adapter=connected.adapter.name, got=len(outcomes), sent=len(writes))
        )
    outcomes = _verified(connected, channel, writes, outcomes)
    _settle(store, connected, list(zip(left, outcomes, strict=True)), run)


def _verified(
    connected: Connected, channel: Channel[object], writes: Sequence[Write], outcomes: list[Outcome]
) -> list[Outcome]:
    """Holds are read back: one that is not there after it was written is tried again, never taken for done."""
    if channel.kind != "hold" or channel.current is None:
        return outcomes
    targets = [w.target for w, o in zip(writes, outcomes, strict=True) if o.state == "done"]
    now = channel.current(connected.client, targets) if targets else {}
    checked = []
    for write, outcome in zip(writes, outcomes, strict=True):
        there = now.get(write.target, {})
        differs = any(name in there and there[name] != value for name, value in write.values.items())
        if outcome.state == "done" and (differs or write.target not in now):
            why = Text(
                "The hold was written, but reading it back shows another state.", "冻结已写入，但读回的状态不一致。"
            )
            checked.append(Outcome("again", why=why, code="not_verified"))
        else:
            checked.append(outcome)
    return checked


def _settle(store: Store, connected: Connected, settled: Sequence[tuple[OutboxRow, Outcome]], run: Run) -> None:
    """What became of the writes of one call, in one transaction: a crash before it leaves them all uncertain."""
    now = connected.clock.now()
    parked: list[tuple[OutboxRow, Outcome]] = []
    with store.writing() as tx:
        for row, outcome in settled:
            if outcome.state == "done":
                outbox.settle(tx, row.id, outcome.remote_id, now)
                run.counts["done"] += 1
            elif outcome.state == "again" and row.attempts < _ATTEMPTS_MOST:
                wait = outcome.retry_after if outcome.retry_after is not None else min(3600.0, 30.0 * 2**row.attempts)
                outbox.again(tx, row.id, now, wait, outcome.why or same(""), uncertain=outcome.code == "not_verified")
                run.counts["again"] += 1
            else:
                outbox.park(tx, row.id, now, outcome.why or same(""), outcome.code)
                run.counts["parked"] += 1
                parked.append((row, outcome))
    for row, outcome in parked:
        run.problem(
            Problem(
                "parked",
                f"{connected.name}/{row.kind}/{row.target}",
                Text("The system refuses this write: {why}", "系统拒绝了该写入：{why}").fill(
                    why=outcome.why or same("")
                ),
                Text(
                    "Mend it there, then `holdfast outbox retry {id}`, or `holdfast outbox drop {id}`.",
                    "请在该系统中处理后执行 `holdfast outbox retry {id}`，或 `holdfast outbox drop {id}`。",
                ).fill(id=row.id),
            )
        )
