"""The desk's work list: everything that waits for somebody in finance, ordered by what matters, each line with why and where.

Nobody is judged anew for it, but for what waits for whoever looks: it shows what the last run, check or decision said.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal, get_args
from urllib.parse import quote

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.authority import Person
from connector.credit.hold_words import rule
from connector.credit.review import CONCLUSIONS, WHY
from connector.credit.warn_words import named
from connector.money import from_minor
from connector.policy import Policy
from connector.policy_dunning import Channel
from connector.store import (
    Connection,
    alerts,
    customer_list,
    customers,
    desk_waits,
    limit_list,
    limits,
    order_list,
    promises,
)
from connector.store.customers import CustomerRow
from connector.store.order_list import Filter
from connector.text import Text, joined
from jobs import desk_words as say
from jobs import grant_matter, limits_listed, review_decide
from jobs.customer_board import Home
from jobs.customer_board import Line as BoardLine
from jobs.dun_words import CHANNELS
from jobs.orders_listed import HELD, listed, worth_of
from jobs.panel import who

Kind = Literal["order", "warning", "review", "promise", "collection", "limit", "ending"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MOST = 200
_BROKEN_DAYS, _STEP_DAYS, _REVIEW_DAYS, _ENDING_DAYS = 30, 14, 14, 30
# What comes first: what waits for whoever looks, then what stops a delivery or loses money soonest.
(
    _MY_RELEASE, _MY_LIMIT, _MY_REVIEW, _ASKED, _BROKEN, _RED, _LATE_REVIEW, _HELD_ORDER, _STEP, _LIMIT, _ENDING,
    _ORANGE, _REVIEW,
) = range(13)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """One line. `amount` is in `currency`, `worth` the same in the reporting currency (None: no rate, or no amount);
    `mine`: whoever looks decides on it; `address` is where it is done. `tone` is ok, note, warn, bad or idle."""

    kind: Kind
    rank: int
    debtor: int | None
    name: str
    what: Text
    why: Text
    next: Text
    address: str
    tone: str
    since: dt.date | None = None
    amount: Decimal | None = None
    currency: str = ""
    worth: Decimal | None = None
    mine: bool = False
    due: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The list: its lines in order, how many there are of each kind in all (more than the lines where it is cut off), and
    how many wait for whoever looks."""

    today: dt.date
    lines: list[Work]
    counts: Mapping[Kind, int]
    mine: int


@dataclass
class _Asking:
    tx: Connection
    config: Config
    policy: Policy
    clock: Clock
    board: Mapping[int, BoardLine]
    person: Person | None
    words: str
    today: dt.date
    home: Home
    among: set[int] | None
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    @property
    def erps(self) -> list[str]:
        return [s.name for s in self.config.with_role("erp")]

    def knows(self, debtor: int | None) -> bool:
        """Whether a debtor is one of those that are looked for."""
        return self.among is None or debtor in self.among


def work(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    board: Mapping[int, BoardLine],
    person: Person | None = None,
    words: str = "",
) -> Listed:
    """The whole list; of each kind what matters most. `person` is who looks (None: nobody who decides), `words` are in the
    customer's name or id (none: everybody)."""
    today = day_in(clock.now(), config.business.time_zone)
    erps = [s.name for s in config.with_role("erp")]
    among = set(customer_list.debtors(tx, erps, words)) if words and erps else None
    asking = _Asking(tx, config, policy, clock, board, person, words, today, Home(tx, config, policy, today), among)
    found = [line for source in _SOURCES for line in source(asking)]
    lines = [_worth(asking, line) for line in _named(asking, found)]
    lines.sort(key=lambda one: (one.rank, -(one.worth or Decimal(0)), one.since or today, one.name))
    return Listed(today, lines, asking.counts, sum(one.mine for one in lines))


def _worth(asking: _Asking, line: Work) -> Work:
    if line.amount is None or not line.currency:
        return line
    return replace(line, worth=asking.home(line.amount, line.currency))


def _named(asking: _Asking, found: Sequence[Work]) -> Iterator[Work]:
    """Gives each line the name of its customer in the ledger, and the address of its page where it has no other."""
    wanted = {one.debtor for one in found if one.debtor is not None}
    rows: dict[int, CustomerRow] = {}
    for row in customers.customers(asking.tx, systems=asking.erps, debtors=wanted) if wanted and asking.erps else ():
        if row.debtor is not None:
            rows.setdefault(row.debtor, row)
    for one in found:
        row_of = rows.get(one.debtor) if one.debtor is not None else None
        if row_of is None:
            if one.name:
                yield one
            continue
        family = "reviews" if one.kind == "review" else "customers"
        page = f"/desk/{family}/{quote(row_of.system, safe='')}/{quote(row_of.ref)}"
        yield replace(one, name=row_of.name, address=one.address or page)


# --- orders ----------------------------------------------------------------------------------------------------------------
def _orders(asking: _Asking) -> Iterator[Work]:
    tx, words = asking.tx, asking.words
    mine: set[int] = set()
    if asking.person is not None:
        waits = listed(
            tx, asking.config, asking.policy, asking.clock, "mine", words=words, person=asking.person, most=_MOST
        )
        mine = {line.order for line in waits.lines}
        yield from (_order(line, _MY_RELEASE, say.RELEASE_WAITS, say.DECIDE, mine=True) for line in waits.lines)
    asked, _ = order_list.lines(tx, Filter(frozenset({"requested"}), held=True, words=words), most=_MOST)
    yield from (_order(line, _ASKED, say.RELEASE_ASKED, say.DECIDED_SOON) for line in asked if line.order not in mine)
    worth = worth_of(tx, asking.config, asking.policy, asking.today)
    held = Filter(HELD - {"requested"}, held=True, words=words)
    lines, _ = order_list.lines(tx, held, sort="total", down=True, worth=worth, most=_MOST)
    yield from (_order(line, _HELD_ORDER, say.ORDER_HELD, say.LOOK_WHAT_FREES) for line in lines)
    asking.counts["order"] = order_list.count(tx, Filter(HELD, held=True, words=words))


def _order(line: order_list.Line, rank: int, what: Text, following: Text, mine: bool = False) -> Work:
    why = joined([rule(name) for name in line.rules], ", ", "、") if line.rules else say.BY_HAND
    return Work(
        "order", rank, line.debtor, line.name or line.customer, what.fill(number=line.number or line.ref), why, following,
        f"/desk/orders/{quote(line.system, safe='')}/{quote(line.ref)}", "bad" if rank != _ASKED else "warn",
        line.since, line.total, line.currency, mine=mine, due=line.ship_on,
    )  # fmt: skip


# --- warnings --------------------------------------------------------------------------------------------------------------
def _warnings(asking: _Asking) -> Iterator[Work]:
    resting = _resting(asking)
    alarmed = [
        one
        for one in asking.board.values()
        if one.level in ("red", "orange") and one.debtor not in resting and asking.knows(one.debtor)
    ]
    asking.counts["warning"] = len(alarmed)

    def matters(one: BoardLine) -> Any:
        return (one.level == "red", asking.home(max(one.exposure, one.overdue), one.currency) or Decimal(0))

    chosen = heapq.nlargest(_MOST, alarmed, key=matters)
    standing = alerts.standing(asking.tx, [one.debtor for one in chosen])
    for one in chosen:
        red = one.level == "red"
        late = one.late_on(asking.today)
        why = say.OVERDUE_DAYS.fill(days=late) if late else say.NOTHING_OVERDUE
        mine = {n: a for n, a in standing.get(one.debtor, {}).items() if a.state.level == one.level}
        opened = [alert.state.opened_on for alert in mine.values() if alert.state.opened_on is not None]
        if one.used is not None and one.used > 1:
            why = joined([why, say.USED.fill(percent=f"{one.used * 100:.0f}")], ", ", "，")
        elif not late:
            # Neither lateness nor the limit: the signs themselves are named.
            signs = [named(name, alert.value) for name, alert in mine.items()]
            why = joined(signs[:2] or [why], ", ", "，")
        yield Work(
            "warning", _RED if red else _ORANGE, one.debtor, "", say.RED if red else say.ORANGE, why,
            say.LOOK_AT_WARNINGS, "", "bad" if red else "warn",
            one.warned_since or one.held_since or min(opened, default=None), one.exposure, one.currency,
        )  # fmt: skip


def _resting(asking: _Asking) -> set[int]:
    """The debtors all of whose noted warnings rest, and that have no other red or orange one."""
    noted = alerts.acknowledged(asking.tx)
    if not noted:
        return set()
    open_ones = alerts.standing(asking.tx, list(noted))
    found = set()
    for debtor, own in noted.items():
        awake = [
            name
            for name, one in open_ones.get(debtor, {}).items()
            if one.state.level in ("red", "orange") and not (name in own and own[name].rests(asking.today))
        ]
        if not awake:
            found.add(debtor)
    return found


# --- promises, dunning ---------------------------------------------------------------------------------------------------------
def _promises(asking: _Asking) -> Iterator[Work]:
    promised = {debtor for debtor in desk_waits.promising(asking.tx) if asking.knows(debtor)}
    if not promised:
        return
    since = asking.today - dt.timedelta(days=_BROKEN_DAYS)
    grace = asking.policy.dunning.promise_grace_days
    rows = promises.outcomes(asking.tx, promised, asking.today, grace_days=grace, since=since)
    broken = [row for row in rows if not row.kept and (b := asking.board.get(row.debtor)) is not None and b.overdue > 0]
    asking.counts["promise"] = len(broken)
    for row in sorted(broken, key=lambda one: one.promise.due_on, reverse=True)[:_MOST]:
        left = row.outcome.promised - row.outcome.paid
        yield Work(
            "promise", _BROKEN, row.debtor, "", say.PROMISE_BROKEN, say.PROMISED_BY.fill(day=row.promise.due_on),
            say.CALL_AGAIN, "", "bad", row.promise.due_on, left, row.promise.currency,
        )  # fmt: skip


def _steps(asking: _Asking) -> Iterator[Work]:
    since = asking.today - dt.timedelta(days=_STEP_DAYS)
    steps = [
        one
        for one in desk_waits.steps_to_take(asking.tx, since)
        if asking.knows(one.debtor) and (b := asking.board.get(one.debtor)) is not None and b.overdue > 0
    ]
    asking.counts["collection"] = len(steps)
    for one in steps[:_MOST]:
        owing = asking.board[one.debtor]
        channel: Channel = one.channel  # type: ignore[assignment]  # it was kept by us
        yield Work(
            "collection", _STEP, one.debtor, "", say.STEP.fill(level=one.level, channel=CHANNELS.get(channel, say.OTHER)),
            say.OVERDUE_DAYS.fill(days=owing.late_on(asking.today)), say.NOTE_WHAT_CAME, "", "warn", one.on,
            owing.overdue, owing.currency,
        )  # fmt: skip


# --- reviews ---------------------------------------------------------------------------------------------------------------
def _reviews(asking: _Asking) -> Iterator[Work]:
    until = asking.today + dt.timedelta(days=_REVIEW_DAYS)
    rows = desk_waits.reviews_due(asking.tx, until, among=asking.among, most=_MOST)
    counts = desk_waits.review_counts(asking.tx, until, asking.today, asking.among)
    asking.counts["review"] = counts["planned"] + counts["started"] + counts["proposed"]
    me = asking.person.id if asking.person is not None else None
    able = _may_approve(asking, [one for one in rows if one.state == "proposed"])
    for one in rows:
        mine = one.debtor in able or (one.state == "started" and me is not None and one.reviewer == me)
        late = one.due_on < asking.today
        rank = _MY_REVIEW if mine else _LATE_REVIEW if late else _REVIEW
        what, following = say.REVIEW_DUE, say.BEGIN_REVIEW
        if one.state == "started":
            what, following = say.REVIEW_BEGUN.fill(who=who(asking.config, f"person:{one.reviewer}")), say.CONCLUDE
        elif one.state == "proposed":
            conclusion = CONCLUSIONS.get(one.conclusion or "", say.OTHER)
            what, following = say.REVIEW_PROPOSED.fill(what=conclusion), say.APPROVE
        owing = asking.board.get(one.debtor)
        yield Work(
            "review", rank, one.debtor, "", what, WHY.get(one.why, say.OTHER), following, "", "warn" if late else "note",
            one.due_on, owing.exposure if owing else None, owing.currency if owing else "", mine=mine, due=one.due_on,
        )  # fmt: skip


def _may_approve(asking: _Asking, proposed: Sequence[desk_waits.ReviewDue]) -> set[int]:
    if asking.person is None or not proposed:
        return set()
    rows = customers.customers(asking.tx, systems=asking.erps, debtors=[one.debtor for one in proposed])
    sitting = review_decide.Sitting(asking.config, asking.policy, asking.today)
    return {
        row.debtor
        for row in rows
        if row.debtor is not None and review_decide.may_approve(asking.tx, sitting, row, asking.person)
    }


# --- limits ----------------------------------------------------------------------------------------------------------------
def _limits(asking: _Asking) -> Iterator[Work]:
    desk = grant_matter.Desk(asking.config, asking.policy, asking.clock)
    found = limits_listed.listed(asking.tx, desk, "waiting", words=asking.words, most=1)
    asking.counts["limit"] = found.count
    if not found.count:
        return
    numbers = []
    for by_job in (False, True):
        chosen, _ = limit_list.page(
            asking.tx, limit_list.Filter(True, by_job, None, asking.words), sort="amount", most=_MOST // 4
        )
        numbers += [one.number for one in chosen]
    asked = limits.requests(asking.tx, numbers=numbers)
    for line in limits_listed.lines_of(asking.tx, desk, asked):
        request = line.asked.request
        me = asking.person
        mine = me is not None and (me.alone or me.id in {one.id for one in line.done.others})
        minor = line.done.stands.amount_minor
        made = request.requested_by.startswith("job:")
        yield Work(
            "limit", _MY_LIMIT if mine else _LIMIT, line.row.debtor, line.row.name,
            (say.LIMIT_PROPOSED if made else say.LIMIT_ASKED).fill(number=line.asked.number),
            line.done.text, say.DECIDE if mine else say.DECIDED_SOON, f"/desk/limits/{line.asked.number}", "note",
            day_in(line.asked.at, asking.config.business.time_zone),
            None if minor is None else from_minor(minor, request.currency), request.currency, mine=mine,
        )  # fmt: skip


def _ending(asking: _Asking) -> Iterator[Work]:
    desk = grant_matter.Desk(asking.config, asking.policy, asking.clock)
    ending = limits_listed.ending(asking.tx, desk, _ENDING_DAYS, asking.words)
    asking.counts["ending"] = len(ending)
    for one in ending[:_MOST]:
        amount = None if one.amount_minor is None else from_minor(one.amount_minor, one.currency)
        address = f"/desk/limits/{one.request}" if one.request is not None else _new_limit(one.row)
        yield Work(
            "ending", _ENDING, one.row.debtor, one.row.name, say.LIMIT_ENDS.fill(day=one.ends_on),
            say.ASKED_ALREADY if one.request is not None else say.NOTHING_FOLLOWS,
            say.LOOK_AT_REQUEST if one.request is not None else say.PROPOSE, address, "note", one.ends_on, amount,
            one.currency, due=one.ends_on,
        )  # fmt: skip


def _new_limit(row: CustomerRow) -> str:
    return f"/desk/limits/new?customer={quote(f'{row.system}/{row.ref}', safe='')}"


_SOURCES = (_orders, _warnings, _promises, _steps, _reviews, _limits, _ending)
