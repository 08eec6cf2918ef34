"""Writing TOML: a system or a person as it stands in config.toml, from the values of a form or of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.config_people import PersonSettings
    from connector.config_system import System


def quoted(value: str) -> str:
    """A TOML basic string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'


def toml_key(name: str) -> str:
    """A key, in quotes where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def toml_value(value: Any) -> str:
    """A value of a setting, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    return quoted(str(value))


def system_text(values: Mapping[str, Any] | System) -> str:
    """A system as `[[systems]]` of config.toml; `values` by the names that stand there. What is None is left out, and of
    a system what is as by default."""
    if not isinstance(values, Mapping):
        values = values.model_dump(exclude_defaults=True)
    tables = {key: value for key, value in values.items() if key in ("secrets", "hook", "panel") and value}
    lines = ["[[systems]]", *_lines({key: value for key, value in values.items() if key not in tables})]
    for key, table in tables.items():
        lines += ["", f"[systems.{key}]", *_lines(table)]
    return "\n".join(lines) + "\n"


def people_text(people: Sequence[PersonSettings]) -> str:
    """People as `[[people]]` of config.toml, what is as by default left out."""
    return "\n".join("\n".join(["[[people]]", *_lines(p.model_dump(exclude_defaults=True))]) + "\n" for p in people)


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{toml_key(key)} = {toml_value(value)}" for key, value in values.items() if value is not None]


__all__ = ["people_text", "quoted", "system_text", "toml_key", "toml_value"]
