"""Zoho's notifications: channels that we ask for and renew, and the calls that come through them.

Zoho signs nothing: a call repeats the token of its channel. So the address ends with a token of its own, too, the channel
must be one of ours, and the record is read through the API whatever the call says. A channel lives a week at most
(API v4 and later); forgotten renewal is what usually ends notifications. Contract: Zoho's OpenAPI file for notifications
(v8) and its help pages; what Zoho does with a call that is not answered is not documented.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.zoho_crm.client import Refused as ZohoRefused
from adapters.zoho_crm.client import Zoho, contents, judge
from adapters.zoho_crm.needs import scope_needed
from adapters.zoho_crm.times import parse
from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError
from connector.hook import (
    Callback,
    Delivery,
    Event,
    Hook,
    Known,
    Refused,
    Subscription,
    Verified,
    channel_token,
    digest,
)
from connector.hook_body import object_of, text_of, wrong
from connector.hook_signing import moment, stamped, token_given
from connector.http import Answer, Verdict
from connector.text import Text

MODULES = {"accounts": "Accounts", "sales_orders": "Sales_Orders"}
_STREAMS = {module: stream for stream, module in MODULES.items()}

# How old a call may be. Zoho may well try again later what was not answered (not documented), hence not minutes.
WINDOW = dt.timedelta(hours=1)
_LIFE = dt.timedelta(days=7) - dt.timedelta(minutes=10)  # a week at most; our clock and Zoho's may differ
_RENEW_BEFORE = dt.timedelta(days=5)
_IDS_MOST = 1000
_SCOPE = "ZohoCRM.notifications.ALL"


# --- being called --------------------------------------------------------------------------------------------------------
def receive(delivery: Delivery, known: Known) -> Verified | Refused:
    """A notification: its channel must be ours, its token that of the channel, its time not long ago."""
    body = object_of(delivery.body)
    if isinstance(body, Refused):
        return body
    channel = text_of(body.get("channel_id"), 64)
    wanted = [channel_token(secret, known.system, channel) for secret in known.secrets]
    if refused := token_given(text_of(body.get("token"), 256), wanted, "token"):
        return refused
    if channel not in known.subscriptions:
        # The token is right: one of ours that was replaced, and that Zoho has not yet forgotten.
        return Refused(403, "unknown_channel", Text("The channel is not in use.", "该通道未在使用。"))
    stamp = text_of(body.get("server_time"), 20)
    if refused := stamped(stamp, known.now, WINDOW):
        return refused
    module = text_of(body.get("module"), 100)
    if not module:
        return wrong("no module", "缺少 module")
    if (uri := text_of(body.get("resource_uri"), 1000)) and not uri.rstrip("/").endswith(f"/{module}"):
        return Refused(403, "foreign", Text("resource_uri is of another module.", "resource_uri 属于其他模块。"))
    return Verified(_events(body, module, channel, stamp))


def _events(body: Mapping[str, Any], module: str, channel: str, stamp: str) -> list[Event]:
    given = body.get("ids")
    keys = [key for one in given if (key := text_of(one, 64))] if isinstance(given, list) else []
    if not keys or len(keys) > _IDS_MOST:
        keys = [""]  # so many at once need not be told apart
    kind = text_of(body.get("operation"), 40)
    streams = (_STREAMS[module],) if module in _STREAMS else ()
    at = moment(stamp)
    return [Event(digest(channel, stamp, module, kind, key), streams, key, kind, at) for key in keys]


# --- asking to be called -------------------------------------------------------------------------------------------------
def subscribe(client: Zoho, callback: Callback, streams: Sequence[str]) -> list[Subscription]:
    """One channel for all modules. ConfigError where the scope is missing."""
    chosen = tuple(s for s in streams if s in MODULES)
    if not chosen:
        return []
    # Any number that is no other program's of this user; the answer would not say.
    channel = str(10**14 + secrets.randbelow(9 * 10**14))
    made = _asked(client, "POST", callback, channel, chosen)
    if made is None:
        raise ProtocolError(Text("Zoho does not know the channel it has made.", "Zoho 不认识它刚创建的通道。"))
    return [made]


def renew(client: Zoho, callback: Callback, subscription: Subscription) -> Subscription | None:
    """The same channel for another week, with the address and token as they are now."""
    return _asked(client, "PUT", callback, subscription.id, subscription.streams)


def unsubscribe(client: Zoho, subscriptions: Sequence[Subscription]) -> None:
    """Ends channels; those that are gone already are no trouble."""
    for one in subscriptions:
        _row(_call(client, "DELETE", params={"channel_ids": one.id}), one.id)


def _asked(client: Zoho, method: str, callback: Callback, channel: str, streams: Sequence[str]) -> Subscription | None:
    until = (client.connection.clock.now() + _LIFE).replace(microsecond=0)
    watch = {
        "channel_id": channel,
        "events": [f"{MODULES[stream]}.all" for stream in streams],
        "channel_expiry": until.isoformat(),
        "token": callback.token(channel),
        "notify_url": callback.address,
    }
    row = _row(_call(client, method, json={"watch": [watch]}), channel)
    if row is None:
        return None
    granted = [parse(text_of(e.get("channel_expiry"))) for e in row if isinstance(e, dict) and e.get("channel_expiry")]
    return Subscription(channel, tuple(streams), min(granted, default=until))


def _call(client: Zoho, method: str, **what: Any) -> Answer:
    """One call about channels. All of them may be repeated: asking twice for a channel of one number makes no second one.

    ConfigError naming the scope, where that is what is missing.
    """
    try:
        return client.http.call(method, client.path("/actions/watch"), safe=True, judge=_judge, **what)
    except ZohoRefused as refused:
        if refused.code != "OAUTH_SCOPE_MISMATCH":
            raise
        raise ConfigError(scope_needed(_SCOPE), log=refused.code) from refused


def _row(answer: Answer, channel: str) -> list[Any] | None:
    """What Zoho says of our channel's events; None where it does not know the channel."""
    rows = contents(answer).get("watch") or [contents(answer)]
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    code = str(row.get("code") or "")
    if code == "SUCCESS":
        details = row.get("details")
        events = details.get("events") if isinstance(details, dict) else None
        return events if isinstance(events, list) else []
    if code in ("NOT_SUBSCRIBED", "INVALID_DATA") and _names_channel(row):
        return None
    raise _refusal(code, str(row.get("message") or ""), channel)


def _names_channel(row: Mapping[str, Any]) -> bool:
    details = row.get("details")
    about = str(details.get("api_name") or details.get("json_path") or "") if isinstance(details, dict) else ""
    return row.get("code") == "NOT_SUBSCRIBED" or "channel_id" in about


def _refusal(code: str, message: str, channel: str) -> HoldfastError:
    return RejectedError(
        Text("Zoho refuses the channel {channel}: {code} {message}", "Zoho 拒绝通道 {channel}：{code} {message}").fill(
            channel=channel, code=code, message=message
        ),
        code=code,
    )


def _judge(answer: Answer) -> Verdict:
    """An answer with one result a channel is read by us, whatever its status."""
    if answer.status in (200, 201, 202, 207, 400):
        try:
            rows = contents(answer).get("watch")
        except ProtocolError:
            return judge(answer)
        if isinstance(rows, list) and rows:
            return "ok"
        if answer.status == 400 and contents(answer).get("code") == "NOT_SUBSCRIBED":
            return "ok"
    return judge(answer)


HOOK: Hook[Zoho] = Hook(
    receive=receive,
    by_hand=Text(
        "Nothing is set up in Zoho: the connector asks for notifications and renews them. The refresh token needs the scope "
        "ZohoCRM.notifications.ALL.",
        "无需在 Zoho 中设置：连接器自行订阅并续订通知。刷新令牌须含权限范围 ZohoCRM.notifications.ALL。",
    ),
    address_is_secret=True,
    subscribe=subscribe,
    renew=renew,
    unsubscribe=unsubscribe,
    renew_before=_RENEW_BEFORE,
)
