"""`holdfast order ask`: an order that is in no system yet, its reasons and ways out, and credit kept for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import call, shop


@pytest.fixture
def config(tmp_path: Path) -> Path:
    made = shop(
        tmp_path / "shop",
        customers="id,name,currency\nC1,Phoenix Ltd,CNY\nC2,Phoenix East,CNY",
        limits="customer_id,kind,amount,currency\nC1,base,50000,CNY",
    )
    assert call("-c", made, "run").code == 0
    return made


def test_it_would_pass_or_be_held_and_why(config: Path) -> None:
    good = call("-c", config, "order", "ask", "C1", "--amount", "50,000")
    assert (good.code, "It would pass." in good.out) == (0, True)
    held = call("-c", config, "order", "ask", "books/C1", "--amount", "50000.01", "--simulate")
    assert held.code == 1
    assert "CNY 50,000.00" in held.out
    chinese = call("-c", config, "order", "ask", "Ltd", "--amount", "60000", "--simulate", lang="zh")
    assert "将被冻结" in chinese.out
    assert "超过信用额度 CNY 50,000.00" in chinese.out
    assert "C1" in chinese.out, "a part of the name is enough"


def test_credit_is_kept_listed_and_given_back(config: Path) -> None:
    asked = ("-c", config, "order", "ask", "C1", "--amount", "40000", "--reserve", "30", "--key", "k1")
    first = call(*asked, "--format", "json").json
    assert call(*asked, "--format", "json").json == first
    other = call("-c", config, "order", "ask", "C1", "--amount", "1", "--key", "k1")
    assert (other.code != 0, "k1" in other.out + other.err) == (True, True)
    assert call("-c", config, "order", "ask", "C1", "--amount", "10001").code == 1
    (one,) = call("-c", config, "order", "reservations", "--format", "json").json["reservations"]
    assert (one["id"], one["amount"]) == (first["reservation"]["id"], "40000.00")
    assert "40000.00 CNY" in call("-c", config, "order", "return", one["id"]).out
    assert call("-c", config, "order", "ask", "C1", "--amount", "50000").code == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--amount", "much"), "amount"),
        ((), "amount"),
        (("--amount", "5", "--ship-date", "tomorrow"), "ship_date"),
        (("--amount", "5", "--reserve", "2000"), "reserve_minutes"),
        (("--amount", "5", "--simulate", "--key", "k"), "simulate"),
        (("--amount", "5", "--point", "lunch"), "point"),
    ],
)
def test_what_is_wrong_is_named(config: Path, words: tuple[str, ...], named: str) -> None:
    wrong = call("-c", config, "order", "ask", "C1", *words)
    assert wrong.code not in (0, 1)
    assert named in wrong.out + wrong.err
