"""Sealed secrets: nothing readable in the database, bound to their names, sealed anew under a new key."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path

import pytest

from connector.config import Config, StoreSettings
from connector.config_seal import Seal, make_key, seal_of
from connector.errors import ConfigError, Missing
from connector.store import sealed, tables
from connector.store.db import Store
from tests.store.books import NOW

LATER = NOW + dt.timedelta(days=1)
VALUE = "hunter2-hunter2 密码\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    make_key(tmp_path / "seal.key")
    return Config(root=tmp_path, store=StoreSettings(seal_key="file:seal.key"))  # type: ignore[call-arg]


@pytest.fixture
def seal(config: Config) -> Seal:
    return seal_of(config)


def put(store: Store, seal: Seal, name: str, value: str = VALUE, now: dt.datetime = NOW) -> bool:
    with store.writing() as tx:
        return sealed.put(tx, seal, name, value, actor="person:ada", now=now)


def opened(store: Store, seal: Seal, name: str) -> str | None:
    with store.reading() as tx:
        return sealed.opened(tx, seal, name)


def test_a_secret_comes_back_and_stands_nowhere_in_the_database(store: Store, seal: Seal) -> None:
    assert put(store, seal, "erp/password") is False
    assert put(store, seal, "erp/password", now=LATER) is True
    assert opened(store, seal, "erp/password") == VALUE
    assert opened(store, seal, "nothing") is None
    with store.reading() as tx:
        assert sealed.listing(tx) == [sealed.Kept("erp/password", LATER, "person:ada", LATER)]
        (row,) = tx.execute(tables.sealed.select()).all()
        assert "hunter2" not in str(tuple(row))
    assert "hunter2" not in repr(seal)


def test_what_is_sealed_opens_under_no_other_name(store: Store, seal: Seal) -> None:
    """Whoever can write to the database, but has no key, cannot have a secret sent where another one goes."""
    put(store, seal, "bank/key")
    with store.writing() as tx:
        token = tx.execute(tables.sealed.select()).one().value
        tx.execute(
            tables.sealed.insert().values(
                name="mine/key", value=token, changed_at=NOW, changed_by="person:eve", sealed_at=NOW
            )
        )
    with pytest.raises(ConfigError) as wrong:
        opened(store, seal, "mine/key")
    assert "hunter2" not in wrong.value.user.en + wrong.value.log
    assert opened(store, seal, "bank/key") == VALUE


@pytest.mark.parametrize("token", ["", "x", "gAAAAA" + "A" * 100, "密"])
def test_what_was_tampered_with_does_not_open(store: Store, seal: Seal, token: str) -> None:
    put(store, seal, "a")
    with store.writing() as tx:
        tx.execute(tables.sealed.update().values(value=token))
    with pytest.raises(ConfigError) as wrong:
        opened(store, seal, "a")
    assert "holdfast secret set a" in wrong.value.user.en
    assert "重新设置" in wrong.value.user.zh


def test_a_new_key_seals_everything_anew_and_the_old_one_may_go(store: Store, config: Config, seal: Seal) -> None:
    for name in ("a", "b"):
        put(store, seal, name, f"{name}-value")
    file = config.root / "seal.key"
    old = file.read_text(encoding="ascii")
    make_key(file, before=True)
    assert file.read_text(encoding="ascii").endswith(old)
    both = seal_of(config)
    assert opened(store, both, "a") == "a-value", "the old one still opens"
    with store.writing() as tx:
        assert sealed.rotate(tx, both, LATER) == 2
    file.write_text(file.read_text(encoding="ascii").removesuffix(old), encoding="ascii")
    assert [opened(store, seal_of(config), name) for name in ("a", "b")] == ["a-value", "b-value"]
    with pytest.raises(ConfigError):
        opened(store, seal, "a")
    with store.reading() as tx:
        assert [(k.changed_at, k.sealed_at) for k in sealed.listing(tx)] == [(NOW, LATER)] * 2


def test_nothing_is_sealed_anew_where_one_does_not_open(store: Store, config: Config, seal: Seal) -> None:
    put(store, seal, "a", "a-value")
    (config.root / "seal.key").unlink()
    make_key(config.root / "seal.key")
    put(store, seal_of(config), "b", "b-value")
    with pytest.raises(ConfigError), store.writing() as tx:
        sealed.rotate(tx, seal_of(config), LATER)
    assert opened(store, seal, "a") == "a-value"


def test_one_is_forgotten_once(store: Store, seal: Seal) -> None:
    put(store, seal, "a")
    with store.writing() as tx:
        sealed.remove(tx, "a")
        assert sealed.names(tx) == set()
    with pytest.raises(Missing), store.writing() as tx:
        sealed.remove(tx, "a")


# --- the key -------------------------------------------------------------------------------------------------------------
def test_a_key_file_is_its_owners_alone_and_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "seal.key"
    before = os.umask(0)
    try:
        make_key(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        make_key(file, before=True)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    kept = file.read_text(encoding="ascii")
    assert len(kept.split()) == 2
    with pytest.raises(ConfigError) as wrong:
        make_key(file)
    assert "--add" in wrong.value.user.en
    assert file.read_text(encoding="ascii") == kept
    with pytest.raises(ConfigError):
        make_key(tmp_path / "no" / "folder.key")


@pytest.mark.parametrize("text", ["short", "x" * 44, "", "é"])
def test_a_key_of_another_form_is_refused_without_being_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "k").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as wrong:
        seal_of(Config(root=tmp_path, store=StoreSettings(seal_key="file:k")))  # type: ignore[call-arg]
    assert "file:k" in wrong.value.user.en
    assert not text or text not in wrong.value.user.en.replace("file:k", "")


def test_without_a_key_it_is_said_how_to_make_one() -> None:
    with pytest.raises(ConfigError) as wrong:
        seal_of(Config())
    assert "holdfast secret key seal.key" in wrong.value.user.en
    assert "holdfast secret key seal.key" in wrong.value.user.zh
