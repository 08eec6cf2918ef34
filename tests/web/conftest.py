"""The service in process on a store of each kind, as its clients see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from connector.store import api_keys
from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from tests.jobs.shop import Shop, config
from tests.store.conftest import pg_server as pg_server
from tests.store.conftest import pg_store as pg_store
from tests.store.conftest import pg_url as pg_url
from tests.store.conftest import store as store


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    return Shop(store, config(tmp_path))


@pytest.fixture
def front(shop: Shop) -> Front:
    return Front(shop.store, shop.config, shop.clock)


@pytest.fixture
def client(front: Front) -> Iterator[TestClient]:
    with TestClient(make(front), raise_server_exceptions=False) as made:
        yield made


Made = Callable[..., str]


@pytest.fixture
def key(shop: Shop) -> Made:
    """Makes a key of a person of the shop, or of a program ("app:webshop") with roles; gives the token."""

    def made(owner: str, *roles: str, rights: tuple[str, ...] | None = None, days: float = 30) -> str:
        now = shop.clock.now()
        name = owner if ":" in owner else f"person:{owner}"
        one = api_keys.Key("", name, "test", roles, rights, now, "person:test", now + dt.timedelta(days=days))
        with shop.store.writing() as tx:
            return api_keys.create(tx, one)[1]

    return made


def bearer(token: str) -> dict[str, str]:
    """The header that a token is sent in."""
    return {"Authorization": f"Bearer {token}"}
