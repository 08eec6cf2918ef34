"""The whole story by real controls, in both languages: from nothing to a held order, its release by two people, and a payment
after which nothing is held any more."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.web.catalogue import catalogue
from tests.browser.company import Company, working
from tests.browser.conftest import Shoot, faults

APPROVERS = ("li.wei", "zhao.min")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_whole_story(chromium: Any, tmp_path: Path, shoot: Shoot, language: str) -> None:
    with working(chromium, tmp_path, customers=40) as company:
        _told(company, language, shoot)


def _told(company: Company, language: str, shoot: Shoot) -> None:
    site, word = company.site, _words(language)

    def seen(page: Any, name: str) -> None:
        shoot(page, f"story-{name}-{language}")
        if language == "en":  # every page is looked at in Chinese elsewhere
            assert faults(page) == []

    # First steps: from an empty database to results.
    admin = site.visit("sun.qiang", language)
    admin.goto("/")
    assert admin.url.endswith("/admin/first-steps")
    admin.get_by_role("button", name=word("Begin with made-up data")).click()
    admin.get_by_text(word("What you see now")).wait_for(timeout=120_000)
    _until_done(admin, word)
    # The mapping is looked at, with what becomes of real records.
    admin.get_by_role("link", name=word("Look at the mappings")).click()
    admin.wait_for_url("**/admin/mappings")
    admin.get_by_role("link", name="demo_erp").first.click()
    admin.locator("#checked").wait_for()
    seen(admin, "1-mapping")
    # A run, asked for on the page.
    _run(admin, word)
    seen(admin, "2-run")

    # Somebody of sales finds the held order, and sees what would let it go.
    sales = site.visit("chen.jie", language)
    items = _held_order(sales, word)
    order = sales.url
    assert sales.get_by_role("button", name=word("Release the order")).count() == 0, "sales releases nothing"
    customer = sales.locator("dl.figures a").first
    name, customer_page = customer.inner_text(), customer.get_attribute("href")
    seen(sales, "3-held")
    sales.get_by_label(word("What speaks for it")).focus()
    sales.keyboard.type("The customer has promised to pay on Friday.")
    sales.keyboard.press("Tab")
    sales.keyboard.press("Enter")
    sales.get_by_text(_said("The release is asked for.", "已提交放行申请。", language)).wait_for()
    seen(sales, "4-requested")

    # It waits for those who decide, and for as many of them as the matrix wants; the first of them may not decide alone.
    for who in APPROVERS:
        page = site.visit(who, language)
        page.goto("/desk/orders?show=mine")
        page.locator("tbody tr", has_text=name).first.locator("a").first.click()
        page.wait_for_url(order)
        page.get_by_text("The customer has promised to pay on Friday.").first.wait_for()
        page.get_by_label(word("Why it may go")).focus()
        page.keyboard.type("The promise is good enough.")
        page.get_by_role("button", name=word("Release the order")).press("Enter")
        told = page.locator(".notice[role=status]").inner_text()
        seen(page, f"5-approved-{who}")
        if told == _said("The order is released.", "订单已放行。", language):
            break
        assert told == _said(
            "Your approval is kept; a second person has to approve the release.",
            "您的批准已记录，还需另一人批准后方可放行。",
            language,
        )
    sales.reload()
    assert sales.locator(".badge").first.inner_text().split()[-1] == _said("Released", "已放行", language)
    assert sales.get_by_role("heading", name=word("It would be held, and goes on in spite of")).count() == 1

    # The customer pays what it was asked for; the next run frees everything of his.
    client, rehearsal = company.ledger()
    ref = str(customer_page).rpartition("/")[2]
    for _ in range(items):
        rehearsal.pay(client, ref)
    _run(admin, word)
    sales.goto(str(customer_page))
    assert _said("On hold", "信用冻结", language) not in sales.locator("main .badge").first.inner_text()
    seen(sales, "6-paid")
    sales.goto(order)
    sales.get_by_role("heading", name=word("Nothing holds it")).wait_for()
    seen(sales, "7-free")
    sales.goto("/desk/orders")
    assert sales.locator("tbody tr", has_text=name).count() == 0
    # Everything of it is in the trail, and the trail is whole.
    admin.goto("/admin/audit")
    for action in ("order.release", "demo.begin"):
        admin.get_by_text(action).first.wait_for()


def _words(language: str) -> Callable[[str], str]:
    return catalogue("zh" if language == "zh" else "en").gettext


def _said(en: str, zh: str, language: str) -> str:
    return zh if language == "zh" else en


def _until_done(page: Any, word: Callable[[str], str]) -> None:
    page.locator("#run").get_by_role("button", name=word("Read and judge now")).wait_for(timeout=120_000)


def _run(page: Any, word: Callable[[str], str]) -> None:
    """The whole job, by the button of the first steps; it renews itself until it is done."""
    page.goto("/admin/first-steps")
    _until_done(page, word)
    page.locator("#run").get_by_role("button", name=word("Read and judge now")).press("Enter")
    page.wait_for_load_state()
    _until_done(page, word)


def _held_order(page: Any, word: Callable[[str], str]) -> int:
    """Opens a held order of the ledger that a payment of some items would let go; says how many items. By keyboard: the rows
    by j, opened by Enter."""
    page.goto("/desk/orders")
    rows = page.locator("tbody tr td.main").all_inner_texts()
    for at, row in enumerate(rows):
        if "demo_erp" not in row:
            continue
        for _ in range(at + 1):
            page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/desk/orders/demo_erp/.+"))
        way = page.locator(".card .card", has_text=word("Pay these items"))
        if way.count():
            return int(way.first.locator("li").count())
        page.go_back()
        page.locator("tbody tr").first.wait_for()
    raise AssertionError(f"no held order that a payment lets go: {rows}")
