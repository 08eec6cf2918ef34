"""Settings of a Fxiaoke tenant: where it lives, who we act as, what its tasks and its currency are."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

TASK_OBJECT = "label:信用任务"
TASK_KEY = "label:信用任务键"


class Settings(BaseModel):
    """What an operator sets under `settings` of a system with `adapter = "fxiaoke"`."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(
        "https://open.fxiaoke.com",
        description="Address of the tenant's cloud: open.fxiaoke.com, open-hwcloud.fxiaoke.com, open-ale.fxiaoke.com, "
        "open-hws.fxiaoke.com, open-ksc.sharecrm.com, open-na.sharecrm.com, or a dedicated one. 所在云的接口地址。",
    )
    auth_style: Literal["header", "body"] = Field(
        "header",
        description="header: the current style (Bearer token, x-fs-ea); body: the legacy style (corpAccessToken in each body). "
        "header 为新版传参，body 为旧版传参。",
    )
    acting_user: str = Field(
        min_length=1,
        description="The employee we act as: the plain id (1000) with auth_style header, the FSUID_… with body. "
        "Usually a CRM administrator. 以哪位员工的身份调用：header 填员工 ID，body 填 openUserId。",
    )
    currency: str = Field(
        "CNY",
        pattern=r"^[A-Z]{3}$",
        description="Currency of amounts where the tenant does not use several currencies. 未启用多币种时的金额币种。",
    )
    time_zone: str = Field(
        "Asia/Shanghai",
        description="The tenant's time zone: its dates are midnights there, its daily quota starts anew there. `holdfast check` "
        "compares it with the orders. 企业所在时区：日期字段为该时区零点的毫秒值，每日配额也按该时区零点重置。",
    )
    page_size: int = Field(
        100,
        ge=1,
        le=100,
        description="Records a page; 100 is the vendor's most. Fewer help where queries of wide objects time out (50009). "
        "每页条数，上限 100；宽表查询超时（50009）时可调小。",
    )
    task_object: str = Field(
        TASK_OBJECT,
        description="Object whose records are our tasks: `label:` and its name, or its api name (object_x1Y2z__c, ScheduleObj). "
        "信用任务所用的对象。",
    )
    task_key_field: str = Field(
        TASK_KEY,
        description="Text field of that object which keeps our key, so that a task is never made twice. "
        "该对象上保存任务键的文本字段。",
    )
    bulk_function: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*__c$",
        description="Api name of the APL function of plugin/credit_push.apl, once an administrator has pasted it: credit fields "
        "are then written up to 100 records a call. 管理员粘贴 APL 函数后填写其 api 名，即可批量回写。",
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"“{name}” is no time zone; write a name like Asia/Shanghai. 没有这个时区，例如 Asia/Shanghai。"
            ) from None
        return name
