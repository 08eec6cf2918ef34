"""Our APL functions, compiled and run by Groovy against stand-ins of the documented Fx interface."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.connect import loaded
from connector.hook import Delivery, Known, Refused
from connector.hook_signing import stamp_and_body_signed
from jobs import plugins

HOME = Path(__file__).with_name("groovy")
SECRET = "0123456789abcdef0123456789abcdef"
LAUNCH = "https://credit.example.com/launch/fx"


def function(name: str, api_names: bool = True) -> str:
    adapter = adapters.load("fxiaoke")
    mapping = loaded(mappings.shipped("fxiaoke"), "fxiaoke.toml", adapter)
    site = plugins.site(adapter, mapping, system="fx", address="https://credit.example.com")
    if api_names:
        site = replace(site, shown=tuple(replace(s, name=f"field_{s.word}__c") for s in site.shown))
    [chosen] = plugins.chosen(adapter, name)
    built = plugins.build(chosen, site, Path(adapters.folder("fxiaoke")) / "plugin")
    [path] = [p for p in built.files if p.endswith(".apl")]
    return built.files[path].decode()


def run(tmp_path: Path, text: str, **world: Any) -> Any:
    groovy = shutil.which("groovy")
    java = shutil.which("java")
    if groovy is None or java is None:
        pytest.skip("groovy is not installed (Debian: groovy)")
    (tmp_path / "function.apl").write_text(text, encoding="utf-8")
    (tmp_path / "world.json").write_text(json.dumps(world), encoding="utf-8")
    command = [
        groovy,
        "-cp",
        str(HOME),
        str(HOME / "run.groovy"),
        str(tmp_path / "function.apl"),
        str(tmp_path / "world.json"),
    ]
    env = {**os.environ, "JAVA_HOME": str(Path(java).resolve().parents[1]), "JAVA_OPTS": "-Dfile.encoding=UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


ASKED = {"object": "AccountObj", "record_id": "64f0"}
GOOD = {"status": 200, "content": {"url": "https://credit.example.com/panel/fx?code=abc"}}


def launched(tmp_path: Path, **more: Any) -> Any:
    world: dict[str, Any] = {
        "variables": {"var_holdfast_panel_secret__g": SECRET},
        "context": {"userId": "1000"},
        "parameters": ASKED,
        "answer": GOOD,
    }
    return run(tmp_path, function("launch"), **{**world, **more})


def test_what_the_launch_signs_is_what_our_service_believes(tmp_path: Path) -> None:
    said = launched(tmp_path)
    assert json.loads(said["made"]) == {"url": "https://credit.example.com/panel/fx?code=abc"}
    [(_, url, headers, body)] = said["calls"]
    assert url == LAUNCH
    told = json.loads(body)
    assert (told["object"], told["record_id"], told["crm_user"]) == ("AccountObj", "64f0", "1000")
    lowered = {k.lower(): v for k, v in headers.items()}
    now = dt.datetime.now(dt.UTC)
    assert judged(lowered, body, SECRET, now) is None
    refused = judged(lowered, body.replace("1000", "1001", 1), SECRET, now)
    assert refused is not None
    assert refused.status == 401
    assert judged(lowered, body, "f" * 32, now) is not None


def judged(headers: Mapping[str, str], body: str, secret: str, now: dt.datetime) -> Refused | None:
    delivery = Delivery("POST", headers, body.encode())
    return stamp_and_body_signed(delivery, Known("fx", (secret,), now), header="x-holdfast-signature")


@pytest.mark.parametrize("variables", [{}, {"var_holdfast_panel_secret__g": "short"}])
def test_without_a_secret_nothing_is_called(tmp_path: Path, variables: dict[str, str]) -> None:
    said = launched(tmp_path, variables=variables)
    assert json.loads(said["made"]) == {"error": "no_secret"}
    assert said["calls"] == []
    assert "short" not in json.dumps(said["log"]).replace("too short", "")


@pytest.mark.parametrize("answer", [{"status": 403, "content": {"code": "late"}}, {}])
def test_a_refusal_opens_nothing(tmp_path: Path, answer: dict[str, Any]) -> None:
    assert json.loads(launched(tmp_path, answer=answer)["made"]) == {"error": "refused"}


ROWS = {"a1": {"f__c": "1.00"}, "a2": {"f__c": "2.00"}, "a3": {"f__c": None}}


def pushed(tmp_path: Path, **world: Any) -> Any:
    rows = json.dumps({"object": "AccountObj", "rows": ROWS}, ensure_ascii=False)
    said = run(tmp_path, function("bulk"), parameters={"rows": rows}, **world)
    return json.loads(said["made"]), said["calls"]


def test_the_bulk_function_writes_all_in_one_call_and_starts_no_workflow(tmp_path: Path) -> None:
    made, calls = pushed(tmp_path)
    assert made == {"done": ["a1", "a2", "a3"], "failed": {}}
    assert calls == [["batchUpdate", "AccountObj", ROWS, ["f__c"], False]]


def test_where_the_batch_is_refused_each_row_answers_for_itself(tmp_path: Path) -> None:
    made, calls = pushed(tmp_path, refused=["a2"])
    assert made == {"done": ["a1", "a3"], "failed": {"a2": "refused"}}
    assert [c[0] for c in calls] == ["batchUpdate", "update", "update", "update"]
    assert not any(c[-1] for c in calls)


@pytest.mark.parametrize(("held", "passes"), [(True, False), (False, True), (None, True)])
def test_the_guard_stops_held_orders_only_and_says_why(tmp_path: Path, held: bool | None, passes: bool) -> None:
    order = {"field_hold__c": held, "field_hold_reason__c": "超出额度 6,000.00 CNY"}
    said = run(tmp_path, function("guard"), context={"data": order})["made"]
    assert said["success"] is passes
    if not passes:
        assert said["errorMessage"] == "订单因信用管控被冻结：超出额度 6,000.00 CNY"


def test_where_only_labels_are_known_the_guard_shows_what_to_replace() -> None:
    text = function("guard", api_names=False)
    assert 'context.data["field_hold__c"]' in text
    assert 'context.data["field_reason__c"]' in text


@pytest.mark.parametrize("name", ["launch", "bulk", "guard"])
def test_no_form_that_the_tenants_sandbox_refuses(name: str) -> None:
    """`for` and `while` are forbidden there, and comments of the /** kind do not always compile."""
    code = re.sub(r"//.*", "", function(name))
    assert not re.search(r"\b(for|while)\s*\(", code)
    assert "/*" not in function(name)
