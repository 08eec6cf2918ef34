"""Financial statements as the rules see them: one period of one customer, its items, what stands before, what to doubt.

Amounts are decimals in whole units of the statement's currency; item names are those of `statement_items.toml`. An item
that is not there is not known, which is never zero. Statements of a legal person's own and of its group are never mixed,
versions are never averaged: the newest one known on the day counts.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, get_args

from connector.credit.statement_labels import SHEET_OF

Basis = Literal["cas", "small", "ifrs", "uk-gaap", "us-gaap", "annual_report", "bureau"]
BASES: tuple[str, ...] = get_args(Basis)
# What an auditor's report says: unqualified 标准无保留, going_concern 持续经营重大不确定性段, the others by their names.
Opinion = Literal["unqualified", "going_concern", "qualified", "adverse", "disclaimer"]
OPINIONS: tuple[str, ...] = get_args(Opinion)

Status = Literal["draft", "confirmed", "refused"]

# An amount at the end of the period (or for it), and the one in the column beside it.
Pair = tuple[Decimal | None, Decimal | None]

STALE_MONTHS = (12, 18, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFile:
    """One version of a statement that is on file: what its head says, and its items once they are read.

    `number` is its number in the store; None where a system said it. `customer` is the key of the customer whose it is.
    `consolidated` None: nobody said. `confirmed_on` is the day from which it feeds decisions, `refused_on` the day from
    which it does not any more. `findings` are the codes of what reading and checking found, `info` left out.
    """

    number: int | None = None
    customer: int
    period_end_on: dt.date
    months: int
    currency: str
    basis: str | None = None
    consolidated: bool | None = None
    audited: bool | None = None
    opinion: str | None = None
    version: int = 1
    sha: str | None = None
    confirmed_on: dt.date | None = None
    refused_on: dt.date | None = None
    findings: tuple[str, ...] = ()
    items: Mapping[str, Pair] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is known of a customer's finances of one period.

    `closing` holds balance items at the period's end and profit and cash items of the period. `opening` holds balance
    items at the period's beginning, `prior` profit and cash items of the comparable period before. `number` and `sha`
    lead to the document, both None where a system said it. `flags`, each with its words in
    `statement_words.FLAGS`, are what a reader must know before he trusts a ratio.
    """

    customer: int
    period_end_on: dt.date
    months: int
    currency: str
    basis: str | None
    consolidated: bool | None
    audited: bool | None
    opinion: str | None
    number: int | None
    sha: str | None
    closing: Mapping[str, Decimal]
    opening: Mapping[str, Decimal]
    prior: Mapping[str, Decimal]
    flags: tuple[str, ...] = ()


def newest(known: Iterable[OnFile], as_of: dt.date, *, full_years: bool = False) -> OnFile | None:
    """The statement that counts on a day: of the newest period, the legal person's own before the group's, the most
    trustworthy source, its newest version. `full_years` passes over interim ones. What was confirmed later is not known.
    """
    usable = [one for one in known if _usable(one, as_of) and (one.months >= 12 or not full_years)]
    return max(usable, key=_preference, default=None)


def before(known: Iterable[OnFile], chosen: OnFile, as_of: dt.date) -> OnFile | None:
    """The statement on file that ends where the chosen one begins, of the same scope and currency."""
    begins = months_back(chosen.period_end_on, chosen.months)
    usable = [
        one
        for one in known
        if _usable(one, as_of)
        and one.period_end_on == begins
        and bool(one.consolidated) == bool(chosen.consolidated)
        and one.currency == chosen.currency
    ]
    return max(usable, key=_preference, default=None)


def view(chosen: OnFile, earlier: OnFile | None, as_of: dt.date) -> Statement:
    """A statement with what stood before it: its own second column, else the closing of the period before on file.

    Where both are there and differ the newer one, the second column, counts and the flag `restated` says so.
    """
    closing = {name: now for name, (now, _) in chosen.items.items() if now is not None}
    opening: dict[str, Decimal] = {}
    prior: dict[str, Decimal] = {}
    for name, (_, past) in chosen.items.items():
        if past is not None:
            (opening if SHEET_OF.get(name, "balance") == "balance" else prior)[name] = past
    flags = list(chosen.findings)
    if earlier is not None:
        comparable = earlier.months == chosen.months
        for name, (then, _) in earlier.items.items():
            balance = SHEET_OF.get(name, "balance") == "balance"
            if then is None or not (balance or comparable):
                continue
            into = opening if balance else prior
            if name not in into:
                into[name] = then
                if balance and "opening_from_file" not in flags:
                    flags.append("opening_from_file")
            elif into[name] != then and "restated" not in flags:
                flags.append("restated")
    flags += _head_flags(chosen)
    step = stale(chosen.period_end_on, as_of)
    if step is not None:
        flags.append(f"stale_{step}")
    return Statement(
        customer=chosen.customer,
        period_end_on=chosen.period_end_on,
        months=chosen.months,
        currency=chosen.currency,
        basis=chosen.basis,
        consolidated=chosen.consolidated,
        audited=chosen.audited,
        opinion=chosen.opinion,
        number=chosen.number,
        sha=chosen.sha,
        closing=closing,
        opening=opening,
        prior=prior,
        flags=tuple(dict.fromkeys(flags)),
    )


def stale(period_end_on: dt.date, as_of: dt.date) -> int | None:
    """The step of the ladder that a statement has reached: it is older than 12, 18 or 24 months; None: fresh."""
    reached = [months for months in STALE_MONTHS if as_of > months_back(period_end_on, -months)]
    return max(reached, default=None)


def months_back(day: dt.date, months: int) -> dt.date:
    """The day so many months before; a month's last day stays a last day, others are clamped to the month's end."""
    last = day.day == calendar.monthrange(day.year, day.month)[1]
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, length if last else min(day.day, length))


# --- items that no statement prints ---
def retained_earnings(items: Mapping[str, Decimal]) -> Decimal | None:
    """留存收益: surplus reserve and undistributed profit; one of the two missing is not known.

    A source that names it as a whole (IFRS RetainedEarnings) has it under its own name.
    """
    if "retained_earnings" in items:
        return items["retained_earnings"]
    return _sum(items, "surplus_reserve", "undistributed_profit")


def ebit(items: Mapping[str, Decimal]) -> tuple[Decimal | None, str | None]:
    """息税前利润 and a flag: profit before tax and interest expense, never 营业利润.

    Where only 财务费用 is known it stands for the interest, flag `ebit_uses_finance_expenses`; a negative one means net
    interest income, and the interest stays unknown.
    """
    profit, interest, net = (items.get(n) for n in ("profit_before_tax", "interest_expense", "finance_expenses"))
    if profit is None:
        return items.get("ebit"), None
    if interest is not None:
        # A net line of a small enterprise that is negative means interest income: nothing is added back.
        return profit + max(interest, Decimal(0)), None
    if net is not None and net >= 0:
        return profit + net, "ebit_uses_finance_expenses"
    return items.get("ebit"), None


def working_capital(items: Mapping[str, Decimal]) -> Decimal | None:
    """营运资金: current assets less current liabilities."""
    assets, liabilities = items.get("current_assets"), items.get("current_liabilities")
    return None if assets is None or liabilities is None else assets - liabilities


def receivables_broad(items: Mapping[str, Decimal]) -> Decimal | None:
    """应收账款 with bills and receivables financing; bills that the statement does not tell are not added."""
    base = items.get("receivables")
    if base is None:
        base = items.get("notes_and_receivables")
    elif "notes_receivable" in items:
        base += items["notes_receivable"]
    return None if base is None else base + items.get("receivables_financing", Decimal(0))


def scaled(items: Mapping[str, Pair], unit: int) -> dict[str, Pair]:
    """Amounts as printed, in whole units of the currency."""
    return {
        name: (None if now is None else now * unit, None if past is None else past * unit)
        for name, (now, past) in items.items()
    }


def with_items(one: OnFile, items: Mapping[str, Pair]) -> OnFile:
    """The same statement with its items."""
    return replace(one, items=items)


# --- which one counts ---
def rank(one: OnFile) -> int:
    """How far a source is trusted, 0 first: audited file, audited by a system, file, system, bureau, annual report."""
    if one.basis in ("bureau", "annual_report"):
        return 4 if one.basis == "bureau" else 5
    return (0 if one.audited else 2) + (one.number is None)


def _usable(one: OnFile, as_of: dt.date) -> bool:
    confirmed = one.confirmed_on is not None and one.confirmed_on <= as_of
    return confirmed and one.period_end_on <= as_of and (one.refused_on is None or as_of < one.refused_on)


def _preference(one: OnFile) -> tuple[dt.date, int, bool, int, int, int]:
    return (one.period_end_on, one.months, not one.consolidated, -rank(one), one.version, one.number or 0)


def _head_flags(one: OnFile) -> Sequence[str]:
    flags = []
    if one.months < 12:
        flags.append("interim")
    if one.audited is None:
        flags.append("audit_unknown")
    elif not one.audited:
        flags.append("unaudited")
    if one.opinion not in (None, "unqualified"):
        flags.append(f"opinion_{one.opinion}")
    return flags


def _sum(items: Mapping[str, Decimal], *names: str) -> Decimal | None:
    found = [items.get(name) for name in names]
    return None if any(f is None for f in found) else sum((f for f in found if f is not None), Decimal(0))
