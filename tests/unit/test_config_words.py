"""Settings speak both languages: what each means, and why a value will not do."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connector import adapter as adapters
from connector import config
from connector.config_words import REASONS, meaning, reason
from connector.errors import BadSetting
from connector.text import Text

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SETTINGS = [
    pytest.param(adapters.load(name).settings, key, id=f"{name}.{key}")
    for name in adapters.names()
    for key in adapters.load(name).settings.model_fields
]
# One of every kind of value a TOML file can hold, and some that no limit allows.
VALUES: list[Any] = [
    "", "x" * 5000, "2026-13-45", "ümlaut ☃", 0, -(10**9), 10**9, 10**30, 1.5, float("nan"), True, None,
    [], [1, "a", {}], ["x"] * 50, {}, {"nonsense": 1}, {"customers": 5}, {"customers": []}, dt.date(2026, 1, 1),
    Decimal("1.5"),
]  # fmt: skip


def test_there_are_settings_to_look_at() -> None:
    assert len(SETTINGS) > 40


@pytest.mark.parametrize(("settings", "key"), SETTINGS)
def test_every_setting_of_every_adapter_says_in_both_languages_what_it_means(
    settings: type[BaseModel], key: str
) -> None:
    said = meaning(settings.model_fields[key])
    assert len(said.en) > 5
    assert not CHINESE.search(said.en), said.en
    assert CHINESE.search(said.zh), said.zh


def complaints(model: type[BaseModel], values: dict[str, Any]) -> list[Any]:
    try:
        model.model_validate(values)
    except ValidationError as wrong:
        return list(wrong.errors(include_input=False, include_url=False))
    return []


@pytest.mark.parametrize(("settings", "key"), SETTINGS)
def test_whatever_is_wrong_with_a_setting_is_told_in_both_languages(settings: type[BaseModel], key: str) -> None:
    found = [e for value in VALUES for e in complaints(settings, {key: value})]
    assert found, "nothing was wrong"
    for error in found:
        assert isinstance((error.get("ctx") or {}).get("error"), BadSetting) or error["type"] in REASONS, error
        said = reason(error)
        assert CHINESE.search(said.zh), error
        assert not CHINESE.search(said.en), error
        assert not said.en.endswith(".")
        assert not re.search(r"\{[a-z_]+\}", said.en + said.zh), error


@pytest.mark.parametrize(
    ("model", "key"),
    [
        (model, key)
        for model in (config.Business, config.StoreSettings, config.Schedule, config.System, config.Config)
        for key in model.model_fields
        if key != "root"
    ],
)
def test_so_is_what_is_wrong_with_the_rest_of_the_configuration(model: type[BaseModel], key: str) -> None:
    found = [e for value in VALUES for e in complaints(model, {key: value})]
    assert found, "nothing was wrong"
    for error in found:
        assert isinstance((error.get("ctx") or {}).get("error"), BadSetting) or error["type"] in REASONS, error


def test_the_words_carry_the_limits() -> None:
    def said(error: dict[str, Any]) -> tuple[str, str]:
        words = reason(error)
        return words.en, words.zh

    assert said({"type": "greater_than_equal", "ctx": {"ge": 3}, "msg": ""}) == ("it must be at least 3", "不得小于 3")
    assert said({"type": "literal_error", "ctx": {"expected": "'a', 'b' or 'c'"}, "msg": ""}) == (
        "one of a, b or c is wanted",
        "可选值：a、b、c",
    )
    assert said({"type": "value_error", "ctx": {"error": BadSetting(Text("no", "否"))}, "msg": "Value error, no"}) == (
        "no",
        "否",
    )
    # A kind that nobody has thought of is told in the library's words, inside ours.
    assert said({"type": "new_kind", "msg": "Input is odd."}) == ("Input is odd", "不符合要求（Input is odd）")
