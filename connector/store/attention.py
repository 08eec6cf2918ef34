"""Attention: whether anything waits that should be worked on now, asked each second by every node: a few cheap looks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, or_, select

from connector.store import mails, notices
from connector.store.keys import system_names
from connector.store.marks import upto
from connector.store.tables import mark, outbox


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits. `marks` is the number of the newest mark where any customer is marked, else 0; `writes` names the
    systems to which a write is due, `hooks` those that told us of something. `notices`: somebody is to be told of an order;
    `mails`: one is to be sent."""

    marks: int = 0
    writes: frozenset[str] = frozenset()
    hooks: frozenset[str] = frozenset()
    notices: bool = False
    mails: bool = False

    def __bool__(self) -> bool:
        return bool(self.marks or self.writes or self.hooks or self.notices or self.mails)


def waiting(tx: Connection, now: dt.datetime) -> Waiting:
    """What waits now: customers to be judged, people to be told, mails to be sent, and writes that are due or whose claim
    has run out."""
    o = outbox.c
    due = or_(
        and_(o.state == "owed", or_(o.not_before.is_(None), o.not_before <= now)),
        and_(o.state == "claimed", o.claimed_until <= now),
    )
    # Written as it stands in the partial index, or it is not used.
    asked = select(o.system).where(o.state.in_(["owed", "claimed"]), due).distinct()
    marked = tx.execute(select(exists().select_from(mark))).scalar()
    names = system_names(tx)
    writes = frozenset(names[key] for key in tx.execute(asked).scalars() if key in names)
    return Waiting(upto(tx) if marked else 0, writes, notices=notices.waits(tx), mails=mails.waits(tx, now))
