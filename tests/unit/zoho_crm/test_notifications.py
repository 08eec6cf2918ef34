"""Notifications: channels asked for, renewed and ended in Zoho's own terms, and what its calls are taken for."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from adapters.zoho_crm import hook
from connector.clock import FixedClock
from connector.errors import ConfigError, RejectedError
from connector.hook import Callback, Delivery, Known, Refused, Subscription, Verified, channel_token
from tests.unit.zoho_crm import openapi
from tests.unit.zoho_crm.world import BASE, client, sandbox

SECRET, SYSTEM = "a-secret-of-the-operator", "crm"
CALLBACK = Callback("https://credit.example.com/hooks/crm/TOKEN", lambda c: channel_token(SECRET, SYSTEM, c))


def now() -> FixedClock:
    """The machine's own time: the product counts a channel's life by it."""
    return FixedClock(dt.datetime.now(dt.UTC))


def test_channels_are_asked_for_in_zohos_terms() -> None:
    box, clock = sandbox(5), now()
    wrong = openapi.watch(box) if openapi.FOLDER.is_dir() else []
    heard: list[Any] = []
    answer = box.answer
    box.answer = lambda request: (heard.append(request), answer(request))[1]  # type: ignore[method-assign]
    with box.mounted(BASE):
        zoho = client(box, BASE, clock)
        (one,) = hook.subscribe(zoho, CALLBACK, ["accounts", "users", "sales_orders"])
        assert one.streams == ("accounts", "sales_orders")
        assert one.until is not None
        assert dt.timedelta(days=6, hours=23) < one.until - clock.now() <= dt.timedelta(days=7)
        (asked,) = [json.loads(r.body)["watch"] for r in heard if r.path.endswith("/actions/watch")]
        (watch,) = asked
        assert watch["events"] == ["Accounts.all", "Sales_Orders.all"]
        assert watch["notify_url"] == CALLBACK.address
        assert len(watch["token"]) <= 50, "Zoho takes no longer token"
        assert SECRET not in watch["token"]
        listed = zoho.get("/actions/watch")["watch"]
        assert {row["resource_name"] for row in listed} == {"Accounts", "Sales_Orders"}
        clock.sleep(60)
        again = hook.renew(zoho, CALLBACK, one)
        assert again is not None
        assert again.id == one.id
        assert again.until is not None
        assert again.until > one.until
        assert hook.renew(zoho, CALLBACK, Subscription("999", ("accounts",))) is None
        hook.unsubscribe(zoho, [one, one])
        assert hook.renew(zoho, CALLBACK, one) is None
        assert zoho.get("/actions/watch") == {}
    assert wrong == []


def test_nothing_to_tell_asks_for_nothing() -> None:
    box = sandbox(2)
    with box.mounted(BASE):
        assert hook.subscribe(client(box, BASE, now()), CALLBACK, ["users"]) == []
    assert not [c for c in box.calls if "watch" in c.path]


def test_the_missing_scope_is_named() -> None:
    box = sandbox(2, denied=["notifications"])
    with box.mounted(BASE), pytest.raises(ConfigError, match=r"ZohoCRM\.notifications\.ALL"):
        hook.subscribe(client(box, BASE, now()), CALLBACK, ["accounts"])


def test_a_life_of_more_than_a_week_is_refused_there() -> None:
    """The sandbox keeps Zoho's own limit, so that a channel that asks for more is noticed here."""
    box, late = sandbox(2), FixedClock(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    with box.mounted(BASE), pytest.raises(RejectedError, match="INVALID_DATA"):
        hook.subscribe(client(box, BASE, late), CALLBACK, ["accounts"])


@pytest.mark.parametrize(
    ("ids", "keys"),
    [(["7"], ["7"]), (["7", "8", "7"], ["7", "8"]), ([], [""]), (None, [""]), (list(range(5000)), [""])],
)
def test_each_record_is_an_event_and_very_many_are_one(ids: Any, keys: list[str]) -> None:
    at = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
    body = {
        "server_time": int(at.timestamp() * 1000), "module": "Accounts", "operation": "delete", "channel_id": "1",
        "token": channel_token(SECRET, SYSTEM, "1"), "ids": ids,
    }  # fmt: skip
    found = hook.receive(Delivery("POST", {}, json.dumps(body).encode()), Known(SYSTEM, (SECRET,), at, frozenset("1")))
    assert isinstance(found, Verified)
    assert list(dict.fromkeys((e.key, e.id) for e in found.events)) == [
        (key, event.id) for key, event in zip(keys, {e.id: e for e in found.events}.values(), strict=True)
    ]
    assert {(e.streams, e.kind, e.at) for e in found.events} == {(("accounts",), "delete", at)}
    later = {**body, "server_time": body["server_time"] + 1}
    other = hook.receive(Delivery("POST", {}, json.dumps(later).encode()), Known(SYSTEM, (SECRET,), at, frozenset("1")))
    assert isinstance(other, Verified)
    assert {e.id for e in other.events}.isdisjoint({e.id for e in found.events}), "another moment is another event"


def test_a_channel_that_was_replaced_is_refused() -> None:
    at = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
    body = {"server_time": int(at.timestamp() * 1000), "module": "Accounts", "channel_id": "1",
            "token": channel_token(SECRET, SYSTEM, "1"), "ids": ["7"]}  # fmt: skip
    found = hook.receive(Delivery("POST", {}, json.dumps(body).encode()), Known(SYSTEM, (SECRET,), at, frozenset("2")))
    assert isinstance(found, Refused)
    assert (found.status, found.code) == (403, "unknown_channel")
