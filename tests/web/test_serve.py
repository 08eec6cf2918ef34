"""The service as an operator runs it: begins, answers, works, ends in order or at once, and says what it lacks."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from connector.cli.serve_bell import Bell, heed
from connector.store import customers, marks, runs
from connector.store.db import Store
from tests.jobs.private_pg import PrivatePostgres, private_postgres

ROOT = Path(__file__).parent.parent.parent
CONFIG = """\
{store}
[schedule]
order_seconds = 5

[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = {{ path = "book" }}
"""


@dataclass
class Service:
    """One `holdfast serve` and what it has printed."""

    folder: Path
    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed.append(line)

    @property
    def output(self) -> str:
        return "".join(self.printed)

    def wait(self, words: str, most: float = 60) -> re.Match[str]:
        """Waits until it has printed something."""
        until = time.monotonic() + most
        while time.monotonic() < until:
            if found := re.search(words, self.output):
                return found
            if self.process.poll() is not None:
                self.listening.join(10)  # what it said last may still be on its way
                if found := re.search(words, self.output):
                    return found
                break
            time.sleep(0.05)
        raise AssertionError(f"never printed {words!r}: {self.output}")

    @property
    def url(self) -> str:
        return self.wait(r"listens on (http://\S+)\.\n")[1]

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def until(self, path: str, status: int, most: float = 60) -> bytes:
        """Asks until the answer has this status; gives its body."""
        found: object = None
        until = time.monotonic() + most
        while time.monotonic() < until:
            try:
                found = self.get(path)
                if found[0] == status:
                    return found[1]
            except OSError as wrong:
                found = wrong
            time.sleep(0.1)
        raise AssertionError(f"{path} never answered {status}: {found} {self.output}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def children_of(service: Service) -> list[psutil.Process]:
    """The processes that it keeps up."""
    found = psutil.Process(service.process.pid).children()
    return [child for child in found if "spawn_main" in " ".join(child.cmdline())]


Begin = Callable[..., Service]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begins services in a folder; what is left of them is killed at the end."""
    begun: list[Service] = []

    def made(*arguments: str, store: str = "", patience: float | None = None, instead: str = "") -> Service:
        (tmp_path / "book").mkdir(exist_ok=True)
        (tmp_path / "book" / "customers.csv").write_text("id,name\nC1,One\n", encoding="utf-8")
        line = f'[store]\nurl = "{store}"' if store else ""
        (tmp_path / "config.toml").write_text(CONFIG.format(store=line), encoding="utf-8")
        program = ["-c", instead] if instead else ["-m", "connector.cli"]
        if patience is not None:
            hurried = f"import connector.cli.serve_node as node\nnode._END_SECONDS = {patience}\n"
            program = ["-c", f"{hurried}import connector.cli\nconnector.cli.main()"]
        call = [sys.executable, *program, "--lang", "en", "-c", str(tmp_path / "config.toml"), "serve"]
        process = subprocess.Popen(
            [*call, *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        begun.append(Service(tmp_path, process))
        return begun[-1]

    yield made
    for service in begun:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with private_postgres() as made:
        yield made


def test_it_begins_answers_works_and_ends_in_order(begin: Begin) -> None:
    service = begin("--port", "0")
    assert service.until("/healthz", 200) == b'{"status":"alive"}'
    assert service.until("/readyz", 200) == b'{"status":"ready"}'
    service.wait("evaluate")
    assert len(children_of(service)) == 2, "one that answers, one for the jobs"
    assert service.end() == 0
    assert "holdfast key create" in service.output
    assert "every 15 minutes, in full at 01:30 (Asia/Shanghai); payments and orders every 5 s" in service.output
    assert "Traceback" not in service.output
    with contextlib.closing(Store.open(f"sqlite:///{service.folder}/holdfast.db")) as store, store.reading() as tx:
        assert {"pull", "link", "evaluate"} <= {run.job for run in runs.runs(tx)}
        assert runs.holder_of(tx, "run") is None


def test_each_run_is_one_line_of_json_with_its_number(begin: Begin) -> None:
    service = begin("--no-web")
    service.wait('"job": "evaluate"')
    assert service.end(signal.SIGINT) == 0
    lines = [json.loads(line) for line in service.output.splitlines() if line.startswith("{")]
    told = {line["job"]: line for line in lines if "run" in line}
    assert {"pull", "link", "evaluate"} <= set(told)
    assert told["pull"]["system"] == "books"
    assert told["pull"]["counts"]["new"] == 1
    assert len({line["run"] for line in told.values()}) == len(told)


def test_what_waits_in_the_database_is_worked_on_without_being_told(begin: Begin) -> None:
    """Another process (the API of another node, a command) marks a customer: the service judges him."""
    service = begin("--no-web")
    service.wait('"job": "evaluate"')
    time.sleep(1.2)
    before = service.output.count('"job": "evaluate"')
    with contextlib.closing(Store.open(f"sqlite:///{service.folder}/holdfast.db")) as store:
        with store.writing() as tx:
            marks.touch(tx, [row.key for row in customers.customers(tx)])
        until = time.monotonic() + 60
        while time.monotonic() < until and service.output.count('"job": "evaluate"') == before:
            time.sleep(0.05)
    assert service.output.count('"job": "evaluate"') == before + 1
    assert service.end() == 0


def test_a_request_under_way_is_answered_before_the_end(begin: Begin, server: PrivatePostgres) -> None:
    """The database answers nothing for a while, so that a question that needs it is under way when the end is told."""
    service = begin("--port", "0", "--no-jobs", store=server.fresh())
    service.until("/readyz", 200)
    host, port = re.search(r"//(.+):(\d+)", service.url).groups()  # type: ignore[union-attr]
    server.freeze()
    try:
        with socket.create_connection((host, int(port)), timeout=60) as asking:
            asking.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.5)
            service.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            assert service.process.poll() is None, "it waits for the answer"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, int(port)), timeout=2).close()
            server.thaw()
            answer = asking.recv(65536)
    finally:
        server.thaw()
    assert answer.startswith(b"HTTP/1.1 200")
    assert service.process.wait(60) == 0


def test_the_second_signal_ends_it_at_once(begin: Begin, server: PrivatePostgres) -> None:
    service = begin("--port", "0", "--no-jobs", store=server.fresh())
    service.until("/readyz", 200)
    host, port = re.search(r"//(.+):(\d+)", service.url).groups()  # type: ignore[union-attr]
    server.freeze()
    try:
        with socket.create_connection((host, int(port)), timeout=20) as asking:
            asking.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.5)
            service.process.send_signal(signal.SIGINT)
            time.sleep(1)
            assert service.process.poll() is None
            assert service.end(signal.SIGINT) == 130
    finally:
        server.thaw()


def test_several_processes_on_one_file_are_refused(begin: Begin) -> None:
    service = begin("--port", "0", "--workers", "2")
    assert service.process.wait(60) == 2
    service.listening.join(10)
    assert "Several processes need PostgreSQL, and [store] url names an SQLite file." in service.output


def test_a_second_service_on_the_same_file_is_told_who_is_there_and_commands_work_beside_it(begin: Begin) -> None:
    first = begin("--port", "0")
    first.until("/readyz", 200)
    second = begin("--port", "0", "--no-jobs")
    assert second.process.wait(60) == 2
    second.listening.join(10)
    assert f"A service is running on holdfast.db already: process {first.process.pid} on " in second.output
    call = [sys.executable, "-m", "connector.cli", "-c", str(first.folder / "config.toml"), "key", "create", "--help"]
    assert subprocess.run(call, cwd=ROOT, capture_output=True, check=False).returncode == 0
    run = subprocess.run([*call[:-3], "run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    first.process.kill()
    first.process.wait(60)
    third = begin("--port", "0")
    third.until("/readyz", 200)
    assert third.end() == 0


def test_an_address_that_is_taken_is_told_with_the_remedy(begin: Begin) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        service = begin("--port", str(port))
        assert service.process.wait(60) == 2
        service.listening.join(10)
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in service.output
    assert "--port or [service] port" in service.output


def test_without_the_extra_the_remedy_is_told(begin: Begin, tmp_path: Path) -> None:
    begin("--no-web", "--no-jobs")  # makes the folder
    hidden = "import sys; sys.modules['uvicorn'] = sys.modules['fastapi'] = None\nimport connector.cli\n"
    call = hidden + f"connector.cli.main(['--lang', 'en', '-c', {str(tmp_path / 'config.toml')!r}, 'serve'])"
    done = subprocess.run([sys.executable, "-c", call], cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "pip install '.[web]' in Holdfast's own folder" in done.stderr
    assert "holdfast serve --no-web" in done.stderr


def test_the_jobs_look_at_once_when_somebody_who_answers_rings() -> None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    bell, wake = Bell(theirs), threading.Event()
    for _ in range(100_000):
        bell.set()  # nobody listens yet: it does not wait for that
    heed(ours, wake)
    assert wake.wait(10)
    theirs.close()


def test_several_processes_answer_on_one_address_and_end_together(begin: Begin, server: PrivatePostgres) -> None:
    open_metrics = '"\n\n[service]\nmetrics = "open'
    service = begin("--port", "0", "--workers", "2", store=server.fresh() + open_metrics)
    service.until("/readyz", 200)
    service.wait('"job": "evaluate"')
    for _ in range(20):
        service.get("/nowhere")
    counted = 'holdfast_answers_total{route="none",status="404"} 20.0'
    until = time.monotonic() + 30
    while counted not in service.get("/metrics")[1].decode() and time.monotonic() < until:
        time.sleep(0.02)  # an answer is counted when it has left
    mine = children_of(service)
    assert len(mine) == 3, "two that answer, one for the jobs"
    mine[0].kill()
    service.wait("another takes its place")
    for _ in range(10):
        service.until("/readyz", 200)
    for _ in range(5):  # whichever of them it is that answers
        assert counted in service.get("/metrics")[1].decode()
    assert service.end() == 0
    assert [c for c in mine if c.is_running() and c.status() != psutil.STATUS_ZOMBIE] == []
    assert "Traceback" not in service.output


def test_procrastinate_says_when_and_the_same_jobs_are_done(begin: Begin, server: PrivatePostgres) -> None:
    pytest.importorskip("procrastinate", reason="install the extra `queue`")
    url = server.fresh()
    service = begin("--no-web", "--queue", "procrastinate", store=url)
    service.wait('"event": "orders [^"]*: done"', most=90)
    assert service.end() == 0
    with contextlib.closing(Store.open(url)) as store, store.reading() as tx:
        slot = runs.newest_slots(tx)["orders"]
        assert (slot.holder, int(slot.time[17:19] or 0) % 5) == ("", 0)
        assert runs.holder_of(tx, "run") is None


def test_a_database_that_answers_nothing_does_not_keep_it_from_ending(begin: Begin, server: PrivatePostgres) -> None:
    service = begin("--no-web", store=server.fresh(), patience=4)
    service.wait('"job": "evaluate"')
    server.freeze()
    try:
        time.sleep(3)  # it waits for an answer by now
        assert service.end() == 0
    finally:
        server.thaw()
    assert "did not end in time; it is done again" in service.output


_CUT_OFF = """
import os, signal, socket, sys
import connector.cli
from jobs.scheduler import Worker
from sqlalchemy import event
from sqlalchemy.engine import Engine

left = 0

@event.listens_for(Engine, "before_cursor_execute")
def cut(connection, *_):
    global left
    left -= 1
    if left == 0:
        line = socket.socket(fileno=os.dup(connection.connection.driver_connection.pgconn.socket))
        line.shutdown(socket.SHUT_RDWR)
        line.close()

# Where the jobs would begin it is told to end instead.
Worker.work = lambda worker: os.kill(os.getpid(), signal.SIGTERM)
given, number = sys.argv[1:], 0
while left <= 0:
    left = number = number + 1
    sys.argv = ["holdfast", *given]
    try:
        connector.cli.main()
    except SystemExit as ended:
        print("begun", number, "ended", ended.code, flush=True)
"""


def test_a_database_that_goes_while_it_begins_is_waited_for(begin: Begin, server: PrivatePostgres) -> None:
    """Its connection is cut at each question of the beginning, one after the other."""
    url = server.fresh()
    Store.open(url).close()
    service = begin("--no-web", store=url, instead=_CUT_OFF)
    assert service.process.wait(120) == 0, service.output
    ended = re.findall(r"begun (\d+) ended (\S+)", service.output)
    assert len(ended) > 3, "the schema, what is in use, and the policy are read"
    assert {code for _, code in ended} == {"0"}, service.output
    # The last one ran undisturbed: no question was left to be cut off at.
    assert service.output.count("Waiting for the database.") == len(ended) - 1


def test_children_end_when_their_parent_is_killed(begin: Begin, server: PrivatePostgres) -> None:
    service = begin("--port", "0", "--workers", "2", store=server.fresh())
    service.until("/readyz", 200)
    children = children_of(service)
    service.process.kill()
    gone, alive = psutil.wait_procs(children, timeout=60)
    assert len(gone) == 3, alive


def test_it_is_not_ready_while_the_database_is_down_and_goes_on_when_it_is_back(
    begin: Begin, server: PrivatePostgres
) -> None:
    url = server.fresh()
    service = begin("--port", "0", store=url)
    service.until("/readyz", 200)
    service.wait('"job": "evaluate"')
    server.kill()
    assert b"no database" in service.until("/readyz", 503)
    assert service.get("/healthz")[0] == 200
    service.wait("the database is in trouble")
    server.start()
    service.until("/readyz", 200)
    before = service.output.count('"job": "evaluate"')
    with contextlib.closing(Store.open(url)) as store, store.writing() as tx:
        marks.touch(tx, [row.key for row in customers.customers(tx)])
    until = time.monotonic() + 90
    while time.monotonic() < until and service.output.count('"job": "evaluate"') == before:
        time.sleep(0.05)
    assert service.output.count('"job": "evaluate"') > before, service.output
    assert service.end() == 0
