"""Amounts of several currencies in one order: exact where a float is not, page by page, on both databases."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from itertools import count

import pytest
from sqlalchemy import insert, select

from connector.model import Order
from connector.money import exponent, from_minor
from connector.store import by_worth, order_credit, order_list
from connector.store.db import Connection, Store
from connector.store.order_credit import Standing
from connector.store.order_list import Filter
from connector.store.tables import limit_request
from tests.store.books import NOW, save
from tests.store.test_facts import kept

DAY = dt.date(2026, 11, 23)
# 7.12 and its neighbours: of each 2^53 and more no float can tell.
WORTH = {"CNY": Decimal(1), "USD": Decimal("7.12"), "JPY": Decimal("0.0463"), "KWD": Decimal(1) / Decimal(3)}
EVEN = 2**53
AMOUNTS = [
    ("CNY", EVEN), ("CNY", EVEN + 1), ("CNY", EVEN + 2), ("CNY", EVEN + 1), ("CNY", 712), ("USD", 100), ("CNY", 711),
    ("CNY", 713), ("USD", -100), ("CNY", -712), ("USD", 2**62), ("USD", 2**62 + 1), ("JPY", EVEN + 1), ("JPY", EVEN),
    ("KWD", 2**62 + 3), ("KWD", 2**62 + 2), ("KWD", 1), ("XXX", EVEN + 1), ("USD", None), ("CNY", None), ("JPY", 0),
    ("CNY", 2**63 - 1), ("USD", 2**63 - 1), ("USD", -(2**63) + 1),
]  # fmt: skip


def _fill(tx: Connection) -> dict[int, tuple[str, int | None]]:
    for number, (currency, amount) in zip(count(1), AMOUNTS):
        tx.execute(
            insert(limit_request).values(
                id=number, customer=1, at=NOW, as_of=DAY, requested_by="person:a", why="", kind="base", amount=amount,
                currency=currency, valid_from=DAY, digest="", body="{}",
            )
        )  # fmt: skip
    return dict(zip(count(1), AMOUNTS))


def _exact(currency: str, minor: int | None) -> tuple[bool, Fraction]:
    if minor is None:
        return True, Fraction(0)
    return False, minor * Fraction(WORTH.get(currency, Decimal(1))) / 10 ** exponent(currency)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("most", [1, 7])
def test_pages_hold_every_row_once_in_its_exact_order(store: Store, down: bool, most: int) -> None:
    r = limit_request.c
    with store.writing() as tx:
        rows = _fill(tx)
        found: list[int] = []
        after = None
        while True:
            part, after = by_worth.ordered(
                tx, select(r.id), r.id, r.amount, r.currency, WORTH, down=down, after=after, most=most
            )
            found += part
            if after is None:
                break
    assert found == sorted(rows, key=lambda number: (_exact(*rows[number]), number), reverse=down)


@pytest.mark.parametrize("place", ["", "1.5_CNY", "9007199254740993.0", "1_cny", "_CNY", "9" * 30 + "_CNY", "١_CNY"])
def test_what_is_no_place_is_refused(store: Store, place: str) -> None:
    r = limit_request.c
    with store.reading() as tx, pytest.raises(ValueError, match=r"^"):
        by_worth.ordered(tx, select(r.id), r.id, r.amount, r.currency, {}, down=True, after=(place, 1), most=5)


def test_orders_that_only_a_float_holds_for_equal_are_told_apart(store: Store) -> None:
    totals = [from_minor(16 * EVEN + more, "CNY") for more in (1, 0, 2)]
    with store.writing() as tx:
        save(
            tx, "orders", [kept(Order(id=f"O{n}", customer_id="C1", ordered_on=DAY, currency="CNY")) for n in range(3)]
        )
        keys = [one.key for name in ("O0", "O1", "O2") for one in order_credit.find(tx, name)]
        states = [Standing(key, 1, "held", DAY, NOW, "entry", t, "CNY") for key, t in zip(keys, totals, strict=True)]
        order_credit.keep(tx, states, [])
        assert float(totals[0]) == float(totals[1])
        lines, after = order_list.lines(tx, Filter(held=True), sort="total", most=2)
        rest, _ = order_list.lines(tx, Filter(held=True), sort="total", after=after, most=2)
    assert [line.total for line in (*lines, *rest)] == [from_minor(16 * EVEN + n, "CNY") for n in range(3)]
