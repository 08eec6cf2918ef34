"""Deciding a review: begun with a snapshot of everything that is known, concluded by the reviewer, agreed to by whom the
matrix asks (domain 13: keep, raise, cut or stop, with reason, reviewer and approver)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit import review as rules_of
from connector.credit.authority import Person, Request, may, needed, settled
from connector.credit.rates import Rates
from connector.errors import ConfigError
from connector.money import from_minor, rounded, to_minor
from connector.policy import Policy
from connector.store import (
    Connection,
    alerts,
    audit,
    contacts,
    customers,
    decisions,
    dunning,
    limits,
    marks,
    outbox,
    papers,
    reviews,
    scores,
    statements,
)
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.reviews import Conclusion, ReviewRow
from connector.text import Text, joined
from jobs.review import seen_in

# What follows from a finished review is somebody else's noun: a new limit, a stop. They are told here.
Follow = Callable[[Connection, CustomerRow, ReviewRow, Person], None]


@dataclass(frozen=True)
class Desk:
    """Where reviews are decided: what every step needs."""

    store: Store
    config: Config
    policy: Policy
    clock: Clock

    @property
    def today(self) -> dt.date:
        return day_in(self.clock.now(), self.config.business.time_zone)


def start(desk: Desk, row: CustomerRow, person: Person) -> ReviewRow:
    """Begins the open review of a debtor (plans one where none is) and keeps what the reviewer is shown.

    ConfigError where the review is begun already, or the customer was never evaluated.
    """
    now = desk.clock.now()
    with desk.store.writing() as tx:
        debtor = _debtor(row)
        latest = decisions.latest(tx, [debtor]).get(debtor)
        if latest is None:
            raise ConfigError(_UNKNOWN.fill(name=row.name))
        one = reviews.open_reviews(tx, [debtor]).get(debtor)
        if one is None:
            reviews.plan(tx, [(debtor, desk.today, "asked", seen_in(latest.body))], now)
            one = reviews.open_reviews(tx, [debtor])[debtor]
        if one.state != "planned":
            raise ConfigError(_BEGUN.fill(reviewer=one.reviewer))
        if not person.alone and not person.roles & {"credit_controller", "approver"}:
            raise ConfigError(_NOT_YOURS.fill(person=person.name or person.id))
        sha = reviews.start(tx, one.id, person.id, snapshot(tx, desk, row), now)
        _tell(tx, "review.start", row, person, now, after={"review": one.id, "snapshot_sha256": sha})
        started = reviews.by_id(tx, one.id)
    assert started is not None
    return started


def snapshot(tx: Connection, desk: Desk, row: CustomerRow) -> dict[str, Any]:
    """Everything that is known of a debtor today: decision, score, statement, warnings, dunning, contacts, papers."""
    debtor = _debtor(row)
    keys = [member.key for member in customers.customers(tx, debtors=[debtor])]
    decision, score = decisions.latest(tx, [debtor])[debtor], scores.latest(tx, [debtor]).get(debtor)
    statement = statements.latest(tx, [debtor], desk.today).get(debtor)
    held = papers.held(tx, [debtor]).get(debtor, [])
    return {
        "as_of": desk.today.isoformat(),
        "customer": {"system": row.system, "id": row.ref, "name": row.name, "terms": row.terms, "status": row.status},
        "decision": {"id": decision.id, "policy_version": decision.policy_version, **decision.body},
        "score": None if score is None else {"version": score.version, "points": score.points, **score.body},
        "statement": None
        if statement is None
        else {
            "number": statement.number,
            "sha256": statement.sha,
            "closing": {name: f"{amount:f}" for name, amount in statement.closing.items()},
        },
        "warnings": {
            name: {"level": alert.state.level, "value": alert.value, "opened_on": alert.state.opened_on}
            for name, alert in alerts.standing(tx, [debtor]).get(debtor, {}).items()
        },
        "dunning_level": dunning.levels(tx, [debtor]).get(debtor, 0),
        "contacts": len(contacts.contacts(tx, keys)),
        "papers": [{"paper": p.paper, "dated_on": p.dated_on, "valid_to": p.valid_to} for p in held],
        "reviews_before": [{"id": r.id, "done_on": r.done_on, "conclusion": r.conclusion} for r in _done(tx, debtor)],
    }


def conclude(
    desk: Desk,
    row: CustomerRow,
    person: Person,
    conclusion: Conclusion,
    reason: str,
    answers: Mapping[str, str],
    limit: Decimal | None = None,
    currency: str | None = None,
    follow: Sequence[Follow] = (),
) -> ReviewRow:
    """What the reviewer concludes. It is finished at once where the matrix lets him alone, else it waits for approval.

    ConfigError where points of the checklist are not answered, no reason is given, a new limit is missing or needless.
    """
    now = desk.clock.now()
    with desk.store.writing() as tx:
        limits.lock(tx, row.key)  # another limit may follow
        one = _open(tx, row, "started")
        if not person.alone and person.id != one.reviewer:
            raise ConfigError(_OTHERS.fill(reviewer=one.reviewer))
        missing = rules_of.unanswered(answers, desk.policy.of(row.segment).review)
        known = {point.id for point in desk.policy.of(row.segment).review.check}
        if stray := sorted(set(answers) - known):
            raise ConfigError(_STRAY.fill(stray=", ".join(stray), known=", ".join(sorted(known))))
        if missing:
            raise ConfigError(_UNANSWERED.fill(points=joined(missing)))
        if not reason.strip():
            raise ConfigError(_NO_REASON)
        if (limit is None) == (conclusion in ("raise", "cut")):
            raise ConfigError(_LIMIT_NEEDED if limit is None else _LIMIT_NEEDLESS)
        currency = currency or row.currency or desk.config.business.currency
        if limit is not None:
            _goes_its_way(tx, row, conclusion, rounded(limit, currency), currency)
        minor = None if limit is None else to_minor(rounded(limit, currency), currency)
        reviews.propose(
            tx,
            one.id,
            answers=answers,
            conclusion=conclusion,
            limit=minor,
            currency=None if limit is None else currency,
            reason=reason.strip(),
        )
        after = {
            "review": one.id,
            "conclusion": conclusion,
            "limit": limit,
            "currency": currency,
            "answers": dict(answers),
        }
        _tell(tx, "review.conclude", row, person, now, reason, after=after)
        return _agreed(tx, desk, row, one.id, person, follow)


def approve(desk: Desk, row: CustomerRow, person: Person, follow: Sequence[Follow] = ()) -> ReviewRow:
    """Agrees to what the reviewer concludes. ConfigError where nothing waits, or this person may not."""
    with desk.store.writing() as tx:
        limits.lock(tx, row.key)  # another limit may follow
        one = _open(tx, row, "proposed")
        refusal = may(desk.policy.of(row.segment), person, _request(tx, desk, row, one), _people(desk, one))
        if refusal is not None:
            raise ConfigError(refusal)
        _tell(tx, "review.approve", row, person, desk.clock.now(), after={"review": one.id})
        return _agreed(tx, desk, row, one.id, person, follow)


@dataclass(frozen=True)
class Sitting:
    """The rules by which it is told who may agree to a review, and the day."""

    config: Config
    policy: Policy
    today: dt.date


def may_approve(tx: Connection, desk: Desk | Sitting, row: CustomerRow, person: Person) -> bool:
    """Whether the review of a debtor waits for approval, and this person may give it now."""
    one = reviews.open_reviews(tx, [_debtor(row)]).get(_debtor(row))
    if one is None or one.state != "proposed":
        return False
    return may(desk.policy.of(row.segment), person, _request(tx, desk, row, one), _people(desk, one)) is None


def send_back(desk: Desk, row: CustomerRow, person: Person, why: str) -> ReviewRow:
    """Does not agree: the reviewer has it again, with the reason in the trail."""
    if not why.strip():
        raise ConfigError(_NO_REASON)
    with desk.store.writing() as tx:
        one = _open(tx, row, "proposed")
        refusal = may(desk.policy.of(row.segment), person, _request(tx, desk, row, one))
        if refusal is not None and person.id != one.reviewer:
            raise ConfigError(refusal)
        reviews.send_back(tx, one.id)
        _tell(tx, "review.send_back", row, person, desk.clock.now(), why.strip(), after={"review": one.id})
        back = reviews.by_id(tx, one.id)
    assert back is not None
    return back


def waits_for(tx: Connection, desk: Desk | Sitting, row: CustomerRow, one: ReviewRow) -> Text:
    """Whom a proposed review still waits for."""
    need = needed(desk.policy.of(row.segment), _request(tx, desk, row, one))
    return _NOBODY if need is None else need.text


def _goes_its_way(tx: Connection, row: CustomerRow, conclusion: Conclusion, limit: Decimal, currency: str) -> None:
    """ConfigError where a limit is to be raised to less than it is, or cut to more."""
    body = decisions.latest(tx, [_debtor(row)])[_debtor(row)].body
    now = body["limit"]["amount"]
    if now is None or body["currency"] != currency:
        return
    if (limit > Decimal(now)) != (conclusion == "raise") or limit == Decimal(now):
        text = _NO_RAISE if conclusion == "raise" else _NO_CUT
        raise ConfigError(text.fill(now=f"{currency} {Decimal(now):,f}"))


# --- steps -----------------------------------------------------------------------------------------------------------
def _agreed(
    tx: Connection, desk: Desk, row: CustomerRow, number: int, person: Person, follow: Sequence[Follow]
) -> ReviewRow:
    one = reviews.by_id(tx, number)
    assert one is not None
    rules, request = desk.policy.of(row.segment), _request(tx, desk, row, one)
    if may(rules, person, request, _people(desk, one)) is None:
        reviews.approve(tx, one, person.id, desk.clock.now())
        one = reviews.by_id(tx, number)
        assert one is not None
        if settled(rules, request, [*_people(desk, one), *([person] if person.alone else [])]):
            reviews.finish(tx, number, desk.today, desk.clock.now())
            one = reviews.by_id(tx, number)
            assert one is not None
            after = {"review": number, "conclusion": one.conclusion, "approvals": [a["person"] for a in one.approvals]}
            _tell(tx, "review.finish", row, person, desk.clock.now(), one.reason or "", after=after)
            for step in follow:
                step(tx, row, one, person)
            # A finished review changes what is held, and when the next one is due; the reviewer's task is done.
            members = customers.customers(tx, debtors=[_debtor(row)])
            marks.touch(tx, [member.key for member in members])
            tasks = [f"review:{member.system}:{member.ref}:{number}" for member in members]
            outbox.withdraw_keys(tx, tasks, desk.clock.now())
    return one


def _request(tx: Connection, desk: Desk | Sitting, row: CustomerRow, one: ReviewRow) -> Request:
    """The review as a matter of authority: by the limit that is to be, else by the one that is."""
    debtor, home = _debtor(row), desk.config.business.currency
    body = decisions.latest(tx, [debtor])[debtor].body
    amount: Decimal | None
    if one.limit is not None and one.limit_currency is not None:
        amount, currency = from_minor(one.limit, one.limit_currency), one.limit_currency
    else:
        known = body["limit"]["amount"]
        amount, currency = (None if known is None else Decimal(known)), body["currency"]
        if body["limit"]["kind"] == "none" or one.conclusion == "stop":
            amount = Decimal(0)
    if amount is not None and currency != home:
        systems = [s.name for s in desk.config.with_role("erp", "rates")]
        rates = Rates(customers.rates(tx, systems=systems), home, desk.policy.currency.max_rate_age_days)
        amount = rates.convert(amount, currency, home, desk.today)
    return Request(
        "review",
        amount,
        band=body.get("grade"),
        level=body.get("warning_level") or "green",
        owners=tuple((m.system, m.owner) for m in customers.customers(tx, debtors=[debtor]) if m.owner is not None),
    )


def _people(desk: Desk | Sitting, one: ReviewRow) -> list[Person]:
    known = {p.id: p.person for p in desk.config.people}
    return [known.get(a["person"], Person(a["person"])) for a in one.approvals]


def _open(tx: Connection, row: CustomerRow, state: str) -> ReviewRow:
    one = reviews.open_reviews(tx, [_debtor(row)]).get(_debtor(row))
    if one is None or one.state != state:
        raise ConfigError((_NOT_STARTED if state == "started" else _NOTHING_WAITS).fill(name=row.name, no=row.ref))
    return one


def _done(tx: Connection, debtor: int) -> list[ReviewRow]:
    return [one for one in reviews.history(tx, debtor) if one.state == "done"]


def _debtor(row: CustomerRow) -> int:
    if row.debtor is None:
        raise ConfigError(_UNKNOWN.fill(name=row.name))
    return row.debtor


def _tell(
    tx: Connection,
    action: str,
    row: CustomerRow,
    person: Person,
    now: dt.datetime,
    why: str = "",
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.at_end(tx, [audit.Entry(action, f"customer:{row.system}/{row.ref}", person.actor, why, after=after)], now)


_UNKNOWN = Text("{name} has never been evaluated: holdfast run", "{name} 尚未评估：请先执行 holdfast run")
_BEGUN = Text("This review was begun by {reviewer} already.", "该复评已由 {reviewer} 开始。")
_NOT_YOURS = Text(
    "{person} is neither a credit controller nor an approver: others review.",
    "{person} 不是信用专员或审批人，不能进行复评。",
)
_OTHERS = Text("{reviewer} began this review and concludes it.", "该复评由 {reviewer} 开始，应由其作出结论。")
_STRAY = Text("The checklist has no point {stray}. It has: {known}.", "检查清单中没有 {stray}。可用：{known}。")
_UNANSWERED = Text(
    "Not answered yet: {points}. Answer with --check ID=WORDS.", "尚未回答：{points}。请用 --check 编号=内容 填写。"
)
_NO_REASON = Text("Say why: --because WORDS.", "请说明理由：--because 内容。")
_LIMIT_NEEDED = Text("To raise or cut takes the new limit: --limit AMOUNT.", "调增或调减须给出新额度：--limit 金额。")
_LIMIT_NEEDLESS = Text("Only raise and cut take a new limit.", "只有 raise 与 cut 需要新额度。")
_NO_RAISE = Text("The limit is {now} now: to raise it takes more.", "现有额度为 {now}，调增后的额度须高于此数。")
_NO_CUT = Text("The limit is {now} now: to cut it takes less.", "现有额度为 {now}，调减后的额度须低于此数。")
_NOT_STARTED = Text(
    "No review of {name} is begun: holdfast review start {no}", "{name} 没有进行中的复评：holdfast review start {no}"
)
_NOTHING_WAITS = Text("No review of {name} waits for approval.", "{name} 没有待审批的复评。")
_NOBODY = Text("nobody: no row of the approval matrix covers it", "无人有权审批：审批矩阵中没有适用的行")

__all__ = [
    "Desk",
    "Follow",
    "Sitting",
    "approve",
    "conclude",
    "may_approve",
    "send_back",
    "snapshot",
    "start",
    "waits_for",
]
