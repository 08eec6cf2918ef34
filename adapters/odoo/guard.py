"""The guard: automation rules inside Odoo that make a hold hold.

Odoo has no hold of its own; its credit control only warns. These rules make one, for people and over the interface alike
(422, with our sentence):

- *Refuse held orders*, on `sale.order`: when an order becomes a sales order, by a direct write of `state` too. It looks at
  the order's own flag and at the customer's, on the commercial partners of the order and of who is invoiced; the
  customer's flag does not stop an order that is marked as released.
- *Refuse growth of held orders*, on `sale.order`: when a confirmed order that is held gets a higher total.
- *Refuse delivery of held orders*, on `stock.picking`, where the Inventory app is installed: when an outgoing transfer of a
  held order is done.
- *Keep the hold flag* and *keep the hold flag of orders*: whoever is neither the bot nor an administrator cannot change the
  flags. Odoo's `readonly` and `groups` do not protect custom fields over its interface.

Tried on 19.0: refused for administrator and salesperson, let go once the flag is cleared or the order is released; a
salesperson's change of a flag is refused, her other changes are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.odoo.client import Client, Row
from connector.adapter import Finding
from connector.errors import ConfigError
from connector.text import Text

ORDERS, FLAG = "Holdfast: refuse held orders", "Holdfast: keep the hold flag"
GROWTH, DELIVERY = "Holdfast: refuse growth of held orders", "Holdfast: refuse delivery of held orders"
ORDER_FLAG = "Holdfast: keep the hold flag of orders"
_ZH = "if (env.context.get('lang') or env.user.lang or '').startswith('zh'):"


@dataclass(frozen=True, slots=True)
class Rule:
    """One automation rule as it should be. `fields` are those whose change runs it, () any change."""

    name: str
    model: str
    before: str
    after: str
    code: str
    fields: tuple[str, ...] = ()

    @property
    def what(self) -> Text:
        return Text("Automation rule “{name}” on {model}", "{model} 上的自动化规则“{name}”").fill(
            name=self.name, model=self.model
        )


def rules(client: Client, bot: int) -> list[Rule]:
    """The rules that the settings want, for the models and fields that are there. `bot` is the everyday user's id."""
    s = client.settings
    wanted = [_orders(client)]
    if s.guard_changes:
        wanted.append(_growth(client))
    if s.guard_deliveries and _there(client, "stock.picking", "sale_id"):
        wanted.append(_delivery(client))
    if s.protect_hold:
        wanted.append(_flag(client, bot))
        own = [n for n in (s.order_hold_field, s.order_release_field) if _there(client, "sale.order", n)]
        if own:
            wanted.append(_order_flag(bot, own))
    return wanted


def _there(client: Client, model: str, name: str) -> bool:
    return bool(name) and name in client.fields(model)


def _either(*parts: str) -> str:
    return "'|', " * (len(parts) - 1) + ", ".join(parts)


def _held(client: Client, path: str = "") -> str:
    """Part of a domain: the order at `path` is held, by its own flag or by its customer's."""
    s = client.settings
    theirs = _either(
        *(
            f"('{path}{partner}.commercial_partner_id.{s.hold_field}', '=', True)"
            for partner in ("partner_id", "partner_invoice_id")
        )
    )
    if _there(client, "sale.order", s.order_release_field):
        theirs = f"'&', ('{path}{s.order_release_field}', '=', False), {theirs}"
    if not _there(client, "sale.order", s.order_hold_field):
        return theirs
    return _either(f"('{path}{s.order_hold_field}', '=', True)", theirs)


def _refusal(client: Client, order: str, zh: str, en: str) -> str:
    """Python that refuses with a sentence of order, customer and reason, from a record called `order`."""
    s = client.settings
    own = theirs = ""
    if _there(client, "sale.order", s.order_hold_reason_field):
        own = f"{order}.{s.order_hold_reason_field} or "
    if _there(client, "res.partner", s.hold_reason_field):
        theirs = f"customer.{s.hold_reason_field} or "
    return (
        f"    customer = {order}.partner_invoice_id.commercial_partner_id\n"
        f"    if not customer.{s.hold_field}:\n"
        f"        customer = {order}.partner_id.commercial_partner_id\n"
        f"    reason = {own}{theirs}''\n"
        f"    {_ZH}\n"
        f"        raise UserError('{zh}' % ({order}.name, customer.name, reason))\n"
        f"    raise UserError('{en}' % ({order}.name, customer.name, reason))\n"
    )


def _orders(client: Client) -> Rule:
    code = "for order in records:\n" + _refusal(
        client,
        "order",
        "信用冻结：订单 %s（%s）不能确认。%s",
        "Credit hold: order %s of %s cannot be confirmed. %s",
    )
    return Rule(ORDERS, "sale.order", "[('state', '!=', 'sale')]", f"[('state', '=', 'sale'), {_held(client)}]", code)


def _growth(client: Client) -> Rule:
    """What is confirmed and held may become less, not more."""
    code = (
        "old = env.context.get('old_values') or {}\n"
        "for order in records:\n"
        "    was = old.get(order.id, {}).get('amount_total', order.amount_total)\n"
        "    if order.currency_id.compare_amounts(order.amount_total, was) <= 0:\n"
        "        continue\n"
    ) + _refusal(
        client,
        "order",
        "信用冻结：订单 %s（%s）不能增加金额。%s",
        "Credit hold: order %s of %s cannot be raised. %s",
    )
    state = "('state', '=', 'sale')"
    return Rule(GROWTH, "sale.order", f"[{state}]", f"[{state}, {_held(client)}]", code, ("amount_total",))


def _delivery(client: Client) -> Rule:
    code = "for picking in records.sudo():\n    order = picking.sale_id\n" + _refusal(
        client,
        "order",
        "信用冻结：订单 %s（%s）不能发货。%s",
        "Credit hold: order %s of %s cannot be delivered. %s",
    )
    done = "('state', '=', 'done'), ('picking_type_code', '=', 'outgoing'), ('sale_id', '!=', False)"
    held = _held(client, "sale_id.")
    return Rule(DELIVERY, "stock.picking", "[('state', '!=', 'done')]", f"[{done}, {held}]", code)


def _order_flag(bot: int, fields: Sequence[str]) -> Rule:
    changed = " or ".join(f"was.get('{name}', order.{name}) != order.{name}" for name in fields)
    code = (
        f"allowed = env.uid in (1, {bot}) or env.user.has_group('base.group_system')\n"
        "old = env.context.get('old_values') or {}\n"
        "for order in records:\n"
        "    was = old.get(order.id, {})\n"
        f"    if not allowed and ({changed}):\n"
        f"        {_ZH}\n"
        "            raise UserError('订单 %s 的信用冻结由信用管理人员决定。' % order.name)\n"
        "        raise UserError('The credit hold of order %s is decided by credit control.' % order.name)\n"
    )
    return Rule(ORDER_FLAG, "sale.order", "", "", code, tuple(fields))


def _flag(client: Client, bot: int) -> Rule:
    field = client.settings.hold_field
    code = (
        f"allowed = env.uid in (1, {bot}) or env.user.has_group('base.group_system')\n"
        "old = env.context.get('old_values') or {}\n"
        "for customer in records:\n"
        f"    was = old.get(customer.id, {{}}).get('{field}', customer.{field})\n"
        f"    if not allowed and was != customer.{field}:\n"
        f"        {_ZH}\n"
        "            raise UserError('%s 的信用冻结由信用管理人员决定。' % customer.name)\n"
        "        raise UserError('The credit hold of %s is decided by credit control.' % customer.name)\n"
    )
    return Rule(FLAG, "res.partner", "", "", code, (field,))


# --- what is there -----------------------------------------------------------------------------------------------------
def _found(client: Client, rule: Rule) -> list[Row]:
    names = [n for n in ("name", "active", "model_id", "trigger", "filter_domain", "filter_pre_domain",
                         "action_server_ids", "code", "state", "trigger_field_ids")
             if n in client.fields("base.automation")]  # fmt: skip
    return client.rows("base.automation", [["name", "=", rule.name]], names)


def faults(client: Client, rule: Rule) -> list[str] | None:
    """What is wrong with the rule that is there, [] where it is right; None where there is none.

    Raises ConfigError where this user may not look.
    """
    found = _found(client, rule)
    if not found:
        return None
    one = found[0]
    wrong = [] if len(found) == 1 else ["twice"]
    wanted = {"active": True, "trigger": "on_create_or_write", "filter_domain": rule.after or None,
              "filter_pre_domain": rule.before or None}  # fmt: skip
    wrong += [name for name, value in wanted.items() if (one[name] or None) != value]
    if sorted(one.get("trigger_field_ids") or []) != _field_ids(client, rule):
        wrong.append("trigger_field_ids")
    if "action_server_ids" in one:
        actions = client.rows("ir.actions.server", [["id", "in", one["action_server_ids"]]], ["state", "code"])
    else:  # 16: the rule is its own action
        actions = [one]
    if ("code", rule.code.strip()) not in [(a["state"], str(a["code"]).strip()) for a in actions]:
        wrong.append("code")
    return wrong


def _field_ids(client: Client, rule: Rule) -> list[int]:
    if not rule.fields:
        return []
    return client.ids("ir.model.fields", [["model", "=", rule.model], ["name", "in", list(rule.fields)]])


# --- making and checking -------------------------------------------------------------------------------------------------
def provision(client: Client, bot: int, dry: bool) -> list[Finding]:
    """Makes the rules, or mends what somebody changed. Needs a Settings administrator."""
    hold = client.settings.hold_field
    wanted = rules(client, bot)
    if not _there(client, "res.partner", hold):
        lack = Text(
            "The hold flag “{field}” is not on contacts: write it in the mapping, or set “guard = false”.",
            "联系人上没有冻结标志“{field}”：请在映射中写入该字段，或设置“guard = false”。",
        ).fill(field=hold)
        return [Finding("todo", rule.what, lack) for rule in wanted]
    if not client.fields("base.automation"):
        install = Text(
            "Install the app “Automation Rules” (base_automation), then provision again with an administrator's key.",
            "请安装应用“自动化规则”（base_automation），然后用管理员密钥再次执行初始化。",
        )
        return [Finding("todo", rule.what, install) for rule in wanted]
    return [_make(client, rule, dry) for rule in wanted]


def _make(client: Client, rule: Rule, dry: bool) -> Finding:
    wrong = faults(client, rule)
    if wrong == []:
        return Finding("fine", rule.what)
    if dry:
        return Finding("would", rule.what)
    model = client.model_id(rule.model)
    values: dict[str, Any] = {
        "name": rule.name, "active": True, "model_id": model, "trigger": "on_create_or_write",
        "filter_pre_domain": rule.before or False, "filter_domain": rule.after or False,
        "trigger_field_ids": [[6, 0, _field_ids(client, rule)]],
    }  # fmt: skip
    action = {"state": "code", "code": rule.code}
    old = _found(client, rule)
    if "action_server_ids" in client.fields("base.automation"):
        made = {**action, "name": rule.name, "model_id": model}
        if "usage" in client.fields("ir.actions.server"):
            made["usage"] = "base_automation"
        actions = old[0]["action_server_ids"] if old else []
        values["action_server_ids"] = [[1, actions[0], made] if actions else [0, 0, made]]
    else:
        values.update(action)
    if not old:
        client.call("base.automation", "create", safe=False, vals_list=[values])
        return Finding("made", rule.what)
    client.call("base.automation", "write", safe=True, ids=[old[0]["id"]], vals=values)
    if len(old) > 1:  # only ours bear this name; one is enough
        aside = {"active": False, "name": f"{rule.name} (old)"}
        client.call("base.automation", "write", safe=True, ids=[r["id"] for r in old[1:]], vals=aside)
    return Finding("made", rule.what)


def stands(*names: str) -> Callable[[Client], Finding | None]:
    """A proof that these rules are there and unchanged; None where this key may not look at rules."""

    def looked(client: Client) -> Finding | None:
        admin = client.as_administrator() or client
        if not client.settings.guard:
            return Finding("todo", Text("The guard is switched off.", "拦截规则已关闭。"), _ON)
        for rule in rules(admin, client.uid):
            if rule.name in names:
                found = _checked(admin, rule)
                if found.fix == _MAY_NOT_LOOK:
                    return None
                if found.state != "fine":
                    return found
        return Finding("fine", Text("The guard is there.", "拦截规则已就绪。"))

    return looked


_ON = Text("Set “guard = true” and run `holdfast provision`.", "请设置“guard = true”并运行 `holdfast provision`。")
_MAY_NOT_LOOK = Text(
    "This key may not look at automation rules. Configure the secret “admin_key” (a Settings administrator's), "
    "so that the check can read the rule back.",
    "该密钥无权查看自动化规则。请配置密钥“admin_key”（设置管理员的密钥），以便检查时回读该规则。",
)


def check(client: Client, bot: int) -> Sequence[Finding]:
    """Whether the rules are there and unchanged, as far as this key may look."""
    return [_checked(client, rule) for rule in rules(client, bot)]


def _checked(client: Client, rule: Rule) -> Finding:
    try:
        wrong = faults(client, rule) if client.fields("base.automation") else None
    except ConfigError:
        return Finding("todo", rule.what, _MAY_NOT_LOOK)
    if wrong is None:
        return Finding(
            "todo",
            rule.what,
            Text(
                "Not there: a hold would hold nobody. Run `holdfast provision` with an administrator's key.",
                "不存在：冻结不会生效。请用管理员密钥运行 `holdfast provision`。",
            ),
        )
    if wrong:
        return Finding(
            "wrong",
            rule.what,
            Text(
                "Somebody changed it ({what}). Run `holdfast provision` with an administrator's key to mend it.",
                "已被改动（{what}）。请用管理员密钥运行 `holdfast provision` 修复。",
            ).fill(what=", ".join(wrong)),
        )
    return Finding("fine", rule.what)
