"""Reading: nothing lost and nothing invented, whatever changes while we read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from adapters.fxiaoke import ADAPTER
from adapters.fxiaoke.fields import describe
from connector.errors import ConfigError, ProtocolError
from connector.mapping import Context
from connector.model import Customer, Order, Person

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CUSTOMERS = ADAPTER.stream("customers")


def _pages(made: Any, cursor: Any = None, stream: str = "customers") -> list[Any]:
    return list(ADAPTER.stream(stream).read(made.client, cursor, made.mapping.wanted(stream)))


def test_a_full_read_shows_every_account_once_in_pages_of_a_hundred(tenant: Any, style: str) -> None:
    made = tenant(customers=250, auth_style=style)
    pages = _pages(made)
    keys = [r.key for p in pages for r in p.records]
    assert keys == [a["_id"] for a in made.accounts()]
    assert len(pages) == 3
    assert [len(p.records) for p in pages[:-1]] == [100, 100]
    assert [p.last for p in pages] == [False, False, True]
    assert all(p.full for p in pages)


def test_exactly_full_pages_end_too(tenant: Any) -> None:
    made = tenant(customers=150)
    for row in made.accounts()[100:]:
        made.sandbox.forget("AccountObj", row["_id"])
    pages = _pages(made)
    assert [len(p.records) for p in pages] == [100, 0]
    assert pages[-1].last


def test_a_record_changed_while_we_read_everything_is_still_shown(tenant: Any) -> None:
    made = tenant(customers=250)
    last = made.accounts()[-1]["_id"]
    keys = []
    for page in CUSTOMERS.read(made.client, None, made.mapping.wanted("customers")):
        keys += [r.key for r in page.records]
        made.touch("AccountObj", last, NOON + dt.timedelta(seconds=5), name="改了名")
    assert last in keys  # a window would have lost it, and the sweep would have deleted it


def test_resuming_after_any_page_loses_nothing(tenant: Any) -> None:
    made = tenant(customers=250)
    whole = [r.key for p in _pages(made) for r in p.records]
    for stop in (1, 2):
        first = _pages(made)[:stop]
        rest = _pages(made, first[-1].cursor)
        assert [r.key for p in (*first, *rest) for r in p.records] == whole
        assert rest[0].full


def test_changes_only_after_a_full_read_with_ties_over_several_pages(tenant: Any) -> None:
    made = tenant(customers=250)
    newest = max(made.accounts(), key=lambda a: a["last_modified_time"])["_id"]
    cursor = _pages(made)[-1].cursor
    assert [[r.key for r in p.records] for p in _pages(made, cursor)] == [[newest]]  # the overlap meets it again
    changed = sorted({*[a["_id"] for a in made.accounts()][:230], newest})
    for key in changed:
        made.touch("AccountObj", key)  # one and the same millisecond
    pages = _pages(made, cursor)
    assert [r.key for p in pages for r in p.records] == changed
    assert len(pages) == 3
    assert not any(p.full for p in pages)


def test_a_change_that_becomes_visible_late_is_met_by_the_overlap(tenant: Any) -> None:
    made = tenant()
    first, second = made.accounts()[0]["_id"], made.accounts()[1]["_id"]
    made.touch("AccountObj", first, NOON)
    cursor = _pages(made)[-1].cursor
    made.touch("AccountObj", second, NOON - dt.timedelta(minutes=4))  # dated before the end of the last window
    assert {r.key for p in _pages(made, cursor) for r in p.records} == {first, second}


@pytest.mark.parametrize("hours", [-30, 30])
def test_our_own_clock_may_be_wrong(tenant: Any, hours: int) -> None:
    made = tenant(now=NOON + dt.timedelta(hours=hours))
    key = max(made.accounts(), key=lambda a: a["last_modified_time"])["_id"]
    cursor = _pages(made)[-1].cursor
    made.touch("AccountObj", key, NOON)
    pages = _pages(made, cursor)
    assert [r.key for p in pages for r in p.records] == [key]
    made.touch("AccountObj", key, NOON + dt.timedelta(seconds=1))
    assert [r.key for p in _pages(made, pages[-1].cursor) for r in p.records] == [key]


def test_a_change_while_a_window_is_read_is_found_by_the_next(tenant: Any) -> None:
    made = tenant(customers=150)
    cursor = _pages(made)[-1].cursor
    keys = [a["_id"] for a in made.accounts()]
    for key in keys[:120]:
        made.touch("AccountObj", key, NOON)
    seen = []
    for page in CUSTOMERS.read(made.client, cursor, made.mapping.wanted("customers")):
        seen += [r.key for r in page.records]
        if not page.last:
            for key in (keys[0], keys[110]):  # one we have passed, one still to come
                made.touch("AccountObj", key, NOON + dt.timedelta(minutes=20))
        cursor = page.cursor
    assert keys[110] not in seen  # it has left the window
    assert {keys[0], keys[110]} <= {r.key for p in _pages(made, cursor) for r in p.records}


def test_an_object_without_records_is_read_and_filled_later(tenant: Any) -> None:
    made = tenant()
    rows = made.accounts()
    for row in rows:
        made.sandbox.forget("AccountObj", row["_id"])
    (page,) = _pages(made)
    assert (list(page.records), page.full, page.last) == ([], True, True)
    made.sandbox.keep("AccountObj", rows[0])
    assert [r.key for p in _pages(made, page.cursor) for r in p.records] == [rows[0]["_id"]]


def test_ids_that_exist_are_listed_and_deleted_ones_are_not(tenant: Any) -> None:
    made = tenant(customers=150)
    gone, marked = made.accounts()[3]["_id"], made.accounts()[5]["_id"]
    made.sandbox.forget("AccountObj", gone)
    made.touch("AccountObj", marked, is_deleted=True)
    assert CUSTOMERS.keys is not None
    listed = {k for keys in CUSTOMERS.keys(made.client) for k in keys}
    assert listed == {a["_id"] for a in made.accounts()} - {marked}
    assert gone not in listed
    pages = _pages(made)
    assert [k for p in pages for k in p.gone] == [marked]
    assert marked not in [r.key for p in pages for r in p.records]


def test_a_voided_account_is_inactive_and_a_voided_order_cancelled(tenant: Any) -> None:
    made = tenant()
    account, order = made.accounts()[0]["_id"], made.sandbox.shelf.all("SalesOrderObj")[0]["_id"]
    for kind, key in (("AccountObj", account), ("SalesOrderObj", order)):
        made.touch(kind, key, life_status="invalid")
    customers = {f.id: f for f in made.facts("customers")}
    assert customers[account].status == "inactive"
    assert [f.status for f in made.facts("orders") if f.id == order] == ["cancelled"]


def test_pages_that_do_not_go_on_end_with_an_error_not_never(tenant: Any) -> None:
    made = tenant(customers=150)
    usual = made.sandbox._query

    def ignoring(body: Any, data: Any) -> Any:
        data["search_query_info"]["filters"] = []
        return usual(body, data)

    made.sandbox._routes = [
        (m, p, made.sandbox._signed(ignoring) if p.pattern.endswith("v2/data/query\\Z") else h)
        for m, p, h in made.sandbox._routes
    ]
    with pytest.raises(ProtocolError, match="do not go on"):
        _pages(made)


# --- fields by label -------------------------------------------------------------------------------------------------------
def test_own_fields_are_found_by_the_label_an_administrator_sees(tenant: Any) -> None:
    made = tenant()
    number = made.named("ERP客户编号")
    with_number = next(a for a in made.accounts() if a.get(number))
    fact = next(f for f in made.facts("customers") if f.id == with_number["_id"])
    assert isinstance(fact, Customer)
    assert fact.external_id == with_number[number]
    record = next(r for r in made.records("customers") if r.key == with_number["_id"])
    assert record.data[number] == record.data["label?:ERP客户编号"] == fact.external_id


def test_an_optional_field_that_is_not_there_is_absent(tenant: Any) -> None:
    made = tenant()
    told = made.sandbox.describe("AccountObj")
    del told["fields"][made.named("统一社会信用代码")]
    made.sandbox.shelf.put("~describe", "AccountObj", told)
    facts = made.facts("customers")
    assert facts
    assert {f.tax_id for f in facts if isinstance(f, Customer)} == {None}


def test_every_missing_field_is_named_with_the_nearest_right_one(tenant: Any) -> None:
    made = tenant()
    with pytest.raises(ConfigError) as caught:
        made.records("customers", ("name", "label:ERP客户号", "acount_no", "owner__r.name"))
    assert caught.value.user.en == (
        "The mapping reads fields from 客户 (stream customers) that this tenant does not have: "
        "“label:ERP客户号” (did you mean “ERP客户编号”?); “acount_no” (did you mean “account_no”?)."
    )
    assert caught.value.user.zh == (
        "映射从客户（数据流 customers）读取的字段在该企业中不存在：“label:ERP客户号”（是否应为 “ERP客户编号”？）；"
        "“acount_no”（是否应为 “account_no”？）。"
    )


def test_two_fields_with_one_label_are_no_guess(tenant: Any) -> None:
    made = tenant()
    other = made.sandbox.add_field("AccountObj", "ERP客户编号", "text")
    told = made.sandbox.describe("AccountObj")
    told["fields"]["field_other__c"] = {**told["fields"][other], "api_name": "field_other__c"}
    made.sandbox.shelf.put("~describe", "AccountObj", told)
    with pytest.raises(ConfigError, match=r"several fields labelled “ERP客户编号”.*field_other__c"):
        made.records("customers")


def test_only_what_is_wanted_is_asked_for(tenant: Any) -> None:
    made = tenant()
    record = made.records("customers", ("name",))[0]
    assert set(record.data) <= {"_id", "name", "owner", "is_deleted", "life_status"}


def test_a_description_without_fields_is_reported(tenant: Any) -> None:
    made = tenant()
    made.sandbox.shelf.put("~describe", "AccountObj", {"api_name": "AccountObj", "display_name": "客户"})
    with pytest.raises(ProtocolError, match="lacks its fields"):
        describe(made.client, "AccountObj")


# --- the other streams -----------------------------------------------------------------------------------------------------
def test_owners_of_accounts_are_among_the_people_in_either_style(tenant: Any, style: str) -> None:
    made = tenant(auth_style=style)
    people = {f.id: f for f in made.facts("people") if isinstance(f, Person)}
    owners = {f.owner for f in made.facts("customers") if isinstance(f, Customer)}
    assert owners
    assert owners <= set(people)
    assert {p.active for p in people.values()} == {True, False}


def test_orders_carry_their_own_amounts_dates_and_currency(tenant: Any) -> None:
    made = tenant(customers=60)
    rows = {r["_id"]: r for r in made.sandbox.shelf.all("SalesOrderObj")}
    orders = {f.id: f for f in made.facts("orders") if isinstance(f, Order)}
    assert set(orders) == set(rows)
    partly = next(r for r in rows.values() if r["mc_currency"] == "CNY" and r["delivered_amount_sum"] != "0.00")
    order = orders[partly["_id"]]
    assert order.amount == int(partly["order_amount"].replace(".", ""))
    assert order.delivered_amount == int(partly["delivered_amount_sum"].replace(".", ""))
    shanghai = dt.timezone(dt.timedelta(hours=8))
    assert order.ordered_on == dt.datetime.fromtimestamp(partly["order_time"] / 1000, shanghai).date()
    assert {o.currency for o in orders.values()} > {"CNY"}


def test_days_are_those_of_the_tenants_own_zone_whatever_the_businesss_is(tenant: Any) -> None:
    made = tenant()
    row = made.sandbox.shelf.all("SalesOrderObj")[0]
    made.touch("SalesOrderObj", row["_id"], order_time=1795363200000)  # 2026-11-23 00:00 in Shanghai, 22nd in UTC
    (record,) = [r for r in made.records("orders") if r.key == row["_id"]]
    for zone in ("Asia/Shanghai", "UTC", "America/New_York"):
        (fact,), problems = made.mapping.read(
            "orders", record, context=Context(time_zone=zone, base="CNY", system="fx")
        )
        assert problems == []
        assert isinstance(fact, Order)
        assert fact.ordered_on == dt.date(2026, 11, 23)


def test_a_date_that_is_none_is_reported_with_its_record(tenant: Any) -> None:
    made = tenant()
    row = made.sandbox.shelf.all("SalesOrderObj")[0]
    made.touch("SalesOrderObj", row["_id"], order_time=-5)
    (record,) = [r for r in made.records("orders") if r.key == row["_id"]]
    facts, (problem,) = made.mapping.read("orders", record, context=Context("Asia/Shanghai", "CNY", "fx"))
    assert facts == []
    assert row["_id"] in problem.where


def test_without_the_module_for_deliveries_the_figure_is_unknown_not_zero(tenant: Any) -> None:
    made = tenant()
    told = made.sandbox.describe("SalesOrderObj")
    for name in ("delivered_amount_sum", "mc_currency"):
        del told["fields"][name]
    made.sandbox.shelf.put("~describe", "SalesOrderObj", told)
    orders = [f for f in made.facts("orders") if isinstance(f, Order)]
    assert {o.delivered_amount for o in orders} == {None}
    assert {o.currency for o in orders} == {"CNY"}


def test_lines_come_with_their_order_and_only_where_the_mapping_reads_them(tenant: Any) -> None:
    made = tenant(customers=60)
    made.records("orders")
    assert not any(r.data.get("lines") for r in made.records("orders"))
    wanted = ("name", "lines.order_id", "lines._id", "lines.quantity", "lines.sales_price")
    records = made.records("orders", wanted)
    lines = [line for r in records for line in r.data["lines"]]
    assert {x["_id"] for x in lines} == {x["_id"] for x in made.sandbox.shelf.all("SalesOrderProductObj")}
    assert all(line["order_id"] == r.key for r in records for line in r.data["lines"])
    with pytest.raises(ConfigError, match="orders/lines"):
        made.records("orders", ("lines.price_of_nothing",))


def test_a_voided_line_no_longer_counts(tenant: Any) -> None:
    made = tenant(customers=60)
    line = made.sandbox.shelf.all("SalesOrderProductObj")[0]
    made.touch("SalesOrderProductObj", line["_id"], life_status="invalid")
    shown = [x["_id"] for r in made.records("orders", ("lines.quantity",)) for x in r.data["lines"]]
    assert shown
    assert line["_id"] not in shown


def test_a_stream_without_a_right_is_told_with_the_way_out(tenant: Any) -> None:
    made = tenant()
    told = made.sandbox._query

    def refuse(body: Any, data: Any) -> Any:
        from adapters.fxiaoke.sandbox_rules import Refused

        if data["dataObjectApiName"] == "PersonnelObj":
            raise Refused(320001401, "没有人员的查看列表权限")
        return told(body, data)

    made.sandbox._routes = [
        (m, p, made.sandbox._signed(refuse) if p.pattern.endswith("v2/data/query\\Z") else h)
        for m, p, h in made.sandbox._routes
    ]
    with pytest.raises(ConfigError) as caught:
        made.records("people")
    assert "没有人员的查看列表权限" in caught.value.user.zh
    assert "请确认代操作员工在网页端能看到该对象" in caught.value.user.zh
    assert made.records("customers")
