"""The sandbox's records: what a row may hold, how it is written, and what a list shows of it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapters.zoho_crm import sandbox_metadata as metadata
from adapters.zoho_crm.sandbox_query import Types
from connector.sandbox import Reply, Shelf

Row = dict[str, Any]
NO_BODY = Reply(204)
PROFILE = {"name": "Administrator", "id": "5540000000000000031"}


def failure(code: str, message: str, details: Mapping[str, Any] | None = None) -> Row:
    """One refused row, or a whole refused call, as Zoho words it."""
    return {"code": code, "message": message, "details": dict(details or {}), "status": "error"}


def refusal(code: str, message: str, status: int = 400, details: Mapping[str, Any] | None = None) -> Reply:
    """A whole call refused."""
    return Reply.json(failure(code, message, details), status)


class Records:
    """All records and fields of the made-up organisation, on the sandbox's shelf."""

    def __init__(
        self,
        shelf: Shelf,
        time_zone: str,
        switches: Mapping[str, Any],
        changed: Callable[[str, str, str], None] = lambda module, key, operation: None,
    ) -> None:
        self.shelf = shelf
        self._changed = changed  # called with what happened: module, id, insert, update or delete
        self.zone = ZoneInfo(time_zone)
        self.currencies = bool(switches.get("multi_currency"))
        self._without = {"Sales_Orders"} if switches.get("no_orders") else set()
        self._shown: dict[str, list[Row]] = {}
        self._lock = threading.Lock()

    @property
    def user(self) -> dict[str, str]:
        """The user behind the refresh token, who makes and changes records."""
        first = self.shelf.all("~users")[0]
        return {"name": first["full_name"], "id": first["id"]}

    # metadata
    def has(self, module: str) -> bool:
        return module in metadata.MODULES and module not in self._without

    def fields(self, module: str) -> list[Row]:
        """A module's fields in the sandbox's short form."""
        with self._lock:
            if module not in self._shown:
                kept = self.shelf.get("~fields", module)
                if kept is None:
                    kept = metadata.standard(module, self.currencies)
                    for field in kept:
                        field["id"] = self.new_id()
                    self.shelf.put("~fields", module, kept)
                self._shown[module] = kept
            return self._shown[module]

    def add_field(self, module: str, body: Mapping[str, Any]) -> str:
        """Makes a field; gives its id."""
        fields = self.fields(module)
        made = metadata.from_request(body, [f["api_name"] for f in fields])
        made["id"] = self.new_id()
        fields.append(made)
        self.shelf.put("~fields", module, fields)
        return str(made["id"])

    def types(self, module: str) -> Types:
        return {f["api_name"]: f["type"] for f in self.fields(module)}

    def new_id(self) -> str:
        return f"55400000000{self.shelf.next('id', 10_000_000):08d}"

    # time
    def now(self) -> str:
        """This second, with the organisation's offset, never earlier than any change so far."""
        instant = dt.datetime.now(self.zone).replace(microsecond=0)
        latest = self.shelf.get("~meta", "latest")
        if latest and dt.datetime.fromisoformat(latest) > instant:
            return str(latest)
        return instant.isoformat()

    def later(self) -> str:
        """A second later than every change so far: for tests that change things behind the adapter's back."""
        instant = dt.datetime.fromisoformat(self.now()) + dt.timedelta(seconds=1)
        self.shelf.put("~meta", "latest", instant.isoformat())
        return instant.isoformat()

    # records
    def all(self, module: str) -> list[Row]:
        return list(self.shelf.all(module))

    def get(self, module: str, key: str) -> Row | None:
        found: Row | None = self.shelf.get(module, key)
        return found

    def show(self, module: str, record: Mapping[str, Any], names: Sequence[str]) -> Row:
        """A record with the named fields; a field without a value is null, an unknown one is left out."""
        known = self.types(module)
        row = {"id": record["id"]}
        for name in names:
            if name in known:
                row[name] = record.get(name, False if known[name] == "boolean" else None)
            if name == "Locked__s":
                row[name] = bool(record.get("~locked"))
        return row

    def put(self, module: str, record: Row) -> None:
        operation = "update" if self.get(module, record["id"]) else "insert"
        self.shelf.put(module, record["id"], record)
        self._changed(module, record["id"], operation)

    def remove(self, module: str, key: str, user: Mapping[str, str], at: str = "") -> bool:
        """Into the recycle bin."""
        record = self.get(module, key)
        if record is None:
            return False
        self.shelf.drop(module, key)
        gone = {
            "id": key,
            "display_name": record.get("Account_Name") or record.get("Subject"),
            "type": "recycle",
            "deleted_by": dict(user),
            "created_by": record.get("Created_By"),
            "deleted_time": at or self.now(),
        }
        self.shelf.put(f"~deleted {module}", key, {k: v for k, v in gone.items() if v is not None})
        self._changed(module, key, "delete")
        return True

    # writing
    def write(
        self,
        module: str,
        rows: Sequence[Any],
        user: Mapping[str, str],
        find: Callable[[Row], tuple[Row | None, str]],
        create: bool,
        partial: bool,
    ) -> Reply:
        """Writes rows in order and answers one result per row. `find` gives the record a row is about, and why."""
        results: list[Row] = []
        for place, row in enumerate(rows):
            if partial and place % 2:
                results.append(failure("INVALID_DATA", "refused by plan", {"json_path": f"$.data[{place}]"}))
                continue
            old, field = find(row)
            if old is None and not create:
                results.append(
                    failure(
                        "INVALID_DATA",
                        "the id given seems to be invalid",
                        {"api_name": "id", "json_path": f"$.data[{place}].id"},
                    )
                )
                continue
            results.append(self._write(module, dict(row), old, field, user, place))
        good = sum(r["status"] == "success" for r in results)
        status = (201 if create and not any(r.get("action") for r in results) else 200) if good == len(results) else 207
        return Reply.json({"data": results}, status if good else 400, records=good, write=good > 0)

    def _write(self, module: str, row: Row, old: Row | None, field: str, user: Mapping[str, str], place: int) -> Row:
        if old is not None and old.get("~locked") and not self._excluded(module) >= set(row) - {"id"}:
            return failure("RECORD_LOCKED", "record is locked", {"id": old["id"]})
        wrong = self._check(module, row, old, place)
        if wrong:
            return wrong
        types, at = self.types(module), self.now()
        record: Row = (
            dict(old)
            if old
            else {"id": self.new_id(), "Created_Time": at, "Created_By": dict(user), "Owner": dict(user)}
        )
        for name, value in row.items():
            if name in types and name not in metadata.STAMPED and name != "id":
                record[name] = self._kept(types[name], value)
        if "$se_module" in row:
            record["$se_module"] = row["$se_module"]
        record |= {"Modified_Time": at, "Modified_By": dict(user)}
        self.put(module, record)
        details = {k: record[k] for k in ("id", "Modified_Time", "Created_Time", "Modified_By", "Created_By")}
        by = {k: {"name": v["name"], "id": v["id"]} for k, v in details.items() if isinstance(v, dict)}
        done = {"code": "SUCCESS", "status": "success", "message": f"record {'updated' if old else 'added'}"}
        more = {"action": "update" if old else "insert", "duplicate_field": field or None} if field else {}
        return {**done, **more, "details": {**details, **by, "$approval_state": "approved"}}

    def _excluded(self, module: str) -> set[str]:
        """The fields that may be written although a record is locked."""
        found = self.shelf.get("~locking", module) or {}
        return {f["api_name"] for f in found.get("excluded_fields", ())}

    def _kept(self, kind: str, value: Any) -> Any:
        if kind in ("lookup", "ownerlookup") and isinstance(value, Mapping):
            known = self._named(str(value.get("id")))
            return {"id": str(value.get("id")), **({"name": known} if known else {})}
        return value

    def _named(self, key: str) -> str:
        for module, name in (
            ("Accounts", "Account_Name"),
            ("~users", "full_name"),
            ("Contacts", "Last_Name"),
            ("Deals", "Deal_Name"),
        ):
            if found := self.shelf.get(module, key):
                return str(found.get(name))
        return ""

    def _check(self, module: str, row: Row, old: Row | None, place: int) -> Row | None:
        """Why Zoho would refuse this row."""

        def at(name: str, **more: Any) -> Row:
            return {"api_name": name, "json_path": f"$.data[{place}].{name}", **more}

        for name in metadata.MANDATORY.get(module, ()):
            if row.get(name) in (None, "") and (old is None or name in row):
                return failure("MANDATORY_NOT_FOUND", "required field not found", at(name))
        for field in self.fields(module):
            name = field["api_name"]
            value = row.get(name)
            if value is None:
                continue
            wrong = _misfit(field["type"], value)
            if wrong:
                return failure("INVALID_DATA", "invalid data", at(name, expected_data_type=wrong))
            if isinstance(value, str) and field["length"] and len(value) > field["length"]:
                return failure("INVALID_DATA", "invalid data", at(name, maximum_length=field["length"]))
            if field["type"] in ("lookup", "ownerlookup") and not self._named(str(value.get("id"))):
                return failure("INVALID_DATA", "the id given seems to be invalid", at(name))
            if field["unique"]:
                twin = self.twin(module, name, value, old)
                if twin:
                    return failure("DUPLICATE_DATA", "duplicate data", at(name, id=twin["id"]))
        return None

    def twin(self, module: str, name: str, value: Any, but: Row | None = None) -> Row | None:
        """Another record with the same value in a field; letters' case does not matter."""
        wanted = str(value).lower()
        others: Iterable[Row] = self.shelf.all(module)
        return next(
            (r for r in others if str(r.get(name, "")).lower() == wanted and (not but or r["id"] != but["id"])), None
        )


def _misfit(kind: str, value: Any) -> str:
    """The type Zoho expects, where a value is of another."""
    if kind == "boolean":
        return "" if isinstance(value, bool) else "boolean"
    if kind in ("currency", "double", "percent"):
        return "" if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else "double"
    if kind == "integer":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "integer"
    if kind in ("lookup", "ownerlookup"):
        return "" if isinstance(value, Mapping) and value.get("id") else "jsonobject"
    if kind in ("date", "datetime"):
        try:
            if kind == "date":
                dt.date.fromisoformat(value)
            elif dt.datetime.fromisoformat(value).tzinfo is None:
                return kind
        except (TypeError, ValueError):
            return kind
        return ""
    if kind in ("text", "textarea", "picklist", "email", "phone", "website"):
        return "" if isinstance(value, str) else "text"
    return ""
