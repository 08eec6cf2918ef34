"""Tasks of dunning in the CRM: one a customer and night, with every figure, whatever goes wrong on the way."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector.policy import default_policy
from connector.store import dunning, marks
from jobs.night import work
from tests.jobs.test_night import Night
from tests.jobs.test_night import night as night


def nightly(night: Night) -> None:
    done = work(night.store, night.config, default_policy(), night.clock, nightly=True)
    assert [r.job for r in done].index("dun") < [r.job for r in done].index("evaluate")


def tasks(night: Night) -> list[dict[str, Any]]:
    found = [t for t in night.crm.shelf.all("Tasks") if (t.get("Credit_Task_Key") or "").startswith("dunning:")]
    return sorted(found, key=lambda t: str(t["Credit_Task_Key"]))


def test_a_step_is_a_task_in_the_crm_made_once(night: Night) -> None:
    for _ in range(3):
        nightly(night)
    (task,) = tasks(night)
    assert task["Credit_Task_Key"] == "dunning:books:C1:1/2026-11-20"
    assert task["Subject"] == "Call about overdue payment: Dragon (C1)"
    assert task["Description"] == (
        "I1: CNY 3,000.00 open, due 2026-09-20, 61 days overdue → level 1, call\n"
        "Please call the customer, and write down the result: holdfast contact add C1"
    )
    night.clock.sleep(5 * 86_400)
    nightly(night)
    second = tasks(night)[1]
    assert second["Credit_Task_Key"] == "dunning:books:C1:2/2026-11-25"
    assert second["Subject"] == "Send the demand, level 2: Dragon (C1)"
    with night.store.reading() as tx:
        (letter,) = [row for row in dunning.letters(tx) if row.counted]
    assert f"Letter no. {letter.id} is ready with all its figures." in second["Description"]


def test_a_task_speaks_chinese_where_the_system_does(night: Night) -> None:
    chinese = night.config.business.model_copy(update={"language": "zh"})
    night.config = night.config.model_copy(update={"business": chinese})
    night.clock.at = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
    nightly(night)
    (task,) = tasks(night)
    assert task["Subject"] == "电话催收：Dragon（C1）"
    assert task["Description"] == (
        "I1：未清 CNY 3,000.00，到期日 2026-09-20，逾期 61 天 → 第 1 级，电话催收\n"
        "请致电客户并记录结果：holdfast contact add C1"
    )


def test_a_crm_that_fails_gets_its_task_later_and_once(night: Night) -> None:
    night.crm.faults.plan("503", times=1000, match="POST .*/Tasks")
    nightly(night)
    assert tasks(night) == []
    night.crm.faults.clear()
    for _ in range(2):
        night.clock.sleep(4000)
        nightly(night)
    assert [t["Credit_Task_Key"] for t in tasks(night)] == ["dunning:books:C1:1/2026-11-20"]


def test_a_level_that_rose_is_judged_in_the_same_night(night: Night) -> None:
    nightly(night)
    with night.store.reading() as tx:
        assert marks.marks(tx) == {}
        assert list(dunning.levels(tx).values()) == [1]


def test_a_task_not_made_yet_goes_when_the_customer_has_paid(night: Night) -> None:
    night.crm.faults.plan("503", times=1000, match="POST .*/Tasks")
    nightly(night)
    night.write("payments", "id,customer_id,received_on,currency,amount\nP1,C1,2026-10-01,CNY,10000.00\n")
    night.write("applications", "from_id,to_id,amount,applied_on\nP1,I1,10000.00,2026-10-01\n")
    night.clock.sleep(4000)
    nightly(night)
    night.crm.faults.clear()
    night.clock.sleep(4000)
    nightly(night)
    assert tasks(night) == []
    with night.store.reading() as tx:
        assert dunning.levels(tx) == {}
