"""Setting up the hold of single orders: the rule that names them, and the right to change that rule and no other.

Rules on buttons are an administrator's. Provisioning makes one rule, a group “Holdfast” with our user in it, the right of
that group to change rules, and a record rule that bounds it to this rule and the one for customers (which names released
orders): our user can neither make nor delete a rule, nor change another (tried on 8.2.1: refused, and the administrator's own rights are as before). It also has the button
forget former clicks when an order goes back to draft: else the click by which a credit controller once confirmed an order
would let the next salesperson's click pass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from connector.adapter import Finding
from connector.errors import ConfigError, ProtocolError, RejectedError
from connector.text import Text

from . import holds, order_holds
from .client import Tryton

GROUP = "Holdfast"
_RULE = "ir.model.button.rule"
_ABOUT = Text("rule that names the orders on hold", "列出被冻结订单的规则")
_OWN_RULE = "Holdfast: only its own rules on buttons"


def group_named(client: Tryton, name: str) -> int | None:
    """A group by its name in the user's language."""
    found = client.rows("res.group", [["name", "=", name]], ["name"], limit=1)
    return int(found[0]["id"]) if found else None


def check(client: Tryton) -> Finding:
    """Whether single orders can be held: the rule is there, with a group, and our user may change it."""
    there = order_holds.rule(client)
    if there is None:
        return Finding("todo", _ABOUT, _provision(client))
    if there[0]["group"] is None:
        return Finding("wrong", _ABOUT, _NO_GROUP.fill(group=client.settings.hold_group))
    if not _may_change(client):
        return Finding("todo", _ABOUT, Text("{no} {fix}", "{no}{fix}").fill(no=_NO_RIGHT, fix=_provision(client)))
    return Finding("fine", _ABOUT)


def _may_change(client: Tryton) -> bool:
    """Whether our user has the right to change rules, as far as it may look."""
    known = client.call("model.res.user.get_preferences", True)
    if known.get("administrator"):
        return True
    try:
        rows = client.rows("ir.model.access", [["model", "=", _RULE]], ["group", "perm_write"])
    except ConfigError:
        return True  # found out when it is first needed
    return any(r["perm_write"] and r["group"] in (None, *known.get("groups", ())) for r in rows)


def provision(client: Tryton, admin: Tryton, group: str, dry: bool) -> Finding:
    """Makes the rule and what our user needs to keep it, where it is missing; deletes nothing."""
    if check(client).state == "fine":
        return Finding("fine", _ABOUT)
    if dry:
        return Finding("would", _ABOUT)
    try:
        made = _make(admin, group, client.settings.user)
    except (ConfigError, ProtocolError, RejectedError) as wrong:
        return Finding("todo", _ABOUT, Text("{why} {fix}", "{why}{fix}").fill(why=wrong.user, fix=_provision(client)))
    return Finding("made", _ABOUT) if made else Finding("todo", _ABOUT, _provision(client))


def _make(admin: Tryton, group: str, login: str) -> bool:
    buttons = {
        row["name"]: row["id"]
        for row in admin.rows("ir.model.button", [["model", "=", order_holds.BUTTON[0]]], ["name"])
    }
    confirm, lets_go = buttons.get(order_holds.BUTTON[1]), group_named(admin, group)
    users = admin.rows("res.user", [["login", "=", login]], ["groups"], limit=1)
    if confirm is None or lets_go is None or not users:
        return False
    there = order_holds.rule(admin)
    if there is None:
        values: dict[str, Any] = {
            "button": confirm,
            "description": "Order on credit hold",
            "number_user": 1,
            "group": lets_go,
            "condition": order_holds.condition([]),
        }
        rule = int(_create(admin, _RULE, values))
    else:
        rule = int(there[0]["id"])
        if there[0]["group"] is None:
            admin.call(f"model.{_RULE}.write", [rule], {"group": lets_go})
    back = [buttons[name] for name in ("draft", "quote") if name in buttons]
    if back:
        admin.call("model.ir.model.button.write", [confirm], {"reset_by": [["add", back]]})
    ours = group_named(admin, GROUP) or int(_create(admin, "res.group", {"name": GROUP}))
    _permit(admin, ours, sorted({rule, *(int(row["id"]) for row in holds.rules(admin))}))
    if ours not in users[0]["groups"]:
        admin.call("model.res.user.write", [users[0]["id"]], {"groups": [["add", [ours]]]})
    return True


def _permit(admin: Tryton, ours: int, rules: Sequence[int]) -> None:
    """Our group may change rules on buttons, and of these only ours."""
    bounds = {
        "__class__": "If",
        "c": {"__class__": "In", "k": ours, "v": {"__class__": "Eval", "v": "groups", "d": []}},
        "t": ["id", "in", list(rules)],
        "e": [],
    }
    domain = json.dumps([bounds])
    there = admin.rows("ir.rule.group", [["name", "=", _OWN_RULE], ["model", "=", _RULE]], ["rules.domain"])
    if there:
        old = [r["id"] for r in there[0]["rules"] or [] if r["domain"] != domain]
        if old:
            admin.call("model.ir.rule.write", old, {"domain": domain})
    else:
        # Global, and about our group by its condition: rules of groups would bind everybody else, administrators too.
        values = {
            "name": _OWN_RULE,
            "model": _RULE,
            "global_p": True,
            "perm_read": False,
            "perm_write": True,
            "perm_create": True,
            "perm_delete": True,
            "rules": [["create", [{"domain": domain}]]],
        }
        _create(admin, "ir.rule.group", values)
    # The bound stands before the right.
    if not admin.rows("ir.model.access", [["model", "=", _RULE], ["group", "=", ours]], ["perm_write"]):
        rights = {"perm_read": True, "perm_write": True, "perm_create": False, "perm_delete": False}
        _create(admin, "ir.model.access", {"model": _RULE, "group": ours, **rights})


def _create(admin: Tryton, model: str, values: dict[str, Any]) -> Any:
    return admin.call(f"model.{model}.create", [values], safe=False)[0]


def _provision(client: Tryton) -> Text:
    return _FIX.fill(group=client.settings.hold_group, system=client.connection.name, ours=GROUP)


_NO_RIGHT = Text("The integration user may not change it.", "集成用户无权修改该规则。")
_NO_GROUP = Text(
    "The rule names no group: anybody's second click lifts the hold. Set its group to “{group}”.",
    "该规则未指定用户组：任何人再点一次即可解除冻结。请把其用户组设为“{group}”。",
)
_FIX = Text(
    "Single orders are only noted, not stopped. Set admin_user and the secret admin_password and run `holdfast provision "
    "{system}`: it makes the rule on the button “confirm” of sale.sale (group “{group}”), and a group “{ours}” that may "
    "change this rule and the customers' rule, and no other.",
    "单张订单目前只有备注，不会被拦截。请设置 admin_user 及密钥 admin_password 后运行 `holdfast provision {system}`："
    "将在 sale.sale 的“confirm”按钮上创建该规则（用户组“{group}”），并创建只能修改这两条规则的用户组“{ours}”。",
)
