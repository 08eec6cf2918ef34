"""A signed-in Tryton: sessions, JSON-RPC, the user's context, and reading by domain.

Built from trytond's `protocols/dispatcher.py` and `protocols/jsonrpc.py` (6.0 to 8.2) and from what a running 8.2.1
answered. The envelope has exactly the keys `id`, `method` and `params`; the last parameter is always the context. An
error of the application comes with status 200 and `{"error": [class, …]}`; messages are translated into the user's
language, so only the class is looked at.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from connector.adapter import Connection
from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError
from connector.http import Answer, Http, Renewed, Token, Verdict, by_status
from connector.text import Text, same

from .values import plain, wire

Domain = list[Any]

_MANY = 1000  # ids in one domain; the server took 21,227 of them, but the address of a log line should stay readable


class Tryton:
    """One Tryton database as one user sees it. All threads share its session."""

    def __init__(self, connection: Connection, user: str | None = None, known_as: str = "password") -> None:
        self.connection = connection
        self.settings = connection.settings
        self._user = user or self.settings.user
        self._known_as = known_as
        self._auth = Renewed(self._sign_in)
        self._http: Http = connection.http(self.settings.base_url, auth=self._auth, judge=self._judge)
        self._known: dict[str, Any] = {}
        self.memory: dict[str, Any] = {}  # small tables that are read once, such as payment terms
        self._lock = threading.Lock()

    # --- signing in --------------------------------------------------------------------------------------------------
    def _sign_in(self) -> Token:
        body = {
            "id": 0,
            "method": "common.db.login",
            "params": [self._user, {"password": self.connection.secret(self._known_as)}],
        }
        result = self._result(self._http.call("POST", self._path, safe=True, json=body, signed=False), "sign-in")
        if not isinstance(result, list) or len(result) < 2:
            raise ProtocolError(Text("Tryton's answer to the sign-in has no session.", "Tryton 的登录应答中没有会话。"))
        session = base64.b64encode(f"{self._user}:{result[0]}:{result[1]}".encode()).decode()
        return Token({"authorization": f"Session {session}"}, fresh_until=float("inf"))

    @cached_property
    def series(self) -> tuple[int, int]:
        """The server's series, (8, 2). Before 8.0 the address of JSON-RPC has no `rpc/`."""
        body = {"id": 0, "method": "common.server.version", "params": []}

        # A path too much in base_url is taken for a database's name: then signing in is asked for.
        not_here = (401, 403, 404, 405)

        def either(answer: Answer) -> Verdict:
            return "ok" if answer.status in not_here else by_status(answer)

        for path in ("/rpc/", "/"):
            # An older server answers with a page; that is not trouble here.
            anything = {"accept": "*/*"}
            answer = self._http.call("POST", path, safe=True, json=body, headers=anything, signed=False, judge=either)
            if answer.status in not_here:
                continue
            words = str(self._result(answer, "version")).split(".")
            if len(words) >= 2 and words[0].isdigit() and words[1].isdigit():
                return int(words[0]), int(words[1])
            break
        raise ConfigError(
            Text(
                "{url} does not answer as a Tryton server does. Check base_url (without the database's name).",
                "{url} 的应答不像 Tryton 服务器。请检查 base_url（不含数据库名）。",
            ).fill(url=self.settings.base_url)
        )

    @property
    def stamped(self) -> bool:
        """Whether every record has `last_modified_at` (since 8.0)."""
        return self.series >= (8, 0)

    @property
    def _path(self) -> str:
        return f"/{self.settings.database}/rpc/" if self.series >= (8, 0) else f"/{self.settings.database}/"

    def _judge(self, answer: Answer) -> Verdict:
        if answer.status == 404:
            raise ConfigError(
                Text(
                    "Tryton has no database called “{name}” at {url}.", "{url} 上没有名为“{name}”的 Tryton 数据库。"
                ).fill(name=self.settings.database, url=self.settings.base_url)
            )
        if answer.status == 403:
            raise ConfigError(
                Text(
                    "Tryton does not offer a method we need: a module is missing or its version is not supported.",
                    "Tryton 未提供所需的方法：缺少模块，或其版本不受支持。",
                )
            )
        if answer.status == 422:
            raise ProtocolError(
                Text("Tryton finds our request malformed (422).", "Tryton 认为我们的请求格式有误（422）。")
            )
        return by_status(answer)

    # --- calling -----------------------------------------------------------------------------------------------------
    def call(self, method: str, *arguments: Any, safe: bool = True, **context: Any) -> Any:
        """One method with the user's context, its result as plain JSON. Raises the four errors of `connector.errors`."""
        return self._call(method, arguments, {**self.context, **context}, safe)

    def _call(self, method: str, arguments: Sequence[Any], context: dict[str, Any], safe: bool) -> Any:
        body = {"id": 1, "method": method, "params": wire([*arguments, context])}
        return self._result(self._http.call("POST", self._path, safe=safe, json=body), method)

    @staticmethod
    def _result(answer: Answer, method: str) -> Any:
        said = answer.json()
        if not isinstance(said, dict) or ("result" not in said and "error" not in said):
            raise ProtocolError(
                Text("Tryton answered {method} without a result.", "Tryton 对 {method} 的应答中没有结果。").fill(
                    method=method
                )
            )
        if said.get("error"):
            raise refused(said["error"], method)
        return plain(said.get("result"))

    @cached_property
    def context(self) -> dict[str, Any]:
        """What the server wants to hear with every call: company, language. The language decides translated names."""
        with self._lock:
            known = self._call("model.res.user.get_preferences", [True], {}, True)
        context = {k: v for k, v in known.items() if k in ("company", "companies", "company_filter", "language")}
        if not context.get("company"):
            raise ConfigError(
                Text(
                    "The Tryton user “{user}” has no company. Choose one in the user's preferences.",
                    "Tryton 用户“{user}”没有所属公司。请在该用户的首选项中选择公司。",
                ).fill(user=self._user)
            )
        # Numbers of closed books belong to the past too: nothing is hidden because it is inactive.
        return {**context, "active_test": False}

    # --- reading -----------------------------------------------------------------------------------------------------
    def rows(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: Sequence[Sequence[str]] = (("id", "ASC"),),
        **context: Any,
    ) -> list[dict[str, Any]]:
        """Records that satisfy a domain, by id unless told otherwise. A refusal is a ConfigError: a right is missing."""
        try:
            found = self.call(
                f"model.{model}.search_read", domain, 0, limit, [list(o) for o in order], list(fields), **context
            )
        except RejectedError as wrong:
            raise ConfigError(
                Text(
                    "Tryton does not let the user “{user}” read {model}: {why}",
                    "Tryton 不允许用户“{user}”读取 {model}：{why}",
                ).fill(user=self._user, model=model, why=wrong.user),
                log=wrong.log,
            ) from wrong
        if not isinstance(found, list):
            raise ProtocolError(
                Text("Tryton's {model} is not a list.", "Tryton 返回的 {model} 不是列表。").fill(model=model)
            )
        return found

    def rows_of(
        self, model: str, field: str, ids: Sequence[Any], fields: Sequence[str], also: Domain | None = None
    ) -> list[dict[str, Any]]:
        """Records whose `field` is one of `ids`, however many those are, by id."""
        wanted = sorted(set(ids))
        found: list[dict[str, Any]] = []
        for start in range(0, len(wanted), _MANY):
            found += self.rows(model, [[field, "in", wanted[start : start + _MANY]], *(also or [])], fields)
        return found

    def ids(self, model: str, domain: Domain) -> Iterator[Sequence[str]]:
        """All ids that satisfy a domain, in lots."""
        after = 0
        while True:
            lot = self.call(f"model.{model}.search", [*domain, ["id", ">", after]], 0, 20_000, [["id", "ASC"]])
            if lot:
                yield [str(i) for i in lot]
                after = lot[-1]
            if len(lot) < 20_000:
                return

    def can_read(self, model: str) -> bool:
        """Whether the model is there and this user may read it; asked once."""
        if model not in self._known:
            try:
                self.rows(model, [], ["id"], limit=1)
            except (ConfigError, ProtocolError):
                self._known[model] = False
            else:
                self._known[model] = True
        return bool(self._known[model])

    def fields(self, model: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the server knows of these fields (`type`, `relation`); a field it does not know is absent."""
        key = f"{model}:{','.join(sorted(names))}"
        if key not in self._known:
            self._known[key] = self.call(f"model.{model}.fields_get", sorted(set(names)))
        found: dict[str, dict[str, Any]] = self._known[key]
        return found

    @cached_property
    def company(self) -> dict[str, Any]:
        """The user's company: its id, its party and the code of its currency."""
        found = self.rows("company.company", [["id", "=", self.context["company"]]], ["party", "currency.code"])
        if not found:
            raise ConfigError(
                Text("The Tryton user cannot read its own company.", "该 Tryton 用户无法读取自己的公司。")
            )
        return found[0]

    @property
    def currency(self) -> str:
        """The company's currency, in which the ledger is kept."""
        return str(self.company["currency"]["code"])


class Warned(RejectedError):
    """A question that Tryton asks its user before it goes on. `name` is how to answer it."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(same(words), log="UserWarning", code="UserWarning")
        self.name = name


def refused(error: Any, method: str) -> HoldfastError:
    """What an `{"error": …}` means for us."""
    name = error[0] if isinstance(error, list) and error else str(error)
    said = error[1] if isinstance(error, list) and len(error) > 1 else ""
    if name == "LoginException":
        return ConfigError(
            Text(
                "Tryton asks for more than a password for this user; give the integration user a password only.",
                "Tryton 要求该用户提供密码以外的验证；请让集成用户只使用密码登录。",
            )
        )
    if name == "ConcurrencyException":
        return TransientError(
            Text("Somebody else changed the same record in Tryton just now.", "有人刚刚在 Tryton 中修改了同一条记录。")
        )
    if name == "UserWarning":
        return Warned(str(said[0]), str(said[1]))
    if name == "UserError":
        words = said[0] if isinstance(said, list) and said else said
        return RejectedError(same(str(words)), log=f"{method}: {name}", code=name)
    # Only the text of a Python exception: an unknown model or field, mostly.
    return ProtocolError(
        Text(
            "Tryton does not know what {method} asked for ({name}). Is a module missing?",
            "Tryton 不认识 {method} 所请求的内容（{name}）。是否缺少模块？",
        ).fill(method=method, name=name)
    )


def open_client(connection: Connection) -> Tryton:
    """A client that signs in when it is first used."""
    return Tryton(connection)
