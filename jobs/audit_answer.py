"""The audit trail as answers: one entry, and what it says of before and after, as JSON can hold it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connector.store.audit import Line
from connector.text import Text

Amount = Callable[[Decimal], Any]


def _itself(amount: Decimal) -> Any:
    return amount


def answer(line: Line, amount: Amount = _itself) -> dict[str, Any]:
    """One entry with its place and its hash; `amount` says how decimals stand in it."""
    entry = line.entry
    return {
        "lane": line.lane,
        "number": line.number,
        "at": line.at.isoformat(),
        "action": entry.action,
        "subject": entry.subject,
        "actor": entry.actor,
        "why": entry.why,
        "before": plain(entry.before, amount),
        "after": plain(entry.after, amount),
        "hash": line.hash,
    }


def plain(value: Any, amount: Amount = _itself) -> Any:
    """A value of an entry: days as texts, decimals as `amount` has them."""
    if isinstance(value, dict):
        return {key: plain(each, amount) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each, amount) for each in value]
    if isinstance(value, Decimal):
        return amount(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def spoken(value: Any, say: Callable[[Text], str]) -> Any:
    """A value of an entry for one reader: what stands in it in both languages he reads in his own, as "text"."""
    if isinstance(value, list):
        return [spoken(each, say) for each in value]
    if not isinstance(value, dict):
        return value
    en, zh = value.get("en"), value.get("zh")
    if not isinstance(en, str) or not isinstance(zh, str) or "text" in value:
        return {key: spoken(each, say) for key, each in value.items()}
    rest = {key: spoken(each, say) for key, each in value.items() if key not in ("en", "zh")}
    return {"text": say(Text(en, zh)), **rest} if rest else say(Text(en, zh))
