"""Opening, migrating, transactions; runs, problems, leases, decisions, links, turns of the calendar."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from connector.errors import ConfigError, Problem, RejectedError
from connector.model import Customer, Instalment, Limit, Order, OrderLine, Payment
from connector.store import (
    customers,
    decisions,
    doubts,
    history,
    links,
    marks,
    order_values,
    positions,
    runs,
    tables,
    upgrade,
)
from connector.store.db import Store
from connector.store.facts import Kept
from connector.text import Text
from tests.store.books import NOW, save
from tests.store.test_facts import applied, invoice, receipt

DAY = dt.date(2026, 11, 23)


# --- opening ----------------------------------------------------------------------------------------------------------
def test_the_migrations_make_the_schema_that_the_tables_describe(store: Store) -> None:
    with store.reading() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        assert context.get_current_revision() == upgrade.head()


def test_every_migration_can_be_undone_on_a_filled_store(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 1)])
    with store.engine.begin() as tx:  # a schema of which nothing is noted
        from alembic import command

        alembic = upgrade.configuration()
        alembic.attributes["connection"] = tx
        command.downgrade(alembic, "base")
        names = tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        assert names == ["alembic_version"]
    upgrade.upgrade(store.engine)
    with store.reading() as tx:
        assert customers.customers(tx) == []
    store.close()


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = Store.open(url)
    with store.writing() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(ConfigError) as raised:
        Store.open(url)
    assert "newer Holdfast (its schema is 9999)" in raised.value.user.en
    assert "更新版本" in raised.value.user.zh


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "The store needs a file"),
        ("sqlite:////no/such/folder/holdfast.db", "The folder /no/such/folder of the database is not there"),
        ("mysql://u:secret@h/d", "SQLite or PostgreSQL, not mysql"),
        ("what is this:secret", "The store's URL is not one"),
        ("postgresql://u:secret@127.0.0.1:1/d", "cannot be opened"),
        ("postgresql://u:secret@127.0.0.1:abc/d", "The store's URL is not one"),
        ("postgresql://u@127.0.0.1:1/d?password=secret", "postgresql://127.0.0.1:1/d cannot be opened"),
        ("postgresql://127.0.0.1:1/d?connect_timeout=x", "bad value for connect_timeout: 'x'. Check [store] url"),
        ("postgresql://127.0.0.1:1/d?sslmode=x", 'invalid sslmode value: "x". Check [store] url'),
        ("postgresql://127.0.0.1:1/d?nonsense=1", 'invalid connection option "nonsense". Check [store] url'),
        ("postgresql://127.0.0.1:1/d?host=a&host=b&port=1", "cannot be opened: Can't mix"),
        ("sqlite:///x.db?timeout=abc", "no options behind “?”"),
        ("sqlite:///x.db?mode=ro", "no options behind “?”"),
        ("sqlite+aiosqlite:///x.db", "no driver"),
        ("sqlite+nonsense:///x.db", "no driver"),
        ("sqlite://var/holdfast.db", "An absolute path has four slashes"),
        ("sqlite:////tmp/a%00b.db", "cannot be opened"),
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Store.open(url)
    assert message in raised.value.user.en
    assert "secret" not in raised.value.user.en + raised.value.user.zh + raised.value.log


def test_writers_queue_and_readers_see_one_state(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D0", 1)])
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(5):
                with store.writing(durable=False) as tx:
                    save(tx, "documents", [invoice(f"D{number}-{turn}", 1)])
        except BaseException as wrong:
            failures.append(wrong)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    with store.reading() as reader:
        before = len(reader.execute(select(tables.item.c.id)).all())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(reader.execute(select(tables.item.c.id)).all()) == before == 1
    assert failures == []
    with store.reading() as tx:
        assert len(tx.execute(select(tables.item.c.id)).all()) == 21
        assert positions.totals(tx, DAY)[0].receivables == 21


@pytest.mark.usefixtures("as_shipped")
def test_decisions_are_durable_and_pulls_need_not_be(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    for durable, expected in ((True, 2), (False, 1), (True, 2)):
        with store.writing(durable=durable) as tx:
            assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == expected
            assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    store.close()


# --- runs and problems --------------------------------------------------------------------------------------------------
def trouble(code: str, where: str = "erp/documents") -> Problem:
    return Problem(code, where, Text(f"{code} happened.", f"发生了 {code}。"), Text("Mend it.", "请处理。"))


def test_runs_keep_their_counts_and_their_problems_once(store: Store) -> None:
    with store.writing() as tx:
        first = runs.begin(tx, "pull", "erp", NOW)
        assert [r.state for r in runs.runs(tx)] == ["running"]
        runs.finish(
            tx, first, NOW, state="problems", counts={"pages": 3}, problems=[trouble("a"), trouble("b"), trouble("b")]
        )
        later = NOW + dt.timedelta(hours=1)
        second = runs.begin(tx, "pull", "erp", later)
        runs.finish(tx, second, later, state="problems", counts={}, problems=[trouble("b")])
        assert [(r.id, r.state, r.counts) for r in runs.runs(tx, job="pull")] == [
            (second, "problems", {}),
            (first, "problems", {"pages": 3}),
        ]
        found = runs.problems(tx)
        assert [(p.problem, p.first_seen, p.last_seen) for p in found] == [(trouble("b"), NOW, later)]
        every = {p.problem.code: p.resolved_at for p in runs.problems(tx, open_only=False)}
        assert every == {"a": later, "b": None}
        other = runs.begin(tx, "pull", "crm", later)
        runs.finish(tx, other, later, state="done", counts={})
        assert len(runs.problems(tx)) == 1


def test_what_is_wrong_with_a_record_is_not_told_twice(store: Store) -> None:
    wrong = trouble("bad_date", "erp/documents/D1")
    with store.writing() as tx:
        save(tx, "documents", [Kept("D1", {}, "1", None, [wrong])], system="erp")
        number = runs.begin(tx, "pull", "erp", NOW)
        runs.finish(tx, number, NOW, state="problems", counts={}, problems=[wrong])
        again = runs.begin(tx, "pull", "erp", NOW)
        runs.finish(tx, again, NOW, state="done", counts={})
        assert [(p.scope, p.problem) for p in runs.problems(tx)] == [("record", wrong)]


# --- leases -------------------------------------------------------------------------------------------------------------
def test_one_holder_at_a_time_and_a_higher_fence_each_time(store: Store) -> None:
    later = NOW + dt.timedelta(seconds=61)
    with store.writing() as tx:
        first = runs.acquire(tx, "run", "", "a", NOW, 60)
        assert first is not None
        assert runs.acquire(tx, "run", "", "b", NOW, 60) is None
        assert runs.acquire(tx, "other", "", "b", NOW, 60) is not None
        assert runs.heartbeat(tx, "run", "", "a", NOW + dt.timedelta(seconds=30), 60)
        assert runs.acquire(tx, "run", "", "b", later, 60) is None
        second = runs.acquire(tx, "run", "", "b", later + dt.timedelta(seconds=30), 60)
        assert second is not None
        assert second > first
        assert not runs.heartbeat(tx, "run", "", "a", later, 60)
        assert (runs.holds(tx, "run", "", first), runs.holds(tx, "run", "", second)) == (False, True)
        runs.release(tx, "run", "", "a")  # not his any more
        assert runs.acquire(tx, "run", "", "c", later, 60) is None
        assert runs.acquire(tx, "run", "", "c", later, 60, is_dead=lambda holder: holder == "b") is not None
        runs.release(tx, "run", "", "c")
        assert runs.acquire(tx, "run", "", "d", later, 60) is not None


def test_nobody_takes_a_lease_over_in_the_middle_of_a_transaction(store: Store) -> None:
    """Whoever proved in a transaction that he holds the lease holds it until that transaction has ended."""
    told: list[str] = []
    trying = threading.Event()
    with store.writing() as tx:
        fence = runs.acquire(tx, "run", "", "a", NOW, 60)
        assert fence is not None

    def take() -> None:
        trying.set()
        with store.writing() as tx:
            assert runs.acquire(tx, "run", "", "b", NOW + dt.timedelta(seconds=61), 60) is not None
            told.append("taken")

    thread = threading.Thread(target=take)
    held = runs.Fenced(store, "run", "", fence)
    with held.writing():
        thread.start()
        trying.wait(10)
        thread.join(0.5)  # long enough for it to come to the lease
        told.append("ended")
    thread.join(30)
    assert told == ["ended", "taken"]
    with pytest.raises(runs.LeaseLost), held.writing():
        raise AssertionError("never comes so far")
    with pytest.raises(runs.LeaseLost):
        held.prove()


def test_a_slot_is_taken_again_from_the_dead_until_it_is_finished(store: Store) -> None:
    with store.writing() as tx:
        assert runs.claim_slot(tx, "nightly", "2026-11-25", "a", NOW)
        assert runs.is_unfinished(tx, "nightly", "2026-11-25")
        assert not runs.claim_slot(tx, "nightly", "2026-11-25", "b", NOW)
        assert not runs.claim_slot(tx, "nightly", "2026-11-25", "b", NOW, is_dead=lambda holder: holder == "x")
        assert runs.claim_slot(tx, "nightly", "2026-11-25", "b", NOW, is_dead=lambda holder: holder == "a")
        runs.finish_slot(tx, "nightly", "2026-11-25")
        assert not runs.is_unfinished(tx, "nightly", "2026-11-25")
        assert not runs.claim_slot(tx, "nightly", "2026-11-25", "c", NOW, is_dead=lambda holder: True)


def test_a_run_that_failed_resolves_nothing_it_did_not_come_to(store: Store) -> None:
    with store.writing() as tx:
        first = runs.begin(tx, "push", "crm", NOW)
        runs.finish(tx, first, NOW, state="problems", counts={}, problems=[trouble("parked", "crm/task/7")])
        second = runs.begin(tx, "push", "crm", NOW)
        runs.finish(tx, second, NOW, state="failed", counts={}, problems=[trouble("push_transient", "crm")])
        assert {p.problem.code for p in runs.problems(tx)} == {"parked", "push_transient"}
        third = runs.begin(tx, "push", "crm", NOW)
        runs.finish(tx, third, NOW, state="done", counts={})
        assert runs.problems(tx) == []


def test_a_slot_of_a_schedule_is_taken_once(store: Store) -> None:
    won: list[str] = []

    def claim(name: str) -> None:
        with store.writing() as tx:
            if runs.claim_slot(tx, "nightly", "2026-11-23", name, NOW):
                won.append(name)

    threads = [threading.Thread(target=claim, args=(f"node{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    with store.writing() as tx:
        assert runs.claim_slot(tx, "nightly", "2026-11-24", "node1", NOW)
        assert runs.forget_slots(tx, NOW + dt.timedelta(days=1)) == 2


# --- decisions --------------------------------------------------------------------------------------------------------
def test_decisions_are_added_only_when_they_differ(store: Store) -> None:
    def conclude(digest: str, day: dt.date) -> bool:
        body = {"limit": Decimal("5.00"), "why": "额度"}
        return decisions.conclude(tx, 7, as_of=day, made_at=NOW, policy_version="p1", digest=digest, body=body)

    with store.writing() as tx:
        assert decisions.latest(tx, [7]) == {}
        assert conclude("a", DAY)
        assert not conclude("a", DAY + dt.timedelta(days=1))
        assert conclude("b", DAY + dt.timedelta(days=2))
        assert conclude("a", DAY + dt.timedelta(days=3))
        last = decisions.latest(tx)[7]
        assert (last.digest, last.as_of, last.evaluated_on) == ("a", dt.date(2026, 11, 26), dt.date(2026, 11, 26))
        assert last.body == {"limit": Decimal("5.00"), "why": "额度"}
        assert [row.digest for row in decisions.history(tx, 7)] == ["a", "b", "a"]
        many = [decisions.Conclusion(d, "x" if d == 8 else "a", decisions.packed({})) for d in (7, 8)]
        assert decisions.conclude_all(tx, many, as_of=DAY, made_at=NOW, policy_version="p1") == 1
        assert decisions.evaluated_on(tx) == {7: DAY, 8: DAY}


# --- links --------------------------------------------------------------------------------------------------------------
def test_links_proposals_and_what_a_person_put_apart(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id=c, name=f"Name {c}") for c in ("C1", "C2")], system="erp")
        save(tx, "accounts", [Customer(id="A1", name="Name C1"), Customer(id="A2", name="Nam C2")], system="crm")
        key = {row.ref: row.key for row in customers.customers(tx)}
        assert links.ensure_debtors(tx, [key["C1"], key["C2"]]) == 2
        assert links.ensure_debtors(tx, [key["C1"]]) == 0
        one, two = links.debtor_of(tx, key["C1"]), links.debtor_of(tx, key["C2"])
        assert one != two
        marks.clear_marks(tx, marks.upto(tx))
        assert links.link(tx, key["A1"], one, "external_id")
        assert marks.changed(tx) == sorted([key["C1"], key["A1"]])
        assert [(r.ref, r.how, r.confirmed) for r in links.linked(tx, several_only=True)] == [
            ("C1", "own", False),
            ("A1", "external_id", False),
        ]
        # a person splits it: no machine links it again
        own = links.split(tx, key["A1"])
        assert own not in (one, two)
        assert not links.link(tx, key["A1"], one, "name")
        assert links.splits(tx)[key["A1"]] == {key["C1"]}
        links.unlink(tx, key["A1"])
        assert links.debtor_of(tx, key["A1"]) == own
        # a proposal is confirmed
        assert links.propose(tx, key["A2"], key["C2"], 0.912, "name") == 1
        assert links.propose(tx, key["C2"], key["A2"], 0.92, "name") == 0
        (proposed,) = links.proposals(tx)
        assert (proposed.score, proposed.a_name, proposed.b_name) == (Decimal("0.92"), "Name C2", "Nam C2")
        assert links.confirm(tx, proposed.id)
        assert links.debtor_of(tx, key["A2"]) == two
        assert key["A2"] in links.confirmed(tx)
        assert links.proposals(tx) == []
        links.unlink(tx, key["A2"])
        assert not links.link(tx, key["A2"], one, "tax_id")
        assert links.debtor_of(tx, key["A2"]) == two
        # and what a person puts together again is together
        links.join(tx, key["A1"], key["C1"])
        assert links.debtor_of(tx, key["A1"]) == one
        assert [r.ref for r in customers.customers(tx, debtors=[one])] == ["C1", "A1"]
        # rejected proposals are not made again
        assert links.propose(tx, key["A1"], key["C2"], 0.5, "name") == 1
        assert links.reject(tx, links.proposals(tx)[0].id)
        assert links.propose(tx, key["A1"], key["C2"], 0.9, "name") == 0
        assert key["C2"] in links.splits(tx)[key["A1"]]
        assert not links.reject(tx, 99)


def test_a_change_of_an_account_concerns_the_customer_it_is_linked_to(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id="C1", name="n")], system="erp")
        save(tx, "accounts", [Customer(id="A1", name="n")], system="crm")
        key = {row.ref: row.key for row in customers.customers(tx)}
        links.ensure_debtors(tx, [key["C1"]])
        links.link(tx, key["A1"], links.debtor_of(tx, key["C1"]), "name")
        marks.clear(tx, list(key.values()), marks.upto(tx))
        assert marks.changed(tx) == []
        order = Order(id="SO1", customer_id="A1", ordered_on=DAY, currency="CNY", amount=5, status="draft")
        save(tx, "orders", [order], system="crm")
        assert marks.changed(tx) == sorted(key.values())
        assert [(o.system, o.ref, o.debtor) for o in order_values.order_values(tx, [key["C1"]])] == [
            ("crm", "SO1", links.debtor_of(tx, key["C1"]))
        ]
        marks.clear(tx, [key["C1"]], marks.upto(tx))
        assert marks.changed(tx) == []


# --- orders -------------------------------------------------------------------------------------------------------------
def test_orders_by_lines_are_exact_and_respect_the_horizon(store: Store) -> None:
    order = Order(id="O1", customer_id="C1", ordered_on=dt.date(2026, 11, 1), currency="CNY", status="open")
    lines = [
        # E1: 100 × 1,000 + 13 %, 40 delivered, 30 invoiced
        OrderLine(order_id="O1", line="1", quantity=Decimal(100), quantity_delivered=Decimal(40), quantity_invoiced=Decimal(30), unit_price=Decimal(1000), tax_rate=Decimal("0.13")),
        OrderLine(order_id="O1", line="2", quantity=Decimal("0.333"), unit_price=Decimal("0.1234567"), tax_rate=Decimal("0.065"), ship_on=dt.date(2027, 3, 1)),
        OrderLine(order_id="O1", line="3", quantity=Decimal(10), quantity_cancelled=Decimal(10), unit_price=Decimal(9)),
    ]  # fmt: skip
    tiny = Decimal("0.333") * Decimal("0.1234567") * Decimal("1.065")
    with store.writing() as tx:
        save(tx, "lines", lines)  # before their order is known
        assert positions.totals(tx, DAY) == []
        save(tx, "orders", [order])
        row = positions.totals(tx, DAY)[0]
        assert row.delivered_not_invoiced == 1_130_000
        assert abs(row.ordered_not_delivered - (6_780_000 + tiny * 100)) <= Decimal("1e-10")
        near = positions.totals(tx, DAY, horizon_days=30)[0]
        assert near.ordered_not_delivered == 6_780_000
        (shown,) = order_values.order_values(tx, horizon_on=DAY + dt.timedelta(days=30))
        assert (shown.open_value, shown.invoiced_value, shown.ship_on) == (
            Decimal(79_100),
            Decimal(33_900),
            dt.date(2027, 3, 1),
        )
        assert positions.totals(tx, dt.date(2026, 10, 31)) == []
        save(
            tx,
            "orders",
            [
                Kept(
                    "O1",
                    {},
                    "closed",
                    [Order(id="O1", customer_id="C1", ordered_on=DAY, currency="CNY", status="closed")],
                )
            ],
        )
        assert positions.totals(tx, DAY) == []
        assert order_values.order_values(tx) == []


@pytest.mark.parametrize(
    ("delivered", "invoiced", "expected"),
    [(None, None, (0, 1000)), (400, 300, (100, 600)), (300, 400, (0, 600)), (1200, 0, (1200, 0))],
)
def test_orders_without_lines_go_by_their_own_amounts(
    store: Store, delivered: int | None, invoiced: int | None, expected: tuple[int, int]
) -> None:
    order = Order(
        id="O1",
        customer_id="C1",
        ordered_on=DAY,
        currency="JPY",
        amount=1000,
        delivered_amount=delivered,
        invoiced_amount=invoiced,
    )
    with store.writing() as tx:
        save(tx, "orders", [order])
        row = positions.totals(tx, DAY)[0]
        assert (row.delivered_not_invoiced, row.ordered_not_delivered) == expected
        (shown,) = order_values.order_values(tx)
        assert (shown.total, shown.open_value) == (1000, sum(expected))


# --- turns of the calendar ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("since", "until", "turned"),
    [
        ("2026-07-30", "2026-07-31", False),  # due today is not overdue
        ("2026-07-31", "2026-08-01", True),  # the first day overdue
        ("2026-08-01", "2026-08-05", False),
        ("2026-08-05", "2026-08-06", True),  # beyond five days of grace
        ("2026-08-30", "2026-08-31", True),  # from 1-30 to 31-60
        ("2026-08-01", "2026-09-01", True),
        ("2026-11-01", "2026-11-02", False),
        ("2026-11-02", "2026-11-02", False),
    ],
)
def test_an_item_turns_on_its_days(store: Store, since: str, until: str, turned: bool) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 100, issued_on=dt.date(2026, 5, 2))])  # due 07-31
        days = (dt.date.fromisoformat(since), dt.date.fromisoformat(until))
        found = marks.due_to_change(tx, *days, edges=(30, 60), grace_days=5)
        assert bool(found) is turned


def test_limits_orders_seasons_and_what_is_dated_ahead_turn_too(store: Store) -> None:
    def limit(who: str, **more: object) -> Limit:
        return Limit(customer_id=who, amount=1, currency="CNY", **{"kind": "base", **more})  # type: ignore[arg-type]

    with store.writing() as tx:
        save(
            tx,
            "limits",
            [
                limit("begins", valid_from=DAY),
                limit("ends", valid_to=dt.date(2026, 11, 22)),
                limit("ends later", valid_to=DAY),
                limit("season", kind="seasonal", condition="11-23..02-15"),
                limit("season over", kind="seasonal", condition="06-01..11-22"),
                limit("season within", kind="seasonal", condition="11-01..02-15"),
            ],
        )
        save(
            tx,
            "orders",
            [
                Order(
                    id="O1",
                    customer_id="ships",
                    ordered_on=dt.date(2026, 1, 1),
                    ship_on=dt.date(2026, 12, 23),
                    currency="CNY",
                    amount=1,
                ),
                Order(
                    id="O2",
                    customer_id="ships later",
                    ordered_on=dt.date(2026, 1, 1),
                    ship_on=dt.date(2026, 12, 24),
                    currency="CNY",
                    amount=1,
                ),
            ],
        )
        save(tx, "payments", [Payment(id="P", customer_id="pays today", received_on=DAY, currency="CNY", amount=1)])
        names = {row.id: row.ref for row in tx.execute(select(tables.customer.c.id, tables.customer.c.ref))}
        found = marks.due_to_change(tx, dt.date(2026, 11, 22), DAY, horizon_days=30)
        assert {names[key] for key in found} == {"begins", "ends", "season", "season over", "ships", "pays today"}


# --- history and doubts ---------------------------------------------------------------------------------------------------
def test_payment_experience_counts_what_was_set_against_invoices(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 10_000), invoice("D2", 5_000, kind="credit_note")])
        parts = [
            Instalment(document_id="D1", number=n, due_on=day, amount=Decimal(50))
            for n, day in (("1", dt.date(2026, 7, 20)), ("2", dt.date(2026, 8, 20)))
        ]
        save(tx, "instalments", parts)
        save(tx, "payments", [receipt("P1", 4_000, dt.date(2026, 8, 5)), receipt("P2", 1_000, dt.date(2026, 8, 9))])
        save(
            tx,
            "applications",
            [
                applied("P1", "D1", "40.00", dt.date(2026, 8, 7), instalment_number="2"),
                applied("P2", "D1", "10.00", dt.date(2026, 8, 9), reversed_on=dt.date(2026, 9, 9)),
                applied("D2", "D1", "50.00", dt.date(2026, 8, 10)),
            ],
        )
        found = positions.payment_experience(tx, None, DAY)
        assert [(e.amount, e.paid_on, e.applied_on, e.days_late) for e in found] == [
            (Decimal("40.00"), dt.date(2026, 8, 5), dt.date(2026, 8, 7), -15)
        ]
        earlier = positions.payment_experience(tx, [found[0].customer], dt.date(2026, 9, 1))
        assert [e.days_late for e in earlier] == [-15, 9]
        assert positions.payment_experience(tx, None, dt.date(2028, 11, 23)) == []
        assert history.last_paid_on(tx, None, DAY) == {found[0].customer: dt.date(2026, 8, 9)}


def test_what_does_not_fit_together_is_told_with_its_remedy(store: Store) -> None:
    with store.writing() as tx:
        save(
            tx,
            "documents",
            [
                Kept("D1", {}, "1", [invoice("D1", 100, due_on=None)], where="documents.csv:2"),
                Kept("D2", {}, "1", [invoice("D2", 100, due_on=None, terms="cash soon")]),
                Kept("D3", {}, "1", [invoice("D3", 10_000)]),
            ],
        )
        save(tx, "instalments", [Instalment(document_id="D3", number="1", due_on=DAY, amount=Decimal("99.99"))])
        save(tx, "instalments", [Instalment(document_id="D9", number="1", due_on=DAY, amount=Decimal(1))])
        save(tx, "payments", [Payment(id="P1", customer_id="C1", received_on=DAY, currency="USD", amount=1)])
        save(tx, "applications", [applied("P1", "D1", "1.00"), applied("P7", "D1", "2.00")])
        save(tx, "orders", [Order(id="O1", customer_id="C1", ordered_on=DAY, currency="CNY")])
        found = {p.code: p for p in doubts.doubts(tx, "books")}
        assert set(found) == {
            "no_due_date",
            "bad_terms",
            "instalments_uneven",
            "instalment_unresolved",
            "application_currency",
            "application_unresolved",
            "customer_unknown",
            "order_without_value",
        }
        assert found["no_due_date"].where == "documents.csv:2"
        assert found["bad_terms"].what.en == "The payment terms “cash soon” of D2 cannot be read: there is no due date."
        assert found["instalments_uneven"].what.zh == "D3 的分期合计与单据金额相差 0.01 CNY。"
        assert "P7 is not among the documents and payments" in found["application_unresolved"].what.en
        assert found["customer_unknown"].what.en.startswith("There are documents of customer C1")
        assert doubts.doubts(tx, "elsewhere") == []


def test_a_customer_that_is_not_listed_but_owes_is_reported_under_its_id(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 100, customer_id="ghost")])
        save(tx, "limits", [Limit(customer_id="mentioned only", kind="base", amount=1, currency="CNY")])
        assert [(c.ref, c.name, c.known) for c in customers.customers(tx)] == [("ghost", "ghost", False)]


def test_customers_are_found_by_id_or_part_of_the_name(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id="C1", name="上海百联 100%"), Customer(id="C2", name="Acme C1 GmbH")])
        assert [c.ref for c in customers.find(tx, "C1")] == ["C1", "C2"]
        assert [c.ref for c in customers.find(tx, "百联")] == ["C1"]
        assert [c.ref for c in customers.find(tx, "0%")] == ["C1"]
        assert customers.find(tx, "_cme") == []


def test_an_error_inside_a_transaction_leaves_the_store_usable(store: Store) -> None:
    def refuse() -> None:
        with store.writing() as tx:
            save(tx, "documents", [invoice("D1", 1)])
            raise RejectedError("no")

    with pytest.raises(RejectedError):
        refuse()
    with store.writing() as tx:
        save(tx, "documents", [invoice("D2", 1)])
        assert len(tx.execute(select(tables.item.c.id)).all()) == 1
