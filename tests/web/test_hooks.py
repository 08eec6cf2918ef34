"""Webhooks at the front door: a table of forgeries for each product's scheme, each refused, logged and counted; genuine
calls stored once and answered at once; nothing of a call or a secret in any log line."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fastapi.testclient import TestClient

from connector.clock import FixedClock
from connector.config import Config, System
from connector.config_hook import HookSettings
from connector.hook import Subscription, address_token, channel_token
from connector.store import inbox, subscriptions
from connector.store.db import Store
from connector.web import hooks
from connector.web.app import make
from connector.web.front import Front
from tests.jobs.shop import NOON

ZOHO, ODOO, CHANNEL = "secret-of-the-zoho-system", "secret-of-the-odoo-system", "1000000068001"
# Of the vendor's own test vector (its page on event push): key, call, clear text.
VECTOR_KEY = "O0YjM0EDOygzNykzMzUjLwUTN3MjL5ADN1QjM5gTM0A="
VECTOR = {
    "timestamp": "1604644770244",
    "nonce": "mi3wrpKNnq4YdIZC",
    "messageId": "AC11291700002A9F00000608C038697A0",
    "retryTimes": "1",
    "enterpriseAccount": "gxcxkj",
    "encryptedContent": "tRPD30ygQKxFurdWxHQKpRypuXNbRcW/knsKZBCPJv9bsKnQJlUr26USpOgJqhVUm5Q2NiVG1IBrCr0dbrsreRZY6Z5/fbw75IlGQ2d7P"
    "kMWtVTAE0RG62j7HJQWAwm+XdmQC4y1AbjHzatjjrXiCKcId112DHZSqB0qznivDStywTjscnNWhaR7xbnSbmKQWsF5YlPUEudZ+P07Ol/cd6F8IXOo+n"
    "Eu7UH21hRSgKI=",
    "signature": "4d7c6742d8efed705054fe895ee487df738c8c50",
}
MILLISECONDS = int(NOON.timestamp() * 1000)
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "zoho_crm": {"data_center": "eu"},
    "odoo": {"base_url": "https://odoo.example.com"},
    "fxiaoke": {"acting_user": "1000"},
    "tryton": {"base_url": "https://erp.example.com", "database": "d", "user": "u"},
}


def system(name: str, adapter: str, variable: str | None) -> System:
    hook = (
        HookSettings(secret=f"env:{variable}", secret_before=f"env:{variable}_OLD", pause_seconds=0)
        if variable
        else None
    )
    return System(name=name, adapter=adapter, roles=("crm",), settings=SETTINGS[adapter], hook=hook)


@dataclass
class Call:
    """One call: where it goes and what it holds. `plain` is the JSON object of its body."""

    path: str
    plain: dict[str, Any]
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    method: str = "POST"
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.plain).encode()

    def but(self, **members: Any) -> Call:
        """The same with other members, unsigned as it were."""
        return replace(self, plain={**self.plain, **members})


@dataclass
class Door:
    """The service in process, and who listens to its log."""

    client: TestClient
    front: Front
    lines: list[str] = field(default_factory=list)

    def call(self, call: Call) -> Any:
        return self.client.request(call.method, call.path, content=call.body, headers=call.headers)

    def kept(self, name: str) -> list[inbox.Kept]:
        with self.front.store.reading() as tx:
            return inbox.events(tx, system=name)

    def counted(self, name: str, outcome: str) -> float:
        found = self.front.metrics.registry.get_sample_value(
            "holdfast_hooks_total", {"system": name, "outcome": outcome}
        )
        return found or 0.0


class _Ears(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("httpx", "httpcore")):
            return  # the caller's own log
        self.lines.append(f"{record.levelname} {record.name} {record.getMessage()} {record.__dict__}")


@pytest.fixture
def door(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    for name, value in {
        "ZOHO": ZOHO, "ZOHO_OLD": f"{ZOHO}-before", "ODOO": ODOO, "ODOO_OLD": f"{ODOO}-before", "FX": VECTOR_KEY,
        "FX_OLD": base64.b64encode(b"former key of thirty-two bytes..").decode(),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    config = Config(
        systems=(
            system("zoho", "zoho_crm", "ZOHO"),
            system("odoo", "odoo", "ODOO"),
            system("fx", "fxiaoke", "FX"),
            system("erp", "tryton", None),
        ),
        root=tmp_path,
    )
    with store.writing() as tx:
        subscriptions.keep(tx, "zoho", Subscription(CHANNEL, ("accounts", "sales_orders")), "mark", NOON)
    front = Front(store, config, FixedClock(NOON))
    root = logging.getLogger()
    levels = {log: log.level for log in (root, logging.getLogger("holdfast"))}
    with TestClient(make(front), raise_server_exceptions=False) as client:
        made = Door(client, front)
        ears = _Ears(made.lines)
        root.addHandler(ears)
        for log in levels:
            log.setLevel(logging.DEBUG)
        try:
            yield made
        finally:
            root.removeHandler(ears)
            for log, level in levels.items():
                log.setLevel(level)


# --- genuine calls, made here by each vendor's document --------------------------------------------------------------------
def zoho(secret: str = ZOHO, stamp: int = MILLISECONDS, name: str = "zoho") -> Call:
    plain = {
        "server_time": stamp, "affected_values": [], "query_params": {}, "module": "Sales_Orders",
        "resource_uri": "https://www.zohoapis.eu/crm/v8/Sales_Orders", "ids": ["5540000000010000006", "5540000000010000007"],
        "affected_fields": [], "operation": "update", "channel_id": CHANNEL, "token": channel_token(secret, name, CHANNEL),
    }  # fmt: skip
    return Call(f"/hooks/zoho/{address_token(secret, name)}", plain)


def odoo(secret: str = ODOO, name: str = "odoo", stamp: str = "2026-11-20 03:59:58.123456") -> Call:
    plain = {
        "_action": "Holdfast: tell of sale.order(#412)",
        "_id": 27,
        "_model": "sale.order",
        "id": 27,
        "write_date": stamp,
    }
    return Call(f"/hooks/odoo/{address_token(secret, name)}", plain)


def fx(key: str = VECTOR_KEY, stamp: int = MILLISECONDS, message: str = "M1", **content: Any) -> Call:
    raw = base64.b64decode(key)
    clear = json.dumps({"tenantId": 7, "eventType": "update", "apiName": "SalesOrderObj", "dataId": "65a", "timestamp": stamp,
                        "messageId": message, **content}).encode()  # fmt: skip
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    sealed = base64.b64encode(cipher.update(padder.update(clear) + padder.finalize()) + cipher.finalize()).decode()
    told = {
        "timestamp": str(stamp),
        "nonce": "abc1",
        "messageId": message,
        "enterpriseAccount": "acme",
        "encryptedContent": sealed,
    }
    return Call("/hooks/fx", {**told, "signature": hashlib.sha1(("".join(told.values()) + key).encode()).hexdigest()})


GENUINE: dict[str, Callable[..., Call]] = {"zoho": zoho, "odoo": odoo, "fx": fx}


def test_genuine_calls_are_stored_once_and_wake_the_jobs(door: Door) -> None:
    for name, events in (("zoho", 2), ("odoo", 1), ("fx", 1)):
        door.front.wake.clear()
        answer = door.call(GENUINE[name]())
        assert answer.status_code == 200, answer.text
        assert len(door.kept(name)) == events
        assert door.front.wake.is_set()
        door.front.wake.clear()
        assert door.call(GENUINE[name]()).status_code == 200, "a repeated call is answered as the first was"
        assert len(door.kept(name)) == events, "and done once"
        assert not door.front.wake.is_set()
        assert (door.counted(name, "stored"), door.counted(name, "repeated")) == (1, 1)
    assert {(e.streams, e.key) for e in door.kept("zoho")} == {
        (("sales_orders",), "5540000000010000006"), (("sales_orders",), "5540000000010000007"),
    }  # fmt: skip
    (order,) = door.kept("odoo")
    assert (order.streams, order.key) == (("orders",), "27")


def test_the_vendors_test_vector_of_event_push(door: Door) -> None:
    """Signature, cipher and content are the vendor's own; the answer is judged by its formula."""
    front = door.front
    assert isinstance(front.clock, FixedClock)
    front.clock.at = front.clock.at.fromtimestamp(1604644770, front.clock.at.tzinfo)
    answer = door.call(Call("/hooks/fx", VECTOR))
    assert answer.status_code == 200
    (event,) = door.kept("fx")
    assert (event.event, event.streams, event.key, event.kind) == (
        "AC11291700002A9F00000608C038697A0", ("customers",), "5f9cd4e6e4400e0001217faa", "update",
    )  # fmt: skip
    told = answer.json()
    text = told["timestamp"] + told["nonce"] + told["encryptedResult"] + VECTOR_KEY
    assert told["signature"] == hashlib.sha1(text.encode()).hexdigest()
    raw = base64.b64decode(VECTOR_KEY)
    cipher = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).decryptor()
    clear = cipher.update(base64.b64decode(told["encryptedResult"])) + cipher.finalize()
    assert clear == b"success" + b"\x09" * 9
    assert door.call(Call("/hooks/fx", {**VECTOR, "retryTimes": "2"})).status_code == 401


# --- the table of forgeries ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Forgery:
    """What is done, to which products, and the status and code of the refusal (None: the code may differ)."""

    change: Callable[[str], Call]
    status: int
    code: str | None = None
    only: tuple[str, ...] = ("zoho", "odoo", "fx")


def _flip(name: str) -> Call:
    """One byte of what proves the call is another."""
    call = GENUINE[name]()
    if name == "fx":
        sealed = call.plain["encryptedContent"]
        return call.but(encryptedContent=("B" if sealed[0] != "B" else "C") + sealed[1:])
    if name == "zoho":
        return call.but(token=call.plain["token"][:-1] + ("A" if call.plain["token"][-1] != "A" else "B"))
    return replace(call, path=call.path[:-1] + ("A" if call.path[-1] != "A" else "B"))


def _foreign(name: str) -> Call:
    """Genuine, but of another system: its secret is that system's."""
    return {
        "zoho": zoho(name="odoo"),
        "odoo": odoo(ZOHO),
        "fx": fx(base64.b64encode(b"the key of somebody else, 32 b..").decode()),
    }[name]


HOUR = 3_600_000
FORGERIES: dict[str, Forgery] = {
    "a changed byte": Forgery(_flip, 401),
    "another secret": Forgery(lambda n: GENUINE[n](base64.b64encode(b"another key of thirty-two bytes.").decode()), 401),
    "the secret of another system": Forgery(_foreign, 401),
    "no proof": Forgery(lambda n: replace(GENUINE[n](), path=f"/hooks/{n}", plain={"a": 1}), 401),
    "no token in the body": Forgery(lambda n: zoho().but(token=None), 401, "unsigned", ("zoho",)),
    "no signature": Forgery(lambda n: fx().but(signature=""), 401, "unsigned", ("fx",)),
    "a member is missing": Forgery(lambda n: fx().but(nonce=None), 400, "body", ("fx",)),
    "an old stamp": Forgery(lambda n: GENUINE[n](stamp=MILLISECONDS - 2 * HOUR), 403, "late", ("zoho", "fx")),
    "six minutes old": Forgery(lambda n: fx(stamp=MILLISECONDS - 360_000), 403, "late", ("fx",)),
    "a stamp of the future": Forgery(lambda n: GENUINE[n](stamp=MILLISECONDS + 2 * HOUR), 403, "early", ("zoho", "fx")),
    "a newer stamp on an old signature": Forgery(
        lambda n: fx(stamp=MILLISECONDS - HOUR).but(timestamp=str(MILLISECONDS)), 401, "signature", ("fx",)
    ),
    "a digit moved from the nonce to the stamp": Forgery(
        # Under the same signature: what is joined without anything between can be cut elsewhere.
        lambda n: fx().but(timestamp=f"{MILLISECONDS}a", nonce="bc1"), 400, "body", ("fx",)
    ),
    "a channel that is not ours": Forgery(
        lambda n: zoho().but(channel_id="999", token=channel_token(ZOHO, "zoho", "999")), 403, "unknown_channel", ("zoho",)
    ),
    "the token of another channel": Forgery(
        lambda n: zoho().but(token=channel_token(ZOHO, "zoho", "999")), 401, "token", ("zoho",)
    ),
    "a record of another module": Forgery(lambda n: zoho().but(module="Accounts"), 403, "foreign", ("zoho",)),
    "no stamp": Forgery(lambda n: zoho().but(server_time=None), 401, "unsigned", ("zoho",)),
    "no model": Forgery(lambda n: odoo().but(_model=None), 400, "body", ("odoo",)),
    "an id that is none": Forgery(lambda n: odoo().but(_id="1 OR 1=1"), 400, "body", ("odoo",)),
    "an empty body": Forgery(lambda n: replace(GENUINE[n](), raw=b""), 400, "body"),
    "no JSON": Forgery(lambda n: replace(GENUINE[n](), raw=b"a=1&b=2"), 400, "body"),
    "a list": Forgery(lambda n: replace(GENUINE[n](), raw=b"[1, 2]"), 400, "body"),
    "half of it": Forgery(lambda n: replace(GENUINE[n](), raw=GENUINE[n]().body[:-20]), 400, "body"),
    "deeply nested": Forgery(lambda n: replace(GENUINE[n](), raw=b'{"a":' * 20_000 + b"1"), 400, "too_deep"),
    "oversized": Forgery(lambda n: replace(GENUINE[n](), raw=b" " * 300_000), 413),
    "a part too many": Forgery(lambda n: replace(fx(), path="/hooks/fx/token"), 404, "token", ("fx",)),
    "read": Forgery(lambda n: replace(GENUINE[n](), method="GET"), 405, "method"),
    "put": Forgery(lambda n: replace(GENUINE[n](), method="PUT"), 405, "method"),
    "deleted": Forgery(lambda n: replace(GENUINE[n](), method="DELETE"), 405, "method"),
}  # fmt: skip
TABLE = [pytest.param(f, n, id=f"{n}: {name}") for name, f in FORGERIES.items() for n in f.only]


@pytest.mark.parametrize(("forgery", "name"), TABLE)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_forgery_is_refused_logged_and_counted(door: Door, forgery: Forgery, name: str) -> None:
    call = forgery.change(name)
    answer = door.call(call)
    assert answer.status_code == forgery.status, answer.text
    assert door.kept(name) == [], "it was stored"
    assert not door.front.wake.is_set()
    refusals = [line for line in door.lines if line.startswith("WARNING holdfast") and "refused" in line]
    assert len(refusals) == 1
    if forgery.code is not None:
        assert door.counted(name, forgery.code) == 1
        assert forgery.code in refusals[0]
    if call.method != "HEAD":
        told = answer.json()
        assert told["status"] == forgery.status
        assert answer.headers["content-type"] == "application/problem+json"
        assert "signature" not in told["detail"], "who forges is not helped"
    silent(door, call)


def silent(door: Door, call: Call) -> None:
    """No line shows a secret, a token, or what was sent."""
    hidden = [ZOHO, ODOO, VECTOR_KEY]
    hidden += [part for part in call.path.split("/") if len(part) > 20]
    hidden += [str(v) for k, v in call.plain.items() if k in ("token", "signature", "encryptedContent") and v]
    hidden += ["5540000000010000006", "65a7"]
    assert not [(word, line) for line in door.lines for word in hidden if word in line]


def test_genuine_calls_are_silent_too(door: Door) -> None:
    for name, made in GENUINE.items():
        door.call(made())
        silent(door, made())
        assert door.kept(name)


def test_a_re_serialised_call_of_a_product_that_signs_nothing_is_the_same_event(door: Door) -> None:
    door.call(zoho())
    again = replace(zoho(), raw=json.dumps(dict(reversed(zoho().plain.items())), indent=2).encode())
    assert door.call(again).status_code == 200
    assert len(door.kept("zoho")) == 2
    assert door.counted("zoho", "repeated") == 1


def test_what_the_content_type_says_is_not_believed(door: Door) -> None:
    for number, kind in enumerate(("text/html", "application/x-www-form-urlencoded", "multipart/form-data", "")):
        call = replace(odoo(stamp=f"2026-11-20 03:00:0{number}"), headers={"content-type": kind})
        assert door.call(call).status_code == 200
    assert len(door.kept("odoo")) == 4


def test_the_former_secret_counts_while_it_is_being_changed(door: Door) -> None:
    assert door.call(zoho(f"{ZOHO}-before")).status_code == 200
    assert door.call(odoo(f"{ODOO}-before")).status_code == 200
    assert door.call(fx(base64.b64encode(b"former key of thirty-two bytes..").decode())).status_code == 200


def test_systems_that_do_not_call_are_not_there(door: Door) -> None:
    for path in ("/hooks/erp", "/hooks/nobody", "/hooks/nobody/token", "/hooks/zoho/a/b"):
        assert door.client.post(path, content=b"{}").status_code == 404
    assert door.counted("none", "unknown") == 3
    assert door.counted("nobody", "unknown") == 0, "whoever knocks makes no new label"


def test_a_secret_that_is_not_set_is_our_trouble_not_theirs(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    call = zoho()
    monkeypatch.delenv("ZOHO")
    answer = door.call(call)
    assert answer.status_code == 503, "the sender is to come again"
    assert answer.headers["retry-after"]
    assert door.counted("zoho", "not_set_up") == 1
    assert any(line.startswith("ERROR") and "env:ZOHO" in line for line in door.lines)
    monkeypatch.setenv("ZOHO", "short")
    assert door.call(call).status_code == 503
    monkeypatch.setenv("FX", "no key of 32 bytes but long enough")
    assert door.call(fx()).status_code == 503


def test_an_object_that_we_do_not_read_is_answered_and_forgotten(door: Door) -> None:
    assert door.call(fx(apiName="LeadsObj")).status_code == 200
    assert door.call(odoo().but(_model="crm.lead")).status_code == 200
    assert door.kept("fx") == door.kept("odoo") == []
    assert door.counted("fx", "silent") == door.counted("odoo", "silent") == 1


def test_whoever_forges_by_the_thousand_does_not_fill_the_log(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [1000.0]
    monkeypatch.setattr(hooks, "time", SimpleNamespace(monotonic=lambda: at[0]))
    call = replace(odoo(), path="/hooks/odoo/guess")
    for _ in range(150):
        assert door.call(call).status_code == 401
    told = [line for line in door.lines if "is refused" in line and "WARNING" in line]
    assert len(told) == 60
    assert door.counted("odoo", "token") == 150
    at[0] += 60
    door.call(call)
    assert "90 more like it were not told of" in next(line for line in reversed(door.lines) if "is refused" in line)


def test_metrics_tell_what_waits_and_until_when_a_system_calls(door: Door) -> None:
    door.call(zoho())
    with door.front.store.writing() as tx:
        until = Subscription(CHANNEL, ("accounts",), NOON + dt.timedelta(days=2))
        subscriptions.keep(tx, "zoho", until, "mark", NOON)
    assert isinstance(door.front.clock, FixedClock)
    door.front.clock.sleep(40)
    value = door.front.metrics.registry.get_sample_value
    assert value("holdfast_hooks_unheeded", {"system": "zoho"}) == 2
    assert value("holdfast_hooks_oldest_seconds") == 40
    assert value("holdfast_hook_ends_seconds", {"system": "zoho"}) == 2 * 86400 - 40


def test_a_problem_is_told_in_the_callers_language(door: Door) -> None:
    call = replace(fx().but(signature="0" * 40), headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert door.call(call).json()["title"] == "请先登录。"


# --- over a socket -----------------------------------------------------------------------------------------------------------
def test_a_sender_that_drips_is_cut_off(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.web.hooks.SECONDS", 0.5)
    monkeypatch.setenv("ODOO", ODOO)
    with _socketed(store, tmp_path) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        path = odoo().path
        slow.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{{".encode())
        began = time.monotonic()
        for _ in range(50):
            slow.sendall(b" ")
            time.sleep(0.05)
            if _answered(slow):
                break
        answer = slow.recv(4096).decode()
        assert " 408 " in answer.split("\r\n")[0]
        assert time.monotonic() - began < 9


def _answered(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        connection.setblocking(True)
        connection.settimeout(10)


@contextlib.contextmanager
def _socketed(store: Store, root: Path) -> Iterator[int]:
    """A server on a port, for what a client in process cannot do."""
    import threading

    import uvicorn

    from tests.web.calling import free_port

    only = System(name="odoo", adapter="odoo", roles=("crm",), settings=SETTINGS["odoo"], hook=HookSettings(secret="env:ODOO"))  # fmt: skip
    port = free_port()
    front = Front(store, Config(systems=(only,), root=root), FixedClock(NOON))
    server = uvicorn.Server(uvicorn.Config(make(front), port=port, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(10)
