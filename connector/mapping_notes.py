"""Notes: what is wrong with a mapping's text, each with the line it stands in and the nearest right name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

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
        what = Text("There is no {kind} called “{word}”.", "没有名为“{word}”的{kind}。")
        self.add("unknown_name", path, what.fill(kind=kind, word=word), meant(word, right))

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
            common = min(len(here), len(path))
            if common and here[:common] == path[:common] and common > best:
                best, line = common, number
        return f"{self.name}:{line}" if line else self.name


def meant(word: str, right: Sequence[str]) -> Text:
    """The nearest right name: a similar one, else one that is part of the word; else all of them."""
    near = difflib.get_close_matches(word, right, n=1, cutoff=0.6)
    near = near or sorted((r for r in right if r in word.split("_")), key=len)[-1:]
    if near:
        return Text("Did you mean “{near}”?", "是否应为“{near}”？").fill(near=near[0])
    return Text("Right names: {all}.", "可用名称：{all}。").fill(all=", ".join(sorted(right)) or "-")
