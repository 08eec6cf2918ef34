"""`holdfast policy simulate`: a policy run over the company's own history, beside another one: a table and a picture."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, language, say, t, tell
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.cli.words import rule
from connector.errors import ConfigError
from connector.text import Text, joined
from jobs.simulation_words import NAMES, SHORT, roles, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.credit.replay_outcome import HeldOrder, Outcome
    from connector.pictures import Picture
    from jobs.policy import Chosen
    from jobs.simulate import Simulation

_LATE_DAYS = 30
_DAY = ["%Y-%m-%d"]
_WITHOUT_DECIMALS = Decimal(1)


def register(group: typer.Typer) -> None:
    @group.command(
        "simulate",
        help=t(
            "Run a policy over the company's own history, day by day, beside another one; nothing is written.",
            "在本公司的历史数据上逐日运行某政策，并与另一政策对比；不写入任何数据。",
        ),
    )
    def command(
        context: typer.Context,
        new: Annotated[
            str,
            typer.Argument(
                metavar="NEW",
                help=t(
                    "A .toml file, the number of a kept version, “active” or “shipped”.",
                    ".toml 文件、已保存的版本号、active（使用中）或 shipped（自带）。",
                ),
            ),
        ],
        since: Annotated[dt.datetime, typer.Option("--from", formats=_DAY, help=t("The first day.", "起始日期。"))],
        until: Annotated[
            dt.datetime | None,
            typer.Option("--to", formats=_DAY, help=t("The last day; else today.", "截止日期；缺省为今天。")),
        ] = None,
        against: Annotated[
            str, typer.Option(help=t("The other policy; else the one in use.", "对比的政策；缺省为使用中的。"))
        ] = "active",
        late_days: Annotated[
            int,
            typer.Option(
                min=0,
                max=3_650,
                help=t(
                    "An invoice is late when open so many days after its due day.",
                    "到期后超过此天数仍未结清即视为逾期。",
                ),
            ),
        ] = _LATE_DAYS,
        customer: Annotated[
            str | None, typer.Option(help=t("Only this customer and its group.", "仅该客户及其集团。"))
        ] = None,
        pictures: Annotated[
            Path | None,
            typer.Option("--pictures", help=t("Write pictures into a folder.", "把图表写入该文件夹。")),
        ] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.cli.policy import subject
        from connector.clock import day_in
        from jobs.simulate import simulate

        cli: Cli = context.obj
        pair = [subject(cli, against), subject(cli, new)]
        policies = [one.loaded() for one in pair]
        last = until.date() if until else day_in(cli.clock.now(), cli.config.business.time_zone)
        if since.date() > last:
            raise ConfigError(Text("--from is after --to.", "--from 晚于 --to。"))
        with cli.store.reading() as tx, bars() as progress:
            debtors = None
            if customer is not None:
                debtor = find(cli, tx, customer).debtor
                debtors = [debtor] if debtor is not None else []
            found = simulate(
                tx,
                cli.config,
                policies,
                cli.clock,
                since.date(),
                last,
                late_days=late_days,
                debtors=debtors,
                progress=progress,
            )
        if pictures is not None:
            _write(drawn(found, pair), pictures)
        emit(lambda: _table(found, pair), _answer(found, pair), form, out)


# --- the figures -----------------------------------------------------------------------------------------------------
def _table(found: Simulation, pair: Sequence[Chosen]) -> Table:
    from connector.credit.authority import ROLE_NAMES
    from jobs.simulate import ASSUMPTIONS

    old, new = (told(outcome.total) for outcome in found.outcomes)
    rows: list[dict[str, Any]] = [
        {"what": NAMES[key], "old": old[key], "new": new[key], "more": new[key] - old[key] or None}
        for key in NAMES
        if old[key] or new[key]
    ]
    mine, theirs = (roles(outcome.total) for outcome in found.outcomes)
    for role, name in ROLE_NAMES.items():
        a, b = mine.get(role, 0), theirs.get(role, 0)
        if a or b:
            title = Text("all work of: {role}", "工作量合计：{role}").fill(role=name)
            rows.append({"what": title, "old": a, "new": b, "more": b - a or None})
    table = Table(
        Text(
            "{first} to {last}: {customers} customers, {orders} orders; amounts in {currency}",
            "{first} 至 {last}：{customers} 个客户，{orders} 张订单；金额单位 {currency}",
        ).fill(
            first=found.first,
            last=found.last,
            customers=f"{found.debtors:,}",
            orders=f"{found.orders:,}",
            currency=found.currency,
        ),
        [
            Column("what", Text("what", "项目"), style="bold"),
            Column("old", Text("other policy", "对比政策"), right=True),
            Column("new", Text("this policy", "本政策"), right=True),
            Column("more", Text("difference", "差异"), right=True),
        ],
        rows,
        notes=[
            Text("Other policy: {origin}", "对比政策：{origin}").fill(origin=pair[0].origin),
            Text("This policy: {origin}", "本政策：{origin}").fill(origin=pair[1].origin),
            Text("Late: open {n} days after the due day.", "逾期口径：到期后 {n} 天仍未结清。").fill(n=found.late_days),
            *ASSUMPTIONS,
        ],
        more=[
            _months(found),
            _orders(found.outcomes[1], Text("Held longest by this policy", "本政策冻结影响最大的订单")),
        ],
    )
    if missing := max(outcome.unconverted for outcome in found.outcomes):
        words = Text(
            "{n} orders or invoices are not in the amounts: there is no rate for their day.",
            "{n} 张订单或发票因当日无汇率未计入金额。",
        )
        table.notes.append(words.fill(n=missing))
    return table


_MONTHLY = ("orders_held", "held_value", "value_days", "stopped_value", "late_met", "late_missed", "work_holds")


def _months(found: Simulation) -> Table:
    """A row a month and policy."""
    rows: list[dict[str, Any]] = []
    for month in sorted({m for outcome in found.outcomes for m in outcome.months}):
        for name, outcome in zip(_SIDES, found.outcomes, strict=True):
            figures = told(outcome.months.get(month, {}))
            rows.append({"month": f"{month:%Y-%m}", "policy": name, **{key: figures[key] for key in _MONTHLY}})
    return Table(
        Text("Month by month", "逐月"),
        [
            Column("month", Text("month", "月份"), style="bold"),
            Column("policy", Text("policy", "政策")),
            *(Column(key, SHORT[key], right=True) for key in _MONTHLY),
        ],
        rows,
    )


_SIDES = (Text("other", "对比"), Text("this", "本政策"))
_ORDERS_SHOWN = 20


def _orders(outcome: Outcome, title: Text) -> Table:
    def row(one: HeldOrder) -> dict[str, Any]:
        return {
            "order": one.number or one.order,
            "customer_id": one.customer,
            "name": one.name,
            "since": one.since.isoformat(),
            "days": one.days,
            "value": one.value.quantize(_WITHOUT_DECIMALS),
            "rules": joined([rule(name) for name in one.rules], ", ", "、"),
            "stopped": one.stopped,
            "late": one.late.quantize(_WITHOUT_DECIMALS) or None,
            "lost": one.lost.quantize(_WITHOUT_DECIMALS) or None,
        }

    return Table(
        title,
        [
            Column("order", Text("order", "订单"), style="bold"),
            Column("customer_id", Text("customer", "客户")),
            Column("name", Text("name", "名称"), spare=4),
            Column("since", Text("held on", "冻结日")),
            Column("days", Text("days", "天数"), right=True),
            Column("value", Text("value", "金额"), right=True),
            Column("rules", Text("rules", "规则"), spare=3),
            Column("stopped", Text("stopped", "拦下")),
            Column("late", Text("then late", "后来逾期"), right=True, spare=1),
            Column("lost", Text("then lost", "后来核销"), right=True, spare=2),
        ],
        [row(one) for one in outcome.orders[:_ORDERS_SHOWN]],
    )


def _answer(found: Simulation, pair: Sequence[Chosen]) -> dict[str, Any]:
    from jobs.simulate import ASSUMPTIONS

    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "currency": found.currency,
        "late_days": found.late_days,
        "customers": found.debtors,
        "orders": found.orders,
        "invoices": found.sales,
        "policies": [
            {
                "name": chosen.name,
                "version": chosen.version,
                "total": told(outcome.total),
                "work_by_role": roles(outcome.total),
                "months": [
                    {"month": f"{month:%Y-%m}", **told(outcome.months[month])} for month in sorted(outcome.months)
                ],
                "held_orders": [
                    {
                        "order": one.order,
                        "customer_id": one.customer,
                        "since": one.since.isoformat(),
                        "days": one.days,
                        "value": one.value,
                        "rules": list(one.rules),
                        "stopped": one.stopped,
                        "late": one.late,
                        "lost": one.lost,
                    }
                    for one in outcome.orders
                ],
                "unconverted": outcome.unconverted,
            }
            for chosen, outcome in zip(pair, found.outcomes, strict=True)
        ],
        "assumptions": [say(one) for one in ASSUMPTIONS],
    }


# --- pictures --------------------------------------------------------------------------------------------------------
def drawn(found: Simulation, pair: Sequence[Chosen]) -> list[Picture]:
    """Three pictures over the months: what was held, what came of what was let through, and the work."""
    from connector.pictures import Series, lines

    months = sorted({m for outcome in found.outcomes for m in outcome.months})
    labels = [f"{month:%Y-%m}" for month in months]

    def series(keys: Sequence[str], names: Sequence[str]) -> list[Series]:
        made = []
        for side, outcome in zip(names, found.outcomes, strict=True):
            figures = [told(outcome.months.get(month, {})) for month in months]
            made.append(Series(side, [sum((one[key] for key in keys), Decimal(0)) for one in figures]))
        return made

    sides = [
        t(f"other: {pair[0].name}", f"对比政策：{pair[0].name}"),
        t(f"this: {pair[1].name}", f"本政策：{pair[1].name}"),
    ]
    currency = found.currency
    return [
        lines(
            "held",
            t(f"Value of orders held, {currency}", f"冻结订单金额（{currency}）"),
            t(
                "By month in which an order was first held, under both policies.",
                "按订单首次被冻结的月份统计，两套政策对比。",
            ),
            labels,
            series(("held_value",), sides),
            include_x_axis=True,
        ),
        lines(
            "missed",
            t(f"Overdue let through, {currency}", f"放行后发生的逾期（{currency}）"),
            t(
                "Amounts that were late later, of sales that the policy would have let through, by month of invoice.",
                "政策会放行、但后来逾期的金额，按开票月份统计。",
            ),
            labels,
            series(("late_missed",), sides),
            include_x_axis=True,
        ),
        lines(
            "work",
            t("Work for people", "人工工作量"),
            t(
                "Holds to look at, releases, reviews, calls and letters by month.",
                "按月统计待查看冻结、解冻、复评、电话与催款函的数量。",
            ),
            labels,
            series([key for key in NAMES if key.startswith("work_")], sides),
            include_x_axis=True,  # else a small difference looks like a large one
        ),
    ]


def _write(pictures: Sequence[Picture], folder: Path) -> None:
    from connector.pictures import as_png, chinese_font

    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawable = language() == "en" or chinese_font()
        if not drawable:
            tell("本机没有中文字体，未生成 PNG；SVG 不受影响。")
        for picture in pictures:
            (folder / f"simulation-{picture.name}.svg").write_text(picture.svg, encoding="utf-8")
            png = as_png(picture) if drawable else None
            if png is not None:
                (folder / f"simulation-{picture.name}.png").write_bytes(png)
    except OSError as wrong:
        raise ConfigError(
            Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                path=folder, why=wrong.strerror or type(wrong).__name__
            )
        ) from None
    tell(t(f"Written: {folder}", f"已写出：{folder}"))
