"""Group credit 集团授信: parent chains, and the room that a customer's parents leave it (domain 2, hierarchy)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from connector.credit.limit import Effective
from connector.credit.position import Position
from connector.credit.rates import Rates
from connector.credit.reason import Reason
from connector.text import Text

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Node:
    """A parent of a customer, as far as the limit test asks: its limit, and what it and everything below it expose.

    `exposure` is in `currency`, None where a rate was missing to add it up. `rates` of `as_of` bring its room into the
    currency of a customer below. A node without a limit (none, unlimited) constrains nothing.
    """

    name: str
    currency: str
    limit: Effective
    exposure: Decimal | None
    rates: Rates | None = None
    as_of: dt.date | None = None
    ref: str = ""

    @property
    def constrains(self) -> bool:
        """Whether there is a limit to keep to."""
        return self.limit.kind == "amount"

    def limit_in(self, currency: str) -> Decimal | None:
        """Its limit in a customer's currency, unrounded; None where it constrains nothing, or cannot be converted."""
        return self._in(self.limit.amount, self.limit.currency or self.currency, currency) if self.constrains else None

    def room_in(self, currency: str) -> Decimal | None:
        """Limit less exposure in a customer's currency, unrounded; None as for `limit_in`."""
        limit = self.limit_in(self.currency)
        if limit is None or self.exposure is None:
            return None
        return self._in(limit - self.exposure, self.currency, currency)

    def unclear_in(self, currency: str) -> tuple[Reason, ...]:
        """Why the node cannot be tested for a customer of a currency, although it has a limit."""
        if not self.constrains or self.room_in(currency) is not None:
            return ()
        text = GROUP_NO_RATE.fill(name=self.name, on=self.as_of or "")
        return (Reason("no_rate", text, {"group": self.ref or self.name, "on": str(self.as_of or "")}),)

    def _in(self, amount: Decimal | None, frm: str, to: str) -> Decimal | None:
        if amount is None or frm == to:
            return amount
        return self.rates.convert(amount, frm, to, self.as_of) if self.rates and self.as_of else None


GROUP_NO_RATE = Text(
    "an exchange rate of {on} is missing: the limit of the group {name} cannot be compared",
    "缺少 {on} 的汇率：无法与集团“{name}”的额度比较",
)


def node_of(position: Position, name: str, rates: Rates | None = None, ref: str = "") -> Node:
    """A parent as a node, from a position made of the rows of its whole subtree, so that it is rounded only once."""
    partial = any(reason.rule == "no_rate" for reason in position.unclear)
    exposure = None if partial else position.exposure.total
    return Node(name, position.currency, position.limit, exposure, rates, position.as_of, ref)


def headroom(nodes: Iterable[Node], currency: str) -> Decimal | None:
    """The least room of several nodes in a customer's currency; None where none of them has a limit."""
    return min((room for node in nodes if (room := node.room_in(currency)) is not None), default=None)


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
