"""The book: the files of a receivables ledger, their columns, which are required, and what makes a row unique.

Column names are those of the shipped mapping; another export is read by editing the mapping, and by saying in the
settings which columns make its rows unique.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.text import Text


@dataclass(frozen=True, slots=True)
class BookFile:
    """One file (or sheet) of the book. `*` marks a required column in `columns`; `key` makes a row unique.

    Limits and applications may have an `id` of their own, which then makes the row unique.
    """

    stream: str
    title: Text
    fact: str
    columns: str
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in the order in which we write them."""
        return tuple(c.rstrip("*") for c in self.columns.split())

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that must be there."""
        return tuple(c.rstrip("*") for c in self.columns.split() if c.endswith("*"))


BOOK: dict[str, BookFile] = {
    file.stream: file
    for file in (
        BookFile(
            "customers",
            Text("Customers", "客户"),
            "customer",
            "id* name* parent_id tax_id country currency terms segment owner email phone status first_sold_on",
            ("id",),
        ),
        BookFile(
            "limits",
            Text("Credit limits", "信用额度"),
            "limit",
            "id customer_id* kind* amount currency percent valid_from valid_to approved_on condition segment",
            ("customer_id", "kind", "valid_from", "approved_on", "condition", "segment"),
        ),
        BookFile(
            "documents",
            Text("Invoices, notes, bills", "发票、借贷项与票据"),
            "document",
            "id* customer_id* kind* number issued_on* due_on terms currency* amount* base_amount disputed_amount"
            " company order_id voided_on status acceptance",
            ("id",),
        ),
        BookFile(
            "instalments",
            Text("Instalments", "分期"),
            "instalment",
            "document_id* number* due_on* amount* base_amount disputed_amount",
            ("document_id", "number"),
        ),
        BookFile(
            "payments",
            Text("Payments", "收款"),
            "payment",
            "id* customer_id* received_on* currency* amount* base_amount company kind voided_on",
            ("id",),
        ),
        BookFile(
            "applications",
            Text("Applications of payments", "核销"),
            "application",
            "id from_id* to_id* instalment_number amount* from_amount base_amount applied_on* reversed_on",
            ("from_id", "to_id", "instalment_number", "applied_on", "amount"),
        ),
        BookFile(
            "orders",
            Text("Sales orders", "销售订单"),
            "order",
            "id* customer_id* number ordered_on* ship_on currency* amount invoiced_amount delivered_amount terms status"
            " owner priority company",
            ("id",),
        ),
        BookFile(
            "order_lines",
            Text("Order lines", "订单行"),
            "order_line",
            "order_id* line* quantity* quantity_delivered quantity_invoiced quantity_cancelled unit_price* tax_rate"
            " ship_on",
            ("order_id", "line"),
        ),
        BookFile("rates", Text("Exchange rates", "汇率"), "rate", "on* from* to* rate*", ("on", "from", "to")),
        BookFile(
            "promises",
            Text("Promises to pay", "付款承诺"),
            "promise",
            "id* customer_id* document_id made_on* due_on* amount* currency*",
            ("id",),
        ),
        BookFile(
            "financials",
            Text("Financial statements", "财务报表"),
            "financial",
            "customer_id* period_end_on* months* currency* unit audited item* amount*",
            ("customer_id", "period_end_on", "months", "item"),
        ),
        BookFile(
            "events",
            Text("Events", "事件"),
            "event",
            "id* customer_id* on* kind* source* value text ended_on",
            ("id",),
        ),
    )
}
