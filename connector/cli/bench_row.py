"""A row of the benchmark's table: one goal as it was measured; and what is said where two sides do not agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connector.errors import HoldfastError
from connector.text import Text


class Different(HoldfastError):
    """Two sides that did the same work came to different results: the measurement is worth nothing."""

    def __init__(self, goal: str, what: str) -> None:
        super().__init__(
            Text("{goal}: the sides do not agree ({what}).", "{goal}：各方结果不一致（{what}）。").fill(
                goal=goal, what=what
            )
        )

    @classmethod
    def first(cls, goal: str, one: dict[Any, Any], other: dict[Any, Any]) -> Different:
        """With the first place where two results differ."""
        for key in sorted(one.keys() | other.keys(), key=str):
            if one.get(key) != other.get(key):
                return cls(goal, f"{key}: {one.get(key)} ≠ {other.get(key)}")
        return cls(goal, "")


@dataclass
class Row:
    """One goal as it was measured. `figure` is held against `limit`; figures of both sides are in `unit`.

    `why` says what a person should know of it, or why it could not be measured (then there is no figure).
    """

    goal: str
    what: Text
    limit: float
    at_most: bool = True
    unit: str = "s"
    ours: float | None = None
    other: float | None = None
    figure: float | None = None
    why: Text | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where nothing was measured."""
        if self.figure is None:
            return None
        return self.figure <= self.limit if self.at_most else self.figure >= self.limit
