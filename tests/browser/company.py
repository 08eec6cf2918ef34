"""A service on a database of its own that works on jobs, too: empty at first, or with the made-up company in it.

The whole of it is in this process: the pages, the worker that they ask for runs, the imitations of an ERP and a CRM.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from connector.adapter import Rehearsal
from connector.clock import SystemClock
from connector.config import Config, StoreSettings
from connector.config_people import PersonSettings
from connector.connect import connect
from connector.store.db import Store
from connector.web.front import Front
from jobs import demo_company
from jobs.configured import whole
from jobs.demo_company import DemoCompany
from jobs.scheduler import Worker
from jobs.shift import Shift, WakefulClock
from tests.browser.conftest import Site, serving
from tests.jobs.shop import PEOPLE, config
from tests.web.calling import free_port
from tests.web.console import ADMIN

# Who may do everything, so that every control of a page is on its picture.
ALL_HANDS = PersonSettings(
    id="tang.yu", name="Tang Yu", roles=("credit_controller", "approver", "sales", "admin", "auditor")
)


@dataclass
class Company:
    """The service at `site`, with its worker."""

    site: Site
    store: Store
    plain: Config

    @property
    def config(self) -> Config:
        """With what pages have added to it."""
        with self.store.reading() as tx:
            return whole(tx, self.plain).config

    def begun(self, person: str = ADMIN.id) -> None:
        """The made-up company is connected and read, by the button of the first steps."""
        page = self.site.visit(person)
        page.goto("/admin/first-steps")
        page.get_by_role("button", name="Begin with made-up data").click()
        page.get_by_text("What you see now").wait_for(timeout=120_000)
        page.locator("#run", has_text="Read and judge now").wait_for(timeout=120_000)
        page.context.close()

    def ledger(self) -> tuple[Any, Rehearsal[Any]]:
        """The client of the imitated ERP, and what can be acted in it."""
        connected = connect(self.config, "demo_erp", SystemClock(), self.store)
        assert connected.adapter.rehearsal is not None
        return connected.client, connected.adapter.rehearsal


@contextmanager
def working(chromium: Any, folder: Path, customers: int = 60) -> Iterator[Company]:
    """A service with an empty database; made-up companies in it have so many customers."""
    with pytest.MonkeyPatch.context() as patch:
        companies: list[DemoCompany] = []
        made = DemoCompany.__init__

        def noted(self: DemoCompany, *what: Any) -> None:
            companies.append(self)
            made(self, *what)

        patch.setattr(demo_company, "_CUSTOMERS", customers)
        patch.setattr(DemoCompany, "__init__", noted)
        (folder / "seal.key").write_bytes(Fernet.generate_key())
        store = Store.open(f"sqlite:///{folder / 'company.db'}")
        people = tuple(one.model_copy(update={"ids": {}}) for one in (ADMIN, ALL_HANDS, *PEOPLE))
        plain = config(folder, people).model_copy(
            update={"systems": (), "store": StoreSettings(seal_key="file:seal.key")}  # type: ignore[call-arg]
        )
        stop, wake = threading.Event(), threading.Event()
        worker = Worker(store, Shift(plain, WakefulClock(stop), stop=stop), wake)
        thread = threading.Thread(target=worker.work, daemon=True)
        thread.start()
        try:
            for site in serving(Front(store, plain, SystemClock(), wake=wake), free_port(), chromium):
                yield Company(site, store, plain)
        finally:
            stop.set()
            wake.set()
            thread.join(30)
            for company in companies:
                company.end()
            store.close()
