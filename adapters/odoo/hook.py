"""Odoo's webhooks: automation rules that we make, and the calls they send.

A rule is of `base.automation`, its action of the kind *Send Webhook Notification* (Odoo 17 and later): a POST of chosen
fields with `_id`, `_model` and `_action`, after the commit, within the user's own request, cut off after a second. It bears
no signature, no id and no time of its own, and it is sent once; one payment sends several, some with values of half-way. So
the address ends with a token (which Odoo writes into its own log), the only field we ask for is `write_date`, by which
one call is told from the next, and what has changed is read through the interface. Seen on 19.0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.odoo.client import Client, Row
from connector.errors import ConfigError
from connector.hook import Callback, Delivery, Event, Hook, Known, Refused, Subscription, Verified, digest
from connector.hook_body import object_of, text_of, wrong
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Rule:
    """What Odoo tells us of: changes of these `fields` of a model's records (of `domain`), which `streams` show.

    Fields that we write ourselves are not among them, or each of our writes would call us.
    """

    model: str
    streams: tuple[str, ...]
    fields: tuple[str, ...]
    domain: str = ""

    @property
    def name(self) -> str:
        return f"Holdfast: tell of {self.model}"


RULES = (
    Rule(
        "sale.order",
        ("orders",),
        (
            "state",
            "amount_total",
            "partner_id",
            "partner_invoice_id",
            "commitment_date",
            "payment_term_id",
            "user_id",
            "invoice_status",
            "locked",
        ),
    ),
    # Its balance moves with every reconciliation, also where one is undone.
    Rule(
        "account.move",
        ("items", "applications", "payments_in_process"),
        ("state", "payment_state", "amount_residual", "partner_id", "invoice_date_due"),
        "[('move_type', 'in', ('out_invoice', 'out_refund', 'out_receipt', 'entry'))]",
    ),
    Rule("account.payment", ("payments_in_process",), ("state", "amount", "partner_id", "date")),
    Rule(
        "res.partner",
        ("customers", "limits"),
        ("name", "vat", "ref", "parent_id", "active", "credit_limit", "user_id", "property_payment_term_id"),
    ),
)
_STREAMS = {rule.model: rule.streams for rule in RULES}


# --- being called ----------------------------------------------------------------------------------------------------------
def receive(delivery: Delivery, known: Known) -> Verified | Refused:
    """One call; the token in its address, which is its only proof, has been looked at."""
    body = object_of(delivery.body)
    if isinstance(body, Refused):
        return body
    model, key = text_of(body.get("_model"), 100), text_of(body.get("_id"), 40)
    if not model or not key.isdigit():
        return wrong("_model and _id are wanted", "缺少 _model 和 _id")
    if model not in _STREAMS:
        return Verified(())  # somebody's own rule: nothing that we read
    told = json.dumps(body, sort_keys=True, default=str)
    # Without a stamp, the same words again may well be another change: then every second counts as one.
    stamp = text_of(body.get("write_date"), 40) or known.now.strftime("%Y-%m-%d %H:%M:%S")
    return Verified([Event(digest(told, stamp), _STREAMS[model], key, "changed")])


# --- asking to be called ---------------------------------------------------------------------------------------------------
def subscribe(client: Client, callback: Callback, streams: Sequence[str]) -> list[Subscription]:
    """Makes a rule for each model that these streams read. ConfigError without an administrator's key, or before 17."""
    admin = _administrator(client)
    found = []
    for rule in RULES:
        chosen = tuple(s for s in rule.streams if s in streams)
        if chosen and _is_ours(client, rule) and admin.fields(rule.model):
            _make(admin, rule, callback)
            found.append(Subscription(rule.model, chosen))
    return found


def renew(client: Client, callback: Callback, subscription: Subscription) -> Subscription | None:
    """Mends the rule: active, as it should be, with the address as it is now. None where there is no such rule."""
    admin = _administrator(client)
    rule = next((r for r in RULES if r.model == subscription.id), None)
    if rule is None or not _found(admin, rule):
        return None
    _make(admin, rule, callback)
    return subscription


def unsubscribe(client: Client, subscriptions: Sequence[Subscription]) -> None:
    """Switches the rules off and takes the address out of them; nothing is deleted."""
    admin = _administrator(client)
    for rule in [r for r in RULES if r.model in {s.id for s in subscriptions}]:
        for row in _found(admin, rule):
            actions = list(row["action_server_ids"])
            if actions:
                admin.call("ir.actions.server", "write", safe=True, ids=actions, vals={"webhook_url": False})
            admin.call("base.automation", "write", safe=True, ids=[row["id"]], vals={"active": False})


def _is_ours(client: Client, rule: Rule) -> bool:
    """Whether this system is trusted for what the rule tells of."""
    return client.keeps_ledger or not rule.model.startswith("account.")


def _administrator(client: Client) -> Client:
    admin = client.as_administrator() or client
    if not admin.fields("base.automation") or not admin.may("base.automation", "create"):
        raise ConfigError(
            Text(
                "Odoo's automation rules cannot be made with this key: install the app “Automation Rules” (base_automation) and "
                "configure the secret “admin_key” (an API key of a Settings administrator).",
                "该密钥无法创建 Odoo 自动化规则：请安装应用“自动化规则”（base_automation），并配置密钥“admin_key”（设置管理员的 "
                "API 密钥）。",
            )
        )
    if "webhook_url" not in admin.fields("ir.actions.server"):
        raise ConfigError(
            Text(
                "This Odoo ({version}) has no webhook actions; they came with 17. It is polled.",
                "该 Odoo（{version}）没有 Webhook 动作（自 17 版起提供），改由定时拉取。",
            ).fill(version=admin.version[1])
        )
    return admin


def _found(admin: Client, rule: Rule) -> list[Row]:
    return admin.rows("base.automation", [["name", "=", rule.name]], ["name", "active", "action_server_ids"])


def _make(admin: Client, rule: Rule, callback: Callback) -> None:
    """The rule as it should be, made or mended; of several of its name all but the first are switched off."""
    model = admin.model_id(rule.model)
    action: dict[str, Any] = {
        "name": rule.name, "model_id": model, "state": "webhook", "webhook_url": callback.address,
        "webhook_field_ids": [[6, 0, _field_ids(admin, rule.model, ["write_date"])]],
    }  # fmt: skip
    if "usage" in admin.fields("ir.actions.server"):
        action["usage"] = "base_automation"
    values: dict[str, Any] = {
        "name": rule.name, "active": True, "model_id": model, "trigger": "on_create_or_write",
        "filter_pre_domain": False, "filter_domain": rule.domain or False,
        "trigger_field_ids": [[6, 0, _field_ids(admin, rule.model, rule.fields)]],
    }  # fmt: skip
    old = _found(admin, rule)
    actions = old[0]["action_server_ids"] if old else []
    values["action_server_ids"] = [[1, actions[0], action] if actions else [0, 0, action]]
    if not old:
        admin.call("base.automation", "create", safe=False, vals_list=[values])
        return
    admin.call("base.automation", "write", safe=True, ids=[old[0]["id"]], vals=values)
    if len(old) > 1:
        admin.call("base.automation", "write", safe=True, ids=[r["id"] for r in old[1:]], vals={"active": False})


def _field_ids(admin: Client, model: str, names: Sequence[str]) -> list[int]:
    return admin.ids("ir.model.fields", [["model", "=", model], ["name", "in", list(names)]])


HOOK: Hook[Client] = Hook(
    receive=receive,
    by_hand=Text(
        "Make automation rules in Odoo (Settings, Technical, Automation Rules) on create and edit of sales orders, journal "
        "entries and contacts, with the action “Send Webhook Notification” to the address that `holdfast hook address` shows, "
        "and the field “Last Updated on”.",
        "请在 Odoo（设置-技术-自动化规则）中为销售订单、日记账分录和联系人的创建与编辑建立规则，动作为“发送 Webhook 通知”，地址填 "
        "`holdfast hook address` 显示的地址，字段选“最后更新时间”。",
    ),
    address_is_secret=True,
    subscribe=subscribe,
    renew=renew,
    unsubscribe=unsubscribe,
)
