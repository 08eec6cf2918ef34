"""Record locks of Zoho when answers get lost: the call is made again, is refused, and all the same it is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.zoho_crm import locks
from adapters.zoho_crm.client import Zoho
from connector.sandbox import Sandbox
from tests.unit.zoho_crm import world


@pytest.fixture
def shop() -> Iterator[tuple[Sandbox, Zoho, str]]:
    """An organisation with locking, its client, and a sales order in it."""
    with world.organisation() as (box, client):
        assert locks.stands(client).fix == "" or box.shelf.all("~locking")
        yield box, client, box.shelf.all("Sales_Orders")[0]["id"]


def lock(box: Sandbox, order: str) -> Any:
    return next(row for row in box.shelf.all("Sales_Orders") if row["id"] == order).get("~locked")


@pytest.mark.parametrize("fault", ["late", "503", "reset"])
def test_a_lock_whose_answer_is_lost_is_set_once_and_taken_off_once(
    shop: tuple[Sandbox, Zoho, str], fault: Any
) -> None:
    box, client, order = shop
    box.faults.plan(fault, match=r"POST .*/Locking_Information__s")
    assert locks.settle(client, order, lock=True, is_locked=False, reason="over the limit").state == "done"
    assert box.faults.happened == [fault]
    assert locks.is_ours(lock(box, order))
    box.faults.plan(fault, match=r"DELETE .*/Locking_Information__s")
    assert locks.settle(client, order, lock=False, is_locked=True, reason="").state == "done"
    assert box.faults.happened == [fault, fault]
    assert lock(box, order) is None


def test_a_refusal_is_one_where_the_order_is_not_locked_after_it(shop: tuple[Sandbox, Zoho, str]) -> None:
    box, client, order = shop
    for thing in box.shelf.all("~locking"):
        box.shelf.drop("~locking", thing["module"])
    refused = locks.settle(client, order, lock=True, is_locked=False, reason="over the limit")
    assert (refused.state, refused.code) == ("rejected", "NOT_ALLOWED")
    assert lock(box, order) is None
