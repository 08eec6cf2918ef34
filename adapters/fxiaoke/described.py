"""The fields of Fxiaoke's objects, as `describe` tells them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.fxiaoke.client import Client
from adapters.fxiaoke.fields import describe
from connector.adapter_fields import RemoteField

OBJECTS = {
    "customers": "AccountObj",
    "people": "PersonnelObj",
    "orders": "SalesOrderObj",
    "receipts": "PaymentObj",
    "receipt_lines": "OrderPaymentObj",
    "plans": "PaymentPlanObj",
}


def fields(client: Client, object_name: str) -> Sequence[RemoteField]:
    """The active fields of an object by their api names; of a choice, the labels of its values."""
    return [
        RemoteField(one.name, one.label, one.type, ", ".join(f"{value} ({label})" for label, value in one.options[:20]))
        for one in describe(client, object_name, anew=True).fields.values()
    ]
