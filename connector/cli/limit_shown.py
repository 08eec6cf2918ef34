"""Limits as tables: the reckoning of a proposal, requests and whom they wait for, the pieces that count today."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.cli.common import Cli, say, t
from connector.cli.output import Column, Table
from connector.cli.words import who
from connector.credit.propose_words import BINDING
from connector.money import show
from connector.text import Text, joined, same
from jobs.limit_words import KINDS, STEPS

if TYPE_CHECKING:
    from connector.credit.limit import Effective
    from connector.store import Connection
    from connector.store.customers import CustomerRow
    from connector.store.limits import Asked
    from jobs.grant import Desk, Outcome
    from jobs.propose import Proposal


def reckoning(one: Proposal, done: Outcome | None) -> tuple[Table, dict[str, Any]]:
    """A proposal step by step, and what became of it."""
    made = one.proposed
    table = Table(
        Text("Limit proposal for {name} ({ref})", "额度建议：{name}（{ref}）").fill(name=one.row.name, ref=one.row.ref),
        [
            Column("step", Text("step", "步骤"), style="bold"),
            Column("text", Text("reckoning", "计算过程")),
            Column("result", Text("result", "结果"), right=True),
        ],
        [{"step": STEPS[s.rule], "text": s.text, "result": Decimal(s.numbers["result"])} for s in made.steps],
        notes=[made.text],
    )
    for number, part in enumerate(made.parts, 1):
        table.notes.append(
            Text("tranche {number}: {amount} ({words})", "第 {number} 期：{amount}（{words}）").fill(
                number=number, amount=f"{made.currency} {part.amount:,f}", words=part.condition or "-"
            )
        )
    if one.person_needed is not None:
        table.notes.append(
            Text("A person has to approve it: {why}.", "须由人工批准：{why}。").fill(why=one.person_needed)
        )
    if done is not None:
        table.notes.append(done.text)
    answer = {
        "system": one.row.system,
        "customer_id": one.row.ref,
        "name": one.row.name,
        "amount": show(made.amount, made.currency),
        "currency": made.currency,
        "current": _shown(made.current, made.currency),
        "binding": made.binding,
        "text": say(made.text),
        "valid_from": made.valid_from.isoformat(),
        "valid_to": made.valid_to.isoformat(),
        "tranches": [{"amount": show(p.amount, made.currency), "condition": p.condition} for p in made.parts],
        "steps": [{"rule": s.rule, "text": say(s.text), "numbers": dict(s.numbers)} for s in made.steps],
        "request": None if done is None else done.asked.number,
        "state": None if done is None else done.stands.state,
    }
    return table, answer


def listing(
    cli: Cli, tx: Connection, desk: Desk, row: CustomerRow | None, everything: bool
) -> tuple[Table, dict[str, Any]]:
    """Requests, newest first: all that wait, or everything of one customer with what counts today."""
    from connector.store import customers, limits
    from jobs import limit_answer
    from jobs.grant import limit_of, outcomes

    if everything:
        asked = limits.requests(tx, keys=None if row is None else [row.key])
    else:
        asked = limits.requests(tx, numbers=limits.standing_at(tx, "proposed", "changed", "approved", "granted"))
    rows = {r.key: r for r in customers.customers(tx, keys=sorted({one.customer for one in asked}))}
    asked.reverse()
    found = list(zip(asked, outcomes(tx, desk, asked), strict=True))
    table = Table(
        Text("Limit requests", "额度申请"),
        [
            Column("number", Text("no.", "编号"), right=True, style="bold"),
            Column("customer_id", Text("customer", "客户")),
            Column("name", Text("name", "名称"), spare=4),
            Column("kind", Text("kind", "类别")),
            Column("currency", Text("cur.", "币种"), spare=2),
            Column("before", Text("before", "原额度"), right=True),
            Column("amount", Text("amount", "金额"), right=True),
            Column("valid_to", Text("until", "至"), spare=5),
            Column("state", Text("state", "状态")),
            Column("by", Text("asked by", "申请人"), spare=3),
            Column("waits_for", Text("waits for", "待批")),
            Column("why", Text("what binds, why", "约束因素、理由"), spare=6),
        ],
        [_row(cli, rows[one.customer], one, done) for one, done in found],
    )
    answer: dict[str, Any] = {"requests": [limit_answer.answer(rows[one.customer], done) for one, done in found]}
    if row is not None:
        now = limit_of(tx, desk, row)
        table.notes += [_counts(now), *now.steps]
        answer["limit"] = {
            "kind": now.kind,
            "amount": _shown(now.amount, now.currency or ""),
            "currency": now.currency,
            "expired": now.expired,
            "steps": [say(step) for step in now.steps],
        }
    if not found:
        table.notes.append(
            Text("No request waits.", "没有待批的申请。") if row is None else Text("No request.", "没有申请。")
        )
    return table, answer


def _counts(now: Effective) -> Text:
    if now.kind == "amount":
        return Text("today: {currency} {amount}", "今日额度：{currency} {amount}").fill(
            currency=now.currency, amount=f"{now.amount:,f}"
        )
    return (
        Text("today: unlimited", "今日：不限额")
        if now.kind == "unlimited"
        else Text("today: no limit", "今日：未设额度")
    )


def _row(cli: Cli, row: CustomerRow, one: Asked, done: Outcome) -> dict[str, Any]:
    from jobs.grant import STATES

    binding = one.body.get("binding")
    said = [BINDING[binding]] if binding in BINDING else []
    said += [same(one.why)] if one.why else []
    unlimited = Text("unlimited", "不限额")
    amount = done.stands.amount_minor
    return {
        "number": one.number,
        "customer_id": row.ref,
        "name": row.name,
        "kind": KINDS[one.request.kind],
        "currency": one.request.currency,
        "before": one.before,
        "amount": unlimited if amount is None else one.request.decimal(amount),
        "valid_to": None if one.request.valid_to is None else one.request.valid_to.isoformat(),
        "state": STATES[done.stands.state],
        "by": who(cli, done.stands.requested_by),
        "waits_for": t(", ", "、").join(p.name or p.id for p in done.others)
        or (say(done.need.text) if done.need and done.stands.state == "open" else ""),
        "why": joined(said, "; ", "；") if said else None,
    }


def _shown(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else show(amount, currency)
