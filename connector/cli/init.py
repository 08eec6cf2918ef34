"""`holdfast init`: asks what is needed and writes `config.toml`; secrets are only ever referred to."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from connector import adapter as adapters
from connector.cli.common import CONFIG, Cli, language, say, t
from connector.money import is_currency


def register(app: typer.Typer) -> None:
    @app.command("init", help=t("Ask what is needed and write config.toml.", "询问所需信息并写出 config.toml。"))
    def command(
        context: typer.Context,
        force: Annotated[bool, typer.Option(help=t("Replace a file that is there.", "覆盖已有文件。"))] = False,
    ) -> None:
        cli: Cli = context.obj
        if cli.path.exists() and not force:
            typer.echo(
                t(f"{cli.path} is there already: --force replaces it.", f"{cli.path} 已存在：使用 --force 覆盖。"),
                err=True,
            )
            raise typer.Exit(CONFIG)
        text, references = ask()
        cli.path.write_text(text, encoding="utf-8")
        typer.echo(t(f"Written: {cli.path}", f"已写出：{cli.path}"))
        if references:
            typer.echo(t("Now set these, for example in your shell:", "请设置以下变量，例如在 shell 中："))
            for name in references:
                typer.echo(f"  export {name}=…")
        typer.echo(
            t(
                "Then: holdfast check, holdfast provision, holdfast run",
                "然后：holdfast check、holdfast provision、holdfast run",
            )
        )


def quoted(value: str) -> str:
    """A TOML basic string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in escaped) + '"'


def ask() -> tuple[str, list[str]]:
    """The text of a configuration from a person's answers, and the environment variables it refers to."""
    while not is_currency(currency := typer.prompt(t("Reporting currency", "报告币种"), default="CNY").strip().upper()):
        typer.echo(t("Three letters of ISO 4217, such as CNY.", "请输入三位 ISO 4217 代码，例如 CNY。"))
    zone = typer.prompt(t("Business time zone", "业务时区"), default="Asia/Shanghai")
    lines = [
        "[business]",
        f"currency = {quoted(currency)}",
        f"time_zone = {quoted(zone)}",
        f"language = {quoted(language())}",
        "",
        "[store]",
        'url = "sqlite:///holdfast.db"',
    ]
    references: list[str] = []
    known = adapters.names()
    while True:
        typer.echo(t(f"Adapters: {', '.join(known)}", f"适配器：{', '.join(known)}"))
        name = typer.prompt(
            t("Connect which product? (empty: done)", "连接哪个产品？（留空结束）"), default="", show_default=False
        )
        if not name:
            break
        if name not in known:
            typer.echo(
                t(f"Did you mean {adapters.nearest(name, known)}?", f"是否应为 {adapters.nearest(name, known)}？")
            )
            continue
        block, needed = _system(adapters.load(name))
        lines += ["", *block]
        references += needed
    return "\n".join(lines) + "\n", references


def _system(adapter: adapters.Adapter[Any]) -> tuple[list[str], list[str]]:
    title = say(adapter.title)
    name = typer.prompt(t(f"A short name for this {title}", f"为此 {title} 取一个简称"), default=adapter.name)
    name = re.sub(r"[^a-z0-9_-]", "_", name.strip().lower()) or adapter.name
    roles = list(adapter.roles)
    if len(roles) > 1:
        given = typer.prompt(t("Used as (comma between)", "用作（逗号分隔）"), default=",".join(roles))
        roles = [r.strip() for r in given.split(",") if r.strip() in adapter.roles] or roles
    while True:
        settings: dict[str, str] = {}
        for key, field in adapter.settings.model_fields.items():
            if field.is_required():
                settings[key] = typer.prompt(f"{key}: {field.description or ''}")
        try:
            adapter.settings.model_validate(settings)
            break
        except ValidationError as wrong:
            for error in wrong.errors(include_input=False):
                typer.echo(f"{'.'.join(map(str, error['loc']))}: {error['msg']}")
    lines = [
        "[[systems]]",
        f"name = {quoted(name)}",
        f"adapter = {quoted(adapter.name)}",
        f"roles = [{', '.join(quoted(r) for r in roles)}]",
        f"settings = {{ {', '.join(f'{k} = {quoted(v)}' for k, v in settings.items())} }}"
        if settings
        else "settings = {}",
    ]
    references = []
    if adapter.secrets:
        lines += ["", "[systems.secrets]  # only references: env:NAME, file:PATH, keyring:NAME"]
        for secret in adapter.secrets:
            variable = f"HOLDFAST_{name}_{secret.name}".upper().replace("-", "_")
            lines.append(f"{'' if secret.required else '# '}{secret.name} = {quoted('env:' + variable)}")
            if secret.required:
                references.append(variable)
    return lines, references
