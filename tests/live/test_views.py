"""What a salesperson sees in a real Odoo: views by provisioning and by the module, twice, in both languages, and taken away."""

from __future__ import annotations

import base64
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector.adapter import Finding, Need
from jobs import plugins
from tests.live.test_odoo import ADAPTER, BUSINESSES, Server, pytestmark, shipped
from tests.live.test_odoo import server as server

__all__ = ["pytestmark"]

BUSINESSES["holdfast_views"] = ["--seed", "31", "--customers", "20", "--invoices", "60"]
SHOTS = Path(os.environ.get("HOLDFAST_SCREENSHOTS") or Path(__file__).parents[2] / "build" / "screenshots")
FIGURES = {
    "x_credit_level": "Stop", "x_credit_currency": "USD", "x_credit_limit": 50_000, "x_credit_limit_kind": "Limited",
    "x_credit_exposure": 63_210.5, "x_credit_available": -13_210.5, "x_credit_used": 126, "x_credit_overdue": 18_240.75,
    "x_credit_overdue_days": "31-60", "x_credit_as_of": "2026-11-25", "x_credit_hold": True,
    "x_credit_hold_reason": "Exposure 63,210.50 USD is above the limit of 50,000.00 USD.",
}  # fmt: skip


@pytest.fixture
def odoo(server: Callable[[str], Server]) -> Iterator[Server]:
    """A real Odoo in which nothing of ours is left, before and after."""
    found = server("holdfast_views")
    emptied(found)
    yield found
    emptied(found)


def emptied(odoo: Server) -> None:
    admin = odoo.client("admin")
    module = admin.ids("ir.module.module", [["name", "=", "holdfast_credit"], ["state", "=", "installed"]])
    if module:
        admin.call("ir.module.module", "button_immediate_uninstall", safe=False, ids=module)
    [view] = plugins.chosen(ADAPTER)
    assert view.remove is not None
    view.remove(admin, False)
    for model in ("base.automation", "ir.actions.server"):
        if ids := admin.ids(model, [["name", "like", "Holdfast:"]]):
            admin.call(model, "unlink", safe=True, ids=ids)
    if ids := admin.ids("ir.model.fields", [["name", "like", "x_credit"], ["state", "=", "manual"]]):
        admin.call("ir.model.fields", "unlink", safe=True, ids=ids)


def needs() -> list[Need]:
    mapping = shipped()
    return [n for c in ADAPTER.channels for n in mapping.needs(c.kind, c.object)] + mapping.needs_to_read(
        "release_request", "sale.order"
    )


def provision(odoo: Server) -> list[Finding]:
    assert ADAPTER.provision is not None
    return list(ADAPTER.provision(odoo.client("connector", roles=("crm",), admin=True), needs(), False))


def an_order(odoo: Server) -> tuple[int, int]:
    """A quotation, and the customer who will be invoiced for it, with figures of ours."""
    admin = odoo.client("admin")
    order = admin.rows("sale.order", [["state", "in", ["draft", "sent"]]], ["partner_invoice_id"], limit=1)[0]
    partner = admin.rows("res.partner", [["id", "=", order["partner_invoice_id"]]], ["commercial_partner_id"])[0]
    customer = int(partner["commercial_partner_id"])
    admin.call("res.partner", "write", safe=True, ids=[customer], vals=FIGURES)
    return int(order["id"]), customer


def test_provisioned_views_show_a_salesperson_the_figures_and_can_be_removed(odoo: Server) -> None:
    made = provision(odoo)
    assert {f.state for f in made} == {"made"}, [f for f in made if f.state != "made"]
    assert {f.state for f in provision(odoo)} == {"fine"}
    order, customer = an_order(odoo)
    sales = odoo.client("sales")
    [seen] = sales.rows("sale.order", [["id", "=", order]], ["x_credit_customer_level", "x_credit_customer_available"])
    assert (seen["x_credit_customer_level"], seen["x_credit_customer_available"]) == ("Stop", -13_210.5)
    in_a_browser(odoo, order, customer)
    [view] = plugins.chosen(ADAPTER)
    assert view.remove is not None
    admin = odoo.client("admin")
    assert {f.state for f in view.remove(admin, False)} == {"made"}
    assert {f.state for f in view.remove(admin, False)} == {"fine"}
    left = admin.fields("sale.order")
    assert "x_credit_hold" in left, "the fields that hold the figures stay"
    assert not [name for name in left if name.startswith("x_credit_customer_")]


def in_a_browser(odoo: Server, order: int, customer: int) -> None:
    """A salesperson signs in and opens the order and the contact; what he reads there is asserted, and kept as pictures."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if found is None:
        pytest.skip("no chromium on this machine")
    admin = odoo.client("admin")
    [person] = admin.rows("res.users", [["login", "=", "sales"]], ["id"])
    SHOTS.mkdir(parents=True, exist_ok=True)
    for language, words in (
        ("en_US", ("Credit", "This customer is on credit hold.", "Stop")),
        ("zh_CN", ("信用", "该客户已被信用冻结。", "停止")),
    ):
        password = f"only-for-this-test-{language}"
        admin.call("res.users", "write", safe=True, ids=[person["id"]], vals={"password": password, "lang": language})
        with playwright.sync_playwright() as play:
            browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            page.goto(f"{odoo.url}/web/login?db={odoo.db}")
            page.fill("input[name=login]", "sales")
            page.fill("input[name=password]", password)
            page.click("button[type=submit]")
            page.wait_for_url("**/odoo**")
            for model, record in (("sale.order", order), ("res.partner", customer)):
                page.goto(f"{odoo.url}/odoo/{model}/{record}")
                page.get_by_role("alert").get_by_text(words[1]).wait_for()
                [ours] = [a for a in page.get_by_role("alert").all_inner_texts() if words[1] in a]
                assert str(FIGURES["x_credit_hold_reason"]) in ours
                page.locator(".o_notebook").get_by_role("tab", name=words[0], exact=True).click()
                page.get_by_text("63,210.50").first.wait_for()
                assert (
                    page.locator("[name=x_credit_customer_level], [name=x_credit_level]").first.inner_text() == words[2]
                )
                page.screenshot(path=str(SHOTS / f"plugin-odoo-{model}-{language}.png"))
            browser.close()


def test_the_module_is_imported_twice_and_uninstalled_without_a_trace(odoo: Server) -> None:
    admin = odoo.client("admin")
    importer = admin.ids("ir.module.module", [["name", "=", "base_import_module"], ["state", "!=", "installed"]])
    if importer:
        admin.call("ir.module.module", "button_immediate_install", safe=False, ids=importer)
    [view] = plugins.chosen(ADAPTER)
    site = plugins.site(ADAPTER, shipped(), system="odoo")
    archive = plugins.build(view, site, Path(adapters.folder("odoo")) / "plugin").files["holdfast_credit.zip"]
    for _ in range(2):
        values: dict[str, Any] = {"module_file": base64.b64encode(archive).decode(), "force": True}
        ids = admin.call("base.import.module", "create", safe=False, vals_list=[values])
        admin.call("base.import.module", "import_module", safe=False, ids=list(ids))
    order, _ = an_order(odoo)
    sales = odoo.client("sales")
    [seen] = sales.rows("sale.order", [["id", "=", order]], ["x_credit_customer_level", "x_credit_customer_reason"])
    assert seen["x_credit_customer_level"] == "Stop"
    assert seen["x_credit_customer_reason"] == FIGURES["x_credit_hold_reason"]
    chinese = admin.call("sale.order", "fields_get", safe=True, attributes=["string"], context={"lang": "zh_CN"})
    assert chinese["x_credit_customer_available"]["string"] == "客户可用额度"
    # Provisioning finds all of it, and adds the rules that no module of data can carry.
    states = Counter(f.state for f in provision(odoo))
    assert states["fine"] > 20
    assert states["made"] <= 4
    assert states["wrong"] + states["todo"] == 0
    for model in ("base.automation", "ir.actions.server"):
        if ids := admin.ids(model, [["name", "like", "Holdfast:"]]):
            admin.call(model, "unlink", safe=True, ids=ids)
    module = admin.ids("ir.module.module", [["name", "=", "holdfast_credit"]])
    admin.call("ir.module.module", "button_immediate_uninstall", safe=False, ids=module)
    assert admin.ids("ir.model.fields", [["name", "like", "x_credit"]]) == []
    assert admin.ids("ir.ui.view", [["name", "like", "holdfast."]]) == []
