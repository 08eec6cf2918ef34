"""A company in front of its console: one book that has been read, people of every role, a key that seals secrets."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography.fernet import Fernet

from connector.clock import FixedClock
from connector.config import StoreSettings
from connector.config_people import PersonSettings
from connector.connect import connect
from connector.store import audit
from connector.store.db import Store
from connector.web.front import Front
from jobs.pull import pull
from tests.jobs.shop import NOON, PEOPLE, config

ADMIN = PersonSettings(id="sun.qiang", name="Sun Qiang", roles=("admin",))
OTHER = PersonSettings(id="gao.yan", name="Gao Yan", roles=("admin",))
# Everybody who is no administrator, and may sign in.
OTHERS = ("wang.fang", "li.wei", "chen.jie")
HOSTILE = 'Acme "><script>alert(1)</script>'


def console(store: Store, folder: Path, *, seal: bool = True) -> Front:
    """A front on an empty database, with a book in its folder that is configured in config.toml and has been read."""
    book = folder / "book"
    book.mkdir()
    rows = ["id,name,tax_id,VAT", f'C1,"{HOSTILE.replace(chr(34), chr(34) * 2)}",,DE123', "C2,Second Ltd,DE9,"]
    (book / "customers.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    plain = config(folder, (*PEOPLE, ADMIN, OTHER))
    if seal:
        (folder / "seal.key").write_bytes(Fernet.generate_key())
        plain = plain.model_copy(update={"store": StoreSettings(seal_key="file:seal.key")})
    clock = FixedClock(NOON)
    pull(store, connect(plain, "books", clock, store))
    return Front(store, plain, clock)


def told(front: Front) -> list[tuple[str, str, str]]:
    """The trail: what was done, to what, by whom."""
    with front.store.reading() as tx:
        return [(row.entry.action, row.entry.subject, row.entry.actor) for row in audit.everything(tx)]


def whole_trail(front: Front) -> str:
    """All that the trail says, as one text."""
    with front.store.reading() as tx:
        return "\n".join(str(row) for row in audit.everything(tx))


def later(front: Front, **more: float) -> None:
    """Some time passes."""
    assert isinstance(front.clock, FixedClock)
    front.clock.at += dt.timedelta(**more)
