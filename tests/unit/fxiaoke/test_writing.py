"""Writing: the right form of each value, one outcome per write in order, no task twice, no workflow set off."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.fxiaoke import ADAPTER
from adapters.fxiaoke.sandbox import BULK_FUNCTION, _error, _fine
from connector.adapter import Outcome, Write
from connector.errors import ConfigError

CUSTOMERS = ADAPTER.channel("customer_fields")
ORDERS = ADAPTER.channel("order_fields")
TASKS = ADAPTER.channel("task")
assert CUSTOMERS is not None
assert ORDERS is not None
assert TASKS is not None
assert CUSTOMERS.current is not None
assert TASKS.find is not None

WORDS = {
    "limit": Decimal("50000"),
    "exposure": Decimal("61234.5"),
    "available": Decimal("-11234.50"),
    "utilisation_percent": Decimal(122),
    "balance": Decimal("61234.50"),
    "overdue": Decimal("1200.00"),
    "overdue_days": 45,
    "level": "orange",
    "hold": True,
    "hold_reason": "占用 61,234.50 超过额度 50,000.00",
    "as_of": dt.date(2026, 11, 23),
}


def _values(made: Any, **changed: Any) -> dict[str, Any]:
    """Of an account: its figures and its hold."""
    words = {**WORDS, **changed}
    return {**made.mapping.write("customer_fields", words)[0], **made.mapping.write("hold", words)[0]}


def _stored(made: Any, key: str, label: str, kind: str = "AccountObj") -> Any:
    return made.sandbox.shelf.get(kind, key).get(made.named(label, kind))


def test_each_value_arrives_in_the_form_of_its_field(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    key = made.accounts()[0]["_id"]
    assert CUSTOMERS.send(made.client, [Write("k", key, _values(made))]) == [Outcome("done", key)]
    assert _stored(made, key, "信用额度") == "50000.00"  # amounts are text
    assert _stored(made, key, "信用占用") == "61234.50"
    assert _stored(made, key, "可用额度") == "-11234.50"
    assert _stored(made, key, "逾期天数段") == "31-60"
    assert _stored(made, key, "信用冻结") is True
    assert _stored(made, key, "信用冻结原因") == "占用 61,234.50 超过额度 50,000.00"
    # 2026-11-23 00:00 in Shanghai
    assert _stored(made, key, "信用数据日期") == 1795363200000
    told = made.sandbox.describe("AccountObj")["fields"][made.named("信用预警等级")]
    chosen = next(o["value"] for o in told["options"] if o["label"] == "橙")
    assert _stored(made, key, "信用预警等级") == chosen != "橙"


def test_values_that_went_through_the_outbox_as_json_arrive_the_same(tenant: Any) -> None:
    made = tenant()
    first, second = (a["_id"] for a in made.accounts()[:2])
    values = _values(made)
    CUSTOMERS.send(made.client, [Write("1", first, values)])
    CUSTOMERS.send(made.client, [Write("2", second, json.loads(json.dumps(values, default=str)))])
    for label in ("信用额度", "信用冻结", "信用数据日期", "信用预警等级"):
        assert _stored(made, first, label) == _stored(made, second, label)


def test_an_order_is_locked_with_its_hold_and_unlocked_with_its_release(tenant: Any) -> None:
    made = tenant()
    orders = ADAPTER.channel("order_fields")
    first, second = (o["_id"] for o in made.sandbox.shelf.all("SalesOrderObj")[:2])

    def send(held: bool, reason: str | None = None) -> None:
        values, _ = made.mapping.write("order_fields", {"hold": held, "hold_reason": reason})
        writes = [Write(f"o{key}", key, {**values, "lock_status": held}) for key in (first, second)]
        assert [o.state for o in orders.send(made.client, writes)] == ["done", "done"]

    def locked() -> list[str]:
        return [made.sandbox.shelf.get("SalesOrderObj", key)["lock_status"] for key in (first, second)]

    send(True, "逾期 45 天")
    assert locked() == ["1", "1"]
    assert orders.current(made.client, [first])[first]["lock_status"] is True
    send(True, "逾期 46 天")  # the lock keeps everybody out, us too: it is taken off for the moment
    assert locked() == ["1", "1"]
    assert _stored(made, first, "信用冻结原因", "SalesOrderObj") == "逾期 46 天"
    # Without a word on the lock it is somebody else's, and stays.
    refused = orders.send(made.client, [Write("p", first, made.mapping.write("order_fields", {"hold": True})[0])])
    assert refused[0].state == "rejected"
    send(False)
    assert locked() == ["0", "0"]
    assert _stored(made, first, "信用冻结", "SalesOrderObj") is False


def test_nothing_known_clears_the_field(tenant: Any) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    CUSTOMERS.send(made.client, [Write("1", key, _values(made))])
    CUSTOMERS.send(made.client, [Write("2", key, _values(made, limit=None, hold=False, hold_reason=None))])
    assert _stored(made, key, "信用额度") is None
    assert _stored(made, key, "信用冻结原因") is None
    assert _stored(made, key, "信用冻结") is False


def test_what_was_written_can_be_read_back_in_our_own_terms(tenant: Any) -> None:
    made = tenant()
    key, untouched = (a["_id"] for a in made.accounts()[:2])
    CUSTOMERS.send(made.client, [Write("1", key, _values(made))])
    now = CUSTOMERS.current(made.client, [key, untouched, "0" * 24])
    assert set(now) == {key, untouched}
    assert now[key]["label:信用额度"] == Decimal("50000")
    assert now[key]["label:信用冻结"] is True
    assert now[key]["label:信用预警等级"] == "橙"
    assert now[key]["label:信用数据日期"] == dt.date(2026, 11, 23)
    assert now[key][made.named("信用冻结")] is True
    assert now[untouched]["label:信用冻结"] is None


def test_no_approval_and_no_workflow_is_set_off(tenant: Any) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    order = made.sandbox.shelf.all("SalesOrderObj")[0]["_id"]
    CUSTOMERS.send(made.client, [Write("1", key, _values(made))])
    ORDERS.send(made.client, [Write("2", order, {"label:信用冻结": True})])
    TASKS.send(made.client, [Write("3", key, {"name": "催款"})])
    assert len(made.sandbox.writes()) == 3
    assert made.sandbox.flows == []


def test_what_was_not_named_has_not_changed(tenant: Any) -> None:
    made = tenant()
    before = made.accounts()
    key = before[2]["_id"]
    CUSTOMERS.send(made.client, [Write("1", key, {"label:信用额度": Decimal(5)})])
    limit = made.named("信用额度")
    for was, now in zip(before, made.accounts(), strict=True):
        changed = {n for n in {*was, *now} if was.get(n) != now.get(n)}
        assert changed == ({limit, "last_modified_time", "version"} if was["_id"] == key else set())


def test_every_write_is_one_call_and_the_fields_are_asked_for_once(tenant: Any) -> None:
    made = tenant()
    keys = [a["_id"] for a in made.accounts()[:5]]
    CUSTOMERS.send(made.client, [Write(k, k, {"label:信用额度": Decimal(5)}) for k in keys])
    paths = [c.path for c in made.sandbox.calls]
    assert paths.count("/cgi/crm/v2/data/update") == 5
    assert paths.count("/cgi/crm/v2/object/describe") == 1


def test_an_order_is_held_and_released(tenant: Any) -> None:
    made = tenant()
    order = made.sandbox.shelf.all("SalesOrderObj")[0]["_id"]
    held, _ = made.mapping.write("order_fields", {"hold": True, "hold_reason": "超过额度"})
    ORDERS.send(made.client, [Write("1", order, held)])
    assert _stored(made, order, "信用冻结", "SalesOrderObj") is True
    free, _ = made.mapping.write("order_fields", {"hold": False})
    ORDERS.send(made.client, [Write("2", order, free)])
    assert _stored(made, order, "信用冻结", "SalesOrderObj") is False
    assert _stored(made, order, "信用冻结原因", "SalesOrderObj") is None


# --- outcomes ----------------------------------------------------------------------------------------------------------------
def test_one_bad_row_among_good_ones_in_order(tenant: Any) -> None:
    made = tenant()
    a, b, c = (x["_id"] for x in made.accounts()[:3])
    made.sandbox.keep("AccountObj", made.sandbox.shelf.get("AccountObj", b) | {"lock_status": "1"})
    writes = [Write(k, k, {"label:信用额度": Decimal(7)}) for k in (a, b, "0" * 24, c)]
    outcomes = CUSTOMERS.send(made.client, writes)
    assert [o.state for o in outcomes] == ["done", "rejected", "rejected", "done"]
    assert outcomes[1].why is not None
    assert "数据已锁定，不能编辑" in outcomes[1].why.zh
    assert outcomes[2].why is not None
    assert "数据不存在或已删除" in outcomes[2].why.zh
    assert _stored(made, c, "信用额度") == "7.00"


@pytest.mark.parametrize(
    ("label", "value", "en", "zh"),
    [
        (
            "信用预警等级",
            "紫",
            "“紫” does not fit the field 信用预警等级 ({name}, type select_one); its options are 绿, 黄, 橙, 红.",
            "“紫”不适用于字段“信用预警等级”（{name}，类型 select_one）；可选值为 绿、黄、橙、红。",
        ),
        (
            "信用额度",
            "很多",
            "“很多” does not fit the field 信用额度 ({name}, type currency).",
            "“很多”不适用于字段“信用额度”（{name}，类型 currency）。",
        ),
        (
            "信用冻结",
            "maybe",
            "“maybe” does not fit the field 信用冻结 ({name}, type true_or_false).",
            "“maybe”不适用于字段“信用冻结”（{name}，类型 true_or_false）。",
        ),
        (
            "信用数据日期",
            "yesterday",
            "“yesterday” does not fit the field 信用数据日期 ({name}, type date).",
            "“yesterday”不适用于字段“信用数据日期”（{name}，类型 date）。",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_here_with_the_reason(
    tenant: Any, label: str, value: str, en: str, zh: str
) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    (outcome,) = CUSTOMERS.send(made.client, [Write("1", key, {f"label:{label}": value})])
    assert outcome.state == "rejected"
    assert outcome.why is not None
    assert (outcome.why.en, outcome.why.zh) == (en.format(name=made.named(label)), zh.format(name=made.named(label)))
    assert made.sandbox.writes() == []


def test_amounts_are_rounded_half_up_to_the_fields_decimals_and_floats_refused(tenant: Any) -> None:
    made = tenant()
    a, b = (x["_id"] for x in made.accounts()[:2])
    outcomes = CUSTOMERS.send(
        made.client,
        [Write("1", a, {"label:信用额度": Decimal("0.125")}), Write("2", b, {"label:信用额度": 0.1})],
    )
    assert [o.state for o in outcomes] == ["done", "rejected"]
    assert _stored(made, a, "信用额度") == "0.13"


def test_a_text_longer_than_its_field_is_cut_not_lost(tenant: Any) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    (outcome,) = CUSTOMERS.send(made.client, [Write("1", key, {"label:信用冻结原因": "逾" * 3000})])
    assert outcome.state == "done"
    assert _stored(made, key, "信用冻结原因") == "逾" * 1999 + "…"


def test_writing_is_refused_as_a_whole_until_the_fields_are_there(tenant: Any) -> None:
    made = tenant(options={"fields": "missing"})
    writes = [Write("1", made.accounts()[0]["_id"], _values(made))]
    with pytest.raises(ConfigError) as caught:
        CUSTOMERS.send(made.client, writes)
    assert "“label:信用额度”, “label:信用占用”" in caught.value.user.zh
    assert "未写入任何数据。请按 `holdfast provision` 的清单新建字段" in caught.value.user.zh
    with pytest.raises(ConfigError, match="no object called “信用任务”"):
        TASKS.send(made.client, [Write("1", "x", {"name": "n"})])
    assert made.sandbox.writes() == []


def test_throttling_is_waited_out_and_a_used_up_day_stops_the_batch(tenant: Any) -> None:
    made = tenant()
    writes = [Write(a["_id"], a["_id"], {"label:信用额度": Decimal(1)}) for a in made.accounts()[:4]]
    made.sandbox.faults.plan("429", times=2, match="update")
    assert [o.state for o in CUSTOMERS.send(made.client, writes)] == ["done"] * 4

    usual = made.sandbox._admit
    calls: list[str] = []

    def admit(request: Any, body: Any) -> None:
        from adapters.fxiaoke.sandbox_rules import Refused

        usual(request, body)
        calls.append(request.path)
        if len(calls) == 2:
            raise Refused(30002, "当天访问频次超限")

    made.sandbox._admit = admit
    outcomes = CUSTOMERS.send(made.client, writes)
    assert [o.state for o in outcomes] == ["done", "again", "again", "again"]
    # Noon UTC is 20:00 in Shanghai, less the seconds that throttling has taken above.
    assert all(4 * 3600 < (o.retry_after or 0) <= 4 * 3600 + 60 for o in outcomes[1:])
    assert len(calls) == 2  # the rest did not even ask


@pytest.mark.parametrize("fault", ["reset", "late", "500", "503", "429", "429-bare", "expired"])
def test_an_update_survives_each_trouble(tenant: Any, fault: Any) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    CUSTOMERS.send(made.client, [])
    made.client.token.headers()
    made.sandbox.faults.plan(fault, match="update")
    assert CUSTOMERS.send(made.client, [Write("1", key, _values(made))]) == [Outcome("done", key)]
    assert made.sandbox.faults.happened == [fault]
    assert _stored(made, key, "信用额度") == "50000.00"


@pytest.mark.parametrize("fault", ["html", "cut"])
def test_half_an_answer_or_a_web_page_is_no_refusal_and_is_written_again(tenant: Any, fault: Any) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    made.client.token.headers()
    made.sandbox.faults.plan(fault, match="update")
    write = Write("1", key, _values(made))
    (outcome,) = CUSTOMERS.send(made.client, [write])
    assert outcome.state in ("again", "done")
    assert CUSTOMERS.send(made.client, [write]) == [Outcome("done", key)]
    assert _stored(made, key, "信用额度") == "50000.00"


def test_a_web_page_is_never_taken_for_success(tenant: Any) -> None:
    made = tenant()
    key = made.accounts()[0]["_id"]
    made.client.token.headers()
    made.sandbox.faults.plan("html", times=99, match="update")
    (outcome,) = CUSTOMERS.send(made.client, [Write("1", key, _values(made))])
    assert outcome.state == "again"


def test_one_record_in_trouble_does_not_stop_the_others_two_in_a_row_do(tenant: Any) -> None:
    made = tenant()
    keys = [a["_id"] for a in made.accounts()[:6]]
    usual = made.sandbox._update

    def slow(*bad: str) -> Any:
        def update(body: Any, data: Any) -> Any:
            return _error(50009, "超时") if data["object_data"]["_id"] in bad else usual(body, data)

        return update

    usual_routes = made.sandbox._routes
    for bad, states in (
        ([keys[1]], ["done", "again", "done", "done", "done", "done"]),
        ([keys[1], keys[2]], ["done", "again", "again", "again", "again", "again"]),
    ):
        made.sandbox._routes = [
            (m, p, made.sandbox._signed(slow(*bad)) if p.pattern.endswith("v2/data/update\\Z") else h)
            for m, p, h in usual_routes
        ]
        outcomes = CUSTOMERS.send(made.client, [Write(k, k, {"label:信用额度": Decimal(5)}) for k in keys])
        assert [o.state for o in outcomes] == states


def test_our_pace_keeps_within_a_hundred_calls_in_twenty_seconds(tenant: Any) -> None:
    made = tenant(customers=250)
    keys = [a["_id"] for a in made.accounts()]
    began = made.clock.now()
    for start in range(0, len(keys), CUSTOMERS.batch):
        part = keys[start : start + CUSTOMERS.batch]
        outcomes = CUSTOMERS.send(made.client, [Write(k, k, {"label:信用额度": Decimal(5)}) for k in part])
        assert {o.state for o in outcomes} == {"done"}
    calls = [c for c in made.sandbox.calls if c.path.endswith("/update")]
    assert len(calls) == len(keys) > 240  # not one was refused and repeated: the sandbox counts as the vendor does
    assert made.clock.now() - began >= dt.timedelta(seconds=(len(keys) - 20) / 4 - 1)


# --- many at once --------------------------------------------------------------------------------------------------------------
def test_in_bulk_one_call_writes_many_and_answers_for_each(tenant: Any) -> None:
    made = tenant(bulk_function=BULK_FUNCTION)
    accounts = [a["_id"] for a in made.accounts()]
    made.sandbox.keep("AccountObj", made.sandbox.shelf.get("AccountObj", accounts[3]) | {"lock_status": "1"})
    outcomes = CUSTOMERS.send(made.client, [Write(k, k, _values(made)) for k in accounts])
    assert [o.state for o in outcomes] == ["rejected" if i == 3 else "done" for i in range(len(accounts))]
    assert outcomes[3].why is not None
    assert outcomes[3].why.zh == "数据已锁定，不能编辑"
    assert [c.path for c in made.sandbox.writes()] == ["/cgi/crm/v2/special/function"]
    assert _stored(made, accounts[5], "信用额度") == "50000.00"


def test_in_bulk_every_second_row_may_be_refused(tenant: Any) -> None:
    made = tenant(bulk_function=BULK_FUNCTION)
    keys = [a["_id"] for a in made.accounts()[:4]]
    made.sandbox.faults.plan("partial", match="function")
    outcomes = CUSTOMERS.send(made.client, [Write(k, k, {"label:信用额度": Decimal(1)}) for k in keys])
    in_order = {k: o.state for k, o in zip(sorted(keys), sorted(outcomes, key=lambda o: o.remote_id), strict=True)}
    assert sorted(in_order.values()) == ["done", "done", "rejected", "rejected"]
    for key, outcome in zip(keys, outcomes, strict=True):
        assert (outcome.state == "done") == (_stored(made, key, "信用额度") == "1.00")


def test_a_function_that_is_not_there_stops_the_channel_and_parks_nothing(tenant: Any) -> None:
    made = tenant(bulk_function="func_of_somebody__c")
    keys = [a["_id"] for a in made.accounts()[:2]]
    with pytest.raises(ConfigError) as caught:
        CUSTOMERS.send(made.client, [Write(k, k, {"label:信用额度": Decimal(1)}) for k in keys])
    assert caught.value.user.zh.startswith("无法执行 APL 函数 func_of_somebody__c：")
    assert "函数不存在" in caught.value.user.zh


def test_a_function_that_answers_otherwise_is_not_ours(tenant: Any) -> None:
    made = tenant(bulk_function=BULK_FUNCTION)
    made.sandbox._routes = [
        (
            m,
            p,
            made.sandbox._signed(lambda body, data: _fine(data={"functionResult": "ok"}))
            if "function" in p.pattern
            else h,
        )
        for m, p, h in made.sandbox._routes
    ]
    keys = [a["_id"] for a in made.accounts()[:2]]
    with pytest.raises(ConfigError, match=r"credit_push\.apl"):
        CUSTOMERS.send(made.client, [Write(k, k, {"label:信用额度": Decimal(1)}) for k in keys])


# --- tasks ----------------------------------------------------------------------------------------------------------------------
def _task(made: Any, key: str) -> Write:
    account = made.accounts()[0]["_id"]
    words = {
        "subject": "催收：星辰贸易 逾期 45 天",
        "body": "逾期 1,200.00",
        "due_on": dt.date(2026, 11, 25),
        "owner": "1001",
        "priority": "high",
        "customer": account,
        "key": key,
    }
    values, _ = made.mapping.write("task", words)
    return Write(key, account, values)


def _tasks(made: Any) -> list[dict[str, Any]]:
    return list(made.sandbox.shelf.all(made.sandbox.object_name("信用任务")))


def test_a_task_is_made_once_with_all_it_needs(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    writes = [_task(made, "overdue/C1/2026-11"), _task(made, "overdue/C2/2026-11")]
    first = TASKS.send(made.client, writes)
    assert [o.state for o in first] == ["done", "done"]
    assert TASKS.send(made.client, writes) == first
    tasks = _tasks(made)
    assert sorted(t["_id"] for t in tasks) == sorted(o.remote_id for o in first)
    of = made.sandbox.object_name("信用任务")
    task = next(t for t in tasks if t["_id"] == first[0].remote_id)
    assert task["name"] == "催收：星辰贸易 逾期 45 天"
    assert task["owner"] == ["1001"]
    assert task[made.named("客户", of)] == made.accounts()[0]["_id"]
    assert task[made.named("截止日期", of)] == 1795536000000  # 2026-11-25 00:00 in Shanghai
    assert TASKS.find(made.client, ["overdue/C2/2026-11", "unknown"]) == {"overdue/C2/2026-11": first[1].remote_id}
    assert TASKS.find(made.client, []) == {}


@pytest.mark.parametrize("fault", ["late", "reset", "500", "cut", "html"])
def test_no_task_is_made_twice_whatever_happens_to_the_answer(tenant: Any, fault: Any) -> None:
    made = tenant()
    write = _task(made, "k-1")
    made.client.token.headers()
    made.sandbox.faults.plan(fault, match="create")
    (outcome,) = TASKS.send(made.client, [write])
    assert outcome.state == "again"
    (outcome,) = TASKS.send(made.client, [write])
    assert outcome.state == "done"
    assert len(_tasks(made)) == 1


def test_a_task_for_nobody_goes_to_the_acting_employee(tenant: Any) -> None:
    made = tenant()
    TASKS.send(made.client, [Write("k", "x", {"name": "催款"})])
    assert _tasks(made)[0]["owner"] == ["1000"]


def test_tasks_may_be_records_of_a_vendors_own_object(tenant: Any) -> None:
    made = tenant(task_object="ScheduleObj", task_key_field="label:我们的键")
    made.sandbox.add_field("ScheduleObj", "我们的键", "text", unique=True)
    (outcome,) = TASKS.send(made.client, [Write("k-9", "x", {"name": "催款", "remark": "…"})])
    assert made.sandbox.shelf.get("ScheduleObj", outcome.remote_id)["name"] == "催款"
    assert made.sandbox.writes()[-1].path == "/cgi/crm/v2/data/create"
    assert TASKS.find(made.client, ["k-9"]) == {"k-9": outcome.remote_id}


def test_tasks_are_closed_once_and_not_against_a_person(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    of = made.sandbox.object_name("信用任务")
    ids = [o.remote_id for o in TASKS.send(made.client, [_task(made, f"k{n}") for n in range(4)])]
    field = made.named("已办结", of)
    by_hand = made.sandbox.shelf.get(of, ids[1]) | {field: True}
    made.sandbox.keep(of, by_hand)
    made.sandbox.forget(of, ids[2])
    values, _ = made.mapping.write("close_task", {"done": True, "why": "已处理", "done_on": dt.date(2026, 11, 25)})
    writes = [Write(f"k{n}", key, values) for n, key in enumerate(ids)]
    closing = ADAPTER.channel("close_task")
    assert closing is not None
    for _ in range(2):
        assert closing.send(made.client, writes) == [Outcome("done", key) for key in ids]
    assert [made.sandbox.shelf.get(of, ids[n])[field] for n in (0, 1, 3)] == [True] * 3
    assert made.sandbox.shelf.get(of, ids[1]) == by_hand
    assert len([c for c in made.sandbox.writes() if c.path.endswith("/update")]) == 2
