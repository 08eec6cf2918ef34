"""`holdfast check` and `holdfast provision`: whether each system can be used, and making the fields that it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from connector.adapter import Finding
from connector.cli.common import CONFIG, OK, TROUBLE, Cli, say, t, trouble
from connector.cli.output import Column, Format, Table, emit
from connector.connect import Connected
from connector.errors import HoldfastError
from connector.text import Text, same

_STATES = {
    "fine": Text("✓ fine", "✓ 正常"),
    "made": Text("✓ made", "✓ 已创建"),
    "would": Text("· would be made", "· 将创建"),
    "todo": Text("! to do", "! 待办"),
    "wrong": Text("✗ wrong", "✗ 不符"),
}
_COLUMNS = [
    Column("system", Text("system", "系统"), style="bold"),
    Column("state", Text("state", "状态")),
    Column("what", Text("what", "内容")),
    Column("fix", Text("what to do", "如何处理")),
]


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
        systems: Annotated[list[str] | None, typer.Argument(help=t("Only these systems.", "仅检查这些系统。"))] = None,
        form: Annotated[Format, typer.Option("--format")] = Format.table,
    ) -> None:
        cli: Cli = context.obj
        raise typer.Exit(_each(cli, systems or [], form, Text("Check", "检查"), _check))

    @app.command(
        "provision",
        help=t(
            "Make the fields and rules that Holdfast writes to; list what a person must make.",
            "创建 Holdfast 写入所需的字段和规则；列出需人工创建的内容。",
        ),
    )
    def provision(
        context: typer.Context,
        systems: Annotated[list[str] | None, typer.Argument(help=t("Only these systems.", "仅这些系统。"))] = None,
        dry: Annotated[
            bool, typer.Option("--dry-run", help=t("Only say what would be made.", "只说明将创建什么。"))
        ] = False,
        form: Annotated[Format, typer.Option("--format")] = Format.table,
    ) -> None:
        cli: Cli = context.obj

        def make(connected: Connected) -> Sequence[Finding]:
            if connected.adapter.provision is None:
                return [Finding("fine", Text("nothing of ours is needed there", "无需在该系统中创建任何内容"))]
            return connected.adapter.provision(connected.client, connected.needs(), dry)

        raise typer.Exit(_each(cli, systems or [], form, Text("Provision", "创建字段"), make))


def _check(connected: Connected) -> Sequence[Finding]:
    return connected.adapter.check(connected.client, connected.needs())


def _each(cli: Cli, names: Sequence[str], form: Format, title: Text, look: Any) -> int:
    table, code = Table(title, _COLUMNS), OK
    for connected in cli.connected(names):
        try:
            findings = list(look(connected))
        except HoldfastError as wrong:
            findings = [Finding("wrong", wrong.user)]
            code = max(code, trouble(wrong))
        for finding in findings:
            table.rows.append(
                {
                    "system": connected.name,
                    "state": say(_STATES[finding.state]),
                    "what": finding.what,
                    "fix": finding.fix or same(""),
                }
            )
            if finding.state in ("wrong", "todo"):
                code = max(code, CONFIG)
    answer = [{k: say(v) if isinstance(v, Text) else v for k, v in row.items()} for row in table.rows]
    emit(table, answer, form, None)
    return TROUBLE if code == TROUBLE else code
