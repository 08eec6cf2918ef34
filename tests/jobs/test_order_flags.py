"""Order checks and releases end to end: what they owe to the CRM where the same order lives, seen there after a push."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector.config_people import PersonSettings
from connector.credit.authority import Person
from connector.mapping import ORDER_WORDS
from connector.policy import default_policy
from jobs import order as orders
from jobs import words
from jobs.frame import frame
from jobs.judge import judge
from jobs.night import connected_systems
from jobs.pull import pull
from jobs.push import push
from tests.jobs.test_night import Night
from tests.jobs.test_night import night as night

PEOPLE = (
    PersonSettings(id="chen.jie", name="Chen Jie", roles=("sales",)),
    PersonSettings(id="li.wei", name="Li Wei", roles=("approver",)),
)
RATES = "on,from,to,rate\n2026-11-19,USD,CNY,7.10\n"
ORDERS = "id,customer_id,number,ordered_on,ship_on,currency,amount,status\n"


class Desk:
    """Crane, who has a limit of CNY 50,000, orders for USD 10,000; the CRM has the same order in CNY."""

    def __init__(self, night: Night, language: str) -> None:
        business = night.config.business.model_copy(update={"language": language})
        night.config = night.config.model_copy(update={"people": PEOPLE, "business": business})
        self.night, self.policy = night, default_policy()
        mine = night.account("Crane")["id"]
        first = night.crm.shelf.all("Sales_Orders")[0]
        self.twin = str(first["id"])
        row = {**first, "Account_Name": {"id": mine, "name": "Crane"}, "SO_Number": "SO-9", "Status": "Created"}
        for other in night.crm.shelf.all("Sales_Orders"):  # Crane has this one order there
            night.crm.shelf.drop("Sales_Orders", other["id"])
        night.crm.shelf.put("Sales_Orders", self.twin, row)
        night.write("rates", RATES)
        night.run()
        night.write("orders", f"{ORDERS}O9,C3,SO-9,2026-11-20,2026-11-30,USD,10000.00,open\n")
        self.systems = connected_systems(night.config, night.clock)
        pull(night.store, self.systems[0])

    def person(self, name: str) -> Person:
        return next(p.person for p in PEOPLE if p.id == name)

    def check(self, wanted: str = "SO-9") -> orders.Checked:
        n = self.night
        return orders.check(
            n.store, n.config, self.policy, n.clock, wanted, "confirmation", "system:books", systems=self.systems
        )

    def push(self) -> dict[str, Any]:
        done = push(self.night.store, self.systems[1])
        assert not done.failed
        assert done.problems == []
        return dict(self.night.crm.shelf.get("Sales_Orders", self.twin))

    def listed(self) -> list[tuple[str, str]]:
        """The orders that are judged by themselves, as `holdfast order list` shows them."""
        n = self.night
        with n.store.reading() as tx:
            base = frame(tx, n.config, self.policy, n.clock, n.clock.at.date())
            return [(r.system, r.ref) for j in judge(tx, base) for r, _ in j.orders if r.key in j.rooms]


@pytest.mark.parametrize(
    ("language", "reason", "way_out"),
    [
        (
            "en",
            "with this order exposure is CNY 71,700.00 and exceeds the limit of CNY 50,000.00",
            "What lets it go: only a part of the order",
        ),
        ("zh", "含本单信用占用 CNY 71,700.00，超过信用额度 CNY 50,000.00", "解除办法：仅确认部分订单"),
    ],
)
def test_a_check_flags_the_order_in_the_crm_and_a_release_lifts_it(
    night: Night, language: str, reason: str, way_out: str
) -> None:
    desk = Desk(night, language)
    assert not desk.push().get("Credit_Hold")
    assert desk.check().hold
    held = desk.push()
    assert held["Credit_Hold"] is True
    assert reason in held["Credit_Hold_Reason"]
    assert way_out in held["Credit_Hold_Reason"]
    assert held["~locked"]["Locked_Reason__s"].endswith(held["Credit_Hold_Reason"])
    assert desk.listed() == [("books", "O9")], "one order, whatever the currency of its twin"

    n = night
    sales, approver = desk.person("chen.jie"), desk.person("li.wei")
    orders.request(n.store, n.config, desk.policy, n.clock, "SO-9", sales, "a big customer", systems=desk.systems)
    assert desk.push()["Credit_Hold"] is True, "asked for is not released"
    given = orders.release(
        n.store, n.config, desk.policy, n.clock, "SO-9", approver, "paid in advance", systems=desk.systems
    )
    assert given.state == "released"
    lifted = desk.push()
    assert lifted["Credit_Hold"] is False
    assert not lifted["Credit_Hold_Reason"]
    assert "~locked" not in lifted

    # The release ends: it is held again, there too.
    n.clock.at += dt.timedelta(days=60)
    pull(n.store, desk.systems[0])
    n.run()
    assert n.crm.shelf.get("Sales_Orders", desk.twin)["Credit_Hold"] is True


def test_the_order_may_be_asked_for_by_either_name(night: Night) -> None:
    desk = Desk(night, "en")
    found = desk.check(f"crm/{desk.twin}")
    assert found.hold
    assert desk.push()["Credit_Hold"] is True
    assert desk.check("books/O9").hold
    assert desk.listed() == [("books", "O9")]


def test_a_quiet_check_owes_nothing_twice(night: Night) -> None:
    desk = Desk(night, "en")
    desk.check()
    desk.push()
    before = len(night.crm.writes())
    desk.check()
    desk.push()
    assert len(night.crm.writes()) == before


def test_an_order_is_told_in_every_word_that_a_mapping_may_write(night: Night) -> None:
    desk = Desk(night, "en")
    judged = desk.check().judged
    row, checked = judged.orders[0]
    assert set(words.of_order(row, checked, judged, "en")) == set(ORDER_WORDS)
