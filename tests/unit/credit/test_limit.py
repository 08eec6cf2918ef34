"""The effective limit: E2, every kind of piece, and the sentences that explain it."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.limit import Effective, added, effective
from connector.credit.rates import Rates
from connector.credit.stage import Behaviour
from connector.model import Limit, LimitKind, Rate

DAY = dt.date.fromisoformat
TODAY = DAY("2026-11-23")


def piece(
    kind: LimitKind, amount: int | None = None, frm: str | None = None, to: str | None = None, **more: object
) -> Limit:
    fields: dict[str, object] = {"currency": "CNY"} | more
    return Limit(
        customer_id="C",
        kind=kind,
        amount=None if amount is None else amount * 100,
        valid_from=DAY(frm) if frm else None,
        valid_to=DAY(to) if to else None,
        **fields,  # type: ignore[arg-type]
    )


E2 = [
    piece("base", 300000, "2026-01-01", "2026-12-31"),
    piece("override", 450000, "2026-09-01", "2026-10-31", approved_on=DAY("2026-08-28")),
    piece("additive", 20000, "2026-10-15", "2026-11-15", approved_on=DAY("2026-10-10")),
    piece("guarantee", 100000, "2026-01-01", "2026-10-20", percent=Decimal("0.5")),
]


@pytest.mark.parametrize(
    ("on", "amount"),
    [
        ("2026-08-31", 350000),
        ("2026-09-01", 500000),
        ("2026-10-15", 520000),
        ("2026-10-20", 520000),
        ("2026-10-21", 470000),
        ("2026-10-31", 470000),
        ("2026-11-01", 320000),
        ("2026-11-16", 300000),
        ("2026-12-31", 300000),
    ],
)
def test_e2(on: str, amount: int) -> None:
    found = effective(E2, DAY(on))
    assert (found.kind, found.amount, found.currency, found.expired) == ("amount", amount, "CNY", False)


def test_e2_the_day_after_the_base_has_ended() -> None:
    found = effective(E2, DAY("2027-01-01"))
    assert (found.kind, found.amount, found.expired) == ("amount", 0, True)


def test_the_steps_can_be_read_in_both_languages() -> None:
    found = effective(E2, DAY("2026-10-15"))
    assert [step.en for step in found.steps] == [
        "temporary limit CNY 450,000.00 in place of the base until 2026-10-31",
        "plus CNY 50,000.00, 50.00% of a guarantee until 2026-10-20",
        "plus a temporary uplift of CNY 20,000.00 until 2026-11-15",
    ]
    assert [step.zh for step in found.steps] == [
        "临时额度 CNY 450,000.00 取代基础额度（至 2026-10-31）",
        "加担保额度 CNY 50,000.00（担保金额的 50.00%）（至 2026-10-20）",
        "加临时增额 CNY 20,000.00（至 2026-11-15）",
    ]


def test_no_limit_is_neither_zero_nor_unlimited() -> None:
    assert effective([], TODAY).kind == "none"
    zero = effective([piece("base", 0)], TODAY)
    assert (zero.kind, zero.amount, zero.expired) == ("amount", 0, False)
    assert effective([piece("base", None)], TODAY).kind != "unlimited"


def test_unlimited_wins_while_it_is_valid() -> None:
    pieces = [piece("base", 100), piece("unlimited", None, to="2026-11-23")]
    assert effective(pieces, TODAY).kind == "unlimited"
    assert effective(pieces, TODAY + dt.timedelta(days=1)).amount == 100


def test_an_open_end_never_expires() -> None:
    assert effective([piece("base", 100, "2000-01-01")], DAY("2099-12-31")).amount == 100


def test_an_additive_without_its_base_still_counts_and_says_expired() -> None:
    found = effective([piece("base", 100, to="2026-06-30"), piece("additive", 20)], TODAY)
    assert (found.amount, found.expired) == (20, True)


def test_an_override_covers_an_expired_base() -> None:
    found = effective([piece("base", 100, to="2026-06-30"), piece("override", 70)], TODAY)
    assert (found.amount, found.expired) == (70, False)


def test_a_limit_that_has_ended_is_expired_not_absent() -> None:
    for kind in ("override", "additive", "guarantee", "unlimited", "seasonal"):
        found = effective([piece(kind, 100, to="2026-06-30", condition="01-01..12-31")], TODAY)  # type: ignore[arg-type]
        assert (found.kind, found.amount, found.expired) == ("amount", 0, True)


def test_of_overlapping_overrides_the_one_approved_last_wins() -> None:
    first = piece("override", 400, approved_on=DAY("2026-01-05"))
    last = piece("override", 900, approved_on=DAY("2026-02-01"))
    unknown = piece("override", 10, to="2099-12-31")
    for pieces in ([first, last, unknown], [unknown, last, first]):
        assert effective(pieces, TODAY).amount == 900


@pytest.mark.parametrize(
    ("on", "amount"),
    [("10-31", 100), ("11-01", 500), ("12-31", 500), ("01-01", 500), ("02-15", 500), ("02-16", 100)],
)
def test_a_season_may_wrap_the_years_end(on: str, amount: int) -> None:
    pieces = [piece("base", 100), piece("seasonal", 500, condition="11-01..02-15")]
    assert effective(pieces, DAY(f"2026-{on}")).amount == amount


def test_a_season_that_nobody_can_read_is_not_counted_and_is_reported() -> None:
    found = effective([piece("base", 100), piece("seasonal", 500, condition="winter", id="S")], TODAY)
    assert (found.amount, found.unread) == (100, ("S",))
    assert effective([piece("seasonal", 5, condition="13-01..02-30", id="S")], TODAY).unread == ("S",)


def test_the_result_is_floored_at_zero() -> None:
    assert effective([piece("base", 100), piece("additive", -300)], TODAY).amount == 0


def test_a_guarantee_is_rounded_once_at_the_end() -> None:
    third = Decimal("0.333")
    pieces = [
        Limit(id=str(n), customer_id="C", kind="guarantee", amount=5, currency="CNY", percent=third) for n in range(3)
    ]
    assert effective(pieces, TODAY).amount == Decimal("0.05")  # 3 × 0.01665 = 0.04995; each rounded would be 0.06


def test_pieces_of_another_currency_are_converted() -> None:
    rates = Rates([Rate(on=TODAY, from_currency="USD", to_currency="CNY", rate=Decimal(7))], "CNY", 7)
    pieces = [piece("base", 100), piece("additive", 10, currency="USD")]
    assert effective(pieces, TODAY, convert=rates.convert).amount == 170
    missing = effective(pieces, TODAY)
    assert (missing.amount, missing.no_rate) == (100, ("USD/CNY",))


def test_the_customers_currency_is_assumed_where_a_piece_has_none() -> None:
    assert effective([piece("base", 1, currency=None)], TODAY, currency="USD").currency == "USD"
    assert effective([piece("base", 1, currency=None, id="B")], TODAY).unread == ("B",)


# --- stages ---
STAGES = [
    piece("stage", 100, "2026-01-01", id="T1"),
    piece("stage", 200, "2026-02-01", id="T2", condition="from:2026-03-01 paid>=80% late<=15"),
]


def test_a_tranche_without_a_condition_is_released_at_once() -> None:
    assert effective(STAGES, TODAY).amount == 100


@pytest.mark.parametrize(
    ("behaviour", "amount"),
    [
        (Behaviour(paid=Decimal("0.80"), late_days=15), 300),
        (Behaviour(paid=Decimal("0.79"), late_days=15), 100),
        (Behaviour(paid=Decimal("0.80"), late_days=16), 100),
        (Behaviour(paid=None, late_days=0), 100),
        (Behaviour(paid=Decimal(1), late_days=None), 100),
    ],
)
def test_a_tranche_waits_for_its_condition(behaviour: Behaviour, amount: int) -> None:
    assert effective(STAGES, TODAY, behaviour).amount == amount


def test_a_release_is_told_and_stays() -> None:
    good, bad = Behaviour(Decimal(1), 0), Behaviour(Decimal(0), 99)
    assert "T2" in effective(STAGES, TODAY, good).released
    assert effective(STAGES, TODAY, Behaviour(bad.paid, bad.late_days, frozenset({"T1", "T2"}))).amount == 300
    recorded = piece("stage", 200, id="T2", condition="paid>=80% released:2026-05-01")
    assert effective([recorded], TODAY, bad).amount == 200
    assert effective([recorded], DAY("2026-04-30"), bad).amount == 0


def test_a_released_tranche_is_suspended_while_its_condition_holds() -> None:
    tranche = piece("stage", 200, id="T", condition="suspend:late>30")
    released = frozenset({"T"})
    assert effective([tranche], TODAY, Behaviour(late_days=30, released=released)).amount == 200
    late = effective([tranche], TODAY, Behaviour(late_days=31, released=released))
    assert (late.amount, late.expired) == (0, False)
    assert late.steps[0].en == "tranche 1: CNY 200.00 suspended (suspend:late>30)"
    assert late.steps[0].zh == "第 1 期额度 CNY 200.00 暂停（suspend:late>30）"
    assert effective([tranche], TODAY).amount == 0  # not known is not good


def test_tranches_do_not_exceed_the_approved_total() -> None:
    pieces = [piece("base", 250), piece("stage", 200, id="A"), piece("stage", 200, id="B")]
    assert effective(pieces, TODAY).amount == 250
    assert effective([piece("base", 250, to="2026-01-01"), *pieces[1:]], TODAY).expired


def test_a_stage_whose_words_nobody_can_read_is_not_counted() -> None:
    found = effective([piece("stage", 100, id="T", condition="when good")], TODAY)
    assert (found.amount, found.unread) == (0, ("T",))


# --- several as one ---
def test_segments_are_added_where_there_is_no_common_limit() -> None:
    pieces = [piece("base", 100, segment="A"), piece("base", 50, segment="B")]
    assert effective(pieces, TODAY).amount == 150
    assert effective(pieces, TODAY, segment="B").amount == 50
    assert effective([*pieces, piece("base", 120)], TODAY).amount == 120


def test_accounts_of_one_debtor() -> None:
    amount = Effective("amount", Decimal(100), "CNY")
    assert added([], TODAY).kind == "none"
    assert added([Effective("none"), amount], TODAY) == amount
    assert added([amount, amount], TODAY).amount == 200
    assert added([amount, Effective("unlimited")], TODAY).kind == "unlimited"
    dollars = Effective("amount", Decimal(10), "USD")
    assert added([amount, dollars], TODAY).no_rate == ("USD/CNY",)


amounts = st.integers(0, 10**9)
spans = st.tuples(st.integers(0, 300), st.integers(0, 300)).map(sorted)


@given(amounts, st.lists(st.tuples(amounts, spans), max_size=6), st.integers(0, 300))
def test_additives_are_what_their_days_say(base: int, extra: list[tuple[int, list[int]]], day: int) -> None:
    start = DAY("2026-01-01")

    def at(offset: int) -> dt.date:
        return start + dt.timedelta(days=offset)

    pieces = [Limit(customer_id="C", kind="base", amount=base, currency="CNY")]
    pieces += [
        Limit(customer_id="C", kind="additive", amount=a, currency="CNY", valid_from=at(f), valid_to=at(t))
        for a, (f, t) in extra
    ]
    expected = base + sum(a for a, (f, t) in extra if f <= day <= t)
    assert effective(pieces, at(day)).amount == Decimal(expected) / 100


@given(st.permutations(E2), st.integers(0, 400))
def test_the_order_of_the_pieces_does_not_matter(pieces: list[Limit], day: int) -> None:
    on = DAY("2026-01-01") + dt.timedelta(days=day)
    assert effective(pieces, on).amount == effective(E2, on).amount
