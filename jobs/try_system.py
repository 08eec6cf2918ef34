"""Trying a system before it is kept: everything that `holdfast check` looks at, and the first records of each stream.

Nothing is written there, and here only that it was tried: by whom, which hosts, with which outcome. What was typed as a
secret is in this process only for as long as the trial lasts. Addresses are guarded as ever (`connector.http_peer`): an
administrator's are no better than anybody's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from connector import adapter as adapters
from connector.adapter import Finding, Json, Stream
from connector.clock import Clock
from connector.config import Config
from connector.config_form import trial_settings
from connector.config_secret import Sealed
from connector.config_system import System
from connector.connect import Connected
from connector.errors import HoldfastError, Problem
from connector.store import audit, sealed
from connector.store.audit import Entry
from connector.store.db import Store
from connector.text import Text, same
from jobs.configured import opener
from jobs.look import look
from jobs.secret_use import elsewhere
from jobs.systems import read_draft

log = logging.getLogger("holdfast.jobs")

# Somebody waits for the answer: two attempts, and no call longer than this.
_PATIENCE = {"attempts": 2, "deadline": 20.0}

Part = Literal["connect", "check", "reads", "writes"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: `fine`, `todo` (a person has to do `fix` before it is whole), or `wrong`."""

    part: Part
    state: Literal["fine", "todo", "wrong"]
    what: Text
    fix: Text | None = None


@dataclass(frozen=True, slots=True)
class StreamTried:
    """What the first page of a stream has: so many records, whether more follow, the first one as the system says it.

    `records` None: it was not read, and `wrong` says why.
    """

    name: str
    title: Text
    records: int | None
    more: bool = False
    first: Mapping[str, Json] | None = None
    wrong: Text | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a trial. `problems`: the text itself will not do, and nothing was tried."""

    system: str
    problems: tuple[Problem, ...] = ()
    lines: tuple[Line, ...] = ()
    streams: tuple[StreamTried, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether it may be put in use: what is still to be done does not keep it from being read."""
        return not self.problems and not any(line.state == "wrong" for line in self.lines)


def try_system(
    store: Store,
    config: Config,
    text: str,
    clock: Clock,
    *,
    by: str,
    secrets: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> Tried:
    """Connects with the text of a system, kept or not, and says what can be read and written there.

    `by` is who tries, as the audit trail names him. `secrets` are values that are not kept yet, by the names under which the text refers to them (`sealed:NAME`, the name
    alone). No stream is begun after `seconds`. Never raises for what a system does.
    """
    secrets = secrets or {}
    with store.reading() as tx:
        system, problems = read_draft(config, text, sealed.names(tx) | set(secrets))
        if system is not None:
            problems += elsewhere(tx, config, system, secrets)
    if system is None or problems:
        return Tried(system.name if system is not None else "", tuple(problems))
    connected = _connected(store, config, system, clock, secrets)
    lines: list[Line] = []
    streams: list[StreamTried] = []
    until = time.monotonic() + seconds
    try:
        lines += [_line(finding) for finding in look(store, connected.config, connected)]
        lines += _writes(connected)
    except Exception as wrong:
        lines.append(Line("connect", "wrong", _why(system.name, wrong)))
    if not any(line.state == "wrong" for line in lines):
        wanted = set(connected.mapping.streams())
        for stream in connected.adapter.streams:
            if stream.name in wanted:
                streams.append(_first(connected, stream, until))
        lines += [_read(one) for one in streams]
    tried = Tried(system.name, (), tuple(lines), tuple(streams))
    _tell(store, system, tried, by, clock)
    return tried


def _tell(store: Store, system: System, tried: Tried, by: str, clock: Clock) -> None:
    """Leaves in the trail what was tried: never a secret, nor more of an address than its host."""
    hosts = {
        urlsplit(value).hostname for value in system.settings.values() if isinstance(value, str) and "://" in value
    }
    after = {
        "adapter": system.adapter,
        "hosts": sorted(host for host in hosts if host),
        "outcome": "fine" if tried.fine else "wrong",
        "read": {one.name: one.records for one in tried.streams if one.records is not None},
    }
    with store.writing() as tx:
        audit.append(tx, [Entry("system.try", f"system:{system.name}", by, after=after)], clock.now())


def _connected(store: Store, config: Config, system: System, clock: Clock, secrets: Mapping[str, str]) -> Connected:
    """The draft in place of what is in use under its name; with smaller pages, less patience and the secrets typed."""
    kept: Sealed = opener(store, config)

    def opened(name: str) -> str:
        return secrets[name] if name in secrets else kept(name)

    base = config.base
    others = [s for s in config.systems[len(base.systems) :] if s.name != system.name]
    trial = trial_settings(adapters.load(system.adapter))
    tried = system.model_copy(update={"settings": {**system.settings, **trial}})
    whole = base.with_more([*others, tried], config.people[len(base.people) :], opened)
    return Connected(whole, tried, clock, lambda: store, _PATIENCE)


def _line(finding: Finding) -> Line:
    state: Literal["fine", "todo", "wrong"] = "wrong" if finding.state == "wrong" else "todo"
    return Line("check", "fine" if finding.state in ("fine", "made") else state, finding.what, finding.fix)


def _writes(connected: Connected) -> Iterator[Line]:
    """What would be written there; nothing is by this."""
    if not connected.adapter.channels:
        yield Line("writes", "fine", _READ_ONLY)
    elif not connected.config.writes_to(connected.system):
        yield Line("writes", "fine", _NOT_WRITTEN)
    else:
        for channel in connected.adapter.channels:
            if connected.mapping.writes_to(channel.kind):
                what = _WRITTEN.fill(kind=WRITES.get(channel.kind, same(channel.kind)), object=channel.object)
                yield Line("writes", "fine", what)


def _first(connected: Connected, stream: Stream[Any], until: float) -> StreamTried:
    """The first page of a stream."""
    if time.monotonic() >= until:
        return StreamTried(stream.name, stream.title, None, wrong=_NO_TIME)
    try:
        with closing(stream.read(connected.client, None, connected.mapping.wanted(stream.name))) as pages:  # type: ignore[type-var]
            page = next(pages, None)
    except Exception as wrong:
        return StreamTried(stream.name, stream.title, None, wrong=_why(f"{connected.name}/{stream.name}", wrong))
    if page is None:
        return StreamTried(stream.name, stream.title, 0)
    first = page.records[0].data if page.records else None
    return StreamTried(stream.name, stream.title, len(page.records), not page.last, first)


def _read(one: StreamTried) -> Line:
    if one.records is None:
        assert one.wrong is not None
        return Line(
            "reads", "todo" if one.wrong is _NO_TIME else "wrong", _NOT_READ.fill(title=one.title, why=one.wrong)
        )
    text = _MORE if one.more else _ALL if one.records else _NONE
    return Line("reads", "fine", text.fill(title=one.title, count=one.records))


def _why(where: str, wrong: Exception) -> Text:
    """What a person is told. Whatever an adapter has not foreseen is told without its words, which may hold anything."""
    if isinstance(wrong, HoldfastError):
        return wrong.user
    log.error("%s could not be tried", where, exc_info=wrong)
    return _UNFORESEEN.fill(where=where, why=type(wrong).__name__)


WRITES: Mapping[str, Text] = {
    "customer_fields": Text("credit fields of customers", "客户信用字段"),
    "order_fields": Text("flags of orders", "订单标记"),
    "hold": Text("holds of customers", "客户冻结"),
    "limit": Text("credit limits", "信用额度"),
    "task": Text("tasks", "任务"),
    "close_task": Text("closing of tasks", "关闭任务"),
}
_READ_ONLY = Text("Nothing can be written there; it is only read.", "该产品不可写入，仅供读取。")
_NOT_WRITTEN = Text("Nothing would be written there.", "不会写入该系统。")
_WRITTEN = Text("Would be written there: {kind} ({object}).", "将写入：{kind}（{object}）。")
_NO_TIME = Text("there was no time for it", "时间不足，未尝试")
_NOT_READ = Text("{title} cannot be read: {why}", "无法读取{title}：{why}")
_MORE = Text(
    "{title} can be read: {count:record|records} on the first page, more follow.",
    "可读取{title}：首页 {count} 条，后续还有。",
)
_ALL = Text("{title} can be read: {count:record|records}.", "可读取{title}：共 {count} 条。")
_NONE = Text("{title} can be read; there are none.", "可读取{title}；目前没有记录。")
_UNFORESEEN = Text(
    "{where} answered in a way that was not foreseen ({why}); the log says more.",
    "{where} 的应答超出预期（{why}），详见日志。",
)

__all__ = ["WRITES", "Line", "StreamTried", "Tried", "try_system"]
