"""What the sandbox starts with: an organisation, its users, accounts and sales orders.

From the folder's own files where there are some, else from the made-up company that the ERP sandboxes show too.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.zoho_crm.sandbox_records import PROFILE, Records, Row
from connector.example import AS_OF, Company, accounts, company
from connector.model import Customer
from connector.money import from_minor
from connector.sandbox import SandboxOptions

_STATUS = {"draft": "Created", "open": "Approved", "closed": "Delivered", "cancelled": "Cancelled"}


def stock(records: Records, options: SandboxOptions) -> None:
    """Fills an empty shelf."""
    made = company(options.customers, options.seed, options.as_of, language=options.language)
    day = options.as_of or AS_OF
    records.shelf.put("~meta", "org", _org(made.currency, day))
    users = _own(options.data, "users") or list(_users(records, made))
    for user in users:
        records.shelf.put("~users", user["id"], user)
    owners = {p.id: u for p, u in zip(made.people, users, strict=False)}
    own = _own(options.data, "Accounts")
    shown = accounts(made, options.seed, options.language)
    rows = own if own is not None else list(_accounts(records, shown, owners))
    _put(records, "Accounts", rows, users[0], day)
    orders = _own(options.data, "Sales_Orders")
    if orders is None and own is None:
        ids = {account.id: row["id"] for account, row in zip(shown, rows, strict=True)}
        orders = list(_orders(records, made, shown, ids, owners))
    _put(records, "Sales_Orders", orders or [], users[0], day)


def _own(folder: Path | None, name: str) -> list[Row] | None:
    """The folder's own list of objects, where it has one."""
    path = folder / f"{name}.json" if folder else None
    if path is None or not path.is_file():
        return None
    rows: list[Row] = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    return rows


def _put(records: Records, module: str, rows: Iterable[Row], first_user: Row, day: dt.date) -> None:
    by = {"name": first_user["full_name"], "id": first_user["id"]}
    for number, row in enumerate(rows):
        # Seven share a second, as after an import.
        changed = dt.datetime.combine(day - dt.timedelta(days=90), dt.time(9), records.zone)
        stamp = (changed + dt.timedelta(minutes=10 * (number // 7))).isoformat()
        stamps = {"Created_Time": stamp, "Modified_Time": stamp, "Created_By": by, "Modified_By": by, "Owner": by}
        record = {**stamps, "id": row.get("id") or records.new_id(), **{k: v for k, v in row.items() if v is not None}}
        record["Modified_Time"] = max(record["Modified_Time"], record["Created_Time"], key=dt.datetime.fromisoformat)
        records.put(module, record)


def _users(records: Records, made: Company) -> Iterable[Row]:
    for person in made.people:
        first, _, last = person.name.rpartition(" ")
        yield {
            "id": records.new_id(),
            "full_name": person.name,
            "first_name": first,
            "last_name": last,
            "email": person.email,
            "status": "active" if person.active else "inactive",
            "confirm": True,
            "type__s": "Regular User",
            "profile": PROFILE,
            "role": {"name": "Sales", "id": "5540000000000000041"},
        }


def _accounts(records: Records, shown: list[Customer], owners: dict[str, Row]) -> Iterable[Row]:
    for account in shown:
        row: Row = {
            "id": records.new_id(),
            "Account_Name": account.name,
            "ERP_Customer_No": account.external_id,
            "Tax_ID": account.tax_id,
            "Billing_Country": account.country,
            "Phone": account.phone,
            "Industry": account.segment,
        }
        if owner := owners.get(account.owner or ""):
            row["Owner"] = {"id": owner["id"], "name": owner["full_name"], "email": owner["email"]}
        yield row


def _orders(
    records: Records, made: Company, shown: list[Customer], ids: dict[str, str], owners: dict[str, Row]
) -> Iterable[Row]:
    """The orders of those customers whose account is certain: by ERP number, tax id or the very same name."""
    account_of: dict[str, Customer] = {}
    for account in shown:
        for mark in (account.external_id, account.tax_id, account.name):
            if mark:
                account_of.setdefault(mark, account)
    customers = {c.id: c for c in made.customers}
    for order in made.orders:
        customer = customers[order.customer_id]
        found = account_of.get(customer.id) or account_of.get(customer.tax_id or "?") or account_of.get(customer.name)
        if not found:
            continue
        row: dict[str, Any] = {
            "id": records.new_id(),
            "Subject": f"{order.number or order.id} {found.name}"[:120],
            "SO_Number": order.number or order.id,
            "Account_Name": {"id": ids[found.id], "name": found.name},
            "Status": _STATUS[order.status],
            "Due_Date": order.ship_on.isoformat() if order.ship_on else None,
            "Grand_Total": from_minor(order.amount, order.currency) if order.amount is not None else None,
            "Created_Time": dt.datetime.combine(order.ordered_on, dt.time(10), records.zone).isoformat(),
        }
        if records.currencies:
            row["Currency"] = order.currency
        if owner := owners.get(order.owner or ""):
            row["Owner"] = {"id": owner["id"], "name": owner["full_name"], "email": owner["email"]}
        yield row


def _org(currency: str, day: dt.date) -> Row:
    return {
        "id": "5540000000000000001",
        "zgid": "60000000001",
        "company_name": "Holdfast Example Trading",
        "country": "China",
        "country_code": "CN",
        "currency": "Chinese Yuan",
        "currency_symbol": "¥",
        "currency_locale": "zh_CN",
        "iso_code": currency,
        "time_zone": "Asia/Shanghai",
        "type": "developer",
        "created_time": f"{day - dt.timedelta(days=900)}T09:00:00+08:00",
        "primary_email": "admin@example.com",
        "license_details": {
            "paid_expiry": None,
            "users_license_purchased": 10,
            "trial_type": None,
            "trial_expiry": None,
            "paid": True,
            "paid_type": "enterprise",
            "portal_users_license_purchased": 0,
        },
    }
