"""Sign-in at the company's own issuer: the whole way over a real socket, and each way in which it must not be gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from connector.config_people import PersonSettings
from connector.config_sign_in import SignInSettings
from connector.store import sessions
from connector.web.app import make
from connector.web.front import Front
from connector.web.session import csrf_of
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
    with front.store.writing() as tx:
        late = sessions.make_code(tx, "issuer", front.clock.now(), -sessions.SIGN_IN_LASTS, said="{}")
    client.cookies.set("holdfast-way", sessions.digest(late))
    assert back(client, late, "x").status_code == 403


def test_what_the_issuer_refuses_is_told_without_its_words_being_believed(client: TestClient) -> None:
    asked = begun(client)
    answer = client.get("/sign-in/issuer/back", params={"state": asked["state"], "error": "<script>x</script>"})
    assert answer.status_code == 403
    assert "<script>x" not in answer.text


def test_a_way_that_leads_elsewhere_is_not_gone(front: Front, client: TestClient, issuer: Issuer) -> None:
    asked = begun(client, "https://evil.example/")
    answer = back(client, asked["state"], issuer.signs_in(asked, said(front, issuer)))
    assert answer.headers["location"] == "/"
