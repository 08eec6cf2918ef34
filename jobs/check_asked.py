"""A question of an order check: whose order, how much, when; read from JSON values, each mistake named with its field.

Amounts are texts, never JSON numbers. Lines are added exactly; nothing is rounded.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from connector.errors import ConfigError
from connector.money import EXACT, is_currency, parse
from connector.text import Text
from jobs import check_words as say

POINTS = ("entry", "confirmation", "release", "delivery", "change", "reopen")
USUAL_MINUTES, MOST_MINUTES = 15, 24 * 60
_WHOLE, _REST = 15, 8
_MOST_LINES = 1000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Asked:
    """One question. `customer` is an id, SYSTEM/ID or tax number; `amount` is gross, unrounded, in `currency` (None: the
    customer's own). `order`: the id or number that the order has, or will have, in its system. `minutes`: so long its credit
    is reserved, if it passes (None: not). `simulate` leaves no trace. `caller` is who asks, "person:li.wei"; keys are his."""

    customer: str
    amount: Decimal | None
    currency: str | None = None
    terms: str | None = None
    ship_on: dt.date | None = None
    order: str | None = None
    point: str = "confirmation"
    key: str | None = None
    minutes: int | None = None
    simulate: bool = False
    caller: str = ""

    @cached_property
    def sha(self) -> str:
        """The SHA-256 of all that is asked, in hexadecimal: two questions with one key must be the same question."""
        words = "\x1f".join(f"{name}={getattr(self, name)}" for name in _TOLD)
        return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


_TOLD = tuple(f.name for f in fields(Asked) if f.name not in ("key", "caller"))


def asked_of(body: Any, caller: str, key: str | None = None) -> Asked:
    """The question in a JSON value. `key` is that of the header. Raises ConfigError that names the field and the remedy."""
    if not isinstance(body, Mapping):
        raise ConfigError(say.NOT_AN_OBJECT.fill(example=say.EXAMPLE))
    for name in body:
        if name not in _FIELDS:
            raise ConfigError(say.UNKNOWN_FIELD.fill(field=_shown(name), near=_near(name, say.FIELDS)))
    customer = _text(body, "customer", 200)
    if customer is None:
        raise ConfigError(say.MISSING.fill(field="customer", what=say.WHAT_CUSTOMER))
    order, own_key = _text(body, "order", 200), _text(body, "key", 200)
    amount = _amount_of(body, order)
    currency = _text(body, "currency", 3)
    if currency is not None and not is_currency(currency):
        raise ConfigError(say.NO_CURRENCY.fill(value=_shown(currency)))
    point = _text(body, "point", 40) or "confirmation"
    if point not in POINTS:
        raise ConfigError(say.NO_POINT.fill(value=_shown(point), points=", ".join(POINTS)))
    reserve, simulate = _flag(body, "reserve"), _flag(body, "simulate")
    minutes = _minutes(body, reserve)
    key = key or own_key
    if simulate and (key or reserve):
        raise ConfigError(say.TRACELESS)
    return Asked(
        customer,
        amount,
        currency,
        _text(body, "terms", 200),
        _day(body, "ship_date"),
        order,
        point,
        key,
        minutes,
        simulate,
        caller,
    )


_FIELDS = frozenset(say.FIELDS)


def _amount_of(body: Mapping[str, Any], order: str | None) -> Decimal | None:
    stated, lines = body.get("amount"), body.get("lines")
    if stated is not None and lines is not None:
        raise ConfigError(say.BOTH)
    if stated is not None:
        amount = amount_in(stated, "amount")
    elif lines is not None:
        if not isinstance(lines, list) or not 1 <= len(lines) <= _MOST_LINES:
            raise ConfigError(say.NO_LINES.fill(most=_MOST_LINES))
        amount = Decimal(0)
        for at, line in enumerate(lines):
            amount = EXACT.add(amount, _line(line, f"lines[{at}]"))
    elif order is not None:
        return None  # it may be there already
    else:
        raise ConfigError(say.MISSING.fill(field="amount", what=say.WHAT_AMOUNT))
    if amount <= 0:
        raise ConfigError(say.NOT_POSITIVE.fill(field="amount" if lines is None else "lines"))
    return amount


def _line(line: Any, at: str) -> Decimal:
    if not isinstance(line, Mapping):
        raise ConfigError(say.NO_LINES.fill(most=_MOST_LINES))
    for name in line:
        if name not in say.LINE_FIELDS:
            field = f"{at}.{_shown(name)}"
            raise ConfigError(say.UNKNOWN_FIELD.fill(field=field, near=_near(name, say.LINE_FIELDS)))
    if "amount" in line:
        if len(line) > 1:
            raise ConfigError(say.NO_LINES.fill(most=_MOST_LINES))
        return amount_in(line["amount"], f"{at}.amount")
    if "quantity" not in line or "price" not in line:
        raise ConfigError(say.NO_LINES.fill(most=_MOST_LINES))
    quantity, price = (amount_in(line[name], f"{at}.{name}") for name in ("quantity", "price"))
    value = EXACT.multiply(quantity, price)
    if "tax_percent" in line:
        tax = amount_in(line["tax_percent"], f"{at}.tax_percent")
        if tax < 0:
            raise ConfigError(say.NEGATIVE.fill(field=f"{at}.tax_percent"))
        value = EXACT.multiply(value, EXACT.add(Decimal(1), tax.scaleb(-2, EXACT)))
    return value


def amount_in(value: Any, field: str) -> Decimal:
    """An amount that is written as a text. Raises ConfigError that names the field."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        raise ConfigError(say.A_NUMBER.fill(field=field))
    try:
        if not isinstance(value, str) or len(value) > 60:
            raise ValueError
        amount = parse(value)
    except ValueError:
        raise ConfigError(say.NO_AMOUNT.fill(field=field, value=_shown(value))) from None
    exponent = amount.as_tuple().exponent
    if amount.adjusted() >= _WHOLE or not isinstance(exponent, int) or -exponent > _REST:
        raise ConfigError(say.TOO_LONG.fill(field=field, whole=_WHOLE, rest=_REST))
    return amount


def _text(body: Mapping[str, Any], field: str, most: int) -> str | None:
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.strip() or not value.isprintable():
        if field == "currency" and isinstance(value, str):
            raise ConfigError(say.NO_CURRENCY.fill(value=_shown(value)))
        raise ConfigError(say.NO_TEXT.fill(field=field, most=most))
    return value.strip()


def _day(body: Mapping[str, Any], field: str) -> dt.date | None:
    value = body.get(field)
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ConfigError(say.NO_DATE.fill(field=field, value=_shown(value))) from None


def _flag(body: Mapping[str, Any], field: str) -> bool:
    value = body.get(field)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ConfigError(say.NO_FLAG.fill(field=field))


def _minutes(body: Mapping[str, Any], reserve: bool) -> int | None:
    value = body.get("reserve_minutes")
    if value is None:
        return USUAL_MINUTES if reserve else None
    if not reserve:
        raise ConfigError(say.NOT_RESERVED)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_MINUTES:
        raise ConfigError(say.NO_MINUTES.fill(most=MOST_MINUTES))
    return value


def _shown(value: Any) -> str:
    words = "".join(c if c.isprintable() else "?" for c in str(value)[:60])
    return Text(words, words).en


def _near(name: Any, right: tuple[str, ...]) -> str:
    found = get_close_matches(str(name)[:60], right, n=1, cutoff=0.5)
    return found[0] if found else ", ".join(right)
