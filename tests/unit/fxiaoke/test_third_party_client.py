"""A client that others wrote works against our sandbox, over a socket. It proves the legacy body style only.

The vendor publishes no SDK. fxiaoke-python 0.0.3 (Apache-2.0, third party) is installed once into `.cache` and runs in a
process of its own. The current header style is checked against the vendor's documents alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from adapters.fxiaoke.sandbox import FxiaokeSandbox
from connector.sandbox import SandboxOptions

REQUIREMENTS = ("fxiaoke-python==0.0.3", "six==1.17.0", "requests>=2.32,<3")  # it needs six and does not say so
CACHE = (
    Path(__file__).parents[3] / ".cache" / f"fxiaoke-python-0.0.3-py{sys.version_info.major}{sys.version_info.minor}"
)
CLIENT = Path(__file__).with_name("third_party_client.py")


def _installed() -> Path:
    """The folder that holds the client; installs it where it is not there yet. Skips where no index can be reached."""
    if CACHE.is_dir():
        return CACHE
    CACHE.parent.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=CACHE.parent))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(fresh)]
    try:
        done = subprocess.run([*pip, *REQUIREMENTS], capture_output=True, text=True, timeout=180, check=False)
        why = done.stderr.strip()[-200:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        why = "it takes too long"
    if why:
        shutil.rmtree(fresh, ignore_errors=True)
        pytest.skip(f"{REQUIREMENTS[0]} cannot be installed: {why}")
    try:
        fresh.rename(CACHE)
    except OSError:  # another worker was faster
        shutil.rmtree(fresh, ignore_errors=True)
    return CACHE


@pytest.fixture(scope="module")
def worked() -> tuple[FxiaokeSandbox, dict[str, Any], list[dict[str, Any]]]:
    """The sandbox after the work, what the client got, and the accounts before it."""
    folder = _installed()
    sandbox = FxiaokeSandbox(SandboxOptions(customers=150, language="zh"))
    before = sandbox.shelf.all("AccountObj")
    with sandbox.served() as url:
        done = subprocess.run(
            [sys.executable, str(CLIENT), url.rpartition(":")[2], before[40]["_id"]],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PYTHONPATH": str(folder), "PYTHONIOENCODING": "utf-8"},
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return sandbox, json.loads(done.stdout.splitlines()[-1]), before


def test_the_legacy_client_pages_through_everything(worked: Any) -> None:
    _, told, before = worked
    assert told["total"] == len(before) > 100
    assert sorted(key for key, _, _ in told["accounts"]) == sorted(a["_id"] for a in before)


def test_the_legacy_client_sees_open_ids_of_employees(worked: Any) -> None:
    _, told, _ = worked
    assert {owner[0][:6] for _, _, owner in told["accounts"]} == {"FSUID_"}


def test_the_legacy_client_filters_and_sorts(worked: Any) -> None:
    _, told, before = worked
    assert told["filtered"] == sorted(a["_id"] for a in before)[41:]  # in three pages of 50


def test_the_legacy_client_reads_one_describes_and_creates(worked: Any) -> None:
    sandbox, told, before = worked
    assert told["one"] == before[40]["name"]
    assert told["label"] == "客户名称"
    assert sandbox.shelf.get("AccountObj", told["created"])["name"] == "第三方客户端新建的客户"
    # It sends no trigger flags, and both default to true.
    assert sandbox.flows == ["triggerApprovalFlow: create AccountObj", "triggerWorkFlow: create AccountObj"]


def test_the_legacy_client_understands_an_error_with_status_200(worked: Any) -> None:
    sandbox, told, _ = worked
    assert "'errorCode': 300104" in told["error"]
    assert {c.status for c in sandbox.calls} == {200}
