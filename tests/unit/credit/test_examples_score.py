"""The worked examples E11–E14 of the domain document, read from its `examples.json`, against the engine."""

import datetime as dt
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.credit.altman import altman
from connector.credit.quality import auc, gini, ks, psi
from connector.credit.ratios import Reading, ratios
from connector.credit.scaling import Scale, evidence
from connector.credit.score import Score, score
from connector.credit.score_inputs import Known
from connector.policy_score import Criterion, Scoring

FILE = Path(__file__).resolve().parents[4] / "shared" / "domain" / "examples.json"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository"),
]
DAY = dt.date(2026, 11, 23)
# Their names, and ours.
E11_NAMES = {
    "payment": "payment_index",
    "years": "years_as_customer",
    "current_ratio": "current_ratio",
    "debt_ratio": "debt_to_equity",
}
E14_NAMES = {
    "current_ratio": "current_ratio",
    "quick_ratio": "quick_ratio",
    "debt_ratio": "debt_ratio",
    "interest_cover": "interest_cover",
    "roe_weighted": "return_on_equity",
    "net_margin": "net_margin",
    "ar_turnover": "receivables_turnover",
    "ar_days_360": "receivables_days",
    "ocf_to_cl": "operating_cash_to_current_liabilities",
    "ocf_to_debt": "operating_cash_to_debt",
    "cash_ratio": "cash_ratio",
}


def example(name: str) -> tuple[Any, Any]:
    for entry in json.loads(FILE.read_text("utf-8"), parse_float=Decimal):
        if entry["id"] == name:
            return entry["given"], entry["expected"]
    raise AssertionError(f"{name} is not in {FILE.name}")


def shown(value: Decimal | None, step: str = "0.0001") -> str:
    assert value is not None
    return str(value.quantize(Decimal(step), ROUND_HALF_UP))


def e11(which: str, **rules: Any) -> Score:
    given, _ = example("E11")
    criteria = tuple(
        Criterion(
            input=E11_NAMES[name],
            weight=Decimal(said["weight"]),
            below=said["bins"][0][2],
            bins=tuple((Decimal(low), Decimal(points)) for low, _, points in said["bins"][1:]),
            neutral=said["neutral"],
        )
        for name, said in given["criteria"].items()
    )
    bands = tuple((name, Decimal(bound)) for name, bound in given["bands"])
    card = Scoring(criterion=criteria, bands=bands, cap=(), **{"min_coverage_percent": Decimal(0), **rules})
    inputs = {E11_NAMES[n]: Known(None if v is None else Decimal(v)) for n, v in given[which].items()}
    return score(inputs, card, DAY)


def test_e11() -> None:
    _, expected = example("E11")
    full = e11("full")
    assert (str(full.points), full.grade) == (expected["full"], expected["full_band"])
    for rule in ("reweight", "zero", "neutral"):
        found = e11("partial", missing=rule)
        assert str(found.points) == expected[f"partial_{rule}"], rule
        assert str(found.coverage) == expected["coverage"]
    too_little = e11("partial", min_coverage_percent=Decimal(70))
    assert str(too_little.points) == expected["with_min_coverage_70"]
    assert too_little.grade is None


def test_e12() -> None:
    given, expected = example("E12")
    found = evidence(given["goods"], given["bads"])
    assert [shown(w) for w in found.woe] == [str(w) for w in expected["woe"]]
    assert shown(found.iv) == str(expected["iv"])


def test_e12b() -> None:
    given, expected = example("E12b")
    scale = Scale(Decimal(given["score0"]), Decimal(given["odds0_good_to_bad"]), Decimal(given["pdo"]))
    assert shown(scale.factor) == str(expected["factor"])
    assert shown(scale.offset) == str(expected["offset"])
    assert shown(scale.points(Decimal(100).ln()), "0.1") == str(expected["score_at_odds_100"])
    assert shown(scale.of_pd(Decimal("0.05")), "0.01") == str(expected["score_at_pd_5pct"])


def test_e12c() -> None:
    given, expected = example("E12c")
    assert shown(psi(given["expected"], given["actual"])) == str(expected["psi"])


def test_e12d() -> None:
    given, expected = example("E12d")
    risk, bad = given["score"], [bool(b) for b in given["bad"]]
    assert str(auc(risk, bad)) == expected["auc"]
    assert str(gini(risk, bad)) == expected["gini"]
    assert ks(risk, bad) == expected["ks"]


def test_e13() -> None:
    given, expected = example("E13")
    given = {name: Decimal(value) for name, value in given.items()}
    items = {
        "current_assets": given["ca"],
        "current_liabilities": given["cl"],
        "total_assets": given["ta"],
        "total_liabilities": given["tl"],
        "retained_earnings": given["re"],
        "ebit": given["ebit"],
        "revenue": given["sales"],
        "equity": given["bve"],
    }
    found = {model: altman(model, items, given["mve"]) for model in expected}
    assert {model: shown(one.value) for model, one in found.items()} == expected
    assert [one.zone for one in found.values()] == ["grey", "grey", "safe", "safe"]


def test_e14() -> None:
    given, expected = example("E14")
    given = {name: Decimal(value) for name, value in given.items()}
    closing = {
        "cash": given["cash"],
        "current_assets": given["ca"],
        "inventories": given["inventory"],
        "prepayments": given["prepayments"],
        "current_liabilities": given["cl"],
        "total_assets": given["ta"],
        "total_liabilities": given["tl"],
        "equity": given["equity_end"],
        "revenue": given["revenue"],
        "cost": given["cogs"],
        "net_profit": given["net_profit"],
        "profit_before_tax": given["profit_total"],
        "interest_expense": given["interest"],
        "receivables": given["ar_end"],
        "operating_cash_flow": given["ocf"],
    }
    opening = {"equity": given["equity_beg"], "receivables": given["ar_beg"]}
    found = ratios(closing, opening)
    assert {theirs: shown(found[ours].value) for theirs, ours in E14_NAMES.items()} == {
        theirs: expected[theirs] for theirs in E14_NAMES
    }
    days = ratios(closing, opening, how=Reading(year_days=365))["receivables_days"]
    assert shown(days.value) == expected["ar_days_365"]
    assert set(expected) == {*E14_NAMES, "ar_days_365"}, "something in the example is not looked at"
