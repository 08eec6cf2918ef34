"""`holdfast sign-in`: an address that signs somebody in to the pages, once, within a quarter of an hour."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.common import Cli, say, t, tell
from connector.cli.options import As
from connector.errors import ConfigError
from connector.text import Text

_ONLY_ADMIN = Text("Only an administrator makes a link for somebody else.", "只有系统管理员可以为他人生成登录链接。")


def register(app: typer.Typer) -> None:
    @app.command(
        "sign-in",
        help=t(
            "An address that signs you in to the pages of `holdfast serve`, once; there you may set a password.",
            "生成一次性登录地址，用于登录 `holdfast serve` 的页面；登录后可设置密码。",
        ),
    )
    def sign_in(
        context: typer.Context,
        person: Annotated[
            str | None,
            typer.Option("--person", help=t("For this person; else yourself.", "为该人员生成；缺省为本人。")),
        ] = None,
        who: As = None,
        address: Annotated[
            str | None,
            typer.Option(
                help=t("Where the service is; else [service] address, or host and port.", "服务地址；缺省取 [service] 的配置。")
            ),
        ] = None,
    ) -> None:  # fmt: skip
        from connector.config_people import acting
        from jobs import people

        cli: Cli = context.obj
        me = acting(cli.config.people, who)
        chosen = acting(cli.config.people, person) if person else me
        if chosen.id != me.id and "admin" not in me.roles:
            raise ConfigError(_ONLY_ADMIN)
        with cli.store.writing() as tx:
            _, code = people.invite(tx, cli.config, chosen.id, person=me, now=cli.clock.now(), here=True)
        tell(
            say(
                Text(
                    "Signs {name} in, once, within 15 minutes. Who has it is {name}:",
                    "15 分钟内可供 {name} 登录一次。持有该地址者即视为 {name}：",
                ).fill(name=chosen.name)
            )
        )
        typer.echo(f"{(address or cli.config.service.at).rstrip('/')}/sign-in/with/{code}")
