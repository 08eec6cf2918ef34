"""One line of a mapping's text changed, put in or taken out, with everything around it as it stands.

For people who would rather fill in a form than write TOML; what they get is the same text that others write.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connector.config_toml import quoted, toml_key
from connector.errors import ConfigError
from connector.text import Text
from connector.toml_text import toml_of

Half = Literal["read", "write"]
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
_KEY = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")
# A field of a fact, a path of a record, a field there: what may stand in a form.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Pair:
    """One line: `name` is left of the sign (our field when reading, theirs when writing), `origin` what it is filled from
    (their path, or our word); "" takes the line out. `convert` and `default`: "" for none."""

    half: Half
    table: str
    name: str
    origin: str
    convert: str = ""
    default: str = ""


def pairs(text: str) -> list[Pair]:
    """The lines of a text that a form can show, in their order; none where the text is not TOML."""
    try:
        document = toml_of(text)
    except tomllib.TOMLDecodeError:
        return []
    halves: tuple[Half, ...] = ("read", "write")
    found = []
    for half in halves:
        tables = document.get(half, {})
        for table, inner in tables.items() if isinstance(tables, dict) else ():
            fields = inner.get("fields", {}) if isinstance(inner, dict) else {}
            for name, spec in fields.items() if isinstance(fields, dict) else ():
                found.append(_pair(half, table, name, spec))
    return found


def _pair(half: Half, table: str, name: str, spec: Any) -> Pair:
    if isinstance(spec, str):
        return Pair(half, table, name, spec)
    if not isinstance(spec, Mapping):
        return Pair(half, table, name, "")
    origin = spec.get("from", spec.get("value", ""))
    if "first" in spec and isinstance(spec["first"], list):
        origin = " | ".join(map(str, spec["first"]))
    return Pair(half, table, name, str(origin), str(spec.get("convert", "")), str(spec.get("default", "")))


def with_pair(text: str, pair: Pair) -> str:
    """The text with this line instead of the one of its name. ConfigError where it cannot be changed in this way (the line
    has several, the table stands in one line): then it is changed in the text itself."""
    if any(len(part) > _LONGEST or "\n" in part or "\r" in part for part in (pair.table, pair.name, pair.origin)):
        raise ConfigError(Text("That is too long.", "内容过长。"))
    before = toml_of(text)
    lines = text.splitlines(keepends=True)
    start, end = _table(lines, (pair.half, pair.table, "fields"))
    at = _line(lines, start, end, pair.name)
    old = before.get(pair.half, {}).get(pair.table, {}).get("fields", {}).get(pair.name)
    if at is None and old is not None:
        raise ConfigError(_BY_HAND.fill(name=pair.name))
    if at is not None and not _is_whole(lines[at]):
        raise ConfigError(_BY_HAND.fill(name=pair.name))
    if not pair.origin:
        if at is not None:
            del lines[at]
    else:
        ends = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
        made = f"{toml_key(pair.name)} = {_spec(pair, old)}"
        if at is None:
            if start and not lines[end - 1].endswith(("\n", "\r")):
                lines[end - 1] += ends
            lines.insert(_last(lines, start, end), made + ends)
        else:
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            comment = _comment(lines[at])
            lines[at] = indent + made + (f"  {comment}" if comment else "") + ends
    new = "".join(lines)
    _nothing_else(before, new, pair)
    return new


def _table(lines: list[str], path: tuple[str, ...]) -> tuple[int, int]:
    """From the line after a table's header to the next header."""
    start = None
    for at, line in enumerate(lines):
        header = _HEADER.match(line)
        if header is None:
            continue
        if start is not None:
            return start, at
        if tuple(part.strip(" \"'") for part in header[1].split(".")) == path:
            start = at + 1
    if start is None:
        raise ConfigError(
            Text("The text has no line [{path}].", "文本中没有 [{path}] 一行。").fill(path=".".join(path)),
        )
    return start, len(lines)


def _line(lines: list[str], start: int, end: int, name: str) -> int | None:
    for at in range(start, end):
        key = _KEY.match(lines[at])
        if key is not None and toml_of(f"{key[1]} = 1", float).get(name) == 1:
            return at
    return None


def _last(lines: list[str], start: int, end: int) -> int:
    """After the last line of the table that says something."""
    while end > start and not lines[end - 1].strip():
        end -= 1
    while end > start and lines[end - 1].lstrip().startswith("#") and end < len(lines):
        end -= 1  # a comment above the next table is the next table's
        while end > start and not lines[end - 1].strip():
            end -= 1
    return end


def _is_whole(line: str) -> bool:
    try:
        toml_of(line, float)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _comment(line: str) -> str:
    """The comment at the end of a line that is whole."""
    at = line.find("#")
    while at >= 0:
        if _is_whole(line[:at]):
            return line[at:].rstrip()
        at = line.find("#", at + 1)
    return ""


def _spec(pair: Pair, old: Any) -> str:
    table: dict[str, Any] = dict(old) if isinstance(old, Mapping) else {}
    if not ("first" in table and " | ".join(map(str, table["first"])) == pair.origin):
        kept = "value" if "value" in table and str(table["value"]) == pair.origin else "from"
        for key in ("first", "value", "from"):
            table.pop(key, None)
        table = {kept: old[kept] if kept == "value" else pair.origin, **table}
    for key, value in (("convert", pair.convert), ("default", pair.default)):
        if value and str(table.get(key, "")) != value:
            table[key] = value
        elif not value:
            table.pop(key, None)
    return quoted(table["from"]) if list(table) == ["from"] else _written(table)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(str(k))} = {_written(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_written(v) for v in value) + "]"
    return quoted(str(value))


def _nothing_else(before: Mapping[str, Any], text: str, pair: Pair) -> None:
    """The rest says what it said: a form must not change what nobody looked at."""
    after = toml_of(text)
    if _without(before, pair) != _without(after, pair):
        raise ConfigError(_BY_HAND.fill(name=pair.name))


def _without(document: Mapping[str, Any], pair: Pair) -> dict[str, Any]:
    half = dict(document.get(pair.half, {}))
    table = dict(half.get(pair.table, {}))
    table["fields"] = {k: v for k, v in table.get("fields", {}).items() if k != pair.name}
    return {**document, pair.half: {**half, pair.table: table}}


_BY_HAND = Text(
    "The line of “{name}” is not written in a way that a form can change: change it in the text.",
    "“{name}”一行的写法无法通过表单修改，请直接在文本中修改。",
)

__all__ = ["Half", "Pair", "pairs", "with_pair"]
