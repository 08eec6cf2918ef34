"""The watch over turns notices who takes them in another order, and nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy import Connection

from connector.store import audit, limits, marks, order_credit, outbox
from connector.store.audit import Entry
from connector.store.db import Store
from connector.store.outbox import Owed
from tests.store.books import NOW


def trail(tx: Connection) -> None:
    audit.append(tx, [Entry("limit.approve", "customer:books/C1", "person:li.wei")], NOW)


_words = count()


def owe(tx: Connection) -> None:
    new = f"{next(_words)}"
    outbox.owe(tx, [Owed("crm", "customer_fields", "A1", "customer_fields:A1", {"v": new}, new, 1)], NOW)


def settle(tx: Connection) -> None:
    (row,) = outbox.claim(tx, "crm", "customer_fields", 10, NOW + dt.timedelta(seconds=1))
    outbox.settle(tx, row.id, "1", NOW)


def touch(tx: Connection) -> None:
    marks.touch(tx, [1])


def hold(tx: Connection) -> None:
    order_credit.lock(tx, [1])


def decide(tx: Connection) -> None:
    limits.lock(tx, 1)


def nothing(tx: Connection) -> None:
    order_credit.lock(tx, [])
    marks.touch(tx, [])
    outbox.owe(tx, [], NOW)
    audit.append(tx, [], NOW)


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        (trail, owe, "“outbox” is taken after “audit”"),
        (trail, settle, "“outbox” is taken after “audit”"),
        (trail, touch, "“mark” is taken after “audit”"),
        (owe, touch, "“mark” is taken after “outbox”"),
        (touch, hold, "“customer” is taken after “mark”"),
        (trail, decide, "“customer” is taken after “audit”"),
    ],
)
def test_the_wrong_order_is_noticed(
    store: Store, first: Callable[[Connection], None], then: Callable[[Connection], None], why: str
) -> None:
    with store.writing() as tx:
        owe(tx)
    with pytest.raises(AssertionError, match=why), store.writing() as tx:  # noqa: PT012 - two things in one transaction
        first(tx)
        then(tx)
    # What an earlier transaction of the same connection has taken counts for nothing.
    with store.writing() as tx:
        then(tx)


@pytest.mark.parametrize(
    "acts", [(hold, touch, owe, trail), (decide, touch, trail, touch), (owe, owe, trail, nothing), (trail, trail)]
)
def test_the_right_order_is_not(store: Store, acts: tuple[Callable[[Connection], None], ...]) -> None:
    with store.writing() as tx:
        for act in acts:
            act(tx)
    with store.writing() as tx:
        trail(tx)
        audit.at_end(tx, [Entry("limit.approve", "customer:books/C1", "person:li.wei")], NOW)
