"""What moved: the difference of a customer's figures between two days, or between what was known then and what is known
now of one day, document by document, to the cent.

`walk` tells what happened from one day to a later one by the same knowledge; `restate` tells, for one day, what was
posted back, changed or removed since. Each movement names its document and what happened to it, and the figures it
moved, in the position's currency. The movements of a figure add up to its difference: what rounding and exchange rates
did are movements of their own.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit import moved_words as words
from connector.credit.limit import Effective
from connector.credit.moved_figures import (
    Amounts,
    Key,
    Ledger,
    OnOrder,
    added,
    less,
    names,
    netting,
    of_item,
    of_order,
)
from connector.credit.reason import money
from connector.model import Document
from connector.money import EXACT, rounded
from connector.policy import Policy
from connector.text import Text, joined

ZERO = Decimal(0)
# An amount of one currency in the position's, unrounded; None where there is no rate on that day.
Convert = Callable[[Decimal, str], Decimal | None]


@dataclass(frozen=True)
class Seen:
    """A customer on a day, by what is known at some moment.

    `currency` is that of all figures, `convert` brings amounts of the day into it; what cannot be converted is in no
    figure. `limit` is the customer's own limit in force that day, None where there is none or no amount; `steps` say how
    it comes about.
    """

    day: dt.date
    currency: str
    convert: Convert
    ledgers: Sequence[Ledger]
    orders: Sequence[OnOrder] = ()
    limit: Decimal | None = None
    steps: Sequence[Text] = ()
    _sums: list[tuple[Policy, dict[str, Amounts]]] = field(default_factory=list, repr=False, compare=False)


@dataclass(frozen=True)
class Movement:
    """One thing that moved figures. `kind`: document, payment, order, limit, rate, netting, rounding.

    `day` is None where it is not known or the calendar alone did it. `what` says what happened; `figures` are rounded to
    the currency's own decimals.
    """

    kind: str
    system: str
    ref: str
    number: str | None
    day: dt.date | None
    what: Text
    figures: Mapping[str, Decimal] = field(default_factory=dict)


def figures(seen: Seen, policy: Policy) -> Amounts:
    """Every figure of a day, each converted unrounded, added, and rounded once.

    `available` is the customer's own limit less its exposure; both are left out where there is no limit.
    """
    total = _raw(seen, policy)
    made = {name: rounded(total.get(name, ZERO), seen.currency) for name in names(policy)}
    if seen.limit is None:
        del made["limit"], made["available"]
    else:
        made["limit"] = seen.limit
        made["available"] = seen.limit - made["exposure"]
    return made


def _raw(seen: Seen, policy: Policy) -> Amounts:
    parts = [_in_currency(seen, amounts, currency) for currency, amounts in _own(seen, policy).items()]
    return added(*parts)


def _own(seen: Seen, policy: Policy) -> dict[str, Amounts]:
    """The sums by currency, each in its own."""
    for known, made in seen._sums:
        if known is policy:
            return made
    sums: dict[str, Amounts] = defaultdict(dict)
    for _, _, currency, amounts in _contributions(seen, policy):
        _add(sums[currency], amounts)
    for currency, amounts in netting(seen.ledgers, seen.day, policy).items():
        _add(sums[currency], amounts)
    seen._sums.append((policy, dict(sums)))
    return seen._sums[-1][1]


def _add(sums: Amounts, amounts: Mapping[str, Decimal]) -> None:
    for name, amount in amounts.items():
        sums[name] = EXACT.add(sums.get(name, ZERO), amount)


def _contributions(seen: Seen, policy: Policy) -> Iterator[tuple[str, object, str, Amounts]]:
    for ledger in seen.ledgers:
        for key in ledger.keys():  # noqa: SIM118 -- no dictionary
            yield ledger.system, key, _currency_of(ledger, key), of_item(ledger, key, seen.day, policy)
    for order in seen.orders:
        yield order.system, order.ref, order.currency, of_order(order, policy)


def _currency_of(ledger: Ledger, key: Key) -> str:
    fact = ledger.item(key)
    assert fact is not None, "only what is in the ledger is asked for"
    return fact.currency


def _in_currency(seen: Seen, amounts: Mapping[str, Decimal], currency: str) -> Amounts:
    if currency == seen.currency:
        return dict(amounts)
    found = {name: seen.convert(amount, currency) for name, amount in amounts.items()}
    return {name: amount for name, amount in found.items() if amount is not None}


# --- from one day to another ------------------------------------------------------------------------------------------
def walk(before: Seen, after: Seen, policy: Policy, limits: Iterable[tuple[dt.date, Effective]] = ()) -> list[Movement]:
    """What happened after the one day up to the other, by the same knowledge of ledgers; both in one currency.

    `limits` are the days in between on which the limit became another one, with what it became.
    """
    found: list[tuple[Movement, Amounts]] = []
    for ledger in after.ledgers:
        for key in ledger.keys():  # noqa: SIM118 -- no dictionary
            found += _item_walk(ledger, key, before, after, policy)
    found += _orders(before, after, policy)
    found += _rates(before, after, policy)
    found += _netted(before, after, policy)
    return _closed(before, after, policy, found, _limits(before, after, limits))


def _item_walk(
    ledger: Ledger, key: Key, before: Seen, after: Seen, policy: Policy
) -> Iterator[tuple[Movement, Amounts]]:
    fact = ledger.item(key)
    assert fact is not None, "it is a key of the ledger"
    at = of_item(ledger, key, before.day, policy)
    aged: Amounts = {}  # by the calendar alone, told once
    upto = before.day
    for day in [*(d for d in ledger.part(key).days() if before.day < d <= after.day), None]:
        eve_day = after.day if day is None else day - dt.timedelta(days=1)
        eve = of_item(ledger, key, eve_day, policy)
        if passed := less(eve, at):
            aged, upto = added(aged, passed), eve_day
        if day is None:
            break
        at = of_item(ledger, key, day, policy)
        if happened := less(at, eve):
            yield _moved(ledger, key, day, words.told(words.events(ledger, key, day)), after, happened)
    if any(aged.values()):
        yield _moved(ledger, key, None, words.aged(fact, upto), after, aged)


def _moved(
    ledger: Ledger, key: Key, day: dt.date | None, what: Text, seen: Seen, amounts: Amounts
) -> tuple[Movement, Amounts]:
    fact = ledger.item(key)
    number = fact.number if isinstance(fact, Document) else None
    kind = "document" if key[0] == "d" else "payment"
    movement = Movement(kind, ledger.system, key[1], number, day, what)
    return movement, _in_currency(seen, amounts, fact.currency if fact else seen.currency)


def _orders(before: Seen, after: Seen, policy: Policy) -> Iterator[tuple[Movement, Amounts]]:
    then = {(o.system, o.ref): o for o in before.orders}
    now = {(o.system, o.ref): o for o in after.orders}
    for key in sorted({**then, **now}):
        old, new = then.get(key), now.get(key)
        order = new or old
        assert order is not None, "it is in one of the two"
        amounts = less(of_order(new, policy) if new else {}, of_order(old, policy) if old else {})
        if amounts:
            what = words.order_words(old, new)
            movement = Movement("order", order.system, order.ref, order.number, None, what)
            yield movement, _in_currency(after, amounts, order.currency)


def _rates(before: Seen, after: Seen, policy: Policy) -> Iterator[tuple[Movement, Amounts]]:
    """What other exchange rates made of what was there already: the movements themselves are at the later day's."""
    for currency, amounts in sorted(_own(before, policy).items()):
        if currency == after.currency == before.currency:
            continue
        moved = less(_in_currency(after, amounts, currency), _in_currency(before, amounts, currency))
        if moved:
            one = Decimal(1)
            was, now = before.convert(one, currency), after.convert(one, currency)
            what = words.RATE.fill(
                currency=currency, to=after.currency, was=words.rate_words(was), now=words.rate_words(now)
            )
            yield Movement("rate", "", currency, None, after.day, what), moved


def _netted(before: Seen, after: Seen, policy: Policy) -> Iterator[tuple[Movement, Amounts]]:
    was, now = netting(before.ledgers, before.day, policy), netting(after.ledgers, after.day, policy)
    for currency in sorted({**was, **now}):
        amounts = less(now.get(currency, {}), was.get(currency, {}))
        if amounts:
            movement = Movement("netting", "", currency, None, None, words.NETTED)
            yield movement, _in_currency(after, amounts, currency)


def _limits(before: Seen, after: Seen, limits: Iterable[tuple[dt.date, Effective]]) -> list[Movement]:
    """The steps of the limit from the one day to the other, in the position's currency; what they leave is one more."""
    if before.limit is None and after.limit is None:
        return []
    found, at, steps = [], before.limit or ZERO, list(limits)
    for day, became in steps:
        amount = became.amount if became.kind == "amount" and became.currency == after.currency else None
        if amount is not None and amount != at and day < after.day:
            found.append(_limit(day, at, amount, became.steps, after))
            at = amount
    last = after.limit or ZERO
    if last != at:
        day = next((d for d, _ in reversed(steps) if d <= after.day), after.day)
        found.append(_limit(day if before.day < after.day else None, at, last, after.steps, after))
    return found


def _limit(day: dt.date | None, was: Decimal, now: Decimal, steps: Sequence[Text], seen: Seen) -> Movement:
    why = joined(list(steps)) if steps else words.NO_LIMIT
    what = words.LIMIT.fill(was=money(was, seen.currency), now=money(now, seen.currency), why=why)
    return Movement("limit", "", "limit", None, day, what, {"limit": now - was})


# --- of one day, known otherwise --------------------------------------------------------------------------------------
def restate(then: Seen, now: Seen, policy: Policy) -> list[Movement]:
    """What is known now of a day and was not known then: posted back, changed, removed, at another rate."""
    found: list[tuple[Movement, Amounts]] = []
    was = {ledger.system: ledger for ledger in then.ledgers}
    here = {ledger.system: ledger for ledger in now.ledgers}
    for system in sorted({**was, **here}):
        old, new = was.get(system) or Ledger(system, ()), here.get(system) or Ledger(system, ())
        for key in dict.fromkeys([*old.keys(), *new.keys()]):
            if old.part(key) is new.part(key):
                continue
            first = of_item(old, key, then.day, policy) if old.has(key) else {}
            second = of_item(new, key, now.day, policy) if new.has(key) else {}
            if _currency_in(old, key) not in (None, _currency_in(new, key)) and new.has(key):
                # In another currency than then: out with the one, in with the other.
                if first:
                    found.append(_moved(old, key, None, words.REMOVED, now, {n: -a for n, a in first.items()}))
                first = {}
            if amounts := less(second, first):
                ledger = new if new.has(key) else old
                found.append(
                    _moved(ledger, key, None, words.told(words.restated(old, new, key, now.day)), now, amounts)
                )
    found += _orders(then, now, policy)
    found += _rates(then, now, policy)
    found += _netted(then, now, policy)
    return _closed(then, now, policy, found, _limits(then, now, ()))


def _currency_in(ledger: Ledger, key: Key) -> str | None:
    return _currency_of(ledger, key) if ledger.has(key) else None


# --- to the cent --------------------------------------------------------------------------------------------------------
def _closed(
    before: Seen, after: Seen, policy: Policy, found: Iterable[tuple[Movement, Amounts]], limits: list[Movement]
) -> list[Movement]:
    """All movements rounded, in the order of their days, and what rounding each of them leaves of the difference."""
    made = []
    for movement, amounts in found:
        shown = {name: rounded(amount, after.currency) for name, amount in amounts.items()}
        if any(shown.values()):
            made.append(_with(movement, {name: amount for name, amount in shown.items() if amount}))
    made = [_available(m) for m in (*made, *limits)] if after.limit is not None else made
    was, now = figures(before, policy), figures(after, policy)
    told = added(*(m.figures for m in made))
    rest = {name: now[name] - was[name] - told.get(name, ZERO) for name in now if name in was}
    if any(rest.values()):
        made.append(Movement("rounding", "", "", None, None, words.ROUNDING, {n: a for n, a in rest.items() if a}))
    return sorted(made, key=lambda m: (m.kind == "rounding", m.day or after.day, m.kind, m.system, m.ref))


def _with(movement: Movement, amounts: Mapping[str, Decimal]) -> Movement:
    m = movement
    return Movement(m.kind, m.system, m.ref, m.number, m.day, m.what, amounts)


def _available(movement: Movement) -> Movement:
    """The same with what it does to the room under the limit."""
    room = movement.figures.get("limit", ZERO) - movement.figures.get("exposure", ZERO)
    return _with(movement, {**movement.figures, "available": room} if room else movement.figures)
