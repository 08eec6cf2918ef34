"""A real Tryton on this machine: its own environment from pinned packages, a database, a company, a running server.

`bring_up(folder)` gives a server with a believable company in it. Environment, empty database and seeded database are
kept in the user's cache, each under a fingerprint of what it was made from, so that the second time takes seconds.
Nothing of Tryton is imported into our process: packages are installed by pip into an environment of their own, and the
company is entered over JSON-RPC by the same client that the adapter uses.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import inspect
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connector.adapter import Live
from connector.errors import ConfigError, TransientError
from connector.example import Company, company
from connector.text import Text

from . import seeding, seeding_ground, story, wizards
from .seeding import ADMIN, CONNECTOR, SALES
from .story import held

DATABASE = "holdfast"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MODULES = ("account_credit_limit", "account_dunning", "account_invoice", "party", "sale", "sale_credit_limit")
_CONF = """\
[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
[session]
timeout = 86400
[queue]
worker = {worker}
[email]
uri = smtp://127.0.0.1:9
"""

Say = Callable[[Text], None]


@dataclass
class Server:
    """A running Tryton. `users` are the logins and passwords that work there, by role: admin, connector, sales."""

    url: str
    database: str
    folder: Path
    company: Company
    process: subprocess.Popen[bytes]
    users: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"admin": ADMIN, "connector": CONNECTOR, "sales": SALES}
    )

    def settings(self) -> dict[str, str]:
        """The adapter's settings for this server; `provision` may use the administrator."""
        return {
            "base_url": self.url,
            "database": self.database,
            "user": self.users["connector"][0],
            "admin_user": self.users["admin"][0],
        }

    def secrets(self) -> dict[str, str]:
        """The secrets that go with the settings. They are known to everybody: the server listens on this machine only."""
        return {"password": self.users["connector"][1], "admin_password": self.users["admin"][1]}

    def stop(self) -> None:
        """Ends the server that this object started."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def cache_folder() -> Path:
    """Where environments and databases are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "holdfast" / "tryton"


def bring_up(
    folder: Path,
    *,
    port: int = 0,
    made: Company | None = None,
    cache: Path | None = None,
    say: Say = lambda text: None,
) -> Server:
    """A Tryton in `folder` with the company in it (the usual example of 200 customers where none is given).

    `port` 0 takes a free one. A database that is already in the folder is used as it stands. ConfigError where packages
    cannot be installed, TransientError where the server does not come up; both name the log in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keep = cache or cache_folder()
    keep.mkdir(parents=True, exist_ok=True)
    whole = held(made or company(documents_per_customer=3))
    file = folder / f"{DATABASE}.sqlite"
    with _alone(keep / "lock"):
        python = _environment(keep, folder, say)
        if not file.exists():
            shutil.copyfile(_database(keep, python, whole, say), file)
    process, url = _start(python, folder, port)
    return Server(url, DATABASE, folder, whole, process)


@contextlib.contextmanager
def demo(*, customers: int, seed: int, as_of: dt.date) -> Iterator[Live]:
    """A server for the demo, stopped at the end.

    Its company is as of the first of the month, so that it has to be entered once a month and not once a day.
    """
    made = company(customers, seed, as_of.replace(day=1), documents_per_customer=3)
    with tempfile.TemporaryDirectory(prefix="holdfast-tryton-") as folder:
        running = bring_up(Path(folder), made=made)
        try:
            version = REQUIREMENTS.read_text().partition("trytond==")[2].split()[0]
            yield Live(running.url, f"Tryton {version}", running.settings(), running.secrets())
        finally:
            running.stop()


# --- the environment -------------------------------------------------------------------------------------------------
def _environment(keep: Path, folder: Path, say: Say) -> Path:
    name = f"{sys.version_info.major}.{sys.version_info.minor}-{_hash(REQUIREMENTS.read_bytes())}"
    place = keep / f"env-{name}"
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if (place / "ready").exists() and python.exists():
        return python
    say(Text("Installing Tryton from packages, once …", "正在从软件包安装 Tryton（仅此一次）……"))
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True, symlinks=os.name != "nt")
    log = folder / "install.log"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    if _run(command, log):
        raise ConfigError(
            Text(
                "Tryton's packages could not be installed; {log} says why. Check that pip can reach a package index.",
                "无法安装 Tryton 的软件包，原因见 {log}。请检查 pip 能否访问软件包索引。",
            ).fill(log=log)
        )
    (place / "ready").touch()
    return python


# --- the database ----------------------------------------------------------------------------------------------------
def _database(keep: Path, python: Path, whole: Company, say: Say) -> Path:
    """The seeded database, from the cache or made now."""
    code = "".join(inspect.getsource(m) for m in (seeding, seeding_ground, story, wizards)).encode()
    empty_key = _hash(REQUIREMENTS.read_bytes(), " ".join(MODULES).encode(), ADMIN[1].encode())
    seeded = keep / f"company-{_hash(empty_key.encode(), code, repr(whole).encode())}.sqlite"
    if seeded.exists():
        return seeded
    empty = keep / f"modules-{empty_key}.sqlite"
    work = keep / f"work-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    file = work / f"{DATABASE}.sqlite"
    try:
        if not empty.exists():
            say(Text("Making an empty Tryton database, once …", "正在创建空的 Tryton 数据库（仅此一次）……"))
            _activate(python, work)
            _packed(file, empty)
        shutil.copyfile(empty, file)
        say(
            Text(
                "Entering {customers} customers and {documents} documents into Tryton, once …",
                "正在向 Tryton 录入 {customers} 个客户和 {documents} 张单据（仅此一次）……",
            ).fill(customers=len(whole.customers), documents=len(whole.documents))
        )
        process, url = _start(python, work, 0, working=False)
        try:
            seeding.enter(url, DATABASE, whole)
        finally:
            process.terminate()
            process.wait(20)
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.execute("delete from ir_queue")
        _packed(file, seeded)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return seeded


def _activate(python: Path, work: Path) -> None:
    (work / f"{DATABASE}.sqlite").touch()
    conf, secret, log = work / "trytond.conf", work / "admin", work / "activate.log"
    conf.write_text(_CONF.format(folder=work, port=0, worker=False))
    secret.write_text(ADMIN[1])
    command = [str(python), str(python.with_name("trytond-admin")), "-c", str(conf), "-d", DATABASE]
    command += ["-u", *MODULES, "--activate-dependencies", "--email", "admin@example.com"]
    if _run(command, log, TRYTONPASSFILE=str(secret)):
        raise ConfigError(
            Text("Tryton's modules could not be activated:\n{why}", "无法激活 Tryton 的模块：\n{why}").fill(
                why=_tail(log)
            )
        )


def _packed(file: Path, into: Path) -> None:
    """A copy of a database in one file: the write-ahead log is folded in, and the name appears only when it is whole."""
    connection = sqlite3.connect(file)
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.execute("vacuum")
    connection.close()
    half = into.with_suffix(".half")
    shutil.copyfile(file, half)
    half.replace(into)


# --- the server ------------------------------------------------------------------------------------------------------
def _start(python: Path, folder: Path, port: int, working: bool = True) -> tuple[subprocess.Popen[bytes], str]:
    """A server that answers. Without `working`, queued work (printing each posted invoice) stays in the queue."""
    for last in (False, False, True):
        chosen = port or _free_port()
        conf, log = folder / "trytond.conf", folder / "trytond.log"
        conf.write_text(_CONF.format(folder=folder, port=chosen, worker=not working))
        with log.open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - our own environment's program
                [str(python), str(python.with_name("trytond")), "-c", str(conf), "-d", DATABASE],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        url = f"http://127.0.0.1:{chosen}"
        if _answers(process, url):
            return process, url
        process.kill()
        process.wait()
        if last or port:
            break
    raise TransientError(
        Text("Tryton did not come up; {log} says why.", "Tryton 未能启动，原因见 {log}。").fill(
            log=folder / "trytond.log"
        )
    )


def _answers(process: subprocess.Popen[bytes], url: str, seconds: float = 90) -> bool:
    body = json.dumps({"id": 0, "method": "common.server.version", "params": []}).encode()
    request = urllib.request.Request(f"{url}/rpc/", body, {"content-type": "application/json"})  # noqa: S310 - http
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError), opener.open(request, timeout=10) as answer:
            return "result" in json.load(answer)
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- small tools -----------------------------------------------------------------------------------------------------
def _run(command: list[str], log: Path, **environment: str) -> int:
    with log.open("ab") as out:
        done = subprocess.run(  # noqa: S603 - our own environment's programs
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **environment}, check=False
        )
    return done.returncode


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One builder at a time among all processes of this machine."""
    with lock.open("w") as file:
        if os.name == "nt":
            yield
            return
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
        yield
