"""Signs: what is known of a customer beside its position, as indicators of the early warning (domain 9).

Whoever gathers signs says which were asked for; a sign that was asked for and is not there is calm where that follows
from nobody having said anything (no bounced payment), else not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from connector.credit.position import Position
from connector.credit.warn_state import RANK
from connector.credit.warn_words import sentence
from connector.policy_section import Level
from connector.policy_warning import Expiry, Warning
from connector.text import Text

ZERO, HUNDRED = Decimal(0), Decimal(100)


class Sign(NamedTuple):
    """One thing that is known: its value in the unit of the policy's steps, and words that belong to it.

    Of promises and bounced payments the number; of slowdown and payment the days; of a score the points lost (words:
    before, after, grade); of orders the multiple; of an end the days until it (words: the day); of registers the word
    (words: word, day, source) without a value; of a statement its months begun (words: its day).
    """

    value: Decimal | None
    words: tuple[str, ...] = ()


class Signs(NamedTuple):
    """The signs of one customer. `asked`: what was asked for, of everything else nothing is concluded. `total`: all
    receivables in the reporting currency, where a share of them means anything. `everything`: calm ones are shown, too."""

    asked: frozenset[str] = frozenset()
    found: Mapping[str, Sign] = {}
    total: Decimal | None = None
    everything: bool = False


NOTHING_ASKED = Signs()


class Indicator(NamedTuple):
    """One sign of trouble: its value (None: not known, or meaningless today), the level it means, the threshold reached.

    `overdue_ratio`, `utilisation` and `concentration` are fractions of 1, their thresholds percentages. `words` belong to
    the sentence. `applies` is false where the value is meaningless because there is nothing to measure: that is calm.
    """

    name: str
    value: Decimal | None
    level: Level
    threshold: Decimal | None = None
    words: tuple[str, ...] = ()
    applies: bool = True

    @property
    def text(self) -> Text:
        """The indicator as a sentence with its numbers."""
        return sentence(self.name, self.value, self.level, self.threshold, self.words)

    @property
    def kept(self) -> str | None:
        """The value as it is kept."""
        if self.value is None:
            return ",".join(self.words[:1]) or None if self.name != "data_quality" else ",".join(self.words)
        return f"{self.value:f}"


def _stepped(name: str, sign: Sign | None, warning: Warning, nothing: Decimal | None = None) -> Indicator:
    """An indicator whose value is the sign's."""
    value = sign.value if sign else nothing
    words = sign.words if sign else ()
    if value is None:
        return Indicator(name, None, "green", None, words)
    ladder = warning.ladders[name]
    level = ladder.level(value)
    return Indicator(name, value, level, ladder.step(level), words)


def _promises(sign: Sign | None, position: Position, warning: Warning) -> Indicator:
    made = _stepped("broken_promises", sign, warning, ZERO)
    return made._replace(words=(str(warning.broken_promises.within_days),))


def _slowdown(sign: Sign | None, position: Position, warning: Warning) -> Indicator:
    return _stepped("slowdown", sign, warning)


def _score(sign: Sign | None, position: Position, warning: Warning) -> Indicator:
    made = _stepped("score_drop", sign, warning)
    if sign and len(sign.words) > 2 and sign.words[2] in warning.score_drop_points.red_grades:
        return made._replace(level="red", threshold=None)
    return made


def _orders(sign: Sign | None, position: Position, warning: Warning) -> Indicator:
    made = _stepped("order_spike", sign, warning)
    rule = warning.order_spike_times
    if made.level == "red" and rule.red_needs_overdue and position.overdue <= 0:
        lower = warning.ladders["order_spike"].below("red")
        return made._replace(level=lower, threshold=warning.ladders["order_spike"].step(lower))
    return made


def _concentration(total: Decimal | None, position: Position, warning: Warning) -> Indicator:
    if total is None or total <= 0 or position.unit is None or position.unit <= 0:
        # Too few customers to speak of a share, or no rate: only the first is calm.
        return Indicator("concentration", None, "green", applies=position.unit is None)
    whole = total * position.unit
    value = max(position.open_total, ZERO) / whole
    ladder = warning.ladders["concentration"]
    level = ladder.level(value * HUNDRED)
    return Indicator("concentration", value, level, ladder.step(level))


def _last_payment(sign: Sign | None, position: Position, warning: Warning) -> Indicator:
    if position.undisputed_overdue <= 0:
        return Indicator("last_payment", ZERO, "green")
    # Who never paid has not paid since the oldest item fell due.
    return _stepped("last_payment", sign, warning, Decimal(position.undisputed_overdue_days))


def _dishonoured(sign: Sign | None, position: Position, warning: Warning) -> Indicator:
    made = _stepped("dishonoured", sign, warning, ZERO)
    return made._replace(words=(str(warning.dishonoured.within_days), *made.words))


def _expiry(name: str, rule: Expiry, sign: Sign | None) -> Indicator:
    if sign is None or sign.value is None:
        return Indicator(name, None, "green", applies=False)
    left = sign.value
    if left < 0:
        ended = -left <= rule.forget_days
        return Indicator(name, left, "red" if ended else "green", ZERO if ended else None, sign.words)
    for level, days in (("orange", rule.orange_days), ("yellow", rule.yellow_days)):
        if left <= days:
            return Indicator(name, left, level, Decimal(days), sign.words)  # type: ignore[arg-type]
    return Indicator(name, left, "green", None, sign.words)


def _listed(name: str, rule: object, sign: Sign | None, nothing: bool = False) -> Indicator:
    """An indicator of words; `nothing`: that nobody said anything means that all is well."""
    if sign is None or not sign.words:
        return Indicator(name, None, "green", applies=not nothing)
    level: Level = getattr(rule, sign.words[0], "green")
    return Indicator(name, None, level, None, sign.words, applies=level != "green")


Read = Callable[[Signs, Position, Warning], Indicator]

READERS: dict[str, Read] = {
    "broken_promises": lambda s, p, w: _promises(s.found.get("broken_promises"), p, w),
    "slowdown": lambda s, p, w: _slowdown(s.found.get("slowdown"), p, w),
    "score_drop": lambda s, p, w: _score(s.found.get("score_drop"), p, w),
    "order_spike": lambda s, p, w: _orders(s.found.get("order_spike"), p, w),
    "concentration": lambda s, p, w: _concentration(s.total, p, w),
    "last_payment": lambda s, p, w: _last_payment(s.found.get("last_payment"), p, w),
    "dishonoured": lambda s, p, w: _dishonoured(s.found.get("dishonoured"), p, w),
    "limit_expiry": lambda s, p, w: _expiry("limit_expiry", w.limit_expiry, s.found.get("limit_expiry")),
    "insurance_expiry": lambda s, p, w: _expiry(
        "insurance_expiry", w.insurance_expiry, s.found.get("insurance_expiry")
    ),
    "insurer": lambda s, p, w: _listed("insurer", w.insurer, s.found.get("insurer"), nothing=True),
    "registry": lambda s, p, w: _listed("registry", w.registry, s.found.get("registry")),
    "court": lambda s, p, w: _listed("court", w.court, s.found.get("court")),
    "statement_age": lambda s, p, w: _stepped("statement_age", s.found.get("statement_age"), w),
}
# What is read off the position of whoever owes anything: there is no sign to wait for.
OF_POSITION = frozenset({"last_payment", "concentration"})
# Their level is all that their value says: a step down is clear when the level is a lower one.
OF_WORDS = frozenset({"limit_expiry", "insurance_expiry", "insurer", "registry", "court", "data_quality"})


def rank_of(level: Level) -> Decimal:
    """The number by which levels of words are compared."""
    return Decimal(RANK[level])
