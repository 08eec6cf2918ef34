"""The fields of Tryton's models, as they tell them (`fields_get`)."""

from __future__ import annotations

from collections.abc import Sequence

from connector.adapter_fields import RemoteField

from .client import Tryton

OBJECTS = {"customers": "party.party", "orders": "sale.sale", "people": "company.employee"}


def fields(client: Tryton, model: str) -> Sequence[RemoteField]:
    """The fields of a model; what another record says is read through a dot, such as `party.code`."""
    told = client.call(f"model.{model}.fields_get", [])
    return [
        RemoteField(name, str(one.get("string") or ""), str(one.get("type") or ""), str(one.get("relation") or ""))
        for name, one in sorted(told.items())
    ]
