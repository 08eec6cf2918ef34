"""What waits at the desk, asked of a store of each kind: reviews a page at a time, and dunning nobody has followed up."""

from __future__ import annotations

import datetime as dt

from connector.credit.review import Seen
from connector.store import customer_list, desk_waits, known, reviews
from connector.store.db import Store
from connector.store.tables import contact, customer, decision, dunning_step, link, standing, system, utc

TODAY = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)


def day(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


def planned(store: Store, *days: int) -> None:
    """Reviews of debtors 1, 2, … that are due so many days from today."""
    with store.writing() as tx:
        rows = [(n, day(one), "class", Seen()) for n, one in enumerate(days, 1)]
        reviews.plan(tx, rows, NOW)


def test_reviews_come_a_page_at_a_time_the_soonest_first(store: Store) -> None:
    planned(store, 3, -5, 40, 3, -1, 30)
    with store.reading() as tx:
        first = desk_waits.reviews_due(tx, day(30), most=2)
        assert [one.debtor for one in first] == [2, 5]
        last = first[-1]
        then = desk_waits.reviews_due(tx, day(30), after=(last.due_on, last.id), most=2)
        assert [one.debtor for one in then] == [1, 4]
        rest = desk_waits.reviews_due(tx, day(30), after=(then[-1].due_on, then[-1].id))
        assert [one.debtor for one in rest] == [6]
        assert [one.debtor for one in desk_waits.reviews_due(tx, day(30), before=TODAY)] == [2, 5]
        assert [one.debtor for one in desk_waits.reviews_due(tx, day(30), among={4, 3})] == [4]
        assert desk_waits.review_counts(tx, day(30), TODAY) == {"planned": 5, "started": 0, "proposed": 0, "late": 2}


def test_what_is_begun_is_there_however_late_it_is_due_and_what_is_done_is_not(store: Store) -> None:
    planned(store, 90, -3)
    with store.writing() as tx:
        one = reviews.open_reviews(tx, [1])[1]
        reviews.start(tx, one.id, "wang.fang", {}, NOW)
        reviews.finish(tx, reviews.open_reviews(tx, [2])[2].id, TODAY, NOW)
    with store.reading() as tx:
        (found,) = desk_waits.reviews_due(tx, day(30))
        assert (found.debtor, found.state, found.reviewer) == (1, "started", "wang.fang")
        assert desk_waits.review_counts(tx, day(30), TODAY)["started"] == 1
        assert desk_waits.reviews_due(tx, day(30), states={"planned"}) == []


def _customers(store: Store, *names: str) -> None:
    with store.writing() as tx:
        tx.execute(system.insert().values(id=1, name="books"))
        for key, name in enumerate(names, 1):
            row = {"id": key, "system": 1, "ref": f"C{key}", "name": name, "known": True, "tax_id": f"T{key}"}
            tx.execute(customer.insert().values(**row, segment="north" if key % 2 else None))
            tx.execute(link.insert().values(customer=key, debtor=key * 10, how="alone"))


def test_dunning_waits_until_somebody_has_spoken_with_the_customer(store: Store) -> None:
    _customers(store, "A", "B", "C", "D")
    with store.writing() as tx:

        def step(key: int, on: dt.date, level: int, what: str = "step", channel: str | None = "phone") -> None:
            row = {"system": 1, "document_ref": "I", "part": "", "customer": key, "as_of": on, "made_at": utc(NOW)}
            tx.execute(
                dunning_step.insert().values(
                    **row, what=what, level=level, channel=channel, currency="CNY", open_value=100
                )
            )

        def said(key: int, on: dt.date) -> None:
            row = {"customer": key, "on": on, "kind": "phone", "note": "", "actor": "person:x", "made_at": utc(NOW)}
            tx.execute(contact.insert().values(**row))

        step(1, day(-3), 1)
        step(1, day(-3), 2)
        step(2, day(-3), 1)
        said(2, day(-3))
        step(3, day(-30), 3)
        step(4, day(-2), 1)
        said(4, day(-9))
        step(4, day(-1), 0, "settled", None)
    with store.reading() as tx:
        found = desk_waits.steps_to_take(tx, day(-14))
    assert [(one.debtor, one.level, one.channel, one.on) for one in found] == [
        (10, 2, "phone", day(-3)),
        (40, 1, "phone", day(-2)),
    ]


def test_customers_are_found_by_number_tax_number_or_words_in_the_order_of_their_names(store: Store) -> None:
    _customers(store, "Zhang & Söhne", "apple 100%", "Apple_pie", "100 years")
    with store.reading() as tx:
        assert customer_list.debtors(tx, ["books"]) == [40, 20, 30, 10]
        assert customer_list.debtors(tx, ["books"], "apple") == [20, 30]
        assert customer_list.debtors(tx, ["books"], "100%") == [20]
        assert customer_list.debtors(tx, ["books"], "e_p") == [30]
        assert customer_list.debtors(tx, ["books"], "T4") == [40]
        assert customer_list.debtors(tx, ["books"], "C1") == [10]
        assert customer_list.debtors(tx, ["books"], segment="north") == [30, 10]
        assert customer_list.debtors(tx, ["other"]) == []
        assert customer_list.segments(tx, ["books"]) == ["north"]


def test_any_new_decision_is_another_state_whichever_number_it_has(store: Store) -> None:
    def decided(debtor: int, number: int) -> None:
        with store.writing() as tx:
            row = {"as_of": TODAY, "made_at": utc(NOW), "policy_version": "p", "digest": "d", "body": b""}
            tx.execute(decision.insert().values(id=number, debtor=debtor, **row))
            there = tx.execute(standing.update().where(standing.c.debtor == debtor).values(decision=number)).rowcount
            if not there:
                more = {"digest": "d", "evaluated_on": TODAY, "evaluated_at": utc(NOW)}
                tx.execute(standing.insert().values(debtor=debtor, decision=number, **more))

    seen = []
    for debtor, number in ((1, 5), (2, 4), (1, 6)):
        decided(debtor, number)
        with store.reading() as tx:
            seen.append(customer_list.state(tx))
    assert len(set(seen)) == 3
    with store.reading() as tx:
        assert sorted(customer_list.standings(tx)) == [(1, 6), (2, 4)]
        assert known.count(tx, [1, 2], TODAY, 10) == 0
