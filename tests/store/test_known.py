"""What was known when a decision was made is known again, whatever was posted back, changed or removed since."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from connector.credit.limit import NO_LIMIT
from connector.credit.moved import Movement, Seen, figures, restate, walk
from connector.credit.moved_figures import Ledger
from connector.credit.position import position
from connector.credit.rates import Rates
from connector.model import Application, Customer, Document, Instalment, Payment, Rate
from connector.policy import Policy, default_policy
from connector.store import amendments, decisions, known, positions
from connector.store.db import Store
from connector.store.tables import amendment, customer
from tests.store.books import DAY0, NOW, Book, books, load, save, turning_days
from tests.store.conftest import emptied

POLICY = default_policy()
DAY = dt.date(2026, 7, 1)
RATES = Rates(
    [Rate(on=DAY0, from_currency=c, to_currency="CNY", rate=Decimal(r)) for c, r in (("USD", "7.1"), ("JPY", "0.05"))],
    "CNY",
    10_000,
)


def keys(tx: Connection, *refs: str) -> list[int]:
    c = customer.c
    return sorted(tx.execute(select(c.id).where(c.ref.in_(refs))).scalars())


def decide(tx: Connection) -> amendments.Upto:
    """Some decision, so that there is something to amend; and how far the facts went."""
    decisions.conclude(tx, 1, as_of=DAY, made_at=NOW, policy_version="p", digest=str(NOW), body={})
    return amendments.upto(tx)


def replace(store: Store, book: Book) -> None:
    """Reads everything anew: what is not in this book is gone."""
    for name, rows in book.streams().items():
        with store.writing(durable=False) as tx:
            save(tx, name, rows, full=True, ledger_currency="CNY")


def placed(placement: str) -> Policy:
    return POLICY.model_copy(update={"ageing": POLICY.ageing.model_copy(update={"placement": placement})})


@given(
    book=books(),
    day=st.integers(-2, 200).map(lambda n: DAY0 + dt.timedelta(days=n)),
    placement=st.sampled_from(["separate", "own_bucket", "fifo"]),
)
@settings(max_examples=40, deadline=None)
def test_figures_item_by_item_are_those_of_the_position(
    shared_store: Store, book: Book, day: dt.date, placement: str
) -> None:
    """Two ways to the same figure: summed in SQL, and fact by fact."""
    emptied(shared_store)
    load(shared_store, book)
    policy = placed(placement)
    with shared_store.reading() as tx:
        for key in keys(tx, "C1", "C2", "C3"):
            rows = positions.totals(tx, day, customers=[key], edges=policy.ageing.edges(), placement=placement)  # type: ignore[arg-type]
            one = position(key, "CNY", rows, NO_LIMIT, RATES, day, policy)
            seen = Seen(day, "CNY", lambda amount, c: RATES.convert(amount, c, "CNY", day), known.ledgers(tx, [key]))
            found = figures(seen, policy)
            assert found["balance"] == one.balance
            assert found["overdue"] == one.overdue
            assert found["disputed"] == one.disputed
            assert {n: found[f"bucket {n}"] for n in one.buckets} == one.buckets
            for name in ("open_receivables", "unapplied_cash", "unapplied_credit_notes", "bills", "drafts"):
                assert found[name] == getattr(one.exposure, name), name
            assert found["exposure"] == one.exposure.total


@given(before=books(), after=books(), more=books())
@settings(max_examples=25, deadline=None)
def test_what_was_known_is_known_again(shared_store: Store, before: Book, after: Book, more: Book) -> None:
    """Everything replaced twice by books that have nothing to do with the one that was decided on."""
    emptied(shared_store)
    load(shared_store, before)
    turning = sorted({*turning_days(before), *turning_days(after)})
    days = [turning[0], turning[len(turning) // 2], turning[-1]]
    with shared_store.writing() as tx:
        upto = decide(tx)
        mine = [key for ref in ("C1", "C2", "C3") for key in keys(tx, ref)]
        then = {key: known.ledgers(tx, [key]) for key in mine}
    replace(shared_store, after)
    replace(shared_store, more)
    with shared_store.reading() as tx:
        for key, stood in then.items():
            again = known.ledgers(tx, [key], upto)
            assert own(again) == own(stood)
            for day in days:
                assert shown(again, day) == shown(stood, day), day
            looked_at_from_a_day(tx, key, upto, again, days[1], days[2])


def looked_at_from_a_day(
    tx: Connection, key: int, upto: amendments.Upto, then: Sequence[Ledger], day: dt.date, later: dt.date
) -> None:
    """What was settled before a day is not read, and nothing that is told from that day on is another."""
    now, reading = known.ledgers(tx, [key]), known.Reading(tx, [key], {upto: day}, day)
    few = reading.ledgers()
    assert moved(walk, few, day, few, later) == moved(walk, now, day, now, later)
    assert moved(restate, reading.ledgers(upto), day, few, day) == moved(restate, then, day, now, day)


def moved(
    how: Callable[..., list[Movement]], first: Sequence[Ledger], one: dt.date, second: Sequence[Ledger], other: dt.date
) -> tuple[list[Movement], dict[str, Decimal]]:
    before, after = (
        Seen(day, "CNY", lambda amount, c, on=day: RATES.convert(amount, c, "CNY", on), ledgers)  # type: ignore[misc]
        for day, ledgers in ((one, first), (other, second))
    )
    return how(before, after, POLICY), figures(after, POLICY)


def own(ledgers: Sequence[Ledger]) -> list[Any]:
    """The customer's own documents and payments; of others there may be more or fewer about."""
    return [(one.system, sorted(repr(one.item(key)) for key in one.keys())) for one in ledgers]  # noqa: SIM118


def shown(ledgers: Sequence[Ledger], day: dt.date) -> dict[str, Decimal]:
    return figures(Seen(day, "CNY", lambda amount, c: RATES.convert(amount, c, "CNY", day), ledgers), POLICY)


def invoice(ref: str, amount: int = 10_000, **more: Any) -> Document:
    return Document(
        id=ref, customer_id=more.pop("customer_id", "C1"), kind="invoice", issued_on=DAY, currency="CNY", amount=amount,
        **more,
    )  # fmt: skip


def test_a_first_load_leaves_no_amendments(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1"), invoice("D2")])
        save(tx, "documents", [invoice("D1", 20_000)])
        assert tx.execute(select(func.count()).select_from(amendment)).scalar() == 0
        decide(tx)
        save(tx, "documents", [invoice("D1", 30_000), invoice("D3")])
        [one] = amendments.since(tx, keys(tx, "C1"), 0).values()
    assert (one.kind, one.gone, one.at) == ("item", False, NOW)
    assert (one.said["ref"], one.said["value"], one.said["issued_on"]) == ("D1", 20_000, DAY)


def test_items_are_counted_that_were_open_at_the_end_of_a_day_or_later(store: Store) -> None:
    paid = Payment(id="P1", customer_id="C1", received_on=DAY, currency="CNY", amount=10_000)
    use = Application(id="A1", from_id="P1", to_id="D1", amount=Decimal("100.00"), applied_on=DAY)
    with store.writing() as tx:
        before = dataclasses.replace(invoice("D1"), issued_on=DAY - dt.timedelta(days=9))
        save(tx, "documents", [before, invoice("D2")])
        save(tx, "payments", [paid])
        save(tx, "applications", [use])
        found = [
            known.count(tx, keys(tx, "C1"), DAY - dt.timedelta(days=n), most) for n, most in ((1, 9), (0, 9), (1, 1))
        ]
    # D1 until it was paid; the payment, used up on its own day, never; D2 ever since.
    assert found == [2, 1, 1]


def test_a_fact_said_again_as_it_was_is_no_amendment(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1")])
        decide(tx)
        save(tx, "documents", [invoice("D1")])
        assert amendments.since(tx, keys(tx, "C1"), 0) == {}


def test_an_invoice_that_was_another_customers_is_known_as_his(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id="C1", name="One"), Customer(id="C2", name="Two")])
        save(tx, "documents", [invoice("D1")])
        upto = decide(tx)
        save(tx, "documents", [invoice("D1", customer_id="C2")])
        [one], [two] = keys(tx, "C1"), keys(tx, "C2")
        assert [ledger.keys() for ledger in known.ledgers(tx, [one], upto)] == [[("d", "D1")]]
        assert [ledger.keys() for ledger in known.ledgers(tx, [two], upto)] == [[]]
        assert [ledger.keys() for ledger in known.ledgers(tx, [one])] == [[]]
        assert [ledger.keys() for ledger in known.ledgers(tx, [two])] == [[("d", "D1")]]


def test_a_key_used_again_is_not_what_it_was(store: Store) -> None:
    """SQLite gives the key of the newest row again when that row is gone."""
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1"), invoice("D2")], full=True)
        upto = decide(tx)
        save(tx, "documents", [invoice("D1")], full=True)
        save(tx, "documents", [invoice("D1"), invoice("D9")], full=True)
        [ledger] = known.ledgers(tx, keys(tx, "C1"), upto)
    assert ledger.keys() == [("d", "D1"), ("d", "D2")]


def test_the_key_of_an_application_between_unknown_items_used_again_is_not_what_it_was(store: Store) -> None:
    """Found by chance: it was nobody's, so that nobody was told that it went."""
    lost = Application(id="A1", from_id="LOST", to_id="LOST", amount=Decimal("1.00"), applied_on=DAY)
    paid = Payment(id="P1", customer_id="C1", received_on=DAY, currency="CNY", amount=4_000)
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1")])
        save(tx, "payments", [paid])
        save(tx, "applications", [lost], full=True)
        upto = decide(tx)
        save(tx, "applications", [], full=True)
        save(tx, "applications", [dataclasses.replace(lost, from_id="P1", to_id="D1")], full=True)
        one = keys(tx, "C1")
        [then], [now] = known.ledgers(tx, one, upto), known.ledgers(tx, one)
    assert list(then.applications) == []
    assert [use.id for use in now.applications] == ["A1"]


def test_removed_and_changed_applications_and_instalments_come_back(store: Store) -> None:
    paid = Payment(id="P1", customer_id="C1", received_on=DAY, currency="CNY", amount=4_000)
    use = Application(id="A1", from_id="P1", to_id="D1", amount=Decimal("40.00"), applied_on=DAY)
    part = Instalment(document_id="D1", number="1", due_on=DAY, amount=Decimal("60.00"))
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1")])
        save(tx, "payments", [paid])
        save(tx, "applications", [use], full=True)
        save(tx, "instalments", [part], full=True)
        upto = decide(tx)
        save(tx, "applications", [], full=True)
        save(tx, "instalments", [Instalment(document_id="D1", number="1", due_on=DAY, amount=Decimal("70.00"))])
        one = keys(tx, "C1")
        [then], [now] = known.ledgers(tx, one, upto), known.ledgers(tx, one)
    assert (list(then.applications), list(then.instalments)) == ([use], [part])
    assert (list(now.applications), now.instalments[0].amount) == ([], Decimal("70.00"))
