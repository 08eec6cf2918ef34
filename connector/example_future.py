"""What is to come of a made-up customer: its orders, open and closed, and the limits it has been given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Protocol

from connector.example_company import Company
from connector.example_names import Name
from connector.model import Limit, LimitKind, Order, OrderLine, OrderStatus
from connector.money import exponent, from_minor, to_minor


class Teller(Protocol):
    """The customer whose story is told (`connector.example_story`). `open` is what it owes, in minor units."""

    into: Company
    rng: Random
    id: str
    number: int
    as_of: dt.date
    currency: str
    terms: str
    name: Name
    invoices: int
    open: int

    def amount(self, scale: float = 1.0) -> int: ...

    def day(self, most: int = 540, least: int = 0) -> dt.date: ...


def orders(story: Teller) -> None:
    rng = story.rng
    if not story.invoices:
        return
    for serial in range(int(rng.random() * 4)):
        draw = rng.random()
        status: OrderStatus = (
            "draft" if draw < 0.2 else "closed" if draw < 0.35 else "cancelled" if draw < 0.4 else "open"
        )
        ordered_on = story.day(30 if status == "draft" else 75, 0 if status == "draft" else 1)
        ship_on = ordered_on + dt.timedelta(days=10 + int(rng.random() * 80))
        key = f"{story.id}-O{serial + 1:02d}"
        tax = Decimal("0.13") if story.name.country == "CN" else Decimal(0)
        gross = Decimal(0)
        for line in range(1, 2 + int(rng.random() * 3)):
            quantity = Decimal(1 + int(rng.random() * 40))
            price = from_minor(max(1, story.amount(0.4) // int(quantity)), story.currency)
            delivered = _done(rng, status, quantity)
            invoiced = delivered if status != "open" or rng.random() < 0.6 else Decimal(int(delivered) // 2)
            gross += quantity * price * (1 + tax)
            story.into.order_lines.append(
                OrderLine(
                    order_id=key,
                    line=str(line),
                    quantity=quantity,
                    quantity_delivered=delivered,
                    quantity_invoiced=invoiced,
                    quantity_cancelled=quantity if status == "cancelled" else Decimal(0),
                    unit_price=price,
                    tax_rate=tax,
                    ship_on=ship_on,
                )
            )
        story.into.orders.append(
            Order(
                id=key,
                number=f"S{ordered_on:%y%m}-{story.number:05d}-{serial + 1:02d}",
                customer_id=story.id,
                ordered_on=ordered_on,
                ship_on=ship_on,
                currency=story.currency,
                amount=to_minor(gross, story.currency),
                terms=story.terms,
                status=status,
                owner=story.into.customers[-1].owner,
                priority="high" if rng.random() < 0.1 else "normal",
            )
        )


def _done(rng: Random, status: OrderStatus, quantity: Decimal) -> Decimal:
    if status == "closed":
        return quantity
    if status != "open" or rng.random() < 0.5:
        return Decimal(0)
    return Decimal(int(int(quantity) * rng.random()))


def limits(story: Teller) -> None:
    """Limits of every kind; about one customer in fifteen is above its own."""
    rng, year, half_year = story.rng, story.as_of.year, dt.timedelta(days=181)
    draw = rng.random()
    if draw < 0.12:  # none
        return
    if draw < 0.16:
        _limit(story, 1, "unlimited", None)
        return
    tight = story.open > 0 and rng.random() < 0.08
    wanted = (
        story.open * (0.4 + rng.random() * 0.55)
        if tight
        else max(story.open, story.amount(2)) * (1.3 + rng.random() * 3) * _share_of_group(story.number)
    )
    step = 10 ** max(exponent(story.currency), len(str(int(wanted))) - 2)  # limits are round numbers: two digits
    base = max(step, int(wanted) // step * step)
    if draw < 0.22:
        begun = dt.date(year, 1, 1)
        _limit(story, 1, "stage", base // 2, condition=f"from:{begun}", approved_on=begun)
        _limit(
            story,
            2,
            "stage",
            base - base // 2,
            condition=f"from:{begun + half_year} paid>=80% late<=15",
            approved_on=begun,
        )
        return
    expired = draw < 0.25
    _limit(
        story,
        1,
        "base",
        base,
        valid_from=dt.date(year - 1, 1, 1),
        valid_to=story.as_of - dt.timedelta(days=20) if expired else dt.date(year, 12, 31),
        approved_on=dt.date(year - 1, 1, 1),
    )
    if draw < 0.32:
        near = dt.timedelta(days=25)
        _limit(
            story,
            2,
            "override",
            base * 3 // 2,
            valid_from=story.as_of - near,
            valid_to=story.as_of + near,
            approved_on=story.as_of - near,
        )
    elif draw < 0.38:
        _limit(
            story,
            2,
            "additive",
            base // 5,
            valid_from=story.as_of - dt.timedelta(days=10),
            valid_to=story.as_of + dt.timedelta(days=45),
        )
    elif draw < 0.43:
        _limit(story, 2, "guarantee", base // 2, percent=Decimal("0.5"), valid_to=story.as_of + dt.timedelta(days=200))
    elif draw < 0.48:
        _limit(story, 2, "seasonal", base * 2, condition="11-01..02-15")


def _share_of_group(number: int) -> int:
    """The limit of a head, or of a child with a child of its own, is shared by those below it."""
    return {1: 5, 3: 2}.get(number % 20, 1)


def _limit(
    story: Teller,
    place: int,
    kind: LimitKind,
    amount: int | None,
    *,
    percent: Decimal | None = None,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    approved_on: dt.date | None = None,
    condition: str | None = None,
) -> None:
    story.into.limits.append(
        Limit(
            id=f"L{story.id}-{place}",
            customer_id=story.id,
            kind=kind,
            amount=amount,
            currency=story.currency if amount is not None else None,
            percent=percent,
            valid_from=valid_from,
            valid_to=valid_to,
            approved_on=approved_on,
            condition=condition,
        )
    )
