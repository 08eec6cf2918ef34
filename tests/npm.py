"""Packages of npm that judge what we build: the vendor's own tool, a compiler. Installed once into `.cache`, never shipped."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[1] / ".cache"


def package(name: str, version: str) -> Path:
    """The `node_modules` that holds a package; skips where there is no npm, or it cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm on this machine")
    home = CACHE / f"npm-{name}-{version}"
    if not home.is_dir():
        CACHE.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=CACHE))
        # No scripts of the packages are run, and nothing is written outside that folder.
        command = [
            npm,
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(fresh),
            f"{name}@{version}",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            done = None
        if done is None or done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            pytest.skip(
                f"{name} {version} cannot be installed: {done.stderr.strip()[-200:] if done else 'it takes too long'}"
            )
        try:
            fresh.rename(home)
        except OSError:  # another worker was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return home / "node_modules"
