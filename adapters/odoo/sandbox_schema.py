"""The models and fields that the sandbox knows, a line each: the part of Odoo 19 that the adapter and its samples touch.

`name:type`, with the model a relation points to behind it (`partner_id:many2one/res.partner`), and behind that the field
that points back (`order_line:one2many/sale.order.line/order_id`). `!` marks fields that are computed and not stored: Odoo
cannot sort or search by them. Custom fields are added by rows of `ir.model.fields`.
"""

from __future__ import annotations

from dataclasses import dataclass

_STAMPS = "id:integer display_name:char! create_date:datetime write_date:datetime create_uid:many2one/res.users"

_MODELS = """
res.company name:char currency_id:many2one/res.currency partner_id:many2one/res.partner
res.currency name:char active:boolean rounding:float
res.country name:char code:char
res.currency.rate currency_id:many2one/res.currency name:date rate:float company_rate:float! inverse_company_rate:float! company_id:many2one/res.company
res.lang name:char code:char active:boolean
res.users name:char login:char email:char active:boolean share:boolean company_id:many2one/res.company partner_id:many2one/res.partner lang:char
res.users.apikeys name:char user_id:many2one/res.users expiration_date:datetime
res.partner name:char ref:char vat:char is_company:boolean parent_id:many2one/res.partner commercial_partner_id:many2one/res.partner type:selection email:char phone:char street:char city:char country_id:many2one/res.country lang:char user_id:many2one/res.users category_id:many2many/res.partner.category property_payment_term_id:many2one/account.payment.term credit:monetary! debit:monetary! credit_limit:float use_partner_credit_limit:boolean! credit_to_invoice:monetary! total_invoiced:monetary! customer_rank:integer supplier_rank:integer trust:selection active:boolean company_id:many2one/res.company partner_share:boolean comment:html
res.partner.category name:char
account.account code:char name:char account_type:selection non_trade:boolean
account.journal name:char code:char type:selection
account.payment.term name:char early_discount:boolean discount_percentage:float discount_days:integer line_ids:one2many/account.payment.term.line/payment_id
account.payment.term.line payment_id:many2one/account.payment.term value:selection value_amount:float nb_days:integer delay_type:selection days_next_month:char
account.move name:char move_type:selection state:selection payment_state:selection partner_id:many2one/res.partner commercial_partner_id:many2one/res.partner invoice_date:date invoice_date_due:date date:date currency_id:many2one/res.currency company_id:many2one/res.company amount_untaxed:monetary amount_total:monetary amount_residual:monetary amount_total_signed:monetary amount_residual_signed:monetary invoice_payment_term_id:many2one/account.payment.term invoice_origin:char ref:char payment_reference:char reversed_entry_id:many2one/account.move invoice_user_id:many2one/res.users debit_origin_id:many2one/account.move
account.move.line move_id:many2one/account.move move_name:char move_type:selection parent_state:selection partner_id:many2one/res.partner account_id:many2one/account.account account_type:selection company_id:many2one/res.company date:date date_maturity:date currency_id:many2one/res.currency balance:monetary amount_currency:monetary amount_residual:monetary amount_residual_currency:monetary reconciled:boolean matched_debit_ids:one2many/account.partial.reconcile/credit_move_id matched_credit_ids:one2many/account.partial.reconcile/debit_move_id full_reconcile_id:many2one/account.full.reconcile no_followup:boolean payment_id:many2one/account.payment statement_line_id:many2one/account.bank.statement.line name:char ref:char quantity:float price_subtotal:monetary price_total:monetary sale_line_ids:many2many/sale.order.line
account.full.reconcile name:char
account.bank.statement.line name:char
account.partial.reconcile debit_move_id:many2one/account.move.line credit_move_id:many2one/account.move.line amount:monetary debit_amount_currency:monetary credit_amount_currency:monetary debit_currency_id:many2one/res.currency credit_currency_id:many2one/res.currency full_reconcile_id:many2one/account.full.reconcile exchange_move_id:many2one/account.move max_date:date company_id:many2one/res.company
account.payment name:char date:date state:selection payment_type:selection partner_type:selection partner_id:many2one/res.partner amount:monetary currency_id:many2one/res.currency amount_company_currency_signed:monetary journal_id:many2one/account.journal memo:char move_id:many2one/account.move outstanding_account_id:many2one/account.account is_reconciled:boolean is_matched:boolean reconciled_invoice_ids:many2many/account.move! invoice_ids:many2many/account.move company_id:many2one/res.company
sale.order name:char state:selection locked:boolean invoice_status:selection partner_id:many2one/res.partner partner_invoice_id:many2one/res.partner date_order:datetime validity_date:date commitment_date:datetime client_order_ref:char currency_id:many2one/res.currency currency_rate:float pricelist_id:many2one/product.pricelist amount_untaxed:monetary amount_total:monetary amount_to_invoice:monetary! amount_invoiced:monetary! payment_term_id:many2one/account.payment.term opportunity_id:many2one/crm.lead user_id:many2one/res.users company_id:many2one/res.company invoice_ids:many2many/account.move! partner_credit_warning:text! order_line:one2many/sale.order.line/order_id
sale.order.line order_id:many2one/sale.order name:char display_type:selection product_id:many2one/product.product tax_ids:many2many/account.tax product_uom_qty:float qty_delivered:float qty_invoiced:float price_unit:float discount:float price_subtotal:monetary price_total:monetary is_downpayment:boolean invoice_lines:many2many/account.move.line
product.product name:char sale_ok:boolean list_price:float active:boolean
account.payment.register line_ids:many2many/account.move.line payment_date:date amount:monetary currency_id:many2one/res.currency journal_id:many2one/account.journal
crm.lead name:char
mail.activity res_model:char res_model_id:many2one/ir.model res_id:integer res_name:char activity_type_id:many2one/mail.activity.type summary:char note:html date_deadline:date user_id:many2one/res.users state:selection! active:boolean date_done:date feedback:text
mail.activity.type name:char
ir.model model:char name:char
ir.model.fields model_id:many2one/ir.model model:char name:char ttype:selection field_description:char index:boolean copied:boolean related:char store:boolean readonly:boolean selection_ids:text
ir.model.fields.selection field_id:many2one/ir.model.fields value:char name:char sequence:integer
ir.model.data module:char name:char model:char res_id:integer
ir.ui.view name:char model:char inherit_id:many2one/ir.ui.view mode:selection arch:text arch_db:text active:boolean
ir.actions.server name:char model_id:many2one/ir.model state:selection code:text usage:selection webhook_url:char webhook_field_ids:many2many/ir.model.fields base_automation_id:many2one/base.automation
base.automation name:char active:boolean model_id:many2one/ir.model trigger:selection filter_domain:char filter_pre_domain:char trigger_field_ids:many2many/ir.model.fields action_server_ids:one2many/ir.actions.server/base_automation_id
"""

# What a selection may hold, where the sandbox minds.
CHOICES = {
    ("res.partner", "trust"): ("good", "normal", "bad"),
    ("sale.order", "state"): ("draft", "sent", "sale", "cancel"),
    ("account.move", "state"): ("draft", "posted", "cancel"),
}
# Who may not: the bot has no administrator's rights.
FOR_ADMINISTRATORS = {
    "ir.model": ("Models", "Access Rights"),
    "ir.model.fields": ("Fields", "Access Rights"),
    "ir.model.fields.selection": ("Fields Selection", "Access Rights"),
    "ir.model.data": ("Model Data", "Access Rights"),
    "ir.ui.view": ("View", "Access Rights"),
    "ir.actions.server": ("Server Action", "Role / Administrator"),
    "base.automation": ("Automation Rule", "Role / Administrator"),
    "account.payment.register": ("Pay", "Accounting/Invoicing"),
}


@dataclass(frozen=True, slots=True)
class FieldType:
    """One field: its type, where a relation leads, which field there points back, whether it is stored."""

    type: str
    to: str = ""
    back: str = ""
    stored: bool = True


def _parsed() -> dict[str, dict[str, FieldType]]:
    models: dict[str, dict[str, FieldType]] = {}
    for line in _MODELS.split("\n"):
        words = line.split()
        if not words:
            continue
        fields: dict[str, FieldType] = {}
        for word in [*_STAMPS.split(), *words[1:]]:
            name, _, kind = word.partition(":")
            stored = not kind.endswith("!")
            parts = [*kind.rstrip("!").split("/"), "", ""]
            fields[name] = FieldType(parts[0], parts[1], parts[2], stored)
        models[words[0]] = fields
    return models


MODELS = _parsed()
