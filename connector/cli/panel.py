"""`holdfast panel …`: an address of the credit panel for trying it, without a CRM that asks for it."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.common import Cli, say, t, tell
from connector.errors import ConfigError
from connector.text import Text

As = Annotated[
    str | None,
    typer.Option("--as", envvar="HOLDFAST_USER", help=t("Who looks; else the user of this machine.", "查看人；缺省为本机用户。")),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("The credit panel inside a CRM's pages.", "嵌入 CRM 页面的信用面板。"), no_args_is_help=True
    )
    app.add_typer(group, name="panel")
    _link(group)
    _show(group)


def _link(group: typer.Typer) -> None:
    @group.command(
        "link",
        help=t(
            "An address that opens the panel of a record once, for 90 seconds.",
            "生成一次性地址，用于打开某条记录的面板，90 秒内有效。",
        ),
    )
    def command(
        context: typer.Context,
        system: Annotated[str, typer.Argument(help=t("The name of a connected system.", "已连接系统的名称。"))],
        object: Annotated[
            str,
            typer.Argument(help=t("customer, order, or as the CRM calls it.", "customer、order，或 CRM 中的对象名。")),
        ],
        record: Annotated[str, typer.Argument(metavar="ID", help=t("The record's id there.", "该系统中的记录编号。"))],
        who: As = None,
    ) -> None:
        from urllib.parse import quote

        from jobs import panel_launch

        cli: Cli = context.obj
        chosen = cli.config.system(system)
        if not panel_launch.has_panel(chosen):
            raise ConfigError(NO_PANEL.fill(system=system))
        known = panel_launch.objects(chosen)
        if object not in known:
            raise ConfigError(NO_OBJECT.fill(object=object, names=", ".join(known)))
        service = cli.config.service
        if not service.address and not service.port:
            raise ConfigError(NO_ADDRESS)
        # Without an address from outside it is tried on this machine.
        base = service.address or f"http://127.0.0.1:{service.port}"
        person = cli.acting(who)
        look = panel_launch.Look(chosen.name, object, known[object], record, "", person.id)
        made = panel_launch.launch(cli.store, cli.clock, look, person.actor)
        tell(say(ONCE.fill(name=person.name or person.id, until=f"{made.expires:%H:%M:%S} UTC")))
        print(f"{base}/panel/{quote(chosen.name)}?code={made.code}")


def _show(group: typer.Typer) -> None:
    @group.command(
        "list",
        help=t(
            "Every system: whether it shows the panel, of what, and whose pages may frame it.",
            "各系统是否显示面板、适用的对象，以及允许嵌入的页面来源。",
        ),
    )
    def command(context: typer.Context) -> None:
        from jobs import panel_launch

        cli: Cli = context.obj
        for system in cli.config.systems:
            if not panel_launch.has_panel(system):
                print(f"{system.name}: {t('no panel', '未启用面板')}")
                continue
            objects = ", ".join(panel_launch.objects(system))
            by = ", ".join(panel_launch.frame_ancestors(system)) or t("nobody", "无")
            print(f"{system.name}: {objects}; {t('framed by', '允许嵌入')}: {by}")


NO_PANEL = Text(
    "{system} shows no panel: add [systems.panel] to it in config.toml.",
    "{system} 未启用信用面板：请在 config.toml 中为其添加 [systems.panel]。",
)
NO_OBJECT = Text("There is no object “{object}” here. There are: {names}.", "没有对象“{object}”。可用：{names}。")
NO_ADDRESS = Text(
    "Nobody knows where the panel is: set address under [service] to how this service is reached.",
    "不知道面板的地址：请在 [service] 中设置 address，即访问本服务的地址。",
)
ONCE = Text("For {name}, once, until {until}. Keep it to yourself.", "供 {name} 使用一次，{until} 前有效，请勿转发。")
