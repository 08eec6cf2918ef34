"""An imitation of Odoo 19's external API, or of 16 to 18 over `/jsonrpc`: enough of it for the adapter and for people.

`settings = {"role": "erp" | "crm", "version": 19}`; a version below 19 has no JSON-2. Errors bear Odoo's own status,
name and words (recorded from 19.0). Two users: the bot, who may not touch models and rules, and an administrator. An
automation rule on orders that an administrator makes is acted out when an order becomes a sales order: its conditions
are read; instead of running its code the order is refused with the reason that stands beside the flag.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.odoo.sandbox_dialogues import Dialogues, Later
from adapters.odoo.sandbox_rows import OdooError, Row, Rows
from adapters.odoo.sandbox_schema import FOR_ADMINISTRATORS
from adapters.odoo.sandbox_stock import Stock
from adapters.odoo.sandbox_told import tell
from connector.sandbox import Handler, Reply, Request, Sandbox, SandboxOptions
from connector.sandbox_hooks import Sender

BOT, ADMINISTRATOR = 5, 2
DATABASE = "sandbox"
_WRITES = {"create", "write", "unlink", "web_save_multi", "activity_schedule"}
_NOT_FOUND = (
    "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the requested URL "
    "was not found in the server-wide controllers.</p>\n"
)


def make(options: SandboxOptions) -> OdooSandbox:
    """The sandbox of this adapter."""
    return OdooSandbox(options)


class OdooSandbox(Sandbox):
    """One Odoo with one database, called `sandbox`."""

    name = "odoo"
    _rows: dict[str, dict[int, Row]]
    _rows_at = -1

    def __init__(self, options: SandboxOptions) -> None:
        self.sender = Sender(timeout=1.0)  # Odoo waits no longer, and does not try again
        super().__init__(options)

    def _tell(self, rows: Rows, model: str, row: Row, changed: Collection[str] | None) -> None:
        tell(rows, self.sender, model, row, changed)

    @property
    def series(self) -> int:
        return int(self.options.settings.get("version", 19))

    def credentials(self) -> Mapping[str, str]:
        return {"api_key": "sandbox-bot-key-5d41402abc4b", "admin_key": "sandbox-admin-key-7d793037a076"}

    def stock(self) -> None:
        Stock(Rows(self.shelf), self.options).fill()

    def _known(self) -> dict[str, dict[int, Row]]:
        """Rows read before, as long as nothing has changed."""
        if self._rows_at != self.shelf.changes:
            self._rows_at, self._rows = self.shelf.changes, {}
        return self._rows

    def expire(self) -> None:
        self.shelf.put("~meta", "expired", True)

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("GET", "/web/version", self._version),
            ("POST", r"/json/2/([a-z0-9_.]+)/(\w+)", self._json2),
            ("*", r"/json/2/.*", self._not_post),
            ("POST", "/jsonrpc", self._jsonrpc),
        ]

    def unknown(self, request: Request) -> Reply:
        return _html(404, _NOT_FOUND)

    # --- the two doors -------------------------------------------------------------------------------------------------------
    def _info(self) -> list[Any]:
        return [self.series, 0, 0, "final", 0, ""]

    def _version(self, request: Request) -> Reply:
        if self.series < 19:
            return _html(404, _NOT_FOUND)
        return Reply.json({"version_info": self._info(), "version": f"{self.series}.0"})

    def _not_post(self, request: Request) -> Reply:
        wrong = OdooError(404, "werkzeug.exceptions.NotFound", "Did you mean POST /json/2/<model>/<method>?")
        return _error(wrong) if self.series >= 19 else _html(404, _NOT_FOUND)

    def _user(self, key: str) -> int | None:
        known = {v: k for k, v in self.credentials().items()}
        if self.shelf.get("~meta", "expired") or key not in known:
            return None
        return BOT if known[key] == "api_key" else ADMINISTRATOR

    def _json2(self, request: Request, model: str, method: str) -> Reply:
        if self.series < 19:
            return _html(404, _NOT_FOUND)
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _html(415, "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n")
        if request.headers.get("x-odoo-database", DATABASE) != DATABASE:
            return _html(404, _NOT_FOUND)
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        user = self._user(key) if kind.lower() == "bearer" else None
        if user is None:
            words = (
                "Invalid apikey"
                if key
                else ("User not authenticated, use an API Key with a Bearer Authorization header.")
            )
            return _error(OdooError(401, "werkzeug.exceptions.Unauthorized", words))
        try:
            arguments = request.json()
        except ValueError as wrong:
            return _error(
                OdooError(400, "werkzeug.exceptions.BadRequest", f"could not parse the body as json: {wrong}")
            )
        try:
            value, records = self._call(user, model, method, arguments if isinstance(arguments, dict) else {})
        except OdooError as wrong:
            return _error(wrong)
        return Reply.json(value, records=records, write=_changes(method))

    def _jsonrpc(self, request: Request) -> Reply:
        params = request.json()["params"]
        service, method, args = params["service"], params["method"], params["args"]
        write, records = False, 0
        try:
            if service == "common" and method == "version":
                value: Any = {"server_version": f"{self.series}.0", "server_version_info": self._info(),
                              "server_serie": f"{self.series}.0", "protocol_version": 1}  # fmt: skip
            elif service == "common" and method in ("login", "authenticate"):
                value = (self._user(args[2]) or False) if args[0] == DATABASE else False
            elif service == "object" and method == "execute_kw":
                user = self._user(args[2])
                if user is None or user != args[1]:
                    raise OdooError(200, "odoo.exceptions.AccessDenied", "Access Denied")
                named = dict(args[6]) if len(args) > 6 else {}
                value, records = self._call(user, args[3], args[4], _placed(args[4], args[5], named))
                write = _changes(args[4])
            else:
                raise OdooError(200, "builtins.Exception", f"Method not found: {service}.{method}")
        except OdooError as wrong:
            data = {
                "name": wrong.name,
                "message": wrong.message,
                "arguments": [wrong.message],
                "context": {},
                "debug": "",
            }
            error = {"code": 200, "message": "Odoo Server Error", "data": data}
            return Reply.json({"jsonrpc": "2.0", "id": None, "error": error})
        body = {"jsonrpc": "2.0", "id": None} | ({} if value is None else {"result": value})
        return Reply.json(body, records=records, write=write)

    # --- one call ----------------------------------------------------------------------------------------------------------------
    def _call(self, user: int, model: str, method: str, arguments: dict[str, Any]) -> tuple[Any, int]:
        rows = Rows(self.shelf, self._known(), self._tell)
        rows.fields(model)  # an unknown model is told first
        if method.startswith("_"):
            raise _access(f"Private methods (such as '{model}.{method}') cannot be called remotely.")
        context = arguments.pop("context", None) or {}
        lang = context.get("lang")
        if lang and not any(r["code"] == lang and r["active"] for r in rows.all("res.lang").values()):
            raise OdooError(422, "odoo.exceptions.UserError", f"Invalid language code: {lang}")
        if not set(context.get("allowed_company_ids") or [1]) <= set(rows.all("res.company")):
            raise _access("Access to unauthorized or invalid companies.")
        closed = FOR_ADMINISTRATORS.get(model)
        if closed and user != ADMINISTRATOR and method not in ("has_access", "check_access_rights"):
            title, group = closed
            raise _access(
                f"You are not allowed to access '{title}' ({model}) records.\n\nThis operation is allowed for the following "
                f"groups:\n\t- {group}\n\nContact your administrator to request access if necessary."
            )
        calls = Dialogues(
            rows,
            user,
            context,
            self.options,
            administrator=user == ADMINISTRATOR,
            partial=self.faults.partial,
            archives=self.series >= 19,
        )
        return calls.run(model, method, arguments)

    # --- for the demo and the tests: what people do in the ERP ---------------------------------------------------------------------
    def open_invoices(self, partner: int | None = None) -> list[Row]:
        """Receivable lines of posted invoices that are not paid in full, oldest due first."""
        lines = [
            r for r in self.shelf.all("account.move.line")
            if r["move_type"] == "out_invoice" and r["parent_state"] == "posted" and r.get("amount_residual_currency", 0) > 0
            and (partner is None or r["partner_id"] == partner)
        ]  # fmt: skip
        return sorted(lines, key=lambda r: (str(r["date_maturity"]), r["id"]))

    def pay(self, line: int, day: dt.date, amount: Decimal | None = None) -> int:
        """A customer pays an open receivable line, in whole or in part; gives the new payment's line."""
        with self.shelf.together():
            rows = Rows(self.shelf, tell=self._tell)
            debit = rows.get("account.move.line", line)
            assert debit is not None
            credit = Later(rows, self.options).paid([debit], amount or debit["amount_residual_currency"], day)
            return int(credit["id"])

    def take_order(self, partner: int, amount: Decimal, day: dt.date, *, confirm: bool = True) -> int:
        """A customer orders something for so much (gross, company currency); gives the order's id."""
        with self.shelf.together():
            rows = Rows(self.shelf, tell=self._tell)
            stamp = rows.stamp()
            currency = next(iter(rows.all("res.company").values()))["currency_id"]
            number = self.shelf.next("sale.order.name", 90001)
            order = rows.add(
                "sale.order",
                {"name": f"S{number}", "state": "sale" if confirm else "draft", "locked": False, "partner_id": partner,
                 "partner_invoice_id": partner, "date_order": f"{day} 03:00:00", "commitment_date": False,
                 "currency_id": currency, "currency_rate": Decimal("1.0"), "amount_untaxed": amount, "amount_total": amount,
                 "payment_term_id": False, "user_id": False, "company_id": 1, "client_order_ref": False},
                stamp,
            )  # fmt: skip
            rows.add(
                "sale.order.line",
                {"order_id": order["id"], "name": "Goods", "display_type": False, "product_uom_qty": Decimal("1.0"),
                 "qty_delivered": Decimal("0.0"), "qty_invoiced": Decimal("0.0"), "price_unit": amount,
                 "discount": Decimal("0.0"), "price_subtotal": amount, "price_total": amount, "is_downpayment": False,
                 "invoice_lines": []},
                stamp,
            )  # fmt: skip
            return int(order["id"])


def _placed(method: str, args: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """Positional arguments by name, as the named door takes them."""
    names = {"create": ["vals_list"], "write": ["ids", "vals"], "has_group": ["ids", "group_ext_id"]}.get(
        method, ["ids"]
    )
    if method == "has_access" and not args:  # a method of records; the other door does not mind
        raise OdooError(200, "builtins.IndexError", "list index out of range")
    return {**named, **dict(zip(names, args, strict=False))}


def _changes(method: str) -> bool:
    return method in _WRITES or method.startswith(("action_", "button_"))


def _access(message: str) -> OdooError:
    return OdooError(403, "odoo.exceptions.AccessError", message)


def _error(wrong: OdooError) -> Reply:
    status = (
        [wrong.status]
        if (wrong.name.startswith("werkzeug") and wrong.status != 401) or wrong.name.endswith("Unauthorized")
        else []
    )
    body = {"name": wrong.name, "message": wrong.message, "arguments": [wrong.message, *status], "context": {},
            "debug": "Traceback (most recent call last): …"}  # fmt: skip
    return Reply.json(body, wrong.status)


def _html(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), {"content-type": "text/html; charset=utf-8"})
