"""`holdfast file` and `holdfast attach`: the credit file of a customer as one time line, and what is put into it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, near, say, t
from connector.cli.options import As
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import Customer, Form, Out
from connector.cli.words import who
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.store.customers import CustomerRow
    from jobs.timeline import Moment

_DAY = ["%Y-%m-%d"]
_NOT_WRITTEN = Text("{place} cannot be written: {why}.", "无法写入 {place}：{why}。")
# The options of what a paper is put in with.
_OPTIONS = {
    "file": "FILE",
    "dated_on": "--dated",
    "valid_to": "--valid-until",
    "source": "--source",
    "note": "--note",
    "purpose": "--personal-for",
    "keep_until": "--keep-until",
}


def register(app: typer.Typer) -> None:
    @app.command(
        "file",
        help=t("The credit file of a customer: one time line of everything.", "客户信用档案：全部资料的时间线。"),
    )
    def file(
        context: typer.Context,
        customer_id: Customer,
        since: Annotated[
            dt.datetime | None, typer.Option("--since", formats=_DAY, help=t("From this day on.", "自该日起。"))
        ] = None,
        kind: Annotated[
            list[str] | None,
            typer.Option("--kind", help=t("Only lines of this kind; may be repeated.", "仅该类记录；可重复。")),
        ] = None,
        personal: Annotated[
            str | None,
            typer.Option(
                "--personal",
                metavar="WHY",
                help=t("Show what speaks of persons; why is kept in the trail.", "显示涉及个人的内容；用途记入审计。"),
            ),
        ] = None,
        verify: Annotated[
            bool,
            typer.Option(
                "--verify", help=t("Check that attachments are what was put in.", "校验附件是否与存入时一致。")
            ),
        ] = False,
        take: Annotated[
            int | None,
            typer.Option(
                "--take",
                metavar="NUMBER",
                min=1,
                help=t(
                    "Take the attachment of this paper out, into --out or under its own name; it is kept in the trail.",
                    "取出该资料的附件，存为 --out 或原文件名；记入审计。",
                ),
            ),
        ] = None,
        actor: As = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        row = _customer(cli, customer_id)
        if verify:
            _verify(cli, row)
            return
        if take is not None:
            _take(cli, row, take, personal, actor, out)
            return
        table, answer = _lines(cli, row, since.date() if since else None, kind or [], personal, actor)
        emit(table, answer, form, out)

    @app.command(
        "attach", help=t("Put a paper or a note into a customer's credit file.", "将资料或备注存入客户信用档案。")
    )
    def attach(
        context: typer.Context,
        customer_id: Customer,
        path: Annotated[
            Path | None,
            typer.Argument(metavar="[FILE]", help=t("The file; without one only the note.", "文件；可仅存备注。")),
        ] = None,
        kind: Annotated[
            str,
            typer.Option(
                "--kind",
                help=t(
                    "application, licence, contract, reference, bureau_report, security, insurance, site_visit, demand, "
                    "decision, other.",
                    "application 申请表、licence 营业执照、contract 合同、reference 资信证明、bureau_report 征信报告、"
                    "security 担保、insurance 保险、site_visit 走访、demand 催款函、decision 审批文件、other 其他。",
                ),
            ),
        ] = "other",
        dated: Annotated[
            dt.datetime | None,
            typer.Option(
                "--dated", formats=_DAY, help=t("The paper's own date; else today.", "资料日期；缺省为今天。")
            ),
        ] = None,
        valid_until: Annotated[
            dt.datetime | None,
            typer.Option("--valid-until", formats=_DAY, help=t("The last day it is good for.", "有效期至。")),
        ] = None,
        source: Annotated[str, typer.Option("--source", help=t("Where it comes from.", "资料来源。"))] = "",
        note: Annotated[str, typer.Option("--note", help=t("What it says.", "内容说明。"))] = "",
        purpose: Annotated[
            str | None,
            typer.Option(
                "--personal-for",
                metavar="PURPOSE",
                help=t("It speaks of a person: what it is kept for.", "涉及个人信息：说明保存用途。"),
            ),
        ] = None,
        keep_until: Annotated[
            dt.datetime | None,
            typer.Option(
                "--keep-until", formats=_DAY, help=t("Personal data is kept until this day.", "个人信息保存至该日。")
            ),
        ] = None,
        actor: As = None,
    ) -> None:
        cli: Cli = context.obj
        row = _customer(cli, customer_id)
        _attach(
            cli,
            row,
            path,
            kind,
            dated.date() if dated else None,
            valid_until.date() if valid_until else None,
            source,
            note,
            purpose,
            keep_until.date() if keep_until else None,
            actor,
        )


def _customer(cli: Cli, wanted: str) -> CustomerRow:
    from connector.cli.explain import find

    with cli.store.reading() as tx:
        return find(cli, tx, wanted)


def _lines(
    cli: Cli, row: CustomerRow, since: dt.date | None, kinds: list[str], personal: str | None, actor: str | None
) -> tuple[Table, dict[str, Any]]:
    from jobs.timeline import KINDS, timeline

    for kind in kinds:
        if kind not in KINDS:
            raise ConfigError(
                Text("--kind: no such kind “{kind}”. {near}", "--kind：没有此类“{kind}”。{near}").fill(
                    kind=kind, near=near(kind, list(KINDS))
                )
            )
    with cli.store.reading() as tx:
        found = timeline(tx, row.debtor or 0, cli.config.business.time_zone)
    found = [one for one in found if (since is None or one.on >= since) and (not kinds or one.kind in kinds)]
    hidden = [one for one in found if one.personal]
    if personal is not None and hidden:
        _looked(cli, row, personal, actor, len(hidden))
    rows = [_row(cli, one, personal is not None) for one in found]
    table = Table(
        Text("Credit file of {no} {name}", "{no} {name} 信用档案").fill(no=row.ref, name=row.name),
        [
            Column("on", Text("day", "日期")),
            Column("kind", Text("kind", "类别"), style="bold"),
            Column("text", Text("what", "内容")),
            Column("source", Text("source", "来源"), spare=1),
        ],
        rows,
    )
    if hidden and personal is None:
        table.notes.append(
            Text(
                "{count} line(s) speak of persons and are masked: --personal WHY shows them.",
                "{count} 条涉及个人信息，已隐去：--personal 用途 可查看。",
            ).fill(count=len(hidden))
        )
    if not rows:
        table.notes.append(Text("Nothing is on file.", "档案中没有内容。"))
    answer = {
        "customer_id": row.ref,
        "system": row.system,
        "name": row.name,
        "lines": [
            {
                "on": one.on.isoformat(),
                "kind": one.kind,
                "en": plain["text"].en,
                "zh": plain["text"].zh,
                "source": one.source,
                "data": {} if one.personal and personal is None else one.data,
            }
            for one, plain in zip(found, rows, strict=True)
        ],
    }
    return table, answer


def _row(cli: Cli, one: Moment, personal: bool) -> dict[str, Any]:
    from jobs.personal import MASKED
    from jobs.timeline import KINDS

    text = MASKED if one.personal and not personal else one.text
    return {"on": one.on.isoformat(), "kind": KINDS[one.kind], "text": text, "source": who(cli, one.source)}


def _looked(cli: Cli, row: CustomerRow, why: str, actor: str | None, count: int) -> None:
    """Who looks at what speaks of persons says what for; it is kept."""
    from jobs.personal import NOT_YOURS, looked, may_see

    person = cli.acting(actor)
    if not person.alone and not may_see(person.roles):
        raise ConfigError(NOT_YOURS)
    with cli.store.writing() as tx:
        looked(tx, row, person.actor, why, count, cli.clock.now())


def _attach(
    cli: Cli,
    row: CustomerRow,
    path: Path | None,
    kind: str,
    dated: dt.date | None,
    valid_to: dt.date | None,
    source: str,
    note: str,
    purpose: str | None,
    keep_until: dt.date | None,
    actor: str | None,
) -> None:
    from connector.credit.review import PAPERS
    from connector.store import papers
    from jobs.papers import Brought, Unfit, put

    if kind not in PAPERS:
        raise ConfigError(
            Text("--kind: no such kind “{kind}”. {near}", "--kind：没有此类“{kind}”。{near}").fill(
                kind=kind, near=near(kind, list(PAPERS))
            )
        )
    person = cli.acting(actor)
    one = Brought(
        kind=kind,
        dated_on=dated,
        valid_to=valid_to,
        source=source,
        note=note,
        name=path.name if path is not None else "",
        content=papers.read(path) if path is not None else None,
        purpose=purpose,
        keep_until=keep_until,
    )
    try:
        number, sha = put(cli.store, cli.config, cli.clock, row, one, actor=person.actor, name=person.id)
    except Unfit as unfit:
        field, what = next(iter(unfit.fields.items()))
        raise ConfigError(
            Text("{option}: {what}", "{option}：{what}").fill(option=_OPTIONS[field], what=what)
            if field in _OPTIONS
            else what
        ) from None
    typer.echo(
        say(
            Text("On file: {kind} no. {number}{sha}.", "已存入：{kind} 编号 {number}{sha}。").fill(
                kind=PAPERS[kind], number=number, sha=f" (sha256 {sha[:12]}…)" if sha else ""
            )
        )
    )


def _take(cli: Cli, row: CustomerRow, number: int, why: str | None, actor: str | None, out: Path | None) -> None:
    """Writes an attachment beside what there is, never over it."""
    from jobs.papers import taken
    from jobs.personal import may_see

    if out is not None and out.exists():
        raise ConfigError(_NOT_WRITTEN.fill(place=out, why=Text("it is there already", "文件已存在")))
    person = cli.acting(actor)
    may = person.alone or may_see(person.roles)
    name, content = taken(cli.store, cli.config, cli.clock, row, number, actor=person.actor, may=may, why=why or "")
    place = out or Path(say(name))
    try:
        with place.open("xb") as new:
            new.write(content)
    except OSError as wrong:
        raise ConfigError(_NOT_WRITTEN.fill(place=place, why=wrong.strerror)) from None
    typer.echo(str(place))


def _verify(cli: Cli, row: CustomerRow) -> None:
    """Reads every attachment of the file again; exit code 2 where one is not what was put in."""
    from connector.store import papers

    with cli.store.reading() as tx:
        found = [one for one in papers.papers(tx, [row.debtor or 0]) if one.sha is not None]
    wrong = 0
    for one in found:
        assert one.sha is not None
        try:
            papers.content(cli.config.files, one.sha)
        except ConfigError as gone:
            wrong += 1
            typer.echo(f"{one.id} {one.name}: {say(gone.user)}", err=True)
    typer.echo(
        say(
            Text("{good} of {all} attachments are what was put in.", "{all} 个附件中 {good} 个与存入时一致。").fill(
                good=len(found) - wrong, all=len(found)
            )
        )
    )
    if wrong:
        raise typer.Exit(2)
