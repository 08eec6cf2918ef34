"""Calculating: the process beside the pages that works on long questions; the pages show how far it is."""

from __future__ import annotations

from connector.web.front import Front
from jobs.beside import Beside


class Calculating(Beside):
    """One for each front; a service that ends begins nothing."""

    def __init__(self, front: Front) -> None:
        super().__init__(front.config.file)
        self.front = front

    def begin(self) -> None:
        if not self.front.stopping:
            super().begin()
