"""DuckDB as an independent judge: its own SQL over the same book, equal to the last minor unit on twenty random books.

The oracle knows the facts only, none of the store's maintained columns, and asks in one statement of its own making.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

import pytest

from connector.example import Company, company
from connector.money import exponent
from connector.store import customers, positions
from connector.store.db import Store
from tests.store.books import Book
from tests.store.books import load as load_book
from tests.store.conftest import emptied

duckdb = pytest.importorskip("duckdb", reason="the oracle is not installed: install the extra `test`")

_ORACLE = """
WITH item AS (
    SELECT 'd' AS family, id, customer_id, kind, issued_on, due_on, currency, voided_on,
           CASE WHEN kind = 'credit_note' THEN -amount ELSE amount END AS value, base_amount, disputed_amount
    FROM document WHERE status = 'posted'
    UNION ALL
    SELECT 'p', id, customer_id, kind, received_on, received_on, currency, voided_on,
           CASE WHEN kind = 'refund' THEN amount ELSE -amount END, base_amount, NULL
    FROM payment
), live AS (
    SELECT * FROM item WHERE issued_on <= $day AND (voided_on IS NULL OR voided_on > $day)
), used AS (
    SELECT a.*, f.currency AS from_currency, t.currency AS to_currency
    FROM application a JOIN live f ON f.id = a.from_id JOIN live t ON t.id = a.to_id
    WHERE a.applied_on <= $day AND (a.reversed_on IS NULL OR a.reversed_on > $day)
), opened AS (
    SELECT live.*,
        value
        - coalesce((SELECT sum(amount) FROM used WHERE to_id = live.id), 0)
        + coalesce((SELECT sum(coalesce(from_amount, amount)) FROM used WHERE from_id = live.id), 0) AS open_value,
        coalesce((SELECT sum(amount) FROM used WHERE to_id = live.id AND number IS NULL), 0) AS loose
    FROM live
), piece AS (
    SELECT o.customer_id, o.currency, o.family, o.kind, o.issued_on, o.due_on, o.disputed_amount, o.open_value AS value
    FROM opened o WHERE NOT EXISTS (SELECT 1 FROM instalment i WHERE i.document_id = o.id)
    UNION ALL
    SELECT customer_id, currency, family, kind, issued_on, due_on, NULL,
           rest - greatest(least(loose - earlier, rest), 0)
    FROM (
        SELECT *, sum(rest) OVER (PARTITION BY document_id ORDER BY due_on, number) - rest AS earlier
        FROM (
            SELECT o.customer_id, o.currency, o.family, o.kind, o.issued_on, i.due_on, i.document_id, i.number, o.loose,
                i.amount - coalesce(
                    (SELECT sum(u.amount) FROM used u WHERE u.to_id = o.id AND u.number = i.number), 0) AS rest
            FROM opened o JOIN instalment i ON i.document_id = o.id
        )
    )
)
SELECT customer_id, currency,
    sum(CASE WHEN value > 0 AND date_diff('day', coalesce(due_on, issued_on), $day) <= 0 THEN value ELSE 0 END),
    sum(CASE WHEN value > 0 AND date_diff('day', coalesce(due_on, issued_on), $day) BETWEEN 1 AND 30 THEN value ELSE 0 END),
    sum(CASE WHEN value > 0 AND date_diff('day', coalesce(due_on, issued_on), $day) BETWEEN 31 AND 60 THEN value ELSE 0 END),
    sum(CASE WHEN value > 0 AND date_diff('day', coalesce(due_on, issued_on), $day) BETWEEN 61 AND 90 THEN value ELSE 0 END),
    sum(CASE WHEN value > 0 AND date_diff('day', coalesce(due_on, issued_on), $day) > 90 THEN value ELSE 0 END),
    sum(CASE WHEN value < 0 AND family = 'p' THEN -value ELSE 0 END),
    sum(CASE WHEN value < 0 AND family = 'd' THEN -value ELSE 0 END)
FROM piece WHERE kind <> 'bill_of_exchange' GROUP BY ALL HAVING bool_or(value <> 0)
"""


def _minor(amount: Any, currency: str) -> int | None:
    return None if amount is None else int(amount.scaleb(exponent(currency)))


def _tables(made: Company) -> dict[str, tuple[str, list[tuple[Any, ...]]]]:
    currency = {d.id: d.currency for d in made.documents} | {p.id: p.currency for p in made.payments}
    return {
        "document": (
            "id TEXT, customer_id TEXT, kind TEXT, issued_on DATE, due_on DATE, currency TEXT, amount BIGINT, "
            "base_amount BIGINT, disputed_amount BIGINT, voided_on DATE, status TEXT",
            [
                (d.id, d.customer_id, d.kind, d.issued_on, d.due_on or _due(d), d.currency, d.amount, d.base_amount,
                 d.disputed_amount, d.voided_on, d.status)
                for d in made.documents
            ],
        ),
        "payment": (
            "id TEXT, customer_id TEXT, kind TEXT, received_on DATE, currency TEXT, amount BIGINT, base_amount BIGINT, "
            "voided_on DATE",
            [
                (p.id, p.customer_id, p.kind, p.received_on, p.currency, p.amount, p.base_amount, p.voided_on)
                for p in made.payments
            ],
        ),
        "instalment": (
            "document_id TEXT, number TEXT, due_on DATE, amount BIGINT",
            [
                (i.document_id, i.number, i.due_on, _minor(i.amount, currency[i.document_id]))
                for i in made.instalments
            ],
        ),
        "application": (
            "from_id TEXT, to_id TEXT, number TEXT, amount BIGINT, from_amount BIGINT, applied_on DATE, reversed_on DATE",
            [
                (a.from_id, a.to_id, a.instalment_number, _minor(a.amount, currency[a.to_id]),
                 _minor(a.from_amount, currency[a.from_id]), a.applied_on, a.reversed_on)
                for a in made.applications
            ],
        ),
    }  # fmt: skip


def _due(document: Any) -> dt.date | None:
    if document.kind == "credit_note":
        return document.issued_on  # type: ignore[no-any-return]
    if document.terms is None:
        return None
    kind, *numbers = document.terms.split(":")
    assert (kind, len(numbers)) == ("net", 1), "the example states the due date of everything else"
    return document.issued_on + dt.timedelta(days=int(numbers[0]))  # type: ignore[no-any-return]


def _ask(made: Company, days: list[dt.date]) -> dict[dt.date, dict[tuple[str, str], tuple[int, ...]]]:
    found = {}
    with duckdb.connect() as oracle:
        for name, (columns, rows) in _tables(made).items():
            oracle.execute(f"CREATE TABLE {name} ({columns})")
            if rows:
                oracle.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        for day in days:
            answer = oracle.execute(_ORACLE, {"day": day}).fetchall()
            found[day] = {(row[0], row[1]): tuple(int(x) for x in row[2:]) for row in answer}
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_oracle_agrees_to_the_last_minor_unit(shared_store: Store, seed: int) -> None:
    made = company(16, seed=seed, documents_per_customer=14, language="zh" if seed % 2 else "en")
    emptied(shared_store)
    book = Book(
        customers=made.customers,
        documents=made.documents,
        instalments=made.instalments,
        payments=made.payments,
        applications=made.applications,
    )
    load_book(shared_store, book, seed=seed, page=50)
    days = [made.as_of, made.as_of - dt.timedelta(days=Random(seed).randrange(1, 400))]
    wanted = _ask(made, days)
    with shared_store.reading() as tx:
        refs = {row.key: row.ref for row in customers.customers(tx)}
        for day in days:
            rows = positions.totals(tx, day)
            shown = {(refs[r.customer], r.currency): (*r.buckets, r.cash, r.notes) for r in rows}
            shown = {key: values for key, values in shown.items() if any(values)}
            assert shown == {key: values for key, values in wanted[day].items() if any(values)}
            assert len(shown) >= (5 if day == made.as_of else 1), "nothing was compared"
