"""All SQL lives here: tables, facts, positions, outbox, documents, runs.

`Connection` is an open transaction (`Store.reading`, `Store.writing`), which everybody hands on and nobody else touches.
"""

from sqlalchemy import Connection as Connection
