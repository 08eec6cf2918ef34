"""Measuring the goals P1 to P6: each side does the same work on the same book, in turn, and must come to the same result.

CPU time counts (with that of the database's server, where there is one on this machine), the least of several turns.
"""

from __future__ import annotations

import datetime as dt
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from connector.cli.bench_book import Book, said
from connector.clock import FixedClock
from connector.config import Config
from connector.connect import connect
from connector.credit.limit import effective
from connector.credit.position import position
from connector.credit.stage import Behaviour
from connector.errors import HoldfastError
from connector.model import Fact, Limit
from connector.policy import default_policy
from connector.store import contest, customers, facts, links, positions
from connector.store.db import Store
from connector.store.facts import Kept
from connector.text import Text
from jobs.evaluate import evaluate
from jobs.judge import Frame, frame, judge

if TYPE_CHECKING:
    from connector.store.contest import Places
    from jobs.progress import Progress

SYSTEM = "books"
_PAGE = 2_000
# Beyond so many documents the slow sides run once only.
_MANY = 200_000
# So many customers are judged alone, fewer where one takes more seconds than this.
_ONES, _SLOW_ONE = 40, 0.5


class Different(HoldfastError):
    """Two sides that did the same work came to different results: the measurement is worth nothing."""

    def __init__(self, goal: str, what: str) -> None:
        super().__init__(
            Text("{goal}: the sides do not agree ({what}).", "{goal}：各方结果不一致（{what}）。").fill(
                goal=goal, what=what
            )
        )


@dataclass
class Row:
    """One goal as it was measured. `figure` is held against `limit`; figures of both sides are in `unit`.

    `why` says what a person should know of it, or why it could not be measured (then there is no figure).
    """

    goal: str
    what: Text
    limit: float
    at_most: bool = True
    unit: str = "s"
    ours: float | None = None
    other: float | None = None
    figure: float | None = None
    why: Text | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where nothing was measured."""
        if self.figure is None:
            return None
        return self.figure <= self.limit if self.at_most else self.figure >= self.limit


@dataclass
class Scene:
    """A book in a store, and all that is needed to judge it."""

    store: Store
    book: Book
    places: Places
    url: str = ""
    now: dt.datetime = field(init=False)
    config: Config = field(init=False)
    clock: FixedClock = field(init=False)
    rows: int = 0
    seconds: float = 0.0
    changes: int = 0  # how often documents were changed so far

    def __post_init__(self) -> None:
        self.now = dt.datetime.combine(self.book.as_of, dt.time(4), dt.UTC)
        self.clock = FixedClock(self.now)
        system = {"name": SYSTEM, "adapter": "files", "roles": ["erp", "rates"], "settings": {"path": "."}}
        self.config = Config.model_validate({"systems": [system]})

    @cached_property
    def refs(self) -> dict[int, str]:
        with self.store.reading() as tx:
            return {row.key: row.ref for row in customers.customers(tx)}

    def frame(self, tx: Any) -> Frame:
        return frame(tx, self.config, default_policy(), self.clock, self.book.as_of)

    def evaluate(self, full: bool = False) -> Any:
        run = evaluate(self.store, self.config, default_policy(), self.clock, full=full)
        if run.failed is not None:
            raise HoldfastError(run.failed)
        return run

    def spent(self, work: Callable[[], Any], collect: bool = True) -> tuple[float, Any]:
        """CPU seconds of a piece of work, its server's included, and what it gave."""
        if collect:
            gc.collect()
        server, own = self.places.server_seconds(), time.process_time()
        result = work()
        own = time.process_time() - own
        return own + self.places.server_seconds() - server, result

    def in_turn(self, sides: Sequence[Callable[[], Any]], times: int) -> list[tuple[float, Any]]:
        """The sides alternately, so many times; of each the least CPU time and its last result."""
        best: list[tuple[float, Any]] = [(math.inf, None)] * len(sides)
        for _ in range(times):
            for at, side in enumerate(sides):
                seconds, result = self.spent(side)
                best[at] = (min(best[at][0], seconds), result)
        return best

    @property
    def slow_times(self) -> int:
        return 1 if self.book.documents > _MANY else 3


# --- loading --------------------------------------------------------------------------------------------------------------
def kept(page: Sequence[Fact]) -> list[Kept]:
    """A page as the pull hands it over: records with their hashes, and the facts a mapping made of them."""
    return [Kept(fact.ref, body := said(fact), _hash(body), [fact]) for fact in page]


def _hash(body: dict[str, str]) -> str:
    from connector.adapter import Record
    from jobs.pull import digest

    return digest(Record("", body))


def load(scene: Scene, progress: Progress) -> None:
    """The whole book into the store, page by page, as a pull does; and a debtor for every customer."""
    done, whole = 0, _size(scene.book)
    version = connect(scene.config, SYSTEM).mapping.version
    for stream in (*scene.book.streams, "promises", "financials", "events"):
        known = stream in scene.book.streams
        for page in scene.book.pages(stream, _PAGE) if known else ():
            records = kept(page)
            scene.seconds += scene.spent(lambda: save(scene, stream, records, version), collect=False)[0]  # noqa: B023 - called at once
            done += len(page)
            progress(f"load {scene.book.documents:,}", done, max(whole, done))
        save(scene, stream, (), version, last=True)
    scene.rows = done
    with scene.store.writing() as tx:
        links.ensure_debtors(tx, list(scene.refs))


def _size(book: Book) -> int:
    """About how many facts a book has."""
    return round(book.documents * 3 + book.customers * 8)


def save(
    scene: Scene, stream: str, records: Sequence[Kept], version: str = "", *, full: bool = True, last: bool = False
) -> None:
    """One page in a transaction of its own."""
    with scene.store.writing() as tx:
        facts.save_page(
            tx,
            SYSTEM,
            stream,
            records=records,
            cursor=None,
            full=full,
            last=last,
            now=scene.clock.now(),
            mapping_version=version,
            ledger_currency="CNY",
        )


def every(book: Book) -> Iterator[Fact]:
    """All facts of a book."""
    for stream in book.streams:
        yield from book.facts(stream)


# --- P1, P2: the full run -------------------------------------------------------------------------------------------------
# Of one customer: exposure, limit, days past due.
Head = tuple[Decimal, Decimal | None, int]


def judged(scene: Scene) -> tuple[dict[str, Head], int]:
    """The full run: sums in SQL, a decision for everybody. Gives the head of each ERP customer, and how many are held."""
    heads: dict[str, Head] = {}
    held = 0
    with scene.store.reading() as tx:
        for one in judge(tx, scene.frame(tx)):
            held += one.decision.hold
            heads.update({scene.refs[key]: _head(own) for key, own in one.own.items()})
    return heads, held


def summed(scene: Scene) -> contest.Sums:
    """The sums alone."""
    with scene.store.reading() as tx:
        return contest.sums(_totals(scene, tx), scene.refs)


def _totals(scene: Scene, tx: Any) -> Any:
    return positions.totals(tx, scene.book.as_of, systems=[SYSTEM], horizon_days=90)


def _only_totals(scene: Scene) -> Any:
    with scene.store.reading() as tx:
        return _totals(scene, tx)


def against_orm(scene: Scene, small: bool) -> Row:
    """P1: the same figures and decisions, asked for one customer and one kind of thing at a time."""
    from connector.store import contest_orm

    engine = scene.places.engine("orm")
    try:
        contest_orm.create(engine)
        contest_orm.fill(engine, every(scene.book))
        with scene.store.reading() as tx:
            base = scene.frame(tx)

        def theirs() -> tuple[contest.Sums, dict[str, Head]]:
            found: contest.Sums = {}
            heads: dict[str, Head] = {}
            for buyer, figures, ceilings in contest_orm.loop(engine, scene.book.as_of):
                found.update({(buyer.ref, c): one for c, one in figures.items() if not one.nothing})
                heads[buyer.ref] = _by_hand(base, buyer, figures, ceilings)
            return found, heads

        (ours, (mine, held)), (other, (found, heads)) = scene.in_turn([lambda: judged(scene), theirs], scene.slow_times)
    finally:
        engine.dispose()
    if found != summed(scene):
        raise Different("P1", _first(found, summed(scene)))
    if mine != heads:
        raise Different("P1", _first(mine, heads))
    return Row(
        "P1",
        Text("full run against an ORM loop", "全量运行，对比 ORM 逐客户循环"),
        15 if small else 30,
        at_most=False,
        ours=ours,
        other=other,
        figure=other / ours,
        detail={"customers": len(mine), "held": held},
    )


def _first(one: dict[Any, Any], other: dict[Any, Any]) -> str:
    """The first place where two results differ, for the message."""
    for key in sorted(one.keys() | other.keys(), key=str):
        if one.get(key) != other.get(key):
            return f"{key}: {one.get(key)} ≠ {other.get(key)}"
    return ""


def _head(p: Any) -> Head:
    return p.exposure.total, p.limit_amount, p.overdue_days


def _by_hand(base: Frame, buyer: Any, figures: Any, ceilings: Sequence[Any]) -> Head:
    from connector.credit.decide import decide

    currency = buyer.currency or base.config.business.currency
    rows = [one.totals(0, each) for each, one in figures.items()]
    pieces = [
        Limit(
            id=c.ref,
            customer_id=buyer.ref,
            kind=c.kind,
            amount=c.amount,
            currency=c.currency,
            valid_from=c.valid_from,
            valid_to=c.valid_to,
        )
        for c in ceilings
    ]
    limit = effective(pieces, base.as_of, Behaviour(), base.rates.convert, currency=currency)
    made = position(0, currency, rows, limit, base.rates, base.as_of, base.policy)
    decide(made, [], base.policy, status=buyer.status)
    return _head(made)


def against_duckdb(scene: Scene) -> list[Row]:
    """P2: the same sums in a column store's own file; and the full run, which that does not do, held against it too."""
    from connector.store import contest_duck

    sums_row = Row("P2", Text("sums against DuckDB, 1 thread", "汇总，对比 DuckDB 单线程"), 8)
    full_row = Row("P2", Text("full run with decisions against DuckDB's sums", "含结论的全量运行，对比 DuckDB 汇总"), 8)
    if not contest_duck.available():
        why = Text("DuckDB is not installed (extra “test”).", "未安装 DuckDB（附加项“test”）。")
        sums_row.why = full_row.why = why
        return [sums_row, full_row]
    duck = contest_duck.Columns(scene.places.folder)
    try:
        duck.fill(every(scene.book))
        best = scene.in_turn(
            [lambda: _only_totals(scene), lambda: judged(scene), lambda: duck.run(scene.book.as_of)], 3
        )
        theirs = duck.sums()
    finally:
        duck.close()
    mine = summed(scene)
    if mine != theirs:
        raise Different("P2", _first(mine, theirs))
    other = best[2][0]
    for row, ours in ((sums_row, best[0][0]), (full_row, best[1][0])):
        row.ours, row.other, row.figure = ours, other, ours / other
    return [sums_row, full_row]


# --- P3: linear -----------------------------------------------------------------------------------------------------------
def linear(scene: Scene, smaller: Scene) -> Row:
    """P3: how the full run grows with the book: the slope of log CPU over log rows."""
    (few, _), (many, _) = scene.in_turn([lambda: judged(smaller), lambda: judged(scene)], 3)
    slope = math.log(many / few) / math.log(scene.rows / smaller.rows)
    return Row(
        "P3",
        Text("growth of the full run: slope of CPU over rows", "全量运行的增长：CPU 对行数的斜率"),
        1.1,
        ours=many,
        other=few,
        figure=slope,
        detail={"rows": [smaller.rows, scene.rows]},
        why=Text(
            f"other side: the same with {smaller.book.documents:,} documents",
            f"对比方：同样的运行，{smaller.book.documents:,} 张单据",
        ),
    )


# --- P4, P5: a part of it --------------------------------------------------------------------------------------------------
def incremental(scene: Scene, share: float, limit: float) -> Row:
    """P4: some documents change; only who owns them is judged again, and nothing is missed by that."""
    count = max(1, round(scene.book.documents * share))
    least, whole, touched = math.inf, math.inf, 0
    scene.evaluate(full=True)
    for _ in range(3):
        pages = kept(scene.book.changed(count, scene.changes))
        scene.changes += 1
        save(scene, "documents", pages, full=False)
        seconds, run = scene.spent(scene.evaluate)
        least, touched = min(least, seconds), run.counts["evaluated"]
        before = contest.standings(scene.store)
        seconds, run = scene.spent(lambda: scene.evaluate(full=True))
        whole = min(whole, seconds)
        after = contest.standings(scene.store)
        if before != after or run.counts["decisions"]:
            raise Different("P4", _first(before, after))
    return Row(
        "P4",
        Text(f"{share:.2%} of the documents changed, against a full run", f"{share:.2%} 的单据变更，对比全量运行"),
        limit,
        at_most=False,
        ours=least,
        other=whole,
        figure=whole / least,
        detail={"documents": count, "customers": touched},
        why=Text(f"{touched:,} customers judged", f"评估了 {touched:,} 个客户"),
    )


def one_customer(scene: Scene, smaller: Scene) -> Row:
    """P5: one customer alone, drawn as orders are."""
    drawn = dict.fromkeys(document.customer_id for document in scene.book.changed(100, -1))
    figures = [_each(one, list(drawn)) for one in (smaller, scene)]
    return Row(
        "P5",
        Text("one customer judged again", "重新评估一个客户"),
        1 if scene.places.server is None else 5,
        unit="ms",
        ours=figures[1],
        other=figures[0],
        figure=figures[1],
        why=Text(
            f"other side: the same with {smaller.book.documents:,} documents",
            f"对比方：同样的运行，{smaller.book.documents:,} 张单据",
        ),
    )


def _each(scene: Scene, refs: Sequence[str]) -> float:
    """CPU milliseconds for one customer, a fresh frame of the day not counted."""
    keys = {ref: key for key, ref in scene.refs.items()}
    with scene.store.reading() as tx:
        base = scene.frame(tx)
        chosen = [base.rows[keys[ref]].debtor for ref in refs if ref in keys] or [min(base.members)]
        debtors = [d for d in chosen if d is not None]
        best = [math.inf] * len(debtors)
        for _ in range(3):
            for at, debtor in enumerate(debtors[:_ONES]):
                seconds = scene.spent(lambda: list(judge(tx, base, [debtor], orders=False)), collect=False)[0]  # noqa: B023
                best[at] = min(best[at], seconds)
                if best[at] > _SLOW_ONE:
                    break
    known = [seconds for seconds in best if seconds < math.inf]
    return sum(known) / len(known) * 1000


# --- P6: loading ----------------------------------------------------------------------------------------------------------
def loading(scene: Scene, rows_most: int) -> list[Row]:
    """P6: pages of documents, payments and what was set against what, into an empty store; then the same once more."""
    from connector.store import contest_orm

    pages = _first_pages(scene.book, rows_most)
    count = sum(len(page) for _, page in pages)
    best = [math.inf] * 4
    for turn in range(2):
        own = Scene(Store.open(scene.places.url(f"load{turn}")), scene.book, scene.places)
        engine = scene.places.engine(f"merge{turn}")
        try:
            contest_orm.create(engine)

            def theirs() -> None:
                for stream, page in pages:
                    contest_orm.merge(engine, stream, page, own.now)  # noqa: B023 - called at once

            works = [lambda: _save_all(own, pages), theirs, lambda: _save_all(own, pages), theirs]  # noqa: B023
            for at, work in enumerate(works):
                best[at] = min(best[at], scene.spent(work)[0])
            mine, other = contest.open_sums(own.store), contest_orm.open_sums(engine)
            if mine != other:
                raise Different("P6", _first(mine, other))
        finally:
            own.store.close()
            engine.dispose()
    first, merged, again, merged_again = (count / seconds for seconds in best)
    return [
        Row(
            "P6",
            Text("loading against ORM merge()", "装载，对比 ORM merge()"),
            20,
            at_most=False,
            unit="rows/s",
            ours=first,
            other=merged,
            figure=first / merged,
            detail={"rows": count},
        ),
        Row(
            "P6",
            Text("the same rows again, against the first time", "相同数据再次装载，对比首次"),
            2,
            at_most=False,
            unit="rows/s",
            ours=again,
            other=first,
            figure=again / first,
            detail={"merge_again": merged_again},
        ),
    ]


def _first_pages(book: Book, most: int) -> list[tuple[str, list[Kept]]]:
    """About so many records of the first customers, stream by stream."""
    part = Book(book.customers, book.documents, book.seed, book.as_of)
    chosen, so_far = 0, 0
    for chosen, share in enumerate(part.shares, 1):  # noqa: B007 - how many it takes
        so_far += share * 3
        if so_far >= most:
            break
    own = {f"C{place + 1:05d}" for place in range(chosen)}
    pages = []
    for stream in ("documents", "payments", "applications"):
        found = []
        for fact in part.facts(stream):
            if fact.ref.partition("-")[0] not in own:
                break  # customers come in order
            found.append(fact)
        pages += [(stream, kept(found[at : at + 1000])) for at in range(0, len(found), 1000)]
    return pages


def _save_all(scene: Scene, pages: Sequence[tuple[str, Sequence[Kept]]]) -> None:
    """As a pull does it: what is stored with the same hash is only stamped."""
    for stream, page in pages:
        with scene.store.reading() as tx:
            same = facts.unchanged(tx, SYSTEM, stream, [(one.key, one.hash) for one in page], "")
        save(scene, stream, [Kept(one.key, None, one.hash, None) if one.key in same else one for one in page])


def scene_of(book: Book, places: Places, name: str, progress: Progress) -> Scene:
    """A book, loaded."""
    url = places.url(name)
    made = Scene(Store.open(url), book, places, url)
    load(made, progress)
    return made
