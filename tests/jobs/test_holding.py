"""How orders are held in a CRM: by the strongest way that stands, what a person had set there before us left as it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector.policy import default_policy
from connector.store import order_credit, outbox, runs, stops
from jobs.night import connected_systems, work
from jobs.run import Run
from jobs.ways import findings
from tests.jobs.test_night import BOOK, Night
from tests.jobs.test_night import night as night

Row = dict[str, Any]


def nightly(night: Night) -> dict[str, Run]:
    done = work(night.store, night.config, default_policy(), night.clock, nightly=True)
    return {f"{r.job} {r.system}".strip(): r for r in done}


def configured(night: Night, **changed: Any) -> None:
    systems = tuple(s.model_copy(update=changed) if s.name == "crm" else s for s in night.config.systems)
    night.config = night.config.model_copy(update={"systems": systems})


def dragons(night: Night) -> list[Row]:
    """The open orders of Dragon, who is 61 days late, in the CRM."""
    mine = night.account("Dragon")["id"]
    rows = [o for o in night.crm.shelf.all("Sales_Orders") if o["Account_Name"]["id"] == mine]
    found = [o for o in rows if o["Status"] in ("Created", "Approved")]
    assert found
    return found


def put(night: Night, order: Row, **values: Any) -> None:
    night.crm.shelf.put("Sales_Orders", order["id"], {**night.crm.shelf.get("Sales_Orders", order["id"]), **values})


def lock(reason: str) -> Row:
    return {"id": "7", "Locked_Reason__s": reason}


def pays(night: Night) -> None:
    night.write("payments", BOOK["payments"] + "P2,C1,2026-11-19,CNY,3000.00\n")
    night.write("applications", BOOK["applications"] + "P2,I1,3000.00,2026-11-19\n")


def test_a_held_order_is_locked_with_its_reason_and_the_way_out(night: Night) -> None:
    night.run()
    for order in dragons(night):
        assert order["Credit_Hold"] is True
        words = order["Credit_Hold_Reason"]
        assert "61 days overdue" in words
        assert "What lets it go: the customer pays I1, CNY 3,000.00 in all" in words
        assert order["~locked"]["Locked_Reason__s"] == f"Holdfast: {words}"
    pays(night)
    night.run()
    for order in dragons(night):
        assert order["Credit_Hold"] is False
        assert "~locked" not in order
    with night.store.reading() as tx:
        assert stops.stopped(tx, "crm", "order_fields", [o["id"] for o in dragons(night)]) == {}


def test_a_locked_order_cannot_be_edited_there_and_can_when_it_is_let_go(night: Night) -> None:
    from tests.unit.zoho_crm.world import client

    night.run()
    order = dragons(night)[0]
    zoho = client(night.crm, connected_systems(night.config, night.clock)[1].connection.settings.base_url)
    body = {"data": [{"id": order["id"], "Status": "Approved"}], "trigger": []}

    def edit() -> str:
        from adapters.zoho_crm.client import judge_rows

        answer = zoho.http.call("PUT", zoho.path("/Sales_Orders"), safe=True, json=body, judge=judge_rows)
        return str(answer.json()["data"][0]["code"])

    assert edit() == "RECORD_LOCKED"
    pays(night)
    night.run()
    assert edit() == "SUCCESS"


def test_a_lock_and_a_flag_that_somebody_had_set_before_us_stay(night: Night) -> None:
    flagged, free, *_ = dragons(night)
    put(
        night,
        flagged,
        Credit_Hold=True,
        Credit_Hold_Reason="wait for the contract",
        **{"~locked": lock("by Wang Fang")},
    )
    night.run()
    assert "61 days overdue" in night.crm.shelf.get("Sales_Orders", flagged["id"])["Credit_Hold_Reason"]
    pays(night)
    done = night.run()
    left = night.crm.shelf.get("Sales_Orders", flagged["id"])
    assert left["~locked"]["Locked_Reason__s"] == "by Wang Fang"
    assert (left["Credit_Hold"], left["Credit_Hold_Reason"]) == (True, "wait for the contract")
    gone = night.crm.shelf.get("Sales_Orders", free["id"])
    assert gone["Credit_Hold"] is False
    assert "~locked" not in gone
    assert done["push crm"].counts["left"] == 1


def test_a_flag_that_somebody_set_on_an_order_that_passes_is_not_ours_to_lift(night: Night) -> None:
    """An order check that passes owes a word to the CRM, where a person has flagged the order."""
    from jobs import order

    mine = night.account("Crane")["id"]
    passing = next(o for o in night.crm.shelf.all("Sales_Orders") if o["Account_Name"]["id"] == mine)
    put(night, passing, Status="Created", Credit_Hold=True, Credit_Hold_Reason="by hand")
    night.run()
    systems = connected_systems(night.config, night.clock)
    found = order.check(
        night.store, night.config, default_policy(), night.clock, f"crm/{passing['id']}", "confirmation", "system:crm",
        systems=systems,
    )  # fmt: skip
    assert not found.hold
    night.run()
    kept = night.crm.shelf.get("Sales_Orders", passing["id"])
    assert (kept["Credit_Hold"], kept["Credit_Hold_Reason"]) == (True, "by hand")


def test_without_locking_the_flag_is_used_and_that_is_said(night: Night) -> None:
    night.crm.shelf.drop("~locking", "Sales_Orders")
    done = night.run()
    order = dragons(night)[0]
    assert order["Credit_Hold"] is True
    assert "~locked" not in order
    weaker = [p for p in done["push crm"].problems if p.code == "hold_weaker"]
    assert [p.where for p in weaker] == ["crm/order_fields/record_lock"]
    assert "flag on the sales order" in weaker[0].what.en
    assert "锁定销售订单记录" in weaker[0].what.zh
    [crm] = [c for c in connected_systems(night.config, night.clock) if c.name == "crm"]
    assert [f.state for f in findings(crm)] == ["todo", "fine", "fine"], "orders not by lock, but by flag; accounts"


def test_once_locking_is_set_up_the_night_locks_what_is_held(night: Night) -> None:
    kept = night.crm.shelf.get("~locking", "Sales_Orders")
    night.crm.shelf.drop("~locking", "Sales_Orders")
    nightly(night)
    night.crm.shelf.put("~locking", "Sales_Orders", kept)
    nightly(night)
    assert all("~locked" in order for order in dragons(night))
    assert nightly(night)["reconcile crm"].problems == []


def test_who_wants_a_flag_only_gets_a_flag_only_and_locks_of_ours_are_taken_off(night: Night) -> None:
    nightly(night)
    assert all("~locked" in order for order in dragons(night))
    configured(night, hold="flag")
    done = nightly(night)
    assert [p.code for p in done["push crm"].problems] == []
    assert all("~locked" not in order and order["Credit_Hold"] for order in dragons(night))


def test_a_lock_that_somebody_took_off_is_told_once_and_left(night: Night) -> None:
    nightly(night)
    order = dragons(night)[0]
    night.crm.shelf.put("Sales_Orders", order["id"], {k: v for k, v in order.items() if k != "~locked"})
    done = nightly(night)
    (problem,) = done["reconcile crm"].problems
    assert (problem.code, problem.field) == ("undone", "Locked__s")
    assert problem.where == f"crm/order_fields/{order['id']}"
    before = len(night.crm.writes())
    nightly(night)
    assert len(night.crm.writes()) == before
    with night.store.reading() as tx:
        (found,) = order_credit.find(tx, f"crm/{order['id']}")
        told = [line for line in order_credit.history(tx, orders=[found.key]) if line.what == "undone"]
        assert len(told) == 1
        assert (told[0].state, told[0].actor) == ("held", "job:reconcile")
    # It is paid and the matter is over; late again, it is locked again.
    pays(night)
    nightly(night)
    with night.store.reading() as tx:
        assert outbox.undone(tx, "crm") == []
        assert runs.problems(tx, scope="reconcile", codes=["undone"]) == []
    night.write("payments", BOOK["payments"])
    night.write("applications", BOOK["applications"])
    nightly(night)
    assert "~locked" in night.crm.shelf.get("Sales_Orders", order["id"])


def test_a_company_may_choose_to_have_it_locked_again(night: Night) -> None:
    nightly(night)
    configured(night, undone="restore")
    order = dragons(night)[0]
    night.crm.shelf.put("Sales_Orders", order["id"], {k: v for k, v in order.items() if k != "~locked"})
    nightly(night)
    assert "~locked" in night.crm.shelf.get("Sales_Orders", order["id"])


@pytest.mark.parametrize("lost", ["late", "503"])
def test_our_own_hold_is_not_taken_for_a_persons_after_a_lost_answer(night: Night, lost: str) -> None:
    night.crm.faults.plan(lost, times=3, match="PUT .*/Sales_Orders")  # type: ignore[arg-type]
    night.run()
    night.clock.at += dt.timedelta(hours=2)
    night.run()
    pays(night)
    night.clock.at += dt.timedelta(hours=2)
    done = night.run()
    assert done["push crm"].counts["left"] == 0
    for order in dragons(night):
        assert order["Credit_Hold"] is False
        assert "~locked" not in order
