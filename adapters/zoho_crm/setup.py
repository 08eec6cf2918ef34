"""Setting up: what a check proves of an organisation, and the fields that provisioning makes in it.

Provisioning lists first, creates only what is missing (at most five fields a call, Zoho's limit), never changes and
never deletes. Afterwards the fields are read again, because Zoho derives their API names itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from adapters.zoho_crm.client import Refused, Zoho, contents, judge_rows
from adapters.zoho_crm.fields import MARK, Field
from connector.adapter import Finding, Need
from connector.errors import ConfigError, RejectedError
from connector.text import Text, same

_FIELDS_A_CALL = 5
_LABEL_MOST = 25
_OPTIONS_MOST = 10
_ONE = "select id from {module} where Modified_Time >= '2000-01-01T00:00:00+00:00' limit 0, 1"
_TEXT_MOST = 255

# Need's types → Zoho's, and what else passes for them in an organisation that made the field itself.
_TYPES: dict[str, tuple[str, frozenset[str]]] = {
    "text": ("text", frozenset({"text", "textarea", "email", "phone", "website", "picklist"})),
    "money": ("currency", frozenset({"currency", "double"})),
    "number": ("double", frozenset({"double", "integer", "bigint", "percent", "currency"})),
    "boolean": ("boolean", frozenset({"boolean"})),
    "date": ("date", frozenset({"date", "datetime"})),
    "datetime": ("datetime", frozenset({"datetime"})),
    "choice": ("picklist", frozenset({"picklist", "text"})),
}
_MODULES = "ZohoCRM.modules.ALL, ZohoCRM.coql.READ"
# What a check tries: its name for people, and the scope it needs.
_TRIED: dict[str, tuple[Text, str]] = {
    "Accounts": (same("Accounts"), _MODULES),
    "Sales_Orders": (same("Sales_Orders"), _MODULES),
    "Tasks": (same("Tasks"), _MODULES),
    "users": (Text("users", "用户"), "ZohoCRM.users.READ"),
    "deleted": (Text("deleted records", "已删除的记录"), "ZohoCRM.modules.ALL"),
}
_BULK_SCOPE = "ZohoCRM.bulk.ALL, ZohoFiles.files.ALL"
_CREDITS_FEW = 1000


def check(client: Zoho, needs: Sequence[Need]) -> list[Finding]:
    """Signs in, reads one record of each kind, and looks for our fields. Problems are findings, not exceptions."""
    try:
        org = client.org
        modules = {m.get("api_name") for m in client.get("/settings/modules").get("modules", [])}
    except ConfigError as wrong:
        return [Finding("wrong", wrong.user, _REGISTER)]
    findings = [
        Finding(
            "fine",
            Text("Connected to {name} ({currency}, {zone}).", "已连接到 {name}（{currency}，{zone}）。").fill(
                name=org.get("company_name") or "?", currency=org.get("iso_code"), zone=org.get("time_zone")
            ),
        )
    ]
    for module in ("Accounts", "Sales_Orders", "Tasks"):
        if module not in modules:
            findings.append(_no_module(module))
            continue
        findings.append(_try(module, partial(client.query, _ONE.format(module=module))))
    findings.append(_try("users", lambda: client.get("/users", {"type": "ActiveUsers", "per_page": "1"})))
    findings.append(_try("deleted", lambda: client.get("/Accounts/deleted", {"type": "all", "per_page": "1"})))
    if client.settings.bulk_first:
        findings.append(_bulk(client))
    for module in dict.fromkeys(n.object for n in needs):
        if module in modules:
            findings += _fields(client, module, [n for n in needs if n.object == module])
    if client.credits_left is not None:
        findings.append(_credits(client.credits_left))
    return findings


def provision(client: Zoho, needs: Sequence[Need], dry: bool) -> list[Finding]:
    """Makes the fields that are missing (with `dry`, says which), and lists what only a person can do."""
    findings: list[Finding] = []
    modules = {m.get("api_name") for m in client.get("/settings/modules").get("modules", [])}
    for module in dict.fromkeys(n.object for n in needs):
        own = [n for n in needs if n.object == module]
        if module not in modules:
            findings.append(_no_module(module))
            continue
        have = client.fields(module, fresh=True)
        missing = [n for n in own if have.find(n.name, n.label) is None]
        refused = {n.name: _too_long(n) for n in missing if len(n.label) > _LABEL_MOST}
        if not dry:
            able = [n for n in missing if n.name not in refused]
            for start in range(0, len(able), _FIELDS_A_CALL):
                refused |= _create(client, module, able[start : start + _FIELDS_A_CALL])
            have = client.fields(module, fresh=True) if missing else have
        for need in own:
            field = have.find(need.name, need.label)
            if need.name in refused:
                findings.append(refused[need.name])
            elif field is None:
                findings.append(Finding("would" if dry else "wrong", _would(need), None if dry else _BY_HAND))
            elif need in missing:
                findings.append(Finding("made", _made(need, field)))
                findings += _misfit(need, field)
            else:
                findings += _misfit(need, field) or [Finding("fine", _there(need, field))]
    return findings + list(_checklist(modules & {n.object for n in needs}))


def _create(client: Zoho, module: str, needs: Sequence[Need]) -> dict[str, Finding]:
    """Creates up to five fields; gives a finding for each that Zoho refuses."""
    try:
        answer = client.http.call(
            "POST",
            client.path("/settings/fields"),
            # A second try makes no second field: Zoho refuses a label that is there.
            safe=True,
            params={"module": module},
            json={"fields": [_field_json(n) for n in needs]},
            judge=judge_rows,
        )
    except (Refused, RejectedError) as wrong:
        return {n.name: Finding("todo", _would(n), wrong.user) for n in needs}
    body = contents(answer)
    results = body.get("fields") or body.get("data") or []
    if len(results) != len(needs):
        results = [results[0] if results else {}] * len(needs)
    refused: dict[str, Finding] = {}
    for need, result in zip(needs, results, strict=True):
        if result.get("status") != "success" and result.get("code") != "DUPLICATE_DATA":
            fix = same(f"Zoho: {result.get('code')} {result.get('message')} {result.get('details') or ''}".strip())
            refused[need.name] = Finding("todo", _would(need), fix)
    return refused


def _field_json(need: Need) -> dict[str, Any]:
    """The body of one field. Its tooltip carries the mapping's name, by which the field is found whatever Zoho calls it."""
    kind = _TYPES[need.type][0]
    body: dict[str, Any] = {
        "field_label": need.label,
        "data_type": kind,
        "tooltip": {"name": "info_icon", "value": f"{MARK}{need.name}"},
    }
    if need.type == "text" and need.length > _TEXT_MOST:
        body |= {"data_type": "textarea", "textarea": {"type": "large" if need.length > 2000 else "small"}}
    elif need.type == "text":
        body["length"] = need.length
        if need.unique:
            body["unique"] = {"case_sensitive": False}
    elif need.type == "money":
        body |= {"length": 16, "decimal_place": 2, "currency": {"rounding_option": "normal", "precision": "2"}}
    elif need.type == "number":
        body |= {"length": 16, "decimal_place": 2}
    elif need.type == "choice":
        body["pick_list_values"] = [{"display_value": o, "actual_value": o} for o in need.options[:_OPTIONS_MOST]]
    return body


def _fields(client: Zoho, module: str, needs: Sequence[Need]) -> Iterable[Finding]:
    try:
        have = client.fields(module, fresh=True)
    except ConfigError as wrong:
        yield Finding("wrong", wrong.user, _scope("ZohoCRM.settings.fields.READ"))
        return
    for need in needs:
        field = have.find(need.name, need.label)
        if field is None:
            yield Finding(
                "todo",
                _missing(need),
                Text(
                    "Run `holdfast provision`, or create it in Setup > Modules and Fields.",
                    "请运行 `holdfast provision`，或在“设置 > 模块和字段”中手动创建。",
                ),
            )
        else:
            yield from _misfit(need, field) or [Finding("fine", _there(need, field))]


def _misfit(need: Need, field: Field) -> list[Finding]:
    """What is not as needed about a field that is there."""
    found: list[Finding] = []
    if field.type not in _TYPES[need.type][1]:
        found.append(
            Finding(
                "wrong",
                Text(
                    "{module}.{name} is of type {have}, not {want}.", "{module}.{name} 的类型是 {have}，应为 {want}。"
                ).fill(module=need.object, name=field.name, have=field.type, want=_TYPES[need.type][0]),
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


def _try(what: str, call: Callable[[], object]) -> Finding:
    title, scope = _TRIED[what]
    try:
        call()
    except (ConfigError, RejectedError) as wrong:
        return Finding(
            "wrong",
            Text("Cannot read {what}: {why}", "无法读取{what}：{why}").fill(what=title, why=wrong.user),
            _scope(scope),
        )
    return Finding("fine", Text("May read {what}.", "可以读取{what}。").fill(what=title))


def _credits(left: int) -> Finding:
    what = Text("{left} of today's API credits are left.", "今日 API 积分还剩 {left}。").fill(left=left)
    if left >= _CREDITS_FEW:
        return Finding("fine", what)
    return Finding(
        "todo",
        what,
        Text(
            "Run less often (`schedule.every_minutes`), or add credits in Zoho.",
            "请降低运行频率（`schedule.every_minutes`），或在 Zoho 中增购积分。",
        ),
    )


def _bulk(client: Zoho) -> Finding:
    """Asks for a job that cannot exist: “not found” proves the right without starting anything."""
    try:
        client.http.call("GET", client.bulk_path("/read/0"), safe=True)
    except RejectedError:
        pass
    except ConfigError as wrong:
        return Finding(
            "todo",
            Text(
                "Bulk read is not permitted ({why}); the first pull reads page by page instead.",
                "没有批量读取权限（{why}）；首次拉取将改为逐页读取。",
            ).fill(why=wrong.user),
            _scope(_BULK_SCOPE),
        )
    return Finding("fine", Text("May read in bulk.", "可以批量读取。"))


def _checklist(modules: set[Any]) -> Iterable[Finding]:
    """What Zoho's API cannot do for us."""
    if modules:
        yield Finding(
            "todo",
            Text(
                "Fields made by the API may not be on every page layout.", "通过 API 创建的字段可能不在所有页面布局上。"
            ),
            Text(
                "Setup > Modules and Fields > {modules} > Layouts: drag the credit fields to where people look.",
                "设置 > 模块和字段 > {modules} > 布局：把信用字段拖到用户常看的位置。",
            ).fill(modules=", ".join(sorted(modules))),
        )
    if "Sales_Orders" in modules:
        yield Finding(
            "todo",
            Text(
                "Zoho does not stop a held order by itself: the flag needs a validation rule.",
                "Zoho 不会自行拦截被冻结的订单：需要为该标志配置验证规则。",
            ),
            Text(
                "Sales_Orders > Validation Rules: when Status is Approved or Delivered, refuse where Credit Hold is set.",
                "Sales_Orders > 验证规则：当 Status 为 Approved 或 Delivered 且 Credit Hold 已勾选时拒绝保存。",
            ),
        )


def _no_module(module: str) -> Finding:
    return Finding(
        "todo",
        Text("This organisation has no module {module}.", "该组织没有 {module} 模块。").fill(module=module),
        Text(
            "Switch it on in Setup > Modules and Fields, use an edition that has it, or take its tables out of the mapping.",
            "请在“设置 > 模块和字段”中启用，使用包含该模块的版本，或从映射中删除相应的表。",
        ),
    )


def _scope(scope: str) -> Text:
    return Text(
        "Give the refresh token the scope {scope}, and its user's profile the right.",
        "请为 refresh token 授予 {scope} 权限范围，并为其用户的配置文件授权。",
    ).fill(scope=scope)


def _too_long(need: Need) -> Finding:
    return Finding(
        "wrong",
        Text("The label “{label}” has more than {most} characters.", "标签“{label}”超过 {most} 个字符。").fill(
            label=need.label, most=_LABEL_MOST
        ),
        Text("Choose a shorter label in the mapping.", "请在映射中使用更短的标签。"),
    )


def _about(need: Need) -> dict[str, object]:
    return {"module": need.object, "label": need.label, "type": _TYPES[need.type][0]}


def _would(need: Need) -> Text:
    return Text("Field “{label}” ({type}) in {module}.", "{module} 的字段“{label}”（{type}）。").fill(**_about(need))


def _missing(need: Need) -> Text:
    return Text("{module} has no field “{label}” ({type}).", "{module} 没有字段“{label}”（{type}）。").fill(
        **_about(need)
    )


def _there(need: Need, field: Field) -> Text:
    return Text("{module}.{name} is there.", "{module}.{name} 已存在。").fill(module=need.object, name=field.name)


def _made(need: Need, field: Field) -> Text:
    return Text("{module}.{name} made (“{label}”).", "已创建 {module}.{name}（“{label}”）。").fill(
        module=need.object, name=field.name, label=field.label
    )


_BY_HAND = Text("Create it in Setup > Modules and Fields.", "请在“设置 > 模块和字段”中手动创建。")
_REGISTER = Text(
    "Make a self client at Zoho's API console and take client_id, client_secret and a refresh token from there.",
    "请在 Zoho API 控制台创建 Self Client，并从中获取 client_id、client_secret 和 refresh token。",
)
