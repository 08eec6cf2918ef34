"""Webhooks: what happens in the product is told, a forged or late call is refused, and what was promised is renewed."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from connector.hook import (
    BODY_MOST,
    Callback,
    Delivery,
    Hook,
    Known,
    Refused,
    Subscription,
    Verified,
    address_token,
    channel_token,
    heard,
)
from tests.conformance.stage import Stage
from tests.conformance.world import Hooked
from tests.unit.kit.clocks import Patient

SYSTEM = "conformance"
_LATE = dt.timedelta(hours=2)


@dataclass
class Listening:
    """Who is called: keeps each call as the front door would see it."""

    url: str = ""
    calls: list[Delivery] = field(default_factory=list)


@contextlib.contextmanager
def _listening() -> Iterator[Listening]:
    kept = Listening()

    class Handling(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = urlsplit(self.path).path
            token = path.removeprefix(f"/hooks/{SYSTEM}").lstrip("/")
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.calls.append(Delivery("POST", headers, body, token=token, url=kept.url + self.path))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handling)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class _Called:
    stage: Stage
    hook: Hook[Any]
    world: Hooked
    listening: Listening
    callback: Callback
    subscriptions: list[Subscription]

    @property
    def known(self) -> Known:
        held = frozenset(s.id for s in self.subscriptions)
        return Known(SYSTEM, (self.world.secret,), dt.datetime.now(dt.UTC), held)

    def happens(self, stream: str) -> tuple[str, list[Delivery]]:
        """Something happens in the product: the record's key, and the calls that came of it."""
        before = len(self.listening.calls)
        key = self.world.happen[stream](self.stage.sandbox)
        self.world.sender(self.stage.sandbox).settle()
        return key, self.listening.calls[before:]

    def genuine(self) -> Delivery:
        """A call of the product about a stream of the world."""
        calls = [call for stream in self.world.happen for call in self.happens(stream)[1]]
        assert calls, "nothing was told"
        return calls[0]


@contextlib.contextmanager
def _called(stage: Stage) -> Iterator[_Called]:
    """The product has been asked, or told by hand, to call."""
    hook = stage.adapter.hook
    assert hook is not None, "the product does not call"
    world = stage.world.hook
    assert world is not None, "the world does not say what makes the product call"
    # The product's calls bear the time of this machine, and what it promises ends some days from now.
    stage.clock = Patient(dt.datetime.now(dt.UTC))
    with _listening() as listening:
        address = f"{listening.url}/hooks/{SYSTEM}"
        if hook.address_is_secret:
            address += "/" + address_token(world.secret, SYSTEM)
        callback = Callback(address, lambda channel: channel_token(world.secret, SYSTEM, channel))
        made: list[Subscription] = []
        if hook.subscribe is not None:
            made = list(hook.subscribe(stage.client(), callback, [s.name for s in stage.adapter.streams]))
            assert made, "the product has promised nothing"
            assert {s for one in made for s in one.streams} <= {s.name for s in stage.adapter.streams}
        else:
            assert world.by_hand is not None, "nobody can tell the product where to call"
            world.by_hand(stage.sandbox, address, world.secret)
        yield _Called(stage, hook, world, listening, callback, made)


def hook(stage: Stage, _: str = "") -> None:
    """What happens is told: the call is genuine, names a stream that shows it, and the record; twice the same is one."""
    with _called(stage) as called:
        assert called.world.happen, "the world lets nothing happen"
        client = stage.client()
        for name in called.world.happen:
            stream = stage.adapter.stream(name)
            cursor = stage.read(stream, client=client)[-1].cursor
            key, calls = called.happens(name)
            assert calls, f"nothing was told of {name}"
            events = []
            for call in calls:
                first, again = (heard(called.hook, call, called.known) for _ in range(2))
                assert isinstance(first, Verified), first
                assert isinstance(again, Verified)
                assert first.reply.status == 200
                assert [e.id for e in first.events] == [e.id for e in again.events], "the same call is another event"
                events += first.events
            about = [e for e in events if not e.streams or name in e.streams]
            assert about, f"{name}: told of {[e.streams for e in events]} only"
            assert all(set(e.streams) <= {s.name for s in stage.adapter.streams} for e in events)
            assert not key or key in {e.key for e in about}, f"{name}/{key} is not named"
            told = [r for page in stage.read(stream, cursor, client) for r in page.records]
            assert told or any(page.gone for page in stage.read(stream, cursor, client)), (
                "the truth is not there to be read"
            )
        ids = [e.id for call in called.listening.calls for e in _events(called, call)]
        assert len(set(ids)) >= len(called.world.happen), "different events have one id"


def _events(called: _Called, call: Delivery) -> list[Any]:
    found = heard(called.hook, call, called.known)
    return list(found.events) if isinstance(found, Verified) else []


def forged(stage: Stage, _: str = "") -> None:
    """Another secret, a wrong or missing token, a body that is none: each refused with a status of the caller's fault; of a
    call that is signed nothing can be changed; and nothing that is sent makes anything worse of it than a refusal."""
    with _called(stage) as called:
        call, known = called.genuine(), called.known
        genuine = heard(called.hook, call, known)
        assert isinstance(genuine, Verified), genuine
        _refused(called, call, replace(known, secrets=("another-secret-of-another-system=",)), "another secret")
        _refused(called, replace(call, headers={}, body=b""), known, "nothing")
        _refused(called, replace(call, body=call.body[: len(call.body) // 2]), known, "half of it")
        _refused(called, replace(call, body=b"[" * 5000), known, "deeply nested")
        _refused(called, replace(call, body=b" " * (BODY_MOST + 1)), known, "oversized")
        _refused(called, replace(call, body=b'{"a": 1}', headers={}), known, "somebody's guess")
        _refused(called, replace(call, token=call.token + "x"), known, "another address")
        if called.hook.address_is_secret:
            _refused(called, replace(call, token=""), known, "no token")
            _refused(called, call, replace(known, system="other"), "the token of another system")
        before = Known(
            SYSTEM,
            ("the-new-secret-of-this-system-0123456789ABC=", called.world.secret),
            known.now,
            known.subscriptions,
        )
        if called.hook.fit is None:
            assert isinstance(heard(called.hook, call, before), Verified), (
                "while it is changed, the former secret counts too"
            )
        _shaken(called, call, known, genuine)


def _refused(called: _Called, call: Delivery, known: Known, what: str) -> None:
    found = heard(called.hook, call, known)
    assert isinstance(found, Refused), f"{what} is taken"
    assert 400 <= found.status < 500, what
    assert found.code, what
    said = found.why.en + found.why.zh
    assert called.world.secret not in said
    assert not call.token or call.token not in said


def _shaken(called: _Called, call: Delivery, known: Known, genuine: Verified) -> None:
    """Bytes changed at random places; the draws are the same each time."""
    draw = random.Random(7)
    for _ in range(300):
        raw = bytearray(call.body)
        for _ in range(draw.choice((1, 1, 3))):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        found = heard(called.hook, replace(call, body=bytes(raw)), known)
        if isinstance(found, Verified) and not called.hook.address_is_secret:
            same = [e.id for e in found.events] == [e.id for e in genuine.events]
            assert same, f"a changed call is taken for genuine: {bytes(raw)!r}"


def late(stage: Stage, _: str = "") -> None:
    """A call of two hours ago, or of two hours ahead, is refused, whoever sends it."""
    with _called(stage) as called:
        call, known = called.genuine(), called.known
        for moved in (_LATE, -_LATE):
            found = heard(called.hook, call, replace(known, now=known.now + moved))
            assert isinstance(found, Refused), "a call of another time is taken"
            assert found.code in ("late", "early")


def renewal(stage: Stage, _: str = "") -> None:
    """What was promised is prolonged; what is gone is noticed; what is ended is told no more."""
    with _called(stage) as called:
        assert called.hook.subscribe, "the product cannot be asked"
        assert called.hook.renew, "the product cannot be asked"
        assert called.hook.unsubscribe, "the product cannot be asked"
        assert called.world.forget is not None, "the world does not say how the product forgets"
        client, now = stage.client(), stage.clock.now()
        for one in called.subscriptions:
            assert one.until is None or one.until > now + called.hook.renew_before, (
                "it would have to be renewed at once"
            )
            stage.clock.at = now + dt.timedelta(seconds=90)
            again = called.hook.renew(client, called.callback, one)
            assert again is not None
            assert again.id == one.id
            assert again.streams == one.streams
            assert one.until is None or (again.until is not None and again.until > one.until), "it is not prolonged"
        assert called.genuine(), "renewed, it tells nothing any more"
        name = next(iter(called.world.happen))
        called.hook.unsubscribe(client, called.subscriptions)
        assert not called.happens(name)[1], "ended, it still tells"
        called.hook.unsubscribe(client, called.subscriptions)  # once more does no harm
        renewed = list(called.hook.subscribe(client, called.callback, [s.name for s in stage.adapter.streams]))
        called.subscriptions[:] = renewed
        assert called.happens(name)[1], "asked again, it tells nothing"
        called.world.forget(stage.sandbox)
        assert [called.hook.renew(client, called.callback, one) for one in renewed] == [None] * len(renewed)
