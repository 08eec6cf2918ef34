"""Webhooks over a real socket: the service on a port of its own, and the world of its jobs beside it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from connector import config as configs
from connector.clock import Clock, SystemClock
from connector.config import Config
from connector.connect import Connected, connect
from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from tests.jobs.world import World

SECRET = "a-long-secret-of-the-operator-0123456789"


@dataclass
class Called:
    """The service at `url`, for the world's systems."""

    url: str
    front: Front
    world: World | None

    @property
    def store(self) -> Store:
        return self.front.store

    @property
    def config(self) -> Config:
        return self.front.config

    def connected(self, name: str) -> Connected:
        return connect(self.config, name, self.front.clock, self.store)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def hooked(text: str, systems: dict[str, str], url: str) -> str:
    """A configuration with webhooks for some systems: name → reference to the secret."""
    blocks, name = [], ""
    for line in text.split("\n"):
        if line.startswith("[[systems]]") and name in systems:
            blocks.append(f'[systems.hook]\nsecret = "{systems[name]}"\npause_seconds = 0\n')
            name = ""
        elif line.startswith("name = "):
            name = line.split('"')[1]
        blocks.append(line)
    if name in systems:
        blocks.append(f'[systems.hook]\nsecret = "{systems[name]}"\npause_seconds = 0\n')
    return "\n".join(blocks) + f'\n[service]\naddress = "{url}"\n'


@contextlib.contextmanager
def served(
    path: Path, systems: dict[str, str], *, world: World | None = None, clock: Clock | None = None
) -> Iterator[Called]:
    """The service for a configuration file, on a port of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    changed = path.with_name("hooked.toml")
    changed.write_text(hooked(path.read_text(), systems, url))
    config = configs.load(changed)
    store = Store.open(configs.store_url(config))
    front = Front(store, config, clock or SystemClock())
    server = uvicorn.Server(uvicorn.Config(make(front), port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        for _ in range(500):
            if server.started:
                break
            time.sleep(0.02)
        assert server.started
        yield Called(url, front, world)
    finally:
        server.should_exit = True
        thread.join(10)
        store.close()
