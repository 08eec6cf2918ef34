"""Reading: paths, absent values, constants, conditions, parts of a record, money by its currency."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import mapping as mappings
from connector.adapter import Record
from connector.mapping import Context, Mapping
from connector.model import Customer, Document, Instalment, columns
from connector.money import from_minor

CONTEXT = Context(time_zone="Asia/Shanghai", base="CNY", system="books")
DAY = dt.date.fromisoformat


def load(body: str) -> Mapping:
    mapping, problems = mappings.load('adapter = "any"\n' + body, name="any.toml")
    assert mapping is not None, problems
    return mapping


def customer(fields: str, data: dict[str, Any], head: str = "") -> Any:
    mapping = load(
        f'[read.customer]\nstream = "s"\n{head}\n[read.customer.fields]\nid = "id"\nname = {{ from = "name", default = "?" }}\n{fields}\n'
    )
    facts, problems = mapping.read("s", Record("k", {"id": "1", **data}), context=CONTEXT)
    return facts[0] if facts else problems


@pytest.mark.parametrize(
    ("line", "data", "owner"),
    [
        ('owner = "o"', {"o": " x "}, "x"),
        ('owner = "o"', {"o": ""}, None),
        ('owner = "o"', {"o": "  "}, None),
        ('owner = "o"', {"o": False}, None),
        ('owner = "o"', {}, None),
        ('owner = "o.id"', {"o": {"id": 7}}, "7"),
        ('owner = "o.id"', {"o": None}, None),
        ('owner = "o.0"', {"o": [7, "Li"]}, "7"),
        ('owner = "o.5"', {"o": [7, "Li"]}, None),
        ('owner = "o.1.name"', {"o": [{}, {"name": "Li"}]}, "Li"),
        ('owner = "Inv. No"', {"Inv. No": "5"}, "5"),
        ('owner = { from = "o", default = "nobody" }', {"o": None}, "nobody"),
        ('owner = { from = "o", default = "nobody" }', {"o": "Li"}, "Li"),
        ('owner = { first = ["a.b", "c"] }', {"a": {"b": ""}, "c": "z"}, "z"),
        ('owner = { first = ["a.b", "c"] }', {"a": {"b": "y"}, "c": "z"}, "y"),
        ('owner = { value = "fixed" }', {"o": "x"}, "fixed"),
        ('owner = { from = "o", prefix = "U-" }', {"o": 7}, "U-7"),
        ('owner = { from = "o", prefix = "U-" }', {"o": ""}, None),
        ('owner = { from = "o", values = { 7 = "Li", true = "Wang" } }', {"o": Decimal("7.0")}, "Li"),
        ('owner = { from = "o", values = { 7 = "Li", true = "Wang" } }', {"o": True}, "Wang"),
        ('owner = { from = "o", values = { a = "Li" } }', {"o": "A"}, "Li"),
        ('owner = { from = "o", values = { a = "Li" } }', {"o": "other"}, "other"),
        ('owner = { from = "o", values = { default = "Li", value = "Wang" } }', {"o": "default"}, "Li"),
        ('owner = { from = "o", values = { false = "none" } }', {"o": False}, "none"),
    ],
)
def test_where_a_value_comes_from(line: str, data: dict[str, Any], owner: str | None) -> None:
    assert customer(line, data).owner == owner


def test_words_of_a_list() -> None:
    line = 'status = { from = "active", values = { true = "active", false = "inactive" } }'
    assert [customer(line, {"active": v}).status for v in (True, False, None, "blocked")] == [
        "active",
        "inactive",
        "active",
        "blocked",
    ]
    (problem,) = customer(line, {"active": "perhaps"})
    assert (problem.where, problem.field, problem.code) == ("books/s/k", "active", "unknown_word")


def test_a_record_may_be_left_out() -> None:
    head = (
        'where = { state = ["posted", "paid"], "partner.customer" = [true] }\nunless = { gone = ["true"], test = [1] }'
    )
    ok = {"state": "paid", "partner": {"customer": True}}
    assert isinstance(customer("", ok, head), Customer)
    for other in ({"state": "draft"}, {"state": None}, {"partner": {"customer": False}}, {"gone": True}, {"test": 1}):
        assert customer("", {**ok, **other}, head) == [], other
    assert isinstance(customer("", {"gone": None}, "where = { gone = [] }"), Customer)
    assert customer("", {"gone": "yes"}, "where = { gone = [] }") == []
    assert customer("", {}, "unless = { gone = [] }") == []


LINES = """
[read.document]
stream = "invoices"
[read.document.fields]
id = "number"
customer_id = "party.code"
kind = { value = "invoice" }
issued_on = "date"
currency = "currency"
amount = { from = "total", absolute = true }
base_amount = "company_total"
disputed_amount = { from = "disputed", negate = true }

[read.instalment]
stream = "invoices"
each = "lines"
unless = { done = [true] }
[read.instalment.fields]
document_id = "^.number"
number = "no"
due_on = { from = "due", format = "%d.%m.%Y" }
amount = "amount"
"""
INVOICE = {
    "number": "I1",
    "party": {"code": "C1"},
    "date": "2026-09-01",
    "currency": "JPY",
    "total": Decimal("-1500"),
    "company_total": "71.70",
    "disputed": -10,
    "lines": [
        {"no": 1, "due": "01.10.2026", "amount": Decimal("1000.5")},
        {"no": 2, "due": "01.11.2026", "amount": 1, "done": True},
        {"no": 3, "due": "31.11.2026", "amount": 1},
    ],
}


def test_a_record_and_its_parts() -> None:
    mapping = load(LINES)
    facts, problems = mapping.read("invoices", Record("9", INVOICE), context=CONTEXT)
    assert facts == [
        Document(
            id="I1", customer_id="C1", kind="invoice", issued_on=DAY("2026-09-01"), currency="JPY", amount=1500,
            base_amount=7170, disputed_amount=10,
        ),
        Instalment(document_id="I1", number="1", due_on=DAY("2026-10-01"), amount=Decimal("1000.5")),
    ]  # fmt: skip
    assert [(p.where, p.field, p.what.en) for p in problems] == [
        ("books/invoices/9", "due", "“31.11.2026” is not a date of the form %d.%m.%Y.")
    ]
    assert mapping.streams() == ("invoices",)
    assert mapping.facts("invoices") == ("document", "instalment")
    assert mapping.wanted("invoices") == (
        "number", "party.code", "date", "currency", "total", "company_total", "disputed",
        "lines.no", "lines.due", "lines.amount", "lines.done",
    )  # fmt: skip


@pytest.mark.parametrize("lines", [{"no": 1}, "text", [1, 2]])
def test_parts_that_are_none(lines: Any) -> None:
    facts, problems = load(LINES).read("invoices", Record("9", {**INVOICE, "lines": lines}), context=CONTEXT)
    assert len(facts) == 1
    assert [(p.code, p.field, p.what.zh) for p in problems] == [("not_a_list", "lines", "`lines` 不是明细列表。")]


def test_a_record_without_parts() -> None:
    assert len(load(LINES).read("invoices", Record("9", {**INVOICE, "lines": None}), context=CONTEXT)[0]) == 1


def test_an_optional_value_that_is_wrong_is_not_read_as_unknown() -> None:
    facts, problems = load(LINES).read(
        "invoices", Record("9", {**INVOICE, "disputed": "?", "lines": []}), context=CONTEXT
    )
    assert facts == []
    assert [p.field for p in problems] == ["disputed"]


def test_what_the_adapter_added_is_not_asked_of_the_system() -> None:
    mapping = load(
        '[read.customer]\nstream = "s"\nwhere = { _kind = ["a"] }\n[read.customer.fields]\nid = "_id"\nname = "name"\n'
    )
    assert mapping.wanted("s") == ("name",)
    assert mapping.read("s", Record("1", {"_id": 5, "name": "A", "_kind": "a"}), context=CONTEXT)[0][0].id == "5"  # type: ignore[union-attr]


def test_try_shows_before_and_after_and_the_problem() -> None:
    steps = list(load(LINES).trace("invoices", Record("9", {**INVOICE, "currency": "EURO"}), context=CONTEXT))
    shown = {(s.table, s.field): (s.before, s.after, s.problem.code if s.problem else "") for s in steps}
    assert shown["document", "customer_id"] == ("C1", "C1", "")
    assert shown["document", "currency"] == ("EURO", "", "no_currency")
    assert shown["instalment", "due_on"] == ("31.11.2026", "", "not_a_date")
    assert ("document", "kind") in shown


def test_the_version_is_of_the_text() -> None:
    assert load(LINES).version == load(LINES).version != load(LINES + "\n# note\n").version


@given(
    st.sampled_from(["CNY", "JPY", "KWD", "CLF"]),
    st.integers(min_value=0, max_value=2**62),
    st.sampled_from(["text", "decimal"]),
)
def test_money_is_exact_whatever_its_currency(currency: str, minor: int, form: str) -> None:
    mapping = load(LINES.split("[read.instalment]")[0])
    amount = from_minor(minor, currency)
    data = {**INVOICE, "currency": currency, "total": str(amount) if form == "text" else amount, "disputed": None}
    facts, problems = mapping.read("invoices", Record("9", data), context=CONTEXT)
    assert problems == []
    assert [f.amount for f in facts] == [minor]  # type: ignore[union-attr]


def test_every_field_of_every_fact_can_be_mapped() -> None:
    from connector.mapping_field import shapes
    from connector.model import FACTS

    assert len(FACTS) >= 13
    for fact in FACTS:
        assert set(shapes(fact)) == set(columns(fact))
    money = {(fact, name) for fact in FACTS for name, s in shapes(fact).items() if s.kind == "money"}
    assert money == {
        ("limit", "amount"), ("document", "amount"), ("document", "base_amount"), ("document", "disputed_amount"),
        ("payment", "amount"), ("payment", "base_amount"), ("order", "amount"), ("order", "invoiced_amount"),
        ("order", "delivered_amount"), ("promise", "amount"),
    }  # fmt: skip
