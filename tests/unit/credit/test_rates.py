"""Rates: the lookup order, and amounts that are rounded only by whoever has added them up."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.credit.rates import Rates
from connector.model import Rate
from connector.money import EXACT, rounded

DAY = dt.date(2026, 11, 23)


def rate(frm: str, to: str, value: str, days_ago: int = 0) -> Rate:
    return Rate(on=DAY - dt.timedelta(days=days_ago), from_currency=frm, to_currency=to, rate=Decimal(value))


def test_the_rate_of_the_day_comes_first() -> None:
    rates = Rates([rate("USD", "CNY", "7.1"), rate("USD", "CNY", "7.0", 1), rate("CNY", "USD", "0.5")], "CNY", 7)
    assert rates.rate("USD", "CNY", DAY) == Decimal("7.1")


def test_else_the_latest_earlier_one_within_the_age() -> None:
    rates = Rates([rate("USD", "CNY", "7.0", 7), rate("USD", "CNY", "6.0", 30)], "CNY", 7)
    assert rates.rate("USD", "CNY", DAY) == Decimal("7.0")
    assert rates.rate("USD", "CNY", DAY + dt.timedelta(days=1)) is None  # eight days old


def test_an_earlier_direct_rate_goes_before_an_inverse_of_the_day() -> None:
    rates = Rates([rate("USD", "CNY", "7.0", 3), rate("CNY", "USD", "0.2")], "CNY", 7)
    assert rates.rate("USD", "CNY", DAY) == Decimal("7.0")


def test_else_the_inverse_which_divides() -> None:
    rates = Rates([rate("CNY", "USD", "3")], "CNY", 7)
    quote = rates.quote("USD", "CNY", DAY)
    assert quote is not None
    assert quote.how == "inverse"
    # 0.30 ÷ 3 is exactly 0.1; 0.30 × 0.333… would not be
    assert rates.convert(Decimal("0.30"), "USD", "CNY", DAY) == Decimal("0.1")


def test_else_both_legs_via_the_base() -> None:
    rates = Rates([rate("USD", "CNY", "7"), rate("CNY", "JPY", "20", 2)], "CNY", 7)
    quote = rates.quote("USD", "JPY", DAY)
    assert quote is not None
    assert (quote.how, quote.on) == ("via_base", DAY - dt.timedelta(days=2))
    assert rates.convert(Decimal(3), "USD", "JPY", DAY) == Decimal(420)


def test_via_the_base_may_use_an_inverse_leg() -> None:
    rates = Rates([rate("CNY", "USD", "0.125"), rate("CNY", "JPY", "20")], "CNY", 7)
    assert rates.rate("USD", "JPY", DAY) == Decimal(160)


def test_a_later_rate_is_never_used() -> None:
    assert Rates([rate("USD", "CNY", "7", -1)], "CNY", 7).rate("USD", "CNY", DAY) is None


def test_no_rate_is_none_and_not_one() -> None:
    rates = Rates([rate("USD", "CNY", "7")], "CNY", 7)
    assert rates.convert(Decimal(5), "EUR", "CNY", DAY) is None
    assert rates.convert(Decimal(5), "EUR", "USD", DAY) is None
    assert rates.convert(Decimal(0), "EUR", "CNY", DAY) is None  # not even nothing


def test_a_rate_of_zero_or_less_is_no_rate() -> None:
    rates = Rates([rate("USD", "CNY", "0"), rate("EUR", "CNY", "-1")], "CNY", 7)
    assert rates.rate("USD", "CNY", DAY) is None
    assert rates.rate("CNY", "EUR", DAY) is None


def test_the_same_currency_needs_no_rate() -> None:
    assert Rates([], "CNY", 0).convert(Decimal("1.23"), "USD", "USD", DAY) == Decimal("1.23")


def test_of_two_rates_of_a_day_the_later_in_the_list_counts() -> None:
    assert Rates([rate("USD", "CNY", "7"), rate("USD", "CNY", "8")], "CNY", 7).rate("USD", "CNY", DAY) == 8


def test_e4_sum_then_round() -> None:
    rates = Rates([rate("USD", "CNY", "7.12345")], "CNY", 7)
    each = [rates.convert(Decimal("100.01"), "USD", "CNY", DAY) for _ in range(3)]
    amounts = [amount for amount in each if amount is not None]
    assert rounded(sum(amounts, Decimal(0)), "CNY") == Decimal("2137.25")
    assert sum(rounded(amount, "CNY") for amount in amounts) == Decimal("2137.26")  # what must not be done


money = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
positive = st.decimals(min_value=Decimal("0.0001"), max_value=10**5, places=4)


@given(parts=st.lists(money, max_size=20), value=positive)
def test_converting_a_sum_is_summing_what_was_converted(parts: list[Decimal], value: Decimal) -> None:
    rates = Rates([Rate(on=DAY, from_currency="USD", to_currency="CNY", rate=value)], "CNY", 7)
    together = rates.convert(sum(parts, Decimal(0)), "USD", "CNY", DAY)
    one_by_one = Decimal(0)
    for part in parts:
        converted = rates.convert(part, "USD", "CNY", DAY)
        assert converted is not None
        one_by_one = EXACT.add(one_by_one, converted)
    assert together == one_by_one


@given(amount=money, value=positive)
def test_there_and_back_is_the_same_amount(amount: Decimal, value: Decimal) -> None:
    rates = Rates([Rate(on=DAY, from_currency="USD", to_currency="CNY", rate=value)], "CNY", 7)
    there = rates.convert(amount, "USD", "CNY", DAY)
    assert there is not None
    back = rates.convert(there, "CNY", "USD", DAY)
    assert back == amount
