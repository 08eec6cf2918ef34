"""`holdfast dun`: who is asked for what today, by which step of the ladder, and who is left alone and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, exit_code, say, show_run, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.text import Text

if TYPE_CHECKING:
    import datetime as dt

    from connector.credit.dun import Debt
    from jobs.dun import Dunned

Strict = Annotated[bool, typer.Option("--strict", help=t("Exit 1 where there are problems.", "存在问题时退出码为 1。"))]


def register(app: typer.Typer) -> None:
    @app.command(
        "dun",
        help=t(
            "Take today's steps of the dunning ladder: letters, tasks, charges.",
            "执行今日应进行的催收步骤：函件、任务、费用。",
        ),
    )
    def command(
        context: typer.Context,
        customer_id: Annotated[
            str | None,
            typer.Argument(
                metavar="[CUSTOMER]",
                help=t("Only this customer: its id, or part of its name.", "仅该客户：编号或名称的一部分。"),
            ),
        ] = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help=t("Only show what would be done.", "仅显示将要执行的步骤。"))
        ] = False,
        form: Form = Format.table,
        out: Out = None,
        strict: Strict = False,
    ) -> None:
        from connector.cli.explain import find

        cli: Cli = context.obj
        debtors: list[int] | None = None
        if customer_id is not None:
            with cli.store.reading() as tx:
                debtor = find(cli, tx, customer_id).debtor
            debtors = [debtor] if debtor is not None else []
        if dry_run:
            table, answer = _planned(cli, debtors)
            emit(table, answer, form, out)
            return
        from jobs.dun import dun
        from jobs.night import connected_systems, lease

        systems = connected_systems(cli.config, cli.clock, store=cli.store)
        with lease(cli.store, cli.clock, "run") as held, bars() as progress:
            done = dun(held, cli.config, cli.policy, cli.clock, systems=systems, debtors=debtors, progress=progress)
        show_run(done)
        raise typer.Exit(exit_code([done], strict))


def _planned(cli: Cli, debtors: list[int] | None) -> tuple[Table, dict[str, Any]]:
    """What a run would do now; nothing is written."""
    from connector.clock import day_in
    from jobs.dun import candidates, plans, unfit_systems
    from jobs.frame import frame

    today = day_in(cli.clock.now(), cli.config.business.time_zone)
    with cli.store.reading() as tx:
        base = frame(tx, cli.config, cli.policy, cli.clock, today, debtors=())
        unfit = unfit_systems(tx, base, cli.clock.now())
        found = list(plans(tx, base, candidates(tx, base, debtors), unfit))
    rows = [row for one in found for row in _rows(one, today)]
    table = Table(
        Text("Dunning on {day}", "{day} 催收").fill(day=today),
        [
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=3),
            Column("item", Text("item", "单据")),
            Column("currency", Text("cur.", "币种"), spare=2),
            Column("open", Text("open", "未清"), right=True),
            Column("days_overdue", Text("days", "逾期天数"), right=True),
            Column("level", Text("level", "级别"), right=True),
            Column("step", Text("step", "步骤")),
            Column("why", Text("left alone because", "暂不催收原因")),
        ],
        rows,
    )
    for problem in unfit.values():
        table.notes += [problem.what, problem.fix]
    if not rows and not unfit:
        table.notes.append(Text("No step is due today.", "今日没有应执行的催收步骤。"))
    return table, {"as_of": today.isoformat(), "customers": [_answer(one, today) for one in found if _told(one)]}


def _told(one: Dunned) -> bool:
    return bool(one.plan.steps or one.plan.skipped)


def _figures(debt: Debt, today: dt.date) -> dict[str, Any]:
    return {
        "item": debt.number or debt.ref,
        "currency": debt.currency,
        "open": debt.open,
        "days_overdue": debt.days(today),
    }


def _rows(one: Dunned, today: dt.date) -> list[dict[str, Any]]:
    from jobs.dun_words import CHANNELS

    head = {"customer_id": one.first.ref, "name": one.first.name}
    steps = [
        {**head, **_figures(s.debt, today), "level": s.level, "step": CHANNELS[s.rung.channel]} for s in one.plan.steps
    ]
    left = [{**head, **_figures(s.debt, today), "level": s.level, "why": s.why} for s in one.plan.skipped]
    return steps + left


def _answer(one: Dunned, today: dt.date) -> dict[str, Any]:
    letter = one.plan.letter
    return {
        "system": one.first.system,
        "customer_id": one.first.ref,
        "name": one.first.name,
        "letter": None if letter is None else {"level": letter.level, "channel": letter.channel},
        "steps": [
            {
                **_item(s.debt, today),
                "level": s.level,
                "channel": s.rung.channel,
            }
            for s in one.plan.steps
        ],
        "skipped": [
            {**_item(s.debt, today), "level": s.level, "code": s.code, "why": say(s.why)} for s in one.plan.skipped
        ],
    }


def _item(debt: Debt, today: dt.date) -> dict[str, Any]:
    from connector.money import show

    return {
        "document_id": debt.document,
        "instalment": debt.part or None,
        "number": debt.number,
        "due_on": debt.due_on.isoformat() if debt.due_on else None,
        "days_overdue": debt.days(today),
        "currency": debt.currency,
        "open": show(debt.open, debt.currency),
        "disputed": show(debt.disputed, debt.currency),
    }
