"""The check of orders that are not there yet: judged as if they were, answered once, reserved, leaving no trace."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import ConfigError, HoldfastError, Missing
from connector.model import Customer
from connector.policy import Policy, default_policy
from connector.store import audit, reservations
from connector.store.db import Store
from connector.store.tables import metadata
from jobs.check import check_all
from jobs.check_answer import Answer
from jobs.check_asked import Asked, asked_of
from jobs.check_return import give_back
from jobs.check_there import Refusal
from tests.jobs.shop import Shop, config
from tests.store.conftest import emptied
from tests.store.conftest import shared_store as shared_store
from tests.store.conftest import store as store

ME = "person:chen.jie"


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    made = Shop(store, config(tmp_path))
    people = [
        Customer(id="C1", name="One", currency="CNY", tax_id="91310000X"),
        Customer(id="G", name="Group", currency="CNY"),
        Customer(id="A", name="A", currency="CNY", parent_id="G"),
        Customer(id="B", name="B", currency="CNY", parent_id="G"),
    ]
    made.customers(*people, limits={"C1": 1000, "G": 1500, "A": 900, "B": 900})
    return made


def asks(shop: Shop, *asked: Asked) -> list[Any]:
    return check_all(shop.store, shop.config, shop.policy, shop.clock, asked)


def ask(shop: Shop, customer: str, amount: Any, **more: Any) -> dict[str, Any]:
    found = asks(shop, Asked(customer, Decimal(amount), caller=ME, **more))[0]
    assert isinstance(found, Answer), found
    return found.body


def rows(shop: Shop) -> dict[str, int]:
    with shop.store.reading() as tx:
        return {
            t.name: tx.exec_driver_sql(f'SELECT count(*) FROM "{t.name}"').scalar() or 0 for t in metadata.sorted_tables
        }


def test_passes_up_to_the_limit_and_says_by_how_much_it_is_exceeded(shop: Shop) -> None:
    exact = ask(shop, "C1", "1000")
    assert (exact["result"], exact["reasons"], exact["credit"]["available"]) == ("pass", [], "1000.00")
    over = ask(shop, "C1", "1000.01")
    assert over["result"] == "hold"
    (reason,) = over["reasons"]
    assert reason["rule"] == "limit_exceeded"
    assert (reason["numbers"]["exposure"], reason["numbers"]["over_by"]) == ("1000.01", "0.01")
    assert "0.01" in reason["en"]
    assert "0.01" in reason["zh"]
    assert reason["en"] != reason["zh"]
    assert {one["kind"]: one["amount"] for one in over["remedies"]} == {"ship_part": "1000.00", "more_limit": "0.01"}
    assert over["valid_until"] == "2026-11-20T16:00:00Z", "midnight in Shanghai"


def test_each_check_is_told_in_the_trail_under_its_number(shop: Shop) -> None:
    answers = [a.body for a in asks(shop, *(Asked("C1", Decimal(n), caller=ME) for n in (10, 2000)))]
    with shop.store.reading() as tx:
        lines = {line.number: line.entry for line in audit.listing(tx, action="order.asked")}
        assert audit.verify(tx) == []
    assert [lines[a["audit"]].after["result"] for a in answers] == ["pass", "hold"]
    assert {e.actor for e in lines.values()} == {ME}
    assert {e.subject for e in lines.values()} == {"customer:books/C1"}
    assert lines[answers[1]["audit"]].after["reasons"][0]["rule"] == "limit_exceeded"


def test_a_customer_is_named_by_id_system_or_tax_number(shop: Shop) -> None:
    for word in ("C1", "books/C1", "91310000X"):
        assert ask(shop, word, 5)["customer"] == {"system": "books", "id": "C1", "name": "One"}
    (nobody,) = asks(shop, Asked("C9", Decimal(1), caller=ME))
    assert isinstance(nobody, Missing)
    assert "C9" in nobody.user.en
    assert "C9" in nobody.user.zh


def test_the_limit_of_the_group_binds(shop: Shop) -> None:
    shop.order("O1", "A", 900)
    shop.check("O1")
    body = ask(shop, "B", 601)
    assert [r["rule"] for r in body["reasons"]] == ["group_limit_exceeded"]
    assert body["reasons"][0]["numbers"]["over_by"] == "1.00"
    assert ask(shop, "B", 600)["result"] == "pass"


# --- keys -----------------------------------------------------------------------------------------------------------------
def test_the_same_key_gets_the_same_answer_to_the_byte(shop: Shop) -> None:
    question = Asked("C1", Decimal(700), key="k1", caller=ME)
    first = asks(shop, question)[0]
    shop.order("O1", "C1", 900)
    shop.check("O1")
    shop.clock.sleep(3600)
    again = asks(shop, question)[0]
    assert (again.text, again.replayed, first.replayed) == (first.text, True, False)
    other = asks(shop, Asked("C1", Decimal(701), key="k1", caller=ME))[0]
    assert isinstance(other, Refusal)
    somebody = asks(shop, Asked("C1", Decimal(701), key="k1", caller="app:webshop"))[0]
    assert somebody.body["result"] == "hold"
    assert not somebody.replayed, "keys belong to their caller"


def test_twins_in_one_group_are_one_question(shop: Shop) -> None:
    one = Asked("C1", Decimal(700), key="k1", caller=ME, minutes=10)
    first, twin, other = asks(shop, one, one, Asked("C1", Decimal(1), key="k1", caller=ME))
    assert first.text == twin.text
    assert twin.replayed
    assert not first.replayed
    assert isinstance(other, Refusal)
    with shop.store.reading() as tx:
        assert [len(v) for v in reservations.standing(tx, shop.clock.now()).values()] == [1]


# --- reservations ---------------------------------------------------------------------------------------------------------
def test_what_one_reserves_the_next_one_has_not(shop: Shop) -> None:
    first, second = asks(shop, *(Asked("C1", Decimal(600), caller=ME, minutes=15) for _ in range(2)))
    assert (first.body["result"], second.body["result"]) == ("pass", "hold")
    assert first.body["reservation"]["valid_until"] == "2026-11-20T04:15:00Z" == first.body["valid_until"]
    assert second.body["reservation"] is None
    assert second.body["reasons"][0]["numbers"]["exposure"] == "1200.00"
    assert ask(shop, "C1", 1)["credit"]["available"] == "400.00"
    shop.clock.sleep(15 * 60)
    assert ask(shop, "C1", 600)["result"] == "pass", "it has expired"


def test_an_order_of_the_store_does_not_get_what_is_reserved(shop: Shop) -> None:
    ask(shop, "C1", 600, minutes=60)
    shop.order("O1", "C1", 500)
    assert shop.check("O1").hold
    shop.run()
    assert shop.states() == {"O1": "held"}
    shop.clock.sleep(3600)
    shop.run()
    assert shop.states() == {"O1": "passed"}, "what was reserved is free again, and the next run sees it"


def test_a_reservation_within_a_group_binds_its_sisters(shop: Shop) -> None:
    ask(shop, "A", 800, minutes=15)
    body = ask(shop, "B", 701)
    assert [r["rule"] for r in body["reasons"]] == ["group_limit_exceeded"]
    assert body["credit"]["available"] == "700.00"


def test_a_reservation_is_given_back_by_its_own_caller(shop: Shop) -> None:
    body = ask(shop, "C1", 600, minutes=60)
    number = body["reservation"]["id"]
    shop.order("O1", "C1", 500)
    assert shop.check("O1").hold
    with pytest.raises(ConfigError):
        give_back(shop.store, shop.clock, number, "app:webshop")
    give_back(shop.store, shop.clock, number, ME)
    with pytest.raises(ConfigError):
        give_back(shop.store, shop.clock, number, ME)
    shop.run()
    assert shop.states() == {"O1": "passed"}


def test_the_order_itself_takes_the_place_of_its_reservation(shop: Shop) -> None:
    number = ask(shop, "C1", 600, minutes=60, order="books/SO1")["reservation"]["id"]
    shop.order("SO1", "C1", 600, status="draft")
    assert ask(shop, "C1", 401)["result"] == "hold", "a quote has not arrived yet"
    assert not shop.check("SO1").hold, "the credit that is reserved is its own"
    shop.order("SO1", "C1", 600)
    assert ask(shop, "C1", 400)["result"] == "pass"
    assert ask(shop, "C1", 401)["result"] == "hold", "it counts once"
    shop.run()
    with shop.store.reading() as tx:
        found = reservations.find(tx, number)
    assert found is not None
    assert found.ended == "arrived"


def test_an_order_that_is_there_is_checked_where_it_is(shop: Shop) -> None:
    shop.order("SO1", "C1", 1200, status="draft")
    body = ask(shop, "C1", 1200, order="SO1", key="k", minutes=5)
    assert (body["result"], body["order"], body["reservation"]) == ("hold", "books/SO1", None)
    assert shop.states() == {"SO1": "held"}
    again = asks(shop, Asked("C1", Decimal(1200), order="SO1", key="k", minutes=5, caller=ME))[0]
    assert again.replayed
    assert again.body == body
    (wrong,) = asks(shop, Asked("C1", Decimal(1), order="SO1", caller=ME))
    assert isinstance(wrong, ConfigError)
    assert "1200.00 CNY" in wrong.user.zh


# --- no trace -------------------------------------------------------------------------------------------------------------
def test_a_simulation_leaves_no_trace(shop: Shop) -> None:
    shop.order("SO1", "C1", 600, status="draft")
    before = rows(shop)
    assert ask(shop, "C1", 1001, simulate=True)["result"] == "hold"
    assert ask(shop, "C1", 600, order="SO1", simulate=True)["result"] == "pass"
    mixed = ask(shop, "C1", 1000, simulate=True)
    assert (mixed["audit"], mixed["reservation"], mixed["simulated"]) == (None, None, True)
    assert rows(shop) == before
    asks(shop, Asked("C1", Decimal(1), caller=ME), Asked("C1", Decimal(1), caller=ME, simulate=True))
    assert rows(shop)["audit"] == before["audit"] + 1, "beside one that is none, too"


# --- as if it were there --------------------------------------------------------------------------------------------------
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"exposure": {"order_horizon_days": 20}},
    {"hold": {"order_value": {"on": True, "above_amount": "300"}, "no_limit": {"on": True}}},
    {"hold": {"used_share": {"on": True, "above_percent": "80"}, "terms_worsened": {"on": True}}},
    {"hold": {"limit_exceeded": {"tolerance_percent": "10"}, "points": {"confirmation": "warn"}}},
    {"exposure": {"ordered_not_delivered": False}},
)


def changed(policy: Policy, other: dict[str, Any]) -> Policy:
    whole = policy.model_dump()
    for section, values in other.items():
        for name, value in values.items():
            if isinstance(value, dict):
                whole[section][name] |= value
            else:
                whole[section][name] = value
    return Policy.model_validate(whole)


orders_there = st.lists(
    st.tuples(st.sampled_from("ABGC"), st.integers(1, 700), st.integers(-5, 40), st.booleans(), st.booleans()),
    max_size=5,
)
asked_for = st.tuples(
    st.sampled_from("ABGC"),
    st.integers(1, 120_000),
    st.one_of(st.none(), st.integers(-2, 40)),
    st.sampled_from([None, "net30", "net90"]),
    st.sampled_from(["entry", "confirmation", "release", "delivery"]),
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(orders=orders_there, question=asked_for, other=st.sampled_from(POLICIES), late=st.integers(0, 60))
def test_the_answer_is_what_the_same_order_would_get_in_the_store(
    shared_store: Store, tmp_path_factory: pytest.TempPathFactory, orders: Any, question: Any, other: Any, late: int
) -> None:
    emptied(shared_store)
    shop = Shop(shared_store, config(tmp_path_factory.getbasetemp()), changed(default_policy(), other))
    people = [
        Customer(id=ref, name=ref, currency="CNY", terms="net30", parent_id="G" if ref in "AB" else None)
        for ref in "ABGC"
    ]
    shop.customers(*people, limits={"G": 1500, "A": 900, "B": 900})
    shop.invoice("I1", "A", 100, shop.today - dt.timedelta(days=late))
    for at, (whose, amount, days, draft, checked) in enumerate(orders):
        ship_on = shop.today + dt.timedelta(days=days)
        shop.order(f"O{at}", whose, amount, ship_on=ship_on, status="draft" if draft else "open")
        if checked:
            shop.check(f"O{at}")
    whose, cents, days, terms, point = question
    ship_on = None if days is None else shop.today + dt.timedelta(days=days)
    amount = Decimal(cents).scaleb(-2)
    said = ask(shop, whose, amount, ship_on=ship_on, terms=terms, point=point, simulate=True)
    shop.order("NEW", whose, amount, ship_on=ship_on, terms=terms, status="draft", ordered_on=shop.today)
    done = shop.check("NEW", point)
    assert [r["rule"] for r in said["reasons"]] == [r.rule for r in done.decision.reasons]
    assert [r["numbers"] for r in said["reasons"]] == [r.numbers for r in done.decision.reasons]
    assert [r["rule"] for r in said["warnings"]] == [r.rule for r in done.decision.warnings]
    assert (said["result"] == "hold") == done.hold


# --- what is wrong with a question ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "JSON"),
        ({"amount": "1"}, "customer"),
        ({"customer": ""}, "customer"),
        ({"customer": "C1"}, "amount"),
        ({"customer": "C1", "amount": 5}, "amount"),
        ({"customer": "C1", "amount": 5.5}, "amount"),
        ({"customer": "C1", "amount": "1e5"}, "amount"),
        ({"customer": "C1", "amount": "NaN"}, "amount"),
        ({"customer": "C1", "amount": "1,000"}, "amount"),
        ({"customer": "C1", "amount": "0"}, "amount"),
        ({"customer": "C1", "amount": "-1"}, "amount"),
        ({"customer": "C1", "amount": "9" * 40}, "amount"),
        ({"customer": "C1", "amount": "1", "lines": []}, "lines"),
        ({"customer": "C1", "lines": []}, "lines"),
        ({"customer": "C1", "lines": [{"amount": "x"}]}, "lines[0].amount"),
        ({"customer": "C1", "lines": [{"quantity": "1"}]}, "lines"),
        ({"customer": "C1", "lines": [{"amount": "1"}, {"prize": "1"}]}, "lines[1].prize"),
        ({"customer": "C1", "amount": "1", "currency": "yuan"}, "currency"),
        ({"customer": "C1", "amount": "1", "ship_date": "2026-02-30"}, "ship_date"),
        ({"customer": "C1", "amount": "1", "ship_date": "20260228"}, "ship_date"),
        ({"customer": "C1", "amount": "1", "point": "later"}, "point"),
        ({"customer": "C1", "amount": "1", "reserve": "yes"}, "reserve"),
        ({"customer": "C1", "amount": "1", "reserve_minutes": 5}, "reserve_minutes"),
        ({"customer": "C1", "amount": "1", "reserve": True, "reserve_minutes": 1441}, "reserve_minutes"),
        ({"customer": "C1", "amount": "1", "reserve": True, "reserve_minutes": True}, "reserve_minutes"),
        ({"customer": "C1", "amount": "1", "simulate": True, "key": "k"}, "simulate"),
        ({"customer": "C1", "amount": "1", "custommer": "x"}, "custommer"),
        ({"customer": "C1\n", "amount": "1"}, "customer"),
    ],
)
def test_a_mistake_is_named_with_its_field_in_both_languages(body: Any, words: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        asked_of(body, ME)
    assert words in wrong.value.user.en
    assert words in wrong.value.user.zh
    assert any("\u4e00" <= c <= "\u9fff" for c in wrong.value.user.zh)


def test_lines_are_added_exactly() -> None:
    lines = [{"amount": "0.1"}, {"quantity": "3", "price": "33.333", "tax_percent": "13"}, {"amount": "0.2"}]
    assert asked_of({"customer": "C1", "lines": lines}, ME).amount == Decimal("113.29887")


def test_one_bad_question_does_not_harm_the_others(shop: Shop) -> None:
    good, bad, last = asks(
        shop,
        Asked("C1", Decimal(1), caller=ME),
        Asked("nobody", Decimal(1), caller=ME),
        Asked("A", Decimal(1), caller=ME),
    )
    assert good.body["result"] == last.body["result"] == "pass"
    assert isinstance(bad, HoldfastError)
