"""`holdfast report overdue`: the collector's work list, whom it is worth most to ask first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, OnlyCustomer, Out
from connector.money import rounded, show
from connector.text import Text

if TYPE_CHECKING:
    import datetime as dt

    from connector.credit.worklist import Work
    from jobs.worklist import WorkRow


def register_under(report: typer.Typer) -> None:
    """Adds the command to the group of reports."""

    @report.command("overdue", help=t("Whom to ask for payment first, and why.", "催收工作清单：先催谁、为什么。"))
    def overdue(
        context: typer.Context,
        customer_id: OnlyCustomer = None,
        owner: Annotated[
            str | None, typer.Option("--owner", help=t("Only customers of this person.", "仅该负责人的客户。"))
        ] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from connector.credit.worklist import ordered
        from jobs.worklist import worklist

        cli: Cli = context.obj
        home = cli.config.business.currency
        today = day_in(cli.clock.now(), cli.config.business.time_zone)
        with cli.store.reading() as tx:
            debtors = None
            if customer_id is not None:
                debtor = find(cli, tx, customer_id).debtor
                debtors = [debtor] if debtor is not None else []
            found = worklist(tx, cli.config, cli.policy, cli.clock, today, debtors)
            rows = {row.work.debtor: row for row in found if owner is None or row.first.owner == owner}
        listed = [rows[work.debtor] for work in ordered([row.work for row in rows.values()])]
        answer = {
            "as_of": today.isoformat(),
            "currency": home,
            "customers": [_answer(row, home, today) for row in listed],
        }
        emit(lambda: _table(listed, home, today), answer, form, out)


def _table(rows: list[WorkRow], home: str, today: dt.date) -> Table:
    from connector.cli.contact import KINDS, RESULTS
    from jobs.dun_words import CHANNELS

    table = Table(
        Text("Overdue on {day}, in {currency}", "截至 {day} 的逾期催收清单（{currency}）").fill(
            day=today, currency=home
        ),
        [
            Column("rank", Text("no.", "序号"), right=True),
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=2),
            Column("due_now", Text("to ask for", "可催收"), right=True),
            Column("overdue", Text("overdue", "逾期"), right=True, spare=4),
            Column("oldest_days", Text("days", "最长天数"), right=True),
            Column("level", Text("level", "级别"), right=True),
            Column("broken", Text("broken promises", "违约承诺"), right=True, spare=5),
            Column("promise_on", Text("promised for", "承诺付款日"), spare=3),
            Column("next", Text("next step", "下一步")),
            Column("last", Text("last contact", "最近联系"), spare=6),
            Column("phone", Text("phone", "电话"), spare=7),
            Column("owner", Text("owner", "负责人"), spare=8),
            Column("limitation_on", Text("can be sued until", "诉讼时效至"), spare=9),
        ],
    )
    for rank, row in enumerate(rows, 1):
        work, last = row.work, row.last
        said = None
        if last is not None:
            result = RESULTS.get(last.result or "")
            said = f"{last.on} {say(KINDS[last.kind])}" + (f" {say(result)}" if result else "")
        step = None
        if work.next_step is not None:
            step = f"{work.next_on} {say(CHANNELS[work.next_step.channel])} ({work.next_step.level})"
        table.rows.append(
            {
                "rank": rank,
                "customer_id": row.first.ref,
                "name": row.first.name,
                "due_now": rounded(work.due_now, home),
                "overdue": rounded(work.overdue, home),
                "oldest_days": work.oldest_days,
                "level": work.level,
                "broken": work.broken or None,
                "promise_on": work.promise_on.isoformat() if work.promise_on else None,
                "next": step,
                "last": said,
                "phone": row.first.phone,
                "owner": row.first.owner,
                "limitation_on": work.limitation_on.isoformat() if work.limitation_on else None,
            }
        )
    left_out = sorted({currency for row in rows for currency in row.work.left_out})
    if left_out:
        table.notes.append(
            Text(
                "Amounts in {currencies} have no exchange rate; the figures lack them.",
                "{currencies} 金额缺少汇率，未计入上述数字。",
            ).fill(currencies=", ".join(left_out))
        )
    if not rows:
        table.notes.append(Text("Nothing is overdue.", "没有逾期款项。"))
    return table


def _answer(row: WorkRow, home: str, today: dt.date) -> dict[str, Any]:
    work, first, last = row.work, row.first, row.last
    return {
        "system": first.system,
        "customer_id": first.ref,
        "name": first.name,
        "owner": first.owner,
        "phone": first.phone,
        "email": first.email,
        **_figures(work, home),
        "oldest_overdue_days": work.oldest_days,
        "level": work.level,
        "broken_promises": work.broken,
        "promise_on": _day(work.promise_on),
        "next_step_on": _day(work.next_on),
        "next_step": work.next_step.channel if work.next_step else None,
        "limitation_on": _day(work.limitation_on),
        "without_rate": list(work.left_out),
        "last_contact": {"on": _day(last.on), "kind": last.kind, "result": last.result} if last else None,
        "items": [
            {
                "document_id": debt.document,
                "instalment": debt.part or None,
                "number": debt.number,
                "due_on": _day(debt.due_on),
                "days_overdue": debt.days(today),
                "currency": debt.currency,
                "open": show(debt.open, debt.currency),
                "disputed": show(debt.disputed, debt.currency),
                "level": standing.in_force,
                "since": _day(standing.since),
                "limitation_on": _day(ends),
            }
            for debt, standing, ends in row.items
        ],
    }


def _figures(work: Work, home: str) -> dict[str, str]:
    names = ("overdue", "due_now", "disputed", "promised", "worth")
    return {name: show(getattr(work, name), home) for name in names}


def _day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
