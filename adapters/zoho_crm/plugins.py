"""What of ours is installed inside Zoho CRM: a widget that shows the written fields, and the function of the signed panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.zoho_crm.client import Zoho
from connector.adapter import Evidence
from connector.adapter_plugin import Archive, File, Plugin, Shown, Site
from connector.text import Text

ACCOUNTS, ORDERS = "Accounts", "Sales_Orders"
FUNCTION = "credit_panel_launch"
VARIABLE = "holdfast_panel_secret"
_OF_ACCOUNTS, _OF_ORDERS = ("customer_fields", "hold"), ("order_fields",)


def settings(site: Site) -> Mapping[str, Any]:
    """What `app/settings.js` holds: the modules, and by our words the fields that the mapping writes there."""
    modules = {
        ACCOUNTS: {"fields": _fields(site, _OF_ACCOUNTS)},
        ORDERS: {"fields": _fields(site, _OF_ORDERS)},
    }
    told = {
        "system": site.system,
        "account": ACCOUNTS,
        "order": ORDERS,
        "modules": modules,
        "signed": bool(site.address),
        "address": site.address,
        "launch": FUNCTION,
    }
    return {"settings": told, "function": FUNCTION, "variable": VARIABLE}


def _fields(site: Site, kinds: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for shown in site.shown:
        if shown.kind in kinds:
            found.setdefault(shown.word, {"name": shown.name, "label": shown.label, "values": dict(shown.values)})
    return found


def resolve(client: Zoho, shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """The same fields by the API names of this organisation, which may number a name that was taken."""
    by_object: dict[str, list[str]] = {}
    for one in shown:
        by_object.setdefault(one.object, []).append(one.name)
    names = {module: client.names(module, wanted) for module, wanted in by_object.items()}
    return tuple(replace(one, name=names[one.object][one.name]) for one in shown)


_VALIDATED = Evidence(
    "documented",
    Text(
        "Packed and validated by Zoho's own tool (zoho-extension-toolkit 1.0.24); run in Chromium against a stand-in of the "
        "embedded SDK made from its documents; not installed in a real organisation.",
        "已用 Zoho 官方工具 zoho-extension-toolkit 1.0.24 校验并打包；在 Chromium 中以按文档制作的 SDK 替身运行；"
        "尚未在真实组织中安装。",
    ),
)
_UNTRIED = Evidence(
    "documented",
    Text(
        "Written from Zoho's documents of Deluge; no tool checks Deluge outside Zoho, and it was not run there.",
        "依据 Zoho 的 Deluge 文档编写；Deluge 无法在 Zoho 之外检查，尚未在 Zoho 中运行。",
    ),
)

PLUGINS: tuple[Plugin[Zoho], ...] = (
    Plugin(
        name="widget",
        title=Text("Widget: credit on accounts and sales orders", "小组件：客户与销售订单上的信用"),
        install=Text(
            "Setup → Developer Hub → Widgets → Create New Widget, hosting “Zoho”: upload the zip, index page "
            "/related.html for a related list, /button.html for a button.",
            "设置 → 开发者中心 → 小组件 → 新建小组件，托管选择“Zoho”：上传 zip；相关列表的首页为 /related.html，按钮的首页为 /button.html。",
        ),
        files=(
            File("widget/plugin-manifest.json", "plugin-manifest.json"),
            *(
                File(f"widget/app/{name}", f"app/{name}")
                for name in (
                    "related.html", "button.html", "holdfast.css", "settings.js", "words.js", "figures.js", "widget.js",
                )
            ),
        ),
        archive=Archive("holdfast-zoho-widget.zip", "app"),
        fill=settings,
        resolve=resolve,
        evidence=(_VALIDATED,),
    ),
    Plugin(
        name="launch",
        title=Text("Function: opens the signed panel", "函数：打开签名面板"),
        install=Text(
            "Setup → Developer Hub → Functions → New Function, category Standalone, name credit_panel_launch: paste the "
            "source.",
            "设置 → 开发者中心 → 函数 → 新建函数，类别“独立函数”，名称 credit_panel_launch：粘贴源码。",
        ),
        files=(File("launch/credit_panel_launch.dg", "credit_panel_launch.dg"),),
        fill=settings,
        needs_address=True,
        secret=Text(
            "the CRM variable holdfast_panel_secret (Setup → General → Company Details → CRM Variables)",
            "CRM 变量 holdfast_panel_secret（设置 → 常规 → 公司信息 → CRM 变量）",
        ),
        kind="function",
        evidence=(_UNTRIED,),
    ),
)  # fmt: skip
