"""Tasks as notes on the party: Tryton has no task or activity in its sales and accounting modules.

A note carries subject, text, due date and, in its last line, our key. Users who are not administrators may search notes
only within named records, so the search for a key names the parties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.adapter import Outcome, Write
from connector.errors import RejectedError
from connector.text import Text

from . import parties
from .client import Tryton

_MARK = "Holdfast: "
_KEY = re.compile(rf"^{_MARK}(.+)$", re.MULTILINE)
_PARTIES = 5000  # parties named in one search


def send(client: Tryton, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Makes one note each. Values: `subject`, `body`, `due_on`, `priority`, `customer` (the customer's number), `key`."""
    target = [str(w.values.get("customer") or w.target) for w in writes]
    there = parties.by_code(client, target, [])
    outcomes: list[Outcome] = [
        Outcome(
            "rejected",
            why=Text("Tryton has no party with the code {code}.", "Tryton 中没有编号为 {code} 的参与方。").fill(code=t),
            code="unknown_customer",
        )
        for t in target
    ]
    places = [n for n, t in enumerate(target) if t in there]
    notes = [
        {"resource": f"party.party,{there[target[n]]['id']}", "message": message(writes[n], client.connection.language)}
        for n in places
    ]
    for place, made in zip(places, create(client, notes), strict=True):
        outcomes[place] = made
    return outcomes


def create(client: Tryton, notes: list[dict[str, str]]) -> list[Outcome]:
    """Makes notes in one call, else one by one; one outcome each."""
    if not notes:
        return []
    try:
        ids = client.call("model.ir.note.create", notes, safe=False)
    except RejectedError as wrong:
        # One transaction: nothing was made. Find out which one it was.
        if len(notes) == 1:
            return [Outcome("rejected", why=wrong.user, code="refused")]
        return [made for note in notes for made in create(client, [note])]
    return [Outcome("done", str(i)) for i in ids]


def message(write: Write, language: str = "en") -> str:
    """The text of a note."""
    values = write.values
    due, high = values.get("due_on"), values.get("priority") == "high"
    lines = [str(values.get("subject") or "").strip(), str(values.get("body") or "").strip()]
    if high:
        lines[0] = f"【重要】{lines[0]}" if language == "zh" else f"[Important] {lines[0]}"
    if due:
        lines.append(f"完成期限：{due}" if language == "zh" else f"Due: {due}")
    lines.append(f"{_MARK}{values.get('key') or write.key}")
    return "\n\n".join(line for line in lines if line)


def find(client: Tryton, keys: Sequence[str]) -> Mapping[str, str]:
    """Notes that carry one of our keys: key → id of the note."""
    wanted = set(keys)
    found: dict[str, str] = {}
    like: list[Any] = ["OR", *(["message", "like", f"%{_MARK}{_escaped(key)}%"] for key in sorted(wanted))]
    for ids in client.ids("party.party", []):
        for start in range(0, len(ids), _PARTIES):
            named = [f"party.party,{i}" for i in ids[start : start + _PARTIES]]
            for row in client.rows("ir.note", [["resource", "in", named], like], ["message"]):
                for key in _KEY.findall(row["message"] or ""):
                    if key in wanted:
                        found.setdefault(key, str(row["id"]))
    return found


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
