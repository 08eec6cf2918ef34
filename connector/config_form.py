"""What a form asks for, as data: the settings and secrets that an adapter wants, and those of every system.

The settings are the adapter's own model; what it says of a setting (meaning in both languages, default, choices, bounds)
is shown, and what a person enters is read back by the same model. Whoever builds a form needs no other knowledge.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from connector.adapter import Adapter
from connector.config_system import System
from connector.config_toml import toml_value
from connector.config_words import meaning
from connector.errors import Problem
from connector.text import Text
from connector.toml_text import toml_of

Kind = Literal["text", "number", "truth", "choice", "choices", "list", "table", "secret"]

# What the settings of every system are named in a form; what must be chosen first (name, product, roles) is not among them.
_OF_SYSTEM = ("language", "write", "hold", "undone", "allow_private")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to be entered.

    `place`: in which table of `[[systems]]` it stands ("" the system itself). `kind`: `text`, `number` (a whole one),
    `truth`, one `choice` or several `choices` of `choices`, `list` (one text a line), `table` (as TOML), `secret` (never
    shown again). `default` is what counts where nothing is entered, as it would be entered. `least` and `most` bound a
    number, `longest` a text. `asked`: it is asked for beside what must be entered, because it differs from company to
    company, though it has a default.
    """

    name: str
    place: Literal["", "settings", "secrets"]
    kind: Kind
    what: Text
    required: bool
    default: str = ""
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    asked: bool = False

    @property
    def field(self) -> str:
        """Its name in a form, and in the problems of a check: `settings.base_url`."""
        return f"{self.place}.{self.name}" if self.place else self.name


def form_of(adapter: Adapter[Any]) -> list[Setting]:
    """What an adapter wants: what must be entered first, then what is asked for all the same, secrets, and the rest."""
    settings = [_setting(name, "settings", field) for name, field in adapter.settings.model_fields.items()]
    secrets = [Setting(s.name, "secrets", "secret", s.title, s.required) for s in adapter.secrets]
    rest = [s for s in settings if not s.required]
    return [
        *(s for s in settings if s.required),
        *(s for s in rest if s.asked),
        *secrets,
        *(s for s in rest if not s.asked),
    ]


def form_of_system() -> list[Setting]:
    """What is asked of every system, whatever its product."""
    return [_setting(name, "", System.model_fields[name]) for name in _OF_SYSTEM]


def entered(
    adapter: Adapter[Any], given: Mapping[str, str], where: str = "new"
) -> tuple[dict[str, Any], list[Problem]]:
    """What a form of `form_of` and `form_of_system` has collected, by field (`settings.base_url`), as values for
    `connector.config_toml.system_text`: settings, and those of the system; and what of it cannot be read at all.

    What is empty or as by default is left out. Secrets are not looked at. Whether the values will do together is said
    by `jobs.systems.check_system`.
    """
    values: dict[str, Any] = {"settings": {}}
    problems: list[Problem] = []
    for setting in [*form_of(adapter), *form_of_system()]:
        said = given.get(setting.field)
        if said is None or setting.kind == "secret":
            continue
        said = said.replace("\r\n", "\n").strip()
        if said == setting.default or (not said and setting.kind not in ("text", "list", "choices")):
            continue
        value = _value(setting, said)
        if value is None:
            wrong = Text("The value is not usable: {why}.", "值不可用：{why}。").fill(why=_WANTED[setting.kind])
            problems.append(Problem("form", where, wrong, Text("Correct it.", "请更正。"), setting.field))
        elif setting.place:
            values["settings"][setting.name] = value
        else:
            values[setting.name] = value
    return values, problems


def shown(adapter: Adapter[Any], system: System) -> dict[str, str]:
    """The values of a system as its form shows them, by field; secrets are their references."""
    found: dict[str, str] = {}
    for setting in [*form_of(adapter), *form_of_system()]:
        if setting.place == "secrets":
            found[setting.field] = system.secrets.get(setting.name, "")
        elif setting.place == "settings":
            value = system.settings.get(setting.name)
            found[setting.field] = setting.default if value is None else _written(setting.kind, value)
        else:
            found[setting.field] = _written(setting.kind, getattr(system, setting.name))
    return found


_WANTED: Mapping[Kind, Text] = {
    "number": Text("a whole number is wanted", "应为整数"),
    "truth": Text("true or false is wanted", "应为 true 或 false"),
    "table": Text('a table is wanted, such as { customers = "Kunden.csv" }', '应为表，例如 { customers = "客户.csv" }'),
}


# --- from a model ----------------------------------------------------------------------------------------------------------
def _setting(name: str, place: Literal["", "settings"], field: FieldInfo) -> Setting:
    kind, choices = _kind(field.annotation)
    bounds = {type(m).__name__: m for m in field.metadata}
    least, most = (getattr(bounds.get(n), a, None) for n, a in (("Ge", "ge"), ("Le", "le")))
    longest = getattr(bounds.get("MaxLen"), "max_length", None)
    default = "" if field.is_required() else _written(kind, field.get_default(call_default_factory=True))
    asked = is_asked(field)
    return Setting(
        name, place, kind, meaning(field), field.is_required(), default, choices, least, most, longest, asked
    )


def is_asked(field: FieldInfo) -> bool:
    """Whether a setting with a default is asked for all the same: a model marks it with `json_schema_extra={"ask": True}`."""
    return isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("ask") is True


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin in (Union, UnionType):
        return _kind(next(a for a in inner if a is not NoneType))
    if origin is Literal:
        return "choice", tuple(map(str, inner))
    if annotation is bool:
        return "truth", ()
    if annotation is int:
        return "number", ()
    if origin in (list, tuple):
        kind, choices = _kind(inner[0]) if inner else ("text", ())
        return ("choices", choices) if kind == "choice" else ("list", ()) if kind == "text" else ("table", ())
    if annotation is str or getattr(annotation, "__supertype__", None) is str:
        return "text", ()
    return "table", ()


def _written(kind: Kind, value: Any) -> str:
    """A value as it is entered."""
    if value is None:
        return ""
    if kind == "truth":
        return "true" if value else "false"
    if kind in ("list", "choices"):
        return "\n".join(map(str, value))
    if kind == "table":
        return toml_value(value) if value else ""
    return str(value)


def _value(setting: Setting, said: str) -> Any:
    """What was entered as the setting wants it; None where it cannot be that."""
    if setting.kind == "truth":
        return {"true": True, "false": False, "on": True}.get(said)
    if setting.kind == "number":
        return int(said) if said.removeprefix("-").isdecimal() and len(said) < 19 else None
    if setting.kind in ("list", "choices"):
        return [line.strip() for line in said.split("\n") if line.strip()]
    if setting.kind == "table":
        try:
            value = toml_of(f"it = {said}", float)
        except tomllib.TOMLDecodeError:
            return None
        return value["it"] if len(value) == 1 else None
    return said


def trial_settings(adapter: Adapter[Any]) -> dict[str, Any]:
    """What goes before the settings while a system is only tried (fewer records a page, no bulk reading): the adapter
    marks such a setting with `json_schema_extra={"trial": …}`."""
    return {
        name: field.json_schema_extra["trial"]
        for name, field in adapter.settings.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and "trial" in field.json_schema_extra
    }


__all__ = ["Kind", "Setting", "entered", "form_of", "form_of_system", "shown", "trial_settings"]
