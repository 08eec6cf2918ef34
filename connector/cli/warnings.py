"""`holdfast warnings [CUSTOMER]`: who is warned of and why, since when, what keeps a level up; `holdfast warning
acknowledge CUSTOMER`: somebody has taken note."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import LEVELS, Customer, Form, Out
from connector.errors import ConfigError
from connector.text import Text, joined

if TYPE_CHECKING:
    from connector.policy import Level


class Least(StrEnum):
    """The levels that can be asked for."""

    yellow = "yellow"
    orange = "orange"
    red = "red"


ACTIONS = {
    "task": Text("task", "任务"),
    "review": Text("review", "复评"),
    "freeze_increases": Text("no higher limit", "不得提额"),
    "hold": Text("orders held", "冻结订单"),
    "stop_credit": Text("credit stopped", "停止授信"),
}


def register(app: typer.Typer) -> None:
    @app.command(
        "warnings",
        help=t("Who is warned of, why and since when; of one customer.", "预警清单：客户、原因及起始日；或单个客户。"),
    )
    def command(
        context: typer.Context,
        customer_id: Annotated[
            str | None,
            typer.Argument(
                metavar="[CUSTOMER]",
                help=t(
                    "Its id in the ERP, or part of its name; else all.", "ERP 中的编号，或名称的一部分；缺省为全部。"
                ),
            ),
        ] = None,
        level: Annotated[
            Least,
            typer.Option("--level", help=t("Only indicators of this level or above.", "仅显示不低于此等级的指标。")),
        ] = Least.yellow,
        history: Annotated[
            bool, typer.Option("--history", help=t("Those that have ended, too.", "包括已解除的预警。"))
        ] = False,
        awake: Annotated[
            bool,
            typer.Option(
                "--awake", help=t("Not those that rest: somebody has taken note.", "不含已确认并处于暂缓期的预警。")
            ),
        ] = False,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from jobs.warning_answer import plain

        cli: Cli = context.obj
        rows = _rows(cli, customer_id, level.value, history, not awake)
        emit(lambda: _table(rows), {"warnings": [plain(row) for row in rows]}, form, out)

    warning = typer.Typer(help=t("What is done about a warning.", "预警的处理。"), no_args_is_help=True)
    app.add_typer(warning, name="warning")

    @warning.command(
        "acknowledge",
        help=t(
            "Take note of a customer's warnings: they stand, and rest until a day or until they are raised.",
            "确认客户的预警：预警仍然有效，但暂缓提示，直至指定日期或等级上升。",
        ),
    )
    def acknowledge(
        context: typer.Context,
        customer_id: Customer,
        until: Annotated[
            str, typer.Option("--until", metavar="DAY", help=t("The day they are back.", "恢复提示之日。"))
        ],
        why: Annotated[str, typer.Option("--why", "--because", help=t("What is done about it.", "处理情况。"))],
        indicator: Annotated[
            list[str] | None,
            typer.Option(
                "--indicator",
                help=t(
                    "Which, as `warnings --format json` names it; else all.",
                    "指标名，见 `warnings --format json`；缺省为全部。",
                ),
            ),
        ] = None,
        actor: As = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.credit.warn_words import NAMES
        from jobs.warning_note import acknowledge as note

        cli: Cli = context.obj
        day, person = _day(until), cli.acting(actor)
        with cli.store.writing() as tx:
            row = find(cli, tx, customer_id)
            found = note(tx, cli.config, cli.clock, row, person, why, day, indicator)
        names = joined([NAMES[one.indicator] for one in found], ", ", "、")
        typer.echo(say(NOTED.fill(name=row.name or row.ref, until=day, names=names)))


NOTED = Text("Taken note of, until {until}: {name}: {names}", "已确认，暂缓至 {until}：{name}：{names}")
_NO_DAY = Text("“{word}” is no day: write 2026-12-31.", "“{word}”不是日期，请写成 2026-12-31。")


def _day(word: str) -> dt.date:
    try:
        return dt.date.fromisoformat(word)
    except ValueError:
        raise ConfigError(_NO_DAY.fill(word=word)) from None


def _rows(cli: Cli, wanted: str | None, least: Level, history: bool, rests: bool = True) -> list[dict[str, Any]]:
    """One row for each customer and indicator, the customers by level, the highest first."""
    from connector.cli.explain import find
    from jobs.warning_answer import ended, warnings

    with cli.store.reading() as tx:
        row = find(cli, tx, wanted) if wanted is not None else None
        rows = warnings(tx, cli.config, cli.policy, cli.clock, row, least, rests=rests)
        return rows + ended(tx, row, least) if history and row is not None else rows


def _noted(row: dict[str, Any]) -> Text | None:
    one = row["acknowledged"]
    if one is None:
        return None
    words = RESTS if row["rests"] else RESTED
    return words.fill(until=one["until"], who=one["by"].partition(":")[2], why=one["why"])


RESTS = Text("rests until {until} ({who}: {why})", "暂缓至 {until}（{who}：{why}）")
RESTED = Text("rested until {until} ({who}: {why})", "曾暂缓至 {until}（{who}：{why}）")


def _table(rows: list[dict[str, Any]]) -> Table:
    from connector.credit.warn_words import NAMES

    table = Table(
        Text("Warnings", "预警"),
        [
            Column("customer_id", Text("customer", "客户编号"), style="bold"),
            Column("name", Text("name", "客户")),
            Column("level", Text("level", "等级"), coloured=True),
            Column("indicator", Text("indicator", "指标")),
            Column("since", Text("since", "起始日")),
            Column("ended_on", Text("ended", "解除日"), spare=1),
            Column("text", Text("what is seen", "情况")),
            Column("why", Text("why it stands", "未降级原因")),
            Column("noted", Text("taken note of", "已确认"), spare=1),
            Column("actions", Text("what follows", "措施"), spare=2),
        ],
    )
    for row in rows:
        table.rows.append(
            {
                "customer_id": row["customer_id"],
                "name": row["name"],
                "level": LEVELS[row["level"]],
                "indicator": NAMES[row["indicator"]],
                "since": row["since"],
                "ended_on": row["ended_on"],
                "text": row["text"],
                "why": row["why"],
                "noted": _noted(row),
                "actions": t(", ", "、").join(say(ACTIONS[one]) for one in row["actions"]) or None,
            }
        )
    if not rows:
        table.notes.append(Text("Nobody is warned of.", "没有预警。"))
    return table
