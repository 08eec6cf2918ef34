"""What was concluded before its transaction is written only where nothing it rests on has changed by then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.model import Customer
from connector.store import marks
from connector.store.concerns import Concern
from connector.store.db import Store
from jobs import concluding
from jobs.concluding import Concluder
from tests.jobs.shop import Shop, config
from tests.store.conftest import store as store


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    made = Shop(store, config(tmp_path))
    made.customers(Customer(id="C1", name="C1", currency="CNY"), limits={"C1": 100})
    return made


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """As often as debtors were judged."""
    seen: list[None] = []
    usual = concluding.judge

    def counted(*args: Any, **more: Any) -> Any:
        seen.append(None)
        return usual(*args, **more)

    monkeypatch.setattr(concluding, "judge", counted)
    return seen


def between(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens once, after a portion was concluded and before it is written."""
    usual = Concluder.ahead

    def then(*args: Any) -> Any:
        monkeypatch.setattr(Concluder, "ahead", usual)
        found = usual(*args)
        happens()
        return found

    monkeypatch.setattr(Concluder, "ahead", then)


def test_where_nothing_happens_it_is_judged_once(shop: Shop, judged: list[None]) -> None:
    shop.order("S1", "C1", 60)
    shop.run()
    assert len(judged) == 1
    assert shop.states() == {"S1": "passed"}


def test_a_fact_that_comes_meanwhile_counts(shop: Shop, judged: list[None], monkeypatch: pytest.MonkeyPatch) -> None:
    shop.order("S1", "C1", 60)
    between(monkeypatch, lambda: shop.invoice("I1", "C1", 50, shop.today + timedelta(days=20)))
    shop.run()
    assert len(judged) == 2
    assert shop.states() == {"S1": "held"}, "50 are owed by now: 60 more exceed 100"


def test_a_customer_who_is_blocked_meanwhile_is_seen_as_blocked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.order("S1", "C1", 60)
    blocked = Customer(id="C1", name="C1", currency="CNY", status="blocked")
    between(monkeypatch, lambda: shop.say("customers", blocked))
    shop.run()
    assert shop.states() == {"S1": "held"}


def test_what_a_check_has_found_meanwhile_is_not_overwritten(
    shop: Shop, judged: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that fit only one at a time: the later one is let through by a check while both are judged the other way round."""
    shop.order("S1", "C1", 60)
    shop.run()
    shop.order("S2", "C1", 30)
    between(monkeypatch, lambda: shop.check("S2"))
    judged.clear()
    shop.run()
    assert len(judged) == 2
    assert shop.happened("S2") == ["passed"], "told once, by the check"


def test_a_release_that_comes_meanwhile_stands(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.order("S1", "C1", 160)
    shop.check("S1")
    shop.invoice("I1", "C1", 5, shop.today + timedelta(days=20))
    between(monkeypatch, lambda: shop.release("S1", "li.wei"))
    shop.run()
    assert shop.states() == {"S1": "released"}


def test_of_what_concerns_somebody_else_nothing_is_read_again(
    shop: Shop, judged: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_else() -> None:
        with shop.store.writing(concern=Concern(debtors={1_000_000})) as tx:
            marks.next_number(tx, "another")

    compared: list[None] = []
    usual = Concluder._beside
    monkeypatch.setattr(Concluder, "_beside", lambda *given: (compared.append(None), usual(*given))[1])
    shop.order("S1", "C1", 60)
    between(monkeypatch, somebody_else)
    shop.run()
    assert len(judged) == 1
    assert shop.states() == {"S1": "passed"}
    # On PostgreSQL transactions have no order in which they could be told apart: it is compared.
    assert len(compared) == (1 if shop.store.has_turns else 2)
