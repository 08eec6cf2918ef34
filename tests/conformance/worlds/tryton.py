"""The world of the Tryton sandbox: a made-up company's ledger, looked at and changed behind the adapter's back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.tryton.sandbox_rows import Rows, key
from adapters.tryton.sandbox_work import confirm
from connector.adapter import ActionKind, Need, Write
from tests.conformance.world import Changes, World

Sandbox = Any
Row = dict[str, Any]


# --- what is there ---------------------------------------------------------------------------------------------------
def _staff(sandbox: Sandbox) -> set[int]:
    return {e["party"] for e in sandbox.shelf.all("company.employee")}


def _customers(sandbox: Sandbox) -> list[Row]:
    return [p for p in sandbox.shelf.all("party.party") if p["code"] != "OWN" and p["id"] not in _staff(sandbox)]


def held(sandbox: Sandbox, stream: str) -> set[str]:
    if stream == "customers":
        return {str(p["id"]) for p in _customers(sandbox)}
    if stream == "rates":
        codes = {c["id"]: c["code"] for c in sandbox.shelf.all("currency.currency")}
        rows = sandbox.shelf.all("currency.currency.rate")
        # The company's own currency is the base: it stands at 1 from the beginning and is in no pair by itself.
        return {f"{codes[r['currency']]}/{r['date']}" for r in rows if codes[r["currency"]] != "CNY"}
    model = {"ledger": "account.move", "orders": "sale.sale", "people": "company.employee"}[stream]
    return {str(r["id"]) for r in sandbox.shelf.all(model)}


# --- how it changes --------------------------------------------------------------------------------------------------
def _change(sandbox: Sandbox, model: str, row: Row, values: Row, stamp: str | None = None) -> None:
    rows = Rows(sandbox.shelf)
    rows.change(model, row, values, stamp or rows.stamp())


def touch_customer(sandbox: Sandbox) -> str:
    """An address written on its own: the party is not touched."""
    with sandbox.shelf.together():
        party = _customers(sandbox)[1]
        address = sandbox.shelf.get("party.address", key(party["addresses"][0]))
        _change(sandbox, "party.address", address, {"city": "Hangzhou" if address["city"] != "Hangzhou" else "Wuxi"})
    return str(party["id"])


def touch_ledger(sandbox: Sandbox) -> str:
    """A receipt is set against an invoice that stays open: the invoice is touched, its instalments are not."""
    with sandbox.shelf.together():
        lines = sandbox.shelf.all("account.move.line")
        open_moves = {r["move"] for r in lines if not r.get("reconciliation") and r["debit"] > 0}
        invoices = [i for i in sandbox.shelf.all("account.invoice") if i.get("move") in open_moves]
        _change(sandbox, "account.invoice", invoices[0], {})
    return str(invoices[0]["move"])


def touch_order(sandbox: Sandbox) -> str:
    with sandbox.shelf.together():
        sale = next(s for s in sandbox.shelf.all("sale.sale") if s["state"] == "draft")
        _change(sandbox, "sale.sale", sale, {"description": "changed"})
    return str(sale["id"])


def add_customer(sandbox: Sandbox) -> str:
    with sandbox.shelf.together():
        rows = Rows(sandbox.shelf)
        return str(rows.add("party.party", {"code": "C9999", "name": "Newcomer Ltd"}, rows.stamp())["id"])


def add_move(sandbox: Sandbox) -> str:
    """An opening balance: a debit that belongs to no invoice."""
    with sandbox.shelf.together():
        rows = Rows(sandbox.shelf)
        common = {"account": 1, "company": 1, "date": "2026-11-20", "move_state": "posted"}
        line = {"party": _customers(sandbox)[0]["id"], "debit": Decimal("77.70"), "credit": Decimal(0), **common}
        values = {"number": "M2026/99999", "date": "2026-11-20", "state": "posted", "journal": 1}
        return str(rows.add("account.move", {**values, "lines": [["create", [line]]]}, rows.stamp())["id"])


def add_order(sandbox: Sandbox) -> str:
    with sandbox.shelf.together():
        rows = Rows(sandbox.shelf)
        old = sandbox.shelf.all("sale.sale")[0]
        values = {k: v for k, v in old.items() if k not in ("id", "create_date", "write_date", "last_modified_at")}
        return str(rows.add("sale.sale", {**values, "lines": []}, rows.stamp())["id"])


def _remove(model: str) -> Any:
    def remove(sandbox: Sandbox) -> str:
        row = _customers(sandbox)[-1] if model == "party.party" else sandbox.shelf.all(model)[-1]
        sandbox.shelf.drop(model, key(row["id"]))
        for line in row.get("lines") or []:
            sandbox.shelf.drop("account.move.line", key(line))
        return str(row["id"])

    return remove


def _remove_rate(sandbox: Sandbox) -> str:
    codes = {c["id"]: c["code"] for c in sandbox.shelf.all("currency.currency")}
    row = sandbox.shelf.all("currency.currency.rate")[-1]
    sandbox.shelf.drop("currency.currency.rate", key(row["id"]))
    return f"{codes[row['currency']]}/{row['date']}"


def _tie(model: str, watched: str) -> Any:
    def tie(sandbox: Sandbox) -> str:
        with sandbox.shelf.together():
            stamp = Rows(sandbox.shelf).stamp()
            for row in sandbox.shelf.all(watched):
                _change(sandbox, watched, row, {}, stamp)
        return str((_customers(sandbox) if model == "party.party" else sandbox.shelf.all(model))[-1]["id"])

    return tie


# --- what is written -------------------------------------------------------------------------------------------------
def _codes(sandbox: Sandbox) -> list[str]:
    return [p["code"] for p in _customers(sandbox)]


def _category(sandbox: Sandbox) -> int | None:
    return next((c["id"] for c in sandbox.shelf.all("party.category") if c["name"] == "Credit hold"), None)


def _holds(sandbox: Sandbox) -> list[Write]:
    return [Write(f"h{n}", code, {"hold": True}) for n, code in enumerate(_codes(sandbox)[3:7])]


def _order_holds(sandbox: Sandbox) -> list[Write]:
    sales = [s["id"] for s in sandbox.shelf.all("sale.sale")[:4]]
    return [
        Write(f"o{n}", str(sale), {"hold": True, "hold_reason": f"超出额度 over the limit by {n}.50", "stop": True})
        for n, sale in enumerate(sales)
    ]


def _limits(sandbox: Sandbox) -> list[Write]:
    return [
        Write(f"l{n}", code, {"credit_limit_amount": Decimal(f"{12345 + n}.50"), "currency": "CNY"})
        for n, code in enumerate(_codes(sandbox)[5:9])
    ]


def _tasks(sandbox: Sandbox) -> list[Write]:
    return [
        Write(
            f"overdue_50%/{code}/2026-11",
            code,
            {
                "subject": f"Call {code}",
                "body": "Owes 1,234.00\nsince 1 October.",
                "due_on": "2026-11-30",
                "customer": code,
                "key": f"overdue_50%/{code}/2026-11",
            },
        )
        for code in _codes(sandbox)[:3]
    ]


def _fields(sandbox: Sandbox) -> list[Write]:
    values = {"credit_score": 71, "credit_grade": "B", "credit_hold": True, "credit_reviewed_on": "2026-11-23"}
    return [Write(f"f{n}", code, values) for n, code in enumerate(_codes(sandbox)[2:6])]


def seen(sandbox: Sandbox, kind: ActionKind, remote_id: str) -> Mapping[str, Any] | None:
    if kind == "task":
        note = sandbox.shelf.get("ir.note", key(int(remote_id))) if remote_id.isdecimal() else None
        return _note(sandbox, note) if note else None
    if kind == "order_fields":
        return _held_order(sandbox, remote_id)
    party = next((p for p in sandbox.shelf.all("party.party") if p["code"] == remote_id), None)
    if party is None:
        return None
    return {**party, "hold": _category(sandbox) in (party.get("categories") or []), "currency": "CNY"}


def _held_order(sandbox: Sandbox, sale: str) -> Row | None:
    if sandbox.shelf.get("sale.sale", key(int(sale))) is None:
        return None
    said = [n["message"].split("\n\n") for n in sandbox.shelf.all("ir.note") if n["resource"] == f"sale.sale,{sale}"]
    assert len(said) <= 1, "two notes on one order"
    held = bool(said) and said[0][0].startswith("Credit hold: ")
    named = [i for r in sandbox.shelf.all("ir.model.button.rule") for i in json.loads(r["condition"]).get("v", [])]
    released = any(
        f'"v": [{sale}' in r["condition"] and "Not" in r["condition"] for r in sandbox.shelf.all("ir.model.button.rule")
    )
    return {"released": released, "hold": held, "hold_reason": said[0][1] if held else None, "stop": int(sale) in named}


def _not_confirmed(sandbox: Sandbox, sale: int) -> bool:
    """A salesperson clicks on “Confirm” of a quotation."""
    with sandbox.shelf.together():
        rows = Rows(sandbox.shelf)
        row = rows.all("sale.sale")[sale]
        rows.change("sale.sale", row, {"state": "quotation"}, rows.stamp())
        confirm(rows, [sale], "confirm", "sales")
        return bool(rows.all("sale.sale")[sale]["state"] == "quotation")


def _order_of(sandbox: Sandbox, code: str) -> int:
    """An order of one customer, as a salesperson enters it."""
    with sandbox.shelf.together():
        rows = Rows(sandbox.shelf)
        party = next(p["id"] for p in sandbox.shelf.all("party.party") if p["code"] == code)
        old = sandbox.shelf.all("sale.sale")[0]
        values = {k: v for k, v in old.items() if k not in ("id", "create_date", "write_date", "last_modified_at")}
        made = rows.add("sale.sale", {**values, "party": party, "invoice_party": None, "lines": []}, rows.stamp())
        return int(made["id"])


def _note(sandbox: Sandbox, note: Row) -> Row:
    found = re.fullmatch(r"(.*?)\n\n(.*)\n\nDue: (.*)\n\nHoldfast: (.*)", note["message"], re.DOTALL)
    assert found, note["message"]
    party = sandbox.shelf.get("party.party", key(int(note["resource"].partition(",")[2])))
    return {"subject": found[1], "body": found[2], "due_on": found[3], "key": found[4], "customer": party["code"]}


def _field(name: str, kind: Any) -> Need:
    return Need("party.party", name, name, kind)


WORLD = World(
    settings=lambda sandbox, url: {
        "base_url": url,
        "database": "holdfast",
        "user": "connector",
        "admin_user": "admin",
        "page_size": 15,
    },
    held=held,
    paged=("customers", "ledger", "orders"),
    changes={
        "customers": Changes(touch_customer, add_customer, _remove("party.party"), _tie("party.party", "party.party")),
        "ledger": Changes(touch_ledger, add_move, _remove("account.move"), _tie("account.move", "account.move.line")),
        "orders": Changes(touch_order, add_order, _remove("sale.sale"), _tie("sale.sale", "sale.sale")),
        "rates": Changes(remove=_remove_rate),
        "people": Changes(remove=_remove("company.employee")),
    },
    writes={"hold": _holds, "order_fields": _order_holds, "limit": _limits, "task": _tasks, "customer_fields": _fields},
    refused={
        "hold": lambda sandbox: Write("bad", "no-such-code", {"hold": True}),
        "order_fields": lambda sandbox: Write("bad", "99999999", {"hold": True, "hold_reason": "x", "stop": True}),
        "limit": lambda sandbox: Write("bad", _codes(sandbox)[1], {"credit_limit_amount": Decimal(10) ** 17}),
        "task": lambda sandbox: Write("bad", "no-such-code", {"subject": "x", "key": "bad"}),
        "customer_fields": lambda sandbox: Write("bad", "no-such-code", {"credit_score": 1}),
    },
    seen=seen,
    stopped={
        "order_rule": lambda sandbox, sale: _not_confirmed(sandbox, int(sale)),
        "party_rule": lambda sandbox, code: _not_confirmed(sandbox, _order_of(sandbox, code)),
    },
    count=lambda sandbox, kind: len(sandbox.shelf.all("ir.note")),
    needs=(_field("credit_score", "number"), _field("credit_hold", "boolean")),
    options={"documents_per_customer": 4},
    customers=48,
)
