"""Sales orders with their lines, and exchange rates.

What counts as invoiced is what *posted* invoices say: Odoo's own `qty_invoiced` counts drafts, which are in no
receivable. An invoiced down payment is a receivable already, so it is taken off its order by a line of its own with a
negative price until the final invoice takes it back; otherwise the advance would count twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from adapters.odoo.client import Client, Row
from adapters.odoo.reading import changes, existing, instant, nothing
from connector.adapter import Json, Page
from connector.clock import day_in
from connector.money import EXACT, rounded

_ORDER = (
    "name", "state", "locked", "partner_id", "partner_invoice_id", "date_order", "commitment_date", "currency_id",
    "amount_total", "user_id", "payment_term_id", "company_id", "client_order_ref",
)  # fmt: skip
_LINE = (
    "order_id", "product_uom_qty", "qty_delivered", "qty_invoiced", "price_unit", "discount", "price_subtotal",
    "price_total", "is_downpayment",
)  # fmt: skip
_STATUS = {"draft": "draft", "sent": "draft", "sale": "open", "done": "open", "cancel": "cancelled"}
_ZERO = Decimal(0)


def orders(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Orders and quotations. Made here: `_id`, `_customer` (who will be invoiced), `_status`, `_ordered_on`, `_ship_on`,
    `_currency`, `_amount`, `_invoiced_amount`, `_owner`, `_company`, and `order_line` (the lines themselves), each with `_line`, `_quantity`,
    `_delivered`, `_invoiced`, `_unit_price` (net), `_tax_rate`.
    """
    if not client.fields("sale.order"):
        yield from nothing()  # the Sales app is not installed, or not for this user; `check` says so
        return
    own = [path for path in wanted if not path.startswith("order_line.")]
    fields = client.asked("sale.order", _ORDER, own)
    line_fields = client.asked("sale.order.line", _LINE, wanted, "order_line")
    stamps = ["write_date", "order_line.write_date"]
    if client.keeps_ledger:
        stamps.append("order_line.invoice_lines.move_id.write_date")  # posting an invoice does not stamp its order
    yield from changes(
        client,
        cursor,
        "sale.order",
        [["company_id", "=", client.company["id"]]],
        fields,
        lambda rows: _dressed(client, rows, line_fields),
        stamps=stamps,
        scope=str(client.company["id"]),
    )


def order_keys(client: Client) -> Iterator[Sequence[str]]:
    if client.fields("sale.order"):
        yield from existing(client, "sale.order", [["company_id", "=", client.company["id"]]])


def _dressed(client: Client, rows: list[Row], line_fields: Iterable[str]) -> list[Row]:
    domain = [["order_id", "in", [r["id"] for r in rows]], ["display_type", "=", False]]
    lines = client.rows("sale.order.line", domain, line_fields) if rows else []
    billed = _billed(client, [x["id"] for x in lines]) if client.keeps_ledger else {}
    by_order: dict[int, list[Row]] = {}
    for line in lines:
        by_order.setdefault(line["order_id"], []).append(line)
    owes, codes = client.commercial(r["partner_invoice_id"] for r in rows), client.currency_codes()
    zone = client.connection.business_time_zone
    for row in rows:
        ordered, ship = instant(row["date_order"]), instant(row.get("commitment_date"))
        currency = codes[row["currency_id"]]
        own = by_order.get(row["id"], [])
        row["_id"] = str(row["id"])
        row["_customer"] = str(owes[row["partner_invoice_id"]])
        row["_ordered_on"] = day_in(ordered, zone).isoformat() if ordered else None
        row["_ship_on"] = day_in(ship, zone).isoformat() if ship else None
        row["_currency"] = currency
        row["_amount"] = rounded(_exact(row["amount_total"]), currency)
        row["_invoiced_amount"] = (
            rounded(sum((billed.get(x["id"], _NONE)[2] for x in own), _ZERO), currency) if client.keeps_ledger else None
        )
        row["_owner"] = str(row["user_id"]) if row["user_id"] else None
        row["_company"] = client.company["name"]
        row["order_line"] = [x for x in (_line(x, billed.get(x["id"]), client.keeps_ledger) for x in own) if x]
        row["_status"] = _status(row)
    return rows


_NONE = (_ZERO, _ZERO, _ZERO)


def _billed(client: Client, lines: Sequence[int]) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    """Order line → (quantity, net, gross) on posted invoices less posted credit notes."""
    found: dict[int, tuple[Decimal, Decimal, Decimal]] = {}
    known = set(lines)
    for start in range(0, len(lines), 1000):
        domain = [["sale_line_ids", "in", list(lines[start : start + 1000])], ["parent_state", "=", "posted"]]
        names = ["sale_line_ids", "move_type", "quantity", "price_subtotal", "price_total"]
        for row in client.rows("account.move.line", domain, names):
            sign = -1 if row["move_type"] == "out_refund" else 1
            for line in known.intersection(row["sale_line_ids"]):
                so_far = found.get(line, _NONE)
                added = (_exact(row["quantity"]), _exact(row["price_subtotal"]), _exact(row["price_total"]))
                found[line] = tuple(a + sign * b for a, b in zip(so_far, added, strict=True))  # type: ignore[assignment]
    return found


def _line(line: Row, billed: tuple[Decimal, Decimal, Decimal] | None, ledger: bool) -> Row | None:
    """An order line with what we made of it; None for a down payment that is not billed."""
    line["_line"] = str(line["id"])
    quantity, invoiced, net, gross = _exact(line["product_uom_qty"]), *(billed or _NONE)
    if line.get("is_downpayment"):
        if not net:
            return None
        made = (Decimal(1), _ZERO, _ZERO, -net, _rate(net, gross))
    else:
        if not ledger:
            invoiced = _exact(line["qty_invoiced"])  # who may not read invoices takes Odoo's figure, drafts and all
        if quantity:
            net, gross = _exact(line["price_subtotal"]), _exact(line["price_total"])
            price, tax = EXACT.divide(net, quantity), _rate(net, gross)
        else:
            price = _exact(line["price_unit"]) * (1 - _exact(line.get("discount")) / 100)
            tax = _ZERO
        made = (quantity, _exact(line["qty_delivered"]), invoiced, price, tax)
    line.update(zip(("_quantity", "_delivered", "_invoiced", "_unit_price", "_tax_rate"), made, strict=True))
    return line


def _status(order: Row) -> str:
    status = _STATUS.get(order["state"], "open")
    rest = any(
        x["_delivered"] > x["_invoiced"] or x["_quantity"] > max(x["_delivered"], x["_invoiced"])
        for x in order["order_line"]
    )
    return status if status != "open" or rest else "closed"


def _rate(net: Decimal, gross: Decimal) -> Decimal:
    return EXACT.divide(gross - net, net) if net else _ZERO


def _exact(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


# --- rates -------------------------------------------------------------------------------------------------------------
def rates(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Rates of our company: how much of a currency one unit of the company's is. Made here: `_from`, `_to`, `_rate`.

    A rate without a company holds for all, unless the currency has rates of ours.
    """
    if not (client.keeps_ledger or "rates" in client.connection.roles):
        yield from nothing()
        return
    essential = ("name", "currency_id", "rate", "company_rate", "company_id")
    fields = client.asked("res.currency.rate", essential, wanted)
    company, base = client.company["id"], client.company["currency"]
    own = {r["currency_id"] for r in client.rows("res.currency.rate", [["company_id", "=", company]], ["currency_id"])}

    def dress(rows: list[Row]) -> list[Row]:
        codes = client.currency_codes()
        for row in rows:
            code = codes[row["currency_id"]]
            shadowed = row["company_id"] is None and row["currency_id"] in own
            row["_from"] = base
            row["_to"] = None if code == base or shadowed else code
            row["_rate"] = row.get("company_rate") or row["rate"]
        return rows

    domain = [["company_id", "in", [company, False]]]
    yield from changes(client, cursor, "res.currency.rate", domain, fields, dress, scope=str(company))


def rate_keys(client: Client) -> Iterator[Sequence[str]]:
    if client.keeps_ledger or "rates" in client.connection.roles:
        domain = [["company_id", "in", [client.company["id"], False]]]
        yield from existing(client, "res.currency.rate", domain)
