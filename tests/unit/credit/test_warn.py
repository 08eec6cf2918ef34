"""Early warning: each indicator's thresholds, compared exactly, and its sentences."""

import datetime as dt
from decimal import Decimal

import pytest

from connector.credit.limit import NO_LIMIT, Effective
from connector.credit.position import Exposure, Position, share
from connector.credit.reason import Reason
from connector.credit.warn import Indicator, indicators, worst
from connector.policy import default_policy, load
from connector.text import same

ZERO = Decimal(0)
WARNING = default_policy().warning


def pos(
    overdue: str = "0", total: str = "100", days: int = 0, used: str = "0", limit: str | None = None, unclear: str = ""
) -> Position:
    amount = Decimal(limit) if limit is not None else None
    return Position(
        customer=1,
        currency="CNY",
        as_of=dt.date(2026, 11, 23),
        buckets={},
        unapplied=ZERO,
        balance=ZERO,
        overdue=ZERO,
        overdue_days=0,
        undisputed_overdue=Decimal(overdue),
        undisputed_overdue_days=days,
        disputed=ZERO,
        exposure=Exposure(total=Decimal(used)),
        limit=NO_LIMIT if amount is None else Effective("amount", amount, "CNY"),
        limit_amount=amount,
        available=None,
        utilisation=share(Decimal(used), amount),
        open_total=Decimal(total),
        unclear=(Reason(unclear, same("x")),) if unclear else (),
    )


def named(position: Position) -> dict[str, Indicator]:
    return {indicator.name: indicator for indicator in indicators(position, WARNING)}


@pytest.mark.parametrize(
    ("overdue", "level"),
    [("0", "green"), ("9.99", "green"), ("10", "yellow"), ("19.99", "yellow"), ("20", "orange"), ("30", "red")],
)
def test_overdue_ratio(overdue: str, level: str) -> None:
    assert named(pos(overdue))["overdue_ratio"].level == level


def test_nothing_is_rounded_before_it_is_compared() -> None:
    # 9.9999 % shows as 10.00 % and is still green
    indicator = named(pos("99999", "1000000"))["overdue_ratio"]
    assert (indicator.value, indicator.level) == (Decimal("0.1000"), "green")


@pytest.mark.parametrize(
    ("days", "level"),
    [(0, "green"), (14, "green"), (15, "yellow"), (29, "yellow"), (30, "orange"), (59, "orange"), (60, "red")],
)
def test_oldest_overdue(days: int, level: str) -> None:
    assert named(pos(days=days))["oldest_overdue"].level == level


@pytest.mark.parametrize(
    ("used", "level"),
    [("79.99", "green"), ("80", "yellow"), ("95", "orange"), ("100", "orange"), ("100.01", "red"), ("-5", "green")],
)
def test_utilisation_is_red_only_above_the_limit(used: str, level: str) -> None:
    assert named(pos(used=used, limit="100"))["utilisation"].level == level


def test_a_limit_of_zero_that_is_used_is_red() -> None:
    assert named(pos(used="0.01", limit="0"))["utilisation"] == Indicator("utilisation", None, "red", Decimal(100))
    assert named(pos(used="0", limit="0"))["utilisation"].level == "green"


def test_what_means_nothing_is_none() -> None:
    assert named(pos(used="50"))["utilisation"] == Indicator("utilisation", None, "green")
    assert named(pos("0", "0"))["overdue_ratio"] == Indicator("overdue_ratio", None, "green")


def test_without_a_rate_ratios_are_not_known() -> None:
    found = named(pos("50", "100", 70, "90", "100", unclear="no_rate"))
    assert (found["overdue_ratio"].value, found["utilisation"].value) == (None, None)
    assert found["oldest_overdue"].level == "red"  # days need no rate


def test_the_worst_indicator_gives_the_level() -> None:
    assert worst(indicators(pos("10", days=30, used="10", limit="100"), WARNING)) == "orange"
    assert worst(()) == "green"


def test_an_indicator_can_be_switched_off_and_a_level_left_out() -> None:
    policy = load("[warning.overdue_ratio_percent]\non = false\n[warning.oldest_overdue_days]\nred = 90")
    found = indicators(pos("99", days=89), policy.warning)
    assert [indicator.name for indicator in found] == ["oldest_overdue", "utilisation"]
    assert worst(found) == "green"


def test_the_sentences() -> None:
    found = named(pos("23", days=31, used="101", limit="100"))
    assert found["overdue_ratio"].text.en == "23.00% of all open items is overdue (orange from 20%)"
    assert found["overdue_ratio"].text.zh == "逾期金额占未清项的 23.00%（达到 20% 为橙色）"
    assert found["oldest_overdue"].text.en == "the oldest undisputed item is 31 days overdue (orange from 30)"
    assert found["oldest_overdue"].text.zh == "最早的无争议未清项已逾期 31 天（达到 30 天为橙色）"
    assert found["utilisation"].text.en == "101.00% of the limit is used (red: threshold 100%)"
    assert found["utilisation"].text.zh == "额度使用率 101.00%（红色阈值 100%）"
    calm = named(pos("3", used="5", limit="100"))
    assert calm["overdue_ratio"].text.en == "share of overdue in open items: 3.00%"
    assert calm["overdue_ratio"].text.zh == "逾期金额占未清项比例：3.00%"
    assert calm["utilisation"].text.en == "share of the limit used: 5.00%"
    assert calm["utilisation"].text.zh == "额度使用率：5.00%"
    assert calm["oldest_overdue"].text.en == "days overdue of the oldest undisputed item: 0"
    assert calm["oldest_overdue"].text.zh == "最早无争议未清项逾期天数：0"
    assert named(pos())["utilisation"].text.zh == "额度使用率：未知"
