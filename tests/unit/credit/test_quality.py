"""Quality of scores and the arithmetic of scorecards: known values, and the laws that hold for all."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.quality import auc, gini, ks, psi
from connector.credit.scaling import Scale, evidence, pd_of

D = Decimal
marks = st.lists(st.tuples(st.integers(0, 20).map(D), st.booleans()), min_size=1, max_size=60)
counts = st.lists(st.integers(0, 1000), min_size=1, max_size=8)


def parted(pairs: list[tuple[Decimal, bool]]) -> tuple[list[Decimal], list[bool]]:
    return [risk for risk, _ in pairs], [bad for _, bad in pairs]


def test_perfect_reversed_and_blind() -> None:
    assert auc([D(3), D(2), D(1)], [True, False, False]) == 1
    assert auc([D(1), D(2), D(3)], [True, False, False]) == 0
    assert auc([D(1)] * 4, [True, False, False, True]) == D("0.5")
    assert ks([D(3), D(2), D(1)], [True, False, False]) == 1
    assert ks([D(1)] * 4, [True, False, False, True]) == 0


def test_of_one_kind_alone_nothing_can_be_said() -> None:
    assert auc([D(1)], [True]) is None
    assert gini([D(1)], [False]) is None
    assert ks([], []) is None
    assert psi([0, 0], [1, 2]) is None
    with pytest.raises(ValueError, match="zip"):
        auc([D(1), D(2)], [True])


@given(marks)
def test_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[Decimal, bool]]) -> None:
    risk, bad = parted(pairs)
    wins = [D(1) if r > s else D("0.5") if r == s else D(0) for r, b in pairs if b for s, other in pairs if not other]
    found = auc(risk, bad)
    if not wins:
        assert found is None
    else:
        assert found is not None
        assert abs(found - sum(wins) / len(wins)) < D("1e-20")


@given(marks)
def test_auc_and_ks_turn_round_with_the_score(pairs: list[tuple[Decimal, bool]]) -> None:
    risk, bad = parted(pairs)
    there, back = auc(risk, bad), auc([-r for r in risk], bad)
    if there is not None and back is not None:
        assert abs(there + back - 1) < D("1e-20")
    assert ks(risk, bad) == ks([-r for r in risk], bad)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=8))
def test_psi_is_never_below_zero_and_zero_for_the_same_population(bands: list[tuple[int, int]]) -> None:
    expected, actual = [e for e, _ in bands], [a for _, a in bands]
    found = psi(expected, actual)
    assert found is None or found >= 0
    assert psi(expected, expected) in (0, None)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=8))
def test_information_value_is_never_below_zero(bins: list[tuple[int, int]]) -> None:
    found = evidence([g for g, _ in bins], [b for _, b in bins])
    assert found.iv >= 0
    assert found.smoothed == any(not g or not b for g, b in bins)


def test_an_empty_cell_adds_half_to_every_cell_of_the_variable() -> None:
    found = evidence([10, 5], [0, 5])
    goods, bads = [10.5, 5.5], [0.5, 5.5]
    expected = [math.log((g / 16) / (b / 6)) for g, b in zip(goods, bads, strict=True)]
    assert [round(float(w), 9) for w in found.woe] == [round(w, 9) for w in expected]


@given(st.integers(1, 999).map(lambda n: D(n) / 1000))
def test_a_score_and_its_probability_are_one(pd: Decimal) -> None:
    scale = Scale()
    log_odds = (scale.of_pd(pd) - scale.offset) / scale.factor
    assert abs(pd_of(log_odds) - pd) < D("1e-20")


def test_a_probability_without_odds_has_no_score() -> None:
    for pd in ("0", "1"):
        with pytest.raises(ValueError, match="odds"):
            Scale().of_pd(D(pd))
