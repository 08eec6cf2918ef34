"""When a process that answers looks for what nobody needs: the young once a second, all of it while nobody asks."""

from __future__ import annotations

import gc
import weakref

from connector.web.tidy import ALL, WHOLE, YOUNG, Tidy, look


class Desk:
    """A process whose time passes as told."""

    def __init__(self) -> None:
        self.now, self.requests, self.looked = 0.0, 0, list[tuple[float, int]]()
        self.tidy = Tidy(lambda generation: self.looked.append((self.now, generation)), lambda: self.now)

    def passes(self, seconds: int, asked: bool) -> list[tuple[float, int]]:
        """So many seconds, in each of which something is asked, or not; what was looked at in them."""
        self.looked.clear()
        for _ in range(seconds * 4):
            self.now += 0.25
            self.requests += asked
            self.tidy.tick(self.requests)
        return list(self.looked)


def test_the_young_are_looked_at_once_a_second() -> None:
    assert Desk().passes(3, asked=True) == [(1.0, YOUNG), (2.0, YOUNG), (3.0, YOUNG)]


def test_all_are_looked_at_when_nobody_asks_and_not_again_before_somebody_has() -> None:
    desk = Desk()
    assert not any(generation == ALL for _, generation in desk.passes(120, asked=True))
    (first,) = [at for at, generation in desk.passes(120, asked=False) if generation == ALL]
    assert first == 122.0, "two seconds after the last request"
    desk.passes(1, asked=True)
    assert [at for at, generation in desk.passes(60, asked=False) if generation == ALL] == [243.0]


def test_where_somebody_always_asks_all_are_looked_at_every_quarter_of_an_hour() -> None:
    found = [at for at, generation in Desk().passes(2000, asked=True) if generation == ALL]
    assert found == [900.0, 1800.0]


def test_what_stays_is_looked_through_once_in_four_hours_when_nobody_asks() -> None:
    desk = Desk()
    assert WHOLE not in {what for _, what in desk.passes(4 * 3600 + 100, asked=True)}
    assert [at for at, what in desk.passes(120, asked=False) if what == WHOLE] == [4 * 3600 + 102.0]
    desk.passes(1, asked=True)
    assert [what for _, what in desk.passes(120, asked=False) if what != YOUNG] == [ALL]


class Ring:
    def __init__(self) -> None:
        self.itself = self


def test_a_ring_of_what_stayed_goes_with_the_whole() -> None:
    ring = Ring()
    seen = weakref.ref(ring)
    try:
        look(ALL)
        del ring
        look(ALL)
        assert seen() is not None, "it stays, and is not looked through"
        look(WHOLE)
        assert seen() is None
    finally:
        gc.unfreeze()
