"""Setting up: proves rights and fields, and tells an administrator exactly what to create.

The API documents no call that creates a field or an object, so nothing is ever made here: `provision` is a checklist,
compared with `describe` each time it is asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from adapters.fxiaoke.client import Client
from adapters.fxiaoke.fields import LABEL, Described, Field, describe, object_named
from adapters.fxiaoke.read import query
from adapters.fxiaoke.settings import TASK_OBJECT
from adapters.fxiaoke.write import push_rows
from connector.adapter import Finding, Need, nearest
from connector.errors import HoldfastError
from connector.text import Text, same

# What a need's type is called in the console, and the field types of `describe` that hold it.
_TYPES: dict[str, tuple[Text, tuple[str, ...]]] = {
    "text": (Text("single-line text", "单行文本"), ("text", "long_text")),
    "money": (Text("amount, 2 decimals", "金额，2 位小数"), ("currency", "number")),
    "number": (Text("number", "数字"), ("number", "currency", "percentile")),
    "boolean": (Text("boolean", "布尔值"), ("true_or_false", "select_one")),
    "date": (Text("date", "日期"), ("date", "date_time")),
    "datetime": (Text("date and time", "日期时间"), ("date_time",)),
    "choice": (Text("single choice", "单选"), ("select_one",)),
}
_LONG = Text("multi-line text", "多行文本")
# Fields by which accounts are matched to the ERP's customers; reading works without them, matching is better with them.
_ADVISED = {"AccountObj": ("ERP客户编号", "统一社会信用代码")}
_LOOKUP = "客户"

_READ = ("AccountObj", "SalesOrderObj", "PersonnelObj")
_READ_AS_ERP = ("PaymentObj", "OrderPaymentObj", "PaymentPlanObj")


def check(client: Client, needs: Sequence[Need]) -> list[Finding]:
    """Signs in, reads one record of each object, and looks for every field the mapping writes."""
    try:
        tenant = client.tenant()
    except HoldfastError as wrong:
        return [Finding("wrong", wrong.user)]
    findings = [
        Finding(
            "fine",
            Text("Signed in to tenant {tenant} as employee {user}.", "已登录企业 {tenant}，代操作员工 {user}。").fill(
                tenant=tenant, user=client.settings.acting_user
            ),
        )
    ]
    for name in (*_READ, *(_READ_AS_ERP if "erp" in client.connection.roles else ())):
        findings.append(_readable(client, name))
    findings += [*_midnights(client), *_fields(client, needs)]
    if client.settings.bulk_function:
        findings.append(_function(client))
    return findings


def provision(client: Client, needs: Sequence[Need], dry: bool) -> list[Finding]:
    """The checklist: what is there, and what an administrator must create. Nothing is created, dry run or not."""
    return list(_fields(client, needs))


def _readable(client: Client, name: str) -> Finding:
    try:
        described = describe(client, name, anew=True)
        rows = query(client, name, [], ["_id"], limit=1)
    except HoldfastError as wrong:
        return Finding("wrong", Text("{name}: {why}", "{name}：{why}").fill(name=name, why=wrong.user))
    if not rows and name == "PersonnelObj":
        return Finding(
            "todo",
            Text("No employee is visible to us.", "查询不到任何人员数据。"),
            Text(
                "Employees have rights of their own, even an administrator lacks them: share PersonnelObj with the acting "
                "employee (data sharing), or ask the vendor for the interface's query right.",
                "人员对象有独立的查询权限，管理员默认也没有：请在“数据共享”中将人员数据共享给代操作员工，或联系纷享客服开通“人员对象接口查询权限”。",
            ),
        )
    return Finding(
        "fine",
        Text("{label} ({name}) can be read.", "可以读取{label}（{name}）。").fill(label=described.label, name=name),
    )


def _midnights(client: Client) -> Iterator[Finding]:
    """Compares the time zone of the settings with the tenant's own orders, whose dates are midnights there."""
    try:
        rows = query(client, "SalesOrderObj", [], ["_id", "order_time"], limit=10, newest=True)
    except HoldfastError:
        return  # told above
    moments = [r["order_time"] for r in rows if isinstance(r.get("order_time"), int)]
    zone = client.settings.time_zone
    if moments and not any(dt.datetime.fromtimestamp(m / 1000, client.zone).time() == dt.time() for m in moments):
        yield Finding(
            "wrong",
            Text("Dates of orders are not midnights in {zone}.", "订单日期不是 {zone} 的零点。").fill(zone=zone),
            Text(
                "Set time_zone to the tenant's own zone, or dates will be a day off.",
                "请将 time_zone 设为企业所在时区，否则日期会相差一天。",
            ),
        )


def _function(client: Client) -> Finding:
    name = client.settings.bulk_function
    try:
        push_rows(client, "AccountObj", {})  # no rows: it only proves that the function is there and answers
    except HoldfastError as wrong:
        return Finding("wrong", Text("Function {name}: {why}", "函数 {name}：{why}").fill(name=name, why=wrong.user))
    return Finding("fine", Text("The APL function {name} answers.", "APL 函数 {name} 可用。").fill(name=name))


# --- fields ----------------------------------------------------------------------------------------------------------------
def _fields(client: Client, needs: Sequence[Need]) -> Iterator[Finding]:
    for name in dict.fromkeys([*(n.object for n in needs), *_ADVISED]):
        own = [n for n in needs if n.object == name]
        written = client.settings.task_object if name == TASK_OBJECT else name
        try:
            found = object_named(client, written, anew=True)
            if found is None:
                yield _object_missing(client, written)
                described = Described(written, written.removeprefix(LABEL), {})
            else:
                described = describe(client, found, anew=True)
            for need in own:
                yield _field(described, need)
        except HoldfastError as wrong:
            yield Finding("wrong", wrong.user)
            continue
        yield from _advised(described)
        if name == TASK_OBJECT:
            yield from _key(client, described)
            yield from _lookup(described)


def _object_missing(client: Client, written: str) -> Finding:
    label = written.removeprefix(LABEL)
    shown = list((client.objects or {}).values())
    return Finding(
        "todo",
        Text("There is no object “{label}”.", "缺少对象“{label}”。").fill(label=label),
        Text(
            "Console → Object management → New custom object: name “{label}”, main attribute = text. Then create its "
            "fields (below) and give the acting employee's role all rights on it. If it is there under another name "
            "({near}), set task_object.",
            "管理后台 → 对象管理 → 新建自定义对象：名称“{label}”，主属性选择“文本”。然后新建下列字段，并为代操作员工的角色授予该对象的全部权限。"
            "若已存在同类对象但名称不同（{near}），请设置 task_object。",
        ).fill(label=label, near=nearest(label, shown[:0] or [s for s in shown if s]) if shown else "-"),
    )


def _field(described: Described, need: Need) -> Finding:
    found = described.find(need.name)
    told = {"object": described.label, "label": need.label, "name": need.name}
    if found is not None:
        return _as_needed(described, need, found)
    same_label = described.labelled(need.label)
    if same_label:  # the mapping holds an api name that is not there, but a field with the label is
        return Finding(
            "todo",
            Text("{object}: “{name}” is not there.", "{object}：字段“{name}”不存在。").fill(**told),
            Text(
                "A field labelled “{label}” is there as {api}: write that name, or “label:{label}”, into the mapping.",
                "已有名为“{label}”的字段 {api}：请在映射中改写为该名称，或写作“label:{label}”。",
            ).fill(**told, api=same_label[0].name),
        )
    kind, _ = _TYPES[need.type]
    kind = _LONG if need.type == "text" and need.length > 100 else kind
    steps = Text(
        "Console → Object management → {object} → Fields → New: type “{kind}”, label “{label}”{options}{unique}, "
        "not required; write rights for the acting employee's role.{near}",
        "管理后台 → 对象管理 → {object} → 字段 → 新建：类型“{kind}”，名称“{label}”{options}{unique}，非必填；"
        "为代操作员工的角色开放该字段的编辑权限。{near}",
    )
    return Finding(
        "todo",
        Text("{object}: the field “{label}” is missing.", "{object}：缺少字段“{label}”。").fill(**told),
        steps.fill(
            **told,
            kind=kind,
            options=Text(f", options {', '.join(need.options)}", f"，选项 {'、'.join(need.options)}")
            if need.options
            else same(""),
            unique=Text(", no duplicates", "，不允许重复") if need.unique else same(""),
            near=_similar(described, need.label),
        ),
    )


def _similar(described: Described, label: str) -> Text:
    """Fields that look like it, where there are any."""
    own = [f for f in described.fields.values() if f.name.endswith("__c")]
    close = [f for f in own if label in f.label or f.label in label]
    near = ", ".join(f"{f.label} ({f.name})" for f in close[:3])
    return Text(" Similar: {near}.", "相近字段：{near}。").fill(near=near) if near else same("")


def _as_needed(described: Described, need: Need, found: Field) -> Finding:
    told = {"object": described.label, "label": found.label, "name": found.name, "type": found.type}
    if found.type not in _TYPES[need.type][1] and not (need.type == "text" and found.name in ("name", "owner")):
        return Finding(
            "wrong",
            Text(
                "{object}: “{label}” ({name}) is of type {type}, needed is {kind}.",
                "{object}：“{label}”（{name}）的类型为 {type}，需要的是{kind}。",
            ).fill(**told, kind=_TYPES[need.type][0]),
            Text(
                "Create a new field of the right type and put its api name into the mapping; a field's type cannot be changed.",
                "字段类型不可修改：请新建正确类型的字段，并在映射中填写其 api 名。",
            ),
        )
    shown = {word for option in found.options for word in option}
    missing = [o for o in need.options if o not in shown] if found.type == "select_one" else []
    if missing:
        return Finding(
            "wrong",
            Text("{object}: “{label}” ({name}) lacks options.", "{object}：“{label}”（{name}）缺少选项。").fill(**told),
            Text("Add the options {list}.", "请添加选项：{list}。").fill(
                list=Text(", ".join(missing), "、".join(missing))
            ),
        )
    return Finding("fine", Text("{object}: “{label}” is {name}.", "{object}：“{label}”对应 {name}。").fill(**told))


def _advised(described: Described) -> Iterator[Finding]:
    for label in _ADVISED.get(described.name, ()):
        if not described.labelled(label):
            yield Finding(
                "todo",
                Text("{object} has no field “{label}”.", "{object}没有字段“{label}”。").fill(
                    object=described.label, label=label
                ),
                Text(
                    "Advised, not required: a single-line text field with that label lets accounts be matched to ERP "
                    "customers for certain; without it they are matched by name.",
                    "建议（非必需）：新建同名单行文本字段，可将客户与 ERP 客户准确对应；否则只能按名称匹配。",
                ),
            )


def _key(client: Client, described: Described) -> Iterator[Finding]:
    """Our key must be there, and should be unique: the tenant then refuses a double even if two of us run at once."""
    name = client.settings.task_key_field
    found = described.find(name)
    if found is None:
        return  # the mapping writes it, and the checklist has said so
    if not found.unique:
        yield Finding(
            "todo",
            Text("{object}: “{label}” allows duplicates.", "{object}：“{label}”允许重复。").fill(
                object=described.label, label=found.label
            ),
            Text("Forbid duplicate values in the field's settings.", "请在字段设置中勾选“不允许重复”。"),
        )


def _lookup(described: Described) -> Iterator[Finding]:
    """A task belongs to an account: the shipped mapping writes it into a lookup, which no need can describe."""
    if not described.labelled(_LOOKUP):
        yield Finding(
            "todo",
            Text("{object}: the lookup “{label}” is missing.", "{object}：缺少查找关联字段“{label}”。").fill(
                object=described.label, label=_LOOKUP
            ),
            Text(
                "Console → Object management → {object} → Fields → New: type “lookup”, related object 客户 (AccountObj), label "
                "“{label}”. Or take the line out of the mapping.",
                "管理后台 → 对象管理 → {object} → 字段 → 新建：类型“查找关联”，关联对象“客户”（AccountObj），名称“{label}”。"
                "或在映射中删除该行。",
            ).fill(object=described.label, label=_LOOKUP),
        )
