"""A shop with a CRM and a mail server, for tests of notices: Chen Jie sells, Wang Fang and Li Wei decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connector.config import Business, Config, System
from connector.config_mail import MailSettings
from connector.config_people import PersonSettings
from connector.connect import Connected, connect
from connector.model import Customer, Order, ReleaseRequest
from connector.model import Person as User
from connector.store import customers as customers_of
from connector.store import links, outbox
from connector.store.db import Store
from connector.store.facts import Kept
from connector.store.outbox import OutboxRow
from jobs import order as orders
from jobs.mailing import deliver, notify
from jobs.notices import tell
from jobs.run import Run
from tests.jobs.shop import SYSTEM, Shop
from tests.store.books import save

CRM = System(
    name="crm",
    adapter="zoho_crm",
    roles=("crm",),
    settings={"data_center": "cn"},
    secrets={"client_id": "env:NONE", "client_secret": "env:NONE", "refresh_token": "env:NONE"},
)
PEOPLE = (
    PersonSettings(
        id="wang.fang", name="王芳", roles=("credit_controller",), language="zh", email="wang@example.com",
        ids={"crm": "51"},
    ),
    PersonSettings(id="li.wei", name="Li Wei", roles=("approver",), email="li@example.com", ids={"crm": "52"}),
    PersonSettings(id="zhao.min", name="Zhao Min", roles=("approver",), email="zhao@example.com"),
    PersonSettings(
        id="chen.jie", name="陈洁", roles=("sales",), language="zh", email="chen@example.com",
        ids={"books": "u7", "crm": "57"},
    ),
)  # fmt: skip


def config(folder: Path, mail: MailSettings | None = None, systems: tuple[System, ...] = (SYSTEM, CRM)) -> Config:
    return Config(
        business=Business(currency="CNY", time_zone="Asia/Shanghai", language="en"),
        systems=systems,
        people=PEOPLE,
        mail=mail or MailSettings(),
        root=folder,
    )


class NoticeDesk(Shop):
    """C1 (limit 500,000) is Chen Jie's, and account A1 in the CRM; C2 (limit 100,000) belongs to a user of the CRM who is
    not in config.toml, u-zhou."""

    @classmethod
    def make(cls, store: Store, folder: Path, mail: MailSettings | None = None) -> NoticeDesk:
        made = cls(store, config(folder, mail))
        made.customers(
            Customer(id="C1", name="华东机械", currency="CNY", terms="net:30", owner="u7"),
            Customer(id="C2", name="Crane Ltd", currency="CNY", terms="net:30"),
            limits={"C1": 500_000, "C2": 100_000},
        )
        made.crm_says("accounts", Customer(id="A1", name="华东机械", external_id="C1", owner="57"))
        made.crm_says("accounts", Customer(id="A2", name="Crane Ltd", external_id="C2", owner="u-zhou"))
        made.crm_says("users", User(id="57", name="陈洁", email="chen@example.com"))
        made.crm_says("users", User(id="u-zhou", name="Zhou Yan", email="zhou@example.com"))
        made.crm_says("users", User(id="53", name="Zhao Min", email="ZHAO@example.com"))
        with store.writing() as tx:
            rows = {row.ref: row for row in customers_of.customers(tx)}
            for account, customer in (("A1", "C1"), ("A2", "C2")):
                debtor = rows[customer].debtor
                assert debtor is not None
                links.link(tx, rows[account].key, debtor, "external_id")
        return made

    def crm_says(self, stream: str, *said: Any) -> None:
        with self.store.writing(durable=False) as tx:
            save(tx, stream, said, system="crm", now=self.clock.now())

    def crm_order(self, ref: str, account: str, amount: int, **more: Any) -> None:
        more = {"ordered_on": self.today, "currency": "CNY", "status": "open", **more}
        self.crm_says("sales_orders", Order(id=ref, customer_id=account, amount=amount * 100, **more))

    def crm_asks(self, ref: str, reason: str | None, by: str = "57") -> None:
        """What stands in the field of an order for asking for its release (None: nothing), and who wrote it."""
        said = [ReleaseRequest(order_id=ref, reason=reason, by=by)] if reason is not None else []
        with self.store.writing(durable=False) as tx:
            kept = Kept(f"request:{ref}", {"reason": reason}, repr(said), said)
            save(tx, "sales_orders", [kept], system="crm", now=self.clock.now())

    @property
    def connected(self) -> list[Connected]:
        return [connect(self.config, "crm", self.clock)]

    def tell(self) -> Run:
        done = tell(self.store, self.config, self.policy, self.clock, systems=self.connected)
        assert done.failed is None, done.failed
        return done

    def deliver(self) -> Run:
        return deliver(self.store, self.config, self.clock)

    def notify(self) -> list[Run]:
        return notify(self.store, self.config, self.policy, self.clock, systems=self.connected)

    def asks(self, ref: str, who: str, why: str) -> None:
        orders.request(self.store, self.config, self.policy, self.clock, ref, self.person(who), why)

    def tasks(self, state: str | None = None) -> list[OutboxRow]:
        """The tasks of notices in the outbox, oldest first."""
        with self.store.reading() as tx:
            rows = outbox.listing(tx, states=None, kind="task")
        mine = [r for r in reversed(rows) if r.key.startswith(("order:", "orders:", "release:"))]
        return [r for r in mine if state is None or r.state == state]
