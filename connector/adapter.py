"""The adapter contract: all we know of one product, as typed data plus a few functions.

An adapter's folder has an `ADAPTER` in its `__init__`; nobody imports an adapter by name, `load(name)` does. A *stream*
reads pages of *records* and says after each page where to resume; a *channel* writes one kind of action in batches and
answers one outcome per write, in order. Everything else (retries, cursors, mapping, idempotency, throttling) is the core's.

    open(connection)                       -> client           signs in, or prepares to
    stream.read(client, cursor, wanted)    -> pages            resumable after every page
    channel.send(client, writes)           -> outcomes         one per write, same order
    channel.find(client, keys)             -> key → remote id  what a crash may have left behind
    check(client, needs)                   -> findings         proves rights and fields, says what is missing
    provision(client, needs, dry)          -> findings         makes what can be made, a checklist for the rest
    block.stands(client)                   -> finding          whether a held order is really stopped in this way
    hook                                                       how the product calls us (`connector.hook`), where it can
    plugins                                                    what of ours is installed there (`connector.adapter_plugin`)

`C` is whatever `open` gives: an adapter's own client.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from connector.errors import ConfigError, Problem
from connector.text import Text

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from connector.adapter_plugin import Plugin
    from connector.clock import Clock
    from connector.hook import Hook
    from connector.http import Http, Limits
    from connector.sandbox import Sandbox, SandboxOptions
    from connector.text import Language

C = TypeVar("C")

Role = Literal["erp", "crm", "bureau", "rates"]
Json = Any  # what JSON can hold; numbers with a point are Decimal, never float

ActionKind = Literal["customer_fields", "order_fields", "hold", "limit", "task", "close_task"]
# In the order in which they are delivered: a task that is to be closed has been made, or looked for, by then.
ACTION_KINDS: tuple[ActionKind, ...] = ("customer_fields", "order_fields", "hold", "limit", "task", "close_task")


# --- reading ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Record:
    """What a system said of one thing, verbatim. `key` is its id there, unique in the stream.

    `where` names file and line (`documents.csv:17`) where there is one; elsewhere it stays empty.
    """

    key: str
    data: Mapping[str, Json]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and the cursor from which a later read goes on *after* them (any JSON value; opaque to the core).

    `full` pages belong to a reading of everything: what such a reading, once `last` is reached, has not shown is gone
    (stamp and sweep). Pages of changes have `full=False`. `gone` are keys that the system says are deleted.
    The last page of a read has `last=True`, also when it is empty; its cursor is what the next pull starts from.
    `problems` is what the adapter itself could not read: a row of a file, a column that is not known.
    """

    records: Sequence[Record]
    cursor: Json
    full: bool
    last: bool
    gone: Sequence[str] = ()
    problems: Sequence[Problem] = ()


Read = Callable[[C, Json, Sequence[str]], Iterator[Page]]
Keys = Callable[[C], Iterator[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Stream(Generic[C]):
    """One kind of thing a system offers.

    `read(client, cursor, wanted)`: cursor `None` reads everything; `wanted` are the paths the mapping reads from this
    stream, so that an admin's own fields are asked for. `incremental` says that a later pull asks for changes only.
    `keys` lists the ids that exist now, cheaply: the core sweeps what is not among them, after every pull where `sweep`
    is "always", in the nightly reconciliation where it is "nightly", never where there is no `keys`.
    `after` names streams that must be read before this one in the same pull.
    """

    name: str
    title: Text
    read: Read[C]
    facts: tuple[str, ...]
    incremental: bool
    keys: Keys[C] | None = None
    sweep: Literal["always", "nightly", "never"] = "never"
    after: tuple[str, ...] = ()
    note: str = ""


# --- writing ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Write:
    """One write we owe: remote id of its target, values already in the system's own names, our idempotency key."""

    key: str
    target: str
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write.

    `done` with the id of the remote record; `rejected`: parked with `why` for a person; `again`: retried later, not
    before `retry_after` seconds.
    """

    state: Literal["done", "rejected", "again"]
    remote_id: str = ""
    why: Text | None = None
    code: str = ""
    retry_after: float | None = None


Send = Callable[[C, Sequence[Write]], Sequence[Outcome]]
Find = Callable[[C, Sequence[str]], Mapping[str, str]]
Current = Callable[[C, Sequence[str]], Mapping[str, Mapping[str, Json]]]


@dataclass(frozen=True, slots=True)
class Change:
    """Who last changed a record there, and when (UTC), as far as the system says."""

    who: str
    at: dt.datetime | None = None


Changes = Callable[[C, Sequence[str]], Mapping[str, Change]]


@dataclass(frozen=True, slots=True)
class Channel(Generic[C]):
    """How one kind of action reaches a system.

    `batch` is the most writes one `send` takes. `find` (needed for tasks) looks for records that carry our keys.
    `current(client, targets)` reads back the values that are there now, by target; the core verifies holds with it.
    `changes(client, targets)` says who last changed those records and when, for people who are told that something
    differs. `object` is what the writes are about there (`Accounts`, `res.partner`).

    A channel for `close_task` closes tasks that the one for `task` has made; the targets are their remote ids. A task that a
    person has closed or removed meanwhile is left as it is, and `done`.
    """

    kind: ActionKind
    object: str
    send: Send[C]
    batch: int
    find: Find[C] | None = None
    current: Current[C] | None = None
    note: str = ""
    changes: Changes[C] | None = None


# --- holding ---------------------------------------------------------------------------------------------------------
BlockKind = Literal["native", "lock", "approval", "flag"]
BLOCK_KINDS: tuple[BlockKind, ...] = ("native", "lock", "approval", "flag")  # strongest first
Stop = Literal["confirm", "deliver", "change"]


@dataclass(frozen=True, slots=True)
class Block(Generic[C]):
    """One way in which a product stops orders; an adapter lists its ways strongest first for each reach.

    `kind`: `native`, the product itself refuses (a rule of ours inside it, or a credit block that it has by itself:
    SAP, Business Central, NetSuite, Dynamics); `lock`: the record cannot be edited; `approval`: it waits for somebody in
    a process of the product; `flag`: a field that people see and that rules of the company's own may look at.
    `reach`: the order that is held, or all orders of the customer. `stops`: what cannot be done while it stands (nothing:
    it is only shown). `channel`: the kind of action that carries it. `field`: the value, beside those of the mapping, by
    which that channel is told to use it (true: stop, false: let go; "": the mapped fields are enough); `current` gives
    it back under the same name. `shown`: where people see the reason. `makes`: what provisioning must make for it.
    `stands(client)` proves that it is set up now: a finding that is `fine`, or one that says what is missing; None where
    this user may not look. Without it the way needs nothing to be set up.
    """

    kind: BlockKind
    name: str
    title: Text
    reach: Literal["order", "customer"]
    stops: tuple[Stop, ...]
    channel: ActionKind
    shown: Text
    makes: Text | None = None
    field: str = ""
    stands: Callable[[C], Finding | None] | None = None


# --- setting up ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Need:
    """A field of ours that must exist in a system before we write to it, from the mapping's `[fields]` table."""

    object: str
    name: str
    label: str
    type: Literal["text", "money", "number", "boolean", "date", "datetime", "choice"]
    length: int = 100
    options: tuple[str, ...] = ()
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check or of provisioning: what was looked at, how it stands, what a person should do.

    `fine` there and right; `made` just created; `would` would be created (dry run); `todo` a person must do it, `fix`
    says how; `wrong` there but not as needed.
    """

    state: Literal["fine", "made", "would", "todo", "wrong"]
    what: Text
    fix: Text | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret an adapter needs, by the name under which `[systems.secrets]` refers to it."""

    name: str
    title: Text
    required: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, never more: `live` ran against the product, `official-client` the vendor's client works against
    our sandbox, `documented` built from the vendor's documents. `what` says which versions and how."""

    kind: Literal["live", "official-client", "documented"]
    what: Text


@dataclass(frozen=True)
class Connection:
    """What an adapter gets to work with: one configured system.

    `settings` is an instance of the adapter's settings model; `secret(name)` resolves a reference now (ConfigError names
    the reference, never the value); `http(base_url, ...)` makes the one HTTP client, which shares this system's rate and
    concurrency limits among all threads. `business_time_zone` is where calendar days are counted.
    """

    name: str
    settings: Any
    secret: Callable[[str], str]
    http: Callable[..., Http]
    clock: Clock
    language: Language = "en"
    business_time_zone: str = "UTC"
    roles: frozenset[Role] = frozenset()
    root: str = "."  # relative paths in settings are relative to this folder
    hold: Literal["strongest"] | BlockKind = "strongest"  # the strongest way in which orders may be held there

    def today(self) -> dt.date:
        """The business's calendar day."""
        from connector.clock import day_in

        return day_in(self.clock.now(), self.business_time_zone)


@dataclass(frozen=True)
class Rehearsal(Generic[C]):
    """What the demo does in an ERP through its own API, so that it can be told with the real product, too.

    `pay(client, customer_id)` pays the customer's oldest overdue invoice in full today; `order(client, customer_id,
    amount)` places an order of about this net amount (in the customer's currency) and confirms it as a salesperson
    would. Each says what it did, or raises one of our errors. Never used outside the demo. `refuses`: a hold stops
    an order that is placed this way, too, and the text says so; elsewhere it stops only salespeople.
    """

    pay: Callable[[C, str], Text]
    order: Callable[[C, str, Decimal], Text]
    refuses: bool = False


@dataclass(frozen=True)
class Adapter(Generic[C]):
    """One product. Everything the console and the README show of it comes from here."""

    name: str
    title: Text
    roles: tuple[Role, ...]
    settings: type[BaseModel]
    secrets: tuple[Secret, ...]
    streams: tuple[Stream[C], ...]
    channels: tuple[Channel[C], ...]
    open: Callable[[Connection], C]
    check: Callable[[C, Sequence[Need]], Sequence[Finding]]
    provision: Callable[[C, Sequence[Need], bool], Sequence[Finding]] | None = None
    limits: Limits | None = None
    blocks: tuple[Block[C], ...] = ()
    lanes: int = 1  # so many streams may be read at once: more than one where threads may share what `open` gives
    rehearsal: Rehearsal[C] | None = None
    hook: Hook[C] | None = None  # how it calls us; None: it cannot, and changes are seen by polling
    framed_by: Callable[[Any], tuple[str, ...]] | None = None  # by its settings, the origins of its own pages: they may
    # show the credit panel in a frame; None: it has no pages that could
    plugins: tuple[Plugin[C], ...] = ()  # what of ours is installed there; `holdfast plugin build` makes it
    demo_settings: Mapping[str, str] = field(default_factory=dict)  # settings for its sandbox; "{url}" is its address
    evidence: tuple[Evidence, ...] = ()
    exemptions: Mapping[str, str] = field(
        default_factory=dict
    )  # conformance property → why this product cannot have it

    def stream(self, name: str) -> Stream[C]:
        """One stream by name. Raises ConfigError naming the nearest right name."""
        return _named(name, {s.name: s for s in self.streams}, self.name, Text("stream", "数据流"))

    def channel(self, kind: str) -> Channel[C] | None:
        """The channel for a kind of action, or None where the product has none."""
        return next((c for c in self.channels if c.kind == kind), None)


T = TypeVar("T")


def nearest(wrong: str, right: Sequence[str]) -> str:
    """The closest right name in quotes, or all of them: for messages that show the way."""
    close = difflib.get_close_matches(wrong, right, n=1, cutoff=0.6)
    return f"“{close[0]}”" if close else ", ".join(sorted(right))


def _named(name: str, known: Mapping[str, T], owner: str, kind: Text) -> T:
    if name not in known:
        raise ConfigError(
            Text(
                "{owner} has no {kind} called “{name}”. Did you mean {near}?",
                "{owner} 没有名为“{name}”的{kind}。是否应为 {near}？",
            ).fill(owner=owner, kind=kind, name=name, near=nearest(name, list(known)))
        )
    return known[name]


def _package() -> Any:
    package = importlib.import_module("adapters")
    if not getattr(package, "HOLDFAST", False):
        raise ConfigError(
            Text(
                "Another package called “adapters” ({file}) hides Holdfast's. Install Holdfast in an environment of its own.",
                "另一个名为“adapters”的包（{file}）遮住了 Holdfast 自己的包。请把 Holdfast 安装在独立的虚拟环境中。",
            ).fill(file=getattr(package, "__file__", "?"))
        )
    return package


def names() -> list[str]:
    """All adapters that are installed."""
    return sorted(m.name for m in pkgutil.iter_modules(_package().__path__) if m.ispkg)


def load(name: str) -> Adapter[Any]:
    """The adapter of one product. Raises ConfigError for an unknown name, with the nearest right one."""
    if name not in names():
        raise ConfigError(
            Text(
                "There is no adapter called “{name}”. Did you mean {near}?",
                "没有名为“{name}”的适配器。是否应为 {near}？",
            ).fill(name=name, near=nearest(name, names()))
        )
    adapter = importlib.import_module(f"adapters.{name}").ADAPTER
    assert isinstance(adapter, Adapter)
    return adapter


def sandbox(name: str, options: SandboxOptions) -> Sandbox:
    """Our imitation of a product's API, from `adapters/<name>/sandbox.py` (`make(options) -> Sandbox`)."""
    load(name)
    made: Sandbox = importlib.import_module(f"adapters.{name}.sandbox").make(options)
    return made


@dataclass(frozen=True, slots=True)
class Live:
    """A real server that an adapter has brought up by itself: where it is, and what a configuration needs for it."""

    url: str
    version: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]


def server(name: str, *, customers: int, seed: int, as_of: dt.date) -> AbstractContextManager[Live]:
    """A real server of a product, from `adapters/<name>/server.py` (`demo(customers, seed, as_of)`), with a made-up
    company inside; stopped at the end. ConfigError where the product cannot be brought up by itself."""
    load(name)
    try:
        module = importlib.import_module(f"adapters.{name}.server")
    except ModuleNotFoundError:
        raise ConfigError(
            Text("{name} cannot be brought up by itself.", "{name} 无法自动启动。").fill(name=name)
        ) from None
    made: AbstractContextManager[Live] = module.demo(customers=customers, seed=seed, as_of=as_of)
    return made


def folder(name: str) -> str:
    """Where an adapter's folder is on this machine."""
    load(name)
    return str(importlib.import_module(f"adapters.{name}").__path__[0])
