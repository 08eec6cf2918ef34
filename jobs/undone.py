"""Undone: what follows here when a person has taken a hold of ours off in a system. It is told once, where people look.

The audit trail and the history of the order keep it; the owner gets one task, so that whoever took it off knows what for
it stood. What stands there is left so (`[[systems]] undone = "restore"` is another matter: `jobs.reconcile`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from connector.clock import day_in
from connector.connect import Connected
from connector.store import Connection, audit, customers, order_credit, outbox
from connector.store.audit import Entry
from connector.store.order_credit import Happened, OrderAt, Standing
from connector.store.outbox import OutboxRow, Owed
from connector.text import Text
from jobs.pull import context_of

ACTOR = "job:reconcile"
_SUBJECT = Text("Credit hold taken off in {system}: {name}", "信用冻结在 {system} 中被取消：{name}")
_BODY = Text(
    "{what}\nIt is left so. If it was meant, ask for a release, so that it is on record; otherwise ask credit control to hold "
    "again.",
    "{what}\n现状予以保留。如属有意解除，请补办放行申请以便留档；否则请联系信用管理人员重新冻结。",
)


def tell(
    tx: Connection, connected: Connected, row: OutboxRow, fields: Collection[str], there: Mapping[str, Any], what: Text
) -> int:
    """Records that these fields of one of our holds were taken off, and owes the task; says how many are owed."""
    now = connected.clock.now()
    today = day_in(now, connected.config.business.time_zone)
    order = row.kind == "order_fields"
    found = order_credit.find(tx, f"{row.system}/{row.target}") if order else []
    at = next((one for one in found if one.system == row.system), None)
    if at is not None and (standing := _standing(tx, at)) is not None:
        body = {"system": row.system, "fields": sorted(fields), "en": what.en, "zh": what.zh}
        line = Happened(
            standing.order, standing.debtor, today, now, "undone", standing.state, standing.point, ACTOR, "", body
        )
        order_credit.append(tx, [line])
    owed = _task(tx, connected, row, at, what, today, now)
    subject = f"{'order' if order else 'customer'}:{row.system}/{row.target}"
    before = {name: row.values.get(name) for name in sorted(fields)}
    after = {name: there.get(name) for name in sorted(fields)}
    audit.append(tx, [Entry("hold.undone", subject, ACTOR, before=_plain(before), after=_plain(after))], now)
    return owed


def _standing(tx: Connection, at: OrderAt) -> Standing | None:
    """What was decided of an order, under its own key or that of the same order in another system."""
    standing = order_credit.state(tx, at.key)
    if standing is not None or not at.number:
        return standing
    others = (order_credit.state(tx, one.key) for one in order_credit.find(tx, at.number) if one.debtor == at.debtor)
    return next((one for one in others if one is not None), None)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, bool | int | str | None) else str(value) for name, value in values.items()}


def _task(
    tx: Connection,
    connected: Connected,
    row: OutboxRow,
    at: OrderAt | None,
    what: Text,
    today: dt.date,
    now: dt.datetime,
) -> int:
    tasks = connected.adapter.channel("task") and connected.mapping.writes_to("task")
    if not tasks or "crm" not in connected.system.roles or row.customer is None:
        return 0
    account = next(iter(customers.customers(tx, keys=[row.customer])), None)
    if account is None:
        return 0
    language = connected.config.language_for(connected.system)
    name = (at.number or at.ref) if at is not None else (account.name or account.ref)
    key = f"undone:{row.system}:{row.kind}:{row.target}:{today}"
    said = {
        "subject": _SUBJECT.fill(system=connected.name, name=name).say(language),
        "body": _BODY.fill(what=what).say(language),
        "due_on": today + dt.timedelta(days=1),
        "owner": (at.owner if at is not None else None) or account.owner,
        "priority": "high",
        "customer": account.ref,
        "key": key,
    }
    values, digest = connected.mapping.write("task", said, context=context_of(connected))
    return outbox.owe(tx, [Owed(connected.name, "task", account.ref, key, values, digest, account.key)], now)
