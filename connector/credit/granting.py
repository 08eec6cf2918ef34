"""Granting: what stands of a request for a limit after all that became of it, and the pieces of limit that come of one.

A request asks for one piece: the main limit (a base, unlimited, or one in stages), or something beside it that ends by
itself (an override, an uplift, a season, a guarantee). The main limit has one piece at a time: a new one takes the place
of the one before from its first day on. What was granted before a day stays what it was on that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple

from connector.credit.limit import in_force
from connector.model import Limit, LimitKind
from connector.money import from_minor, to_minor_exact

What = Literal["proposed", "changed", "approved", "granted", "rejected", "superseded", "in_force"]
State = Literal["open", "granted", "in_force", "rejected", "superseded"]

# Of these a customer has one at a time; a limit in stages is a base with its tranches.
MAIN: frozenset[LimitKind] = frozenset({"base", "unlimited", "stage"})
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What limit is asked for. `amount_minor` in minor units of `currency`; None: unlimited. `percent` of a guarantee is
    a fraction of 1. `parts` are the tranches of a limit in stages, amount and condition, adding up to the amount."""

    number: int = 0
    kind: LimitKind
    amount_minor: int | None
    currency: str
    requested_by: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    percent: Decimal | None = None
    condition: str | None = None
    segment: str | None = None
    parts: tuple[tuple[Decimal, str], ...] = ()

    @property
    def amount(self) -> Decimal | None:
        """What is asked for; None: unlimited."""
        return None if self.amount_minor is None else from_minor(self.amount_minor, self.currency)

    def decimal(self, minor: int) -> Decimal:
        """Minor units of the request's currency as an amount."""
        return from_minor(minor, self.currency)

    def minor(self, amount: Decimal) -> int:
        """An amount in minor units of the request's currency. Raises ValueError where it has smaller parts."""
        return to_minor_exact(amount, self.currency)

    @property
    def slot(self) -> tuple[str, str | None]:
        """Of requests for the same slot the newer one takes the place of the older."""
        return ("main" if self.kind in MAIN else self.kind), self.segment


class Event(NamedTuple):
    """Something that became of a request; `amount_minor` is the amount that it stands at since."""

    number: int
    at: dt.datetime
    what: What
    actor: str
    why: str = ""
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a request: its state, the amount it stands at, who asked for that and who has approved it."""

    state: State
    amount_minor: int | None
    requested_by: str
    approvers: tuple[str, ...] = ()
    last: int = 0


def standing(request: Request, events: Iterable[Event]) -> Standing:
    """What stands of a request after its events, in their order.

    A change makes earlier approvals void: nobody has approved another amount than he saw. Whoever raises it has asked for
    it himself.
    """
    now = Standing("open", request.amount_minor, request.requested_by)
    for event in events:
        if event.what == "changed":
            asker = event.actor if raises(event.amount_minor, now.amount_minor) else now.requested_by
            now = replace(now, amount_minor=event.amount_minor, requested_by=asker, approvers=())
        elif event.what == "approved":
            now = replace(now, approvers=(*now.approvers, event.actor))
        elif event.what != "proposed":
            now = replace(now, state=event.what)
        now = replace(now, last=event.number)
    return now


def raises(new: int | None, old: int | None) -> bool:
    """Whether one amount is more than another; None is unlimited."""
    return old is not None and (new is None or new > old)


def pieces_of(request: Request, amount_minor: int | None, approved_on: dt.date) -> list[Limit]:
    """The pieces of limit that come of a request that was granted at an amount: one, or a base and its tranches.

    Tranches were made for the amount that was proposed; at another amount each is scaled, the last has what is left.
    """
    ref = f"limit-{request.number}"
    main = Limit(
        id=ref,
        customer_id="",
        kind="base" if request.kind == "stage" else request.kind,
        amount=amount_minor,
        currency=request.currency,
        percent=request.percent,
        valid_from=request.valid_from,
        valid_to=request.valid_to,
        approved_on=approved_on,
        condition=request.condition,
        segment=request.segment,
    )
    found = [main]
    left, whole = amount_minor or 0, request.amount_minor or 0
    for at, (part, condition) in enumerate(request.parts, 1):
        asked = request.minor(part)
        mine = left if at == len(request.parts) else min(asked * (amount_minor or 0) // whole if whole else 0, left)
        left -= mine
        found.append(
            replace(
                main, id=f"{ref}-{at}", kind="stage", amount=mine, condition=condition or None, percent=None,
                # Tranches come in the order of their days, then of their refs.
                valid_from=request.valid_from,
            )
        )  # fmt: skip
    return found


def ended_by(new: Limit, old: Sequence[tuple[Limit, dt.date | None]]) -> dict[str, dt.date]:
    """The pieces whose place a new one takes, by ref, with the first day on which they do not count any more.

    A new main limit ends the one before. Of overrides, seasons and the like those that were approved earlier stay: the
    one approved last wins while both are in force. Of the same day none is later, so the earlier one ends.
    """
    day = new.valid_from or dt.date.min
    found = {}
    for piece, ended_on in old:
        if piece.segment != new.segment or (ended_on is not None and ended_on <= day):
            continue
        main = new.kind in MAIN and piece.kind in MAIN
        same_day = piece.kind == new.kind and piece.kind in ("override", "seasonal") and _both(piece, new)
        if main or (same_day and piece.approved_on == new.approved_on):
            found[piece.ref] = day
    return found


def _both(one: Limit, other: Limit) -> bool:
    """Whether there is a day on which both are in force."""
    first = max(one.valid_from or dt.date.min, other.valid_from or dt.date.min)
    return in_force(one, first) and in_force(other, first)


def adopted(said: Iterable[Limit], day: dt.date, number: int) -> list[Limit]:
    """The pieces that a ledger has said, as our own from a day on: those that count on that day or later.

    Guarantees stay where they are: they are contracts, not decisions.
    """
    found = []
    for at, piece in enumerate(said, 1):
        if piece.kind == "guarantee" or (piece.valid_to is not None and piece.valid_to < day):
            continue
        begins = max(piece.valid_from or day, day)
        approved = min(piece.approved_on or day, day)
        found.append(replace(piece, id=f"adopted-{number}-{at}", valid_from=begins, approved_on=approved))
    return found


def merged(
    said: Iterable[Limit], granted: Sequence[tuple[Limit, dt.date | None]], on: dt.date | None = None
) -> list[Limit]:
    """What counts of what a ledger says and what was granted here: the ledger's until the day before the first piece of
    our own, its guarantees always, and ours until they ended. `on`: as it was known on that day; None: as we know now."""
    if on is not None:
        granted = [(piece, end) for piece, end in granted if (piece.approved_on or on) <= on]
    if not granted:
        return list(said)
    since = min(piece.valid_from or dt.date.min for piece, _ in granted)
    found = []
    for piece in said:
        if piece.kind == "guarantee":
            found.append(piece)
        elif since > dt.date.min and (cut := _until(piece, since)) is not None:
            found.append(cut)
    return [*found, *(cut for piece, ended_on in granted if (cut := _until(piece, ended_on)) is not None)]


def _until(piece: Limit, end: dt.date | None) -> Limit | None:
    """A piece that does not count from a day on; None where it never counts."""
    if end is None or (piece.valid_to is not None and piece.valid_to < end):
        return piece
    if piece.valid_from is not None and piece.valid_from >= end:
        return None
    return replace(piece, valid_to=end - _DAY)


def main_amount(pieces: Iterable[Limit], on: dt.date) -> tuple[bool, Limit | None]:
    """The main limit of a day, without uplifts and guarantees: whether it is unlimited, and the base that counts."""
    valid = [piece for piece in pieces if in_force(piece, on)]
    if any(piece.kind == "unlimited" for piece in valid):
        return True, None
    bases = [piece for piece in valid if piece.kind == "base"]
    first = dt.date.min
    key = max(bases, key=lambda x: (x.approved_on or first, x.valid_from or first, -(x.amount or 0)), default=None)
    return False, key


__all__ = [
    "MAIN",
    "Event",
    "Request",
    "Standing",
    "adopted",
    "ended_by",
    "main_amount",
    "merged",
    "pieces_of",
    "raises",
    "standing",
]
