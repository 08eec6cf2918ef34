"""Acknowledging warnings: somebody who looks after a customer has taken note of one, says what is done about it, and until
when it rests.

It goes on standing, with all that the policy makes of its level; only the lists of what is to be looked at leave it out
until that day. A level that is raised ends the rest at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.authority import Person
from connector.credit.warn_words import NAMES
from connector.errors import ConfigError
from connector.store import Connection, alerts, audit
from connector.store.alerts import Acknowledged, Alert
from connector.store.customers import CustomerRow
from connector.text import Text

DAYS_MOST = 92  # longer is a matter of the policy, or of an exclusion
ACTION = "warning.acknowledge"


def acknowledge(
    tx: Connection,
    config: Config,
    clock: Clock,
    row: CustomerRow,
    person: Person,
    why: str,
    until: dt.date,
    indicators: Collection[str] | None = None,
) -> list[Alert]:
    """Takes note of open warnings of a customer (None: of all that stand) in somebody's name; gives them.

    ConfigError where the person may not, nothing like it stands, no reason is given, or the day is not within reach.
    """
    today = day_in(clock.now(), config.business.time_zone)
    if not person.alone and not person.roles & {"credit_controller", "approver"}:
        raise ConfigError(_NOT_YOURS.fill(person=person.name or person.id))
    if not why.strip():
        raise ConfigError(_NO_REASON)
    if not today < until <= today + dt.timedelta(days=DAYS_MOST):
        last = today + dt.timedelta(days=DAYS_MOST)
        raise ConfigError(_WHEN.fill(first=today + dt.timedelta(days=1), last=last))
    standing = alerts.standing(tx, [row.debtor]).get(row.debtor, {}) if row.debtor is not None else {}
    wanted = set(standing) if indicators is None else set(indicators)
    if not standing:
        raise ConfigError(_NOTHING.fill(name=row.name or row.ref))
    if stray := sorted(wanted - set(standing)):
        there = ", ".join(sorted(standing))
        raise ConfigError(_NOT_THERE.fill(name=row.name or row.ref, stray=", ".join(stray), there=there))
    assert row.debtor is not None, "a warning stands"
    now, before = clock.now(), alerts.acknowledged(tx, [row.debtor]).get(row.debtor, {})
    noted = Acknowledged(person.actor, now, "green", why.strip(), until)
    found = alerts.acknowledge(tx, row.debtor, wanted, noted)
    entries = [
        audit.Entry(
            ACTION,
            f"customer:{row.system}/{row.ref}",
            person.actor,
            noted.why,
            before=None if (old := before.get(one.indicator)) is None else {"by": old.by, "until": old.until},
            after={"indicator": one.indicator, "level": one.state.level, "until": until, "value": one.value},
        )
        for one in sorted(found, key=lambda each: list(NAMES).index(each.indicator))
    ]
    audit.append(tx, entries, now)
    return found


_NOT_YOURS = Text(
    "{person} is neither a credit controller nor an approver: others take note of warnings.",
    "{person} 不是信用专员或审批人，不能确认预警。",
)
_NO_REASON = Text("Say what is done about it: --why WORDS.", "请说明处理情况：--why 内容。")
_WHEN = Text("It can rest until a day from {first} to {last}.", "暂缓截止日须在 {first} 至 {last} 之间。")
_NOTHING = Text("No warning of {name} stands.", "{name} 当前没有预警。")
_NOT_THERE = Text("{name} has no warning {stray}. There are: {there}.", "{name} 没有预警 {stray}。现有：{there}。")
