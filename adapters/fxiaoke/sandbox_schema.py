"""The sandbox's objects as `describe` tells them: the vendor's own fields, and those an administrator made for us.

Names of the vendor's fields are those seen in its pages and in published integrations; a real tenant has many more.
"""

from __future__ import annotations

import hashlib
from typing import Any

# (api name, label, type) of the vendor's fields; "!" after the label: required.
_SYSTEM = (
    ("owner", "负责人", "employee"),
    ("created_by", "创建人", "employee"),
    ("last_modified_by", "最后修改人", "employee"),
    ("create_time", "创建时间", "date_time"),
    ("last_modified_time", "最后修改时间", "date_time"),
    ("life_status", "生命状态", "select_one"),
    ("lock_status", "锁定状态", "select_one"),
    ("is_deleted", "是否删除", "true_or_false"),
    ("record_type", "业务类型", "record_type"),
    ("version", "版本", "number"),
)
_OPTIONS = {
    "life_status": [
        ("未生效", "ineffective"), ("审核中", "under_review"), ("正常", "normal"), ("变更中", "in_change"), ("作废", "invalid"),
    ],
    "lock_status": [("未锁定", "0"), ("锁定", "1")],
    "status": [("启用", "0"), ("停用", "1")],
}  # fmt: skip
OBJECTS: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "AccountObj": (
        "客户",
        (
            ("name", "客户名称!", "text"), ("account_no", "客户编号", "auto_number"), ("account_level", "客户级别", "select_one"),
            ("tel", "电话", "phone_number"), ("email", "邮件", "email"), ("remark", "备注", "long_text"),
        ),
    ),
    "SalesOrderObj": (
        "销售订单",
        (
            ("name", "销售订单编号", "auto_number"), ("account_id", "客户名称!", "object_reference"), ("order_time", "下单日期", "date"),
            ("delivery_date", "交货日期", "date"), ("order_amount", "销售订单金额(元)", "currency"),
            ("product_amount", "产品合计", "currency"), ("delivered_amount_sum", "已发货金额", "currency"),
            ("invoice_amount", "已开票金额(元)", "currency"), ("payment_amount", "已回款金额(元)", "currency"),
            ("receivable_amount", "待回款金额(元)", "currency"), ("mc_currency", "币种", "text"), ("remark", "备注", "long_text"),
        ),
    ),
    "SalesOrderProductObj": (
        "订单产品",
        (
            ("name", "订单产品编号", "auto_number"), ("order_id", "销售订单编号!", "master_detail"), ("quantity", "数量", "number"),
            ("sales_price", "销售单价", "currency"), ("subtotal", "小计", "currency"), ("delivered_count", "已发货数", "number"),
        ),
    ),
    "PersonnelObj": (
        "人员",
        (
            ("name", "昵称!", "text"), ("full_name", "姓名", "text"), ("user_id", "员工ID", "text"), ("phone", "手机", "phone_number"),
            ("email", "邮箱", "email"), ("status", "状态", "select_one"),
        ),
    ),
    "PaymentObj": (
        "回款",
        (
            ("name", "回款编号", "auto_number"), ("account_id", "客户名称!", "object_reference"),
            ("payment_amount", "本次回款总金额(元)", "currency"), ("payment_time", "回款日期", "date"), ("remark", "备注", "long_text"),
            ("mc_currency", "币种", "text"),
        ),
    ),
    "OrderPaymentObj": (
        "回款明细",
        (
            ("name", "回款明细编号", "auto_number"), ("payment_id", "回款编号!", "master_detail"),
            ("order_id", "销售订单编号", "object_reference"), ("payment_amount", "本次回款金额(元)", "currency"),
        ),
    ),
    "PaymentPlanObj": (
        "回款计划",
        (
            ("name", "回款计划编号", "auto_number"), ("account_id", "客户名称", "object_reference"),
            ("order_id", "销售订单编号!", "object_reference"), ("plan_payment_amount", "计划回款金额(元)", "currency"),
            ("plan_payment_time", "计划回款日期", "date"), ("actual_payment_amount", "实际回款金额(元)", "currency"),
        ),
    ),
    "ScheduleObj": ("日程", (("name", "主题!", "text"), ("remark", "备注", "long_text"))),
}  # fmt: skip

# What the administrator of the sandbox's tenant has made by our checklist: (object, label, type, options).
TASK_LABEL = "信用任务"
LEVELS = ("绿", "黄", "橙", "红")
CREDIT_FIELDS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("AccountObj", "信用额度", "currency", ()),
    ("AccountObj", "信用占用", "currency", ()),
    ("AccountObj", "可用额度", "currency", ()),
    ("AccountObj", "额度使用率(%)", "number", ()),
    ("AccountObj", "应收余额", "currency", ()),
    ("AccountObj", "逾期金额", "currency", ()),
    ("AccountObj", "逾期天数段", "text", ()),
    ("AccountObj", "信用预警等级", "select_one", LEVELS),
    ("AccountObj", "信用冻结", "true_or_false", ()),
    ("AccountObj", "信用冻结原因", "long_text", ()),
    ("AccountObj", "信用数据日期", "date", ()),
    ("SalesOrderObj", "信用冻结", "true_or_false", ()),
    ("SalesOrderObj", "信用冻结原因", "long_text", ()),
)
# … and the two by which accounts are matched.
MATCHING: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("AccountObj", "ERP客户编号", "text", ()),
    ("AccountObj", "统一社会信用代码", "text", ()),
)
TASK_FIELDS: tuple[tuple[str, str], ...] = (
    ("信用任务键", "text"),
    ("任务内容", "long_text"),
    ("截止日期", "date"),
    ("优先级", "select_one"),
    ("客户", "object_reference"),
    ("已办结", "true_or_false"),
)
PRIORITIES = ("高", "普通")


def generated(*parts: str) -> str:
    """A name as the platform makes them up: `field_a1B2c__c`, another for each tenant, the same for the same parts."""
    letters = hashlib.sha256("/".join(parts).encode()).hexdigest()
    return "field_" + "".join(c.upper() if i % 2 else c for i, c in enumerate(letters[:5])) + "__c"


def field(name: str, label: str, type_: str, options: tuple[str, ...] = (), unique: bool = False) -> dict[str, Any]:
    """One field of a describe."""
    made: dict[str, Any] = {
        "api_name": name,
        "label": label.removesuffix("!"),
        "type": type_,
        "is_required": label.endswith("!"),
        "is_unique": unique,
        "is_active": True,
        "define_type": "custom" if name.endswith("__c") else "package",
    }
    if type_ in ("currency", "number"):
        made["decimal_places"] = 2
    if type_ in ("text", "long_text"):
        made["max_length"] = 100 if type_ == "text" else 2000
    if name in _OPTIONS:
        made["options"] = [{"label": shown, "value": value} for shown, value in _OPTIONS[name]]
    elif options:
        # Values of an administrator's choices are generated too: a label is never the value.
        made["options"] = [{"label": o, "value": generated(name, o)[6:11]} for o in options]
    elif type_ == "select_one":
        made["options"] = []
    return made


def describe_of(name: str) -> dict[str, Any]:
    """The describe of a vendor's object, without fields of ours."""
    label, own = OBJECTS[name]
    return {
        "api_name": name,
        "display_name": label,
        "define_type": "package",
        "fields": {n: field(n, shown, kind) for n, shown, kind in (*own, *_SYSTEM)},
    }


def custom_object(name: str, label: str) -> dict[str, Any]:
    """The describe of a custom object with nothing but its main attribute."""
    return {
        "api_name": name,
        "display_name": label,
        "define_type": "custom",
        "fields": {n: field(n, shown, kind) for n, shown, kind in (("name", "主属性!", "text"), *_SYSTEM)},
    }
