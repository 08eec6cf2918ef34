"""Who comes in: keys and tokens, rights of roles on every route, refusals that are told, counted and slowed."""

from __future__ import annotations

import datetime as dt
import logging
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from connector.clock import FixedClock
from connector.config import load
from connector.config_people import PersonSettings
from connector.config_sign_in import SignInSettings
from connector.policy_approval import Role
from connector.store import api_keys, audit
from connector.web import oidc, throttle
from connector.web.app import make
from connector.web.auth import KEPT_SECONDS, doors
from connector.web.front import Front
from connector.web.rights import PERSONAL, RIGHTS, RIGHTS_OF, rights_of
from connector.web.throttle import Throttle
from tests.cli.calling import call
from tests.cli.calling import shop as book
from tests.jobs.shop import Shop
from tests.web.conftest import Made, bearer
from tests.web.issuer import Issuer, issuing
from tests.web.visiting import visit

ME = "/api/v1/me"
ROLES: tuple[Role, ...] = get_args(Role)
one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def revoke(shop: Shop, token: str) -> None:
    with shop.store.writing() as tx:
        assert api_keys.revoke(tx, api_keys.get(tx, token), shop.clock.now())


def forget(client: TestClient) -> None:
    """As if what was verified had had its five seconds."""
    client.app.state.sign_in._verified.clear()  # type: ignore[attr-defined]
    client.app.state.sign_in._callers.clear()  # type: ignore[attr-defined]


# --- keys ------------------------------------------------------------------------------------------------------------
def test_a_key_opens_with_the_rights_of_its_owner(client: TestClient, key: Made) -> None:
    told = client.get(ME, headers=bearer(key("li.wei"))).json()
    assert told == {
        "name": "Li Wei",
        "actor": "person:li.wei",
        "roles": ["approver"],
        "rights": ["read", "check", "request", "decide"],
    }


def test_a_program_decides_nothing(client: TestClient, key: Made) -> None:
    told = client.get(ME, headers=bearer(key("app:webshop", "credit_controller", "approver"))).json()
    assert (told["actor"], told["rights"]) == ("app:webshop", ["read", "check"])


def test_a_key_is_narrower_than_its_owner(client: TestClient, key: Made) -> None:
    token = key("li.wei", rights=("read",))
    assert client.get(ME, headers=bearer(token)).json()["rights"] == ["read"]
    assert client.post("/api/v1/orders/SO1/check", json={}, headers=bearer(token)).status_code == 403


def test_only_a_hash_of_the_secret_is_kept(shop: Shop, key: Made) -> None:
    secret = key("li.wei").split("_", 2)[2]
    with shop.store.reading() as tx:
        (row,) = tx.exec_driver_sql("SELECT * FROM api_key").all()
    assert secret not in str(tuple(row))
    assert len(secret) >= 43, "256 bits"


def test_a_key_ends(client: TestClient, shop: Shop, key: Made) -> None:
    token, other = key("li.wei", days=2), key("wang.fang")
    assert client.get(ME, headers=bearer(token)).status_code == 200
    shop.clock.at += dt.timedelta(days=2)
    assert client.get(ME, headers=bearer(token)).status_code == 401, "also while it is remembered"
    assert client.get(ME, headers=bearer(other)).status_code == 200


def test_a_revoked_key_is_out_within_five_seconds(
    client: TestClient, shop: Shop, key: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, now = key("li.wei"), 1000.0
    monkeypatch.setattr("connector.web.auth.time.monotonic", lambda: now)
    assert client.get(ME, headers=bearer(token)).status_code == 200
    revoke(shop, token)
    assert KEPT_SECONDS <= 5
    now += KEPT_SECONDS
    assert client.get(ME, headers=bearer(token)).status_code == 401


def test_an_old_secret_is_good_for_the_overlap_only(client: TestClient, shop: Shop, key: Made) -> None:
    old = key("li.wei")
    now = shop.clock.now()
    with shop.store.writing() as tx:
        one = api_keys.get(tx, old)
        new = api_keys.rotate(tx, one, now, dt.timedelta(hours=1), now + dt.timedelta(days=9))
    assert [client.get(ME, headers=bearer(t)).status_code for t in (old, new)] == [200, 200]
    shop.clock.at += dt.timedelta(hours=1)
    forget(client)
    assert [client.get(ME, headers=bearer(t)).status_code for t in (old, new)] == [401, 200]


def test_use_is_written_down_once_a_minute(client: TestClient, shop: Shop, front: Front, key: Made) -> None:
    token = key("li.wei")

    def used() -> dt.datetime | None:
        client.get(ME, headers=bearer(token))
        client.portal.call(wait_for_notes, client.app)  # type: ignore[union-attr]
        with shop.store.reading() as tx:
            return api_keys.get(tx, token).used_at

    first = used()
    assert first == shop.clock.now()
    forget(client)
    shop.clock.at += dt.timedelta(seconds=30)
    assert used() == first


async def wait_for_notes(app: Any) -> None:
    task = app.state.sign_in._afterwards._task
    if task is not None:
        await task


def test_whoever_leaves_the_configuration_is_out_at_once(
    shop: Shop, key: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = tmp_path / "config.toml", 1000.0
    both = '[[people]]\nid = "li.wei"\nroles = ["approver"]\n[[people]]\nid = "he.ping"\nroles = ["sales"]\n'
    file.write_text(both, encoding="utf-8")
    monkeypatch.setattr("connector.web.people.time.monotonic", lambda: now)
    token, other = key("li.wei"), key("he.ping")
    with TestClient(make(Front(shop.store, load(file), shop.clock))) as client:
        assert [client.get(ME, headers=bearer(t)).status_code for t in (token, other)] == [200, 200]
        file.write_text('[[people]]\nid = "he.ping"\nroles = ["viewer"]\n# li.wei left\n', encoding="utf-8")
        now += 1.0
        assert [client.get(ME, headers=bearer(t)).status_code for t in (token, other)] == [401, 200]
        assert client.get(ME, headers=bearer(other)).json()["rights"] == ["read"]
        file.write_text("[[people", encoding="utf-8")
        now += 1.0
        assert client.get(ME, headers=bearer(other)).status_code == 200, "a slip in the file changes nothing"


def test_the_key_of_who_was_alone_ends_when_people_are_configured(shop: Shop, key: Made) -> None:
    alone = key("anna", *sorted(ROLES))
    nobody = Front(shop.store, shop.config.model_copy(update={"people": ()}), shop.clock)
    with TestClient(make(nobody)) as client:
        assert client.get(ME, headers=bearer(alone)).json()["actor"] == "person:anna"
        assert client.get(ME, headers=bearer(key("li.wei"))).status_code == 401, "a key of a person keeps no roles"
    with TestClient(make(Front(shop.store, shop.config, shop.clock))) as client:
        assert client.get(ME, headers=bearer(alone)).status_code == 401


# --- every door ------------------------------------------------------------------------------------------------------
PUBLIC = {"/healthz", "/readyz", "/hooks/{system}", "/hooks/{system}/{token}"}
# Doors of people with a browser: what leads to a session, how pages look, what they are made of.
BEFORE_SIGN_IN = {
    "/sign-in",
    "/sign-in/with",
    "/sign-in/with/{code}",
    "/sign-in/issuer",
    "/sign-in/issuer/back",
    "/look",
    "/static/{stamp}/{name}",
}
# Whoever is signed in.
SIGNED_IN = {"/", "/sign-out", "/me", "/me/password", "/me/sessions"}
# The credit panel inside a CRM: signed calls and codes that are good once.
BY_LAUNCH = {"/launch/{system}", "/launch/{system}/answer", "/panel/{system}", "/panel/{system}/answer"}
BY_SETTING = {"/metrics", "/api/v1/openapi.json"}
# Bodies that are of the right form, so that nothing but the right decides.
BODIES: dict[str, dict[str, Any]] = {
    "check": {"point": "entry"},
    "limits": {"customer": "C1", "amount": "1", "why": "x"},
}


def test_no_door_is_unlisted(client: TestClient) -> None:
    found = list(doors(client.app.routes))  # type: ignore[attr-defined]
    assert len(found) > 25, "nothing was looked at"
    open_doors = {path for _, path, right in found if right is None}
    assert open_doors == PUBLIC | BY_SETTING | BEFORE_SIGN_IN | SIGNED_IN | BY_LAUNCH
    assert {right for _, _, right in found if right is not None} <= set(RIGHTS)


@one_database
@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_doors_and_no_other(front: Front, key: Made, role: Role) -> None:
    settings = PersonSettings(id="somebody", roles=(role,))
    front.config = front.config.model_copy(update={"people": (settings,)})
    token = key("somebody")
    with TestClient(make(front), raise_server_exceptions=False) as client:
        tried = 0
        for method, path, right in doors(client.app.routes):  # type: ignore[attr-defined]
            if right is None or not path.startswith("/api/"):
                continue
            tried += 1
            name = path.rsplit("/", 1)[-1]
            address = path.replace("{order:path}", "SO9").replace("{customer:path}", "C9").replace("{number}", "99")
            body = BODIES.get(name, {"why": "x"}) if method == "POST" else None
            answer = client.request(method, address, headers=bearer(token), json=body)
            if right in RIGHTS_OF[role]:
                assert answer.status_code not in (401, 403, 405, 500), (method, path, answer.text)
            else:
                assert answer.status_code == 403, (method, path, answer.text)
            assert client.request(method, address, json=body).status_code == 401
        assert tried > 20


@one_database
def test_each_page_asks_for_a_session_and_its_right(front: Front) -> None:
    settings = PersonSettings(id="somebody", roles=("sales",))
    front.config = front.config.model_copy(update={"people": (settings,)})
    browser = visit(front, "somebody")
    stranger = TestClient(make(front), raise_server_exceptions=False, follow_redirects=False)
    tried = 0
    for method, path, right in doors(browser.client.app.routes):  # type: ignore[attr-defined]
        if path.startswith("/api/") or (right is None and path not in SIGNED_IN):
            continue
        tried += 1
        address = re.sub(r"\{(\w+)(:\w+)?\}", "9", path)
        answer = stranger.request(method, address)
        assert (answer.status_code, answer.headers.get("location", "").partition("?")[0]) == (303, "/sign-in"), path
        if method != "GET":
            assert browser.client.request(method, address).status_code == 403, "without the form's token"
        if right is not None and right not in RIGHTS_OF["sales"]:
            answer = browser.get(address) if method == "GET" else browser.post(address)
            assert answer.status_code == 403, (method, path)
    assert tried > 5


def test_rights_grow_with_roles_and_a_program_has_none_of_a_persons() -> None:
    assert rights_of(["viewer", "auditor"]) == {"read", "audit"}
    assert rights_of([]) == frozenset()
    assert {"request", "decide", "credit"} == PERSONAL
    for role, rights in RIGHTS_OF.items():
        assert ("decide" in rights) == (role in ("credit_controller", "approver"))


@one_database
@pytest.mark.parametrize("setting", ["open", "key", "off"])
@pytest.mark.parametrize(("path", "name"), [("/metrics", "metrics"), ("/api/v1/openapi.json", "documents")])
def test_documents_are_shown_as_the_service_says(front: Front, key: Made, path: str, name: str, setting: str) -> None:
    service = front.config.service.model_copy(update={name: setting})
    front.config = front.config.model_copy(update={"service": service})
    with TestClient(make(front)) as client:
        statuses = [client.get(path).status_code, client.get(path, headers=bearer(key("chen.jie"))).status_code]
    assert statuses == {"open": [200, 200], "key": [401, 200], "off": [404, 404]}[setting]


# --- refusals --------------------------------------------------------------------------------------------------------
def test_a_refusal_is_told_counted_and_kept_without_the_secret(
    client: TestClient, front: Front, shop: Shop, key: Made, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = key("chen.jie"), key("li.wei")
    forged = bad[:-5] + ("AAAAA" if not bad.endswith("AAAAA") else "BBBBB")
    no = client.get(ME, headers=bearer(forged))
    assert no.status_code == 401
    assert no.headers["www-authenticate"] == 'Bearer realm="holdfast", error="invalid_token"'
    forbidden = client.post("/api/v1/orders/SO1/release", json={"why": "x"}, headers=bearer(good))
    assert forbidden.status_code == 403
    assert forbidden.json()["detail"] == "Chen Jie may not decide on releases and limits."
    zh = client.post(
        "/api/v1/orders/SO1/release", json={"why": "x"}, headers={**bearer(good), "Accept-Language": "zh"}
    ).json()
    assert zh["detail"] == "Chen Jie 无权审批放行与额度。"
    client.portal.call(wait_for_notes, client.app)  # type: ignore[union-attr]
    said = [r for r in caplog.records if r.getMessage().startswith("refused")]
    assert [r.reason for r in said] == ["key_wrong_secret", "not_allowed", "not_allowed"]  # type: ignore[attr-defined]
    assert said[0].way == bad.split("_")[1]  # type: ignore[attr-defined]
    assert (said[1].caller, said[1].method) == ("person:chen.jie", "POST")  # type: ignore[attr-defined]
    assert said[1].route == "/api/v1/orders/{order:path}/release"  # type: ignore[attr-defined]
    whole = " ".join(f"{r.getMessage()} {vars(r)}" for r in caplog.records)
    for token in (good, bad, forged):
        assert token.split("_", 2)[2] not in whole
    text = front.metrics.text().decode()
    assert 'holdfast_refusals_total{reason="key_wrong_secret"} 1.0' in text
    assert 'holdfast_refusals_total{reason="not_allowed"} 2.0' in text
    with shop.store.reading() as tx:
        kept = [line.entry for line in audit.listing(tx, action="access.refuse")]
    assert [(e.actor, e.subject) for e in kept] == [
        ("person:chen.jie", "route:POST /api/v1/orders/{order:path}/release")
    ], "the same refusal is told once a minute"


def test_a_refusal_just_before_the_end_is_not_lost(front: Front, shop: Shop, key: Made) -> None:
    with TestClient(make(front), raise_server_exceptions=False) as client:
        assert client.get("/api/v1/audit", headers=bearer(key("chen.jie"))).status_code == 403
    with shop.store.reading() as tx:
        assert [line.entry.actor for line in audit.listing(tx, action="access.refuse")] == ["person:chen.jie"]


@one_database
def test_whoever_fails_again_and_again_waits_and_nobody_else(
    client: TestClient, key: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    client.app.state.sign_in.throttle = Throttle(lambda: now)  # type: ignore[attr-defined]
    good = key("li.wei")
    assert client.get(ME, headers=bearer(good)).status_code == 200
    statuses = [
        client.get(ME, headers=bearer(f"hf_abcdefghjkmn_{at}")).status_code for at in range(throttle.FAILURES_MOST + 3)
    ]
    assert statuses == [401] * throttle.FAILURES_MOST + [429] * 3
    refused = client.get(ME, headers=bearer("hf_abcdefghjkmn_x"))
    assert int(refused.headers["retry-after"]) >= 1
    assert client.get(ME, headers=bearer(good)).status_code == 200, "who was in stays in, from the same address, too"
    now += 3.1
    assert client.get(ME, headers=bearer("hf_abcdefghjkmn_y")).status_code == 401, "one more try each three seconds"


def test_addresses_are_counted_by_household() -> None:
    now = 0.0
    counted = Throttle(lambda: now)
    for at in range(throttle.FAILURES_MOST):
        counted.failed(f"2001:db8:1:2::{at + 1}")
    assert counted.wait("2001:db8:1:2:ffff::9") > 0
    assert counted.wait("2001:db8:1:3::1") == 0
    assert throttle.place("::ffff:10.0.0.7") == throttle.place("10.0.0.7")


# --- the company's own sign-in -----------------------------------------------------------------------------------------
@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


def opened(shop: Shop, issuer: Issuer, **more: Any) -> Front:
    settings = SignInSettings.model_validate({"issuer": issuer.url, "audience": "holdfast", **more})
    people = (*shop.config.people, PersonSettings(id="mail", roles=("viewer",), email="Mail@example.com"))
    people = (*people, PersonSettings(id="sub", roles=("auditor",), subject="subject-7"))
    return Front(shop.store, shop.config.model_copy(update={"sign_in": settings, "people": people}), shop.clock)


def claims(shop: Shop, issuer: Issuer, **more: Any) -> dict[str, Any]:
    now = int(shop.clock.now().timestamp())
    usual = {"iss": issuer.url, "aud": "holdfast", "sub": "s1", "iat": now, "exp": now + 300}
    made = usual | {"email": "mail@EXAMPLE.com", "email_verified": True} | more
    return {name: value for name, value in made.items() if value is not None}


def actor(client: TestClient, token: str) -> str:
    answer = client.get(ME, headers=bearer(token))
    return str(answer.json()["actor"]) if answer.status_code == 200 else str(answer.status_code)


def test_a_token_is_of_a_person_by_subject_or_verified_address(shop: Shop, issuer: Issuer) -> None:
    with TestClient(make(opened(shop, issuer))) as client:
        assert actor(client, issuer.token(claims(shop, issuer))) == "person:mail"
        assert actor(client, issuer.token(claims(shop, issuer, aud=["other", "holdfast"]))) == "person:mail"
        assert actor(client, issuer.token(claims(shop, issuer, sub="subject-7"))) == "person:sub"
        assert actor(client, issuer.token(claims(shop, issuer, email_verified=False))) == "401"
        assert actor(client, issuer.token(claims(shop, issuer, email=None))) == "401"


@one_database
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_each_signature_is_checked(shop: Shop, issuer: Issuer, algorithm: str) -> None:
    issuer.add("mine", algorithm)
    with TestClient(make(opened(shop, issuer))) as client:
        token = issuer.token(claims(shop, issuer), kid="mine", algorithm=algorithm)
        assert actor(client, token) == "person:mail"
        head, body, signature = token.split(".")
        spoilt = ("A" if signature[0] != "A" else "B") + signature[1:]
        assert actor(client, f"{head}.{body}.{spoilt}") == "401"
        other = issuer.token(claims(shop, issuer, sub="s2"), kid="mine", algorithm=algorithm).split(".")[1]
        assert actor(client, f"{head}.{other}.{signature}") == "401"


@one_database
def test_roles_by_a_claim_give_no_decisions(shop: Shop, issuer: Issuer) -> None:
    front = opened(shop, issuer, roles_claim="realm.groups", roles={"finance": ["approver", "viewer"]})
    with TestClient(make(front)) as client:
        stranger = issuer.token(claims(shop, issuer, email="new@x.com", realm={"groups": ["finance"]}))
        told = client.get(ME, headers=bearer(stranger)).json()
        assert (told["actor"], told["rights"]) == ("oidc:new@x.com", ["read", "check"])
        assert actor(client, issuer.token(claims(shop, issuer, email="new@x.com", realm={"groups": ["x"]}))) == "401"
        front.config = front.config.model_copy(update={"people": (PersonSettings(id="new", email="new@x.com"),)})
        told = client.get(ME, headers=bearer(stranger)).json()
        assert (told["actor"], told["rights"]) == ("person:new", ["read", "check"]), (
            "decisions are given in config.toml"
        )


@one_database
def test_a_new_key_of_the_issuer_is_fetched_once_and_not_for_everybody(
    shop: Shop, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("connector.web.oidc.time.monotonic", lambda: now)
    with TestClient(make(opened(shop, issuer))) as client:
        assert actor(client, issuer.token(claims(shop, issuer))) == "person:mail"
        assert issuer.asked == 1
        issuer.add("k2")
        assert actor(client, issuer.token(claims(shop, issuer), kid="k2")) == "401", "asked for half a minute ago"
        now += 31
        assert actor(client, issuer.token(claims(shop, issuer, sub="s3"), kid="k2")) == "person:mail"
        assert issuer.asked == 2
        for at in range(5):
            assert (
                actor(
                    client, issuer.token(claims(shop, issuer, jti=str(at)), kid=f"made-up-{at}", key=issuer.keys["k1"])
                )
                == "401"
            )
        assert issuer.asked == 2
        issuer.broken = True
        now += 31
        assert actor(client, issuer.token(claims(shop, issuer, sub="s4"))) == "person:mail", (
            "the keys at hand stay good"
        )


@one_database
def test_those_who_come_while_the_keys_are_fetched_wait_for_them(shop: Shop, issuer: Issuer) -> None:
    issuer.slow_seconds = 0.5
    tokens = [issuer.token(claims(shop, issuer, jti=str(at))) for at in range(6)]
    with TestClient(make(opened(shop, issuer))) as client, ThreadPoolExecutor(6) as threads:
        assert list(threads.map(lambda token: actor(client, token), tokens)) == ["person:mail"] * 6
    assert issuer.asked == 1


def test_keys_are_rotated_under_load_without_a_failed_call(client: TestClient, shop: Shop, key: Made) -> None:
    """Callers take the new key when they hear of it; nobody is refused meanwhile."""
    current, statuses, stop = [key("li.wei")], [], threading.Event()
    made = [0, 0, 0]

    def call_on(me: int) -> None:
        while not stop.is_set():
            statuses.append(client.get(ME, headers=bearer(current[-1])).status_code)
            made[me] += 1

    with ThreadPoolExecutor(3) as threads:
        callers = [threads.submit(call_on, me) for me in range(3)]
        for _ in range(4):
            now = shop.clock.now()
            with shop.store.writing() as tx:
                one = api_keys.get(tx, current[-1])
                new = api_keys.rotate(tx, one, now, dt.timedelta(hours=1), now + dt.timedelta(days=9))
            current.append(new)  # nobody hears of it before it is kept
            forget(client)
            before = list(made)
            # Each has come with the new one before the next: nobody is as late as two rotations.
            while any(n < b + 2 for n, b in zip(made, before, strict=True)) and not any(c.done() for c in callers):
                time.sleep(0.01)
        stop.set()
    assert len(statuses) >= 20
    assert set(statuses) == {200}


@one_database
def test_a_token_without_a_kid_is_tried_with_the_keys_that_fit(shop: Shop, issuer: Issuer) -> None:
    issuer.add("k2")
    with TestClient(make(opened(shop, issuer))) as client:
        assert actor(client, issuer.token(claims(shop, issuer), kid=None, key=issuer.keys["k2"])) == "person:mail"


@one_database
def test_the_clocks_may_be_half_a_minute_apart(shop: Shop, issuer: Issuer) -> None:
    clock = shop.clock
    assert isinstance(clock, FixedClock)
    now = int(clock.now().timestamp())
    with TestClient(make(opened(shop, issuer))) as client:
        for name, seconds, good in (
            ("exp", -29, True), ("exp", -30, False), ("nbf", 30, True), ("nbf", 31, False), ("iat", 30, True),
            ("iat", 31, False),
        ):  # fmt: skip
            found = actor(client, issuer.token(claims(shop, issuer, **{name: now + seconds})))
            assert found == ("person:mail" if good else "401"), (name, seconds)
        kept = issuer.token(claims(shop, issuer, exp=now + 10))
        assert actor(client, kept) == "person:mail"
        clock.at += dt.timedelta(seconds=40)
        assert actor(client, kept) == "401", "also while it is remembered"


def test_groups_of_a_claim() -> None:
    assert oidc.groups_of({"groups": ["a", 1]}, "groups") == {"a"}
    assert oidc.groups_of({"scope": "a b"}, "scope") == {"a", "b"}
    assert oidc.groups_of({"a": {"b": ["c"]}}, "a.b") == {"c"}
    assert oidc.groups_of({"a.b": "c"}, "a.b") == {"c"}
    assert oidc.groups_of({}, None) == frozenset()


def test_check_asks_the_issuer(issuer: Issuer, tmp_path: Path) -> None:
    text = f'[sign_in]\nissuer = "{issuer.url}"\naudience = "holdfast"\n'
    config = book(tmp_path, text, customers="id,name\nC1,One")
    done = call("-c", config, "check", "--format", "json")
    found = [f for f in done.json if f["system"] == "sign-in"]
    assert [(f["state"], f["what"]) for f in found] == [("fine", "The issuer answers; keys that can be used: 1.")]
    issuer.says = {"issuer": "https://elsewhere.example.com"}
    done = call("-c", config, "--lang", "zh", "check", "--format", "json", lang="zh")
    assert done.code == 2
    (found,) = [f for f in done.json if f["system"] == "sign-in"]
    assert "签发方自称的地址与 [sign_in] issuer 不一致" in found["what"]
