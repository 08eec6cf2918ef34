"""Reading: accounts, sales orders and users as pages of records.

The first pull comes in bulk where that is permitted; changes come by COQL, ordered by (Modified_Time, id), so that no
record is lost among many of the same second; what was deleted since the reading began comes with the last page. Members that start with `_`
are ours: `_currency` (the record's, else the organisation's) and, of users, `_active`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapters.zoho_crm import bulk
from adapters.zoho_crm.client import COLUMNS_MOST, Zoho, contents
from adapters.zoho_crm.times import earlier, utc
from connector.adapter import Page, Record
from connector.errors import ConfigError, ProtocolError
from connector.paging import at_once, by_keyset
from connector.text import Text

_ALWAYS = ("id", "Modified_Time", "Created_Time")
_FIRST = "2000-01-01T00:00:00+00:00"  # before Zoho CRM existed: everything
_PAGES_MOST = 10_000


def accounts(client: Zoho, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """Accounts: customers."""
    yield from _module(client, "Accounts", cursor, wanted)


def sales_orders(client: Zoho, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """Sales orders. An edition without that module gives none; `check` says so."""
    if not has_module(client, "Sales_Orders"):
        yield Page([], cursor, full=False, last=True)
        return
    yield from _module(client, "Sales_Orders", cursor, wanted)


def users(client: Zoho, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """All users, also those who have left; `_active` says which."""
    records: list[Record] = []
    for number in range(1, _PAGES_MOST):
        body = client.get("/users", {"type": "AllUsers", "page": str(number), "per_page": "200"})
        for user in body.get("users", []):
            data = {**user, "_active": user.get("status") == "active"}
            records.append(Record(str(user["id"]), data))
        if not (body.get("info") or {}).get("more_records"):
            break
    yield from at_once(records, 200)


def account_ids(client: Zoho) -> Iterator[Sequence[str]]:
    """The ids of all accounts there are now."""
    yield from _ids(client, "Accounts")


def sales_order_ids(client: Zoho) -> Iterator[Sequence[str]]:
    """The ids of all sales orders there are now."""
    if has_module(client, "Sales_Orders"):
        yield from _ids(client, "Sales_Orders")


def has_module(client: Zoho, module: str) -> bool:
    """Whether this organisation has a module that the API may use."""
    modules = client.get("/settings/modules").get("modules", [])
    return any(m.get("api_name") == module and m.get("api_supported", True) for m in modules)


def _module(client: Zoho, module: str, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    api_of = columns(client, module, wanted)
    names = list(dict.fromkeys([*_ALWAYS, *api_of.values()]))

    size = client.settings.page_size

    def record(row: Mapping[str, Any]) -> Record:
        return _record(client, row, api_of)

    state = cursor or {}
    if "bulk" in state or (not state and client.settings.bulk_first):
        try:
            for rows, following in bulk.read(client, module, names, state.get("bulk")):
                # What changed while the job ran comes by key, and still belongs to this reading of everything.
                after = {"bulk": following} if "job" in following else {**following, "full": True}
                yield Page([record(r) for r in rows], after, full=True, last=False)
            state = after
        except bulk.Unavailable:
            state = {}  # everything again, page by page; what was handed out already is only met twice

    def fetch(since: str | None, after: tuple[str, str] | None) -> list[Record]:
        if after:
            at, key = after
            where = f"(Modified_Time > '{at}' or (Modified_Time = '{at}' and id > {int(key)}))"
        else:
            where = f"Modified_Time >= '{since or _FIRST}'"
        select = f"select {', '.join(names)} from {module} where {where} order by Modified_Time asc, id asc"  # noqa: S608
        return [record(r) for r in client.query(f"{select} limit 0, {size}")]

    began = state.get("began") or state.get("mark") or client.connection.clock.now().isoformat(timespec="seconds")
    present = utc(client.connection.clock.now().isoformat(timespec="seconds"))
    for page in by_keyset(state, fetch, lambda r: utc(_time(r)), lambda r: r.key, size, earlier, lambda: present):
        if page.last:
            yield replace(page, gone=_deleted(client, module, earlier(began)))
        else:
            yield replace(page, cursor={**page.cursor, "began": began})


def columns(client: Zoho, module: str, wanted: Sequence[str]) -> dict[str, str]:
    """Mapping name → API name for what a read asks for. ConfigError for fields that are not there, or too many."""
    roots = list(dict.fromkeys(path.split(".")[0] for path in wanted))
    mine = [r for r in roots if not r.startswith(("_", "$")) and r not in _ALWAYS]
    # `Name?` is read where there is such a field.
    there = client.fields(module)
    named = [r.removesuffix("?") for r in mine if not r.endswith("?") or there.find(r.removesuffix("?")) is not None]
    found = client.names(module, named)
    if "Currency" in client.fields(module).by_name:  # only where the organisation uses several currencies
        found.setdefault("Currency", "Currency")
    if len(found) + len(_ALWAYS) > COLUMNS_MOST:
        raise ConfigError(
            Text(
                "The mapping reads {n} fields of {module}; Zoho gives at most {most} at once.",
                "映射读取 {module} 的 {n} 个字段；Zoho 一次最多返回 {most} 个。",
            ).fill(n=len(found), module=module, most=COLUMNS_MOST - len(_ALWAYS))
        )
    return found


def _record(client: Zoho, row: Mapping[str, Any], api_of: Mapping[str, str]) -> Record:
    key = row.get("id")
    if key is None:
        raise ProtocolError(Text("A record of Zoho has no id.", "Zoho 的一条记录没有 id。"))
    data = dict(row)
    for name, api in api_of.items():
        if name != api and api in row:  # the mapping's name for a field that this organisation calls otherwise
            data[name] = row[api]
    data["_currency"] = row.get("Currency") or client.org.get("iso_code")
    return Record(str(key), data)


def _time(record: Record) -> str:
    modified = record.data.get("Modified_Time")
    if not modified:
        raise ProtocolError(
            Text("Record {key} of Zoho has no Modified_Time.", "Zoho 的记录 {key} 没有 Modified_Time。").fill(
                key=record.key
            )
        )
    return str(modified)


def _deleted(client: Zoho, module: str, since: str) -> list[str]:
    """Ids of what was deleted since then; Zoho's bin remembers 60 days."""
    gone: list[str] = []
    for number in range(1, _PAGES_MOST):
        answer = client.http.call(
            "GET",
            client.path(f"/{module}/deleted"),
            safe=True,
            params={"type": "all", "page": str(number), "per_page": "200"},
            headers={"if-modified-since": since},
        )
        body = contents(answer)
        gone += [str(r["id"]) for r in body.get("data", []) if utc(str(r.get("deleted_time"))) >= since]
        if not (body.get("info") or {}).get("more_records"):
            break
    return gone


def _ids(client: Zoho, module: str) -> Iterator[Sequence[str]]:
    last, size = 0, client.settings.page_size
    for _ in range(_PAGES_MOST):
        where = f"(Modified_Time >= '{_FIRST}' and id > {last})"
        rows = client.query(f"select id from {module} where {where} order by id asc limit 0, {size}")  # noqa: S608
        if rows:
            yield [str(r["id"]) for r in rows]
            last = int(rows[-1]["id"])
        if len(rows) < size:
            return
