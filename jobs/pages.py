"""Pages: a page of a pull on its way into the store, in portions, so that whoever wants to write does not wait for all of it.

The cursor moves with the last portion. After a crash in between the page is read again, and what was saved is the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from connector.adapter import Page
from connector.store import facts
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.facts import Counts, Kept
from connector.store.leases import safe_place
from connector.store.page import Nameless
from jobs.pace import MOST, Pace
from jobs.unhurried import unhurried


@dataclass(frozen=True, slots=True)
class Source:
    """Where pages come from, by what they are mapped, and in which currency the system keeps its books."""

    system: str
    stream: str
    mapped_by: str
    ledger_currency: str | None


def pace_of(store: Store) -> Pace:
    """The pace for the pages of one stream. Where nobody waits for whoever writes, pages are saved as they come."""
    return Pace(store) if store.has_turns else Pace(store, MOST)


def save(store: Store, source: Source, page: Page, records: Sequence[Kept], pace: Pace, now: dt.datetime) -> Counts:
    """Records, facts, marks of changed customers, and with the last portion the cursor. `records` are the page's.

    Raises Stopped between two portions where the job is to end.
    """
    done, counts, said = 0, Counts(), Nameless()
    while True:
        pace.rest()
        safe_place(store)
        part = records[done : done + pace.size]
        done += len(part)
        # Not durable: after a power cut it is pulled again.
        with store.writing(durable=False, concern=Concern()) as tx, pace.portion(len(part)), unhurried():
            counts += facts.save_page(
                tx,
                source.system,
                source.stream,
                records=part,
                cursor=page.cursor,
                full=page.full,
                last=page.last,
                gone=page.gone,
                now=now,
                mapping_version=source.mapped_by,
                ledger_currency=source.ledger_currency,
                said=said,
                more=done < len(records),
            )
        if done >= len(records):
            return counts
