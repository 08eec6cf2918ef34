"""Paths: where in a record a value is, when it is absent, and how it is written as a word of a table."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dict
from decimal import Decimal
from typing import Any

Get = Callable[[Dict[str, Any], Dict[str, Any]], Any]


def at(path: str) -> Get:
    """What reads a dotted path: `owner.id`, `lines.0.code`; `^.x` reads from the record around an element. One that
    ends in `?` is simply absent where the system has no such field (adapters that would refuse it know the mark)."""
    path = path.removesuffix("?")
    around = path.startswith("^.")
    name = path[2:] if around else path
    if "." not in name:
        return (lambda data, outer: outer.get(name)) if around else (lambda data, outer: data.get(name))
    parts = name.split(".")

    def walk(data: Dict[str, Any], outer: Dict[str, Any]) -> Any:
        here: Any = outer if around else data
        if name in here:  # a column may have a dot in its own name
            return here[name]
        for part in parts:
            if isinstance(here, Dict):
                here = here.get(part)
            elif isinstance(here, list | tuple) and part.isdigit():
                here = here[int(part)] if int(part) < len(here) else None
            else:
                return None
        return here

    return walk


def is_absent(value: Any) -> bool:
    """Whether a system said nothing: null, an empty text; Odoo says `false` for an empty field."""
    return value is None or value is False or (isinstance(value, str) and not value.strip())


def word_of(value: Any) -> str:
    """A value as a key of `values`, `where` and `unless`: true, false, 3, posted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    return str(value).strip()


def first_of(paths: tuple[str, ...]) -> Get:
    """What reads the first of several paths at which something is said."""
    getters = tuple(at(p) for p in paths)
    if not getters:
        return lambda data, outer: None
    if len(getters) == 1:
        return getters[0]

    def first(data: Dict[str, Any], outer: Dict[str, Any]) -> Any:
        for get in getters:
            if not is_absent(value := get(data, outer)):
                return value
        return None

    return first
