"""The adapter against real Trytons: one that the product brings up itself, and one seeded by somebody else.

Three independent witnesses: the plan from which the company was entered, Tryton's own figures (`receivable`,
`credit_amount`, its aged balance), and the truth file of the other seeding.
"""

from __future__ import annotations

import datetime as dt
import json
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.tryton import ADAPTER, hold_setup, holds, ledger, limits, notes, order_holds, rehearsal, setup
from adapters.tryton.aged import COLUMNS, aged_balance
from adapters.tryton.client import Tryton
from adapters.tryton.server import Server
from adapters.tryton.wizards import pay
from connector.adapter import Write
from connector.credit.items import open_items
from connector.errors import ConfigError, RejectedError
from connector.money import from_minor
from tests.live.tryton_server import connected, facts, folder_of, read, server, signed_in

__all__ = ["server"]

pytestmark = pytest.mark.live

ZERO = Decimal(0)
CENT = Decimal("0.01")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "live" / "tryton" / "up"


# --- witnesses -------------------------------------------------------------------------------------------------------
def _items(documents: Any, instalments: Any, payments: Any, applications: Any, as_of: dt.date) -> dict[str, list[Any]]:
    """Open items by customer, without our ids and without what only names the paper."""
    owner = {x.id: x.customer_id for x in [*documents, *payments]}
    found = defaultdict(list)
    for item in open_items(documents, instalments, payments, applications, as_of):
        kind = "invoice" if item.kind == "debit_note" else item.kind
        seen = (item.currency, kind, item.issued_on, item.due_on, item.amount, item.disputed)
        found[owner[item.ref.partition("/")[0]]].append(seen)
    return {customer: sorted(items) for customer, items in found.items()}


def _ledger_balance(found: dict[str, list[Any]], as_of: dt.date, base: str = "CNY") -> dict[str, Decimal]:
    """What each customer owes in the ledger currency, from the dates of documents and payments alone."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for document in found["Document"]:
        if document.issued_on <= as_of and document.status == "posted":
            sign = -1 if document.kind == "credit_note" else 1
            sums[document.customer_id] += sign * from_minor(document.base_amount, base)
    for payment in found["Payment"]:
        if payment.received_on <= as_of:
            sign = 1 if payment.kind == "refund" else -1
            sums[payment.customer_id] += sign * from_minor(payment.base_amount, base)
    return {customer: amount for customer, amount in sums.items() if amount}


def _rests(found: dict[str, list[Any]], as_of: dt.date) -> dict[str, tuple[Decimal, Decimal]]:
    """What is left of each document and payment, in its own and in the ledger currency, instalments together."""
    left = {
        x.id: [from_minor(x.amount, x.currency), from_minor(x.base_amount, "CNY")]
        for x in [*found["Document"], *found["Payment"]]
    }
    for one in found["Application"]:
        if one.applied_on <= as_of:
            given = one.amount if one.from_amount is None else one.from_amount
            for ref, amount in ((one.from_id, given), (one.to_id, one.amount)):
                left[ref][0] -= amount
                left[ref][1] -= one.base_amount
    return {ref: (amount, base) for ref, (amount, base) in left.items()}


def _tryton_aged(client: Tryton, as_of: dt.date) -> dict[str, dict[str, Decimal]]:
    """Tryton's own aged balance; on SQLite its sums are floats, so the cents are asked for."""
    about = {"date": as_of, "type": "customer", "unit": "day", "term1": 30, "term2": 60, "term3": 90, "posted": False}
    rows = client.rows("account.aged_balance", [], ["party.code", *COLUMNS], **about)
    cells = {r["party"]["code"]: {c: Decimal(r[c] or 0).quantize(CENT) for c in COLUMNS} for r in rows}
    return {code: row for code, row in cells.items() if any(row.values())}


# --- reading ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def found(server: Server) -> dict[str, list[Any]]:
    return facts(signed_in(server))


@pytest.mark.parametrize("days_ago", [0, 45, 200])
def test_open_items_are_those_of_the_plan_on_any_day(
    server: Server, found: dict[str, list[Any]], days_ago: int
) -> None:
    plan, as_of = server.company, server.company.as_of - dt.timedelta(days=days_ago)
    expected = _items(plan.documents, plan.instalments, plan.payments, plan.applications, as_of)
    assert sum(map(len, expected.values())) >= 10, "too little is open to prove anything"
    assert _items(found["Document"], found["Instalment"], found["Payment"], found["Application"], as_of) == expected


def test_the_plan_has_what_makes_it_hard(server: Server, found: dict[str, list[Any]]) -> None:
    documents = found["Document"]
    assert {d.currency for d in documents} == {"CNY", "EUR", "JPY", "USD"}
    assert {d.kind for d in documents} >= {"invoice", "credit_note"}
    assert found["Instalment"]
    assert any(d.amount == 0 and d.base_amount for d in documents), "no exchange difference"
    partial = {a.to_id for a in found["Application"]} & {
        ref for ref, (amount, _) in _rests(found, server.company.as_of).items() if amount
    }
    assert partial, "no invoice that is paid in part"
    assert any(d.disputed_amount for d in documents)


def test_customers_limits_orders_rates_are_those_of_the_plan(server: Server, found: dict[str, list[Any]]) -> None:
    plan = server.company
    assert {(c.id, c.name, c.tax_id, c.currency, c.terms, c.email, c.status) for c in found["Customer"]} == {
        (c.id, c.name, c.tax_id, c.currency, c.terms, c.email, c.status) for c in plan.customers
    }
    assert {(x.customer_id, x.kind, x.amount, x.currency) for x in found["Limit"]} == {
        (x.customer_id, x.kind, x.amount, x.currency) for x in plan.limits
    }
    gross = {o.id: o for o in plan.orders}
    lines = defaultdict(set)
    for line in plan.order_lines:
        lines[line.order_id].add((line.quantity, line.unit_price, line.tax_rate))
    assert sorted((o.customer_id, o.ordered_on, o.status) for o in found["Order"]) == sorted(
        (o.customer_id, o.ordered_on, o.status) for o in gross.values()
    )
    ours = defaultdict(set)
    for line in found["OrderLine"]:
        ours[line.order_id].add((line.quantity, line.unit_price, line.tax_rate))
    assert sorted(map(sorted, ours.values())) == sorted(map(sorted, lines.values()))
    theirs = {(r.from_currency, r.on): r.rate for r in plan.rates}
    for rate in found["Rate"]:
        # Tryton keeps six decimals of the inverse.
        assert abs(rate.rate / theirs[rate.from_currency, rate.on] - 1) < Decimal("0.0001"), rate
    assert len(found["Rate"]) == len(theirs)


def test_ledger_balance_is_trytons_own(server: Server, found: dict[str, list[Any]]) -> None:
    client = signed_in(server)
    rows = client.rows("party.party", [], ["code", "receivable"])
    assert _ledger_balance(found, dt.date.max) == {r["code"]: r["receivable"] for r in rows if r["receivable"]}


def test_what_is_closed_is_closed_in_both_currencies(server: Server, found: dict[str, list[Any]]) -> None:
    rests = _rests(found, dt.date.max)
    assert [ref for ref, (amount, base) in rests.items() if bool(amount) != bool(base)] == []
    assert sum(not amount for amount, _ in rests.values()) > 50


@pytest.mark.parametrize("days_ago", [0, 45, 200])
def test_trytons_aged_balance_by_its_own_rules(server: Server, days_ago: int) -> None:
    client, as_of = signed_in(server), server.company.as_of - dt.timedelta(days=days_ago)
    expected = _tryton_aged(client, as_of)
    assert len(expected) >= 5
    assert aged_balance((r.data for r in read(client, "ledger")[0].values()), as_of) == expected


def test_exposure_agrees_with_trytons_credit_amount(server: Server, found: dict[str, list[Any]]) -> None:
    """`credit_amount`: the receivable plus what is ordered and not invoiced, untaxed, rounded after each order."""
    client = signed_in(server)
    amounts = _ledger_balance(found, dt.date.max)
    latest = {r["currency"]["code"]: r["rate"] for r in sorted(_rates(client), key=lambda r: r["date"])}
    open_quantity: dict[str, Decimal] = defaultdict(Decimal)
    for line in found["OrderLine"]:
        open_quantity[line.order_id] += (line.quantity - (line.quantity_invoiced or 0)) * line.unit_price
    for order in sorted(found["Order"], key=lambda o: int(o.id)):
        if order.status == "open":
            value = open_quantity[order.id] * latest["CNY"] / latest[order.currency]
            total = amounts.get(order.customer_id, ZERO) + value
            amounts[order.customer_id] = total.quantize(CENT, ROUND_HALF_EVEN)
    rows = client.rows("party.party", [], ["code", "credit_amount"])
    assert any(o.status == "open" for o in found["Order"])
    assert {c: a for c, a in amounts.items() if a} == {
        r["code"]: r["credit_amount"] for r in rows if r["credit_amount"]
    }


def _rates(client: Tryton) -> list[dict[str, Any]]:
    return client.rows("currency.currency.rate", [], ["currency.code", "rate", "date"])


# --- changes ---------------------------------------------------------------------------------------------------------
def test_reading_changes_ends_where_reading_everything_does(server: Server) -> None:
    """After each event the records kept from before, with the changes laid over them, equal a full read."""
    client, admin = signed_in(server, overlap_minutes=0, page_size=40), signed_in(server, "admin")
    streams = ("customers", "ledger", "orders")
    kept: dict[str, tuple[dict[str, Any], Any]] = {s: read(client, s) for s in streams}
    everything = len(kept["ledger"][0])
    today = dt.datetime.now(dt.UTC).date()
    invoice, party = _open_invoice(client)

    def written_off_the_party() -> None:
        address = admin.rows("party.address", [["party", "=", party]], ["city"])[0]
        admin.call("model.party.address.write", [address["id"]], {"city": "Ningbo"})

    events = (
        lambda: pay(admin, invoice["id"], CENT, today),
        lambda: pay(admin, invoice["id"], invoice["amount_to_pay"] - CENT, today),
        lambda: _unreconcile(admin, invoice["move"]),
        written_off_the_party,
        lambda: admin.call("model.party.party.write", [party], {"credit_limit_amount": Decimal(4711)}),
        lambda: rehearsal.order(client, "C0002", Decimal(1)),
    )
    for number, happen in enumerate(events):
        happen()
        for stream in streams:
            before, cursor = kept[stream]
            changed, cursor = read(client, stream, cursor)
            kept[stream] = ({**before, **changed}, cursor)
            whole, _ = read(client, stream)
            assert {k: r.data for k, r in kept[stream][0].items()} == {k: r.data for k, r in whole.items()}, (
                number,
                stream,
            )
            if stream == "ledger":
                assert len(changed) < everything / 3, "it read everything again"


def _open_invoice(client: Tryton) -> tuple[dict[str, Any], int]:
    ours = [["account.type.receivable", "=", True], ["reconciliation", "=", None], ["debit", ">", Decimal(100)]]
    origins = [r["move"]["origin"] for r in client.rows("account.move.line", ours, ["move.origin"])]
    ids = [int(o.partition(",")[2]) for o in origins if o]
    fields = ["party", "move", "amount_to_pay", "currency.code"]
    rows = client.rows_of("account.invoice", "id", ids, fields)
    row = next(r for r in rows if r["amount_to_pay"] > 1 and r["currency"]["code"] == "CNY")
    return row, row["party"]


def _unreconcile(client: Tryton, move: int) -> None:
    lines = client.rows("account.move.line", [["move", "=", move], ["reconciliation", "!=", None]], ["id"])
    ids = [r["id"] for r in lines]
    assert ids, "nothing to take apart"
    about = {"active_model": "account.move.line", "active_id": ids[0], "active_ids": ids}
    session, start, _ = client.call("wizard.account.move.unreconcile_lines.create", safe=False, **about)
    client.call("wizard.account.move.unreconcile_lines.execute", session, {}, start, safe=False, **about)


# --- writing ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def ready(server: Server) -> Tryton:
    client = signed_in(server)
    setup.provision(client, (), False)
    return client


def test_provision_makes_category_and_rule_once(server: Server, ready: Tryton) -> None:
    assert [f.state for f in setup.provision(signed_in(server), (), False)] == ["fine", "fine", "fine"]
    assert {f.state for f in setup.check(ready, ())} == {"fine"}


def test_a_user_who_is_no_administrator_is_told_what_to_click(server: Server) -> None:
    client = signed_in(server, "connector", admin_user=None, hold_category="Another category")
    category, rule, orders = setup.provision(client, (), False)
    # Party Administration may make categories; rules on buttons are an administrator's.
    assert (category.state, rule.state, orders.state) == ("made", "todo", "fine"), "the orders' rule is there already"
    assert rule.fix is not None
    for words in (rule.fix.en, rule.fix.zh):
        assert "Account Credit Limit" in words
        assert holds.condition(holds.category(client) or 0) in words


def test_a_hold_stops_the_salespersons_confirmation_and_a_release_lets_it_go(server: Server, ready: Tryton) -> None:
    sales = signed_in(server, "sales")
    code = "C0007"
    [held] = holds.send(ready, [Write("h", code, {"hold": True})])
    assert held.state == "done"
    assert holds.current(ready, [code, "C0008"]) == {code: {"hold": True}, "C0008": {"hold": False}}
    assert "state quotation" in rehearsal.order(sales, code, Decimal(10)).en
    assert "state processing" in rehearsal.order(sales, "C0010", Decimal(10)).en
    [released] = holds.send(ready, [Write("r", code, {"hold": False})])
    assert released.state == "done"
    assert "state processing" in rehearsal.order(sales, code, Decimal(10)).en


def test_a_hold_of_the_party_that_is_invoiced_counts_too(server: Server, ready: Tryton) -> None:
    sales = signed_in(server, "sales")
    holds.send(ready, [Write("h", "C0011", {"hold": True})])
    parties = {
        r["code"]: r for r in sales.rows("party.party", [["code", "in", ["C0010", "C0011"]]], ["code", "addresses"])
    }
    other, payer = parties["C0010"], parties["C0011"]
    values = {
        "party": other["id"],
        "invoice_party": payer["id"],
        "invoice_address": payer["addresses"][0],
        "shipment_address": other["addresses"][0],
        "sale_date": dt.datetime.now(dt.UTC).date(),
        "invoice_method": "order",
        "shipment_method": "order",
        "lines": [["create", [{"type": "line", "description": "x", "quantity": 1, "unit_price": Decimal(1)}]]],
    }
    [sale] = sales.call("model.sale.sale.create", [values])
    sales.call("model.sale.sale.quote", [sale])
    sales.call("model.sale.sale.confirm", [sale])
    assert sales.rows("sale.sale", [["id", "=", sale]], ["state"])[0]["state"] == "quotation"


# --- single orders -----------------------------------------------------------------------------------------------------
def quoted(client: Tryton, code: str) -> int:
    """A quotation of one customer, as a salesperson enters it."""
    party = client.rows("party.party", [["code", "=", code]], ["addresses"])[0]
    values = {
        "party": party["id"],
        "invoice_address": party["addresses"][0],
        "shipment_address": party["addresses"][0],
        "sale_date": dt.datetime.now(dt.UTC).date(),
        "invoice_method": "order",
        "shipment_method": "order",
        "lines": [["create", [{"type": "line", "description": "x", "quantity": 1, "unit_price": Decimal(1)}]]],
    }
    [sale] = client.call("model.sale.sale.create", [values])
    client.call("model.sale.sale.quote", [sale])
    return int(sale)


def confirmed(client: Tryton, sale: int) -> str:
    """The state of an order after somebody has clicked on “Confirm”."""
    client.call("model.sale.sale.confirm", [sale])
    return str(client.rows("sale.sale", [["id", "=", sale]], ["state"])[0]["state"])


def hold(client: Tryton, sale: int, held: bool, reason: str | None = "over the limit by CNY 9,900.00") -> None:
    values = {"hold": held, "hold_reason": reason if held else None, "stop": held}
    [outcome] = order_holds.send(client, [Write(f"o{sale}", str(sale), values)])
    assert outcome.state == "done", outcome


def test_a_held_order_is_not_confirmed_by_a_salesperson_and_is_when_released(server: Server, ready: Tryton) -> None:
    sales = signed_in(server, "sales")
    held, other = quoted(sales, "C0010"), quoted(sales, "C0010")
    hold(ready, held, True)
    assert confirmed(sales, held) == "quotation"
    assert confirmed(sales, other) == "processing", "another order of the same customer"
    now = order_holds.current(ready, [str(held), str(other), "99999999"])
    reason = "over the limit by CNY 9,900.00"
    assert now[str(held)] == {"hold": True, "hold_reason": reason, "stop": True, "released": False}
    assert now[str(other)] == {"hold": False, "hold_reason": None, "stop": False, "released": False}
    assert "99999999" not in now
    # The way round the button is closed by Tryton itself.
    with pytest.raises(RejectedError):
        sales.call("model.sale.sale.write", [held], {"state": "confirmed"})
    [note] = sales.rows("ir.note", [["resource", "=", f"sale.sale,{held}"]], ["message", "unread"])
    assert note["unread"]
    assert "over the limit by CNY 9,900.00" in note["message"]

    hold(ready, held, False)
    [note] = sales.rows("ir.note", [["resource", "=", f"sale.sale,{held}"]], ["message"])
    assert "lifted" in note["message"]
    assert confirmed(sales, held) == "processing"


def test_a_released_order_of_a_held_customer_is_confirmed_and_others_are_not(server: Server, ready: Tryton) -> None:
    sales, code = signed_in(server, "sales"), "C0013"
    [outcome] = holds.send(ready, [Write("h", code, {"hold": True})])
    assert outcome.state == "done"
    released, other = quoted(sales, code), quoted(sales, code)
    assert confirmed(sales, released) == "quotation"
    [outcome] = order_holds.send(ready, [Write("r", str(released), {"released": True})])
    assert outcome.state == "done", outcome
    assert order_holds.current(ready, [str(released)])[str(released)]["released"]
    [note] = sales.rows("ir.note", [["resource", "=", f"sale.sale,{released}"]], ["message"])
    assert "is released" in note["message"]
    assert confirmed(sales, other) == "quotation"
    assert confirmed(sales, released) == "processing"
    assert setup.party_rule(ready).state == "fine"
    [outcome] = order_holds.send(ready, [Write("r", str(released), {"released": False, "hold": False})])
    assert outcome.state == "done"
    assert not order_holds.current(ready, [str(released)])[str(released)]["released"]
    holds.send(ready, [Write("h", code, {"hold": False})])


def test_whoever_may_release_confirms_a_held_order_and_we_are_not_in_our_own_way(server: Server, ready: Tryton) -> None:
    sale = quoted(signed_in(server, "sales"), "C0010")
    hold(ready, sale, True)
    assert confirmed(ready, sale) == "processing", "the connector's user is in the credit limit group"


def test_a_click_of_yesterday_does_not_confirm_today(server: Server, ready: Tryton) -> None:
    """A credit controller confirmed the order once; it went back to draft and is held again."""
    sales, admin = signed_in(server, "sales"), signed_in(server, "admin")
    sale = quoted(sales, "C0010")
    hold(ready, sale, True)
    button = admin.rows("ir.model.button", [["model", "=", "sale.sale"], ["name", "=", "confirm"]], ["id"])[0]["id"]
    user = ready.rows("res.user", [["login", "=", "connector"]], ["id"])[0]["id"]
    admin.call("model.ir.model.button.click.create", [{"button": button, "record_id": sale, "user": user}])
    sales.call("model.sale.sale.draft", [sale])
    sales.call("model.sale.sale.quote", [sale])
    # As Tryton's own clients call it: ours asks for inactive records too, former clicks among them.
    sales.call("model.sale.sale.confirm", [sale], active_test=True)
    assert sales.rows("sale.sale", [["id", "=", sale]], ["state"])[0]["state"] == "quotation"


def test_our_user_may_change_our_rule_and_no_other(server: Server, ready: Tryton) -> None:
    admin, there = signed_in(server, "admin"), order_holds.rule(ready)
    assert there is not None
    button = {"button": there[0]["button"], "number_user": 1, "condition": "false"}
    [foreign] = admin.call("model.ir.model.button.rule.create", [button])
    [other] = admin.rows("ir.model.button.rule", [["id", "=", foreign]], ["number_user"])
    for client, rule in ((ready, other["id"]), (signed_in(server, "sales"), there[0]["id"])):
        with pytest.raises(RejectedError):
            client.call("model.ir.model.button.rule.write", [rule], {"number_user": 1})
    with pytest.raises(RejectedError):
        ready.call("model.ir.model.button.rule.delete", [there[0]["id"]])
    admin.call("model.ir.model.button.rule.delete", [other["id"]])


def test_without_the_right_to_change_the_rule_the_check_says_so(server: Server, ready: Tryton) -> None:
    admin = signed_in(server, "admin")
    group = hold_setup.group_named(admin, "Holdfast")
    rights = admin.rows("ir.model.access", [["group", "=", group]], ["perm_write"])
    admin.call("model.ir.model.access.write", [r["id"] for r in rights], {"perm_write": False})
    try:
        assert hold_setup.check(ready).state == "todo"
        sale = quoted(signed_in(server, "sales"), "C0010")
        values = {"hold": True, "hold_reason": "late", "stop": True}
        [outcome] = order_holds.send(ready, [Write("o", str(sale), values)])
        assert (outcome.state, outcome.code) == ("rejected", "rule")
    finally:
        admin.call("model.ir.model.access.write", [r["id"] for r in rights], {"perm_write": True})
    assert hold_setup.check(ready).state == "fine"


def test_a_hold_that_stands_already_is_not_written_again(ready: Tryton) -> None:
    holds.send(ready, [Write("h", "C0012", {"hold": True})])
    before = ready.rows("party.party", [["code", "=", "C0012"]], ["last_modified_at"])
    assert [o.state for o in holds.send(ready, [Write("h", "C0012", {"hold": True})])] == ["done"]
    assert ready.rows("party.party", [["code", "=", "C0012"]], ["last_modified_at"]) == before


def test_limits_are_written_and_each_refusal_stands_alone(ready: Tryton) -> None:
    writes = [
        Write("1", "C0014", {"credit_limit_amount": Decimal("12345.60"), "currency": "CNY"}),
        Write("2", "C0015", {"credit_limit_amount": Decimal("1.234"), "currency": "CNY"}),
        Write("3", "C0016", {"credit_limit_amount": Decimal(5), "currency": "USD"}),
        Write("4", "C0017", {"credit_limit_amount": None, "currency": None}),
        Write("5", "nobody", {"credit_limit_amount": Decimal(5), "currency": "CNY"}),
    ]
    outcomes = limits.send(ready, writes)
    assert [(o.state, o.code) for o in outcomes] == [
        ("done", ""),
        ("rejected", "refused"),
        ("rejected", "currency"),
        ("done", ""),
        ("rejected", "unknown_customer"),
    ]
    now = limits.current(ready, ["C0014", "C0017"])
    assert now["C0014"] == {"credit_limit_amount": Decimal("12345.60"), "currency": "CNY"}
    assert now["C0017"]["credit_limit_amount"] is None


def test_a_note_is_found_again_by_its_key_and_by_no_other(ready: Tryton) -> None:
    key = "overdue_50%/C0018/2026-11"
    assert notes.find(ready, [key]) == {}
    [made] = notes.send(
        ready, [Write(key, "C0018", {"subject": "Call", "body": "owes", "customer": "C0018", "key": key})]
    )
    assert made.state == "done"
    assert notes.find(ready, [key, key[:-1], "overdue%"]) == {key: made.remote_id}


def test_fields_of_a_module_that_is_not_there_are_refused_by_name(ready: Tryton) -> None:
    channel = ADAPTER.channel("customer_fields")
    assert channel is not None
    [outcome] = channel.send(ready, [Write("f", "C0001", {"credit_score": 71})])
    assert outcome.state == "rejected"
    assert outcome.why is not None
    assert "credit_score" in outcome.why.en


# --- trouble ---------------------------------------------------------------------------------------------------------
def test_a_dead_session_is_renewed(server: Server) -> None:
    client = signed_in(server)
    assert client.currency == "CNY"
    token = client._auth._token
    assert token is not None
    object.__setattr__(token, "headers", {"authorization": "Session bm9ib2R5OjE6eA=="})
    assert client.rows("party.category", [], ["name"]) is not None


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"database": "nowhere"}, "nowhere"), ({"user": "nobody"}, "sign-in"), ({"base_url": None}, "base_url")],
)
def test_what_is_configured_wrongly_is_named(server: Server, changed: dict[str, Any], named: str) -> None:
    if "base_url" in changed:
        changed = {"base_url": f"{server.url}/somewhere"}
    with pytest.raises(ConfigError) as wrong:
        setup.check(connected({**server.settings(), **changed}, server.secrets()), ())
    assert named in wrong.value.user.en


def test_a_field_that_does_not_exist_is_named(server: Server) -> None:
    with pytest.raises(ConfigError) as wrong:
        list(ledger.read(signed_in(server), None, ["invoice.refrence"]))
    assert "refrence" in wrong.value.user.en
    assert "reference" in wrong.value.user.en
    assert "refrence" in wrong.value.user.zh


def test_a_salesperson_may_not_write_limits(server: Server) -> None:
    sales = signed_in(server, "sales")
    [outcome] = limits.send(sales, [Write("1", "C0014", {"credit_limit_amount": Decimal(1)})])
    assert outcome.state == "rejected"
    with pytest.raises(RejectedError):
        sales.call("model.party.party.write", [1], {"credit_limit_amount": Decimal(1)})


# --- seeded by somebody else -----------------------------------------------------------------------------------------
def _up(folder: Path, *arguments: str) -> tuple[Tryton, dict[str, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(SHARED), str(folder), "--port", str(port), "--cache", str(folder_of("tryton-lab"))]
    subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=900)
    settings = {"base_url": f"http://127.0.0.1:{port}", "database": "tryton", "user": "connector"}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"), parse_float=Decimal)
    return connected(settings, {"password": "connector-demo-1"}), truth


SIZES = [
    pytest.param(("--customers", "40", "--invoices", "300"), id="small"),
    pytest.param(("--customers", "60", "--invoices", "500", "--seed", "7"), id="other-seed", marks=pytest.mark.slow),
    pytest.param((), id="full", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=SIZES)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tryton, Any]]:
    if not SHARED.exists():
        pytest.skip("../shared/live/tryton is not there: the independently seeded Tryton cannot be built")
    folder = tmp_path_factory.mktemp("lab")
    try:
        yield _up(folder, *request.param)
    finally:
        subprocess.run([sys.executable, str(SHARED), str(folder), "--stop"], check=False)


def test_the_truth_file_of_another_seeding(lab: tuple[Tryton, dict[str, Any]]) -> None:
    """Open items, unapplied credits, ageing, ledger balance, aged balance: every customer, to the cent."""
    client, truth = lab
    as_of = dt.date.fromisoformat(truth["as_of"])
    found = facts(client)
    records = [r.data for r in read(client, "ledger")[0].values()]
    owner = {x.id: x.customer_id for x in [*found["Document"], *found["Payment"]]}
    balance, rests = _ledger_balance(found, as_of), _rests(found, as_of)
    items = defaultdict(list)
    for item in open_items(found["Document"], found["Instalment"], found["Payment"], found["Application"], as_of):
        items[owner[item.ref.partition("/")[0]]].append(item)
    debts: dict[str, Decimal] = defaultdict(Decimal)
    credit_ids = {d.id for d in found["Document"] if d.kind == "credit_note"} | {p.id for p in found["Payment"]}
    unapplied: dict[str, Decimal] = defaultdict(Decimal)
    for ref, (_, base) in rests.items():
        if ref in credit_ids:
            unapplied[owner[ref]] -= base
        else:
            debts[owner[ref]] += base
    aged = aged_balance(records, as_of)
    assert len(truth["customers"]) >= 40
    for customer in truth["customers"]:
        code, theirs = customer["code"], customer["engine_aged"]
        assert balance.get(code, ZERO) == Decimal(customer["receivable"]), code
        assert unapplied[code] == Decimal(theirs["unapplied_credits"]), code
        late = ("not_due", "1_30", "31_60", "61_90", "over_90")
        assert debts[code] == sum(Decimal(theirs[b]) for b in late), code
        assert sorted((i.number, str(i.due_on), i.amount) for i in items[code] if i.amount > 0) == sorted(
            (o["invoice"], o["due"], Decimal(o["residual"])) for o in customer["open_items"]
        ), code
        assert sorted(i.amount for i in items[code] if i.amount < 0) == sorted(
            Decimal(u["amount"]) for u in customer["unapplied"]
        ), code
        expected = {k: Decimal(v) for k, v in customer["tryton_aged"].items()}
        assert aged.get(code, dict.fromkeys(COLUMNS, ZERO)) == expected, code
