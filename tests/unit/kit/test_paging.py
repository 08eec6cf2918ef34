"""The paginators over tables that change while they are read, with pulls that are killed after any page."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.adapter import Page, Record
from connector.paging import TokenExpired, ahead, at_once, by_id, by_keyset, by_listed_id, by_token, side_by_side

OVERLAP = 5  # ticks; no row becomes visible later than that after its watermark


def mark(tick: int) -> str:
    return f"{max(0, tick):08d}"


def earlier(at: str) -> str:
    return mark(int(at) - OVERLAP)


@dataclass
class Row:
    key: str
    tick: int
    version: int
    visible_at: int


@dataclass
class Table:
    """A system's table. Each look at it takes a tick, and lets the next planned thing happen first."""

    size: int
    rows: dict[str, Row] = field(default_factory=dict)
    waiting: list[Row] = field(default_factory=list)
    tick: int = 100
    plan: list[tuple[str, int, int]] = field(default_factory=list)
    looks: int = 0

    def happen(self) -> None:
        self.tick += 1
        if self.plan:
            what, which, late = self.plan.pop(0)
            keys = sorted(self.rows)
            if what == "delete" and keys:
                gone = keys[which % len(keys)]
                del self.rows[gone]
                self.waiting = [w for w in self.waiting if w.key != gone]
            elif what == "touch" and keys:
                self._write(keys[which % len(keys)], late)
            elif what == "insert":
                self._write(f"n{which:04d}-{self.tick:06d}", late)
        for row in [w for w in self.waiting if w.visible_at <= self.tick]:
            self.waiting.remove(row)
            self.rows[row.key] = row

    def _write(self, key: str, late: int) -> None:
        if any(w.key == key for w in self.waiting):
            return  # locked by the transaction that has not ended yet
        there = self.rows.get(key)
        self.waiting.append(Row(key, self.tick, there.version + 1 if there else 1, self.tick + late))

    def shown(self, rows: Sequence[Row]) -> list[Record]:
        self.looks += 1
        return [Record(r.key, {"mark": mark(r.tick), "version": r.version}) for r in rows[: self.size]]

    def now(self) -> str:
        return mark(self.tick)

    # the four ways of handing out
    def keyset(self, since: str | None, after: tuple[str, str] | None) -> list[Record]:
        self.happen()
        rows = sorted(self.rows.values(), key=lambda r: (mark(r.tick), r.key))
        if after:
            rows = [r for r in rows if (mark(r.tick), r.key) > after]
        elif since is not None:
            rows = [r for r in rows if mark(r.tick) >= since]
        return self.shown(rows)

    def window(self, since: str | None, to: str, after: str | None) -> list[Record]:
        self.happen()
        rows = sorted(self.rows.values(), key=lambda r: r.key)
        if since is not None:
            rows = [r for r in rows if since <= mark(r.tick) <= to]
        return self.shown([r for r in rows if after is None or r.key > after])


def mark_of(record: Record) -> str:
    return str(record.data["mark"])


Read = Callable[[Table, Any], Iterator[Page]]


def keyset(table: Table, cursor: Any) -> Iterator[Page]:
    return by_keyset(cursor, table.keyset, mark_of, lambda r: r.key, table.size, earlier, table.now)


def window(table: Table, cursor: Any) -> Iterator[Page]:
    return by_id(cursor, table.window, lambda r: r.key, table.size, earlier, table.now)


READS = pytest.mark.parametrize("read", [keyset, window])

ticks = st.lists(st.integers(1, 12), max_size=40)
sizes = st.integers(1, 12)
events = st.lists(
    st.tuples(
        st.sampled_from(["touch", "touch", "insert", "delete", "nothing"]), st.integers(0, 99), st.integers(0, OVERLAP)
    ),
    max_size=60,
)


def table_of(some: Sequence[int], size: int) -> Table:
    """Rows whose watermarks are tied as drawn."""
    return Table(size, {f"k{n:03d}": Row(f"k{n:03d}", tick, 1, 0) for n, tick in enumerate(some)})


def stored(page: Page) -> Any:
    """A cursor as it comes back from the database."""
    return json.loads(json.dumps(page.cursor))


def keys(pages: Sequence[Page]) -> list[str]:
    return [r.key for p in pages for r in p.records]


@READS
@given(some=ticks, size=sizes)
def test_a_still_table_is_shown_once_whatever_the_ties_and_the_size_of_a_page(
    read: Read, some: list[int], size: int
) -> None:
    table = table_of(some, size)
    pages = list(read(table, None))
    assert sorted(keys(pages)) == sorted(table.rows)
    assert len(keys(pages)) == len(table.rows)
    assert [p.last for p in pages] == [False] * (len(pages) - 1) + [True]
    assert all(p.full for p in pages)
    assert all(len(p.records) == size for p in pages[:-1])


@READS
@given(some=ticks, size=sizes, cut=st.integers(0, 40))
def test_killed_after_any_page_the_rest_is_shown_once(read: Read, some: list[int], size: int, cut: int) -> None:
    table = table_of(some, size)
    before: list[Page] = []
    for page in read(table, None):
        before.append(page)
        if len(before) > cut:
            break
    rest = [] if before[-1].last else list(read(table, stored(before[-1])))
    assert sorted(keys(before) + keys(rest)) == sorted(table.rows)
    assert all(p.full for p in rest)


@READS
@given(some=ticks, size=sizes)
def test_when_nothing_has_changed_little_is_shown_again(read: Read, some: list[int], size: int) -> None:
    table = table_of(some, size)
    cursor = stored(list(read(table, None))[-1])
    again = list(read(table, cursor))
    assert not any(p.full for p in again) or not some
    newest = max(some, default=0)
    assert set(keys(again)) <= {k for k, r in table.rows.items() if r.tick >= newest - OVERLAP}
    assert list(read(table, stored(again[-1])))[-1].last


@READS
@settings(max_examples=300)
@given(some=ticks, size=sizes, plan=events, kills=st.lists(st.integers(1, 6), max_size=8))
def test_what_moves_while_it_is_read_is_found_in_the_end(
    read: Read, some: list[int], size: int, plan: list[tuple[str, int, int]], kills: list[int]
) -> None:
    """Touched, inserted, deleted between any two pages, visible up to the overlap late, pulls killed after any page."""
    table = table_of(some, size)
    table.plan = list(plan)
    known: dict[str, int] = {}
    cursor: Any = None
    kills = list(kills)
    quiet = 0
    while quiet < 2:  # one pull after everything has happened and become visible, and one more
        if not table.plan:
            table.tick += OVERLAP + 1
            table.happen()
            quiet += 1
        pages_left = kills.pop(0) if kills else 1000
        for page in read(table, cursor):
            cursor = stored(page)
            for record in page.records:
                known[record.key] = max(known.get(record.key, 0), int(record.data["version"]))
            pages_left -= 1
            if page.last or not pages_left:
                break
        if pages_left == 0:
            quiet = 0
    assert not table.waiting
    missed = {r.key: (r.version, known.get(r.key)) for r in table.rows.values() if known.get(r.key, 0) < r.version}
    assert missed == {}


@READS
@given(some=st.lists(st.integers(1, 12), min_size=1, max_size=40), size=sizes, plan=events)
def test_a_reading_of_everything_misses_nobody_who_is_there_throughout(
    read: Read, some: list[int], size: int, plan: list[tuple[str, int, int]]
) -> None:
    """Stamp and sweep deletes what a full read has not shown: a customer touched meanwhile must not be taken for gone."""
    table = table_of(some, size)
    table.plan = list(plan)
    before = set(table.rows)
    pages: list[Page] = []
    for page in read(table, None):
        pages.append(page)
        assert len(pages) < 500
    assert all(p.full for p in pages)
    assert before & set(table.rows) <= set(keys(pages))


def test_a_row_that_becomes_visible_behind_a_long_pull_is_met_by_the_next() -> None:
    """The pull goes on for longer than the overlap because changes keep coming; the watermark alone would run ahead."""
    table = table_of([1, 1, 1], 1)
    table.plan = [("touch", 0, OVERLAP)] + [("touch", 1, 0), ("touch", 2, 0)] * 12
    last = None
    for page in keyset(table, None):
        last = page
    assert last is not None
    after = {r.key: r.version for r in table.rows.values()}
    found = {r.key: r.data["version"] for p in keyset(table, stored(last)) for r in p.records}
    assert found["k000"] == after["k000"] == 2


def test_one_row_from_the_future_does_not_end_all_reading() -> None:
    table = table_of([1, 2, 99_999_999], 10)
    cursor = stored(list(keyset(table, None))[-1])
    table.plan = [("touch", 0, 0)]
    assert "k000" in keys(list(keyset(table, cursor)))


def test_an_empty_table_has_one_empty_last_page_and_the_next_read_is_full_again() -> None:
    for read in (keyset, window):
        pages = list(read(table_of([], 3), None))
        assert [(p.records, p.last, p.full) for p in pages] == [([], True, True)]


def test_a_later_window_is_no_reading_of_everything() -> None:
    table = table_of([1, 2, 3], 2)
    pages = list(window(table, None))
    assert pages[-1].cursor == {"since": mark(100)}
    assert not any(p.full for p in window(table, stored(pages[-1])))


# --- continuation tokens ---------------------------------------------------------------------------------------------
@dataclass
class Tokens:
    """Hands out lists by token. `live` are the tokens it still knows; `forget_after` says on which look it forgets all."""

    table: Table
    forget_after: list[int] = field(default_factory=list)
    live: dict[str, list[Record]] = field(default_factory=dict)
    given: int = 0

    def fetch(self, since: str | None, token: str | None) -> tuple[list[Record], str | None]:
        self.table.happen()
        self.table.looks += 1
        if self.table.looks in self.forget_after:
            self.live.clear()
        if token is None:
            rows = [r for r in self.table.rows.values() if since is None or mark(r.tick) >= since]
            left = [
                Record(r.key, {"mark": mark(r.tick), "version": r.version}) for r in sorted(rows, key=lambda r: r.key)
            ]
        else:
            if token not in self.live:
                raise TokenExpired("the page token has expired")
            left = self.live[token]
        page, rest = left[: self.table.size], left[self.table.size :]
        if not rest:
            return page, None
        self.given += 1
        self.live[f"t{self.given}"] = rest
        return page, f"t{self.given}"

    def read(self, cursor: Any) -> Iterator[Page]:
        return by_token(cursor, self.fetch, mark_of, earlier, self.table.now)


@given(some=ticks, size=sizes, cut=st.integers(0, 40), forget=st.lists(st.integers(1, 60), max_size=3))
def test_tokens_killed_after_any_page_and_expired_at_any_time(
    some: list[int], size: int, cut: int, forget: list[int]
) -> None:
    system = Tokens(table_of(some, size), forget)
    before: list[Page] = []
    for page in system.read(None):
        before.append(page)
        if len(before) > cut:
            break
    rest = [] if before[-1].last else list(system.read(stored(before[-1])))
    assert set(keys(before) + keys(rest)) == set(system.table.rows)
    assert all(p.full for p in before + rest)
    if not forget:
        assert len(keys(before) + keys(rest)) == len(some)


def test_a_token_that_expires_again_and_again_is_an_error_and_not_an_endless_loop() -> None:
    system = Tokens(table_of([1] * 9, 2), list(range(2, 1000)))
    with pytest.raises(TokenExpired):
        list(system.read(None))
    assert system.table.looks < 20


def test_an_expired_token_of_a_first_page_is_no_reason_to_start_over() -> None:
    def never(since: str | None, token: str | None) -> tuple[list[Record], str | None]:
        raise TokenExpired("no such list")

    with pytest.raises(TokenExpired):
        list(by_token(None, never, mark_of, earlier))


def test_changes_by_token_begin_at_the_watermark_less_the_overlap() -> None:
    system = Tokens(table_of([10, 50, 90], 2))
    cursor = stored(list(system.read(None))[-1])
    assert cursor == {"mark": mark(90)}
    later = list(system.read(cursor))
    assert keys(later) == ["k002"]
    assert not later[0].full


def test_without_watermarks_a_token_list_is_full_every_time() -> None:
    system = Tokens(table_of([1, 2, 3], 2))
    for _ in range(2):
        pages = list(by_token(None, system.fetch, lambda r: None, earlier))
        assert pages[-1].cursor is None
        assert all(p.full for p in pages)


# --- at once ---------------------------------------------------------------------------------------------------------
@given(count=st.integers(0, 30), size=sizes)
def test_a_list_read_at_once(count: int, size: int) -> None:
    records = [Record(str(n), {}) for n in range(count)]
    pages = list(at_once(records, size))
    assert [r for p in pages for r in p.records] == records
    assert [p.last for p in pages] == [False] * (len(pages) - 1) + [True]
    assert all(p.full and p.cursor is None for p in pages)


# --- ahead -----------------------------------------------------------------------------------------------------------
@given(count=st.integers(0, 30), size=sizes, most=st.integers(1, 4))
def test_pages_fetched_ahead_are_the_same_pages(count: int, size: int, most: int) -> None:
    records = [Record(str(n), {}) for n in range(count)]
    assert list(ahead(at_once(records, size), most)) == list(at_once(records, size))


def test_the_next_page_is_fetched_while_this_one_is_worked_on_and_no_more() -> None:
    fetched: list[int] = []
    second = threading.Event()

    def pages() -> Iterator[Page]:
        for number in range(9):
            fetched.append(number)
            if number == 1:
                second.set()
            yield Page([Record(str(number), {})], number, full=True, last=number == 8)

    read = ahead(pages())
    next(read)
    assert second.wait(5), "nothing was fetched ahead"
    assert len(fetched) <= 3  # one handed out, one ready, one in the thread's hand
    assert [p.cursor for p in read] == list(range(1, 9))


def test_an_error_comes_at_its_place_and_the_pages_before_it_are_handed_out() -> None:
    def pages() -> Iterator[Page]:
        yield Page([], 1, full=True, last=False)
        yield Page([], 2, full=True, last=False)
        raise TokenExpired("gone")

    read = ahead(pages())
    assert [next(read).cursor, next(read).cursor] == [1, 2]
    with pytest.raises(TokenExpired):
        next(read)


def test_leaving_early_ends_the_thread() -> None:
    def pages() -> Iterator[Page]:
        number = 0
        while True:
            number += 1
            yield Page([], number, full=True, last=False)

    before = threading.active_count()
    read = ahead(pages())
    next(read)
    read.close()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_pages_that_are_ready_come_as_one_but_never_more_than_was_asked_for() -> None:
    whole = list(at_once([Record(str(n), {}) for n in range(100)], 10))
    read = ahead(iter(whole), most=20, records=30)
    first = next(read)
    for _ in range(100):  # until the thread has fetched all there is
        if threading.active_count() == 1:
            break
        time.sleep(0.01)
    rest = list(read)
    assert [r.key for page in (first, *rest) for r in page.records] == [str(n) for n in range(100)]
    assert all(len(page.records) <= 30 for page in rest)
    assert len(rest) < 9, "nothing was joined"
    assert [page.last for page in rest] == [False] * (len(rest) - 1) + [True]


def test_nothing_is_joined_behind_a_page_that_says_what_is_gone() -> None:
    """B is deleted on the first page and there again on the second: joined, it would be deleted after it came."""
    entered = threading.Event()

    def pages() -> Iterator[Page]:
        yield Page([Record("A", {})], 1, full=False, last=False)
        entered.wait(5)
        yield Page([Record("C", {})], 2, full=False, last=False, gone=("B",))
        yield Page([Record("B", {})], 3, full=False, last=True)

    read = ahead(pages(), most=5, records=100)
    assert next(read).cursor == 1
    entered.set()
    assert [(page.gone, [r.key for r in page.records]) for page in read] == [(("B",), ["C"]), ((), ["B"])]


def test_pages_before_an_error_are_handed_out_when_joined_too() -> None:
    def pages() -> Iterator[Page]:
        yield Page([Record("A", {})], 1, full=True, last=False)
        yield Page([Record("B", {})], 2, full=True, last=False)
        raise TokenExpired("gone")

    keys: list[str] = []
    with pytest.raises(TokenExpired):
        keys.extend(r.key for page in ahead(pages(), most=5, records=100) for r in page.records)
    # `extend` keeps what came before the error
    assert keys == ["A", "B"]


# --- side by side ----------------------------------------------------------------------------------------------------
def test_pages_side_by_side_are_under_way_together_and_come_in_order() -> None:
    together = threading.Barrier(3, timeout=5)  # each of three waits for the other two

    def fetch(number: int) -> Page:
        together.wait()
        return Page([], number, full=True, last=number == 5)

    assert [p.cursor for p in side_by_side((partial(fetch, n) for n in range(6)), 3)] == list(range(6))


def test_no_more_than_so_many_pages_are_held() -> None:
    begun: list[int] = []

    def fetch(number: int) -> Page:
        begun.append(number)
        return Page([], number, full=True, last=False)

    read = side_by_side((partial(fetch, n) for n in range(100)), 4)
    next(read)
    next(read)
    read.close()
    assert len(begun) <= 6  # two handed out, four held


def test_an_error_side_by_side_comes_after_the_pages_before_it() -> None:
    def fetch(number: int) -> Page:
        if number == 2:
            raise TokenExpired("gone")
        return Page([], number, full=True, last=False)

    read = side_by_side((partial(fetch, n) for n in range(9)), 4)
    assert [next(read).cursor, next(read).cursor] == [0, 1]
    with pytest.raises(TokenExpired):
        next(read)


@given(
    there=st.sets(st.integers(1, 60)),
    size=sizes,
    listed=st.integers(1, 9),
    most=st.integers(1, 4),
    stop=st.integers(0, 9),
)
def test_everything_by_listed_ids_is_read_once_wherever_it_is_resumed(
    there: set[int], size: int, listed: int, most: int, stop: int
) -> None:
    def ids(after: str | None) -> list[str]:
        return [str(n) for n in sorted(there) if n > int(after or 0)][:listed]

    def fetch(after: str | None, to: str) -> list[Record]:
        return [Record(str(n), {}) for n in sorted(there) if int(after or 0) < n <= int(to)]

    seen: list[int] = []
    cursor = None
    for breaking in (True, False):
        pages = by_listed_id(cursor, ids, listed, fetch, size, lambda: "now", most)
        for at, page in enumerate(pages):
            seen += [int(r.key) for r in page.records]
            assert len(page.records) <= size
            cursor = page.cursor
            if page.last or (breaking and at == stop):
                break
        if page.last:
            break
    assert seen == sorted(there)
    assert cursor == {"since": "now"}
