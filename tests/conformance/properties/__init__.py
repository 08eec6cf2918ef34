"""What is true of every adapter: one function per property, one table of them all.

A property is a function of a stage (and of a stream or channel) that returns when it holds and raises when it does not.
The suite runs each over every adapter; `test_planted_bugs.py` shows that each catches what it claims to catch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from connector.adapter import Adapter
from tests.conformance.properties import connecting, folder, holding, hooks, reading, secrecy, trouble, writing
from tests.conformance.stage import Cast

Over = Literal["adapter", "stream", "changes", "channel", "batch", "task", "fault", "hook", "block"]


@dataclass(frozen=True)
class Property:
    """`over` says for what it is asked: the adapter, each stream, each stream of changes, each channel, each channel that
    takes several writes at once, each task channel, each way in which reading goes wrong, each adapter that has a webhook."""

    name: str
    over: Over
    holds: Callable[..., None]
    variants: bool = False  # also under the world's further settings


PROPERTIES: tuple[Property, ...] = (
    # reading
    Property("paging", "stream", reading.paging, variants=True),
    Property("resume", "stream", reading.resume, variants=True),
    Property("exact", "stream", reading.exact),
    Property("unknown-field", "stream", reading.unknown_field),
    Property("moving", "stream", reading.moving, variants=True),
    Property("change", "changes", reading.change, variants=True),
    Property("change-added", "changes", reading.change_added),
    Property("change-removed", "changes", reading.change_removed, variants=True),
    Property("change-ties", "changes", reading.change_ties, variants=True),
    Property("mapping", "stream", reading.mapping),
    # trouble
    Property("throttling", "adapter", trouble.throttling),
    Property("throttling-bare", "adapter", trouble.throttling_bare),
    Property("throttling-limits", "adapter", trouble.throttling_limits),
    Property("trouble", "fault", trouble.trouble),
    Property("trouble-lasting", "fault", trouble.trouble_lasting),
    Property("trouble-weather", "adapter", trouble.trouble_weather),
    Property("tokens", "adapter", trouble.tokens, variants=True),
    # connecting
    Property("connect", "adapter", connecting.connect, variants=True),
    Property("connect-refused", "adapter", connecting.connect_refused, variants=True),
    Property("connect-nobody", "adapter", connecting.connect_nobody),
    Property("provision", "adapter", connecting.provision),
    # writing
    Property("push", "channel", writing.push),
    Property("push-refused", "channel", writing.push_refused),
    Property("push-partial", "batch", writing.push_partial),
    Property("push-lost", "channel", writing.push_lost),
    Property("push-find", "task", writing.push_find),
    Property("restraint", "channel", writing.restraint),
    Property("restraint-reading", "adapter", writing.restraint_reading),
    # webhooks
    Property("hook", "adapter", hooks.hook),
    Property("hook-forged", "hook", hooks.forged),
    Property("hook-late", "hook", hooks.late),
    Property("hook-renewal", "hook", hooks.renewal),
    # holding
    Property("hold", "block", holding.hold),
    # secrecy and the folder
    Property("secrecy", "adapter", secrecy.secrecy, variants=True),
    Property("folder", "adapter", folder.folder),
)
BY_NAME = {p.name: p for p in PROPERTIES}


def details(prop: Property, cast: Cast) -> Iterator[str]:
    """For what a property is asked of an adapter: names of streams, kinds of channels, faults; "" for the whole."""
    adapter = cast.adapter
    match prop.over:
        case "adapter":
            yield ""
        case "stream":
            yield from (s.name for s in adapter.streams)
        case "changes":
            yield from (s.name for s in adapter.streams if s.incremental)
        case "channel":
            yield from (c.kind for c in adapter.channels)
        case "batch":
            yield from (c.kind for c in adapter.channels if cast.per_call(c) > 1)
        case "task":
            yield from (c.kind for c in adapter.channels if c.kind == "task")
        case "fault":
            yield from trouble.FAULTS
        case "block":
            yield from (b.name for b in adapter.blocks)
            declared = {b.channel for b in adapter.blocks}
            yield from (
                c.kind for c in adapter.channels if c.kind in ("hold", "order_fields") and c.kind not in declared
            )
        case "hook":
            yield from [""] if adapter.hook is not None else []


def marks(cast: Cast, prop: Property, detail: str) -> list[pytest.MarkDecorator]:
    """An exempted property must fail: one that holds after all fails the suite, so that no exemption outlives its reason."""
    reason = why_exempt(cast.adapter, prop, detail)
    return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []


def why_exempt(adapter: Adapter[Any], prop: Property, detail: str) -> str | None:
    """The reason why a product cannot have a property: as a whole, or for one stream, channel or fault."""
    return adapter.exemptions.get(f"{prop.name}:{detail}") or adapter.exemptions.get(prop.name)
