"""Mappings: TOML tables, field ↔ field, by which records become facts and actions become a system's own values.

One document per system. Reading: one table per kind of fact.

    adapter = "tryton"

    [read.customer]                       # the name is free; `fact` defaults to it
    stream = "customers"                  # which stream's records
    # fact = "customer"
    # each = "lines"                      # one fact per element of this list; "^.x" reads from the record around it
    # where = { state = ["posted"] }      # only records whose value is one of these; [] = must be absent
    # unless = { kind = ["internal"] }    # not records whose value is one of these
    [read.customer.fields]
    id = "code"                           # a dotted path: "owner.id", "identifiers.0.code"
    status = { from = "active", values = { true = "active", false = "inactive" } }
    owner = { first = ["owner.email", "owner.id"] }       # the first that is there
    currency = { value = "CNY" }                           # a constant
    terms = { from = "payment_term", convert = "terms", default = "net:30" }   # default for an *absent* value only
    received_on = { from = "date", format = "%d.%m.%Y" }

Each fact field has a converter by its own type (money by the fact's currency, dates, decimals, words); `convert` names
another from the closed list in `CONVERTERS`. Members whose names start with `_` were added by the adapter.

Writing: one table per kind of action; the right side is our vocabulary (`CUSTOMER_WORDS`, `ORDER_WORDS`, `TASK_WORDS`).

    [write.customer_fields.fields]
    Credit_Limit = { from = "limit", field = { label = "Credit Limit", type = "money" } }   # `field`: what provisioning makes
    Credit_Status = { from = "level", values = { green = "Good", yellow = "Watch", orange = "Warning", red = "Stop" } }
    Overdue_Band = { from = "overdue_days", band = [0, 30, 60, 90] }       # "0", "1-30", "31-60", "61-90", "91+"
    Credit_As_Of = { from = "as_of", quiet = true }                        # never a reason to write by itself

No expression language: what pairs and converters cannot say belongs into the adapter. The loader reports all problems
at once, each with the nearest right name.
"""

from __future__ import annotations

# Our vocabulary for what is written to a system about a customer.
CUSTOMER_WORDS: dict[str, str] = {
    "customer_no": "id of the customer in the system that owns the ledger",
    "name": "the customer's name there",
    "currency": "currency of the amounts below",
    "limit": "effective limit of the day, absent where there is none or it is unlimited",
    "limit_kind": "none, unlimited or amount",
    "exposure": "total exposure",
    "available": "limit less exposure",
    "utilisation": "exposure divided by limit, as a fraction",
    "utilisation_percent": "the same in percent, rounded to a whole number",
    "balance": "receivable balance",
    "overdue": "overdue amount",
    "overdue_days": "days past due of the oldest item, 0 where nothing is overdue",
    "hold": "whether orders of this customer are held",
    "hold_reason": "why, with the numbers, in the system's language; absent where not held",
    "level": "warning level: green, yellow, orange, red",
    "score": "credit score, absent until there is one",
    "grade": "credit grade, absent until there is one",
    "as_of": "the day the figures are of",
}
# … about an order,
ORDER_WORDS: dict[str, str] = {
    "order_no": "number of the order",
    "hold": "whether this order is held",
    "hold_reason": "why, with the numbers, in the system's language; absent where not held",
    "level": "warning level of the customer",
    "as_of": "the day of the decision",
}
# … for a task somebody gets,
TASK_WORDS: dict[str, str] = {
    "subject": "one line in the system's language",
    "body": "the text with the numbers",
    "due_on": "when it should be done",
    "owner": "id of the person in that system, absent where unknown",
    "priority": "high or normal",
    "customer": "remote id of the customer's record there",
    "key": "our idempotency key, to be kept in a field that can be searched",
}
# … and for a limit that is kept elsewhere.
LIMIT_WORDS: dict[str, str] = {
    "limit": "the approved amount",
    "limit_kind": "none, unlimited or amount",
    "currency": "its currency",
}
