"""Options that many commands have alike: who acts, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.common import t

_WHO = t("Who you are; else the user of this machine.", "操作人；缺省为本机用户。")
As = Annotated[str | None, typer.Option("--as", envvar="HOLDFAST_USER", help=_WHO)]
# Of what is kept as versions: `--author` is how it was called before.
Author = Annotated[str | None, typer.Option("--as", "--author", envvar="HOLDFAST_USER", help=_WHO)]
Why = Annotated[
    str, typer.Option("--why", "--because", help=t("The reason, for the audit trail.", "理由，记入审计日志。"))
]

__all__ = ["As", "Author", "Why"]
