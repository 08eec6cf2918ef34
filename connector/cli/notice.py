"""`holdfast notice`: the mails by which people are told of orders; those that went wrong are sent again or given up."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.common import Cli, say, t
from connector.cli.options import As, Why
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.text import Text

STATES = {
    "owed": Text("to be sent", "待发送"),
    "sending": Text("being sent", "发送中"),
    "sent": Text("sent", "已发送"),
    "refused": Text("refused", "被拒"),
    "unknown": Text("not known", "送达不明"),
    "dropped": Text("given up", "已放弃"),
}
Number = Annotated[
    int, typer.Argument(help=t("Of the mail: holdfast notice list.", "邮件编号：holdfast notice list。"))
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Mails about orders: which were sent, which were not.", "订单通知邮件：已发送与未送达。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="notice")
    for command in (_list, _resend, _drop):
        command(group)


def _list(group: typer.Typer) -> None:
    @group.command("list", help=t("Mails that are not sent yet, or went wrong.", "尚未发送或出错的邮件。"))
    def command(
        context: typer.Context,
        everything: Annotated[
            bool, typer.Option("--all", help=t("Also those that were sent or given up.", "包括已发送或已放弃的。"))
        ] = False,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.store import mails

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            rows = mails.listing(tx, states=None) if everything else mails.listing(tx)
        table = Table(
            Text("Mails", "邮件"),
            [
                Column("id", Text("no.", "编号"), right=True),
                Column("name", Text("to", "收件人"), style="bold"),
                Column("subject", Text("subject", "主题"), spare=1),
                Column("state", Text("state", "状态")),
                Column("attempts", Text("attempts", "尝试"), right=True, spare=2),
                Column("why", Text("why", "原因")),
            ],
            [
                {
                    "id": one.id,
                    "name": one.name,
                    "subject": one.subject,
                    "state": STATES.get(one.state, Text(one.state, one.state)),
                    "attempts": one.attempts,
                    "why": one.why,
                }
                for one in rows
            ],
        )
        if not rows:
            table.notes.append(Text("No mail waits.", "没有待处理的邮件。"))
        if not cli.config.mail.on:
            table.notes.append(
                Text("No mail is sent: there is no host under [mail].", "未启用邮件：[mail] 中没有填写 host。")
            )
        if any(one.state in ("unknown", "refused") for one in rows):
            table.notes.append(
                Text(
                    "Find out whether it arrived, then holdfast notice resend NO, or holdfast notice drop NO.",
                    "请核实是否送达，然后执行 holdfast notice resend 编号，或 holdfast notice drop 编号。",
                )
            )
        answer = [
            {
                "id": one.id,
                "person": one.person,
                "name": one.name,
                "address": one.address,
                "subject": one.subject,
                "state": one.state,
                "attempts": one.attempts,
                "made_at": one.made_at.isoformat() if one.made_at else None,
                "settled_at": one.settled_at.isoformat() if one.settled_at else None,
                "message_id": one.message_id,
                "why": say(one.why) if one.why else None,
                "code": one.code,
            }
            for one in rows
        ]
        emit(table, {"mails": answer}, form, out)


def _resend(group: typer.Typer) -> None:
    @group.command("resend", help=t("Send a mail again that was refused or got lost.", "重新发送被拒或未送达的邮件。"))
    def command(context: typer.Context, number: Number, why: Why = "", who: As = None) -> None:
        from jobs import mailing

        cli: Cli = context.obj
        mailing.resend(cli.store, cli.clock, number, cli.acting(who), why)
        print(
            say(
                Text("Mail {number} is sent with the next run.", "邮件 {number} 将在下次运行时发送。").fill(
                    number=number
                )
            )
        )


def _drop(group: typer.Typer) -> None:
    @group.command("drop", help=t("Give a mail up: it arrived, or need not.", "放弃邮件：已送达或无需发送。"))
    def command(context: typer.Context, number: Number, why: Why = "", who: As = None) -> None:
        from jobs import mailing

        cli: Cli = context.obj
        mailing.drop(cli.store, cli.clock, number, cli.acting(who), why)
        print(say(Text("Mail {number} is given up.", "邮件 {number} 已放弃。").fill(number=number)))
