"""Drawing: a table as lines of text that fit a window, counted in cells, of which a Chinese character takes two.

Amounts are set right and never cut: where the window is too narrow, texts are folded and then whole columns left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len as cell_len

from connector.cli.common import say, t
from connector.cli.output import COLOURS, Column, Table, shown

_GAP = "  "
_NAME_MOST = 24  # a text column gives way down to this before columns are left out
_NAME_LESS = 16  # and to this before one of the last few is
_LAST_FEW = 3
_TEXT_LEAST = 10  # and to this when nothing is left to leave out

# Styled parts of a line: from, to, style.
Spans = list[tuple[int, int, str]]


def padded(text: str, width: int, right: bool = False) -> str:
    """A text filled up with blanks to so many cells."""
    blanks = " " * max(0, width - cell_len(text))
    return blanks + text if right else text + blanks


_WIDE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_CLOSING = r"[，。；：、！？）》”’…]*"  # never at the beginning of a line
_TOKENS = re.compile(rf"\s+|[{_WIDE}]{_CLOSING}|[^\s{_WIDE}]+{_CLOSING}")


def folded(text: str, width: int) -> list[str]:
    """A text as lines of at most so many cells: broken at blanks and between Chinese characters, else within a word."""
    if cell_len(text) <= width and "\n" not in text:
        return [text]
    done: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0
        for token in _TOKENS.findall(paragraph):
            size = cell_len(token)
            if used + size > width and used:
                done.append(line.rstrip())
                line, used = "", 0
                if token.isspace():
                    continue
            while size > width:
                cut = next(at for at in range(len(token), 0, -1) if at == 1 or cell_len(token[:at]) <= width)
                if cut == len(token):
                    break
                done.append(token[:cut])
                token = token[cut:]
                size = cell_len(token)
            line, used = line + token, used + size
        done.append(line.rstrip())
    return done


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], window: int | None) -> dict[str, int]:
    """The cells each column takes; the keys are the columns that are shown."""
    natural = {
        c.key: max(
            cell_len(say(c.title)),
            max((max(map(cell_len, row[at].split("\n"))) for row in cells), default=0),
        )
        for at, c in enumerate(columns)
    }
    if window is None:
        return natural

    def together(widths: dict[str, int]) -> int:
        return sum(widths.values()) + len(_GAP) * (len(widths) - 1)

    left = list(columns)
    while spare := max((c.spare for c in left), default=0):
        most = _NAME_MOST if spare > _LAST_FEW else _NAME_LESS
        if together({c.key: natural[c.key] if c.right else min(natural[c.key], most) for c in left}) <= window:
            break
        left.remove(max(left, key=lambda c: c.spare))
    widths: dict[str, int] = {c.key: natural[c.key] for c in left}
    least = {
        # What names a row, in bold, is not folded unless it is long.
        c.key: min(natural[c.key], max(_NAME_MOST if c.style else _TEXT_LEAST, cell_len(say(c.title))))
        for c in left
        if not c.right
    }
    while together(widths) > window:
        widest = max((k for k in least if widths[k] > least[k]), key=lambda k: widths[k], default=None)
        if widest is None:
            break  # numbers are never cut: better a line that runs over
        widths[widest] -= 1
    return widths


def lines(table: Table, window: int | None) -> Iterator[tuple[str, Spans]]:
    """The lines of a table for a window of so many cells (None: no window), with the styles of their parts."""
    for line, style in table.lead:
        indent = line[: len(line) - len(line.lstrip())]
        for at, part in enumerate(folded(line.strip(), max(20, (window or 10_000) - len(indent) - 2))):
            whole = indent + ("  " if at else "") + part
            yield whole, [(0, len(whole), style)] if style else []
    yield say(table.title), [(0, len(say(table.title)), "bold")]
    yield "", []
    if table.rows or table.totals:
        cells = [[shown(row.get(c.key), c) for c in table.columns] for row in [*table.rows, *table.totals]]
        widths = _widths(table.columns, cells, window)
        places = {c.key: place for place, c in enumerate(table.columns)}
        columns = [c for c in table.columns if c.key in widths]
        yield from _row(columns, widths, [say(c.title) for c in columns], head=True)
        rule = "─" * (sum(widths.values()) + len(_GAP) * (len(widths) - 1))
        yield rule, [(0, len(rule), "dim")]
        for number, row in enumerate(cells):
            total = number >= len(table.rows)
            if number == len(table.rows):
                yield rule, [(0, len(rule), "dim")]
            yield from _row(columns, widths, [row[places[c.key]] for c in columns], total)
        yield "", []
        hidden = [say(c.title) for c in table.columns if c.key not in widths]
        if hidden:
            note = t(
                f"Not shown, the window is narrow: {', '.join(hidden)} (--format csv has all).",
                f"窗口较窄，未显示：{'、'.join(hidden)}（--format csv 含全部列）。",
            )
            for line in folded(note, window or 10_000):
                yield line, [(0, len(line), "dim")]
    for remark in table.notes:
        for line in folded(say(remark), window or 10_000):
            yield line, []
    for other in table.more:
        yield "", []
        yield from lines(other, window)


def _row(
    columns: Sequence[Column], widths: dict[str, int], cells: Sequence[str], head: bool = False
) -> Iterator[tuple[str, Spans]]:
    """One row, on as many lines as its longest cell needs."""
    parts = [[cell] if c.right else folded(cell, widths[c.key]) for c, cell in zip(columns, cells, strict=True)]
    for at in range(max(map(len, parts))):
        line, spans = "", Spans()
        for place, (column, part) in enumerate(zip(columns, parts, strict=True)):
            text = part[at] if at < len(part) else ""
            line += _GAP if place else ""
            start = len(line)
            line += padded(text, widths[column.key], column.right)
            style = "bold" if head else column.style
            if column.coloured:
                style = COLOURS.get(text.removeprefix("● "), COLOURS.get(text[:1], style))
            if style and text:
                spans.append((start, len(line), style))
        yield line.rstrip(), spans
