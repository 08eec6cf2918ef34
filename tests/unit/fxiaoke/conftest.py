"""A Fxiaoke tenant for tests: its sandbox in process, a clock that stands still, and a client by either style."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.fxiaoke import ADAPTER
from adapters.fxiaoke.client import Client
from adapters.fxiaoke.sandbox import FxiaokeSandbox
from connector import mapping as mappings
from connector.adapter import Connection, Need, Record
from connector.clock import FixedClock
from connector.http import Http, Throttle
from connector.mapping import Context, Mapping
from connector.model import Fact
from connector.sandbox import SandboxOptions

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
USERS = {"header": "1000", "body": "FSUID_000003E8"}


@dataclass
class Tenant:
    """One sandbox with a client of it."""

    sandbox: FxiaokeSandbox
    clock: FixedClock
    client: Client
    mapping: Mapping

    def needs(self) -> list[Need]:
        """The fields the shipped mapping writes."""
        return [n for c in ADAPTER.channels for n in self.mapping.needs(c.kind, c.object)]

    def records(self, stream: str, wanted: tuple[str, ...] | None = None) -> list[Record]:
        """A full read of one stream."""
        paths = self.mapping.wanted(stream) if wanted is None else wanted
        return [r for page in ADAPTER.stream(stream).read(self.client, None, paths) for r in page.records]

    def facts(self, stream: str, mapping: Mapping | None = None) -> list[Fact]:
        """The facts of one stream; no record may have a problem."""
        by = mapping or self.mapping
        context = Context(time_zone="Asia/Shanghai", base="CNY", system="fx")
        found: list[Fact] = []
        for record in self.records(stream, by.wanted(stream)):
            facts, problems = by.read(stream, record, context=context)
            assert problems == []
            found += facts
        return found

    def named(self, label: str, of: str = "AccountObj") -> str:
        """The generated name of a field."""
        return self.sandbox.field_name(of, label)

    def accounts(self) -> list[dict[str, Any]]:
        """The accounts as the sandbox keeps them, by id."""
        return self.sandbox.shelf.all("AccountObj")

    def touch(self, kind: str, key: str, at: dt.datetime = NOON - dt.timedelta(minutes=2), **values: Any) -> None:
        """Changes a record behind the adapter's back."""
        row = self.sandbox.shelf.get(kind, key)
        assert row is not None
        self.sandbox.keep(kind, row | values | {"last_modified_time": int(at.timestamp() * 1000)})


def connection(sandbox: FxiaokeSandbox, clock: FixedClock, base_url: str, **settings: Any) -> Connection:
    """What the core would hand to the adapter."""
    style = settings.get("auth_style", "header")
    made = ADAPTER.settings(**{"base_url": base_url, "acting_user": USERS[style], **settings})
    assert ADAPTER.limits is not None
    throttle = Throttle(ADAPTER.limits, clock)
    return Connection(
        name="fx",
        settings=made,
        secret=lambda name: sandbox.credentials()[name],
        http=lambda url, **options: Http(url, **{"system": "fx", "throttle": throttle, "clock": clock, **options}),
        clock=clock,
        language="zh",
        business_time_zone="UTC",
        roles=frozenset({"crm"}),
    )


Make = Callable[..., Tenant]


@pytest.fixture
def tenant() -> Iterator[Make]:
    """Makes a tenant: `tenant(customers=250, options={…}, auth_style="body", …)`."""
    with contextlib.ExitStack() as stack:
        made: list[Tenant] = []

        def make(
            customers: int = 20, options: dict[str, Any] | None = None, now: dt.datetime = NOON, **settings: Any
        ) -> Tenant:
            clock = FixedClock(now)
            sandbox = FxiaokeSandbox(SandboxOptions(customers=customers, language="zh", settings=options or {}))
            sandbox.clock = clock
            base_url = f"https://open-{len(made)}.fxiaoke.com"
            stack.enter_context(sandbox.mounted(base_url))
            mapping, problems = mappings.load(mappings.shipped("fxiaoke"), name="fxiaoke.toml", adapter=ADAPTER)
            assert mapping is not None, problems
            client = ADAPTER.open(connection(sandbox, clock, base_url, **settings))
            made.append(Tenant(sandbox, clock, client, mapping))
            return made[-1]

        yield make


@pytest.fixture
def connect() -> Callable[..., Client]:
    """Opens a client of a sandbox that listens on a socket: `connect(sandbox, clock, url, …)`."""
    return lambda sandbox, clock, url, **settings: ADAPTER.open(connection(sandbox, clock, url, **settings))


@pytest.fixture(params=["header", "body"])
def style(request: pytest.FixtureRequest) -> str:
    """Both ways of signing in."""
    return str(request.param)
