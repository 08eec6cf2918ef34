"""The scene of the benchmarks: a book made from a seed, loaded into a store page by page as a pull does, with the clocks.

CPU time counts (with that of the database's server, where there is one on this machine), the least of several turns.
"""

from __future__ import annotations

import datetime as dt
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.adapter import Page, Record
from connector.cli.bench_book import Book, said
from connector.clock import FixedClock
from connector.config import Config
from connector.connect import connect
from connector.errors import HoldfastError
from connector.model import Fact
from connector.policy import default_policy
from connector.store import customers, links
from connector.store.db import Store
from connector.store.facts import Kept
from jobs import pages
from jobs.evaluate import evaluate
from jobs.frame import Frame, frame

if TYPE_CHECKING:
    from connector.store.contest import Places
    from jobs.progress import Progress

SYSTEM = "books"
_PAGE = 2_000
# Beyond so many documents the slow sides run once only.
_MANY = 200_000


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
    from jobs.pull import digest

    return digest(Record("", body))


def load(scene: Scene, progress: Progress) -> None:
    """The whole book into the store, page by page, as a pull does; and a debtor for every customer."""
    done, whole = 0, _size(scene.book)
    version = connect(scene.config, SYSTEM).mapping.version
    for stream in (*scene.book.streams, "promises", "financials", "events"):
        known, pace = stream in scene.book.streams, pages.StreamPace(scene.store)
        for page in scene.book.pages(stream, _PAGE) if known else ():
            records = kept(page)
            scene.seconds += scene.spent(lambda: save(scene, stream, records, version, pace=pace), collect=False)[0]  # noqa: B023 - called at once
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
    scene: Scene,
    stream: str,
    records: Sequence[Kept],
    version: str = "",
    *,
    full: bool = True,
    last: bool = False,
    pace: pages.StreamPace | None = None,
) -> None:
    """One page as a pull keeps it."""
    source, page = pages.Source(SYSTEM, stream, version, "CNY"), Page((), None, full, last)
    pages.save(scene.store, source, page, records, pace or pages.StreamPace(scene.store), scene.clock.now())


def every(book: Book) -> Iterator[Fact]:
    """All facts of a book."""
    for stream in book.streams:
        yield from book.facts(stream)


def scene_of(book: Book, places: Places, name: str, progress: Progress) -> Scene:
    """A book, loaded."""
    url = places.url(name)
    made = Scene(Store.open(url), book, places, url)
    load(made, progress)
    return made


def kept_scene(book: Book, places: Places, folder: Path, progress: Progress) -> Scene:
    """A book that stays in a folder, loaded and evaluated; made where it is not there yet."""
    file = folder / f"book-{book.customers}-{book.documents}-{book.seed}.db"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = scene_of(book, places, f"{file.stem}.part", progress)
        made.evaluate(full=True)
        made.store.close()
        # Only a whole one is used again.
        Path(made.url.removeprefix("sqlite:///")).replace(file)
    url = f"sqlite:///{file}"
    return Scene(Store.open(url), book, places, url)
