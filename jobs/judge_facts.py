"""What customers are judged from: sums, pieces of limits, and how the invoices of staged limits were paid, many at once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.credit.stage import begun_on
from connector.credit.totals import Totals
from connector.model import Limit
from connector.store import Connection, decisions, positions
from connector.store.customers import CustomerRow
from connector.store.history import InvoicedDay, invoiced_by_day
from connector.store.limits import pieces as limit_pieces
from jobs.frame import Frame

ZERO = Decimal(0)


@dataclass(slots=True)
class Facts:
    """Sums and limits by customer, and how the invoices of each tranche of staged limits were paid."""

    sums: Mapping[int, list[Totals]]
    limits: Mapping[int, list[Limit]]
    paid: Mapping[int, Mapping[str, Decimal]]


def facts_of(tx: Connection, frame: Frame, keys: Sequence[int] | None) -> Facts:
    """What some customers (None: all) are judged from, at the end of the frame's day."""
    view, policy = frame.view, frame.policy
    sums: dict[int, list[Totals]] = defaultdict(list)
    for row in positions.totals(
        tx,
        frame.as_of,
        customers=keys,
        edges=view.edges or policy.ageing.edges(view.basis),
        basis=view.basis or policy.ageing.basis,
        placement=view.placement or policy.ageing.placement,
        view="ledger" if view.ledger else "document",
        ledger_currency=frame.config.business.currency,
        company=view.company,
        horizon_days=policy.exposure.order_horizon_days,
        systems=frame.systems,
    ):
        sums[row.customer].append(row)
    limits = limit_pieces(tx, keys, frame.config.limits.master, frame.systems, frame.as_of)
    if frame.supposed:
        limits = limits | {key: list(pieces) for key, pieces in frame.supposed.items()}
    tranches = {}
    for key, pieces in limits.items():
        if key in frame.rows and (own := [x for x in pieces if x.kind == "stage"]):
            tranches[key] = own
    return Facts(sums, limits, _paid(tx, frame, tranches) if tranches else {})


def _paid(tx: Connection, frame: Frame, tranches: Mapping[int, Sequence[Limit]]) -> dict[int, dict[str, Decimal]]:
    """By customer and tranche, the paid share of what was invoiced under the tranche; also recalls what was released.

    A tranche once released stays released: what earlier decisions have released counts in reports, too.
    """
    debtors = {key: frame.rows[key].debtor for key in tranches}
    for debtor, row in decisions.latest(tx, {d for d in debtors.values() if d is not None}).items():
        frame.released[debtor] = released_in(row.body)
    asking = {}
    for key, pieces in tranches.items():
        begun = begun_on(pieces, frame.released.get(debtors[key] or -1, {}))
        if begun:
            asking[key] = begun
    if not asking:
        return {}
    days: dict[int, list[InvoicedDay]] = defaultdict(list)
    for day in invoiced_by_day(tx, list(asking), frame.as_of):
        days[day.customer].append(day)
    found: dict[int, dict[str, Decimal]] = {}
    for key, begun in asking.items():
        shares = {ref: _paid_share(frame, key, days[key], since, until) for ref, (since, until) in begun.items()}
        found[key] = {ref: share for ref, share in shares.items() if share is not None}
    return found


def _paid_share(
    frame: Frame, key: int, days: Sequence[InvoicedDay], since: dt.date, until: dt.date | None
) -> Decimal | None:
    """Paid of invoiced, in value, of the invoices of some days; None where there are none, or no rate for one."""
    invoiced = left = ZERO
    currency = currency_of(frame, frame.rows[key])
    for one in days:
        if one.issued_on < since or (until is not None and one.issued_on >= until):
            continue
        quote = frame.rates.quote(one.currency, currency, frame.as_of)
        if quote is None:
            return None
        invoiced, left = invoiced + quote.convert(one.invoiced), left + quote.convert(one.open)
    return 1 - left / invoiced if invoiced > 0 else None


def released_in(body: Mapping[str, Any]) -> dict[str, dt.date]:
    """The tranches that a kept decision had released, each with the day of its release."""
    released = body.get("released") or {}
    if not isinstance(released, Mapping):  # older decisions name the tranches without their days
        released = dict.fromkeys(released, body["as_of"])
    return {ref: dt.date.fromisoformat(day) for ref, day in released.items()}


def currency_of(frame: Frame, row: CustomerRow) -> str:
    """The currency in which a customer is judged."""
    return (
        frame.view.currency
        or (frame.config.business.currency if frame.view.ledger else None)
        or (row.currency or frame.config.business.currency)
    )


__all__ = ["Facts", "currency_of", "facts_of", "released_in"]
