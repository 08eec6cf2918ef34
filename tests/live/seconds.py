"""How long it takes from a payment or an order entered in a real ERP to the credit fields of the CRM: p50 and p95.

    python -m tests.live.seconds tryton --samples 20
    python -m tests.live.seconds odoo --lab DIR --samples 20          by polling at the shipped interval
    python -m tests.live.seconds odoo --lab DIR --samples 20 --hook   by Odoo's own webhooks

Tryton is brought up by itself, Odoo by `../shared/live/odoo/up`; the CRM is Zoho's sandbox over a socket. The service runs
as a user starts it (`holdfast serve`); the clock starts when the ERP has answered, at a random moment between two polls,
and stops when the account in the CRM, read back from there, shows other credit fields.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector import adapter as adapters
from connector.cli import demo_cast as cast
from connector.cli.common import Cli
from connector.clock import SystemClock, day_in
from connector.connect import Connected
from connector.errors import HoldfastError
from connector.sandbox import SandboxOptions
from connector.store import customers
from jobs.night import connected_systems

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "live" / "odoo"
_PATIENCE = 300.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("erp", choices=["tryton", "odoo"])
    parser.add_argument("--lab", type=Path, help="folder of the real Odoo")
    parser.add_argument("--db", default="seconds", help="database of the real Odoo")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--every", type=int, help="order_seconds; else as shipped")
    parser.add_argument("--port", type=int, default=18787, help="where the service listens")
    parser.add_argument("--hook", action="store_true", help="webhooks; polling only every quarter of an hour")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        cli = stack.enter_context(_tryton(folder, given) if given.erp == "tryton" else _odoo(folder, given))
        _measure(cli, given, stack)


# --- the two settings --------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _tryton(folder: Path, given: argparse.Namespace) -> Iterator[Cli]:
    today = day_in(SystemClock().now(), "Asia/Shanghai")
    with adapters.server("tryton", customers=120, seed=3, as_of=today) as live:
        box = adapters.sandbox("zoho_crm", SandboxOptions(customers=120, seed=3, as_of=today, settings={"role": "crm"}))
        with box.served() as crm:
            erp = {"adapter": "tryton", "settings": dict(live.settings), "secrets": dict(live.secrets)}
            yield _written(folder, given, erp, crm, dict(box.credentials()))


@contextlib.contextmanager
def _odoo(folder: Path, given: argparse.Namespace) -> Iterator[Cli]:
    command = [sys.executable, str(SHARED / "up"), str(given.lab), "--db", given.db]
    up = json.loads(subprocess.run(command[1:], check=True, capture_output=True, text=True).stdout)
    partners = _call(up, "res.partner", "search_read", domain=[["parent_id", "=", False]], fields=["name", "vat"])
    data = folder / "crm"
    data.mkdir()
    accounts = [
        {"id": str(5540000000020000000 + one["id"]), "Account_Name": one["name"], "ERP_No": str(one["id"])}
        for one in partners
    ]
    (data / "Accounts.json").write_text(json.dumps(accounts), "utf-8")
    (data / "Sales_Orders.json").write_text("[]", "utf-8")
    box = adapters.sandbox("zoho_crm", SandboxOptions(data=data, settings={"role": "crm"}))
    with box.served() as crm:
        secrets = {"api_key": up["keys"]["connector"], "admin_key": up["keys"]["admin"]}
        erp = {"adapter": "odoo", "settings": {"base_url": up["url"], "database": up["db"]}, "secrets": secrets}
        yield _written(folder, given, erp, crm, dict(box.credentials()))


def _call(up: dict[str, Any], model: str, method: str, **arguments: Any) -> Any:
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"bearer {up['keys']['admin']}",
        "X-Odoo-Database": up["db"],
    }
    request = urllib.request.Request(f"{up['url']}/json/2/{model}/{method}", json.dumps(arguments).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def _written(
    folder: Path, given: argparse.Namespace, erp: dict[str, Any], crm: str, credentials: dict[str, str]
) -> Cli:
    for system, secrets in (("erp", erp["secrets"]), ("crm", credentials)):
        for key, value in secrets.items():
            os.environ[f"SECONDS_{system}_{key}".upper()] = value
    os.environ["SECONDS_HOOK"] = "a-long-secret-for-the-webhook-of-this-run-only"
    every = 0 if given.hook else given.every
    lines = ["[business]", 'currency = "CNY"', 'time_zone = "Asia/Shanghai"', 'language = "en"']
    lines += ["[service]", f"port = {given.port}", f'address = "http://127.0.0.1:{given.port}"']
    lines += ["[schedule]", *([] if every is None else [f"order_seconds = {every}"])]
    sections = (
        ("erp", erp["adapter"], erp["settings"], erp["secrets"]),
        ("crm", "zoho_crm", {"base_url": crm, "accounts_url": crm}, credentials),
    )
    for system, adapter, settings, secrets in sections:
        shown = ", ".join(f"{k} = {json.dumps(v)}" for k, v in settings.items())
        lines += ["[[systems]]", f'name = "{system}"', f'adapter = "{adapter}"', f'roles = ["{system}"]']
        lines += [f"settings = {{ {shown} }}", "[systems.secrets]"]
        lines += [f'{key} = "env:{f"SECONDS_{system}_{key}".upper()}"' for key in secrets]
        if system == "erp" and given.hook:
            lines += ["[systems.hook]", 'secret = "env:SECONDS_HOOK"']
    path = folder / "config.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return Cli(path)


# --- the measuring -----------------------------------------------------------------------------------------------------
def _holdfast(cli: Cli, *words: str) -> list[str]:
    return [sys.executable, "-m", "connector.cli", "-c", str(cli.path), *words]


def _measure(cli: Cli, given: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    for words in (["provision"], ["run"]):
        subprocess.run(_holdfast(cli, *words), check=False)
    if given.hook:
        subprocess.run(_holdfast(cli, "hook", "subscribe", "erp"), check=True)
    service = subprocess.Popen(_holdfast(cli, "serve"), stderr=subprocess.DEVNULL)
    stack.callback(lambda: (service.terminate(), service.wait(60)))
    _until_ready(given.port)
    erp, crm = connected_systems(cli.config, cli.clock, store=cli.store)
    every = cli.config.schedule.order_seconds or 5
    taken: dict[str, list[float]] = {"payment": [], "order": []}
    done: set[int] = set()
    while sum(map(len, taken.values())) < given.samples:
        kind = "payment" if len(taken["payment"]) <= len(taken["order"]) else "order"
        time.sleep(random.uniform(0, every))
        seconds = _one(cli, erp, crm, kind, done)
        if seconds is None:
            break
        taken[kind].append(seconds)
        print(f"{kind:8} {seconds:6.1f} s", flush=True)
    for kind, found in taken.items():
        if found:
            ranked = sorted(found)
            p95 = ranked[min(len(ranked) - 1, round(0.95 * len(ranked)))]
            print(
                f"{kind}: {len(found)} samples, p50 {statistics.median(found):.1f} s, p95 {p95:.1f} s, most {ranked[-1]:.1f} s"
            )


def _until_ready(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            if answer.status == 200:
                return
        time.sleep(0.3)
    raise SystemExit("the service is not ready")


def _one(cli: Cli, erp: Connected, crm: Connected, kind: str, done: set[int]) -> float | None:
    """Acts once in the ERP and waits for the account; None where nobody is left to act."""
    rehearsal = erp.adapter.rehearsal
    channel = crm.adapter.channel("customer_fields")
    assert rehearsal is not None
    assert channel is not None
    assert channel.current is not None
    players = cast.payers(cli, erp.name) if kind == "payment" else cast.buyers(cli, erp.name)
    for player in players:
        if player.key in done:
            continue
        done.add(player.key)
        with cli.store.reading() as tx:
            rows = customers.customers(tx)
        debtor = next(row.debtor for row in rows if row.key == player.key)
        account = next((row.ref for row in rows if row.debtor == debtor and row.system == crm.name), None)
        if account is None:
            continue
        before = channel.current(crm.client, [account])
        try:
            if kind == "payment":
                rehearsal.pay(erp.client, player.ref)
            else:
                rehearsal.order(erp.client, player.ref, player.amount)
        except HoldfastError as wrong:
            print(f"  ({player.name}: {wrong.user.en})", flush=True)
            continue
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE:
            if channel.current(crm.client, [account]) != before:
                return time.monotonic() - began
            time.sleep(0.1)
        print(f"  ({player.name}: nothing after {_PATIENCE:.0f} s)", flush=True)
    return None


if __name__ == "__main__":
    main()
