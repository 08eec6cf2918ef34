"""Notices: who is in charge of an order is told when it is held, refused, released or free again; who may release it, when
somebody asks. Each person once of each thing, in his language, with the numbers and the way out: as a task in the CRM, and
by mail where mail is set up.

Whoever is to be told of more orders at once than the `[mail]` says gets one mail with a table, and one task a customer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector.clock import Clock
from connector.config import Config
from connector.connect import Connected
from connector.credit.hold_words import rule
from connector.policy import Policy
from connector.store import Connection, customers, mails, notices, order_credit, outbox
from connector.store.concerns import Concern
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.mails import Mail
from connector.store.notices import Notice
from connector.store.order_credit import Happened
from connector.store.outbox import Owed
from connector.text import Language, Text, joined, same
from jobs import notices_words as say
from jobs.notices_plan import HELD, WANTED, Item, Plan
from jobs.pull import context_of
from jobs.recipients import Recipient
from jobs.run import Run, running

# What a person has to do something about becomes a task wherever he has one; a release only where no mail reaches him; that
# an order may go on by itself, its own flag says.
_TASKS = HELD | WANTED | {"refused"}
_QUIET = frozenset({"auto_released", "lifted"})
_OVER = frozenset({"released", "refused", "auto_released", "lifted", "ended", "passed"})


def tell(store: Store, config: Config, policy: Policy, clock: Clock, *, systems: Sequence[Connected] = ()) -> Run:
    """Tells whoever is to be told of what has happened to orders since the last time; tasks go into the outbox, mails
    among those that are sent next (`jobs.mailing`). Of one thing nobody is told twice. Where nothing is to be told no run
    is kept."""
    with store.reading() as tx:
        if not notices.waits(tx):
            return Run("notices")
    with running(store, clock, "notices") as run:
        crms = [
            c
            for c in systems
            if "crm" in c.system.roles
            and config.writes_to(c.system)
            and c.adapter.channel("task")
            and c.mapping.writes_to("task")
        ]
        with store.reading() as tx:
            lines = notices.due(tx)
            plan = Plan(tx, config, policy, clock, crms)
            items = list(plan.items(lines)) if lines and (crms or config.mail.on) else []
        with store.writing(concern=Concern()) as tx:
            mine = notices.take(tx, [line.id for line in lines])
            items = [item for item in items if item.line.id in mine]
            run.counts["withdrawn"] += _withdraw(tx, [line for line in lines if line.id in mine], clock.now())
            _write(tx, config, clock, crms, items, plan, run)
    return run


# --- telling it --------------------------------------------------------------------------------------------------------
def _write(
    tx: Connection,
    config: Config,
    clock: Clock,
    crms: Sequence[Connected],
    items: Sequence[Item],
    plan: Plan,
    run: Run,
) -> None:
    by_person: dict[str, list[Item]] = defaultdict(list)
    people: dict[str, Recipient] = {}
    for item in items:
        for one in item.to:
            by_person[one.key].append(item)
            people[one.key] = one
    told: list[Notice] = []
    letters: list[Mail] = []
    owed: list[Owed] = []
    for key, mine in by_person.items():
        one = people[key]
        mailed: dict[int, int] = {}  # by line, which of the letters
        if config.mail.on and one.address is not None:
            for letter, about in _letters(one, mine, config.mail.digest_above, config.mail.sender or ""):
                mailed |= dict.fromkeys((item.line.id for item in about), len(letters))
                letters.append(letter)
        tasks = list(_tasks(one, mine, crms, plan, mailed, config.mail.digest_above))
        owed += [task for task, _ in tasks]
        counts = Counter(line for _, about in tasks for line in about)
        for item in mine:
            notice = Notice(
                _key(item, key), item.line.id, item.line.order, item.line.what, key,
                mailed.get(item.line.id), counts[item.line.id],
            )  # fmt: skip
            if notice.mail is None and not notice.tasks:
                run.counts["not_reached"] += 1
            told.append(notice)
    numbers = mails.add(tx, letters, clock.now())
    notices.add(tx, [one if one.mail is None else replace(one, mail=numbers[one.mail]) for one in told], clock.now())
    run.counts["tasks"] += outbox.owe(tx, owed, clock.now())
    run.counts["mails"] += len(letters)
    run.counts["told"] += len(told)


def _key(item: Item, person: str) -> str:
    return f"{item.line.what}:{item.ref}:{item.line.id}:{person}"


def _letters(one: Recipient, items: Sequence[Item], most: int, sender: str) -> Iterator[tuple[Mail, Sequence[Item]]]:
    """The mails to one person: one for each order, or one with a table of all."""
    language: Language = one.language
    if len(items) > most:
        rows = [(item.order, item.name, item.total, say.STATES[item.line.what], _short(item)) for item in items]
        subject = say.MANY.fill(count=len({item.line.order for item in items})).say(language)
        text, page = say.table_text(rows, language), say.table_html(rows, language)
        yield _letter(one, items, subject, text, page, sender), items
        return
    for item in items:
        assert item.said is not None, "few enough to be told one by one"
        text, page = say.mail_text(item.said, language), say.mail_html(item.said, language)
        yield _letter(one, [item], item.subject.say(language), text, page, sender), [item]


def _short(item: Item) -> Text:
    """Why, in a few words: the rules, or the person's."""
    if item.line.what in HELD:
        rules = item.standing.rules if item.standing is not None else ()
        return joined([rule(name) for name in rules], ", ", "、") if rules else same(item.line.why)
    return same(item.line.why)


def _letter(one: Recipient, items: Sequence[Item], subject: str, text: str, page: str, sender: str) -> Mail:
    # The same things told to the same person are the same mail, whoever sends it and how often.
    keys = "\n".join(sorted(_key(item, one.key) for item in items))
    name = hashlib.blake2b(keys.encode(), digest_size=16).hexdigest()
    message_id = f"<{name}@{sender.rpartition('@')[2] or 'localhost'}>"
    return Mail(message_id, one.key, one.name, one.address or "", one.language, subject, text, page)


def _tasks(
    one: Recipient,
    items: Sequence[Item],
    crms: Sequence[Connected],
    plan: Plan,
    mailed: Mapping[int, int],
    most: int,
) -> Iterator[tuple[Owed, list[int]]]:
    """The tasks of one person in each CRM, each with the lines it tells of; of many orders one a customer."""
    many = len(items) > most
    for connected in crms:
        user = one.user(connected.name)
        if user is None:
            continue
        of_account: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            account = _account(connected.name, item, plan.accounts[item.line.order])
            if account is None or item.line.what in _QUIET:
                continue
            if item.line.what not in _TASKS and item.line.id in mailed:
                continue
            if item.line.what in HELD and item.by_customer and account.owner == user:
                continue
            if many and item.line.what in HELD:
                of_account[account.ref].append(item)
            elif item.said is not None or (many and item.line.what in WANTED):
                yield _task(connected, one, user, account, [item], plan.today), [item.line.id]
        for ref, some in of_account.items():
            account = next(r for r in plan.accounts[some[0].line.order] if r.system == connected.name and r.ref == ref)
            yield _task(connected, one, user, account, some, plan.today), [item.line.id for item in some]


def _account(system: str, item: Item, rows: Sequence[CustomerRow]) -> CustomerRow | None:
    """The account there on which a task about an order hangs: that of the same order, else any of its customer's."""
    mine = [row for row in rows if row.system == system]
    of_order = {twin.customer for twin in item.twins if twin.system == system}
    return next((row for row in mine if row.key in of_order), mine[0] if mine else None)


def _task(
    connected: Connected, one: Recipient, user: str, account: CustomerRow, items: Sequence[Item], today: dt.date
) -> Owed:
    language, item = one.language, items[0]
    rule_name, about = "release" if item.line.what in WANTED else "order", item.ref
    if len(items) > 1:
        rule_name, about = "orders", f"{connected.name}/{account.ref}"
    key = f"{rule_name}:{about}:{item.line.id}:{one.key}"
    if len(items) > 1 or item.said is None:
        subject = say.MANY_TASK.fill(count=len(items), name=account.name or account.ref).say(language)
        body = "\n".join(
            f"{i.order}  {i.total}  {say.STATES[i.line.what].say(language)}: {_short(i).say(language)}" for i in items
        )
    else:
        subject, body = item.subject.say(language), item.said.text(language)
    urgent = item.line.what in HELD | WANTED
    said: dict[str, Any] = {
        "subject": subject,
        "body": body,
        "due_on": today + dt.timedelta(days=1 if urgent else 3),
        "owner": user,
        "priority": "high" if urgent else "normal",
        "customer": account.ref,
        "key": key,
    }
    values, digest = connected.mapping.write("task", said, context=context_of(connected))
    return Owed(connected.name, "task", account.ref, key, values, digest, account.key)


def _withdraw(tx: Connection, lines: Sequence[Happened], now: dt.datetime) -> int:
    """Takes back tasks that are not made yet and whose cause is gone, and has the others closed: of requests that are
    decided, of holds that are over; one of many orders once none of its customer's orders is held any more."""
    over = [line for line in lines if line.what in _OVER]
    orders = order_credit.orders(tx, {line.order for line in over})
    begins = []
    for line in over:
        if (at := orders.get(line.order)) is not None:
            name = f"{at.system}/{at.ref}"
            begins += [f"release:{name}:"] + ([f"order:{name}:"] if line.what != "refused" else [])
    free = {line.debtor for line in over} - {
        one.debtor
        for one in order_credit.states(tx, {line.debtor for line in over}).values()
        if one.ended_on is None and not one.through
    }
    accounts = customers.customers(tx, debtors=sorted(free)) if free else []
    begins += [f"orders:{account.system}/{account.ref}:" for account in accounts]
    return outbox.withdraw_begun(tx, begins, now)
