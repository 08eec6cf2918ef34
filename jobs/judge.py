"""Judging: positions and decisions of customers on a day, from the facts in the store; nothing is written.

A `Frame` is what is the same for everybody on that day (rates, who belongs to whom, which systems count); `judge` gives
one `Judged` per debtor. The nightly run, the reports and the explanations all come through here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from connector.clock import Clock
from connector.config import Config
from connector.connect import mapping_in_use
from connector.credit.ageing import Basis, Placement
from connector.credit.decide import Decision, OrderDecision, check_order, decide, order_without_rate
from connector.credit.group import Node, node_of
from connector.credit.hold import OrderAmounts, stale_data
from connector.credit.limit import Effective, added, effective
from connector.credit.position import Position, position
from connector.credit.rates import Rates
from connector.credit.reason import Reason
from connector.credit.stage import Behaviour
from connector.credit.totals import Totals
from connector.model import Limit, Rate
from connector.money import rounded
from connector.policy import Policy
from connector.store import Connection, customers, decisions, facts, positions
from connector.store.customers import CustomerRow
from connector.store.positions import OrderRow

ZERO = Decimal(0)


@dataclass(frozen=True)
class View:
    """How figures are to be shown; None is the policy's own way. `ledger`: by the documents' own base amounts."""

    edges: tuple[int, ...] | None = None
    basis: Basis | None = None
    placement: Placement | None = None
    currency: str | None = None
    ledger: bool = False
    company: str | None = None


@dataclass(frozen=True)
class Judged:
    """One debtor on a day: its ERP customers, the figures of all of them together, and what the policy concludes.

    `own` has the figures of each ERP customer alone, by key; for a single one they are the debtor's.
    """

    debtor: int
    members: tuple[CustomerRow, ...]
    position: Position
    decision: Decision
    own: Mapping[int, Position]
    orders: tuple[tuple[OrderRow, OrderDecision], ...] = ()


@dataclass
class Frame:
    """What is the same for everybody on one day."""

    config: Config
    policy: Policy
    as_of: dt.date
    view: View
    rows: dict[int, CustomerRow]
    members: dict[int, list[int]]
    parents: dict[int, int]
    children: dict[int, list[int]]
    rates: Rates
    stale: dict[str, Reason]
    systems: list[str]
    released: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def policy_version(self) -> str:
        """A short hash of the policy's content: the same rules, the same version."""
        return hashlib.blake2b(self.policy.model_dump_json().encode(), digest_size=8).hexdigest()

    def family(self, debtors: Iterable[int]) -> set[int]:
        """These debtors and everybody above, below and beside them in their groups."""
        found: set[int] = set()
        left = list(debtors)
        while left:
            debtor = left.pop()
            if debtor not in found:
                found.add(debtor)
                left += self.children.get(debtor, ())
                if debtor in self.parents:
                    left.append(self.parents[debtor])
        return found

    def ancestors(self, debtor: int) -> list[int]:
        """The debtors above one, nearest first; a ring ends where it closes."""
        above: list[int] = []
        while (debtor := self.parents.get(debtor, -1)) != -1 and debtor not in above:
            above.append(debtor)
        return above

    def below(self, debtor: int) -> set[int]:
        """A debtor and everybody below it."""
        found: set[int] = set()
        left = [debtor]
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left += self.children.get(node, ())
        return found


def frame(
    tx: Connection, config: Config, policy: Policy, clock: Clock, as_of: dt.date, view: View | None = None
) -> Frame:
    """The frame of a day. Only systems with the role erp count: they own the ledger."""
    systems = [s.name for s in config.with_role("erp")]
    rows = {r.key: r for r in customers.customers(tx, systems=systems)} if systems else {}
    members: dict[int, list[int]] = defaultdict(list)
    for key in sorted(rows):
        debtor = rows[key].debtor
        if debtor is not None:
            members[debtor].append(key)
    parents: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for row in rows.values():
        above = rows.get(row.parent) if row.parent is not None else None
        if above is None or above.debtor is None or row.debtor is None or above.debtor == row.debtor:
            continue
        if row.debtor not in parents and not _closes_ring(parents, row.debtor, above.debtor):
            parents[row.debtor] = above.debtor
            children[above.debtor].append(row.debtor)
    rate_systems = [s.name for s in config.with_role("erp", "rates")]
    rates: list[Rate] = customers.rates(tx, systems=rate_systems) if rate_systems else []
    return Frame(
        config,
        policy,
        as_of,
        view or View(),
        rows,
        members,
        parents,
        children,
        Rates(rates, config.business.currency, policy.currency.max_rate_age_days),
        _stale(tx, config, systems, policy, clock.now()),
        systems,
    )


def _closes_ring(parents: Mapping[int, int], child: int, above: int) -> bool:
    while above != child:
        if above not in parents:
            return False
        above = parents[above]
    return True


def _stale(
    tx: Connection, config: Config, systems: Sequence[str], policy: Policy, now: dt.datetime
) -> dict[str, Reason]:
    """The systems whose last complete pull is too old to decide on, each with the reason."""
    found = {}
    hours = policy.data.stale_after_hours
    zone = ZoneInfo(config.business.time_zone)
    for system in systems:
        at = _complete_at(tx, config, system)
        if at is None or now - at > dt.timedelta(hours=hours):
            found[system] = stale_data(system, at.astimezone(zone) if at else None, hours)
    return found


# Facts whose age matters: without today's payments nobody is let off, without today's orders nobody is over the limit.
_DECISIVE = frozenset({"customer", "document", "payment", "application", "order", "order_line", "limit"})


def _complete_at(tx: Connection, config: Config, system: str) -> dt.datetime | None:
    """Since when all decisive streams of a system are known to be complete; None: one has never been read to its end."""
    mapping = mapping_in_use(config, config.system(system), tx)
    decisive = [s for s in mapping.streams() if _DECISIVE & set(mapping.facts(s))]
    read = facts.read_at(tx, system)
    times = [read.get(s) for s in decisive]
    known = [at for at in times if at is not None]
    return min(known) if known and len(known) == len(times) else None


def judge(
    tx: Connection, frame: Frame, debtors: Collection[int] | None = None, orders: bool = True
) -> Iterator[Judged]:
    """What the policy concludes of debtors (None: all); of their whole groups, because a group's limit binds them all."""
    wanted = frame.family(debtors) if debtors is not None else set(frame.members)
    keys = [k for d in wanted for k in frame.members.get(d, ())]
    few = keys if debtors is not None else None
    sums: dict[int, list[Totals]] = defaultdict(list)
    for row in positions.totals(
        tx,
        frame.as_of,
        customers=few,
        edges=frame.view.edges or frame.policy.ageing.edges(frame.view.basis),
        basis=frame.view.basis or frame.policy.ageing.basis,
        placement=frame.view.placement or frame.policy.ageing.placement,
        view="ledger" if frame.view.ledger else "document",
        ledger_currency=frame.config.business.currency,
        company=frame.view.company,
        horizon_days=frame.policy.exposure.order_horizon_days,
        systems=frame.systems,
    ):
        sums[row.customer].append(row)
    limits = customers.limits(tx, few)
    staged = {
        frame.rows[k].debtor for k, own in limits.items() if k in frame.rows and any(x.kind == "stage" for x in own)
    }
    # A tranche once released stays released: what earlier decisions have released counts in reports, too.
    before = decisions.latest(tx, [d for d in staged if d is not None]) if staged else {}
    frame.released = {d: frozenset(row.body.get("released", ())) for d, row in before.items()}
    found = {d: _positions(frame, d, sums, limits) for d in wanted if frame.members.get(d)}
    nodes = _nodes(frame, found, sums)
    amounts = _orders(tx, frame, few) if orders else {}
    for debtor, (whole, own) in found.items():
        members = tuple(frame.rows[k] for k in frame.members[debtor])
        stale = tuple(frame.stale[s] for s in dict.fromkeys(m.system for m in members) if s in frame.stale)
        status = next((m.status for m in members if m.status == "blocked"), members[0].status) or "active"
        decision = decide(
            whole,
            [
                nodes[a].seen_from(whole.currency, frame.rates, frame.as_of)
                for a in frame.ancestors(debtor)
                if a in nodes
            ],
            frame.policy,
            status=status,
            stale=stale,
        )
        checked = []
        mine = amounts.get(debtor, ())
        booked = {o.number or o.ref: o for o in mine if o.system in frame.systems and o.status == "open"}
        for placed in mine:
            # The same order in the CRM and in the ledger's own system is one order.
            order = _amounts(frame, whole.currency, booked.get(placed.number or placed.ref, placed))
            if order is None:
                checked.append((placed, order_without_rate(decision, placed.ref, placed.currency)))
            else:
                checked.append((placed, check_order(decision, order, frame.policy)))
        yield Judged(debtor, members, whole, decision, own, tuple(checked))


def _currency(frame: Frame, row: CustomerRow) -> str:
    return (
        frame.view.currency
        or (frame.config.business.currency if frame.view.ledger else None)
        or (row.currency or frame.config.business.currency)
    )


def _positions(
    frame: Frame, debtor: int, sums: Mapping[int, list[Totals]], limits: Mapping[int, list[Limit]]
) -> tuple[Position, dict[int, Position]]:
    keys = frame.members[debtor]
    released = frame.released.get(debtor, frozenset())
    own: dict[int, Position] = {}
    granted: list[Effective] = []
    for key in keys:
        currency = _currency(frame, frame.rows[key])
        mine = limits.get(key, [])
        limit = effective(mine, frame.as_of, Behaviour(released=released), frame.rates.convert, currency=currency)
        own[key] = _position(frame, key, currency, sums.get(key, []), limit)
        if any(x.kind == "stage" for x in mine):
            # What a tranche asks of behaviour is known only now.
            behaviour = Behaviour(late_days=own[key].undisputed_overdue_days, released=released)
            limit = effective(mine, frame.as_of, behaviour, frame.rates.convert, currency=currency)
            own[key] = _position(frame, key, currency, sums.get(key, []), limit)
        granted.append(limit)
    if len(keys) == 1:
        return own[keys[0]], own
    # One legal person under several accounts is one debtor: all rows together, so that each figure is rounded once.
    everything = [row for key in keys for row in sums.get(key, [])]
    limit = added(granted, frame.as_of, frame.rates.convert)
    return _position(frame, keys[0], _currency(frame, frame.rows[keys[0]]), everything, limit), own


def _position(frame: Frame, key: int, currency: str, rows: Sequence[Totals], limit: Effective) -> Position:
    view = frame.view
    return position(
        key, currency, rows, limit, frame.rates, frame.as_of, frame.policy, view.edges, view.basis, view.placement
    )


def _nodes(
    frame: Frame, found: Mapping[int, tuple[Position, object]], sums: Mapping[int, list[Totals]]
) -> dict[int, Node]:
    """Each debtor with somebody below it as a group: its limit against the exposure of its whole subtree."""
    nodes: dict[int, Node] = {}
    for debtor in frame.children:
        if debtor not in found:
            continue
        head = found[debtor][0]
        row = frame.rows[frame.members[debtor][0]]
        rows = [t for d in frame.below(debtor) for k in frame.members.get(d, ()) for t in sums.get(k, ())]
        # Judged in its limit's own currency: a limit is never changed by a rate.
        currency = head.limit.currency or head.currency
        nodes[debtor] = node_of(_position(frame, row.key, currency, rows, head.limit), row.ref, row.name or row.ref)
    return nodes


def _orders(tx: Connection, frame: Frame, keys: Sequence[int] | None) -> dict[int, list[OrderRow]]:
    """Open and draft orders by debtor: of the ERP, and of the CRM accounts that are linked to it."""
    by_debtor: dict[int, list[OrderRow]] = defaultdict(list)
    for row in positions.order_values(tx, keys, horizon_on=_horizon(frame)):
        if row.debtor is not None:
            by_debtor[row.debtor].append(row)
    return by_debtor


def _horizon(frame: Frame) -> dt.date | None:
    days = frame.policy.exposure.order_horizon_days
    return frame.as_of + dt.timedelta(days=days) if days is not None else None


def _amounts(frame: Frame, currency: str, row: OrderRow) -> OrderAmounts | None:
    """An order in the debtor's currency; None where there is no rate."""
    counted = row.system in frame.systems and row.status == "open"
    quote = frame.rates.quote(row.currency, currency, frame.as_of)
    if quote is None:
        return None
    total = rounded(quote.convert(row.total), currency)
    value = rounded(quote.convert(row.open_value), currency) if counted else ZERO
    # What is invoiced already is a receivable: it must not be added a second time with the order.
    invoiced = rounded(quote.convert(row.invoiced_value), currency) if counted else ZERO
    return OrderAmounts(
        order_id=row.ref,
        number=row.number,
        total=total,
        open_value=value,
        ship_on=row.ship_on,
        counted=counted,
        elsewhere=invoiced,
    )
