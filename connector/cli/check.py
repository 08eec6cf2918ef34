"""`holdfast check` and `holdfast provision`: whether each system can be used, and making the fields that it lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import CONFIG, OK, PROBLEMS, Cli, say, t, trouble
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import HoldfastError
from connector.text import Text

if TYPE_CHECKING:
    from connector.adapter import Finding
    from connector.connect import Connected

_STATES = {
    "fine": Text("✓ fine", "✓ 正常"),
    "made": Text("✓ made", "✓ 已创建"),
    "would": Text("· would be made", "· 将创建"),
    "todo": Text("! to do", "! 待办"),
    "wrong": Text("✗ wrong", "✗ 不符"),
}
_COLUMNS = [
    Column("system", Text("system", "系统"), style="bold"),
    Column("state", Text("state", "状态"), coloured=True),
    Column("what", Text("what", "内容")),
    Column("fix", Text("what to do", "如何处理")),
]

Systems = Annotated[list[str] | None, typer.Argument(help=t("Only these systems.", "仅这些系统。"))]


def register(app: typer.Typer) -> None:
    @app.command(
        "check",
        help=t(
            "Connect to each system, prove rights and fields, say what is missing.",
            "连接各系统，验证权限与字段，指出缺失项。",
        ),
    )
    def check(
        context: typer.Context,
        systems: Systems = None,
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.config_people import actor_here
        from jobs.look import looked

        cli: Cli = context.obj
        by = actor_here(cli.config.people, who)
        found, code = _each(cli, systems or [], lambda connected: looked(cli.store, cli.config, connected, by=by))
        if not systems and cli.config.sign_in.issuer is not None:
            found.append(("sign-in", signing := _sign_in(cli)))
            code = max(code, CONFIG if signing.state == "wrong" else OK)
        if any(finding.state == "todo" for _, finding in found):
            code = code or CONFIG
        _tell(Text("Check", "检查"), found, form, out)
        if form is Format.table and out is None:
            _next(found)
        raise typer.Exit(code)

    @app.command(
        "provision",
        help=t(
            "Make the fields and rules that Holdfast writes to; list what a person must make.",
            "创建 Holdfast 写入所需的字段和规则；列出需人工创建的内容。",
        ),
    )
    def provision(
        context: typer.Context,
        systems: Systems = None,
        dry: Annotated[
            bool, typer.Option("--dry-run", help=t("Only say what would be made.", "只说明将创建什么。"))
        ] = False,
        strict: Annotated[
            bool, typer.Option("--strict", help=t("Exit 1 where a person has to do.", "有待人工处理时退出码为 1。"))
        ] = False,
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from jobs import provisioning

        cli: Cli = context.obj
        person = None if dry else cli.acting(who)

        def make(connected: Connected) -> Sequence[Finding]:
            if person is None:
                return provisioning.lacking(connected)
            return provisioning.provision(cli.store, connected, person=person, now=cli.clock.now())

        found, code = _each(cli, systems or [], make)
        if strict and any(finding.state == "todo" for _, finding in found):
            code = code or PROBLEMS
        _tell(Text("Provision", "创建字段"), found, form, out)
        if form is Format.table and out is None and not dry and code in (OK, PROBLEMS):
            left = sum(finding.state == "todo" for _, finding in found)
            then = t("Next: holdfast run", "下一步：holdfast run")
            typer.echo(
                t(f"{left} left for a person (!). {then}", f"{left} 项需人工处理（!）。{then}") if left else then
            )
        raise typer.Exit(code)


def _each(
    cli: Cli, names: Sequence[str], look: Callable[[Connected], Sequence[Finding]]
) -> tuple[list[tuple[str, Finding]], int]:
    """What was found in each system, and the exit code that follows from what is wrong."""
    from connector.adapter import Finding

    found: list[tuple[str, Finding]] = []
    code = OK
    for name in names or [s.name for s in cli.config.systems] or [""]:
        try:
            # One at a time: a system whose secret is missing says so, the others are looked at all the same.
            [connected] = cli.connected([name] if name else [])
            findings = list(look(connected))
        except HoldfastError as wrong:
            if not name or name not in {s.name for s in cli.config.systems}:
                raise
            findings = [Finding("wrong", wrong.user)]
            code = max(code, trouble(wrong))
        found += [(name, finding) for finding in findings]
        if any(finding.state == "wrong" for finding in findings):
            code = max(code, CONFIG)
    return found, code


def _next(found: Sequence[tuple[str, Finding]]) -> None:
    """What comes after a look, where nothing is wrong."""
    states = [finding.state for _, finding in found]
    if "wrong" in states:
        return
    if todo := states.count("todo"):
        typer.echo(
            t(
                f"All systems answer. {todo} to do: holdfast provision makes what can be made from here, and lists the rest.",
                f"各系统均可访问。{todo} 项待办：holdfast provision 创建可自动创建的内容，并列出其余事项。",
            )
        )
    else:
        typer.echo(t("All is well. Next: holdfast run", "一切正常。下一步：holdfast run"))


def _sign_in(cli: Cli) -> Finding:
    """Whether the issuer of [sign_in] can be asked for the keys that its tokens are signed with."""
    from connector.adapter import Finding

    try:
        from connector.web.oidc import Issuer
    except ModuleNotFoundError:
        return Finding(
            "wrong",
            Text("The extra “web” is not installed.", "未安装附加组件 “web”。"),
            Text(
                "Run pip install '.[web]' in Holdfast's own folder.",
                "请在 Holdfast 所在文件夹执行 pip install '.[web]'。",
            ),
        )
    try:
        count = Issuer(cli.config.sign_in, cli.clock).look()
    except HoldfastError as wrong:
        return Finding("wrong", wrong.user)
    if not count:
        return Finding(
            "wrong",
            Text("The issuer publishes no key that can be used.", "签发方未公布可用的密钥。"),
            Text("RSA from 2048 bits, P-256 or Ed25519 is wanted.", "须为 2048 位以上 RSA、P-256 或 Ed25519。"),
        )
    return Finding(
        "fine",
        Text("The issuer answers; keys that can be used: {count}.", "签发方应答正常，可用密钥 {count} 个。").fill(
            count=count
        ),
    )


def _tell(title: Text, found: Sequence[tuple[str, Finding]], form: Format, out: Any) -> None:
    table = Table(
        title,
        _COLUMNS,
        [
            {"system": system, "state": _STATES[finding.state], "what": finding.what, "fix": finding.fix}
            for system, finding in found
        ],
    )
    answer = [
        {
            "system": system,
            "state": finding.state,
            "what": say(finding.what),
            "fix": say(finding.fix) if finding.fix else None,
        }
        for system, finding in found
    ]
    emit(table, answer, form, out)
