"""Granting limits: somebody asks, somebody with authority approves or rejects, and the limit counts where limits are kept.

Where limits are kept here, an approved request becomes pieces of our own, from its first day on; every system that keeps
limits for its own checks is told. Where a system keeps them, the amount is owed to it, and the request is in force when a
pull brings it back. Each step is one transaction with its entries in the audit trail.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit import authority
from connector.credit.authority import Need, Person
from connector.credit.granting import (
    MAIN,
    Event,
    Request,
    Standing,
    What,
    adopted,
    ended_by,
    main_amount,
    pieces_of,
    standing,
)
from connector.credit.limit import Effective, effective
from connector.credit.propose import rise_percent
from connector.credit.propose_words import LEVEL, LEVEL_NAMES
from connector.credit.rates import Rates
from connector.credit.stage import Behaviour, in_season, parse_condition
from connector.credit.warn import combined
from connector.errors import ConfigError
from connector.model import Limit
from connector.money import from_minor, rounded
from connector.policy import Level, Policy
from connector.store import Connection, alerts, audit, customers, decisions, dunning, limits, marks
from connector.store.audit import Entry
from connector.store.customers import CustomerRow
from connector.store.limits import Asked
from connector.text import Text
from jobs.judge import released_in
from jobs.limits import limit_approved

HERE = "here"
# The warning that a limit runs out must not keep it from being renewed.
LIMIT_ENDS = "limit_expiry"
ZERO = Decimal(0)


@dataclass
class Desk:
    """Where limits are decided on: the rules, the day, and the systems that are told."""

    config: Config
    policy: Policy
    clock: Clock
    systems: Sequence[Connected] = ()

    @property
    def today(self) -> dt.date:
        """The calendar day in the business's zone."""
        return day_in(self.clock.now(), self.config.business.time_zone)

    def master(self, row: CustomerRow) -> str:
        """Where this customer's limit is kept: "here", or a system's name."""
        return self.config.limits.master or row.system


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
            return _BY_HAND.fill(system=self.by_hand, **words)
        if self.stands.state == "open":
            whom = self.need.text if self.need else _NOBODY
            who = ", ".join(p.name or p.id for p in self.others) or "-"
            text = _WAITS_SECOND if self.stands.approvers else _WAITS
            return text.fill(whom=whom, who=who, **words)
        return _BECAME[self.stands.state].fill(**words)


# --- asking ---------------------------------------------------------------------------------------------------------------
def ask(
    tx: Connection,
    desk: Desk,
    row: CustomerRow,
    request: Request,
    *,
    why: str = "",
    body: Mapping[str, Any] | None = None,
) -> Asked:
    """A request for one customer's limit; an open one for the same slot gives way to it. Raises ConfigError where the
    request can be none: a day in the past, an amount below nought, a kind that the system keeping limits does not know."""
    limits.lock(tx, row.key)
    (made,) = ask_all(tx, desk, [(row, request, why, body or {})])
    return made


def ask_all(
    tx: Connection, desk: Desk, wanted: Sequence[tuple[CustomerRow, Request, str, Mapping[str, Any]]]
) -> list[Asked]:
    """Requests of many customers at once; one that stands open with the very same content is asked for once. Gives those
    that are new."""
    now, today = desk.clock.now(), desk.today
    rows = {row.key: row for row, *_ in wanted}
    before = limits.requests(tx, keys=list(rows))
    open_ones: dict[tuple[int, tuple[str, str | None]], Asked] = {}
    last: dict[tuple[int, tuple[str, str | None]], Asked] = {}
    for one in before:
        last[one.customer, one.request.slot] = one
        if standing(one.request, one.events).state == "open":
            open_ones[one.customer, one.request.slot] = one
    counted = limits.pieces(tx, list(rows), desk.config.limits.master, _ledgers(desk))
    new: list[Asked] = []
    entries: list[Entry] = []
    for row, request, why, body in wanted:
        _possible(desk, row, request)
        kept = {**body, "parts": [[amount, condition] for amount, condition in request.parts]}
        digest = _digest(request, body)
        same = last.get((row.key, request.slot))
        older = open_ones.get((row.key, request.slot))
        if not request.requested_by.startswith("person:"):
            # What stands or was refused is not proposed again until something is another; what a person has asked for is
            # not overruled by a job.
            if older is not None and older.request.requested_by.startswith("person:"):
                continue
            if same is not None and same.digest == digest and _state(same) in ("open", "rejected"):
                continue
        if older is not None:
            limits.record(tx, older.number, [_event(older, "superseded", request.requested_by, now)])
            entries.append(_entry("limit.supersede", row, request.requested_by, "", older.request, None))
        held = _before(tx, desk, row, counted.get(row.key, ()), request, today)
        new.append(Asked(request, row.key, now, today, why, held, digest, kept))
        entries.append(_entry("limit.propose", row, request.requested_by, why, None, request, held))
    numbers = limits.ask(tx, new)
    made = {one.number: one for one in limits.requests(tx, numbers=numbers)}
    audit.append(tx, entries, now)
    return [made[number] for number in numbers]


def _possible(desk: Desk, row: CustomerRow, request: Request) -> None:
    if request.amount_minor is not None and request.amount_minor < 0:
        raise ConfigError(Text("A limit is not below nought.", "信用额度不能为负数。"))
    if (request.amount_minor is None) != (request.kind == "unlimited"):
        raise ConfigError(Text("Only an unlimited limit has no amount.", "只有不限额（unlimited）可以不填金额。"))
    if request.valid_from < desk.today:
        raise ConfigError(
            Text(
                "A limit cannot begin in the past ({day}): what was shown then would be another.",
                "额度不能从过去的日期（{day}）开始：否则当时的结论会被改变。",
            ).fill(day=request.valid_from)
        )
    if request.valid_to is not None and request.valid_to < request.valid_from:
        raise ConfigError(Text("A limit ends after it has begun.", "额度的结束日不能早于开始日。"))
    try:
        if request.kind == "seasonal":
            in_season(request.condition, desk.today)
        for _, condition in request.parts:
            parse_condition(condition)
    except ValueError as wrong:
        raise ConfigError(
            Text("The condition “{words}” cannot be read.", "无法识别条件“{words}”。").fill(words=wrong)
        ) from None
    if desk.master(row) != HERE and (request.kind not in ("base", "unlimited") or request.parts):
        raise ConfigError(
            Text(
                "{system} keeps one amount a customer: what ends by itself or comes in stages is only possible with "
                'master = "here" under [limits] in config.toml.',
                '{system} 中每个客户只有一个额度：临时、季节或分期额度须在 config.toml 的 [limits] 中设置 master = "here"。',
            ).fill(system=desk.master(row))
        )


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
            raise ConfigError(_NO_DECISION.fill(person=person.name or person.id))
        asked = _recorded(tx, asked, _event(asked, "changed", person.actor, now, why, new))
        entries.append(_changed_entry(row, person.actor, why, asked, stands.amount_minor, new))
        stands = standing(asked.request, asked.events)
    asks = matter(tx, desk, row, asked, stands)
    before = [p for a in stands.approvers if (p := _known(desk, a, person)) is not None]
    refusal = authority.may(policy, person, asks, before)
    if refusal is not None:
        if not entries or person.actor != stands.requested_by:
            raise ConfigError(refusal)
        # Raised by himself: it is asked for now, and somebody else has to approve it.
        audit.append(tx, entries, now)
        return _waiting(desk, policy, asked, asks, before)
    if _rises(tx, desk, row, asked, stands) and (why_not := frozen(tx, policy, row)) is not None:
        raise ConfigError(_FROZEN.fill(why=why_not))
    asked = _recorded(tx, asked, _event(asked, "approved", person.actor, now, why, stands.amount_minor))
    if not authority.settled(policy, asks, [*before, person]):
        entries.append(_entry("limit.approve_first", row, person.actor, why, None, asked.request, None, stands))
        audit.append(tx, entries, now)
        return _waiting(desk, policy, asked, asks, [*before, person])
    return _grant(tx, desk, row, asked, person.actor, why, entries)


def approve_by_itself(tx: Connection, desk: Desk, asked: Asked, actor: str) -> Outcome:
    """A request that the policy lets pass without a person; whether it does is decided where it was proposed."""
    row = _row(tx, asked.customer)
    now = desk.clock.now()
    asked = _recorded(tx, asked, _event(asked, "approved", actor, now, "", asked.request.amount_minor))
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
        raise ConfigError(_NO_DECISION.fill(person=person.name or person.id))
    asked = _recorded(tx, asked, _event(asked, "rejected", person.actor, desk.clock.now(), why, stands.amount_minor))
    entry = _entry("limit.reject", row, person.actor, why, asked.request, None)
    audit.append(tx, [entry], desk.clock.now())
    return Outcome(asked, standing(asked.request, asked.events))


def matter(tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, stands: Standing) -> authority.Request:
    """A request as a matter of authority: the limit that would count, in the reporting currency, and its rise.

    A cut is a matter of its amount alone: neither warning level nor grade must delay it.
    """
    body = _concluded(tx, row)
    counted = limits.pieces(tx, [row.key], desk.config.limits.master, _ledgers(desk)).get(row.key, [])
    before = _before(tx, desk, row, counted, asked.request, desk.today)
    amount = _resulting(asked.request, stands.amount_minor, before)
    home = desk.config.business.currency
    cut = amount is not None and before is not None and amount < before
    in_home = None if amount is None else _rates(tx, desk).convert(amount, asked.request.currency, home, desk.today)
    return authority.Request(
        "limit",
        None if in_home is None else rounded(in_home, home),
        None if amount is None else rise_percent(amount, before),
        desk.policy.of(row.segment).score.bands[0][0] if cut else body.get("grade"),
        "green" if cut else level_now(tx, desk.policy.of(row.segment), row),
        stands.requested_by,
        owners(tx, row),
    )


def owners(tx: Connection, row: CustomerRow) -> tuple[tuple[str, str], ...]:
    """Who sells to a customer, as (system, user id), over all records of its debtor."""
    if row.debtor is None:
        return ((row.system, row.owner),) if row.owner else ()
    return tuple((r.system, r.owner) for r in customers.customers(tx, debtors=[row.debtor]) if r.owner)


def frozen(tx: Connection, policy: Policy, row: CustomerRow) -> Text | None:
    """Why nothing may rise for a customer now: its warning level, or how far it is dunned. None: it may."""
    if row.debtor is None:
        return None
    return freeze(policy, level_now(tx, policy, row), dunning.levels(tx, [row.debtor]).get(row.debtor, 0))


def level_now(tx: Connection, policy: Policy, row: CustomerRow) -> Level:
    """A customer's warning level after the last run, as far as limits ask."""
    if row.debtor is None:
        return "green"
    open_ones = alerts.standing(tx, [row.debtor]).get(row.debtor, {})
    if LIMIT_ENDS not in open_ones:
        level: Level = _concluded(tx, row).get("warning_level") or "green"
        return level
    return combined([one.state.level for name, one in open_ones.items() if name != LIMIT_ENDS], policy.warning)


def freeze(policy: Policy, level: Level, dunned: int) -> Text | None:
    """Why a warning level and a level of dunning let nothing rise; None: they do."""
    from connector.credit.dun import dunning_effects

    if "freeze_increases" in policy.warning.actions.of(level):
        return LEVEL.fill(level=LEVEL_NAMES[level])
    if policy.dunning.on and dunning_effects([dunned], policy.dunning).freeze:
        return _DUNNED.fill(level=dunned)
    return None


# --- what counts ----------------------------------------------------------------------------------------------------------
def limit_of(tx: Connection, desk: Desk, row: CustomerRow, on: dt.date | None = None) -> Effective:
    """A customer's limit on a day (None: today), as everything that was granted and said makes it."""
    on = on or desk.today
    counted = limits.pieces(tx, [row.key], desk.config.limits.master, _ledgers(desk), on).get(row.key, [])
    return _effective(tx, desk, row, counted, on)


def _effective(tx: Connection, desk: Desk, row: CustomerRow, counted: Sequence[Limit], on: dt.date) -> Effective:
    body = _concluded(tx, row) if any(piece.kind == "stage" for piece in counted) else {}
    # Of a past or coming day nobody knows how it pays: only what is decided today rests on it.
    late = body.get("oldest_overdue_days") if on == desk.today else None
    behaviour = Behaviour(late_days=late, released=frozenset(released_in(body))) if body else None
    convert = _rates(tx, desk).convert
    return effective(counted, on, behaviour, convert, currency=row.currency or desk.config.business.currency)


def _before(
    tx: Connection, desk: Desk, row: CustomerRow, counted: Sequence[Limit], request: Request, on: dt.date
) -> Decimal | None:
    """The limit before a request, in its currency: for a main limit the main one, else the whole; None: none, unlimited,
    or no rate."""
    counted = [piece for piece in counted if piece.segment == request.segment]
    if request.kind in MAIN:
        unlimited, base = main_amount(counted, on)
        if unlimited or base is None or base.amount is None:
            return None
        currency = base.currency or row.currency or desk.config.business.currency
        amount: Decimal | None = from_minor(base.amount, currency)
    else:
        whole = _effective(tx, desk, row, counted, on)
        amount, currency = whole.amount, whole.currency or request.currency
    if amount is None or currency == request.currency:
        return amount
    converted = _rates(tx, desk).convert(amount, currency, request.currency, on)
    return None if converted is None else rounded(converted, request.currency)


def _resulting(request: Request, amount_minor: int | None, before: Decimal | None) -> Decimal | None:
    """The limit that a request would make, in its currency; None: unlimited."""
    if amount_minor is None:
        return None
    amount = request.decimal(amount_minor)
    if request.kind == "guarantee":
        amount *= Decimal(1) if request.percent is None else request.percent
    return amount + (before or ZERO) if request.kind in ("additive", "guarantee") else amount


def _rises(tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, stands: Standing) -> bool:
    counted = limits.pieces(tx, [row.key], desk.config.limits.master, _ledgers(desk)).get(row.key, [])
    if main_amount(counted, desk.today)[0] and asked.request.kind in MAIN:
        return False  # from unlimited to anything
    before = _before(tx, desk, row, counted, asked.request, desk.today)
    after = _resulting(asked.request, stands.amount_minor, before)
    return after is None or after > (before or ZERO)


def _grant(
    tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, actor: str, why: str, entries: list[Entry]
) -> Outcome:
    now, today = desk.clock.now(), desk.today
    stands = standing(asked.request, asked.events)
    before = limit_of(tx, desk, row)
    asked = _recorded(tx, asked, _event(asked, "granted", actor, now, why, stands.amount_minor))
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
                entries.append(_taken_over(row, actor, taken_over))
        ended = ended_by(pieces[0], mine)
        limits.grant(tx, row.key, pieces, asked.number, ended)
        asked = _recorded(tx, asked, _event(asked, "in_force", actor, now, "", stands.amount_minor))
        after = limit_of(tx, desk, row)
        amount, currency = after.amount, after.currency or currency
        told = after.kind != "none"
    else:
        amount = None if stands.amount_minor is None else asked.request.decimal(stands.amount_minor)
        told = True
        after = Effective("unlimited" if amount is None else "amount", amount, currency)
    owed = 0
    if told:
        owed = limit_approved(
            tx, desk.systems, system=row.system, ref=row.ref, amount=amount, currency=currency, now=now
        )
    if desk.master(row) != HERE and not owed:
        by_hand = desk.master(row)
    marks.touch(tx, [row.key])
    entries.append(_granted_entry(row, actor, why, before, after, asked, stands))
    audit.append(tx, entries, now)
    return Outcome(asked, standing(asked.request, asked.events), owed=owed, by_hand=by_hand)


def brought_back(tx: Connection, desk: Desk) -> int:
    """Granted requests whose amount the system that keeps limits says by now are in force; tells how many."""
    waiting = [one for one in limits.requests(tx, newest=True) if standing(one.request, one.events).state == "granted"]
    if not waiting:
        return 0
    keys = [one.customer for one in waiting]
    rows = {row.key: row for row in customers.customers(tx, keys=keys)}
    counted = limits.pieces(tx, keys, desk.config.limits.master, _ledgers(desk))
    entries = []
    for one in waiting:
        stands, row = standing(one.request, one.events), rows[one.customer]
        unlimited, base = main_amount(counted.get(one.customer, ()), desk.today)
        there = None if base is None else base.amount
        if (unlimited and stands.amount_minor is None) or (there is not None and there == stands.amount_minor):
            actor = f"system:{desk.master(row)}"
            limits.record(tx, one.number, [_event(one, "in_force", actor, desk.clock.now())])
            entries.append(_entry("limit.in_force", row, actor, "", None, one.request, None, stands))
    audit.append(tx, entries, desk.clock.now())
    return len(entries)


def _state(asked: Asked) -> str:
    return standing(asked.request, asked.events).state


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
    (row,) = customers.customers(tx, keys=[key])
    return row


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
    stands = standing(asked.request, asked.events)
    if stands.state != "open":
        return Outcome(asked, stands)
    row = _row(tx, asked.customer)
    policy = desk.policy.of(row.segment)
    asks = matter(tx, desk, row, asked, stands)
    before = [p for a in stands.approvers if (p := _known(desk, a, Person(""))) is not None]
    return _waiting(desk, policy, asked, asks, before)


def _concluded(tx: Connection, row: CustomerRow) -> Mapping[str, Any]:
    if row.debtor is None:
        return {}
    found = decisions.latest(tx, [row.debtor]).get(row.debtor)
    return found.body if found is not None else {}


def _rates(tx: Connection, desk: Desk) -> Rates:
    systems = [s.name for s in desk.config.with_role("erp", "rates")]
    known = customers.rates(tx, systems=systems) if systems else []
    return Rates(known, desk.config.business.currency, desk.policy.currency.max_rate_age_days)


def _ledgers(desk: Desk) -> list[str]:
    return [s.name for s in desk.config.with_role("erp")]


def _event(asked: Asked, what: What, actor: str, at: dt.datetime, why: str = "", amount: int | None = None) -> Event:
    last = asked.events[-1].number if asked.events else 1
    return Event(last + 1, at, what, actor, why, amount)


def _recorded(tx: Connection, asked: Asked, event: Event) -> Asked:
    limits.record(tx, asked.number, [event])
    return replace(asked, events=(*asked.events, event))


def _digest(request: Request, body: Mapping[str, Any]) -> str:
    """What makes a proposal another one: what is asked for and what it rests on, not the day."""
    said = (
        request.slot, request.kind, request.amount_minor, request.currency, request.percent, request.condition,
        [amount for amount, _ in request.parts], body.get("binding"), body.get("grade"), body.get("current"),
    )  # fmt: skip
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


def _entry(
    action: str,
    row: CustomerRow,
    actor: str,
    why: str,
    before: Request | None,
    after: Request | None,
    held: Decimal | None = None,
    stands: Standing | None = None,
) -> Entry:
    was = None if before is None else _kept(before, before.amount_minor)
    if held is not None and after is not None:
        was = {"amount": held, "currency": after.currency}
    will = None if after is None else _kept(after, after.amount_minor if stands is None else stands.amount_minor)
    return Entry(action, subject(row), actor, why, was, will)


def _changed_entry(row: CustomerRow, actor: str, why: str, asked: Asked, old: int | None, new: int) -> Entry:
    request = asked.request
    return Entry("limit.change", subject(row), actor, why, _kept(request, old), _kept(request, new))


def _granted_entry(
    row: CustomerRow, actor: str, why: str, before: Effective, after: Effective, asked: Asked, stands: Standing
) -> Entry:
    kept = _kept(asked.request, stands.amount_minor) | {"effective": _said(after), "approvers": list(stands.approvers)}
    return Entry("limit.approve", subject(row), actor, why, {"effective": _said(before)}, kept)


def _taken_over(row: CustomerRow, actor: str, pieces: Sequence[Limit]) -> Entry:
    """From here on the limit is kept here: what the ledger said goes on as our own."""
    said = [[p.ref, p.kind, p.amount, p.currency, p.valid_from, p.valid_to] for p in pieces]
    return Entry("limit.adopt", subject(row), actor, "", None, {"pieces": said})


def _said(limit: Effective) -> dict[str, Any]:
    return {"kind": limit.kind, "amount": limit.amount, "currency": limit.currency}


def _kept(request: Request, amount: int | None) -> dict[str, Any]:
    return {
        "request": request.number,
        "kind": request.kind,
        "amount": None if amount is None else request.decimal(amount),
        "currency": request.currency,
        "valid_from": request.valid_from,
        "valid_to": request.valid_to,
    }


def subject(row: CustomerRow) -> str:
    """A customer as the audit trail names it."""
    return f"customer:{row.system}/{row.ref}"


def shown(request: Request, amount_minor: int | None) -> Text:
    """What is asked for, as a sentence names it."""
    if amount_minor is None:
        return Text("unlimited credit", "不限额")
    from connector.credit.reason import money

    return KINDS[request.kind].fill(amount=money(request.decimal(amount_minor), request.currency))


KINDS = {
    "base": Text("a limit of {amount}", "额度 {amount}"),
    "stage": Text("a limit in stages of {amount}", "分期额度 {amount}"),
    "override": Text("a temporary limit of {amount}", "临时额度 {amount}"),
    "additive": Text("an uplift of {amount}", "临时增额 {amount}"),
    "seasonal": Text("a seasonal limit of {amount}", "季节性额度 {amount}"),
    "guarantee": Text("a guarantee of {amount}", "担保 {amount}"),
    "unlimited": Text("unlimited credit", "不限额"),
}
STATES = {
    "open": Text("open", "待批"),
    "granted": Text("approved", "批准"),
    "in_force": Text("in force", "生效"),
    "rejected": Text("rejected", "否决"),
    "superseded": Text("superseded by a newer one", "由新申请取代"),
}
_NOBODY = Text("somebody whom the approval matrix does not name", "审批权限表未指定的人员")
_WAITS = Text(
    "Request {number}, {amount}, waits for {whom} ({who}).", "申请 {number}（{amount}）待{whom}批准（{who}）。"
)
_WAITS_SECOND = Text(
    "Request {number}, {amount}, has one approval and waits for a second person ({who}).",
    "申请 {number}（{amount}）已有一人批准，待第二人批准（{who}）。",
)
_BY_HAND = Text(
    "Request {number} is approved: {amount}. Nothing can be written to {system}: enter it there; it counts when it is read "
    "back.",
    "申请 {number} 已批准：{amount}。无法写入 {system}，请在该系统中录入；读回后生效。",
)
_BECAME = {
    "granted": Text(
        "Request {number} is approved: {amount}. It counts when it is read back.",
        "申请 {number} 已批准：{amount}，写入后读回即生效。",
    ),
    "in_force": Text("Request {number} is approved and in force: {amount}.", "申请 {number} 已批准并生效：{amount}。"),
    "rejected": Text("Request {number} is rejected: {amount}.", "申请 {number} 已否决：{amount}。"),
    "superseded": Text("Request {number} was superseded: {amount}.", "申请 {number} 已被新申请取代：{amount}。"),
}
_FROZEN = Text("Nothing rises now: {why}.", "目前不得提高额度：{why}。")
_DUNNED = Text("dunning has reached level {level}", "催收已达 {level} 级")
_NO_DECISION = Text("{person} has no role that decides on limits.", "{person} 没有审批额度的角色。")

__all__ = [
    "HERE",
    "KINDS",
    "LIMIT_ENDS",
    "STATES",
    "Desk",
    "Outcome",
    "approve",
    "approve_by_itself",
    "ask",
    "ask_all",
    "brought_back",
    "freeze",
    "frozen",
    "limit_of",
    "matter",
    "outcome",
    "owners",
    "reject",
    "shown",
    "subject",
    "waits_for",
]
