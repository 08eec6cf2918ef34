"""The portfolio of a day as it is kept for pages: every figure that they show, worked out beside the service.

A ledger of a million documents takes a minute to add up over two years: it is done once a day, and whenever somebody asks
for it again. What is kept is plain data; amounts are decimals in the reporting currency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connector.clock import Clock
from connector.config import Config
from connector.credit.kpi import ratio
from connector.money import EXACT, from_minor, rounded
from connector.store import Connection, calculations
from connector.store.calculations import Calculation
from connector.store.db import Store
from connector.store.falling_due import falling_due
from jobs.policy import in_force
from jobs.portfolio import Portfolio, Risk, portfolio
from jobs.portfolio_parts import bands, largest
from jobs.progress import Progress

KIND = "portfolio"
MONTHS, WINDOW, TOP, RISKS = 24, 3, 10, 25
WEEKS = 13
ZERO = Decimal(0)


def ask(tx: Connection, day: dt.date, by: str, now: dt.datetime, *, again: bool = False) -> Calculation:
    """Asks for the portfolio of a day; what is kept already is given, unless it is to be made `again`."""
    return calculations.ask(tx, KIND, day.isoformat(), {"day": day.isoformat()}, by, now, again=again)


def kept(tx: Connection, day: dt.date) -> Calculation | None:
    """What is kept of a day, and whether it is being worked on."""
    return calculations.find(tx, KIND, day.isoformat())


def before(tx: Connection, day: dt.date) -> Calculation | None:
    """What is kept of the last day before one."""
    return calculations.answered_before(tx, KIND, day.isoformat())


def days(tx: Connection, most: int = 60) -> list[dt.date]:
    """The days that are kept, the newest first."""
    return [dt.date.fromisoformat(one) for one in calculations.questions(tx, KIND, most)]


def answer(store: Store, config: Config, clock: Clock, asked: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Works out the portfolio of a day."""
    day = dt.date.fromisoformat(asked["day"])
    with store.reading() as tx:
        policy = in_force(tx, config)
        found = portfolio(tx, config, policy, clock, day, months=MONTHS, window=WINDOW, top=TOP, progress=progress)
        systems = [system.name for system in config.with_role("erp")]
        coming = falling_due(tx, day, systems)
    return plain(found) | {"falling": weeks(coming, day, found)}


def plain(found: Portfolio) -> dict[str, Any]:
    """All figures of a report as plain data."""
    money = found.currency
    return {
        "as_of": found.as_of.isoformat(),
        "currency": money,
        "window": found.window,
        "buckets": list(found.buckets),
        "left_out": sorted(found.left_out),
        "ties": found.ties,
        "ends": [
            {
                "day": end.day.isoformat(),
                "buckets": [rounded(amount, money) for amount in end.buckets],
                "receivables": rounded(end.receivables, money),
                "overdue": rounded(end.overdue, money),
                "unapplied": rounded(end.unapplied, money),
                "balance": rounded(end.balance, money),
                "disputed": rounded(end.disputed, money),
                "debtors": len(end.owed),
                "levels": dict(end.levels),
                "sales": rounded(one.sales, money),
                "dso": _digits(one.dso),
                "count_back": _digits(one.count_back.days),
                "exhausted": one.count_back.exhausted,
                "best_dso": _digits(one.best_dso),
                "delinquent": _digits(one.delinquent),
                "cei": _digits(one.effectiveness),
                "turnover_days": _digits(one.turnover_days),
                "late": _digits(one.late_signed),
                "late_floored": _digits(one.late_floored),
                "payment_index": _digits(one.payment_index),
                "overdue_share": _digits(one.overdue_share),
                "oldest_share": _digits(one.oldest_share),
                "top_share": _digits(one.concentration.top_share if one.concentration else None),
                "hhi": _digits(one.concentration.hhi if one.concentration else None),
            }
            for end, one in zip(found.ends, found.figures, strict=True)
        ],
        "rolls": [
            {
                "average": _digits(roll.average),
                "months": roll.observations,
                "last": _digits(found.rolls_last[at] if at < len(found.rolls_last) else None),
            }
            for at, roll in enumerate(found.rolls)
        ],
        "largest": [
            {
                **_named(risk),
                "receivables": rounded(owed, money),
                "share": _digits(ratio(owed, found.ends[-1].receivables)),
            }
            for risk, owed in largest(found)
        ],
        "risks": [
            {
                **_named(risk),
                "level": risk.level,
                "hold": risk.hold,
                "receivables": None if risk.receivables is None else rounded(risk.receivables, money),
                "overdue": None if risk.overdue is None else rounded(risk.overdue, money),
                "oldest_days": risk.oldest_days,
                "exposure": None if risk.exposure is None else rounded(risk.exposure, money),
                "used": _digits(risk.utilisation),
            }
            for risk in [one for one in found.risks if one.level != "green" or one.overdue][:RISKS]
        ],
        "bands": [
            {"key": key, "en": title.en, "zh": title.zh, "customers": count, "exposure": rounded(exposure, money)}
            for key, title, count, exposure in bands(found)
        ],
        "checks": [
            {
                "currency": check.currency,
                "ledger": from_minor(check.ledger.balance, check.currency),
                "customers": from_minor(check.customers, check.currency),
                "difference": from_minor(check.difference, check.currency),
            }
            for check in found.checks[-1]
        ],
    }


def weeks(coming: list[tuple[dt.date, str, int]], day: dt.date, found: Portfolio) -> list[dict[str, Any]]:
    """What falls due in each of the coming weeks (Monday to Sunday, the first one from the day after), and later."""
    sums: dict[dt.date | None, Decimal] = {}
    monday = day - dt.timedelta(days=day.weekday())
    starts = [monday + dt.timedelta(weeks=at) for at in range(WEEKS)]
    for due_on, currency, minor in coming:
        home = found.rates.home(minor, currency) if found.rates is not None else None
        if home is None:
            found.left_out.add(currency)
            continue
        start = due_on - dt.timedelta(days=due_on.weekday())
        key = start if start in starts else None
        sums[key] = sums.get(key, ZERO) + home
    made = [{"week": start.isoformat(), "amount": rounded(sums.get(start, ZERO), found.currency)} for start in starts]
    return [*made, {"week": None, "amount": rounded(sums.get(None, ZERO), found.currency)}]


def _named(risk: Risk) -> dict[str, Any]:
    return {"system": risk.first.system, "ref": risk.first.ref, "name": risk.first.name or risk.first.ref}


def _digits(value: Decimal | None) -> Decimal | None:
    """A figure without currency with as many places as any page shows."""
    return None if value is None else EXACT.quantize(value, Decimal("0.000001"))
