"""Field mappings on pages: which is in use, its history, and the editor that checks and shows as one types.

A draft lives in the form until it is saved: what is sent to be checked, tried or filled in from a suggestion comes back as
the same page. Saving keeps a version; using it is a step of its own, or the same one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import simplejson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.adapter_fields import RemoteField, described
from connector.connect import Connected, connect
from connector.converters import CONVERTERS
from connector.errors import ConfigError, HoldfastError, Missing, Problem
from connector.mapping import WORDS
from connector.mapping_field import shapes
from connector.mapping_read import TITLES
from connector.mapping_write import WRITERS
from connector.store import documents
from connector.store import records as kept_records
from connector.text import Text
from connector.web import differing
from connector.web.administrator import Admin, acting
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, form_of
from jobs import mapping_edit, mapping_fields, mapping_trials, mappings
from jobs.overtaken import Overtaken

_LONGEST = 200_000
_TRIED = 5000  # records of each stream that a dry run looks at
_ASKED_SECONDS = 600.0
_FIELDS_MOST = 400
_EXAMPLES = 40  # records of a stream that can be looked at
_SAVED = Text("Version {number} is kept; nothing is in use by that.", "已保存为版本 {number}，尚未启用。")
_USED = Text(
    "Version {number} is in use from the next run on, which applies it to the kept records.",
    "版本 {number} 自下次运行起启用，并应用于已保存的记录。",
)
_FILE_USED = Text("The file is used again from the next run on.", "自下次运行起改用文件中的映射。")
_CHANGED_LINE = Text("The draft was changed: “{name}”. It is not saved yet.", "草稿已修改：“{name}”，尚未保存。")
_CANNOT_ASK = Text("This product cannot be asked for its fields.", "无法向该产品查询字段。")


@dataclass
class Draft:
    """What stands in the editor's form."""

    text: str
    seen: int
    stream: str = ""
    record: str = ""
    find: str = ""
    note: str = ""
    pair: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """What a product said of its fields, and when (of the machine's steady clock)."""

    at: float
    fields: Mapping[str, Sequence[RemoteField]]


def router(front: Front) -> APIRouter:
    """The pages of field mappings."""
    routes = APIRouter(include_in_schema=False)
    told: dict[str, Asked] = {}

    @routes.get("/admin/mappings")
    async def listing(request: Request, visitor: Admin) -> Response:
        def read() -> list[mappings.Listed]:
            with front.store.reading() as tx:
                return mappings.listing(tx, front.config)

        return await pages_of(request).show(request, "admin/mappings.html", visitor, listed=await front.work(read))

    @routes.get("/admin/mappings/{system}")
    async def editor(request: Request, visitor: Admin, system: str, version: str = "") -> Response:
        def read() -> Draft:
            _known(front, system)
            with front.store.reading() as tx:
                kept = documents.versions(tx, documents.MAPPING, system)
                text = mappings.text_of(tx, front.config, system, int(version) if is_number(version) else None)
            place = request.query_params
            return Draft(text, kept[0].number if kept else 0, place.get("stream", ""), place.get("record", ""))

        return await _edited(request, visitor, system, await front.work(read))

    async def _edited(
        request: Request,
        visitor: Visitor,
        system: str,
        draft: Draft,
        *,
        wrong: Text | None = None,
        done: Text | None = None,
        ask: bool = False,
        status: int = 200,
        against: str | None = None,
    ) -> Response:
        values = await front.work(lambda: _shown(front, system, draft, told, ask, against))
        not_told = values.pop("wrong")
        return await pages_of(request).show(
            request,
            "admin/mapping.html",
            visitor,
            status=status,
            system=system,
            draft=draft,
            wrong=wrong or not_told,
            done=done,
            **values,
        )

    @routes.post("/admin/mappings/{system}/check")
    async def check(request: Request, visitor: Admin, system: str) -> Response:
        _known(front, system)
        return await _edited(request, visitor, system, await _draft(request))

    @routes.post("/admin/mappings/{system}/edit")
    async def edit(request: Request, visitor: Admin, system: str) -> Response:
        """What the editor's buttons do to a draft; nothing is kept."""
        _known(front, system)
        draft, act = await _draft(request), (await form_of(request)).get("act", "")
        if act == "ask":
            return await _edited(request, visitor, system, draft, ask=True)
        pair = _pair(act, draft.pair)
        if pair is None:
            return await _edited(request, visitor, system, draft)
        try:
            draft.text = mapping_edit.with_pair(draft.text, pair)
        except (ConfigError, ValueError) as wrong:
            said = wrong.user if isinstance(wrong, ConfigError) else _NOT_TOML
            return await _edited(request, visitor, system, draft, wrong=said, status=422)
        return await _edited(request, visitor, system, draft, done=_CHANGED_LINE.fill(name=pair.name))

    @routes.post("/admin/mappings/{system}/try")
    async def dry_run(request: Request, visitor: Admin, system: str) -> Response:
        _known(front, system)
        draft = await _draft(request)

        def run() -> dict[str, Any] | None:
            mapping = mappings.checked(front.config, system, draft.text)[0]
            if mapping is None:
                return None
            connected = _connected(front, system)
            trials, notes = mapping_trials.tried_on_kept(front.store, connected, mapping, _TRIED)
            return {"trials": trials, "notes": notes, "changes": differing.lines(connected.chosen.text, draft.text)}

        found = await front.work(run)
        if found is None:
            return await _edited(request, visitor, system, draft, status=422)
        return await pages_of(request).show(
            request, "admin/mapping_trial.html", visitor, system=system, draft=draft, most=_TRIED, kinds=TITLES, **found
        )

    @routes.post("/admin/mappings/{system}/save")
    async def save(request: Request, visitor: Admin, system: str) -> Response:
        _known(front, system)
        draft, use = await _draft(request), (await form_of(request)).get("act") == "use"

        def keep() -> int:
            who, now = acting(visitor), front.clock.now()
            with front.store.writing() as tx:
                made = mappings.save(
                    tx, front.config, system, draft.text, person=who, now=now, note=draft.note, seen=draft.seen
                )
                if use:
                    mappings.activate(tx, front.config, system, made.number, person=who, now=now, note=draft.note)
            return made.number

        try:
            number = await front.work(keep)
        except Overtaken as other:
            draft.seen = other.newest.number
            text = other.newest.text
            return await _edited(request, visitor, system, draft, wrong=other.user, status=409, against=text)
        except ConfigError as wrong:
            if isinstance(wrong, Missing) or not await front.work(lambda: _wrong(front, system, draft.text)):
                raise
            return await _edited(request, visitor, system, draft, status=422)
        front.wake.set()
        say = (_USED if use else _SAVED).fill(number=number)
        return pages_of(request).moved(request, f"/admin/mappings/{system}/history", say, visitor=visitor)

    @routes.get("/admin/mappings/{system}/history")
    async def history(request: Request, visitor: Admin, system: str, old: str = "", new: str = "") -> Response:
        def read() -> dict[str, Any]:
            _known(front, system)
            with front.store.reading() as tx:
                listed = mappings.one(tx, front.config, system)
                versions, journal = mappings.history(tx, system)
                known = {v.number: v for v in versions}
                second = known.get(int(new)) if is_number(new) else (versions[0] if versions else None)
                first = known.get(int(old)) if is_number(old) else None
                if second is not None and first is None:
                    first = known.get(second.number - 1)
                before = first.text if first else mappings.text_of(tx, front.config, system)
            return {
                "listed": listed,
                "versions": versions,
                "journal": journal,
                "first": first,
                "second": second,
                "changes": differing.lines(before, second.text) if second else [],
            }

        found = await front.work(read)
        return await pages_of(request).show(request, "admin/mapping_history.html", visitor, system=system, **found)

    @routes.post("/admin/mappings/{system}/activate")
    async def activate(request: Request, visitor: Admin, system: str) -> Response:
        _known(front, system)
        given = await form_of(request)
        wanted = given.get("version", "")
        if not (wanted == "file" or is_number(wanted)):
            raise Missing(Text("There is no such version.", "没有该版本。"))
        number = None if wanted == "file" else int(wanted)

        def put() -> None:
            with front.store.writing() as tx:
                mappings.activate(
                    tx, front.config, system, number, person=acting(visitor), now=front.clock.now(),
                    note=given.get("note", "")[:500],
                )  # fmt: skip

        await front.work(put)
        front.wake.set()
        say = _FILE_USED if number is None else _USED.fill(number=number)
        return pages_of(request).moved(request, f"/admin/mappings/{system}/history", say, visitor=visitor)

    @routes.get("/admin/mappings/{system}/export")
    async def export(request: Request, visitor: Admin, system: str, version: str = "") -> Response:
        def read() -> str:
            _known(front, system)
            with front.store.reading() as tx:
                return mappings.text_of(tx, front.config, system, int(version) if is_number(version) else None)

        text = await front.work(read)
        name = f"{system}-{int(version)}.toml" if is_number(version) else f"{system}.toml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(text.encode(), 200, headers, "application/toml; charset=utf-8")

    return routes


_NOT_TOML = Text("The text is not valid TOML; mend that first.", "文本不是合法的 TOML，请先修正。")


def _known(front: Front, system: str) -> None:
    """Missing where there is no such system."""
    try:
        front.config.system(system)
    except ConfigError as wrong:
        raise Missing(wrong.user) from None


def _connected(front: Front, system: str) -> Connected:
    return connect(front.config, system, front.clock, front.store)


async def _draft(request: Request) -> Draft:
    given = await form_of(request)
    text = given.get("text", "").replace("\r\n", "\n")
    if len(text) > _LONGEST:
        raise ConfigError(Text("The text is too long.", "文本过长。"))
    seen = given.get("seen", "")
    pair = {key.removeprefix("pair_"): value for key, value in given.items() if key.startswith("pair_")}
    return Draft(
        text,
        int(seen) if is_number(seen) else 0,
        given.get("stream", "")[:100],
        given.get("record", "")[:300],
        given.get("find", "")[:100].strip(),
        given.get("note", "")[:500].strip(),
        pair,
    )


def _pair(act: str, given: Mapping[str, str]) -> mapping_edit.Pair | None:
    """What a button asks for: the small form's line, or a suggestion `use:read.customer.tax_id=Tax_ID`."""
    if act.startswith("use:"):
        place, sign, origin = act.removeprefix("use:").partition("=")
        half, table, name = (*place.split("."), "", "", "")[:3]
        return mapping_edit.Pair("read", table, name, origin) if half == "read" and name and sign else None
    half, _, table = given.get("table", "").partition(".")
    name = given.get("name", "").strip()
    if act not in ("pair", "drop") or half not in ("read", "write") or not name:
        return None
    origin = "" if act == "drop" else given.get("origin", "").strip()
    side: mapping_edit.Half = "read" if half == "read" else "write"
    return mapping_edit.Pair(side, table, name, origin, given.get("convert", ""), given.get("default", "").strip())


def _wrong(front: Front, system: str, text: str) -> list[Problem]:
    return mappings.checked(front.config, system, text)[1]


def _shown(
    front: Front, system: str, draft: Draft, told: dict[str, Asked], ask: bool, against: str | None
) -> dict[str, Any]:
    """All that the editor shows of a draft."""
    connected = _connected(front, system)
    mapping, problems = mappings.checked(front.config, system, draft.text)
    old = mapping_trials.in_use(connected)
    shown = mapping or old
    streams = list(shown.streams()) if shown else []
    if draft.stream not in streams:
        draft.stream = next(iter(streams), "")
    wrong = _ask(connected, told) if ask else None
    kept = told.get(system)
    if kept is not None and time.monotonic() - kept.at > _ASKED_SECONDS:
        kept = None
    with front.store.reading() as tx:
        records = kept_records.some(tx, system, draft.stream, _EXAMPLES) if draft.stream else []
        keys = [one.key for one in records]
        if draft.record and draft.record not in keys and kept_records.one(tx, system, draft.stream, draft.record):
            keys.insert(0, draft.record)
        elif draft.record not in keys:
            draft.record = next(iter(keys), "")
        looked = (
            mapping_trials.one_record(tx, connected, old, mapping, draft.stream, draft.record) if draft.record else None
        )
    named = kept.fields if kept else {}
    fields = {
        stream: mapping_fields.found(shown, stream, named.get(stream, ()), records if stream == draft.stream else ())
        for stream in streams
    }
    tables = _tables(shown)
    open_ones = mapping_fields.unmapped(mapping, fields) if mapping else []
    here = [one for one in fields.get(draft.stream, []) if _has(one, draft.find)]
    return {
        "wrong": wrong,
        "chosen": connected.chosen,
        "title": connected.adapter.title,
        "problems": [(_line_of(p), p) for p in problems],
        "streams": [(one, one) for one in streams],
        "keys": [(one, one) for one in keys],
        "lines": looked[1] if looked else [],
        "body": simplejson.dumps(looked[0], ensure_ascii=False, indent=2, use_decimal=True, default=str) if looked else "",
        "changes": differing.lines(connected.chosen.text if against is None else against, draft.text),
        "against": against is not None,
        "fields": here[:_FIELDS_MOST],
        "paths": sorted({one.field.path for one in fields.get(draft.stream, [])})[:_FIELDS_MOST],
        "open": open_ones,
        "can_ask": described(connected.system.adapter) is not None,
        "asked": kept is not None,
        "pairs": mapping_edit.pairs(draft.text),
        "tables": [(name, name) for name, _ in tables],
        "names": sorted({name for _, names in tables for name in names}),
        "converters": CONVERTERS,
        "writers": WRITERS,
        "counts": (len(mapping.streams()), sum(len(t.fields) for ts in mapping.reads.values() for t in ts)) if mapping else None,
    }  # fmt: skip


def _tables(mapping: Any) -> list[tuple[str, list[str]]]:
    """The tables that a line may be put into, each with the names that it knows."""
    if mapping is None:
        return []
    reads = [(f"read.{t.name}", list(shapes(t.fact))) for several in mapping.reads.values() for t in several]
    return [*reads, *((f"write.{kind}", list(WORDS[kind])) for kind in mapping.writes)]


def _ask(connected: Connected, told: dict[str, Asked]) -> Text | None:
    """Asks the system for its fields; what went wrong, if anything."""
    try:
        fields = mapping_fields.asked(connected)
    except HoldfastError as wrong:
        return wrong.user
    if not fields:
        return _CANNOT_ASK
    told[connected.name] = Asked(time.monotonic(), fields)
    return None


def _has(one: mapping_fields.Found, words: str) -> bool:
    whole = f"{one.field.path} {one.field.label} {one.field.type} {' '.join(one.read_as)}".casefold()
    return all(word in whole for word in words.casefold().split())


def _line_of(problem: Problem) -> int | None:
    _, _, line = problem.where.rpartition(":")
    return int(line) if line.isdecimal() else None
