"""`holdfast outbox`: what is still to be written, what was refused and why; try again or drop it."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.common import Cli, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.text import Text

STATES = {
    "owed": Text("to be written", "待写入"),
    "claimed": Text("being written", "写入中"),
    "parked": Text("parked", "搁置"),
    "done": Text("written", "已写入"),
    "dropped": Text("dropped", "已放弃"),
    "superseded": Text("superseded", "已被取代"),
}


def register(app: typer.Typer) -> None:
    outbox = typer.Typer(
        help=t("What is still to be written to the systems.", "尚待写入各系统的内容。"), no_args_is_help=True
    )
    app.add_typer(outbox, name="outbox")

    @outbox.command("list", help=t("What is owed or parked, with the reason.", "待写入或搁置的内容及原因。"))
    def listing(
        context: typer.Context,
        form: Form = Format.table,
        out: Out = None,
        everything: Annotated[
            bool, typer.Option("--all", help=t("Also what is written or dropped.", "包括已写入或已放弃的。"))
        ] = False,
    ) -> None:
        from connector.store import outbox as box

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            rows = box.listing(tx, states=None if everything else ("owed", "claimed", "parked"))
        table = Table(
            Text("Outbox", "发件箱"),
            [
                Column("id", Text("no.", "编号"), right=True),
                Column("system", Text("system", "系统"), style="bold"),
                Column("kind", Text("kind", "类型")),
                Column("target", Text("record", "记录")),
                Column("state", Text("state", "状态")),
                Column("attempts", Text("attempts", "尝试"), right=True),
                Column("why", Text("why", "原因")),
            ],
            [
                {
                    "id": r.id,
                    "system": r.system,
                    "kind": r.kind,
                    "target": r.target,
                    "state": STATES.get(r.state, Text(r.state, r.state)),
                    "attempts": r.attempts,
                    "why": r.why,
                }
                for r in rows
            ],
        )
        if not rows:
            table.notes.append(Text("Nothing is owed.", "没有待写入的内容。"))
        answer = [
            {
                "id": r.id,
                "system": r.system,
                "kind": r.kind,
                "target": r.target,
                "key": r.key,
                "state": r.state,
                "attempts": r.attempts,
                "why": say(r.why) if r.why else None,
                "code": r.code,
                "values": r.values,
            }
            for r in rows
        ]
        emit(table, {"outbox": answer}, form, out)

    @outbox.command("retry", help=t("Try parked writes again.", "重试搁置的写入。"))
    def retry(
        context: typer.Context,
        ids: Annotated[
            list[int] | None, typer.Argument(help=t("Numbers; none: all parked.", "编号；缺省为全部搁置项。"))
        ] = None,
    ) -> None:
        from connector.store import outbox as box

        cli: Cli = context.obj
        with cli.store.writing() as tx:
            count = sum(box.retry(tx, number) for number in ids) if ids else box.retry(tx)
        typer.echo(t(f"{count} to be tried again: holdfast push", f"{count} 项将重试：holdfast push"))

    @outbox.command("drop", help=t("Give up parked writes.", "放弃搁置的写入。"))
    def drop(context: typer.Context, ids: Annotated[list[int], typer.Argument(help=t("Numbers.", "编号。"))]) -> None:
        from connector.store import outbox as box

        cli: Cli = context.obj
        with cli.store.writing() as tx:
            count = sum(box.drop(tx, number, cli.clock.now()) for number in ids)
        typer.echo(t(f"{count} dropped.", f"已放弃 {count} 项。"))
