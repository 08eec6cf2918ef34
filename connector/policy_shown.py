"""A policy written out: every setting with its value as TOML, and what differs between two policies, setting by setting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from connector.policy import Policy

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Change(NamedTuple):
    """One setting that differs: its name with that of its tables, and both values as the document writes them; None
    where one of the two does not have it."""

    setting: str
    before: str | None
    after: str | None


def as_toml(policy: Policy) -> str:
    """All settings of a policy, defaults among them, without comments; loading it gives the same policy."""
    return "\n".join(_tables(_plain(policy), ())).strip() + "\n"


def changes(before: Policy, after: Policy) -> list[Change]:
    """The settings that differ, in the order of the document. Of two segments their effective rules are compared."""
    old, new = _settings(before), _settings(after)
    names = list(dict.fromkeys([*old, *new]))
    found = []
    for name in names:
        a, b = old.get(name), new.get(name)
        if a != b:
            found.append(Change(name, None if a is None else _value(a), None if b is None else _value(b)))
    return found


def _plain(policy: Policy) -> dict[str, Any]:
    data: dict[str, Any] = policy.model_dump()
    if not data["segment"]:
        del data["segment"]
    if data["exposure"]["order_horizon_days"] is None:
        data["exposure"]["order_horizon_days"] = "none"  # TOML cannot say null
    return data


def _settings(policy: Policy) -> dict[str, Any]:
    data = _plain(policy)
    segments = data.pop("segment", {})
    found = dict(_flat(data, ""))
    for name in segments:
        own = _plain(policy.of(name))
        own.pop("segment", None)
        mine = dict(_flat(own, ""))
        found |= {f"segment.{name}.{key}": value for key, value in mine.items() if found.get(key) != value}
    return found


def _flat(table: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{at}{key}.")
        elif _is_list_of_tables(value):
            for place, entry in enumerate(value, 1):
                yield from _flat(entry, f"{at}{key}.{place}.")
        else:
            yield f"{at}{key}", value


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(one, dict) for one in value)


def _tables(table: Mapping[str, Any], path: tuple[str, ...], listed: bool = False) -> Iterator[str]:
    own = {k: v for k, v in table.items() if not isinstance(v, dict) and not _is_list_of_tables(v) and v is not None}
    if path and (own or listed):
        name = ".".join(map(_key, path))
        yield f"\n[[{name}]]" if listed else f"\n[{name}]"
    for key, value in own.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _tables(value, (*path, key))
        elif _is_list_of_tables(value):
            for entry in value:
                yield from _tables(entry, (*path, key), listed=True)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        escaped = "".join(_ESCAPES.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in value)
        return f'"{escaped}"'
    return str(value)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
