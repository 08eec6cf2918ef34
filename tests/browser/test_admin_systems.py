"""The console's first half in a real browser: from nothing to results, a system connected, a mapping changed as one types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector import adapter as adapters
from connector.sandbox import SandboxOptions
from tests.browser.company import working
from tests.browser.conftest import Shoot, Site, faults


@pytest.fixture(scope="module")
def site(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with an empty database that works on jobs, too: what one test leaves there, the next may find."""
    with working(chromium, tmp_path_factory.mktemp("admin_systems"), customers=30) as company:
        yield company.site


def begun(site: Site, language: str = "en") -> Any:
    """The made-up company has been read and judged, if not before; the administrator looks at the page of first steps."""
    page = site.visit("sun.qiang", language)
    page.goto("/admin/first-steps")
    begin = page.get_by_role("button", name="使用虚构数据开始" if language == "zh" else "Begin with made-up data")
    if begin.count():
        begin.click()
    page.get_by_text("现在可以查看" if language == "zh" else "What you see now").wait_for(timeout=90_000)
    return page


def test_from_nothing_to_results_by_buttons(site: Site, shoot: Shoot) -> None:
    page = site.visit("sun.qiang", "zh")
    page.goto("/")
    assert page.url.endswith("/admin/first-steps")
    shoot(page, "first-steps-empty-zh")
    page = begun(site, "zh")
    assert page.locator("#run .figures a").first.inner_text() == "30"
    page.get_by_role("link", name="待办事项").last.click()
    page.wait_for_url("**/desk")


def test_a_mapping_is_checked_as_one_types_and_gone_back_from(site: Site, shoot: Shoot) -> None:
    page = begun(site)
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


def test_the_made_up_company_is_taken_away_by_buttons(site: Site) -> None:
    page = begun(site, "zh")
    page.get_by_text("清除演示数据").click()
    page.get_by_role("button", name="清除虚构公司").click()
    page.get_by_role("button", name="使用虚构数据开始").wait_for(timeout=60_000)


def test_a_system_is_tried_and_connected_by_keyboard(site: Site, shoot: Shoot) -> None:
    box = adapters.sandbox("zoho_crm", SandboxOptions(customers=20))
    with box.served() as url:
        page = site.visit("sun.qiang")
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
