"""`holdfast hook …`: webhooks: what systems have promised to tell us, what they told, and telling it again."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t, tell
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text, same

if TYPE_CHECKING:
    from connector.connect import Connected
    from connector.credit.authority import Person

System = Annotated[str, typer.Argument(help=t("The name of a connected system.", "已连接系统的名称。"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Webhooks: subscribe, renew, look at what came.", "Webhook：订阅、续订、查看收到的通知。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="hook")
    for command in (_list, _address, _subscribe, _unsubscribe, _renew, _forget, _events, _replay):
        command(group)


def _list(group: typer.Typer) -> None:
    @group.command(
        "list", help=t("Every system: how it calls, until when, what waits.", "各系统的通知方式、有效期与待处理数量。")
    )
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from connector.store import inbox, subscriptions
        from jobs import channels

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            held, tallies = subscriptions.held(tx), inbox.tallies(tx)
            left = channels.left(tx, cli.config)
        rows: list[dict[str, Any]] = [
            {
                "system": name,
                "state": Text("out; to be ended there", "已停用，待在对方取消"),
                "streams": ", ".join(dict.fromkeys(s for one in mine for s in one.streams)),
                "until": min((s.until for s in mine if s.until), default=None),
                "waiting": 0,
                "last": None,
            }
            for name, mine in left.items()
            if name not in {system.name for system in cli.config.systems}
        ]
        for system in cli.connected() if cli.config.systems or not rows else ():
            mine = [h.subscription for h in held if h.system == system.name]
            tally = tallies.get(system.name)
            until = min((s.until for s in mine if s.until), default=None)
            rows.append(
                {
                    "system": system.name,
                    "state": _state(system, bool(mine)),
                    "streams": ", ".join(dict.fromkeys(s for one in mine for s in one.streams)),
                    "until": until,
                    "waiting": tally.unheeded if tally else 0,
                    "last": tally.newest if tally else None,
                }
            )
        table = Table(
            Text("Webhooks", "Webhook"),
            [
                Column("system", Text("system", "系统"), style="bold"),
                Column("state", Text("how", "方式")),
                Column("streams", Text("tells of", "通知范围")),
                Column("until", Text("until (UTC)", "有效期至（UTC）")),
                Column("waiting", Text("to heed", "待处理"), right=True),
                Column("last", Text("last came (UTC)", "最近收到（UTC）")),
            ],
            [{**row, "until": _time(row["until"]), "last": _time(row["last"])} for row in rows],
        )
        if not any(s.hook for s in cli.config.systems):
            table.notes.append(
                Text("No system has a [systems.hook] in config.toml: all are polled.",
                     "config.toml 中没有 [systems.hook]：各系统均为定时拉取。")
            )  # fmt: skip
        plain = [
            {**row, "state": say(row["state"]), "until": _iso(row["until"]), "last": _iso(row["last"])} for row in rows
        ]
        emit(table, {"hooks": plain}, form, out)


def _state(system: Connected, subscribed: bool) -> Text:
    if system.adapter.hook is None:
        return Text("cannot; polled", "不支持，定时拉取")
    if system.system.hook is None:
        return Text("could; polled", "可用但未启用")
    if system.adapter.hook.subscribe is None:
        return Text("set up by hand", "手工设置")
    return Text("subscribed", "已订阅") if subscribed else Text("not subscribed", "未订阅")


def _address(group: typer.Typer) -> None:
    @group.command(
        "address",
        help=t(
            "Where a system is to call, for those set up by hand. It may hold a secret: show it to nobody else.",
            "系统应通知的地址，供手工设置。可能含密钥，请勿外泄。",
        ),
    )
    def command(context: typer.Context, system: System, who: As = None) -> None:
        from jobs import channels
        from jobs.hook_secrets import hook_of

        cli: Cli = context.obj
        (chosen,) = cli.connected([system])
        shown = channels.shown_address(cli.store, cli.config, chosen, actor=_may(cli, who).actor)
        tell(say(hook_of(cli.config, chosen.system).by_hand))
        print(shown)


def _subscribe(group: typer.Typer) -> None:
    @group.command("subscribe", help=t("Ask a system to call.", "向系统订阅通知。"))
    def command(context: typer.Context, system: System, who: As = None) -> None:
        from jobs import channels

        cli: Cli = context.obj
        (chosen,) = cli.connected([system])
        by = _may(cli, who)
        made = channels.subscribe(cli.store, cli.config, chosen, actor=by.actor)
        for one in made:
            until = f" · {_time(one.until)}" if one.until else ""
            print(f"{', '.join(one.streams)}{until}")
        if not made:
            raise ConfigError(
                Text("{system} can tell of nothing that the mapping reads.", "{system} 无法通知映射所读取的任何内容。").fill(
                    system=system
                )
            )  # fmt: skip


def _unsubscribe(group: typer.Typer) -> None:
    @group.command("unsubscribe", help=t("Ask a system to call no more.", "取消系统的通知订阅。"))
    def command(context: typer.Context, system: System, who: As = None) -> None:
        from jobs import channels

        cli: Cli = context.obj
        (chosen,) = cli.connected([system])
        gone = channels.unsubscribe(cli.store, cli.config, chosen, actor=_may(cli, who).actor)
        print(t(f"{gone} ended.", f"已取消 {gone} 项。"))


def _renew(group: typer.Typer) -> None:
    @group.command(
        "renew",
        help=t("Renew subscriptions now and mend what was changed there.", "立即续订，并修复对方系统中的改动。"),
    )
    def command(
        context: typer.Context,
        systems: Annotated[
            list[str] | None, typer.Argument(help=t("Systems; none: all.", "系统；缺省为全部。"))
        ] = None,
    ) -> None:
        from connector.cli.common import TROUBLE
        from jobs import channels

        cli: Cli = context.obj
        failed = False
        for system in cli.connected(systems or ()):
            if not channels.is_due(cli.store, cli.config, system, force=True):
                continue
            run = channels.renew(cli.store, cli.config, system, force=True)
            if run.failed:
                failed = True
                tell(f"{system.name}: {say(run.failed)}")
            else:
                renewed, made = run.counts["renewed"], run.counts["made"]
                print(t(f"{system.name}: {renewed} renewed, {made} made anew", f"{system.name}：续订 {renewed} 项，重建 {made} 项"))  # fmt: skip
        if failed:
            raise typer.Exit(TROUBLE)


def _forget(group: typer.Typer) -> None:
    @group.command(
        "forget",
        help=t(
            "What a system that is out had promised was ended there by hand.", "已停用系统遗留的订阅已在对方手工取消。"
        ),
    )
    def command(
        context: typer.Context,
        system: Annotated[str, typer.Argument(help=t("A system that is out.", "已停用的系统。"))],
        who: As = None,
    ) -> None:
        from jobs import channels

        cli: Cli = context.obj
        gone = channels.forget(cli.store, cli.config, system, person=cli.acting(who), now=cli.clock.now())
        print(t(f"{gone} forgotten.", f"已清除 {gone} 项。"))


def _events(group: typer.Typer) -> None:
    @group.command("events", help=t("What came by webhook, the newest first.", "收到的通知，最新在前。"))
    def command(
        context: typer.Context,
        system: Annotated[str | None, typer.Argument(help=t("Only of this system.", "只看该系统。"))] = None,
        unheeded: Annotated[
            bool, typer.Option("--unheeded", help=t("Only what waits.", "只看待处理的。"))
        ] = False,
        last: Annotated[int, typer.Option("--last", min=1, max=100_000, help=t("So many.", "条数。"))] = 50,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:  # fmt: skip
        from connector.store import inbox

        cli: Cli = context.obj
        if system is not None:
            cli.config.system(system)
        with cli.store.reading() as tx:
            found = inbox.events(tx, system=system, unheeded=unheeded, limit=last)
        table = Table(
            Text("Events", "通知"),
            [
                Column("id", Text("no.", "编号"), right=True),
                Column("system", Text("system", "系统"), style="bold"),
                Column("streams", Text("shown by", "数据流")),
                Column("record", Text("record", "记录")),
                Column("kind", Text("what", "内容"), spare=1),
                Column("arrived", Text("came (UTC)", "收到（UTC）")),
                Column("heeded", Text("heeded (UTC)", "处理（UTC）")),
                Column("attempts", Text("attempts", "尝试"), right=True, spare=2),
            ],
            [
                {
                    "id": e.id,
                    "system": e.system,
                    "streams": ", ".join(e.streams) or Text("all", "全部"),
                    "record": e.key,
                    "kind": e.kind,
                    "arrived": _time(e.arrived_at),
                    "heeded": _time(e.heeded_at),
                    "attempts": e.attempts,
                }
                for e in found
            ],
        )
        if not found:
            table.notes.append(Text("Nothing.", "没有通知。"))
        plain = [
            {
                "id": e.id,
                "system": e.system,
                "event": e.event,
                "streams": list(e.streams),
                "record": e.key,
                "kind": e.kind,
                "said_at": _iso(e.said_at),
                "arrived_at": _iso(e.arrived_at),
                "heeded_at": _iso(e.heeded_at),
                "attempts": e.attempts,
            }
            for e in found
        ]
        emit(table, {"events": plain}, form, out)


def _replay(group: typer.Typer) -> None:
    @group.command(
        "replay",
        help=t(
            "Heed events once more, by their numbers: what they name is read again.",
            "按编号重新处理通知：重新读取其所指的内容。",
        ),
    )
    def command(
        context: typer.Context,
        ids: Annotated[list[int], typer.Argument(help=t("Numbers: holdfast hook events.", "编号：holdfast hook events。"))],
        who: As = None,
    ) -> None:  # fmt: skip
        from connector.store import audit, inbox

        cli: Cli = context.obj
        by = _may(cli, who)
        with cli.store.writing() as tx:
            done = inbox.again(tx, ids)
            if done:
                audit.append(tx, [audit.Entry("hook.replay", "hooks", by.actor, after=sorted(ids))], cli.clock.now())
        if done < len(set(ids)):
            missed = len(set(ids)) - done
            tell(t(f"{missed} of these numbers are no events.", f"其中 {missed} 个编号不存在。"))
        print(t(f"{done} to be heeded again: holdfast job run hooks", f"{done} 项将重新处理：holdfast job run hooks"))


def _may(cli: Cli, who: str | None) -> Person:
    """Who acts: an administrator."""
    from connector.errors import NotAllowed

    person = cli.acting(who)
    if person.alone or "admin" in person.roles:
        return person
    raise NotAllowed(
        Text("Webhooks are set up by an administrator; {name} is none.", "Webhook 由系统管理员设置，{name} 不是管理员。").fill(
            name=same(person.name or person.id)
        )
    )  # fmt: skip


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
