"""The story of the night on a small book: what the CRM shows, what a second run writes (nothing), what one change writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.zoho_crm.sandbox import make
from connector.clock import FixedClock
from connector.config import Config, parse
from connector.policy import default_policy
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import customers, decisions, links, outbox, runs
from connector.store.db import Store
from jobs.frame import frame
from jobs.judge import judge
from jobs.night import connected_systems, work
from jobs.run import Run
from tests.store.conftest import emptied

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)

# Dragon is 61 days late with 3,000, Phoenix owes 9,000 against a limit of 5,000, Crane is fine. In CNY.
BOOK = {
    "customers": "id,name,currency,terms\nC1,Dragon Ltd,CNY,net:30\nC2,Phoenix Ltd,CNY,net:30\nC3,Crane Ltd,CNY,net:30\n",
    "limits": "customer_id,kind,amount,currency\nC1,base,50000,CNY\nC2,base,5000,CNY\nC3,base,50000,CNY\n",
    "documents": (
        "id,customer_id,kind,issued_on,due_on,currency,amount\n"
        "I1,C1,invoice,2026-08-21,2026-09-20,CNY,10000.00\n"
        "I2,C2,invoice,2026-11-10,2026-12-10,CNY,9000.00\n"
        "I3,C3,invoice,2026-11-15,2026-12-15,CNY,700.00\n"
    ),
    "payments": "id,customer_id,received_on,currency,amount\nP1,C1,2026-10-01,CNY,7000.00\n",
    "applications": "from_id,to_id,amount,applied_on\nP1,I1,7000.00,2026-10-01\n",
    "orders": (
        "id,customer_id,ordered_on,ship_on,currency,amount,status\n"
        "O3,C3,2026-11-18,2026-11-30,CNY,1000.00,open\n"
    ),
}  # fmt: skip
CONFIG = """
[business]
currency = "CNY"
time_zone = "Asia/Shanghai"
language = "en"
[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = {{ path = "book" }}
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
settings = {{ base_url = "{url}", accounts_url = "{url}" }}
[systems.secrets]
client_id = "env:HOLDFAST_NIGHT"
client_secret = "env:HOLDFAST_NIGHT"
refresh_token = "env:HOLDFAST_NIGHT"
"""


@dataclass
class Night:
    folder: Path
    config: Config
    store: Store
    crm: Sandbox
    clock: FixedClock

    def write(self, name: str, text: str) -> None:
        (self.folder / "book" / f"{name}.csv").write_text(text, encoding="utf-8")

    def run(self) -> dict[str, Run]:
        systems = connected_systems(self.config, self.clock)
        done = work(self.store, self.config, default_policy(), self.clock, systems=systems)
        return {f"{r.job} {r.system}".strip(): r for r in done}

    def account(self, name: str) -> dict[str, Any]:
        return next(a for a in self.crm.shelf.all("Accounts") if a["Account_Name"] == name)


@pytest.fixture(params=["sqlite", "postgresql"])
def night(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.setenv("HOLDFAST_NIGHT", "anything")
    (tmp_path / "book").mkdir()
    crm = make(SandboxOptions(customers=20, seed=1, as_of=NOW.date()))
    # Three of the sandbox's accounts become ours; the others stay prospects.
    for row, (name, number) in zip(
        crm.shelf.all("Accounts"), [("Dragon", "C1"), ("Phoenix", "C2"), ("Crane", "C3")], strict=False
    ):
        crm.shelf.put("Accounts", row["id"], {**row, "Account_Name": name, "ERP_Customer_No": number})
    for row in crm.shelf.all("Accounts")[3:]:
        crm.shelf.put("Accounts", row["id"], {**row, "ERP_Customer_No": None, "Account_Name": f"Prospect {row['id']}"})
    with crm.served() as url:
        config, problems = parse(CONFIG.format(url=url), "config.toml", tmp_path)
        assert config is not None, problems
        if request.param == "postgresql":
            store: Store = request.getfixturevalue("pg_store")
            emptied(store)
        else:
            store = Store.open(config.store_url)
        made = Night(tmp_path, config, store, crm, FixedClock(NOW))
        for name, text in BOOK.items():
            made.write(name, text)
        for connected in connected_systems(config, made.clock):
            if connected.adapter.provision:
                connected.adapter.provision(connected.client, connected.needs(), False)
        yield made
        if request.param == "sqlite":
            store.close()


def test_the_crm_shows_what_finance_knows(night: Night) -> None:
    done = night.run()
    assert not any(r.failed for r in done.values())
    dragon, phoenix, crane = (night.account(n) for n in ("Dragon", "Phoenix", "Crane"))

    assert dragon["Credit_Hold"] is True
    assert dragon["Credit_Status"] == "Stop"
    assert "61 days" in dragon["Credit_Hold_Reason"]
    assert (dragon["Overdue_Amount"], dragon["Credit_Limit"]) == (3000, 50000)

    assert phoenix["Credit_Hold"] is True
    assert "CNY 9,000.00 exceeds the limit of CNY 5,000.00 by CNY 4,000.00" in phoenix["Credit_Hold_Reason"]
    assert phoenix["Overdue_Amount"] == 0

    assert not crane.get("Credit_Hold"), "who was never held gets no hold flag at all"
    assert crane["Credit_Status"] == "Good"
    assert crane["Credit_Exposure"] == 1700, "700 invoiced and 1,000 on order"

    tasks = night.crm.shelf.all("Tasks")
    ours = sorted(t["Credit_Task_Key"] for t in tasks if t.get("Credit_Task_Key"))
    assert ours == ["hold:books:C1:2026-11-20", "hold:books:C2:2026-11-20"]


def test_a_second_run_writes_nothing_and_judges_nobody(night: Night) -> None:
    night.run()
    night.run()  # meets the stamps that our own writes moved
    before = len(night.crm.writes())
    done = night.run()
    assert len(night.crm.writes()) == before
    assert done["evaluate"].counts["evaluated"] == 0
    assert done["push crm"].counts["done"] == 0


def test_one_paid_invoice_makes_exactly_the_calls_it_needs(night: Night) -> None:
    night.run()
    night.run()
    before = len(night.crm.writes())
    night.write("payments", BOOK["payments"] + "P2,C1,2026-11-19,CNY,3000.00\n")
    night.write("applications", BOOK["applications"] + "P2,I1,3000.00,2026-11-19\n")
    done = night.run()
    assert done["evaluate"].counts["evaluated"] == 1
    orders = [
        o for o in night.crm.shelf.all("Sales_Orders") if o["Account_Name"]["id"] == night.account("Dragon")["id"]
    ]
    flagged = [o for o in orders if "Credit_Hold" in o]
    assert flagged, "the account has open orders in the CRM, which were held with it"
    calls = [(c.method, c.path.split("/")[3], c.records) for c in night.crm.writes()[before:]]
    assert sorted(calls) == sorted(
        [
            *[("PUT", "Accounts", 1), ("PUT", "Accounts", 1), ("PUT", "Sales_Orders", len(flagged))],
            *[("DELETE", "Sales_Orders", 1)] * len(flagged),
            ("PUT", "Tasks", 1),
        ]
    ), "its fields, its hold, the flags of its orders, the lock of each, one by one, and the task of the hold, closed"
    assert not any(o["Credit_Hold"] for o in flagged)
    dragon = night.account("Dragon")
    assert dragon["Credit_Hold"] is False
    assert not dragon["Credit_Hold_Reason"]
    assert dragon["Credit_Status"] == "Stop", (
        "a warning falls one level at a time, after three days without the trouble"
    )


def test_the_day_alone_turns_an_item_overdue(night: Night) -> None:
    """Nothing is paid and nothing changes but the date: Crane's invoice of 12-15 is 31 days late on 01-15."""
    night.run()
    night.clock.at = dt.datetime(2027, 1, 14, 9, tzinfo=dt.UTC)
    night.run()
    assert not night.account("Crane").get("Credit_Hold"), "30 days late is within the grace"
    night.clock.at = dt.datetime(2027, 1, 15, 9, tzinfo=dt.UTC)
    night.run()
    assert night.account("Crane")["Credit_Hold"] is True


def test_a_decision_is_kept_with_what_it_rested_on(night: Night) -> None:
    night.run()
    with night.store.reading() as tx:
        by_ref = {r.ref: r.debtor for r in customers.customers(tx, systems=["books"])}
        kept = decisions.latest(tx)
        rows = runs.runs(tx)
    body = kept[by_ref["C2"]].body  # type: ignore[index]
    assert body["hold"] is True
    assert body["held_since"] == "2026-11-20"
    (reason,) = [r for r in body["reasons"] if r["rule"] == "limit_exceeded"]
    assert reason["numbers"]["limit"] == "5000.00"
    assert "超过信用额度 CNY 5,000.00" in reason["zh"]
    assert {r.job for r in rows} == {"pull", "link", "evaluate", "notices", "push"}
    assert all(r.state == "done" for r in rows)


def test_a_bad_row_is_told_and_the_rest_goes_on(night: Night) -> None:
    night.write("documents", BOOK["documents"] + "I4,C3,invoice,2026-13-01,2026-12-15,CNY,50.00\n")
    done = night.run()
    assert not done["pull books"].failed
    assert len(done["pull books"].problems) == 1
    problem = done["pull books"].problems[0]
    assert problem.where == "documents.csv:5"
    assert problem.field == "issued_on"
    assert night.account("Crane")["Credit_Exposure"] == 1700
    with night.store.reading() as tx:
        assert [p.problem.where for p in runs.problems(tx)] == ["documents.csv:5"]
    night.write("documents", BOOK["documents"])
    night.run()
    with night.store.reading() as tx:
        assert runs.problems(tx) == []


def test_a_crm_in_trouble_loses_nothing(night: Night) -> None:
    night.crm.faults.plan("503", times=1000, match="PUT|POST .*/(Accounts|Tasks)")
    done = night.run()
    assert done["push crm"].failed
    with night.store.reading() as tx:
        assert len(outbox.listing(tx)) > 0
    night.crm.faults.planned.clear()
    night.clock.at += dt.timedelta(hours=2)
    night.run()
    assert night.account("Dragon")["Credit_Hold"] is True
    with night.store.reading() as tx:
        assert outbox.listing(tx) == []


def test_stale_data_holds_visibly(night: Night) -> None:
    """The ledger could not be read for two days: nobody is let off on old figures, and the reason says so."""
    night.run()
    (night.folder / "book" / "payments.csv").rename(night.folder / "away.csv")
    night.clock.at += dt.timedelta(days=2)
    done = night.run()
    assert done["pull books"].failed or done["pull books"].problems
    crane = night.account("Crane")
    assert crane["Credit_Hold"] is True
    assert "books" in crane["Credit_Hold_Reason"]
    (night.folder / "away.csv").rename(night.folder / "book" / "payments.csv")
    night.run()
    assert night.account("Crane")["Credit_Hold"] is False, "read again: let go by itself"


def test_an_account_that_loses_its_customer_is_let_go(night: Night) -> None:
    """Split from its customer, the account must not stay held for ever by a decision that is no longer about it."""
    night.run()
    assert night.account("Dragon")["Credit_Hold"] is True
    with night.store.writing() as tx:
        account = next(r for r in customers.customers(tx, systems=["crm"]) if r.name == "Dragon")
        links.split(tx, account.key)
    night.run()
    dragon = night.account("Dragon")
    assert dragon["Credit_Hold"] is False
    assert not dragon["Credit_Hold_Reason"]
    assert not dragon["Credit_Limit"]
    before = len(night.crm.writes())
    night.run()
    night.run()
    assert len(night.crm.writes()) == before


def test_the_same_order_in_both_systems_counts_once(night: Night) -> None:
    """Phoenix' limit is raised to 12,000: with 9,000 invoiced and an order of 2,500 in both systems it is within."""
    night.write("limits", BOOK["limits"].replace("C2,base,5000", "C2,base,12000"))
    night.write(
        "orders",
        "id,customer_id,number,ordered_on,ship_on,currency,amount,status\nO2,C2,SO-7,2026-11-18,2026-11-30,CNY,2500.00,open\n",
    )
    phoenix = night.account("Phoenix")
    for order in night.crm.shelf.all("Sales_Orders"):
        if order["Account_Name"]["id"] == phoenix["id"]:
            night.crm.shelf.drop("Sales_Orders", order["id"])
    other = night.crm.shelf.all("Sales_Orders")[0]
    mine = {
        **other,
        "SO_Number": "SO-7",
        "Grand_Total": 2500,
        "Currency": "CNY",
        "Status": "Created",
        "Account_Name": {"id": phoenix["id"], "name": "Phoenix"},
    }
    night.crm.shelf.put("Sales_Orders", other["id"], mine)
    night.run()
    assert not night.account("Phoenix").get("Credit_Hold")
    assert not night.crm.shelf.get("Sales_Orders", other["id"]).get("Credit_Hold")


def test_a_rate_of_today_and_one_that_grows_too_old_move_who_rests_on_them(night: Night) -> None:
    """Crane owes 1,000 dollars more. At 6 it fits into the limit of 50,000, at 60 it does not; too old, nobody can tell."""
    night.write("documents", BOOK["documents"] + "I9,C3,invoice,2026-11-15,2027-06-30,USD,1000.00\n")
    night.write("rates", "on,from,to,rate\n2026-11-19,USD,CNY,6\n2026-11-25,USD,CNY,60\n")
    night.run()
    assert not night.account("Crane").get("Credit_Hold")
    night.clock.at = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
    night.run()
    assert night.account("Crane")["Credit_Hold"] is True, "the rate that was dated ahead is in force"
    assert "CNY 61,700.00 exceeds the limit" in night.account("Crane")["Credit_Hold_Reason"]
    night.write("rates", "on,from,to,rate\n2026-11-19,USD,CNY,6\n")
    night.run()
    assert night.account("Crane")["Credit_Hold"] is False, "corrected: noticed at once"
    night.clock.at = dt.datetime(2026, 12, 25, 9, tzinfo=dt.UTC)  # 36 days after the only rate
    night.run()
    assert night.account("Crane")["Credit_Hold"] is True
    assert "no exchange rate" in night.account("Crane")["Credit_Hold_Reason"].lower()


def test_a_tranche_once_released_stays_released_in_reports(night: Night) -> None:
    """Released while nothing was late; then something is late, and neither the decision nor a report takes it back."""
    night.write("limits", "customer_id,kind,amount,currency,condition\nC3,stage,3000,CNY,late<=0\n")
    night.run()
    late = "I8,C3,invoice,2026-09-15,2026-11-15,CNY,100.00\n"
    night.write("documents", BOOK["documents"] + late)
    night.run()
    with night.store.reading() as tx:
        base = frame(tx, night.config, default_policy(), night.clock, NOW.date())
        (crane,) = [j for j in judge(tx, base) if j.members[0].ref == "C3"]
    assert crane.position.overdue == 100
    assert crane.position.limit_amount == 3000
    assert night.account("Crane")["Credit_Limit"] == 3000
