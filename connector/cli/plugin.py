"""`holdfast plugin …`: what is installed inside the CRMs: which there are, and building one with one's own settings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, language, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.adapter import Adapter
    from connector.adapter_plugin import Plugin, Site
    from connector.connect import Connected
    from jobs.plugins import Built


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("What is installed inside the CRMs.", "安装在 CRM 内部的插件。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="plugin")
    _list(group)
    _build(group)
    _remove(group)


def _list(group: typer.Typer) -> None:
    @group.command("list", help=t("The plugins, what each needs, how it was proved.", "插件、所需条件与验证依据。"))
    def command(form: Form = Format.table, out: Out = None) -> None:
        from connector import adapter as adapters
        from connector.cli.adapters import _EVIDENCE
        from jobs.plugins import GENERIC

        every = [(a.name, p) for a in map(adapters.load, adapters.names()) for p in a.plugins]
        every += [("generic", p) for p in GENERIC]
        needs = Text("the address of the service", "本服务的地址")
        table = Table(
            Text("Plugins", "插件"),
            [
                Column("for", Text("for", "用于"), style="bold"),
                Column("name", Text("name", "名称")),
                Column("title", Text("what", "内容")),
                Column("needs", Text("needs", "需要")),
                Column("evidence", Text("evidence", "依据"), spare=1),
            ],
            [
                {
                    "for": owner,
                    "name": p.name,
                    "title": say(p.title),
                    "needs": needs if p.needs_address else None,
                    "evidence": t("; ", "；").join(say(_EVIDENCE[e.kind]) for e in p.evidence),
                }
                for owner, p in every
            ],
            notes=[
                Text(
                    "Build one: holdfast plugin build SYSTEM (or the name in the first column).",
                    "构建：holdfast plugin build 系统名（或第一列的名称）。",
                )
            ],
        )
        emit(table, {"plugins": [_answer(owner, p) for owner, p in every]}, form, out)


def _answer(owner: str, plugin: Plugin[Any]) -> dict[str, Any]:
    return {
        "for": owner,
        "name": plugin.name,
        "title": say(plugin.title),
        "kind": plugin.kind,
        "needs_address": plugin.needs_address,
        "secret": say(plugin.secret) if plugin.secret else None,
        "install": say(plugin.install),
        "evidence": [{"kind": e.kind, "what": say(e.what)} for e in plugin.evidence],
    }


def _build(group: typer.Typer) -> None:
    @group.command(
        "build",
        help=t(
            "Build what is installed inside a CRM, with the fields of the mapping in use. No secret goes into it.",
            "按当前映射的字段构建安装到 CRM 内的插件，其中不含任何密钥。",
        ),
    )
    def command(
        context: typer.Context,
        name: Annotated[
            str,
            typer.Argument(help=t("The name of a connected system, an adapter, or “generic”.", "已连接系统的名称、适配器，或 generic。")),
        ],
        plugin: Annotated[
            str | None, typer.Option("--plugin", help=t("Only this one of them.", "只构建其中一个。"))
        ] = None,
        to: Annotated[
            Path | None,
            typer.Option("--to", help=t("The folder it is written into; else plugins/NAME.", "写入的目录；缺省为 plugins/名称。")),
        ] = None,
        address: Annotated[
            str | None,
            typer.Option(
                "--address",
                help=t(
                    "Address of this service as the CRM reaches it, https://…; else [service] address.",
                    "CRM 访问本服务的地址，https://…；缺省取 [service] address。",
                ),
            ),
        ] = None,
        system: Annotated[
            str | None,
            typer.Option(
                "--system",
                help=t("For “generic”: the system whose ids are sent.", "用于 generic：其 id 将被使用的系统。"),
            ),
        ] = None,
        offline: Annotated[
            bool,
            typer.Option(
                "--offline",
                help=t("Do not ask the system for the names of its fields.", "不向系统查询字段名称。"),
            ),
        ] = False,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:  # fmt: skip
        cli: Cli = context.obj
        home = to or Path("plugins") / name
        made, signed, asked = _made(cli, name, plugin, address, offline, system)
        results = [(built, _written(built, home)) for built in made]
        table = _table(results, signed=signed, asked=asked)
        emit(table, {"built": [_told(built, paths) for built, paths in results]}, form, out)


def _remove(group: typer.Typer) -> None:
    @group.command(
        "remove",
        help=t(
            "Take away what provisioning has made inside a CRM for people to see; the fields with the figures stay.",
            "移除初始化时在 CRM 内创建的展示内容；存放数据的字段保留。",
        ),
    )
    def command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help=t("The name of a connected system.", "已连接系统的名称。"))],
        dry: Annotated[
            bool, typer.Option("--dry-run", help=t("Only say what would be removed.", "只说明将移除什么。"))
        ] = False,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        [connected] = cli.connected([name])
        removers = [p.remove for p in connected.adapter.plugins if p.remove is not None]
        if not removers:
            raise ConfigError(
                Text(
                    "What is installed inside {adapter} is removed there by hand, where it was installed.",
                    "{adapter} 中安装的内容须在其中手工移除（即当初安装的位置）。",
                ).fill(adapter=connected.adapter.title)
            )
        found = [finding for remove in removers for finding in remove(connected.client, dry)]
        states = {
            "fine": Text("· not there", "· 不存在"),
            "would": Text("· would go", "· 将移除"),
            "made": Text("✓ gone", "✓ 已移除"),
        }
        table = Table(
            Text("Removed", "移除"),
            [Column("state", Text("state", "状态")), Column("what", Text("what", "内容"))],
            [{"state": states.get(f.state, Text("!", "!")), "what": f.what} for f in found],
        )
        emit(table, {"removed": [{"state": f.state, "what": say(f.what)} for f in found]}, form, out)


def _made(
    cli: Cli, name: str, wanted: str | None, address: str | None, offline: bool, system: str | None
) -> tuple[list[Built], bool, bool]:
    """What was built; whether a part of it opens the signed panel where the address of the service is known; whether the
    system was asked for the names of its fields."""
    from connector import adapter as adapters
    from jobs import plugins

    if name == "generic":
        place = plugins.generic_site(system, address or _service_address(cli), language())
        return [plugins.build(p, place, plugins.generic_folder()) for p in plugins.GENERIC], True, True
    connected = _system(cli, name)
    adapter: Adapter[Any] = connected.adapter if connected else adapters.load(name)
    site = plugins.site_of(connected, address) if connected else _without(cli, adapter, address)
    folder = Path(adapters.folder(adapter.name)) / "plugin"
    found = []
    for one in plugins.chosen(adapter, wanted):
        if one.needs_address and not site.address and wanted is None:
            continue  # told of below: `left_out`
        mine = site
        if connected and not offline:
            mine = plugins.resolved(one, site, lambda: connected.client)
        found.append(plugins.build(one, mine, folder))
    return found, any(p.needs_address for p in adapter.plugins), connected is not None and not offline


def _without(cli: Cli, adapter: Adapter[Any], address: str | None) -> Site:
    """A site of nobody's system: the shipped mapping, no settings."""
    from connector import mapping as mappings
    from connector.connect import loaded
    from jobs import plugins

    mapping = loaded(mappings.shipped(adapter.name), f"{adapter.name}.toml", adapter)
    return plugins.site(adapter, mapping, address=address or _service_address(cli), language=language())


def _service_address(cli: Cli) -> str | None:
    return cli.config.service.address if cli.path.exists() else None


def _system(cli: Cli, name: str) -> Connected | None:
    """The configured system of that name, or the only one of the adapter of that name; None: there is no such system."""
    from connector import adapter as adapters

    if not cli.path.exists():
        return None
    systems = cli.config.systems
    if any(s.name == name for s in systems):
        return cli.connected([name])[0]
    of_adapter = [s.name for s in systems if s.adapter == name]
    if len(of_adapter) > 1:
        raise ConfigError(
            Text(
                "Several systems use {name}: {names}. Which one?", "有多个系统使用 {name}：{names}。请指定其一。"
            ).fill(name=name, names=", ".join(of_adapter))
        )
    if of_adapter:
        return cli.connected(of_adapter)[0]
    if name not in adapters.names():
        names = [*(s.name for s in systems), *adapters.names(), "generic"]
        raise ConfigError(
            Text("There is no system and no adapter “{name}”. Did you mean {near}?", "没有名为“{name}”的系统或适配器。是否应为 {near}？").fill(
                name=name, near=adapters.nearest(name, names)
            )
        )  # fmt: skip
    return None


def _written(built: Built, home: Path) -> list[Path]:
    from jobs import plugins

    return plugins.written(built, home / built.plugin.name)


def _table(results: list[tuple[Built, list[Path]]], *, signed: bool, asked: bool) -> Table:
    rows: list[dict[str, Any]] = [
        {"plugin": built.plugin.name, "file": str(path), "bytes": path.stat().st_size, "sha256": _digest(path)[:16]}
        for built, paths in results
        for path in paths
    ]
    table = Table(
        Text("Built", "已构建"),
        [
            Column("plugin", Text("plugin", "插件"), style="bold"),
            Column("file", Text("file", "文件")),
            Column("bytes", Text("bytes", "字节"), right=True),
            Column("sha256", Text("SHA-256", "SHA-256"), spare=1),
        ],
        rows,
    )
    for built, _ in results:
        plugin = built.plugin
        table.notes.append(Text("{name}: {where}", "{name}：{where}").fill(name=plugin.name, where=plugin.install))
        if plugin.secret is not None:
            table.notes.append(
                Text("{name}: its secret goes into {where}, never into a file.", "{name}：密钥只填写在一处（{where}），不要写入任何文件。").fill(
                    name=plugin.name, where=plugin.secret
                )
            )  # fmt: skip
    if not asked and any(built.plugin.resolve is not None for built, _ in results):
        table.notes.append(
            Text(
                "The system was not asked: field names are those of the mapping. Build it by the name of a configured system.",
                "未向系统查询：字段名取自映射。请用已配置系统的名称构建。",
            )
        )
    if signed and not any(built.site.address for built, _ in results):
        table.notes.append(
            Text(
                "Built without the address of the service: the fields are shown, the signed panel is left out (--address https://…).",
                "构建时未提供本服务的地址：仅显示字段，不含签名面板（--address https://…）。",
            )
        )
    return table


def _told(built: Built, paths: list[Path]) -> dict[str, Any]:
    return {
        "plugin": built.plugin.name,
        "system": built.site.system,
        "address": built.site.address or None,
        "files": [{"path": str(p), "sha256": _digest(p)} for p in paths],
        "install": say(built.plugin.install),
        "left_out": list(built.left_out),
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
