"""The sandbox: an imitation of a Fxiaoke tenant by the vendor's pages, errors with status 200 included.

Where the pages are silent it takes the stricter side: no id in the answer to a created custom record, nulls left out,
no order without `orders`. Codes of single modules are not published; those here are ours. Settings:
`fields = "missing"` shows a tenant in which nobody has made our fields yet; `rate_limit = false` lifts 100 calls per
20 s; `bulk_function` names the APL function that is installed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.fxiaoke import sandbox_schema as schema
from adapters.fxiaoke.sandbox_door import TENANT, Door
from adapters.fxiaoke.sandbox_events import Events
from adapters.fxiaoke.sandbox_rules import Refused, checked, employee_id, matches, open_id, sorting
from adapters.fxiaoke.sandbox_stock import ADMIN, record_id, stocked
from connector.clock import Clock, SystemClock
from connector.sandbox import Reply, Request, Sandbox, SandboxOptions
from connector.sandbox_hooks import Sender

BULK_FUNCTION = "func_holdfast_credit_push__c"
_LOCKED, _DUPLICATE, _RULE, _UNKNOWN_RECORD = 300101, 300102, 300103, 300104


class FxiaokeSandbox(Sandbox):
    """One tenant with its objects, tokens, limits and employees."""

    name = "fxiaoke"

    def __init__(self, options: SandboxOptions) -> None:
        self.clock: Clock = SystemClock()
        self.flows: list[str] = []  # workflows and approvals that our writes set off
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._partial = 0
        self.events: Events | None = None  # nobody is told of the stock
        super().__init__(options)
        self.events = Events(self.shelf, Sender(timeout=3.0, tries=2), self._now)
        self.door = Door(self.shelf, self._now, bool(options.settings.get("rate_limit", True)))

    # --- stock ---
    def stock(self) -> None:
        ready = self.options.settings.get("fields", "ready") == "ready"
        for name in schema.OBJECTS:
            self.shelf.put("~describe", name, schema.describe_of(name))
        for name, label, kind, options in (*schema.MATCHING, *(schema.CREDIT_FIELDS if ready else ())):
            self.add_field(name, label, kind, options)
        if ready:
            task = self.add_object(schema.TASK_LABEL)
            for label, kind in schema.TASK_FIELDS:
                self.add_field(task, label, kind, schema.PRIORITIES if kind == "select_one" else (), kind == "text")
        erp, tax = (self.field_name("AccountObj", label) for _, label, _, _ in schema.MATCHING)
        for name, row in stocked(self.options, erp, tax):
            self.shelf.put(name, row["_id"], row)

    def add_object(self, label: str) -> str:
        """A custom object, as an administrator makes it; gives its generated name."""
        name = "object_" + schema.generated(str(self.options.seed), label)[6:]
        self.shelf.put("~describe", name, schema.custom_object(name, label))
        return name

    def add_field(self, name: str, label: str, kind: str, options: Sequence[str] = (), unique: bool = False) -> str:
        """A field of the tenant's own; gives its generated name."""
        made = schema.generated(str(self.options.seed), name, label)
        told = self.shelf.get("~describe", name)
        assert told is not None
        told["fields"][made] = schema.field(made, label, kind, tuple(options), unique)
        self.shelf.put("~describe", name, told)
        return made

    def field_name(self, name: str, label: str) -> str:
        """The api name of the field with a label."""
        fields = self.describe(name)["fields"].values()
        return next(str(f["api_name"]) for f in fields if f["label"] == label)

    def object_name(self, label: str) -> str:
        """The api name of the object that is called so."""
        return next(str(d["api_name"]) for d in self.shelf.all("~describe") if d["display_name"] == label)

    def describe(self, name: str) -> dict[str, Any]:
        """The describe of an object."""
        told = self.shelf.get("~describe", name)
        if told is None:
            raise Refused(15002, f"dataObjectApiName {name} does not exist")
        assert isinstance(told, dict)
        return told

    def credentials(self) -> Mapping[str, str]:
        """Any other words work too, as long as none is empty or begins with “wrong”."""
        return {
            "app_id": "FSAID_sandbox1",
            "app_secret": "sandbox-app-secret",
            "permanent_code": "sandbox-permanent-code",
        }

    # --- records; a changed kind is read anew ---
    def rows(self, name: str) -> list[dict[str, Any]]:
        """Every record of an object, by id."""
        if name not in self._rows:
            self._rows[name] = self.shelf.all(name)
        return self._rows[name]

    def keep(self, name: str, row: dict[str, Any]) -> None:
        """Stores one record."""
        self._rows.pop(name, None)
        before = self.shelf.get(name, row["_id"])
        self.shelf.put(name, row["_id"], row)
        invalid = row.get("life_status") == "invalid" and (before or {}).get("life_status") != "invalid"
        self._tell(name, row["_id"], "create" if before is None else "invalid" if invalid else "update")

    def forget(self, name: str, key: str) -> None:
        """Deletes one record for good."""
        self._rows.pop(name, None)
        self.shelf.drop(name, key)
        self._tell(name, key, "delete")

    def _tell(self, name: str, key: str, kind: str) -> None:
        if self.events is not None:
            self.events.changed(name, key, kind)

    # --- answering ---
    def routes(self) -> Sequence[tuple[str, str, Any]]:
        data = "/cgi/crm/v2/data/", "/cgi/crm/custom/v2/data/"
        verbs = {
            "query": self._query, "get": self._get, "create": self._create, "update": self._update,
            "invalid": self._invalid, "delete": self._delete, "recover": self._recover, "changeOwner": self._change_owner,
        }  # fmt: skip
        calls = {f"{base}{verb}": make for base in data for verb, make in verbs.items()} | {
            "/cgi/crm/v2/object/list": self._object_list,
            "/cgi/crm/v2/object/describe": self._object_describe,
            "/cgi/crm/v2/object/lock": lambda b, d: self._lock(d, "1"),
            "/cgi/crm/v2/object/unlock": lambda b, d: self._lock(d, "0"),
            "/cgi/crm/v2/special/function": self._function,
        }
        return [
            ("POST", "/oauth2.0/token", lambda r: self._sign_in(r, header=True)),
            ("POST", "/cgi/corpAccessToken/get/V2", lambda r: self._sign_in(r, header=False)),
            *[("POST", path, self._signed(make)) for path, make in calls.items()],
        ]

    def unknown(self, request: Request) -> Reply:
        return _error(10006, "the parameter scope is missing or illegal")

    def too_many(self, retry_after: float | None) -> Reply:
        return _error(30004, "too many calls per second")  # the vendor sends no hint when to come back

    def _signed(self, make: Any) -> Any:
        def handle(request: Request) -> Reply:
            try:
                if self.door.crowded(request.path):
                    return self.too_many(None)
                body = request.json()
                if not isinstance(body, dict):
                    return _error(12004, "the POST body is empty")
                self._admit(request, body)
                told = body.get("data")
                data: dict[str, Any] = told if isinstance(told, dict) else {}
                _refuse_wrong_path(request.path, data)
                reply = make(body, data)
                assert isinstance(reply, Reply)
                return reply
            except Refused as wrong:
                return _error(wrong.code, wrong.message)
            except (ValueError, KeyError, TypeError) as wrong:
                return _error(15002, f"illegal parameter: {wrong!s:.80}")

        return handle

    def _now(self) -> float:
        return self.clock.now().timestamp()

    # --- the door ---
    def _sign_in(self, request: Request, *, header: bool) -> Reply:
        try:
            return _fine(**self.door.sign_in(request, header=header))
        except Refused as wrong:
            return _error(wrong.code, wrong.message)

    def _admit(self, request: Request, body: Mapping[str, Any]) -> None:
        user = self.door.admit(request, body)
        if not any(p["user_id"] == user for p in self.rows("PersonnelObj")):
            raise Refused(20012, "openUserId not found")

    def expire(self) -> None:
        self.door.expire()

    # --- metadata ---
    def _object_list(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        listed = [
            {
                "describeApiName": d["api_name"],
                "describeDisplayName": d["display_name"],
                "defineType": d["define_type"],
                "isActive": True,
            }
            for d in self.shelf.all("~describe")
        ]
        return _fine(data={"objects": listed})

    def _object_describe(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        return _fine(data={"describe": self.describe(str(data.get("apiName") or body.get("apiName") or ""))})

    # --- reading ---
    def _query(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        name = str(data["dataObjectApiName"])
        fields = self.describe(name)["fields"]
        asked = data["search_query_info"]
        limit, offset = int(asked["limit"]), int(asked["offset"])
        if not 1 <= limit <= 100 or offset < 0 or offset % limit:
            raise Refused(15002, "limit must be 1 to 100, offset a multiple of it")
        if offset > 10_000:
            raise Refused(10013, "offset out of range 10000")
        found = [r for r in self.rows(name) if all(matches(r, f, fields) for f in asked.get("filters") or ())]
        found = sorting(found, asked.get("orders") or (), fields)
        page = found[offset : offset + limit]
        shown = [self._shown(r, fields, body, asked.get("fieldProjection") or ()) for r in page]
        total = len(found) if data.get("find_explicit_total_num", True) else 0
        return _fine(len(page), data={"dataList": shown, "total": total, "offset": offset, "limit": limit})

    def _get(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        name = str(data["dataObjectApiName"])
        return _fine(
            1, data=self._shown(self._record(name, data["objectDataId"]), self.describe(name)["fields"], body, ())
        )

    def _record(self, name: str, key: Any) -> dict[str, Any]:
        self.describe(name)
        row = self.shelf.get(name, str(key))
        if row is None:
            raise Refused(_UNKNOWN_RECORD, "数据不存在或已删除")
        assert isinstance(row, dict)
        return row

    def _shown(
        self, row: Mapping[str, Any], fields: Mapping[str, Any], body: Mapping[str, Any], projection: Sequence[str]
    ) -> dict[str, Any]:
        shown = dict(row)
        for name, field in fields.items():
            value = row.get(name)
            if value is not None and field["type"] == "object_reference" and name == "account_id":
                shown[f"{name}__r"] = (self.shelf.get("AccountObj", str(value)) or {}).get("name")
        opened = body.get("convertUserId", "corpAccessToken" in body)
        if opened:
            employees = [n for n, f in fields.items() if f["type"] == "employee" and n in shown]
            shown |= {n: [open_id(u) for u in shown[n]] for n in employees}
            shown |= {"user_id": open_id(str(row["user_id"]))} if "user_id" in row else {}
        if projection:
            shown = {n: shown.get(n) for n in ("_id", *projection)}
        return {n: v for n, v in shown.items() if v is not None or body.get("includeNull")}

    # --- writing ---
    def _create(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        given = dict(data["object_data"])
        name = str(given.pop("dataObjectApiName"))
        fields = self.describe(name)["fields"]
        values = checked(given, fields, new=True)
        self._refuse_partial()
        self._refuse_doubles(name, fields, values, None)
        now = int(self._now() * 1000)
        key = record_id(self.options.seed, name, "made", self.shelf.next(name))
        row = {
            "owner": [ADMIN], "created_by": [ADMIN], "last_modified_by": [ADMIN], "create_time": now, "last_modified_time": now,
            "life_status": "normal", "lock_status": "0", "is_deleted": False, "record_type": "default__c", "version": "1",
        }  # fmt: skip
        self.keep(name, row | values | {"_id": key})
        self._flow(body, f"create {name}")
        told = {} if name.endswith("__c") else {"dataId": key}
        return _fine(1, write=True, **told)

    def _update(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        given = dict(data["object_data"])
        name = str(given.pop("dataObjectApiName"))
        key = str(given.pop("_id"))
        self._change(name, key, given)
        self._flow(body, f"update {name}")
        return _fine(1, write=True)

    def _change(self, name: str, key: str, given: Mapping[str, Any], refuse: bool | None = None) -> None:
        row = self._record(name, key)
        fields = self.describe(name)["fields"]
        if "owner" in given:
            raise Refused(_RULE, "负责人不能通过修改接口变更")
        values = checked(given, fields, new=False)
        self._refuse_partial(refuse)
        if row["lock_status"] == "1":
            raise Refused(_LOCKED, "数据已锁定，不能编辑")
        self._refuse_doubles(name, fields, values, key)
        row |= values
        self.keep(name, {n: v for n, v in row.items() if v is not None} | self._changed(row))

    def _changed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        now = max(int(self._now() * 1000), int(row["last_modified_time"]) + 1)
        return {"last_modified_time": now, "version": str(int(row["version"]) + 1)}

    def _refuse_partial(self, refuse: bool | None = None) -> None:
        """The fault “partial” refuses every second record: within one call of our function, else call by call."""
        if refuse is None and self.faults.partial:
            self._partial += 1
            refuse = self._partial % 2 == 0
        if refuse:
            raise Refused(_RULE, "校验规则不通过")

    def _refuse_doubles(self, name: str, fields: Mapping[str, Any], values: Mapping[str, Any], key: str | None) -> None:
        for field in [n for n, f in fields.items() if f["is_unique"] and values.get(n)]:
            if any(r.get(field) == values[field] and r["_id"] != key for r in self.rows(name)):
                raise Refused(_DUPLICATE, f"{fields[field]['label']}不允许重复")

    def _flow(self, body: Mapping[str, Any], what: str) -> None:
        """Flags at top level only; a misplaced one is ignored, as is presumed of the product."""
        self.flows += [f"{flag}: {what}" for flag in ("triggerApprovalFlow", "triggerWorkFlow") if body.get(flag, True)]

    def _invalid(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        name = str(data["dataObjectApiName"])
        row = self._record(name, data["object_data_id"])
        self.keep(name, row | {"life_status": "invalid"} | self._changed(row))
        return _fine(1, write=True)

    def _delete(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        name = str(data["dataObjectApiName"])
        for key in data["idList"]:
            if self._record(name, key)["life_status"] != "invalid":
                raise Refused(_RULE, "请先作废数据再删除")
        for key in data["idList"]:
            self.forget(name, str(key))
        return _fine(len(data["idList"]), write=True)

    def _recover(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        name = str(data["dataObjectApiName"])
        for key in data["idList"]:
            row = self._record(name, key)
            self.keep(name, row | {"life_status": "normal"} | self._changed(row))
        return _fine(len(data["idList"]), write=True)

    def _change_owner(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        name = str(data["dataObjectApiName"])
        for one in data["Data"]:
            row = self._record(name, one["objectDataId"])
            self.keep(name, row | {"owner": [employee_id(str(u)) for u in one["ownerId"]]} | self._changed(row))
        return _fine(len(data["Data"]), write=True)

    def _lock(self, data: Mapping[str, Any], state: str) -> Reply:
        name = str(data["dataObjectApiName"])
        for key in data["dataIds"]:
            row = self._record(name, key)
            self.keep(name, row | {"lock_status": state} | self._changed(row))
        return _fine(len(data["dataIds"]), write=True)

    # --- our APL function, imitated ---
    def _function(self, body: Mapping[str, Any], data: Mapping[str, Any]) -> Reply:
        if data.get("api_name") != self.options.settings.get("bulk_function", BULK_FUNCTION):
            raise Refused(_UNKNOWN_RECORD, "函数不存在")
        told = json.loads(next(p["value"] for p in data["parameters"] if p["name"] == "rows"))
        done, failed = [], {}
        for at, (key, values) in enumerate(told["rows"].items()):
            try:
                self._change(told["object"], key, values, refuse=self.faults.partial and at % 2 == 1)
                done.append(key)
            except Refused as wrong:
                failed[key] = wrong.message
        result = json.dumps({"done": done, "failed": failed}, ensure_ascii=False)
        return _fine(len(done), write=bool(done), data={"functionResult": result})


def _refuse_wrong_path(path: str, data: Mapping[str, Any]) -> None:
    """Objects that a tenant made itself have paths of their own; what the other path answers is not documented."""
    about = data.get("object_data") if isinstance(data.get("object_data"), dict) else data
    if str((about or {}).get("dataObjectApiName", "")).endswith("__c") and path.startswith("/cgi/crm/v2/data/"):
        raise Refused(15002, "custom objects have the path /cgi/crm/custom/v2/data")


def _trace() -> str:
    return f"E-O.{TENANT}.{ADMIN}-{secrets.token_hex(8)}"


def _fine(records: int = 0, *, write: bool = False, **members: Any) -> Reply:
    told = {"errorCode": 0, "errorMessage": "success", "errorDescription": "success", "traceId": _trace(), **members}
    return Reply.json(told, records=records, write=write)


def _error(code: int, message: str) -> Reply:
    return Reply.json({"errorCode": code, "errorMessage": message, "errorDescription": message, "traceId": _trace()})


def make(options: SandboxOptions) -> Sandbox:
    """A tenant with its made-up company."""
    return FxiaokeSandbox(options)
