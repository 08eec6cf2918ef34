"""The shell in a real browser: signing in with the keyboard alone, looks and languages, no fault of accessibility."""

from __future__ import annotations

import pytest

from connector.store import passwords, sessions
from connector.web import passwords as argon
from tests.browser.conftest import Shoot, Site, faults

RIGHT = "four grey herons standing"


def test_signing_in_by_keyboard_and_out_again(site: Site, shoot: Shoot) -> None:
    with site.front.store.writing() as tx:
        passwords.put(tx, "li.wei", argon.hashed(RIGHT), by="person:li.wei", now=site.front.clock.now())
    page = site.visit(None, "zh")
    page.goto("/desk?tab=all")
    assert page.title() == "登录 · Holdfast"
    shoot(page, "sign-in-zh")
    page.get_by_label("用户名或邮箱").focus()
    page.keyboard.type("li.wei")
    page.keyboard.press("Tab")
    page.keyboard.type(RIGHT)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk?tab=all")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page"
    page.get_by_role("button", name="退出登录").first.click()
    page.wait_for_url("**/sign-in")
    page.goto("/desk")
    assert "/sign-in" in page.url


def test_a_link_signs_in_by_its_button(site: Site) -> None:
    with site.front.store.writing() as tx:
        code = sessions.make_code(tx, sessions.SIGN_IN, site.front.clock.now(), sessions.SIGN_IN_LASTS, person="li.wei")
    page = site.visit(None)
    page.goto(f"/sign-in/with/{code}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk")


@pytest.mark.parametrize(
    ("language", "scheme", "size"),
    [("en", "light", "desktop"), ("zh", "dark", "desktop"), ("en", "dark", "phone"), ("zh", "light", "phone")],
)
def test_no_page_of_the_shell_has_a_fault(site: Site, shoot: Shoot, language: str, scheme: str, size: str) -> None:
    for name, address, person in (("sign-in", "/sign-in", None), ("account", "/me", "li.wei")):
        page = site.visit(person, language, size, scheme)
        page.goto(address)
        shoot(page, f"{name}-{size}-{scheme}-{language}")
        assert faults(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, "the page is wider than the screen"


def test_looks_are_chosen_and_kept(site: Site) -> None:
    page = site.visit("li.wei")
    page.goto("/me")
    page.get_by_role("button", name="Dark").first.click()
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="中文").first.click()
    page.wait_for_load_state()
    assert page.get_by_role("heading", level=1).inner_text() == "我的账户"
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_pages_work_without_script(site: Site) -> None:
    page = site.visit("li.wei", java_script_enabled=False)
    page.goto("/me")
    page.get_by_role("button", name="中文").first.click()
    page.wait_for_load_state()
    assert page.get_by_role("heading", level=1).inner_text() == "我的账户"
