"""The page for any other system: both example servers, run as they are built, get launches from our service over a socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.clock import SystemClock
from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from jobs import plugins
from tests.web.crm_frame import ADDRESS, BEFORE, OTHER, SECRET, filled, framed
from tests.web.listening import listening


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Our service at an address, by the real clock: the scripts look at theirs."""
    for name, value in {"PANEL": SECRET, "PANEL_BEFORE": BEFORE, "PANEL_OTHER": OTHER}.items():
        monkeypatch.setenv(name, value)
    settings = framed(tmp_path)
    store = Store.open(f"sqlite:///{tmp_path / 'frame.db'}")
    filled(store, settings)
    with listening(make(Front(store, settings, SystemClock()))) as url:
        yield url
    store.close()


@pytest.fixture(params=["launch.py", "launch.js"])
def command(request: pytest.FixtureRequest, service: str, tmp_path: Path) -> list[str]:
    place = plugins.generic_site("crm", service, "en")
    built = plugins.build(plugins.GENERIC[0], place, plugins.generic_folder())
    plugins.written(built, tmp_path / "built")
    if request.param == "launch.py":
        return [sys.executable, "-I", str(tmp_path / "built" / "launch.py")]
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    return [node, str(tmp_path / "built" / "launch.js")]


def run(command: list[str], *arguments: str, secret: str = SECRET) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HOLDFAST_PANEL_SECRET": secret}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, env=env, timeout=60, check=False)


def test_an_address_is_given_for_a_record_and_another_each_time(command: list[str]) -> None:
    first, second = (run(command, "customer", "A1", "5001") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout.startswith(f"{ADDRESS}/panel/crm?code=")
    assert first.stdout != second.stdout
    assert SECRET not in first.stdout + first.stderr


def test_a_wrong_secret_is_given_nothing(command: list[str]) -> None:
    wrong = run(command, "customer", "A1", "5001", secret="another-secret-of-the-same-length-001")
    assert wrong.returncode != 0
    assert "code=" not in wrong.stdout


def test_called_without_what_it_needs_it_says_how(command: list[str]) -> None:
    said = run(command, "customer")
    assert said.returncode != 0
    assert "launch." in said.stderr
