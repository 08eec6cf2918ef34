"""Stock proofs of webhooks: a genuine call passes, and each forgery of a table is refused with its own code."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.hook import (
    Callback,
    Delivery,
    Hook,
    HookReply,
    Known,
    Refused,
    Subscription,
    Verified,
    address_token,
    challenged,
    channel_token,
    derived,
    matches,
)
from connector.hook_body import DEPTH_MOST, depth, object_of, parsed, text_of
from connector.hook_signing import body_signed, call_signed, echoed, moment, stamp_and_body_signed, stamped, token_given
from connector.text import Text

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
SECRET, FORMER, OTHER = "a-secret-of-this-system", "its-former-secret", "the-secret-of-another-system"
BODY = '{"id": 7, "name": "华南贸易", "amount": 12.50}'.encode()
URL = "https://credit.example.com/hooks/crm?portal=7"
SECONDS = int(NOW.timestamp())

Judge = Callable[[Delivery, Known], Refused | None]


def mac(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def known(*secrets: str, now: dt.datetime = NOW) -> Known:
    return Known("crm", secrets or (SECRET,), now)


def by_body(secret: str = SECRET, body: bytes = BODY) -> Delivery:
    return Delivery("POST", {"x-signature": base64.b64encode(mac(secret, body)).decode()}, body, url=URL)


def by_stamp(*secrets: str, seconds: int = SECONDS) -> Delivery:
    signed = [mac(s, f"{seconds}.".encode() + BODY).hex() for s in secrets or (SECRET,)]
    header = ",".join([f"t={seconds}", *(f"v1={one}" for one in signed)])
    return Delivery("POST", {"x-signature": header}, BODY, url=URL)


def by_call(secret: str = SECRET, seconds: int = SECONDS) -> Delivery:
    stamp = str(seconds * 1000)
    signed = b"POST" + URL.encode() + BODY + stamp.encode()
    headers = {"x-signature": base64.b64encode(mac(secret, signed)).decode(), "x-stamp": stamp}
    return Delivery("POST", headers, BODY, url=URL)


def judge_body(delivery: Delivery, what: Known) -> Refused | None:
    return body_signed(delivery, what, header="x-signature", encoding="base64")


def judge_stamp(delivery: Delivery, what: Known) -> Refused | None:
    return stamp_and_body_signed(delivery, what, header="x-signature")


def judge_call(delivery: Delivery, what: Known) -> Refused | None:
    return call_signed(delivery, what, header="x-signature", stamp_header="x-stamp")


SCHEMES: dict[str, tuple[Judge, Callable[..., Delivery]]] = {
    "body": (judge_body, by_body),
    "stamp": (judge_stamp, by_stamp),
    "call": (judge_call, by_call),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_genuine_call_passes_under_each_of_two_secrets(scheme: str) -> None:
    judge, made = SCHEMES[scheme]
    assert judge(made(), known()) is None
    assert judge(made(FORMER), known(SECRET, FORMER)) is None
    assert judge(made(FORMER), known(SECRET)) is not None


# What is done to a genuine call, and the code of its refusal, where the scheme can tell.
FORGERIES: dict[str, tuple[Callable[[Delivery], Delivery], str]] = {
    "changed byte": (lambda d: replace(d, body=d.body.replace(b"12.50", b"12.51")), "signature"),
    "one bit": (lambda d: replace(d, body=bytes([d.body[0] ^ 1]) + d.body[1:]), "signature"),
    "re-serialised": (lambda d: replace(d, body=json.dumps(json.loads(d.body)).encode()), "signature"),
    "longer": (lambda d: replace(d, body=d.body + b" "), "signature"),
    "empty body": (lambda d: replace(d, body=b""), "signature"),
    "no header": (lambda d: replace(d, headers={}), "unsigned"),
    "empty header": (lambda d: replace(d, headers=dict.fromkeys(d.headers, "")), "unsigned"),
    "cut signature": (lambda d: _with(d, lambda v: v[:-4]), "signature"),
    "nonsense": (lambda d: _with(d, lambda v: v[:14] + "\udcff" + v[15:]), "signature"),
}


def _with(delivery: Delivery, change: Callable[[str], str]) -> Delivery:
    return replace(delivery, headers={**delivery.headers, "x-signature": change(delivery.headers["x-signature"])})


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_forgery_is_refused(scheme: str, forgery: str) -> None:
    judge, made = SCHEMES[scheme]
    forged, code = FORGERIES[forgery]
    refused = judge(forged(made()), known())
    assert refused is not None
    assert refused.status in (401, 403)
    if forgery not in (
        "cut signature",
        "nonsense",
    ):  # of what is left of a header with several parts, each may be missing
        assert refused.code == code


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_secret_of_another_system_does_not_pass(scheme: str) -> None:
    judge, made = SCHEMES[scheme]
    refused = judge(made(OTHER), known(SECRET, FORMER))
    assert refused is not None
    assert refused.code == "signature"


@pytest.mark.parametrize("scheme", ["stamp", "call"])
@pytest.mark.parametrize(
    ("away", "code"), [(-299, None), (-301, "late"), (299, None), (301, "early"), (-86400, "late")]
)
def test_a_call_is_taken_within_five_minutes(scheme: str, away: int, code: str | None) -> None:
    judge, made = SCHEMES[scheme]
    refused = judge(made(seconds=SECONDS + away), known())
    assert (refused.code if refused else None) == code


def test_a_newer_stamp_on_an_old_signature_is_refused() -> None:
    old = by_stamp(seconds=SECONDS - 3600)
    fresh = _with(old, lambda v: v.replace(f"t={SECONDS - 3600}", f"t={SECONDS}"))
    assert judge_stamp(fresh, known()) is not None
    twice = _with(old, lambda v: f"{v},t={SECONDS}")  # two stamps: which one was signed?
    assert judge_stamp(twice, known()) is not None


def test_method_and_address_are_part_of_the_signature_where_the_product_signs_them() -> None:
    assert judge_call(replace(by_call(), url=URL.replace("crm", "erp")), known()) is not None
    assert judge_call(replace(by_call(), method="PUT"), known()) is not None


def test_the_published_vector_of_the_hash() -> None:
    """RFC 4231, test case 2."""
    signed = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    delivery = Delivery("POST", {"s": signed}, b"what do ya want for nothing?")
    assert body_signed(delivery, known("Jefe"), header="s", encoding="hex") is None
    assert (
        body_signed(replace(delivery, headers={"s": signed.upper()}), known("Jefe"), header="s", encoding="hex") is None
    )
    assert (
        body_signed(replace(delivery, body=delivery.body + b"\n"), known("Jefe"), header="s", encoding="hex")
        is not None
    )


def test_tokens() -> None:
    one, other = address_token(SECRET, "crm"), address_token(SECRET, "erp")
    assert (
        len({one, other, address_token(OTHER, "crm"), channel_token(SECRET, "crm", "1"), derived(SECRET, "crm", "x")})
        == 5
    )
    assert all(len(token) == 43 and SECRET not in token for token in (one, other))
    assert token_given(one, [one], "token") is None
    for given, code in (("", "unsigned"), (other, "token"), (one[:-1], "token"), (one + "x", "token"), ("华", "token")):
        refused = token_given(given, [one], "token")
        assert refused is not None
        assert refused.code == code
    assert not matches("", [])


@pytest.mark.parametrize("stamp", ["", "-1", "12.5", "1e9", "٣٣٣", "9" * 17, "x", " 1"])
def test_what_is_no_time_is_no_stamp(stamp: str) -> None:
    assert moment(stamp) is None
    assert stamped(stamp, NOW) is not None


def test_bodies() -> None:
    assert object_of(b'{"a": 1.10}') == {"a": Decimal("1.10")}
    for raw, code in (
        (b"", "body"),
        (b"[1]", "body"),
        (b"null", "body"),
        (b'{"a": NaN}', "body"),
        (b"\xff\xfe", "body"),
        (b'{"a":' * 20 + b"1" + b"}" * 20, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "body"),
    ):
        refused = object_of(raw)
        assert isinstance(refused, Refused), raw[:20]
        assert refused.code == code
        assert refused.status == 400


def test_depth_counts_brackets_outside_of_texts_only() -> None:
    deep = b"[" * (DEPTH_MOST + 1) + b"]" * (DEPTH_MOST + 1)
    assert depth(deep) == DEPTH_MOST + 1
    in_text = json.dumps(["[{" * 50, '\\"[[' * 20]).encode()
    assert depth(in_text) == 1
    assert not isinstance(parsed(in_text), Refused)
    assert isinstance(parsed(deep), Refused)


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (7, "7"), (True, ""), (None, ""), ([], ""), (10**30, ""), ("x" * 501, ""), ("a\nb", "")],
)
def test_ids_out_of_a_body(value: object, text: str) -> None:
    assert text_of(value) == text


def test_what_holds_secrets_shows_none() -> None:
    callback = Callback("https://credit.example.com/hooks/crm/TOKEN-TOKEN", lambda _: "TOKEN-TOKEN")
    shown = [repr(x) for x in (known(), by_body(), callback, Subscription("1", ("a",)))]
    assert not [text for text in shown if "TOKEN-TOKEN" in text or SECRET in text or "华南" in text]


@pytest.mark.parametrize(
    ("word", "back"), [("abc-123.==", b"abc-123.=="), ("", None), ("x" * 1025, None), ("a\r\nb", None), ("华", None)]
)
def test_a_handshake_gives_the_word_back_as_plain_text(word: str, back: bytes | None) -> None:
    found = echoed(Delivery("POST", {}, b"", {"validationToken": word}), "validationToken")
    assert (found.body if found else None) == back
    assert found is None or found.type == "text/plain"


def test_a_handshake_needs_the_token_of_the_address_where_there_is_one() -> None:
    hook: Hook[object] = Hook(
        receive=lambda d, k: Verified(()),
        by_hand=Text("Nothing.", "无。"),
        address_is_secret=True,
        challenge=lambda d, k: echoed(d, "validationToken"),
    )
    asked = Delivery("GET", {}, b"", {"validationToken": "w"}, token=address_token(SECRET, "crm"))
    good = challenged(hook, asked, known())
    assert isinstance(good, HookReply)
    assert good.body == b"w"
    refused = challenged(hook, replace(asked, token="guess"), known())
    assert isinstance(refused, Refused)
    assert challenged(hook, replace(asked, query={}), known()) is None
    assert challenged(replace(hook, challenge=None), asked, known()) is None
