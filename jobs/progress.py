"""Progress: what a job tells whoever watches; the command line draws bars, a test or a scheduler does not listen."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is being worked on, how much is done, and of how much where that is known."""

    def __call__(self, what: str, done: int, of: int | None = None) -> None: ...


def silent(what: str, done: int, of: int | None = None) -> None:
    """Nobody watches."""
