"""The one HTTP client: sign-in, retries, limits, error classes and redaction in one place.

An adapter calls `http.call("GET", "/path", safe=True)` and gets an `Answer` or one of the four errors of
`connector.errors`. *Safe* means that doing it twice does no more than doing it once: only such a call is repeated when
it is unclear whether the system acted (time-out, reset, 5xx). A call that is not safe is repeated only where the system
has certainly not acted (429, refused connection, expired token).

Everything is bounded: time per attempt, attempts, total time, size of an answer, calls per second, calls in flight. The
limits belong to the system, so all threads that talk to it share them. Redirects are not followed, the environment
(`.netrc`, proxies) is not looked at, and no message or log line carries a header, a body or a query value.
"""

from __future__ import annotations

import base64
import ipaddress
import json as stdjson
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import requests
import simplejson
import tenacity

from connector.clock import Clock, SystemClock
from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError
from connector.text import Text

log = logging.getLogger("holdfast.http")

Verdict = Literal["ok", "retry", "renew"]


# --- answers ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Answer:
    """What the system answered. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal. ProtocolError for anything else (a cut-off body, HTML)."""
        try:
            return stdjson.loads(self.body, parse_float=Decimal)
        except ValueError as wrong:
            raise ProtocolError(
                Text(
                    "The system's answer is not JSON (status {status}, {size} bytes, {kind}).",
                    "系统的应答不是 JSON（状态 {status}，{size} 字节，{kind}）。",
                ).fill(status=self.status, size=len(self.body), kind=self.headers.get("content-type", "?"))
            ) from wrong

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def retry_after(self, now: float | None = None) -> float | None:
        """Seconds of the Retry-After header, in either of its two forms; None where there is none."""
        value = self.headers.get("retry-after", "").strip()
        if not value:
            return None
        try:
            return max(0.0, float(value))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - (now if now is not None else time.time()))
        except ValueError:
            return None


def by_status(answer: Answer) -> Verdict:
    """The usual meaning of an HTTP status. An adapter's own judge looks first and falls back on this."""
    status = answer.status
    if status < 400:
        return "ok"
    if status == 401:
        return "renew"
    if status in (408, 425, 429, 500, 502, 503, 504):
        return "retry"
    if status in (403, 404, 405, 410):
        raise ConfigError(
            Text(
                "The system refuses the call (status {status}). Check address, rights and edition.",
                "系统拒绝了该调用（状态 {status}）。请检查地址、权限和版本。",
            ).fill(status=status)
        )
    raise RejectedError(
        Text("The system refuses the request (status {status}).", "系统拒绝了该请求（状态 {status}）。").fill(status=status),
        code=str(status),
    )


# --- limits ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Limits:
    """What a product allows: calls in flight at once, and calls per second on average with a burst."""

    in_flight: int = 5
    per_second: float | None = None
    burst: int = 1


class Throttle:
    """One system's limits, shared by all threads. `with throttle:` is one call."""

    def __init__(self, limits: Limits, clock: Clock | None = None) -> None:
        self._limits = limits
        self._clock = clock or SystemClock()
        self._places = threading.BoundedSemaphore(limits.in_flight)
        self._lock = threading.Lock()
        self._tokens = float(limits.burst)
        self._filled_at = self._clock.now()

    def _wait(self) -> float:
        """Seconds until a call may start; takes its token."""
        rate = self._limits.per_second
        if not rate:
            return 0.0
        with self._lock:
            now = self._clock.now()
            passed = (now - self._filled_at).total_seconds()
            self._tokens = min(float(self._limits.burst), self._tokens + max(0.0, passed) * rate)
            self._filled_at = now
            self._tokens -= 1
            return 0.0 if self._tokens >= 0 else -self._tokens / rate

    def __enter__(self) -> Throttle:
        self._places.acquire()
        try:
            wait = self._wait()
            if wait:
                self._clock.sleep(wait)
        except BaseException:
            self._places.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._places.release()


# --- signing in ------------------------------------------------------------------------------------------------------
class Auth(Protocol):
    """Signs calls. `renew` is asked once after a 401 (or a judge's "renew"); False: nothing to renew, give up."""

    def headers(self) -> Mapping[str, str]: ...

    def renew(self, stale: Mapping[str, str]) -> bool: ...


class NoAuth:
    """For systems, or calls, without a sign-in."""

    def headers(self) -> Mapping[str, str]:
        return {}

    def renew(self, stale: Mapping[str, str]) -> bool:
        return False


@dataclass
class Fixed:
    """A constant header, made anew from the secret on each call: an API key, a bearer key."""

    make: Callable[[], Mapping[str, str]]

    def headers(self) -> Mapping[str, str]:
        return self.make()

    def renew(self, stale: Mapping[str, str]) -> bool:
        return False


def basic(user: str, password: Callable[[], str]) -> Fixed:
    """HTTP basic authentication."""
    return Fixed(
        lambda: {"authorization": "Basic " + base64.b64encode(f"{user}:{password()}".encode()).decode()},
    )


def bearer(key: Callable[[], str], scheme: str = "Bearer") -> Fixed:
    """A fixed key in the Authorization header."""
    return Fixed(lambda: {"authorization": f"{scheme} {key()}"})


@dataclass
class Token:
    """A token with the second (of a monotonic clock) after which it is renewed before use."""

    headers: Mapping[str, str]
    fresh_until: float


@dataclass
class Renewed:
    """A token that is fetched when needed: one for all threads, one fetch at a time, renewed early or after a 401."""

    fetch: Callable[[], Token]
    _token: Token | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def headers(self) -> Mapping[str, str]:
        with self._lock:
            if self._token is None or time.monotonic() >= self._token.fresh_until:
                self._token = self.fetch()
            return self._token.headers

    def renew(self, stale: Mapping[str, str]) -> bool:
        with self._lock:
            if self._token is None or self._token.headers == stale:
                self._token = self.fetch()
            return True


# --- the client ------------------------------------------------------------------------------------------------------
class _Again(Exception):
    """Inside only: this attempt may be repeated."""

    def __init__(self, cause: HoldfastError, wait: float | None) -> None:
        self.cause, self.wait = cause, wait
        super().__init__(str(cause))


def checked_url(url: str) -> str:
    """A base URL that may be talked to, without its trailing slash.

    ConfigError for another scheme than http(s), for credentials inside the URL, and for plain http to a public host:
    tokens would travel in the clear. Private and loopback addresses may use http (ERPs live there).
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(Text("“{url}” is not an http(s) address.", "“{url}”不是 http(s) 地址。").fill(url=url))
    if parts.username or parts.password:
        raise ConfigError(
            Text(
                "The address of {host} must not hold a user or password; put them under [systems.secrets].",
                "{host} 的地址中不得包含用户名或密码；请放到 [systems.secrets] 中。",
            ).fill(host=parts.hostname)
        )
    if parts.scheme == "http" and not _is_private(parts.hostname):
        raise ConfigError(
            Text(
                "{host} is a public host: use https, or tokens travel in the clear.", "{host} 是公网主机：请使用 https，否则令牌会明文传输。"
            ).fill(host=parts.hostname)
        )
    return url.rstrip("/")


def _is_private(host: str) -> bool:
    if host == "localhost" or "." not in host:
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host.endswith((".local", ".internal", ".lan", ".localdomain"))


class Http:
    """The client of one base address of one system."""

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
    ) -> None:
        self.base_url = checked_url(base_url)
        self.system = system
        self.auth: Auth = auth or NoAuth()
        self._judge = judge
        self._throttle = throttle if throttle is not None else Throttle(Limits())
        self._clock = clock or SystemClock()
        self._headers = {"accept": "application/json", "accept-encoding": "gzip", **(headers or {})}
        self._timeout = timeout
        self._attempts, self._deadline = attempts, deadline
        self._wait_first, self._wait_most = wait_first, wait_most
        self._body_most = body_most
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
    ) -> Answer:
        """One call, repeated where that is right. `json` may hold Decimal. Raises the four errors of `connector.errors`.

        A TransientError of a call that is not `safe` may mean that the system acted: look before sending it again.
        """
        own = {**self._headers, **(headers or {})}
        body: bytes | Mapping[str, str] | None = data
        if json is not None:
            body = simplejson.dumps(json, use_decimal=True, ensure_ascii=False).encode()
            own.setdefault("content-type", "application/json")
        renewed = False

        def attempt() -> Answer:
            nonlocal renewed
            sign = self.auth.headers() if signed else {}
            answer = self._once(method, path, safe, params, body, {**own, **sign})
            verdict = (judge or self._judge)(answer)
            if verdict == "renew":
                if not renewed and signed and self.auth.renew(sign):
                    renewed = True
                    return attempt()
                raise ConfigError(
                    Text(
                        "{system} refuses our sign-in. Check its secrets and that the key has not expired.",
                        "{system} 拒绝了我们的登录。请检查其密钥，以及密钥是否已过期。",
                    ).fill(system=self.system or self.base_url)
                )
            if verdict == "retry":
                unclear = answer.status >= 500
                wait = answer.retry_after(self._clock.now().timestamp())
                cause = TransientError(
                    Text("{system} is busy (status {status}).", "{system} 忙（状态 {status}）。").fill(
                        system=self.system or self.base_url, status=answer.status
                    ),
                    retry_after=wait,
                )
                if unclear and not safe:
                    raise cause
                raise _Again(cause, wait)
            return answer

        try:
            return self._retrying()(attempt)
        except _Again as last:
            raise last.cause from None

    def _retrying(self) -> tenacity.Retrying:
        began = self._clock.now()

        def wait(state: tenacity.RetryCallState) -> float:
            assert state.outcome is not None
            failure = state.outcome.exception()
            asked = failure.wait if isinstance(failure, _Again) else None
            if asked is not None:
                return asked
            most = min(self._wait_most, self._wait_first * 2 ** (state.attempt_number - 1))
            return most * (0.5 + random.random() / 2)  # noqa: S311 - jitter, not a secret

        def stop(state: tenacity.RetryCallState) -> bool:
            passed = (self._clock.now() - began).total_seconds()
            return state.attempt_number >= self._attempts or passed + wait(state) > self._deadline

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=wait,
            stop=stop,
            sleep=self._clock.sleep,
            reraise=True,
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            self._sessions.session = session
        return session

    def _once(
        self,
        method: str,
        path: str,
        safe: bool,
        params: Mapping[str, str] | None,
        body: bytes | Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> Answer:
        url = path if path.startswith(self.base_url) else self.base_url + path
        began = time.monotonic()
        try:
            with self._throttle, self._session().request(
                method,
                url,
                params=params,
                data=body,
                headers=dict(headers),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._read(response)
                answer = Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content)
        except requests.exceptions.ConnectTimeout as wrong:
            raise _Again(self._unreachable(wrong), None) from None
        except requests.exceptions.SSLError as wrong:
            raise ConfigError(
                Text(
                    "{system}: the certificate of {host} is not trusted.", "{system}：{host} 的证书不受信任。"
                ).fill(system=self.system, host=urlsplit(self.base_url).hostname),
                log=type(wrong).__name__,
            ) from None
        except requests.exceptions.RequestException as wrong:
            failure = self._unreachable(wrong)
            # Refused: nothing was sent. Otherwise the system may have acted, and only a safe call is repeated.
            if safe or "refused" in str(wrong).lower() or "NewConnectionError" in str(wrong):
                raise _Again(failure, None) from None
            raise failure from None
        finally:
            log.debug("%s %s %s %.0f ms", self.system, method, path.split("?")[0], (time.monotonic() - began) * 1000)
        if 300 <= answer.status < 400 and answer.status != 304:
            raise ConfigError(
                Text(
                    "{system} redirects us to another address; configure the final one as base_url.",
                    "{system} 将请求重定向到其他地址；请把最终地址配置为 base_url。",
                ).fill(system=self.system or self.base_url)
            )
        return answer

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

    def _unreachable(self, wrong: Exception) -> TransientError:
        host = urlsplit(self.base_url).netloc
        return TransientError(
            Text("{system} ({host}) cannot be reached or does not answer in time.", "{system}（{host}）无法连接或未及时应答。").fill(
                system=self.system or host, host=host
            ),
            log=type(wrong).__name__,
        )
