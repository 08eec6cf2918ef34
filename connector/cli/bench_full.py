"""Goals P1 to P3: the full run, each side doing the same work on the same book in turn, with the same result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import SYSTEM, Scene, every
from connector.credit.decide import decide
from connector.credit.limit import effective
from connector.credit.position import position
from connector.credit.stage import Behaviour
from connector.model import Limit
from connector.store import contest, positions
from connector.text import Text
from jobs.frame import Frame
from jobs.judge import judge

# Of one customer: exposure, limit, days past due.
Head = tuple[Decimal, Decimal | None, int]


def judged(scene: Scene, orders: bool = True) -> tuple[dict[str, Head], int]:
    """The full run: sums in SQL, a decision for everybody and on all `orders`. Gives the head of each ERP customer, and how
    many are held."""
    heads: dict[str, Head] = {}
    held = 0
    with scene.store.reading() as tx:
        for one in judge(tx, scene.frame(tx), orders=orders):
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
    """P1: the same figures and decisions, asked for one customer and one kind of thing at a time.

    Neither side checks orders one by one here; P2 and P3 are with all of them.
    """
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

        (ours, (mine, held)), (other, (found, heads)) = scene.in_turn(
            [lambda: judged(scene, orders=False), theirs], scene.slow_times
        )
    finally:
        engine.dispose()
    if found != summed(scene):
        raise Different.first("P1", found, summed(scene))
    if mine != heads:
        raise Different.first("P1", mine, heads)
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


def _head(p: Any) -> Head:
    return p.exposure.total, p.limit_amount, p.overdue_days


def _by_hand(base: Frame, buyer: Any, figures: Any, ceilings: Sequence[Any]) -> Head:
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
        raise Different.first("P2", mine, theirs)
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
