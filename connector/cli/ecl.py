"""`holdfast report ecl`: the allowance for expected credit loss 预期信用损失, as the table that an auditor asks for."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import typer

from connector.cli.common import Cli, bars, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.portfolio import plain, said
from connector.cli.report import AsOf, Form, Out, bucket_name
from connector.credit import ecl
from connector.money import rounded
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.ecl import LossRate
    from jobs.ecl import Provision

ZERO, HUNDRED = Decimal(0), Decimal(100)


def register_under(report: typer.Typer) -> None:
    """Adds the command to the group of reports."""

    @report.command(
        "ecl",
        help=t(
            "Expected credit loss: the provision matrix, where its rates come from, and what ties it to the ledger.",
            "预期信用损失：减值矩阵、损失率来源，以及与账簿的核对。",
        ),
    )
    def ecl_report(context: typer.Context, as_of: AsOf = None, form: Form = Format.table, out: Out = None) -> None:
        from connector.clock import day_in
        from jobs.ecl import provision

        cli: Cli = context.obj
        day = as_of.date() if as_of else day_in(cli.clock.now(), cli.config.business.time_zone)
        with bars() as watch, cli.store.reading() as tx:
            found = provision(tx, cli.config, cli.policy, cli.clock, day, said(watch))
        emit(lambda: table(found), as_json(found), form, out)


def table(found: Provision) -> Table:
    """The matrix, and behind it those assessed by themselves, the evidence, the movement and the reconciliation."""
    made = _matrix(found)
    made.more = [_assessed(found), _evidence(found), _movement(found), _reconciliation(found)]
    if not found.assessed:
        del made.more[0]
    return made


def _money(found: Provision, amount: Decimal) -> Decimal:
    return rounded(amount, found.currency)


def _percent(rate: Decimal | None, places: int = 4) -> Decimal | None:
    return None if rate is None else (rate * HUNDRED).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def segment_name(segment: str) -> Text:
    """The name of a segment; what has none is one, too."""
    return Text(segment, segment) if segment else Text("(no segment)", "（未分客群）")


_METHODS = {
    "migration": Text("migration", "迁徙率法"),
    "cohort": Text("cohort", "队列法"),
    "fixed": Text("fixed by policy", "政策固定"),
}
_SCOPES = {
    "segment": Text("own past, {count} months", "本客群历史，{count} 个月"),
    "book": Text("whole book, {count} months", "全部客户历史，{count} 个月"),
    "policy": Text("policy", "政策"),
}


def source(rate: LossRate) -> Text:
    """Where a rate comes from, with the observations behind it."""
    if rate.method == "fixed":
        return _METHODS["fixed"]
    if rate.scope == "policy":
        return Text("loss of the last bucket by policy", "末段损失率（政策）")
    where = _SCOPES[rate.scope].fill(count=rate.observations)
    return Text("{method}: {where}", "{method}：{where}").fill(method=_METHODS[rate.method], where=where)


def _matrix(found: Provision) -> Table:
    vat = any(cell.base != cell.balance for cell in found.all_cells)
    made = Table(
        Text("Expected credit loss of {day}, in {currency}", "{day} 预期信用损失（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("segment", Text("segment", "客群"), style="bold"),
            Column("bucket", Text("days past due", "逾期天数")),
            Column("balance", Text("balance", "账面余额"), right=True),
            *([Column("base", Text("without VAT", "不含税余额"), right=True)] if vat else []),
            Column("rate_percent", Text("loss rate %", "损失率 %"), right=True),
            Column("factor", Text("outlook", "前瞻系数"), right=True),
            Column("allowance", Text("allowance", "减值准备"), right=True),
            Column("source", Text("rate from", "损失率来源")),
        ],
    )
    for segment, cells in found.cells.items():
        for cell in cells:
            made.rows.append(
                {
                    "segment": segment_name(segment),
                    "bucket": bucket_name(cell.bucket),
                    "balance": _money(found, cell.balance),
                    "base": _money(found, cell.base),
                    "rate_percent": _percent(cell.rate.rate),
                    "factor": cell.factor,
                    "allowance": _money(found, cell.allowance),
                    "source": source(cell.rate),
                }
            )
    made.totals.append(
        {
            "segment": Text("Total", "合计"),
            "balance": _money(found, sum((cell.balance for cell in found.all_cells), ZERO)),
            "base": _money(found, sum((cell.base for cell in found.all_cells), ZERO)),
            "allowance": _money(found, ecl.total(found.all_cells)),
        }
    )
    made.notes = _notes(found)
    return made


def _notes(found: Provision) -> list[Text]:
    rules = found.policy
    told = [
        Text(
            "Lifetime expected credit loss, simplified approach; debts are not netted with unapplied credits. Each line is "
            "rounded, the total is rounded once.",
            "按简化方法计提整个存续期预期信用损失；欠款未与未核销贷项相抵。各行分别四舍五入，合计只舍入一次。",
        )
    ]
    if rules.vat_excluded_percent:
        told.append(
            Text(
                "VAT of {percent} % is taken out of the balances first: it is recovered when a debt goes bad.",
                "余额已先剔除 {percent}% 的增值税：坏账发生时该税额可收回。",
            ).fill(percent=rules.vat_excluded_percent)
        )
    else:
        told.append(
            Text(
                "VAT is part of the balances: the policy does not take it for recoverable.",
                "余额含增值税：政策未将其视为可收回。",
            )
        )
    if found.left_out:
        told.append(
            Text(
                "Amounts in {currencies} have no exchange rate; the figures lack them.",
                "{currencies} 金额缺少汇率，未计入上述数字。",
            ).fill(currencies=", ".join(sorted(found.left_out)))
        )
    if found.insolvent:
        told.append(
            Text(
                "In bankruptcy, but pooled with the others: {names}. Assess them individually ([ecl] individual).",
                "已进入破产程序、但仍在矩阵中计提：{names}。请单项评估（[ecl] individual）。",
            ).fill(names=", ".join(f"{row.ref} {row.name}" for row in found.insolvent))
        )
    if found.unknown:
        told.append(
            Text(
                "Assessed individually by the policy, but owing nothing on this day: {names}.",
                "政策列为单项计提、但当日没有欠款：{names}。",
            ).fill(names=", ".join(found.unknown))
        )
    return told


def _assessed(found: Provision) -> Table:
    made = Table(
        Text("Assessed individually", "单项计提"),
        [
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称")),
            Column("balance", Text("balance", "账面余额"), right=True),
            Column("rate_percent", Text("loss rate %", "损失率 %"), right=True),
            Column("allowance", Text("allowance", "减值准备"), right=True),
            Column("why", Text("why", "理由")),
        ],
    )
    for one in found.assessed:
        made.rows.append(
            {
                "customer_id": one.customer,
                "name": one.name,
                "balance": _money(found, one.balance),
                "rate_percent": _percent(one.rate, 2),
                "allowance": _money(found, one.allowance),
                "why": one.why,
            }
        )
    return made


def _evidence(found: Provision) -> Table:
    """What the rates were taken from: rolls by migration, and cohorts where a segment uses them."""
    made = Table(
        Text("What the rates rest on", "损失率依据"),
        [
            Column("segment", Text("segment", "客群"), style="bold"),
            Column("bucket", Text("days past due", "逾期天数")),
            Column("roll_percent", Text("rolls on %", "迁徙率 %"), right=True),
            Column("roll_months", Text("months seen", "观察月数"), right=True),
            Column("reached", Text("reached it", "曾进入该段"), right=True),
            Column("lost", Text("never paid", "最终未收回"), right=True),
        ],
    )
    for pool, rolls in found.rolls.items():
        past = found.pasts.get(pool)
        for place, bucket in enumerate(found.buckets):
            roll = rolls[place] if place < len(rolls) else None
            made.rows.append(
                {
                    "segment": Text("(whole book)", "（全部客户）") if pool is None else segment_name(pool),
                    "bucket": bucket_name(bucket),
                    "roll_percent": _percent(roll.average, 2) if roll else None,
                    "roll_months": roll.observations if roll else None,
                    "reached": _money(found, past.reached[place]) if past else None,
                    "lost": _money(found, past.lost) if past else None,
                }
            )
    return made


def _movement(found: Provision) -> Table:
    made = Table(
        Text("Movement since {day}", "自 {day} 以来的变动").fill(day=found.before_on),
        [
            Column("segment", Text("segment", "客群"), style="bold"),
            Column("opening", Text("opening", "期初准备"), right=True),
            Column("by_balance", Text("by balances", "余额变动影响"), right=True),
            Column("by_rate", Text("by rates", "损失率变动影响"), right=True),
            Column("closing", Text("closing", "期末准备"), right=True),
        ],
    )
    total = [ZERO] * 4
    for segment, cells in found.cells.items():
        moved = ecl.movement(found.before.get(segment, []), cells)
        amounts = [moved.opening, moved.by_balance, moved.by_rate, moved.closing]
        total = [a + b for a, b in zip(total, amounts, strict=True)]
        made.rows.append(
            {"segment": segment_name(segment), **_named(found, amounts)},
        )
    if found.assessed or found.assessed_before:
        opening, closing = ecl.total(found.assessed_before), ecl.total(found.assessed)
        amounts = [opening, closing - opening, ZERO, closing]
        total = [a + b for a, b in zip(total, amounts, strict=True)]
        made.rows.append({"segment": Text("assessed individually", "单项计提"), **_named(found, amounts)})
    made.totals.append({"segment": Text("Total", "合计"), **_named(found, total)})
    return made


def _named(found: Provision, amounts: list[Decimal]) -> dict[str, Decimal]:
    """A movement as it is shown: what rounding leaves over is told with the rates, so that each line adds up."""
    opening, by_balance, _, closing = (_money(found, amount) for amount in amounts)
    by_rate = closing - opening - by_balance
    return {"opening": opening, "by_balance": by_balance, "by_rate": by_rate, "closing": closing}


def _reconciliation(found: Provision) -> Table:
    made = Table(
        Text("Reconciliation to the ledger", "与账簿核对"),
        [
            Column("what", Text("what", "项目"), style="bold"),
            Column("balance", Text("balance", "余额"), right=True),
            Column("allowance", Text("allowance", "减值准备"), right=True),
        ],
    )
    cells, alone = found.all_cells, found.assessed
    for what, balance, allowance in (
        (Text("in the matrix", "矩阵计提"), sum((c.balance for c in cells), ZERO), ecl.total(cells)),
        (Text("assessed individually", "单项计提"), sum((a.balance for a in alone), ZERO), ecl.total(alone)),
        (Text("unapplied credits", "未核销贷项"), -found.unapplied, ZERO),
    ):
        made.rows.append({"what": what, "balance": _money(found, balance), "allowance": _money(found, allowance)})
    made.totals += [
        {
            "what": Text("together", "合计"),
            "balance": _money(found, found.ledger + found.difference),
            "allowance": _money(found, found.allowance),
        },
        {"what": Text("balance by the ledger", "账簿余额"), "balance": _money(found, found.ledger)},
        {"what": Text("difference", "差额"), "balance": _money(found, found.difference)},
    ]
    return made


def as_json(found: Provision) -> dict[str, Any]:
    """The whole report for programs; decimals are text, words are in the language of this call."""
    names = ("assessed", "evidence", "movement", "reconciliation")
    parts = (_assessed(found), _evidence(found), _movement(found), _reconciliation(found))
    answer: dict[str, Any] = {
        "as_of": found.as_of.isoformat(),
        "before": found.before_on.isoformat(),
        "currency": found.currency,
        "balance_by_ledger": _said(found, found.ledger),
        "unapplied": _said(found, -found.unapplied),
        "difference": _said(found, found.difference),
        "allowance": _said(found, found.allowance),
        "without_rate": sorted(found.left_out),
        "matrix": [
            {
                "segment": segment,
                "bucket": cell.bucket,
                "balance": _said(found, cell.balance),
                "base": _said(found, cell.base),
                "loss_rate": format(cell.rate.rate, "f"),
                "method": cell.rate.method,
                "scope": cell.rate.scope,
                "observations": cell.rate.observations,
                "factor": format(cell.factor, "f"),
                "allowance": _said(found, cell.allowance),
            }
            for segment, cells in found.cells.items()
            for cell in cells
        ],
        "notes": [say(note) for note in _notes(found)],
    }
    for name, part in zip(names, parts, strict=True):
        answer[name] = [{k: plain(v) for k, v in row.items()} for row in (*part.rows, *part.totals)]
    return answer


def _said(found: Provision, amount: Decimal) -> str:
    return format(_money(found, amount), "f")
