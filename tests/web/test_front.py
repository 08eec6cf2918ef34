"""The front door as such: health, readiness, bounds, headers, problems in both languages, logs without secrets."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from connector import logs
from connector.errors import ConfigError, Missing, NotAllowed, ProtocolError, TransientError
from connector.http_words import hide, redacted
from connector.text import Text
from connector.web import app as application
from connector.web.front import Front
from connector.web.problem import Refused

ROOT = Path(__file__).parents[2]
WORDS = Text("No order is called “{ref}”.", "没有订单“{ref}”。").fill(ref="SO1")


def test_it_lives_and_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_it_is_not_ready_without_its_database_or_while_it_stops(
    client: TestClient, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    front.stopping = True
    assert client.get("/readyz").status_code == 503
    front.stopping = False

    def broken(_engine: object) -> bool:
        raise ConnectionError("secret-host:5432")

    monkeypatch.setattr("connector.store.upgrade.is_current", broken)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "secret-host" not in answer.text


@pytest.fixture
def troubled(front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The application with routes that fail in every way."""
    errors: dict[str, Exception] = {
        "missing": Missing(WORDS),
        "forbidden": NotAllowed(WORDS),
        "config": ConfigError(WORDS),
        "later": TransientError(WORDS, retry_after=7),
        "vendor": ProtocolError(WORDS),
        "refused": Refused(409, WORDS, "key_reused"),
        "fault": RuntimeError("password=hunter2"),
        "locked": sqlite3.OperationalError("database is locked: hunter2"),
        "deadlock": OperationalError("UPDATE", {"secret": "hunter2"}, psycopg.errors.DeadlockDetected("hunter2")),
        "gone": psycopg.errors.AdminShutdown("hunter2"),
    }

    def routes(_front: Front) -> APIRouter:
        made = APIRouter()

        @made.get("/trouble/{kind}")
        async def trouble(kind: str) -> None:
            raise errors[kind]

        @made.post("/number")
        async def number(count: int) -> int:
            return count

        @made.post("/body")
        async def body(what: dict[str, int]) -> dict[str, int]:
            return what

        return made

    monkeypatch.setattr(application, "_API", (routes,))
    with TestClient(application.make(front), raise_server_exceptions=False) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("missing", 404, "not_found"),
        ("forbidden", 403, "not_allowed"),
        ("config", 422, "not_usable"),
        ("later", 503, "not_now"),
        ("vendor", 502, "other_system"),
        ("refused", 409, "key_reused"),
        ("fault", 500, "fault"),
        ("locked", 503, "not_now"),
        ("deadlock", 503, "not_now"),
        ("gone", 503, "not_now"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_each_error_has_its_answer_in_the_callers_language(
    troubled: TestClient, kind: str, status: int, code: str
) -> None:
    english = troubled.get(f"/api/v1/trouble/{kind}")
    chinese = troubled.get(f"/api/v1/trouble/{kind}", headers={"Accept-Language": "zh-CN,en;q=0.5"})
    assert english.status_code == chinese.status_code == status
    assert english.headers["content-type"] == "application/problem+json"
    assert english.json()["code"] == chinese.json()["code"] == code
    words = WORDS
    if kind in ("locked", "deadlock", "gone"):
        words = Text(
            "The database cannot be used just now. Try again in a few seconds.", "数据库暂时无法使用，请过几秒后重试。"
        )
    elif kind == "fault":
        words = Text("Something went wrong on our side. It is in the log.", "系统内部出错，已记入日志。")
    assert (english.json()["detail"], chinese.json()["detail"]) == (words.en, words.zh)
    assert "hunter2" not in english.text
    if status == 503:
        assert english.headers["retry-after"] == ("7" if kind == "later" else "2")


def test_what_is_not_usable_is_named_field_by_field(troubled: TestClient) -> None:
    answer = troubled.post("/api/v1/number?count=many", headers={"Accept-Language": "zh"})
    assert answer.status_code == 422
    assert answer.json()["fields"] == [{"field": "query.count", "what": "应为整数"}]


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_body_is_refused_while_it_arrives(troubled: TestClient, front: Front, declared: bool) -> None:
    big = b" " * (front.config.service.body_kib * 1024 + 1)
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for at in range(0, len(big), 4096):
            sent += 1
            yield big[at : at + 4096]

    answer = troubled.post("/api/v1/body", content=big if declared else pieces())
    assert answer.status_code == 413
    assert answer.json()["detail"] == "At most 256 KiB."


def test_a_deeply_nested_body_is_refused(troubled: TestClient) -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    answer = troubled.post("/api/v1/body", content=deep, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


def test_browsers_are_told_to_be_careful(client: TestClient) -> None:
    headers = client.get("/healthz").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_a_request_has_an_id_that_cannot_carry_anything(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "order-17"}).headers["x-request-id"] == "order-17"
    other = client.get("/healthz", headers={"X-Request-Id": "a b{}"}).headers["x-request-id"]
    assert other != "a b{}"
    assert len(other) == 16


def test_the_metrics_count_answers_and_what_waits(client: TestClient, front: Front) -> None:
    client.get("/healthz")
    client.get("/nowhere/at/all")
    text = front.metrics.text().decode()
    assert 'holdfast_answers_total{route="/healthz",status="200"} 1.0' in text
    assert 'holdfast_answers_total{route="none",status="404"} 1.0' in text
    assert 'holdfast_outbox_writes{state="owed"} 0.0' in text


_COUNTING = """
import sys
from connector.web.metrics import Metrics, share
share(sys.argv[1], sys.argv[2])
metrics = Metrics()
for line in sys.stdin:
    metrics.answers.labels(line.strip(), "200").inc()
    metrics.seconds.labels(line.strip()).observe(0.02)
    print(metrics.text().decode(), "end", sep="", flush=True)
"""


def test_processes_that_count_together_tell_of_all_and_forget_no_dead_one(tmp_path: Path) -> None:
    with contextlib.ExitStack() as all_of_them:

        def process(place: str) -> subprocess.Popen[str]:
            one = subprocess.Popen(
                [sys.executable, "-c", _COUNTING, str(tmp_path), place],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )  # fmt: skip
            all_of_them.callback(lambda: (one.kill(), one.wait()))
            return one

        def counts(one: subprocess.Popen[str], route: str) -> list[str]:
            assert one.stdin is not None
            assert one.stdout is not None
            one.stdin.write(f"{route}\n")
            one.stdin.flush()
            lines = list(iter(one.stdout.readline, "end\n"))
            wanted = (
                "holdfast_answers_total",
                "holdfast_answer_seconds_count",
                'holdfast_answer_seconds_bucket{le="0.02"',
            )
            return sorted(line.strip() for line in lines if line.startswith(wanted))

        first, second = process("0"), process("1")
        counts(first, "/a")
        counts(first, "/a")
        told = counts(second, "/a")
        assert told == [
            'holdfast_answer_seconds_bucket{le="0.02",route="/a"} 3.0',
            'holdfast_answer_seconds_count{route="/a"} 3.0',
            'holdfast_answers_total{route="/a",status="200"} 3.0',
        ]
        first.kill()
        first.wait()
        assert 'holdfast_answers_total{route="/a",status="200"} 4.0' in counts(second, "/a")
        assert 'holdfast_answers_total{route="/a",status="200"} 5.0' in counts(process("0"), "/a")
        assert len(list(tmp_path.iterdir())) == 4, "a file for each place and kind, however many have been there"


def test_a_log_line_is_json_with_what_is_bound_and_without_secrets() -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("holdfast").level)
    out = io.StringIO()
    hide("hunter2-is-secret")
    try:
        logs.as_json(redacted, stream=out)
        with logs.bound(run=17, job="pull"):
            logging.getLogger("holdfast.jobs").warning("asked with %s", "hunter2-is-secret")
        try:
            raise ValueError("hunter2-is-secret")
        except ValueError:
            logging.getLogger("holdfast.jobs").exception("failed")
    finally:
        root.handlers[:], level = before[0], before[1]
        root.setLevel(level)
        logging.getLogger("holdfast").setLevel(before[2])
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["run"], first["job"], first["level"]) == ("asked with •••", 17, "pull", "warning")
    assert "ValueError" in second["exception"]
    assert "run" not in second
    assert "hunter2-is-secret" not in out.getvalue()
