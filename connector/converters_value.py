"""What every converter works with: the context of a value, how a bad one is told, and any value as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.text import Text


@dataclass(frozen=True, slots=True)
class Context:
    """What a value may depend on besides itself: the business's time zone, its ledger currency, the system's name."""

    time_zone: str = "UTC"
    base: str = "CNY"
    system: str = ""


class BadValue(ValueError):
    """A value that cannot be read; `what` is wrong and `fix` mends it."""

    def __init__(self, code: str, what: Text, fix: Text) -> None:
        super().__init__(what.en)
        self.code, self.what, self.fix = code, what, fix


Convert = Callable[[Any, Context], Any]


def shorten(value: object, longest: int = 40) -> str:
    """A value as a message quotes it: one line, cut, never a whole record."""
    if isinstance(value, dict):
        return f"{{… {len(value)}}}"
    if isinstance(value, list | tuple):
        return f"[… {len(value)}]"
    line = "".join(c if c.isprintable() else "\ufffd" for c in str(value))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def bad(code: str, what: Text, fix: Text, value: object, **more: object) -> BadValue:
    """A bad value with its own (shortened) value filled into both sentences."""
    quoted = shorten(value)
    return BadValue(code, what.fill(value=quoted, **more), fix.fill(value=quoted, **more))


def text(value: Any, context: Context) -> str:
    """Text as it stands, without blanks around it; a whole number without its point."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.to_integral_value() if value == value.to_integral_value() else value, "f")
    if isinstance(value, int | dt.date):
        return str(value)
    raise bad(
        "not_a_text",
        Text("“{value}” is a list or a table, not one value.", "“{value}”是列表或对象，不是单个值。"),
        Text(
            "Name the part that is meant, such as `owner.name` or `owner.0`.",
            "请写明要取的部分，例如 `owner.name` 或 `owner.0`。",
        ),
        value,
    )
