"""For all tests: each begins in English, whatever language the one before it chose; what all need is made once."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import Engine, make_url

from connector.cli.common import choose_language
from connector.store import db
from connector.store.db import Store
from tests.store.turns import watched_turns
from tests.web.routes_once import routes_once

# No test is timed, also not by Hypothesis: a machine that has other work to do is no fault of ours.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests that start, kill and wait for processes leave a core with nothing to do."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded now stays: else the interpreter looks through all of it for rings of objects that nobody needs, each
    time a test has made some thousands. A quarter of the time that tests of the service take was that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def _english() -> None:
    choose_language(["--lang", "en"])


_SHIPPED = (db._DURABLE, db._SOON)


@pytest.fixture(scope="session", autouse=True)
def _nobody_cuts_the_power() -> Iterator[None]:
    """No file waits for the disk: what a killed process has written stays all the same, only a power cut would show it,
    and the tests have none. Half of the time of those that write was that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_DURABLE", "OFF")
        patch.setattr(db, "_SOON", "OFF")
        yield


@pytest.fixture(scope="session", autouse=True)
def _nobody_waits_for_each_other() -> Iterator[None]:
    """Every transaction of every test takes its turns in one order."""
    with watched_turns():
        yield


@pytest.fixture(scope="session", autouse=True)
def _routes_are_read_once() -> Iterator[None]:
    with routes_once():
        yield


@pytest.fixture
def as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files wait for the disk as they do where people use them."""
    monkeypatch.setattr(db, "_DURABLE", _SHIPPED[0])
    monkeypatch.setattr(db, "_SOON", _SHIPPED[1])


@pytest.fixture(scope="session", autouse=True)
def _new_files_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The first SQLite file of a run is made by all migrations, one after the other; every other new one begins as a copy
    of it, because a thousand tests each want one and the migrations take twenty times as long. What the migrations make is
    looked at where they are tested (`tests/store`), from nothing and from each version. They share the words that
    statements are put into, which each would find by itself again."""
    made = tmp_path_factory.mktemp("schema") / "new.db"
    first: list[Engine] = []
    opens = Store.open.__func__  # type: ignore[attr-defined]

    def opened(cls: type[Store], url: str) -> Store:
        at = make_url(url) if url.startswith("sqlite:///") else None
        file = Path(at.database) if at is not None and at.database and "\0" not in at.database else None
        if file is not None and file.parent.is_dir() and not file.exists():
            if not made.exists():
                opens(cls, f"sqlite:///{made}").close()
            shutil.copyfile(made, file)
        store: Store = opens(cls, url)
        if store.engine.dialect.name == "sqlite":
            first.append(store.engine) if not first else alike(store.engine)
        return store

    def alike(engine: Engine) -> None:
        engine.dialect = engine.pool._dialect = first[0].dialect
        engine._compiled_cache = first[0]._compiled_cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "open", classmethod(opened))
        yield
