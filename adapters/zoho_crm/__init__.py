"""Zoho CRM (API v8): accounts, sales orders and users in; credit fields, hold flags and tasks out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.zoho_crm import locks, read, write
from adapters.zoho_crm.check import check, check_triggers
from adapters.zoho_crm.client import Zoho
from adapters.zoho_crm.hook import HOOK
from adapters.zoho_crm.hosts import DataCenter, pages
from adapters.zoho_crm.plugins import PLUGINS
from adapters.zoho_crm.provision import provision
from connector.adapter import Adapter, Block, Channel, Evidence, Secret, Stream
from connector.http import Limits
from connector.text import Text, same

Trigger = Literal["approval", "workflow", "blueprint", "pathfinder", "orchestration"]


class Settings(BaseModel):
    """Where the organisation lives and how it is read."""

    model_config = ConfigDict(extra="forbid")

    data_center: DataCenter = Field(
        "us",
        description="where the organisation lives: us, eu, in, au, jp, cn, sa, ca",
        json_schema_extra={"zh": "组织所在的数据中心：us、eu、in、au、jp、cn、sa、ca", "ask": True},
    )
    base_url: str | None = Field(
        None,
        description="the API's address, where it is not the one of the token reply",
        json_schema_extra={"zh": "API 地址；缺省取令牌返回的地址"},
    )
    accounts_url: str | None = Field(
        None,
        description="where tokens are issued, where it is not the data centre's",
        json_schema_extra={"zh": "签发令牌的地址；缺省取数据中心的地址"},
    )
    version: Literal["v8"] = Field("v8", description="version of the API", json_schema_extra={"zh": "API 版本"})
    bulk_first: bool = Field(
        True,
        description="read everything in bulk the first time, where that is permitted",
        json_schema_extra={"zh": "首次读取时，若有权限则批量读取全部数据", "trial": False},
    )
    page_size: int = Field(
        2000,
        ge=1,
        le=2000,
        description="records a page; a query of up to 200 costs one credit of Zoho's",
        json_schema_extra={"zh": "每页记录数；不超过 200 条的查询消耗 Zoho 一个额度", "trial": 20},
    )
    hold_triggers: list[Trigger] = Field(
        [],
        description="what a change of a hold flag sets off in Zoho, such as workflow or approval; nothing by default",
        json_schema_extra={"zh": "修改冻结标志时在 Zoho 中触发的动作，例如 workflow 或 approval；缺省不触发"},
    )


ADAPTER: Adapter[Zoho] = Adapter(
    name="zoho_crm",
    title=same("Zoho CRM"),
    roles=("crm",),
    settings=Settings,
    secrets=(
        Secret("client_id", Text("client id of the self client", "Self Client 的客户端 ID")),
        Secret("client_secret", Text("its client secret", "其客户端密钥")),
        Secret("refresh_token", Text("its refresh token", "其刷新令牌（refresh token）")),
    ),
    streams=(
        Stream("users", Text("users", "用户"), read.users, ("person",), incremental=False),
        Stream(
            "accounts",
            Text("accounts", "客户"),
            read.accounts,
            ("customer",),
            incremental=True,
            keys=read.account_ids,
            sweep="nightly",
        ),
        Stream(
            "sales_orders",
            Text("sales orders", "销售订单"),
            read.sales_orders,
            ("order",),
            incremental=True,
            keys=read.sales_order_ids,
            sweep="nightly",
        ),
    ),
    channels=(
        Channel(
            "customer_fields",
            "Accounts",
            write.customer_fields,
            write.ROWS_MOST,
            current=write.account_values,
            changes=write.account_changes,
        ),
        Channel(
            "hold",
            "Accounts",
            write.hold,
            write.ROWS_MOST,
            current=write.account_values,
            changes=write.account_changes,
        ),
        Channel(
            "order_fields",
            "Sales_Orders",
            write.order_fields,
            write.ROWS_MOST,
            current=write.sales_order_values,
            changes=write.sales_order_changes,
        ),
        Channel("task", "Tasks", write.tasks, write.ROWS_MOST, find=write.find_tasks),
        Channel("close_task", "Tasks", write.close_tasks, write.ROWS_MOST),
    ),
    blocks=(
        Block(
            "lock",
            "record_lock",
            Text("record lock on the sales order", "锁定销售订单记录"),
            "order",
            ("confirm", "change"),
            "order_fields",
            Text(
                "the lock's reason, and the fields Credit Hold and Credit Hold Reason",
                "锁定原因，以及信用冻结与原因字段",
            ),
            Text("a record locking configuration of the module Sales Orders", "“销售订单”模块的记录锁定配置"),
            field=locks.FIELD,
            stands=locks.stands,
        ),
        Block(
            "approval",
            "order_approval",
            Text("an approval process or blueprint that the flag sets off", "由标志触发的审批流程或蓝图"),
            "order",
            ("confirm",),
            "order_fields",
            Text("the approval in Zoho, and the order's fields", "Zoho 中的审批，以及订单字段"),
            Text(
                "the process itself, by an administrator; `hold_triggers` names it",
                "由管理员建立流程，并在 `hold_triggers` 中指定",
            ),
            stands=check_triggers,
        ),
        Block(
            "flag",
            "order_flag",
            Text("flag on the sales order", "销售订单上的标志"),
            "order",
            (),
            "order_fields",
            Text("the fields Credit Hold and Credit Hold Reason", "信用冻结与原因字段"),
        ),
        Block(
            "flag",
            "account_flag",
            Text("flag on the account", "客户上的标志"),
            "customer",
            (),
            "hold",
            Text("the fields Credit Hold and Credit Hold Reason", "信用冻结与原因字段"),
        ),
    ),
    open=Zoho,
    check=check,
    provision=provision,
    limits=Limits(in_flight=5),
    lanes=3,
    hook=HOOK,
    framed_by=lambda settings: pages(settings.data_center),
    plugins=PLUGINS,
    demo_settings={"base_url": "{url}", "accounts_url": "{url}"},
    evidence=(
        Evidence(
            "official-client",
            Text(
                "Zoho's Python SDK zohocrmsdk8-0 7.0.0 works against our sandbox over a socket; requests and answers "
                "validate against Zoho's OpenAPI files (v8) with the listed exceptions.",
                "Zoho 官方 Python SDK zohocrmsdk8-0 7.0.0 可通过套接字对接我们的沙箱；请求和应答均通过 Zoho OpenAPI 文件（v8）校验，例外已列明。",
            ),
        ),
        Evidence(
            "documented",
            Text(
                "Built from Zoho's documents; not run against a real organisation.",
                "依据 Zoho 官方文档实现；尚未对接真实组织运行。",
            ),
        ),
    ),
)
