"""Where a sealed secret may go: to the address that it was first used with, and no other, until it is set anew.

A secret is never shown again; so nobody may have it sent to himself either, by pointing the system that uses it, or a new
one, at an address of his own. What counts is every version that was put in use since the secret was set.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import ValidationError

from connector import adapter as adapters
from connector.config import Config
from connector.config_kept import read_system
from connector.config_secret import SEALED
from connector.config_system import System
from connector.errors import HoldfastError, Problem
from connector.store import Connection, documents, sealed
from connector.text import Text

Where = tuple[Any, ...]


def elsewhere(tx: Connection, config: Config, system: System, typed: Collection[str] = ()) -> list[Problem]:
    """The secrets of a system that were used with another address since they were set, each as a problem. `typed` are the
    names of those that are set anew just now."""
    found = []
    set_at = {kept.name: kept.changed_at for kept in sealed.listing(tx)}
    for key, reference in system.secrets.items():
        name = reference.removeprefix(f"{SEALED}:")
        if not reference.startswith(f"{SEALED}:") or name in typed or name not in set_at:
            continue
        used = set(_used(tx, config, reference, set_at[name]))
        if used and _where(system) not in used:
            what = Text(
                "The secret sealed:{name} was used with another address since it was set.",
                "密钥 sealed:{name} 设置后曾用于另一地址。",
            ).fill(name=name)
            fix = Text(
                "Enter it together with the address (holdfast system add FILE --ask), or use a secret of another name.",
                "请连同地址重新输入（holdfast system add 文件 --ask），或使用另一名称的密钥。",
            )
            found.append(Problem("elsewhere", system.name, what, fix, f"secrets.{key}"))
    return found


def _used(tx: Connection, config: Config, reference: str, since: dt.datetime) -> Iterator[Where]:
    """Where versions pointed that were in use since a moment and refer to a secret."""
    for name in documents.names(tx, documents.SYSTEM):
        journal = documents.activations(tx, documents.SYSTEM, name)
        # What was in use when it was set goes on with the new secret.
        numbers = {a.number for a in journal if a.made_at >= since} | {a.number for a in journal[:1]}
        for version in documents.versions(tx, documents.SYSTEM, name):
            if version.number in numbers:
                system, _ = read_system(version.text, name, config.base)
                if system is not None and reference in system.secrets.values():
                    yield _where(system)


def _where(system: System) -> Where:
    """The product and every address in its settings, those by default among them."""
    settings: dict[str, Any] = dict(system.settings)
    with contextlib.suppress(HoldfastError, ValidationError):
        settings = adapters.load(system.adapter).settings.model_validate(settings).model_dump()
    addresses = sorted((k, v.rstrip("/")) for k, v in settings.items() if isinstance(v, str) and "://" in v)
    return (system.adapter, system.allow_private, *addresses)


__all__ = ["elsewhere"]
