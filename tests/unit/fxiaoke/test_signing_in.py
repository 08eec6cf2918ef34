"""Signing in by both styles: where the token goes, when it is renewed, what is said when it is refused."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from typing import Any

import pytest

from adapters.fxiaoke.read import query
from adapters.fxiaoke.sandbox import FxiaokeSandbox
from connector.clock import FixedClock
from connector.errors import ConfigError
from connector.sandbox import Request, SandboxOptions

TOKEN = {"header": "/oauth2.0/token", "body": "/cgi/corpAccessToken/get/V2"}


def _heard(sandbox: FxiaokeSandbox) -> list[Request]:
    """Keeps what the sandbox is asked from now on."""
    heard: list[Request] = []
    answer = sandbox.answer

    def listening(request: Request) -> Any:
        heard.append(request)
        return answer(request)

    sandbox.answer = listening  # type: ignore[method-assign]
    return heard


def test_the_current_style_signs_in_headers_and_leaves_the_body_alone(tenant: Any) -> None:
    made = tenant()
    heard = _heard(made.sandbox)
    query(made.client, "AccountObj", [], ["_id"])
    sign_in, call = heard
    assert sign_in.json() == {
        "appId": "FSAID_sandbox1",
        "appSecret": "sandbox-app-secret",
        "permanentCode": "sandbox-permanent-code",
        "grantType": "app_secret",
    }
    assert call.headers["authorization"].startswith("Bearer ")
    assert (call.headers["x-fs-ea"], call.headers["x-fs-userid"]) == ("holdfast-sandbox", "1000")
    assert "corpAccessToken" not in call.json()
    assert call.json()["convertUserId"] is False


def test_the_legacy_style_signs_in_each_body(tenant: Any) -> None:
    made = tenant(auth_style="body")
    heard = _heard(made.sandbox)
    query(made.client, "AccountObj", [], ["_id"])
    sign_in, call = heard
    assert sign_in.path == TOKEN["body"]
    assert "authorization" not in call.headers
    body = call.json()
    assert body["corpAccessToken"]
    assert (body["corpId"], body["currentOpenUserId"]) == ("FSCID_5A4B3C2D1E", "FSUID_000003E8")


def test_every_call_and_every_attempt_bears_a_trace_id_of_its_own(tenant: Any) -> None:
    made = tenant()
    heard = _heard(made.sandbox)
    made.sandbox.faults.plan("429-bare", times=2, match="query")
    query(made.client, "AccountObj", [], ["_id"])
    traces = [r.query["thirdTraceId"] for r in heard]
    assert len(traces) == len(set(traces)) == 4  # token, two refused, one answered
    assert {uuid.UUID(t).version for t in traces} == {4}


def test_one_token_serves_many_calls(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    for _ in range(5):
        query(made.client, "AccountObj", [], ["_id"])
    assert [c.path for c in made.sandbox.calls].count(TOKEN[style]) == 1


def test_a_dead_token_is_renewed_once_in_mid_stream(tenant: Any, style: str) -> None:
    made = tenant(customers=230, auth_style=style)
    made.sandbox.faults.plan("expired", skip=1, match="data/query")
    keys = [r.key for r in made.records("customers")]
    assert sorted(keys) == sorted(a["_id"] for a in made.accounts())
    assert [c.path for c in made.sandbox.calls].count(TOKEN[style]) == 2


def test_a_token_that_is_always_dead_ends_with_words_not_with_a_loop(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    made.sandbox.faults.plan("expired", times=99, match="data/query")
    with pytest.raises(ConfigError) as caught:
        query(made.client, "AccountObj", [], ["_id"])
    assert "refuses" in caught.value.user.en
    assert "拒绝" in caught.value.user.zh
    assert len(made.sandbox.faults.happened) == 2


def test_wrong_secrets_are_refused_without_being_repeated(
    tenant: Any, style: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = tenant(auth_style=style)
    made.client.connection.__dict__["secret"] = lambda name: f"wrong-{name}-8842"
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError) as caught:
        query(made.client, "AccountObj", [], ["_id"])
    assert caught.value.user.en == (
        "Fxiaoke refuses the sign-in (code 10006). Check app_id, app_secret and permanent_code of the self-built app, and "
        "the acting employee."
    )
    assert caught.value.user.zh.startswith("纷享销客拒绝登录（代码 10006）。请核对自建应用的 app_id")
    assert "8842" not in caplog.text + str(caught.value) + caught.value.log


def test_the_token_appears_in_no_message_even_if_the_vendor_repeats_it(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    given = made.client.token.headers()
    token = given.get("corpAccessToken") or given["authorization"].removeprefix("Bearer ")
    code, message = 15003, f"token {token} has no right"
    made.sandbox._admit = lambda request, body: (_ for _ in ()).throw(_refused(code, message))
    with pytest.raises(ConfigError) as caught:
        query(made.client, "AccountObj", [], ["_id"])
    assert token not in caught.value.user.en + caught.value.user.zh + caught.value.log
    assert "token … has no right" in caught.value.user.en


def _refused(code: int, message: str) -> Exception:
    from adapters.fxiaoke.sandbox_rules import Refused

    return Refused(code, message)


def test_an_acting_employee_who_is_not_there_is_named(tenant: Any) -> None:
    made = tenant(acting_user="4711")
    with pytest.raises(ConfigError, match="acting_user"):
        query(made.client, "AccountObj", [], ["_id"])


def test_many_threads_fetch_one_token_and_never_at_the_same_time(connect: Any) -> None:
    sandbox = FxiaokeSandbox(SandboxOptions(customers=20))
    with sandbox.served() as url:
        client = connect(sandbox, FixedClock(dt.datetime.now(dt.UTC)), url)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                query(client, "AccountObj", [], ["_id"])
            except BaseException as wrong:
                failures.append(wrong)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert failures == []
    assert [c.path for c in sandbox.calls].count(TOKEN["header"]) == 1
    assert [c.path for c in sandbox.calls].count("/cgi/crm/v2/data/query") == 8
