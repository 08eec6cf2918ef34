"""Who paid what: every reconciliation comes out at zero in both currencies, and the user's own choice comes first."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from adapters.tryton.matching import Applied, Side, partly, settled

JANUARY = dt.date(2026, 1, 1)


def _day(number: int) -> dt.date:
    return JANUARY + dt.timedelta(days=number)


def _side(line: int, amount: str, base: str, currency: str = "CNY", on: int = 0, **more: object) -> Side:
    return Side(line, f"line:{line}", currency, Decimal(amount), Decimal(base), _day(on), _day(on + 30), **more)  # type: ignore[arg-type]


def _left(sides: list[Side], applied: list[Applied]) -> dict[int, tuple[Decimal, Decimal]]:
    left = {s.line: [s.amount, s.base] for s in sides}
    for one in applied:
        given = one.amount if one.from_amount is None else one.from_amount
        left[one.credit.line][0] -= given
        left[one.debit.line][0] -= one.amount
        left[one.credit.line][1] -= one.base
        left[one.debit.line][1] -= one.base
    return {line: (amount, base) for line, (amount, base) in left.items() if amount or base}


def _said(applied: list[Applied]) -> list[tuple[int, int, str, str, int]]:
    cent = Decimal("0.01")
    return [
        (a.credit.line, a.debit.line, str(a.amount), str(a.base.quantize(cent)), (a.on - JANUARY).days) for a in applied
    ]


def test_one_receipt_pays_three_invoices_the_earliest_due_first() -> None:
    debits = [_side(1, "100", "100", on=5), _side(2, "50", "50", on=0), _side(3, "30", "30", on=9)]
    applied = settled(debits, [_side(9, "180", "180", on=40)], "CNY", _day(40))
    assert _said(applied) == [(9, 2, "50", "50.00", 40), (9, 1, "100", "100.00", 40), (9, 3, "30", "30.00", 40)]


def test_a_receipt_set_against_its_invoice_before_counts_from_its_own_day() -> None:
    debits = [_side(1, "100", "100", invoice=7), _side(2, "40", "40", invoice=8)]
    first, last = _side(8, "30", "30", on=10, pays=7), _side(9, "110", "110", on=20)
    applied = settled(debits, [first, last], "CNY", _day(20))
    assert _said(applied) == [(8, 1, "30", "30.00", 10), (9, 1, "70", "70.00", 20), (9, 2, "40", "40.00", 20)]


def test_an_exchange_loss_closes_what_is_left_of_the_invoice() -> None:
    """USD 100 booked at 710.00, received at 700.00: Tryton books 10.00 as a credit."""
    debit, credit = _side(1, "100", "710.00", "USD"), _side(2, "100", "700.00", "USD", on=30)
    difference = _side(3, "0", "10.00", "USD", on=31)
    applied = settled([debit], [credit, difference], "CNY", _day(30))
    assert _said(applied) == [(2, 1, "100", "700.00", 30), (3, 1, "0", "10.00", 31)]


def test_an_exchange_gain_is_carried_by_the_receipt() -> None:
    """USD 100 booked at 710.00, received at 720.00: Tryton books 10.00 as a debit."""
    debit, credit = _side(1, "100", "710.00", "USD"), _side(2, "100", "720.00", "USD", on=30)
    difference = _side(3, "0", "10.00", "USD", on=30)
    applied = settled([debit, difference], [credit], "CNY", _day(30))
    assert _said(applied) == [(2, 1, "100", "710.00", 30), (2, 3, "0", "10.00", 30)]


def test_differences_that_cancel_each_other_are_moved_between_the_invoices() -> None:
    debits = [_side(1, "100", "710.00", "USD"), _side(2, "100", "690.00", "USD", on=1)]
    credit = _side(9, "200", "1400.00", "USD", on=40)
    assert _left([*debits, credit], settled(debits, [credit], "CNY", _day(40))) == {}


def test_an_invoice_in_dollars_paid_in_yuan() -> None:
    """Half of the value first: the amounts follow the ledger, the last part takes what is left."""
    debit = _side(1, "100.00", "715.35", "USD")
    credits = [_side(2, "300.00", "300.00", on=10), _side(3, "415.35", "415.35", on=20)]
    applied = settled([debit], credits, "CNY", _day(20))
    assert [(a.amount, a.from_amount, a.base) for a in applied] == [
        (Decimal("41.94"), Decimal("300.00"), Decimal("300.00")),
        (Decimal("58.06"), Decimal("415.35"), Decimal("415.35")),
    ]


def test_partial_payments_fill_the_earliest_due_and_leave_the_rest_open() -> None:
    debits = [_side(1, "50", "355.00", "USD", on=30), _side(2, "50", "355.00", "USD", on=0)]
    applied = partly(debits, [_side(9, "60", "420.00", "USD", on=45)], "CNY")
    assert _said(applied) == [(9, 2, "50", "350.00", 45), (9, 1, "10", "70.00", 45)]


def test_more_than_is_owed_stays_on_the_receipt() -> None:
    [applied] = partly([_side(1, "50", "50")], [_side(9, "60", "60", on=45)], "CNY")
    assert applied.amount == Decimal(50)


cents = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def reconciliations(draw: st.DrawFn) -> tuple[list[Side], list[Side]]:
    """Lines whose ledger values add up to zero, as Tryton insists; their amounts do too, each at a rate of its own."""
    foreign = draw(st.booleans())
    amounts = draw(st.lists(cents, min_size=1, max_size=5))
    cuts = sorted(draw(st.lists(st.integers(1, int(sum(amounts) * 100)), max_size=3, unique=True)))
    whole = int(sum(amounts) * 100)
    edges = [0, *[c for c in cuts if c < whole], whole]
    parts = [Decimal(b - a).scaleb(-2) for a, b in pairwise(edges)]

    def sides(values: list[Decimal], first: int) -> list[Side]:
        made = []
        for place, amount in enumerate(values):
            rate = draw(st.integers(6800, 7500).map(lambda n: Decimal(n).scaleb(-3))) if foreign else Decimal(1)
            base = max((amount * rate).quantize(Decimal("0.01")), Decimal("0.01"))
            currency = "USD" if foreign else "CNY"
            made.append(_side(first + place, str(amount), str(base), currency, on=draw(st.integers(0, 90))))
        return made

    debits, credits = sides(amounts, 1), sides(parts, 100)
    rest = sum((d.base for d in debits), Decimal(0)) - sum((c.base for c in credits), Decimal(0))
    if rest:
        (credits if rest > 0 else debits).append(_side(200, "0", str(abs(rest)), "USD", on=91))
    return debits, credits


@given(reconciliations())
def test_every_line_comes_out_at_zero_in_both_currencies(lines: tuple[list[Side], list[Side]]) -> None:
    debits, credits = lines
    applied = settled(debits, credits, "CNY", _day(90))
    assert _left([*debits, *credits], applied) == {}
    assert all(a.amount >= 0 for a in applied)
    assert all(a.on >= max(a.credit.on, a.debit.on) for a in applied)
    pairs = defaultdict(int)
    for one in applied:
        pairs[one.credit.line, one.debit.line, one.on] += 1
    assert max(pairs.values()) == 1, "the same pair twice on one day"
