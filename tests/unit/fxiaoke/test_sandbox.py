"""The sandbox against the vendor's pages: status 200 for everything, its codes, its limits on paging and calls."""

from __future__ import annotations

import datetime as dt
import json
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest

from adapters.fxiaoke.sandbox import FxiaokeSandbox
from connector.clock import FixedClock
from connector.sandbox import Request, SandboxOptions

SECRETS = {"appId": "FSAID_x", "appSecret": "some-secret", "permanentCode": "some-code"}


class Caller:
    """Speaks to a sandbox as a program without our adapter would."""

    def __init__(self, **settings: Any) -> None:
        self.sandbox = FxiaokeSandbox(SandboxOptions(customers=20, language="zh", settings=settings))
        self.clock = FixedClock(dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC))
        self.sandbox.clock = self.clock
        self.headers: dict[str, str] = {}

    def post(self, path: str, body: Any, trace: str | None = None) -> dict[str, Any]:
        query = {"thirdTraceId": str(uuid.uuid4()) if trace is None else trace}
        request = Request("POST", path, query, self.headers, json.dumps(body).encode())
        reply, _ = self.sandbox.answer(request)
        assert reply.status == 200
        told = json.loads(reply.body)
        assert isinstance(told, dict)
        return told

    def sign_in(self) -> str:
        told = self.post("/oauth2.0/token", {**SECRETS, "grantType": "app_secret"})
        self.headers = {
            "authorization": f"Bearer {told['accessToken']}",
            "x-fs-ea": told["ea"],
            "x-fs-userid": "1000",
        }
        return str(told["accessToken"])

    def query(self, name: str = "AccountObj", **asked: Any) -> dict[str, Any]:
        info = {"limit": 100, "offset": 0, "filters": [], "orders": [], **asked}
        base = "/cgi/crm/custom/v2/data" if name.endswith("__c") else "/cgi/crm/v2/data"
        return self.post(f"{base}/query", {"data": {"dataObjectApiName": name, "search_query_info": info}})


@pytest.fixture
def caller() -> Caller:
    made = Caller()
    made.sign_in()
    return made


# --- signing in, as probed and documented ---
@pytest.mark.parametrize("lacking", ["appId", "appSecret", "permanentCode"])
def test_a_sign_in_without_a_secret_is_10006(lacking: str) -> None:
    told = Caller().post("/oauth2.0/token", {**SECRETS, "grantType": "app_secret", lacking: ""})
    assert told["errorCode"] == 10006


def test_calls_without_or_with_a_dead_token() -> None:
    caller = Caller()
    assert caller.query()["errorCode"] == 20017
    caller.sign_in()
    assert caller.query()["errorCode"] == 0
    caller.sandbox.expire()
    assert caller.query()["errorCode"] == 20016


def test_the_same_token_for_6600_seconds_then_a_new_one_while_the_old_still_works() -> None:
    caller = Caller()
    first = caller.sign_in()
    caller.clock.sleep(6500)
    assert caller.sign_in() == first
    old = caller.headers
    caller.clock.sleep(200)
    assert caller.sign_in() != first
    assert caller.query()["errorCode"] == 0
    caller.headers = old
    assert caller.query()["errorCode"] == 0
    caller.clock.sleep(600)
    assert caller.query()["errorCode"] == 20016


def test_ten_sign_ins_a_minute() -> None:
    caller = Caller()
    codes = [caller.post("/oauth2.0/token", {**SECRETS, "grantType": "app_secret"})["errorCode"] for _ in range(11)]
    assert codes == [0] * 10 + [14001]
    caller.clock.sleep(61)
    assert caller.sign_in()


def test_a_call_in_the_current_style_needs_a_trace_id(caller: Caller) -> None:
    body = {"data": {"apiName": "AccountObj"}}
    assert caller.post("/cgi/crm/v2/object/describe", body, trace="1")["errorCode"] == 15002


# --- limits ---
def test_a_hundred_calls_in_twenty_seconds_for_each_interface(caller: Caller) -> None:
    codes = [caller.query(limit=1)["errorCode"] for _ in range(101)]
    assert codes == [0] * 100 + [30004]
    assert caller.post("/cgi/crm/v2/object/list", {})["errorCode"] == 0
    caller.clock.sleep(21)
    assert caller.query(limit=1)["errorCode"] == 0


@pytest.mark.parametrize(
    ("limit", "offset", "code"),
    [
        (100, 0, 0),
        (101, 0, 15002),
        (0, 0, 15002),
        (100, 50, 15002),
        (50, 100, 0),
        (100, 10_000, 0),
        (100, 10_100, 10013),
    ],
)
def test_limit_and_offset(caller: Caller, limit: int, offset: int, code: int) -> None:
    told = caller.query(limit=limit, offset=offset)
    assert told["errorCode"] == code
    if code == 10013:
        assert told["errorMessage"] == "offset out of range 10000"


def test_an_unknown_path_is_10006_with_status_200(caller: Caller) -> None:
    assert caller.post("/cgi/crm/v9/nothing", {})["errorCode"] == 10006


# --- queries ---
@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("EQ", ["1"], {"b"}),
        ("N", ["1"], {"a", "c", "none"}),
        ("GT", ["1"], {"c"}),
        ("GTE", ["1"], {"b", "c"}),
        ("LT", ["1"], {"a"}),
        ("LTE", ["1"], {"a", "b"}),
        ("IN", ["0.5", "10"], {"a", "c"}),
        ("NIN", ["0.5", "10"], {"b", "none"}),
        ("BETWEEN", ["0.5", "1"], {"a", "b"}),
        ("NBETWEEN", ["0.5", "1"], {"c", "none"}),
        ("IS", [], {"none"}),
        ("ISN", [], {"a", "b", "c"}),
    ],
)
def test_operators_on_numbers(caller: Caller, operator: str, values: list[str], expected: set[str]) -> None:
    box = caller.sandbox
    amount = box.field_name("AccountObj", "信用额度")
    rows = box.shelf.all("AccountObj")
    for row in rows[4:]:
        box.forget("AccountObj", row["_id"])
    for row, name, value in zip(rows, ("a", "b", "c", "none"), ("0.5", "1.00", "10", None), strict=False):
        box.keep("AccountObj", {**row, "name": name, **({amount: value} if value else {})})
    told = caller.query(filters=[{"field_name": amount, "operator": operator, "field_values": values}])
    assert {r["name"] for r in told["data"]["dataList"]} == expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("LIKE", ["贸易"], {"星辰贸易", "贸易之家"}),
        ("NLIKE", ["贸易"], {"北方电子"}),
        ("STARTWITH", ["贸易"], {"贸易之家"}),
        ("ENDWITH", ["贸易"], {"星辰贸易"}),
    ],
)
def test_operators_on_text(caller: Caller, operator: str, values: list[str], expected: set[str]) -> None:
    box = caller.sandbox
    rows = box.shelf.all("AccountObj")
    for row in rows[3:]:
        box.forget("AccountObj", row["_id"])
    for row, name in zip(rows, ("星辰贸易", "贸易之家", "北方电子"), strict=False):
        box.keep("AccountObj", {**row, "name": name})
    told = caller.query(filters=[{"field_name": "name", "operator": operator, "field_values": values}])
    assert {r["name"] for r in told["data"]["dataList"]} == expected


@pytest.mark.parametrize(
    "condition",
    [
        {"field_name": "nothing__c", "operator": "EQ", "field_values": ["1"]},
        {"field_name": "name", "operator": "NE", "field_values": ["1"]},
        {"field_name": "name", "operator": "EQ", "field_values": "1"},
    ],
)
def test_wrong_filters_are_refused_not_ignored(caller: Caller, condition: dict[str, Any]) -> None:
    assert caller.query(filters=[condition])["errorCode"] == 32000


def test_projection_total_and_nulls(caller: Caller) -> None:
    told = caller.query(limit=1, fieldProjection=["name", "remark"])
    (row,) = told["data"]["dataList"]
    assert set(row) == {"_id", "name"}  # an empty remark is left out
    assert told["data"]["total"] == caller.sandbox.shelf.count("AccountObj")
    body = {
        "includeNull": True,
        "data": {
            "dataObjectApiName": "AccountObj",
            "find_explicit_total_num": False,
            "search_query_info": {"limit": 1, "offset": 0, "filters": [], "fieldProjection": ["name", "remark"]},
        },
    }
    told = caller.post("/cgi/crm/v2/data/query", body)
    assert told["data"]["dataList"][0]["remark"] is None
    assert told["data"]["total"] == 0


def test_without_an_order_the_ids_are_not_sorted(caller: Caller) -> None:
    ids = [r["_id"] for r in caller.query()["data"]["dataList"]]
    assert ids != sorted(ids)


# --- writes ---
def _object(caller: Caller, verb: str, **values: Any) -> dict[str, Any]:
    body = {"data": {"object_data": {"dataObjectApiName": "AccountObj", **values}}}
    return caller.post(f"/cgi/crm/v2/data/{verb}", body)


def test_wrong_forms_of_values_are_refused(caller: Caller) -> None:
    box = caller.sandbox
    key = box.shelf.all("AccountObj")[0]["_id"]
    of = {
        label: box.field_name("AccountObj", label) for label in ("信用额度", "信用冻结", "信用数据日期", "信用预警等级")
    }
    for label, wrong, right in (
        ("信用额度", 5, "5"),
        ("信用冻结", "true", True),
        ("信用数据日期", "2026-11-23", 1795363200000),
        ("信用预警等级", "红", box.describe("AccountObj")["fields"][of["信用预警等级"]]["options"][3]["value"]),
    ):
        assert _object(caller, "update", _id=key, **{of[label]: wrong})["errorCode"] == 15002
        assert _object(caller, "update", _id=key, **{of[label]: right})["errorCode"] == 0
    assert _object(caller, "update", _id=key, unknown__c="1")["errorCode"] == 15002
    assert _object(caller, "update", _id=key, owner=["1001"])["errorCode"] == 300103  # changeOwner is the only way


def test_records_live_and_die_in_two_steps(caller: Caller) -> None:
    box = caller.sandbox
    assert _object(caller, "create", tel="1")["errorCode"] == 15002  # no name
    key = _object(caller, "create", name="新客户")["dataId"]
    both = {"data": {"dataObjectApiName": "AccountObj", "idList": [key]}}
    one = {"data": {"dataObjectApiName": "AccountObj", "object_data_id": key}}
    assert caller.post("/cgi/crm/v2/data/delete", both)["errorCode"] == 300103
    assert caller.post("/cgi/crm/v2/data/invalid", one)["errorCode"] == 0
    assert box.shelf.get("AccountObj", key)["life_status"] == "invalid"
    assert caller.post("/cgi/crm/v2/data/recover", both)["errorCode"] == 0
    assert box.shelf.get("AccountObj", key)["life_status"] == "normal"
    caller.post("/cgi/crm/v2/data/invalid", one)
    assert caller.post("/cgi/crm/v2/data/delete", both)["errorCode"] == 0
    assert box.shelf.get("AccountObj", key) is None


def test_a_locked_record_cannot_be_written_until_it_is_unlocked(caller: Caller) -> None:
    key = caller.sandbox.shelf.all("AccountObj")[0]["_id"]
    lock = {"data": {"dataObjectApiName": "AccountObj", "dataIds": [key], "detailObjStrategy": 1}}
    assert caller.post("/cgi/crm/v2/object/lock", lock)["errorCode"] == 0
    assert _object(caller, "update", _id=key, tel="1")["errorCode"] == 300101
    assert caller.post("/cgi/crm/v2/object/unlock", lock)["errorCode"] == 0
    assert _object(caller, "update", _id=key, tel="1")["errorCode"] == 0


def test_owners_change_by_their_own_call(caller: Caller) -> None:
    key = caller.sandbox.shelf.all("AccountObj")[0]["_id"]
    body = {"data": {"dataObjectApiName": "AccountObj", "Data": [{"objectDataId": key, "ownerId": ["1002"]}]}}
    assert caller.post("/cgi/crm/v2/data/changeOwner", body)["errorCode"] == 0
    assert caller.sandbox.shelf.get("AccountObj", key)["owner"] == ["1002"]


def test_flags_in_the_wrong_place_do_not_keep_a_workflow_from_running(caller: Caller) -> None:
    key = caller.sandbox.shelf.all("AccountObj")[0]["_id"]
    inside = {
        "data": {"triggerWorkFlow": False, "object_data": {"dataObjectApiName": "AccountObj", "_id": key, "tel": "1"}}
    }
    caller.post("/cgi/crm/v2/data/update", inside)
    assert "triggerWorkFlow: update AccountObj" in caller.sandbox.flows


def test_a_unique_field_refuses_a_double(caller: Caller) -> None:
    box = caller.sandbox
    task = box.object_name("信用任务")
    key = box.field_name(task, "信用任务键")
    body = {"data": {"object_data": {"dataObjectApiName": task, "name": "任务", key: "k"}}}
    made = caller.post("/cgi/crm/custom/v2/data/create", body)
    assert made["errorCode"] == 0
    assert "dataId" not in made  # the vendor's page on custom objects shows none
    assert caller.post("/cgi/crm/custom/v2/data/create", body)["errorCode"] == 300102


def test_custom_objects_have_paths_of_their_own(caller: Caller) -> None:
    task = caller.sandbox.object_name("信用任务")
    info = {"limit": 10, "offset": 0, "filters": []}
    body = {"data": {"dataObjectApiName": task, "search_query_info": info}}
    assert caller.post("/cgi/crm/v2/data/query", body)["errorCode"] == 15002
    assert caller.post("/cgi/crm/custom/v2/data/query", body)["errorCode"] == 0


# --- the kit's own promises ---
def test_state_and_call_log_outlive_a_restart_and_speak_over_a_socket(tmp_path: Path) -> None:
    options = SandboxOptions(data=tmp_path, customers=20, language="zh")
    first = FxiaokeSandbox(options)
    key = first.shelf.all("AccountObj")[0]["_id"]
    with first.served() as url:

        def post(path: str, body: Any, **headers: str) -> Any:
            data = json.dumps(body).encode()
            request = urllib.request.Request(f"{url}{path}?thirdTraceId={uuid.uuid4()}", data, headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert answer.status == 200
                return json.loads(answer.read())

        told = post("/oauth2.0/token", {**SECRETS, "grantType": "app_secret"})
        signed = {"authorization": f"Bearer {told['accessToken']}", "x-fs-ea": told["ea"], "x-fs-userid": "1000"}
        body = {"data": {"object_data": {"dataObjectApiName": "AccountObj", "_id": key, "tel": "0571-1"}}}
        assert post("/cgi/crm/v2/data/update", body, **signed)["errorCode"] == 0
    again = FxiaokeSandbox(options)
    assert again.shelf.get("AccountObj", key)["tel"] == "0571-1"
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["path"], line["status"], line["write"]) for line in lines] == [
        ("/oauth2.0/token", 200, False),
        ("/cgi/crm/v2/data/update", 200, True),
    ]


def test_the_same_seed_makes_the_same_tenant() -> None:
    one, two = (FxiaokeSandbox(SandboxOptions(customers=20, seed=7)) for _ in range(2))
    assert one.shelf.all("AccountObj") == two.shelf.all("AccountObj")
    assert one.shelf.all("~describe") == two.shelf.all("~describe")
    other = FxiaokeSandbox(SandboxOptions(customers=20, seed=8))
    assert other.field_name("AccountObj", "信用额度") != one.field_name("AccountObj", "信用额度")
