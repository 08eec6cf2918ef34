"""Fxiaoke for the conformance suite: accounts, orders, receipts and employees in, fields, holds and tasks out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapters.fxiaoke.sandbox_rules import Refused
from connector.adapter import ActionKind, Write
from tests.conformance.world import AS_OF, NOON, Changes, Hooked, Sandbox, World

_OBJECTS = {
    "customers": "AccountObj",
    "people": "PersonnelObj",
    "orders": "SalesOrderObj",
    "receipts": "PaymentObj",
    "receipt_lines": "OrderPaymentObj",
    "plans": "PaymentPlanObj",
}
_SHANGHAI = ZoneInfo("Asia/Shanghai")


def _about(sandbox: Sandbox, kind: ActionKind) -> str:
    if kind in ("task", "close_task"):
        return str(sandbox.object_name("信用任务"))
    return "AccountObj" if kind in ("customer_fields", "hold") else "SalesOrderObj"


def _later(sandbox: Sandbox) -> int:
    """A change time later than any before, and old enough for the next window of the adapter's clock to hold it."""
    return int((NOON - dt.timedelta(minutes=3)).timestamp() * 1000) + int(sandbox.shelf.next("~later"))


def _changes(name: str) -> Changes:
    def touch(sandbox: Sandbox) -> str:
        row = sandbox.shelf.all(name)[3]
        changed = (
            {"remark": "touched", "name": f"{row['name']}*"} if name != "PersonnelObj" else {"name": f"{row['name']}*"}
        )
        sandbox.keep(name, {**row, **changed, "last_modified_time": _later(sandbox)})
        return str(row["_id"])

    def add(sandbox: Sandbox) -> str:
        row = sandbox.shelf.all(name)[0]
        now = _later(sandbox)
        key = f"{now:024x}"
        sandbox.keep(name, {**row, "_id": key, "name": f"new {now}", "create_time": now, "last_modified_time": now})
        return key

    def remove(sandbox: Sandbox) -> str:
        key = str(sandbox.shelf.all(name)[5]["_id"])
        sandbox.forget(name, key)
        return key

    def tie(sandbox: Sandbox) -> str:
        now, last = _later(sandbox), ""
        for row in sandbox.shelf.all(name):
            last = str(row["_id"])
            sandbox.keep(name, {**row, "last_modified_time": now})
        return last

    return Changes(touch=touch, add=add, remove=remove, tie=tie)


def _targets(sandbox: Sandbox, name: str) -> list[str]:
    return [str(r["_id"]) for r in sandbox.shelf.all(name)[:4]]


def _fields(sandbox: Sandbox) -> Sequence[Write]:
    return [
        Write(
            f"fields-{n}",
            target,
            {
                "label:信用额度": Decimal(f"{n + 1}2345.67"),
                "label:信用预警等级": "橙",
                "label:逾期天数段": "31-60",
                "label:信用数据日期": AS_OF.isoformat(),
            },
        )
        for n, target in enumerate(_targets(sandbox, "AccountObj"))
    ]


def _holds(name: str) -> Callable[[Sandbox], Sequence[Write]]:
    return lambda sandbox: [
        Write(f"hold-{n}", target, {"label:信用冻结": True, "label:信用冻结原因": f"超出额度 {n}.50"})
        for n, target in enumerate(_targets(sandbox, name))
    ]


def _task(sandbox: Sandbox, number: int, customer: str, priority: str = "高") -> Write:
    values = {
        "name": f"催收：逾期 {number + 30} 天",
        "label:任务内容": "发票 I-1，12.00 元",
        "label:截止日期": (AS_OF + dt.timedelta(days=2)).isoformat(),
        "label:优先级": priority,
        "owner": str(sandbox.shelf.all("PersonnelObj")[number]["user_id"]),
        "label:客户": customer,
        "label:信用任务键": f"overdue:{number}:2026-11",
    }
    return Write(values["label:信用任务键"], customer, values)


def _tasks(sandbox: Sandbox) -> Sequence[Write]:
    return [_task(sandbox, n, customer) for n, customer in enumerate(_targets(sandbox, "AccountObj"))]


def _closings(sandbox: Sandbox, value: Any = True) -> Sequence[Write]:
    """Tasks that are there, to be closed."""
    name, now = _about(sandbox, "close_task"), _later(sandbox)
    keys = [f"{now + n * 1_000_000:024x}" for n in range(3)]
    for key in keys:
        sandbox.keep(name, {"_id": key, "name": "催收", "create_time": now, "last_modified_time": now,
                            "lock_status": "0", "version": "1"})  # fmt: skip
    return [Write(f"close-{key}", key, {"label:已办结": value}) for key in keys]


def _seen(sandbox: Sandbox, kind: ActionKind, remote_id: str) -> Mapping[str, Any] | None:
    """The record, its fields under their labels too, in words: the option's label, the day, the one owner."""
    name = _about(sandbox, kind)
    row = sandbox.shelf.get(name, remote_id)
    if row is None:
        return None
    told: dict[str, Any] = {}
    for field in sandbox.describe(name)["fields"].values():
        value = row.get(field["api_name"])
        if value is not None and field["type"] == "date":
            value = dt.datetime.fromtimestamp(value / 1000, _SHANGHAI).date().isoformat()
        if field["type"] == "select_one" and field["api_name"].endswith("__c"):
            value = next((o["label"] for o in field["options"] if o["value"] == value), value)
        if field["type"] == "employee" and value:
            value = value[0]
        told[field["api_name"]] = told[f"label:{field['label']}"] = value
    return told


def _locked(sandbox: Sandbox, order: str) -> bool:
    """Somebody edits an order."""
    try:
        sandbox._change("SalesOrderObj", order, {})
    except Refused:
        return True
    return False


def _settings(**more: Any) -> Callable[[Sandbox, str], Mapping[str, Any]]:
    return lambda sandbox, url: {"base_url": url, "acting_user": "1000", "page_size": 10, **more}


def _edited(name: str) -> Callable[[Sandbox], str]:
    """An employee edits a record."""

    def happen(sandbox: Sandbox) -> str:
        row = sandbox.shelf.all(name)[4]
        sandbox.keep(
            name, {**row, "remark": "edited", "last_modified_time": int(row["last_modified_time"]) + 86_400_000}
        )
        return str(row["_id"])

    return happen


WORLD = World(
    settings=_settings(),
    held=lambda sandbox, stream: {str(r["_id"]) for r in sandbox.shelf.all(_OBJECTS[stream])},
    paged=("customers", "orders"),
    changes={stream: _changes(name) for stream, name in _OBJECTS.items()},
    writes={
        "customer_fields": _fields,
        "hold": _holds("AccountObj"),
        "order_fields": _holds("SalesOrderObj"),
        "task": _tasks,
        "close_task": _closings,
    },
    refused={
        "customer_fields": lambda sandbox: Write("bad-1", "0" * 24, {"label:信用额度": Decimal("1.00")}),
        "hold": lambda sandbox: Write("bad-3", "0" * 24, {"label:信用冻结": True}),
        "order_fields": lambda sandbox: Write("bad-2", "0" * 24, {"label:信用冻结": True}),
        "task": lambda sandbox: _task(sandbox, 5, _targets(sandbox, "AccountObj")[0], priority="最高"),
        "close_task": lambda sandbox: _closings(sandbox, "最高")[0],
    },
    seen=_seen,
    stopped={"record_lock": _locked},
    count=lambda sandbox, kind: int(sandbox.shelf.count(_about(sandbox, kind))),
    wrong_secrets=lambda sandbox: {
        "app_id": "wrong-FSAID-123",
        "app_secret": "wrong-app-secret",
        "permanent_code": "wrong-permanent-code",
    },
    options={"rate_limit": False},
    hook=Hooked(
        {stream: _edited(name) for stream, name in _OBJECTS.items()},
        sender=lambda sandbox: sandbox.events.sender,
        by_hand=lambda sandbox, address, secret: sandbox.events.configure(address, secret),
        secret="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    ),
    extra_variants={"body": _settings(auth_style="body", acting_user="FSUID_000003E8")},
)
