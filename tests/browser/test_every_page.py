"""Every page of the desk and the console on a company with something in it: pictured, without a fault, within the screen."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from connector.clock import SystemClock
from connector.errors import Problem
from connector.store import problems
from connector.store.keys import known_system
from connector.store.tables import sales_order
from connector.text import Text
from connector.web.navigation import GROUPS
from connector.web.pages import FOLDER, Pages
from jobs import calculate
from tests.browser.company import ALL_HANDS, Company, working
from tests.browser.conftest import Shoot, Site, faults

# Beside those of the navigation. In braces: a page of each kind, found by a link on the page named after the bar; and an
# order that is open no more, to which no list leads.
DETAILS = {
    "orders-all": "/desk/orders?show=all",
    "orders-mine": "/desk/orders?show=mine",
    "order": "{/desk/orders/.+|/desk/orders}",
    "order-closed": "{closed}",
    "customer": "{/desk/customers/.+|/desk/customers?sort=-overdue}",
    "customer-documents": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=documents",
    "customer-orders": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=orders",
    "customer-file": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=file",
    "customer-score": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=score",
    "customer-warnings": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=warnings",
    "customer-changes": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=changes",
    "customer-papers": "{/desk/customers/.+|/desk/customers?sort=-overdue}?tab=papers",
    "limit": r"{/desk/limits/\d+|/desk/limits}",
    "limit-whose": "/desk/limits/new",
    "limit-new": r"{/desk/limits/new\?customer=.+|{/desk/customers/.+|/desk/customers}}",
    "limits-ending": "/desk/limits?show=ending",
    "review": "{/desk/reviews/.+|/desk/reviews}",
    "simulation": r"{/desk/simulator/\d+|/desk/simulator}",
    "connect": "/admin/connect",
    "connect-odoo": "/admin/connect/odoo",
    "product": "/admin/products/tryton",
    "system": "/admin/systems/demo_erp",
    "system-change": "/admin/systems/demo_erp/change",
    "system-history": "/admin/systems/demo_erp/history",
    "system-remove": "/admin/systems/demo_erp/remove",
    "mapping": "/admin/mappings/demo_crm",
    "mapping-history": "/admin/mappings/demo_crm/history",
    "policy-history": "/admin/policy/history",
    "problem": r"{/admin/problems/[^?]+\?.+|/admin/problems}",
    "links-alone": "/admin/links?view=alone",
    "links-linked": "/admin/links?view=linked",
    "person": "/admin/people/li.wei",
    "account": "/me",
    "problem-page": "/desk/orders/nowhere/none",
}
PAGES = {
    **{item.address.removeprefix("/").replace("/", "-"): item.address for group in GROUPS for item in group.items},
    **DETAILS,
}
# Pages that only an answer to a form shows: where, and the button that asks for them.
ANSWERS = {
    "mapping-trial": ("/admin/mappings/demo_crm", "Dry run on all kept records"),
    "policy-trial": ("/admin/policy", "Try on today's customers"),
}
# Shown by the shell's tests, or by those of the panel.
ELSEWHERE = {
    "alone.html",
    "sign_in.html",
    "sign_in_code.html",
    "panel/frame.html",
    "panel/message.html",
    "panel/panel.html",
}
_WRONG = Text("“12,5o” is no amount.", "“12,5o”不是金额。")
_MEND = Text("Correct it in the ERP.", "请在 ERP 中更正。")
LOOKS = {"en": ("en", "desktop", "light"), "zh": ("zh", "phone", "dark")}
# Those with pictures, tables and long forms, in the other looks, too.
SAMPLED = ("desk", "order", "customer", "desk-portfolio", "simulation", "mapping", "admin-health")
OTHER_LOOKS = {"en-dark": ("en", "phone", "dark"), "zh-dark": ("zh", "desktop", "dark")}


@pytest.fixture(scope="module")
def rendered() -> Iterator[set[str]]:
    """The templates that were shown as pages."""
    found: set[str] = set()
    render = Pages.render

    def noted(self: Pages, request: Any, template: str, *more: Any, **values: Any) -> str:
        found.add(template)
        return render(self, request, template, *more, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pages, "render", noted)
        yield found


@pytest.fixture(scope="module")
def company(chromium: Any, tmp_path_factory: pytest.TempPathFactory, rendered: set[str]) -> Iterator[Company]:
    """The made-up company, in which some people have done something."""
    with working(chromium, tmp_path_factory.mktemp("every_page"), customers=40) as made:
        made.begun()
        _done_by_people(made)
        yield made


@pytest.fixture(scope="module")
def addresses(company: Company) -> dict[str, str]:
    """Where each page is."""
    page = company.site.visit(ALL_HANDS.id)
    wanted = dict.fromkeys(re.findall(r"\{.*\|.*\}", "\n".join(PAGES.values())))
    found = {said: address(page, said) for said in wanted}
    page.context.close()
    with company.store.reading() as tx:
        o = sales_order.c
        cancelled = select(o.ref).where(o.status == "cancelled", o.system == known_system(tx, "demo_erp")).limit(1)
        found["{closed}"] = f"/desk/orders/demo_erp/{tx.execute(cancelled).scalar_one()}"
    return {name: re.sub(r"\{.*\}", lambda at: found[at[0]], said) for name, said in PAGES.items()}


def _done_by_people(company: Company) -> None:
    """A limit asked for, a release asked for, a contact with a promise, a review begun, a portfolio, a simulation."""
    site = company.site
    page = site.visit("wang.fang")
    page.goto(address(page, DETAILS["limit-new"]))
    page.get_by_label("Amount", exact=True).fill("250000")
    page.get_by_label("Reason").fill("A new contract for the spring.")
    page.get_by_role("button", name="Ask for this limit").click()
    page.wait_for_url(re.compile(r"/desk/limits/\d+$"))
    page.goto(address(page, DETAILS["customer"]))
    page.get_by_label("What was said").first.fill("He will pay half of it next week.")
    page.get_by_label("Promised amount").first.fill("1000")
    page.locator("[name=promise_on]").first.fill(f"{SystemClock().now():%Y}-12-31")
    page.locator("[name=result]").first.select_option("promised")
    page.get_by_role("button", name="Note it").first.click()
    page.wait_for_load_state()
    page.goto(address(page, DETAILS["customer"]))
    if page.get_by_role("button", name="Begin a review now").count():
        page.get_by_role("button", name="Begin a review now").first.click()
        page.wait_for_load_state()
    page.goto("/desk/portfolio")
    page.get_by_role("button", name="Work it out again").click()
    page.wait_for_load_state()
    today = SystemClock().now().date()
    admin = site.visit("sun.qiang")
    admin.goto("/admin/policy")
    text = admin.get_by_label("The policy, as TOML")
    text.fill(text.input_value().replace("grace_days = 30", "grace_days = 10", 1))
    admin.get_by_label("Why it is changed").fill("Stricter, to see what it would have done.")
    admin.get_by_role("button", name="Save as a new version").click()
    admin.wait_for_url("**/history*")
    with company.store.writing() as tx:
        said = Problem("unreadable", "C0007", _WRONG, _MEND, "credit_limit")
        problems.note(tx, "record", "demo_erp", "customers", {"C0007": [said]}, SystemClock().now())
    page.goto("/desk/simulator")
    page.get_by_label("Policy to try").select_option(index=2)
    page.get_by_label("First day").fill((today - dt.timedelta(days=150)).replace(day=1).isoformat())
    page.get_by_role("button", name="Run the simulation").click()
    page.wait_for_load_state()
    sales = site.visit("chen.jie")
    sales.goto(address(sales, DETAILS["order"]))
    sales.get_by_label("What speaks for it").fill("An old customer; the payment is on its way.")
    sales.get_by_role("button", name="Ask for the release").click()
    sales.wait_for_load_state()
    calculate.work(company.store, company.config, SystemClock())
    for one in (page, sales, admin):
        one.context.close()
    assert site.complaints == []


def address(page: Any, said: str) -> str:
    """An address, with what stands in braces found by a link on a page."""
    begin = said.find("{")
    if begin < 0:
        return said
    inside, _, after = said[begin + 1 :].rpartition("}")
    wanted, _, where = inside.partition("|")
    page.goto(address(page, where))
    found = page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    right = [a for a in found if re.fullmatch(wanted, a)]
    assert right, f"no link to {wanted} on {where}: {found}"
    return right[0] + after


# What can be used but not reached by the Tab key, or is reached out of turn.
_UNREACHED = """() => {
  const usable = "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, summary";
  const wrong = [...document.querySelectorAll(usable)].filter(one => one.tabIndex < 0);
  const early = [...document.querySelectorAll("[tabindex]")].filter(one => one.tabIndex > 0);
  const dead = [...document.querySelectorAll("[onclick], [role=button]:not(button)")];
  return [...wrong, ...early, ...dead].map(one => one.outerHTML.slice(0, 80));
}"""
# Marks what has the focus; says whether it shows that, and what it is.
_FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const again = at.dataset.tabbed === "1";
  at.dataset.tabbed = "1";
  const look = getComputedStyle(at);
  return { again, shown: look.outlineStyle !== "none" || look.boxShadow !== "none", what: at.outerHTML.slice(0, 80) };
}"""
_LEFT_OUT = """() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary")].filter(
  one => one.checkVisibility() && one.getClientRects().length && !one.disabled && one.dataset.tabbed !== "1")
  .map(one => one.outerHTML.slice(0, 80))"""


# Of many rows, entries or cards of the same making axe looks at the first ones: it would take minutes over all.
_ONE_OF_EACH = """document.querySelectorAll(
  "tbody tr:nth-child(n + 9), .timeline > li:nth-child(n + 9), main > .card:nth-of-type(n + 15)"
).forEach(one => one.remove())"""


def looked_at(site: Site, page: Any, shoot: Shoot, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    wrong = [f"{name}: {wide} px wider than the screen"] if wide > 0 else []
    wrong += [f"{name}: not reached by Tab: {one}" for one in page.evaluate(_UNREACHED)]
    shoot(page, f"every-{name}")
    page.evaluate(_ONE_OF_EACH)
    wrong += [f"{name}: {one}" for one in (*faults(page), *site.complaints)]
    site.complaints.clear()
    return wrong


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_every_page_is_without_fault(
    company: Company, addresses: dict[str, str], shoot: Shoot, look: tuple[str, str, str]
) -> None:
    language, size, scheme = look
    page = company.site.visit(ALL_HANDS.id, language, size, scheme)
    wrong: list[str] = []
    for name, where in addresses.items():
        answer = page.goto(where)
        if answer.status != (404 if name == "problem-page" else 200):
            wrong.append(f"{name}: status {answer.status}")
        if name == "problem-page":
            company.site.complaints.clear()  # the browser tells every 404
        wrong += looked_at(company.site, page, shoot, f"{name}-{language}-{size}-{scheme}")
    if language == "en":
        for name, (where, button) in ANSWERS.items():
            page.goto(where)
            if name == "policy-trial":
                text = page.get_by_label("The policy, as TOML")
                text.fill(text.input_value().replace("grace_days = 30", "grace_days = 400", 1))
            page.get_by_role("button", name=button).click()
            page.wait_for_url(re.compile("/try$"))
            wrong += looked_at(company.site, page, shoot, f"{name}-{language}-{size}-{scheme}")
    page.context.close()
    assert not wrong, "\n".join(wrong)


_BY_TAB = ("order", "customer", "customer-papers", "limit", "desk-limits", "admin-people", "admin-runs", "system")


@pytest.mark.parametrize("name", _BY_TAB)
def test_every_control_is_reached_by_tab_and_shows_it(company: Company, addresses: dict[str, str], name: str) -> None:
    page = company.site.visit(ALL_HANDS.id)
    page.goto(addresses[name])
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    unmarked = []
    for _ in range(600):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUSED)
        date = at is not None and 'type="date"' in at["what"]
        if at is None or (at["again"] and not date):
            break
        # Within a field for a day the focus goes on to its parts, and at last to the calendar, which shows it itself.
        if not at["shown"] and not at["again"]:
            unmarked.append(at["what"])
    assert page.evaluate(_LEFT_OUT) == []
    assert unmarked == []
    page.context.close()


def test_lists_are_walked_by_keys(company: Company) -> None:
    page = company.site.visit(ALL_HANDS.id)
    page.goto("/desk/orders")
    rows = page.locator("tbody td.main a").all_inner_texts()
    assert len(rows) > 2
    here = "document.activeElement.textContent"
    for key, row in (("j", 0), ("j", 1), ("k", 0), ("j", 1)):
        page.keyboard.press(key)
        assert page.evaluate(here) == rows[row]
    page.keyboard.press("/")
    page.keyboard.type("jk")  # in a field they are letters
    assert page.get_by_label("Order or customer").input_value() == "jk"
    page.get_by_label("Order or customer").fill(rows[1])
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    page.keyboard.press("?")
    page.locator(".side .wide").get_by_text("next, previous row").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/desk/orders/[^?]+/[^?]+"))
    assert rows[1] in page.get_by_role("heading", level=1).inner_text()
    page.context.close()


@pytest.mark.parametrize("look", OTHER_LOOKS.values(), ids=OTHER_LOOKS)
def test_some_pages_are_without_fault_in_other_looks(
    company: Company, addresses: dict[str, str], shoot: Shoot, look: tuple[str, str, str]
) -> None:
    language, size, scheme = look
    page = company.site.visit(ALL_HANDS.id, language, size, scheme)
    wrong: list[str] = []
    for name in SAMPLED:
        page.goto(addresses[name])
        wrong += looked_at(company.site, page, shoot, f"{name}-{language}-{size}-{scheme}")
    page.context.close()
    assert not wrong, "\n".join(wrong)


def test_no_page_was_forgotten(company: Company, rendered: set[str]) -> None:
    """Whoever adds a page adds it here: each template that is a page of its own has been shown above."""
    folder = FOLDER / "templates"
    every = {
        one.relative_to(folder).as_posix()
        for one in folder.rglob("*.html")
        if "{% extends" in one.read_text("utf-8") and not one.name.endswith("_base.html")
    }
    assert every - rendered - ELSEWHERE == set()
