"""The sandbox's event push: what an administrator sets, and the signed, encrypted calls when a record changes.

It is written apart from the adapter's own proof, by the vendor's page, so that each is a witness of the other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from adapters.fxiaoke.sandbox_door import TENANT
from connector.sandbox import Shelf
from connector.sandbox_hooks import Sender

_KEPT = ("~events", "callback")
TENANT_ID = 691413


class Events:
    """The tenant's 事件回调设置, on the sandbox's shelf; `now` gives seconds since 1970."""

    def __init__(self, shelf: Shelf, sender: Sender, now: Callable[[], float]) -> None:
        self.shelf, self.sender, self._now = shelf, sender, now

    def configure(self, url: str, key: str) -> None:
        """An administrator enters the address and the AES key."""
        self.shelf.put(*_KEPT, {"url": url, "key": key})

    def changed(self, name: str, key: str, kind: str) -> None:
        """A record was created, updated or deleted."""
        if not (kept := self.shelf.get(*_KEPT)):
            return
        message = secrets.token_hex(16).upper()
        content = {
            "tenantId": TENANT_ID, "eventType": kind, "apiName": name, "dataId": key, "timestamp": int(self._now() * 1000),
            "messageId": message,
        }  # fmt: skip
        body = self.body(json.dumps(content, separators=(",", ":")).encode(), kept["key"], message)
        self.sender.send(kept["url"], json.dumps(body).encode(), {"content-type": "application/json"})

    def body(self, clear: bytes, key: str, message: str, retry: int | None = None) -> dict[str, Any]:
        """The members of one call."""
        from cryptography.hazmat.primitives import padding
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        raw = base64.b64decode(key)
        padder = padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
        content = base64.b64encode(cipher.update(padder.update(clear) + padder.finalize()) + cipher.finalize()).decode()
        told = {"timestamp": str(int(self._now() * 1000)), "nonce": secrets.token_urlsafe(12), "messageId": message}
        told |= {"retryTimes": str(retry)} if retry is not None else {}
        told |= {"enterpriseAccount": TENANT, "encryptedContent": content}
        signed = hashlib.sha1("".join([*told.values(), key]).encode(), usedforsecurity=False).hexdigest()
        return {"signature": signed, **told}
