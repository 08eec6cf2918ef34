"""Doubts: what does not fit together among the facts of a system, as problems with their remedy."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select

from connector.errors import Problem
from connector.money import exponent
from connector.store import bulk
from connector.store.keys import known_system
from connector.store.tables import (
    application,
    customer,
    instalment,
    item,
    order_line,
    part,
    record,
    sales_order,
    stream,
)
from connector.text import Text

# More of one kind than this are told by their number: a list nobody reads helps nobody.
MOST = 200


def doubts(tx: Connection, system: str) -> list[Problem]:
    """Everything doubtful about one system's facts now, at most `MOST` of each kind."""
    key = known_system(tx, system)
    if key is None:
        return []
    return [
        *_unresolved(tx, system, key),
        *_inexact(tx, system, key),
        *_without_customer(tx, system, key),
        *_without_due_date(tx, system, key),
        *_uneven(tx, system, key),
        *_worthless_orders(tx, system, key),
    ]


def _places(tx: Connection, system: str, rows: list[Any]) -> dict[int, str]:
    """Where each record of some rows is: its file and line, else system, stream and key."""
    wanted = {row.record for row in rows if row.record is not None}
    asked = select(record.c.id, record.c.key, record.c.place, stream.c.name).join_from(
        record, stream, stream.c.id == record.c.stream
    )
    return {
        row.id: row.place or f"{system}/{row.name}/{row.key}"
        for row in tx.execute(asked.where(bulk.among(tx, record.c.id, wanted)))
    }


def _unresolved(tx: Connection, system: str, key: int) -> Iterator[Problem]:
    a = application.c
    rows = list(
        tx.execute(
            select(a.record, a.ref, a.from_ref, a.to_ref, a.from_item, a.to_item, a.amount)
            .where(a.system == key, or_(a.from_item.is_(None), a.to_item.is_(None)))
            .order_by(a.id)
            .limit(MOST)
        )
    )
    places = _places(tx, system, rows)
    for row in rows:
        missing = row.from_ref if row.from_item is None else row.to_ref
        yield Problem(
            "application_unresolved",
            places.get(row.record, f"{system}/application/{row.ref}"),
            Text(
                "{amount} is applied from {frm} to {to}, but {missing} is not among the documents and payments.",
                "从 {frm} 核销到 {to} 的金额为 {amount}，但单据和收付款中没有 {missing}。",
            ).fill(amount=row.amount, frm=row.from_ref, to=row.to_ref, missing=missing),
            Text(
                "It does not count until that arrives. Check the period and the filter of the pull.",
                "在其到达之前不计入。请检查拉取的期间和筛选条件。",
            ),
            "from_id" if row.from_item is None else "to_id",
        )


def _inexact(tx: Connection, system: str, key: int) -> Iterator[Problem]:
    """Applications between two currencies that do not say what the source loses."""
    a, source, aim = application.c, item.alias("source"), item.alias("aim")
    asked = (
        select(a.record, a.ref, source.c.currency.label("one"), aim.c.currency.label("other"))
        .join_from(application, source, source.c.id == a.from_item)
        .join(aim, aim.c.id == a.to_item)
        .where(a.system == key, a.from_amount.is_(None), source.c.currency != aim.c.currency)
        .order_by(a.id)
        .limit(MOST)
    )
    rows = list(tx.execute(asked))
    places = _places(tx, system, rows)
    for row in rows:
        yield Problem(
            "application_currency",
            places.get(row.record, f"{system}/application/{row.ref}"),
            Text(
                "An amount in {one} is applied to a document in {other}, without saying how much {one} that is.",
                "以 {one} 核销 {other} 单据，但未注明对应的 {one} 金额。",
            ).fill(one=row.one, other=row.other),
            Text("It does not count. Map from_amount.", "该笔不计入。请映射 from_amount。"),
            "from_amount",
        )


def _without_customer(tx: Connection, system: str, key: int) -> Iterator[Problem]:
    c = customer.c
    asked = (
        select(c.record, c.ref)
        .where(c.system == key, c.known.is_(False), exists().where(item.c.customer == c.id))
        .order_by(c.id)
        .limit(MOST)
    )
    for row in tx.execute(asked):
        yield Problem(
            "customer_unknown",
            f"{system}/customer/{row.ref}",
            Text(
                "There are documents of customer {ref}, but the system does not list this customer.",
                "有客户 {ref} 的单据，但系统的客户清单中没有该客户。",
            ).fill(ref=row.ref),
            Text(
                "It is reported under its id. Let the customers' stream include it.",
                "报表中以编号列示。请让客户数据流包含该客户。",
            ),
            "customer_id",
        )


def _without_due_date(tx: Connection, system: str, key: int) -> Iterator[Problem]:
    i = item.c
    rows = list(
        tx.execute(
            select(i.record, i.ref, i.terms)
            .where(
                i.system == key,
                i.open == bulk.literal(1),
                i.posted == bulk.literal(1),
                i.due_on.is_(None),
                i.parts == bulk.literal(0),
                i.open_value > 0,
            )
            .order_by(i.id)
            .limit(MOST)
        )
    )
    places = _places(tx, system, rows)
    for row in rows:
        where = places.get(row.record, f"{system}/document/{row.ref}")
        if row.terms:
            yield Problem(
                "bad_terms",
                where,
                Text(
                    "The payment terms “{terms}” of {ref} cannot be read: there is no due date.",
                    "{ref} 的付款条件“{terms}”无法识别：没有到期日。",
                ).fill(terms=row.terms, ref=row.ref),
                Text(
                    "Write net:DAYS, months:N, eom:DAYS or day:D:N, or a value table in the mapping.",
                    "请写成 net:天数、months:月数、eom:天数 或 day:日:月数，或在映射中加取值对照表。",
                ),
                "terms",
            )
        else:
            yield Problem(
                "no_due_date",
                where,
                Text("{ref} has neither due date nor terms.", "{ref} 既没有到期日也没有付款条件。").fill(ref=row.ref),
                Text(
                    "It is aged by its issue date, and the customer cannot be judged until it has one.",
                    "按开票日计算账龄；补充到期日之前无法对该客户作出判断。",
                ),
                "due_on",
            )


def _uneven(tx: Connection, system: str, key: int) -> Iterator[Problem]:
    """Instalments that do not add up to their document, or have none."""
    i, p, n = item.c, part.c, instalment.c
    asked = (
        select(i.record, i.ref, i.currency, p.value)
        .join_from(part, item, i.id == p.item)
        .where(i.system == key, i.parts > 1, p.number == "")
        .order_by(i.id)
        .limit(MOST)
    )
    rows = list(tx.execute(asked))
    places = _places(tx, system, rows)
    for row in rows:
        rest = Decimal(abs(row.value)).scaleb(-exponent(row.currency))
        yield Problem(
            "instalments_uneven",
            places.get(row.record, f"{system}/document/{row.ref}"),
            Text(
                "The instalments of {ref} differ from its amount by {rest} {currency}.",
                "{ref} 的分期合计与单据金额相差 {rest} {currency}。",
            ).fill(ref=row.ref, rest=rest, currency=row.currency),
            Text(
                "The difference is taken as due with the document. Correct the instalments.",
                "差额按单据到期日处理。请更正分期。",
            ),
            "amount",
        )
    there = exists().where(and_(i.system == n.system, i.family == "d", i.ref == n.document_ref))
    lost = list(
        tx.execute(select(n.record, n.ref, n.document_ref).where(n.system == key, ~there).order_by(n.id).limit(MOST))
    )
    places = _places(tx, system, lost)
    for other in lost:
        yield Problem(
            "instalment_unresolved",
            places.get(other.record, f"{system}/instalment/{other.ref}"),
            Text(
                "There is an instalment of {document}, but no such document.", "有 {document} 的分期，但没有该单据。"
            ).fill(document=other.document_ref),
            Text("It does not count until the document arrives.", "在该单据到达之前不计入。"),
            "document_id",
        )


def _worthless_orders(tx: Connection, system: str, key: int) -> Iterator[Problem]:
    o, n = sales_order.c, order_line.c
    asked = (
        select(o.record, o.ref)
        .where(
            o.system == key,
            o.status == bulk.word("open"),
            o.amount.is_(None),
            ~exists().where(n.sales_order == o.id),
        )
        .order_by(o.id)
        .limit(MOST)
    )
    rows = list(tx.execute(asked))
    places = _places(tx, system, rows)
    for row in rows:
        yield Problem(
            "order_without_value",
            places.get(row.record, f"{system}/order/{row.ref}"),
            Text("Order {ref} has neither lines nor an amount.", "订单 {ref} 既没有明细行也没有金额。").fill(
                ref=row.ref
            ),
            Text("It counts as nothing. Map its amount or its lines.", "该订单不计入。请映射其金额或明细行。"),
            "amount",
        )
