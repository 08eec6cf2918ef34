"""Push against a system that fails in every way: what counts against a write and what does not, what stays settled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from connector.adapter import Channel, Outcome, Write
from connector.clock import FixedClock
from connector.errors import ConfigError, RejectedError, TransientError
from connector.store import outbox, runs
from connector.store.db import Store
from connector.store.outbox import Owed
from connector.text import Text
from jobs.night import lease
from jobs.push import push
from jobs.run import Run
from tests.store.conftest import store as store

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
BUSY = TransientError(Text("The CRM is down.", "CRM 不可用。"))
LOCKED = Text("the record is locked", "该记录已被锁定")


@dataclass
class Crm:
    """A system as push sees it: `answer` says what becomes of a call, in the order of the calls."""

    store: Store
    answer: Callable[[Sequence[Write]], Sequence[Outcome]]
    batch: int = 2
    name: str = "crm"
    client: Any = None
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    calls: list[tuple[str, list[str]]] = field(default_factory=list)
    there: dict[str, str] = field(default_factory=dict)  # tasks by key

    blocks: tuple[Any, ...] = ()

    @property
    def adapter(self) -> Crm:
        return self

    @property
    def mapping(self) -> Crm:
        return self

    def writes_to(self, kind: str) -> bool:
        return False  # nothing that is written holds anything

    def channel(self, kind: str) -> Channel[Any] | None:
        if kind not in ("customer_fields", "task"):
            return None

        def send(client: Any, writes: Sequence[Write]) -> Sequence[Outcome]:
            self.calls.append((kind, [w.target for w in writes]))
            return self.answer(writes)

        def find(client: Any, keys: Sequence[str]) -> dict[str, str]:
            return {k: self.there[k] for k in keys if k in self.there}

        return Channel(kind, "Things", send, self.batch, find=find if kind == "task" else None)  # type: ignore[arg-type]

    def owe(self, *targets: str, kind: str = "customer_fields") -> None:
        with self.store.writing() as tx:
            outbox.owe(tx, [Owed("crm", kind, t, f"{kind}:{t}", {"v": t}, t) for t in targets], self.clock.now())

    def push(self, store: Store | None = None) -> Run:
        return push(store or self.store, self)  # type: ignore[arg-type]

    def states(self) -> dict[str, str]:
        with self.store.reading() as tx:
            return {r.target: r.state for r in reversed(outbox.listing(tx, states=None)) if r.state != "superseded"}


def done(writes: Sequence[Write]) -> list[Outcome]:
    return [Outcome("done", w.target) for w in writes]


def test_a_write_that_is_put_off_again_and_again_is_parked_and_the_others_go_on(store: Store) -> None:
    def answer(writes: Sequence[Write]) -> list[Outcome]:
        return [
            Outcome("again", why=LOCKED, code="LOCKED") if w.target == "bad" else Outcome("done", w.target)
            for w in writes
        ]

    crm = Crm(store, answer)
    crm.owe("bad", "good")
    for attempt in range(1, 9):
        run = crm.push()
        assert crm.states() == {"bad": "owed" if attempt < 8 else "parked", "good": "done"}
        codes = [p.code for p in run.problems]
        assert codes == (["waiting"] if attempt < 8 else ["parked"])
        crm.clock.at += dt.timedelta(hours=2)
    assert "the record is locked" in crm.push().problems[0].what.en, "told until a person has mended it"
    with store.writing() as tx:
        assert outbox.retry(tx) == 1
    crm.answer = done
    assert crm.push().problems == []
    assert crm.states() == {"bad": "done", "good": "done"}


def test_a_system_that_is_down_for_weeks_parks_nothing(store: Store) -> None:
    def raises(writes: Sequence[Write]) -> list[Outcome]:
        raise BUSY

    def says_so_of_each(writes: Sequence[Write]) -> list[Outcome]:
        return [Outcome("again", why=BUSY.user) for _ in writes]

    crm = Crm(store, raises)
    crm.owe("a", "b", "c")
    crm.owe("t", kind="task")
    for day in range(30):
        crm.answer = (raises, says_so_of_each)[day % 2]
        run = crm.push()
        assert run.failed is not None
        assert {p.code for p in run.problems} >= {"push_transient", "waiting"}
        crm.clock.at += dt.timedelta(days=1)
    assert set(crm.states().values()) == {"owed"}
    assert all(kind == "customer_fields" and len(targets) == 2 for kind, targets in crm.calls), (
        "one call a run, no more"
    )
    with store.reading() as tx:
        (kept,) = runs.problems(tx, codes=["push_transient"])
        assert kept.first_seen == NOW, "one open problem, since the first day"
    crm.answer = done
    assert crm.push().failed is None
    assert set(crm.states().values()) == {"done"}
    with store.reading() as tx:
        assert runs.problems(tx) == []


def test_one_write_without_an_answer_does_not_stop_the_others(store: Store) -> None:
    crm = Crm(
        store, lambda writes: [Outcome("again", why=BUSY.user) if w.target == "slow" else done([w])[0] for w in writes]
    )
    crm.owe("slow")
    crm.owe("t", kind="task")
    assert crm.push().failed is None
    assert crm.states() == {"slow": "owed", "t": "done"}


@pytest.mark.parametrize("trouble", [BUSY, ConfigError("A right is missing.")])
def test_what_was_settled_before_the_trouble_stays_settled(store: Store, trouble: Exception) -> None:
    """The batch is refused as a whole and sent one by one: the first arrives, at the second the system goes down."""

    def answer(writes: Sequence[Write]) -> list[Outcome]:
        if len(writes) > 1:
            raise RejectedError("One of them is bad.")
        if writes[0].target == "second":
            raise trouble
        return done(writes)

    crm = Crm(store, answer)
    crm.owe("first", "second")
    assert crm.push().failed is not None
    assert crm.states() == {"first": "done", "second": "owed"}
    crm.answer = done
    crm.clock.at += dt.timedelta(hours=1)
    crm.push()
    assert crm.states() == {"first": "done", "second": "done"}
    assert [t for _, targets in crm.calls for t in targets].count("first") == 2, "in the batch and alone, never after"


def test_a_doubtful_answer_is_remembered(store: Store) -> None:
    """`again` may have arrived: back to what was there before is a write all the same."""
    crm = Crm(store, done)
    crm.owe("a")
    crm.push()
    crm.answer = lambda writes: [Outcome("again", why=LOCKED) for _ in writes]
    with store.writing() as tx:
        outbox.owe(tx, [Owed("crm", "customer_fields", "a", "k", {"v": "new"}, "new")], crm.clock.now())
    crm.push()
    crm.owe("a")
    crm.answer = done
    crm.push()
    assert crm.calls[-1] == ("customer_fields", ["a"])
    assert len(crm.calls) == 3


def test_who_is_overtaken_while_he_sends_leaves_the_rest_to_his_successor(store: Store) -> None:
    """The task was made, then the lease was gone: it is not settled by the one who lost it, and not made twice."""
    crm = Crm(store, done, batch=1)

    def overtaken(writes: Sequence[Write]) -> list[Outcome]:
        crm.there[writes[0].key] = "T1"
        with store.writing() as tx:
            assert runs.acquire(tx, "run", "", "another-host:1:abc", NOW + dt.timedelta(seconds=61), 60)
        return done(writes)

    crm.answer = overtaken
    crm.owe("t1", "t2", kind="task")
    with lease(store, crm.clock, "run") as held, pytest.raises(runs.LeaseLost):
        crm.push(held)
    assert crm.states() == {"t1": "claimed", "t2": "owed"}
    crm.answer = done
    crm.clock.at += dt.timedelta(seconds=122)
    with lease(store, crm.clock, "run") as held:
        run = crm.push(held)
    assert run.counts["found"] == 1
    assert crm.states() == {"t1": "done", "t2": "done"}
    assert [targets for _, targets in crm.calls] == [["t1"], ["t2"]]
