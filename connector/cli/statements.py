"""`holdfast import statements FILE` and `holdfast statements CUSTOMER`: financial statements brought, shown, confirmed."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import CONFIG, Cli, near, say, t
from connector.cli.options import As
from connector.cli.output import Format, emit
from connector.cli.report import Customer, Form, Out
from connector.cli.statements_shown import (
    brought_table,
    filed_answer,
    filed_table,
    kept_answer,
    plain,
    proof_answers,
    proof_table,
)
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.statement_join import Given
    from connector.credit.statement_read import SheetRead
    from connector.store import Connection
    from connector.store.customers import CustomerRow

_UNITS = {"元": 1, "千元": 1_000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
_DAY = {"formats": ["%Y-%m-%d"]}
_BASES = ("cas", "small", "ifrs", "uk-gaap", "us-gaap", "annual_report", "bureau")
_OPINIONS = ("unqualified", "going_concern", "qualified", "adverse", "disclaimer")


def register(app: typer.Typer) -> None:
    bring = typer.Typer(
        help=t("Read files that people bring: financial statements.", "导入人工提供的文件：财务报表。"),
        no_args_is_help=True,
    )
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
        actor: As = None,
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
        with cli.store.reading() as tx:
            row = find(cli, tx, customer)
            labels = statement.labels_of(tx, row.system) | statement.named(answers)
        sheets = statement.read(opened, labels, consolidated)
        given = _asked(sheets, given)
        if watched() and not head.reason and (named := statement.other_company(row, sheets, given)):
            words = t("{what} Why it is this customer's all the same", "{what}仍属于该客户的理由")
            head = replace(head, same_company=_prompt(words.format(what=say(named)), ""))
        with cli.store.writing() as tx:
            if answers:
                statement.learn(tx, row.system, answers, author=who, now=now)
            kept = statement.keep(
                tx, row, opened, sheets, given, head,
                actor=who, now=now, today=day_in(now, cli.config.business.time_zone),
            )  # fmt: skip
        tables = [brought_table(one, row) for one in kept]
        tables[0].more.extend(tables[1:])
        emit(
            tables[0], {"customer": f"{row.system}/{row.ref}", "statements": [kept_answer(k) for k in kept]}, form, out
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
        because: Annotated[str, typer.Option("--because", "--why", help=t("Why.", "理由。"))] = "",
        actor: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from connector.credit.statements import newest
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
            emit(proof_table(one, proofs), {**filed_answer(one), "items": proof_answers(proofs)}, form, out)
            return
        systems = [s for s in said if s.number is None]
        table = filed_table(cli, row, filed, systems, today, newest(said, today))
        answer = {
            "customer": f"{row.system}/{row.ref}",
            "used": (used.number or "system") if (used := newest(said, today)) else None,
            "statements": [filed_answer(one) for one in filed]
            + [
                {
                    "number": None, "period_end_on": s.period_end_on.isoformat(), "months": s.months,
                    "currency": s.currency, "audited": s.audited, "state": "confirmed" if s.confirmed_on else "draft", "source": "system",
                    "findings": list(s.findings),
                    "items": {name: plain(now_) for name, (now_, _) in s.items.items()},
                }
                for s in systems
            ],
        }  # fmt: skip
        emit(table, answer, form, out)


def watched() -> bool:
    """Whether a person sits at both ends, who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked(sheets: Sequence[SheetRead], given: Given) -> Given:
    """Asks a person at a terminal for what no sheet says; an empty answer leaves it open."""
    from connector.credit.statement_join import join
    from connector.money import is_currency

    if not watched():
        return given
    missing = {f.code for one in join(sheets, given) for f in one.findings}
    if "period_missing" in missing:
        words = _prompt(t("The period's last day (YYYY-MM-DD)", "报表截止日（YYYY-MM-DD）"), "")
        with contextlib.suppress(ValueError):
            given = replace(given, period_end_on=dt.date.fromisoformat(words))
    if "unit_missing" in missing:
        words = _prompt(t("The unit of the amounts: 1, 1000, 10000, 1000000", "金额单位：元、千元、万元、百万元"), "")
        given = replace(given, unit=_unit(words or None))
    if "currency_missing" in missing:
        words = _prompt(t("The currency", "币种"), "CNY").upper()
        given = replace(given, currency=words if is_currency(words) else None)
    return given


def _prompt(question: str, default: str) -> str:
    return str(typer.prompt(question, default=default, show_default=bool(default), prompt_suffix=t(": ", "："))).strip()


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
