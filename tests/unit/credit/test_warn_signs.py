"""Signs beside the ledger: their levels, what is calm and what is not known, and their sentences."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connector.credit.decide import decide
from connector.credit.expiry import INSURANCE, LIMIT, last_day
from connector.credit.warn import Indicator, State, Warned, level_of, warned
from connector.credit.warn_signs import READERS, Sign, Signs
from connector.model import Limit
from connector.policy import default_policy, load
from tests.unit.credit.test_warn import pos

WARNING = default_policy().warning
DAY = dt.date(2026, 11, 23)
ASKED = frozenset(READERS)


def read(name: str, sign: Sign | None, overdue: str = "0", days: int = 0, total: str | None = None) -> Indicator:
    found = {} if sign is None else {name: sign}
    whole = Decimal(total) if total else None
    every = Signs(ASKED, found, whole, everything=True)
    indicators, _ = warned(pos(overdue, days=days), WARNING, every)
    return next(one for one in indicators if one.name == name)


def sign(value: str | None, *words: str) -> Sign:
    return Sign(None if value is None else Decimal(value), words)


@pytest.mark.parametrize(
    ("name", "found", "level", "en", "zh"),
    [
        ("broken_promises", sign("2"), "orange",
         "promises to pay not kept in the last 90 days: 2 (orange from 2)", "近 90 天有 2 次付款承诺未兑现（达到 2 次为橙色）"),
        ("broken_promises", None, "green", "promises not kept: 0", "未兑现的付款承诺：0"),
        ("slowdown", sign("7.004"), "yellow",
         "payments of the last 90 days came 7 days later than those of the 12 months before (yellow from 7)",
         "近 90 天付款比此前 12 个月平均慢 7 天（达到 7 天为黄色）"),
        ("slowdown", sign("6.999"), "green", "slowdown of payments in days: 7", "付款放缓天数：7"),
        ("slowdown", None, "green", "slowdown of payments in days: not known", "付款放缓天数：未知"),
        ("score_drop", sign("21.5", "78.00", "56.50", "B"), "orange",
         "the score fell by 21.5 points, from 78.00 to 56.50 (orange from 20)",
         "信用评分下降 21.5 分，由 78.00 降至 56.50（达到 20 分为橙色）"),
        ("score_drop", sign("3", "33.00", "30.00", "D"), "red", "the grade is D, at a score of 30.00", "信用等级为 D，评分 30.00"),
        ("score_drop", sign(None, "-", "90.00", "A"), "green",
         "drop of the score: no earlier score to compare with", "评分下降：无可比的历史评分"),
        ("score_drop", sign(None, "-", "30.00", "D"), "red", "the grade is D, at a score of 30.00", "信用等级为 D，评分 30.00"),
        ("order_spike", sign("3.456"), "orange",
         "orders of the last 30 days are 3.46 times the monthly average of the 6 months before (orange from 3)",
         "近 30 天订单金额为此前 6 个月月均的 3.46 倍（达到 3 倍为橙色）"),
        ("order_spike", sign("9"), "orange",
         "orders of the last 30 days are 9 times the monthly average of the 6 months before (orange from 3)",
         "近 30 天订单金额为此前 6 个月月均的 9 倍（达到 3 倍为橙色）"),
        ("dishonoured", sign("1", "2026-11-02"), "red",
         "bills dishonoured or payments bounced in the last 365 days: 1, the last on 2026-11-02 (red from 1)",
         "近 365 天发生票据拒付或付款退回 1 次，最近一次在 2026-11-02（达到 1 次为红色）"),
        ("limit_expiry", sign("30", "2026-12-23"), "yellow",
         "the credit limit ends on 2026-12-23, in 30 days (yellow from 30 days before)",
         "信用额度将于 2026-12-23 到期，还有 30 天（提前 30 天起为黄色）"),
        ("limit_expiry", sign("31", "2026-12-24"), "green", "end of the credit limit: 2026-12-24", "信用额度到期：2026-12-24"),
        ("limit_expiry", sign("7", "2026-11-30"), "orange",
         "the credit limit ends on 2026-11-30, in 7 days (orange from 7 days before)",
         "信用额度将于 2026-11-30 到期，还有 7 天（提前 7 天起为橙色）"),
        ("limit_expiry", sign("0", "2026-11-23"), "orange",
         "the credit limit ends on 2026-11-23, in 0 days (orange from 7 days before)",
         "信用额度将于 2026-11-23 到期，还有 0 天（提前 7 天起为橙色）"),
        ("limit_expiry", sign("-1", "2026-11-22"), "red", "the credit limit ended on 2026-11-22", "信用额度已于 2026-11-22 到期"),
        ("insurance_expiry", sign("-365", "2025-11-23"), "red",
         "the credit insurance or guarantee ended on 2025-11-23", "信用保险或担保已于 2025-11-23 到期"),
        ("insurance_expiry", sign("-366", "2025-11-22"), "green",
         "end of the insurance or guarantee: 2025-11-22", "信用保险或担保到期：2025-11-22"),
        ("insurer", sign(None, "cut", "2026-10-05", "insurer"), "orange",
         "the credit insurer cut its cover on 2026-10-05", "保险公司于 2026-10-05 削减承保额度"),
        ("insurer", sign(None, "withdrawn", "2026-10-05", "insurer"), "red",
         "the credit insurer withdrew its cover on 2026-10-05", "保险公司于 2026-10-05 撤销承保"),
        ("registry", sign(None, "abnormal", "2026-10-05", "qichacha"), "orange",
         "register of companies: abnormal operations, since 2026-10-05 (qichacha)",
         "工商登记：经营异常名录，自 2026-10-05 起（来源：qichacha）"),
        ("registry", sign(None, "clean", "2026-10-05", "qichacha"), "green",
         "register of companies: nothing listed", "工商登记：无异常"),
        ("court", sign(None, "dishonest", "2026-10-05", "zxgk_manual"), "red",
         "courts: dishonest debtor, on 2026-10-05 (zxgk_manual)", "司法信息：失信被执行人，2026-10-05（来源：zxgk_manual）"),
        ("court", None, "green", "courts: not known", "司法信息：未知"),
        ("statement_age", sign("12", "2025-11-23"), "green",
         "age of the newest financial statement in months: 12", "最近一期财务报表的月数：12"),
        ("statement_age", sign("13", "2025-11-22"), "yellow",
         "the newest financial statement, of 2025-11-22, is more than 12 months old (yellow)",
         "最近一期财务报表截至 2025-11-22，已超过 12 个月（黄色）"),
        ("statement_age", sign("25", "2024-11-22"), "red",
         "the newest financial statement, of 2024-11-22, is more than 24 months old (red)",
         "最近一期财务报表截至 2024-11-22，已超过 24 个月（红色）"),
    ],
)  # fmt: skip
def test_levels_and_sentences(name: str, found: Sign | None, level: str, en: str, zh: str) -> None:
    indicator = read(name, found)
    assert (indicator.level, indicator.text.en, indicator.text.zh) == (level, en, zh)


def test_an_order_spike_is_red_with_anything_overdue() -> None:
    position = pos("10", days=5)
    position.overdue = Decimal(10)
    indicators, _ = warned(position, WARNING, Signs(ASKED, {"order_spike": sign("5")}))
    assert {one.name: one.level for one in indicators}["order_spike"] == "red"
    assert read("order_spike", sign("5")).level == "orange"


def test_days_since_the_last_payment_count_only_with_anything_overdue() -> None:
    assert read("last_payment", sign("100", "2026-08-15")).level == "green"
    overdue = read("last_payment", sign("60", "2026-09-24"), "10", days=5)
    assert (overdue.level, overdue.text.zh) == ("orange", "有逾期款项，且已 60 天没有回款（达到 60 天为橙色）")
    assert overdue.text.en == "no payment for 60 days while items are overdue (orange from 60)"
    never = read("last_payment", None, "10", days=50)
    assert (never.value, never.level) == (Decimal(50), "yellow"), "never paid: since the oldest item fell due"


def test_a_share_of_all_receivables() -> None:
    for total, level in (("1000", "yellow"), ("1001", "green"), ("400", "red")):
        assert read("concentration", None, total=total).level == level
    known = read("concentration", None, total="800")
    assert known.text.en == "this customer owes 12.50% of all receivables (yellow from 10%)"
    assert known.text.zh == "该客户占全部应收账款的 12.50%（达到 10% 为黄色）"
    assert read("concentration", None).value is None, "too few customers: no share"


# --- missing is not calm -------------------------------------------------------------------------------------------------
def stood(name: str, level: str, signs: Signs, overdue: str = "0", **more: Any) -> dict[str, Warned]:
    states = {name: State(level, 2, DAY - dt.timedelta(days=1), DAY, DAY)}  # type: ignore[arg-type]
    _, found = warned(pos(overdue), WARNING, signs, states, **more)
    return {one.name: one for one in found}


def test_what_is_not_known_any_more_stays_and_is_told() -> None:
    found = stood("court", "orange", Signs(ASKED))
    assert (found["court"].state.level, found["court"].state.clear) == ("orange", 2)
    assert found["court"].text(WARNING).en == "courts: not known; still orange: today's value is not known or old"
    assert found["court"].text(WARNING).zh == "司法信息：未知；仍为橙色：当前数值未知或过期，不降级"
    quality = found["data_quality"]
    assert (quality.state.level, quality.today.kept) == ("yellow", "court")
    assert quality.text(WARNING).en == "data are missing or old, so that a warning cannot be looked at again: courts"
    assert quality.text(WARNING).zh == "数据缺失或过期，以下预警无法复核，等级暂不下调：司法信息"


def test_the_warning_of_the_data_ends_when_everything_is_known_again() -> None:
    states = {name: State("yellow", 0, DAY, DAY, DAY) for name in ("court", "data_quality")}
    clean = Signs(ASKED, {"court": sign(None, "clean", "2026-11-20", "x")})
    _, found = warned(pos(), WARNING, clean, states)
    assert {one.name: one.state.level for one in found} == {"court": "yellow", "data_quality": "green"}
    _, found = warned(pos(), WARNING, Signs(), states)
    assert {one.name: one.state.level for one in found} == {"court": "yellow", "data_quality": "yellow"}, "nobody asked"


def test_an_answer_of_nothing_counts() -> None:
    found = stood("court", "orange", Signs(ASKED, {"court": sign(None, "clean", "2026-11-20", "x")}))
    assert found["court"].state.level == "yellow", "third clear run: one level down"
    assert "data_quality" not in found


@pytest.mark.parametrize("name", ["broken_promises", "dishonoured", "limit_expiry", "insurer", "last_payment"])
def test_silence_is_calm_where_somebody_would_have_told(name: str) -> None:
    found = stood(name, "red", Signs(ASKED))
    assert found[name].state.level != "red"
    assert "data_quality" not in found


def test_old_data_of_the_ledger_lower_nothing() -> None:
    found = stood("overdue_ratio", "orange", Signs(), stale=True)
    assert found["overdue_ratio"].state == State("orange", 2, DAY - dt.timedelta(days=1), DAY, DAY, None, DAY)
    assert found["data_quality"].today.words == ("overdue_ratio",)
    # A listing by a court is as good as ever.
    assert stood("court", "orange", Signs(ASKED, {"court": sign(None, "clean", "2026-11-20", "x")}), stale=True)[
        "court"
    ].known


def test_nothing_open_is_nothing_overdue() -> None:
    states = {"overdue_ratio": State("red", 2, DAY - dt.timedelta(days=1), DAY, DAY)}
    _, found = warned(pos("0", "0"), WARNING, Signs(), states)
    assert [(one.name, one.state.level) for one in found] == [("overdue_ratio", "orange")]


def test_an_indicator_that_is_switched_off_ends() -> None:
    warning = load("[warning.court]\non = false").warning
    _, found = warned(pos(), warning, Signs(ASKED), {"court": State("red", 0, DAY, DAY, DAY)})
    assert [(one.name, one.state.level) for one in found] == [("court", "green")]


# --- why a level still stands --------------------------------------------------------------------------------------------
def test_why_a_level_is_not_lower() -> None:
    states = {"overdue_ratio": State("orange", 1, DAY - dt.timedelta(days=1), DAY, DAY)}
    _, (one,) = warned(pos("17", "100"), WARNING, Signs(), states)
    assert one.text(WARNING).en == (
        "17.00% of all open items is overdue (yellow from 10%); still orange: below 18% in 2 of 3 daily runs"
    )
    assert one.text(WARNING).zh == (
        "逾期金额占未清项的 17.00%（达到 10% 为黄色）；仍为橙色：须连续 3 次低于 18%，已 2 次"
    )
    _, (one,) = warned(pos("19", "100"), WARNING, Signs(), states)
    assert one.why(WARNING) is not None
    assert str(one.why(WARNING)) == "still orange: not below 18% yet"
    _, (one,) = warned(pos("25", "100"), WARNING, Signs(), states)
    assert one.why(WARNING) is None


# --- the level of a customer, and what follows ---------------------------------------------------------------------------
def levels(*names: str) -> list[Warned]:
    return [Warned(Indicator(n, None, "green"), State(), State(n)) for n in names]  # type: ignore[arg-type]


def test_points_or_the_maximum() -> None:
    by_points = load('[warning]\ncombine = "points"').warning  # 1, 2, 4 points; cut-offs 1, 3, 4
    for names, most, points in (
        ((), "green", "green"),
        (("yellow",), "yellow", "yellow"),
        (("yellow", "yellow"), "yellow", "yellow"),
        (("yellow", "orange"), "orange", "orange"),
        (("yellow", "yellow", "yellow", "yellow"), "yellow", "red"),
        (("orange", "orange"), "orange", "red"),
        (("red", "green"), "red", "red"),
    ):
        assert (level_of(levels(*names), WARNING), level_of(levels(*names), by_points)) == (most, points)


def test_actions_of_a_level_hold_orders_and_stop_credit() -> None:
    policy = load('[warning.actions]\nred = ["hold", "stop_credit", "freeze_increases"]')
    decision = decide(pos("40", "100", limit="1000"), [], policy)
    assert decision.level == "red"
    assert decision.actions == ("hold", "stop_credit", "freeze_increases")
    assert [(r.rule, r.text.en, r.text.zh) for r in decision.reasons] == [
        ("warning_level", "the warning level is red: new orders are held", "预警等级为红色：冻结新订单"),
        (
            "stop_credit",
            "credit is stopped at the warning level red: cash only",
            "预警等级为红色，已停止授信：仅限现款",
        ),
    ]
    with_room = replace(pos("40", "100", limit="1000"), available=Decimal(900))
    assert decide(with_room, [], policy).available == 0, "nothing of the limit can be used"
    assert decide(with_room, [], default_policy()).available == 900
    over = replace(with_room, available=Decimal(-5))
    assert decide(over, [], policy).available == -5
    assert not decide(pos("40", "100", limit="1000"), [], default_policy()).hold


# --- the end of limits ---------------------------------------------------------------------------------------------------
def piece(kind: str, since: str | None, until: str | None) -> Limit:
    day = dt.date.fromisoformat
    return Limit(
        customer_id="C",
        kind=kind,  # type: ignore[arg-type]
        valid_from=day(since) if since else None,
        valid_to=day(until) if until else None,
    )


@pytest.mark.parametrize(
    ("pieces", "last"),
    [
        ([], None),
        ([("base", None, None)], None),
        ([("base", None, "2026-12-31")], "2026-12-31"),
        ([("base", None, "2026-12-31"), ("base", "2027-01-01", "2027-06-30")], "2027-06-30"),
        ([("base", None, "2026-12-31"), ("base", "2027-01-02", "2027-06-30")], "2026-12-31"),
        ([("base", None, None), ("override", "2026-11-01", "2026-12-31")], None),
        ([("base", None, "2026-06-30")], "2026-06-30"),
        ([("base", None, "2026-06-30"), ("base", "2026-08-01", None)], None),
        ([("base", None, "2026-06-30"), ("base", "2026-12-01", None)], "2026-06-30"),
        ([("base", "2026-12-01", "2027-12-01")], None),
        ([("guarantee", None, "2026-12-01")], None),
    ],
)
def test_the_last_day_of_a_limit(pieces: list[tuple[str, str | None, str | None]], last: str | None) -> None:
    found = last_day([piece(*p) for p in pieces], LIMIT, DAY)
    assert found == (dt.date.fromisoformat(last) if last else None)


def test_an_insurance_is_not_a_limit() -> None:
    pieces = [piece("base", None, None), piece("guarantee", None, "2026-12-01")]
    assert last_day(pieces, INSURANCE, DAY) == dt.date(2026, 12, 1)
