"""Ways of holding: which of a product's ways of stopping orders is used in one configured system, and what is weaker.

The strongest that the operator allows (`[[systems]] hold`) and that is set up there is used. Where a stronger one is not
set up, a weaker one takes its place, and that is said: by `holdfast check`, and as a problem of the run that holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connector.adapter import BLOCK_KINDS, ActionKind, Adapter, Block, Finding
from connector.connect import Connected
from connector.errors import ConfigError, HoldfastError, Problem
from connector.text import Text

STOPS: dict[str, Text] = {
    "confirm": Text("confirming", "确认"),
    "deliver": Text("delivering", "发货"),
    "change": Text("changing", "修改"),
}
KINDS: dict[str, Text] = {
    "native": Text("the product itself refuses", "系统自身拒绝"),
    "lock": Text("the record is locked", "锁定记录"),
    "approval": Text("it waits for an approval", "等待审批"),
    "flag": Text("a flag that people see", "仅打标记"),
}
REACHES: dict[str, Text] = {
    "order": Text("single orders", "单张订单"),
    "customer": Text("all orders of a customer", "客户的全部订单"),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of action holds in one system: the block that is used (None: the product declares none), and each
    stronger one that could not be used, with what was found of it."""

    block: Block[Any] | None
    missing: tuple[tuple[Block[Any], Finding], ...] = ()


def ways(adapter: Adapter[Any], wanted: str, kind: ActionKind) -> list[Block[Any]]:
    """The blocks that one channel carries and the operator allows, strongest first. All of them where none is as weak."""
    mine = [block for block in adapter.blocks if block.channel == kind]
    if wanted == "strongest":
        return mine
    rank = BLOCK_KINDS.index
    return [block for block in mine if rank(block.kind) >= rank(wanted)] or mine[-1:]


def way(connected: Connected, kind: ActionKind) -> Way:
    """The way in which one kind of action holds now. Asks the system; what cannot be asked counts as not set up."""
    missing: list[tuple[Block[Any], Finding]] = []
    for block in ways(connected.adapter, connected.system.hold, kind):
        found = stands(connected, block)
        if found is None or found.state == "fine":
            return Way(block, tuple(missing))
        # A process of the company's own is missed only by who asks for it.
        if block.kind != "approval" or connected.system.hold == "approval":
            missing.append((block, found))
    return Way(None, tuple(missing))


def stands(connected: Connected, block: Block[Any]) -> Finding | None:
    """Whether a block is set up there, as its adapter finds; a right that is missing is a finding, too."""
    if block.stands is None:
        return None
    try:
        return block.stands(connected.client)
    except ConfigError as wrong:
        return Finding("todo", wrong.user)


def weaker(connected: Connected, kind: ActionKind, used: Way) -> Iterator[Problem]:
    """That orders are held in a weaker way than they should be, as problems of a run."""
    instead = used.block.title if used.block else KINDS["flag"]
    for block, found in used.missing:
        yield Problem(
            "hold_weaker",
            f"{connected.name}/{kind}/{block.name}",
            _WEAKER.fill(title=block.title, found=found.what, instead=instead),
            joined_fix(found),
        )


_WEAKER = Text(
    "Orders cannot be held there by “{title}” ({found}); what is used instead: {instead}.",
    "无法以“{title}”方式冻结订单（{found}）；改用：{instead}。",
)
_FIX = Text(
    'Run `holdfast provision`, or set `hold` of this system to a weaker way, such as "flag".',
    "请运行 `holdfast provision`，或将该系统的 `hold` 设为较弱的方式，例如 “flag”。",
)
_ELSE = Text(
    'Where that is not wanted, set `hold` of this system to a weaker way, such as "flag".',
    "如不需要，可将该系统的 `hold` 设为较弱的方式，例如 “flag”。",
)


def joined_fix(found: Finding) -> Text:
    """What to do about a way that is not set up."""
    return Text("{fix} {more}", "{fix}{more}").fill(fix=found.fix, more=_ELSE) if found.fix else _FIX


def findings(connected: Connected) -> list[Finding]:
    """How orders are held there, for `holdfast check`: the way that is used for each reach, and what is missing."""
    found = []
    kinds = list(dict.fromkeys(block.channel for block in connected.adapter.blocks))
    for kind in kinds:
        if connected.adapter.channel(kind) is None or not connected.mapping.writes_to(kind):
            continue
        try:
            used = way(connected, kind)
        except HoldfastError as wrong:
            found.append(Finding("todo", wrong.user))
            continue
        for block, lack in used.missing:
            what = _NOT_SO.fill(reach=REACHES[block.reach], title=block.title, found=lack.what)
            found.append(Finding("todo", what, joined_fix(lack)))
        if used.block is not None:
            found.append(Finding("fine", told(used.block)))
    return found


def told(block: Block[Any]) -> Text:
    """One way in a line: whom it reaches, how, what it stops."""
    words = [STOPS[stop] for stop in block.stops]
    named = Text(", ".join(w.en for w in words), "、".join(w.zh for w in words))
    stops = _STOPS.fill(what=named) if words else _NOTHING
    return _SO.fill(reach=REACHES[block.reach], title=block.title, kind=KINDS[block.kind], stops=stops)


_SO = Text("{reach} are held by: {title} ({kind}; {stops})", "{reach}的冻结方式：{title}（{kind}；{stops}）")
_STOPS = Text("stops {what}", "阻止{what}")
_NOTHING = Text("stops nothing by itself", "本身不拦截")
_NOT_SO = Text("{reach} are not held by: {title}: {found}", "{reach}未采用：{title}（{found}）")

__all__ = ["KINDS", "REACHES", "STOPS", "Way", "findings", "stands", "told", "way", "ways", "weaker"]
