"""Positions as they were shown on a day: what the decisions said that held then, not what is known of the day now."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector.cli.common import Cli
from connector.errors import ConfigError
from connector.text import Text


def collect(cli: Cli, day: dt.date) -> list[dict[str, Any]]:
    """What was said of every debtor, by system and id; several accounts of one legal person are one line.

    ConfigError where nothing had been decided by then.
    """
    from connector.cli.report import natural
    from connector.store import customers, decisions

    erps = [s.name for s in cli.config.with_role("erp")]
    with cli.store.reading() as tx:
        made = decisions.in_force_of_all(tx, day)
        rows = customers.customers(tx, systems=erps) if erps else []
        names = {(row.system, row.ref): row.name for row in rows}
    if not made:
        raise ConfigError(Text("Nothing was decided up to {day}.", "截至 {day}，尚未作出任何信用结论。").fill(day=day))
    answers = [
        {"score": None, "grade": None, **row.body, "name": names.get((row.body["system"], row.body["customer_id"]))}
        for row in made
    ]
    return sorted(answers, key=lambda a: (a["system"], natural(a["customer_id"])))
