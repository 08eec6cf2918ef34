"""`holdfast init`: asks what is needed and writes `config.toml`; secrets are only ever referred to."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, language, near, say, t
from connector.config_toml import quoted, toml_value
from connector.errors import ConfigError
from connector.text import Text, joined

if TYPE_CHECKING:
    from connector.adapter import Adapter


def register(app: typer.Typer) -> None:
    @app.command("init", help=t("Ask what is needed and write config.toml.", "询问所需信息并写出 config.toml。"))
    def command(
        context: typer.Context,
        force: Annotated[
            bool, typer.Option("--force", help=t("Replace a file that is there.", "覆盖已有文件。"))
        ] = False,
    ) -> None:
        cli: Cli = context.obj
        if cli.path.exists() and not force:
            raise ConfigError(
                Text("{path} is there already: --force replaces it.", "{path} 已存在：使用 --force 覆盖。").fill(
                    path=cli.path
                )
            )
        text, references, several = ask()
        try:
            cli.path.write_text(text, encoding="utf-8")
        except OSError as wrong:
            raise ConfigError(
                Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                    path=cli.path, why=wrong.strerror or type(wrong).__name__
                )
            ) from None
        typer.echo(t(f"Written: {cli.path}", f"已写出：{cli.path}"))
        if references:
            typer.echo(
                t(
                    "It only refers to secrets. Set these variables, for example in your shell:",
                    "文件中只引用密钥。请设置以下变量，例如在 shell 中：",
                )
            )
            for name in references:
                typer.echo(f"  export {name}=…")
        typer.echo(
            t(
                "Then: holdfast check, holdfast provision, holdfast run, holdfast order list",
                "然后：holdfast check、holdfast provision、holdfast run、holdfast order list",
            )
            if several
            else t(
                "No system is connected yet. In the browser: holdfast serve. Here: holdfast init --force",
                "尚未连接任何系统。可在浏览器中连接：holdfast serve；或在此重新询问：holdfast init --force",
            )
        )


def ask() -> tuple[str, list[str], int]:
    """The text of a configuration from a person's answers, the variables it refers to, and how many systems it has."""
    from connector import adapter as adapters
    from connector.config import parse

    currency = _until(t("Reporting currency", "报告币种"), "CNY", _currency)
    zone = _until(t("Business time zone", "业务时区"), "Asia/Shanghai", _zone)
    tongue = _until(
        t("Language of tasks and texts in the systems (en, zh)", "写入系统的任务和文字使用的语言（en、zh）"),
        language(),
        _tongue,
    )
    lines = [
        "# Written by `holdfast init`; config.example.toml shows every key. / 由 `holdfast init` 生成，全部配置项见 config.example.toml。",
        "[business]",
        f"currency = {quoted(currency)}",
        f"time_zone = {quoted(zone)}",
        f"language = {quoted(tongue)}",
        "",
        "[store]",
        'url = "sqlite:///holdfast.db"',
    ]
    references: list[str] = []
    taken: list[str] = []
    known = adapters.names()
    typer.echo("")
    for name in known:
        typer.echo(f"  {name:<12} {say(adapters.load(name).title)}")
    while True:
        typer.echo("")
        name = _prompt(t("Connect which product? (empty: done)", "连接哪个产品？（留空结束）"), "").lower()
        if not name:
            break
        if name not in known:
            typer.echo(t(f"Did you mean {near(name, known)}?", f"是否应为 {near(name, known)}？"))
            continue
        block, needed = _system(adapters.load(name), taken)
        lines += ["", *block]
        references += needed
    text = "\n".join(lines) + "\n"
    _, problems = parse(text, "config.toml", Path())
    if problems:
        raise ConfigError(joined([Text(f"{p.what.en} {p.fix.en}", f"{p.what.zh}{p.fix.zh}") for p in problems]))
    return text, references, len(taken)


def _prompt(question: str, default: str | None = None) -> str:
    return str(typer.prompt(question, default=default, show_default=bool(default), prompt_suffix=t(": ", "："))).strip()


def _until(question: str, default: str | None, checked: Callable[[str], str]) -> str:
    """Asks until the answer will do; `checked` gives it as it is to be written, or raises ValueError with the reason."""
    while True:
        try:
            return checked(_prompt(question, default))
        except ValueError as wrong:
            typer.echo(f"  {wrong}")


def _currency(answer: str) -> str:
    from connector.money import is_currency

    code = answer.upper()
    if not is_currency(code):
        raise ValueError(t("Three letters of ISO 4217, such as CNY.", "请输入三位 ISO 4217 代码，例如 CNY。"))
    return code


def _zone(answer: str) -> str:
    from zoneinfo import available_timezones

    zones = available_timezones()
    if answer not in zones:
        guess = near(answer, sorted(zones))
        raise ValueError(t(f"No such time zone. Did you mean {guess}?", f"没有该时区。是否应为 {guess}？"))
    return answer


def _tongue(answer: str) -> str:
    if answer not in ("en", "zh"):
        raise ValueError(t("en or zh.", "请填 en 或 zh。"))
    return answer


# --- one system ---
def _system(adapter: Adapter[Any], taken: list[str]) -> tuple[list[str], list[str]]:
    """The lines of one system, and the variables that hold its secrets."""
    free = next(n for n in (adapter.name, *(f"{adapter.name}{i}" for i in range(2, 99))) if n not in taken)

    def named(answer: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", answer):
            raise ValueError(
                t("Small letters, digits, - and _, a letter first.", "小写字母、数字、- 和 _，以字母开头。")
            )
        if answer in taken:
            raise ValueError(t("Another system is called that.", "已有系统使用该名称。"))
        return answer

    typer.echo(say(adapter.title))
    name = _until(t("A short name for it", "为该系统取一个简称"), free, named)
    taken.append(name)
    roles = _roles(adapter)
    settings = _settings(adapter)
    lines = [
        "[[systems]]",
        f"name = {quoted(name)}",
        f"adapter = {quoted(adapter.name)}",
        f"roles = [{', '.join(quoted(r) for r in roles)}]",
        "settings = { " + ", ".join(f"{k} = {toml_value(v)}" for k, v in settings.items()) + " }"
        if settings
        else "settings = {}",
    ]
    references = []
    if adapter.secrets:
        lines += ["", "[systems.secrets]  # only references / 只写引用: env:NAME, file:PATH, keyring:NAME"]
        for secret in adapter.secrets:
            variable = f"HOLDFAST_{name}_{secret.name}".upper().replace("-", "_")
            wanted = secret.required or _wanted(secret.title)
            lines.append(f"{'' if wanted else '# '}{secret.name} = {quoted('env:' + variable)}")
            if wanted:
                references.append(variable)
    return lines, references


def _wanted(title: Text) -> bool:
    """Whether a secret that is not needed is to be given all the same."""

    def checked(answer: str) -> str:
        if answer.lower() not in ("y", "yes", "n", "no", "是", "否", ""):
            raise ValueError(t("y or n.", "请填 y 或 n。"))
        return answer.lower()

    return _until(t(f"Also give it: {say(title)}? (y, n)", f"是否同时提供：{say(title)}？（y、n）"), "n", checked) in (
        "y",
        "yes",
        "是",
    )


# What a system is trusted for, in the words of who answers.
_ROLES = {
    "erp": Text("who owes what: customers, invoices, payments, orders", "应收账款来源：客户、发票、收款、订单"),
    "crm": Text("where salespeople work: results are written there", "销售人员使用的系统：结果写回此处"),
    "rates": Text("exchange rates", "汇率"),
    "bureau": Text("outside information about customers", "客户的外部资信信息"),
}


def _roles(adapter: Adapter[Any]) -> list[str]:
    known: list[str] = list(adapter.roles)
    if len(known) == 1:
        return known

    for role in known:
        typer.echo(f"  {role:<7} {say(_ROLES[role])}")

    def chosen(answer: str) -> str:
        wrong = [r for r in re.split(r"[,，、\s]+", answer.strip()) if r not in known]
        if wrong or not answer:
            raise ValueError(t(f"One or more of {', '.join(known)}.", f"可选：{'、'.join(known)}。"))
        return answer

    question = t(
        f"Trusted for which of {', '.join(known)}? (comma between)", f"用作 {'、'.join(known)} 中的哪些？（逗号分隔）"
    )
    return list(dict.fromkeys(re.split(r"[,，、\s]+", _until(question, known[0], chosen))))


def _settings(adapter: Adapter[Any]) -> dict[str, Any]:
    """What the adapter must know, and what a person wants otherwise than by default."""
    from connector.cli.adapters import described
    from connector.config_form import is_asked

    fields = adapter.settings.model_fields
    settings: dict[str, Any] = {}

    def take(key: str) -> Callable[[str], str]:
        def checked(answer: str) -> str:
            settings[key] = _value(adapter, key, answer)
            return answer

        return checked

    def asked(key: str, known: str) -> Callable[[str], str]:
        return lambda answer: answer if answer in ("", known) else take(key)(answer)

    for key, field in fields.items():
        if field.is_required():
            typer.echo(f"  {described(field)}")
            _until(key, None, take(key))
    for key, field in fields.items():
        if not field.is_required() and is_asked(field):
            typer.echo(f"  {described(field)}")
            default = field.get_default(call_default_factory=True)
            known = str(default) if default else ""
            _until(t(f"{key} (empty: none)", f"{key}（可留空）") if not known else key, known, asked(key, known))
    others = [key for key, field in fields.items() if not field.is_required()]
    if others:
        typer.echo(t("Other settings, with their defaults:", "其他设置及默认值："))
    for key in (one for one in others if not is_asked(fields[one])):
        default = fields[key].get_default(call_default_factory=True)
        shown = toml_value(default) if isinstance(default, (str, bool, int)) else t("none", "无")
        typer.echo(f"  {key} = {shown}  {described(fields[key])}")

    def changed(answer: str) -> str:
        key, sign, value = answer.partition("=")
        key = key.strip()
        if answer and (not sign or key not in others):
            raise ValueError(
                t(f"Write NAME=VALUE. Names: {near(key, others)}", f"请写成 名称=值。名称：{near(key, others)}")
            )
        if answer:
            settings[key] = _value(adapter, key, value.strip())
        else:
            _together(adapter, settings)
        return answer

    while others and _until(
        t("Change one: NAME=VALUE (empty: done)", "修改其中一项：名称=值（留空结束）"), "", changed
    ):
        pass
    return settings


def _together(adapter: Adapter[Any], settings: dict[str, Any]) -> None:
    """ValueError where the settings are each right and still do not go together."""
    from pydantic import ValidationError

    from connector.config_words import reason

    try:
        adapter.settings.model_validate(settings)
    except ValidationError as wrong:
        said = [reason(e) for e in wrong.errors(include_input=False, include_url=False)]
        raise ValueError(say(joined(said))) from None


def _value(adapter: Adapter[Any], key: str, answer: str) -> Any:
    """An answer as the setting wants it: a number, a truth, a list, else the words. ValueError where it will not do."""
    import tomllib

    from pydantic import ValidationError

    from connector.config_words import reason

    if re.search(r"://[^/\s]*:[^/\s]*@", answer):
        raise ValueError(
            t("No password in an address: secrets are only referred to.", "地址中不得含密码：密钥只能引用。")
        )
    tries: list[Any] = [answer]
    with contextlib.suppress(tomllib.TOMLDecodeError):
        tries.insert(0, tomllib.loads(f"it = {answer}")["it"])
    why = ""
    for value in tries:
        try:
            adapter.settings.model_validate({key: value})
        except ValidationError as wrong:
            mine = [e for e in wrong.errors(include_input=False, include_url=False) if e["loc"][:1] == (key,)]
            if not mine:
                return value
            why = say(reason(mine[0]))
        else:
            return value
    raise ValueError(t(f"{key}: {why}", f"{key}：值不可用（{why}）"))
