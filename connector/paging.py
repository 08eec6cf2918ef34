"""Stock paginators: the ways in which products hand out long lists, each resumable after every page.

    by_keyset    ordered by (watermark, id), next page by key, with an overlap: for changes, nothing lost on ties
    by_id        ordered by id inside a fixed window: for systems that sort by id only
    by_listed_id the same, for reading everything from a system that lists its ids cheaply: pages come side by side
    by_token     the system's own continuation token, with a restart where it has expired
    at_once      a short list that is read as a whole every time
    side_by_side pages that are known beforehand, fetched several at a time and handed out in order
    ahead        any of them, with the next page on its way while this one is worked on

They yield `Page`s whose cursor is plain JSON. Row numbers (`offset`) are missing on purpose: over a list that moves while
it is read they lose rows.

A row may become visible later than its watermark says (a long transaction, a replica that lags). The *overlap* must be
longer than that: each pull begins so much earlier than the last one ended, and meeting a row twice is harmless.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from connector.adapter import Page, Record
from connector.errors import ConfigError

Mark = str  # a watermark in the system's own sortable form

# A thread that is left is waited for so long: it ends with its call, and must not outlive what it was reading for.
_LEAVING_SECONDS = 10.0
_RESTARTS_MOST = 3  # how often one read begins anew because its token has expired


def by_keyset(
    cursor: Any,
    fetch: Callable[[Mark | None, tuple[Mark, str] | None], Sequence[Record]],
    mark_of: Callable[[Record], Mark],
    id_of: Callable[[Record], str],
    size: int,
    earlier: Callable[[Mark], Mark],
    now: Callable[[], Mark] | None = None,
) -> Iterator[Page]:
    """Pages ordered by (watermark, id) ascending; nothing is lost where many rows share one watermark.

    `fetch(since, after)` gives at most `size` records: those after the key `after` where it is given, else those with
    watermark >= `since`, else all. `earlier(mark)` is the watermark less the overlap. `id_of` gives the id in the form in
    which the system sorts and `after` is handed back.

    `now` is the present as a watermark. With it the next pull begins no later than this one began, less the overlap: a
    row that became visible behind our back during a long pull is met then, and one row from the future (a wrong clock)
    does not end all reading. Cursor: `{"mark": …}` between pulls, more inside one.
    """
    state = dict(cursor or {})
    mark: Mark | None = state.get("mark")
    inside = bool(state.get("after"))
    full = bool(state.get("full", mark is None))
    since: Mark | None = state.get("since") if inside else (earlier(mark) if mark is not None else None)
    after: tuple[Mark, str] | None = (state["after"][0], state["after"][1]) if inside else None
    top: Mark | None = state.get("top") if inside else (now() if now else None)
    while True:
        records = fetch(since, after)
        for record in records:
            own = mark_of(record)
            mark = own if mark is None or own > mark else mark
        if records:
            after = (mark_of(records[-1]), id_of(records[-1]))
        if len(records) < size:
            if mark is not None and top is not None:
                mark = min(mark, top)
            yield Page(records, {"mark": mark} if mark is not None else None, full, last=True)
            return
        assert after is not None
        held = {"mark": mark, "since": since, "after": list(after), "full": full, "top": top}
        yield Page(records, held, full, last=False)


def by_id(
    cursor: Any,
    fetch: Callable[[Mark | None, Mark, str | None], Sequence[Record]],
    id_of: Callable[[Record], str],
    size: int,
    earlier: Callable[[Mark], Mark],
    until: Callable[[], Mark],
) -> Iterator[Page]:
    """Pages ordered by id inside a window whose upper end is fixed when the pull begins.

    `fetch(since, to, after)` gives at most `size` records with `since <= watermark <= to` and id > `after`, by id. Where
    `since` is None everything is read, and `to` must not shut anything out: a row touched while we read would be missing
    from a reading of everything, and be taken for deleted. `until()` is the upper end for a new pull (now, less what the
    system needs to make writes visible). Cursor: `{"since": …}` between pulls, with `"to"` and `"after"` inside one.
    """
    state = dict(cursor or {})
    inside = "to" in state
    full = bool(state.get("full", state.get("since") is None))
    since: Mark | None = state.get("since")
    if not inside and since is not None:
        since = earlier(since)
    to: Mark = state["to"] if inside else until()
    after: str | None = state.get("after")
    while True:
        records = fetch(since, to, after)
        if records:
            after = id_of(records[-1])
        if len(records) < size:
            yield Page(records, {"since": to}, full, last=True)
            return
        yield Page(records, {"since": since, "to": to, "after": after, "full": full}, full, last=False)


def by_listed_id(
    cursor: Any,
    listed: Callable[[str | None], Sequence[str]],
    listed_size: int,
    fetch: Callable[[str | None, str], Sequence[Record]],
    size: int,
    until: Callable[[], Mark],
    most: int,
) -> Iterator[Page]:
    """Everything, by id, in pages of about `size` of which `most` are fetched at once; the cursors are those of `by_id`.

    `listed(after)` gives the next `listed_size` ids after one, in order, fewer at the end. `fetch(after, to)` gives the
    records with after < id <= to. What is made while we read bears a watermark of its own time, and comes with the next
    pull, as with `by_id`.
    """
    state = dict(cursor or {})
    to: Mark = state["to"] if "to" in state else until()

    def lots() -> Iterator[Callable[[], Page]]:
        after: str | None = state.get("after")
        while ids := listed(after):
            for upto in (*ids[size - 1 : -1 : size], ids[-1]):
                yield partial(lot, after, upto)
                after = upto
            if len(ids) < listed_size:
                return

    def lot(after: str | None, upto: str) -> Page:
        held = {"since": None, "to": to, "after": upto, "full": True}
        return Page(fetch(after, upto), held, full=True, last=False)

    yield from side_by_side(lots(), most)
    yield Page([], {"since": to}, full=True, last=True)


class TokenExpired(ConfigError):
    """Raised by `fetch` of `by_token` when the system no longer knows the continuation token."""


def by_token(
    cursor: Any,
    fetch: Callable[[Mark | None, str | None], tuple[Sequence[Record], str | None]],
    mark_of: Callable[[Record], Mark | None],
    earlier: Callable[[Mark], Mark],
    now: Callable[[], Mark] | None = None,
) -> Iterator[Page]:
    """Pages by the system's continuation token; starts over from the watermark where the token has expired.

    `fetch(since, token)` gives records and the next token, None on the last page. `now` as in `by_keyset`. Cursor:
    `{"mark": …}` between pulls, with `"since"`, `"token"` and the highest mark seen (`"seen"`) inside one. The token's
    error goes on where it has expired again and again without the end being reached.
    """
    state = dict(cursor or {})
    mark: Mark | None = state.get("mark")
    inside = state.get("token") is not None
    full = bool(state.get("full", mark is None))
    since: Mark | None = state.get("since") if inside else (earlier(mark) if mark is not None else None)
    seen: Mark | None = state.get("seen", mark)
    token: str | None = state.get("token")
    top: Mark | None = state.get("top") if inside else (now() if now else None)
    restarts = 0
    while True:
        try:
            records, following = fetch(since, token)
        except TokenExpired:
            if token is None or restarts == _RESTARTS_MOST:
                raise
            restarts, token = restarts + 1, None
            continue
        for record in records:
            own = mark_of(record)
            if own is not None and (seen is None or own > seen):
                seen = own
        if following is None:
            if seen is not None and top is not None:
                seen = min(seen, top)
            yield Page(records, {"mark": seen} if seen is not None else None, full, last=True)
            return
        token = following
        held = {"mark": mark, "since": since, "token": token, "seen": seen, "full": full, "top": top}
        yield Page(records, held, full, last=False)


def at_once(records: Sequence[Record], size: int = 1000) -> Iterator[Page]:
    """A list that is read as a whole every time (full pages; what is not in it is gone)."""
    for start in range(0, max(len(records), 1), size):
        yield Page(records[start : start + size], None, full=True, last=start + size >= len(records))


def side_by_side(fetches: Iterable[Callable[[], Page]], most: int) -> Generator[Page, None, None]:
    """Pages none of which needs the one before it, fetched by up to `most` threads, handed out in their order.

    At most `most` pages are fetched or on their way and not yet handed out. An error comes at its place in the row, after
    all the pages before it. Leaving early begins no further call and waits for those that are under way.
    """
    waiting: deque[Future[Page]] = deque()
    pool = ThreadPoolExecutor(most, thread_name_prefix="pages")
    try:
        for fetch in fetches:
            if len(waiting) == most:
                yield waiting.popleft().result()
            waiting.append(pool.submit(fetch))
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ahead(pages: Iterator[Page], most: int = 1, records: int = 0) -> Generator[Page, None, None]:
    """The same pages, fetched by a thread of their own, at most `most` of them before they are asked for.

    A page's cursor still means "after this page": what was fetched and not handed out is fetched again after a crash.
    Errors come at their place in the row. Leaving early ends the thread after the call it is in, and waits for that.
    Where whoever works on them is slower than the system, pages that are there already come as one of up to `records`.
    """
    ready: queue.Queue[Page | BaseException | None] = queue.Queue(most)
    left = threading.Event()

    def put(what: Page | BaseException | None) -> bool:
        while not left.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(what, timeout=0.1)
                return True
        return False

    def fetch() -> None:
        try:
            with contextlib.closing(pages) if isinstance(pages, Generator) else contextlib.nullcontext():
                for page in pages:
                    if not put(page) or page.last:
                        break
            put(None)
        except BaseException as wrong:  # handed over, and raised where the page was expected
            put(wrong)

    thread = threading.Thread(target=fetch, name="pages-ahead", daemon=True)
    thread.start()
    try:
        what = ready.get()
        while isinstance(what, Page):
            together, following = [what], None
            size = len(what.records)
            while following is None and not together[-1].last:
                try:
                    following = ready.get_nowait()
                except queue.Empty:
                    break
                if isinstance(following, Page) and _joins(together[-1], following, size, records):
                    together.append(following)
                    size, following = size + len(following.records), None
            yield _joined(together)
            what = ready.get() if following is None else following
        if what is not None:
            raise what
    finally:
        left.set()
        thread.join(_LEAVING_SECONDS)


def _joins(page: Page, following: Page, size: int, most: int) -> bool:
    # What a page says is gone may be there again on the next one: nothing is put behind it.
    return page.full == following.full and not page.gone and size + len(following.records) <= most


def _joined(pages: Sequence[Page]) -> Page:
    if len(pages) == 1:
        return pages[0]
    last = pages[-1]
    every = [record for page in pages for record in page.records]
    problems = [problem for page in pages for problem in page.problems]
    return Page(every, last.cursor, last.full, last.last, last.gone, problems)
