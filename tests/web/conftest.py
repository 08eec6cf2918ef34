"""The service in process on a store of each kind, as its clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

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
