"""Whom we talk to: base URLs, and the peer's real address, checked before the first byte."""

from __future__ import annotations

import socket

import pytest

from connector import http_peer
from connector.errors import ConfigError
from connector.http import Http, bearer, checked_url
from connector.http_peer import check_peer, names_private
from tests.unit.kit.clocks import Patient
from tests.unit.kit.wire import ok, wire


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://www.zohoapis.eu/", "https://www.zohoapis.eu"),
        ("https://erp.example.com/base/path/", "https://erp.example.com/base/path"),
        ("http://localhost:8069", "http://localhost:8069"),
        ("http://erp:8000", "http://erp:8000"),
        ("http://10.1.2.3", "http://10.1.2.3"),
        ("http://[fd12::1]:80", "http://[fd12::1]:80"),
        ("http://tryton.internal", "http://tryton.internal"),
    ],
)
def test_addresses_that_may_be_configured(url: str, kept: str) -> None:
    assert checked_url(url) == kept


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://x.example", "is not an http"),
        ("file:///etc/passwd", "is not an http"),
        ("zohoapis.eu", "is not an http"),
        ("https://", "is not an http"),
        ("", "is not an http"),
        ("https://x.example:port/", "is not an http"),
        ("https://[1::2", "is not an http"),
        ("https://x.example\\evil.example/", "is not an http"),
        ("https://x.example /", "is not an http"),
        ("http://www.zohoapis.eu", "use https"),
        ("http://8.8.8.8", "use https"),
        ("http://169.254.169.254", "use https"),
        ("https://x.example/?a=1", "leave out"),
        ("https://x.example/#top", "leave out"),
    ],
)
def test_addresses_that_may_not(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        checked_url(url)


@pytest.mark.parametrize("url", ["https://me:hunter2-hunter2@x.example", "ftp://me:hunter2-hunter2@x.example"])
def test_a_password_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="must not hold") as caught:
        checked_url(url)
    assert "hunter2" not in caught.value.user.en + caught.value.user.zh + caught.value.log


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("localhost", True),
        ("erp", True),
        ("erp.lan", True),
        ("127.0.0.1", True),
        ("192.168.1.1", True),
        ("::1", True),
        ("100.64.0.1", True),
        ("fec0::1", True),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::8.8.8.8", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("1.1.1.1", False),
        ("local.example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_names_that_say_they_are_private(host: str, private: bool) -> None:
    assert names_private(host) is private


ALWAYS_REFUSED = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "100.100.100.200",
    "192.0.0.192",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "fd20:ce::254",
    "168.63.129.16",
    "::169.254.169.254",
    "::ffff:0:a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2001:0:a9fe:a9fe::1",  # Teredo: the server
    "2001:0:808:808:0:0:5601:5601",  # Teredo: the client, its bits turned over
    "2606:4700::5efe:a9fe:a9fe",  # ISATAP
    "2606:4700::200:5efe:a9fe:a9fe",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "::ffff:127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "fd12:3456::1",
    "100.64.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "240.0.0.1",
    "198.18.0.1",
    "198.19.255.254",
    "::ffff:198.18.0.1",
    "64:ff9b::c612:1",
    "2002:c612:1::",
    "192.0.0.8",
    "192.88.99.1",
    "203.0.113.7",
    "0.1.2.3",
    "fec0::1",
    "feff:ffff::1",
    "64:ff9b:1::808:808",
    "2001:2::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "::127.0.0.1",
    "::ffff:0:7f00:1",
    "2001:0:808:808:0:0:80ff:fffe",  # Teredo: 127.0.0.1
    "2606:4700::5efe:a00:1",
]


@pytest.mark.parametrize("peer", ALWAYS_REFUSED)
@pytest.mark.parametrize("private", [False, True])
def test_metadata_and_link_local_are_always_refused(peer: str, private: bool) -> None:
    with pytest.raises(ConfigError, match="never talked to"):
        check_peer("api.example.com", peer, private)


@pytest.mark.parametrize("peer", PRIVATE)
def test_private_ones_only_where_the_configured_address_says_so(peer: str) -> None:
    with pytest.raises(ConfigError, match="private network"):
        check_peer("api.example.com", peer, False)
    check_peer("erp", peer, True)


@pytest.mark.parametrize(
    "peer", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "198.20.0.1"]
)
def test_the_rest_of_the_world_is_open(peer: str) -> None:
    check_peer("api.example.com", peer, False)


# --- on the wire -----------------------------------------------------------------------------------------------------
@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names that lead somewhere else, as an attacker's own name server says."""
    names: dict[str, str] = {}
    real = socket.getaddrinfo

    def answer(host: str, *rest: object, **more: object) -> object:
        return real(names.get(host, host), *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_public_name_that_leads_here_gets_not_a_single_byte(dns: dict[str, str], scheme: str) -> None:
    dns["api.example.com"] = "127.0.0.1"
    with wire([ok()]) as server:
        port = server.url.rsplit(":", 1)[1]
        http = Http(f"https://api.example.com:{port}", clock=Patient(), auth=bearer(lambda: "s3cr3t-planted"))
        http.base_url = f"{scheme}://api.example.com:{port}"  # the check must hold whatever the scheme
        with pytest.raises(ConfigError, match=r"leads to 127\.0\.0\.1"):
            http.call("GET", "/", safe=True)
        assert server.heard == []


def test_the_operator_may_allow_it(dns: dict[str, str]) -> None:
    dns["erp.example.com"] = "127.0.0.1"
    with wire([ok('{"in": 1}')]) as server:
        port = server.url.rsplit(":", 1)[1]
        http = Http(f"https://erp.example.com:{port}", clock=Patient(), allow_private=True)
        http.base_url = f"http://erp.example.com:{port}"
        assert http.call("GET", "/", safe=True).json() == {"in": 1}


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.1", "0", "0x7f.1"])
def test_other_spellings_of_this_machine_are_seen_through(host: str) -> None:
    with wire([ok()]) as server:
        port = server.url.rsplit(":", 1)[1]
        with pytest.raises(ConfigError, match="public host"):
            checked_url(f"http://{host}:{port}")
        http = Http(f"https://{host}:{port}", clock=Patient())
        http.base_url = f"http://{host}:{port}"
        with pytest.raises(ConfigError, match=r"leads to|never talked to"):
            http.call("GET", "/", safe=True)
        assert server.heard == []


def test_every_connection_is_checked_not_only_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def check(host: str, peer: str, private: bool) -> None:
        checked.append(peer)
        if len(checked) == 3:
            raise ConfigError("the name has been rebound")

    monkeypatch.setattr(http_peer, "check_peer", check)
    with wire([ok(), ok(connection="close"), ok(connection="close")]) as server:
        http = Http(server.url, clock=Patient())
        for _ in range(3):
            http.call("GET", "/", safe=True)
        assert checked == ["127.0.0.1"] * 2  # the first connection was kept for the second call
        with pytest.raises(ConfigError, match="rebound"):
            http.call("GET", "/", safe=True)
        assert len(server.heard) == 3
