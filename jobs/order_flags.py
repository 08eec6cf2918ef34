"""Flags of orders: what the systems where orders live are told of each, in the words of the mappings.

An order that is held is told with its reasons and the way out; one that goes on although its customer is held (somebody
has released it, an exclusion lets it pass) is told as such, where the mapping has a field for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from connector.connect import Connected
from connector.credit.decide import OrderDecision
from connector.credit.reason import Reason
from connector.credit.remedy import Debt
from connector.store import Connection
from connector.store.order_values import OrderRow
from connector.store.outbox import Owed
from connector.text import Text, joined
from jobs import words
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.order_remedy import debts_of, remedies_with
from jobs.pull import context_of

_WAYS_MOST = 3
WAY_OUT = Text("What lets it go: {ways}; or a release.", "解除办法：{ways}；或申请放行。")
RELEASE_ONLY = Text("What lets it go: a release.", "解除办法：申请放行。")


class WaysOut:
    """What would let held orders of some debtors go, in words. Their debts are read together, once one of them is asked for,
    in the transaction that stands then."""

    def __init__(self, tx: Connection, base: Frame, several: Sequence[Judged]) -> None:
        self._tx, self._base = tx, base
        self._several = [j for j in several if any(checked.hold for _, checked in j.orders)]
        self._debts: dict[int, list[Debt]] | None = None

    def asked_in(self, tx: Connection) -> None:
        """From now on debts are read in another transaction, of the same facts."""
        self._tx = tx

    def of(self, judged: Judged, row: OrderRow) -> Text:
        """The ways out of one held order."""
        if self._debts is None:
            self._debts = debts_of(self._tx, self._base, self._several)
        mine = judged.checked_as(row)
        if mine.key not in judged.rooms:
            return RELEASE_ONLY
        found = remedies_with(self._base, judged, mine, self._debts.get(judged.debtor, ()), judged.rooms[mine.key])
        ways = [remedy.text for remedy in found[:_WAYS_MOST]]
        return WAY_OUT.fill(ways=joined(ways)) if ways else RELEASE_ONLY


def order_flags(
    base: Frame,
    judged: Judged,
    by_name: Mapping[str, Connected],
    was_told: Callable[[str, str], bool],
    out: WaysOut | None = None,
) -> Iterator[Owed]:
    """The flags of a debtor's orders: of those that are held, of those (by system and id) that may have been, and of those
    that go on although their customer is held."""
    for order, checked in judged.orders:
        at = by_name.get(order.system)
        if at is None or not (at.adapter.channel("order_fields") and at.mapping.writes_to("order_fields")):
            continue
        told = checked.hold or was_told(at.name, order.ref)
        only = () if told or checked.hold or not judged.decision.hold else released_fields(at)
        if not told and not only:
            continue
        language = base.config.language_for(at.system)
        said = words.of_order(order, checked, judged, language)
        more = partial(_reasoned, at, out, judged, order, checked, said) if checked.hold and out is not None else None
        yield state(at, "order_fields", order.ref, order.customer, said, checked.lasting, only=only, more=more)


def released_fields(at: Connected) -> tuple[str, ...]:
    """The fields that say that an order goes on although its customer is held."""
    return tuple(f.name for f in at.mapping.writes["order_fields"].fields if f.word == "released")


def _reasoned(
    at: Connected, out: WaysOut, judged: Judged, order: OrderRow, checked: OrderDecision, said: Mapping[str, object]
) -> dict[str, Any]:
    """The values with the way out behind the reasons."""
    reason = Text("{reasons}\n{ways}", "{reasons}\n{ways}").fill(
        reasons=words.reasons_text(checked.reasons), ways=out.of(judged, order)
    )
    language = at.config.language_for(at.system)
    # Who has asked for a release sees on the order what has become of that.
    asked = [str(said["release"])] if said.get("release") else []
    whole = {**said, "hold_reason": "\n".join([reason.say(language), *asked])}
    return at.mapping.write("order_fields", whole, context=context_of(at))[0]


def _exposure(reason: Reason) -> str | None:
    """What of a reason's exposure is worth a call."""
    exposure, limit = reason.numbers.get("exposure"), reason.numbers.get("limit")
    if reason.rule != "group_limit_exceeded" or exposure is None or not limit or not Decimal(limit):
        return exposure
    return f"{Decimal(exposure) * 10 / Decimal(limit):.0f}/10"


def state(
    connected: Connected,
    kind: str,
    target: str,
    customer: int | None,
    said: Mapping[str, object],
    reasons: Sequence[Reason] = (),
    *,
    only: Sequence[str] = (),
    more: Callable[[], Mapping[str, Any]] | None = None,
) -> Owed:
    """A desired state. Of its reasons the rules are worth a call, and exposure and limit, which facts move; days overdue,
    which every morning moves, are not, and of a group's exposure, which each of its members moves for all, every tenth of
    its limit. `only` these fields, where there are some."""
    context = context_of(connected)
    values, digest = connected.mapping.write(kind, said, context=context)
    if only:
        values = {name: values[name] for name in only}
        return Owed(connected.name, kind, target, f"{kind}:{target}", values, digest, customer)
    if reasons:
        lasting_reason = sorted(f"{r.rule} {_exposure(r)} {r.numbers.get('limit')}" for r in reasons)
        lasting_reason += [str(said["release"])] if said.get("release") else []
        lasting = {**said, "hold_reason": "; ".join(lasting_reason)}
        digest = connected.mapping.write(kind, lasting, context=context)[1]
    return Owed(connected.name, kind, target, f"{kind}:{target}", values, digest, customer, more)
