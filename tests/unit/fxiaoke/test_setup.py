"""Setting up: what an administrator reads when something is missing, and that nothing is ever made."""

from __future__ import annotations

from typing import Any

from adapters.fxiaoke import ADAPTER
from adapters.fxiaoke.sandbox import BULK_FUNCTION
from connector.adapter import Finding, Need


def _check(made: Any) -> list[Finding]:
    return list(ADAPTER.check(made.client, made.needs()))


def _provision(made: Any, needs: list[Need], dry: bool = False) -> list[Finding]:
    assert ADAPTER.provision is not None
    return list(ADAPTER.provision(made.client, needs, dry))


def test_a_tenant_that_is_ready_has_nothing_to_do(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    findings = _check(made)
    assert {f.state for f in findings} == {"fine"}
    said = [f.what.zh for f in findings]
    assert any("可以读取客户（AccountObj）" in s for s in said)
    assert f"客户：“信用额度”对应 {made.named('信用额度')}。" in said
    assert made.sandbox.writes() == []


def test_the_checklist_says_what_to_click_in_both_languages(tenant: Any) -> None:
    made = tenant(options={"fields": "missing"})
    findings = _provision(made, made.needs())
    todo = {f.what.zh: f for f in findings if f.state == "todo"}
    assert {f.state for f in findings} == {"todo"}
    limit = todo["客户：缺少字段“信用额度”。"]
    assert limit.fix is not None
    assert limit.fix.zh == (
        "管理后台 → 对象管理 → 客户 → 字段 → 新建：类型“金额，2 位小数”，名称“信用额度”，非必填；"
        "为代操作员工的角色开放该字段的编辑权限。"
    )
    assert limit.fix.en.startswith(
        "Console → Object management → 客户 → Fields → New: type “amount, 2 decimals”, label “信用额度”, not required"
    )
    level = todo["客户：缺少字段“信用预警等级”。"].fix
    assert level is not None
    assert "类型“单选”，名称“信用预警等级”，选项 绿、黄、橙、红，非必填" in level.zh
    reason = todo["客户：缺少字段“信用冻结原因”。"].fix
    assert reason is not None
    assert "多行文本" in reason.zh
    key = todo["信用任务：缺少字段“信用任务键”。"].fix
    assert key is not None
    assert "不允许重复" in key.zh
    assert "缺少对象“信用任务”。" in todo
    assert "信用任务：缺少查找关联字段“客户”。" in todo
    assert "销售订单：缺少字段“信用冻结”。" in todo


def test_nothing_is_made_dry_or_not(tenant: Any) -> None:
    made = tenant(options={"fields": "missing"})
    assert _provision(made, made.needs(), True) == _provision(made, made.needs(), False)
    assert made.sandbox.writes() == []


def test_after_the_administrator_has_made_a_field_it_is_found(tenant: Any) -> None:
    made = tenant(options={"fields": "missing"})
    _check(made)
    name = made.sandbox.add_field("AccountObj", "信用额度", "currency")
    said = [f.what.zh for f in _check(made)]
    assert f"客户：“信用额度”对应 {name}。" in said


def test_a_field_of_the_wrong_type_and_one_that_lacks_options(tenant: Any) -> None:
    made = tenant(options={"fields": "missing"})
    name = made.sandbox.add_field("AccountObj", "信用额度", "text")
    level = made.sandbox.add_field("AccountObj", "信用预警等级", "select_one", ("绿", "红"))
    wrong = [f for f in _check(made) if f.state == "wrong"]
    assert [f.what.zh for f in wrong] == [
        f"客户：“信用额度”（{name}）的类型为 text，需要的是金额，2 位小数。",
        f"客户：“信用预警等级”（{level}）缺少选项。",
    ]
    assert wrong[1].fix is not None
    assert wrong[1].fix.zh == "请添加选项：黄、橙。"
    assert wrong[1].fix.en == "Add the options 黄, 橙."


def test_an_api_name_that_is_not_there_is_answered_with_the_one_that_is(tenant: Any) -> None:
    made = tenant()
    (finding, *_) = _provision(made, [Need("AccountObj", "field_old__c", "信用额度", "money")])
    assert finding.fix is not None
    assert finding.fix.zh == (
        f"已有名为“信用额度”的字段 {made.named('信用额度')}：请在映射中改写为该名称，或写作“label:信用额度”。"
    )


def test_similar_fields_are_shown(tenant: Any) -> None:
    made = tenant(options={"fields": "missing"})
    name = made.sandbox.add_field("AccountObj", "信用额度(元)", "currency")
    (finding, *_) = _provision(made, [Need("AccountObj", "label:信用额度", "信用额度", "money")])
    assert finding.state == "todo"
    assert finding.fix is not None
    assert f"相近字段：信用额度(元) ({name})" in finding.fix.zh


def test_invisible_employees_are_told_with_the_way_out(tenant: Any) -> None:
    made = tenant()
    made.sandbox._admit = lambda request, body: None
    for row in made.sandbox.shelf.all("PersonnelObj"):
        made.sandbox.forget("PersonnelObj", row["_id"])
    (finding,) = [f for f in _check(made) if f.state == "todo"]
    assert finding.what.zh == "查询不到任何人员数据。"
    assert finding.fix is not None
    assert "人员对象接口查询权限" in finding.fix.zh


def test_a_key_that_allows_doubles_is_told(tenant: Any) -> None:
    made = tenant()
    of = made.sandbox.object_name("信用任务")
    told = made.sandbox.describe(of)
    told["fields"][made.named("信用任务键", of)]["is_unique"] = False
    made.sandbox.shelf.put("~describe", of, told)
    (finding,) = [f for f in _check(made) if f.state == "todo"]
    assert finding.what.zh == "信用任务：“信用任务键”允许重复。"


def test_matching_fields_are_advised_not_demanded(tenant: Any) -> None:
    made = tenant()
    told = made.sandbox.describe("AccountObj")
    del told["fields"][made.named("ERP客户编号")]
    made.sandbox.shelf.put("~describe", "AccountObj", told)
    (finding,) = [f for f in _check(made) if f.state != "fine"]
    assert finding.what.zh == "客户没有字段“ERP客户编号”。"
    assert finding.fix is not None
    assert finding.fix.zh.startswith("建议（非必需）")


def test_wrong_secrets_are_one_finding_not_a_crash(tenant: Any) -> None:
    made = tenant()
    made.client.connection.__dict__["secret"] = lambda name: "wrong-secret"
    (finding,) = _check(made)
    assert finding.state == "wrong"
    assert "拒绝登录" in finding.what.zh


def test_an_object_without_rights_is_told_and_the_others_are_still_checked(tenant: Any) -> None:
    made = tenant()
    made.sandbox.shelf.drop("~describe", "SalesOrderObj")
    findings = _check(made)
    assert sum(f.state == "wrong" and "SalesOrderObj" in f.what.zh for f in findings) >= 1
    assert any("可以读取客户" in f.what.zh for f in findings)


def test_the_function_is_proved_without_writing(tenant: Any) -> None:
    made = tenant(bulk_function=BULK_FUNCTION)
    assert f"APL 函数 {BULK_FUNCTION} 可用。" in [f.what.zh for f in _check(made)]
    assert made.sandbox.writes() == []
    other = tenant(bulk_function="func_nothing__c")
    (finding,) = [f for f in _check(other) if f.state == "wrong"]
    assert "函数不存在" in finding.what.zh


def test_a_time_zone_that_is_not_the_tenants_is_told(tenant: Any) -> None:
    made = tenant(time_zone="Europe/Berlin")
    (finding,) = [f for f in _check(made) if f.state != "fine"]
    assert finding.what.zh == "订单日期不是 Europe/Berlin 的零点。"
    assert finding.fix is not None
    assert "time_zone" in finding.fix.zh
