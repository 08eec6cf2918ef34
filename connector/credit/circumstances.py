"""Circumstances: what hold rules ask of beside a customer's figures: its review, file, terms, dunning, exclusions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from connector.credit.dun import dunning_effects
from connector.credit.exclusion import Exclusion, Scope
from connector.credit.reason import Reason
from connector.credit.terms import usual_days
from connector.policy import Policy
from connector.text import Text, joined


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the credit file must hold: never there (`expired_on` None), or no longer valid since a day."""

    name: Text
    expired_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """A customer's circumstances on the day. `review_due_on` is the day of its next review; `stopped` says why credit was
    stopped other than by dunning. `exclusions` are those of the customer, its segment and of everybody."""

    dunning_level: int = 0
    review_due_on: dt.date | None = None
    missing: tuple[Missing, ...] = ()
    terms: str | None = None
    stopped: Text | None = None
    exclusions: tuple[Exclusion, ...] = ()


ORDINARY = Circumstances()


def on_circumstances(about: Circumstances, policy: Policy, as_of: dt.date) -> list[Reason]:
    """The rules that circumstances decide: review overdue, documents, dunning level, stop credit."""
    found: list[Reason] = []
    hold = policy.hold
    due = about.review_due_on
    if hold.review_overdue.on and due is not None:
        grace, late = hold.review_overdue.grace_days, (as_of - due).days
        if late > grace:
            numbers = {"due_on": str(due), "days": str(late), "grace_days": str(grace)}
            found.append(Reason("review_overdue", REVIEW.fill(due=due, days=late, grace=grace), numbers))
    if hold.documents.on and about.missing:
        found.append(_documents(about.missing))
    if about.dunning_level:
        effects = dunning_effects([about.dunning_level], policy.dunning)
        at_least = next((rung.level for rung in policy.dunning.step if rung.hold_orders), None)
        if hold.dunning_level.on and effects.hold and at_least is not None:
            numbers = {"level": str(effects.level), "at_least": str(at_least)}
            text = DUNNING.fill(level=effects.level, at_least=at_least)
            found.append(Reason("dunning_level", text, numbers))
        if hold.stop_credit.on and effects.limit_zero:
            numbers = {"level": str(effects.level)}
            found.append(Reason("stop_credit", STOPPED_BY_DUNNING.fill(level=effects.level), numbers))
    if hold.stop_credit.on and about.stopped is not None:
        found.append(Reason("stop_credit", STOPPED.fill(why=about.stopped), {}))
    return found


def on_terms(about: Circumstances, policy: Policy, order_id: str, terms: str | None) -> list[Reason]:
    """The rule on an order's payment terms; terms that nobody can read are not compared."""
    rule = policy.hold.terms_worsened
    if not rule.on or terms is None or about.terms is None or terms == about.terms:
        return []
    longer, usual = usual_days(terms), usual_days(about.terms)
    if longer is None or usual is None or longer - usual <= rule.longer_by_days:
        return []
    numbers = {"terms": terms, "usual": about.terms, "longer_by_days": f"{longer - usual:.1f}"}
    numbers["allowed_days"] = str(rule.longer_by_days)
    text = TERMS.fill(terms=terms, usual=about.terms, more=f"{longer - usual:.1f}", allowed=rule.longer_by_days)
    return [Reason("terms_worsened", text, numbers, (order_id,))]


def scope_of(policy: Policy, segment: str | None, rule: str) -> Scope:
    """At which scope a rule of the (whole) policy stands for the customers of a segment."""
    if rule == "manual":
        return "order"
    tables = policy.segment.get(segment, {}) if segment is not None else {}
    hold = tables.get("hold") if isinstance(tables, Mapping) else None
    name = "limit_exceeded" if rule == "group_limit_exceeded" else rule
    return "segment" if isinstance(hold, Mapping) and name in hold else "all"


def _documents(missing: tuple[Missing, ...]) -> Reason:
    words = [m.name if m.expired_on is None else EXPIRED.fill(name=m.name, day=m.expired_on) for m in missing]
    numbers = {"missing": str(sum(m.expired_on is None for m in missing))}
    numbers["expired"] = str(sum(m.expired_on is not None for m in missing))
    return Reason("documents", DOCUMENTS.fill(names=joined(words, ", ", "、")), numbers)


REVIEW = Text(
    "the review was due on {due}, {days:day|days} ago; {grace:is|are} allowed",
    "定期复评应于 {due} 完成，已逾期 {days} 天，超过允许的 {grace} 天",
)
DOCUMENTS = Text("the credit file lacks: {names}", "信用档案缺少：{names}")
EXPIRED = Text("{name} (expired on {day})", "{name}（{day} 已过期）")
DUNNING = Text(
    "dunning has reached level {level}; orders are held from level {at_least}",
    "催收已到第 {level} 级，达到第 {at_least} 级即冻结订单",
)
STOPPED_BY_DUNNING = Text(
    "credit is stopped at dunning level {level}: cash only", "催收第 {level} 级已停止授信：仅限现款"
)
STOPPED = Text("credit is stopped ({why}): cash only", "已停止授信（{why}）：仅限现款")
TERMS = Text(
    "the order's terms {terms} give {more:day|days} more than the customer's {usual}; {allowed:is|are} allowed",
    "本单账期 {terms} 比客户约定的 {usual} 长 {more} 天，允许多出 {allowed} 天",
)

__all__ = ["ORDINARY", "Circumstances", "Missing", "on_circumstances", "on_terms", "scope_of"]
