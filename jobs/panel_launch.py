"""Launching the panel: a CRM's server-side code says, signed, which of its users looks at which record, and gets an address.

    POST {service}/launch/{system}
    Content-Type: application/json
    X-Holdfast-Signature: t=1764057600,v1=HEX        HMAC-SHA256 over "t.body" with the secret of [systems.panel]

    {"object": "Accounts",                 the object as the CRM calls it, or "customer" / "order"
     "record_id": "5540000000010000006",   the record's id there
     "crm_user": "5540000000003000001",    the id there of the user who looks (or his e-mail address)
     "nonce": "1764057600123",             optional, anything new: two calls alike within a second are one replayed
     "language": "zh_CN",                  optional; else the person's own, else the browser's
     "theme": "dark"}                      optional: light, dark; else the browser's

    200 {"url": "https://…/panel/crm?code=…",   for an iframe: good once, for 90 seconds
         "post": "https://…/panel/crm",         or a form into the frame by POST with `code`: then nothing stands in an address
         "code": "…",
         "expires": "2026-11-25T08:01:30Z"}

`t` is seconds since 1970, at most five minutes off. Whole numbers are taken for ids, too. Refusals are problem+json with a
stable `code`: 401 `unsigned`, `signature`; 403 `late`, `early`; 409 `replayed`; 422 `object`, `record_id`, `crm_user`; 404
where the system has no panel; 429 after many bad calls. The same call at `/launch/{system}/answer` is answered with the
figures themselves as JSON, for cards that the CRM draws by itself.

Why no API key opens a launch: whoever launches says who looks, so what he proves with must hold for this one connection,
for this very call and for these minutes, and must not travel. A key is a program's, good for every system, and is itself
sent with each call: a log of the CRM's that keeps headers would open every customer in every user's name. Programs that read
figures as themselves have the API.

Why a code in an address will do: a browser keeps no cookie of ours inside another site's frame, and a frame is opened by an
address. The code is 256 random bits that stand for nothing by themselves, is used up by the first who comes with it (whatever
node he comes to), ends after 90 seconds, is in no log of ours, and no page hands it on (`Referrer-Policy: no-referrer`). A
proxy that keeps addresses keeps a code that opens nothing any more. Who does not want it there uses `post`.

The code is exchanged for a session of fifteen minutes that stands for this system, record and user only. Its token goes into
the hidden fields of the page's own forms: the page works without script and without cookies, and because nothing of it is
sent by the browser on its own, no other page can act for him. An address says nothing of a record that could be changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from connector import adapter as adapters
from connector.clock import Clock
from connector.config import Config, System
from connector.config_panel import is_origin
from connector.errors import ConfigError
from connector.hook import Delivery, Known, Refused, digest
from connector.hook_body import object_of, text_of
from connector.hook_signing import TOLERANCE, stamp_and_body_signed
from connector.http import hide
from connector.store import panel_codes
from connector.store.audit import Entry, append
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.text import Text

SIGNATURE = "x-holdfast-signature"
CODE_LASTS = dt.timedelta(seconds=90)
SESSION_LASTS = dt.timedelta(minutes=15)
# A view is told of in the audit trail; the refreshes within this time are not.
_TOLD_EVERY = dt.timedelta(minutes=1)
# Views have a lane of the audit trail of their own: looking keeps nobody waiting who decides.
LANE = "views"
_CODE, _SESSION, _CALL, _VIEW = "panel", "panel_session", "panel_call", "panel_view"
_SHORTEST = 32
_ID_MOST = 200
_MEMBERS = ("object", "record_id", "crm_user", "nonce", "language", "theme")

_WANTED = Text("{name}: a text or a whole number is wanted.", "{name}：应为文本或整数。")
_UNKNOWN_MEMBER = Text("{name}: there is no such member. There are: {names}.", "没有 {name} 这一项。可用：{names}。")
_UNKNOWN_OBJECT = Text("There is no object “{name}” here. There are: {names}.", "没有对象“{name}”。可用：{names}。")
_REPLAYED = Text(
    "This call was heeded before. Send a new stamp or another nonce.",
    "该请求已处理过。请使用新的时间戳或不同的 nonce。",
)
_TOO_SHORT = Text(
    "{system}: the secret of its panel is shorter than {least} characters.", "{system}：面板密钥不足 {least} 个字符。"
)


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at what: a user of a system at one of its records. `kind` is "customer" or "order"; `person` an id of
    config.toml where it is known already ("": the system's user says who). `id` names the session in the audit trail."""

    system: str
    object: str
    kind: str
    record: str
    user: str
    person: str = ""
    language: str = ""
    theme: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Launched:
    """A code that opens the panel once, until a moment."""

    code: str
    expires: dt.datetime


# --- what a system's panel is -------------------------------------------------------------------------------------------
def has_panel(system: System) -> bool:
    """Whether a system shows the panel."""
    return system.panel is not None and system.panel.enabled


def frame_ancestors(system: System) -> tuple[str, ...]:
    """The origins whose pages may frame the panel of a system; none: nobody's."""
    if system.panel is None or not system.panel.enabled:
        return ()
    if system.panel.frame_ancestors:
        return system.panel.frame_ancestors
    adapter = adapters.load(system.adapter)
    if adapter.framed_by is None:
        return ()
    found = adapter.framed_by(adapter.settings.model_validate(dict(system.settings)))
    return tuple(one for one in found if is_origin(one))


def objects(system: System) -> dict[str, str]:
    """The objects of a system that the panel is shown of, as the system calls them, each "customer" or "order"."""
    found = {"customer": "customer", "order": "order"}
    for channel in adapters.load(system.adapter).channels:
        if channel.kind in ("customer_fields", "hold", "limit"):
            found.setdefault(channel.object, "customer")
        elif channel.kind == "order_fields":
            found[channel.object] = "order"
    return found


def secrets_of(config: Config, system: System) -> tuple[str, ...]:
    """The secrets of a system's panel, the newest first. ConfigError where one is not set or too short."""
    panel = system.panel
    if panel is None:
        raise ConfigError(
            Text(
                "{system} has no [systems.panel] in config.toml: add one with the reference to its secret.",
                "{system} 在 config.toml 中没有 [systems.panel]：请添加，并填写密钥引用。",
            ).fill(system=system.name)
        )
    references = [r for r in (panel.secret, panel.secret_before) if r]
    found = [config.secret(reference, f"{system.name} panel") for reference in references]
    for value in found:
        hide(value)
        if len(value) < _SHORTEST:
            raise ConfigError(_TOO_SHORT.fill(system=system.name, least=_SHORTEST))
    return tuple(found)


# --- the signed call ------------------------------------------------------------------------------------------------------
def asked(
    store: Store, config: Config, clock: Clock, system: System, headers: Mapping[str, str], body: bytes
) -> Look | Refused:
    """What a signed call asks for: proof first, meaning second; each call is heeded once. ConfigError where its secret is
    not set."""
    delivery, now = Delivery("POST", headers, body), clock.now()
    known = Known(system.name, secrets_of(config, system), now)
    refused = stamp_and_body_signed(delivery, known, header=SIGNATURE)
    if refused is not None:
        return refused
    said = object_of(body)
    if isinstance(said, Refused):
        return said
    look = _look(system, said)
    if isinstance(look, Refused):
        return look
    # What was signed, not the signature: of two signatures on one call either would do.
    stamp = next(part for part in headers[SIGNATURE].split(",") if part.strip().startswith("t="))
    with store.writing(concern=Concern()) as tx:
        if not panel_codes.claim(tx, _CALL, f"{system.name}\0{digest(stamp.strip(), body)}", now, 3 * TOLERANCE):
            return Refused(409, "replayed", _REPLAYED)
    return look


def _look(system: System, said: Mapping[str, Any]) -> Look | Refused:
    for name in said:
        if name not in _MEMBERS:
            return Refused(422, "member", _UNKNOWN_MEMBER.fill(name=str(name)[:60], names=", ".join(_MEMBERS)))
    values = {name: text_of(said.get(name, ""), _ID_MOST) for name in _MEMBERS}
    for name in _MEMBERS:
        if not values[name] and (name in ("object", "record_id", "crm_user") or said.get(name, "") != ""):
            return Refused(422, name, _WANTED.fill(name=name))
    known = objects(system)
    kind = known.get(values["object"])
    if kind is None:
        names = ", ".join(known)
        return Refused(422, "object", _UNKNOWN_OBJECT.fill(name=values["object"], names=names))
    theme = values["theme"] if values["theme"] in ("light", "dark") else ""
    return Look(
        system.name,
        values["object"],
        kind,
        values["record_id"],
        values["crm_user"],
        language=values["language"][:20],
        theme=theme,
    )


# --- codes and sessions ---------------------------------------------------------------------------------------------------
def launch(store: Store, clock: Clock, look: Look, actor: str = "") -> Launched:
    """A code that opens the panel once. `actor`: a person who has asked for it here, who is told of in the audit trail."""
    now = clock.now()
    with store.writing(concern=Concern()) as tx:
        code = panel_codes.make(tx, _CODE, now, CODE_LASTS, asdict(look), look.person)
        if actor:
            after = {"system": look.system, "object": look.object, "record": look.record, "for": look.person}
            append(tx, [Entry("panel.link", f"{look.kind}:{look.system}/{look.record}", actor, after=after)], now)
    return Launched(code, now + CODE_LASTS)


def redeem(store: Store, clock: Clock, system: System, code: str) -> tuple[Look, str] | None:
    """Who looks at what by a code, which is used up, and the token of the session that it begins; None: it is not good, not
    any more, or another system's."""
    now = clock.now()
    with store.writing(concern=Concern()) as tx:
        said = panel_codes.use(tx, _CODE, code, now)
        if said is None or said.get("system") != system.name:
            return None
        look = replace(Look(**said), id=digest(code)[:12])
        return look, panel_codes.make(tx, _SESSION, now, SESSION_LASTS, asdict(look), look.person)


def session(store: Store, clock: Clock, system: System, token: str) -> Look | None:
    """Who looks at what in a session; None: it is over, or another system's."""
    with store.reading() as tx:
        said = panel_codes.look(tx, _SESSION, token, clock.now())
    return Look(**said) if said is not None and said.get("system") == system.name else None


def seen(store: Store, clock: Clock, look: Look, actor: str, sees: str) -> None:
    """Tells the audit trail that somebody looks at a record, once a minute however often he does."""
    now = clock.now()
    what = f"{actor}\0{look.system}\0{look.kind}\0{look.record}"
    with store.writing(concern=Concern()) as tx:
        if panel_codes.claim(tx, _VIEW, what, now, _TOLD_EVERY):
            after = {"system": look.system, "object": look.object, "user": look.user, "sees": sees, "session": look.id}
            append(tx, [Entry("panel.view", f"{look.kind}:{look.system}/{look.record}", actor, after=after)], now, LANE)
