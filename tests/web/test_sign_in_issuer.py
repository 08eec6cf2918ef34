"""Sign-in at the company's own issuer: the whole way over a real socket, and each way in which it must not be gone."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select

from connector.config_people import PersonSettings
from connector.config_sign_in import SignInSettings
from connector.store import sessions
from connector.store.tables import once_code, session
from connector.web.app import make
from connector.web.front import Front
from connector.web.session import csrf_of
from connector.web.sign_in_way import Way
from tests.jobs.shop import Shop
from tests.web.console import told
from tests.web.issuer import Issuer, issuing
from tests.web.visiting import HTML


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture
def front(shop: Shop, issuer: Issuer) -> Front:
    settings = SignInSettings.model_validate(
        {
            "issuer": issuer.url,
            "audience": "api",
            "client": "holdfast-pages",
            "roles_claim": "groups",
            "roles": {"credit-viewers": ["viewer"], "credit-admins": ["admin", "approver"]},
        }
    )
    mei = PersonSettings(id="mei", name="Mei", roles=("approver",), email="mei@example.com")
    bare = PersonSettings(id="bare", name="Bare", email="bare@example.com")
    people = (*shop.config.people, mei, bare)
    return Front(shop.store, shop.config.model_copy(update={"sign_in": settings, "people": people}), shop.clock)


@pytest.fixture
def client(front: Front) -> TestClient:
    return TestClient(make(front), raise_server_exceptions=False, follow_redirects=False, headers=HTML)


def begun(client: TestClient, next: str = "/desk") -> dict[str, str]:
    answer = client.get("/sign-in/issuer", params={"next": next})
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def said(front: Front, issuer: Issuer, **more: Any) -> dict[str, Any]:
    now = int(front.clock.now().timestamp())
    usual = {"iss": issuer.url, "aud": "holdfast-pages", "sub": "s1", "iat": now, "exp": now + 300}
    return usual | {"email": "mei@example.com", "email_verified": True} | more


def back(client: TestClient, state: str, code: str) -> Response:
    return client.get("/sign-in/issuer/back", params={"state": state, "code": code})


def test_the_whole_way(front: Front, client: TestClient, issuer: Issuer) -> None:
    door = client.get("/sign-in?next=/desk")
    assert "/sign-in/issuer?next=/desk" in door.text
    asked = begun(client)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    answer = back(client, asked["state"], issuer.signs_in(asked, said(front, issuer)))
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    page = client.get("/desk")
    assert page.status_code == 200
    assert "Mei" in page.text
    assert "client_secret" not in issuer.exchanged[0]


def test_roles_of_the_issuer_let_look_and_decide_nothing(front: Front, client: TestClient, issuer: Issuer) -> None:
    for email, name in (("new@example.com", "new@example.com"), ("bare@example.com", "Bare")):
        asked = begun(client)
        claims = said(front, issuer, email=email, groups=["credit-viewers"])
        assert back(client, asked["state"], issuer.signs_in(asked, claims)).status_code == 303
        page = client.get("/me")
        assert page.status_code == 200
        assert name in page.text
        assert "Viewer" in page.text
        assert client.get("/admin/systems").status_code in (403, 404)
        client.cookies.delete("holdfast")


def test_whom_only_the_issuer_knows_is_in_the_trail_by_its_name_and_is_none_of_our_people(
    front: Front, client: TestClient, issuer: Issuer
) -> None:
    for name, email in (("li.wei", None), ("new@example.com", "new@example.com")):
        asked = begun(client, "/admin/people")
        claims = said(front, issuer, sub=name, email=email, groups=["credit-admins"])
        token = back(client, asked["state"], issuer.signs_in(asked, claims)).cookies["holdfast"]
        assert client.get("/desk/limits/new").status_code == 403, "as li.wei he could ask for one"
        sent = {"csrf": csrf_of(token), "id": f"by-{len(name)}", "roles": "admin"}
        assert client.post("/admin/people", data=sent).status_code == 303
        assert ("person.add", f"person:by-{len(name)}", f"oidc:{name}") in told(front)
        client.cookies.delete("holdfast")


def test_roles_that_are_taken_from_somebody_end_in_his_session_too(
    front: Front, client: TestClient, issuer: Issuer
) -> None:
    asked = begun(client)
    token = back(client, asked["state"], issuer.signs_in(asked, said(front, issuer))).cookies["holdfast"]
    with front.store.writing() as tx:
        kept = sessions.find(tx, token, front.clock.now())
        without = sessions.begin(tx, "bare", (), "issuer", front.clock.now())
    assert kept is not None
    assert kept.roles == (), "they are looked up each time"
    client.cookies.set("holdfast", without)
    assert client.get("/desk").status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api"},
        {"aud": "somebody-else"},
        {"iss": "https://evil.example"},
        {"nonce": "another attempt's"},
        {"exp": 1},
        {"email": "stranger@example.com"},
        {"email_verified": False},
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_token_that_is_not_for_this_attempt_opens_nothing(
    front: Front, client: TestClient, issuer: Issuer, claims: dict[str, Any]
) -> None:
    asked = begun(client)
    answer = back(client, asked["state"], issuer.signs_in(asked, said(front, issuer, **claims)))
    assert answer.status_code == 403
    assert client.get("/desk").status_code == 303


def test_the_way_back_is_gone_once_by_the_browser_that_began(front: Front, client: TestClient, issuer: Issuer) -> None:
    asked = begun(client)
    code = issuer.signs_in(asked, said(front, issuer))
    other = TestClient(make(front), raise_server_exceptions=False, follow_redirects=False, headers=HTML)
    assert back(other, asked["state"], code).status_code == 403, "somebody is led into another's account"
    theirs = begun(other)
    assert back(other, asked["state"], code).status_code == 403
    assert theirs["state"] != asked["state"]
    assert back(client, asked["state"], code).status_code == 303
    assert back(client, asked["state"], code).status_code == 403
    assert back(client, "", code).status_code == 403
    assert back(client, "made-up", code).status_code == 403


def test_a_code_without_our_verifier_is_worth_nothing(front: Front, client: TestClient, issuer: Issuer) -> None:
    asked = begun(client)
    code = issuer.signs_in({**asked, "code_challenge": "of somebody else"}, said(front, issuer))
    assert back(client, asked["state"], code).status_code == 403


def test_it_takes_no_longer_than_ten_minutes(front: Front, client: TestClient, issuer: Issuer, shop: Shop) -> None:
    for minutes, status in ((9, 303), (10, 403)):
        asked = begun(client)
        shop.clock.at += dt.timedelta(minutes=minutes)
        assert back(client, asked["state"], issuer.signs_in(asked, said(front, issuer))).status_code == status


def test_who_only_begins_leaves_nothing(front: Front, client: TestClient, issuer: Issuer) -> None:
    def kept() -> int:
        with front.store.reading() as tx:
            return sum(tx.execute(select(func.count()).select_from(one)).scalar_one() for one in (once_code, session))

    before = kept()
    for _ in range(5):
        asked = begun(client)
        assert back(client, asked["state"], "no code of theirs").status_code == 403
    assert kept() == before
    asked = begun(client)
    assert back(client, asked["state"], issuer.signs_in(asked, said(front, issuer))).status_code == 303
    assert kept() == before + 2


def test_a_way_that_was_gone_is_not_gone_again_with_another_code(
    front: Front, client: TestClient, issuer: Issuer
) -> None:
    asked = begun(client)
    cookie = client.cookies["holdfast-way"]
    assert back(client, asked["state"], issuer.signs_in(asked, said(front, issuer))).status_code == 303
    client.cookies.clear()
    client.cookies.set("holdfast-way", cookie)
    again = back(client, asked["state"], issuer.signs_in(asked, said(front, issuer)))
    assert again.status_code == 403
    assert "holdfast" not in again.cookies


def test_a_code_of_somebody_else_is_worth_nothing_to_whoever_knows_all_that_was_sent(
    front: Front, client: TestClient, issuer: Issuer
) -> None:
    """Even of an issuer that knows no PKCE: the token's nonce is of a secret that is nowhere but in the cookie."""
    theirs = begun(client)
    thief = TestClient(make(front), raise_server_exceptions=False, follow_redirects=False, headers=HTML)
    mine = begun(thief)
    stolen = issuer.signs_in({**theirs, "code_challenge": mine["code_challenge"]}, said(front, issuer))
    assert back(thief, mine["state"], stolen).status_code == 403
    way = Way.of_cookie(client.cookies["holdfast-way"])
    assert way is not None
    assert way.verifier not in theirs.values()


def _told(said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


GOOD = ["v", "/", 2**40]


@pytest.mark.parametrize(
    "cookie",
    [
        "", "%", "x" * 5000, "AAAA", _told(None), _told({}), _told([]), _told(GOOD[:2]), _told([*GOOD, 1]),
        _told([None, *GOOD[1:]]), _told(["\ud800", *GOOD[1:]]), _told([GOOD[0], 1, GOOD[2]]), _told([*GOOD[:2], True]),
        _told([*GOOD[:2], "2"]), _told([*GOOD[:2], 1e308]), _told([*GOOD[:2], -(10**400)]), _told(["w", *GOOD[1:]]),
        base64.urlsafe_b64encode(b"[" * 2900).decode(), _told(GOOD),
    ],
)  # fmt: skip
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_cookie_that_is_made_up_opens_nothing(client: TestClient, issuer: Issuer, cookie: str) -> None:
    client.cookies.set("holdfast-way", cookie)
    answer = back(client, Way("v", "/", 0).state, "made up")
    assert answer.status_code == 403, answer.text
    assert "holdfast" not in answer.cookies


@pytest.mark.parametrize("next", ["/desk?q=" + "x" * 1900, "/desk?q=" + "信" * 1900, "/" + '"' * 1900])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_every_browser_keeps_the_cookie(client: TestClient, next: str) -> None:
    begun(client, next)
    assert len(client.cookies["holdfast-way"]) < 4000


def test_what_the_issuer_refuses_is_told_without_its_words_being_believed(client: TestClient) -> None:
    asked = begun(client)
    answer = client.get("/sign-in/issuer/back", params={"state": asked["state"], "error": "<script>x</script>"})
    assert answer.status_code == 403
    assert "<script>x" not in answer.text


def test_a_way_that_leads_elsewhere_is_not_gone(front: Front, client: TestClient, issuer: Issuer) -> None:
    asked = begun(client, "https://evil.example/")
    answer = back(client, asked["state"], issuer.signs_in(asked, said(front, issuer)))
    assert answer.headers["location"] == "/"
