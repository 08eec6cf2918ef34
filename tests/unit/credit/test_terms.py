"""Due dates by terms (E5), clamped to the month's end."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.ageing import due_date
from connector.credit.terms import months_later

DAY = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("issued_on", "terms", "due_on"),
    [
        ("2026-01-31", "net:30", "2026-03-02"),
        ("2026-01-31", "months:1", "2026-02-28"),
        ("2028-01-31", "months:1", "2028-02-29"),
        ("2026-11-10", "eom:30", "2026-12-30"),
        ("2026-11-10", "day:10:1", "2026-12-10"),
        ("2026-11-10", "day:10", "2026-12-10"),
        ("2026-12-15", "day:31:2", "2027-02-28"),
        ("2026-11-10", "net:0", "2026-11-10"),
        ("2026-11-10", "eom:0", "2026-11-30"),
        ("2026-11-10", "eom", "2026-11-30"),
        ("2026-11-10", "day:25:0", "2026-11-25"),
        ("2026-12-31", "months:12", "2027-12-31"),
    ],
)
def test_terms(issued_on: str, terms: str, due_on: str) -> None:
    assert due_date(DAY(issued_on), terms) == DAY(due_on)


@pytest.mark.parametrize(
    "terms",
    ["", "30", "net", "net:", "net:-1", "net:x", "net:1:2", "weeks:2", "day:0:1", "day:32:1", "net:99999", "net:²"],
)
def test_other_words_are_refused(terms: str) -> None:
    with pytest.raises(ValueError, match="is n"):
        due_date(DAY("2026-01-31"), terms)


@pytest.mark.parametrize("terms", ["net:9999", "months:9999", "day:1:9999", "eom:9999"])
def test_a_date_beyond_the_calendar_is_refused(terms: str) -> None:
    with pytest.raises(ValueError, match="calendar"):
        due_date(DAY("9998-01-31"), terms)


@given(st.dates(max_value=dt.date(9000, 1, 1)), st.integers(0, 400))
def test_months_never_skip_a_month(day: dt.date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert later.day == day.day or (later + dt.timedelta(days=1)).day == 1  # clamped only to a month's end
