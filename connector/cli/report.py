"""`holdfast report`: positions of a day, one customer, and the problems; as table, JSON, CSV or XLSX."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from connector.cli.common import CONFIG, Cli, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from jobs.frame import Frame, View

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help=t(
            "Write to a file; .csv, .json or .xlsx says the format.", "写入文件；扩展名 .csv、.json、.xlsx 决定格式。"
        ),
    ),
]
Form = Annotated[Format, typer.Option("--format", help=t("table, json, csv or xlsx.", "table、json、csv 或 xlsx。"))]
AsOf = Annotated[
    dt.datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], help=t("The day; else today in the business's zone.", "截止日期；缺省为今天。")
    ),
]
OnlyCustomer = Annotated[str | None, typer.Argument(metavar="[CUSTOMER]", help=t("Only this customer.", "仅该客户。"))]
Customer = Annotated[
    str,
    typer.Argument(
        metavar="CUSTOMER", help=t("Its id in the ERP, or part of its name.", "ERP 中的编号，或名称的一部分。")
    ),
]
LEVELS = {
    "green": Text("green", "绿"),
    "yellow": Text("yellow", "黄"),
    "orange": Text("orange", "橙"),
    "red": Text("red", "红"),
}


def register(app: typer.Typer) -> None:
    report = typer.Typer(
        help=t(
            "Positions, one customer, overdue, portfolio, expected loss, problems.",
            "应收状况、单个客户、催收清单、组合、预期损失、问题清单。",
        ),
        no_args_is_help=True,
    )
    app.add_typer(report, name="report", rich_help_panel=None)
    from connector.cli import overdue as work_list

    work_list.register_under(report)
    from connector.cli import portfolio as whole_ledger

    whole_ledger.register_under(report)
    from connector.cli import ecl

    ecl.register_under(report)

    @report.command(
        "positions", help=t("What every customer owes, aged, against its limit.", "每个客户的欠款、账龄与额度。")
    )
    def positions(
        context: typer.Context,
        as_of: AsOf = None,
        form: Form = Format.table,
        out: Out = None,
        currency: Annotated[
            str | None, typer.Option(help=t("Convert everything to this currency.", "全部折算为该币种。"))
        ] = None,
        placement: Annotated[
            str | None,
            typer.Option(
                help=t("Unapplied credits: separate, fifo, own_bucket.", "未核销贷项：separate、fifo、own_bucket。")
            ),
        ] = None,
        basis: Annotated[
            str | None, typer.Option(help=t("Age by due, issue or statutory.", "账龄口径：due、issue、statutory。"))
        ] = None,
        buckets: Annotated[
            str | None, typer.Option(help=t("Bucket edges, such as 30,60,90.", "分段天数，例如 30,60,90。"))
        ] = None,
        rates: Annotated[
            str,
            typer.Option(
                help=t(
                    "as_of: at the day's rates; ledger: the documents' own base amounts.",
                    "as_of：按当日汇率；ledger：按单据自身的本位币金额。",
                )
            ),
        ] = "as_of",
        company: Annotated[str | None, typer.Option(help=t("Only this legal entity.", "仅该法人主体。"))] = None,
        owing: Annotated[bool, typer.Option("--owing", help=t("Only who owes something.", "仅有欠款的客户。"))] = False,
        as_shown: Annotated[
            bool,
            typer.Option(
                "--as-shown",
                help=t("As it was shown on that day, not as it is known now.", "按当日展示的数字，而非目前所知。"),
            ),
        ] = False,
    ) -> None:
        cli: Cli = context.obj
        view = _view(currency, placement, basis, buckets, rates, company)
        if as_shown:
            from connector.cli import shown
            from connector.clock import day_in

            if view != _view(None, None, None, None, "as_of", None):
                raise ConfigError(
                    Text(
                        "--as-shown shows what was shown: leave the options that show it otherwise out.",
                        "--as-shown 按当日展示的数字：请去掉改变展示方式的选项。",
                    )
                )
            day = as_of.date() if as_of else day_in(cli.clock.now(), cli.config.business.time_zone)
            answers = shown.collect(cli, day)
        else:
            answers, frame = collect(cli, as_of.date() if as_of else None, view)
            day = frame.as_of
        rows = [a for a in answers if not owing or _owes(a)]
        head = {
            "as_of": day.isoformat(),
            "shown": as_shown,
            "currency": cli.config.business.currency,
            "rates": rates,
            "rates_as_of": day.isoformat() if rates == "as_of" else None,
            "placement": view.placement or cli.policy.ageing.placement,
            "basis": view.basis or cli.policy.ageing.basis,
            "positions": rows,
        }
        emit(lambda: _positions_table(rows, head, company, len(answers)), head, form, out)

    @report.command("customer", help=t("One customer in full.", "单个客户的完整情况。"))
    def customer(
        context: typer.Context,
        customer_id: Customer,
        as_of: AsOf = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import customer_table

        cli: Cli = context.obj
        table, answer = customer_table(cli, customer_id, as_of.date() if as_of else None)
        emit(table, answer, form, out)

    @report.command("problems", help=t("What is wrong with the data, and how to mend it.", "数据中的问题及处理方法。"))
    def problems(
        context: typer.Context,
        form: Form = Format.table,
        out: Out = None,
        system: Annotated[str | None, typer.Option(help=t("Only of this system.", "仅该系统。"))] = None,
        as_of: AsOf = None,
    ) -> None:
        from connector.store import runs

        cli: Cli = context.obj
        day = as_of.date() if as_of else None
        with cli.store.reading() as tx:
            found = [
                p
                for p in runs.problems(tx)
                if (system is None or p.system == system) and (day is None or p.first_seen.date() <= day)
            ]
        table = Table(
            Text("Problems", "问题"),
            [
                Column("where", Text("where", "位置"), style="bold"),
                Column("field", Text("field", "字段")),
                Column("what", Text("what is wrong", "问题")),
                Column("fix", Text("how to mend it", "处理方法")),
                Column("since", Text("since", "首次出现")),
            ],
            [
                {
                    "where": p.problem.where,
                    "field": p.problem.field,
                    "what": p.problem.what,
                    "fix": p.problem.fix,
                    "since": p.first_seen.date().isoformat(),
                }
                for p in found
            ],
        )
        if not found:
            table.notes.append(Text("No problems.", "没有问题。"))
        answer = [
            {
                "code": p.problem.code,
                "where": p.problem.where,
                "field": p.problem.field,
                "what": say(p.problem.what),
                "fix": say(p.problem.fix),
                "first_seen": p.first_seen.isoformat(),
                "last_seen": p.last_seen.isoformat(),
            }
            for p in found
        ]
        emit(table, {"problems": answer}, form, out)


def _choice(value: str | None, known: tuple[str, ...], option: str) -> Any:
    if value is not None and value not in known:
        raise ConfigError(
            Text("--{option} {value}: one of {known}.", "--{option} {value}：可选 {known}。").fill(
                option=option, value=value, known=", ".join(known)
            )
        )
    return value


def _view(
    currency: str | None, placement: str | None, basis: str | None, buckets: str | None, rates: str, company: str | None
) -> View:
    from connector.money import is_currency
    from jobs.frame import View

    _choice(rates, ("as_of", "ledger"), "rates")
    edges: tuple[int, ...] | None = None
    if buckets is not None:
        if not re.fullmatch(r"\d{1,5}(,\d{1,5}){0,11}", buckets):
            raise ConfigError(Text("--buckets: whole days, such as 30,60,90.", "--buckets：整数天数，例如 30,60,90。"))
        edges = tuple(int(e) for e in buckets.split(","))
        if list(edges) != sorted(set(edges)) or edges[0] < 1:
            raise ConfigError(
                Text("--buckets: each edge above the one before, from 1.", "--buckets：须逐个递增，且从 1 起。")
            )
    if currency is not None and not is_currency(currency):
        raise ConfigError(
            Text("--currency: three capital letters, such as CNY.", "--currency：三位大写字母，例如 CNY。")
        )
    if currency is not None and rates == "ledger":
        raise ConfigError(
            Text(
                "--rates ledger is in the ledger's own currency: leave --currency out.",
                "--rates ledger 以账簿本位币显示：请去掉 --currency。",
            )
        )
    places: Literal["separate", "fifo", "own_bucket"] | None = _choice(
        placement, ("separate", "fifo", "own_bucket"), "placement"
    )
    bases: Literal["due", "issue", "statutory"] | None = _choice(basis, ("due", "issue", "statutory"), "basis")
    return View(edges, bases, places, currency, rates == "ledger", company)


def collect(cli: Cli, as_of: dt.date | None, view: View | None) -> tuple[list[dict[str, Any]], Frame]:
    """The answers of every ERP customer of a day, by system and id."""
    from connector.clock import day_in
    from connector.credit.answer import as_answer
    from jobs.frame import frame
    from jobs.judge import judge

    day = as_of or day_in(cli.clock.now(), cli.config.business.time_zone)
    with cli.store.reading() as tx:
        base = frame(tx, cli.config, cli.policy, cli.clock, day, view)
        answers = []
        for judged in judge(tx, base, orders=False, scores=True):
            for member in judged.members:
                answer = as_answer(judged.own[member.key], judged.decision, member.ref, member.system)
                answers.append({**answer, "name": member.name})
    answers.sort(key=lambda a: (a["system"], natural(a["customer_id"])))
    return answers, base


def bucket_name(label: str) -> Text:
    """The heading of a bucket; years of the statutory basis in words."""
    if label == "current":
        return Text("current", "未到期")
    return Text(label, f"{label[:-1]}年" if label.endswith("y") else label.replace("y+", "年+"))


def natural(ref: str) -> list[tuple[int, Any]]:
    """A sort key by which C9 comes before C10."""
    return [(0, int(p)) if p.isdigit() else (1, p) for p in re.findall(r"\d+|\D+", ref)]


def _owes(answer: dict[str, Any]) -> bool:
    return bool(Decimal(answer["balance"]) or Decimal(answer["exposure"]["total"]) or _left_out(answer))


def _left_out(answer: dict[str, Any]) -> str:
    """The amounts that could not be converted and are in no figure: missing is not zero."""
    lacking = {
        (r["numbers"]["from"], r["numbers"]["exposure"])
        for r in answer.get("reasons", ())
        if r["rule"] == "no_rate" and "exposure" in r["numbers"]
    }
    return ", ".join(f"{currency} {Decimal(amount):,f}" for currency, amount in sorted(lacking))


def _positions_table(
    rows: list[dict[str, Any]], head: dict[str, Any], company: str | None = None, known: int = 0
) -> Table:
    labels = list(dict.fromkeys(b for a in rows for b in a["buckets"]))  # other policies have other buckets
    columns = [
        Column("customer_id", Text("customer", "客户"), style="bold"),
        Column("name", Text("name", "名称")),
        Column("currency", Text("cur.", "币种")),
        *(Column(f"bucket {b}", bucket_name(b), right=True, spare=4 + at) for at, b in enumerate(labels)),
        Column("unapplied", Text("unapplied", "未核销"), right=True, spare=20),
        Column("balance", Text("balance", "余额"), right=True, spare=3),
        Column("overdue", Text("overdue", "逾期"), right=True, spare=1),
        Column("exposure", Text("exposure", "信用占用"), right=True),
        Column("limit", Text("limit", "额度"), right=True, spare=2),
        Column("used", Text("used", "使用率"), right=True, percent=True),
        Column("score", Text("score", "评分"), right=True, spare=6),
        Column("grade", Text("grade", "等级"), spare=5),
        Column("level", Text("level", "预警"), coloured=True),
        Column("hold", Text("held", "冻结")),
    ]
    table = Table(
        Text(f"Positions as they were shown on {head['as_of']}", f"{head['as_of']} 当时展示的应收与信用状况")
        if head.get("shown")
        else Text(
            f"Positions as of {head['as_of']} ({'ledger amounts' if head['rates'] == 'ledger' else 'rates of the day'})",
            f"截至 {head['as_of']} 的应收与信用状况（{'账簿金额' if head['rates'] == 'ledger' else '当日汇率'}）",
        ),
        columns,
    )
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for answer in rows:
        figures = {
            **{f"bucket {b}": Decimal(amount) for b, amount in answer["buckets"].items()},
            "unapplied": Decimal(answer["unapplied"]),
            "balance": Decimal(answer["balance"]),
            "overdue": Decimal(answer["overdue"]),
            "exposure": Decimal(answer["exposure"]["total"]),
        }
        for key, value in figures.items():
            sums[answer["currency"]][key] += value
        limit = answer["limit"]
        used = answer["utilisation"]
        table.rows.append(
            {
                "customer_id": answer["customer_id"],
                "name": answer["name"],
                "currency": answer["currency"],
                **figures,
                "limit": Decimal(limit["amount"])
                if limit.get("amount") is not None
                else {"unlimited": Text("unlimited", "不限额"), "none": Text("none", "无")}.get(limit["kind"]),
                "used": Decimal(used) if used is not None else None,
                "score": Decimal(answer["score"]) if answer["score"] is not None else None,
                "grade": answer["grade"],
                "level": LEVELS[answer["warning_level"]],
                "hold": bool(answer["hold"]),
                "left_out": _left_out(answer) or None,
            }
        )
    for currency, total in sorted(sums.items()):
        table.totals.append({"customer_id": t("Total", "合计"), "currency": currency, **total})
    lacking = sum(1 for row in table.rows if row["left_out"])
    if lacking:
        table.columns = [*columns, Column("left_out", Text("not in the figures", "未计入金额"))]
        table.notes.append(
            Text(
                "{count} customers have amounts without an exchange rate; figures and totals lack them.",
                "{count} 个客户存在无汇率的金额，各项数字及合计均未包含。",
            ).fill(count=lacking)
        )
    if not rows:
        table.notes.append(
            Text("Nobody owes anything.", "没有客户欠款。")
            if known
            else Text("No customers yet: holdfast run", "还没有客户：请先执行 holdfast run")
        )
    if company and known and not any(_owes(answer) for answer in rows):
        table.notes.append(
            Text(
                "Nothing is booked on “{company}”: write it as the ledger does.",
                "“{company}”名下没有任何账款：请按账簿中的写法填写。",
            ).fill(company=company)
        )
    return table


__all__ = ["CONFIG", "collect", "natural", "register"]
