"""Replay: its conclusions of every day are those of the nightly run of that day, exactly, on random books."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.clock import FixedClock
from connector.config import Config
from connector.credit.replay import Turn, turns
from connector.model import Customer, Document, Limit, Order, OrderLine, Rate
from connector.policy import Policy, read
from connector.store import customers, links
from connector.store.db import Store
from jobs.frame import frame
from jobs.judge import Judged, judge
from jobs.replay import families, rules_of
from tests.store.books import DAY0, Book, books, days, save
from tests.store.conftest import emptied

FIRST, LAST = DAY0 + dt.timedelta(days=20), DAY0 + dt.timedelta(days=170)
NOW = dt.datetime.combine(LAST, dt.time(12), dt.UTC)
STREAMS = ("customers", "rates", "limits", "documents", "instalments", "payments", "applications")
REST = ("orders", "order_lines", "promises", "financials", "events")
CONFIG = Config.model_validate(
    {"systems": [{"name": "books", "adapter": "files", "roles": ["erp", "rates"], "settings": {"path": "."}}]}
)


# --- books whose orders have a course ---------------------------------------------------------------------------------
@dataclass
class Course:
    """An order day by day: what was invoiced when, and how it stands at the end. Amounts in whole units."""

    id: str
    customer: str
    placed: dt.date
    ship: dt.date | None
    lines: list[tuple[int, int, dt.date | None]]  # quantity, price, ship day; none: the order goes by its amount
    amount: int
    invoices: list[tuple[dt.date, int]]
    delivered: int  # of the amount, not invoiced at the end
    closed: bool

    @property
    def closes(self) -> dt.date | None:
        if not self.closed:
            return None
        first_ship = self.ship or min((s for _, _, s in self.lines if s), default=None)
        usual = min(max(first_ship or self.placed, self.placed), max(LAST, self.placed))
        return max((day for day, _ in self.invoices), default=usual + dt.timedelta(days=1))

    def on(self, day: dt.date) -> tuple[Order, list[OrderLine]] | None:
        """What the ERP says of it at the end of a day; None before there is any."""
        if self.placed > day:
            return None
        is_open = self.closes is None or day < self.closes
        invoiced = sum(amount for on, amount in self.invoices if on <= day)
        usual = min(max(self.ship or self.placed, self.placed), max(LAST, self.placed))
        order = Order(
            id=self.id,
            customer_id=self.customer,
            ordered_on=self.placed,
            ship_on=self.ship,
            currency="CNY",
            amount=None if self.lines else self.amount * 100,
            invoiced_amount=None if self.lines else invoiced * 100,
            delivered_amount=None if self.lines else (invoiced + (self.delivered if day >= usual else 0)) * 100,
            status="open" if is_open else "closed",
        )
        made, left = [], invoiced
        # The earliest ship day is invoiced first.
        by_ship = sorted(range(len(self.lines)), key=lambda at: (self.lines[at][2] or dt.date.min, at))
        for at in by_ship:
            quantity, price, ship = self.lines[at]
            taken = min(quantity, left // price)
            left -= taken * price
            made.append(
                OrderLine(
                    order_id=self.id,
                    line=str(at),
                    quantity=Decimal(quantity),
                    quantity_delivered=Decimal(0),
                    quantity_invoiced=Decimal(taken),
                    unit_price=Decimal(price),
                    ship_on=ship,
                )
            )
        assert left == 0 or not self.lines
        return order, made


@dataclass
class Told(Book):
    """A book with limits, rates, groups and orders that have a course."""

    limits: list[Limit] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)


@st.composite
def course(draw: st.DrawFn, number: int) -> Course:
    who, placed = draw(st.sampled_from(["C1", "C2", "C3"])), draw(days(0, 150))
    later = st.integers(0, 60).map(lambda n: placed + dt.timedelta(days=n))
    ship = draw(st.none() | later)
    closed = draw(st.booleans())
    lines = []
    if draw(st.booleans()):
        lines = [(draw(st.integers(1, 5)), 10, draw(st.none() | later)) for _ in range(draw(st.integers(1, 3)))]
    amount = sum(q * p for q, p, _ in lines) or draw(st.integers(1, 200))
    left, invoices = amount, []
    for _ in range(draw(st.integers(0, 3))):
        if left <= 0:
            break
        part = draw(st.integers(1, left // 10)) * 10 if lines else draw(st.integers(1, left))
        left -= part
        invoices.append((draw(later), part))
    delivered = draw(st.integers(0, left)) if not lines else 0
    return Course(f"O{number}", who, placed, ship, lines, amount, sorted(invoices), delivered, closed)


@st.composite
def told(draw: st.DrawFn) -> Told:
    plain = draw(books())
    book = Told(**{name: getattr(plain, name) for name in Book.__dataclass_fields__})
    statuses = st.sampled_from(["active"] * 6 + ["blocked"])
    group = draw(st.booleans())
    book.customers = [
        Customer(
            id=key,
            name=key,
            currency=draw(st.sampled_from(["CNY", "CNY", "USD", None])),
            parent_id="C1" if group and key != "C1" else None,
            segment=draw(st.sampled_from([None, "export"])),
            status=draw(statuses),
        )
        for key in ("C1", "C2", "C3")
    ]
    for number in range(draw(st.integers(0, 5))):
        kind = draw(
            st.sampled_from(["base", "base", "additive", "override", "guarantee", "seasonal", "stage", "unlimited"])
        )
        words = None
        if kind == "seasonal":
            words = "07-01..08-15"
        elif kind == "stage":
            words = draw(st.sampled_from([None, "from:2026-08-01", "late<=10", "paid>=50%", "suspend:late>20"]))
        book.limits.append(
            Limit(
                id=f"L{number}",
                customer_id=draw(st.sampled_from(["C1", "C2", "C3"])),
                kind=kind,
                amount=None if kind == "unlimited" else draw(st.integers(0, 30_000)),
                currency=None if kind == "unlimited" else draw(st.sampled_from(["CNY", "CNY", "CNY", "USD"])),
                percent=Decimal("0.5") if kind == "guarantee" else None,
                valid_from=draw(st.none() | days(0, 120)),
                valid_to=draw(st.none() | days(40, 170)),
                approved_on=draw(st.none() | days(0, 100)),
                condition=words,
            )
        )
    for number in range(draw(st.integers(0, 6))):
        pair = draw(st.sampled_from([("USD", "CNY"), ("JPY", "CNY"), ("CNY", "USD")]))
        on = DAY0 + dt.timedelta(days=draw(st.integers(-10, 150)))
        book.rates.append(Rate(on=on, from_currency=pair[0], to_currency=pair[1], rate=Decimal(number + 1) / 4))
    for number in range(draw(st.integers(0, 3))):
        book.courses.append(one := draw(course(number)))
        for at, (day, amount) in enumerate(one.invoices):
            book.documents.append(
                Document(
                    id=f"{one.id}-{at}",
                    customer_id=one.customer,
                    kind="invoice",
                    issued_on=day,
                    due_on=day + dt.timedelta(days=draw(st.integers(0, 40))),
                    currency="CNY",
                    amount=amount * 100,
                    order_id=one.id,
                )
            )
    return book


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    grace = draw(st.integers(0, 40))
    on = {name: str(draw(st.booleans())).lower() for name in "abcdefghi"}
    text = f"""
        [ageing]
        placement = "{draw(st.sampled_from(["separate", "separate", "fifo", "own_bucket"]))}"
        missing_due_date = "{draw(st.sampled_from(["hold", "issue_date"]))}"
        [exposure]
        unapplied_cash = {on["a"]}
        draft_invoices = {on["b"]}
        ordered_not_delivered = {on["c"]}
        delivered_not_invoiced = {on["h"]}
        bills_bank = {on["d"]}
        order_horizon_days = {draw(st.sampled_from(['"none"', 0, 10, 90]))}
        [currency]
        max_rate_age_days = {draw(st.sampled_from([7, 35]))}
        [hold.limit_exceeded]
        tolerance_amount = {draw(st.sampled_from([0, 20]))}
        tolerance_percent = {draw(st.sampled_from([0, 10]))}
        [hold.used_share]
        on = {on["e"]}
        above_percent = 60
        [hold.oldest_overdue]
        grace_days = {grace}
        [hold.overdue_amount]
        on = {on["f"]}
        above_amount = 30
        [hold.order_value]
        on = {on["g"]}
        above_amount = 60
        [hold.warning_level]
        on = {on["i"]}
        at_least = "orange"
        [hold.no_limit]
        on = {on["b"]}
        [warning.oldest_overdue_days]
        yellow = {draw(st.integers(0, 5))}
        orange = {draw(st.integers(6, 20))}.5
        [segment.export.hold.oldest_overdue]
        grace_days = {grace // 2}
        [segment.export.warning.oldest_overdue_days]
        red = 33
        """
    policy, problems = read(text)
    assert policy is not None, problems
    return policy


# --- what the nightly run says of a day, and what the replay says -----------------------------------------------------
def fill(store: Store, book: Told) -> None:
    with store.writing(durable=False) as tx:
        for stream in STREAMS:
            save(tx, stream, getattr(book, stream), ledger_currency="CNY", now=NOW)
        for stream in REST:
            save(tx, stream, [], now=NOW)
        links.ensure_debtors(tx, [row.key for row in customers.customers(tx)])


def night(store: Store, book: Told, policy: Policy, day: dt.date) -> dict[str, Judged]:
    """The nightly run of a day: orders as the ERP had them then, everything else as of that day."""
    with store.writing(durable=False) as tx:
        stand = [found for one in book.courses if (found := one.on(day))]
        save(tx, "orders", [order for order, _ in stand], now=NOW, full=True)
        save(tx, "order_lines", [line for _, lines in stand for line in lines], now=NOW, full=True)
        base = frame(tx, CONFIG, policy, FixedClock(NOW), day)
        return {judged.members[0].ref: judged for judged in judge(tx, base)}


def replayed(store: Store, book: Told, both: list[Policy]) -> list[tuple[str, Turn, list[str]]]:
    with store.writing(durable=False) as tx:
        stand = [found for one in book.courses if (found := one.on(LAST))]
        save(tx, "orders", [order for order, _ in stand], now=NOW, full=True)
        save(tx, "order_lines", [line for _, lines in stand for line in lines], now=NOW, full=True)
    found = []
    with store.reading() as tx:
        base = frame(tx, CONFIG, both[0], FixedClock(NOW), LAST)
        rules = rules_of(CONFIG, both, customers.rates(tx))
        for portion in families(tx, base, FIRST, LAST):
            for family in portion.families:
                for turn in turns(family, rules, FIRST, LAST, keeps=False):
                    refs = [family.orders[at].ref for at in turn.orders]
                    found.append((family.debtors[turn.debtor].ref, turn, refs))
    return found


def standing(
    found: list[tuple[str, Turn, list[str]]], book: Told, both: list[Policy]
) -> Iterator[tuple[dt.date, dict[str, tuple[Turn, list[str]]]]]:
    """Day by day, the turn that stands for each customer."""
    by_day: dict[dt.date, list[tuple[str, Turn, list[str]]]] = {}
    for ref, turn, refs in found:
        by_day.setdefault(dt.date.fromordinal(turn.day), []).append((ref, turn, refs))
    now: dict[str, tuple[Turn, list[str]]] = {}
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + dt.timedelta(days=n)
        for ref, turn, refs in by_day.get(day, ()):
            now[ref] = turn, refs
        yield day, now


def lasting(decision: Any) -> list[Any]:
    """What must be the same on days between turns, too: all that the calendar alone does not move."""
    place = decision.position
    return [
        decision.hold,
        decision.level,
        [reason.rule for reason in decision.reasons],
        decision.available,
        place.exposure,
        (place.limit.kind, place.limit.amount, place.limit.expired, place.limit_amount, place.utilisation),
        (place.overdue, place.undisputed_overdue, place.disputed, place.open_total, place.unapplied, place.balance),
        [(i.name, i.level, i.threshold, i.value if i.name != "oldest_overdue" else None) for i in decision.indicators],
    ]


def exact(decision: Any) -> list[Any]:
    """Everything, the numbers of the reasons among it."""
    # Of several missing rates none comes first.
    reasons = sorted((reason.rule, str(reason.numbers), str(reason.text)) for reason in decision.reasons)
    return [*lasting(decision), reasons, decision.indicators, decision.position.overdue_days]


def agree(store: Store, book: Told, both: list[Policy], every: int) -> int:
    """Compares day by day; gives how many debtors and days were compared."""
    fill(store, book)
    found = replayed(store, book, both)
    days_of_turns = {dt.date.fromordinal(turn.day) for _, turn, _ in found}
    compared = 0
    for day, now in standing(found, book, both):
        if day not in days_of_turns and (day - FIRST).days % every:
            continue
        for place, policy in enumerate(both):
            for ref, judged in night(store, book, policy, day).items():
                turn, refs = now[ref]
                mine, its = turn.decisions[place], judged.decision
                assert lasting(mine) == lasting(its), (
                    day,
                    ref,
                    place,
                    [p for p in zip(lasting(mine), lasting(its), strict=True) if p[0] != p[1]],
                )
                checks = {
                    order: (check.hold, [r.rule for r in check.reasons], [w.rule for w in check.warnings])
                    for order, check in zip(refs, turn.checks[place], strict=True)
                }
                wanted = {
                    row.ref: (check.hold, [r.rule for r in check.reasons], [w.rule for w in check.warnings])
                    for row, check in judged.orders
                }
                assert checks == wanted, (day, ref, place, checks, wanted)
                if turn.day == day.toordinal():
                    assert exact(mine) == exact(its), (
                        day,
                        ref,
                        place,
                        [p for p in zip(exact(mine), exact(its), strict=True) if p[0] != p[1]],
                    )
                    numbers = [sorted(str(r.numbers) for r in check.reasons) for check in turn.checks[place]]
                    by_ref = {row.ref: sorted(str(r.numbers) for r in check.reasons) for row, check in judged.orders}
                    assert numbers == [by_ref[order] for order in refs], (numbers, by_ref, refs)
                compared += 1
    return compared


@given(told(), policies(), policies())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_day_is_judged_as_the_night_of_that_day(sqlite_store: Store, book: Told, a: Policy, b: Policy) -> None:
    emptied(sqlite_store)
    assert agree(sqlite_store, book, [a, b], every=40) > 0


@pytest.mark.slow
@given(told(), policies(), policies())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_day_of_many_books(sqlite_store: Store, book: Told, a: Policy, b: Policy) -> None:
    emptied(sqlite_store)
    assert agree(sqlite_store, book, [a, b], every=13) > 0


def of_days(turned: list[Turn], place: int) -> dict[tuple[dt.date, int], list[Any]]:
    """What stands for each debtor on each day: the lasting part of its decision, and its orders."""
    found: dict[tuple[dt.date, int], list[Any]] = {}
    now: dict[int, list[Any]] = {}
    by_day: dict[int, list[Turn]] = {}
    for turn in turned:
        by_day.setdefault(turn.day, []).append(turn)
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + dt.timedelta(days=n)
        for turn in by_day.get(day.toordinal(), ()):
            decision = turn.decisions[place]
            checks = [(c.hold, [r.rule for r in c.reasons]) for c in turn.checks[place]]
            stands = sorted((w.name, w.state.level) for w in decision.warned if w.state.level != "green")
            now[turn.debtor] = [*lasting(decision), stands, decision.actions, turn.orders, checks]
        found.update({(day, at): kept for at, kept in now.items()})
    return found


@given(told(), policies(), policies())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_nights_remember_is_remembered(sqlite_store: Store, book: Told, a: Policy, b: Policy) -> None:
    """Orders that passed and warnings on their way down: the quick pass says what asking on every day says."""
    emptied(sqlite_store)
    fill(sqlite_store, book)
    with sqlite_store.writing(durable=False) as tx:
        stand = [found for one in book.courses if (found := one.on(LAST))]
        save(tx, "orders", [order for order, _ in stand], now=NOW)
        save(tx, "order_lines", [line for _, lines in stand for line in lines], now=NOW)
    with sqlite_store.reading() as tx:
        base = frame(tx, CONFIG, a, FixedClock(NOW), LAST)
        rules = rules_of(CONFIG, [a, b], customers.rates(tx))
        every = [family for portion in families(tx, base, FIRST, LAST) for family in portion.families]
    for family in every:
        quick = list(turns(family, rules, FIRST, LAST))
        daily = list(turns(family, rules, FIRST, LAST, every_day=True))
        assert len(quick) <= len(daily)
        for place in range(2):
            mine, wanted = of_days(quick, place), of_days(daily, place)
            wrong = [(key, mine[key], wanted[key]) for key in wanted if mine[key] != wanted[key]]
            assert wrong == [], wrong[:1]


@given(told(), policies(), policies())
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_on_postgresql_too(pg_store: Store, book: Told, a: Policy, b: Policy) -> None:
    emptied(pg_store)
    assert agree(pg_store, book, [a, b], every=40) > 0


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with_store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('replay') / 'replay.db'}")
    yield with_store
    with_store.close()
