"""The standing of a warning: the document's example through `decide`, and laws over any row of values."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connector.credit.decide import decide
from connector.credit.warn_state import CALM, RANK, Ladder, State, levels, step
from connector.policy import Level, load
from tests.unit.credit.test_warn import pos

FILE = Path(__file__).resolve().parents[4] / "shared" / "domain" / "examples.json"
DAY = dt.date(2026, 1, 1)
TENTHS = Ladder(Decimal("0.1"), Decimal("0.2"), Decimal("0.3"))
NINE, THREE = Decimal("0.9"), 3


# --- E16 -----------------------------------------------------------------------------------------------------------------
@pytest.mark.live
@pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository")
def test_e16_through_decide_day_by_day() -> None:
    entry = next(e for e in json.loads(FILE.read_text("utf-8"), parse_float=Decimal) if e["id"] == "E16")
    given, expected = entry["given"], entry["expected"]
    percent = {level: given[level] * 100 for level in ("yellow", "orange", "red")}
    policy = load(
        f"[warning]\nclear_ratio = {given['clear_ratio']}\nclear_runs = {given['clear_runs']}\n"
        "[warning.overdue_ratio_percent]\n" + "".join(f"{level} = {step}\n" for level, step in percent.items())
    )
    states: dict[str, State] = {}
    found: list[Level] = []
    for at, value in enumerate(given["values"]):
        position = pos(str(value * 100000), "100000")
        position.as_of = DAY + dt.timedelta(days=at)
        decision = decide(position, [], policy, states=states)
        found.append(decision.level)
        states = {one.name: one.state for one in decision.warned if one.state.level != "green"}
    assert found == expected


def test_e16_as_a_row_of_values() -> None:
    values = [Decimal(v) for v in [".05", ".12", ".11", ".09", ".085", ".07", ".07", ".07", ".31", ".27", ".27", ".27"]]
    expected = ["green", "yellow", "yellow", "yellow", "yellow", "yellow", "green", "green", "red", "red", "red", "red"]
    assert levels(values, TENTHS, NINE, THREE) == expected


# --- single steps --------------------------------------------------------------------------------------------------------
def test_what_is_exactly_the_step_times_the_ratio_is_not_clear() -> None:
    assert step(State("yellow", 2), Decimal("0.09"), TENTHS, NINE, THREE) == State("yellow", 0)
    assert step(State("yellow", 2), Decimal("0.0899"), TENTHS, NINE, THREE) == CALM


def test_a_red_one_falls_level_by_level_however_calm_it_is() -> None:
    calm = [Decimal("0.31"), *[Decimal(0)] * 9]
    expected = ["red", "red", "red", "orange", "orange", "orange", "yellow", "yellow", "yellow", "green"]
    assert levels(calm, TENTHS, NINE, THREE) == expected


def test_what_is_missing_neither_counts_nor_begins_anew() -> None:
    values = [Decimal("0.12"), Decimal(0), None, Decimal(0), None, None, Decimal(0)]
    assert levels(values, TENTHS, NINE, THREE) == [*["yellow"] * 6, "green"]


def test_a_level_that_does_not_exist_is_left_out_on_the_way_down() -> None:
    only_red = Ladder(red=Decimal(1))
    assert levels([Decimal(1), Decimal(0), Decimal(0)], only_red, Decimal(1), 2) == ["red", "red", "green"]


def test_old_data_raise_and_do_nothing_else() -> None:
    standing = State("yellow", 1, DAY, DAY, DAY)
    later = DAY + dt.timedelta(days=1)
    for value in ("0", "0.15"):
        assert step(standing, Decimal(value), TENTHS, NINE, THREE, later, firm=False) == standing
    assert step(standing, Decimal("0.3"), TENTHS, NINE, THREE, later, firm=False).level == "red"


def test_a_day_counts_once() -> None:
    state = step(CALM, Decimal("0.12"), TENTHS, NINE, THREE, DAY)
    assert state == State("yellow", 0, DAY, DAY, DAY)
    # Raised on that day, so that day does not count for falling again.
    assert step(state, Decimal(0), TENTHS, NINE, THREE, DAY) == state
    for days, clear in ((1, 1), (2, 2)):
        on = DAY + dt.timedelta(days=days)
        state = step(state, Decimal(0), TENTHS, NINE, THREE, on)
        assert (state.level, state.clear) == ("yellow", clear)
        assert step(state, Decimal(0), TENTHS, NINE, THREE, on) == state, "a second run of the day"
        assert step(state, Decimal(0), TENTHS, NINE, THREE, DAY) == state, "a run of an earlier day"
    again = step(state, Decimal("0.1"), TENTHS, NINE, THREE, DAY + dt.timedelta(days=2))
    assert (again.level, again.clear) == ("yellow", 0), "a run that is not clear begins anew on any day"
    assert step(state, Decimal(0), TENTHS, NINE, THREE, DAY + dt.timedelta(days=3)) == CALM


def test_days_of_an_episode() -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(9)]
    state = CALM
    for on, value in zip(days, ["0.1", "0.3", "0", "0", "0", "0", "0", "0", "0.2"], strict=True):
        state = step(state, Decimal(value), TENTHS, NINE, THREE, on)
        if on == days[4]:
            assert state == State("orange", 0, on, days[0], days[1], on)
    assert state == State("orange", 0, days[8], days[0], days[8], days[7])


# --- laws ----------------------------------------------------------------------------------------------------------------
VALUES = some.lists(
    some.one_of(some.none(), some.decimals(0, 1, places=3, allow_nan=False, allow_infinity=False)), max_size=40
)
STEPS = some.lists(some.decimals("0.001", 1, places=3, allow_nan=False), min_size=3, max_size=3).map(sorted)
RATIOS = some.decimals("0.1", 1, places=2, allow_nan=False)


@given(VALUES, STEPS, RATIOS, some.integers(1, 5), some.frozensets(some.sampled_from(["yellow", "orange", "red"])))
def test_laws_of_standing(
    values: list[Decimal | None], steps: list[Decimal], ratio: Decimal, runs: int, left_out: frozenset[str]
) -> None:
    """Raising is immediate; nothing falls by two levels, without enough clear runs in a row, or on missing data."""
    given = [None if level in left_out else at for level, at in zip(("yellow", "orange", "red"), steps, strict=True)]
    ladder = Ladder(*given)
    there = [rank for rank, at in enumerate(given, 1) if at is not None]
    state, since_clear = CALM, 0
    for value in values:
        before = state
        state = step(before, value, ladder, ratio, runs)
        rank, was = RANK[state.level], RANK[before.level]
        if value is None:
            assert state == before
            continue
        assert rank >= RANK[ladder.level(value)], "raised at once"
        bar = ladder.step(before.level)
        clear = bar is not None and value < bar * ratio and RANK[ladder.level(value)] < was
        since_clear = since_clear + 1 if clear else 0
        if rank < was:
            assert since_clear == runs
            assert not [one for one in there if rank < one < was], "one level at a time"
            since_clear = 0
        elif was and rank == was:
            assert state.clear == since_clear < runs
        if rank > was:
            assert rank == RANK[ladder.level(value)]
            since_clear = 0


@given(VALUES, some.lists(some.integers(0, 2), min_size=40, max_size=40))
def test_further_runs_of_a_day_never_hasten_anything(values: list[Decimal | None], again: list[int]) -> None:
    """Whoever runs every day once and whoever runs it some more times with the same value come to the same."""
    once = often = CALM
    for at, (value, more) in enumerate(zip(values, again, strict=False)):
        on = DAY + dt.timedelta(days=at)
        once = step(once, value, TENTHS, NINE, THREE, on)
        for _ in range(1 + more):
            often = step(often, value, TENTHS, NINE, THREE, on)
        assert often == once
