"""Checks of a statement (domain, financial statements 4): what does not add up, what jumps, what was never said.

Amounts are whole units of the statement's currency. The tolerance is one unit of the statement (1 万元 in a statement in
万元), because totals are rounded. A missing item is never a finding.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.credit import statement_words as words
from connector.credit.statement_labels import NAMES, SHEET_OF
from connector.credit.statement_sheet import Finding, Level
from connector.credit.statements import OnFile, months_back, rank, stale
from connector.text import Text

JUMP = 500
_NEVER_NEGATIVE = ("revenue", "cost", "total_assets", "inventories", "receivables")
_EXPENSES = ("cost", "taxes_surcharges", "selling_expenses", "admin_expenses", "rd_expenses", "finance_expenses")
Items = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What our own books know of the customer: what we invoiced to it in the period and its registered capital, both in
    the statement's currency; None: not known."""

    invoiced: Decimal | None = None
    registered_capital: Decimal | None = None


def arithmetic(
    items: Items, tolerance: Decimal = Decimal(1), *, basis: str | None = None, cells: Mapping[str, str] | None = None
) -> list[Finding]:
    """What does not add up within one column; `cells` say where each item stands."""
    if cells is None:
        return list(_arithmetic(items, tolerance, basis))
    places = cells
    return [
        Finding(f.code, f.level, f.text, f.item, f.difference, tuple(places[n] for n in _parts(f) if n in places))
        for f in _arithmetic(items, tolerance, basis)
    ]


# The items that a check compares, in the order of its sentence.
_OF: Mapping[str, tuple[str, ...]] = {
    "assets_vs_claims": ("total_assets", "total_liabilities", "equity"),
    "assets_vs_claims_total": ("total_assets", "liabilities_and_equity"),
    "assets_split": ("current_assets", "non_current_assets", "total_assets"),
    "liabilities_split": ("current_liabilities", "non_current_liabilities", "total_liabilities"),
    "equity_split": ("equity", "equity_parent", "minority_interest"),
    "net_profit": ("profit_before_tax", "income_tax", "net_profit"),
    "operating_profit": ("revenue", "cost", "operating_profit"),
    "cash_flows": ("operating_cash_flow", "investing_cash_flow", "financing_cash_flow", "net_change_in_cash"),
}


def _parts(finding: Finding) -> Sequence[str]:
    if finding.code == "part_over_total":
        return (finding.item, "total_assets" if finding.item == "current_assets" else "current_assets")
    return _OF.get(finding.code, (finding.item,))


def _arithmetic(items: Items, tolerance: Decimal, basis: str | None) -> Iterator[Finding]:
    def known(*names: str) -> list[Decimal] | None:
        try:
            return [items[n] for n in names]
        except KeyError:
            return None

    if found := known(*_OF["assets_vs_claims"]):
        assets, owed, equity = found
        difference = assets - owed - equity
        # The annual report on the register is declared by the company itself: within 1 %, and only a warning.
        declared = basis == "annual_report"
        if abs(difference) > (max(tolerance, abs(assets) / 100) if declared else tolerance):
            level: Level = "warn" if declared else "refuse"
            yield _unequal("assets_vs_claims", level, difference, words.BALANCE, items)
    if (found := known(*_OF["assets_vs_claims_total"])) and abs(found[0] - found[1]) > tolerance:
        yield _unequal("assets_vs_claims_total", "refuse", found[0] - found[1], words.TOTALS, items)
    for code in ("assets_split", "liabilities_split"):
        if (found := known(*_OF[code])) and abs(found[0] + found[1] - found[2]) > tolerance:
            yield _unequal(code, "refuse", found[0] + found[1] - found[2], words.SPLIT, items)
    for part, whole in (*((p, "current_assets") for p in ("cash", "receivables", "prepayments", "inventories")),
                        ("current_assets", "total_assets")):  # fmt: skip
        if (found := known(part, whole)) and found[0] - found[1] > tolerance:
            text = words.OVER.fill(part=NAMES[part], whole=NAMES[whole], a=_n(found[0]), b=_n(found[1]))
            yield Finding("part_over_total", "refuse", text, part, found[0] - found[1])
    if (found := known(*_OF["equity_split"])) and abs(found[0] - found[1] - found[2]) > tolerance:
        yield _unequal("equity_split", "warn", found[0] - found[1] - found[2], words.EQUITY, items)
    if (found := known(*_OF["net_profit"])) and abs(found[0] - found[1] - found[2]) > tolerance:
        # The difference is told as printed less computed.
        yield _unequal("net_profit", "warn", found[2] - (found[0] - found[1]), words.NET_PROFIT, items)
    yield from _operating_profit(items)
    if (found := known(*_OF["cash_flows"])) and abs(found[3] - found[0] - found[1] - found[2]) > tolerance:
        yield _unequal("cash_flows", "warn", found[3] - found[0] - found[1] - found[2], words.CASH_FLOWS, items)
    for name in _NEVER_NEGATIVE:
        if items.get(name, Decimal(0)) < 0:
            yield Finding(
                "sign", "refuse", words.SIGN.fill(item=NAMES[name], amount=_n(items[name])), name, items[name]
            )


def _operating_profit(items: Items) -> Iterator[Finding]:
    if "revenue" not in items or "cost" not in items or "operating_profit" not in items:
        return
    revenue = items["revenue"]
    rest = revenue - sum((items.get(n, Decimal(0)) for n in _EXPENSES), Decimal(0))
    difference = items["operating_profit"] - rest
    if revenue > 0 and abs(difference) * 5 >= revenue:
        yield _unequal("operating_profit", "warn", difference, words.OPERATING, {**items, "cost": rest})


def across(
    closing: Items, opening: Items, prior: OnFile | None, same_period: Sequence[OnFile], tolerance: Decimal = Decimal(1)
) -> list[Finding]:
    """What does not fit the statement's own opening column, the period before on file, or other sources of the same."""
    found: list[Finding] = []
    if "cash" in closing and "cash" in opening and "net_change_in_cash" in closing:
        difference = closing["net_change_in_cash"] - (closing["cash"] - opening["cash"])
        if abs(difference) > tolerance:
            found.append(_unequal("cash_vs_balance", "warn", difference, words.CASH_BALANCE, closing))
    earlier = {} if prior is None else {name: now for name, (now, _) in prior.items.items() if now is not None}
    differing = [n for n in opening if n in earlier and abs(opening[n] - earlier[n]) > tolerance and _is_balance(n)]
    if differing and prior is not None:
        first = differing[0]
        text = words.RESTATED.fill(
            count=len(differing), day=prior.period_end_on, item=NAMES[first],
            a=_n(opening[first]), b=_n(earlier[first]),
        )  # fmt: skip
        found.append(Finding("opening_vs_prior", "warn", text, first, opening[first] - earlier[first]))
    for name in ("total_assets", "revenue"):
        # The own opening column is in the same unit, wrong or right: only the period on file shows a wrong one.
        jumped = [past[name] for past in (earlier, opening) if name in past and _jumps(closing.get(name), past[name])]
        if jumped:
            text = words.JUMP.fill(item=NAMES[name], a=_n(closing[name]), b=_n(jumped[0]))
            found.append(Finding("unit_jump", "refuse", text, name, closing[name] - jumped[0]))
    if all(n in closing for n in ("undistributed_profit", "net_profit")) and "undistributed_profit" in opening:
        difference = closing["undistributed_profit"] - opening["undistributed_profit"] - closing["net_profit"]
        if abs(difference) > tolerance:
            found.append(_unequal("profit_vs_equity", "info", difference, words.DISTRIBUTED, closing))
    return [*found, *_other_sources(closing, same_period)]


def _other_sources(closing: Items, same_period: Sequence[OnFile]) -> Iterator[Finding]:
    """Another source of the same period that tells more than 5 % of something else."""
    for other in sorted(same_period, key=rank):
        for name in ("total_assets", "revenue"):
            told = other.items.get(name, (None, None))[0]
            if told is None or name not in closing or abs(closing[name] - told) * 20 <= abs(told):
                continue
            text = words.SOURCES_DIFFER.fill(item=NAMES[name], a=_n(closing[name]), b=_n(told), source=_source(other))
            yield Finding("sources_differ", "warn", text, name, closing[name] - told)


def plausible(closing: Items, ours: Ours) -> list[Finding]:
    """What our own books make implausible: a unit that is off, another company's statement."""
    found = []
    capital, invoiced = ours.registered_capital, ours.invoiced
    if capital is not None and "total_assets" in closing and closing["total_assets"] * 1000 < capital:
        text = words.CAPITAL.fill(a=_n(closing["total_assets"]), b=_n(capital))
        found.append(Finding("unit_plausible", "warn", text, "total_assets"))
    if invoiced is not None and "cost" in closing:
        spent = sum((closing.get(n, Decimal(0)) for n in _EXPENSES), Decimal(0))
        if invoiced > spent:
            text = words.SALES_ALL.fill(a=_n(invoiced), b=_n(spent))
            found.append(Finding("unit_plausible", "warn", text, "cost", invoiced - spent))
        elif invoiced > closing["cost"]:
            text = words.SALES.fill(a=_n(invoiced), b=_n(closing["cost"]))
            found.append(Finding("sales_vs_ours", "warn", text, "cost", invoiced - closing["cost"]))
    return found


def head(
    *, period_end_on: dt.date, months: int, audited: bool | None, opinion: str | None, currency: str | None,
    limit_currency: str | None, as_of: dt.date,
) -> list[Finding]:  # fmt: skip
    """What the head of a statement leaves to doubt: interim, unaudited, qualified, old, of another currency."""
    found = []
    if months < 12:
        found.append(Finding("interim", "flag", words.INTERIM.fill(months=months)))
    if not audited:
        found.append(Finding("unaudited", "flag", words.UNAUDITED if audited is False else words.AUDIT_UNKNOWN))
    if opinion not in (None, "unqualified"):
        found.append(Finding("opinion", "flag", words.OPINION.fill(opinion=words.OPINION_TEXTS[opinion or ""])))
    step = stale(period_end_on, as_of)
    if step is not None:
        found.append(Finding("stale", "warn", words.STALE.fill(months=step, day=period_end_on)))
    if period_end_on > as_of:
        found.append(Finding("future", "refuse", words.FUTURE.fill(day=period_end_on)))
    if currency is not None and limit_currency is not None and currency != limit_currency:
        found.append(Finding("currency", "info", words.CURRENCY.fill(a=currency, b=limit_currency)))
    return found


def refused(findings: Sequence[Finding]) -> bool:
    """Whether a person must confirm before the statement feeds any decision."""
    return any(f.level == "refuse" for f in findings)


def comparable(one: OnFile, other: OnFile) -> bool:
    """Whether ratios may be taken across both: never of the group in one and of the legal person in the other."""
    return bool(one.consolidated) == bool(other.consolidated) and one.currency == other.currency


def begins(one: OnFile) -> dt.date:
    """The day before a statement's first one: where the one before should end."""
    return months_back(one.period_end_on, one.months)


def _is_balance(name: str) -> bool:
    return SHEET_OF.get(name) == "balance"


def _jumps(now: Decimal | None, past: Decimal) -> bool:
    a, b = Decimal(0) if now is None else abs(now), abs(past)
    return bool(a and b) and (a >= JUMP * b or b >= JUMP * a)


def _n(amount: Decimal) -> str:
    return f"{amount.normalize() if amount == amount.to_integral_value() else amount:,f}"


def _source(one: OnFile) -> Text:
    if one.basis in words.SOURCES:
        return words.SOURCES[one.basis or ""]
    return words.SOURCES["system" if one.number is None else "file"]


def _unequal(code: str, level: Level, difference: Decimal, text: Text, items: Items) -> Finding:
    names = _OF.get(code, ())
    values = {letter: _n(items[name]) for letter, name in zip("abcd", names, strict=False)}
    labels = {f"{letter}_name": NAMES[name] for letter, name in zip("abcd", names, strict=False)}
    return Finding(code, level, text.fill(difference=_n(abs(difference)), **values, **labels), difference=difference)
