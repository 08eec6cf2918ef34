"""Channels of webhooks: products are asked to call, and asked again before what they promised ends.

Each system's subscriptions are in the store. Renewal is part of every run that reads the systems, long before the end:
forgotten renewal is what usually ends webhooks. Where the address or the secret has changed, it is told at the next run.
"""

from __future__ import annotations

import datetime as dt

from connector.adapter import Finding
from connector.config import Config
from connector.connect import Connected
from connector.errors import ConfigError
from connector.hook import Callback, Hook, Subscription, digest
from connector.store import Connection, audit, inbox, subscriptions
from connector.store.audit import Entry
from connector.store.db import Store
from connector.text import Text
from jobs.hook_secrets import callback, hook_of
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
