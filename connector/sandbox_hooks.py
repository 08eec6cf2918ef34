"""A sandbox's webhooks: real calls over a socket, one after the other in a thread of its own, as a product's sender makes them.

The sandbox never waits for an answer. What was sent, and what it was answered, is kept for whoever looks.
"""

from __future__ import annotations

import http.client
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook that was sent. `status` 0: nobody answered in time."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str]
    status: int
    reply: bytes


@dataclass
class Sender:
    """Sends webhooks. `timeout` is how long the product waits for an answer; `tries` how often it tries in all."""

    timeout: float = 5.0
    tries: int = 1
    sent: list[Sent] = field(default_factory=list)
    silent: bool = False  # as if the product's sender were broken: nothing is sent
    _queue: queue.Queue[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=queue.Queue, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def send(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Sends a call as soon as those before it are through."""
        if self.silent:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="sandbox-hooks")
                self._thread.start()
        self._queue.put((url, body, dict(headers or {})))

    def settle(self) -> None:
        """Waits until everything is sent."""
        self._queue.join()

    def _work(self) -> None:
        while True:
            url, body, headers = self._queue.get()
            try:
                for _ in range(self.tries):
                    status, reply = post(url, body, headers, self.timeout)
                    self.sent.append(Sent(url, body, headers, status, reply))
                    if 200 <= status < 300:
                        break
            finally:
                self._queue.task_done()


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float = 5.0) -> tuple[int, bytes]:
    """One POST; the status and body of its answer, (0, b"") where there is none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path or "/", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(1024 * 1024)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
