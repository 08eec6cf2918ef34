"""Housekeeping: what the night tidies up: bodies of old records, settled writes, taken slots."""

from __future__ import annotations

import datetime as dt

from connector.clock import Clock
from connector.config import Config
from connector.store import asked_runs, calculations, idempotent, inbox, mails, outbox, records, runs, sessions
from connector.store.db import Store
from jobs.run import Run, running

# Settled writes of desired state are kept this long for people who ask what was written; tasks are kept for good.
_SETTLED_DAYS = 90
# Of the short round there may be one each five seconds.
_SLOT_DAYS, _SHORT_DAYS = 30, 2
# What callers of the API may ask for again under the same key: a day, and one more for a clock that is wrong.
_ANSWER_DAYS = 2
# Events that were heeded, for people who ask what came, and long after a call that comes twice is refused as late.
_EVENT_DAYS = 14
# Sessions and codes that have ended; who signed in when stands in the audit trail.
_SESSION_DAYS = 30
# Portfolios of past days, for a year to be compared with, and simulations.
_CALCULATION_DAYS = 400


def housekeeping(store: Store, config: Config, clock: Clock) -> Run:
    """Drops what has had its time. Facts, decisions and the keys of tasks are never touched."""
    with running(store, clock, "housekeeping") as run, store.writing() as tx:
        now = clock.now()
        run.counts["bodies"] = records.expire(tx, now - dt.timedelta(days=config.store.keep_records_days))
        run.counts["mails"] = mails.expire(tx, now - dt.timedelta(days=_SETTLED_DAYS))
        run.counts["settled"] = outbox.expire(tx, now - dt.timedelta(days=_SETTLED_DAYS))
        run.counts["answers"] = idempotent.forget_before(tx, now - dt.timedelta(days=_ANSWER_DAYS))
        run.counts["events"] = inbox.expire(tx, now - dt.timedelta(days=_EVENT_DAYS))
        run.counts["sessions"] = sessions.expire(tx, now - dt.timedelta(days=_SESSION_DAYS))
        run.counts["asked"] = asked_runs.expire(tx, now - dt.timedelta(days=_SLOT_DAYS))
        run.counts["calculations"] = calculations.expire(tx, now - dt.timedelta(days=_CALCULATION_DAYS))
        run.counts["slots"] = runs.forget_slots(tx, now - dt.timedelta(days=_SLOT_DAYS))
        run.counts["slots"] += runs.forget_slots(tx, now - dt.timedelta(days=_SHORT_DAYS), "orders")
    return run
