"""Versions of an admin's document, mapping or policy, as tables: what was kept, and who put which in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connector.cli.output import Column, Table
from connector.text import Text, same

if TYPE_CHECKING:
    from connector.store.documents import Activation, Version

_HISTORY = [
    Column("version", Text("version", "版本"), right=True, style="bold"),
    Column("used", Text("in use", "使用中")),
    Column("made_at", Text("kept at", "保存时间")),
    Column("author", Text("by", "作者")),
    Column("note", Text("note", "备注")),
    Column("sha", Text("fingerprint", "指纹"), spare=1),
]
_JOURNAL = [
    Column("made_at", Text("at", "时间")),
    Column("version", Text("put in use", "启用版本"), style="bold"),
    Column("author", Text("by", "操作人")),
    Column("note", Text("note", "备注")),
]
_FILE = Text("the file", "文件")


def versions_table(
    title: Text, origin: Text, used: int | None, kept: Sequence[Version], journal: Sequence[Activation], zone: str
) -> Table:
    """All versions and the one in use, with the journal beneath; moments in the business's time zone."""
    rows: list[dict[str, Any]] = [
        {
            "version": v.number,
            "used": v.number == used,
            "made_at": _at(v.made_at, zone),
            "author": v.author,
            "note": v.note,
            "sha": v.sha[:12],
        }
        for v in kept
    ]
    entries: list[dict[str, Any]] = [
        {
            "made_at": _at(a.made_at, zone),
            "version": _FILE if a.number is None else same(str(a.number)),
            "author": a.author,
            "note": a.note,
        }
        for a in journal
    ]
    return Table(
        title,
        _HISTORY,
        rows,
        notes=[Text("In use: {origin}", "使用中：{origin}").fill(origin=origin)],
        more=[Table(Text("Put in use", "启用记录"), _JOURNAL, entries)] if journal else [],
    )


def versions_answer(kept: Sequence[Version], journal: Sequence[Activation]) -> dict[str, Any]:
    """The same for programs; moments in UTC."""
    return {
        "versions": [
            {
                "version": v.number,
                "sha": v.sha,
                "author": v.author,
                "note": v.note,
                "made_at": v.made_at.isoformat(),
            }
            for v in kept
        ],
        "activations": [
            {"version": a.number, "author": a.author, "note": a.note, "made_at": a.made_at.isoformat()} for a in journal
        ],
    }


def _at(moment: dt.datetime, zone: str) -> str:
    from zoneinfo import ZoneInfo

    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
