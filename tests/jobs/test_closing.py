"""Tasks are closed where they were made when their matter is decided: once, and never against a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector.mapping import shipped
from connector.policy import default_policy
from connector.store import outbox, reviews
from connector.store.db import Store
from jobs import review_decide
from jobs.night import work
from tests.jobs.notice_desk import NoticeDesk
from tests.jobs.test_night import BOOK, Night
from tests.jobs.test_night import night as night
from tests.jobs.test_review import ANSWERS, Office, person
from tests.jobs.test_review import office as office
from tests.store.conftest import store as store

DAY = dt.date.fromisoformat
PAID = {
    "payments": BOOK["payments"] + "P2,C1,2026-11-19,CNY,3000.00\n",
    "applications": BOOK["applications"] + "P2,I1,3000.00,2026-11-19\n",
}


def statuses(night: Night) -> dict[str, Any]:
    return {t["Credit_Task_Key"]: t.get("Status") for t in night.crm.shelf.all("Tasks") if t.get("Credit_Task_Key")}


def pays(night: Night, paid: bool = True) -> None:
    for name, text in PAID.items():
        night.write(name, text if paid else BOOK[name])
    night.clock.sleep(60)


# --- holds -------------------------------------------------------------------------------------------------------------
def test_who_pays_has_no_task_left(night: Night) -> None:
    night.run()
    assert statuses(night) == {"hold:books:C1:2026-11-20": None, "hold:books:C2:2026-11-20": None}
    pays(night)
    night.run()
    expected = {"hold:books:C1:2026-11-20": "Completed", "hold:books:C2:2026-11-20": None}
    assert statuses(night) == expected
    before = len(night.crm.calls)
    quiet = night.run()
    assert [c.path for c in night.crm.calls[before:] if c.path.endswith("/Tasks")] == []
    assert quiet["push crm"].problems == []
    assert statuses(night) == expected


def test_what_a_person_has_done_with_a_task_stays_so(night: Night) -> None:
    """Dragon's was deleted, Phoenix's completed by hand: nothing is written, and it is no problem."""
    night.run()
    dragon, phoenix = (
        next(t for t in night.crm.shelf.all("Tasks") if f":{ref}:" in t["Credit_Task_Key"]) for ref in ("C1", "C2")
    )
    night.crm.shelf.drop("Tasks", dragon["id"])
    by_hand = {**phoenix, "Status": "Completed", "Modified_Time": "2026-11-20T12:00:00+08:00"}
    night.crm.shelf.put("Tasks", phoenix["id"], by_hand)
    pays(night)
    night.write("limits", BOOK["limits"].replace("C2,base,5000", "C2,base,50000"))
    told = night.run()
    assert told["push crm"].problems == []
    assert night.crm.shelf.all("Tasks") == [by_hand]
    with night.store.reading() as tx:
        closed = outbox.listing(tx, states=None, kind="close_task")
    assert sorted((r.key, r.state) for r in closed) == [
        ("hold:books:C1:2026-11-20", "done"), ("hold:books:C2:2026-11-20", "done"),
    ]  # fmt: skip


def test_held_again_on_the_same_day_is_another_task(night: Night) -> None:
    night.run()
    pays(night)
    night.run()
    pays(night, paid=False)  # the payment was somebody else's
    night.run()
    night.run()
    found = statuses(night)
    assert found["hold:books:C1:2026-11-20"] == "Completed"
    assert found["hold:books:C1:2026-11-20~2"] is None
    assert len(found) == 3
    pays(night)
    night.run()
    assert statuses(night)["hold:books:C1:2026-11-20~2"] == "Completed"


def test_a_task_nobody_knows_was_made_is_looked_for(night: Night) -> None:
    """The answer to making it is lost, and before the next attempt the customer has paid."""
    night.crm.faults.plan("late", times=1000, match="POST .*/Tasks")
    night.run()
    assert len(statuses(night)) == 2, "they were made, and nobody here knows"
    night.crm.faults.clear()
    pays(night)
    night.clock.sleep(4000)
    night.run()
    assert statuses(night)["hold:books:C1:2026-11-20"] == "Completed"


def test_a_mapping_that_does_not_close_leaves_them_open(night: Night) -> None:
    text = shipped("zoho_crm").replace('[write.close_task.fields]\nStatus = { value = "Completed" }\n', "")
    (night.folder / "mapping.toml").write_text(text, encoding="utf-8")
    systems = [s.model_copy(update={"mapping": "mapping.toml"}) if s.name == "crm" else s for s in night.config.systems]
    night.config = night.config.model_copy(update={"systems": tuple(systems)})
    night.run()
    pays(night)
    assert not any(r.failed for r in night.run().values())
    assert set(statuses(night).values()) == {None}


# --- dunning -----------------------------------------------------------------------------------------------------------
def test_the_task_of_a_step_stays_with_the_next_step_and_goes_with_the_debt(night: Night) -> None:
    def nightly() -> dict[str, Any]:
        work(night.store, night.config, default_policy(), night.clock, nightly=True)
        return {key: status for key, status in statuses(night).items() if key.startswith("dunning:")}

    assert nightly() == {"dunning:books:C1:1/2026-11-20": None}
    night.clock.sleep(5 * 86_400)
    second = {"dunning:books:C1:1/2026-11-20": None, "dunning:books:C1:2/2026-11-25": None}
    assert nightly() == second
    night.clock.sleep(86_400)
    assert nightly() == second
    pays(night)
    assert nightly() == dict.fromkeys(second, "Completed")


# --- warnings ----------------------------------------------------------------------------------------------------------
def test_a_warnings_task_is_open_as_long_as_it_stands_so_high(night: Night) -> None:
    """The court's list is empty again: the level falls one step each few days, and with the first the task goes."""
    listed = "id,customer_id,on,ended_on,kind,source\nE1,C3,2026-11-19,{},court_executed,zxgk_manual\n"

    def of_crane() -> list[Any]:
        return [status for key, status in statuses(night).items() if ":C3:" in key]

    night.write("events", listed.format(""))
    night.run()
    assert of_crane() == [None]
    night.write("events", listed.format("2026-11-20"))
    seen = []
    for _ in range(5):
        night.clock.at += dt.timedelta(days=1)
        night.run()
        level = night.account("Crane")["Credit_Status"]
        seen.append((level, of_crane()))
    assert ("Warning", [None]) in seen, "it still stands"
    assert seen[-1][0] != "Warning"
    assert {tuple(tasks) for level, tasks in seen if level != "Warning"} == {("Completed",)}
    assert {tuple(tasks) for level, tasks in seen if level == "Warning"} == {(None,)}


# --- orders and reviews ------------------------------------------------------------------------------------------------
@pytest.fixture
def desk(store: Store, tmp_path: Any) -> NoticeDesk:
    return NoticeDesk.make(store, tmp_path)


def delivered(desk: NoticeDesk) -> dict[str, str]:
    """Everything that is owed is made; gives the tasks that will be closed at the next push, by key."""
    now = desk.clock.now()
    with desk.store.writing() as tx:
        for row in outbox.claim(tx, "crm", "task", 100, now):
            outbox.settle(tx, row.id, f"T{row.id}", now)
        outbox.owe_closing(tx, "crm", {"Status": "Completed"}, "x", now)
        closing = outbox.listing(tx, states=None, kind="close_task")
        made = {row.key: row.remote_id for row in outbox.listing(tx, states=("done",), kind="task")}
    assert all(row.target == made[row.key] for row in closing)
    return {row.key: row.state for row in closing}


def held(desk: NoticeDesk, *refs: str) -> None:
    desk.invoice("D1", "C1", 450_000, DAY("2026-12-10"))
    for ref in refs:
        desk.order(ref, "C1", 100_000, number=f"SO-{ref}", owner="u7")
    desk.run()
    desk.tell()


def rules(found: dict[str, str]) -> list[str]:
    return sorted(key.rpartition(":")[0].rpartition(":")[0] for key in found)


def test_a_release_closes_what_asked_for_it_and_what_told_of_the_hold(desk: NoticeDesk) -> None:
    held(desk, "S1", "S2")
    assert delivered(desk) == {}
    desk.asks("S1", "chen.jie", "pays on Monday")
    desk.tell()
    assert delivered(desk) == {}
    desk.release("S1", "li.wei", "the bank has confirmed")
    desk.tell()
    assert rules(delivered(desk)) == ["order:books/S1", *["release:books/S1"] * 3]


def test_a_refusal_closes_the_request_and_the_hold_stays(desk: NoticeDesk) -> None:
    held(desk, "S1")
    desk.asks("S1", "wang.fang", "she is in a hurry")
    desk.tell()
    delivered(desk)
    desk.refuse("S1", "li.wei", "first the 450,000")
    desk.tell()
    assert set(rules(delivered(desk))) == {"release:books/S1"}
    # The order is cancelled: what was told of its refusal is over, too.
    desk.order("S1", "C1", 100_000, number="SO-S1", owner="u7", status="cancelled")
    desk.run()
    desk.tell()
    assert set(rules(delivered(desk))) == {"release:books/S1", "order:books/S1"}


def test_a_task_about_many_orders_is_closed_with_the_last_of_them(desk: NoticeDesk) -> None:
    many = [f"S{number}" for number in range(desk.config.mail.digest_above + 2)]
    held(desk, *many)
    (task,) = desk.tasks()
    assert task.key.startswith("orders:crm/A1:")
    assert delivered(desk) == {}
    for ref in many[:-1]:
        desk.order(ref, "C1", 100_000, number=f"SO-{ref}", owner="u7", status="cancelled")
    desk.run()
    desk.tell()
    assert delivered(desk) == {}
    desk.invoice("D1", "C1", 0, DAY("2026-12-10"))
    desk.run()
    desk.tell()
    assert delivered(desk) == {task.key: "owed"}


def test_a_finished_review_closes_the_reviewers_task(office: Office) -> None:
    office.night()
    row, now = office.row(), office.clock.now()
    with office.store.writing() as tx:
        (one,) = reviews.open_reviews(tx, [row.debtor or 0]).values()
        key = f"review:{row.system}:{row.ref}:{one.id}"
        owed = [outbox.Owed("crm", "task", "A1", name, {"Subject": name}, name) for name in (key, f"{key}9")]
        outbox.owe(tx, owed, now)
        for made in outbox.claim(tx, "crm", "task", 9, now):
            outbox.settle(tx, made.id, f"T{made.id}", now)
    review_decide.start(office.desk, row, person("li.wei"))
    with office.store.writing() as tx:
        assert outbox.owe_closing(tx, "crm", {"Status": "Completed"}, "x", now) == 0
    done = review_decide.conclude(office.desk, row, person("li.wei"), "keep", "as it is", ANSWERS)
    if done.state == "proposed":
        done = review_decide.approve(office.desk, row, person("wang.fang"))
    assert done.state == "done"
    with office.store.writing() as tx:
        assert outbox.owe_closing(tx, "crm", {"Status": "Completed"}, "x", now) == 1
        assert [closing.key for closing in outbox.listing(tx, kind="close_task")] == [key]
