"""Money: whole minor units of one currency, `Decimal` at the edge, never a float.

Amounts are stored as integers of the currency's minor unit (CNY 2 decimals, JPY 0, KWD 3). Rounding is half up
(四舍五入), once, at the end of a sum (domain 0.3). Amounts of two currencies are never added: that is a TypeError.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

# ISO 4217 currencies whose minor unit is not two decimals.
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}

# Wide enough for any sum of 63-bit amounts times a rate; the process's own context may be narrower.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def exponent(currency: str) -> int:
    """Decimals of a currency's minor unit by ISO 4217; 2 where the standard says nothing else."""
    return _EXPONENTS.get(currency, 2)


def is_currency(code: str) -> bool:
    """Whether this looks like an ISO 4217 code: three capital letters."""
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount rounded half up to the currency's minor unit. The one rounding of a sum."""
    return EXACT.quantize(amount, _unit(currency)) + _ZERO  # no minus zero


@lru_cache(maxsize=256)
def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-exponent(currency))


_ZERO = Decimal(0)


def to_minor(amount: Decimal, currency: str) -> int:
    """Whole minor units of an amount, rounded half up."""
    return int(EXACT.quantize(amount.scaleb(exponent(currency), EXACT), Decimal(1)))


def to_minor_exact(amount: Decimal, currency: str) -> int:
    """Whole minor units of an amount that must not need rounding.

    Raises ValueError where it has more decimals than the currency knows, or is not a number.
    """
    scaled = amount.scaleb(exponent(currency), EXACT)
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency} knows ({exponent(currency)})")
    return int(scaled)


def share_of(whole: int, portion: int, of: int) -> int:
    """`whole × portion ÷ of`, rounded half up; zero where there is nothing to divide by."""
    if of == 0:
        return 0
    negative = (whole < 0) ^ (portion < 0) ^ (of < 0)
    size = (2 * abs(whole) * abs(portion) + abs(of)) // (2 * abs(of))
    return -size if negative else size


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount that so many minor units are, with the currency's own number of decimals."""
    return Decimal(minor).scaleb(-exponent(currency), EXACT)


def show(amount: Decimal, currency: str) -> str:
    """An amount as the outside contract writes it: plain, with the currency's own number of decimals."""
    return format(rounded(amount, currency), "f")


def parse(text: str) -> Decimal:
    """A plain decimal with a dot. Raises ValueError for anything else: grouping, a comma, NaN, an exponent."""
    stripped = text.strip()
    digits = stripped.lstrip("+-")
    if not digits or not digits.isascii() or digits.count(".") > 1 or not digits.replace(".", "").isdigit():
        raise ValueError(text)
    try:
        return Decimal(stripped)
    except InvalidOperation as wrong:
        raise ValueError(text) from wrong


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, in whole minor units. Adding two currencies is a TypeError."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Money:
        """An amount rounded half up to the currency's minor unit."""
        return cls(to_minor(Decimal(amount), currency), currency)

    @property
    def amount(self) -> Decimal:
        """The amount with the currency's own number of decimals."""
        return from_minor(self.minor, self.currency)

    def _same(self, other: Money) -> None:
        if not isinstance(other, Money) or other.currency != self.currency:
            raise TypeError(f"{self} and {other} are of two currencies: convert one of them first")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
