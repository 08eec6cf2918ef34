"""Every request of the adapter and every answer of the sandbox, judged by Zoho's OpenAPI files for v8."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from connector.adapter import Write
from tests.unit.zoho_crm import openapi
from tests.unit.zoho_crm.world import ADAPTER, BASE, client, mapping, needs, read, sandbox

pytestmark = pytest.mark.skipif(
    not openapi.FOLDER.is_dir(), reason=f"Zoho's OpenAPI files are not here ({openapi.FOLDER})"
)


@pytest.mark.parametrize("switches", [{}, {"multi_currency": True}, {"denied": ["bulk"]}])
def test_the_whole_job_speaks_zohos_language(switches: dict[str, object]) -> None:
    box = sandbox(40, **switches)
    wrong = openapi.watch(box)
    with box.mounted(BASE):
        zoho = client(box, BASE, page_size=20)
        assert ADAPTER.provision is not None
        ADAPTER.check(zoho, needs())
        ADAPTER.provision(zoho, needs(), False)
        cursors = {s.name: read(zoho, s.name)[-1].cursor for s in ADAPTER.streams}
        account, other = [a["id"] for a in box.shelf.all("Accounts")][:2]
        owner = box.shelf.all("~users")[0]["id"]
        fields = {
            "Credit_Limit": Decimal("50000.00"),
            "Credit_Status": "Good",
            "Credit_As_Of": "2026-11-23",
            "Overdue_Amount": None,
        }
        outcomes = ADAPTER.channel("customer_fields").send(  # type: ignore[union-attr]
            zoho, [Write("a", account, fields), Write("b", "1", fields), Write("c", other, fields)]
        )
        assert [o.state for o in outcomes] == ["done", "rejected", "done"]
        words = {
            "subject": "s",
            "body": "b",
            "due_on": dt.date(2026, 12, 1),
            "owner": owner,
            "customer": account,
            "key": "k-1",
        }
        task, _ = mapping().write("task", {**words, "priority": "high"})
        tasks = ADAPTER.channel("task")
        assert tasks is not None
        assert tasks.find is not None
        assert [o.state for o in tasks.send(zoho, [Write("k-1", "", task)])] == ["done"]
        assert list(tasks.find(zoho, ["k-1"])) == ["k-1"]
        hold = ADAPTER.channel("hold")
        assert hold is not None
        assert hold.current is not None
        box.faults.plan("partial", match="PUT")
        values = {"Credit_Hold": True, "Credit_Hold_Reason": "over limit"}
        assert [o.state for o in hold.send(zoho, [Write("a", account, values), Write("b", other, values)])] == [
            "done",
            "rejected",
        ]
        assert hold.current(zoho, [account])[account]["Credit_Hold"] is True
        orders = ADAPTER.channel("order_fields")
        assert orders is not None
        assert orders.current is not None
        order = box.shelf.all("Sales_Orders")[0]["id"]
        held = {**values, "Locked__s": True}
        for said in (held, {**held, "Credit_Hold_Reason": "late, too"}, {"Credit_Hold": False, "Locked__s": False}):
            assert [o.state for o in orders.send(zoho, [Write("o", order, said)])] == ["done"]
            assert orders.current(zoho, [order])[order]["Locked__s"] is said["Locked__s"]
        box.records.remove("Accounts", other, box.user)  # type: ignore[attr-defined]
        assert read(zoho, "accounts", cursors["accounts"])[-1].gone == [other]
        assert account in [k for some in ADAPTER.stream("accounts").keys(zoho) for k in some]  # type: ignore[misc]
        box.faults.plan("429-bare", match="coql")
        read(zoho, "sales_orders", cursors["sales_orders"])
    assert wrong == []
    assert len(box.calls) > 25


def test_the_judge_can_refuse() -> None:
    box = sandbox(5)
    wrong = openapi.watch(box)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        zoho.http.call(
            "POST",
            zoho.path("/coql"),
            safe=True,
            json={"select_query": "select id from Accounts where id > 0", "more": 1},
        )
        zoho.get("/Accounts", {"fields": "id", "colour": "red"})
    assert len(wrong) == 2
    assert "more" in wrong[0]
    assert "colour" in wrong[1]
