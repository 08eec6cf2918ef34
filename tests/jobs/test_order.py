"""Orders at their check points: who passes, who waits, what a release covers, and what a second run writes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.model import Customer
from connector.policy import load
from connector.store import audit
from connector.store.db import Store
from jobs import recall
from tests.jobs.shop import Shop, config
from tests.store.conftest import store as store


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    """C1 with a limit of 100; the group G (300) of A and B (200 each)."""
    made = Shop(store, config(tmp_path))
    made.customers(
        Customer(id="C1", name="Crane Ltd", currency="CNY", owner="u7"),
        Customer(id="G", name="Group", currency="CNY"),
        Customer(id="A", name="Alpha", currency="CNY", parent_id="G"),
        Customer(id="B", name="Beta", currency="CNY", parent_id="G"),
        limits={"C1": 100, "G": 300, "A": 200, "B": 200},
    )
    return made


def test_two_that_each_fit_but_together_do_not(shop: Shop) -> None:
    shop.order("S1", "C1", 60)
    assert not shop.check("S1").hold
    shop.order("S2", "C1", 60)
    held = shop.check("S2")
    assert held.hold
    assert [r.text.en for r in held.decision.reasons] == [
        "with this order exposure is CNY 120.00 and exceeds the limit of CNY 100.00 by CNY 20.00 (120.00% used)"
    ]
    assert shop.states() == {"S1": "passed", "S2": "held"}


def test_who_passed_first_keeps_its_room_though_another_wants_to_ship_earlier(shop: Shop) -> None:
    shop.order("S1", "C1", 60, ship_on=dt.date(2026, 12, 20))
    shop.run()
    shop.order("S2", "C1", 60, ship_on=dt.date(2026, 11, 25))
    shop.run()
    assert shop.states() == {"S1": "passed", "S2": "held"}


def test_freed_credit_goes_to_the_oldest_ship_date_then_order_date_then_id(shop: Shop) -> None:
    shop.invoice("I1", "C1", 90, dt.date(2026, 12, 20))
    shop.order("S3", "C1", 40, ship_on=dt.date(2026, 12, 1))
    shop.order("S1", "C1", 40, ship_on=dt.date(2026, 12, 2))
    shop.order("S2", "C1", 40, ship_on=dt.date(2026, 12, 1))
    shop.run()
    assert set(shop.states().values()) == {"held"}
    shop.say("limits", shop.limit("C1", 180))
    shop.run()
    assert shop.states() == {"S1": "held", "S2": "passed", "S3": "passed"}
    assert shop.happened("S2") == ["held", "auto_released"]


def test_a_group_shares_its_room(shop: Shop) -> None:
    shop.order("A1", "A", 180)
    shop.order("B1", "B", 180)
    first, second = shop.check("B1"), shop.check("A1")
    # A1 was known already when B1 was checked, and comes first by its id.
    assert (first.hold, second.hold) == (True, False)
    assert [r.rule for r in first.decision.reasons] == ["group_limit_exceeded"]
    shop.order("G1", "G", 130)
    assert shop.check("G1").hold, "the head is bound by the limit of its group, too"


def test_a_release_covers_growth_and_no_more(shop: Shop) -> None:
    shop.order("S1", "C1", 110)
    assert shop.check("S1").hold
    given = shop.release("S1", "wang.fang")
    assert (given.state, str(given.release and given.release.max_total)) == ("released", "115.50")
    shop.order("S1", "C1", "115.50")
    assert not shop.check("S1", "change").hold
    shop.order("S1", "C1", "115.51")
    again = shop.check("S1", "change")
    assert again.hold
    assert [r.rule for r in again.decision.reasons] == ["limit_exceeded", "release_outgrown"]
    assert shop.states() == {"S1": "expired"}
    assert shop.happened("S1") == ["held", "released", "expired"]


def test_beyond_the_bounds_of_one_two_people_release(shop: Shop) -> None:
    """The oldest item is 61 days late, which is red: two approvers are wanted."""
    shop.invoice("I1", "C1", 5, dt.date(2026, 9, 20))
    shop.order("S1", "C1", 130)
    shop.check("S1")
    assert shop.release("S1", "li.wei").state == "requested"
    with pytest.raises(ConfigError) as again:
        shop.release("S1", "li.wei")
    assert again.value.user.en == "Li Wei has approved it already: a second person is wanted."
    assert shop.release("S1", "zhao.min").state == "released"
    assert shop.happened("S1") == ["held", "approved", "released"]


def test_without_a_limit_all_exposure_is_the_excess_that_somebody_answers_for(shop: Shop) -> None:
    """Nobody ever gave N a limit. A credit controller answers for an excess of 50,000 at most, one approver for 500,000."""
    shop.policy = load("[hold.no_limit]\non = true")
    shop.customers(Customer(id="N", name="Nova", currency="CNY"), limits={})
    shop.invoice("I1", "N", 100_000, dt.date(2026, 12, 20))
    shop.order("S1", "N", 400_000)
    held = shop.check("S1")
    assert [reason.rule for reason in held.decision.reasons] == ["no_limit"]
    with pytest.raises(ConfigError) as refused:
        shop.release("S1", "wang.fang")
    assert refused.value.user.en == "This needs one approver; Wang Fang is a credit controller."
    assert shop.release("S1", "li.wei").state == "released", "500,000 in all"
    shop.order("S2", "N", 1)
    shop.check("S2")
    assert shop.release("S2", "li.wei").state == "requested", "500,001: two of them"


def test_a_release_ends_with_its_last_day(shop: Shop) -> None:
    shop.order("S1", "C1", 110)
    shop.check("S1")
    shop.release("S1", "wang.fang", valid_until=dt.date(2026, 11, 21))
    shop.run()
    shop.days(1)
    shop.run()
    assert shop.states() == {"S1": "released"}
    shop.days(1)
    shop.run()
    assert shop.states() == {"S1": "expired"}


def test_a_manual_hold_is_never_lifted_by_a_job(shop: Shop) -> None:
    shop.order("S1", "C1", 10)
    shop.check("S1")
    shop.hold("S1", "wang.fang")
    for _ in range(3):
        shop.days()
        shop.run()
        assert shop.check("S1", "release").hold
    assert shop.states() == {"S1": "held"}
    shop.hold("S1", "wang.fang", "the contract is here", lift=True)
    assert shop.states() == {"S1": "passed"}


def test_a_second_run_writes_nothing(shop: Shop) -> None:
    for number in range(4):
        shop.order(f"S{number}", "C1", 40)
    assert shop.run().counts["orders_turned"] == 2  # two are held; that the others pass is no news
    with shop.store.reading() as tx:
        before = audit.heads(tx)
    assert shop.run().counts["orders_turned"] == 0
    shop.check("S0", "release")
    shop.check("S3", "release")
    with shop.store.reading() as tx:
        assert audit.heads(tx) == before


def test_nobody_releases_what_he_sells_or_may_not(shop: Shop) -> None:
    shop.order("S1", "C1", 120, owner="u8")
    shop.check("S1")
    with pytest.raises(ConfigError) as refused:
        shop.release("S1", "he.ping")
    assert refused.value.user.en == "He Ping is the salesperson in charge: somebody else has to approve it."
    with pytest.raises(ConfigError):
        shop.release("S1", "chen.jie")
    with pytest.raises(ConfigError) as silent:
        shop.release("S1", "li.wei", "  ")
    assert silent.value.user.zh == "请填写理由：将记入审计日志。"
    assert shop.states() == {"S1": "held"}


def test_a_closed_order_that_opens_again_is_checked_anew(shop: Shop) -> None:
    shop.order("S1", "C1", 110)
    shop.check("S1")
    shop.release("S1", "wang.fang")
    shop.order("S1", "C1", 110, status="closed")
    shop.run()
    assert shop.states() == {"S1": "(released)"}
    shop.order("S1", "C1", 110)
    assert shop.check("S1", "reopen").hold, "the release does not outlive the order's end"
    assert shop.states() == {"S1": "held"}


def test_an_entry_only_warns_and_reserves_nothing(shop: Shop) -> None:
    shop.order("Q1", "C1", 90, status="draft")
    shop.order("Q2", "C1", 120, status="draft")
    warned = shop.check("Q2", "entry")
    assert not warned.hold
    assert [r.rule for r in warned.decision.reasons] == ["limit_exceeded"]
    assert shop.states() == {}
    shop.order("S1", "C1", 80)
    assert not shop.check("S1").hold, "a quote takes no credit"
    assert shop.check("Q1").hold


def test_a_release_takes_no_room_from_who_passed_before_and_counts_for_the_next(shop: Shop) -> None:
    shop.order("S1", "C1", 60)
    shop.check("S1")
    shop.order("S2", "C1", 50)
    shop.check("S2")
    shop.release("S2", "li.wei")
    shop.run()
    assert shop.states() == {"S1": "passed", "S2": "released"}
    shop.order("S3", "C1", 1)
    third = shop.check("S3")
    assert [r.numbers["exposure"] for r in third.decision.reasons] == ["111.00"]


def test_decisions_with_releases_and_exclusions_are_concluded_again(shop: Shop) -> None:
    for ref in ("S1", "S2", "S3"):
        shop.order(ref, "C1", 50)
    shop.run()
    shop.release("S3", "li.wei")
    shop.order("A1", "A", 190)
    shop.order("B1", "B", 150)
    shop.hold("S2", "wang.fang")
    shop.run()
    with shop.store.reading() as tx:
        found = recall.replay(tx, shop.config)
    assert found.same >= 4
    assert (found.other, found.unkept) == ([], [])
