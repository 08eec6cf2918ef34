"""The kinds of column that all tables are made of, and the schema that they belong to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, SmallInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


class Exact(TypeDecorator[Decimal]):
    """A decimal without a currency, kept as text: no database's number type is exact everywhere."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[dt.datetime]):
    """A moment: aware outside, UTC without a zone inside."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else utc(value)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else value.replace(tzinfo=dt.UTC)


def utc(moment: dt.datetime) -> dt.datetime:
    """A moment as the store keeps it; one without a zone is taken as UTC."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def id_column() -> Column[Any]:
    return Column("id", Key, primary_key=True)


def fact_columns() -> tuple[Column[Any], ...]:
    """What every fact has: its own id, the system that said it, its id there, and the record it came from."""
    return (
        id_column(),
        Column("system", SmallInteger, nullable=False),
        Column("ref", Text, nullable=False),
        Column("record", Key),
    )
