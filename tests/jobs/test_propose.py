"""What limits are proposed on: groups, missing rates, words of insurers; nothing that is not known counts as nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import event

from connector.errors import TransientError
from connector.model import Document, Event, Rate
from connector.store import limits
from connector.store.db import Store
from connector.text import Text
from jobs.grant import outcome, outcomes
from jobs.propose import run_proposals
from tests.jobs.limit_desk import LimitDesk
from tests.store.books import save
from tests.store.conftest import shared_store as shared_store
from tests.store.conftest import store as store


@pytest.fixture
def desk(store: Store) -> LimitDesk:
    return LimitDesk(store)


def sold(desk: LimitDesk, customer: str, yuan: int, **more: Any) -> None:
    """An invoice of September 2025, paid when it fell due."""
    desk.say(
        "documents",
        Document(
            id=f"D-{customer}-{yuan}", customer_id=customer, kind="invoice", issued_on=dt.date(2025, 9, 1),
            due_on=dt.date(2025, 10, 1), amount=yuan * 100, **({"currency": "CNY"} | more),
        ),
    )  # fmt: skip


def proposed(desk: LimitDesk, customer: str) -> dict[str, Any]:
    (asked,) = desk.requests(customer)
    return dict(asked.body)


def test_a_groups_own_limit_is_no_bound_for_its_next_one_and_covers_what_its_members_buy(desk: LimitDesk) -> None:
    desk.customer("C1", name="集团")
    desk.customer("C2", parent_id="C1")
    desk.customer("C3", parent_id="C2")
    desk.limit_said(1_000_000, "C1")
    desk.limit_said(500_000, "C2")
    for customer, yuan in (("C1", 1_000_000), ("C2", 2_000_000), ("C3", 4_000_000)):
        sold(desk, customer, yuan)
    for customer, yuan in (("C1", 100_000), ("C2", 200_000), ("C3", 50_000)):
        desk.invoice(f"N-{customer}", customer, -20, yuan)
    desk.evaluate()
    desk.propose("all")
    head, middle, last = (proposed(desk, customer) for customer in ("C1", "C2", "C3"))
    # Sales of the whole subtree; the two months of the new invoices are among the twelve.
    assert [Decimal(each["sales"]) for each in (head, middle, last)] == [7_350_000, 6_250_000, 4_050_000]
    assert head["group_room"] is None, "nobody stands above it"
    owed = {"C1": 1_100_000, "C2": 2_200_000, "C3": 4_050_000}
    above = 1_000_000 - sum(owed.values())
    assert Decimal(middle["group_room"]) == above + owed["C2"] + owed["C3"], "its limit covers C3, too"
    assert above < 500_000 - owed["C2"] - owed["C3"]
    assert Decimal(last["group_room"]) == above + owed["C3"], "the tighter of the two groups above"


def test_a_holding_that_buys_nothing_itself_is_no_new_customer(desk: LimitDesk) -> None:
    desk.customer("C1", name="控股")
    desk.customer("C2", parent_id="C1")
    desk.limit_said(1_000_000, "C1")
    sold(desk, "C2", 36_500_000)
    desk.evaluate()
    desk.propose("all")
    head = proposed(desk, "C1")
    assert Decimal(head["sales"]) == 36_500_000
    assert [step[0] for step in head["steps"][:2]] == ["annual_sales", "need"], "not the starter limit"
    # September to February: 181 days, taken for a year.
    assert head["sales_days"] == 181
    assert head["steps"][0][3]["result"] == "73604972.38"


def test_without_a_rate_for_its_sales_no_limit_is_proposed(desk: LimitDesk) -> None:
    """Sales that cannot be converted are not known: a limit of CNY 900,000 must not be cut because of that."""
    desk.limit_said(900_000)
    sold(desk, "C1", 3_000_000)
    sold(desk, "C1", 1, currency="USD")
    desk.evaluate()
    done = desk.propose("all")
    assert (done.counts["proposals"], desk.requests("C1")) == (1, []), "of C2 alone"
    assert [(p.code, p.where, p.what.en) for p in done.problems] == [
        ("no_rate", "books/C1", "No exchange rate from USD to CNY: no limit can be proposed."),
    ]


@pytest.mark.parametrize(
    ("said", "insurer"),
    [("400000", 400_000), ("CNY 400000", 400_000), ("USD 100000", 700_000), ("EUR 1", None), ("CNY 40万", None)],
)
def test_what_an_insurer_covers_is_read_or_nothing_is_proposed(desk: LimitDesk, said: str, insurer: int | None) -> None:
    desk.limit_said(900_000)
    sold(desk, "C1", 30_000_000)
    desk.evaluate()
    with desk.store.writing() as tx:
        rate = Rate(from_currency="USD", to_currency="CNY", on=desk.today, rate=Decimal(7))
        cover = Event(id="E", customer_id="C1", on=desk.today, kind="insurer_limit", source="sinosure", value=said)
        for stream, fact in (("rates", rate), ("events", cover)):
            save(tx, stream, [fact], full=True, now=desk.clock.now(), ledger_currency="CNY")
    done = desk.propose("all")
    if insurer is None:
        assert desk.requests("C1") == []
        assert [p.code for p in done.problems] == ["no_rate" if said.startswith("EUR") else "unread_insurer_limit"]
    else:
        assert Decimal(proposed(desk, "C1")["insurer"]) == insurer


def test_many_requests_are_looked_at_with_as_few_questions_as_one(desk: LimitDesk) -> None:
    """Each of them waits for the same people as when it is looked at alone."""
    for at, yuan in enumerate((50_000, 700_000, 3_000_000, 90_000, 5_000_000), 1):
        desk.customer(f"C{at}", owner="S7" if at == 2 else None)
        desk.limit_said(1_000_000 if at % 2 else 10_000, f"C{at}")
        desk.evaluate()
        desk.ask("base", yuan, customer=f"C{at}")
    asked_times: list[str] = []
    with desk.store.reading() as tx:
        asked = limits.requests(tx)
        alone = [outcome(tx, desk.desk, one) for one in asked]
        event.listen(tx, "before_cursor_execute", lambda *given: asked_times.append(given[2]))
        outcomes(tx, desk.desk, asked[:1])
        once = len(asked_times)
        together = outcomes(tx, desk.desk, asked)
    assert len(asked_times) - once == once
    assert len(asked) == 5
    assert together == alone
    assert len({tuple(p.id for p in one.others) for one in together}) > 1


def test_a_night_that_fails_half_way_is_made_up_for_by_the_next(
    desk: LimitDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(desk, "C1", 1_000_000)
    desk.invoice("N-C1", "C1", -20, 100_000)
    desk.evaluate()
    with monkeypatch.context() as patch:
        patch.setattr("jobs.propose.proposals", Mock(side_effect=TransientError(Text("busy", "忙"))))
        assert run_proposals(desk.store, desk.config, desk.policy, desk.clock, "due").failed is not None
    assert desk.requests("C1") == []
    desk.propose("due")
    assert len(desk.requests("C1")) == 1
    desk.propose("due")
    assert len(desk.requests("C1")) == 1, "what was looked at is not looked at again"
