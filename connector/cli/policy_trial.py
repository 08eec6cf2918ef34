"""`holdfast policy try`: what a policy would conclude of all customers today, beside what the one in use concludes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import AsOf, Form, Out
from connector.text import Text

if TYPE_CHECKING:
    from jobs.policy import Chosen
    from jobs.policy_trial import Pair, Trial

_SAMPLES = 20


def register(group: typer.Typer) -> None:
    @group.command(
        "try",
        help=t(
            "Judge all customers today by a policy and by the one in use, and show what differs; nothing is written.",
            "用某政策与使用中的政策分别评估全部客户，列出差异；不写入任何数据。",
        ),
    )
    def command(
        context: typer.Context,
        which: Annotated[
            str,
            typer.Argument(
                metavar="FILE", help=t("A .toml file, or the number of a kept version.", ".toml 文件或已保存的版本号。")
            ),
        ],
        against: Annotated[
            str, typer.Option(help=t("Another policy than the one in use.", "与之比较的另一政策；缺省为使用中的。"))
        ] = "active",
        as_of: AsOf = None,
        most: Annotated[
            int, typer.Option("--samples", min=0, help=t("Show so many changed customers.", "显示的变化客户数。"))
        ] = _SAMPLES,
        form: Form = Format.table,
        out: Out = None,
    ) -> None:
        from connector.cli.policy import subject
        from connector.clock import day_in
        from jobs.policy_trial import tried

        cli: Cli = context.obj
        new, old = subject(cli, which), subject(cli, against)
        rules, before = new.loaded(), old.loaded()
        day = as_of.date() if as_of else day_in(cli.clock.now(), cli.config.business.time_zone)
        with cli.store.reading() as tx, bars() as progress:
            trial = tried(tx, cli.config, before, rules, cli.clock, day, progress)
        emit(lambda: _table(trial, old, new, most), _answer(trial, old, new), form, out)


def _table(trial: Trial, old: Chosen, new: Chosen, most: int) -> Table:
    from jobs.trial_words import counted

    rows: list[dict[str, Any]] = [
        {"what": title, "before": a, "after": b, "more": b - a or None} for _, title, a, b in counted(trial)
    ]
    turned = trial.turned
    table = Table(
        Text("{customers} customers on {day}", "{day}：{customers} 个客户").fill(
            customers=f"{trial.customers:,}", day=trial.as_of
        ),
        [
            Column("what", Text("what", "项目"), style="bold"),
            Column("before", Text("before", "原政策"), right=True),
            Column("after", Text("after", "新政策"), right=True),
            Column("more", Text("difference", "差异"), right=True),
        ],
        rows,
        notes=[
            Text("Before: {origin}", "原政策：{origin}").fill(origin=old.origin),
            Text("After: {origin}", "新政策：{origin}").fill(origin=new.origin),
            Text(
                "{n} customers change: {held} newly held, {freed} freed, {worse} warned more, {better} warned less.",
                "{n} 个客户有变化：新冻结 {held}，解除冻结 {freed}，预警升级 {worse}，预警降级 {better}。",
            ).fill(n=f"{len(trial.changed):,}", **{k: turned[k] for k in ("held", "freed", "worse", "better")}),
        ],
    )
    if trial.changed and most:
        table.more.append(
            Table(
                Text("Who changes", "变化的客户"),
                [
                    Column("customer_id", Text("customer", "客户"), style="bold"),
                    Column("name", Text("name", "名称"), spare=2),
                    Column("before", Text("before", "原结论")),
                    Column("after", Text("after", "新结论")),
                    Column("why", Text("why", "原因")),
                ],
                [_sample(pair) for pair in trial.changed[:most]],
                notes=[
                    Text(
                        "… and {n} more (--samples, --format json).", "…… 另有 {n} 个（--samples、--format json）。"
                    ).fill(n=f"{len(trial.changed) - most:,}")
                ]
                if len(trial.changed) > most
                else [],
            )
        )
    return table


def _sample(pair: Pair) -> dict[str, Any]:
    from jobs.trial_words import state, why

    member = pair.before.members[0]
    return {
        "customer_id": member.ref,
        "name": member.name,
        "before": state(pair.before),
        "after": state(pair.after),
        "why": why(pair),
    }


def _answer(trial: Trial, old: Chosen, new: Chosen) -> dict[str, Any]:
    from jobs.trial_words import counted

    return {
        "as_of": trial.as_of.isoformat(),
        "before": {"name": old.name, "version": old.version},
        "after": {"name": new.name, "version": new.version},
        "customers": trial.customers,
        "counts": [{"what": key, "before": a, "after": b} for key, _, a, b in counted(trial)],
        "turned": dict(trial.turned),
        "changed": [
            {
                "system": pair.before.members[0].system,
                "customer_id": pair.before.members[0].ref,
                "name": pair.before.members[0].name,
                **{
                    side: {
                        "hold": judged.decision.hold,
                        "level": judged.decision.level,
                        "reasons": [{"rule": r.rule, "text": say(r.text)} for r in judged.decision.reasons],
                        "orders_held": [row.ref for row, checked in judged.orders if checked.hold],
                    }
                    for side, judged in (("before", pair.before), ("after", pair.after))
                },
            }
            for pair in trial.changed
        ],
    }
