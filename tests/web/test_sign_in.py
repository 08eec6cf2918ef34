"""Sign-in to pages: passwords, codes, sessions; nobody comes in who does not belong, and forms come from our own pages."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from fastapi.testclient import TestClient

from connector.store import audit, passwords, sessions
from connector.store.db import Store
from connector.web import passwords as argon
from connector.web import people
from connector.web.app import make
from connector.web.front import Front
from connector.web.session import csrf_of
from tests.web.visiting import HTML, visit

RIGHT = "four grey herons standing"


@pytest.fixture
def client(front: Front) -> TestClient:
    with front.store.writing() as tx:
        passwords.put(tx, "li.wei", argon.hashed(RIGHT), by="person:li.wei", now=front.clock.now())
    return TestClient(make(front), raise_server_exceptions=False, follow_redirects=False, headers=HTML)


def told(front: Front) -> list[tuple[str, str]]:
    with front.store.reading() as tx:
        return [(row.entry.action, row.entry.subject) for row in audit.everything(tx)]


def test_who_is_not_signed_in_is_sent_to_the_door_and_back(front: Front, client: TestClient) -> None:
    away = client.get("/desk?x=1")
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in?next=%2Fdesk%3Fx%3D1")
    page = client.get(away.headers["location"])
    assert page.status_code == 200
    assert 'value="/desk?x=1"' in page.text
    back = client.post("/sign-in", data={"name": "li.wei", "password": RIGHT, "next": "/desk?x=1"})
    assert (back.status_code, back.headers["location"]) == (303, "/desk?x=1")
    cookie = back.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert client.get("/desk").status_code == 200
    assert ("session.begin", "person:li.wei") in told(front)


@pytest.mark.parametrize(
    ("name", "password"),
    [("li.wei", "wrong password here"), ("li.wei", ""), ("nobody", RIGHT), ("", ""), ("li.wei", RIGHT + " ")],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_the_wrong_ones_do_not_come_in_and_learn_nothing(client: TestClient, name: str, password: str) -> None:
    answer = client.post("/sign-in", data={"name": name, "password": password, "next": "/desk"})
    assert answer.status_code == 403
    assert "Name or password is not right." in answer.text
    assert "set-cookie" not in answer.headers
    assert client.get("/desk").status_code == 303


def test_guessing_is_slowed_down_and_the_right_password_waits_too(front: Front, client: TestClient) -> None:
    for _ in range(6):
        client.post("/sign-in", data={"name": "li.wei", "password": "a wrong password"})
    # Whether the right one is among the guesses is not to be learned while one has to wait.
    assert client.post("/sign-in", data={"name": "li.wei", "password": RIGHT}).status_code == 403
    assert [action for action, _ in told(front)].count("session.refuse") == 5, "the sixth was not looked at"


def test_a_sign_in_makes_a_session_of_its_own(front: Front, client: TestClient) -> None:
    fixed = "A" * 43
    client.cookies.set("holdfast", fixed)
    answer = client.post("/sign-in", data={"name": "li.wei", "password": RIGHT})
    assert answer.status_code == 303
    assert fixed not in answer.headers["set-cookie"]
    with front.store.reading() as tx:
        assert sessions.find(tx, fixed, front.clock.now()) is None


def test_sign_out_ends_the_session_everywhere(front: Front) -> None:
    browser = visit(front, "li.wei")
    assert browser.get("/desk").status_code == 200
    assert browser.client.post("/sign-out").status_code == 403, "without the form's token nobody is signed out"
    assert browser.post("/sign-out").status_code == 303
    assert visit(front, "li.wei").get("/desk").status_code == 200
    browser.client.cookies.set("holdfast", browser.token)
    assert browser.get("/desk").status_code == 303
    assert ("session.end", "person:li.wei") in told(front)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_forms_of_other_sites_are_refused_even_with_the_token(front: Front, headers: dict[str, str]) -> None:
    browser = visit(front, "li.wei")
    answer = browser.client.post("/sign-out", data={"csrf": csrf_of(browser.token)}, headers=headers)
    assert answer.status_code == 403
    assert browser.get("/desk").status_code == 200
    signing = browser.client.post("/sign-in", data={"name": "li.wei", "password": RIGHT}, headers=headers)
    assert signing.status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 40, "\u2603"])
def test_forms_without_the_sessions_own_token_are_refused(front: Front, token: str) -> None:
    browser, other = visit(front, "li.wei"), visit(front, "zhou")
    assert browser.client.post("/sign-out", data={"csrf": token}).status_code == 403
    assert browser.client.post("/sign-out", data={"csrf": csrf_of(other.token)}).status_code == 403
    assert browser.get("/desk").status_code == 200


def test_a_link_signs_in_once_by_a_button(front: Front, client: TestClient) -> None:
    now = front.clock.now()
    with front.store.writing() as tx:
        code = sessions.make_code(tx, sessions.SIGN_IN, now, dt.timedelta(minutes=15), person="li.wei")
    for _ in range(2):
        # Looking at the address, as mail programs do before people, spends nothing.
        assert client.get(f"/sign-in/with/{code}").status_code == 200
    answer = client.post("/sign-in/with", data={"code": code})
    assert answer.status_code == 303
    assert client.get("/desk").status_code == 200
    assert client.post("/sign-in/with", data={"code": code}).status_code == 403


def test_who_is_taken_out_of_the_people_is_out_at_once(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_LOOK_EVERY_SECONDS", math.inf)  # else what is set here is read again after a second
    browser = visit(front, "li.wei")
    assert browser.get("/desk").status_code == 200
    left = tuple(p for p in front.config.people if p.id != "li.wei")
    front.config = front.config.model_copy(update={"people": left})
    assert browser.get("/desk").status_code == 303


def test_a_password_is_changed_and_ends_the_other_sessions(front: Front, client: TestClient) -> None:
    other = visit(front, "li.wei")
    browser = visit(front, "li.wei")
    new = "seven quiet lanterns hang"
    wrong = browser.post("/me/password", before="not it at all", password=new, again=new)
    assert wrong.status_code == 422
    assert "The password until now is not right." in wrong.text
    short = browser.post("/me/password", before=RIGHT, password="short", again="short")
    assert "At least 12 characters." in short.text
    named = browser.post("/me/password", before=RIGHT, password="li.wei li.wei li.wei", again="li.wei li.wei li.wei")
    assert named.status_code == 422
    done = browser.post("/me/password", before=RIGHT, password=new, again=new)
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    browser.client.cookies.clear()
    browser.client.cookies.set("holdfast", done.cookies["holdfast"])
    browser.client.cookies.set("holdfast-said", done.cookies["holdfast-said"])
    assert "all other sessions have ended" in browser.get("/me").text
    assert other.get("/desk").status_code == 303
    assert client.post("/sign-in", data={"name": "li.wei", "password": RIGHT}).status_code == 403
    assert client.post("/sign-in", data={"name": "li.wei", "password": new}).status_code == 303
    with front.store.reading() as tx:
        kept = repr(tx.exec_driver_sql("SELECT * FROM password").all()) + repr(list(audit.everything(tx)))
    assert new not in kept
    assert RIGHT not in kept


def test_what_a_page_says_is_only_what_we_said(front: Front, store: Store) -> None:
    browser = visit(front, "li.wei")
    browser.client.cookies.set("holdfast-said", "WyJoaSIsImhpIiwib2siXQ==.0123456789abcdef0123456789abcdef")
    page = browser.get("/desk")
    assert page.status_code == 200
    assert 'role="status"' not in page.text
