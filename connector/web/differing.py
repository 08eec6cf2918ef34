"""Differences between two texts, line by line, as pages show them: (sign, text), with a few lines around each change."""

from __future__ import annotations

import difflib
from itertools import islice

_AROUND = 2
_MOST = 2000


def lines(old: str, new: str) -> list[tuple[str, str]]:
    """`-` is gone, `+` is new, blank stands in both; "…" where lines in between are left out. Empty: nothing differs."""
    found: list[tuple[str, str]] = []
    # The first two lines name the files.
    for line in islice(difflib.unified_diff(old.splitlines(), new.splitlines(), n=_AROUND, lineterm=""), 2, _MOST):
        if not line.startswith("@@"):
            found.append((line[0], line[1:]))
        elif found:
            found.append((" ", "…"))
    return found
