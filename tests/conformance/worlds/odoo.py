"""The world of the Odoo sandbox: a made-up trading company as ERP and CRM in one, under both of Odoo's doors."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from adapters.odoo.sandbox_calls import Calls
from adapters.odoo.sandbox_rows import OdooError, Rows
from connector.adapter import ActionKind, Write
from tests.conformance.world import AS_OF, Changes, Hooked, World

Sandbox = Any
Row = dict[str, Any]

MODELS = {
    "customers": "res.partner",
    "limits": "res.partner",
    "people": "res.users",
    "items": "account.move.line",
    "payments_in_process": "account.payment",
    "applications": "account.partial.reconcile",
    "orders": "sale.order",
    "rates": "res.currency.rate",
}
TARGETS: dict[ActionKind, str] = {
    "customer_fields": "res.partner", "order_fields": "sale.order", "hold": "res.partner", "limit": "res.partner",
    "task": "mail.activity", "close_task": "mail.activity",
}  # fmt: skip


def _key(row_id: int) -> str:
    return f"{row_id:012d}"


def _is(stream: str, row: Row) -> bool:
    """Whether a row of the stream's model belongs to the stream, said anew and not by the adapter."""
    customer = bool(row.get("is_company") or not row.get("parent_id"))
    customer = customer and row["id"] != 1 and bool(row.get("partner_share") or row.get("customer_rank"))
    belongs: dict[str, Callable[[], bool]] = {
        "customers": lambda: customer,
        "limits": lambda: customer and bool(row["credit_limit"]),
        "people": lambda: not row["share"],
        "items": lambda: row["account_id"] == 5 and row["parent_state"] in ("posted", "draft"),
        "payments_in_process": lambda: not row["move_id"] and row["state"] == "in_process",
    }
    return belongs.get(stream, lambda: True)()


def _rows(sandbox: Sandbox, stream: str) -> list[Row]:
    return sorted((r for r in sandbox.shelf.all(MODELS[stream]) if _is(stream, r)), key=lambda r: r["id"])


def held(sandbox: Sandbox, stream: str) -> set[str]:
    return {str(r["id"]) for r in _rows(sandbox, stream)}


# A field of each stream whose other value is a change that somebody can make.
_OTHER: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "customers": ("phone", lambda r: f"+86 21 {r['id']:08d}"),
    "limits": ("credit_limit", lambda r: r["credit_limit"] + Decimal(1000)),
    "people": ("name", lambda r: r["name"] + " Jr."),
    "items": ("date_maturity", lambda r: "2026-12-24"),
    "payments_in_process": ("amount", lambda r: r["amount"] + Decimal(1)),
    "applications": ("full_reconcile_id", lambda r: 1),
    "orders": ("amount_total", lambda r: r["amount_total"] + Decimal(1)),
    "rates": ("rate", lambda r: r["rate"] + Decimal("0.0001")),
}
# What tells a copied row from the one it is made from.
_COPIED: dict[str, Callable[[Row], Row]] = {
    "customers": lambda r: {"name": "Newcomer Ltd", "commercial_partner_id": None},
    "limits": lambda r: {"name": "Newcomer with a limit", "commercial_partner_id": None},
    "rates": lambda r: {"name": "2026-11-22"},
}


def _changes(stream: str) -> Changes:
    model = MODELS[stream]
    name, other = _OTHER[stream]

    def touch(sandbox: Sandbox) -> str:
        with sandbox.shelf.together():
            row = _rows(sandbox, stream)[1]
            Rows(sandbox.shelf).change(model, row, {name: other(row)})
        return str(row["id"])

    def add(sandbox: Sandbox) -> str:
        with sandbox.shelf.together():
            old = _rows(sandbox, stream)[0]
            values = {**{k: v for k, v in old.items() if k != "id"}, **_COPIED.get(stream, lambda r: {})(old)}
            values["id"] = max(r["id"] for r in sandbox.shelf.all(model)) + 7
            if values.get("commercial_partner_id", 0) is None:
                values["commercial_partner_id"] = values["id"]
            Rows(sandbox.shelf).add(model, values)
        return str(values["id"])

    def remove(sandbox: Sandbox) -> str:
        row = _rows(sandbox, stream)[-1]
        sandbox.shelf.drop(model, _key(row["id"]))
        return str(row["id"])

    def tie(sandbox: Sandbox) -> str:
        with sandbox.shelf.together():
            rows = Rows(sandbox.shelf)
            stamp = rows.stamp()
            some = _rows(sandbox, stream)
            for row in some:
                rows.change(model, row, {name: other(row)}, stamp)
        return str(some[-1]["id"])

    return Changes(touch=touch, add=add, remove=remove, tie=tie)


def _customers(sandbox: Sandbox) -> list[str]:
    return [str(r["id"]) for r in _rows(sandbox, "customers")]


def _fields(sandbox: Sandbox) -> list[Write]:
    levels = ("Good", "Watch", "Warning", "Stop")
    return [
        Write(f"k{n}", target, {"x_credit_level": levels[n], "x_credit_limit": Decimal(1000 * (n + 1))})
        for n, target in enumerate(_customers(sandbox)[:4])
    ]


def _holds(sandbox: Sandbox) -> list[Write]:
    values = {"x_credit_hold": True, "x_credit_hold_reason": "Overdue for 45 days: 1,234.00"}
    return [Write(f"h{n}", target, values) for n, target in enumerate(_customers(sandbox)[4:8])]


def _order_holds(sandbox: Sandbox) -> list[Write]:
    values = {"x_credit_hold": True, "x_credit_hold_reason": "Over the limit by 9,900.00"}
    return [Write(f"o{n}", str(r["id"]), values) for n, r in enumerate(_rows(sandbox, "orders")[:3])]


def _limits(sandbox: Sandbox) -> list[Write]:
    targets = _customers(sandbox)[8:11]
    return [Write(f"l{n}", target, {"credit_limit": Decimal(123000 + n)}) for n, target in enumerate(targets)]


def _tasks(sandbox: Sandbox) -> list[Write]:
    return [
        Write(
            f"overdue/{target}/2026-11",
            target,
            {"res_id": target, "summary": f"Call customer {n}", "note": "Owes 1,234.00\nsince 1 October & before.",
             "date_deadline": "2026-11-30", "x_credit_task_key": f"overdue/{target}/2026-11"},
        )
        for n, target in enumerate(_customers(sandbox)[:3])
    ]  # fmt: skip


def _closings(sandbox: Sandbox) -> list[Write]:
    """Activities that are there, to be marked as done."""
    book = Rows(sandbox.shelf)
    with sandbox.shelf.together():
        made = [
            book.add("mail.activity", {"res_model": "res.partner", "res_id": int(target), "active": True, "summary": "Call",
                                       "note": False, "date_done": False, "feedback": False})
            for target in _customers(sandbox)[:3]
        ]  # fmt: skip
    return [Write(f"d{row['id']}", str(row["id"]), {"feedback": "The matter is decided."}) for row in made]


def _closing_refused(sandbox: Sandbox) -> Write:
    return Write("bad", _closings(sandbox)[0].target, {"nonsense": "x"})


def seen(sandbox: Sandbox, kind: ActionKind, remote_id: str) -> Mapping[str, Any] | None:
    row = sandbox.shelf.get(TARGETS[kind], _key(int(remote_id))) if remote_id.isdecimal() else None
    if row is None:
        return None
    shown = dict(row)
    if kind == "task":  # said back in the form in which it was given
        shown["res_id"] = str(row["res_id"])
        shown["note"] = html.unescape(re.sub(r"<br>", "\n", str(row["note"])[3:-4]))
    return shown


def _not_confirmed(sandbox: Sandbox, order: Row) -> bool:
    """A salesperson confirms a quotation."""
    book = Rows(sandbox.shelf)
    book.change("sale.order", order, {"state": "draft"})
    try:
        Calls(book, 2, {}, administrator=False).run("sale.order", "action_confirm", {"ids": [order["id"]]})
    except OdooError:
        return True
    return False


def _stopped_order(sandbox: Sandbox, order: str) -> bool:
    return _not_confirmed(sandbox, sandbox.shelf.get("sale.order", _key(int(order))))


def _stopped_customer(sandbox: Sandbox, customer: str) -> bool:
    book = Rows(sandbox.shelf)
    order = sandbox.shelf.all("sale.order")[0]
    book.change("sale.order", order, {"partner_id": int(customer), "partner_invoice_id": int(customer)})
    return _not_confirmed(sandbox, sandbox.shelf.get("sale.order", _key(order["id"])))


def _ordered(sandbox: Sandbox) -> str:
    """A salesperson enters an order and confirms it."""
    return str(sandbox.take_order(_rows(sandbox, "customers")[0]["id"], Decimal("1200.00"), AS_OF))


def _paid(sandbox: Sandbox) -> str:
    """A customer pays; what is told is the invoice, what is read are its lines."""
    line = sandbox.open_invoices()[0]
    sandbox.pay(line["id"], AS_OF)
    return str(line["move_id"])


def _renamed(sandbox: Sandbox) -> str:
    with sandbox.shelf.together():
        row = _rows(sandbox, "customers")[2]
        Rows(sandbox.shelf, tell=sandbox._tell).change("res.partner", row, {"name": f"{row['name']} Ltd"})
    return str(row["id"])


def _forget(sandbox: Sandbox) -> None:
    """An administrator deletes the rules."""
    for row in sandbox.shelf.all("base.automation"):
        sandbox.shelf.drop("base.automation", _key(row["id"]))


WORLD = World(
    # What is asked of a busy system's next call is seen where calls come singly; the variant below reads side by side.
    settings=lambda sandbox, url: {"base_url": url, "database": "sandbox", "page_size": 10, "pages_at_once": 1},
    held=held,
    paged=("customers", "items", "applications", "orders"),
    changes={stream: _changes(stream) for stream in MODELS},
    hook=Hooked(
        {"orders": _ordered, "items": _paid, "applications": _paid, "customers": _renamed},
        sender=lambda sandbox: sandbox.sender,
        forget=_forget,
    ),
    writes={
        "customer_fields": _fields, "hold": _holds, "order_fields": _order_holds, "limit": _limits, "task": _tasks,
        "close_task": _closings,
    },
    refused={
        "customer_fields": lambda sandbox: Write("bad", _customers(sandbox)[0], {"x_credit_level": "Nonsense"}),
        "hold": lambda sandbox: Write("bad", "99999999", {"x_credit_hold": True}),
        "order_fields": lambda sandbox: Write("bad", "99999999", {"x_credit_hold": True}),
        "limit": lambda sandbox: Write("bad", _customers(sandbox)[0], {"credit_limit": Decimal(0)}),
        "task": lambda sandbox: Write("bad", "99999999", {"res_id": "99999999", "summary": "x", "note": "y"}),
        "close_task": _closing_refused,
    },
    seen=seen,
    stopped={"order_guard": _stopped_order, "customer_guard": _stopped_customer},
    count=lambda sandbox, kind: sandbox.shelf.count(TARGETS[kind]),
    per_call={"task": 1},  # an activity is made by a method of its one customer
    wrong_secrets=lambda sandbox: {"api_key": "nonsense-key-0001", "admin_key": "nonsense-key-0002"},
    customers=20,
    extra_variants={
        "jsonrpc": lambda sandbox, url: {
            "base_url": url, "database": "sandbox", "page_size": 10, "transport": "jsonrpc", "login": "connector",
        }
    },
)  # fmt: skip
