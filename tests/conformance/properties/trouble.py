"""Trouble: a busy system is given the time it asks for, a broken answer is never taken for an empty one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connector.adapter import Page, Stream
from connector.errors import HoldfastError, ProtocolError, TransientError
from connector.sandbox import FaultName
from tests.conformance.properties.reading import keys
from tests.conformance.stage import ASKED_FOR, Stage

FAULTS: tuple[FaultName, ...] = ("429", "429-bare", "500", "503", "reset", "late", "cut", "html")


def _stream(stage: Stage) -> Stream[Any]:
    """The stream with several pages, in the middle of which things go wrong."""
    return stage.adapter.stream(stage.world.paged[0] if stage.world.paged else stage.adapter.streams[0].name)


def _complete(stage: Stage, stream: Stream[Any], pages: list[Page]) -> None:
    assert set(keys(pages)) == stage.held(stream), "something is missing after the trouble"
    assert pages[-1].last


def _clean(stage: Stage, stream: Stream[Any]) -> int:
    """How many calls a whole read takes, sign-in and all."""
    began = len(stage.heard)
    stage.read(stream)
    calls = len(stage.heard) - began
    assert calls >= 2, f"a read takes {calls} calls: there is no middle in which anything could go wrong"
    return calls


def _waits(stage: Stage, began: int, fault: FaultName) -> list[float]:
    """The seconds between each faulty answer and the next call."""
    heard = stage.heard[began:]
    return [(heard[n + 1].at - c.at).total_seconds() for n, c in enumerate(heard[:-1]) if c.fault == fault]


def throttling(stage: Stage, _: str = "") -> None:
    """Told to come back after so many seconds, we come back no sooner, and read on."""
    stream = _stream(stage)
    stage.sandbox.faults.plan("429", times=2, skip=_clean(stage, stream) // 2)
    began = len(stage.heard)
    pages = stage.read(stream)
    assert stage.sandbox.faults.happened == ["429", "429"]
    _complete(stage, stream, pages)
    waits = _waits(stage, began, "429")
    assert len(waits) == 2
    assert min(waits) >= ASKED_FOR, f"asked to wait {ASKED_FOR} s, came back after {min(waits)} s"


def throttling_bare(stage: Stage, _: str = "") -> None:
    """Told only that it was too much, we wait all the same, longer each time, and read on."""
    stream = _stream(stage)
    stage.sandbox.faults.plan("429-bare", times=3, skip=_clean(stage, stream) // 2)
    began = len(stage.heard)
    pages = stage.read(stream)
    assert stage.sandbox.faults.happened == ["429-bare"] * 3
    _complete(stage, stream, pages)
    waits = _waits(stage, began, "429-bare")
    assert all(w > 0 for w in waits), "it came back at once"
    assert waits[-1] > waits[0], "it did not become more patient"


def throttling_limits(stage: Stage, _: str = "") -> None:
    """However many threads read at once, no more calls are open than the product allows."""
    limits = stage.adapter.limits
    assert limits is not None, "the adapter does not say what the product allows"
    stream, client = _stream(stage), stage.client()
    list(stage.pages(stream, client=client))
    stage.most, stage.lag = 0, 0.02
    threads = limits.in_flight + 3
    with ThreadPoolExecutor(threads) as pool:
        reads = list(pool.map(lambda _: stage.read(stream, client=client), range(threads)))
    for pages in reads:
        _complete(stage, stream, pages)
    assert 1 <= stage.most <= limits.in_flight, f"{stage.most} calls at once, {limits.in_flight} are allowed"


def _read_on(stage: Stage, stream: Stream[Any], seen: list[Page]) -> HoldfastError | None:
    """Reads from the last cursor seen into `seen`; gives the error in which it ended."""
    try:
        for page in stage.pages(stream, seen[-1].cursor if seen else None):
            seen.append(page)
    except (TransientError, ProtocolError) as wrong:
        return wrong
    return None


def trouble(stage: Stage, fault: FaultName) -> None:
    """One fault anywhere in a read: it goes on, or stops with an error of ours at a cursor from which it goes on."""
    stream = _stream(stage)
    calls = _clean(stage, stream)
    for skip in sorted({0, 1, calls // 2, calls - 1}):
        stage.sandbox.faults.clear()
        stage.sandbox.faults.plan(fault, times=1, skip=skip)
        seen: list[Page] = []
        if _read_on(stage, stream, seen) is not None:
            assert stage.sandbox.faults.happened == [fault]
            assert not seen or not seen[-1].last, "it failed, and calls the last page it saw the last there is"
            assert _read_on(stage, stream, seen) is None
        assert stage.sandbox.faults.happened == [fault], "nothing went wrong, so nothing was shown"
        _complete(stage, stream, seen)


def trouble_lasting(stage: Stage, fault: FaultName) -> None:
    """A fault that does not end is an error of ours after a bounded number of calls, never an end of the list."""
    stream = _stream(stage)
    calls = _clean(stage, stream)
    for skip in (0, calls // 2):
        stage.sandbox.faults.clear()
        stage.sandbox.faults.plan(fault, times=1_000_000, skip=skip)
        began = len(stage.heard)
        seen: list[Page] = []
        error = _read_on(stage, stream, seen)
        assert stage.sandbox.faults.happened, "nothing went wrong, so nothing was shown"
        assert error is not None, "the list ended, and nobody was told that the system is in trouble"
        assert not seen or not seen[-1].last, "it calls the last page it saw the last there is"
        assert error.user.en
        assert error.user.zh
        faulty = sum(bool(h.fault) for h in stage.heard[began:])
        assert faulty <= 12, f"{faulty} calls to a system in trouble"
        stage.sandbox.faults.clear()
        assert _read_on(stage, stream, seen) is None
        _complete(stage, stream, seen)


def trouble_weather(stage: Stage, _: str = "") -> None:
    """Three calls in ten fail, in every way, for as long as it takes: reading on from the last cursor gets everything."""
    stream = _stream(stage)
    calls = _clean(stage, stream)
    weather: tuple[FaultName, ...] = ("503", "reset", "cut", "late", "429-bare", "html")
    for number, fault in enumerate(weather):
        stage.sandbox.faults.plan(fault, times=1_000_000, share=0.057, seed=number)
    began, reads = len(stage.heard), 0
    while len(stage.sandbox.faults.happened) < 6:
        reads += 1
        assert reads <= 100, "the weather was fine"
        seen: list[Page] = []
        for _attempt in range(20):
            if _read_on(stage, stream, seen) is None:
                break
        _complete(stage, stream, seen)
    assert len(stage.heard) - began <= calls * reads * 3 + 10, "it took far more calls than the weather explains"


def tokens(stage: Stage, _: str = "") -> None:
    """A token that dies in the middle of a read is renewed once, by itself, for all threads, and nothing is lost."""
    stream, client = _stream(stage), stage.client()
    calls = _clean(stage, stream)
    stage.read(stream, client=client)
    stage.sandbox.faults.plan("expired", times=1, skip=calls // 3)
    began = len(stage.heard)
    _complete(stage, stream, stage.read(stream, client=client))
    assert stage.sandbox.faults.happened == ["expired"]
    assert len(_signatures(stage, began)) == 2, "one dead token and one new one"
    threads = 4
    stage.sandbox.faults.plan("expired", times=1, skip=calls // 3)
    began = len(stage.heard)
    with ThreadPoolExecutor(threads) as pool:
        for read in pool.map(lambda _: stage.read(stream, client=client), range(threads)):
            _complete(stage, stream, read)
    fresh = _signatures(stage, began)
    assert len(fresh) == 2, f"{threads} threads used {len(fresh)} tokens"


def _signatures(stage: Stage, began: int) -> set[str]:
    """The different tokens that calls were signed with; where they are in the body, by the body's `*token*` members."""
    found = set()
    for heard in stage.heard[began:]:
        token = heard.request.headers.get("authorization", "")
        if not token:
            named = re.search(rb'"[a-zA-Z]*[tT]oken"\s*:\s*"([^"]+)"', heard.request.body)
            token = named.group(1).decode() if named else ""
        found.add(token)
    return found - {""}
