"""A form of a system: everything an adapter wants, both ways: from a system to a form and back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import adapter as adapters
from connector.config import Config
from connector.config_form import Setting, entered, form_of, form_of_system, shown, trial_settings
from connector.config_kept import read_people, read_system
from connector.config_people import PersonSettings
from connector.config_toml import people_text, system_text, toml_value

NAMES = adapters.names()
# What must be entered, beside secrets, so that a system of each product will do.
LEAST = {
    "files": {"settings.path": "book"},
    "tryton": {
        "settings.base_url": "https://erp.example.com",
        "settings.database": "tryton",
        "settings.user": "connector",
    },
    "odoo": {"settings.base_url": "https://odoo.example.com"},
    "zoho_crm": {},
    "fxiaoke": {"settings.acting_user": "1000"},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_form_has_every_setting_and_secret_once_in_both_languages(name: str) -> None:
    adapter = adapters.load(name)
    form = form_of(adapter)
    assert sorted(s.field for s in form) == sorted(
        [f"settings.{k}" for k in adapter.settings.model_fields] + [f"secrets.{s.name}" for s in adapter.secrets]
    )
    for setting in [*form, *form_of_system()]:
        assert setting.what.en
        assert setting.what.zh != setting.what.en
        assert bool(setting.choices) == (setting.kind in ("choice", "choices"))
    assert [s.kind for s in form if s.place == "secrets"] == ["secret"] * len(adapter.secrets)


def written(name: str, given: dict[str, str]) -> str:
    adapter = adapters.load(name)
    values, problems = entered(adapter, given)
    assert problems == []
    secrets = {s.name: f"sealed:x/{s.name}" for s in adapter.secrets if s.required}
    return system_text({"name": "x", "adapter": name, "roles": adapter.roles[:1], **values, "secrets": secrets})


@pytest.mark.parametrize("name", NAMES)
def test_the_least_that_is_entered_makes_a_system_that_will_do_and_shows_itself_again(name: str) -> None:
    text = written(name, dict(LEAST[name]))
    system, problems = read_system(text, "new", Config())
    assert problems == []
    assert system is not None
    again = shown(adapters.load(name), system)
    for setting in form_of(adapters.load(name)):
        if setting.kind != "secret":
            assert again[setting.field] == LEAST[name].get(setting.field, setting.default)
    assert tomllib.loads(written(name, again)) == tomllib.loads(text), "what was not touched says nothing new"


def test_every_kind_of_value_comes_through_a_form() -> None:
    given = {
        "settings.base_url": "https://odoo.example.com",
        "settings.transport": "jsonrpc",
        "settings.accounts": "1122\r\n\r\n 1123 ",
        "settings.guard": "false",
        "settings.customer_domain": '[["category_id", "in", [7]]]',
        "settings.hold_field": "",
        "settings.page_size": "250",
        "allow_private": "on",
        "language": "zh",
        "undone": "restore",
    }
    system, problems = read_system(written("odoo", given), "new", Config())
    assert problems == []
    assert system is not None
    assert system.settings == {
        "base_url": "https://odoo.example.com", "transport": "jsonrpc", "accounts": ["1122", "1123"], "guard": False,
        "customer_domain": [["category_id", "in", [7]]], "hold_field": "", "page_size": 250,
    }  # fmt: skip
    assert (system.allow_private, system.language, system.undone, system.write) == (True, "zh", "restore", None)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("settings.page_size", "many"),
        ("settings.page_size", "²"),
        ("settings.guard", "perhaps"),
        ("settings.customer_domain", "[["),
        ("settings.customer_domain", "1\nbase_url = 2"),
        ("write", "x"),
    ],
)
def test_what_cannot_be_read_is_told_beside_its_field(field: str, said: str) -> None:
    values, problems = entered(adapters.load("odoo"), {"settings.base_url": "https://o.example.com", field: said})
    assert [(p.field, p.what.zh[:5]) for p in problems] == [(field, "值不可用：")]
    assert values == {"settings": {"base_url": "https://o.example.com"}}


def test_a_secret_that_is_typed_into_a_form_is_none_of_its_values() -> None:
    values, problems = entered(adapters.load("odoo"), {"secrets.api_key": "hunter2-hunter2"})
    assert (values, problems) == ({"settings": {}}, [])


def test_trials_read_little() -> None:
    assert trial_settings(adapters.load("zoho_crm")) == {"bulk_first": False, "page_size": 20}
    for name in NAMES:
        model, trial = adapters.load(name).settings, trial_settings(adapters.load(name))
        least = {k.removeprefix("settings."): v for k, v in LEAST[name].items()}
        assert model.model_validate({**least, **trial}), "a trial's settings are settings"


def test_a_setting_is_named_as_a_check_names_it() -> None:
    assert Setting("a", "", "text", form_of_system()[0].what, True).field == "a"


# --- TOML ----------------------------------------------------------------------------------------------------------------
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
VALUE = st.recursive(
    TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(VALUE)
def test_whatever_is_written_is_read_back(value: Any) -> None:
    assert tomllib.loads(f"it = {toml_value(value)}") == {"it": value}


@given(name=TEXT, email=TEXT, user=TEXT)
def test_no_name_breaks_out_of_its_line(name: str, email: str, user: str) -> None:
    person = PersonSettings(id="a", name=name, email=email, ids={"crm": user, "x y": "1"}, roles=("admin",))  # type: ignore[call-arg]
    people, problems = read_people(people_text([person, person]), "people")
    assert (people, problems) == ([person, person], [])


def test_a_system_is_written_as_it_stands_in_the_file(tmp_path: Path) -> None:
    text = (
        '[[systems]]\nname = "erp"\nadapter = "odoo"\nroles = ["erp"]\n'
        'settings = { base_url = "https://o.example.com" }\nallow_private = true\n\n'
        '[systems.secrets]\napi_key = "sealed:erp/api_key"\n\n'
        '[systems.hook]\nsecret = "sealed:erp/hook"\n'
    )
    system, problems = read_system(text, "new", Config(root=tmp_path))
    assert (problems, system is not None) == ([], True)
    assert system is not None
    assert system_text(system) == text
