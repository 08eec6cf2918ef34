"""What of ours is installed inside Fxiaoke: a page component (PWC), and APL functions for the panel, bulk writing, the guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.fxiaoke.client import Client
from adapters.fxiaoke.fields import LABEL, Field, describe
from adapters.fxiaoke.settings import Settings
from connector.adapter import Evidence
from connector.adapter_plugin import Archive, File, Plugin, Shown, Site
from connector.text import Text

ACCOUNT, ORDER = "AccountObj", "SalesOrderObj"
FUNCTION = "func_holdfast_panel__c"
VARIABLE = "var_holdfast_panel_secret__g"
_PANEL = ("credit_panel.vue", "figures.js", "settings.js", "words.js")


def settings(site: Site) -> Mapping[str, Any]:
    """What the component and the functions are told: by our words the fields of this tenant, no secret."""
    ours = site.settings if isinstance(site.settings, Settings) else None
    told = {
        "system": site.system,
        "account": ACCOUNT,
        "order": ORDER,
        "objects": {
            ACCOUNT: {"fields": _fields(site, ("customer_fields", "hold"))},
            ORDER: {"fields": _fields(site, ("order_fields",))},
        },
        "currency": ours.currency if ours else "CNY",
        "zone": ours.time_zone if ours else "Asia/Shanghai",
        "signed": bool(site.address),
        "address": site.address,
        "launch": FUNCTION,
    }
    return {
        "settings": told,
        "function": FUNCTION,
        "variable": VARIABLE,
        "hold": _api(site.field("order_fields", "hold"), "field_hold__c"),
        "reason": _api(site.field("order_fields", "hold_reason"), "field_reason__c"),
    }


def _api(name: str, otherwise: str) -> str:
    """An api name, or what a person replaces where only a label is known."""
    return name if name and not name.startswith(LABEL) else otherwise


def _fields(site: Site, kinds: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for shown in site.shown:
        if shown.kind in kinds:
            found.setdefault(shown.word, {"name": shown.name, "label": shown.label, "values": dict(shown.values)})
    return found


def resolve(client: Client, shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """The same fields by the api names of this tenant, their choices by the values of its options. A field that is not there
    yet keeps its label."""
    found = []
    for one in shown:
        field = describe(client, one.object).find(one.name)
        if field is not None:
            values = {word: _option(field, theirs) for word, theirs in one.values.items()}
            one = replace(one, name=field.name, values=values)
        found.append(one)
    return tuple(found)


def _option(field: Field, label: Any) -> Any:
    return next((value for shown, value in field.options if shown == label), label)


_COMPILED = Evidence(
    "documented",
    Text(
        "Compiles and runs with Groovy against stand-ins of the documented Fx interface; not run in a real tenant. Whether a "
        "tenant's sandbox lets a function use javax.crypto is not documented.",
        "已用 Groovy 编译，并以文档所述 Fx 接口的替身运行；尚未在真实企业中运行。官方未说明函数沙箱是否允许使用 javax.crypto。",
    ),
)
_WRITTEN = Evidence(
    "documented",
    Text(
        "Compiles and runs with Groovy against stand-ins of the documented Fx interface; not run in a real tenant.",
        "已用 Groovy 编译，并以文档所述 Fx 接口的替身运行；尚未在真实企业中运行。",
    ),
)
_SHOWN = Evidence(
    "documented",
    Text(
        "Compiled with Vue 2.7 and run in Chromium against a stand-in of FxUI made from the vendor's samples and rules; not "
        "uploaded to a real tenant.",
        "已用 Vue 2.7 编译，并在 Chromium 中以依据官方示例与规范制作的 FxUI 替身运行；尚未上传到真实企业。",
    ),
)

PLUGINS: tuple[Plugin[Client], ...] = (
    Plugin(
        name="panel",
        title=Text("Page component: credit on accounts and sales orders", "页面组件（PWC）：客户与销售订单上的信用"),
        install=Text(
            "Console → customisation platform → custom components → new: upload the files, entry credit_panel.vue; then put "
            "the component on the detail layouts of accounts and sales orders.",
            "管理后台 → 定制开发平台 → 自定义组件 → 新建：上传全部文件，入口文件 credit_panel.vue；再在客户、销售订单的详情页布局中放置该组件。",
        ),
        files=tuple(File(f"panel/{name}", f"credit_panel/{name}") for name in _PANEL),
        archive=Archive("holdfast-fxiaoke-panel.zip", "credit_panel"),
        fill=settings,
        resolve=resolve,
        evidence=(_SHOWN,),
    ),
    Plugin(
        name="launch",
        title=Text("APL function: opens the signed panel", "APL 函数：打开签名面板"),
        install=Text(
            "Console → custom functions → new, namespace “controller”, api name func_holdfast_panel__c: paste the text.",
            "管理后台 → 自定义函数 → 新建，命名空间“控制器”，api 名 func_holdfast_panel__c：粘贴内容。",
        ),
        files=(File("panel_launch.apl"),),
        fill=settings,
        needs_address=True,
        secret=Text(
            "the global variable var_holdfast_panel_secret__g of the tenant",
            "企业的全局变量 var_holdfast_panel_secret__g",
        ),
        kind="function",
        evidence=(_COMPILED,),
    ),
    Plugin(
        name="bulk",
        title=Text("APL function: writes 100 records a call", "APL 函数：每次调用回写 100 条"),
        install=Text(
            "Console → custom functions → new, namespace “controller”: paste the text, and put its api name into the setting "
            "bulk_function of the system.",
            "管理后台 → 自定义函数 → 新建，命名空间“控制器”：粘贴内容，并把其 api 名填入该系统的 bulk_function 设置。",
        ),
        files=(File("credit_push.apl"),),
        kind="function",
        evidence=(_WRITTEN,),
    ),
    Plugin(
        name="guard",
        title=Text("APL function: refuses to go on with a held order", "APL 函数：拒绝处理被冻结的订单"),
        install=Text(
            "Console → custom functions → new, namespace “validation”, bound to sales orders: paste the text and attach it to "
            "the buttons that confirm or ship.",
            "管理后台 → 自定义函数 → 新建，命名空间“校验函数”，绑定销售订单：粘贴内容，并挂到确认、发货等按钮的前验证上。",
        ),
        files=(File("order_guard.apl"),),
        fill=settings,
        resolve=resolve,
        kind="function",
        evidence=(_WRITTEN,),
    ),
)
