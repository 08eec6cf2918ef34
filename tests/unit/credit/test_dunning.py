"""Dunning (domain 11): the ladder item by item, what is left alone and why, letters, interest, limitation."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.charge import interest_claim
from connector.credit.dun import Debt, Key, Mail, Plan, Standing, dunning_effects, plan, promised, turned
from connector.credit.dun_letter import Addressee, Charged, payload
from connector.credit.interest import after_payments, late_interest
from connector.credit.limitation import Restart, limitation_ends
from connector.credit.statutory import clock_of, payment_clock, statutory_rate_per_day
from connector.model import Promise
from connector.money import rounded
from connector.policy import load, read
from connector.policy_dunning import Dunning, Interest

DAY = dt.date.fromisoformat
TODAY = DAY("2026-11-23")
RULES = Dunning()
FILE = Path(__file__).resolve().parents[4] / "shared" / "domain" / "examples.json"


def later(days: int, day: dt.date = TODAY) -> dt.date:
    return day + dt.timedelta(days=days)


def debt(name: str = "INV1", days: int | None = 12, amount: int = 10_000, **more: Any) -> Debt:
    """An invoice so many days past due."""
    due_on = None if days is None else later(-days)
    known: dict[str, Any] = {
        "system": "books",
        "customer": 1,
        "document": name,
        "part": "",
        "number": None,
        "kind": "invoice",
        "issued_on": later(-200),
        "due_on": due_on,
        "currency": "CNY",
        "value": Decimal(amount),
        "open": Decimal(amount),
        "disputed": Decimal(0),
    }
    return Debt(**(known | more))


def promise(due: int, document: str | None = None, amount: int = 1_000_000, made: int = -1, name: str = "P") -> Promise:
    """A promise for so many days from today; `amount` in fen."""
    return Promise(
        id=name,
        customer_id="C1",
        document_id=document,
        made_on=later(made),
        due_on=later(due),
        amount=amount,
        currency="CNY",
    )


def planned(
    *debts: Debt,
    standings: dict[str, Standing] | None = None,
    promises: list[Promise] | None = None,
    mail: Mail | None = None,
    rules: Dunning = RULES,
    today: dt.date = TODAY,
) -> Plan:
    known: dict[Key, Standing] = {("books", name, ""): one for name, one in (standings or {}).items()}
    rates = {"CNY": Decimal(1), "USD": Decimal(7)}

    def in_home(amount: Decimal, currency: str) -> Decimal | None:
        return amount * rates[currency] if currency in rates else None

    return plan(debts, known, promises or [], mail or Mail(), rules, today, in_home)


def steps(made: Plan) -> list[tuple[str, int, str]]:
    return [(step.debt.ref, step.level, step.rung.channel) for step in made.steps]


def left(made: Plan) -> list[tuple[str, str]]:
    return [(skipped.debt.ref, skipped.code) for skipped in made.skipped]


# --- the ladder ------------------------------------------------------------------------------------------------------
LADDER = [(0, -5, "statement"), (1, 3, "phone"), (2, 10, "letter"), (3, 30, "letter"), (4, 45, "final_demand"),
          (5, 60, "stop_credit"), (6, 90, "legal")]  # fmt: skip


def test_the_shipped_ladder_is_that_of_the_domain() -> None:
    assert [(rung.level, rung.days, rung.channel) for rung in RULES.step] == LADDER


@pytest.mark.parametrize(("level", "days", "channel"), LADDER[1:])
def test_a_step_is_due_from_its_day_on_and_not_a_day_earlier(level: int, days: int, channel: str) -> None:
    before = {"INV1": Standing(level - 1, later(-30))}
    assert steps(planned(debt(days=days), standings=before)) == [("INV1", level, channel)]
    assert steps(planned(debt(days=days - 1), standings=before)) == []


def test_an_item_found_a_hundred_days_late_begins_at_the_bottom() -> None:
    assert steps(planned(debt(days=100))) == [("INV1", 1, "phone")]


def test_above_the_last_level_there_is_none() -> None:
    assert planned(debt(days=400), standings={"INV1": Standing(6, later(-200))}) == Plan()


def test_the_notice_goes_out_once_before_the_due_date_and_never_after() -> None:
    assert steps(planned(debt(days=-6))) == []
    assert steps(planned(debt(days=-5))) == [("INV1", 0, "statement")]
    assert steps(planned(debt(days=0))) == [("INV1", 0, "statement")]
    assert steps(planned(debt(days=1))) == []
    assert steps(planned(debt(days=-4), standings={"INV1": Standing(noticed_on=later(-1))})) == []


def test_nothing_happens_where_dunning_is_off() -> None:
    assert planned(debt(days=100), debt("INV2", days=None), rules=Dunning(on=False)) == Plan()


# --- left alone ------------------------------------------------------------------------------------------------------
def one_reason(made: Plan) -> tuple[str, str, str]:
    (skipped,) = made.skipped
    assert made.steps == ()
    return skipped.code, skipped.why.en, skipped.why.zh


def test_disputed_items_are_left_alone_and_the_undisputed_part_is_not() -> None:
    assert one_reason(planned(debt(disputed=Decimal(10_000)))) == (
        "disputed",
        "CNY 10,000.00 of it is disputed: nothing else is open",
        "争议金额 CNY 10,000.00，无其他未清金额",
    )
    assert steps(planned(debt(disputed=Decimal(9_000)))) == [("INV1", 1, "phone")]
    assert left(planned(debt(disputed=Decimal("9900.01")))) == [("INV1", "below_minimum")]
    assert steps(planned(debt(disputed=Decimal(10_000)), rules=Dunning(skip_disputed=False))) != []


def test_a_promise_is_waited_for_until_its_day_and_the_grace() -> None:
    assert one_reason(planned(debt(), promises=[promise(2, "INV1")])) == (
        "promised",
        "CNY 10,000.00 is promised for 2026-11-25; dunning waits until 2026-11-28",
        "客户承诺 2026-11-25 付款 CNY 10,000.00，催收暂停至 2026-11-28",
    )
    assert left(planned(debt(), promises=[promise(-3, "INV1", made=-9)])) == [("INV1", "promised")]
    assert steps(planned(debt(), promises=[promise(-4, "INV1", made=-9)])) == [("INV1", 1, "phone")]


def test_small_items_are_left_alone_in_any_currency() -> None:
    assert steps(planned(debt(amount=100))) == [("INV1", 1, "phone")]
    assert one_reason(planned(debt(amount=99))) == (
        "below_minimum",
        "CNY 99.00 is below the smallest amount of 100 that is dunned",
        "金额 CNY 99.00 低于催收起点 100",
    )
    assert steps(planned(debt(amount=15, currency="USD"))) == [("INV1", 1, "phone")]
    assert left(planned(debt(amount=14, currency="USD"))) == [("INV1", "below_minimum")]


def test_without_a_rate_nothing_is_compared_in_silence() -> None:
    code, en, zh = one_reason(planned(debt(currency="EUR")))
    assert code == "no_rate"
    assert "no exchange rate for EUR" in en
    assert zh == "缺少 EUR 汇率，无法与催收起点金额比较"
    assert steps(planned(debt(currency="EUR"), rules=Dunning(minimum_amount=Decimal(0)))) != []


def test_an_item_without_due_date_is_told_and_not_dunned() -> None:
    assert one_reason(planned(debt(days=None))) == ("no_due_date", "it has no due date", "没有到期日")


def test_steps_of_one_item_are_some_days_apart() -> None:
    assert one_reason(planned(debt(days=40), standings={"INV1": Standing(2, later(-4))})) == (
        "step_interval",
        "it has been on level 2 since 2026-11-19; the next step is possible on 2026-11-24",
        "自 2026-11-19 起处于第 2 级，最早 2026-11-24 可升级",
    )
    assert steps(planned(debt(days=40), standings={"INV1": Standing(2, later(-5))})) == [("INV1", 3, "letter")]


def test_letters_to_one_customer_are_some_days_apart_but_calls_are_not_letters() -> None:
    standings = {"INV1": Standing(1, later(-9))}
    mail = Mail(demand_on=later(-6))
    assert one_reason(planned(debt(), standings=standings, mail=mail)) == (
        "letter_interval",
        "the last letter to this customer is of 2026-11-17; the next one is possible on 2026-11-24",
        "上一封函件于 2026-11-17 发出，最早 2026-11-24 可再次发函",
    )
    assert steps(planned(debt(), standings=standings, mail=Mail(demand_on=later(-7)))) == [("INV1", 2, "letter")]
    assert steps(planned(debt(), mail=mail)) == [("INV1", 1, "phone")]


def test_a_notice_waits_for_the_letter_before_it_and_holds_up_no_demand() -> None:
    assert left(planned(debt(days=-2), mail=Mail(notice_on=later(-3)))) == [("INV1", "letter_interval")]
    demand = planned(debt(), standings={"INV1": Standing(1, later(-9))}, mail=Mail(notice_on=later(-1)))
    assert steps(demand) == [("INV1", 2, "letter")]


# --- promises laid on items --------------------------------------------------------------------------------------------
def test_a_promise_without_document_reaches_the_earliest_due_items_as_far_as_it_goes() -> None:
    debts = [debt("A", 30, 6_000), debt("B", 20, 6_000), debt("C", 10, 6_000), debt("D", 40, 1_000, currency="USD")]
    found = promised(debts, [promise(5, amount=700_000)], TODAY, 3)
    assert {key[1] for key in found} == {"A", "B"}
    assert promised(debts, [], TODAY, 3) == {}


def test_a_promise_for_a_document_pauses_only_that_and_the_later_day_counts() -> None:
    debts = [debt("A", 30), debt("B", 20)]
    both = [promise(1, "B", name="P1"), promise(9, "B", name="P2")]
    assert {key[1]: p.id for key, p in promised(debts, both, TODAY, 3).items()} == {"B": "P2"}


# --- the letter ------------------------------------------------------------------------------------------------------
def test_a_letter_goes_at_the_highest_level_and_lists_everything_overdue() -> None:
    made = planned(
        debt("OLD", 50),
        debt("NEW", 12),
        debt("WAITS", 25),
        debt("DOUBT", 70, disputed=Decimal(10_000)),
        debt("SOON", -3),
        debt("FAR", -30),
        standings={
            "OLD": Standing(4, later(-20)),
            "NEW": Standing(1, later(-9)),
            "WAITS": Standing(2, later(-9)),
            "DOUBT": Standing(5, later(-9)),
        },
        promises=[promise(3, "WAITS")],
    )
    assert steps(made) == [("NEW", 2, "letter"), ("SOON", 0, "statement")]
    assert made.letter is not None
    assert (made.letter.level, made.letter.channel) == (4, "final_demand")
    assert [(line.debt.ref, line.level, line.mark) for line in made.letter.lines] == [
        ("DOUBT", 5, "disputed"),
        ("OLD", 4, None),
        ("WAITS", 2, "promised"),
        ("NEW", 2, None),
        ("SOON", 0, None),
    ]


def test_one_letter_for_however_many_items_step() -> None:
    standings = {name: Standing(1, later(-9)) for name in ("A", "B", "C")}
    made = planned(debt("A"), debt("B", 15), debt("C", 20), standings=standings)
    assert len(made.steps) == 3
    assert made.letter is not None
    assert len(made.letter.lines) == 3


def test_a_letter_says_everything_in_both_languages() -> None:
    made = planned(
        debt("A", 12, 10_000, disputed=Decimal(1_000), number="INV-A"),
        debt("B", 40, 500, currency="USD"),
        debt("C", 11, 700),
        standings={"A": Standing(1, later(-9)), "B": Standing(2, later(-9)), "C": Standing(1, later(-9))},
        promises=[promise(3, "C")],
    )
    assert made.letter is not None
    charges = [
        Charged("interest", "A", "", "CNY", Decimal("60.00"), TODAY),
        Charged("fee", "", "", "CNY", Decimal(20), TODAY),
    ]
    said = payload(made.letter, Addressee("books", "C1", "华东机械"), RULES, TODAY, charges)
    assert said["title"] == {"en": "Demand for payment (level 3)", "zh": "催款函（第 3 级）"}
    assert said["opening"]["zh"] == "经核对，截至 2026-11-23，华东机械尚有下列款项逾期未付，现请予以结清。"
    assert said["closing"]["en"].startswith("Please pay the amount demanded by 2026-11-30.")
    assert [(i["number"], i["days_overdue"], i["demanded"]) for i in said["items"]] == [
        ("B", 40, "500.00"),
        ("INV-A", 12, "9000.00"),
        ("C", 11, "0.00"),
    ]
    assert said["items"][1]["note"] == {
        "en": "of this CNY 1000.00 is disputed and not demanded",
        "zh": "其中争议金额 CNY 1000.00 暂不催收",
    }
    assert said["items"][2]["note"] == {
        "en": "you promised payment for 2026-11-26",
        "zh": "贵方已承诺于 2026-11-26 付款",
    }
    assert said["totals"][0] == {
        "currency": "CNY", "overdue": "10700.00", "disputed": "1000.00", "promised": "700.00", "demanded": "9000.00",
        "interest": "60.00", "fees": "20.00", "total": "9080.00",
    }  # fmt: skip
    assert said["charges"][0]["text"]["zh"] == "单据 A 截至 2026-11-23 的逾期利息"


# --- settled, reversed, grown ------------------------------------------------------------------------------------------
def test_a_part_payment_leaves_the_level_a_full_one_resets_it_and_its_reversal_brings_it_back() -> None:
    at_three = Standing(3, later(-9))
    part = debt(days=50, open=Decimal(1))
    assert turned(at_three, part, TODAY) is None
    settled = turned(at_three, debt(days=50, open=Decimal(0)), TODAY)
    assert settled is not None
    assert settled[1] == "settled"
    assert (settled[0].in_force, settled[0].level) == (0, 3)
    assert turned(settled[0], debt(days=51, open=Decimal(0)), later(1)) is None
    back = turned(settled[0], debt(days=60), later(10))
    assert back == (at_three, "reopened")


def test_a_document_that_has_grown_after_it_was_paid_is_a_new_debt() -> None:
    closed = Standing(3, later(-9), closed_on=later(-2), closed_value=Decimal(10_000))
    assert turned(closed, debt(amount=10_001), TODAY) == (Standing(), "renewed")
    assert turned(closed, debt(amount=9_000), TODAY) is not None


def test_a_document_that_is_gone_is_settled_and_comes_back_with_its_level() -> None:
    gone = turned(Standing(2, later(-9)), None, TODAY)
    assert gone is not None
    assert gone[0].in_force == 0
    assert turned(gone[0], None, later(1)) is None
    assert turned(gone[0], debt(), later(1)) == (Standing(2, later(-9)), "reopened")


# --- effects ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], (0, False, False, False)),
        ([0, 2, 1], (2, False, False, False)),
        ([3, 1], (3, True, False, False)),
        ([4], (4, True, False, True)),
        ([5], (5, True, True, True)),
        ([6, 6], (6, True, True, True)),
    ],
)
def test_what_a_level_brings_with_it(levels: list[int], expected: tuple[int, bool, bool, bool]) -> None:
    assert tuple(dunning_effects(levels, RULES)) == expected


def test_what_one_rung_brings_holds_above_it() -> None:
    rules = load(
        "[[dunning.step]]\nlevel = 1\ndays = 1\nchannel = 'phone'\nhold_orders = true\n"
        "[[dunning.step]]\nlevel = 2\ndays = 9\nchannel = 'letter'\n"
    ).dunning
    assert dunning_effects([2], rules).hold


# --- the policy ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("[[dunning.step]]\nlevel = 2\ndays = 3\nchannel = 'phone'", "begin with 0 or 1 and rise by one", "逐级加一"),
        ("[[dunning.step]]\nlevel = 1\ndays = 0\nchannel = 'phone'", "The days of [[dunning.step]] rise", "应逐级递增"),
        ("[dunning]\nstep = []", "begin with 0 or 1", "从 0 或 1 开始"),
        ("[[dunning.step]]\nlevel = 1\ndays = 3\nchannel = 'statement'", "Level 0, and only level 0", "其他各级不可使用"),
    ],
)  # fmt: skip
def test_a_ladder_that_is_none_is_refused_with_its_reason(text: str, en: str, zh: str) -> None:
    policy, (problem,) = read(text)
    assert policy is None
    assert en in problem.fix.en
    assert zh in problem.fix.zh


def test_a_segment_may_have_a_ladder_of_its_own() -> None:
    policy = load(
        "[[segment.key.dunning.step]]\nlevel = 1\ndays = 20\nchannel = 'phone'\n[segment.key.dunning.interest]\non = true"
    )
    assert [rung.days for rung in policy.of("key").dunning.step] == [20]
    assert policy.of("key").dunning.interest.on
    assert len(policy.dunning.step) == 7


# --- interest --------------------------------------------------------------------------------------------------------
def example(name: str) -> tuple[Any, Any]:
    for entry in json.loads(FILE.read_text("utf-8"), parse_float=Decimal):
        if entry["id"] == name:
            return entry["given"], entry["expected"]
    raise AssertionError(f"{name} is not in {FILE.name}")


shared = pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository")


@pytest.mark.live
@shared
def test_e18_late_interest() -> None:
    given, expected = example("E18")
    first = DAY(given["first_day_late"])
    paid = [(DAY(p["on"]), Decimal(p["amount"])) for p in given["payments"]]
    course = after_payments(Decimal(given["principal"]), paid, first)
    found = late_interest(course, Decimal(given["rate_per_day"]), first, DAY(given["to"]))
    assert str(rounded(found, "CNY")) == expected


def test_the_day_of_a_payment_belongs_to_the_reduced_balance() -> None:
    first = DAY("2026-09-01")
    course = after_payments(Decimal(1000), [(DAY("2026-09-03"), Decimal(1000))], first)
    assert late_interest(course, Decimal("0.01"), first, DAY("2026-09-30")) == Decimal(20)
    early = after_payments(Decimal(1000), [(DAY("2026-08-03"), Decimal(400))], first)
    assert late_interest(early, Decimal("0.01"), first, first) == Decimal(6)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4_000)), max_size=6),
    st.integers(0, 60),
    st.lists(st.integers(0, 80), max_size=4),
)
def test_interest_is_the_sum_over_its_days_and_claims_never_drift(
    payments: list[tuple[int, int]], start: int, claims: list[int]
) -> None:
    due_on, rules = later(start - 1), Interest(on=True)
    paid = [(later(days), Decimal(amount) / 100) for days, amount in payments]
    course = after_payments(Decimal("100.01"), paid, later(-1))
    claimed, last = Decimal(0), None
    for day in sorted(claims):
        claim = interest_claim(due_on, course, "CNY", claimed, rules, later(day))
        claimed += claim.amount if claim else 0
        last = later(day)
    by_day = Decimal(0)
    for day in range(start, (last - TODAY).days + 1 if last else 0):
        balance = Decimal("100.01") - sum((amount for on, amount in paid if on <= later(day)), Decimal(0))
        by_day += max(balance, Decimal(0)) * Decimal("0.0005")
    assert claimed == rounded(by_day, "CNY")


# --- limitation ------------------------------------------------------------------------------------------------------
@pytest.mark.live
@shared
def test_e19_limitation() -> None:
    given, expected = example("E19")
    demands = [Restart(DAY(on), "demand") for on in given["demands"]]
    assert limitation_ends(DAY(given["due"]), demands, given["years"]) == DAY(expected)


@pytest.mark.parametrize(
    ("restarts", "ends"),
    [
        ([], "2027-03-31"),
        ([Restart(DAY("2025-06-30"), "demand", proof=False)], "2027-03-31"),
        ([Restart(DAY("2025-06-30"), "acknowledgement", proof=False)], "2028-06-30"),
        ([Restart(DAY("2027-03-31"), "suit")], "2030-03-31"),
        ([Restart(DAY("2027-04-01"), "suit")], "2027-03-31"),
        ([Restart(DAY("2028-02-29"), "promise"), Restart(DAY("2026-01-01"), "part_payment")], "2031-02-28"),
    ],
)
def test_what_makes_the_time_run_anew(restarts: list[Restart], ends: str) -> None:
    assert limitation_ends(DAY("2024-03-31"), restarts) == DAY(ends)


# --- statutory terms ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("creditor", "debtor", "agreed", "pay_by"),
    [
        ("small", "public", None, "2026-07-01"),
        ("micro", "public", 45, "2026-07-16"),
        ("medium", "public", 120, "2026-07-31"),
        ("medium", "large", None, "2026-07-31"),
        ("small", "large", 90, "2026-08-30"),
        ("large", "public", None, None),
        ("small", "medium", None, None),
        (None, "public", None, None),
        ("small", None, None, None),
    ],
)
def test_statutory_terms_where_the_facts_permit(
    creditor: Any, debtor: Any, agreed: int | None, pay_by: str | None
) -> None:
    clock = payment_clock(creditor, debtor, DAY("2026-06-01"), agreed_days=agreed)
    assert (clock.pay_by if clock else None) == (DAY(pay_by) if pay_by else None)


def test_the_term_runs_from_acceptance_and_not_from_an_unknown_day() -> None:
    clock = payment_clock("small", "large", DAY("2026-06-01"), accepted_on=DAY("2026-06-11"))
    assert clock is not None
    assert clock.pay_by == DAY("2026-08-10")
    assert "third parties" in clock.text.en
    assert "自 2026-06-11 起 60 日内付款，即最迟于 2026-08-10 前支付" in clock.text.zh
    assert payment_clock("small", "large", None) is None


@pytest.mark.parametrize(
    ("known", "about", "pay_by"),
    [
        ({}, {}, None),
        ({"creditor": "unknown"}, {}, None),
        ({"invoiced": "unknown"}, {}, None),
        ({"debtor": "large"}, {}, 20),
        ({"debtor": "public"}, {"due_on": None}, 30),
        ({"debtor": "public"}, {"due_on": later(-100)}, None),  # due before it was delivered
        ({"debtor": "public"}, {"kind": "debit_note"}, None),
        ({"debtor": "medium"}, {}, None),
    ],
)
def test_an_invoice_has_a_clock_where_the_policy_tells_both_sizes(
    known: dict[str, Any], about: dict[str, Any], pay_by: int | None
) -> None:
    rules = Dunning.model_validate({"statutory": {"creditor": "small", "invoiced": "on_delivery", **known}})
    dates: dict[str, Any] = {"issued_on": later(-40), "due_on": later(-20)}
    clock = clock_of(debt(**(dates | about)), rules)
    assert (clock.pay_by if clock else None) == (later(pay_by - 40) if pay_by else None)


def test_the_statutory_rate() -> None:
    assert statutory_rate_per_day(None) == Decimal("0.0005")
    assert statutory_rate_per_day(Decimal("0.0002")) == Decimal("0.0002")
    assert statutory_rate_per_day(Decimal("0.00001"), Decimal("0.0365")) == Decimal("0.0001")
