"""Simulating: policies run over the company's own history, side by side; nothing is written.

The same `decide` and `compete` as every night, but only for the customers and days for which something turned. Families of
debtors are read some hundred at a time, so that memory does not grow with the ledger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.replay import turns
from connector.credit.replay_outcome import Outcome, Tally
from connector.policy import Policy
from connector.store import Connection, customers
from connector.text import Text
from jobs.frame import frame
from jobs.progress import Progress, silent
from jobs.replay import families, rules_of
from jobs.unhurried import unhurried

LATE_DAYS = 30


@dataclass
class Simulation:
    """What came out: an outcome for each policy, in their order; `conclusions` counts those that were drawn."""

    first: dt.date
    last: dt.date
    currency: str
    late_days: int
    debtors: int = 0
    orders: int = 0
    sales: int = 0
    conclusions: int = 0
    outcomes: list[Outcome] = field(default_factory=list)


def simulate(
    tx: Connection,
    config: Config,
    policies: Sequence[Policy],
    clock: Clock,
    first: dt.date,
    last: dt.date,
    *,
    late_days: int = LATE_DAYS,
    debtors: Collection[int] | None = None,
    progress: Progress = silent,
) -> Simulation:
    """What policies would have done from one day to another, both included.

    An invoice counts as late where something of it was open more than `late_days` after its due day; what happened to it
    after `last` is known, too, up to today.
    """
    today = day_in(clock.now(), config.business.time_zone)
    base = frame(tx, config, policies[0], clock, last, debtors=debtors)
    rate_systems = [s.name for s in config.with_role("erp", "rates")]
    rules = rules_of(config, policies, customers.rates(tx, systems=rate_systems) if rate_systems else [])
    found = Simulation(first, last, config.business.currency, late_days, outcomes=[Outcome() for _ in policies])
    if not base.systems:
        return found
    with unhurried():
        for portion in families(tx, base, first, last, debtors):
            for family in portion.families:
                tally = Tally(family, rules, found.outcomes, first, last, max(today, last), late_days)
                for turn in turns(family, rules, first, last):
                    tally.take(turn)
                    found.conclusions += len(turn.decisions)
                tally.close()
                found.orders += len(family.orders)
                found.sales += sum(first.toordinal() <= s.issued <= last.toordinal() for s in family.sales)
            found.debtors += portion.debtors
            progress("simulate", found.debtors, len(base.members))
    return found


# What a history does not say, and what is taken for it.
ASSUMPTIONS: tuple[Text, ...] = (
    Text(
        "Orders went as they did: a hold counts until the order was in fact invoiced or closed, so delays are at least "
        "these.",
        "订单按实际情况执行：冻结仅计至订单实际开票或关闭之日，因此延误为最低值。",
    ),
    Text(
        "When goods were delivered is not known: what is delivered and not invoiced today was delivered on the ship day; "
        "of an order's lines the earliest ship day was invoiced first.",
        "发货时间未知：目前已发货未开票的部分按要求发货日发货；同一订单各行按发货日先后开票。",
    ),
    Text(
        "Cancelled orders are left out: nobody knows until when they were open. A closed order was closed with its last "
        "invoice.",
        "已取消订单不计入，因其取消日期未知；已关闭订单按最后一张发票之日关闭。",
    ),
    Text(
        "Customers have their status, segment, parent and terms of today throughout; limits have their own days.",
        "客户状态、客群、上级及账期按目前情况；额度按各自有效期。",
    ),
    Text(
        "Data were never too old. Warnings are those of the ledger alone, without promises, registers and scores, and "
        "begin on the first day. Holds by hand, exclusions, releases, reviews and files are left out.",
        "假定数据从未过期；预警仅按账面计算（不含付款承诺、工商司法信息及评分），自起始日起算；人工冻结、例外、解冻、复评与档案未计入。",
    ),
    Text(
        "Letters and calls are counted by the ladder's days alone; promises of the past are not known.",
        "催收函与电话仅按催收阶梯天数估算；历史付款承诺未知。",
    ),
)
