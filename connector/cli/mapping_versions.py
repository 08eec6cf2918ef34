"""`holdfast mapping import|activate|history`: mappings of one's own in the database, tried on kept records first.

Keeping one and putting it in use are the same jobs as in the console: an administrator's, and in the audit trail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector import mapping as mappings
from connector.cli.common import OK, PROBLEMS, Cli, say, t
from connector.cli.mapping_trials import tell_trial, tried_on_kept
from connector.cli.options import Author
from connector.cli.output import Format, emit
from connector.cli.report import Form
from connector.cli.versions_shown import versions_answer, versions_table
from connector.connect import Connected, connect, loaded, read_mapping
from connector.errors import ConfigError
from connector.mapping import Mapping
from connector.text import Text

_SYSTEM = t("A configured system.", "已配置的系统。")
Note = Annotated[str, typer.Option(help=t("Why.", "原因。"))]
Most = Annotated[
    int,
    typer.Option("--records", min=0, help=t("Try it on so many records per stream.", "每个数据流试用的记录数上限。")),
]
_MOST = 5000


def register(group: typer.Typer) -> None:
    for command in (_import, _activate, _history):
        command(group)


def _system(cli: Cli, name: str) -> Connected:
    return connect(cli.config, name, cli.clock, lambda: cli.store)


def _difference(connected: Connected, new: Mapping) -> list[str]:
    old, _ = mappings.load(connected.chosen.text, name=connected.chosen.name, adapter=connected.adapter)
    return mappings.diff(old, new) if old else []


# --- the commands --------------------------------------------------------------------------------------------------------
def _import(group: typer.Typer) -> None:
    @group.command(
        "import",
        help=t(
            "Check a file, try it on kept records, and keep it as a new version of the system's mapping.",
            "检查文件，在已保存的记录上试用，并保存为该系统映射的新版本。",
        ),
    )
    def command(
        context: typer.Context,
        system: Annotated[str, typer.Argument(help=_SYSTEM)],
        file: Annotated[Path, typer.Argument(help=t("The edited mapping.", "修改后的映射。"))],
        activate: Annotated[bool, typer.Option("--activate", help=t("Put it in use at once.", "立即启用。"))] = False,
        dry: Annotated[
            bool, typer.Option("--dry-run", help=t("Only check and try it; keep nothing.", "仅检查和试用，不保存。"))
        ] = False,
        author: Author = None,
        note: Note = "",
        most: Most = _MOST,
        form: Form = Format.table,
    ) -> None:
        from jobs import mappings as jobs

        cli: Cli = context.obj
        connected = _system(cli, system)
        text = read_mapping(file)
        new = loaded(text, file.name, connected.adapter)
        lines = _difference(connected, new)
        trials, notes = tried_on_kept(cli, connected, new, most)
        if dry:
            tell_trial({"system": system, "version": None, "active": False}, lines, trials, notes, form)
            raise typer.Exit(PROBLEMS if any(one.problems for one in trials) else OK)
        person, now = cli.acting(author), cli.clock.now()
        with cli.store.writing() as tx:
            made = jobs.save(tx, cli.config, system, text, person=person, now=now, note=note)
            if activate:
                jobs.activate(tx, cli.config, system, made.number, person=person, now=now, note=note)
        active = activate or connected.chosen.version == made.number
        tell_trial({"system": system, "version": made.number, "active": active}, lines, trials, notes, form)
        if form is Format.table:
            typer.echo(t(f"Kept as version {made.number}.", f"已保存为版本 {made.number}。"))
            typer.echo(
                _from_next_pull()
                if active
                else t(
                    f"To use it: holdfast mapping activate {system} {made.number}",
                    f"启用：holdfast mapping activate {system} {made.number}",
                )
            )


def _from_next_pull() -> str:
    return t(
        "In use from the next run on, which applies it to the kept records.",
        "自下次运行起启用，并应用于已保存的记录。",
    )


def _activate(group: typer.Typer) -> None:
    @group.command(
        "activate",
        help=t(
            "Put a kept version in use, after trying it on kept records.",
            "在已保存的记录上试用后，启用某个已保存的版本。",
        ),
    )
    def command(
        context: typer.Context,
        system: Annotated[str, typer.Argument(help=_SYSTEM)],
        version: Annotated[int | None, typer.Argument(min=1, help=t("Its number.", "版本号。"))] = None,
        file: Annotated[
            bool,
            typer.Option(
                "--file",
                help=t(
                    "None of them: the file named in config.toml, else the shipped one.",
                    "不用任何版本：改用 config.toml 指定的文件，否则用自带映射。",
                ),
            ),
        ] = False,
        author: Author = None,
        note: Note = "",
        most: Most = _MOST,
        form: Form = Format.table,
    ) -> None:
        from connector.connect import chosen_mapping
        from connector.store import documents
        from jobs import mappings as jobs

        if (version is None) is not file:
            raise ConfigError(Text("Give a version, or --file.", "请给出版本号，或使用 --file。"))
        cli: Cli = context.obj
        connected, person = _system(cli, system), cli.acting(author)
        if version is not None:
            with cli.store.reading() as tx:
                text = documents.version(tx, documents.MAPPING, system, version).text
            name = f"{system}@{version}"
        else:
            chosen = chosen_mapping(cli.config, connected.system, None)
            text, name = chosen.text, chosen.name
        new = loaded(text, name, connected.adapter)  # what an older program took may not be understood any more
        lines = _difference(connected, new)
        trials, notes = tried_on_kept(cli, connected, new, most)
        with cli.store.writing() as tx:
            jobs.activate(tx, cli.config, system, version, person=person, now=cli.clock.now(), note=note)
        tell_trial({"system": system, "version": version, "active": True}, lines, trials, notes, form)
        if form is Format.table:
            typer.echo(_from_next_pull())


def _history(group: typer.Typer) -> None:
    @group.command(
        "history",
        help=t("The versions of a system's mapping, and who put which in use.", "某系统映射的各版本，以及由谁启用。"),
    )
    def command(
        context: typer.Context,
        system: Annotated[str, typer.Argument(help=_SYSTEM)],
        form: Form = Format.table,
    ) -> None:
        from connector.store import documents

        cli: Cli = context.obj
        connected = _system(cli, system)
        with cli.store.reading() as tx:
            kept = documents.versions(tx, documents.MAPPING, system)
            journal = documents.activations(tx, documents.MAPPING, system)
        chosen, zone = connected.chosen, cli.config.business.time_zone
        title = Text("Mapping of {system}", "{system} 的映射").fill(system=system)
        table = versions_table(title, chosen.origin, chosen.version, kept, journal, zone)
        answer = {
            "system": system,
            "in_use": {"version": chosen.version, "origin": say(chosen.origin)},
            **versions_answer(kept, journal),
        }
        emit(table, answer, form, None)
