"""`holdfast link`: which CRM account is which ERP customer; proposals are confirmed or split by a person."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from connector.adapter import nearest
from connector.cli.common import Cli, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out
from connector.errors import ConfigError
from connector.text import Text

HOW = {
    "external_id": Text("customer no.", "客户编号"),
    "tax_id": Text("tax id", "税号"),
    "name": Text("name", "名称"),
    "person": Text("confirmed", "人工确认"),
    "own": Text("ledger", "账簿"),
}


def register(app: typer.Typer) -> None:
    link = typer.Typer(
        help=t("Which CRM account is which ERP customer.", "CRM 客户与 ERP 客户的对应关系。"), no_args_is_help=True
    )
    app.add_typer(link, name="link")

    @link.command("list", help=t("Links, what is not linked, and proposals.", "已关联、未关联与建议。"))
    def listing(
        context: typer.Context,
        form: Form = Format.table,
        out: Out = None,
        open_only: Annotated[
            bool, typer.Option("--open", help=t("Only what needs a person.", "仅需要人工处理的。"))
        ] = False,
    ) -> None:
        from connector.store import customers, links

        cli: Cli = context.obj
        erps = {s.name for s in cli.config.with_role("erp")}
        crms = {s.name for s in cli.config.with_role("crm")} - erps
        with cli.store.reading() as tx:
            rows = [r for r in customers.customers(tx) if r.known]
            how = {r.customer: r for r in links.linked(tx)}
            proposals = links.proposals(tx)
        owners: dict[int, Any] = {}
        for row in rows:
            if row.system in erps and row.debtor is not None:
                owners.setdefault(row.debtor, row)
        by_key = {r.key: r for r in rows}
        near_of = {one: (other, p) for p in proposals for one, other in ((p.a, p.b), (p.b, p.a))}
        table = Table(
            Text("Links", "关联"),
            [
                Column("account", Text("CRM account", "CRM 客户"), style="bold"),
                Column("name", Text("name", "名称")),
                Column("customer", Text("ERP customer", "ERP 客户")),
                Column("its_name", Text("its name", "其名称")),
                Column("how", Text("by", "依据")),
                Column("score", Text("score", "相似度"), right=True),
            ],
        )
        for row in rows:
            if row.system not in crms:
                continue
            owner = owners.get(row.debtor) if row.debtor is not None else None
            other, proposal = near_of.get(row.key, (None, None)) if owner is None else (None, None)
            near = by_key.get(other) if other is not None else None
            if open_only and owner is not None:
                continue
            shown = owner or near
            table.rows.append(
                {
                    "account": f"{row.system}/{row.ref}",
                    "name": row.name,
                    "customer": f"{shown.system}/{shown.ref}" if shown else None,
                    "its_name": shown.name if shown else None,
                    "how": (HOW.get(how[row.key].how) if owner and row.key in how else None)
                    or (Text("proposal?", "建议？") if near else Text("not linked", "未关联")),
                    "score": proposal.score if proposal and near else None,
                }
            )
        answer = [
            {
                k: (v.en if isinstance(v, Text) else (str(v) if k == "score" and v is not None else v))
                for k, v in r.items()
            }
            for r in table.rows
        ]
        if any(r["score"] is not None for r in table.rows):
            table.notes.append(
                Text(
                    "Proposals are not used until confirmed: holdfast link confirm SYSTEM/ACCOUNT SYSTEM/CUSTOMER",
                    "建议在确认前不会使用：holdfast link confirm 系统/客户 系统/客户",
                )
            )
        emit(table, {"links": answer}, form, out)

    @link.command("confirm", help=t("These two are the same customer.", "这两条记录是同一客户。"))
    def confirm(
        context: typer.Context,
        account: Annotated[str, typer.Argument(help="SYSTEM/ID")],
        customer: Annotated[str, typer.Argument(help="SYSTEM/ID")],
    ) -> None:
        from connector.store import links

        cli: Cli = context.obj
        with cli.store.writing() as tx:
            one, other = _row(tx, account), _row(tx, customer)
            if other.debtor is None:
                one, other = other, one
            if other.debtor is None:
                raise ConfigError(
                    Text(
                        "Neither of them owns a ledger yet: holdfast pull",
                        "两者都还没有账簿数据：请先执行 holdfast pull",
                    )
                )
            links.join(tx, one.key, other.key)
        typer.echo(t(f"{account} is {customer}.", f"{account} 即 {customer}。"))

    @link.command(
        "split", help=t("These are not the same customer; never link them again.", "这不是同一客户；今后不再关联。")
    )
    def split(
        context: typer.Context,
        account: Annotated[str, typer.Argument(help="SYSTEM/ID")],
    ) -> None:
        from connector.store import links

        cli: Cli = context.obj
        with cli.store.writing() as tx:
            links.split(tx, _row(tx, account).key)
        typer.echo(t(f"{account} stands alone now.", f"{account} 已单独列出。"))


def _row(tx: Any, name: str) -> Any:
    from connector.store import customers

    system, _, ref = name.partition("/")
    rows = customers.customers(tx, systems=[system]) if ref else []
    for row in rows:
        if row.ref == ref:
            return row
    raise ConfigError(
        Text(
            "There is no {name}; write SYSTEM/ID. Near: {near}.", "没有 {name}；请写成 系统/编号。相近：{near}。"
        ).fill(name=name, near=nearest(ref, [r.ref for r in rows][:3000])[:160] if rows else "-")
    )
