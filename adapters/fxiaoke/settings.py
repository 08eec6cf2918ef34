"""Settings of a Fxiaoke tenant: where it lives, who we act as, what its tasks and its currency are."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connector.errors import BadSetting
from connector.text import Text

TASK_OBJECT = "label:信用任务"
TASK_KEY = "label:信用任务键"


class Settings(BaseModel):
    """What an operator sets under `settings` of a system with `adapter = "fxiaoke"`."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(
        "https://open.fxiaoke.com",
        description="Address of the tenant's cloud: open.fxiaoke.com, open-hwcloud.fxiaoke.com, open-ale.fxiaoke.com, "
        "open-hws.fxiaoke.com, open-ksc.sharecrm.com, open-na.sharecrm.com, or a dedicated one.",
        json_schema_extra={
            "zh": "所在云的接口地址：open.fxiaoke.com、open-hwcloud.fxiaoke.com、open-ale.fxiaoke.com、open-hws.fxiaoke.com、open-ksc.sharecrm.com、open-na.sharecrm.com，或专属云地址。",
            "ask": True,
        },
    )
    auth_style: Literal["header", "body"] = Field(
        "header",
        description="header: the current style (Bearer token, x-fs-ea); body: the legacy style (corpAccessToken in each body).",
        json_schema_extra={
            "zh": "header 为新版传参（Bearer 令牌、x-fs-ea），body 为旧版传参（每次请求体带 corpAccessToken）。"
        },
    )
    acting_user: str = Field(
        min_length=1,
        description="The employee we act as: the plain id (1000) with auth_style header, the FSUID_… with body. "
        "Usually a CRM administrator.",
        json_schema_extra={
            "zh": "以哪位员工的身份调用，通常为 CRM 管理员：auth_style 为 header 时填员工 ID（如 1000），为 body 时填 openUserId（FSUID_…）。"
        },
    )
    currency: str = Field(
        "CNY",
        pattern=r"^[A-Z]{3}$",
        description="Currency of amounts where the tenant does not use several currencies.",
        json_schema_extra={"zh": "未启用多币种时的金额币种。"},
    )
    time_zone: str = Field(
        "Asia/Shanghai",
        description="The tenant's time zone: its dates are midnights there, its daily quota starts anew there. `holdfast check` "
        "compares it with the orders.",
        json_schema_extra={
            "zh": "企业所在时区：日期字段为该时区零点的毫秒值，每日配额也按该时区零点重置。`holdfast check` 会与订单核对。"
        },
    )
    page_size: int = Field(
        100,
        ge=1,
        le=100,
        description="Records a page; 100 is the vendor's most. Fewer help where queries of wide objects time out (50009).",
        json_schema_extra={"zh": "每页条数，上限 100；宽表查询超时（50009）时可调小。", "trial": 20},
    )
    task_object: str = Field(
        TASK_OBJECT,
        description="Object whose records are our tasks: `label:` and its name, or its api name (object_x1Y2z__c, ScheduleObj).",
        json_schema_extra={
            "zh": "信用任务所用的对象：`label:` 加对象名称，或其 api 名（object_x1Y2z__c、ScheduleObj）。"
        },
    )
    task_key_field: str = Field(
        TASK_KEY,
        description="Text field of that object which keeps our key, so that a task is never made twice.",
        json_schema_extra={"zh": "该对象上保存任务键的文本字段，确保任务不会重复创建。"},
    )
    bulk_function: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*__c$",
        description="Api name of the APL function of plugin/credit_push.apl, once an administrator has pasted it: credit fields "
        "are then written up to 100 records a call.",
        json_schema_extra={
            "zh": "管理员粘贴 plugin/credit_push.apl 后该 APL 函数的 api 名：此后信用字段每次调用最多回写 100 条。"
        },
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise BadSetting(
                Text(
                    "“{name}” is no time zone; write a name like Asia/Shanghai",
                    "没有时区“{name}”；请填写如 Asia/Shanghai 的名称",
                ).fill(name=name)
            ) from None
        return name


def pages(base_url: str) -> tuple[str, ...]:
    """The origins of the CRM's own pages: those of the public clouds; of a dedicated one, its own domain."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host.endswith((".fxiaoke.com", ".sharecrm.com")):
        return ("https://www.fxiaoke.com", "https://*.fxiaoke.com", "https://*.sharecrm.com")
    own = f"{parts.scheme}://{parts.netloc}"
    _, _, domain = host.partition(".")
    return (own, f"https://*.{domain}") if "." in domain and not host.replace(".", "").isdigit() else (own,)
