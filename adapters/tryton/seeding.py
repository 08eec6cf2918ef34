"""A company entered into an empty Tryton over JSON-RPC, the way its users would enter it.

What is entered is `story.held(company)`, so that a test can compare what the adapter reads with what was meant.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from connector.adapter import Connection
from connector.clock import SystemClock
from connector.example import Company
from connector.http import Http, Limits, Throttle
from connector.model import Document, Payment
from connector.money import from_minor

from .client import Tryton
from .seeding_ground import Ground, found
from .story import ledger_value
from .wizards import pay, reconcile

ADMIN = ("admin", "admin-of-the-demo-1")
CONNECTOR = ("connector", "connector-of-the-demo-1")
SALES = ("sales", "sales-of-the-demo-1")

_GROUPS = ("Accounting", "Dunning", "Account Credit Limit", "Sales", "Party Administration")
_SALES_GROUPS = ("Sales", "Party Administration")
_COUNTRIES = {"CN": ("China", "CHN"), "US": ("United States", "USA"), "DE": ("Germany", "DEU"), "JP": ("Japan", "JPN")}
_LOT = 40


# --- entering it -----------------------------------------------------------------------------------------------------
def enter(url: str, database: str, made: Company) -> None:
    """Books the company into a database whose modules are active and which is otherwise empty."""
    found(_client(url, database), made, ADMIN[0])
    books = _Books(_client(url, database), made)
    books.prepare()
    books.customers()
    books.invoices()
    books.payments()
    books.orders()
    books.disputes()
    books.limits()
    books.goodbyes()
    books.users()


def _client(url: str, database: str) -> Tryton:
    throttle = Throttle(Limits(in_flight=1))
    settings = SimpleNamespace(base_url=url, database=database, user=ADMIN[0], page_size=500, overlap_minutes=15)

    def http(base_url: str, **options: Any) -> Http:
        return Http(base_url, **{"system": "tryton", "throttle": throttle, "timeout": (10.0, 600.0), **options})

    return Tryton(Connection("tryton", settings, lambda name: ADMIN[1], http, SystemClock()))


class _Books(Ground):
    """A company being entered; keeps what Tryton called everything."""

    # --- who ---
    def customers(self) -> None:
        """Parties with address, tax identifier, mail and phone, payment term and currency."""
        countries = {"CN": self.one("country.country", [["code", "=", "CN"]])}
        for code in sorted({c.country for c in self.made.customers if c.country} - countries.keys()):
            name, long = _COUNTRIES.get(code, (code, None))
            countries[code] = self.create("country.country", [{"name": name, "code": code, "code3": long}])[0]
        for lot in _lots(self.made.customers):
            rows = []
            for customer in lot:
                contacts = [
                    {"type": kind, "value": value}
                    for kind, value in (("email", customer.email), ("phone", customer.phone))
                    if value
                ]
                address = {
                    "city": "Suzhou" if customer.country == "CN" else "",
                    "country": countries.get(customer.country or ""),
                }
                rows.append(
                    {
                        "name": customer.name,
                        "code": customer.id,
                        "addresses": [["create", [address]]],
                        "contact_mechanisms": [["create", contacts]],
                        "identifiers": [["create", [{"type": None, "code": customer.tax_id}]]]
                        if customer.tax_id
                        else [],
                        "customer_payment_term": self.terms[customer.terms or "net:30"],
                        "customer_currency": self.currencies[customer.currency or self.made.currency],
                    }
                )
            self.create("party.party", rows)
        for row in self.client.rows("party.party", [], ["code", "addresses"]):
            self.parties[row["code"]] = row

    # --- what happened ---
    def invoices(self) -> None:
        """Invoices and credit notes in the order of their dates, posted unless they are drafts."""
        split = {i.document_id for i in self.made.instalments}
        ordered = sorted(self.made.documents, key=lambda d: (d.issued_on, d.id))
        for lot in _lots(ordered):
            rows = [self._invoice(d, d.id in split) for d in lot]
            ids = self.create("account.invoice", rows)
            self.invoice_of |= {d.id: i for d, i in zip(lot, ids, strict=True)}
            posted = [i for d, i in zip(lot, ids, strict=True) if d.status == "posted"]
            if posted:
                self._expect_past_dates(posted)
                self.client.call("model.account.invoice.post", posted, safe=False)

    def _expect_past_dates(self, invoices: Sequence[int]) -> None:
        """Answers beforehand what Tryton would ask of each invoice: that its due date lies in the past."""
        user = self.client.rows("res.user", [["login", "=", ADMIN[0]]], ["id"])[0]["id"]
        keys = [hashlib.md5(f"account.invoice,{i}".encode(), usedforsecurity=False).hexdigest() for i in invoices]
        self.create("res.user.warning", [{"user": user, "name": f"{key}.invoice_payment_term"} for key in keys])

    def _invoice(self, document: Document, in_three: bool) -> dict[str, Any]:
        party = self.parties[document.customer_id]
        credit = document.kind == "credit_note"
        currency = self.currencies[document.currency]
        terms = next(c.terms for c in self.made.customers if c.id == document.customer_id) or "net:30"
        line = {
            "type": "line",
            "currency": currency,
            "description": "Instruments and spare parts",
            "quantity": -1 if credit else 1,
            "unit_price": from_minor(document.amount, document.currency),
            "account": self.revenue,
        }
        return {
            "type": "out",
            "party": party["id"],
            "invoice_address": party["addresses"][0],
            "currency": currency,
            "journal": self.sales_journal,
            "account": self.receivable,
            # A credit note is due at once: it waits to be set against something.
            "payment_term": None if credit else self.terms[terms + (" in three" if in_three else "")],
            "payment_term_date": document.issued_on if credit else None,
            "invoice_date": document.issued_on,
            "reference": document.id,
            "lines": [["create", [line]]],
        }

    def payments(self) -> None:
        """Receipts: what pays invoices in full is reconciled with them, the rest goes through the invoice's own wizard
        (in part) or waits on the account."""
        documents = {d.id: d for d in self.made.documents}
        aim = {a.from_id: a.to_id for a in self.made.applications}
        received: dict[str, list[Payment]] = defaultdict(list)
        plain: list[Payment] = []
        single: list[tuple[Payment, str]] = []
        for payment in sorted(self.made.payments, key=lambda p: (p.received_on, p.id)):
            if payment.id in aim:
                received[aim[payment.id]].append(payment)
            else:
                plain.append(payment)
        for document, payments in received.items():
            full = sum(p.amount for p in payments) == documents[document].amount
            # The wizard books exchange differences on the day it is used, which is not the day of our story.
            if full and (len(payments) == 1 or documents[document].currency != self.made.currency):
                plain += payments
            else:
                single += [(p, document) for p in payments]
        self._receipts(sorted(plain, key=lambda p: (p.received_on, p.id)), aim)
        for payment, document in sorted(single, key=lambda s: (s[0].received_on, s[0].id)):
            amount = from_minor(payment.amount, payment.currency)
            pay(self.client, self.invoice_of[document], amount, payment.received_on, self.method)
        # Nobody works off the queue while we enter, so paid invoices are told that they are.
        for lot in _lots(self.invoice_of[document] for document in received):
            self.client.call("model.account.invoice.process", lot, safe=False)

    def _receipts(self, payments: list[Payment], aim: dict[str, str]) -> None:
        moves: dict[str, list[int]] = defaultdict(list)
        for lot in _lots(payments):
            rows = []
            for payment in lot:
                value = ledger_value(self.made, payment.amount, payment.currency, payment.received_on)
                home = payment.currency == self.made.currency
                credit = {
                    **self._owed_by(payment.customer_id, -value),
                    "second_currency": None if home else self.currencies[payment.currency],
                    "amount_second_currency": None if home else -from_minor(payment.amount, payment.currency),
                }
                rows.append(self._move(self.cash_journal, payment.received_on, payment.id, credit, self.bank, value))
            ids = self.create("account.move", rows)
            self.client.call("model.account.move.post", ids, safe=False)
            for payment, move in zip(lot, ids, strict=True):
                if payment.id in aim:
                    moves[aim[payment.id]].append(move)
        for some in _lots(list(moves.items())):
            self._reconcile(dict(some))

    def _owed_by(self, customer: str, value: Decimal) -> dict[str, Any]:
        sides = {"debit": max(value, Decimal(0)), "credit": max(-value, Decimal(0))}
        return {"account": self.receivable, "party": self.parties[customer]["id"], **sides}

    def _move(
        self, journal: int, on: dt.date, text: str, line: dict[str, Any], against: int, value: Decimal
    ) -> dict[str, Any]:
        other = {"account": against, "debit": max(value, Decimal(0)), "credit": max(-value, Decimal(0))}
        day = on.isoformat()
        period = next(p["id"] for p in self.periods if p["start_date"] <= day <= p["end_date"])
        return {
            "journal": journal,
            "period": period,
            "date": on,
            "description": text,
            "lines": [["create", [other, line]]],
        }

    def _reconcile(self, moves: dict[str, list[int]]) -> None:
        """Invoices with the moves of the receipts that pay them in full; exchange differences are booked first."""
        mine = [["account", "=", self.receivable]]
        fields = ["move", "date", "maturity_date", "debit", "credit"]
        invoices = self.client.rows_of("account.invoice", "id", [self.invoice_of[d] for d in moves], ["move"])
        move_of = {r["id"]: r["move"] for r in invoices}
        whole = {d: [move_of[self.invoice_of[d]], *some] for d, some in moves.items()}
        lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for line in self.client.rows_of(
            "account.move.line", "move", [m for w in whole.values() for m in w], fields, mine
        ):
            lines[line["move"]].append(line)
        sets = {d: [line for m in some for line in lines[m]] for d, some in whole.items()}
        rest = {d: sum((r["debit"] - r["credit"] for r in some), Decimal(0)) for d, some in sets.items()}
        off = [d for d, value in rest.items() if value]
        known = {d.id: d for d in self.made.documents}
        booked = self.create(
            "account.move",
            [
                self._move(
                    self.exchange_journal,
                    max(dt.date.fromisoformat(r["date"]) for r in sets[d]),
                    "Exchange difference",
                    self._owed_by(known[d].customer_id, -rest[d]),
                    self.expense,
                    rest[d],
                )
                for d in off
            ],
        )
        if booked:
            self.client.call("model.account.move.post", booked, safe=False)
        by_move = dict(zip(booked, off, strict=True))
        for line in self.client.rows_of("account.move.line", "move", booked, fields, mine):
            sets[by_move[line["move"]]].append(line)
        for some in sets.values():
            reconcile(self.client, [r["id"] for r in some])

    # --- what comes ---
    def orders(self) -> None:
        """Orders as far as their state says: drafts, cancelled ones, and confirmed ones, which start processing."""
        lines = defaultdict(list)
        for line in self.made.order_lines:
            lines[line.order_id].append(line)
        for lot in _lots(self.made.orders):
            rows = []
            for order in lot:
                party = self.parties[order.customer_id]
                rows.append(
                    {
                        "party": party["id"],
                        "invoice_address": party["addresses"][0],
                        "shipment_address": party["addresses"][0],
                        "currency": self.currencies[order.currency],
                        "payment_term": self.terms.get("net:30"),
                        "sale_date": order.ordered_on,
                        "shipping_date": order.ship_on,
                        "reference": order.id,
                        "description": "Instruments",
                        "invoice_method": "order",
                        "shipment_method": "order",
                        "lines": [
                            [
                                "create",
                                [
                                    {
                                        "type": "line",
                                        "description": f"Position {line.line}",
                                        "quantity": int(line.quantity),
                                        "unit_price": line.unit_price,
                                        "taxes": [["add", [self.tax]]] if line.tax_rate else [],
                                    }
                                    for line in lines[order.id]
                                ],
                            ]
                        ],
                    }
                )
            ids = self.create("sale.sale", rows)
            for status, steps in (("open", ("quote", "confirm", "process")), ("cancelled", ("cancel",))):
                those = [i for o, i in zip(lot, ids, strict=True) if o.status == status]
                for step in steps if those else ():
                    self.client.call(f"model.sale.sale.{step}", those, safe=False)

    def disputes(self) -> None:
        """Blocked dunnings on what customers dispute: Tryton has nothing nearer."""
        invoices = [self.invoice_of[d.id] for d in self.made.documents if d.disputed_amount and d.status == "posted"]
        moves = [r["move"] for r in self.client.rows_of("account.invoice", "id", invoices, ["move"])]
        unpaid = [["account", "=", self.receivable], ["reconciliation", "=", None], ["debit", ">", Decimal(0)]]
        rows = [
            {
                "line": r["id"],
                "procedure": self.procedure,
                "level": self.level,
                "blocked": True,
            }
            for r in self.client.rows_of("account.move.line", "move", moves, ["move"], unpaid)
        ]
        self.create("account.dunning", rows)

    def limits(self) -> None:
        """Limits last: until then every order may be confirmed."""
        pairs: list[Any] = []
        for limit in self.made.limits:
            amount = from_minor(limit.amount or 0, limit.currency or self.made.currency)
            pairs += [[self.parties[limit.customer_id]["id"]], {"credit_limit_amount": amount}]
        for start in range(0, len(pairs), 2 * _LOT):
            self.client.call("model.party.party.write", *pairs[start : start + 2 * _LOT])

    def goodbyes(self) -> None:
        """Customers who have left, last: Tryton lets nobody change an inactive party."""
        gone = [self.parties[c.id]["id"] for c in self.made.customers if c.status == "inactive"]
        if gone:
            self.client.call("model.party.party.write", gone, {"active": False})

    def users(self) -> None:
        """The integration user with the rights it needs and no more, and a plain salesperson."""
        for (login, password), name, groups in (
            (CONNECTOR, "Holdfast", _GROUPS),
            (SALES, "Sales person", _SALES_GROUPS),
        ):
            self.create(
                "res.user",
                [
                    {
                        "name": name,
                        "login": login,
                        "password": password,
                        "companies": [["add", [self.company]]],
                        "company": self.company,
                        "groups": [["add", [self.one("res.group", [["name", "=", g]]) for g in groups]]],
                    }
                ],
            )


def _lots(items: Sequence[Any] | Iterable[Any]) -> Iterator[list[Any]]:
    whole = list(items)
    for start in range(0, len(whole), _LOT):
        yield whole[start : start + _LOT]
