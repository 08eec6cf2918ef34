"""A Tryton sandbox for unit tests, with a hand for entering ledger moves, and the adapter's client on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.tryton import ADAPTER, Settings
from adapters.tryton.client import Tryton
from adapters.tryton.sandbox import PASSWORD, TrytonSandbox, make
from adapters.tryton.sandbox_rows import Rows
from connector import mapping as mappings
from connector.adapter import Connection
from connector.clock import FixedClock
from connector.converters import Context
from connector.http import Http, Limits, Throttle
from connector.sandbox import SandboxOptions

URL = "https://tryton.example.com"
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
JOURNALS = {"revenue": 1, "cash": 2, "write-off": 3}


@dataclass
class Desk:
    """A sandbox, a client on it, and what was entered. Amounts are signed: positive is owed to us."""

    sandbox: TrytonSandbox
    client: Tryton
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))

    @property
    def rows(self) -> Rows:
        return Rows(self.sandbox.shelf)

    def party(self, code: str) -> int:
        return int(next(p["id"] for p in self.sandbox.shelf.all("party.party") if p["code"] == code))

    def currency(self, code: str) -> int:
        return int(next(c["id"] for c in self.sandbox.shelf.all("currency.currency") if c["code"] == code))

    def line(self, code: str, base: str, foreign: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """A receivable line: its value in the ledger, and the amount in another currency where there is one."""
        value = Decimal(base)
        return {
            "party": self.party(code),
            "debit": max(value, Decimal(0)),
            "credit": max(-value, Decimal(0)),
            "second_currency": self.currency(foreign[1]) if foreign else None,
            "amount_second_currency": Decimal(foreign[0]) if foreign else None,
            **more,
        }

    def move(self, journal: str, on: str, *lines: dict[str, Any], state: str = "posted", origin: str = "") -> list[int]:
        """A move with these lines; gives their ids."""
        rows = self.rows
        common = {"account": 1, "company": 1, "date": on, "move_state": state}
        values = {
            "number": f"M{on}",
            "date": on,
            "state": state,
            "journal": JOURNALS[journal],
            "origin": origin or None,
            "lines": [["create", [{**common, **line} for line in lines]]],
        }
        return list(rows.add("account.move", values, rows.stamp())["lines"])

    def invoice(self, code: str, on: str, *lines: dict[str, Any], total: str) -> tuple[int, list[int]]:
        """A posted invoice with its instalments; gives its id and theirs."""
        rows = self.rows
        values = {
            "type": "out",
            "state": "posted",
            "party": self.party(code),
            "number": f"INV-{on}",
            "additional_moves": [],
        }
        made = rows.add(
            "account.invoice", {**values, "total_amount_cache": Decimal(total), "currency": 1}, rows.stamp()
        )
        ids = self.move("revenue", on, *lines, origin=f"account.invoice,{made['id']}")
        rows = self.rows
        move = rows.all("account.move.line")[ids[0]]["move"]
        rows.change("account.invoice", rows.all("account.invoice")[made["id"]], {"move": move}, rows.stamp())
        return made["id"], ids

    def change(self, model: str, row_id: int, **values: Any) -> None:
        rows = self.rows
        rows.change(model, rows.all(model)[row_id], values, rows.stamp())

    def reconcile(self, *lines: int) -> int:
        rows = self.rows
        there = rows.all("account.move.line")
        date = max(there[i].get("maturity_date") or there[i]["date"] for i in lines)
        made = rows.add("account.move.reconciliation", {"date": date, "lines": list(lines)}, rows.stamp())
        for line in lines:
            rows.change("account.move.line", there[line], {"reconciliation": made["id"]}, rows.stamp())
        return int(made["id"])

    def facts(self, stream: str = "ledger") -> list[Any]:
        """What the shipped mapping makes of a full read; a problem fails the test."""
        mapping, problems = mappings.load(mappings.shipped("tryton"), name="tryton.toml", adapter=ADAPTER)
        assert mapping is not None, problems
        found: list[Any] = []
        for page in ADAPTER.stream(stream).read(self.client, None, mapping.wanted(stream)):
            for record in page.records:
                made, problems = mapping.read(stream, record, context=Context(base="CNY", system="erp"))
                assert not problems, problems[0]
                found += made
        return found


def client_on(url: str, clock: Any, password: str = PASSWORD, **settings: Any) -> Tryton:
    """The adapter's client on a sandbox's address."""
    throttle = Throttle(Limits(), clock)

    def http(base_url: str, **options: Any) -> Http:
        return Http(base_url, **{"system": "erp", "throttle": throttle, "clock": clock, **options})

    checked = Settings.model_validate({"base_url": url, "database": "holdfast", "user": "connector", **settings})
    return Tryton(Connection("erp", checked, lambda name: password, http, clock))


@contextmanager
def desk(customers: int = 2, switches: dict[str, Any] | None = None, **settings: Any) -> Iterator[Desk]:
    """A sandbox behind `responses`, without invoices where nothing is entered: its company has customers only."""
    sandbox = make(SandboxOptions(customers=customers, as_of=NOON.date(), settings=switches or {}))
    for model in (
        "account.move",
        "account.move.line",
        "account.move.reconciliation",
        "account.invoice",
        "account.dunning",
    ):
        for row in sandbox.shelf.all(model):
            sandbox.shelf.drop(model, f"{row['id']:010d}")
    clock = FixedClock(NOON)
    with sandbox.mounted(URL):
        yield Desk(sandbox, client_on(URL, clock, **settings), clock)
