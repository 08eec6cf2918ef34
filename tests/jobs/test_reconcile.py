"""What people change in a system of what we wrote there: holds are told and left, figures restored, nothing is fought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from connector.adapter import Channel
from connector.errors import Problem
from connector.policy import default_policy
from connector.store import audit, outbox, runs
from connector.store.outbox import Owed
from jobs.night import connected_systems, work
from jobs.reconcile import alike, reconcile
from jobs.run import Run
from tests.jobs.test_night import BOOK, Night
from tests.jobs.test_night import night as night


def nightly(night: Night) -> dict[str, Run]:
    done = work(night.store, night.config, default_policy(), night.clock, nightly=True)
    return {f"{r.job} {r.system}".strip(): r for r in done}


def change(night: Night, name: str, **values: Any) -> None:
    """As somebody in the CRM would."""
    account = night.account(name)
    by = {"Modified_By": {"id": "9", "name": "Wang Fang"}, "Modified_Time": "2026-11-20T16:30:00+08:00"}
    night.crm.shelf.put("Accounts", account["id"], {**account, **values, **by})


def open_problems(night: Night, code: str) -> list[Problem]:
    with night.store.reading() as tx:
        return [p.problem for p in runs.problems(tx, scope="reconcile", codes=[code])]


def writes(night: Night) -> int:
    return len(night.crm.writes())


def test_a_quiet_night_finds_nothing_and_writes_nothing(night: Night) -> None:
    nightly(night)
    nightly(night)
    before = writes(night)
    done = nightly(night)
    assert done["reconcile crm"].counts["compared"] >= 5, "three accounts, two of them held, and orders"
    assert done["reconcile crm"].problems == []
    assert writes(night) == before


def test_a_hold_that_somebody_took_off_is_told_and_left(night: Night) -> None:
    nightly(night)
    change(night, "Dragon", Credit_Hold=False)
    before = writes(night)
    done = nightly(night)
    (problem,) = done["reconcile crm"].problems
    target = night.account("Dragon")["id"]
    assert (problem.code, problem.where, problem.field) == ("undone", f"crm/hold/{target}", "Credit_Hold")
    assert problem.what.en == (
        f"The credit hold of Dragon ({target}) was taken off there: Credit_Hold is False, we wrote True. "
        "Last changed by Wang Fang, 2026-11-20 08:30+00:00."
    )
    assert problem.what.zh.startswith(f"Dragon ({target}) 的信用冻结在该系统中被取消：Credit_Hold 现为 False")
    assert writes(night) == before + 1, "a task for the owner, once"
    (task,) = [t for t in night.crm.shelf.all("Tasks") if str(t.get("Credit_Task_Key")).startswith("undone:")]
    assert task["Subject"] == "Credit hold taken off in crm: Dragon"
    assert "Last changed by Wang Fang" in task["Description"]
    with night.store.reading() as tx:
        assert [line.entry.subject for line in audit.listing(tx, action="hold.undone")] == [f"customer:crm/{target}"]
    assert night.account("Dragon")["Credit_Hold"] is False

    # The next night it is the same matter, not a new one; other facts keep the rest of the record right.
    night.write("documents", BOOK["documents"] + "I9,C1,invoice,2026-11-19,2026-12-19,CNY,60000.00\n")
    night.clock.at += dt.timedelta(days=1)
    nightly(night)
    (kept,) = open_problems(night, "undone")
    assert kept.where == f"crm/hold/{target}"
    dragon = night.account("Dragon")
    assert dragon["Credit_Exposure"] == 63000
    assert "CNY 63,000.00 exceeds the limit of CNY 50,000.00" in dragon["Credit_Hold_Reason"]
    assert dragon["Credit_Hold"] is False

    # It is paid: the matter is over. Late again, it is held again.
    night.write("documents", BOOK["documents"])
    night.write("payments", BOOK["payments"] + "P2,C1,2026-11-19,CNY,3000.00\n")
    night.write("applications", BOOK["applications"] + "P2,I1,3000.00,2026-11-19\n")
    nightly(night)
    assert open_problems(night, "undone") == []
    night.write("payments", BOOK["payments"])
    night.write("applications", BOOK["applications"])
    nightly(night)
    assert night.account("Dragon")["Credit_Hold"] is True


def test_who_holds_again_there_ends_the_matter(night: Night) -> None:
    nightly(night)
    change(night, "Dragon", Credit_Hold=False)
    nightly(night)
    change(night, "Dragon", Credit_Hold=True)
    before = writes(night)
    done = nightly(night)
    assert done["reconcile crm"].problems == []
    assert writes(night) == before
    with night.store.reading() as tx:
        assert outbox.undone(tx, "crm") == []


def test_it_is_held_again_by_a_word_from_here(night: Night) -> None:
    nightly(night)
    change(night, "Dragon", Credit_Hold=False)
    nightly(night)
    with night.store.writing() as tx:
        (row,) = outbox.listing(tx)
        assert outbox.restore(tx, row.id, night.clock.now())
    done = nightly(night)
    assert night.account("Dragon")["Credit_Hold"] is True
    assert done["reconcile crm"].problems == []


def test_what_somebody_took_note_of_is_not_told_any_more(night: Night) -> None:
    nightly(night)
    change(night, "Dragon", Credit_Hold=False)
    nightly(night)
    with night.store.writing() as tx:
        (row,) = outbox.listing(tx)
        outbox.drop(tx, row.id, night.clock.now())
    done = nightly(night)
    assert done["reconcile crm"].problems == []
    assert night.account("Dragon")["Credit_Hold"] is False


def test_a_company_may_choose_to_have_it_held_again(night: Night) -> None:
    systems = tuple(s.model_copy(update={"undone": "restore"}) if s.name == "crm" else s for s in night.config.systems)
    nightly(night)
    change(night, "Dragon", Credit_Hold=False)
    nightly(night)  # told and left ...
    night.config = night.config.model_copy(update={"systems": systems})
    nightly(night)  # ... until the company chooses otherwise
    assert night.account("Dragon")["Credit_Hold"] is True
    for _ in range(2):
        change(night, "Dragon", Credit_Hold=False)
        done = nightly(night)
        assert night.account("Dragon")["Credit_Hold"] is True
        assert [p.code for p in done["reconcile crm"].problems] == ["overwritten"]


def test_figures_that_were_overwritten_are_restored_once(night: Night) -> None:
    nightly(night)
    change(night, "Crane", Credit_Limit=999999)
    before = writes(night)
    done = nightly(night)
    (problem,) = done["reconcile crm"].problems
    assert (problem.code, problem.field) == ("overwritten", "Credit_Limit")
    assert "Credit_Limit is 999999, we wrote 50000" in problem.what.en
    assert night.account("Crane")["Credit_Limit"] == 50000
    assert writes(night) == before + 1
    assert nightly(night)["reconcile crm"].problems == []

    change(night, "Crane", Credit_Limit=999999)
    done = nightly(night)
    (problem,) = done["reconcile crm"].problems
    assert problem.code == "overwritten_again"
    assert night.account("Crane")["Credit_Limit"] == 999999, "not a fight"


def test_what_was_decided_while_a_record_was_read_back_is_not_overwritten(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly(night)
    change(night, "Crane", Credit_Limit=999999)
    newer = Owed("crm", "customer_fields", night.account("Crane")["id"], "k", {"Credit_Limit": 7}, "another")

    def decide(_: object, channel: Channel[Any], seen: Sequence[object]) -> dict[str, Any]:
        if channel.kind == "customer_fields" and seen:
            with night.store.writing() as tx:
                assert outbox.owe(tx, [newer]) == 1
        return {}

    monkeypatch.setattr("jobs.reconcile._changes", decide)
    (crm,) = connected_systems(night.config, night.clock, ["crm"], night.store)
    assert reconcile(night.store, crm).problems == []
    with night.store.reading() as tx:
        assert [row.values for row in outbox.listing(tx, states=("owed",), system="crm")] == [newer.values]


def test_a_hold_that_somebody_set_by_hand_is_not_ours_to_lift(night: Night) -> None:
    nightly(night)
    change(night, "Crane", Credit_Hold=True)
    before = writes(night)
    done = nightly(night)
    assert done["reconcile crm"].problems == []
    assert writes(night) == before


def test_the_flag_of_an_order_that_somebody_took_off_is_told(night: Night) -> None:
    nightly(night)
    flagged = next(o for o in night.crm.shelf.all("Sales_Orders") if o.get("Credit_Hold"))
    night.crm.shelf.put("Sales_Orders", flagged["id"], {**flagged, "Credit_Hold": False})
    done = nightly(night)
    (problem,) = done["reconcile crm"].problems
    assert problem.where == f"crm/order_fields/{flagged['id']}"
    assert not night.crm.shelf.get("Sales_Orders", flagged["id"])["Credit_Hold"]


def test_a_crm_in_trouble_forgets_no_matter(night: Night) -> None:
    nightly(night)
    change(night, "Dragon", Credit_Hold=False)
    nightly(night)
    night.crm.faults.plan("503", times=1000, match="GET .*/Accounts.*ids=.*|GET .*/Accounts$")
    done = nightly(night)
    night.crm.faults.planned.clear()
    assert done["reconcile crm"].failed
    assert len(open_problems(night, "undone")) == 1


def test_a_task_whose_hold_cleared_before_it_was_made_is_not_made(night: Night) -> None:
    night.crm.faults.plan("503", times=1000, match="POST .*/Tasks")
    night.run()
    night.crm.faults.planned.clear()
    night.write("payments", BOOK["payments"] + "P2,C1,2026-11-19,CNY,3000.00\n")
    night.write("applications", BOOK["applications"] + "P2,I1,3000.00,2026-11-19\n")
    night.clock.at += dt.timedelta(hours=1)
    done = night.run()
    assert done["evaluate"].counts["withdrawn"] == 1
    keys = sorted(t["Credit_Task_Key"] for t in night.crm.shelf.all("Tasks") if t.get("Credit_Task_Key"))
    assert keys == ["hold:books:C2:2026-11-20"], "Phoenix is still held"


def test_the_flag_of_an_order_that_is_delivered_is_lifted(night: Night) -> None:
    night.run()
    flagged = [o for o in night.crm.shelf.all("Sales_Orders") if o.get("Credit_Hold")]
    assert len(flagged) >= 2
    done_with, other = flagged[0], flagged[1]
    stamp = (night.clock.now() + dt.timedelta(minutes=1)).isoformat(timespec="seconds")
    night.crm.shelf.put("Sales_Orders", done_with["id"], {**done_with, "Status": "Delivered", "Modified_Time": stamp})
    night.clock.at += dt.timedelta(minutes=15)
    night.run()
    lifted = night.crm.shelf.get("Sales_Orders", done_with["id"])
    assert lifted["Credit_Hold"] is False
    assert not lifted["Credit_Hold_Reason"]
    assert night.crm.shelf.get("Sales_Orders", other["id"])["Credit_Hold"] is True
    night.run()
    before = writes(night)
    night.run()
    assert writes(night) == before


def test_an_outage_of_days_parks_nothing_and_stays_an_open_problem(night: Night) -> None:
    night.crm.faults.plan("503", times=10000, match="PUT|POST .*/(Accounts|Tasks)")
    for _ in range(12):
        night.run()
        night.clock.at += dt.timedelta(hours=6)
    with night.store.reading() as tx:
        assert {r.state for r in outbox.listing(tx)} == {"owed"}
        told = {p.problem.code: p for p in runs.problems(tx, scope="push")}
    assert told["waiting"].problem.what.en.startswith("5 writes could not be delivered yet") or "writes could not" in (
        told["waiting"].problem.what.en
    )
    assert told["push_transient"].first_seen < night.clock.now() - dt.timedelta(days=2)
    night.crm.faults.planned.clear()
    night.run()
    assert night.account("Phoenix")["Credit_Hold"] is True
    with night.store.reading() as tx:
        assert runs.problems(tx, scope="push") == []


@pytest.mark.parametrize(
    ("ours", "there", "same"),
    [
        (True, True, True),
        (True, "true", True),
        (True, None, False),
        (False, None, True),
        (False, "false", True),
        (None, False, True),
        (None, "", True),
        (None, 0, True),
        (None, "text", False),
        ("", None, True),
        (50000, "50000.00", True),
        (dt.date(2026, 11, 20), "2026-11-20T00:00:00+08:00", True),
        (dt.date(2026, 11, 20), "2026-11-21", False),
        (7, [7, "Dragon"], True),
        ("two\nlines", "two lines ", True),
        ("x" * 300, "x" * 255, True),
        ("late", "l", False),
        (0, None, False),
        (12, "n/a", False),
    ],
)
def test_what_systems_answer_differently_is_still_the_same(ours: object, there: object, same: bool) -> None:
    assert alike(ours, there) is same
