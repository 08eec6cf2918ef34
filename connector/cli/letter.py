"""`holdfast letter`: what was written to customers, as text with all its figures, or as data for a printer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, language, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Form, OnlyCustomer, Out
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.store.customers import CustomerRow
    from connector.store.dunning import LetterRow


def register(app: typer.Typer) -> None:
    letter = typer.Typer(
        help=t("Demands and notices written to customers.", "发给客户的催款函与到期提醒。"), no_args_is_help=True
    )
    app.add_typer(letter, name="letter")

    @letter.command("list", help=t("Letters, newest first.", "函件清单，最新在前。"))
    def listing(
        context: typer.Context,
        customer_id: OnlyCustomer = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.store import customers, dunning

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            keys = None if customer_id is None else [find(cli, tx, customer_id).key]
            found = dunning.letters(tx, keys)
            rows = {r.key: r for r in customers.customers(tx, keys={one.customer for one in found})} if found else {}
        emit(_listed(found, rows), {"letters": [_plain({"no": one.id, **one.payload}) for one in found]}, form, out)

    @letter.command("show", help=t("One letter in full.", "单封函件全文。"))
    def show(
        context: typer.Context,
        number: Annotated[int, typer.Argument(help=t("Its number.", "编号。"))],
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.store import dunning

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            one = dunning.letter_by_number(tx, number)
        if one is None:
            raise ConfigError(
                Text(
                    "There is no letter {number}: holdfast letter list", "没有第 {number} 号函件：holdfast letter list"
                ).fill(number=number)
            )
        emit(_whole(one), _plain({"no": one.id, **one.payload}), form, out)


def _plain(value: Any) -> Any:
    """Days as text: JSON knows none."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _totals(one: LetterRow) -> list[tuple[str, Decimal]]:
    """What a letter comes to by currency: what it demands with charges; of a notice, what will fall due."""
    if one.level:
        return [(total["currency"], Decimal(total["total"])) for total in one.payload["totals"]]
    due: dict[str, Decimal] = {}
    for item in one.payload["items"]:
        due[item["currency"]] = due.get(item["currency"], Decimal(0)) + Decimal(item["demanded"])
    return list(due.items())


def _listed(found: list[LetterRow], rows: dict[int, CustomerRow]) -> Table:
    table = Table(
        Text("Letters", "函件"),
        [
            Column("id", Text("no.", "编号"), right=True),
            Column("as_of", Text("day", "日期")),
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=1),
            Column("title", Text("title", "标题")),
            Column("level", Text("level", "级别"), right=True),
            Column("total", Text("amount with charges", "金额（含费用）")),
        ],
        [
            {
                "id": one.id,
                "as_of": one.as_of.isoformat(),
                "customer_id": rows[one.customer].ref if one.customer in rows else one.payload["to"]["customer_id"],
                "name": rows[one.customer].name if one.customer in rows else one.payload["to"]["name"],
                "title": one.payload["title"][language()],
                "level": one.level,
                "total": ", ".join(f"{currency} {amount:,f}" for currency, amount in _totals(one)),
            }
            for one in found
        ],
    )
    if not found:
        table.notes.append(Text("No letter was written yet: holdfast dun", "尚无函件：holdfast dun"))
    return table


def _whole(one: LetterRow) -> Table:
    said, tongue = one.payload, language()
    to, ahead = said["to"], one.level == 0
    table = Table(
        Text("Letter {number}", "第 {number} 号函件").fill(number=one.id),
        [
            Column("number", Text("item", "单据"), style="bold"),
            Column("due_on", Text("due", "到期日")),
            Column(
                "days_overdue",
                Text("days to go", "剩余天数") if ahead else Text("days overdue", "逾期天数"),
                right=True,
            ),
            Column("currency", Text("cur.", "币种")),
            Column("open", Text("open", "未清"), right=True),
            Column("demanded", Text("to pay", "应付") if ahead else Text("demanded", "催收"), right=True),
            Column("note", Text("note", "备注")),
        ],
        lead=[
            (f"{to['name']} ({to['customer_id']})", "bold"),
            (said["title"][tongue], "bold"),
            (said["opening"][tongue], ""),
        ],
    )
    for item in said["items"]:
        table.rows.append(
            {
                "number": f"{item['number']}/{item['part']}" if item["part"] and item["number"] else item["number"],
                "due_on": item["due_on"].isoformat() if item["due_on"] else None,
                "days_overdue": -item["days_overdue"] if ahead else item["days_overdue"],
                "currency": item["currency"],
                "open": Decimal(item["open"]),
                "demanded": Decimal(item["demanded"]),
                "note": item["note"][tongue] if item["note"] else None,
            }
        )
        if item.get("statute"):  # letters of before say nothing of it
            name = item["number"] or item["document"]
            table.notes.append(Text(f"{name}: {item['statute']['en']}", f"{name}：{item['statute']['zh']}"))
    for charge in said["charges"]:
        table.rows.append(
            {"number": charge["text"][tongue], "currency": charge["currency"], "demanded": Decimal(charge["amount"])}
        )
    table.totals = [
        {"number": t("Total", "合计"), "currency": currency, "demanded": amount} for currency, amount in _totals(one)
    ]
    table.notes.append(Text(said["closing"]["en"], said["closing"]["zh"]))
    return table
