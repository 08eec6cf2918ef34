"""The world of the book: CSV files in the sandbox's folder, looked at and edited with nothing but the csv module."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

from tests.conformance.world import Changes, World

Sandbox = Any
Row = dict[str, str]

# What makes a row unique, by the book's description.
KEYS: dict[str, tuple[str, ...]] = {
    "customers": ("id",),
    "limits": ("id",),
    "documents": ("id",),
    "instalments": ("document_id", "number"),
    "payments": ("id",),
    "applications": ("from_id", "to_id", "instalment_number", "applied_on", "amount"),
    "orders": ("id",),
    "order_lines": ("order_id", "line"),
    "rates": ("on", "from", "to"),
    "promises": ("id",),
    "financials": ("customer_id", "period_end_on", "months", "item"),
    "events": ("id",),
}
# A column of each whose other value is a change that somebody may make, and that other value.
EDITS = {
    "customers": ("phone", "+86 21 0000 0000"),
    "limits": ("segment", "north"),
    "documents": ("number", "corrected"),
    "instalments": ("due_on", "2027-01-31"),
    "payments": ("company", "branch"),
    "applications": ("reversed_on", "2026-11-23"),
    "orders": ("priority", "9"),
    "order_lines": ("ship_on", "2027-01-31"),
    "rates": ("rate", "6.54321"),
    "promises": ("due_on", "2027-01-31"),
    "financials": ("amount", "1.25"),
    "events": ("text", "corrected"),
}


def rows(sandbox: Sandbox, stream: str) -> list[Row]:
    with (sandbox.folder / f"{stream}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def save(sandbox: Sandbox, stream: str, changed: list[Row]) -> None:
    new = sandbox.folder / f"{stream}.csv.tmp"
    with new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(changed[0]))
        writer.writeheader()
        writer.writerows(changed)
    new.replace(sandbox.folder / f"{stream}.csv")


def key(stream: str, row: Row) -> str:
    if row.get("id"):
        return row["id"]
    return "|".join(row[c] for c in KEYS[stream])


def touch(stream: str) -> Callable[[Sandbox], str]:
    def change(sandbox: Sandbox) -> str:
        here = rows(sandbox, stream)
        column, value = EDITS[stream]
        row = next(r for r in reversed(here) if r[column] != value)
        row[column] = value
        save(sandbox, stream, here)
        return key(stream, row)

    return change


def remove(stream: str) -> Callable[[Sandbox], str]:
    def change(sandbox: Sandbox) -> str:
        *rest, last = rows(sandbox, stream)
        save(sandbox, stream, rest)
        return key(stream, last)

    return change


WORLD = World(
    settings=lambda sandbox, url: {"path": "book", "page_rows": 20},
    held=lambda sandbox, stream: {key(stream, row) for row in rows(sandbox, stream)},
    paged=("customers", "documents", "payments"),
    changes={stream: Changes(touch=touch(stream), remove=remove(stream)) for stream in KEYS},
    customers=60,
    extra_variants={
        "absolute path": lambda sandbox, url: {"path": str(sandbox.folder), "page_rows": 25},
    },
)
