"""`audit`: the trail as a person reads it, and as an auditor proves it."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.store import audit
from connector.store.audit import Entry
from connector.store.db import Store
from connector.store.tables import audit as audit_table
from jobs.program import rules_version
from tests.cli.calling import call, shop
from tests.store.conftest import without_fence

# 00:30 on the 24th in Shanghai.
NIGHT = dt.datetime(2026, 11, 23, 16, 30, tzinfo=dt.UTC)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    config = shop(tmp_path, customers="id,name\nC1,One")
    store = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    with store.writing() as tx:
        audit.append(
            tx,
            [
                Entry(
                    "limit.approve",
                    "customer:books/C1",
                    "person:li.wei",
                    "年度复评",
                    before={"amount": Decimal("300000.00"), "currency": "CNY"},
                    after={"amount": Decimal("450000.00"), "currency": "CNY", "valid_to": dt.date(2027, 3, 31)},
                ),
                Entry("order.release", "order:books/SO12", "person:wang.fang", "=HYPERLINK(1)"),
            ],
            NIGHT,
        )
    store.close()
    return config


def tamper(config: Path) -> None:
    store = Store.open(f"sqlite:///{config.parent / 'holdfast.db'}")
    with store.writing() as tx, without_fence(tx):
        tx.execute(audit_table.update().where(audit_table.c.number == 1).values(actor="person:wang.fang"))
    store.close()


def test_the_list_says_who_changed_what_from_what_to_what(book: Path) -> None:
    done = call("-c", book, "audit", "list")
    assert (done.code, done.err) == (0, "")
    [line] = [line for line in done.out.splitlines() if "li.wei" in line]
    assert "2026-11-24 00:30:00" in line, "in the business's own time zone"
    assert "limit approved" in line
    assert "amount: 300,000.00 → 450,000.00, valid_to: – → 2027-03-31" in line
    assert "年度复评" in line
    chinese = call("-c", book, "audit", "list", lang="zh").out
    assert "批准额度" in chinese
    assert "订单放行" in chinese


def test_what_was_said_in_both_languages_is_told_in_the_readers_own(book: Path) -> None:
    store = Store.open(f"sqlite:///{book.parent / 'holdfast.db'}")
    with store.writing() as tx:
        stands = {"indicator": "utilisation", "level": "red", "en": "120% is used", "zh": "已用 120%"}
        entries = [
            Entry("warning.raise", "customer:books/C1", "job:evaluate", after=stands),
            Entry("order.hold", "order:books/SO13", "job:evaluate", after={"reasons": [{"en": "late", "zh": "逾期"}]}),
        ]
        audit.append(tx, entries, NIGHT)
    store.close()
    english, chinese = (call("-c", book, "audit", "list", lang=lang).out for lang in ("en", "zh"))
    assert "text: 120% is used, indicator: utilisation, level: red" in english
    assert "text: 已用 120%, indicator: utilisation, level: red" in chinese
    assert '"late"' in english
    assert "逾期" not in english
    assert '"逾期"' in chinese
    assert "late" not in chinese
    exact = call("-c", book, "audit", "list", "--action", "warning", "--format", "json").json["audit"]
    assert [line["after"] for line in exact] == [stands]


def test_the_list_is_narrowed(book: Path) -> None:
    def numbers(*arguments: str) -> list[int]:
        found = call("-c", book, "audit", "list", "--format", "json", *arguments).json["audit"]
        return [line["number"] for line in found]

    assert numbers() == [2, 1]
    assert numbers("--subject", "customer") == [1]
    assert numbers("--action", "order.release") == [2]
    assert numbers("--actor", "person:li.wei") == [1]
    assert numbers("--to", "2026-11-23") == []
    assert numbers("--from", "2026-11-24", "--to", "2026-11-24") == [2, 1]
    assert numbers("--most", "1") == [2]


def test_a_reason_is_no_formula(book: Path) -> None:
    assert ",'=HYPERLINK(1)" in call("-c", book, "audit", "list", "--format", "csv").out


def test_verify_prints_heads_that_prove_it_later(book: Path) -> None:
    done = call("-c", book, "audit", "verify")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2 entries, none changed, removed or put in.")
    head = done.out.split()[-1]
    assert head.startswith("main:2:")
    assert call("-c", book, "audit", "verify", "--head", head).code == 0
    other = call("-c", book, "audit", "verify", "--head", f"main:2:{'0' * 64}")
    assert other.code == 1
    assert "the trail up to it was made anew" in other.out
    assert call("-c", book, "audit", "verify", "--head", "nonsense").code == 2


def test_verify_names_what_was_changed(book: Path) -> None:
    tamper(book)
    done = call("-c", book, "audit", "verify")
    assert done.code == 1
    assert "audit main 1: Entry 1 of lane main was changed after it was written." in done.out
    assert "第 1 条记录在写入后被改动" in call("-c", book, "audit", "verify", lang="zh").out


def test_the_export_can_be_verified_without_us(book: Path, tmp_path: Path) -> None:
    """By the documented rule alone: SHA-256 over the JSON list of all fields before the hash."""
    import hashlib

    out = tmp_path / "trail.jsonl"
    assert call("-c", book, "audit", "export", "--out", out).code == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["number"] for row in rows] == [1, 2]
    previous = "0" * 64
    for row in rows:
        *said, digest = row.values()
        assert said[-1] == previous
        text = json.dumps(said, ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == digest
        previous = digest


def test_a_decision_is_shown_again_as_it_was_on_its_day(tmp_path: Path) -> None:
    """With the documents as they were known then, whatever was corrected, removed or posted back since."""
    config = shop(
        tmp_path,
        customers="id,name,currency\nC1,华东机械,CNY",
        limits="customer_id,kind,amount,currency\nC1,base,5000.00,CNY",
        documents="""
            id,customer_id,kind,number,issued_on,due_on,currency,amount
            D1,C1,invoice,INV-1,2026-07-01,2026-07-31,CNY,6000.00
            D2,C1,invoice,INV-2,2026-08-01,2026-08-31,CNY,400.00
            """,
    )
    assert call("-c", config, "run").code == 0
    first = call("-c", config, "audit", "show", "C1")
    assert (first.code, first.err) == (0, "")
    lines = first.out.splitlines()
    assert "concluded again: the same." in lines[1]
    assert "HELD" in lines[2]
    [invoice] = [line for line in lines if line.startswith("INV-1 ")]
    assert invoice.split()[-1] == "6,000.00"

    documents = tmp_path / "book" / "documents.csv"
    text = documents.read_text(encoding="utf-8")
    documents.write_text(text.replace("6000.00", "10.00").replace("D2,", "D3,"), encoding="utf-8")
    assert call("-c", config, "pull").code == 0
    assert "HELD" in call("-c", config, "audit", "show", "C1").out
    assert call("-c", config, "audit", "show", "C1").out == first.out
    chinese = call("-c", config, "audit", "show", "C1", lang="zh").out
    assert "重算结果：一致。" in chinese
    answer = call("-c", config, "audit", "show", "C1", "--format", "json").json
    assert answer["decision"]["same_again"] is True
    assert [item["number"] for item in answer["items"]] == ["INV-1", "INV-2"]

    done = call("-c", config, "audit", "replay", "C1")
    assert (done.code, done.out) == (0, "1 decisions concluded again, the same to the byte.\n")
    nothing = call("-c", config, "audit", "show", "C1", "--on", "2020-01-01")
    assert (nothing.code, nothing.err) == (2, "Error: Nothing was decided of C1 up to 2020-01-01.\n")


@pytest.mark.parametrize(("now", "code"), [(None, 1), ("9.0.0+12345678", 0)])
def test_what_comes_out_otherwise_says_whether_the_program_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str | None, code: int
) -> None:
    """By the same version it is a fault; by another one the version that made it is named, and nothing is wrong."""
    config = shop(
        tmp_path,
        customers="id,name,currency\nC1,华东机械,CNY",
        documents="id,customer_id,kind,issued_on,due_on,currency,amount\nD1,C1,invoice,2026-07-01,2026-07-31,CNY,600.00",
    )
    assert call("-c", config, "run").code == 0
    made = rules_version()
    monkeypatch.setattr("jobs.recall.again", lambda kept: b"other words")
    if now is not None:
        for place in ("jobs.recall", "jobs.program"):
            monkeypatch.setattr(f"{place}.rules_version", lambda: now)
    done = call("-c", config, "audit", "replay")
    shown = call("-c", config, "audit", "show", "C1", lang="zh")
    assert done.code == code
    if now is None:
        assert "decision 1 of" in done.out
        assert "重算结果：不一致。" in shown.out
        return
    assert f"1 come out otherwise in this version of the program ({now}): they were made by version {made}" in done.out
    assert "decision 1 of" not in done.out
    assert f"不一致，因原结论由程序版本 {made} 得出，本版为 {now}。" in shown.out.replace("\n", "")


def test_a_decision_that_did_not_say_its_program_is_of_an_earlier_one(tmp_path: Path, monkeypatch: Any) -> None:
    config = shop(tmp_path, customers="id,name,currency\nC1,华东机械,CNY")
    monkeypatch.setattr("jobs.inputs.rules_version", lambda: None)
    assert call("-c", config, "run").code == 0
    monkeypatch.setattr("jobs.recall.again", lambda kept: b"other words")
    done = call("-c", config, "audit", "replay", lang="zh")
    assert (done.code, "原结论由较早的程序版本得出" in done.out.replace("\n", "")) == (0, True)


def test_positions_as_they_were_shown(tmp_path: Path) -> None:
    """An invoice that is corrected and an order that is closed later change nothing of what was shown."""
    config = shop(
        tmp_path,
        customers="id,name,currency\nC1,华东机械,CNY\nC2,Two,CNY",
        documents="id,customer_id,kind,issued_on,due_on,currency,amount\nD1,C1,invoice,2026-07-01,2026-07-31,CNY,600.00",
        orders="id,customer_id,ordered_on,currency,amount,status\nO1,C1,2026-07-01,CNY,50.00,open",
    )
    empty = call("-c", config, "report", "positions", "--as-shown")
    assert (empty.code, empty.out) == (2, "")
    assert "Nothing was decided up to " in empty.err
    assert call("-c", config, "run").code == 0
    book = tmp_path / "book"
    for name, old, new in (("documents", "600.00", "10.00"), ("orders", "open", "closed")):
        path = book / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert call("-c", config, "pull").code == 0

    def exposure(*arguments: str) -> list[str]:
        found = call("-c", config, "report", "positions", "--format", "json", *arguments).json
        return [row["exposure"]["total"] for row in found["positions"]]

    assert exposure() == ["10.00", "0.00"]
    assert exposure("--as-shown") == ["650.00", "0.00"]
    assert "Positions as they were shown on" in call("-c", config, "report", "positions", "--as-shown").out
    assert "当时展示的应收与信用状况" in call("-c", config, "report", "positions", "--as-shown", lang="zh").out
    otherwise = call("-c", config, "report", "positions", "--as-shown", "--basis", "issue")
    assert (otherwise.code, otherwise.out) == (2, "")
