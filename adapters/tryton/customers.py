"""Customers and their limits: parties, as the user's company sees them.

Tryton has no mark for a customer: a party becomes one by being sold to. All parties are read but our own company and
its employees, unless these have bought something. Added to each record:

    _terms     the customer's payment term in our words (`net:30`), where it is a single instalment
    _tax_id    the tax identifier, else the first identifier
    _limits    one limit in the company's currency, or none: a null limit in Tryton means that nothing is checked

The limit is the value that Tryton's own check uses (`credit_limit_amount` in the company's context), so the default of
the accounting configuration is in it; 0 means that nothing is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector.adapter import Page, Record

from . import changes, wishes
from .changes import Things, Watch
from .client import Domain, Tryton
from .terms import terms

PARTY = (
    "code",
    "name",
    "active",
    "tax_identifier.code",
    "tax_identifier.type",
    "identifiers.code",
    "identifiers.type",
    "addresses.country.code",
    "email",
    "phone",
    "categories.name",
    "replaced_by.code",
)
# Fields that other modules add to a party.
OPTIONAL = {
    "customer_payment_term": "customer_payment_term.name",
    "customer_currency": "customer_currency.code",
    "credit_limit_amount": "credit_limit_amount",
}


def _domain(client: Tryton) -> Domain:
    return [["id", "not in", sorted(_ourselves(client))]]


def _ourselves(client: Tryton) -> set[int]:
    """Parties that are no customers: the company, and employees without a receivable line."""
    if "ourselves" not in client.memory:
        own = {client.company["party"]}
        if client.can_read("company.employee"):
            staff = {r["party"] for r in client.rows("company.employee", [], ["party"])}
            ledger = [["account.type.receivable", "=", True]]
            bought = client.rows_of("account.move.line", "party", list(staff), ["party"], ledger)
            own |= staff - {r["party"] for r in bought}
        client.memory["ourselves"] = own
    found: set[int] = client.memory["ourselves"]
    return found


def _party(client: Tryton, rows: Sequence[changes.Row]) -> Sequence[int]:
    return [r["party"] for r in rows if r["party"]]


def _build(client: Tryton, ids: Sequence[int], wanted: Sequence[str]) -> Sequence[Record]:
    asked = wishes.sorted_out(client, "customers", wanted, {"": "party.party"})[""]
    there = client.fields("party.party", list(OPTIONAL))
    ours = [path for name, path in OPTIONAL.items() if name in there]
    known = terms(client)
    records = []
    for row in client.rows_of("party.party", "id", ids, [*dict.fromkeys([*PARTY, *ours, *asked])]):
        if row["id"] in _ourselves(client):
            continue
        limit = row.get("credit_limit_amount")
        term = row.get("customer_payment_term")
        identifiers = row["identifiers"] or []
        row["active"] = bool(row["active"])
        row["_terms"] = known.get(term["id"]) if term else None
        row["_tax_id"] = (row["tax_identifier"] or {}).get("code") or next((i["code"] for i in identifiers), None)
        row["_limits"] = [] if limit is None else [{"amount": limit, "currency": client.currency}]
        records.append(Record(str(row["id"]), row))
    return records


CUSTOMERS = Things(
    "party.party",
    _domain,
    (
        Watch("party.party", [], (), lambda _, rows: [r["id"] for r in rows]),
        # Written on their own, these do not touch the party.
        Watch("party.address", [], ("party",), _party),
        Watch("party.contact_mechanism", [], ("party",), _party),
        Watch("party.identifier", [], ("party",), _party),
        Watch("party.party.credit_limit_amount", [], ("party",), _party, optional=True),
    ),
    _build,
)


def read(client: Tryton, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """All customers, or those that changed."""
    return changes.read(client, cursor, wanted, CUSTOMERS)


def keys(client: Tryton) -> Iterator[Sequence[str]]:
    """The ids of all parties but our own."""
    return changes.keys(client, CUSTOMERS)
