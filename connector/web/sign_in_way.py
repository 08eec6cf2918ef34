"""The way to the company's issuer and back, as the browser that goes it keeps it in a cookie: nothing is kept here of
whoever only begins, since anybody may."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from connector.web.addresses import local

LASTS = dt.timedelta(minutes=10)
# A cookie of 4,096 bytes is the largest that every browser keeps (RFC 6265 section 6.1); the address takes most of it.
_MOST, _NEXT_MOST = 4000, 2000


@dataclass(frozen=True, slots=True)
class Way:
    """`verifier`: PKCE's, a secret of the browser; `next`: an address of ours; `until`: seconds since 1970.

    What is sent along is derived from the secret, so that whoever learns it, and a code with it, cannot make up the cookie
    for them (OpenID Connect Core 1.0, section 15.5.2). Whoever changes the rest of his own cookie gains nothing.
    """

    verifier: str
    next: str
    until: int

    @classmethod
    def begin(cls, next: str, now: dt.datetime) -> Way:
        """A way that is new."""
        goes = local(next)
        if len(json.dumps(goes)) > _NEXT_MOST:
            goes = "/"
        return cls(secrets.token_urlsafe(48), goes, int((now + LASTS).timestamp()))

    @classmethod
    def of_cookie(cls, value: str) -> Way | None:
        """The way that a cookie tells; None: it tells none."""
        if not value.isascii() or len(value) > _MOST:
            return None
        try:
            verifier, next, until = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        except (binascii.Error, ValueError, TypeError, RecursionError):
            return None
        if not isinstance(verifier, str) or not verifier.isascii():
            return None
        if not isinstance(next, str) or type(until) is not int:
            return None
        return cls(verifier, local(next), until)

    def cookie(self) -> str:
        """As the browser keeps it."""
        said = json.dumps([self.verifier, self.next, self.until], separators=(",", ":"))
        return _plain(said.encode())

    @property
    def state(self) -> str:
        """Comes back with the code, as it was sent."""
        return _hash(f"state {self.verifier}")

    @property
    def nonce(self) -> str:
        """Stands in the token."""
        return _hash(f"nonce {self.verifier}")

    @property
    def challenge(self) -> str:
        """The issuer gives a token only to whoever knows what it is the hash of (RFC 7636, S256)."""
        return _hash(self.verifier)

    def leads_back(self, state: str, now: dt.datetime) -> bool:
        """Whether who comes back with a state is who began, and in time."""
        is_ours = hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))
        return is_ours and now.timestamp() < self.until


def _hash(text: str) -> str:
    return _plain(hashlib.sha256(text.encode()).digest())


def _plain(said: bytes) -> str:
    """In letters that neither an address nor a cookie puts into others."""
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()


__all__ = ["LASTS", "Way"]
