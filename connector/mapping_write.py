"""The writing half of a mapping: one compiled table turns our words into a system's own values, and a digest of them.

The digest leaves out what is `quiet`, and two numbers that are equal digest alike (10 and 10.00), so that the outbox
can tell a change that is worth a call from one that is not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connector.adapter import Need
from connector.converters import Context
from connector.mapping_notes import Notes
from connector.mapping_paths import word_of
from connector.text import Text

# The words that our vocabulary may say, where it is a closed list: a `values` table must know them all.
CLOSED: dict[str, tuple[str, ...]] = {
    "hold": ("true", "false"),
    "level": ("green", "yellow", "orange", "red"),
    "limit_kind": ("none", "unlimited", "amount"),
    "priority": ("high", "normal"),
}
SPEC_KEYS = ("from", "value", "values", "band", "convert", "format", "prefix", "default", "quiet", "field")
FIELD_KEYS = ("label", "type", "length", "options", "unique")
FIELD_TYPES = ("text", "money", "number", "boolean", "date", "datetime", "choice")


def _whole(value: Any, context: Context) -> int:
    return int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))


def _epoch(value: Any, context: Context, per_second: int) -> int:
    midnight = dt.datetime.combine(value, dt.time(), ZoneInfo(context.time_zone))
    return int(midnight.timestamp()) * per_second


# What a written value can be turned into, where the system does not take it as it is.
WRITERS: dict[str, tuple[Text, Callable[[Any, Context], Any]]] = {
    "text": (Text("As text.", "转为文本。"), lambda value, context: word_of(value)),
    "integer": (Text("Rounded half up to a whole number.", "四舍五入为整数。"), _whole),
    "epoch_ms": (
        Text("Midnight of the day in the business's time zone, in milliseconds.", "企业时区当日零点的毫秒时间戳。"),
        lambda value, context: _epoch(value, context, 1000),
    ),
    "epoch_s": (
        Text("Midnight of the day in the business's time zone, in seconds.", "企业时区当日零点的秒时间戳。"),
        lambda value, context: _epoch(value, context, 1),
    ),
}


def band_labels(bounds: list[Decimal]) -> list[str]:
    """Labels of right-closed intervals: [0, 30, 60] gives 0, 1-30, 31-60, 61+."""
    shown = [word_of(b) for b in bounds]
    first = [shown[0] if bounds[0] == 0 else f"0-{shown[0]}"]
    middle = [f"{word_of(low + 1)}-{high}" for low, high in zip(bounds, shown[1:], strict=False)]
    return [*first, *middle, f"{word_of(bounds[-1] + 1)}+"]


@dataclass(frozen=True, slots=True)
class WriteField:
    """One compiled line of a `[write.…]` table."""

    name: str
    word: str
    values: Dict[str, Any]
    bounds: tuple[Decimal, ...]
    labels: tuple[str, ...]
    convert: Callable[[Any, Context], Any] | None
    format: str
    prefix: str
    default: Any
    constant: Any
    quiet: bool
    need: Need | None

    def value(self, words: Dict[str, object], context: Context) -> Any:
        """What the system gets, None where there is nothing to say."""
        if self.constant is not None:
            return self.constant
        said = words.get(self.word)
        if said is None:
            return self.default
        made: Any = said
        if self.bounds:
            number = Decimal(str(said))
            made = self.labels[next((i for i, bound in enumerate(self.bounds) if number <= bound), len(self.bounds))]
        if self.values:
            made = self.values.get(word_of(made), made)
        if self.format and isinstance(made, dt.date):
            made = made.strftime(self.format)
        elif self.convert is not None:
            made = self.convert(made, context)
        elif isinstance(made, dt.date):
            made = made.isoformat()
        if self.prefix:
            made = f"{self.prefix}{word_of(made)}"
        if (
            self.need is not None
            and self.need.type == "text"
            and isinstance(made, str)
            and len(made) > self.need.length
        ):
            made = made[: self.need.length - 1] + "…"
        return made


@dataclass(frozen=True, slots=True)
class WriteTable:
    """One `[write.…]` table, compiled."""

    kind: str
    fields: tuple[WriteField, ...]

    def write(self, words: Dict[str, object], context: Context) -> tuple[dict[str, Any], str]:
        """The values in the system's names, and the digest of those that are not quiet.

        A word that is not there clears its field (None); a new task simply does not carry it.
        """
        values: dict[str, Any] = {}
        loud: dict[str, Any] = {}
        for field in self.fields:
            value = field.value(words, context)
            if value is None and self.kind == "task":
                continue
            values[field.name] = value
            if not field.quiet:
                loud[field.name] = value
        return values, digest(loud)

    def needs(self, about: str) -> list[Need]:
        """The fields that must exist on `about` before anything is written there."""
        return [
            Need(about, f.need.name, f.need.label, f.need.type, f.need.length, f.need.options, f.need.unique)
            for f in self.fields
            if f.need is not None
        ]


def digest(values: Dict[str, Any]) -> str:
    """A short fingerprint of values; equal numbers and equal dates have equal ones, order plays no part."""

    def plain(value: Any) -> Any:
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | Decimal):
            return ["n", word_of(Decimal(value))]
        return [plain(v) for v in value] if isinstance(value, list | tuple) else str(value)

    body = json.dumps({k: plain(v) for k, v in values.items()}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()[:24]


# --- checking ----------------------------------------------------------------------------------------------------------------
def write_table(notes: Notes, kind: str, table: Any, words: Dict[str, str]) -> WriteTable | None:
    """Checks and compiles one `[write.KIND]` table; every fault in it becomes a note."""
    where = ("write", kind)
    if not isinstance(table, dict):
        notes.unknown(where, kind, ("fields",), Text("key", "键"))
        return None
    for key in table:
        if key != "fields":
            notes.unknown((*where, key), key, ("fields",), Text("key", "键"))
    given = table.get("fields", {})
    made = []
    for name, spec in (given if isinstance(given, dict) else {}).items():
        if (field := _write_field(notes, (*where, "fields", name), name, spec, words)) is not None:
            made.append(field)
    return WriteTable(kind, tuple(made))


def _write_field(
    notes: Notes, where: tuple[str, ...], name: str, spec: Any, words: Dict[str, str]
) -> WriteField | None:
    before = len(notes.problems)
    table: Any = {"from": spec} if isinstance(spec, str) else spec
    if not isinstance(table, dict) or ("from" in table) == ("value" in table):
        notes.add(
            "no_origin",
            where,
            Text("A written field needs a word of ours, or a value.", "写入字段须给出我们的一个词，或一个固定值。"),
            Text(
                'Write `Name = "limit"` or `Name = { from = "limit" }`.',
                '请写成 `Name = "limit"` 或 `Name = { from = "limit" }`。',
            ),
        )
        return None
    for key in table:
        if key not in SPEC_KEYS:
            notes.unknown((*where, key), key, SPEC_KEYS, Text("modifier", "修饰项"))
    word = table.get("from", "")
    if "from" in table and not (isinstance(word, str) and word in words):
        notes.unknown(where, str(word), tuple(words), Text("word of ours", "可写出的词"))
    values = table.get("values", {})
    if not isinstance(values, dict):
        notes.add("bad_values", (*where, "values"), Text("`values` is a table.", "`values` 须为表。"), _VALUES)
        values = {}
    bounds = table.get("band", [])
    if not isinstance(bounds, list) or any(isinstance(b, bool) or not isinstance(b, int | Decimal) for b in bounds):
        bounds = [Decimal(1), Decimal(0)]  # not a rising list either: one message serves both
    limits = [Decimal(b) for b in bounds]
    if limits != sorted(set(limits)):
        notes.add(
            "bad_band",
            (*where, "band"),
            Text("`band` is a rising list of whole numbers.", "`band` 须为从小到大的数字列表。"),
            Text("Write `band = [0, 30, 60, 90]`.", "请写成 `band = [0, 30, 60, 90]`。"),
        )
        limits = []
    labels = band_labels(limits) if limits else []
    _check_values(notes, where, str(word), values, labels)
    convert = table.get("convert")
    if convert is not None and not (isinstance(convert, str) and convert in WRITERS):
        notes.unknown((*where, "convert"), str(convert), tuple(WRITERS), Text("converter for writing", "写入转换器"))
    need = _need(notes, (*where, "field"), name, table["field"], values, labels) if "field" in table else None
    if len(notes.problems) > before:
        return None
    return WriteField(
        name,
        str(word),
        values,
        tuple(limits),
        tuple(labels),
        WRITERS[convert][1] if convert else None,
        str(table.get("format", "")),
        str(table.get("prefix", "")),
        table.get("default"),
        table.get("value"),
        bool(table.get("quiet", False)),
        need,
    )


_VALUES = Text('Write `values = { ours = "theirs" }`.', '请写成 `values = { 我们的词 = "对方的值" }`。')


def _check_values(notes: Notes, where: tuple[str, ...], word: str, values: dict[str, Any], labels: list[str]) -> None:
    right = tuple(labels) or CLOSED.get(word, ())
    if not values or not right:
        return
    for key in values:
        if key not in right:
            notes.unknown((*where, "values"), key, right, Text("value of “{word}”", "“{word}”的取值").fill(word=word))
    if lacking := [r for r in right if r not in values]:
        notes.add(
            "values_lack",
            (*where, "values"),
            Text("The table says nothing for {lacking}.", "该表没有给出 {lacking} 对应的值。").fill(
                lacking=", ".join(lacking)
            ),
            Text("Give every value of “{word}” a counterpart.", "请为“{word}”的每个取值给出对应值。").fill(word=word),
        )


def _need(
    notes: Notes, where: tuple[str, ...], name: str, table: Any, values: dict[str, Any], labels: list[str]
) -> Need | None:
    if not isinstance(table, dict):
        notes.add("bad_field", where, Text("`field` is a table.", "`field` 须为表。"), _FIELD)
        return None
    for key in table:
        if key not in FIELD_KEYS:
            notes.unknown((*where, key), key, FIELD_KEYS, Text("key", "键"))
    kind = table.get("type", "text")
    if kind not in FIELD_TYPES:
        notes.unknown((*where, "type"), str(kind), FIELD_TYPES, Text("type of field", "字段类型"))
        return None
    options = table.get("options") or ([str(v) for v in values.values()] or labels if kind == "choice" else [])
    length = table.get("length", 100)
    if not isinstance(options, list) or isinstance(length, bool) or not isinstance(length, int) or length < 1:
        notes.add(
            "bad_field",
            where,
            Text("`options` is a list, `length` a number.", "`options` 须为列表，`length` 须为数字。"),
            _FIELD,
        )
        return None
    unique = tuple(dict.fromkeys(str(o) for o in options))
    return Need("", name, str(table.get("label", name)), kind, length, unique, bool(table.get("unique", False)))


_FIELD = Text(
    'Write `field = { label = "Credit Limit", type = "money" }`.',
    '请写成 `field = { label = "信用额度", type = "money" }`。',
)


def made_field(notes: Notes, where: tuple[str, ...], name: str, table: Any) -> Need | None:
    """A field of ours that is only read there: what its `field` says of it; None (with notes) where that will not do."""
    return _need(notes, where, name, table, {}, [])
