"""TOML as people write it: whatever is wrong with a text is one kind of error, and a problem wherever texts are taken."""

from __future__ import annotations

import tomllib
from decimal import Decimal

import pytest

from connector import mapping, policy
from connector.credit import scorecard
from connector.toml_text import toml_of
from jobs import mapping_edit

NONE_OF_IT = {
    "no TOML": "x = ",
    "thousands of figures": "x = " + "9" * 5000,
    "an exponent beyond all": "x = 1e99999999999999999999",
    "lists without end": "x = " + "[" * 3000,
    "tables without end": "x = " + "{a = " * 3000,
    "no day": "x = 2026-02-30",
}
all_of_them = pytest.mark.parametrize("text", NONE_OF_IT.values(), ids=NONE_OF_IT)


@all_of_them
def test_a_text_that_is_none_raises_one_error(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        toml_of(text)


@all_of_them
def test_whoever_takes_texts_tells_it_as_a_problem(text: str) -> None:
    assert [p.code for p in policy.read(text)[1]] == ["bad_toml"]
    assert [p.code for p in scorecard.read(text)[1]] == ["bad_toml"]
    assert mapping.load(text, name="books")[0] is None
    assert mapping_edit.pairs(text) == []


def test_numbers_are_exact() -> None:
    assert toml_of("x = 0.1") == {"x": Decimal("0.1")}
