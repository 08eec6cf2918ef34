"""The program that decides: which version of it this is, kept with every decision, so that a replay knows its own limits.

A decision is concluded again to the byte by the version that made it. Another version may word a reason otherwise, or
know a rule more; then the replay says which version it was.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from connector import __version__

# What a decision's content comes from: rules, figures, sentences, and the jobs that put them together.
_RULES = ("connector/credit/*.py", "connector/policy*.py", "connector/money.py", "connector/text.py")
_JOBS = ("jobs/judge*.py", "jobs/evaluate.py", "jobs/warned.py", "jobs/watch.py")


@cache
def rules_version() -> str:
    """The version of the program, and a short hash over the files that decisions come from: `0.1.0+3f9c2a71`.

    Without the files (a frozen program) it is the version alone.
    """
    root = Path(__file__).parent.parent
    files = sorted(path for pattern in (*_RULES, *_JOBS) for path in root.glob(pattern))
    if not files:
        return __version__
    sha = hashlib.blake2b(digest_size=4)
    for path in files:
        # Line ends differ from one way of installing to the other.
        sha.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{__version__}+{sha.hexdigest()}"
