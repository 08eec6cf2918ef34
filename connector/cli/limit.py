"""`holdfast limit …`: propose limits by the formula, ask for one, approve, reject, and list what waits and what counts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from connector.cli.common import Cli, bars, exit_code, say, show_problem, show_run, t, tell
from connector.cli.options import As, Why
from connector.cli.output import Format, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.authority import Person
    from connector.model import LimitKind
    from jobs.grant import Desk, Outcome

Customer = Annotated[
    str | None,
    typer.Argument(metavar="[CUSTOMER]", help=t("Its id, or part of its name.", "客户编号，或名称的一部分。")),
]
Number = Annotated[
    int, typer.Argument(help=t("Of the request: holdfast limit list.", "申请编号：holdfast limit list。"))
]
_KINDS = ("base", "unlimited", "override", "additive", "seasonal", "guarantee")


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Credit limits: propose, approve, reject, set, list.", "信用额度：建议、审批、否决、设定、查看。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="limit", rich_help_panel=None)
    for command in (_propose, _approve, _reject, _set, _list):
        command(group)


def _desk(cli: Cli) -> Desk:
    from jobs.grant import Desk
    from jobs.night import connected_systems

    return Desk(cli.config, cli.policy, cli.clock, connected_systems(cli.config, cli.clock, store=cli.store))


def _propose(group: typer.Typer) -> None:
    @group.command(
        "propose",
        help=t(
            "Propose limits by the formula of the policy: for one customer, for all, or for those who are due.",
            "按政策公式提出额度建议：单个客户、全部客户，或到期应处理的客户。",
        ),
    )
    def command(
        context: typer.Context,
        customer: Customer = None,
        everybody: Annotated[bool, typer.Option("--all", help=t("For all customers.", "全部客户。"))] = False,
        amount: Annotated[
            str | None,
            typer.Option(
                help=t("What the customer asks for: never more than this.", "客户申请的金额，建议不超过此数。")
            ),
        ] = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help=t("Show the reckoning, keep nothing.", "仅显示计算过程，不保存。"))
        ] = False,
        why: Why = "",
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        if customer is not None:
            _propose_one(cli, customer, amount, dry_run, why, who, form, out)
            return
        if amount is not None or dry_run:
            raise ConfigError(
                Text("--amount and --dry-run go with one customer.", "--amount 与 --dry-run 须指定单个客户。")
            )
        from jobs.night import connected_systems, lease
        from jobs.propose import run_proposals

        systems = connected_systems(cli.config, cli.clock, store=cli.store)
        cli.acting(who)
        with lease(cli.store, cli.clock, "run") as held, bars() as progress:
            done = run_proposals(
                held, cli.config, cli.policy, cli.clock, "all" if everybody else "due",
                systems=systems, why=why, progress=progress,
            )  # fmt: skip
        show_run(done)
        raise typer.Exit(exit_code([done]))


def _propose_one(
    cli: Cli, customer: str, amount: str | None, dry_run: bool, why: str, who: str | None, form: Format, out: Any
) -> None:
    from connector.cli.explain import find
    from connector.cli.limit_shown import reckoning
    from jobs.frame import frame
    from jobs.grant import approve_by_itself, outcome
    from jobs.grant_ask import ask_all
    from jobs.propose import JOB, body_of, proposals, request_of
    from jobs.warned import all_owed

    desk = _desk(cli)
    person = None if dry_run else cli.acting(who)
    with cli.store.reading() as tx:
        row = find(cli, tx, customer)
        base = frame(tx, cli.config, cli.policy, cli.clock, desk.today, debtors=())
        base.receivables = all_owed(tx, base, None, anew=True)
        found, problems = proposals(tx, base, [row.debtor] if row.debtor is not None else [], _amount(amount))
    for problem in problems:
        tell(show_problem(problem))
    if not found:
        raise ConfigError(
            Text("No limit can be proposed for {name}.", "无法为 {name} 提出额度建议。").fill(name=row.name or row.ref)
        )
    (one,) = found
    ended: Outcome | None = None
    if person is not None:
        with cli.store.writing() as tx:
            # What the formula says nobody has asked for; an amount of the customer's own somebody has.
            actor = JOB if amount is None else person.actor
            asked = ask_all(tx, desk, [(one.row, request_of(one, desk, actor), why, body_of(one))])
            for each in asked:
                ended = approve_by_itself(tx, desk, each, JOB) if one.person_needed is None else None
                ended = ended or outcome(tx, desk, each)
    table, answer = reckoning(one, ended)
    emit(table, answer, form, out)


def _approve(group: typer.Typer) -> None:
    @group.command("approve", help=t("Approve a request, also at another amount.", "批准申请，也可改为其他金额。"))
    def command(
        context: typer.Context,
        number: Number,
        amount: Annotated[
            str | None,
            typer.Option(
                help=t(
                    "Another amount. A higher one is your own request, which somebody else approves.",
                    "改批金额；高于申请金额时视为您本人的申请，须由他人批准。",
                )
            ),
        ] = None,
        why: Why = "",
        who: As = None,
    ) -> None:
        from jobs.grant import approve

        cli: Cli = context.obj
        person, desk = cli.acting(who), _desk(cli)
        with cli.store.writing() as tx:
            done = approve(tx, desk, number, person, _amount(amount), why)
        _told(done)


def _reject(group: typer.Typer) -> None:
    @group.command("reject", help=t("Reject a request, with the reason.", "否决申请并说明理由。"))
    def command(context: typer.Context, number: Number, why: Why = "", who: As = None) -> None:
        from jobs.grant import reject

        cli: Cli = context.obj
        person, desk = cli.acting(who), _desk(cli)
        with cli.store.writing() as tx:
            done = reject(tx, desk, number, person, why)
        _told(done)


def _set(group: typer.Typer) -> None:
    @group.command(
        "set",
        help=t(
            "Ask for a limit of your own choice; somebody with authority approves it.",
            "按自定条件申请额度，由有权限的人批准。",
        ),
    )
    def command(
        context: typer.Context,
        customer: Annotated[str, typer.Argument(help=t("Its id, or part of its name.", "客户编号，或名称的一部分。"))],
        amount: Annotated[str, typer.Argument(help=t("An amount, or “unlimited”.", "金额，或 unlimited（不限额）。"))],
        kind: Annotated[
            str,
            typer.Option(
                help=t(
                    "base; for a time: override, additive; each year: seasonal; security: guarantee.",
                    "base 基础；临时：override 取代、additive 增额；每年：seasonal 季节；guarantee 担保。",
                )
            ),
        ] = "base",
        since: Annotated[
            dt.datetime | None,
            typer.Option("--from", formats=["%Y-%m-%d"], help=t("First day; else today.", "第一天；缺省为今天。")),
        ] = None,
        to: Annotated[
            dt.datetime | None,
            typer.Option("--to", formats=["%Y-%m-%d"], help=t("Last day; else without end.", "最后一天；缺省为长期。")),
        ] = None,
        season: Annotated[
            str | None, typer.Option(help=t("Of a seasonal limit: 11-01..02-15.", "季节性额度的期间：11-01..02-15。"))
        ] = None,
        percent: Annotated[
            str | None,
            typer.Option(help=t("Of a guarantee: how much of it counts, 50.", "担保金额的计入比例，例如 50。")),
        ] = None,
        currency: Annotated[str | None, typer.Option(help=t("Else the customer's.", "缺省为客户币种。"))] = None,
        why: Why = "",
        who: As = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.credit.granting import Request
        from connector.money import is_currency, to_minor_exact
        from jobs.grant import outcome
        from jobs.grant_ask import ask

        cli: Cli = context.obj
        person, desk = cli.acting(who), _desk(cli)
        unlimited = amount == "unlimited"
        chosen = "unlimited" if unlimited else kind
        if chosen not in _KINDS:
            from connector.cli.common import near

            raise ConfigError(
                Text("--kind is one of: {near}.", "--kind 可选：{near}。").fill(near=near(kind, list(_KINDS)))
            )
        with cli.store.writing() as tx:
            row = find(cli, tx, customer)
            money = (currency or row.currency or cli.config.business.currency).upper()
            value = None if unlimited else _amount(amount)
            if not is_currency(money):
                raise ConfigError(Text("{money} is no currency.", "{money} 不是币种代码。").fill(money=money))
            try:
                minor = None if value is None else to_minor_exact(value, money)
            except ValueError:
                raise ConfigError(
                    Text("{amount} has parts smaller than {money} knows.", "{amount} 的小数位超过 {money} 的最小单位。")
                    .fill(amount=amount, money=money)
                ) from None  # fmt: skip
            request = Request(
                kind=cast("LimitKind", chosen),
                amount_minor=minor,
                currency=money,
                requested_by=person.actor,
                valid_from=since.date() if since else desk.today,
                valid_to=to.date() if to else None,
                percent=None if percent is None else (_amount(percent) or Decimal(0)) / 100,
                condition=season,
            )
            asked = ask(tx, desk, row, request, why=why)
            done = _at_once(tx, desk, asked.number, person, why) if person.alone else outcome(tx, desk, asked)
        _told(done)


def _at_once(tx: Any, desk: Desk, number: int, person: Person, why: str) -> Outcome:
    from jobs.grant import approve

    return approve(tx, desk, number, person, None, why)


def _list(group: typer.Typer) -> None:
    @group.command(
        "list",
        help=t(
            "Requests that wait and whom they wait for; of one customer everything, and what counts today.",
            "待批申请及待批人；指定客户时显示全部历史及今日有效额度。",
        ),
    )
    def command(
        context: typer.Context,
        customer: Customer = None,
        everything: Annotated[bool, typer.Option("--all", help=t("Decided ones, too.", "含已处理的申请。"))] = False,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.cli.limit_shown import listing

        cli: Cli = context.obj
        desk = _desk(cli)
        with cli.store.reading() as tx:
            row = find(cli, tx, customer) if customer is not None else None
            table, answer = listing(cli, tx, desk, row, everything or row is not None)
        emit(table, answer, form, out)


def _amount(words: str | None) -> Decimal | None:
    """A number as people write it. ConfigError where it is none."""
    if words is None:
        return None
    from connector.money import parse

    try:
        return parse(words)
    except ValueError:
        raise ConfigError(Text("{words} is no amount.", "{words} 不是金额。").fill(words=words)) from None


def _told(done: Outcome) -> None:
    typer.echo(say(done.text))
    if done.owed:
        typer.echo(t(f"{done.owed} systems will be told by the next push.", f"下次推送时写入 {done.owed} 个系统。"))
