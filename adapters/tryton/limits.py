"""Credit limits written back to Tryton, where its own check reads them.

`credit_limit_amount` is in the company's currency; null means that nothing is checked at all, 0 that nothing is allowed.
A limit in another currency is refused, never converted: an approved amount does not change silently (domain 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.adapter import Outcome, Write
from connector.errors import RejectedError
from connector.text import Text

from . import parties
from .books import Row
from .client import Tryton

FIELD = "credit_limit_amount"


def send(client: Tryton, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Sets limits; values are `credit_limit_amount` (Decimal or None) and, to be safe, its `currency`."""
    if FIELD not in client.fields("party.party", [FIELD]):
        return [Outcome("rejected", w.target, _NO_LIMIT, "unknown_field") for w in writes]

    def change(row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
        currency, amount = values.get("currency"), values.get(FIELD)
        if amount is not None and currency not in (None, client.currency):
            raise RejectedError(
                Text(
                    "The limit is in {theirs}; limits in Tryton are in the company's currency, {ours}.",
                    "该额度的币种为 {theirs}；Tryton 中的额度以公司本位币 {ours} 计。",
                ).fill(theirs=currency, ours=client.currency),
                code="currency",
            )
        return {} if parties.same(row.get(FIELD), amount) else {FIELD: amount}

    return parties.write(client, writes, [FIELD], change)


def current(client: Tryton, targets: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """The limits that stand there now, by customer number."""
    found = parties.current(client, targets, [FIELD])
    return {code: {**values, "currency": client.currency} for code, values in found.items()}


_NO_LIMIT = Text(
    "Limits cannot be written: the module account_credit_limit is not installed, or the user is not in its group.",
    "无法写入额度：未安装模块 account_credit_limit，或该用户不在其用户组中。",
)
