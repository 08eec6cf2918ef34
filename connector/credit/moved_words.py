"""The words of movements: what happened to a document, payment or order, as a person reads it, in both languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

from connector.credit.moved_figures import Key, Ledger, OnOrder
from connector.credit.reason import money
from connector.model import Application, Document, Payment
from connector.money import EXACT, from_minor
from connector.text import Text, joined, same


def told(parts: Iterable[Text]) -> Text:
    """Several things that happened as one sentence."""
    several = list(parts)
    return joined(several) if several else OTHER_END


def events(ledger: Ledger, key: Key, day: dt.date) -> Iterator[Text]:
    """What happened to an item on a day."""
    fact, part = ledger.item(key), ledger.part(key)
    if fact is None:
        return
    if _begun(fact) == day:
        yield (RECEIVED if isinstance(fact, Payment) else POSTED).fill(amount=money(_amount(fact), fact.currency))
    for one in part.applications:
        if one.applied_on == day or (_began_later(part, one) == day):
            yield _applied(APPLIED, part, key, one)
        if one.reversed_on == day:
            yield _applied(REVERSED, part, key, one)
    if fact.voided_on == day:
        yield VOIDED
    for other in _facts(part):
        if other.voided_on == day and other.id != key[1]:
            yield OTHER_VOIDED.fill(ref=_name(other))


def _began_later(part: Ledger, one: Application) -> dt.date | None:
    """The day from which an application counts where that is later than its own: its ends must be there."""
    ends = [_begun(f) for f in _facts(part) if f.id in (one.from_id, one.to_id)]
    return max((*ends, one.applied_on), default=None)


def _applied(words: Text, part: Ledger, key: Key, one: Application) -> Text:
    other = one.from_id if one.to_id == key[1] else one.to_id
    there = next((f for f in _facts(part) if f.id == other), None)
    mine = next((f for f in _facts(part) if f.id == key[1]), None)
    currency = mine.currency if mine else ""
    amount = one.amount if one.to_id == key[1] or one.from_amount is None else one.from_amount
    return words.fill(amount=money(amount, currency), ref=_name(there) if there else other)


def _facts(part: Ledger) -> list[Document | Payment]:
    return [*part.documents, *part.payments]


def _name(fact: Document | Payment) -> str:
    return (fact.number if isinstance(fact, Document) else None) or fact.id


def _begun(fact: Document | Payment) -> dt.date:
    return fact.issued_on if isinstance(fact, Document) else fact.received_on


def _amount(fact: Document | Payment) -> Decimal:
    return from_minor(fact.amount, fact.currency)


def aged(fact: Document | Payment, upto: dt.date) -> Text:
    """What the calendar alone did to an item up to a day."""
    due = fact.due_on if isinstance(fact, Document) else None
    if due is not None and due < upto:
        return OVERDUE.fill(days=(upto - due).days, day=upto)
    return OLDER.fill(day=upto)


def order_words(old: OnOrder | None, new: OnOrder | None) -> Text:
    """What became of an order; None where it adds nothing."""
    if new is None:
        return ORDER_GONE
    if old is None:
        return ORDER_NEW.fill(amount=money(new.delivered + new.ordered, new.currency))
    amounts = {
        "was": money(old.delivered + old.ordered, old.currency),
        "now": money(new.delivered + new.ordered, new.currency),
    }
    return (ORDER_DELIVERED if new.delivered > old.delivered else ORDER_MOVED).fill(**amounts)


def rate_words(rate: Decimal | None) -> Text:
    """A rate to six decimals, for people."""
    return NO_RATE if rate is None else same(f"{EXACT.quantize(rate, Decimal('0.000001')).normalize():f}")


def restated(old: Ledger, new: Ledger, key: Key, day: dt.date) -> Iterator[Text]:
    """How an item is known now and was not then, as far as it concerns a day."""
    before = old.item(key) if old.has(key) else None
    after = new.item(key) if new.has(key) else None
    if after is None:
        yield REMOVED
        return
    if before is None:
        yield BACK_POSTED.fill(day=_begun(after), amount=money(_amount(after), after.currency))
        return
    for name, words in CHANGED.items():
        was, is_now = getattr(before, name, None), getattr(after, name, None)
        if was != is_now:
            if name in ("amount", "disputed_amount"):
                was, is_now = (
                    None if minor is None else money(_amount_of(fact, minor), fact.currency)
                    for fact, minor in ((before, was), (after, is_now))
                )
            nothing = Text("none", "无")
            yield CHANGE.fill(
                field=words, was=nothing if was is None else was, now=nothing if is_now is None else is_now
            )
    had = {one.ref: one for one in old.part(key).applications if one.applied_on <= day}
    has = {one.ref: one for one in new.part(key).applications if one.applied_on <= day}
    for ref in sorted({**had, **has}):
        first, second = had.get(ref), has.get(ref)
        if first is None and second is not None:
            yield _dated(BACK_APPLIED, new.part(key), key, second)
        elif second is None and first is not None:
            yield _dated(UNAPPLIED, old.part(key), key, first)
        elif first != second and second is not None:
            yield _dated(APPLIED_OTHERWISE, new.part(key), key, second)
        elif first is not None and _ends(old.part(key), first) != _ends(new.part(key), first):
            yield OTHER_END
    if old.part(key).instalments != new.part(key).instalments:
        yield SPLIT_OTHERWISE


def _ends(part: Ledger, one: Application) -> list[Document | Payment]:
    return [f for f in _facts(part) if f.id in (one.from_id, one.to_id)]


def _dated(words: Text, part: Ledger, key: Key, one: Application) -> Text:
    return _applied(words.fill(day=one.applied_on, amount="{amount}", ref="{ref}"), part, key, one)


def _amount_of(fact: Document | Payment, minor: int) -> Decimal:
    return from_minor(minor, fact.currency)


POSTED = Text("posted, {amount}", "入账 {amount}")
RECEIVED = Text("received, {amount}", "收款 {amount}")
APPLIED = Text("{amount} set against {ref}", "与 {ref} 核销 {amount}")
REVERSED = Text("{amount} against {ref} reversed", "撤销与 {ref} 的核销 {amount}")
VOIDED = Text("voided", "作废")
OTHER_VOIDED = Text("{ref} was voided", "{ref} 已作废")
OVERDUE = Text("{days:day|days} overdue on {day}", "{day} 已逾期 {days} 天")
OLDER = Text("grew older by {day}", "账龄推移（至 {day}）")
ORDER_NEW = Text("order entered, {amount} on order", "新增订单，未结 {amount}")
ORDER_GONE = Text("nothing of the order is open any more", "订单已无未结金额")
ORDER_DELIVERED = Text("delivered further: {was} → {now} on order", "继续发货：未结 {was} → {now}")
ORDER_MOVED = Text("on order: {was} → {now}", "未结金额：{was} → {now}")
RATE = Text("exchange rate {currency}/{to}: {was} → {now}", "汇率 {currency}/{to}：{was} → {now}")
NO_RATE = Text("none", "无")
NETTED = Text("unapplied credits set against the oldest debts", "未核销贷项按先到期先抵的影响")
LIMIT = Text("limit {was} → {now}: {why}", "额度 {was} → {now}：{why}")
NO_LIMIT = Text("no limit is in force", "无有效额度")
ROUNDING = Text("rounding", "尾差")
REMOVED = Text("was removed", "已被删除")
BACK_POSTED = Text("posted back to {day}, {amount}", "补记至 {day}，{amount}")
CHANGE = Text("{field}: {was} → {now}", "{field}：{was} → {now}")
BACK_APPLIED = Text(
    "{amount} set against {ref}, dated {day}, came later", "与 {ref} 核销 {amount}（日期 {day}）为事后补记"
)
UNAPPLIED = Text("{amount} against {ref}, dated {day}, was taken out", "与 {ref} 的核销 {amount}（日期 {day}）已被取消")
APPLIED_OTHERWISE = Text(
    "{amount} against {ref}, dated {day}, was changed", "与 {ref} 的核销 {amount}（日期 {day}）已被修改"
)
OTHER_END = Text("what it is set against was changed", "其核销对象发生变更")
SPLIT_OTHERWISE = Text("its instalments were changed", "分期安排已变更")
CHANGED = {
    "kind": Text("kind", "类型"),
    "amount": Text("amount", "金额"),
    "currency": Text("currency", "币种"),
    "issued_on": Text("issued", "单据日期"),
    "received_on": Text("received", "收款日期"),
    "due_on": Text("due", "到期日"),
    "voided_on": Text("voided", "作废日期"),
    "status": Text("status", "状态"),
    "disputed_amount": Text("disputed", "争议金额"),
    "acceptance": Text("acceptance", "承兑类型"),
    "customer_id": Text("customer", "客户"),
}
