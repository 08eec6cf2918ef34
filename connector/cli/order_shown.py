"""How orders and their holds are shown: the list, one order with reasons, documents, remedies and history, exclusions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from connector.cli.common import Cli, say
from connector.cli.output import Column, Table
from connector.cli.words import rule, who
from connector.money import rounded, show
from connector.text import Text, joined, same
from jobs.order_words import HAPPENED, STATES

if TYPE_CHECKING:
    from connector.credit.decide import OrderDecision
    from connector.credit.exclusion import Exclusion
    from connector.credit.reason import Reason
    from connector.store.order_credit import Happened, Standing
    from connector.store.order_values import OrderRow
    from jobs.judge import Judged


def state_of(standing: Standing | None) -> Text:
    """The state of an order in words."""
    if standing is None:
        return Text("not checked yet", "尚未检查")
    return STATES[standing.state]


def reasons_text(reasons: Sequence[Reason]) -> Text:
    return joined([reason.text for reason in reasons])


# --- the list --------------------------------------------------------------------------------------------------------
def listed(cli: Cli, held_only: bool, debtor: int | None) -> tuple[Table, dict[str, Any]]:
    """All open orders with their states (`held_only`: those that are held), by what waits longest."""
    from connector.clock import day_in
    from jobs.frame import frame
    from jobs.judge import judge

    today = day_in(cli.clock.now(), cli.config.business.time_zone)
    rows: list[dict[str, Any]] = []
    with cli.store.reading() as tx:
        base = frame(tx, cli.config, cli.policy, cli.clock, today)
        for judged in judge(tx, base, None if debtor is None else [debtor]):
            if debtor is not None and judged.debtor != debtor:
                continue
            for row, decision in judged.orders:
                if row.key in judged.rooms and (decision.hold or not held_only):
                    rows.append(_row(judged, row, decision, today))
    rows.sort(key=lambda one: (one["ship_on"] or one["ordered_on"], one["ordered_on"], one["order"]))
    table = Table(
        Text("Held orders on {day}", "{day} 被冻结的订单").fill(day=today)
        if held_only
        else Text("Open orders on {day}", "{day} 执行中的订单").fill(day=today),
        [
            Column("order", Text("order", "订单"), style="bold"),
            Column("customer_id", Text("customer", "客户")),
            Column("name", Text("name", "名称"), spare=2),
            Column("total", Text("total", "金额"), right=True),
            Column("currency", Text("cur.", "币种")),
            Column("ship_on", Text("ships", "发货日"), spare=3),
            Column("days", Text("days", "天数"), right=True, spare=1),
            Column("state", Text("state", "状态")),
            Column("why", Text("why", "原因")),
        ],
        rows,
    )
    if not rows:
        table.notes.append(
            Text("No order is held.", "没有被冻结的订单。")
            if held_only
            else Text("No order is open.", "没有执行中的订单。")
        )
    answer = {"as_of": today.isoformat(), "orders": [_plain(one) for one in rows]}
    return table, answer


def _row(judged: Judged, row: OrderRow, decision: OrderDecision, today: dt.date) -> dict[str, Any]:
    from jobs.order_answer import reason_answer

    standing, first = judged.standings.get(row.key), judged.members[0]
    return {
        "order": row.number or row.ref,
        "id": row.ref,
        "system": row.system,
        "customer_id": first.ref,
        "name": first.name,
        "total": rounded(row.total, row.currency),
        "currency": row.currency,
        "ordered_on": row.ordered_on.isoformat(),
        "ship_on": row.ship_on.isoformat() if row.ship_on else None,
        "days": (today - standing.since).days if standing is not None else None,
        "state": state_of(standing),
        "code": standing.state if standing is not None else None,
        "hold": decision.hold,
        "why": reasons_text(decision.reasons) if decision.reasons else None,
        "reasons": [reason_answer(reason) for reason in decision.reasons],
    }


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in one.items() if k not in ("why", "state", "order")}
    return kept | {"number": one["order"], "state": one["code"], "total": show(one["total"], one["currency"])}


# --- one order -------------------------------------------------------------------------------------------------------
def explained(cli: Cli, wanted: str) -> tuple[Table, dict[str, Any]]:
    """One order: what holds it, with numbers; what would release it; who may; and all that has happened to it."""
    from jobs import order_answer

    with cli.store.reading() as tx:
        one = order_answer.explain(tx, cli.config, cli.policy, cli.clock, wanted)
    answer = order_answer.answer(one)
    row, standing, decision, first = one.row, one.standing, one.decision, one.judged.members[0]
    ways, need, people, history, today = one.ways, one.need, one.people, one.history, one.base.as_of
    lead = [(say(HEAD.fill(order=row.number or row.ref, total=_money(row), name=first.name, ref=first.ref)), "bold")]
    lead.append((say(STATE.fill(state=state_of(standing), since=standing.since if standing else today)), ""))
    if standing is not None and standing.state == "released" and standing.release is not None:
        given = standing.release
        words = RELEASED.fill(
            by=given.by, on=given.on, most=f"{given.currency} {given.max_total:,}", until=given.valid_until
        )
        lead.append((say(words), ""))
    lead += _block(WHY_RELEASED if decision.released else WHY, [r.text for r in decision.reasons])
    lead += _block(ASIDE, [r.text for r in decision.set_aside])
    lead += _block(WARNINGS, [r.text for r in decision.warnings])
    lead += _block(WAYS, [way.text for way in ways])
    if decision.hold:
        nobody = NOBODY if cli.config.people else NOBODY_YET
        names = joined([same(person.name or person.id) for person in people], ", ", "、") if people else nobody
        lead += [("", ""), (say(WHO.fill(need=need.text if need else NOBODY, names=names)), "")]
    lead.append(("", ""))
    table = Table(
        Text("History", "历史"),
        [
            Column("at", Text("when", "时间")),
            Column("what", Text("what", "事项"), style="bold"),
            Column("actor", Text("who", "操作人")),
            Column("total", Text("total", "金额"), right=True),
            Column("why", Text("why", "原因")),
        ],
        [_shown(cli, line) for line in history],
        lead=lead,
    )
    if not history:
        table.notes.append(Text("Nothing has happened to it yet.", "尚无记录。"))
    return table, answer


def _money(row: OrderRow) -> str:
    return f"{row.currency} {rounded(row.total, row.currency):,f}"


def _block(head: Text, texts: Sequence[Text]) -> list[tuple[str, str]]:
    if not texts:
        return []
    return [("", ""), (say(head), ""), *((f"  • {say(text)}", "") for text in texts)]


def _shown(cli: Cli, line: Happened) -> dict[str, Any]:
    body = line.body or {}
    told = [Text(r["en"], r["zh"]) for r in body.get("reasons", ())]
    why: Text | str | None = line.why or (joined(told) if told else None)
    return {
        "at": line.at.astimezone(ZoneInfo(cli.config.business.time_zone)).strftime("%Y-%m-%d %H:%M"),
        "what": HAPPENED.get(line.what, same(line.what)),
        "actor": who(cli, line.actor),
        "total": Decimal(body["total"]) if "total" in body else None,
        "why": why,
    }


HEAD = Text("Order {order} of {total} for {name} ({ref})", "订单 {order}，{total}，客户 {name}（{ref}）")
STATE = Text("State: {state} since {since}", "状态：{state}（自 {since}）")
RELEASED = Text(
    "Released by {by} on {on}: up to {most}, until {until}", "{by} 于 {on} 放行：上限 {most}，有效期至 {until}"
)
WHY = Text("What holds it:", "冻结原因：")
WHY_RELEASED = Text("It would be held, and is released in spite of:", "本应冻结，已放行，原因如下：")
ASIDE = Text("Set aside by an exclusion:", "因例外而不适用：")
WARNINGS = Text("Take note:", "提示：")
WAYS = Text("Each of these alone would release it:", "以下任一措施即可解除冻结：")
WHO = Text("A release needs {need}. Who may now: {names}", "放行须由{need}批准。目前可放行的人员：{names}")
NOBODY = Text("nobody", "无")
NOBODY_YET = Text(
    "nobody is entered yet; `holdfast person add` does it", "尚未登记人员，可用 `holdfast person add` 登记"
)


# --- exclusions ------------------------------------------------------------------------------------------------------
EFFECTS = {
    "release": Text("lets everything pass", "一律放行"),
    "exclude": Text("sets rules aside", "规则不适用"),
    "hold": Text("holds", "冻结"),
}


SCOPES = {
    "order": Text("order", "订单"),
    "customer": Text("customer", "客户"),
    "segment": Text("segment", "客群"),
    "all": Text("everybody", "全部客户"),
}


def _codes(one: Exclusion) -> dict[str, Any]:
    """What programs read instead of words."""
    rules = ", ".join(sorted(one.rules)) or None
    return {"scope": one.scope, "effect": one.effect, "rules": rules, "by": one.by.removeprefix("person:")}


def exclusions_shown(cli: Cli, ended: bool) -> tuple[Table, dict[str, Any]]:
    """All exclusions, newest first."""
    from connector.store import customers, exclusions, order_credit

    with cli.store.reading() as tx:
        found = exclusions.listing(tx, ended=ended)
        names = {
            r.debtor: f"{r.system}/{r.ref}"
            for r in reversed(
                customers.customers(tx, debtors={row.debtor for _, row in found if row.debtor is not None})
            )
        }
        orders = order_credit.orders(tx, {row.sales_order for _, row in found if row.sales_order is not None})
    rows = []
    for one, row in found:
        subject = row.segment or names.get(row.debtor, "")
        if row.sales_order is not None:
            subject = f"{orders[row.sales_order].system}/{orders[row.sales_order].ref}"
        rows.append(
            {
                "number": one.id,
                "scope": SCOPES[one.scope],
                "subject": subject,
                "effect": EFFECTS[one.effect],
                "rules": joined([rule(name) for name in sorted(one.rules)], ", ", "、") if one.rules else None,
                "from": one.valid_from.isoformat() if one.valid_from else None,
                "to": one.valid_to.isoformat() if one.valid_to else None,
                "by": who(cli, one.by),
                "why": one.note,
                "ended": bool(row.ended_at),
            }
        )
    columns = [
        Column("number", Text("no.", "编号"), right=True),
        Column("scope", Text("scope", "范围")),
        Column("subject", Text("for", "对象"), style="bold"),
        Column("effect", Text("effect", "效果")),
        Column("rules", Text("rules", "规则")),
        Column("from", Text("from", "自")),
        Column("to", Text("to", "至")),
        Column("by", Text("by", "操作人")),
        Column("why", Text("why", "原因")),
    ]
    table = Table(Text("Exclusions", "例外"), columns, rows)
    if not rows:
        table.notes.append(Text("There are none.", "没有例外。"))
    answer = {"exclusions": [row | _codes(one) for row, (one, _) in zip(rows, found, strict=True)]}
    return table, answer
