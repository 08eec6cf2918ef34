"""Pull: records of every stream of a system become facts, with the marks of whom they change; the cursor comes last.

A crash after any page loses and doubles nothing: the next pull goes on from the cursor that was committed with the last
page. A record that has not changed is only stamped. A bad record is quarantined with its problem, its last good facts
stay, and the rest goes on. While one page is saved the next is on its way, and streams that need not wait for one another
are read side by side.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field

import simplejson

from connector.adapter import Page, Record, Stream
from connector.connect import Connected
from connector.errors import ConfigError, HoldfastError, Problem
from connector.mapping import Context
from connector.paging import ahead
from connector.store import documents, doubts, facts, records
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.facts import Kept
from connector.store.leases import LeaseLost, safe_place
from connector.text import Text
from jobs import pages
from jobs.pages import Source
from jobs.progress import Progress, silent
from jobs.run import NEWS, Run, failure, running

# So many pages are fetched before they are needed; where they wait for us, up to so many records are saved at once.
_AHEAD = (8, 2000)
_SORTED = simplejson.JSONEncoder(use_decimal=True, sort_keys=True, ensure_ascii=False, default=str)


def pull(
    store: Store,
    connected: Connected,
    *,
    full: bool = False,
    nightly: bool = False,
    streams: Collection[str] | None = None,
    progress: Progress = silent,
) -> Run:
    """Reads what has changed in one system since the last pull (`full`: everything), of all its streams or of those that
    are named; names of streams that the mapping does not read are passed over. Of our own errors it raises LeaseLost only."""
    connected.kept_in(store)
    with running(store, connected.clock, "pull", connected.name) as run:
        run.partial = streams is not None
        whole = _in_order(connected)
        _drop(store, connected, whole, run)
        chosen = [s for s in whole if streams is None or s.name in streams]
        _remap(store, connected, chosen, run)
        refused: list[Text] = []
        for one in _read_all(_Pull(store, connected, full, nightly, progress), chosen):
            run.counts.update(one.run.counts)
            run.streams[one.stream.name] += sum(one.run.counts[name] for name in NEWS)
            run.problems += one.run.problems
            if one.wrong is None:
                continue
            if isinstance(one.wrong, LeaseLost):
                raise one.wrong
            if isinstance(one.wrong, ConfigError):
                # One object without rights must not keep the others from being read; it is told, and nothing is swept.
                refused.append(one.wrong.user)
                if one.wrong.user in refused[:-1]:
                    continue  # a wrong key is one problem, not one a stream
            else:
                run.failed = run.failed or one.wrong.user
            run.problem(failure("pull", connected.name, one.wrong, f"{connected.name}/{one.stream.name}"))
        if chosen and len(refused) == len(chosen):
            run.failed = refused[0]
        if not run.partial:
            with store.reading() as tx:
                # What no single record shows: a payment set against nothing, instalments that do not add up.
                run.problems += doubts.doubts(tx, connected.name)
    return run


@dataclass(frozen=True)
class _Pull:
    """What all streams of one pull share. `ended` tells those that are being read to end after the page in hand."""

    store: Store
    connected: Connected
    full: bool
    nightly: bool
    progress: Progress
    ended: threading.Event = field(default_factory=threading.Event)
    # Of streams that are read side by side one waits here for the other, not where others who write would make way for it.
    saving: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class _Read:
    """One stream's part of the run, and what stopped it, where something did."""

    stream: Stream[object]
    run: Run
    wrong: HoldfastError | None = None

    @property
    def in_trouble(self) -> bool:
        """Whether it is the system that fails, not the right to read this one thing."""
        return self.wrong is not None and not isinstance(self.wrong, ConfigError)


def _read_all(pull: _Pull, streams: Sequence[Stream[object]]) -> list[_Read]:
    """Reads the streams, as many at once as the adapter allows; in the order of `streams`, those that were read.

    Facts find each other whichever comes first, so only `after` keeps one stream waiting for another. Where the system
    is in trouble no further stream begins: no use in asking it for more.
    """
    lanes = pull.connected.adapter.lanes
    ends: dict[str, _Read] = {}
    left = list(streams)
    if lanes == 1:
        for stream in left:
            ends[stream.name] = one = _read(pull, stream)
            if one.in_trouble:
                break
        return list(ends.values())
    with ThreadPoolExecutor(lanes, thread_name_prefix="stream") as pool:
        under_way: dict[Future[_Read], str] = {}
        try:
            while left or under_way:
                pending = {s.name for s in left} | set(under_way.values())
                for stream in [s for s in left if pending.isdisjoint(s.after)] or ([] if under_way else left[:1]):
                    left.remove(stream)
                    under_way[pool.submit(_read, pull, stream)] = stream.name
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    ends[under_way.pop(done)] = one = done.result()
                    if one.in_trouble:
                        left = []
        finally:
            pull.ended.set()
            pool.shutdown(cancel_futures=True)
    return [ends[s.name] for s in streams if s.name in ends]


def _read(pull: _Pull, stream: Stream[object]) -> _Read:
    one = _Read(stream, Run("pull", pull.connected.name))
    try:
        _pull_stream(pull, stream, one.run)
    except HoldfastError as wrong:
        one.wrong = wrong
    return one


def _in_order(connected: Connected) -> list[Stream[object]]:
    """The streams that the mapping reads, those they depend on first."""
    wanted = set(connected.mapping.streams())
    left = [s for s in connected.adapter.streams if s.name in wanted]
    ordered: list[Stream[object]] = []
    while left:
        ready = [s for s in left if not any(a in {o.name for o in left} for a in s.after)] or left[:1]
        ordered += ready
        left = [s for s in left if s not in ready]
    return ordered


def _pull_stream(pull: _Pull, stream: Stream[object], run: Run) -> None:
    store, connected, full, nightly = pull.store, pull.connected, pull.full, pull.nightly
    name, mapping = connected.name, connected.mapping
    with store.writing(concern=Concern()) as tx:
        if full:
            facts.forget_cursor(tx, name, stream.name)
        cursor = facts.cursor(tx, name, stream.name)
    done, pace = 0, pages.StreamPace(store)
    # The next pages are on their way while this one is saved; what was not saved is fetched again after a crash.
    with closing(ahead(stream.read(connected.client, cursor, mapping.wanted(stream.name)), *_AHEAD)) as coming:
        for page in coming:
            if pull.ended.is_set():
                return
            _save(pull, stream, page, run, pace)
            done += len(page.records)
            pull.progress(f"{name}/{stream.name}", done)
            if page.last:
                break
        else:
            raise _unfinished(connected, stream)
    _note_wanted(store, connected, stream.name)
    if stream.keys and not page.full and (stream.sweep == "always" or (nightly and stream.sweep == "nightly")):
        _sweep(store, connected, stream, run)


def _save(pull: _Pull, stream: Stream[object], page: Page, run: Run, pace: pages.StreamPace) -> None:
    """One page: what of it is new, mapped and saved."""
    store, connected, name = pull.store, pull.connected, pull.connected.name
    with store.reading() as tx:
        hashed = [(r.key, digest(r)) for r in page.records]
        same = facts.unchanged(tx, name, stream.name, hashed, mapped_by(connected))
    kept = list(_mapped(connected, stream.name, page.records, hashed, same, run))
    run.problems += page.problems
    source = Source(name, stream.name, mapped_by(connected), connected.config.business.currency)
    with pull.saving:
        counts = pages.save(store, source, page, kept, pace, connected.clock.now())
    run.counts["pages"] += 1
    run.counts["records"] += len(page.records)
    for key in ("new", "changed", "same", "gone"):
        run.counts[key] += getattr(counts, key)


def _unfinished(connected: Connected, stream: Stream[object]) -> ConfigError:
    return ConfigError(
        Text(
            "The adapter {adapter} ended the stream {stream} without a last page: nothing was swept.",
            "适配器 {adapter} 未给出数据流 {stream} 的最后一页：未执行清理。",
        ).fill(adapter=connected.adapter.name, stream=stream.name)
    )


def _sweep(store: Store, connected: Connected, stream: Stream[object], run: Run) -> None:
    """Removes the facts of records that no longer exist there, by the list of those that do."""
    assert stream.keys is not None
    existing: set[str] = set()
    for keys in stream.keys(connected.client):
        existing.update(keys)
    with store.writing(concern=Concern()) as tx:
        run.counts["gone"] += facts.sweep(tx, connected.name, stream.name, existing, connected.clock.now())


def digest(record: Record) -> str:
    """A hash of what a record says; equal records have equal hashes whatever the order of their members."""
    return hashlib.blake2b(_SORTED.encode(record.data).encode(), digest_size=16).hexdigest()


def _mapped(
    connected: Connected,
    stream: str,
    page: Sequence[Record],
    hashed: Sequence[tuple[str, str]],
    same: set[str],
    run: Run,
) -> Iterator[Kept]:
    mapping, context = connected.mapping, context_of(connected)
    for record, (key, own) in zip(page, hashed, strict=True):
        if key in same:
            yield Kept(key, None, own, None, (), record.where)
            continue
        found, problems = mapping.read(stream, record, context=context)
        run.problems += problems
        yield Kept(key, record.data, own, None if problems and not found else found, tuple(problems), record.where)


def mapped_by(connected: Connected) -> str:
    """What a record's facts rest on beside the record: the mapping, and the business's time zone and currency, by which
    moments become days. Where one of them is another, kept records are mapped again."""
    business = connected.config.business
    return f"{connected.mapping.version} {business.time_zone} {business.currency}"


def context_of(connected: Connected) -> Context:
    """What a mapping needs to know of the system it reads."""
    business = connected.config.business
    return Context(time_zone=business.time_zone, base=business.currency, system=connected.name)


def _drop(store: Store, connected: Connected, streams: Sequence[Stream[object]], run: Run) -> None:
    """A stream that the mapping reads no longer says nothing any more."""
    name = connected.name
    with store.writing(concern=Concern()) as tx:
        for dropped in set(facts.read_at(tx, name)) - {s.name for s in streams}:
            run.counts["gone"] += facts.sweep(tx, name, dropped, (), connected.clock.now())
            facts.forget_cursor(tx, name, dropped)


def _remap(store: Store, connected: Connected, streams: Sequence[Stream[object]], run: Run) -> None:
    """Applies a changed mapping to the records that were kept; a stream whose bodies have expired is read in full."""
    name = connected.name
    for stream in streams:
        with store.reading() as tx:
            stale = records.mapped_otherwise(tx, name, stream.name, mapped_by(connected))
        if not stale:
            continue
        with store.reading() as tx:
            bodies = records.bodies(tx, name, stream.name, [s.key for s in stale])
        if any(s.key not in bodies for s in stale) or _asks_for_more(store, connected, stream.name, bodies):
            with store.writing(concern=Concern()) as tx:
                facts.forget_cursor(tx, name, stream.name)
            continue
        done, pace = 0, pages.StreamPace(store)
        while done < len(stale):
            pace.rest()
            safe_place(store)
            part = stale[done : done + pace.size]
            done += len(part)
            again = [Record(s.key, bodies[s.key], s.where) for s in part]
            kept = list(_mapped(connected, stream.name, again, [(s.key, s.hash) for s in part], set(), run))
            with store.writing(durable=False, concern=Concern()) as tx, pace.portion(len(part)):
                facts.save_again(
                    tx,
                    name,
                    stream.name,
                    records=kept,
                    now=connected.clock.now(),
                    mapping_version=mapped_by(connected),
                    ledger_currency=connected.config.business.currency,
                )
            run.counts["remapped"] += len(part)
            run.streams[stream.name] += len(part)


def _asks_for_more(store: Store, connected: Connected, stream: str, bodies: records.Bodies) -> bool:
    """Whether the mapping reads a member that it did not read before and that none of the kept bodies has: it was never
    asked for, and comes only with a reading of everything."""
    with store.reading() as tx:
        before = documents.active(tx, "wanted", f"{connected.name}/{stream}")
    if before is None:
        return False
    sample = [bodies[key] for key, _ in zip(bodies, range(50), strict=False)]
    new = {path.split(".")[0] for path in set(connected.mapping.wanted(stream)) - set(simplejson.loads(before.text))}
    return any(not root.startswith("_") and not any(root in body for body in sample) for root in new)


def _note_wanted(store: Store, connected: Connected, stream: str) -> None:
    """Keeps which members were asked for, so that a later mapping that wants more is noticed."""
    body = simplejson.dumps(sorted(connected.mapping.wanted(stream)), ensure_ascii=False)
    name = f"{connected.name}/{stream}"
    with store.writing(concern=Concern()) as tx:
        before = documents.active(tx, "wanted", name)
        if before is None or before.text != body:
            made = documents.save(tx, "wanted", name, body, author="holdfast", now=connected.clock.now())
            documents.activate(tx, "wanted", name, made.number, author="holdfast", now=connected.clock.now())


__all__ = ["Page", "Problem", "context_of", "digest", "pull"]
