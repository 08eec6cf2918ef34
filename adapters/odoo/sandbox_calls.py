"""The methods of the sandbox: Odoo's generic ones on every model, and the few of single models that the adapter calls."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.odoo.sandbox_rows import OdooError, Row, Rows, user_error
from adapters.odoo.sandbox_schema import FOR_ADMINISTRATORS
from adapters.odoo.sandbox_told import OWN_FIELDS, hooking

Arguments = dict[str, Any]


class Calls:
    """One call by one user: looks up the method, checks its arguments as Odoo does, runs it."""

    def __init__(
        self,
        rows: Rows,
        user: int,
        context: Mapping[str, Any],
        *,
        administrator: bool,
        partial: bool = False,
        archives: bool = True,
    ) -> None:
        self.rows, self.user, self.context, self.administrator = rows, user, context, administrator
        self.partial, self.archives = partial, archives

    def run(self, model: str, method: str, arguments: Arguments) -> tuple[Any, int]:
        """What the method answers, and how many records it was about."""
        own = getattr(self, f"{model.replace('.', '_')}__{method}", None)
        found: Callable[..., Any] | None = own or getattr(self, f"any__{method}", None)
        if found is None:
            raise OdooError(404, "werkzeug.exceptions.NotFound", f"The method '{model}.{method}' does not exist")
        value = found(model, arguments)
        return value, len(value) if isinstance(value, list) else len(arguments.get("ids", [])) or 1

    def _needed(self, arguments: Arguments, *names: str) -> list[Any]:
        for name in names:
            if name not in arguments:
                raise OdooError(
                    422, "werkzeug.exceptions.UnprocessableEntity", f"missing a required argument: '{name}'"
                )
        return [arguments[name] for name in names]

    def _found(self, model: str, ids: Sequence[int]) -> list[Row]:
        rows = []
        for key in ids:
            row = self.rows.get(model, key)
            if row is None:
                raise OdooError(
                    404,
                    "odoo.exceptions.MissingError",
                    f"Record does not exist or has been deleted.\n(Record: {model}({key},), User: {self.user})",
                )
            rows.append(row)
        return rows

    # --- reading ---------------------------------------------------------------------------------------------------------------
    def _search(self, model: str, arguments: Arguments) -> list[Row]:
        active = self.context.get("active_test", True)
        start, limit = arguments.get("offset") or 0, arguments.get("limit")
        by_id = (arguments.get("order") or "id") in ("id", "id asc")
        few = start + limit if by_id and limit else None
        rows = self.rows.matching(model, arguments.get("domain") or [], active, few)
        if not by_id:
            rows = self.rows.ordered(model, rows, arguments["order"])
        return rows[start : start + limit] if limit else rows[start:]

    def any__search_read(self, model: str, arguments: Arguments) -> list[Row]:
        for name in arguments:
            if name not in ("domain", "fields", "offset", "limit", "order", "load"):
                raise OdooError(
                    500, "builtins.TypeError", f"BaseModel._read_format() got an unexpected keyword argument '{name}'"
                )
        names = arguments.get("fields") or list(self.rows.fields(model))
        for name in names:
            self.rows.field(model, name)
        plain = arguments.get("load", "_classic_read") != "_classic_read"
        return [self.rows.shown(model, r, names, plain) for r in self._search(model, arguments)]

    def any__search(self, model: str, arguments: Arguments) -> list[int]:
        return [r["id"] for r in self._search(model, arguments)]

    def any__search_count(self, model: str, arguments: Arguments) -> int:
        return len(self._search(model, {"domain": arguments.get("domain")}))

    def any__read(self, model: str, arguments: Arguments) -> list[Row]:
        names = arguments.get("fields") or list(self.rows.fields(model))
        rows = [r for key in arguments.get("ids", []) if (r := self.rows.get(model, key))]
        return [self.rows.shown(model, r, names, bool(arguments.get("load", True)) is False) for r in rows]

    def any__fields_get(self, model: str, arguments: Arguments) -> dict[str, Any]:
        wanted = arguments.get("allfields") or list(self.rows.fields(model))
        attributes = arguments.get("attributes")
        out = {}
        for name, kind in self.rows.fields(model).items():
            if name in wanted:
                whole = {"type": kind.type, "string": name, "store": kind.stored, "relation": kind.to,
                         "selection": [[c, c] for c in self.rows.choices(model, name)]}  # fmt: skip
                out[name] = {k: v for k, v in whole.items() if not attributes or k in attributes}
        return out

    def any__default_get(self, model: str, arguments: Arguments) -> Row:
        return {}

    def any__has_access(self, model: str, arguments: Arguments) -> bool:
        return self.administrator or model not in FOR_ADMINISTRATORS

    any__check_access_rights = any__has_access

    def res_users__context_get(self, model: str, arguments: Arguments) -> Row:
        return {"lang": "en_US", "tz": False, "uid": self.user}

    def res_partner__default_get(self, model: str, arguments: Arguments) -> Row:
        default = self.rows.shelf.get("~meta", "credit_limit")
        return {"credit_limit": default} if default and "credit_limit" in arguments.get("fields", []) else {}

    # --- writing ---------------------------------------------------------------------------------------------------------------
    def any__create(self, model: str, arguments: Arguments) -> list[int]:
        (given,) = self._needed(arguments, "vals_list")
        ids = []
        for values in given if isinstance(given, list) else [given]:
            if model == "res.partner" and not values.get("name"):
                words = "The operation cannot be completed: Contacts require a name"
                raise OdooError(422, "odoo.exceptions.ValidationError", words)
            row = {**_DEFAULTS.get(model, {}), **self.rows.checked(model, values)}
            if model == "sale.order":
                self._guard([row], [dict(row, state=False)])
            ids.append(self.rows.add(model, row)["id"])
        return ids

    def any__write(self, model: str, arguments: Arguments) -> bool:
        ids, values = self._needed(arguments, "ids", "vals")
        self._refuse_some(model, ids)
        rows = self._found(model, ids)
        checked = self.rows.checked(model, values)
        if model == "sale.order":
            self._guard([{**r, **checked} for r in rows], rows)
        stamp = self.rows.stamp()
        for row in rows:
            self.rows.change(model, row, checked, stamp)
        return True

    def any__web_save_multi(self, model: str, arguments: Arguments) -> list[Row]:
        ids, values, _ = self._needed(arguments, "ids", "vals_list", "specification")
        if len(ids) != len(values):
            raise OdooError(500, "builtins.ValueError", "Each record must have a corresponding vals entry.")
        self._refuse_some(model, ids)
        self._found(model, ids)
        for one in values:
            self.rows.checked(model, one)
        for key, one in zip(ids, values, strict=True):
            self.any__write(model, {"ids": [key], "vals": one})
        return [{"id": key} for key in ids]

    def any__unlink(self, model: str, arguments: Arguments) -> bool:
        (ids,) = self._needed(arguments, "ids")
        for row in self._found(model, ids):
            if model == "account.move" and row["state"] == "posted":
                raise user_error(
                    "You can't delete a posted journal item. Don’t play games with your accounting records; "
                    "reset the journal entry to draft before deleting it."
                )
            self.rows.remove(model, row["id"])
        return True

    def _refuse_some(self, model: str, ids: Sequence[int]) -> None:
        """The fault "partial": a batch is all or nothing here, so it is refused, and every second row once more alone."""
        shelf = self.rows.shelf
        if self.partial and len(ids) > 1:
            for key in ids[1::2]:
                shelf.put("~refused", f"{model}/{key}", True)
            raise user_error(_LOCKED)
        for key in ids:
            if shelf.drop("~refused", f"{model}/{key}"):
                raise user_error(_LOCKED)

    # --- what one model does its own way -----------------------------------------------------------------------------------------
    def ir_model_fields__create(self, model: str, arguments: Arguments) -> list[int]:
        (given,) = self._needed(arguments, "vals_list")
        ids = []
        for values in given:
            about = self._found("ir.model", [values["model_id"]])[0]["model"]
            if values["name"] in self.rows.fields(about):
                words = "Field names must be unique per model."
                raise OdooError(422, "odoo.exceptions.ValidationError", words)
            if not str(values["name"]).startswith("x_"):
                words = "Custom fields must have a name that starts with 'x_'!"
                raise OdooError(422, "odoo.exceptions.ValidationError", words)
            choices = [c[2]["value"] for c in values.get("selection_ids", [])]
            kept = {k: v for k, v in values.items() if k != "selection_ids"}
            row = self.rows.add(
                model, {**self.rows.checked(model, kept), "model": about, "_model": about, "_choices": choices}
            )
            self._choices(row["id"], choices)
            ids.append(row["id"])
        return ids

    def _choices(self, field: int, choices: Sequence[str]) -> None:
        for choice in choices:
            self.rows.add("ir.model.fields.selection", {"field_id": field, "value": choice, "name": choice})

    def ir_model_fields__search(self, model: str, arguments: Arguments) -> list[int]:
        test = self.rows.test(model, arguments.get("domain") or [])
        own = [{"id": key, "model": about, "name": name} for key, (about, name) in OWN_FIELDS.items()]
        return [r["id"] for r in self._search(model, arguments)] + [r["id"] for r in own if test(r)]

    def ir_model_fields__write(self, model: str, arguments: Arguments) -> bool:
        ids, values = self._needed(arguments, "ids", "vals")
        for row in self._found(model, ids):
            more = [c[2]["value"] for c in values.get("selection_ids", [])]
            kept = {k: v for k, v in values.items() if k != "selection_ids"}
            self.rows.change(model, row, {**self.rows.checked(model, kept), "_choices": [*row["_choices"], *more]})
            self._choices(row["id"], more)
        return True

    def ir_ui_view__create(self, model: str, arguments: Arguments) -> list[int]:
        given = [{"active": True, **v, "arch_db": v.get("arch", "")} for v in self._needed(arguments, "vals_list")[0]]
        return self.any__create(model, {"vals_list": given})

    def ir_ui_view__write(self, model: str, arguments: Arguments) -> bool:
        ids, values = self._needed(arguments, "ids", "vals")
        return self.any__write(model, {"ids": ids, "vals": {**values, "arch_db": values.get("arch", "")}})

    def ir_ui_view__update_field_translations(self, model: str, arguments: Arguments) -> bool:
        (ids,) = self._needed(arguments, "ids")
        for row in self._found(model, ids):
            kept = {**row.get("_translations", {}), **arguments.get("translations", {})}
            self.rows.change(model, row, {"_translations": kept})
        return True

    def ir_ui_view__read(self, model: str, arguments: Arguments) -> list[dict[str, Any]]:
        """A view in the language of the context: its terms are translated one by one."""
        found = self.any__read(model, arguments)
        language = self.context.get("lang")
        for row, kept in zip(found, self._found(model, arguments["ids"]), strict=True):
            for term, said in kept.get("_translations", {}).get(language, {}).items():
                row["arch_db"] = row["arch_db"].replace(f">{term}<", f">{said}<").replace(f'"{term}"', f'"{said}"')
        return found

    def base_automation__create(self, model: str, arguments: Arguments) -> list[int]:
        ids = []
        for values in self._needed(arguments, "vals_list")[0]:
            own = {"active": True, **{k: v for k, v in values.items() if k != "action_server_ids"}}
            row = self.rows.add(model, self._linked(self.rows.checked(model, own)))
            self._actions(row["id"], values.get("action_server_ids", []))
            ids.append(row["id"])
        return ids

    def base_automation__write(self, model: str, arguments: Arguments) -> bool:
        ids, values = self._needed(arguments, "ids", "vals")
        for key in ids:
            self._actions(key, values.get("action_server_ids", []))
        kept = {k: v for k, v in values.items() if k != "action_server_ids"}
        return self.any__write(model, {"ids": ids, "vals": self._linked(kept)})

    def _linked(self, values: Row) -> Row:
        """A many2many given as the command "these and no others", as it is kept."""
        fields = values.get("trigger_field_ids")
        return values if not fields else {**values, "trigger_field_ids": fields[0][2]}

    def _actions(self, rule: int, commands: Sequence[Sequence[Any]]) -> None:
        for command in commands:
            if command[0] == 0:
                self.rows.add(
                    "ir.actions.server",
                    {**self.rows.checked("ir.actions.server", command[2]), "base_automation_id": rule},
                )
            elif command[0] == 1:
                self.any__write("ir.actions.server", {"ids": [command[1]], "vals": command[2]})

    def _guard(self, rows: Sequence[Row], before: Sequence[Row]) -> None:
        """Acts out the automation rules on orders: which orders meet the condition now and met the other one before."""
        hooks = {rule["id"] for rule, _ in hooking(self.rows)}
        for rule in self.rows.all("base.automation").values():
            model = self.rows.get("ir.model", rule["model_id"])
            if not rule["active"] or not model or model["model"] != "sale.order" or rule["id"] in hooks:
                continue
            if not rule["filter_domain"]:
                continue  # who may change the flag is not acted out: everybody here is the bot or an administrator
            was = self.rows.test("sale.order", _domain(rule["filter_pre_domain"]))
            now = self.rows.test("sale.order", _domain(rule["filter_domain"]))
            for row, old in zip(rows, before, strict=True):
                if (
                    was(old)
                    and now(row)
                    and not (old["state"] == "sale" and row["amount_total"] <= old["amount_total"])
                ):
                    customer = self.rows.get("res.partner", row["partner_invoice_id"]) or {}
                    reason = row.get("x_credit_hold_reason") or customer.get("x_credit_hold_reason") or ""
                    done = "raised" if old["state"] == "sale" else "confirmed"
                    raise user_error(
                        f"Credit hold: order {row['name']} of {customer.get('name')} cannot be {done}. {reason}"
                    )

    def sale_order__action_confirm(self, model: str, arguments: Arguments) -> bool:
        (ids,) = self._needed(arguments, "ids")
        for row in self._found(model, ids):
            if row["state"] not in ("draft", "sent"):
                raise user_error("Some orders are not in a state requiring confirmation.")
        return self.any__write(model, {"ids": ids, "vals": {"state": "sale"}})

    def sale_order__action_cancel(self, model: str, arguments: Arguments) -> bool:
        (ids,) = self._needed(arguments, "ids")
        return self.any__write(model, {"ids": ids, "vals": {"state": "cancel"}})

    def account_move__action_toggle_block_payment(self, model: str, arguments: Arguments) -> None:
        (ids,) = self._needed(arguments, "ids")
        for row in self._found(model, ids):
            state = "not_paid" if row["payment_state"] == "blocked" else "blocked"
            self.rows.change(model, row, {"payment_state": state})  # its lines are not stamped

    def res_partner__activity_schedule(self, model: str, arguments: Arguments) -> list[int]:
        (ids,) = self._needed(arguments, "ids")
        self._found(model, ids)
        if self.partial and self.rows.shelf.next("~partial") % 2 == 0:  # one row a call: every second call
            raise user_error(_LOCKED)
        values = {k: v for k, v in arguments.items() if k not in ("ids", "act_type_xmlid")}
        word = str(arguments.get("act_type_xmlid", "")).rpartition(".")[2]
        known = [d for d in self.rows.all("ir.model.data").values() if d["name"] == word]
        if not known:
            raise OdooError(500, "builtins.ValueError", f"External ID not found in the system: {word}")
        if (owner := values.get("user_id")) and not self.rows.get("res.users", owner):
            raise OdooError(404, "odoo.exceptions.MissingError", f"Record does not exist or has been deleted.\n(Record: res.users({owner},), User: {self.user})")  # fmt: skip
        about = next(m["id"] for m in self.rows.all("ir.model").values() if m["model"] == model)
        made = []
        for key in ids:
            row = {
                "res_model": model, "res_model_id": about, "res_id": key, "activity_type_id": known[0]["res_id"],
                "summary": False, "note": False, "user_id": False, "active": True, "date_done": False,
                "feedback": False, **self.rows.checked("mail.activity", values),
            }  # fmt: skip
            row["note"] = f"<p>{row['note']}</p>" if row["note"] else False
            row["date_deadline"] = row.get("date_deadline") or dt.datetime.now(dt.UTC).date().isoformat()
            made.append(self.rows.add("mail.activity", row)["id"])
        return made

    def mail_activity__action_feedback(self, model: str, arguments: Arguments) -> bool:
        (ids,) = self._needed(arguments, "ids")
        if stray := sorted(set(arguments) - {"ids", "feedback", "attachment_ids"}):
            words = f"got an unexpected keyword argument '{stray[0]}'"
            raise OdooError(422, "werkzeug.exceptions.UnprocessableEntity", words)
        rows = self._found(model, ids)
        self._refuse_some(model, ids)
        today = dt.datetime.now(dt.UTC).date().isoformat()
        for row in rows:
            if not self.archives:  # before 19 what is done is deleted
                self.rows.remove(model, row["id"])
                continue
            values = {"active": False, "date_done": today, "feedback": arguments.get("feedback") or False}
            self.rows.change(model, row, values)
        return True


def _domain(text: Any) -> list[Any]:
    return [list(c) if isinstance(c, tuple) else c for c in ast.literal_eval(str(text or "[]"))]


_LOCKED = "This record is locked by another process of your company."

_DEFAULTS: dict[str, Row] = {
    "res.partner": {
        "active": True, "is_company": False, "parent_id": False, "customer_rank": 0, "supplier_rank": 0,
        "company_id": False, "partner_share": True, "credit_limit": Decimal("0.0"), "type": "contact", "trust": "normal",
    },
}  # fmt: skip
