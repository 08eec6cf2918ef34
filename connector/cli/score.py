"""`holdfast score [CUSTOMER]`: the score of a customer criterion by criterion, of all, or how one's score has moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, t
from connector.cli.output import Column, Format, Table, clean, emit
from connector.cli.report import AsOf, Form, Out, natural
from connector.text import Text, joined

if TYPE_CHECKING:
    from connector.credit.score import Score
    from connector.store.customers import CustomerRow
    from connector.store.scores import ScoreRow
    from jobs.judge import Judged


def register(app: typer.Typer) -> None:
    @app.command(
        "score",
        help=t("The score of a customer criterion by criterion; of all.", "单个客户的逐项评分；或全部客户的评分。"),
    )
    def command(
        context: typer.Context,
        customer_id: Annotated[
            str | None,
            typer.Argument(
                metavar="[CUSTOMER]",
                help=t(
                    "Its id in the ERP, or part of its name; else all.", "ERP 中的编号，或名称的一部分；缺省为全部。"
                ),
            ),
        ] = None,
        as_of: AsOf = None,
        history: Annotated[
            bool, typer.Option("--history", help=t("How its score has moved.", "历次评分的变化。"))
        ] = False,
        quality: Annotated[
            bool,
            typer.Option(
                "--quality",
                help=t(
                    "How well the scores told bad from good, by what came after.",
                    "以此后的实际结果检验评分的区分能力。",
                ),
            ),
        ] = False,
        months: Annotated[
            int, typer.Option(min=1, max=60, help=t("--quality: over so many months.", "--quality：观察期月数。"))
        ] = 6,
        bad_days: Annotated[
            int,
            typer.Option(
                min=1, max=3650, help=t("--quality: bad is so many days late.", "--quality：逾期多少天视为变差。")
            ),
        ] = 30,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        day = as_of.date() if as_of else None
        if quality:
            from connector.cli import score_quality

            found = score_quality.ask(cli, day, months, bad_days)
            emit(lambda: score_quality.table(found), score_quality.answer(found), form, out)
        elif customer_id is None:
            rows, head = _everybody(cli, day)
            emit(lambda: _list(rows, head), head | {"scores": [answer for _, answer in rows]}, form, out)
        elif history:
            row, kept = _history(cli, customer_id)
            answer = {"customer_id": row.ref, "system": row.system, "scores": [dict(one.body) for one in kept]}
            emit(lambda: _course(row, kept), answer, form, out)
        else:
            judged, row, score = _one(cli, customer_id, day)
            answer = _answer(row, score, judged)
            emit(lambda: _criteria(cli, row, judged, score), answer, form, out)


# --- asking ------------------------------------------------------------------------------------------------------------
def _scored(
    cli: Cli, day: dt.date | None, wanted: str | None
) -> Iterator[tuple[Judged, Score | None, CustomerRow | None]]:
    from connector.cli.explain import find
    from connector.clock import day_in
    from jobs.frame import frame
    from jobs.judge import judge

    on = day or day_in(cli.clock.now(), cli.config.business.time_zone)
    with cli.store.reading() as tx:
        row = find(cli, tx, wanted) if wanted is not None else None
        debtors = None if row is None else [row.debtor] if row.debtor is not None else []
        base = frame(tx, cli.config, cli.policy, cli.clock, on, debtors=debtors)
        for judged in judge(tx, base, debtors, orders=False, scores=True):
            if row is None or row.key in judged.own:
                yield judged, judged.score, row


def _one(cli: Cli, wanted: str, day: dt.date | None) -> tuple[Judged, CustomerRow, Score | None]:
    from connector.errors import ConfigError

    for judged, score, row in _scored(cli, day, wanted):
        if row is not None:
            return judged, row, score
    raise ConfigError(
        Text("{ref} is not linked yet: holdfast run", "{ref} 尚未关联：请先执行 holdfast run").fill(ref=wanted)
    )


def _everybody(cli: Cli, day: dt.date | None) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], dict[str, Any]]:
    """Rows and answers of everybody, the lowest score first, those without one last."""
    rows, head = [], {"as_of": day.isoformat() if day else None}
    for judged, score, _ in _scored(cli, day, None):
        head["as_of"] = judged.position.as_of.isoformat()
        for member in judged.members:
            rows.append((_row(member, score), _answer(member, score, judged)))
    rows.sort(key=lambda one: (one[0]["score"] is None, one[0]["score"] or 0, natural(one[0]["customer_id"])))
    return rows, head


def _history(cli: Cli, wanted: str) -> tuple[CustomerRow, list[ScoreRow]]:
    from connector.cli.explain import find
    from connector.store import scores

    with cli.store.reading() as tx:
        row = find(cli, tx, wanted)
        return row, scores.history(tx, row.debtor) if row.debtor is not None else []


def _answer(row: CustomerRow, score: Score | None, judged: Judged) -> dict[str, Any]:
    from connector.credit.score import as_kept

    head = {
        "customer_id": row.ref,
        "system": row.system,
        "name": row.name,
        "as_of": judged.position.as_of.isoformat(),
    }
    return head | (as_kept(score) if score is not None else {"score": None, "grade": None})


# --- showing -----------------------------------------------------------------------------------------------------------
def _row(row: CustomerRow, score: Score | None) -> dict[str, Any]:
    return {
        "system": row.system,
        "customer_id": row.ref,
        "name": row.name,
        "score": score.points if score else None,
        "grade": score.grade if score else None,
        "coverage": score.coverage if score else None,
        "capped": _names(score.capped) if score and score.capped else None,
        "pd": score.pd if score else None,
    }


def _list(rows: Sequence[tuple[dict[str, Any], object]], head: dict[str, Any]) -> Table:
    shown = [row for row, _ in rows]
    table = Table(
        Text("Scores of {day}", "{day} 信用评分").fill(day=head["as_of"]),
        [
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称")),
            Column("score", Text("score", "得分"), right=True),
            Column("grade", Text("grade", "等级")),
            Column("coverage", Text("known", "已知权重"), right=True, percent=True),
            Column("capped", Text("grade kept down by", "等级受限于"), spare=1),
            *(
                [Column("pd", Text("PD", "违约概率"), right=True)]
                if any(row["pd"] is not None for row in shown)
                else []
            ),
            Column("system", Text("in", "系统"), spare=2),
        ],
        shown,
    )
    grades: dict[str, int] = {}
    for row in shown:
        grades[row["grade"] or "–"] = grades.get(row["grade"] or "–", 0) + 1
    counts = "  ".join(f"{grade} {count}" for grade, count in sorted(grades.items()))
    table.notes.append(Text("By grade: {counts}", "各等级客户数：{counts}").fill(counts=counts))
    return table


def _criteria(cli: Cli, row: CustomerRow, judged: Judged, score: Score | None) -> Table:
    """The criteria as rows: what was known, which bin it fell into, what it gave, and where it comes from."""
    from connector.credit.score_inputs import INPUTS, flags_text, source_text, value_text
    from connector.credit.score_told import bin_of, rule_of, share_of

    table = Table(
        Text("Score", "信用评分"),
        [
            Column("criterion", Text("criterion", "评分项"), style="bold"),
            Column("value", Text("value", "取值"), right=True),
            Column("bin", Text("bin", "区间"), spare=1),
            Column("points", Text("points", "分数"), right=True),
            Column("weight", Text("weight", "权重"), right=True),
            Column("share", Text("counts", "计入"), right=True),
            Column("source", Text("from", "来源"), spare=2),
            Column("note", Text("note", "说明")),
        ],
        lead=list(_lead(row, judged, score)),
    )
    if score is None:
        table.notes.append(Text("Scoring is switched off in the policy.", "信用政策中未启用评分。"))
        return table
    counted = sum((p.weight for p in score.parts if p.points is not None), Decimal(0))
    for part in score.parts:
        notes = [n for n in (flags_text(part.known.flags, part.known.missing), rule_of(part)) if n is not None]
        table.rows.append(
            {
                "criterion": INPUTS[part.input].name,
                "value": value_text(part.input, part.value),
                "bin": bin_of(part),
                "points": part.points,
                "weight": part.weight,
                "share": share_of(part, counted, score),
                "source": source_text(part.known.source),
                "note": joined(notes) if notes else None,
            }
        )
    if score.points is not None and score.pd is None:
        table.totals.append(
            {"criterion": Text("Score", "得分"), "weight": counted, "share": score.points, "points": None}
        )
    if score.points is None:
        said = Text(
            "No score, which is not a bad score: only {known} of the weight is known, {least} is asked for.",
            "不予评分（并非低分）：仅 {known} 的权重有数据，要求至少 {least}。",
        )
        least = _least(cli, row)
        table.notes.append(said.fill(known=f"{score.coverage * 100:.0f} %", least=f"{least:f} %"))
    if score.capped:
        said = Text("The grade is kept at {grade} by: {names}", "等级因以下情况被限制为 {grade}：{names}")
        table.notes.append(said.fill(grade=score.grade, names=_names(score.capped)))
    table.notes.append(Text("Scorecard {version}", "评分卡版本 {version}").fill(version=score.version))
    return table


def _least(cli: Cli, row: CustomerRow) -> Decimal:
    """The share of the weight, in percent, that the customer's scorecard asks for."""
    from jobs.score import Cards

    card = Cards(cli.config, cli.policy).of(row.segment)
    return (card.statistical or card.rules).min_coverage_percent


def _lead(row: CustomerRow, judged: Judged, score: Score | None) -> Iterator[tuple[str, str]]:
    yield f"{row.ref}  {clean(row.name or '')}", "bold"
    day = judged.position.as_of
    if score is None:
        yield t(f"as of {day}", f"截至 {day}"), ""
        return
    grade = score.grade or t("no grade", "未评级")
    points = f"{score.points:f}" if score.points is not None else t("no score", "未评分")
    known = f"{score.coverage * 100:.0f} %"
    yield (
        t(
            f"{grade} · {points} · {known} of the weight known · as of {day}",
            f"{grade} · {points} · 已知权重 {known} · 截至 {day}",
        ),
        "",
    )
    if score.pd is not None:
        yield t(f"probability of default {score.pd * 100:f} %", f"违约概率 {score.pd * 100:f} %"), ""
    yield "", ""


def _names(inputs: Sequence[str]) -> Text:
    from connector.credit.score_inputs import INPUTS

    return joined([INPUTS[name].name for name in inputs], ", ", "、")


def _course(row: CustomerRow, kept: Sequence[ScoreRow]) -> Table:
    table = Table(
        Text("Scores of {ref} {name}", "{ref} {name} 历次评分").fill(ref=row.ref, name=clean(row.name or "")),
        [
            Column("as_of", Text("since", "自"), style="bold"),
            Column("score", Text("score", "得分"), right=True),
            Column("grade", Text("grade", "等级")),
            Column("change", Text("change", "变化"), right=True),
            Column("why", Text("what moved", "变动项")),
            Column("version", Text("scorecard", "评分卡"), spare=1),
        ],
    )
    for at, one in enumerate(kept):
        before = kept[at + 1] if at + 1 < len(kept) else None
        change = one.points - before.points if before and one.points is not None and before.points is not None else None
        table.rows.append(
            {
                "as_of": one.as_of.isoformat(),
                "score": one.points,
                "grade": one.grade,
                "change": change,
                "why": _moved(one, before) if before else None,
                "version": one.version,
            }
        )
    if not kept:
        table.notes.append(Text("It has not been scored yet: holdfast run", "尚未评分：请先执行 holdfast run"))
    return table


def _moved(now: ScoreRow, before: ScoreRow) -> Text | None:
    """The criteria whose points are others than before, each with both."""
    from connector.credit.score_inputs import INPUTS

    past = {part["input"]: part["points"] for part in before.body["parts"]}
    moved = [
        Text("{name} {past} → {points}", "{name} {past} → {points}").fill(
            name=INPUTS[part["input"]].name, past=past.get(part["input"]) or "–", points=part["points"] or "–"
        )
        for part in now.body["parts"]
        if part["input"] in INPUTS and past.get(part["input"]) != part["points"]
    ]
    if now.version != before.version:
        moved.insert(0, Text("another scorecard", "评分卡变更"))
    return joined(moved) if moved else None
