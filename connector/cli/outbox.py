"""`holdfast outbox`: what is still to be written, what was refused and why; try again or drop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import Cli, say, t
from connector.cli.options import As, Why
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text, joined
from jobs.run_words import CHANNEL_NAMES
from jobs.run_words import WRITE_STATES as STATES

if TYPE_CHECKING:
    from connector.store import Connection


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
            rows = box.listing(tx, states=None) if everything else box.listing(tx)
        table = Table(
            Text("Outbox", "发件箱"),
            [
                Column("id", Text("no.", "编号"), right=True),
                Column("system", Text("system", "系统"), style="bold"),
                Column("kind", Text("what", "内容")),
                Column("target", Text("record", "记录")),
                Column("state", Text("state", "状态")),
                Column("attempts", Text("attempts", "尝试"), right=True),
                Column("why", Text("why", "原因")),
            ],
            [
                {
                    "id": r.id,
                    "system": r.system,
                    "kind": CHANNEL_NAMES.get(r.kind, Text(r.kind, r.kind)),
                    "target": r.target,
                    "state": STATES.get(r.state, Text(r.state, r.state)),
                    "attempts": r.attempts,
                    "why": r.why,
                }
                for r in rows
            ],
        )
        if not rows:
            table.notes.append(
                Text("Nothing has been written yet: holdfast run", "尚未写入任何内容：holdfast run")
                if everything
                else Text("Nothing is owed: all is written.", "没有待写入的内容：已全部写入。")
            )
        if any(r.state == "parked" for r in rows):
            table.notes.append(
                Text(
                    "Parked writes wait for a person: mend the cause, then holdfast outbox retry; or holdfast outbox drop NO.",
                    "搁置项需人工处理：消除原因后执行 holdfast outbox retry；或用 holdfast outbox drop 编号 放弃。",
                )
            )
        if any(r.state == "undone" for r in rows):
            table.notes.append(
                Text(
                    "Somebody took these holds off there, and they are left so: holdfast outbox retry NO holds again, holdfast outbox drop NO takes note of it.",
                    "这些冻结在对方系统中被取消，现状予以保留：holdfast outbox retry 编号 重新冻结，holdfast outbox drop 编号 表示认可。",
                )
            )
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

    @outbox.command(
        "retry",
        help=t("Try parked writes again; hold again what was undone.", "重试搁置的写入；重新冻结被取消的客户。"),
    )
    def retry(
        context: typer.Context,
        ids: Annotated[
            list[int] | None, typer.Argument(help=t("Numbers; none: all parked.", "编号；缺省为全部搁置项。"))
        ] = None,
        why: Why = "",
        who: As = None,
    ) -> None:
        from connector.config_people import actor_here
        from connector.store import outbox as box
        from jobs import outbox_decided

        cli: Cli = context.obj
        by, now = actor_here(cli.config.people, who), cli.clock.now()
        with cli.store.writing() as tx:
            numbers = ids or [row.id for row in box.listing(tx, states=("parked",), limit=None)]
            done = outbox_decided.again(tx, numbers, by=by, now=now, why=why)
            missed = _missed(tx, [n for n in ids or () if n not in done])
        count = len(done)
        if count or not missed:
            typer.echo(
                t(f"{count} to be tried again: holdfast push", f"{count} 项将重试：holdfast push")
                if count
                else t("Nothing is parked.", "没有搁置的写入。")
            )
        _refused(missed)

    @outbox.command("drop", help=t("Give up waiting or parked writes.", "放弃待写入或搁置的写入。"))
    def drop(
        context: typer.Context,
        ids: Annotated[list[int], typer.Argument(help=t("Numbers.", "编号。"))],
        why: Why = "",
        who: As = None,
    ) -> None:
        from connector.config_people import actor_here
        from jobs import outbox_decided

        cli: Cli = context.obj
        by = actor_here(cli.config.people, who)
        with cli.store.writing() as tx:
            done = outbox_decided.drop(tx, ids, by=by, now=cli.clock.now(), why=why)
            missed = _missed(tx, [n for n in ids if n not in done])
        if done:
            typer.echo(
                t(
                    f"{len(done)} dropped. The same values are not written again; others are.",
                    f"已放弃 {len(done)} 项。相同的内容不再写入，其他内容照常写入。",
                )
            )
        _refused(missed)


def _missed(tx: Connection, ids: list[int]) -> list[Text]:
    """Why nothing was done with these numbers."""
    from connector.store import outbox as box

    why = []
    for number in ids:
        row = box.get(tx, number)
        state = (
            STATES.get(row.state, Text(row.state, row.state)) if row else Text("there is no such number", "没有该编号")
        )
        why.append(Text("{number}: {state}", "{number}：{state}").fill(number=number, state=state))
    return why


def _refused(missed: list[Text]) -> None:
    if missed:
        raise ConfigError(
            Text(
                "Left alone: {which}. `holdfast outbox list --all` shows every number.",
                "未处理：{which}。编号见 `holdfast outbox list --all`。",
            ).fill(which=joined(missed))
        )
