"""Identity: unified social credit codes, tax ids, names."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.identity import (
    bare_name,
    is_credit_code,
    likeness,
    looks_chinese,
    near_names,
    normal_name,
    normal_tax_id,
    usable_tax_id,
)

# Public codes of well-known organisations, and constructed ones with the letter prefixes that the standard allows.
VALID = ("91110000600037341L", "121200004013590816", "9144030071526726XG", "N2370102MF1234567B", "Y1370102MF12345676")
INVALID = {
    "91110000600037341N": "wrong check character",
    "91111000600037341L": "one digit changed",
    "91110000600033741L": "neighbours swapped",
    "9111000060003734L": "17 characters",
    "9111000060003734IL": "a letter that is not in the alphabet",
}


@pytest.mark.parametrize("code", VALID)
def test_valid_codes(code: str) -> None:
    assert is_credit_code(code)
    assert usable_tax_id(code) == code


@pytest.mark.parametrize("code", INVALID, ids=INVALID.values())
def test_invalid_codes(code: str) -> None:
    assert not is_credit_code(code)


def test_every_single_changed_character_is_noticed() -> None:
    code = VALID[0]
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    changed = [code[:i] + c + code[i + 1 :] for i in range(18) for c in alphabet if c != code[i]]
    assert len(changed) == 18 * 30
    assert not any(is_credit_code(c) for c in changed)


@pytest.mark.parametrize(
    "text", [" 91 110000 600037341l ", "９１１１００００６０００３７３４１Ｌ", "91110000-600037341-L"]
)
def test_normalised(text: str) -> None:
    assert normal_tax_id(text) == "91110000600037341L"


def test_what_is_not_used_to_match() -> None:
    assert usable_tax_id(None) is None
    assert usable_tax_id("") is None
    assert usable_tax_id("0000000000") is None, "a filler"
    assert usable_tax_id("12345") is None, "too short"
    assert usable_tax_id("91110000600037341N") is None, "looks Chinese, wrong check character"
    assert looks_chinese("91110000600037341N")
    assert usable_tax_id("DE 136.695.976") == "DE136695976"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Company Limited", "ACME Co., Ltd."),
        ("华远（上海）有限责任公司", "华远(上海)有限公司"),
        ("Ａｃｍｅ　Ｉｎｃ", "acme INCORPORATED"),
        ("Smith and Sons Ltd", "Smith & Sons Limited"),
    ],
)
def test_equal_names(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other)


def test_different_legal_forms_are_different_names() -> None:
    assert normal_name("Acme Ltd") != normal_name("Acme GmbH")
    assert bare_name("Acme Ltd") == bare_name("Acme GmbH") == "acme"
    assert bare_name("合肥天盛国际贸易有限公司") == "合肥天盛国际贸易"
    assert bare_name("有限公司") == "有限公司", "nothing is left: kept as it is"


def test_likeness() -> None:
    # night: ni ig gh ht, nacht: na ac ch ht; one pair shared of eight: 2 × 1 ÷ 8
    assert likeness("night", "nacht") == Decimal("0.25")
    assert likeness("same", "same") == 1
    assert likeness("ab", "cd") == 0


def test_near_names_finds_the_likest_and_nothing_unlike() -> None:
    among = {1: "westlakequayside", 2: "harrowashford", 3: "westlakeplastics"}
    found = list(near_names({10: "westlakquayside", 11: "somethingelse"}, among))
    assert [(a, b) for a, b, _ in found] == [(10, 1)]
    assert found[0][2] > Decimal("0.85")
