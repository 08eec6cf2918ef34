"""Whatever is told in the audit trail has words for people."""

from __future__ import annotations

import ast
from pathlib import Path

from jobs.action_words import ACTIONS

ROOT = Path(__file__).parents[2]


def test_every_action_that_is_written_has_words() -> None:
    written: dict[str, str] = {}
    for folder in ("connector", "jobs"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)) if "Entry(" in text else ():
                name = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", ""))
                if isinstance(node, ast.Call) and name == "Entry" and node.args:
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        written[first.value] = file.name
    assert len(written) > 40, "else this test looks at nothing"
    assert {name: file for name, file in written.items() if name not in ACTIONS} == {}
    assert {"outbox.retry", "outbox.drop"} <= set(ACTIONS)
    assert all(words.zh != words.en for words in ACTIONS.values())
