"""Our holds in systems, kept from before they are sent until they are lifted."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from connector.store import outbox, stops
from connector.store.db import Store
from connector.store.outbox import Owed
from connector.store.stops import Stopped

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)


def test_a_hold_is_kept_changed_and_forgotten_by_target(store: Store) -> None:
    first = Stopped("1", "record_lock", {"Credit_Hold": True, "Since": dt.date(2026, 1, 2), "Sum": Decimal("1.10")})
    with store.writing() as tx:
        stops.keep(tx, "crm", "order_fields", [first, Stopped("2", "order_flag")], NOW)
        stops.keep(tx, "crm", "hold", [Stopped("1", "account_flag")], NOW)
        assert stops.stopped(tx, "crm", "order_fields", ["1", "2", "3"]) == {
            "1": first,
            "2": Stopped("2", "order_flag"),
        }
    with store.writing() as tx:
        stops.keep(tx, "crm", "order_fields", [Stopped("2", "record_lock", {"Credit_Hold": True})], NOW)
        stops.forget(tx, "crm", "order_fields", ["1"])
    with store.reading() as tx:
        assert stops.stopped(tx, "crm", "order_fields", ["1", "2"]) == {
            "2": Stopped("2", "record_lock", {"Credit_Hold": True})
        }
        assert set(stops.stopped(tx, "crm", "hold", ["1"])) == {"1"}, "another kind is another matter"
        assert stops.stopped(tx, "erp", "order_fields", ["2"]) == {}


def test_what_was_last_settled_is_the_newest_that_is_done(store: Store) -> None:
    def owed(held: bool) -> Owed:
        return Owed("crm", "order_fields", "1", "order_fields:1", {"held": held}, str(held))

    with store.writing() as tx:
        outbox.owe(tx, [owed(True)], NOW)
        (row,) = outbox.claim(tx, "crm", "order_fields", 9, NOW)
        outbox.settle(tx, row.id, "1", NOW)
        outbox.owe(tx, [owed(False)], NOW)
        assert outbox.last_settled(tx, "crm", "order_fields", ["1", "2"]) == {"1": {"held": True}}


def test_values_that_are_looked_up_late_are_looked_up_once_and_only_where_they_are_written(store: Store) -> None:
    asked: list[str] = []

    def owed(digest: str) -> Owed:
        def more() -> dict[str, str]:
            asked.append(digest)
            return {"reason": f"in words, {digest}", "unknown": "left out"}

        return Owed("crm", "order_fields", "1", "order_fields:1", {"held": True, "reason": ""}, digest, None, more)

    with store.writing() as tx:
        assert outbox.owe(tx, [owed("a")], NOW) == 1
        assert outbox.owe(tx, [owed("a")], NOW) == 0
        (row,) = outbox.listing(tx)
        assert row.values == {"held": True, "reason": "in words, a"}
    assert asked == ["a"]
