"""Reading one stream of the book: rows become records, what cannot be read becomes problems, nothing else stops.

A file that has not changed since the last pull costs one pass over its bytes. A file that is there is the full truth of
its kind: what it no longer holds is gone. Where any row could not be read nothing is taken for gone, because the row
might be the one that is missed; the same where a file has vanished or has changed under the reader.

Cursor: `{"stamp", "problems"}` between pulls; the problems stay in it so that a pull that finds the file unchanged still
tells them. While a file is being read also `"row"`, the rows that are done; `"unread"`, whether one of them could not be
read; and `"again"`, whether the next pull has to read everything once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.files.client import Book
from adapters.files.header import Header, header_of
from adapters.files.related import Additions, additions_for
from adapters.files.rows import Part, Unreadable
from connector.adapter import Page, Record
from connector.errors import ConfigError, Problem
from connector.text import Text

# Of each file so many problems are told one by one; the others are counted.
PROBLEMS_MOST = 100


def read(stream: str) -> Callable[[Book, Any, Sequence[str]], Iterator[Page]]:
    """The reading function of one stream."""
    return lambda book, cursor, wanted: _read(book, stream, cursor, wanted)


def _read(book: Book, stream: str, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    state = dict(cursor or {})
    parts = book.parts(stream)
    if not parts:
        yield _nothing(book, stream, state)
        return
    additions = additions_for(book, stream)
    stamp = _stamp(parts, additions)
    if state.get("stamp") == stamp and "row" not in state:
        yield Page([], state, full=False, last=True, problems=_told(state.get("problems", ())))
        return
    # A file that changed in the middle of a reading is read from its start. What the old one has shown in this reading
    # counts as seen, so the next pull reads once more and finds what the new one no longer holds.
    resumed = state if state.get("stamp") == stamp else {"again": "row" in state}
    yield from _Reading(book, stream, parts, additions, stamp, tuple(wanted), resumed).pages()


def _stamp(parts: Sequence[Part], additions: Additions) -> str:
    every = [f"{p.name}={p.stamp()}" for p in parts] + list(additions.stamps())
    return hashlib.sha256("\n".join(every).encode()).hexdigest()[:32]


def _nothing(book: Book, stream: str, state: dict[str, Any]) -> Page:
    """The page of a stream whose file is not there."""
    name = book.named(stream)
    if name is None:
        return Page([], None, full=False, last=True)
    if not state.get("stamp") and book.required(stream):
        raise ConfigError(Text("{name} is not in {path}.", "{path} 中没有 {name}。").fill(name=name, path=book.path))
    if state.get("stamp") and not book.settings.incremental:
        # Not a last page: what has gone is unknown, not unchanged, and grows stale.
        raise ConfigError(
            Text(
                "{name} was there at the last pull and is gone; its data is kept. "
                "Put it back, or put one with its header only to say that there is none.",
                "{name} 上次拉取时还在，现在没有了；其数据予以保留。请放回该文件；若确实没有数据，请放入只有表头的文件。",
            ).fill(name=name)
        )
    return Page([], state or None, full=False, last=True)


@dataclass
class _Reading:
    """One reading of one stream, from the first row or from where the last one stopped."""

    book: Book
    stream: str
    parts: Sequence[Part]
    additions: Additions
    stamp: str
    wanted: tuple[str, ...]
    resumed: dict[str, Any]
    seen: set[int] = field(default_factory=set)
    unread: bool = False
    problems: list[Problem] = field(default_factory=list)
    told: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    row: int = 0

    def pages(self) -> Iterator[Page]:
        full = not self.book.settings.incremental
        done = int(self.resumed.get("row", 0))
        self.unread = bool(self.resumed.get("unread"))
        self.told = _told(self.resumed.get("problems", ()))
        records: list[Record] = []
        for record in self._records(done):
            records.append(record)
            if len(records) == self.book.settings.page_rows:
                yield Page(records, self._cursor(inside=True), full, last=False, problems=self._take())
                records = []
        for problem in self.additions.problems():
            self._tell(problem)
        for name, count in self.counts.items():
            if count > PROBLEMS_MOST:
                self._add(_more(name, count - PROBLEMS_MOST))
        if any(part.moved() for part in self.parts):
            self._add(_moved(self.parts[0].name))
            yield Page(records, None, full=False, last=True, problems=self._take())
            return
        problems = self._take()
        cursor = None if self.resumed.get("again") else self._cursor(inside=False)
        yield Page(records, cursor, full and not self.unread, last=True, problems=problems)

    def _cursor(self, inside: bool) -> dict[str, Any]:
        cursor: dict[str, Any] = {"stamp": self.stamp}
        if inside:
            cursor |= {"row": self.row, "unread": self.unread, "again": bool(self.resumed.get("again"))}
        if self.told or self.problems:
            cursor["problems"] = [_packed(p) for p in [*self.told, *self.problems]]
        return cursor

    def _take(self) -> list[Problem]:
        taken, self.problems = self.problems, []
        self.told += taken
        return taken

    def _tell(self, problem: Problem) -> None:
        name = problem.where.rpartition(":")[0] or problem.where
        self.counts[name] = self.counts.get(name, 0) + 1
        if self.counts[name] <= PROBLEMS_MOST:
            self._add(problem)

    def _add(self, problem: Problem) -> None:
        if problem not in self.told:
            self.problems.append(problem)

    def _lost(self, problem: Problem) -> None:
        self.unread = True
        self._tell(problem)

    def _records(self, done: int) -> Iterator[Record]:
        for part in self.parts:
            if self.book.settings.incremental:
                self.seen = set()  # a later file of changes may say the same thing anew
            rows = part.rows()
            line, cells = next(rows, (1, _EMPTY))
            header = header_of(part, line, cells, self.stream, self.wanted, self.book.settings)
            for problem in header.problems:
                self._tell(problem)
            if not header.usable:
                self.unread = True
                continue
            for line, cells in rows:
                self.row += 1
                record = self._record(part, header, line, cells)
                if record is not None:
                    self.additions.note(record, line, part.name)
                    if self.row > done:
                        yield record

    def _record(self, part: Part, header: Header, line: int, cells: Any) -> Record | None:
        where = f"{part.name}:{line}"
        if isinstance(cells, Unreadable):
            self._lost(Problem(cells.code, where, cells.what, cells.fix))
            return None
        if len(cells) != header.width:
            self._lost(_ragged(where, len(cells), header.width))
            return None
        data = dict(zip(header.names, cells, strict=True))
        data.pop("", None)  # a column without a name has been reported
        key = header.key(data)
        if key is None:
            self._lost(_no_key(where, header.key_columns[0]))
            return None
        mark = hash(key)
        if mark in self.seen:
            if self.stream in self.book.settings.repeated:
                return None
            self._tell(_twice(where, key, header.key_columns, self._first(key)))
            return None
        self.seen.add(mark)
        self.additions.fill(data)
        return Record(key, data, where)

    def _first(self, key: str) -> str:
        """Where the same key stood first. Looked up again instead of keeping a line for each of a million rows."""
        if self.counts.get("*twice", 0) >= 20:
            return ""
        self.counts["*twice"] = self.counts.get("*twice", 0) + 1
        for part in self.parts:
            rows = part.rows()
            line, cells = next(rows, (1, _EMPTY))
            header = header_of(part, line, cells, self.stream, self.wanted, self.book.settings)
            for line, cells in rows if header.usable else ():
                if isinstance(cells, Unreadable) or len(cells) != header.width:
                    continue
                if header.key(dict(zip(header.names, cells, strict=True))) == key:
                    return f"{part.name}:{line}"
        return ""


_EMPTY = Unreadable(
    "empty_file",
    Text("The file is empty; not even a header row is there.", "文件为空，连表头行都没有。"),
    Text("Give it its header row; a header alone says that there is none.", "请写上表头行；只有表头表示没有数据。"),
)


def _ragged(where: str, cells: int, width: int) -> Problem:
    return Problem(
        "ragged",
        where,
        Text(
            "This row has {cells} cells, the header has {width}.", "该行有 {cells} 个单元格，表头有 {width} 列。"
        ).fill(cells=cells, width=width),
        Text(
            'Complete the row, or put texts that contain the delimiter in "…".',
            '请补全该行；含有分隔符的文本请用 "…" 括住。',
        ),
    )


def _no_key(where: str, column: str) -> Problem:
    return Problem(
        "no_key",
        where,
        Text("“{column}” is empty: the row cannot be told from others.", "“{column}”为空：无法与其他行区分。").fill(
            column=column
        ),
        Text("Fill it in.", "请填写。"),
        column,
    )


def _twice(where: str, key: str, columns: Sequence[str], first: str) -> Problem:
    column = " + ".join(columns)
    return Problem(
        "twice",
        where,
        Text(
            "The {column} “{key}” stands already in {first}; this row was left out.",
            "{column}“{key}”已出现在{first}；该行未采用。",
        ).fill(column=column, key=key[:60], first=first or Text("a row above", "前面的行")),
        Text("Remove one of the two, or give each its own.", "请删除其中一行，或给出不同的值。"),
        columns[0],
    )


def _more(name: str, count: int) -> Problem:
    return Problem(
        "more",
        name,
        Text("{count} more rows of this file have problems.", "该文件另有 {count} 行有问题。").fill(count=count),
        Text("Mend the ones above first; most likely the cause is the same.", "请先解决以上问题，原因很可能相同。"),
    )


def _moved(name: str) -> Problem:
    return Problem(
        "file_changed",
        name,
        Text("The file changed while it was read.", "文件在读取过程中发生了变化。"),
        Text(
            "The next pull reads it again; write a new file under a name ending in .tmp and rename it when it is whole.",
            "下次拉取会重新读取；请先以 .tmp 结尾的文件名写入，写完后再改名。",
        ),
    )


def _packed(problem: Problem) -> list[str]:
    what, fix = problem.what, problem.fix
    return [problem.code, problem.where, what.en, what.zh, fix.en, fix.zh, problem.field]


def _told(packed: Sequence[Sequence[str]]) -> list[Problem]:
    return [Problem(p[0], p[1], Text(p[2], p[3]), Text(p[4], p[5]), p[6]) for p in packed]
