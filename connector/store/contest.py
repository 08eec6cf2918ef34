"""Contest: what the benchmarks hold the store against, and the places where each side works.

The other sides are in `contest_orm` (one object at a time) and `contest_duck` (a column store). All of them start from the
same facts and end in the same `Figures`, to the last minor unit; none of them is used by the product itself.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.pool import ConnectionPoolEntry

from connector.credit.totals import Totals
from connector.errors import ConfigError
from connector.store.db import Store
from connector.store.tables import item, standing
from connector.text import Text

BUCKETS = 5
EDGES = (30, 60, 90)
# Order values carry four decimals more than money: quantity × price × (1 + tax), tax in hundredths of a percent.
FINE = 10_000


@dataclass(slots=True)
class Figures:
    """What one customer has open in one currency; minor units, orders in `FINE`ths of one."""

    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    cash: int = 0
    notes: int = 0
    receivables: int = 0
    overdue: int = 0
    undisputed_overdue: int = 0
    oldest_due_on: dt.date | None = None
    disputed: int = 0
    drafts: int = 0
    delivered: int = 0
    ordered: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to say."""
        return not (any(self.buckets) or self.cash or self.notes or self.drafts or self.delivered or self.ordered)

    def totals(self, customer: int, currency: str) -> Totals:
        """The same as the pure rules want it."""
        return Totals(
            customer=customer,
            currency=currency,
            buckets=tuple(self.buckets),
            unapplied_cash=self.cash,
            unapplied_notes=self.notes,
            cash=self.cash,
            notes=self.notes,
            receivables=self.receivables,
            overdue=self.overdue,
            oldest_due_on=self.oldest_due_on,
            undisputed_overdue=self.undisputed_overdue,
            undisputed_oldest_due_on=self.oldest_due_on if self.undisputed_overdue else None,
            disputed=self.disputed,
            drafts=self.drafts,
            delivered_not_invoiced=Decimal(self.delivered) / FINE,
            ordered_not_delivered=Decimal(self.ordered) / FINE,
        )


# By customer's id and currency.
Sums = dict[tuple[str, str], Figures]


def sums(rows: Iterable[Totals], refs: Mapping[int, str]) -> Sums:
    """The store's own rows in the form in which sides are compared."""
    made: Sums = {}
    for row in rows:
        one = Figures(
            list(row.buckets),
            row.unapplied_cash,
            row.unapplied_notes,
            row.receivables,
            row.overdue,
            row.undisputed_overdue,
            row.oldest_due_on,
            row.disputed,
            row.drafts,
            int(row.delivered_not_invoiced * FINE),
            int(row.ordered_not_delivered * FINE),
        )
        if not one.nothing:
            made[refs[row.customer], row.currency] = one
    return made


def standings(store: Store) -> dict[int, str]:
    """The digest of what was last concluded of each debtor."""
    with store.reading() as tx:
        return {row.debtor: row.digest for row in tx.execute(select(standing.c.debtor, standing.c.digest))}


def open_sums(store: Store) -> dict[str, int]:
    """What is open of documents once everything has happened, by currency, unsigned."""
    i = item.c
    asked = select(i.currency, func.sum(func.abs(i.open_value))).where(i.family == "d", i.voided_on.is_(None))
    with store.reading() as tx:
        return {currency: int(value) for currency, value in tx.execute(asked.group_by(i.currency))}


# --- places to work in ------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def places(url: str, folder: Path) -> Iterator[Places]:
    """Empty databases for the sides: files in `folder`, or schemas of their own in a PostgreSQL, dropped at the end."""
    made = Places(url, folder)
    try:
        yield made
    finally:
        made.close()


class Places:
    """Hands out empty databases."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.server = None if url == "sqlite" else url
        self._schemas: list[str] = []
        self._admin: Engine | None = None
        if self.server is not None:
            parsed = make_url(self.server)
            if parsed.get_backend_name() != "postgresql":
                raise ConfigError(
                    Text(
                        "--database is sqlite or the URL of a PostgreSQL.",
                        "--database 为 sqlite 或 PostgreSQL 的地址。",
                    )
                )
            self._admin = create_engine(
                parsed.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", pool_size=1
            )

    def url(self, name: str) -> str:
        """The URL of an empty database."""
        if self._admin is None or self.server is None:
            path = self.folder / f"{name}.db"
            for ending in ("", "-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            return f"sqlite:///{path}"
        schema = f"holdfast_bench_{name}_{uuid.uuid4().hex[:8]}"
        with self._admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        self._schemas.append(schema)
        parsed = make_url(self.server).update_query_dict({"options": f"-csearch_path={schema}"})
        return parsed.render_as_string(hide_password=False)

    def engine(self, name: str) -> Engine:
        """A plain engine on an empty database, set up as fast as the store's own."""
        made = make_url(self.url(name))
        if made.get_backend_name() == "postgresql":
            return create_engine(made.set(drivername="postgresql+psycopg"))
        engine = create_engine(made)
        event.listen(engine, "connect", _as_fast)
        return engine

    def settle(self) -> None:
        """Has the server do at once what it does by itself within minutes of a large load: it would do so while something
        is measured."""
        if self._admin is not None:
            with self._admin.connect() as connection:
                asked = text(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY(:ours)"
                )
                for table in list(connection.execute(asked, {"ours": self._schemas}).scalars()):
                    connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")

    def server_seconds(self) -> float:
        """CPU time of the database server's processes that work for us, where they can be seen on this machine."""
        if self._admin is None:
            return 0.0
        with self._admin.connect() as connection:
            pids = list(
                connection.exec_driver_sql(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                ).scalars()
            )
        total = 0.0
        for pid in pids:
            with contextlib.suppress(OSError, IndexError, ValueError):
                words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        return total

    def close(self) -> None:
        """Leaves nothing behind on the server."""
        if self._admin is None:
            return
        with self._admin.connect() as connection:
            for schema in self._schemas:
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        self._admin.dispose()


class Nowhere(Places):
    """For a side that needs no place of its own."""

    def __init__(self) -> None:
        super().__init__("sqlite", Path())


def _as_fast(connection: object, _entry: ConnectionPoolEntry) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536", "mmap_size = 268435456"):
        connection.execute(f"PRAGMA {pragma}").close()  # type: ignore[attr-defined]


def unmapped(store: Store) -> None:
    """Makes a SQLite store read its file instead of mapping it: mapped pages would count as the process's memory."""

    def read(connection: object, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA mmap_size = 0").close()  # type: ignore[attr-defined]

    if store.engine.dialect.name == "sqlite":
        store.engine.dispose()
        event.listen(store.engine, "connect", read)
