"""Stock proofs of webhooks: HMAC over the raw body, over time and body, over method, address, body and time; a plain token.

All of them compare in constant time and take several secrets, so that one can be changed without losing a call. A stamp
that is too old or too far ahead is refused: a recorded call cannot be played again once its id is forgotten.

Who uses which (their documents, see the adapters' folders): body only, Base64: ERPNext `X-Frappe-Webhook-Signature`, Xero
`x-xero-signature`, QuickBooks `intuit-signature`; stamp and body, hexadecimal, several signatures: Stripe's scheme;
method, address, body and stamp: HubSpot v3; a token: Business Central `clientState`, Dynamics, Zoho.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from connector.hook import Delivery, HookReply, Known, Refused, matches
from connector.text import Text

Encoding = Literal["hex", "base64"]
TOLERANCE = dt.timedelta(minutes=5)
_SIGNATURES_MOST = 10  # in one header


def body_signed(delivery: Delivery, known: Known, *, header: str, encoding: Encoding) -> Refused | None:
    """HMAC-SHA256 over the raw body. Such a call bears no time: only its id keeps it from being heeded twice."""
    given = delivery.headers.get(header, "")
    return _judged(header, [given] if given else [], delivery.body, known, encoding)


def stamp_and_body_signed(
    delivery: Delivery, known: Known, *, header: str, version: str = "v1", tolerance: dt.timedelta = TOLERANCE
) -> Refused | None:
    """HMAC-SHA256 over `stamp.body`, in hexadecimal: `t=SECONDS,v1=SIGNATURE,v1=ANOTHER` in one header, as Stripe has it.

    One of several signatures is enough: during a change of secret the sender signs with both.
    """
    stamps, given = [], []
    for part in delivery.headers.get(header, "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamps.append(value)
        elif name == version and value:
            given.append(value)
    if len(stamps) != 1 or not given:
        return unsigned(header)
    signed = stamps[0].encode() + b"." + delivery.body
    return _judged(header, given, signed, known, "hex") or stamped(stamps[0], known.now, tolerance, "seconds")


def call_signed(
    delivery: Delivery,
    known: Known,
    *,
    header: str,
    stamp_header: str,
    tolerance: dt.timedelta = TOLERANCE,
) -> Refused | None:
    """HMAC-SHA256 over method, whole address, body and stamp (milliseconds), in Base64, as HubSpot's v3 has it."""
    given, stamp = delivery.headers.get(header, ""), delivery.headers.get(stamp_header, "")
    if not stamp:
        return unsigned(stamp_header)
    signed = delivery.method.encode() + delivery.url.encode() + delivery.body + stamp.encode()
    return _judged(header, [given] if given else [], signed, known, "base64") or stamped(stamp, known.now, tolerance)


def token_given(given: str, wanted: Sequence[str], where: str) -> Refused | None:
    """A token that the product repeats: in a header, in the body, in the address."""
    if not given:
        return unsigned(where)
    if not matches(given, wanted):
        return Refused(401, "token", Text("{where} does not match.", "{where} 不匹配。").fill(where=where))
    return None


def echoed(delivery: Delivery, name: str) -> HookReply | None:
    """The handshake of products that ask for a word of the address back as plain text (Business Central and Graph:
    `?validationToken=…`), on subscribing and on renewal; None where the call is none. Longer than any of theirs, or with
    signs that are not printed, it is refused by silence."""
    word = delivery.query.get(name, "")
    if not word or len(word) > 1024 or not word.isascii() or not word.isprintable():
        return None
    return HookReply(200, word.encode(), "text/plain")


def stamped(
    stamp: str,
    now: dt.datetime,
    tolerance: dt.timedelta = TOLERANCE,
    unit: Literal["seconds", "milliseconds"] = "milliseconds",
) -> Refused | None:
    """Refuses a stamp (since 1970) that is no number, older than the tolerance, or further ahead than that."""
    at = moment(stamp, unit)
    if at is None:
        return Refused(401, "unsigned", Text("The stamp is no time.", "时间戳不是有效时间。"))
    if now - at > tolerance:
        return Refused(403, "late", Text("The call is {age} old.", "该请求已过去 {age}。").fill(age=_span(now - at)))
    if at - now > tolerance:
        return Refused(
            403,
            "early",
            Text("The call is stamped {age} ahead.", "该请求的时间戳超前 {age}。").fill(age=_span(at - now)),
        )
    return None


def moment(stamp: str | int, unit: Literal["seconds", "milliseconds"] = "milliseconds") -> dt.datetime | None:
    """The moment of a stamp since 1970, None where it is none."""
    text = str(stamp)
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    milliseconds = int(text) * (1000 if unit == "seconds" else 1)
    try:
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def unsigned(where: str) -> Refused:
    """A call without the proof that its product always brings."""
    return Refused(401, "unsigned", Text("{where} is missing.", "缺少 {where}。").fill(where=where))


def _judged(header: str, given: Sequence[str], signed: bytes, known: Known, encoding: Encoding) -> Refused | None:
    if not given:
        return unsigned(header)
    wanted = [_signature(secret, signed, encoding) for secret in known.secrets]
    found = False
    for one in given[:_SIGNATURES_MOST]:
        found |= matches(one.lower() if encoding == "hex" else one, wanted)
    if not found:
        return Refused(401, "signature", Text("The signature does not match.", "签名不匹配。"))
    return None


def _signature(secret: str, signed: bytes, encoding: Encoding) -> str:
    told = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return told.hex() if encoding == "hex" else base64.b64encode(told).decode()


def _span(age: dt.timedelta) -> str:
    return f"{int(age.total_seconds())} s"
