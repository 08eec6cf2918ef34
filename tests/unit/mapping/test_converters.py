"""The closed list of converters: what each understands, and what it refuses rather than guesses."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.converters import CONVERTERS, BadValue, Context, date_format

SHANGHAI = Context(time_zone="Asia/Shanghai", base="CNY")
DAY = dt.date.fromisoformat


def convert(name: str, value: Any, context: Context = SHANGHAI) -> Any:
    return CONVERTERS[name].convert(value, context)


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("text", "A b", "A b"),
        ("text", 1001, "1001"),
        ("text", Decimal("1001.0"), "1001"),
        ("text", Decimal("1.50"), "1.50"),
        ("text", True, "true"),
        ("word", "Active", "active"),
        ("currency", "cny", "CNY"),
        ("tax_id", "91310000-ma1fl0 ax5b", "91310000MA1FL0AX5B"),
        ("tax_id", "９１３１", "9131"),
        ("tax_id", "DE 123.456.789", "DE123456789"),
        ("decimal", "-12.50", Decimal("-12.50")),
        ("decimal", 3, Decimal(3)),
        ("money_grouped", "1,234,567.80", Decimal("1234567.80")),
        ("money_grouped", "1234.5", Decimal("1234.5")),
        ("money_grouped", "(1,234.50)", Decimal("-1234.50")),
        ("money_comma", "1.234.567,80", Decimal("1234567.80")),
        ("money_comma", "12,5", Decimal("12.5")),
        ("money_comma", "1 234,50", Decimal("1234.50")),
        ("integer", "12.0", 12),
        ("percent", "50", Decimal("0.5")),
        ("percent", "12.5 %", Decimal("0.125")),
        ("share", "50", Decimal("0.5")),
        ("share", "0.5", Decimal("0.5")),
        ("share", "1", Decimal(1)),
        ("share", "1%", Decimal("0.01")),
        ("boolean", "是", True),
        ("boolean", "No", False),
        ("boolean", 1, True),
        ("boolean", Decimal(0), False),
        ("date", "2026-02-28", DAY("2026-02-28")),
        ("date", "2026-02-28T00:00:00", DAY("2026-02-28")),
        ("date", "2026-02-28 00:00:00.000", DAY("2026-02-28")),
        ("date_in_zone", "2026-02-28T16:30:00Z", DAY("2026-03-01")),
        ("date_in_zone", "2026-02-28 15:59:59", DAY("2026-02-28")),
        ("date_in_zone", "2026-02-28T23:00:00-05:00", DAY("2026-03-01")),
        ("date_in_zone", "2026-02-28", DAY("2026-02-28")),
        ("date_in_zone", "9999-12-31T23:59:59Z", DAY("9999-12-31")),
        ("epoch_ms", 1772294400000, DAY("2026-03-01")),  # 2026-02-28T16:00:00Z
        ("epoch_ms", "1772294399999", DAY("2026-02-28")),
        ("epoch_s", 1772294400, DAY("2026-03-01")),
    ],
)
def test_what_is_understood(name: str, value: Any, made: Any) -> None:
    found = convert(name, value)
    assert (found, type(found)) == (made, type(made))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", ["a"]),
        ("text", {"a": 1}),
        ("currency", "Yuan"),
        ("currency", "RMB"),
        ("decimal", "1,5"),
        ("decimal", "1e3"),
        ("decimal", "NaN"),
        ("decimal", Decimal("Infinity")),
        ("decimal", True),
        ("decimal", "１２"),
        ("money_grouped", "1,23.5"),
        ("money_grouped", "1.234,50"),
        ("money_grouped", "(-5)"),
        ("money_comma", "1,234.50"),
        ("money_comma", "1.23,5"),
        ("integer", "1.5"),
        ("percent", "half"),
        ("boolean", "maybe"),
        ("boolean", 2),
        ("date", "20260228"),
        ("date", "2026-W09-6"),
        ("date", "2026-2-8"),
        ("date", 46266),
        ("date", "2026-02-28T00:00:00Z"),
        ("date_in_zone", "28/02/2026 10:00"),
        ("epoch_s", 1772294400000000),
        ("terms", "2x monthly"),
        ("terms", "day:32:1"),
    ],
)
def test_what_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadValue) as told:
        convert(name, value)
    assert told.value.what.zh
    assert told.value.fix.en


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("net:30", "net:30"),
        ("NET:45", "net:45"),
        ("months:1", "months:1"),
        ("eom:30", "eom:30"),
        ("day:10:1", "day:10:1"),
        ("day:10", "day:10:1"),
        ("Net 30", "net:30"),
        ("net-60 days", "net:60"),
        ("N30", "net:30"),
        ("30 Days", "net:30"),
        ("30", "net:30"),
        ("30天", "net:30"),
        ("账期：60 天", "net:60"),
        ("2/10 net 30", "net:30"),
        ("2% 10, net 30", "net:30"),
        ("EOM+30", "eom:30"),
        ("EOM", "eom:0"),
        ("月结", "eom:0"),
        ("月结30天", "eom:30"),
        ("月结６０天", "eom:60"),
        ("1 month", "months:1"),
        ("3个月", "months:3"),
        ("10th of next month", "day:10:1"),
        ("次月10日", "day:10:1"),
        ("Due on receipt", "net:0"),
        ("款到发货", "net:0"),
    ],
)
def test_terms_in_words(said: str, made: str) -> None:
    assert convert("terms", said) == made


def test_a_date_by_a_format() -> None:
    assert date_format("%d.%m.%Y")("03.12.2026", SHANGHAI) == DAY("2026-12-03")
    assert date_format("%Y年%m月%d日")("2026年1月5日", SHANGHAI) == DAY("2026-01-05")
    with pytest.raises(BadValue, match=r"“2026-12-03” is not a date of the form %d\.%m\.%Y"):
        date_format("%d.%m.%Y")("2026-12-03", SHANGHAI)


def test_every_converter_says_in_both_languages_what_it_is_for() -> None:
    assert len(CONVERTERS) >= 15
    for name, converter in CONVERTERS.items():
        assert converter.about.en.endswith("."), name
        assert converter.about.zh.endswith("。"), name
        assert converter.about.en != converter.about.zh


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_grouping_and_the_decimal_comma_say_the_same_number(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert convert("money_grouped", english) == convert("money_comma", german) == amount


@given(st.text(max_size=20))
def test_no_text_whatever_raises_anything_else(text: str) -> None:
    for converter in CONVERTERS.values():
        with contextlib.suppress(BadValue):
            assert converter.convert(text, SHANGHAI) is not None
