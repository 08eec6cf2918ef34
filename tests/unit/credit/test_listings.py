"""Registers, courts and bureaus: what is known of a customer on a day."""

import datetime as dt
from decimal import Decimal

import pytest

from connector.credit.listings import KINDS, court, rated, rating, registry
from connector.model import Event

DAY = dt.date(2026, 11, 23)


def event(kind: str, on: str, value: str | None = None, ended: str | None = None, source: str = "qichacha") -> Event:
    return Event(
        id=f"{kind}@{on}",
        customer_id="C1",
        on=dt.date.fromisoformat(on),
        kind=kind,
        source=source,
        value=value,
        ended_on=dt.date.fromisoformat(ended) if ended else None,
    )


def test_nothing_is_known_where_nobody_asked() -> None:
    assert (registry([], DAY, 12).value, registry([], DAY, 12).flags) == (None, ("no_event",))
    other = [event("site_visit", "2026-11-01"), event("court_checked", "2026-11-01")]
    assert registry(other, DAY, 12).value is None
    assert court(other, DAY, 12).value == "clean"


def test_an_answer_that_nothing_is_listed_grows_old() -> None:
    asked = [event("registry_checked", "2025-11-23")]
    assert registry(asked, DAY, 12).value == "clean"
    assert registry(asked, DAY + dt.timedelta(days=1), 12).value is None


@pytest.mark.parametrize(
    ("kinds", "worst"),
    [
        (["court_executed"], "executed"),
        (["consumption_restriction", "lawsuit"], "executed"),
        (["court_dishonest", "court_executed"], "dishonest"),
        (["lawsuit", "bankruptcy", "court_dishonest"], "bankruptcy"),
    ],
)
def test_the_worst_that_stands_counts(kinds: list[str], worst: str) -> None:
    assert court([event(kind, "2026-05-01") for kind in kinds], DAY, 12).value == worst


def test_a_listing_counts_until_the_day_it_ended_however_old_it_is() -> None:
    listed = [event("court_dishonest", "2016-01-01", ended="2026-11-23")]
    before = court(listed, DAY - dt.timedelta(days=1), 12)
    assert (before.value, before.source) == ("dishonest", ("event", "qichacha", "2016-01-01"))
    after = court(listed, DAY, 12)
    assert (after.value, after.source) == ("clean", ("event", "qichacha", "2016-01-01"))
    assert court(listed, dt.date(2028, 1, 1), 12).value is None


def test_a_lawsuit_is_old_news_after_a_while() -> None:
    sued = [event("lawsuit", "2025-11-22")]
    assert court(sued, DAY - dt.timedelta(days=1), 12).value == "lawsuit"
    assert court(sued, DAY, 12).value is None
    assert court([*sued, event("court_checked", "2026-11-01")], DAY, 12).value == "clean"


def test_what_comes_later_is_not_known_yet() -> None:
    assert court([event("bankruptcy", "2026-11-24")], DAY, 12).value is None


def test_a_register_that_says_active_is_no_listing() -> None:
    assert registry([event("registry_status", "2026-11-01", "存续")], DAY, 12).value == "clean"
    assert registry([event("registry_status", "2026-11-01", "吊销")], DAY, 12).value == "revoked"
    both = [event("registry_status", "2026-11-01", "Active"), event("registry_abnormal", "2026-10-01")]
    assert registry(both, DAY, 12).value == "abnormal"


@pytest.mark.parametrize(
    "said", ["存续（在营、开业、在册）", "存续(在营、开业、在册)", "在营（开业）企业", "正常", "迁入", "ACTIVE"]
)
def test_registers_say_that_all_is_well_in_many_words(said: str) -> None:
    assert registry([event("registry_status", "2026-11-01", said)], DAY, 12).value == "clean"


@pytest.mark.parametrize("said", ["吊销，未注销", "注销", "清算", "停业", "dissolved", "INACTIVE", "非正常户", None])
def test_whatever_else_a_status_says_is_not_well(said: str | None) -> None:
    assert registry([event("registry_status", "2026-11-01", said)], DAY, 12).value == "revoked"


def test_a_newer_status_of_the_same_register_takes_the_place_of_the_older() -> None:
    restored = [event("registry_status", "2024-05-01", "吊销"), event("registry_status", "2026-10-01", "存续")]
    assert registry(restored, DAY, 12).value == "clean"
    assert registry(restored, dt.date(2026, 9, 30), 12).value == "revoked"
    # Another register knows nothing of that, and a listing ends only when it is ended.
    other = event("registry_status", "2025-01-01", "注销", source="companies-house")
    assert registry([*restored, other], DAY, 12).value == "revoked"
    assert registry([*restored, event("registry_abnormal", "2024-01-01")], DAY, 12).value == "abnormal"


def test_the_newest_listed_rating_counts_and_bureaus_are_not_mixed() -> None:
    told = [
        event("bureau_rating", "2026-01-01", "AA"),
        event("bureau_rating", "2026-06-01", "2", source="dnb"),
        event("bureau_rating", "2026-07-01", "?", source="other"),
    ]
    assert rating(told, DAY, 12, ("AA", "dnb:2")).value == "dnb:2"
    assert rating(told, DAY, 12, ("AA",)).value == "AA"
    assert rating(told, DAY, 12, ("2",)).value == "2"
    assert rating(told, DAY, 12).value == "?"
    assert rating(told, DAY, 3).value is None
    assert rating([], DAY, 12, ("AA",)).flags == ("no_event",)


def test_a_bureau_score_is_a_number_or_says_that_it_is_none() -> None:
    assert rated([event("bureau_score", "2026-06-01", "712.5")], DAY, 12).value == Decimal("712.5")
    words = rated([event("bureau_score", "2026-06-01", "Not Rated")], DAY, 12)
    assert (words.value, words.flags) == (None, ("not_a_number",))
    assert rated([event("bureau_score", "2026-06-01", None)], DAY, 12).flags == ("not_a_number",)


def test_every_kind_that_is_read_is_asked_for() -> None:
    assert {"court_checked", "registry_checked", "lawsuit", "bankruptcy", "bureau_rating", "bureau_score"} <= KINDS
    assert "site_visit" not in KINDS
