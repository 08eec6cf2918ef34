"""The check of an order that is in the store already, asked for as if it were new: checked where it is, told the same way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.connect import Connected
from connector.credit.decide import ALONE, OrderDecision
from connector.errors import ConfigError, HoldfastError, TransientError
from connector.money import rounded, show
from connector.policy import Policy
from connector.store import Connection, audit, idempotent
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.idempotent import Known
from connector.store.order_credit import OrderAt
from connector.store.order_values import OrderRow
from jobs import check_words as say
from jobs import order as orders
from jobs import order_words
from jobs.check_answer import Answer, answer, credit_told, remedy_told, result_of, text_of
from jobs.check_asked import Asked
from jobs.frame import frame
from jobs.judge import Judged, judge
from jobs.judge_orders import BINDING
from jobs.order_desk import name_of
from jobs.order_remedy import debts_of, remedies_with


class Refusal(ConfigError):
    """The key was used for another question."""


def replayed(known: Known, asked: Asked) -> Answer | HoldfastError:
    """What is said to a question whose key is known already."""
    if known.sha != asked.sha:
        return Refusal(say.OTHER_BODY.fill(key=asked.key))
    if known.state != "answered" or known.answer is None:
        return TransientError(say.AT_WORK.fill(key=asked.key), retry_after=1.0)
    return Answer(known.answer, True)


def check_there(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    asked: Asked,
    order: OrderAt,
    systems: Sequence[Connected] = (),
) -> Answer | HoldfastError:
    """Checks an order that is there; recorded as `jobs.order.check` does, unless it is simulated.

    It keeps its credit by itself once it has passed: nothing is reserved. Raises ConfigError where it is not open, or has
    another amount than was asked about.
    """
    if asked.simulate:
        with store.reading() as tx:
            row, judged, decision = _looked_at(tx, config, policy, clock, asked, order)
            return Answer(text_of(_body(tx, config, policy, clock, asked, row, judged, decision)))
    if asked.key is not None:
        with store.writing(concern=Concern()) as tx:
            known = idempotent.begin(tx, asked.caller, asked.key, asked.sha, clock.now())
        if known is not None:
            return replayed(known, asked)
    try:
        with store.reading() as tx:
            row, *_ = _looked_at(tx, config, policy, clock, asked, order)
        # Whoever is killed between the check and its answer has done no harm: checked once more, nothing is another.
        done = orders.check(store, config, policy, clock, name_of(order), asked.point, asked.caller, systems=systems)
        with store.writing(concern=Concern()) as tx:
            body = _body(tx, config, policy, clock, asked, done.row, done.judged, done.decision)
            numbers = audit.append(tx, [_entry(asked, order, body)], clock.now())
            body["audit"] = numbers[0]
            text = text_of(body)
            if asked.key is not None:
                idempotent.answered(tx, asked.caller, asked.key, 200, text)
        return Answer(text)
    except HoldfastError:
        if asked.key is not None:
            with store.writing(concern=Concern()) as tx:
                idempotent.forget(tx, asked.caller, asked.key)
        raise


def _looked_at(
    tx: Connection, config: Config, policy: Policy, clock: Clock, asked: Asked, order: OrderAt
) -> tuple[OrderRow, Judged, OrderDecision]:
    debtor = order.debtor or 0
    clock = stopped(clock)
    base = frame(tx, config, policy, clock, day_in(clock.now(), config.business.time_zone), debtors=[debtor])
    base.confirming = order.key if asked.point in BINDING else None
    judged = next((j for j in judge(tx, base, [debtor]) if j.debtor == debtor), None)
    if judged is None:
        raise ConfigError(say.NOT_LINKED.fill(ref=asked.customer))
    for row, decision in judged.orders:
        if row.key == order.key:
            if asked.amount is not None and rounded(asked.amount, row.currency) != rounded(row.total, row.currency):
                told = f"{show(row.total, row.currency)} {row.currency}"
                raise ConfigError(say.OTHER_AMOUNT.fill(ref=name_of(order), total=told))
            return row, judged, decision
    raise ConfigError(order_words.NOT_OPEN.fill(ref=name_of(order), status=order.status or "-"))


def _body(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    asked: Asked,
    row: OrderRow,
    judged: Judged,
    decision: OrderDecision,
) -> dict[str, Any]:
    clock = stopped(clock)
    now = clock.now()
    today = day_in(now, config.business.time_zone)
    base = frame(tx, config, policy, clock, today, debtors=())
    points = base.policy.of(judged.members[0].segment).hold.points
    result = result_of(str(getattr(points, asked.point)), decision)
    midnight = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), ZoneInfo(config.business.time_zone))
    body = answer(
        judged,
        row,
        decision,
        result,
        point=asked.point,
        order=f"{row.system}/{row.ref}",
        credit=credit_told(judged, judged.decision.available),
        remedies=(),
        at=now,
        as_of=today,
        valid_until=midnight,
        policy=base.policy_version,
        simulated=asked.simulate,
    )
    if result == "hold":
        debts = debts_of(tx, base, [judged]).get(judged.debtor, ())
        room = judged.rooms.get(row.key, ALONE)
        body["remedies"] = [remedy_told(one) for one in remedies_with(base, judged, row, debts, room)]
    return body


def _entry(asked: Asked, order: OrderAt, body: dict[str, Any]) -> Entry:
    after = {name: body[name] for name in ("result", "point", "amount", "currency", "policy", "as_of", "credit")}
    after |= {name: body[name] for name in ("reasons", "warnings", "set_aside") if body[name]}
    if asked.key is not None:
        after["key"] = asked.key
    return Entry("order.asked", f"order:{name_of(order)}", asked.caller, after=after)
