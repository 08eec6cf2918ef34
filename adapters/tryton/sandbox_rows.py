"""The rows of the Tryton sandbox: stored on the shelf, searched by domain, read by dotted path, changed as Tryton does.

Rows are plain JSON: related rows as ids, dates and instants as text, amounts as Decimal. `Refused` is Tryton's UserError,
`Unknown` what it answers to a model or field that it does not know.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.sandbox import Shelf

from .sandbox_models import INVERSE, MODELS, fields_of, is_list, relation
from .values import wire

Row = dict[str, Any]


class Refused(Exception):
    """A UserError: the message is for the user."""


class Forbidden(Exception):
    """A call that is not open to this way in: the server answers 403."""


class Unknown(Exception):
    """A model or field that is not there."""


def key(row_id: int) -> str:
    """An id as the shelf sorts it."""
    return f"{row_id:010d}"


class Rows:
    """All rows of one sandbox. `memory` keeps what has been read already, by a request or, given back, by the one before."""

    def __init__(self, shelf: Shelf, memory: dict[str, dict[int, Row]] | None = None) -> None:
        self.shelf = shelf
        self.memory: dict[str, dict[int, Row]] = {} if memory is None else memory

    # --- reading -----------------------------------------------------------------------------------------------------
    def all(self, model: str) -> dict[int, Row]:
        if model not in MODELS:
            raise Unknown(model)
        if model not in self.memory:
            self.memory[model] = {r["id"]: r for r in self.shelf.all(model)}
        return self.memory[model]

    def search(
        self, model: str, domain: Sequence[Any], offset: int, limit: int | None, order: Any, active_test: bool
    ) -> list[Row]:
        asked = _prepared(domain)
        found = [r for r in self._candidates(model, asked) if self.holds(model, r, asked)]
        if active_test and "active" in MODELS[model] and "active" not in str(domain):
            found = [r for r in found if r["active"]]
        for name, way in reversed(order or [["id", "ASC"]]):
            self._field(model, name)
            found.sort(key=lambda r: (r.get(name) is not None, r.get(name)), reverse=way.upper().startswith("DESC"))
        return found[offset : None if limit is None else offset + limit]

    def _candidates(self, model: str, domain: Any) -> list[Row]:
        """All rows, or those few whose ids are asked for."""
        rows = self.all(model)
        for part in domain if not domain or isinstance(domain[0], list) else ():
            if isinstance(part, list) and part[:2] == ["id", "in"]:
                return [rows[i] for i in sorted(part[2]) if i in rows]
        return list(rows.values())

    def holds(self, model: str, row: Row, domain: Sequence[Any]) -> bool:
        """Whether a row satisfies a domain: nested lists, `OR`, clauses of path, operator and value."""
        if not domain:
            return True
        if domain[0] in ("OR", "AND"):
            tests = (self.holds(model, row, part) for part in domain[1:])
            return any(tests) if domain[0] == "OR" else all(tests)
        if isinstance(domain[0], str):
            path, operator, value = domain
            return any(_compares(v, operator, value) for v in self._values(model, row, path))
        return all(self.holds(model, row, part) for part in domain)

    def _values(self, model: str, row: Row, path: str) -> list[Any]:
        first, _, rest = path.partition(".")
        self._field(model, first)
        value = row.get(first)
        if not rest:
            # An empty list is absent, as in Tryton: `lines = null`.
            return list(value) or [None] if isinstance(value, list) else [value]
        about = relation(model, first)
        if about is None:
            raise Unknown(path)
        rows = self.all(about)
        ids = value if isinstance(value, list) else [value]
        return [v for i in ids if i in rows for v in self._values(about, rows[i], rest)] or [None]

    def _field(self, model: str, name: str) -> None:
        if name not in fields_of(model):
            raise Unknown(name)

    def shown(self, model: str, row: Row, paths: Sequence[str]) -> Row:
        """A row as it goes over the wire, related rows under their field's name with a dot."""
        out: Row = {"id": row["id"]}
        inside: dict[str, list[str]] = {}
        for path in paths:
            first, _, rest = path.partition(".")
            self._field(model, first)
            if rest:
                inside.setdefault(first, []).append(rest)
            else:
                out[first] = self._wire(fields_of(model)[first], row.get(first))
        for first, rest_paths in inside.items():
            about = relation(model, first)
            if about is None:
                raise Unknown(first)
            rows = self.all(about)
            if is_list(model, first):
                out[f"{first}."] = [self.shown(about, rows[i], rest_paths) for i in row.get(first) or [] if i in rows]
            else:
                related = rows.get(row.get(first) or 0)
                out[f"{first}."] = self.shown(about, related, rest_paths) if related else None
        return out

    @staticmethod
    def _wire(kind: str, value: Any) -> Any:
        if value is None:
            return [] if kind.startswith(("one2many", "many2many")) else None
        match kind:
            case "numeric":
                return wire(Decimal(value))
            case "date":
                return wire(dt.date.fromisoformat(value))
            case "timestamp":
                return wire(dt.datetime.fromisoformat(value))
        return value

    # --- changing ----------------------------------------------------------------------------------------------------
    def stamp(self) -> str:
        """A moment later than any so far."""
        last = self.shelf.get("~meta", "stamp") or "2000-01-01T00:00:00.000000"
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        if now <= last:
            now = (dt.datetime.fromisoformat(last) + dt.timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%f")
        self.shelf.put("~meta", "stamp", now)
        return now

    def add(self, model: str, values: Row, stamp: str) -> Row:
        """A new row; rows made inside it (`[["create", [...]]]`) are made too."""
        row: Row = {"id": self.shelf.next(model), "create_date": stamp, "write_date": None, "last_modified_at": stamp}
        if "active" in MODELS[model]:
            row["active"] = True
        if "company" in MODELS[model]:
            row["company"] = 1
        self._set(model, row, values, stamp)
        return row

    def change(self, model: str, row: Row, values: Row, stamp: str) -> None:
        """New values on a row; its time stamp moves even where they are equal."""
        row["write_date"] = row["last_modified_at"] = stamp
        self._set(model, row, values, stamp)

    def _set(self, model: str, row: Row, values: Row, stamp: str) -> None:
        for name, value in values.items():
            self._field(model, name)
            if is_list(model, name) and value and isinstance(value[0], list):
                row[name] = self._listed(model, name, row, value, stamp)
            else:
                row[name] = value
        self.shelf.put(model, key(row["id"]), row)
        if model in self.memory:
            self.memory[model][row["id"]] = row

    def _listed(self, model: str, name: str, row: Row, commands: list[Any], stamp: str) -> list[int]:
        ids: list[int] = list(row.get(name) or [])
        about = relation(model, name) or ""
        for command, *rest in commands:
            if command == "create":
                back = INVERSE.get((model, name))
                ids += [self.add(about, {**v, **({back: row["id"]} if back else {})}, stamp)["id"] for v in rest[0]]
            elif command == "add":
                ids += [i for i in rest[0] if i not in ids]
            elif command in ("remove", "delete"):
                ids = [i for i in ids if i not in rest[0]]
        return ids


def _prepared(domain: Any) -> Any:
    """A domain whose long lists can be looked up quickly, and whose cheap tests come first."""
    if not isinstance(domain, list):
        return domain
    if len(domain) == 3 and isinstance(domain[0], str) and domain[1] in ("in", "not in"):
        return [domain[0], domain[1], frozenset(domain[2])]
    parts = [_prepared(part) for part in domain]
    if parts and all(isinstance(part, list) for part in parts):
        parts.sort(key=lambda part: "." in part[0] if part and isinstance(part[0], str) else True)
    return parts


def _compares(there: Any, operator: str, value: Any) -> bool:
    match operator:
        case "=":
            return bool(there == value) if value is not None else there in (None, "")
        case "!=":
            return not _compares(there, "=", value)
        case "in":
            return there in value
        case "not in":
            return there not in value
        case "like" | "ilike" | "not like" | "not ilike":
            found = isinstance(there, str) and bool(_pattern(value, "ilike" in operator).fullmatch(there))
            return found != operator.startswith("not")
        case "<" | "<=" | ">" | ">=":
            if there is None or value is None:
                return False
            return bool({"<": there < value, "<=": there <= value, ">": there > value, ">=": there >= value}[operator])
    raise Unknown(operator)


def _pattern(like: str, blind: bool) -> re.Pattern[str]:
    parts = re.findall(r"\\.|%|_|[^\\%_]+", like)
    words = {"%": ".*", "_": "."}
    text = "".join(words.get(p) or re.escape(p[1:] if p.startswith("\\") else p) for p in parts)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if blind else 0))
