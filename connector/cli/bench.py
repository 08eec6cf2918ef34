"""`holdfast bench`: the goals of performance as ratios, both sides measured in one run on a book made from a seed.

Everything happens in a temporary folder (or, with --database, in schemas of its own that are dropped at the end). A goal
that is missed is marked and changes nothing; sides that come to different results end the command with 1.
"""

from __future__ import annotations

import contextlib
import gc
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, console, say, t
from connector.cli.output import Column, Format, Table, emit
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.cli.bench_book import Book
    from connector.cli.bench_row import Row
    from jobs.progress import Progress


class Size(StrEnum):
    """How large a book, by the word."""

    small = "small"
    medium = "medium"
    large = "large"


class Form(StrEnum):
    """The formats of this report."""

    table = "table"
    json = "json"


SIZES = {Size.small: (1_000, 20_000), Size.medium: (20_000, 1_000_000), Size.large: (100_000, 10_000_000)}


_GOALS = ("P1", "P2", "P3", "P4", "P5", "P6", "P8", "P9", "P10", "P13", "P14")
# These change nothing of the book but who has looked.
_LOOKING = ("P13", "P14")
# Measured only where they are asked for: they make a book of their own.
_APART = ("P7", "P11", "P12")
# So long the clients of P7 ask, each time; of a large book longer.
CHECK_SECONDS = 1.5


def register(app: typer.Typer) -> None:
    @app.command(
        "bench",
        help=t("Measure the goals of performance, both sides in one run.", "测量性能目标：各方在同一次运行中对比。"),
    )
    def command(
        context: typer.Context,
        size: Annotated[
            Size,
            typer.Option(
                help=t(
                    "small: 1,000 customers, 20,000 documents; medium: 20,000, 1,000,000; large: 100,000, 10,000,000.",
                    "small：1,000 个客户、2 万张单据；medium：2 万、100 万；large：10 万、1,000 万。",
                )
            ),
        ] = Size.small,
        customers: Annotated[int | None, typer.Option(min=20, help=t("So many customers.", "客户数量。"))] = None,
        documents: Annotated[int | None, typer.Option(min=200, help=t("So many documents.", "单据数量。"))] = None,
        seed: Annotated[
            int, typer.Option(help=t("The same seed makes the same book.", "相同种子得到相同的账簿。"))
        ] = 1,
        database: Annotated[
            str,
            typer.Option(
                help=t(
                    "sqlite, or the URL of a PostgreSQL where schemas may be made.",
                    "sqlite，或可创建 schema 的 PostgreSQL 地址。",
                )
            ),
        ] = "sqlite",
        only: Annotated[
            list[str] | None, typer.Option(help=t("Only these goals: P1 … P14.", "仅测量这些目标：P1 … P14。"))
        ] = None,
        keep: Annotated[
            Path | None,
            typer.Option(
                help=t(
                    "Keep the book in this folder and use the one that is there: with --only P13 and P14, which change "
                    "nothing of it.",
                    "将账簿保存在该文件夹并重复使用：仅限 --only P13、P14，它们不改动账簿。",
                )
            ),
        ] = None,
        form: Annotated[Form, typer.Option("--format", help=t("table or json.", "table 或 json。"))] = Form.table,
    ) -> None:
        from connector.cli.bench_book import Book
        from connector.cli.bench_row import Different

        cli: Cli = context.obj
        wanted = {goal.upper() for goal in only or ()}
        known = (*_GOALS, *_APART)
        if wanted - set(known):
            raise ConfigError(Text("--only: one of {known}.", "--only：可选 {known}。").fill(known=", ".join(known)))
        if keep is not None and (database != "sqlite" or not wanted or wanted - set(_LOOKING)):
            raise ConfigError(
                Text(
                    "--keep is for --only P13 and --only P14 on SQLite: the other goals change the book.",
                    "--keep 仅可与 --only P13、--only P14 及 SQLite 一起使用：其他目标会改动账簿。",
                )
            )
        usual = SIZES[size]
        book = Book(customers or usual[0], max(documents or usual[1], customers or usual[0]), seed)
        began = time.monotonic()
        rows: list[Row] = []
        with bars() as progress:
            try:
                for row in measured(book, database, progress, wanted, keep):
                    rows.append(row)
                    if cli.verbose:  # a large book takes long: what is known is told at once
                        told = f"{row.goal} {say(row.what)}: {_figure(row.figure)} ({_limit(row)})"
                        console(error=True).print(told, markup=False)
            except Different as wrong:
                console(error=True).print(say(wrong.user), style="bold red")
                raise typer.Exit(1) from None
        rows.sort(key=lambda row: int(row.goal[1:]))
        show(rows, book, database, time.monotonic() - began, Format(form.value))


def measured(book: Book, database: str, progress: Progress, only: set[str], keep: Path | None = None) -> Iterator[Row]:
    """The rows of the table, as they come. Raises `Different` where sides do not agree."""
    from connector.cli import (
        bench_full,
        bench_load,
        bench_memory,
        bench_network,
        bench_pages,
        bench_panel,
        bench_part,
        bench_push,
    )
    from connector.cli.bench_book import Book
    from connector.cli.bench_scene import kept_scene, scene_of
    from connector.store import contest

    if only:
        yield from _apart(book, database, progress, only)
        if not only - set(_APART):
            return
    small = book.documents < 500_000
    tenth = Book(max(20, book.customers // 10), max(200, book.documents // 10), book.seed, book.as_of)
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-bench-")))
        places = stack.enter_context(contest.places(database, folder))
        scene = smaller = (
            scene_of(book, places, "whole", progress) if keep is None else kept_scene(book, places, keep, progress)
        )
        stack.callback(scene.store.close)
        if not only or only & {"P3", "P5"}:
            smaller = scene_of(tenth, places, "tenth", progress)
            stack.callback(smaller.store.close)
        # What is loaded once and for all need not be looked through before every turn.
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        steps: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("P1", lambda: bench_full.against_orm(scene, small)),
            ("P2", lambda: bench_full.against_duckdb(scene)),
            ("P3", lambda: bench_full.linear(scene, smaller)),
            ("P5", lambda: bench_part.one_customer(scene, smaller)),
            ("P4", lambda: bench_part.incremental(scene, 0.001, 12 if places.server is None else 8)),
            ("P4", lambda: bench_part.incremental(scene, 0.0001, 50)),
            ("P10", lambda: bench_memory.peak(scene)),
            ("P9", lambda: bench_push.calls(scene, 1_000 if small else 5_000, progress)),
            ("P13", lambda: bench_panel.views(scene)),
            ("P14", lambda: bench_pages.pages(scene)),
            ("P6", lambda: bench_load.loading(scene, min(book.documents, 2_000 if small else 20_000))),
            ("P8", lambda: bench_network.network(scene, min(20_000, 4 * book.documents))),
        )
        for done, (goal, step) in enumerate(steps):
            progress(t("goals", "目标"), done, len(steps))
            if not only or goal in only:
                made = step()
                yield from made if isinstance(made, list) else [made]


def _apart(book: Book, database: str, progress: Progress, only: set[str]) -> Iterator[Row]:
    """The order check, the replay of two years, and decisions alone."""
    from connector.cli import bench_replay
    from connector.store import contest

    if "P7" in only:
        from connector.cli.bench_check import order_checks
        from connector.cli.bench_scene import scene_of

        with (
            tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder,
            contest.places(database, Path(folder)) as places,
        ):
            scene = scene_of(book, places, "checks", progress)
            try:
                yield from order_checks(scene, CHECK_SECONDS if book.documents < 500_000 else 10)
            finally:
                scene.store.close()
    if "P12" in only:
        yield bench_replay.decisions()
    if "P11" in only:
        with (
            tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder,
            contest.places(database, Path(folder)) as places,
        ):
            yield bench_replay.replay(places, progress, book.customers, book.documents, book.seed)


def show(rows: list[Row], book: Book, database: str, seconds: float, form: Format) -> None:
    """The table for people, or everything for programs."""
    table = Table(
        Text(
            f"{book.customers:,} customers, {book.documents:,} documents, seed {book.seed}",
            f"{book.customers:,} 个客户，{book.documents:,} 张单据，种子 {book.seed}",
        ),
        [
            Column("goal", Text("goal", "目标"), style="bold"),
            Column("what", Text("measured", "测量内容")),
            Column("ours", Text("Holdfast", "Holdfast"), right=True),
            Column("other", Text("other side", "对比方"), right=True),
            Column("figure", Text("figure", "结果"), right=True),
            Column("limit", Text("goal is", "要求"), right=True),
            Column("met", Text("met", "达成")),
            Column("why", Text("note", "说明")),
        ],
        [
            {
                "goal": row.goal,
                "what": row.what,
                "ours": _with_unit(row.ours, row.unit),
                "other": _with_unit(row.other, row.unit),
                "figure": _figure(row.figure),
                "limit": _limit(row),
                "met": _MET[row.met],
                "why": row.why,
            }
            for row in rows
        ],
    )
    table.more += [_pages(row.detail["pages"]) for row in rows if "pages" in row.detail]
    table.notes.append(
        Text(
            f"CPU time, the least of several turns; {seconds:,.0f} s altogether.",
            f"CPU 时间，取多轮中的最小值；共用时 {seconds:,.0f} 秒。",
        )
    )
    answer = {
        "customers": book.customers,
        "documents": book.documents,
        "seed": book.seed,
        "database": database.partition(":")[0],
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "goals": [
            {
                "goal": row.goal,
                "what": row.what.en,
                "unit": row.unit,
                "ours": _plain(row.ours),
                "other": _plain(row.other),
                "figure": _plain(row.figure),
                "limit": row.limit,
                "at_most": row.at_most,
                "met": row.met,
                "note": say(row.why) if row.why else None,
                **row.detail,
            }
            for row in rows
        ],
    }
    emit(table, answer, form, None)


def _pages(found: list[dict[str, Any]]) -> Table:
    """Each page by itself, the slowest first."""
    columns = [
        Column("page", Text("page", "页面")),
        Column("cpu_p50_ms", Text("CPU p50, ms", "CPU p50（毫秒）"), right=True),
        Column("cpu_p95_ms", Text("CPU p95, ms", "CPU p95（毫秒）"), right=True),
        Column("wall_p50_ms", Text("clock p50, ms", "时钟 p50（毫秒）"), right=True),
        Column("wall_p95_ms", Text("clock p95, ms", "时钟 p95（毫秒）"), right=True),
        Column("met", Text("met", "达成")),
    ]
    rows = [
        {"page": one["page"], "met": _MET[one["met"]]}
        | {column.key: f"{one[column.key]:.1f}" for column in columns if column.right}
        for one in found
    ]
    return Table(Text("pages; the goal is held against CPU p95", "各页面（以 CPU p95 对照目标）"), columns, rows)


_MET = {True: Text("yes", "是"), False: Text("NO", "否"), None: Text("not measured", "未测量")}


def _limit(row: Row) -> str:
    return ("≤ " if row.at_most else "≥ ") + _figure(row.limit)


def _plain(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{_figure(value)} {unit}".rstrip()
