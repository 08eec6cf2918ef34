"""Papers of the credit file: notes and attachments, append-only; attachments are files named by their SHA-256.

The folder is beside the store; a file in it is written once, under a name that its content gives, and read only if it
still has that content.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from connector.credit.review import OnFile
from connector.errors import ConfigError
from connector.policy_review import Paper
from connector.store import bulk
from connector.store.tables import paper
from connector.text import Text

MOST_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """One paper. `dated_on` is its own date, `added_at` when it came into the file, by whom, from which `source`.

    `personal`: it speaks of a person; then `purpose` says what it is kept for and `keep_until` how long (个人信息保护法
    arts. 6, 19).
    """

    id: int = 0
    debtor: int
    kind: Paper
    dated_on: dt.date
    source: str
    added_by: str
    added_at: dt.datetime
    valid_to: dt.date | None = None
    note: str = ""
    name: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha: str | None = None
    personal: bool = False
    purpose: str | None = None
    keep_until: dt.date | None = None


def add(tx: Connection, one: PaperRow) -> int:
    """Puts a paper into the file; gives its number."""
    values = {name: getattr(one, name) for name in PaperRow.__dataclass_fields__ if name != "id"}
    number: int = tx.execute(paper.insert().values(**values).returning(paper.c.id)).scalar_one()
    return number


def papers(tx: Connection, debtors: Collection[int] | None = None) -> list[PaperRow]:
    """The papers of debtors in the order they came."""
    asked = select(paper).order_by(paper.c.id)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, paper.c.debtor, debtors))
    return [_row(row) for row in tx.execute(asked)]


def by_id(tx: Connection, number: int) -> PaperRow | None:
    """One paper."""
    row = tx.execute(select(paper).where(paper.c.id == number)).one_or_none()
    return None if row is None else _row(row)


def held(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, list[OnFile]]:
    """What is on file of each debtor, as the rules of review ask for it."""
    p = paper.c
    asked = select(p.debtor, p.kind, p.dated_on, p.valid_to).order_by(p.id)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, p.debtor, debtors))
    found: dict[int, list[OnFile]] = defaultdict(list)
    for debtor, kind, dated_on, valid_to in tx.execute(asked):
        found[debtor].append(OnFile(kind, dated_on, valid_to))
    return dict(found)


def _row(row: Any) -> PaperRow:
    return PaperRow(**{name: getattr(row, name) for name in PaperRow.__dataclass_fields__})


# --- attachments -----------------------------------------------------------------------------------------------------------
def keep(folder: Path, file: Path) -> tuple[str, int]:
    """Copies a file into the folder under its SHA-256; gives that and its size. ConfigError where it cannot be read or is
    too large. The copy is complete before it has its name, so that a stop leaves no half of one."""
    return keep_content(folder, read(file))


def keep_content(folder: Path, content: bytes) -> tuple[str, int]:
    """Keeps what was read of a file; gives its SHA-256 and size. What is there is written anew where it was spoilt."""
    sha = hashlib.sha256(content).hexdigest()
    place = _place(folder, sha)
    if not place.exists() or hashlib.sha256(place.read_bytes()).hexdigest() != sha:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(place)
    return sha, len(content)


def read(file: Path) -> bytes:
    """A file's content. ConfigError where it cannot be read or is too large."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as wrong:
        raise ConfigError(
            Text("{file} cannot be read: {why}", "无法读取 {file}：{why}").fill(file=file, why=wrong.strerror)
        ) from wrong
    if len(content) > MOST_BYTES:
        raise ConfigError(
            Text("{file} is larger than {most} MB.", "{file} 超过 {most} MB。").fill(
                file=file.name, most=MOST_BYTES // 1024 // 1024
            )
        )
    return content


def content(folder: Path, sha: str) -> bytes:
    """An attachment. ConfigError where it is gone or is not what was put in."""
    try:
        found = _place(folder, sha).read_bytes()
    except OSError as wrong:
        raise ConfigError(_GONE.fill(sha=sha[:12], folder=folder)) from wrong
    if hashlib.sha256(found).hexdigest() != sha:
        raise ConfigError(_CHANGED.fill(sha=sha[:12], folder=folder))
    return found


def _place(folder: Path, sha: str) -> Path:
    return folder / sha[:2] / sha


_GONE = Text(
    "The attachment {sha}… is not in {folder} any more. Bring it back from a backup.",
    "附件 {sha}… 已不在 {folder} 中。请从备份恢复。",
)
_CHANGED = Text(
    "The attachment {sha}… in {folder} was changed: it is not the file that was put in. Bring it back from a backup.",
    "{folder} 中的附件 {sha}… 已被改动，与存入时不一致。请从备份恢复。",
)
