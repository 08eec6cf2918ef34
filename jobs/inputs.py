"""Inputs: what a decision was concluded from, as it is kept beside it, so that it can be concluded again.

Kept are the sums and limits that went into the position, the exchange rates used, what stands above in the group, the
orders, what earlier decisions left behind, and how far the facts went. The policy's text is kept once for each version.
`jobs.recall` reads it back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_type_hints

from connector.credit.group import Node
from connector.credit.reason import Reason
from connector.credit.totals import Totals
from connector.model import Limit
from connector.store import Connection, documents
from connector.store.amendments import Upto
from connector.store.customers import CustomerRow
from connector.store.decisions import DecisionRow
from connector.store.order_values import OrderRow
from connector.text import Text
from jobs import watch
from jobs.frame import Frame
from jobs.inputs_orders import about_kept, rooms_kept
from jobs.judge import Judged
from jobs.program import rules_version

# The kinds of document that keep every policy by which something was ever decided, under its version; and the names of
# the columns of kept rows, under their own hash: rows have other columns in other years.
POLICY_USED = "policy_used"
COLUMNS_USED = "columns_used"

# What of the decision before goes on in the next one.
SINCE = ("held_since", "warned_since", "held_until")

_MEMBER = ("key", "system", "ref", "name", "debtor", "currency", "status", "segment")


class Rows:
    """A class of rows as lists of JSON values, in the order of its fields, and back."""

    def __init__(self, kind: Callable[..., Any], names: Sequence[str], types: Sequence[str]) -> None:
        self.kind, self.names = kind, names
        self._back = {name: _reader(each) for name, each in zip(names, types, strict=True)}

    def kept(self, row: Any) -> list[Any]:
        """One row as values of JSON: decimals and days as text."""
        return [plain(getattr(row, name)) for name in self.names]

    def row(self, kept: Sequence[Any], names: Sequence[str]) -> Any:
        """The row back from values under the names of the day on which it was kept."""
        pairs = [(name, value) for name, value in zip(names, kept, strict=True) if name in self._back]
        return self.kind(**{name: None if value is None else self._back[name](value) for name, value in pairs})


def plain(value: Any) -> Any:
    """A value of a row as JSON has it."""
    kind = value.__class__
    return format(value, "f") if kind is Decimal else value.isoformat() if kind is dt.date else value


def _reader(kind: str) -> Callable[[Any], Any]:
    if "Decimal" in kind:
        return Decimal
    if "date" in kind:
        return dt.date.fromisoformat
    return tuple if "tuple" in kind else lambda value: value


def _rows_of(kind: Any) -> Rows:
    given = get_type_hints(kind)
    return Rows(kind, list(given), [str(each) for each in given.values()])


TOTALS, LIMITS, ORDERS = _rows_of(Totals), _rows_of(Limit), _rows_of(OrderRow)
MEMBERS = Rows(CustomerRow, _MEMBER, ["str"] * len(_MEMBER))
COLUMNS = json.dumps(
    {"totals": TOTALS.names, "limits": LIMITS.names, "orders": ORDERS.names, "members": list(MEMBERS.names)}
)
COLUMNS_SHA = hashlib.sha256(COLUMNS.encode()).hexdigest()[:12]


def packed(frame: Frame, judged: Judged, before: DecisionRow | None, upto: Upto) -> bytes:
    """The inputs of a decision as the store keeps them."""
    keys = frame.members[judged.debtor]
    sums, limits, paid = judged.facts.sums, judged.facts.limits, judged.facts.paid
    rows = {key: sums[key] for key in keys if key in sums}
    pieces = {key: limits[key] for key in keys if key in limits}
    orders = [row for row, _ in judged.orders]
    said: Mapping[str, Any] = before.body if before and judged.lasts else {}
    systems = dict.fromkeys(m.system for m in judged.members)
    kept = {
        "program": rules_version(),
        "columns": COLUMNS_SHA,
        "currency": frame.config.business.currency,
        "systems": frame.systems,
        "upto": [upto.item, upto.application, upto.instalment, upto.amendment],
        "members": [MEMBERS.kept(m) for m in judged.members],
        "totals": {key: [TOTALS.kept(row) for row in own] for key, own in rows.items()},
        "limits": {key: [LIMITS.kept(row) for row in own] for key, own in pieces.items()},
        "paid": {key: {ref: plain(share) for ref, share in paid[key].items()} for key in keys if key in paid},
        "released": {ref: day.isoformat() for ref, day in frame.released.get(judged.debtor, {}).items()},
        "quotes": list(_quotes(frame, judged, rows.values(), pieces.values(), orders)),
        "above": [_node(node) for node in judged.decision.ancestors],
        "stale": {s: _reason(frame.stale[s]) for s in systems if s in frame.stale},
        "orders": [ORDERS.kept(row) for row in orders],
        "about": about_kept(judged.decision.about),
        "rooms": rooms_kept(judged.rooms),
        "watched": watch.kept(judged.signs, judged.decision.warned),
        "graded": [plain(judged.decision.score), judged.decision.grade],
        "before": [said.get(name) for name in SINCE],
    }
    return zlib.compress(_JSON.encode(kept).encode("utf-8", "surrogatepass"), 1)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def unpacked(kept: bytes) -> dict[str, Any]:
    """The inputs back, as JSON."""
    found: dict[str, Any] = json.loads(zlib.decompress(kept).decode("utf-8", "surrogatepass"))
    return found


def _quotes(
    frame: Frame,
    judged: Judged,
    sums: Iterable[Sequence[Totals]],
    limits: Iterable[Sequence[Limit]],
    orders: Sequence[OrderRow],
) -> Iterable[list[Any]]:
    """The exchange rates between all currencies that occur, as multiplier and divisor."""
    currencies = {frame.config.business.currency, judged.position.currency}
    currencies.update(p.currency for p in judged.own.values())
    currencies.update(row.currency for own in sums for row in own)
    currencies.update(row.currency for own in limits for row in own if row.currency)
    currencies.update(row.currency for row in orders)
    if len(currencies) == 1:
        return
    for frm in sorted(currencies):
        for to in sorted(currencies - {frm}):
            quote = frame.rates.quote(frm, to, frame.as_of)
            if quote is not None:
                yield [frm, to, f"{quote.multiply:f}", f"{quote.divide:f}", quote.on.isoformat(), quote.how]


def _node(node: Node) -> dict[str, Any]:
    quote = node.quote
    return {
        "ref": node.ref,
        "name": node.name,
        "currency": node.currency,
        "limit": plain(node.limit),
        "exposure": plain(node.exposure),
        "seen_in": node.seen_in,
        "quote": quote and [f"{quote.multiply:f}", f"{quote.divide:f}", quote.on.isoformat(), quote.how],
        "unclear": [_reason(reason) for reason in node.unclear],
    }


def _reason(reason: Reason) -> list[Any]:
    return [reason.rule, reason.text.en, reason.text.zh, reason.numbers, list(reason.documents)]


def reason_of(kept: Sequence[Any]) -> Reason:
    """A reason as it was told."""
    rule, en, zh, numbers, papers = kept
    return Reason(rule, Text(en, zh), numbers, tuple(papers))


def keep_terms(tx: Connection, frame: Frame, now: dt.datetime) -> None:
    """Keeps the text of the policy by which is decided, and the names of the columns, once for each version."""
    documents.save(tx, COLUMNS_USED, COLUMNS_SHA, COLUMNS, author="job:evaluate", now=now)
    documents.save(
        tx, POLICY_USED, frame.policy_version, frame.policy.model_dump_json(), author="job:evaluate", now=now
    )
