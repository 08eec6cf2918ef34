"""A hold that somebody takes off in a real Odoo: told with who did it, left so, and held again on a word from here."""

from __future__ import annotations

from connector.clock import SystemClock
from connector.policy import default_policy
from connector.store import outbox
from jobs.night import connected_systems, work
from jobs.run import Run
from tests.live.test_both_real import Both, pytestmark
from tests.live.test_both_real import both as both
from tests.live.test_both_real import odoo as odoo
from tests.live.tryton_server import server as server

__all__ = ["pytestmark"]


def nightly(both: Both) -> dict[str, Run]:
    clock = SystemClock()
    systems = connected_systems(both.config, clock)
    done = work(both.store, both.config, default_policy(), clock, systems=systems, nightly=True)
    for run in done:
        assert not run.failed, (run.job, run.system, [str(p) for p in run.problems])
    return {f"{r.job} {r.system}".strip(): r for r in done}


def test_a_hold_taken_off_in_odoo_is_told_and_left_and_held_again_from_here(both: Both) -> None:
    done = nightly(both)
    assert done["reconcile crm"].problems == [], [str(p) for p in done["reconcile crm"].problems]
    assert done["reconcile erp"].problems == []
    assert done["reconcile crm"].counts["compared"] > 0
    assert done["reconcile erp"].counts["compared"] > 0
    _, held = both.odoo.call("res.partner", "search_read", domain=[["x_credit_hold", "=", True]], fields=["name"])
    assert held, "nobody is held: nothing can be undone"
    partner = held[0]
    both.odoo.call("res.partner", "write", ids=[partner["id"]], vals={"x_credit_hold": False})

    def is_held() -> bool:
        _, rows = both.odoo.call("res.partner", "read", ids=[partner["id"]], fields=["x_credit_hold"])
        return bool(rows[0]["x_credit_hold"])

    (problem,) = nightly(both)["reconcile crm"].problems
    assert (problem.code, problem.field) == ("undone", "x_credit_hold")
    assert partner["name"] in problem.what.en
    assert "Last changed by" in problem.what.en
    assert "Last changed by ?" not in problem.what.en, problem.what.en
    assert not is_held()

    with both.store.writing() as tx:
        (row,) = outbox.undone(tx, "crm")
        assert outbox.restore(tx, row.id, SystemClock().now())
    assert nightly(both)["reconcile crm"].problems == []
    assert is_held()
