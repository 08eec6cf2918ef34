"""Claims of dunning: late interest and fees that a run adds, what of them is not settled yet, and the letter with all of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from connector.credit.charge import interest_claim, interest_from
from connector.credit.dun import Key
from connector.credit.dun_letter import Addressee, Charged, payload
from connector.credit.statutory import interest_of
from connector.store.dunning import Charge, NewLetter
from jobs.dun_plans import Dunned
from jobs.frame import Frame


def new_charges(base: Frame, one: Dunned, before: Mapping[int, Sequence[Charge]]) -> list[Charge]:
    """Late interest of what the letter demands and of what was settled since, and the fee of the highest step."""
    as_of, interest = base.as_of, interest_of(one.rules)
    claimed: dict[Key, Decimal] = defaultdict(Decimal)
    times: dict[Key, int] = defaultdict(int)
    for member in one.members:
        for charge in before.get(member.key, ()):
            if charge.kind == "interest":
                claimed[charge.system, charge.document, charge.part] += charge.amount
                times[charge.system, charge.document, charge.part] += 1
    wanted: dict[Key, int] = {}
    if one.plan.letter is not None and one.plan.letter.is_demand:
        wanted = {line.debt.key: line.level for line in one.plan.letter.lines if line.mark is None}
    wanted |= {key: standing.level for key, _, standing, what in one.turned if what == "settled"}
    # What was settled already and has changed since bears what its balances bore, as they are known now.
    wanted |= {key: level for key, level in one.changed.items() if one.debts[key].debt.open <= 0}
    made: list[Charge] = []
    for key, level in wanted.items():
        row = one.debts.get(key)
        if not interest.on or row is None or row.debt.due_on is None or level < interest.from_level:
            continue
        debt, due_on = row.debt, row.debt.due_on
        course = row.course(interest_from(due_on, interest), as_of)
        claim = interest_claim(due_on, course, debt.currency, claimed[key], interest, as_of)
        if claim is not None:
            # The number of the claim, not the day: a payment may come in between two runs of one day.
            name = f"interest:{debt.system}:{debt.document}/{debt.part}:{times[key] + 1}"
            made.append(
                Charge(debt.customer, debt.system, debt.document, debt.part, "interest", level, claim.from_on,
                       claim.to_on, claim.rate, debt.currency, claim.amount, name)
            )  # fmt: skip
    if one.plan.level:
        made += _fee(base, one)
    return made


def _fee(base: Frame, one: Dunned) -> Iterator[Charge]:
    """The fee of the highest step, in the customer's currency; in the reporting one where there is no rate."""
    fee = max(step.rung.fee for step in one.plan.steps)
    if not fee:
        return
    home, first = base.config.business.currency, one.first
    currency = first.currency or home
    amount = base.rates.convert(fee, home, currency, base.as_of)
    if amount is None:
        currency, amount = home, fee
    name = f"fee:{first.system}:{first.ref}:{one.plan.level}/{base.as_of}"
    yield Charge(first.key, first.system, "", "", "fee", one.plan.level, None, base.as_of, None, currency, amount, name)


def new_letter(base: Frame, one: Dunned, new: Sequence[Charge], before: Mapping[int, Sequence[Charge]]) -> NewLetter:
    letter, first = one.plan.letter, one.first
    assert letter is not None
    every = [*(c for member in one.members for c in before.get(member.key, ())), *new]
    to = Addressee(first.system, first.ref, first.name, first.email)
    said = payload(letter, to, one.rules, base.as_of, charged(every))
    return NewLetter(
        one.debtor, first.key, base.as_of, letter.level, letter.channel, letter.is_demand, letter_key(one, base.as_of),
        base.policy_version, said,
    )  # fmt: skip


def charged(charges: Sequence[Charge]) -> list[Charged]:
    """What is left of fees and interest after what was settled, by kind, document and currency."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    last: dict[tuple[str, str, str, str], dt.date] = {}
    for one in charges:
        key = (one.kind.removesuffix("_settled"), one.document, one.part, one.currency)
        sums[key] += one.amount
        if not one.kind.endswith("_settled"):
            last[key] = max(last.get(key, one.to_on), one.to_on)
    return [
        Charged("fee" if kind == "fee" else "interest", document, part, currency, amount, last[key])
        for key, amount in sums.items()
        if amount and key in last
        for kind, document, part, currency in (key,)
    ]


def letter_key(one: Dunned, as_of: dt.date) -> str:
    """The key of a letter: rule, customer, level and day."""
    level = one.plan.letter.level if one.plan.letter is not None else one.plan.level
    return f"dunning:{one.first.system}:{one.first.ref}:{level}/{as_of}"
