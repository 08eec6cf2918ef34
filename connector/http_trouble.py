"""Trouble of a call that got no answer: what it means for us, and whether the system may have acted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
import urllib3

from connector.errors import ConfigError, HoldfastError, ProtocolError, TransientError
from connector.text import Text


def meaning(wrong: Exception, system: str, host: str) -> tuple[HoldfastError, bool]:
    """Our error for a failed attempt, and whether certainly nothing was sent. Only a TransientError may be tried again:
    if nothing was sent always, else where the call is safe."""
    causes = list(_causes(wrong))
    untrusted = any(isinstance(c, ssl.SSLCertVerificationError) for c in causes)
    if untrusted or any("WRONG_VERSION_NUMBER" in str(c) for c in causes if isinstance(c, ssl.SSLError)):
        what = UNTRUSTED if untrusted else NO_HTTPS
        return ConfigError(what.fill(system=system, host=host), log=type(wrong).__name__), False
    if isinstance(wrong, requests.exceptions.ContentDecodingError):
        return ProtocolError(NOT_UNPACKED.fill(system=system), log=type(wrong).__name__), False
    bad = (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError)
    if any(isinstance(c, bad) for c in causes):
        return ConfigError(NOT_WRITTEN.fill(system=system), log=type(wrong).__name__), False
    # Never connected: nothing was sent.
    unsent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return unreachable(system, host, type(wrong).__name__), any(isinstance(c, unsent) for c in causes)


def unreachable(system: str, host: str, why: str) -> TransientError:
    """The system cannot be reached, or not in time; `why` for the log."""
    return TransientError(NO_ANSWER.fill(system=system, host=host), log=f"{system}: {why}")


def _causes(wrong: BaseException) -> Iterator[BaseException]:
    """An exception and those inside it, as `requests` and urllib3 wrap them."""
    seen: set[int] = set()
    waiting: list[BaseException] = [wrong]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inside = [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
        waiting.extend(i for i in inside if isinstance(i, BaseException))


UNTRUSTED = Text("{system}: the certificate of {host} is not trusted.", "{system}：{host} 的证书不受信任。")
NO_HTTPS = Text("{system}: {host} does not speak https.", "{system}：{host} 不支持 https。")
NOT_UNPACKED = Text("{system}'s answer cannot be unpacked.", "{system} 的应答无法解压。")
NOT_WRITTEN = Text(
    "{system}: the call cannot be written down: its address, or a secret, holds a character that is not "
    "allowed there (a line break, a letter outside ASCII).",
    "{system}：无法发出调用：地址或密钥中含有不允许的字符（换行符或非 ASCII 字符）。",
)
NO_ANSWER = Text(
    "{system} ({host}) cannot be reached or does not answer in time.",
    "{system}（{host}）无法连接或未及时应答。",
)

__all__ = ["meaning", "unreachable"]
