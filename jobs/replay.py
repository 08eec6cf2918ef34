"""Families for a replay: the debtors of a ledger with their histories, read set by set, a few hundred at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from connector.config import Config
from connector.credit.rates import Rates
from connector.credit.replay import Rules
from connector.credit.replay_history import Debtor, Family, Member
from connector.model import Limit, Rate
from connector.policy import Policy
from connector.store import Connection
from connector.store.limits import pieces as limit_pieces
from connector.store.replayed import History, histories
from jobs.frame import Frame
from jobs.judge import portions

# So many debtors are read together; what was read for the others is gone by then.
_TOGETHER = 400


class Portion(NamedTuple):
    """Some families, and how many debtors they are."""

    families: list[Family]
    debtors: int


def rules_of(config: Config, policies: Sequence[Policy], rates: Sequence[Rate]) -> list[Rules]:
    """Each policy with the exchange rates as it takes them."""
    base = config.business.currency
    return [Rules(policy, Rates(rates, base, policy.currency.max_rate_age_days)) for policy in policies]


def families(
    tx: Connection,
    frame: Frame,
    first: dt.date,
    last: dt.date,
    debtors: Collection[int] | None = None,
    together: int = _TOGETHER,
) -> Iterator[Portion]:
    """The families of some debtors (None: of all) with what happened to them from `first` to `last`."""
    wanted = None if debtors is None else frame.family(debtors)
    frame.load(tx, wanted)
    for portion in portions(frame, frame.members if wanted is None else wanted & frame.members.keys(), together):
        mine = [debtor for debtor in portion if debtor in frame.members]
        keys = [key for debtor in mine for key in frame.members[debtor]]
        limits = limit_pieces(tx, keys, frame.config.limits.master, frame.systems)
        staged = {key for key, pieces in limits.items() if any(piece.kind == "stage" for piece in pieces)}
        found = histories(tx, keys, frame.systems, first, last, staged)
        left, made = set(mine), []
        for debtor in mine:
            if debtor in left:
                together_with = [d for d in sorted(frame.family([debtor])) if d in frame.members]
                left.difference_update(together_with)
                made.append(_family(frame, together_with, limits, found))
        yield Portion(made, len(mine))


def _family(frame: Frame, debtors: Sequence[int], limits: dict[int, list[Limit]], found: dict[int, History]) -> Family:
    places = {debtor: at for at, debtor in enumerate(debtors)}
    family = Family([])
    for debtor in debtors:
        rows = [frame.rows[key] for key in frame.members[debtor]]
        first = rows[0]
        under = frame.below(debtor) if debtor in frame.children else set()
        family.debtors.append(
            Debtor(
                debtor,
                first.system,
                first.ref,
                first.name or first.ref,
                tuple(
                    Member(row.key, row.currency or frame.config.business.currency, limits.get(row.key, []))
                    for row in rows
                ),
                first.segment,
                "blocked" if any(row.status == "blocked" for row in rows) else first.status or "active",
                first.terms,
                tuple(places[above] for above in frame.ancestors(debtor) if above in places),
                tuple(sorted(places[one] for one in under if one in places)),
            )
        )
        for row in rows:
            history = found.pop(row.key, None)
            if history is None:
                continue
            lines, orders = len(family.lines), len(family.orders)
            for sale in history.sales:
                sale.lines = tuple(at + lines for at in sale.lines)
                sale.order = sale.order + orders if sale.order is not None else None
            family.lines += history.lines
            family.orders += history.orders
            family.sales += history.sales
    return family
