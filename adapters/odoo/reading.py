"""How every stream here reads: by id, with a watermark on `write_date` and an overlap, and the sweep of existing ids.

`write_date` is the *start* of the writing transaction: a row may become visible behind its own stamp, so a later pull
asks again for the last minutes (setting `overlap_minutes`); facts are upserted, so meeting a row twice is harmless.
There is no upper end to the window: a row that is written while we page is met in its newest state, or again next time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from adapters.odoo.client import Client, Row
from connector.adapter import Json, Page, Record
from connector.paging import by_id, by_listed_id

_FORM = "%Y-%m-%d %H:%M:%S"
_BEGINNING = "1970-01-01 00:00:00"
_LISTED = 10_000  # ids in one call

Dress = Callable[[list[Row]], Sequence[Row]]


def nothing() -> Iterator[Page]:
    """The reading of a stream that this system is not trusted for."""
    yield Page([], None, full=True, last=True)


def changes(
    client: Client,
    cursor: Json,
    model: str,
    domain: Sequence[Any],
    fields: Iterable[str],
    dress: Dress,
    *,
    stamps: Sequence[str] = ("write_date",),
    later: Sequence[Any] | None = None,
    scope: str = "",
) -> Iterator[Page]:
    """Pages of a model by id: all rows of `domain` first, later those of `later` where one of the `stamps` has moved.

    `dress` adds the members that start with `_`. `scope` is what the cursor is good for; another one starts over.
    """
    # Not the stamp itself: our own writing would make each record look changed.
    names = sorted(set(fields))
    size = client.settings.page_size
    overlap = dt.timedelta(minutes=client.settings.overlap_minutes)
    state = cursor if isinstance(cursor, dict) and cursor.get("scope", "") == scope else {}

    def fetch(since: str | None, _to: str, after: str | None) -> Sequence[Record]:
        key = [["id", ">", int(after or 0)]]
        if since is None:
            asked = [*domain, *key]
        else:
            moved: list[Any] = ["|"] * (len(stamps) - 1) + [[s, ">=", since] for s in stamps]
            asked = [*(domain if later is None else later), *moved, *key]
        return [Record(str(r["id"]), r) for r in dress(client.rows(model, asked, names, limit=size))]

    def earlier(mark: str) -> str:
        return (dt.datetime.strptime(mark, _FORM) - overlap).strftime(_FORM)  # noqa: DTZ007 - UTC both ways

    def newest() -> str:
        # The server's own clock, by its own newest stamp: ours may be wrong.
        found = client.rows(model, [], ["write_date"], limit=1, order="write_date desc")
        return str(found[0]["write_date"]) if found and found[0]["write_date"] else _BEGINNING

    def listed(after: str | None) -> Sequence[str]:
        return [str(i) for i in client.ids(model, domain, after=int(after or 0), limit=_LISTED)]

    def between(after: str | None, to: str) -> Sequence[Record]:
        key = [["id", ">", int(after or 0)], ["id", "<=", int(to)]]
        return [Record(str(r["id"]), r) for r in dress(client.rows(model, [*domain, *key], names))]

    at = state.get("at")
    if not at or at.get("full"):
        pages = by_listed_id(at, listed, _LISTED, between, size, newest, client.settings.pages_at_once)
    else:
        pages = by_id(at, fetch, lambda r: r.key, size, earlier, newest)
    for page in pages:
        yield Page(page.records, {"scope": scope, "at": page.cursor}, page.full, page.last)


def existing(client: Client, model: str, domain: Sequence[Any], size: int = 10_000) -> Iterator[Sequence[str]]:
    """The ids that exist now, as keys."""
    after = 0
    while True:
        ids = client.ids(model, domain, after=after, limit=size)
        yield [str(i) for i in ids]
        if len(ids) < size:
            return
        after = ids[-1]


def day(value: Any) -> dt.date | None:
    """A date member as a date."""
    return dt.date.fromisoformat(str(value)[:10]) if value else None


def instant(value: Any) -> dt.datetime | None:
    """A datetime member, which Odoo gives in UTC without saying so."""
    return dt.datetime.strptime(str(value)[:19], _FORM).replace(tzinfo=dt.UTC) if value else None
