"""Ratios and the Altman family: values, and the reason where there is none."""

from decimal import ROUND_HALF_UP, Decimal

import pytest

from connector.credit.altman import altman
from connector.credit.ratios import RATIOS, Items, Ratio, Reading, ratios

D = Decimal
# The worked statement of the domain's notes on financial statements.
GOOD: dict[str, Decimal | None] = {
    "current_assets": D(8_000_000),
    "inventories": D(3_200_000),
    "prepayments": D(300_000),
    "cash": D(1_200_000),
    "receivables": D(2_500_000),
    "total_assets": D(20_000_000),
    "current_liabilities": D(5_000_000),
    "total_liabilities": D(12_000_000),
    "equity": D(8_000_000),
    "surplus_reserve": D(600_000),
    "undistributed_profit": D(2_400_000),
    "revenue": D(26_000_000),
    "cost": D(21_000_000),
    "profit_before_tax": D(1_380_000),
    "interest_expense": D(420_000),
    "net_profit": D(1_050_000),
    "operating_cash_flow": D(1_500_000),
}
OPENING: Items = {"receivables": D(2_300_000), "equity": D(8_100_000), "revenue": D(20_000_000)}


def four(value: Decimal | None) -> str:
    assert value is not None
    return str(value.quantize(D("0.0001"), ROUND_HALF_UP))


@pytest.mark.parametrize("unit", [1, 10_000])
def test_the_worked_statement_in_any_unit(unit: int) -> None:
    found = ratios({k: v and v / unit for k, v in GOOD.items()}, {k: v and v / unit for k, v in OPENING.items()})
    expected = {
        "current_ratio": "1.6000",
        "quick_ratio": "0.9000",
        "debt_ratio": "0.6000",
        "debt_to_equity": "1.5000",
        "interest_cover": "4.2857",
        "net_margin": "0.0404",
        "receivables_turnover": "10.8333",
        "receivables_days": "33.2308",
        "return_on_equity": "0.1304",
        "operating_cash_to_current_liabilities": "0.3000",
        "revenue_growth": "0.3000",
    }
    assert {name: four(found[name].value) for name in expected} == expected
    assert four(altman("z2", GOOD).value) == "2.7778"
    assert (four(altman("z1", GOOD).value), altman("z1", GOOD).zone) == ("2.0916", "grey")


def test_nothing_known_gives_no_ratio_and_says_which_items_are_missing() -> None:
    found = ratios({})
    assert set(found) == set(RATIOS)
    assert [name for name, ratio in found.items() if ratio.value is not None] == []
    assert [name for name, ratio in found.items() if not ratio.missing] == []
    assert found["quick_ratio"].missing == ("current_assets", "current_liabilities", "inventories", "prepayments")
    why = ratios({"current_assets": D(1)})["current_ratio"].why
    assert why is not None
    assert (why.en, why.zh) == ("not known: total current liabilities", "缺少：流动负债合计")


def test_missing_is_not_zero() -> None:
    without = {**GOOD, "inventories": None}
    assert ratios(without)["quick_ratio"] == Ratio(None, (), ("inventories",))
    assert four(ratios({**GOOD, "inventories": D(0)})["quick_ratio"].value) == "1.5400"


@pytest.mark.parametrize(
    ("item", "value", "ratio", "flag"),
    [
        ("current_liabilities", 0, "current_ratio", "no_current_liabilities"),
        ("current_liabilities", 0, "quick_ratio", "no_current_liabilities"),
        ("current_liabilities", 0, "cash_ratio", "no_current_liabilities"),
        ("current_liabilities", 0, "operating_cash_to_current_liabilities", "no_current_liabilities"),
        ("equity", 0, "debt_to_equity", "no_equity"),
        ("equity", -5, "debt_to_equity", "no_equity"),
        ("interest_expense", 0, "interest_cover", "no_interest"),
        ("interest_expense", -3, "interest_cover", "no_interest"),
        ("revenue", 0, "net_margin", "no_revenue"),
        ("inventories", 0, "inventory_turnover", "no_inventories"),
        ("total_liabilities", 0, "operating_cash_to_debt", "no_liabilities"),
        ("revenue", 0, "receivables_days", "no_turnover"),
    ],
)
def test_a_ratio_that_means_nothing_is_null_with_its_reason(item: str, value: int, ratio: str, flag: str) -> None:
    found = ratios({**GOOD, item: D(value)})[ratio]
    assert found.value is None
    assert flag in found.flags


def test_two_negatives_do_not_look_good() -> None:
    sick = {**GOOD, "equity": D(-9_000_000), "net_profit": D(-900_000)}
    assert ratios(sick, OPENING)["return_on_equity"] == Ratio(None, ("no_average_equity",))


def test_an_insolvent_balance_sheet_is_not_cut_off() -> None:
    found = ratios({**GOOD, "total_liabilities": D(25_000_000)})["debt_ratio"]
    assert (found.value, found.flags) == (D("1.25"), ("insolvent",))


def test_without_opening_the_closing_balance_is_taken_and_flagged() -> None:
    found = ratios(GOOD)["receivables_turnover"]
    assert (found.value, found.flags) == (D("10.4"), ("closing_only",))
    assert ratios(GOOD)["revenue_growth"].flags == ("no_prior_period",)
    assert ratios(GOOD, {"revenue": D(-1)})["revenue_growth"].flags == ("no_prior_revenue",)


def test_a_short_period_is_taken_to_a_year_only_when_asked() -> None:
    as_it_is = ratios(GOOD, OPENING, months=9)
    a_year = ratios(GOOD, OPENING, months=9, how=Reading(annualised=True))
    assert as_it_is["receivables_turnover"].flags == ("short_period",)
    assert a_year["receivables_turnover"].flags == ("annualised",)
    assert four(as_it_is["receivables_turnover"].value) == "10.8333"
    assert four(a_year["receivables_turnover"].value) == "14.4444"
    # The same goods stand in the books for as many days, however the rate is told.
    assert four(as_it_is["receivables_days"].value) == four(a_year["receivables_days"].value) == "24.9231"
    assert as_it_is["current_ratio"] == a_year["current_ratio"] == ratios(GOOD, OPENING)["current_ratio"]


def test_finance_expenses_stand_in_for_interest_but_never_below_zero() -> None:
    unknown = {**GOOD, "interest_expense": None}
    stands_in = ratios({**unknown, "finance_expenses": D(420_000)})
    assert four(stands_in["interest_cover"].value) == "4.2857"
    assert stands_in["interest_cover"].flags == ("ebit_uses_finance_expenses",)
    assert "ebit_uses_finance_expenses" in stands_in["return_on_assets"].flags
    income = ratios({**unknown, "finance_expenses": D(-7)})
    assert income["interest_cover"].missing == ("interest_expense",)
    assert income["return_on_assets"].missing == ("interest_expense",)
    assert altman("z1", {**unknown, "finance_expenses": D(-7)}).missing == ("ebit",)


def test_receivables_narrow_broad_and_merged() -> None:
    broad = Reading(receivables="broad")
    noted = {**GOOD, "notes_receivable": D(500_000), "receivables_financing": D(100_000)}
    before = {"receivables": D(2_300_000), "notes_receivable": D(600_000)}
    assert ratios(noted, before)["receivables_turnover"].value == D(26_000_000) / D(2_400_000)
    assert ratios(noted, before, how=broad)["receivables_turnover"].value == D(26_000_000) / D(3_000_000)
    merged = {k: v for k, v in GOOD.items() if k != "receivables"} | {"notes_and_receivables": D(3_000_000)}
    found = ratios(merged, {"notes_and_receivables": D(2_000_000)})["receivables_turnover"]
    assert (found.value, found.flags) == (D("10.4"), ("with_notes",))
    # The opening column of the old form, the closing one of the new: both with the notes.
    mixed = ratios({**GOOD, "notes_receivable": D(500_000)}, {"notes_and_receivables": D(2_200_000)})
    assert (mixed["receivables_turnover"].value, mixed["receivables_turnover"].flags) == (D(10), ("with_notes",))


def test_quick_assets_with_prepayments_and_cash_without_trading_assets() -> None:
    assert four(ratios(GOOD, how=Reading(prepayments_out=False))["quick_ratio"].value) == "0.9600"
    assert ratios(GOOD)["cash_ratio"] == Ratio(D("0.24"), ("cash_only",))
    assert ratios({**GOOD, "trading_assets": D(50_000)})["cash_ratio"] == Ratio(D("0.25"))


def test_altman_has_no_number_without_its_inputs() -> None:
    assert altman("z1", {**GOOD, "surplus_reserve": None}).missing == ("retained_earnings",)
    assert altman("z", GOOD).missing == ("market_value",)
    assert altman("z2", {k: v for k, v in GOOD.items() if k != "revenue"}).value is not None
    free_of_debt = altman("z2", {**GOOD, "total_liabilities": D(0)})
    assert (free_of_debt.value, free_of_debt.no_liabilities) == (None, True)
    with pytest.raises(KeyError):
        altman("z9", GOOD)


@pytest.mark.parametrize(("current_assets", "zone"), [("0", "distress"), ("3000000", "grey"), ("9000000", "safe")])
def test_zones(current_assets: str, zone: str) -> None:
    assert altman("z2", {**GOOD, "current_assets": D(current_assets), "current_liabilities": D(2_500_000)}).zone == zone


def test_the_ends_of_a_zone_are_grey() -> None:
    # X1 alone: 6.56 × X1 = 1.10 and 2.60 exactly.
    bare = {
        "total_assets": D("656"),
        "total_liabilities": D(1),
        "retained_earnings": D(0),
        "ebit": D(0),
        "equity": D(0),
    }
    for value in ("110", "260"):
        found = altman("z2", {**bare, "current_assets": D(value), "current_liabilities": D(0)})
        assert (found.value, found.zone) == (D(value) / 100, "grey")
    assert altman("z2", {**bare, "current_assets": D("109.99"), "current_liabilities": D(0)}).zone == "distress"
    assert altman("z2", {**bare, "current_assets": D("260.01"), "current_liabilities": D(0)}).zone == "safe"
