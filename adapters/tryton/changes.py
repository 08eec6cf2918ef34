"""Reading everything once, and then only what changed: by id for the first, by watched models afterwards.

In Tryton a change shows in surprising places. A partial payment touches the invoice, not the instalment; an address
written on its own does not touch the party; computed fields never move a time stamp. So a stream reads *things* (a
party, a ledger move, an order), and *watches* the models whose rows say that a thing is to be read again.

Full reading goes by id: every thing once. The watermarks for later are taken before the first page, so that what
changes meanwhile is read again. A reading of changes takes each watched model's rows with `last_modified_at` at or after
the watermark less an overlap (on PostgreSQL a row can become visible after a younger one; all rows of one transaction
share one stamp), by id, and its new watermark too is taken before it begins. Hence nothing depends on the order of time
stamps, and ties do no harm. Before series 8.0 there is no `last_modified_at`: `write_date`, which is null until the first
change, and `create_date` stand in.

Cursor: `{"marks": {model: mark}}` between pulls, with `"after"` (full) or `"next"`, `"watch"` and `"after"` inside one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connector.adapter import Page, Record

from .client import Domain, Tryton
from .values import earlier, instant

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Watch:
    """A model whose changed rows name things to be read again.

    `owners` turns rows (with `fields`) into ids of things. Rows that satisfy `always` are taken in every pull, changed or
    not. A model that is not there, or not readable, is passed over where it is `optional`.
    """

    model: str
    domain: Domain
    fields: tuple[str, ...]
    owners: Callable[[Tryton, Sequence[Row]], Sequence[int]]
    optional: bool = False
    always: Domain | None = None


@dataclass(frozen=True, slots=True)
class Things:
    """What a stream reads: the model whose ids name the things, which of them, what to watch, how to make a record."""

    model: str
    domain: Callable[[Tryton], Domain]
    watches: tuple[Watch, ...]
    build: Callable[[Tryton, Sequence[int], Sequence[str]], Sequence[Record]]


def read(client: Tryton, cursor: Any, wanted: Sequence[str], things: Things) -> Iterator[Page]:
    """Everything where the cursor is empty or belongs to an unfinished full reading, else what changed."""
    state = dict(cursor or {})
    if not state or (state.get("full") and "after" in state):
        yield from _full(client, state, wanted, things)
    else:
        yield from _changed(client, state, wanted, things)


def keys(client: Tryton, things: Things) -> Iterator[Sequence[str]]:
    """The ids of all things there are."""
    return client.ids(things.model, things.domain(client))


def _full(client: Tryton, state: dict[str, Any], wanted: Sequence[str], things: Things) -> Iterator[Page]:
    marks = state.get("marks") or _marks(client, things)
    after, size = int(state.get("after", 0)), client.settings.page_size
    while True:
        domain = [*things.domain(client), ["id", ">", after]]
        ids = client.call(f"model.{things.model}.search", domain, 0, size, [["id", "ASC"]])
        records = things.build(client, ids, wanted) if ids else []
        if len(ids) < size:
            yield Page(records, {"marks": marks}, full=True, last=True)
            return
        after = ids[-1]
        yield Page(records, {"marks": marks, "after": after, "full": True}, full=True, last=False)


def _changed(client: Tryton, state: dict[str, Any], wanted: Sequence[str], things: Things) -> Iterator[Page]:
    marks: dict[str, str] = state["marks"]
    following: dict[str, str] = state.get("next") or {**marks, **_marks(client, things)}
    first, after, size = int(state.get("watch", 0)), int(state.get("after", 0)), client.settings.page_size
    done: set[int] = set()
    for number in range(first, len(things.watches)):
        watch = things.watches[number]
        if watch.optional and not client.can_read(watch.model):
            continue
        while True:
            domain = [*watch.domain, *_since(client, watch, marks.get(watch.model)), ["id", ">", after]]
            rows = client.rows(watch.model, domain, ["id", *watch.fields], limit=size)
            # What was met through one model need not be read again through the next: its mark is older than this pull.
            ids = sorted({i for i in watch.owners(client, rows) if i not in done}) if rows else []
            done.update(ids)
            lots = [ids[start : start + size] for start in range(0, len(ids), size)]
            for lot in lots:
                # Before the last lot the rows are not done with: a reader that breaks off there meets them again.
                past = rows[-1]["id"] if lot is lots[-1] else after
                place = {"marks": marks, "next": following, "watch": number, "after": past}
                yield Page(things.build(client, lot, wanted), place, full=False, last=False)
            if len(rows) < size:
                break
            after = rows[-1]["id"]
        after = 0
    yield Page([], {"marks": following}, full=False, last=True)


def _since(client: Tryton, watch: Watch, mark: str | None) -> Domain:
    if mark is None:
        return []
    moment = instant(earlier(mark, client.settings.overlap_minutes))
    changed: Domain = (
        ["last_modified_at", ">=", moment]
        if client.stamped
        else ["OR", ["write_date", ">=", moment], ["create_date", ">=", moment]]
    )
    return [["OR", changed, watch.always]] if watch.always else [changed]


def _marks(client: Tryton, things: Things) -> dict[str, str]:
    """The newest stamp of each watched model; a model without rows has none, and is read whole next time."""
    found: dict[str, str] = {}
    stamps = ("last_modified_at",) if client.stamped else ("write_date", "create_date")
    for watch in things.watches:
        if watch.optional and not client.can_read(watch.model):
            continue
        for stamp in stamps:
            domain = [*watch.domain, [stamp, "!=", None]]
            newest = client.rows(watch.model, domain, [stamp], limit=1, order=[(stamp, "DESC")])
            if newest:
                found[watch.model] = max(found.get(watch.model, ""), newest[0][stamp])
    return found
