"""The two doors of Odoo's external API: JSON-2 (19 and later) and `/jsonrpc` (16 to 18), behind one `call`.

Both take a model, a method and named arguments and answer plain JSON, numbers with a point as Decimal. Errors become
the classes of `connector.errors` by their Odoo name. Sources: odoo/documentation `external_api.rst`,
`external_rpc_api.rst`; every row was run against 19.0 (both doors).

    door       signs with                      errors
    JSON-2     Authorization: bearer KEY       HTTP status and {name, message, …}; 500 also for *our* bad input
    /jsonrpc   database, uid, key in the body  always HTTP 200, {error: {data: {name, message, …}}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError
from connector.http import Answer, Http, Verdict, by_status, hide, said
from connector.text import Text

# Named arguments become positional where Odoo insists on it over /jsonrpc (`odoo/api.py`, call_kw).
_POSITIONAL = {"create": ("vals_list",), "write": ("vals",), "has_group": ("group_ext_id",)}

_TRANSIENT = (
    "LockError",
    "ConcurrencyError",
    "SerializationFailure",
    "DeadlockDetected",
    "LockNotAvailable",
    "OperationalError",
    "PoolError",
    "TooManyConnections",
)
_RIGHTS = ("AccessError", "AccessDenied", "Unauthorized", "Forbidden", "SessionExpiredException")


class Door(Protocol):
    """One way in."""

    def call(self, model: str, method: str, arguments: Mapping[str, Any], *, safe: bool) -> Any:
        """What the method answers; None where it answers nothing. Raises the errors of `connector.errors`."""

    def uid(self) -> int:
        """The id of the user whose key this is."""


def failure(model: str, method: str, name: str, message: str) -> HoldfastError:
    """The error that an Odoo exception means to us. `name` is Odoo's class, `message` its own words, shown to people."""
    short = name.rsplit(".", 1)[-1]
    words = said(message, 500)
    what = f"{model}.{method}"
    if short in _TRANSIENT:
        return TransientError(
            Text("Odoo is busy: {words}", "Odoo 忙：{words}").fill(words=words), log=f"{what}: {short}"
        )
    if short in _RIGHTS:
        return ConfigError(
            Text(
                "Odoo does not permit {what} to this user: {words}",
                "Odoo 不允许该用户执行 {what}：{words}",
            ).fill(what=what, words=words),
            log=f"{what}: {short}",
        )
    if short == "NotFound":
        return ConfigError(
            Text(
                "Odoo does not know {what}: {words} Is the app installed that brings it?",
                "Odoo 没有 {what}：{words} 是否已安装相应的应用？",
            ).fill(what=what, words=words),
            log=f"{what}: {short}",
        )
    return RejectedError(
        Text("Odoo refuses: {words}", "Odoo 拒绝：{words}").fill(words=words), f"{what}: {short}", short
    )


def body_of(answer: Answer) -> Mapping[str, Any] | None:
    """The JSON object of an answer, None where it is none."""
    try:
        value = answer.json()
    except ProtocolError:
        return None
    return value if isinstance(value, dict) else None


class Json2:
    """`POST /json/2/<model>/<method>`, one JSON object of named arguments. One call is one transaction."""

    def __init__(self, http: Http, database: str) -> None:
        self._http = http
        self._headers = {"x-odoo-database": database} if database else {}

    def call(self, model: str, method: str, arguments: Mapping[str, Any], *, safe: bool) -> Any:
        def judge(answer: Answer) -> Verdict:
            if answer.status < 400 or answer.status in (401, 408, 425, 429, 502, 503, 504):
                return by_status(answer)
            told = body_of(answer)
            if told is None or "name" not in told:
                if answer.status == 404:
                    raise ConfigError(
                        Text(
                            "Odoo finds no such database here. Check base_url and the setting “database”.",
                            "Odoo 在此地址找不到该数据库。请检查 base_url 和设置项“database”。",
                        )
                    )
                return by_status(answer)
            # 500 is also what Odoo answers to *our* bad input (ValueError, TypeError): only trouble in the
            # database is worth another attempt.
            raised = failure(model, method, str(told["name"]), str(told.get("message", "")))
            if isinstance(raised, TransientError):
                return "retry"
            raise raised

        return self._http.call(
            "POST", f"/json/2/{model}/{method}", safe=safe, json=dict(arguments), headers=self._headers, judge=judge
        ).json()

    def uid(self) -> int:
        return int(self.call("res.users", "context_get", {}, safe=True)["uid"])


class JsonRpc:
    """`POST /jsonrpc`, for 16 to 18: a user name besides the key; every answer is HTTP 200."""

    def __init__(self, http: Http, database: str, login: str, key: Callable[[], str]) -> None:
        self._http, self._database, self._login, self._make_key = http, database, login, key
        self._uid: int | None = None

    def call(self, model: str, method: str, arguments: Mapping[str, Any], *, safe: bool) -> Any:
        named = dict(arguments)
        placed: list[Any] = [list(named.pop("ids"))] if "ids" in named else []
        placed += [named.pop(name) for name in _POSITIONAL.get(method, ()) if name in named]
        return self._service(
            "object",
            "execute_kw",
            [self._database, self.uid(), self._key(), model, method, placed, named],
            f"{model}.{method}",
            safe,
        )

    def _key(self) -> str:
        key = self._make_key()
        hide(key)  # it travels in the body, where the client does not look for secrets
        return key

    def uid(self) -> int:
        if self._uid is None:
            uid = self._service("common", "login", [self._database, self._login, self._key()], "common.login", True)
            if not uid:
                raise ConfigError(
                    Text(
                        "Odoo refuses the sign-in. Check the settings “database” and “login” and the secret “api_key”.",
                        "Odoo 拒绝登录。请检查设置项“database”和“login”，以及密钥“api_key”。",
                    )
                )
            self._uid = int(uid)
        return self._uid

    def _service(self, service: str, method: str, arguments: Sequence[Any], what: str, safe: bool) -> Any:
        model, _, name = what.rpartition(".")

        def judge(answer: Answer) -> Verdict:
            verdict = by_status(answer)
            if verdict != "ok":
                return verdict
            error = (body_of(answer) or {}).get("error")
            if error:
                data = error.get("data") or {}
                message = str(data.get("message") or error.get("message", ""))
                raised = failure(model, name, str(data.get("name", "")), message)
                if isinstance(raised, TransientError):
                    return "retry"
                raise raised
            return "ok"

        told = self._http.call(
            "POST",
            "/jsonrpc",
            safe=safe,
            json={"jsonrpc": "2.0", "method": "call", "id": 1, "params": {
                "service": service, "method": method, "args": list(arguments)}},
            judge=judge,
        ).json()  # fmt: skip
        if not isinstance(told, dict):
            raise ProtocolError(Text("Odoo's answer is no JSON-RPC answer.", "Odoo 的应答不是 JSON-RPC 应答。"))
        return told.get("result")  # a method that answers nothing leaves the member out


def version_of(http: Http) -> tuple[int, str]:
    """(major series, what it calls itself) of the server, without signing in.

    19 and later answer `GET /web/version`; before that `common.version` does. A cloud version such as `saas~19.1`
    counts as its series.
    """

    def judge(answer: Answer) -> Verdict:
        return "ok" if answer.status == 404 else by_status(answer)

    # A page of HTML with 404 is an answer here: no such route before 19.
    answer = http.call("GET", "/web/version", safe=True, signed=False, judge=judge, headers={"accept": "*/*"})
    told = answer.json() if answer.status != 404 else JsonRpc(http, "", "", str)._service(
        "common", "version", [], "common.version", True
    )  # fmt: skip
    info = told.get("version_info") or told.get("server_version_info") or []
    name = str(told.get("version") or told.get("server_version") or "")
    try:
        return int(str(info[0]).rpartition("~")[2].split(".")[0]), name
    except (IndexError, ValueError):
        raise ProtocolError(
            Text("Odoo does not say which version it is ({name}).", "Odoo 没有说明其版本（{name}）。").fill(name=name)
        ) from None
