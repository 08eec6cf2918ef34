"""The desk of one order: one transaction that has taken the lock of the customer and its whole group, and judged them.

What a person or a system does with an order happens at a desk, so that nobody decides on figures that another is changing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connector.clock import Clock, stopped
from connector.config import Config
from connector.config_people import named
from connector.connect import Connected
from connector.credit.answer import as_answer
from connector.credit.authority import Person
from connector.credit.decide import OrderDecision
from connector.errors import ConfigError, Missing, NotAllowed
from connector.money import show
from connector.policy import Policy
from connector.policy_approval import DECIDING
from connector.store import Connection, audit, marks, order_credit, outbox
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.order_credit import OrderAt, Standing
from connector.store.order_values import OrderRow
from jobs import order_words as say
from jobs.frame import Frame
from jobs.judge import Judged, judge
from jobs.judge_orders import BINDING
from jobs.moved import Moved, seated
from jobs.order_flags import WaysOut, order_flags
from jobs.order_outcome import Check, Outcome, keep, keep_states, merged, outcome, reason_kept


@dataclass
class Desk:
    """One transaction on the orders of one customer and its group, with the lock taken and everything judged."""

    tx: Connection
    base: Frame
    policy: Policy
    order: OrderAt
    check: Check
    systems: Sequence[Connected]
    judged: list[Judged]
    scores: bool = True
    begun: Outcome = field(default_factory=Outcome)  # kept already, but for the audit trail

    @property
    def whose(self) -> Judged:
        """The debtor whose order it is."""
        return next(j for j in self.judged if j.debtor == self.order.debtor)

    def find(self) -> tuple[OrderRow, OrderDecision]:
        """The order among those that are open. The same order in the ledger stands for one of the CRM."""
        for row, decision in self.whose.orders:
            if row.key == self.order.key:
                return self.whose.checked_as(row), decision
        raise ConfigError(say.NOT_OPEN.fill(ref=name_of(self.order), status=self.order.status or "-"))

    def rules_of(self) -> Policy:
        """The policy of the customer's segment."""
        return self.policy.of(self.whose.members[0].segment)

    def again(self) -> None:
        """Judges anew, by the same groups: something has changed in this transaction."""
        self.judged = judged_now(self.tx, self.base, [j.debtor for j in self.judged], self.scores)

    def settle(self, first: Outcome | None = None) -> Outcome:
        """Records what has become of all orders here, after what a person did, and owes the flags."""
        made = merged(iter([self.begun, first or Outcome(), outcome(self.judged, self.check)]))
        by_name = {c.name: c for c in self.systems if c.adapter.channels and self.base.config.writes_to(c.system)}
        refs = {
            (row.system, row.ref)
            for j in self.judged
            for row, _ in j.orders
            if row.key in made.flags or _twin(j, row, made)
        }
        # The decision on a customer names its held orders: it is looked at again by the next run.
        if made.flags:
            touched = [m.key for j in self.judged for m in j.members if any(r.key in made.flags for r, _ in j.orders)]
            marks.touch(self.tx, touched)
        out = WaysOut(self.tx, self.base, self.judged)
        for judged in self.judged:
            only = replace(judged, orders=tuple(p for p in judged.orders if (p[0].system, p[0].ref) in refs))
            flags = order_flags(self.base, only, by_name, lambda system, ref: (system, ref) in refs, out)
            outbox.owe(self.tx, list(flags), self.check.at)
        keep(self.tx, made, self.check)
        return made


def _twin(judged: Judged, row: OrderRow, made: Outcome) -> bool:
    return judged.checked_as(row).key in made.flags


def name_of(order: OrderAt) -> str:
    return f"{order.system}/{order.ref}"


@contextmanager
def desk(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    actor: str,
    *,
    point: str = "recheck",
    systems: Sequence[Connected] = (),
    scores: bool = True,
    attempt: str = "",
    why: str = "",
    again: bool = True,
) -> Iterator[Desk]:
    """The desk for one order, by its id or number, or `system/id`. Raises ConfigError where there is no such order, or
    several, or its customer is linked to nobody. An `attempt` (what a person wants to do, and `why`) that is not his to
    make leaves nothing but a line in the audit trail. `again`: it may be judged anew, so the facts stay as they are."""
    order: OrderAt | None = None
    try:
        while True:
            with suppress(Moved), store.writing(concern=Concern()) as tx:
                order = the_order(tx, wanted)
                yield _seated(tx, config, policy, clock, order, actor, point, systems, scores, again)
                return
    except NotAllowed as refused:
        if order is not None and attempt:
            _denied(store, clock, f"order:{name_of(order)}", actor, attempt, why, refused)
        raise


@contextmanager
def denials(store: Store, clock: Clock, subject: str, actor: str, attempt: str, why: str) -> Iterator[None]:
    """Writes down what somebody attempts who may not: in a transaction of its own, the attempt itself leaves nothing."""
    try:
        yield
    except NotAllowed as refused:
        _denied(store, clock, subject, actor, attempt, why, refused)
        raise


def _denied(store: Store, clock: Clock, subject: str, actor: str, attempt: str, why: str, refused: NotAllowed) -> None:
    told = {"attempt": attempt, "en": refused.user.en, "zh": refused.user.zh}
    with store.writing(concern=Concern()) as tx:
        audit.append(tx, [Entry("order.denied", subject, actor, why, None, told)], clock.now())


def _seated(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    order: OrderAt,
    actor: str,
    point: str,
    systems: Sequence[Connected],
    scores: bool,
    again: bool,
) -> Desk:
    if order.debtor is None:
        raise ConfigError(say.NOBODYS.fill(ref=name_of(order)))
    clock = stopped(clock)
    confirming = order.key if point in BINDING else None
    base, found = seated(tx, config, policy, clock, order.debtor, scores=scores, confirming=confirming, still=again)
    check = Check(base.as_of, clock.now(), actor, point, order.key)
    return Desk(tx, base, policy, order, check, systems, found, scores)


def judged_now(tx: Connection, base: Frame, debtors: Sequence[int], scores: bool = False) -> list[Judged]:
    return marks.undisturbed(tx, lambda: list(judge(tx, base, debtors, scores=scores)))


def the_order(tx: Connection, wanted: str) -> OrderAt:
    """The one order that is meant. Raises ConfigError otherwise. The same order in the CRM and in the ledger is one."""
    found = order_credit.find(tx, wanted)
    if len(found) == 1:
        return found[0]
    if not found:
        raise Missing(say.NO_ORDER.fill(ref=wanted))
    # One order in the CRM and in the ledger: whichever, the check finds the other.
    if len({(o.number or o.ref, o.debtor) for o in found}) == 1 and len({o.system for o in found}) == len(found):
        return found[0]
    # An order of an account that belongs to nobody yet is no other one.
    linked = [o for o in found if o.debtor is not None]
    if len(linked) == 1:
        return linked[0]
    raise ConfigError(say.SEVERAL.fill(ref=wanted, refs=", ".join(map(name_of, found[:8]))))


# --- what all who stand at it do ---------------------------------------------------------------------------------------
def held(at: Desk) -> tuple[Standing, OrderRow, OrderDecision]:
    """The order as it is held now; checked first where it never was. Raises ConfigError where it is not held."""
    row, decision = at.find()
    if not decision.hold:
        raise ConfigError(say.NOT_HELD.fill(ref=name_of(at.order)))
    standing = at.whose.standings.get(row.key)
    if standing is None or standing.order != row.key or standing.through or standing.ended_on is not None:
        # That the rules hold it is nobody's doing.
        by_rule = replace(at.check, actor="job:order")
        made = outcome(at.judged, by_rule)
        keep_states(at.tx, made)
        at.begun = Outcome(entries=made.entries, flags=made.flags)
        at.again()
        row, decision = at.find()
        standing = at.whose.standings.get(row.key)
    assert standing is not None, "it has just been kept"
    return standing, row, decision


def keep_standing(at: Desk, before: Standing | None, now: Standing) -> None:
    """Keeps what a person did; what is judged afterwards starts from it."""
    known = before is not None and before.order == now.order
    order_credit.keep(at.tx, [] if known else [now], [now] if known else [])
    at.whose.standings = {**at.whose.standings, now.order: now}


def rules_in(decision: OrderDecision) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason.rule for reason in decision.reasons))


def so_far(tx: Connection, config: Config, order: int) -> tuple[list[str], list[Person]]:
    """Who has asked for the release of an order since it is held, the last one last, and who has approved it. What was
    approved of a smaller order is not approved of a larger one."""
    asked, approved = list[str](), dict[str, Decimal]()
    for line in order_credit.history(tx, orders=[order]):
        total = Decimal((line.body or {}).get("total", 0))
        if line.what == "requested":
            asked = [*(name for name in asked if name != line.actor), line.actor]
        elif line.what == "approved":
            approved[line.actor] = total
        elif line.what == "changed":
            approved = {name: of for name, of in approved.items() if total <= of}
        elif line.state in order_credit.THROUGH or line.what in ("refused", "manual", "reopened", "expired"):
            asked, approved = [], {}
    found = [named(config.people, name) for name in approved]
    return asked, [person for person in found if person is not None]


def snapshot(at: Desk, row: OrderRow, decision: OrderDecision) -> dict[str, Any]:
    """All numbers on which a person decides."""
    judged = at.whose
    first = judged.members[0]
    return {
        "total": show(row.total, row.currency),
        "currency": row.currency,
        "terms": row.terms,
        "policy": at.base.policy_version,
        "reasons": [reason_kept(reason) for reason in decision.reasons],
        "position": as_answer(judged.position, judged.decision, first.ref, first.system),
    }


def reasoned(why: str) -> None:
    if not why.strip():
        raise ConfigError(say.NO_REASON)


def deciding(person: Person) -> None:
    if not person.alone and not person.roles & DECIDING:
        raise NotAllowed(say.NOT_DECIDING.fill(person=person.name or person.id))
