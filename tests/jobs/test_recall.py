"""Decisions are concluded again, to the byte, whatever has changed since; and whoever touches one is found."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from connector import config as configs
from connector.clock import FixedClock
from connector.config import Config
from connector.policy import Policy, default_policy
from connector.store import audit, decisions, proof
from connector.store.db import Store
from connector.store.tables import decision
from jobs import evaluate as evaluate_module
from jobs.evaluate import evaluate
from jobs.link import link
from jobs.pace import Pace
from jobs.pull import pull
from jobs.recall import replay
from tests.cli.calling import shop

NOON = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
# A group with a limit at its head, dollars, limits in tranches and seasons, orders of both kinds, an account that is
# blocked, one without due dates, one without a rate, one of a segment of its own.
BOOK = {
    "customers": """
        id,name,currency,parent_id,status,segment
        G1,集团总部,CNY,,,
        C1,华东机械,CNY,G1,,
        C2,Dollar Trading,USD,G1,,key
        C3,Blocked & Sons,CNY,,blocked,
        C4,Staged,CNY,,,
        C5,No Rate,CHF,,,
        C6,Nothing at all,CNY,,,
        """,
    "limits": """
        id,customer_id,kind,amount,currency,valid_from,valid_to,condition
        L1,G1,base,9000.00,CNY,2026-01-01,,
        L2,C1,base,20000.00,CNY,,,
        L3,C2,base,500.00,USD,,2026-12-31,
        L4,C4,stage,1000.00,CNY,2026-10-01,,on 2026-10-01
        L5,C4,stage,2000.00,CNY,2026-10-01,,paid >= 80%
        L6,C5,unlimited,,,,,
        """,
    "documents": """
        id,customer_id,kind,number,issued_on,due_on,currency,amount,disputed_amount
        D1,C1,invoice,INV-1,2026-07-01,2026-07-31,CNY,6000.00,
        D2,C1,credit_note,CN-1,2026-08-20,,CNY,1500.00,
        D3,C2,invoice,INV-2,2026-09-01,2026-10-01,USD,1234.56,200.00
        D4,C3,invoice,INV-3,2026-11-15,2026-12-15,CNY,5000.00,
        D5,C4,invoice,INV-4,2026-10-05,2026-10-30,CNY,700.00,
        D6,C5,invoice,INV-5,2026-10-05,2026-10-30,CHF,10.00,
        D7,C6,invoice,INV-6,2026-10-05,,CNY,10.00,
        """,
    "payments": """
        id,customer_id,received_on,currency,amount
        P1,C1,2026-11-01,CNY,2000.00
        """,
    "orders": """
        id,customer_id,number,ordered_on,currency,amount,status
        O1,C1,SO-1,2026-11-20,CNY,4000.00,open
        O2,C2,SO-2,2026-11-20,CNY,700.00,open
        O3,C3,SO-3,2026-11-20,CNY,1.00,draft
        """,
    "rates": """
        on,from,to,rate
        2026-11-20,USD,CNY,7.25
        """,
}


class Firm:
    """A shop whose nights are run one by one."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        self.path = shop(folder, **BOOK)
        self.config: Config = configs.load(self.path)
        self.store = store or Store.open(f"sqlite:///{folder / 'holdfast.db'}")
        self.policy: Policy = default_policy()

    def book(self, name: str, old: str, new: str) -> None:
        """Changes a file of the book."""
        path = self.path.parent / "book" / f"{name}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def night(self, days: int = 0) -> None:
        """Everything that a night does, so many days later."""
        from connector.connect import connect

        clock = FixedClock(NOON + dt.timedelta(days=days))
        connected = connect(self.config, "books", clock, lambda: self.store)
        for run in (
            pull(self.store, connected),
            link(self.store, self.config, clock),
            evaluate(self.store, self.config, self.policy, clock),
        ):
            assert not run.failed, run.problems


@pytest.fixture(params=["sqlite", "postgresql"])
def firm(request: pytest.FixtureRequest, tmp_path: Path) -> Firm:
    from tests.store.conftest import emptied

    if request.param == "sqlite":
        return Firm(tmp_path)
    store: Store = request.getfixturevalue("pg_store")
    emptied(store)
    return Firm(tmp_path, store)


def test_every_decision_comes_out_the_same_to_the_byte(firm: Firm) -> None:
    """Of three days, after facts, rates and the policy have changed twice."""
    firm.night()
    firm.book("documents", "6000.00", "6500.00")
    firm.book("rates", "7.25", "7.35")
    firm.book("limits", "9000.00", "100.00")
    firm.night(1)
    hold = firm.policy.hold.model_copy(
        update={"oldest_overdue": firm.policy.hold.oldest_overdue.model_copy(update={"grace_days": 90})}
    )
    firm.policy = firm.policy.model_copy(update={"hold": hold})
    firm.book("customers", "华东机械,CNY,G1", "华东机械,CNY,")
    firm.night(30)
    with firm.store.reading() as tx:
        found = replay(tx, firm.config)
        assert (len(found.other), len(found.unkept)) == (0, 0)
        made = list(decisions.everything(tx))
        assert found.same == len(made)
        assert len({row.as_of for row in made}) == 3
        assert len({row.policy_version for row in made}) == 2
        assert any(row.body["hold"] for row in made)
        one_day = replay(tx, firm.config, on=NOON.date())
        assert one_day.same == sum(row.as_of == NOON.date() for row in made)
        one = replay(tx, firm.config, debtors=[made[0].debtor])
        assert one.same == sum(row.debtor == made[0].debtor for row in made)


def test_a_body_that_was_changed_comes_out_otherwise(firm: Firm) -> None:
    firm.night()
    with firm.store.writing() as tx:
        [first, *_] = decisions.everything(tx)
        body = decisions.packed({**first.body, "hold": not first.body["hold"]})
        tx.execute(decision.update().where(decision.c.id == first.id).values(body=body))
    with firm.store.reading() as tx:
        assert [row.id for row in replay(tx, firm.config).other] == [first.id]


def test_what_was_decided_before_inputs_were_kept_is_told(firm: Firm) -> None:
    firm.night()
    with firm.store.writing() as tx:
        tx.execute(decision.update().values(inputs=None))
    with firm.store.reading() as tx:
        found = replay(tx, firm.config)
        assert (found.same, len(found.other), len(found.unkept)) == (0, 0, 7)


def wrong(tx: Connection) -> list[tuple[str, str]]:
    assert audit.verify(tx) == []
    return [(p.code, p.where) for p in proof.verify(tx)]


@pytest.mark.parametrize("how", ["body", "inputs", "debtor", "sha", "remove", "last", "insert"])
def test_whoever_touches_a_decision_is_found(firm: Firm, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # All that a night decides is one batch.
    monkeypatch.setattr(evaluate_module, "Pace", lambda store: Pace(store, 100))
    firm.night()
    firm.book("documents", "6000.00", "6500.00")
    firm.night(1)
    with firm.store.writing() as tx:
        assert wrong(tx) == []
        rows = list(decisions.everything(tx))
        victim = rows[-1] if how == "last" else rows[2]
        here = decision.c.id == victim.id
        where = f"decision {victim.id}"
        batch = f"decision {rows[0].id}-{rows[6].id}"
        values: dict[str, Any] = {
            "body": {"body": victim.kept + b" "},
            "inputs": {"inputs": None},
            "debtor": {"debtor": victim.debtor + 1},
        }
        if how in values:
            tx.execute(decision.update().where(here).values(**values[how]))
            expected = ("decision_changed", where)
        elif how == "sha":
            # Somebody who knows how it is hashed.
            sha = decisions.sha_of(victim.id, victim.debtor, victim.as_of, victim.policy_version, b"{}", None)
            tx.execute(decision.update().where(here).values(body=b"{}", inputs=None, sha=sha))
            expected = ("decision_changed", batch)
        elif how == "insert":
            row = dict(tx.execute(decision.select().where(here)).mappings().one())
            tx.execute(decision.insert().values(**(row | {"id": rows[-1].id + 1})))
            expected = ("decision_inserted", f"decision {rows[-1].id + 1}")
        else:
            tx.execute(decision.delete().where(here))
            second = [row.id for row in rows[7:]]
            expected = ("decision_removed", f"decision {second[0]}-{second[-1]}" if how == "last" else batch)
        assert wrong(tx) == [expected]
