"""`holdfast system …`: systems that the database keeps: listed, shown, tried, added, put in use, taken out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import CONFIG, Cli, say, show_problem, t, tell
from connector.cli.options import As, Why
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.cli.versions_shown import versions_answer, versions_table
from connector.errors import ConfigError
from connector.text import Text, joined

if TYPE_CHECKING:
    from jobs.systems import Listed
    from jobs.try_system import Tried

Name = Annotated[str, typer.Argument(help=t("The system's name.", "系统名称。"))]
Ask = Annotated[
    bool,
    typer.Option("--ask", help=t("Ask for its secrets, and keep them with it.", "逐个询问其密钥，并一并保存。")),
]
File = Annotated[
    Path, typer.Argument(help=t("A file with one [[systems]] as in config.toml.", "含一个 [[systems]] 的文件，写法同 config.toml。"))
]  # fmt: skip


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Connected systems: list, show, try, add, activate, remove.", "已连接的系统：查看、试连、新增、启用、移除。"),
        no_args_is_help=True,
    )  # fmt: skip
    app.add_typer(group, name="system")
    for command in (_list, _show, _try, _add, _activate, _remove, _history):
        command(group)


def _list(group: typer.Typer) -> None:
    @group.command(
        "list", help=t("All systems, of config.toml and of the database.", "config.toml 与数据库中的全部系统。")
    )
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from jobs import systems

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            found = systems.listing(tx, cli.config)
        emit(lambda: _table(found), {"systems": [_plain(one) for one in found]}, form, out)


def _show(group: typer.Typer) -> None:
    @group.command("show", help=t("A system as it stands in config.toml.", "以 config.toml 的写法显示系统。"))
    def command(
        context: typer.Context,
        name: Name,
        number: Annotated[int | None, typer.Option("--version", help=t("A kept version.", "已保存的版本。"))] = None,
    ) -> None:
        from jobs import systems

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            text = systems.text_of(tx, cli.config, name, number)
        sys.stdout.write(text)


def _try(group: typer.Typer) -> None:
    @group.command(
        "try", help=t("Connect with a file, and say what can be read and written; nothing is kept.", "按文件试连，说明可读写的内容；不保存。")
    )  # fmt: skip
    def command(
        context: typer.Context,
        file: File,
        ask: Ask = False,
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        person, text = cli.acting(who), _text(file)
        tried = _tried(cli, text, _asked(cli, text) if ask else {}, person.actor)
        emit(lambda: _trial(tried), _trial_plain(tried), form, out)
        if not tried.fine:
            raise typer.Exit(CONFIG)


def _add(group: typer.Typer) -> None:
    @group.command(
        "add",
        help=t(
            "Try a file, keep it as a new version of its system, and put it in use.",
            "试连文件中的系统，保存为其新版本并启用。",
        ),
    )
    def command(
        context: typer.Context,
        file: File,
        draft: Annotated[bool, typer.Option("--draft", help=t("Only keep it.", "仅保存，不启用。"))] = False,
        ask: Ask = False,
        untried: Annotated[bool, typer.Option("--untried", help=t("Without trying it first.", "不先试连。"))] = False,
        why: Why = "",
        who: As = None,
    ) -> None:
        from jobs import systems

        cli: Cli = context.obj
        person, text = cli.acting(who), _text(file)
        if draft and ask:
            raise ConfigError(
                Text("--ask keeps secrets, --draft changes nothing.", "--ask 会保存密钥，不能与 --draft 同时使用。")
            )
        secrets = _asked(cli, text) if ask else {}
        if not untried and not draft:
            tried = _tried(cli, text, secrets, person.actor)
            if not tried.fine and not tried.problems:
                emit(lambda: _trial(tried), _trial_plain(tried), Format.table, None)
                raise ConfigError(
                    Text(
                        "Nothing was kept. Mend what is wrong, or keep it all the same with --untried.",
                        "未保存。请更正后重试，或用 --untried 直接保存。",
                    )
                )
        with cli.store.writing() as tx:
            if draft:
                made = systems.save(tx, cli.config, text, person=person, now=cli.clock.now(), note=why)
            else:
                made = systems.connect_system(
                    tx, cli.config, text, person=person, now=cli.clock.now(), note=why, secrets=secrets
                )
        words = Text("Kept: version {number} of {name}", "已保存：{name} 版本 {number}")
        if not draft:
            words = Text("In use: version {number} of {name}", "使用中：{name} 版本 {number}")
        print(say(words.fill(number=made.number, name=made.name)))


def _activate(group: typer.Typer) -> None:
    @group.command(
        "activate", help=t("Put a kept version in use, on every node at once.", "启用已保存的版本，各节点随即生效。")
    )
    def command(
        context: typer.Context,
        name: Name,
        number: Annotated[int, typer.Argument(help=t("Of the version: holdfast system history.", "版本号：holdfast system history。"))],
        why: Why = "",
        who: As = None,
    ) -> None:  # fmt: skip
        from jobs import systems

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            made = systems.activate(tx, cli.config, name, number, person=person, now=cli.clock.now(), note=why)
        words = Text("In use: version {number} of {name}", "使用中：{name} 版本 {number}")
        print(say(words.fill(number=made.number, name=made.name)))


def _remove(group: typer.Typer) -> None:
    @group.command(
        "remove",
        help=t(
            "Take a system out: no longer read or written to. Its facts and versions stay.",
            "移除系统：不再读写；其数据与各版本保留。",
        ),
    )
    def command(context: typer.Context, name: Name, why: Why = "", who: As = None) -> None:
        from jobs import channels, systems
        from jobs.configured import configured

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            systems.remove(tx, cli.config, name, person=person, now=cli.clock.now(), note=why)
        print(say(Text("Taken out: {name}", "已移除：{name}").fill(name=name)))
        for run in channels.end_left(cli.store, configured(cli.store, cli.file), cli.clock, [name]):
            for problem in run.problems:
                tell(show_problem(problem))
            if run.counts["ended"]:
                words = Text("Its webhooks were ended there: {count}", "已在对方取消其 Webhook 订阅：{count} 项")
                print(say(words.fill(count=run.counts["ended"])))


def _history(group: typer.Typer) -> None:
    @group.command("history", help=t("All versions, and who put which in use.", "全部版本及启用记录。"))
    def command(context: typer.Context, name: Name, form: Form = Format.table, out: Out = None) -> None:
        from jobs import systems

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            listed = systems.one(tx, cli.config, name)
            kept, journal = systems.history(tx, name)
        used = journal[0].number if journal else None
        origin = Text("config.toml", "config.toml") if listed.kept == "file" else Text("none", "无")
        if used is not None and listed.kept == "database":
            origin = Text("version {number}", "版本 {number}").fill(number=used)
        title = Text("System “{name}”", "系统“{name}”").fill(name=name)
        zone = cli.config.business.time_zone
        emit(
            lambda: versions_table(title, origin, used, kept, journal, zone), versions_answer(kept, journal), form, out
        )


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(
            Text("{path} cannot be read ({why}).", "无法读取 {path}（{why}）。").fill(
                path=file, why=type(wrong).__name__
            )
        ) from None


def _asked(cli: Cli, text: str) -> dict[str, str]:
    """The secrets that a text refers to as sealed, each asked for; none where the text will not do."""
    from connector.cli.secret import read_secret
    from connector.config_kept import read_system

    system, _ = read_system(text, "new", cli.config.base)
    references = list(system.secrets.values()) if system is not None else []
    names = [r.removeprefix("sealed:") for r in references if r.startswith("sealed:")]
    return {name: read_secret(name) for name in dict.fromkeys(names)}


def _tried(cli: Cli, text: str, secrets: Mapping[str, str], by: str) -> Tried:
    from jobs.try_system import try_system

    return try_system(cli.store, cli.config, text, cli.clock, by=by, secrets=secrets)


# --- shown ---------------------------------------------------------------------------------------------------------------
STATES = {
    "in_use": Text("in use", "使用中"),
    "left_out": Text("left out", "未生效"),
    "draft": Text("draft", "草稿"),
    "removed": Text("taken out", "已移除"),
}
_KEPT = {"file": Text("config.toml", "config.toml"), "database": Text("database", "数据库")}
_LINES = {"fine": Text("✓ fine", "✓ 正常"), "todo": Text("! to do", "! 待办"), "wrong": Text("✗ wrong", "✗ 有误")}


def _plain(one: Listed) -> dict[str, Any]:
    return {
        "name": one.name,
        "adapter": one.system.adapter if one.system is not None else None,
        "roles": list(one.system.roles) if one.system is not None else [],
        "kept": one.kept,
        "state": one.state,
        "version": one.version.number if one.version is not None else None,
        "newer": one.newer,
        "problems": [{"field": p.field, "what": say(p.what), "fix": say(p.fix)} for p in one.problems],
    }


def _table(found: Sequence[Listed]) -> Table:
    from connector.cli.adapters import ROLES

    table = Table(
        Text("Systems", "系统"),
        [
            Column("name", Text("name", "名称"), style="bold"),
            Column("title", Text("product", "产品")),
            Column("roles", Text("as", "用作")),
            Column("kept", Text("stands in", "来源")),
            Column("state", Text("state", "状态")),
            Column("version", Text("version", "版本"), right=True, spare=1),
        ],
        [
            {
                "name": one.name,
                "title": one.title,
                "roles": joined([ROLES[r] for r in one.system.roles], ", ", "、") if one.system is not None else None,
                "kept": _KEPT[one.kept],
                "state": STATES[one.state],
                "version": one.version.number if one.version is not None else None,
            }
            for one in found
        ],
    )
    lines = [(one, p) for one in found if one.state == "left_out" for p in one.problems]
    table.notes += [Text("{name}: {what} {fix}", "{name}：{what}{fix}").fill(name=one.name, what=p.what, fix=p.fix) for one, p in lines]  # fmt: skip
    if not found:
        table.notes.append(
            Text(
                "None is connected yet: holdfast system add FILE, or in the console.",
                "尚未连接任何系统：holdfast system add 文件，或在管理台中添加。",
            )
        )
    return table


def _trial(tried: Tried) -> Table:
    for problem in tried.problems:
        tell(show_problem(problem))
    return Table(
        Text("Trial of “{name}”", "试连“{name}”").fill(name=tried.system),
        [
            Column("state", Text("state", "状态"), coloured=True),
            Column("what", Text("what", "内容")),
            Column("fix", Text("what to do", "如何处理")),
        ],
        [{"state": _LINES[line.state], "what": line.what, "fix": line.fix} for line in tried.lines],
    )


def _trial_plain(tried: Tried) -> dict[str, Any]:
    return {
        "system": tried.system,
        "fine": tried.fine,
        "problems": [{"field": p.field, "what": say(p.what), "fix": say(p.fix)} for p in tried.problems],
        "lines": [
            {
                "part": line.part,
                "state": line.state,
                "what": say(line.what),
                "fix": say(line.fix) if line.fix is not None else None,
            }
            for line in tried.lines
        ],
        "streams": [{"name": s.name, "records": s.records, "more": s.more} for s in tried.streams],
    }
