"""The server: uvicorn on sockets that are bound already, which ends when it is told, not by signals of its own."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import uvicorn

from connector.errors import ConfigError
from connector.text import Text
from connector.web import tidy
from connector.web.hurried import Hurried

if TYPE_CHECKING:
    from fastapi import FastAPI

    from connector.config_service import ServiceSettings

# Requests under way may take so long to end once the process is to end.
GRACE_SECONDS = 20
_BACKLOG = 2048
_IDLE_SECONDS = 15
_AT_ONCE_MOST = 2000
# Whoever wants to run Python gets his turn within so many seconds: the loop, which takes requests and sends answers, waits
# for a thread that judges at each of them, and with the interpreter's 5 ms fifty answers would wait a quarter of a second.
_TURN_SECONDS = 0.001


def listening(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at an address. Processes may share them. ConfigError where it is taken or not ours."""
    found: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            if found and port == 0:
                break  # a free port of one family is not free in the other
            one = socket.socket(family, kind, protocol)
            found.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
            one.listen(_BACKLOG)
            one.setblocking(False)
            one.set_inheritable(True)
    except OSError as wrong:
        for one in found:
            one.close()
        raise ConfigError(
            Text(
                "Cannot listen on {host}:{port}: {why}. Choose another with --port or [service] port.",
                "无法监听 {host}:{port}：{why}。请用 --port 或 [service] port 另选端口。",
            ).fill(host=host, port=port, why=wrong.strerror or type(wrong).__name__)
        ) from None
    return found


def url_of(sockets: Sequence[socket.socket]) -> str:
    """Where the sockets listen, for people of this machine."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server(uvicorn.Server):
    """One process's server. `stop` may be called from any thread or a signal handler."""

    def __init__(self, app: FastAPI, service: ServiceSettings) -> None:
        self._tidy = tidy.Tidy()
        super().__init__(
            uvicorn.Config(
                app,
                http=Hurried,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="on",
                backlog=_BACKLOG,
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                limit_concurrency=_AT_ONCE_MOST,
                proxy_headers=bool(service.proxies),
                forwarded_allow_ips=list(service.proxies),
            )
        )

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: tidies up."""
        self._tidy.tick(self.server_state.total_requests)
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to serve."""
        await super().startup(sockets)
        settled()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's: it has more than this server to end."""
        yield

    def stop(self) -> None:
        """Takes no more connections; ends when the requests under way have ended, or their time is over."""
        self.should_exit = True


def settled() -> None:
    """Tells the interpreter that what is loaded now stays, and who has his turn when."""
    tidy.begin()
    sys.setswitchinterval(_TURN_SECONDS)


def started(server: Server, within: float) -> bool:
    """Waits until a server in another thread answers; False where it does not in that many seconds."""
    over = threading.Event()
    for _ in range(int(within / 0.02)):
        if server.started:
            return True
        over.wait(0.02)
    return False
