"""`holdfast bench`: the goals as ratios, both sides measured in one run."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    return None
