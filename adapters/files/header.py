"""The header of a file of the book: which columns it has, what is wrong with them, and what makes a row unique."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.files.book import BOOK
from adapters.files.client import Settings
from adapters.files.rows import CsvPart, Part, Unreadable
from connector.adapter import nearest
from connector.errors import Problem
from connector.text import Text


@dataclass(frozen=True)
class Header:
    """A header as it was read. Where it is not `usable` no row of the file is read."""

    names: tuple[str, ...]
    problems: tuple[Problem, ...]
    usable: bool
    key_columns: tuple[str, ...]
    key: Callable[[dict[str, Any]], str | None]

    @property
    def width(self) -> int:
        return len(self.names)


def header_of(
    part: Part, line: int, cells: Sequence[Any] | Unreadable, stream: str, wanted: tuple[str, ...], settings: Settings
) -> Header:
    """The header of one file; every fault in it is a problem, and some make the file unusable."""
    where = f"{part.name}:{line}"
    if isinstance(cells, Unreadable):
        return _useless(Problem(cells.code, where, cells.what, cells.fix))
    names = tuple(str(c).strip() for c in cells)
    if len(names) == 1 and isinstance(part, CsvPart) and (other := _other_delimiter(names[0], part.delimiter)):
        return _useless(_delimiter(where, other))
    if double := [n for n in dict.fromkeys(names) if n and names.count(n) > 1]:
        return _useless(*(_double(where, name) for name in double))
    columns = tuple(dict.fromkeys(path.split(".")[0] if path not in names else path for path in wanted))
    keys = tuple(settings.keys.get(stream, ()))
    lacking = [k for k in keys if k not in names]
    lacking += [c for c in BOOK[stream].required if c in columns and c not in names and c not in lacking]
    if lacking:
        return _useless(*(_lacking(where, name, names) for name in lacking))
    problems = [_nameless(where, at) for at, name in enumerate(names, 1) if not name]
    known = {*columns, *keys, *settings.unused}
    unknown = [n for n in names if n and columns and n not in known]
    if unknown and stream not in settings.repeated:  # else the file is first of all another stream's
        problems.append(_unknown(where, unknown, columns))
    if not keys and all(c in names for c in BOOK[stream].key if c in BOOK[stream].required):
        keys = tuple(c for c in BOOK[stream].key if c in names)
        if "id" in names and "id" in BOOK[stream].names and "id" not in keys:
            return Header(names, tuple(problems), True, keys, _by_id_or(_by(keys)))
    return Header(names, tuple(problems), True, keys or names, _by(keys) if keys else _by_content())


def _by(columns: tuple[str, ...]) -> Callable[[dict[str, Any]], str | None]:
    if len(columns) == 1:
        only = columns[0]
        return lambda data: str(data[only]).strip() or None

    def key(data: dict[str, Any]) -> str | None:
        values = [str(data[c]).strip() for c in columns]
        return "|".join(values) if values[0] else None

    return key


def _by_id_or(other: Callable[[dict[str, Any]], str | None]) -> Callable[[dict[str, Any]], str | None]:
    return lambda data: str(data["id"]).strip() or other(data)


def _by_content() -> Callable[[dict[str, Any]], str | None]:
    # The settings name no key and the file is not laid out as the book: a row is what it says.
    return lambda data: hashlib.blake2b(
        repr(sorted(data.items())).encode("utf-8", "replace"), digest_size=12
    ).hexdigest()


def _useless(*problems: Problem) -> Header:
    return Header((), problems, False, (), lambda data: None)


def _other_delimiter(header: str, delimiter: str) -> str:
    return next((d for d in ";\t|," if d != delimiter and header.count(d) > 1), "")


def _delimiter(where: str, other: str) -> Problem:
    shown = "\\t" if other == "\t" else other
    return Problem(
        "delimiter",
        where,
        Text("The columns are divided by “{shown}”.", "各列以“{shown}”分隔。").fill(shown=shown),
        Text(
            'Set `delimiter = "{shown}"` in the system\'s settings.', '请在系统设置中写上 `delimiter = "{shown}"`。'
        ).fill(shown=shown),
    )


def _double(where: str, name: str) -> Problem:
    return Problem(
        "double_column",
        where,
        Text("Two columns are called “{name}”; the file was not read.", "有两列都叫“{name}”；该文件未读取。").fill(
            name=name
        ),
        Text("Give each column a name of its own.", "请为每一列取不同的名称。"),
        name,
    )


def _lacking(where: str, name: str, names: tuple[str, ...]) -> Problem:
    return Problem(
        "no_column",
        where,
        Text(
            "The required column “{name}” is not there; the file was not read.", "缺少必需的列“{name}”；该文件未读取。"
        ).fill(name=name),
        Text(
            "Add it, or map another in its place. The nearest is {near}.",
            "请补上该列，或在映射中改用其他列。最接近的是{near}。",
        ).fill(near=nearest(name, [n for n in names if n] or ["-"])),
        name,
    )


def _nameless(where: str, at: int) -> Problem:
    return Problem(
        "nameless_column",
        where,
        Text("Column {at} has no name and was ignored.", "第 {at} 列没有名称，已忽略。").fill(at=at),
        Text("Name it, or remove it.", "请为其命名，或将其删除。"),
    )


def _unknown(where: str, unknown: list[str], columns: tuple[str, ...]) -> Problem:
    shown = [f"{n[:40]} ({near}?)" if (near := _meant(n, columns)) else n[:40] for n in unknown[:12]]
    return Problem(
        "unknown_column",
        where,
        Text(
            "The mapping does not know these columns, they were ignored: {shown}.",
            "映射中没有以下列，已忽略：{shown}。",
        ).fill(shown=", ".join(shown) + (" …" if len(unknown) > 12 else "")),
        Text(
            "Map them or correct their names; name those that are of no use in `unused` in the settings.",
            "请加入映射或更正列名；不需要的列可写入设置中的 `unused`。",
        ),
        unknown[0],
    )


def _meant(name: str, columns: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(name, columns, n=1, cutoff=0.6)), "")
