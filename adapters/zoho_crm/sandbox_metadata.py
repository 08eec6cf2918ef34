"""The sandbox's modules and fields, and how Zoho's metadata API shows them.

Standard fields are rows (name, type, length); the shape of a field's JSON follows Zoho's OpenAPI file for v8, which
requires some fifty members of every field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# module → (id, singular, plural)
MODULES: dict[str, tuple[str, str, str]] = {
    "Accounts": ("5540000000000000101", "Account", "Accounts"),
    "Contacts": ("5540000000000000102", "Contact", "Contacts"),
    "Deals": ("5540000000000000103", "Deal", "Deals"),
    "Tasks": ("5540000000000000104", "Task", "Tasks"),
    "Sales_Orders": ("5540000000000000105", "Sales Order", "Sales Orders"),
    "Notes": ("5540000000000000106", "Note", "Notes"),
    "Locking_Information__s": ("5540000000000000107", "Locking Information", "Locking Information"),
}
# Modules whose records may be read, written and queried here.
RECORDS = ("Accounts", "Contacts", "Deals", "Tasks", "Sales_Orders", "Notes")

_STAMPS = (
    ("Owner", "ownerlookup", 0),
    ("Created_By", "ownerlookup", 0),
    ("Modified_By", "ownerlookup", 0),
    ("Created_Time", "datetime", 0),
    ("Modified_Time", "datetime", 0),
    ("Tag", "text", 2000),
)
_ADDRESS = ("Street", "City", "State", "Code", "Country")
_FIELDS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "Accounts": (
        ("Account_Name", "text", 200),
        ("Parent_Account", "lookup:Accounts", 0),
        ("Account_Number", "bigint", 9),
        ("Account_Type", "picklist", 120),
        ("Industry", "picklist", 120),
        ("Phone", "phone", 30),
        ("Website", "website", 255),
        ("Annual_Revenue", "currency", 16),
        ("Employees", "integer", 9),
        ("Description", "textarea", 32000),
        *((f"{kind}_{part}", "text", 250) for kind in ("Billing", "Shipping") for part in _ADDRESS),
    ),
    "Contacts": (
        ("Last_Name", "text", 80),
        ("First_Name", "text", 40),
        ("Email", "email", 100),
        ("Phone", "phone", 30),
        ("Account_Name", "lookup:Accounts", 0),
    ),
    "Deals": (
        ("Deal_Name", "text", 120),
        ("Account_Name", "lookup:Accounts", 0),
        ("Stage", "picklist", 120),
        ("Amount", "currency", 16),
        ("Closing_Date", "date", 0),
    ),
    "Tasks": (
        ("Subject", "text", 300),
        ("Due_Date", "date", 0),
        ("Status", "picklist:Not Started|Deferred|In Progress|Completed|Waiting for input", 120),
        ("Priority", "picklist:High|Highest|Low|Lowest|Normal", 120),
        ("Who_Id", "lookup:Contacts", 0),
        ("What_Id", "lookup:se_module", 0),
        ("Description", "textarea", 32000),
        ("Closed_Time", "datetime", 0),
        ("Remind_At", "ALARM", 0),
        ("Send_Notification_Email", "boolean", 0),
    ),
    "Sales_Orders": (
        ("Subject", "text", 120),
        ("Account_Name", "lookup:Accounts", 0),
        ("SO_Number", "text", 50),
        ("Status", "picklist:Created|Approved|Delivered|Cancelled", 120),
        ("Due_Date", "date", 0),
        ("Purchase_Order", "text", 50),
        ("Sub_Total", "currency", 16),
        ("Tax", "currency", 16),
        ("Grand_Total", "currency", 16),
        ("Description", "textarea", 32000),
        ("Deal_Name", "lookup:Deals", 0),
        ("Locked__s", "boolean", 0),
    ),
    "Notes": (
        ("Note_Title", "text", 120),
        ("Note_Content", "textarea", 32000),
        ("Parent_Id", "lookup:se_module", 0),
    ),
    "Locking_Information__s": (
        ("Locked_Reason__s", "textarea", 2000),
        ("Locked_By__s", "ownerlookup", 0),
        ("Locked_Time__s", "datetime", 0),
        ("Lock_Source__s", "text", 100),
    ),
}
# What an organisation that already runs with an ERP has made for itself.
_CUSTOM: dict[str, tuple[tuple[str, str, int], ...]] = {
    "Accounts": (("ERP_Customer_No", "text", 100), ("Tax_ID", "text", 50)),
}
MANDATORY: dict[str, tuple[str, ...]] = {
    "Accounts": ("Account_Name",),
    "Contacts": ("Last_Name",),
    "Deals": ("Deal_Name", "Stage"),
    "Tasks": ("Subject",),
    "Sales_Orders": ("Subject", "Account_Name"),
    "Notes": ("Note_Content", "Parent_Id"),
}
STAMPED = frozenset({"Created_By", "Modified_By", "Created_Time", "Modified_Time", "Locked__s"})
CREATABLE = {  # types that the API can make → json type
    "text": "string", "textarea": "string", "email": "string", "phone": "string", "website": "string",
    "picklist": "string", "date": "string", "datetime": "string", "integer": "integer", "bigint": "string",
    "currency": "double", "double": "double", "percent": "double", "boolean": "boolean", "multiselectpicklist": "jsonarray",
}  # fmt: skip
_JSON_TYPES = {**CREATABLE, "ownerlookup": "jsonobject", "lookup": "jsonobject", "ALARM": "jsonobject"}


def api_name(label: str, taken: Sequence[str]) -> str:
    """The API name Zoho derives from a label: other letters are dropped, a name that is taken gets a number."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")
    plain = plain if plain[:1].isalpha() else f"field{plain}"
    name, number = plain, 1
    while name in taken:
        name, number = f"{plain}{number}", number + 1
    return name


def standard(module: str, currencies: bool) -> list[dict[str, Any]]:
    """The fields a module has in a fresh organisation, in the sandbox's own short form."""
    rows = [*_FIELDS[module], *_STAMPS]
    if currencies and module in ("Accounts", "Sales_Orders"):
        rows += [("Currency", "picklist:CNY|USD|EUR|JPY", 120), ("Exchange_Rate", "double", 16)]
    made = [_short(name, kind, length, custom=False) for name, kind, length in rows]
    made += [_short(name, kind, length, custom=True) for name, kind, length in _CUSTOM.get(module, ())]
    for field in made:
        field["mandatory"] = field["api_name"] in MANDATORY.get(module, ())
    return made


def _short(name: str, kind: str, length: int, custom: bool) -> dict[str, Any]:
    kind, _, more = kind.partition(":")
    return {
        "api_name": name,
        "label": name.replace("__s", "").replace("_", " "),
        "type": kind,
        "length": length,
        "custom": custom,
        "unique": False,
        "options": more.split("|") if kind == "picklist" and more else [],
        "module": more if kind == "lookup" else "",
        "tooltip": None,
    }


def from_request(body: Mapping[str, Any], taken: Sequence[str]) -> dict[str, Any]:
    """The sandbox's short form of a field that a request creates."""
    kind = str(body["data_type"])
    lengths = {"small": 2000, "large": 32000, "rich_text": 50000}
    area = str((body.get("textarea") or {}).get("type") or "small")
    return {
        "api_name": api_name(str(body["field_label"]), taken),
        "label": str(body["field_label"]),
        "type": kind,
        "length": lengths[area] if kind == "textarea" else int(body.get("length") or 255),
        "custom": True,
        "unique": bool(body.get("unique")),
        "options": [str(v["actual_value"]) for v in body.get("pick_list_values") or ()],
        "module": "",
        "tooltip": body.get("tooltip"),
        "mandatory": False,
    }


def field_json(field: Mapping[str, Any], profile: Mapping[str, str]) -> dict[str, Any]:
    """A field as `GET /settings/fields` shows it."""
    kind, fixed = field["type"], field["api_name"] in STAMPED
    lookup: dict[str, Any] = {}
    if field["module"] in MODULES:
        module = {"api_name": field["module"], "id": MODULES[field["module"]][0], "crypt": False}
        lookup = {"display_label": field["label"], "api_name": None, "module": module, "id": field["id"]}
        lookup["api_name"] = f"{field['module']}_{field['api_name']}"
    money = kind == "currency"
    return {
        "id": field["id"],
        "api_name": field["api_name"],
        "field_label": field["label"],
        "display_label": field["label"],
        "data_type": kind,
        "json_type": _JSON_TYPES.get(kind, "string"),
        "length": field["length"],
        "decimal_place": 2 if money or kind == "double" else None,
        "custom_field": field["custom"],
        "system_mandatory": bool(field["mandatory"]),
        "read_only": fixed,
        "field_read_only": fixed,
        "unique": {"case_sensitive": False} if field["unique"] else {},
        "tooltip": field["tooltip"],
        "pick_list_values": [
            {
                "display_value": o,
                "actual_value": o,
                "reference_value": o,
                "sequence_number": n,
                "id": f"{field['id'][:-2]}{n:02d}",
                "type": "used",
            }
            for n, o in enumerate(field["options"], 1)
        ],
        "currency": {"rounding_option": "normal", "precision": 2} if money else {},
        "lookup": lookup,
        "type": "used",
        "webhook": True,
        "operation_type": {"web_update": not fixed, "api_create": not fixed, "web_create": not fixed, "api_update": not fixed},
        "view_type": {"view": True, "edit": not fixed, "quick_create": False, "create": not fixed},
        "profiles": [{"permission_type": "read_only" if fixed else "read_write", **profile}],
        "email_parser": {"fields_update_supported": False, "record_operations_supported": False},
        "display_field": field["api_name"] in ("Account_Name", "Subject", "Deal_Name", "Last_Name", "Note_Title"),
        "visible": True,
        "filterable": kind != "textarea",
        "sortable": kind != "textarea",
        "searchable": True,
        "mass_update": not fixed,
        "created_source": "default",
        "display_type": -1,
        "ui_type": 1,
        **dict.fromkeys(_NO, False),
        **dict.fromkeys(_NOTHING, None),
        **{name: {} for name in _EMPTY},
    }  # fmt: skip


_NO = (
    "colour_code_enabled_by_system", "businesscard_supported", "separator", "history_tracking_enabled",
    "enable_colour_code", "virtual_field", "public", "pick_list_values_sorted_lexically",
)  # fmt: skip
_NOTHING = ("association_details", "external", "range", "global_picklist", "crypt", "private", "history_tracking")
_EMPTY: tuple[str, ...] = (
    "convert_mapping", "rollup_summary", "formula", "multiselectlookup", "auto_number", "multi_module_lookup",
)  # fmt: skip


def module_json(module: str, number: int, profile: Mapping[str, str]) -> dict[str, Any]:
    """A module as `GET /settings/modules` shows it."""
    key, singular, plural = MODULES[module]
    yes = dict.fromkeys(
        (
            "global_search_supported", "recycle_bin_on_delete", "deletable", "creatable", "editable", "viewable",
            "api_supported", "show_as_tab", "triggers_supported", "quick_create", "filter_supported",
        ),
        True,
    )  # fmt: skip
    no = dict.fromkeys(("public_fields_configured", "has_more_profiles", "sub_menu_available"), False)
    return {
        **yes,
        **no,
        "id": key,
        "api_name": module,
        "module_name": plural[:25],
        "singular_label": singular,
        "plural_label": plural[:25],
        "profile_count": 1,
        "description": None,
        "generated_type": "default",
        "status": "visible" if module in RECORDS else "system_hidden",
        "sequence_number": number,
        "profiles": [dict(profile)],
    }
