"""Limit proposals: the order of the formula, what binds, and what never happens whatever the numbers are."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.credit.propose import Case, Proposed, by_itself, propose
from connector.credit.propose_words import LEVEL
from connector.credit.warn_words import LEVEL_TEXTS
from connector.policy import Policy, default_policy, load
from tests.unit.credit.test_examples import FILE, example

DAY = dt.date(2026, 11, 20)
POLICY = default_policy()


def case(**more: Any) -> Case:
    """A customer of five years whose need is 840,000 and whose capacity is 600,000."""
    given = {
        "as_of": DAY, "currency": "CNY", "sales": Decimal(3_650_000), "terms_days": Decimal(60), "days_late": Decimal(10),
        "first_sold_on": dt.date(2021, 1, 1), "net_worth": Decimal(8_000_000), "working_capital": Decimal(3_000_000),
        "statement_on": dt.date(2025, 12, 31), "grade": "B", "current": Decimal(300_000),
    }  # fmt: skip
    return Case(**(given | more))


FROZEN = LEVEL.fill(level=LEVEL_TEXTS["orange"])


def result(proposed: Proposed, rule: str) -> Decimal:
    (step,) = [s for s in proposed.steps if s.rule == rule]
    return Decimal(step.numbers["result"])


@pytest.mark.live
@pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository")
def test_e15() -> None:
    given, expected = example("E15")
    multiplier = Decimal(given["band_multiplier"]) * 100
    policy = load(
        f"""
[limit]
peak_factor = {given["peak_factor"]}
step = {given["round_down_to"]}
max_rise_percent = {given["max_increase"].rstrip("%")}
[[limit.band]]
grade = "B"
multiplier_percent = {multiplier}
cap = {given["band_cap"]}
"""
    )
    asked = case(
        sales=Decimal(given["annual_credit_sales"]),
        terms_days=Decimal(given["terms_days"]),
        days_late=Decimal(given["usual_days_late"]),
        net_worth=Decimal(given["net_worth"]),
        working_capital=Decimal(given["working_capital"]),
        insurer=Decimal(given["insurer_limit"]),
        current=Decimal(given["current_limit"]),
    )
    proposed = propose(asked, policy)
    found = {
        "need": result(proposed, "need"),
        "net_worth_10pct": result(proposed, "net_worth"),
        "working_capital_20pct": result(proposed, "working_capital"),
        "min_of_three": result(proposed, "lowest"),
        "after_multiplier": result(proposed, "multiplier"),
        "after_caps_and_rounding": result(proposed, "step"),
        "after_throttle": proposed.amount,
    }
    assert {k: f"{v:.2f}" for k, v in found.items()} == expected
    assert proposed.binding == "max_rise"


def test_every_step_says_its_inputs_in_both_languages() -> None:
    proposed = propose(case(insurer=Decimal(600_000)), POLICY)
    assert [s.text.en for s in proposed.steps] == [
        "need: credit sales of CNY 3,650,000.00 a year ÷ 365 × (60 days of terms + 10 days late) × peak factor 1.2 = "
        "CNY 840,000.00",
        "10% of the net worth of CNY 8,000,000.00 (2025-12-31): CNY 800,000.00",
        "20% of the working capital of CNY 3,000,000.00 (2025-12-31): CNY 600,000.00",
        "the lowest of these: CNY 600,000.00 (the working capital)",
        "grade B: 80% of it = CNY 480,000.00",
        "cap, the most for the grade: CNY 2,000,000.00 does not bind",
        "cap, the insurer's limit with our own share: CNY 600,000.00 does not bind",
        "rounded down to a multiple of CNY 10,000.00: CNY 480,000.00",
        "at most 50% above the present CNY 300,000.00 at once: CNY 450,000.00",
    ]
    assert [s.text.zh for s in proposed.steps] == [
        "需求额度：年赊销额 CNY 3,650,000.00 ÷ 365 ×（账期 60 天 + 通常逾期 10 天）× 高峰系数 1.2 = CNY 840,000.00",
        "净资产 CNY 8,000,000.00（2025-12-31）的 10%：CNY 800,000.00",
        "营运资金 CNY 3,000,000.00（2025-12-31）的 20%：CNY 600,000.00",
        "取最低者：CNY 600,000.00（营运资金）",
        "等级 B：乘以 80% = CNY 480,000.00",
        "上限，该等级上限：CNY 2,000,000.00，不构成约束",
        "上限，保险公司核定额度及自担部分：CNY 600,000.00，不构成约束",
        "向下取整至 CNY 10,000.00 的倍数：CNY 480,000.00",
        "单次最多较现额度 CNY 300,000.00 上调 50%：CNY 450,000.00",
    ]
    assert proposed.text.en == (
        "proposed: CNY 450,000.00, CNY 150,000.00 more than the present CNY 300,000.00; "
        "what binds: the most that it may rise at once"
    )
    assert proposed.text.zh == (
        "建议额度 CNY 450,000.00，较现额度 CNY 300,000.00 提高 CNY 150,000.00；约束因素：单次最大上调幅度"
    )


@pytest.mark.parametrize(
    ("more", "amount", "binding"),
    [
        ({"current": None}, 480_000, "working_capital"),
        ({"current": Decimal(0)}, 480_000, "working_capital"),
        ({"unlimited": True, "current": None}, 480_000, "working_capital"),
        ({"current": Decimal(400_000)}, 480_000, "working_capital"),
        ({"current": Decimal(400_000), "days_late": Decimal(-20), "working_capital": Decimal(10**8)}, 570_000, "need"),  # early: no days off
        ({"current": Decimal(900_000)}, 630_000, "max_cut"),
        ({"current": Decimal(900_000), "level": "red"}, 480_000, "working_capital"),
        ({"frozen": FROZEN}, 300_000, "frozen"),
        ({"frozen": FROZEN, "current": None}, 0, "frozen"),
        ({"frozen": FROZEN, "current": Decimal(900_000)}, 630_000, "max_cut"),
        ({"level": "yellow"}, 450_000, "max_rise"),
        ({"grade": "D"}, 210_000, "max_cut"),
        ({"grade": "D", "current": None}, 0, "grade"),
        ({"grade": "C", "current": None, "net_worth": None, "working_capital": Decimal(30_000_000)}, 420_000, "need"),
        ({"grade": None, "current": None}, 300_000, "working_capital"),
        ({"net_worth": None, "working_capital": None, "current": None}, 200_000, "no_financials"),
        ({"net_worth": Decimal(-1), "current": None}, 0, "net_worth"),
        ({"net_worth": Decimal(-1), "working_capital": Decimal(-1), "current": None}, 0, "net_worth"),
        ({"insurer": Decimal(100_000), "current": None}, 100_000, "insurer"),
        ({"insurer": Decimal(0), "current": None}, 0, "insurer"),
        ({"group_room": Decimal(55_000), "current": None}, 50_000, "group"),
        ({"group_room": Decimal(-5), "current": None}, 0, "group"),
        ({"receivables": Decimal(1_000_000), "current": None}, 200_000, "concentration"),
        ({"receivables": Decimal(0), "current": None}, 480_000, "working_capital"),
        ({"asked": Decimal(123_456), "current": None}, 120_000, "asked"),
        ({"asked": Decimal(100_000), "current": Decimal(500_000)}, 100_000, "asked"),
        ({"asked": Decimal(100_000), "current": Decimal(500_000), "grade": "D"}, 100_000, "asked"),
        ({"others": Decimal(100_000), "current": None}, 380_000, "working_capital"),
        ({"sales": Decimal(0), "current": None}, 0, "need"),
    ],
)  # fmt: skip
def test_what_binds(more: dict[str, Any], amount: int, binding: str) -> None:
    proposed = propose(case(**more), POLICY)
    assert (proposed.amount, proposed.binding) == (amount, binding), [s.text.en for s in proposed.steps]


@pytest.mark.parametrize(
    ("asked", "amount", "step"),
    [("7300", 7_000, "1,000.00"), ("62", 60, "10.00"), ("49999", 45_000, "5,000.00"), ("50000", 50_000, "10,000.00"),
     ("99999", 90_000, "10,000.00"), ("0.07", "0.07", "0.01")],
)  # fmt: skip
def test_a_small_limit_is_rounded_by_a_smaller_step(asked: str, amount: Any, step: str) -> None:
    proposed = propose(case(current=None, asked=Decimal(asked)), POLICY)
    assert proposed.amount == Decimal(amount)
    assert proposed.steps[-1].text.en.startswith(f"rounded down to a multiple of CNY {step}: ")


def test_where_the_policy_says_so_what_is_below_the_step_is_nothing() -> None:
    proposed = propose(case(current=None, asked=Decimal(7300)), load("[limit]\nstep_percent = 0"))
    assert (proposed.amount, proposed.binding) == (0, "step")


def test_sales_of_less_than_a_year_are_taken_for_a_year_and_say_so() -> None:
    young = {"sales": Decimal(365_000), "terms_days": Decimal(30), "days_late": None, "current": None, "grade": "A"}
    proposed = propose(case(**young, sales_days=146), POLICY)
    # 365,000 in 146 days are 912,500 a year: 2,500 a day, for 30 days, times 1.2.
    assert (proposed.amount, proposed.binding) == (90_000, "need")
    first, need = (step.text for step in proposed.steps[:2])
    assert first.en == ("credit sales of CNY 365,000.00 in 146 days since the first, for a whole year: CNY 912,500.00")
    assert first.zh == "自首次交易起 146 天赊销 CNY 365,000.00，折算全年：CNY 912,500.00"
    assert "CNY 912,500.00 a year" in need.en
    # A few weeks are taken for ninety days.
    assert propose(case(**young, sales_days=3), POLICY).steps[0].numbers["result"] == "1480277.78"
    assert propose(case(**young, sales_days=365), POLICY).steps[0].rule == "need"


def test_in_another_currency_amounts_of_the_policy_are_converted_and_steps_are_round() -> None:
    rich = case(
        unit=Decimal("0.14"), currency="USD", current=None, grade="C", sales=Decimal(36_500_000),
        net_worth=Decimal(10**9), working_capital=None,
    )  # fmt: skip
    proposed = propose(rich, POLICY)
    assert (proposed.amount, proposed.binding) == (70_000, "band_cap"), "500,000 CNY"
    assert proposed.steps[-1].text.en == "rounded down to a multiple of USD 1,000.00: USD 70,000.00"
    (cap,) = [s for s in proposed.steps if s.rule == "band_cap"]
    assert cap.text.zh == "上限，该等级上限：USD 70,000.00，取 USD 70,000.00"


def test_a_new_customer_gets_a_starter_limit_in_tranches() -> None:
    new = case(
        first_sold_on=dt.date(2026, 10, 1),
        current=None,
        grade=None,
        sales=Decimal(1),
        net_worth=None,
        working_capital=None,
    )
    proposed = propose(new, POLICY)
    assert (proposed.amount, proposed.binding) == (50_000, "starter")
    assert [(p.amount, p.condition) for p in proposed.parts] == [
        (20_000, ""),
        (15_000, "from:2027-01-19 paid>=80% late<=15 suspend:late>30"),
        (15_000, "from:2027-03-20 paid>=80% late<=15 suspend:late>30"),
    ]
    assert proposed.steps[0].text.zh == "新客户，首次交易 2026-10-01（不足 180 天）：起步额度 CNY 50,000.00"
    never = propose(case(first_sold_on=None, current=None, grade=None), POLICY)
    assert never.steps[0].text.en == "a new customer that has not bought yet: starter limit CNY 50,000.00"
    unknown = propose(case(sales=None, current=None, grade=None), POLICY)
    assert (unknown.amount, unknown.binding) == (50_000, "starter"), "not known is not nothing"
    assert unknown.steps[0].text.zh == "首次交易 2021-01-01，销售额未知：起步额度 CNY 50,000.00"
    assert propose(case(first_sold_on=None, current=None, grade="D"), POLICY).parts == (), "nothing to be divided"
    assert propose(case(first_sold_on=None, current=Decimal(50_000), grade="A"), POLICY).parts == (), "he has a limit"


def test_the_validity_is_of_whole_months() -> None:
    proposed = propose(case(), POLICY)
    assert (proposed.valid_from, proposed.valid_to) == (DAY, dt.date(2027, 11, 20))


AUTOMATIC = load(
    "[limit.automatic]\non = true\nup_to_amount = 450000\nup_to_rise_percent = 50\nup_to_cut_percent = 10\n"
)


@pytest.mark.parametrize(
    ("more", "policy", "why"),
    [
        ({}, AUTOMATIC, None),
        ({}, POLICY, "nothing is approved without a person"),
        ({"current": None}, AUTOMATIC, "a first limit"),
        ({"current": Decimal(305_000)}, AUTOMATIC, "above the amount that passes by itself"),
        ({"current": Decimal(200_000)}, load("[limit]\nmax_rise_percent = 51\n[limit.automatic]\non = true\nup_to_amount = 450000\nup_to_rise_percent = 50"), "a larger rise than passes by itself"),
        ({"current": Decimal(500_000), "grade": "A", "asked": Decimal(449_999)}, AUTOMATIC, "a larger cut than passes by itself"),
        ({"current": Decimal(500_000), "grade": "A", "asked": Decimal(450_000)}, AUTOMATIC, None),
        ({"level": "yellow"}, AUTOMATIC, "the warning level is too high"),
        ({"grade": "C"}, AUTOMATIC, "the grade is not good enough"),
        ({"grade": None}, AUTOMATIC, "the grade is not good enough"),
        ({"unlimited": True}, AUTOMATIC, "the customer is unlimited now"),
    ],
)  # fmt: skip
def test_what_passes_without_a_person(more: dict[str, Any], policy: Policy, why: str | None) -> None:
    asked = case(**more)
    said = by_itself(propose(asked, policy), asked, policy)
    assert (said.en if said else None) == why


amounts = st.decimals(Decimal(-(10**9)), Decimal(10**9), places=2) | st.none()
positive = st.decimals(Decimal(0), Decimal(10**9), places=2)
cases = st.builds(
    Case,
    as_of=st.just(DAY),
    currency=st.sampled_from(["CNY", "JPY", "KWD"]),
    unit=st.sampled_from([Decimal(1), Decimal("0.14"), Decimal("20.5")]),
    current=positive | st.none(),
    unlimited=st.booleans(),
    sales=amounts,
    terms_days=st.decimals(Decimal(0), Decimal(200), places=1) | st.none(),
    days_late=st.decimals(Decimal(-50), Decimal(300), places=1) | st.none(),
    first_sold_on=st.dates(dt.date(2015, 1, 1), DAY) | st.none(),
    net_worth=amounts,
    working_capital=amounts,
    grade=st.sampled_from(["A", "B", "C", "D", None]),
    level=st.sampled_from(["green", "yellow", "orange", "red"]),
    insurer=positive | st.none(),
    group_room=amounts,
    receivables=positive | st.none(),
    others=positive,
    asked=positive | st.none(),
    frozen=st.sampled_from([None, FROZEN]),
)


@settings(max_examples=300, deadline=None)
@given(cases)
def test_whatever_the_numbers_are(case: Case) -> None:
    proposed = propose(case, POLICY)
    rules, current = POLICY.limit, case.current
    assert proposed.amount >= 0
    assert not proposed.parts or sum(p.amount for p in proposed.parts) == proposed.amount
    assert all(s.text.en and s.text.zh and "{" not in s.text.en + s.text.zh for s in proposed.steps)
    kept = current is not None and proposed.amount == current
    # A cut that is spread, or that goes as far as somebody asked, may stay above what the caps allow.
    spread = proposed.binding == "asked" and any(s.rule == "throttle" for s in proposed.steps)
    cut = proposed.binding == "max_cut" or spread
    assert case.asked is None or case.unlimited or kept or proposed.amount <= case.asked + Decimal("0.51")
    small = Decimal("0.51")
    if not case.unlimited and current:
        assert proposed.amount <= current * (100 + rules.max_rise_percent) / 100 + small
        least = current * (100 - rules.max_cut_percent) / 100
        if case.level != "red":
            assert proposed.amount >= (least if case.asked is None else min(least, case.asked)) - small
        if case.frozen:
            assert proposed.amount <= current + small  # half a yen is rounded to a whole one
    if not (kept or cut):
        for most in (case.insurer, case.group_room, case.asked):
            assert most is None or proposed.amount <= max(most, Decimal(0))
        band = rules.of_grade(case.grade)
        assert band is None or band.cap is None or proposed.amount <= band.cap * case.unit
