"""Holding: what an adapter declares that it stops is stopped, for whom it should be, until it is let go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.adapter import BLOCK_KINDS, Block, Write
from tests.conformance.stage import Stage, same

REASON = "超出额度 over the limit by 9,900.50"


def hold(stage: Stage, name: str) -> None:
    """A way of holding is set up by provisioning, carried by its channel, read back, stops what it says, and lets go."""
    block = next((b for b in stage.adapter.blocks if b.name == name), None)
    assert block is not None, f"nothing says how {name} holds: declare a block"
    _declared(stage, block)
    channel = stage.adapter.channel(block.channel)
    assert channel is not None, f"{name}: there is no channel {block.channel}"
    assert channel.current is not None, "a hold must be read back"
    client = stage.prepared()
    found = block.stands(client) if block.stands is not None else None
    if found is not None and found.state != "fine":
        assert block.kind == "approval", f"{name} does not stand after provisioning: {found.what}, {found.fix}"
        assert found.fix is not None, "what is to be done?"
        assert found.fix.en != found.fix.zh
        return
    target, other = [w.target for w in stage.writes(channel)][:2]
    held, lifted = _values(stage, block, held=True), _values(stage, block, held=False)
    for values in (held, lifted):
        (outcome,) = stage.send(channel, client, [Write(f"{name}-1", target, values)])
        assert outcome.state == "done", f"{name}: {outcome}"
        there = channel.current(stage.client(), [target])[target]
        wrong = {n: there[n] for n, v in values.items() if n in there and not same(there[n], v)}
        assert not wrong, f"{name}: wrote {values}, reads {wrong}"
        if block.field:
            assert block.field in there, f"{block.field} is not read back"
        if block.stops:
            assert name in stage.world.stopped, f"the world does not say what {name} stops"
            stopped = stage.world.stopped[name](stage.sandbox, target)
            assert stopped == (values is held), f"{name}: {'not ' if values is held else 'still '}stopped"
            assert not stage.world.stopped[name](stage.sandbox, other), "somebody else's is stopped"


def _values(stage: Stage, block: Block[Any], *, held: bool) -> Mapping[str, Any]:
    words = {"hold": held, "hold_reason": REASON if held else None}
    values, _ = stage.mapping().write(block.channel, words)
    assert values, f"the shipped mapping does not write {block.channel}"
    return {**values, **({block.field: held} if block.field else {})}


def _declared(stage: Stage, block: Block[Any]) -> None:
    """Strongest first for each reach, the weakest a flag that needs nothing; every word in both languages."""
    mine = [b for b in stage.adapter.blocks if b.channel == block.channel]
    ranks = [BLOCK_KINDS.index(b.kind) for b in mine]
    assert ranks == sorted(ranks), f"not strongest first: {[b.name for b in mine]}"
    assert mine[-1].kind == "flag"
    assert mine[-1].stands is None
    assert bool(block.stops) == (block.kind != "flag"), f"{block.name} stops {block.stops}"
    for words in (block.title, block.shown, *([block.makes] if block.makes else [])):
        assert words.en
        assert words.zh
        assert words.en != words.zh
