"""`holdfast secret …`: secrets that the database keeps sealed: the key file, set, listed, sealed anew, removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.common import Cli, say, t, tell
from connector.cli.options import As, Why
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text, same

Name = Annotated[
    str, typer.Argument(metavar="NAME", help=t("Such as erp/password: referred to as sealed:erp/password.", "例如 erp/password，引用时写 sealed:erp/password。"))
]  # fmt: skip


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Secrets kept sealed in the database: set, list, rotate, remove.", "加密保存在数据库中的密钥：设置、查看、轮换、删除。"),
        no_args_is_help=True,
    )  # fmt: skip
    app.add_typer(group, name="secret")
    for command in (_key, _set, _list, _rotate, _remove):
        command(group)


def _key(group: typer.Typer) -> None:
    @group.command(
        "key",
        help=t(
            "Write a new key to a file that only you can read; [store] seal_key refers to it.",
            "把新的主密钥写入仅本人可读的文件，由 [store] seal_key 引用。",
        ),
    )
    def command(
        file: Annotated[Path, typer.Argument(help=t("The file, such as seal.key.", "文件，例如 seal.key。"))],
        add: Annotated[
            bool,
            typer.Option("--add", help=t("Put it first in a file that holds keys already.", "加在已有主密钥文件的最前面。")),
        ] = False,
    ) -> None:  # fmt: skip
        from connector.config_seal import make_key

        make_key(file, before=add)
        tell(
            t(
                f"A new key stands first in {file}. Now: holdfast secret rotate; then the old line may go.",
                f"新的主密钥已写在 {file} 首行。请执行 holdfast secret rotate，之后可删除旧行。",
            )
            if add
            else t(
                f'Written: {file}. Keep a copy in a safe place: without it no sealed secret opens. In config.toml, under '
                f'[store]: seal_key = "file:{file}"',
                f'已写出：{file}。请妥善备份：丢失后所有加密保存的密钥都无法打开。请在 config.toml 的 [store] 中写入 '
                f'seal_key = "file:{file}"',
            )
        )  # fmt: skip


def _set(group: typer.Typer) -> None:
    @group.command(
        "set",
        help=t(
            "Keep a secret, read from a prompt or from standard input; it is never shown again.",
            "保存密钥：从提示符或标准输入读取，此后不再显示。",
        ),
    )
    def command(context: typer.Context, name: Name, why: Why = "", who: As = None) -> None:
        from connector.config_seal import seal_of
        from jobs import seals

        cli: Cli = context.obj
        seal, person = seal_of(cli.config), cli.acting(who)
        name = name.removeprefix("sealed:")
        value = read_secret(name)
        with cli.store.writing() as tx:
            seals.put(tx, seal, {name: value}, person=person, now=cli.clock.now(), why=why)
        print(say(Text("Kept: sealed:{name}", "已保存：sealed:{name}").fill(name=name)))


def read_secret(name: str) -> str:
    """A secret as it is typed, or as it comes through a pipe, a line each; the end of its line is none of it."""
    if sys.stdin.isatty():
        question = t(f"The secret {name} (not shown)", f"密钥 {name}（不显示）")
        return str(typer.prompt(question, hide_input=True, prompt_suffix=t(": ", "："), err=True))
    value = sys.stdin.readline(100_000).rstrip("\r\n")
    if not value:
        raise ConfigError(
            Text(
                "Nothing came through standard input: printf %s … | holdfast secret set {name}",
                "标准输入为空：printf %s … | holdfast secret set {name}",
            ).fill(name=name)
        )
    return value


def _list(group: typer.Typer) -> None:
    @group.command("list", help=t("What is kept, never what it is.", "已保存的密钥（不含其内容）。"))
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from jobs import seals

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            kept = seals.listing(tx, cli.config)
        answer = [
            {
                "name": one.name,
                "changed_at": one.changed_at.isoformat(timespec="seconds"),
                "changed_by": one.changed_by,
                "sealed_at": one.sealed_at.isoformat(timespec="seconds"),
                "systems": list(one.systems),
            }
            for one in kept
        ]
        rows: list[dict[str, Any]] = [
            {
                "name": one.name,
                "changed": one.changed_at.date().isoformat(),
                "by": one.changed_by.removeprefix("person:"),
                "systems": same(", ".join(one.systems)) if one.systems else Text("none", "无"),
            }
            for one in kept
        ]
        table = Table(
            Text("Sealed secrets", "加密保存的密钥"),
            [
                Column("name", Text("name", "名称"), style="bold"),
                Column("changed", Text("set on", "设置日期")),
                Column("by", Text("by", "设置人")),
                Column("systems", Text("used by", "使用者")),
            ],
            rows,
        )
        if not kept:
            table.notes.append(
                Text("There is none yet: holdfast secret set NAME", "尚无密钥：holdfast secret set 名称")
            )
        emit(table, {"secrets": answer}, form, out)


def _rotate(group: typer.Typer) -> None:
    @group.command(
        "rotate", help=t("Seal everything anew under the first key of [store] seal_key.", "用 [store] seal_key 的首个主密钥重新加密全部密钥。")
    )  # fmt: skip
    def command(context: typer.Context, why: Why = "", who: As = None) -> None:
        from connector.config_seal import seal_of
        from jobs import seals

        cli: Cli = context.obj
        seal, person = seal_of(cli.config), cli.acting(who)
        with cli.store.writing() as tx:
            count = seals.rotate(tx, seal, person=person, now=cli.clock.now(), why=why)
        print(say(Text("Sealed anew: {count}", "已重新加密：{count} 个").fill(count=count)))


def _remove(group: typer.Typer) -> None:
    @group.command("remove", help=t("Forget a secret.", "删除密钥。"))
    def command(
        context: typer.Context,
        name: Name,
        force: Annotated[bool, typer.Option("--force", help=t("Also where a system uses it.", "即使有系统在使用。"))] = False,
        why: Why = "",
        who: As = None,
    ) -> None:  # fmt: skip
        from jobs import seals

        cli: Cli = context.obj
        person, name = cli.acting(who), name.removeprefix("sealed:")
        with cli.store.writing() as tx:
            seals.remove(tx, cli.config, name, person=person, now=cli.clock.now(), why=why, force=force)
        print(say(Text("Removed: {name}", "已删除：{name}").fill(name=name)))
