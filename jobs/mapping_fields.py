"""What there is to map: the fields that a system has, those that the mapping reads, and which may belong to which.

Fields are found by asking the product (`connector.adapter_fields`) and in the records that are kept; suggestions go by
what fields are called, in both languages, and are suggestions only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector import mapping as mappings
from connector.adapter_fields import RemoteField, described
from connector.connect import Connected
from connector.converters import shorten
from connector.errors import HoldfastError
from connector.mapping_field import Kind, shapes
from connector.mapping_read import TITLES
from connector.store.records import KeptRecord
from connector.text import Text

_RECORDS = 40
_DEEP = 4
_LONG = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A field there: `example` from a kept record, `read_as` our fields that are filled from it (`customer.name`)."""

    field: RemoteField
    example: str = ""
    read_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """A field of ours that nothing is read into, and what may belong there, the likeliest first."""

    table: str
    fact: Text
    name: str
    kind: Kind
    required: bool
    paths: tuple[str, ...] = ()
    shipped: bool = False


def asked(connected: Connected) -> dict[str, tuple[RemoteField, ...]]:
    """What the product itself says of its fields, by stream; {} where it cannot be asked. Calls the system; raises what
    that raises, but for one object that the user may not see, which has none."""
    how = described(connected.system.adapter)
    if how is None:
        return {}
    of_object: dict[str, tuple[RemoteField, ...]] = {}
    wrong: HoldfastError | None = None
    for name in dict.fromkeys(how.objects.values()):
        try:
            of_object[name] = tuple(how.fields(connected.client, name))
        except HoldfastError as refused:
            wrong = refused
    if wrong is not None and not of_object:
        raise wrong
    return {stream: of_object[name] for stream, name in how.objects.items() if name in of_object}


def found(
    mapping: mappings.Mapping | None,
    stream: str,
    told: Sequence[RemoteField],
    kept: Sequence[KeptRecord],
) -> list[Found]:
    """The fields of one stream: what the product told and what kept records have, with an example and what reads it."""
    fields = {one.path: Found(one) for one in told}
    for record in kept[:_RECORDS]:
        for path, value in _paths(record.body):
            before = fields.get(path) or fields.get(path.removesuffix(".id"))
            if before is None:
                fields[path] = Found(RemoteField(path, "", _type(value)), _example(value))
            elif not before.example:
                fields[before.field.path] = replace(before, example=_example(value))
    reads = _reads(mapping, stream)
    every = [replace(one, read_as=tuple(reads.get(one.field.path, ()))) for one in fields.values()]
    return sorted(every, key=lambda one: one.field.path.casefold())


def _reads(mapping: mappings.Mapping | None, stream: str) -> dict[str, list[str]]:
    """By path, what is read from it."""
    reads: dict[str, list[str]] = {}
    for table in mapping.reads.get(stream, ()) if mapping else ():
        for field in table.fields:
            for path in field.paths:
                plain = path.removesuffix("?")
                whole = plain[2:] if plain.startswith("^.") else f"{table.each}.0.{plain}" if table.each else plain
                reads.setdefault(whole, []).append(f"{table.name}.{field.shape.name}")
    return reads


def unmapped(mapping: mappings.Mapping, fields: Mapping[str, Sequence[Found]]) -> list[Open]:
    """The fields of ours that nothing is read into, those with a likely field there first."""
    shipped = _shipped(mapping)
    made = []
    for stream, tables in mapping.reads.items():
        there = [one.field for one in fields.get(stream, ()) if not one.read_as]
        for table in tables:
            mine = {field.shape.name for field in table.fields}
            for shape in shapes(table.fact).values():
                if shape.name in mine:
                    continue
                own = shipped.get((table.name, shape.name), "")
                paths = [] if table.each else _likely(shape.name, there)
                if own:
                    paths = [own, *(p for p in paths if p != own)]
                made.append(
                    Open(
                        table.name, TITLES[table.fact], shape.name, shape.kind, shape.required, tuple(paths), bool(own)
                    )
                )
    return sorted(made, key=lambda one: (not one.required, not one.paths))


def _shipped(mapping: mappings.Mapping) -> dict[tuple[str, str], str]:
    """What the shipped mapping reads into each field, where one path fills it."""
    name = mapping.document.get("adapter")
    try:
        other, _ = mappings.load(mappings.shipped(str(name)), name="shipped")
    except HoldfastError:
        return {}
    tables = [table for several in other.reads.values() for table in several] if other else []
    return {(t.name, f.shape.name): f.paths[0] for t in tables for f in t.fields if len(f.paths) == 1}


# What our fields are called elsewhere.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "tax_id": ("vat", "tax number", "tax code", "vat number", "税号", "纳税人识别号", "统一社会信用代码"),
    "external_id": ("erp customer no", "customer number", "account number", "客户编号", "erp编号"),
    "parent_id": ("parent account", "parent", "parent customer", "上级客户", "母公司"),
    "country": ("billing country", "country", "country code", "国家"),
    "currency": ("currency code", "currency", "币种"),
    "terms": ("payment terms", "payment term", "付款条件", "账期"),
    "segment": ("industry", "customer type", "account type", "行业", "客户类型", "客户级别"),
    "owner": ("account owner", "salesperson", "sales rep", "user id", "负责人", "业务员"),
    "email": ("email address", "e mail", "邮箱", "电子邮件"),
    "phone": ("telephone", "mobile", "phone number", "电话", "手机"),
    "status": ("active", "state", "状态"),
    "first_sold_on": ("first order date", "customer since", "首次成交日期"),
    "number": ("reference", "invoice number", "order number", "单号", "编号"),
    "issued_on": ("invoice date", "date", "开票日期", "单据日期"),
    "due_on": ("due date", "date due", "到期日", "应付日期"),
    "ordered_on": ("order date", "下单日期"),
    "ship_on": ("delivery date", "commitment date", "shipping date", "交货日期", "发货日期"),
    "amount": ("total", "grand total", "amount total", "金额", "总额"),
    "disputed_amount": ("disputed", "争议金额"),
}


def _likely(name: str, there: Sequence[RemoteField]) -> list[str]:
    """The fields there that may be ours, by what they are called."""
    wanted = {_plain(name), *map(_plain, _NAMES.get(name, ()))}
    scored = []
    for one in there:
        words = {_plain(one.path.removesuffix(".id")), _plain(one.label)} - {""}
        score = max((difflib.SequenceMatcher(None, a, b).ratio() for a in wanted for b in words), default=0)
        if score >= 0.78:
            scored.append((-score, one.path))
    return [path for _, path in sorted(scored)[:3]]


def _plain(words: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words.removesuffix("__c"))
    return " ".join(re.sub(r"[\W_]+", " ", spaced).casefold().split())


def _paths(body: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The paths of a record at which something is said; of a list its first element."""
    if depth >= _DEEP:
        return
    if isinstance(body, Mapping):
        for key, value in body.items():
            yield from _paths_of(f"{prefix}{key}", value, depth)
    elif isinstance(body, list) and body:
        yield from _paths_of(f"{prefix}0", body[0], depth)


def _paths_of(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping | list) and value:
        yield from _paths(value, f"{path}.", depth + 1)
    elif value is not None and value not in ("", []):
        yield path, value


def _type(value: Any) -> str:
    return {bool: "true/false", str: "text"}.get(type(value), "number" if not isinstance(value, str) else "text")


def _example(value: Any) -> str:
    return shorten(value, _LONG)


__all__ = ["Found", "Open", "asked", "found", "unmapped"]
