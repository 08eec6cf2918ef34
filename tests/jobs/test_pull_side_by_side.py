"""Pulling several streams at once: nothing waits that need not, what fails keeps what it had, the rest goes on."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from connector import mapping as mappings
from connector.adapter import Adapter, Page, Record, Stream
from connector.clock import FixedClock
from connector.config import Config
from connector.connect import Connected
from connector.errors import ConfigError, TransientError
from connector.store import facts, records
from connector.store.db import Store
from connector.text import Text, same
from jobs.pull import pull
from tests.store.conftest import store as store

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
NAMES = ("one", "two", "three")
MAPPING = 'adapter = "made"\n' + "".join(
    f'[read.{name}]\nfact = "customer"\nstream = "{name}"\n[read.{name}.fields]\nid = "id"\nname = "id"\n'
    for name in NAMES
)
Read = Callable[[Any, Any, Any], Iterator[Page]]


class _NoSettings(BaseModel):
    pass


def page(name: str, number: int, last: bool) -> Page:
    return Page([Record(f"{name}{number}", {"id": f"{name}{number}"})], number, full=True, last=last)


def plain(name: str, count: int = 2) -> Read:
    """So many pages of one record each, from the cursor on."""
    return lambda _client, cursor, _wanted: (page(name, n, n == count) for n in range((cursor or 0) + 1, count + 1))


def raising(wrong: Exception) -> Iterator[Page]:
    raise wrong


def connected(reads: dict[str, Read], after: dict[str, tuple[str, ...]] | None = None, lanes: int = 3) -> Connected:
    streams = tuple(
        Stream(name, same(name), read, ("customer",), incremental=False, after=(after or {}).get(name, ()))
        for name, read in reads.items()
    )
    made: Adapter[Any] = Adapter(
        name="made", title=same("made"), roles=("erp",), settings=_NoSettings, secrets=(), streams=streams, channels=(),
        open=lambda connection: None, check=lambda client, needs: [], lanes=lanes,
    )  # fmt: skip
    config = Config.model_validate({"systems": [{"name": "books", "adapter": "files", "roles": ["erp"]}]})
    one = Connected(config, config.systems[0], FixedClock(NOW))
    mapping, problems = mappings.load(MAPPING, name="made.toml")
    assert mapping is not None, problems
    vars(one).update(adapter=made, mapping=mapping, client=None)
    return one


def held(store: Store, name: str) -> set[str]:
    with store.reading() as tx:
        return {r.key for r in records.kept(tx, "books", name)}


def cursor_of(store: Store, name: str) -> Any:
    with store.reading() as tx:
        return facts.cursor(tx, "books", name)


def test_streams_are_read_at_the_same_time_and_every_page_is_saved(store: Store) -> None:
    all_here = threading.Barrier(3, timeout=10)  # nobody goes on before all three have begun

    def met(name: str) -> Read:
        def read(_client: Any, _cursor: Any, _wanted: Any) -> Iterator[Page]:
            all_here.wait()
            yield from plain(name, 5)(None, None, ())

        return read

    run = pull(store, connected({name: met(name) for name in NAMES}))
    assert run.failed is None
    assert run.counts["new"] == 15
    assert {name: cursor_of(store, name) for name in NAMES} == dict.fromkeys(NAMES, 5)


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_stream_that_comes_after_another_begins_when_that_one_is_saved(store: Store, lanes: int) -> None:
    seen: list[set[str]] = []

    def late(client: Any, cursor: Any, wanted: Any) -> Iterator[Page]:
        seen.append(held(store, "one"))
        yield from plain("two")(client, cursor, wanted)

    reads = {"one": plain("one", 6), "two": late, "three": plain("three")}
    assert pull(store, connected(reads, {"two": ("one",)}, lanes)).failed is None
    assert seen == [{f"one{n}" for n in range(1, 7)}]


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_failure_on_a_page_keeps_the_pages_before_it_and_the_next_pull_goes_on_there(
    store: Store, lanes: int
) -> None:
    broken = True

    def breaks(client: Any, cursor: Any, wanted: Any) -> Iterator[Page]:
        for one in plain("one", 6)(client, cursor, wanted):
            if broken and one.cursor == 4:
                raise TransientError(Text("busy", "忙"))
            yield one

    reads = {"one": breaks, "two": plain("two"), "three": plain("three")}
    run = pull(store, connected(reads, {"three": ("one",)}, lanes))
    assert run.failed is not None
    assert [p.where for p in run.problems] == ["books/one"]
    assert held(store, "one") == {"one1", "one2", "one3"}
    assert cursor_of(store, "one") == 3
    assert held(store, "three") == set(), "asked for more although the system is in trouble"
    broken = False
    assert pull(store, connected(reads, {"three": ("one",)}, lanes)).failed is None
    assert held(store, "one") == {f"one{n}" for n in range(1, 7)}
    assert held(store, "three") == {"three1", "three2"}


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_missing_right_is_told_and_the_other_streams_are_read(store: Store, lanes: int) -> None:
    def refused(_client: Any, _cursor: Any, _wanted: Any) -> Iterator[Page]:
        yield from raising(ConfigError(Text("no right", "没有权限")))

    run = pull(store, connected({"one": refused, "two": plain("two"), "three": refused}, lanes=lanes))
    assert run.failed is None
    assert [p.where for p in run.problems] == ["books/one"], "one cause is one problem, at the first stream"
    assert held(store, "two") == {"two1", "two2"}


def test_a_fault_of_ours_ends_the_other_streams_and_is_raised(store: Store) -> None:
    """An endless stream beside one with a bug: the pull ends, and no thread stays behind."""
    begun = threading.Event()

    def endless(_client: Any, _cursor: Any, _wanted: Any) -> Iterator[Page]:
        number = 0
        while True:
            number += 1
            yield page("one", number, last=False)
            begun.set()

    def bug(_client: Any, _cursor: Any, _wanted: Any) -> Iterator[Page]:
        begun.wait(10)
        yield from raising(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        pull(store, connected({"one": endless, "two": bug, "three": plain("three")}))
    assert not [t for t in threading.enumerate() if t.name.startswith(("stream", "pages"))]
