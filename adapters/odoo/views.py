"""What salespeople see in Odoo: a notice and a page “Credit” on contacts and sales orders, made as inherited views.

A sales order shows its customer's figures, too, by related fields (`x_credit_customer_…`, not stored): they are there as
soon as the customer is chosen, before the order is confirmed. Views and related fields are ours alone and can be taken away
again (`remove`); the fields that hold the figures stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from adapters.odoo.client import Client
from connector.adapter import Finding, Need
from connector.text import Language, Text

PARTNER, ORDER = "res.partner", "sale.order"
SCREENS = {PARTNER: "base.view_partner_form", ORDER: "sale.view_order_form"}
TITLES = {PARTNER: Text("contacts", "联系人"), ORDER: Text("sales orders", "销售订单")}
# The debtor of an order is who is invoiced: whose figures count for it.
DEBTOR = "partner_invoice_id.commercial_partner_id"
# Our words by the names of the shipped mapping: where the provisioning knows no more than names.
WORDS = {
    "x_credit_level": "level",
    "x_credit_currency": "currency",
    "x_credit_limit": "limit",
    "x_credit_limit_kind": "limit_kind",
    "x_credit_exposure": "exposure",
    "x_credit_available": "available",
    "x_credit_used": "utilisation_percent",
    "x_credit_overdue": "overdue",
    "x_credit_overdue_days": "overdue_days",
    "x_credit_as_of": "as_of",
    "x_credit_customer_no": "customer_no",
    "x_credit_hold": "hold",
    "x_credit_hold_reason": "hold_reason",
    "x_credit_released": "released",
}
# What an order shows of its customer: our word → name of the related field and its label in both languages.
OF_CUSTOMER = {
    "level": ("x_credit_customer_level", Text("Customer credit level", "客户信用预警")),
    "currency": ("x_credit_customer_currency", Text("Currency of the figures", "客户信用币种")),
    "limit": ("x_credit_customer_limit", Text("Customer credit limit", "客户信用额度")),
    "exposure": ("x_credit_customer_exposure", Text("Customer exposure", "客户信用占用")),
    "available": ("x_credit_customer_available", Text("Customer credit available", "客户可用额度")),
    "overdue": ("x_credit_customer_overdue", Text("Customer overdue", "客户逾期金额")),
    "as_of": ("x_credit_customer_as_of", Text("Figures as of", "信用数据日期")),
    "hold": ("x_credit_customer_hold", Text("Customer on hold", "客户已冻结")),
    "hold_reason": ("x_credit_customer_reason", Text("Why it is on hold", "客户冻结原因")),
}
_PAGE = Text("Credit", "信用")
_CUSTOMER_HELD = Text("This customer is on credit hold.", "该客户已被信用冻结。")
_ORDER_HELD = Text("This order is on credit hold.", "该订单已被信用冻结。")
SAID = {PARTNER: (_PAGE, _CUSTOMER_HELD), ORDER: (_PAGE, _CUSTOMER_HELD, _ORDER_HELD)}  # every word of each view
_COLOURS = {"green": "success", "yellow": "warning", "orange": "warning", "red": "danger"}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one form by our words, those that say none of them (`rest`), and the choices of the level."""

    words: Mapping[str, str]
    rest: tuple[str, ...] = ()
    levels: Mapping[str, str] | None = None


# --- the views -----------------------------------------------------------------------------------------------------------
def name_of(model: str) -> str:
    """The name of our view on a model's form."""
    return f"holdfast.{model}.form"


def partner_view(fields: Fields, language: Language = "en") -> str:
    """The view on contacts: a notice where one is on hold, and the page with the figures."""
    w = fields.words
    left = [_level(w.get("level", ""), fields.levels), *_plain(w, "limit", "limit_kind", "exposure", "available")]
    if used := w.get("utilisation_percent"):
        left.append(
            f'<field name={quoteattr(used)} readonly="1" widget="progressbar" '
            "options=\"{'overflow_class': 'bg-danger'}\"/>"
        )
    right = _plain(w, "overdue", "overdue_days", "currency", "customer_no", "as_of")
    below = [*_plain(w, "hold", "hold_reason"), *(_field(n) for n in fields.rest)]
    notice = _notice(w.get("hold", ""), w.get("hold_reason", ""), _CUSTOMER_HELD.say(language))
    return notice + _page(left, right, below, language)


def order_view(own: Fields, of_customer: Mapping[str, str], language: Language = "en") -> str:
    """The view on sales orders: notices where the order or its customer is on hold, the customer's level and what is left
    beside the customer's name, and the page."""
    w, theirs = own.words, of_customer
    notice = _notice(w.get("hold", ""), w.get("hold_reason", ""), _ORDER_HELD.say(language))
    if "hold" in theirs:
        # An order that is held by itself says so already; one that was released goes on.
        unless = "".join(f" or {w[word]}" for word in ("hold", "released") if word in w)
        notice += _notice(theirs["hold"], theirs.get("hold_reason", ""), _CUSTOMER_HELD.say(language), unless)
    beside = ""
    if "level" in theirs:
        unknown = f"not {theirs['level']}"
        shown = _level(theirs["level"], own.levels, unknown)
        shown += _field(theirs["available"], unknown) if "available" in theirs else ""
        beside = f'<xpath expr="//field[@name=\'partner_id\']" position="after">{shown}</xpath>'
    left = _plain(theirs, "limit", "exposure", "available")
    right = _plain(theirs, "overdue", "currency", "as_of")
    below = [*_plain(w, "hold", "hold_reason", "released"), *(_field(n, readonly="0") for n in own.rest)]
    return notice + beside + _page(left, right, below, language)


def _notice(hold: str, reason: str, said: str, unless: str = "") -> str:
    if not hold:
        return ""
    why = f'<div><field name={quoteattr(reason)} readonly="1" nolabel="1"/></div>' if reason else ""
    hidden = quoteattr(f"not {hold}{unless}")
    return (
        f'<xpath expr="//sheet" position="before"><field name={quoteattr(hold)} invisible="1"/>'
        f'<div class="alert alert-danger mb-0" role="alert" invisible={hidden}><div class="fw-bold">{said}</div>{why}</div></xpath>'
    )


def _page(left: Sequence[str], right: Sequence[str], below: Sequence[str], language: Language) -> str:
    rows = f"<group><group>{''.join(left)}</group><group>{''.join(right)}</group></group>"
    return (
        f'<xpath expr="//notebook" position="inside"><page string={quoteattr(_PAGE.say(language))} name="holdfast_credit">'
        f"{rows}<group>{''.join(below)}</group></page></xpath>"
    )


def _plain(words: Mapping[str, str], *wanted: str) -> list[str]:
    return [_field(words[word]) for word in wanted if word in words]


def _field(name: str, invisible: str = "", readonly: str = "1") -> str:
    hidden = f" invisible={quoteattr(invisible)}" if invisible else ""
    return f"<field name={quoteattr(name)} readonly={quoteattr(readonly)}{hidden}/>"


def _level(name: str, levels: Mapping[str, str] | None, invisible: str = "") -> str:
    """The level as a badge, coloured where we know which choice means what; the word is always there."""
    if not name:
        return ""
    found: dict[str, list[str]] = {}
    for word, theirs in (levels or {}).items():
        if word in _COLOURS:
            found.setdefault(_COLOURS[word], []).append(theirs)
    shown = "".join(
        f" decoration-{colour}={quoteattr(f'{name} in {tuple(choices)!r}')}"
        for colour, choices in sorted(found.items())
    )
    hidden = f" invisible={quoteattr(invisible)}" if invisible else ""
    return f'<field name={quoteattr(name)} readonly="1" widget="badge"{shown}{hidden}/>'


# --- from what is known -------------------------------------------------------------------------------------------------------
def fields_of(needs: Sequence[Need], model: str) -> Fields:
    """The fields of a form by the names that provisioning makes; names of an administrator's own choice stand below."""
    own = [n for n in needs if n.object == model]
    words = {WORDS[n.name]: n.name for n in own if n.name in WORDS}
    rest = tuple(n.name for n in own if n.name not in WORDS)
    level = next((n for n in needs if n.object == PARTNER and WORDS.get(n.name) == "level"), None)
    # The shipped choices only: of others nobody can say which is the worse.
    known = ("Good", "Watch", "Warning", "Stop")
    levels = dict(zip(_COLOURS, known, strict=True)) if level is not None and set(level.options) == set(known) else None
    return Fields(words, rest, levels)


# --- in a running Odoo ----------------------------------------------------------------------------------------------------------
def provision(admin: Client, needs: Sequence[Need], types: Mapping[str, str], dry: bool) -> Iterator[Finding]:
    """Makes the related fields and the views, or mends them; nothing else is touched."""
    partner = fields_of(needs, PARTNER)
    order = fields_of(needs, ORDER)
    related: dict[str, str] = {}
    if admin.fields(ORDER) and partner.words:
        for word, (name, label) in OF_CUSTOMER.items():
            if word in partner.words:
                related[word] = name
                need = next(n for n in needs if (n.object, n.name) == (PARTNER, partner.words[word]))
                yield _related(admin, name, label, partner.words[word], types[need.type], need, dry)
        if not dry:
            admin.forget_fields()
    if partner.words or partner.rest:
        yield _show(admin, PARTNER, lambda language: partner_view(partner, language), dry)
    if order.words or order.rest:
        yield _show(admin, ORDER, lambda language: order_view(order, related, language), dry)


def _related(admin: Client, name: str, label: Text, of: str, kind: str, need: Need, dry: bool) -> Finding:
    what = Text("Field {model}.{name} “{label}”", "字段 {model}.{name}“{label}”").fill(
        model=ORDER, name=name, label=label
    )
    path = f"{DEBTOR}.{of}"
    there = admin.rows("ir.model.fields", [["model", "=", ORDER], ["name", "=", name]], ["related"])
    if there:
        if there[0]["related"] == path:
            return Finding("fine", what)
        fix = Text("It belongs to somebody else: rename it.", "该字段另有用途：请更名。")
        return Finding("wrong", what, fix)
    if dry:
        return Finding("would", what)
    values = {
        "model_id": admin.model_id(ORDER), "name": name, "field_description": label.en, "related": path,
        "ttype": "text" if kind == "char" and need.length > 255 else kind, "store": False, "readonly": True, "copied": False,
    }  # fmt: skip
    made = admin.call("ir.model.fields", "create", safe=False, vals_list=[values])
    if speaks_chinese(admin):
        vals = {"field_description": label.zh}
        admin.call("ir.model.fields", "write", safe=True, ids=list(made), vals=vals, context={"lang": "zh_CN"})
    return Finding("made", what)


def speaks_chinese(admin: Client) -> bool:
    """Whether Simplified Chinese is one of the languages in use there."""
    return bool(admin.cached("chinese", lambda: admin.ids("res.lang", [["code", "=", "zh_CN"], ["active", "=", True]])))


def _show(admin: Client, model: str, arch: Callable[[Language], str], dry: bool) -> Finding:
    name = name_of(model)
    what = Text("Page “Credit” on the form of {title}", "{title}表单上的“信用”页").fill(title=TITLES[model])
    parent = admin.xml_id(SCREENS[model])
    if parent is None:
        return Finding("todo", what, Text("Its form view is not there.", "找不到其表单视图。"))
    languages: tuple[tuple[str, Language], ...] = (("en_US", "en"), ("zh_CN", "zh"))
    wanted = {code: arch(language) for code, language in (languages if speaks_chinese(admin) else languages[:1])}
    ids = admin.ids("ir.ui.view", [["name", "=", name], ["model", "=", model]])[:1]
    stale = [code for code in wanted if not ids or not same_view(_kept(admin, ids, code), wanted[code])]
    if not stale:
        return Finding("fine", what)
    if dry:
        return Finding("would", what)
    if not ids:
        values = {"name": name, "model": model, "inherit_id": parent, "mode": "extension"}
        values["arch"] = f"<data>{wanted['en_US']}</data>"
        ids = list(admin.call("ir.ui.view", "create", safe=False, vals_list=[values], context={"lang": "en_US"}))
        stale.remove("en_US")  # the Chinese is a translation of its words
    if "en_US" in stale:
        vals = {"arch": f"<data>{wanted['en_US']}</data>", "active": True}
        admin.call("ir.ui.view", "write", safe=True, ids=ids, vals=vals, context={"lang": "en_US"})
    if "zh_CN" in wanted:
        terms = {t.en: t.zh for t in SAID[model] if t.en in wanted["en_US"]}
        admin.call(
            "ir.ui.view",
            "update_field_translations",
            safe=True,
            ids=ids,
            field_name="arch_db",
            translations={"zh_CN": terms},
        )
    return Finding("made", what)


def _kept(admin: Client, ids: Sequence[int], code: str) -> str:
    """Our view as Odoo keeps it in one language, empty where it is switched off."""
    context = {"lang": code, "active_test": False}
    rows = admin.call("ir.ui.view", "read", safe=True, ids=list(ids), fields=["arch_db", "active"], context=context)
    return str(rows[0]["arch_db"]) if rows and rows[0]["active"] else ""


def same_view(there: str, wanted: str) -> bool:
    """Whether a kept view says what ours does; Odoo keeps it with other quotes, spaces and empty elements."""
    import xml.etree.ElementTree as Trees

    try:
        found = Trees.canonicalize(there, strip_text=True)
        return found == Trees.canonicalize(f"<data>{wanted}</data>", strip_text=True)
    except Trees.ParseError:
        return False


def remove(admin: Client, dry: bool) -> Sequence[Finding]:
    """Takes our views and the related fields away again; the fields that hold the figures, and the guard, stay."""
    found = []
    for model in SCREENS:
        what = Text("Page “Credit” on the form of {title}", "{title}表单上的“信用”页").fill(title=TITLES[model])
        ids = admin.ids("ir.ui.view", [["name", "=", name_of(model)], ["model", "=", model]])
        if ids and not dry:
            admin.call("ir.ui.view", "unlink", safe=True, ids=ids)
        found.append(Finding(("would" if dry else "made") if ids else "fine", what))
    domain = [["model", "=", ORDER], ["name", "in", [name for name, _ in OF_CUSTOMER.values()]]]
    rows = admin.rows("ir.model.fields", domain, ["related"])
    ids = [r["id"] for r in rows if str(r["related"]).startswith(DEBTOR)]
    if ids and not dry:
        admin.call("ir.model.fields", "unlink", safe=True, ids=ids)
    what = Text(
        "{many} fields of sales orders that show the customer's figures", "销售订单上显示客户信用数据的 {many} 个字段"
    )
    found.append(Finding(("would" if dry else "made") if ids else "fine", what.fill(many=len(ids))))
    admin.forget_fields()
    return found
