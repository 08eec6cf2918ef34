"""Terms, rates, orders, wishes, notes, aged balance: the small rules, each by example."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from adapters.tryton import holds, ledger, notes, orders, rehearsal, setup, wishes
from adapters.tryton.aged import aged_balance
from adapters.tryton.rates import into
from adapters.tryton.terms import said
from connector.adapter import Write
from connector.errors import ConfigError, RejectedError
from tests.unit.tryton.desk import desk

NONE: dict[str, Any] = {"day": None, "month": None, "weekday": None, "months": 0, "weeks": 0, "days": 0}


def _term(*deltas: dict[str, Any], kind: str = "remainder") -> list[dict[str, Any]]:
    return [{"type": kind, "relativedeltas": [{**NONE, **d} for d in deltas]}]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (_term({"days": 30}), "net:30"),
        (_term({"weeks": 2}), "net:14"),
        (_term(), "net:0"),
        (_term({"months": 1}), "months:1"),
        (_term({"day": 31}), "eom:0"),
        (_term({"day": 31, "days": 30}), "eom:30"),
        (_term({"day": 10, "months": 1}), "day:10:1"),
        (_term({"day": 10, "months": 1, "days": 5}), None),
        (_term({"months": 1}, {"days": 5}), None),
        (_term({"days": 30, "weekday": {"id": 1}}), None),
        (_term({"days": 30}, kind="percent"), None),
        (_term({"days": 30}) + _term({"days": 60}), None),
    ],
)
def test_terms_are_said_where_they_can_be(lines: list[dict[str, Any]], words: str | None) -> None:
    assert said(lines) == words


def _rate(code: str, day: str, rate: str) -> dict[str, Any]:
    return {"currency": {"code": code}, "date": day, "rate": Decimal(rate)}


def test_rates_into_the_company_s_currency_with_another_one_as_base() -> None:
    """USD stands at 1; one euro is 7.10 / 0.92 yuan, with the latest rate of each on the day."""
    rows = [
        _rate("USD", "2026-01-01", "1"),
        _rate("CNY", "2026-01-01", "7.10"),
        _rate("EUR", "2026-01-15", "0.92"),
        _rate("CNY", "2026-02-01", "7.20"),
    ]
    assert [(r.key, r.data["_rate"]) for r in into("CNY", rows)] == [
        ("USD/2026-01-01", Decimal("7.1")),
        ("EUR/2026-01-15", Decimal("7.717391304348")),
        ("EUR/2026-02-01", Decimal("7.826086956522")),
        ("USD/2026-02-01", Decimal("7.2")),
    ]


def test_rates_before_the_company_has_one_say_nothing() -> None:
    assert into("CNY", [_rate("USD", "2026-01-01", "1")]) == []
    assert into("CNY", [{"currency": {"code": "USD"}, "date": None, "rate": Decimal(1)}]) == []


def test_an_order_counts_what_is_invoiced_and_delivered_in_its_own_unit() -> None:
    """A line of 10 dozen; 24 pieces are on a posted invoice, 3 dozen left the house, 5 dozen wait on a draft."""
    with desk() as books:
        rows = books.rows
        piece = rows.add("product.uom", {"factor": 1}, rows.stamp())["id"]
        dozen = rows.add("product.uom", {"factor": 12}, rows.stamp())["id"]
        posted = rows.add("account.invoice", {"type": "out", "move": 99}, rows.stamp())["id"]
        draft = rows.add("account.invoice", {"type": "out", "move": None}, rows.stamp())["id"]

        def on(invoice: int, quantity: int, unit: int) -> int:
            values = {"type": "line", "quantity": quantity, "unit": unit, "invoice": invoice}
            return int(rows.add("account.invoice.line", values, rows.stamp())["id"])

        def moved(state: str, quantity: int) -> int:
            return int(
                rows.add("stock.move", {"state": state, "quantity": quantity, "unit": dozen}, rows.stamp())["id"]
            )

        line = {
            "type": "line",
            "quantity": 10,
            "unit": dozen,
            "unit_price": Decimal("120.00"),
            "taxes": [1],
            "invoice_lines": [on(posted, 24, piece), on(draft, 5, dozen)],
            "moves": [moved("done", 3), moved("draft", 7)],
        }
        values = {"state": "processing", "party": books.party("C0001"), "currency": 1, "sale_date": "2026-11-02"}
        sale = rows.add("sale.sale", {**values, "lines": [["create", [line, {"type": "comment"}]]]}, rows.stamp())
        [record] = [r for p in orders.read(books.client, None, ()) for r in p.records if r.key == str(sale["id"])]
        [made] = record.data["_lines"]
        assert (made["quantity"], made["invoiced"], made["delivered"]) == (10, 2, 3)
        assert made["tax_rate"] == Decimal("0.13")


def test_without_the_right_to_see_stock_what_was_delivered_is_not_known() -> None:
    with desk() as books:
        books.client._known["stock.move"] = False
        lines = [x for p in orders.read(books.client, None, ()) for r in p.records for x in r.data["_lines"]]
        assert lines
        assert all(x["delivered"] is None for x in lines)


def test_wishes_are_sorted_by_the_part_of_the_record() -> None:
    models = {"": "account.move", "lines": "account.move.line", "invoice": "account.invoice"}
    with desk() as books:
        asked = wishes.sorted_out(
            books.client,
            "ledger",
            ["description", "lines.0.description", "^.invoice.reference", "_documents.id", "id"],
            models,
        )
        assert asked == {"": ("description",), "lines": ("description",), "invoice": ("reference",)}
        with pytest.raises(ConfigError) as wrong:
            wishes.sorted_out(books.client, "ledger", ["invoice.refrence"], models)
        for words in (wrong.value.user.en, wrong.value.user.zh):
            assert "refrence" in words
            assert "“reference”" in words


def test_an_admins_own_field_arrives_in_the_record() -> None:
    with desk() as books:
        books.invoice("C0001", "2026-01-10", books.line("C0001", "5.00"), total="5.00")
        [page] = ledger.read(books.client, None, ["^.invoice.invoice_date"])
        assert "invoice_date" in page.records[0].data["invoice"]


def test_a_note_says_everything_in_the_system_s_language() -> None:
    write = Write(
        "k", "C1", {"subject": "催收", "body": "欠款", "due_on": "2026-12-01", "priority": "high", "key": "k"}
    )
    assert notes.message(write, "zh") == "【重要】催收\n\n欠款\n\n完成期限：2026-12-01\n\nHoldfast: k"
    assert notes.message(write).startswith("[Important] 催收")


def test_a_hold_needs_its_category() -> None:
    with desk() as books, pytest.raises(ConfigError) as wrong:
        holds.send(books.client, [Write("h", "C0001", {"hold": True})])
    assert "provision" in wrong.value.user.en
    assert "provision" in wrong.value.user.zh


def test_a_rule_without_a_group_is_called_wrong() -> None:
    with desk(admin_user="admin") as books:
        rows = books.rows
        held = rows.add("party.category", {"name": "Credit hold"}, rows.stamp())["id"]
        rule = {"button": 1, "number_user": 1, "group": None, "condition": holds.condition(held)}
        rows.add("ir.model.button.rule", rule, rows.stamp())
        assert [f.state for f in setup.check(books.client, ()) if f.state != "fine"] == ["wrong", "todo"]


def test_the_rehearsal_pays_and_orders_through_tryton_s_own_dialogues() -> None:
    with desk() as books:
        code = "C0001"
        number, (owed,) = books.invoice(
            code, "2026-01-10", books.line(code, "100.00", maturity_date="2026-02-10"), total="100.00"
        )
        assert "100.00 CNY" in rehearsal.pay(books.client, code).en
        assert books.rows.all("account.move.line")[owed]["reconciliation"]
        assert books.rows.all("account.invoice")[number]["state"] == "paid"
        with pytest.raises(RejectedError):
            rehearsal.pay(books.client, code)
        assert "processing" in rehearsal.order(books.client, code, Decimal(50)).en


def test_the_aged_balance_by_its_own_rules() -> None:
    """Due today is in the first bucket; a receipt stands in the bucket of its own date; paid early stays open till due."""

    def line(value: str, on: str, due: str | None = None, closed: str | None = None) -> dict[str, Any]:
        amount = Decimal(value)
        return {
            "party": {"id": 1, "code": "C1"},
            "debit": max(amount, Decimal(0)),
            "credit": max(-amount, Decimal(0)),
            "date": on,
            "maturity_date": due,
            "reconciliation": {"id": 1, "date": closed} if closed else None,
        }

    record = {
        "lines": [
            line("100", "2026-06-01", "2026-06-30"),
            line("50", "2026-05-01", "2026-05-31"),
            line("7", "2026-06-01", "2026-07-01"),
            line("-30", "2026-05-01"),
            line("1000", "2026-03-01", "2026-03-02"),
            line("400", "2026-06-01", "2026-07-15", closed="2026-07-15"),
            line("-400", "2026-06-20", closed="2026-07-15"),
            line("9", "2026-07-01", "2026-07-01"),
        ]
    }
    assert aged_balance([record], dt.date(2026, 6, 30)) == {
        "C1": {
            "term0": Decimal(-300),
            "term1": Decimal(50),
            "term2": Decimal(-30),
            "term3": Decimal(1000),
            "balance": Decimal(1127),
        }
    }
