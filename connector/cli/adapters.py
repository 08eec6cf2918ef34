"""`holdfast adapters`: the products that can be connected, what each can do, and the evidence for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from connector import adapter as adapters
from connector.cli.common import say, t
from connector.cli.output import Column, Format, Table, emit
from connector.text import Text

_EVIDENCE = {
    "live": Text("live", "真实系统"),
    "official-client": Text("official client", "官方客户端"),
    "documented": Text("documented", "按文档"),
}
_KINDS = {
    "customer_fields": Text("fields", "字段"),
    "order_fields": Text("order flag", "订单标记"),
    "hold": Text("hold", "冻结"),
    "limit": Text("limit", "额度"),
    "task": Text("tasks", "任务"),
}


def register(app: typer.Typer) -> None:
    @app.command(
        "adapters",
        help=t("The products that can be connected, and the evidence for each.", "可连接的产品及其验证依据。"),
    )
    def command(
        name: Annotated[str | None, typer.Argument(help=t("One of them, in detail.", "查看其中之一的详情。"))] = None,
        form: Annotated[Format, typer.Option("--format")] = Format.table,
    ) -> None:
        chosen = [adapters.load(n) for n in ([name] if name else adapters.names())]
        if name and form is Format.table:
            _detail(chosen[0])
            return
        table = Table(
            Text("Adapters", "适配器"),
            [
                Column("name", Text("name", "名称"), style="bold"),
                Column("title", Text("product", "产品")),
                Column("roles", Text("as", "用作")),
                Column("reads", Text("reads", "读取")),
                Column("writes", Text("writes", "写入")),
                Column("evidence", Text("evidence", "依据")),
            ],
            [
                {
                    "name": a.name,
                    "title": a.title,
                    "roles": ", ".join(a.roles),
                    "reads": ", ".join(s.name for s in a.streams),
                    "writes": ", ".join(say(_KINDS[c.kind]) for c in a.channels),
                    "evidence": ", ".join(dict.fromkeys(say(_EVIDENCE[e.kind]) for e in a.evidence)),
                }
                for a in chosen
            ],
        )
        emit(table, [_answer(a) for a in chosen], form, None)


def _answer(adapter: adapters.Adapter[Any]) -> dict[str, Any]:
    return {
        "name": adapter.name,
        "title": say(adapter.title),
        "roles": list(adapter.roles),
        "streams": [{"name": s.name, "facts": list(s.facts), "incremental": s.incremental} for s in adapter.streams],
        "channels": [{"kind": c.kind, "object": c.object, "batch": c.batch} for c in adapter.channels],
        "secrets": [{"name": s.name, "required": s.required} for s in adapter.secrets],
        "settings": adapter.settings.model_json_schema(),
        "evidence": [{"kind": e.kind, "what": say(e.what)} for e in adapter.evidence],
    }


def _detail(adapter: adapters.Adapter[Any]) -> None:
    lines = [f"{adapter.name} · {say(adapter.title)} · {', '.join(adapter.roles)}", "", t("Settings:", "设置：")]
    for key, field in adapter.settings.model_fields.items():
        need = t(" (required)", "（必填）") if field.is_required() else ""
        lines.append(f"  {key}{need}: {field.description or ''}")
    lines += ["", t("Secrets:", "密钥：")]
    lines += [
        f"  {s.name}{'' if s.required else t(' (optional)', '（可选）')}: {say(s.title)}" for s in adapter.secrets
    ]
    lines += ["", t("Reads:", "读取：")]
    lines += [f"  {s.name}: {say(s.title)}" for s in adapter.streams]
    lines += ["", t("Writes:", "写入：")]
    lines += [f"  {say(_KINDS[c.kind])}: {c.object} ({t('batches of', '每批')} {c.batch})" for c in adapter.channels]
    lines += ["", t("Evidence:", "依据：")]
    lines += [f"  {say(_EVIDENCE[e.kind])}: {say(e.what)}" for e in adapter.evidence]
    guide = Path(adapters.folder(adapter.name)) / "README.md"
    lines += ["", t(f"Guide: {guide}", f"指南：{guide}")]
    typer.echo("\n".join(lines))
