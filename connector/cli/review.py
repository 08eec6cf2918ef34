"""`holdfast review`: which customers are to be looked at and by when, and the look itself, from beginning to decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Customer, Form, Out
from connector.credit.review import CONCLUSIONS
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.store import Connection
    from connector.store.customers import CustomerRow
    from connector.store.reviews import ReviewRow
    from jobs.review_decide import Desk

STATES = {
    "planned": Text("planned", "待复评"),
    "started": Text("begun", "进行中"),
    "proposed": Text("waits for approval", "待审批"),
    "done": Text("done", "已完成"),
}


def register(app: typer.Typer) -> None:
    review = typer.Typer(
        help=t("Periodic reviews: due, begun, decided.", "定期复评：到期、进行与结论。"), no_args_is_help=True
    )
    app.add_typer(review, name="review")

    @review.command(
        "list", help=t("Reviews that are not finished, the most urgent first.", "未完成的复评，最紧急者在前。")
    )
    def listed(
        context: typer.Context,
        within: Annotated[
            int | None, typer.Option("--within", min=0, help=t("Due within so many days.", "多少天内到期。"))
        ] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        table, answer = _list(cli, within)
        emit(table, answer, form, out)

    @review.command(
        "show",
        help=t("A customer's open review, its checklist and those before.", "客户当前复评、检查清单及历次复评。"),
    )
    def show(context: typer.Context, customer_id: Customer, form: Form = Format.table, out: Out = None) -> None:
        from connector.cli.explain import find

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            row = find(cli, tx, customer_id)
            table, answer = _shown(tx, _desk(cli), row)
        emit(table, answer, form, out)

    @review.command(
        "start",
        help=t("Begin a review: everything known is kept as you see it now.", "开始复评：固化当前全部资料快照。"),
    )
    def start(context: typer.Context, customer_id: Customer, actor: As = None) -> None:
        from jobs import review_decide

        cli, row = _customer(context, customer_id)
        one = review_decide.start(_desk(cli), row, cli.acting(actor))
        typer.echo(say(STARTED.fill(no=row.ref, name=row.name, number=one.id, sha=(one.snapshot_sha or "")[:12])))
        for point in cli.policy.of(row.segment).review.check:
            mark = t("required", "必答") if point.required else t("optional", "选答")
            typer.echo(f"  --check {point.id}=…   {say(point.text)} ({mark})")

    @review.command("decide", help=t("Conclude a review that you began.", "对本人开始的复评作出结论。"))
    def decide(
        context: typer.Context,
        customer_id: Customer,
        conclusion: Annotated[
            str, typer.Argument(help=t("keep, raise, cut or stop.", "keep 维持、raise 调增、cut 调减、stop 停止。"))
        ],
        because: Annotated[str, typer.Option("--because", "--why", help=t("Why.", "理由。"))] = "",
        check: Annotated[
            list[str] | None,
            typer.Option(
                "--check", metavar="ID=WORDS", help=t("The answer to a point of the checklist.", "检查项的回答。")
            ),
        ] = None,
        limit: Annotated[str | None, typer.Option("--limit", help=t("The new limit.", "新额度。"))] = None,
        currency: Annotated[
            str | None,
            typer.Option("--currency", help=t("Of the limit; else the customer's.", "额度币种；缺省为客户币种。")),
        ] = None,
        actor: As = None,
    ) -> None:
        from connector.money import parse
        from jobs import review_decide
        from jobs.review_follow import follow

        cli, row = _customer(context, customer_id)
        if conclusion not in CONCLUSIONS:
            raise ConfigError(Text("One of: keep, raise, cut, stop.", "可选：keep、raise、cut、stop。"))
        answers = dict(part.partition("=")[::2] for part in check or [])
        try:
            amount = parse(limit) if limit is not None else None
        except ValueError as wrong:
            raise ConfigError(
                Text("--limit is not an amount: {given}", "--limit 不是金额：{given}").fill(given=limit)
            ) from wrong
        desk = _desk(cli)
        one = review_decide.conclude(
            desk,
            row,
            cli.acting(actor),
            conclusion,  # type: ignore[arg-type]  # looked up above
            because,
            answers,
            amount,
            currency,
            follow(desk),
        )
        _tell(cli, row, one)

    @review.command("approve", help=t("Agree to what the reviewer concludes.", "同意复评结论。"))
    def approve(context: typer.Context, customer_id: Customer, actor: As = None) -> None:
        from jobs import review_decide
        from jobs.review_follow import follow

        cli, row = _customer(context, customer_id)
        desk = _desk(cli)
        _tell(cli, row, review_decide.approve(desk, row, cli.acting(actor), follow(desk)))

    @review.command("return", help=t("Give a conclusion back to the reviewer.", "退回复评结论。"))
    def back(
        context: typer.Context,
        customer_id: Customer,
        because: Annotated[str, typer.Option("--because", "--why", help=t("Why.", "理由。"))],
        actor: As = None,
    ) -> None:
        from jobs import review_decide

        cli, row = _customer(context, customer_id)
        one = review_decide.send_back(_desk(cli), row, cli.acting(actor), because)
        typer.echo(say(RETURNED.fill(reviewer=one.reviewer)))


STARTED = Text(
    "Review {number} of {no} {name} is begun; snapshot {sha}…\nWhen done: holdfast review decide {no} keep|raise|cut|stop --because … with",
    "{no} {name} 的复评（编号 {number}）已开始，快照 {sha}…\n完成后执行：holdfast review decide {no} keep|raise|cut|stop --because …，并填写",
)
RETURNED = Text("Given back to {reviewer}.", "已退回给 {reviewer}。")
DONE = Text(
    "Finished: {conclusion}. The next review follows from it.", "复评完成：{conclusion}。下次复评日期将据此安排。"
)
ASKED = Text(
    "The new limit was asked for; whether it is in force yet: holdfast limit list",
    "已提出新额度申请；是否已生效请查看：holdfast limit list",
)
WAITS = Text("Concluded: {conclusion}. Needed for approval: {whom}.", "已作出结论：{conclusion}。尚需审批：{whom}。")
ON_FILE = Text("The credit file lacks: {lacking}", "信用档案缺：{lacking}")


def _desk(cli: Cli) -> Desk:
    from jobs.review_decide import Desk

    return Desk(cli.store, cli.config, cli.policy, cli.clock)


def _customer(context: typer.Context, wanted: str) -> tuple[Cli, CustomerRow]:
    from connector.cli.explain import find

    cli: Cli = context.obj
    with cli.store.reading() as tx:
        return cli, find(cli, tx, wanted)


def _tell(cli: Cli, row: CustomerRow, one: ReviewRow) -> None:
    from jobs.review_decide import waits_for

    conclusion = CONCLUSIONS[str(one.conclusion)]
    if one.state == "done":
        typer.echo(say(DONE.fill(conclusion=conclusion)))
        if one.conclusion in ("raise", "cut"):
            typer.echo(say(ASKED))
        return
    with cli.store.reading() as tx:
        typer.echo(say(WAITS.fill(conclusion=conclusion, whom=waits_for(tx, _desk(cli), row, one))))


def _list(cli: Cli, within: int | None) -> tuple[Table, dict[str, Any]]:
    import datetime as dt

    from connector.credit.review import WHY, is_overdue
    from connector.store import reviews
    from jobs.review import members

    desk = _desk(cli)
    today = desk.today
    with cli.store.reading() as tx:
        found = sorted(reviews.open_reviews(tx).values(), key=lambda one: (one.due_on, one.id))
        if within is not None:
            found = [one for one in found if one.due_on <= today + dt.timedelta(days=within)]
        rows_of = members(tx, [s.name for s in cli.config.with_role("erp")], [one.debtor for one in found])
    rows = []
    for one in found:
        row = rows_of.get(one.debtor)
        if row is not None:
            rule = cli.policy.of(row.segment).hold.review_overdue
            rows.append(
                {
                    "customer_id": row.ref,
                    "name": row.name,
                    "due_on": one.due_on.isoformat(),
                    "days": (one.due_on - today).days,
                    "because": WHY[one.why],
                    "state": STATES[one.state],
                    "reviewer": one.reviewer or "",
                    "late": is_overdue(one.due_on, today, rule.grace_days),
                }
            )
    table = Table(
        Text("Credit reviews, {day}", "信用复评，{day}").fill(day=today),
        [
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=2),
            Column("due_on", Text("due", "应完成日")),
            Column("days", Text("days left", "剩余天数"), right=True),
            Column("because", Text("because", "原因")),
            Column("state", Text("state", "状态")),
            Column("reviewer", Text("reviewer", "复评人"), spare=1),
            Column("late", Text("late", "已逾期")),
        ],
        rows,
    )
    if not rows:
        table.notes.append(Text("No review is open.", "没有未完成的复评。"))
    answer = [
        {**row, "because": one.why, "state": one.state, "review": one.id}
        for row, one in zip(rows, [o for o in found if o.debtor in rows_of], strict=True)
    ]
    return table, {"as_of": today.isoformat(), "reviews": answer}


def _shown(tx: Connection, desk: Desk, row: CustomerRow) -> tuple[Table, dict[str, Any]]:
    from connector.credit.review import WHY, listed
    from connector.store import reviews
    from jobs.papers import lacking_of

    history = reviews.history(tx, row.debtor) if row.debtor is not None else []
    rows = [
        {
            "review": one.id,
            "state": STATES[one.state],
            "due_on": one.due_on.isoformat(),
            "because": WHY[one.why],
            "reviewer": one.reviewer or "",
            "conclusion": CONCLUSIONS[one.conclusion] if one.conclusion else "",
            "done_on": one.done_on.isoformat() if one.done_on else "",
            "reason": one.reason or "",
        }
        for one in history
    ]
    table = Table(
        Text("Reviews of {no} {name}", "{no} {name} 的复评").fill(no=row.ref, name=row.name),
        [
            Column("review", Text("no.", "编号"), right=True),
            Column("state", Text("state", "状态")),
            Column("due_on", Text("due", "应完成日")),
            Column("because", Text("because", "原因")),
            Column("reviewer", Text("reviewer", "复评人"), spare=2),
            Column("conclusion", Text("conclusion", "结论")),
            Column("done_on", Text("done", "完成日"), spare=1),
            Column("reason", Text("reason", "理由")),
        ],
        rows,
    )
    lacking = lacking_of(tx, desk.policy, desk.today, [row]).get(row.debtor or 0, [])
    if lacking:
        table.notes.append(ON_FILE.fill(lacking=listed(lacking)))
    answer = {
        "customer_id": row.ref,
        "system": row.system,
        "lacking": [one.paper for one in lacking],
        "reviews": [
            {
                **{k: v for k, v in plain.items() if k not in ("state", "because", "conclusion")},
                "state": one.state,
                "because": one.why,
                "conclusion": one.conclusion,
                "answers": dict(one.answers or {}),
                "approvals": [dict(a) for a in one.approvals],
                "snapshot_sha256": one.snapshot_sha,
                "snapshot": one.snapshot,
            }
            for plain, one in zip(rows, history, strict=True)
        ],
    }
    return table, answer
