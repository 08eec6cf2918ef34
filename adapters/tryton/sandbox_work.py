"""What the Tryton sandbox does beyond tables: an order is quoted and confirmed, an invoice is paid."""

from __future__ import annotations

import datetime as dt
import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from .sandbox_rows import Refused, Row, Rows
from .sandbox_stock import CASH_JOURNAL, COMPANY, EXCHANGE_JOURNAL, RECEIVABLE

ZERO = Decimal(0)


def complete(sale: Row) -> Row:
    """A new order with what Tryton adds by itself: its state and its amounts."""
    lines = [line for command, *rest in sale.get("lines") or [] if command == "create" for line in rest[0]]
    net = sum((Decimal(line["quantity"]) * Decimal(line["unit_price"]) for line in lines), ZERO)
    amounts = {"untaxed_amount": net, "tax_amount": ZERO, "total_amount": net}
    return {"state": "draft", "number": None, **amounts, **sale}


def confirm(rows: Rows, ids: list[int], step: str, user: str) -> tuple[None, int, bool]:
    """`quote` and `confirm`. A held party's order stays a quotation when a plain salesperson confirms, without an error."""
    stamp, moved = rows.stamp(), 0
    for sale in (rows.all("sale.sale")[i] for i in ids):
        before, after = {"quote": ("draft", "quotation"), "confirm": ("quotation", "processing")}[step]
        if sale["state"] != before or (step == "confirm" and user == "sales" and _held(rows, sale)):
            continue
        number = sale["number"] or f"S{100000 + sale['id']}"
        rows.change("sale.sale", sale, {"state": after, "number": number}, stamp)
        moved += 1
    return None, moved, bool(moved)


def _held(rows: Rows, sale: Row) -> bool:
    parties = rows.all("party.party")
    held: set[int] = set()
    for party in (sale["party"], sale.get("invoice_party")):
        held |= set(parties[party].get("categories") or []) if party else set()
    return any(_binds(json.loads(rule["condition"]), sale, held) for rule in rows.all("ir.model.button.rule").values())


def _binds(said: Row, sale: Row, held: set[int]) -> bool:
    """Whether one of our conditions is true: a category that the party is in, a list that names the order."""
    match said["__class__"]:
        case "And":
            return all(_binds(part, sale, held) for part in said["s"])
        case "Or":
            return any(_binds(part, sale, held) for part in said["s"])
        case "Not":
            return not _binds(said["v"], sale, held)
    return sale["id"] in said["v"] if isinstance(said["k"], dict) else said["k"] in held


def to_pay(rows: Rows, invoice: Row) -> Decimal:
    """What is open of an invoice in its currency, as Tryton computes it."""
    lines = [r for r in rows.all("account.move.line").values() if not r.get("reconciliation")]
    mine = [r for r in lines if r["move"] == invoice.get("move") or r.get("invoice_payment") == invoice["id"]]
    return sum((_amount(r) for r in mine), ZERO)


def _amount(line: Row) -> Decimal:
    foreign = line.get("amount_second_currency")
    return Decimal(line["debit"] - line["credit"] if foreign is None else foreign)


def pay(rows: Rows, invoice_id: int, start: Row, ask: Row | None) -> tuple[Any, int, bool]:
    """The pay wizard: all of what is open at once, or a part after asking."""
    invoice = rows.all("account.invoice")[invoice_id]
    open_amount, amount = to_pay(rows, invoice), Decimal(start["amount"])
    if amount > open_amount:
        raise Refused("The amount to pay is greater than what is owed.")
    if amount < open_amount and ask is None:
        return {"view": {"state": "ask", "defaults": {}}}, 0, False
    stamp = rows.stamp()
    line = _receipt(rows, invoice, amount, start["date"], stamp)
    lines = rows.all("account.move.line")
    if amount < open_amount:
        rows.change("account.move.line", lines[line], {"invoice_payment": invoice_id}, stamp)
        rows.change("account.invoice", invoice, {}, stamp)
        return None, 1, True
    ours = [r for r in lines.values() if not r.get("reconciliation")]
    every = [
        r for r in ours if r["move"] == invoice["move"] or r.get("invoice_payment") == invoice_id or r["id"] == line
    ]
    rest = sum((r["debit"] - r["credit"] for r in every), ZERO)
    if rest:
        every.append(lines[_book(rows, invoice, EXCHANGE_JOURNAL, -rest, None, start["date"], stamp)])
    values = {"date": max(r.get("maturity_date") or r["date"] for r in every), "lines": [r["id"] for r in every]}
    closed = rows.add("account.move.reconciliation", values, stamp)
    for row in every:
        rows.change("account.move.line", row, {"reconciliation": closed["id"]}, stamp)
    rows.change("account.invoice", invoice, {"state": "paid"}, stamp)
    return None, 1, True


def _receipt(rows: Rows, invoice: Row, amount: Decimal, on: str, stamp: str) -> int:
    own = next(iter(rows.all("company.company").values()))["currency"]
    if invoice["currency"] == own:
        return _book(rows, invoice, CASH_JOURNAL, -amount, None, on, stamp)
    rates = [r for r in rows.all("currency.currency.rate").values() if r["currency"] == invoice["currency"]]
    rate = max((r for r in rates if r["date"] <= on), key=lambda r: r["date"])["rate"]
    value = (amount / Decimal(rate)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return _book(rows, invoice, CASH_JOURNAL, -value, -amount, on, stamp)


def _book(rows: Rows, invoice: Row, journal: int, value: Decimal, foreign: Decimal | None, on: str, stamp: str) -> int:
    line = {
        "account": RECEIVABLE,
        "company": COMPANY,
        "party": invoice["party"],
        "debit": max(value, ZERO),
        "credit": max(-value, ZERO),
        "second_currency": invoice["currency"] if foreign is not None else None,
        "amount_second_currency": foreign,
        "date": on,
        "move_state": "posted",
    }
    number = f"M{dt.date.fromisoformat(on).year}/9{len(rows.all('account.move')):05d}"
    values = {"number": number, "date": on, "state": "posted", "journal": journal, "lines": [["create", [line]]]}
    return int(rows.add("account.move", values, stamp)["lines"][0])
