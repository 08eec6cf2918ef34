"""Several nodes on one PostgreSQL: each slot is done once, the dead are replaced, and a lost database loses nothing.

The nodes are processes of the product's own worker; what they do is counted in the database and in what they say.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connector.store.db import Store
from tests.jobs.private_pg import PrivatePostgres, private_postgres

NODE = Path(__file__).with_name("node.py")
CONFIG = '[[systems]]\nname = "books"\nadapter = "files"\nroles = ["erp"]\nsettings = { path = "book" }\n'


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    with private_postgres() as made:
        with contextlib.closing(Store.open(made.url)) as store, store.writing() as tx:
            tx.execute(text("CREATE TABLE worked (node text, slot text, fence bigint, at timestamptz DEFAULT now())"))
        yield made


@dataclass
class Nodes:
    """Processes on one database, and what each has said."""

    server: PrivatePostgres
    folder: Path
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def begin(self, name: str, **told: Any) -> None:
        usual = {"clock": 0, "every": 2, "takes": 0.05, "lease": 30, "knows_the_dead": True}
        given = {"url": self.server.url, "config": str(self.folder / "config.toml"), "name": name, **usual, **told}
        with (self.folder / f"{name}.out").open("a") as out, (self.folder / f"{name}.err").open("a") as err:
            self.running[name] = subprocess.Popen(
                [sys.executable, str(NODE), json.dumps(given)],
                stdout=out, stderr=err, text=True, cwd=NODE.parent.parent.parent,
            )  # fmt: skip

    def said(self, what: str = "", node: str = "") -> list[dict[str, Any]]:
        """What the nodes said, in the order of time."""
        found = []
        for path in self.folder.glob(f"{node or '*'}.out"):
            found += [json.loads(line) for line in path.read_text().splitlines()]
        return sorted((one for one in found if not what or one["what"] == what), key=lambda one: one["at"])

    def wait(self, what: str, node: str = "", *, after: float = 0, count: int = 1, most: float = 60) -> dict[str, Any]:
        """Waits until nodes have said something so often after a moment; gives the last of those."""
        until = time.monotonic() + most
        while time.monotonic() < until:
            found = [one for one in self.said(what, node) if one["at"] > after]
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.05)
        errors = "".join(path.read_text()[-2000:] for path in self.folder.glob("*.err"))
        raise AssertionError(f"{node} never said {what}: {self.said()[-5:]}\n{errors}")

    def worked(self) -> list[str]:
        """The slots that were done, as the database knows."""
        with contextlib.closing(Store.open(self.server.url)) as store, store.reading() as tx:
            return list(tx.execute(text("SELECT slot FROM worked ORDER BY at")).scalars())

    def claimed(self) -> dict[str, str]:
        """The slots that were taken, with who has them: nobody where the work is done."""
        with contextlib.closing(Store.open(self.server.url)) as store, store.reading() as tx:
            return {row.time: row.holder for row in tx.execute(text("SELECT time, holder FROM slot"))}

    def end(self, name: str) -> int:
        """Ends a node in order; gives its exit code."""
        self.running[name].terminate()
        return self.running.pop(name).wait(30)


@pytest.fixture
def nodes(server: PrivatePostgres, tmp_path: Path) -> Iterator[Nodes]:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    with contextlib.closing(Store.open(server.url)) as store, store.writing() as tx:
        for table in ("worked", "slot", "lease"):
            tx.execute(text(f"DELETE FROM {table}"))
    made = Nodes(server, tmp_path)
    yield made
    for process in made.running.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize("count", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_each_slot_is_done_once_by_nodes_whose_clocks_are_two_seconds_apart(nodes: Nodes, count: int) -> None:
    for number in range(count):
        nodes.begin(f"node{number}", clock=2 * number / (count - 1))
    nodes.wait("up", count=count)
    nodes.wait("done", after=nodes.wait("done")["at"], count=4)
    assert [nodes.end(f"node{number}") for number in range(count)] == [0] * count
    worked = nodes.worked()
    assert Counter(worked).most_common(1)[0][1] == 1, worked
    assert len(worked) >= 5
    claimed = nodes.claimed()
    # The last of all may have been told to end at its work (its clock raises Stopped): whoever comes next takes that anew.
    left = [slot for slot in claimed if slot not in worked]
    assert left in ([], [max(claimed)])
    assert all(claimed[slot] for slot in left), "it is still somebody's, so that it is not taken for done"
    assert {slot: claimed[slot] for slot in worked} == dict.fromkeys(worked, ""), "what was begun was done"
    assert sorted(worked) == sorted(one["slot"] for one in nodes.said("done"))


def hand_over(nodes: Nodes, **told: Any) -> float:
    """Seconds from the death of the node that holds the lease until another has taken over its slot."""
    nodes.begin("first", every=3600, takes=600, **told)
    slot = nodes.wait("begun")["slot"]
    nodes.begin("second", every=3600, takes=0.05, **told)
    nodes.wait("up", "second")
    time.sleep(1.5)  # it has been refused by now
    assert nodes.said("begun", "second") == []
    nodes.running["first"].kill()
    died = time.time()
    nodes.running.pop("first").wait()
    taken = nodes.wait("begun", "second")
    assert taken["slot"] == slot
    nodes.wait("done", "second")
    assert nodes.worked() == [slot], "what the dead one had begun is done once"
    return float(taken["at"]) - died


def test_a_killed_node_of_this_host_is_replaced_at_once(nodes: Nodes) -> None:
    assert hand_over(nodes, lease=600) < 60, "its lease is not waited for"


def test_a_killed_node_of_another_host_is_replaced_when_its_lease_is_over(nodes: Nodes) -> None:
    """Of another host nobody can tell whether a process lives: the lease is waited for, and no longer."""
    seconds = hand_over(nodes, lease=4, knows_the_dead=False)
    assert seconds > 1.5, "not before: it might have lived"


def test_a_node_that_stood_still_writes_nothing_over_its_successor(nodes: Nodes) -> None:
    """A machine that sleeps with its job half done and wakes when another has done it."""
    nodes.begin("sleeper", every=3600, takes=8, lease=3, knows_the_dead=False)
    slot = nodes.wait("begun")["slot"]
    os.kill(nodes.running["sleeper"].pid, signal.SIGSTOP)
    nodes.begin("other", every=3600, takes=0.05, lease=3, knows_the_dead=False)
    nodes.wait("done", "other")
    os.kill(nodes.running["sleeper"].pid, signal.SIGCONT)
    time.sleep(2)
    assert nodes.end("sleeper") == 0
    assert nodes.said("done", "sleeper") == []
    assert nodes.worked() == [slot]


def lost_database(nodes: Nodes, seconds: float) -> None:
    for name in ("one", "two"):
        nodes.begin(name, takes=0.3)
    nodes.wait("done", count=3)
    nodes.server.kill()
    down = time.time()
    time.sleep(seconds)
    assert [one for one in nodes.said("done") if one["at"] > down] == []
    before = {one["slot"] for one in nodes.said("done")}
    nodes.server.start()
    up = time.time()
    nodes.wait("done", after=up, count=4)
    assert all(process.poll() is None for process in nodes.running.values()), "no node needed help"
    assert [nodes.end(name) for name in ("one", "two")] == [0, 0]
    worked = nodes.worked()
    assert before <= set(worked), "what was said to be done is there"
    assert Counter(worked).most_common(1)[0][1] == 1, "and nothing twice"


def test_a_killed_database_loses_nothing_and_the_nodes_go_on(nodes: Nodes) -> None:
    lost_database(nodes, 4)


@pytest.mark.slow
def test_a_database_that_is_down_for_half_a_minute_loses_nothing(nodes: Nodes) -> None:
    lost_database(nodes, 30)


def test_a_database_that_stands_still_holds_everybody_up_and_loses_nothing(nodes: Nodes) -> None:
    for name in ("one", "two"):
        nodes.begin(name, lease=3)
    nodes.wait("done", count=2)
    nodes.server.freeze()
    time.sleep(5)
    nodes.server.thaw()
    up = time.time()
    nodes.wait("done", after=up, count=3)
    assert [nodes.end(name) for name in ("one", "two")] == [0, 0]
    worked = nodes.worked()
    assert Counter(worked).most_common(1)[0][1] == 1
    assert {one["slot"] for one in nodes.said("done")} == set(worked)
