"""A real Tryton for the tests, with a small company in it; brought up by the product's own `bring_up`.

Environment and seeded database are built once for all workers and all later runs (a lock in the user's cache keeps
builders apart); each worker then starts a server of its own on a copy, in about a second, so that tests may write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.tryton import ADAPTER, Settings
from adapters.tryton.client import Tryton
from adapters.tryton.server import Server, bring_up
from connector import mapping as mappings
from connector.adapter import Connection, Record
from connector.clock import SystemClock
from connector.converters import Context
from connector.example import company
from connector.http import Http, Limits, Throttle

# A seed with everything in it: four currencies, partial payments, instalments, disputes, a credit note.
SMALL = company(30, seed=13, documents_per_customer=4)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Tryton with thirty customers, of this worker's own."""
    running = bring_up(tmp_path_factory.mktemp("tryton"), made=SMALL)
    yield running
    running.stop()


def signed_in(server: Server, role: str = "connector", **settings: Any) -> Tryton:
    """The adapter's client as one of the server's users."""
    user, password = server.users[role]
    return connected({**server.settings(), "user": user, **settings}, {**server.secrets(), "password": password})


def connected(settings: dict[str, Any], secrets: dict[str, str]) -> Tryton:
    """The adapter's client from settings and secrets, as the core makes it."""
    throttle = Throttle(Limits())

    def http(base_url: str, **options: Any) -> Http:
        return Http(base_url, **{"system": "erp", "throttle": throttle, **options})

    checked = Settings.model_validate(settings)
    return Tryton(Connection("erp", checked, secrets.__getitem__, http, SystemClock()))


def wanted(stream: str) -> tuple[str, ...]:
    return _mapping().wanted(stream)


def _mapping() -> mappings.Mapping:
    found, problems = mappings.load(mappings.shipped("tryton"), name="tryton.toml", adapter=ADAPTER)
    assert found is not None, problems
    return found


def read(client: Tryton, stream: str, cursor: Any = None) -> tuple[dict[str, Record], Any]:
    """All records of one read by key, and the cursor after it."""
    records: dict[str, Record] = {}
    for page in ADAPTER.stream(stream).read(client, cursor, wanted(stream)):
        records |= {r.key: r for r in page.records}
        cursor = page.cursor
    return records, cursor


def facts(client: Tryton, base: str = "CNY") -> dict[str, list[Any]]:
    """Everything the shipped mapping makes of everything, by the name of its kind; problems fail the test."""
    mapping, found = _mapping(), defaultdict(list)
    for stream in ADAPTER.streams:
        for record in read(client, stream.name)[0].values():
            made, problems = mapping.read(stream.name, record, context=Context(base=base, system="erp"))
            assert not problems, f"{record.key}: {problems[0]}"
            for fact in made:
                found[type(fact).__name__].append(fact)
    return found


def folder_of(name: str) -> Path:
    """A folder in the user's cache for what the tests keep between runs."""
    from adapters.tryton.server import cache_folder

    place = cache_folder().parent / name
    place.mkdir(parents=True, exist_ok=True)
    return place
