"""Bringing a statement: a file of sheets is read, checked against itself, what is on file and our own books, and kept.

What a check refuses is kept as a draft: it feeds no decision until somebody confirms it with a reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.credit import statement_checks as checks
from connector.credit import statement_words as words
from connector.credit.statement_annual import read_annual
from connector.credit.statement_join import Brought, Given, join
from connector.credit.statement_labels import ITEMS, normal_form
from connector.credit.statement_read import SheetRead, read_sheet
from connector.credit.statement_sheet import Finding, Level
from connector.credit.statements import OnFile, before, months_back
from connector.errors import ConfigError
from connector.identity import bare_name, normal_name
from connector.statement_file import Opened
from connector.store import Connection, audit, documents, history, statement_entry, statements
from connector.store.customers import CustomerRow, customers
from connector.store.statement_entry import Filed
from connector.text import Text

# Labels of a system's own, kept as a document of its name: one `label = item` a line.
LABELS = "statement_labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the person says of the whole file. `reason` confirms what the checks refuse; empty: it stays a draft.

    `same_company`: why it is the customer's although the sheet names another company; it confirms nothing else.
    """

    audited: bool | None = None
    opinion: str | None = None
    received_on: dt.date | None = None
    reason: str = ""
    same_company: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """One statement of the file: its number on file (None: it was there already, as `same`), and all findings."""

    number: int | None
    brought: Brought
    findings: tuple[Finding, ...]
    confirmed: bool
    same: int | None = None


def read(opened: Opened, labels: Mapping[str, str] | None = None, consolidated: bool | None = None) -> list[SheetRead]:
    """Reads all sheets of a file; `labels` are the system's own by normal form, `consolidated` is which columns to take
    where those of the group and of the parent stand side by side. Raises ConfigError where none has items."""
    sheets = [read_annual(sheet) or read_sheet(sheet, labels, consolidated) for sheet in opened.sheets]
    if not any(s.lines and s.kind != "other" for s in sheets):
        raise ConfigError(_NOTHING.fill(file=opened.name, sheets=", ".join(s.name for s in sheets) or "-"))
    return sheets


def labels_of(tx: Connection, system: str) -> dict[str, str]:
    """A system's own labels by normal form."""
    kept = documents.active(tx, LABELS, system)
    if kept is None:
        return {}
    pairs = [line.rpartition(" = ") for line in kept.text.splitlines()]
    return {normal_form(label): item for label, _, item in pairs if item in ITEMS}


def named(answers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Answers (label, item) by normal form."""
    return {normal_form(label): item for label, item in answers}


def learn(tx: Connection, system: str, answers: Sequence[tuple[str, str]], *, author: str, now: dt.datetime) -> None:
    """Keeps answers to "which item is this?" (label, item) for all statements of a system's customers."""
    kept = documents.active(tx, LABELS, system)
    told = dict(line.rpartition(" = ")[::2] for line in kept.text.splitlines()) if kept is not None else {}
    told |= {" ".join(label.split()): item for label, item in answers}
    text = "\n".join(f"{label} = {item}" for label, item in told.items())
    made = documents.save(tx, LABELS, system, text, author=author, now=now)
    documents.activate(tx, LABELS, system, made.number, author=author, now=now)
    entry = audit.Entry("statement.label", f"system:{system}", author, after=dict(answers))
    audit.at_end(tx, [entry], now)


def keep(
    tx: Connection, row: CustomerRow, opened: Opened, sheets: Sequence[SheetRead], given: Given, head: Head,
    *, actor: str, now: dt.datetime, today: dt.date,
) -> list[Kept]:  # fmt: skip
    """Checks and keeps the statements of a file. Raises ConfigError where the period is not known, or where a reason is
    given for a statement whose unit or currency nobody said."""
    return [_keep(tx, row, opened, one, given, head, actor, now, today) for one in join(sheets, given)]


def other_company(row: CustomerRow, sheets: Sequence[SheetRead], given: Given) -> Text | None:
    """What to say where a sheet names another company than the customer; None where none does."""
    named = (one.company for one in join(sheets, given))
    other = next((company for company in named if company is not None and not _same_name(company, row.name)), None)
    return None if other is None else _OTHER_NAME.fill(theirs=other, ours=row.name)


def _same_name(theirs: str, ours: str | None) -> bool:
    """Whether two names are one company's; one of them may leave the legal form out."""
    if not ours:
        return False
    one, other = normal_name(theirs), normal_name(ours)
    bare = bare_name(theirs)
    return one == other or (bare == bare_name(ours) and bare in (one, other))


def _keep(
    tx: Connection, row: CustomerRow, opened: Opened, one: Brought, given: Given, head: Head,
    actor: str, now: dt.datetime, today: dt.date,
) -> Kept:  # fmt: skip
    if one.period_end_on is None or one.months is None:
        raise ConfigError(next(f.text for f in one.findings if f.code == "period_missing"))
    found = (*one.findings, *_checked(tx, row, one, head, today))
    there = _same(tx, row, opened, one)
    clear = not checks.refused(found)
    if there is not None and there.status == "draft" and head.reason and there.one.number is not None:
        settled = statement_entry.settle(
            tx, there.one.number, confirm=True, reason=head.reason, actor=actor, now=now, today=today
        )
        return Kept(settled.one.number, one, found, True)
    if there is not None and (there.status != "draft" or not clear):
        return Kept(None, one, found, there.status == "confirmed", there.one.number)
    if not clear and head.reason and (one.unit is None or one.currency is None):
        raise ConfigError(
            next(f.text for f in found if f.code.startswith(("unit_", "currency_")) and f.level == "refuse")
        )
    confirmed = clear or bool(head.reason)
    reason = head.reason or (head.same_company if any(f.code == "other_name" for f in found) else "")
    number = statement_entry.add(
        tx, row.key, one, file=opened.name, sha=opened.sha, audited=head.audited, opinion=head.opinion,
        received_on=head.received_on or today, findings=found, confirmed=confirmed, reason=reason, actor=actor,
        now=now, today=today,
    )  # fmt: skip
    return Kept(number, one, found, confirmed)


def _same(tx: Connection, row: CustomerRow, opened: Opened, one: Brought) -> Filed | None:
    """The version that the same file gave before, read in the same way."""
    for filed in statement_entry.filed(tx, [row.key]):
        if filed.one.sha != opened.sha or filed.status == "refused":
            continue
        head = (filed.one.period_end_on, filed.one.months, filed.currency, filed.unit, filed.one.consolidated)
        if head != (one.period_end_on, one.months, one.currency, one.unit, one.consolidated):
            continue
        assert filed.one.number is not None
        if statements.items_of(tx, [filed.one.number]).get(filed.one.number) == one.items():
            return filed
    return None


def _checked(tx: Connection, row: CustomerRow, one: Brought, head: Head, today: dt.date) -> list[Finding]:
    """What the checks say of a statement that has its period."""
    assert one.period_end_on is not None
    assert one.months is not None
    tolerance = Decimal(one.unit or 1)
    closing = one.closing()
    opening = {name: past for name, (_, past) in one.items().items() if past is not None}
    cells = {line.item: line.cell for line in one.lines}
    found = checks.arithmetic(closing, tolerance, basis=one.basis, cells=cells)
    itself = OnFile(
        customer=row.key, period_end_on=one.period_end_on, months=one.months, currency=one.currency or "",
        basis=one.basis, consolidated=one.consolidated, audited=head.audited, number=0,
    )  # fmt: skip
    debtors = [] if row.debtor is None else [row.debtor]
    some = statements.known(tx, debtors, today).get(row.debtor or 0, []) if debtors else []
    earlier = before(some, itself, today)
    same_period = [
        x
        for x in some
        if x.period_end_on == one.period_end_on and x.months == one.months and checks.comparable(x, itself)
    ]
    prior = statement_entry.with_amounts(tx, [earlier])[0] if earlier is not None else None
    others = [x for x in statement_entry.with_amounts(tx, same_period) if _other_source(x, itself)]
    found += checks.across(closing, opening, prior, others, tolerance)
    found += checks.plausible(closing, checks.Ours(invoiced=_invoiced(tx, row, one)))
    if one.company is not None and not _same_name(one.company, row.name):
        level: Level = "warn" if head.same_company else "refuse"
        found.append(Finding("other_name", level, _OTHER_NAME.fill(theirs=one.company, ours=row.name)))
    if one.period_end_on > today:
        found.append(Finding("future", "refuse", words.FUTURE.fill(day=one.period_end_on)))
    return [replace(f, cells=f.cells or ((cells[f.item],) if f.item in cells else ())) for f in found]


def _other_source(one: OnFile, itself: OnFile) -> bool:
    """A newer version of the same source replaces it; only another source is compared."""
    return one.number is None or (one.basis in ("bureau", "annual_report")) != (
        itself.basis in ("bureau", "annual_report")
    )


def _invoiced(tx: Connection, row: CustomerRow, one: Brought) -> Decimal | None:
    """What we invoiced to the debtor in the period in the statement's currency; None: nothing."""
    assert one.period_end_on is not None
    assert one.months is not None
    keys = [row.key] if row.debtor is None else [r.key for r in customers(tx, debtors=[row.debtor])]
    first = months_back(one.period_end_on, one.months) + dt.timedelta(days=1)
    sold = history.sales_by_month(tx, keys, since=first, until=one.period_end_on)
    amounts = [s.amount for s in sold if s.currency == one.currency]
    return sum(amounts, Decimal(0)) if amounts else None


_NOTHING = Text(
    "{file} holds no statement: on its sheets ({sheets}) no header row with 期末余额, 本期金额 or years was followed by "
    "known items.",
    "{file} 中没有找到财务报表：各工作表（{sheets}）均未出现“期末余额”“本期金额”等表头及可识别的项目。",
)
_OTHER_NAME = Text(
    "The statement is that of “{theirs}”, the customer is “{ours}”.", "报表编制单位为“{theirs}”，客户名称为“{ours}”。"
)
