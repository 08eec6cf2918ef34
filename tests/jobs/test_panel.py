"""What the panel tells: the figures of every other answer, the trend by an independent way, orders in each of their states,
payments, promises, tasks and reviews."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from connector.config_people import PersonSettings
from connector.credit.review import Seen
from connector.model import Application, Order, Payment, Promise
from connector.store import customers, outbox, reviews
from connector.store.db import Store
from connector.store.outbox import Owed
from jobs import customer_answer
from jobs.panel import Viewer, panel
from jobs.panel_launch import Look
from jobs.panel_shape import Panel, answer
from jobs.panel_trend import month_ends
from tests.jobs.shop import TODAY, Shop
from tests.store.books import save
from tests.store.conftest import store as store
from tests.web.crm_frame import CHEN, filled, framed

ACCOUNT = Look("crm", "Accounts", "customer", "A1", "5001")
ORDER = Look("crm", "Sales_Orders", "order", "Z1", "5001")


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    return filled(store, framed(tmp_path))


def shown(shop: Shop, look: Look = ACCOUNT, who: PersonSettings = CHEN) -> Panel:
    viewer = Viewer(who.person.actor, who.person, True, True)
    with shop.store.reading() as tx:
        return panel(tx, shop.config, shop.policy, shop.clock, look, viewer)


def day(shop: Shop, on: dt.date | None = None) -> dict[str, object]:
    """The customer as every other door answers for it."""
    with shop.store.reading() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs=["C1"])
        one = customer_answer.on_day(tx, shop.config, shop.policy, shop.clock, row, on)
    return customer_answer.answer(one, shop.policy, "en")


def test_the_figures_are_those_of_every_other_door(shop: Shop) -> None:
    said, other = answer(shown(shop)), day(shop)
    figures = said["figures"]
    assert figures["limit"] == other["limit"]["amount"]  # type: ignore[index]
    assert figures["exposure"] == other["exposure"]["total"]  # type: ignore[index]
    assert figures["days_overdue"] == other["oldest_overdue_days"]
    for name in ("balance", "unapplied", "overdue", "disputed", "available"):
        assert figures[name] == other[name], name
    assert figures["used"] == other["utilisation"]
    assert [one["amount"] for one in figures["buckets"]] == list(other["buckets"].values())  # type: ignore[attr-defined]
    assert [one["en"] for one in said["reasons"]] == [one["en"] for one in other["reasons"]]  # type: ignore[attr-defined]
    assert (said["grade"], said["score"]) == (other["grade"], other["score"])
    assert said["data_at"] == shop.clock.now().isoformat(timespec="seconds")


def test_the_trend_is_what_was_owed_on_each_of_those_days(shop: Shop) -> None:
    figures = shown(shop).figures
    assert figures is not None
    assert [one.on for one in figures.trend] == [
        dt.date(2026, 5, 31), dt.date(2026, 6, 30), dt.date(2026, 7, 31), dt.date(2026, 8, 31), dt.date(2026, 9, 30),
        dt.date(2026, 10, 31), TODAY,
    ]  # fmt: skip
    for one in figures.trend:
        then = day(shop, one.on)
        assert (f"{one.balance:.2f}", f"{one.overdue:.2f}") == (then["balance"], then["overdue"]), one.on
    assert len({one.balance for one in figures.trend}) > 2, "it moves"


def test_month_ends_go_over_the_end_of_a_year() -> None:
    assert month_ends(dt.date(2026, 3, 1), 3) == [dt.date(2025, 12, 31), dt.date(2026, 1, 31), dt.date(2026, 2, 28)]
    assert month_ends(dt.date(2026, 3, 31), 1) == [dt.date(2026, 2, 28)], "today stands for itself"


def test_an_order_in_each_of_its_states(shop: Shop) -> None:
    def order() -> tuple[str, str, bool]:
        one = shown(shop, ORDER).order
        assert one is not None
        return one.status.tone, one.status.word.en, one.may_ask

    assert order() == ("stop", "Held", True)
    shop.request("SO1", "chen.jie")
    assert order() == ("stop", "Held, release asked for", False), "he has asked"
    other = PersonSettings(id="he.ping", name="He Ping", roles=("approver", "sales"))
    asked = shown(shop, ORDER, other).order
    assert asked is not None
    assert asked.asked is not None
    assert (asked.asked.by, asked.asked.why, asked.asked.mine, asked.may_ask) == (
        "陈洁",
        "a good customer",
        False,
        True,
    )
    shop.refuse("SO1", "li.wei")
    assert order() == ("stop", "Held, release refused", True)
    shop.release("SO1", "li.wei")
    shop.release("SO1", "zhao.min")
    assert order() == ("good", "Released", False)
    one = shown(shop, ORDER).order
    assert one is not None
    assert one.status.line.en.startswith("By Zhao Min, up to CNY ")
    with shop.store.writing() as tx:
        said = Order(
            id="Z1",
            customer_id="A1",
            number="SO-1001",
            ordered_on=TODAY,
            currency="CNY",
            amount=6_000_000,
            status="closed",
        )
        save(tx, "sales_orders", [said], system="crm", now=shop.clock.now(), ledger_currency="CNY")
    assert order() == ("unknown", "Not open", False)


def test_the_newest_payments_are_told_and_none_that_was_taken_back(shop: Shop) -> None:
    days = [TODAY - dt.timedelta(days=n) for n in (1, 2, 3, 4)]
    shop.say(
        "payments",
        *(Payment(id=f"N{n}", customer_id="C1", received_on=on, currency="CNY", amount=100 * (n + 1)) for n, on in enumerate(days)),
        Payment(id="V", customer_id="C1", received_on=TODAY, currency="CNY", amount=77, voided_on=TODAY),
        Payment(id="R", customer_id="C1", received_on=TODAY, currency="CNY", amount=55, kind="refund"),
    )  # fmt: skip
    found = [(one.on, one.amount) for one in shown(shop).receipts]
    assert found == [(days[0], Decimal("1.00")), (days[1], Decimal("2.00")), (days[2], Decimal("3.00"))]


def test_promises_are_open_until_their_grace_is_over_and_then_broken_or_gone(shop: Shop) -> None:
    def states() -> list[tuple[str, str]]:
        return [(one.state, f"{one.amount:f}") for one in shown(shop).promises]

    assert states() == [("open", "48000.50")]
    shop.say("promises", Promise(id="R2", customer_id="C1", made_on=TODAY, due_on=TODAY, amount=5_000, currency="CNY"))
    assert states() == [("open", "50.00"), ("open", "48000.50")]
    shop.say("payments", Payment(id="P2", customer_id="C1", received_on=TODAY, currency="CNY", amount=5_000))
    shop.say("applications", Application(from_id="P2", to_id="INV-2", amount=Decimal(50), applied_on=TODAY))
    shop.days(20)
    assert states() == [("broken", "48000.50")], "the small one was kept"
    shop.days(100)
    assert states() == []


def test_tasks_that_are_open_for_the_customer(shop: Shop) -> None:
    def owe(key: str, target: str) -> None:
        with shop.store.writing() as tx:
            outbox.owe(tx, [Owed("crm", "task", target, key, {}, key)], shop.clock.now())

    owe("hold:books:C1:2026-11-20", "A1")
    owe("hold:books:C2:2026-11-20", "A2")
    (one,) = shown(shop).tasks
    assert (one.text.en, one.text.zh, one.made) == (
        "Settle the credit hold with the customer",
        "就信用冻结与客户沟通处理",
        False,
    )
    with shop.store.writing() as tx:
        outbox.withdraw(tx, "crm", {"A1": set()}, shop.clock.now())
    assert shown(shop).tasks == ()


def test_the_next_review(shop: Shop) -> None:
    assert shown(shop).review_on is None
    with shop.store.writing() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs=["C1"])
        assert row.debtor is not None
        reviews.plan(tx, [(row.debtor, dt.date(2027, 1, 31), "class", Seen("green", None, False))], shop.clock.now())
    assert shown(shop).review_on == dt.date(2027, 1, 31)


def test_old_data_are_said_to_be_old(shop: Shop) -> None:
    shop.clock.at += dt.timedelta(days=4)
    found = shown(shop)
    assert found.stale is not None
    assert found.data_at == shop.clock.at - dt.timedelta(days=4)
