"""A job leaves others time between two portions where somebody waited for it, and goes on at once where nobody did."""

from __future__ import annotations

from typing import cast

import pytest

from connector.store.db import Store
from jobs import pace as module
from jobs.pace import Pace


class Desk:
    """A store, and a clock that only goes on when somebody works or sleeps."""

    def __init__(self) -> None:
        self.now, self.awaited, self.slept = 100.0, False, list[float]()

    def is_awaited(self) -> bool:
        return self.awaited

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr(module, "time", made)
    return made


def portion(pace: Pace, desk: Desk, seconds: float) -> None:
    with pace.portion(pace.size):
        desk.now += seconds


def test_who_was_waited_for_leaves_the_others_twice_as_long(desk: Desk) -> None:
    pace = Pace(cast(Store, desk))
    pace.rest()
    portion(pace, desk, 0.010)
    pace.rest()
    assert desk.slept == [], "nobody waited"
    desk.awaited = True
    portion(pace, desk, 0.010)
    pace.rest()
    pace.rest()
    assert desk.slept == [0.020], "once for each portion"


def test_what_was_done_meanwhile_counts_and_a_long_portion_makes_no_long_rest(desk: Desk) -> None:
    pace = Pace(cast(Store, desk))
    desk.awaited = True
    portion(pace, desk, 0.010)
    desk.now += 0.015  # the next page was fetched
    pace.rest()
    portion(pace, desk, 1.0)
    pace.rest()
    assert desk.slept == [0.005, 0.05]


def test_portions_are_small_while_somebody_waits(desk: Desk) -> None:
    pace = Pace(cast(Store, desk))
    for _ in range(6):
        portion(pace, desk, pace.size / 1024)
    undisturbed, desk.awaited = pace.size, True
    portion(pace, desk, pace.size / 1024)
    assert (undisturbed, pace.size) == (307, 4), "each of them takes a 1,024th of a second: 0.3 s, or 4 ms"


def test_portions_stay_small_for_a_while_after_somebody_has_waited(desk: Desk) -> None:
    pace = Pace(cast(Store, desk))
    desk.awaited = True
    portion(pace, desk, pace.size / 1024)
    desk.awaited = False
    for _ in range(20):
        portion(pace, desk, pace.size / 1024)
        assert pace.size == 4
    desk.now += 0.2
    for _ in range(6):
        portion(pace, desk, pace.size / 1024)
    assert pace.size == 307
