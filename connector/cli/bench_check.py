"""Goal P7: the order check, in process and over HTTP: fifty clients at once, idle and while a pull and an evaluate run.

Nine in ten questions are of customers whose orders pass, as in a shop; one in ten of anybody, and most of those are held.
Afterwards every answer is checked: those of customers whom nothing has touched are asked again as a simulation and must be
the same, word for word; those of the others must add up by their own figures. A wrong one ends the command with 1.

Where the host of a virtual machine took a part of its time away, it is asked again; what is told is the calmest run, and how
much was taken even then. Which run it is does not depend on its result.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from connector.cli.bench_host import Moment
from connector.cli.bench_memory import child
from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import Scene
from connector.policy import default_policy
from connector.store import api_keys, audit
from connector.store.api_keys import Key
from connector.text import Text
from jobs.check import check_all
from jobs.check_ahead import read_ahead
from jobs.check_answer import Answer
from jobs.check_asked import Asked, asked_of
from jobs.check_kept import Kept

CLIENTS, GROUP, RATE = 50, 50, 1000
_CALLER = "app:bench"
# So often the time of a check in process is taken.
_TURNS = 3
_ANYBODY = 0.1
_MOST_A_SECOND = 8_000  # bodies are made for so many
# A server that takes less than this of a core has nothing to do.
_IDLE, _LOOK_SECONDS = 0.03, 2.0
# Calm is a run of whose time the host took no more; it is waited for so many runs.
_CALM, _RUNS = 0.005, 6


def order_checks(scene: Scene, seconds: float) -> list[Row]:
    """P7: time and CPU of a check, checks a second, and the slowest in a hundred, idle and busy."""
    scene.evaluate(full=True)
    scene.places.settle()
    questions = _Questions(scene)
    rows = [_in_process(scene, questions)]
    token = _token(scene)
    with _child("serve", empty=True) as nothing:
        empty = _Load(scene, nothing, token).run(questions.bodies(seconds), seconds)
    with _child("serve", empty=False, url=scene.url, book=_book(scene)) as server:
        load = _Load(scene, server, token)
        # Customers are read ahead and statements made, as in a service that has run for a while.
        load.settle()
        load.run(questions.bodies(seconds / 3), seconds / 3)
        checked = set[int]()

        def right(run: Measured) -> None:
            checked.update(_checked(scene, run.answers, set()))
            run.answers = []

        idle = load.runs(questions, seconds, afterwards=right)
        steady = load.runs(questions, seconds, RATE, afterwards=right)
        with _child("keep_busy", url=scene.url, book=_book(scene), turn=scene.changes) as jobs:
            busy = load.runs(questions, seconds)
            beside = load.runs(questions, seconds, RATE)
            told = jobs.stop()
        scene.changes += told["changes"]
        touched = _and_relatives(scene, told["touched"])
        checked |= _checked(scene, [one for run in (*busy, *beside) for one in run.answers], touched)
    _in_the_trail(scene, checked)
    return [*rows, *_told(empty, idle[0], steady[0], busy[0], told), _slowest(beside[0], while_jobs_run=True)]


def _slowest(asked: Measured, while_jobs_run: bool = False) -> Row:
    """How long the slowest in a hundred took at a steady rate."""
    what = Text(f"the slowest in a hundred at {RATE:,} a second", f"每秒 {RATE:,} 次时最慢的百分之一（p99）")
    if while_jobs_run:
        what = Text(f"{what.en}, while jobs run", f"作业运行时，{what.zh}")
    host = _host(asked)
    why = Text(
        f"p50 {asked.at(50):.1f} ms; {asked.rate:,.0f} a second were answered{host.en}",
        f"p50 {asked.at(50):.1f} 毫秒；实际每秒 {asked.rate:,.0f} 次{host.zh}",
    )
    return Row(
        "P7", what, 20, unit="ms", ours=asked.at(99), figure=asked.at(99), why=why, detail={"taken": asked.taken}
    )


def _host(*asked: Measured) -> Text:
    """How much the host took away while it was asked: the end of a note."""
    counted = [(one.taken, one.runs) for one in asked if one.taken is not None]
    if not counted:
        return Text("", "")
    en = " and ".join(f"{taken:.1%}" + (f" (the least of {runs} runs)" if runs > 1 else "") for taken, runs in counted)
    zh = "、".join(f"{taken:.1%}" + (f"（{runs} 次运行中最低）" if runs > 1 else "") for taken, runs in counted)
    return Text(f"; the host took {en} of the time", f"；宿主机占用时间 {zh}")


def _told(empty: Measured, idle: Measured, steady: Measured, busy: Measured, jobs: dict[str, Any]) -> Iterator[Row]:
    yield Row(
        "P7",
        Text("server CPU of a check against an empty endpoint", "一次检查的服务端 CPU，对比空接口"),
        8,
        unit="µs",
        ours=idle.cpu,
        other=empty.cpu,
        figure=idle.cpu / empty.cpu,
    )
    host = _host(idle)
    note = Text(
        f"{CLIENTS} clients, {idle.count:,} checks, {idle.holds:.0%} held; p50 {idle.at(50):.1f} ms; "
        f"audited, no wrong answer{host.en}",
        f"{CLIENTS} 个客户端，{idle.count:,} 次检查，{idle.holds:.0%} 冻结；p50 {idle.at(50):.1f} 毫秒；"
        f"均有审计记录，无错误答复{host.zh}",
    )
    yield Row(
        "P7", Text("checks a second", "每秒检查次数"), 1000, False, "", ours=idle.rate, figure=idle.rate, why=note
    )
    yield _slowest(steady)
    both = _host(busy, idle)
    beside = Text(
        f"beside {jobs['turns']} pulls and evaluates ({jobs['evaluated']:,} customers): {busy.rate:,.0f} a second, "
        f"p50 {busy.at(50):.1f} ms{both.en}",
        f"同时执行 {jobs['turns']} 次拉取与评估（{jobs['evaluated']:,} 个客户）：每秒 {busy.rate:,.0f} 次，"
        f"p50 {busy.at(50):.1f} 毫秒{both.zh}",
    )
    yield Row(
        "P7",
        Text("the slowest in a hundred while jobs run, against idle", "作业运行时的 p99，对比空闲时"),
        3,
        unit="ms",
        ours=busy.at(99),
        other=idle.at(99),
        figure=busy.at(99) / idle.at(99),
        why=beside,
    )


def _in_process(scene: Scene, questions: _Questions) -> Row:
    """As the service asks: of customers that were read ahead. Told beside it: of customers who are all new."""
    seat = scene.store.seat()
    try:
        known = Kept(seat)
        while read_ahead(scene.config, default_policy(), scene.clock, known, GROUP):
            pass
        cpu, wall = min(_timed(scene, questions, known) for _ in range(_TURNS))
    finally:
        seat.close()
    cold, _ = _timed(scene, questions, None)
    return Row(
        "P7",
        Text(f"a check in process, in groups of {GROUP}", f"进程内一次检查（每组 {GROUP} 个）"),
        150,
        unit="µs",
        ours=cpu,
        figure=cpu,
        why=Text(
            f"median, the least of {_TURNS} turns; {wall:.0f} µs by the clock; where nothing was read before, {cold:.0f} µs",
            f"中位数，{_TURNS} 轮中最低；实际用时 {wall:.0f} 微秒；此前均未读取时为 {cold:.0f} 微秒",
        ),
        detail={"wall": wall, "cold": cold},
    )


def _timed(scene: Scene, questions: _Questions, kept: Kept | None) -> tuple[float, float]:
    """The median microseconds of a check: of CPU, and by the clock."""
    each, walls = [], []
    for number in range(24):
        asked = [asked_of(json.loads(body), _CALLER) for body in questions.some(GROUP)]
        wall = time.perf_counter()
        seconds, found = scene.spent(lambda: _found(scene, asked, kept), collect=False)  # noqa: B023 - called at once
        wall = time.perf_counter() - wall
        if number >= 4:
            each.append(seconds / GROUP * 1e6)
            walls.append(wall / GROUP * 1e6)
        if not all(isinstance(one, Answer) for one in found):
            raise Different("P7", str(next(one for one in found if not isinstance(one, Answer))))
    return statistics.median(each), statistics.median(walls)


def _found(scene: Scene, asked: Sequence[Asked], kept: Kept | None) -> list[Any]:
    return check_all(scene.store, scene.config, default_policy(), scene.clock, asked, (), kept)


def _all(scene: Scene, asked: Sequence[Asked]) -> list[Any]:
    return _found(scene, asked, None)


class _Questions:
    """Questions drawn from a seed."""

    def __init__(self, scene: Scene) -> None:
        self.rng = Random(scene.book.seed)  # noqa: S311 - repeatable, not secret
        everybody = [f"C{place + 1:05d}" for place in range(scene.book.customers)]
        some = self.rng.sample(everybody, min(2_000, len(everybody)))
        self.everybody = everybody
        self.good: list[tuple[str, int]] = []
        for start in range(0, len(some), 200):
            asked = [Asked(ref, Decimal(1), simulate=True) for ref in some[start : start + 200]]
            for one in _all(scene, asked):
                body = one.body
                if body["result"] == "pass":
                    left = body["credit"]["available"]
                    # None: there is no limit.
                    self.good.append((body["customer"]["id"], 1_000_000 if left is None else int(Decimal(left))))
        self.good = [(ref, left) for ref, left in self.good if left > 1]

    def bodies(self, seconds: float) -> list[bytes]:
        """Enough for so many seconds."""
        return self.some(int(seconds * _MOST_A_SECOND))

    def some(self, count: int) -> list[bytes]:
        """So many."""
        found = []
        for _ in range(count):
            if self.good and self.rng.random() >= _ANYBODY:
                ref, left = self.good[int(self.rng.random() * len(self.good))]
                amount = self.rng.randrange(1, max(2, left // 2))
            else:
                ref = self.everybody[int(self.rng.random() * len(self.everybody))]
                amount = self.rng.randrange(1, 50_000)
            found.append(b'{"customer":"%s","amount":"%d.50"}' % (ref.encode(), amount))
        return found


# --- one run of the clients -----------------------------------------------------------------------------------------------
class Measured:
    """What the clients saw: milliseconds, checks a second, the server's CPU microseconds a check, the answers; and the share
    of the time that the host took away meanwhile, 0 to 1, None where nobody counts it. It is one of so many runs."""

    runs = 1

    def __init__(
        self, times: list[float], wall: float, cpu: float, answers: list[tuple[bytes, bytes]], taken: float | None
    ) -> None:
        self.times, self.taken = sorted(one * 1000 for one in times), taken
        self.count, self.rate, self.cpu = len(times), len(times) / wall, cpu / max(1, len(times)) * 1e6
        self.answers = answers
        self.holds = sum(said.startswith(b'{"result":"hold"') for _, said in answers) / max(1, len(answers))

    def at(self, percent: int) -> float:
        """The time within which so many in a hundred were answered."""
        return self.times[min(len(self.times) - 1, len(self.times) * percent // 100)]


class _Load:
    """Clients of one server."""

    def __init__(self, scene: Scene, server: _Child, token: str) -> None:
        self.scene, self.server, self.token = scene, server, token
        self.host, _, port = server.told["url"].removeprefix("http://").partition(":")
        self.port = int(port)

    def runs(
        self,
        questions: _Questions,
        seconds: float,
        rate: int = 0,
        afterwards: Callable[[Measured], None] | None = None,
    ) -> list[Measured]:
        """Asks until a run was calm, or often enough; the calmest run first. `afterwards` is done after each."""
        found: list[Measured] = []
        while len(found) < _RUNS and all((run.taken or 0) > _CALM for run in found):
            found.append(self.run(questions.bodies(seconds), seconds, rate))
            if afterwards is not None:
                afterwards(found[-1])
        for run in found:
            run.runs = len(found)
        return sorted(found, key=lambda run: run.taken or 0)

    def run(self, bodies: list[bytes], seconds: float, rate: int = 0) -> Measured:
        """Asks for so many seconds, as fast as the answers come or at a rate."""
        folder = self.scene.places.folder
        given, got = folder / "bodies", folder / "answers"
        given.write_bytes(b"\n".join(bodies))
        before, start = self._cpu(), Moment.now()
        asked = {
            "host": self.host, "port": self.port, "token": self.token, "seconds": seconds, "rate": rate, "clients": CLIENTS,
            "bodies": str(given), "answers": str(got),
        }  # fmt: skip
        with _child("ask", **asked) as clients:
            cpu, end = self._cpu() - before, Moment.now()
        answers = [tuple(line.split(b"\t", 1)) for line in got.read_bytes().splitlines()]
        times = clients.told["times"]
        if not times:
            raise Different("P7", "no answer")
        taken = end.share_since(start) if start is not None and end is not None else None
        return Measured(times, clients.told["wall"], cpu, answers, taken)  # type: ignore[arg-type]

    def settle(self) -> None:
        """Waits until the server has nothing to do: it has read its customers ahead."""
        before = -math.inf
        while (now := self._cpu()) - before > _IDLE * _LOOK_SECONDS:
            before = now
            time.sleep(_LOOK_SECONDS)

    def _cpu(self) -> float:
        words = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        own = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        return own + self.scene.places.server_seconds()


class _Child:
    """A process of `bench_check_load`, and what it said first."""

    def __init__(self, work: str, asked: dict[str, Any]) -> None:
        self.process = child(f"from connector.cli.bench_check_load import {work}; {work}()")
        self._write(json.dumps(asked))
        self.told = self.read()

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Different("P7", "a process of the benchmark has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> dict[str, Any]:
        """Tells it to stop; gives its last line."""
        self._write("stop")
        return self.read()


@contextlib.contextmanager
def _child(work: str, **asked: Any) -> Iterator[_Child]:
    made = _Child(work, asked)
    try:
        yield made
    finally:
        with contextlib.suppress(OSError):
            made._write("stop")
        with contextlib.suppress(Exception):
            made.process.wait(10)
        made.process.kill()
        made.process.communicate()


def _book(scene: Scene) -> list[int]:
    return [scene.book.customers, scene.book.documents, scene.book.seed]


def _token(scene: Scene) -> str:
    now = scene.clock.now()
    key = Key("", _CALLER, "bench", ("sales",), None, now, "bench", now + dt.timedelta(days=1))
    with scene.store.writing() as tx:
        return api_keys.create(tx, key)[1]


# --- afterwards -----------------------------------------------------------------------------------------------------------
_NOT_SAID = ("audit", "simulated", "reservation")


def _checked(scene: Scene, answers: Sequence[tuple[bytes, bytes]], touched: set[str]) -> set[int]:
    """Checks every answer; gives their numbers in the audit trail. Raises Different with the first that is wrong."""
    found: set[int] = set()
    calm: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for asked, said in answers:
        body, question = json.loads(said), json.loads(asked)
        found.add(body["audit"])
        if body["customer"]["id"] != question["customer"] or body["amount"] != question["amount"]:
            raise Different("P7", f"{asked!r} was answered with {said!r}")
        if body["customer"]["id"] in touched:
            _adds_up(body)
        else:
            calm.append((question, body))
    if len(found) != len(answers):
        raise Different("P7", "two answers under one number of the audit trail")
    for start in range(0, len(calm), 200):
        some = calm[start : start + 200]
        again = _all(scene, [asked_of({**question, "simulate": True}, _CALLER) for question, _ in some])
        for (_, body), one in zip(some, again, strict=True):
            expected = one.body
            if any(body[name] != expected[name] for name in body if name not in _NOT_SAID):
                raise Different.first("P7", body, expected)
    return found


def _adds_up(body: dict[str, Any]) -> None:
    """By the answer's own figures: over the limit is held, and says by how much."""
    credit = body["credit"]
    over = next((r for r in body["reasons"] if r["rule"] == "limit_exceeded"), None)
    if body["reasons"] and body["result"] != "hold":
        raise Different("P7", f"reasons, and not held: {body}")
    if credit["limit"] is None or credit["currency"] != body["currency"]:
        return
    after = Decimal(credit["exposure"]) + Decimal(body["amount"])
    if over is not None and Decimal(over["numbers"]["exposure"]) > after:
        raise Different("P7", f"more exposure than there is: {body}")
    if over is None and after <= Decimal(credit["limit"]) and body["result"] == "hold" and not body["reasons"]:
        raise Different("P7", f"held without a reason: {body}")


def _and_relatives(scene: Scene, touched: Sequence[str]) -> set[str]:
    """Customers and everybody in their groups."""
    keys = {ref: key for key, ref in scene.refs.items()}
    with scene.store.reading() as tx:
        base = scene.frame(tx)
        debtor = {row.key: row.debtor for row in base.rows.values()}
        family = base.family({d for ref in touched if (d := debtor[keys[ref]]) is not None})
        return {base.rows[key].ref for d in family for key in base.members.get(d, ())}


def _in_the_trail(scene: Scene, numbers: set[int]) -> None:
    with scene.store.reading() as tx:
        kept = {line.number for line in audit.listing(tx, action="order.asked")}
        if not numbers <= kept:
            raise Different("P7", "an answer is not in the audit trail")
        broken = audit.verify(tx)
    if broken:
        raise Different("P7", broken[0].what.en)
