"""The sandbox on a socket: who goes away is no news, a mistake of ours is."""

from __future__ import annotations

import logging

import pytest

from connector import sandbox_wire


@pytest.mark.parametrize(
    ("wrong", "told"),
    [(BrokenPipeError(), False), (ConnectionResetError(), False), (ValueError("size"), True), (TimeoutError(), True)],
)
def test_only_a_mistake_is_told(
    wrong: Exception, told: bool, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    server = sandbox_wire._Server(("127.0.0.1", 0), sandbox_wire.BaseHTTPRequestHandler)
    with caplog.at_level(logging.ERROR):
        try:
            raise wrong
        except Exception:
            server.handle_error(None, ("127.0.0.1", 50_000))
        finally:
            server.server_close()
    assert bool(caplog.records) is told
    assert told or capsys.readouterr().err == ""
