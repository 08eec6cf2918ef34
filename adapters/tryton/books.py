"""What the ledger's lines mean: documents with instalments, payments, and what was set against what.

Names of facts: `invoice:1462` is the customer invoice with that id in Tryton, `line:5359` any other receivable line. In
a foreign currency each instalment of an invoice is a document of its own, with the invoice's number: Tryton rounds the
ledger value of each by itself, and they need not be shares of one total. Amounts are positive, the kind gives the sign;
`base_amount` is the same in the company's currency.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .client import Tryton
from .matching import ZERO, Applied, Side, partly, settled

Row = dict[str, Any]

LINE = (
    "party.code",
    "debit",
    "credit",
    "second_currency.code",
    "amount_second_currency",
    "maturity_date",
    "date",
    "reconciliation.date",
    "invoice_payment",
    "move_state",
    "move.number",
    "move.origin",
    "move.journal.type",
)
INVOICE = (
    "number",
    "reference",
    "type",
    "state",
    "total_amount_cache",
    "move",
    "additional_moves",
    "party",
    "cancel_move",
)

# Journals in which a credit on the receivable account is not money: sales, and a purchase set against a sale.
_NOT_MONEY = ("revenue", "expense")
# Journals in which a debit on it is money paid back.
_MONEY = ("cash", "statement")


class Books:
    """Everything needed to say what some moves mean: their lines, their invoices, and who settled with whom."""

    def __init__(
        self, client: Tryton, moves: Sequence[int], line_fields: Sequence[str] = (), invoice_fields: Sequence[str] = ()
    ) -> None:
        self.company = client.currency
        fields = list(dict.fromkeys([*LINE, *line_fields]))
        ledger = [["account.type.receivable", "=", True], ["company", "=", client.context["company"]]]
        self.lines: dict[int, Row] = {}
        self.invoices: dict[int, Row] = {}

        def lines(field: str, ids: Sequence[int], also: list[Any]) -> None:
            found = client.rows_of("account.move.line", field, ids, fields, [*ledger, *also])
            self.lines.update((r["id"], r) for r in found)

        def invoices(ids: set[int]) -> None:
            asked = [*dict.fromkeys([*INVOICE, *invoice_fields])]
            found = client.rows_of("account.invoice", "id", list(ids - self.invoices.keys()), asked)
            self.invoices.update((r["id"], r) for r in found)

        lines("move", moves, [])
        invoices({i for r in self.lines.values() if (i := _invoice_of(r))})
        own = [i["id"] for i in self.invoices.values()]
        # A rescheduled invoice has instalments in other moves; a receipt set against it may pay those.
        more = {m for i in self.invoices.values() for m in (i["move"], *i["additional_moves"]) if m} - set(moves)
        lines("move", sorted(more), [["reconciliation", "=", None]])
        lines("invoice_payment", own, [["reconciliation", "=", None]])
        closed = [r["reconciliation"]["id"] for r in self.lines.values() if r["reconciliation"]]
        lines("reconciliation", closed, [["move", "not in", sorted(moves)]])
        invoices({i for r in self.lines.values() if (i := _invoice_of(r))})
        self.by_move: dict[int, list[Row]] = defaultdict(list)
        self.reconciled: dict[int, list[Row]] = defaultdict(list)
        for line in sorted(self.lines.values(), key=lambda r: r["id"]):
            self.by_move[line["move"]["id"]].append(line)
            if line["reconciliation"]:
                self.reconciled[line["reconciliation"]["id"]].append(line)
        self.disputed = self._disputed(client, moves)
        self.applied = self._settlements(set(own))

    # --- settlements -------------------------------------------------------------------------------------------------
    def _settlements(self, own: set[int]) -> dict[int, list[Applied]]:
        """What was set against each line that is a debit, by line."""
        parts: dict[int, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
        for line in self.lines.values():
            if line["reconciliation"]:
                continue
            if line["invoice_payment"] in own and net(line) < 0:
                parts[line["invoice_payment"]][1].append(line)
            elif _invoice_of(line) in own and net(line) > 0:
                parts[_invoice_of(line) or 0][0].append(line)
        found: dict[int, list[Applied]] = defaultdict(list)
        for lines in self.reconciled.values():
            debits = [self.side(r) for r in lines if net(r) > 0]
            credits = [self.side(r) for r in lines if net(r) < 0]
            on = max((s.on for s in (*debits, *credits) if s.amount), default=max(day(r["date"]) for r in lines))
            for applied in settled(debits, credits, self.company, on):
                found[applied.debit.line].append(applied)
        for debits_, credits_ in parts.values():
            for applied in partly([self.side(r) for r in debits_], [self.side(r) for r in credits_], self.company):
                found[applied.debit.line].append(applied)
        return found

    def side(self, line: Row) -> Side:
        """A line as a party to a settlement."""
        currency, amount = self.value(line)
        fact, instalment = self.named(line)
        return Side(
            line=line["id"],
            fact=fact,
            currency=currency,
            amount=abs(amount),
            base=abs(net(line)),
            on=day(line["date"]),
            due=day(line["maturity_date"] or line["date"]),
            instalment=instalment,
            invoice=_invoice_of(line),
            pays=line["invoice_payment"],
        )

    def value(self, line: Row) -> tuple[str, Decimal]:
        """The currency and the signed amount of a line in it; an exchange difference has amount 0."""
        foreign = line["second_currency"]
        if foreign:
            return foreign["code"], line["amount_second_currency"] or ZERO
        difference = self.difference(line)
        return (difference, ZERO) if difference else (self.company, net(line))

    def difference(self, line: Row) -> str | None:
        """The foreign currency whose exchange difference this line books; None where it is an ordinary line.

        Tryton books the difference without a second currency into the reconciliation of lines that have one and
        whose amounts in it add up to zero (`account/move.py`, `_get_exchange_move`).
        """
        if line["second_currency"] or not line["reconciliation"]:
            return None
        others = self.reconciled[line["reconciliation"]["id"]]
        currencies = {r["second_currency"]["code"] for r in others if r["second_currency"]}
        rest = sum((r["amount_second_currency"] or ZERO for r in others if r["second_currency"]), ZERO)
        return currencies.pop() if len(currencies) == 1 and not rest else None

    # --- names -------------------------------------------------------------------------------------------------------
    def invoice(self, line: Row) -> Row | None:
        """The customer invoice that this line is an instalment of: in the invoice's own move, with the invoice's sign."""
        invoice = self.invoices.get(_invoice_of(line) or 0)
        if invoice is None or invoice["type"] != "out" or invoice["move"] != line["move"]["id"]:
            return None
        return invoice if (net(line) < 0) == ((invoice["total_amount_cache"] or 0) < 0) else None

    def named(self, line: Row) -> tuple[str, str | None]:
        """The name of the fact that a line is, or is a part of, and the number of its instalment where it is one."""
        invoice = self.invoice(line)
        if invoice is None or line["second_currency"]:
            return f"line:{line['id']}", None
        mates = self.mates(line)
        # Somebody else may have been made to pay a part of an invoice; his part is a document of his own.
        name = f"invoice:{invoice['id']}" + ("" if party(line) == invoice["party"] else f":{customer(line)}")
        numbers = [m["id"] for m in mates]
        return name, str(numbers.index(line["id"]) + 1) if len(numbers) > 1 else None

    def mates(self, line: Row) -> list[Row]:
        """The instalments of the same document, this one included."""
        return [
            r
            for r in self.by_move[line["move"]["id"]]
            if self.invoice(r) is not None and party(r) == party(line) and not r["second_currency"]
        ]

    # --- facts -------------------------------------------------------------------------------------------------------
    def meaning(self, move: int) -> dict[str, Any]:
        """The derived members of a move's record."""
        lines = self.by_move.get(move, [])
        invoice = next((i for r in lines if (i := self.invoice(r))), None)
        members: dict[str, Any] = {"lines": lines, "_documents": [], "_instalments": [], "_payments": []}
        if invoice:
            members["invoice"] = invoice
        seen: set[str] = set()
        for line in lines:
            name, _ = self.named(line)
            if name in seen or not net(line):
                continue
            seen.add(name)
            if self._is_payment(line):
                if line["move_state"] == "posted":
                    members["_payments"].append(self._payment(name, line))
            else:
                self._document(members, name, [line] if name.startswith("line:") else self.mates(line))
        members["_applications"] = [self._application(a) for r in lines for a in self.applied.get(r["id"], [])]
        return members

    def _is_payment(self, line: Row) -> bool:
        """A credit outside sales is money or a write-off; a debit is one only where money went back to the customer."""
        if self.invoice(line) is not None or not self.value(line)[1]:
            return False
        origin = self.invoices.get(_invoice_of(line) or 0)
        if origin is not None and line["move"]["id"] in origin["additional_moves"]:
            return False  # a reschedule: the old instalment goes out as a credit, the new ones come in
        journal = line["move"]["journal"]["type"]
        return journal not in _NOT_MONEY if net(line) < 0 else journal in _MONEY

    def _document(self, members: dict[str, Any], name: str, lines: list[Row]) -> None:
        first = lines[0]
        invoice = self.invoices.get(_invoice_of(first) or 0)
        currency = self.value(first)[0]
        owed = net(first) > 0
        kind = ("invoice" if invoice else "debit_note") if owed else "credit_note"
        if invoice and first["move"]["id"] not in (invoice["move"], *invoice["additional_moves"]):
            kind = "debit_note" if owed else "credit_note"
        due = [r["maturity_date"] or r["date"] for r in lines]
        document = {
            "id": name,
            "kind": kind,
            "customer": customer(first),
            "number": (invoice or {}).get("number") or first["move"]["number"],
            "issued_on": first["date"],
            "due_on": max(due),
            "currency": currency,
            "amount": abs(sum((self.value(r)[1] for r in lines), ZERO)),
            "base_amount": abs(sum((net(r) for r in lines), ZERO)),
            "status": "posted" if first["move_state"] == "posted" else "draft",
        }
        disputed = [abs(self.value(r)[1]) for r in lines if r["id"] in self.disputed]
        if disputed:
            document["disputed_amount"] = sum(disputed, ZERO)
        members["_documents"].append(document)
        if len(lines) > 1:
            members["_instalments"] += [
                {
                    "document": name,
                    "number": str(n),
                    "due_on": d,
                    "amount": abs(self.value(r)[1]),
                    "base_amount": abs(net(r)),
                    # Of the document's dispute the whole belongs to the parts that are blocked, nothing to the others.
                    "disputed_amount": (abs(self.value(r)[1]) if r["id"] in self.disputed else ZERO)
                    if disputed
                    else None,
                }
                for n, (r, d) in enumerate(zip(lines, due, strict=True), 1)
            ]

    def _payment(self, name: str, line: Row) -> dict[str, Any]:
        currency, amount = self.value(line)
        kind = "write_off" if line["move"]["journal"]["type"] == "write-off" else "receipt"
        if net(line) > 0:
            kind = "refund"
        return {
            "id": name,
            "kind": kind,
            "customer": customer(line),
            "number": line["move"]["number"],
            "received_on": line["date"],
            "currency": currency,
            "amount": abs(amount),
            "base_amount": abs(net(line)),
        }

    @staticmethod
    def _application(applied: Applied) -> dict[str, Any]:
        return {
            "id": f"{applied.credit.line}>{applied.debit.line}@{applied.on}",
            "from": applied.credit.fact,
            "to": applied.debit.fact,
            "instalment": applied.debit.instalment,
            "amount": applied.amount,
            "from_amount": applied.from_amount,
            "base_amount": applied.base,
            "applied_on": applied.on.isoformat(),
        }

    def _disputed(self, client: Tryton, moves: Sequence[int]) -> set[int]:
        """Lines whose dunning a user has blocked: Tryton's nearest thing to a dispute."""
        lines = [r["id"] for m in moves for r in self.by_move.get(m, []) if not r["reconciliation"] and net(r) > 0]
        if not lines or not client.can_read("account.dunning"):
            return set()
        return {r["line"] for r in client.rows_of("account.dunning", "line", lines, ["line"], [["blocked", "=", True]])}


def net(line: Row) -> Decimal:
    """What a line adds to the customer's debt, in the company's currency."""
    amount: Decimal = line["debit"] - line["credit"]
    return amount


def party(line: Row) -> int | None:
    """The id of a line's party."""
    return line["party"]["id"] if line["party"] else None


def customer(line: Row) -> str | None:
    """The code of a line's party: the customer's number."""
    return line["party"]["code"] if line["party"] else None


def day(written: str) -> dt.date:
    """A calendar day as Tryton's records carry it here."""
    return dt.date.fromisoformat(written)


def _invoice_of(line: Row) -> int | None:
    """The invoice that a line's move originates from; a receipt made from the invoice has the same origin."""
    origin = line["move"]["origin"] or ""
    model, _, number = origin.partition(",")
    return int(number) if model == "account.invoice" and number.isdigit() else None
