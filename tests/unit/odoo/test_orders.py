"""Orders and rates: what is delivered and invoiced, advances counted once, days in the business's zone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from connector.errors import ConfigError
from connector.model import Order, OrderLine, Rate

from .conftest import Office, Open


def order(office: Office, *lines: dict[str, Any], **values: Any) -> str:
    made = office.add(
        "sale.order",
        **{"name": "S1", "state": "sale", "locked": False, "partner_id": 101, "partner_invoice_id": 101,
           "date_order": "2026-11-20 03:00:00", "commitment_date": False, "currency_id": 6, "amount_total": Decimal("1130.0"),
           "user_id": False, "company_id": 1, "payment_term_id": False, "client_order_ref": False, **values},
    )  # fmt: skip
    for line in lines:
        billed = line.pop("billed", [])
        row = office.add(
            "sale.order.line",
            **{"order_id": made["id"], "display_type": False, "qty_delivered": Decimal(0), "qty_invoiced": Decimal(0),
               "price_unit": Decimal(100), "discount": Decimal(0), "is_downpayment": False, "invoice_lines": [], **line},
        )  # fmt: skip
        for move_type, state, quantity, net, gross in billed:
            move = office.add(
                "account.move", name="I", move_type=move_type, state=state, date="2026-11-21", company_id=1
            )
            item = office.add(
                "account.move.line", move_id=move["id"], move_type=move_type, parent_state=state, account_id=41,
                company_id=1, quantity=Decimal(quantity), price_subtotal=Decimal(net), price_total=Decimal(gross),
                sale_line_ids=[row["id"]], partner_id=101, currency_id=6, date="2026-11-21",
            )  # fmt: skip
            office.change("sale.order.line", row["id"], invoice_lines=[item["id"]])
    return str(made["id"])


GOODS: dict[str, Any] = {
    "product_uom_qty": Decimal(10),
    "price_subtotal": Decimal("1000.0"),
    "price_total": Decimal("1130.0"),
}


def lines_of(office: Office, key: str) -> list[OrderLine]:
    return [f for f in office.facts("orders") if isinstance(f, OrderLine) and f.order_id == key]


def value(lines: list[OrderLine]) -> tuple[Decimal, Decimal]:
    """(delivered not invoiced, ordered not delivered) by domain section 1."""
    zero = Decimal(0)
    delivered = ordered = zero
    for x in lines:
        gross = x.unit_price * (1 + (x.tax_rate or 0))
        done, billed = x.quantity_delivered or zero, x.quantity_invoiced or zero
        delivered += max(done - billed, zero) * gross
        ordered += max(x.quantity - max(done, billed), zero) * gross
    return delivered, ordered


@pytest.mark.parametrize(
    ("billed", "expected"),
    [
        ([], ("452", "678")),
        ([("out_invoice", "posted", "3", "300.00", "339.00")], ("113", "678")),
        ([("out_invoice", "draft", "3", "300.00", "339.00")], ("452", "678")),  # Odoo's own figure counts drafts
        ([("out_invoice", "posted", "3", "300.00", "339.00"), ("out_refund", "posted", "1", "100.00", "113.00")], ("226", "678")),
        ([("out_invoice", "posted", "10", "1000.00", "1130.00")], ("0", "0")),
    ],
)  # fmt: skip
def test_only_posted_invoices_count_as_invoiced(
    open_office: Open, billed: list[Any], expected: tuple[str, str]
) -> None:
    office = open_office()
    key = order(office, {**GOODS, "qty_delivered": Decimal(4), "qty_invoiced": Decimal(9), "billed": billed})
    assert value(lines_of(office, key)) == tuple(map(Decimal, expected))


ADVANCE: dict[str, Any] = {
    "product_uom_qty": Decimal(0),
    "price_subtotal": Decimal(0),
    "price_total": Decimal(0),
    "is_downpayment": True,
}


@pytest.mark.parametrize(
    ("billed", "rest"),
    [
        ([], "1130"),
        ([("out_invoice", "draft", "1", "300.00", "339.00")], "1130"),
        ([("out_invoice", "posted", "1", "300.00", "339.00")], "791"),  # the advance is a receivable already
        ([("out_invoice", "posted", "1", "300.00", "339.00"), ("out_invoice", "posted", "-1", "-300.00", "-339.00")], "1130"),
    ],
)  # fmt: skip
def test_an_advance_is_counted_once(open_office: Open, billed: list[Any], rest: str) -> None:
    office = open_office()
    key = order(office, dict(GOODS), {**ADVANCE, "billed": billed})
    assert sum(value(lines_of(office, key))) == Decimal(rest)


def test_states_days_and_the_one_who_pays(open_office: Open) -> None:
    office = open_office()
    late = {"date_order": "2026-11-20 23:30:00", "commitment_date": "2026-12-01 16:00:00", "partner_invoice_id": 102}
    keys = {
        order(office, dict(GOODS), state="draft", **late): "draft",
        order(office, dict(GOODS), state="sent"): "draft",
        order(office, dict(GOODS), state="sale", locked=True): "open",
        order(office, dict(GOODS), state="cancel"): "cancelled",
        order(office, {**GOODS, "qty_delivered": Decimal(10), "billed": [("out_invoice", "posted", "10", "1000", "1130")]}): "closed",
    }  # fmt: skip
    facts = {f.id: f for f in office.facts("orders") if isinstance(f, Order)}
    assert {k: facts[k].status for k in keys} == keys
    first = facts[next(iter(keys))]
    # 23:30 UTC is the next morning in Shanghai; 16:00 UTC is midnight there.
    assert (first.ordered_on, first.ship_on) == (dt.date(2026, 11, 21), dt.date(2026, 12, 2))
    assert (first.customer_id, first.amount, first.currency) == ("102", 113000, "CNY")


def test_posting_an_invoice_shows_its_order_again(open_office: Open) -> None:
    office = open_office()
    key = order(office, {**GOODS, "billed": [("out_invoice", "draft", "3", "300.00", "339.00")]})
    office.add("sale.order", **{**office.row("sale.order", key), "id": 0, "name": "S-last"})
    for _ in range(700):  # the order's own stamp falls behind the overlap
        office.book().stamp()
    cursor = office.pages("orders", client=office.client(overlap_minutes=0))[-1].cursor
    item = office.sandbox.shelf.all("account.move.line")[-1]
    office.change("account.move", item["move_id"], state="posted")
    office.change("account.move.line", item["id"], parent_state="posted")
    again = office.rows("orders", cursor, office.client(overlap_minutes=0))
    assert again[key]["order_line"][0]["_invoiced"] == 3


def test_an_admins_own_fields_of_order_and_line_are_asked_for(open_office: Open) -> None:
    from adapters.odoo import ADAPTER

    office = open_office()
    key = order(office, {**GOODS, "name": "Pump"})
    wanted = (*office.mapping.wanted("orders"), "validity_date", "order_line.name")
    records = [r for p in ADAPTER.stream("orders").read(office.client(), None, wanted) for r in p.records]
    data = next(r.data for r in records if r.key == key)
    assert "validity_date" in data
    assert data["order_line"][0]["name"] == "Pump"
    with pytest.raises(ConfigError) as wrong:
        list(ADAPTER.stream("orders").read(office.client(), None, ["order_line.price_totl"]))
    assert "reads “order_line.price_totl”, but sale.order.line has no field “price_totl”" in wrong.value.user.en
    assert "Did you mean “price_total”?" in wrong.value.user.en


def test_rates_are_per_unit_of_the_companys_currency(open_office: Open) -> None:
    office = open_office()
    rates = [f for f in office.facts("rates") if isinstance(f, Rate)]
    assert {(r.from_currency, r.to_currency) for r in rates} == {("CNY", "USD"), ("CNY", "EUR"), ("CNY", "JPY")}
    dollar = min(r.rate for r in rates if r.to_currency == "USD")
    assert Decimal("0.10") < dollar < Decimal("0.20")


def test_a_rate_for_all_companies_yields_to_our_own(open_office: Open) -> None:
    office = open_office()
    common = office.add("res.currency.rate", currency_id=1, name="2026-11-01", rate=Decimal("9"), company_rate=Decimal("9"),
                        company_id=False)  # fmt: skip
    row = office.rows("rates")[str(common["id"])]
    assert row["_to"] is None
