"""The sandbox's door: tokens by both styles, who may come in, and how often.

Rules by the vendor's pages: the same token for 6,600 of its 7,200 seconds, 10 sign-ins a minute and never two at once,
100 calls in 20 seconds for each interface. Which code an excess at the token endpoint gets is not published.
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

from adapters.fxiaoke.sandbox_rules import Refused, employee_id
from connector.sandbox import Request, Shelf

TENANT, CORP = "holdfast-sandbox", "FSCID_5A4B3C2D1E"
_TOKEN_SECONDS, _SAME_TOKEN_SECONDS = 7200, 6600
_SECRETS = ("appId", "appSecret", "permanentCode")


class Door:
    """Keeps its tokens on the sandbox's shelf; `now` gives seconds since 1970."""

    def __init__(self, shelf: Shelf, now: Callable[[], float], limited: bool) -> None:
        self._shelf, self._now, self._limited = shelf, now, limited
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._signing = threading.Lock()

    def crowded(self, path: str, most: int = 100, seconds: float = 20.0) -> bool:
        """Whether this call is one too many for its interface."""
        if not self._limited:
            return False
        calls, now = self._recent[path], self._now()
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        calls.append(now)
        return len(calls) > most

    # --- signing in ---
    def sign_in(self, request: Request, *, header: bool) -> dict[str, Any]:
        """What the token endpoint of a style answers. Refused for lacking secrets and for those that begin with “wrong”."""
        if not self._signing.acquire(blocking=False):
            raise Refused(14001, "the token endpoint takes one call at a time")
        try:
            if self.crowded(request.path, 10, 60.0):
                raise Refused(14001, "the token endpoint takes 10 calls a minute")
            told = request.json()
            given = [told.get(n) if isinstance(told, dict) else None for n in _SECRETS]
            if not all(given) or any(str(g).startswith("wrong") for g in given):
                raise Refused(10006, "the parameter appSecret is missing or illegal")  # as a public probe saw it
            if header and told.get("grantType") != "app_secret":
                raise Refused(15002, "grantType")
            token = self._token()
            if header:
                return {
                    "accessToken": token,
                    "expiresIn": _TOKEN_SECONDS,
                    "openUserId": CORP,
                    "appId": given[0],
                    "ea": TENANT,
                }
            return {"corpAccessToken": token, "corpId": CORP, "expiresIn": _TOKEN_SECONDS}
        finally:
            self._signing.release()

    def _token(self) -> str:
        """The newest token while it is younger than 6,600 s, else a new one; the old one lives on to its 7,200."""
        newest = max(self._shelf.all("~token"), key=lambda t: t["at"], default=None)
        if newest and self._now() - newest["at"] < _SAME_TOKEN_SECONDS:
            return str(newest["token"])
        made = secrets.token_hex(16).upper()
        self._shelf.put("~token", made, {"token": made, "at": int(self._now())})
        return made

    def expire(self) -> None:
        """Makes every token given out so far dead."""
        for token in self._shelf.all("~token"):
            self._shelf.drop("~token", token["token"])

    # --- coming in ---
    def admit(self, request: Request, body: Mapping[str, Any]) -> str:
        """The employee a signed call acts as. Refused for a call that is signed by neither style."""
        header = request.headers.get("authorization", "")
        if header:
            trace = request.query.get("thirdTraceId", "")
            if len(trace) != 36 or trace[14] != "4":
                raise Refused(15002, "thirdTraceId must be an UUID v4")
            token, tenant = header.removeprefix("Bearer "), request.headers.get("x-fs-ea")
            user, known = request.headers.get("x-fs-userid", ""), TENANT
        else:
            token, tenant = str(body.get("corpAccessToken") or ""), body.get("corpId")
            user, known = employee_id(str(body.get("currentOpenUserId") or "")), CORP
            if not token:
                raise Refused(20017, "corpAccessToken为必填项，不能为空")  # as a public probe saw it
        kept = self._shelf.get("~token", token)
        if kept is None or tenant != known or self._now() - kept["at"] >= _TOKEN_SECONDS:
            raise Refused(20016, "the cropId,cropAccessToken or authorization is error")
        return user
