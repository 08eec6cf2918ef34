"""Writing: one outcome per write and in its order, refusals told, nothing twice, nothing without being asked."""

from __future__ import annotations

import math

from connector.adapter import ActionKind, Outcome, Write
from connector.errors import ProtocolError, TransientError
from tests.conformance.properties.reading import keys
from tests.conformance.stage import Stage, same, shows


def _shown(stage: Stage, kind: ActionKind, write: Write, outcome: Outcome) -> bool:
    return shows(stage.seen(kind, outcome.remote_id or write.target), write)


def push(stage: Stage, kind: ActionKind) -> None:
    """What is sent is there: in the sandbox, and read back through the adapter."""
    channel = stage.adapter.channel(kind)
    assert channel is not None
    client = stage.prepared()
    writes = stage.writes(channel)
    before = [stage.seen(kind, w.target) for w in writes] if kind != "task" else []
    assert not any(shows(b, w) for b, w in zip(before, writes, strict=False)), "it was there before it was sent"
    outcomes = stage.send(channel, client, writes)
    for write, outcome in zip(writes, outcomes, strict=True):
        assert outcome.state == "done", f"{write.key}: {outcome.state}, {outcome.why}"
        assert outcome.remote_id, f"{write.key}: done, but where?"
        assert _shown(stage, kind, write, outcome), f"{write.key} is not there: {stage.seen(kind, outcome.remote_id)}"
    if kind == "hold":
        assert channel.current is not None, "a hold must be read back"
    if channel.current is not None and kind != "task":
        now = channel.current(stage.client(), [w.target for w in writes])
        for write in writes:
            assert write.target in now, f"{write.target} is not read back"
            there = now[write.target]
            for name, value in write.values.items():
                assert name not in there or same(there[name], value), f"{name}: wrote {value!r}, reads {there[name]!r}"
                if kind == "hold" and name in there:
                    assert there[name] == value, f"{name}: {there[name]!r} is not {value!r}, as the core compares"


def push_refused(stage: Stage, kind: ActionKind) -> None:
    """One write that the system refuses is rejected with a reason, at its own place; the others are done."""
    channel = stage.adapter.channel(kind)
    assert channel is not None
    assert kind in stage.world.refused, f"the world has no refused write for {kind}"
    client = stage.prepared()
    good = stage.writes(channel)
    bad = stage.world.refused[kind](stage.sandbox)
    writes = [good[0], bad, *good[1:]]
    outcomes = stage.send(channel, client, writes)
    assert [o.state for o in outcomes] == ["done", "rejected", *["done"] * (len(good) - 1)], outcomes
    assert outcomes[1].why is not None, "why?"
    assert outcomes[1].why.en
    assert outcomes[1].why.zh
    for write, outcome in zip(writes, outcomes, strict=True):
        if write is not bad:
            assert _shown(stage, kind, write, outcome), f"{write.key} is not there"


def push_partial(stage: Stage, kind: ActionKind) -> None:
    """Of a batch of which every second row is refused, exactly the others are done."""
    channel = stage.adapter.channel(kind)
    assert channel is not None
    client = stage.prepared()
    writes = stage.writes(channel)[: channel.batch]
    stage.sandbox.faults.plan("partial", times=100)
    outcomes = list(channel.send(client, writes))
    assert stage.sandbox.faults.happened, "no batch was sent"
    assert len(outcomes) == len(writes)
    refused = [w for w, o in zip(writes, outcomes, strict=True) if o.state != "done"]
    assert refused, "half was refused, and all is said to be done"
    assert len(refused) < len(writes), "half was refused, and nothing is said to be done"
    for write, outcome in zip(writes, outcomes, strict=True):
        there = shows(stage.seen(kind, outcome.remote_id or write.target), write)
        assert there == (outcome.state == "done"), f"{write.key} is {outcome.state}, and {'' if there else 'not '}there"
        if outcome.state != "done":
            assert outcome.why is not None, f"{write.key}: why?"


def push_lost(stage: Stage, kind: ActionKind) -> None:
    """The system acts and its answer is lost: whatever the adapter says, looking and sending again makes it once."""
    channel = stage.adapter.channel(kind)
    assert channel is not None
    client = stage.prepared()
    writes = stage.writes(channel)[:1]
    before = stage.count(kind) if kind == "task" else 0
    stage.lose = "late"
    try:
        outcomes = stage.send(channel, client, writes)
    except (TransientError, ProtocolError):
        outcomes = [Outcome("again")]
    assert stage.lose is None, "nothing was written, so no answer was lost"
    if outcomes[0].state != "done":
        assert outcomes[0].state == "again", f"a lost answer is no refusal: {outcomes[0]}"
        found = channel.find(client, [writes[0].key]) if channel.find else {}
        if writes[0].key in found:
            outcomes = [Outcome("done", found[writes[0].key])]
        else:
            outcomes = stage.send(channel, client, writes)
    assert outcomes[0].state == "done", outcomes
    assert _shown(stage, kind, writes[0], outcomes[0])
    if kind == "task":
        assert stage.count(kind) == before + 1, f"{stage.count(kind) - before} tasks for one"


def push_find(stage: Stage, kind: ActionKind) -> None:
    """A task is found again by our key, whoever sent it; one that was not sent is not."""
    channel = stage.adapter.channel(kind)
    assert channel is not None
    assert channel.find is not None, "tasks need a key by which they are found again"
    client = stage.prepared()
    writes = stage.writes(channel)
    unsent, sent = writes[0], writes[1:]
    assert not channel.find(client, [w.key for w in writes])
    outcomes = stage.send(channel, client, sent)
    found = channel.find(stage.client(), [w.key for w in writes])
    assert dict(found) == {w.key: o.remote_id for w, o in zip(sent, outcomes, strict=True)}
    assert unsent.key not in found
    assert not channel.find(client, [sent[0].key[:-1], sent[0].key + "0"]), "a part of a key is not the key"


def restraint(stage: Stage, kind: ActionKind) -> None:
    """So many writes take so many calls and no more; what was not named has not changed."""
    channel = stage.adapter.channel(kind)
    assert channel is not None
    client = stage.prepared()
    writes = stage.writes(channel)
    began = len(stage.write_calls())
    before = {w.target: stage.seen(kind, w.target) for w in writes} if kind != "task" else {}
    outcomes = stage.send(channel, client, writes)
    calls = len(stage.write_calls()) - began
    most = math.ceil(len(writes) / stage.cast.per_call(channel))
    assert 1 <= calls <= most, f"{calls} write calls for {len(writes)} writes"
    assert all(o.state == "done" for o in outcomes)
    for write in writes:
        was = before.get(write.target)
        if was is None:
            continue
        now = stage.seen(kind, write.target) or {}
        changed = {n for n in {*was, *now} - set(write.values) if not same(was.get(n), now.get(n))}
        aliases = {n for n in changed if any(same(now.get(n), v) for v in write.values.values())}
        stamps = {n for n in changed if any(word in n.lower() for word in ("modified", "write_", "updated", "version"))}
        assert not changed - aliases - stamps, f"changed without being asked: {sorted(changed - aliases - stamps)}"


def restraint_reading(stage: Stage, _: str = "") -> None:
    """Checking, reading, looking for tasks and reading back change nothing."""
    client = stage.prepared()
    began = len(stage.write_calls())
    needs = stage.needs()
    list(stage.adapter.check(client, needs))
    read = 0
    for stream in stage.adapter.streams:
        read += len(keys(stage.read(stream, client=client)))
        if stream.keys:
            list(stream.keys(client))
    assert read, "nothing was read"
    if stage.adapter.provision:
        list(stage.adapter.provision(client, needs, True))
    for channel in stage.adapter.channels:
        writes = stage.writes(channel)
        if channel.find:
            channel.find(client, [w.key for w in writes])
        if channel.current:
            channel.current(client, [w.target for w in writes])
    assert len(stage.write_calls()) == began, [
        f"{h.request.method} {h.request.path}" for h in stage.write_calls()[began:]
    ]
