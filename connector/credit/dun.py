"""Dunning: which items take the next step of the ladder on a day, which are left alone and why (domain 11).

The level is kept for each item and only ever rises by one a run. A part payment leaves it as it is, full payment resets
it, and a payment that is taken back brings it back. A letter goes to the customer at its highest level and lists
everything overdue. Nothing here knows of a database or a clock: standings and promises come in, steps go out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from connector.credit.debt import Debt as Debt
from connector.credit.debt import Key as Key
from connector.credit.debt import Standing as Standing
from connector.credit.debt import by_due, promise_amount
from connector.credit.debt import promised as promised
from connector.credit.debt import turned as turned
from connector.credit.reason import money
from connector.model import Promise
from connector.policy_dunning import DEMANDS, Channel, Dunning, DunningStep
from connector.text import Text

Mark = Literal["disputed", "promised"]


@dataclass(frozen=True, slots=True)
class Mail:
    """When the customer last got a demand in writing, and when a notice."""

    demand_on: dt.date | None = None
    notice_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one item: onto `rung`."""

    debt: Debt
    rung: DunningStep
    standing: Standing

    @property
    def level(self) -> int:
        return self.rung.level


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item whose next step is due and is not taken. `code` is stable and short."""

    debt: Debt
    level: int
    code: str
    why: Text


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a letter: an item, its level after this run, and why it is not demanded now, where it is not."""

    debt: Debt
    level: int
    mark: Mark | None = None
    promised_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to the customer in writing: a demand at its highest level, or a notice of what falls due (level 0)."""

    level: int
    channel: Channel
    lines: tuple[Listed, ...]

    @property
    def is_demand(self) -> bool:
        return self.channel in DEMANDS


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does with one customer: steps, what is left alone, and the letter, where one is due."""

    steps: tuple[Step, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    letter: Letter | None = None

    @property
    def level(self) -> int:
        """The highest level reached by a step of this run."""
        return max((step.level for step in self.steps), default=0)


class Effects(NamedTuple):
    """What a customer's highest level brings with it beside letters."""

    level: int
    hold: bool
    limit_zero: bool
    freeze: bool


def dunning_effects(levels: Iterable[int], rules: Dunning) -> Effects:
    """The highest of some items' levels, and whether orders are held, the limit is zero, and no increase is possible:
    what a rung brings holds on every higher one, too."""
    level = max(levels, default=0)
    reached = [rung for rung in rules.step if 0 < rung.level <= level]
    return Effects(
        level,
        any(rung.hold_orders for rung in reached),
        any(rung.limit_zero for rung in reached),
        any(rung.freeze_increases for rung in reached),
    )


# --- the plan --------------------------------------------------------------------------------------------------------
def plan(
    debts: Sequence[Debt],
    standings: Mapping[Key, Standing],
    promises: Iterable[Promise],
    mail: Mail,
    rules: Dunning,
    as_of: dt.date,
    in_home: Callable[[Decimal, str], Decimal | None],
) -> Plan:
    """The steps of one customer's items on a day.

    `standings` are those after `turned`; an item without one has never been dunned. `in_home(amount, currency)` gives an
    amount in the reporting currency, None without a rate: then it cannot be compared with the minimum, and the item is
    left alone, visibly.
    """
    if not rules.on:
        return Plan()
    open_debts = sorted((d for d in debts if d.open > 0), key=by_due)
    waiting = promised(open_debts, promises, as_of, rules.promise_grace_days)
    steps: list[Step] = []
    notices: list[Step] = []
    skipped: list[Skipped] = []
    for debt in open_debts:
        standing = standings.get(debt.key, Standing())
        rung = _next_rung(debt, standing, rules, as_of)
        if rung is None:
            if debt.due_on is None:
                skipped.append(Skipped(debt, standing.level, "no_due_date", NO_DUE_DATE))
            continue
        wrong = _left_alone(debt, standing, rung, waiting.get(debt.key), rules, as_of, in_home)
        wrong = wrong or _too_soon(debt, rung, mail, rules, as_of)
        if wrong is not None:
            skipped.append(wrong)
        else:
            (steps if rung.level else notices).append(Step(debt, rung, standing))
    letter = None
    if any(step.rung.channel in DEMANDS for step in steps):
        letter = _demand(open_debts, standings, steps, notices, waiting, rules, as_of)
    else:
        early = [n for n in notices if not _heard(mail, rules, as_of)]
        skipped += [_heard_skip(n.debt, mail, rules) for n in notices if n not in early]
        notices = early
        if notices:
            lines = tuple(Listed(n.debt, 0) for n in notices)
            letter = Letter(0, notices[0].rung.channel, lines)
    return Plan((*steps, *notices), tuple(skipped), letter)


def _next_rung(debt: Debt, standing: Standing, rules: Dunning, as_of: dt.date) -> DunningStep | None:
    """The rung that is due: the next one, never a further one. Level 0 is a notice before the due date, once."""
    days = debt.days(as_of)
    if days is None:
        return None
    if days <= 0:
        notice = rules.notice
        wanted = notice is not None and days >= notice.days and standing.noticed_on is None and not standing.level
        return notice if wanted else None
    rung = rules.rung(standing.level + 1)
    return rung if rung is not None and days >= rung.days else None


def next_step(debt: Debt, standing: Standing, rules: Dunning) -> tuple[dt.date, DunningStep] | None:
    """The next rung of the ladder for an item and the first day on which it can be taken; None above the last, and without
    a due date. What leaves items alone is not looked at."""
    rung = rules.rung(standing.in_force + 1)
    if rung is None or debt.due_on is None:
        return None
    day = debt.due_on + dt.timedelta(days=rung.days)
    if standing.since is not None and standing.level:
        day = max(day, standing.since + dt.timedelta(days=rules.step_interval_days))
    return day, rung


def _left_alone(
    debt: Debt,
    standing: Standing,
    rung: DunningStep,
    promise: Promise | None,
    rules: Dunning,
    as_of: dt.date,
    in_home: Callable[[Decimal, str], Decimal | None],
) -> Skipped | None:
    """Why an item does not take the step that is due, where it does not."""
    asked = debt.undisputed if rules.skip_disputed else debt.open
    if asked <= 0:
        why = DISPUTED.fill(amount=money(debt.disputed, debt.currency))
        return Skipped(debt, rung.level, "disputed", why)
    if promise is not None:
        until = promise.due_on + dt.timedelta(days=rules.promise_grace_days)
        amount = money(promise_amount(promise), promise.currency)
        why = PROMISED.fill(amount=amount, day=promise.due_on, until=until)
        return Skipped(debt, rung.level, "promised", why)
    if rules.minimum_amount > 0:
        home = in_home(asked, debt.currency)
        if home is None:
            return Skipped(debt, rung.level, "no_rate", NO_RATE.fill(currency=debt.currency))
        if home < rules.minimum_amount:
            why = BELOW.fill(amount=money(asked, debt.currency), least=f"{rules.minimum_amount:,f}")
            return Skipped(debt, rung.level, "below_minimum", why)
    if standing.since is not None and standing.level:
        from_on = standing.since + dt.timedelta(days=rules.step_interval_days)
        if as_of < from_on:
            why = STEP_INTERVAL.fill(level=standing.level, since=standing.since, day=from_on)
            return Skipped(debt, rung.level, "step_interval", why)
    return None


def _too_soon(debt: Debt, rung: DunningStep, mail: Mail, rules: Dunning, as_of: dt.date) -> Skipped | None:
    if rung.channel not in DEMANDS or mail.demand_on is None:
        return None
    from_on = mail.demand_on + dt.timedelta(days=rules.letter_interval_days)
    if as_of >= from_on:
        return None
    return Skipped(debt, rung.level, "letter_interval", LETTER_INTERVAL.fill(last=mail.demand_on, day=from_on))


def _heard(mail: Mail, rules: Dunning, as_of: dt.date) -> bool:
    """Whether the customer has heard from us so lately that a mere notice would be one too many."""
    days = [on for on in (mail.demand_on, mail.notice_on) if on is not None]
    return bool(days) and as_of < max(days) + dt.timedelta(days=rules.letter_interval_days)


def _heard_skip(debt: Debt, mail: Mail, rules: Dunning) -> Skipped:
    last = max(on for on in (mail.demand_on, mail.notice_on) if on is not None)
    from_on = last + dt.timedelta(days=rules.letter_interval_days)
    return Skipped(debt, 0, "letter_interval", LETTER_INTERVAL.fill(last=last, day=from_on))


def _demand(
    debts: Sequence[Debt],
    standings: Mapping[Key, Standing],
    steps: Sequence[Step],
    notices: Sequence[Step],
    waiting: Mapping[Key, Promise],
    rules: Dunning,
    as_of: dt.date,
) -> Letter:
    """The letter of this run: everything overdue, at the highest level of what is demanded."""
    reached = {step.debt.key: step.level for step in steps}
    noticed = {notice.debt.key for notice in notices}
    lines: list[Listed] = []
    for debt in debts:
        days = debt.days(as_of)
        if days is None or (days <= 0 and debt.key not in noticed):
            continue
        level = reached.get(debt.key, standings.get(debt.key, Standing()).level)
        promise = waiting.get(debt.key)
        disputed = rules.skip_disputed and debt.undisputed <= 0
        mark: Mark | None = "disputed" if disputed else "promised" if promise is not None else None
        lines.append(Listed(debt, level, mark, promise.due_on if promise is not None else None))
    highest = max((line.level for line in lines if line.mark is None), default=0)
    channels = [rung.channel for rung in rules.step if rung.level <= highest and rung.channel in DEMANDS]
    return Letter(highest, channels[-1], tuple(lines))


NO_DUE_DATE = Text("it has no due date", "没有到期日")
DISPUTED = Text("{amount} of it is disputed: nothing else is open", "争议金额 {amount}，无其他未清金额")
PROMISED = Text(
    "{amount} is promised for {day}; dunning waits until {until}", "客户承诺 {day} 付款 {amount}，催收暂停至 {until}"
)
BELOW = Text("{amount} is below the smallest amount of {least} that is dunned", "金额 {amount} 低于催收起点 {least}")
NO_RATE = Text(
    "there is no exchange rate for {currency}, so that it cannot be compared with the smallest amount",
    "缺少 {currency} 汇率，无法与催收起点金额比较",
)
STEP_INTERVAL = Text(
    "it has been on level {level} since {since}; the next step is possible on {day}",
    "自 {since} 起处于第 {level} 级，最早 {day} 可升级",
)
LETTER_INTERVAL = Text(
    "the last letter to this customer is of {last}; the next one is possible on {day}",
    "上一封函件于 {last} 发出，最早 {day} 可再次发函",
)
