"""The converter of payment terms: words of English and Chinese paper as `net:30`, `eom:30`, `months:1`, `day:10:1`.

月结30天 is 30 days after the end of the invoice's month, as the trade uses it; an early-payment discount (2/10 net 30) does
not move the due date. What is not known here is a problem: terms are never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from connector.converters_value import Context, bad, text
from connector.text import Text

_OURS = re.compile(r"(net|months|eom):\d{1,4}|day:\d{1,2}(:\d{1,2})?", re.ASCII)
_AT_ONCE = frozenset(
    [
        "immediate",
        "immediately",
        "immediate payment",
        "due on receipt",
        "due upon receipt",
        "cash",
        "cash on delivery",
        "cod",
        "prepaid",
        "prepayment",
        "cash in advance",
        "现结",
        "现款",
        "现款现货",
        "款到发货",
        "货到付款",
        "即付",
        "立即付款",
        "预付款",
    ]
)
_TERMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), made)
    for pattern, made in (
        (r"(?:\d+(?:\.\d+)?[%/ ]+\d+,? *)?(?:net|n)[ /:-]*(\d{1,4})(?: *days?)?", "net:{}"),  # also "2/10 net 30"
        (r"(\d{1,4})(?: *days?(?: net)?| *天(?:内付款)?| *日内付款)?", "net:{}"),
        (r"(?:账期|赊销)[ :：]*(\d{1,4}) *天", "net:{}"),
        (r"(?:月结|eom|end of month)(?: *\+)? *(\d{1,4})(?: *days?| *天)?", "eom:{}"),
        (r"(\d{1,2})(?: *months?| *个月)", "months:{}"),
        (r"(\d{1,2})(?:st|nd|rd|th)? of (?:the )?(?:next|following) month", "day:{}:1"),
        (r"次月 *(\d{1,2}) *[日号](?:付款)?", "day:{}:1"),
    )
)


def terms(value: Any, context: Context) -> str:
    """Payment terms in words: Net 30, 30 days, 30天 → net:30; EOM+30, 月结30天 → eom:30; 10th of next month → day:10:1."""
    plain = unicodedata.normalize("NFKC", text(value, context)).casefold().strip()
    found = _known_terms(plain)
    if found is None:
        raise bad(
            "unknown_terms",
            Text("The payment terms “{value}” are not understood.", "无法识别付款条件“{value}”。"),
            Text(
                'Use `net:30`, `months:1`, `eom:30` or `day:10:1`, or add `values = {{ "{value}" = "net:30" }}` to the mapping.',
                '请使用 `net:30`、`months:1`、`eom:30` 或 `day:10:1`，或在映射中加入 `values = {{ "{value}" = "net:30" }}`。',
            ),
            value,
        )
    return found


@lru_cache(maxsize=4096)
def _known_terms(plain: str) -> str | None:
    if _OURS.fullmatch(plain):
        if not plain.startswith("day:"):
            return plain
        _, day, *months = plain.split(":")
        return f"day:{day}:{months[0] if months else 1}" if 1 <= int(day) <= 31 else None
    if plain in _AT_ONCE:
        return "net:0"
    if plain in ("eom", "end of month", "月结"):
        return "eom:0"
    for pattern, made in _TERMS:
        if found := pattern.fullmatch(plain):
            return _known_terms(made.format(int(found[1])))
    return None
