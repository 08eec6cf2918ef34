"""Nobody decides on one administrator's word: what he gives alone rests, wherever it counts, until a second person confirms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.config import Config
from connector.config_mail import MailSettings
from connector.config_people import PersonSettings
from connector.credit.authority import Person, Request, may
from connector.errors import ConfigError, Missing, NotAllowed
from connector.policy import default_policy
from connector.store import Connection, api_keys, audit, mails
from connector.store.db import Store
from jobs import keys, people, unconfirmed
from jobs.configured import configured

NOW = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
BOSS = Person("boss", "The Boss", frozenset({"admin"}))
OTHER = Person("other", "Other", frozenset({"admin"}))
FILE = (
    PersonSettings(id="boss", name="The Boss", roles=("admin",), email="boss@example.com"),
    PersonSettings(id="other", name="Other", roles=("admin",), email="other@example.com"),
    PersonSettings(id="li.wei", name="Li Wei", roles=("approver",), email="li@example.com"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    yield made
    made.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    mail = MailSettings(host="smtp.example.com", sender="holdfast@example.com")
    return Config(root=tmp_path, people=FILE, mail=mail)


def roles(store: Store, config: Config, who: str) -> set[str]:
    return {role for one in configured(store, config).people if one.id == who for role in one.roles}


def _entered(tx: Connection, config: Config, how: dict[str, Any]) -> None:
    people.add(tx, config, {"id": "mei", "roles": ["sales", "approver"]}, **how)


def _role(tx: Connection, config: Config, how: dict[str, Any]) -> None:
    people.add(tx, config, {"id": "mei", "roles": ["sales"]}, **how)
    people.change(tx, config, "mei", {"roles": ["sales", "approver"]}, **how)


def _address(tx: Connection, config: Config, how: dict[str, Any]) -> None:
    people.add(tx, config, {"id": "mei", "roles": ["sales", "approver"]}, **how | {"here": True})
    people.change(tx, config, "mei", {"email": "boss2@example.com"}, **how)


def _subject(tx: Connection, config: Config, how: dict[str, Any]) -> None:
    people.add(tx, config, {"id": "mei", "roles": ["sales", "approver"]}, **how | {"here": True})
    people.change(tx, config, "mei", {"subject": "the boss's own"}, **how)


def _link(tx: Connection, config: Config, how: dict[str, Any]) -> None:
    people.add(tx, config, {"id": "mei", "roles": ["sales", "approver"]}, **how | {"here": True})
    people.invite(tx, config, "mei", **how)


def _back(tx: Connection, config: Config, how: dict[str, Any]) -> None:
    people.add(tx, config, {"id": "mei", "roles": ["sales", "approver"]}, **how | {"here": True})
    people.change(tx, config, "mei", {"roles": ["sales"]}, **how)
    people.activate(tx, config, 1, **how)


@pytest.mark.parametrize("act", [_entered, _role, _address, _subject, _link, _back])
def test_what_one_administrator_does_alone_gives_nobody_power(
    store: Store, config: Config, act: Callable[[Connection, Config, dict[str, Any]], None]
) -> None:
    with store.writing() as tx:
        act(tx, config, {"person": BOSS, "now": NOW})
    assert roles(store, config, "mei") == {"sales"}, "the power rests, nothing else"
    for person, wrong in ((BOSS, NotAllowed), (Person("mei", "", frozenset({"admin"})), NotAllowed)):
        with pytest.raises(wrong, match="second person"), store.writing() as tx:
            unconfirmed.confirm(tx, config, "mei", person=person, now=NOW)
    with store.writing() as tx:
        unconfirmed.confirm(tx, config, "mei", person=OTHER, now=NOW, note="met her")
    assert roles(store, config, "mei") == {"sales", "approver"}
    with pytest.raises(Missing), store.writing() as tx:
        unconfirmed.confirm(tx, config, "mei", person=OTHER, now=NOW)
    with store.reading() as tx:
        told = [(line.entry.action, line.entry.actor) for line in audit.listing(tx, subject="person:mei")]
    assert ("person.rest", "person:boss") in told
    assert ("person.confirm", "person:other") in told


@pytest.mark.parametrize("act", [_entered, _role, _address, _link])
def test_whoever_works_at_the_machine_needs_no_second_word(
    store: Store, config: Config, act: Callable[[Connection, Config, dict[str, Any]], None]
) -> None:
    with store.writing() as tx:
        act(tx, config, {"person": BOSS, "now": NOW, "here": True})
    assert roles(store, config, "mei") == {"sales", "approver"}


def test_the_first_administrator_makes_himself_all_that_he_is_to_be(store: Store, tmp_path: Path) -> None:
    alone = Config(root=tmp_path)
    with store.writing() as tx:
        me = Person("root", "root", frozenset(), alone=True)
        people.add(tx, alone, {"id": "ada", "roles": ["admin", "approver"]}, person=me, now=NOW)
    assert roles(store, alone, "ada") == {"admin", "approver"}
    with store.writing() as tx:
        ada = Person("ada", "Ada", frozenset({"admin", "approver"}))
        people.invite(tx, configured(store, alone), "ada", person=ada, now=NOW)
        people.change(tx, configured(store, alone), "ada", {"email": "ada@example.com"}, person=ada, now=NOW)
    assert roles(store, alone, "ada") == {"admin", "approver"}, "his own link and his own address are his own matter"
    with store.writing() as tx:
        people.add(tx, configured(store, alone), {"id": "bob", "roles": ["approver"]}, person=ada, now=NOW)
        assert unconfirmed.others(tx, configured(store, alone), "bob", unconfirmed.resting(tx)["bob"]) == []
    assert roles(store, alone, "bob") == {"viewer"}
    with store.writing() as tx:
        unconfirmed.confirm(tx, configured(store, alone), "bob", person=ada, now=NOW, here=True)
    assert roles(store, alone, "bob") == {"approver"}, "the way of a company with one administrator"


def test_a_link_for_somebody_of_the_file_is_told_to_all_and_he_decides_nothing(store: Store, config: Config) -> None:
    with store.writing() as tx:
        people.invite(tx, config, "li.wei", person=BOSS, now=NOW)
        sent = mails.listing(tx)
    assert sorted(one.address for one in sent) == ["li@example.com", "other@example.com"], "not to whom it was done by"
    assert all("The Boss" in one.text and "Li Wei" in one.text for one in sent)
    now = configured(store, config)
    li = next(one.person for one in now.people if one.id == "li.wei")
    refused = may(default_policy(), li, Request("release", None))
    assert refused is not None
    assert "rests until a second administrator confirms it" in refused.en
    with store.reading() as tx:
        second = unconfirmed.others(tx, now, "li.wei", unconfirmed.resting(tx)["li.wei"])
    assert [one.id for one in second] == ["other"]


def test_whoever_could_be_that_person_is_no_second_one_though_he_gave_no_power(store: Store, config: Config) -> None:
    """He enters somebody who only looks, under an address of his own; another, who means well, makes him an approver."""
    with store.writing() as tx:
        people.add(tx, config, {"id": "mei", "roles": ["viewer"], "email": "boss2@example.com"}, person=BOSS, now=NOW)
        people.change(tx, config, "mei", {"roles": ["approver"]}, person=OTHER, now=NOW)
    for person in (BOSS, OTHER):
        with pytest.raises(NotAllowed, match="second person"), store.writing() as tx:
            unconfirmed.confirm(tx, config, "mei", person=person, now=NOW)
    with store.writing() as tx:
        unconfirmed.confirm(tx, config, "mei", person=Person("third", "", frozenset({"admin"})), now=NOW)
        people.invite(tx, config, "mei", person=OTHER, now=NOW)
        unconfirmed.confirm(tx, config, "mei", person=BOSS, now=NOW)  # what he did before was confirmed by another
    assert roles(store, config, "mei") == {"approver"}


def test_whoever_only_looks_is_told_of_a_link_that_another_made_for_him(store: Store, config: Config) -> None:
    with store.writing() as tx:
        people.add(tx, config, {"id": "mei", "roles": ["sales"], "email": "mei@example.com"}, person=BOSS, now=NOW)
        people.invite(tx, config, "mei", person=BOSS, now=NOW)
        [sent] = mails.listing(tx)
    assert (sent.address, "The Boss has made a sign-in link for mei" in sent.text) == ("mei@example.com", True)
    assert _resting(store) == {}


def test_an_administrator_made_by_one_alone_confirms_nothing_and_is_no_last_one(store: Store, config: Config) -> None:
    """Else he would make the second person, too."""
    with store.writing() as tx:
        people.add(tx, config, {"id": "mei", "roles": ["approver"]}, person=BOSS, now=NOW)
        people.add(tx, config, {"id": "puppet", "roles": ["admin"]}, person=BOSS, now=NOW)
    puppet = next(one.person for one in configured(store, config).people if one.id == "puppet")
    with pytest.raises(NotAllowed, match="administrator's to change"), store.writing() as tx:
        unconfirmed.confirm(tx, configured(store, config), "mei", person=puppet, now=NOW)
    with store.writing() as tx:
        people.remove(tx, config, "mei", person=OTHER, now=NOW)
    assert "mei" not in _resting(store)
    nobody = Config(root=config.root)
    with store.writing() as tx, pytest.raises(ConfigError, match="Nobody would be an administrator"):
        people.change(tx, nobody, "puppet", {"name": "P"}, person=Person("x", alone=True), now=NOW)


def _resting(store: Store) -> dict[str, unconfirmed.Resting]:
    with store.reading() as tx:
        return unconfirmed.resting(tx)


def test_nobody_sees_the_secret_of_anothers_key_and_keys_end_with_their_person(store: Store, config: Config) -> None:
    """Else an administrator would renew an approver's key and decide with it."""
    mei = Person("mei", "Mei", frozenset({"approver"}))
    later = NOW + dt.timedelta(days=9)
    with store.writing() as tx:
        people.add(tx, config, {"id": "mei", "roles": ["approver"]}, person=BOSS, now=NOW, here=True)
        what: dict[str, Any] = {"roles": (), "rights": None, "note": "", "expires_at": later, "now": NOW}
        with pytest.raises(NotAllowed):
            keys.create(tx, BOSS, "person:mei", **what)
        key, _ = keys.create(tx, mei, "person:mei", **what)
        how: dict[str, Any] = {"overlap": dt.timedelta(0), "expires_at": later, "why": "", "now": NOW}
        with pytest.raises(NotAllowed, match="seen by that person alone"):
            keys.rotate(tx, BOSS, key, **how)
        assert keys.rotate(tx, mei, key, **how)[0].id == key.id
        people.remove(tx, config, "mei", person=BOSS, now=NOW)
        people.add(tx, config, {"id": "mei", "roles": ["approver"]}, person=BOSS, now=NOW, here=True)
        assert api_keys.get(tx, key.id).state(NOW) == "revoked", "whoever comes under the name later begins anew"
