"""Ways to reach a sandbox: in this process behind `responses`, or over a real socket. Both act out its faults."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from connector.sandbox_call import Reply, Request
from connector.sandbox_faults import FaultName

log = logging.getLogger("holdfast.sandbox")


class Answering(Protocol):
    """What can be reached: `answer` gives a reply and the fault that the transport is to act out."""

    def answer(self, request: Request) -> tuple[Reply, FaultName | None]: ...


# --- in process ------------------------------------------------------------------------------------------------------
_mounting = threading.Lock()
_mounted: dict[str, Answering] = {}
_mock: list[Any] = []


@contextlib.contextmanager
def mounted(sandbox: Answering, base_url: str) -> Iterator[str]:
    """Answers calls of this process to `base_url` without a socket, behind `responses`. Several may be mounted."""
    with _mounting:
        if not _mounted:
            _start_mock()
        _mounted[base_url] = sandbox
    try:
        yield base_url
    finally:
        with _mounting:
            del _mounted[base_url]
            if not _mounted:
                _stop_mock()


def _start_mock() -> None:
    import responses

    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
        mock.add_callback(method, re.compile(".*"), callback=_answer_prepared, content_type=None)
    mock.start()
    _mock.append(mock)


def _stop_mock() -> None:
    mock = _mock.pop()
    mock.stop(allow_assert=False)
    mock.reset()


def _answer_prepared(prepared: Any) -> tuple[int, dict[str, str], bytes]:
    """What the sandbox mounted at a call's address says to it, as `responses` wants it, or the trouble it makes."""
    from requests import exceptions

    parts = urlsplit(prepared.url)
    here = f"{parts.scheme}://{parts.netloc}{parts.path}"
    with _mounting:
        fitting = [b for b in _mounted if here == b or here.startswith(b.rstrip("/") + "/")]
    if not fitting:
        raise exceptions.ConnectionError(f"no sandbox is mounted at {parts.scheme}://{parts.netloc}")
    base_url = max(fitting, key=len)
    body = prepared.body or b""
    request = Request(
        prepared.method,
        parts.path,
        {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()},
        {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in prepared.headers.items()},
        body.encode() if isinstance(body, str) else bytes(body),
        base_url,
    )
    reply, fault = _mounted[base_url].answer(request)
    if fault == "reset":
        raise exceptions.ConnectionError("connection reset by peer")
    if fault == "late":
        raise exceptions.ReadTimeout("read timed out")
    if fault == "cut" and reply.body:
        raise exceptions.ChunkedEncodingError("connection broken: incomplete read")
    return reply.status, dict(reply.headers), reply.body


# --- over a socket ---------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def served(sandbox: Answering, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Answers on a real socket in a background thread; gives the base URL."""
    server = _Server((host, port), _handler(sandbox))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tells what went wrong on a connection, except that whoever called went away: that is his own affair."""
        if not isinstance(sys.exception(), ConnectionError):
            log.exception("connection of %s:%s", *client_address[:2])


def _handler(sandbox: Answering) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True  # head and body are two small packets; the second would wait for an answer

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            body = self._body()
            parts = urlsplit(self.path)
            host, port = self.connection.getsockname()[:2]
            request = Request(
                self.command,
                parts.path,
                {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()},
                {k.lower(): v for k, v in self.headers.items()},
                body,
                f"http://{host}:{port}",
            )
            try:
                reply, fault = sandbox.answer(request)
            except Exception:  # a mistake in a handler: say so in the log, and as a product would to its caller
                log.exception("%s %s", request.method, request.path)
                reply, fault = Reply(500, b"mistake in the sandbox, see its log", {"content-type": "text/plain"}), None
            if fault in ("reset", "late"):
                # RST: to the client the connection dies; with "late" the sandbox has already acted.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status not in (204, 304):
                self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if fault == "cut":
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.close_connection = True
            elif reply.status not in (204, 304) and self.command != "HEAD":
                self.wfile.write(reply.body)

        def _body(self) -> bytes:
            if "chunked" in (self.headers.get("transfer-encoding") or "").lower():
                pieces = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    pieces.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():  # trailers
                    pass
                return b"".join(pieces)
            return self.rfile.read(int(self.headers.get("content-length") or 0))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

    return Handling
