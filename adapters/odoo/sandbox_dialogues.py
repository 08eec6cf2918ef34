"""What people do in the sandbox through Odoo's own dialogues and buttons: register a payment, make and confirm an order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.odoo.sandbox_calls import Arguments, Calls
from adapters.odoo.sandbox_rows import STAMP, OdooError, Row, Rows, user_error
from adapters.odoo.sandbox_stock import Stock
from connector.model import Payment
from connector.money import rounded, to_minor
from connector.sandbox import SandboxOptions


class Later(Stock):
    """What happens after the stocking: the same bookings, stamped now."""

    def __init__(self, rows: Rows, options: SandboxOptions) -> None:
        super().__init__(
            rows, SandboxOptions(customers=1, seed=options.seed, as_of=options.as_of, settings=options.settings)
        )
        base = next(iter(rows.all("res.company").values()))["currency_id"]
        self.base = rows.all("res.currency")[base]["name"]
        self.now = rows.stamp()

    def stamped(self, day: dt.date) -> str:
        return self.now

    def _take(self, line: Row, base: Decimal, amount: Decimal, day: dt.date) -> None:
        super()._take(line, base, amount, day)
        # The balance of an invoice is its lines', computed and stored: that moves, and is told where it is asked for.
        if (move := self.rows.get("account.move", line["move_id"])) and line["move_type"] == "out_invoice":
            mine = [r for r in self.rows.all("account.move.line").values() if r["move_id"] == move["id"]]
            left = sum((r.get("amount_residual_currency") or Decimal(0) for r in mine), Decimal(0))
            state = "partial" if left else "paid"
            self.rows.change("account.move", move, {"amount_residual": left, "payment_state": state}, self.now)

    def paid(self, debits: list[Row], amount: Decimal, day: dt.date) -> Row:
        """A customer's payment, set against these open lines of one currency in their order; gives its own line."""
        first = debits[0]
        currency = self.rows.all("res.currency")[first["currency_id"]]["name"]
        partner = str(first["partner_id"])
        self.partners[partner] = first["partner_id"]
        base = rounded(abs(first["balance"]) * amount / abs(first["amount_currency"]), self.base)
        credit = self.payment(
            Payment(id=f"bank {day}", customer_id=partner, received_on=day, currency=currency,
                    amount=to_minor(amount, currency), base_amount=to_minor(base, self.base))
        )  # fmt: skip
        left = amount
        for debit in debits:
            taken = min(left, debit["amount_residual_currency"])
            if taken > 0:
                self.reconcile(debit, credit, taken, day)
                left -= taken
        return credit


class Dialogues(Calls):
    """One call by one user, those of the dialogues among them."""

    def __init__(self, rows: Rows, user: int, context: Mapping[str, Any], options: SandboxOptions, **more: Any) -> None:
        super().__init__(rows, user, context, **more)
        self.options = options

    # --- paying ----------------------------------------------------------------------------------------------------------
    def account_payment_register__create(self, model: str, arguments: Arguments) -> list[int]:
        """The dialogue takes what is to be paid from the context, as the button in Odoo's list does."""
        about, ids = self.context.get("active_model"), self.context.get("active_ids") or []
        if about == "account.move":
            lines = [r for r in self.rows.all("account.move.line").values() if r["move_id"] in ids]
        elif about == "account.move.line":
            lines = self._found(about, ids)
        else:
            words = "The register payment wizard should only be called on account.move or account.move.line records."
            raise user_error(words)
        due = [r for r in lines if r["account_type"] == "asset_receivable" and r.get("amount_residual_currency")]
        if not due:
            raise user_error(
                "There's nothing left to pay for the selected journal items, so no payment registration is necessary. "
                "You've got your finances under control like a boss!"
            )
        due.sort(key=lambda r: (str(r["date_maturity"]), r["id"]))
        whole = sum((r["amount_residual_currency"] for r in due), Decimal(0))
        made = []
        for values in self._needed(arguments, "vals_list")[0]:
            today = dt.datetime.now(dt.UTC).date().isoformat()
            usual = {"amount": whole, "currency_id": due[0]["currency_id"], "payment_date": today, "journal_id": 6}
            row = {**usual, **self.rows.checked(model, values), "line_ids": [r["id"] for r in due]}
            if row["currency_id"] != due[0]["currency_id"]:
                raise user_error("The sandbox takes payments in the invoice's currency only.")
            made.append(self.rows.add(model, row)["id"])
        return made

    def account_payment_register__action_create_payments(self, model: str, arguments: Arguments) -> Row:
        (ids,) = self._needed(arguments, "ids")
        payments = []
        for dialogue in self._found(model, ids):
            debits = self._found("account.move.line", dialogue["line_ids"])
            with self.rows.shelf.together():
                day = dt.date.fromisoformat(dialogue["payment_date"])
                credit = Later(self.rows, self.options).paid(debits, dialogue["amount"], day)
            payments.append(credit["payment_id"])
        shown = {"res_id": payments[0], "view_mode": "form"} if len(payments) == 1 else {"view_mode": "list,form"}
        return {"name": "Payments", "type": "ir.actions.act_window", "res_model": "account.payment", **shown}

    # --- ordering --------------------------------------------------------------------------------------------------------
    def sale_order__create(self, model: str, arguments: Arguments) -> list[int]:
        """Orders with the lines given as commands; number, currency, amounts and who is invoiced follow by themselves."""
        made = []
        for given in self._needed(arguments, "vals_list")[0]:
            values = dict(given)
            lines = [self._line(c[2]) for c in values.pop("order_line", []) if c[0] == 0]
            if not values.get("partner_id"):
                raise OdooError(422, "odoo.exceptions.ValidationError", _PARTNER)
            self._found("res.partner", [values["partner_id"]])
            company = next(iter(self.rows.all("res.company").values()))
            usual: Row = {
                "name": f"S{self.rows.shelf.next('sale.order.name', 90001)}", "state": "draft", "locked": False,
                "invoice_status": "no", "partner_invoice_id": values["partner_id"], "pricelist_id": False,
                "date_order": dt.datetime.now(dt.UTC).strftime(STAMP), "validity_date": False, "commitment_date": False,
                "client_order_ref": False, "currency_id": company["currency_id"], "currency_rate": Decimal("1.0"),
                "amount_untaxed": sum((x["price_subtotal"] for x in lines), Decimal(0)),
                "amount_total": sum((x["price_total"] for x in lines), Decimal(0)), "payment_term_id": False,
                "opportunity_id": False, "user_id": self.user, "company_id": company["id"],
            }  # fmt: skip
            (order,) = self.any__create(model, {"vals_list": [{**usual, **values}]})
            stamp = self.rows.stamp()
            for line in lines:
                self.rows.add("sale.order.line", {**line, "order_id": order}, stamp)
            made.append(order)
        return made

    def _line(self, given: Mapping[str, Any]) -> Row:
        row = self.rows.checked("sale.order.line", {k: v for k, v in given.items() if k != "tax_ids"})
        product = self.rows.get("product.product", row["product_id"]) if row.get("product_id") else None
        row = {"name": (product or {}).get("name", "Instruments"), "product_uom_qty": Decimal("1.0"),
               "price_unit": (product or {}).get("list_price", Decimal(0)), "discount": Decimal("0.0"), **row}  # fmt: skip
        net = rounded(row["product_uom_qty"] * row["price_unit"] * (1 - row["discount"] / 100), "CNY")
        return {"display_type": False, "qty_delivered": Decimal("0.0"), "qty_invoiced": Decimal("0.0"),
                "is_downpayment": False, "invoice_lines": [], "price_subtotal": net, "price_total": net, **row}  # fmt: skip


_PARTNER = (
    "The operation cannot be completed: Missing required value for the field 'Customer' (partner_id).\n"
    "Model: 'Sales Order' (sale.order)\n- create/update: a mandatory field is not set"
)
