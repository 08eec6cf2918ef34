"""What order checks keep between rounds never changes an answer: whatever happens in between, on both databases."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.credit.exclusion import Exclusion
from connector.errors import ConfigError, HoldfastError
from connector.model import Customer
from connector.store import asked as questions
from connector.store import audit, concerns, customers, exclusions, marks
from connector.store.audit import Entry
from connector.store.db import Store
from jobs import check_bench, judge_orders
from jobs.check import check_all
from jobs.check_ahead import read_ahead
from jobs.check_answer import Answer
from jobs.check_asked import Asked
from jobs.check_kept import Kept
from jobs.check_return import give_back
from tests.jobs.shop import Shop, config
from tests.store import watched
from tests.store.conftest import store as store

ME = "app:webshop"
LIMITS = {"C1": 1000, "C2": 700, "G": 1500, "A": 900, "B": 900}
_SAID = ("audit", "simulated", "reservation", "valid_until", "at")


@pytest.fixture
def shop(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    if watched.watch_store(store):
        monkeypatch.setattr(concerns, "note", watched.checking(concerns.note))
    made = Shop(store, config(tmp_path))
    people = [Customer(id=ref, name=ref, currency="CNY", parent_id="G" if ref in "AB" else None) for ref in LIMITS]
    made.customers(*people, limits=LIMITS)
    return made


@pytest.fixture
def kept(store: Store) -> Iterator[Kept]:
    seat = store.seat()
    yield Kept(seat)
    seat.close()


def asks(shop: Shop, kept: Kept | None, *asked: Asked) -> list[Any]:
    return check_all(shop.store, shop.config, shop.policy, shop.clock, asked, (), kept)


def ask(shop: Shop, kept: Kept | None, customer: str, amount: Any, **more: Any) -> dict[str, Any]:
    (found,) = asks(shop, kept, Asked(customer, Decimal(amount), caller=ME, **more))
    assert isinstance(found, Answer), found
    return found.body


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Who was judged, round by round."""
    seen: list[set[int]] = []
    usual = check_bench.Bench.__init__

    def counted(self: Any, *args: Any, **more: Any) -> None:
        usual(self, *args, **more)
        seen.append(set(self.judged))

    monkeypatch.setattr(check_bench.Bench, "__init__", counted)
    return seen


def test_a_customer_is_judged_once_while_nobody_else_writes(shop: Shop, kept: Kept, judged: list[set[int]]) -> None:
    for amount in (10, 2000, 300):
        ask(shop, kept, "C1", amount)
    ask(shop, kept, "A", 5)
    ask(shop, kept, "B", 5)
    assert [len(one) for one in judged] == [1, 3], "the group is judged together"
    ask(shop, None, "C2", 1)  # somebody else, of whom it is known that he changes nothing
    ask(shop, kept, "C1", 1)
    assert [len(one) for one in judged] == [1, 3, 1]
    with shop.store.writing() as tx:  # of which nobody says whom it concerns
        audit.append(tx, [Entry("test.wrote", "test:1", "person:x")], shop.clock.now())
    ask(shop, kept, "C1", 1)
    assert [len(one) for one in judged] == [1, 3, 1, 1]


def test_only_those_are_forgotten_whom_it_concerns(shop: Shop, kept: Kept, judged: list[set[int]]) -> None:
    shop.run()
    everybody = ("C1", "C2", "A", "B", "G")

    def anew() -> list[str]:
        """Who is judged anew when everybody is asked of."""
        judged.clear()
        for customer in everybody:
            ask(shop, kept, customer, 1)
        with shop.store.reading() as tx:
            name_of = {row.debtor: row.ref for row in customers.customers(tx)}
        return sorted(name_of[debtor] for one in judged for debtor in one)

    assert anew() == sorted(everybody)
    assert anew() == []
    shop.invoice("I1", "C1", 50, shop.today)
    assert anew() == ["C1"]
    shop.run()
    assert anew() == ["C1"], "it was evaluated, and nobody else"
    shop.run()
    assert anew() == []
    shop.order("O1", "B", 100)
    assert anew() == ["A", "B", "G"], "a group is judged together"
    shop.order("O1", "C2", 100)
    assert anew() == ["A", "B", "C2", "G"], "whose order it was, and whose it is"
    shop.check("O1")
    assert anew() == ["C2"]
    assert ask(shop, None, "C1", 5, minutes=5)["reservation"]
    assert anew() == ["C1"]
    assert anew() == ["C1"], "what is reserved is never kept"
    shop.say("customers", Customer(id="C2", name="C2", currency="CNY", parent_id="G"))
    assert anew() == ["A", "B", "C1", "C2", "G"], "the group that it comes to, too"
    shop.say("customers", Customer(id="A", name="A", currency="CNY"))
    assert anew() == ["A", "B", "C1", "C2", "G"], "and the group that it leaves"
    assert anew() == ["C1"]
    shop.fresh()
    assert anew() == ["C1"], "what was read again and is as it was concerns nobody"


def test_who_was_asked_of_longest_ago_is_forgotten_first(
    shop: Shop, kept: Kept, judged: list[set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.most = 4
    for customer in ("C1", "A", "C1", "C2"):
        ask(shop, kept, customer, 1)
    assert [len(one) for one in judged] == [1, 3, 1]
    ask(shop, kept, "C1", 1)
    ask(shop, kept, "C2", 1)
    assert len(judged) == 3
    ask(shop, kept, "B", 1)
    assert [len(one) for one in judged] == [1, 3, 1, 3]


def test_reserved_credit_is_never_kept(shop: Shop, kept: Kept) -> None:
    assert ask(shop, kept, "A", 600)["result"] == "pass"
    assert ask(shop, kept, "A", 600, minutes=10)["result"] == "pass"
    assert ask(shop, kept, "A", 600)["result"] == "hold"
    assert ask(shop, kept, "B", 900)["credit"]["available"] == "900.00"
    shop.clock.sleep(11 * 60)
    assert ask(shop, kept, "A", 600)["result"] == "pass", "it has ended by itself, and nobody has written anything"


def test_data_become_too_old_by_themselves(shop: Shop, kept: Kept) -> None:
    assert ask(shop, kept, "C1", 10)["result"] == "pass"
    hours = shop.policy.data.stale_after_hours
    shop.clock.sleep(hours * 3600)
    assert ask(shop, kept, "C1", 10)["result"] == "pass"
    shop.clock.sleep(1)
    assert [r["rule"] for r in ask(shop, kept, "C1", 10)["reasons"]] == ["stale_data"]


def test_another_policy_counts_at_once(shop: Shop, kept: Kept) -> None:
    assert ask(shop, kept, "C1", 1001)["result"] == "hold"
    hold = shop.policy.hold
    shop.policy = shop.policy.model_copy(
        update={"hold": hold.model_copy(update={"points": hold.points.model_copy(update={"confirmation": "none"})})}
    )
    assert ask(shop, kept, "C1", 1001)["result"] == "pass"


def test_another_mapping_file_counts_at_once(shop: Shop, kept: Kept, judged: list[set[int]]) -> None:
    from connector import mapping

    path = shop.config.root / "books.toml"
    path.write_text(mapping.shipped("files"), encoding="utf-8")
    system = shop.config.systems[0].model_copy(update={"mapping": "books.toml"})
    shop.config = shop.config.model_copy(update={"systems": (system,)})
    ask(shop, kept, "C1", 1)
    before = len(judged)
    path.write_text(mapping.shipped("files") + "\n# changed\n", encoding="utf-8")
    ask(shop, kept, "C1", 1)
    assert len(judged) == before + 1


def test_while_somebody_writes_the_judging_is_done(shop: Shop, kept: Kept, judged: list[set[int]]) -> None:
    if shop.store.engine.dialect.name != "sqlite":
        pytest.skip("on PostgreSQL nobody waits for a writer")
    for minutes, judged_before in ((None, True), (5, False)):
        found: list[Any] = []
        asked = Asked("C1", Decimal(400), caller=ME, minutes=minutes, key=f"k{minutes}")
        asking = threading.Thread(target=lambda asked=asked, found=found: found.extend(asks(shop, kept, asked)))
        with shop.store.writing() as tx:
            marks.touch(tx, [99])
            judged.clear()
            asking.start()
            until = time.monotonic() + (20 if judged_before else 0.3)
            while not judged and time.monotonic() < until:
                time.sleep(0.01)
            assert bool(judged) == judged_before, "credit is never taken by what was read before the turn"
            assert not found, "the answer waits for its line in the audit trail"
        asking.join(20)
        assert found[0].body["result"] == "pass"
    assert ask(shop, kept, "C1", 601)["result"] == "hold", "the reservation counts"
    (again,) = asks(shop, kept, Asked("C1", Decimal(400), caller=ME, key="kNone"))
    assert again.replayed


def test_of_two_with_one_key_one_is_told_what_the_other_was(shop: Shop, kept: Kept) -> None:
    """The key is free when the question is judged, and used when its answer is to be kept."""
    if shop.store.engine.dialect.name != "sqlite":
        pytest.skip("on PostgreSQL nobody waits for a writer")
    asked = Asked("C1", Decimal(400), caller=ME, key="k")
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.extend(asks(shop, kept, asked)))
    text = '{"result":"pass","said":"before"}'
    with shop.store.writing() as tx:
        asking.start()
        time.sleep(0.2)
        assert questions.remember(tx, [(ME, "k", asked.sha, text)], shop.clock.now())
    asking.join(20)
    assert (found[0].text, found[0].replayed) == (text, True)


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_those_of_one_who_keeps_nothing(shop: Shop, kept: Kept, seed: int) -> None:
    rng = random.Random(seed)
    if seed % 2:
        hold = shop.policy.hold
        strict = hold.warning_level.model_copy(update={"on": True})
        shop.policy = shop.policy.model_copy(update={"hold": hold.model_copy(update={"warning_level": strict})})
    orders, reserved, repeated = 0, list[int](), 0
    who = sorted(LIMITS)

    def order() -> None:
        nonlocal orders
        orders += 1
        shop.order(f"O{orders}", rng.choice(who), rng.randrange(50, 600))
        if rng.random() < 0.5:
            shop.check(f"O{orders}")

    def let_go() -> None:
        held = [ref for ref, state in shop.states().items() if state in ("held", "requested")]
        if held:
            with contextlib.suppress(HoldfastError):  # more than he may
                shop.release(rng.choice(held), "li.wei")

    def by_hand() -> None:
        standing = [ref for ref, state in shop.states().items() if state in ("passed", "released")]
        if standing:
            shop.hold(rng.choice(standing), "wang.fang")

    def moved() -> None:
        if orders:
            shop.order(f"O{rng.randrange(orders) + 1}", rng.choice(who), rng.randrange(50, 600))

    def group() -> None:
        ref = rng.choice([x for x in who if x != "G"])
        shop.say("customers", Customer(id=ref, name=ref, currency="CNY", parent_id=rng.choice(["G", None])))

    def limit() -> None:
        shop.say("limits", shop.limit(rng.choice(who), rng.randrange(300, 2000)))

    def invoice() -> None:
        late = dt.timedelta(days=rng.choice([0, 0, 10, 40]))
        shop.invoice(f"I{rng.random()}", rng.choice(who), rng.randrange(10, 300), shop.today - late)

    def reserve() -> None:
        by = rng.choice([kept, None])
        body = ask(shop, by, rng.choice(who), rng.randrange(50, 500), minutes=rng.choice([5, 60]))
        if body["reservation"] is not None:
            reserved.append(body["reservation"]["id"])

    def give() -> None:
        if reserved:
            with contextlib.suppress(ConfigError):  # it may have ended by itself
                give_back(shop.store, shop.clock, reserved.pop(), ME, anybodys=True)

    def exclude() -> None:
        with shop.store.writing() as tx:
            one = Exclusion(0, "all", "hold", frozenset(), "audit week", "person:x", shop.today, shop.today)
            exclusions.add(tx, one, shop.clock.now())

    def later() -> None:
        shop.clock.sleep(rng.choice([60, 600, 7200]))

    def next_day() -> None:
        shop.days()

    def run() -> None:
        shop.run()

    often = [order, reserve, later]
    happens: list[Callable[[], None]] = [
        *often,
        *often,
        let_go,
        by_hand,
        moved,
        group,
        limit,
        invoice,
        give,
        next_day,
        run,
        run,
    ]
    for step in range(100):
        if step > 3 and rng.random() < 0.5:
            rng.choice(happens)()
        else:
            repeated += 1
        if step == 30:
            exclude()
        asked = [
            Asked(
                rng.choice(who), Decimal(rng.randrange(1, 1200)), caller=ME, point=rng.choice(["confirmation", "entry"])
            )
            for _ in range(rng.randrange(1, 4))
        ]
        fresh = asks(shop, None, *(replace(one, simulate=True) for one in asked))
        for mine, new in zip(asks(shop, kept, *asked), fresh, strict=True):
            for name in new.body:
                if name not in _SAID:
                    assert mine.body[name] == new.body[name], (seed, step, name)
    assert repeated > 10


# --- reading ahead ----------------------------------------------------------------------------------------------------
def ahead(shop: Shop, kept: Kept, count: int = 2) -> list[int]:
    """Reads ahead until nothing is left; how many at a time."""
    found = []
    while read := read_ahead(shop.config, shop.policy, shop.clock, kept, count):
        found.append(read)
        assert len(found) < 20, "it comes to an end"
    return found


def test_whom_nobody_has_asked_of_is_read_ahead_once(shop: Shop, kept: Kept, judged: list[set[int]]) -> None:
    assert sum(ahead(shop, kept)) <= len(LIMITS)
    assert {debtor for one in judged for debtor in one} == set(kept._benches)
    assert len(kept._benches) == len(LIMITS)
    judged.clear()
    for customer in LIMITS:
        for amount in (10, 5000):
            mine, new = ask(shop, kept, customer, amount), ask(shop, None, customer, amount, simulate=True)
            assert {name: mine[name] for name in mine if name not in _SAID} == {
                name: new[name] for name in new if name not in _SAID
            }
    assert len(judged) == 2 * len(LIMITS), "only those who keep nothing have judged"
    assert ahead(shop, kept) == []


def test_nothing_of_a_customer_is_left_for_the_first_question(
    shop: Shop, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.order("SO1", "A", 100)
    new = [ask(shop, None, customer, 20, simulate=True) for customer in LIMITS]
    ahead(shop, kept)

    def again(*_: object) -> object:
        raise AssertionError("it was worked out ahead")

    monkeypatch.setattr(check_bench, "credit_told", again)
    monkeypatch.setattr(judge_orders, "Queue", again)
    for customer, expected in zip(LIMITS, new, strict=True):
        mine = ask(shop, kept, customer, 20)
        assert {name: mine[name] for name in mine if name not in _SAID} == {
            name: expected[name] for name in expected if name not in _SAID
        }


def test_who_was_forgotten_is_read_again_where_anybody_has_asked_of_it(
    shop: Shop, kept: Kept, judged: list[set[int]]
) -> None:
    ahead(shop, kept)
    ask(shop, kept, "C1", 10)
    shop.invoice("I1", "C2", 5, shop.today)
    judged.clear()
    assert ahead(shop, kept) == [1]
    assert [len(one) for one in judged] == [1], "whom it concerned"
    with shop.store.writing() as tx:  # of which nobody says whom it concerns
        marks.touch(tx, [99])
    judged.clear()
    assert ahead(shop, kept) == [1]
    ask(shop, kept, "C1", 10)
    assert [len(one) for one in judged] == [1]


def test_reserved_credit_is_not_read_ahead_again_and_again(shop: Shop, kept: Kept) -> None:
    ask(shop, kept, "A", 5, minutes=10)
    ask(shop, kept, "C1", 5)
    assert sum(ahead(shop, kept, 50)) >= 3
    assert ahead(shop, kept) == []
    assert len(kept._benches) == 2, "C1 and C2"
    shop.invoice("I1", "A", 5, shop.today)
    ahead(shop, kept)
    assert ahead(shop, kept) == []


def test_no_more_are_read_ahead_than_there_is_room(shop: Shop, kept: Kept) -> None:
    kept.most = 2
    ahead(shop, kept, 1)
    assert kept._count <= 4, "a group is read together"
    assert ahead(shop, kept) == []
    kept.most = 0
    kept.clear()
    assert ahead(shop, kept) == []
    assert ask(shop, kept, "C1", 5)["result"] == "pass"
    assert kept._count == 0
    assert not kept._benches
