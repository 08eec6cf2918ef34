"""`holdfast policy …`: check, show, compare and activate the credit policy, and see what another one would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import CONFIG, Cli, say, show_problem, t, tell
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.cli.versions_shown import versions_answer, versions_table
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.policy import Policy
    from jobs.policy import Chosen

_WHICH = t(
    "A .toml file, the number of a kept version, “active” or “shipped”.",
    ".toml 文件、已保存的版本号、active（使用中）或 shipped（自带）。",
)
Note = Annotated[str, typer.Option(help=t("Why.", "原因。"))]


def register(app: typer.Typer) -> None:
    from connector.cli import policy_simulate, policy_trial

    group = typer.Typer(
        help=t("The credit policy: check, show, compare, activate, try.", "信用政策：检查、查看、比较、启用、试算。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="policy", rich_help_panel=None)
    for command in (_check, _show, _diff, _activate, _history, policy_trial.register, policy_simulate.register):
        command(group)


def subject(cli: Cli, which: str) -> Chosen:
    """The policy that a word on the command line stands for. ConfigError where there is none."""
    from connector.policy import file_text
    from connector.store import documents
    from jobs import policy as policies

    if which == "shipped":
        return policies.shipped()
    if which == "active":
        if not cli.path.exists():
            return policies.shipped()
        with cli.store.reading() as tx:
            return policies.chosen(tx, cli.config)
    number = which.removeprefix("policy").removeprefix("@")
    if number.isdecimal():
        with cli.store.reading() as tx:
            found = documents.version(tx, documents.POLICY, documents.THE_POLICY, int(number))
        return policies.kept(found, cli.config)
    path = Path(which)
    if path.suffix != ".toml" and not path.exists():
        raise ConfigError(
            Text(
                "“{which}” is no policy: give a .toml file, the number of a kept version, “active” or “shipped”.",
                "“{which}”不是政策：请给出 .toml 文件、已保存的版本号、active 或 shipped。",
            ).fill(which=which)
        )
    return policies.Chosen(file_text(path), path.name, Text("the file {name}", "文件 {name}").fill(name=which))


def segment_of(policy: Policy, name: str) -> Policy:
    """The rules of a segment. ConfigError where the document says nothing of it."""
    if name not in policy.segment:
        from connector.cli.common import near

        known = list(policy.segment)
        raise ConfigError(
            Text("The policy has no segment “{name}”. It has: {near}.", "政策中没有客群“{name}”。已有：{near}。").fill(
                name=name, near=near(name, known) if known else "-"
            )
        )
    return policy.of(name)


# --- the commands --------------------------------------------------------------------------------------------------------
def _check(group: typer.Typer) -> None:
    @group.command("check", help=t("Everything that is wrong with a policy, at once.", "一次列出政策中的所有问题。"))
    def command(
        context: typer.Context,
        which: Annotated[str, typer.Argument(metavar="FILE", help=_WHICH)] = "active",
    ) -> None:
        from connector.policy import read
        from jobs.score import Cards

        cli: Cli = context.obj
        one = subject(cli, which)
        policy, problems = read(one.text, one.name)
        if policy is None:
            for problem in problems:
                tell(show_problem(problem))
            raise typer.Exit(CONFIG)
        if cli.path.exists():
            Cards(cli.config, policy).files()
        names = ", ".join(policy.segment)
        segments = t(f" Segments: {names}.", f"客群：{names}。") if names else ""
        typer.echo(t(f"{one.name}: fine.{segments}", f"{one.name}：正常。{segments}"))


def _show(group: typer.Typer) -> None:
    @group.command("show", help=t("A policy as it was written, or with every value.", "查看政策原文，或全部生效值。"))
    def command(
        context: typer.Context,
        which: Annotated[str, typer.Argument(metavar="[WHICH]", help=_WHICH)] = "active",
        effective: Annotated[
            bool,
            typer.Option("--effective", help=t("Every value, defaults among them.", "列出全部生效值，包括默认值。")),
        ] = False,
        segment: Annotated[
            str | None,
            typer.Option(help=t("The values for this segment of customers.", "该客群的生效值。")),
        ] = None,
        out: Out = None,
    ) -> None:
        from connector.policy_shown import as_toml

        cli: Cli = context.obj
        one = subject(cli, which)
        text = one.text
        if effective or segment is not None:
            policy = one.loaded()
            if segment is not None:
                policy = segment_of(policy, segment).model_copy(update={"segment": {}})
            text = as_toml(policy)
        if out is None:
            tell(f"# {say(one.origin)}")
            typer.echo(text, nl=not text.endswith("\n"))
            return
        try:
            out.write_bytes(text.encode())
        except OSError as wrong:
            raise ConfigError(
                Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                    path=out, why=wrong.strerror or type(wrong).__name__
                )
            ) from None
        tell(t(f"Written: {out}", f"已写出：{out}"))


DIFFERENCES = [
    Column("setting", Text("setting", "设置项"), style="bold"),
    Column("before", Text("before", "原值"), right=True),
    Column("after", Text("after", "新值"), right=True),
]


def _diff(group: typer.Typer) -> None:
    @group.command(
        "diff",
        help=t(
            "The settings that differ. Of one policy: against the one in use; of none: that against the shipped one.",
            "列出不同的设置项。只给一个：与使用中的比较；都不给：使用中的与自带的比较。",
        ),
    )
    def command(
        context: typer.Context,
        first: Annotated[str | None, typer.Argument(metavar="[A]", help=_WHICH)] = None,
        second: Annotated[str | None, typer.Argument(metavar="[B]", help=_WHICH)] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.policy_shown import changes

        cli: Cli = context.obj
        pair = ("shipped", "active") if first is None else ("active", first) if second is None else (first, second)
        before, after = (subject(cli, which) for which in pair)
        found = changes(before.loaded(), after.loaded())
        table = Table(
            Text("From {a} to {b}", "从 {a} 到 {b}").fill(a=before.origin, b=after.origin),
            DIFFERENCES,
            [change._asdict() for change in found],
        )
        if not found:
            table.notes.append(Text("No setting differs.", "没有不同的设置项。"))
        answer = {
            "before": {"name": before.name, "version": before.version},
            "after": {"name": after.name, "version": after.version},
            "changes": [change._asdict() for change in found],
        }
        emit(table, answer, form, out)


def _activate(group: typer.Typer) -> None:
    @group.command(
        "activate",
        help=t(
            "Put a policy in force from the next run on; it is kept as a version, and the audit trail tells of it.",
            "自下次运行起启用某政策：保存为版本，并记入审计日志。",
        ),
    )
    def command(
        context: typer.Context,
        which: Annotated[
            str | None,
            typer.Argument(
                metavar="[FILE|VERSION]",
                help=t("A .toml file, or the number of a kept version.", ".toml 文件，或已保存的版本号。"),
            ),
        ] = None,
        file: Annotated[
            bool,
            typer.Option(
                "--file",
                help=t(
                    "None of them: the file named in config.toml, else the shipped policy.",
                    "不用任何版本：改用 config.toml 指定的文件，否则用自带政策。",
                ),
            ),
        ] = False,
        who: As = None,
        note: Note = "",
        form: Form = Format.table,
    ) -> None:
        from connector.policy_shown import changes
        from jobs import policy as policies

        cli: Cli = context.obj
        if (which is None) is not file:
            raise ConfigError(Text("Give a file or a version, or --file.", "请给出文件或版本号，或使用 --file。"))
        new = subject(cli, which) if which is not None else None
        person = cli.acting(who)
        with cli.store.writing() as tx:
            before = policies.chosen(tx, cli.config)
            done = policies.activate(tx, cli.config, new, person=person, now=cli.clock.now(), note=note)
            after = policies.chosen(tx, cli.config)
        made = done.version
        if done.missing is not None:
            tell(_waiting(made.number if made else None, done.missing))
        found = changes(before.loaded(), after.loaded())
        table = Table(
            Text("In force: {origin}", "使用中：{origin}").fill(origin=after.origin),
            DIFFERENCES,
            [change._asdict() for change in found],
            notes=[Text("In force from the next run on.", "自下次运行起生效。")] if done.missing is None else [],
        )
        answer = {
            "version": made.number if made else None,
            "in_force": done.missing is None,
            "missing": say(done.missing) if done.missing is not None else None,
            "before": before.version,
            "changes": [change._asdict() for change in found],
        }
        emit(table, answer, form, None)


def _waiting(version: int | None, whom: Text) -> str:
    asked = version if version is not None else "--file"
    return t(
        f"Not in force yet. It needs the approval of {say(whom)}: holdfast policy activate {asked} --as NAME",
        f"尚未生效，须由{say(whom)}批准：holdfast policy activate {asked} --as 姓名",
    )


def _history(group: typer.Typer) -> None:
    @group.command(
        "history", help=t("The versions of the policy, and who put which in use.", "政策的各版本，以及由谁启用。")
    )
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from connector.store import documents
        from jobs import policy as policies

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            kept = documents.versions(tx, documents.POLICY, documents.THE_POLICY)
            journal = documents.activations(tx, documents.POLICY, documents.THE_POLICY)
            used = policies.chosen(tx, cli.config)
        zone = cli.config.business.time_zone
        table = versions_table(Text("The credit policy", "信用政策"), used.origin, used.version, kept, journal, zone)
        answer = {
            "in_use": {"version": used.version, "origin": say(used.origin)},
            **versions_answer(kept, journal),
        }
        emit(table, answer, form, out)
