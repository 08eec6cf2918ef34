"""Exclusions: what a person has set aside or forced for one order, one customer or one segment (domain 10, precedence).

The policy's own rules hold for a segment where it has its own table of that rule, else for everybody. An exclusion marked
`release` lets everything pass but a hold set by hand on the very order; one marked `exclude` sets aside rules of a wider
scope than its own, never of the same; one marked `hold` is a hold of its own scope.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from connector.credit.reason import Reason
from connector.text import Text

Scope = Literal["order", "customer", "segment", "all"]
Effect = Literal["release", "exclude", "hold"]
# From the narrowest to the widest.
WIDTH: dict[Scope, int] = {scope: width for width, scope in enumerate(get_args(Scope))}

# The rules of the policy's table; what cannot be decided is only set aside by name, or by a release.
RULES = frozenset(
    {
        "limit_exceeded", "group_limit_exceeded", "used_share", "oldest_overdue", "overdue_amount", "order_value",
        "warning_level", "limit_expired", "no_limit", "status", "review_overdue", "terms_worsened", "documents",
        "dunning_level", "stop_credit",
    }
)  # fmt: skip
UNDECIDED = frozenset({"no_rate", "no_due_date", "stale_data", "unclear_limit"})
ScopeOf = Callable[[str], Scope]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One exclusion, valid on both its days and between; an open end never expires. `rules` empty: all of the table."""

    id: int
    scope: Scope
    effect: Effect
    rules: frozenset[str] = frozenset()
    note: str = ""
    by: str = ""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def in_force(self, on: dt.date) -> bool:
        """Whether it is valid on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    def covers(self, rule: str) -> bool:
        """Whether it speaks of a rule."""
        return rule in self.rules if self.rules else rule in RULES


def settle(
    reasons: Sequence[Reason], exclusions: Sequence[Exclusion], on: dt.date, scope_of: ScopeOf
) -> tuple[list[Reason], list[Reason]]:
    """The reasons that hold, and those that are set aside. `scope_of` tells at which scope a rule of the policy stands.

    A hold by hand (rule `manual`) is of the order itself: nothing is narrower.
    """
    valid = [e for e in exclusions if e.in_force(on)]
    if not valid:
        return list(reasons), []
    found = [(reason, scope_of(reason.rule)) for reason in reasons]
    found += [(forced(e), e.scope) for e in valid if e.effect == "hold"]
    kept: list[Reason] = []
    aside: list[Reason] = []
    released = any(e.effect == "release" for e in valid)
    for reason, scope in found:
        narrower = [e for e in valid if e.effect == "exclude" and WIDTH[e.scope] < WIDTH[scope]]
        if reason.rule != "manual" and (released or any(_sets_aside(e, reason) for e in narrower)):
            aside.append(reason)
        else:
            kept.append(reason)
    return kept, aside


def _sets_aside(exclusion: Exclusion, reason: Reason) -> bool:
    # What a person has forced for a wider scope is one of its rules.
    return exclusion.covers(reason.rule) or (reason.rule == "forced" and not exclusion.rules)


def forced(exclusion: Exclusion) -> Reason:
    """A hold that a person set for a customer, a segment or everybody."""
    until = UNTIL.fill(day=exclusion.valid_to) if exclusion.valid_to else NOTHING
    text = _FORCED[exclusion.scope].fill(note=exclusion.note, until=until)
    numbers = {"note": exclusion.note, "scope": exclusion.scope}
    if exclusion.valid_to:
        numbers["valid_to"] = str(exclusion.valid_to)
    return Reason("forced", text, numbers)


NOTHING = Text("", "")
UNTIL = Text(" (until {day})", "（至 {day}）")
_FORCED: dict[Scope, Text] = {
    "order": Text("this order is held by hand{until}: {note}", "本单人工冻结{until}：{note}"),
    "customer": Text(
        "all orders of this customer are held by hand{until}: {note}", "该客户全部订单人工冻结{until}：{note}"
    ),
    "segment": Text(
        "all orders of this segment are held by hand{until}: {note}", "该客群全部订单人工冻结{until}：{note}"
    ),
    "all": Text("all orders are held by hand{until}: {note}", "全部订单人工冻结{until}：{note}"),
}
