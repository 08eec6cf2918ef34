"""Two orders that each fit but together do not are never both passed: eight processes at once, on both databases.

Each process places orders, has them checked, closes and changes some; one runs the night's evaluate again and again. A
checker that knows nothing of the engine adds up, line by line of the history, what had passed.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.model import Customer, Order
from connector.store import audit, customers, order_credit
from connector.store.db import Store
from tests.jobs.shop import NOON, Shop, config, side_by_side
from tests.store.books import save
from tests.store.conftest import store as store

PROCESSES, ORDERS = 8, 30
LIMITS = {"C1": 1000, "C2": 500, "G": 1500, "A": 900, "B": 900}
GROUP = ("G", "A", "B")


def _place(shop: Shop, me: int, ref: str, customer: str, amount: int, status: str, rng: random.Random) -> None:
    ship_on = shop.today + dt.timedelta(days=rng.randrange(30))
    said = Order(
        id=ref, customer_id=customer, ordered_on=shop.today, ship_on=ship_on, currency="CNY",
        amount=amount * 100, status=status,  # type: ignore[arg-type]
    )  # fmt: skip
    with shop.store.writing(durable=False) as tx:
        save(tx, f"orders {me}", [said], now=NOON)


def work(url: str, folder: str, me: int, failed: Any) -> None:
    """One process: its own connections, its own orders, everybody's customers."""
    try:
        shop = Shop(Store.open(url), config(Path(folder)))
        rng = random.Random(me)
        mine: list[tuple[str, str, int]] = []
        for number in range(ORDERS):
            if me == 0 and number % 6 == 5:
                shop.run()
            if mine and rng.random() < 0.25:
                ref, customer, amount = mine.pop(rng.randrange(len(mine)))
                _place(shop, me, ref, customer, amount, rng.choice(["closed", "cancelled"]), rng)
                continue
            if mine and rng.random() < 0.2:
                at = rng.randrange(len(mine))
                ref, customer, amount = mine[at][0], mine[at][1], mine[at][2] + rng.randrange(-40, 80)
                mine[at] = (ref, customer, max(amount, 1))
                _place(shop, me, *mine[at], "open", rng)
                shop.check(ref, "change")
                continue
            ref = f"P{me}-{number}"
            mine.append((ref, rng.choice(sorted(LIMITS)), rng.randrange(20, 400)))
            _place(shop, me, *mine[-1], "open", rng)
            shop.check(ref)
        shop.store.close()
    except BaseException as wrong:
        failed.put(f"{me}: {type(wrong).__name__} {wrong}")
        raise


def test_eight_processes_never_pass_more_than_fits(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, config(tmp_path))
    people = [Customer(id=ref, name=ref, currency="CNY", parent_id="G" if ref in "AB" else None) for ref in LIMITS]
    shop.customers(*people, limits=LIMITS)
    side_by_side(work, store, tmp_path, PROCESSES, ["tests.jobs.shop"])

    shop.run()
    assert shop.run().counts["orders_turned"] == 0, "nothing is left to be done"
    with store.reading() as tx:
        states = order_credit.states(tx)
        orders = order_credit.orders(tx, list(states))
        history = order_credit.history(tx, orders=list(states))
        entries = audit.listing(tx)
        names = {row.key: row.ref for row in customers.customers(tx)}
        assert audit.verify(tx) == []
    placed = Counter(orders[key].status for key in states)
    assert sum(placed.values()) > PROCESSES * ORDERS // 3, "hundreds of orders"
    assert len(states) == len(orders), "every order has exactly one state"
    assert {s.state for s in states.values()} == {"passed", "held"}

    customer_of = {key: names[orders[key].customer or 0] for key in states}
    worst: dict[str, Decimal] = defaultdict(Decimal)
    sums = Counter[str]()
    for key, standing in states.items():
        if standing.state == "passed" and standing.ended_on is None:
            sums[customer_of[key]] += int(standing.total)
            sums["group"] += int(standing.total) if customer_of[key] in GROUP else 0
    for ref, limit in LIMITS.items():
        if ref != "G":
            assert sums[ref] <= limit, f"{ref}: {sums[ref]} passed of {limit}"
    assert sums["group"] <= LIMITS["G"]
    assert sum(sums.values()) > 2000, "the limits were used up, or nothing was tried"

    # The history, line by line: what had passed never exceeded a limit, either.
    running: dict[int, Decimal] = {}
    for line in history:
        body = line.body or {}
        if line.state == "passed" and line.what != "ended":
            running[line.order] = Decimal(body["total"])
        else:
            running.pop(line.order, None)
        for ref, limit in LIMITS.items():
            whose = GROUP if ref == "G" else (ref,)
            used = sum((v for k, v in running.items() if customer_of[k] in whose), Decimal(0))
            worst[ref] = max(worst[ref], used)
            assert used <= limit, f"{ref}: {used} of {limit} at line {line.id}"
    assert any(worst[ref] > LIMITS[ref] / 2 for ref in LIMITS), "no limit was ever near its end"

    # The audit trail explains each state.
    said: dict[str, str] = {}
    for entry in reversed(entries):
        if entry.entry.action == "order.first_check":
            said.update({ref: state for state, refs in entry.entry.after.items() for ref in refs})
        elif entry.entry.action.startswith("order."):
            said[entry.entry.subject.removeprefix("order:")] = entry.entry.after["state"]
    for key, standing in states.items():
        assert said[f"books/{orders[key].ref}"] == standing.state
