"""Pages: what is new, changed, unchanged and gone; cursor and facts as one; quarantine; stamp and sweep."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, select

from connector.errors import Problem
from connector.model import (
    Application,
    Customer,
    Document,
    Event,
    Fact,
    Financial,
    Instalment,
    Limit,
    Order,
    OrderLine,
    Payment,
    Person,
    Promise,
    Rate,
)
from connector.store import bulk, customers, facts, history, marks, order_values, positions, problems, records, tables
from connector.store.db import Store
from connector.store.facts import Counts, Kept
from connector.text import Text
from tests.store.books import NOW, save

DAY = dt.date(2026, 11, 23)


def invoice(ref: str, amount: int = 10_000, **more: Any) -> Document:
    values = {
        "id": ref,
        "customer_id": "C1",
        "kind": "invoice",
        "issued_on": dt.date(2026, 7, 1),
        "due_on": dt.date(2026, 7, 31),
        "currency": "CNY",
        "amount": amount,
    }
    return Document(**{**values, **more})  # type: ignore[arg-type]


def receipt(ref: str, amount: int, day: dt.date = dt.date(2026, 8, 1), **more: Any) -> Payment:
    return Payment(id=ref, customer_id="C1", received_on=day, currency="CNY", amount=amount, **more)


def applied(frm: str, to: str, amount: str, day: dt.date = dt.date(2026, 8, 1), **more: Any) -> Application:
    return Application(from_id=frm, to_id=to, amount=Decimal(amount), applied_on=day, **more)


def kept(fact: Fact, hash_: str = "1", key: str | None = None) -> Kept:
    return Kept(key or fact.ref, {"ref": fact.ref}, hash_, [fact])


def balance(tx: Connection, day: dt.date = DAY, ref: str = "C1") -> int:
    """Receivables less everything unapplied, in minor units, of one customer over all currencies."""
    keys = {row.key for row in customers.customers(tx) if row.ref == ref}
    rows = [r for r in positions.totals(tx, day) if r.customer in keys]
    return sum(r.receivables - r.cash - r.notes for r in rows)


def fixable(code: str = "bad_date") -> Problem:
    return Problem(code, "documents.csv:3", Text("No date.", "不是日期。"), Text("Mend it.", "请更正。"), "issued_on")


# --- new, changed, same, gone -----------------------------------------------------------------------------------------
def test_a_page_says_what_was_new_changed_and_the_same(store: Store) -> None:
    with store.writing() as tx:
        assert save(tx, "documents", [kept(invoice("D1")), kept(invoice("D2"))], cursor={"at": 2}) == Counts(new=2)
        assert balance(tx) == 20_000
    with store.writing() as tx:
        pairs = [("D1", "1"), ("D2", "2"), ("D3", "1")]
        assert facts.unchanged(tx, "books", "documents", pairs, "m1") == {"D1"}
        assert facts.unchanged(tx, "books", "documents", pairs, "another mapping") == set()
        assert facts.unchanged(tx, "books", "elsewhere", pairs, "m1") == set()
        page = [Kept("D1", None, "1", None), kept(invoice("D2", 500), "2"), kept(invoice("D3", 7))]
        assert save(tx, "documents", page, cursor=[Decimal("1.50")]) == Counts(new=1, changed=1, same=1)
        assert balance(tx) == 10_507
        assert facts.cursor(tx, "books", "documents") == [Decimal("1.50")]
        assert facts.cursor(tx, "books", "payments") is None


def test_what_a_record_no_longer_says_is_removed(store: Store) -> None:
    both = [
        invoice("D1", 100),
        invoice("D2", 50),
        Instalment(document_id="D1", number="1", due_on=DAY, amount=Decimal(1)),
    ]
    with store.writing() as tx:
        save(tx, "moves", [Kept("M1", {}, "1", both)])
        assert balance(tx) == 150
        save(tx, "moves", [Kept("M1", {}, "2", [invoice("D2", 50)])])
        assert balance(tx) == 50
        assert tx.execute(select(tables.instalment.c.id)).all() == []
        save(tx, "moves", [Kept("M1", {}, "3", [])])
        assert balance(tx) == 0


def test_a_fact_that_moved_to_another_record_stays(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "moves", [Kept("M1", {}, "1", [invoice("D1", 100)])])
        save(tx, "moves", [Kept("M2", {}, "1", [invoice("D1", 120)])])
        save(tx, "moves", [], gone=["M1"])
        assert balance(tx) == 120
        assert save(tx, "moves", [], gone=["M2", "never seen"]).gone == 1
        assert balance(tx) == 0


def test_removal_reaches_every_kind_of_fact(store: Store) -> None:
    every: list[Fact] = [
        Customer(id="C1", name="Acme", parent_id="C9"),
        Person(id="S1", name="Li"),
        Limit(customer_id="C1", kind="base", amount=5, currency="CNY"),
        invoice("D1", 300),
        Instalment(document_id="D1", number="1", due_on=DAY, amount=Decimal("3.00")),
        receipt("P1", 100),
        applied("P1", "D1", "1.00"),
        Order(id="O1", customer_id="C1", ordered_on=DAY, currency="CNY", amount=10_000),
        OrderLine(order_id="O1", line="1", quantity=Decimal(2), unit_price=Decimal(50)),
        Rate(on=DAY, from_currency="USD", to_currency="CNY", rate=Decimal("7.1")),
        Promise(id="W1", customer_id="C1", made_on=DAY, due_on=DAY, amount=1, currency="CNY"),
        Financial(
            customer_id="C1", period_end_on=DAY, months=12, currency="CNY", item="资产总计", amount=Decimal("1.5")
        ),
        Event(id="E1", customer_id="C1", on=DAY, kind="court", source="bureau", text="被执行人"),
    ]
    with store.writing() as tx:
        save(tx, "all", [Kept("R", {}, "1", every)])
        key = customers.customers(tx, refs=["C1"])[0].key
        assert balance(tx) == 200
        assert customers.limits(tx)[key][0].amount == 5
        assert customers.rates(tx)[0].rate == Decimal("7.1")
        assert customers.people(tx)["books"][0].name == "Li"
        assert customers.promises(tx)[key][0].customer_id == "C1"
        assert customers.financials(tx)[key][0].amount == Decimal("1.5")
        assert customers.events(tx)[key][0].text == "被执行人"
        assert [o.total for o in order_values.order_values(tx)] == [Decimal(100)]
    with store.writing() as tx:
        assert save(tx, "all", [], gone=["R"]).gone == 1
        kinds = (tables.item, tables.part, tables.instalment, tables.application, tables.order_line, tables.record)
        for table in (*kinds, tables.credit_limit, tables.rate, tables.promise, tables.financial, tables.event):
            assert tx.execute(select(table)).all() == [], table.name
        assert customers.customers(tx) == []
        assert order_values.order_values(tx) == []
        assert history.sales_by_month(tx) == []
        assert customers.people(tx) == {}


# --- whichever comes first --------------------------------------------------------------------------------------------
def test_applications_wait_for_their_ends_and_let_go_of_them(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "applications", [applied("P1", "D1", "40.00")])
        save(tx, "documents", [invoice("D1", 10_000)])
        assert balance(tx) == 10_000
        save(tx, "payments", [receipt("P1", 6_000)])
        assert balance(tx) == 4_000
        row = positions.totals(tx, DAY)[0]
        assert (row.receivables, row.cash) == (6_000, 2_000)
        save(tx, "payments", [], gone=["P1"])
        assert balance(tx) == 10_000
        save(tx, "payments", [receipt("P1", 4_000)])
        row = positions.totals(tx, DAY)[0]
        assert (row.receivables, row.cash) == (6_000, 0)


def test_a_payment_is_preferred_to_a_credit_note_of_the_same_id(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("7", 10_000), invoice("8", 3_000, kind="credit_note")])
        save(tx, "applications", [applied("8", "7", "30.00")])
        row = positions.totals(tx, DAY)[0]
        assert (row.receivables, row.notes, row.cash) == (7_000, 0, 0)
        save(tx, "payments", [receipt("8", 3_000), receipt("7", 500, kind="refund")])
        row = positions.totals(tx, DAY)[0]
        # The receipt 8 pays the invoice 7; credit note 8 is free again; refund 7 is open.
        assert (row.receivables, row.notes, row.cash) == (7_500, 3_000, 0)


def test_instalments_may_come_before_their_document(store: Store) -> None:
    parts = [
        Instalment(document_id="D1", number="1", due_on=dt.date(2026, 8, 1), amount=Decimal("60.00")),
        Instalment(document_id="D1", number="2", due_on=dt.date(2026, 12, 1), amount=Decimal("40.00")),
    ]
    with store.writing() as tx:
        save(tx, "instalments", parts)
        save(tx, "documents", [invoice("D1", 10_000)])
        row = positions.totals(tx, DAY)[0]
        assert row.buckets == (4_000, 0, 0, 0, 6_000)
        save(tx, "instalments", [], gone=["D1/1", "D1/2"])
        assert positions.totals(tx, DAY)[0].buckets == (0, 0, 0, 0, 10_000)


def test_changing_the_currency_of_a_document_looks_at_its_applications_again(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [kept(invoice("D1", 10_000, currency="USD"))])
        save(tx, "payments", [receipt("P1", 10_000)])
        save(tx, "applications", [applied("P1", "D1", "100.00")])
        assert {(r.currency, r.receivables, r.cash) for r in positions.totals(tx, DAY)} == {
            ("USD", 10_000, 0),
            ("CNY", 0, 10_000),
        }
        save(tx, "documents", [kept(invoice("D1", 10_000), "2")])
        assert positions.totals(tx, DAY) == []


def test_a_voided_or_unposted_end_takes_the_application_with_it(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [kept(invoice("D1", 10_000))])
        save(tx, "payments", [kept(receipt("P1", 10_000))])
        save(tx, "applications", [applied("P1", "D1", "100.00")])
        assert balance(tx) == 0
        save(tx, "payments", [kept(receipt("P1", 10_000, voided_on=dt.date(2026, 9, 1)), "2")])
        assert (balance(tx), balance(tx, dt.date(2026, 8, 31))) == (10_000, 0)
        save(tx, "documents", [kept(invoice("D1", 10_000, status="draft"), "2")])
        row = positions.totals(tx, DAY)[0]
        assert (row.receivables, row.cash, row.drafts) == (0, 0, 10_000)


# --- base amounts -----------------------------------------------------------------------------------------------------
def test_base_amounts_that_are_not_stated_are_cut_from_the_whole(store: Store) -> None:
    with store.writing() as tx:
        bill = invoice("D1", 10_000, currency="USD", base_amount=71_235)
        values = {"customer_id": "C1", "received_on": dt.date(2026, 8, 1), "currency": "USD", "amount": 3_334}
        thirds = [Payment(id=f"P{n}", base_amount=23_750, **values) for n in (1, 2, 3)]  # type: ignore[arg-type]
        save(tx, "documents", [bill], ledger_currency="CNY")
        save(tx, "payments", thirds, ledger_currency="CNY")
        for n, amount in ((1, "33.34"), (2, "33.33"), (3, "33.33")):
            save(tx, "applications", [applied(f"P{n}", "D1", amount)], ledger_currency="CNY")
        rows = positions.totals(tx, DAY, view="ledger", ledger_currency="CNY")
        # Nothing of the invoice is left over in either currency; two payments keep a cent each.
        assert [(r.currency, r.receivables) for r in rows] == [("CNY", 0)]
        # 23,750 × 1 ÷ 3,334 = 7.12
        assert rows[0].cash == 2 * 7
        assert positions.totals(tx, DAY)[0].cash == 2


def test_an_instalment_s_own_dispute_and_ledger_value_count_before_its_share_of_the_document_s(store: Store) -> None:
    def part(number: str, due: str, amount: str, **own: Decimal) -> Instalment:
        day = dt.date.fromisoformat(due)
        return Instalment(document_id="D1", number=number, due_on=day, amount=Decimal(amount), **own)  # type: ignore[arg-type]

    with store.writing() as tx:
        # The later instalment is disputed; the one of 60 that is overdue is not.
        bill = invoice("D1", 10_000, currency="USD", base_amount=71_000, disputed_amount=4_000)
        save(tx, "documents", [bill], ledger_currency="CNY")
        parts = [
            part("1", "2026-08-01", "60.00", base_amount=Decimal("420.00")),
            part("2", "2026-12-01", "40.00", disputed_amount=Decimal("40.00")),
        ]
        save(tx, "instalments", parts, ledger_currency="CNY")
        row = positions.totals(tx, DAY)[0]
        assert (row.overdue, row.undisputed_overdue, row.disputed) == (6_000, 6_000, 4_000)
        # 710.00 less the stated 420.00 is the other's.
        row = positions.totals(tx, DAY, view="ledger", ledger_currency="CNY")[0]
        assert (row.overdue, row.undisputed_overdue, row.disputed, row.receivables) == (42_000, 42_000, 29_000, 71_000)
        # Where each states its own and they differ from the document, the document is the ledger's word.
        parts[1] = part("2", "2026-12-01", "40.00", base_amount=Decimal("280.00"))
        save(tx, "instalments", [kept(p, "2") for p in parts], ledger_currency="CNY")
        row = positions.totals(tx, DAY, view="ledger", ledger_currency="CNY")[0]
        assert (row.overdue, row.receivables) == (42_000, 71_000)
        # Without a word of their own the document's dispute concerns the earliest, as before.
        assert (positions.totals(tx, DAY)[0].undisputed_overdue, positions.totals(tx, DAY)[0].disputed) == (
            2_000,
            4_000,
        )


def test_stated_base_amounts_and_exchange_differences_close_the_ledger(store: Store) -> None:
    with store.writing() as tx:
        save(
            tx,
            "documents",
            [
                invoice("D1", 10_000, currency="USD", base_amount=71_000),
                invoice("X1", 0, currency="USD", base_amount=2_000, due_on=None, issued_on=dt.date(2026, 8, 1)),
            ],
            ledger_currency="CNY",
        )
        save(
            tx,
            "payments",
            [
                Payment(
                    id="P1",
                    customer_id="C1",
                    received_on=dt.date(2026, 8, 1),
                    currency="USD",
                    amount=10_000,
                    base_amount=73_000,
                )
            ],
        )
        save(tx, "applications", [applied("P1", "D1", "100.00", base_amount=Decimal("710.00"))])
        rows = positions.totals(tx, DAY, view="ledger", ledger_currency="CNY")
        assert [(r.receivables, r.cash) for r in rows] == [(2_000, 2_000)]
        assert positions.totals(tx, DAY) == [] or all(r.receivables == r.cash == 0 for r in positions.totals(tx, DAY))
        save(tx, "applications", [applied("P1", "X1", "0", base_amount=Decimal("20.00"))])
        assert positions.totals(tx, DAY, view="ledger", ledger_currency="CNY") == []
        before = positions.totals(tx, dt.date(2026, 7, 31), view="ledger", ledger_currency="CNY")
        assert [r.receivables for r in before] == [71_000]


# --- quarantine and problems ------------------------------------------------------------------------------------------
def test_a_bad_record_keeps_its_last_good_facts_until_it_is_mended(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [kept(invoice("D1", 100))])
        assert save(tx, "documents", [Kept("D1", {"x": 1}, "2", None, [fixable()])]) == Counts(changed=1, quarantined=1)
        assert balance(tx) == 100
        found = problems.problems(tx)
        assert [(p.system, p.stream, p.ref, p.problem.code) for p in found] == [
            ("books", "documents", "D1", "bad_date")
        ]
        assert found[0].problem.what.zh == "不是日期。"
        one = records.one(tx, "books", "documents", "D1")
        assert one is not None
        assert (one.quarantined, one.body) == (True, {"x": 1})
    later = NOW + dt.timedelta(days=1)
    with store.writing() as tx:
        save(tx, "documents", [kept(invoice("D1", 90), "3")], now=later)
        assert balance(tx) == 90
        assert problems.problems(tx) == []
        gone = problems.problems(tx, open_only=False)[0]
        assert (gone.first_seen, gone.resolved_at) == (NOW, later)


def test_a_record_that_says_something_and_has_a_problem_counts(store: Store) -> None:
    with store.writing() as tx:
        counts = save(tx, "documents", [Kept("D1", {}, "1", [invoice("D1", 100)], [fixable()])])
        assert (counts, balance(tx)) == (Counts(new=1), 100)
        assert len(problems.problems(tx)) == 1


@pytest.mark.parametrize(
    ("fact", "code", "field"),
    [
        (invoice("D1", 2**63), "too_large", "amount"),
        (invoice("D1", 10**16 + 1), "too_large", "amount"),
        (invoice("D1", base_amount=-(2**64)), "too_large", "base_amount"),
        (invoice("D" * 256), "id_too_long", "id"),
        (invoice("D\x00"), "not_text", "id"),
        (invoice("D1", number="\ud800"), "not_text", "number"),
        (applied("P1", "D1", "1E+40"), "too_large", "amount"),
        (Rate(on=DAY, from_currency="USD", to_currency="CNY", rate=Decimal("NaN")), "too_large", "rate"),
    ],
)
def test_what_no_database_can_hold_is_a_problem_and_the_rest_goes_on(
    store: Store, fact: Fact, code: str, field: str
) -> None:
    with store.writing() as tx:
        page = [Kept("bad", {"any": "thing"}, "1", [fact]), kept(invoice("D2", 5))]
        counts = save(tx, "documents", page)
        assert counts.new == 2
        assert balance(tx) == 5
        assert [(p.ref, p.problem.code, p.problem.field) for p in problems.problems(tx)] == [("bad", code, field)]


def test_the_largest_amounts_add_up_exactly(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice(f"D{n}", 10**16 - n) for n in range(200)])
        assert balance(tx) == 200 * 10**16 - sum(range(200))


# --- stamp and sweep --------------------------------------------------------------------------------------------------
def test_a_full_reading_sweeps_what_it_has_not_seen_only_at_its_end(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 1), invoice("D2", 2), invoice("D3", 4)], full=True)
        assert balance(tx) == 7
    # the second reading, in three pages, as if by three processes
    with store.writing() as tx:
        save(tx, "documents", [Kept("D1", None, "x", None)], full=True, last=False, cursor=1)
    with store.writing() as tx:
        save(tx, "documents", [kept(invoice("D4", 8))], full=True, last=False, cursor=2)
        assert balance(tx) == 15
    with store.writing() as tx:
        counts = save(tx, "documents", [], full=True, last=True, cursor=3)
        assert counts.gone == 2
        assert balance(tx) == 9


def test_a_reading_begun_anew_does_not_count_what_the_broken_one_saw(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 1), invoice("D2", 2)], full=True)
        save(tx, "documents", [Kept("D2", None, "x", None)], full=True, last=False)
        facts.forget_cursor(tx, "books", "documents")
        assert facts.cursor(tx, "books", "documents") is None
        save(tx, "documents", [Kept("D1", None, "x", None)], full=True, last=True)
        assert balance(tx) == 1


def test_changes_after_a_full_reading_are_not_swept_by_the_next(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 1)], full=True)
        save(tx, "documents", [kept(invoice("D2", 2))])
        page = [Kept("D1", None, "x", None), Kept("D2", None, "1", None)]
        assert save(tx, "documents", page, full=True).gone == 0
        assert balance(tx) == 3


def test_sweep_removes_what_is_not_in_the_list_of_keys(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("D1", 1), invoice("D2", 2)])
        save(tx, "others", [invoice("D3", 4)])
        assert facts.sweep(tx, "books", "documents", ["D2"], NOW) == 1
        assert balance(tx) == 6


def test_nothing_of_a_page_stays_when_its_transaction_fails(store: Store) -> None:
    def crash() -> None:
        with store.writing() as tx:
            save(tx, "documents", [invoice("D1", 1)], cursor=5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    with store.reading() as tx:
        assert facts.cursor(tx, "books", "documents") is None
        assert marks.changed(tx) == []
        assert customers.customers(tx) == []


def test_when_a_system_was_last_read_to_the_end(store: Store) -> None:
    later = NOW + dt.timedelta(hours=3)
    with store.writing() as tx:
        assert facts.complete_since(tx, "books") is None
        save(tx, "documents", [invoice("D1", 1)])
        assert facts.complete_since(tx, "books") == NOW
        save(tx, "payments", [], last=False, now=later)
        assert facts.complete_since(tx, "books") is None
        save(tx, "payments", [], last=True, now=later)
        save(tx, "documents", [], last=False, now=later)
        assert facts.complete_since(tx, "books") == NOW


# --- records and remapping --------------------------------------------------------------------------------------------
def test_records_are_kept_verbatim_and_mapped_anew(store: Store) -> None:
    body = {"n": Decimal("12345678901234567.89"), "名称": "上海", "long": "x" * 2000, "on": "2026-01-01", "no": None}
    with store.writing() as tx:
        save(
            tx,
            "documents",
            [Kept("D1", body, "1", [invoice("D1", 1)], where="documents.csv:2"), kept(invoice("D2", 2))],
        )
        stale = records.mapped_otherwise(tx, "books", "documents", "m2")
        assert [(s.key, s.where) for s in stale] == [("D1", "documents.csv:2"), ("D2", "")]
        assert records.mapped_otherwise(tx, "books", "documents", "m1") == []
        assert records.bodies(tx, "books", "documents", ["D1"])["D1"] == body
        assert [r.key for r in records.kept(tx, "books", "documents", 1)] == ["D2"]
        again = [Kept("D1", body, "1", [invoice("D1", 50)])]
        facts.save_again(tx, "books", "documents", records=again, now=NOW, mapping_version="m2")
        assert balance(tx) == 52
        assert [s.key for s in records.mapped_otherwise(tx, "books", "documents", "m2")] == ["D2"]
        assert records.expire(tx, NOW + dt.timedelta(seconds=1)) == 2
        assert "D1" not in records.bodies(tx, "books", "documents", ["D1"])
        assert facts.unchanged(tx, "books", "documents", [("D1", "1")], "m2") == {"D1"}
        assert save(tx, "documents", [Kept("D1", None, "1", None)], full=True).gone == 1


# --- marks ------------------------------------------------------------------------------------------------------------
def test_marks_name_the_customers_whose_facts_changed(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id="C1", name="a"), Customer(id="C2", name="b"), Customer(id="C3", name="c")])
        keys = {row.ref: row.key for row in customers.customers(tx)}
        assert marks.changed(tx) == sorted(keys.values())
        marks.clear(tx, list(keys.values()), marks.upto(tx))
        assert marks.changed(tx) == []
        save(tx, "documents", [kept(invoice("D1", 1))])
        assert marks.changed(tx) == [keys["C1"]]
        upto = marks.upto(tx)
        save(tx, "documents", [kept(invoice("D2", 1, customer_id="C2")), kept(invoice("D1", 2), "2")])
        marks.clear(tx, list(keys.values()), upto)
        assert marks.changed(tx) == [keys["C1"], keys["C2"]]  # touched again since
        marks.clear_marks(tx, marks.marks(tx))
        save(tx, "documents", [Kept("D1", None, "2", None)])
        assert marks.changed(tx) == []
        save(tx, "payments", [Payment(id="P1", customer_id="C3", received_on=DAY, currency="CNY", amount=1)])
        save(tx, "applications", [applied("P1", "D1", "0.01")])
        assert marks.changed(tx) == [keys["C1"], keys["C3"]]


def test_a_new_rate_concerns_those_with_foreign_items_only(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id=c, name=c, currency="CNY") for c in ("C1", "C2", "C3")])
        save(tx, "documents", [invoice("D1", 1, currency="USD"), invoice("D2", 1, customer_id="C2")])
        keys = {row.ref: row.key for row in customers.customers(tx)}
        marks.clear_marks(tx, marks.upto(tx))
        save(tx, "rates", [Rate(on=DAY, from_currency="USD", to_currency="CNY", rate=Decimal("7.1"))])
        assert marks.changed(tx) == [keys["C1"]]


def test_sales_by_month_follow_every_change(store: Store) -> None:
    def months() -> list[tuple[dt.date, Decimal]]:
        return [(s.month, s.amount) for s in history.sales_by_month(tx)]

    july, august = dt.date(2026, 7, 1), dt.date(2026, 8, 1)
    with store.writing() as tx:
        credit = invoice("D3", 200, kind="credit_note", issued_on=dt.date(2026, 8, 31))
        save(tx, "documents", [kept(invoice("D1", 1_000)), kept(invoice("D2", 500)), kept(credit)])
        assert months() == [(july, Decimal("15.00")), (august, Decimal("-2.00"))]
        save(tx, "documents", [kept(invoice("D1", 900, issued_on=dt.date(2026, 8, 9)), "2")])
        assert months() == [(july, Decimal("5.00")), (august, Decimal("7.00"))]
        save(tx, "documents", [kept(invoice("D2", 500, voided_on=DAY), "2")], gone=["D3"])
        assert months() == [(august, Decimal("9.00"))]


def test_applications_without_an_id_that_say_the_same_are_told_and_not_lost_without_a_word(store: Store) -> None:
    twice = [applied("P1", "I1", "30"), applied("P1", "I1", "30")]
    with store.writing() as tx:
        save(tx, "documents", [invoice("I1")])
        save(tx, "payments", [receipt("P1", 6_000)])
        save(tx, "applications", [kept(fact, key=f"row{at}") for at, fact in enumerate(twice)])
    with store.reading() as tx:
        (told,) = [p for p in problems.problems(tx) if p.problem.code == "said_twice"]
        assert len(tx.execute(select(tables.application.c.id)).all()) == 1
    assert "row0" in told.problem.what.en
    assert "row0" in told.problem.what.zh
    with store.writing() as tx:  # the same with ids are two
        again = [applied("P1", "I1", "30", id=f"A{at}") for at in range(2)]
        save(tx, "applications", [kept(fact, "2", key=f"row{at}") for at, fact in enumerate(again)])
    with store.reading() as tx:
        assert tx.execute(select(tables.item.c.open_value).where(tables.item.c.ref == "I1")).scalar() == 4_000
        assert not [p for p in problems.problems(tx) if p.problem.code == "said_twice"]


def test_among_nothing_there_is_nothing_whatever_the_type(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "documents", [invoice("I1")])
        for column in (tables.item.c.ref, tables.item.c.id):
            assert tx.execute(select(tables.item.c.id).where(bulk.among(tx, column, []))).all() == []
        assert len(tx.execute(select(tables.item.c.id).where(bulk.among(tx, tables.item.c.ref, ["I1"]))).all()) == 1
