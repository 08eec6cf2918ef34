"""A shop for tests of orders: facts put into a store directly, a clock, and the jobs by short names."""

from __future__ import annotations

import datetime as dt
import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.clock import FixedClock
from connector.config import Business, Config, System
from connector.config_people import PersonSettings
from connector.credit.authority import Person
from connector.model import Customer, Document, Fact, Limit, Order
from connector.policy import Policy, default_policy
from connector.store import order_credit
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.order_credit import Standing
from jobs import order as orders
from jobs.evaluate import evaluate
from jobs.link import link
from tests.store.books import save

NOON = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 20)
STREAMS = ("customers", "limits", "documents", "instalments", "payments", "applications", "orders", "order_lines")
SYSTEM = System(name="books", adapter="files", roles=("erp",), settings={"path": "book"})
PEOPLE = (
    PersonSettings(id="wang.fang", name="Wang Fang", roles=("credit_controller",)),
    PersonSettings(id="li.wei", name="Li Wei", roles=("approver",)),
    PersonSettings(id="zhao.min", name="Zhao Min", roles=("approver",)),
    PersonSettings(id="chen.jie", name="Chen Jie", roles=("sales",), ids={"books": "u7"}),
    PersonSettings(id="he.ping", name="He Ping", roles=("approver", "sales"), ids={"books": "u8"}),
)


def config(folder: Path, people: tuple[PersonSettings, ...] = PEOPLE) -> Config:
    return Config(
        business=Business(currency="CNY", time_zone="Asia/Shanghai", language="en"),
        systems=(SYSTEM,),
        people=people,
        root=folder,
    )


@dataclass
class Shop:
    """One ledger without a CRM. Amounts are whole yuan."""

    store: Store
    config: Config
    policy: Policy = field(default_factory=default_policy)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))

    @property
    def today(self) -> dt.date:
        return self.clock.at.date()

    def person(self, name: str) -> Person:
        return next(p.person for p in self.config.people if p.id == name)

    # --- facts ---
    def say(self, stream: str, *said: Fact) -> None:
        with self.store.writing(durable=False, concern=Concern()) as tx:
            save(tx, stream, said, now=self.clock.now(), ledger_currency="CNY")

    def fresh(self) -> None:
        """All streams have just been read to their end."""
        for stream in STREAMS:
            self.say(stream)

    def customers(self, *said: Customer, limits: dict[str, int]) -> None:
        self.say("customers", *said)
        self.say("limits", *(self.limit(ref, amount) for ref, amount in limits.items()))
        self.fresh()
        link(self.store, self.config, self.clock)

    def limit(self, ref: str, amount: int) -> Limit:
        return Limit(id=f"L-{ref}", customer_id=ref, kind="base", amount=amount * 100, currency="CNY")

    def order(self, ref: str, customer: str, amount: Any, **more: Any) -> None:
        more = {"ordered_on": self.today, "currency": "CNY", "status": "open", **more}
        self.say("orders", Order(id=ref, customer_id=customer, amount=int(Decimal(amount) * 100), **more))

    def invoice(self, ref: str, customer: str, amount: Any, due_on: dt.date, **more: Any) -> None:
        issued = min(due_on, self.today) - dt.timedelta(days=30)
        value = int(Decimal(amount) * 100)
        said = Document(
            id=ref, customer_id=customer, kind="invoice", issued_on=issued, due_on=due_on, currency="CNY", amount=value,
            **more,
        )  # fmt: skip
        self.say("documents", said)

    # --- jobs ---
    def days(self, count: int = 1) -> None:
        """So many days later, with everything read again."""
        self.clock.at += dt.timedelta(days=count)
        self.fresh()

    def run(self) -> Any:
        done = evaluate(self.store, self.config, self.policy, self.clock)
        assert not done.failed, done.failed
        return done

    def check(self, ref: str, point: str = "confirmation", actor: str = "system:books") -> orders.Checked:
        return orders.check(self.store, self.config, self.policy, self.clock, ref, point, actor)

    def request(self, ref: str, who: str, why: str = "a good customer") -> Any:
        return orders.request(self.store, self.config, self.policy, self.clock, ref, self.person(who), why)

    def release(self, ref: str, who: str, why: str = "payment is on its way", **more: Any) -> Standing:
        who_ = self.person(who)
        return orders.release(self.store, self.config, self.policy, self.clock, ref, who_, why, **more)

    def refuse(self, ref: str, who: str, why: str = "too much at once") -> Standing:
        return orders.refuse(self.store, self.config, self.policy, self.clock, ref, self.person(who), why)

    def hold(self, ref: str, who: str, why: str = "wait for the contract", **more: Any) -> Standing:
        return orders.hold(self.store, self.config, self.policy, self.clock, ref, self.person(who), why, **more)

    def states(self) -> dict[str, str]:
        """The state of each order by its id; those that ended are in brackets."""
        with self.store.reading() as tx:
            kept = order_credit.states(tx)
            names = order_credit.orders(tx, list(kept))
        return {names[k].ref: s.state if s.ended_on is None else f"({s.state})" for k, s in kept.items()}

    def happened(self, ref: str) -> list[str]:
        with self.store.reading() as tx:
            (found,) = order_credit.find(tx, ref)
            return [line.what for line in order_credit.history(tx, orders=[found.key])]


def side_by_side(work: Callable[..., None], store: Store, folder: Path, processes: int, preload: Sequence[str]) -> None:
    """Runs `work(url, folder, number, failed)` in so many processes at once; none of them may fail."""
    url = store.engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    failed = context.Queue()
    all_of_them = [
        context.Process(target=work, args=(url, str(folder), number, failed), daemon=True)
        for number in range(processes)
    ]
    for process in all_of_them:
        process.start()
    for process in all_of_them:
        process.join()
    assert [failed.get() for _ in range(failed.qsize())] == []
    assert {process.exitcode for process in all_of_them} == {0}
