"""Exit codes that scripts can rely on, each proven, and never a traceback for what can go wrong outside of us."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from connector.cli.common import guarded
from connector.clock import SystemClock
from connector.store.db import Store
from jobs.night import lease
from tests.cli.calling import call, shop, spawn

GOOD = {"customers": "id,name\nC1,One"}
BAD_ROW = {**GOOD, "documents": "id,customer_id,kind,issued_on,currency,amount\nD1,C1,invoice,yesterday,CNY,5"}


def test_0_done(tmp_path: Path) -> None:
    assert call("-c", shop(tmp_path, **GOOD), "run", "--strict").code == 0


def test_0_problems_are_told_but_do_not_fail(tmp_path: Path) -> None:
    done = call("-c", shop(tmp_path, **BAD_ROW), "run")
    assert done.code == 0
    assert "! pull" in done.out
    assert "yesterday" in done.out


def test_1_strict_found_problems(tmp_path: Path) -> None:
    config = shop(tmp_path, **BAD_ROW)
    assert call("-c", config, "pull", "--strict").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("check",),
        ("report", "positions"),
        ("explain", "C1"),
        ("link", "list"),
        ("outbox", "list"),
        ("outbox", "retry"),
        ("report", "problems"),
        ("push",),
        ("provision",),
        ("serve",),
    ],
)
def test_2_without_a_configuration(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = call("-c", tmp_path / "none.toml", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "`holdfast init` writes one" in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[business\n", "not valid TOML"),
        ("[busines]\ncurrency = 'CNY'\n", "Did you mean “business”?"),
        ("[business]\ncurrency = 'yuan'\n", "three capital letters"),
        ("[business]\ntime_zone = 'Asia/Shangai'\n", "Asia/Shanghai"),
        ("", "No system is configured yet"),
    ],
)
def test_2_a_configuration_that_cannot_be_meant(text: str, words: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    done = call("-c", config, "run")
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


def test_2_a_book_that_is_not_there(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    (tmp_path / "book" / "customers.csv").unlink()
    done = call("-c", config, "run")
    assert done.code == 2
    assert "customers.csv" in done.out


def test_2_a_secret_that_is_not_set_is_named_and_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    more = """
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
[systems.secrets]
client_id = "env:NO_SUCH_VARIABLE"
client_secret = "env:NO_SUCH_VARIABLE"
refresh_token = "env:NO_SUCH_VARIABLE"
"""
    config = shop(tmp_path, more, **GOOD)
    done = call("-c", config, "run")
    assert done.code == 2
    assert done.out.count("export NO_SUCH_VARIABLE=…") == 1
    assert "failed" in done.out
    checked = call("-c", config, "check")
    assert checked.code == 2
    assert "customers.csv: 1 rows" in checked.out, "the other system is looked at all the same"
    assert "NO_SUCH_VARIABLE" in checked.out


def test_2_a_system_that_is_not_configured(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    for command in ("pull", "check", "provision", "push"):
        done = call("-c", config, command, "book")
        assert (done.code, "“books”" in done.err) == (2, True), (command, done)


def test_3_somebody_else_is_at_it(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    store = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    with lease(store, SystemClock(), "run"):
        done = call("-c", config, "run")
        assert done.code == 3
        assert done.err == "Error: “run” is already being done by another process.\n"
        assert call("-c", config, "run", lang="zh").err == "错误：“run”正由另一进程执行。\n"
    assert call("-c", config, "run").code == 0


def test_3_the_database_is_in_trouble(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    call("-c", config, "run")
    broken = sqlite3.connect(tmp_path / "holdfast.db")
    broken.execute("DROP TABLE customer")
    broken.commit()
    broken.close()
    done = call("-c", config, "report", "positions")
    assert (done.code, done.out) == (3, "")
    assert done.err == "Error: the database is in trouble: no such table: customer\n"


@pytest.mark.parametrize(
    "wrong",
    [
        psycopg.errors.DeadlockDetected("deadlock detected"),
        sqlite3.OperationalError("database is locked"),
        OperationalError("UPDATE outbox", {}, sqlite3.OperationalError("database is locked")),
    ],
    ids=lambda wrong: f"{type(wrong).__module__}.{type(wrong).__name__}",
)
def test_3_whatever_of_the_database_raises_it(wrong: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise wrong

    assert guarded(command) == 3
    why = "deadlock detected" if isinstance(wrong, psycopg.Error) else "database is locked"
    assert capsys.readouterr().err == f"Error: the database is in trouble: {why}\n"


def test_3_is_no_excuse_for_mistakes_of_ours() -> None:
    def command() -> None:
        raise ValueError("OperationalError")

    with pytest.raises(ValueError, match="OperationalError"):
        guarded(command)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    config = shop(tmp_path, **GOOD)
    (tmp_path / "holdfast.db").write_bytes(b"certainly not a database, only long enough to be read as one" * 40)
    done = call("-c", config, "report", "positions")
    assert done.code in (2, 3)
    assert "file is not a database" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("lang", "words"), [("en", "Stopped.\n"), ("zh", "已停止。\n")])
def test_130_stopped_by_a_person(lang: str, words: str) -> None:
    process = spawn("sandbox", "fxiaoke", "--customers", "2", lang=lang)
    assert process.stdout is not None
    assert "http://127.0.0.1:" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, words)


def test_130_a_question_without_an_answer(tmp_path: Path) -> None:
    done = call("-c", tmp_path / "config.toml", "init", given="CNY\n")
    assert done.code == 130
    assert done.err.endswith("Stopped.\n")
    assert not (tmp_path / "config.toml").exists()


def test_the_answer_stays_on_its_own_stream_beside_a_bar(tmp_path: Path) -> None:
    """Messages and bars on a terminal, the answer into a file: no line of it may get lost among the bars."""
    pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")
    config = shop(tmp_path, **GOOD)
    watching, screen = pty.openpty()
    process = spawn("-c", config, "run", stderr=screen)
    os.close(screen)
    out, _ = process.communicate(timeout=60)
    os.close(watching)
    assert process.returncode == 0
    assert [line.split()[1] for line in out.splitlines()] == ["pull", "link", "evaluate"]
    assert "\x1b" not in out


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_reader_that_goes_away_is_no_error(book: Any, form: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # gone before the first word
    try:
        process = spawn("-c", book, "report", "positions", "--format", form, stdout=writing)
    finally:
        os.close(writing)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = call("sandbox", "fxiaoke", "--customers", "2", "--port", port)
    assert done.code == 2
    assert f"Port {port} cannot be used" in done.err
