"""The sandbox's rows: reading and changing them with Odoo's own rules for ids, `false`, domains, order and stamps.

Every row is a JSON object on the shelf under its model; a many2one is a bare id or `false`. `write_date` moves on with
every change and never stands still: where the machine's clock is behind the newest stamp, it goes on from that.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from adapters.odoo.sandbox_schema import CHOICES, MODELS, FieldType
from connector.sandbox import Shelf

Row = dict[str, Any]
Test = Callable[[Row], bool]
STAMP = "%Y-%m-%d %H:%M:%S"


class OdooError(Exception):
    """What Odoo answers instead: status, its exception's name, its words."""

    def __init__(self, status: int, name: str, message: str) -> None:
        self.status, self.name, self.message = status, name, message
        super().__init__(message)


def value_error(message: str) -> OdooError:
    return OdooError(500, "builtins.ValueError", message)


def user_error(message: str) -> OdooError:
    return OdooError(422, "odoo.exceptions.UserError", message)


def is_about(domain: Any) -> bool:
    """Whether a domain's element is a condition and no operator."""
    return isinstance(domain, list | tuple) and len(domain) == 3


class Rows:
    """All rows of the sandbox, as one call sees them: each model is read from the shelf once.

    `known` are rows that another call has read and that nobody has changed since.
    """

    def __init__(
        self,
        shelf: Shelf,
        known: dict[str, dict[int, Row]] | None = None,
        tell: Callable[[Rows, str, Row, Collection[str] | None], None] | None = None,
    ) -> None:
        self.shelf = shelf
        self._tell = tell  # called with what was made or changed, and with the fields that are others now
        self._read: dict[str, dict[int, Row]] = {} if known is None else known
        self._single: dict[tuple[str, int], Row | None] = {}
        self._added: list[Row] | None = None

    # --- fields ----------------------------------------------------------------------------------------------------------
    def fields(self, model: str) -> dict[str, FieldType]:
        """Fields of a model with those that were added."""
        if model not in MODELS:
            raise OdooError(404, "werkzeug.exceptions.NotFound", f"the model '{model}' does not exist")
        added = {f["name"]: FieldType(f["ttype"]) for f in self.added_fields() if f["_model"] == model}
        return {**MODELS[model], **added} if added else MODELS[model]

    def added_fields(self) -> list[Row]:
        """The rows of `ir.model.fields`: custom fields only."""
        if self._added is None:
            self._added = self.shelf.all("ir.model.fields")
        return self._added

    def field(self, model: str, name: str, condition: Any = None) -> FieldType:
        found = self.fields(model).get(name)
        if found is None:
            if condition is not None:
                raise value_error(f"Invalid field {model}.{name} in condition {tuple(condition)!r}")
            raise value_error(f"Invalid field '{name}' on '{model}'")
        return found

    # --- reading ---------------------------------------------------------------------------------------------------------
    def all(self, model: str) -> dict[int, Row]:
        """Every row of a model by id, ascending."""
        if model not in self._read:
            rows = {int(r["id"]): r for r in self.shelf.all(model)}
            self._read[model] = dict(sorted(rows.items()))
        return self._read[model]

    def get(self, model: str, key: int) -> Row | None:
        if model in self._read:
            return self._read[model].get(int(key))
        if (model, int(key)) not in self._single:
            self._single[model, int(key)] = self.shelf.get(model, f"{int(key):012d}")
        return self._single[model, int(key)]

    def value(self, model: str, row: Row, name: str) -> Any:
        """One field of a row, relations followed back where they are the other side of a many2one."""
        kind = self.field(model, name)
        if kind.type == "one2many":
            return [r["id"] for r in self.all(kind.to).values() if r.get(kind.back) == row["id"]]
        if name == "display_name":
            return self.title(model, row)
        if name in row:
            return row[name]
        if kind.type in ("many2many",):
            return []
        return Decimal("0.0") if kind.type in ("float", "monetary") else 0 if kind.type == "integer" else False

    def title(self, model: str, row: Row) -> str:
        if model == "account.move.line":
            move = self.get("account.move", row["move_id"]) or {}
            return " ".join(str(x) for x in (move.get("name"), row.get("name")) if x)
        return str(row.get("name") or f"{model},{row['id']}")

    def shown(self, model: str, row: Row, names: Iterable[str], plain: bool) -> Row:
        """A row as `read` gives it: a many2one as [id, name], or as the bare id where `plain`."""
        out: Row = {"id": row["id"]}
        for name in names:
            kind, value = self.field(model, name), self.value(model, row, name)
            if kind.type == "many2one" and value and not plain:
                other = self.get(kind.to, value)
                value = [value, self.title(kind.to, other) if other else ""]
            out[name] = value
        return out

    # --- domains ---------------------------------------------------------------------------------------------------------
    def matching(self, model: str, domain: Sequence[Any], active_only: bool, limit: int | None = None) -> list[Row]:
        """The rows of a domain by id, the first `limit` of them. Raises OdooError for what Odoo cannot read."""
        names = {str(c[0]) for c in domain if is_about(c)}
        hide = active_only and "active" in self.fields(model) and "active" not in names
        terms = self._terms(model, domain)
        found: list[Row] = []
        for row in self._candidates(model, [c for c, _ in terms if c]):
            if not (hide and not row.get("active", True)) and all(test(row) for _, test in terms):
                found.append(row)
                if len(found) == limit:
                    break
        return found

    def _candidates(self, model: str, conditions: Sequence[Any]) -> Iterable[Row]:
        """All rows, or just those that a plain `id in […]` or `id > …` leaves."""
        for path, operator, wanted in conditions:
            if path == "id" and operator == "in":
                return [r for key in sorted(set(wanted)) if (r := self.get(model, key))]
        after = max((w for p, o, w in conditions if p == "id" and o == ">"), default=0)
        rows = self.all(model)
        return rows.values() if not after else (rows[k] for k in islice(rows, bisect_right(list(rows), after), None))

    def test(self, model: str, domain: Sequence[Any]) -> Test:
        """A domain as one test."""
        terms = self._terms(model, domain)
        return lambda row: all(test(row) for _, test in terms)

    def _terms(self, model: str, domain: Sequence[Any]) -> list[tuple[Any, Test]]:
        """The parts of a domain that must all hold: the condition itself where a part is one, and its test."""
        rest = list(domain)

        def take() -> tuple[Any, Test]:
            head = rest.pop(0)
            if head == "!":
                _, inner = take()
                return None, lambda row: not inner(row)
            if head in ("&", "|"):
                (_, left), (_, right) = take(), take()
                if head == "&":
                    return None, lambda row: left(row) and right(row)
                return None, lambda row: left(row) or right(row)
            if not is_about(head):
                raise value_error(f"Invalid domain: {domain!r}")
            return head, self._condition(model, head)

        terms = []
        while rest:
            terms.append(take())
        return terms

    def _condition(self, model: str, condition: Sequence[Any]) -> Callable[[Row], bool]:
        path, operator, wanted = condition
        kinds: list[tuple[str, str, FieldType]] = []
        at = model
        for word in str(path).split("."):
            kind = self.field(at, word, condition)
            if not kind.stored and word == str(path):
                raise value_error(f"Cannot convert {at}.{word} to SQL because it is not stored")
            kinds.append((at, word, kind))
            at = kind.to
        last = kinds[-1][2]
        if last.type == "datetime" and isinstance(wanted, str) and (wanted.endswith("Z") or "+" in wanted):
            raise value_error(f"expecting only datetimes with no timezone: '{wanted}'")
        compare = _OPERATORS.get(operator)
        if compare is None:
            raise value_error(f"Invalid operator in {tuple(condition)!r}")
        if operator in ("in", "not in"):
            wanted = set(wanted) if isinstance(wanted, list | tuple) else {wanted}

        def test(row: Row) -> bool:
            values = self._along(row, kinds)
            if operator in ("!=", "not in"):
                return all(compare(v, wanted) for v in values or [False])
            return any(compare(v, wanted) for v in values or [False])

        return test

    def _along(self, row: Row, kinds: Sequence[tuple[str, str, FieldType]]) -> list[Any]:
        rows = [row]
        for place, (model, name, kind) in enumerate(kinds):
            values: list[Any] = []
            for one in rows:
                value = self.value(model, one, name)
                values += value if isinstance(value, list) else [value]
            if place == len(kinds) - 1:
                return values
            rows = [r for v in values if v and (r := self.get(kind.to, v))]
        return []

    def ordered(self, model: str, rows: list[Row], order: str) -> list[Row]:
        for part in reversed([p.split() for p in (order or "id").split(",")]):
            name = part[0]
            if not self.field(model, name).stored:
                raise value_error(f"Cannot convert {model}.{name} to SQL because it is not stored")
            rows = sorted(rows, key=lambda r: _key(self.value(model, r, name)), reverse=part[1:] == ["desc"])
        return rows

    # --- changing --------------------------------------------------------------------------------------------------------
    def stamp(self) -> str:
        """The time of this change: now, or a second after the newest."""
        newest = self.shelf.get("~meta", "newest") or "1970-01-01 00:00:00"
        now = dt.datetime.now(dt.UTC).strftime(STAMP)
        if now <= newest:
            later = dt.datetime.strptime(newest, STAMP) + dt.timedelta(seconds=1)  # noqa: DTZ007 - UTC, as Odoo has it
            now = later.strftime(STAMP)
        self.shelf.put("~meta", "newest", now)
        return now

    def keep(self, model: str, row: Row) -> None:
        self.shelf.put(model, f"{row['id']:012d}", row)
        self._single[model, row["id"]] = row
        if model == "ir.model.fields":
            self._added = None
        if model in self._read:
            self._read[model][row["id"]] = row  # new ids are the highest: the order stays

    def add(self, model: str, values: Row, at: str | None = None) -> Row:
        """A new row with its id and stamps; nothing is checked."""
        key = int(values.get("id") or self.shelf.next(model))
        stamp = at or self.stamp()
        row = {**values, "id": key, "create_date": stamp, "write_date": stamp}
        self.keep(model, row)
        if self._tell:
            self._tell(self, model, row, None)
        return row

    def change(self, model: str, row: Row, values: Row, at: str | None = None) -> Row:
        """A row with other values and a new stamp; nothing is checked."""
        changed = {name for name, value in values.items() if row.get(name, False) != value}
        row.update(values)
        row["write_date"] = at or self.stamp()
        self.keep(model, row)
        if self._tell and changed:
            self._tell(self, model, row, changed)
        return row

    def remove(self, model: str, key: int) -> None:
        self.shelf.drop(model, f"{key:012d}")
        self._read.pop(model, None)
        self._single.pop((model, key), None)

    def checked(self, model: str, values: Row) -> Row:
        """The values as Odoo stores them; raises OdooError for what it refuses."""
        known = self.fields(model)
        out: Row = {}
        for name, value in values.items():
            kind = known.get(name)
            if kind is None:
                raise value_error(f"Invalid field '{name}' in '{model}'")
            allowed = self.choices(model, name)
            if allowed and value is not False and value not in allowed:
                raise value_error(f"Wrong value for {model}.{name}: '{value}'")
            if kind.type in ("float", "monetary") and value is not False:
                if isinstance(value, bool) or not isinstance(value, int | Decimal):
                    raise value_error(f"could not convert string to float: '{value}'")
                value = Decimal(value)
            if kind.type in ("float", "monetary", "integer") and value is False:
                value = Decimal("0.0") if kind.type != "integer" else 0
            if kind.type == "date" and value and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
                raise value_error(f"time data '{value}' does not match format '%Y-%m-%d'")
            out[name] = value
        return out

    def choices(self, model: str, name: str) -> Sequence[str]:
        """What a selection may hold, () where the sandbox does not mind."""
        if (model, name) in CHOICES:
            return CHOICES[model, name]
        return next((f["_choices"] for f in self.added_fields() if f["_model"] == model and f["name"] == name), ())


def _key(value: Any) -> tuple[int, Any]:
    return (0, 0) if value is False or value is None else (1, value)


def _plain(value: Any) -> Any:
    return False if value is None else value


def _equal(value: Any, wanted: Any) -> bool:
    if wanted is False or wanted is None:
        return not value
    return bool(_plain(value) == wanted and (value is not False or wanted is False))


def _compare(how: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, wanted: Any) -> bool:
        if value is False or value is None:
            return False
        return how(value, wanted)

    return test


def _in(value: Any, wanted: set[Any]) -> bool:
    return (value in wanted) if value not in (False, None) or (value == 0 and value is not False) else False in wanted


def _like(value: Any, wanted: Any) -> bool:
    return bool(value) and str(wanted).lower() in str(value).lower()


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": _equal,
    "!=": lambda v, w: not _equal(v, w),
    "in": _in,
    "not in": lambda v, w: not _in(v, w),
    ">": _compare(lambda v, w: v > w),
    ">=": _compare(lambda v, w: v >= w),
    "<": _compare(lambda v, w: v < w),
    "<=": _compare(lambda v, w: v <= w),
    "ilike": _like,
    "like": lambda v, w: bool(v) and str(w) in str(v),
}
