"""KPIs: E9, E9b, E10 and where each of them has nothing to say."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit import kpi
from connector.credit.kpi import Month, Paid, PromiseOutcome

D = Decimal
CENT = D("0.01")


def two(value: Decimal | None) -> str:
    assert value is not None
    return str(value.quantize(CENT, "ROUND_HALF_UP"))


# --- E9: AR 250,000 (160,000 not overdue); sales Aug 100,000, Sep 90,000, Oct 120,000; opening 230,000 ---
SALES = D(310_000)
MONTHS = [Month(D(120_000), 31), Month(D(90_000), 30), Month(D(100_000), 31)]


def test_e9() -> None:
    simple = kpi.dso(D(250_000), SALES, 92)
    best = kpi.best_possible_dso(D(160_000), SALES, 92)
    assert two(simple) == "74.19"
    assert two(kpi.dso_count_back(D(250_000), MONTHS).days) == "73.40"
    assert two(best) == "47.48"
    assert two(kpi.average_days_delinquent(simple, best)) == "26.71"
    assert two(kpi.collection_effectiveness(D(230_000), SALES, D(250_000), D(160_000))) == "76.32"
    assert kpi.days_between(dt.date(2026, 8, 1), dt.date(2026, 10, 31)) == 92


def test_count_back_takes_whole_months_and_a_part_of_the_last() -> None:
    assert kpi.dso_count_back(D(120_000), MONTHS) == kpi.CountBack(D(31), False)  # exactly the first month
    assert kpi.dso_count_back(D(60_000), MONTHS).days == D("15.5")
    assert kpi.dso_count_back(D(0), MONTHS) == kpi.CountBack(D(0), False)
    assert kpi.dso_count_back(D(-5), MONTHS) == kpi.CountBack(D(0), False)


def test_count_back_with_too_short_a_history_is_flagged() -> None:
    assert kpi.dso_count_back(D(310_000), MONTHS) == kpi.CountBack(D(92), False)
    assert kpi.dso_count_back(D(310_001), MONTHS) == kpi.CountBack(D(92), True)
    assert kpi.dso_count_back(D(1), []) == kpi.CountBack(D(0), True)


def test_count_back_adds_negative_months_to_the_rest() -> None:
    # 100 − (−20) = 120 left after the first month; then 120 ÷ 240 × 30
    months = [Month(D(-20), 31), Month(D(240), 30)]
    assert kpi.dso_count_back(D(100), months) == kpi.CountBack(D(46), False)
    assert kpi.dso_count_back(D(100), [Month(D(0), 31), Month(D(100), 30)]) == kpi.CountBack(D(61), False)


def test_without_sales_there_is_no_dso() -> None:
    assert kpi.dso(D(5), D(0), 30) is None
    assert kpi.dso(D(5), D(-1), 30) is None
    assert kpi.average_days_delinquent(None, D(1)) is None
    assert kpi.collection_effectiveness(D(0), D(0), D(0), D(0)) is None


def test_cei_is_a_hundred_when_all_that_was_due_is_collected() -> None:
    assert kpi.collection_effectiveness(D(50), D(50), D(30), D(30)) == 100


# --- E9b ---
E9B = [Paid(D(4000), 5), Paid(D(6000), 20), Paid(D(10000), -3)]


def test_e9b() -> None:
    found = kpi.weighted_days_late(E9B)
    assert found is not None
    assert (two(found.signed), two(found.floored)) == ("5.50", "7.00")
    assert kpi.weighted_days_late([]) is None


# --- E10 ---
E10 = [Paid(D(50_000), -3), Paid(D(20_000), 15), Paid(D(20_000), 45), Paid(D(10_000), -2, discount=True)]


def test_e10() -> None:
    assert [two(kpi.payment_points(paid)) for paid in E10] == ["80.00", "70.00", "45.00", "90.00"]
    assert two(kpi.payment_index(E10)) == "72.00"


@pytest.mark.parametrize(
    ("days", "points"),
    [
        (-20, 100),
        (-19, 80),
        (0, 80),
        (15, 70),
        (22, 60),
        (30, 50),
        (60, 40),
        (90, 30),
        (120, 20),
        (150, 10),
        (180, 0),
        (999, 0),
    ],
)
def test_the_points_of_the_table(days: int, points: int) -> None:
    assert kpi.payment_points(Paid(D(1), days)) == points


def test_a_discount_taken_too_late_is_only_late() -> None:
    assert kpi.payment_points(Paid(D(1), 15, discount=True)) == 70


def test_fewer_than_three_experiences_are_no_index() -> None:
    assert kpi.payment_index(E10[:2]) is None
    assert kpi.payment_index([Paid(D(0), 0)] * 3) is None


@given(st.integers(-400, 400), st.integers(0, 100))
def test_later_is_never_better(days: int, more: int) -> None:
    sooner, later = kpi.payment_points(Paid(D(1), days)), kpi.payment_points(Paid(D(1), days + more))
    assert 0 <= later <= sooner <= 100


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(-90, 400)), min_size=3, max_size=20))
def test_an_index_lies_between_its_best_and_worst_experience(given_: list[tuple[int, int]]) -> None:
    experiences = [Paid(D(amount), days) for amount, days in given_]
    points = [kpi.payment_points(e) for e in experiences]
    index = kpi.payment_index(experiences)
    assert index is not None
    assert min(points) - D("1e-9") <= index <= max(points) + D("1e-9")


# --- the rest ---
def test_promises() -> None:
    kept = [PromiseOutcome(D(100), D(100)), PromiseOutcome(D(100), D("99.99")), PromiseOutcome(D(5), D(6))]
    assert kpi.promise_kept_rate(kept[:2]) == D("0.5")
    assert two(kpi.promise_kept_rate(kept)) == "0.67"
    assert kpi.promise_kept_rate([]) is None


def test_shares_of_the_ledger() -> None:
    assert kpi.bucket_shares({"current": D(75), "1-30": D(20), "91+": D(5)}) == {
        "current": D("0.75"),
        "1-30": D("0.2"),
        "91+": D("0.05"),
    }
    assert kpi.bucket_shares({"current": D(0)}) == {"current": None}
    assert kpi.overdue_ratio(D(25), D(100)) == D("0.25")
    assert kpi.overdue_ratio(1, 8) == D("0.125")
    assert kpi.overdue_ratio(0, 0) is None


def test_roll_rate_of_an_empty_bucket_is_no_observation() -> None:
    assert kpi.roll_rate(D(35), D(100)) == D("0.35")
    assert kpi.roll_rate(D(0), D(100)) == 0
    assert kpi.roll_rate(D(35), D(0)) is None


def test_concentration() -> None:
    found = kpi.concentration([D(50), D(30), D(20), D(-40)], top=2)
    assert found == kpi.Concentration(2, D("0.8"), D("0.38"))
    assert kpi.concentration([D(-1)]) is None


def test_turnover() -> None:
    rate = kpi.turnover(D(2600), D(300), D(360))
    assert rate is not None
    assert str(rate.quantize(D("0.0001"))) == "7.8788"
    assert two(kpi.turnover_days(rate)) == "45.69"
    assert two(kpi.turnover_days(rate, 365)) == "46.33"
    assert kpi.turnover(D(1), D(0), D(0)) is None
    assert kpi.turnover_days(None) is None
