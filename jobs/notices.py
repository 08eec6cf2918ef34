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
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit.authority import Need, Person
from connector.credit.hold import EXPOSURE_RULES
from connector.credit.hold_words import rule
from connector.credit.reason import Reason, money
from connector.policy import Policy
from connector.store import Connection, customers, mails, notices, order_credit, outbox
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.mails import Mail
from connector.store.notices import Notice
from connector.store.order_credit import Happened, OrderAt, Standing
from connector.store.outbox import Owed
from connector.text import Language, Text, joined, same
from jobs import notices_words as say
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.notices_words import Said
from jobs.order_desk import so_far
from jobs.order_remedy import remedies_of, who_may
from jobs.pull import context_of
from jobs.recipients import Directory, Recipient
from jobs.run import Run, running
from jobs.words import LIMIT_WORDS

HELD = frozenset({"held", "manual", "expired"})
WANTED = frozenset({"requested", "approved"})
# What a person has to do something about becomes a task wherever he has one; a release only where no mail reaches him; that
# an order may go on by itself, its own flag says.
_TASKS = HELD | WANTED | {"refused"}
_QUIET = frozenset({"auto_released", "lifted"})
_OVER = frozenset({"released", "refused", "auto_released", "lifted", "ended", "passed"})


@dataclass
class Item:
    """One thing that has happened to one order, with what is needed to tell of it."""

    line: Happened
    standing: Standing | None
    at: OrderAt
    twins: Sequence[OrderAt]
    members: Sequence[CustomerRow]
    to: list[Recipient] = field(default_factory=list)
    said: Said | None = None
    # It is held only for what holds its customer, whatever is ordered: there is a task about that, and no other way out.
    by_customer: bool = False

    @property
    def order(self) -> str:
        return self.at.number or self.at.ref

    @property
    def ref(self) -> str:
        return f"{self.at.system}/{self.at.ref}"

    @property
    def name(self) -> str:
        return self.members[0].name or self.members[0].ref if self.members else ""

    @property
    def total(self) -> str:
        body = self.line.body or {}
        if "total" in body:
            return money(Decimal(body["total"]), str(body["currency"]))
        return money(self.standing.total, self.standing.currency) if self.standing is not None else ""

    @property
    def subject(self) -> Text:
        return say.SUBJECTS[self.line.what].fill(order=self.order, name=self.name, total=self.total)


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
            plan = _Plan(tx, config, policy, clock, crms)
            items = list(plan.items(lines)) if lines and (crms or config.mail.on) else []
        with store.writing() as tx:
            mine = notices.take(tx, [line.id for line in lines])
            items = [item for item in items if item.line.id in mine]
            run.counts["withdrawn"] += _withdraw(tx, [line for line in lines if line.id in mine], clock.now())
            _write(tx, config, clock, crms, items, plan, run)
    return run


# --- who is told, and what ---------------------------------------------------------------------------------------------
class _Plan:
    """What is to be told of some lines of the history of orders, read and judged once."""

    def __init__(self, tx: Connection, config: Config, policy: Policy, clock: Clock, crms: Sequence[Connected]) -> None:
        self.tx, self.config, self.policy, self.clock = tx, config, policy, clock
        self.today = day_in(clock.now(), config.business.time_zone)
        self.crms = crms
        self.directory = Directory(config, customers.people(tx))
        self.accounts: dict[int, list[CustomerRow]] = defaultdict(list)

    def items(self, lines: Sequence[Happened]) -> Iterator[Item]:
        keys = {line.order for line in lines}
        debtors = {line.debtor for line in lines}
        orders, twins = order_credit.orders(self.tx, keys), order_credit.twins(self.tx, keys)
        standings = order_credit.states(self.tx, (), keys)
        told = notices.told_of(self.tx, keys)
        ledgers = [s.name for s in self.config.with_role("erp")]
        rows: dict[int, list[CustomerRow]] = defaultdict(list)
        for row in customers.customers(self.tx, debtors=sorted(debtors)):
            if row.debtor is not None and row.known:
                rows[row.debtor].append(row)
        names = {c.name for c in self.crms}
        found = []
        newest = {(line.order, _group(line)): line.id for line in lines}
        for line in lines:
            if newest[line.order, _group(line)] != line.id:
                continue  # something later says the same
            at, standing = orders.get(line.order), standings.get(line.order)
            if at is None or not _stands(line, standing):
                continue
            mine = rows.get(line.debtor, [])
            members = [row for row in mine if row.system in ledgers] or mine
            item = Item(line, standing, at, twins.get(line.order) or [at], members)
            self.accounts[line.order] = [row for row in mine if row.system in names]
            if line.what not in WANTED:
                item.to = self._concerned(item, mine, told.get(line.order, set()))
            found.append(item)
        per_person = Counter(one.key for item in found for one in item.to)
        short = {key for key, count in per_person.items() if count <= self.config.mail.digest_above}
        detailed = [i for i in found if i.line.what in WANTED or any(one.key in short for one in i.to)]
        self._detail(detailed)
        return iter([item for item in found if item.to])

    def _concerned(self, item: Item, rows: Sequence[CustomerRow], told: set[str]) -> list[Recipient]:
        """The owners of an order, else of its customer; and of what was decided, whoever asked for it."""
        owners = [self.directory.user(o.system, o.owner) for o in item.twins if o.owner]
        if not any(owners):
            owners = [self.directory.user(row.system, row.owner) for row in rows if row.owner]
        if item.line.what in ("released", "refused"):
            owners += [self.directory.actor(actor) for actor in self._askers(item.line)]
        found = {one.key: one for one in owners if one is not None}
        if (own := self.directory.actor(item.line.actor)) is not None:
            found.pop(own.key, None)  # he did it himself
        if item.line.what in ("auto_released", "lifted"):
            # Of a hold of which nobody has heard nobody need hear that it is over.
            return [one for key, one in found.items() if key in told]
        return list(found.values())

    def _askers(self, until: Happened) -> list[str]:
        asked: list[str] = []
        for line in order_credit.history(self.tx, orders=[until.order]):
            if line.id >= until.id:
                break
            if line.what == "requested":
                asked.append(line.actor)
            elif line.state in order_credit.THROUGH or line.what in ("refused", "expired", "reopened"):
                asked = []
        return asked

    def _detail(self, items: Sequence[Item]) -> None:
        """Says of each what holds it and what would release it, as it is judged now."""
        if not items:
            return
        debtors = sorted({item.line.debtor for item in items})
        base = frame(self.tx, self.config, self.policy, self.clock, self.today, debtors=debtors)
        judged = {one.debtor: one for one in judge(self.tx, base, debtors, scores=True)}
        for item in items:
            whose = judged.get(item.line.debtor)
            self._say(base, whose, item)

    def _say(self, base: Frame, judged: Judged | None, item: Item) -> None:
        what, body = item.line.what, item.line.body or {}
        who = self._name(item.line.actor)
        parts: list[tuple[Text, ...]] = []
        if what in ("requested", "approved"):
            parts.append(((say.ASKS if what == "requested" else say.ONE_HAS).fill(who=who, why=item.line.why),))
        elif what == "released":
            most = money(Decimal(body["max_total"]), body["currency"])
            words = say.RELEASED.fill(who=who, most=most, until=body["valid_until"], why=item.line.why)
            parts.append((words,))
        elif what == "refused":
            parts.append((say.REFUSED.fill(who=who, why=item.line.why),))
        elif what == "lifted":
            parts.append((say.LIFTED.fill(who=who, why=item.line.why),))
        elif what == "auto_released":
            parts.append((say.CLEARED,))
        pair = next(
            ((row, d) for row, d in (judged.orders if judged is not None else ()) if row.key == item.line.order), None
        )
        if pair is not None and judged is not None and pair[1].hold:
            row, decision = pair
            asked, already = so_far(self.tx, self.config, row.key)
            need, people = who_may(base, self.config, judged, row, decision, item.at, asked, already)
            ways = [way.text for way in remedies_of(self.tx, base, judged, row)]
            # What ended its release is no reason any more once it has ended; it is what people ask first.
            ended = [Text(r["en"], r["zh"]) for r in body.get("reasons", ()) if r["rule"].startswith("release_")]
            why = [*(reason.text for reason in decision.reasons), *ended]
            parts.append(say.block(say.WHY, list(dict.fromkeys(why))))
            parts.append(say.block(say.WAYS, ways) if ways else (say.NO_WAY,))
            parts.append((_needs(need, people),))
            item.by_customer = _held_with_customer(judged, decision.reasons)
            if what in WANTED:
                item.to = [self.directory.person(p) for p in self.config.people if p.id in {one.id for one in people}]
                parts.append((say.DECIDE.fill(ref=item.ref),))
            elif (field := self._field(item)) is not None:
                parts.append((say.ASK.fill(field=field),))
        if judged is not None:
            parts.append((_figures(judged),))
        item.said = Said(item.subject, tuple(parts))

    def _field(self, item: Item) -> str | None:
        """The field in which its owner can ask for its release where he works, as people see it; None: there is none."""
        names = {twin.system for twin in item.twins}
        needs = [n for c in self.crms if c.name in names for n in c.mapping.needs_to_read("release_request", "")]
        return needs[0].label if needs else None

    def _name(self, actor: str) -> str:
        found = self.directory.actor(actor)
        return found.name if found is not None else actor.partition(":")[2] or actor


def _stands(line: Happened, standing: Standing | None) -> bool:
    """Whether what has happened is still so: nobody is told of a hold that is over."""
    if standing is None or standing.ended_on is not None or line.what == "ended":
        return False
    if line.what in HELD:
        return not standing.through
    if line.what in WANTED:
        return standing.state == "requested"
    return standing.state == "refused" if line.what == "refused" else standing.through


def _group(line: Happened) -> str:
    return "held" if line.what in HELD else "wanted" if line.what in WANTED else "over"


def _needs(need: Need | None, people: Sequence[Person]) -> Text:
    return say.NEEDS.fill(need=need.text if need else say.NOBODY, names=say.names([p.name or p.id for p in people]))


def _held_with_customer(judged: Judged, reasons: Sequence[Reason]) -> bool:
    rules = {reason.rule for reason in reasons}
    return rules <= {reason.rule for reason in judged.decision.reasons} and not rules & EXPOSURE_RULES


def _figures(judged: Judged) -> Text:
    position = judged.position
    limit: object = LIMIT_WORDS[position.limit.kind]
    if position.limit_amount is not None:
        limit = money(position.limit_amount, position.currency)
    return say.FIGURES.fill(
        exposure=money(position.exposure.total, position.currency),
        limit=limit,
        overdue=money(position.overdue, position.currency),
        days=position.overdue_days,
        as_of=position.as_of,
    )


# --- telling it --------------------------------------------------------------------------------------------------------
def _write(
    tx: Connection,
    config: Config,
    clock: Clock,
    crms: Sequence[Connected],
    items: Sequence[Item],
    plan: _Plan,
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
    plan: _Plan,
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
