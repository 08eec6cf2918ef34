"""What the demo does in Odoo as people do it: register a payment of an invoice, place an order. Never used outside the demo."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapters.odoo.client import Client, Row
from connector.errors import ConfigError, RejectedError
from connector.money import rounded, show
from connector.text import Text

_STATES = {
    "draft": Text("a quotation", "报价单"),
    "sent": Text("a quotation", "报价单"),
    "sale": Text("a confirmed sales order", "已确认的销售订单"),
    "cancel": Text("cancelled", "已取消"),
}


def pay(client: Client, customer: str) -> Text:
    """Pays the customer's oldest overdue invoice in full today, instalments and all, by Odoo's “Register Payment”.

    Under the bot's key where that user may, else under the administrator's. RejectedError where nothing is overdue,
    ConfigError where neither key may register payments.
    """
    today = client.connection.today()
    lines = _open_items(client, customer)
    late = [line for line in lines if line["date_maturity"] and line["date_maturity"] < today.isoformat()]
    if not late:
        raise RejectedError(
            Text("Customer {customer} has no overdue invoice.", "客户 {customer} 没有逾期发票。").fill(
                customer=customer
            ),
            code="nothing",
        )
    oldest = min(late, key=lambda line: (line["date_maturity"], line["id"]))
    chosen = [line for line in lines if line["move_id"] == oldest["move_id"]]
    code = client.currency_codes()[oldest["currency_id"]]
    amount = rounded(sum((_exact(line["amount_residual_currency"]) for line in chosen), Decimal(0)), code)
    who = _who_may_pay(client)
    about = {"active_model": "account.move.line", "active_ids": [line["id"] for line in chosen]}
    # The whole amount by hand: of an invoice in instalments the dialogue proposes only what is due.
    wish = {"payment_date": today.isoformat(), "amount": amount, "currency_id": oldest["currency_id"]}
    dialogue = who.call("account.payment.register", "create", safe=False, context=about, vals_list=[wish])
    who.call("account.payment.register", "action_create_payments", safe=False, context=about, ids=dialogue)
    return Text(
        "Invoice {number} was paid in full: {amount} {currency}.", "发票 {number} 已全额付清：{amount} {currency}。"
    ).fill(number=oldest["move_name"], amount=show(amount, code), currency=code)


def _open_items(client: Client, customer: str) -> list[Row]:
    """What the customer still owes on entries that are in the books."""
    domain = [
        ["account_id", "in", client.receivable_accounts],
        ["company_id", "=", client.company["id"]],
        ["parent_state", "=", "posted"],
        ["partner_id", "=", int(customer)],
        ["reconciled", "=", False],
        ["amount_residual_currency", ">", 0],
    ]
    names = ("move_id", "move_name", "date_maturity", "currency_id", "amount_residual_currency")
    return client.rows("account.move.line", domain, names)


def _who_may_pay(client: Client) -> Client:
    """The bot if it may register payments, else the administrator: a demo plays the bookkeeper, too."""
    for who in (client, client.as_administrator()):
        if who is not None and who.may("account.payment.register", "create"):
            return who
    raise ConfigError(
        Text(
            "This key may not register payments in Odoo. For the demo, configure the secret “admin_key” (a key of somebody in "
            "the group “Invoicing” or above); everyday work needs no such right.",
            "该密钥无权在 Odoo 中登记付款。演示需配置密钥“admin_key”（“开票”组或更高权限用户的密钥）；日常运行不需要此权限。",
        )
    )


def order(client: Client, customer: str, amount: Decimal) -> Text:
    """Places an order of this net amount in the company's currency, without tax, and confirms it.

    Where the guard (or anything else in Odoo) refuses the confirmation, the order stays a quotation, and the text
    says so with Odoo's reason.
    """
    if not client.may("sale.order", "create"):
        raise ConfigError(
            Text(
                "This key may not make sales orders: give its user the group “Sales / User: All Documents”.",
                "该密钥无权创建销售订单：请为其用户分配“销售/用户：所有单据”组。",
            )
        )
    currency = client.company["currency"]
    price = rounded(amount, currency)
    values: dict[str, Any] = {"partner_id": int(customer), "order_line": [[0, 0, _line(client, price)]]}
    if client.series >= 17 and "pricelist_id" in client.fields("sale.order"):
        values["pricelist_id"] = False  # a pricelist might bring another currency
    number = client.call("sale.order", "create", safe=False, vals_list=[values])[0]
    refused: Text | None = None
    try:
        client.call("sale.order", "action_confirm", safe=False, ids=[number])
    except RejectedError as wrong:
        refused = wrong.user
    # 200 is no success here: an add-on may answer with a dialogue instead of confirming. Only the state tells.
    row = client.rows("sale.order", [["id", "=", number]], ["name", "state", "amount_total", "currency_id"])[0]
    code = client.currency_codes()[row["currency_id"]]
    whole = show(rounded(_exact(row["amount_total"]), code), code)
    state = _STATES.get(row["state"], Text(row["state"], row["state"]))
    if row["state"] == "sale":
        said = Text(
            "Order {number} over {amount} {currency} was placed: {state}.",
            "订单 {number}（{amount} {currency}）已下达：{state}。",
        )
    elif refused is None:
        said = Text(
            "Order {number} over {amount} {currency} was placed, but not confirmed; it is {state}.",
            "订单 {number}（{amount} {currency}）已下达但未确认，目前为{state}。",
        )
    else:
        said = Text(
            "Order {number} over {amount} {currency} stays {state}. {why}",
            "订单 {number}（{amount} {currency}）仍为{state}。{why}",
        )
    return said.fill(number=row["name"], amount=whole, currency=code, state=state, why=refused or "")


def _line(client: Client, price: Decimal) -> Row:
    """One piece of something that is for sale, at our price and without tax."""
    product = client.ids("product.product", [["sale_ok", "=", True], ["active", "=", True]], limit=1)
    fields = client.fields("sale.order.line")
    taxes: Row = {name: [[6, 0, []]] for name in ("tax_ids", "tax_id") if name in fields}  # 19: tax_ids
    thing: Row = (
        {"product_id": product[0]} if product else {"name": "Instruments"}
    )  # 19 takes a line without a product, too
    return {**thing, "product_uom_qty": 1, "price_unit": price, **taxes}


def _exact(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
