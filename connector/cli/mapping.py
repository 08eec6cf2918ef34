"""`holdfast mapping …`: check, show, compare and export a mapping, and try it on records field by field."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import Adapter, Record, nearest
from connector.cli import mapping_versions
from connector.cli.common import CONFIG, OK, PROBLEMS, Cli, say, show_problem, t, tell
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form
from connector.connect import Connected, connect, loaded, read_mapping
from connector.errors import ConfigError, Problem
from connector.mapping import Context, Mapping, Step
from connector.text import Text

_NAME = Text(
    "A configured system (with @NUMBER: a kept version), an adapter (its shipped mapping), or a .toml file.",
    "已配置的系统（加 @版本号 指已保存的版本）、适配器（其自带映射）或 .toml 文件。",
)
Version = Annotated[
    int | None,
    typer.Option(min=1, help=t("A version that is kept; else the one in use.", "已保存的版本；缺省为使用中的版本。")),
]


@dataclass(frozen=True)
class Subject:
    """What a name on the command line stands for: a mapping's text, and whose it is."""

    name: str
    text: str
    adapter: Adapter[Any] | None
    origin: Text
    system: Connected | None = None

    def load(self) -> tuple[Mapping | None, list[Problem]]:
        return mappings.load(self.text, name=self.name, adapter=self.adapter)

    def loaded(self) -> Mapping:
        """The mapping. Raises ConfigError listing all that is wrong with it."""
        return loaded(self.text, self.name, self.adapter)


# --- what the commands do ----------------------------------------------------------------------------------------------
def subject(cli: Cli, name: str, version: int | None = None) -> Subject:
    """A configured system, an adapter or a file by its name; `version`, or `NAME@3`: as it was kept.

    ConfigError with the nearest right name.
    """
    path = Path(name)
    if path.suffix == ".toml":
        text = read_mapping(path)
        return Subject(path.name, text, _adapter_named_in(text), Text("the file {name}", "文件 {name}").fill(name=name))
    name, _, number = name.partition("@")
    if number.isdecimal():
        version = int(number)
    systems = {s.name: s for s in cli.config.systems} if cli.path.exists() else {}
    if name in systems:
        connected = connect(cli.config, name, cli.clock, lambda: cli.store)
        if version is not None:
            return _kept(cli, connected, version)
        chosen = connected.chosen
        return Subject(chosen.name, chosen.text, connected.adapter, chosen.origin, connected)
    if version is not None and name in adapters.names():
        raise ConfigError(Text("Versions are kept of configured systems only.", "只有已配置的系统才有已保存的版本。"))
    if name in adapters.names():
        origin = Text("the mapping shipped with {adapter}", "{adapter} 自带的映射").fill(adapter=name)
        return Subject(f"{name}.toml", mappings.shipped(name), adapters.load(name), origin)
    raise ConfigError(
        Text(
            "“{name}” is neither a configured system nor an adapter nor a .toml file. Did you mean {near}?",
            "“{name}”既不是已配置的系统，也不是适配器或 .toml 文件。是否应为 {near}？",
        ).fill(name=name, near=nearest(name, [*systems, *adapters.names()]))
    )


def _kept(cli: Cli, connected: Connected, number: int) -> Subject:
    from connector.store import documents

    with cli.store.reading() as tx:
        version = documents.version(tx, documents.MAPPING, connected.name, number)
    origin = Text("version {number} in the database, of {author}", "数据库中的版本 {number}（{author}）").fill(
        number=number, author=version.author
    )
    return Subject(f"{connected.name}@{number}", version.text, connected.adapter, origin, connected)


def _adapter_named_in(text: str) -> Adapter[Any] | None:
    try:
        name = tomllib.loads(text).get("adapter")
    except tomllib.TOMLDecodeError:
        return None  # loading it says what is wrong, with the line
    return adapters.load(name) if isinstance(name, str) else None


def summary(mapping: Mapping) -> Text:
    """One line: what a mapping reads and writes."""
    fields = sum(len(table.fields) for tables in mapping.reads.values() for table in tables)
    return Text(
        "{name}: fine. Reads {fields} fields from {streams}; writes {writes}. Version {version}.",
        "{name}：正常。从 {streams} 读取 {fields} 个字段；写入 {writes}。版本 {version}。",
    ).fill(
        name=mapping.name,
        fields=fields,
        streams=", ".join(mapping.streams()) or "-",
        writes=", ".join(k for k in mapping.writes if mapping.writes_to(k)) or Text("nothing", "无"),
        version=mapping.version,
    )


def sample_records(adapter: Adapter[Any], stream: str) -> list[Record]:
    """The records that an adapter brings along for trying: `samples/STREAM.json`, a list of objects."""
    file = resources.files("adapters") / adapter.name / "samples" / f"{stream}.json"
    if not file.is_file():
        return []
    return as_records(file.read_text(encoding="utf-8"), f"{stream}.json")


def as_records(text: str, name: str) -> list[Record]:
    """Records from JSON: one object or a list of them. Raises ConfigError for anything else."""
    try:
        said = json.loads(text, parse_float=Decimal)
    except ValueError as wrong:
        raise ConfigError(
            Text("{name} is not JSON: {why}.", "{name} 不是合法的 JSON：{why}。").fill(name=name, why=wrong)
        ) from None
    bodies = said if isinstance(said, list) else [said]
    if not all(isinstance(b, dict) for b in bodies):
        raise ConfigError(
            Text("{name} must hold an object or a list of objects.", "{name} 须为一个对象或对象列表。").fill(name=name)
        )
    return [Record(str(b.get("id", at)), b) for at, b in enumerate(bodies, 1)]


def tried(
    mapping: Mapping, stream: str, records: Sequence[Record], context: Context
) -> list[tuple[Record, list[Step]]]:
    """What a mapping makes of some records, field by field."""
    return [(record, list(mapping.trace(stream, record, context=context))) for record in records]


def records_of(cli: Cli, whose: Subject, mapping: Mapping, stream: str, count: int) -> tuple[list[Record], Text]:
    """Records to try a mapping on, and where they come from: kept ones, else read now, else the adapter's samples."""
    connected = whose.system
    if connected is not None:
        from connector.store import records

        with cli.store.reading() as tx:
            kept = [Record(k.key, k.body, k.where) for k in records.kept(tx, connected.name, stream, count)]
        if kept:
            return kept, Text("kept records", "已保存的记录")
        pages = connected.adapter.stream(stream).read(connected.client, None, mapping.wanted(stream))
        found = list(itertools.islice((r for page in pages for r in page.records), count))
        return found, Text("read just now", "刚刚读取")
    assert whose.adapter is not None
    return sample_records(whose.adapter, stream)[:count], Text("samples", "样例")


# --- the commands --------------------------------------------------------------------------------------------------------
def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help=t(
            "Check, show, compare, export, try, import and put in use mappings.",
            "检查、查看、比较、导出、试用、导入和启用字段映射。",
        ),
    )
    app.add_typer(group, name="mapping")
    for command in (_check, _show, _diff, _export, _try):
        command(group)
    mapping_versions.register(group)


def _check(group: typer.Typer) -> None:
    @group.command("check", help=t("Say all that is wrong with a mapping.", "列出映射中的全部问题。"))
    def command(
        context: typer.Context,
        names: Annotated[list[str] | None, typer.Argument(help=say(_NAME))] = None,
    ) -> None:
        cli: Cli = context.obj
        code = OK
        for name in names or [s.name for s in cli.config.systems]:
            mapping, problems = subject(cli, name).load()
            for problem in problems:
                typer.echo(show_problem(problem))
            if mapping is None:
                code = CONFIG
            else:
                typer.echo(say(summary(mapping)))
        raise typer.Exit(code)


def _show(group: typer.Typer) -> None:
    @group.command("show", help=t("Print the mapping that is in use.", "显示正在使用的映射。"))
    def command(
        context: typer.Context, name: Annotated[str, typer.Argument(help=say(_NAME))], version: Version = None
    ) -> None:
        found = subject(context.obj, name, version)
        # Beside the answer, so that `show > FILE` gives the file back.
        tell(t(f"# {found.origin.en}", f"# {found.origin.zh}"))
        typer.echo(found.text, nl=False)


def _diff(group: typer.Typer) -> None:
    @group.command(
        "diff",
        help=t(
            "What differs between two mappings, from the shipped one, or (--version) from the one in use.",
            "比较两份映射、与自带映射的差异，或（--version）与使用中映射的差异。",
        ),
    )
    def command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help=say(_NAME))],
        other: Annotated[str | None, typer.Argument(help=t("The other one.", "另一份映射。"))] = None,
        version: Version = None,
    ) -> None:
        new = subject(context.obj, name, version)
        if version is not None and other is None:
            # What activating that version would change.
            lines = mappings.diff(subject(context.obj, name).loaded(), new.loaded())
        elif other is not None:
            lines = mappings.diff(new.loaded(), subject(context.obj, other).loaded())
        elif new.adapter is not None:
            shipped = loaded(mappings.shipped(new.adapter.name), f"{new.adapter.name}.toml", new.adapter)
            lines = mappings.diff(shipped, new.loaded())
        else:
            raise ConfigError(Text("Say with which mapping it is compared.", "请指明与哪份映射比较。"))
        for line in lines or [t("No difference.", "没有差异。")]:
            typer.echo(line)


def _export(group: typer.Typer) -> None:
    @group.command("export", help=t("Write the mapping that is in use to a file.", "将正在使用的映射写入文件。"))
    def command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help=say(_NAME))],
        file: Annotated[Path, typer.Argument(help=t("The new file.", "新文件。"))],
        version: Version = None,
        force: Annotated[bool, typer.Option(help=t("Replace a file that is there.", "覆盖已有文件。"))] = False,
    ) -> None:
        if file.exists() and not force:
            raise ConfigError(
                Text("{file} is there already: --force replaces it.", "{file} 已存在：使用 --force 覆盖。").fill(
                    file=file
                )
            )
        text = subject(context.obj, name, version).text
        try:
            file.write_bytes(text.encode("utf-8"))  # line ends as they are
        except OSError as wrong:
            raise ConfigError(
                Text("{file} cannot be written: {why}.", "无法写入 {file}：{why}。").fill(
                    file=file, why=wrong.strerror or type(wrong).__name__
                )
            ) from None
        typer.echo(t(f"Written to {file}.", f"已写入 {file}。"))


_COLUMNS = [
    Column("record", Text("record", "记录"), style="bold"),
    Column("table", Text("table", "表")),
    Column("field", Text("field", "字段")),
    Column("before", Text("before", "之前")),
    Column("after", Text("after", "之后")),
    Column("problem", Text("problem", "问题")),
]


def _try(group: typer.Typer) -> None:
    @group.command(
        "try",
        help=t(
            "Run a mapping over some records: before and after of each field.",
            "用若干记录试运行映射：逐字段显示前后值。",
        ),
    )
    def command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help=say(_NAME))],
        file: Annotated[
            Path | None, typer.Argument(help=t("Try this mapping on the records of NAME.", "用该映射试 NAME 的记录。"))
        ] = None,
        stream: Annotated[list[str] | None, typer.Option(help=t("Only this stream.", "仅此数据流。"))] = None,
        count: Annotated[
            int, typer.Option("--records", min=1, help=t("Records per stream.", "每个数据流的记录数。"))
        ] = 2,
        record: Annotated[
            Path | None, typer.Option(help=t("JSON file with records of your own.", "含自备记录的 JSON 文件。"))
        ] = None,
        form: Form = Format.table,
    ) -> None:
        cli: Cli = context.obj
        whose = subject(cli, name)
        mapping = loaded(read_mapping(file), file.name, whose.adapter) if file else whose.loaded()
        rows: list[dict[str, Any]] = []
        notes: list[Text] = []
        for each in stream or mapping.streams():
            if record is not None:
                found, origin = (
                    as_records(read_mapping(record), record.name)[:count],
                    Text("{file}", "{file}").fill(file=record.name),
                )
            else:
                found, origin = records_of(cli, whose, mapping, each, count)
            notes.append(
                Text("{stream}: {count} records ({origin})", "{stream}：{count} 条记录（{origin}）").fill(
                    stream=each, count=len(found), origin=origin
                )
            )
            business = cli.config.business if whose.system else None
            about = Context(business.time_zone, business.currency, name) if business else Context(system=name)
            for one, steps in tried(mapping, each, found, about):
                rows += [_row(one, step) for step in steps if step.before or step.after or step.problem]
        table = Table(Text("Mapping {name}", "映射 {name}").fill(name=mapping.name), _COLUMNS, rows, notes=notes)
        emit(table, {"mapping": mapping.name, "version": mapping.version, "fields": rows}, form, None)
        raise typer.Exit(PROBLEMS if any(r["problem"] for r in rows) else OK)


def _row(record: Record, step: Step) -> dict[str, Any]:
    wrong = step.problem
    return {
        "record": record.where or record.key,
        "table": step.table,
        "field": step.field,
        "before": step.before,
        "after": step.after,
        "problem": f"{say(wrong.what)} {say(wrong.fix)}" if wrong else "",
    }
