"""Fields as one Zoho organisation has them: finding one by the mapping's name, and values to and from JSON and CSV.

Zoho derives a field's API name from its label when the field is created, and not always as one expects (a second
“Credit Limit” becomes `Credit_Limit1`, a Chinese label `field3`). So a field is found by its API name, by the mark that
provisioning leaves in its tooltip, or by its label.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from connector.adapter import nearest
from connector.errors import ConfigError
from connector.text import Text, joined

LOOKUPS = frozenset({"lookup", "ownerlookup", "userlookup", "multi_module_lookup"})
NUMBERS = frozenset({"currency", "double", "percent"})
MARK = "Holdfast: "  # in the tooltip, before the mapping's name


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a module. `type` is Zoho's `data_type`; `mark` the mapping's name from the tooltip."""

    name: str
    label: str
    type: str
    length: int = 255
    custom: bool = False
    read_only: bool = False
    unique: bool = False
    options: tuple[str, ...] = ()
    mark: str = ""
    id: str = ""


def field_of(data: Mapping[str, Any]) -> Field:
    """A field from Zoho's metadata."""
    tip = str((data.get("tooltip") or {}).get("value") or "")
    return Field(
        name=str(data.get("api_name")),
        label=str(data.get("field_label") or data.get("display_label") or ""),
        type=str(data.get("data_type")),
        length=int(data.get("length") or 0),
        custom=bool(data.get("custom_field")),
        read_only=bool(data.get("read_only") or data.get("field_read_only")),
        unique=bool(data.get("unique")),
        options=tuple(str(v.get("actual_value")) for v in data.get("pick_list_values") or ()),
        mark=tip.removeprefix(MARK).strip() if tip.startswith(MARK) else "",
        id=str(data.get("id") or ""),
    )


class Fields:
    """The fields of one module."""

    def __init__(self, module: str, fields: Sequence[Field]) -> None:
        self.module = module
        self.by_name = {f.name: f for f in fields}
        self._by_mark = {f.mark: f for f in fields if f.mark}
        self._by_label = {f.label.lower(): f for f in fields if f.custom}

    def find(self, name: str, label: str = "") -> Field | None:
        """The field that a mapping calls `name`."""
        return (
            self.by_name.get(name)
            or self._by_mark.get(name)
            or self._by_label.get((label or name.replace("_", " ")).lower())
        )

    def resolve(self, names: Sequence[str]) -> dict[str, str]:
        """Mapping name → API name. ConfigError naming every field that is not there."""
        found = {name: self.find(name) for name in names}
        missing = [name for name, field in found.items() if field is None]
        if missing:
            raise ConfigError(
                joined(
                    [
                        Text(
                            "{module} in Zoho has no field “{name}”, which the mapping names. Run `holdfast provision`, or "
                            "correct the mapping; the nearest names are: {near}.",
                            "Zoho 的 {module} 模块没有映射中提到的字段“{name}”。请运行 `holdfast provision`，或修改映射；最接近的名称：{near}。",
                        ).fill(module=self.module, name=name, near=nearest(name, list(self.by_name))[:200])
                        for name in missing
                    ],
                    " ",
                    "",
                )
            )
        return {name: field.name for name, field in found.items() if field is not None}


def encode(field: Field, value: Any) -> Any:
    """A value as Zoho wants it in JSON: lookups as objects, dates as text, long free text cut to the field's length."""
    if value is None or isinstance(value, bool):
        return value
    if field.type in LOOKUPS:
        return {"id": str(value)}
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return aware.isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T00:00:00+00:00" if field.type == "datetime" else value.isoformat()
    if isinstance(value, (int, Decimal)):
        return value if field.type in NUMBERS or field.type == "integer" else format(Decimal(value), "f")
    text = str(value)
    if field.type == "datetime" and len(text) == len("2026-11-23"):
        return f"{text}T00:00:00+00:00"
    # A reason that is too long must not make Zoho refuse the hold that it explains.
    if field.type == "textarea" and 0 < field.length < len(text):
        return text[: field.length - 1] + "…"
    return text


def from_csv(field: Field | None, text: str) -> Any:
    """A cell of a bulk CSV as the JSON API would give it; an empty cell is None."""
    if text == "":
        return None
    kind = field.type if field else "text"
    if kind in LOOKUPS:
        return {"id": text}
    if kind == "boolean":
        return text.strip().lower() == "true"
    if kind == "integer" or kind in NUMBERS:
        try:
            return int(text) if kind == "integer" else Decimal(text)
        except (ValueError, InvalidOperation):
            return text
    if kind == "multiselectpicklist":
        return text.split(";")
    return text
