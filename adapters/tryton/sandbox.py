"""A sandbox of Tryton: JSON-RPC of series 8.2 (or an older one) over the tables of a made-up company.

Built from what a running 8.2.1 answered (shared notes, section 1) and held against it by the live tests: sessions, the
envelope of exactly three keys, the context as last parameter, values in their class form, errors with status 200, one
transaction for all pairs of a `write`, a `confirm` that answers null while a held order stays a quotation.
Switches: `series` ("8.2"), `database` ("holdfast"), `documents_per_customer` (12).
"""

from __future__ import annotations

import base64
import gzip
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.sandbox import Handler, Reply, Request, Sandbox, SandboxOptions

from . import sandbox_stock
from .sandbox_models import MODELS, fields_of
from .sandbox_rows import Forbidden, Refused, Row, Rows, Unknown, key
from .sandbox_work import complete, confirm, pay, to_pay
from .values import plain

USER, PASSWORD = "connector", "connector-of-the-sandbox"
_USERS = {USER: PASSWORD, "admin": "admin-of-the-sandbox", "sales": "sales-of-the-sandbox"}
_COMPRESSED = 1400  # characters above which 8.2 says that it compresses


class TrytonSandbox(Sandbox):
    """One database with one company."""

    name = "tryton"

    def __init__(self, options: SandboxOptions) -> None:
        self.series = str(options.settings.get("series", "8.2"))
        self.database = str(options.settings.get("database", "holdfast"))
        self.stubborn: set[int] = set()  # rows that a "partial" batch has refused, and refuses once more
        self._turn = 0
        self._memory: dict[str, dict[int, Row]] = {}
        self._changes = -1
        super().__init__(options)

    def stock(self) -> None:
        sandbox_stock.stock(self.shelf, self.options)

    def credentials(self) -> Mapping[str, str]:
        return {"password": PASSWORD, "admin_password": _USERS["admin"]}

    def expire(self) -> None:
        for session in self.shelf.all("~session"):
            self.shelf.drop("~session", session["token"])

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        rpc = "/rpc/" if self.series >= "8" else "/"
        return [("POST", rpc, self._common), ("POST", rf"/([^/]+){rpc}", self._database)]

    def unknown(self, request: Request) -> Reply:
        return Reply(404, b"<html>Not Found</html>", {"content-type": "text/html"})

    # --- doors -------------------------------------------------------------------------------------------------------
    def _common(self, request: Request) -> Reply:
        body = _envelope(request)
        if body is None or body["method"] != "common.server.version":
            return _page(403)
        return Reply.json({"id": body["id"], "result": self.series})

    def _database(self, request: Request, name: str) -> Reply:
        body = _envelope(request)
        if name != self.database:
            return _page(404)
        if body is None:
            return _page(422)
        if body["method"] == "common.db.login":
            return self._login(body)
        user = self._user(request)
        if user is None:
            return Reply(401, b"", {"www-authenticate": 'Basic realm="Tryton"'})
        parameters = plain(body["params"])
        if not parameters or not isinstance(parameters[-1], dict):
            return _page(422)
        try:
            result, count, wrote = self._run(user, body["method"], parameters[:-1], parameters[-1])
        except Refused as wrong:
            return Reply.json({"id": body["id"], "error": ["UserError", [str(wrong), "", None]]})
        except Unknown as wrong:
            return Reply.json({"id": body["id"], "error": [repr(str(wrong)), ""]})
        except Forbidden:
            return _page(403)
        return _compressed(request, Reply.json({"id": body["id"], "result": result}, records=count, write=wrote))

    def _login(self, body: Row) -> Reply:
        user, given = body["params"][0], body["params"][1]
        if _USERS.get(user) != given.get("password"):
            return _page(401)
        token = secrets.token_hex(16)
        self.shelf.put("~session", token, {"token": token, "user": user})
        return Reply.json({"id": body["id"], "result": [list(_USERS).index(user) + 1, token, None]})

    def _user(self, request: Request) -> str | None:
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        if scheme != "Session":
            return None
        user, _, token = base64.b64decode(coded).decode().rsplit(":", 2)
        session = self.shelf.get("~session", token)
        return user if session and session["user"] == user else None

    # --- methods -----------------------------------------------------------------------------------------------------
    def _run(self, user: str, method: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        """Result, how many records it carries or wrote, whether it wrote."""
        # Somebody else may have changed the shelf: then nothing that was read before is believed.
        if self._changes != self.shelf.changes:
            self._memory = {}
        rows = Rows(self.shelf, self._memory)
        try:
            return self._called(rows, user, method, given, context)
        finally:
            self._changes = self.shelf.changes

    def _called(self, rows: Rows, user: str, method: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        kind, _, rest = method.partition(".")
        model, _, name = rest.rpartition(".")
        if kind == "wizard":
            return self._wizard(rows, model, name, given, context)
        if kind != "model" or model not in MODELS:
            raise Unknown(model)
        known: dict[str, Callable[..., tuple[Any, int, bool]]] = {
            "search_read": self._search_read,
            "search": self._search,
            "fields_get": self._fields_get,
            "create": self._create,
            "write": self._write,
            "delete": self._delete,
        }
        if (model, name) == ("res.user", "get_preferences"):
            about = {"company": 1, "companies": [1], "company_filter": "one", "language": "en"}
            return {**about, "groups": _groups(rows, user), "administrator": user == "admin"}, 0, False
        if model == "sale.sale" and name in ("quote", "confirm"):
            return confirm(rows, given[0], name, user), len(given[0]), True
        if name not in known or (name == "delete" and model != "ir.note"):
            raise Forbidden
        if user != "admin" and name in ("create", "write", "delete"):
            _permitted(rows, user, model, name, given)
        return known[name](rows, model, given, context)

    def _found(self, rows: Rows, model: str, given: list[Any], context: Row) -> list[Row]:
        domain, offset, limit, order = [*given, None, None, None, None][:4]
        if model == "ir.note" and not any(isinstance(c, list) and c and c[0] == "resource" for c in domain):
            raise Refused('You are not allowed to search on the "ir.note" resource.')
        return rows.search(model, domain, offset or 0, limit, order, context.get("active_test", True))

    def _search_read(self, rows: Rows, model: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        found = self._found(rows, model, given, context)
        if model == "account.invoice":
            found = [{**r, "amount_to_pay": to_pay(rows, r)} if "amount_to_pay" in given[4] else r for r in found]
        paths = [p for p in given[4] if self.series >= "8" or p != "last_modified_at"]
        return [rows.shown(model, r, paths) for r in found], len(found), False

    def _search(self, rows: Rows, model: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        found = [r["id"] for r in self._found(rows, model, given, context)]
        return found, len(found), False

    def _fields_get(self, rows: Rows, model: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        names = given[0] or list(fields_of(model))
        types = {n: fields_of(model)[n].partition(":") for n in names if n in fields_of(model)}
        return {n: {"name": n, "type": t[0], "relation": t[2] or None} for n, t in types.items()}, 0, False

    def _create(self, rows: Rows, model: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        if self.faults.partial and len(given[0]) > 1:
            self.stubborn = set(range(1, len(given[0]), 2))
            self._turn = 0
            raise Refused("The batch has records that are refused.")
        if self.stubborn and len(given[0]) == 1 and model == "ir.note":
            place, self._turn = self._turn, self._turn + 1
            if place in self.stubborn:
                self.stubborn.discard(place)
                raise Refused("This record is refused.")
        for values in given[0]:
            if model == "ir.note" and not str(values.get("resource", "")).startswith(("party.party,", "sale.sale,")):
                raise Refused('The value for field "Resource" in "Note" is not valid.')
        stamp = rows.stamp()
        made = [complete(v) if model == "sale.sale" else v for v in given[0]]
        return [rows.add(model, v, stamp)["id"] for v in made], len(made), True

    def _write(self, rows: Rows, model: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        pairs = list(zip(given[::2], given[1::2], strict=True))
        ids = [i for some, _ in pairs for i in some]
        if self.faults.partial and len(ids) > 1:
            self.stubborn = set(ids[1::2])
            raise Refused("The batch has records that are refused.")
        if len(ids) == 1 and ids[0] in self.stubborn:
            self.stubborn.discard(ids[0])
            raise Refused("This record is refused.")
        there = rows.all(model)
        if missing := [i for i in ids if i not in there]:
            raise Refused(f'You are trying to read records "{missing[0]}" of "{model}" that don\'t exist.')
        for _, values in pairs:
            if (values.get("credit_limit_amount") or 0) >= 10**16:
                raise Refused("The number of digits in the value exceeds the limit.")
        stamp = rows.stamp()
        for some, values in pairs:
            for row_id in some:
                rows.change(model, there[row_id], values, stamp)
        return None, len(ids), True

    def _delete(self, rows: Rows, model: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        there = rows.all(model)
        if missing := [i for i in given[0] if i not in there]:
            raise Refused(f'You are trying to read records "{missing[0]}" of "{model}" that don\'t exist.')
        for row_id in given[0]:
            self.shelf.drop(model, key(row_id))
            there.pop(row_id)
        return None, len(given[0]), True

    def _wizard(self, rows: Rows, wizard: str, name: str, given: list[Any], context: Row) -> tuple[Any, int, bool]:
        if wizard != "account.invoice.pay":
            raise Forbidden
        if name == "create":
            return [self.shelf.next("~wizard"), "start", "end"], 0, False
        if name == "delete":
            return None, 0, False
        start, ask = given[1]["start"], given[1].get("ask")
        return pay(rows, context["active_id"], start, ask)


_ADMINISTRATORS = frozenset(
    {"ir.model.button", "ir.model.button.rule", "ir.model.access", "ir.rule", "ir.rule.group", "res.group", "res.user"}
)


def _groups(rows: Rows, user: str) -> list[int]:
    return next((list(u.get("groups") or []) for u in rows.all("res.user").values() if u["login"] == user), [])


def _permitted(rows: Rows, user: str, model: str, name: str, given: list[Any]) -> None:
    """What is an administrator's is refused to others, unless a group of theirs may; the record rules bound that again."""
    if model not in _ADMINISTRATORS and (model, name) != ("party.category", "create"):
        return
    groups = _groups(rows, user)
    rights = [a for a in rows.all("ir.model.access").values() if a["model"] == model and a["group"] in groups]
    if not any(a[f"perm_{name}"] for a in rights):
        raise Refused(f'You are not allowed to access "{model}".')
    for bound in rows.all("ir.rule.group").values():
        for rule in (rows.all("ir.rule")[i] for i in bound["rules"] if bound["model"] == model):
            [said] = json.loads(rule["domain"])
            if said["c"]["k"] in groups and any(i not in said["t"][2] for i in given[0]):
                raise Refused(f'You are not allowed to write to records of "{model}" because of "{bound["name"]}".')


def _envelope(request: Request) -> Row | None:
    try:
        body = request.json()
    except ValueError:
        return None
    if not isinstance(body, dict) or set(body) != {"id", "method", "params"} or not isinstance(body["params"], list):
        return None
    return body


def _page(status: int) -> Reply:
    return Reply(status, f"<!doctype html><title>{status}</title>".encode(), {"content-type": "text/html"})


def _compressed(request: Request, reply: Reply) -> Reply:
    """8.2 announces gzip for every long answer, and compresses only for a client that said it accepts it."""
    if len(reply.body) <= _COMPRESSED:
        return reply
    accepts = "gzip" in request.headers.get("accept-encoding", "")
    body = gzip.compress(reply.body, 1) if accepts else reply.body
    return Reply(reply.status, body, {**reply.headers, "content-encoding": "gzip"}, reply.records, reply.write)


def make(options: SandboxOptions) -> TrytonSandbox:
    """A sandbox as `holdfast sandbox tryton` and the tests use it."""
    return TrytonSandbox(options)
