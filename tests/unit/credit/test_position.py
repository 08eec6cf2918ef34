"""The position: E1, several currencies, what is missing, several accounts of one debtor."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.limit import NO_LIMIT, Effective
from connector.credit.position import Position, combine, position
from connector.credit.rates import Rates
from connector.credit.totals import Totals
from connector.model import Rate
from connector.policy import Policy, default_policy, load

AS_OF = dt.date(2026, 11, 23)
RATES = Rates(
    [
        Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=Decimal("7.12345")),
        Rate(on=AS_OF, from_currency="JPY", to_currency="CNY", rate=Decimal("0.05")),
    ],
    "CNY",
    7,
)
LIMIT = Effective("amount", Decimal("500000.00"), "CNY")


def at(
    rows: list[Totals],
    limit: Effective = LIMIT,
    currency: str = "CNY",
    policy: Policy | None = None,
    rates: Rates = RATES,
) -> Position:
    return position(1, currency, rows, limit, rates, AS_OF, policy or default_policy())


# 100 × 1,000 + 13 % tax, 40 delivered, 30 invoiced: 10 × 1,130 and 60 × 1,130
E1 = Totals(
    1,
    "CNY",
    buckets=(215_000_00, 0, 0, 0, 0),
    receivables=215_000_00,
    unapplied_cash=12_000_00,
    unapplied_notes=3_000_00,
    cash=12_000_00,
    notes=3_000_00,
    bills_commercial=50_000_00,
    delivered_not_invoiced=Decimal(11_300_00),
    ordered_not_delivered=Decimal(67_800_00),
)


def test_e1() -> None:
    found = at([E1])
    assert found.exposure.total == Decimal("329100.00")
    assert found.available == Decimal("170900.00")
    assert str(found.utilisation) == "0.6582"
    assert (found.exposure.unapplied_cash, found.exposure.unapplied_credit_notes) == (-12000, -3000)
    assert (found.unapplied, found.balance) == (-15000, 200000)


@pytest.mark.parametrize(
    ("switch", "total"),
    [
        ("unapplied_cash = false", 341100),
        ("unapplied_credit_notes = false", 332100),
        ("delivered_not_invoiced = false", 317800),
        ("ordered_not_delivered = false", 261300),
        ("bills_commercial = false", 279100),
        ("bills_bank = true", 329107),
        ("draft_invoices = true", 329105),
    ],
)
def test_each_component_can_be_switched(switch: str, total: int) -> None:
    row = replace(E1, bills_bank=7_00, drafts=5_00)
    assert at([row]).exposure.total == 329100
    found = at([row], policy=load(f"[exposure]\n{switch}"))
    assert found.exposure.total == total
    parts = found.exposure
    shown = (
        parts.open_receivables
        + parts.unapplied_cash
        + parts.unapplied_credit_notes
        + parts.delivered_not_invoiced
        + parts.ordered_not_delivered
        + parts.bills
        + parts.drafts
    )
    assert shown == total
    assert found.balance == 200000  # the ledger does not depend on what counts as exposure


def test_exposure_may_be_negative() -> None:
    found = at([Totals(1, "CNY", buckets=(0,) * 5, unapplied_cash=500, cash=500)])
    assert found.exposure.total == -5
    assert found.available == Decimal("500005.00")
    assert found.utilisation == 0
    assert str(found.utilisation) == "0.0000"


def test_placement_does_not_change_exposure() -> None:
    separate = Totals(1, "CNY", buckets=(100, 0, 0, 0, 0), receivables=100, unapplied_cash=30, cash=30)
    fifo = replace(separate, buckets=(70, 0, 0, 0, 0), unapplied_cash=0)
    assert at([separate]).exposure == at([fifo]).exposure
    assert at([separate]).balance == at([fifo]).balance == Decimal("0.70")


def test_ratios_of_overdue_are_taken_of_what_is_open_by_the_same_placement() -> None:
    separate = Totals(1, "CNY", buckets=(100, 50, 0, 0, 0), receivables=150, unapplied_cash=30, cash=30, overdue=50)
    fifo = replace(separate, buckets=(100, 20, 0, 0, 0), unapplied_cash=0, overdue=20)
    own_bucket = replace(separate, buckets=(70, 50, 0, 0, 0), unapplied_cash=0)
    assert at([separate]).open_total == Decimal("1.50")
    assert at([fifo], policy=load('[ageing]\nplacement = "fifo"')).open_total == Decimal("1.20")
    assert at([own_bucket], policy=load('[ageing]\nplacement = "own_bucket"')).open_total == Decimal("1.50")


def test_e4_convert_unrounded_add_round_once() -> None:
    rows = [Totals(n, "USD", buckets=(10001, 0, 0, 0, 0), receivables=10001) for n in (1, 2, 3)]
    found = at(rows)
    assert found.balance == found.exposure.total == Decimal("2137.25")


def test_currencies_without_and_with_three_decimals() -> None:
    assert at([Totals(1, "JPY", buckets=(1010, 0, 0, 0, 0), receivables=1010)]).balance == Decimal("50.50")
    kuwait = at([Totals(1, "KWD", buckets=(1234, 0, 0, 0, 0), receivables=1234)], NO_LIMIT, "KWD")
    assert str(kuwait.balance) == "1.234"


def test_order_values_are_rounded_half_up_at_the_end() -> None:
    row = Totals(
        1, "CNY", buckets=(0,) * 5, delivered_not_invoiced=Decimal("0.5"), ordered_not_delivered=Decimal("0.5")
    )
    found = at([row]).exposure
    assert (str(found.delivered_not_invoiced), str(found.ordered_not_delivered)) == ("0.01", "0.01")
    assert str(found.total) == "0.01"  # one whole minor unit, not two


def test_without_a_rate_nothing_is_available_and_the_sentence_says_why() -> None:
    found = at([E1, Totals(1, "EUR", buckets=(0, 12345, 0, 0, 0), receivables=12345)])
    assert (found.available, found.utilisation) == (None, None)
    (reason,) = found.unclear
    assert reason.rule == "no_rate"
    assert reason.numbers == {"from": "EUR", "to": "CNY", "on": "2026-11-23", "exposure": "123.45"}
    assert reason.text.en == (
        "no exchange rate from EUR to CNY on 2026-11-23: EUR 123.45 of exposure is not in the figures"
    )
    assert reason.text.zh == "2026-11-23 没有 EUR 兑 CNY 的汇率：EUR 123.45 的信用占用未计入"


def test_a_currency_in_which_nothing_is_open_needs_no_rate() -> None:
    assert at([E1, Totals(1, "EUR", buckets=(0,) * 5)]).unclear == ()


def test_a_limit_keeps_its_own_currency_and_is_compared_in_the_customers() -> None:
    found = at([E1], Effective("amount", Decimal(100_000), "USD"))
    assert found.limit_amount == Decimal("712345.00")
    assert found.limit.amount == 100_000
    lost = at([E1], Effective("amount", Decimal(100_000), "EUR"))
    assert (lost.limit_amount, lost.available) == (None, None)
    assert lost.unclear[0].text.en == "no exchange rate from EUR to CNY on 2026-11-23: the limit cannot be compared"
    assert lost.unclear[0].text.zh == "2026-11-23 没有 EUR 兑 CNY 的汇率：无法与额度比较"


def test_items_without_a_due_date_are_reported_unless_the_policy_ages_them() -> None:
    row = replace(E1, without_due_date=2)
    (reason,) = at([row]).unclear
    assert (reason.rule, reason.numbers) == ("no_due_date", {"count": "2"})
    assert reason.text.en == "2 open items without a due date: how much is overdue cannot be told"
    assert reason.text.zh == "2 笔未清项没有到期日：无法判断逾期金额"
    assert at([row], policy=load('[ageing]\nmissing_due_date = "issue_date"')).unclear == ()


def test_a_limit_that_cannot_be_relied_on_is_reported() -> None:
    unread = at([E1], replace(LIMIT, unread=("L7",))).unclear
    assert unread[0].rule == "unclear_limit"
    assert (
        unread[0].text.en
        == "limit L7 has no amount, or a condition that nobody can read: the limit cannot be relied on"
    )
    assert unread[0].text.zh == "额度 L7 没有金额，或其条件无法识别：额度不可靠"
    assert at([E1], replace(LIMIT, no_rate=("USD/CNY",))).unclear[0].rule == "no_rate"


def test_available_and_utilisation_are_none_where_they_mean_nothing() -> None:
    for limit in (NO_LIMIT, Effective("unlimited")):
        assert (at([E1], limit).available, at([E1], limit).utilisation) == (None, None)
    zero = at([E1], Effective("amount", Decimal(0), "CNY"))
    assert (zero.available, zero.utilisation) == (Decimal("-329100.00"), None)


def test_overdue_days_are_of_the_oldest_row() -> None:
    row = Totals(
        1, "CNY", buckets=(0, 100, 0, 0, 0), receivables=100, overdue=100, oldest_due_on=AS_OF - dt.timedelta(3)
    )
    older = replace(row, currency="USD", oldest_due_on=AS_OF - dt.timedelta(9))
    found = at([row, older])
    assert (found.overdue_days, found.undisputed_overdue_days) == (9, 0)


def test_nothing_open_is_zero_to_the_currencys_decimals() -> None:
    found = at([], NO_LIMIT, "JPY")
    assert str(found.balance) == "0"
    assert list(found.buckets) == ["current", "1-30", "31-60", "61-90", "91+"]


def test_rows_with_other_buckets_are_refused() -> None:
    with pytest.raises(ValueError, match="3 buckets where there are 5 names"):
        at([Totals(1, "CNY", buckets=(1, 2, 3))])


def test_the_unit_of_the_policys_amounts() -> None:
    assert at([E1]).unit == 1
    dollars = at([], NO_LIMIT, "USD").unit
    assert dollars is not None
    assert round(dollars * Decimal("7.12345"), 20) == 1
    assert at([], NO_LIMIT, "EUR").unit is None


def test_accounts_of_one_debtor_add_up() -> None:
    other = replace(
        at([Totals(2, "CNY", buckets=(0, 100_00, 0, 0, 0), receivables=100_00, overdue=100_00)]),
        overdue_days=4,
        customer=2,
    )
    both = combine([at([E1]), other])
    assert (both.customer, both.exposure.total, both.balance, both.overdue_days) == (1, 329200, 200100, 4)
    assert (both.limit_amount, both.available) == (1_000_000, 670_800)
    assert both.utilisation == Decimal("0.3292")
    assert combine([other]) is other


def test_accounts_of_two_currencies_are_not_added() -> None:
    with pytest.raises(TypeError, match="two currencies"):
        combine([at([E1]), at([], NO_LIMIT, "USD")])


minor = st.integers(0, 10**12)
rows = st.builds(
    lambda currency, buckets, cash, notes: Totals(
        1,
        currency,
        buckets=buckets,
        receivables=sum(buckets),
        unapplied_cash=cash,
        cash=cash,
        unapplied_notes=notes,
        notes=notes,
    ),
    st.sampled_from(["CNY", "USD", "JPY"]),
    st.tuples(minor, minor, minor, minor, minor),
    minor,
    minor,
)


@given(st.lists(rows, max_size=6))
def test_what_is_shown_adds_up_within_one_rounding_per_figure(given_rows: list[Totals]) -> None:
    found = at(given_rows)
    shown = sum(found.buckets.values(), Decimal(0)) + found.unapplied
    foreign = any(row.currency != "CNY" for row in given_rows)
    assert abs(shown - found.balance) <= (Decimal("0.03") if foreign else 0)
    assert found.exposure.total == found.balance


@given(st.permutations([E1, replace(E1, currency="USD"), replace(E1, currency="JPY")]))
def test_the_order_of_rows_does_not_matter(given_rows: list[Totals]) -> None:
    assert at(given_rows) == at([E1, replace(E1, currency="USD"), replace(E1, currency="JPY")])


def half_up(exact: Fraction, places: int) -> Decimal:
    """Rounded half up, by whole numbers only: an oracle that shares nothing with the engine."""
    scaled = abs(exact) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if exact >= 0 else -whole).scaleb(-places)


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from(["CNY", "USD", "JPY"])), min_size=1, max_size=8),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
def test_every_sum_is_rounded_half_up_once(given_rows: list[tuple[int, str]], dollar: int, yuan: int) -> None:
    rates = Rates(
        [
            Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=Decimal(dollar).scaleb(-4)),
            Rate(on=AS_OF, from_currency="CNY", to_currency="JPY", rate=Decimal(yuan).scaleb(-4)),  # used inversely
        ],
        "CNY",
        7,
    )
    factor = {"CNY": Fraction(1, 100), "USD": Fraction(dollar, 10**6), "JPY": Fraction(10**4, yuan)}
    made = [Totals(n, c, buckets=(a, 0, 0, 0, 0), receivables=a) for n, (a, c) in enumerate(given_rows)]
    found = at(made, rates=rates)
    exact = sum((a * factor[c] for a, c in given_rows), Fraction(0))
    assert found.balance == found.exposure.total == found.buckets["current"] == half_up(exact, 2)
    assert found.utilisation == half_up(Fraction(found.exposure.total) / 500_000, 4)
