"""A made-up company for trying: imitations of an ERP and a CRM inside this process, connected as two systems that say so.

It is for a database in which nothing else is connected, worked on by one process: the imitations live in it and come back
with it, with what was changed in them. Taken away again, all that came of it goes; the audit trail stays.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from connector import adapter as adapters
from connector.clock import Clock, day_in
from connector.config import Config
from connector.config_system import System
from connector.config_toml import system_text
from connector.connect import connect
from connector.credit.authority import Person
from connector.errors import ConfigError, TransientError
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import audit, emptied
from connector.store.audit import Entry
from connector.store.db import Store
from connector.text import Text
from jobs import systems
from jobs.administrator import demand_administrator
from jobs.configured import whole
from jobs.night import lease
from jobs.slots import LEASE

# By role: the name of the system, and whose product is imitated.
CAST: Mapping[str, tuple[str, str]] = {"erp": ("demo_erp", "tryton"), "crm": ("demo_crm", "zoho_crm")}
NAMES = frozenset(name for name, _ in CAST.values())
_CUSTOMERS = 200
_SEED = 1
_FOLDER = "demo"
_PATIENCE = 30  # tries, each half a second apart


def is_demo(system: System) -> bool:
    """Whether a system is one of the made-up company."""
    return system.name in NAMES and system.adapter in {adapter for _, adapter in CAST.values()}


def in_use(config: Config) -> bool:
    """Whether the made-up company is connected."""
    return any(is_demo(system) for system in config.systems)


def made_up(config: Config) -> bool:
    """Whether every figure is made up: of the company here, or because the configuration says so."""
    return config.business.made_up or in_use(config)


def why_not(config: Config, heard_of: list[str]) -> Text | None:
    """Why there is no made-up company here; None: it can be connected. `heard_of`: systems that ever said anything, besides
    those of the company (`connector.store.emptied.others`)."""
    real = sorted({s.name for s in config.systems if not is_demo(s)} | set(heard_of))
    if real:
        return _REAL.fill(names=Text(", ".join(real), "、".join(real)))
    if not config.store_url.startswith("sqlite"):
        return _SEVERAL
    return None


class DemoCompany:
    """The imitations of one process. Safe to be called from several threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._boxes: dict[str, Sandbox] = {}

    def follow(self, config: Config) -> None:
        """Brings back the imitations that a configuration refers to. ConfigError where their addresses are taken."""
        with self._lock:
            for role, (name, _) in CAST.items():
                system = next((s for s in config.systems if s.name == name and is_demo(s)), None)
                if system is not None and role not in self._boxes:
                    port = urlsplit(str(system.settings.get("base_url", ""))).port or 0
                    self._open(role, config, port)

    def begin(self, config: Config, *, person: Person) -> None:
        """Makes the company up, connects it, and makes the fields that are written to; it is read by the next run.

        NotAllowed for who is no administrator; ConfigError where something else is connected.
        """
        demand_administrator(person)
        with self._store.reading() as tx:
            config = whole(tx, config).config
            refused = why_not(config, emptied.others(tx, NAMES))
        if refused is not None:
            raise ConfigError(refused)
        with self._lock:
            texts = [self._text(role, self._open(role, config, 0)) for role in CAST if role not in self._boxes]
        now = self._clock.now()
        with self._store.writing() as tx:
            for text in texts:
                systems.connect_system(tx, config, text, person=person, now=now, note=_NOTE.en)
            audit.append(tx, [Entry("demo.begin", "demo:company", person.actor, after={"customers": _CUSTOMERS})], now)
            config = whole(tx, config).config
        for name in sorted(NAMES):
            connected = connect(config, name, self._clock, self._store)
            if connected.adapter.provision is not None:
                connected.adapter.provision(connected.client, connected.needs(), False)

    def remove(self, config: Config, *, person: Person, now: dt.datetime) -> None:
        """Takes the company away, and everything that came of it.

        NotAllowed for who is no administrator; ConfigError where real systems were connected beside it since;
        TransientError while a job is at work.
        """
        demand_administrator(person)
        with self._turn(), self._store.writing() as tx:
            config = whole(tx, config).config
            real = emptied.others(tx, NAMES)
            if real or any(not is_demo(s) for s in config.systems):
                names = real or [s.name for s in config.systems if not is_demo(s)]
                raise ConfigError(_MIXED.fill(names=Text(", ".join(names), "、".join(names))))
            for system in config.systems:
                systems.remove(tx, config, system.name, person=person, now=now, note=_NOTE.en)
            rows = emptied.empty(tx)
            audit.at_end(tx, [Entry("demo.remove", "demo:company", person.actor, before={"rows": rows})], now)
        self.end()
        shutil.rmtree(config.root / _FOLDER, ignore_errors=True)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """The right to work, which a job that is under way gives up soon."""
        with contextlib.ExitStack() as stack:
            for left in range(_PATIENCE, -1, -1):
                try:
                    stack.enter_context(lease(self._store, self._clock, LEASE))
                    break
                except TransientError:
                    if not left:
                        raise
                    self._clock.sleep(0.5)
            yield

    def end(self) -> None:
        """The imitations answer no more."""
        with self._lock:
            self._stack.close()
            self._boxes.clear()

    def _open(self, role: str, config: Config, port: int) -> str:
        name, adapter = CAST[role]
        folder = made_folder(config.root / _FOLDER / name)
        today = day_in(self._clock.now(), config.business.time_zone)
        options = SandboxOptions(folder, _CUSTOMERS, _SEED, today, config.business.language, {"role": role})
        box = adapters.sandbox(adapter, options)
        try:
            url = self._stack.enter_context(box.served(port))
        except OSError as wrong:
            raise ConfigError(_TAKEN.fill(port=port, why=wrong.strerror or type(wrong).__name__)) from None
        self._boxes[role] = box
        for key, value in box.credentials().items():
            os.environ[_variable(name, key)] = value
        return url

    def _text(self, role: str, url: str) -> str:
        name, adapter = CAST[role]
        product = adapters.load(adapter)
        return system_text(
            {
                "name": name,
                "adapter": adapter,
                "roles": [role],
                "settings": {key: value.format(url=url) for key, value in product.demo_settings.items()},
                "secrets": {key: f"env:{_variable(name, key)}" for key in self._boxes[role].credentials()},
            }
        )


def made_folder(folder: Path) -> Path:
    """The folder, made where it is not there. Raises ConfigError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise ConfigError(
            Text("{path} cannot be made: {why}.", "无法创建 {path}：{why}。").fill(
                path=folder, why=wrong.strerror or type(wrong).__name__
            )
        ) from None
    return folder


def _variable(name: str, key: str) -> str:
    return f"HOLDFAST_{name}_{key}".upper()


_NOTE = Text("made-up company", "虚构公司")
_REAL = Text(
    "Made-up data would mix with real ones: {names} is connected here, or was. Use a database of its own for trying.",
    "虚构数据会与真实数据混在一起：此处已连接（或曾连接）{names}。试用请另建数据库。",
)
_SEVERAL = Text(
    "The made-up company lives inside one process; this database may be shared by several. Use `holdfast demo`, or SQLite.",
    "虚构公司只在单个进程内运行，而此数据库可由多个进程共用。请使用 `holdfast demo`，或改用 SQLite。",
)
_MIXED = Text(
    "Real systems are connected beside the made-up company ({names}): nothing is emptied. Remove its systems one by one.",
    "除虚构公司外还连接了真实系统（{names}），不清空任何数据。请逐一移除演示系统。",
)
_TAKEN = Text(
    "The made-up company cannot come back at port {port}: {why}. End what uses that port, and start the service anew.",
    "虚构公司无法使用端口 {port}：{why}。请结束占用该端口的程序后重新启动服务。",
)

__all__ = ["CAST", "NAMES", "DemoCompany", "in_use", "is_demo", "why_not"]
