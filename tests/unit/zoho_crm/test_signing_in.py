"""Signing in at Zoho: data centres, token errors that arrive with status 200, renewal, and whose host is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.zoho_crm import hosts
from connector.errors import ConfigError, TransientError
from connector.sandbox import Reply, Request, Sandbox
from tests.unit.zoho_crm.world import ADAPTER, BASE, client, keys, organisation, read, sandbox


def reworded(box: Sandbox, path: str, change: Callable[[dict[str, Any]], Any], status: int | None = None) -> None:
    """Lets the sandbox answer calls of one path with a changed body."""
    answer = box.answer

    def changed(request: Request) -> Any:
        reply, fault = answer(request)
        if request.path == path:
            reply = Reply.json(change(json.loads(reply.body)), status or reply.status)
        return reply, fault

    box.answer = changed  # type: ignore[method-assign]


def tokens(box: Sandbox) -> int:
    return sum(c.path == "/oauth/v2/token" for c in box.calls)


@pytest.mark.parametrize(
    ("centre", "accounts", "api"),
    [
        ("us", "https://accounts.zoho.com", "https://www.zohoapis.com"),
        ("eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        ("cn", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
        ("au", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        ("ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    ],
)
def test_data_centres(centre: str, accounts: str, api: str) -> None:
    assert hosts.accounts_url(centre) == accounts
    assert hosts.api_url(centre) == api
    assert hosts.is_zoho_api(api)


@pytest.mark.parametrize(
    "fake",
    [
        "http://www.zohoapis.com",
        "https://www.zohoapis.com.evil.example",
        "https://evil.example/www.zohoapis.com",
        "https://www.zohoapis.com@evil.example",
        "https://user@www.zohoapis.com",
        "https://www.zohoapis.com:8443",
        "https://zohoapis.evil",
        "",
    ],
)
def test_what_only_looks_like_zoho_is_not_trusted(fake: str) -> None:
    assert not hosts.is_zoho_api(fake)


def test_a_foreign_host_in_the_token_reply_gets_no_call() -> None:
    box = sandbox(5)
    reworded(box, "/oauth/v2/token", lambda body: {**body, "api_domain": "https://evil.example"})
    with box.mounted(BASE):
        zoho = client(box, BASE, base_url=None)
        with pytest.raises(ConfigError, match=r"evil\.example"):
            read(zoho, "users")
    assert [c.path for c in box.calls] == ["/oauth/v2/token"]


def test_the_token_reply_names_the_address() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        assert len(keys(read(client(box, BASE, base_url=None), "users"))) == box.shelf.count("~users")
    assert tokens(box) == 1


@pytest.mark.parametrize("error", ["invalid_code", "invalid_client", "invalid_client_secret"])
@pytest.mark.parametrize("status", [200, 400, 401])
def test_token_errors_are_for_a_person(error: str, status: int) -> None:
    box = sandbox(5)
    reworded(box, "/oauth/v2/token", lambda body: {"error": error}, status)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        with pytest.raises(ConfigError) as raised:
            read(zoho, "users")
    assert error in raised.value.user.en
    assert "data_center" in raised.value.user.en
    assert "data_center" in raised.value.user.zh
    assert not any(secret in str(raised.value.user) + raised.value.log for secret in box.credentials().values())


def test_the_token_limit_is_waited_out() -> None:
    box = sandbox(5, token_limit=True)
    with box.mounted(BASE):
        for _ in range(10):
            read(client(box, BASE), "users")
        with pytest.raises(TransientError) as raised:
            read(client(box, BASE), "users")
    assert raised.value.retry_after == 600


def test_one_client_never_asks_more_than_ten_times() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        for _ in range(10):
            zoho._fetch()
        with pytest.raises(TransientError) as raised:
            zoho._fetch()
    assert tokens(box) == 10
    assert raised.value.retry_after is not None
    assert 500 < raised.value.retry_after <= 600


def test_one_token_serves_everything() -> None:
    with organisation() as (box, zoho):
        for stream in ADAPTER.streams:
            read(zoho, stream.name)
        assert tokens(box) == 1


def test_a_token_that_dies_in_the_middle_is_renewed_once() -> None:
    with organisation(40, bulk_first=False, page_size=10) as (box, zoho):
        box.faults.plan("expired", skip=2, match="coql")
        assert set(keys(read(zoho, "accounts"))) == {a["id"] for a in box.shelf.all("Accounts")}
        assert tokens(box) == 2


def test_a_sign_in_that_never_works_stops() -> None:
    with organisation(5, bulk_first=False) as (box, zoho):
        box.faults.plan("expired", times=50, match="coql")
        with pytest.raises(ConfigError):
            read(zoho, "accounts")
        assert tokens(box) == 2


def test_a_missing_scope_is_no_reason_to_renew() -> None:
    with organisation(5, {"denied": ["users"]}) as (box, zoho):
        with pytest.raises(ConfigError, match="OAUTH_SCOPE_MISMATCH"):
            read(zoho, "users")
        assert tokens(box) == 1


@pytest.mark.parametrize(
    ("reply", "minutes"),
    [({}, 55), ({"expires_in": 3600}, 55), ({"expires_in": 3_600_000}, 55), ({"expires_in": 600}, 5)],
)
def test_tokens_are_renewed_five_minutes_early(reply: dict[str, Any], minutes: int) -> None:
    import time

    box = sandbox(5)
    reworded(box, "/oauth/v2/token", lambda body: {"access_token": body["access_token"], **reply})
    with box.mounted(BASE):
        token = client(box, BASE)._fetch()
    assert token.fresh_until - time.monotonic() == pytest.approx(minutes * 60, abs=30)
    assert token.headers["authorization"].startswith("Zoho-oauthtoken 1000.")


def test_a_token_reply_without_a_token() -> None:
    from connector.errors import ProtocolError

    box = sandbox(5)
    reworded(box, "/oauth/v2/token", lambda body: {"scope": "nothing"})
    with box.mounted(BASE), pytest.raises(ProtocolError):
        read(client(box, BASE), "users")
