"""Credit hold without installing anything: a category of parties, and a rule on the order's confirm button.

A party in the category “Credit hold” cannot have an order confirmed by a plain salesperson: a rule of
`ir.model.button.rule` asks for a click of somebody in the credit limit group. Tryton answers the salesperson's click
without an error and leaves the order in `quotation`; a member of the group confirms and it goes through. Hold and release
are adding and removing the category (seen on 8.2.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from connector.adapter import Outcome, Write
from connector.errors import ConfigError
from connector.text import Text

from . import parties
from .books import Row
from .client import Tryton

BUTTON = ("sale.sale", "confirm")


def category(client: Tryton) -> int | None:
    """The id of the category that marks held parties, None where there is none yet."""
    if client.memory.get("hold category") is None:
        found = client.rows("party.category", [["name", "=", client.settings.hold_category]], ["name"], limit=1)
        client.memory["hold category"] = found[0]["id"] if found else None
    held: int | None = client.memory["hold category"]
    return held


def _needed(client: Tryton) -> int:
    held = category(client)
    if held is None:
        raise ConfigError(
            Text(
                "Tryton has no party category “{name}”. Run `holdfast provision {system}` with the setting admin_user and the "
                "secret admin_password, or make it by hand.",
                "Tryton 中没有参与方类别“{name}”。请配置 admin_user 与密钥 admin_password 后运行 `holdfast provision {system}`，"
                "或手工创建。",
            ).fill(name=client.settings.hold_category, system=client.connection.name)
        )
    return held


def send(client: Tryton, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Holds (`hold` true) and releases, and reads back what came of it: only what stands there is done."""
    held = _needed(client)

    def change(row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
        if bool(values.get("hold")) == (held in row["categories"]):
            return {}
        return {"categories": [["add" if values.get("hold") else "remove", [held]]]}

    outcomes = parties.write(client, writes, ["categories"], change)
    now = current(client, [w.target for w, o in zip(writes, outcomes, strict=True) if o.state == "done"])
    latest = {w.target: bool(w.values.get("hold")) for w in writes}
    return [
        Outcome("rejected", w.target, _NOT_KEPT, "not_kept")
        if o.state == "done" and now.get(w.target, {}).get("hold") != latest[w.target]
        else o
        for w, o in zip(writes, outcomes, strict=True)
    ]


def current(client: Tryton, targets: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Who is held now, by customer number."""
    held = _needed(client)
    rows = parties.by_code(client, targets, ["categories"])
    return {code: {"hold": held in row["categories"]} for code, row in rows.items()}


def condition(held: int, released: Sequence[int] = ()) -> str:
    """The rule's condition in PYSON: the customer, or whoever is invoiced instead, is in the category, and the order is
    not one of those that are released."""

    def of(field: str) -> dict[str, Any]:
        itself = {"__class__": "Eval", "v": "self", "d": {}}
        partner = {"__class__": "Get", "v": itself, "k": f"_parent_{field}", "d": {}}
        return {"__class__": "In", "k": held, "v": {"__class__": "Get", "v": partner, "k": "categories", "d": []}}

    stopped = {"__class__": "Or", "s": [of("party"), of("invoice_party")]}
    let_go = {"__class__": "Not", "v": among(released)}
    return json.dumps({"__class__": "And", "s": [stopped, let_go]} if released else stopped)


def among(orders: Sequence[int]) -> dict[str, Any]:
    """PYSON: the order is one of these."""
    return {"__class__": "In", "k": ITSELF, "v": sorted(set(orders))}


def named(said: Any) -> list[int] | None:
    """The orders that `among` names, None where this is another condition."""
    if not isinstance(said, dict) or said.get("__class__") != "In" or said.get("k") != ITSELF:
        return None
    orders = said.get("v")
    return [int(o) for o in orders] if isinstance(orders, list) else None


ITSELF = {"__class__": "Get", "v": {"__class__": "Eval", "v": "self", "d": {}}, "k": "id", "d": -1}


def rules(client: Tryton) -> list[Row]:
    """The rules on the confirm button that look at the category, whoever made them; `released` are the orders that each
    lets go."""
    held = category(client)
    if held is None or not client.can_read("ir.model.button.rule"):
        return []
    model, name = BUTTON
    found = client.rows(
        "ir.model.button.rule",
        [["button.model", "=", model], ["button.name", "=", name]],
        ["condition", "group.name", "number_user"],
    )
    rows = []
    for row in found:
        said = _parsed(row["condition"])
        if _looks_at(said, held):
            rows.append({**row, "released": _let_go(said)})
    return rows


def _parsed(written: str | None) -> Any:
    try:
        return json.loads(written or "null")
    except ValueError:
        return None


def _looks_at(said: Any, held: int) -> bool:
    if not isinstance(said, dict):
        return False
    if said.get("__class__") in ("And", "Or"):
        return any(_looks_at(part, held) for part in said.get("s", ()))
    return said.get("__class__") == "In" and said.get("k") == held


def _let_go(said: Any) -> list[int]:
    parts = said.get("s", ()) if isinstance(said, dict) and said.get("__class__") == "And" else ()
    lists = [named(part["v"]) for part in parts if isinstance(part, dict) and part.get("__class__") == "Not"]
    return next((orders for orders in lists if orders is not None), [])


_NOT_KEPT = Text(
    "Tryton accepted the change, but the category does not stand there afterwards.",
    "Tryton 接受了更改，但随后该类别并未生效。",
)
