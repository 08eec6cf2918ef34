"""What another mapping would change in the kept records, as tables for people and as an answer for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from connector.cli.common import Cli, say, show_problem, t
from connector.cli.output import Column, Format, Table, emit
from connector.connect import Connected
from connector.mapping import Mapping
from connector.mapping_read import TITLES
from connector.mapping_trial import Change, Trial
from connector.text import Text


def tried_on_kept(cli: Cli, connected: Connected, new: Mapping, most: int) -> tuple[list[Trial], list[Text]]:
    """What a new mapping would change in the kept records of its system, and what has to be said about that."""
    from jobs import mapping_trials

    return mapping_trials.tried_on_kept(cli.store, connected, new, most)


_COLUMNS = [
    Column("stream", Text("stream", "数据流"), style="bold"),
    Column("records", Text("records", "记录"), right=True),
    Column("facts", Text("facts", "数据")),
    Column("before", Text("before", "之前"), right=True),
    Column("after", Text("after", "之后"), right=True),
    Column("new", Text("new", "新增"), right=True),
    Column("gone", Text("gone", "消失"), right=True),
    Column("changed", Text("changed", "变更"), right=True),
]
_SAMPLES = [
    Column("where", Text("record", "记录"), style="bold"),
    Column("kind", Text("fact", "数据")),
    Column("ref", Text("id", "编号")),
    Column("field", Text("field", "字段")),
    Column("before", Text("before", "之前")),
    Column("after", Text("after", "之后")),
]
_PROBLEMS = Text("problems", "问题")


def trial_tables(trials: Sequence[Trial], notes: Sequence[Text]) -> list[Table]:
    """Counts before and after by stream and kind of fact, and a few changes as samples."""
    rows: list[dict[str, Any]] = []
    for one in trials:
        for kind, count in one.facts.items():
            rows.append(
                {"stream": one.stream, "records": one.records, "facts": TITLES[kind]}
                | {name: getattr(count, name) for name in ("before", "after", "new", "gone", "changed")}
            )
        if one.problems_before or one.problems_after:
            rows.append(
                {"stream": one.stream, "records": one.records, "facts": _PROBLEMS}
                | {"before": one.problems_before, "after": one.problems_after}
            )
    made = [Table(Text("Tried on kept records", "在已保存的记录上试用"), _COLUMNS, rows, notes=list(notes))]
    samples = [_sample(change) for one in trials for change in one.samples]
    if samples:
        made.append(Table(Text("Samples", "示例"), _SAMPLES, samples))
    return made


def _sample(change: Change) -> dict[str, Any]:
    return {
        "where": change.where,
        "kind": TITLES[change.kind],
        "ref": change.ref,
        "field": change.field or Text("(all of it)", "（整条）"),
        "before": change.before,
        "after": change.after,
    }


def trial_answer(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "stream": one.stream,
            "records": one.records,
            "facts": {
                kind: {name: getattr(count, name) for name in ("before", "after", "new", "gone", "changed")}
                for kind, count in one.facts.items()
            },
            "problems": {"before": one.problems_before, "after": one.problems_after},
            "new_problems": [show_problem(p) for p in one.problems],
            "samples": [
                {"record": c.where, "fact": c.kind, "id": c.ref, "field": c.field, "before": c.before, "after": c.after}
                for c in one.samples
            ],
        }
        for one in trials
    ]


def tell_trial(answer: dict[str, Any], lines: Sequence[str], trials: Sequence[Trial], notes: Sequence[Text], form: Format) -> None:  # fmt: skip
    """What differs in the text, what that would do to the records, and the new problems; as one answer for programs."""
    if form is not Format.table:
        tables = trial_tables(trials, notes)
        emit(
            tables[0],
            {**answer, "diff": list(lines), "trial": trial_answer(trials), "notes": [say(n) for n in notes]},
            form,
            None,
        )
        return
    for line in lines or [t("No difference.", "没有差异。")]:
        typer.echo(line)
    for table in trial_tables(trials, notes):
        if table.rows:
            emit(table, None, form, None)
        else:
            for note in table.notes:
                typer.echo(say(note))
    for one in trials:
        for problem in one.problems:
            typer.echo(show_problem(problem))
