"""`holdfast contact`: what was said with a customer, what it promised, and proof of what has reached it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, near, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Customer, Form, OnlyCustomer, Out
from connector.cli.words import who
from connector.errors import ConfigError
from connector.text import Text
from jobs.contact_words import KINDS as KINDS
from jobs.contact_words import RESULTS as RESULTS

if TYPE_CHECKING:
    from connector.store import Connection
    from connector.store.contacts import Contact
    from connector.store.customers import CustomerRow

_MOST_BYTES = 50 * 1024 * 1024
Day = Annotated[
    dt.datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help=t("The day it happened; else today.", "发生日期；缺省为今天。")),
]


def register(app: typer.Typer) -> None:
    contact = typer.Typer(
        help=t("Calls, promises and proof of delivery.", "电话、付款承诺与送达凭证。"), no_args_is_help=True
    )
    app.add_typer(contact, name="contact")

    @contact.command("add", help=t("Write down a contact with a customer.", "记录一次与客户的联系。"))
    def add(
        context: typer.Context,
        customer_id: Customer,
        kind: Annotated[
            str | None,
            typer.Option(
                "--kind",
                help=t(
                    "phone, email, visit, delivery, acknowledgement, suit.",
                    "phone 电话、email 邮件、visit 拜访、delivery 送达、acknowledgement 确认债务、suit 起诉。",
                ),
            ),
        ] = None,
        result: Annotated[
            str | None,
            typer.Option(
                "--result",
                help=t(
                    "reached, promised, disputed, refused, no_answer, wrong_contact.",
                    "reached 接通、promised 承诺付款、disputed 有异议、refused 拒付、no_answer 无人接听、wrong_contact 联系方式有误。",
                ),
            ),
        ] = None,
        note: Annotated[str, typer.Option("--note", help=t("What was said.", "沟通内容。"))] = "",
        on: Day = None,
        document: Annotated[
            str | None,
            typer.Option("--document", help=t("The invoice it is about, by its number or id.", "所涉单据编号。")),
        ] = None,
        promise_on: Annotated[
            dt.datetime | None,
            typer.Option(
                "--promise-on", formats=["%Y-%m-%d"], help=t("The day payment is promised for.", "承诺付款日期。")
            ),
        ] = None,
        amount: Annotated[str | None, typer.Option("--amount", help=t("What is promised.", "承诺金额。"))] = None,
        currency: Annotated[
            str | None,
            typer.Option("--currency", help=t("Of the amount; else the customer's.", "金额币种；缺省为客户币种。")),
        ] = None,
        letter: Annotated[
            int | None, typer.Option("--letter", help=t("The letter that was delivered.", "已送达的函件编号。"))
        ] = None,
        proof: Annotated[
            Path | None,
            typer.Option("--proof", help=t("A file that proves the delivery.", "送达凭证文件。")),
        ] = None,
        actor: As = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from connector.config_people import acting
        from connector.store import contacts
        from jobs import contact_log

        cli: Cli = context.obj
        if (proof is not None or letter is not None) and kind not in (None, "delivery"):
            raise ConfigError(
                Text("--proof and --letter are of kind delivery.", "--proof 与 --letter 仅用于 delivery（送达）。")
            )
        kind = _known(kind or ("delivery" if proof is not None or letter is not None else "phone"), KINDS, "kind")
        result = _known(result, RESULTS, "result") if result is not None else ("promised" if promise_on else None)
        today = day_in(cli.clock.now(), cli.config.business.time_zone)
        day = on.date() if on else today
        if day > today:
            raise ConfigError(Text("--on: that day is still to come.", "--on：该日期尚未到来。"))
        if kind == "delivery" and letter is None and document is None:
            raise ConfigError(
                Text("Say what was delivered: --letter or --document.", "请说明送达的内容：--letter 或 --document。")
            )
        file = _hashed(proof) if proof is not None else (None, None, None)
        who = acting(cli.config.people, actor).actor
        with cli.store.writing() as tx:
            row = find(cli, tx, customer_id)
            document = _checked(tx, row, letter, document)
            money = _promise(row, cli.config.business.currency, promise_on, amount, currency, day, result == "promised")
            one = contacts.Contact(
                customer=row.key, on=day, kind=kind, actor=who, result=result, note=note, document=document,
                letter=letter, promise_on=money[0], amount=money[1], currency=money[2],
                file_name=file[0], file_sha=file[1], file_size=file[2],
            )  # fmt: skip
            number = contact_log.write(tx, cli.clock, row, one)
        typer.echo(t(f"Written down as no. {number}.", f"已记录，编号 {number}。"))

    @contact.command("list", help=t("What was said, newest first.", "联系记录，最新在前。"))
    def listing(
        context: typer.Context,
        customer_id: OnlyCustomer = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.store import contacts
        from connector.store import customers as all_customers

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            keys = None if customer_id is None else [find(cli, tx, customer_id).key]
            found = contacts.contacts(tx, keys)
            rows = {r.key: r for r in all_customers.customers(tx, keys={c.customer for c in found})} if found else {}
        table = _table(cli, found, rows)
        emit(table, {"contacts": [_answer(one, rows) for one in found]}, form, out)


def _known(word: str, known: dict[str, Text], option: str) -> str:
    if word not in known:
        raise ConfigError(
            Text("--{option} {word}: one of {known}. {near}", "--{option} {word}：可选 {known}。{near}").fill(
                option=option,
                word=word,
                known=", ".join(known),
                near=Text("Near: {near}.", "相近：{near}。").fill(near=near(word, list(known))),
            )
        )
    return word


def _hashed(path: Path) -> tuple[str, str, int]:
    """Name, SHA-256 and size of a file."""
    import hashlib

    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ConfigError(
                Text("{path} is larger than {most} MB.", "{path} 超过 {most} MB。").fill(
                    path=path, most=_MOST_BYTES // 1024 // 1024
                )
            )
        with path.open("rb") as file:
            return path.name, hashlib.file_digest(file, "sha256").hexdigest(), size
    except OSError as wrong:
        raise ConfigError(
            Text("{path} cannot be read: {why}.", "无法读取 {path}：{why}。").fill(
                path=path, why=wrong.strerror or type(wrong).__name__
            )
        ) from None


def _checked(tx: Connection, row: CustomerRow, letter: int | None, document: str | None) -> str | None:
    """The id of the document. ConfigError where the letter or the document is not this customer's."""
    from connector.store import debts, dunning

    if letter is not None:
        found = dunning.letter_by_number(tx, letter)
        if found is None or found.customer != row.key:
            mine = ", ".join(str(one.id) for one in dunning.letters(tx, [row.key], 8)) or "-"
            raise ConfigError(
                Text(
                    "Letter {number} was not written to {customer}. Its letters: {mine}.",
                    "第 {number} 号函件并非发给 {customer}。该客户的函件：{mine}。",
                ).fill(number=letter, customer=row.name, mine=mine)
            )
    known = None if document is None else debts.ref_of(tx, row.key, document)
    if document is not None and known is None:
        raise ConfigError(
            Text(
                "{customer} has no document {document}: holdfast explain {ref}",
                "{customer} 没有单据 {document}：holdfast explain {ref}",
            ).fill(customer=row.name, document=document, ref=row.ref)
        )
    return known


def _promise(
    row: CustomerRow,
    home: str,
    promise_on: dt.datetime | None,
    amount: str | None,
    currency: str | None,
    day: dt.date,
    promised: bool,
) -> tuple[dt.date | None, Decimal | None, str | None]:
    """Day, amount and currency of a promise. ConfigError where one of them is missing or cannot be."""
    from connector.money import from_minor, is_currency, parse, to_minor_exact

    if promise_on is None and amount is None and not promised:
        return None, None, None
    if promise_on is None or amount is None:
        raise ConfigError(
            Text(
                "A promise has a day and an amount: --promise-on and --amount.",
                "付款承诺须有日期和金额：--promise-on 与 --amount。",
            )
        )
    if promise_on.date() < day:
        raise ConfigError(Text("--promise-on: that is before the day of the contact.", "--promise-on：早于联系日期。"))
    wanted = currency or row.currency or home
    if not is_currency(wanted):
        raise ConfigError(
            Text("--currency: three capital letters, such as CNY.", "--currency：三位大写字母，例如 CNY。")
        )
    try:
        value = from_minor(to_minor_exact(parse(amount), wanted), wanted)
    except ValueError:
        value = Decimal(0)
    if value <= 0:
        raise ConfigError(
            Text(
                "--amount: a plain number above zero, such as 12000.00, with the decimals of {currency}.",
                "--amount：请填写大于零的数字，例如 12000.00，小数位须符合 {currency}。",
            ).fill(currency=wanted)
        )
    return promise_on.date(), value, wanted


def _table(cli: Cli, found: list[Contact], rows: dict[int, CustomerRow]) -> Table:
    table = Table(
        Text("Contacts", "联系记录"),
        [
            Column("on", Text("day", "日期")),
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=3),
            Column("kind", Text("how", "方式")),
            Column("result", Text("result", "结果")),
            Column("document", Text("document", "单据"), spare=2),
            Column("promise", Text("promise", "付款承诺")),
            Column("proof", Text("proof", "凭证"), spare=1),
            Column("note", Text("note", "内容")),
            Column("actor", Text("by", "记录人"), spare=4),
        ],
        [
            {
                "on": one.on.isoformat(),
                "customer_id": rows[one.customer].ref if one.customer in rows else None,
                "name": rows[one.customer].name if one.customer in rows else None,
                "kind": KINDS.get(one.kind),
                "result": RESULTS.get(one.result or ""),
                "document": one.document or (t(f"letter {one.letter}", f"函件 {one.letter}") if one.letter else None),
                "promise": f"{one.promise_on} {one.currency} {one.amount:,f}" if one.promise_on else None,
                "proof": f"{one.file_name} ({one.file_sha[:12]}…)" if one.file_name and one.file_sha else None,
                "note": one.note,
                "actor": who(cli, one.actor),
            }
            for one in found
        ],
    )
    if not found:
        table.notes.append(Text("Nothing is written down yet: holdfast contact add", "尚无记录：holdfast contact add"))
    return table


def _answer(one: Contact, rows: dict[int, CustomerRow]) -> dict[str, Any]:
    from connector.money import show

    row = rows.get(one.customer)
    return {
        "id": one.id,
        "system": row.system if row else None,
        "customer_id": row.ref if row else None,
        "on": one.on.isoformat(),
        "kind": one.kind,
        "result": one.result,
        "note": one.note,
        "document_id": one.document,
        "letter": one.letter,
        "promise_on": one.promise_on.isoformat() if one.promise_on else None,
        "amount": show(one.amount, one.currency) if one.amount is not None and one.currency else None,
        "currency": one.currency,
        "file": one.file_name,
        "sha256": one.file_sha,
        "actor": one.actor,
    }
