"""`holdfast order ask|reservations|return`: would an order that is in no system yet pass; credit that is kept for one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import PROBLEMS, Cli, say, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import HoldfastError, Missing
from connector.text import Text, joined, same

if TYPE_CHECKING:
    from jobs.check_asked import Asked


def ask(group: typer.Typer) -> None:
    """`holdfast order ask`."""

    @group.command(
        "ask",
        help=t(
            "Would an order pass that is in no system yet? All reasons, and the way out. Exit 1 where it would be held.",
            "检查尚未录入任何系统的订单能否通过，列出全部原因与解除措施；会被冻结时退出码为 1。",
        ),
    )
    def command(
        context: typer.Context,
        customer: Annotated[
            str,
            typer.Argument(
                metavar="CUSTOMER",
                help=t(
                    "Its id, SYSTEM/ID, tax number, or a part of its name.", "客户编号、系统/编号、税号或名称的一部分。"
                ),
            ),
        ],
        amount: Annotated[
            str | None, typer.Option(metavar="AMOUNT", help=t("The order's gross amount.", "订单含税金额。"))
        ] = None,
        currency: Annotated[
            str | None, typer.Option(metavar="CODE", help=t("Else the customer's own.", "缺省为客户币种。"))
        ] = None,
        terms: Annotated[str | None, typer.Option(help=t("Payment terms.", "付款条件。"))] = None,
        ship_date: Annotated[
            str | None, typer.Option("--ship-date", metavar="DAY", help=t("Requested ship date.", "要求发货日。"))
        ] = None,
        order: Annotated[
            str | None,
            typer.Option(help=t("The id or number that it has or will have.", "该订单现有或将有的编号。")),
        ] = None,
        point: Annotated[
            str, typer.Option(help=t("The check point, see order check.", "检查点，参见 order check。"))
        ] = "confirmation",
        key: Annotated[
            str | None,
            typer.Option(help=t("The same key gets the same answer.", "幂等键：相同的键得到相同的答复。")),
        ] = None,
        reserve: Annotated[
            int | None,
            typer.Option(metavar="MINUTES", help=t("Keep the credit for so long.", "预留额度的分钟数。")),
        ] = None,
        simulate: Annotated[bool, typer.Option("--simulate", help=t("Leave no trace.", "不留任何痕迹。"))] = False,
        who: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from jobs.check_asked import asked_of

        cli: Cli = context.obj
        given: dict[str, Any] = {
            "customer": customer,
            "amount": amount.replace(",", "") if amount is not None else None,
            "currency": currency,
            "terms": terms,
            "ship_date": ship_date,
            "order": order,
            "point": point,
            "simulate": simulate,
            "key": key,
        }
        if reserve is not None:
            given |= {"reserve": True, "reserve_minutes": reserve}
        body = _answered(cli, asked_of(given, cli.acting(who).actor))
        emit(shown(body), body, form, out)
        if body["result"] == "hold":
            raise typer.Exit(PROBLEMS)


def _answered(cli: Cli, asked: Asked) -> dict[str, Any]:
    from dataclasses import replace

    from connector.cli.explain import find
    from jobs.check import check_all
    from jobs.night import connected_systems

    systems = connected_systems(cli.config, cli.clock, store=cli.store)
    (found,) = check_all(cli.store, cli.config, cli.policy, cli.clock, [asked], systems)
    if isinstance(found, Missing):
        # A person may name a customer by words.
        with cli.store.reading() as tx:
            row = find(cli, tx, asked.customer)
        named = replace(asked, customer=f"{row.system}/{row.ref}")
        (found,) = check_all(cli.store, cli.config, cli.policy, cli.clock, [named], systems)
    if isinstance(found, HoldfastError):
        raise found
    return found.body


RESULTS = {
    "pass": (Text("It would pass.", "可以通过。"), "bold green"),
    "warn": (Text("It would pass, with warnings.", "可以通过，但有提示。"), "bold yellow"),
    "hold": (Text("It would be held.", "将被冻结。"), "bold red"),
}
KINDS = {
    "reason": Text("reason", "原因"),
    "warning": Text("warning", "提示"),
    "set_aside": Text("set aside", "已设例外"),
    "remedy": Text("way out", "解除措施"),
}


def shown(body: dict[str, Any]) -> Table:
    """An answer as a table for people."""
    whose, credit = body["customer"], body["credit"]
    title = Text("{name} ({ref}): an order of {amount} {currency}", "{name}（{ref}）：{amount} {currency} 的订单").fill(
        name=whose["name"], ref=f"{whose['system']}/{whose['id']}", amount=body["amount"], currency=body["currency"]
    )
    rows = [
        {"kind": KINDS[kind], "rule": one.get("rule") or one.get("kind"), "text": Text(one["en"], one["zh"])}
        for kind, many in (
            ("reason", body["reasons"]),
            ("warning", body["warnings"]),
            ("set_aside", body["set_aside"]),
            ("remedy", body["remedies"]),
        )
        for one in many
    ]
    table = Table(
        title,
        [
            Column("kind", Text("what", "类别")),
            Column("rule", Text("rule", "规则")),
            Column("text", Text("text", "说明")),
        ],
        rows,
    )
    word, style = RESULTS[body["result"]]
    left = Text("available {available} of {limit} {currency}", "可用额度 {available} / {limit} {currency}").fill(
        available=credit["available"] or "-", limit=credit["limit"] or credit["limit_kind"], currency=credit["currency"]
    )
    table.lead.append((say(joined([word, left], " ", "")), style))
    if (kept := body["reservation"]) is not None:
        words = Text("Reserved under number {id} until {until}.", "已预留，编号 {id}，有效至 {until}。")
        table.notes.append(words.fill(id=kept["id"], until=kept["valid_until"]))
    return table


def reservations(group: typer.Typer) -> None:
    """`holdfast order reservations`."""

    @group.command("reservations", help=t("Credit that is kept for orders to come.", "为尚未录入的订单预留的额度。"))
    def command(context: typer.Context, form: Form = Format.table, out: Out = None) -> None:
        from connector.money import show
        from connector.store import customers
        from connector.store import reservations as kept

        cli: Cli = context.obj
        now: dt.datetime = cli.clock.now()
        with cli.store.reading() as tx:
            found = [one for some in kept.standing(tx, now).values() for one in some]
            names = {row.key: row for row in customers.customers(tx, keys=[one.customer for one in found])}
        rows = [
            {
                "id": one.id,
                "customer": f"{names[one.customer].system}/{names[one.customer].ref}",
                "name": names[one.customer].name,
                "order": one.ref or "",
                "amount": show(one.total, one.currency),
                "currency": one.currency,
                "by": one.by,
                "until": one.valid_until.isoformat(timespec="seconds"),
            }
            for one in sorted(found, key=lambda one: one.id)
        ]
        columns = [
            Column("id", Text("number", "编号"), right=True),
            Column("customer", Text("customer", "客户")),
            Column("name", Text("name", "名称"), spare=1),
            Column("order", Text("order", "订单")),
            Column("amount", Text("amount", "金额"), right=True),
            Column("currency", Text("currency", "币种")),
            Column("by", Text("by", "预留人"), spare=2),
            Column("until", Text("until", "有效至")),
        ]
        emit(Table(Text("Reservations", "额度预留"), columns, rows), {"reservations": rows}, form, out)


def give_back(group: typer.Typer) -> None:
    """`holdfast order return`."""

    @group.command("return", help=t("Give back credit that is kept.", "释放预留的额度。"))
    def command(
        context: typer.Context,
        number: Annotated[
            int, typer.Argument(metavar="NUMBER", help=t("See order reservations.", "参见 order reservations。"))
        ],
        who: As = None,
    ) -> None:
        from connector.money import show
        from jobs import check_return

        cli: Cli = context.obj
        person = cli.acting(who)
        anybodys = person.alone or "credit_controller" in person.roles
        done = check_return.give_back(cli.store, cli.clock, number, person.actor, anybodys=anybodys)
        words = Text("{amount} {currency} are free again.", "{amount} {currency} 的额度已释放。")
        print(say(words.fill(amount=show(done.total, done.currency), currency=same(done.currency))))
