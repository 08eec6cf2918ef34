"""The schema: every table of the store, one paragraph each.

Money is whole minor units in 64-bit integers, signed where the kind gives a sign (positive: the customer owes us). What
has no currency of its own is an exact decimal, kept as text. Days are dates, instants are UTC without a zone. A
customer, an item and an order have integer keys, made when they are first mentioned, so that pages may come in any
order. Every fact knows the record it came from.
"""

from __future__ import annotations

from connector.store.tables_alert import alert
from connector.store.tables_asked import asked_run, at_work
from connector.store.tables_audit import AUDIT_BLOCK, audit, audit_head
from connector.store.tables_calculation import calculation
from connector.store.tables_concern import concern
from connector.store.tables_dunning import charge, contact, dunning, dunning_step, letter
from connector.store.tables_facts import (
    credit_limit,
    customer,
    event,
    financial,
    order_line,
    person,
    promise,
    rate,
    release_request,
    sales_order,
)
from connector.store.tables_inbox import hook_event, hook_subscription
from connector.store.tables_items import application, instalment, item, part, sales
from connector.store.tables_keys import api_key, idempotent
from connector.store.tables_kinds import Exact, Instant, Key, metadata, utc
from connector.store.tables_limit import limit_event, limit_piece, limit_request
from connector.store.tables_links import apart, debtor, link, proposal
from connector.store.tables_notices import mail, notice, notice_due
from connector.store.tables_order import exclusion, order_event, order_state
from connector.store.tables_reserved import reservation
from connector.store.tables_review import paper, review
from connector.store.tables_runs import activation, document, lease, problem, run, slot
from connector.store.tables_said import counter, echo, mark, record, stream, system
from connector.store.tables_score import score, scorecard
from connector.store.tables_sealed import sealed
from connector.store.tables_session import once_code, password, session
from connector.store.tables_statement import statement, statement_item
from connector.store.tables_stop import stop
from connector.store.tables_work import amendment, decision, outbox, pushed, standing

__all__ = [
    "AUDIT_BLOCK",
    "Exact",
    "Instant",
    "Key",
    "activation",
    "alert",
    "amendment",
    "apart",
    "api_key",
    "application",
    "asked_run",
    "at_work",
    "audit",
    "audit_head",
    "calculation",
    "charge",
    "concern",
    "contact",
    "counter",
    "credit_limit",
    "customer",
    "debtor",
    "decision",
    "document",
    "dunning",
    "dunning_step",
    "echo",
    "event",
    "exclusion",
    "financial",
    "hook_event",
    "hook_subscription",
    "idempotent",
    "instalment",
    "item",
    "lease",
    "letter",
    "limit_event",
    "limit_piece",
    "limit_request",
    "link",
    "mail",
    "mark",
    "metadata",
    "notice",
    "notice_due",
    "once_code",
    "order_event",
    "order_line",
    "order_state",
    "outbox",
    "paper",
    "part",
    "password",
    "person",
    "problem",
    "promise",
    "proposal",
    "pushed",
    "rate",
    "record",
    "release_request",
    "reservation",
    "review",
    "run",
    "sales",
    "sales_order",
    "score",
    "scorecard",
    "sealed",
    "session",
    "slot",
    "standing",
    "statement",
    "statement_item",
    "stop",
    "stream",
    "system",
    "utc",
]
