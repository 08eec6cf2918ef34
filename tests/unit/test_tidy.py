"""When a process that answers looks for what nobody needs: the young once a second, all of it while nobody asks."""

from __future__ import annotations

from connector.web.tidy import ALL, YOUNG, Tidy


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
