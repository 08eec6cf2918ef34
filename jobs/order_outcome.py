"""Outcomes of order checks: from what was decided before and what the rules say now, the new state of each order.

Written are only changes: each as the newest state, a line of the order's history and, where it concerns an order that was
known before, an entry of the audit trail. So a second run on the same facts writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.credit.decide import OrderDecision
from connector.credit.reason import Reason
from connector.credit.release import ended_by
from connector.money import rounded, show
from connector.store import Connection, audit, order_credit
from connector.store.audit import Entry
from connector.store.order_credit import Happened, OrderAt, Standing, State
from connector.store.order_values import OrderRow
from jobs.judge import Judged

EVALUATE = "job:evaluate"


@dataclass(slots=True)
class Check:
    """Who checks at which point; `order` is the one that was asked for, None: all of them, by schedule."""

    on: dt.date
    at: dt.datetime
    actor: str = EVALUATE
    point: str = "recheck"
    order: int | None = None


@dataclass(slots=True)
class Outcome:
    """What a check has changed."""

    new: list[Standing] = field(default_factory=list)
    changed: list[Standing] = field(default_factory=list)
    lines: list[Happened] = field(default_factory=list)
    smaller: set[int] = field(default_factory=set)  # orders that go on with less than before
    entries: list[Entry] = field(default_factory=list)
    flags: set[int] = field(default_factory=set)  # orders whose flag in their system may be another now
    first: dict[str, list[str]] = field(
        default_factory=dict
    )  # by state, the orders that a night has met for the first time


def outcome(found: Sequence[Judged], check: Check) -> Outcome:
    """What has become of the orders of some debtors that were judged; nothing is written."""
    made = Outcome()
    for judged in found:
        live = set()
        for row, checked in judged.orders:
            if row.key not in judged.rooms:
                continue  # the same order in another system
            live.add(row.key)
            before = judged.standings.get(row.key)
            # What was decided of the same order under another key is taken over.
            own = before is not None and before.order == row.key
            now, what = step(before, judged, row, checked, check)
            if own and now == before:
                continue
            (made.changed if own else made.new).append(now)
            if before is not None and not own and what is None:
                what = "taken_over"  # else nothing of this order's own would tell how it came to its state
            if before is None and check.actor == EVALUATE:
                made.first.setdefault(now.state, []).append(f"{row.system}/{row.ref}")
            if what is None or (what == "passed" and before is None and check.actor == EVALUATE):
                continue
            made.flags.add(row.key)
            reasons = checked.reasons if before is not None or check.actor != EVALUATE else ()
            body = _body(row, now, checked, reasons) | origin(judged, before, row.key)
            _tell(made, now, what, check, body, f"order:{row.system}/{row.ref}", before)
        for key, standing in judged.standings.items():
            if key not in live and standing.order == key and standing.ended_on is None:
                made.changed.append(replace(standing, ended_on=check.on, debtor=judged.debtor, at=check.at))
                made.lines.append(_line(standing, "ended", check, {}))
    return made


def step(
    before: Standing | None, judged: Judged, row: OrderRow, checked: OrderDecision, check: Check
) -> tuple[Standing, str | None]:
    """The new state of one order and what happened; the state as it was, and None, where nothing did."""
    reasons = checked.lasting if checked.hold or checked.released else ()
    # Why a release has ended is said in the line that ends it: the next check would not find it any more.
    rules = tuple(dict.fromkeys(reason.rule for reason in reasons))
    total, debtor = rounded(row.total, row.currency), judged.debtor
    if before is None:
        state: State = "held" if checked.hold else "passed"
        point = check.point if check.order in (None, row.key) else "recheck"
        made = Standing(row.key, debtor, state, check.on, check.at, point, total, row.currency, row.terms, rules)
        return made, state
    reopened = before.ended_on is not None
    release = before.release if not reopened else None
    level = judged.risk_level if release is not None else "green"
    covers = release is not None and not ended_by(release, row.total, row.currency, row.terms, check.on, level)
    state = _next(before.state, checked, covers, reopened)
    if state != "released":
        release = None
    elif release is not None and release.was_red and level != "red":
        release = replace(release, was_red=False)
    point = before.point
    if check.order == row.key or (check.order is None and not order_credit.THROUGH & {state}):
        point = check.point
    keeps = state == "released"  # the release speaks of the total and the terms of its own day
    now = replace(
        before,
        order=row.key,
        debtor=debtor,
        state=state,
        since=check.on if state != before.state or reopened else before.since,
        point=point,
        total=before.total if keeps else total,
        currency=before.currency if keeps else row.currency,
        terms=before.terms if keeps else row.terms,
        rules=rules,
        release=release,
        ended_on=None,
    )
    if now == before:
        return before, None
    now = replace(now, at=check.at)
    if reopened:
        return now, "reopened"
    if state != before.state:
        return now, "auto_released" if state == "passed" and before.state != "released" else state
    return now, "changed" if (now.rules, now.total) != (before.rules, before.total) else None


def _next(before: State, checked: OrderDecision, covers: bool, reopened: bool) -> State:
    if checked.released:
        return "released"
    if not checked.hold:
        return "released" if before == "released" and covers else "passed"
    if before == "released":
        return "held" if reopened else "expired"
    return "held" if before == "passed" or reopened else before


# --- what is told ----------------------------------------------------------------------------------------------------
def _tell(
    made: Outcome, now: Standing, what: str, check: Check, body: dict[str, Any], subject: str, before: Standing | None
) -> None:
    made.lines.append(_line(now, what, check, body))
    if before is not None and {before.state, now.state} <= order_credit.THROUGH and now.total < before.total:
        made.smaller.add(now.order)
    if before is not None or check.actor != EVALUATE:
        was = None if before is None else before.state
        made.entries.append(
            Entry(f"order.{what}", subject, check.actor, before=was, after={"state": now.state, **body})
        )


def _line(now: Standing, what: str, check: Check, body: dict[str, Any], why: str = "") -> Happened:
    return Happened(now.order, now.debtor, check.on, check.at, what, now.state, now.point, check.actor, why, body)


def told(
    now: Standing, what: str, check: Check, body: dict[str, Any], order: OrderAt | OrderRow, why: str = ""
) -> Outcome:
    """What a person has done with one order, as an outcome. `order` is the one whose state it is."""
    after = {"state": now.state, **body}
    entry = Entry(f"order.{what}", f"order:{order.system}/{order.ref}", check.actor, why, None, after)
    return Outcome(lines=[_line(now, what, check, body, why)], entries=[entry], flags={now.order})


def origin(judged: Judged, before: Standing | None, key: int) -> dict[str, Any]:
    """Where the first line of an order comes from, if what was decided of the same order in another system goes on."""
    if before is None or before.order == key:
        return {}
    name = next((f"{row.system}/{row.ref}" for row, _ in judged.orders if row.key == before.order), "")
    return {"taken_over": {"order": name, "state": before.state, "by_hand": before.manual is not None}}


def _body(row: OrderRow, now: Standing, checked: OrderDecision, reasons: Sequence[Reason]) -> dict[str, Any]:
    body: dict[str, Any] = {"total": show(rounded(row.total, row.currency), row.currency), "currency": row.currency}
    if now.rules:
        body["rules"] = list(now.rules)
    if reasons:
        body["reasons"] = [reason_kept(reason) for reason in reasons]
    if checked.set_aside:
        body["set_aside"] = [reason.rule for reason in checked.set_aside]
    return body


def reason_kept(reason: Reason) -> dict[str, Any]:
    """A reason as values of JSON."""
    return {"rule": reason.rule, "en": reason.text.en, "zh": reason.text.zh, "numbers": reason.numbers}


def keep(tx: Connection, made: Outcome, check: Check) -> None:
    """Writes what has changed; appends to the audit trail last, for which others wait."""
    keep_states(tx, made)
    # Of what a night meets for the first time one entry names them all.
    met = [Entry("order.first_check", "order", check.actor, after=made.first)] if made.first else []
    audit.append(tx, [*met, *made.entries], check.at)


def keep_states(tx: Connection, made: Outcome) -> None:
    """Writes what has changed, all but the audit trail: it is the last that a transaction may touch."""
    order_credit.keep(tx, made.new, made.changed)
    # What gives room comes before what takes it, so that the history adds up line by line. An order that has ended by the
    # time it was released takes nothing: its lines stay together.
    gives = made.smaller | {one.order for one in made.lines if one.what == "ended"}
    order_credit.append(
        tx, sorted(made.lines, key=lambda one: one.state in order_credit.THROUGH and one.order not in gives)
    )


def merged(parts: Iterator[Outcome]) -> Outcome:
    """Several outcomes as one, in their order."""
    whole = Outcome()
    for part in parts:
        whole.new += part.new
        whole.changed += part.changed
        whole.lines += part.lines
        whole.entries += part.entries
        whole.flags |= part.flags
        whole.smaller |= part.smaller
        for state, names in part.first.items():
            whole.first.setdefault(state, []).extend(names)
    return whole
