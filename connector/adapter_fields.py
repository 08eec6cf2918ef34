"""The fields that a product's own objects have: found by asking it, for whoever maps them. Nothing depends on it.

An adapter that can be asked has a module `described`: `OBJECTS`, the product's object of each stream, and
`fields(client, object) -> Sequence[RemoteField]`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector import adapter as adapters


@dataclass(frozen=True, slots=True)
class RemoteField:
    """One field there: `path` as a mapping writes it, `label` as people there see it, `type` in the product's own words.

    `note` says more where a mapping needs to know it: the choices, that it is read only.
    """

    path: str
    label: str = ""
    type: str = ""
    note: str = ""


@dataclass(frozen=True)
class Described:
    """How one product is asked. `objects`: stream → the object that its records are made of."""

    objects: Mapping[str, str]
    fields: Callable[[Any, str], Sequence[RemoteField]]


def described(name: str) -> Described | None:
    """How the product of an adapter is asked for its fields; None where it cannot be."""
    adapters.load(name)
    if importlib.util.find_spec(f"adapters.{name}.described") is None:
        return None
    module = importlib.import_module(f"adapters.{name}.described")
    return Described(module.OBJECTS, module.fields)


__all__ = ["Described", "RemoteField", "described"]
