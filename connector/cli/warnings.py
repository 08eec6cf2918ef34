"""`holdfast warnings [CUSTOMER]`: who is warned of and why, since when, and what keeps a level up."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import LEVELS, Form, Out, natural
from connector.text import Text

if TYPE_CHECKING:
    from jobs.judge import Judged


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
        cli: Cli = context.obj
        rows = list(_rows(cli, customer_id, level.value, history))
        emit(lambda: _table(rows), {"warnings": [_plain(row) for row in rows]}, form, out)


def _rows(cli: Cli, wanted: str | None, least: str, history: bool) -> Iterator[dict[str, Any]]:
    """One row for each customer and indicator, the customers by level, the highest first."""
    from connector.cli.explain import find
    from connector.clock import day_in
    from connector.store import alerts
    from jobs.frame import frame
    from jobs.judge import judge
    from jobs.warned import thorough

    day = day_in(cli.clock.now(), cli.config.business.time_zone)
    ended: list[dict[str, Any]] = []
    with cli.store.reading() as tx:
        row = find(cli, tx, wanted) if wanted is not None else None
        debtors = None if row is None else [row.debtor] if row.debtor is not None else []
        # Whoever was warned of after the last run is looked at anew.
        chosen = sorted(alerts.open_debtors(tx)) if debtors is None else debtors
        base = frame(tx, cli.config, cli.policy, cli.clock, day, debtors=chosen)
        thorough(tx, base)
        found = [
            one
            for one in judge(tx, base, chosen, orders=False, scores=True)
            if one.debtor in chosen and one.decision.warned
        ]
        if history and row is not None and row.debtor is not None:
            ended = [_ended(row, one) for one in alerts.history(tx, row.debtor) if one.closed_on is not None]
    ranks = list(LEVELS)
    found.sort(key=lambda one: (-ranks.index(one.decision.level), natural(one.members[0].ref)))
    for judged in found:
        yield from _of(cli, judged, ranks[ranks.index(least) :])
    yield from (one for one in ended if ranks.index(one["level"]) >= ranks.index(least))


def _of(cli: Cli, judged: Judged, levels: list[str]) -> Iterator[dict[str, Any]]:
    from jobs.warned import shown

    first = judged.members[0]
    rules = cli.policy.of(first.segment).warning
    standing = {one.name: one for one in judged.decision.warned}
    told = [one for one in shown(judged.decision, rules) if one["level"] in levels and one["name"] in standing]
    told.sort(key=lambda one: -levels.index(one["level"]))
    for one in told:
        why = standing[one["name"]].why(rules)
        yield {
            "system": first.system,
            "customer_id": first.ref,
            "name": first.name,
            "customer_level": judged.decision.level,
            "actions": list(judged.decision.actions),
            "indicator": one["name"],
            "level": one["level"],
            "since": one["since"],
            "value": one["value"],
            "threshold": one["threshold"],
            "clear_runs": one["clear_runs"],
            "ended_on": None,
            "text": standing[one["name"]].today.text if standing[one["name"]].asked else None,
            "why": why,
        }


def _ended(row: Any, one: Any) -> dict[str, Any]:
    return {
        "system": row.system,
        "customer_id": row.ref,
        "name": row.name,
        "customer_level": None,
        "actions": [],
        "indicator": one.indicator,
        "level": one.state.level,
        "since": one.state.opened_on.isoformat(),
        "value": one.value,
        "threshold": None if one.threshold is None else f"{one.threshold:f}",
        "clear_runs": None,
        "ended_on": one.closed_on.isoformat(),
        "text": None,
        "why": None,
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    said = {key: row[key] for key in row if key not in ("text", "why")}
    for key in ("text", "why"):
        said[key] = None if row[key] is None else {"en": row[key].en, "zh": row[key].zh}
    return said


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
