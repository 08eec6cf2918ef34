"""Warned: what the run of a day makes of warnings: what a decision tells of them, what is kept, what the trail says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.credit.decide import Decision
from connector.credit.warn import RANK
from connector.money import from_minor, rounded, to_minor_exact
from connector.policy_warning import Warning
from connector.store import Connection, alerts, receivables, runs
from connector.store.alerts import Change
from connector.store.audit import Entry
from connector.store.runs import RunRow
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.run import Run

TOTAL, OWING = "receivables", "owing"


def told(decision: Decision, rules: Warning) -> list[dict[str, Any]]:
    """The warnings that stand, as a decision's content has them: with their numbers and sentences."""
    found = []
    for one in decision.warned:
        if one.state.level == "green":
            continue
        text = one.text(rules)
        found.append(
            {
                "indicator": one.name,
                "level": one.state.level,
                "today": one.today.level if one.asked else None,
                "since": _day(one.state.opened_on),
                "value": one.today.kept,
                "threshold": None if one.today.threshold is None else f"{one.today.threshold:f}",
                "clear_runs": one.state.clear,
                "en": text.en,
                "zh": text.zh,
            }
        )
    return found


def lasting(decision: Decision) -> list[tuple[str, str]]:
    """What of the warnings makes a decision another one: which stand, and how high."""
    return [(one.name, one.state.level) for one in decision.warned if one.state.level != "green"]


def since(
    decision: Decision, rules: Warning, said: Mapping[str, Any], today: dt.date, held_until: str | None
) -> str | None:
    """Since when somebody is asked to look after the warnings: the day of the newest one that asks; None: nobody is.

    A level that only stands because it falls slowly asks nobody: what the task was for is over. Neither does what was
    there while the customer was held, until `held_until`: the task of the hold has told of it.
    """
    if "task" not in decision.actions:
        return None
    asking = [
        one.state.acted_on
        for one in decision.warned
        if one.state.acted_on
        and (not one.asked or "task" in rules.actions.of(one.today.level))
        and (held_until is None or one.state.acted_on.isoformat() > held_until)
    ]
    if asking:
        return max(asking).isoformat()
    return said.get("warned_since") or today.isoformat() if rules.combine == "points" else None


def standing(found: Sequence[Judged], base: Frame) -> set[str]:
    """The keys of tasks about warnings that still stand so high that they ask for one: a task stays open as long as its
    warning does, also where no new one would be made."""
    keys = set()
    for judged in found:
        first = judged.members[0]
        actions = base.policy.of(first.segment).warning.actions
        for one in judged.decision.warned:
            if one.state.acted_on and "task" in actions.of(one.state.level):
                keys.add(f"warning:{first.system}:{first.ref}:{one.state.acted_on}")
    return keys


def shown(decision: Decision, rules: Warning) -> list[dict[str, Any]]:
    """Every indicator, as people are shown it: today's reading, where it stands, since when, and why it is not lower.

    `level` is where it stands, `today` what the reading means by itself; `known` is false where nothing is known of it.
    """
    standing = {one.name: one for one in decision.warned}
    found: list[dict[str, Any]] = []
    for today in (*decision.indicators, *(one.today for one in decision.warned)):
        if any(each["name"] == today.name for each in found):
            continue
        one = standing.get(today.name)
        text = one.text(rules) if one is not None and one.state.level != "green" else today.text
        state = one.state if one is not None else None
        found.append(
            {
                "name": today.name,
                "level": state.level if state is not None else today.level,
                "today": today.level if one is None or one.asked else None,
                "value": today.kept,
                "threshold": None if today.threshold is None else f"{today.threshold:f}",
                "since": _day(state.opened_on) if state is not None else None,
                "clear_runs": state.clear if state is not None else None,
                "known": today.value is not None or bool(today.words) or not today.applies,
                "applies": today.applies,
                "en": text.en,
                "zh": text.zh,
            }
        )
    return found


# --- what is kept --------------------------------------------------------------------------------------------------------
def keep(tx: Connection, run: Run, found: Sequence[Judged], base: Frame) -> list[Entry]:
    """Keeps where the warnings of debtors stand, and gives what the audit trail says of those whose level changed."""
    mine = {one.debtor: one for one in found if one.decision.warned}
    before = {debtor: one.alerts for debtor, one in mine.items()}
    changes = alerts.keep(tx, [(one.debtor, one.decision.warned) for one in mine.values()], before, base.as_of)
    for change in changes:
        run.counts[f"warnings_{_verb(change)}"] += 1
    return list(_entries(changes, mine, base))


def _verb(change: Change) -> str:
    now, was = change.after.state.level, change.before.state.level if change.before else "green"
    if now == "green":
        return "closed"
    return "opened" if was == "green" else "raised" if RANK[now] > RANK[was] else "lowered"


_ACTIONS = {"opened": "warning.open", "raised": "warning.raise", "lowered": "warning.lower", "closed": "warning.close"}


def _entries(changes: Sequence[Change], judged: Mapping[int, Judged], base: Frame) -> Iterator[Entry]:
    for change in changes:
        one = judged[change.debtor]
        first = one.members[0]
        after, before = change.after, change.before
        rules = base.policy.of(first.segment).warning
        text = after.today.text if after.state.level != "green" else after.text(rules)
        yield Entry(
            _ACTIONS[_verb(change)],
            f"customer:{first.system}/{first.ref}",
            "job:evaluate",
            before=None if before is None else {"level": before.state.level, "value": before.value},
            after={
                "indicator": after.name,
                "level": after.state.level,
                "value": after.today.kept,
                "as_of": base.as_of,
                "en": text.en,
                "zh": text.zh,
            },
        )


def _day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


# --- all receivables -----------------------------------------------------------------------------------------------------
def all_owed(tx: Connection, base: Frame, last: RunRow | None, anew: bool) -> tuple[Decimal, int] | None:
    """What all customers owe, in the reporting currency and rounded to it, so that every run of a day judges by the same
    total, and how many they are: of the last run, or summed `anew`. None where something of it has no rate."""
    currency = base.config.business.currency
    if not anew and last is not None and TOTAL in last.counts:
        return from_minor(last.counts[TOTAL], currency), last.counts[OWING]
    total, count = Decimal(0), 0
    for frm, (value, customers) in receivables.owed(tx, base.as_of, base.systems).items():
        quote = base.rates.quote(frm, currency, base.as_of)
        if quote is None:
            return None
        total, count = total + quote.convert(from_minor(value, frm)), count + customers
    return rounded(total, currency), count


def thorough(tx: Connection, base: Frame) -> None:
    """Makes a frame tell every sign, and know what all customers owe: for whoever is to be shown how things stand."""
    base.thorough = True
    last = next((r for r in runs.runs(tx, job="evaluate") if r.state in ("done", "problems")), None)
    base.receivables = all_owed(tx, base, last, anew=not base.is_today)


def note(run: Run, base: Frame, last: RunRow | None) -> None:
    """Keeps with the run what all customers owe, for the runs of the same day."""
    if base.receivables is None and last is not None and TOTAL in last.counts:
        run.counts.update({name: last.counts[name] for name in (TOTAL, OWING)})
    if base.receivables is not None:
        total, run.counts[OWING] = base.receivables
        run.counts[TOTAL] = to_minor_exact(total, base.config.business.currency)
