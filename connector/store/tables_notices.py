"""Tables of notices: what has happened to orders and is to be told, who was told of it, and the mails to be sent."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from connector.store.tables_kinds import Instant, Key, id_column, metadata

# Lines of the history of orders of which nobody was told yet; written with them, gone when somebody was, or nobody is to be.
notice_due = Table(
    "notice_due",
    metadata,
    Column("order_event", Key, primary_key=True, autoincrement=False),
    Column("sales_order", Key, nullable=False),
)

# One person told of one thing: `key` names both, and stands here once. `mail` is the mail that says so, if any.
notice = Table(
    "notice",
    metadata,
    id_column(),
    Column("key", Text, nullable=False, unique=True),
    Column("order_event", Key, nullable=False),
    Column("sales_order", Key, nullable=False),
    Column("what", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("mail", Key),
    Column("tasks", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("ix_notice_order", "sales_order", "id"),
    Index("ix_notice_mail", "mail"),
)

# `state`: owed, sending (handed over now), sent, refused, unknown, dropped.
mail = Table(
    "mail",
    metadata,
    id_column(),
    Column("message_id", Text, nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant),
    Column("claimed_until", Instant),
    Column("made_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("why_en", Text),
    Column("why_zh", Text),
    Column("code", Text),
    Index("ix_mail_state", "state", "id"),
)
