"""Fields of forms: what people typed as texts, amounts and days; what is not one of these is noted beside its field."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from connector.errors import BadSetting
from connector.money import parse
from connector.text import Text
from connector.web.asked import _readable

WORDS_MOST = 2000
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3}){1,4}(\.[0-9]{1,4})?")
_PLAIN = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")

NEEDED = Text("Fill this in.", "请填写此项。")
NO_AMOUNT = Text("An amount such as 120000.00.", "请填写金额，例如 120000.00。")
NO_DAY = Text("A day such as 2026-03-31.", "请填写日期，例如 2026-03-31。")
NO_NUMBER = Text("A whole number from {low} to {high}.", "请填写 {low} 至 {high} 之间的整数。")
TOO_LONG = Text("At most {most} characters.", "不得超过 {most} 个字符。")
NO_CHOICE = Text("Choose one of the list.", "请从列表中选择。")


def searched(text: str, most: int = 200) -> str:
    """What somebody looks for, of a bounded length, without what no database keeps."""
    return "".join(c for c in text[:most] if c.isprintable()).strip()


def is_number(text: str, digits: int = 9) -> bool:
    """Whether a text is a whole number of so many digits at most: no more than a database keeps, and in figures that every
    one of our texts has."""
    return text.isascii() and text.isdecimal() and len(text) <= digits


@dataclass
class Fields:
    """What was sent; `wrong` has, by field, what is not right about it."""

    given: Mapping[str, str]
    wrong: dict[str, Text] = field(default_factory=dict)

    def words(self, name: str, *, needed: bool = False, most: int = WORDS_MOST) -> str:
        """A text without control characters."""
        text = self.given.get(name, "").replace("\r\n", "\n").strip()
        if not text:
            if needed:
                self.wrong[name] = NEEDED
            return ""
        if len(text) > most:
            self.wrong[name] = TOO_LONG.fill(most=most)
            return text[:most]
        try:
            return _readable(text)
        except BadSetting as wrong:
            self.wrong[name] = wrong.why
            return ""

    def amount(self, name: str, *, needed: bool = False) -> Decimal | None:
        """An amount, also with its thousands apart."""
        text = self.given.get(name, "").strip()
        if not text:
            if needed:
                self.wrong[name] = NEEDED
            return None
        plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text
        if not _PLAIN.fullmatch(plain):
            self.wrong[name] = NO_AMOUNT
            return None
        return parse(plain)

    def day(self, name: str, *, needed: bool = False) -> dt.date | None:
        """A calendar day."""
        text = self.given.get(name, "").strip()
        if not text:
            if needed:
                self.wrong[name] = NEEDED
            return None
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            self.wrong[name] = NO_DAY
            return None

    def number(self, name: str, low: int, high: int, usual: int | None = None) -> int | None:
        """A whole number; `usual` where nothing was said."""
        text = self.given.get(name, "").strip()
        if not text:
            return usual
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not low <= int(text) <= high:
            self.wrong[name] = NO_NUMBER.fill(low=low, high=high)
            return usual
        return int(text)

    def choice(self, name: str, known: Mapping[str, object] | tuple[str, ...], usual: str) -> str:
        """One of a list."""
        text = self.given.get(name, usual)
        if text not in known:
            self.wrong[name] = NO_CHOICE
            return usual
        return text
