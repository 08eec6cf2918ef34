"""The quick way of the order check: it answers to the byte as the usual way does, and leaves to that whatever is not plain.

Each request is sent twice over a socket: as it is, and with an empty query ("?"), which only the usual way takes.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from connector.model import Customer
from connector.store import api_keys, audit
from connector.web import auth
from connector.web.app import make
from connector.web.front import Front
from connector.web.hurried import Hurried
from connector.web.quick import BODY_MOST, Quick
from connector.web.throttle import Throttle
from tests.jobs.shop import Shop
from tests.web.conftest import Made
from tests.web.listening import listening

PATH = "/api/v1/orders/check"
one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.customers(Customer(id="C1", name="一", currency="CNY"), limits={"C1": 1000})
    return shop


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each question that came to the quick way whether it took it."""
    found: list[bool] = []
    ask = Quick.ask

    def watched(*given: Any) -> bool:
        found.append(ask(*given))
        return found[-1]

    monkeypatch.setattr(Quick, "ask", watched)
    return found


class Line:
    """One connection, and what comes over it: status, head and body of each answer."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), 20)
        self.file = self.socket.makefile("rb")

    def send(self, *parts: bytes, pause: float = 0.0) -> None:
        for at, part in enumerate(parts):
            if at:
                time.sleep(pause)
            self.socket.sendall(part)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        head: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            assert name not in head, f"{name} stands twice"
            head[name] = value
        return status, head, self.file.read(int(head["content-length"]))

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def request(path: str, head: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in head)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def plain(token: str, body: Any, *more: tuple[str, str], path: str = PATH) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"), *more]
    return request(path, [*head, ("Content-Length", str(len(content)))], content)


@pytest.fixture
def line(front: Front) -> Iterator[Callable[[], Line]]:
    opened: list[Line] = []
    with listening(make(front), http=Hurried) as url:

        def new() -> Line:
            opened.append(Line(url))
            return opened[-1]

        yield new
        for one in opened:
            one.close()


def told(answer: tuple[int, dict[str, str], bytes]) -> tuple[Any, ...]:
    """An answer without what is of the moment: the date, the request's name, its line of the trail."""
    status, head, body = answer
    said = json.loads(body)
    for name in ("audit", "at"):
        assert said.pop(name, 1) or said["simulated"]
    assert int(head.pop("content-length")) == len(body)
    return status, {name: value for name, value in head.items() if name not in ("date", "x-request-id")}, said


def known(one: Line, token: str) -> None:
    """Makes a caller known: the first time he is looked at."""
    one.send(plain(token, {"customer": "C1", "amount": "1", "simulate": True}, path=PATH + "?"))
    assert one.answer()[0] == 200


BODIES: list[tuple[Any, int]] = [
    ({"customer": "C1", "amount": "1000.00"}, 200),
    ({"customer": "C1", "amount": "1000.01", "ship_date": "2026-12-01"}, 200),
    ({"customer": "C1", "lines": [{"quantity": "3", "price": "2.5"}], "simulate": True}, 200),
    ({"customer": "C1", "amount": "1", "currency": "EUR"}, 200),
    ({"customer": "nobody", "amount": "1"}, 404),
    ({"customer": "C1", "amount": 12.5}, 422),
    ({"customer": "C1"}, 422),
    ({"customer": "C1", "amount": "1", "what": 1}, 422),
    ([], 422),
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"[" * 10_000, 400),
    ({"customer": "C1", "lines": [{"amount": "1"}] * 999}, 200),
]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_ways_give_one_answer(
    line: Callable[[], Line], key: Made, taken: list[bool], language: str, store: object
) -> None:
    token = key("chen.jie")
    for body, status in BODIES:
        one = line()
        known(one, token)
        answers = []
        for path in (PATH, PATH + "?"):
            one.send(plain(token, body, ("Accept-Language", language), path=path))
            answers.append(one.answer())
        assert told(answers[0]) == told(answers[1])
        assert answers[0][0] == status, answers[0]
    # All that is JSON of a question, and no more than a few KiB, was asked the quick way; a mistake in it is told the usual way.
    assert taken == [True] * 5 + [False] * 8


def test_a_key_gives_the_answer_again_and_another_question_under_it_is_refused(
    line: Callable[[], Line], key: Made, taken: list[bool]
) -> None:
    token, one = key("chen.jie"), line()
    known(one, token)
    one.send(plain(token, {"customer": "C1", "amount": "600", "reserve": True}, ("Idempotency-Key", "a")))
    status, head, body = one.answer()
    assert (status, "idempotent-replay" in head) == (200, False)
    for path in (PATH, PATH + "?"):
        one.send(
            plain(token, {"customer": "C1", "amount": "600", "reserve": True}, ("Idempotency-Key", "a"), path=path)
        )
        again = one.answer()
        assert (again[0], again[1]["idempotent-replay"], again[2]) == (200, "true", body)
        one.send(plain(token, {"customer": "C1", "amount": "601"}, ("Idempotency-Key", "a"), path=path))
        status, head, other = one.answer()
        assert (status, head["content-type"], json.loads(other)["code"]) == (
            409,
            "application/problem+json",
            "key_reused",
        )
    assert taken == [True] * 3


@one_database
def test_whatever_is_unusual_in_a_head_is_answered_as_ever(
    line: Callable[[], Line], key: Made, taken: list[bool], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads made of usual and unusual lines by chance, both ways."""
    monkeypatch.setattr(Throttle, "wait", lambda _self, _address: 0.0)  # else the first of two would hold up the second
    token, looker, random = key("chen.jie"), key("app:looker", "viewer"), Random(4)
    one = line()
    for each in (token, looker):
        one.send(plain(each, {"customer": "C1", "amount": "1"}, path=PATH + "?"))
        one.answer()
    body = b'{"customer":"C1","amount":"1"}'
    good: list[tuple[str, str]] = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
    odd: list[tuple[str, str]] = [
        ("Authorization", f"Bearer {looker}"), ("Authorization", f"bearer  {token}"), ("Authorization", "Bearer x"),
        ("Content-Type", "application/json; charset=utf-8"), ("Content-Type", "text/plain"),
        ("Content-Type", "multipart/form-data; charset=utf-7"), ("Idempotency-Key", "no blanks"), ("Idempotency-Key", "é"),
        ("Idempotency-Key", "x" * 201), ("X-Request-Id", "mine"), ("X-Request-Id", "not good"), ("Accept", "text/html"),
        ("Accept-Language", "zh"), ("Upgrade", "websocket"), ("Connection", "upgrade"), ("X-Forwarded-For", "1.2.3.4"),
    ]  # fmt: skip
    statuses = set()
    for _ in range(150):
        lines = [*random.sample(good, random.choice((1, 2, 2, 2))), *random.sample(odd, random.choice((0, 1, 1, 2)))]
        random.shuffle(lines)
        answers = []
        for path in (PATH, PATH + "?"):
            if "Authorization" in str(lines):
                known(one, token)
            one.send(request(path, [*lines, ("Content-Length", str(len(body)))], body))
            answers.append(one.answer())
        assert told(answers[0]) == told(answers[1]), lines
        assert ("x-request-id", "mine") not in answers[1][1].items() or answers[0][1]["x-request-id"] == "mine"
        statuses.add(answers[0][0])
    assert statuses == {200, 400, 401, 403, 415}
    assert 20 < sum(taken) < 130, "some are plain and some are not"


@one_database
def test_however_a_request_comes_it_is_answered_once(line: Callable[[], Line], key: Made, taken: list[bool]) -> None:
    token, one = key("chen.jie"), line()
    known(one, token)
    whole = plain(token, {"customer": "C1", "amount": "1"})
    at = whole.index(b"\r\n\r\n") + 4
    one.send(whole[:10], whole[10:at], whole[at : at + 5], whole[at + 5 :], pause=0.02)
    assert one.answer()[0] == 200
    # Several at once in one piece are answered in their order.
    more = [plain(token, {"customer": "C1", "amount": str(n), "simulate": n == 3}) for n in range(1, 6)]
    one.send(b"".join(more))
    assert [json.loads(one.answer()[2])["amount"] for _ in more] == ["1.00", "2.00", "3.00", "4.00", "5.00"]
    assert taken == [True, True]
    # A body in chunks, one that is announced, and one larger than the quick way takes.
    head = whole[: whole.index(b"Content-Length")]
    one.send(
        head + b"Transfer-Encoding: chunked\r\n\r\n", b"1e\r\n" + whole[at:].replace(b" ", b"")[:30] + b"\r\n0\r\n\r\n"
    )
    assert one.answer()[0] == 200
    one.send(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(whole[at:]))
    assert one.file.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert one.file.readline() == b"\r\n"
    one.send(whole[at:])
    assert one.answer()[0] == 200
    one.send(plain(token, {"customer": "C1", "amount": "1", "terms": None, "lines": None} | {"order": None}))
    assert one.answer()[0] == 200
    one.send(plain(token, json.dumps({"customer": "C1", "amount": "1"}).encode() + b" " * BODY_MOST))
    assert one.answer()[0] == 200
    assert taken == [True, True, True]


@one_database
def test_who_wants_the_connection_closed_has_it_closed_after_the_answer(line: Callable[[], Line], key: Made) -> None:
    token, one = key("chen.jie"), line()
    known(one, token)
    one.send(plain(token, {"customer": "C1", "amount": "1"}, ("Connection", "close")))
    status, head, _ = one.answer()
    assert (status, head["connection"]) == (200, "close")
    assert one.file.read() == b""


@one_database
def test_who_has_gone_gets_no_answer_and_his_check_is_told_in_the_trail(
    line: Callable[[], Line], key: Made, shop: Shop
) -> None:
    token, one, other = key("chen.jie"), line(), line()
    known(other, token)
    for n in range(20):
        one.send(plain(token, {"customer": "C1", "amount": str(n + 1)}))
        one.close()
        one = line()
    other.send(plain(token, {"customer": "C1", "amount": "500"}))
    assert other.answer()[0] == 200, "others are answered"
    until = time.monotonic() + 20
    lines: list[Any] = []
    while len(lines) < 21 and time.monotonic() < until:
        with shop.store.reading() as tx:
            lines = audit.listing(tx, action="order.asked")
    assert sorted(int(float(str(one.entry.after["amount"]))) for one in lines) == [*range(1, 21), 500]


@one_database
def test_a_key_that_was_taken_back_opens_nothing_after_the_time_it_is_kept(
    line: Callable[[], Line], key: Made, taken: list[bool], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "KEPT_SECONDS", 0.3)
    token, one = key("chen.jie"), line()
    known(one, token)
    one.send(plain(token, {"customer": "C1", "amount": "1"}))
    assert (one.answer()[0], taken) == (200, [True])
    with shop.store.writing() as tx:
        assert api_keys.revoke(tx, api_keys.listing(tx)[0], shop.clock.now())
    time.sleep(0.4)
    one.send(plain(token, {"customer": "C1", "amount": "1"}))
    assert (one.answer()[0], taken) == (401, [True, False])


@one_database
def test_it_is_counted_and_named_as_every_answer(line: Callable[[], Line], key: Made, front: Front) -> None:
    token, one = key("chen.jie"), line()
    known(one, token)
    one.send(plain(token, {"customer": "C1", "amount": "1"}, ("X-Request-Id", "order-17")))
    assert one.answer()[1]["x-request-id"] == "order-17"
    one.send(plain(token, {"customer": "nobody", "amount": "1"}))
    assert len(one.answer()[1]["x-request-id"]) == 16
    text = front.metrics.text().decode()
    assert f'holdfast_answers_total{{route="{PATH}",status="200"}} 2.0' in text
    assert f'holdfast_answers_total{{route="{PATH}",status="404"}} 1.0' in text
    assert 'holdfast_order_checks_total{result="pass"} 2.0' in text


@one_database
def test_a_question_on_its_way_when_the_server_ends_is_answered(front: Front, key: Made, taken: list[bool]) -> None:
    answers: list[tuple[int, dict[str, str], bytes]] = []
    whole = plain(key("chen.jie"), {"customer": "C1", "amount": "1"})

    def rest(one: Line) -> None:
        time.sleep(0.3)
        one.send(whole[-5:])
        answers.append(one.answer())

    with listening(make(front), http=Hurried) as url:
        one = Line(url)
        one.send(whole)
        assert one.answer()[0] == 200
        one.send(whole[:-5])
        time.sleep(0.1)
        late = threading.Thread(target=rest, args=(one,))
        late.start()
    late.join(20)
    one.close()
    (answer,) = answers
    assert (answer[0], answer[1]["connection"], taken) == (200, "close", [False, True])
