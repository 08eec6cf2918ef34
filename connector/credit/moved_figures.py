"""Figures that add up by item: what one document, payment or order contributes to each figure of a position on a day.

They are the figures of `position`, item by item and unrounded, so that the difference of two days, or of two states of
knowledge, can be told document by document (`credit.moved`).
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit.ageing import Placement, age, bucket, day_of, labels
from connector.credit.items import SIGN, OpenItem, open_items
from connector.model import Application, Document, Instalment, Payment
from connector.money import EXACT, from_minor
from connector.policy import Policy
from connector.text import Text

ZERO = Decimal(0)
BILL = "bill_of_exchange"
# One item: d or p (documents and payments may bear the same ids), and its id.
Key = tuple[str, str]
Amounts = dict[str, Decimal]

# The figures by name, in the order in which they are shown; buckets stand between the last two groups.
NAMES: dict[str, Text] = {
    "exposure": Text("exposure", "信用占用"),
    "open_receivables": Text("open receivables", "应收账款"),
    "unapplied_cash": Text("unapplied cash", "未核销收款"),
    "unapplied_credit_notes": Text("unapplied credit notes", "未核销贷项"),
    "delivered_not_invoiced": Text("delivered, not invoiced", "已发货未开票"),
    "ordered_not_delivered": Text("ordered, not delivered", "已订未发货"),
    "bills": Text("bills of exchange", "应收票据"),
    "drafts": Text("draft invoices", "草稿发票"),
    "balance": Text("balance", "应收余额"),
    "overdue": Text("overdue", "逾期金额"),
    "disputed": Text("disputed", "争议金额"),
    "limit": Text("limit", "额度"),
    "available": Text("available", "可用额度"),
}


@dataclass(frozen=True, slots=True)
class OnOrder:
    """What one order adds on a day, in its own currency, unrounded: delivered not invoiced, ordered not delivered."""

    system: str
    ref: str
    number: str | None
    currency: str
    delivered: Decimal
    ordered: Decimal


@dataclass
class Ledger:
    """The facts of one system that concern a customer, as they are known at some moment.

    `mine` are its ids there; items of others may be among the facts, as the other ends of applications. `only` are the
    items that are looked at, where not everything is known of the others. What is the same in `like`, the ledger as it is
    known at another moment, is worked out once for both.
    """

    system: str
    mine: Collection[str]
    documents: Sequence[Document] = ()
    instalments: Sequence[Instalment] = ()
    payments: Sequence[Payment] = ()
    applications: Sequence[Application] = ()
    only: Collection[Key] | None = None
    like: Ledger | None = field(default=None, repr=False, compare=False)
    _items: dict[Key, Document | Payment] | None = field(default=None, repr=False, compare=False)
    _parts: dict[Key, Ledger] | None = field(default=None, repr=False, compare=False)
    _days: list[dt.date] | None = field(default=None, repr=False, compare=False)
    _opened: dict[tuple[Key, int], list[OpenItem]] = field(default_factory=dict, repr=False, compare=False)
    _sums: dict[tuple[Key, dt.date], tuple[Policy, Amounts]] = field(default_factory=dict, repr=False, compare=False)

    def keys(self) -> list[Key]:
        """The customer's own items."""
        mine = set(self.mine)
        found: list[Key] = [("d", d.id) for d in self.documents if d.customer_id in mine]
        found += [("p", p.id) for p in self.payments if p.customer_id in mine]
        return found if self.only is None else [key for key in found if key in self.only]

    def days(self) -> list[dt.date]:
        """The days on which something happens to what is here, the first one first."""
        if self._days is None:
            days: set[dt.date | None] = set()
            for document in self.documents:
                days |= {document.issued_on, document.voided_on}
            for payment in self.payments:
                days |= {payment.received_on, payment.voided_on}
            for one in self.applications:
                days |= {one.applied_on, one.reversed_on}
            self._days = sorted(day for day in days if day is not None)
        return self._days

    def part(self, key: Key) -> Ledger:
        """All that one item's open amount depends on: itself, what was set against it, and the ends of that."""
        if self._parts is None:
            self._parts = _parted(self)
        return self._parts.get(key) or Ledger(self.system, self.mine)

    def item(self, key: Key) -> Document | Payment | None:
        """A document or payment by its key."""
        if self._items is None:
            self._items = {("d", one.id): one for one in self.documents}
            self._items |= {("p", one.id): one for one in self.payments}
        return self._items.get(key)

    def has(self, key: Key) -> bool:
        """Whether an item is there and the customer's own."""
        fact = self.item(key)
        return fact is not None and fact.customer_id in self.mine


def _parted(ledger: Ledger) -> dict[Key, Ledger]:
    papers = {d.id: d for d in ledger.documents}
    cash = {p.id: p for p in ledger.payments}
    uses: dict[str, list[Application]] = defaultdict(list)
    for one in ledger.applications:
        for ref in {one.from_id, one.to_id}:
            uses[ref].append(one)
    split: dict[str, list[Instalment]] = defaultdict(list)
    for instalment in ledger.instalments:
        split[instalment.document_id].append(instalment)
    made = {}
    for family, ref in [*(("d", ref) for ref in papers), *(("p", ref) for ref in cash)]:
        if ledger.only is not None and (family, ref) not in ledger.only:
            continue
        refs = dict.fromkeys([ref, *(end for one in uses[ref] for end in (one.from_id, one.to_id))])
        part = Ledger(
            ledger.system,
            ledger.mine,
            [papers[r] for r in refs if r in papers],
            [x for r in refs for x in split.get(r, ())],
            [cash[r] for r in refs if r in cash],
            uses[ref],
        )
        same = ledger.like.part((family, ref)) if ledger.like is not None else part
        made[family, ref] = same if same == part else part
    return made


def opened(ledger: Ledger, key: Key, day: dt.date) -> list[OpenItem]:
    """What is open of one item at the end of a day, in pieces where it has instalments."""
    part = ledger.part(key)
    # Between two days on which something happens it stays as it is.
    since = bisect_right(part.days(), day)
    if (key, since) not in part._opened:
        part._opened[key, since] = _open(part, key, day)
    return part._opened[key, since]


def _open(part: Ledger, key: Key, day: dt.date) -> list[OpenItem]:
    found = open_items(part.documents, part.instalments, part.payments, part.applications, day)
    family, ref = key
    numbers = {x.number for x in part.instalments if x.document_id == ref} if family == "d" else set()
    names = {ref, *(f"{ref}/{number}" for number in numbers)}
    return [i for i in found if i.ref in names and (i.kind in _CASH) == (family == "p")]


_CASH = ("receipt", "refund", "write_off")


def of_item(ledger: Ledger, key: Key, day: dt.date, policy: Policy) -> Amounts:
    """What an item contributes to each figure at the end of a day, in its own currency; figures it leaves alone are out."""
    part = ledger.part(key)
    made = part._sums.get((key, day))
    if made is None or made[0] is not policy:
        made = part._sums[key, day] = policy, _of_item(ledger, key, day, policy)
    return made[1]


def _of_item(ledger: Ledger, key: Key, day: dt.date, policy: Policy) -> Amounts:
    counting, ageing = policy.exposure, policy.ageing
    sums: Amounts = defaultdict(Decimal)
    fact = ledger.item(key)
    if isinstance(fact, Document) and fact.status != "posted" and fact.kind != BILL:
        there = fact.issued_on <= day and not (fact.voided_on and fact.voided_on <= day)
        if there and counting.draft_invoices:
            sums["drafts"] = SIGN[fact.kind] * from_minor(fact.amount, fact.currency)
        sums["exposure"] = sums["drafts"]
        return _without_zeros(sums)
    for piece in opened(ledger, key, day):
        if piece.kind == BILL:
            bank = isinstance(fact, Document) and fact.acceptance == "bank"
            if counting.bills_bank if bank else counting.bills_commercial:
                sums["bills"] += piece.amount
                sums["exposure"] += piece.amount
            continue
        sums["balance"] += piece.amount
        if piece.amount > 0:
            sums["open_receivables"] += piece.amount
            sums["exposure"] += piece.amount
            sums["disputed"] += piece.disputed
            if day_of(piece, "due") < day:
                sums["overdue"] += piece.amount
        elif piece.kind in _CASH:
            if counting.unapplied_cash:
                sums["unapplied_cash"] += piece.amount
                sums["exposure"] += piece.amount
        elif counting.unapplied_credit_notes:
            sums["unapplied_credit_notes"] += piece.amount
            sums["exposure"] += piece.amount
        if piece.amount > 0 or ageing.placement == "own_bucket":
            name = bucket(day_of(piece, ageing.basis), day, ageing.edges(), ageing.basis)
            sums[f"bucket {name}"] += piece.amount
    return _without_zeros(sums)


def of_order(order: OnOrder, policy: Policy) -> Amounts:
    """What an order contributes to each figure, in its own currency."""
    counting = policy.exposure
    sums = {
        "delivered_not_invoiced": order.delivered if counting.delivered_not_invoiced else ZERO,
        "ordered_not_delivered": order.ordered if counting.ordered_not_delivered else ZERO,
    }
    return _without_zeros({**sums, "exposure": EXACT.add(*sums.values())})


def netting(ledgers: Iterable[Ledger], day: dt.date, policy: Policy) -> dict[str, Amounts]:
    """By currency, what setting unapplied credits against the oldest debts takes off overdue and buckets.

    Only where the policy places them so (`fifo`): that is the one figure that no single item contributes.
    """
    ageing = policy.ageing
    placement: Placement = ageing.placement
    if placement != "fifo":
        return {}
    items: dict[str, list[OpenItem]] = defaultdict(list)
    for ledger in ledgers:
        for key in ledger.keys():  # noqa: SIM118 -- no dictionary
            for piece in opened(ledger, key, day):
                items[piece.currency].append(piece)
    found = {}
    for currency, own in items.items():
        netted, apart = (age(own, day, ageing.edges(), ageing.basis, how) for how in ("fifo", "separate"))
        sums = {f"bucket {name}": netted.buckets[name] - apart.buckets[name] for name in netted.buckets}
        found[currency] = _without_zeros({**sums, "overdue": netted.overdue - apart.overdue})
    return found


def names(policy: Policy) -> list[str]:
    """All figures, in the order in which they are shown."""
    buckets = [f"bucket {name}" for name in labels(policy.ageing.edges(), policy.ageing.basis)]
    place = list(NAMES).index("overdue") + 1
    return [*list(NAMES)[:place], *buckets, *list(NAMES)[place:]]


def added(*several: Mapping[str, Decimal]) -> Amounts:
    """Amounts added up figure by figure, exactly."""
    sums: Amounts = {}
    for one in several:
        for name, amount in one.items():
            sums[name] = EXACT.add(sums.get(name, ZERO), amount)
    return sums


def less(after: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> Amounts:
    """What has been added figure by figure; figures that stayed are out."""
    names = {**after, **before}
    return _without_zeros({n: EXACT.subtract(after.get(n, ZERO), before.get(n, ZERO)) for n in names})


def _without_zeros(sums: Mapping[str, Decimal]) -> Amounts:
    return {name: amount for name, amount in sums.items() if amount}
