"""The sandbox's reading of COQL and of search criteria: text in, a test on records out.

As strict as Zoho: a `where` is compulsory, every pair of conditions stands in brackets (`a and b and c` is an error),
free text in several lines cannot be compared, and at most 2,000 rows are given.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]
Types = Mapping[str, str]  # field → data type

_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|>=|<=|!=|[=<>(),]|[^\s'=<>!(),]+)")
_TIMES = ("datetime", "date")
_NUMBERS = ("currency", "double", "percent", "integer", "bigint", "lookup", "ownerlookup")


class Wrong(Exception):
    """A query that Zoho would refuse: `code` and `details` as it says them."""

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, dict(details or {})


@dataclass(frozen=True)
class Query:
    """One COQL query, ready to be run."""

    columns: tuple[str, ...]
    module: str
    where: str
    order: tuple[tuple[str, bool], ...]  # (field, descending)
    offset: int
    limit: int


_SELECT = re.compile(
    r"\s*select\s+(?P<columns>.+?)\s+from\s+(?P<module>\w+)\s+where\s+(?P<where>.+?)"
    r"(?:\s+order\s+by\s+(?P<order>.+?))?(?:\s+limit\s+(?P<a>\d+)(?:\s*,\s*(?P<b>\d+)|\s+offset\s+(?P<c>\d+))?)?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)


def parse(text: str) -> Query:
    """A query taken apart. Raises Wrong."""
    found = _SELECT.match(text)
    if not found:
        missing = " where " not in text.lower()
        raise Wrong("SYNTAX_ERROR", "where clause is missing" if missing else "error in query", {"clause": "where"})
    columns = tuple(c.strip() for c in found["columns"].split(","))
    if len(columns) > 50:
        raise Wrong("LIMIT_EXCEEDED", "more columns than the limit of 50")
    order = tuple((p.split()[0], p.lower().endswith(" desc")) for p in (found["order"] or "").split(",") if p.strip())
    offset, limit = 0, 200
    if found["a"]:
        offset, limit = (int(found["a"]), int(found["b"])) if found["b"] else (int(found["c"] or 0), int(found["a"]))
    if limit > 2000 or offset > 100_000:
        raise Wrong("LIMIT_EXCEEDED", "limit exceeded")
    return Query(columns, found["module"], found["where"], order, offset, limit)


def condition(text: str, types: Types) -> Test:
    """The test of a `where` clause. Raises Wrong."""
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise Wrong("SYNTAX_ERROR", "error in query near where", {"near": text[at : at + 20]})
        tokens.append(found[1])
        at = found.end()
    reader = _Reader(tokens, types)
    test = reader.pair()
    if reader.peek():
        raise Wrong("SYNTAX_ERROR", "error in query near " + reader.peek(), {"near": reader.peek()})
    return test


class _Reader:
    def __init__(self, tokens: list[str], types: Types) -> None:
        self.tokens, self.types, self.at = tokens, types, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token.lower() != expected):
            raise Wrong("SYNTAX_ERROR", f"error in query near {token}", {"near": token})
        self.at += 1
        return token

    def pair(self) -> Test:
        """One condition, or two joined by and/or; three need brackets."""
        left = self.one()
        word = self.peek().lower()
        if word not in ("and", "or"):
            return left
        self.take()
        right = self.one()
        return (lambda r: left(r) and right(r)) if word == "and" else (lambda r: left(r) or right(r))

    def one(self) -> Test:
        if self.peek() == "(":
            self.take("(")
            inner = self.pair()
            self.take(")")
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        path = self.take()
        name = path.removesuffix(".id")
        kind = "bigint" if name == "id" else self.types.get(name)
        if kind is None:
            raise Wrong("INVALID_QUERY", "column given seems to be invalid", {"column_name": path})
        if kind == "textarea":
            raise Wrong(
                "INVALID_QUERY", "column given is not supported in the clause", {"column_name": path, "clause": "where"}
            )
        sign = self.take().lower()
        if sign == "is":
            wanted = self.take().lower()
            if wanted == "not":
                self.take("null")
                return lambda r: _value(r, name) is not None
            if wanted != "null":
                raise Wrong("SYNTAX_ERROR", f"error in query near {wanted}", {"near": wanted})
            return lambda r: _value(r, name) is None
        if sign == "in":
            self.take("(")
            several = [self.take()]
            while self.peek() == ",":
                self.take()
                several.append(self.take())
            self.take(")")
            if len(several) > 50:
                raise Wrong("LIMIT_EXCEEDED", "more values than the limit of 50")
            values = {_comparable(_literal(s), kind) for s in several}
            return lambda r: _comparable(_value(r, name), kind) in values
        if sign not in _SIGNS:
            raise Wrong("SYNTAX_ERROR", f"error in query near {sign}", {"near": sign})
        literal = self.take()
        if (kind in _TIMES or kind in ("text", "picklist")) and not literal.startswith("'"):
            raise Wrong("INVALID_QUERY", "value given seems to be invalid for the column", {"column_name": path})
        against, compare = _comparable(_literal(literal), kind), _SIGNS[sign]
        if against is None:
            raise Wrong("INVALID_QUERY", "value given seems to be invalid for the column", {"column_name": path})

        def test(record: Mapping[str, Any]) -> bool:
            have = _comparable(_value(record, name), kind)
            return have is not None and compare(have, against)

        return test


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    "<": lambda a, b: bool(a < b),
    ">=": lambda a, b: bool(a >= b),
    "<=": lambda a, b: bool(a <= b),
    "like": lambda a, b: bool(re.fullmatch(re.escape(str(b)).replace("%", ".*"), str(a), re.IGNORECASE)),
}


def _literal(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith("'") else token


def _value(record: Mapping[str, Any], name: str) -> Any:
    value = record.get(name)
    return value.get("id") if isinstance(value, dict) else value


def _comparable(value: Any, kind: str) -> Any:
    if value is None:
        return None
    try:
        if kind == "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        if kind == "datetime":
            return dt.datetime.fromisoformat(str(value)).astimezone(dt.UTC)
        if kind in _NUMBERS:
            return Decimal(str(value))
    except (ValueError, InvalidOperation):
        return None
    return str(value).lower()


def sort_key(record: Mapping[str, Any], name: str, types: Types) -> tuple[bool, Any]:
    """What records are ordered by; those without a value come first."""
    value = _comparable(_value(record, name), "bigint" if name == "id" else types.get(name, "text"))
    return (value is not None, value if value is not None else 0)


def criteria(text: str, types: Types) -> Test:
    """The test of a search: `((A:equals:x)and(B:starts_with:y))`. Raises Wrong."""
    parts = re.findall(r"\((\w+(?:\.id)?):(equals|not_equal|starts_with|in):((?:[^()\\]|\\.)*)\)", text)
    if not parts:
        raise Wrong("INVALID_QUERY", "Invalid query formed", {"reason": "criteria"})
    tests = [_criterion(path.removesuffix(".id"), how, value, types) for path, how, value in parts]
    some = any if ")or(" in text else all
    return lambda r: some(t(r) for t in tests)


def _criterion(name: str, how: str, value: str, types: Types) -> Test:
    kind = "bigint" if name == "id" else types.get(name)
    if kind is None:
        raise Wrong("INVALID_QUERY", "the field is not available for search", {"reason": name})
    wanted = [_comparable(re.sub(r"\\(.)", r"\1", v), kind) for v in (value.split(",") if how == "in" else [value])]
    if how == "starts_with":
        return lambda r: str(_value(r, name) or "").lower().startswith(str(wanted[0]))
    if how == "not_equal":
        return lambda r: _comparable(_value(r, name), kind) not in wanted
    return lambda r: _comparable(_value(r, name), kind) in wanted
