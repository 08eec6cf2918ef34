"""Echoes: what other records say of a fact, beside the record whose word counts.

Two records may say the same fact, a payment and an invoice the same application. The later word counts and stands in the
fact's own table; the words before it wait here. Where the record whose word counts says it no longer, the latest of those
that wait takes its place, so that a fact is there exactly while somebody says it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, select

from connector.store import bulk, quick
from connector.store.outbox_row import packed, unpacked
from connector.store.page import Saving
from connector.store.tables import echo
from connector.store.tables_kinds import Exact

# The columns of a fact as a record says them; the record comes first.
Word = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says of one kind: for each id the word that counts, and the words of other records before it."""

    words: dict[str, Word]
    before: Sequence[tuple[str, Word]] = ()


def standing(
    saving: Saving, table: Table, columns: tuple[str, ...], refs: Collection[str], family: str | None = None
) -> dict[str, tuple[int, Word]]:
    """Of those of some facts that are there, key and word, by id."""
    if not refs:
        return {}
    tx = saving.tx
    asked = _standing(bulk.is_sqlite(tx), table, columns, family)
    found = quick.rows(tx, asked, {"of": saving.system, "ids": bulk.given(tx, refs)})
    return {row[0]: (row[1], row[2:]) for row in found}


@cache
def _standing(sqlite: bool, table: Table, columns: tuple[str, ...], family: str | None) -> Select[Any]:
    c = table.c
    own = [bulk.of_system(c.system), *([c.family == bulk.word(family)] if family else ())]
    return select(c.ref, c.id, *(c[name] for name in columns)).where(*own, bulk.among_ids(sqlite, c.ref))


def keep(
    saving: Saving, kind: str, columns: Sequence[str], said: Said, replaced: Sequence[tuple[str, Word]] = ()
) -> None:
    """Keeps the words that do not count any more. `replaced` are those that stood in the table until now, `columns` the
    names of a word's values."""
    earlier = {(word[0], ref): word for ref, word in said.before}
    stood = {(word[0], ref): word for ref, word in replaced if word[0] is not None and word[0] not in saving.told}
    waiting = {key: word for key, word in stood.items() if key not in earlier} | earlier
    if not waiting:
        return
    rows = [
        (saving.system, kind, ref, record, packed(dict(zip(columns[1:], word[1:], strict=True))))
        for (record, ref), word in waiting.items()
    ]
    ids = bulk.new_ids(saving.tx, echo, len(rows))
    names = ("id", "system", "kind", "ref", "record", "word")
    bulk.insert(saving.tx, echo, names, [(key, *row) for key, row in zip(ids, rows, strict=True)])


def forget(saving: Saving, told: Collection[int], partly: Mapping[int, Collection[tuple[str, str]]]) -> None:
    """Takes out what records said before: all of those whose word is whole or that are gone, of others the facts, by kind
    and id, that they say anew."""
    c, tx = echo.c, saving.tx
    if told:
        bulk.delete_by(tx, c.record, told)
    if partly:
        asked = select(c.id, c.record, c.kind, c.ref).where(bulk.among(tx, c.record, partly))
        anew = [row.id for row in tx.execute(asked) if (row.kind, row.ref) in partly[row.record]]
        bulk.delete(tx, echo, anew)


def heirs(saving: Saving, kind: str, table: Table, columns: Sequence[str], refs: Collection[str]) -> dict[str, Word]:
    """For those of some facts that other records say, too, the latest of their words; it waits no longer."""
    c, tx = echo.c, saving.tx
    asked = select(c.id, c.ref, c.record, c.word).where(
        c.system == saving.system, c.kind == kind, bulk.among(tx, c.ref, refs)
    )
    latest = {row.ref: row for row in tx.execute(asked.order_by(c.id))}
    bulk.delete(tx, echo, [row.id for row in latest.values()])
    exact = {name for name in columns[1:] if isinstance(table.c[name].type, Exact)}
    found: dict[str, Word] = {}
    for ref, row in latest.items():
        values = unpacked(row.word)
        found[ref] = (
            row.record,
            *(
                Decimal(values[name]) if name in exact and values.get(name) is not None else values.get(name)
                for name in columns[1:]
            ),
        )
    return found


__all__ = ["Said", "Word", "forget", "heirs", "keep", "standing"]
