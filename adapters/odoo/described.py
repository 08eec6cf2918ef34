"""The fields of Odoo's models, as they tell them (`fields_get`), as far as the connector's user may see them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.odoo.client import Client
from connector.adapter_fields import RemoteField

OBJECTS = {
    "customers": "res.partner",
    "people": "res.users",
    "limits": "res.partner",
    "items": "account.move.line",
    "payments_in_process": "account.payment",
    "orders": "sale.order",
    "rates": "res.currency.rate",
}


def fields(client: Client, model: str) -> Sequence[RemoteField]:
    """The fields of a model; a many2one is read as the id of the other record."""
    client.forget_fields()
    return [
        RemoteField(name, str(told.get("string") or ""), str(told.get("type") or ""), _choices(told.get("selection")))
        for name, told in client.fields(model).items()
    ]


def _choices(selection: object) -> str:
    pairs = selection if isinstance(selection, list) else []
    return ", ".join(str(pair[0]) for pair in pairs[:20] if isinstance(pair, list | tuple) and pair)
