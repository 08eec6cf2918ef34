"""The client: signs in by either style and makes one call; every answer is judged by its errorCode.

Every call is a POST with a fresh `thirdTraceId` and a JSON body. The current style puts the token into headers, the
legacy one into each body; both ask for plain employee ids (`convertUserId: false`), so that owners and people agree.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from adapters.fxiaoke.codes import failure, meaning_of, sign_in_refused
from adapters.fxiaoke.settings import Settings
from connector.adapter import Connection
from connector.errors import ConfigError, HoldfastError, ProtocolError, TransientError
from connector.http import Answer, NoAuth, Renewed, Token, Verdict, by_status
from connector.text import Text

log = logging.getLogger("holdfast.fxiaoke")

# The vendor gives the same token for 6,600 of its 7,200 seconds; in the last 600 a new one is issued while the old works.
RENEW_EARLY = 600.0


class _Stale(HoldfastError):
    """Inside only: the token in the body is dead."""


class _Trace(Mapping[str, str]):
    """Query parameters that are new each time they are looked at: the vendor wants another trace id per attempt."""

    def __getitem__(self, name: str) -> str:
        if name != "thirdTraceId":
            raise KeyError(name)
        return str(uuid.uuid4())

    def __iter__(self) -> Iterator[str]:
        return iter(("thirdTraceId",))

    def __len__(self) -> int:
        return 1


def code_in(value: Any) -> int:
    """The errorCode of an answer's body. ProtocolError where there is none."""
    code = value.get("errorCode") if isinstance(value, dict) else None
    if isinstance(code, str) and code.lstrip("-").isdigit():
        code = int(code)
    if not isinstance(code, int):
        raise ProtocolError(
            Text("Fxiaoke's answer carries no errorCode.", "纷享销客的应答中没有 errorCode。"),
            log=f"members {sorted(value)[:10]}" if isinstance(value, dict) else type(value).__name__,
        )
    return code


class Client:
    """One signed-in tenant. `describes` and `objects` are remembered for the client's life (a job, a command)."""

    def __init__(self, connection: Connection) -> None:
        assert isinstance(connection.settings, Settings)
        self.connection = connection
        self.settings: Settings = connection.settings
        self.describes: dict[str, Any] = {}
        self.objects: dict[str, str] | None = None
        self._in_header = self.settings.auth_style == "header"
        self.token = Renewed(self._sign_in)
        self.http = connection.http(
            self.settings.base_url, auth=self.token if self._in_header else NoAuth(), judge=by_status
        )

    # --- signing in ---
    def _sign_in(self) -> Token:
        secret = self.connection.secret
        body = {
            n: secret(s)
            for n, s in (("appId", "app_id"), ("appSecret", "app_secret"), ("permanentCode", "permanent_code"))
        }
        if self._in_header:
            value = self._post("/oauth2.0/token", {**body, "grantType": "app_secret"}, safe=True, token=True)
            given = {
                "authorization": f"Bearer {self._given(value, 'accessToken')}",
                "x-fs-ea": self._given(value, "ea"),
            }
            given["x-fs-userid"] = self.settings.acting_user
        else:
            value = self._post("/cgi/corpAccessToken/get/V2", body, safe=True, token=True)
            given = {n: self._given(value, n) for n in ("corpAccessToken", "corpId")}
            given["currentOpenUserId"] = self.settings.acting_user
        lives = float(value.get("expiresIn") or 0)
        return Token(given, time.monotonic() + max(60.0, lives - RENEW_EARLY))

    @staticmethod
    def _given(value: Mapping[str, Any], name: str) -> str:
        found = value.get(name)
        if not isinstance(found, str) or not found:
            raise ProtocolError(
                Text("Fxiaoke's token answer lacks “{name}”.", "纷享销客的令牌应答缺少“{name}”。").fill(name=name)
            )
        return found

    def tenant(self) -> str:
        """The tenant's account name, as the token endpoint tells it (signs in where that has not happened)."""
        given = self.token.headers()
        return given.get("x-fs-ea") or given.get("corpId") or "?"

    # --- calling ---
    def call(self, path: str, body: Mapping[str, Any], *, safe: bool, write: bool = False) -> dict[str, Any]:
        """The answer to one call whose errorCode is 0; its four errors are those of `connector.errors`.

        `safe`: doing it twice does no more than once. `write`: a refusal is about the one record in the body.
        """
        told = {"convertUserId": False, "convertMediaId": False, **body}
        if self._in_header:
            return self._post(path, told, safe=safe, write=write)
        for again in (True, False):
            given = self.token.headers()
            try:
                return self._post(path, {**told, **given}, safe=safe, write=write)
            except _Stale:
                if not again or not self.token.renew(given):
                    break
        raise ConfigError(
            Text(
                "Fxiaoke refuses a token it has just given us. Check that the app is enabled and acting_user exists.",
                "纷享销客拒绝了刚刚签发的令牌。请确认应用已启用、acting_user 存在。",
            )
        )

    def _post(
        self, path: str, body: Mapping[str, Any], *, safe: bool, write: bool = False, token: bool = False
    ) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def judge(answer: Answer) -> Verdict:
            by = by_status(answer)
            if by != "ok":
                return by
            value = answer.json()
            code = code_in(value)
            meaning = meaning_of(code)
            if meaning == "ok":
                seen["value"] = value
                return "ok"
            trace = str(value.get("traceId") or "")
            log.debug("%s: code %s, traceId %s", path, code, trace)
            if meaning == "limit" or (meaning == "unclear" and safe):
                return "retry"
            if meaning == "renew" and not token:
                if self._in_header:
                    return "renew"
                raise _Stale("token")
            message = self._scrubbed(str(value.get("errorMessage") or value.get("errorDescription") or ""), body)
            wrong = failure(code, message, trace, write=write, until_midnight=self._until_midnight())
            if token and not isinstance(wrong, TransientError):
                raise sign_in_refused(code, trace)
            raise wrong

        self.http.call("POST", path, safe=safe, params=_Trace(), json=body, judge=judge, signed=not token)
        found: dict[str, Any] = seen["value"]
        return found

    def _scrubbed(self, message: str, body: Mapping[str, Any]) -> str:
        """The vendor's message, shortened, without anything that signs us in."""
        secrets = [str(body[n]) for n in ("corpAccessToken", "appSecret", "permanentCode") if n in body]
        if self._in_header and "appSecret" not in body:
            secrets.append(self.token.headers()["authorization"].removeprefix("Bearer "))
        for one in secrets:
            message = message.replace(one, "…")
        return message if len(message) <= 200 else message[:199] + "…"

    # --- time ---
    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone: in it its dates are midnights and its quota starts anew."""
        return ZoneInfo(self.settings.time_zone)

    def _until_midnight(self) -> float:
        now = self.connection.clock.now().astimezone(self.zone)
        tomorrow = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(0, 1), self.zone)
        return (tomorrow - now).total_seconds()


def open_client(connection: Connection) -> Client:
    """A client that signs in with its first call."""
    return Client(connection)
