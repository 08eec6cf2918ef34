"""Reading: pages of one object, by id; of changes, inside a window of `last_modified_time` whose end is fixed.

The vendor allows 100 records a page and an offset of 10,000 at most; its own recipe for more is to order by `_id` and
to ask for `_id` greater than the last. The end of a window is the newest change there was when we began, as the system
dates it: our own clock plays no part. A reading of everything carries no window: a record that is changed while we read
would drop out of one, and would be swept as if it were gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adapters.fxiaoke.client import Client
from adapters.fxiaoke.fields import DAYS, describe, projection
from connector.adapter import Json, Keys, Page, Read, Record
from connector.errors import ProtocolError
from connector.paging import by_id
from connector.text import Text

LINES = "lines"  # the member that holds an order's lines
_AT_ONCE = 50  # ids in one IN filter: no limit is published, so a modest number
_END_OF_TIME_MS = 253_000_000_000_000  # the year 9987
_OVERLAP_MS = 5 * 60_000  # a change may become visible later than its date says


def path_of(object_name: str, verb: str) -> str:
    """The address of a verb: objects the tenant made itself (`…__c`) have a path of their own."""
    return f"/cgi/crm/{'custom/' if object_name.endswith('__c') else ''}v2/data/{verb}"


def where(field: str, operator: str, *values: str) -> dict[str, Json]:
    """One condition; several are joined by AND, OR is not documented."""
    return {"field_name": field, "operator": operator, "field_values": list(values)}


def query(
    client: Client,
    object_name: str,
    filters: Sequence[Mapping[str, Json]],
    fields: Sequence[str],
    limit: int = 0,
    newest: bool = False,
) -> list[dict[str, Any]]:
    """At most `limit` records (a page, where it is 0) by `_id`, or the `newest` change first. No total is asked for: it is slow, and 0 where it is not asked for."""
    told = client.call(
        path_of(object_name, "query"),
        {
            "includeNull": False,
            "data": {
                "dataObjectApiName": object_name,
                "find_explicit_total_num": False,
                "search_query_info": {
                    "limit": limit or client.settings.page_size,
                    "offset": 0,
                    "filters": list(filters),
                    "orders": [{"fieldName": "last_modified_time" if newest else "_id", "isAsc": not newest}],
                    "fieldProjection": list(fields),
                },
            },
        },
        safe=True,
    )
    rows = (told.get("data") or {}).get("dataList")
    if not isinstance(rows, list) or any(not isinstance(r, dict) or not r.get("_id") for r in rows):
        raise ProtocolError(
            Text(
                "Fxiaoke's answer to a query of {object} has no list of records with ids.",
                "纷享销客对 {object} 的查询应答中没有带 id 的数据列表。",
            ).fill(object=object_name)
        )
    return rows


def all_of(
    client: Client, object_name: str, filters: Sequence[Mapping[str, Json]], fields: Sequence[str]
) -> Iterator[list[dict[str, Any]]]:
    """Every record that fits, page by page."""
    last: str | None = None
    while True:
        rows = _after(client, object_name, filters, fields, last)
        yield rows
        if len(rows) < client.settings.page_size:
            return
        last = str(rows[-1]["_id"])


def _after(
    client: Client, object_name: str, filters: Sequence[Mapping[str, Json]], fields: Sequence[str], last: str | None
) -> list[dict[str, Any]]:
    """The page after an id. ProtocolError where the system gives it again: reading would never end."""
    rows = query(client, object_name, [*filters, *([where("_id", "GT", last)] if last else [])], fields)
    if last and any(str(row["_id"]) <= last for row in rows):
        raise ProtocolError(
            Text(
                "Fxiaoke's pages of {object} do not go on after the id we had reached.",
                "纷享销客的 {object} 分页未从已读到的 id 之后继续。",
            ).fill(object=object_name)
        )
    return rows


def in_groups(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values for IN filters, a few at a time, each once."""
    each = list(dict.fromkeys(v for v in values if v))
    for start in range(0, len(each), _AT_ONCE):
        yield each[start : start + _AT_ONCE]


Dress = Callable[[Client, list[dict[str, Any]], Sequence[str]], None]


def reading(
    object_name: str,
    stream: str,
    essential: Sequence[str] = (),
    optional: Sequence[str] = (),
    dress: Dress | None = None,
) -> Read[Client]:
    """How a stream over one object is read; `dress` adds the derived members to a page of records."""

    def read(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
        described = describe(client, object_name)
        own = [path for path in wanted if not path.startswith(f"{LINES}.")]
        names, aliases = projection(described, own, essential, optional, stream)

        def fetch(since: str | None, to: str, after: str | None) -> Sequence[Record]:
            window = (
                [where("last_modified_time", "GTE", since), where("last_modified_time", "LTE", to)]
                if since is not None
                else []
            )
            rows = _after(client, object_name, window, names, after)
            for row in rows:
                _alias(row, aliases)
                _days(client, row, own)
            if dress is not None:
                dress(client, rows, wanted)
            return [Record(str(row["_id"]), row) for row in rows]

        pages = by_id(
            cursor,
            fetch,
            lambda record: record.key,
            client.settings.page_size,
            earlier=lambda mark: str(max(0, int(mark) - _OVERLAP_MS)),
            until=lambda: _newest(client, object_name),
        )
        for page in pages:
            gone = [r.key for r in page.records if r.data.get("is_deleted") is True]
            there = [r for r in page.records if r.data.get("is_deleted") is not True]
            yield Page(there, page.cursor, page.full, page.last, gone)

    return read


def listing(object_name: str) -> Keys[Client]:
    """The ids that exist now: no feed of deleted ids is documented, so they are compared."""

    def keys(client: Client) -> Iterator[Sequence[str]]:
        described = describe(client, object_name)
        fields = ["_id", *(["is_deleted"] if "is_deleted" in described.fields else [])]
        for rows in all_of(client, object_name, [], fields):
            yield [str(r["_id"]) for r in rows if r.get("is_deleted") is not True]

    return keys


def _newest(client: Client, object_name: str) -> str:
    """When the last change of an object was, in ms; 0 where it has no records."""
    rows = query(client, object_name, [], ["_id", "last_modified_time"], limit=1, newest=True)
    if not rows:
        return "0"
    at = rows[0].get("last_modified_time")
    if not isinstance(at, int) or isinstance(at, bool):
        raise ProtocolError(
            Text(
                "Fxiaoke's records of {object} carry no last_modified_time in milliseconds.",
                "纷享销客的 {object} 数据没有毫秒形式的 last_modified_time。",
            ).fill(object=object_name)
        )
    return str(at)


def _alias(row: dict[str, Any], aliases: Mapping[str, str]) -> None:
    """Puts a value also under the `label:` name by which the mapping reads it."""
    for written, name in aliases.items():
        if name in row:
            row[written] = row[name]


def _days(client: Client, row: dict[str, Any], wanted: Sequence[str]) -> None:
    """Puts the calendar days that the mapping reads (`days.order_time`) into a member of their own."""
    names = [path.partition(".")[2] for path in wanted if path.startswith(f"{DAYS}.")]
    if names:
        row[DAYS] = {name: day_of(client, row[name]) for name in names if row.get(name) is not None}


def day_of(client: Client, moment: Json) -> Json:
    """The tenant's calendar day of milliseconds since 1970, as ISO text; anything else stays as it is, to be reported."""
    if not isinstance(moment, int) or isinstance(moment, bool) or not 0 <= moment < _END_OF_TIME_MS:
        return moment
    return dt.datetime.fromtimestamp(moment / 1000, client.zone).date().isoformat()


# --- derived members ---------------------------------------------------------------------------------------------------
def with_currency(client: Client, rows: list[dict[str, Any]], wanted: Sequence[str]) -> None:
    """`_currency`: the record's own where the tenant uses several currencies, else the tenant's."""
    for row in rows:
        row["_currency"] = row.get("mc_currency") or client.settings.currency


def with_lines(client: Client, rows: list[dict[str, Any]], wanted: Sequence[str]) -> None:
    """`_currency`, and `lines`, an order's lines, where the mapping reads them.

    They are read with their order, not by their own changes: lines that an edited order no longer has would stay.
    """
    with_currency(client, rows, wanted)
    inner = [path.removeprefix(f"{LINES}.") for path in wanted if path.startswith(f"{LINES}.")]
    if not inner or not rows:
        return
    described = describe(client, "SalesOrderProductObj")
    names, aliases = projection(described, inner, ("order_id",), ("is_deleted", "life_status"), f"orders/{LINES}")
    lines: dict[str, list[dict[str, Any]]] = {str(row["_id"]): [] for row in rows}
    for ids in in_groups(list(lines)):
        for found in all_of(client, "SalesOrderProductObj", [where("order_id", "IN", *ids)], names):
            for line in found:
                _alias(line, aliases)
                _days(client, line, inner)
                if line.get("is_deleted") is not True and line.get("life_status") != "invalid":
                    lines.setdefault(str(line.get("order_id")), []).append(line)
    for row in rows:
        row[LINES] = lines[str(row["_id"])]


def with_receipt(client: Client, rows: list[dict[str, Any]], wanted: Sequence[str]) -> None:
    """`_receipt`: of the receipt a line belongs to, its `day` and state; a line has none of its own."""
    described = describe(client, "PaymentObj")
    names = ["_id", *(n for n in ("payment_time", "life_status", "account_id") if n in described.fields)]
    parents: dict[str, dict[str, Any]] = {}
    for ids in in_groups([str(row.get("payment_id") or "") for row in rows]):
        for found in all_of(client, "PaymentObj", [where("_id", "IN", *ids)], names):
            parents.update((str(one["_id"]), one) for one in found)
    for row in rows:
        receipt = parents.get(str(row.get("payment_id") or ""), {})
        row["_receipt"] = {**receipt, "day": day_of(client, receipt.get("payment_time"))} if receipt else {}


def with_user(client: Client, rows: list[dict[str, Any]], wanted: Sequence[str]) -> None:
    """`_user`: the employee id by which owners are named; it is the record's id where the tenant shows no other."""
    for row in rows:
        row["_user"] = str(row.get("user_id") or row["_id"])
