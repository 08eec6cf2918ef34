"""Provisioning: makes the fields that are missing.

It lists first, creates only what is missing (at most five fields a call, Zoho's limit), never changes and never deletes.
Afterwards the fields are read again, because Zoho derives their API names itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.zoho_crm import locks
from adapters.zoho_crm.client import Refused, Zoho, contents, judge_rows
from adapters.zoho_crm.fields import MARK
from adapters.zoho_crm.needs import TYPES, made, misfit, no_module, there, would
from connector.adapter import Finding, Need
from connector.errors import RejectedError
from connector.text import Text, same

_FIELDS_A_CALL = 5
_LABEL_MOST = 25
_OPTIONS_MOST = 10
_TEXT_MOST = 255
_BY_HAND = Text("Create it in Setup > Modules and Fields.", "请在“设置 > 模块和字段”中手动创建。")


def provision(client: Zoho, needs: Sequence[Need], dry: bool) -> list[Finding]:
    """Makes the fields that are missing (with `dry`, says which), and lists what only a person can do."""
    findings: list[Finding] = []
    modules = {m.get("api_name") for m in client.get("/settings/modules").get("modules", [])}
    for module in dict.fromkeys(n.object for n in needs):
        own = [n for n in needs if n.object == module]
        if module not in modules:
            findings.append(no_module(module))
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
                findings.append(Finding("would" if dry else "wrong", would(need), None if dry else _BY_HAND))
            elif need in missing:
                findings.append(Finding("made", made(need, field)))
                findings += misfit(need, field)
            else:
                findings += misfit(need, field) or [Finding("fine", there(need, field))]
    if locks.MODULE in modules:
        findings += locks.provision(client, needs, dry)
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
        return {n.name: Finding("todo", would(n), wrong.user) for n in needs}
    body = contents(answer)
    results = body.get("fields") or body.get("data") or []
    if len(results) != len(needs):
        results = [results[0] if results else {}] * len(needs)
    refused: dict[str, Finding] = {}
    for need, result in zip(needs, results, strict=True):
        if result.get("status") != "success" and result.get("code") != "DUPLICATE_DATA":
            fix = same(f"Zoho: {result.get('code')} {result.get('message')} {result.get('details') or ''}".strip())
            refused[need.name] = Finding("todo", would(need), fix)
    return refused


def _field_json(need: Need) -> dict[str, Any]:
    """The body of one field. Its tooltip carries the mapping's name, by which the field is found whatever Zoho calls it."""
    kind = TYPES[need.type][0]
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
                "The flag alone stops nothing in Zoho: where orders are not locked, it needs a validation rule.",
                "在 Zoho 中，仅有标志不会拦截订单：未启用锁定时，需要为该标志配置验证规则。",
            ),
            Text(
                "Sales_Orders > Validation Rules: when Status is Approved or Delivered, refuse where Credit Hold is set.",
                "Sales_Orders > 验证规则：当 Status 为 Approved 或 Delivered 且 Credit Hold 已勾选时拒绝保存。",
            ),
        )


def _too_long(need: Need) -> Finding:
    return Finding(
        "wrong",
        Text("The label “{label}” has more than {most} characters.", "标签“{label}”超过 {most} 个字符。").fill(
            label=need.label, most=_LABEL_MOST
        ),
        Text("Choose a shorter label in the mapping.", "请在映射中使用更短的标签。"),
    )
