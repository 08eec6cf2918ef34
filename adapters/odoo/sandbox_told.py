"""The sandbox's webhooks: automation rules whose action sends one, acted out when a record of their model changes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from adapters.odoo.sandbox_schema import MODELS
from connector.sandbox_hooks import Sender

if TYPE_CHECKING:
    from adapters.odoo.sandbox_rows import Row, Rows

# Odoo's own fields have ids as well; those of the sandbox are counted from here.
_FIRST = 1_000_000
OWN_FIELDS = {
    number: (model, name)
    for number, (model, name) in enumerate(
        ((model, name) for model, fields in MODELS.items() for name in fields), _FIRST
    )
}


def hooking(rows: Rows) -> Iterator[tuple[Row, Row]]:
    """Each rule with an action that sends a webhook, and that action."""
    for action in rows.all("ir.actions.server").values():
        rule = rows.get("base.automation", action.get("base_automation_id") or 0)
        if action["state"] == "webhook" and rule:
            yield rule, action


def tell(rows: Rows, sender: Sender, model: str, row: Row, changed: Collection[str] | None) -> None:
    """A record was made (`changed` None) or changed: each rule that looks at one of these fields sends its webhook."""
    if model.startswith(("base.", "ir.")):
        return
    for rule, action in hooking(rows):
        about = rows.get("ir.model", rule["model_id"])
        if not rule["active"] or not about or about["model"] != model or not action.get("webhook_url"):
            continue
        looked_at = {_name(rows, key) for key in rule.get("trigger_field_ids") or []}
        if changed is not None and looked_at and looked_at.isdisjoint(changed):
            continue
        told: dict[str, Any] = {"_model": model, "_id": row["id"], "_action": f"{action['name']}(#{action['id']})"}
        fields = [_name(rows, key) for key in _these(action.get("webhook_field_ids"))]
        if fields:
            told |= {"id": row["id"]} | {name: row.get(name, False) for name in fields}
        sender.send(action["webhook_url"], json.dumps(told, sort_keys=True, default=str).encode(),
                    {"content-type": "application/json"})  # fmt: skip


def _these(commands: Any) -> list[int]:
    """A many2many as it was given: the command "these and no others", or ids."""
    if commands and isinstance(commands[0], list):
        return list(commands[0][2])
    return list(commands or [])


def _name(rows: Rows, key: int) -> str:
    if key in OWN_FIELDS:
        return OWN_FIELDS[key][1]
    return next((str(f["name"]) for f in rows.added_fields() if f["id"] == key), "")
