"""Fields: what a tenant's objects consist of, how a mapping names them, how values are written and read back.

An administrator's own fields bear generated names (`field_a1B2c__c`), another in each tenant. A mapping may therefore
name a field by what the administrator sees, resolved through `describe`:

    label:信用额度     the active field with this label; missing or doubled is an error
    label?:税号        the same, but simply absent where the tenant has no such field (reading only)
    field_a1B2c__c    the api name itself

A label with a dot in it cannot be part of a path: use the api name there. `days.FIELD` is the calendar day of a date, which
the product keeps as the millisecond of a midnight in the tenant's own time zone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapters.fxiaoke.client import Client
from connector.adapter import Json, nearest
from connector.errors import ConfigError, ProtocolError, RejectedError
from connector.text import Text

DAYS = "days"  # the member that holds the calendar days of a record's dates
LABEL, LABEL_IF_THERE = "label:", "label?:"
# Read-only twins of a field, for reading: the name behind an id, lists, "other" texts.
_TWINS = ("__r", "__l", "__o", "__v", "__p", "__relation_ids", "__e")
NUMBERS = frozenset({"number", "currency", "percentile"})
DATES = frozenset({"date", "date_time"})
LISTS = frozenset({"employee", "employee_many", "department", "department_many", "object_reference_many"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field as `describe` tells it. `options` are (label, value) pairs of a choice."""

    name: str
    label: str
    type: str
    required: bool = False
    unique: bool = False
    options: tuple[tuple[str, str], ...] = ()
    decimals: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """An object and its active fields, by api name."""

    name: str
    label: str
    fields: Mapping[str, Field]

    def labelled(self, label: str) -> list[Field]:
        """The fields that bear this label."""
        return [f for f in self.fields.values() if f.label.strip() == label.strip()]

    def find(self, written: str) -> Field | None:
        """The field a mapping means; None where there is none. ConfigError where two bear the label."""
        if not written.startswith((LABEL, LABEL_IF_THERE)):
            return self.fields.get(written)
        label = written.partition(":")[2]
        found = self.labelled(label)
        if len(found) > 1:
            raise ConfigError(
                Text(
                    "{object} has several fields labelled “{label}”: {names}. Write the right api name into the mapping.",
                    "{object}有多个名为“{label}”的字段：{names}。请在映射中改写为正确的 api 名。",
                ).fill(object=self.label, label=label, names=", ".join(f.name for f in found))
            )
        return found[0] if found else None

    def near(self, written: str) -> str:
        """Words that help to find the field somebody meant."""
        if written.startswith((LABEL, LABEL_IF_THERE)):
            return nearest(written.partition(":")[2], [f.label for f in self.fields.values() if f.name.endswith("__c")])
        return nearest(written, list(self.fields))


def describe(client: Client, object_name: str, *, anew: bool = False) -> Described:
    """An object of the tenant with its fields; asked once per client unless `anew`."""
    if anew or object_name not in client.describes:
        told = client.call(
            "/cgi/crm/v2/object/describe",
            # The pages disagree on whether these stand inside `data` or beside it (the legacy style): both.
            {
                "includeDetail": False,
                "apiName": object_name,
                "data": {"apiName": object_name, "includeDetail": False},
            },
            safe=True,
        )
        client.describes[object_name] = _described(object_name, told)
    found = client.describes[object_name]
    assert isinstance(found, Described)
    return found


def _described(object_name: str, told: Mapping[str, Any]) -> Described:
    try:
        body = told["data"]["describe"]
        fields = {
            name: Field(
                name=name,
                label=str(one.get("label") or name),
                type=str(one.get("type") or ""),
                required=bool(one.get("is_required")),
                unique=bool(one.get("is_unique")),
                options=tuple((str(o.get("label")), str(o.get("value"))) for o in one.get("options") or ()),
                decimals=int(one["decimal_places"]) if str(one.get("decimal_places") or "").isdigit() else None,
                length=int(one["max_length"]) if str(one.get("max_length") or "").isdigit() else None,
            )
            for name, one in body["fields"].items()
            if one.get("is_active", True)
        }
        return Described(object_name, str(body.get("display_name") or object_name), fields)
    except (KeyError, TypeError, AttributeError) as wrong:
        raise ProtocolError(
            Text(
                "Fxiaoke's description of {object} lacks its fields.", "纷享销客返回的 {object} 描述中没有字段。"
            ).fill(object=object_name),
            log=repr(wrong),
        ) from None


def object_named(client: Client, written: str, *, anew: bool = False) -> str | None:
    """The api name of an object: itself, or that of the object called as `label:` says; None where there is none."""
    if not written.startswith(LABEL):
        return written
    if anew or client.objects is None:
        told = client.call("/cgi/crm/v2/object/list", {"includeNull": False}, safe=True)
        listed = (told.get("data") or {}).get("objects") or []
        client.objects = {
            str(o.get("describeApiName")): str(o.get("describeDisplayName") or "").strip()
            for o in listed
            if o.get("isActive", True)
        }
    label = written.removeprefix(LABEL).strip()
    found = [name for name, shown in client.objects.items() if shown == label]
    if len(found) > 1:
        raise ConfigError(
            Text(
                "Several objects are called “{label}”: {names}. Write the api name into the settings.",
                "有多个对象名为“{label}”：{names}。请在设置中填写 api 名。",
            ).fill(label=label, names=", ".join(found))
        )
    return found[0] if found else None


# --- what to ask for ---------------------------------------------------------------------------------------------------
def projection(
    described: Described, wanted: Sequence[str], essential: Sequence[str], optional: Sequence[str], stream: str
) -> tuple[list[str], dict[str, str]]:
    """The fields to ask for, and which api name stands behind each `label:` name of the mapping.

    `optional` are the vendor's own fields that a tenant has or not, with the modules it bought. ConfigError names every
    other field the mapping reads that this tenant does not have.
    """
    names = ["_id", *essential, *(n for n in optional if n in described.fields)]
    aliases: dict[str, str] = {}
    missing: list[Text] = []
    for path in wanted:
        top = path.removeprefix(f"{DAYS}.").partition(".")[0]
        if not top or (top.startswith("_") and top != "_id") or top in (*names, *optional):
            continue
        base = next((top.removesuffix(t) for t in _TWINS if top.endswith(t) and top.removesuffix(t)), top)
        found = described.find(top) or described.find(base)
        if found is None and top.startswith(LABEL_IF_THERE):
            continue
        if found is None:
            missing.append(
                Text("“{path}” (did you mean {near}?)", "“{path}”（是否应为 {near}？）").fill(
                    path=path, near=described.near(top)
                )
            )
            continue
        names.append(found.name)
        if top.startswith((LABEL, LABEL_IF_THERE)):
            aliases[top] = found.name
        elif top != found.name:
            names.append(top)
    if missing:
        raise ConfigError(
            Text(
                "The mapping reads fields from {object} (stream {stream}) that this tenant does not have: {list}.",
                "映射从{object}（数据流 {stream}）读取的字段在该企业中不存在：{list}。",
            ).fill(
                object=described.label,
                stream=stream,
                list=Text("; ".join(m.en for m in missing), "；".join(m.zh for m in missing)),
            )
        )
    return list(dict.fromkeys(names)), aliases


# --- values ------------------------------------------------------------------------------------------------------------
def encode(field: Field, value: Json, zone: ZoneInfo) -> Json:
    """A mapped value in the form the field's type wants (vendor page “字段值说明”): numbers as text, dates in ms.

    RejectedError where it does not fit: an option that is not there, a word in a number field.
    """
    if value is None:
        return None
    kind = field.type
    try:
        if kind in NUMBERS:
            return format(_number(value, field.decimals), "f")
        if kind in DATES:
            return _milliseconds(value, zone)
        if kind == "true_or_false":
            return _truth(value)
        if kind in ("select_one", "select_many"):
            chosen = [_option(field, v) for v in (value if isinstance(value, list) else [value])]
            return chosen if kind == "select_many" else chosen[0]
        if kind in LISTS:
            return [str(v) for v in value] if isinstance(value, list) else [str(value)]
    except (ValueError, ArithmeticError):
        raise RejectedError(
            Text(
                "“{value}” does not fit the field {label} ({name}, type {type}){options}.",
                "“{value}”不适用于字段“{label}”（{name}，类型 {type}）{options}。",
            ).fill(
                value=str(value)[:60],
                label=field.label,
                name=field.name,
                type=kind,
                options=Text(
                    f"; its options are {', '.join(o for o, _ in field.options)}" if field.options else "",
                    f"；可选值为 {'、'.join(o for o, _ in field.options)}" if field.options else "",
                ),
            ),
            code="value",
        ) from None
    text = _plain(value)
    if field.length and len(text) > field.length:
        return text[: field.length - 1] + "…"  # a reason cut short is better than none
    return text


def decode(field: Field, value: Json, zone: ZoneInfo) -> Json:
    """The same backwards: numbers as Decimal, dates as days, choices by label, single references as one id."""
    if value is None or value == "":
        return None
    if field.type in NUMBERS:
        return Decimal(str(value))
    if field.type == "date":
        return dt.datetime.fromtimestamp(int(value) / 1000, zone).date()
    if field.type == "date_time":
        return dt.datetime.fromtimestamp(int(value) / 1000, dt.UTC)
    if field.type == "select_one":
        return next((label for label, own in field.options if own == value), value)
    if field.type in ("employee", "department") and isinstance(value, list):
        return value[0] if value else None
    return value


def _number(value: Json, decimals: int | None) -> Decimal:
    if isinstance(value, bool | float):
        raise ValueError(value)
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(value)
    return number if decimals is None else number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _milliseconds(value: Json, zone: ZoneInfo) -> int:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value) if len(value) > 10 else dt.date.fromisoformat(value)
    if isinstance(value, dt.datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    elif isinstance(value, dt.date):
        instant = dt.datetime.combine(value, dt.time(), zone)  # a date field is the midnight of its day
    else:
        raise ValueError(value)
    return int(instant.timestamp() * 1000)


def _truth(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "false": False, "0": False}
    if str(value).lower() not in words:
        raise ValueError(value)
    return words[str(value).lower()]


def _option(field: Field, value: Json) -> str:
    text = _plain(value)
    for label, own in field.options:
        if text in (label, own):
            return own
    raise ValueError(value)


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)
