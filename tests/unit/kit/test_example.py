"""The made-up company: the same for the same seed, whole in its books, and with everything in it that a credit desk sees."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from connector.example import AS_OF, Company, accounts, company, due_date, parts
from connector.identity import is_credit_code, likeness, normal_name
from connector.money import exponent, to_minor_exact


@pytest.fixture(scope="module")
def made() -> Company:
    return company(400, 3)


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert company(30, 5) == company(30, 5)
    assert company(30, 5).documents != company(30, 6).documents
    assert accounts(company(30, 5), 2) == accounts(company(30, 5), 2)


def test_a_customer_is_the_same_whatever_the_size_of_the_company() -> None:
    small, large = company(20, 4), company(300, 4)
    assert small.customers == large.customers[:20]
    few = {c.id for c in small.customers}
    assert small.documents == [d for d in large.documents if d.customer_id in few]
    assert small.limits == [x for x in large.limits if x.customer_id in few]


def test_in_parts_it_is_the_same_company() -> None:
    whole = company(70, 2)
    pieces = list(parts(70, 2, size=20))
    assert [len(p.customers) for p in pieces] == [20, 20, 20, 10]
    assert [d for p in pieces for d in p.documents] == whole.documents
    assert [len(p.people) > 0 for p in pieces] == [True, False, False, False]


def test_customers_are_numbered_and_all_names_and_codes_differ() -> None:
    big = company(12_000, 8, documents_per_customer=0)
    assert big.customers[0].id == "C0001"
    assert big.customers[-1].id == "C12000"
    assert len({normal_name(c.name) for c in big.customers}) == 12_000
    codes = [c.tax_id for c in big.customers if c.tax_id]
    assert all(is_credit_code(c) for c in codes)
    assert len(set(codes)) == len(codes)
    assert 0.45 < len(codes) / 12_000 < 0.60
    assert big.documents == []


def test_the_books_are_whole(made: Company) -> None:
    customers = {c.id for c in made.customers}
    people = {p.id for p in made.people}
    documents = {d.id: d for d in made.documents}
    payments = {p.id: p for p in made.payments}
    assert len(documents) == len(made.documents)
    assert len(payments) == len(made.payments)
    assert not set(documents) & set(payments)
    for of in (made.documents, made.payments, made.orders, made.limits):
        assert of
        assert {x.customer_id for x in of} <= customers
    assert {c.owner for c in made.customers if c.owner} <= people
    assert {line.order_id for line in made.order_lines} == {o.id for o in made.orders}

    applied_to: dict[str, int] = defaultdict(int)
    applied_from: dict[str, int] = defaultdict(int)
    for one in made.applications:
        target = documents[one.to_id]
        source = payments.get(one.from_id) or documents[one.from_id]
        assert source.customer_id == target.customer_id
        assert target.voided_on is None
        assert target.status == "posted"
        assert one.applied_on <= made.as_of
        began = source.received_on if one.from_id in payments else source.issued_on  # type: ignore[union-attr]
        assert one.applied_on >= began
        if one.reversed_on is None:
            applied_to[one.to_id] += to_minor_exact(one.amount, target.currency)
            applied_from[one.from_id] += to_minor_exact(one.amount, target.currency)
    assert all(documents[k].amount >= v for k, v in applied_to.items())
    assert all((payments.get(k) or documents[k]).amount >= v for k, v in applied_from.items())

    parts_of: dict[str, int] = defaultdict(int)
    for part in made.instalments:
        parts_of[part.document_id] += to_minor_exact(part.amount, documents[part.document_id].currency)
    assert parts_of
    assert all(documents[k].amount == v for k, v in parts_of.items())


def test_nothing_is_of_tomorrow_and_money_is_whole_and_positive(made: Company) -> None:
    assert made.as_of == AS_OF
    assert max(d.issued_on for d in made.documents) <= AS_OF
    assert max(p.received_on for p in made.payments) <= AS_OF
    assert max(o.ordered_on for o in made.orders) <= AS_OF
    for one in (*made.documents, *made.payments):
        assert isinstance(one.amount, int)
        assert one.amount > 0
        assert (one.base_amount is None) == (one.currency == made.currency)


def test_an_order_is_the_sum_of_its_lines(made: Company) -> None:
    gross: dict[str, Decimal] = defaultdict(Decimal)
    for line in made.order_lines:
        assert line.tax_rate is not None
        gross[line.order_id] += line.quantity * line.unit_price * (1 + line.tax_rate)
    for order in made.orders:
        step = Decimal(10) ** exponent(order.currency)
        assert order.amount is not None
        assert abs(order.amount - gross[order.id] * step) <= Decimal("0.5")


def test_everything_a_credit_desk_sees_is_there(made: Company) -> None:
    assert {x.kind for x in made.limits} == {
        "base", "unlimited", "override", "additive", "guarantee", "seasonal", "stage",
    }  # fmt: skip
    assert len(made.customers) - len({x.customer_id for x in made.limits}) >= 20, "customers without a limit"
    assert {o.status for o in made.orders} == {"draft", "open", "closed", "cancelled"}
    assert {d.kind for d in made.documents} == {"invoice", "debit_note", "credit_note"}
    assert {p.kind for p in made.payments} == {"receipt", "write_off"}
    assert any(d.disputed_amount for d in made.documents)
    assert any(d.status == "draft" for d in made.documents)
    assert any(d.voided_on for d in made.documents)
    assert any(a.reversed_on for a in made.applications)
    assert any(p.voided_on for p in made.payments)
    assert len({c.currency for c in made.customers}) == 4
    lines = [x for x in made.order_lines if x.quantity_delivered and x.quantity_delivered < x.quantity]
    assert lines, "partly delivered orders"
    parents = {c.parent_id for c in made.customers if c.parent_id}
    by_id = {c.id: c for c in made.customers}
    assert any(by_id[p].parent_id for p in parents), "a group of three levels"
    assert {c.status for c in made.customers} == {"active", "blocked", "inactive"}
    used = {a.from_id for a in made.applications}
    assert any(p.id not in used for p in made.payments), "money on account"
    assert any(d.kind == "credit_note" and d.id not in used for d in made.documents), "open credit notes"


def test_customers_pay_from_promptly_to_not_at_all(made: Company) -> None:
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for a in made.applications:
        if a.reversed_on is None:
            paid[a.to_id] += a.amount
    worst: Counter[str] = Counter({c.id: 0 for c in made.customers})
    for d in made.documents:
        whole = Decimal(d.amount).scaleb(-exponent(d.currency))
        if d.kind == "invoice" and d.status == "posted" and not d.voided_on and paid[d.id] < whole and d.due_on:
            worst[d.customer_id] = max(worst[d.customer_id], (AS_OF - d.due_on).days)
    bands = Counter(0 if w <= 0 else 1 if w <= 30 else 2 if w <= 90 else 3 for w in worst.values())
    assert min(bands[b] for b in range(4)) >= 8, bands
    assert bands[2] + bands[3] < 80, bands  # most are no worse than a little late
    assert bands[0] > bands[3]


def test_some_customers_are_above_their_limit_and_most_are_not(made: Company) -> None:
    open_: dict[str, int] = defaultdict(int)
    for d in made.documents:
        if d.status == "posted" and not d.voided_on:
            open_[d.customer_id] += -d.amount if d.kind == "credit_note" else d.amount
    for p in made.payments:
        if not p.voided_on:
            open_[p.customer_id] -= p.amount
    base = {x.customer_id: x.amount for x in made.limits if x.kind == "base" and x.amount}
    above = [c for c, amount in base.items() if open_[c] > amount]
    assert 0.02 < len(above) / len(base) < 0.12


def test_rates_reach_back_to_the_first_document(made: Company) -> None:
    there = {(r.from_currency, r.on.year, r.on.month) for r in made.rates}
    assert {r.from_currency for r in made.rates} == {"USD", "EUR", "JPY"}
    for d in made.documents:
        assert d.currency == made.currency or (d.currency, d.issued_on.year, d.issued_on.month) in there


def test_few_customers_make_most_of_the_sales(made: Company) -> None:
    sales: Counter[str] = Counter()
    for d in made.documents:
        if d.currency == "CNY" and d.kind == "invoice":
            sales[d.customer_id] += d.amount
    top = sum(v for _, v in sales.most_common(len(sales) // 5))
    assert top > 0.5 * sum(sales.values())


@pytest.mark.parametrize(
    ("issued", "terms", "due"),
    [
        ("2026-01-31", "net:30", "2026-03-02"),
        ("2026-01-31", "months:1", "2026-02-28"),
        ("2028-01-31", "months:1", "2028-02-29"),
        ("2026-11-10", "eom:30", "2026-12-30"),
        ("2026-11-10", "day:10:1", "2026-12-10"),
        ("2026-12-15", "day:31:2", "2027-02-28"),
    ],
)
def test_due_dates_of_the_domain_example_e5(issued: str, terms: str, due: str) -> None:
    assert due_date(dt.date.fromisoformat(issued), terms) == dt.date.fromisoformat(due)


def test_it_speaks_chinese_and_keeps_books_in_another_currency() -> None:
    chinese = company(100, 1, language="zh")
    home = [c for c in chinese.customers if c.country == "CN"]
    assert all("有限公司" in c.name for c in home)
    assert all(len(p.name) in (2, 3) for p in chinese.people)
    euro = company(100, 1, currency="EUR")
    assert euro.currency == "EUR"
    assert {r.to_currency for r in euro.rates} == {"EUR"}
    assert "EUR" not in {r.from_currency for r in euro.rates}
    assert any(c.currency == "EUR" for c in euro.customers)


# --- the CRM's side --------------------------------------------------------------------------------------------------
def test_accounts_show_the_same_customers_in_every_degree_of_likeness() -> None:
    made = company(3000, 2, documents_per_customer=0)
    shown = accounts(made, 1)
    assert len({a.id for a in shown}) == len(shown)
    by_ref = {c.id: c for c in made.customers}
    by_tax = {c.tax_id: c for c in made.customers if c.tax_id}
    by_name = {normal_name(c.name): c for c in made.customers}
    how: Counter[str] = Counter()
    for account in shown:
        name = normal_name(account.name)
        if account.external_id:
            how["id"] += 1
            assert by_ref[account.external_id].name == account.name
        elif account.tax_id:
            how["tax"] += 1
            assert name != normal_name(by_tax[account.tax_id].name)
        elif name in by_name:
            how["name"] += 1
            assert account.name != by_name[name].name
        elif account.segment == "prospect":
            how["prospect"] += 1
        else:
            how["near"] += 1
            assert max(likeness(name, other) for other in by_name) >= 0.8
    total = len(made.customers)
    assert 0.57 < how["id"] / total < 0.63
    assert 0.15 < how["tax"] / total < 0.27
    assert 0.10 < how["name"] / total < 0.20
    assert 0.02 < how["near"] / total < 0.06
    missing = total - (len(shown) - how["prospect"])
    assert 0.001 < missing / total < 0.02
    assert how["prospect"] == total // 25


def test_accounts_know_what_a_crm_knows_and_no_more() -> None:
    shown = accounts(company(100, 1))
    assert all(a.terms is None and a.parent_id is None and a.first_sold_on is None for a in shown)
    assert sum(a.owner is not None for a in shown) > 80
