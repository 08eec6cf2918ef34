"""The sandbox's rules: which records a filter finds, in which order, and which values a field takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any


class Refused(Exception):
    """The product says no: an errorCode and a message."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


# --- employees: FSUID_… and plain ids ---
def open_id(user: str) -> str:
    """The open id of an employee."""
    return f"FSUID_{int(user):08X}{hashlib.sha256(user.encode()).hexdigest()[:24].upper()}" if user.isdigit() else user


def employee_id(user: str) -> str:
    """The plain id behind an open id; a plain id stays."""
    return str(int(user[6:14], 16)) if user.startswith("FSUID_") else user


# --- filters ---
def _comparable(value: Any, kind: str) -> Any:
    if kind in ("number", "currency", "percentile", "date", "date_time", "time"):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise Refused(32000, "field_values") from None
    return str(value).lower() if isinstance(value, bool) else str(value)


_TESTS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "EQ": lambda own, wanted: own == wanted[0],
    "N": lambda own, wanted: own != wanted[0],
    "GT": lambda own, wanted: own > wanted[0],
    "GTE": lambda own, wanted: own >= wanted[0],
    "LT": lambda own, wanted: own < wanted[0],
    "LTE": lambda own, wanted: own <= wanted[0],
    "LIKE": lambda own, wanted: str(wanted[0]) in str(own),
    "NLIKE": lambda own, wanted: str(wanted[0]) not in str(own),
    "IN": lambda own, wanted: own in wanted,
    "NIN": lambda own, wanted: own not in wanted,
    "BETWEEN": lambda own, wanted: wanted[0] <= own <= wanted[1],
    "NBETWEEN": lambda own, wanted: not wanted[0] <= own <= wanted[1],
    "STARTWITH": lambda own, wanted: str(own).startswith(str(wanted[0])),
    "ENDWITH": lambda own, wanted: str(own).endswith(str(wanted[0])),
}
# … and what they mean for a field that holds a list.
_LIST_TESTS: dict[str, Callable[[set[str], set[str]], bool]] = {
    **dict.fromkeys(("EQ", "IN", "CONTAINS", "HASANYOF"), lambda own, wanted: bool(own & wanted)),
    **dict.fromkeys(("N", "NIN", "NHASANYOF"), lambda own, wanted: not own & wanted),
}
_OF_NOTHING = frozenset({"N", "NIN", "NLIKE", "NBETWEEN"})  # the negations find empty fields too


def matches(row: Mapping[str, Any], condition: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether a record satisfies one condition. Refused for an unknown field or operator, and values outside a list."""
    name, operator, wanted = str(condition["field_name"]), str(condition["operator"]), condition["field_values"]
    if not isinstance(wanted, list):
        raise Refused(32000, "field_values must be a list")
    if name != "_id" and name not in fields:
        raise Refused(32000, f"field {name} does not exist")
    value = row.get(name)
    if operator in ("IS", "ISN"):
        return (value in (None, "", [])) == (operator == "IS")
    if operator not in (_LIST_TESTS if isinstance(value, list) else _TESTS):
        raise Refused(32000, f"operator {operator}")
    if isinstance(value, list):
        return _LIST_TESTS[operator]({str(v) for v in value}, {str(w) for w in wanted})
    kind = "text" if name == "_id" else str(fields[name]["type"])
    values = [_comparable(w, kind) for w in wanted]
    return operator in _OF_NOTHING if value is None else bool(_TESTS[operator](_comparable(value, kind), values))


def sorting(
    rows: Sequence[dict[str, Any]], orders: Sequence[Mapping[str, Any]], fields: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Records in the order asked for; newest first where none is, and never by id then."""
    found = list(rows)
    for order in reversed(orders or [{"fieldName": "last_modified_time", "isAsc": False}]):
        name = str(order["fieldName"])
        kind = "text" if name == "_id" else str(fields[name]["type"])
        known = [r for r in found if r.get(name) is not None]
        rest = [r for r in found if r.get(name) is None]
        known.sort(key=lambda r: _comparable(r[name], kind), reverse=not order.get("isAsc", True))
        found = known + rest
    return found


# --- values ---
_READ_ONLY = frozenset({"_id", "create_time", "last_modified_time", "created_by", "last_modified_by", "version"})


def checked(given: Mapping[str, Any], fields: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """The values of a write, each fit for its field's type. Refused otherwise (vendor page “字段值说明”)."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name in _READ_ONLY or name == "object_describe_api_name":
            continue
        if name not in fields:
            raise Refused(15002, f"字段 {name} 不存在")
        if value is not None and not _fits(value, fields[name]):
            raise Refused(15002, f"字段 {fields[name]['label']} 的值不合法")
        values[name] = value
    if new:
        for name, field in fields.items():
            if field["is_required"] and field["type"] != "auto_number" and values.get(name) in (None, "", []):
                raise Refused(15002, f"{field['label']}为必填项")
    return {n: [employee_id(str(u)) for u in v] if n == "owner" and v else v for n, v in values.items()}


def _fits(value: Any, field: Mapping[str, Any]) -> bool:
    kind = field["type"]
    if kind in ("number", "currency", "percentile"):
        return isinstance(value, str) and _is_number(value)
    if kind in ("date", "date_time", "time"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "true_or_false":
        return isinstance(value, bool)
    if kind == "select_one":
        return value in [o["value"] for o in field.get("options", ())]
    if kind in ("employee", "employee_many", "department", "department_many", "select_many"):
        return isinstance(value, list)
    if kind in ("object_reference", "master_detail"):
        return isinstance(value, str) and len(value) == 24
    return isinstance(value, str) and len(value) <= int(field.get("max_length") or 100_000)


def _is_number(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False
