"""A check: signs in, reads one record of each kind, looks for our fields, and says what is missing and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from adapters.zoho_crm.client import Zoho
from adapters.zoho_crm.needs import misfit, missing, no_module, scope_needed, there
from connector.adapter import Finding, Need
from connector.errors import ConfigError, RejectedError
from connector.text import Text, same

_ONE = "select id from {module} where Modified_Time >= '2000-01-01T00:00:00+00:00' limit 0, 1"
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
_REGISTER = Text(
    "Make a self client at Zoho's API console and take client_id, client_secret and a refresh token from there.",
    "请在 Zoho API 控制台创建 Self Client，并从中获取 client_id、client_secret 和 refresh token。",
)


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
            findings.append(no_module(module))
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


def check_triggers(client: Zoho) -> Finding:
    """Whether a change of the hold flag sets off an approval or a blueprint, as the settings say."""
    what = Text("Approval of held orders", "被冻结订单的审批")
    if {"approval", "blueprint"} & set(client.settings.hold_triggers):
        return Finding("fine", what)
    return Finding(
        "todo",
        what,
        Text(
            "No process is named: set `hold_triggers` to [“approval”] or [“blueprint”] once there is one.",
            "未指定流程：建立后请将 `hold_triggers` 设为 [“approval”] 或 [“blueprint”]。",
        ),
    )


def _try(what: str, call: Callable[[], object]) -> Finding:
    title, scope = _TRIED[what]
    try:
        call()
    except (ConfigError, RejectedError) as wrong:
        return Finding(
            "wrong",
            Text("Cannot read {what}: {why}", "无法读取{what}：{why}").fill(what=title, why=wrong.user),
            scope_needed(scope),
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
            scope_needed(_BULK_SCOPE),
        )
    return Finding("fine", Text("May read in bulk.", "可以批量读取。"))


def _fields(client: Zoho, module: str, needs: Sequence[Need]) -> Iterable[Finding]:
    try:
        have = client.fields(module, fresh=True)
    except ConfigError as wrong:
        yield Finding("wrong", wrong.user, scope_needed("ZohoCRM.settings.fields.READ"))
        return
    for need in needs:
        field = have.find(need.name, need.label)
        if field is None:
            yield Finding(
                "todo",
                missing(need),
                Text(
                    "Run `holdfast provision`, or create it in Setup > Modules and Fields.",
                    "请运行 `holdfast provision`，或在“设置 > 模块和字段”中手动创建。",
                ),
            )
        else:
            yield from misfit(need, field) or [Finding("fine", there(need, field))]
