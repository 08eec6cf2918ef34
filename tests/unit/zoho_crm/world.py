"""A Zoho organisation for the unit tests: the sandbox, in process or over a socket, and a client of the adapter."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from adapters.zoho_crm.client import Zoho
from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import Connection, Need, Page
from connector.clock import Clock, FixedClock
from connector.http import Http, Limits, Throttle
from connector.mapping import Mapping
from connector.sandbox import Sandbox, SandboxOptions

AS_OF = dt.date(2026, 11, 23)
BASE = "https://zoho.example"
ADAPTER = adapters.load("zoho_crm")


def mapping() -> Mapping:
    """The shipped mapping."""
    made, problems = mappings.load(mappings.shipped("zoho_crm"), name="zoho_crm.toml", adapter=ADAPTER)
    assert made is not None, problems
    return made


def needs() -> list[Need]:
    """The fields that the shipped mapping wants."""
    return [n for c in ADAPTER.channels for n in mapping().needs(c.kind, c.object)]


def sandbox(customers: int = 40, **switches: Any) -> Sandbox:
    return adapters.sandbox("zoho_crm", SandboxOptions(customers=customers, as_of=AS_OF, settings=switches))


def clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC))


def client(box: Sandbox, url: str, at: Clock | None = None, **settings: Any) -> Zoho:
    """A client as `connect` makes it; sleeping costs no time."""
    time = at or clock()
    throttle = Throttle(Limits(5), time)

    def http(base_url: str, **options: Any) -> Http:
        return Http(base_url, **{"system": "zoho", "throttle": throttle, "clock": time, **options})

    made = ADAPTER.settings.model_validate({"base_url": url, "accounts_url": url, **settings})
    secrets = {**box.credentials()}
    connection = Connection("zoho", made, secrets.__getitem__, http, time, business_time_zone="Asia/Shanghai")
    opened = ADAPTER.open(connection)
    assert isinstance(opened, Zoho)
    return opened


@contextlib.contextmanager
def organisation(
    customers: int = 40, switches: dict[str, Any] | None = None, **settings: Any
) -> Iterator[tuple[Sandbox, Zoho]]:
    """A sandbox in process and a client of it, with our fields made."""
    box = sandbox(customers, **(switches or {}))
    with box.mounted(BASE):
        opened = client(box, BASE, **settings)
        assert ADAPTER.provision is not None
        ADAPTER.provision(opened, needs(), False)
        yield box, opened


def read(opened: Zoho, stream: str, cursor: Any = None, wanted: Any = None) -> list[Page]:
    """All pages of one read."""
    paths = mapping().wanted(stream) if wanted is None else wanted
    return list(ADAPTER.stream(stream).read(opened, cursor, paths))


def keys(pages: list[Page]) -> list[str]:
    return [r.key for p in pages for r in p.records]
