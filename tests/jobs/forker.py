"""Runs calls of the product in forked children of one process that has everything imported; kills them when told.

Reads one JSON request a line (`arguments`, `kill_after` seconds or null), answers one JSON line (`code`, `output`).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.getcwd())

import connector.cli
from connector import adapter
from jobs.program import rules_version

# Everything that a child would load, or find out, for itself is there before it is forked.
connector.cli.build()
for name in (
    "connector.cli.drawing",
    "connector.store.sealed",
    "jobs.configured",
    "jobs.night",
    "rich.console",
    "rich.table",
):
    importlib.import_module(name)
for name in adapter.names():
    adapter.load(name)
rules_version()


def child(arguments: list[str], output: int) -> None:
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = open(os.devnull)  # noqa: SIM115
    try:
        connector.cli.main(arguments)
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(int(end.code or 0))
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)
    os._exit(0)


for line in sys.stdin:
    request = json.loads(line)
    os.environ.update(request["environment"])
    with tempfile.TemporaryFile() as output:
        pid = os.fork()
        if pid == 0:
            child(request["arguments"], output.fileno())
        ended, status = 0, 0
        if request["kill_after"] is not None:
            until = time.monotonic() + request["kill_after"]
            while not ended and time.monotonic() < until:
                ended, status = os.waitpid(pid, os.WNOHANG)
                time.sleep(0.002)
            if not ended:
                os.kill(pid, signal.SIGKILL)
        if not ended:
            _, status = os.waitpid(pid, 0)
        output.seek(0)
        answer = {"code": os.waitstatus_to_exitcode(status), "output": output.read().decode("utf-8", "replace")}
    print(json.dumps(answer), flush=True)
