"""Statistical scorecards: read from a file, scored, explained."""

import datetime as dt
import math
from decimal import Decimal

import pytest

from connector.credit.score_inputs import Known
from connector.credit.scorecard import load, read, score, version_of
from connector.errors import ConfigError
from connector.policy_score import Cap

D = Decimal
DAY = dt.date(2026, 11, 23)
CARD = """
name = "ours-2026"
intercept = 3.0
bands = [["A", 640], ["B", 600], ["C", 560], ["D", 0]]

[[variable]]
input = "payment_index"
coefficient = 0.8
below = -1.2
bins = [[60, 0.1], [78, 0.9]]
missing = -0.2

[[variable]]
input = "altman_zone"
coefficient = 0.5
words = { safe = 0.7, grey = 0.0, distress = -1.1 }
"""


def test_the_score_is_offset_and_factor_times_the_log_odds() -> None:
    found = score({"payment_index": Known(D(80)), "altman_zone": Known("distress")}, load(CARD), DAY)
    log_odds = 3.0 + 0.8 * 0.9 + 0.5 * -1.1
    expected = 600 + 20 / math.log(2) * (log_odds - math.log(50))
    assert found.points is not None
    assert float(found.points) == round(expected, 2)
    assert float(found.pd or 0) == round(1 / (1 + math.exp(log_odds)), 4)
    assert found.grade == "C"
    # Each variable's own share of the points, for people.
    assert [float(p.points or 0) for p in found.parts] == [
        round(20 / math.log(2) * 0.72, 2),
        round(20 / math.log(2) * -0.55, 2),
    ]
    assert (found.parts[0].low, found.parts[0].high) == (78, None)


def test_what_is_missing_has_its_own_weight_until_too_little_is_known() -> None:
    card = load(CARD)
    found = score({"altman_zone": Known("safe")}, card, DAY)
    log_odds = 3.0 + 0.8 * -0.2 + 0.5 * 0.7
    assert float(found.points or 0) == round(600 + 20 / math.log(2) * (log_odds - math.log(50)), 2)
    assert (found.coverage, found.parts[0].rule) == (D("0.50"), "neutral")
    nothing = score({}, card, DAY)
    assert (nothing.points, nothing.grade, nothing.pd) == (None, None, None)


def test_better_evidence_is_never_a_lower_score() -> None:
    card = load(CARD)
    found = [
        score({"payment_index": Known(D(n)), "altman_zone": Known("grey")}, card, DAY).points for n in (10, 60, 78)
    ]
    assert found == sorted(p for p in found if p is not None)


def test_caps_hold_here_too() -> None:
    inputs = {"payment_index": Known(D(80)), "altman_zone": Known("safe"), "court": Known("dishonest")}
    found = score(inputs, load(CARD), DAY, caps=(Cap(input="court", words=("dishonest",), grade="D"),))
    assert (found.grade, found.capped) == ("D", ("court",))


def test_the_version_is_of_the_content() -> None:
    assert version_of(load(CARD)).startswith("ours-2026-")
    assert version_of(load(CARD)) == version_of(load("# a comment\n" + CARD))
    assert version_of(load(CARD)) != version_of(load(CARD.replace("0.9", "0.91")))


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("coefficient = 0.8", "coeficient = 0.8", "variable.1.coeficient"),
        ('"payment_index"', '"payments"', "variable.1"),
        ("bins = [[60, 0.1], [78, 0.9]]", "bins = [[78, 0.1], [60, 0.9]]", "variable.1"),
        ("below = -1.2\n", "", "variable.1"),
        ("[78, 0.9]", "[78, 'x']", "variable.1.bins.2.2"),
        ('["A", 640], ["B", 600]', '["A", 600], ["B", 640]', ""),
        ("intercept = 3.0", "", "intercept"),
    ],
)
def test_what_a_file_may_not_say(before: str, after: str, field: str) -> None:
    assert before in CARD
    card, problems = read(CARD.replace(before, after), "ours.toml")
    assert card is None
    assert field in [p.field for p in problems]
    with pytest.raises(ConfigError, match="The scorecard has mistakes"):
        load(CARD.replace(before, after))


def test_broken_toml() -> None:
    card, (problem,) = read("name = ")
    assert (card, problem.code) == (None, "bad_toml")
