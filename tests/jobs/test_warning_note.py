"""Taking note of a warning: it stands, rests until a day, and is back at once where its level is raised."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector.credit.authority import Person
from connector.errors import ConfigError
from connector.store import alerts, audit, customers
from connector.store.db import Store
from jobs.timeline import timeline
from jobs.warning_answer import warnings
from jobs.warning_note import acknowledge
from tests.jobs.ledger import CONFIG
from tests.jobs.warning_desk import WarningDesk
from tests.store.conftest import store as store

WANG = Person("wang.fang", "Wang Fang", frozenset({"credit_controller"}))
CHEN = Person("chen.jie", "Chen Jie", frozenset({"sales"}))


@pytest.fixture
def desk(store: Store) -> WarningDesk:
    """C1 owes 1,000,000 that is not due, and 80,000 for 20 days: yellow."""
    made = WarningDesk(store)
    made.invoice("F-1", "C1", -60, 1_000_000)
    made.invoice("F-2", "C1", 20, 80_000)
    made.run()
    return made


def note(desk: WarningDesk, person: Person = WANG, days: int = 10, why: str = "he pays on Monday", **more: Any) -> None:
    with desk.store.writing() as tx:
        row = next(r for r in customers.customers(tx) if r.ref == "C1")
        acknowledge(tx, CONFIG, desk.clock, row, person, why, desk.today + dt.timedelta(days=days), **more)


def shown(desk: WarningDesk, rests: bool = True) -> list[tuple[str, str, bool]]:
    with desk.store.reading() as tx:
        found = warnings(tx, CONFIG, desk.policy, desk.clock, None, "yellow", rests=rests)
    return [(line["indicator"], line["level"], line["rests"]) for line in found]


def test_what_was_noted_rests_until_its_day_and_stands_all_the_same(desk: WarningDesk) -> None:
    name = "oldest_overdue"
    assert (name, "yellow", False) in shown(desk)
    before = desk.body()
    note(desk, days=3, indicators=[name])
    assert (name, "yellow", True) in shown(desk)
    assert name not in [one for one, _, _ in shown(desk, rests=False)]
    desk.next_day()
    assert desk.stands()[name] == "yellow", "nobody's note changes what is concluded"
    assert desk.body()["actions"] == before["actions"]
    desk.next_day()
    assert (name, "yellow", True) in shown(desk)
    desk.next_day()
    assert (name, "yellow", False) in shown(desk), "its day has come"
    assert (name, "yellow", False) in shown(desk, rests=False)


def test_a_level_that_is_raised_ends_the_rest(desk: WarningDesk) -> None:
    note(desk, days=90)
    assert shown(desk, rests=False) == []
    desk.clock.sleep(12 * 86_400)  # 32 days
    assert ("oldest_overdue", "orange", False) in shown(desk), "risen since the last run: also before the next one"
    desk.run()
    assert ("oldest_overdue", "orange", False) in shown(desk, rests=False)
    with desk.store.reading() as tx:
        assert "oldest_overdue" not in alerts.acknowledged(tx, [desk.debtor()]).get(desk.debtor(), {})
    # Back at yellow and up again is a rise like any other.
    note(desk, days=60)
    noted = alerts_of(desk)["oldest_overdue"]
    assert (noted.by, noted.level, noted.why) == ("person:wang.fang", "orange", "he pays on Monday")


def alerts_of(desk: WarningDesk) -> dict[str, alerts.Acknowledged]:
    with desk.store.reading() as tx:
        return alerts.acknowledged(tx)[desk.debtor()]


def test_the_trail_and_the_file_tell_of_it(desk: WarningDesk) -> None:
    note(desk, indicators=["oldest_overdue"])
    note(desk, days=20, why="the bank has confirmed", indicators=["oldest_overdue"])
    until = desk.today + dt.timedelta(days=20)
    with desk.store.reading() as tx:
        first, second = [
            line.entry for line in reversed(audit.listing(tx)) if line.entry.action == "warning.acknowledge"
        ]
        told = [m for m in timeline(tx, desk.debtor(), "Asia/Shanghai") if "taken note of" in m.text.en]
        assert audit.verify(tx) == []
    assert (first.actor, first.why, first.before) == ("person:wang.fang", "he pays on Monday", None)
    assert first.after is not None
    assert (first.after["indicator"], first.after["level"]) == ("oldest_overdue", "yellow")
    assert second.before is not None
    assert second.before["by"] == "person:wang.fang"
    assert [(m.kind, m.source) for m in told] == [("warning", "person:wang.fang")] * 2
    assert f"rests until {until}" in told[1].text.en
    assert "the bank has confirmed" in told[1].text.en
    assert f"暂缓至 {until}" in told[1].text.zh


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"person": CHEN}, "neither a credit controller nor an approver"),
        ({"why": " "}, "what is done about it"),
        ({"days": 0}, "until a day from"),
        ({"days": 93}, "until a day from"),
        ({"indicators": ["court"]}, "has no warning court"),
    ],
)
def test_what_cannot_be_noted(desk: WarningDesk, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        note(desk, **more)
    with desk.store.reading() as tx:
        assert alerts.acknowledged(tx) == {}
        assert not [line for line in audit.listing(tx) if line.entry.action == "warning.acknowledge"]


def test_of_somebody_who_is_not_warned_of_nothing_is_noted(store: Store) -> None:
    desk = WarningDesk(store)
    desk.invoice("F-1", "C1", -60, 1_000)
    desk.run()
    with pytest.raises(ConfigError, match="No warning of"):
        note(desk)
