"""The people who sell: employees of the user's company."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector.adapter import Page, Record
from connector.paging import at_once

from . import wishes
from .client import Tryton


def read(client: Tryton, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """All employees, whoever has left among them: an order names who quoted and who confirmed it."""
    asked = wishes.sorted_out(client, "people", wanted, {"": "company.employee"})[""]
    fields = dict.fromkeys(["party.name", "party.email", "end_date", *asked])
    rows = client.rows("company.employee", [["company", "=", client.context["company"]]], list(fields))
    today = client.connection.today().isoformat()
    for row in rows:
        row["_active"] = not row["end_date"] or row["end_date"] >= today
    return at_once([Record(str(r["id"]), r) for r in rows])
