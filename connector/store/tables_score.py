"""Tables of scores: every score that changed something, with its inputs, and the scorecards they were made by."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, LargeBinary, Table, Text

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# Append-only. `digest` is over what was concluded; `body` has every criterion with its input, bin, weight and points.
score = Table(
    "score",
    metadata,
    id_column(),
    Column("debtor", Key, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("version", Text, nullable=False),
    Column("points", Exact),
    Column("grade", Text),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_score_debtor", "debtor", "id"),
)

# Append-only: the scorecard of each version, so that a score can be made again years later.
scorecard = Table(
    "scorecard",
    metadata,
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
