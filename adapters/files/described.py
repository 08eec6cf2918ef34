"""The columns of the book's files, as their first lines name them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.files.book import BOOK
from adapters.files.client import Book
from adapters.files.rows import Unreadable
from connector.adapter_fields import RemoteField

OBJECTS = {stream: stream for stream in BOOK}


def fields(book: Book, stream: str) -> Sequence[RemoteField]:
    """The columns of all files of a stream, each once."""
    found: dict[str, RemoteField] = {}
    for part in book.parts(stream):
        for _, cells in part.rows():
            if not isinstance(cells, Unreadable):
                for cell in cells:
                    name = str(cell or "").strip()
                    if name:
                        found.setdefault(name, RemoteField(name, "", "", part.name))
            break
    return list(found.values())
