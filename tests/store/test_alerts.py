"""Warnings as they are kept: one open one for each debtor and indicator, ended ones stay; and what signs are read from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from connector.credit.score import Score
from connector.credit.warn import Indicator, State, Warned
from connector.model import Customer, Document, Event, Limit, Order, OrderLine, Promise
from connector.store import alerts, customers, links, placed, receivables, scores
from connector.store.db import Store
from connector.store.tables import alert
from connector.store.turns_signs import Turning, signs_turned
from tests.store.books import save

DAY = dt.date(2026, 3, 2)


def warned(name: str, level: str, value: str = "1", clear: int = 0, on: dt.date = DAY, asked: bool = True) -> Warned:
    today = Indicator(name, Decimal(value), level, Decimal(1))  # type: ignore[arg-type]
    state = State(level, clear, on, DAY, DAY) if level != "green" else State()  # type: ignore[arg-type]
    return Warned(today, State(), state, asked)


def keep(store: Store, *stands: Warned, on: dt.date = DAY, debtor: int = 7) -> list[tuple[str, str | None, str]]:
    """Keeps where the warnings of a debtor stand; gives what changed: indicator, level before, level now."""
    with store.writing() as tx:
        found = alerts.keep(tx, [(debtor, stands)], alerts.standing(tx, [debtor]), on)
    return [(c.after.name, c.before.state.level if c.before else None, c.after.state.level) for c in found]


def test_later_runs_update_the_open_warning(store: Store) -> None:
    assert keep(store, warned("court", "yellow"), warned("slowdown", "red", "31")) == [
        ("court", None, "yellow"),
        ("slowdown", None, "red"),
    ]
    assert keep(store, warned("court", "orange", "2"), warned("slowdown", "red", "33")) == [
        ("court", "yellow", "orange")
    ]
    assert keep(store, warned("court", "orange", "2"), warned("slowdown", "red", "33")) == []
    with store.reading() as tx:
        (mine,) = alerts.standing(tx).values()
        assert {name: (one.state.level, one.value) for name, one in mine.items()} == {
            "court": ("orange", "2"),
            "slowdown": ("red", "33"),
        }
        assert len(alerts.history(tx, 7)) == 2
        assert alerts.standing(tx, [8]) == {}
        assert alerts.open_debtors(tx) == {7}


def test_an_ended_warning_stays_and_the_next_one_is_another(store: Store) -> None:
    keep(store, warned("court", "red", "3"))
    later = DAY + dt.timedelta(days=3)
    assert keep(store, warned("court", "green"), on=later) == [("court", "red", "green")]
    assert keep(store, warned("court", "green"), on=later) == []
    assert keep(store, warned("court", "yellow", on=later), on=later) == [("court", None, "yellow")]
    with store.reading() as tx:
        new, old = alerts.history(tx, 7)
        assert (old.state.level, old.closed_on, old.value) == ("red", later, "3")
        assert (new.state.level, new.closed_on) == ("yellow", None)
        assert old.id != new.id


def test_what_nobody_looked_at_keeps_its_value(store: Store) -> None:
    keep(store, warned("slowdown", "orange", "17"))
    assert keep(store, warned("slowdown", "orange", "0", asked=False)) == []
    with store.reading() as tx:
        assert alerts.standing(tx)[7]["slowdown"].value == "17"


def test_two_open_ones_cannot_be(store: Store) -> None:
    keep(store, warned("court", "yellow"))
    with pytest.raises(IntegrityError), store.writing() as tx:
        tx.execute(
            alert.insert().values(id=999, debtor=7, indicator="court", level="red", clear=0, opened_on=DAY)
        )  # fmt: skip


def test_nobodys_warnings_end(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id="C1", name="C1")])
        links.ensure_debtors(tx, [row.key for row in customers.customers(tx)])
        (somebody,) = {row.debtor for row in customers.customers(tx)}
    assert somebody is not None
    keep(store, warned("court", "red"), debtor=somebody)
    keep(store, warned("court", "red"), debtor=somebody + 1)
    with store.writing() as tx:
        assert alerts.close_left(tx, day(1)) == 1
        assert alerts.open_debtors(tx) == {somebody}
        assert alerts.close_left(tx, day(2)) == 0


# --- what signs are read from --------------------------------------------------------------------------------------------
def day(days: int) -> dt.date:
    return DAY + dt.timedelta(days=days)


def test_orders_by_window(store: Store) -> None:
    def order(name: str, days: int, amount: int | None, status: str = "open", customer: str = "C1") -> Order:
        made = {"customer_id": customer, "ordered_on": day(days), "currency": "CNY", "amount": amount, "status": status}
        return Order(id=name, **made)  # type: ignore[arg-type]

    def line(name: str, price: str) -> OrderLine:
        return OrderLine(
            order_id=name, line="1", quantity=Decimal(3), unit_price=Decimal(price), tax_rate=Decimal("0.13")
        )

    with store.writing() as tx:
        save(tx, "customers", [Customer(id=c, name=c, currency="CNY") for c in ("C1", "C2")], ledger_currency="CNY")
        orders = [
            order("1", 0, 100_00),
            order("2", -29, None, "closed"),
            order("3", -30, 50_00),
            order("4", -210, 7_00),
            order("5", -211, 8_00),
            order("6", -1, 9_00, "cancelled"),
            order("7", 1, 9_00),
            order("8", -1, 9_00, "draft"),
            order("9", -1, 1_00, customer="C2"),
        ]
        save(tx, "orders", orders, ledger_currency="CNY")
        save(tx, "order_lines", [line("2", "10.01")], ledger_currency="CNY")
        key = {r.ref: r.key for r in customers.customers(tx)}
        found = placed.placed(tx, [key["C1"]], day(-211), day(-30), DAY, ["books"])
        assert found == {key["C1"]: {"CNY": (Decimal(57), Decimal("133.9339"))}}
        assert set(placed.placed(tx, None, day(-211), day(-30), DAY)) == {key["C1"], key["C2"]}
        assert placed.placed(tx, None, day(-211), day(-30), DAY, ["crm"]) == {}


def test_the_score_that_held_on_a_day(store: Store) -> None:
    def scored(days: int, points: str | None) -> Score:
        known = None if points is None else Decimal(points)
        return Score(day(days), "v1", known, "B", Decimal(1), ())

    with store.writing() as tx:
        for days, points in ((-400, "80"), (-100, "70"), (-50, None), (-10, "60")):
            scores.keep(tx, [(7, scored(days, points))], dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
        scores.keep(tx, [(8, scored(-5, "50"))], dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
        year_ago = day(-365)
        assert scores.held_on(tx, [7, 8, 9], {}, year_ago) == {
            7: (Decimal(80), day(-400)),
            8: (Decimal(50), day(-5)),  # none by then: the first one after it
        }
        assert scores.held_on(tx, None, {7: day(-20)}, year_ago)[7] == (Decimal(70), day(-100))


def test_all_receivables(store: Store) -> None:
    def invoice(
        name: str, customer: str, yuan: int, currency: str = "CNY", kind: str = "invoice", days: int = 0
    ) -> Document:
        made = {"customer_id": customer, "kind": kind, "issued_on": day(days), "due_on": day(30), "currency": currency}
        return Document(id=name, amount=yuan * 100, **made)  # type: ignore[arg-type]

    with store.writing() as tx:
        save(tx, "customers", [Customer(id=c, name=c) for c in ("C1", "C2")], ledger_currency="CNY")
        said = [
            invoice("1", "C1", 5),
            invoice("2", "C1", 6),
            invoice("3", "C2", 7),
            invoice("4", "C2", 8, "USD"),
            invoice("5", "C2", 9, kind="credit_note"),
            invoice("6", "C2", 10, days=1),
        ]
        save(tx, "documents", said, ledger_currency="CNY")
        assert receivables.owed(tx, DAY, ["books"]) == {"CNY": (1800, 2), "USD": (800, 1)}
        assert receivables.owed(tx, DAY, ["crm"]) == {}


def test_whose_signs_the_calendar_turns(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id=c, name=c) for c in ("L", "P", "E", "N")], ledger_currency="CNY")
        save(tx, "limits", [Limit(customer_id="L", kind="base", amount=1, currency="CNY", valid_to=day(31))])
        promise = {"made_on": DAY, "due_on": day(-3), "amount": 1, "currency": "CNY"}
        save(tx, "promises", [Promise(id="1", customer_id="P", **promise)])
        save(tx, "events", [Event(id="1", customer_id="E", on=day(-364), kind="bounced_payment", source="bank")])
        key = {r.key: r.ref for r in customers.customers(tx)}
        turning = Turning(before_end=(30, 7, -1), after_promise=(4, 91), months=(12,), after_event=(366,))

        def turned(since: int, until: int) -> str:
            return "".join(sorted(key[k] for k in signs_turned(tx, day(since), day(until), turning)))

        assert turned(0, 1) == "ELP"  # 12 months after the event, 30 days before the end, 4 days after the promise
        assert turned(1, 2) == "E"  # 366 days after the event
        assert turned(2, 3) == ""
        assert turned(23, 24) == "L"
        assert turned(31, 32) == "L"
        assert turned(87, 88) == "P"
