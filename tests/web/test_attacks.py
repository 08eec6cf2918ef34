"""A table of attacks on the API: each is refused with the right status and told in the log, never with a secret in it."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwk

from connector.clock import SystemClock
from connector.config import parse
from connector.config_sign_in import SignInSettings
from connector.errors import ConfigError, HoldfastError
from connector.store import api_keys
from connector.web import oidc
from connector.web.app import make
from connector.web.front import Front
from connector.web.hurried import Hurried
from tests.jobs.shop import Shop
from tests.web.conftest import Made, bearer
from tests.web.issuer import Issuer, issuing
from tests.web.listening import listening
from tests.web.test_auth import claims, opened

ME = "/api/v1/me"
# Where no database is asked, or none that could make a difference, one is enough.
one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The reasons of the refusals that were logged."""
    return [str(vars(r)["reason"]) for r in caplog.records if "reason" in vars(r)]


def whole(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(f"{r.getMessage()} {vars(r)}" for r in caplog.records)


# --- stolen, forged and outlived keys ----------------------------------------------------------------------------------
def forged(shop: Shop, key: Made) -> str:
    return key("li.wei")[:-4] + "AbCd"


def of_another(shop: Shop, key: Made) -> str:
    """The id of one key with the secret of another."""
    one, other = key("li.wei"), key("chen.jie")
    return "_".join([*one.split("_")[:2], other.split("_", 2)[2]])


def expired(shop: Shop, key: Made) -> str:
    return key("li.wei", days=0)


def revoked(shop: Shop, key: Made) -> str:
    token = key("li.wei")
    with shop.store.writing() as tx:
        api_keys.revoke(tx, api_keys.get(tx, token), shop.clock.now())
    return token


def rotated_out(shop: Shop, key: Made) -> str:
    token, now = key("li.wei"), shop.clock.now()
    with shop.store.writing() as tx:
        api_keys.rotate(tx, api_keys.get(tx, token), now, dt.timedelta(0), now + dt.timedelta(days=9))
    return token


KEYS: list[tuple[Callable[[Shop, Made], str], str]] = [
    (forged, "key_wrong_secret"),
    (of_another, "key_wrong_secret"),
    (expired, "key_expired"),
    (revoked, "key_revoked"),
    (rotated_out, "key_rotated_out"),
    (lambda _shop, key: key("nobody.here"), "owner_gone"),
    (lambda _shop, key: key("li.wei", rights=()) and "hf_abcdefghjkmn_" + "s" * 43, "key_unknown"),
    (lambda _shop, _key: "hf_abcdefghjkmn_", "credential_malformed"),
    (lambda _shop, key: key("li.wei").replace("hf_", "hg_", 1), "credential_malformed"),
    (lambda _shop, _key: "x" * 5000, "credential_malformed"),
    (lambda _shop, _key: "' OR 1=1 --", "credential_malformed"),
    (lambda _shop, _key: "hf_' OR '1'='1_x", "key_unknown"),
]


@pytest.mark.parametrize(("attack", "reason"), KEYS, ids=[f"{n}-{reason}" for n, (_, reason) in enumerate(KEYS)])
@one_database
def test_a_key_that_is_not_good(
    client: TestClient, shop: Shop, key: Made, caplog: pytest.LogCaptureFixture, attack: Any, reason: str
) -> None:
    token = attack(shop, key)
    caplog.set_level(logging.DEBUG)
    answer = client.get(ME, headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert told(caplog) == [reason]
    secret = token.split("_", 2)[-1]
    assert len(secret) < 8 or secret not in whole(caplog)
    assert reason not in answer.text, "whoever tries learns nothing of how near he was"


def test_a_key_anywhere_but_in_its_header_opens_nothing(client: TestClient, key: Made) -> None:
    token = key("li.wei")
    assert client.get(f"{ME}?access_token={token}").status_code == 401
    assert client.get(ME, cookies={"Authorization": f"Bearer {token}"}).status_code == 401
    assert client.get(ME, headers={"Authorization": f"Basic {b64(token.encode())}"}).status_code == 401
    assert client.get(ME, headers={"Authorization": token}).status_code == 401
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")]
    assert client.get(ME, headers=twice).status_code == 401
    assert client.get(ME, headers=bearer(token)).status_code == 200


# --- forged tokens -----------------------------------------------------------------------------------------------------
@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


def none(shop: Shop, issuer: Issuer) -> str:
    return f"{b64({'alg': 'none', 'kid': 'k1'})}.{b64(claims(shop, issuer))}."


def signed_with_the_public_key(secret: bytes) -> Callable[[Shop, Issuer], str]:
    def attack(shop: Shop, issuer: Issuer) -> str:
        public = (
            issuer.keys["k1"].as_pem(private=False)
            if secret == b"pem"
            else b64(issuer.keys["k1"].as_dict(private=False)).encode()
        )
        body = f"{b64({'alg': 'HS256', 'kid': 'k1'})}.{b64(claims(shop, issuer))}"
        return f"{body}.{b64(hmac.new(public, body.encode(), hashlib.sha256).digest())}"

    return attack


@cache
def strange_key() -> Any:
    return jwk.generate_key("RSA", 2048)


def stranger(kid: str | None, **head: Any) -> Callable[[Shop, Issuer], str]:
    """Signed by a key that the issuer has never published."""

    def attack(shop: Shop, issuer: Issuer) -> str:
        own = strange_key()
        told = {"alg": "RS256"} | ({"kid": kid} if kid else {}) | head
        if head.get("jwk") == "own":
            told["jwk"] = own.as_dict(private=False)
        from joserfc import jws
        from joserfc.jws import JWSRegistry

        free = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        return jws.serialize_compact(told, json.dumps(claims(shop, issuer)).encode(), own, registry=free)

    return attack


def by_hand(key: Any, head: dict[str, Any], body: dict[str, Any]) -> str:
    """Signed as the library itself would refuse to sign."""
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    text = f"{b64(head)}.{b64(body)}"
    return f"{text}.{b64(key.private_key.sign(text.encode(), padding.PKCS1v15(), SHA256()))}"


def asking_for_more(shop: Shop, issuer: Issuer) -> str:
    """By the issuer's own key: what a token calls critical and we do not know is not passed over."""
    head = {"alg": "RS256", "kid": "k1", "crit": ["exp2"], "exp2": 1}
    return by_hand(issuer.keys["k1"], head, claims(shop, issuer))


def saying(**more: Any) -> Callable[[Shop, Issuer], str]:
    return lambda shop, issuer: issuer.token(claims(shop, issuer, **more))


def at(name: str, seconds: int) -> Callable[[Shop, Issuer], str]:
    return lambda shop, issuer: issuer.token(
        claims(shop, issuer, **{name: int(shop.clock.now().timestamp()) + seconds})
    )


TOKENS: list[tuple[str, Callable[[Shop, Issuer], str], str]] = [
    ("alg none", none, "token_algorithm"),
    ("HS256 with the public key", signed_with_the_public_key(b"pem"), "token_algorithm"),
    ("HS256 with the public JWK", signed_with_the_public_key(b"jwk"), "token_algorithm"),
    ("another key under its kid", stranger("k1"), "token_signature"),
    ("another key, none named", stranger(None), "token_signature"),
    ("brings its own key", stranger("k1", jwk="own"), "token_signature"),
    ("says where its key is", stranger("own", jku="http://127.0.0.1:1/keys"), "token_key"),
    ("names a file as its key", stranger("../../../../dev/null"), "token_key"),
    ("asks for what we do not know", asking_for_more, "token_signature"),
    ("of another issuer", saying(iss="https://login.example.com"), "token_issuer"),
    ("of nobody", saying(iss=None), "token_issuer"),
    ("for another", saying(aud="webshop"), "token_audience"),
    ("for nobody", saying(aud=None), "token_audience"),
    ("for some object", saying(aud={"holdfast": 1}), "token_audience"),
    ("late", at("exp", -31), "token_expired"),
    ("without end", saying(exp=None), "token_expired"),
    ("that ends in words", saying(exp="tomorrow"), "token_expired"),
    ("that ends in truth", saying(exp=True), "token_expired"),
    ("that ends in another age", saying(exp=1e300), "token_expired"),
    ("early", at("nbf", 31), "token_not_yet"),
    ("made tomorrow", at("iat", 86_400), "token_not_yet"),
    ("without subject", saying(sub=None), "token_subject"),
    ("of a list", saying(sub=["s1"]), "token_subject"),
    ("of a stranger", saying(email="eve@example.com"), "person_unknown"),
    ("unverified", saying(email_verified=False), "person_unknown"),
    ("verified by a word", saying(email_verified="yes"), "person_unknown"),
    ("with our roles in it", saying(email="eve@example.com", roles=["admin"]), "person_unknown"),
    ("too long", lambda shop, issuer: issuer.token(claims(shop, issuer, x="y" * 9000)), "token_too_long"),
    ("no JSON", lambda shop, issuer: f"{b64(b'{')}.e30.x", "token_malformed"),
    ("deep", lambda shop, issuer: f"{b64(b'[' * 5000)}.e30.x", "token_malformed"),
    ("a number as head", lambda shop, issuer: f"{b64(b'7')}.e30.x", "token_malformed"),
    ("not a number", lambda shop, issuer: issuer.token(claims(shop, issuer)).replace(".", ".x", 1), "token_signature"),
]


@one_database
@pytest.mark.parametrize(("attack", "reason"), [t[1:] for t in TOKENS], ids=[t[0] for t in TOKENS])
def test_a_token_that_is_not_good(
    shop: Shop, issuer: Issuer, caplog: pytest.LogCaptureFixture, attack: Any, reason: str
) -> None:
    token = attack(shop, issuer)
    caplog.set_level(logging.DEBUG)
    front = opened(shop, issuer)
    with TestClient(make(front), raise_server_exceptions=False) as client:
        good = client.get(ME, headers=bearer(issuer.token(claims(shop, issuer))))
        assert good.status_code == 200, "otherwise nothing is shown"
        answer = client.get(ME, headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert told(caplog) == [reason]
    assert not [part for part in token.split(".") if len(part) > 20 and part in whole(caplog)]
    assert f'holdfast_refusals_total{{reason="{reason}"}} 1.0' in front.metrics.text().decode()


@one_database
def test_a_short_key_and_a_secret_one_of_the_issuer_are_not_used(shop: Shop, issuer: Issuer) -> None:
    class Published:
        """A key as the issuer tells of it."""

        def __init__(self, key: Any, **says: Any) -> None:
            self.key, self.says = key, says

        def as_dict(self, private: bool = False) -> dict[str, Any]:
            return self.key.as_dict(private=private) | self.says

    keys = {name: jwk.generate_key("RSA", bits) for name, bits in (("short", 1024), ("enc", 2048), ("fine", 2048))}
    issuer.keys |= {name: Published(one, kid=name) for name, one in keys.items()}
    issuer.keys["enc"].says["use"] = "enc"
    issuer.keys["oct"] = jwk.import_key("a" * 32, "oct", {"kid": "oct"})
    with TestClient(make(opened(shop, issuer))) as client:

        def status(kid: str) -> int:
            token = by_hand(keys[kid], {"alg": "RS256", "kid": kid}, claims(shop, issuer))
            return client.get(ME, headers=bearer(token)).status_code

        assert {kid: status(kid) for kid in keys} == {"fine": 200, "short": 401, "enc": 401}


# --- configured addresses ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest", "http://login.example.com", "file:///etc/passwd", "https://user:pw@host/x",
        "https://host/x?y=1", "gopher://host", "http://2130706433/", "https://ho st/",
    ],
)  # fmt: skip
def test_an_issuer_that_may_not_be_talked_to_is_refused_with_the_configuration(address: str) -> None:
    from pathlib import Path

    text = f'[sign_in]\nissuer = "{address}"\naudience = "holdfast"\n'
    made, problems = parse(text, "config.toml", Path())
    assert made is None
    assert [p.field for p in problems] == ["sign_in.issuer"]
    assert "pw" not in str(problems[0])


@pytest.mark.parametrize(
    "keys",
    [
        "http://127.0.0.1:{port}/keys",
        "https://127.0.0.1:{port}/keys",
        "http://169.254.169.254/keys",
        "file:///etc/passwd",
    ],
)
def test_a_public_issuer_does_not_lead_us_inside(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, keys: str
) -> None:
    """The document of a public issuer names an address of our own network for its keys."""
    settings = SignInSettings(issuer="https://login.example.com", audience="holdfast")
    one = oidc.Issuer(settings, SystemClock())
    document = {"issuer": settings.issuer, "jwks_uri": keys.format(port=issuer.url.rsplit(":", 1)[1])}
    real = oidc._read
    monkeypatch.setattr(oidc, "_read", lambda http, path: document if "well-known" in path else real(http, path))
    with pytest.raises(ConfigError):
        one._published()
    assert issuer.asked == 0, "not one request has reached it"
    one.refresh()
    assert "the issuer's keys cannot be read" in whole(caplog)


def test_an_issuer_of_our_own_that_sends_us_to_the_metadata_is_not_followed(issuer: Issuer) -> None:
    issuer.says = {"jwks_uri": "https://169.254.169.254/keys"}
    one = oidc.Issuer(SignInSettings(issuer=issuer.url, audience="holdfast"), SystemClock())
    with pytest.raises(HoldfastError):
        one._published()
    issuer.says = {"issuer": "https://elsewhere.example.com"}
    with pytest.raises(ConfigError, match="calls itself otherwise"):
        one._published()


# --- bodies and addresses ----------------------------------------------------------------------------------------------
JSON = {"Content-Type": "application/json"}
HOLD = "/api/v1/orders/SO1/hold"
BODIES: list[tuple[str, bytes, dict[str, str], tuple[int, ...]]] = [
    ("too large", b'{"why": "' + b"x" * 300_000 + b'"}', JSON, (413,)),
    ("deep", b'{"why": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON, (400, 422)),
    ("deep objects", b'{"why": ' + b'{"a":' * 40_000 + b"1" + b"}" * 40_000 + b"}", JSON, (400, 422)),
    ("not JSON", b"why=x", JSON, (422,)),
    ("another kind", b'{"why": "x"}', {"Content-Type": "text/plain"}, (415, 422)),
    ("no kind", b'{"why": "x"}', {}, (415, 422)),
    ("a form", b"why=x", {"Content-Type": "application/x-www-form-urlencoded"}, (415, 422)),
    ("not a number", b'{"why": NaN}', JSON, (400, 422)),
    ("a huge number", b'{"why": 1' + b"0" * 5000 + b"}", JSON, (400, 422)),
    ("an unknown key", b'{"why": "x", "force": true}', JSON, (422,)),
    ("a control character", b'{"why": "a\\u0000b"}', JSON, (422,)),
    ("half a pair", b'{"why": "\\ud800"}', JSON, (422,)),
    ("blank", b'{"why": "  "}', JSON, (422,)),
    ("not UTF-8", b'{"why": "\xff\xfe"}', JSON, (400, 422)),
    ("a list", b'["why"]', JSON, (422,)),
    ("nothing", b"", JSON, (422,)),
]


@one_database
@pytest.mark.parametrize(("body", "headers", "statuses"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_a_body_that_is_none(
    client: TestClient, key: Made, body: bytes, headers: dict[str, str], statuses: tuple[int, ...]
) -> None:
    answer = client.post(HOLD, content=body, headers={**bearer(key("li.wei")), **headers})
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4000, "nothing of it is sent back"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders/..%2f..%2f..%2fetc%2fpasswd", "/api/v1/orders/%2e%2e/%2e%2e/x", "/api/v1/customers/%00",
        "/api/v1/orders/a%00b", "/api/v1/orders?customer=%00", "/api/v1/orders/%0d%0aSet-Cookie:%20x=1",
        "/api/v1/orders/%ff%fe", "/api/v1/customers/%25%32%65", "/api/v1/orders/" + "x" * 300, "/api/v1/orders/'%20OR%201=1--",
        "/api/v1/limits/99999999999999999999999", "/api/v1/customers/C1?as_of=9999-12-31", "//api/v1/me", "/api/v1/../v1/me",
        "/api/v1/customers?q=%ed%a0%80",
    ],
)  # fmt: skip
@one_database
def test_an_address_that_leads_nowhere(
    client: TestClient, key: Made, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    answer = client.get(path, headers=bearer(key("li.wei")))
    assert answer.status_code in (200, 400, 404, 422), answer.text
    if answer.status_code == 200:
        assert answer.json().get("customers") == [] or path.endswith("/me")
    assert "set-cookie" not in answer.headers
    assert not any(
        "\r" in r.getMessage() or "\n" in r.getMessage() for r in caplog.records if r.name.startswith("holdfast")
    )


def test_an_address_cannot_write_lines_into_the_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/api/v1/orders/x%0dforged:%20all%20is%20well")
    client.get("/nowhere/x%0aforged")
    client.get("/api/v1/orders/x%0aforged")
    assert told(caplog) == ["no_credential"]
    assert not any("forged" in str(vars(r).get("route", "")) + r.getMessage() for r in caplog.records)


# --- over a real socket ------------------------------------------------------------------------------------------------
class Quick(Hurried):
    """With a time that a test can wait for."""

    seconds = 0.5


@pytest.fixture
def address(front: Front) -> Iterator[tuple[str, int]]:
    with listening(make(front), http=Quick, timeout_keep_alive=1) as url:
        host, port = url.removeprefix("http://").split(":")
        yield host, int(port)


def closed_within(one: socket.socket, seconds: float) -> bool:
    one.settimeout(seconds)
    try:
        while one.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@one_database
@pytest.mark.parametrize(
    "begins",
    [
        b"",
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n",
        b"POST /api/v1/orders/SO1/hold HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"POST /api/v1/orders/SO1/hold HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["silent", "half a head", "half a body", "half a chunk"],
)
def test_a_slow_client_is_let_go(address: tuple[str, int], caplog: pytest.LogCaptureFixture, begins: bytes) -> None:
    with socket.create_connection(address, 5) as one:
        one.sendall(begins)
        for _ in range(4):  # a byte now and then changes nothing
            time.sleep(0.1)
            if b"POST" in begins and b"chunked" not in begins:
                with contextlib.suppress(OSError):  # it may be let go already where this machine is slow
                    one.sendall(b" ")
        assert closed_within(one, 5)
    assert "too_slow" in told(caplog)
    with socket.create_connection(address, 5) as other:
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.recv(1000).startswith(b"HTTP/1.1 200"), "others are served"


@one_database
@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n b\r\nbad header\r\n\r\n",
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: " + b"A" * 200_000 + b"\r\n\r\n",
        b"GET /api/v1/me\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=["folded", "a large head", "a null", "two lengths", "two other lengths", "TLS"],
)
def test_what_is_no_request_is_answered_with_400_or_nothing(address: tuple[str, int], request_: bytes) -> None:
    with socket.create_connection(address, 5) as one:
        one.sendall(request_)
        one.settimeout(5)
        try:
            head = one.recv(4096)
        except OSError:
            head = b""
    assert head == b"" or head.split(b"\r\n")[0].split()[1] in (b"400", b"401", b"405", b"431"), head


@one_database
@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"GET /api/v1/me?", b"a" * 1024),
        (b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-A: ", b"a" * 1024),
        (b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n", b"X-A: " + b"a" * 1017 + b"\r\n"),
        (b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", b"a" * 65_536),
        (b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 65_536),
    ],
    ids=["address", "one line", "many lines", "trailer", "extension of a chunk"],
)
def test_a_head_or_a_trailer_without_end_is_stopped(
    address: tuple[str, int], begins: bytes, goes_on: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Quick, "seconds", 20.0)  # it is not the time that ends it
    with socket.create_connection(address, 5) as one:
        one.sendall(begins)
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 400 * len(goes_on):
                one.sendall(goes_on)
                sent += len(goes_on)
                time.sleep(0.001)
        assert closed_within(one, 5)
    assert sent < 400 * len(goes_on)


@one_database
def test_lines_behind_the_body_are_no_headers(address: tuple[str, int], key: Made) -> None:
    with socket.create_connection(address, 5) as one:
        head = b"POST " + HOLD.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        told_late = f"Authorization: Bearer {key('li.wei')}\r\n\r\n".encode()
        one.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + told_late)
        assert one.recv(4096).startswith(b"HTTP/1.1 401")


@one_database
def test_requests_that_come_together_are_answered_in_their_order(address: tuple[str, int]) -> None:
    asked = [b"/healthz", b"/nothing", b"/healthz", b"/readyz"]
    with socket.create_connection(address, 5) as one:
        one.sendall(b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n" for path in asked))
        one.settimeout(5)
        got = b""
        while got.count(b"HTTP/1.1 ") < len(asked) or not got.endswith((b"}", b"\n")):
            got += one.recv(65536)
    assert [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200", b"200"]


@one_database
def test_a_client_that_sends_on_and_on_is_stopped_at_the_bound(
    address: tuple[str, int], front: Front, key: Made
) -> None:
    with socket.create_connection(address, 5) as one:
        head = f"POST {HOLD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key('li.wei')}\r\nContent-Type: application/json\r\n"
        one.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            for _ in range(10_000):
                one.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                sent += 4096
        except OSError:
            pass
        one.settimeout(5)
        try:
            answer = one.recv(4096)
        except OSError:
            answer = b""
    assert sent < 40_000_000 or answer.startswith(b"HTTP/1.1 413")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
