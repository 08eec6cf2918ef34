"""Mappings: TOML tables, field ↔ field, by which records become facts and actions become a system's own values.

One document per system. Reading: one table per kind of fact.

    adapter = "tryton"

    [read.customer]                       # the name is free; `fact` defaults to it
    stream = "customers"                  # which stream's records
    # fact = "customer"
    # each = "lines"                      # one fact per element of this list; "^.x" reads from the record around it
    # where = { state = ["posted"] }      # only records whose value is one of these; [] = must be absent
    # unless = { kind = ["internal"] }    # not records whose value is one of these
    [read.customer.fields]
    id = "code"                           # a dotted path: "owner.id", "identifiers.0.code"; "note?": absent where there is no such field
    status = { from = "active", values = { true = "active", false = "inactive" } }
    owner = { first = ["owner.email", "owner.id"] }       # the first that is there
    currency = { value = "CNY" }                           # a constant
    terms = { from = "payment_term", convert = "terms", default = "net:30" }   # default for an *absent* value only
    received_on = { from = "date", format = "%d.%m.%Y" }
    reason = { from = "Release_Request", field = { label = "Release Request", type = "text" } }   # `field`: ours, made by provisioning

Each fact field has a converter by its own type (money by the fact's currency, dates, decimals, words); `convert` names
another from the closed list in `connector.converters`. `prefix` is put before an id, `absolute` and `negate` change a
sign. Members whose names start with `_` were added by the adapter. A record with a bad value gives a problem and no
fact; a wrong optional value is never read as "not known".

Writing: one table per kind of action; the right side is our vocabulary (`CUSTOMER_WORDS`, `ORDER_WORDS`, `TASK_WORDS`,
`CLOSE_TASK_WORDS`).

    [write.customer_fields.fields]
    Credit_Limit = { from = "limit", field = { label = "Credit Limit", type = "money" } }   # `field`: what provisioning makes
    Credit_Status = { from = "level", values = { green = "Good", yellow = "Watch", orange = "Warning", red = "Stop" } }
    Overdue_Band = { from = "overdue_days", band = [0, 30, 60, 90] }       # "0", "1-30", "31-60", "61-90", "91+"
    Credit_As_Of = { from = "as_of", quiet = true }                        # never a reason to write by itself
    Reviewed_At = { from = "as_of", convert = "epoch_ms" }                 # or text, integer, epoch_s; `format` for dates

No expression language: what pairs and converters cannot say belongs into the adapter. The loader reports all problems
at once, each with the nearest right name.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from connector.adapter import ACTION_KINDS, Adapter, Need, Record, nearest
from connector.converters import CONVERTERS, Context
from connector.errors import ConfigError, Problem
from connector.mapping_notes import Notes
from connector.mapping_read import ReadTable, read_table
from connector.mapping_write import WriteTable, made_field, write_table
from connector.model import Fact
from connector.text import Text
from connector.toml_text import toml_of

__all__ = ["CONVERTERS", "Context", "Mapping", "Step", "diff", "load", "shipped"]

# Our vocabulary for what is written to a system about a customer.
CUSTOMER_WORDS: dict[str, str] = {
    "customer_no": "number of the customer in the system that owns the ledger",
    "name": "the customer's name there",
    "currency": "currency of the amounts below",
    "limit": "effective limit of the day, absent where there is none or it is unlimited",
    "limit_kind": "none, unlimited or amount",
    "exposure": "total exposure",
    "available": "limit less exposure, not above 0 while credit is stopped",
    "utilisation": "exposure divided by limit, as a fraction",
    "utilisation_percent": "the same in percent, rounded to a whole number",
    "balance": "receivable balance",
    "overdue": "overdue amount",
    "overdue_days": "days past due of the oldest item, 0 where nothing is overdue",
    "hold": "whether orders of this customer are held",
    "hold_reason": "why, with the numbers, in the system's language; absent where not held",
    "level": "warning level: green, yellow, orange, red",
    "score": "credit score, absent until there is one",
    "grade": "credit grade, absent until there is one",
    "as_of": "the day the figures are of",
}
# … about an order,
ORDER_WORDS: dict[str, str] = {
    "order_no": "number of the order",
    "hold": "whether this order is held",
    "hold_reason": "why, with the numbers and the way out, in the system's language; absent where not held",
    "release": "where a release stands, in the system's language: asked for, refused, given by whom; absent where nobody asked",
    "released": "whether this order goes on although its customer is held: somebody has released it",
    "level": "warning level of the customer",
    "as_of": "the day of the decision",
}
# … for a task somebody gets,
TASK_WORDS: dict[str, str] = {
    "subject": "one line in the system's language",
    "body": "the text with the numbers",
    "due_on": "when it should be done",
    "owner": "id of the person in that system, absent where unknown",
    "priority": "high or normal",
    "customer": "remote id of the customer's record there",
    "key": "our idempotency key, to be kept in a field that can be searched",
}
# … when that task is closed, because its matter is decided,
CLOSE_TASK_WORDS: dict[str, str] = {
    "done": "true",
    "done_on": "the day",
    "why": "one sentence in the system's language",
}
# … and for a limit that is kept elsewhere.
LIMIT_WORDS: dict[str, str] = {
    "limit": "the approved amount",
    "limit_kind": "none, unlimited or amount",
    "currency": "its currency",
}

# Which words each kind of action may say.
WORDS: dict[str, dict[str, str]] = {
    "customer_fields": CUSTOMER_WORDS,
    "order_fields": ORDER_WORDS,
    "hold": {**CUSTOMER_WORDS, **ORDER_WORDS},
    "limit": {**CUSTOMER_WORDS, **LIMIT_WORDS},
    "task": TASK_WORDS,
    "close_task": CLOSE_TASK_WORDS,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one field of one record, for people: before, after, or what is wrong."""

    table: str
    field: str
    before: str
    after: str
    problem: Problem | None = None


@dataclass(frozen=True)
class Mapping:
    """One system's mapping, checked and compiled. `version` is a fingerprint of the text."""

    name: str
    text: str
    document: Dict[str, Any]
    version: str
    reads: Dict[str, tuple[ReadTable, ...]]
    writes: Dict[str, WriteTable]
    made: tuple[tuple[str, Need], ...] = ()

    def streams(self) -> tuple[str, ...]:
        """The streams whose records this mapping reads."""
        return tuple(self.reads)

    def facts(self, stream: str) -> tuple[str, ...]:
        """The kinds of fact that come from one stream."""
        return tuple(dict.fromkeys(table.fact for table in self.reads.get(stream, ())))

    def wanted(self, stream: str) -> tuple[str, ...]:
        """The paths read from one stream's records, so that an admin's own fields are asked for."""
        return tuple(dict.fromkeys(path for table in self.reads.get(stream, ()) for path in table.wanted()))

    def read(self, stream: str, record: Record, *, context: Context) -> tuple[list[Fact], list[Problem]]:
        """The facts in one record, and what could not be read. A fact with a bad value is left out as a whole."""
        facts: list[Fact] = []
        problems: list[Problem] = []
        for table in self.reads.get(stream, ()):
            table.read(record, context, facts, problems)
        return facts, problems

    def trace(self, stream: str, record: Record, *, context: Context) -> Iterator[Step]:
        """The same, field by field, for people who try a mapping."""
        for table in self.reads.get(stream, ()):
            for name, before, after, wrong in table.trace(record, context):
                where = record.where or record.key
                problem = Problem(wrong.code, where, wrong.what, wrong.fix, name) if wrong else None
                yield Step(table.name, name, before, after, problem)

    def writes_to(self, kind: str) -> bool:
        """Whether anything is written for this kind of action."""
        return kind in self.writes and bool(self.writes[kind].fields)

    def write(
        self, kind: str, words: Dict[str, object], *, context: Context | None = None
    ) -> tuple[dict[str, Any], str]:
        """The values in the system's own names, and a digest of those that are worth a call.

        `words` are ours for this kind (`WORDS`); one that is absent or None clears its field. Nothing is mapped: ({}, "").
        """
        if not self.writes_to(kind):
            return {}, ""
        return self.writes[kind].write(words, context or Context())

    def needs(self, kind: str, about: str) -> list[Need]:
        """The fields of ours that must exist on `about` (`Accounts`, `res.partner`) for this kind of action."""
        return self.writes[kind].needs(about) if kind in self.writes else []

    def needs_to_read(self, fact: str, about: str) -> list[Need]:
        """The fields of ours that people fill in on `about` and this kind of fact is read from."""
        return [replace(need, object=about) for kind, need in self.made if kind == fact]


def load(text: str, *, name: str, adapter: Adapter[Any] | None = None) -> tuple[Mapping | None, list[Problem]]:
    """A mapping from its text, or all that is wrong with it at once.

    `name` is the file's, for messages. With `adapter`, streams and kinds of action are checked against what it offers.
    """
    notes = Notes(name, text)
    try:
        document = toml_of(text)
    except tomllib.TOMLDecodeError as wrong:
        notes.problems.append(_not_toml(name, str(wrong)))
        return None, notes.problems
    _check_head(notes, document, adapter)
    reads: dict[str, list[ReadTable]] = {}
    made: list[tuple[str, Need]] = []
    for table_name, table in _tables(notes, document, "read"):
        if (reading := read_table(notes, table_name, table, adapter)) is not None:
            reads.setdefault(reading.stream, []).append(reading)
            made += [(reading.fact, need) for need in _made(notes, table_name, table)]
    writes: dict[str, WriteTable] = {}
    kinds = tuple(c.kind for c in adapter.channels) if adapter else ACTION_KINDS
    for kind, table in _tables(notes, document, "write"):
        if kind not in ACTION_KINDS:
            notes.unknown(("write", kind), kind, ACTION_KINDS, Text("kind of action", "操作类别"))
        elif kind not in kinds:
            notes.add(
                "no_channel",
                ("write", kind),
                Text("“{name}” cannot do “{kind}”.", "“{name}”不支持“{kind}”。").fill(
                    name=adapter and adapter.name, kind=kind
                ),
                Text("Remove the table.", "请删除该表。"),
            )
        if kind in WORDS and (writing := write_table(notes, kind, table, WORDS[kind])) is not None:
            writes[kind] = writing
    if notes.problems:
        return None, notes.problems
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Mapping(name, text, document, version, {s: tuple(t) for s, t in reads.items()}, writes, tuple(made)), []


def _made(notes: Notes, name: str, table: dict[str, Any]) -> Iterator[Need]:
    """The fields of ours that a `[read.NAME]` table reads, as its `field` says."""
    for field, spec in table.get("fields", {}).items():
        if isinstance(spec, dict) and "field" in spec and isinstance(spec.get("from"), str):
            # One that is read only where it is there is made all the same.
            path = spec["from"].replace("?", "")
            need = made_field(notes, ("read", name, "fields", field, "field"), path, spec["field"])
            if need is not None:
                yield need


def _not_toml(name: str, message: str) -> Problem:
    found = re.search(r"at line (\d+), column (\d+)", message)
    where = f"{name}:{found[1]}" if found else name
    detail = re.sub(r" *\(at [^)]*\)", "", message)
    return Problem(
        "not_toml",
        where,
        Text("This is not TOML: {detail}.", "这不是合法的 TOML：{detail}。").fill(detail=detail),
        Text(
            "Correct the line; texts stand in double quotes, one `name = value` a line.",
            "请更正该行；文本须加双引号，每行一个 `名称 = 值`。",
        ),
    )


_TOP = ("adapter", "read", "write")


def _check_head(notes: Notes, document: dict[str, Any], adapter: Adapter[Any] | None) -> None:
    for key in document:
        if key not in _TOP:
            notes.unknown((key,), key, _TOP, Text("key", "键"))
    if adapter is not None and document.get("adapter") != adapter.name:
        notes.add(
            "wrong_adapter",
            ("adapter",),
            Text(
                "This mapping is for “{theirs}”, the system uses “{ours}”.",
                "该映射用于“{theirs}”，而该系统使用“{ours}”。",
            ).fill(theirs=document.get("adapter", "?"), ours=adapter.name),
            Text(
                'Write `adapter = "{ours}"` in its first line, or choose another mapping.',
                '请在首行写上 `adapter = "{ours}"`，或换用其他映射。',
            ).fill(ours=adapter.name),
        )
    if not document.get("read") and not document.get("write"):
        notes.add(
            "empty",
            (),
            Text("The mapping has neither `read` nor `write` tables.", "该映射没有任何 `read` 或 `write` 表。"),
            Text(
                "Start from the shipped one: `holdfast mapping show ADAPTER`.",
                "请从自带的映射开始：`holdfast mapping show 适配器名`。",
            ),
        )


def _tables(notes: Notes, document: dict[str, Any], half: str) -> Iterator[tuple[str, Any]]:
    tables = document.get(half, {})
    if not isinstance(tables, dict):
        notes.add(
            "bad_field",
            (half,),
            Text("`{half}` is not a table.", "`{half}` 不是表。").fill(half=half),
            Text("Write `[{half}.NAME]`.", "请写成 `[{half}.名称]`。").fill(half=half),
        )
        return
    yield from tables.items()


def shipped(adapter_name: str) -> str:
    """The text of the mapping that comes with an adapter. Raises ConfigError naming the nearest one there is."""
    folder = resources.files("mappings")
    file = folder / f"{adapter_name}.toml"
    if not re.fullmatch(r"\w+", adapter_name) or not file.is_file():
        names = [f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")]
        raise ConfigError(
            Text(
                "No mapping is shipped for “{name}”. Did you mean {near}?",
                "没有为“{name}”提供自带映射。是否应为 {near}？",
            ).fill(name=adapter_name, near=nearest(adapter_name, names))
        )
    return file.read_text(encoding="utf-8")


def diff(old: Mapping, new: Mapping) -> list[str]:
    """What differs, a line for each setting: `+` is new, `-` is gone, `~` has changed."""
    before, after = dict(_flat(old.document)), dict(_flat(new.document))
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            lines.append(f"- {key} = {before[key]}")
        elif key not in before:
            lines.append(f"+ {key} = {after[key]}")
        elif before[key] != after[key]:
            lines.append(f"~ {key}: {before[key]} → {after[key]}")
    return lines


def _flat(table: Dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and (not path or path.count(".") < 2) and key != "where" and key != "unless":
            yield from _flat(value, here)
        else:
            yield here, _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_shown(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
