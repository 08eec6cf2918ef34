"""Warnings in the run of a day, on both databases: kept as the pure steps say, told in tasks, concluded again."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.credit.warn_state import CALM, step
from connector.model import Document, Rate
from connector.policy import default_policy, load
from connector.store import alerts, audit, outbox
from connector.store.db import Store
from jobs import warned
from jobs.frame import frame
from jobs.recall import replay
from jobs.run import Run
from tests.jobs.ledger import CONFIG
from tests.jobs.test_night import BOOK, Night, night  # noqa: F401 - a fixture
from tests.jobs.warning_desk import WarningDesk
from tests.store.books import save
from tests.store.conftest import emptied


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "postgresql":
        store: Store = request.getfixturevalue("pg_store")
        emptied(store)
        yield WarningDesk(store)
        return
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield WarningDesk(store)
    store.close()


def test_kept_states_are_those_of_the_pure_steps(desk: WarningDesk) -> None:
    """Sixty days of invoices and payments at random: what is kept is what folding the days' readings gives."""
    draw = random.Random(5)
    warning = default_policy().warning
    state, opened = CALM, 0
    for day in range(60):
        if draw.random() < 0.3:
            desk.invoice(f"F-{day}", "C1", draw.choice([-60, -20, 5, 20, 40]), draw.randint(1, 60) * 1000)
        unpaid = [name for name in desk.facts["documents"] if name not in desk.facts["payments"]]
        if unpaid and draw.random() < 0.35:
            name = draw.choice(unpaid)
            amount: Any = desk.facts["documents"][name]
            desk.pay(name, amount.amount, name)
        desk.run(full=draw.random() < 0.5)
        with desk.store.reading() as tx:
            mine = alerts.standing(tx).get(desk.debtor(), {})
            overdue = max(
                (
                    (desk.today - d.due_on).days  # type: ignore[union-attr]
                    for name, d in desk.facts["documents"].items()
                    if name not in desk.facts["payments"]
                ),
                default=0,
            )
        before = state
        state = step(
            state, _number(max(overdue, 0)), warning.ladders["oldest_overdue"], warning.clear_ratio, 3, desk.today
        )
        opened += before.level == "green" != state.level
        kept = mine["oldest_overdue"].state if "oldest_overdue" in mine else CALM
        assert (kept.level, kept.clear) == (state.level, state.clear), f"day {day}"
        desk.clock.sleep(86_400)
    assert opened > 1, "the draw shows something"
    found = replay_all(desk)
    assert found.other == []
    assert found.same > 20


def _number(days: int) -> Any:
    from decimal import Decimal

    return Decimal(days)


def replay_all(desk: WarningDesk) -> Any:
    with desk.store.reading() as tx:
        return replay(tx, CONFIG)


def test_everything_that_is_asked_for_is_concluded_again_to_the_byte(desk: WarningDesk) -> None:
    """Events, promises, orders, ends of limits, with states that stand: the kept inputs are enough."""
    desk.event("E-1", "court_executed", text="x")
    desk.event("E-2", "insurer_cut", source="insurer")
    desk.limit(1000, valid_to=desk.today + dt.timedelta(days=9))
    desk.promise("V-1", desk.today - dt.timedelta(days=20), 10)
    for month in range(6):
        desk.order(f"O-{month}", 40 + 30 * month, 10_000)
    desk.order("O-now", 10, 55_000)
    desk.invoice("F-1", "C1", 70, 10_000)
    desk.run()
    assert set(desk.stands()) == {
        "overdue_ratio", "oldest_overdue", "utilisation", "broken_promises", "order_spike", "last_payment",
        "limit_expiry", "insurer", "court",
    }  # fmt: skip
    desk.pay("P-1", 1_000_000, "F-1")
    del desk.seen["events"]["E-1"]
    desk.next_day(8)
    found = replay_all(desk)
    assert (found.other, found.unkept) == ([], [])
    assert found.same >= 4
    with desk.store.reading() as tx:
        assert list(audit.verify(tx)) == []


def test_switched_off_it_ends_and_segments_have_their_own_steps(desk: WarningDesk) -> None:
    desk.invoice("F-1", "C1", 20, 10_000)
    desk.run()
    assert desk.stands()["oldest_overdue"] == "yellow"
    desk.policy = load("[warning.oldest_overdue_days]\nyellow = 15\norange = 20\nred = 60")
    desk.run()
    assert desk.stands()["oldest_overdue"] == "orange", "another policy asks everybody again, the same day"
    desk.policy = load("[warning.oldest_overdue_days]\non = false")
    desk.run()
    assert "oldest_overdue" not in desk.stands()
    assert [one.indicator for one in desk.ended()] == ["oldest_overdue"]


# --- tasks ---------------------------------------------------------------------------------------------------------------
def tasks(night: Night) -> list[tuple[str, str]]:  # noqa: F811
    return [(t["Subject"], t["Description"]) for t in night.crm.shelf.all("Tasks") if "Crane" in t["Subject"]]


def test_one_task_an_episode_however_many_runs(night: Night) -> None:  # noqa: F811
    """Crane is listed by a court: one task. Days later its insurer cuts its cover: another one. Runs add nothing."""
    night.write("events", "id,customer_id,on,kind,source\nE1,C3,2026-11-19,court_executed,zxgk_manual\n")
    night.run()
    (first,) = tasks(night)
    assert first[0] == "Credit warning orange: Crane (C3)"
    assert first[1].splitlines() == [
        "courts: enforcement, on 2026-11-19 (zxgk_manual)",
        "Exposure CNY 1,700.00, limit CNY 50,000.00, overdue CNY 0.00 (0 days), as of 2026-11-20.",
        "Please look into this and tell finance what you know.",
    ]
    for _ in range(3):
        night.clock.at += dt.timedelta(days=1)
        night.run()
    assert tasks(night) == [first]
    night.write(
        "events",
        "id,customer_id,on,kind,source\nE1,C3,2026-11-19,court_executed,zxgk_manual\n"
        "E2,C3,2026-11-23,insurer_cut,insurer\n",
    )
    night.run()
    night.run()
    assert len(tasks(night)) == 2
    assert "the credit insurer cut its cover on 2026-11-23" in tasks(night)[1][1]
    with night.store.reading() as tx:
        assert not [row for row in outbox.listing(tx) if row.kind == "task" and row.state == "owed"]


def test_who_pays_is_asked_for_nothing_though_the_level_stands(night: Night) -> None:  # noqa: F811
    """Dragon pays what it was held for: the hold is lifted, the level falls slowly, and no task is made of that."""
    night.run()
    before = [t["Subject"] for t in night.crm.shelf.all("Tasks") if "Dragon" in t["Subject"]]
    night.write("payments", BOOK["payments"] + "P2,C1,2026-11-19,CNY,3000.00\n")
    night.write("applications", BOOK["applications"] + "P2,I1,3000.00,2026-11-19\n")
    for _ in range(11):
        night.run()
        night.clock.at += dt.timedelta(days=1)
    night.run()
    assert night.account("Dragon")["Credit_Status"] == "Good", "three days a level: red, orange, yellow, green"
    assert [t["Subject"] for t in night.crm.shelf.all("Tasks") if "Dragon" in t["Subject"]] == before


def test_all_that_is_owed_is_the_same_total_in_every_run_of_a_day(tmp_path: Path) -> None:
    """Half a fen, from a rate: rounded half up when it is summed, and not otherwise when it is read again."""
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    desk = WarningDesk(store)
    usd: dict[str, Any] = {"currency": "USD", "issued_on": desk.today, "due_on": desk.today}
    desk.say("documents", Document(id="F-1", customer_id="C1", kind="invoice", amount=1, **usd))
    with store.writing() as tx:
        save(tx, "rates", [Rate(on=desk.today, from_currency="USD", to_currency="CNY", rate=Decimal("6.5"))])
    desk.pull()
    run = Run("evaluate")
    with store.reading() as tx:
        base = frame(tx, CONFIG, default_policy(), desk.clock, desk.today, debtors=())
        base.receivables = warned.all_owed(tx, base, None, anew=True)
    warned.note(run, base, None)
    store.close()
    assert base.receivables == (Decimal("0.07"), 1)
    assert run.counts["receivables"] == 7
