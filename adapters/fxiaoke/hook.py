"""Fxiaoke's event push (事件回调): signed and encrypted calls that name a record, and the signed, encrypted answer they want.

Contract (the vendor's page "事件回调"; its own test vector is in our tests): the signature is SHA-1, in hexadecimal, over the
members and the key one after the other; the content is AES-256 in CBC mode with PKCS#7, the key's first 16 bytes being
the start. The members are joined without anything between them, so that characters could be moved from one to the next
under the same signature: what tells one event from another is taken from the encrypted content only. Whether and how
often the vendor tries again is not published.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.fxiaoke.client import Client
from connector.errors import ConfigError
from connector.hook import Delivery, Event, Hook, HookReply, Known, Refused, Verified, digest, matches
from connector.hook_body import object_of, parsed, text_of, wrong
from connector.hook_signing import TOLERANCE, moment, stamped, unsigned
from connector.text import Text

# What is told of an object is read with this stream.
STREAMS = {
    "AccountObj": "customers",
    "PersonnelObj": "people",
    "SalesOrderObj": "orders",
    "SalesOrderProductObj": "orders",
    "PaymentObj": "receipts",
    "OrderPaymentObj": "receipt_lines",
    "PaymentPlanObj": "plans",
}
_SIGNED = ("timestamp", "nonce", "messageId", "retryTimes", "enterpriseAccount", "encryptedContent")
_NEEDED = tuple(name for name in _SIGNED if name != "retryTimes")
_EVENTS_MOST = 1000
_CONTENT_MOST = 200_000


def receive(delivery: Delivery, known: Known) -> Verified | Refused:
    """One event push. The body is JSON outside, so it is parsed before it is proved; nothing of it is used before."""
    body = object_of(delivery.body)
    if isinstance(body, Refused):
        return body
    told = {name: text_of(body.get(name), _CONTENT_MOST) for name in (*_SIGNED, "signature")}
    if not told["signature"]:
        return unsigned("signature")
    if any(not told[name] for name in _NEEDED):
        return wrong("a member is missing", "缺少必填项")
    signers = _signers(told, known.secrets)
    if not signers:
        return Refused(401, "signature", Text("The signature does not match.", "签名不匹配。"))
    key = signers[0]
    if len(told["timestamp"]) != 13:  # milliseconds: a digit more or less comes from the nonce
        return wrong("the timestamp has not 13 digits", "时间戳不是 13 位")
    if refused := stamped(told["timestamp"], known.now, TOLERANCE):
        return refused
    clear = decrypted(told["encryptedContent"], key)
    content = parsed(clear) if clear is not None else None
    if isinstance(content, Refused) or content is None:
        return wrong("the content cannot be decrypted", "内容无法解密")
    told_events = content if isinstance(content, list) else [content]
    if len(told_events) > _EVENTS_MOST or any(not isinstance(one, dict) for one in told_events):
        return wrong("the content is no event", "内容不是事件")
    return Verified(list(_events(told_events)), reply(key, known.now))


def _signers(told: Mapping[str, str], keys: Sequence[str]) -> list[str]:
    """The keys under which the signature is right; all are tried, whichever it is."""
    return [key for key in keys if matches(told["signature"].lower(), [signature(told, key)])]


def _events(contents: Sequence[Mapping[str, Any]]) -> list[Event]:
    found = []
    for one in contents:
        stream = STREAMS.get(text_of(one.get("apiName"), 200))
        if stream is None:
            continue  # an object that we do not read
        stamp = text_of(one.get("timestamp"), 20)
        key, kind = text_of(one.get("dataId"), 100), text_of(one.get("eventType"), 40)
        number = text_of(one.get("messageId"), 100) or digest(json.dumps(one, sort_keys=True, default=str))
        name = number if len(contents) == 1 else f"{number}:{stream}:{key}"
        found.append(Event(name, (stream,), key, kind, moment(stamp) if stamp else None))
    return found


def signature(told: Mapping[str, str], key: str) -> str:
    """The signature of an event push: the members that are there, then the key as it is configured."""
    text = "".join(told.get(name) or "" for name in _SIGNED) + key
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()  # the vendor's choice


def reply(key: str, now: dt.datetime) -> HookReply:
    """The answer that says we have it: "success", encrypted and signed as the vendor wants it."""
    result = encrypted(b"success", key)
    stamp, nonce = str(int(now.timestamp() * 1000)), secrets.token_hex(8)
    text = stamp + nonce + result + key
    signed = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    body = {"signature": signed, "timestamp": stamp, "nonce": nonce, "encryptedResult": result}
    return HookReply(200, json.dumps(body).encode(), "application/json")


# --- the cipher ----------------------------------------------------------------------------------------------------------
def encrypted(clear: bytes, key: str) -> str:
    """Base64 of the cipher text."""
    padding = 16 - len(clear) % 16
    cipher = _cipher(key).encryptor()
    return base64.b64encode(cipher.update(clear + bytes([padding]) * padding) + cipher.finalize()).decode()


def decrypted(content: str, key: str) -> bytes | None:
    """The clear text; None where it is none of this key."""
    try:
        raw = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not raw or len(raw) % 16:
        return None
    cipher = _cipher(key).decryptor()
    clear: bytes = cipher.update(raw) + cipher.finalize()
    padding = clear[-1]
    if not 1 <= padding <= 16 or clear[-padding:] != bytes([padding]) * padding:
        return None
    return clear[:-padding]


def _cipher(key: str) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise ConfigError(
            Text(
                "Event push is encrypted: install the extra `web` of Holdfast, which brings cryptography.",
                "事件推送经过加密：请安装 Holdfast 的扩展 `web`（含 cryptography）。",
            )
        ) from None
    raw = base64.b64decode(key)
    return Cipher(algorithms.AES(raw), modes.CBC(raw[:16]))


def fit(secret: str) -> Text | None:
    """Whether a key is 32 bytes in Base64; keys that the vendor's page generates do not always decode."""
    try:
        raw = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) == 32:
        return None
    return Text(
        "it must be 32 random bytes in Base64 (44 characters). Make one: openssl rand -base64 32",
        "须为 32 字节随机数的 Base64（44 个字符）。可用 openssl rand -base64 32 生成",
    )


HOOK: Hook[Client] = Hook(
    receive=receive,
    by_hand=Text(
        "In Fxiaoke, as an administrator: 系统对接管理 → 事件回调设置; enter the address that `holdfast hook address` shows and the "
        "AES key that [systems.hook] refers to, and choose create, update, invalid and delete of 客户, 销售订单, 订单产品 (and 回款 "
        "where it is the ledger).",
        "请由管理员在纷享销客“系统对接管理 → 事件回调设置”中填写 `holdfast hook address` 显示的地址，以及 [systems.hook] 所引用的 AES "
        "密钥，并勾选客户、销售订单、订单产品（作为应收来源时还有回款）的新建、编辑、作废、删除事件。",
    ),
    fit=fit,
)
