"""The world of the job tests: a made-up ERP and CRM as sandboxes, a configuration that names them, and what is compared.

`Machine` runs the product in processes of its own, forked from one that has everything imported, so that a test can
kill it at any moment as a power cut would.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector import adapter as adapters
from connector.sandbox import Sandbox, SandboxOptions

FORKER = Path(__file__).with_name("forker.py")
TODAY = dt.date(2026, 11, 20)


@dataclass
class World:
    """Two sandboxes on sockets, and the configuration of a store of its own."""

    folder: Path
    erp: Sandbox
    crm: Sandbox
    config: Path

    def remote(self) -> dict[str, Any]:
        """What the CRM and the ERP hold now, as far as we write it: without stamps that any write moves."""
        return {"crm": written(self.crm), "erp": written(self.erp)}


# Kinds of objects on the sandboxes' shelves that only serve them, and members that any write moves.
_OWN = ("~series", "~meta")
_MOVING = {
    "Modified_Time", "Created_Time", "write_date", "create_date", "last_modified_time", "create_time", "version",
    "last_modified_at", "Last_Activity_Time", "id", "_id",
}  # fmt: skip


def written(sandbox: Sandbox) -> list[Any]:
    """Everything on a sandbox's shelf, in a stable order, without ids of new records and moving stamps."""
    rows = sandbox.shelf._db.execute("select kind, value from thing order by kind, id").fetchall()
    kept = []
    for kind, value in rows:
        if kind.startswith("~") or "token" in kind.lower() or "session" in kind.lower():
            continue
        kept.append((kind, json.dumps(_still(json.loads(value)), sort_keys=True)))
    return sorted(kept)


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _still(v) for k, v in value.items() if k not in _MOVING}
    return [_still(v) for v in value] if isinstance(value, list) else value


@contextlib.contextmanager
def world(
    folder: Path, erp: str = "tryton", crm: str = "zoho_crm", customers: int = 24, seed: int = 3
) -> Iterator[World]:
    """A fresh world in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = SandboxOptions(customers=customers, seed=seed, as_of=TODAY)
    one, other = adapters.sandbox(erp, options), adapters.sandbox(crm, options)
    with one.served() as erp_url, other.served() as crm_url:
        blocks = ['[business]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\nlanguage = "en"\n']
        for name, adapter, role, url, box in (("erp", erp, "erp", erp_url, one), ("crm", crm, "crm", crm_url, other)):
            settings = {k: v.format(url=url) for k, v in adapters.load(adapter).demo_settings.items()}
            shown = ", ".join(f"{k} = {json.dumps(v)}" for k, v in settings.items())
            lines = ["[[systems]]", f'name = "{name}"', f'adapter = "{adapter}"', f'roles = ["{role}"]']
            lines += [f"settings = {{ {shown} }}", "[systems.secrets]"]
            for key, value in box.credentials().items():
                variable = f"HOLDFAST_TEST_{adapter}_{key}".upper()
                os.environ[variable] = value
                lines.append(f'{key} = "env:{variable}"')
            blocks.append("\n".join(lines))
        config = folder / "config.toml"
        config.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
        yield World(folder, one, other, config)


class Machine:
    """Processes of the product; `run` waits for the end, `killed` does not."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(FORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=FORKER.parent.parent.parent,
        )

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def run(self, config: Path, *arguments: str, kill_after: float | None = None) -> tuple[int, str]:
        """Exit code (-9 where it was killed) and output of one call of `holdfast`."""
        answer = self._ask(
            {"arguments": ["-c", str(config), *arguments], "kill_after": kill_after, "environment": dict(os.environ)}
        )
        return answer["code"], answer["output"]

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)


def positions(machine: Machine, config: Path) -> Any:
    """The positions that the product reports, as JSON."""
    code, output = machine.run(config, "report", "positions", "--as-of", TODAY.isoformat(), "--format", "json")
    assert code == 0, output
    return json.loads(output)


def now() -> float:
    return time.monotonic()
