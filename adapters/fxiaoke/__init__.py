"""纷享销客 Fxiaoke (ShareCRM): accounts, orders and receipts in, credit fields, order holds and tasks out."""

from __future__ import annotations

from adapters.fxiaoke import locks
from adapters.fxiaoke.client import Client, open_client
from adapters.fxiaoke.hook import HOOK
from adapters.fxiaoke.plugins import PLUGINS
from adapters.fxiaoke.read import listing, reading, with_currency, with_lines, with_receipt, with_user
from adapters.fxiaoke.settings import TASK_OBJECT, Settings, pages
from adapters.fxiaoke.setup import check, provision
from adapters.fxiaoke.write import close_tasks, find_tasks, reading_back, send_tasks, updating
from connector.adapter import Adapter, Block, Channel, Evidence, Secret, Stream
from connector.http import Limits
from connector.text import Text

_STATE = ("is_deleted", "life_status")
_AS_ERP = "Only where the tenant keeps its receivables here: samples/receivables.toml is the mapping that reads it."
# Fields of orders that come with modules (delivery notes, invoicing) which not every tenant has.
_OF_ORDERS = ("delivery_date", "delivered_amount_sum", "invoice_amount", "payment_amount", "receivable_amount")

ADAPTER: Adapter[Client] = Adapter(
    name="fxiaoke",
    title=Text("Fxiaoke (ShareCRM)", "纷享销客"),
    roles=("crm", "erp"),
    settings=Settings,
    demo_settings={"base_url": "{url}", "acting_user": "1000"},
    secrets=(
        Secret("app_id", Text("App id of the self-built app (FSAID_…)", "自建应用的 AppId（FSAID_…）")),
        Secret("app_secret", Text("App secret", "自建应用的 AppSecret")),
        Secret("permanent_code", Text("Permanent code", "永久授权码 PermanentCode")),
    ),
    streams=(
        Stream(
            "customers",
            Text("Accounts", "客户"),
            reading("AccountObj", "customers", ("name",), ("owner", *_STATE)),
            ("customer",),
            incremental=True,
            keys=listing("AccountObj"),
            sweep="nightly",
        ),
        Stream(
            "people",
            Text("Employees", "人员"),
            reading("PersonnelObj", "people", ("name",), ("user_id", "is_deleted"), with_user),
            ("person",),
            incremental=True,
            keys=listing("PersonnelObj"),
            sweep="nightly",
        ),
        Stream(
            "orders",
            Text("Sales orders", "销售订单"),
            reading(
                "SalesOrderObj", "orders", ("name", "account_id"), ("mc_currency", *_OF_ORDERS, *_STATE), with_lines
            ),
            ("order", "order_line", "document"),
            incremental=True,
            keys=listing("SalesOrderObj"),
            sweep="nightly",
            note="Roll-ups (delivered, invoiced, received) may change without a new last_modified_time: read in full at night.",
        ),
        Stream(
            "receipts",
            Text("Receipts", "回款"),
            reading("PaymentObj", "receipts", ("account_id",), ("mc_currency", *_STATE), with_currency),
            ("payment",),
            incremental=True,
            keys=listing("PaymentObj"),
            sweep="nightly",
            note=_AS_ERP,
        ),
        Stream(
            "receipt_lines",
            Text("Receipt lines", "回款明细"),
            reading("OrderPaymentObj", "receipt_lines", ("order_id",), ("payment_id", *_STATE), with_receipt),
            ("application",),
            incremental=True,
            keys=listing("OrderPaymentObj"),
            sweep="nightly",
            note=_AS_ERP,
            after=("orders", "receipts"),
        ),
        Stream(
            "plans",
            Text("Receipt plans", "回款计划"),
            reading("PaymentPlanObj", "plans", ("order_id",), _STATE),
            ("instalment",),
            incremental=True,
            keys=listing("PaymentPlanObj"),
            sweep="nightly",
            note=_AS_ERP,
            after=("orders",),
        ),
    ),
    channels=(
        Channel(
            "customer_fields",
            "AccountObj",
            updating("AccountObj"),
            batch=100,
            current=reading_back("AccountObj"),
            note="One record a call (300 a minute); up to 100 a call through the APL function, where bulk_function names it.",
        ),
        Channel(
            "hold",
            "AccountObj",
            updating("AccountObj"),
            batch=100,
            current=reading_back("AccountObj"),
            note="A flag and a reason on the account, written for those only that are held.",
        ),
        Channel(
            "order_fields",
            "SalesOrderObj",
            locks.send,
            batch=100,
            current=reading_back("SalesOrderObj"),
            note="A flag and a reason, and the record's lock; the tenant's validation rule refuses to go on while the flag is set.",
        ),
        Channel(
            "task",
            TASK_OBJECT,
            send_tasks,
            batch=20,
            find=find_tasks,
            note="Records of a custom object of the tenant: the payload of the vendor's own to-do interface is not published.",
        ),
        Channel(
            "close_task",
            TASK_OBJECT,
            close_tasks,
            batch=20,
            note="A field of that object says that the matter is decided: the vendor documents no state of its own for it.",
        ),
    ),
    blocks=(
        Block(
            "lock",
            "record_lock",
            Text("record lock on the order", "锁定订单记录"),
            "order",
            ("confirm", "change"),
            "order_fields",
            Text("the fields 信用冻结 and 信用冻结原因", "“信用冻结”和“信用冻结原因”字段"),
            Text(
                "nothing; who may still edit a locked record is decided by the tenant's lock rules",
                "无需创建；谁可编辑已锁定的记录由企业的锁定规则决定",
            ),
            field=locks.FIELD,
            stands=locks.stands,
        ),
        Block(
            "flag",
            "order_flag",
            Text("flag on the order, which a validation rule may look at", "订单上的标志，可供校验规则使用"),
            "order",
            (),
            "order_fields",
            Text("the fields 信用冻结 and 信用冻结原因", "“信用冻结”和“信用冻结原因”字段"),
        ),
        Block(
            "flag",
            "account_flag",
            Text("flag on the account", "客户上的标志"),
            "customer",
            (),
            "hold",
            Text("the fields 信用冻结 and 信用冻结原因", "“信用冻结”和“信用冻结原因”字段"),
        ),
    ),
    open=open_client,
    check=check,
    provision=provision,
    hook=HOOK,
    plugins=PLUGINS,
    framed_by=lambda settings: pages(settings.base_url),
    # 100 calls in 20 s for each interface: 20 at once and 4 a second never make more than 100 in any 20 s.
    limits=Limits(in_flight=5, per_second=4.0, burst=20),
    exemptions={
        "hook-renewal": "An administrator sets the address and the events; nothing is published of an end.",
        "throttling": "the product says that it was too much (30004, status 200), never when to come back",
        "provision": "the API documents no call that makes a field or an object: a checklist instead",
        "restraint:customer_fields": "no batch update: one record a call, unless the tenant installs our APL function",
        "restraint:hold": "no batch update: one record a call, unless the tenant installs our APL function",
        "restraint:order_fields": "no batch update: one record a call, unless the tenant installs our APL function",
        "restraint:task": "no batch create: one record a call",
        "restraint:close_task": "no batch update: one record a call",
    },
    evidence=(
        Evidence(
            "documented",
            Text(
                "Built from the vendor's pages of 2026 (openapi_v2) and a public probe of its error answers; no real tenant "
                "was reached. The legacy body style also works with a third-party client (fxiaoke-python 0.0.3) against our "
                "sandbox.",
                "依据 2026 年官方文档（openapi_v2）及公开的错误应答探测记录实现，未连接过真实企业。旧版 body 传参另以第三方客户端 "
                "fxiaoke-python 0.0.3 对接我们的沙箱验证。",
            ),
        ),
    ),
)

__all__ = ["ADAPTER", "Settings"]
