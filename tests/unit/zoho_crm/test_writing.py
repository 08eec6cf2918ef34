"""Writing to Zoho: one outcome per row, nothing twice, nothing silently dropped."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from adapters.zoho_crm.client import Zoho
from adapters.zoho_crm.fields import Field, encode
from connector.adapter import ActionKind, Channel, Outcome, Write
from connector.errors import ConfigError, ProtocolError, RejectedError, TransientError
from connector.sandbox import Reply, Request, Sandbox
from tests.unit.zoho_crm.world import ADAPTER, mapping, organisation

HOLD = {"Credit_Hold": True, "Credit_Hold_Reason": "over limit 超额"}


def channel(kind: ActionKind) -> Channel[Any]:
    found = ADAPTER.channel(kind)
    assert found is not None
    return found


def send(zoho: Zoho, kind: ActionKind, writes: Sequence[Write]) -> list[Outcome]:
    return list(channel(kind).send(zoho, writes))


def accounts(box: Sandbox, number: int) -> list[str]:
    return [r["id"] for r in box.shelf.all("Accounts")[:number]]


def bodies(box: Sandbox) -> list[Any]:
    """The bodies of the writing calls from now on."""
    seen: list[Any] = []
    answer = box.answer

    def watched(request: Request) -> Any:
        if request.method in ("POST", "PUT") and "oauth" not in request.path and "coql" not in request.path:
            seen.append(json.loads(request.body, parse_float=Decimal))
        return answer(request)

    box.answer = watched  # type: ignore[method-assign]
    return seen


def task(zoho: Zoho, box: Sandbox, key: str, **words: Any) -> Write:
    said = {
        "subject": "Overdue 34 days",
        "body": "I-1: 12.00 CNY",
        "due_on": dt.date(2026, 11, 26),
        "owner": box.shelf.all("~users")[1]["id"],
        "priority": "high",
        "customer": accounts(box, 1)[0],
        "key": key,
        **words,
    }
    return Write(key, said["customer"], mapping().write("task", said)[0])


# --- fields and holds --------------------------------------------------------------------------------------------------
def test_mapped_words_arrive_with_their_types() -> None:
    with organisation(10) as (box, zoho):
        words = {
            "customer_no": "C0001",
            "level": "orange",
            "currency": "JPY",
            "limit": Decimal("50000.00"),
            "utilisation_percent": 83,
            "overdue_days": 34,
            "overdue": Decimal("1234.56"),
            "exposure": Decimal("41500.00"),
            "available": Decimal("8500.00"),
            "as_of": dt.date(2026, 11, 23),
        }
        (target,) = accounts(box, 1)
        values, _ = mapping().write("customer_fields", words)
        assert send(zoho, "customer_fields", [Write("k", target, values)]) == [Outcome("done", target)]
        kept = box.shelf.get("Accounts", target)
        assert kept is not None
        assert {n: kept[n] for n in values} == {
            "ERP_Customer_No": "C0001",
            "Credit_Status": "Warning",
            "Credit_Currency": "JPY",
            "Credit_Limit": Decimal("50000.00"),
            "Credit_Used_Band": "81-100",
            "Overdue_Band": "31-60",
            "Overdue_Amount": Decimal("1234.56"),
            "Credit_Exposure": Decimal("41500.00"),
            "Credit_Available": Decimal("8500.00"),
            "Credit_As_Of": "2026-11-23",
        }


@pytest.mark.parametrize(("kind", "module"), [("hold", "Accounts"), ("order_fields", "Sales_Orders")])
def test_holds_are_set_read_back_and_released(kind: ActionKind, module: str) -> None:
    with organisation(20) as (box, zoho):
        targets = [r["id"] for r in box.shelf.all(module)[:3]]
        on, _ = mapping().write(kind, {"hold": True, "hold_reason": "over limit"})
        assert [o.state for o in send(zoho, kind, [Write("k", t, on) for t in targets])] == ["done"] * 3
        current = channel(kind).current
        assert current is not None
        now = current(zoho, [*targets, "1"])
        assert {t: (v["Credit_Hold"], v["Credit_Hold_Reason"]) for t, v in now.items()} == dict.fromkeys(
            targets, (True, "over limit")
        )
        off, _ = mapping().write(kind, {"hold": False})
        send(zoho, kind, [Write("k", targets[0], off)])
        assert (
            current(zoho, targets[:1])[targets[0]]["Credit_Hold"],
            box.shelf.get(module, targets[0])["Credit_Hold_Reason"],
        ) == (False, None)  # type: ignore[index]


def test_one_call_for_a_hundred_and_workflows_stay_asleep() -> None:
    with organisation(120) as (box, zoho):
        targets, seen = accounts(box, 100), bodies(box)
        assert channel("customer_fields").batch == 100
        outcomes = send(zoho, "customer_fields", [Write(t, t, {"Credit_Status": "Good"}) for t in targets])
        assert [o.remote_id for o in outcomes] == targets
        assert [(len(b["data"]), b["trigger"]) for b in seen] == [(100, [])]


def test_an_admin_may_let_holds_wake_workflows() -> None:
    with organisation(10, hold_triggers=["workflow"]) as (box, zoho):
        seen, (target,) = bodies(box), accounts(box, 1)
        send(zoho, "hold", [Write("k", target, HOLD)])
        send(zoho, "customer_fields", [Write("k", target, {"Credit_Status": "Good"})])
        assert [b["trigger"] for b in seen] == [["workflow"], []]


def test_refused_rows_do_not_hold_up_the_others() -> None:
    with organisation(10) as (box, zoho):
        good, other = accounts(box, 2)
        outcomes = send(
            zoho,
            "customer_fields",
            [
                Write("a", good, {"Credit_Status": "Good"}),
                Write("b", "99", {"Credit_Status": "Good"}),
                Write("c", other, {"ERP_Customer_No": "x" * 101}),
                Write("d", other, {"Credit_Status": "Stop"}),
            ],
        )
        assert [(o.state, o.code) for o in outcomes] == [
            ("done", ""),
            ("rejected", "INVALID_DATA"),
            ("rejected", "INVALID_DATA"),
            ("done", ""),
        ]
        assert outcomes[2].why is not None
        assert "ERP_Customer_No" in outcomes[2].why.zh


def test_all_rows_refused_is_an_answer_too() -> None:
    with organisation(10) as (_, zoho):
        outcomes = send(zoho, "hold", [Write("a", "98", HOLD), Write("b", "99", HOLD)])
        assert [o.state for o in outcomes] == ["rejected", "rejected"]


def test_every_second_row_refused() -> None:
    with organisation(10) as (box, zoho):
        box.faults.plan("partial", match="PUT")
        outcomes = send(zoho, "hold", [Write(t, t, HOLD) for t in accounts(box, 5)])
        assert [o.state for o in outcomes] == ["done", "rejected", "done", "rejected", "done"]
        assert [bool(r.get("Credit_Hold")) for r in box.shelf.all("Accounts")[:5]] == [True, False, True, False, True]


def test_a_locked_record_is_tried_again_later() -> None:
    with organisation(10) as (box, zoho):
        locked, free = accounts(box, 2)
        box.shelf.put("Accounts", locked, {**box.shelf.get("Accounts", locked), "~locked": {"id": "1"}})
        outcomes = send(zoho, "hold", [Write("a", locked, HOLD), Write("b", free, HOLD)])
        assert [(o.state, o.code) for o in outcomes] == [("again", "RECORD_LOCKED"), ("done", "")]
        assert outcomes[0].retry_after == 3600
        assert "锁定" in outcomes[0].why.zh  # type: ignore[union-attr]


def test_a_field_that_is_not_there_is_never_dropped_in_silence() -> None:
    with organisation(10) as (box, zoho):
        with pytest.raises(ConfigError, match="Credit_Limt"):
            send(zoho, "customer_fields", [Write("a", accounts(box, 1)[0], {"Credit_Limt": Decimal(1)})])
        assert not [c for c in box.calls if c.method == "PUT"]


def test_a_batch_that_zoho_finds_too_large_is_halved() -> None:
    with organisation(200) as (box, zoho):
        targets = accounts(box, 150)
        outcomes = send(zoho, "hold", [Write(t, t, HOLD) for t in targets])
        assert [o.remote_id for o in outcomes] == targets
        assert [(c.status, c.records) for c in box.calls if c.method == "PUT"] == [(400, 0), (200, 75), (200, 75)]


@pytest.mark.parametrize("fault", ["429", "429-bare", "500", "503", "reset", "late", "cut"])
def test_writes_outlive_trouble(fault: Any) -> None:
    with organisation(10) as (box, zoho):
        (target,) = accounts(box, 1)
        box.faults.plan(fault, times=2, match="PUT")
        assert send(zoho, "hold", [Write("k", target, HOLD)]) == [Outcome("done", target)]
        assert box.shelf.get("Accounts", target)["Credit_Hold"] is True  # type: ignore[index]


def test_a_page_for_people_is_not_taken_for_an_answer() -> None:
    with organisation(10) as (box, zoho):
        box.faults.plan("html", times=9, match="PUT")
        with pytest.raises(ProtocolError):
            send(zoho, "hold", [Write("k", accounts(box, 1)[0], HOLD)])


def test_fewer_results_than_rows_is_a_protocol_error() -> None:
    with organisation(10) as (box, zoho):
        answer = box.answer

        def short(request: Request) -> Any:
            reply, fault = answer(request)
            if request.method == "PUT":
                body = json.loads(reply.body)
                reply = Reply.json({"data": body["data"][:-1]}, reply.status)
            return reply, fault

        box.answer = short  # type: ignore[method-assign]
        with pytest.raises(ProtocolError):
            send(zoho, "hold", [Write(t, t, HOLD) for t in accounts(box, 3)])


def test_one_verdict_on_the_whole_call_blames_no_row() -> None:
    with organisation(10) as (box, zoho):
        answer = box.answer

        def refused(request: Request) -> Any:
            if request.method != "PUT":
                return answer(request)
            verdict = {"code": "INVALID_REQUEST", "message": "unable to process", "details": {}, "status": "error"}
            return Reply.json({"data": [verdict]}, 400), None

        box.answer = refused  # type: ignore[method-assign]
        with pytest.raises(RejectedError) as raised:
            send(zoho, "hold", [Write(t, t, HOLD) for t in accounts(box, 3)])
        assert raised.value.code == "INVALID_REQUEST"
        (alone,) = send(zoho, "hold", [Write("k", accounts(box, 1)[0], HOLD)])
        assert (alone.state, alone.code) == ("rejected", "INVALID_REQUEST")


def test_a_system_that_stays_away_is_left_for_later() -> None:
    with organisation(10) as (box, zoho):
        box.faults.plan("503", times=99, match="PUT")
        with pytest.raises(TransientError):
            send(zoho, "hold", [Write("k", accounts(box, 1)[0], HOLD)])


# --- tasks ---------------------------------------------------------------------------------------------------------------
def test_a_task_is_about_its_account_and_for_its_owner() -> None:
    with organisation(10) as (box, zoho):
        write = task(zoho, box, "overdue:C1:2026-11")
        (done,) = send(zoho, "task", [write])
        kept = box.shelf.get("Tasks", done.remote_id)
        assert kept is not None
        assert (kept["What_Id"]["id"], kept["$se_module"], kept["Owner"]["id"]) == (
            write.target,
            "Accounts",
            write.values["Owner"],
        )
        assert (kept["Subject"], kept["Priority"], kept["Due_Date"]) == ("Overdue 34 days", "High", "2026-11-26")


@pytest.mark.parametrize("fault", ["late", "reset", "500", "429-bare", "cut"])
def test_no_task_is_made_twice(fault: Any) -> None:
    with organisation(10) as (box, zoho):
        box.faults.plan(fault, times=2, match="Tasks")
        writes = [task(zoho, box, f"k-{n}") for n in range(3)]
        first = send(zoho, "task", writes)
        again = send(zoho, "task", writes)
        assert [o.remote_id for o in first] == [o.remote_id for o in again]
        assert box.shelf.count("Tasks") == 3


def test_tasks_are_found_by_key_whatever_it_holds() -> None:
    keys = ["o'Brien", "back\\slash", 'dou"ble', "钥匙", *(f"k{n}" for n in range(60))]
    with organisation(10) as (box, zoho):
        made = send(zoho, "task", [task(zoho, box, k) for k in keys])
        find = channel("task").find
        assert find is not None
        assert find(zoho, [*keys, "never sent"]) == {k: o.remote_id for k, o in zip(keys, made, strict=True)}
        assert find(zoho, []) == {}


def test_a_task_without_owner_goes_to_whoever_zoho_thinks() -> None:
    with organisation(10) as (box, zoho):
        (done,) = send(zoho, "task", [task(zoho, box, "k", owner=None)])
        assert done.state == "done"


def test_tasks_are_completed_once_and_not_against_a_person() -> None:
    with organisation(10) as (box, zoho):
        made = send(zoho, "task", [task(zoho, box, f"k{n}") for n in range(60)])
        ids = [o.remote_id for o in made]
        box.shelf.drop("Tasks", ids[1])
        by_hand = {**box.shelf.get("Tasks", ids[2]), "Status": "Completed", "Description": "he paid"}
        box.shelf.put("Tasks", ids[2], by_hand)
        values, _ = mapping().write("close_task", {"done": True})
        assert values == {"Status": "Completed"}
        writes = [Write(f"k{n}", key, values) for n, key in enumerate(ids)]
        assert [(o.state, o.remote_id) for o in send(zoho, "close_task", writes)] == [("done", key) for key in ids]
        assert {t["Status"] for t in box.shelf.all("Tasks")} == {"Completed"}
        assert box.shelf.get("Tasks", ids[2]) == by_hand
        assert box.shelf.count("Tasks") == 59
        puts = [c for c in box.calls if c.method == "PUT"]
        assert [c.records for c in puts] == [58], "those that are open, and no other"
        send(zoho, "close_task", writes)
        assert len([c for c in box.calls if c.method == "PUT"]) == 1


def test_a_task_deleted_while_it_is_completed_is_no_refusal() -> None:
    with organisation(10) as (box, zoho):
        made = send(zoho, "task", [task(zoho, box, f"k{n}") for n in range(2)])
        answer = box.answer

        def between(request: Request) -> Any:
            if request.method == "PUT":
                box.shelf.drop("Tasks", made[0].remote_id)
            return answer(request)

        box.answer = between  # type: ignore[method-assign]
        writes = [Write("k", o.remote_id, {"Status": "Completed"}) for o in made]
        assert [o.state for o in send(zoho, "close_task", writes)] == ["done", "done"]


def test_without_a_unique_field_no_task_is_sent() -> None:
    with organisation(10) as (box, zoho):
        rows = box.shelf.get("~fields", "Tasks")
        next(f for f in rows if f["api_name"] == "Credit_Task_Key")["unique"] = False
        box.records._shown["Tasks"] = rows  # type: ignore[attr-defined]
        zoho.fields("Tasks", fresh=True)
        with pytest.raises(ConfigError, match="provision"):
            send(zoho, "task", [task(zoho, box, "k")])


# --- values --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("currency", Decimal("0.10"), Decimal("0.10")),
        ("integer", 3, 3),
        ("text", Decimal("3.50"), "3.50"),
        ("text", 7, "7"),
        ("boolean", False, False),
        ("text", None, None),
        ("lookup", "5540", {"id": "5540"}),
        ("ownerlookup", "1", {"id": "1"}),
        ("date", dt.date(2026, 11, 23), "2026-11-23"),
        ("datetime", dt.date(2026, 11, 23), "2026-11-23T00:00:00+00:00"),
        ("datetime", "2026-11-23", "2026-11-23T00:00:00+00:00"),
        ("datetime", dt.datetime(2026, 11, 23, 8, 30, 1, 5, dt.UTC), "2026-11-23T08:30:01+00:00"),
        ("textarea", "12345678901", "123456789…"),
        ("text", "12345678901", "12345678901"),
    ],
)
def test_values_as_zoho_wants_them(kind: str, value: Any, sent: Any) -> None:
    assert encode(Field("X", "X", kind, length=10), value) == sent
