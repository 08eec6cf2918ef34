"""`holdfast warnings [CUSTOMER]`: who is warned of and why, since when, and what keeps a level up."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import LEVELS, Form, Out
from connector.text import Text

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
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from jobs.warning_answer import plain

        cli: Cli = context.obj
        rows = _rows(cli, customer_id, level.value, history)
        emit(lambda: _table(rows), {"warnings": [plain(row) for row in rows]}, form, out)


def _rows(cli: Cli, wanted: str | None, least: Level, history: bool) -> list[dict[str, Any]]:
    """One row for each customer and indicator, the customers by level, the highest first."""
    from connector.cli.explain import find
    from jobs.warning_answer import ended, warnings

    with cli.store.reading() as tx:
        row = find(cli, tx, wanted) if wanted is not None else None
        rows = warnings(tx, cli.config, cli.policy, cli.clock, row, least)
        return rows + ended(tx, row, least) if history and row is not None else rows


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
                "actions": t(", ", "、").join(say(ACTIONS[one]) for one in row["actions"]) or None,
            }
        )
    if not rows:
        table.notes.append(Text("Nobody is warned of.", "没有预警。"))
    return table
