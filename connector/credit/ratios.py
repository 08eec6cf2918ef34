"""Ratios: what financial statements say of a customer, each with the reason where it cannot be said (domain 7).

Items are named as in the table of financial statements (`current_assets`, `interest_expense`, …), amounts in one
currency and one unit; ratios have neither. Values are fractions of 1 (0.6 = 60 %), unrounded. The closing items are
those of the period; the opening ones are its prior column: balance items at the beginning of the period, flow items of
the period before. An item that is not there, or None, is not known, which is not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from connector.credit.quality import PRECISE
from connector.credit.statement_labels import ITEMS
from connector.credit.statements import ebit, receivables_broad
from connector.text import Text, joined, same

Items = Mapping[str, Decimal | None]

ZERO, TWO, YEAR_MONTHS = Decimal(0), Decimal(2), 12


@dataclass(frozen=True, slots=True)
class Ratio:
    """One ratio: its value, or None and why.

    `missing` are the items that are not known. `flags` are words of `FLAGS`: why there is no value although the items
    are known, or how the value was made.
    """

    value: Decimal | None
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def why(self) -> Text | None:
        """What is to be said beside the value; None where nothing is."""
        said = [FLAGS[flag] for flag in self.flags]
        if self.missing:
            names = joined([item_name(item) for item in self.missing], ", ", "、")
            said.append(Text("not known: {items}", "缺少：{items}").fill(items=names))
        return joined(said) if said else None


@dataclass(frozen=True, slots=True)
class Reading:
    """How ratios are to be read, where accountants differ.

    `prepayments_out`: prepayments are no quick assets. `receivables`: trade receivables alone, or with notes and
    receivables financing (broad). `annualised`: flows of a short period are taken × 12 ÷ months; only when asked.
    `year_days`: 360 as Chinese texts have it, or 365.
    """

    prepayments_out: bool = True
    receivables: str = "narrow"
    annualised: bool = False
    year_days: int = 360


def ratios(
    closing: Items, opening: Items | None = None, *, months: int = 12, how: Reading | None = None
) -> dict[str, Ratio]:
    """All ratios of a statement by name, in the order of `RATIOS`; `months` is the length of its period."""
    sheet = _Sheet(_known(closing), _known(opening or {}), months, how or Reading())
    with localcontext(PRECISE):
        return {name: make(sheet) for name, make in RATIOS.items()}


def _known(items: Items) -> dict[str, Decimal]:
    return {name: amount for name, amount in items.items() if amount is not None}


# --- items that others are made of -------------------------------------------------------------------------------------
def interest(items: Mapping[str, Decimal]) -> tuple[Decimal | None, bool]:
    """Interest expense, and whether finance expenses had to stand in for it.

    Finance expenses below zero are net interest income: they say nothing of the interest paid.
    """
    stated = items.get("interest_expense")
    if stated is not None:
        return stated, False
    net = items.get("finance_expenses")
    return (net, True) if net is not None and net >= 0 else (None, False)


def receivables(items: Mapping[str, Decimal], kind: str) -> Decimal | None:
    """应收账款, narrow (trade receivables alone) or broad (with notes and receivables financing where they are known)."""
    return items.get("receivables") if kind == "narrow" else receivables_broad(items)


# --- the ratios --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Sheet:
    """A statement with the ways of reading it, and what the ratios ask of it."""

    closing: Mapping[str, Decimal]
    opening: Mapping[str, Decimal]
    months: int
    how: Reading

    def known(self, *names: str) -> tuple[list[Decimal], tuple[str, ...]]:
        """The closing values, and which of them are not known; with any of those, the values are not to be used."""
        values = [self.closing.get(name) for name in names]
        missing = tuple(name for name, value in zip(names, values, strict=True) if value is None)
        return [value for value in values if value is not None], missing

    def flow(self, amount: Decimal) -> Decimal:
        """An amount of the period, taken to a year where that is asked for."""
        short = self.how.annualised and self.months != YEAR_MONTHS
        return amount * YEAR_MONTHS / self.months if short else amount

    @property
    def period(self) -> tuple[str, ...]:
        """What is to be said where an amount of a short period meets a balance."""
        if self.months == YEAR_MONTHS:
            return ()
        return ("annualised",) if self.how.annualised else ("short_period",)

    def average(self, closing: Decimal, opening: Decimal | None) -> tuple[Decimal, tuple[str, ...]]:
        """(opening + closing) ÷ 2; the closing value alone, and a flag, where the opening one is not known."""
        return (closing, ("closing_only",)) if opening is None else ((opening + closing) / TWO, ())


def _share(sheet: _Sheet, part: str, whole: str, if_not: str, *flags: str) -> Ratio:
    values, missing = sheet.known(part, whole)
    if missing:
        return Ratio(None, (), missing)
    return Ratio(values[0] / values[1], flags) if values[1] > 0 else Ratio(None, (if_not,))


def _current(sheet: _Sheet) -> Ratio:
    return _share(sheet, "current_assets", "current_liabilities", "no_current_liabilities")


def _quick(sheet: _Sheet) -> Ratio:
    out = ("inventories", "prepayments") if sheet.how.prepayments_out else ("inventories",)
    values, missing = sheet.known("current_assets", "current_liabilities", *out)
    if missing:
        return Ratio(None, (), missing)
    assets, liabilities, *less = values
    return (
        Ratio((assets - sum(less, ZERO)) / liabilities) if liabilities > 0 else Ratio(None, ("no_current_liabilities",))
    )


def _cash(sheet: _Sheet) -> Ratio:
    values, missing = sheet.known("cash", "current_liabilities")
    if missing:
        return Ratio(None, (), missing)
    cash, liabilities = values
    trading = sheet.closing.get("trading_assets")
    flags = ("cash_only",) if trading is None else ()
    return (
        Ratio((cash + (trading or ZERO)) / liabilities, flags)
        if liabilities > 0
        else Ratio(None, ("no_current_liabilities",))
    )


def _debt(sheet: _Sheet) -> Ratio:
    found = _share(sheet, "total_liabilities", "total_assets", "no_assets")
    # More debts than assets: kept as it is, never cut off at 1.
    return Ratio(found.value, ("insolvent",)) if found.value is not None and found.value > 1 else found


def _debt_to_equity(sheet: _Sheet) -> Ratio:
    return _share(sheet, "total_liabilities", "equity", "no_equity")


def _interest_cover(sheet: _Sheet) -> Ratio:
    profit = sheet.closing.get("profit_before_tax")
    paid, stands_in = interest(sheet.closing)
    if profit is None or paid is None:
        names = (("profit_before_tax", profit), ("interest_expense", paid))
        return Ratio(None, (), tuple(name for name, value in names if value is None))
    if paid <= 0:
        return Ratio(None, ("no_interest",))
    return Ratio((profit + paid) / paid, ("ebit_uses_finance_expenses",) if stands_in else ())


def _on_average(sheet: _Sheet, part: str, whole: str, if_not: str) -> Ratio:
    """A flow of the period ÷ the average of a balance."""
    values, missing = sheet.known(part, whole)
    if missing:
        return Ratio(None, (), missing)
    average, flags = sheet.average(values[1], sheet.opening.get(whole))
    if average <= 0:
        return Ratio(None, (if_not,))
    return Ratio(sheet.flow(values[0]) / average, (*flags, *sheet.period))


def _return_on_equity(sheet: _Sheet) -> Ratio:
    # Of a loss and an average below zero, the quotient would look good.
    return _on_average(sheet, "net_profit", "equity", "no_average_equity")


def _return_on_assets(sheet: _Sheet) -> Ratio:
    earned, flag = ebit(sheet.closing)
    whole = sheet.closing.get("total_assets")
    if earned is None or whole is None:
        paid, _ = interest(sheet.closing)
        names = (
            ("profit_before_tax", sheet.closing.get("profit_before_tax") if earned is None else earned),
            ("interest_expense", paid if earned is None else earned),
            ("total_assets", whole),
        )
        return Ratio(None, (), tuple(name for name, value in names if value is None))
    average, flags = sheet.average(whole, sheet.opening.get("total_assets"))
    if average <= 0:
        return Ratio(None, ("no_assets",))
    flags = (*flags, *sheet.period, *((flag,) if flag else ()))
    return Ratio(sheet.flow(earned) / average, flags)


def _net_margin(sheet: _Sheet) -> Ratio:
    return _share(sheet, "net_profit", "revenue", "no_revenue")


def _receivables_turnover(sheet: _Sheet) -> Ratio:
    kind, flags = sheet.how.receivables, tuple[str, ...]()
    owed, before = receivables(sheet.closing, kind), receivables(sheet.opening, kind)
    if kind == "narrow" and (owed is None or before is None):
        # The form of 2018 shows receivables and notes in one line: then both ends are taken with the notes.
        merged = sheet.closing.get("notes_and_receivables"), sheet.opening.get("notes_and_receivables")
        if (owed is None and merged[0] is not None) or (before is None and merged[1] is not None):
            owed, before = receivables(sheet.closing, "broad"), receivables(sheet.opening, "broad")
            flags = ("with_notes",)
    revenue = sheet.closing.get("revenue")
    if revenue is None or owed is None:
        names = (("revenue", revenue), ("receivables", owed))
        return Ratio(None, (), tuple(name for name, value in names if value is None))
    average, made = sheet.average(owed, before)
    if average <= 0:
        return Ratio(None, ("no_receivables",))
    return Ratio(sheet.flow(revenue) / average, (*flags, *made, *sheet.period))


def _inventory_turnover(sheet: _Sheet) -> Ratio:
    return _on_average(sheet, "cost", "inventories", "no_inventories")


def _days(turnover: Callable[[_Sheet], Ratio]) -> Callable[[_Sheet], Ratio]:
    def days(sheet: _Sheet) -> Ratio:
        rate = turnover(sheet)
        if rate.value is None:
            return rate
        # Of a short period only its own days are spread over its turnover.
        whole = Decimal(sheet.how.year_days)
        if not sheet.how.annualised:
            whole = whole * sheet.months / YEAR_MONTHS
        flags = tuple(flag for flag in rate.flags if flag != "short_period")
        return Ratio(whole / rate.value, flags) if rate.value > 0 else Ratio(None, ("no_turnover",))

    return days


def _operating_cash_to(whole: str, if_not: str) -> Callable[[_Sheet], Ratio]:
    def ratio(sheet: _Sheet) -> Ratio:
        values, missing = sheet.known("operating_cash_flow", whole)
        if missing:
            return Ratio(None, (), missing)
        return Ratio(sheet.flow(values[0]) / values[1], sheet.period) if values[1] > 0 else Ratio(None, (if_not,))

    return ratio


def _revenue_growth(sheet: _Sheet) -> Ratio:
    now, before = sheet.closing.get("revenue"), sheet.opening.get("revenue")
    if now is None or before is None:
        return Ratio(None, () if now is None else ("no_prior_period",), () if now is not None else ("revenue",))
    return Ratio(now / before - 1) if before > 0 else Ratio(None, ("no_prior_revenue",))


RATIOS: dict[str, Callable[[_Sheet], Ratio]] = {
    "current_ratio": _current,
    "quick_ratio": _quick,
    "cash_ratio": _cash,
    "debt_ratio": _debt,
    "debt_to_equity": _debt_to_equity,
    "interest_cover": _interest_cover,
    "return_on_equity": _return_on_equity,
    "return_on_assets": _return_on_assets,
    "net_margin": _net_margin,
    "receivables_turnover": _receivables_turnover,
    "receivables_days": _days(_receivables_turnover),
    "inventory_turnover": _inventory_turnover,
    "inventory_days": _days(_inventory_turnover),
    "operating_cash_to_current_liabilities": _operating_cash_to("current_liabilities", "no_current_liabilities"),
    "operating_cash_to_debt": _operating_cash_to("total_liabilities", "no_liabilities"),
    "revenue_growth": _revenue_growth,
}

NAMES = {
    "current_ratio": Text("current ratio", "流动比率"),
    "quick_ratio": Text("quick ratio", "速动比率"),
    "cash_ratio": Text("cash ratio", "现金比率"),
    "debt_ratio": Text("debt ratio", "资产负债率"),
    "debt_to_equity": Text("debt to equity", "产权比率"),
    "interest_cover": Text("interest cover", "利息保障倍数"),
    "return_on_equity": Text("return on equity", "净资产收益率"),
    "return_on_assets": Text("return on assets", "总资产报酬率"),
    "net_margin": Text("net margin", "销售净利率"),
    "receivables_turnover": Text("receivables turnover", "应收账款周转率"),
    "receivables_days": Text("receivables days", "应收账款周转天数"),
    "inventory_turnover": Text("inventory turnover", "存货周转率"),
    "inventory_days": Text("inventory days", "存货周转天数"),
    "operating_cash_to_current_liabilities": Text("operating cash flow ÷ current liabilities", "经营现金流动负债比"),
    "operating_cash_to_debt": Text("operating cash flow ÷ liabilities", "现金流量债务比"),
    "revenue_growth": Text("revenue growth", "营业收入增长率"),
}

# Why there is no value, then how a value was made.
FLAGS = {
    "no_current_liabilities": Text("there are no current liabilities", "流动负债为零"),
    "no_liabilities": Text("there are no liabilities", "负债合计为零"),
    "no_assets": Text("total assets are not above zero", "资产总计不大于零"),
    "no_equity": Text("equity is not above zero", "所有者权益不大于零"),
    "no_average_equity": Text("average equity is not above zero", "平均净资产不大于零"),
    "no_interest": Text("no interest was paid", "无利息费用"),
    "no_revenue": Text("there was no revenue", "营业收入不大于零"),
    "no_receivables": Text("there are no receivables", "平均应收账款不大于零"),
    "no_inventories": Text("there are no inventories", "平均存货不大于零"),
    "no_turnover": Text("nothing was turned over", "周转率不大于零"),
    "no_prior_period": Text("the period before is not on file", "缺少上期数"),
    "no_prior_revenue": Text("there was no revenue in the period before", "上期营业收入不大于零"),
    "insolvent": Text("liabilities exceed assets", "资不抵债"),
    "cash_only": Text("without trading assets, which are not known", "未含交易性金融资产（未知）"),
    "closing_only": Text("on the closing balance, the opening one is not known", "缺少期初数，按期末余额计算"),
    "annualised": Text("taken to a year", "已折算为全年"),
    "short_period": Text("of a period shorter or longer than a year, not taken to a year", "非全年报表，未折算"),
    "ebit_uses_finance_expenses": Text("finance expenses stand in for interest", "以财务费用代替利息费用"),
    "with_notes": Text(
        "receivables with notes, as the statement has them in one line", "应收票据与应收账款合并列示，一并计算"
    ),
}

# Items that no statement prints.
_MADE = {
    "retained_earnings": Text("retained earnings", "留存收益"),
    "working_capital": Text("working capital", "营运资金"),
    "ebit": Text("EBIT", "息税前利润"),
    "market_value": Text("market value of equity", "股权市值"),
}


def item_name(item: str) -> Text:
    """An item as people know it: the first of its labels; its own name where it is none of those."""
    if item in _MADE:
        return _MADE[item]
    known = ITEMS.get(item)
    return Text(known.en[0], known.zh[0]) if known else same(item)
