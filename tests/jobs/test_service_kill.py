"""The service under violence: nodes killed and ended at random moments, the database killed; nothing is lost or doubled.

Two nodes of the real `holdfast serve` on one PostgreSQL, with an ERP and a CRM as sandboxes on sockets. Whatever happens,
the end is that of an undisturbed run, and every task stands in the CRM once.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.private_pg import PrivatePostgres, private_postgres
from tests.jobs.test_kill import Stand
from tests.jobs.world import Machine, world

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Company:
    """The systems, the database, and the nodes that are up."""

    stand: Stand
    server: PrivatePostgres
    nodes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    began: dict[int, int] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    said: list[Path] = field(default_factory=list)

    def afresh(self) -> None:
        """An empty database, and both systems as they were."""
        self.stand.reset()
        path = self.stand.world.config
        # The night belongs to another hour: its letters are no part of this.
        night = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=20)).strftime("%H:%M")
        lines = path.read_text(encoding="utf-8").split("[[systems]]", 1)[1]
        head = (
            '[business]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\nlanguage = "en"\n\n'
            f'[store]\nurl = "{self.server.fresh()}"\n\n[schedule]\norder_seconds = 5\nnightly_at = "{night}"\n\n'
        )
        path.write_text(f"{head}[[systems]]{lines}", encoding="utf-8")
        self.said.clear()

    def begin(self, number: int) -> None:
        path = self.stand.world.folder / f"node{number}.log"
        self.said.append(path)
        call = [sys.executable, "-m", "connector.cli", "-c", str(self.stand.world.config), "serve", "--no-web"]
        with path.open("ab") as out:
            self.began[number] = out.tell()
            self.nodes[number] = subprocess.Popen(call, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)

    def kill(self, number: int) -> None:
        node = self.nodes.pop(number)
        node.kill()
        node.wait()

    def end(self, number: int) -> None:
        node = self.nodes.pop(number)
        path, until = self.stand.world.folder / f"node{number}.log", time.monotonic() + 60
        # Before it has said a word it heeds no signal yet, and has begun nothing.
        while time.monotonic() < until and node.poll() is None and path.stat().st_size == self.began[number]:
            time.sleep(0.05)
        node.send_signal(signal.SIGTERM)
        self.ends.append(node.wait(90))

    def log(self) -> str:
        return "".join(path.read_text(errors="replace")[-3000:] for path in set(self.said) if path.exists())


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, Any, Any]]:
    machine = Machine()
    with (
        private_postgres() as server,
        world(tmp_path_factory.mktemp("service"), erp="odoo", crm="zoho_crm") as made,
    ):
        one = Company(Stand(made, machine), server)
        one.afresh()
        reference = one.stand.settle()
        assert one.stand.tasks(), "the world must owe tasks, or nothing is tested"
        yield one, *reference
        for number in list(one.nodes):
            one.kill(number)
    machine.close()


def disturbed(company: tuple[Company, Any, Any], seed: int) -> None:
    one, reference, remote = company
    one.afresh()
    one.ends.clear()
    dice = random.Random(seed)
    for number in (1, 2):
        one.begin(number)
    time.sleep(dice.uniform(1.5, 5))
    for _ in range(dice.randint(2, 4)):
        what, number = dice.choice(["kill", "kill", "end", "database"]), dice.choice([1, 2])
        if what == "database":
            one.server.kill()
            time.sleep(dice.uniform(0.2, 2))
            one.server.start()
        else:
            (one.kill if what == "kill" else one.end)(number)
            one.begin(number)
        time.sleep(dice.uniform(0.2, 4))
    for number in (1, 2):
        one.end(number)
    assert set(one.ends) == {0}, f"an end in order is 0 whatever was under way: {one.ends}\n{one.log()}"
    found, there = one.stand.settle()
    assert found == reference
    assert there == remote
    assert set(one.stand.tasks().values()) == {1}, "a task stands there twice"
    before = len(one.stand.world.crm.writes()) + len(one.stand.world.erp.writes())
    code, output = one.stand.machine.run(one.stand.world.config, "run")
    assert code == 0, output
    assert len(one.stand.world.crm.writes()) + len(one.stand.world.erp.writes()) == before, "a quiet run writes"


@pytest.mark.parametrize("seed", range(1))
def test_nodes_and_database_killed_at_random_moments(company: tuple[Company, Any, Any], seed: int) -> None:
    disturbed(company, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_nodes_and_database_killed_thirty_times(company: tuple[Company, Any, Any], seed: int) -> None:
    disturbed(company, seed)


def test_the_nodes_alone_come_to_the_end_of_an_undisturbed_run(company: tuple[Company, Any, Any]) -> None:
    """No command is given but `serve`: two nodes, one of them killed, bring both systems to where they belong."""
    one, _, remote = company
    one.afresh()
    for number in (1, 2):
        one.begin(number)
    time.sleep(4)
    one.kill(1)
    until = time.monotonic() + 120
    while time.monotonic() < until and one.stand.world.remote() != remote:
        time.sleep(0.5)
    assert one.stand.world.remote() == remote, one.log()
    assert set(one.stand.tasks().values()) == {1}
    with contextlib.suppress(KeyError):
        one.end(2)
