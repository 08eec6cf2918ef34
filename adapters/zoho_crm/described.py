"""The fields of Zoho's modules, as its metadata tells them (GET /settings/fields)."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.zoho_crm.client import Zoho
from adapters.zoho_crm.fields import LOOKUPS
from connector.adapter_fields import RemoteField

OBJECTS = {"accounts": "Accounts", "sales_orders": "Sales_Orders"}


def fields(client: Zoho, module: str) -> Sequence[RemoteField]:
    """The fields of a module by their API names; of a lookup its id, which is what a mapping wants."""
    found = []
    for field in client.fields(module, fresh=True).by_name.values():
        path = f"{field.name}.id" if field.type in LOOKUPS else field.name
        found.append(RemoteField(path, field.label, field.type, ", ".join(field.options[:20])))
    return found
