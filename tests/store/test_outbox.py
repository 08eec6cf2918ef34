"""The outbox: desired state superseded and never repeated, tasks once, claims that outlive nobody."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from connector.store import outbox
from connector.store.db import Store
from connector.store.outbox import Owed
from connector.text import Text
from tests.store.books import NOW
from tests.store.conftest import emptied

LATER = NOW + dt.timedelta(seconds=301)
WHY = Text("refused", "被拒绝")


def fields(digest: str, target: str = "A1", **values: Any) -> Owed:
    return Owed("crm", "customer_fields", target, f"customer_fields:{target}", values or {"v": digest}, digest, 1)


def task(key: str) -> Owed:
    return Owed("crm", "task", "A1", key, {"subject": key}, key, 1)


def waiting(tx: Any) -> list[tuple[str, str]]:
    return [(row.state, row.digest) for row in reversed(outbox.listing(tx))]


def test_a_newer_state_supersedes_an_undelivered_older_one(store: Store) -> None:
    with store.writing() as tx:
        assert outbox.owe(tx, [fields("a"), fields("x", "A2")], NOW) == 2
        assert outbox.owe(tx, [fields("b")], NOW) == 1
        assert outbox.owe(tx, [fields("b")], NOW) == 0
        assert waiting(tx) == [("owed", "x"), ("owed", "b")]
        rows = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        assert [(r.target, r.digest, r.attempts, r.uncertain) for r in rows] == [
            ("A2", "x", 0, False),
            ("A1", "b", 0, False),
        ]
        assert outbox.claim(tx, "crm", "customer_fields", 10, NOW) == []


def test_what_was_settled_last_is_not_sent_again(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.settle(tx, row.id, "77", NOW)
        assert outbox.pushed(tx, "crm", "customer_fields") == {"A1": "a"}
        assert outbox.owe(tx, [fields("a")], NOW) == 0
        # There and back before anything was sent: nothing is owed any more.
        assert outbox.owe(tx, [fields("b")], NOW) == 1
        assert outbox.owe(tx, [fields("a")], NOW) == 0
        assert waiting(tx) == []
        assert outbox.forget_pushed(tx, "crm", target="A1") == 1
        assert outbox.owe(tx, [fields("a")], NOW) == 1


def test_back_to_the_settled_state_while_another_is_under_way_is_written(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (first,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.settle(tx, first.id, "", NOW)
        outbox.owe(tx, [fields("b")], NOW)
        (flying,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        assert outbox.owe(tx, [fields("a")], NOW) == 1
        # It waits for the one under way, so that they arrive in their order.
        assert outbox.claim(tx, "crm", "customer_fields", 10, NOW) == []
        outbox.settle(tx, flying.id, "", NOW)
        (back,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        assert back.digest == "a"


def test_back_to_the_settled_state_after_an_attempt_of_unknown_fate_is_written(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.settle(tx, row.id, "", NOW)
        outbox.owe(tx, [fields("b")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.again(tx, row.id, NOW, 0, WHY, uncertain=True)
        assert outbox.owe(tx, [fields("c")], NOW) == 1
        assert outbox.owe(tx, [fields("a")], NOW) == 1
        assert waiting(tx) == [("owed", "a")]


def test_a_doubt_outlives_parking(store: Store) -> None:
    """The hold's "on" timed out (it may stand there) and was then refused: "off" again is owed, or the hold may stay."""
    with store.writing() as tx:
        outbox.owe(tx, [fields("off")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.settle(tx, row.id, "", NOW)
        outbox.owe(tx, [fields("on")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.again(tx, row.id, NOW, 0, WHY, uncertain=True)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.park(tx, row.id, NOW, WHY, "RECORD_LOCKED")
        assert outbox.owe(tx, [fields("off")], NOW) == 1
        assert ("owed", "off") in waiting(tx)


def test_a_dead_process_leaves_its_rows_to_the_next_marked_uncertain(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [task("k1"), task("k2")], NOW)
        assert [r.key for r in outbox.claim(tx, "crm", "task", 1, NOW, lease_seconds=300)] == ["k1"]
        assert [r.key for r in outbox.claim(tx, "crm", "task", 5, NOW)] == ["k2"]
        rows = outbox.claim(tx, "crm", "task", 5, LATER)
        assert [(r.key, r.uncertain, r.attempts) for r in rows] == [("k1", True, 0), ("k2", True, 0)]


def test_a_task_is_never_owed_twice(store: Store) -> None:
    with store.writing() as tx:
        assert outbox.owe(tx, [task("k1"), task("k1")], NOW) == 1
        assert outbox.owe(tx, [task("k1"), task("k2")], NOW) == 1
        for row in outbox.claim(tx, "crm", "task", 5, NOW):
            outbox.settle(tx, row.id, "T" + row.key, NOW)
        assert outbox.owe(tx, [task("k1")], NOW) == 0
        assert outbox.expire(tx, NOW + dt.timedelta(days=400)) == 0
        assert outbox.owe(tx, [task("k1")], NOW) == 0
        assert {r.remote_id for r in outbox.listing(tx, states=None)} == {"Tk1", "Tk2"}


def test_again_waits_and_says_why(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.again(tx, row.id, NOW, 60, WHY, counts=True)
        assert outbox.claim(tx, "crm", "customer_fields", 10, NOW + dt.timedelta(seconds=59)) == []
        (again,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW + dt.timedelta(seconds=60))
        assert (again.attempts, again.uncertain, again.why) == (1, False, WHY)


def test_an_outage_counts_against_no_row(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        for _ in range(20):
            (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
            outbox.again(tx, row.id, NOW, 0, WHY, uncertain=True)
        (row,) = outbox.listing(tx)
        assert (row.state, row.attempts, row.uncertain) == ("owed", 0, True)


def test_what_is_settled_is_not_put_back_by_trouble_that_follows(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a"), fields("z", "A2")], NOW)
        first, second = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.settle(tx, first.id, "", NOW)
        for row in (first, second):
            outbox.again(tx, row.id, NOW, 0, WHY, uncertain=True)
        assert [(r.target, r.state) for r in outbox.listing(tx, states=None)] == [("A2", "owed"), ("A1", "done")]
        outbox.park(tx, first.id, NOW, WHY)
        assert outbox.listing(tx, states=["parked"]) == []


def test_taken_back_from_the_dead_one_write_of_a_target_is_left(store: Store) -> None:
    """The old state was under way when its sender died, a newer one waits: only the newer is sent, and in doubt."""
    with store.writing() as tx:
        outbox.owe(tx, [fields("a"), task("k1")], NOW)
        outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.claim(tx, "crm", "task", 10, NOW)
        outbox.owe(tx, [fields("b")], NOW)
        assert outbox.reclaim(tx, "crm") == 2
        rows = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        assert [(r.digest, r.uncertain) for r in rows] == [("b", True)]
        assert [(r.key, r.uncertain) for r in outbox.claim(tx, "crm", "task", 10, NOW)] == [("k1", True)]


@pytest.mark.parametrize("newer", ["A1 A2", "A2 A1"])
@pytest.mark.parametrize("later", ["A1 A2", "A2 A1"])
def test_who_puts_back_and_who_decides_anew_never_wait_for_each_other(store: Store, newer: str, later: str) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a"), fields("a", "A2")], NOW)
        rows = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        for target in newer.split():
            outbox.owe(tx, [fields("b", target)], NOW)
    begun = threading.Event()

    def decide() -> None:
        begun.wait(10)
        with store.writing() as tx:
            outbox.owe(tx, [fields("c", target) for target in later.split()], NOW)

    with ThreadPoolExecutor(1) as pool:
        decided = pool.submit(decide)
        with store.writing() as tx:
            outbox.lock(tx, rows)
            for row in rows:
                outbox.again(tx, row.id, NOW, 0, WHY, uncertain=True)
                begun.set()
                time.sleep(0.1)  # the other one comes as far as he can
        decided.result(30)
    with store.reading() as tx:
        assert sorted((r.target, r.digest) for r in outbox.listing(tx, states=["owed"])) == [("A1", "c"), ("A2", "c")]


def test_a_task_whose_cause_is_gone_before_it_is_made_is_withdrawn(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [task("hold:1"), task("hold:2"), task("hold:3")], NOW)
        (made,) = outbox.claim(tx, "crm", "task", 1, NOW)
        assert outbox.withdraw(tx, "crm", {"A1": ["hold:2"], "A9": []}, NOW) == 1
        assert waiting(tx) == [("claimed", "hold:1"), ("owed", "hold:2")], (
            "under way is under way; the cause of 2 is there"
        )
        outbox.settle(tx, made.id, "T1", NOW)
        # It comes back the same day: the task is wanted after all. What was made is not made again.
        assert outbox.owe(tx, [task("hold:3"), task("hold:1")], NOW) == 1
        assert waiting(tx) == [("owed", "hold:2"), ("owed", "hold:3")]
        assert outbox.withdraw(tx, "nobody", {"A1": []}, NOW) == 0


def made(tx: Any, *keys: str) -> None:
    """Tasks of A1 that are made there."""
    outbox.owe(tx, [task(key) for key in keys], NOW)
    for row in outbox.claim(tx, "crm", "task", 10, NOW):
        outbox.settle(tx, row.id, f"remote {row.key}", NOW)


def closings(tx: Any) -> list[tuple[str, str, str]]:
    outbox.owe_closing(tx, "crm", {"Status": "Completed"}, "x", NOW)
    return [(r.key, r.target, r.state) for r in reversed(outbox.listing(tx, states=None, kind="close_task"))]


def test_a_task_that_is_made_is_closed_once(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "hold:1", "hold:2", "warning:1", "dunning:1")
        assert outbox.withdraw(tx, "crm", {"A1": ["hold:2"]}, NOW, ("hold", "warning"), stands={"warning:1"}) == 0
        assert closings(tx) == [("hold:1", "remote hold:1", "owed")]
        assert closings(tx) == [("hold:1", "remote hold:1", "owed")], "it is said once"
        outbox.withdraw(tx, "crm", {"A1": ["hold:2"]}, NOW, ("hold", "warning"), stands={"warning:1"})
        (row,) = outbox.claim(tx, "crm", "close_task", 10, NOW)
        assert (row.values, row.customer) == ({"Status": "Completed"}, 1)
        outbox.settle(tx, row.id, row.target, NOW)
        assert closings(tx) == [("hold:1", "remote hold:1", "done")]
        assert outbox.open_targets(tx, "crm") == {"A1"}
        outbox.withdraw(tx, "crm", {"A1": []}, NOW, stands=None)
        assert len(closings(tx)) == 1, "nothing is closed by whoever answers for unmade ones alone"
        outbox.withdraw_begun(tx, ["hold:", "warn"], NOW)
        assert outbox.withdraw_keys(tx, ["dunning:1", "dunning"], NOW) == 0
        assert [key for key, _, _ in closings(tx)] == ["hold:1", "hold:2", "warning:1", "dunning:1"]
        assert outbox.open_targets(tx, "crm") == set()


def test_a_matter_that_comes_back_before_its_task_is_closed_goes_on(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "hold:1")
        outbox.withdraw(tx, "crm", {"A1": []}, NOW)
        assert outbox.owe(tx, [task("hold:1")], NOW) == 0
        assert closings(tx) == []
        outbox.withdraw(tx, "crm", {"A1": []}, NOW)
        assert [state for _, _, state in closings(tx)] == ["owed"]
        assert outbox.owe(tx, [task("hold:1")], NOW) == 0, "its closing is owed, and taken back"
        assert [state for _, _, state in closings(tx)] == ["superseded"]
        outbox.withdraw(tx, "crm", {"A1": []}, NOW)
        assert [state for _, _, state in closings(tx)] == ["superseded", "owed"], "and it can end again"


def test_a_matter_that_comes_back_after_its_task_is_closed_is_another_task(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "hold:1")
        for again in ("hold:1~2", "hold:1~3"):
            outbox.withdraw(tx, "crm", {"A1": []}, NOW)
            closings(tx)
            for row in outbox.claim(tx, "crm", "close_task", 10, NOW):
                outbox.settle(tx, row.id, row.target, NOW)
            assert outbox.owe(tx, [task("hold:1")], NOW) == 1
            assert outbox.owe(tx, [task("hold:1")], NOW) == 0
            (row,) = outbox.claim(tx, "crm", "task", 10, NOW)
            assert (row.key, row.values) == (again, {"subject": again}), "its key goes with it wherever it is written"
            outbox.settle(tx, row.id, f"remote {again}", NOW)
            outbox.withdraw(tx, "crm", {"A1": ["hold:1"]}, NOW)
            assert closings(tx)[-1][0] != again, "it is about the same matter"


def test_a_task_that_may_have_been_made_is_closed_like_one_that_was(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [task("hold:1"), task("hold:2"), task("hold:3")], NOW)
        first, second, _ = outbox.claim(tx, "crm", "task", 3, NOW)
        outbox.again(tx, first.id, NOW, 30, WHY, uncertain=True)  # put back, nobody knows
        assert outbox.withdraw(tx, "crm", {"A1": []}, NOW) == 1
        # 2 is under way when its matter ends; then it comes to nothing that anybody knows of. 3 is made.
        outbox.again(tx, second.id, NOW, 30, WHY, uncertain=True)
        third = next(row for row in outbox.listing(tx, states=None) if row.key == "hold:3")
        outbox.settle(tx, third.id, "remote 3", NOW)
        assert outbox.claim(tx, "crm", "task", 9, LATER) == [], "none of them is made from now on"
        assert closings(tx) == [("hold:1", "", "owed"), ("hold:2", "", "owed"), ("hold:3", "remote 3", "owed")]


def test_what_was_undone_and_is_over_ends_its_task(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [held()], NOW)
        delivered(tx)
        (row,) = outbox.standing(tx, "crm", "hold")
        outbox.note_undone(tx, row, ["Hold"], WHY, NOW)
        made(tx, "undone:crm:hold:A1:2026-11-20", "undone:crm:hold:A12:2026-11-20")
        outbox.owe(tx, [held()], NOW)
        assert closings(tx) == []
        outbox.owe(tx, [held(hold=False)], NOW)
        assert [key for key, _, _ in closings(tx)] == ["undone:crm:hold:A1:2026-11-20"]


def held(target: str = "A1", hold: bool = True, reason: str | None = "late") -> Owed:
    values = {"Hold": hold, "Reason": reason}
    return Owed("crm", "hold", target, f"hold:{target}", values, f"{hold} {reason}", 1)


def delivered(tx: Any, kind: str = "hold") -> list[dict[str, Any]]:
    rows = outbox.claim(tx, "crm", kind, 10, LATER)
    for row in rows:
        outbox.settle(tx, row.id, row.target, NOW)
    return [row.values for row in rows]


def test_what_a_person_undid_stays_so_while_we_want_the_same(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [held()], NOW)
        delivered(tx)
        (settled,) = outbox.standing(tx, "crm", "hold")
        outbox.note_undone(tx, settled, ["Hold"], WHY, NOW)
        outbox.note_undone(tx, settled, ["Hold"], WHY, NOW)
        (row,) = outbox.undone(tx, "crm")
        assert (row.state, row.target, outbox.fields_of(row), row.why) == ("undone", "A1", ("Hold",), WHY)
        assert outbox.owe(tx, [held()], NOW) == 0
        # Other reasons: the reason is kept right, the flag is left as the person set it.
        assert outbox.owe(tx, [held(reason="over the limit")], NOW) == 1
        assert delivered(tx) == [{"Reason": "over the limit"}]
        # The customer pays: our word is another, so it is over; held again later, the flag is ours again.
        assert outbox.owe(tx, [held(hold=False, reason=None)], NOW) == 1
        assert delivered(tx) == [{"Hold": False, "Reason": None}]
        assert outbox.undone(tx, "crm") == []
        assert outbox.owe(tx, [held()], NOW) == 1
        assert delivered(tx) == [{"Hold": True, "Reason": "late"}]


def test_what_was_undone_is_put_back_by_a_person_here(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [held(), held("A2")], NOW)
        delivered(tx)
        for row in outbox.standing(tx, "crm", "hold"):
            outbox.note_undone(tx, row, ["Hold"], WHY, NOW)
        outbox.owe(tx, [held(reason="more")], NOW)
        first, second = outbox.undone(tx, "crm")
        assert outbox.restore(tx, first.id, NOW)
        assert not outbox.restore(tx, first.id, NOW)
        assert delivered(tx) == [{"Hold": True, "Reason": "more"}], "the newest word, whole; what waited gave way"
        # Taken note of: not told any more, and still not fought.
        assert outbox.drop(tx, second.id, NOW)
        assert outbox.owe(tx, [held("A2", reason="more")], NOW) == 1
        assert delivered(tx) == [{"Reason": "more"}]
        outbox.close_undone(tx, [second.id], NOW)
        assert outbox.owe(tx, [held("A2", reason="most")], NOW) == 1
        assert delivered(tx) == [{"Hold": True, "Reason": "most"}]


def test_where_nothing_is_left_to_write_beside_what_was_undone_nothing_is_owed(store: Store) -> None:
    def flag(digest: str, hold: bool = True) -> Owed:
        return Owed("erp", "hold", "C1", "hold:C1", {"hold": hold}, digest, 1)

    with store.writing() as tx:
        outbox.owe(tx, [flag("a")], NOW)
        (row,) = outbox.claim(tx, "erp", "hold", 1, NOW)
        outbox.settle(tx, row.id, "", NOW)
        outbox.note_undone(tx, row, ["hold"], WHY, NOW)
        assert outbox.owe(tx, [flag("b")], NOW) == 0
        assert outbox.owe(tx, [flag("c", False)], NOW) == 1


def test_the_last_word_on_each_target_is_kept(store: Store) -> None:
    with store.writing() as tx:
        for digest in ("a", "b"):
            outbox.owe(tx, [fields(digest)], NOW)
            delivered(tx, "customer_fields")
        assert outbox.expire(tx, LATER) == 1
        assert [r.digest for r in outbox.standing(tx, "crm", "customer_fields")] == ["b"]
        outbox.write_again(tx, *outbox.standing(tx, "crm", "customer_fields"), NOW)
        assert outbox.standing(tx, "crm", "customer_fields") == [], "a newer write is under way"
        delivered(tx, "customer_fields")
        (last,) = outbox.standing(tx, "crm", "customer_fields")
        assert (last.digest, last.code) == ("b", "restored")


def test_parked_rows_wait_for_a_person(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a"), fields("z", "A2")], NOW)
        for row in outbox.claim(tx, "crm", "customer_fields", 10, NOW):
            outbox.park(tx, row.id, NOW, WHY, "INVALID_DATA")
        assert outbox.claim(tx, "crm", "customer_fields", 10, LATER) == []
        assert outbox.owe(tx, [fields("a")], NOW) == 0
        parked = outbox.listing(tx, states=["parked"])
        assert [(r.target, r.code, r.why) for r in parked] == [("A2", "INVALID_DATA", WHY), ("A1", "INVALID_DATA", WHY)]
        assert outbox.retry(tx, parked[0].id) == 1
        assert [r.target for r in outbox.claim(tx, "crm", "customer_fields", 10, LATER)] == ["A2"]
        # Other values are another attempt at once.
        assert outbox.owe(tx, [fields("b")], NOW) == 1
        assert outbox.retry(tx) == 0


def test_a_dropped_write_does_not_come_back_by_itself(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (row,) = outbox.listing(tx)
        assert outbox.drop(tx, row.id, NOW)
        assert not outbox.drop(tx, row.id, NOW)
        assert outbox.owe(tx, [fields("a")], NOW) == 0
        assert outbox.owe(tx, [fields("b")], NOW) == 1


def test_an_attempt_that_fails_after_a_newer_state_came_gives_way_to_it(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.owe(tx, [fields("b")], NOW)
        outbox.again(tx, row.id, NOW, 0, WHY, uncertain=True)
        rows = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        assert [(r.digest, r.uncertain) for r in rows] == [("b", True)]


def test_values_come_back_as_they_were(store: Store) -> None:
    values = {
        "money": Decimal("12345678901234567.10"),
        "text": "信用额度",
        "none": None,
        "yes": True,
        "n": 3,
        "on": dt.date(2026, 2, 28),
        "at": dt.datetime(2026, 2, 28, 1, 2, 3, tzinfo=dt.UTC),
        "list": ["a", Decimal("0.5")],
    }
    with store.writing() as tx:
        outbox.owe(tx, [fields("a", **values)], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        assert row.values == values
        assert str(row.values["money"]) == "12345678901234567.10"


def test_old_states_are_forgotten_in_time(store: Store) -> None:
    with store.writing() as tx:
        outbox.owe(tx, [fields("a")], NOW)
        (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW)
        outbox.settle(tx, row.id, "", NOW)
        outbox.owe(tx, [fields("b")], NOW)
        outbox.owe(tx, [fields("c")], NOW)
        assert outbox.expire(tx, NOW) == 0
        assert outbox.expire(tx, LATER) == 1
        assert [(r.digest, r.state) for r in outbox.listing(tx, states=None)] == [("c", "owed"), ("a", "done")]


class Deliveries(RuleBasedStateMachine):
    """Deciding, sending, failing, dying, in any order, against a remote system that keeps what it is sent.

    A write may arrive although its sender never hears of it. In the end the remote state is the newest one decided, and
    no task exists twice if the sender looks before it repeats an uncertain one.
    """

    store: Store

    @initialize()
    def fresh(self) -> None:
        emptied(self.store)
        self.now = NOW
        self.remote: dict[str, str] = {}
        self.tasks: list[str] = []
        self.wanted: dict[str, str] = {}
        self.wanted_tasks: set[str] = set()

    @rule(account=st.sampled_from("AB"), digest=st.sampled_from("xyz"))
    def decide(self, account: str, digest: str) -> None:
        self.wanted[account] = digest
        with self.store.writing() as tx:
            outbox.owe(tx, [fields(digest, account)], self.now)

    @rule(key=st.sampled_from("kl"))
    def owe_task(self, key: str) -> None:
        self.wanted_tasks.add(key)
        with self.store.writing() as tx:
            outbox.owe(tx, [task(key)], self.now)

    @rule(
        fates=st.lists(
            st.sampled_from(["done", "again", "lost answer", "dies before", "dies after"]), min_size=2, max_size=2
        )
    )
    def push(self, fates: list[str]) -> None:
        for kind in ("customer_fields", "task"):
            with self.store.writing() as tx:
                rows = outbox.claim(tx, "crm", kind, 2, self.now)
            for row, fate in zip(rows, fates, strict=False):
                self._send(row, fate)

    def _send(self, row: outbox.OutboxRow, fate: str) -> None:
        found = row.kind == "task" and row.uncertain and row.key in self.tasks
        if fate not in ("again", "dies before") and not found:
            if row.kind == "task":
                self.tasks.append(row.key)
            else:
                self.remote[row.target] = row.digest
        with self.store.writing() as tx:
            if fate == "done" or found:
                outbox.settle(tx, row.id, "r", self.now)
            elif fate == "again":
                outbox.again(tx, row.id, self.now, 10, WHY)
            elif fate == "lost answer":
                outbox.again(tx, row.id, self.now, 10, WHY, uncertain=True)

    @rule()
    def time_passes(self) -> None:
        self.now += dt.timedelta(seconds=400)

    @invariant()
    def no_task_twice(self) -> None:
        if hasattr(self, "tasks"):
            assert len(self.tasks) == len(set(self.tasks))

    def teardown(self) -> None:
        if not hasattr(self, "tasks"):
            return
        for _ in range(6):
            self.time_passes()
            self.push(["done", "done"])
        assert self.remote == self.wanted
        assert set(self.tasks) == self.wanted_tasks
        with self.store.writing() as tx:
            assert outbox.listing(tx) == []
            repeated = [fields(digest, target) for target, digest in self.wanted.items()]
            assert outbox.owe(tx, repeated + [task(key) for key in self.wanted_tasks], self.now) == 0


def test_whatever_happens_the_remote_state_is_the_newest_decided(shared_store: Store) -> None:
    machine = type("Here", (Deliveries,), {"store": shared_store})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
