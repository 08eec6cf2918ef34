"""The world of one adapter, as the conformance suite needs it: one small file per adapter, `worlds/<name>.py`.

An adapter inherits the whole suite by existing; its world says the few things that only its author knows: how its
sandbox is configured, which keys the sandbox holds, how one thing is changed in it *behind the adapter's back*, and a few
sample writes. A world never goes through the adapter: it looks at and changes `sandbox.shelf` directly, so that it is an
independent witness. Example, complete for a read-write CRM:

    WORLD = World(
        settings=lambda sandbox, url: {"base_url": url},
        held=lambda sandbox, stream: {a["id"] for a in sandbox.shelf.all({"customers": "Account"}[stream])},
        changes={"customers": Changes(touch=touch, add=add, remove=remove, tie=tie)},
        writes={"customer_fields": writes, "task": tasks},
        refused={"customer_fields": lambda sandbox: Write("k-bad", "no-such-id", {"Credit_Limit": Decimal("1.00")})},
        seen=lambda sandbox, kind, remote_id: sandbox.shelf.get("Account" if kind != "task" else "Task", remote_id),
    )

What a product cannot have is said in `Adapter.exemptions`: property → reason, or property:stream, property:channel
(`{"tokens": "API keys do not expire"}`). An exempted property must fail: one that passes fails the suite. Names of the
properties: `python -m pytest tests/conformance --collect-only` or the table in `properties/__init__.py`.

A world that is not there fails the property `world`; a member that is missing fails the properties that need it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.adapter import ActionKind, Need, Write

# A sandbox of the adapter's own kind; Any, so that a world may use its own helpers.
Sandbox = Any

# The day on which every world plays: the sandbox is stocked as of it and the connection's clock shows its noon (UTC).
AS_OF = dt.date(2026, 11, 23)
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Changes:
    """How things of one stream change in the sandbox, without the adapter. Each gives the key of the record it changed.

    `touch` changes a value of an existing record the way the product does (its change time moves on, by whatever clock
    the product has). `add` makes a new one, `remove` deletes one for good. `tie` gives all records of the stream
    (or at least three pages of them) one and the same change time, later than any so far, as after an import; it gives
    one key where these are all the records of the stream, else the keys. None: the product cannot do that (say why in `exemptions`).
    """

    touch: Callable[[Sandbox], str] | None = None
    add: Callable[[Sandbox], str] | None = None
    remove: Callable[[Sandbox], str] | None = None
    tie: Callable[[Sandbox], str | Collection[str]] | None = None


@dataclass(frozen=True)
class Hooked:
    """How a product calls us. `happen[stream](sandbox)` lets something happen that the stream shows, the way people do it;
    it gives the key that the call must name ("": another record's). `sender` is the sandbox's sender of webhooks.
    `by_hand(sandbox, address, secret)` is the administrator who tells the product where to call, where the adapter cannot
    ask. `forget` ends every subscription there, as time does. `secret` is one that the product can use.
    """

    happen: Mapping[str, Callable[[Sandbox], str]]
    sender: Callable[[Sandbox], Any]
    by_hand: Callable[[Sandbox, str, str], None] | None = None
    forget: Callable[[Sandbox], None] | None = None
    secret: str = "the-secret-of-the-conformance-suite-0123456789"


@dataclass(frozen=True)
class World:
    """What the suite must know of one adapter.

    `settings(sandbox, base_url)` is the adapter's settings table for a sandbox that listens at `base_url`.

    `held(sandbox, stream)` are the record keys that a full read of the stream must show: taken from the sandbox's own
    shelf.

    `changes` has an entry for every stream that is `incremental`.

    `writes[kind](sandbox)` are at least three sample writes for each channel, to different targets, with values in the
    system's own names, none of which is there yet. They are called after provisioning. `refused[kind](sandbox)` is one
    that the product refuses (a target that does not exist, a value that is too long).
    `seen(sandbox, kind, remote_id)` is what the sandbox now holds under that id, as a flat mapping of names to values
    (None: nothing). `count(sandbox, kind)` is how many records of a task's kind there are (default: not counted; needed
    for `task`).

    `stopped[block](sandbox, target)` tries, as somebody who works there would, what a way of holding stops, and says
    whether it was; the record is as before where it was not.

    `per_call[kind]` is how many writes the product takes in one call, where that is less than the channel's `batch`.

    `secrets` are by default `sandbox.credentials()`. Each is at least eight characters long, so that a leak is found.
    `wrong_secrets` are some that the sandbox refuses (default: every secret replaced by another word).

    `needs` are by default those of the shipped mapping. `options` go into `SandboxOptions.settings`. `customers` is the
    size of the made-up company: large enough that the streams named in `paged` have at least three pages.
    `wanted` are paths that a mapping would ask for, by stream (default: those of the shipped mapping).

    `hook` is needed where the adapter has one: what makes the product call.

    `extra_variants` are further settings under which the reading properties run too, by name: another edition, another
    way of signing in. Each takes (sandbox, base_url).
    """

    settings: Callable[[Sandbox, str], Mapping[str, Any]]
    held: Callable[[Sandbox, str], set[str]]
    paged: Sequence[str] = ("customers",)
    changes: Mapping[str, Changes] = field(default_factory=dict)
    writes: Mapping[ActionKind, Callable[[Sandbox], Sequence[Write]]] = field(default_factory=dict)
    refused: Mapping[ActionKind, Callable[[Sandbox], Write]] = field(default_factory=dict)
    seen: Callable[[Sandbox, ActionKind, str], Mapping[str, Any] | None] | None = None
    count: Callable[[Sandbox, ActionKind], int] | None = None
    stopped: Mapping[str, Callable[[Sandbox, str], bool]] = field(default_factory=dict)
    per_call: Mapping[ActionKind, int] = field(default_factory=dict)
    secrets: Callable[[Sandbox], Mapping[str, str]] | None = None
    wrong_secrets: Callable[[Sandbox], Mapping[str, str]] | None = None
    needs: Sequence[Need] | None = None
    wanted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    customers: int = 60
    hook: Hooked | None = None
    extra_variants: Mapping[str, Callable[[Sandbox, str], Mapping[str, Any]]] = field(default_factory=dict)
