"""Webhooks: how a call is proved to come from a product, what it tells, and how its product is asked to call.

A webhook is a *hint*: it says that something has changed, never what is so. What it names is kept in the inbox, answered
at once, and a job reads the truth through the product's API. So a forged call could at worst cost one reading; it is
refused all the same, and so are calls that come twice or late.

    receive(delivery, known)                       -> Verified | Refused   proof first, meaning second
    challenge(delivery, known)                     -> HookReply | Refused  the handshake of a product that has one
    subscribe(client, callback, streams)           -> subscriptions        asks the product to call
    renew(client, callback, subscription)          -> subscription         before it ends
    unsubscribe(client, subscriptions)                                     asks it to stop

One secret is configured for each system. What a product echoes (a token in the body, the last part of the address) is
derived from it, so that the secret itself travels nowhere and what leaks in one place opens no other.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from connector.text import Text

C = TypeVar("C")

# Bytes of the largest call that is looked at; every product that we know sends ids, a few KiB at most.
BODY_MOST = 256 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call as it arrived. Header names are lower case, `body` are the raw bytes, `query` keeps the last value of a name.

    `token` is the part of the path behind the system's name ("" where there is none); `url` is the whole address as
    the product was told it, for those that sign it.
    """

    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """What a call is judged by: the system's name, its secrets (the newest first, the former while it is being changed),
    the ids of the subscriptions we hold there, and the time."""

    system: str
    secrets: tuple[str, ...] = field(repr=False)
    now: dt.datetime
    subscriptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a call says has changed. `id` is unique in its system: the same id again is the same event.

    `streams` are the adapter's streams that show it (none: all of them are read), `key` the record's id there ("": not
    told), `at` the moment by the product's clock, `kind` its own word for what happened.
    """

    id: str
    streams: tuple[str, ...]
    key: str = ""
    kind: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class HookReply:
    """What the product is answered."""

    status: int = 200
    body: bytes = b""
    type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Verified:
    """A call that is the product's: what it tells, and what it wants to hear."""

    events: Sequence[Event]
    reply: HookReply = HookReply()


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that is not taken: the status that its sender gets, a short stable code, and the reason for the log.

    Codes: `method`, `too_large`, `token`, `signature`, `unsigned`, `late`, `early`, `unknown_channel`, `body`, `too_deep`,
    `foreign`.
    """

    status: int
    code: str
    why: Text


@dataclass(frozen=True, slots=True)
class Callback:
    """What a product is told when it is asked to call: the address, and the token that it is to repeat, by the id of the
    subscription. Both hold secrets."""

    address: str = field(repr=False)
    token: Callable[[str], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a product has promised: to call about these streams until then (None: without end)."""

    id: str
    streams: tuple[str, ...]
    until: dt.datetime | None = None


Receive = Callable[[Delivery, Known], "Verified | Refused"]
Challenge = Callable[[Delivery, Known], "HookReply | Refused | None"]
Subscribe = Callable[[C, Callback, Sequence[str]], Sequence[Subscription]]
Renew = Callable[[C, Callback, Subscription], "Subscription | None"]
Unsubscribe = Callable[[C, Sequence[Subscription]], None]


@dataclass(frozen=True)
class Hook(Generic[C]):
    """How one product calls us.

    `address_is_secret`: the product proves itself by nothing better than the address, whose last part is then a token.
    `subscribe`, `renew` and `unsubscribe` where its API can be asked; else `by_hand` says what an administrator does.
    `renew` gives None where the subscription is gone there: it is then made anew. It is asked for as soon as less than
    `renew_before` is left. `fit(secret)` says what is wrong with a secret that this product cannot use.
    """

    receive: Receive
    by_hand: Text
    address_is_secret: bool = False
    challenge: Challenge | None = None
    subscribe: Subscribe[C] | None = None
    renew: Renew[C] | None = None
    unsubscribe: Unsubscribe[C] | None = None
    renew_before: dt.timedelta = dt.timedelta(0)
    fit: Callable[[str], Text | None] | None = None


# --- secrets -----------------------------------------------------------------------------------------------------------
def derived(secret: str, system: str, purpose: str) -> str:
    """A token for one purpose in one system: 43 letters, digits, - and _; the secret cannot be told from it."""
    told = hmac.digest(secret.encode(), f"holdfast hook\0{system}\0{purpose}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


def address_token(secret: str, system: str) -> str:
    """The last part of the address of a system whose product proves itself by nothing better."""
    return derived(secret, system, "address")


def channel_token(secret: str, system: str, channel: str) -> str:
    """The token that a product repeats for one subscription."""
    return derived(secret, system, f"channel\0{channel}")


def matches(given: str, wanted: Sequence[str]) -> bool:
    """Whether a token is one of those; in constant time, whichever it is and however long."""
    told = given.encode("utf-8", "surrogateescape")
    found = False
    for one in wanted:
        found |= hmac.compare_digest(told, one.encode())
    return found


# --- judging -------------------------------------------------------------------------------------------------------------
def heard(hook: Hook[C], delivery: Delivery, known: Known) -> Verified | Refused:
    """What a call is worth: its size, the address's token, then the product's own proof. Never raises for what was sent."""
    if len(delivery.body) > BODY_MOST:
        return too_large()
    if refused := _wrong_address(hook, delivery, known):
        return refused
    return hook.receive(delivery, known)


def challenged(hook: Hook[C], delivery: Delivery, known: Known) -> HookReply | Refused | None:
    """What a handshake is answered; None where this product has none or this call is none."""
    if hook.challenge is None:
        return None
    if refused := _wrong_address(hook, delivery, known):
        return refused
    return hook.challenge(delivery, known)


def _wrong_address(hook: Hook[C], delivery: Delivery, known: Known) -> Refused | None:
    if hook.address_is_secret:
        wanted = [address_token(secret, known.system) for secret in known.secrets]
        if not matches(delivery.token, wanted):
            return Refused(401, "token", Text("The address does not hold the right token.", "地址中的令牌不正确。"))
    elif delivery.token:
        return Refused(404, "token", Text("The address has a part too many.", "地址多出一段。"))
    return None


def too_large() -> Refused:
    return Refused(
        413,
        "too_large",
        Text("The call is larger than {most} KiB.", "请求超过 {most} KiB。").fill(most=BODY_MOST // 1024),
    )


def digest(*parts: bytes | str) -> str:
    """A short id made of what a product says, for those that number nothing."""
    told = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        told.update(len(raw).to_bytes(8, "big") + raw)
    return told.hexdigest()
