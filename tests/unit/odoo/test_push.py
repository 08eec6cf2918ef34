"""Writing: fields, holds, limits, to-dos; who is refused, and what is never sent twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.odoo import ADAPTER
from connector.adapter import Write
from connector.errors import ConfigError

from .conftest import Office, Open


@pytest.fixture
def office(open_office: Open) -> Office:
    made = open_office(role="crm")
    made.provision()
    return made


def fields(target: str, **values: object) -> Write:
    return Write(f"k{target}", target, values)


def test_equal_values_go_together_and_different_ones_in_one_call(office: Office) -> None:
    before = len(office.sandbox.writes())
    good = [fields(str(k), x_credit_level="Good") for k in (5000, 5001, 5002)]
    own = [fields(str(k), x_credit_limit=Decimal(k)) for k in (5003, 5004)]
    assert [o.state for o in office.send("customer_fields", *good, *own)] == ["done"] * 5
    paths = [c.path.rpartition("/")[2] for c in office.sandbox.writes()[before:]]
    assert paths == ["write", "web_save_multi"]
    assert office.row("res.partner", 5001)["x_credit_level"] == "Good"
    assert office.row("res.partner", 5004)["x_credit_limit"] == 5004


def test_outcomes_keep_their_order_around_bad_ones(office: Office) -> None:
    writes = [
        fields("5000", x_credit_level="Good", x_credit_limit=Decimal("1.50")),
        fields("99999999", x_credit_level="Good", x_credit_limit=Decimal("2.50")),
        fields("5001", x_credit_level="Nonsense"),
        fields("A-17", x_credit_level="Good"),
        fields("5002", x_credit_level="Stop", x_credit_as_of="2026-11-23", x_credit_currency=None),
    ]
    outcomes = office.send("customer_fields", *writes)
    assert [(o.state, o.code) for o in outcomes] == [
        ("done", ""), ("rejected", "MissingError"), ("rejected", "ValueError"), ("rejected", "no_such_record"), ("done", ""),
    ]  # fmt: skip
    assert outcomes[3].why is not None
    assert outcomes[3].why.zh == "“A-17”不是 Odoo 的记录编号。"
    row = office.row("res.partner", 5002)
    assert (row["x_credit_level"], row["x_credit_as_of"], row["x_credit_currency"]) == ("Stop", "2026-11-23", False)


def test_the_same_record_twice_keeps_the_later_value(office: Office) -> None:
    office.send(
        "hold",
        fields("5000", x_credit_hold=True),
        fields("5001", x_credit_hold=True),
        fields("5000", x_credit_hold=False),
    )
    assert office.row("res.partner", 5000)["x_credit_hold"] is False


def test_old_odoo_is_written_one_by_one(open_office: Open) -> None:
    office = open_office(role="crm", version=17, login="connector")
    office.secrets.pop("admin_key")
    rows = office.book()
    for name in ("x_credit_limit",):
        rows.add("ir.model.fields", {"name": name, "ttype": "float", "_model": "res.partner", "_choices": []})
    outcomes = office.send("customer_fields", *(fields(str(k), x_credit_limit=Decimal(k)) for k in (5000, 5001)))
    assert [o.state for o in outcomes] == ["done", "done"]
    assert office.row("res.partner", 5001)["x_credit_limit"] == 5001


def test_holds_are_read_back(office: Office) -> None:
    office.send("hold", fields("5000", x_credit_hold=True, x_credit_hold_reason="Overdue 45 days"))
    channel = ADAPTER.channel("hold")
    assert channel is not None
    assert channel.current is not None
    now = channel.current(office.client(), ["5000", "5001", "99999999", "x"])
    assert set(now) == {"5000", "5001"}
    assert (now["5000"]["x_credit_hold"], now["5000"]["x_credit_hold_reason"]) == (True, "Overdue 45 days")
    assert now["5001"]["x_credit_hold"] is False


def test_a_held_order_is_refused_and_confirmed_after_release(office: Office) -> None:
    order = next(r for r in office.sandbox.shelf.all("sale.order") if r["state"] == "draft")
    customer = str(order["partner_id"])

    def confirm() -> None:
        office.client().call("sale.order", "action_confirm", safe=False, ids=[order["id"]])

    office.send("hold", fields(customer, x_credit_hold=True, x_credit_hold_reason="Overdue 45 days"))
    with pytest.raises(
        Exception, match=f"Credit hold: order {order['name']} of .* cannot be confirmed. Overdue 45 days"
    ):
        confirm()
    assert office.row("sale.order", order["id"])["state"] == "draft"
    office.send("hold", fields(customer, x_credit_hold=False, x_credit_hold_reason=None))
    office.send("order_fields", fields(str(order["id"]), x_credit_hold=True, x_credit_hold_reason="Over the limit"))
    with pytest.raises(Exception, match="Over the limit"):
        confirm()
    office.send("order_fields", fields(str(order["id"]), x_credit_hold=False, x_credit_hold_reason=None))
    confirm()
    assert office.row("sale.order", order["id"])["state"] == "sale"


def test_fields_that_are_not_there_stop_the_batch_and_are_named(open_office: Open) -> None:
    office = open_office(role="crm")
    with pytest.raises(ConfigError) as wrong:
        office.send("hold", fields("5000", x_credit_hold=True, x_credit_hold_reason="r"))
    assert wrong.value.user.en == (
        "res.partner has no field x_credit_hold, x_credit_hold_reason that this user may see: "
        "run `holdfast provision`, or take it out of the mapping."
    )
    assert "x_credit_hold_reason：请运行 `holdfast provision`" in wrong.value.user.zh


def task(target: str, key: str, **more: object) -> Write:
    values = {
        "res_id": target,
        "summary": "Call",
        "note": "Owes <1,234.00>\nsince October",
        "date_deadline": "2026-11-30",
    }
    return Write(key, target, {**values, **more})


def test_a_to_do_carries_our_key_and_is_found_also_when_done(office: Office) -> None:
    (made,) = office.send("task", task("5000", "overdue/5000/2026-11", user_id="11"))
    row = office.row("mail.activity", made.remote_id)
    assert row["note"] == "<p>Owes &lt;1,234.00&gt;<br>since October</p>"
    assert (row["user_id"], row["res_id"], row["x_credit_task_key"]) == (11, 5000, "overdue/5000/2026-11")
    channel = ADAPTER.channel("task")
    assert channel is not None
    assert channel.find is not None
    office.client().call("mail.activity", "action_feedback", safe=False, ids=[row["id"]])
    assert not office.row("mail.activity", row["id"])["active"]
    assert channel.find(office.client(), ["overdue/5000/2026-11", "another"]) == {
        "overdue/5000/2026-11": made.remote_id
    }


@pytest.mark.parametrize("fault", ["late", "cut", "reset", "500"])
def test_an_unclear_to_do_is_left_to_be_looked_for(office: Office, fault: str) -> None:
    client = office.client()
    _ = client.company
    office.sandbox.faults.plan(fault, match="activity_schedule")  # type: ignore[arg-type]
    outcomes = office.send("task", task("5000", "k1"), task("5001", "k2"), client=client)
    assert [o.state for o in outcomes] == ["again", "again"]  # nothing more is tried while it is silent
    channel = ADAPTER.channel("task")
    assert channel is not None
    assert channel.find is not None
    there = channel.find(client, ["k1", "k2"])
    assert set(there) == ({"k1"} if fault in ("late", "cut") else set())


def test_a_to_do_for_a_customer_who_is_gone_is_rejected_and_the_next_is_made(office: Office) -> None:
    outcomes = office.send("task", task("99999999", "k1"), task("5001", "k2"))
    assert [o.state for o in outcomes] == ["rejected", "done"]


@pytest.mark.parametrize("series", [19, 17])
def test_to_dos_are_marked_as_done_once_and_not_against_a_person(open_office: Open, series: int) -> None:
    door = {"transport": "jsonrpc", "login": "connector"} if series < 19 else {}
    office = open_office(role="crm", version=series, **door)
    office.provision()
    made = office.send("task", *(task(str(5000 + n), f"k{n}") for n in range(4)))
    ids = [o.remote_id for o in made]
    client = office.client()
    client.call("mail.activity", "action_feedback", safe=False, ids=[int(ids[1])], feedback="done by hand")
    office.sandbox.shelf.drop("mail.activity", f"{int(ids[2]):012d}")
    writes = [Write(f"k{n}", key, {"feedback": "The matter is decided."}) for n, key in enumerate(ids)]
    before = len(office.sandbox.writes())
    for _ in range(2):
        assert [(o.state, o.remote_id) for o in office.send("close_task", *writes)] == [("done", key) for key in ids]
    calls = [c for c in office.sandbox.writes()[before:] if "activity" in c.path or c.path.endswith("/jsonrpc")]
    assert len(calls) == 1, "one call for both"
    if series < 19:
        assert office.sandbox.shelf.count("mail.activity") == 0
        return
    rows = [office.row("mail.activity", ids[n]) for n in (0, 1, 3)]
    assert [r["active"] for r in rows] == [False] * 3
    words = [r["feedback"] for r in rows]
    assert words == ["The matter is decided.", "done by hand", "The matter is decided."]


@pytest.mark.parametrize("fault", ["late", "cut", "503"])
def test_an_unclear_closing_is_looked_at_before_it_is_repeated(office: Office, fault: str) -> None:
    (made,) = office.send("task", task("5000", "k1"))
    client = office.client()
    office.sandbox.faults.plan(fault, times=1, match="action_feedback")  # type: ignore[arg-type]
    write = Write("k1", made.remote_id, {"feedback": "over"})
    (first,) = office.send("close_task", write, client=client)
    assert first.state in ("again", "done")
    (second,) = office.send("close_task", write, client=client)
    assert second.state == "done"
    assert office.row("mail.activity", made.remote_id)["feedback"] == "over"


def test_without_its_key_field_no_to_do_can_be_looked_for(open_office: Open) -> None:
    channel = ADAPTER.channel("task")
    assert channel is not None
    assert channel.find is not None
    with pytest.raises(ConfigError, match="x_credit_task_key"):
        channel.find(open_office(role="crm").client(), ["k"])


def test_limits_are_written_and_zero_is_refused(open_office: Open) -> None:
    office = open_office()
    outcomes = office.send(
        "limit",
        Write("a", "101", {"credit_limit": Decimal("50000.00")}),
        Write("b", "102", {"credit_limit": Decimal("0.00")}),
        Write("c", "103", {"credit_limit": None}),  # no limit, or unlimited
    )
    assert [(o.state, o.code) for o in outcomes] == [("done", ""), ("rejected", "zero_limit"), ("done", "")]
    assert outcomes[1].why is not None
    assert "0" in outcomes[1].why.zh
    assert [office.row("res.partner", k)["credit_limit"] for k in (101, 103)] == [50000, 0]


def test_a_partial_failure_finds_the_bad_ones(office: Office) -> None:
    client = office.client()
    _ = client.company
    office.sandbox.faults.plan("partial", match="res.partner/(write|web_save_multi)")
    writes = [fields(str(5000 + n), x_credit_limit=Decimal(n + 1)) for n in range(4)]
    outcomes = office.send("customer_fields", *writes, client=client)
    assert [o.state for o in outcomes] == ["done", "rejected", "done", "rejected"]
    assert [office.row("res.partner", 5000 + n).get("x_credit_limit") for n in range(4)] == [1, None, 3, None]
