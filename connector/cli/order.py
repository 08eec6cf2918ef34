"""`holdfast order …`: which orders are held and why, checks, releases, holds by hand, exclusions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from connector.cli import order_ask
from connector.cli.common import Cli, say, t
from connector.cli.options import As, Why
from connector.cli.output import Format, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.connect import Connected
    from connector.credit.exclusion import Effect
    from connector.store.order_credit import Standing

Order = Annotated[
    str, typer.Argument(metavar="ORDER", help=t("Its id or number, or SYSTEM/ID.", "订单编号或单号，或 系统/编号。"))
]
Until = Annotated[
    dt.datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help=t("The last day.", "截止日（含）。")),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=t("Orders: which are held and why; check, release, hold.", "订单：冻结原因、检查、放行、人工冻结。"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="order")
    for command in (_list, _explain, _check, _request, _release, _refuse, _hold, _recheck, _exclude, _exclusions):
        command(group)
    for command in (order_ask.ask, order_ask.reservations, order_ask.give_back):
        command(group)


def _list(group: typer.Typer) -> None:
    @group.command("list", help=t("The orders that are held, with the reasons.", "被冻结的订单及原因。"))
    def command(
        context: typer.Context,
        customer: Annotated[
            str | None,
            typer.Argument(metavar="[CUSTOMER]", help=t("Only of this customer.", "仅该客户。")),
        ] = None,
        everything: Annotated[bool, typer.Option("--all", help=t("All open orders.", "全部执行中的订单。"))] = False,
        waiting: Annotated[
            bool,
            typer.Option(
                "--waiting",
                help=t("What waits, what matters first, and who may.", "待处理清单：按轻重排序，列出可放行人员。"),
            ),
        ] = False,
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.order_shown import listed

        cli: Cli = context.obj
        if waiting:
            from connector.cli.order_waiting import waiting_shown

            if customer is not None or everything:
                raise ConfigError(Text("--waiting stands alone.", "--waiting 须单独使用。"))
            emit(*waiting_shown(cli, cli.acting(who) if who else None), form, out)
            return
        table, answer = listed(cli, not everything, _debtor(cli, customer) if customer is not None else None)
        emit(table, answer, form, out)


def _explain(group: typer.Typer) -> None:
    @group.command(
        "explain",
        help=t(
            "What holds an order, with its numbers; what would release it; who may; all that happened.",
            "订单的冻结原因及数字、解除措施、可放行人员与历史。",
        ),
    )
    def command(context: typer.Context, order: Order, form: Form = Format.table, out: Out = None) -> None:
        from connector.cli.order_shown import explained

        table, answer = explained(context.obj, order)
        emit(table, answer, form, out)


def _check(group: typer.Typer) -> None:
    @group.command(
        "check",
        help=t(
            "Whether an order may go on at a check point; recorded. Exit 1 where it may not.",
            "检查订单能否通过某一检查点，并记录结果；未通过时退出码为 1。",
        ),
    )
    def command(
        context: typer.Context,
        order: Order,
        point: Annotated[
            str,
            typer.Option(
                help=t(
                    "entry, confirmation, release, delivery, change or reopen.",
                    "entry 录入、confirmation 确认、release 下达仓库、delivery 发货、change 变更、reopen 重新打开。",
                )
            ),
        ] = "confirmation",
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.common import PROBLEMS
        from connector.cli.order_shown import explained
        from jobs import order as orders

        cli: Cli = context.obj
        person = cli.acting(who)
        done = orders.check(
            cli.store, cli.config, cli.policy, cli.clock, order, point, person.actor, systems=_systems(cli)
        )
        table, answer = explained(cli, order)
        answer |= {"point": point, "reply": done.reply, "may_go_on": not done.hold}
        emit(table, answer, form, out)
        if done.hold:
            raise typer.Exit(PROBLEMS)


def _request(group: typer.Typer) -> None:
    @group.command("request", help=t("Ask for the release of a held order.", "申请放行被冻结的订单。"))
    def command(context: typer.Context, order: Order, why: Why, who: As = None) -> None:
        from jobs import order as orders

        cli: Cli = context.obj
        person = cli.acting(who)
        _, people = orders.request(
            cli.store, cli.config, cli.policy, cli.clock, order, person, why, systems=_systems(cli)
        )
        names = t(", ", "、").join(p.name or p.id for p in people)
        words = Text("Requested. Who may release it now: {names}", "已申请。目前可放行的人员：{names}")
        print(say(words.fill(names=names or "-")))


def _release(group: typer.Typer) -> None:
    @group.command("release", help=t("Let a held order pass, within your authority.", "在权限范围内放行被冻结的订单。"))
    def command(
        context: typer.Context,
        order: Order,
        why: Why,
        until: Until = None,
        up_to: Annotated[
            str | None,
            typer.Option(
                metavar="AMOUNT",
                help=t("Up to this total of the order, in its own currency.", "订单金额上限（订单币种）。"),
            ),
        ] = None,
        who: As = None,
    ) -> None:
        from jobs import order as orders

        cli: Cli = context.obj
        done = orders.release(
            cli.store,
            cli.config,
            cli.policy,
            cli.clock,
            order,
            cli.acting(who),
            why,
            valid_until=until.date() if until else None,
            max_total=_amount(up_to),
            systems=_systems(cli),
        )
        _told(done)


def _refuse(group: typer.Typer) -> None:
    @group.command("refuse", help=t("Refuse to release a held order.", "拒绝放行被冻结的订单。"))
    def command(context: typer.Context, order: Order, why: Why, who: As = None) -> None:
        from jobs import order as orders

        cli: Cli = context.obj
        person = cli.acting(who)
        _told(orders.refuse(cli.store, cli.config, cli.policy, cli.clock, order, person, why, systems=_systems(cli)))


def _hold(group: typer.Typer) -> None:
    @group.command(
        "hold",
        help=t(
            "Hold an order by hand, which no job lifts; --lift takes it back.",
            "人工冻结订单，任何任务都不会自动解除；--lift 解除人工冻结。",
        ),
    )
    def command(
        context: typer.Context,
        order: Order,
        why: Why,
        lift: Annotated[bool, typer.Option("--lift", help=t("Take the hold back.", "解除人工冻结。"))] = False,
        who: As = None,
    ) -> None:
        from jobs import order as orders

        cli: Cli = context.obj
        person = cli.acting(who)
        done = orders.hold(
            cli.store, cli.config, cli.policy, cli.clock, order, person, why, lift=lift, systems=_systems(cli)
        )
        _told(done)


def _recheck(group: typer.Typer) -> None:
    @group.command(
        "recheck",
        help=t("Check all open orders again: of one customer, or of all.", "重新检查执行中的订单：某一客户或全部。"),
    )
    def command(
        context: typer.Context,
        customer: Annotated[
            str | None, typer.Argument(metavar="[CUSTOMER]", help=t("Only of this customer.", "仅该客户。"))
        ] = None,
        who: As = None,
    ) -> None:
        from connector.store import customers
        from jobs import order as orders

        cli: Cli = context.obj
        actor = cli.acting(who).actor
        if customer is not None:
            debtors = {_debtor(cli, customer)}
        else:
            with cli.store.reading() as tx:
                debtors = customers.debtors(tx, [s.name for s in cli.config.with_role("erp")])
        count = orders.recheck(
            cli.store, cli.config, cli.policy, cli.clock, actor, debtors=debtors, systems=_systems(cli)
        )
        print(say(Text("{count} changes.", "{count} 项变化。").fill(count=f"{count:,}")))


def _exclude(group: typer.Typer) -> None:
    @group.command(
        "exclude",
        help=t(
            "Set rules aside, or force a hold or a pass, for an order, a customer, a segment or everybody.",
            "对某一订单、客户、客群或全部客户设置例外：规则不适用、强制冻结或强制放行。",
        ),
    )
    def command(
        context: typer.Context,
        why: Why,
        order: Annotated[str | None, typer.Option("--order", help=t("For this order.", "针对该订单。"))] = None,
        customer: Annotated[
            str | None, typer.Option("--customer", help=t("For this customer.", "针对该客户。"))
        ] = None,
        segment: Annotated[str | None, typer.Option("--segment", help=t("For this segment.", "针对该客群。"))] = None,
        effect: Annotated[
            str, typer.Option(help=t("exclude, hold or release.", "exclude 规则不适用、hold 冻结、release 放行。"))
        ] = "exclude",
        rules: Annotated[
            list[str] | None,
            typer.Option("--rule", help=t("Only this rule; may be repeated.", "仅该规则，可重复。")),
        ] = None,
        since: Annotated[
            dt.datetime | None,
            typer.Option("--from", formats=["%Y-%m-%d"], help=t("The first day.", "起始日（含）。")),
        ] = None,
        until: Until = None,
        who: As = None,
    ) -> None:
        from jobs import exclusion

        cli: Cli = context.obj
        if effect not in ("exclude", "hold", "release"):
            raise ConfigError(Text("--effect: exclude, hold or release.", "--effect：exclude、hold 或 release。"))
        if sum(x is not None for x in (order, customer, segment)) > 1:
            raise ConfigError(
                Text("One of --order, --customer, --segment.", "--order、--customer、--segment 只能指定一个。")
            )
        scope: Any = "order" if order else "customer" if customer else "segment" if segment else "all"
        number = exclusion.exclude(
            cli.store,
            cli.config,
            cli.policy,
            cli.clock,
            cli.acting(who),
            effect=cast("Effect", effect),
            why=why,
            scope=scope,
            order=order,
            debtor=_debtor(cli, customer) if customer else None,
            segment=segment,
            rules=rules or (),
            valid_from=since.date() if since else None,
            valid_to=until.date() if until else None,
            systems=_systems(cli),
        )
        print(say(Text("Exclusion {number} is in force.", "例外 {number} 已生效。").fill(number=number)))


def _exclusions(group: typer.Typer) -> None:
    @group.command("exclusions", help=t("List exclusions, or end one.", "列出例外，或终止其中一项。"))
    def command(
        context: typer.Context,
        end: Annotated[
            int | None, typer.Option("--end", metavar="NUMBER", help=t("End this one.", "终止该项例外。"))
        ] = None,
        why: Annotated[str, typer.Option("--why", "--because", help=t("The reason for ending it.", "终止理由。"))] = "",
        everything: Annotated[bool, typer.Option("--all", help=t("Also those that ended.", "包括已终止的。"))] = False,
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.order_shown import exclusions_shown
        from jobs import exclusion

        cli: Cli = context.obj
        if end is not None:
            exclusion.end_exclusion(
                cli.store, cli.config, cli.policy, cli.clock, cli.acting(who), end, why, systems=_systems(cli)
            )
            print(say(Text("Exclusion {number} has ended.", "例外 {number} 已终止。").fill(number=end)))
            return
        table, answer = exclusions_shown(cli, everything)
        emit(table, answer, form, out)


def _systems(cli: Cli) -> list[Connected]:
    from jobs.night import connected_systems

    return connected_systems(cli.config, cli.clock, store=cli.store)


def _debtor(cli: Cli, customer: str) -> int:
    from connector.cli.explain import find

    with cli.store.reading() as tx:
        row = find(cli, tx, customer)
    if row.debtor is None:
        raise ConfigError(
            Text("{ref} is not linked yet: holdfast run", "{ref} 尚未关联：请先执行 holdfast run").fill(ref=row.ref)
        )
    return row.debtor


def _amount(text: str | None) -> Any:
    from connector.money import parse

    if text is None:
        return None
    try:
        return parse(text.replace(",", ""))
    except ValueError:
        raise ConfigError(
            Text("--up-to: “{text}” is no amount.", "--up-to：“{text}”不是金额。").fill(text=text)
        ) from None


def _told(standing: Standing) -> None:
    from connector.cli.order_shown import RELEASED, state_of

    print(say(state_of(standing)))
    if standing.release is not None:
        given = standing.release
        words = RELEASED.fill(
            by=given.by, on=given.on, most=f"{given.currency} {given.max_total:,}", until=given.valid_until
        )
        print(say(words))
