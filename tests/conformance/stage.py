"""The stage: one adapter against its own sandbox over a real socket, watched from all sides."""

from __future__ import annotations

import importlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import ActionKind, Adapter, Channel, Connection, Need, Outcome, Page, Stream, Write
from connector.errors import RejectedError
from connector.http import Http, Limits, Throttle
from connector.sandbox import FaultName, Reply, Request, Sandbox, SandboxOptions
from tests.conformance.world import AS_OF, NOON, World
from tests.unit.kit.clocks import Patient

ROOT = Path(__file__).resolve().parents[2]
ASKED_FOR = 17.0  # seconds of Retry-After: unlike any wait a client makes up by itself


@dataclass(frozen=True)
class Cast:
    """Who plays: an adapter, how its sandbox is made, its world and mapping. For a shipped adapter all by its name."""

    adapter: Adapter[Any]
    make: Callable[[SandboxOptions], Sandbox]
    world: World
    mapping: str
    folder: Path | None = None

    def per_call(self, channel: Channel[Any]) -> int:
        """How many writes go into one call of the product."""
        return min(channel.batch, self.world.per_call.get(channel.kind, channel.batch))


def cast_of(name: str) -> Cast:
    """A shipped adapter with its world."""
    world = importlib.import_module(f"tests.conformance.worlds.{name}").WORLD
    assert isinstance(world, World)
    return Cast(
        adapters.load(name),
        lambda options: adapters.sandbox(name, options),
        world,
        mappings.shipped(name),
        ROOT / "adapters" / name,
    )


@dataclass
class Heard:
    """One call that reached the sandbox: when, by the connection's clock, and what was replied."""

    at: datetime
    request: Request
    status: int = 0
    write: bool = False
    fault: str = ""


@dataclass
class Stage:
    """One adapter at work. `heard` are all calls, `most` is how many were open at once."""

    cast: Cast
    sandbox: Sandbox
    url: str
    variant: str = ""
    clock: Patient = field(default_factory=lambda: Patient(NOON))
    heard: list[Heard] = field(default_factory=list)
    most: int = 0
    lag: float = 0.0  # seconds that each answer takes, so that calls overlap
    lose: FaultName | None = None  # what happens to the answer of the next call that changes something

    @property
    def adapter(self) -> Adapter[Any]:
        return self.cast.adapter

    @property
    def world(self) -> World:
        return self.cast.world

    def secrets(self) -> dict[str, str]:
        return dict(self.world.secrets(self.sandbox) if self.world.secrets else self.sandbox.credentials())

    def connection(self, secrets: Mapping[str, str] | None = None, url: str | None = None) -> Connection:
        """What the core gives to an adapter."""
        known = self.secrets() if secrets is None else secrets
        throttle = Throttle(self.adapter.limits or Limits(), self.clock)
        settings = self.world.extra_variants[self.variant] if self.variant else self.world.settings

        def http(base_url: str, **options: Any) -> Http:
            return Http(base_url, **{"system": "conformance", "throttle": throttle, "clock": self.clock, **options})

        return Connection(
            name="conformance",
            settings=self.adapter.settings.model_validate(dict(settings(self.sandbox, url or self.url))),
            secret=lambda name: known[name],
            http=http,
            clock=self.clock,
            business_time_zone="Asia/Shanghai",
            roles=frozenset(self.adapter.roles),
            root=str(self.sandbox.options.data or "."),
        )

    def client(self) -> Any:
        """A new client, as after a restart of the product."""
        return self.adapter.open(self.connection())

    # --- reading -----------------------------------------------------------------------------------------------------
    def mapping(self) -> mappings.Mapping:
        found, problems = mappings.load(self.cast.mapping, name=f"{self.adapter.name}.toml", adapter=self.adapter)
        assert found is not None, f"the shipped mapping has problems: {problems}"
        return found

    def wanted(self, stream: str) -> Sequence[str]:
        if stream in self.world.wanted:
            return self.world.wanted[stream]
        return self.mapping().wanted(stream)

    def pages(self, stream: Stream[Any], cursor: Any = None, client: Any = None) -> Iterator[Page]:
        """The pages of a read, whose cursors have been to the store and back; stops after the last."""
        for page in stream.read(client or self.client(), cursor, self.wanted(stream.name)):
            yield replace(page, cursor=json.loads(json.dumps(page.cursor)))
            if page.last:
                return
        raise AssertionError(f"the stream {stream.name} ended without a last page")

    def read(self, stream: Stream[Any], cursor: Any = None, client: Any = None) -> list[Page]:
        return list(self.pages(stream, cursor, client))

    def held(self, stream: Stream[Any]) -> set[str]:
        """What the sandbox holds now; never nothing, or a property would hold of nothing."""
        keys = self.world.held(self.sandbox, stream.name)
        assert len(keys) >= 2, f"the sandbox holds {len(keys)} records of {stream.name}: too few to show anything"
        return set(keys)

    # --- writing -----------------------------------------------------------------------------------------------------
    def needs(self) -> list[Need]:
        if self.world.needs is not None:
            return list(self.world.needs)
        mapping = self.mapping()
        return [n for c in self.adapter.channels for n in mapping.needs(c.kind, c.object)]

    def prepared(self) -> Any:
        """A client of a system in which our fields have been made."""
        client = self.client()
        if self.adapter.provision:
            self.adapter.provision(client, self.needs(), False)
        return client

    def writes(self, channel: Channel[Any]) -> list[Write]:
        """The sample writes of a channel."""
        assert channel.kind in self.world.writes, f"the world has no sample writes for {channel.kind}"
        writes = list(self.world.writes[channel.kind](self.sandbox))
        assert len(writes) >= 3, f"at least three sample writes are needed for {channel.kind}"
        assert len({w.key for w in writes}) == len(writes), "each sample write needs a key of its own"
        return writes

    def send(self, channel: Channel[Any], client: Any, writes: Sequence[Write]) -> list[Outcome]:
        """Sends all writes in batches, as the core does: a batch refused as a whole is sent one by one."""
        outcomes: list[Outcome] = []
        for start in range(0, len(writes), channel.batch):
            batch = writes[start : start + channel.batch]
            try:
                answered = list(channel.send(client, batch))
            except RejectedError as wrong:
                if len(batch) == 1:
                    answered = [Outcome("rejected", why=wrong.user, code=wrong.code)]
                else:
                    answered = [o for w in batch for o in self.send(channel, client, [w])]
            assert len(answered) == len(batch), f"{len(batch)} writes, {len(answered)} outcomes"
            outcomes += answered
        return outcomes

    def seen(self, kind: ActionKind, remote_id: str) -> dict[str, Any] | None:
        assert self.world.seen is not None, "the world has no `seen`"
        found = self.world.seen(self.sandbox, kind, remote_id)
        return dict(found) if found is not None else None

    def count(self, kind: ActionKind) -> int:
        assert self.world.count is not None, "the world has no `count`"
        return self.world.count(self.sandbox, kind)

    def write_calls(self) -> list[Heard]:
        return [h for h in self.heard if h.write]


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same, whatever form the product gives back."""
    if isinstance(one, bool) or isinstance(other, bool):
        return bool(one) == bool(other)
    if isinstance(one, (int, Decimal)) or isinstance(other, (int, Decimal)):
        try:
            return Decimal(str(one)) == Decimal(str(other))
        except ArithmeticError:
            return str(one) == str(other)
    return str(one if one is not None else "") == str(other if other is not None else "")


def shows(seen: Mapping[str, Any] | None, write: Write) -> bool:
    """Whether the sandbox shows every value of a write."""
    return seen is not None and all(same(seen.get(name), value) for name, value in write.values.items())


# --- setting it up ---------------------------------------------------------------------------------------------------
_stocked: dict[tuple[Any, ...], Path] = {}


def _folder(cast: Cast, at: Path) -> SandboxOptions:
    """A folder with a freshly stocked sandbox; stocking is done once for each kind and then copied."""
    world = cast.world
    options = SandboxOptions(data=at / "sandbox", customers=world.customers, as_of=AS_OF, settings=dict(world.options))
    key = (cast.adapter.name, cast.make, world.customers, json.dumps(dict(world.options), sort_keys=True, default=str))
    if cast.folder is not None:
        key = (cast.adapter.name, *key[2:])
        template = _stocked.get(key)
        if template is None or not template.exists():
            made = cast.make(options)
            made.shelf.settle()
            template = at / "template"
            shutil.copytree(at / "sandbox", template)
            _stocked[key] = template
        else:
            shutil.copytree(template, at / "sandbox")
    return options


@contextmanager
def staged(cast: Cast, at: Path, variant: str = "") -> Iterator[Stage]:
    """An adapter with its sandbox on a socket of this machine, until the end of the block."""
    sandbox = cast.make(_folder(cast, at))
    lock = threading.Lock()
    busy = 0
    answer, too_many = sandbox.answer, sandbox.too_many

    def watched(request: Request) -> tuple[Reply, FaultName | None]:
        nonlocal busy
        with lock:
            heard = Heard(stage.clock.now(), request)
            stage.heard.append(heard)
            busy += 1
            stage.most = max(stage.most, busy)
        try:
            time.sleep(stage.lag)
            reply, fault = answer(request)
        finally:
            with lock:
                busy -= 1
        heard.status, heard.write, heard.fault = reply.status, reply.write, fault or ""
        if reply.write and stage.lose:
            fault, stage.lose = stage.lose, None
            heard.fault = fault
        return reply, fault

    sandbox.answer = watched  # type: ignore[method-assign]
    sandbox.too_many = lambda wait: too_many(ASKED_FOR if wait is not None else None)  # type: ignore[method-assign]
    with sandbox.served() as url:
        stage = Stage(cast, sandbox, url, variant)
        yield stage
