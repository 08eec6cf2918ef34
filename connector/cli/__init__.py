"""The command line: one command a file, everything heavy imported only when its command runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from connector import __version__
from connector.cli.common import Cli, choose_language, guarded, known_language, t
from connector.errors import ConfigError
from connector.text import Text

# The commands in the order in which a person meets them, in groups.
_GROUPS: dict[Text, tuple[str, ...]] = {
    Text("Begin", "开始使用"): ("demo", "init", "check", "provision", "run", "serve", "sign-in"),
    Text("Figures, and why", "数据与解释"): ("report", "explain", "diff", "file", "attach", "audit"),
    Text("The credit desk", "信用管理"): (
        "order",
        "limit",
        "warnings",
        "warning",
        "score",
        "import",
        "statements",
        "review",
        "dun",
        "letter",
        "charge",
        "contact",
        "policy",
    ),
    Text("Connected systems", "系统接入"): (
        "system",
        "mapping",
        "link",
        "outbox",
        "hook",
        "panel",
        "plugin",
        "adapters",
        "sandbox",
    ),
    Text("People and the service", "人员与服务"): ("person", "key", "secret", "notice", "job"),
    Text("Step by step, and measured", "分步执行与性能测量"): ("pull", "evaluate", "push", "bench"),
}

# The module `connector/cli/<module>.py` of a command, which has `register(app)`, where it is not called as the command is.
_MODULES = {
    "provision": "check",
    "pull": "run",
    "evaluate": "run",
    "push": "run",
    "warning": "warnings",
    "import": "statements",
    "attach": "file",
    "sign-in": "sign_in",
}
_COMMANDS = {name: _MODULES.get(name, name) for names in _GROUPS.values() for name in names}


def build(only: str | None = None) -> typer.Typer:
    """The command line in the language of the moment: all of it, or what is needed for one command."""
    app = typer.Typer(
        name="holdfast",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=t(
            "Credit status inside the CRM, credit holds on orders.\n\n"
            "Exit codes: 0 done, 1 done but --strict found problems, 2 a person must act (configuration, usage), "
            "3 a system is in trouble: try again.",
            "把客户信用状态写进 CRM，对订单自动执行信用冻结。\n\n"
            "退出码：0 完成；1 完成但 --strict 发现问题；2 需要人工处理（配置、用法）；3 某个系统出现故障，请重试。",
        ),
    )

    @app.callback()
    def _options(
        context: typer.Context,
        config: Annotated[
            Path,
            typer.Option("-c", "--config", envvar="HOLDFAST_CONFIG", help=t("The configuration file.", "配置文件。")),
        ] = Path("config.toml"),
        lang: Annotated[
            str | None,
            typer.Option("--lang", help=t("en or zh; else by the locale.", "en 或 zh；默认按系统区域设置。")),
        ] = None,
        verbose: Annotated[
            int,
            typer.Option(
                "-v",
                "--verbose",
                count=True,
                show_default=False,
                help=t("Tell more; twice: every call.", "输出更多信息；两次：每次调用。"),
            ),
        ] = 0,
        _version: Annotated[
            bool,
            typer.Option(
                "--version", callback=_version_asked, is_eager=True, help=t("Print the version.", "显示版本。")
            ),
        ] = False,
    ) -> None:
        if lang is not None and not known_language(lang):
            raise ConfigError(Text("--lang: en or zh.", "--lang：en 或 zh。"))
        context.obj = Cli(config, context.invoked_subcommand or "", verbose, given=_given(context))

    for name in dict.fromkeys([_COMMANDS[only]] if only in _COMMANDS else _COMMANDS.values()):
        importlib.import_module(f"connector.cli.{name}").register(app)
    return app


def command(only: str | None = None) -> Any:
    """The command line as it is run: in order, and its help pages in the language of the moment."""
    from connector.cli.usage import dressed

    return dressed(typer.main.get_command(build(only)), _GROUPS)


def _version_asked(asked: bool) -> None:
    if asked:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


def _given(context: typer.Context) -> bool:
    source = context.get_parameter_source("config")
    return source is not None and source.name != "DEFAULT"


def forward(arguments: Sequence[str]) -> list[str]:
    """The options of the whole command line moved before the command: people write them where they think of them."""
    front: list[str] = []
    rest: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            rest += [argument, *left]
            break
        if argument in ("-c", "--config", "--lang") and left:
            front += [argument, left.pop(0)]
        elif argument.startswith(("--config=", "--lang=")):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def _first(arguments: Sequence[str]) -> str | None:
    """The command that is called, where only options of the whole command line stand before it."""
    left = iter(arguments)
    for argument in left:
        if argument in ("-c", "--config", "--lang"):
            next(left, None)
        elif argument == "--help" or not argument.startswith("-"):
            return argument
    return None


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command `holdfast`."""
    arguments = forward(sys.argv[1:] if arguments is None else arguments)
    choose_language(arguments)

    def called() -> object:
        # The others are loaded where help is asked for, or where it is none of them.
        whole = command(_first(arguments))
        # Not the library's own `main`: it takes Ctrl+C and a closed pipe for errors of another kind.
        with whole.make_context("holdfast", arguments) as context:
            return whole.invoke(context)

    sys.exit(guarded(called))
