"""Granting limits: somebody asks, somebody with authority approves or rejects, and the limit counts where limits are kept.

Where limits are kept here, an approved request becomes pieces of our own, from its first day on; every system that keeps
limits for its own checks is told. Where a system keeps them, the amount is owed to it, and the request is in force when a
pull brings it back. Each step is one transaction with its entries in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.credit import authority
from connector.credit.authority import Need, Person
from connector.credit.granting import (
    Event,
    Standing,
    adopted,
    ended_by,
    main_amount,
    pieces_of,
    standing,
)
from connector.credit.limit import Effective
from connector.errors import ConfigError
from connector.policy import Policy
from connector.store import Connection, audit, customers, limits, marks
from connector.store.audit import Entry
from connector.store.customers import CustomerRow
from connector.store.limits import Asked
from connector.text import Text, joined, same
from jobs.grant_matter import (
    HERE,
    LIMIT_ENDS,
    Desk,
    Known,
    freeze,
    frozen,
    known,
    ledgers,
    limit_of,
    matter,
    owners,
    rises,
)
from jobs.grant_trail import changed_entry, entry, event_after, granted_entry, subject, taken_over_entry
from jobs.grant_words import (
    BECAME,
    BY_HAND,
    FROZEN,
    KINDS,
    NO_DECISION,
    NOBODY,
    STATES,
    WAITS,
    WAITS_SECOND,
    shown,
)
from jobs.limits import limit_approved

NO_CUSTOMER = Text(
    "The ledger does not have this customer any more: nothing can be decided about its limit.",
    "账套中已无此客户，无法再审批其额度。",
)


@dataclass(frozen=True)
class Outcome:
    """What a step came to. `need`: whom it still needs; `others`: who of the people configured could do it. `owed`: how
    many systems are to be told. `by_hand`: the system in which somebody has to enter it, where it cannot be written to."""

    asked: Asked
    stands: Standing
    need: Need | None = None
    others: tuple[Person, ...] = ()
    owed: int = 0
    by_hand: str | None = None

    @property
    def text(self) -> Text:
        """What became of it, in one sentence."""
        words = {"number": self.asked.number, "amount": shown(self.asked.request, self.stands.amount_minor)}
        if self.by_hand is not None:
            return BY_HAND.fill(system=self.by_hand, **words)
        if self.stands.state == "open":
            whom = self.need.text if self.need else NOBODY
            who = joined([same(p.name or p.id) for p in self.others], ", ", "、") if self.others else "-"
            text = WAITS_SECOND if self.stands.approvers else WAITS
            return text.fill(whom=whom, who=who, **words)
        return BECAME[self.stands.state].fill(**words)


# --- deciding -------------------------------------------------------------------------------------------------------------
def approve(
    tx: Connection, desk: Desk, number: int, person: Person, amount: Decimal | None = None, why: str = ""
) -> Outcome:
    """A person approves a request, at another amount where one is given. ConfigError says why he may not.

    At a lower amount it is approved as such; at a higher one it is his own request from then on, which somebody else has to
    approve. Whoever approved before has approved the amount of then, not this one.
    """
    asked, row = _open(tx, number)
    policy, now = desk.policy.of(row.segment), desk.clock.now()
    stands = standing(asked.request, asked.events)
    entries: list[Entry] = []
    if amount is not None and (new := asked.request.minor(amount)) != stands.amount_minor:
        if new < 0:
            raise ConfigError(Text("A limit is not below nought.", "信用额度不能为负数。"))
        if not _sits_on(policy, person):
            raise ConfigError(NO_DECISION.fill(person=person.name or person.id))
        asked = _recorded(tx, asked, event_after(asked, "changed", person.actor, now, why, new))
        entries.append(changed_entry(row, person.actor, why, asked, stands.amount_minor, new))
        stands = standing(asked.request, asked.events)
    asks = matter(tx, desk, row, asked, stands)
    before = [p for a in stands.approvers if (p := _known(desk, a, person)) is not None]
    refusal = authority.may(policy, person, asks, before)
    if refusal is not None:
        if not entries or person.actor != stands.requested_by:
            raise ConfigError(refusal)
        # Raised by himself: it is asked for now, and somebody else has to approve it.
        audit.at_end(tx, entries, now)
        return _waiting(desk, policy, asked, asks, before)
    if rises(tx, desk, row, asked, stands) and (why_not := frozen(tx, policy, row)) is not None:
        raise ConfigError(FROZEN.fill(why=why_not))
    asked = _recorded(tx, asked, event_after(asked, "approved", person.actor, now, why, stands.amount_minor))
    if not authority.settled(policy, asks, [*before, person]):
        entries.append(entry("limit.approve_first", row, person.actor, why, None, asked.request, None, stands))
        audit.at_end(tx, entries, now)
        return _waiting(desk, policy, asked, asks, [*before, person])
    return _grant(tx, desk, row, asked, person.actor, why, entries)


def approve_by_itself(tx: Connection, desk: Desk, asked: Asked, actor: str) -> Outcome:
    """A request that the policy lets pass without a person; whether it does is decided where it was proposed."""
    row = _row(tx, asked.customer)
    now = desk.clock.now()
    asked = _recorded(tx, asked, event_after(asked, "approved", actor, now, "", asked.request.amount_minor))
    return _grant(tx, desk, row, asked, actor, "", [])


def reject(tx: Connection, desk: Desk, number: int, person: Person, why: str) -> Outcome:
    """A person refuses a request: one whose role decides on limits, or who asked for it himself. ConfigError otherwise,
    or where no reason is given."""
    asked, row = _open(tx, number)
    stands = standing(asked.request, asked.events)
    if not why.strip():
        raise ConfigError(Text("Say why: --why TEXT.", "请说明理由：--why 文字。"))
    policy = desk.policy.of(row.segment)
    if not _sits_on(policy, person) and person.actor != stands.requested_by:
        raise ConfigError(NO_DECISION.fill(person=person.name or person.id))
    asked = _recorded(
        tx, asked, event_after(asked, "rejected", person.actor, desk.clock.now(), why, stands.amount_minor)
    )
    told = entry("limit.reject", row, person.actor, why, asked.request, None)
    audit.at_end(tx, [told], desk.clock.now())
    return Outcome(asked, standing(asked.request, asked.events))


def _grant(
    tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, actor: str, why: str, entries: list[Entry]
) -> Outcome:
    now, today = desk.clock.now(), desk.today
    stands = standing(asked.request, asked.events)
    before = limit_of(tx, desk, row)
    asked = _recorded(tx, asked, event_after(asked, "granted", actor, now, why, stands.amount_minor))
    amount, currency = asked.request.amount, asked.request.currency
    by_hand = None
    if desk.master(row) == HERE:
        pieces = pieces_of(asked.request, stands.amount_minor, today)
        mine = limits.own(tx, [row.key]).get(row.key, [])
        if not mine:
            taken_over = adopted(customers.limits(tx, [row.key]).get(row.key, ()), today, asked.number)
            limits.grant(tx, row.key, taken_over, asked.number, {})
            mine = [(piece, None) for piece in taken_over]
            if taken_over:
                entries.append(taken_over_entry(row, actor, taken_over))
        ended = ended_by(pieces[0], mine)
        limits.grant(tx, row.key, pieces, asked.number, ended)
        asked = _recorded(tx, asked, event_after(asked, "in_force", actor, now, "", stands.amount_minor))
        after = limit_of(tx, desk, row)
        amount, currency = after.amount, after.currency or currency
        told = after.kind != "none"
    else:
        amount = None if stands.amount_minor is None else asked.request.decimal(stands.amount_minor)
        told = True
        after = Effective("unlimited" if amount is None else "amount", amount, currency)
    marks.touch(tx, [row.key])
    owed = 0
    if told:
        owed = limit_approved(
            tx, desk.systems, system=row.system, ref=row.ref, amount=amount, currency=currency, now=now
        )
    if desk.master(row) != HERE and not owed:
        by_hand = desk.master(row)
    entries.append(granted_entry(row, actor, why, before, after, asked, stands))
    audit.at_end(tx, entries, now)
    return Outcome(asked, standing(asked.request, asked.events), owed=owed, by_hand=by_hand)


def brought_back(tx: Connection, desk: Desk) -> int:
    """Granted requests whose amount the system that keeps limits says by now are in force; tells how many."""
    numbers = limits.standing_at(tx, "granted")
    waiting = limits.requests(tx, numbers=numbers) if numbers else []
    if not waiting:
        return 0
    keys = [one.customer for one in waiting]
    rows = {row.key: row for row in customers.customers(tx, keys=keys)}
    counted = limits.pieces(tx, keys, desk.config.limits.master, ledgers(desk))
    entries = []
    for one in waiting:
        if one.customer not in rows:
            continue  # deleted meanwhile: its limit does not come back
        stands, row = standing(one.request, one.events), rows[one.customer]
        unlimited, base = main_amount(counted.get(one.customer, ()), desk.today)
        there = None if base is None else base.amount
        if (unlimited and stands.amount_minor is None) or (there is not None and there == stands.amount_minor):
            actor = f"system:{desk.master(row)}"
            limits.record(tx, one.number, [event_after(one, "in_force", actor, desk.clock.now())])
            entries.append(entry("limit.in_force", row, actor, "", None, one.request, None, stands))
    audit.at_end(tx, entries, desk.clock.now())
    return len(entries)


# --- helpers --------------------------------------------------------------------------------------------------------------
def _open(tx: Connection, number: int) -> tuple[Asked, CustomerRow]:
    found = limits.requests(tx, numbers=[number])
    if not found:
        raise ConfigError(
            Text("There is no request {number}: holdfast limit list.", "没有编号为 {number} 的额度申请：holdfast limit list。")
            .fill(number=number)
        )  # fmt: skip
    limits.lock(tx, found[0].customer)
    (asked,) = limits.requests(tx, numbers=[number])
    state = standing(asked.request, asked.events).state
    if state != "open":
        raise ConfigError(
            Text("Request {number} is {state}.", "申请 {number} 已{state}。").fill(number=number, state=STATES[state])
        )
    return asked, _row(tx, asked.customer)


def _row(tx: Connection, key: int) -> CustomerRow:
    found = customers.customers(tx, keys=[key])
    if not found:
        raise ConfigError(NO_CUSTOMER)
    return found[0]


def _sits_on(policy: Policy, person: Person) -> bool:
    """Whether a person's role decides on limits at all."""
    return person.alone or any(one.role in person.roles for one in policy.approval.rows("limit"))


def _known(desk: Desk, actor: str, person: Person) -> Person | None:
    if person.alone:
        return person if actor == person.actor else None
    from connector.config_people import named

    return named(desk.config.people, actor)


def _waiting(desk: Desk, policy: Policy, asked: Asked, asks: authority.Request, before: Sequence[Person]) -> Outcome:
    stands = standing(asked.request, asked.events)
    return Outcome(asked, stands, authority.needed(policy, asks), waits_for(desk, policy, asks, before))


def waits_for(desk: Desk, policy: Policy, asks: authority.Request, before: Sequence[Person] = ()) -> tuple[Person, ...]:
    """Who of the people configured may approve a request now."""
    return tuple(authority.able(policy, [p.person for p in desk.config.people], asks, before))


def outcome(tx: Connection, desk: Desk, asked: Asked) -> Outcome:
    """Where a request stands, with whom it waits for."""
    return outcomes(tx, desk, [asked])[0]


def outcomes(tx: Connection, desk: Desk, asked: Sequence[Asked]) -> list[Outcome]:
    """The same of many requests: what is known of their customers is asked for once."""
    stand = [standing(one.request, one.events) for one in asked]
    waiting = {one.customer for one, stands in zip(asked, stand, strict=True) if stands.state == "open"}
    rows = {row.key: row for row in customers.customers(tx, keys=sorted(waiting))} if waiting else {}
    at = known(tx, desk, list(rows.values())) if rows else None
    return [
        _outcome(tx, desk, one, stands, rows, at) if stands.state == "open" else Outcome(one, stands)
        for one, stands in zip(asked, stand, strict=True)
    ]


def _outcome(
    tx: Connection, desk: Desk, asked: Asked, stands: Standing, rows: Mapping[int, CustomerRow], at: Known | None
) -> Outcome:
    row = rows[asked.customer]
    policy = desk.policy.of(row.segment)
    asks = matter(tx, desk, row, asked, stands, at)
    before = [p for a in stands.approvers if (p := _known(desk, a, Person(""))) is not None]
    return _waiting(desk, policy, asked, asks, before)


def _recorded(tx: Connection, asked: Asked, event: Event) -> Asked:
    limits.record(tx, asked.number, [event])
    return replace(asked, events=(*asked.events, event))


__all__ = [
    "HERE",
    "KINDS",
    "LIMIT_ENDS",
    "STATES",
    "Desk",
    "Outcome",
    "approve",
    "approve_by_itself",
    "brought_back",
    "freeze",
    "frozen",
    "limit_of",
    "matter",
    "outcome",
    "outcomes",
    "owners",
    "reject",
    "shown",
    "subject",
    "waits_for",
]
