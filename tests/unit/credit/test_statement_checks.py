"""Checks of statements, the sentences they say, and what a statement is for the rules once it is on file."""

from __future__ import annotations

import ast
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit import statement_checks as checks
from connector.credit import statement_words as words
from connector.credit.statement_sheet import Finding
from connector.credit.statements import (
    OPINIONS,
    STALE_MONTHS,
    OnFile,
    before,
    ebit,
    months_back,
    newest,
    receivables_broad,
    retained_earnings,
    stale,
    view,
    working_capital,
)

END = dt.date(2025, 12, 31)
TODAY = dt.date(2026, 11, 25)


def items(**amounts: object) -> dict[str, Decimal]:
    return {name: Decimal(str(amount)) for name, amount in amounts.items()}


def on_file(**more: object) -> OnFile:
    base = OnFile(
        number=1,
        customer=7,
        period_end_on=END,
        months=12,
        currency="CNY",
        audited=True,
        confirmed_on=dt.date(2026, 4, 1),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def pairs(**amounts: tuple[object, object]) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    def some(amount: object) -> Decimal | None:
        return None if amount is None else Decimal(str(amount))

    return {name: (some(a), some(b)) for name, (a, b) in amounts.items()}


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(f.code, f.level) for f in findings]


def test_a_sheet_that_does_not_balance_says_by_how_much() -> None:
    [found] = checks.arithmetic(
        items(total_assets=100, total_liabilities=60, equity=45), cells={"total_assets": "S!B9"}
    )
    assert (found.code, found.level, found.difference, found.cells) == (
        "assets_vs_claims", "refuse", Decimal(-5), ("S!B9",),
    )  # fmt: skip
    assert found.text.en == "total assets 100 is not total liabilities 60 and total equity 45 together: 5 apart."
    assert found.text.zh == "资产负债表不平：资产总计 100 ≠ 负债合计 60 + 所有者权益合计 45，相差 5。"


def test_the_tolerance_is_one_unit_of_the_statement() -> None:
    off = items(total_assets=1_000_000, total_liabilities=600_000, equity=390_000)
    assert checks.arithmetic(off, Decimal(10_000)) == []
    assert said(checks.arithmetic(off, Decimal(1_000))) == [("assets_vs_claims", "refuse")]


def test_an_annual_report_may_be_off_by_one_percent() -> None:
    off = items(total_assets=1000, total_liabilities=600, equity=391)
    assert checks.arithmetic(off, basis="annual_report") == []
    worse = items(total_assets=1000, total_liabilities=600, equity=380)
    assert said(checks.arithmetic(worse, basis="annual_report")) == [("assets_vs_claims", "warn")]


@pytest.mark.parametrize(
    ("given_items", "expected"),
    [
        (items(total_assets=10, liabilities_and_equity=12), [("assets_vs_claims_total", "refuse")]),
        (items(current_assets=4, non_current_assets=4, total_assets=10), [("assets_split", "refuse")]),
        (
            items(current_liabilities=4, non_current_liabilities=4, total_liabilities=10),
            [("liabilities_split", "refuse")],
        ),
        (items(current_assets=12, total_assets=10), [("part_over_total", "refuse")]),
        (items(equity=10, equity_parent=6, minority_interest=1), [("equity_split", "warn")]),
        (items(revenue=100, cost=50, operating_profit=30), [("operating_profit", "warn")]),
        (items(revenue=100, cost=50, operating_profit=31), []),
        (items(revenue=-5), [("sign", "refuse")]),
        (items(equity=-5, net_profit=-7, operating_cash_flow=-9), []),
        (items(total_assets=10), []),
        ({}, []),
    ],
)
def test_arithmetic(given_items: dict[str, Decimal], expected: list[tuple[str, str]]) -> None:
    assert said(checks.arithmetic(given_items)) == expected


@given(
    st.integers(0, 10**12), st.integers(0, 10**12), st.integers(-(10**12), 10**12), st.sampled_from([1, 1_000, 10_000])
)
def test_a_balanced_statement_is_balanced_in_every_unit(current: int, fixed: int, owed: int, unit: int) -> None:
    whole = items(
        current_assets=current, non_current_assets=fixed, total_assets=current + fixed, total_liabilities=owed,
        equity=current + fixed - owed, liabilities_and_equity=current + fixed,
    )  # fmt: skip
    assert checks.arithmetic({name: amount * unit for name, amount in whole.items()}, Decimal(unit)) == []


@given(st.dictionaries(st.sampled_from(sorted(checks.NAMES)), st.integers(-(10**9), 10**9).map(Decimal), max_size=12))
def test_taking_an_item_away_never_finds_more_of_it(amounts: dict[str, Decimal]) -> None:
    """A missing item is never a finding."""
    all_found = {(f.code, f.item) for f in checks.arithmetic(amounts)}
    for name in amounts:
        less = {other: amount for other, amount in amounts.items() if other != name}
        # The rest of the operating profit grows by an expense that is not known; nothing else looks at absent items.
        assert {(f.code, f.item) for f in checks.arithmetic(less)} - {("operating_profit", "")} <= all_found


def test_a_jump_of_five_hundred_times_is_a_wrong_unit() -> None:
    found = checks.across(items(total_assets=20_000_000), items(total_assets=2_000), None, [])
    assert said(found) == [("unit_jump", "refuse")]
    assert "元／万元" in found[0].text.zh
    assert checks.across(items(total_assets=20_000_000), items(total_assets=50_000), None, []) == []


def test_an_opening_column_that_differs_from_the_year_before_is_a_restatement() -> None:
    earlier = on_file(period_end_on=dt.date(2024, 12, 31), items=pairs(receivables=(2_000, None), revenue=(9, None)))
    found = checks.across(items(receivables=3_000), items(receivables=2_300, revenue=8), earlier, [])
    assert said(found) == [("opening_vs_prior", "warn")]
    assert "2,300" in found[0].text.zh
    assert "2024-12-31" in found[0].text.zh


def test_cash_flow_against_the_balance_sheet_is_only_a_warning() -> None:
    found = checks.across(items(cash=10, net_change_in_cash=5), items(cash=8), None, [])
    assert said(found) == [("cash_vs_balance", "warn")]


def test_a_lesser_source_that_tells_something_else_is_a_warning() -> None:
    report = on_file(basis="annual_report", items=pairs(total_assets=(106, None)))
    found = checks.across(items(total_assets=100), {}, None, [report])
    assert said(found) == [("sources_differ", "warn")]
    assert "企业年报" in found[0].text.zh
    near = on_file(basis="annual_report", items=pairs(total_assets=(105, None)))
    assert checks.across(items(total_assets=100), {}, None, [near]) == []


def test_what_we_sold_to_it_must_fit_into_its_costs() -> None:
    its = items(cost=100, selling_expenses=20, total_assets=5)
    assert checks.plausible(its, checks.Ours(invoiced=Decimal(100))) == []
    assert said(checks.plausible(its, checks.Ours(invoiced=Decimal(110)))) == [("sales_vs_ours", "warn")]
    assert said(checks.plausible(its, checks.Ours(invoiced=Decimal(121)))) == [("unit_plausible", "warn")]
    assert said(checks.plausible(its, checks.Ours(registered_capital=Decimal(5001)))) == [("unit_plausible", "warn")]


def test_the_head_of_a_statement() -> None:
    def head(**more: object) -> list[tuple[str, str]]:
        base: dict[str, object] = {
            "period_end_on": END, "months": 12, "audited": True, "opinion": None, "currency": "CNY",
            "limit_currency": "CNY", "as_of": TODAY,
        }  # fmt: skip
        return said(checks.head(**base | more))  # type: ignore[arg-type]

    assert head() == []
    assert head(months=9) == [("interim", "flag")]
    assert head(audited=None) == head(audited=False) == [("unaudited", "flag")]
    assert head(opinion="adverse") == [("opinion", "flag")]
    assert head(as_of=dt.date(2027, 1, 1)) == [("stale", "warn")]
    assert head(period_end_on=dt.date(2026, 12, 31)) == [("future", "refuse")]
    assert head(limit_currency="USD") == [("currency", "info")]


@pytest.mark.parametrize(
    ("day", "step"),
    [
        ("2026-12-31", None),
        ("2027-01-01", 12),
        ("2027-06-30", 12),
        ("2027-07-01", 18),
        ("2027-12-31", 18),
        ("2028-01-01", 24),
    ],
)
def test_the_ladder_of_age(day: str, step: int | None) -> None:
    assert stale(END, dt.date.fromisoformat(day)) == step


def test_months_keep_to_the_ends_of_months() -> None:
    assert months_back(dt.date(2024, 2, 29), 12) == dt.date(2023, 2, 28)
    assert months_back(dt.date(2025, 2, 28), 12) == dt.date(2024, 2, 29)
    assert months_back(dt.date(2025, 12, 31), 9) == dt.date(2025, 3, 31)
    assert months_back(dt.date(2025, 3, 30), 1) == dt.date(2025, 2, 28)


def test_the_newest_period_the_own_scope_the_better_source_the_newest_version() -> None:
    old = on_file(number=1, period_end_on=dt.date(2024, 12, 31))
    group = on_file(number=2, consolidated=True)
    own = on_file(number=3, consolidated=False)
    again = on_file(number=4, consolidated=False, version=2)
    report = on_file(number=5, basis="annual_report", audited=None, version=3)
    interim = on_file(number=6, period_end_on=dt.date(2026, 6, 30), months=6)
    assert newest([old, group], TODAY) == group
    assert newest([group, own, old], TODAY) == own
    assert newest([again, own, report], TODAY) == again
    assert newest([again, interim], TODAY) == interim
    assert newest([again, interim], TODAY, full_years=True) == again
    assert newest([], TODAY) is None


def test_a_draft_counts_never_and_others_from_their_day_until_they_are_refused() -> None:
    draft = on_file(confirmed_on=None)
    assert newest([draft], TODAY) is None
    one = on_file(refused_on=dt.date(2026, 9, 1))
    assert newest([one], dt.date(2026, 3, 31)) is None
    assert newest([one], dt.date(2026, 4, 1)) == one
    assert newest([one], dt.date(2026, 8, 31)) == one
    assert newest([one], dt.date(2026, 9, 1)) is None


def test_the_opening_comes_from_the_column_beside_else_from_the_file() -> None:
    earlier = on_file(
        number=1, period_end_on=dt.date(2024, 12, 31),
        items=pairs(receivables=(2_000, 1), inventories=(70, None), revenue=(900, 800)),
    )  # fmt: skip
    now = on_file(number=2, items=pairs(receivables=(2_500, 2_300), inventories=(80, None), revenue=(1_000, None)))
    assert before([earlier, now], now, TODAY) == earlier
    found = view(now, earlier, TODAY)
    assert found.closing == items(receivables=2_500, inventories=80, revenue=1_000)
    assert found.opening == items(receivables=2_300, inventories=70)
    assert found.prior == items(revenue=900)
    assert set(found.flags) == {"restated", "opening_from_file"}
    assert view(now, None, TODAY).opening == items(receivables=2_300)


def test_scopes_are_never_mixed() -> None:
    group = on_file(number=1, period_end_on=dt.date(2024, 12, 31), consolidated=True)
    assert before([group], on_file(number=2, consolidated=False), TODAY) is None
    assert not checks.comparable(group, on_file(consolidated=None))


def test_flags_of_the_head_go_with_the_statement() -> None:
    found = view(on_file(months=6, audited=False, opinion="qualified", period_end_on=dt.date(2024, 6, 30)), None, TODAY)
    assert found.flags == ("interim", "unaudited", "opinion_qualified", "stale_24")


def test_every_flag_has_words() -> None:
    """Codes that reading and checking can find at any level but `info`, read from their sources, and those of the head."""
    root = Path(checks.__file__).parents[2]
    sources = [*root.glob("connector/credit/statement_*.py"), root / "jobs" / "statement.py"]
    found: set[str] = set()
    for path in sources:
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Constant):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            levels = [a.value for a in call.args[1:2] if isinstance(a, ast.Constant)]
            if name in ("Finding", "_unequal", "_once_only") and levels != ["info"]:
                found.add(str(call.args[0].value))
    found -= {"opinion", "stale", "currency", "period_missing"}  # only shown, or never kept
    assert len(found) > 25
    assert found - words.FLAGS.keys() == set()
    for step in STALE_MONTHS:
        assert f"stale_{step}" in words.FLAGS
    for opinion in OPINIONS:
        assert opinion in words.OPINION_TEXTS
        assert opinion == "unqualified" or f"opinion_{opinion}" in words.FLAGS


def test_items_that_no_statement_prints() -> None:
    assert retained_earnings(items(surplus_reserve=600_000, undistributed_profit=2_400_000)) == 3_000_000
    assert retained_earnings(items(surplus_reserve=1)) is None
    assert retained_earnings(items(retained_earnings=5)) == 5
    assert ebit(items(profit_before_tax=1_380_000, interest_expense=420_000, operating_profit=9)) == (1_800_000, None)
    assert ebit(items(profit_before_tax=100, finance_expenses=7)) == (107, "ebit_uses_finance_expenses")
    assert ebit(items(profit_before_tax=100, finance_expenses=-7)) == (None, None)
    assert ebit(items(profit_before_tax=100, interest_expense=-7)) == (100, None)
    assert ebit({}) == (None, None)
    assert working_capital(items(current_assets=8, current_liabilities=5)) == 3
    assert working_capital(items(current_assets=8)) is None
    assert receivables_broad(items(receivables=5, notes_receivable=2, receivables_financing=1)) == 8
    assert receivables_broad(items(notes_and_receivables=7, receivables_financing=1)) == 8
    assert receivables_broad(items(notes_receivable=2)) is None
