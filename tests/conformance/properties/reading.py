"""Reading: everything once, nothing lost, resumable after each page, changes found, values exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from connector.adapter import Page
from connector.converters import Context
from connector.errors import ConfigError
from tests.conformance.stage import Stage
from tests.conformance.world import Changes


def keys(pages: Sequence[Page]) -> list[str]:
    return [r.key for p in pages for r in p.records]


def paging(stage: Stage, name: str) -> None:
    """A first read shows every record once, in as many pages as it takes, and says which page is the last."""
    stream = stage.adapter.stream(name)
    held = stage.held(stream)
    pages = stage.read(stream)
    found = keys(pages)
    assert set(found) == held, f"missing {sorted(held - set(found))[:3]}, too many {sorted(set(found) - held)[:3]}"
    assert len(found) == len(set(found)), "a record was shown twice although nothing moved"
    assert [p.last for p in pages] == [False] * (len(pages) - 1) + [True]
    assert all(p.full for p in pages), "pages of a first read belong to a reading of everything"
    assert not any(p.gone for p in pages), "a first read cannot know of deletions"
    if name in stage.world.paged:
        assert len(pages) >= 3, f"{name} came in {len(pages)} pages: the world is too small to show paging"


def resume(stage: Stage, name: str) -> None:
    """After any page another process goes on from its cursor, and both together have seen everything."""
    stream = stage.adapter.stream(name)
    held = stage.held(stream)
    whole = stage.read(stream)
    cuts = sorted({0, len(whole) // 2, len(whole) - 2} & set(range(len(whole))))
    for cut in cuts:
        before = whole[: cut + 1]
        if before[-1].last:
            break
        rest = stage.read(stream, before[-1].cursor)
        seen = set(keys(before)) | set(keys(rest))
        assert seen == held, f"after page {cut + 1} of {len(whole)}: missing {sorted(held - seen)[:3]}"
        assert all(p.full for p in rest), "the rest of a reading of everything is part of it"
        if stream.incremental:
            assert len(keys(rest)) < len(held), f"page {cut + 1}: it started over"
    if name in stage.world.paged:
        assert len(whole) >= 3, "too few pages to cut between"


def exact(stage: Stage, name: str) -> None:
    """No value of a record has been a binary float on its way: money would not add up."""
    looked = 0
    for page in stage.read(stage.adapter.stream(name)):
        for record in page.records:
            where = _float_in(record.data, record.key)
            assert where is None, f"a float at {where}"
            looked += 1
    assert looked


def _float_in(value: Any, where: str) -> str | None:
    if isinstance(value, float):
        return where
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    return next((found for k, v in inside if (found := _float_in(v, f"{where}.{k}"))), None)


def unknown_field(stage: Stage, name: str) -> None:
    """A field that the mapping asks for and the system lacks is named in one clear error, or simply absent."""
    stream = stage.adapter.stream(name)
    held = stage.held(stream)
    asked = [*stage.wanted(name), "x_no_such_field"]
    found: set[str] = set()
    error: ConfigError | None = None
    try:
        for page in stream.read(stage.client(), None, asked):
            found.update(r.key for r in page.records)
            if page.last:
                break
    except ConfigError as wrong:
        error = wrong
    if error is None:
        assert found == held
    else:
        assert "x_no_such_field" in error.user.en, f"it does not name the field: {error.user.en}"
        assert "x_no_such_field" in error.user.zh


def _changes(stage: Stage, name: str) -> Changes:
    assert name in stage.world.changes, f"the world does not say how {name} change"
    return stage.world.changes[name]


def _done(change: Callable[[Any], Any] | None, what: str, stage: Stage) -> Any:
    assert change is not None, f"the world does not say how to {what}"
    stage.clock.sleep(600)  # the next change happens ten minutes later by our clock
    return change(stage.sandbox)


def moving(stage: Stage, name: str) -> None:
    """What is deleted or changed while we read makes nobody else disappear; the change is found by the next read."""
    stream = stage.adapter.stream(name)
    changes = stage.world.changes.get(name, Changes())
    stage.held(stream)
    pages: list[Page] = []
    touched: str | None = None
    for page in stage.pages(stream):
        pages.append(page)
        if len(pages) == 1:
            if changes.remove:
                changes.remove(stage.sandbox)
            if changes.touch:
                touched = changes.touch(stage.sandbox)
            stage.clock.sleep(600)
    held = stage.held(stream)
    later = stage.read(stream, pages[-1].cursor)
    found = set(keys(pages)) | set(keys(later))
    assert held <= found, f"lost while it moved: {sorted(held - found)[:3]}"
    if touched is not None and stream.incremental:
        assert touched in keys(pages[1:]) + keys(later), "changed while we read, and never shown again"
    if stream.incremental:
        assert changes.remove or changes.touch, "nothing moved"


def change(stage: Stage, name: str) -> None:
    """A later read shows what has changed since, and not everything again."""
    stream = stage.adapter.stream(name)
    held = stage.held(stream)
    cursor = stage.read(stream)[-1].cursor
    stage.clock.sleep(3600)
    touched = _done(_changes(stage, name).touch, "touch", stage)
    stage.clock.sleep(600)
    pages = stage.read(stream, cursor)
    assert touched in keys(pages), "the change was not found"
    assert not any(p.full for p in pages), "a read of changes must not call itself a read of everything"
    assert len(set(keys(pages))) < len(held), "it read everything again"
    stage.clock.sleep(3600)
    again = _done(_changes(stage, name).touch, "touch", stage)
    stage.clock.sleep(600)
    assert again in keys(stage.read(stream, pages[-1].cursor)), "the second change was not found"


def change_added(stage: Stage, name: str) -> None:
    """A later read shows what is new."""
    stream = stage.adapter.stream(name)
    stage.held(stream)
    cursor = stage.read(stream)[-1].cursor
    added = _done(_changes(stage, name).add, "add", stage)
    stage.clock.sleep(600)
    assert added in keys(stage.read(stream, cursor)), "the new record was not found"


def change_removed(stage: Stage, name: str) -> None:
    """What has been deleted is told: by the system itself, by the list of what exists, or by a full read without it."""
    stream = stage.adapter.stream(name)
    stage.held(stream)
    cursor = stage.read(stream)[-1].cursor
    removed = _done(_changes(stage, name).remove, "remove", stage)
    stage.clock.sleep(600)
    held = stage.held(stream)
    assert removed not in held, "the world says it is still there"
    pages = stage.read(stream, cursor)
    if removed in {k for p in pages for k in p.gone}:
        return
    if stream.keys is not None:
        existing = {k for some in stream.keys(stage.client()) for k in some}
        assert existing == held, f"listed {sorted(existing ^ held)[:3]} wrongly"
        assert stream.sweep != "never", "it lists what exists, and says never to look at the list"
        return
    assert all(p.full for p in pages), "nobody tells that it is gone"
    assert set(keys(pages)) == held


def change_ties(stage: Stage, name: str) -> None:
    """Many records with one and the same change time, as after an import, are all shown, also after a break."""
    stream = stage.adapter.stream(name)
    cursor = stage.read(stream)[-1].cursor
    stage.clock.sleep(3600)
    tied = _done(_changes(stage, name).tie, "tie", stage)
    stage.clock.sleep(600)
    equals = stage.held(stream) if isinstance(tied, str) else set(tied)
    pages = stage.read(stream, cursor)
    lost = equals - set(keys(pages))
    assert not lost, f"lost among equals: {sorted(lost)[:3]}"
    if name in stage.world.paged:
        assert len(pages) >= 3, "too few pages to lose anything between"
    for cut in sorted({0, len(pages) // 2} & set(range(len(pages) - 1))):
        rest = stage.read(stream, pages[cut].cursor)
        seen = set(keys(pages[: cut + 1])) | set(keys(rest))
        assert equals <= seen, f"lost among equals after a break: {sorted(equals - seen)[:3]}"


def mapping(stage: Stage, name: str) -> None:
    """The shipped mapping reads every record of the sandbox without a problem, and gets facts of each kind promised."""
    mapping_of = stage.mapping()
    if name not in mapping_of.streams():
        unread = stage.adapter.stream(name).note
        assert unread, f"the shipped mapping leaves {name} out, and the stream's note does not say why"
        return
    context = Context(time_zone="Asia/Shanghai", base="CNY", system="conformance")
    kinds: set[type] = set()
    for page in stage.read(stage.adapter.stream(name)):
        for record in page.records:
            facts, problems = mapping_of.read(name, record, context=context)
            assert not problems, f"{record.key}: {problems[0]}"
            kinds |= {type(f) for f in facts}
    assert kinds, f"no fact came of any record of {name}"
