"""From the ledger into a CRM and back to a person: check, provision, links, a refused write and what to do about it."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector import adapter as adapters
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import outbox
from connector.store.db import Store
from connector.text import Text
from tests.cli.calling import call, shop

ACCOUNTS = [
    {"Account_Name": "华东机械（上海）有限公司", "ERP_Customer_No": "C1"},
    {"Account_Name": "Northern Lights Trading", "ERP_Customer_No": "C2"},
    {"Account_Name": "Acme Industrial Supply", "ERP_Customer_No": None},
    {"Account_Name": "Somebody Else Entirely", "ERP_Customer_No": None},
]
BOOK = {
    "customers": """
        id,name
        C1,华东机械（上海）有限公司
        C2,Northern Lights Trading
        C3,"Acme Industrial Supply Co., Ltd."
        """,
    "documents": """
        id,customer_id,kind,number,issued_on,due_on,currency,amount
        D1,C1,invoice,INV-1,2020-01-01,2020-01-31,CNY,1234567.80
        D2,C2,invoice,INV-2,2020-01-01,2020-01-31,CNY,50.00
        D3,C3,invoice,INV-3,2020-01-01,2020-01-31,CNY,70.00
        """,
}


@dataclass
class Shop:
    config: Path
    box: Sandbox
    accounts: dict[str, str]  # by customer number or name, the id of the account there


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop with a book and a CRM whose accounts are those above; nothing has been run."""
    data = tmp_path / "zoho"
    data.mkdir()
    (data / "Accounts.json").write_text(json.dumps(ACCOUNTS), encoding="utf-8")
    options = SandboxOptions(data=data, customers=5, as_of=dt.date(2026, 11, 23))
    box = adapters.sandbox("zoho_crm", options)
    for name, value in box.credentials().items():
        monkeypatch.setenv(f"CLI_{name.upper()}", value)
    with box.served(0) as url:
        config = shop(
            tmp_path,
            f"""
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
settings = {{ base_url = "{url}", accounts_url = "{url}" }}
[systems.secrets]
client_id = "env:CLI_CLIENT_ID"
client_secret = "env:CLI_CLIENT_SECRET"
refresh_token = "env:CLI_REFRESH_TOKEN"
""",
            **BOOK,
        )
        assert call("-c", config, "pull").code == 0
        links = call("-c", config, "link", "list", "--format", "json").json["links"]
        yield Shop(config, box, {row["name"]: row["account"] for row in links})


def test_check_then_provision_then_check(crm: Shop) -> None:
    missing = call("-c", crm.config, "check", "crm")
    assert missing.code == 2
    assert "! to do" in missing.out
    assert re.search(r"\d+ to do: holdfast provision makes", missing.out), "what comes next is said"
    would = call("-c", crm.config, "provision", "--dry-run", lang="zh")
    assert (would.code, "· 将创建" in would.out) == (0, True)
    made = call("-c", crm.config, "provision")
    assert (made.code, "✓ made" in made.out) == (0, True)
    assert made.out.rstrip().endswith("left for a person (!). Next: holdfast run")
    assert call("-c", crm.config, "provision", "--strict").code == 1, "what only a person can make is left"
    after = call("-c", crm.config, "check", "--format", "json")
    assert {f["state"] for f in after.json} <= {"fine", "todo"}
    assert not [f for f in after.json if "has no field" in f["what"]]
    chinese = call("-c", crm.config, "check", lang="zh")
    assert "✓ 正常" in chinese.out


def test_links_are_listed_confirmed_and_split(crm: Shop) -> None:
    def rows() -> dict[str, tuple[str | None, str]]:
        listed = call("-c", crm.config, "link", "list", "--format", "json").json["links"]
        return {r["name"]: (r["customer"], r["how"]) for r in listed}

    assert rows() == {
        "华东机械（上海）有限公司": ("books/C1", "external_id"),
        "Northern Lights Trading": ("books/C2", "external_id"),
        "Acme Industrial Supply": ("books/C3", "proposal"),
        "Somebody Else Entirely": (None, "none"),
    }
    shown = call("-c", crm.config, "link", "list", "--open")
    assert "2 linked, 1 with a proposal, 1 with none." in shown.out
    assert "holdfast link confirm SYSTEM/ACCOUNT SYSTEM/CUSTOMER" in shown.out
    assert "Northern" not in shown.out
    assert "已关联 2，有建议 1，无建议 1。" in call("-c", crm.config, "link", "list", lang="zh").out

    acme = crm.accounts["Acme Industrial Supply"]
    done = call("-c", crm.config, "link", "confirm", acme, "books/C3")
    assert (done.code, done.out) == (0, f"{acme} is books/C3. It counts from the next run: holdfast run\n")
    assert rows()["Acme Industrial Supply"] == ("books/C3", "person")

    assert call("-c", crm.config, "link", "split", acme).code == 0
    assert rows()["Acme Industrial Supply"] == (None, "none"), "nor is it proposed"
    call("-c", crm.config, "pull", "--full")
    assert rows()["Acme Industrial Supply"] == (None, "none"), "never linked again by a machine"

    trail = call("-c", crm.config, "audit", "list", "--subject", f"customer:{acme}", "--format", "json").json["audit"]
    assert [(one["action"], one["actor"]) for one in trail if one["action"].startswith("link.")] == [
        ("link.part", f"person:{getpass.getuser()}"),
        ("link.confirm", f"person:{getpass.getuser()}"),
    ], "as the console tells it"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("confirm", "crm", "books/C1"), "There is no customer “crm”: write the system, a slash and the number."),
        (("confirm", "cmr/1", "books/C1"), "No system is called “cmr”."),
        (("confirm", "crm/1", "books/C1"), "crm has no customer 1. Near: "),
        (("confirm", "books/C1", "books/C1"), "These are one and the same record."),
        (("split", "books/C3"), "books/C3 is linked to nothing."),
    ],
)
def test_a_link_that_cannot_be_meant(crm: Shop, arguments: tuple[str, ...], words: str) -> None:
    done = call("-c", crm.config, "link", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "\n错误：" in call("-c", crm.config, "link", *arguments, lang="zh").err


def test_one_link_must_own_the_ledger(crm: Shop) -> None:
    one, other = crm.accounts["Somebody Else Entirely"], crm.accounts["Acme Industrial Supply"]
    done = call("-c", crm.config, "link", "confirm", one, other)
    assert (done.code, "One of the two must be a customer of an ERP" in done.err) == (2, True)


def test_a_refused_write_is_parked_shown_retried_or_dropped(crm: Shop) -> None:
    call("-c", crm.config, "provision")
    crm.box.faults.plan("partial", match="PUT|POST /crm/v8/Accounts", times=1)
    done = call("-c", crm.config, "run")
    assert done.code == 0
    assert "parked 1" in done.out
    [parked] = call("-c", crm.config, "outbox", "list", "--format", "json").json["outbox"]
    assert (parked["system"], parked["state"]) == ("crm", "parked")
    assert parked["why"]

    shown = call("-c", crm.config, "outbox", "list").out
    assert "credit fields" in shown
    assert "parked" in shown
    assert "mend the cause, then holdfast outbox retry" in shown
    assert "搁置" in call("-c", crm.config, "outbox", "list", lang="zh").out

    nothing = call("-c", crm.config, "outbox", "retry", 99999)
    assert (nothing.code, "99999: there is no such number" in nothing.err) == (2, True)
    again = call("-c", crm.config, "outbox", "retry", parked["id"])
    assert (again.code, again.out) == (0, "1 to be tried again: holdfast push\n")
    assert "written 1" in call("-c", crm.config, "push").out
    empty = call("-c", crm.config, "outbox", "list")
    assert "Nothing is owed: all is written." in empty.out
    assert "已写入" in call("-c", crm.config, "outbox", "list", "--all", lang="zh").out
    assert call("-c", crm.config, "outbox", "retry").out == "Nothing is parked.\n"
    written = call("-c", crm.config, "outbox", "drop", parked["id"])
    assert (written.code, f"{parked['id']}: written" in written.err) == (2, True)


def test_a_dropped_write_is_given_up(crm: Shop) -> None:
    call("-c", crm.config, "provision")
    crm.box.faults.plan("partial", match="PUT|POST /crm/v8/Accounts", times=1)
    call("-c", crm.config, "run")
    [parked] = call("-c", crm.config, "outbox", "list", "--format", "json").json["outbox"]
    dropped = call("-c", crm.config, "outbox", "drop", parked["id"], lang="zh")
    assert (dropped.code, "已放弃 1 项" in dropped.out) == (0, True)
    call("-c", crm.config, "run")
    assert call("-c", crm.config, "outbox", "list", "--format", "json").json["outbox"] == []


def test_a_second_run_says_that_nothing_is_to_do(crm: Shop) -> None:
    call("-c", crm.config, "provision")
    assert "written" in call("-c", crm.config, "run").out
    second = call("-c", crm.config, "run")
    [line] = [line for line in second.out.splitlines() if "push" in line]
    assert "nothing to do" in line
    assert "无事可做" in call("-c", crm.config, "run", lang="zh").out


def test_a_hold_that_was_undone_there_is_listed_held_again_or_taken_note_of(crm: Shop) -> None:
    """Two accounts are unticked in the CRM; what the list says, and what follows from `retry` and from `drop`."""
    call("-c", crm.config, "provision")
    assert call("-c", crm.config, "run").code == 0
    with Store.open(f"sqlite:///{crm.config.parent / 'holdfast.db'}").writing() as tx:
        rows = outbox.standing(tx, "crm", "hold")
        for row in rows:
            outbox.note_undone(
                tx, row, ["Credit_Hold"], Text("It was taken off there.", "在该系统中被取消。"), row.owed_at
            )
    assert len(rows) == 2, "the two accounts that are linked are held"
    listed = call("-c", crm.config, "outbox", "list")
    assert "undone there" in listed.out
    assert "holdfast outbox retry NO holds again, holdfast outbox drop NO takes note of it" in " ".join(
        listed.out.split()
    )
    assert "在对方被取消" in call("-c", crm.config, "outbox", "list", lang="zh").out
    first, second = sorted(r["id"] for r in call("-c", crm.config, "outbox", "list", "--format", "json").json["outbox"])
    assert "Nothing is parked." in call("-c", crm.config, "outbox", "retry").out, "not swept up with what is parked"
    assert call("-c", crm.config, "outbox", "retry", str(first)).code == 0
    assert call("-c", crm.config, "outbox", "drop", str(second)).code == 0
    before = len(crm.box.writes())
    assert call("-c", crm.config, "push").code == 0
    assert len(crm.box.writes()) == before + 1
    assert call("-c", crm.config, "outbox", "list", "--format", "json").json == {"outbox": []}
