"""Odoo as ERP and as CRM: receivables from journal items, credit fields, to-dos and a guard against held orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.odoo import ledger, orders, partners, push, rehearsal, setup
from adapters.odoo.client import Client
from connector.adapter import Adapter, Channel, Evidence, Rehearsal, Secret, Stream
from connector.http import Limits
from connector.text import Text

_Name = Annotated[str, Field(pattern=r"^(x_[a-z0-9_]{1,60})?$")]


class Settings(BaseModel):
    """The `settings` table of an Odoo system."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(description="Address of the Odoo server, https://company.odoo.com.")
    database: str = Field("", description="Name of the database; may be empty where the address serves only one.")
    company: str = Field("", description="Name or id of the company whose books count; empty: the bot's own.")
    transport: Literal["auto", "json2", "jsonrpc"] = Field(
        "auto", description="JSON-2 from Odoo 19 on, /jsonrpc before; auto asks the server."
    )
    login: str = Field("", description="The bot's user name; needed for /jsonrpc (16 to 18) only.")
    accounts: tuple[str, ...] = Field(
        (), description="Codes of the receivable accounts that count; empty: all that are trade receivables."
    )
    blocked_is_disputed: bool = Field(
        True, description="An invoice whose payment is blocked counts as disputed with all its amount."
    )
    payments_in_process: bool = Field(
        True, description="Customer payments that are sent but not booked yet count as unapplied cash."
    )
    customer_domain: tuple[Any, ...] = Field(
        (), description='Further condition on customers in Odoo\'s own words, for example [["category_id", "in", [7]]].'
    )
    customer_no_field: str = Field(
        "ref",
        description="The field of a contact that holds the customer's number (as CRM: that of the ERP); empty: none.",
    )
    hold_field: _Name = Field("x_credit_hold", description="Hold flag on contacts, which the guard looks at.")
    hold_reason_field: _Name = Field("x_credit_hold_reason", description="Its reason, shown when the guard refuses.")
    order_hold_field: _Name = Field("x_credit_hold", description="Hold flag on a sales order itself; empty: none.")
    order_hold_reason_field: _Name = Field("x_credit_hold_reason", description="The reason of that one.")
    guard: bool = Field(True, description="Provision and check the rule that refuses to confirm held orders.")
    protect_hold: bool = Field(
        True, description="With the guard: only the bot and administrators may change the hold flag of a contact."
    )
    task_key_field: _Name = Field("x_credit_task_key", description="Field of an activity that holds our key.")
    task_type: str = Field("mail.mail_activity_data_todo", description="External id of the activity type of tasks.")
    page_size: int = Field(1000, ge=10, le=5000, description="Records per call.")
    overlap_minutes: int = Field(
        10, ge=0, le=1440, description="How far behind the last change a pull asks again; longer than any transaction."
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
        Channel(
            "customer_fields", "res.partner", push.fields_of("res.partner"), 100, current=push.current_of("res.partner")
        ),
        Channel("order_fields", "sale.order", push.fields_of("sale.order"), 100, current=push.current_of("sale.order")),
        Channel("hold", "res.partner", push.fields_of("res.partner"), 100, current=push.current_of("res.partner")),
        Channel("limit", "res.partner", push.limits, 100, current=push.current_of("res.partner")),
        Channel("task", "mail.activity", push.tasks, 20, find=push.tasks_with),
    ),
    open=Client,
    check=setup.check,
    provision=setup.provision,
    rehearsal=Rehearsal(rehearsal.pay, rehearsal.order, refuses=True),
    # No limit of the vendor's own on one's own server; on a shared host four evenly served callers were seen.
    limits=Limits(in_flight=4),
    evidence=(
        Evidence(
            "live",
            Text(
                "Odoo Community 19.0 (Debian 19.0.0+dfsg-1), over JSON-2 and /jsonrpc: ageing, fields, to-dos, guard.",
                "Odoo 社区版 19.0（Debian 19.0.0+dfsg-1），JSON-2 与 /jsonrpc：账龄、字段、待办、订单拦截均已实测。",
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
    exemptions={"tokens": "API keys are not renewed: an expired one needs a person."},
)
