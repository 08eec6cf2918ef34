"""`holdfast serve`: the service: the API and webhooks, and the jobs by the schedule and whenever something waits."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer

from connector.cli.common import Cli, say, t
from connector.errors import ConfigError
from connector.text import Text

_NO_WEB = Text(
    "`holdfast serve` needs the extra “web”: pip install '.[web]' in Holdfast's own folder. Or only the jobs: holdfast serve --no-web.",
    "`holdfast serve` 需要附加组件 “web”：请在 Holdfast 所在文件夹执行 pip install '.[web]'。若只运行作业：holdfast serve --no-web。",
)
_NO_QUEUE = Text(
    "Procrastinate is not installed; it is the extra “queue”: pip install '.[queue]' in Holdfast's own folder.",
    "未安装 Procrastinate；附加组件 “queue” 须另行安装：请在 Holdfast 所在文件夹执行 pip install '.[queue]'。",
)
OURS = "own"
QUEUES = (OURS, "procrastinate")
# Windows ends a process that it is told to end at once, not in order: there one process does both.
_CAN_SHARE = sys.platform != "win32"
_ONE_FILE = Text(
    "Several processes need PostgreSQL, and [store] url names an SQLite file. Use one process (workers = 1), or put a "
    "postgresql:// address into [store] url.",
    "多进程运行须使用 PostgreSQL，而 [store] url 指向 SQLite 文件。请改用单进程（workers = 1），"
    "或把 [store] url 改为 postgresql:// 地址。",
)


def register(app: typer.Typer) -> None:
    @app.command(
        "serve",
        help=t(
            "The service: pages, API, webhooks, and the jobs by the schedule and whenever something waits. Until stopped.",
            "持续运行的服务：页面、接口、Webhook，以及按计划和按需执行的作业。",
        ),
    )
    def serve(
        context: typer.Context,
        host: Annotated[
            str | None,
            typer.Option("--host", help=t("Address to listen on; else [service] host.", "监听地址；缺省为 [service] host。")),
        ] = None,
        port: Annotated[
            int | None,
            typer.Option(
                "--port", min=0, max=65535,
                help=t("Port; 0 takes a free one; else [service] port.", "端口；0 为任意空闲端口；缺省为 [service] port。"),
            ),
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option(
                "--workers", min=1, max=64,
                help=t(
                    "Processes that answer, beside the one that does the jobs; more than one needs PostgreSQL.",
                    "应答进程数（作业另有独立进程）；多于一个须使用 PostgreSQL。",
                ),
            ),
        ] = None,
        no_web: Annotated[
            bool, typer.Option("--no-web", help=t("Only the jobs.", "只运行作业。"))
        ] = False,
        no_jobs: Annotated[
            bool, typer.Option("--no-jobs", help=t("Only the pages, API and webhooks.", "只运行页面、接口与 Webhook。"))
        ] = False,
        queue: Annotated[
            str,
            typer.Option(
                help=t(
                    "By whose times the jobs go: own, or procrastinate (extra “queue”, PostgreSQL).",
                    "作业由谁调度：own 为内置计划，procrastinate 须附加组件 “queue” 与 PostgreSQL。",
                )
            ),
        ] = "own",
    ) -> None:  # fmt: skip
        from connector.cli import serve_many, serve_node
        from connector.config import store_url
        from connector.store.serving import alone

        cli: Cli = context.obj
        if no_web and no_jobs:
            raise ConfigError(
                Text("--no-web and --no-jobs leave nothing to do.", "--no-web 与 --no-jobs 同时使用则无事可做。")
            )
        if queue not in QUEUES:
            raise ConfigError(
                Text("--queue: own or procrastinate.", "--queue：own 或 procrastinate。"),
            )
        if queue != OURS:
            need_queue(cli)
        count = workers or cli.file.service.workers
        if no_web:
            count = 1
        if count > 1 and cli.file.store_url.startswith("sqlite"):
            raise ConfigError(_ONE_FILE)
        if not no_web:
            need_web()
        node = serve_node.Node(cli, [], jobs=not no_jobs, queue=queue)
        node.heed_signals()
        if not serve_node.patiently(lambda: cli.store, node.stopping):
            return
        held = context.with_resource(alone(store_url(cli.file), cli.clock.now()))
        # What is wrong with the policy is told now, not by every run.
        if not serve_node.patiently(lambda: (cli.config, cli.policy), node.stopping):
            return
        sockets: list[socket.socket] = []
        if not no_web:
            from connector.web.server import listening

            sockets = listening(host or cli.config.service.host, cli.config.service.port if port is None else port)
        if not serve_node.patiently(lambda: _say_where(cli, sockets, count, jobs=not no_jobs), node.stopping):
            return
        # Jobs beside answers in one process would take turns with them: it gives half as many, and the slowest take long.
        if count > 1 or (sockets and not no_jobs and _CAN_SHARE):
            cli.store.close()  # each process opens its own
            code = serve_many.serve(serve_many.Call.of(cli, queue), sockets, count, held, jobs=not no_jobs)
        else:
            node.sockets = sockets
            code = node.run(signals=False)
        raise typer.Exit(code)


def need_queue(cli: Cli) -> None:
    """What Procrastinate needs. ConfigError with the remedy where it is not there."""
    from connector.store.queue_schema import conninfo

    conninfo(cli.file.store_url)
    try:
        import jobs.queue_procrastinate  # noqa: F401
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != "procrastinate":
            raise
        raise ConfigError(_NO_QUEUE) from None


def need_web() -> None:
    """Whatever the service lacks is told before anything listens. ConfigError with the remedy."""
    try:
        import connector.web.app
        import connector.web.server  # noqa: F401
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] in ("connector", "jobs"):
            raise
        raise ConfigError(_NO_WEB) from None


def _say_where(cli: Cli, sockets: list[socket.socket], count: int, *, jobs: bool) -> None:
    """Where it is, and what to do next."""
    schedule, zone = cli.config.schedule, cli.config.business.time_zone
    lines = []
    if sockets:
        from connector.web.server import url_of

        url = cli.config.service.address or url_of(sockets)
        lines += [
            t(f"The service listens on {url_of(sockets)}.", f"服务已监听 {url_of(sockets)}。"),
            t(f"  Is it well:  curl {url}/readyz", f"  健康检查：  curl {url}/readyz"),
            t(f"  The API:     {url}/api/v1; make a key with: holdfast key create",
              f"  接口：      {url}/api/v1；新建密钥：holdfast key create"),
        ]  # fmt: skip
        usual = cli.config.service.address or url.endswith(f":{cli.config.service.port}")
        door = "holdfast sign-in" if usual else f"holdfast sign-in --address {url}"
        lines.append(t(f"  Pages:       {url}; sign in with: {door}", f"  页面：      {url}；登录：{door}"))
        if not cli.config.people:
            # Nobody is configured yet: whoever sees this terminal is the one who begins.
            first = f"{url}/sign-in/with/{first_code(cli)}"
            lines.append(
                t(f"  First steps: open this link, once, within 15 minutes:  {first}",
                  f"  首次使用：请打开此链接（15 分钟内可登录一次）：  {first}")
            )  # fmt: skip
        if count > 1:
            lines.append(t(f"  {count} processes answer.", f"  共 {count} 个应答进程。"))
    if jobs:
        text = Text(
            "Jobs: every {every} minutes, in full at {nightly} ({zone}); {often}; what waits, within a second.",
            "作业：每 {every} 分钟运行一次，{nightly}（{zone}）全量运行；{often}；待办事项一秒内处理。",
        )
        often = Text("payments and orders every {n} s", "收款与订单每 {n} 秒查看一次").fill(n=schedule.order_seconds)
        if not schedule.order_seconds:
            often = Text("no looks between those", "其间不另查看")
        lines.append(say(text.fill(every=schedule.every_minutes, nightly=schedule.nightly_at, zone=zone, often=often)))
    lines.append(t("Ctrl+C stops it when what is under way has ended; twice, at once.",
                   "按 Ctrl+C 在当前工作结束后停止；再按一次立即停止。"))  # fmt: skip
    typer.echo("\n".join(lines))
    sys.stdout.flush()


def first_code(cli: Cli) -> str:
    """A code that signs in whoever sits at this machine, while nobody is configured."""
    from connector.config_people import acting
    from connector.store import sessions

    with cli.store.writing() as tx:
        return sessions.make_code(
            tx, sessions.SIGN_IN, cli.clock.now(), sessions.SIGN_IN_LASTS, person=acting((), None).id
        )


def serve_here(cli: Cli) -> int:
    """The service in this process, for a demo: on the usual port, or a free one where that is taken. Until Ctrl+C."""
    from connector.config import store_url
    from connector.store.serving import alone

    with alone(store_url(cli.file), cli.clock.now()):
        return _serve_here(cli)


def _serve_here(cli: Cli) -> int:
    from connector.cli.serve_node import Node
    from connector.web.server import listening

    cli.connected()
    service = cli.config.service
    try:
        sockets = listening(service.host, service.port)
    except ConfigError:
        sockets = listening(service.host, 0)
    node = Node(cli, sockets, jobs=True)
    node.heed_signals()
    _say_door(cli, sockets)
    return node.run(signals=False)


def _say_door(cli: Cli, sockets: list[socket.socket]) -> None:
    """Where a demo's pages are: one link, and how to get another."""
    from shlex import quote

    from connector.web.server import url_of

    url = url_of(sockets)
    again = f"holdfast -c {quote(str(cli.path.resolve()))} sign-in --address {url}"
    lines = [
        t("Open this in your browser; it signs you in, once, within 15 minutes:",
          "请在浏览器中打开此链接（15 分钟内可登录一次）："),
        f"  {url}/sign-in/with/{first_code(cli)}",
        t(f"Another link: {again}", f"再取一个链接：{again}"),
        t("Ctrl+C ends it.", "按 Ctrl+C 结束。"),
    ]  # fmt: skip
    typer.echo("\n".join(lines))
    sys.stdout.flush()
