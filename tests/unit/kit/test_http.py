"""The HTTP client over real sockets: what is repeated and what is not, bounds, signing in, secrets."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError
from connector.http import Http, Limits, NoAuth, Renewed, Throttle, Token, basic, bearer, by_status
from connector.http_answer import Answer, Verdict
from connector.http_words import hide, redacted, said
from tests.unit.kit.clocks import Patient
from tests.unit.kit.wire import RESET, ok, wire

SECRET = "s3cr3t-planted-0001"


def client(url: str, clock: Patient | None = None, **options: Any) -> Http:
    return Http(url, **{"system": "zoho", "clock": clock or Patient(), **options})


# --- answers ---------------------------------------------------------------------------------------------------------
def test_numbers_with_a_point_are_decimal_and_never_float() -> None:
    with wire([ok('{"amount": 12345678901234567.89, "n": 3}')]) as server:
        answer = client(server.url).call("GET", "/a", safe=True).json()
    assert answer == {"amount": Decimal("12345678901234567.89"), "n": 3}
    assert type(answer["amount"]) is Decimal


@pytest.mark.parametrize("body", ["", "{", '{"a": NaN}', '{"a": Infinity}', "<html>", "[" * 100_000])
def test_what_is_not_json_is_a_protocol_error(body: str) -> None:
    with pytest.raises(ProtocolError, match="not JSON"):
        Answer(200, {}, body.encode()).json()


def test_outgoing_decimals_stay_exact() -> None:
    with wire([ok()]) as server:
        client(server.url).call("POST", "/a", safe=False, json={"amount": Decimal("0.10"), "name": "苏州"})
        assert server.body(0) == '{"amount": 0.10, "name": "苏州"}'


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 12:00:30", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("inf", None),
        ("nan", None),
        ("٣", None),
        ("999999999", 7 * 86400.0),
    ],
)
def test_retry_after_in_all_its_forms(value: str, seconds: float | None) -> None:
    answer = Answer(429, {"retry-after": value}, b"")
    assert answer.retry_after(Patient().at.timestamp()) == seconds


# --- what is repeated ------------------------------------------------------------------------------------------------
def test_too_many_calls_waits_as_long_as_it_is_told_also_for_a_write() -> None:
    clock = Patient()
    with wire([ok(status="429 Too Many", retry_after="7"), ok('{"done": true}')]) as server:
        answer = client(server.url, clock).call("POST", "/a", safe=False, json={})
        assert answer.json() == {"done": True}
        assert len(server.heard) == 2
    assert clock.slept[0] >= 7
    assert sum(clock.slept) <= 8


def test_without_a_hint_the_wait_doubles_and_is_bounded() -> None:
    clock = Patient()
    with wire([ok(status="429 Too Many")]) as server:
        with pytest.raises(TransientError, match="zoho is busy") as caught:
            client(server.url, clock, jitter=lambda: 1.0, wait_most=4.0).call("GET", "/a", safe=True)
        assert len(server.heard) == 6
    assert clock.slept == [1, 2, 4, 4, 4]
    assert caught.value.retry_after is None
    assert caught.value.user.zh == "zoho 忙（状态 429）。"


def test_jitter_spreads_the_wait_over_its_upper_half() -> None:
    clock = Patient()
    with wire([ok(status="503 Down"), ok()]) as server:
        client(server.url, clock, jitter=lambda: 0.0).call("GET", "/a", safe=True)
    assert clock.slept == [0.5]


def test_a_wait_beyond_the_deadline_is_not_begun_and_is_handed_on() -> None:
    clock = Patient()
    with wire([ok(status="429 Too Many", retry_after="3600")]) as server:
        with pytest.raises(TransientError) as caught:
            client(server.url, clock).call("GET", "/a", safe=True)
        assert len(server.heard) == 1
    assert clock.slept == []
    assert caught.value.retry_after == 3600


def test_the_deadline_counts_waits_of_all_attempts() -> None:
    clock = Patient()
    with wire([ok(status="429 Too Many", retry_after="50")]) as server:
        with pytest.raises(TransientError):
            client(server.url, clock, attempts=100, deadline=180).call("GET", "/a", safe=True)
        assert len(server.heard) == 4  # at 0, 50, 100 and 150 seconds
    assert sum(clock.slept) < 180


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(ok(status="500 Broken"), id="500"),
        pytest.param(ok(status="502 Gateway"), id="502"),
        pytest.param(ok(status="503 Down", retry_after="1"), id="503"),
        pytest.param(ok(status="524 Slow origin"), id="524"),
        pytest.param(RESET, id="reset"),
        pytest.param(ok('{"a": 1', content_length="100", connection="close"), id="cut"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n40\r\n{", id="cut chunk"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-le", id="cut header"),
        pytest.param(ok("<html>Maintenance</html>", kind="text/html; charset=utf-8"), id="html"),
    ],
)
class TestUnclear:
    def test_a_safe_call_is_repeated(self, trouble: bytes) -> None:
        with wire([trouble, trouble, ok('{"done": true}')]) as server:
            assert client(server.url).call("GET", "/a", safe=True).json() == {"done": True}
            assert len(server.heard) == 3

    def test_an_unsafe_one_is_not(self, trouble: bytes) -> None:
        with wire([trouble, ok('{"done": true}')]) as server:
            with pytest.raises((TransientError, ProtocolError)):
                client(server.url).call("POST", "/a", safe=False, json={"task": 1})
            assert len(server.heard) == 1


def test_nobody_listening_is_repeated_even_for_a_write_because_nothing_was_sent() -> None:
    clock = Patient()
    with wire([ok()]) as server:
        url = server.url
    with pytest.raises(TransientError, match="cannot be reached"):
        client(url, clock).call("POST", "/a", safe=False, json={})
    assert len(clock.slept) == 5


def test_a_body_that_cannot_be_unpacked_is_a_protocol_error_at_once() -> None:
    with wire([ok(b"this is no gzip", content_encoding="gzip")]) as server:
        with pytest.raises(ProtocolError, match="cannot be unpacked"):
            client(server.url).call("GET", "/a", safe=True)
        assert len(server.heard) == 1


def test_gzip_is_unpacked() -> None:
    with wire([ok(gzip.compress(b'{"a": 1}'), content_encoding="gzip")]) as server:
        assert client(server.url).call("GET", "/a", safe=True).json() == {"a": 1}
        assert "accept-encoding: gzip" in server.heard[0].lower()


def test_html_to_the_end_is_a_protocol_error_and_never_an_empty_list() -> None:
    with wire([ok("<html>", kind="text/html")]) as server:
        with pytest.raises(ProtocolError, match="web page") as caught:
            client(server.url, attempts=3).call("GET", "/a", safe=True)
        assert len(server.heard) == 3
    assert "网页" in caught.value.user.zh


def test_a_page_is_an_answer_to_whoever_asks_for_pages() -> None:
    with wire([ok("<html>", kind="text/html")]) as server:
        assert client(server.url, headers={"accept": "text/html"}).call("GET", "/a", safe=True).text == "<html>"


@pytest.mark.parametrize(
    ("status", "error"), [("403 No", ConfigError), ("404 No", ConfigError), ("422 No", RejectedError)]
)
def test_what_a_person_must_mend_is_not_repeated(status: str, error: type[HoldfastError]) -> None:
    with wire([ok(status=status)]) as server:
        with pytest.raises(error):
            client(server.url).call("GET", "/a", safe=True)
        assert len(server.heard) == 1


def test_a_redirect_is_not_followed() -> None:
    with wire([ok(status="302 Found", location="http://169.254.169.254/latest/meta-data")]) as server:
        with pytest.raises(ConfigError, match="redirects us"):
            client(server.url).call("GET", "/a", safe=True)
        assert len(server.heard) == 1


def test_304_is_an_answer() -> None:
    with wire([b"HTTP/1.1 304 Not Modified\r\n\r\n"]) as server:
        assert client(server.url).call("GET", "/a", safe=True).status == 304


def test_a_judge_reads_the_body_first() -> None:
    def judge(answer: Answer) -> Verdict:
        code = answer.json()["errorCode"]
        return "retry" if code == 1 else "unclear" if code == 2 else by_status(answer)

    with wire([ok('{"errorCode": 1}'), ok('{"errorCode": 0}')]) as server:
        assert client(server.url, judge=judge).call("POST", "/a", safe=False, json={}).json() == {"errorCode": 0}
    with wire([ok('{"errorCode": 2}'), ok('{"errorCode": 0}')]) as server:
        with pytest.raises(TransientError):
            client(server.url, judge=judge).call("POST", "/a", safe=False, json={})
        assert len(server.heard) == 1
        assert client(server.url, judge=judge).call("POST", "/a", safe=True, json={}).json() == {"errorCode": 0}


# --- bounds ----------------------------------------------------------------------------------------------------------
def test_an_answer_that_drips_is_cut_off() -> None:
    stop = threading.Event()

    def drip(number: int, request: str) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
        while not stop.wait(0.02):
            yield b" "

    with wire(drip) as server:
        try:
            with pytest.raises(TransientError):
                client(server.url, deadline=0.4).call("GET", "/a", safe=True)
        finally:
            stop.set()


def test_headers_that_drip_are_cut_off() -> None:
    stop = threading.Event()

    def drip(number: int, request: str) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nx: "
        while not stop.wait(0.02):
            yield b"a"

    with wire(drip) as server:
        try:
            with pytest.raises(TransientError):
                client(server.url, deadline=0.4).call("GET", "/a", safe=True)
        finally:
            stop.set()


def test_silence_ends_with_the_time_out_and_a_write_is_sent_once() -> None:
    release = threading.Event()

    def silent(number: int, request: str) -> Iterator[bytes]:
        release.wait(10)
        yield RESET

    with wire(silent) as server:
        try:
            with pytest.raises(TransientError, match="in time"):
                client(server.url, timeout=(1.0, 0.2)).call("POST", "/a", safe=False, json={})
            assert len(server.heard) == 1
        finally:
            release.set()


def test_an_answer_that_is_too_large_is_refused_also_when_it_was_packed_small() -> None:
    bomb = gzip.compress(b" " * 3_000_000)
    assert len(bomb) < 10_000
    for answer in (ok(b" " * 200_000), ok(bomb, content_encoding="gzip")):
        with wire([answer]) as server, pytest.raises(ProtocolError, match="larger than 100000 bytes"):
            client(server.url, body_most=100_000).call("GET", "/a", safe=True)


def test_never_more_calls_in_flight_than_allowed_whatever_the_threads() -> None:
    def slow(number: int, request: str) -> bytes:
        time.sleep(0.01)
        return ok()

    with wire(slow) as server:
        http = client(server.url, throttle=Throttle(Limits(in_flight=3)))
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda n: http.call("GET", f"/{n}", safe=True), range(36)))
        assert len(server.heard) == 36
        assert 2 <= server.most <= 3
        assert server.connections <= 12  # each thread keeps its own connection


def test_calls_per_second_over_all_threads() -> None:
    clock = Patient()
    throttle = Throttle(Limits(in_flight=4, per_second=5, burst=10), clock)
    began = clock.now()
    for _ in range(60):
        with throttle:
            pass
    assert (clock.now() - began).total_seconds() == pytest.approx(10.0)  # 10 at once, 50 at 5 a second


def test_when_one_is_asked_to_wait_all_wait() -> None:
    clock = Patient()
    throttle = Throttle(Limits(), clock)
    with wire([ok(status="429 Too Many", retry_after="9"), ok()]) as server:
        with pytest.raises(TransientError):
            client(server.url, clock, throttle=throttle, attempts=1).call("GET", "/a", safe=True)
        client(server.url, clock, throttle=throttle).call("GET", "/other", safe=True)
    assert clock.slept == [9.0]


def test_a_long_pause_is_an_error_for_all_and_nobody_sleeps_through_it() -> None:
    clock = Patient()
    throttle = Throttle(Limits(in_flight=1), clock)
    with wire([ok(status="429 Too Many", retry_after="3600"), ok()]) as server:
        http = client(server.url, clock, throttle=throttle)
        for _ in range(3):
            with pytest.raises(TransientError) as caught:
                http.call("GET", "/a", safe=True)
            assert caught.value.retry_after == 3600
        assert len(server.heard) == 1
        assert clock.slept == []
        clock.sleep(3600)
        http.call("GET", "/a", safe=True)
    assert "3600 秒" in caught.value.user.zh


def test_a_place_is_given_back_whatever_happens() -> None:
    throttle = Throttle(Limits(in_flight=1))
    with wire([RESET]) as server:
        for _ in range(3):
            with pytest.raises(TransientError):
                client(server.url, throttle=throttle).call("POST", "/a", safe=False)
    with wire([ok()]) as server:
        client(server.url, throttle=throttle).call("GET", "/a", safe=True)


# --- signing in ------------------------------------------------------------------------------------------------------
class Desk:
    """Gives out tokens `t1`, `t2` …"""

    def __init__(self, fresh: float = 1e9) -> None:
        self.given, self.fresh = 0, fresh
        self.before: Callable[[], None] = lambda: None

    def __call__(self) -> Token:
        self.before()
        self.given += 1
        return Token({"authorization": f"Bearer token-number-{self.given}"}, self.fresh)


def test_one_token_for_all_threads() -> None:
    desk = Desk()
    desk.before = lambda: time.sleep(0.02)
    with wire(lambda number, request: ok()) as server:
        http = client(server.url, auth=Renewed(desk))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: http.call("GET", f"/{n}", safe=True), range(24)))
        assert len(server.heard) == 24
        assert all("token-number-1" in r for r in server.heard)
    assert desk.given == 1


def test_an_expired_token_is_renewed_once_for_all_threads_and_the_call_goes_on() -> None:
    desk = Desk()

    def guarded(number: int, request: str) -> bytes:
        time.sleep(0.005)
        return ok(status="401 Expired") if "token-number-1\r\n" in request else ok('{"in": true}')

    with wire(guarded) as server:
        http = client(server.url, auth=Renewed(desk))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: http.call("POST", f"/{n}", safe=False, json={}).json(), range(16)))
    assert answers == [{"in": True}] * 16
    assert desk.given == 2


def test_a_token_is_renewed_before_it_expires() -> None:
    seconds = [0.0]
    auth = Renewed(Desk(fresh=100.0), seconds=lambda: seconds[0])
    first = auth.headers()
    seconds[0] = 99.0
    assert auth.headers() == first
    seconds[0] = 100.0
    assert auth.headers() != first


def test_a_refused_sign_in_is_one_config_error_and_one_attempt_for_all_threads() -> None:
    tries: list[int] = []
    waiting = threading.Barrier(6)

    def refused() -> Token:
        tries.append(1)
        time.sleep(0.1)
        raise ConfigError("the desk refuses the key")

    auth = Renewed(refused)

    def ask(_: int) -> str:
        waiting.wait(5)
        with pytest.raises(ConfigError) as caught:
            auth.headers()
        return str(caught.value)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, range(6))) == {"the desk refuses the key"}
    assert len(tries) == 1
    with pytest.raises(ConfigError):  # a later call tries again
        auth.headers()
    assert len(tries) == 2


def test_after_two_refusals_a_person_must_look() -> None:
    desk = Desk()
    with wire([ok(status="401 No")]) as server:
        with pytest.raises(ConfigError, match="refuses our sign-in"):
            client(server.url, auth=Renewed(desk)).call("GET", "/a", safe=True)
        assert len(server.heard) == 2
    with wire([ok(status="401 No")]) as server:
        for auth in (NoAuth(), bearer(lambda: "fixed-key-of-ours")):
            with pytest.raises(ConfigError, match="refuses our sign-in"):
                client(server.url, auth=auth).call("GET", "/a", safe=True)
        assert len(server.heard) == 2


def test_fixed_headers() -> None:
    assert basic("user", lambda: "pass").headers() == {"authorization": "Basic dXNlcjpwYXNz"}
    assert bearer(lambda: "k", "Zoho-oauthtoken").headers() == {"authorization": "Zoho-oauthtoken k"}


def test_cookies_are_not_kept() -> None:
    with wire([ok(set_cookie="session=abc; Path=/"), ok()]) as server:
        http = client(server.url)
        http.call("GET", "/a", safe=True)
        http.call("GET", "/b", safe=True)
        assert "cookie" not in server.heard[1].lower()


# --- secrets ---------------------------------------------------------------------------------------------------------
def everything_of(wrong: BaseException | None) -> str:
    """An error with all that hangs on it."""
    text = ""
    while wrong is not None:
        text += repr(wrong) + str(wrong) + repr(wrong.args)
        if isinstance(wrong, HoldfastError):
            text += wrong.user.en + wrong.user.zh + wrong.log
        wrong = wrong.__cause__ or wrong.__context__
    return text


@pytest.mark.parametrize(
    "answer",
    [
        ok(status="401 No"),
        ok(status="403 No"),
        ok(status="422 No"),
        ok(status="429 Busy"),
        ok(status="500 Broken"),
        ok(status="302 Found", location=f"https://elsewhere.example/?key={SECRET}"),
        ok(f"<html>{SECRET}", kind="text/html"),
        ok(SECRET.encode(), content_encoding="gzip"),
        RESET,
    ],
    ids=["401", "403", "422", "429", "500", "302", "html", "gzip", "reset"],
)
def test_no_secret_in_a_message_or_in_the_log(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="holdfast")  # another test may have made it quiet
    with wire([answer]) as server:
        http = client(server.url, auth=bearer(lambda: SECRET))
        with pytest.raises(HoldfastError) as caught:
            http.call(
                "POST",
                f"/path?query={SECRET}",
                safe=True,
                params={"key": SECRET},
                data={"client_secret": SECRET},
                headers={"x-key": SECRET},
            )
        assert SECRET in server.heard[0]
    assert SECRET not in everything_of(caught.value)
    assert SECRET not in caplog.text
    assert "zoho POST /path" in caplog.text


@pytest.mark.parametrize("key", [f"{SECRET}\r\nx-other: 1", f"{SECRET}中文"], ids=["line break", "chinese"])
def test_a_secret_that_cannot_be_sent_is_not_quoted(key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with wire([ok()]) as server:
        with pytest.raises(ConfigError, match="not allowed there") as caught:
            client(server.url, auth=bearer(lambda: key)).call("GET", "/a", safe=True)
        assert server.heard == []
    assert SECRET not in everything_of(caught.value)
    assert SECRET not in caplog.text


def test_a_vendor_that_repeats_the_key_is_quoted_without_it() -> None:
    with wire([ok(f'{{"message": "bad key\\n{SECRET}xyz"}}')]) as server:
        http = client(server.url, auth=bearer(lambda: SECRET))
        assert http.said(http.call("GET", "/a", safe=True)) == '{"message": "bad key\\n•••xyz"}'


def test_words_of_a_vendor_are_short_and_plain() -> None:
    assert said("<h1>Down</h1>\n\x1b[31m for   now") == "Down [31m for now"
    # Not of one letter: what another test has hidden as a secret stays hidden in this process.
    assert said("down again " * 50, 10) == "down agai…"
    hide("p@ss/word 1")
    assert redacted("/login?p=p%40ss%2Fword%201&q=p%40ss%2Fword+1 p@ss/word 1") == "/login?p=•••&q=••• •••"


# --- addresses -------------------------------------------------------------------------------------------------------
def test_a_next_page_link_of_the_same_host_is_followed_any_other_is_not() -> None:
    with wire([ok()]) as server:
        http = client(server.url, auth=bearer(lambda: SECRET))
        http.call("GET", f"{server.url}/next?page=2", safe=True)
        assert server.heard[0].startswith("GET /next?page=2 ")
        port = server.url.rsplit(":", 1)[1]
        for link in (
            "https://elsewhere.example/next",
            f"http://127.0.0.1:{port}.elsewhere.example/",
            f"http://127.0.0.1:{port}@elsewhere.example/",
            f"http://elsewhere.example/{server.url}",
            f"https://127.0.0.1:{port}/next",
            "http://127.0.0.1/next",
        ):
            with pytest.raises(ProtocolError, match="another host"):
                http.call("GET", link, safe=True)
        assert len(server.heard) == 1


def test_a_path_without_a_slash_cannot_lengthen_the_host() -> None:
    with wire([ok()]) as server:
        client(server.url).call("GET", ".elsewhere.example/x", safe=True)
        assert server.heard[0].startswith("GET /.elsewhere.example/x ")
