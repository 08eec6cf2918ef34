"""`holdfast sandbox NAME`: our imitation of a product's API on this machine, for trying things without an account."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.common import language, t
from connector.errors import ConfigError
from connector.text import Text


def register(app: typer.Typer) -> None:
    @app.command(
        "sandbox",
        help=t("Serve the imitation of a product's API on this machine.", "在本机提供某产品 API 的模拟服务。"),
    )
    def command(
        name: Annotated[
            str, typer.Argument(help=t("The adapter: see `holdfast adapters`.", "适配器：见 `holdfast adapters`。"))
        ],
        port: Annotated[
            int,
            typer.Option(
                min=0,
                max=65535,
                help=t("Port on 127.0.0.1; 0: any free one.", "127.0.0.1 上的端口；0 为任意空闲端口。"),
            ),
        ] = 0,
        data: Annotated[
            Path | None,
            typer.Option(help=t("Folder of its state and of calls.jsonl.", "状态和 calls.jsonl 所在文件夹。")),
        ] = None,
        customers: Annotated[
            int, typer.Option(min=1, help=t("How many customers to make up.", "虚构的客户数量。"))
        ] = 200,
        seed: Annotated[
            int, typer.Option(help=t("The same seed makes the same company.", "相同种子得到相同的公司。"))
        ] = 1,
        as_of: Annotated[
            dt.datetime | None,
            typer.Option(formats=["%Y-%m-%d"], help=t("The company's own today.", "该公司的“今天”。")),
        ] = None,
    ) -> None:
        from connector import adapter as adapters
        from connector.sandbox import SandboxOptions

        day = as_of.date() if as_of else dt.datetime.now(dt.UTC).date()
        box = adapters.sandbox(
            name, SandboxOptions(data=data, customers=customers, seed=seed, as_of=day, language=language())
        )
        try:
            with box.served(port) as url:
                book = getattr(box, "folder", None)  # a book is a folder, everything else answers at an address
                typer.echo(
                    t(f"{name} sandbox on {url}", f"{name} 沙箱：{url}")
                    if book is None
                    else t(f"{name} sandbox: a book in {book}", f"{name} 沙箱：账簿位于 {book}")
                )
                settings = {k: v.format(url=url) for k, v in adapters.load(name).demo_settings.items()}
                for key, value in settings.items() if book is None else [("path", book)]:
                    typer.echo(f"  {key} = {value}")
                for key, value in box.credentials().items():
                    typer.echo(t(f"  {key} = {value}  (secret)", f"  {key} = {value}  （密钥）"))
                if data:
                    typer.echo(t(f"  state and calls: {data}", f"  状态与调用记录：{data}"))
                typer.echo(t("Ctrl+C stops it.", "按 Ctrl+C 停止。"))
                threading.Event().wait()
        except OSError as wrong:
            raise ConfigError(
                Text(
                    "Port {port} cannot be used ({why}). Choose another, or 0 for any free one.",
                    "无法使用端口 {port}（{why}）。请换一个，或用 0 取任意空闲端口。",
                ).fill(port=port, why=wrong.strerror or type(wrong).__name__)
            ) from None
