"""Systems, people and secrets of the database: config.toml goes first, a slip leaves one thing out, everybody follows."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connector.clock import FixedClock
from connector.config import Config, load, parse
from connector.config_seal import make_key, seal_of
from connector.credit.authority import Person
from connector.errors import ConfigError, Missing, NotAllowed
from connector.policy import default_policy
from connector.store import audit, documents
from connector.store.db import Store
from jobs import people, seals, systems
from jobs.configured import Following, configured, opener, whole
from jobs.scheduler import Worker
from jobs.shift import Shift
from jobs.slots import once
from jobs.try_system import try_system
from tests.store.books import NOW
from tests.store.conftest import store as store

FILE = """
[store]
seal_key = "file:seal.key"
[[people]]
id = "root"
roles = ["admin"]
[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""
ERP = """
# our own
[[systems]]
name = "erp"
adapter = "tryton"
roles = ["erp"]
settings = { base_url = "https://erp.example.com", database = "tryton", user = "connector" }
[systems.secrets]
password = "sealed:erp/password"
"""
MORE = '[[systems]]\nname = "more"\nadapter = "files"\nroles = ["erp"]\nsettings = { path = "more" }\n'
ROOT = Person("root", roles=frozenset({"admin"}))
ADA = Person("ada", roles=frozenset({"admin"}))
BOB = Person("bob", roles=frozenset({"sales"}))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    make_key(tmp_path / "seal.key")
    (tmp_path / "config.toml").write_text(FILE, encoding="utf-8")
    return load(tmp_path / "config.toml")


def connect(
    store: Store, config: Config, text: str, person: Person = ROOT, at: dt.datetime = NOW, **secrets: str
) -> documents.Version:
    values = {name.replace("__", "/"): value for name, value in secrets.items()}
    with store.writing() as tx:
        return systems.connect_system(tx, config, text, person=person, now=at, secrets=values)


def enter(store: Store, config: Config, person: Person = ROOT, **values: Any) -> None:
    with store.writing() as tx:
        people.add(tx, config, values, person=person, now=NOW, here=True)


def trail(store: Store) -> list[tuple[str, str, str]]:
    with store.reading() as tx:
        return [(e.entry.action, e.entry.subject, e.entry.actor) for e in reversed(audit.listing(tx))]


# --- what is configured --------------------------------------------------------------------------------------------------
def test_where_nothing_is_kept_the_file_is_all(store: Store, config: Config) -> None:
    made = configured(store, config)
    assert (made.systems, made.people) == (config.systems, config.people)
    plain = Config(systems=config.systems)
    assert configured(store, plain) is plain


def test_a_connected_system_is_configured_with_its_sealed_secret(store: Store, config: Config) -> None:
    connect(store, config, ERP, erp__password="hunter2-hunter2")
    made = configured(store, config)
    assert [s.name for s in made.systems] == ["books", "erp"]
    assert made.base is config
    assert made.file == config.file
    assert made.secret(made.system("erp").secrets["password"], "erp") == "hunter2-hunter2"
    assert configured(store, made).base is config, "what was added before is not added twice"
    with pytest.raises(ConfigError, match="sealed:erp/nothing is not set"):
        made.secret("sealed:erp/nothing", "erp")
    with pytest.raises(ConfigError, match="not at hand"):
        config.secret("sealed:erp/password", "erp")


def test_a_secret_stands_in_no_document_no_trail_and_no_log(
    store: Store, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connect(store, config, ERP, erp__password="hunter2-hunter2")
    with store.writing() as tx:
        seals.put(tx, seal_of(config), {"erp/password": "hunter3-hunter3"}, person=ROOT, now=NOW, why="changed")
        assert seals.rotate(tx, seal_of(config), person=ROOT, now=NOW) == 1
    assert trail(store) == [
        ("secret.set", "secret:erp/password", "person:root"),
        ("system.save", "system:erp", "person:root"),
        ("system.activate", "system:erp", "person:root"),
        ("secret.set", "secret:erp/password", "person:root"),
        ("secret.rotate", "secret", "person:root"),
    ]
    with store.reading() as tx:
        said = str(list(audit.stored(tx))) + str(documents.versions(tx, documents.SYSTEM, "erp")) + caplog.text
        said += repr(seals.listing(tx, configured(store, config))) + repr(configured(store, config))
    assert "hunter" not in said


def test_the_trail_says_what_changed(store: Store, config: Config) -> None:
    connect(store, config, MORE)
    connect(store, config, MORE.replace('"more" }', '"other", page_rows = 10 }') + "allow_private = true\n")
    with store.reading() as tx:
        (last, first) = audit.listing(tx, action="system.activate")
    assert last.entry.before == {"version": 1}
    assert last.entry.after == {
        "version": 2,
        "changes": [
            ["settings.path", "more", "other"],
            ["settings.page_rows", None, 10],
            ["allow_private", None, True],
        ],
    }
    assert first.entry.before is None


def test_the_file_goes_first(store: Store, config: Config) -> None:
    taken = MORE.replace('"more"\n', '"books"\n', 1)
    for act in (
        lambda: connect(store, config, taken),
        lambda: enter(store, config, id="root", roles=["viewer"]),
    ):
        with pytest.raises(ConfigError, match=r"stands in config\.toml"):
            act()
    assert [p.code for p in systems.check_system(config, taken)] == ["of_file"]
    assert [p.code for p in people.check_person(config, {"id": "root"})] == ["of_file"]
    # And where the operator takes the name later, the database's is left out.
    connect(store, config, MORE)
    enter(store, config, id="ada", roles=["admin"])
    text = FILE + '[[people]]\nid = "ada"\nroles = ["viewer"]\n' + MORE.replace('path = "more"', 'path = "his"')
    later, _ = parse(text, "config.toml", config.root)
    assert later is not None
    with store.reading() as tx:
        found = whole(tx, later)
        listed = systems.one(tx, found.config, "more")
    assert [s.settings["path"] for s in found.config.systems if s.name == "more"] == ["his"]
    assert [p.roles for p in found.config.people if p.id == "ada"] == [("viewer",)]
    assert [p.code for p in found.problems] == ["of_file", "of_file"]
    assert listed.kept == "file"


def test_a_slip_leaves_one_thing_out_and_is_told(store: Store, config: Config) -> None:
    connect(store, config, MORE)
    with store.writing() as tx:  # what an older or newer program may have kept
        for name, text in (("odd", MORE.replace('"more"\n', '"odd"\n', 1).replace("path", "pth")), ("none", "[[")):
            made = documents.save(tx, documents.SYSTEM, name, text, author="x", now=NOW)
            documents.activate(tx, documents.SYSTEM, name, made.number, author="x", now=NOW)
    with store.reading() as tx:
        found = whole(tx, config)
        states = {one.name: one.state for one in systems.listing(tx, found.config)}
    assert [s.name for s in found.config.systems] == ["books", "more"]
    assert [(p.where, p.field) for p in found.problems] == [
        ("none@1", ""),
        ("odd@1", "settings.path"),
        ("odd@1", "settings.pth"),
    ]
    assert states == {"books": "in_use", "more": "in_use", "odd": "left_out", "none": "left_out"}


def test_what_the_file_names_may_stand_in_the_database_and_may_not_go(store: Store, config: Config) -> None:
    assert config.file is not None
    text = '[limits]\nmaster = "more"\n' + FILE.replace('id = "root"', 'id = "root"\nids = { more = "7" }')
    config.file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="no system “more”"):
        load(config.file)
    file = load(config.file, whole=False)
    with pytest.raises(ConfigError, match=r"limits\.master"):
        configured(store, file)
    connect(store, config, MORE)
    assert configured(store, file).limits.master == "more"
    with pytest.raises(ConfigError, match="There is no system “more”"), store.writing() as tx:
        systems.remove(tx, file, "more", person=ROOT, now=NOW)
    assert [s.name for s in configured(store, file).systems] == ["books", "more"]


def test_a_system_that_is_taken_out_can_come_back_as_it_was(store: Store, config: Config) -> None:
    connect(store, config, MORE)
    with store.writing() as tx:
        systems.remove(tx, config, "more", person=ROOT, now=NOW, note="moved")
    assert [s.name for s in configured(store, config).systems] == ["books"]
    with store.reading() as tx:
        assert systems.one(tx, config, "more").state == "removed"
    with pytest.raises(ConfigError, match="not in use"), store.writing() as tx:
        systems.remove(tx, config, "more", person=ROOT, now=NOW)
    with pytest.raises(ConfigError, match=r"stands in config\.toml"), store.writing() as tx:
        systems.remove(tx, config, "books", person=ROOT, now=NOW)
    with pytest.raises(Missing), store.writing() as tx:
        systems.remove(tx, config, "nothing", person=ROOT, now=NOW)
    with store.writing() as tx:
        systems.activate(tx, config, "more", 1, person=ROOT, now=NOW)
    assert [s.name for s in configured(store, config).systems] == ["books", "more"]


def test_a_name_keeps_its_product_also_after_it_was_taken_out(store: Store, config: Config) -> None:
    connect(store, config, MORE)
    other = ERP.replace('"erp"\n', '"more"\n', 1)
    for remove in (False, True):
        if remove:
            with store.writing() as tx:
                systems.remove(tx, config, "more", person=ROOT, now=NOW)
        with pytest.raises(ConfigError, match="is a system of files"):
            connect(store, config, other, erp__password="x" * 20)
    assert trail(store)[-1][0] == "system.remove", "nothing of what failed is kept"
    with store.reading() as tx:
        assert seals.listing(tx, config) == []


def test_a_draft_changes_nothing_and_a_secret_that_is_not_kept_stops_it(store: Store, config: Config) -> None:
    with store.writing() as tx:
        systems.save(tx, config, MORE, person=ROOT, now=NOW)
    assert configured(store, config).systems == config.systems
    with store.reading() as tx:
        (listed,) = [one for one in systems.listing(tx, config) if one.name == "more"]
    assert (listed.state, listed.version is not None, listed.newer) == ("draft", True, None)
    with pytest.raises(ConfigError, match="sealed:erp/password is not kept yet"):
        connect(store, config, ERP)
    assert [p.code for p in systems.check_system(config, ERP, kept=set())] == ["not_set"]
    assert systems.check_system(config, ERP, kept={"erp/password"}) == []
    assert systems.check_system(config, ERP) == []


# --- who may -------------------------------------------------------------------------------------------------------------
ACTS: list[Callable[[Store, Config, Person], object]] = [
    lambda store, config, who: connect(store, config, MORE, who),
    lambda store, config, who: connect(store, config, ERP, who, erp__password="x" * 20),
    lambda store, config, who: enter(store, config, who, id="eve", roles=["sales"]),
    lambda store, config, who: _in(store, lambda tx: systems.save(tx, config, MORE, person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: systems.activate(tx, config, "m", 1, person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: systems.remove(tx, config, "m", person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: people.change(tx, config, "x", {}, person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: people.remove(tx, config, "x", person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: people.activate(tx, config, 1, person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: seals.rotate(tx, seal_of(config), person=who, now=NOW)),
    lambda store, config, who: _in(store, lambda tx: seals.remove(tx, config, "x", person=who, now=NOW)),
]


def _in(store: Store, act: Callable[[Any], object]) -> object:
    with store.writing() as tx:
        return act(tx)


@pytest.mark.parametrize("act", ACTS, ids=range(len(ACTS)))
@pytest.mark.parametrize("role", ["viewer", "sales", "credit_controller", "approver", "auditor"])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_only_an_administrator(store: Store, config: Config, act: Callable[..., object], role: Any) -> None:
    with pytest.raises(NotAllowed) as wrong:
        act(store, config, Person("bob", "Bob", frozenset({role})))
    assert "administrator's to change; Bob is" in wrong.value.user.en
    assert "Bob 的角色为" in wrong.value.user.zh
    assert trail(store) == []


# --- people --------------------------------------------------------------------------------------------------------------
def test_people_are_entered_changed_and_taken_out(store: Store, config: Config) -> None:
    enter(store, config, id="ada", name="Ada", roles=["admin"], email="ada@example.com")
    enter(store, config, id="bob", roles=["sales"], ids={"books": "7"})
    with store.writing() as tx:
        more = {"roles": ["approver"], "approve_up_to": 5000, "ids": None}
        changed = people.change(tx, config, "bob", more, person=ADA, now=NOW, here=True)
    assert (changed.roles, changed.approve_up_to, changed.ids) == (("approver",), 5000, {})
    made = configured(store, config)
    assert [(p.id, p.roles) for p in made.people] == [("root", ("admin",)), ("ada", ("admin",)), ("bob", ("approver",))]
    with store.reading() as tx:
        (line,) = audit.listing(tx, action="person.change")
        assert line.entry.after == {
            "changes": [["roles", ["sales"], ["approver"]], ["ids.books", "7", None], ["approve_up_to", None, 5000]]
        }
    with store.writing() as tx:
        people.remove(tx, config, "bob", person=ADA, now=NOW)
        assert [one.settings.id for one in people.listing(tx, whole(tx, config).config)] == ["root", "ada"]
        people.activate(tx, config, 3, person=ADA, now=NOW, here=True)
        kept, journal = people.history(tx)
    assert [p.id for p in configured(store, config).people] == ["root", "ada", "bob"]
    assert ([v.number for v in kept], [a.number for a in journal]) == ([4, 3, 2, 1], [3, 4, 3, 2, 1])


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"id": "Ada L"}, "id", "pattern"),
        ({"id": "eve", "roles": ["boss"]}, "roles.0", "one of viewer"),
        ({"id": "eve", "colour": "red"}, "colour", "Unknown key"),
        ({"id": "eve", "approve_up_to": -1}, "approve_up_to", "at least 0"),
        ({"id": "eve", "ids": {"bocks": "7"}}, "people.eve.ids.bocks", "There is no system “bocks”"),
        ({"id": "eve", "ids": {"books": "7"}}, "people.eve.ids.books", "same user id"),
        ({"id": "bob"}, "people.id", "Two people have the id"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_is_wrong_with_somebody_is_told_with_its_field(
    store: Store, config: Config, values: dict[str, Any], field: str, words: str
) -> None:
    enter(store, config, id="bob", roles=["sales"], ids={"books": "7"})
    made = configured(store, config)
    assert [(p.field, words in p.what.en) for p in people.check_person(made, values)] == [(field, True)]
    with pytest.raises(ConfigError):
        enter(store, config, **values)


def test_somebody_who_owned_orders_in_a_system_that_is_gone_still_did(store: Store, config: Config) -> None:
    connect(store, config, MORE)
    enter(store, config, id="bob", roles=["approver"], ids={"more": "7"})
    with store.writing() as tx:
        systems.remove(tx, config, "more", person=ROOT, now=NOW)
    made = configured(store, config)
    assert next(p.person for p in made.people if p.id == "bob").is_user("more", "7")
    with store.writing() as tx:
        people.change(tx, made, "bob", {"name": "Bob"}, person=ROOT, now=NOW)
    with pytest.raises(ConfigError, match="no system “less”"), store.writing() as tx:
        people.change(tx, made, "bob", {"ids": {"less": "7"}}, person=ROOT, now=NOW)


def test_nobody_gives_himself_more(store: Store, config: Config) -> None:
    enter(store, config, id="ada", roles=["admin", "approver"], approve_up_to=100)
    for more in (
        {"roles": ["admin", "approver", "credit_controller"]},
        {"approve_up_to": 101},
        {"approve_up_to": None},
    ):
        with pytest.raises(NotAllowed, match="Nobody gives himself"), store.writing() as tx:
            people.change(tx, config, "ada", more, person=ADA, now=NOW)
    with store.writing() as tx:
        people.change(tx, config, "ada", {"roles": ["admin"], "approve_up_to": 50}, person=ADA, now=NOW)
    with pytest.raises(NotAllowed), store.writing() as tx:
        people.activate(tx, config, 1, person=ADA, now=NOW)
    with store.writing() as tx:
        people.activate(tx, config, 1, person=ROOT, now=NOW)


def test_an_administrator_remains(store: Store, tmp_path: Path) -> None:
    empty, alone = Config(root=tmp_path), Person("me", "me", frozenset({"admin"}), alone=True)
    with pytest.raises(ConfigError, match="Nobody would be an administrator"):
        enter(store, empty, alone, id="bob", roles=["sales"])
    enter(store, empty, alone, id="ada", roles=["admin"])
    enter(store, empty, ADA, id="eve", roles=["admin"])
    with store.writing() as tx:
        people.remove(tx, empty, "eve", person=ADA, now=NOW)
    for act in (
        lambda tx: people.remove(tx, empty, "ada", person=ADA, now=NOW),
        lambda tx: people.change(tx, empty, "ada", {"roles": ["viewer"]}, person=ADA, now=NOW),
    ):
        with pytest.raises(ConfigError, match="Nobody would be an administrator"):
            _in(store, act)
    assert [p.id for p in configured(store, empty).people] == ["ada"]


# --- secrets -------------------------------------------------------------------------------------------------------------
def test_a_secret_in_use_does_not_go_by_mistake(store: Store, config: Config) -> None:
    connect(store, config, ERP, erp__password="hunter2-hunter2")
    made = configured(store, config)
    with store.reading() as tx:
        assert [(one.name, one.systems) for one in seals.listing(tx, made)] == [("erp/password", ("erp",))]
    with pytest.raises(ConfigError, match="is used by erp"), store.writing() as tx:
        seals.remove(tx, made, "erp/password", person=ROOT, now=NOW)
    with store.writing() as tx:
        seals.remove(tx, made, "erp/password", person=ROOT, now=NOW, force=True)
    with pytest.raises(ConfigError, match="is not set"):
        made.secret("sealed:erp/password", "erp")


@pytest.mark.parametrize(
    ("name", "value"), [("", "x"), ("../x", "x"), ("A", "x"), ("a b", "x"), ("a", ""), ("a", " "), ("a", "\0")]
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_name_or_a_value_that_will_not_do(store: Store, config: Config, name: str, value: str) -> None:
    with pytest.raises(ConfigError), store.writing() as tx:
        seals.put(tx, seal_of(config), {name: value}, person=ROOT, now=NOW)
    assert trail(store) == []


def test_a_secret_set_anew_counts_at_once(store: Store, config: Config) -> None:
    opened = opener(store, config)
    for value in ("first-value", "second-value"):
        with store.writing() as tx:
            seals.put(tx, seal_of(config), {"a": value}, person=ROOT, now=NOW)
        assert opened("a") == value


LATER = NOW + dt.timedelta(days=1)
MOVED = ERP.replace("erp.example.com", "elsewhere.example.com")


@pytest.mark.parametrize(
    "text",
    [
        MOVED,
        MOVED.replace('name = "erp"', 'name = "other"'),
        ERP.replace("roles", "allow_private = true\nroles"),
        ERP.replace('"tryton"\nroles', '"odoo"\nroles').replace('user = "connector"', 'login = "x"').replace("password =", "api_key ="),
    ],
)  # fmt: skip
def test_a_sealed_secret_goes_to_no_other_address(store: Store, config: Config, text: str) -> None:
    """Who may connect systems may not thereby have secrets sent to himself that he does not know."""
    connect(store, config, ERP, erp__password="hunter2-hunter2")
    for removed in (False, True):
        if removed:
            with store.writing() as tx:
                systems.remove(tx, config, "erp", person=ROOT, now=LATER)
        made = configured(store, config)
        tried = try_system(store, made, text, FixedClock(LATER), by="person:boss")
        assert {p.code for p in tried.problems} & {"elsewhere", "other_product"}
        assert tried.lines == ()
        refused = pytest.raises(ConfigError, match=r"was used with another address|is a system of tryton")
        with refused, store.writing() as tx:
            systems.connect_system(tx, made, text, person=ADA, now=LATER)


def test_what_is_typed_with_the_address_is_ones_own_to_send(store: Store, config: Config) -> None:
    days = [NOW + dt.timedelta(days=n) for n in range(5)]
    connect(store, config, ERP, at=days[0], erp__password="hunter2-hunter2")
    assert connect(store, config, MOVED, at=days[1], erp__password="hunter3-hunter3").number == 2
    with pytest.raises(ConfigError, match="was used with another address"), store.writing() as tx:
        systems.activate(tx, config, "erp", 1, person=ROOT, now=days[2])
    assert connect(store, config, MOVED + "# same address\n", at=days[3]).number == 3
    assert connect(store, config, ERP + "# typed again\n", at=days[4], erp__password="hunter2-hunter2").number == 4


def test_config_toml_may_refer_to_what_is_sealed(store: Store, config: Config) -> None:
    text = FILE.replace('seal_key = "file:seal.key"', "") + ERP
    file, _ = parse(text, "config.toml", config.root)
    assert file is not None
    with pytest.raises(ConfigError, match="holdfast secret key"):
        configured(store, file).secret("sealed:erp/password", "erp")
    file, _ = parse(FILE + ERP, "config.toml", config.root)
    assert file is not None
    with store.writing() as tx:
        seals.put(tx, seal_of(file), {"erp/password": "hunter2-hunter2"}, person=ROOT, now=NOW)
    following = Following(store, file)
    assert following.now().secret("sealed:erp/password", "erp") == "hunter2-hunter2"
    assert following.now() is following.now()


def test_administrators_who_act_at_once_lose_nothing(store: Store, config: Config) -> None:
    """Each waits for the one before and adds to what he has left, on its own connection."""
    names = [f"p{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: enter(store, config, id=name, roles=["sales"]), names))
    assert sorted(p.id for p in configured(store, config).people) == [*names, "root"]
    with store.reading() as tx:
        assert [v.number for v in people.history(tx)[0]] == list(range(8, 0, -1))
        assert audit.verify(tx) == []


# --- following -----------------------------------------------------------------------------------------------------------
def test_who_lives_long_follows_and_keeps_what_has_not_changed(store: Store, config: Config) -> None:
    following = Following(store, config)
    first = following.now()
    assert following.now() is first
    with store.writing() as tx:  # something else is put in use
        made = documents.save(tx, documents.MAPPING, "books", "x = 1", author="x", now=NOW)
        documents.activate(tx, documents.MAPPING, "books", made.number, author="x", now=NOW)
    assert following.now() is first
    connect(store, config, MORE)
    second = following.now()
    assert [s.name for s in second.systems] == ["books", "more"]
    assert following.now() is second
    following.base(config.model_copy(update={"people": ()}))
    third = following.now()
    assert ([s.name for s in third.systems], third.people) == (["books", "more"], ())


def test_what_does_not_hold_together_any_more_changes_nothing(
    store: Store, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    connect(store, config, MORE)
    following = Following(store, config)
    first = following.now()
    with store.writing() as tx:  # past every check
        documents.activate(tx, documents.SYSTEM, "more", None, author="x", now=NOW)
    following.base(config.model_copy(update={"limits": config.limits.model_copy(update={"master": "more"})}))
    assert following.now() is first
    assert following.now() is first
    assert caplog.text.count("stays as it was") == 1


def test_of_two_nodes_one_reads_what_was_connected(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[list[str]] = []

    def noted(held: Store, clock: Any, job: str, slot: str, act: object, stopping: object) -> list[Any] | None:
        names = [s.name for s in configured(store, config).systems]
        return once(held, clock, job, slot, lambda _: done.append([job, *names]) or [])  # type: ignore[func-returns-value]

    monkeypatch.setattr("jobs.scheduler.once", noted)
    shift = Shift(config, FixedClock(NOW), default_policy())
    nodes = [Worker(store, shift), Worker(store, shift)]
    for node in nodes:
        node.begin()
    for _ in range(2):
        for node in nodes:
            node.tick()
    assert [d for d in done if d[0] == "regular"] == [["regular", "books"]]
    connect(store, config, MORE)
    for _ in range(2):
        for node in nodes:
            node.tick()
    assert [d for d in done if d[0] == "regular"] == [["regular", "books"], ["regular", "books", "more"]]
    assert all([s.name for s in node.shift.config.systems] == ["books", "more"] for node in nodes)


def test_a_node_works_on_the_systems_that_are_in_use_now(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next round reads what was connected, and no longer what was taken out."""
    read: list[str] = []

    def noted(
        held: Store, clock: object, job: str, slot: str, act: Callable[..., object], stopping: object
    ) -> list[Any]:
        if job == "regular":
            read.append(" ".join(s.name for s in worker.shift.config.systems))
        return []

    monkeypatch.setattr("jobs.scheduler.once", noted)
    clock = FixedClock(NOW)
    worker = Worker(store, Shift(config, clock, default_policy()))
    worker.begin()
    for _ in range(2):
        worker.tick()
    connect(store, config, MORE)
    for _ in range(2):
        worker.tick()
    assert read == ["books", "books more"], "what was connected is read at once, and once"
    with store.writing() as tx:
        systems.remove(tx, config, "more", person=ROOT, now=NOW)
    worker.tick()
    clock.at += dt.timedelta(minutes=15)
    worker.tick()
    assert read[2:] == ["books"]
