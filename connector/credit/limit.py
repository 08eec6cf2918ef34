"""The effective credit limit of a day, from all pieces that were ever granted (domain 2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Literal

from connector.credit.reason import money, percent
from connector.credit.stage import UNKNOWN, Behaviour, in_season, parse_condition, tranche_order
from connector.model import Limit
from connector.money import EXACT, from_minor, rounded
from connector.text import Later, Text

Convert = Callable[[Decimal, str, str, dt.date], Decimal | None]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Effective:
    """What a customer's limit is on a day.

    `none`: nobody ever gave one; `unlimited`: no limit test; `amount`: in `currency`, never below 0. `expired`: a limit
    is maintained, but no base, override or season is in force today. `steps` explain each piece. `released` are refs of
    tranches whose condition holds: a release is an event that stays, so the caller keeps it. `no_rate` names currency
    pairs (`USD/CNY`) that could not be converted: those pieces are not counted, and the limit is not to be relied on.
    `unread` are refs of pieces without an amount or with a condition that nobody can read.
    """

    kind: Literal["none", "unlimited", "amount"]
    amount: Decimal | None = None
    currency: str | None = None
    expired: bool = False
    steps: tuple[Text, ...] = ()
    released: tuple[str, ...] = ()
    no_rate: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


NO_LIMIT = Effective("none")


def effective(
    limits: Sequence[Limit],
    on: dt.date,
    behaviour: Behaviour | None = None,
    convert: Convert | None = None,
    *,
    currency: str | None = None,
    segment: str | None = None,
) -> Effective:
    """The limit of a day.

    An unlimited flag wins. Else, of overrides and seasons in force, the one approved last; else the released tranches
    of its time, up to the base where there is one; else the base. Additive uplifts and guarantees (value × percent, 100 % where none
    is said) come on top; the sum is floored at 0 and rounded once. The result is in the currency of its first piece;
    `convert` (such as `Rates.convert`) brings in pieces of another one, `currency` is assumed where a piece has none.
    Limits of a credit segment count for that `segment` only; where there are no others, all segments are added up.
    """
    if not limits:
        return NO_LIMIT
    if len(limits) == 1 and segment is None and (only := _only_base(limits[0], on, currency)):
        return only
    if segment is None and all(limit.segment for limit in limits):
        segments = sorted({limit.segment for limit in limits if limit.segment})
        each = [effective(limits, on, behaviour, convert, currency=currency, segment=name) for name in segments]
        return added(each, on, convert)
    mine = [limit for limit in limits if limit.segment == segment]
    valid = [limit for limit in mine if in_force(limit, on)]
    if any(limit.kind == "unlimited" for limit in valid):
        return Effective("unlimited", steps=(Text("unlimited, no limit test", "不限额，不做额度检查"),))
    return _Reckoning(mine, on, behaviour or UNKNOWN, convert, currency).result(valid)


def _only_base(limit: Limit, on: dt.date, assumed: str | None) -> Effective | None:
    """What nearly every customer has, without a working sheet: one base limit in force and nothing else."""
    currency = limit.currency or assumed
    if limit.kind != "base" or limit.amount is None or not currency or limit.segment or not in_force(limit, on):
        return None
    amount = from_minor(max(limit.amount, 0), currency)
    step = Later(partial(_step, BASE, from_minor(limit.amount, currency), currency, None, limit))
    return Effective("amount", amount, currency, steps=(step,))


def in_force(limit: Limit, on: dt.date) -> bool:
    """Whether a day is within a piece's validity, both ends included; an open end never expires."""
    return (limit.valid_from is None or limit.valid_from <= on) and (limit.valid_to is None or on <= limit.valid_to)


def added(parts: Iterable[Effective], on: dt.date, convert: Convert | None = None) -> Effective:
    """Several limits as one: of the segments of one customer, or of the accounts of one debtor.

    Unlimited where one of them is; parts without a limit add nothing; expired where one part is. The sum is in the
    currency of the first part that has an amount.
    """
    parts = [part for part in parts if part.kind != "none"]
    if len(parts) < 2:
        return parts[0] if parts else NO_LIMIT
    steps = tuple(step for part in parts for step in part.steps)
    released = tuple(ref for part in parts for ref in part.released)
    unread = tuple(ref for part in parts for ref in part.unread)
    if any(part.kind == "unlimited" for part in parts):
        return Effective("unlimited", steps=steps, released=released, unread=unread)
    currency = parts[0].currency or ""
    total, no_rate = ZERO, [pair for part in parts for pair in part.no_rate]
    for part in parts:
        amount = _converted(part.amount or ZERO, part.currency or currency, currency, on, convert)
        if amount is None:
            no_rate.append(f"{part.currency}/{currency}")
        else:
            total = EXACT.add(total, amount)
    expired = any(part.expired for part in parts)
    return Effective(
        "amount", rounded(total, currency), currency, expired, steps, released, tuple(dict.fromkeys(no_rate)), unread
    )


def _converted(amount: Decimal, frm: str, to: str, on: dt.date, convert: Convert | None) -> Decimal | None:
    if frm == to:
        return amount
    return convert(amount, frm, to, on) if convert else None


@dataclass(slots=True)
class _Reckoning:
    """The working sheet of one `effective`: pieces are added one by one, each with its step."""

    mine: Sequence[Limit]
    on: dt.date
    behaviour: Behaviour
    convert: Convert | None
    assumed: str | None
    total: Decimal = ZERO
    currency: str = ""
    steps: list[Text] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    no_rate: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def result(self, valid: Sequence[Limit]) -> Effective:
        base = _latest([limit for limit in valid if limit.kind == "base"])
        replacing = _latest([limit for limit in valid if limit.kind == "override" or self.in_season(limit)])
        tranches = [limit for limit in self.mine if limit.kind == "stage" and (base is None or _overlap(limit, base))]
        lapsed_base = base is None and any(limit.kind == "base" for limit in self.mine)
        expired = False
        if replacing:
            self.add(replacing, _REPLACES[replacing.kind])
        elif tranches and not lapsed_base:
            self.add_tranches(sorted(tranches, key=tranche_order), base)
            expired = all(limit.valid_to and limit.valid_to < self.on for limit in tranches)
        elif base:
            self.add(base, BASE)
        else:
            lasting = any(limit.kind in ("base", "seasonal", "stage") for limit in self.mine)
            expired = lasting or any(limit.valid_to and limit.valid_to < self.on for limit in self.mine)
        if expired:
            self.steps.append(EXPIRED.fill(on=self.on))
        for limit in sorted(valid, key=tranche_order):
            if limit.kind == "additive":
                self.add(limit, ADDITIVE)
            elif limit.kind == "guarantee":
                self.add(limit, GUARANTEE, Decimal(1) if limit.percent is None else limit.percent)

        if not self.currency and not expired:
            return NO_LIMIT if not self.unread else Effective("none", unread=tuple(self.unread))
        currency = self.currency or self.currency_of(self.mine[0]) or ""
        return Effective(
            "amount",
            rounded(max(self.total, ZERO), currency),
            currency,
            expired,
            tuple(self.steps),
            tuple(self.released),
            tuple(dict.fromkeys(self.no_rate)),
            tuple(dict.fromkeys(self.unread)),
        )

    def currency_of(self, limit: Limit) -> str | None:
        return limit.currency or self.assumed

    def value(self, limit: Limit) -> Decimal | None:
        """A piece in the result's currency, unrounded; the first piece sets that currency."""
        currency = self.currency_of(limit)
        if limit.amount is None or not currency:
            self.unread.append(limit.ref)
            return None
        self.currency = self.currency or currency
        amount = _converted(from_minor(limit.amount, currency), currency, self.currency, self.on, self.convert)
        if amount is None:
            self.no_rate.append(f"{currency}/{self.currency}")
        return amount

    def add(self, limit: Limit, step: Text, percentage: Decimal | None = None) -> None:
        amount = self.value(limit)
        if amount is None:
            return
        if percentage is not None:
            amount = EXACT.multiply(amount, percentage)
        self.total = EXACT.add(self.total, amount)
        self.steps.append(Later(partial(_step, step, amount, self.currency, percentage, limit)))

    def in_season(self, limit: Limit) -> bool:
        if limit.kind != "seasonal":
            return False
        try:
            return in_season(limit.condition, self.on)
        except ValueError:
            self.unread.append(limit.ref)
            return False

    def add_tranches(self, tranches: Sequence[Limit], base: Limit | None) -> None:
        approved = self.value(base) if base else None
        previous: str | None = None
        for number, limit in enumerate(tranches, 1):
            behaviour, previous = self.behaviour.after(previous), limit.ref
            amount = self.value(limit) if in_force(limit, self.on) else ZERO
            if not amount:
                continue
            try:
                condition = parse_condition(limit.condition)
            except ValueError:
                self.unread.append(limit.ref)
                continue
            if limit.ref in self.behaviour.released:
                state = SUSPENDED if condition.suspends(behaviour) else RELEASED
            elif condition.releases(self.on, behaviour):
                self.released.append(limit.ref)
                state = SUSPENDED if condition.suspends(behaviour) else RELEASED
            else:
                state = WAITING
            if state is RELEASED:
                self.total = EXACT.add(self.total, amount)
            words = limit.condition or "-"
            self.steps.append(Later(partial(_tranche, state, number, amount, self.currency, words)))
        if approved is not None and self.total > approved:
            self.total = approved
            self.steps.append(APPROVED.fill(amount=money(approved, self.currency)))


def _overlap(one: Limit, other: Limit) -> bool:
    """Whether both are in force on some day: a tranche belongs to the base of its time, not to one before or after."""
    first = max(one.valid_from or dt.date.min, other.valid_from or dt.date.min)
    return in_force(one, first) and in_force(other, first)


def _latest(limits: Sequence[Limit]) -> Limit | None:
    """Of several pieces in force at once, the one approved last; then the one that began last, then the smallest."""
    first = dt.date.min
    return max(limits, key=lambda x: (x.approved_on or first, x.valid_from or first, -(x.amount or 0)), default=None)


def _step(step: Text, amount: Decimal, currency: str, percentage: Decimal | None, limit: Limit) -> Text:
    share = percent(percentage) if percentage is not None else ""
    return step.fill(amount=money(amount, currency), percent=share, until=_until(limit), words=limit.condition)


def _tranche(state: Text, number: int, amount: Decimal, currency: str, words: str) -> Text:
    return state.fill(number=number, amount=money(amount, currency), words=words)


def _until(limit: Limit) -> Text:
    return UNTIL.fill(day=limit.valid_to) if limit.valid_to else OPEN_END


UNTIL = Text(" until {day}", "（至 {day}）")
OPEN_END = Text("", "")
BASE = Text("base limit {amount}{until}", "基础额度 {amount}{until}")
ADDITIVE = Text("plus a temporary uplift of {amount}{until}", "加临时增额 {amount}{until}")
GUARANTEE = Text("plus {amount}, {percent} of a guarantee{until}", "加担保额度 {amount}（担保金额的 {percent}）{until}")
_REPLACES = {
    "override": Text("temporary limit {amount} in place of the base{until}", "临时额度 {amount} 取代基础额度{until}"),
    "seasonal": Text(
        "seasonal limit {amount} in place of the base ({words})", "季节性额度 {amount} 取代基础额度（{words}）"
    ),
}
EXPIRED = Text("no base limit is in force on {on}", "{on} 无有效的基础额度")
RELEASED = Text("tranche {number}: {amount} released", "第 {number} 期额度 {amount} 已释放")
WAITING = Text("tranche {number}: {amount} not yet released ({words})", "第 {number} 期额度 {amount} 未释放（{words}）")
SUSPENDED = Text("tranche {number}: {amount} suspended ({words})", "第 {number} 期额度 {amount} 暂停（{words}）")
APPROVED = Text("not more than the approved total of {amount}", "不超过批准的总额度 {amount}")
