"""Credit that is reserved is never reserved twice: eight processes at once, with orders of the store beside, on both databases.

Each process asks with reservations, gives some back, places and checks orders; one runs the night's evaluate now and then.
Afterwards a checker that knows nothing of the engine adds up what stood at each moment, by the audit trail's own order.
"""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.errors import HoldfastError
from connector.model import Customer, Order
from connector.store import audit, customers, order_credit, reservations
from connector.store.db import Store
from jobs.check import check_all
from jobs.check_asked import Asked
from jobs.check_kept import Kept
from jobs.check_return import give_back
from tests.jobs.shop import NOON, Shop, config, side_by_side
from tests.store.books import save
from tests.store.conftest import store as store

PROCESSES, TURNS = 8, 12
LIMITS = {"C1": 1000, "G": 1500, "A": 900, "B": 900}
GROUP = ("G", "A", "B")


def work(url: str, folder: str, me: int, failed: Any) -> None:
    """One process: its own connections, its own questions, everybody's customers."""
    try:
        shop = Shop(Store.open(url), config(Path(folder)))
        rng, mine, caller = random.Random(me), list[int](), f"app:p{me}"
        kept = Kept(shop.store.seat()) if me % 2 else None  # half of them keep what they have read
        for turn in range(TURNS):
            if me == 0 and turn % 6 == 5:
                shop.run()
            if mine and rng.random() < 0.3:
                give_back(shop.store, shop.clock, mine.pop(rng.randrange(len(mine))), caller)
            elif rng.random() < 0.2:
                said = Order(
                    id=f"P{me}-{turn}", customer_id=rng.choice(sorted(LIMITS)), ordered_on=shop.today, currency="CNY",
                    amount=rng.randrange(20, 400) * 100, status="open",
                )  # fmt: skip
                with shop.store.writing(durable=False) as tx:
                    save(tx, f"orders {me}", [said], now=NOON)
                shop.check(said.id)
            else:
                asked = [
                    Asked(
                        rng.choice(sorted(LIMITS)), Decimal(rng.randrange(20, 500)), caller=caller, minutes=30,
                        key=f"{turn}-{n}",
                    )
                    for n in range(rng.randrange(1, 4))
                ]  # fmt: skip
                for found in check_all(shop.store, shop.config, shop.policy, shop.clock, asked, (), kept):
                    if isinstance(found, HoldfastError):
                        raise found
                    if found.body["reservation"] is not None:
                        mine.append(found.body["reservation"]["id"])
        shop.store.close()
    except BaseException as wrong:
        failed.put(f"{me}: {type(wrong).__name__} {wrong}")
        raise


def test_eight_processes_never_reserve_more_than_fits(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, config(tmp_path))
    people = [Customer(id=ref, name=ref, currency="CNY", parent_id="G" if ref in "AB" else None) for ref in LIMITS]
    shop.customers(*people, limits=LIMITS)
    side_by_side(work, store, tmp_path, PROCESSES, ["tests.jobs.shop", "jobs.check"])
    with store.reading() as tx:
        assert audit.verify(tx) == []
        lines = sorted(audit.listing(tx), key=lambda line: line.number)
        standing = {one.id: one for some in reservations.standing(tx, NOON).values() for one in some}
        states = order_credit.states(tx)
        orders = order_credit.orders(tx, list(states))
        names = {row.key: row.ref for row in customers.customers(tx)}
    passed = [
        (names[orders[key].customer or 0], one.total)
        for key, one in states.items()
        if one.state == "passed" and one.ended_on is None
    ]
    # What is reserved at each moment, in the order of the trail.
    running: dict[str, tuple[str, Decimal]] = {}
    worst, asked, given_back = dict.fromkeys(LIMITS, Decimal(0)), 0, 0
    for line in lines:
        after = line.entry.after or {}
        if line.entry.action == "order.asked":
            asked += 1
            if (kept := after.get("reservation")) is not None:
                whose = line.entry.subject.removeprefix("customer:books/")
                running[f"reservation {kept['id']}"] = (whose, Decimal(after["amount"]))
        elif line.entry.action == "reservation.return":
            given_back += 1
            running.pop(f"reservation {after['reservation']}")
        for ref, limit in LIMITS.items():
            whose_all = GROUP if ref == "G" else (ref,)
            used = sum((amount for whose, amount in running.values() if whose in whose_all), Decimal(0))
            worst[ref] = max(worst[ref], used)
            assert used <= limit, f"{ref}: {used} of {limit} at line {line.number}"
    assert {int(name.split()[1]) for name in running} == set(standing), "the trail explains what stands"
    assert asked > PROCESSES * TURNS // 2
    assert given_back > 5
    assert passed, "orders of the store passed, too"
    assert any(worst[ref] > LIMITS[ref] / 2 for ref in LIMITS), "no limit was ever near its end"
    # With the orders of the store that have passed beside it, too.
    for ref, limit in LIMITS.items():
        whose_all = GROUP if ref == "G" else (ref,)
        used = sum((amount for whose, amount in running.values() if whose in whose_all), Decimal(0))
        used += sum((total for whose, total in passed if whose in whose_all), Decimal(0))
        assert used <= limit, f"{ref}: {used} of {limit} is taken"
