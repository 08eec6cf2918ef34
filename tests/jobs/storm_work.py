"""One worker of the storm: a process that does what comes, at random, to orders and customers that all workers share.

It may be killed at any moment; whoever takes its place goes on with what the store knows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connector.clock import day_in
from connector.config import Config
from connector.connect import Connected, connect
from connector.credit.authority import Person
from connector.errors import ConfigError, HoldfastError, TransientError
from connector.model import Application, Customer, Document, Limit, Order, Payment
from connector.policy import default_policy
from connector.store import Connection, concerns, customers, exclusions
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.leases import Fenced, LeaseLost
from jobs import order as orders
from jobs.check import Asked, check_all
from jobs.check_return import give_back
from jobs.evaluate import evaluate
from jobs.exclusion import end_exclusion, exclude
from jobs.night import lease
from jobs.push import push
from tests.jobs.shop import NOON, PEOPLE, STREAMS
from tests.jobs.storm_proof import EXEMPT, Watch
from tests.jobs.storm_said import Row, add, change, rows, states
from tests.store import watched
from tests.store.books import save
from tests.store.turns import watched_turns

WORKERS = 8
# Limits in yuan; A and B belong to G, K to H; B moves from one group to the other.
LIMITS = {"C1": 1000, "C2": 500, "G": 1500, "A": 900, "B": 900, "H": 1200, "K": 700, "E": 400}
PARENTS = {"A": "G", "B": "G", "K": "H"}
GROUPS = ("G", "H")
CUSTOMERS = sorted(LIMITS)
CRM_STREAMS = ("users", "accounts", "sales_orders")
MOST_OPEN = 90
TERMS = ("net:30", "net:60")

# How often each of what can happen is tried. Credit that is reserved is soon given back: on a quick machine a minute is
# a quarter of the storm, and hardly an order would find room.
WEIGHTS = {
    "arrive": 20, "resize": 10, "terms": 2, "finish": 14, "reopen": 5, "invoice": 5, "pay": 7, "limit": 4, "parent": 1,
    "ask": 12, "give_back": 4, "check": 12, "request": 5, "release": 6, "refuse": 3, "hold": 3, "lift": 3, "exclude": 1.5, "end_exclusion": 1,
    "evaluate": 4, "push": 3, "day": 0.25,
}  # fmt: skip
KINDS = tuple(WEIGHTS)
PROOFS = 4


class Lost(Exception):
    """Another worker was quicker: nothing is said."""


@dataclass
class StormClock:
    """The day is the same for all workers and moves when one of them says so; within it the time passes as it does.
    Sleeping is short."""

    days: Any
    began: float

    def now(self) -> dt.datetime:
        return NOON + dt.timedelta(days=self.days.value, seconds=time.monotonic() - self.began)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.02))


@dataclass
class Weather:
    """What the workers share: no locks in it, for anybody may be killed while he holds one."""

    url: str
    folder: str
    config: Config
    seed: int
    began: float
    days: Any
    stop: Any
    left: Any  # operations that are left, by worker
    born: Any  # orders placed, by worker
    done: Any  # operations done, by worker and kind
    refused: Any
    proved: Any  # by worker: judged, let through, near, reserved

    @property
    def clock(self) -> StormClock:
        return StormClock(self.days, self.began)

    def failed(self, me: int) -> Path:
        return Path(self.folder) / f"failed-{me}.txt"


def account_of(customer: str) -> str:
    return f"55400000000100{CUSTOMERS.index(customer):04d}"


def crm_order(number: int) -> str:
    return f"55400000000200{number:04d}"


def customer_of(number: int) -> str:
    """The customer of an order: the CRM has it from the beginning."""
    return random.Random(number).choice(CUSTOMERS)


def systems_of(number: int) -> tuple[str, ...]:
    """Where an order is: in the ledger, in the CRM, or in both."""
    return (("books",), ("books",), ("books", "crm"), ("crm", "books"), ("crm",))[number % 5]


def work(weather: Weather, me: int, life: int) -> None:
    """Does what is left of this worker's share."""
    try:
        concerns.note = watched.checking(concerns.note)
        with watched_turns():
            worker = Worker(weather, me, random.Random(weather.seed * 10_000 + me * 100 + life))
            while weather.left[me] > 0 and not weather.stop.value:
                worker.step()
                weather.left[me] -= 1
            worker.store.close()
    except BaseException:
        weather.failed(me).write_text(traceback.format_exc(), encoding="utf-8")
        weather.stop.value = 1
        os.kill(os.getpid(), signal.SIGKILL)  # at once: no thread of ours goes on


class Worker:
    """One process: its own connections, everybody's customers and orders."""

    def __init__(self, weather: Weather, me: int, dice: random.Random) -> None:
        self.weather, self.me, self.dice = weather, me, dice
        self.store, self.config, self.policy = Store.open(weather.url), weather.config, default_policy()
        self.clock = weather.clock
        self.crm: Connected = connect(self.config, "crm", self.clock, self.store)
        self.watch = Watch(self.clock)
        self.watch.begin()

    @property
    def today(self) -> dt.date:
        return day_in(self.clock.now(), "Asia/Shanghai")

    @property
    def call(self) -> tuple[Any, ...]:
        return (self.store, self.config, self.policy, self.clock)

    def step(self) -> None:
        """One thing happens, or is refused."""
        kind = self.dice.choices(KINDS, tuple(WEIGHTS.values()))[0]
        if kind == "arrive" and len(self.open_orders()) >= MOST_OPEN:
            kind = "finish"
        place = self.me * len(KINDS) + KINDS.index(kind)
        try:
            happened = bool(getattr(self, kind)())
        except (ConfigError, Lost, LeaseLost):
            happened = False
        (self.weather.done if happened else self.weather.refused)[place] += 1
        for at, count in enumerate(self.watch.seen.values()):
            self.weather.proved[self.me * PROOFS + at] += count
        self.watch.seen = dict.fromkeys(self.watch.seen, 0)

    # --- facts: what the systems say ---
    def open_orders(self, *states: str) -> list[Row]:
        with self.store.reading() as tx:
            return [o for o in rows(tx, "kind IN ('books', 'crm')") if o.status in (states or ("open",))]

    def some(self, *states: str) -> Row | None:
        found = self.open_orders(*states)
        return self.dice.choice(found) if found else None

    @contextlib.contextmanager
    def saying(self) -> Iterator[Connection]:
        with self.store.writing(durable=False, concern=Concern()) as tx:
            yield tx

    def tell(self, tx: Connection, row: Row, ship_on: dt.date | None = None) -> None:
        customer = row.customer if row.kind == "books" else account_of(row.customer)
        said = Order(
            id=row.ref, number=row.number, customer_id=customer, ordered_on=NOON.date(), ship_on=ship_on,
            currency="CNY", amount=row.amount * 100, status=row.status, terms=row.more or None,  # type: ignore[arg-type]
        )  # fmt: skip
        self.save(tx, "orders" if row.kind == "books" else "sales_orders", said, system=row.kind)

    def save(self, tx: Connection, stream: str, *facts: Any, system: str = "books") -> None:
        save(tx, stream, facts, system=system, now=self.clock.now(), ledger_currency="CNY")

    def arrive(self) -> bool:
        number = self.me + WORKERS * self.weather.born[self.me]
        self.weather.born[self.me] += 1
        customer, amount = customer_of(number), self.dice.randrange(20, 400)
        ship_on = self.today + dt.timedelta(days=self.dice.randrange(30))
        for system in systems_of(number):
            ref = f"B{number}" if system == "books" else crm_order(number)
            row = Row(system, ref, customer, amount, "open", f"S{number}", TERMS[0] if system == "books" else "")
            with self.saying() as tx:
                add(tx, row)
                self.tell(tx, row, ship_on)
            if self.dice.random() < 0.8:
                self.check(row, "confirmation")
        return True

    def alter(self, row: Row | None, point: str, **more: Any) -> bool:
        if row is None:
            return False
        with self.saying() as tx:
            now = change(tx, row, **more)
            if now is None or now.amount < 1:
                raise Lost
            self.tell(tx, now)
        if self.dice.random() < 0.7 and now.status == "open":
            self.check(now, point)
        return True

    def resize(self) -> bool:
        row = self.some()
        by = self.dice.randrange(-60, 100)
        return self.alter(row, "change", amount=max(by, 1 - row.amount) if row is not None and by < 0 else by)

    def terms(self) -> bool:
        row = self.some()
        if row is None or row.kind == "crm":
            return False
        return self.alter(row, "change", more=self.dice.choice(TERMS))

    def finish(self) -> bool:
        return self.alter(self.some(), "", status=self.dice.choice(("closed", "cancelled")))

    def reopen(self) -> bool:
        return self.alter(self.some("closed", "cancelled"), "reopen", status="open")

    def invoice(self) -> bool:
        customer, amount = self.dice.choice(CUSTOMERS), self.dice.randrange(10, 200)
        due_on = self.today - dt.timedelta(days=self.dice.choice((-30, -20, 0, 10, 31)))
        ref = f"I{self.me}-{self.weather.born[self.me]}-{self.dice.getrandbits(40):x}"
        issued_on = min(due_on, self.today) - dt.timedelta(days=30)
        with self.saying() as tx:
            add(tx, Row("invoice", ref, customer, amount))
            said = Document(
                id=ref, customer_id=customer, kind="invoice", issued_on=issued_on, due_on=due_on, currency="CNY",
                amount=amount * 100,
            )  # fmt: skip
            self.save(tx, "documents", said)
        return True

    def pay(self) -> bool:
        """An invoice is paid, in one or two parts."""
        with self.store.reading() as tx:
            found = rows(tx, "kind = 'invoice' AND status = 'open'")
        if not found:
            return False
        row = self.dice.choice(found)
        part = row.amount if self.dice.random() < 0.7 else self.dice.randint(1, row.amount)
        with self.saying() as tx:
            now = change(tx, row, amount=-part)
            if now is None or now.amount < 0:
                raise Lost
            if now.amount == 0:
                change(tx, now, status="paid")
            ref = f"P-{row.ref}-{now.amount}"
            self.save(
                tx,
                "payments",
                Payment(id=ref, customer_id=row.customer, received_on=self.today, currency="CNY", amount=part * 100),
            )
            self.save(
                tx,
                "applications",
                Application(id=f"A-{ref}", from_id=ref, to_id=row.ref, amount=Decimal(part), applied_on=self.today),
            )
        return True

    def limit(self) -> bool:
        customer = self.dice.choice(CUSTOMERS)
        amount = int(LIMITS[customer] * self.dice.choice((0.3, 0.6, 0.8, 1, 1, 1.3)))
        with self.saying() as tx:
            (row,) = rows(tx, "kind = 'customer' AND ref = :ref", ref=customer)
            change(tx, row, amount=amount)
            self.save(tx, "limits", limit_fact(customer, amount))
        return True

    def parent(self) -> bool:
        """B goes over to the other group, or stands alone."""
        group = self.dice.choice((*GROUPS, ""))
        with self.saying() as tx:
            (row,) = rows(tx, "kind = 'customer' AND ref = 'B'")
            change(tx, row, more=group)
            self.save(tx, "customers", customer_fact("B", group))
        return True

    def day(self) -> bool:
        """The next day, with everything read again."""
        self.weather.days.value += 1
        with self.saying() as tx:
            read_again(tx, self.clock.now())
        return True

    # --- checks and people ---
    def check(self, row: Row | None = None, point: str | None = None) -> bool:
        row = row or self.some()
        if row is None:
            return False
        point = point or self.dice.choice(("confirmation", "release", "delivery", "change", "recheck", "entry"))
        with contextlib.suppress(ConfigError):  # closed meanwhile
            orders.check(*self.call, f"{row.kind}/{row.ref}", point, f"system:{row.kind}", systems=[self.crm])
            return True
        return False

    def ask(self) -> bool:
        """Somebody asks of an order to come, and mostly has its credit reserved; now and then he asks again."""
        number = self.me + WORKERS * (self.weather.born[self.me] + self.dice.randrange(3))
        amount = Decimal(random.Random(number).randrange(20, 300))
        minutes = self.dice.choice((None, 1, 1, 15))
        asked = Asked(
            f"books/{customer_of(number)}", amount, order=f"S{number}", key=f"{number} {minutes}", minutes=minutes,
            caller="person:chen.jie",
        )  # fmt: skip
        (found,) = check_all(*self.call, [asked], [self.crm])
        if isinstance(found, HoldfastError):
            raise found
        return True

    def give_back(self) -> bool:
        with self.store.reading() as tx:
            found = [row[0] for row in tx.execute(text("SELECT id FROM reservation WHERE ended_at IS NULL"))]
        if not found:
            return False
        give_back(self.store, self.clock, self.dice.choice(found), "person:chen.jie")
        return True

    def person(self) -> Person:
        return self.dice.choice(PEOPLE).person

    def on_one(self, what: Callable[..., Any], *who: Any, **more: Any) -> bool:
        row = self.some()
        if row is None:
            return False
        what(*self.call, f"{row.kind}/{row.ref}", *who, **more, systems=[self.crm])
        return True

    def request(self) -> bool:
        return self.on_one(orders.request, self.person(), "a good customer")

    def release(self) -> bool:
        until = self.today + dt.timedelta(days=self.dice.randrange(4))
        return self.on_one(orders.release, self.person(), "the money is on its way", valid_until=until)

    def refuse(self) -> bool:
        return self.on_one(orders.refuse, self.person(), "too much at once")

    def hold(self) -> bool:
        return self.on_one(orders.hold, self.person(), "wait for the contract")

    def lift(self) -> bool:
        with self.store.reading() as tx:
            found = [name for name, state in states(tx).items() if state.manual]
        if not found:
            return False
        name = "/".join(self.dice.choice(found))
        orders.hold(*self.call, name, self.person(), "the contract is here", lift=True, systems=[self.crm])
        return True

    def exclude(self) -> bool:
        """A person forces a hold on somebody, or sets rules aside for the one who is exempt."""
        customer = self.dice.choice(CUSTOMERS)
        with self.store.reading() as tx:
            debtor = next(r.debtor for r in customers.customers(tx, systems=["books"]) if r.ref == customer)
        effect = self.dice.choice(("release", "exclude")) if customer in EXEMPT else "hold"
        exclude(
            *self.call, self.person(), effect=effect, why="we know them", scope="customer", debtor=debtor,  # type: ignore[arg-type]
            valid_to=self.today + dt.timedelta(days=1), systems=[self.crm],
        )  # fmt: skip
        return True

    def end_exclusion(self) -> bool:
        with self.store.reading() as tx:
            found = [one.id for one, row in exclusions.listing(tx) if row.ended_at is None]
        if not found:
            return False
        end_exclusion(*self.call, self.person(), self.dice.choice(found), "no more", systems=[self.crm])
        return True

    # --- jobs, under their lease ---
    @contextlib.contextmanager
    def at_work(self) -> Iterator[Fenced]:
        """The right to do the jobs. Raises Lost where another has it."""
        with contextlib.ExitStack() as stack:
            try:
                held = stack.enter_context(lease(self.store, self.clock, "run"))
            except TransientError as wrong:
                raise Lost from wrong
            yield held

    def evaluate(self) -> bool:
        with self.at_work() as held:
            run = evaluate(
                held, self.config, self.policy, self.clock, systems=[self.crm], full=self.dice.random() < 0.2
            )
            assert run.failed is None or "taken over" in str(run.failed.en), run.failed
        return True

    def push(self) -> bool:
        with self.at_work() as held:
            push(held, self.crm)
        return True


def limit_fact(customer: str, amount: int) -> Limit:
    return Limit(id=f"L-{customer}", customer_id=customer, kind="base", amount=amount * 100, currency="CNY")


def customer_fact(ref: str, parent: str) -> Customer:
    return Customer(id=ref, name=ref, currency="CNY", parent_id=parent or None)


def opening(tx: Connection, now: dt.datetime) -> None:
    """The customers of the storm, in the ledger and in the CRM, and their limits."""
    more: dict[str, Any] = {"now": now, "ledger_currency": "CNY"}
    for ref in CUSTOMERS:
        add(tx, Row("customer", ref, ref, LIMITS[ref], "now", more=PARENTS.get(ref, "")))
    save(tx, "customers", [customer_fact(ref, PARENTS.get(ref, "")) for ref in CUSTOMERS], **more)
    save(tx, "limits", [limit_fact(ref, LIMITS[ref]) for ref in CUSTOMERS], **more)
    accounts = [Customer(id=account_of(ref), name=f"{ref} account", external_id=ref) for ref in CUSTOMERS]
    save(tx, "accounts", accounts, system="crm", **more)
    read_again(tx, now)


def read_again(tx: Connection, now: dt.datetime) -> None:
    """All streams of both systems have just been read to their end."""
    for stream in STREAMS:
        save(tx, stream, [], now=now)
    for stream in CRM_STREAMS:
        save(tx, stream, [], system="crm", now=now)
