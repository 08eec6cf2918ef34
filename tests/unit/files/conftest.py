"""A book in a temporary folder, read the way a pull reads it: adapter, then shipped mapping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import Connection, Page
from connector.clock import SystemClock
from connector.errors import Problem
from connector.mapping import Context

CUSTOMERS = "id,name,currency\nC1,Acme,CNY\nC2,Blue,CNY\n"


@dataclass
class Reading:
    """What one pull of one stream gave."""

    facts: list[Any] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    @property
    def cursor(self) -> Any:
        return self.pages[-1].cursor

    @property
    def keys(self) -> list[str]:
        return [r.key for page in self.pages for r in page.records]


@dataclass
class Books:
    """A folder for books, and what reads them."""

    folder: Path

    def write(self, **files: str | bytes) -> None:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.folder / f"{name}.csv").write_bytes(data)

    def client(self, path: str = ".", **settings: Any) -> Any:
        adapter = adapters.load("files")
        return adapter.open(
            Connection(
                name="books",
                settings=adapter.settings.model_validate({"path": path, **settings}),
                secret=lambda name: "",
                http=lambda *a, **k: pytest.fail("files need no network"),
                clock=SystemClock(),
                root=str(self.folder),
            )
        )

    def read(
        self, stream: str, cursor: Any = None, *, path: str = ".", mapping: str = "", base: str = "CNY", **settings: Any
    ) -> Reading:
        adapter = adapters.load("files")
        made, wrong = mappings.load(mapping or mappings.shipped("files"), name="files.toml", adapter=adapter)
        assert made is not None, wrong
        found = Reading()
        for page in adapter.stream(stream).read(self.client(path, **settings), cursor, made.wanted(stream)):
            found.pages.append(page)
            found.problems += page.problems
            for record in page.records:
                facts, problems = made.read(stream, record, context=Context(base=base, system="books"))
                found.facts += facts
                found.problems += problems
        assert found.pages[-1].last
        assert not any(p.last for p in found.pages[:-1])
        return found


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """An empty folder for a book with two customers."""
    made = Books(tmp_path)
    made.write(customers=CUSTOMERS)
    return made


@pytest.fixture
def said() -> Callable[[Problem], tuple[str, str, str]]:
    """A problem as a person reads it: where, the English and the Chinese sentences."""
    return lambda p: (p.where, f"{p.what.en} {p.fix.en}", f"{p.what.zh}{p.fix.zh}")
