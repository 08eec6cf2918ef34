"""Figures of a replay: positions, groups and orders at a moment, as the nightly run makes them from its sums."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from connector.credit.compete import Share
from connector.credit.decide import ORDER_NO_RATE
from connector.credit.group import Node, node_of
from connector.credit.hold import OrderAmounts
from connector.credit.limit import Effective, added, effective
from connector.credit.position import Position, position
from connector.credit.rates import Rates
from connector.credit.reason import Reason
from connector.credit.replay_history import UNIT_DIGITS, Member, Placed, Rest
from connector.credit.replay_sums import Ledger
from connector.credit.stage import Behaviour, begun_on
from connector.credit.totals import Totals
from connector.money import EXACT, exponent, from_minor
from connector.policy import Policy

ZERO = Decimal(0)
# An order that wants credit: its place, what it adds, its part in the exposure of its debtor and of each node.
Wants = tuple[int, OrderAmounts, Share, tuple[tuple[int, Share], ...]]


class Figures:
    """The figures of a ledger by one way of counting. `places` are those of the policies that count so.

    `keeps`: a tranche of a staged limit that was released stays so. Limits are kept until the next day of their pieces:
    `forget` is for that day.
    """

    def __init__(self, ledger: Ledger, policy: Policy, rates: Rates, place: int, keeps: bool) -> None:
        self.ledger, self.policy, self.rates, self.places, self.keeps = ledger, policy, rates, [place], keeps
        self.buckets, self.placement = _buckets(policy), policy.ageing.placement
        self.limits: dict[int, Effective] = {}
        # By order, its rest and what of that is inside the horizon.
        self.wanted: dict[tuple[int, int, int], tuple[OrderAmounts, Share, Share]] = {}
        # By debtor: tranches that have been released, and since when.
        self.released: dict[int, dict[str, dt.date]] = defaultdict(dict)

    def forget(self, at: int) -> None:
        """A debtor's limits are another one from now on."""
        for member in self.ledger.family.debtors[at].members:
            self.limits.pop(member.customer, None)

    def of_family(self, on: dt.date, turned: set[int]) -> tuple[dict[int, Position], dict[int, Node]]:
        """The positions of those for whom something turned, and the nodes above them."""
        family = self.ledger.family.debtors
        rows: dict[int, list[list[Totals]]] = {}
        positions: dict[int, Position] = {}
        for at in turned:
            rows[at] = self._rows(at, on)
            positions[at] = self._position(at, rows[at], on)
        if len(family) == 1:
            return positions, _NO_NODES
        heads = {a for at in turned for a in (at, *family[at].above) if family[a].below}
        nodes: dict[int, Node] = {}
        for head in heads:
            for one in family[head].below:
                if one not in rows:
                    rows[one] = self._rows(one, on)
            own = positions.get(head) or self._position(head, rows[head], on)
            whole = [row for one in family[head].below for part in rows[one] for row in part]
            debtor = family[head]
            # Judged in its limit's own currency: a limit is never changed by a rate.
            currency = own.limit.currency or own.currency
            made = self._made(debtor.members[0].customer, currency, whole, own.limit, on)
            nodes[head] = node_of(made, debtor.ref, debtor.name)
        return positions, nodes

    def _rows(self, at: int, on: dt.date) -> list[list[Totals]]:
        """The rows of each member of a debtor."""
        policy, buckets, placement = self.policy, self.buckets, self.placement
        ordered: dict[tuple[int, str], tuple[int, int]] = {}
        for one, place in self.ledger.open_orders[at].items():
            order = self.ledger.family.orders[one]
            delivered, inside = _inside(order.rests[place], policy, on)
            before = ordered.get((order.customer, order.currency), (0, 0))
            ordered[order.customer, order.currency] = before[0] + delivered, before[1] + inside
        found = []
        for member in self.ledger.family.debtors[at].members:
            rows = []
            for sums in self.ledger.sums[member.customer]:
                pair = ordered.pop((member.customer, sums.currency), None)
                if sums.is_empty and pair is None:
                    continue
                rows.append(row := sums.totals(buckets, placement))
                if pair is not None:
                    row.delivered_not_invoiced, row.ordered_not_delivered = _minor(pair, sums.currency)
            for (customer, currency), pair in ordered.items():
                if customer == member.customer and any(pair):
                    rows.append(row := Totals(customer, currency, (0,) * buckets))
                    row.delivered_not_invoiced, row.ordered_not_delivered = _minor(pair, currency)
            found.append(rows)
        return found

    def _position(self, at: int, rows: Sequence[Sequence[Totals]], on: dt.date) -> Position:
        debtor = self.ledger.family.debtors[at]
        granted = [self._limit(at, m, own, on) for m, own in zip(debtor.members, rows, strict=True)]
        first = debtor.members[0]
        if len(debtor.members) == 1:
            return self._made(first.customer, first.currency, rows[0], granted[0], on)
        everything = [row for own in rows for row in own]
        limit = added(granted, on, self.rates.convert)
        return self._made(first.customer, first.currency, everything, limit, on)

    def _made(self, customer: int, currency: str, rows: Sequence[Totals], limit: Effective, on: dt.date) -> Position:
        return position(customer, currency, rows, limit, self.rates, on, self.policy)

    def _limit(self, at: int, member: Member, rows: Sequence[Totals], on: dt.date) -> Effective:
        kept = self.limits
        found = kept.get(member.customer)
        if found is not None:
            return found
        pieces, convert = member.limits, self.rates.convert
        found = effective(pieces, on, None, convert, currency=member.currency)
        staged = [piece for piece in pieces if piece.kind == "stage"]
        if staged:
            released = self.released[at]
            own = self._made(member.customer, member.currency, rows, found, on)
            behaviour = Behaviour(
                late_days=own.undisputed_overdue_days,
                released=frozenset(released),
                paid_of=self._paid(member, released, on),
            )
            found = effective(pieces, on, behaviour, convert, currency=member.currency)
            for ref in found.released if self.keeps else ():
                released.setdefault(ref, on)  # a release is an event that stays
        elif all(piece.currency in (None, member.currency) for piece in pieces):
            kept[member.customer] = found  # stands until the next day of its pieces
        return found

    def _paid(self, member: Member, released: dict[str, dt.date], on: dt.date) -> dict[str, Decimal]:
        """The paid share of what was invoiced under each tranche, as `Behaviour.paid_of` wants it."""
        staged = [piece for piece in member.limits if piece.kind == "stage"]
        found = {}
        day = on.toordinal()
        for ref, (since, until) in begun_on(staged, released).items():
            invoiced = left = ZERO
            for sale in self.ledger.family.sales:
                issued = dt.date.fromordinal(sale.issued)
                gone = sale.voided is not None and sale.voided <= day
                outside = issued < since or (until is not None and issued >= until) or sale.issued > day
                if sale.customer != member.customer or gone or outside:
                    continue
                quote = self.rates.quote(sale.currency, member.currency, on)
                if quote is None:
                    break
                open_now = sum(max(self.ledger.standing.value[at], 0) for at in sale.lines)
                invoiced += quote.convert(from_minor(sale.amount, sale.currency))
                left += quote.convert(from_minor(open_now, sale.currency))
            else:
                if invoiced > 0:
                    found[ref] = 1 - left / invoiced
        return found

    def orders(
        self,
        at: int,
        currency: str,
        chain: Sequence[int],
        nodes: Mapping[int, Node],
        on: dt.date,
    ) -> list[Wants]:
        """The open orders of a debtor: what each adds, and its part in the exposure of the debtor and of each node."""
        found = []
        for one, place in sorted(self.ledger.open_orders[at].items()):
            order = self.ledger.family.orders[one]
            delivered, inside = _inside(order.rests[place], self.policy, on)
            # In its customer's own currency an order is the same until something of it turns.
            known = (one, place, inside)
            wanted = self.wanted.get(known)
            if wanted is None:
                wanted = self._wants(order, order.rests[place], delivered, inside, currency, on)
                if order.currency == currency:
                    self.wanted[known] = wanted
            made, mine, plain = wanted
            shares: tuple[tuple[int, Share], ...] = ()
            if chain:
                shares = tuple([(a, self._share(plain, order.currency, nodes[a].currency, on)) for a in chain])
            found.append((one, made, mine, shares))
        return found

    def _wants(
        self, order: Placed, rest: Rest, delivered: int, inside: int, currency: str, on: dt.date
    ) -> tuple[OrderAmounts, Share, Share]:
        """What an order adds in its debtor's currency, and its part in that one's exposure; and that in its own."""
        counting = self.policy.exposure
        leaves = _amount(inside) if counting.ordered_not_delivered else ZERO
        stands = (_amount(delivered) if counting.delivered_not_invoiced else ZERO) + leaves
        total, invoiced = _amount(order.total), _amount(rest.invoiced)
        ship_on = dt.date.fromordinal(order.ship) if order.ship is not None else None
        own = (order.terms, total, order.currency)
        if order.currency == currency:
            made = OrderAmounts(order.ref, order.number, total, stands, ship_on, True, invoiced, *own)
            return made, (plain := Share(stands, leaves)), plain
        quote = self.rates.quote(order.currency, currency, on)
        if quote is None:
            numbers = {"from": order.currency, "to": currency, "on": str(on)}
            text = ORDER_NO_RATE.fill(frm=order.currency, to=currency, on=on)
            unclear = (Reason("no_rate", text, numbers, (order.ref,)),)
            made = OrderAmounts(order.ref, order.number, ZERO, ZERO, ship_on, False, ZERO, *own, unclear)
            return made, _NOTHING, _NOTHING
        value, done = quote.convert(stands), quote.convert(invoiced)
        made = OrderAmounts(order.ref, order.number, quote.convert(total), value, ship_on, True, done, *own)
        return made, Share(value, quote.convert(leaves)), Share(stands, leaves)

    def _share(self, plain: Share, frm: str, to: str, on: dt.date) -> Share:
        """A part in an order's own currency, in another one. Without a rate it is not in the exposure either."""
        if frm == to or plain is _NOTHING:
            return plain
        convert = self.rates.convert
        return Share(convert(plain.stands, frm, to, on) or ZERO, convert(plain.leaves, frm, to, on) or ZERO)


def same_figures(one: Policy, other: Policy) -> bool:
    """Whether two policies make the same figures of the same facts."""
    return (one.ageing, one.exposure, one.currency) == (other.ageing, other.exposure, other.currency)


def _buckets(policy: Policy) -> int:
    edges = policy.ageing.edges()
    return {"due": 2, "issue": 1}[policy.ageing.basis] + len(edges) if edges else 6


def _inside(rest: Rest, policy: Policy, on: dt.date) -> tuple[int, int]:
    """Of what is not invoiced: delivered, and to be delivered inside the horizon."""
    horizon = policy.exposure.order_horizon_days
    if horizon is None:
        return rest.delivered, sum(units for _, units in rest.waiting)
    until = on.toordinal() + horizon
    return rest.delivered, sum([units for ship, units in rest.waiting if ship is None or ship <= until])


def _amount(units: int) -> Decimal:
    return Decimal(units).scaleb(-UNIT_DIGITS, EXACT) if units else ZERO


_NOTHING = Share()
_NO_NODES: dict[int, Node] = {}


def _minor(pair: Iterable[int], currency: str) -> tuple[Decimal, Decimal]:
    places = exponent(currency)
    delivered, ordered = (Decimal(units).scaleb(-UNIT_DIGITS, EXACT).scaleb(places, EXACT) for units in pair)
    return delivered, ordered
