"""Whom we talk to: which addresses a base URL may name, and the check of the peer's real address on every connection.

A name can point anywhere, and to somewhere else a second later; so the address is checked after connecting and before
the first byte is sent. Link-local addresses (where clouds keep their metadata) are never talked to; loopback and private
ones only where the configured base URL names such a host itself, or the operator allows it (ERPs live there).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connector.errors import ConfigError
from connector.text import Text

# Metadata services outside the link-local ranges: Alibaba Cloud, Oracle Cloud, AWS and Google over IPv6, Azure.
_METADATA = {
    ipaddress.ip_address(a)
    for a in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "168.63.129.16")
}
# Not of the public network, whatever the `ipaddress` of this Python says of them (the lists differ from version to
# version): carrier-grade NAT, benchmarks, documentation, 6to4 relays, site-local, local NAT64, discard, segment routing.
_INSIDE = tuple(
    ipaddress.ip_network(n)
    for n in (
        *("100.64.0.0/10", "198.18.0.0/15", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
        *("192.88.99.0/24", "240.0.0.0/4", "0.0.0.0/8"),
        *("fec0::/10", "64:ff9b:1::/48", "2001:2::/48", "2001:db8::/32", "3fff::/20", "100::/64", "5f00::/16"),
    )
)
# Prefixes whose last 32 bits are an IPv4 address: NAT64 (well-known and local), translated, compatible.
_ENDS_IN_IPV4 = tuple(ipaddress.IPv6Network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_url(url: str) -> str:
    """A base URL that may be talked to, without its trailing slash.

    ConfigError for another scheme than http(s), for credentials, a query or a fragment inside the URL, and for plain
    http to a public host: tokens would travel in the clear. Private and loopback addresses may use http.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.username or parts.password:  # first, and without quoting the address: it holds a secret
        raise ConfigError(
            Text(
                "The address of {host} must not hold a user or password; put them under [systems.secrets].",
                "{host} 的地址中不得包含用户名或密码；请放到 [systems.secrets] 中。",
            ).fill(host=host)
        )
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() or c == "\\" for c in url):
        shown = url.split("?")[0].split("@")[-1][:100]
        raise ConfigError(Text("“{url}” is not an http(s) address.", "“{url}”不是 http(s) 地址。").fill(url=shown))
    if parts.query or parts.fragment:
        raise ConfigError(
            Text(
                "The address of {host} must end with its path; leave out everything from “?” or “#” on.",
                "{host} 的地址应以路径结尾；请去掉“?”或“#”及其后的内容。",
            ).fill(host=host)
        )
    if parts.scheme == "http" and not names_private(host):
        raise ConfigError(
            Text(
                "{host} is a public host: use https, or tokens travel in the clear.",
                "{host} 是公网主机：请使用 https，否则令牌会明文传输。",
            ).fill(host=host)
        )
    return url.rstrip("/")


def names_private(host: str) -> bool:
    """Whether a host name or address says by itself that it is of this machine or of a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        numeric = host[:1].isdigit()  # 2130706433, 0x7f000001: an address in disguise, never a name
        return ("." not in host and not numeric) or host.endswith(
            (".localhost", ".local", ".internal", ".lan", ".localdomain")
        )
    return _is_private(address) and not _is_forbidden(address)


def _faces(address: Address) -> list[Address]:
    """An address, and the IPv4 ones that it leads to: mapped, translated, 6to4, NAT64, Teredo, ISATAP."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        number = int(address)
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        isatap = (number >> 32) & 0xFDFFFFFF == 0x5EFE
        if number > 1 and (isatap or any(address in network for network in _ENDS_IN_IPV4)):
            inner.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
        found += [face for face in inner if face is not None]
    return found


def _is_forbidden(address: Address) -> bool:
    return any(f in _METADATA or f.is_link_local or f.is_multicast or f.is_unspecified for f in _faces(address))


def _is_private(address: Address) -> bool:
    faces = _faces(address)
    if len(faces) > 1 and isinstance(address, ipaddress.IPv6Address) and _only_wraps(address):
        faces = faces[1:]  # what is around it says nothing of where it leads
    return any(
        f.is_private or f.is_loopback or f.is_reserved or any(f.version == n.version and f in n for n in _INSIDE)
        for f in faces
    )


def _only_wraps(address: ipaddress.IPv6Address) -> bool:
    """Whether an address is the public translation of an IPv4 one, and reaches no further than that."""
    return address.ipv4_mapped is not None or address in _ENDS_IN_IPV4[0] or address.sixtofour is not None


def check_peer(host: str, peer: str, private: bool) -> None:
    """ConfigError where the connection to `host` has ended at an address that must not be talked to.

    `private`: loopback and private addresses are fine for this system.
    """
    address = ipaddress.ip_address(peer.split("%")[0])
    if _is_forbidden(address):
        raise ConfigError(
            Text(
                "{host} leads to {peer}, an address that is never talked to (link-local, metadata). Check base_url.",
                "{host} 指向 {peer}，该地址（链路本地、元数据）一律不允许访问。请检查 base_url。",
            ).fill(host=host, peer=peer)
        )
    if _is_private(address) and not private:
        raise ConfigError(
            Text(
                "{host} leads to {peer} in a private network. If that is your own system, set allow_private = true for it "
                "in config.toml.",
                "{host} 指向内网地址 {peer}。如果这是您自己的系统，请在 config.toml 中为该系统设置 allow_private = true。",
            ).fill(host=host, peer=peer)
        )


class Line:
    """The connection that one call uses, so that it can be cut when time is up.

    No time-out of `requests` bounds an answer that drips: each byte starts it anew.
    """

    def __init__(self) -> None:
        self.cut_off = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def use(self, connected: Any) -> None:
        """Remembers the socket; cuts it at once where time is already up."""
        with self._lock:
            self._socket = connected
            cut = self.cut_off
        if cut:
            self._shut()

    def cut(self) -> None:
        """Ends the connection: whoever waits for it gets an error now."""
        with self._lock:
            self.cut_off = True
        self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # already closed
                # The plain socket's own method: a TLS socket's would first forget its keys under the reader's feet.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_here = threading.local()


def using(line: Line | None) -> None:
    """Connections that this thread uses from now on are those of `line`."""
    _here.line = line


def _used(connected: Any) -> None:
    line: Line | None = getattr(_here, "line", None)
    if line is not None and connected is not None:
        line.use(connected)


def _connected(host: str, made: socket.socket, private: bool) -> socket.socket:
    try:
        check_peer(host, made.getpeername()[0], private)
    except BaseException:
        made.close()
        raise
    _used(made)
    return made


def _guarded(private: bool) -> dict[str, Any]:
    """Connection pools whose connections look at their peer before the first byte, and can be cut."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self.host, super()._new_conn(), private)

        def getresponse(self) -> Any:
            _used(self.sock)
            return super().getresponse()

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self.host, super()._new_conn(), private)

        def getresponse(self) -> Any:
            _used(self.sock)
            return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


_POOLS = {private: _guarded(private) for private in (False, True)}


def guard(manager: PoolManager, private: bool) -> None:
    """Makes a pool manager use connections that check their peer."""
    manager.pool_classes_by_scheme = _POOLS[private]
