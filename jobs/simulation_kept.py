"""Simulations that are asked for on a page: two policies over some days of the past, worked out beside the service and kept.

The texts of both policies are kept with the question, so that what it says stands, whatever is put in force later. The same
question on the same day is worked on once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.errors import ConfigError
from connector.money import EXACT
from connector.store import Connection, calculations, documents
from connector.store.calculations import Calculation
from connector.store.db import Store
from connector.text import Text
from jobs import policy as policies
from jobs.policy import Chosen
from jobs.progress import Progress
from jobs.simulate import LATE_DAYS, Simulation, simulate
from jobs.simulation_words import NAMES, SHORT, roles, told

KIND = "simulation"
ORDERS = 20
YEARS_MOST = 5
_BACKWARDS = Text("The first day is after the last.", "起始日晚于截止日。")
_AHEAD = Text("The last day is after today.", "截止日晚于今天。")
_TOO_LONG = Text("At most {years:year|years} at a time.", "一次最多 {years} 年。")
_SAME = Text("Both policies are the same text.", "两套政策内容相同。")
_NO_DRAFT = Text("Paste the draft's text.", "请粘贴政策草稿。")
_DRAFT = Text("a pasted draft", "粘贴的草稿")


def subject(tx: Connection, config: Config, which: str, draft: str = "") -> Chosen:
    """The policy that is meant by "active", "shipped", "draft" (its text is `draft`) or the number of a kept version.
    Raises ConfigError where there is none, or the draft has mistakes, listing them all."""
    if which == "draft":
        if not draft.strip():
            raise ConfigError(_NO_DRAFT)
        chosen = Chosen(draft, "draft", _DRAFT)
    elif which == "shipped":
        chosen = policies.shipped()
    elif which.isascii() and which.isdecimal() and len(which) < 10:
        chosen = policies.kept(documents.version(tx, documents.POLICY, documents.THE_POLICY, int(which)), config)
    else:
        chosen = policies.chosen(tx, config)
    chosen.loaded()
    return chosen


def ask(
    tx: Connection,
    config: Config,
    clock: Clock,
    old: Chosen,
    new: Chosen,
    first: dt.date,
    last: dt.date,
    by: str,
    *,
    late_days: int = LATE_DAYS,
) -> Calculation:
    """Asks what two policies would have done from one day to another. Raises ConfigError where that is no question."""
    now = clock.now()
    today = day_in(now, config.business.time_zone)
    if first > last:
        raise ConfigError(_BACKWARDS)
    if last > today:
        raise ConfigError(_AHEAD)
    if (last - first).days > 366 * YEARS_MOST:
        raise ConfigError(_TOO_LONG.fill(years=YEARS_MOST))
    if old.sha == new.sha:
        raise ConfigError(_SAME)
    said = f"{old.sha} {new.sha} {first} {last} {late_days} {today}"
    asked = {
        "old": _plain(old), "new": _plain(new), "first": first.isoformat(), "last": last.isoformat(),
        "late_days": late_days, "day": today.isoformat(),
    }  # fmt: skip
    return calculations.ask(tx, KIND, hashlib.sha256(said.encode()).hexdigest(), asked, by, now)


def _plain(one: Chosen) -> dict[str, Any]:
    return {
        "text": one.text, "name": one.name, "en": one.origin.en, "zh": one.origin.zh, "version": one.version,
        "sha": one.sha,
    }  # fmt: skip


def answer(store: Store, config: Config, clock: Clock, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Works it out."""
    both = [
        Chosen(one["text"], one["name"], Text(one["en"], one["zh"])).loaded() for one in (asked["old"], asked["new"])
    ]
    first, last = dt.date.fromisoformat(asked["first"]), dt.date.fromisoformat(asked["last"])
    with store.reading() as tx:
        found = simulate(tx, config, both, clock, first, last, late_days=asked["late_days"], progress=progress)
    return plain(found)


def plain(found: Simulation) -> dict[str, Any]:
    """What came out as plain data: by policy the figures of all months and of each, whose work it is, and the orders that
    would have been held longest."""
    months = sorted({month for outcome in found.outcomes for month in outcome.months})
    return {
        "currency": found.currency,
        "customers": found.debtors,
        "orders": found.orders,
        "invoices": found.sales,
        "months": [month.isoformat() for month in months],
        "sides": [
            {
                "total": told(outcome.total),
                "roles": roles(outcome.total),
                "months": [told(outcome.months.get(month, {})) for month in months],
                "unconverted": outcome.unconverted,
                "held": [
                    {
                        "order": one.number or one.order,
                        "customer": one.customer,
                        "name": one.name,
                        "since": one.since.isoformat(),
                        "days": one.days,
                        "value": EXACT.quantize(one.value, Decimal(1)),
                        "rules": list(one.rules),
                        "stopped": one.stopped,
                        "late": EXACT.quantize(one.late, Decimal(1)),
                        "lost": EXACT.quantize(one.lost, Decimal(1)),
                    }
                    for one in outcome.orders[:ORDERS]
                ],
            }
            for outcome in found.outcomes
        ],
    }


__all__ = ["KIND", "NAMES", "SHORT", "answer", "ask", "plain", "subject"]
