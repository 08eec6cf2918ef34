"""Administrators: who may connect systems, enter people and keep secrets, and what a change of these is in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.credit.authority import Person, role_names
from connector.errors import NotAllowed
from connector.text import Text

# A trail tells the first so many changes of one act; the versions of the document hold them all.
_MOST_TOLD = 50


def demand_administrator(person: Person) -> None:
    """NotAllowed where a person is no administrator. Who is alone, because nobody is configured, is everything."""
    if not person.alone and "admin" not in person.roles:
        raise NotAllowed(
            Text(
                "Systems, people and secrets are an administrator's to change; {name} is {roles}.",
                "系统、人员与密钥由系统管理员维护；{name} 的角色为{roles}。",
            ).fill(name=person.name or person.id, roles=role_names(person.roles))
        )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[list[Any]]:
    """What differs between two tables: [dotted key, before, after] each, None where there is nothing."""
    before, after = dict(_flat(old)), dict(_flat(new))
    keys = [*before, *(key for key in after if key not in before)]
    return [[k, before.get(k), after.get(k)] for k in keys if before.get(k) != after.get(k)][:_MOST_TOLD]


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            found += _flat(inner, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", list(inner) if isinstance(inner, tuple) else inner))
    return found


__all__ = ["demand_administrator", "differences"]
