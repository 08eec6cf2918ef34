"""What falls due when: open debts that are not due yet on a day, by due date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import BigInteger, Connection, cast, func, select, union_all

from connector.store import bulk
from connector.store.items import COMMERCIAL_BILL
from connector.store.opened import DAY, Asked, sources, split_later, stage_pieces


def falling_due(tx: Connection, as_of: dt.date, systems: Collection[str]) -> list[tuple[dt.date, str, int]]:
    """Due date, currency, minor units of all debts that are open on a day and due after it, by due date."""
    asked = Asked(tx, as_of, None, systems, None, None)
    staged = stage_pieces(asked, split_later(asked.shape))
    o = union_all(*sources(asked.shape, staged)).subquery("opened").c
    zero = bulk.literal(0)
    question = (
        select(o.due_on, o.currency, cast(func.sum(o.value), BigInteger))
        .where(o.sort < bulk.literal(COMMERCIAL_BILL), o.value > zero, o.due_on > DAY)
        .group_by(o.due_on, o.currency)
        .order_by(o.due_on, o.currency)
    )
    return [(day, currency, int(value)) for day, currency, value in tx.execute(question, asked.parameters)]
