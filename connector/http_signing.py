"""Ways to sign a call: nothing, a fixed header, a user and password, a token that is renewed."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.errors import HoldfastError


class Auth(Protocol):
    """Signs calls. `renew` is asked once after a 401 (or a judge's "renew"); False: nothing to renew, give up."""

    def headers(self) -> Mapping[str, str]: ...

    def renew(self, stale: Mapping[str, str]) -> bool: ...


class NoAuth:
    """For systems, or calls, without a sign-in."""

    def headers(self) -> Mapping[str, str]:
        return {}

    def renew(self, stale: Mapping[str, str]) -> bool:
        return False


@dataclass
class Fixed:
    """A constant header, made anew from the secret on each call: an API key, a bearer key."""

    make: Callable[[], Mapping[str, str]] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return self.make()

    def renew(self, stale: Mapping[str, str]) -> bool:
        return False


def basic(user: str, password: Callable[[], str]) -> Fixed:
    """HTTP basic authentication."""
    return Fixed(
        lambda: {"authorization": "Basic " + base64.b64encode(f"{user}:{password()}".encode()).decode()},
    )


def bearer(key: Callable[[], str], scheme: str = "Bearer") -> Fixed:
    """A fixed key in the Authorization header."""
    return Fixed(lambda: {"authorization": f"{scheme} {key()}"})


@dataclass
class Token:
    """A token with the second (of a monotonic clock) after which it is renewed before use."""

    headers: Mapping[str, str] = field(repr=False)
    fresh_until: float


@dataclass
class Renewed:
    """A token that is fetched when needed: one for all threads, one fetch at a time, renewed early or after a 401.

    A fetch that fails fails for all threads that were waiting for it: a wrong key is not tried once per thread, which
    some vendors answer with a lock-out. `seconds` is the monotonic clock that `Token.fresh_until` is of.
    """

    fetch: Callable[[], Token]
    seconds: Callable[[], float] = time.monotonic
    _token: Token | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _fetches: int = 0
    _failure: HoldfastError | None = field(default=None, repr=False)

    def headers(self) -> Mapping[str, str]:
        fetches = self._fetches
        with self._lock:
            if self._token is None or self.seconds() >= self._token.fresh_until:
                self._token = None
                self._fetch(fetches)
            assert self._token is not None
            return self._token.headers

    def renew(self, stale: Mapping[str, str]) -> bool:
        fetches = self._fetches
        with self._lock:
            if self._token is None or self._token.headers == stale:
                self._token = None
                self._fetch(fetches)
            return True

    def _fetch(self, seen: int) -> None:
        """Fetches, unless a fetch that this thread was waiting for has just failed."""
        if self._fetches != seen and self._failure is not None:
            raise self._failure
        self._failure = None
        try:
            self._token = self.fetch()
        except HoldfastError as failure:
            self._failure = failure
            raise
        finally:
            self._fetches += 1
