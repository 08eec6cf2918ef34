"""The policy: the credit rules an admin set, one TOML document, and its loader that reports all problems at once.

Each table of the document is a class of its own in `policy_<table>.py`. Defaults stand there and, with their comments,
in `credit/default_policy.toml`; a test holds the two together. Percentages are numbers of percent (80 = 80 %). Amounts
are in the reporting currency of the configuration and are converted for a customer with another one. "above" is
strictly greater, "at least" includes the number (domain 0.8).

`[segment.NAME.…]` repeats tables with other values for the customers of that segment: what is given there replaces the
value of the same name, lists whole; everything else stays.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from connector.errors import ConfigError, Problem
from connector.policy_approval import Approval as Approval
from connector.policy_dunning import Dunning as Dunning
from connector.policy_dunning import DunningStep as DunningStep
from connector.policy_ecl import Ecl as Ecl
from connector.policy_figures import Ageing as Ageing
from connector.policy_figures import Currency as Currency
from connector.policy_figures import Data as Data
from connector.policy_figures import Exposure as Exposure
from connector.policy_hold import Hold as Hold
from connector.policy_hold import LimitExceeded as LimitExceeded
from connector.policy_limit import Limits as Limits
from connector.policy_problems import line as line
from connector.policy_problems import problem
from connector.policy_review import Review as Review
from connector.policy_score import Scoring as Scoring
from connector.policy_section import LEVELS as LEVELS
from connector.policy_section import Level as Level
from connector.policy_section import Section
from connector.policy_section import default_text as default_text
from connector.policy_warning import Steps as Steps
from connector.policy_warning import Warning as Warning
from connector.text import Text, joined
from connector.toml_text import toml_of


class Policy(Section):
    """The whole document."""

    ageing: Ageing = Ageing()
    exposure: Exposure = Exposure()
    currency: Currency = Currency()
    data: Data = Data()
    hold: Hold = Hold()
    warning: Warning = Warning()
    dunning: Dunning = Dunning()
    score: Scoring = Field(default_factory=Scoring)
    limit: Limits = Field(default_factory=Limits)
    approval: Approval = Field(default_factory=Approval)
    ecl: Ecl = Ecl()
    review: Review = Field(default_factory=Review)
    segment: dict[str, dict[str, Any]] = Field(default_factory=dict)

    _of: dict[str, Policy] = PrivateAttr(default_factory=dict)

    def of(self, segment: str | None) -> Policy:
        """The rules for the customers of a segment; the document's own where it says nothing of that segment."""
        return self._of.get(segment, self) if segment is not None else self


# How figures are made is the same for everybody; what is concluded of them may differ by segment.
_FOR_ALL = ("ageing", "exposure", "currency", "data", "segment")


# --- loading ---------------------------------------------------------------------------------------------------------
def load(document: str | Path) -> Policy:
    """The policy in a TOML text, or in a file where a `Path` is given. Raises ConfigError that lists every problem."""
    if isinstance(document, Path):
        return load_file(document)
    return _or_raise(*read(document))


def load_file(path: Path) -> Policy:
    """The policy in a file. Raises ConfigError that lists every problem."""
    return _or_raise(*read(file_text(path), path.name))


def file_text(path: Path) -> str:
    """The text of a policy file. Raises ConfigError where it cannot be read."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        what = Text("{path} cannot be read as UTF-8 text: {why}", "无法以 UTF-8 文本读取 {path}：{why}")
        raise ConfigError(what.fill(path=path, why=wrong)) from wrong


def _or_raise(policy: Policy | None, problems: list[Problem]) -> Policy:
    if policy is None:
        head = Text("The policy has mistakes.", "信用政策有错误。")
        raise ConfigError(joined([head, *map(line, problems)], "\n", "\n"))
    return policy


def read(text: str, name: str = "policy") -> tuple[Policy | None, list[Problem]]:
    """The policy in a TOML text, or None and everything that is wrong with it."""
    try:
        data = toml_of(text)
    except tomllib.TOMLDecodeError as wrong:
        what = Text("This is not valid TOML: {why}.", "不是有效的 TOML：{why}。").fill(why=wrong)
        return None, [Problem("bad_toml", name, what, Text("Correct that line.", "请改正该行。"))]
    return _made(data, name)


def recalled(text: str) -> Policy:
    """A policy from the JSON that it was kept as (`model_dump_json`), its segments among it."""
    return _or_raise(*_made(json.loads(text), "policy"))


def _made(data: Mapping[str, Any], name: str) -> tuple[Policy | None, list[Problem]]:
    policy, wrong_everywhere = _validated(data)
    problems = [problem(Policy, error, name) for error in wrong_everywhere]
    # What is wrong with the document itself is not said again for each of its segments.
    said = {(error["loc"], error["type"]) for error in wrong_everywhere}
    segments = data.get("segment")
    for segment, tables in segments.items() if isinstance(segments, dict) else ():
        if not isinstance(tables, dict):
            continue  # the whole document has said so
        at = ("segment", segment)
        fixed = [table for table in _FOR_ALL if table in tables]
        for table in fixed:
            problems.append(Problem("bad_value", name, FOR_ALL.fill(table=table), FOR_ALL_FIX, ".".join((*at, table))))
        # With the defaults: a table of the segment may name one value of it, and the others stay.
        main = policy.model_dump() if policy is not None else data
        main = {k: v for k, v in main.items() if k != "segment"}
        mine, wrong_here = _validated(_merged(main, {k: v for k, v in tables.items() if k not in fixed}))
        problems += [problem(Policy, e, name, at) for e in wrong_here if (e["loc"], e["type"]) not in said]
        if policy is not None and mine is not None:
            policy._of[segment] = mine
    return (None if problems else policy), problems


def _validated(data: Mapping[str, Any]) -> tuple[Policy | None, list[ErrorDetails]]:
    try:
        return Policy.model_validate(data), []
    except ValidationError as wrong:
        return None, wrong.errors(include_url=False)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables laid over tables; anything else replaces."""
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """The policy that is shipped."""
    return load(default_text())


FOR_ALL = Text(
    "[{table}] is the same for all segments: figures are made of everybody at once.",
    "[{table}] 对所有客群一致：这些数字是对全体客户统一计算的。",
)
FOR_ALL_FIX = Text("Take it out here.", "请从该客群中删除。")
