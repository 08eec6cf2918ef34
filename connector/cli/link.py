"""`holdfast link`: which CRM account is which ERP customer; proposals are confirmed or split by a person."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, Out, natural
from connector.text import Text

if TYPE_CHECKING:
    from connector.store.customers import CustomerRow
    from connector.store.links import ProposalRow

HOW = {
    "external_id": Text("customer no.", "客户编号"),
    "tax_id": Text("tax id", "税号"),
    "name": Text("name", "名称"),
    "person": Text("confirmed", "人工确认"),
    "own": Text("ledger", "账簿"),
    "proposal": Text("proposal?", "建议？"),
    "none": Text("not linked", "未关联"),
}
_PLACE = t("SYSTEM/ID, as `holdfast link list` shows it.", "系统/编号，见 `holdfast link list`。")


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
            apart = links.splits(tx)
            proposals = [p for p in links.proposals(tx) if p.b not in apart.get(p.a, ())]
        owners: dict[int, CustomerRow] = {}
        for row in rows:
            if row.system in erps and row.debtor is not None:
                owners.setdefault(row.debtor, row)
        by_key = {r.key: r for r in rows}
        near_of: dict[int, list[tuple[int, ProposalRow]]] = defaultdict(list)
        for p in proposals:  # the likeliest first
            near_of[p.a].append((p.b, p))
            near_of[p.b].append((p.a, p))
        table = Table(
            Text("Links", "关联"),
            [
                Column("account", Text("CRM account", "CRM 客户"), style="bold"),
                Column("name", Text("name", "名称")),
                Column("customer", Text("ERP customer", "ERP 客户")),
                Column("its_name", Text("its name", "其名称")),
                Column("how", Text("by", "依据")),
                Column("score", Text("alike", "相似度"), right=True, percent=True),
            ],
        )
        answer: list[dict[str, Any]] = []

        def show(row: CustomerRow, other: CustomerRow | None, by: str, score: Decimal | None) -> None:
            place, there = f"{row.system}/{row.ref}", f"{other.system}/{other.ref}" if other else None
            told = {"account": place, "name": row.name, "customer": there, "its_name": other.name if other else None}
            table.rows.append({**told, "how": HOW.get(by, Text(by, by)), "score": score})
            answer.append({**told, "how": by, "score": None if score is None else str(score)})

        counts: Counter[str] = Counter()
        for row in sorted((r for r in rows if r.system in crms), key=lambda r: (r.system, natural(r.ref))):
            owner = owners.get(row.debtor) if row.debtor is not None else None
            if owner is not None:
                counts["linked"] += 1
                if not open_only:
                    show(row, owner, how[row.key].how if row.key in how else "own", None)
                continue
            likely = [(by_key[key], p.score) for key, p in near_of.get(row.key, ()) if key in by_key]
            counts["proposed" if likely else "alone"] += 1
            for other, score in likely:
                show(row, other, "proposal", score)
            if not likely:
                show(row, None, "none", None)
        if not crms:
            table.notes.append(Text("No CRM is configured: holdfast init", "尚未配置 CRM：holdfast init"))
        elif not counts:
            table.notes.append(Text("No CRM accounts yet: holdfast pull", "还没有 CRM 客户：请先执行 holdfast pull"))
        else:
            table.notes.append(
                Text(
                    "{linked} linked, {proposed} with a proposal, {alone} with none.",
                    "已关联 {linked}，有建议 {proposed}，无建议 {alone}。",
                ).fill(linked=counts["linked"], proposed=counts["proposed"], alone=counts["alone"])
            )
        if counts["proposed"]:
            table.notes.append(
                Text(
                    "Proposals are not used until confirmed: holdfast link confirm SYSTEM/ACCOUNT SYSTEM/CUSTOMER",
                    "建议在确认前不会使用：holdfast link confirm 系统/CRM客户 系统/ERP客户",
                )
            )
        emit(table, {"links": answer}, form, out)

    @link.command("confirm", help=t("These two are the same customer.", "这两条记录是同一客户。"))
    def confirm(
        context: typer.Context,
        account: Annotated[str, typer.Argument(help=_PLACE)],
        customer: Annotated[str, typer.Argument(help=_PLACE)],
        who: As = None,
    ) -> None:
        from jobs import links

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            one, other = links.join(tx, cli.config, account, customer, person=person, now=cli.clock.now())
        typer.echo(
            t(
                f"{one.system}/{one.ref} is {other.system}/{other.ref}. It counts from the next run: holdfast run",
                f"{one.system}/{one.ref} 即 {other.system}/{other.ref}。下次运行起生效：holdfast run",
            )
        )

    @link.command(
        "split", help=t("These are not the same customer; never link them again.", "这不是同一客户；今后不再关联。")
    )
    def split(context: typer.Context, account: Annotated[str, typer.Argument(help=_PLACE)], who: As = None) -> None:
        from jobs import links

        cli: Cli = context.obj
        person = cli.acting(who)
        with cli.store.writing() as tx:
            links.part(tx, cli.config, account, person=person, now=cli.clock.now())
        typer.echo(
            t(
                f"{account} stands alone. It counts from the next run: holdfast run",
                f"{account} 已单独列出。下次运行起生效：holdfast run",
            )
        )
