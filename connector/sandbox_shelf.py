"""The shelf of a sandbox: its objects as JSON, kept over restarts."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from decimal import Decimal
from json import JSONDecoder
from pathlib import Path
from typing import Any

import simplejson

# One decoder for all: `json.loads` with an option makes a new one each time, which costs more than a small object.
_DECODE = JSONDecoder(parse_float=Decimal).decode


class Shelf:
    """The sandbox's objects: JSON values by kind and id, in a file of its own or in memory; written at once."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.execute(
            "create table if not exists thing (kind text, id text, value text, primary key (kind, id)) without rowid"
        )

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Several changes as one; nobody else reads or writes meanwhile. May be nested."""
        with self._lock:
            nested = self._db.in_transaction
            if not nested:
                self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                if not nested:
                    self._db.execute("rollback")
                raise
            if not nested:
                self._db.execute("commit")

    def put(self, kind: str, key: str, value: Any) -> None:
        with self._lock:
            text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False)
            self._db.execute("insert or replace into thing values (?, ?, ?)", (kind, key, text))

    def get(self, kind: str, key: str) -> Any | None:
        with self._lock:
            row = self._db.execute("select value from thing where kind = ? and id = ?", (kind, key)).fetchone()
        return _DECODE(row[0]) if row else None

    def drop(self, kind: str, key: str) -> bool:
        with self._lock:
            return self._db.execute("delete from thing where kind = ? and id = ?", (kind, key)).rowcount > 0

    def all(self, kind: str) -> list[Any]:
        """Every object of a kind, by id."""
        with self._lock:
            rows = self._db.execute("select value from thing where kind = ? order by id", (kind,)).fetchall()
        found: list[Any] = _DECODE(f"[{','.join(r[0] for r in rows)}]")
        return found

    def by_id(self, kind: str) -> dict[str, Any]:
        """Every object of a kind, by id."""
        with self._lock:
            rows = self._db.execute("select id, value from thing where kind = ? order by id", (kind,)).fetchall()
        return {key: _DECODE(value) for key, value in rows}

    @property
    def changes(self) -> int:
        """How often anything was changed so far: while it stays the same, so does everything on the shelf."""
        return self._db.total_changes

    def count(self, kind: str) -> int:
        with self._lock:
            return int(self._db.execute("select count(*) from thing where kind = ?", (kind,)).fetchone()[0])

    def next(self, name: str, first: int = 1) -> int:
        """The next number of a named series."""
        with self.together():
            value = int(self.get("~series", name) or first)
            self.put("~series", name, value + 1)
            return value

    def settle(self) -> None:
        """Brings everything into the one file, so that it can be copied."""
        with self._lock:
            self._db.execute("pragma wal_checkpoint(truncate)")
