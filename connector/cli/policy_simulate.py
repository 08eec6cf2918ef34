"""`holdfast policy simulate`: a policy run over the company's own history."""

from __future__ import annotations

import typer


def register(group: typer.Typer) -> None:
    """Comes with the replay."""
