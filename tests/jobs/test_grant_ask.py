"""What may be asked for where the ledger keeps limits, and what becomes of a request whose customer is deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.store.db import Store
from tests.jobs.limit_desk import LimitDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LimitDesk]:
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield LimitDesk(store, master=None)
    store.close()


def test_what_begins_later_is_asked_for_later(desk: LimitDesk) -> None:
    """The ledger has one amount a customer: it would count from the day of its approval."""
    with pytest.raises(ConfigError) as refused:
        desk.ask("base", 50_000, valid_from=desk.today + dt.timedelta(days=1))
    assert "on its first day" in refused.value.user.en
    assert desk.ask("base", 50_000)


def test_the_next_night_goes_on_without_a_customer_that_is_deleted(desk: LimitDesk) -> None:
    granted = desk.ask("base", 50_000, customer="C1")
    waiting = desk.ask("base", 60_000, customer="C2")
    assert desk.approve(granted, "zhao.min").stands.state == "granted"
    for customer in ("C1", "C2"):
        del desk.facts["customers"][customer]
    desk.evaluate()
    desk.propose()
    with pytest.raises(ConfigError) as refused:
        desk.approve(waiting, "zhao.min")
    assert "does not have this customer any more" in refused.value.user.en
