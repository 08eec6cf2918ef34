"""The policy: the credit rules an admin set, one TOML document, and its loader that reports all problems at once.

Defaults stand here and, with their comments, in `credit/default_policy.toml`; a test holds the two together.
Percentages are numbers of percent (80 = 80 %). Amounts are in the reporting currency of the configuration and are
converted for a customer with another one. "above" is strictly greater, "at least" includes the number (domain 0.8).
"""

from __future__ import annotations

import difflib
import tomllib
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from connector.errors import ConfigError, Problem
from connector.text import Text, joined, same

Level = Literal["green", "yellow", "orange", "red"]
LEVELS: tuple[Level, ...] = ("green", "yellow", "orange", "red")

Days = Annotated[StrictInt, Field(ge=0, le=36_500)]
Percent = Annotated[Decimal, Field(ge=0, le=100_000)]
Amount = Annotated[Decimal, Field(ge=0)]


class Section(BaseModel):
    """A table of the document: unknown names are an error, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ageing(Section):
    """How open items are sorted by age."""

    basis: Literal["due", "issue", "statutory"] = "due"
    edges_days: tuple[Days, ...] = (30, 60, 90)
    issue_edges_days: tuple[Days, ...] = (30, 60, 90, 180, 365)
    placement: Literal["separate", "fifo", "own_bucket"] = "separate"
    missing_due_date: Literal["hold", "issue_date"] = "hold"

    @field_validator("edges_days", "issue_edges_days")
    @classmethod
    def _rising(cls, edges: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(edges) <= 12 or edges[0] < 1 or sorted(set(edges)) != list(edges):
            raise ValueError("edges")
        return edges

    def edges(self, basis: str | None = None) -> tuple[int, ...] | None:
        """The boundaries that belong to a basis; None: the basis has its own (years, by law)."""
        return {"due": self.edges_days, "issue": self.issue_edges_days}.get(basis or self.basis)


class Exposure(Section):
    """Which amounts count as exposure. Open receivables always do."""

    unapplied_cash: StrictBool = True
    unapplied_credit_notes: StrictBool = True
    draft_invoices: StrictBool = False
    delivered_not_invoiced: StrictBool = True
    ordered_not_delivered: StrictBool = True
    order_horizon_days: Days | None = 90
    bills_commercial: StrictBool = True
    bills_bank: StrictBool = False

    @field_validator("order_horizon_days", mode="before")
    @classmethod
    def _no_horizon(cls, value: object) -> object:
        return None if value == "none" else value  # TOML cannot say null


class Currency(Section):
    """How old an exchange rate may be."""

    max_rate_age_days: Days = 35


class Data(Section):
    """How old the last complete pull may be before nothing is decided on it."""

    stale_after_hours: Annotated[StrictInt, Field(ge=1, le=8_784)] = 26


class Rule(Section):
    """A hold rule that is on or off."""

    on: StrictBool = True


class LimitExceeded(Rule):
    """Exposure (after the order) above the limit plus the larger of both tolerances."""

    tolerance_amount: Amount = Decimal(0)
    tolerance_percent: Percent = Decimal(0)


class UsedShare(Rule):
    """Utilisation (after the order) above a percentage."""

    on: StrictBool = False
    above_percent: Percent = Decimal(95)


class OldestOverdue(Rule):
    """The oldest undisputed item is past due by more than the grace days."""

    grace_days: Days = 30


class OverdueAmount(Rule):
    """Undisputed overdue above an amount, and/or above a share of the limit."""

    on: StrictBool = False
    above_amount: Amount = Decimal(0)
    above_percent_of_limit: Percent = Decimal(10)
    combine: Literal["and", "or", "amount", "share"] = "and"


class OrderValue(Rule):
    """A single order above an amount."""

    on: StrictBool = False
    above_amount: Amount = Decimal(0)


class WarningLevel(Rule):
    """The customer's warning level is at least this."""

    on: StrictBool = False
    at_least: Literal["yellow", "orange", "red"] = "red"


class NoLimit(Rule):
    """The customer has no limit at all."""

    on: StrictBool = False


class Status(Rule):
    """The customer's status is on the stop list."""

    stop: tuple[Literal["active", "blocked", "inactive"], ...] = ("blocked",)


class Hold(Section):
    """When new orders are held. What cannot be decided (no rate, no due date, stale data) always holds."""

    limit_exceeded: LimitExceeded = LimitExceeded()
    used_share: UsedShare = UsedShare()
    oldest_overdue: OldestOverdue = OldestOverdue()
    overdue_amount: OverdueAmount = OverdueAmount()
    order_value: OrderValue = OrderValue()
    warning_level: WarningLevel = WarningLevel()
    limit_expired: Rule = Rule()
    no_limit: NoLimit = NoLimit()
    status: Status = Status()


class Steps(Section):
    """From which value on an indicator is yellow, orange, red; a level that is left out is never reached."""

    on: StrictBool = True
    yellow: Percent | None = None
    orange: Percent | None = None
    red: Percent | None = None

    @model_validator(mode="after")
    def _rising(self) -> Steps:
        given = [step for step in (self.yellow, self.orange, self.red) if step is not None]
        if given != sorted(given):
            raise ValueError("steps")
        return self


def _steps(yellow: int, orange: int, red: int) -> Steps:
    return Steps(yellow=Decimal(yellow), orange=Decimal(orange), red=Decimal(red))


class Warning(Section):
    """The indicators of the early warning; the customer's level is the highest of theirs."""

    overdue_ratio_percent: Steps = _steps(10, 20, 30)
    oldest_overdue_days: Steps = _steps(15, 30, 60)
    utilisation_percent: Steps = _steps(80, 95, 100)


class Policy(Section):
    """The whole document."""

    ageing: Ageing = Ageing()
    exposure: Exposure = Exposure()
    currency: Currency = Currency()
    data: Data = Data()
    hold: Hold = Hold()
    warning: Warning = Warning()


# --- loading ---------------------------------------------------------------------------------------------------------
def load(document: str | Path) -> Policy:
    """The policy in a TOML text, or in a file where a `Path` is given. Raises ConfigError that lists every problem."""
    if isinstance(document, Path):
        return load_file(document)
    return _or_raise(*read(document))


def load_file(path: Path) -> Policy:
    """The policy in a file. Raises ConfigError that lists every problem."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        what = Text("{path} cannot be read as UTF-8 text: {why}", "无法以 UTF-8 文本读取 {path}：{why}")
        raise ConfigError(what.fill(path=path, why=wrong)) from wrong
    return _or_raise(*read(text, path.name))


def _or_raise(policy: Policy | None, problems: list[Problem]) -> Policy:
    if policy is None:
        lines = [joined([same(_place(p)), p.what, p.fix], " ", " ") for p in problems]
        raise ConfigError(joined([Text("The policy has mistakes.", "信用政策有错误。"), *lines], "\n", "\n"))
    return policy


def read(text: str, name: str = "policy") -> tuple[Policy | None, list[Problem]]:
    """The policy in a TOML text, or None and everything that is wrong with it."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as wrong:
        what = Text("This is not valid TOML: {why}.", "不是有效的 TOML：{why}。").fill(why=wrong)
        return None, [Problem("bad_toml", name, what, Text("Correct that line.", "请改正该行。"))]
    try:
        return Policy.model_validate(data), []
    except ValidationError as wrong:
        return None, [_problem(error, name) for error in wrong.errors(include_url=False)]


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """The policy that is shipped."""
    return load(default_text())


def default_text() -> str:
    """The shipped document with its comments, for an admin to start from."""
    return resources.files("connector.credit").joinpath("default_policy.toml").read_text("utf-8")


def _place(problem: Problem) -> str:
    return f"{problem.where} [{problem.field}]:" if problem.field else f"{problem.where}:"


_TYPES = {
    "bool_type": Text("true or false", " true 或 false"),
    "int_type": Text("a whole number", "整数"),
    "decimal_type": Text("a number", "数字"),
    "decimal_parsing": Text("a number", "数字"),
    "finite_number": Text("a number", "数字"),
    "tuple_type": Text("a list, as [30, 60, 90]", "列表，例如 [30, 60, 90]"),
    "model_type": Text("a table", "一个表（table）"),
}
_RULES = {
    "edges": Text(
        "One to twelve whole numbers, each greater than the one before, the first at least 1.",
        "应为 1 至 12 个整数，逐个递增，第一个至少为 1。",
    ),
    "steps": Text("yellow ≤ orange ≤ red is needed.", "必须满足 yellow ≤ orange ≤ red。"),
}


def _problem(error: ErrorDetails, name: str) -> Problem:
    path, kind, given = error["loc"], error["type"], error["input"]
    field = ".".join(str(part) for part in path)
    if kind == "extra_forbidden":
        return _unknown(path, field, name)
    context: dict[str, Any] = error.get("ctx", {})
    if kind == "literal_error":
        words = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        fix = Text("One of: {words}.", "可选值：{words}。").fill(words=words)
    elif kind == "value_error":
        fix = _RULES[str(context["error"])]
    elif kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        more = kind == "greater_than_equal"
        fix = Text(
            f"It must be {'at least' if more else 'at most'} {bound}.", f"不得{'小于' if more else '大于'} {bound}。"
        )
    else:
        wanted = _TYPES.get(kind, same(error["msg"]))
        fix = Text("It must be {wanted}.", "应为{wanted}。").fill(wanted=wanted)
    what = Text("{given} is not possible here.", "此处不能为 {given}。").fill(given=_shown(given))
    return Problem("bad_value", name, what, fix, field)


def _shown(given: object) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    return f'"{given}"' if isinstance(given, str) else str(given)


def _unknown(path: tuple[int | str, ...], field: str, name: str) -> Problem:
    known = _names(path[:-1])
    near = difflib.get_close_matches(str(path[-1]), known, 1, 0.5)
    what = Text("There is no such setting.", "没有这个设置项。")
    if near:
        fix = Text('Is "{near}" meant?', "是否应为“{near}”？").fill(near=near[0])
    else:
        fix = Text("Known here: {known}.", "此处可用：{known}。").fill(known=", ".join(known))
    return Problem("unknown_setting", name, what, fix, field)


def _names(path: tuple[int | str, ...]) -> list[str]:
    """The names that a table of the document knows."""
    table: type[BaseModel] = Policy
    for part in path:
        inner = table.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        table = inner
    return list(table.model_fields)
