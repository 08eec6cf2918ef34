"""What callers send, as types: texts without control characters, amounts as decimal strings, refs of a bounded length."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from connector.errors import BadSetting
from connector.text import Text

_ALLOWED = "\n\t"


def _readable(value: str) -> str:
    """A text that every database keeps: no control character, no half of a surrogate pair."""
    if any((ord(c) < 32 and c not in _ALLOWED) or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise BadSetting(Text("a text without control characters", "应为不含控制字符的文字"))
    return value


def _plain(value: str) -> str:
    _readable(value)
    if any(c in value for c in _ALLOWED):
        raise BadSetting(Text("a text on one line", "应为单行文字"))
    return value


def _said(value: str) -> str:
    _readable(value)
    if not value.strip():
        raise BadSetting(Text("a reason in words", "请用文字说明理由"))
    return value.strip()


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_plain)]
Why = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    AfterValidator(_said),
    Field(description="The reason, for the audit trail and for whoever reads the order."),
]
# Numbers of JSON would become binary fractions on the way: money is a text.
AmountText = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,4})?$"),
    Field(description="A decimal as a text, in the order's or the customer's currency.", examples=["120000.00"]),
]
Number = Annotated[int, Path(ge=1, le=2**53, description="Number of the request.")]
OrderRef = Annotated[
    str, Path(min_length=1, max_length=200, description="Its id or number, or system/id.", examples=["books/SO12"])
]
CustomerRef = Annotated[
    str, Path(min_length=1, max_length=200, description="Its id in the ledger, or system/id.", examples=["books/C001"])
]
After = Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before.")]
Most = Annotated[int, Query(ge=1, le=200, description="So many at most.")]
Point = Literal["entry", "confirmation", "release", "delivery", "change", "reopen"]


class Asked(BaseModel):
    """A body: what is not known is refused, so that a slip in a name is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CheckAsked(Asked):
    """A check of an order that there is."""

    point: Point = Field("confirmation", description="Where the order stands in its course.")


class WhyAsked(Asked):
    """Something that needs a reason and nothing else."""

    why: Why


class ReleaseAsked(Asked):
    """A release: until a day and up to a total, else as the policy says."""

    why: Why
    valid_until: dt.date | None = Field(None, description="The last day on which it counts.")
    up_to: AmountText | None = Field(None, description="Up to this total of the order, in its currency.")


class LimitAsked(Asked):
    """A limit that is asked for."""

    customer: Line = Field(description="Its id in the ledger, or system/id.")
    amount: AmountText | None = Field(None, description="Needed, but where the kind is unlimited.")
    kind: Literal["base", "unlimited", "override", "additive", "seasonal", "guarantee"] = "base"
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] | None = Field(
        None, description="Else the customer's."
    )
    valid_from: dt.date | None = Field(None, description="The first day; else today.")
    valid_to: dt.date | None = Field(None, description="The last day; else without end.")
    season: Line | None = Field(None, description="Of a seasonal limit: 11-01..02-15.")
    percent: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(
        None, description="Of a guarantee: how much of it counts."
    )
    why: Why


class WarningNoted(Asked):
    """That somebody has taken note of warnings of a customer."""

    customer: Line = Field(description="Its id in the ledger, or system/id.", examples=["books/C001"])
    indicators: list[Line] | None = Field(
        None, max_length=50, description="Which of them; all that stand where absent."
    )
    why: Why
    until: dt.date = Field(description="They rest until this day, at most 92 days, or until their level is raised.")


class ApproveAsked(Asked):
    """The approval of a request, at another amount where one is given."""

    amount: AmountText | None = None
    why: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_readable)] = ""


def amount_of(text: str | None) -> Decimal | None:
    """The number of an amount."""
    return None if text is None else Decimal(text)
