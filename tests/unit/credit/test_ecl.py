"""Expected credit loss: the worked examples E17 and E17b, and what must hold for every matrix."""

import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit import ecl
from connector.money import rounded

FILE = Path(__file__).resolve().parents[4] / "shared" / "domain" / "examples.json"
shared = pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository")
BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")


def example(name: str) -> tuple[Any, Any]:
    for entry in json.loads(FILE.read_text("utf-8"), parse_float=Decimal):
        if entry["id"] == name:
            return entry["given"], entry["expected"]
    raise AssertionError(f"{name} is not in {FILE.name}")


def percent(rate: Decimal | None, places: str) -> str:
    assert rate is not None
    return str((rate * 100).quantize(Decimal(places), ROUND_HALF_UP))


@pytest.mark.live
@shared
def test_e17() -> None:
    question, expected = example("E17")
    reached = [Decimal(words.split()[0]) for words in question["cohort_unpaid"]]
    rates = ecl.cohort_rates(reached, reached[-1])
    assert [percent(rate, "0.001") for rate in rates] == expected["loss_rates_pct"]
    known = [ecl.LossRate(rate, "cohort", "book", 1) for rate in rates if rate is not None]
    balances = [Decimal(b) for b in question["balances"]]
    cells = ecl.matrix("", BUCKETS, balances, known)
    assert [str(rounded(cell.allowance, "CNY")) for cell in cells] == expected["allowance"]
    assert str(rounded(ecl.total(cells), "CNY")) == expected["total"]
    ahead = ecl.matrix("", BUCKETS, balances, known, Decimal("1.10"))
    assert str(rounded(ecl.total(ahead), "CNY")) == expected["with_forward_looking_factor_1_10"]


@pytest.mark.live
@shared
def test_e17b() -> None:
    question, expected = example("E17b")
    *rolls, last = [Decimal(words.split()[-1]) for words in question["roll"]]
    assert [percent(rate, "0.0001") for rate in ecl.migration_rates(rolls, last)] == expected


def test_a_bucket_without_opening_balance_gives_no_observation() -> None:
    months = [[Decimal(n) for n in row] for row in ((100, 0, 0), (100, 20, 0), (100, 10, 5))]
    first, second = ecl.rolls(months)
    assert (first.average, first.observations) == (Decimal("0.15"), 2)  # 20 ÷ 100, 10 ÷ 100
    assert (second.average, second.observations) == (
        Decimal("0.25"),
        1,
    )  # 5 ÷ 20 only: the first month opened with none
    assert ecl.rolls([[Decimal(0)] * 3] * 5)[0] == ecl.Roll(None, 0)
    assert ecl.rolls([]) == []


def test_what_gathers_in_the_last_bucket_does_not_roll_again_each_month() -> None:
    """Of 8 that are 61-90 days late, 5 are still unpaid a month later, every month; nobody ever pays those."""
    months = [[Decimal(8), Decimal(5 * month)] for month in range(1, 25)]
    (plain,) = ecl.rolls(months)
    assert plain.average is not None
    assert plain.average > 5, "the whole heap of 24 months against 8"
    (roll,) = ecl.rolls(months, [Decimal(5)] * 24)
    assert roll == ecl.Roll(Decimal("0.625"), 23)


def test_nothing_reached_is_not_nothing_lost() -> None:
    assert ecl.cohort_rates([Decimal(100), Decimal(0)], Decimal(0)) == [Decimal(0), None]


def test_recoverable_vat_is_taken_out_before_and_only_then() -> None:
    rate = [ecl.LossRate(Decimal("0.1"), "fixed", "policy")]
    (cell,) = ecl.matrix("", ["91+"], [Decimal(113)], rate, vat_percent=Decimal(13))
    assert (cell.balance, cell.base, cell.allowance) == (113, 100, 10)


def test_a_movement_is_by_balance_and_by_rate() -> None:
    def at(balance: int, rate: str) -> list[ecl.Cell]:
        known = [ecl.LossRate(Decimal(rate), "migration", "book", 12)]
        return ecl.matrix("", ["current"], [Decimal(balance)], known)

    assert ecl.movement(at(1000, "0.02"), at(1500, "0.03")) == ecl.Movement(
        Decimal(20), Decimal(10), Decimal(15), Decimal(45)
    )
    assert ecl.movement([], at(1500, "0.03")) == ecl.Movement(Decimal(0), Decimal(45), Decimal(0), Decimal(45))


amounts = st.decimals("-1000000", "1000000", places=2)
fractions = st.decimals("0", "1", places=6)


@given(st.lists(st.tuples(amounts, fractions), min_size=1, max_size=8), st.decimals("0", "9", places=3))
def test_no_allowance_is_above_its_balance(pairs: list[tuple[Decimal, Decimal]], factor: Decimal) -> None:
    names = [str(n) for n in range(len(pairs))]
    rates = [ecl.LossRate(rate, "fixed", "policy") for _, rate in pairs]
    cells = ecl.matrix("", names, [balance for balance, _ in pairs], rates, factor)
    for cell in cells:
        assert 0 <= cell.allowance <= max(cell.balance, Decimal(0))
    assert ecl.total(cells) == sum(cell.allowance for cell in cells)
    moved = ecl.movement(cells[:-1], cells)
    assert moved.opening + moved.by_balance + moved.by_rate == moved.closing


@given(st.lists(st.decimals("0", "3", places=4), max_size=6), fractions)
def test_migration_rates_rise_to_the_last_where_rolls_are_shares(rolls: list[Decimal], last: Decimal) -> None:
    rates = ecl.migration_rates(rolls, last)
    assert len(rates) == len(rolls) + 1
    assert all(0 <= rate <= 1 for rate in rates)
    if all(roll <= 1 for roll in rolls):
        assert rates == sorted(rates)
