"""The console's first half in a real browser: from nothing to results, a system connected, a mapping changed as one types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector.sandbox import SandboxOptions
from tests.browser.company import working
from tests.browser.conftest import Shoot, Site, faults

# What a page of the console is called in a picture, and where it is.
PAGES = {
    "first-steps": "/admin/first-steps",
    "systems": "/admin/systems",
    "system": "/admin/systems/demo_crm",
    "system-change": "/admin/systems/demo_crm/change",
    "system-history": "/admin/systems/demo_crm/history",
    "system-remove": "/admin/systems/demo_crm/remove",
    "connect": "/admin/connect",
    "connect-odoo": "/admin/connect/odoo",
    "product": "/admin/products/tryton",
    "mappings": "/admin/mappings",
    "mapping": "/admin/mappings/demo_crm",
    "mapping-history": "/admin/mappings/demo_crm/history",
    "links": "/admin/links",
    "links-alone": "/admin/links?view=alone",
    "links-linked": "/admin/links?view=linked",
}


@pytest.fixture
def empty(chromium: Any, tmp_path: Path) -> Iterator[Site]:
    """A service with an empty database that works on jobs, too."""
    with working(chromium, tmp_path) as company:
        yield company.site


def begun(site: Site) -> Any:
    """The made-up company has been read and judged; the administrator looks at the page of first steps."""
    page = site.visit("sun.qiang")
    page.goto("/")
    page.get_by_role("button", name="Begin with made-up data").click()
    page.get_by_text("What you see now").wait_for(timeout=90_000)
    return page


def test_from_nothing_to_results_and_back_by_buttons(empty: Site, shoot: Shoot) -> None:
    page = empty.visit("sun.qiang", "zh")
    page.goto("/")
    assert page.url.endswith("/admin/first-steps")
    shoot(page, "first-steps-empty-zh")
    page.get_by_role("button", name="使用虚构数据开始").click()
    page.get_by_text("现在可以查看").wait_for(timeout=90_000)
    assert page.locator("#run .figures a").first.inner_text() == "60"
    page.get_by_role("link", name="待办事项").last.click()
    page.wait_for_url("**/desk")
    page.goto("/admin/first-steps")
    page.get_by_text("清除演示数据").click()
    page.get_by_role("button", name="清除虚构公司").click()
    page.get_by_role("button", name="使用虚构数据开始").wait_for(timeout=60_000)


def test_no_page_of_the_console_has_a_fault(empty: Site, shoot: Shoot) -> None:
    begun(empty)
    for language, scheme, size in (("en", "light", "desktop"), ("zh", "dark", "phone"), ("zh", "light", "desktop")):
        page = empty.visit("sun.qiang", language, size, scheme)
        for name, address in PAGES.items():
            page.goto(address)
            shoot(page, f"{name}-{size}-{scheme}-{language}")
            assert faults(page) == [], name
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is wider than the screen"


def test_a_mapping_is_checked_as_one_types_and_gone_back_from(empty: Site, shoot: Shoot) -> None:
    page = begun(empty)
    page.goto("/admin/mappings/demo_crm?stream=accounts")
    text = page.get_by_label("The mapping, as TOML")
    right = text.input_value()
    text.fill(right.replace('name = "Account_Name"', 'nome = "Account_Name"', 1))
    page.get_by_text("Did you mean “name”?").wait_for()
    shoot(page, "mapping-wrong")
    text.fill(right.replace('phone = "Phone"', 'phone = "Billing_Country"', 1))
    page.locator("#checked ins", has_text="CN").first.wait_for()
    page.get_by_role("button", name="Ask the system for its fields").click()
    page.get_by_label("Search the fields there").fill("website")
    page.locator("#checked code", has_text="Website").wait_for()
    assert 'phone = "Billing_Country"' in text.input_value(), "a draft is not lost by a look around"
    page.get_by_role("button", name="Dry run on all kept records").click()
    page.get_by_role("heading", name="Records and what becomes of them").wait_for()
    shoot(page, "mapping-dry-run")
    page.get_by_label("Why it is changed").fill("tried in a browser")
    page.get_by_role("button", name="Save and use it").click()
    page.wait_for_url("**/history")
    page.get_by_text("tried in a browser").first.wait_for()
    page.get_by_role("button", name="Use the file again").click()
    page.get_by_text("The file is used again").wait_for()


def test_a_system_is_tried_and_connected_by_keyboard(empty: Site, shoot: Shoot) -> None:
    box = adapters.sandbox("zoho_crm", SandboxOptions(customers=20))
    with box.served() as url:
        page = empty.visit("sun.qiang")
        page.goto("/admin/connect/zoho_crm")
        page.get_by_label("Name (needed)").fill("our crm")
        page.get_by_text("it does not match the pattern").first.wait_for()
        page.get_by_label("Name (needed)").fill("zoho")
        page.locator("summary", has_text="More settings of this product").press("Enter")
        for name in ("base_url", "accounts_url"):
            page.locator(f'[name="settings.{name}"]').fill(url)
        for name, value in box.credentials().items():
            page.locator(f'[name="typed.secrets.{name}"]').fill(value)
        page.get_by_text("The form is complete.").wait_for()
        page.get_by_role("button", name="Try it").press("Enter")
        page.get_by_text("it can be used").wait_for(timeout=60_000)
        shoot(page, "connect-tried")
        assert faults(page) == []
        for value in box.credentials().values():
            assert value not in page.content()
        page.locator("#tried").get_by_role("button", name="Save and use it").press("Enter")
        page.wait_for_url("**/admin/systems/zoho")
        page.get_by_role("button", name="What is lacking?").click()
        page.get_by_text("would be made").first.wait_for()
        shoot(page, "system-lacking")
