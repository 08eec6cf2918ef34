"""What the demo does in Tryton through its own interface: pay an invoice, place an order. Never used outside the demo."""

from __future__ import annotations

from decimal import Decimal

from connector.errors import RejectedError
from connector.money import rounded, show
from connector.text import Text

from .client import Tryton, Warned
from .parties import by_code
from .wizards import pay as pay_invoice


def pay(client: Tryton, customer: str) -> Text:
    """Pays the customer's oldest overdue invoice in full today, through Tryton's pay dialogue."""
    today = client.connection.today()
    lines = client.rows(
        "account.move.line",
        [
            ["account.type.receivable", "=", True],
            ["party.code", "=", customer],
            ["reconciliation", "=", None],
            ["debit", ">", Decimal(0)],
            ["maturity_date", "<", today],
        ],
        ["move.origin"],
        order=[("maturity_date", "ASC"), ("id", "ASC")],
    )
    origins = [str(r["move"]["origin"] or "").split(",") for r in lines]
    number = next((int(o[1]) for o in origins if o[0] == "account.invoice"), None)
    if number is None:
        raise RejectedError(
            Text("Customer {code} has no overdue invoice.", "客户 {code} 没有逾期发票。").fill(code=customer),
            code="nothing",
        )
    fields = ["number", "amount_to_pay", "currency.code"]
    invoice = client.rows("account.invoice", [["id", "=", number]], fields)[0]
    amount, currency = Decimal(invoice["amount_to_pay"]), invoice["currency"]["code"]
    pay_invoice(client, number, rounded(amount, currency), today)
    return Text(
        "Invoice {number} of {code} was paid in full: {amount} {currency}.",
        "客户 {code} 的发票 {number} 已全额付清：{amount} {currency}。",
    ).fill(number=invoice["number"], code=customer, amount=show(amount, currency), currency=currency)


def order(client: Tryton, customer: str, amount: Decimal) -> Text:
    """Places an order of this net amount in the customer's currency, quotes and confirms it; says in what state it is."""
    party = by_code(client, [customer], ["addresses", "customer_currency.code"]).get(customer)
    if party is None or not party["addresses"]:
        raise RejectedError(
            Text("Customer {code} has no address to send goods to.", "客户 {code} 没有收货地址。").fill(code=customer),
            code="no_address",
        )
    currency = party["customer_currency"] or client.company["currency"]
    price = rounded(amount, currency["code"])
    line = {"type": "line", "description": "Instruments", "quantity": 1, "unit_price": price}
    values = {
        "party": party["id"],
        "invoice_address": party["addresses"][0],
        "shipment_address": party["addresses"][0],
        "currency": currency["id"],
        "sale_date": client.connection.today(),
        "invoice_method": "order",
        "shipment_method": "order",
        "lines": [["create", [line]]],
    }
    sale = client.call("model.sale.sale.create", [values], safe=False)[0]
    _insist(client, "model.sale.sale.quote", [sale])
    _insist(client, "model.sale.sale.confirm", [sale])
    # The button answers null whether or not it did anything: only the state tells.
    row = client.rows("sale.sale", [["id", "=", sale]], ["number", "state"])[0]
    return Text(
        "Order {number} of {code} over {amount} {currency} was placed; it is in state {state}.",
        "客户 {code} 的订单 {number}（{amount} {currency}）已下达，状态为 {state}。",
    ).fill(number=row["number"], code=customer, amount=price, currency=currency["code"], state=row["state"])


def _insist(client: Tryton, method: str, ids: list[int]) -> None:
    """Presses a button and says yes to what Tryton asks on the way; it may ask more than once."""
    for _ in range(10):
        try:
            client.call(method, ids, safe=False)
        except Warned as question:
            client.call("model.res.user.warning.skip", question.name, False, safe=False)
        else:
            return
