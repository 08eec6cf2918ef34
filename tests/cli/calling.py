"""Calling the command line as a person does: arguments in; exit code, answer and messages out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from connector.cli import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Called:
    """What one call gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def call(*arguments: object, given: str = "", lang: str = "en") -> Called:
    """One call in this process; `given` is what is typed at its prompts."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "stdin", io.StringIO(given)),
        mock.patch.dict(os.environ, {"HOLDFAST_LANG": lang}),
    ):
        try:
            main([str(a) for a in arguments])
        except SystemExit as wanted:
            code = wanted.code
    assert isinstance(code, int)
    return Called(code, out.getvalue(), err.getvalue())


def spawn(*arguments: object, lang: str = "en", **more: Any) -> subprocess.Popen[str]:
    """One call in a process of its own."""
    env = {**os.environ, "HOLDFAST_LANG": lang, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "connector.cli", *map(str, arguments)],
        env=env,
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=more.pop("stderr", subprocess.PIPE),
        text=True,
        preexec_fn=_heed_ctrl_c,
        **more,
    )


def _heed_ctrl_c() -> None:
    """A shell that begins the tests in the background has them ignore Ctrl+C, and with them all that they begin."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


CONFIG = """
[business]
currency = "CNY"
time_zone = "Asia/Shanghai"

[store]
url = "sqlite:///holdfast.db"

[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""


def shop(folder: Path, more: str = "", **files: str) -> Path:
    """A folder with a book of these files and its configuration, whose path it gives."""
    book = folder / "book"
    book.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        lines = [line.strip() for line in text.strip("\n ").split("\n")]
        (book / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    config = folder / "config.toml"
    config.write_text(CONFIG + more, encoding="utf-8")
    return config
