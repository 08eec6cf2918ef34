"""The sandbox itself: as strict as Zoho, keeps its state, takes its own data from its folder."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters.zoho_crm import sandbox_query as query
from connector import adapter as adapters
from connector.adapter import Write
from connector.cli.mapping import sample_records
from connector.clock import SystemClock
from connector.converters import Context
from connector.errors import ConfigError, RejectedError
from connector.http import Http
from connector.sandbox import SandboxOptions
from tests.unit.zoho_crm.world import ADAPTER, AS_OF, BASE, client, keys, mapping, needs, organisation, read, sandbox

TYPES = {
    "Account_Name": "text",
    "Modified_Time": "datetime",
    "Owner": "ownerlookup",
    "Grand_Total": "currency",
    "Credit_Hold": "boolean",
    "Description": "textarea",
}
ROW = {
    "id": "55",
    "Account_Name": "O'Brien Ltd",
    "Modified_Time": "2026-11-23T08:00:00+08:00",
    "Owner": {"id": "7"},
    "Grand_Total": 10,
    "Credit_Hold": False,
}


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ("Modified_Time = '2026-11-23T00:00:00+00:00'", True),
        ("Modified_Time > '2026-11-23T00:00:00+00:00'", False),
        ("(Modified_Time > '2026-11-22T23:59:59+00:00' and id > 54)", True),
        (
            "(Modified_Time > '2026-11-23T00:00:00+00:00' or (Modified_Time = '2026-11-23T00:00:00+00:00' and id > 55))",
            False,
        ),
        ("Account_Name = 'O\\'Brien Ltd'", True),
        ("Account_Name like '%brien%'", True),
        ("Account_Name in ('x', 'O\\'Brien Ltd')", True),
        ("Account_Name is not null", True),
        ("Account_Name is null", False),
        ("Owner.id = 7", True),
        ("Credit_Hold = false", True),
        ("Grand_Total >= 10.5", False),
        ("Grand_Total != 9", True),
    ],
)
def test_conditions(where: str, fits: bool) -> None:
    assert query.condition(where, TYPES)(ROW) is fits


@pytest.mark.parametrize(
    ("select", "code"),
    [
        ("select id from Accounts", "SYNTAX_ERROR"),
        ("select id from Accounts where id > 1 and id < 9 and id != 5", "SYNTAX_ERROR"),
        ("select id from Accounts where (id > 1 and id < 9", "SYNTAX_ERROR"),
        ("select id from Accounts where id > 1 limit 0, 2001", "LIMIT_EXCEEDED"),
        ("select id from Accounts where id > 1 limit 100001, 5", "LIMIT_EXCEEDED"),
        (f"select {', '.join(['Account_Name'] * 51)} from Accounts where id > 1", "LIMIT_EXCEEDED"),
        (f"select id from Accounts where id in ({', '.join('1' * 51)})", "LIMIT_EXCEEDED"),
        ("select Colour from Accounts where id > 1", "INVALID_QUERY"),
        ("select id from Nowhere where id > 1", "INVALID_QUERY"),
        ("select id from Accounts where Description = 'x'", "INVALID_QUERY"),
        ("select id from Accounts where Modified_Time > 2026", "INVALID_QUERY"),
        ("select id from Accounts where Modified_Time > 'soon'", "INVALID_QUERY"),
        ("select id from Accounts where Account_Name ~ 'x'", "SYNTAX_ERROR"),
    ],
)
def test_queries_that_zoho_refuses(select: str, code: str) -> None:
    with organisation(5) as (_, zoho), pytest.raises(RejectedError) as raised:
        zoho.query(select)
    assert raised.value.code == code


def test_a_page_number_reaches_two_thousand_records_only() -> None:
    with organisation(5) as (_, zoho):
        zoho.get("/Accounts", {"fields": "id", "page": "10", "per_page": "200"})
        with pytest.raises(RejectedError) as raised:
            zoho.get("/Accounts", {"fields": "id", "page": "11", "per_page": "200"})
    assert raised.value.code == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"


def test_a_page_token_is_bound_to_its_request() -> None:
    with organisation(30) as (_, zoho):
        asked = {"fields": "Account_Name", "per_page": "10"}
        token = zoho.get("/Accounts", asked)["info"]["next_page_token"]
        assert len(zoho.get("/Accounts", {**asked, "page_token": token})["data"]) == 10
        with pytest.raises(RejectedError) as raised:
            zoho.get("/Accounts", {**asked, "fields": "Phone", "page_token": token})
    assert raised.value.code == "TOKEN_BOUND_DATA_MISMATCH"


def test_state_outlives_a_restart(tmp_path: Path) -> None:
    options = SandboxOptions(data=tmp_path, customers=10, as_of=AS_OF)
    box = adapters.sandbox("zoho_crm", options)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        assert ADAPTER.provision is not None
        ADAPTER.provision(zoho, needs(), False)
        target = box.shelf.all("Accounts")[0]["id"]
        ADAPTER.channel("hold").send(zoho, [Write("k", target, {"Credit_Hold": True})])  # type: ignore[union-attr]
    again = adapters.sandbox("zoho_crm", options)
    with again.mounted(BASE):
        current = ADAPTER.channel("hold").current  # type: ignore[union-attr]
        assert current is not None
        assert current(client(again, BASE), [target])[target]["Credit_Hold"] is True
    lines = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert {"at", "method", "path", "status", "records"} <= lines[0].keys()
    assert [line["records"] for line in lines if line["method"] == "PUT"] == [1]


def test_a_folder_brings_its_own_accounts(tmp_path: Path) -> None:
    accounts = [{"id": "9001", "Account_Name": "Acme", "ERP_Customer_No": "C1"}, {"Account_Name": "无编号公司"}]
    (tmp_path / "Accounts.json").write_text(json.dumps(accounts), encoding="utf-8")
    box = adapters.sandbox("zoho_crm", SandboxOptions(data=tmp_path, as_of=AS_OF))
    with box.mounted(BASE):
        records = [r for p in read(client(box, BASE), "accounts") for r in p.records]
        assert keys(read(client(box, BASE), "sales_orders")) == []
    assert {r.data["Account_Name"]: r.data["ERP_Customer_No"] for r in records} == {"Acme": "C1", "无编号公司": None}
    assert "9001" in {r.key for r in records}


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "refresh_token"])
def test_empty_credentials_are_refused(missing: str) -> None:
    box = sandbox(3)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        object.__setattr__(zoho.connection, "secret", lambda name: "" if name == missing else "anything")
        with pytest.raises(ConfigError):
            read(zoho, "users")


def test_a_sixteenth_token_kills_the_oldest() -> None:
    box = sandbox(3)
    with box.mounted(BASE):
        first = client(box, BASE)
        read(first, "users")
        others = [client(box, BASE) for _ in range(14)]
        for other in others:
            read(other, "users")
        before = sum(c.status == 401 for c in box.calls)
        read(first, "users")
        read(client(box, BASE), "users")
        read(first, "users")
    assert before == 0
    assert sum(c.status == 401 for c in box.calls) == 1


def test_many_threads_over_a_socket_share_one_token() -> None:
    box = sandbox(30)
    with box.served() as url:
        zoho = client(box, url, SystemClock(), page_size=10)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: sorted(keys(read(zoho, "accounts"))), range(8)))
    assert found == [sorted(r["id"] for r in box.shelf.all("Accounts"))] * 8
    assert sum(c.path == "/oauth/v2/token" for c in box.calls) == 1


def test_nonsense_gets_an_answer_in_zohos_form() -> None:
    with organisation(3) as (box, zoho):
        sign = zoho._auth.headers()
        plain = Http(BASE, judge=lambda answer: "ok", clock=zoho.connection.clock)
        for method, path, body, status, code in [
            ("POST", "/crm/v8/coql", b"{", 400, "INVALID_DATA"),
            ("PUT", "/crm/v8/Accounts", b"[]", 400, "MANDATORY_NOT_FOUND"),
            ("PUT", "/crm/v8/Accounts", b'{"data": ["x"]}', 400, "INVALID_DATA"),
            ("GET", "/crm/v8/Nowhere", b"", 400, "INVALID_MODULE"),
            ("GET", "/crm/v7/Accounts", b"", 404, "INVALID_URL_PATTERN"),
        ]:
            answer = plain.call(method, path, safe=True, data=body or None, headers=dict(sign))
            assert (answer.status, answer.json()["code"]) == (status, code)
        assert not [c for c in box.calls if c.method == "PUT" and c.write]


@pytest.mark.parametrize("stream", [s.name for s in ADAPTER.streams])
def test_the_samples_are_read_by_the_shipped_mapping(stream: str) -> None:
    records, made = sample_records(ADAPTER, stream), mapping()
    assert len(records) >= 2
    results: list[Any] = [made.read(stream, r, context=Context("Asia/Shanghai", "CNY", "zoho")) for r in records]
    assert not [p for _, problems in results for p in problems]
    orphans = [r for r in records if stream == "sales_orders" and not r.data["Account_Name"]]
    assert sum(len(facts) for facts, _ in results) == len(records) - len(orphans)
