"""Limits: an approved limit is owed to every system that keeps it for its own checks, save the one it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from connector.connect import Connected
from connector.errors import ConfigError
from connector.store import Connection, customers, outbox
from connector.store.customers import CustomerRow
from connector.store.outbox import Owed
from connector.text import Text
from jobs.judge import Judged
from jobs.pull import context_of


def limit_approved(
    tx: Connection,
    systems: Sequence[Connected],
    *,
    system: str,
    ref: str,
    amount: Decimal | None,
    currency: str,
    master: str | None = None,
    now: dt.datetime,
) -> int:
    """Owes the systems the limit that was approved for a customer of a ledger; says how many writes are new. `amount` in
    `currency`; None: no limit is checked (unlimited); 0: no credit at all. `master`: the system where limits are kept
    and this one was approved; nothing is written there. Called in the transaction that keeps the approval.

    Written are the customer's own record, and, where its debtor is this one customer, the debtor's records in systems
    that keep no ledger: of several customers each has a limit of its own, and none is the debtor's. Raises ConfigError
    where there is no such customer, or an amount is below nought.
    """
    found = customers.customers(tx, systems=[system], refs=[ref])
    if not found:
        raise ConfigError(
            Text("{system} has no customer {ref}.", "{system} 中没有客户 {ref}。").fill(system=system, ref=ref)
        )
    if amount is not None and amount < 0:
        raise ConfigError(Text("A limit is not below nought.", "信用额度不能为负数。"))
    said = _said(found[0], amount, currency)
    return outbox.owe(tx, list(_owed(tx, systems, found[0], said, master)), now)


def flowing(
    judged: Iterable[Judged],
    accounts: Mapping[int, Sequence[tuple[Connected, CustomerRow]]],
    kept_here: Collection[int],
    ledgers: Collection[str],
) -> Iterator[Owed]:
    """The limits of today that are kept here, for every system that keeps them, too: a season that begins, a tranche that
    is released, an uplift that ends. `kept_here` are the keys of customers with pieces of our own, `accounts` the records
    of each debtor; what was written already is not written again."""
    for one in judged:
        mine = [row for row in one.members if row.key in kept_here]
        for connected, row in accounts.get(one.debtor, ()) if mine else ():
            # In a system that is no ledger, the debtor's record has the limit of its only customer.
            whose = row if row.system in ledgers else (one.members[0] if len(one.members) == 1 else None)
            if whose is None or whose.key not in kept_here or not _takes(connected):
                continue
            limit = one.own[whose.key].limit
            if limit.kind == "none" or limit.no_rate:
                continue
            said = _said(whose, limit.amount, limit.currency or one.position.currency)
            values, digest = connected.mapping.write("limit", said, context=context_of(connected))
            yield Owed(connected.name, "limit", row.ref, f"limit:{row.ref}", values, digest, row.key)


def _said(customer: CustomerRow, amount: Decimal | None, currency: str) -> dict[str, object]:
    """A limit in the vocabulary that mappings write."""
    return {
        "customer_no": customer.external_id or customer.ref,
        "name": customer.name,
        "limit": amount,
        "limit_kind": "unlimited" if amount is None else ("amount" if amount else "none"),
        "currency": currency,
    }


def _owed(
    tx: Connection, systems: Sequence[Connected], customer: CustomerRow, said: dict[str, object], master: str | None
) -> Iterator[Owed]:
    takers = {c.name: c for c in systems if c.name != master and _takes(c)}
    for row in _records(tx, systems, customer):
        connected = takers.get(row.system)
        if connected is not None:
            values, digest = connected.mapping.write("limit", said, context=context_of(connected))
            yield Owed(connected.name, "limit", row.ref, f"limit:{row.ref}", values, digest, row.key)


def _takes(connected: Connected) -> bool:
    return (
        connected.adapter.channel("limit") is not None
        and connected.mapping.writes_to("limit")
        and connected.config.writes_to(connected.system)
    )


def _records(tx: Connection, systems: Sequence[Connected], customer: CustomerRow) -> list[CustomerRow]:
    ledgers = {c.name for c in systems if "erp" in c.system.roles}
    if customer.debtor is None:
        return [customer]
    rows = customers.customers(tx, debtors=[customer.debtor])
    if sum(row.system in ledgers for row in rows) > 1:
        return [customer]
    return [customer, *(row for row in rows if row.system not in ledgers and row.known)]
