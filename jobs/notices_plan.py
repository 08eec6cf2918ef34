"""What is to be told of orders, and to whom: the lines of their history as people need them, read and judged once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit.authority import Need, Person
from connector.credit.hold import EXPOSURE_RULES
from connector.credit.reason import Reason, money
from connector.policy import Policy
from connector.store import Connection, customers, notices, order_credit
from connector.store.customers import CustomerRow
from connector.store.order_credit import Happened, OrderAt, Standing
from connector.text import Text
from jobs import notices_words as say
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.notices_words import Said
from jobs.order_desk import so_far
from jobs.order_remedy import remedies_of, who_may
from jobs.recipients import Directory, Recipient
from jobs.words import LIMIT_WORDS

HELD = frozenset({"held", "manual", "expired"})
WANTED = frozenset({"requested", "approved"})


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


class Plan:
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


__all__ = ["HELD", "WANTED", "Item", "Plan"]
