"""Warnings as answers for programs: who is warned of and why, since when, what keeps a level up, and those that ended."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from connector.clock import Clock, day_in
from connector.config import Config
from connector.policy import Level, Policy
from connector.store import Connection, alerts
from connector.store.alerts import Acknowledged, Alert
from connector.store.customers import CustomerRow
from jobs.frame import frame
from jobs.judge import Judged, judge
from jobs.warned import shown, thorough

LEVELS: tuple[Level, ...] = get_args(Level)


def warnings(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    row: CustomerRow | None,
    least: Level,
    *,
    rests: bool = True,
) -> list[dict[str, Any]]:
    """One line for each customer and indicator of at least a level, of one customer or of all who are warned of; `text`
    and `why` are texts in both languages, or None. By level, the highest first. Those that rest, because somebody has taken
    note of them, only where `rests`."""
    day = day_in(clock.now(), config.business.time_zone)
    debtors = None if row is None else [row.debtor] if row.debtor is not None else []
    # Whoever was warned of after the last run is looked at anew.
    chosen = sorted(alerts.open_debtors(tx)) if debtors is None else debtors
    base = frame(tx, config, policy, clock, day, debtors=chosen)
    thorough(tx, base)
    wanted = set(chosen)
    found = [
        one
        for one in judge(tx, base, chosen, orders=False, scores=True)
        if one.debtor in wanted and one.decision.warned
    ]
    found.sort(key=lambda one: (-LEVELS.index(one.decision.level), _natural(one.members[0].ref)))
    counted = LEVELS[LEVELS.index(least) :]
    noted = alerts.acknowledged(tx, chosen)
    lines = [line for judged in found for line in _of(policy, judged, counted, noted.get(judged.debtor, {}), day)]
    return [line for line in lines if rests or not line["rests"]]


def ended(tx: Connection, row: CustomerRow, least: Level) -> list[dict[str, Any]]:
    """The warnings of a customer that have ended, the newest first."""
    if row.debtor is None:
        return []
    found = [_ended(row, one) for one in alerts.history(tx, row.debtor) if one.closed_on is not None]
    return [line for line in found if LEVELS.index(line["level"]) >= LEVELS.index(least)]


def plain(line: dict[str, Any]) -> dict[str, Any]:
    """A line as values of JSON."""
    said = {key: line[key] for key in line if key not in ("text", "why")}
    for key in ("text", "why"):
        said[key] = None if line[key] is None else {"en": line[key].en, "zh": line[key].zh}
    return said


def _of(
    policy: Policy, judged: Judged, levels: Sequence[str], noted: Mapping[str, Acknowledged], today: dt.date
) -> Iterator[dict[str, Any]]:
    first = judged.members[0]
    rules = policy.of(first.segment).warning
    standing = {one.name: one for one in judged.decision.warned}
    told = [one for one in shown(judged.decision, rules) if one["level"] in levels and one["name"] in standing]
    told.sort(key=lambda one: -levels.index(one["level"]))
    for one in told:
        yield {
            "system": first.system,
            "customer_id": first.ref,
            "name": first.name,
            "customer_level": judged.decision.level,
            "actions": list(judged.decision.actions),
            "indicator": one["name"],
            "level": one["level"],
            "since": one["since"],
            "value": one["value"],
            "threshold": one["threshold"],
            "clear_runs": one["clear_runs"],
            "ended_on": None,
            "text": standing[one["name"]].today.text if standing[one["name"]].asked else None,
            "why": standing[one["name"]].why(rules),
            **_noted(noted.get(one["name"]), one["level"], today),
        }


def _noted(one: Acknowledged | None, level: Level, today: dt.date) -> dict[str, Any]:
    """What somebody has taken note of, and whether it rests today. One that has risen since the last run does not."""
    if one is None or LEVELS.index(level) > LEVELS.index(one.level):
        return {"acknowledged": None, "rests": False}
    said = {
        "by": one.by,
        "at": one.at.isoformat(timespec="seconds"),
        "level": one.level,
        "why": one.why,
        "until": one.until.isoformat(),
    }
    return {"acknowledged": said, "rests": one.rests(today)}


def _ended(row: CustomerRow, one: Alert) -> dict[str, Any]:
    return {
        "system": row.system,
        "customer_id": row.ref,
        "name": row.name,
        "customer_level": None,
        "actions": [],
        "indicator": one.indicator,
        "level": one.state.level,
        "since": None if one.state.opened_on is None else one.state.opened_on.isoformat(),
        "value": one.value,
        "threshold": None if one.threshold is None else f"{one.threshold:f}",
        "clear_runs": None,
        "ended_on": None if one.closed_on is None else one.closed_on.isoformat(),
        "text": None,
        "why": None,
        "acknowledged": None,
        "rests": False,
    }


def _natural(ref: str) -> list[tuple[int, Any]]:
    return [(0, int(p)) if p.isdigit() else (1, p) for p in re.findall(r"\d+|\D+", ref)]
