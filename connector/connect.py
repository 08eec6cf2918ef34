"""Connecting: from a configured system to a client that is ready to read and write, with its mapping.

The mapping in use is the copy in the database where one has been activated, else the file that config.toml names, else
the shipped one. It is read when it is first asked for, and stays the same for as long as the system is connected: one run
sees one mapping, the next run sees the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import ActionKind, Adapter, Connection, Need
from connector.clock import Clock, SystemClock
from connector.config import Config, System
from connector.errors import ConfigError, Problem
from connector.http import Http, Limits, Throttle, hide
from connector.mapping import Mapping
from connector.text import Text, joined

if TYPE_CHECKING:  # the database is loaded where it is looked into: many commands never do
    from connector.store import Connection as Transaction
    from connector.store.db import Store
    from connector.store.documents import Version


def listed(problems: list[Problem]) -> Text:
    """Problems as one text, a line each."""
    return joined(
        [
            Text(
                f"  {p.where}{f' [{p.field}]' if p.field else ''}: {p.what.en} {p.fix.en}",
                f"  {p.where}{f' [{p.field}]' if p.field else ''}：{p.what.zh}{p.fix.zh}",
            )
            for p in problems
        ],
        "\n",
        "\n",
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The text of the mapping that is in use: `name` stands in messages, `origin` says where it comes from."""

    text: str
    name: str
    origin: Text
    version: int | None = None


def chosen_mapping(config: Config, system: System, tx: Transaction | None) -> Chosen:
    """The mapping of a system: the copy in the database, else the file named in config.toml, else the shipped one.

    Without a transaction the database is not looked into. ConfigError where the file cannot be read.
    """
    if tx is not None and (copy := _copy(tx, system)) is not None:
        return Chosen(
            copy.text,
            f"{system.name}@{copy.number}",
            Text(
                "version {number} in the database, of {author}, {day}", "数据库中的版本 {number}（{author}，{day}）"
            ).fill(number=copy.number, author=copy.author, day=f"{copy.made_at:%Y-%m-%d %H:%M}Z"),
            copy.number,
        )
    if system.mapping:
        path = config.path(system.mapping)
        origin = Text("the file {path} named in config.toml", "config.toml 指定的文件 {path}").fill(path=system.mapping)
        return Chosen(read_mapping(path), path.name, origin)
    origin = Text("the mapping shipped with {adapter}", "{adapter} 自带的映射").fill(adapter=system.adapter)
    return Chosen(mappings.shipped(system.adapter), f"{system.adapter}.toml", origin)


def _copy(tx: Transaction, system: System) -> Version | None:
    from connector.store import documents

    return documents.active(tx, documents.MAPPING, system.name)


def mapping_in_use(config: Config, system: System, tx: Transaction | None) -> Mapping:
    """The mapping of a system, for whoever needs no more of it. ConfigError lists all that is wrong with it."""
    chosen = chosen_mapping(config, system, tx)
    return loaded(chosen.text, chosen.name, adapters.load(system.adapter))


def loaded(text: str, name: str, adapter: Adapter[Any] | None) -> Mapping:
    """A mapping from its text. ConfigError lists all that is wrong with it."""
    mapping, problems = mappings.load(text, name=name, adapter=adapter)
    if mapping is None:
        raise ConfigError(Text("The mapping has problems:\n{list}", "映射有问题：\n{list}").fill(list=listed(problems)))
    return mapping


def read_mapping(path: Path) -> str:
    """The text of a mapping file, line ends as they are. ConfigError where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(
            Text("The mapping {path} cannot be read ({why}).", "无法读取映射 {path}（{why}）。").fill(
                path=path, why=type(wrong).__name__
            )
        ) from None


@dataclass
class Connected:
    """One system, usable: its adapter, its mapping, and the client, which is opened when first asked for.

    `store` opens the database in which a mapping of its own may be kept; None: there is none to look into. `patience`
    bounds its calls otherwise than its adapter does (options of `connector.http.Http`), where somebody waits for them.
    """

    config: Config
    system: System
    clock: Clock
    store: Callable[[], Store] | None = None
    patience: AnyMapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.system.name

    def kept_in(self, store: Store) -> None:
        """Says in which database the mapping may be kept, where nobody has said so yet."""
        if self.store is None:
            self.store = lambda: store

    def follow(self, config: Config) -> None:
        """For whoever lives longer than one run: what is configured now counts from here on, and the mapping that is in use
        now. The client stays: the system itself has not changed."""
        self.config = config
        for kept in ("chosen", "mapping"):
            self.__dict__.pop(kept, None)

    @cached_property
    def adapter(self) -> Adapter[Any]:
        return adapters.load(self.system.adapter)

    @cached_property
    def chosen(self) -> Chosen:
        """The text of the mapping in use, and where it comes from."""
        if self.store is None:
            return chosen_mapping(self.config, self.system, None)
        with self.store().reading() as tx:
            return chosen_mapping(self.config, self.system, tx)

    @cached_property
    def mapping(self) -> Mapping:
        """The mapping in use. ConfigError lists all that is wrong with it."""
        return loaded(self.chosen.text, self.chosen.name, self.adapter)

    @cached_property
    def connection(self) -> Connection:
        throttle = Throttle(self.adapter.limits or Limits(), self.clock)

        def http(base_url: str, **options: Any) -> Http:
            own = {
                "system": self.name,
                "throttle": throttle,
                "clock": self.clock,
                "allow_private": self.system.allow_private,
            }
            return Http(base_url, **{**own, **options, **(self.patience or {})})

        def secret_of(name: str) -> str:
            reference = self.system.secrets.get(name)
            if reference is None:
                raise ConfigError(
                    Text(
                        "{system}: no secret called “{name}” is configured.", "{system}：未配置名为“{name}”的密钥。"
                    ).fill(system=self.name, name=name)
                )
            value = self.config.secret(reference, self.name)
            hide(value)  # wherever a vendor repeats it
            return value

        return Connection(
            name=self.name,
            settings=self.adapter.settings.model_validate(dict(self.system.settings)),
            secret=secret_of,
            http=http,
            clock=self.clock,
            language=self.config.language_for(self.system),
            business_time_zone=self.config.business.time_zone,
            roles=frozenset(self.system.roles),
            root=str(self.config.root),
            hold=self.system.hold,
        )

    @cached_property
    def client(self) -> Any:
        return self.adapter.open(self.connection)

    def needs(self) -> list[Need]:
        """The fields of ours that the mapping writes and provisioning is to make."""
        kinds: list[ActionKind] = [c.kind for c in self.adapter.channels]
        needs = [n for kind in kinds for n in self.mapping.needs(kind, self.channel_object(kind))]
        if "order_fields" in kinds:
            needs += self.mapping.needs_to_read("release_request", self.channel_object("order_fields"))
        return needs

    def channel_object(self, kind: ActionKind) -> str:
        channel = self.adapter.channel(kind)
        assert channel is not None
        return channel.object


def connect(
    config: Config, name: str, clock: Clock | None = None, store: Store | Callable[[], Store] | None = None
) -> Connected:
    """One configured system by name; `store`: where its mapping may be kept (or what opens that)."""
    opened = store if store is None or callable(store) else lambda: store
    return Connected(config, config.system(name), clock or SystemClock(), opened)
