"""`holdfast explain CUSTOMER`: every figure with the documents behind it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import typer

from connector.cli.common import Cli, language, near, say, t
from connector.cli.output import COLOURS, Column, Format, Table, clean, emit
from connector.cli.report import LEVELS, AsOf, Customer, Form, Out, bucket_name
from connector.credit.warn_words import NAMES
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.ageing import OpenItem
    from connector.policy import Policy
    from connector.store import Connection
    from connector.store.customers import CustomerRow
    from jobs.customer_answer import Shown
    from jobs.judge import Judged

KINDS = {
    "invoice": Text("invoice", "发票"),
    "debit_note": Text("debit note", "借项凭证"),
    "credit_note": Text("credit note", "贷项凭证"),
    "bill_of_exchange": Text("bill of exchange", "汇票"),
    "receipt": Text("receipt", "收款"),
    "refund": Text("refund", "退款"),
    "write_off": Text("write-off", "坏账核销"),
}
STATUSES = {
    "draft": Text("draft", "草稿"),
    "open": Text("open", "执行中"),
    "closed": Text("closed", "已关闭"),
    "cancelled": Text("cancelled", "已取消"),
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
        customer_id: Customer,
        as_of: AsOf = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        table, answer = customer_table(cli, customer_id, as_of.date() if as_of else None)
        emit(table, answer, form, out)


def find(cli: Cli, tx: Connection, wanted: str) -> CustomerRow:
    """The ERP customer with this id, else the only one whose name holds these words. ConfigError otherwise."""
    from connector.store import customers

    erps = [s.name for s in cli.config.with_role("erp")]
    rows = [r for r in customers.customers(tx, systems=erps) if r.known] if erps else []
    system, _, ref = wanted.partition("/")
    exact = [r for r in rows if r.ref == wanted or (r.system, r.ref) == (system, ref)]
    words = wanted.casefold()
    some = exact or [r for r in rows if r.name and words in r.name.casefold()]
    if len(some) == 1:
        return some[0]
    if not rows:
        raise ConfigError(Text("There are no customers yet: holdfast run", "还没有客户：请先执行 holdfast run"))
    if not some:
        like = near(wanted, [r.ref for r in rows[:5000]])
        raise ConfigError(
            Text(
                "There is no customer “{wanted}”. {near}holdfast report positions lists all.",
                "没有客户“{wanted}”。{near}holdfast report positions 可列出全部客户。",
            ).fill(
                wanted=wanted,
                near=Text("Near: {near}. ", "相近：{near}。").fill(near=like),
            )
        )
    raise ConfigError(
        Text(
            "“{wanted}” fits {count} customers; name one by its id:\n{refs}",
            "“{wanted}”对应 {count} 个客户，请用编号指定：\n{refs}",
        ).fill(
            wanted=wanted,
            count=len(some),
            refs="\n".join(f"  {r.system}/{r.ref}  {clean(r.name or '')}" for r in some[:8])
            + ("\n  …" if len(some) > 8 else ""),
        )
    )


def customer_table(cli: Cli, wanted: str, as_of: dt.date | None) -> tuple[Table, dict[str, Any]]:
    """The open items of a customer as a table, and everything about it as an answer."""
    from jobs.customer_answer import on_day

    with cli.store.reading() as tx:
        one = on_day(tx, cli.config, cli.policy, cli.clock, find(cli, tx, wanted), as_of)
    return _told(one, cli.policy)


def told(
    judged: Judged,
    row: CustomerRow,
    items: list[OpenItem],
    linked: Sequence[CustomerRow],
    day: dt.date,
    policy: Policy,
) -> tuple[Table, dict[str, Any]]:
    """A conclusion with every figure and the open items behind it, as a table and as an answer."""
    from jobs.customer_answer import Shown

    return _told(Shown(row, judged, items, linked, day), policy)


def _told(one: Shown, policy: Policy) -> tuple[Table, dict[str, Any]]:
    from jobs.customer_answer import answer

    made = answer(one, policy, language())
    return _table(made, one.items, one.day), made


def _table(answer: dict[str, Any], items: Sequence[OpenItem], day: dt.date) -> Table:
    table = Table(
        Text("Open items", "未清项"),
        [
            Column("number", Text("document", "单据"), style="bold"),
            Column("kind", Text("kind", "类型")),
            Column("issued_on", Text("issued", "日期")),
            Column("due_on", Text("due", "到期日")),
            Column("days", Text("days late", "逾期天数"), right=True, spare=1),
            Column("bucket", Text("bucket", "账龄段")),
            Column("currency", Text("cur.", "币种")),
            Column("open", Text("open", "未清金额"), right=True),
        ],
        lead=[*_lead(answer), ("", "")],
    )
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for item, shown in zip(items, answer["items"], strict=True):
        sums[item.currency] += item.amount
        table.rows.append(
            {
                "number": item.number or item.ref,
                "kind": KINDS.get(item.kind, Text(item.kind, item.kind)),
                "issued_on": shown["issued_on"],
                "due_on": shown["due_on"],
                "days": shown["days_overdue"] or None,
                "bucket": bucket_name(shown["bucket"]) if shown["bucket"] else Text("unapplied", "未核销"),
                "currency": item.currency,
                "open": item.amount,
            }
        )
    table.totals = [
        {"number": t("Total", "合计"), "currency": currency, "open": amount}
        for currency, amount in sorted(sums.items())
    ]
    if not items:
        table.notes.append(Text("Nothing is open.", "没有未清项。"))
    if answer["orders"]:
        table.more.append(_orders(answer))
    return table


def _orders(answer: dict[str, Any]) -> Table:
    return Table(
        Text("Orders", "订单"),
        [
            Column("order", Text("order", "订单"), style="bold"),
            Column("system", Text("in", "系统")),
            Column("status", Text("status", "状态")),
            Column("currency", Text("cur.", "币种")),
            Column("total", Text("total", "订单金额"), right=True, spare=1),
            Column("open", Text("still open", "未结金额"), right=True),
            Column("hold", Text("held", "冻结")),
            Column("why", Text("why", "原因")),
        ],
        [
            {
                "order": o["number"] or o["id"],
                "system": o["system"],
                "status": STATUSES.get(o["status"], Text(o["status"], o["status"])),
                "currency": o["currency"],
                "total": Decimal(o["total"]),
                "open": Decimal(o["open"]),
                "hold": o["hold"],
                "why": t("; ", "；").join(o["reasons"]) if o["hold"] else None,
            }
            for o in answer["orders"]
        ],
    )


def _lead(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Who it is, what was concluded and why, and how the exposure and the limit come about."""
    tongue = t("en", "zh")
    yield f"{answer['customer_id']}  {clean(answer['name'] or '')}", "bold"
    held = t("HELD", "已冻结") if answer["hold"] else t("not held", "未冻结")
    level = say(LEVELS[answer["warning_level"]])
    style = COLOURS.get(level, "")
    yield f"● {level} · {held}{_graded(answer)} · {t('as of', '截至')} {answer['as_of']}", style
    yield "", ""
    for reason in answer["reasons"]:
        yield f"  ✗ {clean(reason[tongue])}", ""
    yield from warnings_lead(answer["indicators"])
    if answer["reasons"] or answer["indicators"]:
        yield "", ""
    yield from _figures(answer)
    if answer["linked"]:
        names = t(", ", "、").join(f"{r['system']}/{r['id']}" for r in answer["linked"])
        yield "", ""
        yield f"  {t('Known as', '各系统中')}{t(': ', '：')}{clean(names)}", ""


def _graded(answer: dict[str, Any]) -> str:
    """The grade and the score behind it, where there are any."""
    if answer["grade"] is None:
        return ""
    points = f" ({Decimal(answer['score']):f})" if answer["score"] is not None else ""
    return t(f" · grade {answer['grade']}{points}", f" · 等级 {answer['grade']}{points}")


def warnings_lead(indicators: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The indicators of early warning, the highest first; those of which nothing is known in one line."""
    tongue = t("en", "zh")
    ranks = list(LEVELS)
    known = [one for one in indicators if one["level"] != "green" or (one["known"] and one["applies"])]
    for one in sorted(known, key=lambda one: -ranks.index(one["level"])):
        style = COLOURS.get(say(LEVELS[one["level"]]), "") if one["level"] != "green" else ""
        yield f"  {'●' if style else '·'} {clean(one[tongue])}", style
    unknown = [say(NAMES[one["name"]]) for one in indicators if one["level"] == "green" and not one["known"]]
    if unknown:
        yield f"  {t('not known: ', '未知：')}{t(', ', '、').join(unknown)}", "dim"


def _figures(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The exposure, part by part, and the limit, step by step; amounts under one another."""
    from connector.cli.drawing import cell_len, padded

    words = {"none": t("none", "无"), "unlimited": t("unlimited", "不限额")}
    limit = answer["limit"]
    rows = [
        (say(title), grouped(value), "bold" if key == "total" else "")
        for key, title in COMPONENTS.items()
        if (value := answer["exposure"].get(key)) is not None and (key == "total" or Decimal(value))
    ]
    granted = grouped(limit["amount"]) if limit.get("amount") is not None else words.get(limit["kind"], "?")
    rows.append((t("limit", "额度"), granted, "bold"))
    notes: dict[int, list[str]] = {len(rows): [clean(step[t("en", "zh")]) for step in answer["limit_steps"]]}
    if answer["available"] is not None:
        rows.append((t("available", "可用额度"), grouped(answer["available"]), "bold"))
        alone = Decimal(limit.get("amount") or 0) - Decimal(answer["exposure"]["total"])
        if limit.get("amount") is None or Decimal(answer["available"]) != alone:
            why = t(
                "what the group above, or the customer's other accounts, leave",
                "受所属集团额度或该客户其他账户占用的限制",
            )
            if any(reason["rule"] == "stop_credit" for reason in answer["reasons"]):
                why = t("credit is stopped: nothing of the limit can be used", "已停止授信，额度不可使用")
            notes[len(rows)] = [why]
    if answer["utilisation"] is not None:
        share = (Decimal(answer["utilisation"]) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
        rows.append((t("used", "使用率"), f"{share:,f}%", ""))
    left = max(cell_len(name) for name, _, _ in rows)
    right = max(cell_len(value) for _, value, _ in rows)
    for at, (name, value, style) in enumerate(rows, start=1):
        unit = "   " if value.endswith("%") or value in words.values() else answer["currency"]
        yield f"  {padded(name, left)}  {unit} {padded(value, right, right=True)}", style
        for note in notes.get(at, ()):
            yield f"      {note}", "dim"


def grouped(amount: str) -> str:
    """An amount of the outside contract for people: thousands grouped, decimals as they are."""
    return f"{Decimal(amount):,f}"
