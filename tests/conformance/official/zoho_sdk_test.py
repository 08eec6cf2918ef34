"""Zoho's own Python SDK works against our sandbox over a socket: what it understood is what the sandbox holds.

The SDK (Apache-2.0) is installed once into `.cache` and runs in a process of its own, because it keeps global state.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector.sandbox import Sandbox, SandboxOptions
from tests.conformance.world import AS_OF
from tests.unit.zoho_crm import openapi

REQUIREMENT = "zohocrmsdk8-0==7.0.0"
CACHE = Path(__file__).parents[3] / ".cache" / f"{REQUIREMENT}-py{sys.version_info.major}{sys.version_info.minor}"
CLIENT = Path(__file__).with_name("zoho_sdk_client.py")


def _installed() -> Path:
    """The folder that holds the SDK; installs it where it is not there yet. Skips where no index can be reached."""
    if CACHE.is_dir():
        return CACHE
    CACHE.parent.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=CACHE.parent))
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--target",
        str(fresh),
        REQUIREMENT,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        pytest.skip(f"{REQUIREMENT} cannot be installed: {done.stderr.strip()[-200:] if done else 'it takes too long'}")
    try:
        fresh.rename(CACHE)
    except OSError:  # another worker was faster
        shutil.rmtree(fresh, ignore_errors=True)
    return CACHE


@pytest.fixture(scope="module")
def box() -> Sandbox:
    made = adapters.sandbox("zoho_crm", SandboxOptions(customers=60, as_of=AS_OF))
    made.faults.plan("429-bare", match="GET /crm/v8/Deals")
    made.faults.plan("expired", match="GET /crm/v8/Contacts")
    return made


@pytest.fixture(scope="module")
def wrong(box: Sandbox) -> list[str]:
    """What Zoho's OpenAPI files have against the calls."""
    return openapi.watch(box) if openapi.FOLDER.is_dir() else []


@pytest.fixture(scope="module")
def told(box: Sandbox, wrong: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(_installed()), "PYTHONDONTWRITEBYTECODE": "1"}
    folder = tmp_path_factory.mktemp("zoho")
    with box.served() as url:
        done = subprocess.run(
            [sys.executable, str(CLIENT), url, str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout.splitlines()[-1])
    failed = {step: a["failed"] for step, a in answers.items() if isinstance(a, dict) and "failed" in a}
    assert not failed
    return answers


def test_signs_in_once(told: dict[str, Any], box: Sandbox) -> None:
    assert [c.status for c in box.calls if c.path == "/oauth/v2/token"] == [200]


def test_metadata(told: dict[str, Any], box: Sandbox) -> None:
    assert told["org"]["said"] == box.shelf.get("~meta", "org")["company_name"]
    assert {"Accounts", "Sales_Orders", "Tasks"} <= set(told["modules"]["said"])
    assert {"Account_Name", "Owner", "ERP_Customer_No"} <= set(told["fields"]["said"])
    assert told["users"]["said"] == [u["email"] for u in box.shelf.all("~users") if u["status"] == "active"]


def test_makes_a_field(told: dict[str, Any], box: Sandbox) -> None:
    assert told["create_field"]["status"] == 201
    made = next(f for f in box.shelf.get("~fields", "Tasks") if f["label"] == "Credit Task Key")
    assert made["api_name"] == "Credit_Task_Key"
    assert made["unique"]


def test_lists_pages_by_token(told: dict[str, Any], box: Sandbox) -> None:
    number, more, owner = told["list"]["said"]
    assert (number, more) == (20, True)
    assert owner in {int(u["id"]) for u in box.shelf.all("~users")} | {u["id"] for u in box.shelf.all("~users")}
    assert len(set(told["page_token"]["said"])) == 20
    assert told["expired_page_token"] == {
        "status": 400,
        "object": "APIException",
        "said": ["APIException", "EXPIRED_VALUE"],
    }
    assert told["not_modified"] == {"status": 304, "object": "NoneType", "said": None}


def test_queries(told: dict[str, Any], box: Sandbox) -> None:
    in_order = sorted(
        (a for a in box.shelf.all("Accounts") if a["Created_Time"] < "2026-11-01"),
        key=lambda a: (a["Created_Time"], a["id"]),
    )
    assert told["coql"]["said"] == [a["Account_Name"] for a in in_order[:5]]
    assert told["coql_empty"]["status"] == 204
    assert told["coql_wrong"]["said"] == ["APIException", "INVALID_QUERY"]
    assert told["search"]["said"] == told["one"]["said"] == [in_order[0]["Account_Name"]]


def test_writes_row_by_row(told: dict[str, Any], box: Sandbox) -> None:
    for step, kinds in (("create", ["ok", "error"]), ("update", ["ok", "error"]), ("upsert", ["ok", "ok", "error"])):
        assert told[step]["status"] == 207
        assert [row[0] for row in told[step]["said"]] == kinds
    assert told["upsert"]["said"][0][2] == told["create"]["said"][0][2], "the account of that name is updated"
    assert box.shelf.get("Accounts", told["upsert"]["said"][1][2])["Account_Name"] == "Acme B"


def test_upserts_a_task_once(told: dict[str, Any], box: Sandbox) -> None:
    assert told["task"]["said"] == told["task_again"]["said"]
    (task,) = box.shelf.all("Tasks")
    assert task["Credit_Task_Key"] == "overdue:1"
    assert task["What_Id"]["id"] in {a["id"] for a in box.shelf.all("Accounts")}


def test_completes_a_task(told: dict[str, Any], box: Sandbox) -> None:
    assert [row[0] for row in told["task_completed"]["said"]] == ["ok"]
    assert told["task_read"]["said"] == ["Completed"], "of the two that are asked for, the one that is there"
    (task,) = box.shelf.all("Tasks")
    assert task["Status"] == "Completed"


def test_locks_and_deletes(told: dict[str, Any], box: Sandbox) -> None:
    assert told["lock"] == {"status": 201, "object": "ActionWrapper", "said": "SUCCESS"}
    assert told["locking"]["said"] == "SUCCESS"
    assert told["locking_read"]["said"] == ["manual"]
    assert told["lock_read"]["said"] == ["Credit hold CH-1"]
    assert told["lock_changed"]["said"] == "SUCCESS"
    assert [row[:2] for row in told["locked"]["said"]] == [["error", "RECORD_LOCKED"]]
    assert told["unlock"]["said"] == "SUCCESS"
    assert [row[0] for row in told["unlocked"]["said"]] == ["ok"]
    assert told["deleted"]["said"] == [[told["deleted_id"], "Acme A", "recycle"]]
    assert box.shelf.get("Accounts", told["deleted_id"]) is None


def test_reads_in_bulk(told: dict[str, Any], box: Sandbox) -> None:
    assert told["bulk_start"]["said"] == "ADDED_SUCCESSFULLY"
    assert told["bulk_state"]["said"] == ["COMPLETED", box.shelf.count("Accounts")]
    assert told["bulk_result"] == {"status": 200, "object": "FileBodyWrapper", "said": "Id,Account_Name,Owner"}


def test_asks_for_notifications(told: dict[str, Any], box: Sandbox) -> None:
    modules = ["Accounts", "Sales_Orders"]
    assert told["watch"] == {"status": 201, "object": "ActionWrapper", "said": ["SUCCESS", modules]}
    assert told["watch_read"]["said"] == [[m, "1000000068001", "opaque"] for m in modules]
    assert told["watch_longer"]["said"] == ["SUCCESS", modules]
    assert told["watch_too_long"]["said"] == ["INVALID_DATA", []], "a week is the most"
    assert told["watch_ended"]["said"] == "SUCCESS"
    assert told["watch_gone"]["said"] == ["NOT_SUBSCRIBED", []]
    assert told["watch_none"]["status"] == 204
    assert box.shelf.all("~channels") == []


def test_understands_our_refusals(told: dict[str, Any]) -> None:
    assert told["throttled"] == {"status": 429, "object": "APIException", "said": ["APIException", "TOO_MANY_REQUESTS"]}
    assert told["expired"] == {"status": 401, "object": "APIException", "said": ["APIException", "INVALID_TOKEN"]}


@pytest.mark.skipif(not openapi.FOLDER.is_dir(), reason="Zoho's OpenAPI files are not here")
def test_our_answers_to_the_sdk_are_as_specified(told: dict[str, Any], wrong: list[str]) -> None:
    # The SDK's own requests differ from the files: it sends ids as numbers.
    assert [w for w in wrong if ": request " not in w] == []
