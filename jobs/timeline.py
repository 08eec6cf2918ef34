"""The credit file 信用档案 as one time line: everything that is known of a customer, dated and with its source (domain 14).

Each kind of line has a function of its own in `SOURCES`; what they read is append-only, so that the line only grows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.clock import day_in
from connector.credit import warn_words
from connector.credit.event_words import event_kind
from connector.credit.reason import money
from connector.credit.review import CONCLUSIONS, PAPERS, WHY
from connector.credit.terms import terms_text
from connector.credit.warn_words import LEVEL_TEXTS
from connector.money import from_minor
from connector.store import (
    Connection,
    alerts,
    audit,
    contacts,
    customers,
    decisions,
    dunning,
    limits,
    order_credit,
    papers,
    promises,
    reviews,
    scores,
    statement_entry,
)
from connector.store.customers import CustomerRow
from connector.text import Text, joined, same
from jobs.action_words import action
from jobs.timeline_words import (
    AT,
    CALMED,
    CONTACT,
    CONTACTS,
    DECIDED,
    EVENT,
    EVENT_OVER,
    FREE,
    HELD,
    KNOWN,
    LIMIT,
    LIMIT_KINDS,
    NO_LIMIT,
    NOTED,
    ORDER,
    ORDER_EVENTS,
    PAPER,
    PLANNED,
    PROMISED,
    REASONS,
    REQUEST,
    REQUESTS,
    REVIEWED,
    SCORED,
    STATEMENT,
    STATUSES,
    STEP,
    STEPS,
    TRAIL,
    UNGRADED,
    UNKNOWN,
    UNSCORED,
    UNTIL,
    WARNED,
    because,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line. `source` is who said it: a system, a person, a job; `data` what belongs to it, for programs.

    `personal`: it speaks of a person and is shown in full only to whoever says what for.
    """

    on: dt.date
    kind: str
    text: Text
    source: str
    data: dict[str, Any] = field(default_factory=dict)
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose file is read: a debtor, its customers of the ledger, and the business's time zone."""

    tx: Connection
    debtor: int
    members: Sequence[CustomerRow]
    zone: str

    @property
    def keys(self) -> list[int]:
        return [member.key for member in self.members]

    def day(self, moment: dt.datetime) -> dt.date:
        return day_in(moment, self.zone)


def timeline(tx: Connection, debtor: int, zone: str) -> list[Moment]:
    """Everything that is known of a debtor, oldest first."""
    members = customers.customers(tx, debtors=[debtor])
    asked = Asked(tx, debtor, members, zone)
    found = [line for source in SOURCES for line in source(asked)]
    return sorted(found, key=lambda line: (line.on, KINDS_IN_ORDER.index(line.kind)))


def _identity(asked: Asked) -> Iterator[Moment]:
    for row in asked.members:
        if row.first_sold_on is not None:
            data = {"system": row.system, "id": row.ref, "tax_id": row.tax_id, "terms": row.terms}
            text = KNOWN.fill(
                name=row.name,
                system=row.system,
                ref=row.ref,
                tax=row.tax_id or UNKNOWN,
                terms=terms_text(row.terms) if row.terms else UNKNOWN,
            )
            yield Moment(row.first_sold_on, "identity", text, row.system, data)


def _limits(asked: Asked) -> Iterator[Moment]:
    for pieces in customers.limits(asked.tx, asked.keys).values():
        for one in pieces:
            day = one.approved_on or one.valid_from
            if day is None:
                continue
            amount = (
                "∞"
                if one.amount is None
                else money(from_minor(one.amount, one.currency or "CNY"), one.currency or "CNY")
            )
            until = f"{one.valid_from or '…'} – {one.valid_to or '…'}"
            yield Moment(
                day,
                "limit",
                LIMIT.fill(kind=LIMIT_KINDS[one.kind], amount=amount, until=until),
                "ledger",
                {"ref": one.ref},
            )


def _requests(asked: Asked) -> Iterator[Moment]:
    """What was asked for and decided here on limits."""
    for request in limits.requests(asked.tx, keys=asked.keys):
        currency = request.request.currency
        for event in request.events:
            minor = event.amount_minor
            amount = "∞" if minor is None else money(from_minor(minor, currency), currency)
            text = REQUEST.fill(number=request.number, what=REQUESTS[event.what], amount=amount, why=because(event.why))
            yield Moment(asked.day(event.at), "limit", text, event.actor, {"request": request.number})


def _decisions(asked: Asked) -> Iterator[Moment]:
    for row in reversed(decisions.history(asked.tx, asked.debtor)):
        body = row.body
        currency = body["currency"]
        limit = body["limit"]["amount"]
        text = DECIDED.fill(
            state=HELD if body["hold"] else FREE,
            level=LEVEL_TEXTS[body["warning_level"] or "green"],
            exposure=money(Decimal(body["exposure"]["total"]), currency),
            limit=NO_LIMIT if limit is None else money(Decimal(limit), currency),
            overdue=money(Decimal(body["overdue"]), currency),
            reasons=REASONS.fill(reasons=joined([Text(r["en"], r["zh"]) for r in body["reasons"]]))
            if body["reasons"]
            else same(""),
        )
        yield Moment(row.as_of, "decision", text, "job:evaluate", {"decision": row.id, "policy": row.policy_version})


def _scores(asked: Asked) -> Iterator[Moment]:
    for row in scores.history(asked.tx, asked.debtor):
        words = UNSCORED if row.points is None else SCORED if row.grade else UNGRADED
        text = words.fill(points=f"{row.points:f}" if row.points is not None else "", grade=row.grade)
        yield Moment(row.as_of, "score", text, "job:score", {"version": row.version})


def _warnings(asked: Asked) -> Iterator[Moment]:
    for one in alerts.history(asked.tx, asked.debtor):
        at = warn_words.kept(one.indicator, one.value)
        names = {
            "indicator": warn_words.named(one.indicator, one.value),
            "level": LEVEL_TEXTS[one.state.level],
            "value": same("") if at is None else AT.fill(value=at),
        }
        if one.state.opened_on is not None:
            yield Moment(one.state.opened_on, "warning", WARNED.fill(**names), "job:evaluate", {"alert": one.id})
        if one.closed_on is not None:
            yield Moment(one.closed_on, "warning", CALMED.fill(**names), "job:evaluate", {"alert": one.id})


def _orders(asked: Asked) -> Iterator[Moment]:
    lines = order_credit.history(asked.tx, debtors=[asked.debtor])
    named = order_credit.orders(asked.tx, {line.order for line in lines})
    for line in lines:
        order = named.get(line.order)
        number = (order.number or order.ref) if order is not None else str(line.order)
        text = ORDER.fill(number=number, what=ORDER_EVENTS.get(line.what, same(line.what)), why=because(line.why))
        yield Moment(line.on, "order", text, line.actor, {"order": number, "event": line.id})


def _dunning(asked: Asked) -> Iterator[Moment]:
    for step in dunning.steps(asked.tx, asked.keys):
        text = STEP.fill(
            document=step.number or step.document,
            level=step.level,
            open=money(step.open, step.currency),
            what=STEPS.get(step.what, same(step.what)),
        )
        yield Moment(step.as_of, "dunning", text, "job:dun", {"document": step.document, "letter": step.letter})


def _contacts(asked: Asked) -> Iterator[Moment]:
    for one in contacts.contacts(asked.tx, asked.keys):
        said = [one.note] if one.note else []
        if one.promise_on is not None and one.amount is not None:
            said.append(f"{money(one.amount, one.currency or 'CNY')} → {one.promise_on}")
        text = CONTACT.fill(kind=CONTACTS.get(one.kind, same(one.kind)), note=because("; ".join(said)))
        data = {"contact": one.id, "file": one.file_name, "sha256": one.file_sha}
        yield Moment(one.on, "contact", text, one.actor, data, personal=True)


def _promises(asked: Asked) -> Iterator[Moment]:
    for one in promises.by_debtor(asked.tx, [asked.debtor]).get(asked.debtor, ()):
        text = PROMISED.fill(amount=money(from_minor(one.amount, one.currency), one.currency), due=one.due_on)
        yield Moment(one.made_on, "promise", text, "ledger", {"promise": one.ref, "document": one.document_id})


def _statements(asked: Asked) -> Iterator[Moment]:
    for filed in statement_entry.filed(asked.tx, asked.keys):
        text = STATEMENT.fill(
            end=filed.one.period_end_on,
            months=filed.one.months,
            file=filed.file,
            status=STATUSES.get(filed.status, same(filed.status)),
        )
        yield Moment(
            asked.day(filed.entered_at),
            "statement",
            text,
            f"person:{filed.entered_by}",
            {"statement": filed.one.number, "sha256": filed.one.sha},
        )


def _reviews(asked: Asked) -> Iterator[Moment]:
    for one in reversed(reviews.history(asked.tx, asked.debtor)):
        data = {"review": one.id, "sha256": one.snapshot_sha}
        yield Moment(
            asked.day(one.opened_at), "review", PLANNED.fill(due=one.due_on, why=WHY[one.why]), "job:review", data
        )
        if one.done_on is not None and one.conclusion is not None:
            text = REVIEWED.fill(
                conclusion=CONCLUSIONS[one.conclusion], reviewer=one.reviewer, why=because(one.reason or "")
            )
            yield Moment(one.done_on, "review", text, f"person:{one.reviewer}", data)


def _events(asked: Asked) -> Iterator[Moment]:
    for own in customers.events(asked.tx, asked.keys).values():
        for one in own:
            words = " ".join(x for x in (one.value, one.text) if x and x != one.kind)
            text = EVENT.fill(kind=event_kind(one.kind), words=because(words))
            yield Moment(one.on, "event", text, one.source, {"event": one.id})
            if one.ended_on is not None:
                yield Moment(
                    one.ended_on, "event", EVENT_OVER.fill(kind=event_kind(one.kind)), one.source, {"event": one.id}
                )


def _papers(asked: Asked) -> Iterator[Moment]:
    for one in papers.papers(asked.tx, [asked.debtor]):
        until = UNTIL.fill(day=one.valid_to) if one.valid_to is not None else same("")
        name = one.name or ""
        text = PAPER.fill(kind=PAPERS[one.kind], number=one.id, name=name, note=because(one.note), until=until)
        data = {"paper": one.id, "sha256": one.sha, "size": one.size, "added_by": one.added_by, "purpose": one.purpose}
        yield Moment(one.dated_on, "paper", text, one.source, data, one.personal)


# Told by their own tables already; of warnings only what somebody has noted of them is told here.
_TOLD = (
    "decision",
    "limit",
    "review",
    "dunning",
    "order",
    "statement",
    "paper",
    "score",
    "alert",
    "contact",
    "panel",  # who looked is not what became of the customer
)


def _trail(asked: Asked) -> Iterator[Moment]:
    for row in asked.members:
        for line in reversed(audit.of(asked.tx, f"customer:{row.system}/{row.ref}", _TOLD)):
            entry = line.entry
            if entry.action == "warning.acknowledge" and entry.after is not None:
                names = {"indicator": warn_words.NAMES[entry.after["indicator"]], "until": entry.after["until"]}
                text = NOTED.fill(why=because(entry.why), **names)
                yield Moment(asked.day(line.at), "warning", text, entry.actor, {"audit": line.number})
            elif entry.action.partition(".")[0] != "warning":
                text = TRAIL.fill(action=action(entry.action), why=because(entry.why))
                data = {"audit": line.number, "before": entry.before, "after": entry.after}
                yield Moment(asked.day(line.at), "audit", text, entry.actor, data)


Source = Callable[[Asked], Iterator[Moment]]
SOURCES: tuple[Source, ...] = (
    _identity,
    _limits,
    _requests,
    _events,
    _statements,
    _scores,
    _decisions,
    _warnings,
    _orders,
    _dunning,
    _promises,
    _contacts,
    _reviews,
    _papers,
    _trail,
)  # fmt: skip
KINDS: dict[str, Text] = {
    "identity": Text("identity", "基本信息"),
    "limit": Text("limit", "额度"),
    "event": Text("event", "事件"),
    "statement": Text("statement", "财务报表"),
    "score": Text("score", "评分"),
    "decision": Text("decision", "信用结论"),
    "warning": Text("warning", "预警"),
    "order": Text("order", "订单"),
    "dunning": Text("dunning", "催收"),
    "promise": Text("promise", "付款承诺"),
    "contact": Text("contact", "联系记录"),
    "review": Text("review", "复评"),
    "paper": Text("paper", "资料"),
    "audit": Text("audit", "操作记录"),
}
KINDS_IN_ORDER = tuple(KINDS)
