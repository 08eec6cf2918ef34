"""Credit hold of single orders: a rule on the confirm button that names them, and a note on each with the reason.

The rule of `ir.model.button.rule` is made once by provisioning; its condition is a list of orders, which is all that we
ever change. A salesperson's *Confirm* of an order on the list does nothing and the order stays a quotation; a click of
somebody in the credit limit group confirms it. The order itself is not touched. Tryton shows no text at the button, so
that reason and way out stand in a note on the order, which Tryton shows as unread to everybody (seen on 8.2.1).

Values: `hold` and `hold_reason` are the note, `stop` (beside the mapping) is the rule; `released` says that the order goes
on although its customer is held, for which the customers' own rule names it as one to be let go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from connector.adapter import Change, Outcome, Write
from connector.errors import RejectedError
from connector.text import Text

from . import holds, notes
from .books import Row
from .client import Tryton
from .values import instant

BUTTON = ("sale.sale", "confirm")
STOP, RELEASED = "stop", "released"
_MARK = "Holdfast: order hold"
_LIFTED = Text("The credit hold of this order is lifted.", "该订单的信用冻结已解除。")
_RELEASED = Text(
    "Credit: this order is released, although the customer is on hold.", "信用：客户虽被冻结，但该订单已获放行。"
)
_HELD = Text("Credit hold: this order cannot be confirmed.", "信用冻结：该订单不能确认。")


# --- the rule ----------------------------------------------------------------------------------------------------------
def condition(orders: Sequence[int]) -> str:
    """The rule's condition in PYSON: the order is one of these."""
    return json.dumps(holds.among(orders))


def _named(written: str | None) -> list[int] | None:
    try:
        return holds.named(json.loads(written or "null"))
    except ValueError:
        return None


def rule(client: Tryton) -> tuple[Row, list[int]] | None:
    """The rule on the confirm button that names orders, with the orders; None where there is none that may be read."""
    if not client.can_read("ir.model.button.rule"):
        return None
    model, name = BUTTON
    found = client.rows(
        "ir.model.button.rule",
        [["button.model", "=", model], ["button.name", "=", name]],
        ["condition", "group.name", "number_user", "button"],
    )
    for row in found:
        if (orders := _named(row["condition"])) is not None:
            return row, orders
    return None


# --- writing -----------------------------------------------------------------------------------------------------------
def send(client: Tryton, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Holds and releases orders, by their ids. The rule is changed before the notes speak of it."""
    known = _sales(client, [w.target for w in writes])
    refused = _stop(client, [w for w in writes if w.target in known])
    there = _notes(client, list(known.values()))
    outcomes: list[Outcome | None] = []
    new: dict[int, dict[str, str]] = {}
    old: dict[int, list[int]] = {}
    for place, write in enumerate(writes):
        outcomes.append(None)
        if write.target not in known:
            why = Text("Tryton has no sales order with the id {id}.", "Tryton 中没有 ID 为 {id} 的销售订单。")
            outcomes[place] = Outcome("rejected", write.target, why.fill(id=write.target), "unknown_order")
        elif refused is not None and {STOP, RELEASED} & write.values.keys():
            outcomes[place] = Outcome("rejected", write.target, refused, "rule")
        else:
            before = there.get(known[write.target], [])
            message = _message(client, write, before)
            if message is not None:
                new[place] = {"resource": f"sale.sale,{write.target}", "message": message}
                old[place] = [int(row["id"]) for row in before]
    made = dict(zip(new, notes.create(client, list(new.values())), strict=True))
    # A new note is unread for everybody; the former one goes, so that an order never shows two.
    gone = [note for place, outcome in made.items() if outcome.state == "done" for note in old[place]]
    if gone:
        client.call("model.ir.note.delete", gone, safe=False)
    outcomes = [made.get(place, outcome) for place, outcome in enumerate(outcomes)]
    return [
        replace(outcome, remote_id=write.target) if outcome is not None else Outcome("done", write.target)
        for write, outcome in zip(writes, outcomes, strict=True)
    ]


def _sales(client: Tryton, targets: Sequence[str]) -> dict[str, int]:
    ids = [int(t) for t in targets if t.isdecimal()]
    return {str(r["id"]): int(r["id"]) for r in client.rows_of("sale.sale", "id", ids, ["id"])}


def _stop(client: Tryton, writes: Sequence[Write]) -> Text | None:
    """Puts orders on the rules' lists and takes them off; says why that could not be done.

    The rule of single orders names those that are held, that of customers those that are let go all the same.
    """
    stop = {int(w.target): bool(w.values[STOP]) for w in writes if STOP in w.values}
    there = rule(client) if stop else None
    if there is None and any(stop.values()):
        return _NO_RULE
    if there is not None and (wrong := _listed(client, there[0], there[1], stop, condition)) is not None:
        return wrong
    released = {int(w.target): bool(w.values[RELEASED]) for w in writes if RELEASED in w.values}
    held = holds.category(client)
    if not released or held is None:
        return None
    for row in holds.rules(client):
        if json.loads(row["condition"]) != json.loads(holds.condition(held, row["released"])):
            if any(released.values()):
                return _ANOTHERS
            continue
        wrong = _listed(client, row, row["released"], released, partial(holds.condition, held))
        if wrong is not None:
            return wrong
    return None


def _listed(
    client: Tryton,
    row: Row,
    before: Sequence[int],
    wanted: Mapping[int, bool],
    said: Callable[[list[int]], str],
) -> Text | None:
    on, off = {o for o, stands in wanted.items() if stands}, {o for o, stands in wanted.items() if not stands}
    after = ({*before} | on) - off
    if after == set(before):
        return None
    try:
        client.call("model.ir.model.button.rule.write", [row["id"]], {"condition": said(sorted(after))})
    except RejectedError as wrong:
        return _NOT_OURS.fill(why=wrong.user)
    return None


def _notes(client: Tryton, orders: Sequence[int]) -> dict[int, list[Row]]:
    """Our notes on orders, oldest first."""
    found: dict[int, list[Row]] = {}
    named = [f"sale.sale,{o}" for o in orders]
    if not named:
        return found
    for row in client.rows("ir.note", [["resource", "in", named], ["message", "like", f"%{_MARK}"]], _NOTE):
        found.setdefault(int(str(row["resource"]).partition(",")[2]), []).append(row)
    return found


_NOTE = ["resource", "message", "create_date"]


def _message(client: Tryton, write: Write, there: Sequence[Row]) -> str | None:
    """The text of a new note, None where none is needed."""
    held, reason = write.values.get("hold"), str(write.values.get("hold_reason") or "")
    released = bool(write.values.get(RELEASED)) and not held
    if not released and (held is None or (not held and not there)):
        return None  # a person has taken the note off, or there never was one
    head = (_RELEASED if released else _HELD if held else _LIFTED).say(client.connection.language)
    message = "\n\n".join(part for part in (head, reason if held else "", _MARK) if part)
    return None if there and there[-1]["message"] == message else message


# --- reading back --------------------------------------------------------------------------------------------------------
def current(client: Tryton, targets: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """What holds these orders now."""
    known, there = _sales(client, targets), rule(client)
    named = set(there[1]) if there is not None else set()
    let_go = {order for row in holds.rules(client) for order in row["released"]}
    said = _notes(client, list(known.values()))
    found = {}
    for target, order in known.items():
        message = said[order][-1]["message"] if order in said else ""
        held, reason = _said(message)
        found[target] = {"hold": held, "hold_reason": reason, STOP: order in named, RELEASED: order in let_go}
    return found


def _said(message: str) -> tuple[bool, str | None]:
    """What a note of ours says: whether it holds, and why."""
    head, *rest = message.split("\n\n")
    if head not in (_HELD.en, _HELD.zh):
        return False, None
    return True, "\n\n".join(rest[:-1]) or None


def changes(client: Tryton, targets: Sequence[str]) -> Mapping[str, Change]:
    """Who last changed the rule, as far as the user may see it: orders themselves are not touched by a hold."""
    there = rule(client)
    if there is None:
        return {}
    row = client.rows("ir.model.button.rule", [["id", "=", there[0]["id"]]], ["write_uid.rec_name", "write_date"])[0]
    who, at = row.get("write_uid"), row.get("write_date")
    change = Change(str(who["rec_name"]) if isinstance(who, dict) else "", instant(at) if at else None)
    return dict.fromkeys(targets, change)


_NO_RULE = Text(
    "Tryton has no rule on the orders' confirm button that names held orders. Run `holdfast provision`.",
    "Tryton 的订单“确认”按钮上没有列出被冻结订单的规则。请运行 `holdfast provision`。",
)
_ANOTHERS = Text(
    "The rule for customers on hold has a condition of somebody's own, so that no order can be let go by it. Let "
    "`holdfast provision` make one: delete it first.",
    "针对冻结客户的规则使用了自定义条件，无法据此放行订单。请先删除该规则，再由 `holdfast provision` 创建。",
)
_NOT_OURS = Text(
    "Tryton does not let us change the rule on the confirm button: {why}",
    "Tryton 不允许修改“确认”按钮上的规则：{why}",
)
