"""Recalling: decisions concluded again from what was kept beside them, to the byte.

Through the same functions as on the day itself; what has changed in the facts, the rates or the policy since does not
matter. Whoever wants to know why something was decided years ago gets the same figures and the same sentences.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.config import Config
from connector.credit.group import Node
from connector.credit.rates import Quote, Rates
from connector.policy import Policy, recalled
from connector.store import Connection, decisions, documents
from connector.store.amendments import Upto
from connector.store.decisions import DecisionRow
from jobs import inputs, watch
from jobs.conclusion import body_of
from jobs.frame import Frame, View
from jobs.inputs import LIMITS, MEMBERS, ORDERS, POLICY_USED, TOTALS, reason_of
from jobs.inputs_orders import about_of, rooms_of
from jobs.judge import Judged, judged_of
from jobs.judge_facts import Facts
from jobs.program import rules_version


class KeptRates(Rates):
    """The rates that were used, and no others."""

    def __init__(self, kept: Collection[list[Any]], base: str) -> None:
        super().__init__([], base, 0)
        self._used = {(frm, to): _quote(rest) for frm, to, *rest in kept}

    def quote(self, frm: str, to: str, on: dt.date) -> Quote | None:
        """What converted one currency into another on the day."""
        return super().quote(frm, to, on) if frm == to else self._used.get((frm, to))


def _quote(kept: Collection[Any]) -> Quote:
    multiply, divide, on, how = kept
    return Quote(Decimal(multiply), Decimal(divide), dt.date.fromisoformat(on), how)


@dataclass(frozen=True)
class Kept:
    """A decision with what it was concluded from, ready to be concluded again. `program` is the version of the rules'
    code that made it; None: one so old that it did not say."""

    row: DecisionRow
    frame: Frame
    judged: Judged
    upto: Upto
    since: dict[str, str | None]
    program: str | None = None

    @property
    def own(self) -> bool:
        """Whether this very version of the program made it, which must come to the same byte for byte."""
        return self.program == rules_version()


@dataclass
class Replayed:
    """What a replay found: how many decisions came out the same to the byte, which did not, which came out otherwise and
    were made by another version of the program (by that version), and which cannot be replayed because nothing was kept
    beside them."""

    same: int = 0
    other: list[DecisionRow] = field(default_factory=list)
    changed: dict[str | None, list[DecisionRow]] = field(default_factory=dict)
    unkept: list[DecisionRow] = field(default_factory=list)


def recall(tx: Connection, config: Config, row: DecisionRow, policies: dict[str, Policy] | None = None) -> Kept | None:
    """A decision as it was judged; None where nothing was kept beside it. `policies` saves reading them again."""
    if row.inputs is None:
        return None
    kept = inputs.unpacked(row.inputs)
    policy = _policy(tx, row.policy_version, policies if policies is not None else {})
    if policy is None:
        return None
    names = _columns(tx, kept["columns"])
    if names is None:
        return None

    def rows(kind: str, table: inputs.Rows, each: list[list[Any]]) -> list[Any]:
        return [table.row(one, names[kind]) for one in each]

    members = rows("members", MEMBERS, kept["members"])
    frame = Frame(
        config.model_copy(update={"business": config.business.model_copy(update={"currency": kept["currency"]})}),
        policy,
        row.as_of,
        View(),
        kept["systems"],
        KeptRates(kept["quotes"], kept["currency"]),
        {system: reason_of(reason) for system, reason in kept["stale"].items()},
    )
    frame.rows = {m.key: m for m in members}
    frame.members = {row.debtor: [m.key for m in members]}
    frame.released = {
        row.debtor: {ref: dt.date.fromisoformat(day) for ref, day in kept["released"].items()},
    }
    facts = Facts(
        {int(key): rows("totals", TOTALS, own) for key, own in kept["totals"].items()},
        {int(key): rows("limits", LIMITS, own) for key, own in kept["limits"].items()},
        {int(key): {ref: Decimal(x) for ref, x in own.items()} for key, own in kept["paid"].items()},
    )
    above = [_node(each) for each in kept["above"]]
    orders = rows("orders", ORDERS, kept["orders"])
    points, grade = kept["graded"]
    graded = (None if points is None else Decimal(points), grade)
    about, rooms = about_of(kept.get("about")), rooms_of(kept.get("rooms") or {})
    signs, states = watch.recalled(kept.get("watched"))
    judged = judged_of(frame, row.debtor, facts, above, orders, graded, about, rooms, signs, states)
    return Kept(
        row,
        frame,
        judged,
        Upto(*kept["upto"]),
        dict(zip(inputs.SINCE, kept["before"], strict=False)),
        kept.get("program"),
    )


def _node(kept: dict[str, Any]) -> Node:
    return Node(
        kept["ref"],
        kept["name"],
        kept["currency"],
        None if kept["limit"] is None else Decimal(kept["limit"]),
        Decimal(kept["exposure"]),
        kept["seen_in"],
        kept["quote"] and _quote(kept["quote"]),
        tuple(reason_of(reason) for reason in kept["unclear"]),
    )


def _columns(tx: Connection, version: str) -> dict[str, list[str]] | None:
    """The names of the columns on the day on which the rows were kept."""
    kept = documents.versions(tx, inputs.COLUMNS_USED, version)
    found: dict[str, list[str]] | None = json.loads(kept[0].text) if kept else None
    return found


def _policy(tx: Connection, version: str, known: dict[str, Policy]) -> Policy | None:
    if version not in known:
        kept = documents.versions(tx, POLICY_USED, version)
        if not kept:
            return None
        known[version] = recalled(kept[0].text)
    return known[version]


def again(kept: Kept) -> bytes:
    """The decision's content concluded again, as the store keeps it."""
    body = body_of(kept.frame, kept.judged, kept.since)
    return decisions.packed(body)


def replay(
    tx: Connection, config: Config, debtors: Collection[int] | None = None, on: dt.date | None = None
) -> Replayed:
    """Concludes kept decisions again: of some debtors (None: all), made for one day (None: every day)."""
    found = Replayed()
    policies: dict[str, Policy] = {}
    for row in decisions.everything(tx, debtors=debtors, on=on):
        kept = recall(tx, config, row, policies)
        if kept is None:
            found.unkept.append(row)
        elif again(kept) == row.kept:
            found.same += 1
        elif kept.own:
            found.other.append(row)
        else:
            found.changed.setdefault(kept.program, []).append(row)
    return found
