"""What of ours is installed inside Odoo: the views that provisioning makes, as a module for whoever rather imports one.

The module is made of data only. It holds the same fields and views that `holdfast provision` makes through the interface,
for companies that give nobody an administrator's key; both ways find what the other has made by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from adapters.odoo import setup, views
from adapters.odoo.client import Client
from connector.adapter import Evidence, Finding, Need
from connector.adapter_plugin import Archive, File, Plugin, Site
from connector.errors import ConfigError
from connector.text import Text

_MODULE = "holdfast_credit"
_MODELS = {
    views.PARTNER: "base.model_res_partner",
    views.ORDER: "sale.model_sale_order",
    "mail.activity": "mail.model_mail_activity",
}
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def module(site: Site) -> Mapping[str, Any]:
    """The data files of the module: fields, views, and the Chinese of both."""
    needs = setup.distinct(site.needs)
    partner, order = _fields(site, needs, views.PARTNER), _fields(site, needs, views.ORDER)
    related = {word: name for word, (name, _) in views.OF_CUSTOMER.items() if word in partner.words}
    made = "".join(_made(n) for n in needs if n.object in _MODELS and n.name.startswith("x_"))
    made += "".join(_related(word, name, partner.words[word], needs) for word, name in related.items())
    shown = _view(views.PARTNER, views.partner_view(partner)) + _view(views.ORDER, views.order_view(order, related))
    return {
        # What somebody has changed of a field (its label, say) is not changed back by an update.
        f"{_MODULE}/data/fields.xml": f'{_HEAD}<odoo noupdate="1">\n{made}</odoo>\n',
        f"{_MODULE}/data/views.xml": f"{_HEAD}<odoo>\n{shown}</odoo>\n",
        f"{_MODULE}/i18n/zh_CN.po": _chinese(needs, related),
    }


def _fields(site: Site, needs: Sequence[Need], model: str) -> views.Fields:
    """The fields of a form by the words that the mapping says, whatever they are called there."""
    words = {s.word: s.name for s in reversed(site.shown) if s.object == model}
    rest = tuple(n.name for n in needs if n.object == model and n.name not in words.values())
    level = next((s for s in site.shown if s.object == views.PARTNER and s.word == "level"), None)
    return views.Fields(words, rest, {k: str(v) for k, v in level.values.items()} if level else None)


def _id(model: str, name: str) -> str:
    return f"field_{model.replace('.', '_')}__{name}"


def _record(model: str, name: str, label: str, kind: str, more: str) -> str:
    return (
        f'  <record id="{_id(model, name)}" model="ir.model.fields">\n'
        f'    <field name="model_id" ref="{_MODELS[model]}"/>\n'
        f'    <field name="name">{escape(name)}</field>\n'
        f'    <field name="field_description">{escape(label)}</field>\n'
        f'    <field name="ttype">{kind}</field>\n'
        f'    <field name="copied" eval="False"/>\n{more}  </record>\n'
    )


def _kind(need: Need) -> str:
    return "text" if need.type == "text" and need.length > 255 else setup.TYPES[need.type]


def _made(need: Need) -> str:
    more = '    <field name="index" eval="True"/>\n' if need.unique else ""
    made = _record(need.object, need.name, need.label, _kind(need), more)
    # Each choice is a record of its own: an import over an older one finds it, and does not make it twice.
    for number, choice in enumerate(need.options if need.type == "choice" else (), 1):
        made += (
            f'  <record id="{_id(need.object, need.name)}__{number}" model="ir.model.fields.selection">\n'
            f'    <field name="field_id" ref="{_id(need.object, need.name)}"/>\n'
            f'    <field name="value">{escape(choice)}</field>\n    <field name="name">{escape(choice)}</field>\n'
            f'    <field name="sequence">{number}</field>\n  </record>\n'
        )
    return made


def _related(word: str, name: str, of: str, needs: Sequence[Need]) -> str:
    need = next(n for n in needs if (n.object, n.name) == (views.PARTNER, of))
    more = (
        f'    <field name="related">{views.DEBTOR}.{escape(of)}</field>\n'
        '    <field name="store" eval="False"/>\n    <field name="readonly" eval="True"/>\n'
    )
    return _record(views.ORDER, name, views.OF_CUSTOMER[word][1].en, _kind(need), more)


def _view(model: str, arch: str) -> str:
    return (
        f'  <record id="view_{model.replace(".", "_")}" model="ir.ui.view">\n'
        f'    <field name="name">{views.name_of(model)}</field>\n'
        f'    <field name="model">{model}</field>\n'
        f'    <field name="inherit_id" ref="{views.SCREENS[model]}"/>\n'
        f'    <field name="arch" type="xml"><data>{arch}</data></field>\n  </record>\n'
    )


def _chinese(needs: Sequence[Need], related: Mapping[str, str]) -> str:
    """The catalogue of the module: labels of the fields and the words of the views."""
    said: list[tuple[str, str, str]] = []
    for need in needs:
        if need.object in _MODELS and need.name in setup.CHINESE:
            where = f"model:ir.model.fields,field_description:{_MODULE}.{_id(need.object, need.name)}"
            said.append((where, need.label, setup.CHINESE[need.name]))
        for number, choice in enumerate(need.options if need.object in _MODELS else (), 1):
            where = f"model:ir.model.fields.selection,name:{_MODULE}.{_id(need.object, need.name)}__{number}"
            if choice in setup.CHINESE_CHOICES:
                said.append((where, choice, setup.CHINESE_CHOICES[choice]))
    for word, name in related.items():
        where = f"model:ir.model.fields,field_description:{_MODULE}.{_id(views.ORDER, name)}"
        said.append((where, views.OF_CUSTOMER[word][1].en, views.OF_CUSTOMER[word][1].zh))
    for model, texts in views.SAID.items():
        where = f"model_terms:ir.ui.view,arch_db:{_MODULE}.view_{model.replace('.', '_')}"
        said += [(where, text.en, text.zh) for text in texts]
    by_term: dict[tuple[str, str], list[str]] = {}
    for where, en, zh in said:
        by_term.setdefault((en, zh), []).append(where)
    head = 'msgid ""\nmsgstr ""\n"Language: zh_CN\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    entries = [
        f"\n#. module: {_MODULE}\n"
        + "".join(f"#: {w}\n" for w in sorted(places))
        + f"msgid {_po(en)}\nmsgstr {_po(zh)}\n"
        for (en, zh), places in sorted(by_term.items())
    ]
    return head + "".join(entries)


def _po(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'


def remove(client: Client, dry: bool) -> Sequence[Finding]:
    """Takes the views and the related fields away. ConfigError where no administrator's key is configured."""
    admin = client.as_administrator() or client
    if not setup.is_administrator(admin):
        raise ConfigError(
            Text(
                "Removing views needs the secret “admin_key” (an API key of a Settings administrator).",
                "移除视图需要配置密钥“admin_key”（设置管理员的 API 密钥）。",
            )
        )
    return views.remove(admin, dry)


PLUGINS: tuple[Plugin[Client], ...] = (
    Plugin(
        name="view",
        title=Text("Views: credit on contacts and sales orders", "视图：联系人与销售订单上的信用"),
        install=Text(
            "`holdfast provision` makes it where “admin_key” is configured. Else: Apps → Import Module (install the app “Import "
            "Module” first), upload the zip.",
            "已配置“admin_key”时由 `holdfast provision` 直接创建；否则：应用 → 导入模块（先安装“导入模块”应用），上传 zip。",
        ),
        files=(File("module/manifest.txt", f"{_MODULE}/__manifest__.py"),),
        make=module,
        archive=Archive(f"{_MODULE}.zip", _MODULE),
        remove=remove,
        kind="view",
        evidence=(
            Evidence(
                "live",
                Text(
                    "Odoo Community 19.0: made by provisioning and by import, twice without a change, shown to a salesperson in "
                    "English and Chinese, removed and uninstalled.",
                    "Odoo 社区版 19.0：已通过初始化和导入两种方式创建，重复执行无变化，以销售员身份用中英文查看，并已验证移除与卸载。",
                ),
            ),
        ),
    ),
)
