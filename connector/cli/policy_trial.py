"""`holdfast policy try`: what a policy would conclude of all customers today, beside what the one in use concludes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.cli.report import LEVELS, AsOf, Form, Out
from connector.cli.words import rule as rule_words
from connector.text import Text, joined

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


def _counted(trial: Trial) -> list[tuple[str, Text, int, int]]:
    """The rows of the comparison: key, words, before, after."""
    words = {
        "held": Text("customers held", "冻结客户"),
        "orders_held": Text("orders held", "冻结订单"),
        **{level: Text(f"level {level}", f"预警等级：{LEVELS[level].zh}") for level in LEVELS},
        "limit_amount": Text("customers with a limit", "有额度客户"),
        "limit_expired": Text("limits expired", "额度过期"),
        "limit_none": Text("customers without a limit", "无额度客户"),
        "limit_unlimited": Text("customers without limit test", "不限额客户"),
    }
    keys = [*words, *sorted(k for k in {*trial.before, *trial.after} if k.startswith("rule_"))]
    rows = []
    for key in keys:
        a, b = trial.before[key], trial.after[key]
        rule = key.removeprefix("rule_")
        title = words.get(key) or Text("held: {rule}", "冻结：{rule}").fill(rule=rule_words(rule))
        if a or b:
            rows.append((key, title, a, b))
    return rows


def _table(trial: Trial, old: Chosen, new: Chosen, most: int) -> Table:
    rows: list[dict[str, Any]] = [
        {"what": title, "before": a, "after": b, "more": b - a or None} for _, title, a, b in _counted(trial)
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
    member = pair.before.members[0]
    return {
        "customer_id": member.ref,
        "name": member.name,
        "before": _state(pair.before),
        "after": _state(pair.after),
        "why": _why(pair),
    }


def _state(judged: Any) -> Text:
    hold = Text("held", "冻结") if judged.decision.hold else Text("free", "放行")
    orders = sum(checked.hold for _, checked in judged.orders)
    parts = [hold, LEVELS[judged.decision.level]]
    if orders:
        parts.append(Text("{n} orders held", "冻结订单 {n}").fill(n=orders))
    return joined(parts, ", ", "，")


def _why(pair: Pair) -> Text:
    """The reasons that only one side has: for what is new, and for what falls away."""
    a, b = pair.before.decision, pair.after.decision
    old, new = {r.rule for r in a.reasons}, {r.rule for r in b.reasons}
    added = [r.text for r in b.reasons if r.rule not in old]
    gone = [Text("no longer: {text}", "不再适用：{text}").fill(text=r.text) for r in a.reasons if r.rule not in new]
    if not added and not gone:
        levels = {i.name: i.level for i in a.indicators}
        added = [i.text for i in b.indicators if levels.get(i.name) != i.level]
    if not added and not gone:
        before = {row.ref: checked.hold for row, checked in pair.before.orders}
        for row, checked in pair.after.orders:
            if before.get(row.ref) != checked.hold:
                said = Text("order {n}: {text}", "订单 {n}：{text}")
                words = checked.reasons[0].text if checked.hold else Text("passes", "放行")
                added.append(said.fill(n=row.number or row.ref, text=words))
    return joined([*added, *gone])


def _answer(trial: Trial, old: Chosen, new: Chosen) -> dict[str, Any]:
    return {
        "as_of": trial.as_of.isoformat(),
        "before": {"name": old.name, "version": old.version},
        "after": {"name": new.name, "version": new.version},
        "customers": trial.customers,
        "counts": [{"what": key, "before": a, "after": b} for key, _, a, b in _counted(trial)],
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
