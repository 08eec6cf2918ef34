"""Goal P10: how much memory a full run takes, in a process of its own, with the database read and not mapped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import simplejson

from connector.cli.bench_row import Row
from connector.errors import HoldfastError
from connector.text import Text

if TYPE_CHECKING:
    from connector.cli.bench_scene import Scene

_MOST_MB = 512.0


def child(code: str, **options: Any) -> subprocess.Popen[str]:
    """A Python of its own that finds the same modules; it is told what to do over its standard input."""
    path = os.pathsep.join(p for p in sys.path if p)
    return subprocess.Popen(  # noqa: S603 - our own interpreter, our own code
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        **options,
    )


def peak(scene: Scene) -> Row:
    """P10: the peak of a full run: sums, decisions, what they owe, all written."""
    row = Row(
        "P10",
        Text("peak memory of a full run", "全量运行的内存峰值"),
        _MOST_MB,
        unit="MB",
    )
    if sys.platform == "win32":
        row.why = Text("This system does not tell a process's peak.", "本系统不提供进程的内存峰值。")
        return row
    order = {"url": scene.url, "customers": scene.book.customers, "documents": scene.book.documents}
    order |= {"seed": scene.book.seed, "as_of": scene.book.as_of.isoformat(), "rows": scene.rows}
    with child("from connector.cli.bench_memory import run; run()") as process:
        told, _ = process.communicate(simplejson.dumps(order))
    if process.returncode:
        raise HoldfastError(Text("The full run in a child process failed.", "子进程中的全量运行失败。"))
    answer = simplejson.loads(told.splitlines()[-1])
    row.ours = row.figure = answer["peak"]
    row.other = answer["before"]
    row.why = Text("other side: the process before it begins", "对比方：开始前的进程")
    return row


def run() -> None:
    """In the child: the full run, and what it took, in megabytes."""
    import datetime as dt

    from connector.cli.bench_book import Book
    from connector.cli.bench_scene import Scene
    from connector.store import contest
    from connector.store.db import Store

    order = simplejson.loads(sys.stdin.read())
    store = Store.open(order["url"])
    contest.unmapped(store)
    book = Book(order["customers"], order["documents"], order["seed"], dt.date.fromisoformat(order["as_of"]))
    scene = Scene(store, book, contest.Nowhere(), order["url"])
    before = _peak()
    scene.evaluate(full=True)
    print(simplejson.dumps({"before": before, "peak": _peak()}))


def _peak() -> float:
    # What the kernel keeps for `getrusage` outlives an exec: a child would begin with its parent's peak.
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / (1 << 10)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
