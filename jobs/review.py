"""Review: the calendar of periodic reviews, kept up every night; what happened pulls a review forward (domain 13).

A review is planned for every debtor that has a limit or owes anything. Nothing pushes a planned day back. The reviewer
gets one task a review. A run may be stopped anywhere and repeated: the second one finds nothing to do.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit import review as rules_of
from connector.credit.listings import COURT, REGISTRY
from connector.credit.review import WHY, Due, Happened, Seen
from connector.credit.terms import months_later
from connector.credit.warn_words import LEVEL_TEXTS
from connector.model import Event
from connector.policy import Policy
from connector.policy_review import Happening
from connector.store import Connection, audit, customers, decisions, events, limits, outbox, reviews
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.outbox import Owed
from connector.store.reviews import ReviewRow
from connector.text import Language, Text, joined
from jobs.progress import Progress, silent
from jobs.pull import context_of
from jobs.run import Run, running

_TOGETHER = 2000
ACTOR = "job:review"
# What is older is history when it becomes known, such as everything on the day on which a bureau is connected.
_NEWS_MONTHS = 12
_EVENTS: dict[str, Happening] = {
    **{kind: "registry" for _, kinds in REGISTRY for kind in kinds},
    **{kind: "court" for _, kinds in COURT for kind in kinds},
    "insurer_cut": "insurer",
    "insurer_withdrawn": "insurer",
}


def review(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    *,
    systems: Sequence[Connected] = (),
    progress: Progress = silent,
) -> Run:
    """Plans the reviews of everybody and pulls forward what must be. Never raises our own errors."""
    with running(store, clock, "review") as run:
        today = day_in(clock.now(), config.business.time_zone)
        ledgers = [s.name for s in config.with_role("erp")]
        with store.reading() as tx:
            everybody = sorted(customers.debtors(tx, ledgers)) if ledgers else []
        for at in range(0, len(everybody), _TOGETHER):
            part = everybody[at : at + _TOGETHER]
            with store.writing() as tx:
                rows = members(tx, ledgers, part)
                _plan(tx, policy, rows, today, clock.now(), config.business.time_zone, run)
                owed = list(_tasks(tx, config, policy, systems, rows, today))
                run.counts["owed"] += outbox.owe(tx, owed, clock.now())
            progress("review", at + len(part), len(everybody))
    return run


def members(tx: Connection, ledgers: Sequence[str], debtors: Collection[int]) -> dict[int, CustomerRow]:
    """By debtor, its first customer in the ledger."""
    found: dict[int, CustomerRow] = {}
    for row in customers.customers(tx, systems=ledgers, debtors=debtors):
        if row.debtor is not None:
            found.setdefault(row.debtor, row)
    return found


def _plan(
    tx: Connection,
    policy: Policy,
    rows: Mapping[int, CustomerRow],
    today: dt.date,
    now: dt.datetime,
    zone: str,
    run: Run,
) -> None:
    concluded = decisions.latest(tx, list(rows))
    planned, last = reviews.open_reviews(tx, list(rows)), reviews.last_done(tx, list(rows))
    told = events.by_debtor(tx, list(rows), today, _EVENTS)
    asked = _asked(tx, rows)
    new: list[tuple[int, dt.date, str, Seen]] = []
    moved: list[tuple[int, dt.date, str, Seen]] = []
    entries: list[audit.Entry] = []
    for debtor, row in rows.items():
        rules = policy.of(row.segment).review
        decision = concluded.get(debtor)
        if not rules.on or decision is None:
            continue
        mine = told.get(debtor, ())
        seen, before = replace(seen_in(decision.body), told=tuple(sorted(map(_id, mine)))), planned.get(debtor)
        if before is None and not _at_stake(decision.body):
            continue
        reviewed_on = last.get(debtor)
        grades = [name for name, _ in policy.of(row.segment).score.bands]
        since = reviewed_on or (day_in(before.opened_at, zone) if before else today)
        happened = [Happened(_EVENTS[e.kind], e.on) for e in mine if e.on > since]
        happened += [Happened("limit_request", on) for on in asked.get(debtor, ()) if on > since]
        calendar = rules_of.by_calendar(reviewed_on, since, seen, rules)
        if before is None:
            due = rules_of.pulled(calendar, [*happened, *rules_of.worse(Seen(), seen, today, grades)], rules)
            new.append((debtor, due.on, due.why, seen))
            run.counts["planned"] += 1
            entries.append(_entry("review.plan", row, None, due))
            continue
        happened += _learned(mine, before.seen, since, today)
        due = Due(before.due_on, before.why)
        if calendar.on < due.on:
            due = calendar  # its class is another one now
        due = rules_of.pulled(due, [*happened, *rules_of.worse(before.seen, seen, today, grades)], rules)
        if due.on < before.due_on:
            run.counts["pulled_forward"] += 1
            entries.append(_entry("review.pull_forward", row, before, due))
        if due.on < before.due_on or seen != before.seen:
            moved.append((before.id, due.on, due.why, seen))
        run.counts["overdue"] += rules_of.is_overdue(
            due.on, today, policy.of(row.segment).hold.review_overdue.grace_days
        )
    reviews.plan(tx, new, now)
    reviews.pull_forward(tx, moved)
    audit.at_end(tx, entries, now)


def _id(event: Event) -> str:
    return f"{event.source}:{event.ref}"


def _learned(told: Sequence[Event], before: Seen, since: dt.date, today: dt.date) -> Iterator[Happened]:
    """What is news today though its own day is past: it still stands, and nobody knew of it when the review was planned."""
    if before.told is None:
        return
    for event in told:
        stands = event.ended_on is None or event.ended_on > today
        fresh = event.on >= months_later(today, -_NEWS_MONTHS)
        if event.on <= since and stands and fresh and _id(event) not in before.told:
            yield Happened(_EVENTS[event.kind], today)


def _asked(tx: Connection, rows: Mapping[int, CustomerRow]) -> dict[int, list[dt.date]]:
    """The days on which somebody asked for a limit, by debtor; what is proposed each night is no event."""
    whose = {row.key: debtor for debtor, row in rows.items()}
    found: dict[int, list[dt.date]] = defaultdict(list)
    for one in limits.requests(tx, keys=list(whose)):
        if one.request.requested_by.startswith("person:"):
            found[whose[one.customer]].append(one.as_of)
    return found


def seen_in(body: Mapping[str, Any]) -> Seen:
    """What a customer looks like in a decision as it was kept."""
    used = body.get("utilisation")
    return Seen(body.get("warning_level") or "green", body.get("grade"), used is not None and Decimal(used) > 1)


def _at_stake(body: Mapping[str, Any]) -> bool:
    """Whether there is anything to review: a limit was given, or something is owed or on order."""
    return body["limit"]["kind"] != "none" or Decimal(body["exposure"]["total"]) != 0


def _entry(action: str, row: CustomerRow, before: ReviewRow | None, due: Due) -> audit.Entry:
    return audit.Entry(
        action,
        f"customer:{row.system}/{row.ref}",
        ACTOR,
        before=None if before is None else {"due_on": before.due_on, "because": before.why},
        after={"due_on": due.on, "because": due.why},
    )


# --- tasks -----------------------------------------------------------------------------------------------------------
def _tasks(
    tx: Connection,
    config: Config,
    policy: Policy,
    systems: Sequence[Connected],
    rows: Mapping[int, CustomerRow],
    today: dt.date,
) -> Iterator[Owed]:
    """One task a review in each CRM, to a credit controller who is known there, else to the account's owner."""
    takers = [
        c
        for c in systems
        if "crm" in c.system.roles
        and config.writes_to(c.system)
        and c.adapter.channel("task")
        and c.mapping.writes_to("task")
    ]
    if not takers:
        return
    due = {
        debtor: one
        for debtor, one in reviews.open_reviews(tx, list(rows)).items()
        if one.state == "planned"
        and one.due_on - dt.timedelta(days=policy.of(rows[debtor].segment).review.task_days_before) <= today
    }
    if not due:
        return
    by_name = {c.name: c for c in takers}
    accounts: dict[int, dict[str, CustomerRow]] = defaultdict(dict)
    for account in customers.customers(tx, systems=sorted(by_name), debtors=list(due)):
        if account.debtor is not None and account.known:
            accounts[account.debtor].setdefault(account.system, account)
    bodies = decisions.latest(tx, list(due))
    for debtor, one in due.items():
        for system, account in accounts[debtor].items():
            connected, row = by_name[system], rows[debtor]
            controller, language = _controller(config, connected)
            key = f"review:{row.system}:{row.ref}:{one.id}"
            said = of_task(one, row, account, bodies[debtor].body, key, controller or account.owner, language)
            values, digest = connected.mapping.write("task", said, context=context_of(connected))
            yield Owed(connected.name, "task", account.ref, key, values, digest, account.key)


def _controller(config: Config, connected: Connected) -> tuple[str | None, Language]:
    """The user of a system who reviews, and the language for him: the first credit controller who has an id there."""
    language = config.language_for(connected.system)
    for one in config.people:
        if "credit_controller" in one.roles and connected.name in one.ids:
            return one.ids[connected.name], one.language or language
    return None, language


SUBJECT = Text("Credit review due {on}: {name} ({no})", "信用复评（{on} 前）：{name}（{no}）")
BECAUSE = Text("Due because of {why}.", "复评原因：{why}。")
FIGURES = Text(
    "Exposure {exposure}, limit {limit}, overdue {overdue}, warning level {level}, grade {grade}.",
    "信用占用 {exposure}，额度 {limit}，逾期 {overdue}，预警 {level}，评分等级 {grade}。",
)
BEGIN = Text("Begin with: holdfast review start {no}", "开始复评：holdfast review start {no}")


def figures(body: Mapping[str, Any]) -> Text:
    """The figures of a decision that a reviewer begins with, as a sentence."""
    limit = body["limit"]
    kinds = {"none": Text("none", "无"), "unlimited": Text("unlimited", "不限额")}
    currency = body["currency"]
    known = limit["amount"] is not None
    return FIGURES.fill(
        exposure=f"{currency} {Decimal(body['exposure']['total']):,f}",
        limit=f"{currency} {Decimal(limit['amount']):,f}" if known else kinds.get(limit["kind"], "?"),
        overdue=f"{currency} {Decimal(body['overdue']):,f}",
        level=LEVEL_TEXTS[body.get("warning_level") or "green"],
        grade=body.get("grade") or kinds["none"],
    )


def of_task(
    one: ReviewRow,
    row: CustomerRow,
    account: CustomerRow,
    body: Mapping[str, Any],
    key: str,
    owner: str | None,
    language: Language,
) -> dict[str, object]:
    """The reviewer's task, in the vocabulary that mappings write."""
    names = {"name": account.name or row.name, "no": row.ref, "on": one.due_on}
    lines = [BECAUSE.fill(why=WHY[one.why]), figures(body), BEGIN.fill(**names)]
    return {
        "subject": SUBJECT.fill(**names).say(language),
        "body": joined(lines, "\n", "\n").say(language),
        "due_on": one.due_on,
        "owner": owner,
        "priority": "normal" if one.why == "class" else "high",
        "customer": account.ref,
        "key": key,
    }
