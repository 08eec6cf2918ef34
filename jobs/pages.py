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
from connector.store.statistics import refreshed
from jobs.pace import MOST, Pace
from jobs.unhurried import unhurried


@dataclass(frozen=True, slots=True)
class Source:
    """Where pages come from, by what they are mapped, and in which currency the system keeps its books."""

    system: str
    stream: str
    mapped_by: str
    ledger_currency: str | None


class StreamPace(Pace):
    """The pace for the pages of one stream, and what they have brought."""

    def __init__(self, store: Store, first: int | None = None) -> None:
        # Where nobody waits for whoever writes, pages are saved as they come.
        usual = () if store.has_turns else (MOST,)
        super().__init__(store, *((first,) if first is not None else usual))
        self._brought, self._known = 0, 0

    def brought(self, count: int, last: bool) -> None:
        """A page has brought so many records. A stream that comes for the first time is to find what it has brought itself
        as quickly as what was there: what the database knows of its tables follows each time it has doubled, and at the
        end."""
        self._brought += count
        if self._brought >= _WORTH and (last or self._brought >= 2 * self._known) and self._brought > self._known:
            self._known = self._brought
            refreshed(self.store)


# A stream that brings fewer changes nothing in how a question is best answered.
_WORTH = 4000


def save(
    store: Store, source: Source, page: Page, records: Sequence[Kept], pace: StreamPace, now: dt.datetime
) -> Counts:
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
            break
    pace.brought(len(records), page.last)
    return counts
