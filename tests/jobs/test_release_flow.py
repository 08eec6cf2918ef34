"""The flow of a release: who asks never decides, who may not is written down, and nothing stands twice."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connector.errors import ConfigError, NotAllowed
from connector.model import Customer
from connector.store import audit, customers
from connector.store.db import Store
from jobs.exclusion import exclude
from tests.jobs.shop import Shop, config
from tests.store.conftest import store as store

DAY = dt.date.fromisoformat


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    """C1 with a limit of 100, whose salesman is u7 (Chen Jie)."""
    made = Shop(store, config(tmp_path))
    made.customers(Customer(id="C1", name="Crane Ltd", currency="CNY", owner="u7"), limits={"C1": 100})
    return made


def refused(shop: Shop, who: str, ref: str = "S1") -> str:
    with pytest.raises(NotAllowed) as wrong:
        shop.release(ref, who)
    return wrong.value.user.en


def red(shop: Shop) -> None:
    """61 days late: two approvers are wanted."""
    shop.invoice("I1", "C1", 5, DAY("2026-09-20"))


def test_who_asked_is_not_one_of_the_two(shop: Shop) -> None:
    red(shop)
    shop.order("S1", "C1", 130)
    shop.check("S1")
    _, people = shop.request("S1", "li.wei")
    assert [p.id for p in people] == ["zhao.min", "he.ping"]
    assert refused(shop, "li.wei") == "Li Wei asked for it: somebody else has to approve it."
    assert shop.release("S1", "zhao.min").state == "requested"
    assert refused(shop, "li.wei") == "Li Wei asked for it: somebody else has to approve it."
    assert shop.release("S1", "he.ping").state == "released"


def test_who_asked_first_stays_one_who_asked(shop: Shop) -> None:
    shop.order("S1", "C1", 130)
    shop.check("S1")
    shop.request("S1", "li.wei")
    shop.request("S1", "chen.jie", "I want it, too")
    assert refused(shop, "li.wei") == "Li Wei asked for it: somebody else has to approve it."
    shop.refuse("S1", "zhao.min")
    # With the refusal that request is over.
    shop.request("S1", "chen.jie")
    assert shop.release("S1", "li.wei").state == "released"


def test_asking_again_keeps_what_one_has_approved_a_larger_order_does_not(shop: Shop) -> None:
    red(shop)
    shop.order("S1", "C1", 130)
    shop.check("S1")
    shop.release("S1", "li.wei")
    shop.request("S1", "chen.jie")
    assert refused(shop, "li.wei") == "Li Wei has approved it already: a second person is wanted."
    shop.order("S1", "C1", 135)
    shop.run()
    assert shop.release("S1", "zhao.min").state == "requested", "Li Wei has approved 130, not 135"
    assert shop.release("S1", "li.wei").state == "released"


def test_an_attempt_without_authority_is_written_down_and_changes_nothing(shop: Shop) -> None:
    shop.order("S1", "C1", 130)
    shop.check("S1")
    before = shop.happened("S1")
    refused(shop, "chen.jie")
    for attempt in (shop.refuse, shop.hold):
        with pytest.raises(NotAllowed):
            attempt("S1", "chen.jie", "it is mine")
    with shop.store.reading() as tx:
        lines = audit.listing(tx, action="order.denied")
        assert audit.verify(tx) == []
    told = [(line.entry.subject, line.entry.actor, line.entry.after["attempt"]) for line in reversed(lines)]
    assert told == [("order:books/S1", "person:chen.jie", attempt) for attempt in ("release", "refuse", "hold")]
    assert lines[-1].entry.after["en"] == "Chen Jie is the salesperson in charge: somebody else has to approve it."
    assert (shop.happened("S1"), shop.states()) == (before, {"S1": "held"})


def test_an_exclusion_stands_once(shop: Shop) -> None:
    with shop.store.reading() as tx:
        debtor = next(row.debtor for row in customers.customers(tx) if row.ref == "C1")

    def ask(rules: tuple[str, ...], until: dt.date | None) -> int:
        return exclude(
            shop.store, shop.config, shop.policy, shop.clock, shop.person("li.wei"), effect="exclude", why="agreed",
            scope="customer", debtor=debtor, rules=rules, valid_to=until,
        )  # fmt: skip

    with pytest.raises(NotAllowed):
        exclude(
            shop.store, shop.config, shop.policy, shop.clock, shop.person("chen.jie"), effect="release", why="mine",
            scope="customer", debtor=debtor,
        )  # fmt: skip
    with shop.store.reading() as tx:
        (line,) = audit.listing(tx, action="order.denied")
    assert (line.entry.subject, line.entry.actor, line.entry.after["attempt"]) == (
        f"debtor:{debtor}", "person:chen.jie", "exclusion.release",
    )  # fmt: skip
    first = ask(("oldest_overdue", "limit_exceeded"), DAY("2026-12-20"))
    with pytest.raises(ConfigError) as twice:
        ask(("oldest_overdue",), DAY("2026-12-20"))
    assert twice.value.user.en == (
        f"The same stands already: exclusion {first}, by li.wei, until 2026-12-20. End it first to change it: "
        f"holdfast order exclusions --end {first}"
    )
    assert twice.value.user.zh.startswith(f"相同的例外已存在：例外 {first}（li.wei，截止 2026-12-20）")
    # What goes further is no repetition.
    assert ask(("oldest_overdue",), DAY("2026-12-21")) == first + 1
    assert ask(("overdue_amount",), DAY("2026-12-20")) == first + 2
