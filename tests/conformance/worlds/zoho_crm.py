"""Zoho CRM for the conformance suite: accounts, sales orders and users in, fields, holds and tasks out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.adapter import ActionKind, Write
from tests.conformance.world import AS_OF, Changes, Hooked, Sandbox, World

_MODULES = {"accounts": "Accounts", "sales_orders": "Sales_Orders", "users": "~users"}
_ABOUT: dict[ActionKind, str] = {
    "customer_fields": "Accounts",
    "hold": "Accounts",
    "order_fields": "Sales_Orders",
    "task": "Tasks",
    "close_task": "Tasks",
}


def _held(sandbox: Sandbox, stream: str) -> set[str]:
    return {r["id"] for r in sandbox.shelf.all(_MODULES[stream])}


def _changes(module: str) -> Changes:
    def touch(sandbox: Sandbox) -> str:
        record = sandbox.shelf.all(module)[3]
        record |= {"Description": "touched", "Modified_Time": sandbox.records.later()}
        sandbox.shelf.put(module, record["id"], record)
        return str(record["id"])

    def add(sandbox: Sandbox) -> str:
        now, like = sandbox.records.later(), sandbox.shelf.all(module)[0]
        record = {**like, "id": sandbox.records.new_id(), "Created_Time": now, "Modified_Time": now}
        sandbox.shelf.put(module, record["id"], record)
        return str(record["id"])

    def remove(sandbox: Sandbox) -> str:
        key = str(sandbox.shelf.all(module)[5]["id"])
        sandbox.records.remove(module, key, sandbox.user, sandbox.records.later())
        return key

    def tie(sandbox: Sandbox) -> str:
        now, last = sandbox.records.later(), ""
        for record in sandbox.shelf.all(module):
            last = str(record["id"])
            sandbox.shelf.put(module, last, {**record, "Modified_Time": now})
        return last

    return Changes(touch=touch, add=add, remove=remove, tie=tie)


def _user_leaves_for_good(sandbox: Sandbox) -> str:
    key = str(sandbox.shelf.all("~users")[-1]["id"])
    sandbox.shelf.drop("~users", key)
    return key


def _targets(sandbox: Sandbox, module: str) -> list[str]:
    return [str(r["id"]) for r in sandbox.shelf.all(module)[:4]]


def _fields(sandbox: Sandbox) -> Sequence[Write]:
    return [
        Write(
            f"fields-{number}",
            target,
            {
                "Credit_Limit": Decimal(f"{number + 1}2345.67"),
                "Credit_Status": "Watch",
                "Overdue_Band": "31-60",
                "Credit_As_Of": AS_OF.isoformat(),
                "ERP_Customer_No": f"X{number:04d}",
            },
        )
        for number, target in enumerate(_targets(sandbox, "Accounts"))
    ]


def _holds(module: str) -> Any:
    def writes(sandbox: Sandbox) -> Sequence[Write]:
        return [
            Write(f"hold-{n}", target, {"Credit_Hold": True, "Credit_Hold_Reason": f"超出额度 over limit by {n}.50"})
            for n, target in enumerate(_targets(sandbox, module))
        ]

    return writes


def _task(sandbox: Sandbox, number: int, customer: str) -> Write:
    values = {
        "Subject": f"Overdue {number + 30} days 逾期",
        "Description": "Invoice I-1, 12.00 CNY",
        "Due_Date": (AS_OF + dt.timedelta(days=2)).isoformat(),
        "Priority": "High",
        "Owner": str(sandbox.shelf.all("~users")[number]["id"]),
        "What_Id": customer,
        "Credit_Task_Key": f"overdue:{number}:2026-11",
    }
    return Write(values["Credit_Task_Key"], customer, values)


def _tasks(sandbox: Sandbox) -> Sequence[Write]:
    return [_task(sandbox, n, customer) for n, customer in enumerate(_targets(sandbox, "Accounts"))]


def _closings(sandbox: Sandbox) -> Sequence[Write]:
    """Tasks that are there, to be completed."""
    ids = [sandbox.records.new_id() for _ in range(3)]
    by = sandbox.user
    for key in ids:
        made = {
            "id": key,
            "Subject": "Call",
            "Status": "Not Started",
            "Created_Time": sandbox.records.now(),
            "Created_By": by,
        }
        sandbox.records.put("Tasks", made)
    return [Write(f"close-{key}", key, {"Status": "Completed"}) for key in ids]


def _seen(sandbox: Sandbox, kind: ActionKind, remote_id: str) -> Mapping[str, Any] | None:
    record = sandbox.shelf.get(_ABOUT[kind], remote_id)
    if record is None:
        return None
    return {n: v["id"] if isinstance(v, dict) and "id" in v else v for n, v in record.items()}


def _locked(sandbox: Sandbox, order: str) -> bool:
    """Somebody edits an order."""
    user, row = sandbox.user, {"id": order, "Description": "edited by somebody"}
    reply = sandbox.records.write(
        "Sales_Orders", [row], user, lambda r: (sandbox.records.get("Sales_Orders", order), ""), False, False
    )
    return bool(json.loads(reply.body)["data"][0]["code"] == "RECORD_LOCKED")


def _edited(module: str) -> Any:
    """Somebody edits a record in the product."""

    def happen(sandbox: Sandbox) -> str:
        record = sandbox.shelf.all(module)[2]
        record |= {"Description": "edited by somebody", "Modified_Time": sandbox.records.later()}
        sandbox.records.put(module, record)
        return str(record["id"])

    return happen


def _settings(**more: Any) -> Any:
    return lambda sandbox, url: {"base_url": url, "accounts_url": url, "page_size": 10, **more}


WORLD = World(
    settings=_settings(bulk_first=False),
    held=_held,
    paged=("accounts",),
    changes={
        "accounts": _changes("Accounts"),
        "sales_orders": _changes("Sales_Orders"),
        "users": Changes(remove=_user_leaves_for_good),
    },
    writes={
        "customer_fields": _fields,
        "hold": _holds("Accounts"),
        "order_fields": _holds("Sales_Orders"),
        "task": _tasks,
        "close_task": _closings,
    },
    refused={
        "customer_fields": lambda sandbox: Write("bad", "1", {"Credit_Limit": Decimal("1.00")}),
        "hold": lambda sandbox: Write("bad", "1", {"Credit_Hold": True}),
        "order_fields": lambda sandbox: Write("bad", "1", {"Credit_Hold": True}),
        "task": lambda sandbox: _task(sandbox, 5, "1"),
        "close_task": lambda sandbox: Write("bad", _closings(sandbox)[0].target, {"Status": "C" * 200}),
    },
    seen=_seen,
    stopped={"record_lock": _locked},
    count=lambda sandbox, kind: sandbox.shelf.count(_ABOUT[kind]),
    wrong_secrets=lambda sandbox: {n: f"1000.wrong-{n}" for n in ("client_id", "client_secret", "refresh_token")},
    extra_variants={"in bulk": _settings()},
    hook=Hooked(
        {"accounts": _edited("Accounts"), "sales_orders": _edited("Sales_Orders")},
        sender=lambda sandbox: sandbox.watch.sender,
        forget=lambda sandbox: sandbox.watch.expire(),
    ),
)
