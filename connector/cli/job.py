"""`holdfast job …`: the jobs by name, for whoever has an engine that says when: cron, Airflow, Temporal, Procrastinate."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import OK, Cli, bars, exit_code, say, show_run, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.config import Config


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t(
            "Jobs by name, once a slot: for cron, Airflow, Temporal or Procrastinate.",
            "按名称执行作业，每个时段只执行一次：供 cron、Airflow、Temporal 或 Procrastinate 调用。",
        ),
        no_args_is_help=True,
    )
    app.add_typer(group, name="job")
    for command in (_list, _run, _worker):
        command(group)


def _list(group: typer.Typer) -> None:
    @group.command("list", help=t("What can be run, and what was run last.", "可执行的作业及最近执行情况。"))
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from connector.store import runs
        from jobs.named import JOBS
        from jobs.slots import LEASE

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            last, working = runs.newest_slots(tx), runs.holder_of(tx, LEASE)
        table = Table(
            Text("Jobs", "作业"),
            [
                Column("job", Text("Job", "作业")),
                Column("what", Text("What it does", "内容"), spare=1),
                Column("when", Text("By the schedule", "计划"), spare=2),
                Column("slot", Text("Last slot", "最近时段")),
                Column("state", Text("State", "状态")),
            ],
        )
        answer = []
        for name, job in JOBS.items():
            taken = last.get(name)
            state = None if taken is None else ("done" if not taken.holder else "begun")
            when, time = _when(name, cli.config), taken.time if taken else None
            shown = _STATES[state] if state else None
            table.rows.append({"job": name, "what": job.title, "when": when, "slot": time, "state": shown})
            said = None if when is None else say(when)
            answer.append({"job": name, "what": say(job.title), "when": said, "slot": time, "state": state})
        table.notes.append(
            Text(
                "pull, push and reconcile also for one system: holdfast job run push:NAME",
                "pull、push、reconcile 也可只对单个系统执行：holdfast job run push:系统名",
            )
        )
        if working is not None:
            table.notes.append(
                Text("At work now: {who}, at least until {until}.", "当前正在执行：{who}，租约至 {until}。").fill(
                    who=working[0], until=f"{working[1]:%Y-%m-%d %H:%M:%S}Z"
                )
            )
        lease = None if working is None else {"holder": working[0], "until": working[1].isoformat()}
        emit(table, {"jobs": answer, "lease": lease}, form, out)


_STATES = {"done": Text("done", "已完成"), "begun": Text("begun", "已开始")}


def _when(job: str, config: Config) -> Text | None:
    schedule, zone = config.schedule, config.business.time_zone
    if job == "nightly":
        return Text("{at} ({zone})", "{at}（{zone}）").fill(at=schedule.nightly_at, zone=zone)
    if job == "regular":
        return Text("every {n} minutes", "每 {n} 分钟").fill(n=schedule.every_minutes)
    if job == "orders" and schedule.order_seconds:
        return Text("every {n} seconds", "每 {n} 秒").fill(n=schedule.order_seconds)
    return None


def _run(group: typer.Typer) -> None:
    @group.command(
        "run",
        help=t(
            "Do a job for a slot, unless it is done already. Exit 0 done (now or before), 3 another process is at work: "
            "try again.",
            "为某个时段执行作业；已完成则不再执行。退出码 0：已完成；3：另一进程正在执行，请稍后重试。",
        ),
    )
    def command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(metavar="JOB", help=t("See holdfast job list.", "见 holdfast job list。"))],
        slot: Annotated[
            str | None,
            typer.Option(
                metavar="TIME",
                help=t(
                    "The slot: a moment (ISO 8601), a date, or any name; else this minute.",
                    "时段：时刻（ISO 8601）、日期或任意名称；缺省为当前分钟。",
                ),
            ),
        ] = None,
        strict: Annotated[
            bool, typer.Option("--strict", help=t("Exit 1 where there are problems.", "存在问题时退出码为 1。"))
        ] = False,
    ) -> None:
        from jobs.named import act_of
        from jobs.shift import Shift
        from jobs.slots import once

        cli: Cli = context.obj
        act = act_of(name, cli.config)
        cli.connected()
        chosen = slot_of(name, slot, cli.config, cli.clock.now())
        with bars() as progress:
            shift = Shift(cli.config, cli.clock, told=show_run, progress=progress)
            done = once(cli.store, cli.clock, name, chosen, lambda held: act(held, shift))
        if done is None:
            typer.echo(t(f"{name} {chosen}: done before.", f"{name} {chosen}：此前已完成。"))
            raise typer.Exit(OK)
        typer.echo(t(f"{name} {chosen}: done.", f"{name} {chosen}：已完成。"))
        raise typer.Exit(exit_code(done, strict))


def slot_of(job: str, given: str | None, config: Config, now: dt.datetime) -> str:
    """The slot that is meant; a night is known by its date. ConfigError for one that no schedule could name."""
    from zoneinfo import ZoneInfo

    from jobs.slots import slot_named

    chosen = slot_named(given, config.business.time_zone) if given is not None else ""
    if given is not None and not (0 < len(chosen) <= 100 and chosen.isprintable()):
        raise ConfigError(Text("--slot: up to 100 visible characters.", "--slot：1 至 100 个可见字符。"))
    chosen = chosen or now.astimezone(dt.UTC).isoformat(timespec="minutes")
    if job == "nightly" and "T" in chosen:
        try:
            moment = dt.datetime.fromisoformat(chosen)
        except ValueError:
            return chosen
        return moment.astimezone(ZoneInfo(config.business.time_zone)).date().isoformat()
    return chosen


def _worker(group: typer.Typer) -> None:
    @group.command(
        "worker",
        help=t(
            "Work on the jobs as a Procrastinate worker (extra “queue”, PostgreSQL): its periodic tasks are the schedule.",
            "作为 Procrastinate 工作进程执行作业（需附加组件 “queue” 与 PostgreSQL）；其周期任务即为计划。",
        ),
    )
    def command(
        context: typer.Context,
    ) -> None:
        from connector.cli.serve import need_queue
        from connector.cli.serve_node import Node

        cli: Cli = context.obj
        need_queue(cli)
        cli.connected()
        _ = cli.policy
        typer.echo(
            t(
                "Procrastinate works on the jobs. Ctrl+C stops when those under way have come to a safe place.",
                "Procrastinate 正在执行作业。按 Ctrl+C 在当前作业到达安全点后停止。",
            )
        )
        raise typer.Exit(Node(cli, [], jobs=True, queue="procrastinate").run())
