"""`holdfast run`, `pull`, `push`, `evaluate` and `serve`: the job as a whole, step by step, and by the clock."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from connector.cli.common import Cli, bars, exit_code, show_run, t

Systems = Annotated[list[str] | None, typer.Argument(help=t("Only these systems.", "仅这些系统。"))]
Full = Annotated[
    bool, typer.Option("--full", help=t("Everything, not only what has changed.", "全部，而不仅是变更部分。"))
]
Nightly = Annotated[
    bool,
    typer.Option(
        "--nightly",
        help=t(
            "As each night: everything, with dunning, reviews, limit proposals, and a look at what people changed.",
            "按夜间方式运行：全量评估，并执行催收、复评、额度建议，核对各系统中的人工改动。",
        ),
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help=t("Exit 1 where there are problems.", "存在问题时退出码为 1。"))]


def register(app: typer.Typer) -> None:
    @app.command(
        "run", help=t("Pull, link, evaluate, push: the whole job once.", "拉取、关联、评估、推送：完整执行一次。")
    )
    def run(context: typer.Context, full: Full = False, nightly: Nightly = False, strict: Strict = False) -> None:
        from jobs.night import connected_systems, lease, work

        cli: Cli = context.obj
        cli.connected()
        systems = connected_systems(cli.config, cli.clock, store=cli.store)
        with lease(cli.store, cli.clock, "run") as held, bars() as progress:
            done = work(
                held,
                cli.config,
                cli.policy,
                cli.clock,
                systems=systems,
                full=full,
                nightly=nightly,
                progress=progress,
                told=show_run,
            )
        if sys.stdout.isatty():
            typer.echo(
                t(
                    "See: holdfast order list, report positions, report problems, explain CUSTOMER; "
                    "in the browser: holdfast serve",
                    "查看：holdfast order list、report positions、report problems、explain 客户；在浏览器中：holdfast serve",
                )
            )
        raise typer.Exit(exit_code(done, strict))

    @app.command("pull", help=t("Read what has changed in the systems.", "读取各系统中的变更。"))
    def pull(context: typer.Context, systems: Systems = None, full: Full = False, strict: Strict = False) -> None:
        from jobs.link import link
        from jobs.night import lease
        from jobs.pull import pull as job

        cli: Cli = context.obj
        with lease(cli.store, cli.clock, "run") as held, bars() as progress:
            done = []
            for connected in cli.connected(systems or []):
                done.append(job(held, connected, full=full, progress=progress))
                show_run(done[-1])
            done.append(link(held, cli.config, cli.clock, progress))
            show_run(done[-1])
        raise typer.Exit(exit_code(done, strict))

    @app.command(
        "evaluate",
        help=t("Compute positions and decisions of what has changed.", "计算发生变化的客户的应收状况与结论。"),
    )
    def evaluate(context: typer.Context, full: Full = False, strict: Strict = False) -> None:
        from jobs.evaluate import evaluate as job
        from jobs.night import connected_systems, lease

        cli: Cli = context.obj
        systems = connected_systems(cli.config, cli.clock, store=cli.store)
        with lease(cli.store, cli.clock, "run") as held, bars() as progress:
            done = job(held, cli.config, cli.policy, cli.clock, systems=systems, full=full, progress=progress)
        show_run(done)
        raise typer.Exit(exit_code([done], strict))

    @app.command("push", help=t("Write what the outbox owes the systems.", "把发件箱中的待写内容写入各系统。"))
    def push(context: typer.Context, systems: Systems = None, strict: Strict = False) -> None:
        from jobs.night import lease
        from jobs.push import push as job

        cli: Cli = context.obj
        done = []
        with lease(cli.store, cli.clock, "run") as held, bars() as progress:
            for connected in cli.connected(systems or []):
                if connected.adapter.channels and cli.config.writes_to(connected.system):
                    done.append(job(held, connected, progress=progress))
                    show_run(done[-1])
        raise typer.Exit(exit_code(done, strict))
