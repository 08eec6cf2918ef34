"""Releases that are asked for in a field of the order, inside the CRM: by whom, once, and what comes back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from connector.adapter import Record
from connector.credit.authority import Person
from connector.errors import NotAllowed
from connector.model import ReleaseRequest
from connector.policy import default_policy
from connector.store import customers, order_credit, outbox
from connector.store.db import Store
from jobs import order as orders
from jobs.night import connected_systems
from jobs.requests import heed_requests
from jobs.run import Run
from tests.jobs.notice_desk import NoticeDesk
from tests.jobs.test_night import Night
from tests.jobs.test_night import night as night
from tests.store.conftest import store as store

DAY = dt.date.fromisoformat


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> NoticeDesk:
    """Huadong has 450,000 open of 500,000; the CRM's order Q1 over 100,000 is held."""
    made = NoticeDesk.make(store, tmp_path)
    made.invoice("D1", "C1", 450_000, DAY("2026-12-10"))
    made.crm_order("Q1", "A1", 100_000, owner="57")
    made.run()
    assert made.states() == {"Q1": "held"}
    return made


def says(desk: NoticeDesk, reason: str | None, by: str = "57") -> None:
    """What stands in the field of Q1 now."""
    desk.crm_asks("Q1", reason, by)


def heed(desk: NoticeDesk) -> Run:
    return heed_requests(desk.store, desk.config, desk.policy, desk.clock, systems=desk.connected)


def told(desk: NoticeDesk) -> list[tuple[str, str, str]]:
    with desk.store.reading() as tx:
        (found,) = order_credit.find(tx, "Q1")
        return [(line.what, line.actor, line.why) for line in order_credit.history(tx, orders=[found.key])]


def test_words_in_the_field_are_a_request_by_who_wrote_them(desk: NoticeDesk) -> None:
    says(desk, "  老客户，周一付款 ")
    assert heed(desk).counts["asked"] == 1
    assert told(desk)[1:] == [("requested", "person:chen.jie", "老客户，周一付款")]
    assert desk.states() == {"Q1": "requested"}
    # They stand there still, and our own write has made us the last who changed the order.
    says(desk, "  老客户，周一付款 ", by="99")
    for _ in range(2):
        assert heed(desk).id == 0
    assert len(told(desk)) == 2


def test_other_words_and_the_same_after_an_empty_field_are_another_request(desk: NoticeDesk) -> None:
    says(desk, "please")
    heed(desk)
    desk.refuse("Q1", "li.wei")
    says(desk, "please, it is urgent")
    heed(desk)
    assert desk.states() == {"Q1": "requested"}
    desk.refuse("Q1", "li.wei")
    says(desk, None)
    assert heed(desk).id == 0
    says(desk, "please, it is urgent")
    heed(desk)
    assert [what for what, _, _ in told(desk)] == ["held", *(["requested", "refused"] * 2), "requested"]


def test_who_is_not_in_config_toml_asks_under_his_name_there(desk: NoticeDesk) -> None:
    says(desk, "please", by="u-zhou")
    heed(desk)
    assert told(desk)[-1] == ("requested", "person:crm/u-zhou", "please")
    desk.refuse("Q1", "li.wei", "no")
    desk.tell()
    refusals = {
        t.values["Owner"] for t in desk.tasks() if t.values["Subject"].startswith(("Release refused", "放行被拒"))
    }
    assert refusals == {"57", "u-zhou"}, "the owner, and who asked"


def test_who_asked_there_does_not_decide_here(desk: NoticeDesk) -> None:
    says(desk, "mine", by="52")  # Li Wei
    heed(desk)
    with pytest.raises(NotAllowed) as refused:
        desk.release("Q1", "li.wei")
    assert refused.value.user.en == "Li Wei asked for it: somebody else has to approve it."


def test_a_crash_between_the_request_and_the_note_of_it_asks_once(desk: NoticeDesk) -> None:
    says(desk, "please")
    desk.asks("Q1", "chen.jie", "please")
    heed(desk)
    assert [what for what, _, _ in told(desk)] == ["held", "requested"]
    assert heed(desk).id == 0


def test_an_order_that_is_not_held_needs_no_release(desk: NoticeDesk) -> None:
    desk.invoice("D1", "C1", 0, DAY("2026-12-10"))
    desk.run()
    says(desk, "please")
    done = heed(desk)
    assert [(p.where, p.what.en) for p in done.problems] == [("crm/Q1", "Order crm/Q1 is not held.")]
    assert heed(desk).id == 0


def test_the_order_itself_says_what_has_become_of_it(desk: NoticeDesk) -> None:
    says(desk, "please")
    heed(desk)
    with desk.store.reading() as tx:
        (row,) = outbox.listing(tx, kind="order_fields", states=("owed",))
    assert row.values["Credit_Hold_Reason"].endswith("\nA release is asked for.")
    orders.refuse(
        desk.store, desk.config, desk.policy, desk.clock, "Q1", desk.person("li.wei"), "no", systems=desk.connected
    )
    with desk.store.reading() as tx:
        (row,) = outbox.listing(tx, kind="order_fields", states=("owed",))
    assert row.values["Credit_Hold_Reason"].endswith("\nThe release is refused.")


def test_the_shipped_mappings_read_the_field() -> None:
    from connector import mapping as mappings
    from connector.converters import Context

    record = {
        "zoho_crm": {
            "id": "1",
            "Account_Name": {"id": "2"},
            "Credit_Release_Request": "please",
            "Modified_By": {"id": "57"},
        },
        "odoo": {"_id": "1", "x_credit_release_request": "please", "write_uid": 57},
        "fxiaoke": {"_id": "1", "label?:申请放行": "please", "last_modified_by": ["57"]},
    }
    for name, data in record.items():
        mapping, problems = mappings.load(mappings.shipped(name), name=name)
        assert mapping is not None, problems
        stream = "sales_orders" if name == "zoho_crm" else "orders"
        (table,) = [t for t in mapping.reads[stream] if t.fact == "release_request"]
        field = next(key for key, value in data.items() if value == "please")
        asked = [ReleaseRequest(order_id="1", reason="please", by="57")]
        for said, expected in ((data, asked), ({**data, field: ""}, [])):
            facts: list[object] = []
            table.read(Record("1", said), Context(), facts, [])  # type: ignore[arg-type]
            assert facts == expected, name
        (need,) = mapping.needs_to_read("release_request", "Orders")
        assert (need.object, need.type, need.length) == ("Orders", "text", 2000)
        assert "?" not in need.name


def test_asked_for_in_zoho_and_answered_there(night: Night) -> None:
    """The whole way, over a socket: the field is filled in, the pull reads it, the flag of the order answers."""
    night.run()
    order = next(o for o in night.crm.shelf.all("Sales_Orders") if o.get("Credit_Hold"))
    assert "Credit_Release_Request" not in order or not order["Credit_Release_Request"]

    def shown() -> Any:
        return next(o for o in night.crm.shelf.all("Sales_Orders") if o["id"] == order["id"])

    night.clock.sleep(900)
    by = order["Owner"]
    at = night.clock.now().isoformat(timespec="seconds")
    said = {"Credit_Release_Request": "they pay on Monday", "Modified_Time": at, "Modified_By": by}
    night.crm.shelf.put("Sales_Orders", order["id"], {**order, **said})
    night.clock.sleep(60)
    done = night.run()
    assert not any(run.failed for run in done.values())
    assert done["requests"].counts["asked"] == 1
    assert shown()["Credit_Hold_Reason"].endswith("\nA release is asked for.")
    assert shown()["Credit_Release_Request"] == "they pay on Monday", "what people write stays theirs"
    with night.store.reading() as tx:
        (line,) = [x for x in order_credit.history(tx, debtors=_all(tx)) if x.what == "requested"]
    assert (line.actor, line.why) == (f"person:crm/{by['id']}", "they pay on Monday")
    night.clock.sleep(900)
    assert "requests" not in night.run()
    me = Person("me", roles=frozenset(), alone=True)
    orders.release(
        night.store, night.config, default_policy(), night.clock, f"crm/{order['id']}", me, "agreed",
        systems=connected_systems(night.config, night.clock),
    )  # fmt: skip
    night.run()
    assert shown()["Credit_Hold"] is False


def _all(tx: Any) -> list[int]:
    return sorted({row.debtor for row in customers.customers(tx) if row.debtor is not None})
