"""The tabs of a customer's page: what each shows, asked from the jobs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from connector.credit import score_told
from connector.credit.ageing import OpenItem
from connector.credit.moved_figures import NAMES
from connector.credit.moved_kinds import KINDS as MOVED_KINDS
from connector.credit.review import PAPERS
from connector.credit.warn_words import LEVEL_TEXTS, named
from connector.credit.warn_words import NAMES as WARNINGS
from connector.policy import Policy
from connector.store import Connection, alerts, known
from connector.store import papers as kept
from connector.store.customers import CustomerRow
from connector.text import Text
from connector.web.export import Column
from connector.web.front import Front
from jobs import warned, warning_answer
from jobs.compare import compare
from jobs.contact_log import day_of
from jobs.customer_answer import Shown
from jobs.panel_words import ORDER_STATES, bucket
from jobs.papers import lacking_of
from jobs.personal import MASKED
from jobs.timeline import KINDS, timeline

_ITEMS = 200
_LINES = 100
DOCUMENT_KINDS: Mapping[str, Text] = {
    "invoice": Text("invoice", "发票"),
    "credit_note": Text("credit note", "贷项通知单"),
    "debit_note": Text("debit note", "借项通知单"),
    "bill_of_exchange": Text("bill of exchange", "票据"),
    "receipt": Text("receipt", "收款"),
    "refund": Text("refund", "退款"),
    "write_off": Text("write-off", "核销坏账"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose tab is asked for, and with what; `personal`: what speaks of persons is shown."""

    tx: Connection
    front: Front
    policy: Policy
    row: CustomerRow
    one: Shown
    query: Mapping[str, str]
    personal: bool


# --- documents -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Item:
    """An open item with its days past due on the day (0: not due, None: a credit or without a due date)."""

    item: OpenItem
    late: int | None
    kind: Text


_ITEM_SORTS = {
    "due": lambda one: one.item.due_on or dt.date.max,
    "issued": lambda one: one.item.issued_on,
    "number": lambda one: one.item.number or one.item.ref,
    "amount": lambda one: one.item.amount,
    "late": lambda one: -1 if one.late is None else one.late,
}
_ITEM_COLUMNS = (
    Column("number", Text("Document", "单据")),
    Column("kind", Text("Kind", "类型")),
    Column("issued_on", Text("Issued", "开立日")),
    Column("due_on", Text("Due", "到期日")),
    Column("late", Text("Days overdue", "逾期天数")),
    Column("currency", Text("Currency", "币种")),
    Column("amount", Text("Open", "未清金额")),
    Column("disputed", Text("Disputed", "争议金额")),
)


def documents(asked: Asked) -> dict[str, Any]:
    """The open items, overdue ones first."""
    day, sort = asked.one.day, asked.query.get("sort", "-late")
    if sort.removeprefix("-") not in _ITEM_SORTS:
        sort = "-late"
    items = [_item(one, day) for one in asked.one.items]
    if asked.query.get("only") == "overdue":
        items = [one for one in items if one.late]
    items.sort(key=lambda one: (one.item.due_on or dt.date.max, one.item.ref))
    items.sort(key=_ITEM_SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))
    start = _number(asked.query.get("after"))
    shown = items[start : start + _ITEMS]
    sums: dict[str, Decimal] = {}
    for one in items:
        sums[one.item.currency] = sums.get(one.item.currency, Decimal(0)) + one.item.amount
    return {
        "items": shown,
        "count": len(items),
        "first": start,
        "next": start + _ITEMS if start + _ITEMS < len(items) else None,
        "sums": sums,
        "sort": sort,
        "only": asked.query.get("only", ""),
        "exports": (_ITEM_COLUMNS, [_exported(one) for one in items]),
    }


def _item(one: OpenItem, day: dt.date) -> Item:
    late = max(0, (day - one.due_on).days) if one.due_on is not None and one.amount > 0 else None
    return Item(one, late, DOCUMENT_KINDS.get(one.kind, Text(one.kind, one.kind)))


def _exported(one: Item) -> dict[str, Any]:
    item = one.item
    return {
        "number": item.number or item.ref,
        "kind": one.kind,
        "issued_on": item.issued_on,
        "due_on": item.due_on,
        "late": one.late,
        "currency": item.currency,
        "amount": item.amount,
        "disputed": item.disputed or None,
    }


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else 0


# --- orders ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OrderLine:
    """An open order: its state in words and tone, and why it is held."""

    address: str
    number: str
    system: str
    ordered_on: dt.date
    ship_on: dt.date | None
    total: Decimal
    open: Decimal
    currency: str
    state: Text
    tone: str
    reasons: Sequence[Text]


def orders(asked: Asked) -> dict[str, Any]:
    """The open orders, held ones first."""
    judged, found = asked.one.judged, []
    for row, decision in judged.orders:
        standing = judged.standings.get(row.key)
        state, tone = Text("passes", "可以执行"), "ok"
        if decision.hold:
            held = standing.state if standing is not None and standing.ended_on is None else "held"
            state, tone = ORDER_STATES.get(held, ORDER_STATES["held"]).word, "bad"
        elif decision.released:
            state, tone = Text("released", "已放行"), "note"
        elif decision.warnings:
            tone = "warn"
        reasons = [reason.text for reason in (decision.reasons or decision.warnings)]
        address = f"/desk/orders/{quote(row.system, safe='')}/{quote(row.ref)}"
        line = OrderLine(
            address, row.name, row.system, row.ordered_on, row.ship_on, row.total, row.open_value, row.currency,
            state, tone, reasons,
        )  # fmt: skip
        found.append((not decision.hold, row.ship_on or row.ordered_on, line))
    found.sort(key=lambda one: one[:2])
    return {"orders": [line for _, _, line in found]}


# --- the credit file -------------------------------------------------------------------------------------------------------
_FILE_TONES = {"warning": "warn", "decision": "", "dunning": "warn", "promise": "ok", "order": "", "limit": "ok"}


def file(asked: Asked) -> dict[str, Any]:
    """The credit file as a time line, newest first."""
    lines = timeline(asked.tx, asked.one.judged.debtor, asked.front.config.business.time_zone)[::-1]
    kind = asked.query.get("kind", "")
    present = {one.kind for one in lines}
    if kind in KINDS:
        lines = [one for one in lines if one.kind == kind]
    start = _number(asked.query.get("after"))
    part = lines[start : start + _LINES]
    return {
        "lines": [
            (one, one.text if asked.personal or not one.personal else MASKED, _FILE_TONES.get(one.kind, ""))
            for one in part
        ],
        "count": len(lines),
        "first": start,
        "next": start + _LINES if start + _LINES < len(lines) else None,
        "kind": kind if kind in KINDS else "",
        "kinds": [(name, text) for name, text in KINDS.items() if name in present],
        "kind_words": KINDS,
        "masked": sum(one.personal for one in part) if not asked.personal else 0,
        "personal": asked.personal,
    }


# --- score, warnings -------------------------------------------------------------------------------------------------------
def score(asked: Asked) -> dict[str, Any]:
    """The score with its parts, and how it has moved."""
    from connector.credit.score_inputs import INPUTS
    from connector.store import scores

    one = asked.one.judged.score
    return {
        "score": one,
        "parts_of_score": score_told.lines(one) if one is not None else (),
        "capped": [INPUTS[name].name for name in one.capped] if one is not None else (),
        "course": scores.history(asked.tx, asked.one.judged.debtor)[:24],
    }


def warnings(asked: Asked) -> dict[str, Any]:
    """Every indicator: where it stands and why; and the warnings that have ended."""
    rules = asked.policy.of(asked.row.segment).warning
    found = warned.shown(asked.one.judged.decision, rules)
    order = ("red", "orange", "yellow", "green")
    standing = alerts.standing(asked.tx, [asked.one.judged.debtor]).get(asked.one.judged.debtor, {})
    found.sort(key=lambda one: (not one["known"] or not one["applies"], order.index(one["level"] or "green")))
    return {
        "indicators": [
            {**one, "title": _named(one["name"], one["value"], one["level"]), "text": Text(one["en"], one["zh"])}
            for one in found
        ],
        "ended": [
            {**one, "title": _named(one["indicator"], one["value"], one["level"])}
            for one in warning_answer.ended(asked.tx, asked.row, "yellow")[:50]
        ],
        "level_words": LEVEL_TEXTS,
        "noted": alerts.acknowledged(asked.tx, [asked.one.judged.debtor]).get(asked.one.judged.debtor, {}),
        "standing_names": {name: named(name, one.value) for name, one in standing.items()},
        "today": asked.one.day,
    }


def _named(name: str, value: str | None, level: str | None) -> Text:
    text = named(name, value) if level != "green" else WARNINGS.get(name, Text(name, name))
    return Text(text.en[:1].upper() + text.en[1:], text.zh)


# --- what changed ----------------------------------------------------------------------------------------------------------
_MOVED = ("balance", "overdue", "exposure", "limit")
_MOVED_MOST = 300
_MANY = 1500


def changes(asked: Asked) -> dict[str, Any]:
    """Two days side by side, each difference with its causes."""
    day = asked.one.day
    start = day_of(asked.query.get("from", "")) or day - dt.timedelta(days=30)
    end = min(day_of(asked.query.get("to", "")) or day, day)
    wrong = {} if start <= end else {"from": Text("The first day comes after the second.", "起始日期晚于结束日期。")}
    found, many = None, 0
    if not {"from", "to"} & asked.query.keys():
        # A customer with very many open documents is compared when somebody says so.
        many = known.count(asked.tx, [m.key for m in asked.one.judged.members], start, _MANY + 1)
    if not wrong and many <= _MANY:
        front, debtor = asked.front, asked.one.judged.debtor
        found = compare(asked.tx, front.config, asked.policy, front.clock, debtor, start, end)
    figures = []
    if found is not None:
        for name in {**found.start.known, **found.end.known}:
            was = found.start.shown.get(name) if found.start.shown is not None else None
            before, after = found.start.known.get(name), found.end.known.get(name)
            if any((was, before, after)):
                title = bucket(name.removeprefix("bucket ")) if name.startswith("bucket ") else NAMES[name]
                change = (after or Decimal(0)) - (before or Decimal(0))
                figures.append((title, was, before, after, change))
    return {
        "start": start,
        "end": end,
        "compared": found,
        "figures": figures,
        "moved": found.moved[:_MOVED_MOST] if found is not None else (),
        "left_out": max(0, len(found.moved) - _MOVED_MOST) if found is not None else 0,
        "shown": _MOVED,
        "names": NAMES,
        "moved_kinds": MOVED_KINDS,
        "wrong_days": wrong,
        "many": many > _MANY,
    }


# --- papers ----------------------------------------------------------------------------------------------------------------
def papers(asked: Asked) -> dict[str, Any]:
    """What is on file, and what the file lacks for the limit."""
    debtor = asked.one.judged.debtor
    lacking = lacking_of(asked.tx, asked.policy, asked.one.day, [asked.row]).get(debtor, [])
    room = asked.front.config.service.paper_mib
    return {
        "most": room,
        "papers": sorted(kept.papers(asked.tx, [debtor]), key=lambda one: one.dated_on, reverse=True),
        "lacking": [one.text for one in lacking],
        "paper_kinds": PAPERS,
        "today": asked.one.day,
    }
