"""`holdfast explain CUSTOMER`: every figure with the documents behind it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, console, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import LEVELS, AsOf, Form, Out
from connector.errors import ConfigError
from connector.money import show
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.ageing import OpenItem
    from connector.store import Connection
    from connector.store.customers import CustomerRow
    from jobs.judge import Judged

KINDS = {
    "invoice": Text("invoice", "发票"),
    "debit_note": Text("debit note", "借项凭证"),
    "credit_note": Text("credit note", "贷项凭证"),
    "bill_of_exchange": Text("bill of exchange", "汇票"),
    "receipt": Text("receipt", "收款"),
    "refund": Text("refund", "退款"),
    "write_off": Text("write-off", "核销"),
}
COMPONENTS = {
    "open_receivables": Text("open receivables", "应收账款"),
    "unapplied_cash": Text("unapplied cash", "预收／未核销收款"),
    "unapplied_credit_notes": Text("unapplied credit notes", "未核销贷项"),
    "delivered_not_invoiced": Text("delivered not invoiced", "已发货未开票"),
    "ordered_not_delivered": Text("ordered not delivered", "未发货订单"),
    "bills": Text("bills in hand", "应收票据"),
    "drafts": Text("draft invoices", "未过账发票"),
    "total": Text("exposure", "信用占用"),
}


def register(app: typer.Typer) -> None:
    @app.command(
        "explain", help=t("Every figure of a customer with the documents behind it.", "客户每个数字及其背后的单据。")
    )
    def command(
        context: typer.Context,
        customer_id: Annotated[
            str, typer.Argument(help=t("Its id in the ERP, or part of its name.", "ERP 中的编号，或名称的一部分。"))
        ],
        as_of: AsOf = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        table, answer = customer_table(cli, customer_id, as_of.date() if as_of else None)
        if form is Format.table:
            _head(answer)
        emit(table, answer, form, out)


def find(cli: Cli, tx: Connection, wanted: str) -> CustomerRow:
    """The ERP customer with this id, else the only one whose name holds these words. ConfigError otherwise."""
    from connector.adapter import nearest
    from connector.store import customers

    erps = [s.name for s in cli.config.with_role("erp")]
    rows = [r for r in customers.customers(tx, systems=erps) if r.known] if erps else []
    exact = [r for r in rows if r.ref == wanted]
    some = exact or [r for r in rows if r.name and wanted.casefold() in r.name.casefold()]
    if len(some) == 1:
        return some[0]
    if not some:
        near = nearest(wanted, [r.ref for r in rows][:5000]) if len(rows) < 5000 else "…"
        raise ConfigError(
            Text("There is no customer “{wanted}”. Near: {near}.", "没有客户“{wanted}”。相近：{near}。").fill(
                wanted=wanted, near=near[:200] or "-"
            )
        )
    raise ConfigError(
        Text("“{wanted}” fits {count} customers: {refs}.", "“{wanted}”对应 {count} 个客户：{refs}。").fill(
            wanted=wanted, count=len(some), refs=", ".join(f"{r.ref} {r.name}" for r in some[:8])
        )
    )


def customer_table(cli: Cli, wanted: str, as_of: dt.date | None) -> tuple[Table, dict[str, Any]]:
    """The open items of a customer as a table, and everything about it as an answer."""
    from connector.clock import day_in
    from connector.credit.ageing import bucket
    from connector.credit.answer import as_answer
    from connector.store import customers, positions
    from jobs.judge import frame, judge
    from jobs.words import reasons_text

    day = as_of or day_in(cli.clock.now(), cli.config.business.time_zone)
    with cli.store.reading() as tx:
        row = find(cli, tx, wanted)
        base = frame(tx, cli.config, cli.policy, cli.clock, day)
        judged: Judged = next(
            j for j in judge(tx, base, [row.debtor] if row.debtor is not None else []) if row.key in j.own
        )
        items: list[OpenItem] = positions.open_items(tx, [row.key], day)
        linked = [r for r in customers.customers(tx, debtors=[judged.debtor]) if r.known]
    edges, basis = cli.policy.ageing.edges(), cli.policy.ageing.basis
    own = judged.own[row.key]
    answer = as_answer(own, judged.decision, row.ref, row.system)
    answer |= {
        "name": row.name,
        "as_of": day.isoformat(),
        "linked": [{"system": r.system, "id": r.ref, "name": r.name} for r in linked],
        "limit_steps": [{"en": s.en, "zh": s.zh} for s in own.limit.steps],
        "indicators": [
            {"name": i.name, "level": i.level, "en": i.text.en, "zh": i.text.zh}
            for i in judged.decision.indicators
            if i.value is not None
        ],
        "why": say(reasons_text(judged.decision.reasons)),
        "items": [
            {
                "id": i.ref,
                "number": i.number,
                "kind": i.kind,
                "issued_on": i.issued_on.isoformat(),
                "due_on": i.due_on.isoformat() if i.due_on else None,
                "days_overdue": max(0, (day - (i.due_on or i.issued_on)).days) if i.amount > 0 else None,
                "currency": i.currency,
                "open": show(i.amount, i.currency),
                "disputed": show(i.disputed, i.currency) if i.disputed else None,
                "bucket": bucket(_from(i, basis), day, edges, basis) if i.amount > 0 else None,
            }
            for i in items
        ],
        "orders": [
            {
                "system": o.system,
                "id": o.ref,
                "number": o.number,
                "status": o.status,
                "total": show(o.total, o.currency),
                "open": show(o.open_value, o.currency),
                "currency": o.currency,
                "hold": checked.hold,
                "reasons": [say(r.text) for r in checked.reasons],
            }
            for o, checked in judged.orders
        ],
    }
    return _table(answer, items, day), answer


def _from(item: OpenItem, basis: str) -> dt.date:
    return item.issued_on if basis != "due" or item.due_on is None else item.due_on


def _table(answer: dict[str, Any], items: list[OpenItem], day: dt.date) -> Table:
    table = Table(
        Text("Open items", "未清项"),
        [
            Column("number", Text("document", "单据"), style="bold"),
            Column("kind", Text("kind", "类型")),
            Column("issued_on", Text("issued", "日期")),
            Column("due_on", Text("due", "到期日")),
            Column("days", Text("days overdue", "逾期天数"), right=True),
            Column("bucket", Text("bucket", "账龄段")),
            Column("currency", Text("cur.", "币种")),
            Column("open", Text("open", "未清金额"), right=True),
        ],
    )
    for item, shown in zip(items, answer["items"], strict=True):
        table.rows.append(
            {
                "number": item.number or item.ref,
                "kind": KINDS.get(item.kind, Text(item.kind, item.kind)),
                "issued_on": shown["issued_on"],
                "due_on": shown["due_on"],
                "days": shown["days_overdue"] or None,
                "bucket": shown["bucket"] or t("unapplied", "未核销"),
                "currency": item.currency,
                "open": item.amount,
            }
        )
    if not items:
        table.notes.append(Text("Nothing is open.", "没有未清项。"))
    return table


def _head(answer: dict[str, Any]) -> None:
    out = console()
    currency = answer["currency"]
    out.print(f"\n{answer['customer_id']}  {answer['name']}", style="bold", markup=False)
    held = t("HELD", "已冻结") if answer["hold"] else t("not held", "未冻结")
    level = say(LEVELS[answer["warning_level"]])
    out.print(f"{level} · {held} · {t('as of', '截至')} {answer['as_of']}\n", markup=False)
    for reason in answer["reasons"]:
        out.print(f"  ✗ {reason[t('en', 'zh')]}", markup=False)
    for indicator in answer["indicators"]:
        out.print(f"  · {indicator[t('en', 'zh')]}", markup=False)
    out.print()
    for key, title in COMPONENTS.items():
        value = answer["exposure"].get(key)
        if value is not None and (key == "total" or float_free_nonzero(value)):
            out.print(f"  {say(title):<28}{currency} {value:>18}", style="bold" if key == "total" else "", markup=False)
    limit = answer["limit"]
    words = {"none": t("none", "无"), "unlimited": t("unlimited", "不限额")}
    shown = limit.get("amount") or words.get(limit["kind"], "?")
    out.print(f"  {t('limit', '额度'):<28}{currency} {shown:>18}", markup=False)
    for step in answer["limit_steps"]:
        out.print(f"      {step[t('en', 'zh')]}", markup=False)
    if answer["available"] is not None:
        out.print(f"  {t('available', '可用额度'):<28}{currency} {answer['available']:>18}", markup=False)
    if answer["linked"]:
        names = ", ".join(f"{r['system']} {r['id']}" for r in answer["linked"])
        out.print(f"  {t('is', '对应')}: {names}", markup=False)
    held_orders = [o for o in answer["orders"] if o["hold"]]
    for order in held_orders:
        out.print(
            f"  ✗ {t('order', '订单')} {order['number'] or order['id']} ({order['system']}, {order['currency']} "
            f"{order['total']}): {'; '.join(order['reasons'])}",
            markup=False,
        )


def float_free_nonzero(value: str) -> bool:
    """Whether a shown amount is other than zero."""
    return value.strip("-0.") != ""
