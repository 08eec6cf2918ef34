"""Scoring: what is known of many debtors at once, gathered set by set, and their scores by the policy's scorecard.

A `Scorer` holds what was gathered; `score` gives one debtor's. Nothing is written here but by `keep`. The position comes
from whoever has judged it: the scorer never sums a ledger again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from connector.clock import Clock
from connector.config import Config
from connector.credit import altman, listings, ratios, scorecard
from connector.credit.habits import Habits, Share, habits, starts
from connector.credit.position import Position
from connector.credit.rates import Rates
from connector.credit.score import Score, inputs_of, score, version_of
from connector.credit.score_inputs import EVENTS, PERCENT_RATIOS, PLAIN_RATIOS, STATEMENT, Known
from connector.credit.scorecard import StatisticalCard
from connector.credit.statements import Statement, months_back
from connector.errors import ConfigError
from connector.model import Event
from connector.money import exponent
from connector.policy import Policy
from connector.policy_score import Scoring
from connector.store import Connection, behaviour, events, scores, statements
from connector.store.behaviour import Paid
from connector.store.customers import CustomerRow
from connector.store.scores import ScoreRow
from connector.text import Text

HUNDRED = Decimal(100)
_NO_SHARES: dict[str, list[Share]] = {}
_NOTHING_TOLD = dict.fromkeys(EVENTS, listings.NOTHING)
YEAR_MONTHS = 12
NONE = "none"


@dataclass(frozen=True, eq=False)
class Card:
    """The scorecard of a segment: the policy's points, or the statistical one that it names instead."""

    rules: Scoring
    version: str
    statistical: StatisticalCard | None = None

    @cached_property
    def asked(self) -> frozenset[str]:
        """The inputs that it asks for, caps among them."""
        own = self.statistical.variable if self.statistical else self.rules.criterion
        return frozenset({one.input for one in own} | {cap.input for cap in self.rules.cap})

    @property
    def ratings(self) -> Collection[str]:
        """The ratings that it has points for."""
        own = self.statistical.variable if self.statistical else self.rules.criterion
        return next((tuple(one.words) for one in own if one.input == "bureau_rating"), ())

    @property
    def body(self) -> str:
        """The scorecard as it is kept: with it and its inputs any score can be made again."""
        fitted = self.statistical.model_dump_json() if self.statistical else "null"
        return f'{{"rules": {self.rules.model_dump_json()}, "statistical": {fitted}}}'


class Cards:
    """The scorecards in use: the policy's, and those of its segments; each read once."""

    def __init__(self, config: Config, policy: Policy) -> None:
        self._config = config
        self._policy = policy
        self._known: dict[int, Card] = {}

    def of(self, segment: str | None) -> Card:
        """The scorecard for the customers of a segment. ConfigError where its file cannot be read."""
        rules = self._policy.of(segment).score
        found = self._known.get(id(rules))
        if found is None:
            found = self._known[id(rules)] = card(rules, self._config)
        return found

    def read(self) -> list[Card]:
        """Those that have been asked for."""
        return list(self._known.values())

    def files(self) -> set[str]:
        """The versions of the scorecards that stand in files: a change of one is a change of the rules."""
        found = {self.of(segment) for segment in (None, *self._policy.segment)}
        return {one.version for one in found if one.statistical is not None}


@dataclass
class Scorer:
    """What is known of debtors on a day beside their positions."""

    cards: Cards
    rates: Rates
    as_of: dt.date
    paid: Paid = field(default_factory=dict)
    since: Mapping[int, dt.date] = field(default_factory=dict)
    statements: Mapping[int, Statement] = field(default_factory=dict)
    events: Mapping[int, Sequence[Event]] = field(default_factory=dict)
    _asked: tuple[tuple[int, ...], str] | None = None
    _habits: tuple[Habits, bool] = field(default_factory=lambda: (Habits(), False))

    def score(self, debtor: int, members: Sequence[CustomerRow], position: Position) -> Score | None:
        """A debtor's score; None where its customers are not to be scored."""
        chosen = self.cards.of(members[0].segment)
        if not chosen.rules.on:
            return None
        inputs = self.inputs(debtor, members, position, chosen)
        if chosen.statistical is not None:
            return scorecard.score(inputs, chosen.statistical, self.as_of, chosen.version, chosen.rules.cap)
        return score(inputs, chosen.rules, self.as_of, chosen.version)

    def habits(self, members: Sequence[CustomerRow], currency: str) -> tuple[Habits, bool]:
        """How a debtor pays, over all its customers; and whether a payment had no rate into the currency. The last answer
        is remembered: score and warnings ask one after the other."""
        asked = (tuple([member.key for member in members]), currency)
        if self._asked != asked:
            self._asked, self._habits = asked, self._paying(members, currency)
        return self._habits

    def _paying(self, members: Sequence[CustomerRow], currency: str) -> tuple[Habits, bool]:
        shares: list[Share] = []
        for member in members:
            for paid_in, some in self.paid.get(member.key, _NO_SHARES).items():
                if paid_in == currency:
                    shares += some
                    continue
                quote = self.rates.quote(paid_in, currency, self.as_of)
                if quote is None:
                    return Habits(), True  # a part would look like the whole
                digits = exponent(currency) - exponent(paid_in)
                shares += [
                    (window, days, quote.convert(Decimal(amount)).scaleb(digits), times)
                    for window, days, amount, times in some
                ]
        return habits(shares), False

    def inputs(self, debtor: int, members: Sequence[CustomerRow], position: Position, chosen: Card) -> dict[str, Known]:
        """Everything that the scorecard asks for, as far as it is known."""
        asked = chosen.asked
        found = self._behaviour(members, position)
        if not asked.isdisjoint(STATEMENT):
            found |= self._finances(self.statements.get(debtor), chosen.rules)
        if not asked.isdisjoint(EVENTS):
            told = self.events.get(debtor)
            found |= self._listings(told, chosen) if told else _NOTHING_TOLD
        return found

    def _behaviour(self, members: Sequence[CustomerRow], position: Position) -> dict[str, Known]:
        pays, no_rate = self.habits(members, position.currency)
        window = self._window
        source = ("payments", str(pays.experiences), *window)
        few: tuple[str, ...] = ("few_payments",) if not no_rate else ("no_rate",)
        none: tuple[str, ...] = ("no_payments",) if not no_rate else ("no_rate",)
        found = {
            "payment_index": Known(pays.payment_index, source, () if pays.payment_index is not None else few),
            "days_late_90_days": Known(pays.late_recent, source, () if pays.late_recent is not None else none),
            "days_late_12_months": Known(pays.late_year, source, () if pays.late_year is not None else none),
            "slowdown_days": Known(pays.slowdown, source, () if pays.slowdown is not None else none),
        }
        since = min((self.since[m.key] for m in members if m.key in self.since), default=None)
        if since is None or since > self.as_of:
            found["years_as_customer"] = Known(flags=("no_sale",))
        else:
            years = self.as_of.year - since.year - ((self.as_of.month, self.as_of.day) < (since.month, since.day))
            found["years_as_customer"] = Known(Decimal(years), ("customer", since.isoformat()))
        return found | ledger_inputs(position)

    @cached_property
    def _window(self) -> tuple[str, str]:
        return starts(self.as_of)[-1].isoformat(), self.as_of.isoformat()

    def _finances(self, statement: Statement | None, rules: Scoring) -> dict[str, Known]:
        if statement is None:
            return dict.fromkeys(STATEMENT, Known(flags=("no_statement",)))
        source = ("statement", statement.period_end_on.isoformat())
        if self.as_of > months_back(statement.period_end_on, -rules.statement_months_max):
            return dict.fromkeys(STATEMENT, Known(None, source, ("old_statement",)))
        return statement_inputs(statement, rules)

    def _listings(self, told: Sequence[Event], chosen: Card) -> dict[str, Known]:
        months = chosen.rules.event_months_max
        return {
            "registry": listings.registry(told, self.as_of, months),
            "court": listings.court(told, self.as_of, months),
            "bureau_rating": listings.rating(told, self.as_of, months, chosen.ratings),
            "bureau_score": listings.rated(told, self.as_of, months),
        }


def scorer(
    tx: Connection,
    cards: Cards,
    rates: Rates,
    as_of: dt.date,
    systems: Collection[str],
    debtors: Collection[int] | None = None,
    keys: Collection[int] | None = None,
    events_of: Collection[str] = listings.KINDS,
) -> Scorer:
    """Gathers what is known of debtors (None: of all); `keys` are their customers in `systems`, which own the ledger;
    `events_of` the kinds of event. A handful of grouped queries, however many they are."""
    paid = behaviour.payments(tx, keys, as_of, starts(as_of), systems)
    for key, by_currency in behaviour.overdue(tx, keys, as_of, systems).items():
        for currency, shares in by_currency.items():
            paid[key].setdefault(currency, []).extend(shares)
    return Scorer(
        cards,
        rates,
        as_of,
        paid,
        behaviour.first_sold_on(tx, keys),
        statements.latest(tx, debtors, as_of),
        events.by_debtor(tx, debtors, as_of, events_of),
    )


def card(rules: Scoring, config: Config) -> Card:
    """The scorecard that the policy's `[score]` asks for. ConfigError where its file is not there or has mistakes."""
    if rules.model == NONE:
        return Card(rules, version_of(rules))
    path = config.path(rules.model)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        what = Text("The scorecard {path} cannot be read: {why}", "无法读取评分卡 {path}：{why}")
        raise ConfigError(what.fill(path=path, why=type(wrong).__name__)) from wrong
    found = scorecard.load(text, path.name)
    # The caps and the ways of reading statements are the policy's; they make another version, too.
    others = hashlib.blake2b(rules.model_dump_json().encode(), digest_size=4).hexdigest()
    return Card(rules, f"{scorecard.version_of(found)}-{others}", found)


def ledger_inputs(position: Position) -> dict[str, Known]:
    """What the ledger of the day says; nothing where a part of it could not be converted."""
    source = ("ledger", position.as_of.isoformat())
    if any(reason.rule == "no_rate" for reason in position.unclear):
        names = ("overdue_percent", "oldest_overdue_days", "utilisation_percent")
        return {name: Known(None, source, ("no_rate",)) for name in names}
    whole, used = position.open_total, position.utilisation
    overdue = position.undisputed_overdue * HUNDRED / whole if whole > 0 else None
    return {
        "overdue_percent": Known(overdue, source, () if overdue is not None else ("nothing_open",)),
        "oldest_overdue_days": Known(Decimal(position.undisputed_overdue_days), source),
        "utilisation_percent": Known(
            None if used is None else used * HUNDRED, source, ("no_limit",) if used is None else ()
        ),
    }


def statement_inputs(statement: Statement, rules: Scoring) -> dict[str, Known]:
    """Ratios and Altman of a statement, read as the policy says."""
    source = ("statement", statement.period_end_on.isoformat())
    how = ratios.Reading(rules.prepayments_out, rules.receivables, rules.annualised, rules.year_days)
    found: dict[str, Known] = {}
    made = ratios.ratios(statement.closing, {**statement.prior, **statement.opening}, months=statement.months, how=how)
    for name in PLAIN_RATIOS:
        found[name] = Known(made[name].value, source, made[name].flags, made[name].missing)
    for name, ratio in PERCENT_RATIOS.items():
        one = made[ratio]
        found[name] = Known(None if one.value is None else one.value * HUNDRED, source, one.flags, one.missing)
    found |= _altman(statement, rules, source)
    found["statement_audit"] = Known(_audit(statement), source)
    return found


def _audit(statement: Statement) -> str | None:
    if statement.opinion not in (None, "unqualified"):
        return statement.opinion
    if statement.audited is None:
        return "audited" if statement.opinion else None
    return "audited" if statement.audited else "unaudited"


def _altman(statement: Statement, rules: Scoring, source: tuple[str, ...]) -> dict[str, Known]:
    if statement.months != YEAR_MONTHS:
        # X3 and X5 want a year's flows; a Z of nine months would look like trouble.
        known = Known(None, source, ("short_period",))
        return {"altman": known, "altman_zone": known}
    z = altman.altman(rules.altman, statement.closing, statement.closing.get("market_value"))
    flags = ("no_liabilities_z",) if z.no_liabilities else ()
    return {
        "altman": Known(z.value, source, flags, z.missing),
        "altman_zone": Known(z.zone, source, flags, z.missing),
    }


def keep(
    tx: Connection,
    cards: Cards,
    found: Sequence[tuple[int, Score]],
    clock: Clock,
    digests: Mapping[int, str] | None = None,
) -> int:
    """Keeps scores that differ from the debtors' newest ones, and the scorecards they were made by; says how many."""
    used = {one.version for _, one in found}
    for chosen in cards.read():
        if chosen.version in used:
            scores.keep_card(tx, chosen.version, chosen.body, clock.now())
    return scores.keep(tx, found, clock.now(), digests)


def again(tx: Connection, row: ScoreRow) -> Score:
    """A kept score made again from its inputs and the scorecard of its version, whatever has changed since.

    LookupError where that scorecard was not kept.
    """
    text = scores.card(tx, row.version)
    if text is None:
        raise LookupError(f"there is no scorecard {row.version}")
    kept = json.loads(text)
    inputs, rules = inputs_of(row.body), Scoring.model_validate(kept["rules"])
    if kept["statistical"] is None:
        return score(inputs, rules, row.as_of, row.version)
    return scorecard.score(
        inputs, StatisticalCard.model_validate(kept["statistical"]), row.as_of, row.version, rules.cap
    )
