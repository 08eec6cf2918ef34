"""How financial statements are shown: as they were just read, as they are on file, and with the cell of every item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.cli.common import Cli, say
from connector.cli.output import Column, Table, clean
from connector.cli.words import who
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.statement_join import Brought
    from connector.credit.statement_sheet import Finding
    from connector.credit.statements import OnFile
    from connector.store.customers import CustomerRow
    from connector.store.statement_entry import Filed
    from jobs.statement import Kept

_MARKS = {"refuse": "✗", "warn": "!", "flag": "·", "info": "·"}
SCOPES = {True: Text("group", "合并"), False: Text("own", "单体"), None: Text("not said", "未注明")}
AUDITS = {True: Text("audited", "已审计"), False: Text("unaudited", "未审计"), None: Text("not said", "未注明")}


def brought_table(kept: Kept, row: CustomerRow) -> Table:
    one = kept.brought
    table = _items_table(
        Text("{name}, {day}", "{name}，{day}").fill(name=clean(row.name), day=one.period_end_on or "-")
    )
    amounts = one.items()
    for line in one.lines:
        now, past = amounts[line.item]
        table.rows.append(_item_row(line.item, now, past, line.label, line.cell))
    table.lead.append((say(_head(one, kept)), "bold"))
    table.notes.extend(_notes(kept.findings))
    table.notes.extend(
        Text(
            '? {cell} “{label}” {raw}: which item is this? Say it with --label "{label}=ITEM".',
            '? {cell}“{label}”{raw}：对应哪个项目？请用 --label "{label}=项目" 说明。',
        ).fill(cell=u.cell, label=clean(u.label), raw=clean(u.raw))
        for u in one.unknown
    )
    return table


def _head(one: Brought, kept: Kept) -> Text:
    if kept.same is not None:
        state = Text("on file already as no. {number}", "已存档，编号 {number}").fill(number=kept.same)
    elif kept.confirmed:
        state = Text("kept as no. {number}, confirmed", "已存档，编号 {number}，已确认").fill(number=kept.number)
    else:
        state = Text(
            "kept as no. {number}, a draft: it feeds no decision until it is confirmed with a reason",
            "已存为草稿，编号 {number}；说明理由确认后才用于信用判断",
        ).fill(number=kept.number)
    return Text(
        "{day}, {months} months, {currency}, unit {unit}, {scope}: {state}.",
        "{day}，{months} 个月，{currency}，单位 {unit}，{scope}：{state}。",
    ).fill(
        day=one.period_end_on, months=one.months, currency=one.currency or "?",
        unit=f"{one.unit:,}" if one.unit else "?", scope=SCOPES[one.consolidated], state=state,
    )  # fmt: skip


def _notes(findings: Sequence[Finding]) -> Iterator[Text]:
    order = ("refuse", "warn", "flag", "info")
    for finding in sorted(findings, key=lambda f: order.index(f.level)):
        cells = f" [{', '.join(finding.cells)}]" if finding.cells else ""
        yield Text("{mark} {text}{cells}", "{mark} {text}{cells}").fill(
            mark=_MARKS[finding.level], text=finding.text, cells=cells
        )


def _items_table(title: Text) -> Table:
    return Table(
        title,
        [
            Column("name", Text("item", "项目"), style="bold"),
            Column("amount", Text("amount", "期末／本期"), right=True),
            Column("opening", Text("column beside", "年初／上期"), right=True),
            Column("label", Text("label", "表上名称"), spare=1),
            Column("cell", Text("cell", "单元格")),
        ],
    )


def _item_row(item: str, now: Decimal | None, past: Decimal | None, label: str, cell: str) -> dict[str, Any]:
    from connector.credit.statement_labels import NAMES

    return {
        "name": NAMES.get(item, Text(item, item)),
        "amount": now,
        "opening": past,
        "label": label.strip(),
        "cell": cell,
    }


def filed_table(
    cli: Cli, row: CustomerRow, filed: Sequence[Filed], systems: Sequence[OnFile], today: dt.date, used: OnFile | None
) -> Table:
    """What is on file; `used` is the one that decisions of today read."""
    from connector.credit.statement_checks import arithmetic, head
    from connector.store.statement_entry import STATES

    table = Table(
        Text("Statements of {name}", "{name} 的财务报表").fill(name=clean(row.name)),
        [
            Column("number", Text("no.", "编号"), right=True, style="bold"),
            Column("period_end_on", Text("period end", "截止日")),
            Column("months", Text("months", "月数"), right=True),
            Column("currency", Text("currency", "币种")),
            Column("scope", Text("scope", "口径")),
            Column("audited", Text("audit", "审计")),
            Column("version", Text("version", "版本"), right=True),
            Column("state", Text("state", "状态")),
            Column("used", Text("used today", "当前采用")),
            Column("by", Text("by", "经办")),
            Column("source", Text("from", "来源"), spare=1),
        ],
    )
    for one in filed:
        state = say(STATES[one.status])
        table.rows.append(
            {
                "number": one.one.number, "period_end_on": one.one.period_end_on.isoformat(), "months": one.one.months,
                "currency": one.currency, "scope": SCOPES[one.one.consolidated], "audited": AUDITS[one.one.audited],
                "version": one.one.version, "state": state,
                "used": used is not None and used.number == one.one.number,
                "by": who(cli, one.refused_by or one.confirmed_by or one.entered_by), "source": one.file,
            }
        )  # fmt: skip
        old = head(
            period_end_on=one.one.period_end_on, months=one.one.months, audited=one.one.audited,
            opinion=one.one.opinion, currency=one.currency, limit_currency=None, as_of=today,
        )  # fmt: skip
        for note in _notes([*one.findings, *old]):
            table.notes.append(
                Text("no. {number} {note}", "编号 {number} {note}").fill(number=one.one.number, note=note)
            )
        if one.reason:
            table.notes.append(
                Text("no. {number} because: {why}", "编号 {number} 理由：{why}").fill(
                    number=one.one.number, why=clean(one.reason)
                )
            )
    for said in systems:
        table.rows.append(
            {
                "number": None, "period_end_on": said.period_end_on.isoformat(), "months": said.months,
                "currency": said.currency, "scope": SCOPES[said.consolidated], "audited": AUDITS[said.audited],
                "used": said is used, "version": None, "state": say(STATES["confirmed" if said.confirmed_on else "draft"]), "by": row.system, "source": row.system,
            }
        )  # fmt: skip
        closing = {name: now for name, (now, _) in said.items.items() if now is not None}
        table.notes.extend(
            Text("{system} {day} {note}", "{system} {day} {note}").fill(
                system=row.system, day=said.period_end_on, note=note
            )
            for note in _notes(arithmetic(closing))
        )
    if not table.rows:
        table.notes.append(
            Text(
                "There is none on file. Bring one: holdfast import statements FILE --customer {ref}",
                "没有存档的报表。导入：holdfast import statements 文件 --customer {ref}",
            ).fill(ref=row.ref)
        )
    return table


def proof_table(one: Filed, proofs: Sequence[Any]) -> Table:
    table = _items_table(
        Text("Statement no. {number}, {file}", "报表 {number}，{file}").fill(
            number=one.one.number, file=clean(one.file)
        )
    )
    table.rows.extend(_item_row(p.item, p.amount, p.opening, p.label, p.cell) for p in proofs)
    table.notes.extend(_notes(one.findings))
    table.notes.append(Text("SHA-256 of the file: {sha}", "文件 SHA-256：{sha}").fill(sha=one.one.sha))
    return table


# --- what programs get ---
def plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _finding_answer(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": finding.level,
        "item": finding.item or None,
        "difference": plain(finding.difference),
        "cells": list(finding.cells),
        "en": finding.text.en,
        "zh": finding.text.zh,
    }


def kept_answer(kept: Kept) -> dict[str, Any]:
    one = kept.brought
    return {
        "number": kept.number if kept.number is not None else kept.same,
        "new": kept.number is not None,
        "state": "confirmed" if kept.confirmed else "draft",
        "period_end_on": one.period_end_on.isoformat() if one.period_end_on else None,
        "months": one.months,
        "currency": one.currency,
        "unit": one.unit,
        "basis": one.basis,
        "consolidated": one.consolidated,
        "items": [
            {
                "item": line.item,
                "amount": plain(one.items()[line.item][0]),
                "opening": plain(one.items()[line.item][1]),
                "label": line.label,
                "cell": line.cell,
                "raw": line.raw,
            }
            for line in one.lines
        ],
        "unknown": [{"label": u.label, "raw": u.raw, "cell": u.cell} for u in one.unknown],
        "findings": [_finding_answer(f) for f in kept.findings],
    }


def filed_answer(one: Filed) -> dict[str, Any]:
    return {
        "number": one.one.number,
        "period_end_on": one.one.period_end_on.isoformat(),
        "months": one.one.months,
        "currency": one.currency,
        "unit": one.unit,
        "basis": one.one.basis,
        "consolidated": one.one.consolidated,
        "audited": one.one.audited,
        "opinion": one.one.opinion,
        "version": one.one.version,
        "state": one.status,
        "source": "file",
        "file": one.file,
        "sha256": one.one.sha,
        "received_on": one.received_on.isoformat() if one.received_on else None,
        "entered_by": one.entered_by,
        "confirmed_by": one.confirmed_by,
        "confirmed_on": one.one.confirmed_on.isoformat() if one.one.confirmed_on else None,
        "refused_by": one.refused_by,
        "refused_on": one.one.refused_on.isoformat() if one.one.refused_on else None,
        "reason": one.reason,
        "findings": [_finding_answer(f) for f in one.findings],
    }


def proof_answers(proofs: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "item": p.item, "amount": plain(p.amount), "opening": plain(p.opening), "label": p.label,
            "sheet": p.sheet, "cell": p.cell, "raw": p.raw, "opening_cell": p.opening_cell,
            "opening_raw": p.opening_raw,
        }
        for p in proofs
    ]  # fmt: skip
