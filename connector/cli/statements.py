"""`holdfast import statements FILE` and `holdfast statements CUSTOMER`: financial statements brought, shown, confirmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import CONFIG, Cli, near, say, t
from connector.cli.output import Column, Format, Table, clean, emit
from connector.cli.report import Customer, Form, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.statement_join import Brought
    from connector.credit.statement_sheet import Finding
    from connector.store import Connection
    from connector.store.customers import CustomerRow
    from connector.store.statement_entry import Filed
    from jobs.statement import Kept

_UNITS = {"元": 1, "千元": 1_000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
_MARKS = {"refuse": "✗", "warn": "!", "flag": "·", "info": "·"}
_DAY = {"formats": ["%Y-%m-%d"]}
_BASES = ("cas", "small", "ifrs", "uk-gaap", "us-gaap", "annual_report", "bureau")
_OPINIONS = ("unqualified", "going_concern", "qualified", "adverse", "disclaimer")
SCOPES = {True: Text("group", "合并"), False: Text("own", "单体"), None: Text("not said", "未注明")}
AUDITS = {True: Text("audited", "已审计"), False: Text("unaudited", "未审计"), None: Text("not said", "未注明")}

Actor = Annotated[str | None, typer.Option("--as", envvar="HOLDFAST_USER", help=t("Who you are.", "操作人。"))]


def register(app: typer.Typer) -> None:
    bring = typer.Typer(help=t("Files that people bring.", "导入人工提供的文件。"), no_args_is_help=True)
    app.add_typer(bring, name="import")

    @bring.command(
        "statements",
        help=t(
            "Reads a customer's financial statements from .xlsx, .xls or .csv and checks them. What does not balance, or "
            "does not say its unit, stays a draft and feeds no decision until confirmed with a reason.",
            "从 .xlsx、.xls 或 .csv 读取客户财务报表并校验。不平或单位不明的报表存为草稿，经说明理由确认后才用于信用判断。",
        ),
    )
    def statements(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(metavar="FILE", help=t("The file.", "报表文件。"))],
        customer: Annotated[
            str,
            typer.Option("--customer", help=t("Whose: its id, or part of its name.", "所属客户：编号或名称的一部分。")),
        ],
        period_end: Annotated[
            dt.datetime | None,
            typer.Option(
                "--period-end", **_DAY, help=t("The period's last day, if not printed.", "报表截止日（表上未注明时）。")
            ),
        ] = None,
        months: Annotated[
            int | None, typer.Option("--months", min=1, max=24, help=t("Its months.", "报表期间月数。"))
        ] = None,
        unit: Annotated[
            str | None,
            typer.Option(
                "--unit",
                help=t(
                    "1, 1000, 10000 or 1000000: what the printed amounts are in.",
                    "元、千元、万元、百万元，或 1、1000、10000、1000000。",
                ),
            ),
        ] = None,
        currency: Annotated[
            str | None, typer.Option("--currency", help=t("Its currency, such as CNY.", "币种，如 CNY。"))
        ] = None,
        consolidated: Annotated[
            bool | None,
            typer.Option(
                "--consolidated/--parent",
                help=t("The group's, or the company's own.", "合并报表，或母公司（单体）报表。"),
            ),
        ] = None,
        audited: Annotated[
            bool | None, typer.Option("--audited/--unaudited", help=t("Whether it is audited.", "是否经审计。"))
        ] = None,
        opinion: Annotated[
            str | None,
            typer.Option(
                "--opinion", help=t("The auditor's: {known}.", "审计意见：{known}。").format(known=", ".join(_OPINIONS))
            ),
        ] = None,
        basis: Annotated[
            str | None,
            typer.Option(
                "--basis",
                help=t("Accounting rules or source: {known}.", "编制基础或来源：{known}。").format(
                    known=", ".join(_BASES)
                ),
            ),
        ] = None,
        received: Annotated[
            dt.datetime | None,
            typer.Option("--received", **_DAY, help=t("When you got it; else today.", "收到日期；缺省为今天。")),
        ] = None,
        label: Annotated[
            list[str] | None,
            typer.Option(
                "--label",
                help=t(
                    "What a line is: LABEL=ITEM. Kept for this system.",
                    "指明某行对应的项目，如“应收货款=receivables”；今后该系统沿用。",
                ),
            ),
        ] = None,
        zeros: Annotated[
            bool,
            typer.Option(
                "--accept-zeros",
                help=t("Blank lines that a total proves are zero.", "合计可证明为零的空行，确认为零。"),
            ),
        ] = False,
        because: Annotated[
            str,
            typer.Option(
                "--yes-because",
                help=t("Confirm what the checks refuse, with this reason.", "校验未通过仍予确认，并说明理由。"),
            ),
        ] = "",
        actor: Actor = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from connector.credit.statement_join import Given
        from connector.money import is_currency
        from connector.statement_file import open_file
        from jobs import statement

        cli: Cli = context.obj
        if currency is not None and not is_currency(currency):
            raise ConfigError(
                Text("--currency: three capital letters, such as CNY.", "--currency：三个大写字母，如 CNY。")
            )
        _one_of("--opinion", opinion, _OPINIONS)
        _one_of("--basis", basis, _BASES)
        given = Given(
            period_end_on=period_end.date() if period_end else None, months=months, currency=currency,
            unit=_unit(unit), consolidated=consolidated, basis=basis, zeros=zeros,
        )  # fmt: skip
        head = statement.Head(
            audited=audited if audited is not None or opinion is None else True, opinion=opinion,
            received_on=received.date() if received else None, reason=because.strip(),
        )  # fmt: skip
        answers = [_answer(one) for one in label or ()]
        opened = open_file(file)
        now = cli.clock.now()
        who = person(actor)
        with cli.store.writing() as tx:
            row = find(cli, tx, customer)
            labels = (
                statement.learn(tx, row.system, answers, author=who, now=now)
                if answers
                else statement.labels_of(tx, row.system)
            )
            kept = statement.keep(
                tx, row, opened, statement.read(opened, labels, consolidated), given, head,
                actor=who, now=now, today=day_in(now, cli.config.business.time_zone),
            )  # fmt: skip
        tables = [_brought_table(one, row) for one in kept]
        tables[0].more.extend(tables[1:])
        emit(
            tables[0], {"customer": f"{row.system}/{row.ref}", "statements": [_kept_answer(k) for k in kept]}, form, out
        )
        if form is Format.table and out is None:
            for other in tables[1:]:
                emit(other, None, form, None)
        if not all(k.confirmed for k in kept):
            raise typer.Exit(CONFIG)

    @app.command(
        "statements",
        help=t(
            "A customer's financial statements on file with what the checks said; confirms or refuses one.",
            "客户存档的财务报表及校验结果；可确认或拒绝某份报表。",
        ),
    )
    def listing(
        context: typer.Context,
        customer_id: Customer,
        show: Annotated[
            int | None,
            typer.Option(
                "--show", help=t("The items of this one, each with its cell.", "显示该报表各项目及其单元格出处。")
            ),
        ] = None,
        confirm: Annotated[
            int | None, typer.Option("--confirm", help=t("This draft counts.", "确认该草稿报表。"))
        ] = None,
        refuse: Annotated[
            int | None, typer.Option("--refuse", help=t("This one counts no more.", "拒绝该报表，不再使用。"))
        ] = None,
        because: Annotated[str, typer.Option("--because", help=t("Why.", "理由。"))] = "",
        actor: Actor = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from connector.store import customers, statement_entry
        from connector.store import statements as on_file

        cli: Cli = context.obj
        now = cli.clock.now()
        today = day_in(now, cli.config.business.time_zone)
        if confirm is not None and refuse is not None:
            raise ConfigError(Text("--confirm or --refuse, not both.", "--confirm 与 --refuse 只能用一个。"))
        number = confirm if confirm is not None else refuse
        with cli.store.writing() if number is not None else cli.store.reading() as tx:
            row = find(cli, tx, customer_id)
            keys = [row.key] if row.debtor is None else [r.key for r in customers.customers(tx, debtors=[row.debtor])]
            if number is not None:
                _theirs(tx, keys, number, row)
                statement_entry.settle(
                    tx, number, confirm=confirm is not None, reason=because, actor=person(actor), now=now, today=today
                )
            filed = statement_entry.filed(tx, keys)
            said = on_file.known(tx, [row.debtor], today)[row.debtor] if row.debtor is not None else []
            proofs = []
            if show is not None:
                _theirs(tx, keys, show, row)
                proofs = statement_entry.proofs(tx, show)
        if show is not None:
            one = next(f for f in filed if f.one.number == show)
            emit(_proof_table(one, proofs), {**_filed_answer(one), "items": _proof_answers(proofs)}, form, out)
            return
        systems = [s for s in said if s.number is None]
        table = _filed_table(row, filed, systems, today)
        answer = {
            "customer": f"{row.system}/{row.ref}",
            "statements": [_filed_answer(one) for one in filed]
            + [
                {
                    "number": None, "period_end_on": s.period_end_on.isoformat(), "months": s.months,
                    "currency": s.currency, "audited": s.audited, "state": "confirmed" if s.confirmed_on else "draft", "source": "system",
                    "findings": list(s.findings),
                    "items": {name: _plain(now_) for name, (now_, _) in s.items.items()},
                }
                for s in systems
            ],
        }  # fmt: skip
        emit(table, answer, form, out)


def person(actor: str | None) -> str:
    """Who is at the command line, as the audit trail names people."""
    import getpass

    try:
        return f"person:{actor or getpass.getuser()}"
    except (OSError, KeyError):
        raise ConfigError(Text("Say who you are: --as NAME.", "请用 --as 姓名 指明操作人。")) from None


def _theirs(tx: Connection, keys: Sequence[int], number: int, row: CustomerRow) -> None:
    from connector.store import statement_entry

    if not any(f.one.customer in keys for f in statement_entry.filed(tx, numbers=[number])):
        raise ConfigError(
            Text("{customer} has no statement no. {number}.", "{customer} 没有编号为 {number} 的报表。").fill(
                customer=f"{row.system}/{row.ref}", number=number
            )
        )


def _one_of(option: str, word: str | None, known: Sequence[str]) -> None:
    if word is not None and word not in known:
        raise ConfigError(
            Text("{option} {word}: one of {known}.", "{option} {word}：可选 {known}。").fill(
                option=option, word=word, known=", ".join(known)
            )
        )


def _unit(word: str | None) -> int | None:
    if word is None:
        return None
    found = _UNITS.get(word) or (int(word) if word in {str(u) for u in _UNITS.values()} else None)
    if found is None:
        raise ConfigError(
            Text("--unit {word}: 1, 1000, 10000 or 1000000.", "--unit {word}：可选 元、千元、万元、百万元。").fill(
                word=word
            )
        )
    return found


def _answer(words: str) -> tuple[str, str]:
    from connector.credit.statement_labels import ITEMS

    label, _, item = words.rpartition("=")
    label, item = label.strip(), item.strip()
    if not label or item not in ITEMS:
        raise ConfigError(
            Text(
                "--label {words}: write LABEL=ITEM. Items near: {near}.",
                "--label {words}：请写成 标签=项目。相近的项目：{near}。",
            ).fill(words=words, near=near(item, list(ITEMS)))
        )
    return label, item


# --- what is shown ---
def _brought_table(kept: Kept, row: CustomerRow) -> Table:
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


def _filed_table(row: CustomerRow, filed: Sequence[Filed], systems: Sequence[Any], today: dt.date) -> Table:
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
                "by": one.refused_by or one.confirmed_by or one.entered_by, "source": one.file,
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
                "version": None, "state": say(STATES["confirmed" if said.confirmed_on else "draft"]), "by": row.system, "source": row.system,
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


def _proof_table(one: Filed, proofs: Sequence[Any]) -> Table:
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
def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _finding_answer(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": finding.level,
        "item": finding.item or None,
        "difference": _plain(finding.difference),
        "cells": list(finding.cells),
        "en": finding.text.en,
        "zh": finding.text.zh,
    }


def _kept_answer(kept: Kept) -> dict[str, Any]:
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
                "amount": _plain(one.items()[line.item][0]),
                "opening": _plain(one.items()[line.item][1]),
                "label": line.label,
                "cell": line.cell,
                "raw": line.raw,
            }
            for line in one.lines
        ],
        "unknown": [{"label": u.label, "raw": u.raw, "cell": u.cell} for u in one.unknown],
        "findings": [_finding_answer(f) for f in kept.findings],
    }


def _filed_answer(one: Filed) -> dict[str, Any]:
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


def _proof_answers(proofs: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "item": p.item, "amount": _plain(p.amount), "opening": _plain(p.opening), "label": p.label,
            "sheet": p.sheet, "cell": p.cell, "raw": p.raw, "opening_cell": p.opening_cell,
            "opening_raw": p.opening_raw,
        }
        for p in proofs
    ]  # fmt: skip
