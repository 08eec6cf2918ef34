"""A company entered into an empty Tryton over JSON-RPC, the way its users would enter it.

`held(company)` is the part of a made-up company that Tryton can hold, as Tryton holds it (an application has the day of
the payment, a percentage instalment is rounded half even); `enter` books exactly that. So a test can compare what the
adapter reads with what was meant, and Tryton's own figures with both.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from types import SimpleNamespace
from typing import Any

from connector.adapter import Connection
from connector.clock import SystemClock
from connector.example import Company
from connector.http import Http, Limits, Throttle
from connector.model import Document, Instalment, Payment
from connector.money import exponent, from_minor

from .client import Tryton

ADMIN = ("admin", "admin-of-the-demo-1")
CONNECTOR = ("connector", "connector-of-the-demo-1")
SALES = ("sales", "sales-of-the-demo-1")

_GROUPS = ("Accounting", "Dunning", "Account Credit Limit", "Sales", "Party Administration")
_SALES_GROUPS = ("Sales", "Party Administration")
_THIRDS = (Decimal("0.3"), Decimal("0.3"))
_NAMES = {"CNY": "Yuan Renminbi", "USD": "US Dollar", "EUR": "Euro", "JPY": "Yen"}
_COUNTRIES = {"CN": ("China", "CHN"), "US": ("United States", "USA"), "DE": ("Germany", "DEU"), "JP": ("Japan", "JPN")}
_LOT = 40


# --- what Tryton can hold --------------------------------------------------------------------------------------------
def held(made: Company) -> Company:
    """The company without what Tryton has no place for.

    Voided papers, bounced payments, write-offs and credit notes set against open invoices are left out; so are limits
    that are not a plain amount, closed orders, and what was delivered. An application has the payment's date.
    """
    documents = [
        replace(d, voided_on=None, base_amount=None, disputed_amount=None)
        for d in made.documents
        if d.voided_on is None
    ]
    known = {d.id: d for d in documents}
    payments = [
        replace(p, voided_on=None, base_amount=None)
        for p in made.payments
        if p.voided_on is None and p.kind == "receipt"
    ]
    paid = {p.id: p for p in payments}
    applications = [
        replace(a, applied_on=paid[a.from_id].received_on)
        for a in made.applications
        if a.from_id in paid and a.to_id in known and a.reversed_on is None
    ]
    disputed = {d.id for d in made.documents if d.disputed_amount}
    limits: dict[str, Any] = {}
    for limit in made.limits:
        if limit.kind == "base" and limit.amount is not None and limit.currency == made.currency:
            limits.setdefault(limit.customer_id, replace(limit, valid_from=None, valid_to=None, approved_on=None))
    orders = [o for o in made.orders if o.status in ("draft", "open", "cancelled")]
    kept = {o.id for o in orders}
    return Company(
        made.currency,
        made.as_of,
        made.people,
        [replace(c, parent_id=None, status="inactive" if c.status == "inactive" else "active") for c in made.customers],
        list(limits.values()),
        [replace(d, disputed_amount=d.amount) if d.id in disputed else d for d in documents],
        [i for d in documents for i in _thirds(d, [i for i in made.instalments if i.document_id == d.id])],
        payments,
        applications,
        orders,
        [
            replace(line, quantity_delivered=None, quantity_invoiced=Decimal(0), quantity_cancelled=None)
            for line in made.order_lines
            if line.order_id in kept
        ],
        made.rates,
    )


def _thirds(document: Document, parts: Sequence[Instalment]) -> list[Instalment]:
    """Three tenths, three tenths and the rest, each rounded as Tryton's payment terms round."""
    left = from_minor(document.amount, document.currency)
    cent = Decimal(1).scaleb(-exponent(document.currency))
    amounts = [(left * ratio).quantize(cent, ROUND_HALF_EVEN) for ratio in _THIRDS]
    amounts.append(left - sum(amounts, Decimal(0)))
    return [replace(part, amount=amount) for part, amount in zip(parts, amounts, strict=False)] if parts else []


# --- entering it -----------------------------------------------------------------------------------------------------
def enter(url: str, database: str, made: Company) -> None:
    """Books the company into a database whose modules are active and which is otherwise empty."""
    _company(_client(url, database), made)
    books = _Books(_client(url, database), made)
    books.prepare()
    books.customers()
    books.invoices()
    books.payments()
    books.orders()
    books.disputes()
    books.limits()
    books.users()


def _client(url: str, database: str) -> Tryton:
    throttle = Throttle(Limits(in_flight=1))
    settings = SimpleNamespace(base_url=url, database=database, user=ADMIN[0], page_size=500, overlap_minutes=15)

    def http(base_url: str, **options: Any) -> Http:
        return Http(base_url, **{"system": "tryton", "throttle": throttle, "timeout": (10.0, 600.0), **options})

    return Tryton(Connection("tryton", settings, lambda name: ADMIN[1], http, SystemClock()))


def _company(client: Tryton, made: Company) -> None:
    """Currencies, rates, our own company, and the administrator in it: before that there is no context to work in."""

    def create(model: str, rows: Sequence[dict[str, Any]]) -> list[int]:
        ids: list[int] = client._call(f"model.{model}.create", [list(rows)], {}, False)
        return ids

    codes = [made.currency, *sorted({r.from_currency for r in made.rates})]
    ids = create(
        "currency.currency",
        [
            {"name": _NAMES.get(c, c), "code": c, "symbol": c, "digits": exponent(c), "rounding": _unit(c)}
            for c in codes
        ],
    )
    currencies = dict(zip(codes, ids, strict=True))
    first = min((r.on for r in made.rates), default=made.as_of)
    rates = [{"currency": currencies[made.currency], "date": first, "rate": Decimal(1)}]
    # Tryton keeps how many units one of ours is worth, with six decimals.
    rates += [
        {"currency": currencies[r.from_currency], "date": r.on, "rate": (1 / r.rate).quantize(Decimal("0.000001"))}
        for r in made.rates
    ]
    create("currency.currency.rate", rates)
    country = create("country.country", [{"name": "China", "code": "CN", "code3": "CHN"}])[0]
    address = {"street": "88 Jinji Lake Road", "city": "Suzhou", "country": country}
    party = create(
        "party.party",
        [{"name": "Lingyun Instruments Co., Ltd.", "code": "OWN", "addresses": [["create", [address]]]}],
    )[0]
    company = create("company.company", [{"party": party, "currency": currencies[made.currency]}])[0]
    user = client._call("model.res.user.search", [[["login", "=", ADMIN[0]]], 0, 1, None], {}, True)
    client._call("model.res.user.write", [user, {"companies": [["add", [company]]], "company": company}], {}, False)


def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-exponent(currency))


class _Books:
    """A company being entered; keeps what Tryton called everything."""

    def __init__(self, client: Tryton, made: Company) -> None:
        self.client, self.made = client, made
        self.company: int = client.context["company"]
        self.currencies = {r["code"]: r["id"] for r in client.rows("currency.currency", [], ["code"])}
        self.terms: dict[str, int] = {}
        self.parties: dict[str, dict[str, Any]] = {}
        self.invoice_of: dict[str, int] = {}

    def create(self, model: str, rows: Sequence[dict[str, Any]]) -> list[int]:
        ids: list[int] = self.client.call(f"model.{model}.create", list(rows), safe=False) if rows else []
        return ids

    def one(self, model: str, domain: list[Any]) -> int:
        return int(self.client.rows(model, domain, ["id"], limit=1)[0]["id"])

    # --- the ground ---
    def prepare(self) -> None:
        """Chart of accounts, fiscal years, payment terms, tax, dunning levels, journals."""
        self._chart()
        self._years()
        for terms in sorted({c.terms or "net:30" for c in self.made.customers}):
            self._term(terms, parts=False)
            self._term(terms, parts=True)
        taxed = {"invoice_account": self.tax_account, "credit_note_account": self.tax_account}
        self.tax = self.create(
            "account.tax",
            [{"name": "VAT 13%", "description": "VAT 13%", "type": "percentage", "rate": Decimal("0.13"), **taxed}],
        )[0]
        levels = [
            {"sequence": n, "overdue": {"__class__": "timedelta", "seconds": days * 86400}}
            for n, days in enumerate((5, 20, 45), 1)
        ]
        self.procedure = self.create(
            "account.dunning.procedure", [{"name": "Standard", "levels": [["create", levels]]}]
        )[0]
        self.level = self.one("account.dunning.level", [["procedure", "=", self.procedure]])
        self.sales_journal = self.one("account.journal", [["type", "=", "revenue"]])
        self.exchange_journal = self.one("account.journal", [["type", "=", "write-off"]])
        self.periods = self.client.rows("account.period", [["type", "=", "standard"]], ["start_date", "end_date"])
        self.cash_journal = self.one("account.journal", [["type", "=", "cash"]])
        self.client.call(
            "model.account.configuration.write",
            [1],
            {
                "currency_exchange_credit_account": self.expense,
                "currency_exchange_debit_account": self.expense,
                "default_dunning_procedure": self.procedure,
            },
        )
        self.method = self.create(
            "account.invoice.payment.method",
            [
                {
                    "name": "Bank",
                    "journal": self.cash_journal,
                    "debit_account": self.bank,
                    "credit_account": self.bank,
                }
            ],
        )[0]

    def _chart(self) -> None:
        template = self.one("account.account.template", [["parent", "=", None]])
        session = self.client.call("wizard.account.create_chart.create", safe=False)[0]
        run = "wizard.account.create_chart.execute"
        answer = {"account": {"company": self.company, "account_template": template}}
        self.client.call(run, session, answer, "create_account", safe=False)
        mine = [["company", "=", self.company], ["closed", "!=", True]]
        self.receivable = self.one("account.account", [*mine, ["type.receivable", "=", True]])
        self.payable = self.one("account.account", [*mine, ["type.payable", "=", True]])
        self.revenue = self.one("account.account", [*mine, ["type.revenue", "=", True]])
        self.expense = self.one("account.account", [*mine, ["type.expense", "=", True]])
        self.tax_account = self.one("account.account", [*mine, ["code", "=", "6.3.6"]])
        self.bank = self.one("account.account", [*mine, ["code", "=", "1.1.1"]])
        properties = {
            "company": self.company,
            "account_receivable": self.receivable,
            "account_payable": self.payable,
            "category_account_revenue": self.revenue,
            "category_account_expense": self.expense,
        }
        self.client.call(run, session, {**answer, "properties": properties}, "create_properties", safe=False)
        self.client.call("wizard.account.create_chart.delete", session, safe=False)

    def _years(self) -> None:
        kinds = {r["name"]: r["id"] for r in self.client.rows("ir.sequence.type", [], ["name"])}
        invoices = kinds["Invoice"]
        first = min((d.issued_on for d in self.made.documents), default=self.made.as_of)
        for year in range(min(first.year, self.made.as_of.year - 1), self.made.as_of.year + 2):
            mine = {"company": self.company, "padding": 5}
            moves, out, notes = self.create(
                "ir.sequence.strict",
                [
                    {"name": f"Moves {year}", "sequence_type": kinds["Account Move"], "prefix": f"M{year}/", **mine},
                    {"name": f"Invoices {year}", "sequence_type": invoices, "prefix": f"INV{year}/", **mine},
                    {"name": f"Credit notes {year}", "sequence_type": invoices, "prefix": f"CN{year}/", **mine},
                ],
            )
            series = {
                "company": self.company,
                "in_invoice_sequence": out,
                "in_credit_note_sequence": notes,
                "out_invoice_sequence": out,
                "out_credit_note_sequence": notes,
            }
            made = self.create(
                "account.fiscalyear",
                [
                    {
                        "name": str(year),
                        "company": self.company,
                        "start_date": dt.date(year, 1, 1),
                        "end_date": dt.date(year, 12, 31),
                        "move_sequence": moves,
                        "invoice_sequences": [["create", [series]]],
                    }
                ],
            )
            self.client.call("model.account.fiscalyear.create_period", made, safe=False)

    def _term(self, terms: str, parts: bool) -> None:
        kind, *numbers = terms.split(":")
        values = [int(n) for n in numbers]
        deltas: dict[str, dict[str, Any]] = {
            "net": {"days": values[0]},
            "eom": {"day": 31, "days": values[0]},
            "months": {"months": values[0]},
            "day": {"day": values[0], "months": values[-1]},
        }
        none = {"days": 0, "weeks": 0, "months": 0, "day": None}
        lines = []
        for place, ratio in enumerate((*_THIRDS, None) if parts else (None,)):
            steps = [{"sequence": 1, **none, **deltas[kind]}]
            if place:
                steps.append({"sequence": 2, **none, "days": 30 * place})
            line: dict[str, Any] = {"sequence": place, "relativedeltas": [["create", steps]]}
            if ratio is None:
                line["type"] = "remainder"
            else:
                line |= {"type": "percent_on_total", "ratio": ratio, "divisor": round(1 / ratio, 8)}
            lines.append(line)
        name = terms + (" in three" if parts else "")
        made = self.create("account.invoice.payment_term", [{"name": name, "lines": [["create", lines]]}])
        self.terms[name] = made[0]

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
                        "active": customer.status == "active",
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

    def _base(self, amount: int, currency: str, on: dt.date) -> Decimal:
        """The ledger value as Tryton converts it: at the latest rate, rounded half even."""
        value = from_minor(amount, currency)
        if currency == self.made.currency:
            return value
        row = max((r for r in self.made.rates if r.from_currency == currency and r.on <= on), key=lambda r: r.on)
        rate = (1 / row.rate).quantize(Decimal("0.000001"))
        return (value / rate).quantize(_unit(self.made.currency), ROUND_HALF_EVEN)

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

    def _receipts(self, payments: list[Payment], aim: dict[str, str]) -> None:
        moves: dict[str, list[int]] = defaultdict(list)
        for lot in _lots(payments):
            rows = []
            for payment in lot:
                value = self._base(payment.amount, payment.currency, payment.received_on)
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
            for status, steps in (("open", ("quote", "confirm")), ("cancelled", ("cancel",))):
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
                "date": self.made.as_of,
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


def reconcile(client: Tryton, lines: Sequence[int]) -> None:
    """Reconciles lines that add up to zero, through Tryton's own wizard."""
    about = {"active_model": "account.move.line", "active_id": lines[0], "active_ids": list(lines)}
    wizard = "wizard.account.move.reconcile_lines"
    session, start, _ = client.call(f"{wizard}.create", safe=False, **about)
    client.call(f"{wizard}.execute", session, {}, start, safe=False, **about)
    client.call(f"{wizard}.delete", session, safe=False, **about)


def pay(client: Tryton, invoice: int, amount: Decimal, on: dt.date, method: int | None = None) -> None:
    """Pays an invoice, or a part of it, through Tryton's own wizard; amount in the invoice's currency."""
    if method is None:
        found = client.rows("account.invoice.payment.method", [], ["id"], limit=1)
        method = found[0]["id"]
    row = client.rows("account.invoice", [["id", "=", invoice]], ["currency", "company", "party"])[0]
    about = {"active_model": "account.invoice", "active_id": invoice, "active_ids": [invoice]}
    wizard = "wizard.account.invoice.pay"
    session = client.call(f"{wizard}.create", safe=False, **about)[0]
    start = {
        "payee": row["party"],
        "amount": amount,
        "currency": row["currency"],
        "company": row["company"],
        "date": on,
        "invoice_account": None,
        "payment_method": method,
        "description": None,
    }
    answer = client.call(f"{wizard}.execute", session, {"start": start}, "choice", safe=False, **about)
    if isinstance(answer, dict) and answer.get("view"):
        # Less than what is owed: it stays a partial payment.
        ask = {"type": "partial", "invoice": invoice, "amount": amount, "lines": [], "lines_to_pay": []}
        ask |= {"currency": row["currency"], "company": row["company"], "payment_lines": []}
        client.call(f"{wizard}.execute", session, {"start": start, "ask": ask}, "pay", safe=False, **about)
    client.call(f"{wizard}.delete", session, safe=False, **about)


def _lots(items: Sequence[Any] | Iterable[Any]) -> Iterator[list[Any]]:
    whole = list(items)
    for start in range(0, len(whole), _LOT):
        yield whole[start : start + _LOT]
