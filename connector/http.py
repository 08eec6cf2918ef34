"""The one HTTP client: sign-in, retries, limits, error classes and redaction in one place.

An adapter calls `http.call("GET", "/path", safe=True)` and gets an `Answer` or one of the four errors of
`connector.errors`. *Safe* means that doing it twice does no more than doing it once: only such a call is repeated when
it is unclear whether the system acted (time-out, reset, cut-off answer, 5xx). A call that is not safe is repeated only
where the system has certainly not acted (429, refused connection, expired token).

Everything is bounded: time per attempt, attempts, total time (an answer that drips is cut off), size of an answer, calls
per second, calls in flight. The limits belong to the system, so all threads that talk to it share them, and when it asks
one of them to wait, all wait. Redirects are not followed, the environment (`.netrc`, proxies) is not looked at, the
peer's address is checked on every connection (`connector.http_peer`), and no message or log line carries a header, a
body or a query value.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
import simplejson
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from connector.clock import Clock, SystemClock
from connector.errors import ConfigError, HoldfastError, ProtocolError, TransientError
from connector.http_alarm import ALARMS
from connector.http_answer import Answer, Verdict, by_status
from connector.http_limits import Limits, Throttle
from connector.http_peer import Line, checked_url, guard, names_private, using
from connector.http_signing import Auth, Fixed, NoAuth, Renewed, Token, basic, bearer
from connector.http_trouble import meaning, unreachable
from connector.http_words import hide, hide_form, hide_headers, redacted, said
from connector.text import Text

__all__ = [
    "Answer",
    "Auth",
    "Fixed",
    "Http",
    "Limits",
    "NoAuth",
    "Renewed",
    "Throttle",
    "Token",
    "Verdict",
    "basic",
    "bearer",
    "by_status",
    "checked_url",
    "hide",
    "redacted",
    "said",
]

log = logging.getLogger("holdfast.http")
# urllib3 writes whole URLs, with their queries, at DEBUG and in some of its warnings.
logging.getLogger("urllib3").setLevel(logging.ERROR)


# --- the client ------------------------------------------------------------------------------------------------------
class _Again(Exception):
    """Inside only: this attempt may be repeated, not before `wait` seconds where the system said so."""

    def __init__(self, cause: HoldfastError, wait: float | None) -> None:
        self.cause, self.wait = cause, wait
        super().__init__(str(cause))


class _Guarded(HTTPAdapter):
    """Connections that look at their peer before the first byte."""

    def __init__(self, private: bool) -> None:
        self._private = private
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        guard(self.poolmanager, self._private)


class Http:
    """The client of one base address of one system.

    `judge` reads an answer; `throttle` holds the system's limits; `timeout` is (connecting, waiting for bytes) in seconds;
    `attempts`, `deadline` (seconds, all attempts and waits together) and `body_most` (bytes, unpacked) bound a call.
    `allow_private` lets a public-looking name lead into a private network. `jitter` draws from 0 to 1.
    """

    def __init__(
        self,
        base_url: str,
        *,
        system: str = "",
        auth: Auth | None = None,
        judge: Callable[[Answer], Verdict] = by_status,
        throttle: AbstractContextManager[object] | None = None,
        clock: Clock | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        attempts: int = 6,
        deadline: float = 180.0,
        wait_first: float = 1.0,
        wait_most: float = 30.0,
        body_most: int = 256 * 1024 * 1024,
        allow_private: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.base_url = checked_url(base_url)
        parts = urlsplit(self.base_url)
        self._host = parts.netloc
        self._origin = (parts.scheme, parts.netloc.lower())
        self.system = system or parts.netloc
        self.auth: Auth = auth or NoAuth()
        self._judge = judge
        self._clock = clock or SystemClock()
        self._throttle = throttle if throttle is not None else Throttle(Limits(), self._clock)
        self._headers = {"accept": "application/json", "accept-encoding": "gzip", **(headers or {})}
        self._timeout = timeout
        self._attempts, self._deadline = attempts, deadline
        self._wait_first, self._wait_most = wait_first, wait_most
        self._body_most = body_most
        self._private = allow_private or names_private(parts.hostname or "")
        self._jitter = jitter
        self._sessions = threading.local()

    def call(
        self,
        method: str,
        path: str,
        *,
        safe: bool,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
        judge: Callable[[Answer], Verdict] | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """One call, repeated where that is right. `json` may hold Decimal. Raises the four errors of `connector.errors`.

        `path` is below the base URL, or a whole URL of the same host (a "next page" link).
        A TransientError or ProtocolError of a call that is not `safe` may mean that the system acted: look before
        sending it again. A web page where data was asked for is a ProtocolError (a safe call is repeated first).
        """
        own = {**self._headers, **(headers or {})}
        body: bytes | Mapping[str, str] | None = data
        if json is not None:
            body = simplejson.dumps(json, use_decimal=True, ensure_ascii=False, allow_nan=False).encode()
            own.setdefault("content-type", "application/json")
        elif isinstance(data, Mapping):
            hide_form(data)
        url = self._url(path)
        until = self._now() + (deadline if deadline is not None else self._deadline)
        renewed = False

        def attempt() -> Answer:
            nonlocal renewed
            sign = self.auth.headers() if signed else {}
            hide_headers(sign)
            answer = self._once(method, url, safe, params, body, {**own, **sign}, until)
            verdict = (judge or self._judge)(answer)
            if verdict == "renew":
                if not renewed and signed and self.auth.renew(sign):
                    renewed = True
                    return attempt()
                raise ConfigError(
                    Text(
                        "{system} refuses our sign-in. Check its secrets and that the key has not expired.",
                        "{system} 拒绝了我们的登录。请检查其密钥，以及密钥是否已过期。",
                    ).fill(system=self.system)
                )
            if verdict in ("retry", "unclear"):
                self._busy(answer, repeat=safe or verdict == "retry")
            if answer.is_page and "json" in own["accept"]:
                self._page(answer, repeat=safe)
            return answer

        try:
            return self._retrying(until)(attempt)
        except _Again as last:
            cause = last.cause
        raise cause

    def said(self, answer: Answer, most: int = 300) -> str:
        """The vendor's own words of an answer, for a message to people: short, on one line, without secrets."""
        return said(answer.text, most)

    # --- judging -----------------------------------------------------------------------------------------------------
    def _busy(self, answer: Answer, *, repeat: bool) -> NoReturn:
        wait = answer.retry_after(self._now())
        if wait is not None and isinstance(self._throttle, Throttle):
            self._throttle.pause(wait)
        cause = TransientError(
            Text("{system} is busy (status {status}).", "{system} 忙（状态 {status}）。").fill(
                system=self.system, status=answer.status
            ),
            retry_after=wait,
        )
        raise _Again(cause, wait) if repeat else cause

    def _page(self, answer: Answer, *, repeat: bool) -> NoReturn:
        cause = ProtocolError(
            Text(
                "{system} answers with a web page where data was expected (status {status}, {size} bytes): perhaps a "
                "maintenance notice, a proxy, or the wrong address.",
                "{system} 返回的是网页而不是数据（状态 {status}，{size} 字节）：可能正在维护、被代理拦截，或地址有误。",
            ).fill(system=self.system, status=answer.status, size=len(answer.body))
        )
        raise _Again(cause, None) if repeat else cause

    def _url(self, path: str) -> str:
        """The whole address of a path; ProtocolError for a link to another host, which must not get our token."""
        if "://" not in path.split("?")[0]:
            return self.base_url + (path if path.startswith(("/", "?")) or not path else "/" + path)
        parts = urlsplit(path)
        if (parts.scheme, parts.netloc.lower()) != self._origin or "\\" in path:
            raise ProtocolError(
                Text(
                    "{system} sends us to another host ({host}); that is not followed.",
                    "{system} 让我们访问另一台主机（{host}），已拒绝。",
                ).fill(system=self.system, host=said(parts.netloc.rsplit("@", 1)[-1], 100))
            )
        return path

    # --- repeating ---------------------------------------------------------------------------------------------------
    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _retrying(self, until: float) -> tenacity.Retrying:
        def wait(state: tenacity.RetryCallState) -> float:
            assert state.outcome is not None
            failure = state.outcome.exception()
            asked = failure.wait if isinstance(failure, _Again) else None
            if asked is not None:  # a little later than asked, so that not all come back at once
                return asked + min(1.0, asked / 4) * self._jitter()
            most = min(self._wait_most, self._wait_first * 2.0 ** (state.attempt_number - 1))
            return most * (0.5 + self._jitter() / 2)

        def stop(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= self._attempts or self._now() + state.upcoming_sleep >= until

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=wait,
            stop=stop,
            sleep=self._clock.sleep,
            reraise=True,
        )

    # --- one attempt -------------------------------------------------------------------------------------------------
    def _session(self) -> requests.Session:
        """This thread's own: a session is not meant to be shared, and each keeps one connection open."""
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.cookies.set_policy(_no_cookies())
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Guarded(self._private))
            self._sessions.session = session
        return session

    def _once(
        self,
        method: str,
        url: str,
        safe: bool,
        params: Mapping[str, str] | None,
        body: bytes | Mapping[str, str] | None,
        headers: Mapping[str, str],
        until: float,
    ) -> Answer:
        failure: Exception
        try:
            with self._throttle:
                left = until - self._now()
                if left <= 0:
                    raise unreachable(self.system, self._host, "deadline")
                connecting, waiting = (min(t, left) for t in self._timeout)
                began = time.monotonic()
                with (
                    _time_limit(left) as line,
                    self._session().request(
                        method,
                        url,
                        params=params,
                        data=body,
                        headers=dict(headers),
                        timeout=(connecting, waiting),
                        allow_redirects=False,
                        stream=True,
                    ) as response,
                ):
                    content = self._read(response)
                    self._complete(response, line)
                answer = Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content)
                log.debug(
                    "%s %s %s %d %.0f ms",
                    self.system,
                    method,
                    redacted(urlsplit(url).path),
                    answer.status,
                    (time.monotonic() - began) * 1000,
                )
        except HoldfastError:
            raise
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as wrong:
            failure = wrong  # raised below: the original may hold a header, and must not hang on to our error
        else:
            if 300 <= answer.status < 400 and answer.status != 304:
                raise ConfigError(
                    Text(
                        "{system} redirects us to another address; configure the final one as base_url.",
                        "{system} 将请求重定向到其他地址；请把最终地址配置为 base_url。",
                    ).fill(system=self.system)
                )
            return answer
        log.debug("%s %s %s %s", self.system, method, redacted(urlsplit(url).path), type(failure).__name__)
        raise self._meaning(failure, safe)

    def _meaning(self, wrong: Exception, safe: bool) -> Exception:
        """What a failed attempt means for us: our error, or the leave to try again."""
        error, unsent = meaning(wrong, self.system, self._host)
        return _Again(error, None) if isinstance(error, TransientError) and (safe or unsent) else error

    def _read(self, response: requests.Response) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(64 * 1024):
            size += len(piece)
            if size > self._body_most:
                raise ProtocolError(
                    Text("{system}'s answer is larger than {most} bytes.", "{system} 的应答超过 {most} 字节。").fill(
                        system=self.system, most=self._body_most
                    )
                )
            pieces.append(piece)
        return b"".join(pieces)

    def _complete(self, response: requests.Response, line: Line) -> None:
        """ChunkedEncodingError where the answer ended early without anybody noticing."""
        if line.cut_off:
            raise requests.exceptions.ChunkedEncodingError("cut off: time is up")
        parsed = getattr(getattr(response.raw, "_original_response", None), "msg", None)
        if getattr(parsed, "defects", None):  # the headers end in the middle of a line: whatever follows is lost
            raise requests.exceptions.ChunkedEncodingError("the headers ended early")
        said_length = response.headers.get("content-length", "")
        if said_length.isdigit() and response.request.method != "HEAD" and response.status_code not in (204, 304):
            got = response.raw.tell()
            if got and got < int(said_length):
                raise requests.exceptions.ChunkedEncodingError("the answer ended early")


@contextmanager
def _time_limit(seconds: float) -> Iterator[Line]:
    """Cuts the connection that this thread opens inside, when time is up."""
    line = Line()
    alarm = ALARMS.set(seconds, line.cut)
    using(line)
    try:
        yield line
    finally:
        alarm.off()
        using(None)


def _no_cookies() -> Any:
    """A system's session cookie would be a secret nobody asked for, and would tie our calls together."""
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])
