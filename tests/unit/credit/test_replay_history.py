"""An order's course, told from how it stands today and from its invoices: what history does not say, and what is taken."""

from __future__ import annotations

import datetime as dt

from connector.credit.rates import Rates
from connector.credit.replay_days import has_amounts, limit_days, overdue_days, rate_days
from connector.credit.replay_history import Line, Part, Placed, Worth, placed_order
from connector.credit.replay_sums import Standing, Sums
from connector.model import Limit, Rate
from connector.policy import default_policy, load

LAST = 100


def order(
    *parts: Part,
    invoices: list[tuple[int, int]],
    is_open: bool = False,
    ship: int | None = None,
    stated: int | None = None,
) -> Placed:
    return placed_order(1, "erp", "O1", None, "CNY", 10, ship, stated, parts, invoices, is_open, LAST)


def course(made: Placed) -> list[tuple[int, int, int, int]]:
    """Day, delivered, waiting, invoiced."""
    return [(r.day, r.delivered, sum(units for _, units in r.waiting), r.invoiced) for r in made.rests]


def test_invoiced_in_two_steps_and_closed_with_the_last() -> None:
    made = order(Part(None, 100, 0, 0), invoices=[(30, 60), (20, 40)])
    assert made.closes == 30
    assert course(made) == [(10, 0, 100, 0), (20, 0, 60, 40)]


def test_an_open_order_stays_open_however_much_is_invoiced() -> None:
    made = order(Part(15, 100, 0, 0), invoices=[(20, 100)], is_open=True)
    assert made.closes is None
    assert course(made) == [(10, 0, 100, 0), (20, 0, 0, 100)]


def test_the_earliest_ship_day_is_invoiced_first() -> None:
    made = order(Part(50, 30, 0, 0), Part(20, 70, 0, 0), invoices=[(25, 70), (55, 30)], is_open=True)
    assert made.rests[1].waiting == ((50, 30),)
    assert made.ship == 20


def test_invoices_that_name_no_order_came_with_the_last_one_that_does_else_on_the_ship_day() -> None:
    with_one = order(Part(40, 100, 0, 0), invoices=[(20, 30)])
    assert course(with_one) == [(10, 0, 100, 0)]
    assert with_one.closes == 20
    with_none = order(Part(40, 100, 0, 0), invoices=[])
    assert with_none.closes == 40
    without_a_day = order(Part(None, 100, 0, 0), invoices=[], is_open=True)
    assert course(without_a_day) == [(10, 0, 0, 100)]


def test_what_is_delivered_today_was_delivered_on_the_ship_day() -> None:
    made = order(Part(40, 100, 60, 40), invoices=[], is_open=True)
    assert course(made) == [(10, 0, 100, 0), (40, 60, 40, 0)]


def test_more_invoiced_than_ordered_is_not_more_than_all() -> None:
    assert course(order(Part(40, 100, 0, 0), invoices=[(20, 300)], is_open=True))[-1] == (20, 0, 0, 100)


def test_a_closed_order_that_was_never_invoiced_ends_after_its_ship_day() -> None:
    made = order(Part(40, 100, 0, 100), invoices=[])
    assert (made.closes, course(made)) == (41, [(10, 0, 100, 0)])


def test_a_stated_amount_without_what_was_cancelled_is_the_total() -> None:
    assert order(Part(40, 100, 0, 0), invoices=[], stated=80).total == 80
    assert order(Part(40, 100, 0, 0), invoices=[], stated=120).total == 100


# --- the days that turn something -------------------------------------------------------------------------------------
def test_ages_at_which_a_conclusion_turns() -> None:
    other = load("[hold.oldest_overdue]\ngrace_days = 7\n[warning.oldest_overdue_days]\non = false\n")
    assert overdue_days([default_policy()]) == [15, 30, 31, 60]
    assert overdue_days([other]) == [8]


def test_days_of_limits() -> None:
    def day(text: str) -> int:
        return dt.date.fromisoformat(text).toordinal()

    base = Limit(customer_id="C", kind="base", valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 3, 31))
    assert limit_days([base], day("2026-01-01"), day("2026-12-31")) == {day("2026-01-01"), day("2026-04-01")}
    season = Limit(customer_id="C", kind="seasonal", condition="11-01..02-15")
    found = limit_days([season], day("2026-01-01"), day("2026-12-31"))
    assert found == {day("2026-01-01"), day("2026-02-16"), day("2026-11-01")}


def test_a_rate_turns_something_on_its_day_and_when_it_is_too_old() -> None:
    days = [dt.date(2026, 1, 1), dt.date(2026, 1, 8), dt.date(2026, 6, 1)]
    rates = Rates([Rate(on=on, from_currency="USD", to_currency="CNY", rate=7) for on in days], "CNY", 35)  # type: ignore[arg-type]
    first, last = dt.date(2025, 12, 1).toordinal(), dt.date(2026, 12, 31).toordinal()
    wanted = {*days, dt.date(2026, 1, 8) + dt.timedelta(days=36), dt.date(2026, 6, 1) + dt.timedelta(days=36)}
    assert rate_days([rates], {"USD", "CNY"}, first, last) == sorted(day.toordinal() for day in wanted)
    assert rate_days([rates], {"EUR", "CNY"}, first, last) == []


def test_amounts_of_the_policy_need_a_rate_where_a_rule_compares_with_one() -> None:
    assert not has_amounts(default_policy())
    assert has_amounts(load("[hold.order_value]\non = true\nabove_amount = 5\n"))
    assert has_amounts(load("[hold.limit_exceeded]\ntolerance_amount = 5\n"))


# --- running sums -----------------------------------------------------------------------------------------------------
def line(ref: str, due: int) -> Line:
    return Line(1, "CNY", 0, 0, due, True, ref, [Worth(0, 0, 0)])


def test_the_oldest_debt_is_known_whatever_is_settled_and_opened_again() -> None:
    lines = [line("A", 5), line("B", 9)]
    sums = Sums(1, "CNY", lines, Standing(2))
    for at in (0, 1):
        sums.change(at, 100, 0)
        sums.turn_late(at)
    assert (sums.totals(5, "separate").oldest_due_on, sums.overdue) == (dt.date.fromordinal(5), 200)
    sums.change(0, 0, 0)
    assert (sums.totals(5, "separate").oldest_due_on, sums.overdue) == (dt.date.fromordinal(9), 100)
    sums.change(0, 40, 40)
    found = sums.totals(5, "separate")
    assert (found.oldest_due_on, found.undisputed_oldest_due_on) == (dt.date.fromordinal(5), dt.date.fromordinal(9))
    assert (found.overdue, found.undisputed_overdue, found.disputed) == (140, 100, 40)


def test_credits_lessen_the_earliest_debt_where_the_policy_says_so() -> None:
    lines = [line("A", 5), line("B", 9), Line(1, "CNY", 1, 0, 0, True, "P", [Worth(0, 0, 0)])]
    sums = Sums(1, "CNY", lines, Standing(3))
    for at in (0, 1):
        sums.change(at, 100, 0)
        sums.turn_late(at)
    sums.change(2, -130, 0)
    found = sums.totals(5, "fifo")
    assert (found.overdue, found.oldest_due_on, found.unapplied_cash) == (70, dt.date.fromordinal(9), 0)
    assert sums.totals(5, "separate").unapplied_cash == 130
