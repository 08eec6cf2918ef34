"""Limit proposals: what limit a customer is good for, step by step, and which constraint binds (domain 8).

The order is that of the domain document: need, capacity, the grade's multiplier, caps, rounding down, throttle. All
amounts are in the customer's currency and unrounded until a limit comes of them. Where both net worth and working capital
are known the lower one is the capacity, and one that is not positive leaves none (ours). A limit of nothing is no measure
for a rise: only a limit above nothing is throttled (ours). Sales of fewer than twelve months are taken for a year's
in proportion (ours). The step of rounding is at most `step_percent` of what is rounded (ours).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

from connector.credit import propose_words as words
from connector.credit.reason import Reason, money
from connector.credit.terms import months_later
from connector.money import EXACT, exponent, rounded
from connector.policy import Policy
from connector.policy_limit import Limits, Starter
from connector.policy_section import LEVELS, Level
from connector.text import Text

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
_YEAR_DAYS = 365
# Sales of fewer days are taken for those of so many.
_FEWEST_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of a customer when a limit is proposed. Amounts in `currency`; None is "not known".

    `current` is the limit that was granted, without uplifts and guarantees, None where there is none; `unlimited`: there
    is no bound now. `sales` are the credit sales of twelve months, gross, or of the `sales_days` since the first where it
    has bought for less than that (None: the whole year); `terms_days` what the terms give, `days_late` how
    late it usually pays. `insurer` is the insurer's own limit, `group_room` what the groups above leave for all of it,
    `receivables` those of all customers. `others` is what other accounts of the same debtor were granted. `asked`: what
    somebody asked for, never exceeded. `unit` is one unit of the reporting currency in `currency`. `frozen` is why
    nothing may rise: the warning level, dunning.
    """

    as_of: dt.date
    currency: str
    unit: Decimal = ONE
    current: Decimal | None = None
    unlimited: bool = False
    sales: Decimal | None = None
    sales_days: int | None = None
    terms_days: Decimal | None = None
    days_late: Decimal | None = None
    first_sold_on: dt.date | None = None
    net_worth: Decimal | None = None
    working_capital: Decimal | None = None
    statement_on: dt.date | None = None
    grade: str | None = None
    score: Decimal | None = None
    level: Level = "green"
    insurer: Decimal | None = None
    group_room: Decimal | None = None
    receivables: Decimal | None = None
    others: Decimal = ZERO
    asked: Decimal | None = None
    frozen: Text | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A tranche of a proposed staged limit: its amount, and its release condition in the words of `stage`."""

    amount: Decimal
    condition: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposed limit in `currency`. `binding` names what keeps it from being higher; `steps` are the whole reckoning,
    each with its inputs. `parts`: a staged limit, adding up to `amount`."""

    amount: Decimal
    currency: str
    current: Decimal | None
    binding: str
    steps: tuple[Reason, ...]
    valid_from: dt.date
    valid_to: dt.date
    parts: tuple[Part, ...] = ()

    @property
    def rise_percent(self) -> Decimal | None:
        """By how much it rises (negative: falls), in percent of the present limit; None where there is none."""
        return rise_percent(self.amount, self.current)

    @property
    def text(self) -> Text:
        """The proposal in one sentence, with what binds."""
        return words.result(self.amount, self.currency, self.current, self.binding)


def rise_percent(amount: Decimal, current: Decimal | None) -> Decimal | None:
    """By how many percent a limit rises over the present one, unrounded; None where that is none or nothing."""
    return (amount - current) * HUNDRED / current if current else None


def propose(case: Case, policy: Policy) -> Proposed:
    """The limit that the policy's formula gives for a customer."""
    rules = policy.limit
    sheet = _Sheet(case, rules)
    new = is_new(case, rules) or case.sales is None
    wanted = sheet.starter() if new else sheet.need()
    raw = sheet.multiplied(sheet.lowest(wanted, sheet.capacity(), new), new)
    capped = sheet.capped(raw)
    limit = sheet.floored(capped)
    if limit == 0 and capped > 0:
        sheet.binding = "step"  # too little for the smallest limit there is
    limit = sheet.frozen(sheet.throttled(limit))
    amount = rounded(max(limit, ZERO), case.currency)
    staged = new and not case.current and not case.unlimited and amount > 0
    return Proposed(
        amount,
        case.currency,
        case.current,
        sheet.binding,
        tuple(sheet.steps),
        case.as_of,
        months_later(case.as_of, rules.valid_months),
        _parts(amount, case, rules.starter) if staged else (),
    )


def is_new(case: Case, rules: Limits) -> bool:
    """Whether a customer is new: it has bought for too few days, or not at all yet."""
    first = case.first_sold_on
    return first is None or (case.as_of - first).days < rules.starter.new_for_days


def by_itself(proposed: Proposed, case: Case, policy: Policy) -> Text | None:
    """Why a proposal needs a person; None: it may be approved without one."""
    bounds, level = policy.limit.automatic, case.level
    if not bounds.on:
        return words.NOT_AUTOMATIC
    grades = [name for name, _ in policy.score.bands]
    good = case.grade in grades and bounds.up_to_band in grades
    rise = proposed.rise_percent
    checks: tuple[tuple[bool, str], ...] = (
        (case.unlimited, "unlimited"),
        (not case.current and not bounds.first, "first"),
        (proposed.amount > bounds.up_to_amount * case.unit, "amount"),
        (rise is not None and rise > bounds.up_to_rise_percent, "rise"),
        (rise is not None and -rise > bounds.up_to_cut_percent, "cut"),
        (LEVELS.index(level) > LEVELS.index(bounds.up_to_level), "level"),
        (not good or grades.index(str(case.grade)) > grades.index(bounds.up_to_band), "band"),
    )
    return next((words.WHY_A_PERSON[name] for hit, name in checks if hit), None)


@dataclass
class _Sheet:
    """The working sheet of one proposal: each step is written down when it is made; the last that binds is `binding`."""

    case: Case
    rules: Limits
    binding: str = "need"
    steps: list[Reason] = field(default_factory=list)

    def step(self, rule: str, result: Decimal, told: Callable[..., Text], **inputs: object) -> None:
        case = self.case
        numbers = {k: f"{v:f}" if isinstance(v, Decimal) else str(v) for k, v in inputs.items() if v is not None}
        numbers |= {"result": f"{rounded(result, case.currency):f}", "currency": case.currency}
        shown = {k: money(v, case.currency) if isinstance(v, Decimal) else v for k, v in inputs.items()}
        self.steps.append(Reason(rule, told(result=money(result, case.currency), **shown), numbers))

    def need(self) -> Decimal:
        case, rules = self.case, self.rules
        sales, late = self.annual_sales(), max(case.days_late or ZERO, ZERO)
        terms = Decimal(rules.terms_days) if case.terms_days is None else case.terms_days
        # One division, the last: 3,650,000 / 365 must not lose a digit on the way.
        need = EXACT.multiply(EXACT.multiply(max(sales, ZERO), terms + late), rules.peak_factor) / _YEAR_DAYS
        self.step(
            "need", need, words.NEED.fill,
            sales=sales, terms=words.days(terms), late=words.days(late), peak=words.plain(rules.peak_factor),
        )  # fmt: skip
        return need

    def annual_sales(self) -> Decimal:
        case = self.case
        sales, days = case.sales or ZERO, case.sales_days
        if days is None or days >= _YEAR_DAYS or sales <= 0:
            return sales
        # A few weeks say little of a year.
        days = max(days, _FEWEST_DAYS)
        whole = EXACT.multiply(sales, Decimal(_YEAR_DAYS)) / days
        self.step("annual_sales", whole, words.ANNUAL_SALES.fill, sales=sales, days=days)
        return whole

    def starter(self) -> Decimal:
        amount = self.rules.starter.amount * self.case.unit
        self.binding = "starter"
        first = self.case.first_sold_on
        told = words.STARTER_NEVER if first is None else words.STARTER
        if first is not None and not is_new(self.case, self.rules):
            told = words.STARTER_UNKNOWN
        self.step("starter", amount, told.fill, first=first, days=self.rules.starter.new_for_days)
        return amount

    def capacity(self) -> dict[str, Decimal]:
        """What of it is known, by name."""
        case, rules, found = self.case, self.rules, dict[str, Decimal]()
        for name, whole, percent in (
            ("net_worth", case.net_worth, rules.net_worth_percent),
            ("working_capital", case.working_capital, rules.working_capital_percent),
        ):
            if whole is not None:
                found[name] = max(whole * percent / HUNDRED, ZERO)
                self.step(
                    name, found[name], words.CAPACITY[name].fill,
                    whole=whole, percent=words.plain(percent), on=case.statement_on or "?",
                )  # fmt: skip
        return found

    def lowest(self, wanted: Decimal, capacity: dict[str, Decimal], new: bool) -> Decimal:
        names = {("starter" if new else "need"): wanted, **capacity}
        self.binding = min(names, key=lambda name: names[name])
        lowest = names[self.binding]
        if capacity:
            self.step("lowest", lowest, words.LOWEST.fill, which=words.BINDING[self.binding])
        return lowest

    def multiplied(self, amount: Decimal, new: bool) -> Decimal:
        band = self.rules.of_grade(self.case.grade)
        if band is None and new:
            return amount  # a starter limit is small because nothing is known
        percent = band.multiplier_percent if band else self.rules.unscored_percent
        raw = amount * percent / HUNDRED
        told = words.MULTIPLIER if band else words.UNSCORED
        self.step("multiplier", raw, told.fill, grade=self.case.grade, percent=words.plain(percent))
        if not percent:
            self.binding = "grade"
        return raw

    def capped(self, raw: Decimal) -> Decimal:
        case, rules = self.case, self.rules
        band = rules.of_grade(case.grade)
        caps: list[tuple[str, Decimal | None]] = [
            ("band_cap", band.cap * case.unit if band and band.cap is not None else None),
            ("no_financials", self._without_financials()),
            ("insurer", self._insured()),
            ("group", case.group_room),
            ("concentration", self._concentration()),
            ("asked", case.asked),
        ]
        capped = raw
        for name, cap in caps:
            if cap is None:
                continue
            cap = max(cap, ZERO)
            binds = cap < capped
            if binds:
                capped, self.binding = cap, name
            told = words.CAP_BINDS if binds else words.CAP_FREE
            # Inside a sentence already filled nothing is to be filled again.
            self.step(name, capped, told.fill, name=words.BINDING[name], cap=cap)
        if case.others:
            capped = max(capped - case.others, ZERO)
            self.step("others", capped, words.OTHERS.fill, others=case.others)
        return capped

    def _without_financials(self) -> Decimal | None:
        known = (self.case.net_worth, self.case.working_capital)
        return self.rules.no_financials_cap * self.case.unit if known == (None, None) else None

    def _insured(self) -> Decimal | None:
        own = ONE + self.rules.insurer_own_share_percent / HUNDRED
        return None if self.case.insurer is None else self.case.insurer * own

    def _concentration(self) -> Decimal | None:
        whole = self.case.receivables
        # Of a handful of customers each is a large part: a book that is nothing yet binds nobody.
        return whole * self.rules.concentration_percent / HUNDRED if whole is not None and whole > 0 else None

    def floored(self, capped: Decimal) -> Decimal:
        step = _round_step(self.rules.step * self.case.unit) if self.case.unit != ONE else self.rules.step
        most = capped * self.rules.step_percent / HUNDRED
        if 0 < most < step:
            # Of a small limit a large step would leave little or nothing.
            step = max(_round_step(most), Decimal(1).scaleb(-exponent(self.case.currency)))
        limit = (capped / step).to_integral_value(ROUND_FLOOR) * step
        self.step("step", limit, words.STEP.fill, step=step)
        return limit

    def throttled(self, limit: Decimal) -> Decimal:
        current, rules = self.case.current, self.rules
        if not current or self.case.unlimited:
            return limit
        most = current * (HUNDRED + rules.max_rise_percent) / HUNDRED
        least = current * (HUNDRED - rules.max_cut_percent) / HUNDRED
        if limit > most:
            self.binding = "max_rise"
            self.step("throttle", most, words.RISE.fill, current=current, percent=words.plain(rules.max_rise_percent))
            return most
        if limit < least and self.case.level == "red":
            self.step("throttle", limit, words.RED.fill, current=current)
        elif limit < least and self.case.asked is not None and self.case.asked < least:
            self.binding = "asked"  # whoever asks for less gets no more than that
            self.step("throttle", self.case.asked, words.ASKED.fill, current=current)
            return self.case.asked
        elif limit < least:
            self.binding = "max_cut"
            self.step("throttle", least, words.CUT.fill, current=current, percent=words.plain(rules.max_cut_percent))
            return least
        return limit

    def frozen(self, limit: Decimal) -> Decimal:
        case = self.case
        why = case.frozen
        if why is None or case.unlimited or limit <= (case.current or ZERO):
            return limit
        self.binding = "frozen"
        self.step("frozen", case.current or ZERO, words.FROZEN.fill, why=why)
        return case.current or ZERO


def _round_step(step: Decimal) -> Decimal:
    """The largest of 1, 2, 5 × a power of ten that is not above a step: nobody grants USD 271,600 (ours)."""
    power = Decimal(1).scaleb(step.adjusted())
    return max(n * power for n in (1, 2, 5) if n * power <= step)


def _parts(amount: Decimal, case: Case, starter: Starter) -> tuple[Part, ...]:
    """The tranches of a starter plan; what rounding leaves over comes with the last."""
    found: list[Part] = []
    left = amount
    digits = Decimal(1).scaleb(-exponent(case.currency))
    for at, tranche in enumerate(starter.tranche):
        last = at == len(starter.tranche) - 1
        part = left if last else (amount * tranche.percent / HUNDRED).quantize(digits, ROUND_FLOOR)
        left -= part
        said = [f"from:{case.as_of + dt.timedelta(tranche.after_days)}"] if tranche.after_days else []
        found.append(Part(part, " ".join([*said, *tranche.condition.split()])))
    return tuple(found)


__all__ = ["Case", "Part", "Proposed", "by_itself", "is_new", "propose", "rise_percent"]
