"""`holdfast report portfolio`: the whole ledger at a glance and month by month, as tables, a page and pictures."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, say, t
from connector.cli.output import Format, Table, emit
from connector.cli.report import AsOf, Form, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from jobs.portfolio import Checked, Portfolio
    from jobs.progress import Progress

PARTS = ("trend", "figures", "ageing", "rolls", "concentration", "risks", "utilisation", "warnings", "control")


def register_under(report: typer.Typer) -> None:
    """Adds the command to the group of reports."""

    @report.command(
        "portfolio",
        help=t(
            "The whole ledger over its month ends: ageing, DSO, concentration, roll rates, risks.",
            "应收账款组合报告：各月末账龄、DSO、集中度、迁徙率、重点风险客户。",
        ),
    )
    def portfolio(
        context: typer.Context,
        as_of: AsOf = None,
        months: Annotated[
            int, typer.Option("--months", min=1, max=120, help=t("So many month ends.", "月末个数。"))
        ] = 24,
        window: Annotated[
            int,
            typer.Option(
                "--sales-months",
                min=1,
                max=12,
                help=t("Months of sales behind DSO and CEI.", "计算 DSO 与 CEI 所用的销售月数。"),
            ),
        ] = 3,
        top: Annotated[
            int, typer.Option("--top", min=1, max=1000, help=t("So many customers in lists.", "列出的客户数。"))
        ] = 10,
        part: Annotated[
            str | None,
            typer.Option("--part", help=t(f"Only one part: {', '.join(PARTS)}.", f"仅一个部分：{'、'.join(PARTS)}。")),
        ] = None,
        pictures: Annotated[
            Path | None,
            typer.Option(
                "--pictures",
                metavar="DIR",
                help=t("Write pictures and a page with them into a folder.", "把图表及含图表的网页写入该文件夹。"),
            ),
        ] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.clock import day_in
        from jobs.portfolio import portfolio as read

        cli: Cli = context.obj
        if part is not None and part not in PARTS:
            raise ConfigError(
                Text("--part {part}: one of {known}.", "--part {part}：可选 {known}。").fill(
                    part=part, known=", ".join(PARTS)
                )
            )
        today = day_in(cli.clock.now(), cli.config.business.time_zone)
        day = as_of.date() if as_of else today
        with bars() as watch, cli.store.reading() as tx:
            found = read(
                tx, cli.config, cli.policy, cli.clock, day, months=months, window=window, top=top, progress=said(watch)
            )
        parts = tables(found)
        if pictures is not None:
            from connector.cli.portfolio_page import write

            write(found, list(parts.values()), pictures)
        if part is not None:
            emit(parts[part], {part: as_json(found)[part]}, form, out)
        elif pictures is None or out is not None or form is not Format.table:
            emit(lambda: _whole(parts), as_json(found), form, out)


def said(watch: Progress) -> Progress:
    """Tells of customers read, a hundred at a time, in the language of this call."""
    words = t("customers", "客户")

    def told(what: str, done: int, of: int | None = None) -> None:
        if done % 100 == 0:
            watch(words, done, of)

    return told


def _whole(parts: dict[str, Table]) -> Table:
    """All parts as one: the trend first, which is what a program wants of it (`--format csv`)."""
    first, *rest = parts.values()
    first.more = rest
    return first


def tables(found: Portfolio) -> dict[str, Table]:
    """Every part of the report as a table, by its name."""
    from connector.cli import portfolio_customers as named
    from connector.cli import portfolio_figures as told

    made = {
        "trend": told.trend(found),
        "figures": told.figures(found),
        "ageing": told.ageing(found),
        "rolls": told.rolls(found),
        "concentration": named.concentration(found),
        "risks": named.risks(found),
        "utilisation": named.utilisation(found),
        "warnings": named.warnings(found),
        "control": told.control(found),
    }
    if found.left_out:
        made["trend"].notes.append(
            Text(
                "Amounts in {currencies} have no exchange rate; the figures lack them.",
                "{currencies} 金额缺少汇率，未计入上述数字。",
            ).fill(currencies=", ".join(sorted(found.left_out)))
        )
    return made


# --- JSON -------------------------------------------------------------------------------------------------------------
def as_json(found: Portfolio) -> dict[str, Any]:
    """The whole report for programs: decimals are text, words are in the language of this call."""
    from connector.cli.portfolio_figures import money

    head: dict[str, Any] = {
        "as_of": found.as_of.isoformat(),
        "currency": found.currency,
        "sales_months": found.window,
        "buckets": list(found.buckets),
        "without_rate": sorted(found.left_out),
        "ties": found.ties,
    }
    for name, table in tables(found).items():
        head[name] = [_plain(table, row) for row in table.rows]
    for row, end in zip(head["trend"], found.ends, strict=True):
        row["ageing"] = {name: plain(money(found, b)) for name, b in zip(found.buckets, end.buckets, strict=True)}
    head["control_by_month"] = [
        {"day": end.day.isoformat(), **_tied(check)}
        for end, day in zip(found.ends, found.checks, strict=True)
        for check in day
    ]
    return head


def _tied(check: Checked) -> dict[str, Any]:
    from connector.money import from_minor

    amounts = {"ledger": check.ledger.balance, "customers": check.customers, "difference": check.difference}
    return {
        "currency": check.currency,
        **{name: plain(from_minor(minor, check.currency)) for name, minor in amounts.items()},
    }


def plain(value: Any) -> Any:
    """A value for JSON: decimals as text, so that no reader makes a float of them."""
    if isinstance(value, Text):
        return say(value)
    return format(value, "f") if isinstance(value, Decimal) else value


def _plain(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    keys = dict.fromkeys(["key", *(column.key for column in table.columns)])
    return {key: plain(row[key]) for key in keys if key in row}
