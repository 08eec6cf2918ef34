"""`holdfast charge`: fees and late interest claimed from customers, and those that were paid or waived."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.common import Cli, say, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Customer, Form, OnlyCustomer, Out
from connector.errors import ConfigError
from connector.text import Text, joined

if TYPE_CHECKING:
    from connector.credit.dun_letter import Charged
    from connector.store.customers import CustomerRow

KINDS = {"fee": Text("fee", "催收费用"), "interest": Text("late interest", "逾期利息")}


def register(app: typer.Typer) -> None:
    charge = typer.Typer(
        help=t("Fees and late interest claimed from customers.", "向客户主张的催收费用与逾期利息。"),
        no_args_is_help=True,
    )
    app.add_typer(charge, name="charge")

    @charge.command("list", help=t("What is claimed and not settled.", "已主张且未结清的费用与利息。"))
    def listing(
        context: typer.Context,
        customer_id: OnlyCustomer = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.store import customers, dunning
        from jobs.dun import charged

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            keys = None if customer_id is None else [find(cli, tx, customer_id).key]
            every = dunning.charges(tx, keys)
            rows = {r.key: r for r in customers.customers(tx, keys={one.customer for one in every})} if every else {}
        open_ones = [
            (rows[key], one)
            for key in sorted({one.customer for one in every if one.customer in rows})
            for one in charged([c for c in every if c.customer == key])
        ]
        answer = [
            {
                "system": row.system,
                "customer_id": row.ref,
                "kind": one.kind,
                "document_id": one.document or None,
                "instalment": one.part or None,
                "to_on": one.to_on.isoformat(),
                "currency": one.currency,
                "amount": str(one.amount),
            }
            for row, one in open_ones
        ]
        emit(_table(open_ones), {"charges": answer}, form, out)

    @charge.command(
        "settle", help=t("Write down that a charge was paid or is waived.", "登记费用或利息已支付或已减免。")
    )
    def settle(
        context: typer.Context,
        customer_id: Customer,
        kind: Annotated[str, typer.Option("--kind", help=t("fee or interest.", "fee 费用或 interest 利息。"))],
        why: Annotated[
            str, typer.Option("--why", "--because", help=t("Paid by what, or why waived.", "付款依据或减免理由。"))
        ],
        document: Annotated[
            str, typer.Option("--document", help=t("The invoice the interest is on, by its id.", "利息所属单据编号。"))
        ] = "",
        actor: As = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from connector.credit.authority import ROLE_NAMES
        from connector.policy_approval import DECIDING
        from connector.store import audit, dunning
        from jobs.dun import charged

        cli: Cli = context.obj
        if kind not in KINDS:
            raise ConfigError(Text("--kind: fee or interest.", "--kind：fee 或 interest。"))
        now, today = cli.clock.now(), day_in(cli.clock.now(), cli.config.business.time_zone)
        person = cli.acting(actor)
        if not person.roles & DECIDING:
            raise ConfigError(
                Text(
                    "{name} may not settle charges: that is for {roles}.", "{name}无权结清费用：须由{roles}办理。"
                ).fill(
                    name=person.name or person.id,
                    roles=joined([ROLE_NAMES[role] for role in sorted(DECIDING)], ", ", "、"),
                )
            )
        with cli.store.writing() as tx:
            row = find(cli, tx, customer_id)
            every = dunning.charges(tx, [row.key])
            meant = [one for one in charged(every) if one.kind == kind and one.document == document]
            if not meant:
                raise ConfigError(
                    Text(
                        "Nothing of that kind is claimed: holdfast charge list {ref}",
                        "没有此类未结清的费用或利息：holdfast charge list {ref}",
                    ).fill(ref=row.ref)
                )
            made = [
                dunning.Charge(
                    row.key, row.system, one.document, one.part, f"{kind}_settled", 0, None, today, None, one.currency,
                    -one.amount, f"settled:{row.system}:{row.ref}:{kind}:{one.document}/{one.part}:{len(every)}:{n}",
                )
                for n, one in enumerate(meant)
            ]  # fmt: skip
            dunning.keep_charges(tx, made, now)
            after = {"kind": kind, "document": document, "amounts": [f"{c.currency} {-c.amount}" for c in made]}
            audit.append(
                tx,
                [audit.Entry("charge.settle", f"customer:{row.system}/{row.ref}", person.actor, why, after=after)],
                now,
            )
        for one in meant:
            typer.echo(
                t(
                    f"Settled: {say(one.text)}, {one.currency} {one.amount:,f}.",
                    f"已结清：{say(one.text)}，{one.currency} {one.amount:,f}。",
                )
            )


def _table(found: list[tuple[CustomerRow, Charged]]) -> Table:
    table = Table(
        Text("Fees and late interest", "催收费用与逾期利息"),
        [
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=1),
            Column("kind", Text("kind", "类别")),
            Column("document", Text("document", "单据")),
            Column("to_on", Text("up to", "截至")),
            Column("currency", Text("cur.", "币种")),
            Column("amount", Text("amount", "金额"), right=True),
        ],
        [
            {
                "customer_id": row.ref,
                "name": row.name,
                "kind": KINDS[one.kind],
                "document": f"{one.document}/{one.part}" if one.part else one.document,
                "to_on": one.to_on.isoformat(),
                "currency": one.currency,
                "amount": one.amount,
            }
            for row, one in found
        ],
    )
    sums: dict[str, Decimal] = {}
    for _, one in found:
        sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.amount
    table.totals = [
        {"customer_id": t("Total", "合计"), "currency": currency, "amount": amount}
        for currency, amount in sorted(sums.items())
    ]
    if not found:
        table.notes.append(Text("Nothing is claimed.", "没有已主张的费用或利息。"))
    return table
