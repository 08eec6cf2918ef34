"""Checking and setting up: rights and fields, our custom fields, where people see them, and the guard.

The everyday key belongs to a bot with few rights; making fields, views and rules needs a Settings administrator, whose
key may be configured besides as the secret `admin_key`. What cannot be made becomes a line of a checklist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from adapters.odoo import guard, views
from adapters.odoo.client import Client
from adapters.odoo.reading import instant
from connector.adapter import Finding, Need
from connector.errors import ConfigError
from connector.text import Text

TYPES = {"text": "char", "money": "float", "number": "float", "boolean": "boolean", "date": "date",
         "datetime": "datetime", "choice": "selection"}  # fmt: skip
TITLES = {
    "res.partner": Text("contacts", "联系人"),
    "sale.order": Text("sales orders", "销售订单"),
    "mail.activity": Text("activities", "活动"),
    "account.move.line": Text("journal items", "日记账分录"),
    "account.partial.reconcile": Text("reconciliations", "核销"),
    "account.payment": Text("payments", "付款"),
    "res.currency.rate": Text("currency rates", "汇率"),
    "res.users": Text("users", "用户"),
}
# Labels of the shipped mapping's fields for those who work in Chinese.
CHINESE = {
    "x_credit_customer_no": "ERP 客户编号", "x_credit_limit": "信用额度", "x_credit_limit_kind": "额度类型", "x_credit_exposure": "信用占用",
    "x_credit_available": "可用额度", "x_credit_used": "额度使用率", "x_credit_overdue": "逾期金额",
    "x_credit_overdue_days": "逾期天数", "x_credit_currency": "信用币种", "x_credit_level": "信用预警",
    "x_credit_hold": "信用冻结", "x_credit_released": "信用已放行", "x_credit_hold_reason": "冻结原因", "x_credit_as_of": "信用数据日期",
    "x_credit_task_key": "信用任务键", "x_credit_release_request": "申请放行",
}  # fmt: skip
# … and of their choices, as far as they are the shipped ones.
CHINESE_CHOICES = {
    "Good": "正常", "Watch": "关注", "Warning": "预警", "Stop": "停止",
    "No limit": "未设额度", "Unlimited": "不限额度", "Limited": "有额度",
}  # fmt: skip
_CHINESE_IN_USE = [["code", "=", "zh_CN"], ["active", "=", True]]


# --- check -------------------------------------------------------------------------------------------------------------
def check(client: Client, needs: Sequence[Need]) -> Sequence[Finding]:
    """Proves sign-in, company, rights and fields; says what is missing and how to mend it. Nothing is changed."""
    series, version = client.version
    who = Text("Signed in to Odoo {version}, company {company}", "已登录 Odoo {version}，公司 {company}").fill(
        version=version, company=client.company["name"]
    )
    found = [Finding("fine", who)]
    if series < 16:
        found.append(
            Finding("wrong", Text("Odoo {version}", "Odoo {version}").fill(version=version),
                    Text("16 is the oldest version this adapter knows.", "本适配器支持的最低版本为 16。"))
        )  # fmt: skip
    found += _rights(client, writes=bool(needs))
    found += _fields(client, needs)
    found += _key(client)
    if _guarded(client, needs):
        found += guard.check(client.as_administrator() or client, client.uid)
    return found


def _guarded(client: Client, needs: Sequence[Need]) -> bool:
    """Whether a guard is wanted: the mapping writes the hold flag that it would look at."""
    flag = client.settings.hold_field
    return bool(client.settings.guard and any((n.object, n.name) == ("res.partner", flag) for n in needs))


def _rights(client: Client, writes: bool) -> Iterator[Finding]:
    reads = ["res.partner", "res.users"]
    if client.keeps_ledger:
        reads += ["account.move.line", "account.partial.reconcile", "res.currency.rate"]
        reads += ["account.payment"] if client.series >= 18 and client.settings.payments_in_process else []
    reads.append("sale.order")
    for model in reads:
        what = Text("Read {title} ({model})", "读取{title}（{model}）").fill(title=TITLES[model], model=model)
        try:
            if client.may(model, "read"):
                client.rows(model, [], ["id"], limit=1)
                yield Finding("fine", what)
                continue
        except ConfigError:
            pass
        yield Finding("todo", what, _grant(model))
    if client.keeps_ledger and "credit" not in client.fields("res.partner"):
        # A salesperson's key reads receivable items without an error, but only some of them.
        yield Finding(
            "wrong",
            Text("See the whole ledger", "查看完整的应收账"),
            Text(
                "This user has no accounting rights: Odoo would show only a part of the items, without an error. "
                "Give the bot “Accounting: Read-only” (or Invoicing).",
                "该用户没有会计权限：Odoo 只会显示部分分录，且不报错。请授予机器人用户“会计：只读”（或开票）权限。",
            ),
        )
    if writes:
        what = Text("Write {title} ({model})", "写入{title}（{model}）")
        for model, operation in (("res.partner", "write"), ("sale.order", "write"), ("mail.activity", "create")):
            named = what.fill(title=TITLES[model], model=model)
            yield Finding("fine", named) if client.may(model, operation) else Finding("todo", named, _grant(model))


def _grant(model: str) -> Text:
    if model.startswith("account.") or model == "res.currency.rate":
        return Text(
            "Give the bot “Accounting: Read-only” (or Invoicing).", "请授予机器人用户“会计：只读”（或开票）权限。"
        )
    if model == "sale.order":
        return Text(
            "Install the Sales app and give the bot “Sales: User: All Documents”.",
            "请安装“销售”应用，并授予机器人用户“销售：用户：所有单据”权限。",
        )
    return Text(
        "Give the bot the role “Internal User” and “Contact Creation”.",
        "请授予机器人用户“内部用户”和“创建联系人”权限。",
    )


def _fields(client: Client, needs: Sequence[Need]) -> Iterator[Finding]:
    for need in distinct(needs):
        there = client.fields(need.object).get(need.name)
        what = _field_text(need)
        if there is None:
            yield Finding(
                "todo",
                what,
                Text(
                    "Not there. Run `holdfast provision` with an administrator's key, or make it by hand "
                    "(Settings, Technical, Fields): model {model}, name {name}, type {type}.",
                    "不存在。请用管理员密钥运行 `holdfast provision`，或手工创建（设置-技术-字段）："
                    "模型 {model}，名称 {name}，类型 {type}。",
                ).fill(model=need.object, name=need.name, type=TYPES[need.type]),
            )
        elif fault := _unfit(need, there):
            yield Finding("wrong", what, fault)
        else:
            yield Finding("fine", what)


def _field_text(need: Need) -> Text:
    return Text("Field {model}.{name} “{label}”", "字段 {model}.{name}“{label}”").fill(
        model=need.object, name=need.name, label=need.label
    )


_ALSO = {"char": ("text", "html"), "float": ("monetary", "integer"), "selection": ("char", "text")}


def _unfit(need: Need, there: dict[str, Any]) -> Text | None:
    wanted = TYPES[need.type]
    if there["type"] != wanted and there["type"] not in _ALSO.get(wanted, ()):
        return Text(
            "It is of type {there}, {wanted} is needed: rename one of the two.",
            "其类型为 {there}，需要 {wanted}：请更名其中一个。",
        ).fill(there=there["type"], wanted=wanted)
    if missing := missing_choices(need, there):
        return Text("It lacks the choices {missing}.", "缺少选项 {missing}。").fill(missing=", ".join(missing))
    return None


def missing_choices(need: Need, there: dict[str, Any]) -> list[str]:
    """The options of a need that a selection field does not offer."""
    if there["type"] != "selection":
        return []
    return [o for o in need.options if o not in {str(v) for v, _ in there.get("selection") or []}]


def distinct(needs: Sequence[Need]) -> list[Need]:
    """One need per field: two kinds of action may write the same one."""
    return list({(n.object, n.name): n for n in reversed(needs)}.values())[::-1]


def _key(client: Client) -> Iterator[Finding]:
    """A warning before an API key of ours ends; keys of ordinary users live 90 days at most."""
    if client.series < 18:
        return  # keys had no end before
    try:
        rows = client.rows("res.users.apikeys", [["user_id", "=", client.uid]], ["name", "expiration_date"])
    except ConfigError:
        return
    ends = [e for r in rows if (e := instant(r["expiration_date"]))]
    soon = [e for e in ends if e - client.connection.clock.now() < dt.timedelta(days=14)]
    if soon and len(ends) == len(rows):
        yield Finding(
            "todo",
            Text("API key", "API 密钥"),
            Text(
                "A key of this user ends on {day}: make a new one (Preferences, Account Security).",
                "该用户的密钥将于 {day} 到期：请创建新的密钥（首选项-账户安全）。",
            ).fill(day=min(soon).date()),
        )


# --- provision -----------------------------------------------------------------------------------------------------------
def provision(client: Client, needs: Sequence[Need], dry: bool) -> Sequence[Finding]:
    """Makes our fields, shows them on the forms, makes the guard rule. Idempotent; nothing is ever deleted.

    Without an administrator's key each line becomes one of a checklist.
    """
    admin = client.as_administrator() or client
    found: list[Finding] = []
    if not is_administrator(admin):
        key = Text(
            "Configure the secret “admin_key” (an API key of a Settings administrator) and run `holdfast provision` again.",
            "请配置密钥“admin_key”（设置管理员的 API 密钥）后再次运行 `holdfast provision`。",
        )
        lines = list(_fields(client, needs))
        if _guarded(client, needs):
            lines += guard.check(client, client.uid)
        return [*lines, Finding("todo", Text("Set up by an administrator", "由管理员完成初始化"), key)] if any(
            line.state in ("todo", "wrong") for line in lines
        ) else lines  # fmt: skip
    for need in distinct(needs):
        found.append(_make_field(admin, need, dry))
    if not dry:
        admin.forget_fields()
        client.forget_fields()
    found += views.provision(admin, distinct(needs), TYPES, dry)
    if _guarded(client, needs):
        for need in distinct(needs) if dry else ():  # as if they had been made
            if there := admin.fields(need.object):
                there.setdefault(need.name, {"type": TYPES[need.type]})
        found += guard.provision(admin, client.uid, dry)
        admin.forget_fields()
    return found


def is_administrator(client: Client) -> bool:
    """Whether this key may make fields and views."""
    try:
        return client.may("ir.model.fields", "create") and client.may("ir.ui.view", "create")
    except ConfigError:
        return False


def _make_field(admin: Client, need: Need, dry: bool) -> Finding:
    what = _field_text(need)
    there = admin.fields(need.object).get(need.name)
    if there is not None:
        fault = _unfit(need, there)
        lacking = missing_choices(need, there)
        if not fault or not lacking:
            return Finding("wrong", what, fault) if fault else Finding("fine", what)
        if not dry:
            field = admin.ids("ir.model.fields", [["model", "=", need.object], ["name", "=", need.name]], limit=1)
            more = [[0, 0, {"value": o, "name": o, "sequence": 100 + n}] for n, o in enumerate(lacking)]
            admin.call("ir.model.fields", "write", safe=False, ids=field, vals={"selection_ids": more})
        return Finding("would" if dry else "made", what, fault)
    if not need.name.startswith("x_"):
        fix = Text(
            "Odoo's own fields of ours start with x_: rename it in the mapping.",
            "自建字段须以 x_ 开头：请在映射中更名。",
        )
        return Finding("todo", what, fix)
    if not admin.fields(need.object):
        fix = Text("Odoo has no {model}: install its app first.", "Odoo 没有 {model}：请先安装相应的应用。")
        return Finding("todo", what, fix.fill(model=need.object))
    if dry:
        return Finding("would", what)
    values: dict[str, Any] = {
        "model_id": admin.model_id(need.object), "name": need.name, "field_description": need.label,
        "ttype": "text" if need.type == "text" and need.length > 255 else TYPES[need.type], "copied": False,
    }  # fmt: skip
    if need.unique:
        values["index"] = True  # found again quickly; Odoo cannot make it unique without a module
    if need.type == "choice":
        values["selection_ids"] = [
            [0, 0, {"value": o, "name": o, "sequence": n}] for n, o in enumerate(need.options, 1)
        ]
    made = admin.call("ir.model.fields", "create", safe=False, vals_list=[values])
    if need.name in CHINESE and admin.cached("chinese", lambda: admin.ids("res.lang", _CHINESE_IN_USE)):
        label = {"field_description": CHINESE[need.name]}
        admin.call("ir.model.fields", "write", safe=True, ids=list(made), vals=label, context={"lang": "zh_CN"})
        choices = "ir.model.fields.selection"
        for row in admin.rows(choices, [["field_id", "in", list(made)]], ["value"]) if need.type == "choice" else ():
            if said := CHINESE_CHOICES.get(str(row["value"])):
                admin.call(choices, "write", safe=True, ids=[row["id"]], vals={"name": said}, context={"lang": "zh_CN"})
    return Finding("made", what)
