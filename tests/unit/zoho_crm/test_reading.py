"""Reading from Zoho: bulk first, changes by key, deletions, and what goes wrong on the way."""

from __future__ import annotations

import copy
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.zoho_crm.client import Zoho
from connector.converters import Context
from connector.errors import ConfigError, ProtocolError, TransientError
from connector.model import Customer, Fact, Order, Person
from connector.sandbox import Sandbox
from tests.unit.zoho_crm.world import ADAPTER, keys, mapping, organisation, read

CONTEXT = Context("Asia/Shanghai", "CNY", "zoho")


def held(box: Sandbox, module: str) -> set[str]:
    return {r["id"] for r in box.shelf.all(module)}


def facts(zoho: Zoho, stream: str, cursor: Any = None) -> list[Fact]:
    made = mapping()
    found: list[Fact] = []
    for page in read(zoho, stream, cursor):
        for record in page.records:
            some, problems = made.read(stream, record, context=CONTEXT)
            assert not problems
            found += some
    return found


def touch(box: Any, module: str, key: str, **values: Any) -> None:
    box.shelf.put(module, key, {**box.shelf.get(module, key), **values, "Modified_Time": box.records.later()})


def paths(box: Sandbox) -> list[str]:
    return [f"{c.method} {c.path}" for c in box.calls]


# --- the first pull --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bulk_first", [True, False])
def test_everything_becomes_facts(bulk_first: bool) -> None:
    with organisation(40, bulk_first=bulk_first, page_size=17) as (box, zoho):
        accounts = {f.id: f for f in facts(zoho, "accounts") if isinstance(f, Customer)}
        assert accounts.keys() == held(box, "Accounts")
        for row in box.shelf.all("Accounts"):
            fact = accounts[row["id"]]
            assert (fact.name, fact.external_id, fact.owner) == (
                row["Account_Name"].strip(),
                row.get("ERP_Customer_No"),
                row["Owner"]["id"],
            )
        orders = {f.id: f for f in facts(zoho, "sales_orders") if isinstance(f, Order)}
        assert orders.keys() == held(box, "Sales_Orders")
        for row in box.shelf.all("Sales_Orders"):
            order = orders[row["id"]]
            assert order.customer_id == row["Account_Name"]["id"]
            assert order.currency == "CNY"
            assert order.amount == (int(row["Grand_Total"] * 100) if "Grand_Total" in row else None)
            assert order.ordered_on == dt.datetime.fromisoformat(row["Created_Time"]).date()
        assert ("POST /crm/bulk/v8/read" in paths(box)) is bulk_first


def test_bulk_and_pages_give_the_same_values() -> None:
    wanted = [
        "Account_Name.id",
        "Grand_Total",
        "Due_Date",
        "Credit_Hold",
        "SO_Number",
        "Owner.id",
        "Credit_Hold_Reason",
    ]
    with organisation(40) as (box, zoho):
        order = box.shelf.all("Sales_Orders")[0]["id"]
        touch(
            box,
            "Sales_Orders",
            order,
            Credit_Hold=True,
            Credit_Hold_Reason='two\nlines, "quoted" 原因',
            Grand_Total=Decimal("1234567890.10"),
        )
        zoho.settings.bulk_first = True
        in_bulk = {r.key: r.data for p in read(zoho, "sales_orders", None, wanted) for r in p.records}
        zoho.settings.bulk_first = False
        by_page = {r.key: r.data for p in read(zoho, "sales_orders", None, wanted) for r in p.records}
        assert in_bulk.keys() == by_page.keys()
        for key, row in by_page.items():
            # The CSV knows ids only, and cannot say that a checkbox was never set.
            mine = {**in_bulk[key], "Credit_Hold": in_bulk[key]["Credit_Hold"] or False}
            assert _ids_only(mine) == _ids_only(dict(row))
        assert in_bulk[order]["Grand_Total"] == Decimal("1234567890.10")
        assert in_bulk[order]["Credit_Hold"] is True


def _ids_only(row: dict[str, Any]) -> dict[str, Any]:
    return {n: v["id"] if isinstance(v, dict) else v for n, v in row.items()}


def test_what_changes_while_the_job_runs_belongs_to_the_first_pull() -> None:
    with organisation(30, page_size=8) as (box, zoho):
        pages = []
        for page in ADAPTER.stream("accounts").read(zoho, None, ["Account_Name"]):
            pages.append(page)
            if len(pages) == 1:
                changed, gone = sorted(held(box, "Accounts"))[-2:]
                touch(box, "Accounts", changed, Account_Name="Changed meanwhile")
                box.records.remove("Accounts", gone, box.user)  # type: ignore[attr-defined]
        last = [r.data["Account_Name"] for p in pages for r in p.records if r.key == changed][-1]
        assert last == "Changed meanwhile"
        assert list(pages[-1].gone) == [gone]
        assert all(p.full for p in pages)


def test_a_job_that_takes_its_time() -> None:
    with organisation(40, {"bulk_polls": 3}, page_size=7) as (box, zoho):
        began = zoho.connection.clock.now()
        pages = read(zoho, "accounts")
        assert sorted(keys(pages)) == sorted(held(box, "Accounts"))
        assert all(p.full for p in pages)
        assert [p.last for p in pages] == [False] * (len(pages) - 1) + [True]
        assert (zoho.connection.clock.now() - began).total_seconds() == 6, "it waits between two looks"
        assert set(pages[-1].cursor) == {"mark"}


def test_a_job_that_never_ends_is_left_for_later() -> None:
    with organisation(10, {"bulk_polls": 10_000}) as (box, zoho):
        with pytest.raises(TransientError):
            read(zoho, "accounts")
        assert len(box.calls) < 300


def test_more_than_one_file_holds_is_read_page_by_page() -> None:
    with organisation(40, {"bulk_rows": 15}, page_size=7) as (box, zoho):
        pages = read(zoho, "accounts")
        assert sorted(keys(pages)) == sorted(held(box, "Accounts"))
        assert not any(c.path.endswith("/result") for c in box.calls)


@pytest.mark.parametrize("switches", [{}, {"bulk_rows": 15}, {"denied": ["bulk"]}])
def test_goes_on_after_every_page(switches: dict[str, Any]) -> None:
    with organisation(40, switches, page_size=6) as (box, zoho):
        pages = read(zoho, "accounts")
        assert len(pages) > 5
        for place, page in enumerate(pages[:-1]):
            cursor = json.loads(json.dumps(page.cursor))
            rest = read(zoho, "accounts", copy.deepcopy(cursor))
            seen = set(keys(pages[: place + 1])) | set(keys(rest))
            assert seen == held(box, "Accounts")
            assert rest[-1].last
            assert all(p.full for p in rest)
            assert len(keys(rest)) <= len(held(box, "Accounts")) - 6 * (place + 1) + 6


def test_a_job_that_zoho_has_forgotten_starts_anew() -> None:
    with organisation(30, page_size=8) as (box, zoho):
        first = read(zoho, "accounts")[0]
        box.shelf.drop("~bulk", first.cursor["bulk"]["job"])
        assert set(keys(read(zoho, "accounts", first.cursor))) == held(box, "Accounts")
        assert paths(box).count("POST /crm/bulk/v8/read") == 2


def test_a_job_that_read_other_fields_is_not_gone_on_with() -> None:
    with organisation(30, page_size=8) as (box, zoho):
        first = read(zoho, "accounts", None, ["Account_Name"])[0]
        records = [r for p in read(zoho, "accounts", first.cursor, ["Account_Name", "Tax_ID"]) for r in p.records]
        assert {r.key for r in records} == held(box, "Accounts")
        assert all("Tax_ID" in r.data for r in records)


def test_where_bulk_is_not_permitted_it_reads_page_by_page() -> None:
    with organisation(30, {"denied": ["bulk"]}, page_size=8) as (box, zoho):
        pages = read(zoho, "accounts")
        assert set(keys(pages)) == held(box, "Accounts")
        assert all(p.full for p in pages)
        assert paths(box).count("POST /crm/bulk/v8/read") == 1


# --- changes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bulk_first", [True, False])
def test_the_next_pull_brings_what_changed(bulk_first: bool) -> None:
    with organisation(30, bulk_first=bulk_first) as (box, zoho):
        last = read(zoho, "accounts")[-1]
        changed, gone = sorted(held(box, "Accounts"))[4:6]
        touch(box, "Accounts", changed, Account_Name="Renamed 更名")
        box.records.remove("Accounts", gone, box.user)  # type: ignore[attr-defined]
        pages = read(zoho, "accounts", last.cursor)
        assert [r.data["Account_Name"] for p in pages for r in p.records if r.key == changed] == ["Renamed 更名"]
        assert not any(p.full for p in pages)
        assert pages[-1].gone == [gone]
        assert gone not in keys(pages)
        assert pages[-1].cursor["mark"] >= last.cursor["mark"]


def test_nothing_changed_is_one_query_and_one_look_at_the_bin() -> None:
    with organisation(30) as (box, zoho):
        cursor = read(zoho, "accounts")[-1].cursor
        before = len(box.calls)
        pages = read(zoho, "accounts", cursor)
        assert [(list(p.records), p.last, list(p.gone)) for p in pages] == [([], True, [])]
        assert [c.path for c in box.calls[before:]] == ["/crm/v8/coql", "/crm/v8/Accounts/deleted"]


def test_many_records_of_one_second() -> None:
    with organisation(40, page_size=7) as (box, zoho):
        cursor = read(zoho, "accounts")[-1].cursor
        now = box.records.later()  # type: ignore[attr-defined]
        for row in box.shelf.all("Accounts"):
            box.shelf.put("Accounts", row["id"], {**row, "Modified_Time": now})
        assert sorted(keys(read(zoho, "accounts", cursor))) == sorted(held(box, "Accounts"))


def test_each_pull_looks_five_minutes_back() -> None:
    with organisation(10) as (box, zoho):
        cursor = read(zoho, "accounts")[-1].cursor
        late, early = sorted(held(box, "Accounts"))[:2]
        mark = dt.datetime.fromisoformat(cursor["mark"])
        for key, seconds in ((late, 290), (early, 310)):
            at = (mark - dt.timedelta(seconds=seconds)).isoformat()
            box.shelf.put("Accounts", key, {**box.shelf.get("Accounts", key), "Modified_Time": at})
        assert keys(read(zoho, "accounts", cursor)) == [late]


def test_more_deletions_than_one_page_holds() -> None:
    with organisation(230) as (box, zoho):
        cursor = read(zoho, "accounts")[-1].cursor
        gone = sorted(held(box, "Accounts"))[:205]
        for key in gone:
            box.records.remove("Accounts", key, box.user)  # type: ignore[attr-defined]
        assert sorted(read(zoho, "accounts", cursor)[-1].gone) == gone


def test_all_ids_cheaply() -> None:
    with organisation(40, page_size=9) as (box, zoho):
        for stream, module in (("accounts", "Accounts"), ("sales_orders", "Sales_Orders")):
            listing = ADAPTER.stream(stream).keys
            assert listing is not None
            assert sorted(k for some in listing(zoho) for k in some) == sorted(held(box, module))


# --- what an organisation has otherwise ------------------------------------------------------------------------------
def test_users_who_left_are_not_active() -> None:
    with organisation(10) as (box, zoho):
        people = {f.id: f.active for f in facts(zoho, "users") if isinstance(f, Person)}
        assert people == {u["id"]: u["status"] == "active" for u in box.shelf.all("~users")}
        assert False in people.values()


def test_several_currencies() -> None:
    with organisation(40, {"multi_currency": True}) as (box, zoho):
        orders = {f.id: f.currency for f in facts(zoho, "sales_orders") if isinstance(f, Order)}
        assert orders == {r["id"]: r["Currency"] for r in box.shelf.all("Sales_Orders")}
        assert len(set(orders.values())) > 1


def test_an_edition_without_sales_orders() -> None:
    with organisation(10, {"no_orders": True}) as (_, zoho):
        assert [(list(p.records), p.full, p.last) for p in read(zoho, "sales_orders")] == [([], False, True)]


def test_a_field_that_the_organisation_calls_otherwise() -> None:
    with organisation(10) as (box, zoho):
        rows = box.shelf.get("~fields", "Accounts")
        next(f for f in rows if f["api_name"] == "ERP_Customer_No")["api_name"] = "ERP_Customer_No1"
        box.records._shown["Accounts"] = rows  # type: ignore[attr-defined]
        key = sorted(held(box, "Accounts"))[0]
        touch(box, "Accounts", key, ERP_Customer_No1="C7777")
        zoho.fields("Accounts", fresh=True)
        found = {f.id: f.external_id for f in facts(zoho, "accounts") if isinstance(f, Customer)}
        assert found[key] == "C7777"


def test_a_field_that_is_not_there_is_named() -> None:
    with organisation(10) as (_, zoho), pytest.raises(ConfigError) as raised:
        read(zoho, "accounts", None, ["Account_Name", "Tax_Idd", "Owner.id", "Colour"])
    assert "Tax_Idd" in raised.value.user.en
    assert "Tax_ID" in raised.value.user.en
    assert "Colour" in raised.value.user.zh


def test_too_many_fields() -> None:
    with organisation(10) as (box, zoho):
        for number in range(50):
            box.records.add_field("Accounts", {"field_label": f"Own {number}", "data_type": "text"})  # type: ignore[attr-defined]
        with pytest.raises(ConfigError, match="at most 47"):
            read(zoho, "accounts", None, [f"Own_{n}" for n in range(50)])


# --- trouble -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", ["429", "429-bare", "500", "503", "reset", "late", "cut"])
@pytest.mark.parametrize("match", ["coql", "/deleted", "/oauth", "settings/fields"])
def test_a_read_outlives_trouble(fault: Any, match: str) -> None:
    with organisation(30, bulk_first=False, page_size=10) as (box, zoho):
        read(zoho, "accounts")
        zoho._fields.clear()
        zoho._auth._token = None
        cursor = {"mark": "2020-01-01T00:00:00+00:00"}
        box.records.remove("Accounts", min(held(box, "Accounts")), box.user)  # type: ignore[attr-defined]
        box.faults.plan(fault, times=2, match=match)
        assert set(keys(read(zoho, "accounts", cursor))) == held(box, "Accounts")
        assert box.faults.happened == [fault, fault]


@pytest.mark.parametrize("fault", ["429-bare", "500", "reset", "late", "cut"])
@pytest.mark.parametrize("match", ["POST /crm/bulk", r"read/\d+$", "/result"])
def test_a_bulk_read_outlives_trouble(fault: Any, match: str) -> None:
    with organisation(30, page_size=10) as (box, zoho):
        box.faults.plan(fault, times=2, match=match)
        assert set(keys(read(zoho, "accounts"))) == held(box, "Accounts")
        assert box.faults.happened == [fault, fault]


def test_back_off_without_a_hint_starts_with_two_seconds() -> None:
    with organisation(10, bulk_first=False) as (box, zoho):
        began = zoho.connection.clock.now()
        box.faults.plan("429-bare", match="coql")
        read(zoho, "accounts")
        assert 1 <= (zoho.connection.clock.now() - began).total_seconds() <= 2


@pytest.mark.parametrize("match", ["coql", "/oauth", "settings/fields", "/result"])
def test_a_page_for_people_is_a_protocol_error(match: str) -> None:
    with organisation(30, bulk_first=match == "/result") as (box, zoho):
        zoho._fields.clear()
        zoho._auth._token = None
        box.faults.plan("html", times=9, match=match)
        with pytest.raises(ProtocolError):
            read(zoho, "accounts")


def test_a_system_that_stays_away_is_left_for_later() -> None:
    with organisation(10, bulk_first=False) as (box, zoho):
        box.faults.plan("503", times=99, match="coql")
        with pytest.raises(TransientError):
            read(zoho, "accounts")
        assert len(box.faults.happened) < 10
