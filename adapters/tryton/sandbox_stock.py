"""What is in a fresh Tryton sandbox: a made-up company in Tryton's tables."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any

from connector.example import Company, company
from connector.model import Document, Payment
from connector.money import from_minor
from connector.sandbox import SandboxOptions, Shelf

from .sandbox_rows import Row, Rows
from .story import held, ledger_value, tryton_rate

COMPANY, RECEIVABLE, REVENUE_JOURNAL, CASH_JOURNAL, EXCHANGE_JOURNAL, TAX = 1, 1, 1, 2, 3, 1
ZERO = Decimal(0)


def stock(shelf: Shelf, options: SandboxOptions) -> None:
    """Fills an empty shelf with the company that the options describe."""
    papers = float(options.settings.get("documents_per_customer", 12))
    made = held(
        company(
            options.customers, options.seed, options.as_of, documents_per_customer=papers, language=options.language
        )
    )
    _Stock(Rows(shelf), made).fill()


class _Stock:
    def __init__(self, rows: Rows, made: Company) -> None:
        self.rows, self.made = rows, made
        self.parties: dict[str, Row] = {}
        self.currencies: dict[str, int] = {}
        self.terms: dict[str, int] = {}
        self.serial: dict[str, int] = defaultdict(int)

    def add(self, model: str, values: Row, on: dt.date | None = None) -> Row:
        """A row whose time stamp is on a day of the story; two rows rarely share one."""
        self.serial["second"] += 1
        moment = dt.datetime.combine(on or self.made.as_of, dt.time(), dt.UTC) - dt.timedelta(days=1)
        moment += dt.timedelta(seconds=self.serial["second"] % 80_000)
        return self.rows.add(model, values, moment.strftime("%Y-%m-%dT%H:%M:%S.%f"))

    def number(self, prefix: str) -> str:
        self.serial[prefix] += 1
        return f"{prefix}{self.serial[prefix]:05d}"

    def fill(self) -> None:
        self._ground()
        self._people()
        self._customers()
        self._ledger()
        self._orders()

    # --- ground ---
    def _ground(self) -> None:
        add, first = self.add, min((r.on for r in self.made.rates), default=self.made.as_of)
        for code in (self.made.currency, *sorted({r.from_currency for r in self.made.rates})):
            self.currencies[code] = add("currency.currency", {"code": code, "name": code}, first)["id"]
        add("currency.currency.rate", {"currency": 1, "date": first.isoformat(), "rate": Decimal(1)}, first)
        for rate in self.made.rates:
            values = {"currency": self.currencies[rate.from_currency], "date": rate.on.isoformat()}
            add("currency.currency.rate", {**values, "rate": tryton_rate(rate.rate)}, rate.on)
        own = add("party.party", {"code": "OWN", "name": "Lingyun Instruments Co., Ltd."}, first)
        add("company.company", {"party": own["id"], "currency": self.currencies[self.made.currency]}, first)
        add("account.account.type", {"receivable": True}, first)
        add("account.account", {"type": 1, "code": "1.2.1"}, first)
        for code, kind in (("REV", "revenue"), ("CASH", "cash"), ("EXC", "write-off")):
            add("account.journal", {"code": code, "type": kind}, first)
        add("account.tax", {"type": "percentage", "rate": Decimal("0.13")}, first)
        add("account.invoice.payment.method", {"name": "Bank"}, first)
        add("res.group", {"name": "Account Credit Limit"}, first)
        for button in ("confirm", "draft", "quote"):
            add("ir.model.button", {"model": "sale.sale", "name": button}, first)
        for login in ("connector", "admin", "sales"):
            groups = [1] if login == "connector" else []  # of the credit limit
            add("res.user", {"login": login, "name": login.title(), "groups": groups}, first)
        for terms in sorted({c.terms for c in self.made.customers if c.terms}):
            kind, *numbers = terms.split(":")
            values = {"days": 0, "weeks": 0, "months": 0, "day": None, "month": None, "weekday": None}
            values |= {
                "net": {"days": int(numbers[0])},
                "eom": {"day": 31, "days": int(numbers[0])},
                "months": {"months": int(numbers[0])},
                "day": {"day": int(numbers[0]), "months": int(numbers[-1])},
            }[kind]
            delta = add("account.invoice.payment_term.line.delta", values, first)["id"]
            line = add("account.invoice.payment_term.line", {"type": "remainder", "relativedeltas": [delta]}, first)
            term = add("account.invoice.payment_term", {"name": terms, "lines": [line["id"]]}, first)
            self.terms[terms] = term["id"]

    def _people(self) -> None:
        for person in self.made.people:
            party = self.add("party.party", {"code": person.id, "name": person.name, "email": person.email})
            left = None if person.active else (self.made.as_of - dt.timedelta(days=30)).isoformat()
            self.add("company.employee", {"party": party["id"], "company": COMPANY, "end_date": left})

    def _customers(self) -> None:
        countries: dict[str, int] = {}
        limits = {limit.customer_id: limit for limit in self.made.limits}
        for customer in self.made.customers:
            code = customer.country or "CN"
            if code not in countries:
                countries[code] = self.add("country.country", {"code": code, "name": code})["id"]
            limit = limits.get(customer.id)
            values: Row = {
                "code": customer.id,
                "name": customer.name,
                "active": customer.status == "active",
                "email": customer.email or "",
                "phone": customer.phone or "",
                "addresses": [["create", [{"country": countries[code], "city": "Suzhou"}]]],
                "contact_mechanisms": [["create", [{"type": "email", "value": customer.email or ""}]]],
                "identifiers": [["create", [{"type": None, "code": customer.tax_id}]]] if customer.tax_id else [],
                "customer_payment_term": self.terms.get(customer.terms or ""),
                "customer_currency": self.currencies[customer.currency or self.made.currency],
                "credit_limit_amount": from_minor(limit.amount or 0, self.made.currency) if limit else None,
            }
            row = self.add("party.party", values, customer.first_sold_on)
            self.parties[customer.id] = row
            if limit:
                values = {"party": row["id"], "credit_limit_amount": row["credit_limit_amount"]}
                self.add("party.party.credit_limit_amount", values, customer.first_sold_on)

    # --- what happened ---
    def _ledger(self) -> None:
        paid: dict[str, list[Payment]] = defaultdict(list)
        aim = {a.from_id: a.to_id for a in self.made.applications}
        for payment in self.made.payments:
            paid[aim.get(payment.id, "")].append(payment)
        parts = defaultdict(list)
        for part in self.made.instalments:
            parts[part.document_id].append(part)
        for document in sorted(self.made.documents, key=lambda d: (d.issued_on, d.id)):
            due = [(i.due_on, i.amount) for i in parts[document.id]]
            invoice, lines = self._invoice(document, due)
            receipts = [self._receipt(p) for p in paid[document.id]]
            if receipts and sum(p.amount for p in paid[document.id]) == document.amount:
                self._close(document, invoice, lines, receipts)
                receipts.pop()  # the last one closed the invoice; the earlier ones had been set against it
            for line in receipts:
                self.rows.change("account.move.line", line, {"invoice_payment": invoice["id"]}, line["create_date"])
        for payment in paid[""]:
            self._receipt(payment)

    def _move(self, journal: int, on: dt.date, text: str, lines: list[Row], origin: str | None = None) -> Row:
        common = {"date": on.isoformat(), "company": COMPANY, "account": RECEIVABLE, "move_state": "posted"}
        values = {
            "number": self.number(f"M{on.year}/"),
            "date": on.isoformat(),
            "state": "posted",
            "description": text,
            "origin": origin,
            "journal": journal,
            "lines": [["create", [{**common, **line} for line in lines]]],
        }
        return self.add("account.move", values, on)

    def _line(self, customer: str, amount: Decimal, value: Decimal, currency: str) -> Row:
        home = currency == self.made.currency
        return {
            "party": self.parties[customer]["id"],
            "debit": max(value, ZERO),
            "credit": max(-value, ZERO),
            "second_currency": None if home else self.currencies[currency],
            "amount_second_currency": None if home else amount,
        }

    def _lines(self, move: Row) -> list[Row]:
        there = self.rows.all("account.move.line")
        return [there[i] for i in move["lines"]]

    def _invoice(self, document: Document, due: list[tuple[dt.date, Decimal]]) -> tuple[Row, list[Row]]:
        sign = -1 if document.kind == "credit_note" else 1
        total = sign * from_minor(document.amount, document.currency)
        on = document.issued_on
        values = {
            "type": "out",
            "state": "draft",
            "reference": document.id,
            "invoice_date": on.isoformat(),
            "party": self.parties[document.customer_id]["id"],
            "currency": self.currencies[document.currency],
            "total_amount": total,
            "total_amount_cache": total,
            "additional_moves": [],
        }
        invoice = self.add("account.invoice", values, on)
        if document.status == "draft":
            return invoice, []
        lines = []
        for due_on, amount in due or [(document.due_on or on, total)]:
            cents = int(amount.scaleb(2 if document.currency != "JPY" else 0))
            value = ledger_value(self.made, cents, document.currency, on)
            line = self._line(document.customer_id, amount, value, document.currency)
            lines.append({**line, "maturity_date": due_on.isoformat()})
        move = self._move(REVENUE_JOURNAL, on, "", lines, f"account.invoice,{invoice['id']}")
        number = self.number(f"{'CN' if sign < 0 else 'INV'}{on.year}/")
        posted = {"number": number, "state": "posted", "move": move["id"]}
        self.rows.change("account.invoice", invoice, posted, move["create_date"])
        if document.disputed_amount:
            self.add("account.dunning", {"line": move["lines"][0], "blocked": True}, on)
        return invoice, self._lines(move)

    def _receipt(self, payment: Payment) -> Row:
        value = ledger_value(self.made, payment.amount, payment.currency, payment.received_on)
        amount = from_minor(payment.amount, payment.currency)
        line = self._line(payment.customer_id, -amount, -value, payment.currency)
        return self._lines(self._move(CASH_JOURNAL, payment.received_on, payment.id, [line]))[0]

    def _close(self, document: Document, invoice: Row, lines: list[Row], receipts: list[Row]) -> None:
        every = [*lines, *receipts]
        last = max(r["date"] for r in receipts)
        on = dt.date.fromisoformat(last)
        rest = sum((r["debit"] - r["credit"] for r in every), ZERO)
        if rest:
            line = self._line(document.customer_id, ZERO, -rest, self.made.currency)
            every += self._lines(self._move(EXCHANGE_JOURNAL, on, "Exchange difference", [line]))
        values = {"date": max(r.get("maturity_date") or r["date"] for r in every)}
        closed = self.add("account.move.reconciliation", {**values, "lines": [r["id"] for r in every]}, on)
        for row in every:
            self.rows.change("account.move.line", row, {"reconciliation": closed["id"]}, closed["create_date"])
        self.rows.change("account.invoice", invoice, {"state": "paid"}, closed["create_date"])

    # --- what comes ---
    def _orders(self) -> None:
        lines = defaultdict(list)
        for line in self.made.order_lines:
            lines[line.order_id].append(line)
        employees = len(self.rows.all("company.employee"))
        for place, order in enumerate(self.made.orders):
            net = sum((line.quantity * line.unit_price for line in lines[order.id]), ZERO)
            tax = sum((line.quantity * line.unit_price * (line.tax_rate or 0) for line in lines[order.id]), ZERO)
            made: list[dict[str, Any]] = [
                {
                    "type": "line",
                    "description": f"Position {line.line}",
                    "quantity": int(line.quantity),
                    "unit_price": line.unit_price,
                    "shipping_date": line.ship_on.isoformat() if line.ship_on else None,
                    "taxes": [TAX] if line.tax_rate else [],
                    "invoice_lines": [],
                    "moves": [],
                }
                for line in lines[order.id]
            ]
            values = {
                "number": None if order.status == "draft" else self.number("S"),
                "reference": order.id,
                "state": {"draft": "draft", "open": "processing"}.get(order.status, order.status),
                "party": self.parties[order.customer_id]["id"],
                "invoice_address": self.parties[order.customer_id]["addresses"][0],
                "sale_date": order.ordered_on.isoformat(),
                "shipping_date": order.ship_on.isoformat() if order.ship_on else None,
                "currency": self.currencies[order.currency],
                "untaxed_amount": net,
                "tax_amount": tax.quantize(Decimal("0.01")),
                "total_amount": net + tax.quantize(Decimal("0.01")),
                "quoted_by": 1 + place % employees if employees else None,
                "lines": [["create", made]],
            }
            self.add("sale.sale", values, order.ordered_on)
