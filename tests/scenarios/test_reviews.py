"""Stories of a reviewer: customers are looked at in their turn, sooner when something happens, and never too late for long.

Policy: the shipped one, but late reviews and missing papers hold orders. The story begins on 2 March 2026; customer C1 has
a limit of CNY 500,000.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.model import Event
from connector.policy import load
from connector.store import decisions, papers, reviews
from connector.store.db import Store
from connector.store.papers import PaperRow
from jobs import review_decide
from jobs.evaluate import evaluate
from jobs.review import of_task, review
from jobs.review_decide import Desk, waits_for
from jobs.timeline import timeline
from tests.jobs.test_review import ANSWERS, Office, person

STRICT = load("[hold.review_overdue]\non = true\n[hold.documents]\non = true\n")


class Strict(Office):
    """An office whose policy holds orders for late reviews and missing papers."""

    def night(self, days: int = 1) -> None:
        self.clock.sleep(86_400 * days)
        self.pull()
        assert evaluate(self.store, self.config, STRICT, self.clock, full=True).failed is None
        assert review(self.store, self.config, STRICT, self.clock).failed is None

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.config, STRICT, self.clock)

    def held_because(self) -> list[tuple[str, str]]:
        """Why orders of C1 are held, in both languages."""
        debtor = self.row().debtor or 0
        with self.store.reading() as tx:
            body = decisions.latest(tx, [debtor])[debtor].body
        return [(reason["en"], reason["zh"]) for reason in body["reasons"]]

    def file(self, kind: str, dated_on: dt.date, valid_to: dt.date | None = None) -> None:
        with self.store.writing() as tx:
            papers.add(
                tx,
                PaperRow(
                    debtor=self.row().debtor or 0,
                    kind=kind,  # type: ignore[arg-type]
                    dated_on=dated_on,
                    valid_to=valid_to,
                    source="customer",
                    added_by="li.wei",
                    added_at=self.clock.now(),
                ),
            )


@pytest.fixture
def office(tmp_path: Path) -> Strict:
    office = Strict(Store.open(f"sqlite:///{tmp_path / 'office.db'}"))
    office.file("licence", dt.date(2020, 1, 5))
    office.file("contract", dt.date(2025, 1, 1), dt.date(2026, 3, 31))
    return office


def test_a_quiet_customer_is_reviewed_in_its_turn(office: Strict) -> None:
    office.night()
    row = office.row()
    with office.store.reading() as tx:
        (one,) = reviews.open_reviews(tx).values()
        body = decisions.latest(tx)[row.debtor or 0].body
    said = {lang: of_task(one, row, row, body, "k", None, lang) for lang in ("en", "zh")}  # type: ignore[arg-type]
    assert said["en"]["subject"] == "Credit review due 2026-06-03: 华东机械有限公司 (C1)"
    assert said["zh"]["subject"] == "信用复评（2026-06-03 前）：华东机械有限公司（C1）"
    assert str(said["en"]["body"]).splitlines() == [
        "Due because of the calendar of its risk class.",
        "Exposure CNY 0.00, limit CNY 500,000.00, overdue CNY 0.00, warning level green, grade none.",
        "Begin with: holdfast review start C1",
    ]
    assert str(said["zh"]["body"]).splitlines() == [
        "复评原因：按风险等级的复评周期。",
        "信用占用 CNY 0.00，额度 CNY 500,000.00，逾期 CNY 0.00，预警 绿色，评分等级 无。",
        "开始复评：holdfast review start C1",
    ]


def test_a_review_that_nobody_does_holds_orders_until_it_is_done(office: Strict) -> None:
    office.night()
    office.file("contract", dt.date(2026, 3, 2), dt.date(2027, 3, 31))
    office.night(92 + 14)  # due on 3 June, 14 days of grace end on 17 June
    assert office.today == dt.date(2026, 6, 17)
    assert office.held_because() == []
    office.night()
    assert office.held_because() == [
        (
            "the review was due on 2026-06-03, 15 days ago; 14 are allowed",
            "定期复评应于 2026-06-03 完成，已逾期 15 天，超过允许的 14 天",
        )
    ]
    row = office.row()
    review_decide.start(office.desk, row, person("li.wei"))
    done = review_decide.conclude(office.desk, row, person("li.wei"), "keep", "pays on time", ANSWERS)
    if done.state == "proposed":
        done = review_decide.approve(office.desk, row, person("wang.fang"))
    assert done.done_on == dt.date(2026, 6, 18)
    office.night()
    assert office.held_because() == []


def test_a_contract_that_has_run_out_holds_orders_until_the_new_one_is_on_file(office: Strict) -> None:
    office.night()
    assert office.held_because() == []
    office.night(29)  # 1 April
    assert office.held_because() == [
        ("the credit file lacks: contract (expired on 2026-04-01)", "信用档案缺少：合同（2026-04-01 已过期）")
    ]
    office.file("contract", dt.date(2026, 4, 1), dt.date(2027, 3, 31))
    office.night()
    assert office.held_because() == []


def test_a_court_entry_brings_the_review_forward_and_a_large_rise_needs_an_approver(office: Strict) -> None:
    office.night()
    office.tell(
        Event(
            id="E1", customer_id="C1", on=dt.date(2026, 3, 4), kind="court_executed", source="court", value="(2026) 12"
        )
    )
    office.night()
    assert office.due() == {"C1": (dt.date(2026, 3, 9), "court")}
    row = office.row()
    review_decide.start(office.desk, row, person("li.wei"))
    more = Decimal(1_500_000)
    one = review_decide.conclude(office.desk, row, person("li.wei"), "raise", "settled out of court", ANSWERS, more)
    assert one.state == "proposed"
    with office.store.reading() as tx:
        assert waits_for(tx, office.desk, row, one).en == "one approver"
        assert waits_for(tx, office.desk, row, one).zh == "一名审批人"
    with pytest.raises(ConfigError) as refused:
        review_decide.approve(office.desk, row, person("li.wei"))
    assert refused.value.user.en == "This needs one approver; 李伟 is a credit controller."
    done = review_decide.approve(office.desk, row, person("wang.fang"))
    assert (done.state, done.conclusion) == ("done", "raise")
    with office.store.reading() as tx:
        lines = [line for line in timeline(tx, row.debtor or 0, "Asia/Shanghai") if line.kind in ("event", "review")]
    assert [line.text.zh for line in lines] == [
        "安排复评，最迟 2026-03-09：涉诉或被执行",
        "被执行人：(2026) 12",
        "li.wei 完成复评：调增额度：settled out of court",
    ]


def test_a_review_that_stops_credit_holds_orders_until_another_says_otherwise(office: Strict) -> None:
    office.file("contract", dt.date(2026, 3, 2), dt.date(2027, 3, 31))
    office.night()
    row = office.row()

    def decided(conclusion: str, reason: str) -> None:
        review_decide.start(office.desk, row, person("li.wei"))
        one = review_decide.conclude(office.desk, row, person("li.wei"), conclusion, reason, ANSWERS)  # type: ignore[arg-type]
        if one.state == "proposed":
            review_decide.approve(office.desk, row, person("wang.fang"))
        office.night()

    decided("stop", "老板失联，工厂停产")
    assert office.held_because() == [
        (
            "credit is stopped (the review of 2026-03-03 ended so: 老板失联，工厂停产): cash only",
            "已停止授信（2026-03-03 的复评结论：老板失联，工厂停产）：仅限现款",
        )
    ]
    decided("keep", "new owner, guarantee given")
    assert office.held_because() == []
