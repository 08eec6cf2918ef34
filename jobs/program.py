"""The program that decides: which version of it this is, kept with every decision, so that a replay knows its own limits.

A decision is concluded again to the byte by the version that made it. Another version may word a reason otherwise, or
know a rule more; then the replay says which version it was.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from connector import __version__

# What a decision's content comes from: rules, figures, sentences, and the jobs that put them together.
_RULES = ("connector/credit/*.py", "connector/policy*.py", "connector/money.py", "connector/text.py")
_JOBS = ("jobs/judge*.py", "jobs/evaluate.py", "jobs/warned.py", "jobs/watch.py")


@cache
def rules_version() -> str:
    """The version of the program, and a short hash over what the files that decisions come from mean: `0.1.0+3f9c2a71`.

    Comments, docstrings and layout are no part of it. Without the files (a frozen program) it is the version alone.
    """
    root = Path(__file__).parent.parent
    files = sorted(path for pattern in (*_RULES, *_JOBS) for path in root.glob(pattern))
    if not files:
        return __version__
    sources = [(path.name, path.read_bytes()) for path in files]
    return f"{__version__}+{_kept(sources)}"


def _hash(sources: Sequence[tuple[str, bytes]]) -> str:
    sha = hashlib.blake2b(digest_size=4)
    for name, source in sources:
        sha.update(name.encode() + meaning(source).encode())
    return sha.hexdigest()


def _kept(sources: Sequence[tuple[str, bytes]]) -> str:
    """The hash from beside the compiled modules, where it is kept under what the files hold to the byte: reading them all
    takes a quarter of a second, in every process."""
    sha = hashlib.blake2b(digest_size=16)
    for name, source in sources:
        sha.update(b"%s %d " % (name.encode(), len(source)) + source)
    place = Path(cache_from_source(__file__)).with_name(f"rules-{sha.hexdigest()}.hash")
    try:
        found = place.read_text()
        if _HASH.fullmatch(found):
            return found
    except (OSError, ValueError):
        pass
    made = _hash(sources)
    if not sys.dont_write_bytecode:
        with contextlib.suppress(OSError):
            for old in place.parent.glob("rules-*.hash"):
                old.unlink(missing_ok=True)
            half = place.with_suffix(f".{os.getpid()}")
            half.write_text(made)
            half.replace(place)
    return made


_HASH = re.compile("[0-9a-f]{8}")


def meaning(source: bytes) -> str:
    """What a module says, in a form of its own: two that differ in comments, docstrings or layout alone come out alike,
    under every version of Python."""
    parts: list[str] = []
    _say(ast.parse(source), parts)
    return "".join(parts)


def _say(node: object, parts: list[str]) -> None:
    if isinstance(node, ast.AST):
        parts.append(f"{type(node).__name__}(")
        for name in node._fields:
            value: Any = getattr(node, name, None)
            if name == "body" and isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                value = value[1:]
            # What is not there has a field in one version of Python and none in another.
            if value is not None and value != []:
                parts.append(f"{name}=")
                _say(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for each in node:
            _say(each, parts)
        parts.append("]")
    else:
        parts.append(f"{node!r},")


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
