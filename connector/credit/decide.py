"""The decision: what the policy concludes from a position, for the customer and for one order (domain 9, 10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from connector.credit.circumstances import ORDINARY, Circumstances, on_circumstances, on_terms, scope_of
from connector.credit.exclusion import Exclusion, settle
from connector.credit.group import Node as Node
from connector.credit.group import headroom
from connector.credit.hold import EXPOSURE_RULES, manual, on_customer, on_exposure, on_order, on_warning
from connector.credit.hold import OrderAmounts as OrderAmounts
from connector.credit.position import Position
from connector.credit.reason import Reason as Reason
from connector.credit.release import OVER, Release, ended_by
from connector.credit.warn import Indicator, State, Warned, level_of, warned
from connector.credit.warn_signs import NOTHING_ASKED, Signs
from connector.money import rounded
from connector.policy import Level, Policy
from connector.policy_warning import Action
from connector.text import Text

ZERO = Decimal(0)


@dataclass(slots=True)
class Decision:
    """What was concluded for one customer on one day.

    `hold`: new orders are held, for every one of `reasons`. `available` is the least room of the customer and its
    ancestors, in the position's currency, never above nothing while credit is stopped; None where nobody has a limit or it
    cannot be told. `score` and `grade` are
    None until there is one. `set_aside` are reasons that an exclusion has put aside. `about` are the circumstances that it
    was concluded in, of a customer of the `segment`; `whole` is the policy before its segment was chosen. `indicators` are
    today's readings, `warned` those that stand above green or did until now; `actions` follow from the level.
    """

    as_of: dt.date
    position: Position
    hold: bool
    reasons: tuple[Reason, ...]
    level: Level
    indicators: tuple[Indicator, ...]
    score: Decimal | None = None
    grade: str | None = None
    available: Decimal | None = None
    ancestors: tuple[Node, ...] = ()
    set_aside: tuple[Reason, ...] = ()
    about: Circumstances = ORDINARY
    segment: str | None = None
    whole: Policy | None = None
    warned: tuple[Warned, ...] = ()
    actions: tuple[Action, ...] = ()


class OrderDecision(NamedTuple):
    """Whether one order is held and why. `warnings` do not hold it (the order lies beyond the horizon).

    `released`: it would be held for these reasons, and passes by a person's release. `set_aside` are reasons that an
    exclusion has put aside.
    """

    hold: bool
    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...] = ()
    released: bool = False
    set_aside: tuple[Reason, ...] = ()

    @property
    def lasting(self) -> tuple[Reason, ...]:
        """The reasons that the next check finds again: without those for which a release has just ended."""
        return tuple(reason for reason in self.reasons if reason.rule not in OVER)


@dataclass(frozen=True, slots=True)
class Room:
    """What an order is checked with beside its customer's decision.

    `spare` is what of the customer's exposure stands for orders that are held themselves, in the customer's currency;
    `above` the same of each ancestor of the decision, in the ancestor's own. `manual` is the note of a hold by hand,
    `release` the release that a person gave, and `exclusions` are those of the very order.
    """

    spare: Decimal = ZERO
    above: tuple[Decimal, ...] = ()
    manual: str | None = None
    release: Release | None = None
    exclusions: tuple[Exclusion, ...] = ()


ALONE = Room()
_UNWARNED: Mapping[str, State] = {}


def decide(
    position: Position,
    ancestors: Sequence[Node],
    policy: Policy,
    *,
    status: str = "active",
    stale: tuple[Reason, ...] = (),
    manual_note: str | None = None,
    about: Circumstances = ORDINARY,
    segment: str | None = None,
    whole: Policy | None = None,
    score: Decimal | None = None,
    grade: str | None = None,
    signs: Signs = NOTHING_ASKED,
    states: Mapping[str, State] = _UNWARNED,
    warns: bool = True,
) -> Decision:
    """The decision on a customer as it stands, with the score and the grade that it has.

    `policy` is that of the customer's `segment`, `whole` the document that it was taken of (None: the same).

    `ancestors` are seen from the position's currency (`Node.seen_from`); TypeError otherwise. What cannot be decided
    (`position.unclear`, `stale`) holds, visibly. `signs` are what is known beside the ledger, `states` where the warnings
    stood after the last run. Without `warns` nothing is looked at that only warns, and the level is green: for who asks
    what holds, where no warning does (`may_hold`).
    """
    for node in ancestors:
        if (node.seen_in or node.currency) != position.currency:
            raise TypeError(f"{node.ref} is not seen from {position.currency}: use Node.seen_from")
    found, stands = warned(position, policy.warning, signs, states, stale=bool(stale)) if warns else ((), ())
    level = level_of(stands, policy.warning)
    actions = policy.warning.actions.of(level)
    unclear = [*position.unclear, *stale]
    for node in ancestors:
        unclear += node.unclear
    reasons = [
        *unclear,
        *on_exposure(position, ancestors, policy.hold),
        *on_customer(position, policy.hold, level, status),
    ]
    if actions:
        reasons += on_warning(level, actions, policy.hold)
    aside: list[Reason] = []
    if about is not ORDINARY:
        reasons += on_circumstances(about, policy, position.as_of)
        reasons, aside = _settled(reasons, about.exclusions, position.as_of, segment, whole or policy)
    if manual_note is not None:
        reasons.append(manual(manual_note))
    return Decision(
        position.as_of,
        position,
        bool(reasons),
        tuple(reasons),
        level,
        found,
        score,
        grade,
        _usable(_available(position, ancestors, unclear), reasons, position.currency),
        tuple(ancestors),
        tuple(aside),
        about,
        segment,
        whole,
        stands,
        actions,
    )


def check_order(decision: Decision, order: OrderAmounts, policy: Policy, room: Room = ALONE) -> OrderDecision:
    """Whether an order is held: the customer's reasons, with the limit tests asked again as if it were confirmed.

    An order to be shipped beyond the horizon adds nothing yet: it gets a warning, and is checked again when it enters.
    """
    position, about = decision.position, decision.about
    horizon = policy.exposure.order_horizon_days
    last = position.as_of + dt.timedelta(days=horizon) if horizon is not None else None
    beyond = last is not None and order.ship_on is not None and order.ship_on > last
    # What an exclusion has put aside for the customer is looked at again with the order's own exclusions.
    before = (*decision.reasons, *decision.set_aside) if decision.set_aside else decision.reasons
    reasons = [reason for reason in before if reason.rule not in EXPOSURE_RULES] if before else []
    nodes = decision.ancestors
    if any(room.above):
        nodes = tuple(replace(n, exposure=n.exposure - spare) for n, spare in zip(nodes, room.above, strict=True))
    change = ZERO if beyond else order.change
    reasons += on_exposure(position, nodes, policy.hold, change, not beyond, room.spare)
    reasons += on_order(position, policy.hold, order)
    reasons += order.unclear
    aside: list[Reason] = []
    if about is not ORDINARY:
        reasons += on_terms(about, policy, order.order_id, order.terms)
    if about.exclusions or room.exclusions:
        # Those of the customer are counted again together with the order's own, which are narrower.
        reasons = [reason for reason in reasons if reason.rule != "forced"]
        exclusions = (*about.exclusions, *room.exclusions)
        reasons, aside = _settled(reasons, exclusions, position.as_of, decision.segment, decision.whole or policy)
    if room.manual is not None:
        reasons.append(manual(room.manual))
    warnings = (_beyond(order, last),) if beyond and last else ()
    if room.release is not None and reasons:
        total, currency = order.own_total, order.own_currency
        ended = ended_by(room.release, total, currency, order.terms, position.as_of, risk_level(decision, policy))
        if not ended:
            return OrderDecision(False, tuple(reasons), warnings, True, tuple(aside))
        reasons += ended
    return OrderDecision(bool(reasons), tuple(reasons), warnings, False, tuple(aside))


# What a warning may do that holds orders (`on_warning`).
HOLDING: frozenset[Action] = frozenset({"hold", "stop_credit"})


def may_hold(policy: Policy) -> bool:
    """Whether any warning holds orders by this policy."""
    actions = policy.warning.actions
    return policy.hold.warning_level.on or any(
        not HOLDING.isdisjoint(actions.of(level)) for level in ("yellow", "orange", "red")
    )


def risk_level(decision: Decision, policy: Policy) -> Level:
    """The warning level without utilisation: what a release is judged by, which exceeds the limit by its nature."""
    return level_of([one for one in decision.warned if one.name != "utilisation"], policy.warning)


def _settled(
    reasons: Sequence[Reason], exclusions: Sequence[Exclusion], on: dt.date, segment: str | None, whole: Policy
) -> tuple[list[Reason], list[Reason]]:
    return settle(reasons, exclusions, on, lambda rule: scope_of(whole, segment, rule))


def order_without_rate(decision: Decision, order_id: str, currency: str) -> OrderDecision:
    """An order in a currency that cannot be converted into the customer's: held, because nobody can tell what it adds."""
    position = decision.position
    text = ORDER_NO_RATE.fill(frm=currency, to=position.currency, on=position.as_of)
    numbers = {"from": currency, "to": position.currency, "on": str(position.as_of)}
    return OrderDecision(True, (*decision.reasons, Reason("no_rate", text, numbers, (order_id,))))


def _available(position: Position, ancestors: Sequence[Node], unclear: Sequence[Reason]) -> Decimal | None:
    if not ancestors:
        return position.available
    if any(reason.rule == "no_rate" for reason in unclear):
        return None
    rooms = [room for room in (position.available, headroom(ancestors)) if room is not None]
    return rounded(min(rooms), position.currency) if rooms else None


def _usable(available: Decimal | None, reasons: Sequence[Reason], currency: str) -> Decimal | None:
    """What is left of a limit can only be used while credit is not stopped."""
    if available is None or available <= 0 or not any(reason.rule == "stop_credit" for reason in reasons):
        return available
    return rounded(ZERO, currency)


ORDER_NO_RATE = Text(
    "no exchange rate from {frm} to {to} on {on}: the order cannot be compared with the limit",
    "{on} 没有 {frm} 兑 {to} 的汇率：本单无法与额度比较",
)
BEYOND = Text(
    "the order ships on {ship_on}, after the horizon of {last}: it does not count yet and will be checked again",
    "订单要求发货日 {ship_on} 晚于检查期限 {last}：暂不计入占用，进入期限后重新检查",
)


def _beyond(order: OrderAmounts, last: dt.date) -> Reason:
    text = BEYOND.fill(ship_on=order.ship_on, last=last)
    return Reason("beyond_horizon", text, {"ship_on": str(order.ship_on), "horizon": str(last)}, (order.order_id,))
