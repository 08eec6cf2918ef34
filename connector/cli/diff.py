"""`holdfast diff CUSTOMER --from DAY --to DAY`: what changed between two days and why, to the cent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, say, t
from connector.cli.output import Column, Format, Table, clean, emit
from connector.cli.report import Customer, Form, Out, bucket_name
from connector.credit.moved_kinds import KINDS
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.moved import Movement
    from connector.store.customers import CustomerRow
    from jobs.compare import Comparison, Day

# The figures that a line shows; all others stand in the JSON.
_SHOWN = ("balance", "overdue", "exposure", "limit")


def register(app: typer.Typer) -> None:
    @app.command(
        "diff", help=t("What changed between two days and why, to the cent.", "两日之间有何变化、因何变化，精确到分。")
    )
    def diff(
        context: typer.Context,
        customer_id: Customer,
        since: Annotated[
            dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help=t("The earlier day.", "较早的日期。"))
        ],
        until: Annotated[
            dt.datetime | None,
            typer.Option(
                "--to", formats=["%Y-%m-%d"], help=t("The later day; else today.", "较晚的日期；缺省为今天。")
            ),
        ] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.explain import find
        from connector.clock import day_in
        from jobs.compare import compare

        cli: Cli = context.obj
        start = since.date()
        end = until.date() if until else day_in(cli.clock.now(), cli.config.business.time_zone)
        if start > end:
            raise ConfigError(Text("--from comes after --to.", "--from 晚于 --to。"))
        with cli.store.reading() as tx:
            row = find(cli, tx, customer_id)
            found = compare(tx, cli.config, cli.policy, cli.clock, row.debtor, start, end) if row.debtor else None
        if found is None:
            raise ConfigError(
                Text("{ref} is not linked yet: holdfast run", "{ref} 尚未关联：请先执行 holdfast run").fill(ref=row.ref)
            )
        emit(lambda: _table(row, found), _answer(row, found), form, out)


def _answer(row: CustomerRow, found: Comparison) -> dict[str, Any]:
    return {
        "customer_id": row.ref,
        "system": row.system,
        "name": row.name,
        "currency": found.currency,
        "from": _day(found.start),
        "to": _day(found.end),
        "moved": [_movement(m) for m in found.moved],
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "known": _money(day.known),
        "shown": None if day.shown is None else _money(day.shown),
        "decision": day.decision,
        "back_posted": [_movement(m) for m in day.back_posted],
    }


def _money(amounts: Any) -> dict[str, str]:
    return {name: f"{amount:f}" for name, amount in amounts.items()}


def _movement(m: Movement) -> dict[str, Any]:
    return {
        "kind": m.kind,
        "system": m.system or None,
        "id": m.ref or None,
        "number": m.number,
        "day": m.day.isoformat() if m.day else None,
        "what": {"en": m.what.en, "zh": m.what.zh},
        "figures": _money(m.figures),
    }


def _table(row: CustomerRow, found: Comparison) -> Table:
    start, end = found.start.day.isoformat(), found.end.day.isoformat()
    table = Table(
        Text(f"What moved after {start} up to {end}", f"{start} 之后至 {end} 的变动"),
        _columns(),
        list(_lines(found.moved)),
        lead=[*_lead(row, found), ("", "")],
    )
    table.totals = [_total(found.moved)] if found.moved else []
    if not found.moved:
        table.notes.append(Text("Nothing moved.", "没有变动。"))
    for day in (found.start, found.end) if found.start.day < found.end.day else (found.start,):
        if day.back_posted:
            title = Text(
                f"Posted back or changed since {day.day} was shown", f"{day.day} 的数字展示之后补记或更改的内容"
            )
            table.more.append(Table(title, _columns(), list(_lines(day.back_posted)), [_total(day.back_posted)]))
        elif day.shown is None and day.decision is None:
            table.notes.append(
                Text(
                    f"Of {day.day} no decision with its inputs is kept: its figures are those known now.",
                    f"{day.day} 没有留存依据的信用结论：所列为目前所知的数字。",
                )
            )
    return table


def _columns() -> list[Column]:
    return [
        Column("day", Text("day", "日期")),
        Column("kind", Text("kind", "类型")),
        Column("ref", Text("document", "单据"), style="bold"),
        Column("what", Text("what happened", "发生了什么")),
        Column("balance", Text("balance", "余额"), right=True, spare=2),
        Column("overdue", Text("overdue", "逾期"), right=True, spare=1),
        Column("exposure", Text("exposure", "信用占用"), right=True),
        Column("limit", Text("limit", "额度"), right=True, spare=3),
    ]


def _lines(movements: Iterable[Movement]) -> Iterator[dict[str, Any]]:
    for m in movements:
        yield {
            "day": m.day.isoformat() if m.day else None,
            "kind": KINDS[m.kind],
            "ref": m.number or m.ref or None,
            "what": m.what,
            **{name: m.figures.get(name) for name in _SHOWN},
        }


def _total(movements: Iterable[Movement]) -> dict[str, Any]:
    sums: dict[str, Decimal] = {}
    for m in movements:
        for name in _SHOWN:
            if name in m.figures:
                sums[name] = sums.get(name, Decimal(0)) + m.figures[name]
    return {"day": t("Total", "合计"), **sums}


def _lead(row: CustomerRow, found: Comparison) -> Iterator[tuple[str, str]]:
    """Who it is, and every figure that is not the same on both days: as it was shown, as it is known now, and later."""
    from connector.cli.drawing import cell_len, padded
    from connector.credit.moved_figures import NAMES

    yield f"{row.ref}  {clean(row.name or '')}  {found.currency}", "bold"
    start, end = found.start, found.end
    shown = start.shown
    heads = [
        *([t(f"{start.day} as shown", f"{start.day} 当时")] if shown is not None else []),
        t(f"{start.day} known now", f"{start.day} 现知") if shown is not None else f"{start.day}",
        f"{end.day}",
        t("change", "变动"),
    ]
    lines = []
    for name in {**start.known, **end.known}:
        before, after = start.known.get(name), end.known.get(name)
        was = shown.get(name) if shown is not None else before
        if not any((before, after, was)):
            continue
        change = (after or Decimal(0)) - (was or Decimal(0))
        values = [*([was] if shown is not None else []), before, after, change]
        title = bucket_name(name.removeprefix("bucket ")) if name.startswith("bucket ") else NAMES[name]
        lines.append((say(title), ["" if v is None else f"{v:,f}" for v in values]))
    left = max((cell_len(title) for title, _ in lines), default=0)
    widths = [max(cell_len(h), *(cell_len(v[n]) for _, v in lines), 0) for n, h in enumerate(heads)]
    for name, cells in [("", heads), *lines]:
        row_of = "  ".join(padded(cell, width, right=True) for cell, width in zip(cells, widths, strict=True))
        yield f"  {padded(name, left)}  {row_of}".rstrip(), "" if name else "dim"
