"""Proposing limits: what is known of many debtors is gathered set by set, the formula applied, requests made of it.

Each night a limit is proposed where the present one runs out, where the grade is another than at the last request, and
where something is owed or on order and there is no limit; on demand for anybody. What the policy lets pass without a
person is approved at once, everything else waits for one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from connector.clock import Clock
from connector.config import Config
from connector.connect import Connected
from connector.credit import listings
from connector.credit.granting import MAIN, Request, main_amount
from connector.credit.group import headroom
from connector.credit.propose import Case, Proposed, by_itself, propose
from connector.credit.propose_words import WHY_A_PERSON
from connector.credit.statements import Statement, months_back
from connector.credit.terms import months_later, usual_days
from connector.credit.warn import level_of
from connector.errors import Problem
from connector.model import Event
from connector.money import from_minor, parse, rounded, to_minor
from connector.policy import Policy
from connector.store import Connection, decisions, dunning, history, limits, runs
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import Text
from jobs.frame import Frame, frame
from jobs.grant import HERE, LIMIT_ENDS, Desk, approve_by_itself, brought_back, freeze
from jobs.grant_ask import ask_all
from jobs.judge import Judged, judge, portions
from jobs.progress import Progress, silent
from jobs.run import Run, running
from jobs.score import Scorer, scorer
from jobs.warned import all_owed

JOB = "job:limit"
ZERO = Decimal(0)
# What an insurer says it covers: the event's value is the amount, alone or after its currency.
INSURED, WITHDRAWN = "insurer_limit", "insurer_withdrawn"
_MONTHS = 12
_TOGETHER = 2000

Whom = Literal["due", "all"]


@dataclass(frozen=True)
class Proposal:
    """What the formula came to for one debtor: the customer whose limit it is, what it rests on, and why a person has to
    approve it (None: nobody has to)."""

    row: CustomerRow
    case: Case
    proposed: Proposed
    person_needed: Text | None


def night(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    *,
    systems: Sequence[Connected] = (),
    progress: Progress = silent,
) -> Run:
    """Proposes what is due, approves what passes by itself, and notices what came back from where limits are kept."""
    return run_proposals(store, config, policy, clock, "due", systems=systems, progress=progress)


def run_proposals(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    whom: Whom | Collection[int],
    *,
    systems: Sequence[Connected] = (),
    actor: str = JOB,
    why: str = "",
    progress: Progress = silent,
) -> Run:
    """Proposals for those who are due, all, or some debtors (by key). Never raises our own errors."""
    with running(store, clock, "limit") as run:
        desk = Desk(config, policy, clock, systems)
        with store.writing() as tx:
            run.counts["in_force"] += brought_back(tx, desk)
        with store.reading() as tx:
            base = frame(tx, config, policy, clock, desk.today, debtors=() if whom != "all" else None)
            base.receivables = all_owed(tx, base, None, anew=True)
            upto = decisions.newest(tx)
            if whom == "due":
                chosen: Collection[int] = due(tx, base, policy, _since(tx)) if policy.limit.nightly else []
            else:
                chosen = sorted(base.members) if whom == "all" else whom
            base.load(tx, base.family(chosen))
        done = 0
        for part in portions(base, sorted(set(chosen))):
            mine = [debtor for debtor in part if debtor in set(chosen)]
            with store.writing() as tx:
                found, problems = proposals(tx, base, mine)
                for problem in problems:
                    run.problem(problem)
                made = {
                    asked.customer: asked
                    for asked in ask_all(
                        tx, desk, [(p.row, request_of(p, desk, actor), why, body_of(p)) for p in found]
                    )
                }
                run.counts["proposals"] += len(made)
                for one in found:
                    asked = made.get(one.row.key)
                    if asked is not None and one.person_needed is None:
                        approve_by_itself(tx, desk, asked, actor)
                        run.counts["approved"] += 1
            done += len(part)
            progress("limit", done, len(chosen))
        if whom == "due":
            # Only now: a night that fails half-way has not looked at all of them.
            run.counts["decisions_upto"] = upto
    return run


def _since(tx: Connection) -> int:
    """Up to which decision the last night has looked."""
    last = next((r for r in runs.runs(tx, job="limit") if "decisions_upto" in r.counts), None)
    return last.counts["decisions_upto"] if last else 0


def due(tx: Connection, base: Frame, policy: Policy, since: int) -> list[int]:
    """The debtors for whom a limit is to be proposed tonight.

    Their main limit ends soon or has just ended; or they were decided on since decision number `since`, and their grade is
    another than at their last request, or they owe or have ordered something and have no limit.
    """
    soon = dt.timedelta(days=policy.limit.renew_days)
    found = _ending(tx, base, limits.ending(tx, base.as_of - soon, base.as_of + soon), base.as_of + soon)
    fresh = sorted(decisions.since(tx, since))
    for at in range(0, len(fresh), _TOGETHER):
        found |= _turned(tx, base, fresh[at : at + _TOGETHER])
    return sorted(found)


def _turned(tx: Connection, base: Frame, debtors: Sequence[int]) -> set[int]:
    """Those of some debtors with another grade than at their last request, or without a limit and not idle."""
    base.load(tx, debtors)
    keys = [key for debtor in debtors for key in base.members.get(debtor, ())]
    asked = {one.customer: one for one in limits.requests(tx, keys=keys, newest=True) if one.request.kind in MAIN}
    found = set()
    for debtor, row in decisions.latest(tx, debtors).items():
        body = row.body
        last = next((asked[key] for key in base.members.get(debtor, ()) if key in asked), None)
        if last is not None:
            known = last.body.get("grade")
            if body.get("grade") is not None and known is not None and known != body["grade"]:
                found.add(debtor)
        elif body["limit"]["kind"] == "none" and (Decimal(body["exposure"]["total"]) > 0 or body.get("orders")):
            found.add(debtor)
    return found


def _ending(tx: Connection, base: Frame, debtors: Collection[int], day: dt.date) -> set[int]:
    """Those of some debtors who will have no main limit any more on a day, of all the pieces that count for them."""
    base.load(tx, debtors)
    firsts = {base.members[debtor][0]: debtor for debtor in debtors if debtor in base.members}
    counted = limits.pieces(tx, list(firsts), base.config.limits.master, base.systems)
    return {debtor for key, debtor in firsts.items() if main_amount(counted.get(key, ()), day) == (False, None)}


def proposals(
    tx: Connection, base: Frame, debtors: Collection[int], asked: Decimal | None = None
) -> tuple[list[Proposal], list[Problem]]:
    """The formula for some debtors, and what keeps it from being applied. `asked`: what somebody asked for."""
    if not debtors:
        return [], []
    wanted = set(debtors)
    base.load(tx, base.family(wanted))
    judged = [one for one in judge(tx, base, sorted(wanted), scores=True) if one.debtor in wanted]
    # A group's limit is for everybody below it, too: for what they buy, and how they pay.
    keys = sorted({key for one in judged for debtor in base.below(one.debtor) for key in base.members.get(debtor, ())})
    known = _Known(
        base,
        scorer(
            tx, base.cards, base.rates, base.as_of, base.systems, sorted(wanted), keys,
            events_of=(*listings.KINDS, INSURED, WITHDRAWN),
        ),
        _sales(tx, base, keys),
        dunning.levels(tx, sorted(wanted)),
    )  # fmt: skip
    found: list[Proposal] = []
    problems: list[Problem] = []
    for one in judged:
        policy, row = base.policy.of(one.members[0].segment), one.members[0]
        case = known.case(one, asked)
        if isinstance(case, Problem):
            problems.append(case)
            continue
        made = propose(case, policy)
        # On figures that nobody can rely on nothing passes by itself.
        unsure = one.position.unclear or any(m.system in base.stale for m in one.members)
        found.append(Proposal(row, case, made, WHY_A_PERSON["unsure"] if unsure else by_itself(made, case, policy)))
    return found, problems


def _sales(tx: Connection, base: Frame, keys: Collection[int]) -> dict[int, list[tuple[str, Decimal]]]:
    """Credit sales of the twelve whole months before this one, by customer and currency."""
    first = months_later(base.as_of.replace(day=1), -_MONTHS)
    until = base.as_of.replace(day=1) - dt.timedelta(days=1)
    found: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    for month in history.sales_by_month(tx, keys, since=first, until=until):
        found[month.customer].append((month.currency, month.amount))
    return found


def _days_of_sales(as_of: dt.date, first: dt.date | None) -> int | None:
    """Of how many days `_sales` are, where the first sale lies in those months; None: of all of them."""
    begin, end = months_later(as_of.replace(day=1), -_MONTHS), as_of.replace(day=1)
    return (end - first).days if first is not None and begin < first < end else None


@dataclass
class _Known:
    """What was gathered of some debtors beside what they were judged by."""

    base: Frame
    at: Scorer
    sales: Mapping[int, Sequence[tuple[str, Decimal]]]
    dunned: Mapping[int, int]
    without_rate: list[str] = field(default_factory=list)

    def case(self, one: Judged, asked: Decimal | None) -> Case | Problem:
        """One debtor's case, in the currency in which it is judged; a problem where a rate is missing, or where nobody can
        read what the insurer covers: nothing of that is guessed."""
        base, row, position = self.base, one.members[0], one.position
        currency, home = position.currency, base.config.business.currency
        if position.unit is None:
            return _no_rate(row, home, currency)
        self.without_rate.clear()
        policy = base.policy.of(row.segment)
        everybody = [base.rows[k] for d in sorted(base.below(one.debtor)) for k in base.members.get(d, ())]
        unlimited, base_piece = main_amount(one.facts.limits.get(row.key, ()), base.as_of)
        current: Decimal | None = None
        if base_piece is not None and base_piece.amount is not None:
            own = base_piece.currency or currency
            current = self._in(from_minor(base_piece.amount, own), own, currency)
        sales = [self._in(amount, frm, currency) for m in everybody for frm, amount in self.sales.get(m.key, ())]
        habits, _ = self.at.habits(everybody, currency)
        since = [self.at.since[m.key] for m in everybody if m.key in self.at.since]
        worth, capital, dated = self._finances(one, policy, currency)
        room = self._group_room(one)
        insurer = self._insured(row, self.at.events.get(one.debtor, ()), currency)
        if isinstance(insurer, Problem):
            return insurer
        level = level_of([w for w in one.decision.warned if w.name != LIMIT_ENDS], policy.warning)
        others = sum((self._granted(one, m, currency) for m in one.members[1:]), ZERO)
        if self.without_rate:
            return _no_rate(row, self.without_rate[0], currency)
        return Case(
            as_of=base.as_of,
            currency=currency,
            unit=position.unit,
            current=current,
            unlimited=unlimited,
            sales=sum((s for s in sales if s is not None), ZERO),
            sales_days=_days_of_sales(base.as_of, min(since, default=None)),
            terms_days=usual_days(row.terms) if row.terms else None,
            days_late=habits.late_year,
            first_sold_on=min(since, default=None),
            net_worth=worth,
            working_capital=capital,
            statement_on=dated,
            grade=one.decision.grade,
            score=one.decision.score,
            level=level,
            insurer=insurer,
            group_room=room,
            receivables=self._all(policy, position.unit),
            others=others,
            asked=asked,
            frozen=freeze(policy, level, self.dunned.get(one.debtor, 0)),
        )

    def _in(self, amount: Decimal, frm: str, to: str) -> Decimal | None:
        found = amount if frm == to else self.base.rates.convert(amount, frm, to, self.base.as_of)
        if found is None:
            self.without_rate.append(frm)
        return found

    def _group_room(self, one: Judged) -> Decimal | None:
        """What the groups above leave for all that a limit of it covers. Its own limit is no bound for its next one."""
        nodes, covered = one.decision.ancestors, one.position.exposure.total
        if one.debtor in self.base.children and nodes:
            own, nodes = nodes[0], nodes[1:]
            covered = own.quote.convert(own.exposure) if own.quote else own.exposure
        room = headroom(nodes)
        return None if room is None else room + covered

    def _granted(self, one: Judged, member: CustomerRow, currency: str) -> Decimal:
        limit = one.own[member.key].limit
        return (limit.amount and self._in(limit.amount, limit.currency or currency, currency)) or ZERO

    def _finances(
        self, one: Judged, policy: Policy, currency: str
    ) -> tuple[Decimal | None, Decimal | None, dt.date | None]:
        statement: Statement | None = self.at.statements.get(one.debtor)
        if statement is None:
            return None, None, None
        if self.base.as_of > months_back(statement.period_end_on, -policy.score.statement_months_max):
            return None, None, None
        worth, current = statement.closing.get("equity"), statement.closing.get("current_assets")
        owed = statement.closing.get("current_liabilities")
        capital = None if current is None or owed is None else current - owed
        return (
            None if worth is None else self._in(worth, statement.currency, currency),
            None if capital is None else self._in(capital, statement.currency, currency),
            statement.period_end_on,
        )

    def _insured(self, row: CustomerRow, told: Iterable[Event], currency: str) -> Decimal | Problem | None:
        """The newest word of the insurer: an amount, or that its cover is withdrawn. Where nobody can read it, it must not
        look as if nothing were insured, which binds nobody."""
        last = max(
            (
                e
                for e in told
                if e.kind in (INSURED, WITHDRAWN) and (e.ended_on is None or e.ended_on > self.base.as_of)
            ),
            key=lambda e: (e.on, e.kind == WITHDRAWN),
            default=None,
        )
        if last is None:
            return None
        if last.kind == WITHDRAWN:
            return ZERO
        frm, _, said = (last.value or "").rpartition(" ")
        try:
            return self._in(parse(said), frm or currency, currency)
        except ValueError:
            return Problem(
                "unread_insurer_limit", f"{row.system}/{row.ref}", UNREAD.fill(said=last.value or "-"), WRITE
            )

    def _all(self, policy: Policy, unit: Decimal) -> Decimal | None:
        whole = self.base.receivables
        if whole is None or whole[1] < policy.warning.concentration_percent.least_customers:
            return None  # of a handful of customers each is a large part
        return whole[0] * unit


UNREAD = Text(
    "What the insurer covers cannot be read (“{said}”): no limit can be proposed.",
    "保险公司核定额度“{said}”无法识别，无法建议额度。",
)
WRITE = Text("Give an amount, alone or after its currency: CNY 500000.", "请填写金额，或“币种 金额”：CNY 500000。")


def _no_rate(row: CustomerRow, frm: str, to: str) -> Problem:
    what = Text(
        "No exchange rate from {frm} to {to}: no limit can be proposed.", "没有 {frm} 兑 {to} 的汇率，无法建议额度。"
    )
    fix = Text("Provide the rate.", "请提供汇率。")
    return Problem("no_rate", f"{row.system}/{row.ref}", what.fill(frm=frm, to=to), fix)


def request_of(one: Proposal, desk: Desk, actor: str) -> Request:
    """A proposal as a request. Where limits are kept elsewhere it has no stages."""
    made = one.proposed
    parts = made.parts if desk.master(one.row) == HERE else ()
    return Request(
        kind="stage" if parts else "base",
        amount_minor=to_minor(made.amount, made.currency),
        currency=made.currency,
        requested_by=actor,
        valid_from=made.valid_from,
        valid_to=made.valid_to,
        parts=tuple((part.amount, part.condition) for part in parts),
    )


def body_of(one: Proposal) -> dict[str, Any]:
    """Everything that a proposal rests on, as it is kept with the request."""
    case, made = one.case, one.proposed
    numbers = {
        "current": case.current, "sales": case.sales, "terms_days": case.terms_days, "days_late": case.days_late,
        "net_worth": case.net_worth, "working_capital": case.working_capital, "insurer": case.insurer,
        "group_room": case.group_room, "receivables": case.receivables, "others": case.others, "score": case.score,
        "unit": case.unit,
    }  # fmt: skip
    return {
        **{k: None if v is None else (v if k == "unit" else rounded(v, made.currency)) for k, v in numbers.items()},
        "sales_days": case.sales_days,
        "grade": case.grade,
        "level": case.level,
        "unlimited": case.unlimited,
        "first_sold_on": case.first_sold_on,
        "statement_on": case.statement_on,
        "binding": made.binding,
        "text": [made.text.en, made.text.zh],
        "steps": [[s.rule, s.text.en, s.text.zh, s.numbers] for s in made.steps],
        "person_needed": None if one.person_needed is None else [one.person_needed.en, one.person_needed.zh],
    }


__all__ = ["JOB", "Proposal", "body_of", "due", "night", "proposals", "request_of", "run_proposals"]
