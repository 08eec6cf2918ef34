"""Goal P9: how many calls the writing back takes, on a Zoho CRM sandbox in this process that counts them.

Every customer of the book has an account there. First everything is told; then nothing has changed and nothing is
written; then a day passes without a new document, and only what the calendar turned is told.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import simplejson

from connector import adapter as adapters
from connector.cli.bench_row import Row
from connector.cli.bench_scene import Scene, save
from connector.config import Config
from connector.connect import Connected, connect
from connector.errors import HoldfastError
from connector.policy import default_policy
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import outbox
from connector.text import Text
from jobs.evaluate import evaluate
from jobs.link import link
from jobs.pull import pull
from jobs.push import push
from jobs.run import Run

if TYPE_CHECKING:
    from jobs.progress import Progress

_CRM, _URL = "crm", "https://crm.bench.test"
_ADAPTER = "zoho_crm"


def calls(scene: Scene, most: int, progress: Progress) -> list[Row]:
    """P9: calls for each record written, writes of a second run, customers told on a quiet day."""
    with _world(scene, most) as (box, connected):
        _work(scene, connected, progress, first=True)
        before = len(box.calls)
        written = _push(scene, connected, progress)
        made = box.calls[before:]
        writes = sum(call.write for call in made)
        batch = max(channel.batch for channel in connected.adapter.channels)

        _work(scene, connected, progress)
        again = len(box.writes())
        _push(scene, connected, progress)
        again = len(box.writes()) - again

        _a_day_passes(scene)
        run = _work(scene, connected, progress)
        quiet = len(_told(scene))
        _push(scene, connected, progress)
        accounts = min(most, scene.book.customers)
    return [
        Row(
            "P9",
            Text("write calls for each record written", "每写入一条记录的写调用"),
            1 / batch + 0.01,
            unit="",
            ours=writes,
            other=written,
            figure=writes / max(written, 1),
            why=Text(
                f"other side: records; {len(made):,} calls with what was read back and looked up",
                f"对比方：记录数；含读回与查询共 {len(made):,} 次调用",
            ),
        ),
        Row(
            "P9",
            Text("write calls of a second run", "第二次运行的写调用"),
            0,
            unit="",
            ours=again,
            figure=again,
        ),
        Row(
            "P9",
            Text("customers told on a quiet day", "平静日需写入的客户占比"),
            0.02,
            unit="",
            ours=quiet,
            other=accounts,
            figure=quiet / accounts,
            detail={"evaluated": run.counts["evaluated"]},
            why=Text(f"{run.counts['evaluated']:,} customers judged", f"评估了 {run.counts['evaluated']:,} 个客户"),
        ),
    ]


@contextmanager
def _world(scene: Scene, most: int) -> Iterator[tuple[Sandbox, Connected]]:
    """The sandbox with an account for every customer, ready to be written to, as one more system of the scene."""
    folder = scene.places.folder / "crm"
    folder.mkdir(exist_ok=True)
    accounts = [
        {"id": str(7_000_000_000_000 + at), "Account_Name": f"Account {ref}", "ERP_Customer_No": ref}
        for at, ref in enumerate(sorted(scene.refs.values())[:most])
    ]
    (folder / "Accounts.json").write_text(simplejson.dumps(accounts), encoding="utf-8")
    box = adapters.sandbox(_ADAPTER, SandboxOptions(data=folder, customers=20, as_of=scene.book.as_of))
    settings = {k: v.format(url=_URL) for k, v in adapters.load(_ADAPTER).demo_settings.items()}
    secrets = {}
    for name, value in box.credentials().items():
        secrets[name] = f"env:HOLDFAST_BENCH_{name.upper()}"
        os.environ[f"HOLDFAST_BENCH_{name.upper()}"] = value
    system = {"name": _CRM, "adapter": _ADAPTER, "roles": ["crm"], "settings": settings, "secrets": secrets}
    before = scene.config
    systems: list[Any] = [before.systems[0].model_dump(), system]
    scene.config = Config.model_validate({"systems": systems})
    try:
        with box.mounted(_URL):
            connected = connect(scene.config, _CRM, scene.clock)
            if connected.adapter.provision is not None:
                connected.adapter.provision(connected.client, connected.needs(), False)
            yield box, connected
    finally:
        scene.config = before
        for reference in secrets.values():
            os.environ.pop(reference.removeprefix("env:"), None)


def _work(scene: Scene, connected: Connected, progress: Progress, first: bool = False) -> Run:
    """Pull the accounts, link them, judge what needs it."""
    _sound(pull(scene.store, connected, full=first, progress=progress))
    _sound(link(scene.store, scene.config, scene.clock, progress))
    run = evaluate(
        scene.store,
        scene.config,
        default_policy(),
        scene.clock,
        systems=[connected],
        full=first,
        progress=progress,
    )
    return _sound(run)


def _push(scene: Scene, connected: Connected, progress: Progress) -> int:
    return _sound(push(scene.store, connected, progress=progress)).counts["done"]


def _sound(run: Run) -> Run:
    if run.failed is not None:
        raise HoldfastError(run.failed)
    return run


def _told(scene: Scene) -> set[str]:
    """The accounts that something is owed to."""
    with scene.store.reading() as tx:
        return {row.target for row in outbox.listing(tx, states=("owed",), system=_CRM)}


def _a_day_passes(scene: Scene) -> None:
    """Nothing new in the ledger, which was read to its end all the same."""
    scene.clock.sleep(dt.timedelta(days=1).total_seconds())
    for stream in (*scene.book.streams, "promises", "financials", "events"):
        save(scene, stream, (), full=False, last=True)
