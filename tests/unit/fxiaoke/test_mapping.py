"""The mappings that are shipped: the one for a CRM, and the one for a tenant that keeps its receivables in Fxiaoke."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from importlib import resources
from typing import Any

import pytest

from adapters.fxiaoke import ADAPTER
from adapters.fxiaoke.sandbox_schema import CREDIT_FIELDS, TASK_FIELDS
from connector import mapping as mappings
from connector.adapter import Record
from connector.credit.ageing import age
from connector.credit.items import open_items
from connector.mapping import Context, Mapping
from connector.model import Application, Customer, Document, Instalment, Order, OrderLine, Payment, Person

SAMPLES = resources.files("adapters.fxiaoke").joinpath("samples")
CONTEXT = Context(time_zone="Asia/Shanghai", base="CNY", system="fx")


def _loaded(text: str) -> Mapping:
    mapping, problems = mappings.load(text, name="fxiaoke.toml", adapter=ADAPTER)
    assert problems == []
    assert mapping is not None
    return mapping


CRM = mappings.shipped("fxiaoke")
RECEIVABLES = SAMPLES.joinpath("receivables.toml").read_text(encoding="utf-8")


def _facts(mapping: Mapping, stream: str) -> list[Any]:
    found: list[Any] = []
    for data in json.loads(SAMPLES.joinpath(f"{stream}.json").read_text(encoding="utf-8"), parse_float=Decimal):
        facts, problems = mapping.read(stream, Record(data["_id"], data), context=CONTEXT)
        assert problems == []
        found += facts
    return found


def test_samples_of_a_crm_become_facts() -> None:
    mapping = _loaded(CRM)
    first, second = _facts(mapping, "customers")
    assert first == Customer(
        id="64f0a1b2c3d4e5f601234567",
        name="杭州星辰贸易有限公司",
        external_id="C0001",
        tax_id="91330100MA2AAAAA0X",
        owner="1001",
        email="finance@xingchen.example",
        phone="0571-88880001",
    )
    assert (second.external_id, second.tax_id, second.status) == (None, None, "active")
    assert _facts(mapping, "people")[1] == Person(id="1002", name="王芳", email="wang.fang@example.com", active=False)
    order, draft = _facts(mapping, "orders")
    assert order == Order(
        id="65a1b2c3d4e5f60123456789",
        number="20261103-0007",
        customer_id="64f0a1b2c3d4e5f601234567",
        ordered_on=dt.date(2026, 11, 3),
        ship_on=dt.date(2026, 12, 3),
        currency="CNY",
        amount=11300000,
        delivered_amount=4520000,
        invoiced_amount=3390000,
        owner="1001",
        status="open",
    )
    assert (draft.status, draft.currency, draft.amount, draft.delivered_amount) == ("draft", "USD", 820050, None)


def test_the_lines_that_are_commented_out_work_when_an_administrator_wants_them() -> None:
    text = CRM.replace("# [read.order_line", "[read.order_line")
    for line in ('stream = "orders"', 'each = "lines"', "order_id =", "line =", "quantity", "unit_price"):
        text = text.replace(f"# {line}", line)
    mapping = _loaded(text)
    lines = [f for f in _facts(mapping, "orders") if isinstance(f, OrderLine)]
    assert lines == [
        OrderLine(
            order_id="65a1b2c3d4e5f60123456789",
            line="65a1b2c3d4e5f6012345678a",
            quantity=Decimal("100.00"),
            quantity_delivered=Decimal("40.00"),
            unit_price=Decimal("1130.00"),
        )
    ]
    assert "lines.quantity" in mapping.wanted("orders")


def test_samples_of_receivables_age_as_can_be_checked_by_hand() -> None:
    mapping = _loaded(RECEIVABLES)
    documents, instalments = _facts(mapping, "orders"), _facts(mapping, "plans")
    payments, applications = _facts(mapping, "receipts"), _facts(mapping, "receipt_lines")
    assert [d.number for d in documents] == ["20261103-0007"]  # the one under review is no receivable yet
    # 113,000 in two parts: 33,900 due 11-03, 79,100 due 2027-01-02; 30,000 received and applied on 11-17.
    aged = age(open_items(documents, instalments, payments, applications, dt.date(2026, 11, 16)), dt.date(2026, 11, 16))
    assert (aged.buckets["1-30"], aged.buckets["current"], aged.unapplied) == (
        Decimal(33900),
        Decimal(79100),
        Decimal(0),
    )
    aged = age(open_items(documents, instalments, payments, applications, dt.date(2026, 11, 23)), dt.date(2026, 11, 23))
    assert (aged.buckets["1-30"], aged.buckets["current"], aged.unapplied) == (
        Decimal(3900),
        Decimal(79100),
        Decimal(0),
    )


def test_receivables_of_a_tenant_equal_its_own_records(tenant: Any) -> None:
    made = tenant(customers=120)
    mapping = _loaded(RECEIVABLES)
    found: dict[type, list[Any]] = defaultdict(list)
    for stream in ("customers", "orders", "plans", "receipts", "receipt_lines"):
        for fact in made.facts(stream, mapping):
            found[type(fact)].append(fact)
    day = dt.date(2026, 11, 23)
    items = open_items(found[Document], found[Instalment], found[Payment], found[Application], day)

    # The same from the tenant's own rows: what is ordered in force less what was received for it, by order.
    shelf = made.sandbox.shelf
    owed: dict[str, Decimal] = {
        o["_id"]: Decimal(o["order_amount"]) for o in shelf.all("SalesOrderObj") if o["life_status"] == "normal"
    }
    received = {p["_id"]: p["payment_time"] for p in shelf.all("PaymentObj")}
    midnight = int(dt.datetime(2026, 11, 23, 16, tzinfo=dt.UTC).timestamp() * 1000)  # end of the day in Shanghai
    lines = shelf.all("OrderPaymentObj")
    assert len(lines) > 10
    for line in lines:
        if received[line["payment_id"]] < midnight:
            owed[line["order_id"]] -= Decimal(line["payment_amount"])
    ours: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        ours[item.ref.partition("/")[0]] += item.amount
    assert {k: v for k, v in ours.items() if v} == {k: v for k, v in owed.items() if v}


@pytest.mark.parametrize("kind", ["customer_fields", "order_fields", "task"])
def test_the_sandboxs_administrator_made_what_the_mapping_needs(kind: Any) -> None:
    mapping = _loaded(CRM)
    channel = ADAPTER.channel(kind)
    assert channel is not None
    needed = {n.label for n in mapping.needs(kind, channel.object)}
    assert needed
    made = {label for of, label, _, _ in CREDIT_FIELDS if of == channel.object} | (
        {label for label, _ in TASK_FIELDS} if kind == "task" else set()
    )
    assert needed <= made


def test_a_quiet_day_costs_no_call() -> None:
    mapping = _loaded(CRM)
    words = {"limit": Decimal(100), "overdue": Decimal(5), "overdue_days": 45, "level": "red"}
    _, today = mapping.write("customer_fields", {**words, "as_of": dt.date(2026, 11, 23)})
    tomorrow = {**words, "overdue_days": 46, "as_of": dt.date(2026, 11, 24)}
    assert mapping.write("customer_fields", tomorrow)[1] == today
    assert mapping.write("customer_fields", {**tomorrow, "overdue_days": 61})[1] != today
    assert mapping.write("customer_fields", {**tomorrow, "level": "orange"})[1] != today
    held, later = ({"hold": True, "hold_reason": why} for why in ("45 天", "46 天"))
    assert mapping.write("hold", held)[1] == mapping.write("hold", later)[1]
    assert mapping.write("hold", held)[1] != mapping.write("hold", {"hold": False})[1]
