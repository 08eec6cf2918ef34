"""`holdfast adapters`: the products that can be connected, what each can do, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import say, t
from connector.cli.output import Column, Format, Table, clean, emit
from connector.cli.report import Form, Out
from connector.text import Text
from jobs.run_words import CHANNEL_NAMES

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from connector.adapter import Adapter

_EVIDENCE = {
    "live": Text("live", "真实系统"),
    "official-client": Text("official client", "官方客户端"),
    "documented": Text("documented", "按文档"),
}
ROLES = {
    "erp": Text("ERP", "ERP"),
    "crm": Text("CRM", "CRM"),
    "bureau": Text("bureau", "征信"),
    "rates": Text("rates", "汇率"),
}


def register(app: typer.Typer) -> None:
    @app.command(
        "adapters",
        help=t("The products that can be connected, and the evidence for each.", "可连接的产品及其验证依据。"),
    )
    def command(
        name: Annotated[str | None, typer.Argument(help=t("One of them, in detail.", "查看其中之一的详情。"))] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector import adapter as adapters

        chosen = [adapters.load(n) for n in ([name] if name else adapters.names())]
        if name and form is Format.table and out is None:
            _detail(chosen[0])
            return
        comma = t(", ", "、")
        table = Table(
            Text("Adapters", "适配器"),
            [
                Column("name", Text("name", "名称"), style="bold"),
                Column("title", Text("product", "产品")),
                Column("roles", Text("as", "用作")),
                Column("reads", Text("reads", "读取"), spare=1),
                Column("writes", Text("writes", "写入")),
                Column("evidence", Text("evidence", "依据")),
            ],
            [
                {
                    "name": a.name,
                    "title": a.title,
                    "roles": comma.join(say(ROLES[r]) for r in a.roles),
                    "reads": comma.join(say(s.title) for s in a.streams),
                    "writes": comma.join(say(CHANNEL_NAMES[c.kind]) for c in a.channels),
                    "evidence": comma.join(dict.fromkeys(say(_EVIDENCE[e.kind]) for e in a.evidence)),
                }
                for a in chosen
            ],
            notes=[Text("One in detail: holdfast adapters NAME", "查看详情：holdfast adapters 名称")],
        )
        emit(table, [_answer(a) for a in chosen], form, out)


def described(field: FieldInfo) -> str:
    """What a setting means, in the language of this call."""
    from connector.config_words import meaning

    return say(meaning(field))


def _answer(adapter: Adapter[Any]) -> dict[str, Any]:
    return {
        "name": adapter.name,
        "title": say(adapter.title),
        "roles": list(adapter.roles),
        "streams": [{"name": s.name, "facts": list(s.facts), "incremental": s.incremental} for s in adapter.streams],
        "channels": [{"kind": c.kind, "object": c.object, "batch": c.batch} for c in adapter.channels],
        "blocks": [
            {"name": b.name, "kind": b.kind, "reach": b.reach, "stops": list(b.stops), "title": say(b.title)}
            for b in adapter.blocks
        ],
        "plugins": [{"name": p.name, "title": say(p.title)} for p in adapter.plugins],
        "secrets": [{"name": s.name, "required": s.required} for s in adapter.secrets],
        "settings": _schema(adapter),
        "evidence": [{"kind": e.kind, "what": say(e.what)} for e in adapter.evidence],
    }


def _schema(adapter: Adapter[Any]) -> dict[str, Any]:
    """The JSON schema of the settings, its descriptions in the language of this call."""
    schema: dict[str, Any] = adapter.settings.model_json_schema()
    for key, field in adapter.settings.model_fields.items():
        for ours in ("zh", "path", "trial"):  # not of JSON Schema
            schema["properties"][key].pop(ours, None)
        schema["properties"][key]["description"] = described(field)
    return schema


def _detail(adapter: Adapter[Any]) -> None:
    """An adapter in full, folded to the window."""
    import sys

    from connector.cli.common import console
    from connector.cli.drawing import folded

    out = console()
    width = out.width if out.is_terminal else 10_000
    for line in _sections(adapter):
        indent = "  " if line.startswith("  ") else ""
        for at, part in enumerate(folded(clean(line.strip()), max(20, width - 6))):
            sys.stdout.write(f"{indent}{'    ' if at else ''}{part}\n")


def _sections(adapter: Adapter[Any]) -> Iterator[str]:
    from connector import adapter as adapters
    from jobs import ways

    colon, comma = t(": ", "："), t(", ", "、")
    yield f"{adapter.name} · {say(adapter.title)} · {comma.join(say(ROLES[r]) for r in adapter.roles)}"
    yield ""
    yield t("Settings", "设置")
    for key, field in adapter.settings.model_fields.items():
        need = t(" (required)", "（必填）") if field.is_required() else ""
        yield f"  {key}{need}{colon}{described(field)}"
    if adapter.secrets:
        yield ""
        yield t("Secrets, of which the configuration holds references only", "密钥（配置中只写引用）")
    for secret in adapter.secrets:
        need = "" if secret.required else t(" (optional)", "（可选）")
        yield f"  {secret.name}{need}{colon}{say(secret.title)}"
    yield ""
    yield t("Reads", "读取")
    for stream in adapter.streams:
        yield f"  {stream.name}{colon}{say(stream.title)}"
    if adapter.channels:
        yield ""
        yield t("Writes", "写入")
    for channel in adapter.channels:
        batch = t(f"batches of {channel.batch}", f"每批 {channel.batch} 条")
        yield f"  {say(CHANNEL_NAMES[channel.kind])}{colon}{channel.object}{t(', ', '，')}{batch}"
    if adapter.blocks:
        yield ""
        yield t("Holds orders by, strongest first", "冻结订单的方式（由强到弱）")
    for block in sorted(adapter.blocks, key=lambda b: b.reach != "order"):
        yield f"  {block.name}{colon}{say(ways.told(block))}"
        needs = t("; needs: ", "；需要：") + say(block.makes) if block.makes is not None else ""
        yield f"    {t('reasons in: ', '原因显示于：')}{say(block.shown)}{needs}"
    if adapter.plugins:
        yield ""
        yield t(
            f"Installed inside it: holdfast plugin build {adapter.name}",
            f"安装在其内部：holdfast plugin build {adapter.name}",
        )
    for plugin in adapter.plugins:
        yield f"  {plugin.name}{colon}{say(plugin.title)}"
    yield ""
    yield t("Evidence", "依据")
    for evidence in adapter.evidence:
        yield f"  {say(_EVIDENCE[evidence.kind])}{colon}{say(evidence.what)}"
    yield ""
    yield f"{t('Guide', '指南')}{colon}{Path(adapters.folder(adapter.name)) / 'README.md'}"
