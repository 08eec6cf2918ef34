"""Texts in two languages, and those that are made only when somebody reads them."""

from __future__ import annotations

import pytest

from connector.credit.reason import Reason
from connector.text import Later, Text, joined


def test_a_nested_text_is_taken_in_the_same_language() -> None:
    shown = Text("{what}!", "{what}！").fill(what=Text("held", "已冻结"))
    assert (shown.en, shown.zh) == ("held!", "已冻结！")


def test_a_number_has_the_word_of_one_or_of_several() -> None:
    said = Text("{count:order is|orders are} held since {day}", "{count} 张订单自 {day} 起冻结")
    assert said.fill(count=1, day="1").en == "1 order is held since 1"
    assert said.fill(count="1", day=2).en == "1 order is held since 2"
    assert [said.fill(count=n, day=3).en[:12] for n in (0, 2, 21)] == ["0 orders are", "2 orders are", "21 orders ar"]
    assert said.fill(count=1, day=Text("Monday", "周一")).zh == "1 张订单自 周一 起冻结"
    assert Text("{share:.1f} | {n:,}", "{n}").fill(share=0.25, n=12000).en == "0.2 | 12,000"


def test_a_later_text_is_made_once_and_only_when_read() -> None:
    made: list[int] = []

    def make() -> Text:
        made.append(1)
        return Text("late", "逾期")

    later = Later(make)
    assert not made
    assert (later.say("zh"), str(later), later.en) == ("逾期", "late", "late")
    assert len(made) == 1
    assert later == Text("late", "逾期")
    assert Text("late", "逾期") == later
    assert later != Text("late", "晚")
    assert len({later, Text("late", "逾期")}) == 1
    assert joined([later, later]).zh == "逾期；逾期"
    assert Text("{x}", "{x}").fill(x=later).zh == "逾期"


def test_a_later_text_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Later(lambda: Text("a", "甲")).en = "b"  # type: ignore[misc]


def test_a_later_reason_equals_the_one_that_was_told_at_once() -> None:
    told: list[int] = []

    def tell(days: int) -> tuple[Text, dict[str, str]]:
        told.append(days)
        return Text(f"{days} days", f"{days} 天"), {"days": str(days)}

    later = Reason.later("oldest_overdue", tell, 31, documents=("I1",))
    assert (later.rule, later.documents, told) == ("oldest_overdue", ("I1",), [])
    assert later == Reason("oldest_overdue", Text("31 days", "31 天"), {"days": "31"}, ("I1",))
    assert later != Reason("oldest_overdue", Text("31 days", "31 天"), {"days": "32"}, ("I1",))
    assert later.numbers == {"days": "31"}
    assert told == [31]
