"""The sandbox kit: routes, state, faults acted out in process and over a socket, and play from another process."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from connector.errors import ConfigError, HoldfastError, ProtocolError, TransientError
from connector.http import Http, Renewed, Token
from connector.sandbox import Handler, Reply, Request, Sandbox, SandboxOptions
from tests.unit.kit.clocks import Patient


class Shop(Sandbox):
    """Things with a number, behind a token; a batch write refuses every second row where it is told to."""

    name = "shop"

    def stock(self) -> None:
        self.shelf.put("thing", "1", {"id": "1", "amount": Decimal("10.10")})

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("POST", "/token", self.token),
            ("GET", "/things", self.things),
            ("POST", "/things", self.add),
            ("POST", "/count", self.bump),
            ("GET", "/broken", self.broken),
        ]

    def expire(self) -> None:
        self.shelf.next("token")

    def token(self, request: Request) -> Reply:
        return Reply.json({"token": f"token-number-{self.shelf.next('token')}"})

    def things(self, request: Request) -> Reply:
        current = int(self.shelf.get("~series", "token") or 1) - 1
        if request.headers.get("authorization") != f"Bearer token-number-{current}":
            return Reply.json({"error": "expired"}, 401)
        found = self.shelf.all("thing")
        return Reply.json(found, records=len(found))

    def add(self, request: Request) -> Reply:
        done = []
        for place, row in enumerate(request.json()):
            if self.faults.partial and place % 2:
                done.append("refused")
                continue
            self.shelf.put("thing", row["id"], row)
            done.append("done")
        return Reply.json(done, records=done.count("done"), write=True)

    def bump(self, request: Request) -> Reply:
        return Reply.json({"n": self.shelf.next("n")}, write=True)

    def broken(self, request: Request) -> Reply:
        raise KeyError("a mistake")


@contextmanager
def in_process(shop: Sandbox) -> Iterator[str]:
    with shop.mounted("https://shop.example") as url:
        yield url


@contextmanager
def over_a_socket(shop: Sandbox) -> Iterator[str]:
    with shop.served() as url:
        yield url


@pytest.fixture(params=[in_process, over_a_socket], ids=["in process", "socket"])
def way(request: pytest.FixtureRequest) -> object:
    return request.param


def shop(tmp_path: Path | None = None) -> Shop:
    return Shop(SandboxOptions(data=tmp_path))


def client(url: str) -> Http:
    plain = Http(url, clock=Patient())
    return Http(
        url,
        clock=Patient(),
        auth=Renewed(
            lambda: Token(
                {"authorization": f"Bearer {plain.call('POST', '/token', safe=True, signed=False).json()['token']}"},
                1e9,
            )
        ),
    )


Way = object


def opened(way: Way, made: Sandbox) -> AbstractContextManager[str]:
    return way(made)  # type: ignore[operator]


def test_both_ways_answer_alike_and_keep_a_log(way: Way, tmp_path: Path) -> None:
    made = shop(tmp_path)
    with opened(way, made) as url:
        http = client(url)
        assert http.call("GET", "/things", safe=True, params={"page": "1"}).json() == [
            {"id": "1", "amount": Decimal("10.10")}
        ]
        assert http.call("POST", "/things", safe=False, json=[{"id": "2"}, {"id": "3"}]).json() == ["done", "done"]
    assert [(c.method, c.path, c.status, c.records, c.write) for c in made.calls] == [
        ("POST", "/token", 200, 0, False),
        ("GET", "/things", 200, 1, False),
        ("POST", "/things", 200, 2, True),
    ]
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines] == ["/token", "/things", "/things"]
    assert {"at", "method", "path", "status", "records"} <= set(lines[0])
    assert [c.path for c in made.writes()] == ["/things"]


@pytest.mark.parametrize("fault", ["429", "429-bare", "500", "503", "reset", "late", "cut", "html", "expired"])
def test_a_safe_call_gets_through_each_fault(way: Way, fault: str) -> None:
    made = shop()
    with opened(way, made) as url:
        http = client(url)
        http.call("GET", "/things", safe=True)
        made.faults.plan(fault, times=2 if fault != "expired" else 1, match="GET /things")  # type: ignore[arg-type]
        assert len(http.call("GET", "/things", safe=True).json()) == 1
    assert set(made.faults.happened) == {fault}


@pytest.mark.parametrize(
    ("fault", "acted"), [("500", 0), ("503", 0), ("reset", 0), ("late", 1), ("cut", 1), ("html", 0)]
)
def test_an_unsafe_call_fails_and_the_shelf_shows_whether_the_sandbox_acted(way: Way, fault: str, acted: int) -> None:
    made = shop()
    made.faults.plan(fault, match="POST /count")  # type: ignore[arg-type]
    with opened(way, made) as url, pytest.raises((TransientError, ProtocolError)):
        Http(url, clock=Patient()).call("POST", "/count", safe=False, json={})
    assert int(made.shelf.get("~series", "n") or 1) - 1 == acted
    assert [c.fault for c in made.calls] == [fault]


def test_too_many_calls_says_when_to_come_back_or_does_not(way: Way) -> None:
    made = shop()
    made.faults.plan("429")
    made.faults.plan("429-bare")
    with opened(way, made) as url:
        first, second = (requests.get(f"{url}/things", timeout=5) for _ in range(2))
    assert (first.status_code, first.headers.get("retry-after")) == (429, "1")
    assert (second.status_code, second.headers.get("retry-after")) == (429, None)


def test_half_a_batch_is_refused(way: Way) -> None:
    made = shop()
    made.faults.plan("partial", match="POST /things")
    with opened(way, made) as url:
        http = Http(url, clock=Patient())
        rows = [{"id": str(n)} for n in range(10, 14)]
        assert http.call("POST", "/things", safe=False, json=rows).json() == ["done", "refused", "done", "refused"]
        assert http.call("POST", "/things", safe=False, json=rows).json() == ["done"] * 4


def test_faults_match_skip_and_end() -> None:
    made = shop()
    made.faults.plan("500", times=1, skip=2, match=r"GET /th")
    asked = [made.faults.take("GET", "/things") for _ in range(5)]
    assert asked == [None, None, "500", None, None]
    assert made.faults.take("POST", "/things") is None
    with pytest.raises(ValueError, match="no such fault"):
        made.faults.plan("flood")  # type: ignore[arg-type]


def test_bad_weather_is_the_same_for_the_same_seed() -> None:
    def weather(seed: int) -> list[str | None]:
        made = shop()
        made.faults.plan("503", times=10_000, share=0.3, seed=seed)
        return [made.faults.take("GET", "/") for _ in range(1000)]

    first = weather(1)
    assert first == weather(1)
    assert first != weather(2)
    assert 250 < first.count("503") < 350


def test_state_is_kept_over_a_restart_and_stocked_once(tmp_path: Path) -> None:
    first = shop(tmp_path)
    first.shelf.put("thing", "2", {"id": "2"})
    first.shelf.drop("thing", "1")
    again = shop(tmp_path)
    assert [t["id"] for t in again.shelf.all("thing")] == ["2"]


def test_changes_together_are_all_or_nothing() -> None:
    shelf = shop().shelf

    def half() -> None:
        with shelf.together():
            shelf.put("thing", "2", {})
            with shelf.together():
                shelf.put("thing", "3", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert shelf.count("thing") == 1


def test_many_threads_count_to_the_same_number_in_process_and_over_a_socket(way: Way) -> None:
    made = shop()
    with opened(way, made) as url:
        http = Http(url)
        with ThreadPoolExecutor(8) as pool:
            numbers = list(pool.map(lambda _: http.call("POST", "/count", safe=False, json={}).json()["n"], range(80)))
    assert sorted(numbers) == list(range(1, 81))
    assert len(made.calls) == 80


def test_a_path_the_product_does_not_know(way: Way) -> None:
    with opened(way, shop()) as url:
        assert requests.get(f"{url}/nowhere", timeout=5).status_code == 404


def test_a_mistake_in_a_handler_is_an_answer_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with shop().served() as url:
        answer = requests.get(f"{url}/broken", timeout=5)
    assert answer.status_code == 500
    assert "a mistake" in caplog.text


def test_two_sandboxes_are_mounted_side_by_side() -> None:
    one, other = shop(), shop()
    other.shelf.put("thing", "9", {"id": "9"})
    with one.mounted("https://one.example"), other.mounted("https://other.example"):
        client("https://one.example").call("POST", "/things", safe=False, json=[{"id": "5"}])
        assert len(client("https://other.example").call("GET", "/things", safe=True).json()) == 2
        with pytest.raises(requests.exceptions.ConnectionError, match="no sandbox"):
            requests.get("https://one.example.evil.example/", timeout=1)
    assert one.shelf.count("thing") == 2
    assert [c.path for c in one.calls] == ["/token", "/things"]


def test_a_port_is_free_again_afterwards() -> None:
    with shop().served() as url:
        port = int(url.rsplit(":", 1)[1])
    with shop().served(port) as again:
        assert again == url
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)


# --- from another process --------------------------------------------------------------------------------------------
def test_another_process_plans_faults_and_reads_the_log(way: Way) -> None:
    made = shop()
    with opened(way, made) as url:
        reserved = f"{url}/~sandbox"
        planned = requests.post(f"{reserved}/faults", json={"name": "500", "match": "GET /things"}, timeout=5)
        assert planned.status_code == 201
        assert requests.get(f"{reserved}/faults", timeout=5).json() == {
            "planned": [{"name": "500", "times": 1, "match": "GET /things"}],
            "happened": [],
        }
        assert requests.get(f"{url}/things", timeout=5).status_code == 500
        assert requests.get(f"{reserved}/faults", timeout=5).json() == {"planned": [], "happened": ["500"]}
        calls = requests.get(f"{reserved}/calls", timeout=5).json()
        assert [(c["path"], c["status"], c["fault"]) for c in calls] == [("/things", 500, "500")]
        assert requests.get(f"{reserved}/things/thing", timeout=5).json() == {"1": {"id": "1", "amount": 10.10}}
        assert requests.delete(f"{reserved}/calls", timeout=5).status_code == 204
        assert requests.get(f"{reserved}/calls", timeout=5).json() == []
        requests.post(f"{reserved}/faults", json={"name": "503", "share": 0.5, "times": 9}, timeout=5)
        assert requests.delete(f"{reserved}/faults", timeout=5).status_code == 204
        assert requests.get(f"{url}/things", timeout=5).status_code == 401


@pytest.mark.parametrize("body", ['{"name": "flood"}', '{"nome": "500"}', "[]", "{", '"500"'])
def test_a_plan_that_makes_no_sense_is_refused(body: str) -> None:
    with shop().served() as url:
        assert requests.post(f"{url}/~sandbox/faults", data=body, timeout=5).status_code == 400
        assert requests.get(f"{url}/~sandbox/elsewhere", timeout=5).status_code == 404


def test_a_chunked_body_is_read() -> None:
    with shop().served() as url:
        answer = requests.post(f"{url}/things", data=iter([b'[{"id"', b': "8"}]']), timeout=5)
    assert answer.json() == ["done"]


def test_errors_are_ours() -> None:
    made = shop()
    with made.served() as url:
        with pytest.raises(ConfigError):
            Http(url, clock=Patient()).call("GET", "/things", safe=True)
        made.faults.plan("reset", times=99)
        with pytest.raises(HoldfastError):
            Http(url, clock=Patient()).call("GET", "/things", safe=True)
