"""Goals P4 and P5: a part of the book judged again, against all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import Scene, kept, save
from connector.store import contest
from connector.text import Text
from jobs.judge import judge

# So many customers are judged alone, fewer where one takes more seconds than this.
_ONES, _SLOW_ONE = 40, 0.5


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
            raise Different.first("P4", before, after)
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
