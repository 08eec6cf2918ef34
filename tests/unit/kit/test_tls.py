"""Encrypted connections: whom we do not trust, who does not encrypt at all, and an answer that drips behind encryption."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from connector.errors import ConfigError, TransientError
from connector.http import Http
from tests.unit.kit.clocks import Patient
from tests.unit.kit.wire import ok


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody has signed, and its key, made for this run."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    home = tmp_path_factory.mktemp("tls")
    cert, key = home / "cert.pem", home / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[tuple[str, list[bytes]]]:
    """A server behind TLS that sends its answer byte by byte for ever after the headers; and what it heard."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []
    stop = threading.Event()

    def talk(plain: socket.socket) -> None:
        try:
            with context.wrap_socket(plain, server_side=True) as line:
                heard.append(line.recv(65536))
                if b"GET /quick" in heard[-1]:
                    line.sendall(ok('{"in": 1}', connection="close"))
                    return
                line.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
                while not stop.wait(0.02):
                    line.sendall(b" ")
        except OSError:
            plain.close()

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(plain,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}", heard
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_an_untrusted_certificate_is_for_a_person_and_nothing_is_sent(encrypted: tuple[str, list[bytes]]) -> None:
    url, heard = encrypted
    clock = Patient()
    with pytest.raises(ConfigError, match="is not trusted") as caught:
        Http(url, system="erp", clock=clock).call("GET", "/quick", safe=True)
    assert "证书不受信任" in caught.value.user.zh
    assert heard == []
    assert clock.slept == []


def test_who_does_not_encrypt_is_told_apart() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    with listener, pytest.raises(ConfigError, match="does not speak https"):
        Http(f"https://127.0.0.1:{listener.getsockname()[1]}", clock=Patient()).call("GET", "/", safe=True)


def test_a_trusted_one_answers_and_a_dripping_one_is_cut_off(
    encrypted: tuple[str, list[bytes]], certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = encrypted
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate[0]))
    http = Http(url, clock=Patient(), deadline=0.6)
    assert http.call("GET", "/quick", safe=True).json() == {"in": 1}
    with pytest.raises(TransientError, match="in time"):
        http.call("GET", "/drip", safe=True)


def test_a_name_nobody_knows_is_tried_again_even_for_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def unknown(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    clock = Patient()
    with pytest.raises(TransientError, match="cannot be reached"):
        Http("https://erp.example.com", clock=clock).call("POST", "/", safe=False, json={})
    assert len(asked) == 6
    assert len(clock.slept) == 5
