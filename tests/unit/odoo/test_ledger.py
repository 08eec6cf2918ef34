"""The ledger: what each kind of receivable item becomes, and that balances of any day are the company's own."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from connector import example
from connector.credit.ageing import age, open_items
from connector.errors import ConfigError
from connector.model import Application, Document, Payment

from .conftest import Office, Open

DAYS = (dt.date(2026, 11, 23), dt.date(2026, 9, 30), dt.date(2026, 3, 15))


def of(facts: list[Any], kind: type) -> list[Any]:
    return [f for f in facts if isinstance(f, kind)]


def balances(facts: list[Any], day: dt.date, *, ledger: str | None = None) -> dict[str, Any]:
    """Customer → ageing of a day, in document currency, or by base amounts in the ledger's."""
    documents, payments, applications = of(facts, Document), of(facts, Payment), of(facts, Application)
    owner = {f.id: f.customer_id for f in [*documents, *payments]}
    if ledger:
        documents = [dataclasses.replace(d, currency=ledger, amount=d.base_amount) for d in documents]
        payments = [dataclasses.replace(p, currency=ledger, amount=p.base_amount) for p in payments]
        applications = [dataclasses.replace(a, amount=a.base_amount, from_amount=None) for a in applications]
    mine: dict[str, list[Any]] = {}
    for item in open_items(documents, [], payments, applications, day):
        mine.setdefault(owner[item.ref], []).append(item)
    return {customer: age(items, day) for customer, items in mine.items()}


LEDGER = ("items", "payments_in_process", "applications")


@pytest.mark.parametrize("day", DAYS)
def test_every_customers_ageing_is_the_companys_own(either: Office, day: dt.date) -> None:
    company = example.company(20, 1)
    ids = {r["ref"]: str(r["id"]) for r in either.sandbox.shelf.all("res.partner") if r.get("ref")}
    found = balances(either.facts(*LEDGER), day)
    # The sandbox keeps no bounced payments: Odoo forgets a cancelled one's reconciliation, so they count nowhere.
    payments = [p for p in company.payments if p.voided_on is None]
    applications = [a for a in company.applications if a.reversed_on is None]
    owner = {f.id: f.customer_id for f in [*company.documents, *company.payments]}
    expected: dict[str, list[Any]] = {}
    for item in open_items(company.documents, company.instalments, payments, applications, day):
        expected.setdefault(ids[owner[item.ref.split("/")[0]]], []).append(item)
    assert {c: age(items, day) for c, items in expected.items()} == found
    assert len(found) > 8


def test_exchange_differences_count_from_the_day_of_their_cause(open_office: Open) -> None:
    """Odoo books them at the month's end: read by that date, paid invoices would owe some cents until then."""
    office = open_office(customers=60)
    moves = {r["exchange_move_id"] for r in office.sandbox.shelf.all("account.partial.reconcile")} - {False}
    assert len(moves) > 10
    facts = office.facts(*LEDGER)
    differences = [d for d in of(facts, Document) if d.amount == 0]
    assert len(differences) == len(moves)
    assert all(d.base_amount for d in differences)
    own_dates = {r["id"]: r["date"] for r in office.sandbox.shelf.all("account.move")}
    assert any(str(d.issued_on) < own_dates[office.row("account.move.line", d.id)["move_id"]] for d in differences)
    # On each day, what is closed in its own currency is closed in the ledger's too.
    for day in DAYS:
        open_now = {c for c, a in balances(facts, day).items()}
        assert {c for c, a in balances(facts, day, ledger="CNY").items()} <= open_now


ITEMS: list[tuple[str, dict[str, Any], type, str]] = [
    ("invoice", {"amount": "100.00"}, Document, "invoice"),
    ("receipt of a sale", {"amount": "100.00", "move_type": "out_receipt"}, Document, "invoice"),
    ("debit note", {"amount": "100.00", "debit_origin_id": 1}, Document, "debit_note"),
    ("credit note", {"amount": "-100.00", "move_type": "out_refund"}, Document, "credit_note"),
    ("instalment of a credit note that owes", {"amount": "100.00", "move_type": "out_refund"}, Document, "invoice"),
    ("opening balance", {"amount": "100.00", "move_type": "entry"}, Document, "invoice"),
    ("opening credit", {"amount": "-100.00", "move_type": "entry"}, Payment, "receipt"),
    ("payment", {"amount": "-100.00", "move_type": "entry", "payment_id": 1}, Payment, "receipt"),
    ("paid back", {"amount": "100.00", "move_type": "entry", "payment_id": 1}, Payment, "refund"),
]


@pytest.mark.parametrize(("what", "values", "kind", "word"), ITEMS, ids=[i[0] for i in ITEMS])
def test_what_an_item_becomes(open_office: Open, what: str, values: dict[str, Any], kind: type, word: str) -> None:
    office = open_office()
    line = office.item(**values)
    fact = next(f for f in of(office.facts("items"), kind) if f.id == str(line["id"]))
    assert (fact.kind, fact.amount, fact.base_amount, fact.customer_id) == (word, 10000, 10000, "101")


def test_an_entry_against_an_expense_gives_the_debt_up(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="-250.00", move_type="entry", day="2026-11-02")
    office.add("account.move.line", move_id=line["move_id"], move_type="entry", parent_state="posted", partner_id=101,
               account_id=40, company_id=1, date="2026-11-02", currency_id=6, balance=Decimal("250.00"),
               amount_currency=Decimal("250.00"))  # fmt: skip
    fact = next(f for f in of(office.facts("items"), Payment) if f.id == str(line["id"]))
    assert (fact.kind, fact.received_on) == ("write_off", dt.date(2026, 11, 2))


def test_drafts_of_sales_are_drafts_and_other_drafts_are_nothing(open_office: Open) -> None:
    office = open_office()
    invoice = office.item(amount="10.00", state="draft")
    entry = office.item(amount="10.00", state="draft", move_type="entry")
    cancelled = office.item(amount="10.00", state="cancel")
    facts = {f.id: f for f in of(office.facts("items"), Document)}
    assert facts[str(invoice["id"])].status == "draft"
    assert str(entry["id"]) not in facts
    assert str(cancelled["id"]) not in office.rows("items")


def test_an_item_of_yen_has_whole_units(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="30000", base="1434.00", currency=25)
    fact = next(f for f in of(office.facts("items"), Document) if f.id == str(line["id"]))
    assert (fact.currency, fact.amount, fact.base_amount) == ("JPY", 30000, 143400)


def test_an_item_without_a_due_date_says_so(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="10.00", due=None, move_type="entry")
    fact = next(f for f in of(office.facts("items"), Document) if f.id == str(line["id"]))
    assert fact.due_on is None


def test_an_item_without_a_partner_is_a_problem_and_the_others_go_on(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="10.00", partner=False)  # type: ignore[arg-type]
    problems = office.problems("items")
    assert [p.where for p in problems] == [f"office/items/{line['id']}"]
    assert "customer_id" in problems[0].what.en


def test_the_debtor_is_the_company_behind_a_contact(open_office: Open) -> None:
    office = open_office()
    contact = office.add("res.partner", name="Ms. Zhou", is_company=False, parent_id=101, commercial_partner_id=101,
                         active=True, partner_share=True, customer_rank=0, company_id=False)  # fmt: skip
    line = office.item(amount="10.00", move_type="entry", partner=contact["id"])
    fact = next(f for f in of(office.facts("items"), Document) if f.id == str(line["id"]))
    assert fact.customer_id == "101"
    assert str(contact["id"]) not in office.rows("customers")


def test_only_trade_receivables_count_unless_accounts_are_listed(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="10.00", account_id=10)
    assert str(line["id"]) not in office.rows("items")
    assert list(office.rows("items", client=office.client(accounts=["132000"]))) == [str(line["id"])]


def test_an_account_that_is_none_is_named(open_office: Open) -> None:
    with pytest.raises(ConfigError) as wrong:
        open_office(accounts=["999999"]).rows("items")
    assert "“accounts” names 999999, which is no receivable account. There are: 121000, 132000." in wrong.value.user.en


def test_other_accounts_start_the_reading_over(open_office: Open) -> None:
    office = open_office()
    cursor = office.pages("items")[-1].cursor
    again = office.pages("items", cursor)
    assert not again[-1].full
    other = office.pages("items", cursor, office.client(accounts=["121000", "132000"]))
    assert other[-1].full


def test_a_blocked_invoice_is_disputed_and_seen_although_its_lines_are_not_stamped(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="70.00")
    office.change("res.partner", 101, phone="x")
    cursor = office.pages("items")[-1].cursor
    office.client().call("account.move", "action_toggle_block_payment", safe=False, ids=[line["move_id"]])
    changed = office.rows("items", cursor)
    assert changed[str(line["id"])]["_disputed"] == Decimal("70.00")
    kept = office.rows("items", client=office.client(blocked_is_disputed=False))
    assert kept[str(line["id"])]["_disputed"] is None


def test_a_posted_invoice_that_is_cancelled_gives_no_fact_any_more(open_office: Open) -> None:
    office = open_office()
    line = office.item(amount="70.00")
    cursor = office.pages("items")[-1].cursor
    office.change("account.move", line["move_id"], state="cancel")
    office.change("account.move.line", line["id"], parent_state="cancel")
    assert office.rows("items", cursor)[str(line["id"])]["_fact"] is None


def test_a_payment_without_entry_is_unapplied_cash_until_the_bank_books_it(open_office: Open) -> None:
    office = open_office()
    rows = office.rows("payments_in_process")
    assert len(rows) == 4
    assert all(
        f.id.startswith("payment-") and f.kind == "receipt" for f in of(office.facts("payments_in_process"), Payment)
    )
    cursor = office.pages("payments_in_process")[-1].cursor
    key = next(iter(rows))
    office.change("account.payment", int(key), state="paid")
    assert office.rows("payments_in_process", cursor)[key]["_kind"] is None
    assert office.rows("payments_in_process", client=office.client(payments_in_process=False)) == {}


def test_un_reconciling_shows_in_the_keys(open_office: Open) -> None:
    from adapters.odoo import ADAPTER

    office = open_office()
    stream = ADAPTER.stream("applications")
    assert stream.keys is not None
    assert stream.sweep == "always"
    before = {k for part in stream.keys(office.client()) for k in part}
    gone = sorted(before, key=int)[3]
    office.book().remove("account.partial.reconcile", int(gone))
    assert before - {k for part in stream.keys(office.client()) for k in part} == {gone}


def test_a_mere_crm_has_no_ledger(open_office: Open) -> None:
    office = open_office(roles=("crm",))
    for stream in (*LEDGER, "limits", "rates"):
        pages = office.pages(stream)
        assert [(list(p.records), p.last) for p in pages] == [([], True)]
    assert office.rows("customers")
