"""Releases 放行: how far a person's word reaches that lets a held order pass, and what ends it (domain 10)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.reason import Reason, money
from connector.credit.terms import usual_days
from connector.money import EXACT, rounded
from connector.policy import Level
from connector.text import Text

HUNDRED = Decimal(100)
# The rules of the reasons why a release is over. They are told when it ends; what holds the order afterwards are the others.
OVER = frozenset({"release_expired", "release_outgrown", "release_terms", "release_level"})


@dataclass(frozen=True, slots=True)
class Release:
    """A release of one order. `max_total` is what its gross total may grow to, in the order's own `currency`.

    `valid_until` is its last day. `was_red`: the customer's level has been red ever since, so that red is no news.
    """

    by: str
    on: dt.date
    max_total: Decimal
    currency: str
    valid_until: dt.date
    terms: str | None = None
    was_red: bool = False


def grown(total: Decimal, percent: Decimal, currency: str) -> Decimal:
    """What a released total may grow to: rounded to the currency's minor unit, half up."""
    return rounded(EXACT.multiply(total, 1 + percent / HUNDRED), currency)


def ended_by(
    release: Release, total: Decimal, currency: str, terms: str | None, as_of: dt.date, level: Level
) -> list[Reason]:
    """Everything that keeps a release from covering an order as it is now; nothing where it still does.

    Terms that nobody can read are longer, unless they are the same words.
    """
    found = []
    if as_of > release.valid_until:
        text = EXPIRED.fill(by=release.by, day=release.valid_until)
        found.append(Reason("release_expired", text, {"by": release.by, "valid_until": str(release.valid_until)}))
    if currency != release.currency or rounded(total, currency) > release.max_total:
        now, most = money(total, currency), money(release.max_total, release.currency)
        numbers = {"total": f"{rounded(total, currency):f}", "max_total": f"{release.max_total:f}"}
        numbers |= {"currency": currency, "released_currency": release.currency}
        found.append(Reason("release_outgrown", OUTGROWN.fill(by=release.by, total=now, most=most), numbers))
    if _longer(terms, release.terms):
        numbers = {"terms": terms or "", "released_terms": release.terms or ""}
        text = LONGER.fill(by=release.by, terms=terms or "-", released=release.terms or "-")
        found.append(Reason("release_terms", text, numbers))
    if level == "red" and not release.was_red:
        found.append(
            Reason("release_level", TURNED_RED.fill(by=release.by, day=release.on), {"since": str(release.on)})
        )
    return found


def _longer(terms: str | None, released: str | None) -> bool:
    if terms == released or terms is None:
        return False
    now, then = usual_days(terms), usual_days(released) if released is not None else None
    return now is None or then is None or now > then


EXPIRED = Text("the release by {by} was valid until {day}", "{by} 的放行有效期至 {day}，现已过期")
OUTGROWN = Text(
    "the order has grown to {total}; {by} released it up to {most}",
    "订单金额已增至 {total}，超过 {by} 放行的上限 {most}",
)
LONGER = Text(
    "the terms are now {terms}; {by} released it with {released}", "账期现为 {terms}，{by} 放行时为 {released}"
)
TURNED_RED = Text(
    "the warning level has turned red since the release by {by} on {day}",
    "{by} 于 {day} 放行之后，客户预警等级已转为红色",
)
