"""The ground a company stands on in Tryton: currencies, our own company, chart, years, terms, tax, dunning, journals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.example import Company
from connector.money import exponent

from .client import Tryton
from .story import THIRDS, tryton_rate, unit

_NAMES = {"CNY": "Yuan Renminbi", "USD": "US Dollar", "EUR": "Euro", "JPY": "Yen"}


def found(client: Tryton, made: Company, login: str) -> None:
    """Currencies, rates, our own company, and the administrator in it: before that there is no context to work in."""

    def create(model: str, rows: Sequence[dict[str, Any]]) -> list[int]:
        ids: list[int] = client._call(f"model.{model}.create", [list(rows)], {}, False)
        return ids

    codes = [made.currency, *sorted({r.from_currency for r in made.rates})]
    ids = create(
        "currency.currency",
        [{"name": _NAMES.get(c, c), "code": c, "symbol": c, "digits": exponent(c), "rounding": unit(c)} for c in codes],
    )
    currencies = dict(zip(codes, ids, strict=True))
    first = min((r.on for r in made.rates), default=made.as_of)
    rates = [{"currency": currencies[made.currency], "date": first, "rate": Decimal(1)}]
    rates += [{"currency": currencies[r.from_currency], "date": r.on, "rate": tryton_rate(r.rate)} for r in made.rates]
    create("currency.currency.rate", rates)
    country = create("country.country", [{"name": "China", "code": "CN", "code3": "CHN"}])[0]
    address = {"street": "88 Jinji Lake Road", "city": "Suzhou", "country": country}
    party = create(
        "party.party",
        [{"name": "Lingyun Instruments Co., Ltd.", "code": "OWN", "addresses": [["create", [address]]]}],
    )[0]
    company = create("company.company", [{"party": party, "currency": currencies[made.currency]}])[0]
    user = client._call("model.res.user.search", [[["login", "=", login]], 0, 1, None], {}, True)
    client._call("model.res.user.write", [user, {"companies": [["add", [company]]], "company": company}], {}, False)


class Ground:
    """What must be there before the first customer; keeps what Tryton called everything."""

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
        for place, ratio in enumerate((*THIRDS, None) if parts else (None,)):
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
