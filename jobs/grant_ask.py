"""Asking for limits: a request that may be made, and what of the requests before it gives way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from connector.credit.granting import Request, standing
from connector.credit.stage import in_season, parse_condition
from connector.errors import ConfigError
from connector.store import Connection, audit, limits
from connector.store.audit import Entry
from connector.store.customers import CustomerRow
from connector.store.limits import Asked
from connector.text import Text
from jobs.grant_matter import HERE, Desk, before_it, frozen, ledgers, rises
from jobs.grant_trail import entry, event_after
from jobs.grant_words import NO_RISE

_WAITS_ALREADY = Text(
    "A request of somebody else for this limit waits already, number {number}: it is decided first.",
    "该额度已有他人提出的待批申请（编号 {number}），须先处理。",
)


def ask(
    tx: Connection,
    desk: Desk,
    row: CustomerRow,
    request: Request,
    *,
    why: str = "",
    body: Mapping[str, Any] | None = None,
    replaces: bool = True,
) -> Asked:
    """A request for one customer's limit; an open one for the same slot gives way to it, somebody else's only where it
    `replaces`: who sells asks for more, and does not take away what credit has asked for.

    Raises ConfigError where it may not, and where the request can be none: a day in the past, an amount below nought, a kind
    that the system keeping limits does not know.
    """
    limits.lock(tx, row.key)
    for one in limits.requests(tx, keys=[row.key]) if not replaces else ():
        stands = standing(one.request, one.events)
        if one.request.slot == request.slot and stands.state == "open" and stands.requested_by != request.requested_by:
            raise ConfigError(_WAITS_ALREADY.fill(number=one.number))
    (made,) = ask_all(tx, desk, [(row, request, why, body or {})])
    return made


def ask_all(
    tx: Connection, desk: Desk, wanted: Sequence[tuple[CustomerRow, Request, str, Mapping[str, Any]]]
) -> list[Asked]:
    """Requests of many customers at once; one that stands open with the very same content is asked for once. Gives those
    that are new."""
    now, today = desk.clock.now(), desk.today
    rows = {row.key: row for row, *_ in wanted}
    limits.lock(tx, *rows)
    before = limits.requests(tx, keys=list(rows))
    open_ones: dict[tuple[int, tuple[str, str | None]], Asked] = {}
    last: dict[tuple[int, tuple[str, str | None]], Asked] = {}
    for one in before:
        last[one.customer, one.request.slot] = one
        if standing(one.request, one.events).state == "open":
            open_ones[one.customer, one.request.slot] = one
    counted = limits.pieces(tx, list(rows), desk.config.limits.master, ledgers(desk))
    new: list[Asked] = []
    entries: list[Entry] = []
    for row, request, why, body in wanted:
        _possible(desk, row, request)
        kept = {**body, "parts": [[amount, condition] for amount, condition in request.parts]}
        digest = _digest(request, body)
        same = last.get((row.key, request.slot))
        older = open_ones.get((row.key, request.slot))
        if not request.requested_by.startswith("person:"):
            # What stands or was refused is not proposed again until something is another; what a person has asked for is
            # not overruled by a job.
            if older is not None and older.request.requested_by.startswith("person:"):
                continue
            if same is not None and same.digest == digest and _state(same) in ("open", "rejected"):
                continue
        if older is not None:
            limits.record(tx, older.number, [event_after(older, "superseded", request.requested_by, now)])
            entries.append(entry("limit.supersede", row, request.requested_by, "", older.request, None))
        held = before_it(tx, desk, row, counted.get(row.key, ()), request, today)
        made_of = Asked(request, row.key, now, today, why, held, digest, kept)
        # Nobody waits for what cannot be approved. (What a review ends with waits until the level allows it.)
        by_hand = request.requested_by.startswith("person:") and "review" not in body
        frozen_by = frozen(tx, desk.policy.of(row.segment), row) if by_hand else None
        if frozen_by is not None and rises(tx, desk, row, made_of, standing(request, ())):
            raise ConfigError(NO_RISE.fill(why=frozen_by))
        new.append(made_of)
    numbers = limits.ask(tx, new)
    made = {one.number: one for one in limits.requests(tx, numbers=numbers)}
    for one in (made[number] for number in numbers):
        asked = one.request
        entries.append(entry("limit.propose", rows[one.customer], asked.requested_by, one.why, None, asked, one.before))
    audit.at_end(tx, entries, now)
    return [made[number] for number in numbers]


def _possible(desk: Desk, row: CustomerRow, request: Request) -> None:
    if request.amount_minor is not None and request.amount_minor < 0:
        raise ConfigError(Text("A limit is not below nought.", "信用额度不能为负数。"))
    if (request.amount_minor is None) != (request.kind == "unlimited"):
        raise ConfigError(Text("Only an unlimited limit has no amount.", "只有不限额（unlimited）可以不填金额。"))
    if request.valid_from < desk.today:
        raise ConfigError(
            Text(
                "A limit cannot begin in the past ({day}): what was shown then would be another.",
                "额度不能从过去的日期（{day}）开始：否则当时的结论会被改变。",
            ).fill(day=request.valid_from)
        )
    if request.valid_to is not None and request.valid_to < request.valid_from:
        raise ConfigError(Text("A limit ends after it has begun.", "额度的结束日不能早于开始日。"))
    try:
        if request.kind == "seasonal":
            in_season(request.condition, desk.today)
        for _, condition in request.parts:
            parse_condition(condition)
    except ValueError as wrong:
        raise ConfigError(
            Text("The condition “{words}” cannot be read.", "无法识别条件“{words}”。").fill(words=wrong)
        ) from None
    if desk.master(row) != HERE and request.valid_from > desk.today:
        raise ConfigError(
            Text(
                "{system} keeps one amount a customer, and has it as soon as it is approved: ask for it on its first day.",
                "{system} 中每个客户只有一个额度，批准后即写入：请于起始日当天再申请。",
            ).fill(system=desk.master(row))
        )
    if desk.master(row) != HERE and (request.kind not in ("base", "unlimited") or request.parts):
        raise ConfigError(
            Text(
                "{system} keeps one amount a customer: what ends by itself or comes in stages is only possible with "
                'master = "here" under [limits] in config.toml.',
                '{system} 中每个客户只有一个额度：临时、季节或分期额度须在 config.toml 的 [limits] 中设置 master = "here"。',
            ).fill(system=desk.master(row))
        )


def _state(asked: Asked) -> str:
    return standing(asked.request, asked.events).state


def _digest(request: Request, body: Mapping[str, Any]) -> str:
    """What makes a proposal another one: what is asked for and what it rests on, not the day."""
    said = (
        request.slot, request.kind, request.amount_minor, request.currency, request.percent, request.condition,
        [amount for amount, _ in request.parts], body.get("binding"), body.get("grade"), body.get("current"),
    )  # fmt: skip
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


__all__ = ["ask", "ask_all"]
