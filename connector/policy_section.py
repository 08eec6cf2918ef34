"""Sections: what every table of the policy document is made of, and the kinds of numbers in it.

Percentages are numbers of percent (80 is 80 %), amounts are in the reporting currency, days are calendar days.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from connector.text import Text

Level = Literal["green", "yellow", "orange", "red"]
LEVELS: tuple[Level, ...] = ("green", "yellow", "orange", "red")

Days = Annotated[StrictInt, Field(ge=0, le=36_500)]
Percent = Annotated[Decimal, Field(ge=0, le=100_000)]
Amount = Annotated[Decimal, Field(ge=0)]


class Unfit(ValueError):
    """A value that its table cannot have, with what to write instead; the loader makes a problem of it."""

    def __init__(self, fix: Text) -> None:
        super().__init__(fix.en)
        self.fix = fix


class Section(BaseModel):
    """A table of the document: unknown names are an error, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Section):
    """A rule that is on or off."""

    on: StrictBool = True


def default_text() -> str:
    """The shipped document with its comments, for an admin to start from."""
    return resources.files("connector.credit").joinpath("default_policy.toml").read_text("utf-8")


def shipped(*path: str) -> Any:
    """What the shipped document has at a place: the default of lists of tables, which stand there only."""
    found = _shipped()
    for part in path:
        found = found[part]
    return found


@cache
def _shipped() -> Any:
    return tomllib.loads(default_text(), parse_float=Decimal)
