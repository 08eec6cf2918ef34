"""What is done in the panel: asking for the release of a held order, or for a limit. A form is taken once, however often it is
sent; who may, and what becomes of it, is decided where the API and the command line decide it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector.credit.authority import Person
from connector.credit.granting import Request as LimitRequest
from connector.credit.reason import money
from connector.errors import ConfigError, HoldfastError, Missing, NotAllowed
from connector.money import is_currency, parse, to_minor_exact
from connector.store import idempotent
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.text import Text
from connector.web.front import Front
from connector.web.rights import rights_of
from jobs import grant, grant_ask
from jobs import order as orders
from jobs.panel import Viewer, customer_of, order_of
from jobs.panel_launch import Look

_WHY_MOST = 2000
_ONCE_MOST = 64
_AMOUNT_MOST = 10**15

_MAY_NOT = Text("You may not ask for this here.", "您无权在此提出申请。")
_NO_REASON = Text("Write a reason.", "请填写理由。")
_NOT_THIS = Text("This order does not belong to the customer that you look at.", "该订单不属于当前查看的客户。")
_AMOUNT = Text(
    "The amount is a plain number above nought, such as 250000 or 250000.50.",
    "金额应为大于零的数字，例如 250000 或 250000.50。",
)
_ALREADY = Text("This was sent before; it is taken once.", "该申请此前已提交，不会重复处理。")
_ASKED_RELEASE = Text(
    "The release of {number} is asked for. It waits for: {who}.", "已申请放行 {number}，等待审批：{who}。"
)
_ASKED_LIMIT = Text("A limit of {amount} is asked for: request {number}.", "已申请额度 {amount}：申请编号 {number}。")
_NOBODY = Text("somebody with the authority", "有权限的审批人")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a form: a sentence, its tone (ok, note, bad), and what it was about ("release", "limit")."""

    text: Text
    tone: str
    about: str
    order: str = ""


async def act(front: Front, look: Look, viewer: Viewer, given: Mapping[str, str]) -> Done:
    """Does what a form asks for. What is wrong with it is said, not raised."""
    what, order = given.get("do", ""), given.get("order", "")
    about = "limit" if what == "limit" else "release"
    try:
        if viewer.person is None or not viewer.asks or what not in ("release", "limit"):
            raise NotAllowed(_MAY_NOT)
        person, why = viewer.person, _reason(given.get("why", ""))
        work: Callable[[Store], Text]
        if what == "release":
            work = _release(front, look, person, order, why)
        else:
            work = _limit(front, look, person, given.get("amount", ""), why)
        said = f"{look.system}\0{look.kind}\0{look.record}\0{what}\0{order}\0{given.get('amount', '')}\0{why}"
        text = await front.work(lambda: _once(front, viewer.actor, given.get("once", ""), said, work))
    except HoldfastError as wrong:
        return Done(wrong.user, "bad", about, order)
    front.wake.set()
    return Done(text or _ALREADY, "ok" if text else "note", about, order)


def _once(front: Front, actor: str, once: str, said: str, work: Callable[[Store], Text]) -> Text | None:
    """Does it, where the form was not sent before; None: it was."""
    if not once or len(once) > _ONCE_MOST or not once.isascii() or not once.isprintable():
        raise ConfigError(_MAY_NOT)
    key = f"panel:{once}"
    sha = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
    with front.store.writing(concern=Concern()) as tx:
        known = idempotent.begin(tx, actor, key, sha, front.clock.now())
    if known is not None:
        return None
    try:
        text = work(idempotent.Once(front.store, actor, key))
    except HoldfastError:
        with front.store.writing(concern=Concern()) as tx:
            idempotent.forget(tx, actor, key)
        raise
    with front.store.writing(concern=Concern()) as tx:
        idempotent.answered(tx, actor, key, 200, "{}")
    return text


def _release(front: Front, look: Look, person: Person, name: str, why: str) -> Callable[[Store], Text]:
    def work(store: Store) -> Text:
        with front.store.reading() as tx:
            order = order_of(tx, look, name)
        if order is None:
            raise Missing(_NOT_THIS)
        _, people = orders.request(
            store, front.config, front.policy(), front.clock, name, person, why, systems=front.systems
        )
        who = ", ".join(one.name or one.id for one in people)
        chosen = Text(who, who.replace(", ", "、")) if who else _NOBODY
        return _ASKED_RELEASE.fill(number=order.number or order.ref, who=chosen)

    return work


def _limit(front: Front, look: Look, person: Person, amount: str, why: str) -> Callable[[Store], Text]:
    def work(store: Store) -> Text:
        desk = grant.Desk(front.config, front.policy(), front.clock, front.systems)
        with store.writing() as tx:
            row = customer_of(tx, front.config, look)
            if row is None:
                raise Missing(_MAY_NOT)
            currency = row.currency or front.config.business.currency
            try:
                number = parse(amount.strip().replace(",", "").replace("，", ""))
                minor = to_minor_exact(number, currency) if is_currency(currency) else 0
            except ValueError:
                raise ConfigError(_AMOUNT) from None
            if not 0 < number < _AMOUNT_MOST or not minor:
                raise ConfigError(_AMOUNT)
            wanted = LimitRequest(
                kind="base",
                amount_minor=minor,
                currency=currency,
                requested_by=person.actor,
                valid_from=desk.today,
            )
            made = grant_ask.ask(tx, desk, row, wanted, why=why, replaces="credit" in rights_of(person.roles))
        return _ASKED_LIMIT.fill(amount=money(number, currency), number=made.number)

    return work


def _reason(text: str) -> str:
    """The words of a reason without signs that no database keeps; ConfigError where there are none."""
    said = "".join(c for c in text.replace("\r\n", "\n")[:_WHY_MOST] if c in "\n\t" or c.isprintable()).strip()
    if not said or any(0xD800 <= ord(c) < 0xE000 for c in said):
        raise ConfigError(_NO_REASON)
    return said
