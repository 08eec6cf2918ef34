"""A server that answers exactly what a test says, byte for byte, on a real socket of this machine."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

RESET = b"<reset>"  # cut the connection hard, without an answer


@dataclass
class Wire:
    """`url` to call; `heard` are the raw requests, in order of arrival; `most` is how many were answered at once."""

    url: str = ""
    heard: list[str] = field(default_factory=list)
    most: int = 0
    connections: int = 0

    def body(self, number: int) -> str:
        return self.heard[number].partition("\r\n\r\n")[2]


def ok(body: bytes | str = b"{}", status: str = "200 OK", kind: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP answer. Header names have `_` for `-`."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}"]
    if "content_length" not in headers:
        lines.append(f"content-length: {len(raw)}")
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


Say = Callable[[int, str], bytes | Iterator[bytes]]


@contextlib.contextmanager
def wire(say: Say | list[bytes]) -> Iterator[Wire]:
    """Serves `say(number, request)`, or the answers of a list in turn (the last one for ever)."""
    answers = say if callable(say) else lambda number, _: say[min(number, len(say) - 1)]
    state = Wire()
    lock = threading.Lock()
    busy = 0
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    state.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    closing = threading.Event()

    def talk(connection: socket.socket) -> None:
        nonlocal busy
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            while not closing.is_set():
                request = _heard(connection)
                if request is None:
                    return
                with lock:
                    number = len(state.heard)
                    state.heard.append(request)
                    busy += 1
                    state.most = max(state.most, busy)
                answering = True

                def answered() -> None:
                    nonlocal busy, answering
                    with lock:
                        busy -= answering
                        answering = False

                try:
                    answer = answers(number, request)
                    pieces = [answer] if isinstance(answer, bytes) else answer
                    whole = b""
                    for piece in pieces:
                        if isinstance(answer, bytes):
                            answered()  # whoever has it whole may ask again before this thread is back
                        if piece == RESET:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                            return
                        whole += piece
                        connection.sendall(piece)
                finally:
                    answered()
                if b"connection: close" in whole.lower():
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            state.connections += 1
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield state
    finally:
        closing.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _heard(connection: socket.socket) -> str | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.decode("latin-1").split("\r\n"):
        if line.lower().startswith("content-length:"):
            length = int(line.split(":")[1])
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    return head.decode("latin-1") + "\r\n\r\n" + body.decode("utf-8", "replace")
