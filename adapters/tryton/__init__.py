"""Tryton: an ERP. Receivables from its ledger, credit holds by party category, limits and notes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from connector.adapter import Adapter, Block, Channel, Evidence, Rehearsal, Secret, Stream
from connector.http import Limits
from connector.text import Text, same

from . import (
    customers,
    hold_setup,
    holds,
    ledger,
    limits,
    notes,
    order_holds,
    orders,
    parties,
    people,
    rates,
    rehearsal,
    setup,
)
from .client import Tryton, open_client


class Settings(BaseModel):
    """How to reach one company in one Tryton database."""

    model_config = ConfigDict(extra="forbid")

    base_url: Annotated[
        str,
        Field(
            description="Address of the server, without the database: https://erp.example.com",
            json_schema_extra={"zh": "服务器地址，不含数据库名，例如 https://erp.example.com"},
        ),
    ]
    database: Annotated[
        str, Field(min_length=1, description="Name of the database", json_schema_extra={"zh": "数据库名称"})
    ]
    user: Annotated[
        str,
        Field(
            min_length=1,
            description="Login of the integration user; one user per company",
            json_schema_extra={"zh": "集成用户的登录名；每家公司一个用户"},
        ),
    ]
    admin_user: Annotated[
        str | None,
        Field(
            description="Login of an administrator, used by `provision` only, to make category and rule",
            json_schema_extra={"zh": "管理员登录名，仅供 `provision` 创建类别和规则时使用", "ask": True},
        ),
    ] = None
    hold_category: Annotated[
        str,
        Field(
            description="Party category that marks a customer on hold",
            json_schema_extra={"zh": "标记客户已冻结的参与方类别"},
        ),
    ] = "Credit hold"
    hold_group: Annotated[
        str,
        Field(
            description="User group whose click confirms a held order",
            json_schema_extra={"zh": "有权确认被冻结订单的用户组"},
        ),
    ] = "Account Credit Limit"
    page_size: Annotated[
        int,
        Field(
            ge=1,
            le=2000,
            description="Records a page; 500 to 1,000 are fastest",
            json_schema_extra={"zh": "每页记录数；500 至 1,000 最快", "trial": 20},
        ),
    ] = 500
    overlap_minutes: Annotated[
        int,
        Field(
            ge=0,
            le=1440,
            description="How long a write transaction may take before a change is missed",
            json_schema_extra={"zh": "允许一次写入事务持续多久（分钟）而不遗漏变更"},
        ),
    ] = 15


ADAPTER: Adapter[Tryton] = Adapter(
    name="tryton",
    title=same("Tryton"),
    roles=("erp", "rates"),
    settings=Settings,
    demo_settings={"base_url": "{url}", "database": "holdfast", "user": "connector", "admin_user": "admin"},
    secrets=(
        Secret("password", Text("password of the integration user", "集成用户的密码")),
        Secret(
            "admin_password",
            Text(
                "password of admin_user, so that `holdfast provision` can make what stops held orders",
                "admin_user 的密码，供 `holdfast provision` 建立拦截规则",
            ),
            False,
        ),
    ),
    streams=(
        Stream(
            "customers",
            Text("customers and limits", "客户与额度"),
            customers.read,
            ("customer", "limit"),
            incremental=True,
            keys=customers.keys,
            sweep="nightly",
        ),
        Stream(
            "ledger",
            Text("receivable ledger", "应收账款明细"),
            ledger.read,
            ("document", "instalment", "payment", "application"),
            incremental=True,
            keys=ledger.keys,
            sweep="nightly",
            after=("customers",),
            note="one record a ledger move; posted moves cannot be deleted, drafts can",
        ),
        Stream(
            "orders",
            Text("sales orders", "销售订单"),
            orders.read,
            ("order", "order_line"),
            incremental=True,
            keys=orders.keys,
            sweep="nightly",
            after=("customers",),
        ),
        Stream("rates", Text("exchange rates", "汇率"), rates.read, ("rate",), incremental=False),
        Stream("people", Text("employees", "员工"), people.read, ("person",), incremental=False),
    ),
    channels=(
        Channel(
            "hold",
            "party.party",
            holds.send,
            batch=200,
            current=holds.current,
            changes=parties.changes,
            note="party category and button rule",
        ),
        Channel(
            "order_fields",
            "sale.sale",
            order_holds.send,
            batch=200,
            current=order_holds.current,
            changes=order_holds.changes,
            note="a rule on the confirm button that names the order, and a note on it with the reason",
        ),
        Channel("limit", "party.party", limits.send, batch=200, current=limits.current, changes=parties.changes),
        Channel("task", "party.party", notes.send, batch=50, find=notes.find, note="a note on the party"),
        Channel(
            "customer_fields",
            "party.party",
            parties.write_fields,
            batch=200,
            note="only where a module of the customer's own adds fields to parties",
        ),
    ),
    open=open_client,
    check=setup.check,
    provision=setup.provision,
    rehearsal=Rehearsal(rehearsal.pay, rehearsal.order),
    blocks=(
        Block(
            "native",
            "order_rule",
            Text("rule on the button “Confirm” that names the order", "“确认”按钮上列出该订单的规则"),
            "order",
            ("confirm",),
            "order_fields",
            Text("a note on the order, unread for everybody", "订单上的备注，对所有人显示为未读"),
            Text(
                "the rule, and a group “Holdfast” with our user that may change this rule and no other",
                "该规则，以及包含集成用户、只能修改此规则的用户组“Holdfast”",
            ),
            field=order_holds.STOP,
            stands=hold_setup.check,
        ),
        Block(
            "flag",
            "order_note",
            Text("note on the order", "订单备注"),
            "order",
            (),
            "order_fields",
            Text("a note on the order, unread for everybody", "订单上的备注，对所有人显示为未读"),
        ),
        Block(
            "native",
            "party_rule",
            Text("rule on the button “Confirm” for parties in the hold category", "“确认”按钮上针对冻结类别客户的规则"),
            "customer",
            ("confirm",),
            "hold",
            Text("the party's category; reasons stand on its orders", "参与方类别；原因见其各订单"),
            Text("the category and the rule", "该类别与规则"),
            stands=setup.party_rule,
        ),
        Block(
            "flag",
            "party_category",
            Text("category of the party", "参与方类别"),
            "customer",
            (),
            "hold",
            Text("the party's category", "参与方类别"),
        ),
    ),
    # No limits of the vendor's own; parallel readers on one process gained nothing when measured.
    limits=Limits(in_flight=4),
    exemptions={
        "hook": "Tryton 8.2 has no webhooks, and its bus is for its own clients (off by default): it is polled.",
        "restraint:order_fields": "two calls for any number of orders: the rule that names them, and the notes",
    },
    evidence=(
        Evidence(
            "live",
            Text(
                "Tryton 8.2.1 on SQLite: read, aged, customers and single orders held and released, limits and notes written, "
                "all over JSON-RPC",
                "Tryton 8.2.1（SQLite）：经 JSON-RPC 读取、账龄计算、客户与单张订单的冻结及解除、写入额度与备注",
            ),
        ),
        Evidence(
            "documented",
            Text(
                "series 6.0 to 8.0: addresses and time stamps from their source",
                "6.0 至 8.0 系列：地址与时间戳依据其源代码",
            ),
        ),
    ),
)
