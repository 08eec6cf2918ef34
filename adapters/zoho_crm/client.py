"""Zoho's client: sign-in, Zoho's own error codes, field names as this organisation has them, and COQL.

Quirks (sources in the folder's README): token errors arrive with status 200; a token lives an hour, ten may be asked for in
ten minutes; 429 carries no Retry-After; unknown fields in a write are silently dropped, so names are looked up first.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.zoho_crm import hosts
from adapters.zoho_crm.fields import Fields, field_of
from connector.adapter import Connection
from connector.errors import ConfigError, ProtocolError, RejectedError, TransientError
from connector.http import Answer, Http, Renewed, Token, Verdict, by_status
from connector.text import Text

# Codes that a person must mend: rights, edition, an address that this version does not know.
_CONFIG = frozenset(
    [
        "OAUTH_SCOPE_MISMATCH",
        "NO_PERMISSION",
        "AUTHORIZATION_FAILED",
        "INVALID_MODULE",
        "INVALID_URL_PATTERN",
        "MODULE_NOT_SUPPORTED",
        "MODULE_NOT_AVAILABLE",
        "NOT_SUPPORTED",
        "NOT_SUPPORTED_FEATURE",
        "FEATURE_NOT_SUPPORTED",
        "API_NOT_SUPPORTED",
    ]
)
_TOKENS_MOST, _TOKENS_SECONDS = 10, 600.0  # token requests per refresh token (Zoho's limit)
_EARLY_SECONDS = 300.0  # a token of 60 minutes is renewed after 55
COLUMNS_MOST = 50


class Refused(ConfigError):
    """Zoho refuses for a reason a person must mend; `code` is Zoho's own."""

    def __init__(self, user: Text, code: str) -> None:
        super().__init__(user, log=code)
        self.code = code


def said(answer: Answer) -> tuple[str, str]:
    """Zoho's own code and message of an answer, from either of the two shapes; empty where there is none."""
    try:
        body = answer.json()
    except ProtocolError:
        return "", ""
    if isinstance(body, dict) and "code" not in body:
        rows = body.get("data")
        body = rows[0] if isinstance(rows, list) and len(rows) == 1 else body
    if not isinstance(body, dict):
        return "", ""
    details = body.get("details")
    more = ", ".join(f"{k}: {v}" for k, v in details.items()) if isinstance(details, dict) else ""
    message = str(body.get("message") or "")
    return str(body.get("code") or ""), f"{message} ({more})" if more else message


def judge(answer: Answer) -> Verdict:
    """Zoho's meaning of an answer: its codes first, then the status."""
    if answer.status < 400:
        return "ok"
    code, message = said(answer)
    if code == "TOO_MANY_REQUESTS":
        return "retry"
    if code in _CONFIG:
        raise Refused(
            Text("Zoho refuses the call: {code} {message}", "Zoho 拒绝了该调用：{code} {message}").fill(
                code=code, message=message
            ),
            code,
        )
    if code and answer.status not in (401, 408, 429) and answer.status < 500:
        raise RejectedError(
            Text("Zoho refuses the request: {code} {message}", "Zoho 拒绝了该请求：{code} {message}").fill(
                code=code, message=message
            ),
            code=code,
        )
    return by_status(answer)


def judge_rows(answer: Answer) -> Verdict:
    """For writes: an answer with one result per row is fine even where every row is refused."""
    if answer.status in (400, 412):
        try:
            body = answer.json()
        except ProtocolError:
            return judge(answer)
        rows = (body.get("data") or body.get("fields")) if isinstance(body, dict) else None
        if isinstance(rows, list) and rows and not (len(rows) == 1 and said(answer)[0] in _CONFIG):
            return "ok"
    return judge(answer)


class Zoho:
    """One organisation. Made by `open`; shared by all threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.settings = connection.settings
        self._auth = Renewed(self._fetch)
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._api_domain = ""
        self._asked: deque[float] = deque(maxlen=_TOKENS_MOST)
        self._fields: dict[str, Fields] = {}
        self._org: Mapping[str, Any] | None = None
        self.credits_left: int | None = None  # API credits of the rolling day; told only once half of them are used

    # signing in
    def _fetch(self) -> Token:
        """A new access token. ConfigError for what Zoho says of our secrets, TransientError at its token limit."""
        now = time.monotonic()
        if len(self._asked) == _TOKENS_MOST and now - self._asked[0] < _TOKENS_SECONDS:
            raise _too_many_tokens(_TOKENS_SECONDS - (now - self._asked[0]))
        self._asked.append(now)
        url = self.settings.accounts_url or hosts.accounts_url(self.settings.data_center)
        secret = self.connection.secret
        answer = self.connection.http(url, judge=_judge_token).call(
            "POST",
            "/oauth/v2/token",
            safe=True,
            data={
                "refresh_token": secret("refresh_token"),
                "client_id": secret("client_id"),
                "client_secret": secret("client_secret"),
                "grant_type": "refresh_token",
            },
        )
        body = answer.json()
        if not isinstance(body, dict) or not (body.get("access_token") or body.get("error")):
            raise ProtocolError(Text("Zoho's token reply holds no token.", "Zoho 的令牌应答中没有令牌。"))
        if body.get("error"):
            raise self._token_error(str(body["error"]))
        self._api_domain = str(body.get("api_domain") or "")
        seconds = float(body.get("expires_in") or 3600)
        seconds = seconds / 1000 if seconds > 86400 else seconds  # old accounts answer in milliseconds
        return Token(
            {"authorization": f"Zoho-oauthtoken {body['access_token']}"}, now + max(60.0, seconds - _EARLY_SECONDS)
        )

    def _token_error(self, error: str) -> Exception:
        if error.lower() == "access denied":
            return _too_many_tokens(_TOKENS_SECONDS)
        return ConfigError(
            Text(
                "Zoho does not accept our sign-in ({error}). Check client_id, client_secret and refresh_token, and that "
                "data_center = “{centre}” is where the organisation lives.",
                "Zoho 不接受我们的登录（{error}）。请检查 client_id、client_secret、refresh_token，并确认 "
                "data_center = “{centre}” 是该组织所在的数据中心。",
            ).fill(error=error, centre=self.settings.data_center)
        )

    @property
    def http(self) -> Http:
        """The API's client. The address is the configured one, else the token reply's, if that is Zoho's own."""
        with self._lock:
            if self._http is None:
                base = self.settings.base_url
                if not base:
                    self._auth.headers()  # the reply names the address
                    base = self._api_domain or hosts.api_url(self.settings.data_center)
                    if not (
                        hosts.is_zoho_api(base) or base.rstrip("/") == (self.settings.accounts_url or "").rstrip("/")
                    ):
                        raise ConfigError(
                            Text(
                                "The token reply points to {base}, which is none of Zoho's API hosts; no call is made there. "
                                "If it is right, configure it as base_url.",
                                "令牌应答指向 {base}，它不是 Zoho 的 API 主机，因此不会向其发送调用。若确认无误，请配置为 base_url。",
                            ).fill(base=base)
                        )
                self._http = self.connection.http(base, auth=self._auth, judge=self._judge, wait_first=2.0)
            return self._http

    def _judge(self, answer: Answer) -> Verdict:
        left = answer.headers.get("x-api-credits-remaining", "")
        if left.isdigit():
            self.credits_left = int(left)
        return judge(answer)

    # calls
    def path(self, tail: str) -> str:
        return f"/crm/{self.settings.version}{tail}"

    def bulk_path(self, tail: str) -> str:
        return f"/crm/bulk/{self.settings.version}{tail}"

    def get(
        self, tail: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """One GET below `/crm/v8`. Empty where Zoho has nothing to say (204 no content, 304 not modified)."""
        return contents(self.http.call("GET", self.path(tail), safe=True, params=params, headers=headers))

    def query(self, select: str) -> list[dict[str, Any]]:
        """Rows of one COQL query; Zoho gives at most 2,000."""
        answer = self.http.call("POST", self.path("/coql"), safe=True, json={"select_query": select})
        return list(contents(answer).get("data", []))

    # what this organisation has
    @property
    def org(self) -> Mapping[str, Any]:
        """The organisation: name, currency (`iso_code`), time zone, edition."""
        if self._org is None:
            found = self.get("/org").get("org") or [{}]
            self._org = found[0]
        return self._org

    def fields(self, module: str, fresh: bool = False) -> Fields:
        """The fields of a module; read once, and again when `fresh` is asked for."""
        if fresh or module not in self._fields:
            body = self.get("/settings/fields", {"module": module})
            self._fields[module] = Fields(module, [field_of(f) for f in body.get("fields", [])])
        return self._fields[module]

    def names(self, module: str, wanted: Sequence[str]) -> dict[str, str]:
        """Mapping name → API name here, for names that a mapping uses.

        Raises ConfigError naming every field that the module does not have.
        """
        found = self.fields(module)
        if any(found.find(name) is None for name in wanted):
            found = self.fields(module, fresh=True)
        return found.resolve(wanted)


def contents(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer; empty for 204 and 304. ProtocolError where it is not an object."""
    if answer.status in (204, 304):
        return {}
    body = answer.json()
    if not isinstance(body, dict):
        raise ProtocolError(Text("Zoho's answer is not a JSON object.", "Zoho 的应答不是 JSON 对象。"))
    return body


def _judge_token(answer: Answer) -> Verdict:
    # The body of a 400 or 401 says what is wrong with the secrets; a renewal would only repeat the call.
    return "ok" if answer.status in (400, 401, 403) and b'"error"' in answer.body else by_status(answer)


def _too_many_tokens(seconds: float) -> TransientError:
    return TransientError(
        Text(
            "Zoho allows ten sign-ins in ten minutes, and they are used up. Next try in {seconds} s.",
            "Zoho 每十分钟只允许登录十次，次数已用完。{seconds} 秒后再试。",
        ).fill(seconds=int(seconds)),
        retry_after=seconds,
    )
