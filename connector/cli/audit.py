"""`holdfast audit`: who did or concluded what, when and why; and the proof that nobody has changed it since."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import OK, PROBLEMS, Cli, say, show_problem, t
from connector.cli.output import Column, Format, Table, as_json, clean, emit
from connector.cli.report import Customer, Form, Out
from connector.cli.words import who
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.store.audit import Head, Line

Since = Annotated[
    dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help=t("The first day.", "起始日期。"))
]
Until = Annotated[
    dt.datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help=t("The last day, whole.", "截止日期（含当日）。")),
]

# So many decisions are named in one line.
_NAMED = 10
_CHANGED = Text(
    "{count} come out otherwise in this version of the program ({now}): they were made by {made}, whose rules or words "
    "were others. Conclude them again with that one: {numbers}.",
    "{count} 条用本版程序（{now}）重算的结果不同：原结论由{made}得出，其规则或表述与本版有别。请用该版本重算：{numbers}。",
)
_OTHER_PROGRAM = Text(
    "otherwise, because it was made by {made}, and this is {now}.", "不一致，因原结论由{made}得出，本版为 {now}。"
)


def register(app: typer.Typer) -> None:
    audit = typer.Typer(
        help=t(
            "Who did what, when and why; proof that it is unchanged.",
            "审计日志：何人、何时、因何做了什么；防篡改校验。",
        ),
        no_args_is_help=True,
    )
    app.add_typer(audit, name="audit")

    @audit.command("list", help=t("Entries of the trail, newest first.", "审计记录，最新的在前。"))
    def listing(
        context: typer.Context,
        subject: Annotated[
            str | None,
            typer.Option(
                help=t(
                    "Only what was done to this: customer:books/C001, or its beginning, such as order.",
                    "仅该对象的记录：如 customer:books/C001，或其开头部分，如 order。",
                )
            ),
        ] = None,
        action: Annotated[
            str | None,
            typer.Option(help=t("Only this action: limit.approve, or limit.", "仅该操作：如 limit.approve 或 limit。")),
        ] = None,
        actor: Annotated[
            str | None,
            typer.Option(help=t("Only by this one: person:li.wei, or job.", "仅该操作者：如 person:li.wei 或 job。")),
        ] = None,
        since: Since = None,
        until: Until = None,
        most: Annotated[int, typer.Option("--most", min=1, help=t("So many at most.", "最多显示条数。"))] = 100,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.store import audit as trail
        from jobs.audit_answer import answer

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            lines = trail.listing(
                tx,
                subject=subject,
                action=action,
                actor=actor,
                since=_midnight(cli, since),
                until=_midnight(cli, until, 1),
                limit=most,
            )
        emit(lambda: _table(cli, lines, most), {"audit": [answer(line) for line in lines]}, form, out)

    @audit.command(
        "verify",
        help=t("Look for entries that were changed, removed or put in.", "检查审计记录是否被改动、删除或插入。"),
    )
    def verify(
        context: typer.Context,
        head: Annotated[
            list[str] | None,
            typer.Option(
                metavar="LANE:NUMBER:HASH",
                help=t("A head that was written down earlier.", "此前留存的链尾（链名:编号:校验值）。"),
            ),
        ] = None,
    ) -> None:
        from connector.store import audit as trail
        from connector.store import proof

        cli: Cli = context.obj
        kept = [_head(words) for words in head or ()]
        with cli.store.reading() as tx:
            found = [*trail.verify(tx, kept), *proof.verify(tx)]
            heads = trail.heads(tx)
        for problem in found:
            typer.echo(show_problem(problem))
        if found:
            raise typer.Exit(PROBLEMS)
        if not heads:
            typer.echo(t("The trail is empty.", "审计日志为空。"))
            raise typer.Exit(OK)
        count = sum(h.number for h in heads)
        typer.echo(
            t(
                f"{count:,} entries, none changed, removed or put in. Keep these heads somewhere else:",
                f"共 {count:,} 条记录，未发现改动、删除或插入。请将以下链尾另行留存：",
            )
        )
        for each in heads:
            typer.echo(f"  {each}")

    @audit.command(
        "show",
        help=t(
            "What was decided of a customer, as it was shown that day.", "某客户当日的信用结论，按当时展示的内容还原。"
        ),
    )
    def show(
        context: typer.Context,
        customer_id: Customer,
        on: Annotated[
            dt.datetime | None,
            typer.Option("--on", formats=["%Y-%m-%d"], help=t("The day; else today.", "日期；缺省为今天。")),
        ] = None,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        cli: Cli = context.obj
        table, answer = _shown(cli, customer_id, on.date() if on else None)
        emit(table, answer, form, out)

    @audit.command(
        "replay",
        help=t(
            "Conclude kept decisions again, from what they were concluded from.",
            "用当时留存的依据重新得出信用结论并比对。",
        ),
    )
    def replay(
        context: typer.Context,
        customer_id: Annotated[
            str | None,
            typer.Argument(metavar="CUSTOMER", help=t("Only of this customer.", "仅该客户。")),
        ] = None,
        on: Annotated[
            dt.datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help=t("Only of this day.", "仅该日。"))
        ] = None,
    ) -> None:
        from connector.cli.explain import find
        from jobs.program import rules_version
        from jobs.recall import replay as again

        cli: Cli = context.obj
        with cli.store.reading() as tx:
            debtors = None
            if customer_id is not None:
                debtor = find(cli, tx, customer_id).debtor
                debtors = [debtor] if debtor is not None else []
            found = again(tx, cli.config, debtors, on.date() if on else None)
        for row in found.other:
            typer.echo(
                t(
                    f"decision {row.id} of {row.as_of} comes out otherwise.",
                    f"{row.as_of} 的第 {row.id} 号信用结论与重算结果不一致。",
                )
            )
        for program, rows in found.changed.items():
            numbers = ", ".join(str(row.id) for row in rows[:_NAMED]) + (" …" if len(rows) > _NAMED else "")
            typer.echo(
                say(_CHANGED.fill(count=f"{len(rows):,}", made=made_by(program), now=rules_version(), numbers=numbers))
            )
        if found.unkept:
            typer.echo(
                t(
                    f"{len(found.unkept):,} cannot be concluded again: nothing was kept beside them.",
                    f"{len(found.unkept):,} 条未留存依据，无法重算。",
                )
            )
        typer.echo(
            t(
                f"{found.same:,} decisions concluded again, the same to the byte.",
                f"已重算 {found.same:,} 条信用结论，结果逐字节一致。",
            )
        )
        if found.other:
            raise typer.Exit(PROBLEMS)

    @audit.command(
        "export",
        help=t(
            "The whole trail as JSON lines, as it is hashed, for the auditor.",
            "导出全部审计记录（JSON 行，与校验值计算口径一致），供审计使用。",
        ),
    )
    def export(
        context: typer.Context,
        out: Annotated[Path | None, typer.Option("--out", help=t("Write to a file.", "写入文件。"))] = None,
    ) -> None:
        import sys

        import simplejson

        from connector.store import audit as trail

        cli: Cli = context.obj
        try:
            with cli.store.reading() as tx, _opened(out) as file:
                for row in trail.stored(tx):
                    file.write(simplejson.dumps(row, ensure_ascii=False) + "\n")
        except OSError as wrong:
            raise ConfigError(
                Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(path=out, why=wrong.strerror)
            ) from None
        if out is not None:
            print(t(f"Written: {out}", f"已写出：{out}"), file=sys.stderr)


def _shown(cli: Cli, wanted: str, on: dt.date | None) -> tuple[Table, dict[str, Any]]:
    """The decision that held on a day, with the open items as they were known when it was made."""
    from connector.cli.explain import find, told
    from connector.clock import day_in
    from connector.credit.moved_figures import opened
    from connector.store import decisions, known
    from jobs.program import rules_version
    from jobs.recall import again, recall

    day = on or day_in(cli.clock.now(), cli.config.business.time_zone)
    with cli.store.reading() as tx:
        row = find(cli, tx, wanted)
        made = decisions.in_force(tx, row.debtor, day) if row.debtor is not None else None
        if made is None:
            raise ConfigError(
                Text("Nothing was decided of {ref} up to {day}.", "截至 {day}，尚未对 {ref} 作出信用结论。").fill(
                    ref=row.ref, day=day
                )
            )
        kept = recall(tx, cli.config, made)
        if kept is None or row.key not in kept.judged.own:
            raise ConfigError(
                Text(
                    "Beside decision {number} of {day} nothing of {ref} was kept.",
                    "{day} 的第 {number} 号信用结论未留存 {ref} 的依据。",
                ).fill(number=made.id, day=made.as_of, ref=row.ref)
            )
        ledgers = known.ledgers(tx, [row.key], kept.upto)
        same = again(kept) == made.kept
        own = kept.own
    items = [piece for one in ledgers for key in one.keys() for piece in opened(one, key, made.as_of)]  # noqa: SIM118
    items.sort(key=lambda piece: (piece.issued_on, piece.ref))
    table, answer = told(kept.judged, row, items, kept.judged.members, made.as_of, kept.frame.policy)
    at = made.made_at.isoformat(timespec="seconds")
    answer["decision"] = {
        "number": made.id,
        "made_at": at,
        "policy_version": made.policy_version,
        "sha256": made.sha,
        "same_again": same,
        "program": kept.program,
    }
    words = t(
        f"Decision {made.id}, made {at} by policy {made.policy_version}; concluded again: ",
        f"第 {made.id} 号信用结论，{at} 按政策 {made.policy_version} 得出；重算结果：",
    )
    if not same and not own:
        was = _OTHER_PROGRAM.fill(made=made_by(kept.program), now=rules_version())
        table.lead.insert(1, (words + say(was), "yellow"))
    else:
        table.lead.insert(
            1, (words + (t("the same.", "一致。") if same else t("OTHERWISE.", "不一致。")), "" if same else "red")
        )
    return table, answer


def made_by(program: str | None) -> Text:
    """The version of the program that made a decision."""
    if program is None:
        return Text("an earlier version", "较早的程序版本")
    return Text("version {program}", "程序版本 {program} ").fill(program=program)


def _opened(out: Path | None) -> Any:
    import contextlib
    import sys

    return contextlib.nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8", newline="\n")


def _midnight(cli: Cli, day: dt.datetime | None, later: int = 0) -> dt.datetime | None:
    """The beginning of a day in the business's time zone."""
    from zoneinfo import ZoneInfo

    if day is None:
        return None
    return (day + dt.timedelta(days=later)).replace(tzinfo=ZoneInfo(cli.config.business.time_zone))


def _head(words: str) -> Head:
    from connector.store.audit import Head

    lane, _, rest = words.partition(":")
    number, _, digest = rest.partition(":")
    if not (lane and number.isdigit() and digest):
        raise ConfigError(
            Text(
                "--head {words}: as `audit verify` prints it, LANE:NUMBER:HASH.",
                "--head {words}：请按 `audit verify` 的输出填写（链名:编号:校验值）。",
            ).fill(words=words)
        )
    return Head(lane, int(number), digest)


def _table(cli: Cli, lines: list[Line], most: int) -> Table:
    from zoneinfo import ZoneInfo

    from jobs.action_words import action
    from jobs.audit_answer import spoken

    zone = ZoneInfo(cli.config.business.time_zone)
    table = Table(
        Text("Audit trail", "审计日志"),
        [
            Column("number", Text("no.", "编号"), right=True),
            Column("at", Text("when", "时间")),
            Column("actor", Text("who", "操作者"), style="bold"),
            Column("action", Text("what", "操作")),
            Column("subject", Text("of", "对象")),
            Column("change", Text("before → after", "变更前 → 变更后"), spare=1),
            Column("why", Text("why", "原因")),
        ],
        [
            {
                "number": line.number if line.lane == "main" else f"{line.lane} {line.number}",
                "at": line.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                "actor": who(cli, line.entry.actor, ids=True),
                "action": action(line.entry.action),
                "subject": line.entry.subject,
                "change": _change(spoken(line.entry.before, say), spoken(line.entry.after, say)),
                "why": line.entry.why or None,
            }
            for line in lines
        ],
    )
    if not lines:
        table.notes.append(Text("Nothing of that kind was done.", "没有符合条件的记录。"))
    elif len(lines) == most:
        table.notes.append(Text("There may be more: --most.", "可能还有更多记录：请用 --most。"))
    return table


def _change(before: Any, after: Any) -> str | None:
    """What an entry changed, field by field; what is the same on both sides is left out."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        return ", ".join(f"{key}: {_short(before.get(key))} → {_short(after.get(key))}" for key in keys) or None
    if isinstance(after, dict) and before is None:
        return ", ".join(f"{key}: {_short(value)}" for key, value in after.items()) or None
    if before is None and after is None:
        return None
    return f"{_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, (dict, list)):
        from jobs.audit_answer import plain

        value = "".join(as_json(plain(value))).replace("\n", "")
    text = clean(str(value))
    return text if len(text) <= 40 else f"{text[:39]}…"
