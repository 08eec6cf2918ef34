"""Rows: what a file or a sheet of the book holds, line by line, readable or not.

A part gives its header first and then every row with its line number. A row that cannot be read is given as
`Unreadable`, with both texts, and the next rows go on.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from connector.text import Text


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row (or a whole file) that cannot be read, and what mends it."""

    code: str
    what: Text
    fix: Text


Row = tuple[int, "Sequence[Any] | Unreadable"]

# A quotation mark that is never closed would swallow the file: no honest row spans more lines than this.
LINES_MOST = 50
RECOVERIES_MOST = 200


class Part(Protocol):
    """One file, or one sheet of a workbook."""

    @property
    def name(self) -> str:
        """How messages call it."""

    def stamp(self) -> str:
        """A fingerprint of its content."""

    def moved(self) -> bool:
        """Whether it has been changed since the stamp was taken."""

    def rows(self) -> Iterator[Row]:
        """The header, then the rows, each with its line."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What one pass over the bytes of a file tells."""

    sha: str
    decodes: bool
    has_nul: bool
    bom: bytes
    state: tuple[int, int]


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


class CsvPart:
    """A CSV file, RFC 4180, a header row first. A UTF-8 byte order mark is skipped."""

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self.path, self.delimiter = path, delimiter
        self.encoding = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        self.shown = encoding.upper()

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def examined(self) -> Examined:
        state = _state(self.path)
        sha, decoder = hashlib.sha256(), codecs.getincrementaldecoder(self.encoding)()
        decodes, has_nul, bom = True, False, b""
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 20):
                bom = bom or chunk[:3]
                sha.update(chunk)
                has_nul = has_nul or b"\0" in chunk
                decodes = decodes and _decodes(decoder, chunk, final=False)
        return Examined(sha.hexdigest()[:32], decodes and _decodes(decoder, b"", final=True), has_nul, bom, state)

    def stamp(self) -> str:
        return self.examined.sha

    def moved(self) -> bool:
        return not self.path.exists() or _state(self.path) != self.examined.state

    def rows(self) -> Iterator[Row]:
        examined = self.examined
        if examined.bom[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and "16" not in self.encoding:
            yield 1, _UTF16
            return
        doubtful = examined.has_nul or not examined.decodes
        skipped = 0
        for _ in range(RECOVERIES_MOST):
            failed = 0
            for line, cells in self._from(skipped):
                if isinstance(cells, Unreadable):
                    failed = line
                elif doubtful and (wrong := self._wrong(cells)):
                    yield line, wrong
                    continue
                yield line, cells
            if not failed:
                return
            skipped = failed  # the line itself is lost; what its open quotation mark swallowed is read again
        yield skipped + 1, _GIVEN_UP

    def _from(self, skipped: int) -> Iterator[Row]:
        """Rows after so many lines, up to the first one that the CSV rules refuse."""
        errors = "strict" if self.examined.decodes else "surrogateescape"
        with io.open(self.path, encoding=self.encoding, errors=errors, newline="") as text:  # noqa: UP020
            for _ in itertools.islice(text, skipped):
                pass
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            line = skipped + 1
            try:
                for cells in reader:
                    following = skipped + reader.line_num + 1
                    if following - line > LINES_MOST:
                        yield line, _QUOTES
                        return
                    if cells and any(cells):
                        yield line, cells
                    line = following
            except csv.Error:
                yield line, _QUOTES

    def _wrong(self, cells: Sequence[str]) -> Unreadable | None:
        whole = "".join(cells)
        if "\0" in whole:
            return _NUL
        try:
            whole.encode()
        except UnicodeEncodeError:
            return self.not_decoded()
        return None

    def not_decoded(self) -> Unreadable:
        """What to say of a row whose bytes are not in the encoding; names GB 18030 where the whole file would be."""
        fix = _SAVE_UTF8 if self._decodes_as("gb18030") is False else _SET_GB18030
        return Unreadable(
            "encoding",
            Text("This row is not {encoding} text.", "该行不是 {encoding} 编码的文本。").fill(encoding=self.shown),
            fix,
        )

    def _decodes_as(self, encoding: str) -> bool:
        if encoding not in self._tried:
            decoder = codecs.getincrementaldecoder(encoding)()
            with self.path.open("rb") as file:
                chunks = iter(lambda: file.read(1 << 20), b"")
                self._tried[encoding] = all(_decodes(decoder, c, final=False) for c in chunks) and _decodes(
                    decoder, b"", final=True
                )
        return self._tried[encoding]

    @cached_property
    def _tried(self) -> dict[str, bool]:
        return {}


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


_SAVE_UTF8 = Text("Save the file as UTF-8.", "请将文件另存为 UTF-8 编码。")
_SET_GB18030 = Text(
    'Save the file as UTF-8, or set `encoding = "gb18030"` in the system\'s settings.',
    '请将文件另存为 UTF-8，或在系统设置中写上 `encoding = "gb18030"`。',
)
_UTF16 = Unreadable(
    "encoding",
    Text("The file is UTF-16 (“Unicode text”), not UTF-8.", "该文件是 UTF-16（“Unicode 文本”），不是 UTF-8。"),
    Text(
        'Save it as “CSV UTF-8”, or set `encoding = "utf-16"`.', '请另存为“CSV UTF-8”，或设置 `encoding = "utf-16"`。'
    ),
)
_NUL = Unreadable(
    "nul",
    Text("This row contains a NUL byte.", "该行含有 NUL 字节。"),
    Text("Export the file again; it is damaged.", "文件已损坏，请重新导出。"),
)
_QUOTES = Unreadable(
    "quotes",
    Text("A quotation mark in this row is misplaced or never closed.", "该行的引号位置不对，或没有闭合。"),
    Text('Put texts in "…" and double the quotes inside: "…""…".', '请用 "…" 括住文本，其中的引号写两次："…""…"。'),
)
_GIVEN_UP = Unreadable(
    "quotes",
    Text(
        f"More than {RECOVERIES_MOST} rows have wrong quotation marks; the rest was not read.",
        f"引号错误的行超过 {RECOVERIES_MOST} 行，其余部分未读取。",
    ),
    Text("Export the file again with standard CSV quoting.", "请按标准 CSV 引号规则重新导出该文件。"),
)
