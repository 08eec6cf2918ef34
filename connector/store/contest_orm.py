"""One object at a time: the same ledger as an ordinary application with mapped classes would keep and sum it.

`loop` asks for one customer after the other and adds up in Python; `merge` brings records in with `Session.merge`, one
object after the other, and keeps what is open of each document up as it goes.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Engine, LargeBinary, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from connector.model import (
    Application,
    Customer,
    Document,
    Fact,
    Instalment,
    Limit,
    Order,
    OrderLine,
    Payment,
)
from connector.money import to_minor
from connector.store.contest import EDGES, FINE, Figures, Sums
from connector.store.facts import Kept
from connector.store.records import packed

Big = BigInteger


class _Base(DeclarativeBase):
    pass


class Record(_Base):
    """What was said, as it was said."""

    __tablename__ = "plain_record"
    stream: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    fetched_at: Mapped[dt.datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Buyer(_Base):
    __tablename__ = "plain_buyer"
    ref: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str | None]
    status: Mapped[str]


class Paper(_Base):
    __tablename__ = "plain_paper"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    number: Mapped[str | None]
    issued_on: Mapped[dt.date]
    due_on: Mapped[dt.date]
    currency: Mapped[str]
    amount: Mapped[int] = mapped_column(Big)
    disputed: Mapped[int | None] = mapped_column(Big)
    voided_on: Mapped[dt.date | None]
    status: Mapped[str]
    open: Mapped[int] = mapped_column(Big)


class Receipt(_Base):
    __tablename__ = "plain_receipt"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    received_on: Mapped[dt.date]
    currency: Mapped[str]
    amount: Mapped[int] = mapped_column(Big)
    open: Mapped[int] = mapped_column(Big)


class Setting(_Base):
    """A payment or credit note set against a document."""

    __tablename__ = "plain_setting"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    from_ref: Mapped[str]
    to_ref: Mapped[str]
    amount: Mapped[int] = mapped_column(Big)
    applied_on: Mapped[dt.date]
    reversed_on: Mapped[dt.date | None]


class Share(_Base):
    """An instalment."""

    __tablename__ = "plain_share"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    paper: Mapped[str]
    due_on: Mapped[dt.date]
    amount: Mapped[int] = mapped_column(Big)


class Sale(_Base):
    __tablename__ = "plain_sale"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    ordered_on: Mapped[dt.date]
    currency: Mapped[str]
    status: Mapped[str]


class SaleLine(_Base):
    __tablename__ = "plain_sale_line"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    sale: Mapped[str]
    quantity: Mapped[int]
    delivered: Mapped[int]
    invoiced: Mapped[int]
    price: Mapped[int] = mapped_column(Big)  # of one, with tax, in FINEths of a minor unit
    ship_on: Mapped[dt.date]


class Ceiling(_Base):
    """A credit limit."""

    __tablename__ = "plain_ceiling"
    ref: Mapped[str] = mapped_column(primary_key=True)
    buyer: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    amount: Mapped[int | None] = mapped_column(Big)
    currency: Mapped[str | None]
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]


def _owner(ref: str) -> str:
    """The customer in an id of the book's."""
    return ref.partition("-")[0]


def _paper(f: Document) -> dict[str, Any]:
    return {
        "ref": f.id,
        "buyer": f.customer_id,
        "kind": f.kind,
        "number": f.number,
        "issued_on": f.issued_on,
        "due_on": f.due_on,
        "currency": f.currency,
        "amount": f.amount,
        "disputed": f.disputed_amount,
        "voided_on": f.voided_on,
        "status": f.status,
        "open": 0 if f.voided_on else f.amount,
    }


def _receipt(f: Payment) -> dict[str, Any]:
    return {
        "ref": f.id,
        "buyer": f.customer_id,
        "received_on": f.received_on,
        "currency": f.currency,
        "amount": f.amount,
        "open": f.amount,
    }


def _setting(f: Application) -> dict[str, Any]:
    return {
        "ref": f.ref,
        "buyer": _owner(f.ref),
        "from_ref": f.from_id,
        "to_ref": f.to_id,
        "amount": to_minor(f.amount, "CNY"),
        "applied_on": f.applied_on,
        "reversed_on": f.reversed_on,
    }


def _share(f: Instalment) -> dict[str, Any]:
    return {
        "ref": f.ref,
        "buyer": _owner(f.document_id),
        "paper": f.document_id,
        "due_on": f.due_on,
        "amount": to_minor(f.amount, "CNY"),
    }


def _line(f: OrderLine) -> dict[str, Any]:
    return {
        "ref": f.ref,
        "buyer": _owner(f.order_id),
        "sale": f.order_id,
        "quantity": int(f.quantity),
        "delivered": int(f.quantity_delivered or 0),
        "invoiced": int(f.quantity_invoiced or 0),
        "price": int(to_minor(f.unit_price, "CNY") * (1 + (f.tax_rate or 0)) * FINE),
        "ship_on": f.ship_on,
    }


# By class of fact: its mapped class, and how one becomes the other. All money of the book has two decimals.
MAPPED: dict[type, tuple[type[Any], Callable[[Any], dict[str, Any]]]] = {
    Customer: (Buyer, lambda f: {"ref": f.id, "name": f.name, "currency": f.currency, "status": f.status}),
    Document: (Paper, _paper),
    Payment: (Receipt, _receipt),
    Application: (Setting, _setting),
    Instalment: (Share, _share),
    Order: (
        Sale,
        lambda f: {
            "ref": f.id,
            "buyer": f.customer_id,
            "ordered_on": f.ordered_on,
            "currency": f.currency,
            "status": f.status,
        },
    ),
    OrderLine: (SaleLine, _line),
    Limit: (
        Ceiling,
        lambda f: {
            "ref": f.ref,
            "buyer": f.customer_id,
            "kind": f.kind,
            "amount": f.amount,
            "currency": f.currency,
            "valid_from": f.valid_from,
            "valid_to": f.valid_to,
        },
    ),
}


def create(engine: Engine) -> None:
    """Its tables."""
    _Base.metadata.create_all(engine)


def fill(engine: Engine, facts: Iterable[Fact]) -> None:
    """Facts straight into the tables, in no time that is measured."""
    left = iter(facts)
    with engine.begin() as connection:
        while part := list(islice(left, 10_000)):
            rows: dict[type[Any], list[dict[str, Any]]] = defaultdict(list)
            for fact in part:
                if type(fact) in MAPPED:
                    cls, row = MAPPED[type(fact)]
                    rows[cls].append(row(fact))
            for cls, some in rows.items():
                connection.execute(cls.__table__.insert(), some)


# --- adding up ----------------------------------------------------------------------------------------------------------
def loop(
    engine: Engine, as_of: dt.date, horizon_days: int = 90
) -> Iterator[tuple[Buyer, dict[str, Figures], Sequence[Ceiling]]]:
    """Every customer with its figures by currency and its limits: a query for each kind of thing, then Python."""
    with Session(engine, expire_on_commit=False) as session:
        for buyer in session.scalars(select(Buyer).order_by(Buyer.ref)).all():

            def mine(cls: Any, of: str = buyer.ref) -> Sequence[Any]:
                return session.scalars(select(cls).where(cls.buyer == of)).all()

            figures = _figures(as_of, mine)
            _on_order(figures, as_of, as_of + dt.timedelta(days=horizon_days), mine)
            yield buyer, dict(figures), mine(Ceiling)
            session.expunge_all()


def _figures(as_of: dt.date, mine: Callable[[Any], Sequence[Any]]) -> defaultdict[str, Figures]:
    figures: defaultdict[str, Figures] = defaultdict(Figures)
    taken: defaultdict[str, int] = defaultdict(int)
    for setting in mine(Setting):
        if setting.applied_on <= as_of and (setting.reversed_on is None or setting.reversed_on > as_of):
            taken[setting.from_ref] += setting.amount
            taken[setting.to_ref] += setting.amount
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    for share in mine(Share):
        shares[share.paper].append(share)
    for receipt in mine(Receipt):
        if receipt.received_on > as_of:
            continue
        figures[receipt.currency].cash += receipt.amount - taken[receipt.ref]
    for paper in mine(Paper):
        one, left = figures[paper.currency], taken[paper.ref]
        if paper.issued_on > as_of or (paper.voided_on is not None and paper.voided_on <= as_of):
            continue
        if paper.status == "draft":
            one.drafts += paper.amount if paper.kind != "credit_note" else -paper.amount
        elif paper.kind == "credit_note":
            one.notes += paper.amount - left
        elif paper.ref in shares:
            for share in sorted(shares[paper.ref], key=lambda s: s.due_on):
                used = min(left, share.amount)
                left -= used
                _age(one, share.due_on, share.amount - used, 0, as_of)
        else:
            _age(one, paper.due_on, paper.amount - left, paper.disputed or 0, as_of)
    return figures


def _age(one: Figures, due_on: dt.date, value: int, disputed: int, as_of: dt.date) -> None:
    if not value:
        return
    days = (as_of - due_on).days
    one.buckets[0 if days <= 0 else 1 + sum(days > edge for edge in EDGES)] += value
    one.receivables += value
    doubt = min(disputed, value)
    one.disputed += doubt
    if days > 0:
        one.overdue += value
        one.undisputed_overdue += value - doubt
        one.oldest_due_on = min(one.oldest_due_on or due_on, due_on)


def _on_order(
    figures: defaultdict[str, Figures], as_of: dt.date, horizon: dt.date, mine: Callable[[Any], Sequence[Any]]
) -> None:
    sales = {sale.ref: sale for sale in mine(Sale) if sale.status == "open" and sale.ordered_on <= as_of}
    for line in mine(SaleLine):
        if line.sale not in sales:
            continue
        one = figures[sales[line.sale].currency]
        one.delivered += max(line.delivered - line.invoiced, 0) * line.price
        if line.ship_on <= horizon:
            one.ordered += max(line.quantity - max(line.delivered, line.invoiced), 0) * line.price


def sums(engine: Engine, as_of: dt.date) -> Sums:
    """The figures of everybody."""
    return {
        (buyer.ref, currency): one
        for buyer, figures, _ in loop(engine, as_of)
        for currency, one in figures.items()
        if not one.nothing
    }


# --- loading ------------------------------------------------------------------------------------------------------------
def merge(engine: Engine, stream: str, page: Sequence[Kept], now: dt.datetime) -> None:
    """A page of records, one object after the other, as one transaction."""
    with Session(engine) as session, session.begin():
        for kept in page:
            session.merge(Record(stream=stream, key=kept.key, hash=kept.hash, fetched_at=now, body=packed(kept.body)))
            for fact in kept.facts or ():
                if type(fact) in MAPPED:
                    _merge_fact(session, fact)


def _merge_fact(session: Session, fact: Fact) -> None:
    cls, row = MAPPED[type(fact)]
    values = row(fact)
    if cls in (Paper, Receipt):
        before = session.get(cls, values["ref"])
        if before is not None:  # what was applied stays applied
            values["open"] = before.open + values["amount"] - before.amount
    elif cls is Setting and session.get(Setting, values["ref"]) is None and values["reversed_on"] is None:
        for kind, ref in ((Paper, values["to_ref"]), (Receipt, values["from_ref"]), (Paper, values["from_ref"])):
            end: Any = session.get(kind, ref)
            if end is not None:
                end.open -= values["amount"]
    session.merge(cls(**values))


def open_sums(engine: Engine) -> dict[str, int]:
    """What is open of documents, by currency, unsigned: what `merge` has kept up."""
    with engine.connect() as connection:
        asked = select(Paper.currency, func.sum(Paper.open)).group_by(Paper.currency)
        return {currency: int(value) for currency, value in connection.execute(asked)}
