"""A system is tried before it is kept: against every product's sandbox, without a write, and never where it must not go."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector.clock import SystemClock
from connector.config import Config
from connector.config_seal import make_key
from connector.config_toml import system_text
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import audit, tables
from connector.store.db import Store
from jobs.try_system import Tried, try_system
from tests.conformance.stage import cast_of
from tests.store.conftest import store as store

WHO = "person:boss"
AS_OF = dt.date(2026, 11, 25)
PRODUCTS = [name for name in adapters.names() if adapters.load(name).secrets]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    make_key(tmp_path / "seal.key")
    return Config(root=tmp_path, store={"seal_key": "file:seal.key"})  # type: ignore[arg-type]


@pytest.fixture
def one_store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    yield made
    made.close()


def draft(
    name: str, settings: Mapping[str, Any], secrets: Mapping[str, str], **more: Any
) -> tuple[str, dict[str, str]]:
    """The text of a system whose secrets are typed and not kept, and these."""
    adapter = adapters.load(name)
    named = {s.name: f"sealed:s1/{s.name}" for s in adapter.secrets if s.name in secrets}
    values = {"name": "s1", "adapter": name, "roles": adapter.roles[:1], "settings": dict(settings), "secrets": named}
    return system_text({**values, **more}), {f"s1/{key}": value for key, value in secrets.items()}


def states(tried: Tried, part: str) -> list[str]:
    return [line.state for line in tried.lines if line.part == part]


def rows(store: Store) -> dict[str, int]:
    with store.reading() as tx:
        return {t.name: len(tx.execute(t.select()).all()) for t in tables.metadata.sorted_tables}


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_product_is_tried_without_a_write_anywhere(name: str, config: Config, one_store: Store) -> None:
    cast = cast_of(name)
    box: Sandbox = cast.make(SandboxOptions(data=None, customers=40, seed=1, as_of=AS_OF, language="en"))
    before = rows(one_store)
    with box.served() as url:
        secrets = dict(cast.world.secrets(box) if cast.world.secrets else box.credentials())
        text, typed = draft(name, cast.world.settings(box, url), secrets, write=True)
        tried = try_system(one_store, config, text, SystemClock(), by=WHO, secrets=typed)
    assert tried.problems == ()
    assert (tried.system, tried.fine) == ("s1", True), tried.lines
    assert states(tried, "check").count("fine") >= 3
    assert len(states(tried, "writes")) >= 2
    assert len(tried.streams) >= 3
    first = next(s for s in tried.streams if "customer" in adapters.load(name).stream(s.name).facts)
    assert first.records == 20, "a trial reads little"
    assert first.more
    assert first.first
    assert [call for call in box.writes() if call.write] == []
    changed = {name for name, count in rows(one_store).items() if count != before[name]}
    assert changed <= {"audit", "audit_head", "concern"}, "and nothing is kept here"
    with one_store.reading() as tx:
        [told] = [line.entry for line in audit.everything(tx)]
    assert (told.action, told.subject, told.actor) == ("system.try", "system:s1", WHO)
    assert (told.after["outcome"], told.after["hosts"]) == ("fine", ["127.0.0.1"])
    for value in secrets.values():
        assert value not in str(tried), "a secret is in no answer"
        assert value not in str(told), "nor in the trail"


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_wrong_secret_is_told_and_never_repeated(name: str, config: Config, one_store: Store) -> None:
    cast = cast_of(name)
    box = cast.make(SandboxOptions(data=None, customers=5, seed=1, as_of=AS_OF, language="en"))
    with box.served() as url:
        names = [s.name for s in adapters.load(name).secrets if s.required]
        text, typed = draft(name, cast.world.settings(box, url), dict.fromkeys(names, "wrong-hunter2-hunter2"))
        tried = try_system(one_store, config, text, SystemClock(), by=WHO, secrets=typed)
    assert not tried.fine
    assert tried.streams == ()
    assert any(line.state == "wrong" and line.what.en != line.what.zh for line in tried.lines)
    assert "hunter2" not in str(tried)


def odoo(url: str, **more: Any) -> tuple[str, dict[str, str]]:
    return draft("odoo", {"base_url": url, "transport": "json2"}, {"api_key": "k" * 40}, **more)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://[::ffff:169.254.169.254]",
        "https://100.100.100.200",
        "https://[64:ff9b::a9fe:a9fe]",
        "http://2130706433",
        "https://0.0.0.0",
        "gopher://127.0.0.1:70",
        "file:///etc/passwd",
        "https://erp.example.com@127.0.0.1",
        "https://erp.example.com/#@127.0.0.1",
        "http://erp.example.com",
    ],
)
def test_an_address_that_is_never_talked_to_is_refused(url: str, config: Config, one_store: Store) -> None:
    text, typed = odoo(url)
    tried = try_system(one_store, config, text, SystemClock(), by=WHO, secrets=typed)
    assert not tried.fine
    assert tried.streams == ()


def test_a_public_name_that_leads_into_this_machine_is_not_followed(
    config: Config, one_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up anew for every connection, and may lead anywhere: what counts is where it has led."""
    came = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.settimeout(5)
                    if peer.recv(1):
                        came.set()

        threading.Thread(target=listen, daemon=True).start()
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest, **more: real("127.0.0.1" if "example" in host else host, *rest, **more),
        )
        text, typed = odoo(f"https://erp.example.com:{port}")
        tried = try_system(one_store, config, text, SystemClock(), by=WHO, secrets=typed)
    assert [line.part for line in tried.lines if line.state == "wrong"] == ["connect"]
    assert "leads to 127.0.0.1 in a private network" in tried.lines[-1].what.en
    assert "指向内网地址 127.0.0.1" in tried.lines[-1].what.zh
    assert not came.is_set(), "not one byte was sent"


def test_a_text_that_will_not_do_is_not_tried(config: Config, one_store: Store) -> None:
    text, _ = odoo("https://erp.example.com")
    assert [p.code for p in try_system(one_store, config, text, SystemClock(), by=WHO).problems] == ["not_set"]
    assert [p.code for p in try_system(one_store, config, "[[", SystemClock(), by=WHO).problems] == ["toml"]


def test_whatever_an_adapter_has_not_foreseen_is_told_without_its_words(
    config: Config, one_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise ValueError("hunter2")

    monkeypatch.setattr("jobs.try_system.look", broken)
    text, typed = odoo("http://127.0.0.1:9")
    tried = try_system(one_store, config, text, SystemClock(), by=WHO, secrets=typed)
    assert [(line.part, line.state) for line in tried.lines] == [("connect", "wrong")]
    assert "ValueError" in tried.lines[0].what.en
    assert "hunter2" not in str(tried)


def test_there_is_an_end_to_it(config: Config, one_store: Store, tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("id,name\nC1,One\n", encoding="utf-8")
    text = system_text({"name": "s1", "adapter": "files", "roles": ["erp"], "settings": {"path": "book"}})
    tried = try_system(one_store, config, text, SystemClock(), by=WHO, seconds=-1)
    assert tried.fine
    assert states(tried, "reads")
    assert set(states(tried, "reads")) == {"todo"}
    assert [s.records for s in try_system(one_store, config, text, SystemClock(), by=WHO).streams][:2] == [1, 0]
