"""Odoo as ERP and as CRM: receivables from journal items, credit fields, to-dos and a guard against held orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from adapters.odoo import guard, ledger, orders, partners, push, rehearsal, setup
from adapters.odoo.client import Client
from adapters.odoo.hook import HOOK
from adapters.odoo.plugins import PLUGINS
from connector.adapter import ActionKind, Adapter, Block, Channel, Evidence, Rehearsal, Secret, Stream
from connector.http import Limits
from connector.text import Text

_Name = Annotated[str, Field(pattern=r"^(x_[a-z0-9_]{1,60})?$")]


class Settings(BaseModel):
    """The `settings` table of an Odoo system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        description="Address of the Odoo server, https://company.odoo.com.",
        json_schema_extra={"zh": "Odoo 服务器地址，例如 https://company.odoo.com。"},
    )
    database: str = Field(
        "",
        description="Name of the database; may be empty where the address serves only one.",
        json_schema_extra={"zh": "数据库名称；若该地址只有一个数据库，可留空。", "ask": True},
    )
    company: str = Field(
        "",
        description="Name or id of the company whose books count; empty: the bot's own.",
        json_schema_extra={"zh": "以哪家公司的账簿为准（名称或 ID）；留空则为机器人用户所属公司。"},
    )
    transport: Literal["auto", "json2", "jsonrpc"] = Field(
        "auto",
        description="JSON-2 from Odoo 19 on, /jsonrpc before; auto asks the server.",
        json_schema_extra={"zh": "Odoo 19 起用 JSON-2，此前用 /jsonrpc；auto 自动判断。"},
    )
    login: str = Field(
        "",
        description="The bot's user name; needed for /jsonrpc (16 to 18) only.",
        json_schema_extra={"zh": "机器人用户名；仅 /jsonrpc（16 至 18）需要。"},
    )
    accounts: tuple[str, ...] = Field(
        (),
        description="Codes of the receivable accounts that count; empty: all that are trade receivables.",
        json_schema_extra={"zh": "计入的应收科目代码；留空则为全部贸易应收科目。"},
    )
    blocked_is_disputed: bool = Field(
        True,
        description="An invoice whose payment is blocked counts as disputed with all its amount.",
        json_schema_extra={"zh": "付款被暂停的发票按全额计为争议。"},
    )
    payments_in_process: bool = Field(
        True,
        description="Customer payments that are sent but not booked yet count as unapplied cash.",
        json_schema_extra={"zh": "已发出但尚未入账的客户付款计为未核销收款。"},
    )
    customer_domain: tuple[Any, ...] = Field(
        (),
        description='Further condition on customers in Odoo\'s own words, for example [["category_id", "in", [7]]].',
        json_schema_extra={"zh": '对客户的附加条件，用 Odoo 自身的写法，例如 [["category_id", "in", [7]]]。'},
    )
    customer_no_field: str = Field(
        "ref",
        description="The field of a contact that holds the customer's number (as CRM: that of the ERP); empty: none.",
        json_schema_extra={"zh": "联系人上保存客户编号的字段（用作 CRM 时为 ERP 的客户编号）；留空表示没有。"},
    )
    hold_field: _Name = Field(
        "x_credit_hold",
        description="Hold flag on contacts, which the guard looks at.",
        json_schema_extra={"zh": "联系人上的信用冻结标志，拦截规则以此为准。"},
    )
    hold_reason_field: _Name = Field(
        "x_credit_hold_reason",
        description="Its reason, shown when the guard refuses.",
        json_schema_extra={"zh": "冻结原因，拦截规则拒绝时显示。"},
    )
    order_hold_field: _Name = Field(
        "x_credit_hold",
        description="Hold flag on a sales order itself; empty: none.",
        json_schema_extra={"zh": "销售订单自身的冻结标志；留空表示不用。"},
    )
    order_hold_reason_field: _Name = Field(
        "x_credit_hold_reason", description="The reason of that one.", json_schema_extra={"zh": "该订单的冻结原因。"}
    )
    order_release_field: _Name = Field(
        "x_credit_released",
        description="Mark on a sales order that goes on although its customer is on hold; empty: none.",
        json_schema_extra={"zh": "销售订单上的放行标志：客户被冻结时该订单仍可继续；留空表示不用。"},
    )
    guard: bool = Field(
        True,
        description="Provision and check the rule that refuses to confirm held orders.",
        json_schema_extra={"zh": "创建并检查拒绝确认被冻结订单的规则。"},
    )
    guard_changes: bool = Field(
        True,
        description="With the guard: a confirmed order that is held cannot be raised.",
        json_schema_extra={"zh": "启用拦截规则时：已确认但被冻结的订单不能增加金额。"},
    )
    guard_deliveries: bool = Field(
        True,
        description="With the guard, where the Inventory app is installed: goods of a held order cannot go out.",
        json_schema_extra={"zh": "启用拦截规则且已安装“库存”应用时：被冻结的订单不能出库发货。"},
    )
    protect_hold: bool = Field(
        True,
        description="With the guard: only the bot and administrators may change the hold flags of contacts and orders.",
        json_schema_extra={"zh": "启用拦截规则时：只有机器人和管理员可以修改联系人和订单的冻结标志。"},
    )
    task_key_field: _Name = Field(
        "x_credit_task_key",
        description="Field of an activity that holds our key.",
        json_schema_extra={"zh": "活动上保存任务键的字段。"},
    )
    task_type: str = Field(
        "mail.mail_activity_data_todo",
        description="External id of the activity type of tasks.",
        json_schema_extra={"zh": "任务所用活动类型的外部 ID。"},
    )
    page_size: int = Field(
        1000,
        ge=10,
        le=5000,
        description="Records per call.",
        json_schema_extra={"zh": "每次调用读取的记录数。", "trial": 20},
    )
    pages_at_once: int = Field(
        4,
        ge=1,
        le=4,
        description="Pages of a first reading fetched at once; 1 where the server has few workers.",
        json_schema_extra={"zh": "首次读取时并行获取的页数；服务器工作进程较少时设为 1。", "trial": 1},
    )
    overlap_minutes: int = Field(
        10,
        ge=0,
        le=1440,
        description="How far behind the last change a pull asks again; longer than any transaction.",
        json_schema_extra={"zh": "增量拉取向前重读的分钟数；应长于任何一次写入事务。"},
    )


def _fields(kind: ActionKind, model: str) -> Channel[Client]:
    """A channel that sets fields of one model's records, and reads them back."""
    return Channel(
        kind, model, push.fields_of(model), 100, current=push.current_of(model), changes=push.changes_of(model)
    )


ADAPTER = Adapter(
    name="odoo",
    title=Text("Odoo", "Odoo"),
    roles=("erp", "crm"),
    settings=Settings,
    demo_settings={"base_url": "{url}", "database": "sandbox"},
    secrets=(
        Secret("api_key", Text("API key of the bot user", "机器人用户的 API 密钥")),
        Secret(
            "admin_key",
            Text(
                "API key of a Settings administrator, for set-up and checks only",
                "设置管理员的 API 密钥，仅用于初始化和检查",
            ),
            required=False,
        ),
    ),
    streams=(
        Stream(
            "customers",
            Text("Customers", "客户"),
            partners.customers,
            ("customer",),
            True,
            partners.customer_keys,
            "nightly",
        ),
        Stream("people", Text("Users", "用户"), partners.people, ("person",), True, partners.people_keys, "nightly"),
        Stream(
            "limits",
            Text("Credit limits", "信用额度"),
            partners.limits,
            ("limit",),
            True,
            partners.limit_keys,
            "always",
        ),
        Stream(
            "items",
            Text("Receivable journal items", "应收分录"),
            ledger.items,
            ("document", "payment"),
            True,
            ledger.item_keys,
            "nightly",
            ("customers",),
        ),
        Stream(
            "payments_in_process",
            Text("Payments in process", "在途收款"),
            ledger.payments_in_process,
            ("payment",),
            True,
            ledger.payment_keys,
            "nightly",
        ),
        Stream(
            "applications",
            Text("Reconciliations", "核销"),
            ledger.applications,
            ("application",),
            True,
            ledger.application_keys,
            "always",  # un-reconciling deletes the row and says nothing
            ("items",),
        ),
        Stream(
            "orders",
            Text("Sales orders", "销售订单"),
            orders.orders,
            ("order", "order_line"),
            True,
            orders.order_keys,
            "nightly",
            ("customers",),
        ),
        Stream("rates", Text("Currency rates", "汇率"), orders.rates, ("rate",), True, orders.rate_keys, "nightly"),
    ),
    channels=(
        _fields("customer_fields", "res.partner"),
        _fields("order_fields", "sale.order"),
        _fields("hold", "res.partner"),
        Channel(
            "limit",
            "res.partner",
            push.limits,
            100,
            current=push.current_of("res.partner"),
            changes=push.changes_of("res.partner"),
        ),
        Channel("task", "mail.activity", push.tasks, 20, find=push.tasks_with),
        Channel("close_task", "mail.activity", push.close_tasks, 20),
    ),
    blocks=(
        Block(
            "native",
            "order_guard",
            Text("Odoo refuses the held order", "Odoo 拒绝被冻结的订单"),
            "order",
            ("confirm", "change", "deliver"),
            "order_fields",
            Text("in the refusal, and on the order's page “Credit”", "拒绝提示中，以及订单的“信用”页"),
            Text(
                "automation rules on orders, and on transfers where the Inventory app is installed",
                "订单上的自动化规则；安装“库存”应用时还包括调拨单上的规则",
            ),
            stands=guard.stands(guard.ORDERS, guard.GROWTH, guard.DELIVERY),
        ),
        Block(
            "flag",
            "order_flag",
            Text("flag on the order", "订单上的标志"),
            "order",
            (),
            "order_fields",
            Text("the order's page “Credit”", "订单的“信用”页"),
        ),
        Block(
            "native",
            "customer_guard",
            Text("Odoo refuses orders of the held contact", "Odoo 拒绝被冻结客户的订单"),
            "customer",
            ("confirm", "change", "deliver"),
            "hold",
            Text("in the refusal, and on the contact's page “Credit”", "拒绝提示中，以及联系人的“信用”页"),
            Text("the same automation rules", "同上的自动化规则"),
            stands=guard.stands(guard.ORDERS, guard.GROWTH, guard.DELIVERY),
        ),
        Block(
            "flag",
            "customer_flag",
            Text("flag on the contact", "联系人上的标志"),
            "customer",
            (),
            "hold",
            Text("the contact's page “Credit”", "联系人的“信用”页"),
        ),
    ),
    open=Client,
    check=setup.check,
    provision=setup.provision,
    rehearsal=Rehearsal(rehearsal.pay, rehearsal.order, refuses=True),
    # No limit of the vendor's own on one's own server; on a shared host four evenly served callers were seen.
    limits=Limits(in_flight=4),
    lanes=3,
    hook=HOOK,
    plugins=PLUGINS,
    framed_by=lambda settings: ("{0.scheme}://{0.netloc}".format(urlsplit(settings.base_url)),),
    evidence=(
        Evidence(
            "live",
            Text(
                "Odoo Community 19.0 (Debian 19.0.0+dfsg-1), over JSON-2 and /jsonrpc: ageing, fields, to-dos, and the guard: "
                "confirming, raising and (with sale_stock) delivering held orders.",
                "Odoo 社区版 19.0（Debian 19.0.0+dfsg-1），JSON-2 与 /jsonrpc：账龄、字段、待办均已实测；"
                "拦截被冻结订单的确认、加额及发货（装有 sale_stock）亦已实测。",
            ),
        ),
        Evidence(
            "documented",
            Text(
                "16 to 18, Enterprise payments without an entry, several companies: from source and documents, not run.",
                "16 至 18 版、企业版无分录付款、多公司：依据源代码与文档，未实测。",
            ),
        ),
    ),
    exemptions={
        "restraint:close_task": "an activity that is done is archived, and bears the day: Odoo sets both",
        "tokens": "API keys are not renewed: an expired one needs a person.",
        "hook-late": "Its calls bear no time: what an old one names is read again, which does no harm.",
    },
)
