"""The column store: the same ledger in a DuckDB file of its own, summed from what was said in one statement.

DuckDB is not needed to run the product; where it is not installed, `available` says so.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from connector.model import Application, Customer, Document, Fact, Instalment, Order, OrderLine, Payment
from connector.money import to_minor
from connector.store.contest import FINE, Figures, Sums

# Each table's columns, and the class of fact that fills it; all money of the book has two decimals.
_TABLES: dict[type, tuple[str, str]] = {
    Customer: ("customer", "ref VARCHAR"),
    Document: (
        "document",
        "ref VARCHAR, customer VARCHAR, kind VARCHAR, issued_on DATE, due_on DATE, currency VARCHAR, amount BIGINT, "
        "disputed BIGINT, voided_on DATE, draft BOOLEAN",
    ),
    Payment: ("payment", "ref VARCHAR, customer VARCHAR, received_on DATE, currency VARCHAR, amount BIGINT"),
    Application: (
        "application",
        "from_ref VARCHAR, to_ref VARCHAR, amount BIGINT, applied_on DATE, reversed_on DATE",
    ),
    Instalment: ("instalment", "document VARCHAR, due_on DATE, amount BIGINT"),
    Order: ("sale", "ref VARCHAR, customer VARCHAR, currency VARCHAR, ordered_on DATE, open BOOLEAN"),
    OrderLine: (
        "line",
        "sale VARCHAR, quantity BIGINT, delivered BIGINT, invoiced BIGINT, price BIGINT, ship_on DATE",
    ),
}


def _row(fact: Fact) -> tuple[Any, ...]:
    match fact:
        case Document():
            return (
                fact.id,
                fact.customer_id,
                fact.kind,
                fact.issued_on,
                fact.due_on,
                fact.currency,
                fact.amount,
                fact.disputed_amount,
                fact.voided_on,
                fact.status == "draft",
            )
        case Payment():
            return fact.id, fact.customer_id, fact.received_on, fact.currency, fact.amount
        case Application():
            return fact.from_id, fact.to_id, to_minor(fact.amount, "CNY"), fact.applied_on, fact.reversed_on
        case Instalment():
            return fact.document_id, fact.due_on, to_minor(fact.amount, "CNY")
        case Order():
            return fact.id, fact.customer_id, fact.currency, fact.ordered_on, fact.status == "open"
        case OrderLine():
            price = int(to_minor(fact.unit_price, "CNY") * (1 + (fact.tax_rate or 0)) * FINE)
            done = int(fact.quantity_delivered or 0), int(fact.quantity_invoiced or 0)
            return fact.order_id, int(fact.quantity), *done, price, fact.ship_on
    return (fact.ref,)


# `$on` is the day, `$horizon` the last day on which what ships still counts.
_STATEMENT = """
CREATE OR REPLACE TABLE figures AS
WITH counted AS (
    SELECT * FROM application WHERE applied_on <= $on AND (reversed_on IS NULL OR reversed_on > $on)
), gone AS (
    SELECT to_ref AS ref, sum(amount) AS amount FROM counted GROUP BY ALL
), given AS (
    SELECT from_ref AS ref, sum(amount) AS amount FROM counted GROUP BY ALL
), alive AS (
    SELECT * FROM document WHERE issued_on <= $on AND (voided_on IS NULL OR voided_on > $on)
), split AS (
    SELECT i.document, i.due_on, i.amount,
           sum(i.amount) OVER (PARTITION BY i.document ORDER BY i.due_on) - i.amount AS before
    FROM instalment i
), piece AS (
    SELECT d.customer, d.currency, d.due_on, d.amount - coalesce(g.amount, 0) AS value, coalesce(d.disputed, 0) AS doubt
    FROM alive d LEFT JOIN gone g USING (ref) ANTI JOIN instalment i ON i.document = d.ref
    WHERE d.kind <> 'credit_note' AND NOT d.draft
    UNION ALL
    SELECT d.customer, d.currency, s.due_on,
           s.amount - least(greatest(coalesce(g.amount, 0) - s.before, 0), s.amount), 0
    FROM alive d JOIN split s ON s.document = d.ref LEFT JOIN gone g ON g.ref = d.ref
    WHERE NOT d.draft
), debt AS (
    SELECT customer, currency, $on - due_on AS days, due_on, value, least(doubt, value) AS doubt
    FROM piece WHERE value > 0
), part AS (
    SELECT customer, currency,
           sum(value) FILTER (days <= 0) AS b0, sum(value) FILTER (days BETWEEN 1 AND 30) AS b1,
           sum(value) FILTER (days BETWEEN 31 AND 60) AS b2, sum(value) FILTER (days BETWEEN 61 AND 90) AS b3,
           sum(value) FILTER (days > 90) AS b4, sum(value) AS receivables, sum(value) FILTER (days > 0) AS overdue,
           sum(value - doubt) FILTER (days > 0) AS undisputed, min(due_on) FILTER (days > 0) AS oldest,
           sum(doubt) AS disputed, 0 AS cash, 0 AS notes, 0 AS drafts, 0 AS delivered, 0 AS ordered
    FROM debt GROUP BY ALL
    UNION ALL
    SELECT p.customer, p.currency, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, sum(p.amount - coalesce(g.amount, 0)), 0, 0, 0, 0
    FROM payment p LEFT JOIN given g USING (ref) WHERE p.received_on <= $on GROUP BY ALL
    UNION ALL
    SELECT d.customer, d.currency, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, sum(d.amount - coalesce(g.amount, 0)), 0, 0, 0
    FROM alive d LEFT JOIN given g USING (ref) WHERE d.kind = 'credit_note' AND NOT d.draft GROUP BY ALL
    UNION ALL
    SELECT customer, currency, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0,
           sum(CASE WHEN kind = 'credit_note' THEN -amount ELSE amount END), 0, 0
    FROM alive WHERE draft GROUP BY ALL
    UNION ALL
    SELECT s.customer, s.currency, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0,
           sum(greatest(l.delivered - l.invoiced, 0) * l.price),
           coalesce(sum(greatest(l.quantity - greatest(l.delivered, l.invoiced), 0) * l.price)
                    FILTER (l.ship_on <= $horizon), 0)
    FROM sale s JOIN line l ON l.sale = s.ref WHERE s.open AND s.ordered_on <= $on GROUP BY ALL
)
SELECT customer, currency, sum(b0) AS b0, sum(b1) AS b1, sum(b2) AS b2, sum(b3) AS b3, sum(b4) AS b4,
       sum(cash) AS cash, sum(notes) AS notes, sum(receivables) AS receivables, sum(overdue) AS overdue,
       sum(undisputed) AS undisputed, min(oldest) AS oldest, sum(disputed) AS disputed, sum(drafts) AS drafts,
       sum(delivered) AS delivered, sum(ordered) AS ordered
FROM part GROUP BY ALL
"""


def available() -> bool:
    """Whether DuckDB is installed here."""
    try:
        import duckdb  # noqa: F401
    except ImportError:
        return False
    return True


class Columns:
    """The ledger in a DuckDB file, worked on by one thread."""

    def __init__(self, folder: Path) -> None:
        import duckdb

        self._folder = folder
        self._db = duckdb.connect(str(folder / "contest.duckdb"), config={"threads": 1})

    def fill(self, facts: Iterable[Fact]) -> None:
        """Facts into its tables, by way of CSV files: it takes single rows slowly."""
        for kind, path in self._written(facts):
            name, columns = _TABLES[kind]
            self._db.execute(f"CREATE TABLE {name} ({columns})")
            self._db.execute(f"COPY {name} FROM '{path}' (FORMAT csv, HEADER false)")
            path.unlink()
        self._db.execute("CHECKPOINT")

    def _written(self, facts: Iterable[Fact]) -> Iterator[tuple[type, Path]]:
        paths = {kind: self._folder / f"{name}.csv" for kind, (name, _) in _TABLES.items()}
        files = {kind: path.open("w", encoding="utf-8", newline="") for kind, path in paths.items()}
        writers = {kind: csv.writer(file) for kind, file in files.items()}
        waiting: dict[type, list[tuple[Any, ...]]] = defaultdict(list)
        for fact in facts:
            kind = type(fact)
            if kind in writers:
                waiting[kind].append(_row(fact))
                if len(waiting[kind]) == 10_000:
                    writers[kind].writerows(waiting.pop(kind))
        for kind, rows in waiting.items():
            writers[kind].writerows(rows)
        for file in files.values():
            file.close()
        yield from paths.items()

    def run(self, as_of: dt.date, horizon_days: int = 90) -> None:
        """Sums everything into a table."""
        self._db.execute(_STATEMENT, {"on": as_of, "horizon": as_of + dt.timedelta(days=horizon_days)})

    def sums(self) -> Sums:
        """What the last run came to."""
        made: Sums = {}
        for customer, currency, *values in self._db.execute("SELECT * FROM figures").fetchall():
            oldest = values.pop(10)
            b0, b1, b2, b3, b4, cash, notes, owed, overdue, undisputed, disputed, drafts, delivered, ordered = (
                int(value or 0) for value in values
            )
            one = Figures(
                [b0, b1, b2, b3, b4],
                cash,
                notes,
                owed,
                overdue,
                undisputed,
                oldest,
                disputed,
                drafts,
                delivered,
                ordered,
            )
            if not one.nothing:
                made[customer, currency] = one
        return made

    def close(self) -> None:
        """Gives the file back."""
        self._db.close()
