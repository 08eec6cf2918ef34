"""Goal P6: pages of documents, payments and what was set against what, loaded by us and by ORM merge()."""

from __future__ import annotations

import math
from collections.abc import Sequence

from connector.cli.bench_book import Book
from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import SYSTEM, Scene, kept, save
from connector.store import contest, facts
from connector.store.db import Store
from connector.store.facts import Kept
from connector.text import Text


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
                raise Different.first("P6", mine, other)
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
