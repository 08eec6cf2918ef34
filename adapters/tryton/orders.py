"""Sales orders with their lines: how much is ordered, delivered and invoiced.

`draft` and `quotation` are drafts, `confirmed` and `processing` are open, `done` and `cancelled` speak for themselves.
The customer of an order is who will be invoiced. Delivered is what done stock moves carried; invoiced is what stands on
an invoice with a ledger move, as Tryton's own credit check counts it (`sale_credit_limit/party.py`). Progress does not
always touch the order, so open orders are read in every pull.

    _status, _customer, _amount   the order in our words; the amount includes tax
    _lines                        lines of type `line` with quantities in the line's own unit and a tax rate
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from connector.adapter import Page, Record

from . import changes, wishes
from .books import Row
from .changes import Things, Watch
from .client import Domain, Tryton

STATUS = {
    "draft": "draft",
    "quotation": "draft",
    "confirmed": "open",
    "processing": "open",
    "done": "closed",
    "cancelled": "cancelled",
}
SALE = (
    "number",
    "reference",
    "state",
    "party.code",
    "invoice_party.code",
    "sale_date",
    "create_date",
    "shipping_date",
    "currency.code",
    "untaxed_amount",
    "tax_amount",
    "total_amount",
    "payment_term",
    "quoted_by",
    "confirmed_by",
    "lines.type",
    "lines.quantity",
    "lines.unit.factor",
    "lines.unit_price",
    "lines.shipping_date",
    "lines.taxes.type",
    "lines.taxes.rate",
    "lines.invoice_lines.type",
    "lines.invoice_lines.quantity",
    "lines.invoice_lines.unit.factor",
    "lines.invoice_lines.invoice.move",
)
DELIVERED = ("lines.moves.state", "lines.moves.quantity", "lines.moves.unit.factor")
_ONE = Decimal(1)


def _domain(client: Tryton) -> Domain:
    return [["company", "=", client.context["company"]]]


def _build(client: Tryton, ids: Sequence[int], wanted: Sequence[str]) -> Sequence[Record]:
    asked = wishes.sorted_out(client, "orders", wanted, {"": "sale.sale"})[""]
    # Without the right to see stock moves, what was delivered is not known, and that is not zero.
    fields = [*SALE, *(DELIVERED if client.can_read("stock.move") else ()), *asked]
    records = []
    for row in client.rows_of("sale.sale", "id", ids, list(dict.fromkeys(fields))):
        row["_status"] = STATUS.get(row["state"])
        row["_customer"] = (row["invoice_party"] or row["party"] or {}).get("code")
        # A draft may have no date of its own yet.
        row["_ordered_on"] = row["sale_date"] or row["create_date"][:10]
        row["_lines"] = [_line(row, line) for line in row["lines"] or [] if line["type"] == "line"]
        records.append(Record(str(row["id"]), row))
    return records


def _line(order: Row, line: Row) -> Row:
    moves, own = line.get("moves"), line["unit"]
    invoiced = [i for i in line["invoice_lines"] or [] if i["type"] == "line" and (i["invoice"] or {}).get("move")]
    return {
        "line": str(line["id"]),
        "quantity": line["quantity"],
        "delivered": _total([m for m in moves if m["state"] == "done"], own) if moves else None,
        "invoiced": _total(invoiced, own),
        "unit_price": line["unit_price"],
        "tax_rate": _tax_rate(order, line),
        "ship_on": line["shipping_date"] or order["shipping_date"],
    }


def _total(parts: Sequence[Row], unit: Row | None) -> Decimal:
    """The sum of quantities in the order line's unit."""
    return sum((_converted(p["quantity"], p["unit"], unit) for p in parts), Decimal(0))


def _converted(quantity: Any, unit: Row | None, into: Row | None) -> Decimal:
    amount = Decimal(quantity or 0)
    if unit is None or into is None or unit["id"] == into["id"]:
        return amount
    return amount * Decimal(unit["factor"]) / Decimal(into["factor"])


def _tax_rate(order: Row, line: Row) -> Decimal | None:
    taxes = line["taxes"] or []
    if all(t["type"] == "percentage" for t in taxes):
        return sum((Decimal(t["rate"]) for t in taxes), Decimal(0))
    # A fixed amount per unit, or a group of taxes: the order's own average says it best.
    net, tax = order["untaxed_amount"], order["tax_amount"]
    return tax / net if net else None


SALES = Things(
    "sale.sale",
    _domain,
    (
        Watch(
            "sale.sale",
            [],
            (),
            lambda _, rows: [r["id"] for r in rows],
            always=["state", "in", ["confirmed", "processing"]],
        ),
    ),
    _build,
)


def read(client: Tryton, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """All orders, or those that changed and those that are open."""
    return changes.read(client, cursor, wanted, SALES)


def keys(client: Tryton) -> Iterator[Sequence[str]]:
    """The ids of all orders."""
    return changes.keys(client, SALES)
