"""Work list: what a collector has to know of every debtor with something overdue, from the facts in the store."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.clock import Clock
from connector.config import Config
from connector.credit.dun import Debt, Key, Standing, next_step, promised
from connector.credit.limitation import Restart, limitation_ends
from connector.credit.worklist import Work
from connector.model import Promise
from connector.policy import Policy
from connector.store import Connection, contacts, debts, promises
from connector.store.contacts import Contact
from connector.store.customers import CustomerRow
from connector.store.debts import DebtRow
from jobs.dun import Dunned, candidates, plans
from jobs.frame import Frame, frame

_TOGETHER = 2000
_BROKEN_DAYS = 90
ZERO = Decimal(0)


@dataclass(frozen=True)
class WorkRow:
    """One line of the work list: who, what, the items behind it, and the last contact."""

    first: CustomerRow
    work: Work
    items: tuple[tuple[Debt, Standing, dt.date | None], ...]
    last: Contact | None = None


def worklist(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    as_of: dt.date,
    debtors: Collection[int] | None = None,
) -> Iterator[WorkRow]:
    """Everybody with something overdue on a day, in no order. Today's levels and contacts are those that are known now."""
    base = frame(tx, config, policy, clock, as_of, debtors=())
    # Of a few it is quicker to look at each than to look for everybody first.
    chosen = candidates(tx, base) if debtors is None else sorted(set(debtors))
    for at in range(0, len(chosen), _TOGETHER):
        part = chosen[at : at + _TOGETHER]
        found = list(plans(tx, base, part, everybody=True))
        made = promises.by_debtor(tx, part)
        broken = Counter(
            row.debtor
            for row in promises.outcomes(
                tx,
                part,
                as_of,
                grace_days=policy.dunning.promise_grace_days,
                since=as_of - dt.timedelta(days=_BROKEN_DAYS),
            )
            if not row.kept
        )
        keys = [member.key for one in found for member in one.members]
        late = {one.debtor: _late(one, as_of) for one in found}
        paid = debts.paid_on(tx, {row.item for rows in late.values() for row in rows}, as_of)
        restarts = contacts.restarts(tx, keys)
        last: dict[int, Contact] = {}
        for contact in contacts.contacts(tx, keys):
            last.setdefault(contact.customer, contact)
        for one in found:
            rows = late[one.debtor]
            if not rows:
                continue
            own = made.get(one.debtor, [])
            ends = {row.debt.key: _ends(row, restarts, own, paid) for row in rows}
            talks = [last[m.key] for m in one.members if m.key in last]
            yield WorkRow(
                one.first,
                _work(base, one, rows, own, broken[one.debtor], ends),
                tuple((row.debt, one.standings.get(row.debt.key, Standing()), ends[row.debt.key]) for row in rows),
                max(talks, key=lambda c: (c.on, c.id), default=None),
            )


def _late(one: Dunned, as_of: dt.date) -> list[DebtRow]:
    return [row for row in one.debts.values() if row.debt.open > 0 and (row.debt.days(as_of) or 0) > 0]


def _work(
    base: Frame,
    one: Dunned,
    rows: Sequence[DebtRow],
    own: Sequence[Promise],
    broken: int,
    ends: Mapping[Key, dt.date],
) -> Work:
    as_of, rules = base.as_of, one.rules
    waiting = promised([row.debt for row in rows], own, as_of, rules.promise_grace_days)
    sums = {"overdue": ZERO, "due_now": ZERO, "disputed": ZERO, "promised": ZERO}
    left_out: set[str] = set()
    for row in rows:
        debt = row.debt
        parts = {"overdue": debt.open, "disputed": debt.disputed}
        parts["promised" if debt.key in waiting else "due_now"] = debt.undisputed
        for name, amount in parts.items():
            home = base.rates.convert(amount, debt.currency, base.config.business.currency, as_of)
            if home is None:
                left_out.add(debt.currency)
            else:
                sums[name] += home
    standings = [(row.debt, one.standings.get(row.debt.key, Standing())) for row in rows]
    free = [(debt, standing) for debt, standing in standings if debt.key not in waiting and debt.undisputed > 0]
    upcoming = [found for debt, standing in free if (found := next_step(debt, standing, rules)) is not None]
    soonest = min(upcoming, key=lambda found: (found[0], -found[1].level), default=None)
    return Work(
        debtor=one.debtor,
        oldest_days=max(row.debt.days(as_of) or 0 for row in rows),
        items=len(rows),
        level=max(standing.in_force for _, standing in standings),
        broken=broken,
        promise_on=max((p.due_on for p in waiting.values()), default=None),
        next_on=max(soonest[0], as_of) if soonest is not None else None,
        next_step=soonest[1] if soonest is not None else None,
        limitation_on=min(ends.values(), default=None),
        left_out=tuple(sorted(left_out)),
        **sums,
    )


def _ends(
    row: DebtRow,
    restarts: Mapping[int, Sequence[tuple[str | None, Restart]]],
    own: Sequence[Promise],
    paid: Mapping[int, Sequence[dt.date]],
) -> dt.date:
    """Until when a debt can be sued for: from the due date of its last instalment, and what made the time run anew."""
    debt = row.debt
    due_on = max([debt.due_on or debt.issued_on, *(part.due_on for part in row.balance.instalments)])
    found = [
        restart
        for document, restart in restarts.get(debt.customer, ())
        if document is None or document == debt.document
    ]
    found += [Restart(day, "part_payment") for day in paid.get(row.item, ())]
    for promise in own:
        # A promise that names nothing acknowledges what nobody disputes.
        named = promise.document_id == debt.document
        if named or (promise.document_id is None and not debt.disputed):
            found.append(Restart(promise.made_on, "promise"))
    return limitation_ends(due_on, found)
