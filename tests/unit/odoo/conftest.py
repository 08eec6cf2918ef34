"""An Odoo for tests: the sandbox in process, a clock that stands still, and a client through either door."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import ADAPTER
from adapters.odoo.client import Client
from adapters.odoo.sandbox import OdooSandbox
from adapters.odoo.sandbox_rows import Row, Rows
from connector import mapping as mappings
from connector.adapter import Connection, Finding, Need, Outcome, Page, Write
from connector.clock import FixedClock
from connector.errors import ConfigError, Problem
from connector.http import Http, Throttle
from connector.mapping import Context, Mapping
from connector.model import Fact
from connector.sandbox import SandboxOptions

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
URL = "http://odoo.internal"


def shipped() -> Mapping:
    mapping, problems = mappings.load(mappings.shipped("odoo"), name="odoo.toml", adapter=ADAPTER)
    assert problems == []
    assert mapping is not None
    return mapping


@dataclass
class Office:
    """One Odoo with a client of it."""

    sandbox: OdooSandbox
    clock: FixedClock
    settings: dict[str, Any]
    roles: frozenset[Any]
    secrets: dict[str, str]
    mapping: Mapping = field(default_factory=shipped)

    def client(self, **settings: Any) -> Client:
        """A new client, as after a restart."""

        def secret(name: str) -> str:
            if name not in self.secrets:
                raise ConfigError(f"no {name}")
            return self.secrets[name]

        assert ADAPTER.limits is not None
        throttle = Throttle(ADAPTER.limits, self.clock)
        chosen = {"base_url": URL, "database": "sandbox", **self.settings, **settings}
        return Client(
            Connection(
                name="office",
                settings=ADAPTER.settings.model_validate(chosen),
                secret=secret,
                http=lambda url, **more: Http(
                    url, **{"system": "office", "throttle": throttle, "clock": self.clock, **more}
                ),
                clock=self.clock,
                business_time_zone="Asia/Shanghai",
                roles=self.roles,
            )
        )

    # reading
    def pages(self, stream: str, cursor: Any = None, client: Client | None = None) -> list[Page]:
        wanted = self.mapping.wanted(stream)
        return list(ADAPTER.stream(stream).read(client or self.client(), cursor, wanted))

    def rows(self, stream: str, cursor: Any = None, client: Client | None = None) -> dict[str, Any]:
        """The records of a reading, by key."""
        return {r.key: r.data for page in self.pages(stream, cursor, client) for r in page.records}

    def facts(self, *streams: str, client: Client | None = None) -> list[Fact]:
        """The facts of full readings; no record may have a problem."""
        context, found = Context("Asia/Shanghai", "CNY", "office"), []
        for stream in streams:
            for page in self.pages(stream, None, client):
                for record in page.records:
                    facts, problems = self.mapping.read(stream, record, context=context)
                    assert problems == []
                    found += facts
        return found

    def problems(self, stream: str) -> list[Problem]:
        context = Context("Asia/Shanghai", "CNY", "office")
        return [
            p
            for page in self.pages(stream)
            for r in page.records
            for p in self.mapping.read(stream, r, context=context)[1]
        ]

    # writing
    def send(self, kind: str, *writes: Write, client: Client | None = None) -> list[Outcome]:
        channel = ADAPTER.channel(kind)
        assert channel is not None
        return list(channel.send(client or self.client(), writes))

    def needs(self) -> list[Need]:
        return [n for c in ADAPTER.channels for n in self.mapping.needs(c.kind, c.object)]

    def provision(self, dry: bool = False) -> list[Finding]:
        assert ADAPTER.provision is not None
        return list(ADAPTER.provision(self.client(), self.needs(), dry))

    def check(self) -> list[Finding]:
        return list(ADAPTER.check(self.client(), self.needs()))

    # behind the adapter's back
    def book(self) -> Rows:
        return Rows(self.sandbox.shelf)

    def add(self, model: str, **values: Any) -> Row:
        return self.book().add(model, values)

    def change(self, model: str, key: int, **values: Any) -> None:
        rows = self.book()
        row = rows.get(model, key)
        assert row is not None
        rows.change(model, row, values)

    def row(self, model: str, key: int | str) -> Row:
        found = self.book().get(model, int(key))
        assert found is not None
        return found

    def item(self, *, amount: str, move_type: str = "out_invoice", state: str = "posted", day: str = "2026-10-01",
             base: str | None = None, due: str | None = "2026-10-31", currency: int = 6, partner: int = 101,
             **line: Any) -> Row:  # fmt: skip
        """One receivable line with its move, typed by hand."""
        move = self.add(
            "account.move", name=f"M/{amount}/{day}", move_type=move_type, state=state, payment_state="not_paid",
            partner_id=partner, commercial_partner_id=partner, date=day, currency_id=currency, company_id=1,
            debit_origin_id=line.pop("debit_origin_id", False),
        )  # fmt: skip
        return self.add(
            "account.move.line", move_id=move["id"], move_name=move["name"], move_type=move_type, parent_state=state,
            partner_id=partner, account_id=line.pop("account_id", 5), account_type="asset_receivable", company_id=1,
            date=day, date_maturity=due or False, currency_id=currency, balance=Decimal(base or amount),
            amount_currency=Decimal(amount), payment_id=line.pop("payment_id", False), statement_line_id=False,
            sale_line_ids=[], **line,
        )  # fmt: skip


Open = Callable[..., Office]


@pytest.fixture
def open_office() -> Iterator[Open]:
    """Opens an Odoo in process: `open_office(role="crm", version=17, customers=20, admin=False, transport=…)`."""
    with contextlib.ExitStack() as stack:

        def opened(
            *, role: str = "erp", version: int = 19, customers: int = 20, roles: tuple[str, ...] | None = None,
            admin: bool = True, language: Any = "en", **settings: Any,
        ) -> Office:  # fmt: skip
            options = SandboxOptions(
                customers=customers, settings={"role": role, "version": version}, language=language
            )
            sandbox = OdooSandbox(options)
            stack.enter_context(sandbox.mounted(URL))
            secrets = dict(sandbox.credentials())
            if not admin:
                del secrets["admin_key"]
            return Office(sandbox, FixedClock(NOON), settings, frozenset(roles or (role,)), secrets)

        yield opened


@pytest.fixture(params=["json2", "jsonrpc"])
def either(request: pytest.FixtureRequest, open_office: Open) -> Office:
    """The same Odoo through each of its doors."""
    return open_office(transport=request.param, login="connector")
