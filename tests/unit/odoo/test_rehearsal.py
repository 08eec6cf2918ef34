"""The demo's payment and order in Odoo, through both doors of the sandbox: what they leave behind, and who may."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import rehearsal
from connector.errors import ConfigError, RejectedError
from connector.model import Application, Order
from connector.model import Payment as Received
from tests.unit.odoo.conftest import Office, Open


@pytest.fixture
def office(open_office: Open) -> Office:
    return open_office()


def _late(office: Office) -> str:
    """A customer who is late."""
    lines = [r for r in office.sandbox.open_invoices() if str(r["date_maturity"]) < "2026-11-23"]
    return str(lines[0]["partner_id"])


def test_the_oldest_overdue_invoice_is_paid_with_all_its_instalments(office: Office) -> None:
    def still_open(amount: str) -> dict[str, Any]:
        return {"amount_residual": Decimal(amount), "amount_residual_currency": Decimal(amount), "reconciled": False}

    first = office.item(amount="300.10", day="2020-01-01", due="2020-01-31", **still_open("300.10"))
    second = {k: v for k, v in first.items() if k not in ("id", "create_date", "write_date")}
    second |= {"date_maturity": "2027-01-31", "balance": Decimal("700.20"), "amount_currency": Decimal("700.20")}
    other = office.add("account.move.line", **{**second, **still_open("700.20")})
    before = office.facts("items", "applications")
    said = rehearsal.pay(office.client(), "101")
    assert "1000.30 CNY" in said.en
    assert "1000.30 CNY" in said.zh
    new = [f for f in office.facts("items", "applications") if f not in before]
    (receipt,) = [f for f in new if isinstance(f, Received)]
    assert (receipt.customer_id, receipt.kind, receipt.amount) == ("101", "receipt", 100030)
    assert receipt.received_on.isoformat() == "2026-11-23"
    settled = {f.to_id: f.amount for f in new if isinstance(f, Application)}
    assert settled == {str(first["id"]): Decimal("300.10"), str(other["id"]): Decimal("700.20")}


def test_nothing_overdue_is_said(office: Office) -> None:
    busy = {r["partner_id"] for r in office.sandbox.open_invoices()}
    calm = next(r for r in office.book().all("res.partner") if r >= 100 and r not in busy)
    with pytest.raises(RejectedError, match="no overdue invoice"):
        rehearsal.pay(office.client(), str(calm))


def test_who_may_not_register_payments_is_told_what_lacks(office: Office) -> None:
    customer = _late(office)
    del office.secrets["admin_key"]
    with pytest.raises(ConfigError, match="admin_key"):
        rehearsal.pay(office.client(), customer)
    assert office.sandbox.writes() == []


@pytest.mark.parametrize("door", [{}, {"transport": "jsonrpc", "login": "connector"}])
def test_an_order_is_confirmed_and_read_back(office: Office, door: dict[str, Any]) -> None:
    customer = _late(office)
    before = {f.id for f in office.facts("orders") if isinstance(f, Order)}
    said = rehearsal.order(office.client(**door), customer, Decimal("4321.987"))
    (made,) = [f for f in office.facts("orders") if isinstance(f, Order) and f.id not in before]
    assert (made.customer_id, made.status, made.amount, made.currency) == (customer, "open", 432199, "CNY")
    assert made.number is not None
    assert made.number in said.en
    assert "confirmed sales order" in said.en
    assert "已确认" in said.zh


def test_an_order_that_the_guard_refuses_stays_a_quotation_with_the_reason(office: Office) -> None:
    office.provision()
    customer = _late(office)
    held = {"x_credit_hold": True, "x_credit_hold_reason": "the limit is used up"}
    office.change("res.partner", int(customer), **held)
    before = {f.id for f in office.facts("orders") if isinstance(f, Order)}
    said = rehearsal.order(office.client(), customer, Decimal(500))
    (made,) = [f for f in office.facts("orders") if isinstance(f, Order) and f.id not in before]
    assert made.status == "draft"
    assert "stays a quotation" in said.en
    assert "the limit is used up" in said.en
    assert "仍为报价单" in said.zh
