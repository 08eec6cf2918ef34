"""Our imitation of Zoho CRM v8: sign-in, metadata, records, COQL, bulk read, deleted records, record locks.

It is what the official Python SDK and Zoho's OpenAPI files accept (tests prove both). Any credentials are accepted,
except empty ones and those that contain “wrong”. A folder may bring its own data: `Accounts.json`, `Sales_Orders.json`,
`users.json`, each a list of objects in Zoho's shape.

Switches in `settings`: `multi_currency`, `no_orders` (an edition without Sales_Orders), `denied` (a list of `coql`,
`bulk`, `deleted`, `users`, `fields`, `notifications` for which the scope is missing), `bulk_polls` (how often a job is not ready yet),
`bulk_rows` (rows of one bulk file), `credits` (API credits that are left), `token_limit` (ten tokens in ten minutes, as Zoho has it).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from adapters.zoho_crm import sandbox_metadata as metadata
from adapters.zoho_crm import sandbox_query as query
from adapters.zoho_crm.sandbox_bulk import Bulk
from adapters.zoho_crm.sandbox_lists import Lists, paging
from adapters.zoho_crm.sandbox_records import NO_BODY, PROFILE, Records, Row, failure, refusal
from adapters.zoho_crm.sandbox_stock import stock
from adapters.zoho_crm.sandbox_watch import Watch
from connector.sandbox import Handler, Reply, Request, Sandbox, SandboxOptions
from connector.sandbox_hooks import Sender

TIME_ZONE = "Asia/Shanghai"
_ROWS_MOST = 100
_TOKEN_SECONDS, _TOKENS_LIVE, _TOKENS_MOST = 3600, 15, 10


def make(options: SandboxOptions) -> Sandbox:
    """The imitation, stocked from the options' folder or with a made-up company."""
    return ZohoSandbox(options)


class ZohoSandbox(Sandbox):
    """One made-up organisation."""

    name = "zoho_crm"

    def __init__(self, options: SandboxOptions) -> None:
        self.switches = options.settings
        super().__init__(options)

    @cached_property
    def records(self) -> Records:
        return Records(self.shelf, TIME_ZONE, self.switches, lambda *what: self.watch.changed(*what))

    @cached_property
    def watch(self) -> Watch:
        return Watch(self.records, Sender())

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.records)

    @cached_property
    def bulk(self) -> Bulk:
        return Bulk(self.records, self.switches)

    @property
    def user(self) -> dict[str, str]:
        return self.records.user

    def stock(self) -> None:
        stock(self.records, self.options)

    def credentials(self) -> Mapping[str, str]:
        return {
            "client_id": "1000.SANDBOXCLIENT",
            "client_secret": "sandbox-client-secret",
            "refresh_token": "1000.sandbox-refresh-token",
        }

    def expire(self) -> None:
        for token in self.shelf.all("~tokens"):
            self.shelf.drop("~tokens", token["token"])

    def unknown(self, request: Request) -> Reply:
        return refusal("INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one", 404)

    def too_many(self, retry_after: float | None) -> Reply:
        # Zoho never says when to come back; the kit's fault with a hint keeps it, as a proxy in between might add one.
        reply = refusal("TOO_MANY_REQUESTS", "too many requests", 429)
        hint = {"retry-after": str(int(retry_after))} if retry_after is not None else {}
        return Reply(429, reply.body, {**reply.headers, **hint})

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        v8, bulk = "/crm/v8", "/crm/bulk/v8"
        module, key = r"([A-Z]\w*)", r"(\d+)"
        table: list[tuple[str, str, Handler, str]] = [
            ("GET", f"{v8}/org", self.org, ""),
            ("GET", f"{v8}/users", self.users, "users"),
            ("GET", f"{v8}/settings/modules", self.modules, ""),
            ("GET", f"{v8}/settings/fields", self.fields, "fields"),
            ("POST", f"{v8}/settings/fields", self.create_fields, "fields"),
            ("GET", f"{v8}/settings/record_locking_configurations", self.locking, "locking"),
            ("POST", f"{v8}/settings/record_locking_configurations", self.locking, "locking"),
            ("POST", f"{v8}/coql", self.lists.coql, "coql"),
            ("POST", f"{bulk}/read", self.bulk.start, "bulk"),
            ("GET", f"{bulk}/read/{key}", self.bulk.state, "bulk"),
            ("GET", f"{bulk}/read/{key}/result", self.bulk.result, "bulk"),
            ("*", f"{v8}/actions/watch", self.watch.answer, "notifications"),
            ("GET", f"{v8}/{module}/deleted", self.lists.deleted, "deleted"),
            ("GET", f"{v8}/{module}/search", self.lists.search, ""),
            ("GET", f"{v8}/{module}/actions/count", self.lists.count, ""),
            ("POST", f"{v8}/{module}/upsert", self.upsert, ""),
            ("*", f"{v8}/{module}/{key}/Locking_Information__s(?:/{key})?", self.locks, ""),
            ("GET", f"{v8}/{module}/{key}", self.lists.one, ""),
            ("PUT", f"{v8}/{module}(?:/{key})?", self.update, ""),
            ("DELETE", f"{v8}/{module}(?:/{key})?", self.delete, ""),
            ("GET", f"{v8}/{module}", self.lists.list, ""),
            ("POST", f"{v8}/{module}", self.insert, ""),
        ]
        return [("POST", "/oauth/v2/token", self.token), *((m, p, self._signed(h, s)) for m, p, h, s in table)]

    def _signed(self, handler: Handler, scope: str) -> Handler:
        """The handler behind the checks every call meets: a live token, the scope, a module that is there."""

        def checked(request: Request, *groups: str) -> Reply:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            known = self.shelf.get("~tokens", token) if kind == "Zoho-oauthtoken" else None
            if not known or dt.datetime.fromisoformat(known["until"]) < dt.datetime.now(dt.UTC):
                return refusal("INVALID_TOKEN", "invalid oauth token", 401)
            if scope and scope in self.switches.get("denied", ()):
                return refusal("OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL", 401)
            if groups and groups[0] and groups[0][:1].isalpha() and not self.records.has(groups[0]):
                return refusal(
                    "INVALID_MODULE", "the module name given seems to be invalid", 400, {"resource_path_index": 0}
                )
            try:
                return self._counted(handler(request, *groups))
            except query.Wrong as wrong:
                return refusal(wrong.code, wrong.message, 400, wrong.details)
            except (ValueError, AttributeError, TypeError):
                return refusal("INVALID_DATA", "body", 400, {"expected_data_type": "jsonobject"})

        return checked

    def _counted(self, reply: Reply) -> Reply:
        left = self.switches.get("credits")
        return (
            replace(reply, headers={**reply.headers, "X-API-CREDITS-REMAINING": str(left)})
            if left is not None
            else reply
        )

    # --- signing in ----------------------------------------------------------------------------------------------
    def token(self, request: Request) -> Reply:
        form = {**request.query, **request.form()}
        for name in ("client_id", "client_secret", "refresh_token"):
            if not form.get(name) or "wrong" in form[name]:
                return Reply.json({"error": "invalid_code" if name == "refresh_token" else "invalid_client"})
        now = dt.datetime.now(dt.UTC)
        live = sorted(self.shelf.all("~tokens"), key=lambda t: str(t["at"]))
        recent = [t for t in live if now - dt.datetime.fromisoformat(t["at"]) < dt.timedelta(minutes=10)]
        if self.switches.get("token_limit") and len(recent) >= _TOKENS_MOST:
            text = "You have made too many requests continuously. Please try again after some time."
            return Reply.json({"error_description": text, "error": "Access Denied", "status": "failure"}, 400)
        for old in live[: max(0, len(live) - _TOKENS_LIVE + 1)]:
            self.shelf.drop("~tokens", old["token"])
        token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        until = now + dt.timedelta(seconds=_TOKEN_SECONDS)
        self.shelf.put("~tokens", token, {"token": token, "at": now.isoformat(), "until": until.isoformat()})
        return Reply.json(
            {
                "access_token": token,
                "api_domain": request.base_url,
                "token_type": "Bearer",
                "expires_in": _TOKEN_SECONDS,
            }
        )

    # --- the organisation and its metadata -------------------------------------------------------------------------
    def org(self, request: Request) -> Reply:
        return Reply.json({"org": [self.shelf.get("~meta", "org")]})

    def users(self, request: Request) -> Reply:
        kind = request.query.get("type", "AllUsers")
        found = [
            u
            for u in self.shelf.all("~users")
            if kind not in ("ActiveUsers", "ActiveConfirmedUsers") or u["status"] == "active"
        ]
        page, size = paging(request)
        some = found[(page - 1) * size : page * size]
        if not some:
            return NO_BODY
        info = {"per_page": size, "count": len(some), "page": page, "more_records": page * size < len(found)}
        return Reply.json({"users": some, "info": info}, records=len(some))

    def modules(self, request: Request) -> Reply:
        names = [m for m in metadata.MODULES if self.records.has(m)]
        return Reply.json({"modules": [metadata.module_json(m, n, PROFILE) for n, m in enumerate(names, 1)]})

    def fields(self, request: Request) -> Reply:
        module = request.query.get("module", "")
        if not self.records.has(module):
            return refusal("INVALID_MODULE", "the module name given seems to be invalid")
        return Reply.json({"fields": [metadata.field_json(f, PROFILE) for f in self.records.fields(module)]})

    def create_fields(self, request: Request) -> Reply:
        module = request.query.get("module", "")
        if not self.records.has(module):
            return refusal("INVALID_MODULE", "the module name given seems to be invalid")
        bodies = request.json()["fields"]
        if len(bodies) > 5:
            return refusal("LIMIT_EXCEEDED", "fields", 400, {"limit": 5})
        results = [self._create_field(module, body, place) for place, body in enumerate(bodies)]
        good = sum(r["status"] == "success" for r in results)
        status = 201 if good == len(results) else 207 if good else 400
        return Reply.json({"fields": results}, status, records=good, write=good > 0)

    def _create_field(self, module: str, body: Mapping[str, Any], place: int) -> Row:
        label, kind = str(body.get("field_label") or ""), body.get("data_type")
        where = {"api_name": "field_label", "json_path": f"$.fields[{place}].field_label"}
        if self.faults.partial and place % 2:
            return failure("LIMIT_EXCEEDED", "maximum custom fields reached", {"limit": 0})
        if not 0 < len(label) <= 25:
            return failure("INVALID_DATA", "invalid data", {**where, "maximum_length": 25})
        if kind not in metadata.CREATABLE:
            return failure(
                "INVALID_DATA", "invalid data", {"api_name": "data_type", "json_path": f"$.fields[{place}].data_type"}
            )
        if any(f["label"].lower() == label.lower() for f in self.records.fields(module)):
            return failure("DUPLICATE_DATA", "duplicate data", where)
        key = self.records.add_field(module, body)
        return {"code": "SUCCESS", "details": {"id": key}, "message": "field created", "status": "success"}

    # --- writing -------------------------------------------------------------------------------------------------------
    def _body(self, request: Request) -> tuple[Mapping[str, Any], Sequence[Any]] | Reply:
        body = request.json()
        rows = body.get("data") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not rows:
            return refusal(
                "MANDATORY_NOT_FOUND", "required field not found", 400, {"api_name": "data", "json_path": "$.data"}
            )
        if len(rows) > _ROWS_MOST:
            return refusal("LIMIT_EXCEEDED", "more than 100 records", 400, {"limit": _ROWS_MOST})
        return body, rows

    def insert(self, request: Request, module: str) -> Reply:
        got = self._body(request)
        if isinstance(got, Reply):
            return got
        return self.records.write(module, got[1], self.user, lambda r: (None, ""), True, self.faults.partial)

    def update(self, request: Request, module: str, key: str | None = None) -> Reply:
        got = self._body(request)
        if isinstance(got, Reply):
            return got

        def find(row: Row) -> tuple[Row | None, str]:
            return self.records.get(module, key or str(row.get("id") or "")), ""

        return self.records.write(module, got[1], self.user, find, False, self.faults.partial)

    def upsert(self, request: Request, module: str) -> Reply:
        got = self._body(request)
        if isinstance(got, Reply):
            return got
        body, rows = got
        unique = {f["api_name"] for f in self.records.fields(module) if f["unique"]}
        system = {"Accounts": ["Account_Name"], "Contacts": ["Email"], "Deals": ["Deal_Name"]}.get(module, [])
        names = body.get("duplicate_check_fields") or [*unique, *system]
        for name in names:
            if name not in unique and name not in system:
                where = {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields[0]"}
                return refusal("INVALID_DATA", "the field is not available for duplicate check", 400, where)

        def find(row: Row) -> tuple[Row | None, str]:
            if row.get("id"):
                return self.records.get(module, str(row["id"])), "id"
            for name in names:
                if row.get(name) is not None and (twin := self.records.twin(module, name, row[name])):
                    return twin, name
            return None, str(names[0]) if names else ""

        return self.records.write(module, rows, self.user, find, True, self.faults.partial)

    def delete(self, request: Request, module: str, key: str | None = None) -> Reply:
        results: list[Row] = []
        for one in [key] if key else request.query.get("ids", "").split(","):
            if self.records.remove(module, one, self.user):
                results.append(
                    {"code": "SUCCESS", "details": {"id": one}, "message": "record deleted", "status": "success"}
                )
            else:
                results.append(failure("INVALID_DATA", "the id given seems to be invalid", {"id": one}))
        good = sum(r["status"] == "success" for r in results)
        return Reply.json({"data": results}, 200 if good else 400, records=good, write=good > 0)

    # --- record locks --------------------------------------------------------------------------------------------------
    def locks(self, request: Request, module: str, key: str, lock: str | None = None) -> Reply:
        record = self.records.get(module, key)
        if not record:
            return refusal("INVALID_DATA", "the related id given seems to be invalid", 400, {"resource_path_index": 1})
        if module not in {c["module"] for c in self.shelf.all("~locking")}:
            text = "Required Record Locking Configuration is not present"
            return refusal("NOT_ALLOWED", text, 400, {"resource_path_index": 0})
        held = record.get("~locked")
        if request.method == "GET":
            if not held:
                return NO_BODY
            info = {"per_page": 200, "count": 1, "page": 1, "more_records": False}
            return Reply.json({"data": [held], "info": info})
        if request.method == "DELETE":
            if not held or lock != held["id"]:
                return refusal("INVALID_DATA", "relation not found", 400)
            record.pop("~locked")
        elif request.method == "PUT" and (not held or lock != held["id"]):
            return refusal("INVALID_DATA", "relation not found", 400)
        else:
            if held and request.method == "POST":
                return refusal("NOT_ALLOWED", "record is already locked", 400, {"resource_path_index": 1})
            lock = lock or self.records.new_id()
            record["~locked"] = self.lock_json(lock, request.json()["data"][0].get("Locked_Reason__s"))
        self.records.put(module, record)
        done = {"code": "SUCCESS", "details": {"id": lock}, "message": "record locked", "status": "success"}
        return Reply.json({"data": [done]}, 201 if request.method == "POST" else 200, records=1, write=True)

    def lock_json(self, key: str, reason: str | None) -> Row:
        """A lock as Zoho shows it."""
        return {
            "id": key,
            "Locked_Reason__s": reason,
            "Locked_By__s": {**self.user, "module": "users"},
            "Locked_Time__s": self.records.now(),
            "Lock_Source__s": "Manual",
        }

    def locking(self, request: Request) -> Reply:
        """The record locking configuration of a module: looked at, or made where there is none."""
        module = request.query.get("module", "")
        if not self.records.has(module):
            return refusal(
                "INVALID_MODULE", "the module name given seems to be invalid", 400, {"resource_path_index": 0}
            )
        there = self.shelf.get("~locking", module)
        if request.method == "GET":
            shown = {k: v for k, v in there.items() if k != "module"} if there else None
            return Reply.json({"record_locking_configurations": [shown]}) if shown else NO_BODY
        if there:
            return refusal("DUPLICATE_DATA", "a record locking configuration exists already", 400)
        body = request.json()["record_locking_configurations"][0]
        names = {f["id"]: f["api_name"] for f in self.records.fields(module)}
        key, now, user = self.records.new_id(), self.records.now(), dict(self.user)
        made = {
            "locked_for": "all_profiles",
            "restricted_actions": ["update"],
            "locking_rules": [],
            "restricted_communications": [],
            "restricted_custom_buttons": None,
            "lock_excluded_profiles": [],
            "lock_for_portal_users": True,
            **body,
            "excluded_fields": [{"id": f["id"], "api_name": names[f["id"]]} for f in body.get("excluded_fields", ())],
            "feature_type": "record_locking",
            "system_defined": False,
            "id": key,
            "created_time": now,
            "modified_time": now,
            "created_by": user,
            "modified_by": user,
        }
        self.shelf.put("~locking", module, {**made, "module": module})
        done = {"code": "SUCCESS", "details": {"id": key}, "message": "configuration created", "status": "success"}
        return Reply.json({"record_locking_configurations": [done]}, 201, records=1, write=True)
