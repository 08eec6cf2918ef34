"""The kinds of movements, as people read them."""

from __future__ import annotations

from connector.text import Text

KINDS: dict[str, Text] = {
    "document": Text("document", "单据"),
    "payment": Text("payment", "收款"),
    "order": Text("order", "订单"),
    "limit": Text("limit", "额度"),
    "rate": Text("exchange rate", "汇率"),
    "netting": Text("netting", "贷项抵减"),
    "rounding": Text("rounding", "尾差"),
    "unknown": Text("meanwhile", "评估期间"),
}
