"""Group credit 集团授信: parent chains, and the room that a customer's parents leave it (domain 2, hierarchy)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from connector.credit.position import Position, no_rate_for_limit
from connector.credit.rates import Quote, Rates
from connector.credit.reason import Reason

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Node:
    """A customer or a parent of it, as far as the limit test asks: `limit` (None constrains nothing) and `exposure`.

    `exposure` is its own and that of everything below it; both are in `currency`. `quote` converts that into the
    currency `seen_in` of the customer who is being decided on. `unclear` says why this node cannot be tested.
    """

    ref: str
    name: str
    currency: str
    limit: Decimal | None
    exposure: Decimal
    seen_in: str = ""
    quote: Quote | None = None
    unclear: tuple[Reason, ...] = ()

    def seen_from(self, currency: str, rates: Rates, as_of: dt.date) -> Node:
        """The same node for a customer of another currency; without a rate it cannot be tested, and says so."""
        if currency == self.currency:
            return self
        quote = rates.quote(self.currency, currency, as_of)
        if quote is None and self.limit is not None:
            missing = no_rate_for_limit(self.currency, currency, as_of)
            return replace(self, seen_in=currency, unclear=(*self.unclear, missing))
        return replace(self, seen_in=currency, quote=quote)

    @property
    def room(self) -> Decimal | None:
        """Limit less exposure, in the currency `seen_in`, unrounded; None where the node constrains nothing."""
        if self.limit is None:
            return None
        room = self.limit - self.exposure
        if self.seen_in in ("", self.currency):
            return room
        return self.quote.convert(room) if self.quote else None


def node_of(position: Position, ref: str, name: str) -> Node:
    """A parent as a node, from a position made of the rows of its whole subtree, in its limit's currency.

    What its members lack (a due date) is no obstacle for their relatives; a missing rate is, where there is a limit.
    """
    has_limit = position.limit.kind == "amount"
    unclear = tuple(r for r in position.unclear if has_limit and r.rule in ("no_rate", "unclear_limit"))
    return Node(ref, name, position.currency, position.limit_amount, position.exposure.total, unclear=unclear)


def headroom(nodes: Iterable[Node]) -> Decimal | None:
    """The least room of several nodes; None where none of them has a limit."""
    return min((room for node in nodes if (room := node.room) is not None), default=None)


def ancestors(key: K, parent_of: Mapping[K, K | None]) -> tuple[list[K], bool]:
    """The parents of a customer, nearest first, and whether the chain runs in a circle (then it ends before it)."""
    chain: list[K] = []
    here = parent_of.get(key)
    while here is not None and here != key and here not in chain:
        chain.append(here)
        here = parent_of.get(here)
    return chain, here is not None


def members(parent_of: Mapping[K, K | None]) -> dict[K, list[K]]:
    """For every customer that is a parent: itself and everything below it."""
    found: dict[K, list[K]] = {}
    for key in parent_of:
        for parent in ancestors(key, parent_of)[0]:
            found.setdefault(parent, [parent]).append(key)
    return found
