"""Reasons: why something is held or warned of, as a sentence in both languages that carries its numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from connector.money import EXACT, rounded
from connector.text import Text

# What is told of a reason: the sentence, and the same figures for programs.
Told = tuple[Text, dict[str, str]]


class Reason:
    """One rule that applies.

    `rule` is stable and short (`limit_exceeded`); `text` is what a person reads; `numbers` are the same figures for
    programs: plain decimals, days, ISO dates, codes; `documents` names what is behind it. Text and numbers are made when
    somebody reads them (`later`): most conclusions are only compared with yesterday's.
    """

    __slots__ = ("_tell", "_told", "_values", "documents", "rule")
    _tell: Callable[..., Told]
    _values: tuple[object, ...]

    def __init__(
        self, rule: str, text: Text, numbers: dict[str, str] | None = None, documents: tuple[str, ...] = ()
    ) -> None:
        self.rule = rule
        self.documents = documents
        self._told: Told | None = (text, numbers if numbers is not None else {})

    @classmethod
    def later(cls, rule: str, tell: Callable[..., Told], *values: object, documents: tuple[str, ...] = ()) -> Reason:
        """A reason whose text and numbers are `tell(*values)`; the values are what it rests on, unrounded."""
        made = cls.__new__(cls)
        made.rule = rule
        made.documents = documents
        made._told = None
        made._tell = tell
        made._values = values
        return made

    def _read(self) -> Told:
        if self._told is None:
            self._told = self._tell(*self._values)
        return self._told

    @property
    def text(self) -> Text:
        """The sentence with its numbers."""
        return self._read()[0]

    @property
    def numbers(self) -> dict[str, str]:
        """The figures of the sentence by name."""
        return self._read()[1]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reason):
            return NotImplemented
        return (self.rule, self.documents, self._read()) == (other.rule, other.documents, other._read())

    def __hash__(self) -> int:
        return hash((self.rule, self.documents, self.text))

    def __repr__(self) -> str:
        return f"Reason({self.rule!r}, {self.text.en!r}, {self.numbers!r}, {self.documents!r})"


def money(amount: Decimal, currency: str) -> str:
    """An amount as a sentence shows it: `CNY 9,900.00`."""
    return f"{currency} {rounded(amount, currency):,f}"


def percent(share: Decimal) -> str:
    """A fraction of 1 as a sentence shows it: `65.82%`."""
    return f"{EXACT.quantize(share * 100, Decimal('0.01')):f}%"
