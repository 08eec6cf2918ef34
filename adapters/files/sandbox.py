"""A believable book: the made-up company (`connector.example`) written as CSV files or as one workbook.

There is no API to imitate, so the sandbox has no routes: its folder holds the book, which a person may open and edit.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from adapters.files.book import BOOK
from connector.example import Company, company
from connector.model import Event, Fact, Financial, Promise
from connector.money import from_minor
from connector.sandbox import Handler, Sandbox, SandboxOptions

# What a made-up company has of the book; its attributes bear the names of the streams.
STREAMS: tuple[str, ...] = (
    "customers",
    "limits",
    "documents",
    "instalments",
    "payments",
    "applications",
    "orders",
    "order_lines",
    "rates",
)
_RENAMED = {"from": "from_currency", "to": "to_currency"}


def rows(stream: str, facts: Sequence[Fact], ledger: str) -> Iterator[list[Any]]:
    """The rows of one file, header first: exact decimals, days, texts; None for an empty cell.

    `ledger` is the currency of base amounts.
    """
    names = BOOK[stream].names
    yield list(names)
    for fact in facts:
        yield [_value(fact, _RENAMED.get(name, name), ledger) for name in names]


def _value(fact: Fact, name: str, ledger: str) -> Any:
    value = getattr(fact, name)
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("amount"):
        return from_minor(value, ledger if name == "base_amount" else getattr(fact, "currency", None) or ledger)
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def write_book(
    made: Company | Iterable[Company], folder: Path, more: Mapping[str, Sequence[Fact]] | None = None
) -> None:
    """Writes a company, or the parts of one, as a folder of CSV files, UTF-8; empty files are left out.

    `more` are the facts of streams that a company has not, such as promises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as open_files:
        begun: dict[str, Any] = {}
        for part in [made] if isinstance(made, Company) else made:
            for stream in STREAMS:
                facts = getattr(part, stream)
                lines = ([_text(v) for v in row] for row in rows(stream, facts, part.currency))
                header = next(lines)
                if stream not in begun and (facts or stream == "customers"):
                    # A reader never sees half a file: it is written under another name and renamed.
                    file = (folder / f"{stream}.csv.tmp").open("w", encoding="utf-8", newline="")
                    begun[stream] = csv.writer(open_files.enter_context(file))
                    begun[stream].writerow(header)
                if facts:
                    begun[stream].writerows(lines)
        for stream, facts in (more or {}).items():
            file = (folder / f"{stream}.csv.tmp").open("w", encoding="utf-8", newline="")
            begun[stream] = csv.writer(open_files.enter_context(file))
            begun[stream].writerows([_text(v) for v in row] for row in rows(stream, facts, ""))
    for stream in begun:
        (folder / f"{stream}.csv.tmp").replace(folder / f"{stream}.csv")


def write_xlsx(made: Company, file: Path, more: Mapping[str, Sequence[Fact]] | None = None) -> None:
    """Writes a company as one workbook, a sheet a file, with typed numbers and dates."""
    book = Workbook(write_only=True)
    for stream, facts in [*((s, getattr(made, s)) for s in STREAMS), *(more or {}).items()]:
        if not facts and stream != "customers":
            continue
        sheet = book.create_sheet(stream)
        for row in rows(stream, facts, made.currency):
            sheet.append(row)
    book.save(file)


def rest_of_book(made: Company) -> dict[str, Sequence[Fact]]:
    """The files that a made-up company has nothing for: a few promises, statements and events of its customers."""
    late = [d for d in made.documents if d.kind == "invoice" and d.due_on and d.due_on < made.as_of and d.amount]
    promises = [
        Promise(
            id=f"V{at:04d}", customer_id=d.customer_id, document_id=d.id, made_on=made.as_of - dt.timedelta(days=at % 20),
            due_on=made.as_of + dt.timedelta(days=10 - at % 20), amount=d.amount, currency=d.currency,
        )
        for at, d in enumerate(late[-40:], 1)
    ]  # fmt: skip
    year_end = dt.date(made.as_of.year - 1, 12, 31)
    financials = [
        Financial(
            customer_id=c.id, period_end_on=year_end, months=12, currency=made.currency, unit=10000, audited=at % 3 > 0,
            item=item, amount=Decimal(1200 + 37 * at) * factor,
        )
        for at, c in enumerate(made.customers[:30])
        for item, factor in statement(weak=at % 5 == 4).items()
    ]  # fmt: skip
    kinds = itertools.cycle(
        (("bureau_rating", "A"), ("court_executed", None), ("bounced_payment", None), ("bureau_rating", "BB"))
    )
    events = [
        Event(
            id=f"E{at:04d}", customer_id=c.id, on=made.as_of - dt.timedelta(days=31 * at), kind=kind, source="bureau",
            value=value, text=c.name,
        )
        for at, (c, (kind, value)) in enumerate(zip(made.customers[2::9], kinds, strict=False), 1)
    ]  # fmt: skip
    return {"promises": promises, "financials": financials, "events": events}


def statement(weak: bool) -> dict[str, Decimal]:
    """The items of a balanced statement, as shares of its revenue; a weak company lives on short-term debt."""
    assets, debts = Decimal("0.80"), Decimal("0.68" if weak else "0.44")
    made = {
        "cash": "0.07", "receivables": "0.16", "prepayments": "0.02", "inventories": "0.15", "current_assets": "0.45",
        "current_liabilities": "0.50" if weak else "0.28", "surplus_reserve": "0.02",
        "undistributed_profit": "-0.04" if weak else "0.09", "revenue": "1", "cost": "0.81",
        "profit_before_tax": "0.006" if weak else "0.053", "interest_expense": "0.021" if weak else "0.012",
        "net_profit": "0.004" if weak else "0.04", "operating_cash_flow": "-0.01" if weak else "0.06",
    }  # fmt: skip
    shares = {item: Decimal(share) for item, share in made.items()}
    return {**shares, "total_assets": assets, "total_liabilities": debts, "equity": assets - debts}


class FilesSandbox(Sandbox):
    """The book in a folder: `folder` is what `path` in the settings names."""

    name = "files"

    def __init__(self, options: SandboxOptions) -> None:
        self._temporary = None if options.data else tempfile.TemporaryDirectory(prefix="holdfast-book-")
        self.folder = (options.data or Path(self._temporary.name if self._temporary else "")) / "book"
        super().__init__(options)

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return ()

    def stock(self) -> None:
        options = self.options
        as_of = options.as_of or dt.datetime.now(dt.UTC).date()
        made = company(options.customers, options.seed, as_of, language=options.language)
        if options.settings.get("form") == "xlsx":
            self.folder.mkdir(parents=True, exist_ok=True)
            write_xlsx(made, self.folder / "book.xlsx", rest_of_book(made))
        else:
            write_book(made, self.folder, rest_of_book(made))


def make(options: SandboxOptions) -> FilesSandbox:
    """A made-up company's book; `settings.form` is csv (default) or xlsx."""
    return FilesSandbox(options)
