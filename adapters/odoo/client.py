"""The client of one Odoo database and company: signing in, reading, looking up, writing, and what the fields there are.

Everything goes through `call`, which puts the context on each call: the company, no archived rows hidden, the user's
time zone kept out of it. `rows` reads with bare ids instead of [id, name] pairs and turns Odoo's `false` for "nothing"
into None wherever the field is no boolean.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from adapters.odoo.transport import Door, Json2, JsonRpc, version_of
from connector.adapter import Connection, nearest
from connector.errors import ConfigError
from connector.http import bearer
from connector.text import Text

Row = dict[str, Any]
T = TypeVar("T")
Domain = Sequence[Any]

_TIMEOUT = (10.0, 150.0)  # Odoo retries a busy record inside the call, and cuts workers off at 120 s


class Client:
    """One Odoo, one company."""

    def __init__(self, connection: Connection, *, secret: str = "api_key") -> None:  # noqa: S107 - its name
        self.connection = connection
        self.settings = connection.settings
        self._secret = secret
        self._fields: dict[str, dict[str, Row]] = {}
        self._names: dict[tuple[str, str], dict[int, Any]] = {}
        self._kept: dict[str, Any] = {}

    # --- talking ---------------------------------------------------------------------------------------------------------
    @cached_property
    def version(self) -> tuple[int, str]:
        """(series, version as the server says it): (19, "19.0")."""
        return version_of(self.connection.http(self.settings.base_url, timeout=_TIMEOUT))

    @property
    def series(self) -> int:
        return self.version[0]

    @cached_property
    def door(self) -> Door:
        """JSON-2 from 19 on, `/jsonrpc` before, unless the settings choose."""
        wanted = self.settings.transport
        if wanted == "auto":
            wanted = "json2" if self.series >= 19 else "jsonrpc"
        base_url, database = self.settings.base_url, self.settings.database
        if wanted == "json2":
            sign = bearer(lambda: self.connection.secret(self._secret), "bearer")
            return Json2(self.connection.http(base_url, auth=sign, timeout=_TIMEOUT), database)
        if not self.settings.login:
            raise ConfigError(
                Text(
                    "Odoo {series} signs in with a user name: set “login” in the system's settings.",
                    "Odoo {series} 登录需要用户名：请在系统设置中填写“login”。",
                ).fill(series=self.series)
            )
        http = self.connection.http(base_url, timeout=_TIMEOUT)
        return JsonRpc(http, database, self.settings.login, lambda: self.connection.secret(self._secret))

    def call(
        self, model: str, method: str, *, safe: bool, context: Mapping[str, Any] | None = None, **arguments: Any
    ) -> Any:
        """One call, in our company and with archived rows in sight. Raises the errors of `connector.errors`."""
        whole = {"active_test": False, **self._company_context, **(context or {})}
        return self.door.call(model, method, {**arguments, "context": whole}, safe=safe)

    @cached_property
    def uid(self) -> int:
        return self.door.uid()

    def as_administrator(self) -> Client | None:
        """The same Odoo under the secret `admin_key`, None where none is configured. For setting up only."""
        try:
            self.connection.secret("admin_key")
        except ConfigError:
            return None
        return Client(self.connection, secret="admin_key")  # noqa: S106 - the secret's name

    # --- reading ---------------------------------------------------------------------------------------------------------
    def rows(
        self, model: str, domain: Domain, fields: Iterable[str], *, limit: int | None = None, order: str = "id asc"
    ) -> list[Row]:
        """Records by domain, many2one as bare ids, "nothing" as None."""
        names = sorted(set(fields) | {"id"})
        kinds = self.fields(model)
        more: dict[str, Any] = {} if limit is None else {"limit": limit}
        found: list[Row] = self.call(
            model, "search_read", safe=True, domain=list(domain), fields=names, order=order, load="", **more
        )
        empty = [n for n in names if kinds.get(n, {}).get("type") != "boolean"]
        for row in found:
            for name in empty:
                if row.get(name) is False:
                    row[name] = None
        return found

    def ids(self, model: str, domain: Domain, *, after: int = 0, limit: int | None = None) -> list[int]:
        """Ids by domain, ascending, from `after` on."""
        more: dict[str, Any] = {} if limit is None else {"limit": limit}
        found = self.call(model, "search", safe=True, domain=[*domain, ["id", ">", after]], order="id asc", **more)
        return [int(i) for i in found]

    def fields(self, model: str) -> dict[str, Row]:
        """The fields of a model that this user may see, with their type; {} where the model is not there."""
        if model not in self._fields:
            _ = self.company  # a wrong key or company must not look like a missing model
            try:
                self._fields[model] = dict(
                    self.call(model, "fields_get", safe=True, attributes=["type", "string", "selection", "store"])
                )
            except ConfigError:
                self._fields[model] = {}
        return self._fields[model]

    def forget_fields(self) -> None:
        """Look at the fields anew: some were just made."""
        self._fields.clear()

    def asked(self, model: str, essential: Iterable[str], wanted: Iterable[str], part: str = "") -> list[str]:
        """The fields to ask for: ours as far as they are there, and those of the mapping, which must be there.

        `wanted` are the mapping's paths; with `part` only those below it (`_lines`). Members that start with `_` are
        made by us. Raises ConfigError that names the field and the path.
        """
        there = self.fields(model)
        names = [n for n in essential if n in there]
        for path in wanted:
            if part and not path.startswith(f"{part}."):
                continue
            words = (path[len(part) + 1 :] if part else path).split(".")
            word = next((w for w in words if w and not w.isdigit() and w != "^"), "")
            if not word or word.startswith("_") or word == "id":
                continue
            if word.endswith("?") and (word := word.removesuffix("?")) not in there:
                continue  # read where there is such a field
            if word not in there:
                raise ConfigError(
                    Text(
                        "The mapping reads “{path}”, but {model} has no field “{word}” that this user may see. "
                        "Did you mean {near}?",
                        "映射读取“{path}”，但 {model} 没有该用户可见的字段“{word}”。是否应为 {near}？",
                    ).fill(path=path, model=model, word=word, near=nearest(word, sorted(there)[:400]))
                )
            names.append(word)
        return names

    def may(self, model: str, operation: str) -> bool:
        """Whether this user may `read`, `write` or `create` records of a model at all."""
        if not self.fields(model):
            return False
        if self.series >= 18:
            # A method of records: /jsonrpc insists on ids, none of them too.
            return bool(self.call(model, "has_access", safe=True, ids=[], operation=operation))
        return bool(self.call(model, "check_access_rights", safe=True, operation=operation, raise_exception=False))

    # --- looking up --------------------------------------------------------------------------------------------------------
    def look_up(self, model: str, field: str, ids: Iterable[int | None]) -> dict[int, Any]:
        """`field` of many records, by id, each asked once. Bounded: a page's worth at a time."""
        known = self._names.setdefault((model, field), {})
        if len(known) > 200_000:
            known = self._names[model, field] = {}  # not cleared: another stream's thread may be looking into it
        missing = sorted({int(i) for i in ids if i} - known.keys())
        for start in range(0, len(missing), 1000):
            part = missing[start : start + 1000]
            found = {r["id"]: r[field] for r in self.rows(model, [["id", "in", part]], [field])}
            known.update({**dict.fromkeys(part), **found})
        return known

    def commercial(self, partners: Iterable[int | None]) -> dict[int, int]:
        """The commercial partner (who owes) of each partner."""
        return self.look_up("res.partner", "commercial_partner_id", partners)

    def currency_codes(self) -> dict[int, str]:
        """ISO code by currency id."""
        return self._all("res.currency", "name")

    def country_codes(self) -> dict[int, str]:
        return self._all("res.country", "code")

    def _all(self, model: str, field: str) -> dict[int, Any]:
        known = self._names.get((model, field))
        if known is None:
            known = {r["id"]: r[field] for r in self.rows(model, [], [field])}
            self._names[model, field] = known
        return known

    def cached(self, name: str, make: Callable[[], T]) -> T:
        """Something that stays the same while this client lives, made once."""
        if name not in self._kept:
            self._kept[name] = make()
        value: T = self._kept[name]
        return value

    def xml_id(self, name: str) -> int | None:
        """The id behind an external id such as `base.view_partner_form`; needs an administrator."""
        module, _, word = name.partition(".")
        found = self.rows("ir.model.data", [["module", "=", module], ["name", "=", word]], ["res_id"], limit=1)
        return int(found[0]["res_id"]) if found else None

    def model_id(self, model: str) -> int:
        """The id of a model's own row; needs an administrator."""
        found = self.ids("ir.model", [["model", "=", model]], limit=1)
        if not found:
            raise ConfigError(
                Text("Odoo has no {model}: install its app first.", "Odoo 没有 {model}：请先安装相应的应用。").fill(
                    model=model
                )
            )
        return found[0]

    # --- the company ---------------------------------------------------------------------------------------------------------
    @cached_property
    def _company_context(self) -> dict[str, Any]:
        return {"allowed_company_ids": [self.company["id"]]}

    @cached_property
    def company(self) -> Row:
        """The company whose books and limits are meant: id, name, currency (ISO), partner.

        The settings name it; otherwise it is the user's own first one. Raises ConfigError for an unknown one.
        """
        context = {"active_test": False}
        arguments = {
            "domain": [],
            "fields": ["name", "currency_id", "partner_id"],
            "order": "id asc",
            "context": context,
        }
        rows: list[Row] = self.door.call("res.company", "search_read", arguments, safe=True)
        wanted = self.settings.company
        if wanted:
            chosen = [r for r in rows if wanted in (r["name"], str(r["id"]))]
        else:
            mine = self.door.call(
                "res.users",
                "search_read",
                {"domain": [["id", "=", self.uid]], "fields": ["company_id"], "context": context},
                safe=True,
            )
            own = mine[0]["company_id"][0] if mine and mine[0]["company_id"] else None
            chosen = [r for r in rows if r["id"] == own] or rows[:1]
        if not chosen:
            raise ConfigError(
                Text(
                    "Odoo has no company “{name}” that this user may see. Did you mean {near}?",
                    "Odoo 没有该用户可见的公司“{name}”。是否应为 {near}？",
                ).fill(name=wanted, near=nearest(wanted, [r["name"] for r in rows]))
            )
        row = chosen[0]
        return {"id": row["id"], "name": row["name"], "currency": row["currency_id"][1],
                "partner": row["partner_id"][0] if row["partner_id"] else None}  # fmt: skip

    # --- what this system is trusted for ---------------------------------------------------------------------------------------
    @property
    def keeps_ledger(self) -> bool:
        """Whether the receivables here are ours to read: as ERP, or where no role was given (tests, trials)."""
        return not self.connection.roles or "erp" in self.connection.roles

    @property
    def is_crm(self) -> bool:
        return "crm" in self.connection.roles

    @cached_property
    def receivable_accounts(self) -> list[int]:
        """The receivable accounts that count: trade receivables, or those whose codes the settings list.

        Raises ConfigError for a code that is no receivable account, and where there is none at all.
        """
        there = self.fields("account.account")
        domain: list[Any] = [["account_type", "=", "asset_receivable"]]
        fields = [n for n in ("code", "name", "non_trade") if n in there]
        found = self.rows("account.account", domain, fields)
        codes = [str(c) for c in self.settings.accounts]
        if codes:
            known = {r["code"]: r["id"] for r in found}
            wrong = [c for c in codes if c not in known]
            if wrong:
                raise ConfigError(
                    Text(
                        "The setting “accounts” names {wrong}, which is no receivable account. There are: {known}.",
                        "设置项“accounts”中的 {wrong} 不是应收科目。现有：{known}。",
                    ).fill(wrong=", ".join(wrong), known=", ".join(sorted(known)))
                )
            return sorted(known[c] for c in codes)
        chosen = sorted(r["id"] for r in found if not r.get("non_trade"))
        if not chosen:
            raise ConfigError(
                Text(
                    "Odoo shows no trade receivable account to this user in {company}.",
                    "在 {company} 中，该用户看不到任何应收账款科目。",
                ).fill(company=self.company["name"])
            )
        return chosen

    @property
    def scope(self) -> str:
        """What a cursor is good for: another company or other accounts need a reading from the start."""
        return f"{self.company['id']}:{','.join(map(str, self.receivable_accounts))}"


def encoded(value: Any) -> Any:
    """One of our values as Odoo takes it: nothing is `false`, dates are text in UTC without T and Z."""
    if value is None or value == "":
        return False
    if isinstance(value, dt.datetime):
        aware = value.astimezone(dt.UTC) if value.tzinfo else value
        return aware.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def same_values(values: Mapping[str, Any]) -> str:
    """Something equal for equal values, to write them together."""
    return json.dumps({k: str(v) if isinstance(v, Decimal) else v for k, v in values.items()}, sort_keys=True)
