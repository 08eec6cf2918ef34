"""Open debts read off what is kept up are those that adding up every item anew gives, on whatever day."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Application, Document, Instalment
from connector.store import open_debts as open_debts_module
from connector.store import positions, quick
from connector.store.db import Store
from connector.store.open_debts import KINDS, open_debts
from connector.store.tables import customer
from tests.store.books import save
from tests.store.conftest import emptied
from tests.store.conftest import shared_store as shared_store

DAY = dt.date(2026, 11, 20)
days = st.integers(-40, 40).map(lambda n: DAY + dt.timedelta(days=n))
documents = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "debit_note", "credit_note"]), st.integers(1, 500), days, st.integers(0, 600),
        st.integers(0, 3), st.booleans(),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
uses = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 300), days), max_size=6)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(documents=documents, uses=uses)
def test_open_debts_are_what_adding_up_anew_gives(shared_store: Store, documents: object, uses: object) -> None:
    emptied(shared_store)
    said, parts = [], []
    for at, (kind, amount, issued_on, disputed, instalments, late) in enumerate(documents):  # type: ignore[var-annotated, arg-type]
        said.append(
            Document(
                id=f"D{at}", customer_id=f"C{at % 2}", kind=kind, issued_on=issued_on,
                due_on=issued_on + dt.timedelta(days=5 if late else 90), currency="CNY", amount=amount,
                disputed_amount=min(disputed, amount) or None, number=f"N{at}",
            )
        )  # fmt: skip
        share = amount // (instalments + 1)
        for number in range(instalments if share else 0):
            due_on = issued_on + dt.timedelta(days=10 * number)
            parts.append(
                Instalment(
                    document_id=f"D{at}", number=str(number + 1), due_on=due_on, amount=Decimal(share).scaleb(-2)
                )
            )
    applied = [
        Application(
            id=f"A{at}", from_id=f"D{a}", to_id=f"D{b}", amount=Decimal(min(amount, said[b].amount)).scaleb(-2), applied_on=on
        )
        for at, (a, b, amount, on) in enumerate(uses)  # type: ignore[var-annotated, arg-type]
        if a < len(said) and b < len(said) and said[a].kind == "credit_note" and said[b].kind != "credit_note"
    ]  # fmt: skip
    with shared_store.writing(durable=False) as tx:
        save(tx, "documents", said)
        save(tx, "instalments", parts)
        save(tx, "applications", applied)
    with shared_store.reading() as tx:
        keys = list(tx.execute(customer.select()).scalars())
        for day in (DAY - dt.timedelta(days=10), DAY, DAY + dt.timedelta(days=60)):
            anew = [one for one in positions.open_items_of(tx, keys, day) if one[1].kind in KINDS]
            assert open_debts(tx, keys, day) == anew


def test_what_a_customer_has_paid_long_ago_is_not_gone_through(tmp_path: Path) -> None:
    with contextlib.closing(Store.open(f"sqlite:///{tmp_path}/store.db")) as store, store.reading() as tx:
        for question in open_debts_module._debts(True):
            made = quick._made(question, tx.dialect)
            values = made.values({"ids": "[1]", "day": DAY})
            plan = tx.connection.cursor().execute(f"EXPLAIN QUERY PLAN {made.text}", values).fetchall()
            (way,) = [row[3] for row in plan if " item " in row[3]]
            assert "customer=? AND settled_on=?" in way, plan
