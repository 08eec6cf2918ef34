"""Notes: what is wrong with a mapping's text, each with the line it stands in and the nearest right name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.adapter import nearest
from connector.errors import Problem
from connector.text import Text

_HEADER = re.compile(r"\s*\[+([^\]]+)\]+")
_KEY = re.compile(r"\s*([\"']?)([^\"'=]+?)\1\s*=")


@dataclass
class Notes:
    """The problems found while one text is loaded. `name` is the file's, for people."""

    name: str
    text: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, path: tuple[str, ...], what: Text, fix: Text, missing: str = "") -> None:
        """One problem at a place in the document; `missing` names what should stand there and does not."""
        named = (*path, missing) if missing else path
        self.problems.append(Problem(code, self.where(path), what, fix, ".".join(named)))

    def unknown(self, path: tuple[str, ...], word: str, right: Sequence[str], kind: Text) -> None:
        """A name that is not in its list."""
        self.add(
            "unknown_name",
            path,
            Text("There is no {kind} “{word}”.", "没有名为“{word}”的{kind}。").fill(kind=kind, word=word),
            Text("Did you mean {near}?", "是否应为 {near}？").fill(near=nearest(word, right)),
        )

    def where(self, path: tuple[str, ...]) -> str:
        """`tryton.toml:12`, the line of the innermost part of the path that has one of its own."""
        table: tuple[str, ...] = ()
        best, line = -1, 0
        for number, content in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(content):
                table = tuple(part.strip(" \"'") for part in header[1].split("."))
                here = table
            elif key := _KEY.match(content):
                here = (*table, key[2].strip())
            else:
                continue
            if here == path[: len(here)] and len(here) > best:
                best, line = len(here), number
        return f"{self.name}:{line}" if line else self.name
