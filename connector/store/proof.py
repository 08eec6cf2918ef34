"""Proof of decisions: that every one is as it was made, by the hashes that the audit trail covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from connector.errors import Problem
from connector.store import audit, decisions
from connector.store.decisions import DecisionRow
from connector.text import Text


def verify(tx: Connection) -> list[Problem]:
    """Decisions that were changed, removed or put in since they were made. Those from before there was a trail are left
    out. To be asked beside `audit.verify`, which proves the entries that this rests on."""
    return list(_wrong(tx))


def _wrong(tx: Connection) -> Iterator[Problem]:
    rows = decisions.everything(tx)
    row = next(rows, None)
    for line in audit.in_order(tx, decisions.LANE):
        batch: Mapping[str, Any] = line.entry.after
        while row is not None and row.id < batch["first"]:
            yield from _outside(row)
            row = next(rows, None)
        shas, whole = [], True
        while row is not None and row.id <= batch["last"]:
            made = decisions.sha_of(row.id, row.debtor, row.as_of, row.policy_version, row.kept, row.inputs)
            if made != row.sha:
                whole = False
                yield _problem("decision_changed", str(row.id), CHANGED.fill(number=row.id, day=row.as_of))
            shas.append(row.sha or "")
            row = next(rows, None)
        where = f"{batch['first']}-{batch['last']}"
        if len(shas) != batch["count"]:
            text = (REMOVED if len(shas) < batch["count"] else ADDED).fill(
                count=abs(batch["count"] - len(shas)), where=where, entry=line.number
            )
            yield _problem("decision_removed" if len(shas) < batch["count"] else "decision_inserted", where, text)
        elif whole and decisions.chained(shas) != batch["sha"]:
            yield _problem("decision_changed", where, REMADE.fill(where=where, entry=line.number))
    while row is not None:
        yield from _outside(row)
        row = next(rows, None)


def _outside(row: DecisionRow) -> Iterator[Problem]:
    if row.sha is not None:
        yield _problem("decision_inserted", str(row.id), INSERTED.fill(number=row.id, day=row.as_of))


def _problem(code: str, where: str, what: Text) -> Problem:
    return Problem(code, f"decision {where}", what, audit.RESTORE)


CHANGED = Text(
    "Decision {number} of {day} was changed after it was made.", "{day} 的第 {number} 号信用结论在生成后被改动。"
)
INSERTED = Text(
    "Decision {number} of {day} was put in beside the trail.", "{day} 的第 {number} 号信用结论是绕过系统插入的。"
)
REMOVED = Text(
    "{count} of the decisions {where} were removed (entry {entry} of the trail).",
    "第 {where} 号信用结论中有 {count} 条被删除（见审计链第 {entry} 条记录）。",
)
ADDED = Text(
    "{count} were put in among the decisions {where} (entry {entry} of the trail).",
    "第 {where} 号信用结论中被插入 {count} 条（见审计链第 {entry} 条记录）。",
)
REMADE = Text(
    "Of the decisions {where} some were made anew (entry {entry} of the trail).",
    "第 {where} 号信用结论中有内容被重写（见审计链第 {entry} 条记录）。",
)
