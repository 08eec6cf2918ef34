"""Channels of webhooks: products are asked to call, and asked again before what they promised ends.

Each system's subscriptions are in the store. Renewal is part of every run that reads the systems, long before the end:
forgotten renewal is what usually ends webhooks. Where the address or the secret has changed, it is told at the next run.

A system that is taken out, or may call no more, still holds what it promised: every run asks it to end that, until it has,
or a person says that it was done there by hand (`forget`). Meanwhile its calls are refused like anybody's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from connector.adapter import Finding
from connector.clock import Clock
from connector.config import Config, refusal
from connector.config_kept import read_system
from connector.connect import Connected, connect
from connector.credit.authority import Person
from connector.errors import ConfigError, HoldfastError, Problem
from connector.hook import Callback, Hook, Subscription, digest
from connector.store import Connection, audit, documents, inbox, subscriptions
from connector.store.audit import Entry
from connector.store.db import Store
from connector.store.leases import LeaseLost
from connector.text import Text
from jobs.administrator import demand_administrator
from jobs.configured import opener
from jobs.hook_secrets import address, callback, hook_of
from jobs.run import Run, running


def subscribe(store: Store, config: Config, connected: Connected, *, actor: str) -> list[Subscription]:
    """Asks a system to call about every stream that its mapping reads; subscriptions that we held end first.

    ConfigError where the product cannot be asked (the text says what to do by hand) or refuses for want of rights.
    """
    hook, told = _asking(config, connected)
    assert hook.subscribe is not None
    unsubscribe(store, config, connected, actor=actor)
    made = list(hook.subscribe(connected.client, told, connected.mapping.streams()))
    now = connected.clock.now()
    with store.writing() as tx:
        for one in made:
            subscriptions.keep(tx, connected.name, one, _mark(told, one), now)
        after = [{"id": s.id, "streams": list(s.streams), "until": _day(s)} for s in made]
        audit.append(tx, [Entry("hook.subscribe", f"system:{connected.name}", actor, after=after)], now)
    return made


def unsubscribe(store: Store, config: Config, connected: Connected, *, actor: str) -> int:
    """Asks a system to call no more; gives how many subscriptions ended."""
    hook = hook_of(config, connected.system)
    with store.reading() as tx:
        mine = [h.subscription for h in subscriptions.held(tx, connected.name)]
    if not mine:
        return 0
    if hook.unsubscribe is not None:
        hook.unsubscribe(connected.client, mine)
    now = connected.clock.now()
    with store.writing() as tx:
        gone = subscriptions.drop(tx, connected.name, [s.id for s in mine])
        before = [{"id": s.id, "streams": list(s.streams), "until": _day(s)} for s in mine]
        audit.append(tx, [Entry("hook.unsubscribe", f"system:{connected.name}", actor, before=before)], now)
    return gone


def shown_address(store: Store, config: Config, connected: Connected, *, actor: str) -> str:
    """Where a system is to call, for whoever enters it there by hand; that it was shown is in the trail. Raises as
    `hook_secrets.address`."""
    shown = address(config, connected.system)
    with store.writing() as tx:
        audit.append(tx, [Entry("hook.address", f"system:{connected.name}", actor)], connected.clock.now())
    return shown


# What is out keeps no run waiting for long.
_PATIENCE = {"attempts": 2, "deadline": 20.0}


# --- of systems that are out ---------------------------------------------------------------------------------------------
def left(tx: Connection, config: Config) -> dict[str, list[Subscription]]:
    """What systems have promised that are in use no more, or may call no more; by system."""
    may = {system.name for system in config.systems if system.hook is not None}
    found: dict[str, list[Subscription]] = {}
    for one in subscriptions.held(tx):
        if one.system not in may:
            found.setdefault(one.system, []).append(one.subscription)
    return found


def end_left(store: Store, config: Config, clock: Clock, names: Collection[str] = ()) -> list[Run]:
    """Asks systems that are out to call no more (`names`: only these); a run each, none where nothing is left.

    Never raises our own errors: what could not be ended is a problem of the run, which says what a person may do, and the
    next run tries again. What has ended by itself meanwhile is forgotten.
    """
    with store.reading() as tx:
        found = left(tx, config)
    return [_end(store, config, clock, name, found[name]) for name in sorted(found) if not names or name in names]


def _end(store: Store, config: Config, clock: Clock, name: str, mine: list[Subscription]) -> Run:
    with running(store, clock, "hooks", name) as run:
        now = clock.now()
        good = [one for one in mine if one.until is None or one.until > now]
        try:
            if good:
                connected = _as_it_was(store, config, clock, name)
                hook = connected.adapter.hook
                if hook is None or hook.unsubscribe is None:
                    raise ConfigError(_NOT_BY_US.fill(system=name))
                hook.unsubscribe(connected.client, good)
        except LeaseLost:
            raise
        except HoldfastError as wrong:
            what = _LEFT.fill(system=name, count=len(good), why=wrong.user)
            run.problem(Problem("hooks_left", name, what, _BY_HAND.fill(system=name)))
            mine = [one for one in mine if one not in good]
        if mine:
            run.counts["ended"] = _forgotten(store, name, mine, "job:hooks", now)
    return run


def forget(store: Store, config: Config, name: str, *, person: Person, now: dt.datetime) -> int:
    """A person's word that the webhooks of a system that is out were ended there by hand; of how many subscriptions.

    NotAllowed for who is no administrator; ConfigError where there are none, or the system is in use.
    """
    demand_administrator(person)
    with store.reading() as tx:
        mine = left(tx, config).get(name)
    if not mine:
        raise ConfigError(_NONE_LEFT.fill(system=name))
    return _forgotten(store, name, mine, person.actor, now)


def _forgotten(store: Store, name: str, mine: list[Subscription], actor: str, now: dt.datetime) -> int:
    with store.writing() as tx:
        gone = subscriptions.drop(tx, name, [s.id for s in mine])
        before = [{"id": s.id, "streams": list(s.streams), "until": _day(s)} for s in mine]
        audit.append(tx, [Entry("hook.unsubscribe", f"system:{name}", actor, before=before)], now)
    return gone


def _as_it_was(store: Store, config: Config, clock: Clock, name: str) -> Connected:
    """A system as it was in use last. ConfigError where nobody knows that any more."""
    if any(system.name == name for system in config.systems):
        return connect(config, name, clock, store)
    base = config.base
    with store.reading() as tx:
        used = next((a.number for a in documents.activations(tx, documents.SYSTEM, name) if a.number is not None), None)
        if used is None:
            raise ConfigError(_NOT_KNOWN.fill(system=name))
        text = documents.version(tx, documents.SYSTEM, name, used).text
    system, problems = read_system(text, f"{name}@{used}", base)
    if system is None:
        raise refusal(problems)
    others = config.systems[len(base.systems) :]
    whole = base.with_more([*others, system], config.people[len(base.people) :], opener(store, config))
    return Connected(whole, system, clock, lambda: store, _PATIENCE)


_LEFT = Text(
    "{system} is out, and {count} of its webhooks could not be ended there: {why}",
    "{system} 已停用，但其 {count} 项 Webhook 订阅未能在对方取消：{why}",
)
_BY_HAND = Text(
    "It is tried again in each run. Or end them there by hand, then: holdfast hook forget {system}",
    "每次运行都会重试。也可在对方系统中手工取消，然后执行 holdfast hook forget {system}",
)
_NOT_BY_US = Text("{system} cannot be asked by us.", "无法由本系统向 {system} 提出。")
_NOT_KNOWN = Text(
    "how {system} was connected stands nowhere any more; it was taken out of config.toml.",
    "{system} 已从 config.toml 中移除，其连接方式已无从得知。",
)
_NONE_LEFT = Text(
    "{system} is in use, or nothing is left of its webhooks.", "{system} 仍在使用，或没有遗留的 Webhook 订阅。"
)


def findings(store: Store, config: Config, connected: Connected) -> list[Finding]:
    """How a system's webhooks stand, for a check; nothing where none are configured."""
    if connected.system.hook is None or connected.adapter.hook is None:
        return []
    hook, name = connected.adapter.hook, connected.name
    try:
        callback(config, connected.system)
    except ConfigError as wrong:
        return [Finding("wrong", Text("Webhooks", "Webhook"), wrong.user)]
    with store.reading() as tx:
        held = [h.subscription for h in subscriptions.held(tx, name)]
        came = inbox.tallies(tx).get(name)
    if hook.subscribe is None:
        if came is not None:
            return [Finding("fine", Text("Webhooks arrive.", "Webhook 已收到过通知。"))]
        return [Finding("todo", Text("No webhook has come yet.", "尚未收到任何 Webhook。"), hook.by_hand)]
    if not held:
        fix = Text("holdfast hook subscribe {name}", "holdfast hook subscribe {name}").fill(name=name)
        return [Finding("todo", Text("Webhooks are not asked for yet.", "尚未订阅 Webhook。"), fix)]
    ends = min((s.until for s in held if s.until is not None), default=None)
    if ends is not None and ends <= connected.clock.now():
        fix = Text("holdfast hook renew {name}", "holdfast hook renew {name}").fill(name=name)
        return [Finding("wrong", Text("Webhooks have ended.", "Webhook 订阅已过期。"), fix)]
    until = f"{ends:%Y-%m-%d %H:%M}Z" if ends else ""
    fine = Text("Webhooks are subscribed, until {until}.", "已订阅 Webhook，有效期至 {until}。").fill(until=until)
    return [Finding("fine", fine if ends else Text("Webhooks are subscribed.", "已订阅 Webhook。"))]


def is_due(store: Store, config: Config, connected: Connected, *, force: bool = False) -> bool:
    """Whether a subscription of a system must be renewed now."""
    if connected.system.hook is None or connected.adapter.hook is None:
        return False
    try:
        with store.reading() as tx:
            return bool(_due(tx, config, connected, force))
    except ConfigError:
        return True  # renewing it tells what is missing


def renew(store: Store, config: Config, connected: Connected, *, force: bool = False) -> Run:
    """Renews what ends soon (`force`: everything), and makes anew what is gone there. Never raises our own errors: what
    fails is a problem of the run, and the next run tries again."""
    with running(store, connected.clock, "hooks", connected.name) as run:
        hook, told = _asking(config, connected)
        with store.reading() as tx:
            due = _due(tx, config, connected, force)
        assert hook.subscribe is not None
        for one in due:
            renewed = hook.renew(connected.client, told, one) if hook.renew else one
            made = [renewed] if renewed is not None else list(hook.subscribe(connected.client, told, one.streams))
            now = connected.clock.now()
            with store.writing() as tx:
                if renewed is None or renewed.id != one.id:
                    subscriptions.drop(tx, connected.name, [one.id])
                for new in made:
                    subscriptions.keep(tx, connected.name, new, _mark(told, new), now)
            run.counts["renewed" if renewed is not None else "made"] += 1
    return run


def _due(tx: Connection, config: Config, connected: Connected, force: bool) -> list[Subscription]:
    hook, now = connected.adapter.hook, connected.clock.now()
    assert hook is not None
    held = subscriptions.held(tx, connected.name)
    if not held:
        return []
    told = callback(config, connected.system)
    return [
        h.subscription
        for h in held
        if force or _ends(h.subscription, now, hook.renew_before) or h.told != _mark(told, h.subscription)
    ]


def _ends(one: Subscription, now: dt.datetime, before: dt.timedelta) -> bool:
    return one.until is not None and one.until - now < before


def _asking(config: Config, connected: Connected) -> tuple[Hook[object], Callback]:
    hook = hook_of(config, connected.system)
    if hook.subscribe is None:
        raise ConfigError(hook.by_hand)
    return hook, callback(config, connected.system)


def _mark(told: Callback, one: Subscription) -> str:
    """By what a change of the address or the token is noticed."""
    return digest(told.address, told.token(one.id))


def _day(one: Subscription) -> str | None:
    return one.until.isoformat(timespec="seconds") if one.until else None
