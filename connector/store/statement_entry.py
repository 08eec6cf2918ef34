"""Statements that people bring: kept as new versions, confirmed or refused by somebody with a reason, shown with proof."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import simplejson
from sqlalchemy import Connection, func, select

from connector.credit.statement_join import Brought
from connector.credit.statement_sheet import Finding
from connector.credit.statements import OnFile, with_items
from connector.errors import ConfigError
from connector.store import audit, bulk, marks
from connector.store.statements import items_of
from connector.store.tables import customer, statement, statement_item, system
from connector.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """One version on file: `one` is what the rules see of it, without items."""

    one: OnFile
    customer: str  # system/id
    status: str
    currency: str | None
    unit: int | None
    file: str
    received_on: dt.date | None
    entered_by: str
    entered_at: dt.datetime
    confirmed_by: str | None
    refused_by: str | None
    reason: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One item with the cell that it stands in; amounts in whole units of the currency."""

    item: str
    amount: Decimal | None
    opening: Decimal | None
    label: str
    sheet: str
    cell: str
    raw: str
    opening_cell: str
    opening_raw: str


def add(
    tx: Connection,
    customer_key: int,
    brought: Brought,
    *,
    file: str,
    sha: str,
    audited: bool | None,
    opinion: str | None,
    received_on: dt.date | None,
    findings: Sequence[Finding],
    confirmed: bool,
    reason: str,
    actor: str,
    now: dt.datetime,
    today: dt.date,
) -> int:
    """Keeps a statement as a new version of its period, and gives its number. A draft where `confirmed` is False.

    The period must be known; unit and currency must be, where it is confirmed.
    """
    assert brought.period_end_on is not None
    assert brought.months is not None
    assert not confirmed or (brought.unit is not None and brought.currency is not None)
    c = statement.c
    _lock(tx, customer_key)
    same = (
        c.customer == customer_key,
        c.period_end_on == brought.period_end_on,
        c.months == brought.months,
        c.consolidated.is_(brought.consolidated),
    )
    version = (tx.execute(select(func.max(c.version)).where(*same)).scalar() or 0) + 1
    number = next(iter(bulk.new_ids(tx, statement, 1)))
    values: dict[str, Any] = {
        "id": number,
        "customer": customer_key,
        "period_end_on": brought.period_end_on,
        "months": brought.months,
        "currency": brought.currency,
        "unit": brought.unit,
        "basis": brought.basis,
        "consolidated": brought.consolidated,
        "audited": audited,
        "opinion": opinion,
        "version": version,
        "status": "confirmed" if confirmed else "draft",
        "file": file,
        "sha": sha,
        "received_on": received_on,
        "entered_by": actor,
        "entered_at": now,
        "confirmed_by": actor if confirmed else None,
        "confirmed_on": today if confirmed else None,
        "reason": reason,
        "findings": simplejson.dumps([_plain(f) for f in findings], use_decimal=True, ensure_ascii=False),
    }
    tx.execute(statement.insert().values(**values))
    amounts = brought.items()
    tx.execute(
        statement_item.insert(),
        [
            {
                "statement": number,
                "item": line.item,
                "amount": amounts[line.item][0],
                "opening": amounts[line.item][1],
                "label": line.label,
                "sheet": line.sheet,
                "cell": line.cell,
                "raw": line.raw,
                "opening_cell": line.opening_cell,
                "opening_raw": line.opening_raw,
            }
            for line in brought.lines
        ],
    )
    if confirmed:
        marks.touch(tx, [customer_key])
    after = {
        "statement": number,
        "version": version,
        "period_end_on": brought.period_end_on.isoformat(),
        "months": brought.months,
        "currency": brought.currency,
        "unit": brought.unit,
        "file": file,
        "sha256": sha,
        "status": values["status"],
        "findings": [f.code for f in findings],
    }
    entry = audit.Entry("statement.import", _subject(tx, customer_key), actor, reason, after=after)
    audit.at_end(tx, [entry], now)
    return number


def settle(
    tx: Connection, number: int, *, confirm: bool, reason: str, actor: str, now: dt.datetime, today: dt.date
) -> Filed:
    """Confirms or refuses a statement; it counts, or does not count any more, from today on.

    Raises ConfigError where there is none of this number, where it is so already, where no reason is given, and where a
    draft that is to be confirmed does not say its unit or currency.
    """
    tx.execute(select(statement.c.id).where(statement.c.id == number).with_for_update())
    found = filed(tx, numbers=[number])
    if not found:
        raise ConfigError(
            Text("There is no statement no. {number}.", "没有编号为 {number} 的报表。").fill(number=number)
        )
    one = found[0]
    wanted = "confirmed" if confirm else "refused"
    if one.status == wanted or (confirm and one.status == "refused"):
        raise ConfigError(_ALREADY.fill(number=number, state=STATES[one.status]))
    if not reason.strip():
        raise ConfigError(_NO_REASON)
    if confirm and (one.unit is None or one.currency is None):
        raise ConfigError(_NOT_WHOLE.fill(number=number))
    values: dict[str, Any] = {"status": wanted, "reason": reason}
    values |= {"confirmed_by": actor, "confirmed_on": today} if confirm else {"refused_by": actor, "refused_on": today}
    tx.execute(statement.update().where(statement.c.id == number).values(**values))
    marks.touch(tx, [one.one.customer])
    entry = audit.Entry(
        "statement.confirm" if confirm else "statement.refuse",
        f"customer:{one.customer}",
        actor,
        reason,
        before={"statement": number, "status": one.status},
        after={"statement": number, "status": wanted, "findings": [f.code for f in one.findings]},
    )
    audit.at_end(tx, [entry], now)
    return filed(tx, numbers=[number])[0]


def filed(
    tx: Connection, customers: Collection[int] | None = None, *, numbers: Collection[int] | None = None
) -> list[Filed]:
    """Statements on file in any state, newest period first, each period's newest version first."""
    c = statement.c
    asked = (
        select(statement, customer.c.ref, system.c.name.label("system_name"))
        .join_from(statement, customer, customer.c.id == c.customer)
        .join(system, system.c.id == customer.c.system)
        .order_by(c.period_end_on.desc(), c.months.desc(), c.version.desc(), c.id.desc())
    )
    if customers is not None:
        asked = asked.where(bulk.among(tx, c.customer, customers))
    if numbers is not None:
        asked = asked.where(bulk.among(tx, c.id, numbers))
    return [_filed(row) for row in tx.execute(asked)]


def proofs(tx: Connection, number: int) -> list[Proof]:
    """The items of a statement in the order of its lines."""
    c = statement_item.c
    asked = select(statement_item).where(c.statement == number).order_by(c.id)
    return [
        Proof(
            item=row.item,
            amount=row.amount,
            opening=row.opening,
            label=row.label,
            sheet=row.sheet,
            cell=row.cell,
            raw=row.raw,
            opening_cell=row.opening_cell,
            opening_raw=row.opening_raw,
        )
        for row in tx.execute(asked)
    ]


def with_amounts(tx: Connection, some: Sequence[OnFile]) -> list[OnFile]:
    """The same statements with their items; what a system said has them already."""
    items = items_of(tx, [one.number for one in some if one.number is not None])
    return [one if one.number is None else with_items(one, items.get(one.number, {})) for one in some]


def _filed(row: Any) -> Filed:
    findings = tuple(_finding(f) for f in simplejson.loads(row.findings, use_decimal=True))
    return Filed(
        one=OnFile(
            number=row.id,
            customer=row.customer,
            period_end_on=row.period_end_on,
            months=row.months,
            currency=row.currency or "",
            basis=row.basis,
            consolidated=row.consolidated,
            audited=row.audited,
            opinion=row.opinion,
            version=row.version,
            sha=row.sha,
            confirmed_on=row.confirmed_on,
            refused_on=row.refused_on,
            findings=tuple(f.code for f in findings if f.level != "info"),
        ),
        customer=f"{row.system_name}/{row.ref}",
        status=row.status,
        currency=row.currency,
        unit=row.unit,
        file=row.file,
        received_on=row.received_on,
        entered_by=row.entered_by,
        entered_at=row.entered_at,
        confirmed_by=row.confirmed_by,
        refused_by=row.refused_by,
        reason=row.reason,
        findings=findings,
    )


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "level": finding.level,
        "item": finding.item,
        "difference": None if finding.difference is None else format(finding.difference, "f"),
        "cells": list(finding.cells),
        "en": finding.text.en,
        "zh": finding.text.zh,
    }


def _finding(plain: Mapping[str, Any]) -> Finding:
    difference = plain["difference"]
    return Finding(
        plain["code"],
        plain["level"],
        Text(plain["en"], plain["zh"]),
        plain["item"],
        None if difference is None else Decimal(difference),
        tuple(plain["cells"]),
    )


def _lock(tx: Connection, customer_key: int) -> None:
    # Two people who bring the same period at the same moment would make the same version twice.
    tx.execute(select(customer.c.id).where(customer.c.id == customer_key).with_for_update())


def _subject(tx: Connection, customer_key: int) -> str:
    asked = select(system.c.name, customer.c.ref).join_from(customer, system, system.c.id == customer.c.system)
    name, ref = tx.execute(asked.where(customer.c.id == customer_key)).one()
    return f"customer:{name}/{ref}"


STATES = {
    "draft": Text("draft", "草稿"),
    "confirmed": Text("confirmed", "已确认"),
    "refused": Text("refused", "已拒绝"),
}
_ALREADY = Text("Statement no. {number} is {state} already.", "报表 {number} 的状态已是{state}。")
_NO_REASON = Text("Say why: --because REASON.", "请说明理由：--because 理由。")
_NOT_WHOLE = Text(
    "Statement no. {number} does not say its unit or its currency. Import the file again with --unit and --currency.",
    "报表 {number} 缺少金额单位或币种。请加上 --unit 和 --currency 重新导入该文件。",
)
