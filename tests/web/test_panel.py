"""The credit panel inside a CRM: who gets in and how often, who sees what of which record, what is asked for, and what the page
is made of."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connector.config import Config
from connector.store import audit, customers, limits
from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from jobs import panel_launch
from jobs.timeline import timeline
from tests.web.crm_frame import ADDRESS, BEFORE, NOBODY, OTHER, SECRET, STAFF, Frame, fields_of, filled, framed

# What asks nothing of the database that the others do not ask, too, is tried on one.
one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PANEL": SECRET, "PANEL_BEFORE": BEFORE, "PANEL_OTHER": OTHER}.items():
        monkeypatch.setenv(name, value)


def opened(store: Store, settings: Config) -> Iterator[Frame]:
    shop = filled(store, settings)
    front = Front(store, settings, shop.clock)
    with TestClient(make(front), raise_server_exceptions=False) as client:
        yield Frame(client, shop)


@pytest.fixture
def frame(store: Store, tmp_path: Path) -> Iterator[Frame]:
    yield from opened(store, framed(tmp_path))


def trail(frame: Frame, action: str) -> list[audit.Line]:
    with frame.shop.store.reading() as tx:
        return [line for line in audit.listing(tx) if line.entry.action == action]


def later(frame: Frame, **how: int) -> None:
    frame.shop.clock.at += dt.timedelta(**how)


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.inside = [tag]

    def handle_data(self, data: str) -> None:
        assert self.inside[-1:] not in (["script"], ["style"]) or not data.strip(), "a script or style in the page"
        self.words += data


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", Seen(page.text).words)


# --- launching ------------------------------------------------------------------------------------------------------------
def test_a_launch_gives_an_address_that_is_good_once_for_ninety_seconds(frame: Frame) -> None:
    told = frame.launch().json()
    assert told["url"] == f"{ADDRESS}/panel/crm?code={told['code']}"
    assert (told["post"], told["expires"]) == (f"{ADDRESS}/panel/crm", "2026-11-20T04:01:30Z")
    assert frame.open(told["code"]).status_code == 200
    again = frame.open(told["code"])
    assert again.status_code == 403
    assert "华东机械" not in again.text
    assert "Open the record again" in again.text


def test_of_many_who_come_with_one_code_one_gets_in(frame: Frame) -> None:
    """Whatever node they come to: the database decides, not the process."""
    code, (system, *_) = frame.code(), [s for s in frame.shop.config.systems if s.name == "crm"]
    nodes = [Store.open(frame.shop.store.engine.url.render_as_string(hide_password=False)) for _ in range(2)]
    try:
        with ThreadPoolExecutor(8) as threads:
            tried = [
                threads.submit(panel_launch.redeem, nodes[n % 2], frame.shop.clock, system, code) for n in range(16)
            ]
        assert sum(one.result() is not None for one in tried) == 1
    finally:
        for node in nodes:
            node.close()


def test_a_code_may_come_by_a_form_instead_of_an_address(frame: Frame) -> None:
    page = frame.client.post("/panel/crm", data={"code": frame.code()})
    assert page.status_code == 200
    assert "On hold" in page.text


def test_a_code_that_is_too_old_opens_nothing(frame: Frame) -> None:
    code = frame.code()
    later(frame, seconds=91)
    assert frame.open(code).status_code == 403


def test_a_code_of_one_system_opens_nothing_in_another_and_is_used_up(frame: Frame) -> None:
    code = frame.code()
    assert frame.open(code, "crm2").status_code == 403
    assert frame.open(code, "crm").status_code == 403, "it was tried: it is good for nothing any more"


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another system's secret": ({"secret": OTHER}, 401, "signature"),
    "a made-up secret": ({"secret": "x" * 40}, 401, "signature"),
    "late": ({"at": dt.datetime(2026, 11, 20, 3, 54, 59, tzinfo=dt.UTC)}, 403, "late"),
    "from the future": ({"at": dt.datetime(2026, 11, 20, 4, 5, 1, tzinfo=dt.UTC)}, 403, "early"),
    "an unknown object": ({"object": "Leads"}, 422, "object"),
    "no record": ({"record_id": None}, 422, "record_id"),
    "a record that is no id": ({"record_id": ["A1"]}, 422, "record_id"),
    "no user": ({"crm_user": ""}, 422, "crm_user"),
    "a role, sent along": ({"role": "approver"}, 422, "member"),
}


@one_database
@pytest.mark.parametrize("what", REFUSED)
def test_calls_that_are_refused(frame: Frame, what: str) -> None:
    said, status, code = REFUSED[what]
    for path in ("/launch/crm", "/launch/crm/answer"):
        answer = frame.call(path, **said)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "华东机械" not in answer.text


@one_database
def test_unsigned_changed_and_broken_calls_are_refused(frame: Frame) -> None:
    body = b'{"object":"Accounts","record_id":"A1","crm_user":"5001"}'
    post = frame.client.post
    assert post("/launch/crm", content=body).status_code == 401
    changed = body.replace(b"A1", b"A2")
    assert post("/launch/crm", content=changed, headers=frame.signed(body)).json()["code"] == "signature"
    for broken in (b"", b"[]", b"{", b"\xff\xfe", b'{"a":' * 5000):
        assert post("/launch/crm", content=broken, headers=frame.signed(broken)).status_code in (400, 413)
    assert post("/launch/crm", content=b" " * 9000, headers=frame.signed(b" " * 9000)).status_code == 413


def test_a_call_is_heeded_once_whoever_repeats_it(frame: Frame) -> None:
    assert frame.launch(nonce="1").status_code == 200
    assert frame.launch(nonce="1").json()["code"] == "replayed"
    assert frame.call("/launch/crm/answer", nonce="1").json()["code"] == "replayed", "at the other address, too"
    assert frame.launch(nonce="2").status_code == 200
    later(frame, minutes=4)
    before = frame.shop.clock.now() - dt.timedelta(minutes=4)
    assert frame.launch(nonce="1", at=before).json()["code"] == "replayed"


@one_database
def test_the_former_secret_is_good_while_it_is_being_changed(frame: Frame) -> None:
    assert frame.launch(secret=BEFORE).status_code == 200
    assert frame.call("/launch/crm2", secret=BEFORE).status_code == 401


@one_database
@pytest.mark.parametrize("system", ["plain", "books", "nobody"])
def test_a_system_without_a_panel_has_no_address(frame: Frame, system: str) -> None:
    assert frame.launch(system).status_code == 404
    page = frame.client.get(f"/panel/{system}?code=x")
    assert page.status_code == 404
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'none'")


@one_database
def test_a_panel_that_is_switched_off_is_not_shown(store: Store, tmp_path: Path) -> None:
    for frame in opened(store, framed(tmp_path, enabled=False)):
        assert frame.launch().status_code == 404


@one_database
def test_a_secret_that_is_missing_or_short_makes_nobody_guess(frame: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL", "short")
    answer = frame.launch(secret="short")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
    assert "short" not in answer.text
    monkeypatch.delenv("PANEL")
    assert frame.launch().status_code == 503


@one_database
def test_who_forges_again_and_again_waits_and_the_crm_does_not(frame: Frame) -> None:
    statuses = {frame.launch(secret="y" * 40, nonce=str(n)).status_code for n in range(30)}
    assert statuses == {401, 429}
    assert frame.launch(nonce="mine").status_code == 200


# --- who sees what --------------------------------------------------------------------------------------------------------
def test_a_person_of_ours_sees_the_figures_and_may_ask(frame: Frame) -> None:
    words = text_of(frame.page())
    for said in ("On hold", "−50,000.50", "150%", "100,000.00", "41 days", "70,000.50", "SO-1001", "Ask for release"):
        assert said in words
    assert "No limit can be raised now" in words, "it is held: nobody is sent to ask for what cannot be approved"
    assert "Ask for a limit" in text_of(frame.page(record_id="A2"))


def test_a_stranger_sees_band_and_hold_and_no_figure(frame: Frame) -> None:
    for user in ("5009", NOBODY.ids["crm"], "never-heard-of"):
        page = frame.page(crm_user=user)
        words = text_of(page)
        assert "On hold" in words
        assert "Ask for" not in words
        assert not re.search(r"\d,\d{3}\.\d\d", words), "a figure"
        for hidden in ("INV-1", "SO-1001", "books/C1", "41 days"):
            assert hidden not in page.text
        shown = frame.call("/launch/crm/answer", crm_user=user, nonce=f"json {user}").json()
        assert (shown["figures"], shown["reasons"], shown["orders"], shown["promises"]) == (None, [], [], [])
        assert shown["status"]["word"]["en"] == "On hold"


@one_database
def test_who_has_left_the_crm_sees_nothing_by_setting(store: Store, tmp_path: Path) -> None:
    for frame in opened(store, framed(tmp_path, unknown="refuse")):
        page = frame.open(frame.code(crm_user="5009"))
        assert page.status_code == 403
        assert "华东机械" not in page.text
        assert frame.call("/launch/crm/answer", crm_user="5009").status_code == 403
        assert frame.open(frame.code(crm_user="5001")).status_code == 200


@one_database
def test_strangers_see_figures_where_the_operator_says_so_and_still_ask_for_nothing(
    store: Store, tmp_path: Path
) -> None:
    for frame in opened(store, framed(tmp_path, unknown="figures")):
        words = text_of(frame.page(crm_user="5009"))
        assert "70,000.50" in words
        assert "Ask for" not in words
        # Whoever is one of the people, and was given no role, is not let in by what is for strangers.
        assert "70,000.50" not in text_of(frame.page(crm_user="5002"))
        page = frame.page(crm_user="5009")
        fields = {"do": "release", "order": "books/SO1", "why": "let me", "once": "abc"}
        answer = frame.client.post("/panel/crm", data={**fields_of(page.text, ""), **fields})
        assert "You may not ask for this" in text_of(answer)
        assert frame.shop.states()["SO1"] == "held"


@one_database
def test_a_user_is_known_by_his_address_too(store: Store, tmp_path: Path) -> None:
    people = tuple(p.model_copy(update={"email": "li.wei@example.com"}) if p.id == "li.wei" else p for p in STAFF)
    for frame in opened(store, framed(tmp_path, people)):
        assert "70,000.50" in text_of(frame.page(crm_user="Li.Wei@example.com"))


def test_what_is_not_linked_or_not_known_says_so(frame: Frame) -> None:
    assert "not linked to a customer" in text_of(frame.page(record_id="A3"))
    for unknown in ("A4", "C1", "SO-1001", "' OR 1=1 --", "../A1"):
        assert "not known here yet" in text_of(frame.page(record_id=unknown))
    assert "not known here yet" in text_of(frame.page(object="Sales_Orders", record_id="A1"))
    assert "not known here yet" in text_of(frame.page(object="Sales_Orders", record_id="SO-1001")), "a number is no id"


def test_a_record_of_another_customer_shows_nothing_of_this_one(frame: Frame) -> None:
    words = text_of(frame.page(record_id="A2"))
    assert "In good standing" in words
    for foreign in ("华东机械", "SO-1001", "INV-1", "70,000.50"):
        assert foreign not in words
    good = frame.page(record_id="A2")
    assert "<script>alert" not in good.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in good.text


def test_an_order_is_told_first_where_it_is_what_is_looked_at(frame: Frame) -> None:
    page = frame.page(object="Sales_Orders", record_id="Z1")
    words = text_of(page)
    assert words.index("SO-1001") < words.index("Held") < words.index("pays INV-1") < words.index("On hold")
    shown = frame.call("/launch/crm/answer", object="Sales_Orders", record_id="Z1").json()
    (order,) = shown["orders"]
    assert (order["order"], order["held"], order["looked_at"], order["may_ask"]) == ("books/SO1", True, True, True)


# --- a view that is open --------------------------------------------------------------------------------------------------
def test_a_view_lasts_fifteen_minutes_and_is_renewed_without_a_new_code(frame: Frame) -> None:
    page = frame.page()
    later(frame, minutes=14)
    frame.shop.fresh()
    assert frame.send(page).status_code == 200
    later(frame, seconds=61)
    over = frame.send(page)
    assert over.status_code == 403
    assert "70,000.50" not in over.text


def test_a_view_of_one_system_is_none_of_another(frame: Frame) -> None:
    page = frame.page()
    assert frame.send(page, "crm2").status_code == 403
    for made_up in ("", "x", "A" * 43, fields_of(page.text, "")["session"][:-1] + "_", "é", "x" * 5000):
        assert frame.client.post("/panel/crm", data={"session": made_up}).status_code == 403
    # The token stands in no address: there it opens nothing.
    assert frame.client.get("/panel/crm", params={"session": fields_of(page.text, "")["session"]}).status_code == 403


def test_a_code_is_no_session_and_a_session_no_code(frame: Frame) -> None:
    session = fields_of(frame.page().text, "")["session"]
    assert frame.open(session).status_code == 403
    assert frame.client.post("/panel/crm", data={"session": frame.code()}).status_code == 403


def test_the_same_figures_as_json_in_an_open_view(frame: Frame) -> None:
    session = fields_of(frame.page().text, "")["session"]
    told = frame.client.get("/panel/crm/answer", headers={"Authorization": f"Bearer {session}"})
    shown = told.json()
    assert (shown["figures"]["exposure"], shown["figures"]["overdue"]) == ("150000.50", "70000.50")
    assert shown["figures"]["trend"][-1] == {"on": "2026-11-20", "balance": "90000.50", "overdue": "70000.50"}
    assert shown["payments"] == [{"on": "2026-10-17", "amount": "30000.00", "currency": "CNY"}]
    assert shown["promises"][0]["due_on"] == "2026-11-24"
    direct = frame.call("/launch/crm/answer").json()
    assert {**direct} == {**shown}
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {session}"}):
        assert frame.client.get("/panel/crm/answer", headers=header).status_code == 401
    assert frame.client.get("/panel/crm2/answer", headers={"Authorization": f"Bearer {session}"}).status_code == 401


@one_database
def test_roles_are_those_of_now_not_of_when_the_view_was_opened(frame: Frame) -> None:
    page = frame.page()
    front: Front = frame.client.app.state.front  # type: ignore[attr-defined]
    front.config = front.config.model_copy(
        update={"people": tuple(p for p in front.config.people if p.id != "chen.jie")}
    )
    assert "70,000.50" not in frame.send(page).text


@one_database
def test_who_looks_too_often_waits(frame: Frame) -> None:
    page = frame.page()
    statuses = [frame.send(page).status_code for _ in range(30)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


# --- asking ---------------------------------------------------------------------------------------------------------------
def test_a_release_is_asked_for_once_however_often_the_form_is_sent(frame: Frame) -> None:
    page = frame.page()
    done = frame.send(page, do="release", why="订单紧急，客户承诺周五付款")
    assert done.status_code == 200
    assert "is asked for" in text_of(done)
    assert frame.shop.states()["SO1"] == "requested"
    again = frame.send(page, do="release", why="订单紧急，客户承诺周五付款")
    assert "sent before" in text_of(again)
    assert frame.shop.happened("SO1").count("requested") == 1
    asked = trail(frame, "order.requested")
    assert [line.entry.actor for line in asked] == ["person:chen.jie"]
    shown = text_of(again)
    assert "You asked for it" in shown
    assert "Ask for release" not in shown, "he has asked"


def test_a_limit_is_asked_for_and_waits_for_somebody_else(frame: Frame) -> None:
    page = frame.page(record_id="A2")
    done = frame.send(page, do="limit", amount="80,000.50", why="turnover doubles")
    assert "CNY 80,000.50 is asked for" in text_of(done)
    with frame.shop.store.reading() as tx:
        (asked,) = limits.requests(tx)
    assert (asked.request.amount_minor, asked.request.requested_by, asked.why) == (
        8_000_050,
        "person:chen.jie",
        "turnover doubles",
    )
    frame.send(page, do="limit", amount="80,000.50", why="turnover doubles")
    with frame.shop.store.reading() as tx:
        assert len(limits.requests(tx)) == 1
    assert "Asked for" in text_of(frame.page(record_id="A2"))


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no reason": ({"do": "release", "why": "  \x00 "}, "Write a reason"),
    "no amount": ({"do": "limit", "amount": "", "why": "w"}, "plain number"),
    "a negative amount": ({"do": "limit", "amount": "-5", "why": "w"}, "plain number"),
    "no number": ({"do": "limit", "amount": "NaN", "why": "w"}, "plain number"),
    "an exponent": ({"do": "limit", "amount": "1e9", "why": "w"}, "plain number"),
    "too fine": ({"do": "limit", "amount": "10.001", "why": "w"}, "plain number"),
    "huge": ({"do": "limit", "amount": "9" * 30, "why": "w"}, "plain number"),
    "another customer's order": ({"do": "release", "order": "books/SO2", "why": "w"}, "does not belong"),
    "an order that there is not": ({"do": "release", "order": "books/SO9", "why": "w"}, "does not belong"),
    "another deed": ({"do": "approve", "order": "books/SO1", "why": "w"}, "may not ask"),
    "no key": ({"do": "release", "why": "w", "once": ""}, "may not ask"),
}


@one_database
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_form_is_said_in_the_page(frame: Frame, what: str) -> None:
    fields, said = WRONG[what]
    page = frame.page(record_id="A2" if fields["do"] == "limit" else "A1")
    hidden = fields_of(page.text, "release" if fields["do"] == "approve" else fields["do"])
    answer = frame.client.post("/panel/crm", data={**hidden, **fields})
    assert answer.status_code == 200
    assert said in text_of(answer)
    assert frame.shop.states()["SO1"] == "held"
    with frame.shop.store.reading() as tx:
        assert limits.requests(tx) == []


def test_a_limit_that_cannot_rise_is_not_asked_for(frame: Frame) -> None:
    hidden = fields_of(frame.page(record_id="A2").text, "limit")
    mine = fields_of(frame.page().text, "release")
    answer = frame.client.post(
        "/panel/crm", data={**hidden, "session": mine["session"], "amount": "500000", "why": "w"}
    )
    assert "The limit cannot rise now" in text_of(answer)
    with frame.shop.store.reading() as tx:
        assert limits.requests(tx) == []


@one_database
def test_what_was_typed_is_still_there_when_it_was_wrong(frame: Frame) -> None:
    answer = frame.send(frame.page(record_id="A2"), do="limit", amount="many", why='because "we" <need> it')
    shown = Seen(answer.text)
    (amount,) = [attrs for tag, attrs in shown.tags if tag == "input" and attrs.get("name") == "amount"]
    assert amount["value"] == "many"
    assert 'because "we" <need> it' in shown.words
    assert "<need>" not in answer.text


def test_a_get_never_acts(frame: Frame) -> None:
    fields = fields_of(frame.page().text, "release")
    frame.client.get("/panel/crm", params={**fields, "why": "w"})
    frame.client.get("/panel/crm", params={**fields, "why": "w", "code": frame.code()})
    assert frame.shop.states()["SO1"] == "held"


# --- the trail ------------------------------------------------------------------------------------------------------------
def test_each_view_is_in_the_trail_but_not_each_refresh(frame: Frame) -> None:
    page = frame.page()
    frame.send(page)
    frame.send(page)
    (line,) = trail(frame, "panel.view")
    assert (line.entry.actor, line.entry.subject) == ("person:chen.jie", "customer:crm/A1")
    assert {k: line.entry.after[k] for k in ("system", "user", "sees")} == {
        "system": "crm",
        "user": "5001",
        "sees": "figures",
    }
    later(frame, seconds=61)
    frame.send(page)
    frame.page(crm_user="5009")
    frame.page(object="Sales_Orders", record_id="Z1")
    told = [(line.entry.actor, line.entry.subject, line.entry.after["sees"]) for line in trail(frame, "panel.view")]
    assert sorted(told) == [
        ("person:chen.jie", "customer:crm/A1", "figures"),
        ("person:chen.jie", "customer:crm/A1", "figures"),
        ("person:chen.jie", "order:crm/Z1", "figures"),
        ("person:crm/5009", "customer:crm/A1", "reduced"),
    ]
    with frame.shop.store.reading() as tx:
        assert audit.verify(tx) == []


@one_database
def test_refusals_are_logged_without_code_and_secret(frame: Frame, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        code = frame.code()
        page = frame.open(code)
        frame.open(code)
        frame.launch(secret=OTHER)
    said = "\n".join(f"{r.getMessage()} {r.__dict__}" for r in caplog.records if not r.name.startswith("http"))
    assert "a panel of crm is refused" in said
    for secret in (code, SECRET, OTHER, fields_of(page.text, "")["session"]):
        assert secret not in said


# --- the page ---------------------------------------------------------------------------------------------------------------
@one_database
def test_headers_are_those_of_the_connection(frame: Frame, store: Store, tmp_path: Path) -> None:
    page = frame.page()
    policy = page.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://crm.zoho.com.cn https://*.zohosandbox.com.cn")
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert "x-frame-options" not in page.headers
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    denied = frame.open("x")
    assert denied.headers["content-security-policy"] == policy, "what is refused is seen in the frame, too"
    assert frame.client.get("/healthz").headers["x-frame-options"] == "DENY"


@one_database
def test_an_operator_may_name_other_pages_that_frame_it(store: Store, tmp_path: Path) -> None:
    for frame in opened(store, framed(tmp_path, frame_ancestors=("https://crm.example.com",))):
        assert frame.page().headers["content-security-policy"].endswith("frame-ancestors https://crm.example.com")


@one_database
@pytest.mark.parametrize(
    "said", [{"record_id": "A1"}, {"object": "Sales_Orders", "record_id": "Z1"}, {"record_id": "A3"}]
)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_page_is_small_and_loads_nothing_from_elsewhere(frame: Frame, said: dict[str, str], language: str) -> None:
    page = frame.page(language=language, **said)
    seen = Seen(page.text)
    loaded = [
        attrs[name]
        for tag, attrs in seen.tags
        for name in ("src", "href")
        if attrs.get(name) and tag in ("script", "link", "img", "a", "iframe")
    ]
    assert len(loaded) >= 3
    assert [one for one in loaded if not one.startswith(("/static/", "#"))] == []
    whole = len(page.content) + sum(len(frame.client.get(one).content) for one in set(loaded))
    assert whole < 100_000
    assert not re.search(r"(?:https?:)?//", re.sub(r"<!--.*?-->", "", page.text)), "an address of somebody else"
    for tag, attrs in seen.tags:
        assert not any(name == "style" or name.startswith("on") for name in attrs), (tag, attrs)
    assert all(attrs.get("src") or attrs.get("type") for tag, attrs in seen.tags if tag == "script")


@one_database
def test_everything_works_without_script(frame: Frame) -> None:
    """Forms are forms: they have an address, a method and a button, and what they carry stands in them."""
    page = frame.page(object="Sales_Orders", record_id="Z1")
    forms = re.findall(r"<form[^>]*>", page.text + frame.page(record_id="A2").text)
    assert len(forms) == 4, "release and refresh, limit and refresh"
    assert all('method="post"' in one and 'action="/panel/crm"' in one for one in forms)
    assert page.text.count("<button") == 2


@one_database
@pytest.mark.parametrize(
    "said", [{"record_id": "A1"}, {"object": "Sales_Orders", "record_id": "Z1"}, {"record_id": "A3"}]
)
def test_in_chinese_no_english_is_left(frame: Frame, said: dict[str, str]) -> None:
    page = frame.page(language="zh_CN", **said)
    assert page.headers["content-language"] == "zh-CN"
    assert '<html lang="zh-CN"' in page.text
    words = Seen(page.text).words
    for name in ("Holdfast", "INV", "SO", "CNY", "books/C", "Li Wei", "Zhao Min", "He Ping", "Nobody's"):
        words = words.replace(name, "")
    assert re.findall(r"[A-Za-z]{2,}", words) == []


@one_database
def test_the_language_is_the_launchs_then_the_persons_then_the_browsers(frame: Frame) -> None:
    def asked(code: str, header: str, **query: str) -> str:
        got = frame.client.get("/panel/crm", params={"code": code, **query}, headers={"Accept-Language": header})
        return str(got.headers["content-language"])

    assert asked(frame.code(), "zh-CN,zh;q=0.9") == "zh-CN"
    assert asked(frame.code(), "en") == "en"
    assert asked(frame.code(language="zh"), "en") == "zh-CN"
    assert asked(frame.code(language="zh"), "zh", lang="en") == "en"
    denied = frame.client.get("/panel/crm", params={"code": "x"}, headers={"Accept-Language": "zh"})
    assert "请重新打开该记录" in denied.text


@one_database
def test_the_theme_is_the_readers_unless_the_crm_says_so(frame: Frame) -> None:
    assert "data-theme" not in frame.page().text
    assert 'data-theme="dark"' in frame.page(theme="dark").text
    assert "data-theme" not in frame.page(theme="pink").text
    page = frame.open(frame.code(), theme="light")
    assert 'data-theme="light"' in page.text
    assert 'data-theme="light"' in frame.send(page).text, "it stays when the page is renewed"


# --- a person's own address ---------------------------------------------------------------------------------------------
def test_an_address_that_was_made_for_a_person_is_his(frame: Frame) -> None:
    look = panel_launch.Look("crm", "Accounts", "customer", "A1", "", "li.wei")
    made = panel_launch.launch(frame.shop.store, frame.shop.clock, look, actor="person:li.wei")
    assert "70,000.50" in frame.open(made.code).text
    (line,) = trail(frame, "panel.link")
    assert (line.entry.actor, line.entry.after["for"]) == ("person:li.wei", "li.wei")
    gone = panel_launch.launch(
        frame.shop.store, frame.shop.clock, panel_launch.Look("crm", "Accounts", "customer", "A1", "", "gone")
    )
    assert frame.open(gone.code).status_code == 403


@one_database
def test_the_answer_has_no_binary_fraction(frame: Frame) -> None:
    raw = frame.call("/launch/crm/answer").text
    json.loads(raw, parse_float=lambda text: pytest.fail(f"{text} is a float"))


def test_whoever_decides_is_shown_the_way_to_the_desk_and_nobody_else(store: Store, tmp_path: Path) -> None:
    people = tuple(p.model_copy(update={"ids": {"crm": "6001"}}) if p.id == "li.wei" else p for p in STAFF)
    for frame in opened(store, framed(tmp_path, people)):
        links = [a for tag, a in Seen(frame.page(crm_user="6001").text).tags if tag == "a"]
        assert [a["href"] for a in links] == ["/desk/orders/books/SO1", "/desk/customers/books/C1"]
        assert {a["target"] for a in links} == {"_blank"}
        assert [a for tag, a in Seen(frame.page(crm_user="5001").text).tags if tag == "a"] == []


def test_views_are_not_lines_of_the_credit_file(frame: Frame) -> None:
    frame.page()
    assert trail(frame, "panel.view")
    with frame.shop.store.reading() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs=["C1"])
        assert row.debtor is not None
        lines = timeline(tx, row.debtor, frame.shop.config.business.time_zone)
    assert len(lines) > 3
    assert [line for line in lines if line.kind == "audit"] == []


@one_database
def test_no_form_whatever_is_sent_makes_the_service_fail(frame: Frame) -> None:
    """Fields and values at random, of the right names and of others; what is sent is answered, and nothing is let go."""
    rng = Random(7)
    hidden = fields_of(frame.page().text, "release")
    odd = [
        "",
        "\x00",
        "é" * 300,
        "<b>",
        "{{7*7}}",
        "=1+1",
        "../..",
        "-1",
        "1e400",
        "٣",
        "\ud7ff",
        "x" * 5000,
        "books/SO1",
        "limit",
    ]
    front: Front = frame.client.app.state.front  # type: ignore[attr-defined]
    for n in range(120):
        fields = {**hidden, "do": rng.choice(["release", "limit", "", "x"])}
        for name in rng.sample([*hidden, "why", "amount", "lang", "theme", "code", "zzz"], 3):
            fields[name] = rng.choice(odd)
        front.clock.at += dt.timedelta(seconds=1)  # type: ignore[attr-defined]
        if n % 15 == 0:
            hidden = fields_of(frame.page().text, "release") if frame.shop.states()["SO1"] == "held" else hidden
        answer = frame.client.post("/panel/crm", data=fields)
        assert answer.status_code in (200, 403, 429), (fields, answer.text)
        assert "49" not in re.findall(r"\b49\b", answer.text)
        assert "<b>" not in answer.text
    assert frame.shop.states()["SO1"] in ("held", "requested")


@one_database
def test_a_way_out_that_several_orders_share_is_told_once(frame: Frame) -> None:
    shop = frame.shop
    shop.invoice("INV-9", "C2", "900", shop.today - dt.timedelta(days=80))
    shop.order("SO3", "C2", "300", number="SO-2002")
    shop.run()
    words = text_of(frame.page(record_id="A2"))
    assert words.count("pays INV-9") == 1
    assert "release each of them" in words
    shown = frame.call("/launch/crm/answer", record_id="A2").json()["orders"]
    assert [one["remedies"][0]["en"] for one in shown] == ["the customer pays INV-9, CNY 900.00 in all"] * 2
