"""What stands in the sandbox: the made-up company as a Fxiaoke tenant would show it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connector.example import accounts, company
from connector.money import from_minor
from connector.sandbox import SandboxOptions

ZONE = ZoneInfo("Asia/Shanghai")
ADMIN = "1000"
_LIFE = {"draft": "under_review", "open": "normal", "closed": "normal", "cancelled": "invalid"}


def record_id(*parts: object) -> str:
    """A 24-digit id; ids do not grow with time, so that nobody relies on it."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:24]


def midnight(day: dt.date) -> int:
    """A date as the product keeps it: the midnight of its day in the tenant's zone, in ms."""
    return int(dt.datetime.combine(day, dt.time(), ZONE).timestamp() * 1000)


def amount(value: Decimal) -> str:
    """Amounts come as text."""
    return format(value, "f")


def stocked(options: SandboxOptions, erp_field: str, tax_field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(object, record) of everything. `erp_field` and `tax_field` are the names of the two fields for matching."""
    made = company(options.customers, options.seed, options.as_of, language=options.language)
    seed = options.seed
    noon = midnight(made.as_of)
    number = 0

    def base(kind: str, key: object, owner: str | None) -> dict[str, Any]:
        nonlocal number
        number += 1
        changed = noon - 86_400_000 - (number * 7919 % 8_640_000) * 1000  # spread over the hundred days before
        return {
            "_id": record_id(seed, kind, key),
            "owner": [people.get(owner or "", ADMIN)],
            "created_by": [ADMIN],
            "last_modified_by": [ADMIN],
            "create_time": changed,
            "last_modified_time": changed,
            "life_status": "normal",
            "lock_status": "0",
            "is_deleted": False,
            "record_type": "default__c",
            "version": "1",
        }

    people = {p.id: str(1001 + i) for i, p in enumerate(made.people)}
    staff = [
        (ADMIN, "系统管理员", "admin@example.com", True),
        *((people[p.id], p.name, p.email, p.active) for p in made.people),
    ]
    for user, name, email, active in staff:
        row = base("PersonnelObj", user, None)
        row |= {"name": name, "full_name": name, "user_id": user, "email": email, "status": "0" if active else "1"}
        yield "PersonnelObj", row

    of_customer: dict[str, str] = {}
    by_tax = {c.tax_id: c.id for c in made.customers if c.tax_id}
    by_name = {c.name: c.id for c in made.customers}
    for i, account in enumerate(accounts(made, options.seed, options.language)):
        row = base("AccountObj", i, account.owner)
        row |= {"name": account.name, "account_no": f"KH{i + 1:06d}"}
        row |= {k: v for k, v in (("tel", account.phone), ("email", account.email)) if v}
        row |= {k: v for k, v in ((erp_field, account.external_id), (tax_field, account.tax_id)) if v}
        customer = account.external_id or by_tax.get(account.tax_id or "") or by_name.get(account.name)
        if customer:
            of_customer[customer] = row["_id"]
        yield "AccountObj", row

    lines = defaultdict(list)
    for line in made.order_lines:
        lines[line.order_id].append(line)
    for order in made.orders:
        if order.customer_id not in of_customer:
            continue
        row = base("SalesOrderObj", order.id, order.owner)
        total = delivered = invoiced = Decimal(0)
        for line in lines[order.id]:
            price = line.unit_price * (1 + (line.tax_rate or 0))
            total += line.quantity * price
            delivered += (line.quantity_delivered or 0) * price
            invoiced += (line.quantity_invoiced or 0) * price
            own = base("SalesOrderProductObj", line.ref, order.owner)
            own |= {"name": f"{order.id}-{line.line}", "order_id": row["_id"], "quantity": amount(line.quantity)}
            own |= {"sales_price": amount(price), "delivered_count": amount(line.quantity_delivered or Decimal(0))}
            own["subtotal"] = amount((line.quantity * price).quantize(Decimal("0.01")))
            yield "SalesOrderProductObj", own
        if order.amount is not None:
            total = from_minor(order.amount, order.currency)
        cents = Decimal("0.01")
        row |= {"name": order.number or order.id, "account_id": of_customer[order.customer_id]}
        row |= {"order_time": midnight(order.ordered_on), "order_amount": amount(total.quantize(cents))}
        row |= {"product_amount": row["order_amount"], "delivered_amount_sum": amount(delivered.quantize(cents))}
        row |= {"invoice_amount": amount(invoiced.quantize(cents)), "mc_currency": order.currency}
        row |= {"life_status": _LIFE[order.status], "payment_amount": "0.00", "receivable_amount": row["order_amount"]}
        if order.ship_on:
            row["delivery_date"] = midnight(order.ship_on)
        yield "SalesOrderObj", row
        if order.status != "open":
            continue
        # One plan for the whole order, and for every third order a receipt of half of it.
        due = midnight(order.ordered_on + dt.timedelta(days=30))
        plan = base("PaymentPlanObj", order.id, order.owner)
        plan |= {"name": f"JH-{order.id}", "account_id": row["account_id"], "order_id": row["_id"]}
        plan |= {"plan_payment_amount": row["order_amount"], "plan_payment_time": due}
        yield "PaymentPlanObj", plan
        if number % 3 == 0:
            half = amount((Decimal(row["order_amount"]) / 2).quantize(cents))
            receipt = base("PaymentObj", order.id, order.owner)
            receipt |= {"name": f"HK-{order.id}", "account_id": row["account_id"], "payment_amount": half}
            receipt |= {"payment_time": row["order_time"] + 86_400_000, "mc_currency": order.currency}
            yield "PaymentObj", receipt
            part = base("OrderPaymentObj", order.id, order.owner)
            part |= {
                "name": f"HKMX-{order.id}",
                "payment_id": receipt["_id"],
                "order_id": row["_id"],
                "payment_amount": half,
            }
            yield "OrderPaymentObj", part
