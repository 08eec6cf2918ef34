"""Customers, their limits, and the people who look after them.

The debtor is the *commercial partner*: a company, or a person without one above; contacts and invoice addresses are
not customers. Archived partners may owe money and are read. A limit of 0 means "no limit" here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapters.odoo.client import Client, Row
from adapters.odoo.reading import changes, existing, nothing
from connector.adapter import Json, Page

_CUSTOMER = (
    "name", "ref", "vat", "email", "phone", "is_company", "parent_id", "commercial_partner_id", "active", "user_id",
    "country_id", "property_payment_term_id", "company_id", "customer_rank",
)  # fmt: skip
_COMMERCIAL = ["|", ["is_company", "=", True], ["parent_id", "=", False]]


def _customers(client: Client) -> list[Any]:
    """Commercial partners that are not our own company or its staff; in the CRM of several companies, ours or shared."""
    there = client.fields("res.partner")
    domain: list[Any] = list(_COMMERCIAL)
    if "customer_rank" in there:
        domain += ["|", ["partner_share", "=", True], ["customer_rank", ">", 0]]
    else:
        domain += [["partner_share", "=", True]]
    nobody = client.cached("nobody", lambda: _nobody(client))
    domain += [["id", "not in", nobody], ["company_id", "in", [client.company["id"], False]]]
    return domain + list(client.settings.customer_domain)


def _nobody(client: Client) -> list[int]:
    """Partners that Odoo has for itself: the company's own, and those of the public and template users."""
    users = client.rows("res.users", [["login", "in", ["public", "portaltemplate", "default"]]], ["partner_id"])
    return [p for p in (client.company["partner"], *(u["partner_id"] for u in users)) if p]


def customers(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Partners who can owe. Made here: `_id`, `_parent`, `_terms`, `_country`, `_currency`, `_external_id`, `_status`."""
    # As CRM the ERP's number; as ERP the number by which people and other systems know the customer.
    number = client.settings.customer_no_field
    fields = client.asked("res.partner", _CUSTOMER, [*wanted, *([number] if number else [])])

    def dress(rows: list[Row]) -> list[Row]:
        terms = payment_terms(client) if any(r.get("property_payment_term_id") for r in rows) else {}
        countries = client.country_codes() if any(r.get("country_id") for r in rows) else {}
        above = client.commercial(r["parent_id"] for r in rows)
        for row in rows:
            row["_id"] = str(row["id"])
            row["_parent"] = str(above[row["parent_id"]]) if row["parent_id"] else None
            row["_terms"] = terms.get(row.get("property_payment_term_id") or 0)
            row["_country"] = countries.get(row.get("country_id") or 0)
            row["_currency"] = client.company["currency"]
            row["_external_id"] = (row.get(number) or None) if number else None
            row["_status"] = "active" if row["active"] else "inactive"
        return rows

    yield from changes(
        client, cursor, "res.partner", _customers(client), fields, dress, scope=f"{client.company['id']}:{number}"
    )


def customer_keys(client: Client) -> Iterator[Sequence[str]]:
    yield from existing(client, "res.partner", _customers(client))


# --- limits ------------------------------------------------------------------------------------------------------------
def limits(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Each customer's `credit_limit` in our company. Made here: `_customer`, `_kind`, `_currency`. 0 is no
    limit: who has none is not shown, who loses his is missed by the sweep of every pull.

    A limit that equals the company's default follows it without any partner being written: where the default has moved
    (seen by a partner who has none of his own), everything is read anew.
    """
    if not client.keeps_ledger:
        yield from nothing()
        return
    fields = client.asked("res.partner", ("active", "credit_limit"), ["credit_limit", *wanted])

    def dress(rows: list[Row]) -> list[Row]:
        for row in rows:
            row["_customer"] = str(row["id"])
            row["_kind"] = "base"
            row["_currency"] = client.company["currency"]
        return rows

    scope = f"{client.company['id']}:{_default_limit(client)}"
    yield from changes(client, cursor, "res.partner", _limited(client), fields, dress, scope=scope)


def _limited(client: Client) -> list[Any]:
    return [*_customers(client), ["credit_limit", "!=", 0]]


def _default_limit(client: Client) -> str:
    """The company's default limit: what a partner who never had one of his own shows."""
    own = client.call("res.partner", "default_get", safe=True, fields=["credit_limit"])
    return str(own.get("credit_limit", 0)) if isinstance(own, dict) else "0"


def limit_keys(client: Client) -> Iterator[Sequence[str]]:
    if client.keeps_ledger:
        yield from existing(client, "res.partner", _limited(client))


_STAFF = [["share", "=", False]]


# --- people ------------------------------------------------------------------------------------------------------------
def people(client: Client, cursor: Json, wanted: Sequence[str]) -> Iterator[Page]:
    """Internal users, those who left too. Made here: `_id`."""
    fields = client.asked("res.users", ("name", "email", "login", "active", "share"), wanted)

    def dress(rows: list[Row]) -> list[Row]:
        for row in rows:
            row["_id"] = str(row["id"])
        return rows

    yield from changes(client, cursor, "res.users", _STAFF, fields, dress)


def people_keys(client: Client) -> Iterator[Sequence[str]]:
    yield from existing(client, "res.users", _STAFF)


# --- payment terms -------------------------------------------------------------------------------------------------------
def payment_terms(client: Client) -> dict[int, str]:
    """Our words for the payment terms that have one (`net:30`, `eom:10`); those with several parts have none."""
    return client.cached("payment_terms", lambda: _payment_terms(client))


def _payment_terms(client: Client) -> dict[int, str]:
    there = client.fields("account.payment.term.line")
    names = [
        n for n in ("payment_id", "nb_days", "delay_type", "days", "months", "end_month", "days_after") if n in there
    ]
    if not there:
        return {}
    lines: dict[int, list[Row]] = {}
    for line in client.rows("account.payment.term.line", [], names):
        lines.setdefault(line["payment_id"], []).append(line)
    words = {term: terms_word(parts[0]) for term, parts in lines.items() if len(parts) == 1}
    return {term: word for term, word in words.items() if word}


def terms_word(line: Row) -> str | None:
    """One payment term line in our words, None where we have none.

    17 and later: `delay_type` and `nb_days`. 16: `months`, `days`, `end_month`, `days_after` [not run].
    """
    if "delay_type" in line:
        days = int(line["nb_days"] or 0)
        return {"days_after": f"net:{days}", "days_after_end_of_month": f"eom:{days}"}.get(line["delay_type"])
    days, months = int(line.get("days") or 0), int(line.get("months") or 0)
    if line.get("end_month"):
        return f"eom:{int(line.get('days_after') or 0)}" if not days and not months else None
    if months:
        return f"months:{months}" if not days else None
    return f"net:{days}"
