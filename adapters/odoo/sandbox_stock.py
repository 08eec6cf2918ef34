"""Fills an empty sandbox: the made-up company of `connector.example` as Odoo would hold it.

As ERP: partners, moves with a receivable line per instalment, payments, reconciliations with their exchange
differences, orders, rates. As CRM (`settings = {"role": "crm"}`): the same customers as accounts of a CRM, with the
ERP's number in `ref` where the CRM knows it, and quotations. Ids begin at other numbers than they would in the ERP.
"""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal
from typing import Any

from adapters.odoo.sandbox_rows import Row, Rows
from adapters.odoo.sandbox_schema import MODELS
from connector import example
from connector.model import Application, Customer, Document, Payment
from connector.money import EXACT, from_minor, rounded
from connector.sandbox import SandboxOptions

RECEIVABLE, TAX_RECEIVABLE, EXPENSE, INCOME = 5, 10, 40, 41
_DELAYS = {
    "net": "days_after",
    "eom": "days_after_end_of_month",
    "months": "days_after",
    "day": "days_end_of_month_on_the",
}
_CURRENCIES = {"USD": 1, "CNY": 6, "EUR": 126, "JPY": 25}
_COUNTRIES = ("CN", "US", "DE", "GB", "FR", "NL", "JP", "SG", "SE", "IT", "ES", "KR", "AU", "CA", "IN")
_MOVE_TYPES = {"invoice": "out_invoice", "debit_note": "out_invoice", "credit_note": "out_refund"}


def stamp_of(day: dt.date, number: int) -> str:
    """A time of writing on a day, different for neighbours."""
    return f"{day} {1 + number % 9:02d}:{number // 9 % 60:02d}:{number // 540 % 60:02d}"


class Stock:
    """One filling of an empty shelf."""

    def __init__(self, rows: Rows, options: SandboxOptions) -> None:
        self.rows, self.options = rows, options
        self.company = example.company(options.customers, options.seed, options.as_of, language=options.language)
        self.base = self.company.currency
        self.crm = options.settings.get("role") == "crm"
        self.users: dict[str, int] = {}
        self.partners: dict[str, int] = {}
        self.terms: dict[str, int] = {}
        self.lines: dict[str, list[Row]] = {}  # our id of a document or payment → its receivable lines
        self.invoices: dict[int, Row] = {}  # partner → a posted invoice
        self.newest = "1970-01-01 00:00:00"
        self.number = 0

    def fill(self) -> None:
        """Everything, in the order in which ids refer to each other."""
        self._frame()
        self._people()
        self._terms()
        self._customers(
            example.accounts(self.company, self.options.seed, self.options.language)
            if self.crm
            else self.company.customers
        )
        if not self.crm:
            self._rates()
            self._documents()
            self._payments()
            for application in self.company.applications:
                if application.reversed_on is None:
                    self._apply(application)
        self._orders()
        self.rows.shelf.put("~meta", "newest", self.newest)

    def stamped(self, day: dt.date) -> str:
        """When something of a day of the story was written."""
        self.number += 1
        at = stamp_of(day, self.number)
        self.newest = max(self.newest, at)
        return at

    def add(self, model: str, day: dt.date, /, **values: Any) -> Row:
        """A row written on a day of the story."""
        return self.rows.add(model, values, self.stamped(day))

    # --- frame ---------------------------------------------------------------------------------------------------------------
    def _frame(self) -> None:
        day = self.company.as_of - dt.timedelta(days=700)
        for name, key in _CURRENCIES.items():
            self.add("res.currency", day, id=key, name=name, active=True, rounding=Decimal("0.01"))
        for code in _COUNTRIES:
            self.add("res.country", day, name=code, code=code)
        own = self.add("res.partner", day, id=1, name="Holdfast Trading", is_company=True, parent_id=False,
                       commercial_partner_id=1, active=True, company_id=False, partner_share=True, type="contact",
                       customer_rank=0, supplier_rank=0, trust="normal")  # fmt: skip
        self.add(
            "res.company", day, id=1, name="Holdfast Trading", currency_id=_CURRENCIES[self.base], partner_id=own["id"]
        )
        for code, active in (("en_US", True), ("zh_CN", self.options.language == "zh")):
            self.add("res.lang", day, name=code, code=code, active=active)
        for key, name in ((4, "To-Do"), (1, "Email"), (2, "Call")):
            self.add("mail.activity.type", day, id=key, name=name)
        for key, code, name, trade in (
            (RECEIVABLE, "121000", "Account Receivable", True), (TAX_RECEIVABLE, "132000", "Tax Receivable", False),
        ):  # fmt: skip
            self.add("account.account", day, id=key, code=code, name=name, account_type="asset_receivable",
                     non_trade=not trade)  # fmt: skip
        self.add(
            "account.account", day, id=EXPENSE, code="642000", name="Bad debt", account_type="expense", non_trade=False
        )
        self.add("account.account", day, id=INCOME, code="400000", name="Sales", account_type="income", non_trade=False)
        self.add(
            "product.product", day, id=20, name="Instruments", sale_ok=True, list_price=Decimal("100.0"), active=True
        )
        self.add("account.journal", day, id=6, name="Bank", code="BNK1", type="bank")
        for key, model in enumerate(MODELS, 50):
            self.add("ir.model", day, id=key, model=model, name=model)
        views = {"base.view_partner_form": 127, "sale.view_order_form": 964}
        for name, key in views.items():
            self.add(
                "ir.ui.view",
                day,
                id=key,
                name=name,
                model="",
                inherit_id=False,
                mode="primary",
                arch="",
                arch_db="",
                active=True,
            )
            self._xml_id(day, name, "ir.ui.view", key)
        self._xml_id(day, "mail.mail_activity_data_todo", "mail.activity.type", 4)

    def _xml_id(self, day: dt.date, name: str, model: str, key: int) -> None:
        module, _, word = name.partition(".")
        self.add("ir.model.data", day, module=module, name=word, model=model, res_id=key)

    def _people(self) -> None:
        day = self.company.as_of - dt.timedelta(days=690)
        staff = [("admin", "Administrator", "", True, 2), ("connector", "Credit connector", "", True, 5)]
        staff += [(p.id, p.name, p.email or "", p.active, 10 + n) for n, p in enumerate(self.company.people, 1)]
        for login, name, email, active, key in staff:
            partner = self.add("res.partner", day, id=2 + key, name=name, is_company=False, parent_id=False,
                               commercial_partner_id=2 + key, active=active, email=email or False, company_id=False,
                               partner_share=False, customer_rank=0, supplier_rank=0, type="contact", trust="normal")  # fmt: skip
            self.add("res.users", day, id=key, name=name, login=email or login, email=email or False, active=active,
                     share=False, company_id=1, partner_id=partner["id"], lang="zh_CN" if self.options.language == "zh" else "en_US")  # fmt: skip
            self.users[login] = key
        self.add("res.users.apikeys", day, name="sandbox", user_id=5, expiration_date=False)

    def _terms(self) -> None:
        day = self.company.as_of - dt.timedelta(days=690)
        for word in sorted({c.terms for c in self.company.customers if c.terms}):
            kind, days = word.split(":")[:2]
            term = self.add("account.payment.term", day, name=word, early_discount=False,
                            discount_percentage=Decimal("2.0"), discount_days=10)  # fmt: skip
            self.add("account.payment.term.line", day, payment_id=term["id"], value="percent", value_amount=Decimal("100.0"),
                     nb_days=int(days) * (30 if kind == "months" else 1), delay_type=_DELAYS[kind], days_next_month="10")  # fmt: skip
            self.terms[word] = term["id"]

    # --- customers -------------------------------------------------------------------------------------------------------------
    def _customers(self, customers: list[Customer]) -> None:
        first = self.company.as_of - dt.timedelta(days=600)
        countries = {r["code"]: r["id"] for r in self.rows.all("res.country").values()}
        limits = {x.customer_id: x for x in reversed(self.company.limits) if x.kind == "base"}
        start = 5000 if self.crm else 100
        for number, customer in enumerate(customers):
            key = start + number
            self.partners[customer.id] = key
            if self.crm and customer.external_id:
                self.partners.setdefault(customer.external_id, key)
            limit = limits.get(customer.id)
            self.add(
                "res.partner", first + dt.timedelta(days=number % 500), id=key, name=customer.name,
                ref=(customer.external_id if self.crm else customer.id) or False, vat=customer.tax_id or False,
                is_company=True, parent_id=self.partners.get(customer.parent_id or "", False), commercial_partner_id=key,
                type="contact", email=customer.email or False, phone=customer.phone or False, street=False, city=False,
                country_id=countries.get(customer.country or "", False), lang=False, category_id=[],
                user_id=self.users.get(customer.owner or "", False),
                property_payment_term_id=self.terms.get(customer.terms or "", False),
                credit_limit=from_minor(limit.amount, limit.currency or self.base)
                if limit and limit.amount and not self.crm and limit.currency == self.base else Decimal("0.0"),
                customer_rank=0 if self.crm else 1, supplier_rank=0, trust="normal",
                active=customer.status != "inactive", company_id=False, partner_share=True, comment=False,
            )  # fmt: skip

    def _rates(self) -> None:
        for rate in self.company.rates:
            value = EXACT.divide(Decimal(1), rate.rate).quantize(Decimal("0.000000000001"))
            self.add("res.currency.rate", rate.on, currency_id=_CURRENCIES[rate.from_currency], name=rate.on.isoformat(),
                     rate=value, company_rate=value, inverse_company_rate=rate.rate, company_id=1)  # fmt: skip

    # --- documents and payments ----------------------------------------------------------------------------------------------------
    def _documents(self) -> None:
        parts: dict[str, list[tuple[dt.date, Decimal]]] = {}
        for part in self.company.instalments:
            parts.setdefault(part.document_id, []).append((part.due_on, part.amount))
        for document in self.company.documents:
            if document.kind in _MOVE_TYPES and document.voided_on is None:
                self._move(document, sorted(parts.get(document.id, [])))

    def _move(self, document: Document, parts: list[tuple[dt.date, Decimal]]) -> None:
        move_type = _MOVE_TYPES[document.kind]
        sign = -1 if move_type == "out_refund" else 1
        whole = from_minor(document.amount, document.currency)
        base = from_minor(document.base_amount if document.base_amount is not None else document.amount, self.base)
        parts = parts or [(document.due_on or document.issued_on, whole)]
        partner, posted = self.partners[document.customer_id], document.status == "posted"
        number = document.number or document.id
        move = self.add(
            "account.move", document.issued_on, name=number if posted else "/", move_type=move_type,
            state="posted" if posted else "draft",
            payment_state="blocked" if document.disputed_amount else "not_paid", partner_id=partner,
            commercial_partner_id=partner, invoice_date=document.issued_on.isoformat(),
            invoice_date_due=parts[-1][0].isoformat(), date=document.issued_on.isoformat(),
            currency_id=_CURRENCIES[document.currency], company_id=1, amount_untaxed=whole, amount_total=whole,
            amount_residual=whole if posted else Decimal("0.0"), amount_total_signed=sign * base,
            amount_residual_signed=sign * base, invoice_payment_term_id=False, invoice_origin=False, ref=document.id,
            payment_reference=number, reversed_entry_id=False, invoice_user_id=False,
            debit_origin_id=1 if document.kind == "debit_note" else False,
        )  # fmt: skip
        if posted and move_type == "out_invoice":
            self.invoices[partner] = move
        left = base
        made = []
        for place, (due, amount) in enumerate(parts, 1):
            share = left if place == len(parts) else rounded(EXACT.divide(base * amount, whole), self.base)
            left -= share
            name = f"{number} installment #{place}" if len(parts) > 1 else number
            made.append(self.line(move, sign * share, sign * amount, due, name=name))
        self.lines[document.id] = made

    def line(self, move: Row, balance: Decimal, amount: Decimal, due: dt.date | None, **more: Any) -> Row:
        """A receivable line of a move, open in full."""
        posted = move["state"] == "posted"
        values = {
            "move_id": move["id"], "move_name": move["name"], "move_type": move["move_type"], "parent_state": move["state"],
            "partner_id": move["commercial_partner_id"], "account_id": RECEIVABLE, "account_type": "asset_receivable",
            "company_id": 1, "date": move["date"], "date_maturity": due.isoformat() if due else False,
            "currency_id": move["currency_id"], "balance": balance, "amount_currency": amount,
            "amount_residual": balance if posted else Decimal("0.0"),
            "amount_residual_currency": amount if posted else Decimal("0.0"),
            "reconciled": False, "full_reconcile_id": False, "no_followup": False, "payment_id": False,
            "statement_line_id": False, "name": False, "ref": move["ref"], "sale_line_ids": [], **more,
        }  # fmt: skip
        return self.add("account.move.line", dt.date.fromisoformat(move["date"]), **values)

    def _payments(self) -> None:
        applied = {a.from_id for a in self.company.applications}
        loose = [p for p in self.company.payments if p.id not in applied and p.kind == "receipt" and not p.voided_on]
        waiting = {p.id for p in sorted(loose, key=lambda p: p.received_on)[-4:]}
        for payment in self.company.payments:
            if payment.id in waiting:
                self._in_process(payment)
            elif payment.voided_on is None:
                self.lines[payment.id] = [self.payment(payment)]

    def _in_process(self, payment: Payment) -> None:
        """A payment as the accounting app keeps it until the bank statement: without an entry."""
        base = from_minor(payment.base_amount if payment.base_amount is not None else payment.amount, self.base)
        self.add(
            "account.payment", payment.received_on, name=f"PBNK1/{payment.id}", date=payment.received_on.isoformat(),
            state="in_process", payment_type="inbound", partner_type="customer", partner_id=self.partners[payment.customer_id],
            amount=from_minor(payment.amount, payment.currency), currency_id=_CURRENCIES[payment.currency],
            amount_company_currency_signed=base, journal_id=6, memo=payment.id, move_id=False,
            outstanding_account_id=False, is_reconciled=False, is_matched=False, invoice_ids=[], company_id=1,
        )  # fmt: skip

    def payment(self, payment: Payment) -> Row:
        """A payment with its entry and receivable line; a write-off is an entry against an expense."""
        amount = from_minor(payment.amount, payment.currency)
        base = from_minor(payment.base_amount if payment.base_amount is not None else payment.amount, self.base)
        sign = 1 if payment.kind == "refund" else -1
        partner, day = self.partners[payment.customer_id], payment.received_on
        move = self.add(
            "account.move", day, name=f"PBNK1/{day.year}/{self.number:05d}", move_type="entry", state="posted",
            payment_state="not_paid", partner_id=partner, commercial_partner_id=partner, invoice_date=False,
            invoice_date_due=False, date=day.isoformat(), currency_id=_CURRENCIES[payment.currency], company_id=1,
            amount_untaxed=amount, amount_total=amount, amount_residual=Decimal("0.0"), amount_total_signed=base,
            amount_residual_signed=Decimal("0.0"), ref=payment.id, debit_origin_id=False,
        )  # fmt: skip
        if payment.kind == "write_off":
            self.add("account.move.line", day, move_id=move["id"], move_name=move["name"], move_type="entry",
                     parent_state="posted", partner_id=partner, account_id=EXPENSE, account_type="expense", company_id=1,
                     date=day.isoformat(), date_maturity=False, currency_id=move["currency_id"], balance=base,
                     amount_currency=amount, payment_id=False, sale_line_ids=[], name="Bad debt")  # fmt: skip
            return self.line(move, sign * base, sign * amount, day, name="Bad debt")
        paid = self.add(
            "account.payment", day, name=move["name"], date=day.isoformat(), state="paid",
            payment_type="outbound" if sign > 0 else "inbound", partner_type="customer", partner_id=partner,
            amount=amount, currency_id=move["currency_id"], amount_company_currency_signed=-sign * base, journal_id=6,
            memo=payment.id, move_id=move["id"], outstanding_account_id=False, is_reconciled=False, is_matched=False,
            invoice_ids=[], company_id=1,
        )  # fmt: skip
        return self.line(move, sign * base, sign * amount, day, payment_id=paid["id"], name="Manual Payment")

    # --- reconciling -------------------------------------------------------------------------------------------------------------
    def _apply(self, application: Application) -> None:
        credits, debits = self.lines.get(application.from_id, []), self.lines.get(application.to_id, [])
        left = application.amount
        for debit in debits:
            if credits and left > 0:
                taken = min(left, debit["amount_residual_currency"])
                if taken > 0:
                    self.reconcile(debit, credits[0], taken, application.applied_on)
                    left -= taken

    def reconcile(self, debit: Row, credit: Row, amount: Decimal, day: dt.date, *, exchange: bool = True) -> Row:
        """Sets part of a credit against part of a debit of the same currency, with the exchange difference where the
        credit is used up. Odoo dates it by the later item; here the story's own day may be later still."""
        whole = amount == debit["amount_residual_currency"]
        base = debit["amount_residual"] if whole else self._share(debit, amount)
        row = self.add(
            "account.partial.reconcile", day, debit_move_id=debit["id"], credit_move_id=credit["id"], amount=base,
            debit_amount_currency=amount if debit["amount_currency"] else Decimal("0.0"),
            credit_amount_currency=amount if credit["amount_currency"] else Decimal("0.0"),
            debit_currency_id=debit["currency_id"], credit_currency_id=credit["currency_id"], full_reconcile_id=False,
            exchange_move_id=False, max_date=max(debit["date"], credit["date"], day.isoformat()), company_id=1,
        )  # fmt: skip
        self._take(debit, base, amount, day)
        self._take(credit, -base, -amount, day)
        rest = credit["amount_residual"]
        if exchange and not credit["amount_residual_currency"] and rest:
            self._exchange(row, credit, rest, day)
        return row

    def _share(self, line: Row, amount: Decimal) -> Decimal:
        return rounded(EXACT.divide(abs(line["balance"]) * amount, abs(line["amount_currency"])), self.base)

    def _take(self, line: Row, base: Decimal, amount: Decimal, day: dt.date) -> None:
        line["amount_residual"] -= base
        if line["amount_currency"]:
            line["amount_residual_currency"] -= amount
        line["reconciled"] = not line["amount_residual"] and not line["amount_residual_currency"]
        self.rows.change("account.move.line", line, {}, max(self.stamped(day), line["write_date"]))

    def _exchange(self, cause: Row, line: Row, rest: Decimal, day: dt.date) -> None:
        """The entry that clears what is left of an item in company currency only, dated at the end of the month."""
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        move = self.add(
            "account.move", day, name=f"EXCH/{day:%Y/%m}/{self.number:04d}", move_type="entry", state="posted",
            payment_state="not_paid", partner_id=line["partner_id"], commercial_partner_id=line["partner_id"],
            date=min(end, self.company.as_of).isoformat(), currency_id=line["currency_id"], company_id=1, ref=False,
            amount_total=Decimal("0.0"), debit_origin_id=False,
        )  # fmt: skip
        other = self.line(
            move, -rest, Decimal("0.0"), dt.date.fromisoformat(move["date"]), name="Currency exchange rate difference"
        )
        self.rows.change("account.partial.reconcile", cause, {"exchange_move_id": move["id"]}, cause["write_date"])
        debit, credit = (line, other) if rest > 0 else (other, line)
        self.reconcile(debit, credit, Decimal(0), dt.date.fromisoformat(move["date"]), exchange=False)

    # --- orders ------------------------------------------------------------------------------------------------------------------
    def _orders(self) -> None:
        lines: dict[str, list[Any]] = {}
        for line in self.company.order_lines:
            lines.setdefault(line.order_id, []).append(line)
        states = {"draft": "draft", "open": "sale", "closed": "sale", "cancelled": "cancel"}
        for order in self.company.orders:
            partner = self.partners.get(order.customer_id)
            if partner is None:
                continue
            amount = from_minor(order.amount or 0, order.currency)
            made = self.add(
                "sale.order", order.ordered_on, name=order.number or order.id, state=states[order.status], locked=False,
                invoice_status="no", partner_id=partner, partner_invoice_id=partner,
                date_order=f"{order.ordered_on} 03:00:00", validity_date=False,
                commitment_date=f"{order.ship_on} 04:00:00" if order.ship_on else False, client_order_ref=order.id,
                currency_id=_CURRENCIES[order.currency], currency_rate=Decimal("1.0"), amount_untaxed=amount,
                amount_total=amount, payment_term_id=self.terms.get(order.terms or "", False), opportunity_id=False,
                user_id=self.users.get(order.owner or "", False), company_id=1,
            )  # fmt: skip
            for line in lines.get(order.id, []):
                net = line.unit_price * line.quantity
                gross = rounded(net * (1 + (line.tax_rate or 0)), order.currency)
                row = self.add(
                    "sale.order.line", order.ordered_on, order_id=made["id"], name=f"Item {line.line}", display_type=False,
                    product_uom_qty=line.quantity, qty_delivered=line.quantity_delivered or Decimal("0.0"),
                    qty_invoiced=line.quantity_invoiced or Decimal("0.0"), price_unit=line.unit_price,
                    discount=Decimal("0.0"), price_subtotal=rounded(net, order.currency), price_total=gross,
                    is_downpayment=False, invoice_lines=[],
                )  # fmt: skip
                if not self.crm and line.quantity_invoiced:
                    self._billed(row, partner, made["currency_id"])

    def _billed(self, line: Row, partner: int, currency: int) -> None:
        """What of an order line is on an invoice: a product line on one of the customer's posted ones."""
        move = self.invoices.get(partner)
        if move is None:
            return
        share = EXACT.divide(line["qty_invoiced"], line["product_uom_qty"])
        item = self.add(
            "account.move.line", dt.date.fromisoformat(move["date"]), move_id=move["id"], move_name=move["name"],
            move_type="out_invoice", parent_state="posted", partner_id=partner, account_id=INCOME, account_type="income",
            company_id=1, date=move["date"], date_maturity=False, currency_id=currency, balance=Decimal("0.0"),
            amount_currency=Decimal("0.0"), payment_id=False, name=line["name"], quantity=line["qty_invoiced"],
            price_subtotal=rounded(line["price_subtotal"] * share, "CNY"),
            price_total=rounded(line["price_total"] * share, "CNY"), sale_line_ids=[line["id"]],
        )  # fmt: skip
        self.rows.change("sale.order.line", line, {"invoice_lines": [item["id"]]}, line["write_date"])
