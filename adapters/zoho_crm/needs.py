"""Needs: the fields of ours, Zoho's types for them, what is wrong about one that is there, and how we speak of them."""

from __future__ import annotations

from adapters.zoho_crm.fields import Field
from connector.adapter import Finding, Need
from connector.text import Text

# Need's types → Zoho's, and what else passes for them in an organisation that made the field itself.
TYPES: dict[str, tuple[str, frozenset[str]]] = {
    "text": ("text", frozenset({"text", "textarea", "email", "phone", "website", "picklist"})),
    "money": ("currency", frozenset({"currency", "double"})),
    "number": ("double", frozenset({"double", "integer", "bigint", "percent", "currency"})),
    "boolean": ("boolean", frozenset({"boolean"})),
    "date": ("date", frozenset({"date", "datetime"})),
    "datetime": ("datetime", frozenset({"datetime"})),
    "choice": ("picklist", frozenset({"picklist", "text"})),
}


def misfit(need: Need, field: Field) -> list[Finding]:
    """What is not as needed about a field that is there."""
    found: list[Finding] = []
    if field.type not in TYPES[need.type][1]:
        found.append(
            Finding(
                "wrong",
                Text(
                    "{module}.{name} is of type {have}, not {want}.", "{module}.{name} 的类型是 {have}，应为 {want}。"
                ).fill(module=need.object, name=field.name, have=field.type, want=TYPES[need.type][0]),
                Text(
                    "Choose another field in the mapping, or rename this one and run `holdfast provision`.",
                    "请在映射中选择其他字段，或重命名该字段后运行 `holdfast provision`。",
                ),
            )
        )
    lacking = [o for o in need.options if o not in field.options] if field.type == "picklist" else []
    if lacking:
        found.append(
            Finding(
                "todo",
                Text("{module}.{name} lacks the values {values}.", "{module}.{name} 缺少选项 {values}。").fill(
                    module=need.object, name=field.name, values=", ".join(lacking)
                ),
                Text("Add them to the pick list in Setup.", "请在设置中把它们加入下拉列表。"),
            )
        )
    if need.unique and not field.unique:
        found.append(
            Finding(
                "wrong",
                Text("{module}.{name} is not unique.", "{module}.{name} 不是唯一字段。").fill(
                    module=need.object, name=field.name
                ),
                Text("Mark it “do not allow duplicate values” in Setup.", "请在设置中勾选“不允许重复值”。"),
            )
        )
    return found


def no_module(module: str) -> Finding:
    return Finding(
        "todo",
        Text("This organisation has no module {module}.", "该组织没有 {module} 模块。").fill(module=module),
        Text(
            "Switch it on in Setup > Modules and Fields, use an edition that has it, or take its tables out of the mapping.",
            "请在“设置 > 模块和字段”中启用，使用包含该模块的版本，或从映射中删除相应的表。",
        ),
    )


def scope_needed(scope: str) -> Text:
    return Text(
        "Give the refresh token the scope {scope}, and its user's profile the right.",
        "请为 refresh token 授予 {scope} 权限范围，并为其用户的配置文件授权。",
    ).fill(scope=scope)


def _about(need: Need) -> dict[str, object]:
    return {"module": need.object, "label": need.label, "type": TYPES[need.type][0]}


def would(need: Need) -> Text:
    return Text("Field “{label}” ({type}) in {module}.", "{module} 的字段“{label}”（{type}）。").fill(**_about(need))


def missing(need: Need) -> Text:
    return Text("{module} has no field “{label}” ({type}).", "{module} 没有字段“{label}”（{type}）。").fill(
        **_about(need)
    )


def there(need: Need, field: Field) -> Text:
    return Text("{module}.{name} is there.", "{module}.{name} 已存在。").fill(module=need.object, name=field.name)


def made(need: Need, field: Field) -> Text:
    return Text("{module}.{name} made (“{label}”).", "已创建 {module}.{name}（“{label}”）。").fill(
        module=need.object, name=field.name, label=field.label
    )
