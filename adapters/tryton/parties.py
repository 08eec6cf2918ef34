"""Parties as what we write to: found by the customer's number, read back, and written only where something differs.

Every write moves a party's `write_date`, even with equal values, and so would come back to us as a change; hence the
comparison. All pairs of one `write` are one transaction: where Tryton refuses a batch, each party is written by itself,
so that one bad value does not keep the others waiting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.adapter import Change, Outcome, Write
from connector.errors import RejectedError
from connector.text import Text

from .books import Row
from .client import Tryton
from .values import instant

Wish = tuple[int, dict[str, Any]]


def by_code(client: Tryton, codes: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
    """Parties by the customer's number, inactive ones too."""
    rows = client.rows_of("party.party", "code", list(codes), ["code", *fields])
    return {r["code"]: r for r in rows}


def write(
    client: Tryton,
    writes: Sequence[Write],
    fields: Sequence[str],
    change: Callable[[Row, Mapping[str, Any]], dict[str, Any]],
) -> list[Outcome]:
    """One outcome per write. `change(row, values)` says what to send, {} where the party is already so.

    A RejectedError that `change` raises parks this one write.
    """
    there = by_code(client, [w.target for w in writes], fields)
    outcomes: list[Outcome | None] = [None] * len(writes)
    changes: dict[int, Wish] = {}
    for place, one in enumerate(writes):
        row = there.get(one.target)
        if row is None:
            outcomes[place] = Outcome("rejected", why=_UNKNOWN.fill(code=one.target), code="unknown_customer")
            continue
        try:
            values = change(row, one.values)
        except RejectedError as wrong:
            outcomes[place] = Outcome("rejected", str(row["code"]), wrong.user, wrong.code)
            continue
        if values:
            changes[place] = (row["id"], values)
    for place, why in _send(client, changes).items():
        outcomes[place] = Outcome("rejected", writes[place].target, why, "refused")
    return [o or Outcome("done", w.target) for o, w in zip(outcomes, writes, strict=True)]


def _send(client: Tryton, changes: Mapping[int, Wish]) -> dict[int, Text]:
    """Writes all at once, else one by one; says which were refused, and why."""
    if not changes:
        return {}
    try:
        _write(client, list(changes.values()))
    except RejectedError as wrong:
        if len(changes) == 1:
            return dict.fromkeys(changes, wrong.user)
        refused: dict[int, Text] = {}
        for place, one in changes.items():
            refused |= _send(client, {place: one})
        return refused
    return {}


def _write(client: Tryton, changes: Sequence[Wish]) -> None:
    # Equal changes share a pair: 200 holds are one. The same party twice in one call is refused, the later one wins.
    latest = dict(changes)
    pairs: list[tuple[list[int], dict[str, Any]]] = []
    for party, values in latest.items():
        for ids, same in pairs:
            if same == values:
                ids.append(party)
                break
        else:
            pairs.append(([party], values))
    client.call("model.party.party.write", *[part for pair in pairs for part in pair])


def write_fields(client: Tryton, writes: Sequence[Write]) -> list[Outcome]:
    """Sets fields of parties by name: those of a module of the customer's own, or of the limit."""
    names = sorted({name for w in writes for name in w.values})
    known = client.fields("party.party", names)
    missing = [n for n in names if n not in known]
    if missing:
        why = _NO_FIELD.fill(name=", ".join(missing))
        return [Outcome("rejected", w.target, why, "unknown_field") for w in writes]

    def change(row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: _typed(value, known[name]["type"]) for name, value in values.items() if not same(row.get(name), value)
        }

    return write(client, writes, names, change)


def same(there: Any, ours: Any) -> bool:
    """Whether a value that was read is the one we would write. An empty text is as absent as null; nought is not."""
    if isinstance(ours, bool):
        return bool(there) == ours
    if isinstance(ours, Decimal | int) and there is not None:
        return Decimal(there) == ours
    if isinstance(ours, dt.date):
        ours = ours.isoformat()
    if ours is None or ours == "":
        return there is None or there == ""
    return bool(there == ours)


def _typed(value: Any, kind: str) -> Any:
    if isinstance(value, str) and kind == "date":
        return dt.date.fromisoformat(value)
    if isinstance(value, int) and not isinstance(value, bool) and kind == "numeric":
        return Decimal(value)
    return value


def current(client: Tryton, targets: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What stands in these fields now, by customer number."""
    return {code: {n: row.get(n) for n in names} for code, row in by_code(client, targets, names).items()}


def changes(client: Tryton, targets: Sequence[str]) -> dict[str, Change]:
    """Who last changed these parties and when, by customer number, as far as the user may see it."""
    known = client.fields("party.party", ["write_uid", "write_date"])
    names = [
        *(["write_uid.rec_name"] if "write_uid" in known else []),
        *(["write_date"] if "write_date" in known else []),
    ]
    found = {}
    for code, row in by_code(client, targets, names).items():
        who, at = row.get("write_uid"), row.get("write_date")
        found[code] = Change(str(who["rec_name"]) if isinstance(who, dict) else "", instant(at) if at else None)
    return found


_UNKNOWN = Text("Tryton has no party with the code {code}.", "Tryton 中没有编号为 {code} 的参与方。")
_NO_FIELD = Text(
    "Tryton's party has no field “{name}”. Install the module that has it, or take the line out of the mapping.",
    "Tryton 的参与方（party）没有字段“{name}”。请安装提供该字段的模块，或从映射中删除该行。",
)
