"""The version of the rules moves with what they mean, and with nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.program import meaning, rules_version
from tests.cli.calling import ROOT

RULE = '''"""Holds."""

from decimal import Decimal

GRACE = 30  # days


class Rule:
    """One rule."""

    limit: Decimal = Decimal("1.50")

    def holds(self, days: int, *, strict: bool = False) -> bool:
        """Whether it holds."""
        # strictly later
        return days > GRACE and not strict


async def told(name: str) -> str:
    """Said."""
    return f"{name!r} is late by {GRACE:>5} days"
'''


@pytest.mark.parametrize(
    "other",
    [
        RULE.replace("# strictly later", "# later, not on the day"),
        RULE.replace('"""Whether it holds."""', '"""True where it is held."""'),
        RULE.replace('"""Holds."""', '"""Something else,\n\nat length."""'),
        RULE.replace('        """Whether it holds."""\n', "").replace('    """One rule."""\n\n', ""),
        RULE.replace('    """Said."""\n', "    'Told.'\n"),
        RULE.replace(
            "days > GRACE and not strict", "(\n            days > GRACE\n            and not strict\n        )"
        ),
        RULE.replace("\n", "\r\n"),
        RULE.replace('Decimal("1.50")', "Decimal('1.50')"),
    ],
)
def test_what_means_the_same_is_the_same(other: str) -> None:
    assert other != RULE
    assert meaning(other.encode()) == meaning(RULE.encode())


@pytest.mark.parametrize(
    ("words", "others"),
    [
        ("GRACE = 30", "GRACE = 31"),
        ("days > GRACE", "days >= GRACE"),
        ("1.50", "1.5"),
        ("and not strict", "and strict"),
        ("strict: bool = False", "strict: bool = True"),
        ("is late", "was late"),
        (":>5", ":>6"),
        ("!r", "!s"),
        ("async def", "def"),
        ("        return days", "        'x'\n        return days"),
        ("GRACE = 30", "GRACE = 30.0"),
        ("GRACE = 30", "GRACE = '30'"),
    ],
)
def test_what_means_something_else_is_another(words: str, others: str) -> None:
    assert words in RULE
    if others.startswith("        'x'"):
        # A text that stands behind the docstring is none; it says nothing either, but nobody writes one.
        assert meaning(RULE.replace(words, others).encode()) != meaning(RULE.encode())
        return
    assert meaning(RULE.replace(words, others, 1).encode()) != meaning(RULE.encode())


def test_it_is_the_same_in_every_process_and_names_the_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\S*\+[0-9a-f]{8}", rules_version())
    say = "from jobs.program import rules_version; print(rules_version())"
    told = subprocess.run([sys.executable, "-c", say], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == rules_version()


def test_what_is_kept_beside_the_compiled_modules_is_of_these_very_files(tmp_path: Path) -> None:
    """Changed rules are never taken for the old ones, nor a broken file for a hash."""
    for part in ("connector", "jobs"):
        shutil.copytree(
            ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "web", "cli", "store")
        )
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    }
    held = tmp_path / "connector" / "credit" / "hold.py"

    def version() -> str:
        say = "from jobs.program import rules_version; print(rules_version())"
        done = subprocess.run(
            [sys.executable, "-c", say], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    first = version()
    (kept,) = (tmp_path / "jobs" / "__pycache__").glob("rules-*.hash")
    assert first == version() == rules_version()
    assert first.endswith(kept.read_text())
    kept.write_text("nonsense!")
    assert version() == first
    held.write_text(held.read_text() + "\n# a remark\n")
    assert version() == first
    held.write_text(held.read_text() + "\nMORE = 1\n")
    second = version()
    assert second == version() != first
    assert len(list((tmp_path / "jobs" / "__pycache__").glob("rules-*.hash"))) == 1
