"""When a customer is reviewed next, what pulls the day forward, and what its file lacks (domain 13, 14)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.credit.review import (
    Due,
    Happened,
    OnFile,
    Seen,
    by_calendar,
    is_overdue,
    lacking,
    listed,
    pulled,
    unanswered,
    worse,
)
from connector.policy import default_policy, read

RULES = default_policy().review
GRADES = ["A", "B", "C", "D"]
DAY = dt.date.fromisoformat


def test_the_risk_class_gives_the_months_and_the_shortest_counts() -> None:
    last = DAY("2026-08-31")
    due = {
        (grade, level): by_calendar(last, last, Seen(level, grade), RULES).on  # type: ignore[arg-type]
        for grade, level in [("A", "green"), ("B", "green"), ("C", "green"), ("D", "green"), ("A", "red")]
    }
    assert due == {
        ("A", "green"): DAY("2027-08-31"),
        ("B", "green"): DAY("2027-02-28"),  # clamped to the month's end
        ("C", "green"): DAY("2026-11-30"),
        ("D", "green"): DAY("2026-09-30"),
        ("A", "red"): DAY("2026-09-30"),
    }
    assert by_calendar(last, last, Seen(), RULES).on == DAY("2027-02-28")  # no grade: six months


def test_a_new_customer_is_reviewed_after_three_months_or_sooner() -> None:
    new = DAY("2026-11-30")
    assert by_calendar(None, new, Seen("green", "A"), RULES).on == DAY("2027-02-28")
    assert by_calendar(None, new, Seen("red", "A"), RULES).on == DAY("2026-12-30")


def test_what_became_worse() -> None:
    on = DAY("2026-11-23")
    before, now = Seen("yellow", "B"), Seen("red", "C", over=True)
    assert [one.what for one in worse(before, now, on, GRADES)] == ["level_red", "grade_worse", "over_limit"]
    assert worse(now, before, on, GRADES) == []
    assert worse(Seen("red", "C", True), now, on, GRADES) == []
    assert worse(Seen("green", None), Seen("yellow", "D"), on, GRADES) == []


def test_the_earliest_of_all_events_counts_and_says_so() -> None:
    due = Due(DAY("2027-02-28"), "class")
    happened = [Happened("registry", DAY("2026-11-01")), Happened("court", DAY("2026-11-02"))]
    assert pulled(due, happened, RULES) == Due(DAY("2026-11-07"), "court")
    assert pulled(Due(DAY("2026-11-03"), "class"), happened, RULES) == Due(DAY("2026-11-03"), "class")


days = st.dates(DAY("2020-01-01"), DAY("2030-12-31"))
events = st.lists(st.builds(Happened, st.sampled_from([e.on for e in RULES.event]), days))


@given(days, events, events)
def test_an_event_never_pushes_a_review_back(due_on: dt.date, first: list[Happened], then: list[Happened]) -> None:
    due = pulled(Due(due_on, "class"), first, RULES)
    later = pulled(due, then, RULES)
    assert later.on <= due.on <= due_on
    assert later == pulled(Due(due_on, "class"), [*first, *then], RULES)  # however they come in


def test_a_review_holds_orders_when_its_grace_is_over() -> None:
    due = DAY("2026-11-09")
    assert not is_overdue(due, DAY("2026-11-23"), 14)  # 14 days of grace end today
    assert is_overdue(due, DAY("2026-11-24"), 14)


def test_what_the_file_lacks_depends_on_the_limit_and_on_age() -> None:
    today = DAY("2026-11-23")
    licence, contract = OnFile("licence", DAY("2020-05-01")), OnFile("contract", DAY("2024-01-01"), DAY("2026-11-22"))
    report = OnFile("bureau_report", DAY("2025-05-23"))
    assert lacking([], Decimal(0), RULES, today) == []
    assert [one.paper for one in lacking([], Decimal(1), RULES, today)] == ["licence"]
    assert lacking([licence], Decimal(199_999), RULES, today) == []
    found = lacking([licence, contract, report], Decimal(1_000_000), RULES, today)
    assert [(one.paper, one.since) for one in found] == [("contract", today)]  # the report is good on its last day
    assert listed(found).en == "contract on file is not valid since 2026-11-23"
    assert listed(found).zh == "合同自 2026-11-23 起失效"
    tomorrow = lacking([licence, report], None, RULES, DAY("2026-11-24"))
    assert listed(tomorrow).en == "contract is not on file; credit bureau report on file is not valid since 2026-11-24"
    assert listed(tomorrow).zh == "缺少合同；征信报告自 2026-11-24 起失效"
    newer = OnFile("contract", DAY("2026-11-01"), DAY("2027-10-31"))
    assert lacking([licence, contract, newer], Decimal(200_000), RULES, today) == []


def test_required_points_must_be_answered() -> None:
    answers = {"identity": "checked in the register", "payment": " ", "statements": "2025 on file", "overdue": "none"}
    assert [text.en for text in unanswered(answers, RULES)] == [
        "Payment behaviour since the last review was looked at",
        "Guarantees and insurance are valid and cover what they should",
    ]


def test_a_class_is_a_grade_or_a_level_and_events_stand_once() -> None:
    text = '[[review.every]]\ngrade = "A"\nlevel = "red"\nmonths = 3\n[[review.event]]\non = "court"\ndays = 1\n'
    _, problems = read(text + '[[review.event]]\non = "court"\ndays = 2\n')
    assert [(p.field, p.fix.en) for p in problems] == [("review.every.1", "Give a grade or a level, one of them.")]
    _, problems = read('[[review.event]]\non = "court"\ndays = 1\n[[review.event]]\non = "court"\ndays = 2\n')
    assert problems[0].fix.zh == "每个事件、每个检查项、每种必备资料只能列出一次。"
