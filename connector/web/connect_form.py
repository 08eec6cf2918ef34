"""The form in which a system is connected or changed: what was typed, the system that it makes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from connector.adapter import Adapter
from connector.config_form import entered, form_of, form_of_system
from connector.config_system import System
from connector.config_toml import system_text
from connector.errors import Problem
from connector.store import sealed
from connector.text import Text
from connector.web.admin_systems import config_now
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.session import all_of
from connector.web.session import form_of as fields_of
from jobs import systems
from jobs.seals import sealed_name

_NO_ROLE = Problem(
    "role",
    "new",
    Text("Say what it is used as.", "请选择用途。"),
    Text("Choose at least one.", "请至少选择一项。"),
    "roles",
)
_MOST = 20_000
# Secrets that stand in tables of their own.
_MORE = ("hook", "panel")


@dataclass
class Given:
    """What a form has collected. `secrets` are what was typed, by field; `held` the same as it came back sealed."""

    fields: dict[str, str]
    roles: list[str]
    secrets: dict[str, str] = field(default_factory=dict)
    held: str = ""
    seen: int = 0
    note: str = ""
    tried: str = ""


async def given_of(request: Request, product: Adapter[Any]) -> Given:
    """What a form for a product says."""
    said = await fields_of(request)
    fields = {key: value[:_MOST] for key, value in said.items()}
    for setting in (*form_of(product), *form_of_system()):
        if setting.kind == "choices":
            fields[setting.field] = "\n".join(await all_of(request, setting.field))
    secrets = {
        key.removeprefix("typed."): value.strip()
        for key, value in fields.items()
        if key.startswith("typed.") and value.strip()
    }
    seen = fields.get("seen", "")
    return Given(
        {key: value for key, value in fields.items() if not key.startswith("typed.")},
        await all_of(request, "roles"),
        secrets,
        fields.get("held", ""),
        int(seen) if is_number(seen) else 0,
        fields.get("note", "")[:500].strip(),
        fields.get("tried", ""),
    )


def more_of(system: System) -> dict[str, str]:
    """Webhooks and panel of a system as the form shows them."""
    hook, panel = system.hook, system.panel
    found = {"hook.on": "1" if hook else "", "hook.secret": hook.secret if hook else ""}
    found |= {"panel.on": "1" if panel and panel.enabled else "", "panel.secret": panel.secret if panel else ""}
    found["panel.frame_ancestors"] = "\n".join(panel.frame_ancestors) if panel else ""
    found["panel.unknown"] = panel.unknown if panel else "reduced"
    return found


def by_name(given: Given) -> dict[str, str]:
    """What was typed, by the name under which it is kept: `password`, `hook`, `panel`."""
    return {key.removeprefix("secrets.").removesuffix(".secret"): value for key, value in given.secrets.items()}


def problems_of(front: Front, product: Adapter[Any], given: Given, old: System | None) -> tuple[str, list[Problem]]:
    """The text that a form makes, and all that is wrong with it."""
    values, problems = entered(product, given.fields)
    text = system_text(_values(product, given, old, values))
    config = config_now(front)
    with front.store.reading() as tx:
        kept = sealed.names(tx)
    typed = {sealed_name(given.fields.get("name", ""), key) for key in by_name(given)}
    problems += systems.check_system(config, text, kept | typed)
    if not given.roles:
        problems = [_NO_ROLE, *(p for p in problems if p.field != "roles")]
    if old is None and any(one.name == given.fields.get("name") for one in config.systems):
        problems.append(_taken(given.fields["name"]))
    return text, problems


def _values(product: Adapter[Any], given: Given, old: System | None, values: Mapping[str, Any]) -> dict[str, Any]:
    name, fields = given.fields.get("name", "").strip(), given.fields
    made: dict[str, Any] = {"name": name, "adapter": product.name, "roles": given.roles}
    made |= {key: value for key, value in values.items() if key != "settings"}
    made["settings"] = values.get("settings", {})
    references = {}
    for secret in product.secrets:
        place = f"secrets.{secret.name}"
        said = f"sealed:{sealed_name(name, secret.name)}" if place in given.secrets else fields.get(place, "").strip()
        if said:
            references[secret.name] = said
    made["secrets"] = references
    for part in _MORE:
        if fields.get(f"{part}.on"):
            kept: dict[str, Any] = (
                getattr(old, part).model_dump(exclude_defaults=True) if getattr(old, part, None) else {}
            )
            typed = f"{part}.secret" in given.secrets
            kept["secret"] = f"sealed:{sealed_name(name, part)}" if typed else fields.get(f"{part}.secret", "").strip()
            if part == "panel":
                kept.pop("enabled", None)
                kept["frame_ancestors"] = fields.get("panel.frame_ancestors", "").split()
                kept["unknown"] = fields.get("panel.unknown") or "reduced"
            made[part] = kept
    return made


def _taken(name: str) -> Problem:
    what = Text("A system is called “{name}” already.", "已有名为“{name}”的系统。").fill(name=name)
    return Problem(
        "taken", "new", what, Text("Choose another name, or change that one.", "请另取名称，或修改该系统。"), "name"
    )


__all__ = ["Given", "by_name", "given_of", "more_of", "problems_of"]
