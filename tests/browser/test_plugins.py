"""The plugins in a real browser, in pages that imitate each CRM's frame: what they show, to whom, and what they never do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.config_service import ServiceSettings
from connector.connect import loaded
from connector.store.db import Store
from connector.web.front import Front
from jobs import plugins
from tests.browser import crm_frames
from tests.browser.conftest import Shoot, Site, faults, serving, told
from tests.browser.crm_frames import Stage, staged
from tests.npm import package
from tests.web.calling import free_port
from tests.web.crm_frame import BEFORE, OTHER, SECRET, Frame, filled, framed

ADDRESS = "https://credit.example.com"


def built(name: str, plugin: str, address: str = ADDRESS) -> Mapping[str, bytes]:
    adapter = adapters.load(name)
    mapping = loaded(mappings.shipped(name), f"{name}.toml", adapter)
    site = plugins.site(adapter, mapping, system="crm", address=address)
    if name == "fxiaoke":  # as a tenant would have named its fields
        site = replace(site, shown=tuple(replace(s, name=f"field_{s.word}__c") for s in site.shown))
    [chosen] = plugins.chosen(adapter, plugin)
    return plugins.build(chosen, site, Path(adapters.folder(name)) / "plugin").files


# --- Zoho -----------------------------------------------------------------------------------------------------------------
HELD: dict[str, Any] = {
    "id": "A1", "Account_Name": "Bright Metals Ltd", "Credit_Status": "Stop", "Credit_Currency": "EUR", "Credit_Limit": 50000,
    "Credit_Exposure": 63210.5, "Credit_Available": -13210.5, "Credit_Used_Band": "101+", "Overdue_Amount": 18240.75,
    "Overdue_Band": "31-60", "Credit_As_Of": "2026-11-25", "Credit_Hold": True,
    "Credit_Hold_Reason": "Exposure 63,210.50 EUR is above the limit of 50,000.00 EUR by 13,210.50 EUR.\nReleased by: a payment of 13,210.50 EUR.",
}  # fmt: skip
GOOD = {
    **HELD, "id": "A2", "Credit_Status": "Good", "Credit_Currency": "CNY", "Credit_Exposure": 31000, "Credit_Available": 19000,
    "Overdue_Amount": 0, "Credit_Hold": False, "Credit_Hold_Reason": None,
}  # fmt: skip
EMPTY = {"id": "A3", "Account_Name": "Newcomer", "Credit_Status": "-None-", "Credit_Hold": False}
ORDER = {
    "id": "Z1", "Account_Name": {"id": "A2", "name": "Bright Metals Ltd"}, "Credit_Hold": True,
    "Credit_Hold_Reason": "订单金额 25,000.00 CNY 将使占用超出额度 6,000.00 CNY。",
}  # fmt: skip
CLOSED = {**ORDER, "id": "Z2", "Account_Name": {"id": "nobody-may-see"}}
RECORDS: dict[str, dict[str, Any]] = {
    "Accounts": {a["id"]: a for a in (HELD, GOOD, EMPTY)},
    "Sales_Orders": {o["id"]: o for o in (ORDER, CLOSED)},
}


def zoho(stage: Stage) -> Any:
    stage.page.goto("https://crm.zoho.example/")
    return stage.page.frame_locator("#widget")


def shown(frame: Any) -> str:
    frame.locator("#credit > *").first.wait_for()
    frame.locator("body").get_by_text(re.compile("Reading|正在读取")).wait_for(state="detached")
    return str(frame.locator("#credit").inner_text())


def zoho_hosts(entity: str, ids: Any, **more: Any) -> Any:
    return crm_frames.zoho(built("zoho_crm", "widget", more.pop("address", ADDRESS)), RECORDS, entity, ids, **more)


@pytest.mark.parametrize(("language", "theme"), [("en_GB", "Day"), ("zh_CN", "Night")])
@pytest.mark.parametrize("width", [320, 900])
def test_a_related_list_shows_an_accounts_credit(
    chromium: Any, shoot: Shoot, language: str, theme: str, width: int
) -> None:
    hosts = zoho_hosts("Accounts", "A1", language=language, theme=theme)
    with staged(chromium, hosts, width=width, dark=theme == "Night") as stage:
        frame = zoho(stage)
        text = shown(frame)
        words = (
            ["Stop", "On hold", "Over the limit by", "Data as of"]
            if language == "en_GB"
            else ["停止", "已冻结", "超出额度", "数据截至"]
        )
        assert [w for w in words if w not in text] == []
        assert "13,210.50" in text
        assert "Released by: a payment of 13,210.50 EUR." in text
        assert frame.locator("html").get_attribute("lang") == ("zh-CN" if language == "zh_CN" else "en")
        wide = frame.locator("body").evaluate(
            "b => b.ownerDocument.documentElement.scrollWidth - b.ownerDocument.defaultView.innerWidth"
        )
        assert wide <= 0, "it has to be scrolled sideways"
        shoot(stage.page, f"plugin-zoho-account-{language}-{theme}-{width}")
        assert (stage.asked, stage.said) == ([], [])
        assert stage.page.frames[1].evaluate("calls.map(c => c[0])") == ["getRecord"], (
            "more was asked than the one record"
        )


def test_a_sales_order_shows_its_own_hold_and_its_accounts_figures(chromium: Any, shoot: Shoot) -> None:
    # In list views and buttons Zoho gives the ids as a list.
    with staged(chromium, zoho_hosts("Sales_Orders", ["Z1"], place="button"), width=420) as stage:
        frame = zoho(stage)
        text = shown(frame)
        assert "This order is on hold" in text
        assert text.index("This order is on hold") < text.index("Figures of the customer") < text.index("Good")
        assert "订单金额 25,000.00 CNY" in text
        calls = stage.page.frames[1].evaluate("calls")
        assert [c[1] for c in calls if c[0] == "getRecord"] == [
            {"Entity": "Sales_Orders", "RecordID": "Z1"},
            {"Entity": "Accounts", "RecordID": "A2"},
        ]
        assert [c for c in calls if c[0] == "Resize"], "the window keeps its first size"
        shoot(stage.page, "plugin-zoho-order-button")
        frame.get_by_role("button", name="Close").press("Enter")
        assert ["close"] in stage.page.frames[1].evaluate("calls")


@pytest.mark.parametrize(
    ("entity", "ids", "said"),
    [
        ("Accounts", "A3", "There are no credit figures here yet."),
        ("Accounts", "unknown", "You may not see the credit figures"),
        ("Sales_Orders", "Z2", "This order is on hold"),
        ("Accounts", ["A1", "A2"], "Choose one record"),
    ],
)
def test_what_is_not_there_or_may_not_be_seen_is_said(chromium: Any, entity: str, ids: Any, said: str) -> None:
    with staged(chromium, zoho_hosts(entity, ids, address="")) as stage:
        text = shown(zoho(stage))
        assert said in text
        assert not re.search(r"(?<![\d,])0\.00", text), "missing is not zero"
        assert stage.said == []


def test_a_value_of_the_crm_is_text_and_never_markup(chromium: Any) -> None:
    bad = {**HELD, "Credit_Hold_Reason": "<img src=x onerror=document.title='hit'>", "Credit_Status": "<b>Stop</b>"}
    records = {"Accounts": {"A1": bad}}
    with staged(chromium, crm_frames.zoho(built("zoho_crm", "widget", ""), records, "Accounts", "A1")) as stage:
        text = shown(zoho(stage))
        assert "<img src=x" in text
        assert "Not rated" in text
        assert stage.page.frames[1].title() != "hit"
        assert stage.asked == []


@pytest.mark.parametrize(
    "output",
    [
        '{"url": "https://evil.example/panel?code=1"}',
        '{"url": "https://credit.example.com.evil.example/panel"}',
        '{"url": "javascript:alert(1)"}',
        '{"error": "refused"}',
        "no json",
        "",
    ],
)
def test_whatever_the_function_answers_only_our_service_is_framed(chromium: Any, output: str) -> None:
    with staged(chromium, zoho_hosts("Accounts", "A1", launch=output)) as stage:
        frame = zoho(stage)
        shown(frame)
        frame.get_by_role("button", name="Open the credit panel").click()
        frame.get_by_text("could not be opened").wait_for()
        assert frame.locator("iframe").count() == 0
        assert stage.asked == []


def test_without_our_service_no_function_of_the_organisation_is_run(chromium: Any) -> None:
    with staged(chromium, zoho_hosts("Accounts", "A1", address="")) as stage:
        frame = zoho(stage)
        shown(frame)
        assert frame.get_by_role("button").count() == 0
        assert "execute" not in stage.page.frames[1].evaluate("calls.map(c => c[0])")


@pytest.mark.parametrize("theme", ["Day", "Night"])
def test_axe_finds_no_serious_fault_in_the_widget(chromium: Any, theme: str) -> None:
    with staged(chromium, zoho_hosts("Accounts", "A1", theme=theme)) as stage:
        shown(zoho(stage))
        assert faults(stage.page) == []


# --- Fxiaoke ----------------------------------------------------------------------------------------------------------------
FX_HELD: dict[str, Any] = {
    "_id": "A1", "field_level__c": "红", "field_limit__c": "500000.00", "field_exposure__c": "632105.50",
    "field_available__c": "-132105.50", "field_balance__c": "480000.00", "field_overdue__c": "182407.50",
    "field_overdue_days__c": "31-60", "field_as_of__c": 1795622400000, "field_hold__c": True,
    "field_hold_reason__c": "信用占用 632,105.50 CNY 超出额度 500,000.00 CNY，超出 132,105.50 CNY。",
}  # fmt: skip
FX_GOOD = {
    **FX_HELD,
    "_id": "A2",
    "field_level__c": "绿",
    "field_exposure__c": "210000.00",
    "field_overdue__c": "0.00",
    "field_hold__c": False,
}
FX_RECORDS: dict[str, dict[str, Any]] = {
    "AccountObj": {"A1": FX_HELD, "A2": FX_GOOD, "A3": {"_id": "A3", "name": "新客户"}},
    "SalesOrderObj": {"Z1": {"_id": "Z1", "account_id": "A2", "field_hold__c": True, "field_hold_reason__c": "订单将使占用超出额度 6,000.00 CNY。"}},
}  # fmt: skip


@cache
def compiled() -> tuple[dict[str, Any], bytes]:
    """The component as a page builder would compile it, and Vue itself."""
    vue = package("vue", "2.7.16") / "vue"
    folder = package("vue", "2.7.16").parent
    source = folder / "credit_panel.vue"
    source.write_bytes(built("fxiaoke", "panel")["credit_panel/credit_panel.vue"])
    script = Path(__file__).with_name("compile_vue.js")
    done = subprocess.run(["node", str(script), str(source), str(vue)], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    assert said["errors"] == []
    return said, (vue / "dist" / "vue.esm.browser.min.js").read_bytes()


def fxiaoke(entity: str, record: str, address: str = ADDRESS, **more: Any) -> Any:
    module, vue = compiled()
    return crm_frames.fxiaoke(module, built("fxiaoke", "panel", address), vue, FX_RECORDS, entity, record, **more)


@pytest.mark.parametrize(("language", "width"), [("zh-CN", 900), ("en", 320)])
def test_the_page_component_shows_an_accounts_credit(chromium: Any, shoot: Shoot, language: str, width: int) -> None:
    with staged(chromium, fxiaoke("AccountObj", "A1", language=language), width=width) as stage:
        stage.page.goto("https://www.fxiaoke.example/")
        stage.page.locator("dl").wait_for()
        text = stage.page.locator(".holdfast").inner_text()
        words = (
            ["停止", "客户已被冻结", "超出额度", "数据截至"]
            if language == "zh-CN"
            else ["Stop", "on hold", "Over the limit", "Data as of"]
        )
        assert [w for w in words if w not in text] == []
        assert "132,105.50" in text
        # The millisecond of a midnight in Shanghai is that day there, wherever the browser is.
        assert ("2026年11月26日" if language == "zh-CN" else "Nov 26, 2026") in text
        assert stage.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert stage.page.evaluate("calls.map(c => c[0])") == ["fetch_data"]
        shoot(stage.page, f"plugin-fxiaoke-account-{language}-{width}")
        assert (stage.asked, stage.said) == ([], [])
        assert faults(stage.page) == []


def test_an_order_in_fxiaoke_shows_its_own_hold_first(chromium: Any, shoot: Shoot) -> None:
    with staged(chromium, fxiaoke("SalesOrderObj", "Z1")) as stage:
        stage.page.goto("https://www.fxiaoke.example/")
        stage.page.locator("dl").wait_for()
        text = stage.page.locator(".holdfast").inner_text()
        assert text.index("该订单已被冻结") < text.index("客户信用数据") < text.index("正常")
        shoot(stage.page, "plugin-fxiaoke-order")


@pytest.mark.parametrize(("record", "said"), [("A3", "暂无信用数据"), ("nobody", "无法读取")])
def test_in_fxiaoke_too_missing_is_not_zero(chromium: Any, record: str, said: str) -> None:
    with staged(chromium, fxiaoke("AccountObj", record)) as stage:
        stage.page.goto("https://www.fxiaoke.example/")
        stage.page.get_by_text(said).wait_for()
        assert "0.00" not in stage.page.locator(".holdfast").inner_text()


@pytest.mark.parametrize("answer", ['{"url": "https://evil.example/x"}', '{"error": "refused"}', "no json"])
def test_in_fxiaoke_too_only_our_service_is_framed(chromium: Any, answer: str) -> None:
    with staged(chromium, fxiaoke("AccountObj", "A1", launch=answer)) as stage:
        stage.page.goto("https://www.fxiaoke.example/")
        stage.page.get_by_role("button", name="打开信用面板").click()
        stage.page.get_by_text("无法打开信用面板").wait_for()
        assert stage.page.locator("iframe").count() == 0
        [call] = [c for c in stage.page.evaluate("calls") if c[0] == "call_controller"]
        assert call[1:] == [
            "func_holdfast_panel__c",
            [
                {"type": "String", "name": "object", "value": "AccountObj"},
                {"type": "String", "name": "record_id", "value": "A1"},
            ],
        ]


# --- the signed panel inside -------------------------------------------------------------------------------------------------
@dataclass
class Service:
    """Our service on this machine, and the server-side code of a CRM that asks it for launches."""

    site: Site
    frame: Frame

    def address(self, **said: Any) -> str:
        answer = self.frame.launch(**said)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])


@pytest.fixture
def service(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name, value in {"PANEL": SECRET, "PANEL_BEFORE": BEFORE, "PANEL_OTHER": OTHER}.items():
        monkeypatch.setenv(name, value)
    # Every page around a frame must be allowed, not only the nearest: Zoho's own and that of its widgets.
    ancestors = (
        "https://crm.zoho.example",
        "https://widgets.zoho.example",
        "https://www.fxiaoke.example",
        "https://crm.own.example",
    )
    settings = framed(tmp_path, frame_ancestors=ancestors).model_copy(update={"service": ServiceSettings()})  # type: ignore[call-arg]
    store = Store.open(f"sqlite:///{tmp_path / 'plugins.db'}")
    shop = filled(store, settings)
    for site in serving(Front(store, settings, shop.clock), free_port(), chromium):
        with httpx.Client(base_url=site.url) as client:
            yield Service(site, Frame(client, shop))  # type: ignore[arg-type]
    store.close()


@pytest.fixture(scope="module")
def near(chromium: Any) -> Iterator[Any]:
    """A browser in which pages of other hosts may frame a server on this machine: in earnest ours has a public address."""
    browser = chromium.browser_type.launch(
        executable_path=chromium_path(), args=["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
    )
    yield browser
    browser.close()


def chromium_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def test_zohos_widget_opens_the_signed_panel_once(near: Any, service: Service, shoot: Shoot) -> None:
    url = service.site.url
    hosts = zoho_hosts("Accounts", "A1", address=url, language="en_GB", launch=json.dumps({"url": service.address()}))
    with staged(near, hosts, width=420, open_=(url,)) as stage:
        stage.page.set_viewport_size({"width": 420, "height": 1400})
        frame = zoho(stage)
        shown(frame)
        stage.page.locator("#widget").evaluate("f => { f.style.height = '1200px' }")
        frame.get_by_role("button", name="Open the credit panel").click()
        panel = frame.frame_locator("iframe.panel")
        panel.get_by_text("90,000.50").first.wait_for()  # what 华东机械 owes, from our own ledger
        shoot(stage.page, "plugin-zoho-signed-panel")
        assert stage.asked == []
        # The same address a second time opens nothing.
        frame.locator("iframe.panel").evaluate("f => { f.src = f.src }")
        panel.get_by_text("This view is over").wait_for()


def test_a_page_that_was_not_named_frames_nothing(near: Any, service: Service) -> None:
    hosts = {"https://evil.example": {"": f'<iframe src="{service.address()}"></iframe>'.encode()}}
    with staged(near, hosts, open_=(service.site.url,)) as stage:
        stage.page.goto("https://evil.example/")
        assert told(stage.page, stage.said, "frame-ancestors"), stage.said
        assert "90,000.50" not in stage.page.frames[1].content()


def test_fxiaokes_component_opens_the_signed_panel(near: Any, service: Service, shoot: Shoot) -> None:
    url = service.site.url
    hosts = fxiaoke("AccountObj", "A1", address=url, launch=json.dumps({"url": service.address(language="zh_CN")}))
    with staged(near, hosts, width=420, open_=(url,)) as stage:
        stage.page.goto("https://www.fxiaoke.example/")
        stage.page.get_by_role("button", name="打开信用面板").click()
        stage.page.frame_locator("iframe.panel").get_by_text("90,000.50").first.wait_for()
        shoot(stage.page, "plugin-fxiaoke-signed-panel")
        assert stage.asked == []


def test_any_other_page_frames_the_panel_by_our_snippet(near: Any, service: Service, shoot: Shoot) -> None:
    place = plugins.generic_site("crm", service.site.url, "en")
    snippet = plugins.build(plugins.GENERIC[0], place, plugins.generic_folder()).files["frame.html"].decode()
    hosts = crm_frames.generic(snippet, service.address(object="customer"))
    with staged(near, hosts, width=420, open_=(service.site.url,)) as stage:
        stage.page.goto("https://crm.own.example/")
        stage.page.frame_locator("iframe").get_by_text("90,000.50").first.wait_for()
        shoot(stage.page, "plugin-generic-frame")
        assert stage.asked == []
