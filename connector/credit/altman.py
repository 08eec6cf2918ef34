"""Altman's Z: the four models of the family, with their zones (domain 6).

X1 working capital ÷ total assets, X2 retained earnings ÷ total assets, X3 EBIT ÷ total assets, X5 sales ÷ total assets;
X4 is equity ÷ total liabilities, at market value in the model of 1968 and at book value in the others. Coefficients and
zones are those of the domain document, source S15 (Altman 1968 and 2000); other numbers for Z″ that are in print are
not used. Not for banks or insurers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal

from connector.credit.quality import PRECISE
from connector.credit.ratios import Items
from connector.credit.statements import ebit, retained_earnings, working_capital
from connector.text import Text

Zone = Literal["distress", "grey", "safe"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its constant, the factors of X1 to X5, and its zones: distress below `distress`, safe above `safe`."""

    constant: Decimal
    factors: tuple[Decimal, ...]
    distress: Decimal
    safe: Decimal
    at_market: bool
    name: Text


def _model(constant: str, factors: str, zones: str, en: str, zh: str, *, at_market: bool = False) -> Model:
    distress, safe = map(Decimal, zones.split())
    return Model(Decimal(constant), tuple(map(Decimal, factors.split())), distress, safe, at_market, Text(en, zh))


MODELS: dict[str, Model] = {
    "z": _model(
        "0",
        "1.2 1.4 3.3 0.6 0.999",
        "1.81 2.99",
        "Altman Z, listed manufacturers",
        "Altman Z（上市制造业）",
        at_market=True,
    ),
    "z1": _model(
        "0",
        "0.717 0.847 3.107 0.420 0.998",
        "1.23 2.90",
        "Altman Z′, private manufacturers",
        "Altman Z′（非上市制造业）",
    ),
    "z2": _model("0", "6.56 3.26 6.72 1.05 0", "1.10 2.60", "Altman Z″, non-manufacturers", "Altman Z″（非制造业）"),
    "z2_em": _model(
        "3.25", "6.56 3.26 6.72 1.05 0", "4.35 5.85", "Altman Z″, emerging markets", "Altman Z″（新兴市场）"
    ),
}


@dataclass(frozen=True, slots=True)
class Altman:
    """What a model says: the value, unrounded, with its zone; or None, and what is missing.

    `no_liabilities`: total liabilities are not above zero, so that X4 has no meaning.
    """

    model: str
    value: Decimal | None
    zone: Zone | None
    missing: tuple[str, ...] = ()
    no_liabilities: bool = False


def altman(model: str, items: Items, market_value: Decimal | None = None) -> Altman:
    """One of `MODELS` on the closing items of a year. KeyError for another model's name.

    `market_value`: of all shares, in the statement's currency; only the model of 1968 asks for it.
    """
    chosen = MODELS[model]
    stated = {name: amount for name, amount in items.items() if amount is not None}
    given = {
        "total_assets": stated.get("total_assets"),
        "total_liabilities": stated.get("total_liabilities"),
        "working_capital": working_capital(stated),
        "retained_earnings": retained_earnings(stated),
        "ebit": ebit(stated)[0],
    }
    given |= {"market_value": market_value} if chosen.at_market else {"equity": stated.get("equity")}
    if chosen.factors[4]:
        given["revenue"] = stated.get("revenue")
    known = {name: value for name, value in given.items() if value is not None}
    if len(known) < len(given):
        return Altman(model, None, None, tuple(name for name in given if name not in known))
    if known["total_assets"] <= 0 or known["total_liabilities"] <= 0:
        return Altman(model, None, None, no_liabilities=True)
    with localcontext(PRECISE):
        value = _value(chosen, known)
    zone: Zone = "distress" if value < chosen.distress else "safe" if value > chosen.safe else "grey"
    return Altman(model, value, zone)


def _value(chosen: Model, known: Mapping[str, Decimal]) -> Decimal:
    assets = known["total_assets"]
    x = (
        known["working_capital"] / assets,
        known["retained_earnings"] / assets,
        known["ebit"] / assets,
        known["market_value" if chosen.at_market else "equity"] / known["total_liabilities"],
        known.get("revenue", Decimal(0)) / assets,
    )
    return chosen.constant + sum((factor * part for factor, part in zip(chosen.factors, x, strict=True)), Decimal(0))


ZONES: dict[str, Text] = {
    "distress": Text("distress", "危险区"),
    "grey": Text("grey", "灰色区"),
    "safe": Text("safe", "安全区"),
}
