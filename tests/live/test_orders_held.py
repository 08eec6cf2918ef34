"""Single orders between a real Tryton and a real Odoo: held where they live, released, let go; and a salesperson's attempts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from adapters.tryton.client import Tryton, Warned
from connector.clock import SystemClock
from connector.config_people import PersonSettings
from connector.errors import RejectedError
from connector.policy import default_policy
from jobs import order as orders
from jobs.night import connected_systems
from jobs.push import push
from tests.live.test_both_real import Both, pytestmark
from tests.live.test_both_real import both as both
from tests.live.test_both_real import odoo as odoo
from tests.live.test_both_real import server as server
from tests.live.tryton_server import signed_in

__all__ = ["pytestmark", "server"]

BOSS = PersonSettings(id="boss", name="Boss", roles=("approver", "credit_controller"))


def quoted(client: Tryton, code: str, amount: Decimal) -> int:
    """A quotation of one customer, as a salesperson enters it."""
    party = client.rows("party.party", [["code", "=", code]], ["addresses"])[0]
    values = {
        "party": party["id"],
        "invoice_address": party["addresses"][0],
        "shipment_address": party["addresses"][0],
        "sale_date": dt.datetime.now(dt.UTC).date(),
        "invoice_method": "order",
        "shipment_method": "order",
        "lines": [["create", [{"type": "line", "description": "x", "quantity": 1, "unit_price": amount}]]],
    }
    [sale] = client.call("model.sale.sale.create", [values])
    client.call("model.sale.sale.quote", [sale])
    return int(sale)


def confirmed(client: Tryton, sale: int) -> str:
    client.call("model.sale.sale.confirm", [sale])
    return str(client.rows("sale.sale", [["id", "=", sale]], ["state"])[0]["state"])


def notes(client: Tryton, sale: int) -> list[str]:
    rows = client.rows("ir.note", [["resource", "=", f"sale.sale,{sale}"]], ["message"])
    return [str(row["message"]) for row in rows]


@pytest.fixture
def desk(both: Both) -> Any:
    both.config = both.config.model_copy(update={"people": (BOSS,)})
    both.run()
    return both


def decided(both: Both, sale: int, why: str) -> Any:
    """A person releases an order; what follows for the systems is pushed."""
    clock = SystemClock()
    systems = connected_systems(both.config, clock)
    policy, wanted = default_policy(), f"erp/{sale}"
    for person in (BOSS.person, PersonSettings(id="second", name="Second", roles=("approver",)).person):
        given = orders.release(both.store, both.config, policy, clock, wanted, person, why, systems=systems)
        if given.state == "released":
            break
    for connected in systems:
        done = push(both.store, connected)
        assert done.problems == [], [str(p) for p in done.problems]
    return given


def test_an_order_held_by_hand_is_held_in_tryton_until_it_is_lifted(desk: Both) -> None:
    sales, clock = signed_in(desk.erp, "sales"), SystemClock()
    free = next(c for c, body in sorted(desk.judged().items()) if not body["hold"])
    held, other = (quoted(sales, free, Decimal(1)) for _ in range(2))
    desk.run()
    systems = connected_systems(desk.config, clock)

    def by_hand(lift: bool) -> None:
        orders.hold(
            desk.store, desk.config, default_policy(), clock, f"erp/{held}", BOSS.person, "等待合同盖章", lift=lift,
            systems=systems,
        )  # fmt: skip
        assert push(desk.store, next(c for c in systems if c.name == "erp")).problems == []

    by_hand(lift=False)
    assert confirmed(sales, held) == "quotation"
    [note] = notes(sales, held)
    assert note.startswith("信用冻结：该订单不能确认。")
    assert "等待合同盖章" in note
    assert "解除办法：" in note
    assert notes(sales, other) == []
    by_hand(lift=True)
    assert "已解除" in notes(sales, held)[0]
    assert confirmed(sales, held) == "processing"


def test_an_order_over_the_limit_is_held_and_trytons_own_check_stays_when_it_is_released(desk: Both) -> None:
    """Our hold is gone with the release; Tryton itself asks somebody of its credit limit group to confirm."""
    sales, manager = signed_in(desk.erp, "sales"), signed_in(desk.erp, "admin")
    judged = desk.judged()
    free = next(c for c, body in sorted(judged.items()) if not body["hold"] and body["limit"]["kind"] == "amount")
    big = quoted(sales, free, Decimal(judged[free]["limit"]["amount"]) * 3)
    desk.run()
    assert confirmed(sales, big) == "quotation"
    assert decided(desk, big, "paid in advance").state == "released"
    with pytest.raises(RejectedError, match="credit limit"):
        confirmed(sales, big)
    with pytest.raises(Warned) as asked:
        confirmed(manager, big)
    manager.call("model.res.user.warning.skip", asked.value.name, False, safe=False)
    assert confirmed(manager, big) == "processing"


def test_a_released_order_of_a_held_customer_is_confirmed_in_tryton_and_no_other_is(desk: Both) -> None:
    sales = signed_in(desk.erp, "sales")
    judged = desk.judged()
    held = next(
        c for c, body in sorted(judged.items())
        if body["hold"] and {r["rule"] for r in body["reasons"]} == {"oldest_overdue"}
    )  # fmt: skip
    first, second = (quoted(sales, held, Decimal(10)) for _ in range(2))
    desk.run()
    assert confirmed(sales, first) == "quotation"
    given = decided(desk, first, "they pay tomorrow")
    assert given.state == "released"
    assert "放行" in notes(sales, first)[0]
    assert confirmed(sales, second) == "quotation"
    assert confirmed(sales, first) == "processing"
