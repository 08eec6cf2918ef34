"""The points scorecard: bins, missing values, coverage, caps, and what is kept."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.score import Score, as_kept, digest, score
from connector.credit.score_inputs import FLAGS, INPUTS, SOURCES, Known, flags_text, source_text, value_text
from connector.policy import default_policy, read
from connector.policy_score import Cap, Criterion, Scoring

D = Decimal
DAY = dt.date(2026, 11, 23)
INDEX = Criterion(
    input="payment_index", weight=D(60), below=D(10), bins=((D(40), D(40)), (D(60), D(70)), (D(75), D(100)))
)
ZONE = Criterion(input="altman_zone", weight=D(40), words={"safe": D(100), "grey": D(50), "distress": D(0)})
BANDS = (("A", D(80)), ("B", D(65)), ("C", D(50)), ("D", D(0)))


def card(*criteria: Criterion, **more: object) -> Scoring:
    return Scoring.model_validate(
        {"criterion": criteria or (INDEX, ZONE), "bands": BANDS, "cap": (), "min_coverage_percent": D(0), **more}
    )


def of(rules: Scoring | None = None, **inputs: Decimal | str | None) -> Score:
    return score({name: Known(value) for name, value in inputs.items()}, rules or card(), DAY)


@pytest.mark.parametrize(
    ("value", "points", "low", "high"),
    [
        ("39.9999", 10, None, 40),
        ("40", 40, 40, 60),
        ("59.9999", 40, 40, 60),
        ("60", 70, 60, 75),
        ("75", 100, 75, None),
        ("-5", 10, None, 40),
    ],
)
def test_the_lower_bound_belongs_to_a_bin_and_the_upper_one_does_not(
    value: str, points: int, low: int | None, high: int | None
) -> None:
    part = of(card(INDEX), payment_index=D(value)).parts[0]
    assert (part.points, part.low, part.high) == (points, low, high)


def test_a_number_is_judged_as_it_is_kept() -> None:
    thirds = D(40) / 3 * 3  # 39.99…9
    assert thirds < 40
    part = of(card(INDEX), payment_index=thirds).parts[0]
    assert (part.value, part.points) == (D("40.0000"), 40)


@pytest.mark.parametrize(
    ("points", "grade"), [("80", "A"), ("79.99", "B"), ("65", "B"), ("50", "C"), ("49.99", "D"), ("0", "D")]
)
def test_a_band_has_its_lower_bound(points: str, grade: str) -> None:
    flat = Criterion(input="payment_index", weight=D(1), below=D(points), bins=((D(999), D(0)),))
    assert (of(card(flat), payment_index=D(1)).points, of(card(flat), payment_index=D(1)).grade) == (D(points), grade)


def test_each_criterion_may_have_its_own_rule_for_what_is_missing() -> None:
    lenient = ZONE.model_copy(update={"missing": "neutral", "neutral": D(30)})
    found = of(card(INDEX, lenient, missing="zero"), payment_index=D(80))
    assert found.points == D("72.00")  # (60 × 100 + 40 × 30) ÷ 100
    assert (found.parts[1].rule, found.parts[1].points) == ("neutral", 30)
    assert of(card(INDEX, lenient, missing="zero"), altman_zone="safe").points == D("40.00")
    assert (
        of(card(INDEX, ZONE.model_copy(update={"missing": "neutral"}), neutral=D(20)), payment_index=D(80)).points == 68
    )


def test_without_anything_known_there_is_no_score_by_reweighting() -> None:
    found = of()
    assert (found.points, found.grade, found.coverage) == (None, None, 0)
    assert of(card(missing="zero")).points == 0


def test_coverage_at_the_least_is_enough() -> None:
    assert of(card(min_coverage_percent=D(60)), payment_index=D(80)).points == 100
    assert of(card(min_coverage_percent=D("60.01")), payment_index=D(80)).points is None


def test_a_word_that_the_scorecard_does_not_list_is_missing_and_says_so() -> None:
    rating = Criterion(input="bureau_rating", weight=D(40), words={"AAA": D(100)})
    found = of(card(INDEX, rating), payment_index=D(80), bureau_rating="Baa1")
    assert (found.points, found.coverage) == (D("100.00"), D("0.60"))
    assert (found.parts[1].value, found.parts[1].known.flags) == ("Baa1", ("not_in_table",))


def test_a_cap_holds_the_grade_and_leaves_the_points() -> None:
    caps = (
        Cap(input="court", words=("executed",), grade="C"),
        Cap(input="registry", words=("serious",), grade="D"),
        Cap(input="statement_audit", words=("unaudited",), grade="B"),
    )
    rules = card(cap=caps)
    good: dict[str, Decimal | str] = {"payment_index": D(80), "altman_zone": "safe"}
    assert (of(rules, **good).grade, of(rules, **good).capped) == ("A", ())
    held = of(rules, court="executed", statement_audit="unaudited", **good)
    assert (held.points, held.grade, held.capped) == (D("100.00"), "C", ("court",))
    assert of(rules, court="clean", **good).grade == "A"
    # A cap never lifts a grade, and is not named where it changed nothing.
    low = of(rules, payment_index=D(0), altman_zone="distress", court="executed")
    assert (low.grade, low.capped) == ("D", ())


def test_the_lowest_grade_needs_no_score() -> None:
    caps = (Cap(input="registry", words=("serious",), grade="D"), Cap(input="court", words=("executed",), grade="C"))
    rules = card(cap=caps, min_coverage_percent=D(100))
    found = of(rules, registry="serious", payment_index=D(80))
    assert (found.points, found.grade, found.capped) == (None, "D", ("registry",))
    assert of(rules, court="executed", payment_index=D(80)).grade is None


# --- laws --------------------------------------------------------------------------------------------------------------
points = st.integers(0, 100).map(D)
rising = st.lists(st.integers(-50, 50), min_size=1, max_size=6, unique=True).map(sorted)


@given(rising, st.lists(points, min_size=7, max_size=7).map(sorted), st.integers(-60, 60), st.integers(-60, 60))
def test_with_rising_bins_more_is_never_worse(bounds: list[int], given_points: list[Decimal], a: int, b: int) -> None:
    bins = tuple((D(bound), p) for bound, p in zip(bounds, given_points[1:], strict=False))
    rules = card(Criterion(input="slowdown_days", weight=D(3), below=given_points[0], bins=bins))
    low, high = sorted((a, b))
    less, more = of(rules, slowdown_days=D(low)).points, of(rules, slowdown_days=D(high)).points
    assert less is not None
    assert more is not None
    assert less <= more


NAMES = [name for name, kind in INPUTS.items() if kind.words is None][:6]


@given(
    st.lists(st.tuples(st.integers(1, 100), points, points, st.none() | st.integers(-3, 3)), min_size=1, max_size=6),
    st.sampled_from(["reweight", "neutral", "zero"]),
)
def test_a_score_stays_within_0_and_100_and_the_rules_are_in_order(
    criteria: list[tuple[int, Decimal, Decimal, int | None]], rule: str
) -> None:
    made = tuple(
        Criterion(input=name, weight=D(weight), below=below, bins=((D(0), above),))
        for name, (weight, below, above, _) in zip(NAMES, criteria, strict=False)
    )
    inputs = {n: None if v is None else D(v) for n, (_, _, _, v) in zip(NAMES, criteria, strict=False)}
    found = of(card(*made, missing=rule), **inputs)
    if found.points is None:
        assert rule == "reweight"
        assert all(v is None for v in inputs.values())
        return
    assert 0 <= found.points <= 100
    assert 0 <= found.coverage <= 1
    zero = of(card(*made, missing="zero"), **inputs).points
    assert zero is not None
    assert zero <= found.points
    known = [p.points for p in found.parts if p.rule is None]
    if rule == "reweight":
        # Reweighted, a score is never outside what the known criteria gave (rounded to cents).
        assert min(p for p in known if p is not None) <= found.points <= max(p for p in known if p is not None)


# --- what is kept ------------------------------------------------------------------------------------------------------
def test_everything_that_made_a_score_is_kept() -> None:
    inputs = {
        "payment_index": Known(D("71.5"), ("payments", "37", "2024-11-23", "2026-11-23")),
        "altman_zone": Known(None, ("statement", "2025-12-31"), ("short_period",), ("ebit",)),
    }
    rules = card()
    kept = as_kept(score(inputs, rules, DAY))
    assert kept["score"] == "70.00"
    assert (kept["grade"], kept["coverage"], kept["as_of"]) == ("B", "0.60", "2026-11-23")
    assert kept["parts"] == [
        {
            "input": "payment_index",
            "value": "71.5000",
            "bin": ["60", "75"],
            "weight": "60",
            "points": "70",
            "rule": None,
            "source": ["payments", "37", "2024-11-23", "2026-11-23"],
            "flags": [],
            "missing": [],
        },
        {
            "input": "altman_zone",
            "value": None,
            "bin": [None, None],
            "weight": "40",
            "points": None,
            "rule": "reweight",
            "source": ["statement", "2025-12-31"],
            "flags": ["short_period"],
            "missing": ["ebit"],
        },
    ]
    assert kept["version"] == score({}, rules, DAY).version != score({}, card(INDEX), DAY).version


def test_the_digest_changes_with_what_was_concluded_only() -> None:
    first = of(payment_index=D(80), altman_zone="safe")
    assert digest(first) == digest(of(payment_index=D("99.1"), altman_zone="safe"))
    assert digest(first) != digest(of(payment_index=D(74), altman_zone="safe"))
    assert digest(first) != digest(of(payment_index=D(80)))
    # The points are the same without the zone: what was left out is another conclusion.
    assert first.points == of(payment_index=D(80)).points
    assert digest(first) != digest(of(card(min_coverage_percent=D(1)), payment_index=D(80), altman_zone="safe"))
    newer = {"payment_index": Known(D(80)), "altman_zone": Known("safe", ("statement", "2026-12-31"))}
    older = {"payment_index": Known(D(80)), "altman_zone": Known("safe", ("statement", "2025-12-31"))}
    assert digest(score(newer, card(), DAY)) != digest(score(older, card(), DAY))


def test_people_read_inputs_in_both_languages() -> None:
    assert value_text("debt_ratio_percent", D("60.0000")).en == "60 %"
    assert value_text("slowdown_days", D(12)).zh == "12 天"
    assert value_text("altman_zone", "grey").zh == "灰色区"
    assert value_text("bureau_rating", "AA").en == "AA"
    assert value_text("current_ratio", D("1.6000")).en == "1.6"
    assert value_text("overdue_percent", D("0.0000")).en == "0 %"
    assert value_text("overdue_percent", D("89.2587")).zh == "89.26 %"
    assert value_text("payment_index", None).en == "–"
    source = source_text(("payments", "37", "2024-11-23", "2026-11-23"))
    assert source is not None
    assert (source.en, source.zh) == (
        "37 payments and overdue items, 2024-11-23 to 2026-11-23",
        "2024-11-23 至 2026-11-23 的 37 笔付款及逾期项",
    )
    assert source_text(()) is None
    why = flags_text(("no_statement",), ("ebit",))
    assert why is not None
    assert why.zh == "无财务报表；缺少：息税前利润"
    assert flags_text(()) is None


def test_every_word_for_people_is_in_both_languages() -> None:
    for text in [*FLAGS.values(), *SOURCES.values(), *(kind.name for kind in INPUTS.values())]:
        assert any("\u4e00" <= c <= "\u9fff" for c in text.zh), text
        assert not any("\u4e00" <= c <= "\u9fff" for c in text.en), text


# --- the policy's table ------------------------------------------------------------------------------------------------
def test_the_shipped_scorecard_scores_who_pays_and_not_who_is_new() -> None:
    rules = default_policy().score
    pays = {
        "payment_index": Known(D(81)),
        "slowdown_days": Known(D(0)),
        "overdue_percent": Known(D(0)),
        "years_as_customer": Known(D(4)),
        "utilisation_percent": Known(D(50)),
    }
    found = score(pays, rules, DAY)
    assert (found.grade, found.coverage) == ("A", D("0.70"))
    new = {"years_as_customer": Known(D(0)), "overdue_percent": Known(D(0)), "utilisation_percent": Known(D(10))}
    assert (score(new, rules, DAY).points, score(new, rules, DAY).grade) == (None, None)
    assert score({**pays, "court": Known("dishonest")}, rules, DAY).grade == "D"


@pytest.mark.parametrize(
    ("text", "field", "fix"),
    [
        ("[[score.criterion]]\ninput = 'payment_indx'\nweight = 1", "score.criterion.1", 'There is no input "payment_indx". Is "payment_index" meant?'),
        ("[[score.criterion]]\ninput = 'altman_zone'\nweight = 1\nwords = {safer = 1}", "score.criterion.1", "altman_zone is one of: distress, grey, safe."),
        ("[[score.criterion]]\ninput = 'altman_zone'\nweight = 1", "score.criterion.1", "altman_zone is a word: give words = { … }."),
        ("[[score.criterion]]\ninput = 'altman'\nweight = 1\nwords = {safe = 1}", "score.criterion.1", "altman is a number: it has no words."),
        ("[[score.criterion]]\ninput = 'altman'\nweight = 1\nbelow = 0\nbins = [[2, 5], [1, 9]]", "score.criterion.1", "A number needs below = points and bins = [[from, points], …], each bound above the one before."),
        ("[[score.criterion]]\ninput = 'altman'\nweight = 0\nbelow = 0\nbins = [[2, 5]]", "score.criterion.1.weight", None),
        ("[[score.criterion]]\ninput = 'altman'\nweight = 1\nbelow = 0\nbins = [[2, 500]]", "score.criterion.1.bins.1.2", "It must be at most 100."),
        ("[score]\nbands = [['A', 80], ['B', 90]]", "score", "bands are [[grade, from this score on], …], best first, each grade once, the last from 0."),
        ("[score]\nbands = [['A', 80], ['B', 10]]", "score", "bands are [[grade, from this score on], …], best first, each grade once, the last from 0."),
        ("[score]\nbands = [['X', 0]]", "score", "[[score.cap]] grade: one of X."),
        ("[score]\naltman = 'z7'", "score", "altman is one of: z, z1, z2, z2_em."),
        ("[score]\ncriterion = []", "score", "[[score.criterion]] asks for each input once, and for one at least."),
        ("[[score.cap]]\ninput = 'court'\nwords = ['guilty']\ngrade = 'D'", "score.cap.1", "court is one of: clean, lawsuit, executed, dishonest, bankruptcy."),
    ],
)  # fmt: skip
def test_what_a_scorecard_cannot_be(text: str, field: str, fix: str | None) -> None:
    policy, problems = read(text)
    assert policy is None
    assert [p.field for p in problems] == [field]
    if fix is not None:
        assert problems[0].fix.en == fix
    assert problems[0].fix.zh != problems[0].fix.en or fix is None


def test_a_misspelt_word_of_a_criterion_has_its_near_name() -> None:
    _, problems = read("[[score.criterion]]\ninput = 'altman'\nwieght = 1\nbelow = 0\nbins = [[2, 5]]\n")
    assert 'There is no such setting. Is "weight" meant?' in [f"{p.what.en} {p.fix.en}" for p in problems]


def test_an_input_may_be_asked_for_once_only() -> None:
    one = "[[score.criterion]]\ninput = 'altman'\nweight = 1\nbelow = 0\nbins = [[2, 5]]\n"
    _, (problem,) = read(one + one)
    assert problem.fix.en.endswith("for one at least: altman.")
