"""The receivables ledger: open items and what was set against them, from journal items, never from invoices.

Each receivable journal item (`account.move.line` on a trade receivable account) is one item of its own: an invoice of
three instalments has three, with the invoice's number and three due dates; payments on account, opening balances and
write-offs are items that no invoice shows. So an application maps item to item, exactly as Odoo keeps it
(`account.partial.reconcile`), and a balance of any past day follows from the two (shared facts, all run on 19.0).

    debit   of an invoice, receipt, debit note, journal entry   document   invoice or debit_note
    debit   of a payment or bank line                           payment    refund (paid back)
    credit  of a credit note                                    document   credit_note
    credit  of a payment or bank line                           payment    receipt
    credit  of a journal entry against an expense               payment    write_off
    credit  of any other journal entry                          payment    receipt
    either  of an exchange difference                           document   of amount 0, with a base amount

**Exchange differences.** Odoo dates their entry at the end of the month of the reconciliation that caused it; read by
that date, an invoice paid in full on the 3rd would owe some cents until the 30th. Here it counts from the day of its
cause, and so does what was set against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from adapters.odoo.client import Client, Row
from adapters.odoo.reading import changes, existing, nothing
from connector.adapter import Json, Page
from connector.money import rounded

_ITEM = (
    "move_id", "move_name", "move_type", "parent_state", "partner_id", "account_id", "date", "date_maturity", "currency_id",
    "balance", "amount_currency", "payment_id", "statement_line_id", "name", "ref",
)  # fmt: skip
_SALES = ("out_invoice", "out_refund", "out_receipt")
_EXPENSES = ("expense", "expense_other", "expense_depreciation", "expense_direct_cost")


# --- items -------------------------------------------------------------------------------------------------------------
def _items(client: Client, states: Sequence[str]) -> list[Any]:
    return [
        ["account_id", "in", client.receivable_accounts],
        ["company_id", "=", client.company["id"]],
        ["parent_state", "in", list(states)],
    ]


def items(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Receivable journal items, posted and draft; a change of their entry (blocked, reset to draft) counts as theirs.

    Made here: `_fact` (document, payment, or None for what is no fact), `_kind`, `_id`, `_customer`, `_number`,
    `_issued_on`, `_due_on`, `_currency`, `_amount`, `_base_amount`, `_disputed`, `_status`, `_company`.
    """
    if not client.keeps_ledger:
        yield from nothing()
        return
    fields = client.asked("account.move.line", _ITEM, wanted)
    yield from changes(
        client,
        cursor,
        "account.move.line",
        _items(client, ("posted", "draft")),
        fields,
        lambda rows: _dressed_items(client, rows),
        stamps=("write_date", "move_id.write_date"),
        later=_items(client, ("posted", "draft", "cancel")),
        scope=client.scope,
    )


def item_keys(client: Client) -> Iterator[Sequence[str]]:
    if client.keeps_ledger:
        yield from existing(client, "account.move.line", _items(client, ("posted", "draft")))


def _dressed_items(client: Client, rows: list[Row]) -> list[Row]:
    owes = client.commercial(r["partner_id"] for r in rows)
    codes = client.currency_codes()
    moves = {r["move_id"] for r in rows}
    entries = {r["move_id"] for r in rows if r["move_type"] == "entry"}
    causes = exchange_causes(client, entries)
    plain = {
        r["move_id"] for r in rows
        if r["move_type"] == "entry" and not r["payment_id"] and not r.get("statement_line_id") and r["balance"] < 0
    } - causes.keys()  # fmt: skip
    lost = _against_expense(client, plain)
    blocked = _moves_where(client, moves, ["payment_state", "=", "blocked"])
    has_debit_notes = "debit_origin_id" in client.fields("account.move")
    debit_notes = _moves_where(client, moves, ["debit_origin_id", "!=", False]) if has_debit_notes else set()
    for row in rows:
        move, partner, currency = row["move_id"], row["partner_id"], codes[row["currency_id"]]
        fact, kind = _kind(row, causes, lost, debit_notes)
        row["_fact"], row["_kind"] = fact, kind
        row["_id"] = str(row["id"])
        row["_customer"] = str(owes.get(partner, partner)) if partner else None
        row["_number"] = row.get("move_name") if row.get("move_name") != "/" else None
        row["_issued_on"] = causes.get(move) or row["date"]
        row["_due_on"] = row["date_maturity"]
        row["_currency"] = currency
        row["_amount"] = rounded(abs(_number(row["amount_currency"])), currency)
        row["_base_amount"] = rounded(abs(_number(row["balance"])), client.company["currency"])
        row["_disputed"] = row["_amount"] if move in blocked and client.settings.blocked_is_disputed else None
        row["_status"] = "posted" if row["parent_state"] == "posted" else "draft"
        row["_company"] = client.company["name"]
    return rows


def _kind(row: Row, causes: dict[int, str], lost: set[int], debit_notes: set[int]) -> tuple[str | None, str | None]:
    """(document or payment, kind) of an item; (None, None) where it is no fact."""
    sign = row["balance"] or row["amount_currency"] or 0
    move, posted, sale = row["move_id"], row["parent_state"] == "posted", row["move_type"] in _SALES
    if not sign or row["parent_state"] not in ("posted", "draft") or (not posted and not (sale and row["partner_id"])):
        return None, None
    if sale:
        if sign < 0:
            return "document", "credit_note"
        return "document", "debit_note" if move in debit_notes else "invoice"
    if move in causes:
        return "document", "debit_note" if sign > 0 else "credit_note"
    if row["payment_id"] or row.get("statement_line_id"):
        return "payment", "refund" if sign > 0 else "receipt"
    if sign > 0:
        return "document", "invoice"
    return "payment", "write_off" if move in lost else "receipt"


def _number(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


def _moves_where(client: Client, moves: Iterable[int], condition: list[Any]) -> set[int]:
    chosen = sorted(moves)
    return set(client.ids("account.move", [["id", "in", chosen], condition])) if chosen else set()


def _against_expense(client: Client, moves: set[int]) -> set[int]:
    """Those entries that give a receivable up: their other side is an expense."""
    if not moves:
        return set()
    domain = [["move_id", "in", sorted(moves)], ["account_id.account_type", "in", list(_EXPENSES)]]
    return {r["move_id"] for r in client.rows("account.move.line", domain, ["move_id"])}


def exchange_causes(client: Client, moves: Iterable[int]) -> dict[int, str]:
    """Entry → day of the reconciliation that caused it, for those that book an exchange difference."""
    chosen = sorted(moves)
    causes: dict[int, str] = {}
    for start in range(0, len(chosen), 1000):
        domain = [["exchange_move_id", "in", chosen[start : start + 1000]]]
        for row in client.rows("account.partial.reconcile", domain, ["exchange_move_id", "max_date"]):
            causes[row["exchange_move_id"]] = max(row["max_date"], causes.get(row["exchange_move_id"], ""))
    return causes


# --- applications --------------------------------------------------------------------------------------------------------
_APPLIED = (
    "debit_move_id", "credit_move_id", "amount", "debit_amount_currency", "credit_amount_currency", "debit_currency_id",
    "credit_currency_id", "exchange_move_id", "max_date",
)  # fmt: skip


def _applied(client: Client) -> list[Any]:
    return [
        ["company_id", "=", client.company["id"]],
        ["debit_move_id.account_id", "in", client.receivable_accounts],
        ["debit_move_id.parent_state", "=", "posted"],
        ["credit_move_id.parent_state", "=", "posted"],
    ]


def applications(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """What was set against what. Made here: `_id`, `_from`, `_to`, `_amount`, `_from_amount`, `_base_amount`, `_applied_on`.

    Odoo dates one by the later of its two items, not by the click. Un-reconciling deletes the row: swept on every pull.
    """
    if not client.keeps_ledger:
        yield from nothing()
        return
    fields = client.asked("account.partial.reconcile", _APPLIED, wanted)
    yield from changes(
        client,
        cursor,
        "account.partial.reconcile",
        _applied(client),
        fields,
        lambda rows: _dressed_applications(client, rows),
        scope=client.scope,
    )


def application_keys(client: Client) -> Iterator[Sequence[str]]:
    if client.keeps_ledger:
        yield from existing(client, "account.partial.reconcile", _applied(client))


def _dressed_applications(client: Client, rows: list[Row]) -> list[Row]:
    codes, base = client.currency_codes(), client.company["currency"]
    moved = _moved_days(client, {r[side] for r in rows for side in ("debit_move_id", "credit_move_id")})
    for row in rows:
        debit, credit = row["debit_move_id"], row["credit_move_id"]
        to, of = codes[row["debit_currency_id"]], codes[row["credit_currency_id"]]
        row["_id"], row["_from"], row["_to"] = str(row["id"]), str(credit), str(debit)
        row["_amount"] = rounded(_number(row["debit_amount_currency"]), to)
        row["_from_amount"] = rounded(_number(row["credit_amount_currency"]), of)
        row["_base_amount"] = rounded(_number(row["amount"]), base)
        row["_applied_on"] = moved.get(debit) or moved.get(credit) or row["max_date"]
    return rows


def _moved_days(client: Client, lines: set[int]) -> dict[int, str]:
    """Item → day from which it counts, for items of exchange differences whose entry bears another date."""
    entries: dict[int, Row] = {}
    chosen = sorted(lines)
    for start in range(0, len(chosen), 1000):
        domain = [
            ["id", "in", chosen[start : start + 1000]],
            ["move_id.move_type", "=", "entry"],
            ["payment_id", "=", False],
        ]
        entries.update({r["id"]: r for r in client.rows("account.move.line", domain, ["move_id", "date"])})
    causes = exchange_causes(client, {r["move_id"] for r in entries.values()})
    return {
        line: causes[r["move_id"]]
        for line, r in entries.items()
        if r["move_id"] in causes and causes[r["move_id"]] != r["date"]
    }


# --- payments without an entry -----------------------------------------------------------------------------------------
_PAYMENT = (
    "name", "date", "state", "payment_type", "partner_type", "partner_id", "amount", "currency_id", "move_id",
    "amount_company_currency_signed",
)  # fmt: skip


def _without_entry(client: Client) -> list[Any]:
    return [["partner_type", "=", "customer"], ["company_id", "=", client.company["id"]], ["move_id", "=", False]]


def payments_in_process(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Customer payments that are sent but book nothing yet (18 and later, with the accounting app): no item shows them.

    Made here: `_id` (`payment-17`), `_customer`, `_kind` (None: no fact), `_currency`, `_amount`, `_base_amount`,
    `_company`. They are unapplied cash until the bank statement books them and an item takes their place.
    """
    if not (client.keeps_ledger and client.settings.payments_in_process and client.series >= 18):
        yield from nothing()
        return
    fields = client.asked("account.payment", _PAYMENT, wanted)

    def dress(rows: list[Row]) -> list[Row]:
        owes, codes = client.commercial(r["partner_id"] for r in rows), client.currency_codes()
        for row in rows:
            live = row["state"] == "in_process" and not row["move_id"] and row["partner_id"] and row["amount"]
            row["_id"] = f"payment-{row['id']}"
            row["_kind"] = ("receipt" if row["payment_type"] == "inbound" else "refund") if live else None
            row["_customer"] = str(owes[row["partner_id"]]) if row["partner_id"] else None
            row["_currency"] = codes[row["currency_id"]]
            row["_amount"] = rounded(abs(_number(row["amount"])), row["_currency"])
            base = row.get("amount_company_currency_signed")
            row["_base_amount"] = None if base is None else rounded(abs(_number(base)), client.company["currency"])
            row["_company"] = client.company["name"]
        return rows

    domain = _without_entry(client)
    now = [*domain, ["state", "=", "in_process"]]
    yield from changes(client, cursor, "account.payment", now, fields, dress, later=domain, scope=client.scope)


def payment_keys(client: Client) -> Iterator[Sequence[str]]:
    if client.keeps_ledger and client.settings.payments_in_process and client.series >= 18:
        yield from existing(client, "account.payment", [*_without_entry(client), ["state", "=", "in_process"]])
