"""The sandbox against what a running Odoo 19.0 answered: its recorded errors and the shapes of its records."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.odoo.sandbox import DATABASE, OdooSandbox
from adapters.odoo.sandbox_rows import Rows
from connector.sandbox import Reply, Request, SandboxOptions

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "apis" / "samples" / "odoo"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"recorded answers are not there: {SAMPLES.name}")


@pytest.fixture(scope="module")
def sandbox() -> OdooSandbox:
    return OdooSandbox(SandboxOptions(customers=20))


def ask(
    sandbox: OdooSandbox, path: str, body: Any, key: str | None = "admin_key", method: str = "POST", **headers: str
) -> Reply:
    known = {**sandbox.credentials(), "wrong": "no-such-key"}
    sent = {"content-type": "application/json", "x-odoo-database": DATABASE, **headers}
    if key:
        sent["authorization"] = f"bearer {known[key]}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply, _ = sandbox.answer(Request(method, path, {}, sent, content))
    return reply


# The recorded cases, and how the same situation is brought about here.
CASES: dict[str, dict[str, Any]] = {
    "wrong api key": {"key": "wrong"},
    "no api key": {"key": None},
    "unknown database": {"x-odoo-database": "elsewhere"},
    "unknown model": {},
    "unknown method": {},
    "private method": {},
    "unknown field in domain": {},
    "unknown field in fields": {},
    "unknown keyword of search_read": {},
    "missing required keyword": {},
    "order by computed field": {},
    "read of deleted id": {},
    "write to deleted id": {},
    "constraint": {},
    "bad selection value": {"ids": [101]},
    "datetime with T and Z": {},
    "model the user may not write": {"key": "api_key", "path": "/json/2/ir.model/search_read"},
    "language not installed": {},
    "company not allowed": {},
    "business rule: delete posted invoice": {"ids": "posted"},
    "body is not json": {},
    "wrong content type": {"content-type": "application/x-www-form-urlencoded"},
    "GET": {"method": "GET"},
}


@needs_samples
@pytest.mark.parametrize("case", CASES)
def test_errors_are_odoos_own(sandbox: OdooSandbox, case: str) -> None:
    recorded = next(c for c in json.loads((SAMPLES / "errors.json").read_text(encoding="utf-8")) if c["case"] == case)
    how = dict(CASES[case])
    body = recorded["request"]
    if isinstance(body, dict) and "ids" in how:
        posted = next(r["id"] for r in sandbox.shelf.all("account.move") if r["state"] == "posted")
        body = {**body, "ids": [posted] if how["ids"] == "posted" else how["ids"]}
    reply = ask(
        sandbox,
        how.get("path", recorded["path"]),
        body.encode() if isinstance(body, str) else body,
        how.get("key", "admin_key"),
        how.get("method", "POST"),
        **{k: v for k, v in how.items() if k in ("content-type", "x-odoo-database")},
    )
    assert reply.status == recorded["status"]
    assert reply.headers["content-type"].partition(";")[0] == recorded["content_type"].partition(";")[0]
    if isinstance(recorded["body"], dict):
        said = json.loads(reply.body)
        assert set(said) == set(recorded["body"])
        assert said["name"] == recorded["body"]["name"]
        assert said["message"] == recorded["body"]["message"]
        assert len(said["arguments"]) == len(recorded["body"]["arguments"])
    elif isinstance(recorded["body"], list):
        assert json.loads(reply.body) == recorded["body"]


def kind(value: Any) -> str:
    """The shape of a value as JSON has it; `false` may stand for anything that is not there."""
    if value is False:
        return "nothing"
    if isinstance(value, list):
        return "pair" if len(value) == 2 and isinstance(value[1], str) else "ids"
    return (
        "number" if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else type(value).__name__
    )


RECORDED = ["receivable_lines", "partial_reconciles", "payments", "partners", "sale_orders", "payment_terms", "currency_rates",
            "moves", "activities"]  # fmt: skip


@needs_samples
@pytest.mark.parametrize("name", RECORDED)
def test_records_have_the_recorded_shape(sandbox: OdooSandbox, name: str) -> None:
    recorded = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))[0]
    if name == "activities":
        ask(sandbox, "/json/2/res.partner/activity_schedule", {
            "ids": [101], "act_type_xmlid": "mail.mail_activity_data_todo", "summary": "Call", "note": "x", "user_id": 10 + 1,
            "date_deadline": "2026-12-01"}, "api_key")  # fmt: skip
    reply = ask(sandbox, recorded["path"], recorded["request"])
    assert reply.status == 200, reply.body
    ours, theirs = json.loads(reply.body), recorded["response"]
    assert ours
    assert all(set(row) == set(theirs[0]) for row in ours)
    for field in theirs[0]:
        seen = {kind(row[field]) for row in theirs} - {"nothing", "bool"}
        here = {kind(row[field]) for row in ours} - {"nothing", "bool"}
        if seen:
            assert here <= seen, f"{field}: {here} here, {seen} there"


@needs_samples
def test_a_bare_many2one_is_its_id(sandbox: OdooSandbox) -> None:
    recorded = json.loads((SAMPLES / "receivable_lines.json").read_text(encoding="utf-8"))[0]
    rows = json.loads(ask(sandbox, recorded["path"], {**recorded["request"], "load": ""}).body)
    assert all(isinstance(r["move_id"], int) and isinstance(r["currency_id"], int) for r in rows)


DOMAINS: list[tuple[list[Any], set[str]]] = [
    ([], {"a", "b", "c"}),
    ([["name", "=", "b"]], {"b"}),
    ([["ref", "=", False]], {"a", "b"}),
    ([["ref", "!=", False]], {"c"}),
    ([["name", "!=", "b"]], {"a", "c"}),
    ([["parent_id.name", "=", "a"]], {"b"}),
    (["|", ["name", "=", "a"], ["ref", "=", "x"]], {"a", "c"}),
    (["!", ["name", "=", "a"]], {"b", "c"}),
    (["&", "|", ["name", "=", "a"], ["name", "=", "b"], ["parent_id", "!=", False]], {"b"}),
    ([["company_id", "in", [1, False]]], {"a", "c"}),
    ([["company_id", "not in", [1, False]]], {"b"}),
    ([["customer_rank", ">", 1]], {"c"}),
    ([["name", "ilike", "C"]], {"c"}),
    ([["id", "in", [1, 3]], ["name", "!=", "a"]], {"c"}),
]


@pytest.mark.parametrize(("domain", "expected"), DOMAINS)
def test_domains(domain: list[Any], expected: set[str]) -> None:
    from connector.sandbox import Shelf

    rows = Rows(Shelf())
    rows.add("res.partner", {"name": "a", "ref": False, "parent_id": False, "company_id": 1, "customer_rank": 0})
    rows.add("res.partner", {"name": "b", "ref": False, "parent_id": 1, "company_id": 2, "customer_rank": 1})
    rows.add("res.partner", {"name": "c", "ref": "x", "parent_id": False, "company_id": False, "customer_rank": 2})
    assert {r["name"] for r in Rows(rows.shelf).matching("res.partner", domain, active_only=True)} == expected


def test_archived_rows_hide_unless_asked_for(sandbox: OdooSandbox) -> None:
    def count(**more: Any) -> int:
        return int(json.loads(ask(sandbox, "/json/2/res.users/search_count", {"domain": [], **more}).body))

    assert count(context={"active_test": False}) == count() + 1
    assert count(domain=[["active", "=", False]]) == 1


def test_state_and_stamps_last_over_a_restart(tmp_path: Path) -> None:
    options = SandboxOptions(data=tmp_path, customers=5)
    first = OdooSandbox(options)
    reply = ask(first, "/json/2/res.partner/write", {"ids": [101], "vals": {"phone": "1"}}, "api_key")
    assert reply.write
    stamp = first.shelf.get("res.partner", f"{101:012d}")["write_date"]
    second = OdooSandbox(options)
    ask(second, "/json/2/res.partner/write", {"ids": [102], "vals": {"phone": "2"}}, "api_key")
    rows = {r["id"]: r for r in second.shelf.all("res.partner")}
    assert rows[101]["phone"] == "1"
    assert rows[102]["write_date"] > stamp
    lines = [json.loads(x) for x in (tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [x["write"] for x in lines] == [True, True]


def test_paying_and_ordering_in_the_erp(sandbox: OdooSandbox) -> None:
    import datetime as dt

    line = next(x for x in sandbox.open_invoices() if x["currency_id"] == 6)
    owed = line["amount_residual_currency"]
    half = (owed / 2).quantize(Decimal("0.01"))
    sandbox.pay(line["id"], dt.date(2026, 11, 23), half)
    left = Rows(sandbox.shelf).get("account.move.line", line["id"])
    assert left is not None
    assert left["amount_residual_currency"] == owed - half
    sandbox.pay(line["id"], dt.date(2026, 11, 23))
    assert line["id"] not in {x["id"] for x in sandbox.open_invoices()}
    order = sandbox.take_order(101, Decimal("5000.00"), dt.date(2026, 11, 23))
    row = Rows(sandbox.shelf).get("sale.order", order)
    assert row is not None
    assert (row["state"], row["amount_total"]) == ("sale", Decimal("5000.00"))
