"""The guard: an automation rule inside Odoo that refuses to confirm an order while a hold flag stands.

Odoo has no hold of its own; its credit control only warns. A rule on `sale.order`, run when an order *becomes* a sales
order, raises our sentence: for people and over the interface alike (422), for a direct write of `state` too. It looks at
the order's own flag, and at the customer's flag on the commercial partners of the order and of who is invoiced. Tried on
19.0: held order refused for administrator and salesperson, confirmed once the flag is cleared.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from adapters.odoo.client import Client, Row
from connector.adapter import Finding
from connector.errors import ConfigError
from connector.text import Text

NAME = "Holdfast: refuse held orders"
_WHAT = Text("Automation rule “{name}” on sales orders", "销售订单上的自动化规则“{name}”").fill(name=NAME)


def _there(client: Client, model: str, name: str) -> bool:
    return bool(name) and name in client.fields(model)


def domain_after(client: Client) -> str:
    """The rule's condition, on the order as it will be. Fields that are not there are left out of it."""
    s = client.settings
    conditions = [f"('{s.order_hold_field}', '=', True)"] if _there(client, "sale.order", s.order_hold_field) else []
    for partner in ("partner_id", "partner_invoice_id"):
        conditions.append(f"('{partner}.commercial_partner_id.{s.hold_field}', '=', True)")
    return "[('state', '=', 'sale'), " + "'|', " * (len(conditions) - 1) + ", ".join(conditions) + "]"


_BEFORE = "[('state', '!=', 'sale')]"


def code(client: Client) -> str:
    """What the rule does: our sentence, in the user's language, with the reason that stands beside the flag."""
    s = client.settings
    own = theirs = ""
    if _there(client, "sale.order", s.order_hold_reason_field):
        own = f"order.{s.order_hold_reason_field} or "
    if _there(client, "res.partner", s.hold_reason_field):
        theirs = f"customer.{s.hold_reason_field} or "
    return (
        "for order in records:\n"
        "    customer = order.partner_invoice_id.commercial_partner_id\n"
        f"    if not customer.{s.hold_field}:\n"
        "        customer = order.partner_id.commercial_partner_id\n"
        f"    reason = {own}{theirs}''\n"
        "    if (env.context.get('lang') or env.user.lang or '').startswith('zh'):\n"
        "        raise UserError('信用冻结：订单 %s（%s）不能确认。%s' % (order.name, customer.name, reason))\n"
        "    raise UserError('Credit hold: order %s of %s cannot be confirmed. %s'"
        " % (order.name, customer.name, reason))\n"
    )


def _rules(client: Client) -> list[Row]:
    names = [n for n in ("name", "active", "model_id", "trigger", "filter_domain", "filter_pre_domain",
                         "action_server_ids", "code", "state") if n in client.fields("base.automation")]  # fmt: skip
    return client.rows("base.automation", [["name", "=", NAME]], names)


def faults(client: Client) -> list[str] | None:
    """What is wrong with the rule that is there, [] where it is right; None where there is none.

    Raises ConfigError where this user may not look.
    """
    found = _rules(client)
    if not found:
        return None
    rule = found[0]
    wrong = [] if len(found) == 1 else ["twice"]
    wanted = {"active": True, "trigger": "on_create_or_write", "filter_domain": domain_after(client),
              "filter_pre_domain": _BEFORE}  # fmt: skip
    wrong += [name for name, value in wanted.items() if rule[name] != value]
    if "action_server_ids" in rule:
        actions = client.rows("ir.actions.server", [["id", "in", rule["action_server_ids"]]], ["state", "code"])
    else:  # 16: the rule is its own action
        actions = [rule]
    if ("code", code(client).strip()) not in [(a["state"], str(a["code"]).strip()) for a in actions]:
        wrong.append("code")
    return wrong


def provision(client: Client, dry: bool, coming: Collection[str] = ()) -> Finding:
    """Makes the rule, or mends it where somebody changed it. Needs a Settings administrator.

    `coming` are fields that a dry run would have made by now.
    """
    hold = client.settings.hold_field
    if not _there(client, "res.partner", hold) and hold not in coming:
        return Finding(
            "todo",
            _WHAT,
            Text(
                "The hold flag “{field}” is not on contacts: write it in the mapping, or set “guard = false”.",
                "联系人上没有冻结标志“{field}”：请在映射中写入该字段，或设置“guard = false”。",
            ).fill(field=hold),
        )
    there = client.fields("base.automation")
    if not there:
        return Finding(
            "todo",
            _WHAT,
            Text(
                "Install the app “Automation Rules” (base_automation), then provision again with an administrator's key.",
                "请安装应用“自动化规则”（base_automation），然后用管理员密钥再次执行初始化。",
            ),
        )
    wrong = faults(client)
    if wrong == []:
        return Finding("fine", _WHAT)
    if dry:
        return Finding("would", _WHAT)
    order = client.model_id("sale.order")
    action = {"state": "code", "code": code(client)}
    values: dict[str, Any] = {
        "name": NAME, "active": True, "model_id": order, "trigger": "on_create_or_write",
        "filter_pre_domain": _BEFORE, "filter_domain": domain_after(client),
    }  # fmt: skip
    if "action_server_ids" in there:
        made = {**action, "name": NAME, "model_id": order}
        if client.series >= 17 and "usage" in client.fields("ir.actions.server"):
            made["usage"] = "base_automation"
        old = [a for rule in _rules(client)[:1] for a in rule["action_server_ids"]]
        values["action_server_ids"] = [[1, old[0], made] if old else [0, 0, made]]
    else:
        values.update(action)
    if wrong is None:
        client.call("base.automation", "create", safe=False, vals_list=[values])
    else:
        rules = _rules(client)
        client.call("base.automation", "write", safe=True, ids=[rules[0]["id"]], vals=values)
        if len(rules) > 1:  # only ours bear this name; one is enough
            others = [r["id"] for r in rules[1:]]
            client.call(
                "base.automation", "write", safe=True, ids=others, vals={"active": False, "name": f"{NAME} (old)"}
            )
    return Finding("made", _WHAT)


def check(client: Client) -> Finding:
    """Whether the rule is there and unchanged, as far as this key may look."""
    try:
        wrong = faults(client) if client.fields("base.automation") else None
    except ConfigError:
        return Finding(
            "todo",
            _WHAT,
            Text(
                "This key may not look at automation rules. Configure the secret “admin_key” (a Settings administrator's), "
                "so that the check can read the rule back.",
                "该密钥无权查看自动化规则。请配置密钥“admin_key”（设置管理员的密钥），以便检查时回读该规则。",
            ),
        )
    if wrong is None:
        return Finding(
            "todo",
            _WHAT,
            Text(
                "Not there: held orders can be confirmed. Run `holdfast provision` with an administrator's key.",
                "不存在：被冻结的订单仍可确认。请用管理员密钥运行 `holdfast provision`。",
            ),
        )
    if wrong:
        return Finding(
            "wrong",
            _WHAT,
            Text(
                "Somebody changed it ({what}). Run `holdfast provision` with an administrator's key to mend it.",
                "已被改动（{what}）。请用管理员密钥运行 `holdfast provision` 修复。",
            ).fill(what=", ".join(wrong)),
        )
    return Finding("fine", _WHAT)
