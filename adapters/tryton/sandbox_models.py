"""The models of the Tryton sandbox: which fields each has, and of what type, as `fields_get` tells them."""

from __future__ import annotations

from functools import cache

# Type, or type:relation. Lists of ids are stored on the row, as are values that Tryton computes.
MODELS: dict[str, dict[str, str]] = {
    "party.party": {
        "code": "char",
        "name": "char",
        "active": "boolean",
        "addresses": "one2many:party.address",
        "identifiers": "one2many:party.identifier",
        "tax_identifier": "many2one:party.identifier",
        "contact_mechanisms": "one2many:party.contact_mechanism",
        "email": "char",
        "phone": "char",
        "categories": "many2many:party.category",
        "replaced_by": "many2one:party.party",
        "customer_payment_term": "many2one:account.invoice.payment_term",
        "customer_currency": "many2one:currency.currency",
        "credit_limit_amount": "numeric",
        # Of the sample module that adds credit fields to parties.
        "credit_score": "integer",
        "credit_grade": "char",
        "credit_hold": "boolean",
        "credit_hold_reason": "char",
        "credit_reviewed_on": "date",
    },
    "party.address": {"party": "many2one:party.party", "city": "char", "country": "many2one:country.country"},
    "party.contact_mechanism": {"party": "many2one:party.party", "type": "selection", "value": "char"},
    "party.identifier": {"party": "many2one:party.party", "type": "selection", "code": "char"},
    "party.category": {"name": "char"},
    "party.party.credit_limit_amount": {"party": "many2one:party.party", "credit_limit_amount": "numeric"},
    "country.country": {"code": "char", "name": "char"},
    "company.company": {"party": "many2one:party.party", "currency": "many2one:currency.currency"},
    "company.employee": {"party": "many2one:party.party", "company": "many2one:company.company", "end_date": "date"},
    "currency.currency": {"code": "char", "name": "char"},
    "currency.currency.rate": {"currency": "many2one:currency.currency", "date": "date", "rate": "numeric"},
    "account.account": {"type": "many2one:account.account.type", "code": "char"},
    "account.account.type": {"receivable": "boolean"},
    "account.journal": {"code": "char", "type": "selection"},
    "account.move": {
        "number": "char",
        "date": "date",
        "state": "selection",
        "description": "char",
        "origin": "reference",
        "journal": "many2one:account.journal",
        "company": "many2one:company.company",
        "lines": "one2many:account.move.line",
    },
    "account.move.line": {
        "move": "many2one:account.move",
        "account": "many2one:account.account",
        "company": "many2one:company.company",
        "party": "many2one:party.party",
        "debit": "numeric",
        "credit": "numeric",
        "second_currency": "many2one:currency.currency",
        "amount_second_currency": "numeric",
        "date": "date",
        "maturity_date": "date",
        "move_state": "selection",
        "reconciliation": "many2one:account.move.reconciliation",
        "invoice_payment": "many2one:account.invoice",
        "description": "char",
    },
    "account.move.reconciliation": {"date": "date", "lines": "one2many:account.move.line"},
    "account.invoice": {
        "number": "char",
        "reference": "char",
        "type": "selection",
        "state": "selection",
        "invoice_date": "date",
        "party": "many2one:party.party",
        "company": "many2one:company.company",
        "currency": "many2one:currency.currency",
        "total_amount": "numeric",
        "total_amount_cache": "numeric",
        "amount_to_pay": "numeric",
        "move": "many2one:account.move",
        "cancel_move": "many2one:account.move",
        "additional_moves": "many2many:account.move",
    },
    "account.invoice.payment_term": {"name": "char", "lines": "one2many:account.invoice.payment_term.line"},
    "account.invoice.payment_term.line": {
        "type": "selection",
        "relativedeltas": "one2many:account.invoice.payment_term.line.delta",
    },
    "account.invoice.payment_term.line.delta": {
        "day": "integer",
        "month": "many2one:ir.calendar.month",
        "weekday": "many2one:ir.calendar.day",
        "months": "integer",
        "weeks": "integer",
        "days": "integer",
    },
    "ir.calendar.month": {"name": "char"},
    "ir.calendar.day": {"name": "char"},
    "account.invoice.payment.method": {"name": "char"},
    "account.dunning": {"line": "many2one:account.move.line", "blocked": "boolean"},
    "account.tax": {"type": "selection", "rate": "numeric"},
    "product.uom": {"factor": "float"},
    "stock.move": {"state": "selection", "quantity": "float", "unit": "many2one:product.uom"},
    "account.invoice.line": {
        "type": "selection",
        "quantity": "float",
        "unit": "many2one:product.uom",
        "invoice": "many2one:account.invoice",
    },
    "sale.sale": {
        "number": "char",
        "reference": "char",
        "description": "char",
        "state": "selection",
        "party": "many2one:party.party",
        "invoice_party": "many2one:party.party",
        "invoice_address": "many2one:party.address",
        "shipment_address": "many2one:party.address",
        "company": "many2one:company.company",
        "sale_date": "date",
        "shipping_date": "date",
        "currency": "many2one:currency.currency",
        "untaxed_amount": "numeric",
        "tax_amount": "numeric",
        "total_amount": "numeric",
        "payment_term": "many2one:account.invoice.payment_term",
        "quoted_by": "many2one:company.employee",
        "confirmed_by": "many2one:company.employee",
        "invoice_method": "selection",
        "shipment_method": "selection",
        "lines": "one2many:sale.line",
    },
    "sale.line": {
        "sale": "many2one:sale.sale",
        "type": "selection",
        "description": "char",
        "quantity": "float",
        "unit": "many2one:product.uom",
        "unit_price": "numeric",
        "shipping_date": "date",
        "taxes": "many2many:account.tax",
        "invoice_lines": "one2many:account.invoice.line",
        "moves": "one2many:stock.move",
    },
    "ir.note": {"resource": "reference", "message": "char"},
    "ir.model.button": {"model": "char", "name": "char", "reset_by": "many2many:ir.model.button"},
    "ir.model.button.rule": {
        "button": "many2one:ir.model.button",
        "description": "char",
        "number_user": "integer",
        "group": "many2one:res.group",
        "condition": "char",
    },
    "ir.model.access": {
        "model": "char",
        "group": "many2one:res.group",
        "perm_read": "boolean",
        "perm_write": "boolean",
        "perm_create": "boolean",
        "perm_delete": "boolean",
    },
    "ir.rule": {"rule_group": "many2one:ir.rule.group", "domain": "char"},
    "ir.rule.group": {
        "name": "char",
        "model": "char",
        "global_p": "boolean",
        "perm_read": "boolean",
        "perm_write": "boolean",
        "perm_create": "boolean",
        "perm_delete": "boolean",
        "rules": "one2many:ir.rule",
    },
    "res.group": {"name": "char"},
    "res.user": {"name": "char", "login": "char", "active": "boolean", "groups": "many2many:res.group"},
}
STAMPS = {
    "id": "integer",
    "create_date": "timestamp",
    "write_date": "timestamp",
    "last_modified_at": "timestamp",
    "write_uid": "many2one:res.user",
}
# Which field of a related row points back, for rows that are made inside another.
INVERSE = {
    ("party.party", "addresses"): "party",
    ("party.party", "identifiers"): "party",
    ("party.party", "contact_mechanisms"): "party",
    ("account.move", "lines"): "move",
    ("sale.sale", "lines"): "sale",
    ("ir.rule.group", "rules"): "rule_group",
}


@cache
def fields_of(model: str) -> dict[str, str]:
    """All fields of a model by name, those that every model has included. KeyError for a model that is not here."""
    return {**STAMPS, **MODELS[model]}


@cache
def relation(model: str, field: str) -> str | None:
    """The model that a field points to, None where it points nowhere."""
    kind = fields_of(model)[field]
    return kind.partition(":")[2] or None


@cache
def is_list(model: str, field: str) -> bool:
    """Whether a field holds several."""
    return fields_of(model)[field].startswith(("one2many", "many2many"))
